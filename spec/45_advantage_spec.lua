-- Returns and advantages, against their definition.
local trpo = require "trpo"
local oracle = require "support.oracle"

local function values(kind)
  if kind == "none" then return nil end
  local value = trpo.value {
    kind = kind, observation = trpo.space.box { shape = { 2 } }, hidden = kind == "network" and { 6 } or nil,
    precision = kind == "network" and "double" or nil, rng = trpo.rng(1),
  }
  local theta = value:theta()
  return value:set_theta(trpo.randn(trpo.rng(2), theta:nelement()))
end

-- a batch by hand: T rows of one lane with ends at random
local function by_hand(T, seed, last)
  local rng, terminated, truncated = trpo.rng(seed), trpo.zeros(T), trpo.zeros(T)
  local cuts = 0
  for t = 1, T do
    local u = rng:uniform()
    if t < T and u < 0.08 then terminated[t] = 1 elseif t < T and u < 0.16 then truncated[t] = 1 end
  end
  if last == "terminated" then terminated[T] = 1 elseif last == "truncated" then truncated[T] = 1 end
  for t = 1, T do
    if truncated[t] == 1 or t == T and terminated[t] == 0 then cuts = cuts + 1 end
  end
  return trpo.batch {
    policy = oracle.policy { O = 2, A = 2, discrete = true },
    observations = trpo.randn(rng, T, 2), actions = trpo.ones(T), rewards = trpo.randn(rng, T),
    terminated = terminated, truncated = truncated,
    last_observations = trpo.randn(rng, math.max(cuts, 1), 2):narrow(1, 1, math.max(cuts, 1)):narrow(1, 1, cuts),
  }
end

-- a batch from an environment: random terminations and a time limit, several lanes
local function collected(options)
  local def = {
    observation = trpo.space.box { shape = { 2 } }, action = trpo.space.discrete(2), time_limit = 9,
    reset = function(_, rng, obs) obs[1], obs[2] = rng:normal(), rng:normal() end,
    step = function(_, action, obs, rng)
      obs[1], obs[2] = rng:normal(), rng:normal()
      return obs[1] + action, rng:uniform() < 0.1
    end,
  }
  local env = trpo.make(def, { lanes = 3, seed = 5 })
  return trpo.collect(env, oracle.policy { O = 2, A = 2, discrete = true }, options)
end

local batches = {
  { "a batch by hand whose last row is cut", by_hand(150, 1) },
  { "a batch by hand whose last row is terminal", by_hand(150, 2, "terminated") },
  { "a batch by hand whose last row is truncated", by_hand(150, 3, "truncated") },
  { "a single row", by_hand(1, 4) },
  { "lanes of a fixed horizon", collected { horizon = 50 }, 50 },
  { "whole episodes", collected { whole_episodes = true, budget = 100 } },
}

describe("advantages", function()
  for _, case in ipairs(batches) do
    local name, batch, length = unpack(case)
    it("are those of the definition, for every gamma, lambda and baseline: " .. name, function()
      for _, kind in ipairs { "none", "network", "linear" } do
        local value = values(kind)
        local rows, cuts = oracle.rows(batch, length, value)
        assert.are.equal(cuts, #batch.last_observations)
        for _, gamma in ipairs { 0, 0.9, 1 } do
          for _, lambda in ipairs { 0, 0.95, 1 } do
            local advantages, returns = oracle.gae(rows, gamma, lambda)
            assert.are.equal(batch, trpo.gae(batch, { gamma = gamma, lambda = lambda, value = value }))
            assert.is_true(oracle.distance(advantages, batch.advantages) < 1e-11)
            assert.is_true(oracle.distance(returns, batch.returns) < 1e-11)
          end
        end
      end
    end)
  end

  it("of a critic that is false are those without one", function()
    local batch = by_hand(60, 6)
    local expected = trpo.gae(batch, { lambda = 1 }).advantages:clone()
    assert.are.equal(0, oracle.distance(expected, trpo.gae(batch, { lambda = 1, value = false }).advantages))
    local ok, message = pcall(trpo.gae, batch, { value = true })
    assert.is_false(ok)
    assert.are.equal("trpo.gae: value must be a value baseline, got true", (message:gsub("^.-:%d+: ", "")))
  end)

  it("use gamma 0.99 and lambda 0.97 unless told otherwise", function()
    local batch = by_hand(60, 6)
    local advantages = oracle.gae(oracle.rows(batch), 0.99, 0.97)
    assert.is_true(oracle.distance(advantages, trpo.gae(batch).advantages) < 1e-12)
  end)

  it("without a baseline and with lambda = 1 are Monte-Carlo returns", function()
    local batch = trpo.batch {
      policy = oracle.policy { O = 1, A = 2, discrete = true },
      observations = trpo.zeros(5, 1), actions = trpo.ones(5), rewards = trpo.tensor { 1, 2, 4, 8, 16 },
      terminated = trpo.tensor { 0, 0, 1, 0, 1 },
    }
    trpo.gae(batch, { gamma = 0.5, lambda = 1 })
    assert.are.same({ 3, 4, 4, 16, 16 }, batch.advantages:totable())
    assert.are.same({ 3, 4, 4, 16, 16 }, batch.returns:totable())
    assert.are.same({ 0, 0, 0, 0, 0 }, batch.values:totable())
  end)

  it("are standardised to mean 0 and standard deviation 1 when asked", function()
    local batch = by_hand(150, 1)
    local expected = oracle.standardized(oracle.gae(oracle.rows(batch), 0.99, 0.97))
    trpo.gae(batch, { standardize = true })
    local got = batch.advantages:totable()
    assert.is_true(oracle.distance(expected, got) < 1e-12)
    assert.is_true(math.abs(oracle.mean(got)) < 1e-14)
    assert.is_true(math.abs(oracle.variance(got) - 1) < 1e-13)
    -- the targets of the baseline are not
    assert.is_true(oracle.distance((select(2, oracle.gae(oracle.rows(batch), 0.99, 0.97))), batch.returns) < 1e-11)
  end)

  it("that are all equal become 0, not NaN", function()
    for _, reward in ipairs { 0, 1, -0.1, 1e200, 1e-200 } do
      local batch = trpo.batch {
        policy = oracle.policy { O = 1, A = 2, discrete = true },
        observations = trpo.zeros(7, 1), actions = trpo.ones(7), rewards = trpo.full({ 7 }, reward),
        terminated = trpo.ones(7),
      }
      trpo.gae(batch, { standardize = true })
      assert.are.same({ 0, 0, 0, 0, 0, 0, 0 }, batch.advantages:totable())
    end
  end)

  it("standardised do not depend on the unit of the rewards, however large or small", function()
    local expected = oracle.flat(trpo.gae(by_hand(150, 1), { standardize = true }).advantages)
    for _, unit in ipairs { 1000, 1e-6, 1e150, 1e-150, 1e200, 1e-200 } do
      local batch = by_hand(150, 1)
      batch.rewards:copy(batch.rewards * unit)
      local got = trpo.gae(batch, { standardize = true }).advantages
      assert.is_true(oracle.distance(expected, got) < 1e-12, tostring(unit))
    end
  end)
end)

describe("the explained variance", function()
  it("is 1 - Var(returns - values) / Var(returns)", function()
    local batch = by_hand(150, 1)
    trpo.gae(batch, { value = values "network" })
    local v, r, difference = batch.values:totable(), batch.returns:totable(), {}
    for t = 1, #v do difference[t] = r[t] - v[t] end
    local expected = 1 - oracle.variance(difference) / oracle.variance(r)
    assert.is_true(math.abs(batch:explained_variance() - expected) < 1e-12)
  end)

  it("is 1 for perfect values, 0 for constant ones, and NaN when returns do not vary", function()
    local batch = by_hand(20, 1)
    batch.returns:copy(batch.rewards)
    batch.values:copy(batch.rewards)
    assert.are.equal(1, batch:explained_variance())
    batch.values:fill(3)
    assert.is_true(math.abs(batch:explained_variance()) < 1e-14)
    batch.returns:fill(1)
    local x = batch:explained_variance()
    assert.is_true(x ~= x)
  end)
end)

describe("a batch by hand", function()
  it("keeps what it was given, and the policy's log-probabilities", function()
    local policy = oracle.policy { O = 3, A = 2 }
    local observations, actions, advantages = oracle.data(policy, 20)
    local batch = trpo.batch { policy = policy, observations = observations, actions = actions, advantages = advantages }
    assert.are.equal(20, #batch)
    assert.are.equal(1, batch.lanes)
    for name, x in pairs { observations = observations, actions = actions, advantages = advantages } do
      assert.are.equal(oracle.bits(x), oracle.bits(batch[name]))
    end
    assert.are.equal(oracle.bits(policy:log_prob(observations, actions)), oracle.bits(batch.log_probs))
    assert.are.equal("trpo.Batch: 20 steps in 1 lanes, 0 episodes ended", tostring(batch))
    assert.is_nil(batch.nonsense)
  end)

  it("shows its own memory, which outlives it", function()
    local batch = by_hand(20, 1)
    local rewards = batch.rewards
    rewards[3] = 77
    assert.are.equal(77, batch.rewards[3])
    batch = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.are.equal(77, rewards[3])
  end)

  it("knows the time within episodes", function()
    local batch = trpo.batch {
      policy = oracle.policy { O = 1, A = 2, discrete = true },
      observations = trpo.zeros(6, 1), actions = trpo.ones(6),
      terminated = trpo.tensor { 0, 1, 0, 0, 0, 0 }, truncated = trpo.tensor { 0, 0, 0, 1, 0, 0 },
    }
    assert.are.same({ 0, 1, 0, 1, 0, 1 }, batch.times:totable())
  end)
end)
