-- Making tabular processes in every way, their fields, and policies on them.
local trpo = require "trpo"
local misuse = require "support.misuse"

local function P2() return trpo.tensor { { { 0.9, 0.1 }, { 0, 1 } }, { { 1, 0 }, { 0.25, 0.75 } } } end
local function r2() return trpo.tensor { { 0, 1 }, { 2, -3 } } end

-- everything of a process as plain numbers, so that two ways to make one can be compared
local function plain(mdp)
  local out = { S = mdp.S, A = mdp.A, gamma = mdp.gamma, rho0 = mdp.rho0:totable(), r = mdp.r:totable(),
    P = mdp.P:to_dense():totable(), outcomes = {} }
  for s = 1, mdp.S do
    for a = 1, mdp.A do out.outcomes[(s - 1) * mdp.A + a] = mdp:outcomes(s, a) end
  end
  return out
end

-- a random process as outcomes in columns: several of a pair with equal next states, some that end, some pairs missing
local function random_columns(rng, S, A)
  local c = { state = {}, action = {}, next = {}, probability = {}, reward = {}, done = {} }
  for s = 1, S do
    for a = 1, A do
      local n = (a == 1 or rng:uniform() < 0.8) and rng:integer(1, 4) or 0
      for i = 1, n do
        local k = #c.state + 1
        c.state[k], c.action[k], c.next[k] = s, a, rng:integer(1, S)
        c.probability[k] = n == 1 and 1 or (i < n and 0.25 or 1 - 0.25 * (n - 1))
        c.reward[k], c.done[k] = rng:integer(-2, 2), rng:uniform() < 0.2 and 1 or 0
      end
    end
  end
  return c
end

local function options_of(c, order, S, A)
  local o = { S = S, A = A, gamma = 0.9 }
  for name, column in pairs(c) do
    local t = trpo.zeros(#order)
    for i, k in ipairs(order) do t[i] = column[k] end
    o[name] = t
  end
  return o
end

describe("a tabular process", function()
  it("comes from dense, sparse and listed matrices alike", function()
    local expected = plain(trpo.mdp { P = P2(), r = r2(), gamma = 0.9 })
    assert.are.same({ { 0, 1 }, { 2, -3 } }, expected.r)
    assert.are.same({ { 0.9, 0.1 }, { 0, 1 }, { 1, 0 }, { 0.25, 0.75 } }, expected.P)
    assert.are.same({ 0.5, 0.5 }, expected.rho0)
    local sparse = trpo.sparse.from_dense(P2():view(4, 2))
    local lists = { P2():select(2, 1), trpo.sparse.from_dense(P2():select(2, 2)) }
    for _, P in ipairs { sparse, lists } do
      assert.are.same(expected, plain(trpo.mdp { P = P, r = r2(), gamma = 0.9 }))
    end
  end)

  it("reduces r(s), r(s, a) and r(s, a, s') to expected rewards", function()
    local by_state = trpo.mdp { P = P2(), r = trpo.tensor { 5, 7 }, gamma = 0 }
    assert.are.same({ { 5, 5 }, { 7, 7 } }, by_state.r:totable())
    local cube = trpo.tensor { { { 1, 11 }, { 99, 4 } }, { { -1, 99 }, { 8, 16 } } }
    local expected = { { 0.9 * 1 + 0.1 * 11, 4 }, { -1, 0.25 * 8 + 0.75 * 16 } }
    local sparse = trpo.sparse.from_dense(cube:view(4, 2))
    for _, r in ipairs { cube, sparse, { cube:select(2, 1), cube:select(2, 2) } } do
      assert.are.same(expected, trpo.mdp { P = P2(), r = r, gamma = 0.5 }.r:totable())
    end
  end)

  it("ends episodes on the way into terminal states", function()
    local mdp = trpo.mdp { P = P2(), r = trpo.tensor { { { 0, 10 }, { 0, 4 } }, { { 0, 0 }, { 0, 0 } } }, gamma = 1,
      terminal = { 2 } }
    assert.are.same({ { 0.9, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 } }, mdp.P:to_dense():totable())
    assert.are.same({ { 1, 4 }, { 0, 0 } }, mdp.r:totable())
    assert.are.same({ { probability = 0.9, next = 1, reward = 0, done = false },
      { probability = 0.1, next = 2, reward = 10, done = true } }, mdp:outcomes(1, 1))
    assert.are.same({ { probability = 1, next = 2, reward = 0, done = true } }, mdp:outcomes(2, 1))
  end)

  it("leaves out actions that the mask excludes, whose rows are not read", function()
    local P = P2()
    P[{ 1, 2 }] = 0 / 0
    local mdp = trpo.mdp { P = P, r = r2(), gamma = 0.9, actions = trpo.tensor { { 1, 0 }, { 1, 1 } } }
    assert.are.same({ { 0, -math.huge }, { 2, -3 } }, mdp.r:totable())
    assert.are.same({}, mdp:outcomes(1, 2))
    assert.are.same({ { 1, 0 }, { 0.5, 0.5 } }, mdp:uniform_policy():totable())
  end)

  it("is the same for outcomes in any order", function()
    local rng = trpo.rng(70)
    for _ = 1, 50 do
      local S, A = rng:integer(1, 9), rng:integer(1, 4)
      local c = random_columns(rng, S, A)
      local forward, shuffled = {}, trpo.permutation(rng, #c.state):totable()
      for k = 1, #c.state do forward[k] = k end
      local mdp = assert(trpo.mdp.from_triplets(options_of(c, forward, S, A)))
      local other = assert(trpo.mdp.from_triplets(options_of(c, shuffled, S, A)))
      local x, y = plain(mdp), plain(other)
      -- sums of probabilities may differ in the last bit with the order
      for i = 1, S * A do
        assert.are.equal(#x.outcomes[i], #y.outcomes[i])
        for j, o in ipairs(x.outcomes[i]) do
          assert.are.same({ o.next, o.reward, o.done },
            { y.outcomes[i][j].next, y.outcomes[i][j].reward, y.outcomes[i][j].done })
          assert.is_near(o.probability, y.outcomes[i][j].probability, 1e-15)
        end
      end
    end
  end)

  it("holds what plain loops make of its outcomes", function()
    local rng = trpo.rng(71)
    for _ = 1, 50 do
      local S, A = rng:integer(1, 9), rng:integer(1, 4)
      local c = random_columns(rng, S, A)
      local P, r, there = {}, {}, {}
      for k = 1, #c.state do
        local row = (c.state[k] - 1) * A + c.action[k]
        P[row], there[row] = P[row] or {}, true
        r[row] = (r[row] or 0) + c.probability[k] * c.reward[k]
        if c.done[k] == 0 then P[row][c.next[k]] = (P[row][c.next[k]] or 0) + c.probability[k] end
      end
      local mdp = trpo.mdp.from_model { S = S, A = A, gamma = 0.5, model = function(s, a)
        local list
        for k = 1, #c.state do
          if c.state[k] == s and c.action[k] == a then
            list = list or {}
            list[#list + 1] = { c.probability[k], c.next[k], c.reward[k], c.done[k] == 1 }
          end
        end
        return list
      end }
      for s = 1, S do
        for a = 1, A do
          local row = (s - 1) * A + a
          assert.is_near(there[row] and r[row] or 0, there[row] and mdp.r[s][a] or 0, 1e-15)
          assert.are.equal(there[row] or false, mdp.r[s][a] > -math.huge)
          for n = 1, S do assert.is_near(P[row] and P[row][n] or 0, mdp.P:get(row, n), 1e-15) end
        end
      end
    end
  end)

  it("keeps only one outcome of a pair with the same next state, reward and end", function()
    local mdp = trpo.mdp.from_model { S = 1, A = 1, gamma = 0.5, model = function()
      return { { 0.25, 1, 3 }, { 0.5, 1, 3 }, { 0.125, 1, 4 }, { 0.125, 1, 3, true }, { 0, 1, 7 } }
    end }
    assert.are.same({ { probability = 0.75, next = 1, reward = 3, done = false },
      { probability = 0.125, next = 1, reward = 4, done = false },
      { probability = 0.125, next = 1, reward = 3, done = true } }, mdp:outcomes(1, 1))
    assert.are.equal(0.875, mdp.P:get(1, 1))
  end)

  it("takes 0 and 1 for marks as well as false and true", function()
    local function value(done)
      return trpo.mdp.from_model { S = 1, A = 1, gamma = 0.5, model = function() return { { 1, 1, 1, done } } end }.P:get(1, 1)
    end
    assert.are.same({ 1, 1, 0, 0, 1 }, { value(false), value(0), value(true), value(1), value(nil) })
  end)

  it("begins where rho0 says", function()
    local function rho0(value) return trpo.mdp { P = P2(), r = r2(), gamma = 0, rho0 = value }.rho0:totable() end
    assert.are.same({ 0, 1 }, rho0(2))
    assert.are.same({ 0.25, 0.75 }, rho0 { 0.25, 0.75 })
    assert.are.same({ 0.25, 0.75 }, rho0(trpo.tensor { 0.25, 0.75 }))
  end)

  it("takes another gamma, keeps its labels, and says what it is", function()
    local mdp = trpo.mdp { P = P2(), r = r2(), gamma = 0.9, name = "pair", states = { "x", "y" } }
    local other = mdp:with_gamma(0.25)
    assert.are.equal(0.25, other.gamma)
    assert.are.equal(0.9, mdp.gamma)
    assert.are.same({ "x", "y" }, other.states)
    assert.are.equal("pair: 2 states, 2 actions, 6 transitions, gamma 0.25", tostring(other))
    assert.is_nil(mdp.nothing)
  end)

  it("survives the collector in any order", function()
    local mdp = trpo.mdp { P = P2(), r = r2(), gamma = 0.9 }
    local other = mdp:with_gamma(0.5)
    mdp = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.are.same({ { 0, 1 }, { 2, -3 } }, other.r:totable())
  end)
end)

describe("a policy", function()
  local mdp = trpo.mdp { P = P2(), r = r2(), gamma = 0.9 }

  it("is uniform, random, softmax, greedy or deterministic", function()
    assert.are.same({ { 0.5, 0.5 }, { 0.5, 0.5 } }, mdp:uniform_policy():totable())
    local random = mdp:random_policy(trpo.rng(3))
    for s = 1, 2 do assert.is_near(1, random[s][1] + random[s][2], 1e-15) end
    assert.are_not.same(random:totable(), mdp:random_policy(trpo.rng(4)):totable())
    local soft = mdp:softmax_policy(trpo.tensor { { 1000, 1000 + math.log(3) }, { -1e308, 1e308 } })
    assert.is_near(0.25, soft[1][1], 1e-13)
    assert.are.same({ 0, 1 }, soft[2]:totable())
    assert.are.same({ { 1, 0 }, { 0, 1 } }, mdp:greedy_policy(trpo.tensor { { 2, 2 }, { -1, 0 } }):totable())
    assert.are.same({ { 0, 1 }, { 1, 0 } }, mdp:deterministic_policy { 2, 1 }:totable())
    assert.are.same({ { 0, 1 }, { 1, 0 } }, mdp:deterministic_policy(trpo.tensor { 2, 1 }):totable())
  end)
end)

describe("a process that makes no sense", function()
  local function refused(code, text, options)
    options.gamma = options.gamma or 0.9
    options.r = options.r or r2()
    options.P = options.P or P2()
    local mdp, message, got = trpo.mdp(options)
    assert.is_nil(mdp)
    assert.are.equal(text, message)
    assert.are.equal(code, got)
  end

  local function with(t, index, value)
    t[index] = value
    return t
  end

  it("is refused with its first bad row", function()
    refused("not_stochastic", "trpo.mdp: probabilities of state 1, action 1 sum to 1.1, not to 1 (tolerance 1e-09)",
      { P = with(P2(), { 1, 1, 2 }, 0.2) })
    refused("not_stochastic", "trpo.mdp: probabilities of state 2, action 1 sum to 0, not to 1 (tolerance 1e-09)",
      { P = with(P2(), { 2, 1, 1 }, 0) })
    refused("not_stochastic", "trpo.mdp: P of state 2, action 2, next state 1 is -0.25, not a probability",
      { P = with(P2(), { 2, 2, 1 }, -0.25) })
    refused("not_finite", "trpo.mdp: P of state 1, action 1, next state 2 is nan, not a probability",
      { P = with(P2(), { 1, 1, 2 }, 0 / 0) })
    refused("not_finite", "trpo.mdp: r of state 2, action 1, next state 1 is nan", { r = with(r2(), { 2, 1 }, 0 / 0) })
    refused("not_finite", "trpo.mdp: r of state 1, action 2, next state 2 is inf", { r = with(r2(), { 1, 2 }, math.huge) })
    refused("not_stochastic", "trpo.mdp: rho0 sums to 0.75, not to 1 (tolerance 1e-09)", { rho0 = { 0.25, 0.5 } })
    refused("not_stochastic", "trpo.mdp: rho0 of state 2 is -0.5, not a probability", { rho0 = { 1.5 - 0.5, -0.5 } })
    refused("not_stochastic", "trpo.mdp: state 2 has no action", { actions = trpo.tensor { { 1, 1 }, { 0, 0 } } })
    refused("not_stochastic", "trpo.mdp: r of terminal state 2, action 1 is 2, but nothing is collected there: give the reward "
      .. "to the transitions into it, r [S, A, S]", { terminal = { 2 } })
  end)

  it("takes a sum that is off by rounding only", function()
    local P = with(with(with(P2(), { 1, 1, 1 }, 0.1 + 0.2), { 1, 1, 2 }, 0.7), { 2, 2, 2 }, 0.75 + 5e-10)
    assert.is_truthy(trpo.mdp { P = P, r = r2(), gamma = 0.9 })
  end)

  it("is refused with the outcome at fault", function()
    local function model(outcome)
      return trpo.mdp.from_model { S = 2, A = 1, gamma = 0.5, model = function(s) return s == 2 and { outcome } or { { 1, 1, 0 } } end }
    end
    local _, message, code = model { 1.5, 1, 0 }
    assert.are.same({ "trpo.mdp.from_model: outcome 1 of model(2, 1) has the probability 1.5", "not_stochastic" }, { message, code })
    _, message, code = model { 1, 1, 0 / 0 }
    assert.are.same({ "trpo.mdp.from_model: outcome 1 of model(2, 1) has the reward nan", "not_finite" }, { message, code })
    _, message, code = model { 0.5, 1, 0 }
    assert.are.same({ "trpo.mdp.from_model: probabilities of state 2, action 1 sum to 0.5, not to 1 (tolerance 1e-09)",
      "not_stochastic" }, { message, code })
  end)
end)

describe("misuse of processes", function()
  local mdp = trpo.mdp { P = P2(), r = r2(), gamma = 0.9 }
  local masked = trpo.mdp { P = P2(), r = r2(), gamma = 0.9, actions = trpo.tensor { { 1, 0 }, { 1, 1 } } }
  local pi = mdp:uniform_policy()
  local function make(change)
    local options = { P = P2(), r = r2(), gamma = 0.9 }
    for key, value in pairs(change) do options[key] = value end
    return { options }
  end
  local function triplets(change)
    local options = { S = 1, A = 1, gamma = 0.5, state = trpo.tensor { 1 }, action = trpo.tensor { 1 }, next = trpo.tensor { 1 },
      probability = trpo.tensor { 1 }, reward = trpo.tensor { 0 } }
    for key, value in pairs(change) do options[key] = value end
    return { options }
  end
  local function model(value) return { { S = 1, A = 1, gamma = 0.5, model = function() return value end } } end
  local call = function(options) return trpo.mdp(options) end

  misuse.each(it, {
    { "no options", call, {}, "trpo.mdp: options must be a table, got nil" },
    { "a misspelt option", call, make { gama = 1 }, "trpo.mdp: unknown option 'gama', did you mean 'gamma'?" },
    { "no gamma", call, { { P = P2(), r = r2() } }, "trpo.mdp: gamma must be a number in [0, 1], got nil" },
    { "gamma above 1", call, make { gamma = 1.01 }, "trpo.mdp: gamma must be a number in [0, 1], got 1.01" },
    { "gamma NaN", call, make { gamma = 0 / 0 }, "trpo.mdp: gamma must be a number in [0, 1], got nan" },
    { "no P", call, { { r = r2(), gamma = 0 } }, "trpo.mdp: P must be a tensor [S, A, S] (trpo.tensor { ... }), a sparse matrix or a "
      .. "list of matrices; P is nil" },
    { "P of two dimensions", call, make { P = trpo.zeros(2, 2) }, "trpo.mdp: P must have size [S, A, S], got a tensor [2, 2]" },
    { "P of another last size", call, make { P = trpo.zeros(2, 2, 3) }, "trpo.mdp: P must have size [S, A, S], got a tensor [2, 2, 3]" },
    { "sparse P of no whole number of actions", call, make { P = trpo.sparse.from_dense(trpo.zeros(5, 3)) },
      "trpo.mdp: P must be [S A, S] when it is sparse, got [5, 3]" },
    { "an empty list of matrices", call, make { P = {} }, "trpo.mdp: P must hold one matrix of each action, got an empty table" },
    { "a list with another size", call, make { P = { trpo.eye(2), trpo.eye(3) } }, "trpo.mdp: P[2] must have size [2, 2], got [3, 3]" },
    { "r of another size", call, make { r = trpo.zeros(2, 3) }, "trpo.mdp: r must have size [2, 2], got [2, 3]" },
    { "no r", call, { { P = P2(), gamma = 0 } }, "trpo.mdp: r must be a tensor [S], [S, A] or [S, A, S] (trpo.tensor { ... }), a "
      .. "sparse matrix or a list of matrices; r is nil" },
    { "rho0 of another length", call, make { rho0 = { 1 } },
      "trpo.mdp: rho0 must be a state, or a distribution over the 2 states, got a table" },
    { "rho0 outside", call, make { rho0 = 3 }, "trpo.mdp: rho0 must be an integer in [1, 2], got 3" },
    { "terminal outside", call, make { terminal = { 3 } }, "trpo.mdp: a terminal state must be an integer in [1, 2], got 3" },
    { "terminal no list", call, make { terminal = 2 }, "trpo.mdp: terminal must be a list of states, got 2" },
    { "actions of another size", call, make { actions = trpo.zeros(2, 1) }, "trpo.mdp: actions must have size [2, 2], got [2, 1]" },
    { "nested tables for P", call, make { P = { { { 1, 0 }, { 0, 1 } } } }, "trpo.mdp: P must be a tensor [S, A, S] (trpo.tensor "
      .. "{ ... }), a sparse matrix or a list of matrices; P[1] is a table" },
    { "a table for r", call, make { r = { 0, 1 } }, "trpo.mdp: r must be a tensor [S], [S, A] or [S, A, S] (trpo.tensor "
      .. "{ ... }), a sparse matrix or a list of matrices; r[1] is 0" },
    { "P that is a vector", call, make { P = trpo.ones(2) }, "trpo.mdp: P must have size [S, A, S], got a tensor [2]" },
    { "r of four dimensions", call, make { r = trpo.zeros(2, 2, 2, 2) }, "trpo.mdp: r must have size [2], got [2, 2, 2, 2]" },
    { "half an action", call, make { actions = trpo.tensor { { 1, 0.5 }, { 1, 1 } } },
      "trpo.mdp: actions must hold 0 and 1, in state 1, action 2 it is 0.5" },
    { "NaN for an action", call, make { actions = trpo.tensor { { 1, 1 }, { 0 / 0, 1 } } },
      "trpo.mdp: actions must hold 0 and 1, in state 2, action 1 it is nan" },
    { "a misspelt label", call, make { action_name = {} }, "trpo.mdp: unknown option 'action_name', did you mean 'action_names'?" },
    { "an option of nobody's", call, make { colour = 1 }, "trpo.mdp: unknown option 'colour', expected one of: P, r, "
      .. "gamma, rho0, terminal, actions, name, states, action_names, grid" },
    { "a grid without columns", call, make { grid = { rows = 2 } }, "trpo.mdp: grid.columns must be an integer >= 1, got nil" },
    { "a grid of other states", call, make { grid = { rows = 2, columns = 2 } },
      "trpo.mdp: grid must have one cell for each of the 2 states, got 2 x 2" },
    { "a misspelt part of a grid", call, make { grid = { rows = 2, columns = 1, cell = {} } },
      "trpo.mdp: grid: unknown option 'cell', did you mean 'cells'?" },
    { "too few rows of cells", call, make { grid = { rows = 2, columns = 1, cells = { "S" } } },
      "trpo.mdp: grid.cells must be a list of 2 strings, one for each row" },
    { "a row of cells that is too long", call, make { grid = { rows = 2, columns = 1, cells = { "S", "FG" } } },
      "trpo.mdp: grid.cells[2] must be a string of 1 letters, got the string 'FG'" },
    { "too few moves", call, make { grid = { rows = 2, columns = 1, moves = { { 1, 0 } } } },
      "trpo.mdp: grid.moves must be a list of 2 moves, one for each action" },
    { "a move that is none", call, make { grid = { rows = 2, columns = 1, moves = { false, "up" } } },
      "trpo.mdp: grid.moves[2] must be { rows down, columns right } or false, got the string 'up'" },
    { "a name that is none", call, make { name = 1 }, "trpo.mdp: name must be a string, got number" },
    { "too few names", call, make { states = { "a" } }, "trpo.mdp: states must be 2 names, got 1" },
    { "no S", trpo.mdp.from_triplets, triplets { S = false }, "trpo.mdp.from_triplets: S must be an integer >= 1, got false" },
    { "a state outside", trpo.mdp.from_triplets, triplets { state = trpo.tensor { 2 } },
      "trpo.mdp.from_triplets: outcome 1 must have an integer in [1, 1] as its state, got 2" },
    { "a next state outside", trpo.mdp.from_triplets, triplets { next = trpo.tensor { 0 } },
      "trpo.mdp.from_triplets: outcome 1 must have an integer in [1, 1] as its next, got 0" },
    { "a done that is neither 0 nor 1", trpo.mdp.from_triplets, triplets { done = trpo.tensor { 7 } },
      "trpo.mdp.from_triplets: outcome 1 must have 1 or 0 as its done, got 7" },
    { "a fraction of an action", trpo.mdp.from_triplets, triplets { action = trpo.tensor { 1.5 } },
      "trpo.mdp.from_triplets: outcome 1 must have an integer in [1, 1] as its action, got 1.5" },
    { "columns of unequal length", trpo.mdp.from_triplets, triplets { reward = trpo.zeros(2) },
      "trpo.mdp.from_triplets: reward must have size [1], got [2]" },
    { "no model", trpo.mdp.from_model, { { S = 1, A = 1, gamma = 0 } }, "trpo.mdp.from_model: model must be a function, got nil" },
    { "a model that returns a number", trpo.mdp.from_model, model(1), "model(1, 1) must return a list of outcomes or nil, got 1" },
    { "an outcome that is a number", trpo.mdp.from_model, model { 1 },
      "outcome 1 of model(1, 1) must be a table { probability, next, reward, done }, got 1" },
    { "an outcome without reward", trpo.mdp.from_model, model { { 1, 1 } },
      "outcome 1 of model(1, 1) must have a number as its reward, got nil" },
    { "an outcome with another mark", trpo.mdp.from_model, model { { 1, 1, 0, 2 } },
      "outcome 1 of model(1, 1) must have true, false, 1 or 0 as its done, got 2" },
    { "an outcome with a mark in words", trpo.mdp.from_model, model { { 1, 1, 0, "no" } },
      "outcome 1 of model(1, 1) must have true, false, 1 or 0 as its done, got the string 'no'" },
    { "a column of other marks", trpo.mdp.from_triplets, triplets { done = trpo.tensor { 0 / 0 } },
      "trpo.mdp.from_triplets: outcome 1 must have 1 or 0 as its done, got nan" },
    { "an outcome that leads outside", trpo.mdp.from_model, model { { 1, 2, 0 } },
      "outcome 1 of model(1, 1) must have an integer in [1, 1] as its next state, got 2" },
    { "a policy of another size", mdp.greedy_policy, { mdp, trpo.zeros(2, 3) },
      "mdp:greedy_policy: values must have size [2, 2], got [2, 3]" },
    { "values that are NaN", mdp.greedy_policy, { mdp, pi * (0 / 0) },
      "mdp:greedy_policy: values must hold numbers, in state 1, action 1 it is nan" },
    { "infinite logits", mdp.softmax_policy, { mdp, pi * math.huge },
      "mdp:softmax_policy: logits must hold finite numbers, in state 1, action 1 it is inf" },
    { "an action that is missing", masked.deterministic_policy, { masked, { 2, 1 } },
      "mdp:deterministic_policy: actions must be actions that the states have, state 1 has no action 2" },
    { "too few actions", mdp.deterministic_policy, { mdp, { 1 } },
      "mdp:deterministic_policy: actions must have one entry for each of the 2 states, got 1" },
    { "no generator", mdp.random_policy, { mdp }, "mdp:random_policy: rng must be a random generator, got nil" },
    { "gamma of with_gamma", mdp.with_gamma, { mdp, -1 }, "mdp:with_gamma: gamma must be a number in [0, 1], got -1" },
    { "a state outside of outcomes", mdp.outcomes, { mdp, 3, 1 }, "mdp:outcomes: s must be an integer in [1, 2], got 3" },
    { "self of another kind", mdp.outcomes, { pi, 1, 1 }, "mdp:outcomes: self must be an Mdp (see trpo.mdp), got a tensor [2, 2]" },
  })

  it("raises what a model raises, where it was raised", function()
    local ok, message = pcall(trpo.mdp.from_model, { S = 1, A = 1, gamma = 0, model = function() error "ouch" end })
    assert.is_false(ok)
    assert.is_truthy(message:find "^[^\n]*70_mdp_spec.lua:%d+: ouch")
  end)
end)
