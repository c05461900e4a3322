--- Changes of the parameters of an experiment, from outside its script.
-- @module trpo.changes
local json = require "trpo.json"
local parameters = require "trpo.parameters"
local settings = require "trpo.settings"

local changes = {}

--- The critic's options among some changes; the last one of a name counts.
-- @tparam {table,...} list what `read` returned
-- @treturn table values by the option's name
function changes.critic(list)
  local out = {}
  for _, change in ipairs(list) do
    local name = change.path:match("^value%.(.+)")
    if name then out[name] = change.value end
  end
  for name, value in pairs(out) do
    if value == json.null then out[name] = nil end
  end
  return out
end

--- Another kind of critic, or another optimizer, leaves behind what it does not have.
-- @tparam table value the critic's options, which are changed
-- @tparam table given what `critic` returned
function changes.drop_strangers(value, given)
  if given.kind == nil and given.optimizer == nil then return end
  local now = { kind = given.kind or value.kind, optimizer = given.optimizer or value.optimizer }
  for _, name in ipairs(settings.critic) do
    if settings.stranger(name, now) then value[name] = nil end
  end
end

--- The parameters that changes are about.
-- @tparam table rules group of options, see `trpo.settings`
-- @tparam {table,...} list of { name, value = } or { name, text = }
-- @treturn {table,...}|nil list of { path, value }
-- @treturn string|nil one sentence
function changes.read(rules, list)
  local out = {}
  for i, change in ipairs(list) do
    local leaf, message = parameters.find(rules, change.name)
    if not leaf then return nil, message end
    local value = change.value
    if change.text then value, message = parameters.parse(leaf, change.text) end
    if message then return nil, message end
    out[i] = { path = leaf.path, value = value }
  end
  return out
end

return changes
