-- The Fisher information of a policy, the KL gradient, and conjugate gradients on them.
local trpo = require "trpo"
local oracle = require "support.oracle"

local CASES = {
  { O = 3, A = 3, hidden = { 6 }, discrete = true },
  { O = 3, A = 3, hidden = { 5, 4 }, discrete = true },
  { O = 3, A = 2, hidden = { 6 } },
  { O = 3, A = 2, hidden = { 5, 4 } },
}

for i, case in ipairs(CASES) do
  local policy = oracle.policy(case)
  local P, N = policy:size(), 37
  local rng = trpo.rng(60 + i)
  local observations = trpo.randn(rng, N, case.O)
  local function direction()
    local v = trpo.randn(rng, P)
    return v * (1 / v:norm())
  end

  describe(("the Fisher product of a %s policy with %d hidden layers"):format(policy.distribution, #case.hidden), function()
    local F = oracle.fisher(policy, observations)

    it("is that of the dense Fisher matrix, built column by column", function()
      for _ = 1, 5 do
        local v = direction()
        local error = oracle.relative(oracle.times(F, v:totable()), policy:fisher_product(observations, v))
        assert.is_true(error < 1e-12, tostring(error))
      end
    end)

    it("is the derivative of the KL gradient", function()
      local v, theta, other = direction(), policy:theta(), policy:clone()
      local differences = oracle.difference(function(h)
        return policy:kl_gradient(other:set_theta(theta + v * h), observations):totable()
      end, 1e-3)
      local error = oracle.relative(differences, policy:fisher_product(observations, v))
      assert.is_true(error < 1e-9, tostring(error))
    end)

    it("is symmetric and positive semidefinite", function()
      for _ = 1, 5 do
        local u, v = direction(), direction()
        local Fu, Fv = policy:fisher_product(observations, u), policy:fisher_product(observations, v)
        assert.is_true(math.abs(v:dot(Fu) - u:dot(Fv)) < 1e-14)
        assert.is_true(v:dot(Fv) >= 0)
      end
    end)

    it("is linear, and not damped", function()
      local u, v = direction(), direction()
      local sum = policy:fisher_product(observations, u) * 2 + policy:fisher_product(observations, v)
      assert.is_true(oracle.relative(sum, policy:fisher_product(observations, u * 2 + v)) < 1e-12)
      assert.are.equal(0, policy:fisher_product(observations, trpo.zeros(P)):norm())
    end)

    it("agrees in single precision", function()
      local single = oracle.policy {
        O = case.O, A = case.A, hidden = case.hidden, discrete = case.discrete, precision = "single",
      }
      local v = direction()
      local error = oracle.relative(policy:fisher_product(observations, v), single:fisher_product(observations, v))
      assert.is_true(error < 2e-6, tostring(error))
    end)

    it("leaves its arguments and the policy alone", function()
      local v = direction()
      local before = oracle.bits(v) .. oracle.bits(observations) .. oracle.bits(policy:theta())
      policy:fisher_product(observations, v)
      assert.are.equal(before, oracle.bits(v) .. oracle.bits(observations) .. oracle.bits(policy:theta()))
    end)

    it("is inverted by trpo.cg as by LAPACK", function()
      for _, damping in ipairs { 0.1, 1e-3 } do
        local b = direction()
        local damped = {}
        for k = 1, P do
          damped[k] = { unpack(F[k]) }
          damped[k][k] = F[k][k] + damping
        end
        local x, info = trpo.cg(function(v) return policy:fisher_product(observations, v) end, b,
          { iterations = 4 * P, tolerance = 1e-13, damping = damping })
        local exact = trpo.linalg.solve(trpo.tensor(damped), b)
        assert.is_true(oracle.relative(exact, x) < 1e-9)
        assert.is_true(info.residual <= 1e-13)
        assert.is_true(math.abs(info.xbx / oracle.dot(x:totable(), oracle.times(F, x:totable())) - 1) < 1e-9)
      end
    end)
  end)

  describe(("the KL of a %s policy with %d hidden layers"):format(policy.distribution, #case.hidden), function()
    local other = policy:clone():set_theta(policy:theta() + direction() * 0.7)

    it("is KL(self || other) of the rows' parameters", function()
      local dist = trpo.distribution[policy.distribution]
      local expected = dist.kl(policy:forward(observations), other:forward(observations))
      local turned = dist.kl(other:forward(observations), policy:forward(observations))
      assert.is_true(oracle.relative(expected, policy:kl(other, observations)) < 1e-13)
      assert.is_true(oracle.relative(turned, policy:kl(other, observations)) > 1e-3)
    end)

    it("has a gradient in other's parameters that agrees with central differences", function()
      local theta, third = other:theta(), other:clone()
      local gradient = policy:kl_gradient(other, observations)
      for _ = 1, 4 do
        local v = direction()
        local slope = oracle.difference(function(h)
          return { policy:kl(third:set_theta(theta + v * h), observations):mean() }
        end, 1e-3)[1]
        assert.is_true(math.abs(slope - gradient:dot(v)) < 1e-10 * math.max(1, gradient:norm()))
      end
    end)

    it("is exactly 0 at itself, and so is its gradient, in both precisions", function()
      for _, precision in ipairs { "single", "double" } do
        local same = oracle.policy {
          O = case.O, A = case.A, hidden = case.hidden, discrete = case.discrete, precision = precision,
        }
        local many = trpo.randn(trpo.rng(70), 401, case.O)
        assert.are.equal(0, same:kl(same:clone(), many):max())
        assert.are.equal(0, same:kl(same, many):min())
        assert.are.equal(0, same:kl_gradient(same:clone(), many):norm())
      end
    end)
  end)

  describe(("the score of a %s policy with %d hidden layers"):format(policy.distribution, #case.hidden), function()
    local actions = policy:sample(observations, rng)
    local weights = trpo.randn(rng, N)

    it("is the dense gradient, and the slope of the weighted log-probability", function()
      local gradient = policy:log_prob_gradient(observations, actions, weights)
      local expected = oracle.gradient(policy, observations, actions:totable(), weights:totable())
      assert.is_true(oracle.relative(expected, gradient) < 1e-12)
      local v, theta, other = direction(), policy:theta(), policy:clone()
      local slope = oracle.difference(function(h)
        return { other:set_theta(theta + v * h):log_prob(observations, actions):dot(weights) / N }
      end, 1e-3)[1]
      assert.is_true(math.abs(slope - gradient:dot(v)) < 1e-10)
    end)
  end)
end

-- J' M J v / N from the tangent, the distribution's metric and the reverse pass, each checked on its own elsewhere
local function by_parts(policy, observations, v)
  local dist = trpo.distribution[policy.distribution]
  local dot = dist.fisher(policy:forward(observations), policy:jvp(observations, v))
  return policy:vjp(observations, dot) * (1 / observations:size(1))
end

-- O, A, hidden, discrete, activation: one to four hidden layers, no width a multiple of anything, and the usual ones
local SHAPES = {
  { 3, 1, { 5 }, false, "tanh" },
  { 5, 1, { 7, 3 }, true, "relu" },
  { 4, 2, { 64, 64 }, true, "tanh" },
  { 11, 3, { 64, 64 }, false, "tanh" },
  { 5, 4, { 17 }, true, "relu" },
  { 17, 6, { 33, 17, 70 }, false, "relu" },
  { 1, 32, { 20, 1, 3, 40 }, true, "tanh" },
  { 2, 3, { 16, 48, 65 }, true, "identity" },
  { 40, 17, { 31, 64 }, false, "tanh" },
  { 6, 5, { 70, 70 }, true, "tanh" },
  { 3, 31, { 8, 9, 10, 11 }, false, "identity" },
}

describe("both forms of the Fisher product", function()
  for i, shape in ipairs(SHAPES) do
    local O, A, hidden, discrete, activation = unpack(shape)
    local title = ("%d-%s-%d %s %s"):format(O, table.concat(hidden, "-"), A, activation, discrete and "categorical" or "Gaussian")
    local rng = trpo.rng(300 + i)
    local N = ({ 1, 37, 193, 411 })[i % 4 + 1]
    local observations = trpo.randn(rng, N, O) * 2

    local function make(precision)
      local policy = trpo.policy {
        observation = trpo.space.box { shape = { O } }, hidden = hidden, activation = activation, precision = precision,
        action = discrete and trpo.space.discrete(A) or trpo.space.box { shape = { A } },
        rng = trpo.rng(i), normalize_observations = true,
      }
      policy:update_normalizer(observations)
      return policy:set_theta(policy:theta() + trpo.randn(trpo.rng(i), policy:size()) * 0.2)
    end

    it("compute the same: " .. title, function()
      local double, single = make "double", make "single"
      local v = trpo.randn(rng, double:size())
      local expected = by_parts(double, observations, v)
      -- a softmax over one action, or nearly so, has next to no information: an absolute error is all there is
      local size = math.max(expected:norm(), 1e-6 * v:norm())
      local function error_of(policy, form)
        return (policy:fisher_product(observations, v, { form = form }) - expected):norm() / size
      end
      for form, bound in pairs { classical = 1e-14, cached = 1e-14, auto = 1e-14 } do
        assert.is_true(error_of(double, form) < bound, ("%s, double: %g"):format(form, error_of(double, form)))
        assert.is_true(error_of(single, form) < 2e-6, ("%s, single: %g"):format(form, error_of(single, form)))
      end
    end)
  end

  it("give the same bits on one, two and three threads", function()
    local threads = trpo.threads()
    finally(function() trpo.threads(threads) end)
    for _, discrete in ipairs { true, false } do
      local policy = oracle.policy { O = 3, A = 3, hidden = { 33, 17 }, discrete = discrete, precision = "single" }
      local observations, v = trpo.randn(trpo.rng(1), 4711, 3), trpo.randn(trpo.rng(2), policy:size())
      for _, form in ipairs { "classical", "cached" } do
        local seen = {}
        for count = 1, 3 do
          trpo.threads(count)
          seen[count] = oracle.bits(policy:fisher_product(observations, v, { form = form }))
        end
        assert.are.equal(seen[1], seen[2])
        assert.are.equal(seen[1], seen[3])
      end
    end
  end)

  it("stay accurate in single precision over many rows", function()
    local case = { O = 3, A = 2, hidden = { 16, 16 } }
    local double = oracle.policy(case)
    case.precision = "single"
    local single = oracle.policy(case)
    local observations, v = trpo.randn(trpo.rng(1), 50001, 3), trpo.randn(trpo.rng(2), double:size())
    local expected = double:fisher_product(observations, v, { form = "classical" })
    for _, form in ipairs { "classical", "cached" } do
      local error = oracle.relative(expected, single:fisher_product(observations, v, { form = form }))
      assert.is_true(error < 2e-6, form .. ": " .. error)
    end
  end)

  it("agree where activations are denormal, and leave denormals to Lua", function()
    for _, precision in ipairs { "single", "double" } do
      local policy = oracle.policy { O = 3, A = 2, hidden = { 20, 17 }, precision = precision }
      policy:set_theta(policy:theta() * (precision == "single" and 1e-20 or 1e-160))
      local observations, v = trpo.randn(trpo.rng(1), 300, 3), trpo.randn(trpo.rng(2), policy:size())
      local classical = policy:fisher_product(observations, v, { form = "classical" })
      assert.is_true(oracle.relative(classical, policy:fisher_product(observations, v, { form = "cached" })) < 2e-6)
      local small = assert(tonumber "1e-308")
      assert.is_true(small / 4 > 0)
    end
  end)

  it("have names, and a policy without hidden layers knows the classical one only", function()
    local policy = oracle.policy { hidden = {} }
    local v = trpo.randn(trpo.rng(1), policy:size())
    local observations = trpo.randn(trpo.rng(2), 9, 3)
    assert.are.equal(oracle.bits(policy:fisher_product(observations, v, { form = "classical" })),
      oracle.bits(policy:fisher_product(observations, v, { form = "cached" })))
    assert.has_error(function() policy:fisher_product(observations, v, { form = "fast" }) end)
    assert.has_error(function() policy:fisher_product(observations, v, { kind = "cached" }) end)
    assert.has_error(function() policy:fisher_product(observations, v, "cached") end)
  end)
end)

describe("an infinite direction", function()
  it("is reported, not computed with", function()
    local policy = oracle.policy {}
    local v = policy:theta()
    v[1] = math.huge
    local product, message, code = policy:fisher_product(trpo.ones(4, 3), v)
    assert.is_nil(product)
    assert.are.equal("not_finite", code)
    assert.are.equal("string", type(message))
  end)
end)
