local trpo = require "trpo"
local cases = require("support.cases").exact
local misuse = require "support.misuse"
local garnets = require "support.garnets"

local METHODS = { "cpi", "gradient", "monotone", "monotone_mean_kl", "monotone_tv", "natural", "policy_iteration",
  "trust_region_max", "trust_region_mean" }
local RULES = { "kl02", "simple", "bound", "exact" }

-- three states, deterministic moves; the best mixture with the greedy policy is an inner one
local function detour()
  local P, r = trpo.zeros(3, 2, 3), trpo.tensor { { 1, 0 }, { 2, -1 }, { -1, -1 } }
  for s, row in ipairs { { 2, 1 }, { 2, 3 }, { 3, 2 } } do
    for a, next in ipairs(row) do P[s][a][next] = 1 end
  end
  return trpo.mdp { P = P, r = r, gamma = 0.9, rho0 = trpo.tensor { 1, 0, 0 } }
end

local GAMMAS = { 0, 0.1, 0.3, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999 }

local function largest_value(e) return math.max(math.abs(e.V:max()), math.abs(e.V:min())) end

describe("conservative policy iteration", function()
  it("finds the best mixture, which is not the greedy policy", function()
    local mdp = detour()
    local pi = mdp:uniform_policy()
    local e = mdp:evaluate(pi)
    assert.is_near(-0.522727272727, e.eta, 1e-12)
    for _, certify in ipairs { true, false } do
      local new, info = mdp:cpi_step(pi, e, { rule = "exact", certify = certify })
      assert.are.same({ { 1, 0 }, { 0, 1 }, { 1, 0 } }, (1 - info.greedy):totable())
      -- the root of the derivative, a rational function, to 25 digits: 0.7394245031261913716007199
      assert.is_near(0.7394245031261914, info.alpha, 1e-12)
      assert.is_near(7.633274478117, info.eta, 1e-12)
      assert.is_near(info.eta, garnets.evaluate(mdp, new).eta, 1e-12)
      assert.is_near(info.eta - e.eta, info.gain, 1e-12)
      assert.is_near(0, garnets.evaluate(mdp, info.greedy).eta, 1e-12)
      assert.are.equal(certify and "ok" or "uncertified", info.status)
      assert.is_true(info.gap < 1e-9 and info.error < 1e-9)
    end
  end)

  it("has the numbers of its rules", function()
    cases.run(60, 90, function(rng, note)
      local gamma = ({ 0, 0.3, 0.9, 0.99 })[rng:integer(1, 4)]
      local mdp = garnets.make(rng, { S = rng:integer(2, 9), A = rng:integer(2, 4), gamma = gamma,
        ends = rng:uniform() < 0.3 and 0.2 or 0, missing = rng:uniform() < 0.3 and 0.3 or 0 })
      note(mdp.S, mdp.A, gamma)
      local pi = mdp:random_policy(rng)
      local e = mdp:evaluate(pi)
      local PA, most, c = 0, 0, 1 - gamma
      for s = 1, mdp.S do
        PA, most = PA + e.rho[s] * e.A[s]:max(), math.max(most, e.A[s]:max())
      end
      local function bound(alpha) return alpha * PA - 2 * most * gamma * alpha ^ 2 / (c * (1 - gamma * (1 - alpha))) end
      local function simple(alpha) return alpha * PA - 2 * most * gamma * alpha ^ 2 / c ^ 2 end
      local _, by_bound = mdp:cpi_step(pi, e)
      local _, by_simple = mdp:cpi_step(pi, e, { rule = "simple" })
      local _, by_kl02 = mdp:cpi_step(pi, e, { rule = "kl02" })
      local scale = 1e-12 * PA
      assert.is_near(PA, by_bound.advantage, scale)
      assert.is_near(most, by_bound.epsilon_bar, 1e-12 * most)
      assert.is_near(bound(by_bound.alpha), by_bound.gain, scale)
      assert.is_near(simple(by_simple.alpha), by_simple.gain, scale)
      -- no point of a grid has more
      for k = 0, 200 do
        assert.is_true(bound(k / 200) <= by_bound.gain + scale)
        assert.is_true(simple(k / 200) <= by_simple.gain + scale)
      end
      if gamma == 0 then assert.are.equal(1, by_bound.alpha) end
      -- rewards are of both signs here, or their largest is the range
      local r, hi, lo = mdp.r, -math.huge, math.huge
      for s = 1, mdp.S do
        for a = 1, mdp.A do
          if r[s][a] > -math.huge then hi, lo = math.max(hi, r[s][a]), math.min(lo, r[s][a]) end
        end
      end
      local ends = mdp.P:to_dense():sum() < 0.999 * mdp.S
      local range = lo >= 0 and hi or (ends and math.max(hi, 0) or hi) - lo
      if not ends or hi >= 0 then
        assert.is_near(c ^ 3 * PA / (4 * range), by_kl02.alpha, 1e-12)
        assert.is_near(c ^ 3 * PA ^ 2 / (8 * range), by_kl02.gain, scale)
      end
    end)
  end)

  it("keeps what its rules promise, and no mixture beats the exact one", function()
    cases.run(40, 91, function(rng, note)
      local gamma = ({ 0, 0.5, 0.9, 0.97 })[rng:integer(1, 4)]
      local mdp = garnets.make(rng, { S = rng:integer(2, 6), A = rng:integer(2, 3), branching = rng:integer(1, 2), gamma = gamma,
        ends = rng:uniform() < 0.3 and 0.2 or 0 })
      note(mdp.S, mdp.A, gamma)
      local pi = mdp:random_policy(rng)
      local e = mdp:evaluate(pi)
      local rounding = 1e-11 * largest_value(e)
      for _, rule in ipairs(RULES) do
        local new, info = mdp:cpi_step(pi, e, { rule = rule, certify = rng:uniform() < 0.5 })
        assert.is_true(info.alpha >= 0 and info.alpha <= 1)
        assert.is_true(mdp:evaluate(new).eta >= e.eta + info.gain - rounding)
        if rule == "exact" then
          for k = 0, 20 do
            local eta = mdp:evaluate(trpo.mdp.mixture(pi, info.greedy, k / 20)).eta
            assert.is_true(eta <= info.eta + info.gap + rounding)
          end
          assert.is_true(info.gap <= 1e-8 * largest_value(e) + 1e-8)
        end
      end
    end)
  end)

  it("certifies near gamma = 1, too, with more nodes", function()
    local rng = trpo.rng(12)
    local mdp = garnets.make(rng, { S = 3, A = 2, gamma = 0.99 })
    local pi = mdp:random_policy(rng)
    local _, info = mdp:cpi_step(pi, mdp:evaluate(pi), { rule = "exact", certify = true, tolerance = 1e-10 })
    assert.are.equal("ok", info.status)
    assert.is_true(info.nodes > 150 and info.nodes < 400 and info.degree < info.nodes, info.nodes)
    mdp = mdp:with_gamma(0.9999999)
    local new, message, code = mdp:cpi_step(pi, mdp:evaluate(pi), { rule = "exact", certify = true })
    assert.is_nil(new)
    assert.is_string(message)
    assert.are.equal("limit", code)
  end)

  it("shares the greedy policy among equals when told so", function()
    local mdp = trpo.mdp { P = trpo.tensor { { { 1 }, { 1 }, { 1 } } }, r = trpo.tensor { { 1, 2, 2 } }, gamma = 0.5 }
    local pi = trpo.tensor { { 1, 0, 0 } }
    local e = mdp:evaluate(pi)
    assert.are.same({ { 0, 1, 0 } }, select(2, mdp:cpi_step(pi, e)).greedy:totable())
    assert.are.same({ { 0, 0.5, 0.5 } }, select(2, mdp:cpi_step(pi, e, { ties = "uniform" })).greedy:totable())
  end)

  it("names what it cannot improve", function()
    -- s2 is never visited; only there an action is better
    local P = trpo.tensor { { { 1, 0 }, { 1, 0 } }, { { 0, 1 }, { 0, 1 } } }
    local mdp = trpo.mdp { P = P, r = trpo.tensor { { 1, 1 }, { 0, 1 } }, gamma = 0.9, rho0 = trpo.tensor { 1, 0 } }
    local pi = trpo.tensor { { 1, 0 }, { 1, 0 } }
    for _, rule in ipairs(RULES) do
      local new, info = mdp:cpi_step(pi, mdp:evaluate(pi), { rule = rule })
      assert.are.same({ "stalled", 0, 0 }, { info.status, info.alpha, info.gain })
      assert.are.same(pi:totable(), new:totable())
    end
    local best = trpo.tensor { { 0.5, 0.5 }, { 0, 1 } }
    for _, rule in ipairs(RULES) do
      local new, info = mdp:cpi_step(best, mdp:evaluate(best), { rule = rule })
      assert.are.same({ "optimal", 0, 0 }, { info.status, info.alpha, info.gain })
      assert.are.same(best:totable(), new:totable())
    end
  end)
end)

describe("mdp:improve", function()
  it("keeps every lower bound, whatever the method", function()
    cases.run(6, 92, function(rng, note)
      for _, method in ipairs(METHODS) do
        local mdp = garnets.make(rng, { S = rng:integer(2, 8), A = rng:integer(2, 3), gamma = ({ 0.3, 0.9, 0.99 })[rng:integer(1, 3)],
          ends = rng:uniform() < 0.3 and 0.1 or 0, missing = rng:uniform() < 0.3 and 0.2 or 0 })
        note(method, mdp.S, mdp.A, mdp.gamma)
        local eta, count = mdp:evaluate(mdp:uniform_policy()).eta, 0
        local rule = method == "cpi" and RULES[rng:integer(1, 4)] or nil
        for info in mdp:improve { method = method, rule = rule, iterations = 12 } do
          local rounding = 1e-11 * largest_value(info.evaluation)
          count = count + 1
          assert.are.equal(count, info.iteration)
          assert.are.equal(eta, info.eta_old)
          assert(info.lower_bound <= info.eta + rounding, ("%s: %.17g %.17g"):format(method, info.lower_bound, info.eta))
          -- these never make a policy worse; exact steps of all kinds have Abar >= 0 in every state
          if method ~= "gradient" and method ~= "natural" then assert(info.eta >= eta - rounding, method) end
          assert.is_near(garnets.evaluate(mdp, info.policy).eta, info.eta, rounding)
          for _, key in ipairs { "kl_max", "kl_mean", "tv_max", "step", "gain", "regret" } do
            assert(type(info[key]) == "number" and info[key] >= 0 or key == "gain", key)
          end
          eta = info.eta
        end
        assert.is_true(count >= 1 and count <= 12)
      end
    end)
  end)

  it("never gets worse by Algorithm 1 and CPI on a thousand random processes", function()
    cases.run(1000, 93, function(rng, note)
      local mdp = garnets.make(rng, { S = rng:integer(2, 50), A = rng:integer(2, 6), branching = rng:integer(1, 4),
        gamma = GAMMAS[rng:integer(1, #GAMMAS)] })
      local method = rng:uniform() < 0.5 and "monotone" or "cpi"
      note(method, mdp.S, mdp.A, mdp.gamma)
      for info in mdp:improve { method = method, policy = garnets.policy(rng, mdp), iterations = 2 } do
        local rounding = 1e-13 / (1 - mdp.gamma) * largest_value(info.evaluation)
        assert(info.eta >= info.lower_bound - rounding, "a bound was not kept")
        assert(info.lower_bound >= info.eta_old - rounding and info.eta >= info.eta_old - rounding, "worse")
        assert(not info.kkt or info.kkt <= 1e-9, "KKT conditions")
      end
    end)
  end)

  it("never gets worse by Algorithm 1 and CPI, down to rounding, for many steps", function()
    for _, case in ipairs { { "monotone", 4 }, { "monotone", 2 }, { "cpi", nil, "bound" }, { "cpi", nil, "kl02" },
      { "monotone_tv", 4 }, { "monotone_mean_kl" } } do
      local rng = trpo.rng(21)
      local mdp = garnets.make(rng, { S = 6, A = 3, gamma = 0.5 })
      local first
      for info in mdp:improve { method = case[1], constant = case[2], rule = case[3], iterations = 60 } do
        first = first or info.eta_old
        local rounding = 1e-13 * largest_value(info.evaluation)
        assert.is_true(info.eta >= info.lower_bound - rounding and info.lower_bound >= info.eta_old - rounding)
        assert.is_true(info.eta >= first)
      end
    end
  end)

  it("reports the divergences of its steps", function()
    local rng = trpo.rng(22)
    local mdp = garnets.make(rng, { S = 7, A = 3, gamma = 0.9 })
    for _, method in ipairs(METHODS) do
      local policy, last = mdp:uniform_policy(), nil
      for info in mdp:improve { method = method, policy = policy, iterations = 2 } do
        local kl, tv = trpo.mdp.kl(policy, info.policy), trpo.mdp.tv(policy, info.policy)
        local rho = (last or mdp:evaluate(policy)).rho
        local mean, sum = 0, 0
        for s = 1, mdp.S do mean, sum = mean + rho[s] * kl[s], sum + rho[s] end
        if kl:max() < math.huge then
          assert.is_near(kl:max(), info.kl_max, 1e-12)
          assert.is_near(mean / sum, info.kl_mean, 1e-12)
        else
          assert.are.same({ math.huge, math.huge }, { info.kl_max, info.kl_mean })
        end
        assert.is_near(tv:max(), info.tv_max, 1e-12)
        policy, last = info.policy, info.evaluation
      end
    end
  end)

  it("reaches the optimal policy and says so", function()
    local rng = trpo.rng(23)
    local mdp = garnets.make(rng, { S = 12, A = 3, gamma = 0.9 })
    local etas = {}
    for _, method in ipairs { "policy_iteration", "trust_region_mean", "natural" } do
      local last
      for info in mdp:improve { method = method, delta = method ~= "policy_iteration" and 0.5 or nil, iterations = 2000 } do last = info end
      assert.are.equal("optimal", last.status, method)
      assert.is_true(last.regret <= 1e-9)
      assert.are.same({ last.eta, last.eta, 0, 0 }, { last.eta_old, last.lower_bound, last.kl_max, last.step })
      etas[#etas + 1] = last.eta
    end
    assert.is_near(etas[1], etas[2], 1e-10)
    assert.is_near(etas[1], etas[3], 1e-10)
  end)

  it("bounds what is left to gain", function()
    local rng = trpo.rng(24)
    local mdp = garnets.make(rng, { S = 8, A = 3, gamma = 0.9 })
    local best
    for info in mdp:improve { method = "policy_iteration" } do best = info.eta end
    for info in mdp:improve { method = "trust_region_max", iterations = 20 } do
      assert.is_true(best <= info.eta + info.regret + 1e-12)
    end
  end)

  it("says that Algorithm 1 stalls at deterministic policies", function()
    local mdp = detour()
    local pi = mdp:deterministic_policy { 1, 2, 2 }
    local count = 0
    for info in mdp:improve { method = "monotone", policy = pi, iterations = 5 } do
      count = count + 1
      assert.are.same({ "stalled", info.eta_old, 0 }, { info.status, info.eta, info.kl_max })
      assert.is_true(info.regret > 0)
    end
    assert.are.equal(1, count)
    for info in mdp:improve { method = "monotone_tv", policy = pi, iterations = 1 } do
      assert.are.equal("limit", info.status)
      assert.is_true(info.eta > info.eta_old)
    end
  end)

  it("ends with status limit, and stays ended", function()
    local mdp = detour()
    local step = mdp:improve { method = "cpi", iterations = 3 }
    assert.are.same({ "ok", "ok", "limit" }, { step().status, step().status, step().status })
    assert.is_nil(step())
    assert.is_nil(step())
  end)

  it("works with gamma = 1 where episodes end", function()
    local rng = trpo.rng(26)
    local mdp = garnets.make(rng, { S = 6, A = 2, gamma = 1, ends = 0.5 })
    for _, method in ipairs { "policy_iteration", "trust_region_mean", "trust_region_max", "natural", "gradient" } do
      for info in mdp:improve { method = method, iterations = 10 } do
        assert.is_true(info.eta >= info.lower_bound - 1e-12 and info.eta >= info.eta_old - 1e-12)
        assert.is_nil(info.regret)
      end
    end
  end)

  it("raises where a policy has no values, at the start or on the way", function()
    -- s1: a1 stays for a reward, a2 ends the episode; with gamma = 1 staying has no value
    local mdp = trpo.mdp.from_triplets {
      S = 1, A = 2, gamma = 1, state = trpo.tensor { 1, 1 }, action = trpo.tensor { 1, 2 }, next = trpo.tensor { 1, 1 },
      probability = trpo.ones(2), reward = trpo.tensor { 1, 0 }, done = trpo.tensor { 0, 1 },
    }
    local ok, message = pcall(mdp.improve, mdp, { method = "policy_iteration", policy = trpo.tensor { { 1, 0 } } })
    assert.is_false(ok)
    assert.is_truthy(message:find("mdp:improve: the first policy: ", 1, true), message)
    local step = mdp:improve { method = "policy_iteration" }
    ok, message = pcall(step)
    assert.is_false(ok)
    assert.is_truthy(message:find("mdp:improve: iteration 1: ", 1, true), message)
  end)

  it("bounds steps of other penalties by what theory has", function()
    local rng = trpo.rng(25)
    local mdp = garnets.make(rng, { S = 8, A = 3, gamma = 0.9 })
    for _, options in ipairs { { constant = 0.1 }, { C = 1 }, { constant = 2 } } do
      options.method, options.iterations = "monotone", 5
      for info in mdp:improve(options) do
        assert.are.equal(options.constant == 2, info.bound_by == "penalty")
        assert.is_true(info.lower_bound <= info.eta + 1e-12)
      end
    end
  end)

  it("works with one state, one action, and rewards of 1e12 and 1e-12", function()
    for _, scale in ipairs { 1e12, 1e-12 } do
      local mdp = trpo.mdp { P = trpo.tensor { { { 1 }, { 1 } } }, r = trpo.tensor { { scale, 2 * scale } }, gamma = 0.9 }
      local single = trpo.mdp { P = trpo.tensor { { { 1 } } }, r = trpo.tensor { { scale } }, gamma = 0.9 }
      for _, method in ipairs(METHODS) do
        for info in mdp:improve { method = method, iterations = 4 } do
          assert.is_true(info.eta >= info.lower_bound - 1e-12 * scale and info.eta >= info.eta_old - 1e-12 * scale, method)
        end
        for info in single:improve { method = method, iterations = 4 } do
          assert.are.same({ "optimal", 1 }, { info.status, info.iteration }, method)
        end
      end
    end
  end)
end)

describe("improvement refuses", function()
  it("a wrong policy at the line that gave it", function()
    local mdp = detour()
    local line = debug.getinfo(1, "l").currentline + 1
    local ok, message = pcall(function() return (mdp:improve { method = "cpi", policy = trpo.zeros(3, 2) }) end)
    assert.is_false(ok)
    assert.is_truthy(message:find(("76_improve_spec.lua:%d: mdp:improve: policy must"):format(line), 1, true), message)
  end)

  local mdp = detour()
  local pi = mdp:uniform_policy()
  local e = mdp:evaluate(pi)
  local improve, cpi, one = mdp.improve, mdp.cpi_step, mdp:with_gamma(1)
  misuse.each(it, {
    { "no options", improve, { mdp }, "mdp:improve: options must be a table, got nil" },
    { "no method", improve, { mdp, {} }, "mdp:improve: method must be a string, got nil" },
    { "an unknown method", improve, { mdp, { method = "monotne" } },
      "mdp:improve: unknown method 'monotne', did you mean 'monotone'?" },
    { "a method far from any", improve, { mdp, { method = "xyzzy" } },
      "mdp:improve: unknown method 'xyzzy'; there is cpi, gradient, monotone" },
    { "an unknown option", improve, { mdp, { method = "cpi", rul = "exact" } },
      "mdp:improve: unknown option 'rul', did you mean 'rule'?" },
    { "the option of another method", improve, { mdp, { method = "cpi", delta = 0.1 } }, "mdp:improve: unknown option 'delta'" },
    { "an unknown rule", improve, { mdp, { method = "cpi", rule = "best" } },
      "mdp:improve: rule must be 'kl02', 'simple', 'bound' or 'exact', got the string 'best'" },
    { "no iterations", improve, { mdp, { method = "cpi", iterations = 0 } }, "mdp:improve: iterations must be an integer" },
    { "a delta of zero", improve, { mdp, { method = "natural", delta = 0 } }, "mdp:improve: delta must be a number > 0, got 0" },
    { "delta and step", improve, { mdp, { method = "natural", delta = 1, step = 1 } },
      "mdp:improve: the method 'natural' takes delta or step, not both" },
    { "a policy that is none", improve, { mdp, { method = "cpi", policy = trpo.zeros(3, 2) } },
      "mdp:improve: policy must be a distribution in every state, in state 1 it sums to 0" },
    { "a policy of another size", improve, { mdp, { method = "cpi", policy = trpo.zeros(2) } },
      "mdp:improve: policy must have size [3, 2], got [2]" },
    { "a policy of another kind", improve, { mdp, { method = "cpi", policy = "uniform" } },
      "mdp:improve: policy must be a tensor, got the string 'uniform'" },
    { "a wrong option of the evaluation", improve, { mdp, { method = "cpi", evaluation = { metod = "lu" } } },
      "mdp:improve: evaluation: unknown option 'metod', did you mean 'method'?" },
    { "options of the evaluation that are no table", improve, { mdp, { method = "cpi", evaluation = 3 } },
      "mdp:improve: evaluation must be a table of options for mdp:evaluate, got 3" },
    { "bounds at gamma = 1", improve, { one, { method = "monotone" } },
      "mdp:improve: gamma must be below 1 for the method 'monotone', whose bound is infinite there" },
    { "CPI at gamma = 1", cpi, { one, pi, e }, "mdp:cpi_step: gamma must be below 1, where the bounds are finite" },
    { "an unknown rule of cpi_step", cpi, { mdp, pi, e, { rule = "exat" } },
      "mdp:cpi_step: unknown rule 'exat', did you mean 'exact'?" },
    { "an unknown option of cpi_step", cpi, { mdp, pi, e, { certfy = true } },
      "mdp:cpi_step: unknown option 'certfy', did you mean 'certify'?" },
    { "a tolerance of zero", cpi, { mdp, pi, e, { tolerance = 0 } }, "mdp:cpi_step: tolerance must be a number in [1e-15, 1], got 0" },
    { "no evaluation", cpi, { mdp, pi }, "mdp:cpi_step: evaluation must be a table that mdp:evaluate returned, got nil" },
    { "options that are no table", cpi, { mdp, pi, e, "exact" }, "mdp:cpi_step: options must be a table, got the string 'exact'" },
  })
end)
