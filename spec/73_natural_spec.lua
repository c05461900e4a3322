-- Gradient steps of softmax policies: the natural gradient in closed form, its Fisher matrix, and the plain gradient.
local cases = require("support.cases").exact
local misuse = require "support.misuse"
local steps = require "support.steps"
local trpo = require "trpo"

local mdp, step = trpo.mdp, trpo.mdp.step
local T = trpo.tensor

local function random_problem(rng, options)
  return steps.problem(rng, rng:integer(1, 7), rng:integer(2, 5), 0.9, options)
end

local function weights(problem) return problem.rho / problem.rho:sum() end

-- softmax of logits, by rows
local function softmax(logits)
  local p = (logits - logits:max(2, true)):exp()
  return p / p:sum(2, true)
end

describe("the Fisher matrix", function()
  it("is the Hessian of the weighted KL in the logits", function()
    local rng = trpo.rng(1)
    local problem = steps.problem(rng, 3, 3, 0.9)
    local w = weights(problem)
    local F = mdp.fisher(problem.policy, w)
    assert.are.same({ 9, 9 }, F:size())
    local function kl(direction)
      local q = softmax(problem.policy:log() + direction)
      return steps.mean(problem, select(2, steps.measure(problem, q)))
    end
    for _ = 1, 20 do
      local v = trpo.randn(rng, 3, 3)
      local flat, h = v:view(-1), 1e-4
      local quadratic = flat:dot(F:mv(flat))
      assert.is_near(quadratic, (kl(v * h) + kl(v * -h)) / h ^ 2, 1e-6)
      assert.is_true((mdp.fisher_product(problem.policy, w, v):view(-1) - F:mv(flat)):abs():max() < 1e-15)
    end
  end)

  it("is symmetric, singular along constants, and block diagonal", function()
    local problem = steps.problem(trpo.rng(2), 4, 3, 0.9, { zeros = 0.3 })
    local F = mdp.fisher(problem.policy, problem.rho)
    assert.are.equal(0, (F - F:t()):abs():max())
    for s = 1, 4 do
      local v = trpo.zeros(4, 3)
      for a = 1, 3 do v[s][a] = 1 end
      assert.is_true(F:mv(v:view(-1)):abs():max() < 1e-15)
      for other = 1, 4 do
        if other ~= s then assert.are.equal(0, F[3 * s][3 * other]) end
      end
    end
  end)
end)

describe("the natural gradient", function()
  it("is the advantages less a constant, by the pseudo-inverse and by conjugate gradients too", function()
    cases.run(40, 3, function(rng)
      local problem = random_problem(rng, { zeros = 0.2, unreached = 0.2 })
      local pi, A, rho = problem.policy, problem.advantages, problem.rho
      local x, info = mdp.natural_gradient(pi, A, rho)
      local scale = math.max(x:abs():max(), 1e-300)
      assert(info.residual <= 1e-13, "residual " .. info.residual)
      local y, other = mdp.natural_gradient(pi, A, rho, { route = "pseudo_inverse" })
      assert((x - y):abs():max() <= 1e-9 * scale, "pseudo-inverse")
      local z, cg = mdp.natural_gradient(pi, A, rho, { route = "cg", tolerance = 1e-14 })
      assert((x - z):abs():max() <= 1e-8 * scale, "conjugate gradients")
      for _, it in ipairs { other, cg } do assert.is_near(info.gx, it.gx, 1e-9 * info.gx) end
      -- g'F+g = sum rho E A^2 sum rho
      local square = (rho * (pi * A * A):sum(2)):sum() * rho:sum()
      assert.is_near(square, info.gx, 1e-12 * square)
    end)
  end)

  it("solves F x = g in trpo.linalg's pseudo-inverse as well", function()
    local problem = steps.problem(trpo.rng(4), 4, 3, 0.9)
    local g = mdp.policy_gradient(problem.policy, problem.advantages, problem.rho)
    local F = mdp.fisher(problem.policy, weights(problem))
    local x = trpo.linalg.pinv(F):mv(g:view(-1))
    assert.is_true((x - mdp.natural_gradient(problem.policy, problem.advantages, problem.rho):view(-1)):abs():max() < 1e-9)
  end)

  it("belongs to the gradient of the surrogate", function()
    local rng = trpo.rng(5)
    local problem = steps.problem(rng, 3, 4, 0.9)
    local g = mdp.policy_gradient(problem.policy, problem.advantages, problem.rho)
    for _ = 1, 10 do
      local v, h = trpo.randn(rng, 3, 4), 1e-5
      local function surrogate(x) return (steps.measure(problem, softmax(problem.policy:log() + v * x))) end
      assert.is_near(g:view(-1):dot(v:view(-1)), (surrogate(h) - surrogate(-h)) / (2 * h), 1e-7)
    end
  end)

  it("is nothing where the policy is deterministic", function()
    local problem = steps.problem(trpo.rng(6), 3, 3, 0.9, { deterministic = true })
    for _, route in ipairs { "closed", "pseudo_inverse", "cg" } do
      local x, info = mdp.natural_gradient(problem.policy, problem.advantages, problem.rho, { route = route })
      assert.are.equal(0, x:abs():max())
      assert.are.same({ 0, 0, "ok" }, { info.gx, info.residual, info.status })
    end
    local q, info = step(steps.with(problem, { method = "natural", delta = 0.1 }))
    assert.are.same(problem.policy:totable(), q:totable())
    assert.are.equal(problem.advantages:max() > 0 and "stalled" or "optimal", info.status)
  end)
end)

describe("the natural step", function()
  it("is old exp(step A) with exactly the mean KL that is asked for", function()
    cases.run(80, 7, function(rng, note)
      local problem = random_problem(rng, { zeros = 0.2, unreached = 0.2, scale = 10 ^ (20 * rng:uniform() - 10) })
      local delta = 10 ^ (-12 + 12 * rng:uniform())
      note(delta)
      local q, info = step(steps.with(problem, { method = "natural", delta = delta, log_policy = true }))
      if info.status ~= "ok" then return end
      assert.is_near(1, info.kl_mean / delta, 1e-12)
      local gain, kl, tv = steps.measure(problem, q, info.log_policy)
      assert.is_near(delta, steps.mean(problem, kl), 1e-12 * delta + 1e-14)
      assert.is_near(gain, info.gain, 1e-13 * steps.epsilon(problem) * problem.rho:sum())
      assert.is_near(steps.largest(tv), info.tv_max, 1e-14)
      assert.is_near(steps.largest(kl), info.kl_max, 1e-12 * info.kl_max + 1e-14)
      local expected = problem.policy * (problem.advantages * info.step - (problem.advantages * info.step):max(2, true)):exp()
      assert.is_true((q - expected / expected:sum(2, true)):abs():max() < 1e-12)
    end)
  end)

  it("has the quadratic model's step sqrt(2 delta / E A^2) if asked to", function()
    local problem = steps.problem(trpo.rng(8), 6, 3, 0.9)
    local mean = (weights(problem) * (problem.policy * problem.advantages * problem.advantages):sum(2)):sum()
    local _, info = step(steps.with(problem, { method = "natural", delta = 0.02, line_search = "quadratic" }))
    assert.is_near(1, info.step / math.sqrt(0.04 / mean), 1e-12)
    assert.is_near(1, info.kl_mean / 0.02, 0.3)
    -- the first order of the exact one
    local _, exact = step(steps.with(problem, { method = "natural", delta = 1e-10 }))
    assert.is_near(1, exact.step / math.sqrt(2e-10 / mean), 1e-4)
  end)

  it("agrees with the exact trust region to first order, and never gains more", function()
    cases.run(40, 9, function(rng)
      local problem = random_problem(rng)
      for _, case in ipairs { { 1e-8, 0.9999 }, { 1e-4, 0.99 }, { 0.1, 0 } } do
        local _, natural = step(steps.with(problem, { method = "natural", delta = case[1] }))
        local _, exact = step(steps.with(problem, { method = "trust_region_mean", delta = case[1] }))
        local ratio = natural.gain / exact.gain
        assert(ratio <= 1 + 1e-12 and ratio >= case[2], "ratio " .. ratio)
      end
    end)
  end)

  it("reaches a large delta by the log-sum-exp", function()
    local problem = steps.problem(trpo.rng(10), 5, 3, 0.9)
    for _, delta in ipairs { 10, 1000, 1e6 } do
      local q, info = step(steps.with(problem, { method = "natural", delta = delta, log_policy = true }))
      local kl = {}
      for s = 1, 5 do kl[s] = steps.kl(problem.policy[s]:totable(), info.log_policy[s]:totable()) end
      assert.is_near(1, steps.mean(problem, kl) / delta, 1e-12)
      assert.is_near(1, q:sum(2):min(), 1e-14)
    end
  end)

  it("takes a step of a given size, and leaves unreached states as it is told", function()
    local problem = steps.problem(trpo.rng(11), 4, 3, 0.9)
    problem.rho[2] = 0
    local q, info = step(steps.with(problem, { method = "natural", step = 0.3 }))
    local expected = softmax(problem.policy:log() + problem.advantages * 0.3)
    assert.are.equal(0.3, info.step)
    assert.is_true((q - expected):abs():max() < 1e-15)
    local keep = step(steps.with(problem, { method = "natural", step = 0.3, unreached = "keep" }))
    assert.are.same(problem.policy[2]:totable(), keep[2]:totable())
    assert.are.same(q[3]:totable(), keep[3]:totable())
  end)
end)

describe("the gradient step", function()
  it("moves the logits along the gradient", function()
    local problem = steps.problem(trpo.rng(12), 4, 3, 0.9)
    local g = mdp.policy_gradient(problem.policy, problem.advantages, problem.rho)
    local q, info = step(steps.with(problem, { method = "gradient", step = 0.05 }))
    assert.is_true((q - softmax(problem.policy:log() + g * 0.05)):abs():max() < 1e-15)
    assert.is_near(steps.measure(problem, q), info.gain, 1e-13)
  end)

  it("has exactly the mean KL that is asked for, and gains less than the natural step when it is small", function()
    cases.run(40, 13, function(rng)
      local problem = random_problem(rng, { zeros = 0.2 })
      local q, info = step(steps.with(problem, { method = "gradient", delta = 1e-4, log_policy = true }))
      if info.status ~= "ok" then return end
      local _, kl = steps.measure(problem, q, info.log_policy)
      assert.is_near(1e-4, steps.mean(problem, kl), 1e-14)
      local _, natural = step(steps.with(problem, { method = "natural", delta = 1e-4 }))
      assert.is_true(info.gain <= natural.gain * (1 + 1e-2))
    end)
  end)
end)

describe("trpo.mdp.natural_gradient and its relatives refuse", function()
  local pi, A, rho = T { { 0.5, 0.5 } }, T { { 1, -1 } }, T { 1 }
  local natural = mdp.natural_gradient
  local what = "trpo.mdp.natural_gradient: "
  misuse.each(it, {
    { "a policy that is none", natural, { T { { 1, 1 } }, A, rho }, what .. "pi must be a distribution, in state 1 it sums to 2" },
    { "a NaN among the advantages", natural, { pi, T { { 0 / 0, 1 } }, rho }, what .. "advantages must be numbers up to 1e300" },
    { "rho of another size", natural, { pi, A, T { 1, 2 } }, what .. "rho must have size [1], got [2]" },
    { "options that are no table", natural, { pi, A, rho, 3 }, what .. "options must be a table, got 3" },
    { "an unknown route", natural, { pi, A, rho, { route = "close" } }, what .. "unknown route 'close', did you mean 'closed'?" },
    { "no iterations", natural, { pi, A, rho, { iterations = 0 } }, what .. "iterations must be an integer >= 1, got 0" },
    { "an unknown option", natural, { pi, A, rho, { tolerence = 0 } }, what .. "unknown option 'tolerence', did you mean 'tolerance'?" },
    { "weights of another size", mdp.fisher, { pi, T { 1, 2 } }, "trpo.mdp.fisher: w must have size [1], got [2]" },
    { "negative weights", mdp.fisher, { pi, T { -1 } }, "trpo.mdp.fisher: w must be finite numbers >= 0, in state 1 it is -1" },
    { "too many pairs for a matrix", mdp.fisher, { trpo.ones(1100000, 1), trpo.ones(1100000) },
      "trpo.mdp.fisher: the matrix of 1100000 pairs of state and action is too large; use fisher_product" },
    { "a vector of another size", mdp.fisher_product, { pi, rho, T { { 1, 2, 3 } } },
      "trpo.mdp.fisher_product: v must have size [1, 2], got [1, 3]" },
    { "no advantages", mdp.policy_gradient, { pi, nil, rho }, "trpo.mdp.policy_gradient: advantages must be a tensor, got nil" },
  })
end)

describe("steps of the logits that are large", function()
  it("end in a distribution on the best action", function()
    for _, method in ipairs { "natural", "gradient" } do
      for exponent = 0, 200, 4 do
        local q, info = step { method = method, step = 1.3254374545923e0 * 10 ^ exponent, rho = T { 1 }, gamma = 0,
          policy = T { { 0.99999851369232506, 1.4863076751414806e-06 } },
          advantages = T { { 1.3570488022196514e-07, -0.091303221362827425 } } }
        assert.is_near(1, q[1][1] + q[1][2], 1e-14)
        assert.are.equal("ok", info.status)
        if exponent > 20 then assert.are.same({ 1, 0 }, q[1]:totable()) end
      end
    end
  end)

  it("are refused where they overflow, rather than end in NaN", function()
    local q, message, code = step { method = "natural", step = 1e200, policy = T { { 0.5, 0.5 } }, advantages = T { { 1e200, -1e200 } },
      rho = T { 1 }, gamma = 0.9 }
    assert.is_nil(q)
    assert.is_string(message)
    assert.are.equal("not_finite", code)
  end)
end)
