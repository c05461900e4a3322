--- Checkpoints: everything a run needs to go on as if nothing had been in between, in one safetensors file.
--
-- The tensors are those of the policy (`policy.theta`, …), of the critic (`value.…`), of the lanes (`lanes.…`) and of the
-- bounds of the spaces. What is no tensor is JSON in the metadata under "trpo"; "format" is the version of this layout,
-- and "checksum" belongs to the JSON, which holds those of the tensors. Loading runs no code, and a file is never half
-- written.
-- @module trpo.checkpoint
local core = require "trpo.core"
local json = require "trpo.json"
local pack = require "trpo.pack"
local rock = require "trpo.rocks"

local checkpoint = {}

-- what this version writes and reads
local FORMAT = 1

local NAME = "iteration-%08d.safetensors"
local PATTERN = "^iteration%-(%d+)%.safetensors$"

-- ---- what a run is made of --------------------------------------------------------------------

local function describe_space(space, name, tensors)
  if space.kind == "discrete" then return { kind = "discrete", n = space.n } end
  tensors[name .. ".low"], tensors[name .. ".high"] = space.low, space.high
  return { kind = "box", size = space.size }
end

local function add(tensors, prefix, state)
  for name, tensor in pairs(state) do tensors[prefix .. name] = tensor end
end

-- keeps tensors of packed data under names that count up
local function keeper(tensors, prefix)
  local count = 0
  return function(tensor)
    count = count + 1
    local name = prefix .. count
    tensors[name] = tensor
    return name
  end
end

-- without the place in our files that messages of the core begin with
local function bare(message) return (tostring(message):gsub("^[^\n]-:%d+: (%l+:)", "%1", 1)) end

-- What the lanes of an environment written in Lua keep, packed; false for a lane that never began. nil, message when
-- it cannot be kept.
local function own_states(env, clock, tensors)
  local store, states = keeper(tensors, "states."), json.list {}
  for lane = 1, env:lanes() do
    states[lane] = false
    if clock[lane] > 0 then
      local ok, state = pcall(env.own_state, env, lane)
      local message = not ok and bare(state)
      -- nothing is a state, too
      if ok then state, message = pack.encode({ state }, "state", store) end
      if message then return nil, ("%s: lane %d cannot be saved: %s"):format(env.id, lane, message) end
      states[lane] = state
    end
  end
  return states
end

-- the lanes; whether they go on exactly, or nil, message
local function add_lanes(env, tensors, body)
  local lanes = env:lane_states()
  body.env = { id = env.id, time_limit = env.time_limit, lanes = env:lanes() }
  body.exact = env.saves
  add(tensors, "lanes.", lanes)
  if not env.definition or not env.saves then return true end
  local states, message = own_states(env, lanes.clock, tensors)
  body.states = states
  return states ~= nil, message
end

local function checksums(tensors)
  local sums = {}
  for name, tensor in pairs(tensors) do sums[name] = core.checksum(tensor) end
  return sums
end

-- tensors and the rest of a checkpoint, or nil, message, code
local function collect(run, counters)
  local tensors = {}
  local body = {
    config = run.describe and run:describe() or {}, system = core.info(),
    observation = describe_space(run.policy.observation, "observation", tensors),
    action = describe_space(run.policy.action, "action", tensors),
    policy = run.policy:options(), value = run.value and run.value:options() or false,
  }
  -- these two are of the moment, not of the machine
  body.system.live_bytes, body.system.allocations = nil, nil
  local ok, message = add_lanes(run.env, tensors, body)
  if not ok then return nil, message, "environment" end
  add(tensors, "policy.", run.policy:state())
  if run.value then add(tensors, "value.", run.value:state()) end
  body.counters, message = pack.encode(counters or {}, "counters", keeper(tensors, "counters."))
  if message then return nil, "a checkpoint cannot be written: " .. message, "error" end
  body.checksums = checksums(tensors)
  return tensors, body
end

--- Writes a checkpoint, whole or not at all: temporary name, sync, rename, sync of the folder. It changes no numbers.
-- @tparam string path
-- @tparam table run `env`, `policy`, `value` (or nil) and, for the configuration, `describe`
-- @tparam[opt] table counters anything of numbers, strings, booleans, tensors and tables of them; reads back exactly
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil "io", "no_file" (no such folder), "no_memory", "environment" (an environment written in Lua saves what
--   cannot be kept), "error" (counters hold such)
function checkpoint.save(path, run, counters)
  local tensors, body, code = collect(run, counters)
  if not tensors then return nil, body, code end
  local text = json.encode(body)
  local ok, message
  ok, message, code = core.safetensors.write(path, tensors,
    { metadata = { format = tostring(FORMAT), trpo = text, checksum = core.checksum(text) } })
  if ok then return true end
  return nil, message, code
end

-- ---- reading ----------------------------------------------------------------------------------

local function refuse(message, code) error({ message = message, code = code or "format" }, 0) end

-- the field of a table, which must be of a type
local function field(t, name, kind)
  local value = t[name]
  if type(value) ~= kind then refuse(("its '%s' is %s"):format(name, value == nil and "missing" or "of a wrong type")) end
  return value
end

local function read_space(body, name, tensors)
  local described = field(body, name, "table")
  if described.kind == "discrete" then
    local ok, space = pcall(core.space_discrete, described.n)
    return ok and space or refuse(("its space '%s' is wrong"):format(name))
  end
  local low, high = tensors[name .. ".low"], tensors[name .. ".high"]
  if not low or not high or low:dim() ~= 1 or high:dim() ~= 1 then
    refuse(("its space '%s' is incomplete"):format(name))
  end
  local ok, space = pcall(core.space_box, low:nelement(), low:totable(), high:totable())
  return ok and space or refuse(("its space '%s' is wrong"):format(name))
end

-- the JSON of the metadata, once the version and the checksum are right
local function read_body(notes)
  local version = notes.format and notes.format:match "^%d+$"
  if not version or not notes.trpo or not notes.checksum then refuse "it is not a checkpoint of trpo" end
  if tonumber(version) > FORMAT then
    refuse(("it is of format %s, this version of trpo reads format %d: a newer version wrote it"):format(version, FORMAT),
      "version")
  end
  if core.checksum(notes.trpo) ~= notes.checksum then refuse "it is damaged: its metadata have another checksum" end
  if tonumber(version) ~= FORMAT then refuse(("its format %s is unknown"):format(version)) end
  local body, message = json.decode(notes.trpo)
  if message or type(body) ~= "table" then refuse("its metadata are " .. (message or "no object")) end
  return body
end

local function check_sums(tensors, sums)
  for name, tensor in pairs(tensors) do
    if core.checksum(tensor) ~= sums[name] then refuse(("it is damaged: '%s' has another checksum"):format(name)) end
  end
  for name in pairs(sums) do
    if not tensors[name] then refuse(("its tensor '%s' is missing"):format(tostring(name))) end
  end
end

local function unpack_part(tree, tensors)
  local value, message = pack.decode(tree, tensors)
  if message then refuse(message) end
  return value
end

-- what the lanes kept, false for lanes that never began
local function read_states(body, tensors)
  if body.states == nil then return nil end
  local states = {}
  for lane, packed in ipairs(field(body, "states", "table")) do
    states[lane] = packed and unpack_part(packed, tensors)
    if packed and type(states[lane]) ~= "table" then refuse "its 'states' are wrong" end
  end
  return states
end

local function interpret(path, tensors, notes)
  local body = read_body(notes)
  check_sums(tensors, field(body, "checksums", "table"))
  local env = field(body, "env", "table")
  field(env, "id", "string")
  field(env, "time_limit", "number")
  field(env, "lanes", "number")
  local counters = unpack_part(body.counters, tensors)
  if type(counters) ~= "table" then refuse "its 'counters' are of a wrong type" end
  return {
    path = path, tensors = tensors, config = field(body, "config", "table"), system = field(body, "system", "table"),
    exact = field(body, "exact", "boolean"), counters = counters, env = env, states = read_states(body, tensors),
    observation = read_space(body, "observation", tensors), action = read_space(body, "action", tensors),
    policy = field(body, "policy", "table"), value = body.value and field(body, "value", "table") or false,
  }
end

--- Reads a checkpoint. Nothing in the file is trusted, and nothing in it is run.
-- @tparam string path
-- @treturn table|nil `path`; `config` (what `describe` of the run returned); `counters`; `system` (`trpo.info` of the
--   process that wrote it); `exact` (false: an environment written in Lua could not save its lanes); `observation`, `action`
--   (spaces); `policy`, `value` (their options; value is false when there was no critic); `env` { id, time_limit, lanes };
--   `tensors` by name
-- @treturn string|nil one sentence
-- @treturn string|nil "no_file", "io", "format" (no checkpoint, or a damaged one), "version" (a newer one), "too_large",
--   "no_memory"
function checkpoint.load(path)
  local tensors, notes, code = core.safetensors.read(path)
  if not tensors then return nil, notes, code end
  local ok, saved = pcall(interpret, path, tensors, notes)
  if ok then return saved end
  if type(saved) ~= "table" or not saved.message then error(saved, 0) end
  return nil, ("cannot read '%s': %s"):format(path, saved.message), saved.code
end

-- ---- restoring --------------------------------------------------------------------------------

local function show(value)
  if type(value) == "table" then return "{" .. table.concat(value, ", ") .. "}" end
  if type(value) == "string" then return '"' .. value .. '"' end
  return tostring(value)
end

local function differ(what, here, there)
  return ("%s is %s here and %s in the checkpoint"):format(what, show(here), show(there))
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

-- the first of the options that differs, in the order of their names
local function compare_options(prefix, here, there)
  local names = {}
  for name in pairs(here) do names[#names + 1] = name end
  table.sort(names)
  -- another kind explains all other differences
  if here.kind ~= there.kind then return differ(prefix .. "kind", here.kind, there.kind) end
  for _, name in ipairs(names) do
    if not same(here[name], there[name]) then return differ(prefix .. name, here[name], there[name]) end
  end
end

local function compare_spaces(name, here, there)
  if here == there then return nil end
  local a, b = tostring(here), tostring(there)
  if a == b then a, b = a .. " of certain bounds", b .. " of others" end
  return ("the %s space is %s here and %s in the checkpoint"):format(name, a, b)
end

-- one sentence about what keeps a checkpoint from going on in a run, or nil
local function mismatch(saved, run)
  local env, there = run.env, saved.env
  local value = run.value and run.value:options() or { kind = "none" }
  local function compare(what, a, b) return a ~= b and differ(what, a, b) or nil end
  return compare("the environment", env.id, there.id)
    or compare_spaces("observation", run.policy.observation, saved.observation)
    or compare_spaces("action", run.policy.action, saved.action)
    or compare("env.time_limit", env.time_limit, there.time_limit)
    or compare("lanes", env:lanes(), there.lanes)
    or compare_options("policy.", run.policy:options(), saved.policy)
    or compare_options("value.", value, saved.value or { kind = "none" })
    or saved.states and not (env.definition and env.saves)
      and ("%s has no save and restore here; it had them when the checkpoint was written"):format(env.id)
    or nil
end

-- the tensors whose names begin with a prefix, without it
local function part(tensors, prefix)
  local out = {}
  for name, tensor in pairs(tensors) do
    if name:sub(1, #prefix) == prefix then out[name:sub(#prefix + 1)] = tensor end
  end
  return out
end

-- a state of a run: lanes, what Lua lanes keep, policy, critic
local function put(run, state)
  run.env:set_lane_states(state.lanes)
  for lane, own in pairs(state.own or {}) do
    if own then run.env:set_own_state(lane, own[1]) end
  end
  run.policy:set_state(state.policy)
  if run.value then run.value:set_state(state.value) end
end

-- the state that a run has now; lanes that never began need none of their own
local function state_of(run)
  local env, own = run.env, nil
  local lanes = env:lane_states()
  if env.definition and env.saves then
    own = {}
    for lane = 1, env:lanes() do
      local ok, state = pcall(env.own_state, env, lane)
      own[lane] = ok and lanes.clock[lane] > 0 and { state }
    end
  end
  return { lanes = lanes, own = own, policy = run.policy:state(), value = run.value and run.value:state() }
end

local function saved_state(saved)
  local lanes = part(saved.tensors, "lanes.")
  -- lanes that were not saved begin new episodes
  if not saved.exact and lanes.ended then lanes.ended = lanes.ended:clone():fill(1) end
  return {
    lanes = lanes, own = saved.states, policy = part(saved.tensors, "policy."),
    value = saved.value and part(saved.tensors, "value."),
  }
end

--- Makes a run what it was when a checkpoint was written. When the environment could not save its lanes (`exact` is
-- false), they begin new episodes.
-- @tparam table saved what `load` returned
-- @tparam table run `env`, `policy`, `value` (or nil), made with the same options; on failure all of it is as it was
-- @treturn boolean|nil true
-- @treturn string|nil one sentence that names the difference
-- @treturn string|nil "mismatch"
function checkpoint.restore(saved, run)
  local message = mismatch(saved, run)
  if not message then
    local before = state_of(run)
    local ok, why = pcall(put, run, saved_state(saved))
    if ok then return true end
    message = bare(why)
    pcall(put, run, before)
  end
  return nil, ("cannot go on from '%s': %s"):format(saved.path, message), "mismatch"
end

-- ---- a policy alone ---------------------------------------------------------------------------

-- number of parameters that a network with these options has; nil when they are none
local function parameters(saved)
  local hidden, action = saved.policy.hidden, saved.action
  if type(hidden) ~= "table" then return nil end
  local count, width = 0, saved.observation.features
  for i = 1, #hidden + 1 do
    local out = i > #hidden and action.features or hidden[i]
    if type(out) ~= "number" then return nil end
    count, width = count + (width + 1) * out, out
  end
  return count + (action.kind == "box" and action.size or 0)
end

local function make_policy(saved)
  local o, state = saved.policy, part(saved.tensors, "policy.")
  -- a policy is made only when its parameters are there: sizes in a file cost nothing
  if not state.theta or parameters(saved) ~= state.theta:nelement() then
    refuse "the number of its parameters is not that of its policy"
  end
  local ok, made = pcall(core.policy, {
    observation = saved.observation, action = saved.action, hidden = o.hidden, activation = o.activation,
    precision = o.precision, normalize_observations = o.normalize_observations, rng = core.rng(0),
  })
  if ok then ok, made = pcall(made.set_state, made, state) end
  return ok and made or refuse("its policy is wrong: " .. bare(made))
end

local function is_folder(path)
  local stat = rock("luv", "trpo.load_policy").fs_stat(path)
  return stat ~= nil and stat.type == "directory"
end

-- the latest checkpoint of a run's folder, or of its folder of checkpoints
local function latest_of(path)
  local found = checkpoint.latest(path .. "/checkpoints") or checkpoint.latest(path)
  if found then return found end
  return nil, ("there is no checkpoint in '%s'"):format(path), "no_file"
end

--- The policy of a checkpoint, without its environment.
-- @tparam string path a checkpoint, or the folder of a run: its latest one
-- @treturn Policy|nil
-- @treturn string|nil one sentence
-- @treturn string|nil code as of `load`
function checkpoint.policy(path)
  local message, code
  if type(path) == "string" and is_folder(path) then
    path, message, code = latest_of(path)
    if not path then return nil, message, code end
  end
  local saved
  saved, message, code = checkpoint.load(path)
  if not saved then return nil, message, code end
  local ok, policy = pcall(make_policy, saved)
  if ok then return policy end
  if type(policy) ~= "table" or not policy.message then error(policy, 0) end
  return nil, ("cannot read '%s': %s"):format(path, policy.message), policy.code
end

-- ---- folders of checkpoints -------------------------------------------------------------------

--- The file name of an iteration's checkpoint.
-- @tparam integer iteration
-- @treturn string
function checkpoint.name(iteration) return NAME:format(iteration) end

-- names in a folder; the scan is read to its end, or it would keep its memory
local function names(uv, path)
  local scan = uv.fs_scandir(path)
  local list = {}
  for name in function() return scan and uv.fs_scandir_next(scan) end do list[#list + 1] = name end
  return list
end

-- the iterations whose checkpoints are in a folder, the newest first
local function iterations(uv, path)
  local list = {}
  for _, name in ipairs(names(uv, path)) do
    local digits = name:match(PATTERN)
    if digits then list[#list + 1] = { name = name, iteration = tonumber(digits) } end
  end
  table.sort(list, function(a, b) return a.iteration > b.iteration end)
  return list
end

--- The newest checkpoint in a folder, by the iteration in its name.
-- @tparam string folder
-- @treturn string|nil its path; nil when there is none
function checkpoint.latest(folder)
  local newest = iterations(rock("luv", "checkpoints"), folder)[1]
  return newest and folder .. "/" .. newest.name or nil
end

--- Removes all but the newest checkpoints of a folder, and what writers that were killed left unfinished.
-- `best.safetensors` stays.
-- @tparam string folder
-- @tparam integer keep how many stay
function checkpoint.prune(folder, keep)
  local uv = rock("luv", "checkpoints")
  for i, entry in ipairs(iterations(uv, folder)) do
    if i > keep then uv.fs_unlink(folder .. "/" .. entry.name) end
  end
  for _, name in ipairs(names(uv, folder)) do
    if name:match "%.safetensors%.%d+%-%d+%.tmp$" then uv.fs_unlink(folder .. "/" .. name) end
  end
end

return checkpoint
