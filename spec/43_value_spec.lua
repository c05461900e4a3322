-- Value baselines: the network fitted by Adam, and the linear one. The other optimisers: 43_value_optimizers_spec.lua.
local trpo = require "trpo"
local oracle = require "support.oracle"

local box = trpo.space.box { shape = { 3 } }

local function network(options)
  local all = { observation = box, hidden = { 8 }, precision = "double", optimizer = "adam", rng = trpo.rng(1) }
  for key, x in pairs(options or {}) do all[key] = x end
  return trpo.value(all)
end

-- a batch of N rows whose returns are a smooth function of the observation times scale
local function regression(N, scale, seed)
  local rng = trpo.rng(seed or 2)
  local observations = trpo.randn(rng, N, 3)
  local returns = trpo.zeros(N)
  for n, x in ipairs(observations:totable()) do
    returns[n] = (3 + math.sin(x[1]) + x[2] * x[3] / 2) * (scale or 1)
  end
  local policy = oracle.policy { O = 3, A = 1, discrete = true }
  return trpo.batch {
    policy = policy, observations = observations, actions = trpo.ones(N), returns = returns, rewards = returns,
  }
end

local function squared_error(value, batch)
  local difference = value:predict(batch.observations, batch.times) - batch.returns
  return difference:dot(difference) / #batch
end

describe("a network baseline", function()
  it("predicts what a plain loop does", function()
    local value = network { hidden = { 7, 5 }, activation = "tanh" }
    local observations, expected = trpo.randn(trpo.rng(3), 300, 3), {}
    local theta = value:theta():totable()
    for n, x in ipairs(observations:totable()) do expected[n] = oracle.mlp(theta, { 3, 7, 5, 1 }, "tanh", x)[1] end
    assert.is_true(oracle.relative(expected, value:predict(observations)) < 1e-12)
  end)

  it("learns", function()
    local value, batch = network { epochs = 40, learning_rate = 3e-3 }, regression(700, 20)
    local before = squared_error(value, batch)
    local info = value:fit(batch)
    assert.are.equal(40 * math.ceil(700 / 128), info.steps)
    local after = squared_error(value, batch)
    assert.is_true(after < 0.05 * before, ("%g after %g"):format(after, before))
    -- measured before each step, so the last epoch's loss lies near the error after it
    assert.is_true(info.loss > 0.5 * after and info.loss < 3 * after)
  end)

  it("takes Adam steps on the mean squared error in units of the targets' deviation", function()
    -- one step on one full minibatch, transcribed; the gradient by central differences of the error
    for _, rescale in ipairs { true, false } do
      local value = network { hidden = { 4 }, epochs = 1, minibatch = 50, learning_rate = 0.01, rescale_targets = rescale }
      local batch = regression(50, 7)
      local targets = batch.returns:totable()
      local shift, scale = 0, 1
      if rescale then shift, scale = oracle.mean(targets), math.sqrt(oracle.variance(targets)) end
      local theta, P = value:theta():totable(), value:theta():nelement()
      -- there are no predictions to keep before the first fit
      local rows = batch.observations:totable()
      local function loss(at)
        local sum = 0
        for n = 1, 50 do
          local f = oracle.mlp(at, { 3, 4, 1 }, "tanh", rows[n])[1]
          sum = sum + (f - (targets[n] - shift) / scale) ^ 2 / 50
        end
        return sum
      end
      local m, v = {}, {}
      for k = 1, P do m[k], v[k] = 0, 0 end
      for step = 1, 3 do
        local gradient = {}
        for k = 1, P do
          local at = { unpack(theta) }
          gradient[k] = oracle.difference(function(h)
            at[k] = theta[k] + h
            return { loss(at) }
          end, 1e-3)[1]
        end
        for k = 1, P do
          m[k] = 0.9 * m[k] + 0.1 * gradient[k]
          v[k] = 0.999 * v[k] + 0.001 * gradient[k] ^ 2
          local m_hat, v_hat = m[k] / (1 - 0.9 ^ step), v[k] / (1 - 0.999 ^ step)
          theta[k] = theta[k] - 0.01 * m_hat / (math.sqrt(v_hat) + 1e-8)
        end
        value:fit(batch)
        local error = oracle.relative(theta, value:theta())
        assert.is_true(error < 1e-8, ("step %d: %g"):format(step, error))
      end
    end
  end)

  it("takes the targets' unit away without changing its predictions (PopArt)", function()
    -- a rate that moves nothing shows the rewriting alone
    local value, batch = network { epochs = 1, learning_rate = 1e-12 }, regression(200, 1000)
    value:fit(regression(200))
    local before, theta = value:predict(batch.observations), value:theta()
    value:fit(batch)
    assert.is_true(oracle.distance(before, value:predict(batch.observations)) < 1e-6)
    assert.is_true(oracle.relative(theta, value:theta()) > 0.1)
  end)

  it("fits targets times 1000 as it fits targets", function()
    local fits = {}
    for i, scale in ipairs { 1, 1000, 1e-6 } do
      local value, batch = network { epochs = 5 }, regression(300, scale)
      local theta = value:theta()
      theta:narrow(1, theta:nelement() - 8, 9):fill(0) -- predicts 0, in any unit
      value:set_theta(theta)
      value:fit(batch)
      fits[i] = (value:predict(batch.observations) * (1 / scale)):totable()
    end
    assert.is_true(oracle.relative(fits[1], fits[2]) < 1e-9)
    assert.is_true(oracle.relative(fits[1], fits[3]) < 1e-9)
  end)

  it("does nearly the same in single precision", function()
    local double, single, batch = network { epochs = 3 }, network { epochs = 3, precision = "single" }, regression(333)
    assert.are.equal(oracle.bits(double:theta()), oracle.bits(single:theta()))
    assert.is_true(oracle.relative(double:predict(batch.observations), single:predict(batch.observations)) < 2e-6)
    double:fit(batch)
    single:fit(batch)
    assert.is_true(oracle.relative(double:predict(batch.observations), single:predict(batch.observations)) < 1e-3)
  end)

  it("repeats itself with the same generator, and not with another", function()
    local function fitted(seed)
      local value, batch = network { rng = trpo.rng(seed), epochs = 2 }, regression(200)
      value:fit(batch)
      value:fit(batch)
      return oracle.bits(value:theta())
    end
    assert.are.equal(fitted(4), fitted(4))
    assert.are_not.equal(fitted(4), fitted(5))
  end)

  it("fits constant targets", function()
    local value = network { epochs = 300, learning_rate = 0.01 }
    local batch = regression(100)
    batch.returns:fill(5)
    assert.is_table(value:fit(batch))
    assert.is_true(squared_error(value, batch) < 0.1)
    assert.is_true(value:theta():norm() < math.huge)
  end)

  it("refuses targets that are not finite, and is then as it was", function()
    for _, bad in ipairs { 0 / 0, math.huge, -math.huge } do
      local value, batch = network {}, regression(100)
      value:fit(batch)
      local theta, predictions = oracle.bits(value:theta()), oracle.bits(value:predict(batch.observations))
      batch.returns[42] = bad
      local info, message, code = value:fit(batch)
      assert.is_nil(info)
      assert.are.equal("string", type(message))
      assert.are.equal("not_finite", code)
      assert.are.equal(theta, oracle.bits(value:theta()))
      assert.are.equal(predictions, oracle.bits(value:predict(batch.observations)))
    end
  end)

  it("refuses targets whose squares are out of range, and is then as it was", function()
    for _, scale in ipairs { 1e155, 1e200, 1e300 } do
      local value, batch = network {}, regression(100)
      value:fit(batch)
      local theta, predictions = oracle.bits(value:theta()), oracle.bits(value:predict(batch.observations))
      local info, _, code = value:fit(regression(100, scale))
      assert.is_nil(info)
      assert.are.equal("not_finite", code)
      assert.are.equal(theta, oracle.bits(value:theta()))
      assert.are.equal(predictions, oracle.bits(value:predict(batch.observations)))
      assert.is_table(value:fit(batch))
    end
  end)

  it("takes a fit that overflowed back as a whole, normaliser and all", function()
    for _, normalize in ipairs { false, true } do
      local value = network { normalize_observations = normalize }
      local batch, next_batch = regression(100), regression(100, 1, 3)
      local twin = network { normalize_observations = normalize }
      value:fit(batch)
      twin:fit(batch)
      local observations = batch.observations:clone()
      local predictions = oracle.bits(value:predict(observations))
      batch.observations[7][1] = 0 / 0
      local info, _, code = value:fit(batch)
      assert.is_nil(info)
      assert.are.equal("not_finite", code)
      assert.are.equal(predictions, oracle.bits(value:predict(observations)))
      -- and goes on as if nothing had been
      value:fit(next_batch)
      twin:fit(next_batch)
      assert.are.equal(oracle.bits(twin:theta()), oracle.bits(value:theta()))
    end
  end)
end)

describe("the linear baseline", function()
  -- o, o^2 (clipped to 10), t, t^2, t^3, 1 with t in hundreds of steps
  local function features(observation, time)
    local t, phi = time / 100, {}
    for _, x in ipairs(observation) do phi[#phi + 1] = math.max(-10, math.min(10, x)) end
    for i = 1, #observation do phi[#phi + 1] = phi[i] ^ 2 end
    for _, x in ipairs { t, t ^ 2, t ^ 3, 1 } do phi[#phi + 1] = x end
    return phi
  end

  local function rows(batch)
    local phi, times = {}, batch.times:totable()
    for n, x in ipairs(batch.observations:totable()) do phi[n] = features(x, times[n]) end
    return phi
  end

  it("is the ridge solution of its normal equations", function()
    for _, ridge in ipairs { 1e-5, 3 } do
      local value, batch = trpo.value { kind = "linear", observation = box, ridge = ridge }, regression(301)
      batch.observations[5][2] = 25 -- is clipped
      local phi = trpo.tensor(rows(batch))
      local gram = phi:t():mm(phi)
      for i = 1, gram:size(1) do gram[i][i] = gram[i][i] + ridge end
      local right = phi:t():mm(batch.returns:view(301, 1))
      local w = trpo.linalg.solve(gram, right)
      value:fit(batch)
      assert.is_true(oracle.relative(w, value:theta()) < 1e-8)
      assert.is_true(oracle.relative(phi:mm(w), value:predict(batch.observations, batch.times)) < 1e-9)
    end
  end)

  it("predicts 0 until it is fitted", function()
    local value = trpo.value { kind = "linear", observation = box }
    assert.are.equal(0, value:predict(trpo.ones(4, 3)):norm())
  end)

  it("copes with features that depend on each other", function()
    local value, batch = trpo.value { kind = "linear", observation = box, ridge = 1e-12 }, regression(50)
    batch.observations:select(2, 3):copy(batch.observations:select(2, 1))
    assert.is_table(value:fit(batch))
    assert.is_true(squared_error(value, batch) < 1)
  end)

  it("refuses targets that are not finite, and is then as it was", function()
    local value, batch = trpo.value { kind = "linear", observation = box }, regression(100)
    value:fit(batch)
    local theta = oracle.bits(value:theta())
    batch.returns[3] = 0 / 0
    local info, _, code = value:fit(batch)
    assert.is_nil(info)
    assert.are.equal("not_finite", code)
    batch.returns[3] = 0
    for _, bad in ipairs { 0 / 0, math.huge, -math.huge } do
      batch.observations[3][1] = bad
      info, _, code = value:fit(batch)
      assert.is_nil(info)
      assert.are.equal("not_finite", code)
      assert.are.equal(theta, oracle.bits(value:theta()))
    end
  end)

  it("is scaled with its targets", function()
    local predictions = {}
    for i, scale in ipairs { 1, 1000 } do
      local value, batch = trpo.value { kind = "linear", observation = box }, regression(200, scale)
      value:fit(batch)
      predictions[i] = (value:predict(batch.observations, batch.times) * (1 / scale)):totable()
    end
    assert.is_true(oracle.relative(predictions[1], predictions[2]) < 1e-10)
  end)
end)

describe("a baseline", function()
  it("prints itself", function()
    assert.are.equal("trpo.Value: linear, 10 weights", tostring(trpo.value { kind = "linear", observation = box }))
    assert.are.equal("trpo.Value: network, 41 parameters, adam", tostring(network()))
  end)

  it("reads discrete observations", function()
    local value = trpo.value {
      observation = trpo.space.discrete(4), hidden = {}, precision = "double", rng = trpo.rng(1),
    }
    local theta = value:theta()
    assert.are.same({ theta[3] + theta[5], theta[1] + theta[5] }, value:predict(trpo.tensor { 3, 1 }):totable())
  end)
end)
