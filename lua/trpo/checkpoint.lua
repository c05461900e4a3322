--- Checkpoints: everything a run needs to go on as if nothing had been in between, in one safetensors file.
--
-- The tensors are those of the policy (`policy.theta`, …), of the critic (`value.…`), of the lanes (`lanes.…`) and the
-- bounds of the spaces. What is no tensor is JSON in the metadata under "trpo"; "format" is the version of this
-- layout, and "checksum" belongs to the JSON, which holds those of the tensors. Loading runs no code, and a file is
-- never half written.
-- @module trpo.checkpoint
local blame = require "trpo.blame"
local core = require "trpo.core"
local disk = require "trpo.disk"
local json = require "trpo.json"
local options = require "trpo.options"
local reader = require "trpo.checkpoint.reader"
local restore = require "trpo.checkpoint.restore"
local rock = require "trpo.rocks"
local writer = require "trpo.checkpoint.writer"

local checkpoint = {}

local NAME = "iteration-%08d.safetensors"
local PATTERN = "^iteration%-(%d+)%.safetensors$"

local function check_path(what, path)
  if type(path) ~= "string" or path == "" then
    blame(("%s: path must be a string that is not empty, got %s"):format(what, options.describe(path)))
  end
end

--- Writes a checkpoint, whole or not at all: temporary name, sync, rename, sync of the folder. It changes no numbers.
-- @tparam string path
-- @tparam table run `env`, `policy`, `value` (or nil) and, for the configuration, `describe`
-- @tparam[opt] table counters anything of numbers, strings, booleans, tensors and tables of them; reads back exactly
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil "io", "no_file" (no such folder), "no_memory", "environment" (an environment written in Lua
--   saves what cannot be kept), "error" (the counters hold such)
function checkpoint.save(path, run, counters)
  check_path("checkpoint.save", path)
  local tensors, body, code = writer.collect(run, counters or {})
  if not tensors then return nil, body, code end
  local text = json.encode(body)
  local metadata = { format = tostring(writer.format), trpo = text, checksum = core.file.checksum(text) }
  return core.safetensors.write(path, tensors, { metadata = metadata })
end

--- Reads a checkpoint. Nothing in the file is trusted, and nothing in it is run.
-- @tparam string path
-- @treturn table|nil `path`; `config` (what `describe` of the run returned); `counters`; `system` (`trpo.info` of the
--   process that wrote it); `exact` (false: an environment written in Lua could not save its lanes); `observation`,
--   `action` (spaces); `policy`, `value` (their options; value is false when there was no critic);
--   `env` { id, time_limit, lanes }; `tensors` by name
-- @treturn string|nil one sentence
-- @treturn string|nil "no_file", "io", "format" (no checkpoint, or a damaged one), "version" (a newer one),
--   "too_large", "no_memory"
function checkpoint.load(path)
  check_path("checkpoint.load", path)
  local tensors, notes, code = core.safetensors.read(path)
  if not tensors then return nil, notes, code end
  local saved, message
  saved, message, code = reader.guard(path, reader.interpret, tensors, notes)
  if not saved then return nil, message, code end
  saved.path = path
  return saved
end

--- Makes a run what it was when a checkpoint was written. When the environment could not save its lanes (`exact` is
-- false), they begin new episodes.
-- @tparam table saved what `load` returned
-- @tparam table run `env`, `policy`, `value` (or nil), made with the same options; on failure all of it is as it was
-- @treturn boolean|nil true
-- @treturn string|nil one sentence that names the difference
-- @treturn string|nil "mismatch"
function checkpoint.restore(saved, run)
  local ok, message = restore(saved, run)
  if ok then return true end
  return nil, ("cannot go on from '%s': %s"):format(saved.path, message), "mismatch"
end

-- ---- a policy alone ---------------------------------------------------------------------------

-- number of parameters of a network with such options, or nil
local function count_parameters(saved)
  local hidden, action = saved.policy.hidden, saved.action
  if type(hidden) ~= "table" then return nil end
  local count, width = action.kind == "box" and action.size or 0, saved.observation.features
  for i = 1, #hidden + 1 do
    local out = i > #hidden and action.features or hidden[i]
    if type(out) ~= "number" then return nil end
    count, width = count + (width + 1) * out, out
  end
  return count
end

local function make_policy(saved)
  local o, state = saved.policy, reader.part(saved.tensors, "policy.")
  -- nothing is made before its parameters are there: a size in a file takes no memory
  if not state.theta or count_parameters(saved) ~= state.theta:nelement() then
    reader.refuse "the number of its parameters is not that of its policy"
  end
  local ok, made = pcall(core.policy, {
    observation = saved.observation, action = saved.action, hidden = o.hidden, activation = o.activation,
    precision = o.precision, normalize_observations = o.normalize_observations, rng = core.rng(0),
  })
  if ok then ok, made = pcall(made.set_state, made, state) end
  return ok and made or reader.refuse("its policy is wrong: " .. writer.bare(made))
end

local function is_folder(path)
  local stat = rock("luv", "trpo.load_policy").fs_stat(path)
  return stat ~= nil and stat.type == "directory"
end

--- The policy of a checkpoint, without its environment. Also `trpo.load_policy`.
-- @tparam string path a checkpoint, or the folder of a run: its latest one
-- @treturn Policy|nil
-- @treturn string|nil one sentence
-- @treturn string|nil code as of `load`
function checkpoint.policy(path)
  check_path("trpo.load_policy", path)
  local file = path
  if is_folder(path) then file = checkpoint.latest(path .. "/checkpoints") or checkpoint.latest(path) end
  if not file then return nil, ("there is no checkpoint in '%s'"):format(path), "no_file" end
  local saved, message, code = checkpoint.load(file)
  if not saved then return nil, message, code end
  return reader.guard(file, make_policy, saved)
end

-- ---- folders of checkpoints -------------------------------------------------------------------

--- The file name of an iteration's checkpoint.
-- @tparam integer iteration
-- @treturn string
function checkpoint.name(iteration) return NAME:format(iteration) end

--- The checkpoints of iterations in a folder, the newest first.
-- @tparam string folder
-- @treturn {string,...}|nil paths; none when there is no such folder
-- @treturn string|nil one sentence
-- @treturn string|nil "io"
function checkpoint.list(folder)
  check_path("checkpoint.list", folder)
  local names, message = disk.names(folder)
  if not names and disk.exists(folder) then return nil, ("cannot read the checkpoints: %s"):format(message), "io" end
  local found = {}
  for _, name in ipairs(names or {}) do
    local digits = name:match(PATTERN)
    if digits then found[#found + 1] = { path = folder .. "/" .. name, iteration = tonumber(digits) } end
  end
  -- by number: there may be more digits than eight
  table.sort(found, function(a, b) return a.iteration > b.iteration end)
  for i, entry in ipairs(found) do found[i] = entry.path end
  return found
end

--- The newest checkpoint in a folder, by the iteration in its name.
-- @tparam string folder
-- @treturn string|nil its path; nil when there is none
function checkpoint.latest(folder)
  check_path("checkpoint.latest", folder)
  return (checkpoint.list(folder) or {})[1]
end

--- The newest of some checkpoints that can be read.
-- @tparam {string,...} paths the newest first
-- @treturn table|nil what `load` returned
-- @treturn {table,...}|string the damaged ones that are newer, { path, message }; or one sentence
-- @treturn string|nil code
function checkpoint.newest(paths)
  local damaged = {}
  for _, path in ipairs(paths) do
    local saved, message, code = checkpoint.load(path)
    if saved then return saved, damaged end
    -- a file of a newer version, or one that may not be read, is not damaged
    if code ~= "format" and code ~= "too_large" then return nil, message, code end
    damaged[#damaged + 1] = { path = path, message = message }
  end
  return nil, ("none of the checkpoints can be read: %s"):format(damaged[1].message), "format"
end

--- Removes all but the newest checkpoints of a folder. Files of other names, such as `best.safetensors`, stay.
-- @tparam string folder
-- @tparam integer keep how many stay
function checkpoint.prune(folder, keep)
  check_path("checkpoint.prune", folder)
  for i, path in ipairs(checkpoint.list(folder) or {}) do
    if i > keep then disk.remove(path) end
  end
end

return checkpoint
