-- Tabular processes as environments: what is drawn against P, and what rollouts say against what is exact.
local trpo = require "trpo"
local misuse = require "support.misuse"
local tabular = require "support.tabular"

local mdp = trpo.mdp

-- two states of which the second has no second action; outcomes that differ in reward and mark only
local function ragged()
  return mdp.from_model { S = 3, A = 2, gamma = 0.9, rho0 = { 0.25, 0.75, 0 }, name = "ragged", model = function(s, a)
    if s == 1 and a == 1 then return { { 0.2, 1, 5, false }, { 0.3, 1, -5, false }, { 0.1, 3, 2, true }, { 0.4, 2, 2, false } } end
    if s == 1 then return { { 0.5, 2, 1, true }, { 0.5, 2, 1, false } } end
    if s == 2 and a == 1 then return { { 1, 1, 0 } } end
    if s == 3 then return { { 1, 3, 0, true } } end
  end }
end

-- how often each outcome comes out of n steps from (s, a), in all lanes at once
local function frequencies(process, s, a, n)
  local lanes = 50
  local env = trpo.make(process, { lanes = lanes, seed = 7 })
  local state, actions, seen = trpo.tensor { s }, trpo.full({ lanes }, a), {}
  env:reset()
  for _ = 1, n / lanes do
    for lane = 1, lanes do env:set_state(lane, state) end
    local obs, reward, terminated = env:step(actions)
    for lane = 1, lanes do
      local key = ("%d %g %g"):format(obs[lane][1], reward[lane], terminated[lane])
      seen[key] = (seen[key] or 0) + 1 / n
    end
  end
  return seen
end

describe("a tabular process as an environment", function()
  it("draws next states, rewards and ends with the probabilities of the outcomes", function()
    local n = 8000
    for _, case in ipairs { { ragged(), 1, 1 }, { ragged(), 1, 2 }, { ragged(), 2, 1 }, { mdp.frozen_lake(), 15, 2 },
      { mdp.garnet { states = 9, actions = 2, branching = 7, seed = 4 }, 5, 2 }, { mdp.puterman(), 1, 1 },
      { mdp.car_rental { cars = 2 }, 5, 2 }, { mdp.taxi(), 500, 6 } } do
      local process, s, a = case[1], case[2], case[3]
      local seen = frequencies(process, s, a, n)
      for _, o in ipairs(process:outcomes(s, a)) do
        local key = ("%d %g %g"):format(o.next, o.reward, o.done and 1 or 0)
        local error = math.sqrt(o.probability * (1 - o.probability) / n)
        assert.is_true(math.abs((seen[key] or 0) - o.probability) <= 4 * error + 1e-9, key)
        seen[key] = nil
      end
      assert.is_nil(next(seen)) -- nothing else happens
    end
  end)

  it("begins in states drawn from rho0", function()
    local n, env, counts = 8000, trpo.make(ragged(), { seed = 3 }), { 0, 0, 0 }
    for _ = 1, n do
      local s = env:reset()[1]
      counts[s] = counts[s] + 1
    end
    assert.is_true(math.abs(counts[1] / n - 0.25) < 4 * math.sqrt(0.25 * 0.75 / n))
    assert.are.equal(0, counts[3])
    assert.are.equal(n, counts[1] + counts[2])
  end)

  it("shows the state as an integer from 1 or one-hot", function()
    local process = mdp.garnet { states = 6, actions = 2, branching = 3, seed = 1 }
    local whole = trpo.make(process, { lanes = 3, seed = 5 })
    local hot = trpo.make(process, { lanes = 3, seed = 5, observation = "one_hot" })
    assert.are.equal(trpo.space.discrete(6), whole.observation)
    assert.are.equal(trpo.space.box { shape = { 6 }, low = 0, high = 1 }, hot.observation)
    assert.are.equal(trpo.space.discrete(2), hot.action)
    local function compare(x, y)
      for lane = 1, 3 do
        for s = 1, 6 do assert.are.equal(x[lane][1] == s and 1 or 0, y[lane][s]) end
        assert.are.equal(x[lane][1], hot:state(lane)[1])
      end
    end
    compare(whole:reset(), hot:reset())
    local rng = trpo.rng(2)
    for step = 1, 60 do
      local actions = { rng:integer(1, 2), rng:integer(1, 2), rng:integer(1, 2) }
      local x, rx = whole:step(actions)
      local y, ry = hot:step(actions)
      compare(x, y)
      assert.are.same(rx:totable(), ry:totable())
      if step % 20 == 0 then
        whole:set_state(2, trpo.tensor { 4 })
        hot:set_state(2, trpo.tensor { 4 })
        whole:reset(3)
        hot:reset(3)
      end
    end
  end)

  it("keeps the next state of a step that ends an episode in sight", function()
    local env = trpo.make(mdp.frozen_lake { slippery = false }, { time_limit = 5 })
    env:reset()
    local obs, reward, terminated, truncated
    for _, action in ipairs { 2, 2, 3, 2, 3 } do obs, reward, terminated, truncated = env:step(action) end
    assert.are.same({ 15, 0, false, true }, { obs[1], reward, terminated, truncated })
    env:set_state(1, trpo.tensor { 15 })
    obs, reward, terminated, truncated = env:step(3)
    assert.are.same({ 16, 1, true, false }, { obs[1], reward, terminated, truncated })
    assert.has_error(function() env:step(1) end)
  end)

  it("has no time limit but the one that is asked for", function()
    assert.are.equal(0, trpo.make(mdp.forest()).time_limit)
    local env = trpo.make(mdp.forest(), { time_limit = 3, lanes = 2 })
    env:reset()
    env:step { 1, 1 }
    env:step { 1, 1 }
    local _, _, terminated, truncated = env:step { 1, 1 }
    assert.are.same({ { 0, 0 }, { 1, 1 } }, { terminated:totable(), truncated:totable() })
  end)

  it("refuses an action that the state lacks, names those it has, and leaves all lanes as they were", function()
    local env = trpo.make(ragged(), { lanes = 3, seed = 1 })
    env:reset()
    for lane, s in ipairs { 1, 2, 1 } do env:set_state(lane, trpo.tensor { s }) end
    local before = { env:save(1), env:save(2), env:save(3) }
    local ok, message = pcall(env.step, env, { 1, 2, 1 })
    assert.is_false(ok)
    assert.is_truthy(message:find("env:step: ragged: lane 2, step 1: state 2 has no action 2, it has 1", 1, true), message)
    for lane = 1, 3 do assert.are.same(before[lane], env:save(lane)) end
    -- longer lists are cut
    local rental = trpo.make(mdp.gambler { goal = 400 }, { seed = 1 })
    rental:reset()
    rental:set_state(1, trpo.tensor { 151 })
    ok, message = pcall(rental.step, rental, 151)
    assert.is_false(ok)
    assert.is_truthy(message:find "state 151 has no action 151, it has 1, 2, 3, .*, %.%.%.$")
  end)

  it("continues from a saved lane bit for bit, in any lane", function()
    for _, observation in ipairs { "integer", "one_hot" } do
      local process = mdp.garnet { states = 30, actions = 3, branching = 4, seed = 9 }
      local env = trpo.make(process, { lanes = 1, seed = 2, observation = observation })
      env:reset()
      for i = 1, 7 do env:step(i % 3 + 1) end
      local saved, first = env:save(), {}
      for i = 1, 10 do first[i] = { env:step(i % 3 + 1) } end
      env:restore(1, saved)
      for i = 1, 10 do
        local obs, reward = env:step(i % 3 + 1)
        assert.are.same({ first[i][1]:totable(), first[i][2] }, { obs:totable(), reward })
      end
    end
  end)

  it("gives the same bits at any number of threads, and other bits for another seed or stream", function()
    local process = mdp.garnet { states = 50, actions = 3, branching = 4, seed = 9 }
    local before = trpo.threads()
    local function play(threads, seed, stream)
      trpo.threads(threads)
      local env = trpo.make(process, { lanes = 300, seed = seed, stream = stream, time_limit = 11 })
      local policy = trpo.policy { env = env, hidden = {}, precision = "double", rng = trpo.rng(1) }
      local batch = trpo.collect(env, policy, { horizon = 12 })
      return { batch.observations:totable(), batch.rewards:totable(), batch.actions:totable() }
    end
    local one = play(1, 4, 0)
    assert.are.same(one, play(2, 4, 0))
    assert.are_not.same(one, play(2, 5, 0))
    assert.are_not.same(one, play(2, 4, 1))
    trpo.threads(before)
  end)

  it("keeps the process alive", function()
    local env = trpo.make(mdp.garnet { states = 500, actions = 3, branching = 4, seed = 9 }, { lanes = 4 })
    for _ = 1, 3 do collectgarbage() end
    env:reset()
    for _ = 1, 50 do
      local obs = env:step { 1, 2, 3, 1 }
      assert.is_true(obs:min() >= 1 and obs:max() <= 500)
    end
  end)

  it("passes the checks of trpo.check_env", function()
    for _, what in ipairs { "FrozenLake-v1", "FrozenLake8x8-v1", "CliffWalking-v1", "Taxi-v3" } do
      assert(trpo.check_env(what))
    end
  end)

  -- Gymnasium lets CliffWalking go on for ever, which an evaluation of a policy that never arrives would do
  it("is known by Gymnasium's ids, with Gymnasium's limits where it has any", function()
    local limits = { ["FrozenLake-v1"] = 100, ["FrozenLake8x8-v1"] = 200, ["CliffWalking-v1"] = 1000, ["Taxi-v3"] = 200 }
    for id, limit in pairs(limits) do
      local env, process = trpo.make(id), mdp.make(id)
      assert.are.same({ id, limit }, { env.id, env.time_limit })
      assert.are.equal(trpo.space.discrete(process.S), env.observation)
      local hot = trpo.make(id, { observation = "one_hot", seed = 3 })
      assert.are.same({ id, limit, process.S }, { hot.id, hot.time_limit, hot.observation.high:size(1) })
      -- the same process by either way
      local whole = trpo.make(id, { seed = 3 })
      assert.are.equal(1, hot:reset()[whole:reset()[1]])
      for i = 1, 20 do
        local x, r, ended = whole:step(i % 4 + 1)
        local y, q = hot:step(i % 4 + 1)
        assert.are.same({ 1, r }, { y[x[1]], q })
        if ended then break end
      end
    end
    assert.are.equal(9, trpo.make("FrozenLake-v1", { time_limit = 9, observation = "integer" }).time_limit)
  end)

  it("needs a time limit in an experiment when no episode ends", function()
    local garnet = mdp.garnet { states = 5 }
    local ok, message = pcall(trpo.experiment, { env = garnet })
    assert.is_false(ok)
    assert.is_truthy(message:find("trpo.experiment: no episode of garnet ever ends; give a time limit", 1, true), message)
    local run = trpo.experiment { env = { id = garnet, time_limit = 20 }, policy = { hidden = {} }, steps = 1000, dir = false,
      evaluation = { episodes = 3 } }
    assert.are.equal(20, run.config.env.time_limit)
    assert.is_number(assert(run:train())["eval/mean_reward"])
    assert.is_false(garnet.episodic)
    assert.is_true(mdp.frozen_lake().episodic)
  end)

  it("is what an experiment can be about", function()
    local run = trpo.experiment { env = mdp.frozen_lake { slippery = false }, policy = { hidden = {} }, steps = 1000 }
    assert.are.equal("frozen_lake", run.config.env.id)
    assert.are.equal("Mdp", trpo.make(mdp { P = trpo.ones(1, 1, 1), r = trpo.ones(1), gamma = 0.5 }).id)
  end)

  local process, env = mdp.forest(), trpo.make(mdp.forest())
  misuse.each(it, {
    { "an observation that is neither", trpo.make, { process, { observation = "onehot" } },
      "trpo.make: observation must be 'integer' or 'one_hot', got the string 'onehot'" },
    { "an observation of another type", trpo.make, { process, { observation = 1 } },
      "trpo.make: observation must be 'integer' or 'one_hot', got 1" },
    { "a slip", trpo.make, { process, { observations = "integer" } },
      "trpo.make: unknown option 'observations', did you mean 'observation'?" },
    { "lanes", trpo.make, { process, { lanes = 0 } }, "trpo.make: lanes must be an integer in [1, 1048576], got 0" },
    { "an observation for what is not tabular", trpo.make, { "CartPole-v1", { observation = "one_hot" } },
      "trpo.make: observation is an option of tabular processes only, which 'CartPole-v1' is not" },
    { "an action beyond the last", function() env:reset() env:step(3) end, {}, "env:step: action of lane 1" },
    { "a state that is none", env.set_state, { env, 1, trpo.tensor { 4 } },
      "env:set_state: state must be an integer in [1, 3], got 4" },
    { "half a state", env.set_state, { env, 1, trpo.tensor { 1.5 } }, "state must be an integer in [1, 3], got 1.5" },
    { "a state of two numbers", env.set_state, { env, 1, trpo.tensor { 1, 2 } }, "env:set_state: state must have size [1]" },
  })
end)

-- ---- sampled meets exact -------------------------------------------------------------------------------------------

-- sums of samples by key, for means and standard errors
local function new_moments() return setmetatable({}, { __index = function(t, key)
  local entry = { n = 0, sum = 0, square = 0 }
  rawset(t, key, entry)
  return entry
end }) end

local function note(moments, key, x)
  local m = moments[key]
  m.n, m.sum, m.square = m.n + 1, m.sum + x, m.square + x * x
end

-- raises unless the mean of the samples is within four standard errors; n: samples, where zeros are not noted
local function expect(moments, key, exact, n)
  local m = moments[key]
  n = n or m.n
  local mean = m.sum / n
  local error = math.sqrt(math.max(m.square / n - mean * mean, 0) / (n - 1))
  assert.is_true(math.abs(mean - exact) <= 4 * error + 1e-7 * (1 + math.abs(exact)),
    ("%s: %g +- %g instead of %g (%d samples)"):format(key, mean, error, exact, n))
end

-- the rows of a batch's episodes, as pairs of first and last
local function episodes_of(batch)
  local list, first = {}, 1
  local terminated, truncated = batch.terminated:totable(), batch.truncated:totable()
  for i = 1, #batch do
    if terminated[i] == 1 or truncated[i] == 1 then
      list[#list + 1] = { first, i }
      first = i + 1
    end
  end
  return list
end

-- a softmax policy with one logit for each pair, of random logits, and its table
local function tabular_policy(env, process, seed)
  local policy = trpo.policy { env = env, hidden = {}, precision = "double", rng = trpo.rng(seed) }
  policy:set_theta(trpo.randn(trpo.rng(seed), policy:size()) * 0.4)
  local logits = policy:forward(trpo.eye(process.S))
  return policy, process:softmax_policy(logits)
end

-- with few states, so that nothing that matters is too rare for a standard error
local rollouts = {
  { name = "frozen_lake", options = { map = { "SFF", "FHF", "FFG" }, gamma = 0.9 }, time_limit = 200 },
  { name = "random_walk", options = { gamma = 0.9 }, time_limit = 200 },
  { name = "chain", options = { gamma = 0.8 }, time_limit = 90 },
  { name = "garnet", options = { states = 8, actions = 3, branching = 3, gamma = 0.8, seed = 5, rewards = "normal" },
    time_limit = 90 },
  { name = "river_swim", options = { states = 4, gamma = 0.8 }, time_limit = 90 },
}

describe("rollouts", function()
  for index, case in ipairs(rollouts) do
    -- the time limit cuts off less than 1e-8 of any return from the first half of an episode
    it("of " .. case.name .. " agree with the exact V, A, rho, eta and gradient", function()
      local process = mdp[case.name](case.options)
      local gamma, S, A = process.gamma, process.S, process.A
      local env = trpo.make(process, { observation = "one_hot", lanes = 16, time_limit = case.time_limit, seed = index })
      local policy, pi = tabular_policy(env, process, 40 + index)
      local e = tabular.evaluate(process, pi)
      local batch = trpo.collect(env, policy, { whole_episodes = true, budget = 40000 })
      trpo.gae(batch, { gamma = gamma, lambda = 1 })
      local returns, actions, times = batch.returns:totable(), batch.actions:totable(), batch.times:totable()
      local states = batch.observations:argmax(2):totable()
      local V, Q, rho, eta, gradient = new_moments(), new_moments(), new_moments(), new_moments(), new_moments()
      local episodes = episodes_of(batch)

      for _, rows in ipairs(episodes) do
        local first, last = rows[1], rows[2]
        note(eta, "eta", returns[first])
        local seen, visits = {}, {}
        for i = first, last do
          local s, a = states[i], actions[i]
          visits[s] = (visits[s] or 0) + gamma ^ times[i]
          local pair = s .. " " .. a
          local early = times[i] <= case.time_limit / 2
          if early and not seen[s] then note(V, s, returns[i]) end
          if early and not seen[pair] then note(Q, pair, returns[i] - e.V[s]) end
          seen[s], seen[pair] = true, true
        end
        for s, x in pairs(visits) do note(rho, s, x) end

        -- sum_t gamma^t d log pi(a_t | s_t) (return - V(s_t)): without gamma^t it would be another vector
        local weights = {}
        for i = first, last do
          weights[#weights + 1] = gamma ^ times[i] * (returns[i] - e.V[states[i]]) * (last - first + 1)
        end
        local g = policy:log_prob_gradient(batch.observations:narrow(1, first, last - first + 1),
          batch.actions:narrow(1, first, last - first + 1), trpo.tensor(weights)):totable()
        for k = 1, #g do note(gradient, k, g[k]) end
      end

      expect(eta, "eta", e.eta)
      local compared = 0
      for s = 1, S do
        if rho[s].n >= 150 then expect(rho, s, e.rho[s], #episodes) end
        if V[s].n >= 150 then expect(V, s, e.V[s]) end
        for a = 1, A do
          local pair = s .. " " .. a
          if Q[pair].n >= 150 then
            expect(Q, pair, e.A[s][a])
            compared = compared + 1
          end
        end
      end
      assert.is_true(compared >= 3 * A, ("only %d pairs compared"):format(compared))

      -- d eta / d logit(s, a) = rho(s) pi(a | s) A(s, a), through the linear map from weights to logits
      local exact = policy:vjp(trpo.eye(S), e.rho:view(S, 1) * pi * e.A):totable()
      for k = 1, #exact do expect(gradient, k, exact[k]) end
    end)
  end

  it("show that the surrogate's gradient without the discount of the states is another one", function()
    local process = mdp.garnet { states = 8, actions = 3, branching = 3, gamma = 0.8, seed = 5, rewards = "normal" }
    local env = trpo.make(process, { observation = "one_hot" })
    local policy, pi = tabular_policy(env, process, 44)
    local e = tabular.evaluate(process, pi)
    -- visits without discount, as long as the rest of an episode is not cut: sum over the first 90 steps
    local P, visits, at = tabular.chain(process, pi), trpo.zeros(8), process.rho0
    for _ = 1, 90 do
      visits = visits + at
      at = P:t():mv(at)
    end
    local function gradient(rho)
      local g = policy:vjp(trpo.eye(8), rho:view(8, 1) * pi * e.A)
      return g / g:norm()
    end
    local cosine = gradient(e.rho):dot(gradient(visits))
    assert.is_true(cosine < 0.9999 and cosine > 0.5)
  end)
end)
