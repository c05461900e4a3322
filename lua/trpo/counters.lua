--- What a run counts, from its beginning over all its sittings: plain data, which every checkpoint holds.
-- @module trpo.counters
local core = require "trpo.core"

local counters = {}

--- rollout/ep_rew_mean looks back on so many episodes, as Stable-Baselines3 does.
counters.window = 100

--- The numbers of a record that say how far the run is; nobody else changes them.
counters.of_record = { "time/iterations", "time/total_timesteps", "time/time_elapsed", "time/fps" }

--- The counters of a run that begins.
-- @treturn table `iterations`, `steps`, `episodes`; `returns` and `lengths` of the last episodes, in rings; `elapsed`
--   seconds of training; `sessions` (sittings); `started` (seconds since 1970); `exact` (whether all numbers are those
--   of a run that never stopped); `memory` of the callbacks. Later `sources` (see `trpo.sources`), `best` { reward,
--   iteration, steps }, the last `record`, `evaluated` (episodes of the last evaluation), `positions` in the log
--   and the names that came `later` than its heading, `status` and `reason` of an end; `pending`, the record of an
--   iteration whose evaluation was interrupted, and then `stopped` when on_iteration has ended training with it
function counters.fresh()
  return { iterations = 0, steps = 0, episodes = 0, returns = {}, lengths = {}, elapsed = 0, sessions = 1,
    started = os.time(), exact = true, memory = {} }
end

local numbers = { "iterations", "steps", "episodes", "elapsed", "sessions", "started" }

local function is_amount(x) return type(x) == "number" and x >= 0 and x < 2 ^ 53 end

local function are_numbers(list, n)
  if type(list) ~= "table" or #list ~= n then return false end
  for i = 1, n do
    if type(list[i]) ~= "number" then return false end
  end
  return true
end

-- the numbers of an iteration, or none yet
local function is_record(row)
  if row == nil then return true end
  if type(row) ~= "table" then return false end
  for _, name in ipairs(counters.of_record) do
    if type(row[name]) ~= "number" then return false end
  end
  return true
end

local function are_names(list)
  if list == nil then return true end
  if type(list) ~= "table" then return false end
  for _, name in ipairs(list) do
    if type(name) ~= "string" or not core.log.is_name(name) then return false end
  end
  return true
end

local function is_best(best)
  return best == nil or type(best) == "table" and type(best.reward) == "number" and is_amount(best.iteration)
end

local function are_sources(it) return it == nil or type(it) == "table" and type(it.modules) == "table" end

--- Whether something is what a run has counted: checkpoints may come from elsewhere.
-- @param it
-- @treturn boolean
function counters.are(it)
  if type(it) ~= "table" then return false end
  for _, name in ipairs(numbers) do
    if not is_amount(it[name]) then return false end
  end
  local kept = math.min(it.episodes, counters.window)
  return are_numbers(it.returns, kept) and are_numbers(it.lengths, kept) and type(it.positions) == "table"
    and is_record(it.record) and is_record(it.pending) and is_best(it.best)
    and (it.evaluated == nil or is_amount(it.evaluated))
    and are_sources(it.sources) and are_names(it.later)
end

return counters
