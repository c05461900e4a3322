-- The running normaliser of a policy's observations.
local trpo = require "trpo"
local oracle = require "support.oracle"

local function new_policy(O, options)
  local all = {
    observation = trpo.space.box { shape = { O } }, action = trpo.space.box { shape = { 2 } }, hidden = { 5 },
    precision = "double", rng = trpo.rng(1), normalize_observations = true,
  }
  for key, x in pairs(options or {}) do all[key] = x end
  local policy = trpo.policy(all)
  return policy:set_theta(trpo.randn(trpo.rng(2), policy:size()) * 0.5)
end

-- observations whose columns have means and deviations of very different sizes
local function observations_of(seed, N)
  local x = trpo.randn(trpo.rng(seed), N, 3)
  for i = 1, N do
    x[i][1] = 1e6 + x[i][1]
    x[i][2] = x[i][2] * 1e-3
    x[i][3] = -5 + 40 * x[i][3] + seed
  end
  return x
end

describe("the observation normaliser", function()
  it("has the mean and deviation of all data seen, whatever the batches", function()
    local policy, columns, count = new_policy(3), { {}, {}, {} }, 0
    for seed, N in ipairs { 1, 40, 333, 7 } do
      local x = observations_of(seed, N)
      policy:update_normalizer(x)
      count = count + N
      for _, row in ipairs(x:totable()) do
        for o = 1, 3 do columns[o][#columns[o] + 1] = row[o] end
      end
      local state = policy:normalizer()
      assert.are.equal(count, state.count)
      if count > 1 then
        for o = 1, 3 do
          local mean, deviation = oracle.mean(columns[o]), math.sqrt(oracle.variance(columns[o]))
          assert.is_true(math.abs(state.mean[o] - mean) < 1e-9 * deviation, "mean")
          assert.is_true(math.abs(state.std[o] / deviation - 1) < 1e-9, "deviation")
        end
      end
    end
  end)

  it("is applied as (x - mean) / std, clipped to 10 deviations", function()
    local policy = new_policy(3)
    local plain = new_policy(3, { normalize_observations = false })
    policy:update_normalizer(observations_of(1, 200))
    local state, x = policy:normalizer(), observations_of(9, 50)
    x[1][2], x[2][3] = 1, -1e9 -- far away
    local z = trpo.zeros(50, 3)
    for i = 1, 50 do
      for o = 1, 3 do z[i][o] = math.max(-10, math.min(10, (x[i][o] - state.mean[o]) / state.std[o])) end
    end
    assert.are.equal(10, z[1][2])
    assert.are.equal(-10, z[2][3])
    assert.is_true(oracle.relative(plain:forward(z), policy:forward(x)) < 1e-9)
  end)

  it("leaves features that do not vary as they are but for their mean", function()
    local policy = new_policy(3)
    local x = observations_of(1, 100)
    for i = 1, 100 do x[i][1], x[i][2] = 0.1, 1e9 end
    local report = policy:update_normalizer(x)
    local state = policy:normalizer()
    assert.are.equal(1, state.std[1])
    assert.are.equal(1, state.std[2])
    assert.is_true(math.abs(state.mean[1] - 0.1) < 1e-12)
    assert.is_true(report.kl_max >= 0 and report.kl_max < math.huge)
    assert.is_true(policy:forward(x):norm() < math.huge)
  end)

  it("is the identity at first, and stays it until it is updated", function()
    local policy, plain = new_policy(3), new_policy(3, { normalize_observations = false })
    local x = trpo.randn(trpo.rng(4), 20, 3)
    assert.are.equal(oracle.bits(plain:forward(x)), oracle.bits(policy:forward(x)))
    assert.are.equal(0, policy:normalizer().count)
    assert.is_nil(plain:normalizer())
  end)

  it("reports the KL that an update causes: that of the policies before and after", function()
    local policy = new_policy(3)
    policy:update_normalizer(observations_of(1, 100))
    local before, x = policy:clone(), observations_of(2, 301)
    local report = policy:update_normalizer(x)
    local kl = before:kl(policy, x):totable()
    assert.is_true(math.abs(report.kl_mean - oracle.mean(kl)) < 1e-14)
    assert.are.equal(math.max(unpack(kl)), report.kl_max)
    assert.is_true(report.kl_mean > 0)
  end)

  it("reports 0 where there is none, and changes nothing", function()
    local policy = new_policy(3, { normalize_observations = false })
    local theta = oracle.bits(policy:theta())
    assert.are.same({ kl_mean = 0, kl_max = 0 }, policy:update_normalizer(observations_of(1, 10)))
    assert.are.equal(theta, oracle.bits(policy:theta()))
  end)

  it("takes a batch as well as observations", function()
    local a, b, x = new_policy(3), new_policy(3), observations_of(1, 60)
    a:update_normalizer(x)
    b:update_normalizer(trpo.batch { policy = b, observations = x, actions = trpo.zeros(60, 2) })
    assert.are.equal(oracle.bits(a:normalizer().std), oracle.bits(b:normalizer().std))
  end)

  it("goes along with a clone, and then its own way", function()
    local policy, x = new_policy(3), observations_of(1, 60)
    policy:update_normalizer(x)
    local clone = policy:clone()
    assert.are.equal(oracle.bits(policy:forward(x)), oracle.bits(clone:forward(x)))
    clone:update_normalizer(observations_of(2, 60))
    assert.are.equal(60, policy:normalizer().count)
    assert.are.equal(120, clone:normalizer().count)
    assert.are_not.equal(oracle.bits(policy:forward(x)), oracle.bits(clone:forward(x)))
  end)

  it("is refused with discrete observations", function()
    local ok, message = pcall(trpo.policy, {
      observation = trpo.space.discrete(3), action = trpo.space.discrete(2), rng = trpo.rng(1),
      normalize_observations = true,
    })
    assert.is_false(ok)
    assert.is_truthy(message:find("trpo.policy: normalize_observations needs a box of observations", 1, true), message)
  end)

  it("takes nothing in when a number is not finite", function()
    for _, bad in ipairs { 0 / 0, math.huge, -math.huge } do
      local policy, x = new_policy(3), observations_of(1, 60)
      policy:update_normalizer(x)
      local before = oracle.bits(policy:forward(x))
      local broken = observations_of(2, 60)
      broken[60][3] = bad
      local report, message, code = policy:update_normalizer(broken)
      assert.is_nil(report)
      assert.are.equal("string", type(message))
      assert.are.equal("not_finite", code)
      assert.are.equal(60, policy:normalizer().count)
      assert.are.equal(before, oracle.bits(policy:forward(x)))
    end
  end)
end)

describe("a normaliser that sees what has no square", function()
  it("takes nothing in, and its state can be taken up again", function()
    for _, bad in ipairs { 1e155, -1e200, 1.7e308 } do
      local policy, x = new_policy(3), observations_of(1, 60)
      policy:update_normalizer(x)
      local state = policy:state()
      local broken = observations_of(2, 60)
      broken[60][3] = bad
      local report, _, code = policy:update_normalizer(broken)
      assert.is_nil(report)
      assert.are.equal("not_finite", code)
      for name, tensor in pairs(policy:state()) do assert.are.equal(oracle.bits(state[name]), oracle.bits(tensor)) end
      policy:set_state(policy:state())
    end
  end)
end)

describe("a policy that sees NaN", function()
  it("returns nil and a reason instead of an action", function()
    for _, action in ipairs { trpo.space.discrete(3), trpo.space.box { shape = { 2 } } } do
      local policy = new_policy(3, { normalize_observations = false, action = action })
      for _, try in ipairs { "act", "sample" } do
        local chosen, message, code = policy[try](policy, { 0, 0 / 0, 1 }, trpo.rng(1))
        assert.is_nil(chosen)
        assert.are.equal("string", type(message))
        assert.are.equal("not_finite", code)
      end
    end
  end)
end)
