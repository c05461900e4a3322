-- Optimal control by every method, against dense policy iteration and recursions in plain Lua.
local trpo = require "trpo"
local cases = require("support.cases").exact
local tabular = require "support.tabular"
local misuse = require "support.misuse"

local METHODS = { "auto", "value_iteration", "gauss_seidel", "policy_iteration", "modified_policy_iteration", "krylov",
                  "topological" }
local GAMMAS = { 0, 0.3, 0.9, 0.99, 0.999 }

-- a random process: missing actions, endings, absorbing states, states that nothing leads to, several components
local function random_process(rng, S, A, gamma, scale)
  local endings = rng:uniform() < 0.5 and 0.05 or 0
  local reach = rng:uniform() < 0.3 and function(s) return rng:integer(s, S) end or function() return rng:integer(1, S) end
  return assert(trpo.mdp.from_model { S = S, A = A, gamma = gamma, rho0 = rng:integer(1, S), model = function(s, a)
    if a > 1 and rng:uniform() < 0.2 then return nil end
    if s % 11 == 7 then return { { 1, s, scale * rng:normal() } } end
    return tabular.outcomes(rng, 4, function() return reach(s) end, scale, endings)
  end })
end

local function random_case(rng, most)
  local gamma = GAMMAS[rng:integer(1, #GAMMAS)]
  return random_process(rng, rng:integer(1, most or 50), rng:integer(1, 5), gamma, 10 ^ rng:integer(-2, 2))
end

-- outcomes and rewards of all pairs as plain tables: list[s][a] = { r, { next, probability, ... } }
local function plain(mdp)
  local list = {}
  for s = 1, mdp.S do
    list[s] = {}
    for a = 1, mdp.A do
      local pair
      for _, o in ipairs(mdp:outcomes(s, a)) do
        pair = pair or { 0, {} }
        pair[1] = pair[1] + o.probability * o.reward
        if not o.done then
          pair[2][#pair[2] + 1] = o.next
          pair[2][#pair[2] + 1] = o.probability
        end
      end
      list[s][a] = pair or false
    end
  end
  return list
end

local function q_value(pair, gamma, V)
  local sum = 0
  for j = 1, #pair[2], 2 do sum = sum + pair[2][j + 1] * V[pair[2][j]] end
  return pair[1] + gamma * sum
end

-- dense policy iteration: V* as a table
local function howard(mdp)
  local list, S, gamma = plain(mdp), mdp.S, mdp.gamma
  local choice, scale = {}, 0
  for s = 1, S do
    for a = 1, mdp.A do scale = math.max(scale, list[s][a] and math.abs(list[s][a][1]) or 0) end
    choice[s] = 1
    while not list[s][choice[s]] do choice[s] = choice[s] + 1 end
  end
  for _ = 1, 200 do
    local M, r = trpo.eye(S), trpo.zeros(S)
    for s = 1, S do
      local pair = list[s][choice[s]]
      r[s] = pair[1]
      for j = 1, #pair[2], 2 do M[s][pair[2][j]] = M[s][pair[2][j]] - gamma * pair[2][j + 1] end
    end
    local V = assert(trpo.linalg.solve(M, r)):totable()
    local stable = true
    for s = 1, S do
      local best = q_value(list[s][choice[s]], gamma, V)
      for a = 1, mdp.A do
        local q = list[s][a] and q_value(list[s][a], gamma, V) or -math.huge
        if q > best + 1e-12 * (scale + math.abs(best)) then best, choice[s], stable = q, a, false end
      end
    end
    if stable then return V end
  end
  error "dense policy iteration does not end"
end

local function distance(V, W)
  local most = 0
  for s = 1, #V do most = math.max(most, math.abs(V[s] - W[s])) end
  return most
end

local function largest(V)
  local most = 0
  for s = 1, #V do most = math.max(most, math.abs(V[s])) end
  return most
end

describe("mdp:solve", function()
  it("agrees with dense policy iteration by every method, and its bounds hold", function()
    cases.run(150, 721, function(rng, note)
      local mdp = random_case(rng)
      note(mdp.S, mdp.A, mdp.gamma)
      local V = howard(mdp)
      local slack = 1e-13 * largest(V) / (1 - mdp.gamma)
      local sure = assert(mdp:solve { certify = math.max(1e-12 * largest(V), 1e-15) })
      local exact = sure.V:totable()
      assert(distance(exact, V) <= sure.bound_rounded + slack, "certify")
      for _, method in ipairs(METHODS) do
        note(method)
        local s = assert(mdp:solve { method = method, tolerance = 1e-7 * math.max(largest(V), 1e-3) })
        assert(s.bound <= 1e-7 * math.max(largest(V), 1e-3))
        assert(distance(s.V:totable(), exact) <= s.bound + sure.bound_rounded)
        assert.are.equal("ok", s.status)
        assert(s.bound_rounded == s.bound and s.V_lo:abs():max() == 0)
        assert(method == "auto" or s.method == method)
      end
    end)
  end)

  it("returns a greedy policy, the lowest action on ties, Q, and eta", function()
    cases.run(60, 722, function(rng)
      local mdp = random_case(rng, 12)
      local s, list = assert(mdp:solve()), plain(mdp)
      local V, Q, actions = s.V:totable(), s.Q:totable(), s.actions:totable()
      local eta = 0
      for i = 1, mdp.S do
        local best = -math.huge
        for a = 1, mdp.A do
          local q = list[i][a] and q_value(list[i][a], mdp.gamma, V) or -math.huge
          assert(q == Q[i][a] or math.abs(q - Q[i][a]) <= 1e-13 * (1 + math.abs(q)))
          best = math.max(best, Q[i][a])
        end
        for a = 1, actions[i] - 1 do assert(Q[i][a] < best) end
        assert(Q[i][actions[i]] >= best - 2 ^ -46 * math.abs(best))
        eta = eta + mdp.rho0[i] * V[i]
      end
      assert.are.same(mdp:deterministic_policy(actions):totable(), s.policy:totable())
      assert.is_near(eta, s.eta, 1e-12 * (1 + math.abs(eta)))
      -- the policy is worth what it promises
      local e = assert(mdp:evaluate(s.policy))
      assert.is_near(s.eta, e.eta, 3 * s.bound / (1 - mdp.gamma) + 1e-12 * math.abs(eta))
    end)
  end)

  it("certifies values below the rounding errors of a double", function()
    cases.run(30, 723, function(rng)
      local mdp = random_process(rng, rng:integer(2, 40), 3, 0.999, 1)
      local loose = assert(mdp:solve())
      local s = assert(mdp:solve { certify = 1e-14 })
      assert(s.bound <= 1e-14 and s.bound_rounded >= s.bound)
      assert((s.V - loose.V):abs():max() <= loose.bound + s.bound_rounded)
      assert(s.V_lo:abs():max() <= 2 ^ -52 * (1 + s.V:abs():max()))
    end)
  end)

  it("refines a default tolerance that double precision cannot certify, and refuses an explicit one", function()
    local rng = trpo.rng(7241)
    local mdp = random_process(rng, 30, 3, 0.999999, 1e3)
    local s = assert(mdp:solve())
    assert(s.bound <= 1e-8 and s.V:abs():max() > 1e6)
    for _, method in ipairs { "auto", "policy_iteration", "krylov", "topological" } do
      local none, message, code = mdp:solve { method = method, tolerance = 1e-9 }
      assert.is_nil(none)
      assert.are.equal("tolerance", code)
      assert.is_truthy(message:find("mdp:solve: an error of 1e-09 cannot be certified in double precision, one of ", 1, true))
      assert.is_truthy(message:find("; certify holds values in doubled precision", 1, true))
      local attainable = tonumber(message:match "one of (%S+) can")
      local again = assert(mdp:solve { method = method, tolerance = 2 * attainable })
      assert((again.V - s.V):abs():max() <= again.bound + s.bound_rounded)
    end
  end)

  it("copes with one state, one action, gamma = 0, and rewards of any size", function()
    local one = assert(trpo.mdp { P = trpo.ones(1, 1, 1), r = trpo.full({ 1, 1 }, 2), gamma = 0.75 })
    for _, method in ipairs(METHODS) do
      local s = assert(one:solve { method = method })
      assert.is_near(8, s.V[1], 1e-8)
      assert.are.same({ 1 }, s.actions:totable())
      for _, scale in ipairs { 1e-12, 1, 1e12 } do
        local mdp = random_process(trpo.rng(725, 1), 20, 3, 0.9, scale)
        local got = assert(mdp:solve { method = method, tolerance = 1e-9 * scale })
        assert(distance(got.V:totable(), howard(mdp)) <= 2e-9 * scale)
      end
      local blind = random_process(trpo.rng(725, 2), 20, 3, 0, 1)
      local s0 = assert(blind:solve { method = method })
      for i = 1, 20 do
        local best = -math.huge
        for a = 1, 3 do best = math.max(best, s0.Q[i][a]) end
        assert.is_near(best, s0.V[i], 1e-15)
      end
    end
  end)

  it("keeps to the lowest of actions that are the same", function()
    local mdp = assert(trpo.mdp.from_model { S = 4, A = 3, gamma = 0.9, model = function(s)
      return { { 0.3, s % 4 + 1, s }, { 0.7, s, 0.1 } }
    end })
    for _, method in ipairs(METHODS) do
      assert.are.same({ 1, 1, 1, 1 }, assert(mdp:solve { method = method }).actions:totable())
    end
  end)

  it("takes one pass where nothing returns, component by component", function()
    local rng = trpo.rng(726)
    local mdp = assert(trpo.mdp.from_model { S = 200, A = 2, gamma = 0.999, model = function(s)
      if s == 200 then return { { 1, 200, 0, true } } end
      local a, b = rng:integer(s + 1, 200), rng:integer(s + 1, 200)
      return { { 0.5, a, rng:normal() }, { 0.5, b, rng:normal() } }
    end })
    local s = assert(mdp:solve { method = "topological" })
    assert(s.iterations <= 2 and s.sweeps <= 3)
    assert(distance(s.V:totable(), howard(mdp)) <= 1e-8)
  end)

  it("starts from values and policies, and is done at once where they are the answer", function()
    cases.run(20, 727, function(rng)
      local mdp = random_process(rng, rng:integer(2, 40), 3, 0.99, 1)
      local cold = assert(mdp:solve { tolerance = 1e-9 })
      for _, method in ipairs { "value_iteration", "gauss_seidel", "modified_policy_iteration", "krylov", "policy_iteration" } do
        local warm = assert(mdp:solve { method = method, V0 = cold.V, tolerance = 1e-8 })
        assert(warm.iterations <= 2, method)
        local by_policy = assert(mdp:solve { method = method, pi0 = cold.policy, tolerance = 1e-4 })
        assert(by_policy.iterations <= 12, method)
        local bad = assert(mdp:solve { method = method, V0 = trpo.randn(rng, mdp.S) * 1e3, pi0 = mdp:random_policy(rng) })
        assert((bad.V - cold.V):abs():max() <= bad.bound + cold.bound)
      end
    end)
  end)

  it("stops at the iteration limit with the bound it has", function()
    cases.run(20, 728, function(rng)
      local mdp = random_process(rng, 40, 4, 0.99, 1)
      local sure = assert(mdp:solve { certify = 1e-11 })
      for _, method in ipairs(METHODS) do
        for _, iterations in ipairs { 1, 2, 7 } do
          local s = assert(mdp:solve { method = method, iterations = iterations, tolerance = 1e-9 })
          assert(s.iterations <= iterations + 1, method)
          assert(s.status == "limit" or s.bound <= 1e-9)
          assert((s.V - sure.V):abs():max() <= s.bound + sure.bound_rounded)
        end
      end
    end)
  end)

  it("gets nearer with every Gauss-Seidel sweep, also when it stops between two looks at the bounds", function()
    cases.run(60, 729, function(rng, note)
      local S = rng:integer(2, 8)
      local mdp = trpo.mdp.garnet { states = S, actions = 2, branching = rng:integer(1, math.min(3, S)),
        seed = rng:integer(1, 1000), gamma = 0.99 }
      note(S)
      local sure = assert(mdp:solve { certify = 1e-10 })
      for _, iterations in ipairs { 14, 104, 1004 } do -- within the sweeps that follow a look
        local s = assert(mdp:solve { method = "gauss_seidel", iterations = iterations })
        -- from zeros, with a factor of gamma at most
        local left = sure.V:abs():max() * 0.99 ^ s.iterations
        assert((s.V - sure.V):abs():max() <= left + 1e-8)
      end
      assert.are.equal("ok", assert(mdp:solve { method = "gauss_seidel", iterations = 30000 }).status)
    end)
  end)

  it("does not go round in circles near gamma = 1", function()
    for _, case in ipairs { { 3, 1e-9 }, { 20, 1e-6 }, { 20, 1e-7 }, { 60, 1e-9 }, { 300, 1e-6 } } do
      local S, lost = case[1], case[2]
      for seed = 1, 4 do
        local mdp = trpo.mdp.garnet { states = S, actions = 2, branching = 1, seed = seed, gamma = 1 - lost }
        local exact = assert(mdp:solve { method = "policy_iteration" })
        for _, method in ipairs { "auto", "krylov", "topological" } do
          local s = assert(mdp:solve { method = method, iterations = 500 })
          assert.are.equal("ok", s.status)
          assert(s.sweeps <= 1000)
          assert((s.V - exact.V):abs():max() <= s.bound_rounded + exact.bound_rounded)
        end
      end
    end
  end)

  it("settles where episodes hardly end, near gamma = 1", function()
    local rng = trpo.rng(730)
    for _, S in ipairs { 5, 40, 300 } do
      local mdp = assert(trpo.mdp.from_model { S = S, A = 2, gamma = 1 - 1e-7, model = function(s, a)
        local ends = s == 1 and a == 1 and 1e-4 or 0
        return { { 1 - ends, rng:integer(1, S), rng:normal() }, { ends, 1, 0, true } }
      end })
      local exact = assert(mdp:solve { method = "policy_iteration" })
      for _, method in ipairs { "auto", "krylov", "topological" } do
        local s = assert(mdp:solve { method = method, iterations = 3000 })
        assert.are.equal("ok", s.status, method)
        assert((s.V - exact.V):abs():max() <= s.bound_rounded + exact.bound_rounded)
      end
    end
  end)

  it("gives the same bits with one thread and with two", function()
    local before = trpo.threads()
    local mdp = trpo.mdp.garnet { states = 5000, actions = 3, branching = 4, seed = 3, gamma = 0.99 }
    for _, method in ipairs { "value_iteration", "modified_policy_iteration", "krylov", "gauss_seidel" } do
      local V = {}
      for threads = 1, 2 do
        trpo.threads(threads)
        V[threads] = assert(mdp:solve { method = method, tolerance = 1e-6 })
      end
      assert.are.equal(0, (V[1].V - V[2].V):abs():max(), method)
      assert.are.equal(V[1].iterations, V[2].iterations)
    end
    trpo.threads(before)
  end)

  it("finds published values", function()
    local expected = {
      { "frozen_lake", { gamma = 0.99 }, 0.542025932000 }, { "frozen_lake", { gamma = 0.95 }, 0.180471578397 },
      { "frozen_lake", { gamma = 0.9 }, 0.068890904889 }, { "taxi", { gamma = 0.99 }, 6.327464314919 },
      { "cliff_walking", { gamma = 0.9 }, -(1 - 0.9 ^ 13) / 0.1 },
    }
    for _, case in ipairs(expected) do
      assert.is_near(case[3], assert(trpo.mdp[case[1]](case[2]):solve { certify = 1e-12 }).eta, 1e-11)
    end
  end)

  local two = assert(trpo.mdp.from_model { S = 2, A = 2, gamma = 0.5, model = function(s, a) return { { 1, a, s } } end })
  local function solve(options) return two:solve(options) end
  misuse.each(it, {
    { "refuses options that are no table", solve, { 3 }, "mdp:solve: options must be a table, got 3" },
    { "refuses unknown options", solve, { { tolerence = 1 } }, "mdp:solve: unknown option 'tolerence', did you mean 'tolerance'?" },
    { "refuses an unknown method", solve, { { method = "krilov" } }, "got the string 'krilov', did you mean 'krylov'?" },
    { "refuses a method that is no string", solve, { { method = 3 } }, "mdp:solve: method must be a string, got 3" },
    { "refuses a tolerance of zero", solve, { { tolerance = 0 } }, "mdp:solve: tolerance must be" },
    { "refuses a negative certify", solve, { { certify = -1 } }, "mdp:solve: certify must be" },
    { "refuses two tolerances", solve, { { certify = 1, tolerance = 1 } }, "mdp:solve: certify is a tolerance itself" },
    { "refuses no iterations", solve, { { iterations = 0 } }, "mdp:solve: iterations must be an integer" },
    { "refuses a horizon of zero", solve, { { horizon = 0 } }, "mdp:solve: horizon must be an integer" },
    { "refuses a missing horizon", solve, { { method = "horizon" } }, "mdp:solve: horizon must be an integer" },
    { "refuses a missing temperature", solve, { { method = "entropy" } }, "mdp:solve: temperature must be" },
    { "refuses a temperature of zero", solve, { { temperature = 0 } }, "mdp:solve: temperature must be" },
    { "refuses a horizon with a tolerance", solve, { { horizon = 3, tolerance = 1 } }, "the method horizon takes no tolerance" },
    { "refuses a horizon for other methods", solve, { { method = "krylov", horizon = 3 } }, "the method krylov takes no horizon" },
    { "refuses certify with entropy", solve, { { temperature = 1, certify = 1e-12 } }, "the method entropy takes no certify" },
    { "refuses entropy without discount", function() two:with_gamma(1):solve { temperature = 1 } end, {},
      "mdp:solve: the method entropy needs gamma < 1, got 1" },
    { "refuses V0 of another size", solve, { { V0 = trpo.zeros(3) } }, "mdp:solve: V0 must have size [2], got [3]" },
    { "refuses V0 with a NaN", solve, { { V0 = trpo.tensor { 0, 0 / 0 } } },
      "mdp:solve: V0 must hold finite numbers, in state 2 it is" },
    { "refuses V0 that is no tensor", solve, { { V0 = { 1, 2 } } }, "mdp:solve: V0 must be a tensor, got a table" },
    { "refuses pi0 that is no policy", solve, { { pi0 = trpo.full({ 2, 2 }, 0.6) } }, "mdp:solve: pi0" },
    { "refuses pi0 of another size", solve, { { pi0 = trpo.zeros(2, 3) } }, "mdp:solve: pi0 must have size [2, 2], got [2, 3]" },
  })
end)
