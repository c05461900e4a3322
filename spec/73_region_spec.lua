-- Exact trust-region steps: the surrogate's maximum where the mean of KL, or its maximum, is at most delta.
local cases = require("support.cases").exact
local steps = require "support.steps"
local trpo = require "trpo"

local step = trpo.mdp.step
local T = trpo.tensor

local function random_problem(rng, options)
  return steps.problem(rng, rng:integer(1, 12), rng:integer(1, 6), 0.9, options)
end

-- a random policy whose mean KL is at most delta, by mixing with the old one
local function feasible(rng, problem, delta)
  local S = problem.rho:size()[1]
  local other = problem.policy:clone()
  for s = 1, S do
    if rng:uniform() < 0.7 then
      local r = steps.feasible(rng, problem.policy[s]:totable(), 50 * delta * rng:uniform())
      for a = 1, #r do other[s][a] = r[a] end
    end
  end
  local lo, hi = 0, 1
  for _ = 1, 30 do
    local mid = 0.5 * (lo + hi)
    local _, kl = steps.measure(problem, problem.policy * (1 - mid) + other * mid)
    if steps.mean(problem, kl) <= delta then lo = mid else hi = mid end
  end
  return problem.policy * (1 - lo) + other * lo
end

describe("the trust region of the mean KL", function()
  it("uses all of delta, with a duality gap at rounding", function()
    cases.run(150, 1, function(rng, note)
      local problem = random_problem(rng, { zeros = 0.2, unreached = 0.2, scale = 10 ^ (24 * rng:uniform() - 12) })
      local delta = 10 ^ (-10 + 11 * rng:uniform())
      note(delta)
      local q, info = step(steps.with(problem, { method = "trust_region_mean", delta = delta, log_policy = true }))
      if info.status ~= "ok" then return end
      local scale = steps.epsilon(problem) * problem.rho:sum()
      assert.is_near(1, info.kl_mean / delta, 1e-12)
      assert(math.abs(info.gap) <= 1e-12 * scale, "gap " .. info.gap)
      assert(info.kkt <= 1e-9, "kkt " .. info.kkt)
      local gain, kl, tv = steps.measure(problem, q, info.log_policy)
      assert.is_near(gain, info.gain, 1e-14 * scale)
      assert.is_near(delta, steps.mean(problem, kl), 1e-12 * delta + 1e-14)
      assert.is_near(steps.largest(kl), info.kl_max, 1e-12 * info.kl_max + 1e-14)
      assert.is_near(steps.largest(tv), info.tv_max, 1e-14)
    end)
  end)

  it("has one multiplier in all states", function()
    cases.run(40, 2, function(rng)
      local problem = random_problem(rng, { zeros = 0.2, unreached = 0.2 })
      local q, info = step(steps.with(problem, { method = "trust_region_mean", delta = 0.05 }))
      if info.status ~= "ok" then return end
      local other = trpo.mdp.kl_penalty(problem.policy, problem.advantages, info.lambda)
      assert.is_true((q - other):abs():max() < 1e-12)
    end)
  end)

  it("is never beaten by a policy inside", function()
    cases.run(25, 3, function(rng)
      local problem = random_problem(rng, { zeros = 0.1 })
      local delta = 10 ^ (-3 + 3 * rng:uniform())
      local _, info = step(steps.with(problem, { method = "trust_region_mean", delta = delta }))
      for _ = 1, 5 do
        local gain = steps.measure(problem, feasible(rng, problem, delta))
        assert(gain <= info.gain + 1e-11, "beaten")
      end
    end)
  end)

  it("is bounded by the dual at any other multiplier", function()
    cases.run(40, 4, function(rng)
      local problem = random_problem(rng, { zeros = 0.2 })
      local delta, sum = 0.1, problem.rho:sum()
      local _, info = step(steps.with(problem, { method = "trust_region_mean", delta = delta }))
      for k = -3, 3 do
        local lambda = math.max(info.lambda, 1e-3) * 1.7 ^ k
        local _, rows = trpo.mdp.kl_penalty(problem.policy, problem.advantages, lambda)
        local dual = lambda * delta * sum + problem.rho:dot(rows.gain - rows.kl * lambda)
        assert.is_true(dual >= info.gain - 1e-11)
      end
    end)
  end)

  it("grows with delta, and by the multiplier", function()
    local problem = steps.problem(trpo.rng(3), 8, 4, 0.9, { zeros = 0.2 })
    local before = 0
    for k = -30, 6 do
      local delta = 2 ^ k
      local function gain(d) return select(2, step(steps.with(problem, { method = "trust_region_mean", delta = d }))) end
      local info = gain(delta)
      assert.is_true(info.gain > before * (1 - 1e-13))
      if k > -12 and k < 2 then
        local slope = (gain(delta * 1.0001).gain - gain(delta * 0.9999).gain) / (0.0002 * delta)
        assert.is_near(1, slope / (info.lambda * problem.rho:sum()), 1e-5)
      end
      before = info.gain
    end
  end)

  it("reaches any delta, also where probabilities underflow", function()
    local problem = steps.problem(trpo.rng(4), 5, 3, 0.9)
    for _, delta in ipairs { 50, 1e3, 1e5 } do
      local _, info = step(steps.with(problem, { method = "trust_region_mean", delta = delta, log_policy = true }))
      local kl = {}
      for s = 1, 5 do kl[s] = steps.kl(problem.policy[s]:totable(), info.log_policy[s]:totable()) end
      assert.is_near(1, info.kl_mean / delta, 1e-12)
      assert.is_near(1, steps.mean(problem, kl) / delta, 1e-12)
    end
    -- nearly deterministic: what little mass there is must go very far
    local p = T { { 1 - 1e-10, 1e-10 } }
    local _, info = step { method = "trust_region_mean", policy = p, advantages = T { { 1e-10, -1 } }, rho = T { 1 }, delta = 0.01,
                           log_policy = true }
    assert.is_near(1, steps.kl(p[1]:totable(), info.log_policy[1]:totable()) / 0.01, 1e-10)
  end)

  it("moves mass to actions the policy did not take", function()
    local q, info = step { method = "trust_region_mean", policy = T { { 1, 0 } }, advantages = T { { 0, 2 } }, rho = T { 3 }, delta = 0.5 }
    assert.is_near(math.exp(-0.5), q[1][1], 1e-14)
    assert.is_near(6 * (1 - math.exp(-0.5)), info.gain, 1e-13)
    assert.is_near(2 * math.exp(-0.5), info.lambda, 1e-13)
  end)

  it("leaves an optimal policy alone", function()
    local problem = steps.problem(trpo.rng(5), 4, 3, 0.9)
    problem.advantages = problem.advantages * 0
    local q, info = step(steps.with(problem, { method = "trust_region_mean", delta = 0.1 }))
    assert.are.same(problem.policy:totable(), q:totable())
    assert.are.same({ "optimal", 0, 0 }, { info.status, info.gain, info.kl_max })
  end)

  it("keeps unreached states if asked to", function()
    local problem = steps.problem(trpo.rng(6), 5, 3, 0.9)
    problem.rho[2] = 0
    local follow = step(steps.with(problem, { method = "trust_region_mean", delta = 0.1 }))
    local keep, info = step(steps.with(problem, { method = "trust_region_mean", delta = 0.1, unreached = "keep" }))
    assert.are.same(problem.policy[2]:totable(), keep[2]:totable())
    local limit = trpo.mdp.kl_penalty(problem.policy[2], problem.advantages[2], info.lambda)
    assert.is_true((follow[2] - limit):abs():max() < 1e-13)
  end)
end)

describe("the trust region of the largest KL", function()
  it("is the ball of each state", function()
    cases.run(60, 7, function(rng)
      local problem = random_problem(rng, { zeros = 0.2, unreached = 0.2 })
      local delta = 10 ^ (-8 + 9 * rng:uniform())
      local q, info = step(steps.with(problem, { method = "trust_region_max", delta = delta, log_policy = true }))
      local other, rows = trpo.mdp.kl_ball(problem.policy, problem.advantages, delta)
      assert.are.same(other:totable(), q:totable())
      assert.are.same(rows.log_q:totable(), info.log_policy:totable())
      local scale = steps.epsilon(problem) * problem.rho:sum()
      assert.is_near(problem.rho:dot(rows.gain), info.gain, 1e-13 * scale)
      assert.is_near(problem.rho:dot(rows.lambda), info.lambda, 1e-12 * info.lambda)
      assert(math.abs(info.gap) <= 1e-12 * scale, "gap " .. info.gap)
      assert(info.kkt <= 1e-9)
      if info.status == "ok" then assert.is_near(delta, info.kl_max, 1e-12 * delta) end
    end)
  end)

  it("gains no more than the mean's region of the same delta", function()
    cases.run(40, 8, function(rng)
      local problem = random_problem(rng, { zeros = 0.2 })
      local _, largest = step(steps.with(problem, { method = "trust_region_max", delta = 0.05 }))
      local _, mean = step(steps.with(problem, { method = "trust_region_mean", delta = 0.05 }))
      assert.is_true(largest.gain <= mean.gain * (1 + 1e-12))
    end)
  end)

  it("tells what is optimal", function()
    local _, info = step { method = "trust_region_max", policy = T { { 0, 1 } }, advantages = T { { -1, 0 } }, rho = T { 1 }, delta = 1 }
    assert.are.same({ "optimal", 0, 0 }, { info.status, info.gain, info.tv_max })
  end)
end)

describe("policy iteration's step", function()
  it("takes the best action, the lowest of equals", function()
    local q, info = step {
      method = "policy_iteration", policy = T { { 0.5, 0.25, 0.25 }, { 0, 0, 1 } }, advantages = T { { -1, 1, 1 }, { 2, -math.huge, 0 } },
      rho = T { 2, 3 },
    }
    assert.are.same({ { 0, 1, 0 }, { 1, 0, 0 } }, q:totable())
    assert.are.same({ "ok", 2 * 1 + 3 * 2, 1, math.huge }, { info.status, info.gain, info.tv_max, info.kl_max })
  end)

  it("keeps a deterministic action that is as good", function()
    local q, info = step { method = "policy_iteration", policy = T { { 0, 1 } }, advantages = T { { 1e-14, 0 } }, rho = T { 1 },
                           tolerance = 1e-12 }
    assert.are.same({ { 0, 1 } }, q:totable())
    assert.are.same({ "optimal", 0, 0 }, { info.status, info.gain, info.kl_max })
  end)

  it("keeps unreached states if asked to", function()
    local q = step { method = "policy_iteration", policy = T { { 0.5, 0.5 }, { 0.5, 0.5 } }, advantages = T { { -1, 1 }, { -1, 1 } },
                     rho = T { 1, 0 }, unreached = "keep" }
    assert.are.same({ { 0, 1 }, { 0.5, 0.5 } }, q:totable())
  end)
end)

describe("trust regions at the ends of the range", function()
  local function row_sums(q) return (q:sum(2) - 1):abs():max() end

  it("keep distributions where the best action is all but impossible", function()
    for _, best in ipairs { 1e-12, 1e-17, 3.55e-18, 1e-20, 1e-40 } do
      for _, delta in ipairs { 1e-18, 1e-9, 0.01, 2 } do
        local problem = { policy = T { { 1 - best, best } }, advantages = T { { 0, 1 } }, rho = T { 10 }, gamma = 0.05 }
        for _, method in ipairs { "trust_region_max", "trust_region_mean" } do
          local q, info = step(steps.with(problem, { method = method, delta = delta }))
          assert.is_true(row_sums(q) < 1e-15)
          assert(info.kkt < 1e-14 or method == "trust_region_mean", "kkt " .. info.kkt)
          if method == "trust_region_max" or info.kl_mean > 0.9 * delta then
            local z = steps.paired_ball({ 1 - best, best }, { 0, 1 }, delta)
            assert.is_near(1, info.gain / (10 * best * z[2]), method == "trust_region_max" and 1e-11 or 0.1)
          end
        end
      end
    end
  end)

  it("never leave the region of the mean KL, however small", function()
    cases.run(100, 21, function(rng, note)
      local p, a = steps.unlikely(rng)
      local delta = 10 ^ (-24 + 25 * rng:uniform())
      note(table.concat(p, ","), table.concat(a, ","), delta)
      local q, info = step { method = "trust_region_mean", policy = T { p }, advantages = T { a }, rho = T { 3 }, gamma = 0.9,
        delta = delta }
      assert.is_true(row_sums(q) < 1e-14)
      assert(info.kl_mean <= delta * (1 + 1e-11), "mean KL " .. info.kl_mean)
    end)
  end)

  it("are stationary for tiny radii", function()
    for _, delta in ipairs { 1e-300, 1e-36, 3e-18, 1e-12 } do
      for _, method in ipairs { "trust_region_max", "trust_region_mean" } do
        local _, info = step { method = method, policy = T { { 0.2, 0.3, 0.5 } }, advantages = T { { 1, -0.5, 2 } }, rho = T { 2 },
          gamma = 0.9, delta = delta }
        assert(info.kkt < 1e-14, "kkt " .. info.kkt)
      end
    end
  end)

  it("leave states alone whose advantages are nothing beside the multiplier", function()
    local q, info = step { method = "trust_region_mean", policy = T { { 0.5, 0.5 }, { 0.5, 0.5 } },
      advantages = T { { 1e10, -1e10 }, { 1e-300, -1e-300 } }, rho = T { 1, 1 }, gamma = 0.9, delta = 0.01 }
    assert.are.same({ 0.5, 0.5 }, q[2]:totable())
    assert.is_near(0.01, info.kl_mean, 1e-14)
    assert.is_near(1, q[1][1] + q[1][2], 1e-15)
  end)

  it("find the multiplier where variances lose their digits", function()
    local q, info = step { method = "trust_region_mean", delta = 1.0336126951479e-4, rho = T { 1 }, gamma = 0.9,
      policy = T { { 0.26934802367615, 0.2497663784163, 0.26075996958667, 0.22012562832088 } },
      advantages = T { { 5.323918126497e-146, 5.3239181265129e-146, 5.3239181264916e-146, 5.3239181264916e-146 } } }
    assert.is_near(1, q:sum(), 1e-14)
    assert.is_near(1, info.kl_mean / 1.0336126951479e-4, 1e-11)
  end)

  it("report a finite kkt where probabilities underflow", function()
    for _, delta in ipairs { 650, 700, 711.13208992777, 740, 1000 } do
      local _, info = step { method = "trust_region_max", delta = delta, rho = T { 1 }, gamma = 0.9,
        policy = T { { 0.0093, 0.7359, 0.0715, 0.1833 } }, advantages = T { { -0.14, -1.74, -0.77, 1 } } }
      assert(info.kkt < 1e-11, "kkt " .. info.kkt)
    end
  end)

  it("improve until nothing is left to gain", function()
    local last
    for i in trpo.mdp.garnet({ states = 20, actions = 4, branching = 3, seed = 8, gamma = 0.95 })
      :improve { method = "trust_region_max", delta = 2, iterations = 60 } do
      last = i
    end
    assert.is_true(last ~= nil)
  end)
end)
