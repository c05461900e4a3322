-- States of policies, critics and lanes: copies of all that learning changes, and back again bit for bit.
local by_hand = require "support.by_hand"
local files = require "support.files"
local misuse = require "support.misuse"
local trpo = require "trpo"

local nan, inf = 0 / 0, math.huge
local box = trpo.space.box { shape = { 3 }, low = -1, high = 1 }
local wide = trpo.space.box { shape = { 3 } }
local discrete = trpo.space.discrete(4)

local function policy(options)
  local all = { observation = wide, action = discrete, hidden = { 5, 4 }, rng = trpo.rng(1) }
  for key, value in pairs(options or {}) do all[key] = value end
  return trpo.policy(all)
end

local function value(options)
  local all = { observation = wide, hidden = { 5 }, optimizer = "adam", epochs = 2, minibatch = 8, rng = trpo.rng(1) }
  for key, entry in pairs(options or {}) do all[key] = entry end
  if all.optimizer ~= "adam" then all.epochs, all.minibatch = nil, nil end
  if all.kind == "linear" then all = { kind = "linear", observation = wide, ridge = 1e-3 } end
  return trpo.value(all)
end

-- observations for any of the spaces
local function observations(space, N, seed)
  local rng = trpo.rng(seed)
  if space.kind == "box" then return trpo.randn(rng, N, space.size) * 3 + 1 end
  local rows = trpo.zeros(N)
  for i = 1, N do rows[i] = rng:integer(1, space.n) end
  return rows
end

local function batch_of(seed, N)
  local rows = observations(wide, N or 40, seed)
  local returns = rows:select(2, 1) * 50 + 7
  return trpo.batch {
    policy = policy(), observations = rows, actions = trpo.ones(rows:size(1)), returns = returns, rewards = returns,
  }
end

local function same_bits(a, b) return trpo.npy.encode(a) == trpo.npy.encode(b) end

local function bytes(state)
  local names, out = {}, {}
  for name in pairs(state) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do out[i] = name .. trpo.npy.encode(state[name]) end
  return table.concat(out)
end

local policies = {
  { "of a discrete space", {} },
  { "of discrete observations", { observation = trpo.space.discrete(6) } },
  { "of a box", { action = box, log_std = -0.5 } },
  { "with a normaliser", { action = box, normalize_observations = true } },
  { "in double precision", { precision = "double", normalize_observations = true } },
  { "without hidden layers", { hidden = {} } },
  { "with rectifiers", { activation = "relu", hidden = { 3, 3, 3 } } },
}

describe("the state of a policy", function()
  for _, case in ipairs(policies) do
    local name, options = case[1], case[2]

    it("makes another policy the same: " .. name, function()
      local first = policy(options)
      local rows = observations(first.observation, 20, 3)
      first:set_theta(first:theta() * 1.25 + 1e-3)
      first:update_normalizer(rows)
      local other = policy(options)
      other:set_theta(other:theta() * -3)
      other:update_normalizer(observations(first.observation, 9, 8))
      assert.are.equal(other, other:set_state(first:state()))
      assert.is_true(same_bits(first:theta(), other:theta()))
      assert.are.same(first:normalizer() and first:normalizer().mean:totable(),
        other:normalizer() and other:normalizer().mean:totable())
      -- what is computed with it, and how the normaliser goes on
      for _ = 1, 2 do
        assert.is_true(same_bits(first:forward(rows), other:forward(rows)))
        local a, p = first:sample(rows, trpo.rng(7))
        local b, q = other:sample(rows, trpo.rng(7))
        assert.is_true(same_bits(a, b) and same_bits(p, q))
        rows = observations(first.observation, 30, 5)
        assert.are.same(first:update_normalizer(rows), other:update_normalizer(rows))
      end
    end)

    it("is a set of copies: " .. name, function()
      local p = policy(options)
      local state, before = p:state(), p:theta()
      state.theta:fill(7)
      assert.is_true(same_bits(before, p:theta()))
      p:set_state(state)
      state.theta:fill(8)
      assert.are.equal(7, p:theta():max())
    end)

    it("fits a policy that is made from its options: " .. name, function()
      local p = policy(options)
      local again = p:options()
      again.observation, again.action, again.rng = p.observation, p.action, trpo.rng(2)
      local q = trpo.policy(again)
      assert.are.same(p:options(), q:options())
      q:set_state(p:state())
      assert.is_true(same_bits(p:theta(), q:theta()))
    end)
  end

  it("names the options", function()
    assert.are.same({ hidden = { 3, 2 }, activation = "relu", precision = "double", normalize_observations = true },
      policy({ hidden = { 3, 2 }, activation = "relu", precision = "double", normalize_observations = true }):options())
  end)

  it("keeps every bit of unusual numbers", function()
    local p = policy { normalize_observations = true, precision = "double" }
    local state = p:state()
    for i, x in ipairs { -0.0, 5e-324, -2.2250738585072009e-308, 1.7976931348623157e308, 1 + 2 ^ -52, -1e-320 } do
      state.theta[i] = x
      state["normalizer.mean"][i % 3 + 1] = x
    end
    state["normalizer.count"][1] = 2 ^ 48 - 1
    p:set_state(state)
    assert.are.equal(bytes(state), bytes(p:state()))
    assert.are.equal(-math.huge, 1 / p:theta()[1])
    assert.are.equal(5e-324, p:theta()[2])
    assert.are.equal(2 ^ 48 - 1, p:normalizer().count)
  end)

  it("may come from strided tensors", function()
    local p, q = policy(), policy()
    local columns = trpo.zeros(p:size(), 2)
    columns:select(2, 2):copy(p:theta() * 2)
    q:set_state { theta = columns:select(2, 2) }
    assert.is_true(same_bits(p:theta() * 2, q:theta()))
  end)
end)

local values = {
  { "a network", {} },
  { "a normalising network", { normalize_observations = true } },
  { "a network in double precision", { precision = "double", activation = "relu" } },
  { "a network on plain targets", { rescale_targets = false } },
  { "a network by Gauss-Newton steps", { optimizer = "gauss_newton", lm_damping = 1e-9, curvature_rows = 3, cg_products = 20 } },
  { "a normalising network by L-BFGS", { optimizer = "lbfgs", iterations = 3, normalize_observations = true } },
  { "a network with its last layer solved", { optimizer = "last_layer", precision = "double" } },
  { "a linear one", { kind = "linear" } },
}

describe("the state of a critic", function()
  for _, case in ipairs(values) do
    local name, options = case[1], case[2]

    it("makes another critic go on in the same way: " .. name, function()
      local first, other = value(options), value { kind = options.kind, rng = trpo.rng(9) }
      if not options.kind then
        local all = { rng = trpo.rng(9) }
        for key, entry in pairs(options) do all[key] = entry end
        other = value(all)
      end
      for seed = 1, 3 do first:fit(batch_of(seed)) end
      other:fit(batch_of(11))
      assert.are.equal(other, other:set_state(first:state()))
      for seed = 4, 6 do
        local rows, times = observations(wide, 20, seed), trpo.arange(0, 20)
        assert.is_true(same_bits(first:theta(), other:theta()))
        assert.is_true(same_bits(first:predict(rows, times), other:predict(rows, times)))
        -- Adam's moments and step, the shuffles, the scale of the targets and the normaliser go on alike
        local a, b = first:fit(batch_of(seed)), other:fit(batch_of(seed))
        assert.are.equal(a.loss, b.loss)
        assert.are.equal(a.steps, b.steps)
      end
      assert.are.equal(bytes(first:state()), bytes(other:state()))
    end)

    it("fits a critic that is made from its options: " .. name, function()
      local v = value(options)
      local again = v:options()
      again.observation, again.rng = wide, trpo.rng(2)
      local w = trpo.value(again)
      assert.are.same(v:options(), w:options())
      assert.are.equal(w, w:set_state(v:state()))
    end)
  end

  it("names the options", function()
    assert.are.same({ kind = "linear", ridge = 1e-3 }, value({ kind = "linear" }):options())
    assert.are.same({
      kind = "network", hidden = { 5 }, activation = "tanh", precision = "single", normalize_observations = false,
      optimizer = "adam", learning_rate = 0.25, epochs = 2, minibatch = 8, rescale_targets = true,
    }, value({ learning_rate = 0.25 }):options())
    local others = { kind = "network", hidden = { 5 }, activation = "tanh", precision = "single",
      normalize_observations = false, rescale_targets = true }
    for name, own in pairs {
      gauss_newton = { iterations = 4, cg_products = 10, curvature_rows = 256, lm_damping = 0.1, solve_last_layer = false },
      lbfgs = { iterations = 25 }, last_layer = { lm_damping = 0.01 },
    } do
      own.optimizer = name
      for key, entry in pairs(others) do own[key] = entry end
      assert.are.same(own, value({ optimizer = name }):options())
    end
  end)

  it("holds counters and keys exactly", function()
    local v = value()
    local state = v:state()
    state.key[1], state.key[2] = 2 ^ 32 - 1, 2 ^ 31 + 5
    state.fits[1], state["adam.step"][1] = 2 ^ 48 - 2, 2 ^ 48 - 1
    state["target.shift"][1], state["target.scale"][1] = -0.0, 5e-324
    state["adam.m"][1], state["adam.v"][1] = -0.0, 5e-324
    v:set_state(state)
    assert.are.equal(bytes(state), bytes(v:state()))
  end)
end)

-- ---- lanes --------------------------------------------------------------------------------------

local function valley(changes)
  local def = {
    id = "Valley-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 6,
    reset = function(self, rng, obs)
      self.x, self.trace = rng:uniform(-1, 1), { first = true, list = {} }
      obs[1] = self.x
    end,
    step = function(self, action, obs)
      self.x = self.x + (action == 1 and -0.1 or 0.1)
      self.trace.list[#self.trace.list + 1] = self.x
      obs[1] = self.x
      return -math.abs(self.x), false
    end,
    save = function(self) return { x = self.x, trace = self.trace } end,
    restore = function(self, state) self.x, self.trace = state.x, state.trace end,
  }
  for key, entry in pairs(changes or {}) do def[key] = entry or nil end
  return def
end

local function action_of(env, t)
  if env.action.kind == "box" then return { math.sin(t) } end
  return t % env.action.n + 1
end

-- n steps of all lanes, resetting where an episode ended; all that is seen
local function walk(env, n, from)
  local seen = {}
  for t = from, from + n - 1 do
    local actions = {}
    for lane = 1, env:lanes() do actions[lane] = action_of(env, t + lane) end
    local obs, reward, terminated, truncated = env:step(actions)
    for _, x in ipairs { obs, reward, terminated, truncated } do seen[#seen + 1] = trpo.npy.encode(x) end
    for lane = 1, env:lanes() do
      if terminated[lane] + truncated[lane] > 0 then seen[#seen + 1] = trpo.npy.encode(env:reset(lane)) end
    end
  end
  return table.concat(seen)
end

local cliff = trpo.mdp.frozen_lake { map = "8x8" }

describe("the states of lanes", function()
  for _, case in ipairs {
    { "CartPole-v1" }, { "Pendulum-v1", 25 }, { "FrozenLake-v1" }, { "Taxi-v3", 7 }, { cliff, 30 },
    { trpo.mdp.garnet { states = 5, actions = 3, branching = 2, seed = 1 }, 9, "one_hot" }, { valley() },
  } do
    local what, limit, observation = case[1], case[2], case[3]
    local options = { lanes = 3, seed = 4, time_limit = limit, observation = observation }
    local other_options = { lanes = 3, seed = 4, time_limit = limit, observation = observation }
    local first = trpo.make(what, options)

    it("let another environment go on in the same way: " .. tostring(first), function()
      first:reset()
      walk(first, 40, 1)
      local other = trpo.make(what, other_options)
      other:reset()
      walk(other, 3, 1)
      assert.are.equal(other, other:set_lane_states(first:lane_states()))
      if first.definition then
        for lane = 1, 3 do assert.are.equal(other, other:set_own_state(lane, first:own_state(lane))) end
      end
      -- the bytes of a lane are an independent account of it
      for lane = 1, 3 do assert.are.equal(first:save(lane).lane, other:save(lane).lane) end
      assert.is_true(walk(first, 40, 41) == walk(other, 40, 41))
    end)
  end

  it("tell lanes that never began", function()
    local env = trpo.make("CartPole-v1", { lanes = 2 })
    env:reset(2)
    local state = env:lane_states()
    assert.are.same({ 1, 0 }, state.ended:totable())
    assert.are.same({ 0, 1 }, state.clock:totable())
    local other = trpo.make("CartPole-v1", { lanes = 2 }):set_lane_states(state)
    assert.is_false(pcall(other.step, other, { 1, 1 }))
    other:reset(1)
    other:step { 1, 1 }
  end)

  it("count discrete observations and the states of processes from 0, as files do", function()
    local env = trpo.make(cliff, { lanes = 2 })
    env:set_state(1, trpo.tensor { 1 })
    env:set_state(2, trpo.tensor { 64 })
    assert.are.same({ { 0 }, { 63 } }, env:lane_states().observation:totable())
    assert.are.same({ { 0 }, { 63 } }, env:lane_states().state:totable())
  end)

  it("copy what a Lua environment keeps", function()
    local env = trpo.make(valley(), { lanes = 2 })
    env:reset()
    env:step { 1, 2 }
    local own = env:own_state(2)
    assert.are.equal(1, #own.trace.list)
    env:step { 1, 2 }
    assert.are.equal(1, #own.trace.list)
    env:set_own_state(1, own)
    own.x = 99
    assert.are_not.equal(99, env:own_state(1).x)
    assert.are.equal(1, #env:own_state(1).trace.list)
  end)
end)

-- ---- what is refused ----------------------------------------------------------------------------

-- a state with some entries replaced; false removes
local function changed(state, changes)
  for name, entry in pairs(changes) do state[name] = entry or nil end
  return state
end

local function filled(n, i, x)
  local t = trpo.ones(n)
  t[i] = x
  return t
end

describe("a state that does not fit", function()
  local normal = { normalize_observations = true, hidden = { 2 } }
  local function p(changes)
    local object = policy(normal)
    return { object, changed(object:state(), changes) }
  end
  local function v(changes)
    local object = value { hidden = { 2 } }
    return { object, changed(object:state(), changes) }
  end
  local function e(changes)
    local object = trpo.make(cliff, { lanes = 2 })
    object:reset()
    return { object, changed(object:lane_states(), changes) }
  end
  local set, fit, place = policy().set_state, value().set_state, trpo.make("CartPole-v1").set_lane_states
  local P = policy(normal):size()
  local own = trpo.make(valley()).own_state
  local set_own = trpo.make(valley()).set_own_state

  misuse.each(it, {
    { "no table", set, { policy(), 3 }, "policy:set_state: the state must be a table of tensors, got 3" },
    { "nothing", set, { policy() }, "policy:set_state: the state must be a table of tensors, got nil" },
    { "no policy", set, { 3, {} }, "policy:set_state: policy must be a policy, got 3" },
    { "nothing in it", set, { policy(), {} }, "policy:set_state: theta is missing" },
    { "no normaliser", set, p { ["normalizer.mean"] = false }, "policy:set_state: normalizer.mean is missing" },
    { "a normaliser too many", set, { policy(), policy(normal):state() },
      "policy:set_state: the state has an entry that does not belong there: the string 'normalizer." },
    { "a list", set, { policy(), { trpo.ones(3) } },
      "policy:set_state: the state has an entry that does not belong there: 1" },
    { "another network", set, { policy(), { theta = trpo.ones(10) } }, "policy:set_state: theta must have size [" },
    { "a matrix", set, p { theta = trpo.ones(P, 1) }, "policy:set_state: theta must have size [" },
    { "numbers", set, p { ["normalizer.count"] = "12" }, "normalizer.count must be a tensor, got the string '12'" },
    { "NaN parameters", set, p { theta = filled(P, 3, nan) }, "policy:set_state: theta[3] must be finite, got " },
    { "infinite parameters", set, p { theta = filled(P, P, -inf) }, ("theta[%d] must be finite, got -inf"):format(P) },
    { "a negative count", set, p { ["normalizer.count"] = trpo.tensor { -1 } },
      "normalizer.count[1] must be an integer in [0, 2^48), got -1" },
    { "half a count", set, p { ["normalizer.count"] = trpo.tensor { 0.5 } },
      "normalizer.count[1] must be an integer in [0, 2^48), got 0.5" },
    { "negative squares", set, p { ["normalizer.square"] = filled(3, 2, -1) },
      "normalizer.square[2] must be finite and >= 0, got -1" },
    { "a scale of 0", set, p { ["normalizer.scale"] = filled(3, 1, 0) },
      "normalizer.scale[1] must be finite and > 0, got 0" },

    { "no critic", fit, { policy(), {} }, "value:set_state: value must be a value baseline, got " },
    { "another critic", fit, { value(), value({ kind = "linear" }):state() }, "value:set_state: " },
    { "a critic of another kind", fit, { value { kind = "linear" }, value():state() },
      "value:set_state: the state has an entry that does not belong there" },
    { "infinite moments", fit, v { ["adam.m"] = filled(11, 4, inf) }, "adam.m[4] must be finite, got inf" },
    { "moments of another optimizer", fit, { value { optimizer = "lbfgs" }, value():state() },
      "value:set_state: the state has an entry that does not belong there" },
    { "a damping of 0", fit, { value { optimizer = "gauss_newton" }, (function()
      local state = value({ optimizer = "gauss_newton" }):state()
      state.damping[1] = 0
      return state
    end)() }, "damping[1] must be finite and > 0, got 0" },
    { "negative second moments", fit, v { ["adam.v"] = filled(11, 4, -1) }, "adam.v[4] must be finite and >= 0, got -1" },
    { "too many fits", fit, v { fits = trpo.tensor { 2 ^ 48 } }, "fits[1] must be an integer in [0, 2^48), got " },
    { "a key beyond 32 bits", fit, v { key = trpo.tensor { 0, 2 ^ 32 } },
      "key[2] must be an integer in [0, 2^32), got 4294967296" },
    { "a key too short", fit, v { key = trpo.tensor { 0 } }, "value:set_state: key must have size [2], got [1]" },
    { "no scale", fit, v { ["target.scale"] = trpo.tensor { 0 } }, "target.scale[1] must be finite and > 0, got 0" },
    { "a NaN shift", fit, v { ["target.shift"] = trpo.tensor { nan } }, "target.shift[1] must be finite, got " },

    { "no environment", place, { 1, {} }, "env:set_lane_states: environment must be an Env" },
    { "other lanes", place, { trpo.make(cliff), trpo.make(cliff, { lanes = 2 }):lane_states() },
      "env:set_lane_states: clock must have size [1], got [2]" },
    { "a state that the process does not have", place, e { state = trpo.tensor { { 3 }, { 64 } } },
      "state[2] must be an integer in [0, 64), got 64" },
    { "a state between two", place, e { state = trpo.tensor { { 3.5 }, { 0 } } },
      "state[1] must be an integer in [0, 64), got 3.5" },
    { "a negative observation", place, e { observation = trpo.tensor { { -1 }, { 0 } } },
      "observation[1] must be an integer in [0, 64), got -1" },
    { "half a mark", place, e { ended = trpo.tensor { 0, 0.5 } }, "ended[2] must be 0 or 1, got 0.5" },
    { "a clock that is too late", place, e { clock = trpo.tensor { 1, 2 ^ 48 } },
      "clock[2] must be an integer in [0, 2^48), got " },
    { "a NaN reward", place, e { reward = trpo.tensor { nan, 0 } }, "reward[1] must be finite, got " },
    { "no clock", place, e { clock = false }, "env:set_lane_states: clock is missing" },

    { "a lane that is none", own, { trpo.make(valley()), 2 }, "env:own_state: lane must be" },
    { "an environment in C", own, { trpo.make "CartPole-v1", 1 }, "env:own_state: CartPole-v1 has no save and restore" },
    { "an environment without save", set_own, { trpo.make(valley { save = false, restore = false }), 1, {} },
      "env:set_own_state: Valley-v0 has no save and restore" },
  })

  it("changes nothing", function()
    for _, case in ipairs {
      { set, p { ["normalizer.scale"] = filled(3, 3, nan), theta = trpo.zeros(P) } },
      { fit, v { key = trpo.tensor { 0, -1 }, theta = trpo.zeros(11) } },
      { place, e { state = trpo.tensor { { 3 }, { 64 } }, clock = trpo.tensor { 7, 7 } } },
    } do
      local object = case[2][1]
      local state_of = object.lane_states or object.state
      local before = bytes(state_of(object))
      assert.is_false(pcall(case[1], object, case[2][2]))
      assert.are.equal(before, bytes(state_of(object)))
    end
  end)
end)

describe("the bytes of a lane", function()
  it("are refused when they name a state that does not exist", function()
    local env = trpo.make(cliff)
    env:reset()
    local saved = env:save()
    -- the state is the last number, the observation the one before it
    for _, place in ipairs { 0, 8 } do
      for _, x in ipairs { 64, -1, 0.5, nan, inf, 1e300 } do
        local from = #saved.lane - 7 - place
        local lane = saved.lane:sub(1, from - 1) .. files.numbers { x } .. saved.lane:sub(from + 8)
        assert.are.equal(#saved.lane, #lane)
        local ok, message = pcall(env.restore, env, 1, { id = saved.id, lane = lane })
        assert.is_false(ok)
        assert.is_truthy(message:find("saved must come from a lane of", 1, true), message)
      end
    end
    assert.are.equal(saved.lane, env:save().lane)
    env:restore(1, saved)
  end)
end)

describe("states of all together", function()
  it("carry a run on", function()
    local first, other = by_hand.run { env = "Pendulum-v1" }, by_hand.run { env = "Pendulum-v1", seed = 5 }
    by_hand.train(first, 3)
    other.policy:set_state(first.policy:state())
    other.value:set_state(first.value:state())
    other.env:set_lane_states(first.env:lane_states())
    assert.is_true(by_hand.train(first, 3) == by_hand.train(other, 3))
    assert.is_true(by_hand.bytes(first) == by_hand.bytes(other))
  end)
end)
