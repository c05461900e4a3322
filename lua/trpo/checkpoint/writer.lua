--- What goes into a checkpoint.
-- @module trpo.checkpoint.writer
local core = require "trpo.core"
local json = require "trpo.json"
local pack = require "trpo.pack"

local writer = {}

--- The layout of the file that this version writes and reads.
writer.format = 1

--- What the core raised, without the place in our files before it.
-- @param message what pcall returned
-- @treturn string
function writer.bare(message) return (tostring(message):gsub("^[^\n]-:%d+: (%l+:%l)", "%1", 1)) end

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
    tensors[prefix .. count] = tensor
    return prefix .. count
  end
end

-- what a lane of an environment written in Lua keeps, packed, or nil, message
local function own_state(env, lane, store)
  local ok, state = pcall(env.own_state, env, lane)
  if not ok then return nil, writer.bare(state) end
  return pack.encode({ state }, "state", store) -- nothing is a state, too
end

-- what all lanes keep, false for those that never began; nil, message when it cannot be kept
local function own_states(env, clock, tensors)
  local store, states = keeper(tensors, "states."), json.list {}
  for lane = 1, env:lanes() do
    local message
    states[lane] = false
    if clock[lane] > 0 then states[lane], message = own_state(env, lane, store) end
    if message then return nil, ("%s: lane %d cannot be saved: %s"):format(env.id, lane, message) end
  end
  return states
end

-- the lanes into tensors and body; true, or nil, message
local function add_lanes(env, tensors, body)
  local lanes = env:lane_states()
  body.env = { id = pack.encode(env.id), time_limit = env.time_limit, lanes = env:lanes() }
  body.exact = env.saves
  add(tensors, "lanes.", lanes)
  if not env.definition or not env.saves then return true end
  local message
  body.states, message = own_states(env, lanes.clock, tensors)
  return body.states and true, message
end

local function checksums(tensors)
  local sums = {}
  for name, tensor in pairs(tensors) do sums[name] = core.file.checksum(tensor) end
  return sums
end

-- versions and instruction set, without what is of the moment
local function system()
  local info = core.info()
  info.live_bytes, info.allocations = nil, nil
  return info
end

--- Everything of a run.
-- @tparam table run `env`, `policy`, `value`, `describe`
-- @tparam table counters plain data
-- @treturn table|nil tensors by name
-- @treturn table|string what is no tensor, for JSON; or the message
-- @treturn string|nil code
function writer.collect(run, counters)
  local tensors = {}
  local body = {
    config = run.describe and run:describe() or {}, system = system(),
    observation = describe_space(run.policy.observation, "observation", tensors),
    action = describe_space(run.policy.action, "action", tensors),
    policy = run.policy:options(), value = run.value and run.value:options() or false,
  }
  local ok, message = add_lanes(run.env, tensors, body)
  if not ok then return nil, message, "environment" end
  add(tensors, "policy.", run.policy:state())
  if run.value then add(tensors, "value.", run.value:state()) end
  body.counters, message = pack.encode(counters, "counters", keeper(tensors, "counters."))
  if message then return nil, "a checkpoint cannot be written: " .. message, "error" end
  body.checksums = checksums(tensors)
  return tensors, body
end

return writer
