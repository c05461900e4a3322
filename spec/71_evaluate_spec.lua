-- Policy evaluation against elimination in doubled precision in plain Lua, closed forms and published values.
local trpo = require "trpo"
local cases = require("support.cases").exact
local tabular = require "support.tabular"
local matrices = require "support.matrices"
local misuse = require "support.misuse"
local wide = require "support.wide"

local METHODS = { "auto", "lu", "bicgstab", "gmres", "iteration" }
local GAMMAS = { 0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.999999 }

-- a random process: some actions missing, some transitions end the episode, states that nothing leads to
local function random_process(rng, S, A, gamma, scale)
  return assert(trpo.mdp.from_model { S = S, A = A, gamma = gamma, rho0 = rng:integer(1, S), model = function(s, a)
    if a > 1 and (s + a) % 4 == 0 then return nil end
    return tabular.outcomes(rng, 3, function() return rng:integer(1, math.max(1, S - 1)) end, scale, 0.05)
  end })
end

local function random_policy(mdp, rng)
  if rng:uniform() < 0.3 then return mdp:greedy_policy(trpo.randn(rng, mdp.S, mdp.A)) end
  return mdp:random_policy(rng)
end

-- I - gamma P_pi and r_pi of pairs, from the process as it is stored
local function system(mdp, pi)
  local P, r, p, S, A = mdp.P, mdp.r:totable(), pi:totable(), mdp.S, mdp.A
  local a, b = {}, {}
  for s = 1, S do
    a[s], b[s] = {}, { 0, 0 }
    for t = 1, S do a[s][t] = { s == t and 1 or 0, 0 } end
    for k = 1, A do
      if p[s][k] > 0 then
        b[s] = wide.add(b[s], wide.mul(p[s][k], r[s][k]))
        local columns, values = P:row((s - 1) * A + k)
        for j = 1, #columns do
          local t = columns[j]
          a[s][t] = wide.sub(a[s][t], wide.mul(wide.mul(mdp.gamma, values[j]), p[s][k]))
        end
      end
    end
  end
  return a, b
end

local function transposed(a)
  local t = {}
  for i = 1, #a do
    t[i] = {}
    for j = 1, #a do t[i][j] = a[j][i] end
  end
  return t
end

-- V and rho in doubled precision
local function truth(mdp, pi)
  local V = wide.solve(system(mdp, pi))
  return V, wide.solve(transposed((system(mdp, pi))), mdp.rho0:totable())
end

-- Q and A in doubled precision
local function pairs_of(mdp, V, s, a)
  local q = mdp.r[s][a]
  local columns, values = mdp.P:row((s - 1) * mdp.A + a)
  for j = 1, #columns do q = wide.add(q, wide.mul(wide.mul(mdp.gamma, values[j]), V[columns[j]])) end
  return q, wide.sub(q, V[s])
end

local function largest(x)
  local most = 0
  for i = 1, #x do most = math.max(most, math.abs(wide.number(x[i]))) end
  return most
end

-- the largest |v + lo - V|
local function error_of(V, v, lo)
  local most = 0
  for s = 1, #V do most = math.max(most, math.abs(wide.number(wide.sub({ v[s], lo and lo[s] or 0 }, V[s])))) end
  return most
end

local function check(mdp, pi, e, tolerance)
  local V, rho = truth(mdp, pi)
  local scale, total, eta = largest(V), 0, { 0, 0 }
  assert.is_true(error_of(V, e.V, e.V_lo) <= e.bound)
  assert.is_true(error_of(V, e.V) <= e.bound_rounded)
  assert.is_true(e.bound <= tolerance * scale, ("bound %g, values %g"):format(e.bound, scale))
  local off = 0
  for s = 1, mdp.S do
    off = off + math.abs(wide.number(wide.sub(e.rho[s], rho[s])))
    total = total + e.rho[s]
    assert.is_true(e.rho[s] >= 0)
    eta = wide.add(eta, wide.mul(mdp.rho0[s], V[s]))
    for a = 1, mdp.A do
      if mdp.r[s][a] == -math.huge then
        assert.are.equal(-math.huge, e.Q[s][a])
        assert.are.equal(-math.huge, e.A[s][a])
      else
        local q, adv = pairs_of(mdp, V, s, a)
        assert.is_true(math.abs(e.Q[s][a] - wide.number(q)) <= e.bound + 1e-15 * scale)
        assert.is_true(math.abs(e.A[s][a] - wide.number(adv)) <= 2 * e.bound + 1e-15 * math.abs(wide.number(adv)))
      end
    end
  end
  assert.is_true(off <= e.rho_bound)
  assert.is_true(e.rho_bound <= 1e-7 * total)
  assert.is_true(math.abs(e.eta - wide.number(eta)) <= e.bound + 1e-15 * scale)
  assert.is_true(math.abs(e.eta - e.eta_rho) <= 1e-10 * (scale + math.abs(e.eta)))
end

describe("evaluation", function()
  it("agrees with doubled precision within its bounds, by every method", function()
    cases.run(60, 711, function(rng, note)
      local gamma, S, A = GAMMAS[rng:integer(1, #GAMMAS)], rng:integer(1, 12), rng:integer(1, 4)
      local scale = ({ 1, 1, 1, 1e12, 1e-12 })[rng:integer(1, 5)]
      local mdp = random_process(rng, S, A, gamma, scale)
      local pi, method = random_policy(mdp, rng), METHODS[rng:integer(1, 5)]
      -- sweeps find the level of values last
      if method == "iteration" then mdp = mdp:with_gamma(math.min(gamma, 0.999)) end
      note(S, A, mdp.gamma, scale, method)
      local e = assert(mdp:evaluate(pi, { method = method }))
      assert.are.equal("ok", e.status)
      if method ~= "auto" then assert.are.equal(method, e.method) end
      check(mdp, pi, e, 1e-7)
      local lo = e.V_lo:totable()
      for s = 1, S do assert.are.equal(0, lo[s]) end
    end)
  end)

  it("certifies more digits than a double has", function()
    cases.run(30, 712, function(rng, note)
      local gamma, S, A = GAMMAS[rng:integer(1, #GAMMAS)], rng:integer(1, 10), rng:integer(1, 3)
      local mdp = random_process(rng, S, A, gamma, 1)
      local pi, method = random_policy(mdp, rng), METHODS[rng:integer(1, 3)]
      note(S, A, gamma, method)
      local e = assert(mdp:evaluate(pi, { certify_relative = 1e-19, method = method }))
      local V = truth(mdp, pi)
      assert.is_true(error_of(V, e.V, e.V_lo) <= e.bound + 1e-24 * largest(V))
      assert.is_true(e.bound <= 1e-19 * largest(V) * (1 + 1e-15))
      -- V is V + V_lo rounded, so the advantages have all their digits
      for s = 1, S do
        assert.are.equal(e.V[s], e.V[s] + e.V_lo[s])
        for a = 1, A do
          if mdp.r[s][a] > -math.huge then
            local _, adv = pairs_of(mdp, V, s, a)
            assert.is_true(math.abs(e.A[s][a] - wide.number(adv)) <= 2e-16 * math.abs(wide.number(adv)) + 3 * e.bound)
          end
        end
      end
      local absolute = assert(mdp:evaluate(pi, { certify = 1e-15, V0 = e.V }))
      assert.is_true(absolute.bound <= 1e-15)
    end)
  end)

  it("has advantages that average to zero, and visits that sum to 1 / (1 - gamma)", function()
    cases.run(20, 713, function(rng)
      local mdp = trpo.mdp.garnet { states = rng:integer(5, 50), actions = rng:integer(2, 6), branching = 3, seed = rng:integer(1, 1000),
        gamma = GAMMAS[rng:integer(1, 6)] }
      local pi = mdp:random_policy(rng)
      local e = assert(mdp:evaluate(pi))
      local scale = 1 / (1 - mdp.gamma)
      assert.is_near(1, e.rho:sum() / scale, 1e-12)
      for s = 1, mdp.S do
        local sum = 0
        for a = 1, mdp.A do sum = sum + pi[s][a] * e.A[s][a] end
        assert.is_true(math.abs(sum) <= 1e-14 * scale)
      end
    end)
  end)

  it("knows the published values", function()
    local two = trpo.mdp.two_policies { gamma = 0.9 }
    local e = two:evaluate(trpo.tensor { { 0, 1 }, { 0.5, 0.5 }, { 1, 0 } })
    assert.is_near(4, e.eta, 1e-15)
    assert.is_near(-3, e.A[1][1], 1e-14)
    assert.is_near(-1 / 0.9, e.A[2][1], 1e-14)
    assert.is_near(0.9, e.rho[2], 1e-15)
    assert.is_near(2.75, two:evaluate(trpo.tensor { { 0.5, 0.5 }, { 0.25, 0.75 }, { 1, 0 } }).eta, 1e-15)

    local lake = trpo.mdp.frozen_lake { gamma = 0.99 }
    assert.is_near(0.012356137325, lake:evaluate(lake:uniform_policy()).V[1], 1e-12)

    local grid = trpo.mdp.grid_world {}
    local row = { 3.308996335635, 8.789291862596, 4.427619182583, 5.322367593370, 1.492178758740 }
    local V = grid:evaluate(grid:uniform_policy()).V
    for i = 1, 5 do assert.is_near(row[i], V[i], 1e-12) end

    local small = trpo.mdp.grid4x4 {}
    e = small:evaluate(small:uniform_policy())
    local values = { 0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0 }
    assert.are.equal(0, e.V[1])
    for i = 1, math.min(#values, small.S) do assert.is_near(values[i], e.V[i], e.bound + 1e-300) end
    assert.is_true(e.bound < 1e-11)
  end)

  it("copes with one state, one action, no discount to speak of", function()
    local one = trpo.mdp { P = trpo.ones(1, 1, 1), r = trpo.tensor { { 3 } }, gamma = 0.75 }
    local e = one:evaluate(one:uniform_policy(), { variance = true })
    assert.are.same({ 12, 4, 12, 0, 0 }, { e.eta, e.rho[1], e.Q[1][1], e.A[1][1], e.variance[1] })
    e = one:with_gamma(0):evaluate(one:uniform_policy())
    assert.are.same({ 3, 1, 3, 0 }, { e.eta, e.rho[1], e.Q[1][1], e.A[1][1] })
    assert.is_true(e.bound <= 1e-25)
    for _, method in ipairs(METHODS) do
      assert.are.equal(3, one:with_gamma(0):evaluate(one:uniform_policy(), { method = method }).eta)
    end
  end)

  it("begins at V0, wherever that is", function()
    local mdp = trpo.mdp.garnet { states = 300, actions = 3, branching = 4, seed = 1, gamma = 0.99 }
    local pi = mdp:uniform_policy()
    local cold = mdp:evaluate(pi, { method = "bicgstab" })
    local warm = mdp:evaluate(pi, { method = "bicgstab", V0 = cold.V })
    assert.is_true(warm.iterations < 6 and cold.iterations > 10)
    for _, method in ipairs(METHODS) do
      local e = mdp:evaluate(pi, { method = method, V0 = trpo.randn(trpo.rng(5), 300) * 1e6 })
      assert.is_true((e.V - cold.V):abs():max() <= e.bound + cold.bound)
    end
  end)

  it("stops early when a tolerance is all that is asked for", function()
    local mdp = trpo.mdp.garnet { states = 1000, actions = 3, branching = 4, seed = 2, gamma = 0.999 }
    local pi = mdp:uniform_policy()
    local exact, rough = mdp:evaluate(pi), mdp:evaluate(pi, { tolerance = 1e-3 })
    assert.is_true(rough.iterations < exact.iterations)
    assert.is_true(rough.bound <= 1e-3 and rough.bound > exact.bound)
    assert.is_true((rough.V - exact.V):abs():max() <= rough.bound + exact.bound)
  end)

  it("agrees by every method at hundreds of states, also where a policy leads straight to a goal", function()
    for _, mdp in ipairs { trpo.mdp.garnet { states = 700, actions = 3, branching = 3, seed = 3, gamma = 0.99 },
      trpo.mdp.torus { side = 17, gamma = 0.9 }, trpo.mdp.maze { side = 20, gamma = 0.95 } } do
      local uniform = mdp:uniform_policy()
      local greedy = mdp:greedy_policy(mdp:evaluate(uniform).Q)
      for _, pi in ipairs { uniform, greedy } do
        local first = assert(mdp:evaluate(pi, { method = "lu" }))
        for _, method in ipairs { "auto", "iteration", "bicgstab" } do
          local e = assert(mdp:evaluate(pi, { method = method }))
          assert.is_true((e.V - first.V):abs():max() <= e.bound + first.bound)
          if method == "auto" then assert.is_true(e.bound <= 1e-9) end
          if method == "auto" then assert.is_true((e.rho - first.rho):abs():sum() <= e.rho_bound + first.rho_bound) end
        end
      end
    end
  end)

  it("solves corridors by banded LU, however long, with other steps back than ahead", function()
    local S, gamma = 20000, 0.9999
    local mdp = assert(trpo.mdp.from_model { S = S, A = 1, gamma = gamma, rho0 = 1, model = function(s)
      return { { 0.3, math.min(s + 3, S), s % 7 }, { 0.7, math.max(s - 1, 1), -1 } }
    end })
    local e = mdp:evaluate(mdp:uniform_policy())
    assert.are.equal("lu", e.method)
    assert.is_true(e.bound < 1e-6)
    local V, r, worst = e.V:ptr(), mdp.r:ptr(), 0
    for s = 1, S do
      local z = r[s] + gamma * (0.3 * V[math.min(s + 3, S)] + 0.7 * V[math.max(s - 1, 1)]) - V[s]
      worst = math.max(worst, math.abs(z))
    end
    assert.is_true(worst <= 1e-15 * e.V:abs():max() * 10)
    assert.is_near(1 / (1 - gamma), e.rho:sum(), 1e-6)
  end)

  it("gives the same bits with one and two threads", function()
    local mdp = trpo.mdp.garnet { states = 6000, actions = 3, branching = 4, seed = 4, gamma = 0.99 }
    local most, got = trpo.threads(), {}
    for threads = 1, 2 do
      trpo.threads(threads)
      local bits = {}
      for _, options in ipairs { {}, { method = "gmres" }, { method = "iteration", tolerance = 1e-2 },
        { certify = 1e-18, variance = true } } do
        local e = mdp:evaluate(mdp:uniform_policy(), options)
        bits[#bits + 1] = matrices.bits(e.V, e.V_lo, e.Q, e.A, e.rho, e.variance or e.V)
        bits[#bits + 1] = ("%a %a %a"):format(e.eta, e.bound, e.rho_bound)
      end
      got[threads] = table.concat(bits, " ")
    end
    trpo.threads(most)
    assert.is_true(got[1] == got[2])
  end)
end)

describe("evaluation without discount", function()
  local function process(model, rho0, S)
    return assert(trpo.mdp.from_model { S = S or 3, A = 1, gamma = 1, rho0 = rho0 or 1, model = function(s) return model[s] end })
  end

  it("counts states that are never left and give nothing as ended", function()
    local mdp = process { { { 0.5, 1, 1 }, { 0.25, 2, 1 }, { 0.25, 3, 1 } }, { { 1, 3, 0 } }, { { 1, 2, 0 } } }
    for _, method in ipairs(METHODS) do
      local e = assert(mdp:evaluate(mdp:uniform_policy(), { method = method, variance = true }))
      assert.are.same({ 2, 0, 0 }, e.V:totable())
      assert.is_near(2, e.rho[1], 1e-15)
      assert.is_near(0.5, e.rho[2], 1e-15)
      assert.is_near(0.5, e.rho[3], 1e-15)
      assert.are.equal(2, e.eta)
      assert.is_near(2, e.eta_rho, 1e-15)
      assert.is_near(2, e.variance[1], 1e-14) -- geometric: (1 - p) / p^2
      assert.is_true(e.bound <= 1e-14)
    end
  end)

  it("names the state that spoils the values", function()
    local loop = process { { { 0.5, 1, 1 }, { 0.5, 2, 1 } }, { { 1, 3, 0 } }, { { 1, 2, 1e-9 } } }
    local e, message, code = loop:evaluate(loop:uniform_policy())
    assert.is_nil(e)
    assert.are.equal("improper", code)
    assert.are.equal("mdp:evaluate: with gamma = 1 the value of state 2 is not finite: it is never left, and rewards go on", message)
    -- signs that do not agree have no value at all, even where nothing leads to them
    local both = process { { { 1, 1, 0, true } }, { { 1, 3, 1 } }, { { 1, 2, -1 } } }
    assert.are.equal("improper", select(3, both:evaluate(both:uniform_policy())))
  end)

  it("goes by the marks of what ends, however small their probability", function()
    for _, r in ipairs { 0, -1 } do
      local p = 2 ^ -33
      -- whether the transition is that rare, or the action
      local rare = assert(trpo.mdp.from_model { S = 1, A = 1, gamma = 1, model = function()
        return { { 1 - p, 1, r }, { p, 1, r, true } }
      end })
      local seldom = assert(trpo.mdp.from_model { S = 1, A = 2, gamma = 1, model = function(_, a)
        return { { 1, 1, r, a == 2 } }
      end })
      for _, e in ipairs { assert(rare:evaluate(trpo.ones(1, 1))), assert(seldom:evaluate(trpo.tensor { { 1 - p, p } })) } do
        assert.is_near(2 ^ 33, e.rho[1], e.rho_bound + 1e-6)
        assert.is_near(r * 2 ^ 33, e.V[1], e.bound + 1e-6)
        assert(e.rho_bound > 0)
      end
      local never = seldom:evaluate(trpo.tensor { { 1, 0 } })
      assert.are.equal(r == 0, never ~= nil)
    end
  end)

  it("allows infinite values where no episode comes", function()
    local mdp = process({ { { 1, 1, 5, true } }, { { 0.5, 1, 0 }, { 0.5, 3, 0 } }, { { 1, 3, -1 } } }, 1)
    local e = assert(mdp:evaluate(mdp:uniform_policy(), { variance = true }))
    assert.are.same({ 5, -math.huge, -math.huge }, e.V:totable())
    assert.are.same({ 5, 5, 1 }, { e.eta, e.eta_rho, e.rho[1] })
    assert.are.same({ 0, 0 }, { e.rho[2], e.variance[1] })
    assert.is_true(e.variance[3] ~= e.variance[3])
    assert.are.same({ 5, -math.huge }, { e.Q[1][1], e.Q[2][1] })
    assert.is_true(e.bound <= 1e-14)
  end)

  it("bounds errors by the time to the end", function()
    cases.run(20, 714, function(rng)
      local S = rng:integer(2, 9)
      local mdp = assert(trpo.mdp.from_model { S = S, A = 2, gamma = 1, rho0 = 1, model = function()
        local p = rng:uniform()
        return { { 0.9 * p, rng:integer(1, S), rng:normal() }, { 0.9 * (1 - p), rng:integer(1, S), rng:normal() },
          { 0.1, 1, rng:normal(), true } }
      end })
      local pi = mdp:random_policy(rng)
      check(mdp, pi, assert(mdp:evaluate(pi)), 1e-10)
      local e = assert(mdp:evaluate(pi, { certify = 1e-20 }))
      assert.is_true(e.bound <= 1e-20)
      assert.is_true(error_of(truth(mdp, pi), e.V, e.V_lo) <= e.bound + 1e-28)
    end)
  end)
end)

describe("the variance of the return", function()
  it("is that of all paths", function()
    cases.run(20, 715, function(rng)
      -- three steps, then the end: every path can be walked
      local S, gamma = 9, rng:uniform()
      local mdp = assert(trpo.mdp.from_model { S = S, A = 2, gamma = gamma, model = function(s)
        local level, list, sum = math.floor((s - 1) / 3), {}, 0
        for k = 1, 3 do
          list[k] = { rng:uniform(), level < 2 and 3 * (level + 1) + k or s, rng:normal(), level == 2 or rng:uniform() < 0.3 }
          sum = sum + list[k][1]
        end
        for k = 1, 3 do list[k][1] = list[k][1] / sum end
        return list
      end })
      local pi = mdp:random_policy(rng)
      local function moments(s)
        local first, second = 0, 0
        for a = 1, 2 do
          for _, o in ipairs(mdp:outcomes(s, a)) do
            local m, q = 0, 0
            if not o.done then m, q = moments(o.next) end
            local p = pi[s][a] * o.probability
            first = first + p * (o.reward + gamma * m)
            second = second + p * (o.reward ^ 2 + 2 * o.reward * gamma * m + gamma ^ 2 * q)
          end
        end
        return first, second
      end
      local e = assert(mdp:evaluate(pi, { variance = true }))
      for s = 1, S do
        local first, second = moments(s)
        assert.is_near(first, e.V[s], 1e-14 * (1 + math.abs(first)))
        assert.is_near(second - first ^ 2, e.variance[s], 1e-13 * (1 + second))
      end
    end)
  end)

  it("is that of a coin for ever: p (1 - p) / (1 - gamma^2)", function()
    local mdp = trpo.mdp.from_model { S = 1, A = 1, gamma = 0.9, model = function() return { { 0.3, 1, 1 }, { 0.7, 1, 0 } } end }
    local e = mdp:evaluate(mdp:uniform_policy(), { variance = true })
    assert.is_near(0.21 / 0.19, e.variance[1], 1e-14)
    local _, _, code = mdp:with_gamma(1):evaluate(mdp:uniform_policy())
    assert.are.equal("improper", code)
    -- fair to the last coin: the mean stays 0, the variance does not stay finite
    local fair = trpo.mdp.from_model { S = 1, A = 1, gamma = 1, model = function() return { { 0.5, 1, 1 }, { 0.5, 1, -1 } } end }
    assert.are.equal(0, fair:evaluate(fair:uniform_policy()).eta)
    assert.are.equal("improper", select(3, fair:evaluate(fair:uniform_policy(), { variance = true })))
  end)
end)

describe("evaluation that cannot be", function()
  local mdp = trpo.mdp.frozen_lake { gamma = 0.99 }
  local pi = mdp:uniform_policy()

  it("says which tolerance can be had", function()
    local e, message, code = mdp:evaluate(pi, { tolerance = 1e-30 })
    assert.is_nil(e)
    assert.are.equal("tolerance", code)
    local bound = message:match "^mdp:evaluate: an error of 1e%-30 cannot be certified in double precision, one of (%S+) can be; "
    assert.is_truthy(mdp:evaluate(pi, { tolerance = tonumber(bound) * 1.001 }))
    e, message, code = mdp:evaluate(pi, { certify = 1e-60 })
    assert.is_nil(e)
    assert.are.equal("tolerance", code)
    assert.is_truthy(message:find("mdp:evaluate: an error of 1e-60 cannot be certified, one of ", 1, true))
    message = select(2, mdp:evaluate(pi, { certify = 1e-60, certify_relative = true }))
    assert.is_truthy(message:find("an error of 1e-60 times max |V| cannot be certified", 1, true))
  end)

  it("says when values overflow", function()
    local huge = trpo.mdp { P = trpo.ones(1, 1, 1), r = trpo.tensor { { 1e308 } }, gamma = 0.99 }
    assert.are.same({ "not_finite" }, { select(3, huge:evaluate(huge:uniform_policy())) })
  end)

  local evaluate = mdp.evaluate
  local masked = trpo.mdp { P = trpo.ones(1, 2, 1), r = trpo.zeros(1, 2), gamma = 0.5, actions = trpo.tensor { { 1, 0 } } }
  misuse.each(it, {
    { "wants a process", evaluate, { pi, pi }, "mdp:evaluate: self must be an Mdp (see trpo.mdp), got a tensor [16, 4]" },
    { "wants a policy", evaluate, { mdp }, "mdp:evaluate: pi must be a tensor, got nil" },
    { "wants a policy of that size", evaluate, { mdp, trpo.ones(16, 3) }, "mdp:evaluate: pi must have size [16, 4], got [16, 3]" },
    { "names the first state without a distribution", evaluate, { mdp, pi * 2 },
      "mdp:evaluate: pi must be a distribution in every state, in state 1 it sums to 2 (tolerance 1e-09)" },
    { "names the first negative probability", evaluate, { masked, trpo.tensor { { -1, 2 } } },
      "mdp:evaluate: pi must hold probabilities, in state 1, action 1 it is -1" },
    { "names an action that the state lacks", evaluate, { masked, trpo.tensor { { 0.5, 0.5 } } },
      "mdp:evaluate: pi must be 0 for an action that the state lacks, in state 1, action 2 it is 0.5" },
    { "wants a table of options", evaluate, { mdp, pi, 3 }, "mdp:evaluate: options must be a table, got 3" },
    { "refuses other options", evaluate, { mdp, pi, { certfy = 1 } },
      "mdp:evaluate: unknown option 'certfy', did you mean 'certify'?" },
    { "refuses other methods", evaluate, { mdp, pi, { method = "gmre" } },
      "mdp:evaluate: method must be auto, lu, bicgstab, gmres or iteration, got the string 'gmre', did you mean 'gmres'?" },
    { "refuses a method that is a number", evaluate, { mdp, pi, { method = 1 } }, "mdp:evaluate: method must be a string, got 1" },
    { "refuses a tolerance of 0", evaluate, { mdp, pi, { tolerance = 0 } }, "mdp:evaluate: tolerance must be a finite number > 0, got 0" },
    { "refuses a NaN", evaluate, { mdp, pi, { certify = 0 / 0 } }, "mdp:evaluate: certify must be a finite number > 0, got nan" },
    { "wants to know what is relative", evaluate, { mdp, pi, { certify_relative = true } },
      "mdp:evaluate: certify_relative = true needs certify" },
    { "refuses two numbers to certify", evaluate, { mdp, pi, { certify = 1e-9, certify_relative = 1e-9 } },
      "mdp:evaluate: certify_relative must be true or false beside certify, got a number" },
    { "refuses a first guess of another size", evaluate, { mdp, pi, { V0 = trpo.zeros(3) } },
      "mdp:evaluate: V0 must have size [16], got [3]" },
    { "refuses a first guess that is not finite", evaluate, { mdp, pi, { V0 = trpo.full({ 16 }, 1 / 0) } },
      "mdp:evaluate: V0 must hold finite numbers, in state 1 it is inf" },
    { "refuses a variance that is a number", evaluate, { mdp, pi, { variance = 1 } },
      "mdp:evaluate: variance must be true or false, got 1" },
  })
end)
