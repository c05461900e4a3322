--- Trust-region policy optimisation for LuaJIT: Lua decides, C computes.
--
-- `local trpo = require "trpo"` gives everything of the C core (tensors, environments, policies, the algorithm) and
-- the Lua modules, which are loaded when they are first used. The core needs no other rock.
-- @module trpo

if type(jit) ~= "table" then
  error("trpo needs LuaJIT, this is " .. _VERSION .. ": run the script with luajit", 2)
end

local core = require "trpo.core"

-- public name → module and the field of it (no field: the module itself)
local lazy = {
  env = { "trpo.env" },
  space = { "trpo.space" },
  make = { "trpo.make" },
  mdp = { "trpo.mdp" },
  check_env = { "trpo.check_env" },
  experiment = { "trpo.experiment", "new" },
  sweep = { "trpo.sweep", "new" },
  checkpoint = { "trpo.checkpoint" },
  load_policy = { "trpo.checkpoint", "policy" },
  load = { "trpo.files", "load" },
  save = { "trpo.files", "save" },
  npz = { "trpo.npz" },
  json = { "trpo.json" },
  tensorboard = { "trpo.tensorboard" },
  plots = { "trpo.plots" },
  report = { "trpo.report" },
}

local trpo = {}
for name, value in pairs(core) do
  -- a module that wraps what the core has goes before it
  if not lazy[name] then trpo[name] = value end
end

return setmetatable(trpo, {
  __index = function(t, name)
    local source = lazy[name]
    if not source then return nil end
    local module = require(source[1])
    local value = source[2] and module[source[2]] or module
    rawset(t, name, value)
    return value
  end,
})
