-- Fitting the critic. Held-out explained variance against time, for every optimizer at several efforts.
--
-- Runs of TRPO are recorded: the observations of every batch and the returns that its critic, fitted by Adam, was
-- given. Then critics of every optimizer and effort follow the same batches from the first to the last, each from its
-- own weights of the batch before. Each is fitted to three quarters of a batch's lanes and judged on the last quarter
-- and on the next batch, which it has not seen. Early, middle and late are the first sixth of a run, the next third
-- and the rest; the figures are medians over the batches of a phase.
--
--   luajit bench/critic.lua [short] [--save] [--only ENVIRONMENT]
local support = require "bench.support"
local trpo = require "trpo"

local given = support.arguments {
  about = "Fitting the critic: explained variance against time.", only = { "CartPole-v1", "Pendulum-v1", "Leg-v0" },
}
local short, only = given.short, given.only
local SEED, LANES, HORIZON = 7, 8, 256
local ROWS = LANES * HORIZON
local SEEN = ROWS * 3 / 4
local PHASES = { "early", "middle", "late" }

local cases = {
  { name = "CartPole-v1", env = "CartPole-v1", batches = 48, options = { delta = 0.01, gamma = 0.99, lambda = 0.97 } },
  { name = "Pendulum-v1", env = "Pendulum-v1", batches = 60, options = { delta = 0.02, gamma = 0.9, lambda = 0.95 } },
  { name = "Leg-v0", env = require "bench.leg", batches = 80, normalize = true,
    options = { delta = 0.02, gamma = 0.99, lambda = 0.97 } },
}

-- ---- the optimizers, each with its efforts --------------------------------------------------------------------------

local function efforts(option, values, rest)
  local list = {}
  for i, value in ipairs(values) do
    list[i] = { [option] = value }
    for key, entry in pairs(rest) do list[i][key] = entry end
  end
  return list
end

local all_rows = 2 ^ 30
local optimizers = {
  { "adam", efforts("epochs", { 1, 2, 3, 5, 10, 20, 30 }, { optimizer = "adam" }) },
  { "adam, rate 3e-3", efforts("epochs", { 1, 2, 3, 5, 10 }, { optimizer = "adam", learning_rate = 3e-3 }) },
  { "lbfgs", efforts("iterations", { 2, 5, 10, 25 }, { optimizer = "lbfgs" }) },
  { "gauss_newton", efforts("iterations", { 1, 2, 4, 8 }, { optimizer = "gauss_newton" }) },
  { "gauss_newton, 5 products",
    efforts("iterations", { 1, 2, 4, 8 }, { optimizer = "gauss_newton", cg_products = 5 }) },
  { "gauss_newton, matrix of all rows",
    efforts("iterations", { 1, 2, 4 }, { optimizer = "gauss_newton", curvature_rows = all_rows }) },
  { "gauss_newton and last layer",
    efforts("iterations", { 1, 2, 4 }, { optimizer = "gauss_newton", solve_last_layer = true }) },
  { "last_layer", efforts("lm_damping", { 0.1, 0.01, 1e-3 }, { optimizer = "last_layer" }) },
}
local standard = { optimizer = "adam", epochs = 10 } -- whose explained variance the others are to reach

-- ---- recording and following ----------------------------------------------------------------------------------------

local function record(case)
  local env = trpo.make(case.env, { lanes = LANES, seed = SEED })
  local policy = trpo.policy { env = env, rng = trpo.rng(SEED, 2), normalize_observations = case.normalize }
  local value = trpo.value {
    env = env, rng = trpo.rng(SEED, 3), normalize_observations = case.normalize, optimizer = "adam",
  }
  local algorithm, batches = trpo.TRPO(case.options), {}
  for k = 1, short and 7 or case.batches do
    local batch = assert(trpo.collect(env, policy, { horizon = HORIZON }))
    trpo.gae(batch, { gamma = algorithm.gamma, lambda = algorithm.lambda, value = value })
    algorithm:update(policy, batch)
    assert(value:fit(batch))
    policy:update_normalizer(batch)
    batches[k] = { observations = batch.observations:clone(), returns = batch.returns:clone() }
  end
  return { env = env, policy = policy, batches = batches, normalize = case.normalize }
end

-- the lanes of a batch that are fitted to
local function seen(run, batch)
  local actions = run.env.action.kind == "box" and trpo.zeros(SEEN, run.env.action.size) or trpo.ones(SEEN)
  local returns = batch.returns:narrow(1, 1, SEEN):clone()
  return trpo.batch {
    policy = run.policy, observations = batch.observations:narrow(1, 1, SEEN):clone(), actions = actions,
    rewards = returns, returns = returns,
  }
end

-- explained variance over the rows from first on
local function explained(value, batch, first)
  local n = ROWS - first + 1
  return trpo.stats.explained_variance(value:predict(batch.observations:narrow(1, first, n):clone()),
    batch.returns:narrow(1, first, n):clone())
end

local function phase_of(k, count) return k <= count / 6 and 1 or k <= count / 2 and 2 or 3 end

-- how one critic does along a recorded run: medians of each phase
local function follow(run, options)
  local all = { env = run.env, normalize_observations = run.normalize, rng = trpo.rng(SEED, 5) }
  for key, entry in pairs(options) do all[key] = entry end
  local value, count = trpo.value(all), #run.batches - 1
  local lists = {}
  for p = 1, #PHASES do lists[p] = { held = {}, next = {}, seconds = {}, steps = {} } end
  for k = 1, count do
    local info = assert(value:fit(seen(run, run.batches[k])))
    local list = lists[phase_of(k, count)]
    list.held[#list.held + 1] = explained(value, run.batches[k], SEEN + 1)
    list.next[#list.next + 1] = explained(value, run.batches[k + 1], 1)
    list.seconds[#list.seconds + 1], list.steps[#list.steps + 1] = info.seconds, info.steps
  end
  local out = {}
  for p, list in ipairs(lists) do
    out[p] = {}
    for name, entries in pairs(list) do out[p][name] = support.median(entries) end
  end
  return out
end

-- ---- tables ---------------------------------------------------------------------------------------------------------

-- of the efforts of an optimizer in one phase: least seconds at which the goal is reached, and the best of all
local function judge(curve, phase, goal)
  local reached, best
  for _, point in ipairs(curve) do
    local p = point.phases[phase]
    if p.held >= goal - 0.002 then reached = math.min(reached or math.huge, p.seconds) end
    best = math.max(best or -math.huge, p.held)
  end
  return reached, best
end

local function milliseconds(seconds) return seconds and ("%.2f"):format(seconds * 1e3) or "-" end

local function report(case, goals, curves)
  local header = { case.name .. ": ms to Adam's, best" }
  for p, name in ipairs(PHASES) do header[p + 1] = ("%s (%.3f)"):format(name, goals[p].held) end
  local rows = { header }
  for _, curve in ipairs(curves) do
    local row = { curve.name }
    for p = 1, #PHASES do
      local reached, best = judge(curve.points, p, goals[p].held)
      row[p + 1] = ("%s, %.3f"):format(milliseconds(reached), best)
    end
    rows[#rows + 1] = row
  end
  support.print(rows)
  print()
end

local results = {}
for _, case in ipairs(cases) do
  if not only or only == case.name then
    local run = record(case)
    local goals, curves = follow(run, standard), {}
    for i, optimizer in ipairs(optimizers) do
      local list = optimizer[2]
      curves[i] = { name = optimizer[1], points = {} }
      for j = short and #list or 1, #list do
        local points = curves[i].points
        points[#points + 1] = { options = list[j], phases = follow(run, list[j]) }
      end
    end
    report(case, goals, curves)
    results[#results + 1] = { environment = case.name, phases = PHASES, goal = goals, curves = curves }
  end
end

-- ---- how long a fit takes -------------------------------------------------------------------------------------------

local function fit_of(N, options)
  local _, batch = support.synthetic { O = 4, A = 2, N = N, discrete = true }
  batch.returns:copy(batch.observations:select(2, 1):sin() + batch.observations:select(2, 2))
  local all = { observation = trpo.space.box { shape = { 4 } }, rng = trpo.rng(1) }
  for key, entry in pairs(options) do all[key] = entry end
  local value = trpo.value(all)
  local state = value:state()
  return function(threads)
    return function()
      trpo.threads(threads)
      value:set_state(state)
      return assert(value:fit(batch)).seconds
    end
  end
end

local most, times = trpo.threads(), {}
local rows = { { "first fit, 4-64-64-1, ms", "1 thread", "2 threads" } }
for _, N in ipairs(short and { ROWS } or { ROWS, 50000 }) do
  for _, name in ipairs { "gauss_newton", "adam", "lbfgs", "last_layer" } do
    local fit = fit_of(N, { optimizer = name })
    local seconds = support.in_turn({ fit(1), fit(2) }, short and 3 or 11, short and 0.1 or 4)
    times[#times + 1] = { optimizer = name, N = N, seconds = seconds }
    rows[#rows + 1] = { ("%s, N = %d"):format(name, N), milliseconds(seconds[1]), milliseconds(seconds[2]) }
  end
end
trpo.threads(most)
support.print(rows)
support.save("critic", { environments = results, times = times })
