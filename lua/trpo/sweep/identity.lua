--- What makes a sweep and a trial the same one: canonical text, hashes, and the comparison with what a folder holds.
--
-- The canonical text of a value is its JSON with sorted keys, without spaces, and with numbers that read back exactly.
-- The id of a trial is the beginning of the SHA-256 of such a text:
--
--     { "config": ..., "kind": "experiment", "seed": 1 }               an experiment
--     { "code": ..., "kind": "run", "params": ..., "seed": 1 }          a function
--
-- `config` is the resolved configuration with the trial's parameters, without what changes no number (`name`, `dir`,
-- `overwrite`, `resume`, `threads`, `checkpoint`, and the machine), so that equal trials have equal ids wherever and
-- in whichever sweep they are run. `code` is the hash of the function and all it reaches, see `trpo.sweep.code`.
-- @module trpo.sweep.identity
local core = require "trpo.core"
local disk = require "trpo.disk"
local json = require "trpo.json"
local results = require "trpo.sweep.results"

local identity = {}

--- The canonical text of a value.
-- @param value numbers, strings, booleans and tables of such
-- @treturn string
function identity.canonical(value) return json.encode(value) end

-- what a configuration says beside what is learnt
local incidental = { "name", "dir", "overwrite", "resume", "threads", "checkpoint", "seed", "system" }

--- The part of a configuration that determines a run's numbers, but for the seed.
-- @tparam table config as `Experiment:describe` gives it
-- @treturn table a copy
function identity.config(config)
  local out = {}
  for key, value in pairs(config) do out[key] = value end
  for _, key in ipairs(incidental) do out[key] = nil end
  return out
end

--- The id of a trial.
-- @tparam table what { kind = "experiment", config } or { kind = "run", params, code }
-- @tparam number seed
-- @treturn string 16 hexadecimal digits
function identity.id(what, seed)
  local whole = { seed = seed }
  for key, value in pairs(what) do whole[key] = value end
  return core.sha256(identity.canonical(whole)):sub(1, 16)
end

-- ---- comparison --------------------------------------------------------------------------------

-- a value in a message
local function shown(value)
  if value == nil then return "absent" end
  local text = json.encode(value)
  return #text <= 80 and text or text:sub(1, 77) .. "..."
end

local function was_is(name, old, new) return ("%s was %s, is %s"):format(name, shown(old), shown(new)) end

local function same(a, b) return json.encode(a) == json.encode(b) end

local function is_object(t) return type(t) == "table" and type((next(t))) == "string" end

-- the names in either of two tables, sorted
local function names_of(a, b)
  local names, seen = {}, {}
  for _, t in ipairs { a, b } do
    for name in pairs(t) do
      if not seen[name] then names[#names + 1], seen[name] = name, true end
    end
  end
  table.sort(names)
  return names
end

-- leaves that differ, as sentences
local function compare(path, old, new, out)
  if not (is_object(old) and is_object(new)) then
    if not same(old, new) then out[#out + 1] = was_is(path, old, new) end
    return
  end
  for _, name in ipairs(names_of(old, new)) do compare(path .. "." .. name, old[name], new[name], out) end
end

local function compare_files(old, new, out)
  old, new = old or {}, new or {}
  for _, path in ipairs(names_of(old, new)) do
    if old[path] == nil or new[path] == nil then
      out[#out + 1] = ("%s is %s"):format(path, new[path] and "new" or "no longer used")
    elseif old[path] ~= new[path] then
      out[#out + 1] = path .. " has changed"
    end
  end
end

-- a function, by what it uses
local function compare_code(old, new, out)
  if (old.files or {}).run == new.files.run then return end
  -- trials of experiments, which look at no functions, begin sooner without it
  local found = require("trpo.sweep.code").changed(old.uses, new.uses)
  if #found == 0 then found[1] = "run" end
  for _, what in ipairs(found) do out[#out + 1] = what .. " has changed" end
end

-- modules that are loaded in one of the two cases only may be those of whoever describes the sweep
local function compare_modules(old, new, out)
  for _, name in ipairs(names_of(old or {}, {})) do
    if new[name] and new[name] ~= old[name] then out[#out + 1] = ("the module %s has changed"):format(name) end
  end
end

-- all that is code
local function compare_sources(old, new, out)
  if old.kind == "run" and new.kind == "run" then
    compare_code(old, new, out)
  else
    compare_files(old.files, new.files, out)
  end
  compare_modules(old.modules, new.modules, out)
end

-- what varies, by path
local function by_path(parameters)
  local out = {}
  for _, parameter in ipairs(parameters) do out[parameter.path] = parameter end
  return out
end

-- the values or the distribution in a message: [0.1, 0.2], {"uniform": [0, 1]}
local function range_of(p)
  if not p.distribution then return p.values end
  return { [p.distribution] = p.values or { p.low, p.high } }
end

local function compare_parameters(old, new, out)
  local a, b = by_path(old), by_path(new)
  for _, path in ipairs(names_of(a, b)) do
    local p, q = a[path], b[path]
    if not p or not q then
      out[#out + 1] = ("parameters.%s is %s"):format((p or q).name, q and "new" or "gone")
    elseif not same(range_of(p), range_of(q)) then
      out[#out + 1] = was_is("parameters." .. q.name, range_of(p), range_of(q))
    end
  end
end

-- everything that differs, as sentences
local function differences(old, new)
  local out = {}
  for _, name in ipairs { "kind", "method", "sampler" } do compare(name, old[name], new[name], out) end
  compare_sources(old, new, out)
  compare_parameters(old.parameters, new.parameters, out)
  for _, name in ipairs { "seeds", "samples", "seed", "halving", "metric" } do
    compare(name, old[name], new[name], out)
  end
  compare("config", old.config, new.config, out)
  -- an array of cells says nothing to a person, but must not go unnoticed
  if #out == 0 and not same(old.cells, new.cells) then out[1] = "its cells have changed" end
  return out
end

-- whether it is code that differs
local function other_code(old, new)
  local found = {}
  compare_sources(old, new, found)
  return #found > 0
end

-- whether all trials of the old description are in the new one
local function keeps_all(old, new)
  local there = {}
  for _, cell in ipairs(new.cells) do
    for _, id in ipairs(cell.ids) do there[id] = true end
  end
  for _, cell in ipairs(old.cells) do
    for _, id in ipairs(cell.ids) do
      if not there[id] then return false end
    end
  end
  return true
end

--- How a description differs from the one in a folder.
-- @tparam table old
-- @tparam table new
-- @treturn string "same"; "extended" when every trial of the old one is in the new one (more values, more seeds, more
--   samples, another metric; not with halving, where all cells compete); "changed"
-- @treturn {string,...} what differs
function identity.compare(old, new)
  local found = differences(old, new)
  if #found == 0 then return "same", found end
  if other_code(old, new) or old.kind ~= new.kind or old.halving or new.halving or not keeps_all(old, new) then
    return "changed", found
  end
  return "extended", found
end

-- what is different about the machine or the module, as warnings
local function warnings_of(old, new)
  local found, out = {}, {}
  compare("system", old.system, new.system, found)
  for i, text in ipairs(found) do out[i] = text .. ": numbers may differ from those of earlier trials" end
  return out
end

-- ---- the folder --------------------------------------------------------------------------------

-- makes the description in a folder this one; nil, message, code when processes are at work on the old one
local function extend(dir, text, found)
  local sweep, message, code = results.read(dir)
  if not sweep then return nil, message, code end
  local running = results.count(sweep).running
  if running > 0 then
    return nil, ("the sweep in %s cannot be extended while %d of its trials are running (%s)"):format(dir, running,
      table.concat(found, "; ")), "running"
  end
  return core.file.write(dir .. "/sweep.json", text)
end

-- whether a folder is that of a run, which a sweep must not move into
local function is_run(dir)
  return disk.exists(dir .. "/progress.csv") or disk.exists(dir .. "/config.json")
end

--- Makes a folder the folder of a sweep, or finds that it is already. Several processes may do so at once.
-- @tparam string dir is made with all above it
-- @tparam table description
-- @treturn boolean|nil true
-- @treturn table|string { state = "new", "same" or "extended", warnings = sentences: that the sweep was extended, that
--   another machine or version began it }; or a message that names what changed
-- @treturn string|nil code: "changed", "running", "exists", "io", "format", "version"
function identity.open(dir, description)
  local text = json.encode(description, { indent = true, order = { "format", "name", "kind", "method" } }) .. "\n"
  local ok, message = disk.make(dir)
  if not ok then return nil, ("cannot make the sweep's folder %s: %s"):format(dir, message), "io" end
  -- the common case needs no writing
  local first = false
  if not disk.exists(dir .. "/sweep.json") then
    if is_run(dir) then
      return nil, ("%s is the folder of a run: choose another name or folder"):format(dir), "exists"
    end
    local why, code
    first, why, code = disk.create(dir .. "/sweep.json", text)
    if not first and code ~= "EEXIST" then return nil, why, "io" end
  end
  if first then
    -- the name that its file has got at last, and that of the folder
    disk.sync(dir)
    disk.sync(dir .. "/..")
    return true, { state = "new", warnings = {} }
  end
  local old, why, code = results.description(dir)
  if not old then return nil, why, code end
  -- numbers and empty lists as they are after reading
  local state, found = identity.compare(old, json.decode(text))
  if state == "changed" then
    local reason = other_code(old, description) and "results of two versions are not mixed: " or ""
    return nil, ("the sweep in %s is another one: %s; %schoose another name, or remove the folder"):format(dir,
      table.concat(found, "; "), reason), "changed"
  end
  local remarks = warnings_of(old, description)
  if state == "extended" then
    ok, message, code = extend(dir, text, found)
    if not ok then return nil, message, code end
    table.insert(remarks, 1, ("the sweep in %s is extended: %s"):format(dir, table.concat(found, "; ")))
  end
  return true, { state = state, warnings = remarks }
end

return identity
