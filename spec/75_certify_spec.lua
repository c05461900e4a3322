local trpo = require "trpo"
local cases = require("support.cases").exact
local misuse = require "support.misuse"
local garnets = require "support.garnets"

local GAMMAS = { 0, 0.1, 0.3, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999 }

local function largest(...) return math.max(unpack { ... }) end

-- a process of the sizes that the theory was checked on, and two policies
local function random_pair(rng)
  local mdp = garnets.make(rng, {
    S = rng:integer(2, 50), A = rng:integer(2, 6), branching = rng:integer(1, 4), gamma = GAMMAS[rng:integer(1, #GAMMAS)],
    ends = rng:uniform() < 0.3 and 0.1 or 0, missing = rng:uniform() < 0.3 and 0.3 or 0,
    scale = rng:uniform() < 0.1 and 10 ^ rng:integer(-12, 12) or 1,
  })
  local pi = garnets.policy(rng, mdp)
  return mdp, pi, garnets.policy(rng, mdp, pi)
end

describe("certificates", function()
  it("hold on a thousand random processes, and their identities to 1e-10", function()
    local used = {}
    cases.run(1000, 80, function(rng, note)
      local mdp, pi, pi_new = random_pair(rng)
      note(mdp.S, mdp.A, mdp.gamma)
      local epsilon = rng:uniform() < 0.5 and "span" or "advantage"
      local c, v = assert(mdp:certify(pi, pi_new, { steps = 60, epsilon = epsilon }))
      local count = 0
      for name, s in pairs(c) do
        count = count + 1
        assert(s.holds, ("%s: %.17g %.17g, tolerance %.3g"):format(name, s.left, s.right, s.tolerance))
        assert(s.name == name and s.slack == s.right - s.left or s.left == s.right)
        if s.kind == "identity" and name ~= "gradient_quotient" then
          local scale = largest(math.abs(s.left), math.abs(s.right), math.abs(v.eta), math.abs(v.eta_new))
          assert(math.abs(s.slack) <= 1e-10 * scale, ("%s: %.17g %.17g"):format(name, s.left, s.right))
        elseif s.kind == "bound" and s.right > 1e6 * s.tolerance and s.right < math.huge and s.left > 0 then
          used[name] = math.max(used[name] or 0, s.left / s.right)
        end
      end
      assert.are.equal(22, count)
    end)
    -- the share of each bound that was ever used: bounds that can be attained nearly were
    for name, least in pairs { pinsker = 0.99, advantage_bound = 0.99, coupling_exact = 0.3, average_tv = 0.3, theorem1 = 0.1,
      step_bound = 0.3 } do
      assert.is_true(used[name] >= least * math.min(1, cases.share), name)
    end
  end)

  it("hold on processes of the gallery", function()
    for _, name in ipairs { "frozen_lake", "cliff_walking", "taxi", "river_swim", "gambler" } do
      local mdp = trpo.mdp[name] { gamma = 0.97 }
      local pi = mdp:uniform_policy()
      local c = mdp:certify(pi, trpo.mdp.mixture(pi, mdp:random_policy(trpo.rng(1)), 0.2), { steps = 50 })
      for key, s in pairs(c) do assert.is_true(s.holds, name .. " " .. key) end
      -- the coupling sees what really happens, Theorem 1 the worst that could
      assert.is_true(c.coupling_exact.right < 0.5 * c.theorem1.right)
    end
  end)

  it("agree with the finite difference of eta in every direction", function()
    cases.run(30, 81, function(rng, note)
      local mdp = garnets.make(rng, { S = 6, A = 3, gamma = 0.9 })
      local pi, pi_new = mdp:random_policy(rng), mdp:random_policy(rng)
      local c, v = mdp:certify(pi, pi_new)
      local function eta(h) return garnets.evaluate(mdp, trpo.mdp.mixture(pi, pi_new, h)).eta end
      local h = 1e-5
      local quotient = (4 * eta(h) - eta(2 * h) - 3 * eta(0)) / (2 * h)
      note(quotient, v.gain)
      assert.is_near(quotient, c.gradient.left, 1e-6)
      assert.is_near(quotient, c.gradient_quotient.left, 1e-6)
      assert.is_near(v.gain, c.gradient.left, 1e-12)
      -- the second order is what is left: (eta - L) / h^2 tends to a constant
      local function rest(step) return (eta(step) - v.eta - step * v.gain) / step ^ 2 end
      assert.is_near(rest(1e-3), rest(2e-3), 0.05 * math.abs(rest(1e-3)) + 1e-3)
    end)
  end)
end)

describe("the gradient of eta", function()
  it("by the logits of a softmax policy is rho pi A, that of L", function()
    cases.run(6, 84, function(rng, note)
      local mdp = garnets.make(rng, { S = 4, A = 3, gamma = 0.9, ends = 0.1 })
      local theta = trpo.randn(rng, 4, 3)
      local pi = mdp:softmax_policy(theta)
      local e = mdp:evaluate(pi)
      local function values(s, a, h)
        local moved = theta:clone()
        moved[s][a] = moved[s][a] + h
        local new = mdp:softmax_policy(moved)
        return garnets.evaluate(mdp, new).eta, select(2, mdp:certify(pi, new, { steps = 1 })).surrogate
      end
      for s = 1, 4 do
        for a = 1, 3 do
          local h, exact = 1e-4, e.rho[s] * pi[s][a] * e.A[s][a]
          local eta1, L1 = values(s, a, h)
          local eta2, L2 = values(s, a, -h)
          note(s, a, exact)
          assert.is_near(exact, (eta1 - eta2) / (2 * h), 1e-6)
          assert.is_near(exact, (L1 - L2) / (2 * h), 1e-6)
        end
      end
    end)
  end)
end)

-- everything once more, from the definitions: dense matrices, with an end state of its own where episodes end
local function naive(mdp, pi, pi_new)
  local S, A, gamma = mdp.S, mdp.A, mdp.gamma
  local old, new = garnets.evaluate(mdp, pi), garnets.evaluate(mdp, pi_new)
  local P = mdp.P:to_dense():view(S, A, S)
  local n = { eta = old.eta, eta_new = new.eta, epsilon = 0, omega = 0, tv_max = 0, kl_max = 0, tv_mean = 0, kl_mean = 0,
    gain = 0, alpha = 0 }
  local can_end, abar, tv = false, {}, {}
  local common = trpo.zeros(S + 1, S + 1)
  common[S + 1][S + 1] = 1
  local chains = { trpo.zeros(S + 1, S + 1), trpo.zeros(S + 1, S + 1) }
  for i = 1, 2 do chains[i][S + 1][S + 1] = 1 end
  for s = 1, S do
    local most, least, divergence = -math.huge, math.huge, 0
    abar[s], tv[s] = 0, 0
    for a = 1, A do
      local p, q, advantage = pi[s][a], pi_new[s][a], old.A[s][a]
      if advantage > -math.huge then
        most, least = math.max(most, advantage), math.min(least, advantage)
        abar[s] = abar[s] + q * advantage
        tv[s] = tv[s] + math.abs(p - q) / 2
        if p > 0 then
          divergence = divergence + p * math.log(p / q)
          n.alpha = math.max(n.alpha, 1 - q / p)
        end
        local stays = P[s][a]:sum()
        can_end = can_end or stays < 1 - 1e-9
        for i, weight in ipairs { math.min(p, q), p, q } do
          local chain = i == 1 and common or chains[i - 1]
          for to = 1, S do chain[s][to] = chain[s][to] + weight * P[s][a][to] end
          chain[s][S + 1] = chain[s][S + 1] + weight * (1 - stays)
        end
      end
    end
    n.epsilon = math.max(n.epsilon, most, -least)
    n.omega = math.max(n.omega, most - least)
    n.tv_max, n.kl_max = math.max(n.tv_max, tv[s]), math.max(n.kl_max, divergence)
    n.tv_mean = n.tv_mean + (1 - gamma) * old.rho[s] * tv[s]
    n.kl_mean = n.kl_mean + (1 - gamma) * old.rho[s] * divergence
    n.gain = n.gain + old.rho[s] * abar[s]
  end
  abar[S + 1] = 0
  local first, last = can_end and S + 1 or 1, can_end and S + 1 or S
  local most, least = abar[first], abar[first]
  for s = 1, last do most, least = math.max(most, abar[s]), math.min(least, abar[s]) end
  n.span_bar, n.epsilon_bar = most - least, math.max(most, -least)
  n.abar, n.chains, n.P = trpo.tensor(abar), chains, P
  -- 1 / (1 - gamma) - rho0' (I - gamma P_min)^-1 1
  local start = trpo.zeros(S + 1)
  start[{ { 1, S } }] = mdp.rho0
  n.start = start
  local u = trpo.linalg.solve(trpo.eye(S + 1) - common * gamma, trpo.ones(S + 1))
  n.disagreement = 1 / (1 - gamma) - start:dot(u)
  return n
end

describe("each certificate", function()
  it("has the sides that its definition says", function()
    cases.run(60, 82, function(rng, note)
      local gamma = ({ 0.3, 0.9, 0.99 })[rng:integer(1, 3)]
      local mdp = garnets.make(rng, { S = rng:integer(2, 7), A = rng:integer(2, 3), gamma = gamma,
        ends = rng:uniform() < 0.5 and 0.15 or 0, missing = rng:uniform() < 0.5 and 0.3 or 0 })
      local pi, pi_new = mdp:random_policy(rng), mdp:random_policy(rng)
      local n = naive(mdp, pi, pi_new)
      local c, v = mdp:certify(pi, pi_new, { steps = 30 })
      local spans = mdp:certify(pi, pi_new, { steps = 30, epsilon = "span" })
      note(mdp.S, mdp.A, gamma)
      for _, key in ipairs { "eta", "eta_new", "gain", "epsilon", "omega", "epsilon_bar", "span_bar", "tv_max", "kl_max", "tv_mean",
        "kl_mean", "alpha" } do
        assert(math.abs(v[key] - n[key]) <= 1e-10 * math.max(1, math.abs(n[key])), key)
      end
      local k, a, h = 1 - gamma, n.tv_max, gamma / (1 - gamma)
      local L, error = n.eta + n.gain, math.abs(n.eta_new - n.eta - n.gain)
      local partner = n.epsilon_bar / n.alpha
      local expected = {
        theorem1 = { error, 4 * n.epsilon * gamma * a ^ 2 / (k * (1 - gamma * (1 - a))) },
        theorem1_relaxed = { error, 4 * n.epsilon * gamma * a ^ 2 / k ^ 2 },
        penalty_4 = { L - 4 * n.epsilon * gamma / k ^ 2 * n.kl_max, n.eta_new },
        penalty_2 = { L - 2 * n.epsilon * gamma / k ^ 2 * n.kl_max, n.eta_new },
        mm = { L - 4 * n.epsilon * gamma / k ^ 2 * n.kl_max, n.eta_new },
        kakade_langford = { L - 2 * partner * gamma * n.alpha ^ 2 / (k * (1 - gamma * (1 - n.alpha))), n.eta_new },
        kakade_langford_relaxed = { L - 2 * partner * gamma * n.alpha ^ 2 / k ^ 2, n.eta_new },
        average_kl = { error, n.epsilon / k * (h + 2 * math.sqrt(2 * h)) * n.kl_mean },
        average_kl_refined = { error, n.kl_mean / k * (math.sqrt(2 * h) * n.omega + n.epsilon_bar * h) },
        average_tv = { error, 2 * gamma / k ^ 2 * n.span_bar / 2 * n.tv_mean },
        coupling_exact = { error, n.span_bar * n.disagreement },
        advantage_bound_max = { n.epsilon_bar, 2 * a * n.epsilon },
        performance_difference = { n.eta_new, n.eta_new },
        surrogate_at_old = { n.eta, n.eta },
      }
      for name, sides in pairs(expected) do
        local tolerance = 1e-9 * largest(1, math.abs(sides[1]), math.abs(sides[2]))
        assert(math.abs(c[name].left - sides[1]) <= tolerance, name .. " left")
        assert(math.abs(c[name].right - sides[2]) <= tolerance, name .. " right")
      end
      assert.is_near(2 * n.omega * gamma * a ^ 2 / k ^ 2, spans.theorem1_relaxed.right, 1e-9 * n.omega / k ^ 2)
      assert.is_near(a * n.omega, spans.advantage_bound_max.right, 1e-11)
      -- Lemma 3 at the step that is shown
      local t, apart = c.step_bound.step, { n.start, n.start }
      for i = 1, 2 do
        for _ = 1, t do apart[i] = n.chains[i]:t():mm(apart[i]:view(-1, 1)):view(-1) end
      end
      assert.is_near(math.abs((apart[2] - apart[1]):dot(n.abar)), c.step_bound.left, 1e-12)
      assert.is_near(2 * (1 - (1 - a) ^ t) * n.epsilon_bar, c.step_bound.right, 1e-12 * n.epsilon_bar + 1e-14)
      assert.is_near(2 * (1 - (1 - a) ^ t) * n.span_bar / 2, (function()
        return spans.step_bound.step == t and spans.step_bound.right or (1 - (1 - a) ^ t) * n.span_bar
      end)(), 1e-11)
      -- the state that is shown is the tightest
      local tightest = 0
      for s = 1, mdp.S do
        local tv, kl = trpo.mdp.tv(pi[s], pi_new[s]), trpo.mdp.kl(pi[s], pi_new[s])
        tightest = math.max(tightest, tv > 0 and tv / math.sqrt(kl / 2) or 0)
        assert(s ~= c.pinsker.state or c.pinsker.left == tv)
      end
      assert.is_near(tightest, c.pinsker.left / c.pinsker.right, 1e-9)
    end)
  end)

  it("knows the mixture that a policy is", function()
    local rng = trpo.rng(5)
    local mdp = garnets.make(rng, { S = 8, A = 3, gamma = 0.9 })
    local pi = mdp:random_policy(rng)
    local e = mdp:evaluate(pi)
    local greedy = mdp:greedy_policy(e.A)
    local _, v = mdp:certify(pi, trpo.mdp.mixture(pi, greedy, 0.3))
    assert.is_near(0.3, v.alpha, 1e-15)
    -- a larger alpha fits too, with a partner that is nearer to pi
    local c = mdp:certify(pi, trpo.mdp.mixture(pi, greedy, 0.3), { alpha = 0.6 })
    assert.is_true(c.kakade_langford.holds)
    -- epsilon' of the greedy partner is max_s max_a A, and L - eta = alpha PA
    local advantage, most = 0, 0
    for s = 1, mdp.S do
      advantage, most = advantage + e.rho[s] * e.A[s]:max(), math.max(most, e.A[s]:max())
    end
    c = mdp:certify(pi, trpo.mdp.mixture(pi, greedy, 0.3), { alpha = 0.3 })
    local bound = 0.3 * advantage - 2 * most * 0.9 * 0.3 ^ 2 / (0.1 * (1 - 0.9 * 0.7))
    assert.is_near(e.eta + bound, c.kakade_langford.left, 1e-11)
    local simple = 0.3 * advantage - 2 * most * 0.9 * 0.3 ^ 2 / 0.1 ^ 2
    assert.is_near(e.eta + simple, c.kakade_langford_relaxed.left, 1e-11)
  end)

  it("is an equality, but for rounding, when nothing changes", function()
    local rng = trpo.rng(6)
    local mdp = garnets.make(rng, { S = 5, A = 3, gamma = 0.95, ends = 0.1 })
    local pi = mdp:random_policy(rng)
    local c, v = mdp:certify(pi, pi)
    for name, s in pairs(c) do
      assert.is_true(s.holds, name)
      assert.is_true(math.abs(s.slack) <= s.tolerance, name)
    end
    assert.are.same({ 0, 0, 0, 0 }, { v.gain, v.tv_max, v.kl_max, v.alpha })
  end)

  it("says where the new policy excludes old actions", function()
    local mdp = garnets.make(trpo.rng(7), { S = 5, A = 3, gamma = 0.9 })
    local pi = mdp:uniform_policy()
    local c, v = mdp:certify(pi, mdp:greedy_policy(mdp:evaluate(pi).A))
    assert.are.same({ math.huge, math.huge, 1 }, { v.kl_max, v.kl_mean, v.alpha })
    assert.are.equal(-math.huge, c.penalty_4.left)
    assert.are.equal(math.huge, c.average_kl.right)
    for name, s in pairs(c) do assert.is_true(s.holds, name) end
    assert.is_true(c.improvement.left >= v.eta)
  end)

  it("is the same on one and on two threads", function()
    local rng = trpo.rng(8)
    local mdp = garnets.make(rng, { S = 4500, A = 2, gamma = 0.5, branching = 2, ends = 0.2 })
    local pi, pi_new = mdp:random_policy(rng), mdp:random_policy(rng)
    local threads, got = trpo.threads(), {}
    for n = 1, 2 do
      trpo.threads(n)
      got[n] = { mdp:certify(pi, pi_new, { steps = 3 }) }
    end
    trpo.threads(threads)
    assert.are.same(got[1], got[2])
  end)

  it("leaves bounds infinite where gamma = 1, and identities true", function()
    local mdp = garnets.make(trpo.rng(9), { S = 6, A = 2, gamma = 1, ends = 0.5 })
    local pi, pi_new = mdp:random_policy(trpo.rng(1)), mdp:random_policy(trpo.rng(2))
    local c = assert(mdp:certify(pi, pi_new))
    for name, s in pairs(c) do assert.is_true(s.holds, name) end
    assert.is_near(c.performance_difference.left, c.performance_difference.right, 1e-12)
    for _, name in ipairs { "theorem1", "theorem1_relaxed", "average_kl", "average_kl_refined", "average_tv", "coupling_exact" } do
      assert.are.equal(math.huge, c[name].right, name)
    end
    assert.are.same({}, { c.gradient, c.gradient_quotient, c.step_bound })
  end)
end)

-- s1: a1 ends with reward 1, a2 goes on to s2. s2: a1 ends with 3 / gamma, a2 with 5 / gamma.
local function two_policies(gamma)
  local mdp = trpo.mdp.from_triplets {
    S = 2, A = 2, gamma = gamma, rho0 = trpo.tensor { 1, 0 },
    state = trpo.tensor { 1, 1, 2, 2 }, action = trpo.tensor { 1, 2, 1, 2 }, next = trpo.tensor { 1, 2, 2, 2 },
    probability = trpo.ones(4), reward = trpo.tensor { 1, 0, 3 / gamma, 5 / gamma }, done = trpo.tensor { 1, 0, 1, 1 },
  }
  return mdp, trpo.tensor { { 0, 1 }, { 0.5, 0.5 } }, trpo.tensor { { 0.5, 0.5 }, { 0.25, 0.75 } }
end

describe("the two-policy example", function()
  it("has the published numbers", function()
    for _, gamma in ipairs { 0.5, 0.9, 0.99 } do
      local mdp, pi, pi_new = two_policies(gamma)
      local e = mdp:evaluate(pi)
      for s, expected in ipairs { { -3, 0 }, { -1 / gamma, 1 / gamma } } do
        for a = 1, 2 do assert.is_near(expected[a], e.A[s][a], 1e-13) end
      end
      assert.are.same({ 1, gamma }, e.rho:totable())
      local c, v = mdp:certify(pi, pi_new)
      assert.is_near(4, v.eta, 1e-13)
      assert.is_near(2.75, v.eta_new, 1e-13)
      assert.is_near(3, v.surrogate, 1e-13) -- which is not eta_new: the point of the example
      assert.is_near(0.5, v.tv_max, 1e-15)
      assert.is_near(3, v.epsilon, 1e-13)
      assert.is_near(math.log(2), trpo.mdp.kl(pi, pi_new)[1], 1e-15)
      assert.is_near(0.143841036226, trpo.mdp.kl(pi, pi_new)[2], 1e-12)
      for name, s in pairs(c) do assert.is_true(s.holds, name) end
      assert.is_near(0.25, c.theorem1.left, 1e-13)
    end
  end)
end)

describe("what published notes get wrong", function()
  it("the error of the surrogate is not bounded with E_{a ~ pi} A, which is zero", function()
    local mdp, pi, pi_new = two_policies(0.9)
    local e = mdp:evaluate(pi)
    for s = 1, 2 do assert.is_near(0, pi[s]:dot(e.A[s]), 1e-14) end
    assert.is_true(mdp:certify(pi, pi_new).coupling_exact.left > 0.2)
  end)

  it("omega / 2 does not stand for epsilon in the average-KL bound, whose constant is sharp", function()
    -- in s1 pi stays with a1 and pi_new leaves with a tiny probability; in s2 pi_new takes what pi never does, at cost 1
    local gamma, q = 0.9999, 1e-9
    local mdp = trpo.mdp.from_triplets {
      S = 2, A = 2, gamma = gamma, rho0 = trpo.tensor { 1, 0 }, state = trpo.tensor { 1, 1, 2, 2 },
      action = trpo.tensor { 1, 2, 1, 2 }, next = trpo.tensor { 1, 2, 2, 2 }, probability = trpo.ones(4),
      reward = trpo.tensor { 0, 0, 0, -1 },
    }
    local pi, pi_new = trpo.tensor { { 1, 0 }, { 1, 0 } }, trpo.tensor { { 1 - q, q }, { 0, 1 } }
    local c, v = mdp:certify(pi, pi_new)
    local error, bound = c.average_kl.left, c.average_kl.right
    assert.is_true(error <= bound and error > 0.9 * bound)
    assert.is_near(1, v.epsilon, 1e-9)
    assert.is_true(error > v.omega / 2 / v.epsilon * bound)
    assert.is_true(c.average_kl_refined.holds)
  end)

  it("a small average KL does not make the largest one small", function()
    local mdp = trpo.mdp.from_triplets {
      S = 2, A = 2, gamma = 0.9, rho0 = trpo.tensor { 1, 0 }, state = trpo.tensor { 1, 1, 2, 2 },
      action = trpo.tensor { 1, 2, 1, 2 }, next = trpo.tensor { 1, 1, 2, 2 }, probability = trpo.ones(4),
      reward = trpo.tensor { 1, 0, 1, 0 },
    }
    local _, v = mdp:certify(trpo.tensor { { 0.5, 0.5 }, { 0.5, 0.5 } }, trpo.tensor { { 0.5, 0.5 }, { 0, 1 } })
    assert.are.same({ 0, math.huge }, { v.kl_mean, v.kl_max })
  end)

  it("the average-KL constant is below the penalties' from gamma = 8/17 and 8/9 on", function()
    local function ratio(gamma)
      local h = gamma / (1 - gamma)
      return (h + 2 * math.sqrt(2 * h)) / (1 - gamma) / (gamma / (1 - gamma) ^ 2)
    end
    assert.is_near(4, ratio(8 / 17), 1e-12)
    assert.is_near(2, ratio(8 / 9), 1e-12)
    for gamma, expected in pairs { [0.5] = 0.957, [0.9] = 0.486, [0.99] = 0.321 } do
      assert.is_near(expected, ratio(gamma) / 4, 5e-4)
    end
    -- as certify has it
    local rng = trpo.rng(10)
    local mdp = garnets.make(rng, { S = 4, A = 2, gamma = 8 / 17 })
    local c, v = mdp:certify(mdp:random_policy(rng), mdp:random_policy(rng))
    assert.is_near(v.C, c.average_kl.right / v.kl_mean, 1e-9 * v.C)
  end)
end)

describe("lower bounds", function()
  it("hold before the new policy is evaluated, and the best is named", function()
    cases.run(150, 83, function(rng, note)
      local mdp, pi, pi_new = random_pair(rng)
      note(mdp.S, mdp.A, mdp.gamma)
      local e = mdp:evaluate(pi)
      local best, name, all, v = mdp:lower_bound(pi, e, pi_new)
      local eta = mdp:evaluate(pi_new).eta
      local c, w = mdp:certify(pi, pi_new, { steps = 1, evaluation = e })
      local rounding = 1e-11 * (math.abs(eta) + math.abs(e.eta) + e.V:max() - e.V:min())
      for key, bound in pairs(all) do
        assert(bound <= eta + rounding, key)
        assert(bound <= best, key)
      end
      assert.are.equal(all[name], best)
      assert.are.equal(w.gain, v.gain)
      assert.is_near(c.improvement.left, all.improvement, rounding)
      assert.is_nil(select(3, mdp:lower_bound(pi, e, pi_new, { coupling = false })).coupling_exact)
    end)
  end)
end)

describe("certify refuses", function()
  local mdp, pi, pi_new = two_policies(0.9)
  local e = mdp:evaluate(pi)
  local bad = trpo.tensor { { 0.5, 0.5 }, { 0.25, 0.7 } }
  local function with(key, value)
    local out = {}
    for k, v in pairs(e) do out[k] = v end
    out[key] = value
    return out
  end
  local certify, lower = mdp.certify, mdp.lower_bound
  local infinite = trpo.tensor { { -3, 0 }, { math.huge, 1 } }
  misuse.each(it, {
    { "no process", certify, { 3, pi, pi_new }, "mdp:certify: self must be an Mdp (see trpo.mdp), got 3" },
    { "a policy that is none", certify, { mdp, pi, bad },
      "mdp:certify: policy_new must be a distribution in every state, in state 2 it sums to 0.95" },
    { "one policy", certify, { mdp, pi }, "mdp:certify: policy_new must be a tensor, got nil" },
    { "another size", certify, { mdp, trpo.zeros(2, 3), pi_new }, "mdp:certify: policy must have size [2, 2], got [2, 3]" },
    { "options that are no table", certify, { mdp, pi, pi_new, 4 }, "mdp:certify: options must be a table, got 4" },
    { "unknown options", certify, { mdp, pi, pi_new, { constnt = 4 } },
      "mdp:certify: unknown option 'constnt', did you mean 'constant'?" },
    { "a constant below what is proved", certify, { mdp, pi, pi_new, { constant = 1 } },
      "mdp:certify: constant must be a finite number >= 2, got 1" },
    { "another epsilon", certify, { mdp, pi, pi_new, { epsilon = "omega" } },
      "mdp:certify: epsilon must be 'advantage' or 'span', got the string 'omega'" },
    { "no steps", certify, { mdp, pi, pi_new, { steps = 0 } }, "mdp:certify: steps must be an integer >= 1, got 0" },
    { "an alpha above one", certify, { mdp, pi, pi_new, { alpha = 2 } }, "mdp:certify: alpha must be a number in [0, 1], got 2" },
    { "an alpha of which it is no mixture", certify, { mdp, pi, pi_new, { alpha = 0.25 } },
      "mdp:certify: alpha must be at least 0.5 for pi_new to be a mixture (1 - alpha) pi + alpha pi', got 0.25" },
    { "an evaluation that is none", certify, { mdp, pi, pi_new, { evaluation = 3 } },
      "mdp:certify: evaluation must be a table that mdp:evaluate returned, got 3" },
    { "an evaluation of another size", certify, { mdp, pi, pi_new, { evaluation = with("V", trpo.zeros(3)) } },
      "mdp:certify: evaluation.V must have size [2], got [3]" },
    { "an evaluation without rho", lower, { mdp, pi, with("rho", nil), pi_new },
      "mdp:lower_bound: evaluation.rho must be a tensor, got nil" },
    { "advantages that are not finite", lower, { mdp, pi, with("A", infinite), pi_new },
      "mdp:lower_bound: evaluation.A must be finite, in state 2, action 1 it is inf" },
    { "negative visitations", lower, { mdp, pi, with("rho", trpo.tensor { 1, -1 }), pi_new },
      "mdp:lower_bound: evaluation.rho must hold finite numbers >= 0, in state 2 it is -1" },
    { "unknown options of lower_bound", lower, { mdp, pi, e, pi_new, { copling = false } },
      "mdp:lower_bound: unknown option 'copling', did you mean 'coupling'?" },
  })
end)
