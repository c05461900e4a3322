-- The update: against a TRPO written by hand with dense matrices, and its promises.
local trpo = require "trpo"
local oracle = require "support.oracle"

local FIELDS = {
  "status", "message", "surrogate_before", "surrogate_after", "expected_improvement", "actual_improvement", "kl", "kl_mean",
  "kl_max", "kl_quadratic", "entropy", "step_fraction", "backtracks", "cg_iters", "cg_residual", "grad_norm", "step_norm",
  "explained_variance", "seconds", "trials",
}

local function check_fields(info)
  for _, key in ipairs(FIELDS) do assert.is_not_nil(info[key], key) end
  for _, key in ipairs { "rollout", "advantage", "gradient", "cg", "linesearch", "value" } do assert.is_true(info.seconds[key] >= 0) end
end

local function batch_of(policy, N, seed)
  local observations, actions, advantages = oracle.data(policy, N, seed)
  return trpo.batch { policy = policy, observations = observations, actions = actions, advantages = advantages }
end

-- settings whose conjugate gradients are exact
local function exact(options)
  local all = {
    delta = 0.01, damping = 0.1, cg_iters = 500, cg_tolerance = 1e-14, backtrack_ratio = 0.8, backtracks = 10,
    fisher_fraction = 1, fisher_form = "auto", step_scale = "damped", standardize_advantages = true,
  }
  for key, x in pairs(options or {}) do all[key] = x end
  return all
end

local POLICIES = {
  { O = 3, A = 3, hidden = { 5 }, discrete = true },
  { O = 3, A = 2, hidden = { 4, 3 } },
}

describe("an update is the one written by hand", function()
  for _, shape in ipairs(POLICIES) do
    for name, options in pairs {
      ["with the defaults"] = {},
      ["with the undamped step scale"] = { step_scale = "undamped", damping = 0.3 },
      ["with raw advantages"] = { standardize_advantages = false },
      ["with a large region, where it must backtrack"] = { delta = 4, backtrack_ratio = 0.6, damping = 0.01, step_scale = "undamped" },
      ["with a part of the states in the Fisher matrix"] = { fisher_fraction = 1 / 3, delta = 0.05 },
      ["with little damping"] = { damping = 1e-3, delta = 0.002 },
    } do
      local policy = oracle.policy(shape)
      it(name .. ": " .. policy.distribution, function()
        local settings = exact(options)
        local batch = batch_of(policy, 50)
        local stride = math.floor(1 / settings.fisher_fraction + 0.5)
        local expected = oracle.trpo(policy, batch, settings, stride)
        local theta = policy:theta()
        local updated = policy:clone()
        local info = trpo.TRPO(settings):update(updated, batch)
        check_fields(info)
        assert.are.equal("ok", info.status)
        -- the same step, to the accuracy of the solves
        local error = oracle.relative(expected.theta - theta, updated:theta() - theta)
        assert.is_true(error < 1e-8, tostring(error))
        assert.is_true(math.abs(info.step_fraction - expected.fraction) < 1e-15)
        assert.are.equal(#expected.trials, #info.trials)
        assert.are.equal(#expected.trials - 1, info.backtracks)
        if options.delta == 4 then assert.is_true(info.backtracks > 0) end
        -- and the same figures
        local function near(x, y) assert.is_true(math.abs(x - y) < 1e-8 * math.max(1, math.abs(x)), x .. " and " .. y) end
        near(expected.expected, info.expected_improvement)
        near(expected.kl_quadratic, info.kl_quadratic)
        near(math.sqrt(oracle.dot(expected.gradient, expected.gradient)), info.grad_norm)
        near((updated:theta() - theta):norm(), info.step_norm)
        near(policy:entropy(batch.observations):mean(), info.entropy)
        for j, trial in ipairs(expected.trials) do
          near(trial.fraction, info.trials[j].fraction)
          near(trial.surrogate, info.trials[j].surrogate)
          near(trial.kl, info.trials[j].kl)
        end
        assert.are.equal("accepted", info.trials[#info.trials].reason)
      end)
    end
  end
end)

describe("an accepted step", function()
  for _, id in ipairs { "CartPole-v1", "Pendulum-v1" } do
    for _, precision in ipairs { "single", "double" } do
      it(("keeps KL <= delta and improves the surrogate, measured from outside: %s, %s"):format(id, precision), function()
        local env = trpo.make(id, { lanes = 3, seed = 4 })
        local policy = trpo.policy { env = env, hidden = { 16 }, precision = precision, rng = trpo.rng(1) }
        local accepted = 0
        for _, delta in ipairs { 0.001, 0.01, 0.1, 1 } do
          local batch = trpo.gae(trpo.collect(env, policy, { horizon = 77 }))
          local before = policy:clone()
          local info = trpo.TRPO { delta = delta }:update(policy, batch)
          check_fields(info)
          local advantages = oracle.standardized(batch.advantages:totable())
          local surrogate, kl, kl_max = oracle.surrogate(before, policy, batch.observations, batch.actions, advantages)
          if info.status == "ok" then
            accepted = accepted + 1
            assert.is_true(kl <= delta * (1 + 1e-12) and kl > 0)
            assert.is_true(surrogate > oracle.mean(advantages))
            assert.is_true(info.actual_improvement > 0)
          end
          assert.is_true(math.abs(kl - info.kl) < 1e-12)
          assert.are.equal(info.kl, info.kl_mean)
          assert.is_true(math.abs(kl_max - info.kl_max) < 1e-12)
          assert.is_true(math.abs(surrogate - info.surrogate_after) < 1e-6)
          assert.are.equal(info.surrogate_after - info.surrogate_before, info.actual_improvement)
          assert.is_true(math.abs(info.surrogate_before) < 1e-12) -- standardised
        end
        assert.is_true(accepted >= 3)
      end)
    end
  end

  it("of small size does what the linear and the quadratic model say", function()
    local policy = oracle.policy(POLICIES[2])
    local batch = batch_of(policy, 200)
    local info = trpo.TRPO(exact { delta = 1e-8, step_scale = "undamped", damping = 1e-3 }):update(policy, batch)
    assert.are.equal("ok", info.status)
    assert.is_true(math.abs(info.kl / info.kl_quadratic - 1) < 1e-3)
    assert.is_true(math.abs(info.kl_quadratic / (1e-8 * info.step_fraction ^ 2) - 1) < 1e-6)
    assert.is_true(math.abs(info.actual_improvement / info.expected_improvement - 1) < 1e-2)
  end)
end)

describe("a rejected step", function()
  local function check_rejected(policy, batch, settings, reason)
    local theta, forward = oracle.bits(policy:theta()), oracle.bits(policy:forward(batch.observations))
    local info = trpo.TRPO(settings):update(policy, batch)
    check_fields(info)
    assert.are.equal("step_rejected", info.status)
    assert.are.equal(theta, oracle.bits(policy:theta()))
    assert.are.equal(forward, oracle.bits(policy:forward(batch.observations)))
    assert.are.equal(settings.backtracks, #info.trials)
    assert.are.equal(settings.backtracks, info.backtracks)
    for j, trial in ipairs(info.trials) do
      assert.are.equal(reason, trial.reason)
      assert.is_true(math.abs(trial.fraction - settings.backtrack_ratio ^ (j - 1)) < 1e-15)
    end
    for _, key in ipairs { "step_fraction", "kl", "kl_max", "kl_quadratic", "step_norm", "expected_improvement",
                           "actual_improvement" } do
      assert.are.equal(0, info[key], key)
    end
    assert.are.equal(info.surrogate_before, info.surrogate_after)
    return info
  end

  for _, precision in ipairs { "single", "double" } do
    it("for its KL leaves every bit of the parameters and tells how far each trial got: " .. precision, function()
      local policy = oracle.policy { O = 3, A = 2, hidden = { 5 }, precision = precision }
      local batch = batch_of(policy, 100)
      local info = check_rejected(policy, batch, exact {
        delta = 20, backtrack_ratio = 0.99, backtracks = 2, damping = 1e-4, step_scale = "undamped",
      }, "kl")
      for _, trial in ipairs(info.trials) do assert.is_true(trial.kl > 20) end
    end)
  end

  it("for its surrogate does so too", function()
    -- one action, one deviation above the mean, is good; three deviations above lie beyond it
    local policy = oracle.policy { O = 1, A = 1, hidden = {}, scale = 0 }
    local batch = trpo.batch {
      policy = policy, observations = trpo.zeros(1, 1), actions = trpo.tensor { { 1 } }, advantages = trpo.tensor { 1 },
    }
    local settings = exact { delta = 4.5, backtracks = 2, standardize_advantages = false, backtrack_ratio = 0.9 }
    local info = check_rejected(policy, batch, settings, "surrogate")
    for _, trial in ipairs(info.trials) do
      assert.is_true(trial.kl <= 4.5)
      assert.is_true(trial.surrogate < 1)
    end
  end)

  it("for numbers that are not finite does so too", function()
    local policy = oracle.policy { O = 3, A = 3, hidden = { 5, 4 }, activation = "identity", discrete = true }
    check_rejected(policy, batch_of(policy, 100), exact { delta = 1e300, backtracks = 3 }, "not_finite")
  end)

  it("that is too small to change anything is no success", function()
    -- the surrogate stays what it is, to the last bit
    local policy = oracle.policy { O = 3, A = 2, hidden = { 5 } }
    local batch = batch_of(policy, 100)
    -- and is just what it was before, so that nothing but equality is met
    batch.advantages:copy(trpo.tensor { 1, -1 }:view(1, 2):expand(50, 2):contiguous():view(100))
    check_rejected(policy, batch, exact { delta = 1e-200, backtracks = 3, standardize_advantages = false }, "surrogate")
  end)

  it("with nothing to gain is none to take", function()
    -- the surrogate cannot rise: the only action has probability 1
    local policy = trpo.policy {
      observation = trpo.space.box { shape = { 2 } }, action = trpo.space.discrete(1), hidden = {}, rng = trpo.rng(1),
    }
    local batch = trpo.batch {
      policy = policy, observations = trpo.ones(4, 2), actions = trpo.ones(4), advantages = trpo.tensor { 1, 2, 3, 4 },
    }
    local theta = oracle.bits(policy:theta())
    local info = trpo.TRPO {}:update(policy, batch)
    check_fields(info)
    assert.are.equal("zero_gradient", info.status)
    assert.are.equal(theta, oracle.bits(policy:theta()))
  end)
end)

describe("advantages", function()
  for _, value in ipairs { 0, 1, -3.7, 1e-200, 1e200 } do
    it(("that are all %g give no step, and no NaN"):format(value), function()
      for _, precision in ipairs { "single", "double" } do
        local policy = oracle.policy { O = 3, A = 2, precision = precision }
        local batch = batch_of(policy, 60)
        batch.advantages:fill(value)
        local theta = oracle.bits(policy:theta())
        local info = trpo.TRPO {}:update(policy, batch)
        check_fields(info)
        assert.are.equal("zero_gradient", info.status)
        assert.are.equal(theta, oracle.bits(policy:theta()))
        assert.are.equal(0, info.kl)
        assert.are.equal(0, info.actual_improvement)
        assert.are.equal(0, #info.trials)
      end
    end)
  end

  for _, value in ipairs { 0 / 0, math.huge, -math.huge } do
    for _, standardize in ipairs { true, false } do
      it(("with one %s among them are refused by a status%s"):format(value, standardize and "" or ", raw"), function()
        local policy = oracle.policy { O = 3, A = 2 }
        local batch = batch_of(policy, 60)
        batch.advantages[17] = value
        local theta = oracle.bits(policy:theta())
        local info = trpo.TRPO { standardize_advantages = standardize }:update(policy, batch)
        check_fields(info)
        assert.are.equal("not_finite", info.status)
        assert.are.equal(theta, oracle.bits(policy:theta()))
      end)
    end
  end

  it("are not changed", function()
    local policy = oracle.policy { O = 3, A = 2 }
    local batch = batch_of(policy, 60)
    local before = oracle.bits(batch.advantages)
    trpo.TRPO {}:update(policy, batch)
    assert.are.equal(before, oracle.bits(batch.advantages))
  end)
end)

describe("an observation that is not finite", function()
  it("is refused by a status, whatever the rows around it", function()
    for _, row in ipairs { 1, 60, 200 } do
      local policy = oracle.policy { O = 3, A = 2 }
      local batch = batch_of(policy, 200)
      batch.observations[row][2] = 0 / 0
      local theta = oracle.bits(policy:theta())
      local info = trpo.TRPO {}:update(policy, batch)
      check_fields(info)
      assert.are.equal("not_finite", info.status)
      assert.are.equal(theta, oracle.bits(policy:theta()))
    end
  end)
end)

describe("conjugate gradients in an update", function()
  it("stop at their limit, and say how far they came", function()
    local policy = oracle.policy(POLICIES[2])
    local batch = batch_of(policy, 100)
    local residual = math.huge
    for _, k in ipairs { 1, 3, 6 } do
      local info = trpo.TRPO { cg_iters = k, damping = 1e-3 }:update(policy:clone(), batch)
      assert.are.equal(k, info.cg_iters)
      assert.is_true(info.cg_residual < residual)
      residual = info.cg_residual
    end
  end)

  it("with one iteration give a step along the gradient", function()
    local policy = oracle.policy(POLICIES[1])
    local batch = batch_of(policy, 100)
    local gradient = policy:log_prob_gradient(batch.observations, batch.actions,
      trpo.tensor(oracle.standardized(batch.advantages:totable())))
    local updated = policy:clone()
    trpo.TRPO { cg_iters = 1 }:update(updated, batch)
    local step = updated:theta() - policy:theta()
    assert.is_true(math.abs(step:dot(gradient) / (step:norm() * gradient:norm()) - 1) < 1e-12)
  end)
end)

describe("the settings", function()
  it("have the documented defaults", function()
    local algorithm = trpo.TRPO()
    for key, value in pairs {
      delta = 0.01, gamma = 0.99, lambda = 0.97, cg_iters = 10, cg_tolerance = 1e-10, damping = 0.1, backtrack_ratio = 0.8,
      backtracks = 10, fisher_fraction = 1, fisher_form = "auto", step_scale = "damped", standardize_advantages = true,
      preconditioner = "none",
    } do
      assert.are.equal(value, algorithm[key], key)
    end
    assert.is_truthy(tostring(algorithm):find("^trpo.TRPO: delta 0.01"))
  end)

  it("are a plain table, read again and checked again with each update", function()
    local policy = oracle.policy(POLICIES[1])
    local batch, algorithm = batch_of(policy, 50), trpo.TRPO { delta = 0.01 }
    algorithm.delta = 1e-6
    assert.is_true(algorithm:update(policy, batch).kl <= 1e-6)
    algorithm.delta = -1
    local theta = oracle.bits(policy:theta())
    local ok, message = pcall(algorithm.update, algorithm, policy, batch)
    assert.is_false(ok)
    assert.is_truthy(message:find("TRPO:update: delta must be a finite number > 0", 1, true), message)
    assert.are.equal(theta, oracle.bits(policy:theta()))
  end)

  it("take a Fisher fraction as small as can be: one row", function()
    for _, fraction in ipairs { 1e-3, 1e-18, 1e-30, 1e-300 } do
      local settings = exact { fisher_fraction = fraction }
      local policy = oracle.policy(POLICIES[1])
      local batch = batch_of(policy, 40)
      local expected, theta = oracle.trpo(policy, batch, settings, 1000), policy:theta()
      trpo.TRPO(settings):update(policy, batch)
      assert.is_true(oracle.relative(expected.theta - theta, policy:theta() - theta) < 1e-8, tostring(fraction))
    end
  end)

  it("make the same step with either form of the Fisher products, and say which it was", function()
    for _, kind in ipairs(POLICIES) do
      local step = {}
      for _, form in ipairs { "classical", "cached" } do
        local policy = oracle.policy(kind)
        local batch, theta = batch_of(policy, 60), policy:theta()
        assert.are.equal(form, trpo.TRPO(exact { fisher_form = form }):update(policy, batch).fisher_form)
        step[form] = policy:theta() - theta
      end
      assert.is_true(oracle.relative(step.classical, step.cached) < 1e-8)
    end
  end)

  it("take the cheaper form by themselves", function()
    for form, shape in pairs { cached = { O = 11, A = 3 }, classical = { O = 376, A = 17 } } do
      local policy = oracle.policy { O = shape.O, A = shape.A, hidden = { 64, 64 }, precision = "single" }
      assert.are.equal(form, trpo.TRPO {}:update(policy, batch_of(policy, 64)).fisher_form)
    end
  end)
end)
