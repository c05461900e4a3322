--- A run becomes what it was.
-- @module trpo.checkpoint.restore
local bare = require("trpo.checkpoint.writer").bare
local options = require "trpo.options"
local part = require("trpo.checkpoint.reader").part

-- ---- what differs -----------------------------------------------------------------------------

-- the value of an option, for messages
local function show(value)
  if type(value) == "table" and next(value) == nil then return "{}" end
  if type(value) == "string" then return ("%q"):format(value) end
  return options.describe(value)
end

local function compare(what, here, there)
  if here ~= there then return ("%s is %s here and %s in the checkpoint"):format(what, show(here), show(there)) end
end

local function same_list(a, b)
  if type(a) ~= "table" or type(b) ~= "table" or #a ~= #b then return false end
  for i, value in ipairs(a) do
    if value ~= b[i] then return false end
  end
  return true
end

-- the first of the options that differs, in the order of their names
local function compare_options(prefix, here, there)
  local names = {}
  for name in pairs(here) do names[#names + 1] = name end
  table.sort(names)
  -- another kind, or optimizer, explains all other differences
  local message = compare(prefix .. "kind", here.kind, there.kind)
    or compare(prefix .. "optimizer", here.optimizer, there.optimizer)
  for _, name in ipairs(names) do
    if message then break end
    if not same_list(here[name], there[name]) then message = compare(prefix .. name, here[name], there[name]) end
  end
  return message
end

local function compare_spaces(name, here, there)
  if here == there then return nil end
  local a, b = tostring(here), tostring(there)
  if a == b then return ("the bounds of the %s space are others here than in the checkpoint"):format(name) end
  return ("the %s space is %s here and %s in the checkpoint"):format(name, a, b)
end

-- one sentence about what keeps a checkpoint from going on in a run, or nil
local function mismatch(saved, run)
  local env, there = run.env, saved.env
  local value = run.value and run.value:options() or { kind = "none" }
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

-- ---- there and back ---------------------------------------------------------------------------

-- what the lanes of an environment written in Lua keep; lanes that never began keep nothing
local function own_states(env, clock)
  if not env.definition or not env.saves then return {} end
  local states = {}
  for lane = 1, env:lanes() do
    local ok, state
    if clock[lane] > 0 then ok, state = pcall(env.own_state, env, lane) end
    states[lane] = ok and { state }
  end
  return states
end

local function present(run)
  local lanes = run.env:lane_states()
  return {
    lanes = lanes, own = own_states(run.env, lanes.clock), policy = run.policy:state(),
    value = run.value and run.value:state(),
  }
end

local function past(saved)
  local lanes = part(saved.tensors, "lanes.")
  -- lanes that were not saved begin new episodes
  if not saved.exact and lanes.ended then lanes.ended = lanes.ended:clone():fill(1) end
  return {
    lanes = lanes, own = saved.states or {}, policy = part(saved.tensors, "policy."),
    value = part(saved.tensors, "value."),
  }
end

local function put(run, state)
  run.policy:set_state(state.policy)
  if run.value then run.value:set_state(state.value) end
  run.env:set_lane_states(state.lanes)
  -- last, because it calls the user
  for lane, own in ipairs(state.own) do
    if own then run.env:set_own_state(lane, own[1]) end
  end
end

--- See `trpo.checkpoint.restore`.
-- @tparam table saved
-- @tparam table run
-- @treturn boolean|nil true
-- @treturn string|nil clause that names the difference
return function(saved, run)
  local message = mismatch(saved, run)
  if message then return nil, message end
  local before = present(run)
  local ok, why = pcall(put, run, past(saved))
  if ok then return true end
  pcall(put, run, before)
  return nil, bare(why)
end
