-- What K-FAC saves conjugate gradients: products and time to the residual of ten plain ones.
--
-- On batches met early, midway and late in training: CartPole, Pendulum, a leg with contacts (bench/leg.lua), and
-- actions that are rewarded for being near those of a random network of shape 11-64-64-3. The gain is
-- g'x / sqrt(x'(F + damping I)x), which the improvement within the trust region is proportional to, as a share of what
-- an exact solution has; it is met within 0.1 %.
--
--   luajit bench/kfac.lua [short] [--save] [--only PROBLEM] [--threads N] [--damping X] [--rows N]
local support = require "bench.support"
local trpo = require "trpo"

local given = support.arguments {
  about = "What K-FAC saves conjugate gradients.", only = { "CartPole", "Pendulum", "leg", "imitation" },
  options = { { "--threads", "1 or 2", true }, { "--damping", "0.1 if not told", true },
    { "--rows", "of a batch, 2,048 if not told", true } },
}
local short, only = given.short, given.only
local rounds, patience = short and 3 or 15, short and 0.2 or 2
local damping = given.damping or 0.1
local rows = given.rows or 2048
local hidden = { 64, 64 }

-- ---- problems: each calls see(iteration, policy, batch) with batches of a training run ------------------------------

local function train(env, settings, iterations, see)
  local policy = trpo.policy { env = env, hidden = hidden, rng = trpo.rng(1) }
  local value = trpo.value { env = env, hidden = hidden, rng = trpo.rng(2) }
  local algorithm = trpo.TRPO(settings)
  for iteration = 1, iterations do
    local batch = assert(trpo.collect(env, policy, { horizon = rows / 8 }))
    trpo.gae(batch, { gamma = algorithm.gamma, lambda = algorithm.lambda, value = value })
    see(iteration, policy, batch)
    algorithm:update(policy, batch)
    value:fit(batch)
  end
end

-- actions are rewarded for being near those of another network: the deviations shrink as they are met
local function imitate(iterations, see)
  local rng = trpo.rng(5)
  local policy = trpo.policy {
    observation = trpo.space.box { shape = { 11 } }, action = trpo.space.box { shape = { 3 } }, hidden = hidden,
    rng = rng,
  }
  local teacher, mix = policy:clone():set_theta(trpo.randn(rng, policy:size()) * 0.3), trpo.randn(rng, 11, 11) * 0.4
  local algorithm = trpo.TRPO { delta = 0.03 }
  for iteration = 1, iterations do
    local observations = trpo.randn(rng, rows, 11):mm(mix)
    local actions = policy:sample(observations, rng)
    local miss = actions - teacher:forward(observations):narrow(2, 1, 3)
    local batch = trpo.batch {
      policy = policy, observations = observations, actions = actions, advantages = -(miss * miss):sum(2),
    }
    see(iteration, policy, batch)
    algorithm:update(policy, batch)
  end
end

local function gym(id, settings)
  return function(iterations, see) train(trpo.make(id, { lanes = 8, seed = 3 }), settings, iterations, see) end
end

local problems = {
  { name = "CartPole", layers = "4-64-64-2", at = { 1, 20, 50 }, run = gym "CartPole-v1" },
  { name = "Pendulum", layers = "3-64-64-1", at = { 1, 40, 95 },
    run = gym("Pendulum-v1", { delta = 0.02, gamma = 0.9, lambda = 0.95 }) },
  { name = "leg", layers = "11-64-64-3", at = { 1, 40, 150 },
    run = function(iterations, see)
      train(trpo.make(require "bench.leg", { lanes = 8, seed = 3 }), {}, iterations, see)
    end },
  { name = "imitation", layers = "11-64-64-3", at = { 1, 20, 80 }, run = imitate },
}

-- ---- what is measured ----------------------------------------------------------------------------------------------

-- gain(options): that of what these options of trpo.cg find, for standardised advantages; kfac: with the preconditioner
local function gains(policy, batch)
  local advantages = batch.advantages
  advantages = (advantages - advantages:mean()) / advantages:std()
  local g = policy:log_prob_gradient(batch.observations, batch.actions, advantages)
  local kfac = trpo.kfac(policy, batch.observations, { damping = damping }).solve
  return function(iterations, preconditioned, tolerance)
    local x, info = assert(trpo.cg(function(v) return policy:fisher_product(batch.observations, v) end, g, {
      iterations = iterations, tolerance = tolerance or 0, damping = damping,
      preconditioner = preconditioned and kfac or nil,
    }))
    return g:dot(x) / math.sqrt(info.xbx + damping * x:dot(x))
  end
end

-- an update's info: the policy is put back, the line search gets one trial
local function update(policy, batch, settings)
  settings.damping, settings.backtracks = damping, 1
  local theta = policy:theta()
  local info = trpo.TRPO(settings):update(policy, batch)
  policy:set_theta(theta)
  return info
end

local function measure(policy, batch)
  local ten = { cg_iters = 10 }
  local plain = update(policy, batch, ten)
  local until_there = { cg_iters = 100, cg_tolerance = plain.cg_residual, preconditioner = "kfac" }
  local four = { cg_iters = 4, preconditioner = "kfac" }
  local there, early = update(policy, batch, until_there), update(policy, batch, four)
  local making = {}
  local function time(settings)
    return function()
      local seconds = update(policy, batch, settings).seconds
      if settings == four then making[#making + 1] = seconds.preconditioner end
      return seconds.cg
    end
  end
  local medians = support.in_turn({ time(ten), time(until_there), time(four) }, rounds, patience)
  local gain = gains(policy, batch)
  local best, of_ten, to_gain = gain(300, true, 1e-6), gain(10), 1
  while to_gain < 30 and gain(to_gain, true) < 0.999 * of_ten do to_gain = to_gain + 1 end
  return {
    rows = #batch, residual = plain.cg_residual, residual_four = early.cg_residual,
    products = there.cg_iters, reached = there.cg_residual <= plain.cg_residual, products_to_gain = to_gain,
    gain_ten = of_ten / best, gain_four = gain(4, true) / best,
    seconds_ten = medians[1], seconds_there = medians[2], seconds_four = medians[3],
    seconds_making = support.median(making),
  }
end

-- ---- the table -----------------------------------------------------------------------------------------------------

trpo.threads(given.threads or math.min(2, trpo.threads()))
local results = { damping = damping, threads = trpo.threads(), cases = {} }
local lines = { { "K-FAC", "iteration", "residual of 10 plain", "products to that residual", "gain of 10 plain",
  "products to that gain", "gain of 4", "time of 10 plain", "time to their residual", "time of 4", "making it" } }

local function line(r)
  return { ("%s %s, N = %d"):format(r.problem, r.layers, r.rows), r.iteration, ("%.1e"):format(r.residual),
    r.reached and r.products or "> 100", ("%.3f"):format(r.gain_ten), r.products_to_gain, ("%.3f"):format(r.gain_four),
    support.duration(r.seconds_ten), support.duration(r.seconds_there), support.duration(r.seconds_four),
    support.duration(r.seconds_making) }
end

local function run(problem)
  local wanted = {}
  for _, iteration in ipairs(problem.at) do wanted[iteration] = true end
  problem.run(short and 1 or problem.at[#problem.at], function(iteration, policy, batch)
    if not wanted[iteration] then return end
    local r = measure(policy, batch)
    r.problem, r.layers, r.iteration = problem.name, problem.layers, iteration
    results.cases[#results.cases + 1], lines[#lines + 1] = r, line(r)
  end)
end

for _, problem in ipairs(problems) do
  if not only or only == problem.name then run(problem) end
end
print(("damping %g, threads: %d"):format(damping, trpo.threads()))
support.print(lines)
support.save("kfac", results)
