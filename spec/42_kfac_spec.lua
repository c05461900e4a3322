-- K-FAC: its factors against dense Jacobians, its inverse against LAPACK, and the update that it preconditions.
local trpo = require "trpo"
local misuse = require "support.misuse"
local oracle = require "support.oracle"

local function batch_of(policy, N, seed)
  local observations, actions, advantages = oracle.data(policy, N, seed)
  return trpo.batch { policy = policy, observations = observations, actions = actions, advantages = advantages }
end

local function widths_of(case)
  local widths = { case.O }
  for _, width in ipairs(case.hidden) do widths[#widths + 1] = width end
  widths[#widths + 1] = case.A
  return widths
end

-- parameters in which the weights W_l [in][out] of layer l begin, counted from 0; the bias follows
local function offsets(widths)
  local list, at = {}, 0
  for l = 1, #widths - 1 do
    list[l] = at
    at = at + (widths[l] + 1) * widths[l + 1]
  end
  return list
end

-- The factors by their definition. The derivative by a bias of layer l is that by the layer's sum, and the derivative by a
-- weight W_ij is h_i times that of the bias j.
local function dense_factors(policy, widths, activation, observations)
  local J, params = oracle.jacobian(policy, observations), policy:forward(observations):totable()
  local metric, rows, A, factors = oracle.distribution(policy).metric, #params, widths[#widths], {}
  local theta, obs = policy:theta():totable(), observations:totable()
  for l, offset in ipairs(offsets(widths)) do
    local m, p = widths[l + 1], widths[l] + 1
    local a, s = trpo.zeros(p, p), trpo.zeros(m, m)
    local prefix = { unpack(widths, 1, l) }
    for n = 1, rows do
      local M = trpo.tensor(metric(params[n])):narrow(1, 1, A):narrow(2, 1, A)
      local d, h = {}, {} -- d[j][k]: derivative of output k by the sum j
      for j = 1, m do d[j] = { unpack(J[offset + (p - 1) * m + j][n], 1, A) } end
      local x = oracle.mlp(theta, prefix, activation, obs[n])
      for i = 1, p do
        -- the sums of a layer are what oracle.mlp returns for a network that ends there
        h[i] = i == p and 1 or l == 1 and x[i] or
          activation == "tanh" and (1 - 2 / (math.exp(2 * x[i]) + 1)) or
          activation == "relu" and math.max(x[i], 0) or x[i]
      end
      for i = 1, p do
        for j = 1, p do a[i][j] = a[i][j] + h[i] * h[j] / rows end
      end
      local D = trpo.tensor(d)
      s = s + D:mm(M):mm(D:t()) * (1 / rows)
    end
    factors[l] = { A = a, S = s }
  end
  return factors
end

-- blockdiag(A (x) S, ..., 2 I) + damping I
local function dense_matrix(policy, factors, damping)
  local P, at = policy:size(), 0
  local K = trpo.zeros(P, P)
  for _, factor in ipairs(factors) do
    local a, s = factor.A:totable(), factor.S:totable()
    local p, m = #a, #s
    for i = 1, p do
      for j = 1, p do
        for k = 1, m do
          for q = 1, m do K[at + (i - 1) * m + k][at + (j - 1) * m + q] = a[i][j] * s[k][q] end
        end
      end
    end
    at = at + p * m
  end
  for i = at + 1, P do K[i][i] = 2 end
  for i = 1, P do K[i][i] = K[i][i] + damping end
  return K
end

local function describe_case(case)
  return ("%d-%s%d, %s, %s"):format(case.O, #case.hidden > 0 and table.concat(case.hidden, "-") .. "-" or "", case.A,
    case.discrete and "categorical" or "gaussian", case.activation)
end

local CASES = {}
for _, activation in ipairs { "tanh", "relu", "identity" } do
  for _, discrete in ipairs { true, false } do
    CASES[#CASES + 1] = { O = 3, A = 3, hidden = { 5 }, discrete = discrete, activation = activation }
    CASES[#CASES + 1] = { O = 2, A = 2, hidden = { 6, 4 }, discrete = discrete, activation = activation }
  end
end
for _, A in ipairs { 1, 5, 17 } do
  for _, discrete in ipairs { true, false } do
    CASES[#CASES + 1] = { O = 4, A = A, hidden = { 3 }, discrete = discrete, activation = "tanh" }
  end
end
CASES[#CASES + 1] = { O = 1, A = 1, hidden = { 1, 1, 1 }, activation = "tanh" }

describe("K-FAC", function()
  for i, case in ipairs(CASES) do
    describe("of " .. describe_case(case), function()
      local policy = oracle.policy(case)
      local observations = trpo.randn(trpo.rng(80 + i), 21, case.O)
      local expected = dense_factors(policy, widths_of(case), case.activation, observations)
      local kfac = trpo.kfac(policy, observations, { damping = 0.03 })

      it("has the factors of the definition", function()
        assert.are.equal(#expected, #kfac.factors)
        for l, factor in ipairs(kfac.factors) do
          assert.is_true(oracle.distance(expected[l].A, factor.A) < 1e-13)
          assert.is_true(oracle.distance(expected[l].S, factor.S) < 1e-13 * math.max(1, expected[l].S:max()))
          assert.are.equal(oracle.bits(factor.A:t()), oracle.bits(factor.A))
          assert.are.equal(oracle.bits(factor.S:t()), oracle.bits(factor.S))
        end
      end)

      it("has the inverse that LAPACK finds", function()
        for _, damping in ipairs { 0.03, 10, 1e-4 } do
          local K = dense_matrix(policy, expected, damping)
          local solve = trpo.kfac(policy, observations, { damping = damping }).solve
          for seed = 1, 3 do
            local r = trpo.randn(trpo.rng(seed), policy:size())
            local error = oracle.relative(trpo.linalg.solve(K, r), solve(r))
            assert.is_true(error < 1e-15 / damping * math.max(1, K:max()) + 1e-12, tostring(error))
          end
        end
      end)

      it("is symmetric and positive definite", function()
        for seed = 1, 3 do
          local u, v = trpo.randn(trpo.rng(seed), policy:size()), trpo.randn(trpo.rng(seed, 1), policy:size())
          local Mu, Mv = kfac.solve(u), kfac.solve(v)
          assert.is_true(math.abs(v:dot(Mu) - u:dot(Mv)) < 1e-12 * v:norm() * Mu:norm())
          assert.is_true(v:dot(Mv) > 0)
          assert.is_true(v:dot(Mv) <= v:dot(v) / 0.03 * (1 + 1e-12))
        end
      end)

      it("agrees in single precision", function()
        local copy = {}
        for key, x in pairs(case) do copy[key] = x end
        copy.precision = "single"
        local single = trpo.kfac(oracle.policy(copy), observations, { damping = 0.03 })
        for l, factor in ipairs(single.factors) do
          assert.is_true(oracle.distance(expected[l].A, factor.A) < 2e-6)
          assert.is_true(oracle.distance(expected[l].S, factor.S) < 2e-6 * math.max(1, expected[l].S:max()))
        end
      end)
    end)
  end
end)

describe("where the Fisher matrix is a Kronecker product, one product is enough:", function()
  for A = 1, 17 do
    it(("a linear Gaussian policy with %d actions"):format(A), function()
      for _, damping in ipairs { 0.1, 1e-3 } do
        local policy = oracle.policy { O = 1 + A % 5, A = A, hidden = {} }
        local observations = trpo.randn(trpo.rng(A), 40, policy.observation.size)
        local b = trpo.randn(trpo.rng(A, 1), policy:size())
        local x, info = trpo.cg(function(v) return policy:fisher_product(observations, v) end, b, {
          damping = damping, tolerance = 1e-11,
          preconditioner = trpo.kfac(policy, observations, { damping = damping }).solve,
        })
        assert.are.equal(1, info.iterations)
        local residual = policy:fisher_product(observations, x) + x * damping - b
        assert.is_true(residual:norm() < 1e-11 * b:norm())
      end
    end)
  end

  it("one that normalises its observations", function()
    local policy = trpo.policy {
      observation = trpo.space.box { shape = { 3 } }, action = trpo.space.box { shape = { 2 } }, hidden = {},
      precision = "double", normalize_observations = true, rng = trpo.rng(1),
    }
    local observations = trpo.randn(trpo.rng(2), 60, 3) * trpo.tensor { 1, 20, 0.3 } + trpo.tensor { 5, -2, 0 }
    policy:update_normalizer(trpo.batch {
      policy = policy, observations = observations, actions = trpo.zeros(60, 2), advantages = trpo.ones(60),
    })
    local kfac = trpo.kfac(policy, observations)
    assert.is_near(1, kfac.factors[1].A[2][2], 0.1) -- a square of what the network sees
    local info = select(2, trpo.cg(function(v) return policy:fisher_product(observations, v) end, trpo.ones(policy:size()),
      { damping = 0.1, tolerance = 1e-11, preconditioner = kfac.solve }))
    assert.are.equal(1, info.iterations)
  end)

  it("one over discrete observations", function()
    local policy = trpo.policy {
      observation = trpo.space.discrete(7), action = trpo.space.box { shape = { 2 } }, hidden = {}, precision = "double",
      rng = trpo.rng(1),
    }
    local observations = trpo.tensor { 1, 7, 3, 3, 2, 1, 1, 5 }
    local kfac = trpo.kfac(policy, observations)
    for i, share in ipairs { 3 / 8, 1 / 8, 2 / 8, 0, 1 / 8, 0, 1 / 8, 1 } do
      assert.are.equal(share, kfac.factors[1].A[i][i])
    end
    local info = select(2, trpo.cg(function(v) return policy:fisher_product(observations, v) end, trpo.ones(policy:size()),
      { damping = 0.1, tolerance = 1e-11, preconditioner = kfac.solve }))
    assert.are.equal(1, info.iterations)
  end)
end)

describe("singular factors leave K-FAC positive definite:", function()
  local function check(policy, observations)
    for _, damping in ipairs { 0, 1e-12, 0.1 } do
      local kfac = assert(trpo.kfac(policy, observations, { damping = damping }))
      for seed = 1, 3 do
        local v = trpo.randn(trpo.rng(seed), policy:size())
        assert.is_true(v:dot(kfac.solve(v)) > 0)
      end
      local solution = kfac.solve(trpo.ones(policy:size()))
      for _, x in ipairs(oracle.flat(solution)) do assert.is_true(x == x and math.abs(x) < 1e300) end
    end
    for _, damping in ipairs { 0.1, 1e-3 } do
      local kfac = trpo.kfac(policy, observations, { damping = damping })
      local b = trpo.randn(trpo.rng(4), policy:size())
      local x, info = trpo.cg(function(v) return policy:fisher_product(observations, v) end, b,
        { iterations = 500, tolerance = 1e-10, damping = damping, preconditioner = kfac.solve })
      assert.are.equal("ok", info.status)
      assert.is_true((policy:fisher_product(observations, x) + x * damping - b):norm() < 1e-9 * b:norm())
    end
  end

  for _, discrete in ipairs { true, false } do
    local kind = discrete and "categorical" or "gaussian"
    it("one state only, " .. kind, function()
      check(oracle.policy { discrete = discrete }, trpo.randn(trpo.rng(1), 1, 3))
    end)
    it("observations that are all zero, " .. kind, function()
      check(oracle.policy { discrete = discrete, hidden = { 5, 4 } }, trpo.zeros(30, 3))
    end)
    it("observations that depend on each other, " .. kind, function()
      check(oracle.policy { discrete = discrete }, trpo.randn(trpo.rng(1), 30, 1):expand(30, 3):contiguous())
    end)
    it("units that never fire, " .. kind, function()
      local policy = oracle.policy { discrete = discrete, hidden = { 4, 4 }, activation = "relu" }
      local theta = policy:theta()
      for i = 13, 16 do theta[i] = -100 end -- the biases of the first layer
      check(policy:set_theta(theta), trpo.randn(trpo.rng(1), 30, 3))
    end)
  end

  it("an action that is certain", function()
    local policy = oracle.policy { discrete = true, A = 3, hidden = {} }
    local theta = trpo.zeros(policy:size())
    theta[policy:size()] = 800 -- the bias of the last logit
    check(policy:set_theta(theta), trpo.randn(trpo.rng(1), 20, 3))
  end)
end)

describe("many observations", function()
  it("are represented by every k-th", function()
    local policy = oracle.policy { O = 3, A = 3, hidden = { 5 }, discrete = true }
    local observations = trpo.randn(trpo.rng(3), 3000, 3)
    local factors = trpo.kfac(policy, observations).factors
    local exact = dense_factors(policy, { 3, 5, 3 }, "tanh", observations)
    for l = 1, 2 do
      assert.is_true(oracle.relative(exact[l].A, factors[l].A) < 0.2)
      assert.is_true(oracle.relative(exact[l].S, factors[l].S) < 0.2)
    end
    -- and the same rows over and over by one of them
    local row = observations:narrow(1, 5, 1)
    local one, many = trpo.kfac(policy, row).factors, trpo.kfac(policy, row:expand(3000, 3):contiguous()).factors
    for l = 1, 2 do
      assert.is_true(oracle.distance(one[l].A, many[l].A) < 1e-13)
      assert.is_true(oracle.distance(one[l].S, many[l].S) < 1e-13)
    end
  end)
end)

describe("layers far narrower than", function()
  for name, case in pairs {
    ["the actions"] = { O = 3, A = 40, hidden = { 8 } },
    ["the logits"] = { O = 3, A = 40, hidden = { 8 }, discrete = true },
    ["the observations"] = { O = 120, A = 2, hidden = { 4 } },
    ["either"] = { O = 90, A = 50, hidden = { 2, 3 } },
  } do
    it(name .. ": the factors are those of the definition, and the inverse is positive definite", function()
      local policy = oracle.policy(case)
      local observations = trpo.randn(trpo.rng(4), 64, case.O) -- the fewest that S is the mean of
      local kfac = trpo.kfac(policy, observations, { damping = 0.03 })
      for l, expected in ipairs(dense_factors(policy, widths_of(case), "tanh", observations)) do
        local factor = kfac.factors[l]
        assert.is_true(oracle.distance(expected.A, factor.A) < 1e-13)
        assert.is_true(oracle.distance(expected.S, factor.S) < 1e-13 * math.max(1, expected.S:max()))
      end
      local v = trpo.randn(trpo.rng(1), policy:size())
      local Mv = kfac.solve(v)
      assert.is_true(v:dot(Mv) > 0 and v:dot(Mv) <= v:dot(v) / 0.03 * (1 + 1e-12))
    end)
  end

  it("the observations: eight rows of each order are in the means", function()
    local O, N = 99, 1700
    local policy = oracle.policy { O = O, A = 2, hidden = { 4 } }
    local observations = trpo.randn(trpo.rng(4), N, O)
    local rows = {}
    for n = 1, N, math.floor(N / (8 * (O + 1))) do
      rows[#rows + 1] = observations[n]:totable()
      rows[#rows][O + 1] = 1
    end
    local h = trpo.tensor(rows)
    local A = trpo.kfac(policy, observations).factors[1].A
    assert.is_true(oracle.distance(h:t():mm(h) * (1 / #rows), A) < 1e-13)
  end)
end)

describe("an update with K-FAC", function()
  local exact = {
    delta = 0.01, damping = 0.1, cg_iters = 500, cg_tolerance = 1e-13, backtrack_ratio = 0.8, backtracks = 10,
    fisher_fraction = 1, step_scale = "damped", standardize_advantages = true, preconditioner = "kfac",
  }
  local function with(changes)
    local all = {}
    for key, x in pairs(exact) do all[key] = x end
    for key, x in pairs(changes) do all[key] = x end
    return all
  end

  for _, shape in ipairs {
    { O = 3, A = 3, hidden = { 5 }, discrete = true },
    { O = 3, A = 2, hidden = { 4, 3 } },
    { O = 2, A = 17, hidden = { 3 }, activation = "relu" },
  } do
    for name, changes in pairs {
      ["with the defaults"] = {},
      ["with the undamped step scale"] = { step_scale = "undamped", damping = 0.3 },
      ["with a part of the states"] = { fisher_fraction = 1 / 3, delta = 0.05 },
      ["with little damping"] = { damping = 1e-3, delta = 0.002 },
    } do
      local policy = oracle.policy(shape)
      it("solved to the end is the one written by hand, " .. name .. ": " .. describe_case {
        O = shape.O, A = shape.A, hidden = shape.hidden, discrete = shape.discrete, activation = shape.activation or "tanh",
      }, function()
        local settings, batch = with(changes), batch_of(policy, 50)
        local expected = oracle.trpo(policy, batch, settings, math.floor(1 / settings.fisher_fraction + 0.5))
        local theta, updated = policy:theta(), policy:clone()
        local info = trpo.TRPO(settings):update(updated, batch)
        assert.are.equal("ok", info.status)
        local error = oracle.relative(expected.theta - theta, updated:theta() - theta)
        assert.is_true(error < 1e-7, tostring(error))
        assert.are.equal(#expected.trials, #info.trials)
        assert.is_true(info.cg_residual <= 1e-13)
        assert.is_true(info.seconds.preconditioner > 0 and info.seconds.preconditioner <= info.seconds.cg)
      end)
    end
  end

  for _, id in ipairs { "CartPole-v1", "Pendulum-v1" } do
    it("stays in the trust region and never makes the surrogate worse: " .. id, function()
      local env = trpo.make(id, { lanes = 4, seed = 5 })
      local policy = trpo.policy { env = env, hidden = { 8, 8 }, rng = trpo.rng(1) }
      local accepted = 0
      for _, delta in ipairs { 0.001, 0.01, 0.1, 1 } do
        for _, iterations in ipairs { 1, 4 } do
          local batch = trpo.gae(trpo.collect(env, policy, { horizon = 77 }))
          local before = policy:clone()
          local info = trpo.TRPO { delta = delta, cg_iters = iterations, preconditioner = "kfac" }:update(policy, batch)
          local kl = before:kl(policy, batch.observations):mean()
          if info.status == "ok" then
            accepted = accepted + 1
            assert.is_true(kl > 0 and kl <= delta * (1 + 1e-12))
            assert.is_true(info.actual_improvement > 0)
          else
            assert.are.equal(oracle.bits(before:theta()), oracle.bits(policy:theta()))
          end
        end
      end
      assert.is_true(accepted >= 6)
    end)
  end

  it("gives the same bits on one, two and three threads", function()
    local threads = trpo.threads()
    local function run(count, precision, id)
      trpo.threads(count)
      local env = trpo.make(id, { lanes = 3, seed = 6 })
      local policy = trpo.policy { env = env, hidden = { 33, 17 }, precision = precision, rng = trpo.rng(1) }
      local words = {}
      for _ = 1, 2 do
        local batch = trpo.gae(trpo.collect(env, policy, { horizon = 311 }))
        local info = trpo.TRPO { preconditioner = "kfac", cg_iters = 4 }:update(policy, batch)
        local kfac = trpo.kfac(policy, batch.observations)
        words[#words + 1] = oracle.bits(policy:theta()) .. oracle.bits { info.kl, info.cg_residual }
          .. oracle.bits(kfac.solve(policy:theta()))
        for l = 1, 3 do words[#words + 1] = oracle.bits(kfac.factors[l].A) .. oracle.bits(kfac.factors[l].S) end
      end
      return table.concat(words, "\n")
    end
    for _, precision in ipairs { "single", "double" } do
      for _, id in ipairs { "CartPole-v1", "Pendulum-v1" } do
        local one = run(1, precision, id)
        assert.is_true(one == run(2, precision, id))
        assert.is_true(one == run(3, precision, id))
      end
    end
    trpo.threads(threads)
  end)

  it("allocates nothing after the first", function()
    local policy = oracle.policy { hidden = { 16, 16 }, precision = "single" }
    local batch, algorithm = batch_of(policy, 700), trpo.TRPO { preconditioner = "kfac" }
    for _ = 1, 2 do algorithm:update(policy, batch) end
    local before = trpo.info().allocations
    for _ = 1, 3 do algorithm:update(policy, batch) end
    assert.are.equal(before, trpo.info().allocations)
  end)

  it("needs fewer products than plain conjugate gradients where these are slow", function()
    local policy = oracle.policy { O = 6, A = 3, hidden = { 20, 20 }, scale = 0.3 }
    local theta = policy:theta()
    for i = 0, 2 do theta[policy:size() - i] = -2 end -- small deviations: a large Fisher matrix
    policy:set_theta(theta)
    local batch = batch_of(policy, 500)
    local plain = trpo.TRPO { cg_iters = 10 }:update(policy:clone(), batch)
    local info = trpo.TRPO { cg_iters = 10, cg_tolerance = plain.cg_residual, preconditioner = "kfac" }:update(policy:clone(), batch)
    assert.is_true(info.cg_residual <= plain.cg_residual)
    assert.is_true(info.cg_iters <= 6, info.cg_iters)
  end)
end)

describe("an experiment", function()
  it("takes the preconditioner as a parameter like any other", function()
    local run = trpo.experiment { env = "CartPole-v1", steps = 256, lanes = 2, horizon = 64, dir = false, evaluation = { episodes = 0 } }
    assert.are.equal("none", run.config.algorithm.preconditioner)
    run:set { preconditioner = "kfac" }
    assert.are.equal("kfac", run.config.algorithm.preconditioner)
    assert.are.equal("done", assert(run:train()).status)
    local ok, message = pcall(run.set, run, { ["algorithm.preconditioner"] = "k-fac" })
    assert.is_false(ok)
    assert.is_truthy(message:find("preconditioner must be 'none' or 'kfac', got 'k-fac'", 1, true), message)
  end)
end)

describe("trpo.kfac", function()
  local policy, observations = oracle.policy {}, trpo.ones(4, 3)
  local kfac = trpo.kfac(policy, observations)
  misuse.each(it, {
    { "refuses what is no policy", trpo.kfac, { 1, observations }, "trpo.kfac: policy must be a policy, got 1" },
    { "refuses observations of another size", trpo.kfac, { policy, trpo.ones(4, 2) }, "trpo.kfac: observations must have" },
    { "refuses no observations", trpo.kfac, { policy, trpo.zeros(0, 3) },
      "trpo.kfac: observations must have at least one row, got none" },
    { "refuses a number as options", trpo.kfac, { policy, observations, 0.1 }, "trpo.kfac: options must be a table, got 0.1" },
    { "refuses unknown options", trpo.kfac, { policy, observations, { dampnig = 1 } },
      "trpo.kfac: unknown option 'dampnig', did you mean 'damping'?" },
    { "refuses a negative damping", trpo.kfac, { policy, observations, { damping = -1 } },
      "trpo.kfac: damping must be a finite number >= 0, got -1" },
    { "refuses a residual of another size", kfac.solve, { trpo.ones(3) }, "r must have size" },
    { "refuses another name in the settings", trpo.TRPO, { { preconditioner = "k-fac" } },
      "trpo.TRPO: preconditioner must be 'none' or 'kfac', got 'k-fac'" },
    { "refuses a number as the name", trpo.TRPO, { { preconditioner = 1 } }, "trpo.TRPO: preconditioner must be" },
  })

  it("names numbers that are not finite", function()
    local result, message, code = trpo.kfac(policy, trpo.ones(4, 3) * math.huge)
    assert.is_nil(result)
    assert.is_string(message)
    assert.are.equal("not_finite", code)
  end)

  it("outlives the variables that made it", function()
    local solve = trpo.kfac(oracle.policy {}, trpo.ones(4, 3)).solve
    local r = trpo.ones(policy:size())
    local expected = oracle.bits(kfac.solve(r))
    for _ = 1, 3 do collectgarbage() end
    assert.are.equal(expected, oracle.bits(solve(r)))
  end)
end)
