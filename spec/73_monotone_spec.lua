-- Steps that cannot make a policy worse: Algorithm 1 exactly, its total variation form and its average form.
local cases = require("support.cases").exact
local misuse = require "support.misuse"
local steps = require "support.steps"
local trpo = require "trpo"

local step = trpo.mdp.step
local T = trpo.tensor

-- sum rho gain and sum rho lambda of all states in balls of radius t
local function balls(problem, t)
  local _, info = trpo.mdp.kl_ball(problem.policy, problem.advantages, t)
  return problem.rho:dot(info.gain), problem.rho:dot(info.lambda)
end

local function random_problem(rng, options)
  local gamma = ({ 0, 0.3, 0.9, 0.99, 0.999 })[rng:integer(2, 5)]
  return steps.problem(rng, rng:integer(1, 12), rng:integer(1, 6), gamma, options)
end

describe("Algorithm 1", function()
  it("maximises L - C max KL over all radii", function()
    cases.run(60, 1, function(rng, note)
      local problem = random_problem(rng, { zeros = 0.2, unreached = 0.2 })
      local C = rng:uniform() < 0.5 and 10 ^ (4 * rng:uniform() - 2) * problem.rho:sum() or nil
      note(C, problem.gamma)
      local _, info = step(steps.with(problem, { method = "monotone", C = C }))
      if info.status ~= "ok" then return end
      local value = info.gain - info.penalty
      assert.is_near(info.C * info.radius, info.penalty, 1e-12 * info.penalty)
      assert.is_near(1, info.lambda / info.C, 1e-12)
      -- the objective on a grid of radii is never higher, and rises to the left of the solution
      local before = 0
      for k = -60, 20 do
        local t = info.radius * 2 ^ (k / 4)
        local gain = balls(problem, t)
        assert(gain - info.C * t <= value + 1e-12 * math.abs(value), "a better radius")
        if k <= 0 then assert(gain - info.C * t >= before - 1e-12 * math.abs(value)) end
        before = gain - info.C * t
      end
    end)
  end)

  it("satisfies the optimality conditions", function()
    cases.run(80, 2, function(rng)
      local problem = random_problem(rng, { zeros = 0.2, unreached = 0.2, scale = 10 ^ (24 * rng:uniform() - 12) })
      local _, info = step(steps.with(problem, { method = "monotone" }))
      if info.status ~= "ok" then return end
      local scale = steps.epsilon(problem) * problem.rho:sum()
      assert(info.kkt <= 1e-9, "kkt " .. info.kkt)
      local _, lambda = balls(problem, info.radius)
      assert(math.abs(lambda - info.C) <= 1e-9 * scale, "sum rho lambda - C")
    end)
  end)

  it("reports what it does", function()
    cases.run(60, 3, function(rng)
      local problem = random_problem(rng, { zeros = 0.2, unreached = 0.2 })
      local q, info = step(steps.with(problem, { method = "monotone", log_policy = true, C = rng:uniform() < 0.5 and 10 or nil }))
      local gain, kl, tv = steps.measure(problem, q, info.log_policy)
      local scale = steps.epsilon(problem) * problem.rho:sum()
      assert.is_near(gain, info.gain, 1e-14 * scale)
      assert.is_near(steps.largest(tv), info.tv_max, 1e-15)
      assert.is_near(steps.largest(kl), info.kl_max, 1e-12 * info.kl_max + 1e-15 * 6)
      assert.is_near(steps.mean(problem, kl), info.kl_mean, 1e-12 * info.kl_mean + 1e-15 * 6)
      if info.status == "ok" then
        assert.is_near(info.radius, info.kl_max, 1e-12 * info.radius)
        assert.is_true(info.gain - info.penalty >= 0)
      end
    end)
  end)

  it("has the constant of the paper, or 2, or C itself", function()
    local problem = steps.problem(trpo.rng(1), 4, 3, 0.9)
    local C = 4 * steps.epsilon(problem) * 0.9 / 0.01
    local function C_of(more)
      more.method = "monotone"
      return select(2, step(steps.with(problem, more))).C
    end
    assert.is_near(C, C_of {}, 1e-12 * C)
    assert.is_near(C / 2, C_of { constant = 2 }, 1e-12 * C)
    assert.are.equal(7, C_of { C = 7 })
  end)

  it("follows the law of small steps when C is large", function()
    cases.run(20, 4, function(rng)
      local problem = steps.problem(rng, 10, 4, 0.99)
      local _, info = step(steps.with(problem, { method = "monotone" }))
      local sigma = 0
      for s = 1, 10 do
        sigma = sigma + problem.rho[s] * math.sqrt(problem.policy[s]:dot(problem.advantages[s] * problem.advantages[s]))
      end
      assert.is_near(1, info.radius / (sigma ^ 2 / (2 * info.C ^ 2)), 1e-2)
      assert.is_near(1, (info.gain - info.penalty) / (sigma ^ 2 / (2 * info.C)), 1e-2)
    end)
  end)

  it("gives the greedy policy when C is 0", function()
    local problem = steps.problem(trpo.rng(5), 6, 3, 0, { zeros = 0.3 })
    local q, info = step(steps.with(problem, { method = "monotone" }))
    local greedy, other = step(steps.with({ policy = problem.policy, advantages = problem.advantages, rho = problem.rho },
      { method = "policy_iteration" }))
    assert.are.same(greedy:totable(), q:totable())
    assert.are.same({ "ok", 0, 0, math.huge }, { info.status, info.C, info.penalty, info.kl_max })
    assert.is_near(other.gain, info.gain, 1e-14)
  end)

  it("lets unreached states follow, or keeps them", function()
    local problem = steps.problem(trpo.rng(6), 5, 3, 0.9)
    problem.rho[3] = 0
    local follow, info = step(steps.with(problem, { method = "monotone", C = 5, log_policy = true }))
    local keep, kept = step(steps.with(problem, { method = "monotone", C = 5, unreached = "keep" }))
    assert.are.same(problem.policy[3]:totable(), keep[3]:totable())
    assert.is_near(info.radius, steps.kl(problem.policy[3]:totable(), info.log_policy[3]:totable()), 1e-12)
    for _, s in ipairs { 1, 2, 4, 5 } do assert.are.same(follow[s]:totable(), keep[s]:totable()) end
    assert.are.equal(info.gain, kept.gain)
  end)

  it("has the same bits with one thread and with two", function()
    local rng = trpo.rng(7)
    local S = 5000
    local policy, advantages = trpo.rand(rng, S, 3) + 0.01, trpo.randn(rng, S, 3)
    policy = policy / policy:sum(2, true)
    advantages = advantages - (policy * advantages):sum(2, true)
    local problem = { policy = policy, advantages = advantages, rho = trpo.rand(rng, S), gamma = 0.9 }
    local before = trpo.threads()
    for _, more in ipairs { { method = "monotone" }, { method = "monotone", C = 1000 }, { method = "monotone_tv" },
                            { method = "monotone_mean_kl" }, { method = "trust_region_mean", delta = 0.1 },
                            { method = "trust_region_max", delta = 0.1 }, { method = "natural", delta = 0.1 },
                            { method = "gradient", delta = 0.1 }, { method = "policy_iteration" } } do
      trpo.threads(1)
      local one, first = step(steps.with(problem, more))
      trpo.threads(2)
      local two, second = step(steps.with(problem, more))
      assert.are.equal(0, (one - two):abs():max())
      assert.are.same(first, second)
    end
    trpo.threads(before)
  end)
end)

-- FrozenLake 4x4, slippery, by itself: the uniform policy's advantages and visitation by dense solves
local function frozen_lake(gamma)
  local map = "SFFFFHFHFFFHHFFG"
  local moves = { { 0, -1 }, { 1, 0 }, { 0, 1 }, { -1, 0 } } -- left, down, right, up
  local function ends(s) return map:sub(s, s):find "[HG]" ~= nil end
  local function outcomes(s, a)
    local list = {}
    for k = 1, 3 do
      local move = moves[(a + k - 3) % 4 + 1]
      local row = math.min(3, math.max(0, math.floor((s - 1) / 4) + move[1]))
      local column = math.min(3, math.max(0, (s - 1) % 4 + move[2]))
      list[k] = 4 * row + column + 1
    end
    return list
  end
  local P, r = trpo.zeros(16, 16), trpo.zeros(16)
  for s = 1, 16 do
    for a = 1, 4 do
      for _, next in ipairs(ends(s) and {} or outcomes(s, a)) do
        if not ends(next) then P[s][next] = P[s][next] + 1 / 12 end
        if next == 16 then r[s] = r[s] + 1 / 12 end
      end
    end
  end
  local M, start = trpo.eye(16) - P * gamma, trpo.zeros(16)
  start[1] = 1
  local V, A = trpo.linalg.solve(M, r), trpo.zeros(16, 4)
  for s = 1, 16 do
    for a = 1, 4 do
      for _, next in ipairs(ends(s) and {} or outcomes(s, a)) do
        A[s][a] = A[s][a] + ((next == 16 and 1 or 0) + (ends(next) and 0 or gamma * V[next])) / 3
      end
      A[s][a] = A[s][a] - V[s]
    end
  end
  return { policy = trpo.ones(16, 4) / 4, advantages = A, rho = trpo.linalg.solve(M:t(), start), gamma = gamma }, V
end

describe("FrozenLake under the uniform policy", function()
  it("shows why the theory's penalty is too large in practice", function()
    local problem, V = frozen_lake(0.99)
    assert.is_near(0.012356137325, V[1], 1e-12)
    local _, info = step(steps.with(problem, { method = "monotone" }))
    assert.is_near(7476.75, info.C, 5e-3)
    assert.is_near(1.2e-11, info.radius, 0.05e-11)
    assert.is_near(8.9e-8, info.gain - info.penalty, 0.05e-8)
    -- a trust region of an ordinary size gains a hundred thousand times as much
    local _, region = step(steps.with(problem, { method = "trust_region_mean", delta = 0.01 }))
    assert.is_true(region.gain > 1e5 * info.gain / 2)
  end)
end)

describe("the stall of Algorithm 1", function()
  -- rewards such that the bound is as tight as it gets: one state, advantage 1 for the other action, rho = 1/(1 - gamma)
  local function status(gamma, constant)
    local _, info = step { method = "monotone", policy = T { { 1, 0 } }, advantages = T { { 0, 1 } }, rho = T { 1 / (1 - gamma) },
                           gamma = gamma, constant = constant }
    return info.status
  end

  it("comes at gamma = 1/5, and at 1/3 with the constant 2", function()
    assert.are.equal("ok", status(0.199))
    assert.are.equal("stalled", status(0.201))
    assert.are.equal("ok", status(0.333, 2))
    assert.are.equal("stalled", status(0.334, 2))
  end)

  it("leaves any deterministic policy where it is when gamma >= 1/5", function()
    cases.run(40, 8, function(rng)
      local gamma = 0.2 + 0.79 * rng:uniform()
      local problem = steps.problem(rng, rng:integer(1, 8), rng:integer(2, 5), gamma, { deterministic = true })
      local q, info = step(steps.with(problem, { method = "monotone" }))
      assert.are.same(problem.policy:totable(), q:totable())
      assert.are.same({ 0, 0, 0, 0 }, { info.gain, info.penalty, info.kl_max, info.tv_max })
      local best = problem.advantages:max()
      assert.are.equal(best > 1e-10 * steps.epsilon(problem) and "stalled" or "optimal", info.status)
    end)
  end)

  it("moves a deterministic policy by the closed form when C is small enough", function()
    local _, info = step { method = "monotone", policy = T { { 1, 0 } }, advantages = T { { 0, 3 } }, rho = T { 2 }, C = 1.5 }
    assert.is_near(math.log(4), info.radius, 1e-14) -- rho 3 exp(-t) = C
    assert.is_near(6 * (1 - 1 / 4), info.gain, 1e-14)
  end)

  it("is not told of policies that are optimal, whatever rounding has left", function()
    local _, info = step { method = "monotone", policy = T { { 1, 0, 0 } }, advantages = T { { 0, -1, 1e-16 } }, rho = T { 10 },
                           gamma = 0.9 }
    assert.are.equal("optimal", info.status)
    _, info = step { method = "monotone", policy = T { { 0.5, 0.5 } }, advantages = T { { 0, 0 } }, rho = T { 10 }, gamma = 0.9 }
    assert.are.equal("optimal", info.status)
    _, info = step { method = "monotone", policy = T { { 1, 0 } }, advantages = T { { 0, 1 } }, rho = T { 10 }, gamma = 0.9, tolerance = 2 }
    assert.are.equal("optimal", info.status)
  end)
end)

describe("the total variation form", function()
  -- the gain of mass alpha in each state, by the definition: from the worst to the best
  local function gain_at(problem, alpha)
    local total = 0
    for s = 1, problem.rho:size()[1] do
      local p, a = problem.policy[s]:totable(), problem.advantages[s]:totable()
      local order, best = {}, -math.huge
      for k = 1, #p do
        order[k], best = k, math.max(best, a[k])
      end
      table.sort(order, function(i, j) return a[i] < a[j] end)
      local left = alpha
      for _, k in ipairs(order) do
        local mass = math.min(left, p[k])
        total = total + problem.rho[s] * mass * (best - a[k])
        left = left - mass
      end
    end
    return total
  end

  it("is never beaten by another distance, nor by random policies of its distance", function()
    cases.run(60, 9, function(rng)
      local problem = random_problem(rng, { zeros = 0.2, unreached = 0.2 })
      local C = rng:uniform() < 0.7 and 10 ^ (2 * rng:uniform() - 1) * problem.rho:sum() or nil
      local q, info = step(steps.with(problem, { method = "monotone_tv", C = C }))
      local value, scale = info.gain - info.penalty, steps.epsilon(problem) * problem.rho:sum()
      assert.is_near(gain_at(problem, info.radius), info.gain, 1e-13 * scale)
      for k = 0, 100 do
        local alpha = math.min(1, k <= 50 and k / 50 or info.radius * (0.5 + (k - 50) / 50))
        assert(gain_at(problem, alpha) - info.C * alpha ^ 2 <= value + 1e-13 * scale, "a better distance")
      end
      assert(info.kkt <= 1e-12, "kkt " .. info.kkt)
      local _, _, tv = steps.measure(problem, q)
      assert.is_near(steps.largest(tv), info.tv_max, 1e-14)
    end)
  end)

  it("solves the linear programme of each state", function()
    -- with two actions besides the best all vertices are: empty i, then j
    cases.run(60, 10, function(rng)
      local problem = steps.problem(rng, 1, 3, 0.5)
      local q, info = step(steps.with(problem, { method = "monotone_tv", C = 0.5 * problem.rho:sum() }))
      local gain, alpha = steps.measure(problem, q), info.radius
      for _ = 1, 200 do
        local r = steps.feasible(rng, problem.policy[1]:totable(), 10)
        local distance = 0
        for k = 1, 3 do distance = distance + 0.5 * math.abs(r[k] - problem.policy[1][k]) end
        local x = math.min(1, alpha / distance)
        local other = 0
        for k = 1, 3 do other = other + x * (r[k] - problem.policy[1][k]) * problem.advantages[1][k] end
        assert(problem.rho[1] * other <= gain + 1e-12, "beaten")
      end
    end)
  end)

  it("does not stall where the KL form does", function()
    cases.run(30, 11, function(rng)
      local problem = steps.problem(rng, 5, 3, 0.95, { deterministic = true })
      local _, kl = step(steps.with(problem, { method = "monotone" }))
      local q, info = step(steps.with(problem, { method = "monotone_tv" }))
      if kl.status ~= "stalled" then return end
      assert.are.equal("ok", info.status)
      assert.is_true(info.gain - info.penalty > 0 and info.tv_max > 0)
      assert.is_near(0.5 * (q - problem.policy):abs():sum(2):max(), info.tv_max, 1e-15)
    end)
  end)

  it("knows its KL, which is infinite once an action is emptied", function()
    cases.run(40, 12, function(rng)
      local problem = random_problem(rng, { zeros = 0.3 })
      local q, info = step(steps.with(problem, { method = "monotone_tv", C = 3 * problem.rho:sum() }))
      local _, kl = steps.measure(problem, q)
      local most = steps.largest(kl)
      assert.is_true(most == info.kl_max or math.abs(most - info.kl_max) < 1e-13)
    end)
  end)

  it("gives the greedy policy when C is 0, and none where all is best", function()
    local q, info = step { method = "monotone_tv", policy = T { { 0.5, 0.5 } }, advantages = T { { -1, 1 } }, rho = T { 1 }, gamma = 0 }
    assert.are.same({ { 0, 1 } }, q:totable())
    assert.are.same({ 1, 0.5, 0, math.huge }, { info.gain, info.tv_max, info.penalty, info.kl_max })
    info = select(2, step { method = "monotone_tv", policy = T { { 0, 1 } }, advantages = T { { -1, 0 } }, rho = T { 1 }, gamma = 0.9 })
    assert.are.equal("optimal", info.status)
  end)
end)

describe("the average form", function()
  it("is the best against the price of theorem A", function()
    cases.run(60, 13, function(rng)
      local problem = random_problem(rng, { zeros = 0.2, unreached = 0.2 })
      if steps.epsilon(problem) == 0 then return end
      local h = problem.gamma / (1 - problem.gamma)
      local lambda = steps.epsilon(problem) * (h + 2 * math.sqrt(2 * h))
      local q, info = step(steps.with(problem, { method = "monotone_mean_kl", log_policy = true }))
      assert.is_near(1, info.lambda / lambda, 1e-14)
      assert.is_near(1, info.C / (lambda / (1 - problem.gamma)), 1e-14)
      assert.is_true((q - (trpo.mdp.kl_penalty(problem.policy, problem.advantages, info.lambda))):abs():max() < 1e-14)
      assert.is_true(info.gain >= info.penalty)
      -- d = (1 - gamma) rho, here a distribution
      assert.is_near(info.C * info.kl_mean, info.penalty, 1e-12 * info.penalty)
    end)
  end)

  it("has a smaller constant than Algorithm 1 iff gamma > 8/17", function()
    for _, case in ipairs { { 0.47, 1 }, { 8 / 17, 0 }, { 0.48, -1 }, { 0.99, -1 } } do
      local gamma, sign = case[1], case[2]
      local problem = steps.problem(trpo.rng(1), 3, 3, gamma)
      local _, average = step(steps.with(problem, { method = "monotone_mean_kl" }))
      local _, largest = step(steps.with(problem, { method = "monotone" }))
      local ratio = average.C / largest.C
      assert.is_near(gamma == 0.99 and 0.321 or ratio, ratio, 1e-3)
      if sign == 0 then assert.is_near(1, ratio, 1e-12) else assert.is_true((ratio - 1) * sign > 0) end
    end
  end)

  it("can be refined by the span and the greedy advantage", function()
    local problem = steps.problem(trpo.rng(2), 6, 4, 0.9)
    local span, greedy = 0, 0
    for s = 1, 6 do
      local a = problem.advantages[s]
      span, greedy = math.max(span, a:max() - a:min()), math.max(greedy, a:max())
    end
    local _, info = step(steps.with(problem, { method = "monotone_mean_kl", refined = true }))
    assert.is_near(1, info.lambda / (math.sqrt(2) * span * 3 + greedy * 9), 1e-12)
    local _, plain = step(steps.with(problem, { method = "monotone_mean_kl" }))
    assert.is_true(info.gain - info.penalty >= plain.gain - plain.penalty)
  end)

  it("is greedy at gamma = 0, and stalls when nothing is worth the price", function()
    local q, info = step { method = "monotone_mean_kl", policy = T { { 0.5, 0.5 } }, advantages = T { { -1, 1 } }, rho = T { 1 },
                           gamma = 0 }
    assert.are.same({ { 0, 1 } }, q:totable())
    assert.are.same({ 0, math.huge }, { info.penalty, info.kl_max })
    info = select(2, step { method = "monotone_mean_kl", policy = T { { 1, 0 } }, advantages = T { { 0, 1 } }, rho = T { 10 },
                            gamma = 0.9 })
    assert.are.equal("stalled", info.status)
  end)
end)

describe("trpo.mdp.step refuses", function()
  local ok = { method = "monotone", policy = T { { 0.5, 0.5 } }, advantages = T { { -1, 1 } }, rho = T { 1 }, gamma = 0.9 }
  local function without(key)
    local options = steps.with(ok, {})
    options[key] = nil
    return { options }
  end
  local function with(more) return { steps.with(ok, more) } end
  local what = "trpo.mdp.step: "
  misuse.each(it, {
    { "what is no table", step, { 3 }, what .. "options must be a table, got 3" },
    { "no method", step, without "method", what .. "method must be a string, got nil" },
    { "a method that does not exist", step, with { method = "monoton" }, what .. "unknown method 'monoton', did you mean 'monotone'?" },
    { "a method that resembles none", step, with { method = "newton" },
      what .. "unknown method 'newton', expected one of: monotone, monotone_tv, monotone_mean_kl, trust_region_mean" },
    { "a misspelt option", step, with { constnat = 2 }, what .. "unknown option 'constnat', did you mean 'constant'?" },
    { "an option of another method", step, with { delta = 0.1 }, what .. "unknown option 'delta'" },
    { "no policy", step, without "policy", what .. "policy must be a tensor, got nil" },
    { "a policy that does not sum to one", step, with { policy = T { { 0.5, 0.4 } } },
      what .. "policy must be a distribution, in state 1 it sums to 0.9 (tolerance 1e-09)" },
    { "a negative probability", step, with { policy = T { { 1.5, -0.5 } } },
      what .. "policy must hold probabilities, in state 1 action 2 has -0.5" },
    { "a policy without states", step, with { policy = trpo.zeros(0, 2) }, what .. "policy must have at least one state and one action" },
    { "a vector for a policy", step, with { policy = T { 0.5, 0.5 } }, what .. "policy must have size [N, N], got [2]" },
    { "no advantages", step, without "advantages", what .. "advantages must be a tensor, got nil" },
    { "advantages of another size", step, with { advantages = T { { 1, 2, 3 } } }, what .. "advantages must have size [1, 2], got [1, 3]" },
    { "a NaN among them", step, with { advantages = T { { 0 / 0, 1 } } },
      what .. "advantages must be numbers up to 1e300, or -inf for an action that is missing, in state 1 action 1 has nan" },
    { "an infinite one", step, with { advantages = T { { 0, math.huge } } }, "in state 1 action 2 has inf" },
    { "a missing action that the policy takes", step, with { advantages = T { { 0, -math.huge } } },
      "in state 1 action 2 has -inf where the policy takes it" },
    { "no rho", step, without "rho", what .. "rho must be a tensor, got nil" },
    { "rho of another size", step, with { rho = T { 1, 2 } }, what .. "rho must have size [1], got [2]" },
    { "a negative rho", step, with { rho = T { -1 } }, what .. "rho must be finite numbers >= 0, in state 1 it is -1" },
    { "rho without a sum", step, with { rho = T { 0 } }, what .. "rho must have a positive finite sum, got 0" },
    { "no gamma where the constant needs it", step, without "gamma", what .. "gamma must be a number in [0, 1], got nil" },
    { "gamma = 1", step, with { gamma = 1 }, what .. "gamma must be less than 1 for the method 'monotone', whose bound is infinite there" },
    { "gamma above 1", step, with { gamma = 1.5 }, what .. "gamma must be a number in [0, 1], got 1.5" },
    { "a negative C", step, with { C = -1 }, what .. "C must be a finite number >= 0, got -1" },
    { "a constant of 0", step, with { constant = 0 }, what .. "constant must be a finite number > 0, got 0" },
    { "a rule for unreached states that does not exist", step, with { unreached = "kep" },
      what .. "unknown unreached 'kep', did you mean 'keep'?" },
    { "a tolerance below 0", step, with { tolerance = -1 }, what .. "tolerance must be a finite number >= 0, got -1" },
    { "log_policy that is no boolean", step, with { log_policy = 1 }, what .. "log_policy must be true or false, got 1" },
    { "refined that is no boolean", step, with { method = "monotone_mean_kl", refined = 1 },
      what .. "refined must be true or false, got 1" },
    { "a trust region without delta", step, with { method = "trust_region_mean" }, what .. "delta must be a finite number > 0, got nil" },
    { "delta = 0", step, with { method = "trust_region_max", delta = 0 }, what .. "delta must be a finite number > 0, got 0" },
    { "neither delta nor step", step, with { method = "natural" }, what .. "the method 'natural' needs delta or step, got none of them" },
    { "delta and step", step, with { method = "gradient", delta = 1, step = 1 },
      what .. "the method 'gradient' needs delta or step, not both" },
    { "a line search that does not exist", step, with { method = "natural", delta = 1, line_search = "exakt" },
      what .. "unknown line_search 'exakt', did you mean 'exact'?" },
  })

  it("a constant that overflows, with a message", function()
    local q, message, code = step(steps.with(ok, { advantages = T { { -1e300, 1e300 } }, gamma = 0.999999 }))
    assert.are.same({ nil, "a NaN or an infinite number appeared", "not_finite" }, { q, message, code })
  end)
end)

describe("monotone steps at the ends of the range", function()
  it("keep states whose advantages are nothing beside the price", function()
    local q, info = trpo.mdp.step { method = "monotone_mean_kl", policy = T { { 0.5, 0.5 }, { 0.5, 0.5 } },
      advantages = T { { 1e10, -1e10 }, { 1e-300, -1e-300 } }, rho = T { 1, 1 }, gamma = 0.9 }
    assert.are.same({ 0.5, 0.5 }, q[2]:totable())
    assert.is_near(1, q[1][1] + q[1][2], 1e-15)
    assert.is_true(info.gain > 0 and info.kkt < 1e-14)
  end)

  it("stay distributions and stationary where the best actions are all but impossible", function()
    cases.run(100, 31, function(rng, note)
      local p, a = steps.unlikely(rng)
      note(table.concat(p, ","), table.concat(a, ","))
      for _, method in ipairs { "monotone", "monotone_tv", "monotone_mean_kl" } do
        local q, info = trpo.mdp.step { method = method, policy = T { p }, advantages = T { a }, rho = T { 3 },
          gamma = 0.9 * rng:uniform(), C = rng:uniform() < 0.5 and 10 ^ (8 * rng:uniform() - 6) or nil }
        assert.is_near(1, q:sum(), 1e-14)
        assert(info.kkt < 1e-12, method .. " has kkt " .. info.kkt)
      end
    end)
  end)

  it("find the radius behind a plateau of the multiplier, from where Newton's method leaps to where slopes overflow", function()
    local _, info = trpo.mdp.step { method = "monotone", rho = T { 1, 8.3788704428729 }, gamma = 0.9, C = 0.89089840780409,
      policy = T { { 0.99855649649723, 0.0014435035027691, 0, 0 }, { 0.82552295102257, 0.17447704897743, 0, 0 } },
      advantages = T { { 1, 0.80918489845051, 1.7761597419536, 0.21434665318234 }, { 0, 1.41e-29, 0, 0 } } }
    assert.is_near(info.C, info.lambda, 1e-12)
    assert(info.kkt < 1e-13, "kkt " .. info.kkt)
  end)

  it("are stationary in total variation where all mass moves", function()
    local q, info = trpo.mdp.step { method = "monotone_tv", policy = T { { 1, 1e-29, 3e-21, 2e-28 }, { 0.75, 0.25, 0, 0 } },
      advantages = T { { 0, 0.9, 0.01, 1 }, { 0, 0, 0, 1 } }, rho = T { 9, 1 }, gamma = 0.4, C = 4.5 }
    assert.are.same({ { 0, 0, 0, 1 }, { 0, 0, 0, 1 } }, q:totable())
    assert.are.equal(1, info.radius)
    assert.is_near(0, info.kkt, 1e-15)
  end)
end)
