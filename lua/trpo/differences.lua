--- What keeps a run from going on from a checkpoint, or from making the same numbers.
-- @module trpo.differences
local json = require "trpo.json"
local options = require "trpo.options"

local differences = {}

-- what may differ when a run goes on
local free = {
  steps = true, threads = true, evaluation = true, checkpoint = true, name = true, dir = true, overwrite = true,
  resume = true, system = true,
}

local function shown(value)
  if value == nil then return "not set" end
  if type(value) == "table" then
    local words = {}
    for i, entry in ipairs(value) do words[i] = tostring(entry) end
    return "{" .. table.concat(words, ", ") .. "}"
  end
  -- with all digits that tell it from others
  if type(value) == "number" then return value - value == 0 and json.number(value) or tostring(value) end
  return type(value) == "string" and ("'%s'"):format(value) or options.describe(value)
end

local function is_group(value) return type(value) == "table" and value[1] == nil and next(value) ~= nil end

-- keys of both, sorted
local function keys_of(a, b, skipped)
  local keys, list = {}, {}
  for key in pairs(a) do keys[key] = true end
  for key in pairs(b) do keys[key] = true end
  for key in pairs(keys) do
    if not skipped[key] then list[#list + 1] = key end
  end
  table.sort(list, function(x, y) return tostring(x) < tostring(y) end)
  return list
end

-- adds a clause for each option that differs, of a format for its path and the two values
local function compare(here, there, prefix, skipped, clause, out)
  for _, key in ipairs(keys_of(here, there, skipped)) do
    local a, b = here[key], there[key]
    if is_group(a) and is_group(b) then
      compare(a, b, prefix .. key .. ".", {}, clause, out)
    elseif shown(a) ~= shown(b) then
      out[#out + 1] = clause:format(prefix .. key, shown(a), shown(b))
    end
  end
  return out
end

--- The options that differ and may not: all but steps, threads, evaluation, checkpoint, name, dir, overwrite, resume.
-- @tparam table here configuration of the run
-- @tparam table there that of the checkpoint
-- @treturn {string,...} one clause for each
function differences.config(here, there)
  return compare(here, there, "", free, "%s is %s here and %s in the checkpoint", {})
end

-- what a script does not decide when its run goes on
local aside = { name = true, dir = true, overwrite = true, resume = true, threads = true, system = true }

--- The options that are not those of the script any more.
-- @tparam table here configuration of the run
-- @tparam table script that of its script
-- @treturn {string,...} one clause for each
function differences.script(here, script)
  return compare(here, script, "", aside, "%s is %s (the script has %s)", {})
end

--- What makes other numbers on this machine than on that of the checkpoint.
-- @tparam table here `trpo.info`
-- @tparam table there that of the process that wrote the checkpoint
-- @treturn {string,...} one clause for each
function differences.system(here, there)
  local out = {}
  for _, key in ipairs { "version", "isa", "blas", "luajit" } do
    if here[key] ~= there[key] then
      out[#out + 1] = ("%s was %s and is %s"):format(key, tostring(there[key]), tostring(here[key]))
    end
  end
  return out
end

return differences
