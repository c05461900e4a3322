-- Exact steps of policy improvement at a million states, given the advantages and the visitation, on two threads.
-- Processor time per thread tells what a machine that others use as well would do by itself.
--
--   luajit bench/mdp_steps.lua [short] [--save]
local support = require "bench.support"
local trpo = require "trpo"

local short = support.arguments { about = "Exact steps at a million states." }.short
local S, A, gamma = short and 100000 or 1000000, 4, 0.99
local rounds = 3

-- ---- the problem: random policies, advantages with mean 0, an uneven visitation -------------------------------------

local rng = trpo.rng(1)

local function softmax(logits)
  local p = logits:exp()
  return p / p:sum(2, true)
end

local function problem(spread)
  local policy = softmax(trpo.randn(rng, S, A) * spread)
  local advantages = trpo.randn(rng, S, A)
  advantages = advantages - (policy * advantages):sum(2, true)
  local rho = trpo.rand(rng, S)
  return { policy = policy, advantages = advantages, rho = rho * (1 / (1 - gamma) / rho:sum()) }
end

-- ---- what is timed, and the bar where there is one -----------------------------------------------------------------

local cases = {
  { "Algorithm 1", { method = "monotone", gamma = gamma }, 0.6 },
  { "Algorithm 1, C = 1", { method = "monotone", C = 1 } },
  { "Algorithm 1, total variation", { method = "monotone_tv", gamma = gamma } },
  { "Algorithm 1, mean KL", { method = "monotone_mean_kl", gamma = gamma } },
  { "mean KL <= 0.01", { method = "trust_region_mean", delta = 0.01 }, 0.4 },
  { "mean KL <= 1", { method = "trust_region_mean", delta = 1 } },
  { "max KL <= 0.01", { method = "trust_region_max", delta = 0.01 } },
  { "natural gradient, exact KL", { method = "natural", delta = 0.01 } },
  { "natural gradient, quadratic", { method = "natural", delta = 0.01, line_search = "quadratic" } },
  { "gradient, exact KL", { method = "gradient", delta = 0.01 } },
  { "policy iteration", { method = "policy_iteration" } },
}

local function time(options, given)
  for key, value in pairs(given) do options[key] = value end
  local seconds, cpu, info = {}, {}, nil
  for round = 0, rounds do
    collectgarbage()
    local start, cpu_start = support.now(), os.clock()
    info = select(2, trpo.mdp.step(options))
    if round > 0 then
      seconds[round], cpu[round] = support.now() - start, (os.clock() - cpu_start) / trpo.threads()
    end
  end
  return support.median(seconds), support.median(cpu), info
end

trpo.threads(2)
local results = {}
local rows = { { ("%d states x %d actions, two threads"):format(S, A), "seconds", "cpu/thread",
  "passes", "KL mean", "kkt", "bar" } }

local function run(label, spread)
  local given = problem(spread)
  for _, case in ipairs(cases) do
    local name, options, bar = case[1], case[2], not short and case[3] or nil
    local seconds, cpu, info = time(options, given)
    results[#results + 1] = { name = name, policy = label, S = S, A = A, seconds = seconds, cpu = cpu,
      passes = info.passes }
    rows[#rows + 1] = { name .. ", " .. label, ("%.3f"):format(seconds), ("%.3f"):format(cpu), info.passes,
      ("%.2e"):format(info.kl_mean), ("%.1e"):format(info.kkt),
      bar and ("%s %.1f"):format(seconds <= bar and "meets" or "MISSES", bar) or "" }
  end
end

run("even policy", 0.5)
run("uneven policy", 4)
support.print(rows)
support.save("mdp_steps", results)
