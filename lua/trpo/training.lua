--- The training loop: Lua decides what comes next, C computes it.
--
--    collect → gae → update → fit the critic → update the normaliser → evaluate → ask → log → checkpoint
-- @module trpo.training
local counters_of = require "trpo.counters"
local options = require "trpo.options"
local record = require "trpo.record"
local session = require "trpo.session"
local trpo = require "trpo"

local training = {}

-- Updates after which going on makes no sense. Negative curvature is not among them: the policy is as it was, and the
-- next batch gives another Fisher matrix.
local fatal = { not_finite = true, no_memory = true }

-- one iteration of learning: its record and its batch, or nil, message, code
local function iterate(s)
  local run, algorithm, counters = s.run, s.run.algorithm, s.counters
  local policy, value = run.policy, run.value
  local batch, message, code = trpo.collect(run.env, policy, s.sampling)
  if not batch then return nil, message, code end
  s.sampling.batch = batch -- its memory is used again
  trpo.gae(batch, {
    gamma = algorithm.gamma, lambda = algorithm.lambda, value = value,
  })
  local info, fit
  info, fit, message, code = algorithm:update(policy, batch, value)
  if fatal[info.status] then return nil, "policy update: " .. info.message, info.status end
  -- another algorithm than ours may leave the critic to us
  if value and not fit and not message then fit, message, code = value:fit(batch) end
  if value and not fit then return nil, message, code end
  local drift = policy:update_normalizer(batch)
  -- only a whole iteration counts
  counters.iterations, counters.steps = counters.iterations + 1, counters.steps + #batch
  counters.elapsed = s.session:elapsed()
  record.remember(counters, batch)
  return record.of(counters, policy, batch, info, fit, drift), batch
end

-- what stops a run from outside
local function outside(s)
  if trpo.signals.caught() then return "interrupted" end
  return s.max_seconds and s.session:lasted() >= s.max_seconds and "paused" or nil
end

-- The numbers of an evaluation, added to a record; or nil, message, code, which is "interrupted" when it has to wait
-- for another sitting. There it comes first, whatever the time, so that each sitting gets on.
local function evaluate(s, row)
  local evaluation = s.run.config.evaluation
  if evaluation.episodes == 0 or row["eval/mean_reward"] then return row end
  if outside(s) and s.session.folder and not s.overdue then return nil, "it is time to stop", "interrupted" end
  if s.view.evaluating then s.view.evaluating(row) end
  local result, message, code = s.run:evaluate { interruptible = true }
  if not result then return nil, message, code end
  row["eval/mean_reward"] = result.mean_reward
  row["eval/std_reward"] = result.std_reward
  row["eval/mean_ep_length"] = result.mean_ep_length
  s.counters.evaluated = result.episodes
  return row
end

-- what was raised as a text, which it need not be, and where
local function traceback(raised) return debug.traceback(tostring(raised), 2) end

-- calls a function of the user's: true and its answer, or nil, message, code
local function call(s, name, argument)
  local ok, answer = xpcall(s[name], traceback, argument, s.run)
  if ok then return true, answer end
  return nil, name .. ": " .. answer, "callback"
end

-- episodes that ended in a batch go to the log and to the user
local function tell_episodes(s, batch)
  local returns, lengths, counters = batch.episode_returns, batch.episode_lengths, s.counters
  local n = returns:nelement()
  if n == 0 then return true end
  local ok, message, code = s.session.log:episodes(returns, lengths, counters.elapsed)
  if not ok then return nil, message, code end
  if not s.on_episode then return true end
  for i = 1, n do
    local episode = { reward = returns[i], length = lengths[i], index = counters.episodes - n + i }
    ok, message, code = call(s, "on_episode", episode)
    if not ok then return nil, message, code end
  end
  return true
end

local function reached_threshold(s, row)
  local threshold, reward = s.run.config.evaluation.reward_threshold, row["eval/mean_reward"]
  return threshold and reward and reward >= threshold
end

-- why training ends with this iteration, if it does, and a further reason; an evaluation that is due comes first
local function judge(s, row)
  local counters, every = s.counters, s.run.config.evaluation.every
  local complete = counters.steps >= s.run.config.steps
  if complete or every > 0 and counters.iterations % every == 0 then
    local evaluated, message, code = evaluate(s, row)
    if not evaluated then return nil, message, code end
  end
  if reached_threshold(s, row) then return "done", "reward_threshold" end
  return complete and "done" or false
end

-- what is wrong with an answer of on_iteration, or with what it has done to its record; `kept` is how far the run is
local function misuse(answer, row, kept)
  if answer and answer ~= "stop" then
    return ("on_iteration: it must return 'stop' to end training, or nothing, got %s"):format(options.describe(answer))
  end
  for name, value in pairs(kept) do
    if row[name] ~= value then return ("on_iteration: record['%s'] must stay as it is"):format(name) end
  end
end

-- the user's last word: true, or false to stop; nil, message, code. It may have been said before an interruption.
local function ask(s, row)
  if s.counters.stopped then return false end
  if not s.on_iteration then return true end
  local kept = {}
  for _, name in ipairs(counters_of.of_record) do kept[name] = row[name] end
  local ok, answer, code = call(s, "on_iteration", row)
  if not ok then return nil, answer, code end
  local wrong = misuse(answer, row, kept)
  if wrong then return nil, wrong, "callback" end
  return answer ~= "stop"
end

-- how it stands after an iteration: `s.counters.status` is set when it is over
local function conclude(s, row)
  local status, reason, code = judge(s, row)
  if status == nil then return nil, reason, code end
  local going, message
  going, message, code = ask(s, row)
  if going == nil then return nil, message, code end
  if not going and not status then
    status, reason, s.counters.stopped = "stopped", "on_iteration", true
    local evaluated
    evaluated, message, code = evaluate(s, row)
    if not evaluated then return nil, message, code end
  end
  s.counters.status, s.counters.reason = status or outside(s), reason
  return true
end

-- What follows from an iteration that is learnt. A signal may come while the policy is evaluated, which may never end
-- by itself, or time may be over before: then the checkpoint holds what is learnt, and the rest is done when the run
-- goes on.
local function settle(s, row)
  local counters = s.counters
  local ok, message, code = conclude(s, row)
  if code == "interrupted" then
    counters.status, counters.pending = outside(s), row
    return s.session:keep(row, true)
  end
  if ok then ok, message, code = s.session.log:record(row) end
  -- what is wrong with a record, the user has put there
  if code == "record" then message, code = "on_iteration: " .. message, "callback" end
  if not ok then return nil, message, code end
  counters.record, counters.pending, counters.stopped = row, nil, nil
  -- a signal may have come in the meantime
  counters.status = counters.status or outside(s)
  return s.session:keep(row, counters.status ~= nil)
end

-- one whole iteration with all that follows from it
local function turn(s)
  local row, batch, code = iterate(s)
  if not row then return nil, batch, code end
  s.session:heed()
  local ok, message
  ok, message, code = tell_episodes(s, batch)
  if not ok then return nil, message, code end
  return settle(s, row)
end

-- Whether a run that is taken up again is over already: nothing is left to do for it, or its callback has stopped it
-- and it was not given more steps.
local function is_over(s)
  local counters, config = s.counters, s.run.config
  local row = counters.record
  if counters.steps >= config.steps then return "done" end
  if row and reached_threshold(s, row) then return "done", "reward_threshold" end
  if counters.status == "stopped" and config.steps <= s.session.saved.config.steps then
    return "stopped", counters.reason
  end
end

-- looks at a run that is taken up again before anything is written
local function look(s)
  local counters = s.counters
  if counters.pending then
    counters.status, counters.reason = nil, nil
  else
    counters.status, counters.reason = is_over(s)
  end
  s.session.idle = counters.status ~= nil or nil
end

-- takes up a run where its checkpoint left it
local function go_on(s)
  local counters = s.counters
  if s.view.resumed then s.view.resumed(s.session) end
  if counters.pending then return settle(s, counters.pending) end
  if not s.session.idle or not counters.record then return true end
  -- it may have ended before it was judged
  local row, message, code = evaluate(s, counters.record)
  if code == "interrupted" then
    counters.status, s.session.idle = "interrupted", nil
    return true
  end
  if not row then return nil, message, code end
  return s.session:show_again(row)
end

local function loop(s)
  local sitting = s.session
  local ok, message, code = sitting:restore()
  s.counters = sitting.counters
  if not ok then return nil, message, code end
  if sitting.saved then look(s) end
  ok, message, code = sitting:open()
  if ok and sitting.saved then
    s.overdue = true
    ok, message, code = go_on(s)
    s.overdue = nil
  end
  while ok and not s.counters.status do ok, message, code = turn(s) end
  return ok, message, code
end

--- The code of a failure that was raised: running out of memory has one of its own.
-- @tparam string message
-- @treturn string "no_memory" or "error"
function training.code_of(message)
  return message:find("not enough memory", 1, true) and "no_memory" or "error"
end

local function raised(message)
  message = tostring(message)
  local code = training.code_of(message)
  if code == "no_memory" then
    message = message:match("[%w.:]+: not enough memory[^\n]*") or "not enough memory"
  end
  return nil, message, code
end

-- the run from its folder to its last iteration: true, or nil, message, code
local function begin(s)
  local ok, message, code = s.session:prepare()
  if not ok then return nil, message, code end
  ok, message = s.run:build()
  if not ok then return raised(message) end
  return loop(s)
end

--- Trains an experiment, from the beginning or from its checkpoint. See `Experiment:train`.
-- @tparam Experiment run its `before_writing`, if it has one, is called before its folder is changed
-- @tparam table callbacks `on_iteration`, `on_episode`, `max_seconds`
-- @tparam table view `sink` (function(record)), `json` (file for one object per iteration), `say` (function(text)),
--   `resumed` (function(session): a checkpoint was loaded), `evaluating` (function(record): its evaluation begins)
-- @treturn table|nil result
-- @treturn string|nil message
-- @treturn string|nil code
function training.run(run, callbacks, view)
  if run.training then return nil, "the run is being trained: a callback cannot train it, too", "busy" end
  local on_iteration = callbacks.on_iteration or run.config.on_iteration
  local on_episode = callbacks.on_episode or run.config.on_episode
  local sitting = session.new(run, view, on_iteration ~= nil or on_episode ~= nil)
  local s = {
    run = run, sampling = run:sampling(), session = sitting, view = view, counters = sitting.counters,
    on_iteration = on_iteration, on_episode = on_episode, max_seconds = callbacks.max_seconds,
  }
  if run.config.threads then trpo.threads(run.config.threads) end
  -- whatever is raised in there, the files are brought to an end
  local ok, done, message, code
  run.training = true
  ok, done, message, code = xpcall(begin, debug.traceback, s)
  run.training = nil
  if not ok then done, message, code = raised(done) end
  if done then message, code = nil, nil end
  local result, why, io_code = sitting:close(message, code)
  run.result = result
  if not done then return nil, message, code end
  return result, why, io_code
end

return training
