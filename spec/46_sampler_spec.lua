-- trpo.collect and trpo.play: what a policy meets and what the batch says about it.
local trpo = require "trpo"
local misuse = require "support.misuse"
local oracle = require "support.oracle"

local inf = math.huge

local function policy_for(env, options)
  local all = { env = env, hidden = { 4 }, precision = "double", rng = trpo.rng(1) }
  for key, x in pairs(options or {}) do all[key] = x end
  local policy = trpo.policy(all)
  return policy:set_theta(trpo.randn(trpo.rng(2), policy:size()) * 0.5)
end

-- the rows of one lane of a batch with lanes of equal length
local function lane(batch, field, k)
  local length = #batch / batch.lanes
  return batch[field]:narrow(1, (k - 1) * length + 1, length):totable()
end

describe("collecting a fixed horizon", function()
  it("goes on with each lane's episode where the last call left it", function()
    local env = trpo.make(oracle.counter { length = 7 }, { lanes = 3 })
    local policy, expected = policy_for(env), { 0, 0, 0 }
    for _ = 1, 4 do
      local batch = trpo.collect(env, policy, { horizon = 5 })
      assert.are.equal(15, #batch)
      assert.are.equal(3, batch.lanes)
      for k = 1, 3 do
        local observations, times = lane(batch, "observations", k), lane(batch, "times", k)
        local terminated = lane(batch, "terminated", k)
        for t = 1, 5 do
          assert.are.same({ k, expected[k] }, observations[t])
          assert.are.equal(expected[k], times[t])
          expected[k] = (expected[k] + 1) % 7
          assert.are.equal(expected[k] == 0 and 1 or 0, terminated[t])
        end
      end
      assert.are.equal(0, batch.truncated:sum())
    end
  end)

  it("keeps the true last observation of what is truncated or cut, not of what terminated", function()
    -- truncated after 4 steps; 10 rows a lane: cuts at rows 4, 8 and the end (2 steps into an episode)
    local env = trpo.make(oracle.counter { time_limit = 4 }, { lanes = 2 })
    local batch = trpo.collect(env, policy_for(env), { horizon = 10 })
    assert.are.same({ 0, 0, 0, 1, 0, 0, 0, 1, 0, 0 }, lane(batch, "truncated", 2))
    assert.are.equal(0, batch.terminated:sum())
    assert.are.same({ { 1, 4 }, { 1, 4 }, { 1, 2 }, { 2, 4 }, { 2, 4 }, { 2, 2 } }, batch.last_observations:totable())
    -- a terminal last row needs none
    env = trpo.make(oracle.counter { length = 5 }, { lanes = 2 })
    batch = trpo.collect(env, policy_for(env), { horizon = 10 })
    assert.are.equal(0, #batch.last_observations)
    assert.are.equal(4, batch.terminated:sum())
  end)

  it("reports the returns and lengths of the episodes that ended, also of those begun earlier", function()
    local env = trpo.make(oracle.counter {
      length = 7, reward = function(k, steps) return 100 * k + steps end,
    }, { lanes = 2 })
    local policy = policy_for(env)
    assert.are.equal(0, #trpo.collect(env, policy, { horizon = 5 }).episode_returns)
    local batch = trpo.collect(env, policy, { horizon = 17 }) -- ends after rows 2, 9 and 16
    assert.are.same({ 7, 7, 7, 7, 7, 7 }, batch.episode_lengths:totable())
    assert.are.same({ 728, 728, 728, 1428, 1428, 1428 }, batch.episode_returns:totable())
  end)

  it("has log-probabilities that are the policy's, for both distributions", function()
    for _, id in ipairs { "CartPole-v1", "Pendulum-v1" } do
      for precision, tolerance in pairs { single = 1e-5, double = 1e-12 } do
        local env = trpo.make(id, { lanes = 5, seed = 3 })
        local policy = policy_for(env, { precision = precision })
        local batch = trpo.collect(env, policy, { horizon = 50 })
        local expected = policy:log_prob(batch.observations, batch.actions)
        assert.is_true(oracle.distance(expected, batch.log_probs) < tolerance)
      end
    end
  end)

  it("draws actions with the policy's probabilities", function()
    local env = trpo.make(oracle.counter { action = trpo.space.discrete(3) }, { lanes = 4, seed = 1 })
    local policy = policy_for(env, { hidden = {} })
    local theta = policy:theta() -- only biases: the same distribution everywhere
    theta:fill(0)
    for a = 1, 3 do theta[6 + a] = a / 2 end
    policy:set_theta(theta)
    local p, counts = oracle.categorical.probabilities { 0.5, 1, 1.5 }, { 0, 0, 0 }
    for _, a in ipairs(trpo.collect(env, policy, { horizon = 2000 }).actions:totable()) do counts[a] = counts[a] + 1 end
    for a = 1, 3 do
      assert.is_true(math.abs(counts[a] / 8000 - p[a]) < 4 * math.sqrt(p[a] * (1 - p[a]) / 8000))
    end
  end)

  it("draws independently in every lane and step", function()
    local T = 2000
    local env = trpo.make(oracle.counter {}, { lanes = 4, seed = 1 })
    local policy = policy_for(env)
    local batch = trpo.collect(env, policy:set_theta(trpo.zeros(policy:size())), { horizon = T }) -- standard normals
    local noise, seen = {}, {}
    for k = 1, 4 do noise[k] = oracle.flat(lane(batch, "actions", k)) end
    for k = 1, 4 do
      local later = 0
      for t = 1, T do
        assert.is_nil(seen[noise[k][t]])
        seen[noise[k][t]] = true
        later = later + noise[k][t] * noise[k][t % T + 1] / T
      end
      assert.is_true(math.abs(oracle.mean(noise[k])) < 4 / math.sqrt(T))
      assert.is_true(math.abs(oracle.variance(noise[k]) - 1) < 4 * math.sqrt(2 / T))
      assert.is_true(math.abs(later) < 4 / math.sqrt(T))
      for other = 1, k - 1 do
        assert.is_true(math.abs(oracle.dot(noise[k], noise[other])) / T < 4 / math.sqrt(T))
      end
    end
  end)

  it("hands clipped actions to the environment and keeps the unclipped ones", function()
    local seen = {}
    local env = trpo.make(oracle.counter {
      action = trpo.space.box { shape = { 1 }, low = -0.1, high = 0.2 }, seen = seen,
    })
    local policy = policy_for(env)
    local batch = trpo.collect(env, policy, { horizon = 100 })
    local outside, actions = 0, batch.actions:totable()
    for t = 1, 100 do
      local a = actions[t][1]
      assert.are.equal(math.max(-0.1, math.min(0.2, a)), seen[t])
      if a ~= seen[t] then outside = outside + 1 end
    end
    assert.is_true(outside > 50)
    assert.is_true(oracle.distance(policy:log_prob(batch.observations, batch.actions), batch.log_probs) < 1e-12)
  end)

  it("takes the mode when asked", function()
    local env = trpo.make("Pendulum-v1", { lanes = 2, seed = 1 })
    local policy = policy_for(env)
    local batch = trpo.collect(env, policy, { horizon = 20, deterministic = true })
    assert.is_true(oracle.distance(policy:act(batch.observations), batch.actions) < 1e-12)
  end)

  it("repeats with the seed, lane by lane", function()
    local function run(seed)
      local env = trpo.make("CartPole-v1", { lanes = 3, seed = seed })
      local batch = trpo.collect(env, policy_for(env), { horizon = 64 })
      return oracle.bits(batch.observations) .. oracle.bits(batch.actions)
    end
    assert.are.equal(run(1), run(1))
    assert.are_not.equal(run(1), run(2))
    local env = trpo.make("CartPole-v1", { lanes = 2, seed = 1 })
    local batch = trpo.collect(env, policy_for(env), { horizon = 64 })
    assert.are_not.same(lane(batch, "observations", 1), lane(batch, "observations", 2))
  end)

  it("has 256 steps of each lane unless told otherwise", function()
    local env = trpo.make("CartPole-v1", { lanes = 3 })
    assert.are.equal(768, #trpo.collect(env, policy_for(env)))
  end)

  it("gives discrete observations and actions as integers from 1", function()
    local seen = {}
    local env = trpo.make({
      observation = trpo.space.discrete(4), action = trpo.space.discrete(3),
      reset = function(_, _, obs) obs[1] = 1 end,
      step = function(_, action, obs)
        seen[#seen + 1] = action
        obs[1] = obs[1] % 4 + 1
        return 0, false
      end,
    })
    local batch = trpo.collect(env, policy_for(env), { horizon = 10 })
    assert.are.same({ 1, 2, 3, 4, 1, 2, 3, 4, 1, 2 }, batch.observations:totable())
    assert.are.same(seen, batch.actions:totable())
    assert.are.same({ 3 }, batch.last_observations:totable())
  end)
end)

describe("collecting whole episodes", function()
  it("has nothing but whole episodes, and at least the budget", function()
    for _, id in ipairs { "CartPole-v1", "Pendulum-v1" } do
      local env = trpo.make(id, { lanes = 3, seed = 2, time_limit = 30 })
      local batch = trpo.collect(env, policy_for(env), { whole_episodes = true, budget = 400 })
      assert.is_true(#batch >= 400 and #batch < 400 + 3 * 30)
      local times, ends = batch.times:totable(), (batch.terminated + batch.truncated):totable()
      local sum, episodes, rewards = 0, 0, batch.rewards:totable()
      for t = 1, #batch do
        assert.are.equal((t == 1 or ends[t - 1] == 1) and 0 or times[t - 1] + 1, times[t])
        sum = sum + rewards[t]
        if ends[t] == 1 then
          episodes = episodes + 1
          assert.is_true(math.abs(batch.episode_returns[episodes] - sum) < 1e-9)
          assert.are.equal(times[t] + 1, batch.episode_lengths[episodes])
          sum = 0
        end
      end
      assert.are.equal(1, ends[#batch])
      assert.are.equal(episodes, #batch.episode_returns)
      assert.are.equal(batch.truncated:sum(), #batch.last_observations)
    end
  end)

  it("begins episodes in each lane until its share of the budget is taken, not longer", function()
    local env = trpo.make(oracle.counter { length = 5, time_limit = 9 }, { lanes = 2 })
    local policy = policy_for(env)
    for budget, rows in pairs { [1] = 10, [10] = 10, [11] = 20, [24] = 30, [29] = 30, [30] = 30, [31] = 40 } do
      assert.are.equal(rows, #trpo.collect(env, policy, { whole_episodes = true, budget = budget }), "budget " .. budget)
    end
  end)

  it("begins anew, whatever was going on", function()
    local env = trpo.make(oracle.counter { time_limit = 6 }, { lanes = 2 })
    local policy = policy_for(env)
    trpo.collect(env, policy, { horizon = 4 })
    local batch = trpo.collect(env, policy, { whole_episodes = true, budget = 12 })
    assert.are.equal(12, #batch)
    assert.are.same({ 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5 }, batch.times:totable())
    assert.are.same({ { 1, 6 }, { 2, 6 } }, batch.last_observations:totable())
  end)
end)

describe("a batch that is used again", function()
  it("is the same object with new rows when it fits", function()
    local env, twin = trpo.make("Pendulum-v1", { lanes = 2 }), trpo.make("Pendulum-v1", { lanes = 2 })
    local policy = policy_for(env)
    local first = trpo.collect(env, policy, { horizon = 30 })
    trpo.collect(twin, policy, { horizon = 30 })
    local second = trpo.collect(env, policy, { horizon = 30, batch = first })
    local expected = trpo.collect(twin, policy, { horizon = 30 })
    assert.is_true(rawequal(first, second))
    for _, field in ipairs { "observations", "actions", "rewards", "log_probs", "times", "last_observations" } do
      assert.are.equal(oracle.bits(expected[field]), oracle.bits(second[field]))
    end
  end)

  it("is left alone when it does not fit", function()
    local env = trpo.make("Pendulum-v1", { lanes = 2 })
    local policy = policy_for(env)
    local first = trpo.collect(env, policy, { horizon = 30 })
    local bits = oracle.bits(first.observations)
    local second = trpo.collect(env, policy, { horizon = 31, batch = first })
    assert.is_false(rawequal(first, second))
    assert.are.equal(62, #second)
    assert.are.equal(bits, oracle.bits(first.observations))
  end)

  it("is not taken for another kind of action", function()
    local discrete = trpo.make(oracle.counter { action = trpo.space.discrete(2) })
    local box = trpo.make(oracle.counter {})
    local batch = trpo.collect(discrete, policy_for(discrete), { horizon = 10 })
    local policy = policy_for(box)
    batch = trpo.collect(box, policy, { horizon = 10, batch = batch })
    assert.are.equal(2, batch.actions:dim())
    assert.is_true(oracle.distance(policy:log_prob(batch.observations, batch.actions), batch.log_probs) < 1e-12)
  end)
end)

describe("playing", function()
  it("returns the sums and lengths of whole episodes, in all lanes", function()
    local env = trpo.make(oracle.counter { length = 5, reward = function(_, steps) return steps end }, { lanes = 3 })
    local returns, lengths = trpo.play(env, policy_for(env), { episodes = 7 })
    assert.are.same({ 15, 15, 15, 15, 15, 15, 15 }, returns:totable())
    assert.are.same({ 5, 5, 5, 5, 5, 5, 5 }, lengths:totable())
    assert.are.equal(1, #trpo.play(env, policy_for(env), { episodes = 1 }))
    assert.are.equal(100, #trpo.play(env, policy_for(env)))
  end)

  -- what one lane's episodes are when it steps with all others, through the methods of environment and policy
  local function by_hand(env, policy, wanted, draw)
    local lanes, returns, sums = env:lanes(), {}, {}
    local obs = env:reset()
    for k = 1, lanes do returns[k], sums[k] = {}, 0 end
    local left = lanes
    while left > 0 do
      local next_obs, reward, terminated, truncated = env:step(draw(policy, obs))
      obs = next_obs
      for k = 1, lanes do
        sums[k] = sums[k] + reward[k]
        if terminated[k] + truncated[k] > 0 then
          if #returns[k] < wanted[k] then
            returns[k][#returns[k] + 1] = sums[k]
            if #returns[k] == wanted[k] then left = left - 1 end
          end
          sums[k] = 0
          obs[k] = env:reset(k)
        end
      end
    end
    local all = {}
    for k = 1, lanes do
      for _, sum in ipairs(returns[k]) do all[#all + 1] = sum end
    end
    return all
  end

  it("plays in every lane what that lane would play alone, lane after lane", function()
    for _, id in ipairs { "CartPole-v1", "Pendulum-v1" } do
      local options = { lanes = 11, seed = 3, time_limit = 60 }
      local policy = policy_for(trpo.make(id), { hidden = { 16 } })
      local wanted = {}
      for k = 1, 11 do wanted[k] = k <= 3 and 3 or 2 end -- 25 episodes
      local expected = by_hand(trpo.make(id, options), policy, wanted, function(p, obs) return p:act(obs) end)
      local returns, lengths = trpo.play(trpo.make(id, options), policy, { episodes = 25 })
      assert.are.same(expected, returns:totable())
      assert.is_true(lengths:min() >= 1 and lengths:max() <= 60)
    end
  end)

  it("does not depend on the number of threads, nor on how many episodes other lanes play", function()
    local env_options, most = { lanes = 40, seed = 4 }, trpo.threads()
    for _, id in ipairs { "CartPole-v1", "Pendulum-v1", "Taxi-v3" } do
      local policy = policy_for(trpo.make(id), { hidden = { 16 }, precision = "single" })
      local function play(threads, episodes)
        trpo.threads(threads)
        local returns = trpo.play(trpo.make(id, env_options), policy, { episodes = episodes, deterministic = false })
        trpo.threads(most)
        return returns:totable()
      end
      local one, two = play(1, 60), play(2, 60)
      assert.are.same(one, two)
      -- of 60 episodes the first 20 lanes play two
      local first = play(1, 40)
      for k = 1, 40 do assert.are.equal(first[k], one[k <= 20 and 2 * k - 1 or k + 20]) end
    end
  end)

  it("takes the mode unless told otherwise", function()
    local seen, env = {}
    env = trpo.make(oracle.counter { length = 4, seen = seen })
    local policy = policy_for(env)
    trpo.play(env, policy, { episodes = 1 })
    for t = 1, 4 do
      assert.is_true(math.abs(policy:act(trpo.tensor { 1, t - 1 })[1] - seen[t]) < 1e-12)
    end
    trpo.play(env, policy, { episodes = 1, deterministic = false })
    assert.is_true(math.abs(policy:act(trpo.tensor { 1, 0 })[1] - seen[5]) > 1e-6)
  end)
end)

describe("an environment that fails", function()
  -- fails in the given way at step 3 of every episode of lane 2
  local function failing(how)
    local def = oracle.counter { length = 10 }
    local step = def.step
    function def.step(self, action, obs, rng)
      if self.lane == 2 and self.steps == 2 and how then return how(obs) end
      return step(self, action, obs, rng)
    end
    def.id = "Failing"
    return def
  end

  for name, case in pairs {
    ["a NaN as an observation"] = { function(obs)
      obs[2] = 0 / 0
      return 0, false
    end, "not_finite", "Failing: lane 2, step 3: observation 2 is" },
    ["an infinite reward"] = { function() return inf, false end, "not_finite", "Failing: lane 2, step 3: the reward is inf" },
    ["an error"] = { function() error("the pole broke") end, "environment", "the pole broke" },
  } do
    local how, code, text = unpack(case)
    it("by " .. name .. " is reported with lane and step; the policy stays, and other calls work", function()
      local env = trpo.make(failing(how), { lanes = 2 })
      local policy = policy_for(env)
      local theta = oracle.bits(policy:theta())
      local batch, message, got = trpo.collect(env, policy, { horizon = 20 })
      assert.is_nil(batch)
      assert.are.equal(code, got)
      assert.is_truthy(message:find(text, 1, true), message)
      assert.is_truthy(message:find("lane 2, step 3", 1, true), message)
      assert.are.equal(theta, oracle.bits(policy:theta()))
      local returns
      returns, message, got = trpo.play(env, policy, { episodes = 4 })
      assert.is_nil(returns)
      assert.are.equal(code, got)
      assert.is_truthy(message:find(text, 1, true), message)
      local good = trpo.make(failing(nil), { lanes = 2 })
      assert.are.equal(40, #trpo.collect(good, policy, { horizon = 20 }))
    end)
  end

  it("carries the user's traceback", function()
    local def = failing(function() error("the pole broke") end)
    local _, message = trpo.collect(trpo.make(def, { lanes = 2 }), policy_for(trpo.make(def)), { horizon = 20 })
    assert.is_truthy(message:find("stack traceback:", 1, true), message)
    assert.is_truthy(message:find("46_sampler_spec.lua", 1, true), message)
  end)

  it("empties the batch whose memory was to be used again, and nothing else", function()
    local on = false
    local env = trpo.make(failing(function()
      if on then error("now") end
      return 0, true
    end), { lanes = 2 })
    local policy = policy_for(env)
    local batch = trpo.collect(env, policy, { horizon = 20 })
    on = true
    assert.is_nil((trpo.collect(env, policy, { horizon = 20, batch = batch })))
    assert.are.equal(0, #batch)
    assert.are.equal(0, #batch.rewards)
  end)

  it("is told from a policy whose distribution is not finite", function()
    local env = trpo.make("Pendulum-v1", { lanes = 2 })
    local policy = policy_for(env, { hidden = {}, precision = "single" })
    policy:set_theta(trpo.full({ policy:size() }, 1e300)) -- too large for single precision
    local batch, message, code = trpo.collect(env, policy, { horizon = 5 })
    assert.is_nil(batch)
    assert.are.equal("not_finite", code)
    assert.is_truthy(message:find("the policy's distribution is not finite", 1, true), message)
  end)
end)

describe("one observation", function()
  local box = oracle.policy { O = 3, A = 2 }
  local discrete = oracle.policy { O = 3, A = 4, discrete = true }

  it("may be a tensor, a table or a row, with equal results", function()
    local x = { 0.1, -0.2, 0.3 }
    local expected = oracle.bits(box:act(trpo.tensor(x)))
    assert.are.equal(expected, oracle.bits(box:act(x)))
    assert.are.equal(expected, oracle.bits(box:act(trpo.tensor { x })[1]))
    assert.are.equal("number", type(discrete:act(x)))
    assert.are.equal(discrete:act(x), discrete:act(trpo.tensor { x })[1])
  end)

  it("gets an action and its log-probability", function()
    local x = { 0.1, -0.2, 0.3 }
    for _, policy in ipairs { box, discrete } do
      local action, logp = policy:sample(x, trpo.rng(1))
      assert.are.equal("number", type(logp))
      local one = type(action) == "number" and trpo.tensor { action } or trpo.tensor { action:totable() }
      assert.is_true(math.abs(policy:log_prob(trpo.tensor { x }, one)[1] - logp) < 1e-14)
    end
  end)

  it("is drawn for as rows of a batch are, one after another", function()
    local x = trpo.randn(trpo.rng(3), 23, 3)
    for _, policy in ipairs { box, oracle.policy { O = 3, A = 5 }, discrete } do
      local together, logps = policy:sample(x, trpo.rng(1))
      local modes, rng = policy:act(x), trpo.rng(1)
      for n = 1, 23 do
        local alone, logp = policy:sample(x[n], rng)
        assert.are.equal(oracle.bits(together[n]), oracle.bits(alone))
        assert.are.equal(logps[n], logp)
        assert.are.equal(oracle.bits(modes[n]), oracle.bits(policy:act(x[n])))
      end
    end
  end)
end)

describe("an action's out", function()
  local box = oracle.policy { O = 3, A = 2 }
  local discrete = oracle.policy { O = 3, A = 4, discrete = true }
  local x = trpo.randn(trpo.rng(3), 5, 3)

  it("gets what would have been returned", function()
    local rng = trpo.rng(1)
    local one, many, few = trpo.zeros(2), trpo.zeros(5, 2), trpo.zeros(5)
    assert.are.equal(one, box:act(x[1], nil, one))
    assert.are.equal(oracle.bits(box:act(x[1])), oracle.bits(one))
    assert.are.equal(many, box:act(x, rng, many))
    assert.are.equal(oracle.bits(box:act(x)), oracle.bits(many))
    assert.are.equal(few, discrete:act(x, nil, few))
    assert.are.same(discrete:act(x):totable(), few:totable())
    for _, policy in ipairs { box, discrete } do
      local out, logps = policy == box and many or few, trpo.zeros(5)
      local got, got_logps = policy:sample(x, trpo.rng(9), out, logps)
      local expected, expected_logps = policy:sample(x, trpo.rng(9))
      assert.is_true(got == out and got_logps == logps)
      assert.are.equal(oracle.bits(expected), oracle.bits(out))
      assert.are.equal(oracle.bits(expected_logps), oracle.bits(logps))
    end
  end)

  it("may be any view, even of the observations", function()
    local expected = oracle.bits(box:act(x))
    local wide = trpo.zeros(5, 4)
    assert.are.equal(expected, oracle.bits(box:act(x, nil, wide:narrow(2, 2, 2))))
    assert.are.same({ 0, 0, 0, 0, 0 }, wide:select(2, 1):totable())
    local turned = trpo.zeros(2, 5):transpose(1, 2)
    assert.are.equal(expected, oracle.bits(box:act(x, nil, turned)))
    local copy = x:clone()
    assert.are.equal(expected, oracle.bits(box:act(copy, nil, copy:narrow(2, 1, 2))))
  end)

  it("makes acting free of allocations", function()
    local out, logps, rng, row = trpo.zeros(5, 2), trpo.zeros(5), trpo.rng(1), x[1]
    local one, numbers = trpo.zeros(2), x[1]:totable()
    local function all()
      for _ = 1, 10 do
        box:act(x, nil, out)
        box:sample(x, rng, out, logps)
        box:act(row, nil, one)
        box:sample(row, rng, one)
        box:act(numbers, nil, one)
        discrete:act(row)
        discrete:sample(row, rng)
      end
    end
    all()
    local before = trpo.info().allocations
    all()
    assert.are.equal(before, trpo.info().allocations)
  end)

  misuse.each(it, {
    { "refuses another length", box.act, { box, x[1], nil, trpo.zeros(3) },
      "policy:act: out must have size [2], got [3]" },
    { "refuses one row for a batch", box.act, { box, x, nil, trpo.zeros(2) },
      "policy:act: out must have size [5, 2], got [2]" },
    { "refuses other rows", box.sample, { box, x, trpo.rng(1), trpo.zeros(4, 2) },
      "policy:sample: out must have size [5, 2], got [4, 2]" },
    { "refuses a matrix of discrete actions", discrete.act, { discrete, x, nil, trpo.zeros(5, 1) },
      "policy:act: out must have size [5], got [5, 1]" },
    { "refuses a table", box.act, { box, x[1], nil, {} }, "policy:act: out must be a tensor, got a table" },
    { "refuses a tensor for one number", discrete.act, { discrete, x[1], nil, trpo.zeros(1) },
      "policy:act: out must be nil for one discrete action, which is a number, got a tensor [1]" },
    { "refuses repeated elements", box.act, { box, x[1], nil, trpo.zeros(1):expand(2) },
      "policy:act: out repeats its elements" },
    { "refuses log-probabilities of another size", box.sample, { box, x, trpo.rng(1), nil, trpo.zeros(4) },
      "policy:sample: log_prob must have size [5], got [4]" },
    { "refuses log-probabilities for one row", box.sample, { box, x[1], trpo.rng(1), nil, trpo.zeros(1) },
      "policy:sample: log_prob must be nil for one observation" },
    { "refuses log-probabilities that share elements with it", discrete.sample,
      (function() local t = trpo.zeros(5) return { discrete, x, trpo.rng(1), t, t } end)(),
      "policy:sample: log_prob and out must not share elements" },
    { "refuses a table with a word in it", box.act, { box, { 1, "x", 2 } },
      "policy:act: observations[2] must be a number, got the string 'x'" },
    { "refuses a table of another length", box.act, { box, { 1, 2 } },
      "policy:act: observations must have size [N, 3] or [3], got" },
  })
end)
