-- Training steps per second, all in: rollout, advantages, update, critic.
--
-- At the hyper-parameters of sb3-contrib (one environment, 2,048 steps an iteration, 15 iterations of conjugate
-- gradients, lambda 0.95, ten epochs of Adam over minibatches of 128), beside its learn(), and at our defaults. Nothing
-- is written or evaluated in either.
--
--   luajit bench/training.lua [short] [--save] [--no-peers]
local learner = require "bench.learner"
local support = require "bench.support"
local trpo = require "trpo"

local short = support.arguments { about = "Training steps per second, beside sb3-contrib.", peers = true }.short
local rounds = short and 1 or 5

local function experiment(options)
  options.env, options.dir, options.evaluation = options.env or "CartPole-v1", false, { episodes = 0 }
  return trpo.experiment(options)
end

local cases = {
  { name = "CartPole-v1, sb3-contrib's hyper-parameters", iterations = 20, peer_iterations = 3, make = function(steps)
    return experiment {
      steps = steps, lanes = 1, horizon = 2048,
      algorithm = trpo.TRPO { cg_iters = 15, damping = 0.1, delta = 0.01, gamma = 0.99, lambda = 0.95,
        backtrack_ratio = 0.8, backtracks = 10 },
      value = { optimizer = "adam", learning_rate = 1e-3, epochs = 10, minibatch = 128 },
    }
  end },
  { name = "CartPole-v1, defaults", iterations = 50, make = function(steps)
    return experiment { steps = steps }
  end },
  { name = "Pendulum-v1, defaults", iterations = 50, make = function(steps)
    return experiment { env = "Pendulum-v1", steps = steps }
  end },
}

-- seconds per step of training anew on so many threads
local function ours(case, threads)
  local steps = 2048 * (short and 2 or case.iterations)
  return function()
    local run = case.make(steps)
    support.threads(threads)
    local start = support.now()
    assert(run:train())
    return (support.now() - start) / steps
  end
end

local function theirs(sb3, case, threads)
  local steps = 2048 * case.peer_iterations
  return function() return tonumber((sb3.ask("learn", "CartPole-v1", steps, threads))) / steps end
end

-- what an iteration of 2,048 steps spends where, in seconds: in turns update and fit one after the other, and beside
-- each other as in the loop of trpo.experiment
local function parts(run, threads)
  trpo.threads(threads)
  local total = { rollout = 0, advantage = 0, gradient = 0, cg = 0, linesearch = 0, value = 0, beside = 0 }
  local env, n = run.env, short and 2 or 20
  local options = { horizon = run.config.horizon }
  local function sample()
    options.batch = assert(trpo.collect(env, run.policy, options))
    trpo.gae(options.batch, { gamma = run.algorithm.gamma, lambda = run.algorithm.lambda, value = run.value })
    return options.batch
  end
  for _ = 1, n do
    local batch = sample()
    local info = run.algorithm:update(run.policy, batch)
    total.value = total.value + assert(run.value:fit(batch)).seconds
    for name, seconds in pairs(info.seconds) do
      if name ~= "value" then total[name] = (total[name] or 0) + seconds end
    end
    batch = sample()
    local start = support.now()
    run.algorithm:update(run.policy, batch, run.value)
    total.beside = total.beside + support.now() - start
  end
  for name, seconds in pairs(total) do total[name] = seconds / n end
  return total
end

local sb3 = learner.peer("peer_sb3", "sb3_contrib")
local results = {}
local rows = { { "training", "1 thread", "2 threads", "sb3-contrib", "ratio" } }
local split = { { "an iteration of 2,048 steps", "rollout", "advantages", "gradient", "CG", "line search", "critic",
  "these four, critic beside the others" } }

local function rate(seconds) return seconds and ("%.0f steps/s"):format(1 / seconds) or "-" end

for _, case in ipairs(cases) do
  local functions, threads = { ours(case, 1), ours(case, 2) }, nil
  local beside = case.peer_iterations and sb3
  if beside then
    threads = learner.best_threads(sb3, "learn", "CartPole-v1", 2048)
    functions[3] = theirs(sb3, case, threads)
  end
  local seconds = support.in_turn(functions, rounds, beside and 12 or 5)
  local record = { name = case.name, steps_per_second = { 1 / seconds[1], 1 / seconds[2] } }
  if beside then
    record.sb3 = { threads = threads, steps_per_second = 1 / seconds[3],
      ratio = seconds[3] / math.min(seconds[1], seconds[2]) }
  end
  local run = case.make(2048)
  assert(run:train())
  record.parts = parts(run, seconds[1] < seconds[2] and 1 or 2)
  results[#results + 1] = record
  rows[#rows + 1] = { case.name, rate(seconds[1]), rate(seconds[2]),
    beside and ("%s (%d)"):format(rate(1 / record.sb3.steps_per_second), record.sb3.threads) or "-",
    beside and ("%.0f"):format(record.sb3.ratio) or "-" }
  local row = { case.name }
  for i, name in ipairs { "rollout", "advantage", "gradient", "cg", "linesearch", "value", "beside" } do
    row[1 + i] = support.duration(record.parts[name])
  end
  split[#split + 1] = row
end
support.print(rows)
support.print(split)
if sb3 then sb3.close() end
support.save("training", { cases = results, sb3 = sb3 and sb3.version })
