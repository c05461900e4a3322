-- The problems of one state: the best distribution within a KL ball, and against a price on KL.
local cases = require("support.cases").exact
local command = require "support.command"
local misuse = require "support.misuse"
local project = require "support.project"
local steps = require "support.steps"
local trpo = require "trpo"

local kl_ball, kl_penalty = trpo.mdp.kl_ball, trpo.mdp.kl_penalty
local T = trpo.tensor

local function size(rng)
  local u = rng:uniform()
  return u < 0.05 and 1 or u < 0.1 and 50 or rng:integer(2, 6)
end

local function radius(rng) return 10 ^ (-12 + 14 * rng:uniform()) end

-- stationarity: lambda p/q + a = nu on the support, nu >= a off it, equality where there is mass
local function check_kkt(p, a, q, log_q, lambda, tolerance)
  local nu, scale = nil, lambda
  for k = 1, #p do
    scale = math.max(scale, math.abs(a[k]))
    if q[k] == 0 and p[k] > 0 then return end -- it underflows, perhaps with lambda
    if p[k] > 0 then nu = math.max(nu or -math.huge, lambda * math.exp(math.log(p[k]) - log_q[k]) + a[k]) end
  end
  for k = 1, #p do
    if p[k] > 0 then
      local gap = nu - (lambda * math.exp(math.log(p[k]) - log_q[k]) + a[k])
      assert(gap <= tolerance * scale * math.max(1, math.exp(math.log(p[k]) - log_q[k])), "stationarity: " .. gap)
    else
      assert(a[k] <= nu + tolerance * scale, "an action outside the support is better than nu")
      assert(q[k] == 0 or math.abs(nu - a[k]) <= tolerance * scale, "mass on an action that is not the best")
    end
  end
end

local function sum(q)
  local s = 0
  for k = 1, #q do s = s + q[k] end
  return s
end

describe("the best distribution in a KL ball", function()
  it("lies on the border and is stationary", function()
    cases.run(400, 1, function(rng, note)
      local p, a = steps.state(rng, size(rng))
      local t = radius(rng)
      note(table.concat(p, ","), table.concat(a, ","), t)
      local q, info = kl_ball(T(p), T(a), t)
      q = q:totable()
      local log_q = info.log_q:totable()
      assert.is_near(1, sum(q), 1e-14)
      for k = 1, #q do assert.is_true(q[k] >= 0) end
      if steps.is_flat(p, a) then
        assert.are.same(p, q)
        assert.are.same({ 0, 0, 0 }, { info.gain, info.lambda, info.kl })
        return
      end
      assert(steps.relative(info.kl, t) <= 1e-12, "reported KL " .. info.kl)
      -- KL from logarithms is good to their rounding
      assert.is_near(t, steps.kl(p, log_q), 1e-12 * t + 1e-15 * #p)
      if t > 1e-6 then check_kkt(p, a, q, log_q, info.lambda, 1e-9) end
    end)
  end)

  it("is as good as a naive solution", function()
    cases.run(150, 2, function(rng, note)
      local p, a = steps.state(rng, rng:integer(2, 6))
      local t = 10 ^ (-4 + 5 * rng:uniform())
      note(table.concat(p, ","), table.concat(a, ","), t)
      local _, info = kl_ball(T(p), T(a), t)
      local gain, lambda = steps.naive_ball(p, a, t)
      assert.is_near(gain, info.gain, 1e-9)
      if lambda > 1e-6 then assert.is_near(1, info.lambda / lambda, 1e-6) end
    end)
  end)

  it("is never beaten by a feasible point", function()
    cases.run(150, 3, function(rng)
      local p, a = steps.state(rng, rng:integer(2, 6))
      local t = 10 ^ (-4 + 4 * rng:uniform())
      local _, info = kl_ball(T(p), T(a), t)
      local mean = steps.dot(p, a)
      for _ = 1, 25 do
        local q = steps.feasible(rng, p, t)
        assert(steps.dot(q, a) - mean <= info.gain + 1e-13, "beaten")
      end
    end)
  end)

  it("has a gain that grows with the radius, by the multiplier, and is concave", function()
    cases.run(100, 4, function(rng)
      local p, a = steps.state(rng, rng:integer(2, 6))
      local before, multiplier = 0, math.huge
      for k = -40, 8 do
        local t = 2 ^ k
        local _, info = kl_ball(T(p), T(a), t)
        assert.is_true(info.gain >= before - 1e-15 and info.lambda <= multiplier * (1 + 1e-12))
        if k > -10 and info.lambda > 1e-3 then -- d gain / d t = lambda
          local h = 1e-4 * t
          local up, down = select(2, kl_ball(T(p), T(a), t + h)), select(2, kl_ball(T(p), T(a), t - h))
          assert.is_near(1, (up.gain - down.gain) / (2 * h) / info.lambda, 1e-5)
        end
        before, multiplier = info.gain, info.lambda
      end
    end)
  end)

  it("does not depend on the scale of the values", function()
    cases.run(100, 5, function(rng)
      local p, a = steps.state(rng, rng:integer(2, 6))
      local t = radius(rng)
      local q, info = kl_ball(T(p), T(a), t)
      for _, exponent in ipairs { -900, -300, 300, 990 } do
        local scale = 2 ^ exponent
        local other, scaled = kl_ball(T(p), T(a) * scale, t)
        assert.are.same(q:totable(), other:totable())
        if exponent > 0 then assert.is_near(info.lambda, scaled.lambda / scale, 1e-14 * info.lambda) end
        assert.is_near(info.gain, scaled.gain / scale, 1e-14 * info.gain + 1e-18)
      end
    end)
  end)

  it("does not see a constant that is added to the values", function()
    local q = kl_ball(T { 0.2, 0.3, 0.5 }, T { 1, 0.5, -0.75 }, 0.3)
    assert.are.same(q:totable(), kl_ball(T { 0.2, 0.3, 0.5 }, T { 1, 0.5, -0.75 } + 1024, 0.3):totable())
  end)

  it("takes rows at once", function()
    local rng = trpo.rng(1)
    local problem = steps.problem(rng, 7, 3, 0.9, { zeros = 0.3 })
    local q, info = kl_ball(problem.policy, problem.advantages, 0.1)
    for s = 1, 7 do
      local row, single = kl_ball(problem.policy[s], problem.advantages[s], 0.1)
      assert.are.same(row:totable(), q[s]:totable())
      assert.are.same({ single.gain, single.lambda, single.kl }, { info.gain[s], info.lambda[s], info.kl[s] })
    end
  end)

  it("takes no action that is missing", function()
    local q = kl_ball(T { 0.5, 0, 0.5 }, T { 0, -math.huge, 1 }, 0.2)
    assert.are.equal(0, q[2])
    assert.are.same({ 0, 0, 1 }, kl_ball(T { 0.5, 0, 0.5 }, T { 0, -math.huge, 1 }, math.huge):totable())
  end)
end)

describe("the edges of the KL ball", function()
  -- p, a, radius; q, gain, lambda
  local table_of_cases = {
    { "radius 0, values that vary", { 0.25, 0.75 }, { 1, 0 }, 0, { 0.25, 0.75 }, 0, math.huge },
    { "radius 0, equal values, a better one outside", { 0.25, 0.75, 0 }, { 1, 1, 3 }, 0, { 0.25, 0.75, 0 }, 0, 2 },
    { "radius 0, nothing better", { 0.25, 0.75, 0 }, { 1, 1, 0 }, 0, { 0.25, 0.75, 0 }, 0, 0 },
    { "equal values", { 0.25, 0.75, 0 }, { 1, 1, 0 }, 0.5, { 0.25, 0.75, 0 }, 0, 0 },
    { "one action", { 1 }, { 3 }, 0.5, { 1 }, 0, 0 },
    { "deterministic, better action", { 1, 0 }, { -1, 2 }, 0.5, { math.exp(-0.5), 1 - math.exp(-0.5) },
      3 * (1 - math.exp(-0.5)), 3 * math.exp(-0.5) },
    { "deterministic, best action", { 1, 0 }, { 2, -1 }, 0.5, { 1, 0 }, 0, 0 },
    { "deterministic, two better ones that tie", { 0, 1, 0 }, { 2, 0, 2 }, math.log(2), { 0.25, 0.5, 0.25 }, 1, 1 },
    { "infinite radius", { 0.25, 0.25, 0.5 }, { 1, 1, 0 }, math.huge, { 0.5, 0.5, 0 }, 0.5, 0 },
    { "infinite radius, better action outside", { 0.5, 0.5, 0 }, { 1, 0, 3 }, math.huge, { 0, 0, 1 }, 2.5, 0 },
    { "infinite radius, better ones outside that tie", { 1, 0, 0 }, { 0, 1, 1 }, math.huge, { 0, 0.5, 0.5 }, 1, 0 },
    { "so large a radius that q underflows", { 0.5, 0.5 }, { 1, 0 }, 1e4, { 1, 0 }, 0.5, 0 },
  }
  for _, case in ipairs(table_of_cases) do
    local name, p, a, t, expected, gain, lambda = unpack(case)
    it(name, function()
      local q, info = kl_ball(T(p), T(a), t)
      for k = 1, #p do assert.is_near(expected[k], q[k], 1e-15) end
      assert.is_near(gain, info.gain, 1e-15)
      assert.is_true(info.lambda == lambda or math.abs(info.lambda - lambda) < 1e-15)
    end)
  end

  it("keeps the odds of actions that tie at the top", function()
    local q = kl_ball(T { 0.1, 0.2, 0.7 }, T { 1, 1, 0 }, 0.4)
    assert.is_near(2, q[2] / q[1], 1e-15)
  end)

  it("tells logarithms where probabilities underflow", function()
    for _, t in ipairs { 600, 1000, 1e4, 1e8 } do
      for _, p in ipairs { { 0.2, 0.3, 0.5 }, { 1e-3, 0, 0.999 }, { 0.5, 0.25, 0.25 } } do
        local q, info = kl_ball(T(p), T { 1, 0.5, -0.7 }, t)
        assert.is_near(1, steps.kl(p, info.log_q:totable()) / t, 1e-12)
        assert.is_near(1, q[1] + q[2] + q[3], 1e-15)
        assert.are.equal(t, info.kl)
      end
    end
  end)

  it("holds for policies that are all but deterministic", function()
    for _, rest in ipairs { 1e-6, 1e-10, 1e-14 } do
      for _, t in ipairs { 1e-16, 1e-8, 1e-2, 1 } do
        local p = { 1 - rest, rest }
        local _, info = kl_ball(T(p), T { 2, -1 }, t)
        assert.is_near(t, steps.kl(p, info.log_q:totable()), 1e-12 * t + 1e-15)
        assert.is_true(info.gain > 0 and info.gain <= 3 * rest * (1 + 1e-12))
        local _, up = kl_ball(T(p), T { -1, 2 }, t)
        assert.is_near(t, steps.kl(p, up.log_q:totable()), 1e-12 * t + 1e-15)
      end
    end
  end)

  it("finds the best action however unlikely it is", function()
    for _, best in ipairs { 1e-12, 1e-16, 1e-17, 3.55e-18, 1e-18, 1e-20, 1e-30, 1e-100, 1e-300 } do
      -- to leading order q(best) = 1 - exp(-t), the rest keeps its odds
      local q, info = kl_ball(T { 1 - best, best }, T { 0, 1 }, 0.01)
      assert.is_near(1, q[1] + q[2], 1e-15)
      assert.is_near(1 - math.exp(-0.01), q[2], 1e-14 + 30 * best)
      assert.is_near(q[2], info.gain, 1e-14 + best)
      q = kl_penalty(T { 1 - best, best }, T { 0, 1 }, 0.25)
      assert.is_near(1, q[1] + q[2], 1e-15)
      assert.is_near(0.75, q[2], 1e-14 + 20 * best)
    end
  end)

  it("agrees with differences of pairs from likely to very unlikely best actions", function()
    cases.run(150, 9, function(rng, note)
      local p, a = steps.unlikely(rng)
      local t = 10 ^ (-22 + 23 * rng:uniform())
      note(table.concat(p, ","), table.concat(a, ","), t)
      local q, info = kl_ball(T(p), T(a), t)
      assert.is_near(1, sum(q:totable()), 1e-14)
      local z, e = steps.paired_ball(p, a, t)
      local gain = 0
      for k = 1, #p do
        assert.is_near(p[k] + p[k] * z[k], q[k], 1e-12 * p[k] * (1 + math.abs(z[k])))
        gain = gain + p[k] * z[k] * (a[k] - a[1])
      end
      assert(steps.relative(info.gain, gain) <= 1e-11, "gain " .. info.gain .. " for " .. gain)
      -- the price that the ball reports has the same solution
      if math.abs(z[2]) > 1e-7 and e > 0 then
        local other, priced = kl_penalty(T(p), T(a), info.lambda)
        assert.is_near(1, sum(other:totable()), 1e-14)
        assert.is_near(gain, priced.gain, 1e-6 * gain + 1e-15) -- a rounding of the price moves that much
      end
    end)
  end)

  it("follows the law of small steps: gain = sigma sqrt(2 t), lambda = sigma / sqrt(2 t)", function()
    local p, a = { 0.2, 0.3, 0.5 }, { 1, 0.5, -0.7 }
    local mean, square = steps.dot(p, a), 0
    for k = 1, 3 do square = square + p[k] * (a[k] - mean) ^ 2 end
    for _, t in ipairs { 1e-300, 1e-100, 1e-40, 1e-34, 1e-30, 1e-26 } do
      local _, info = kl_ball(T(p), T(a), t)
      assert.is_near(1, info.gain / math.sqrt(2 * t * square), 1e-12)
      assert.is_near(1, info.lambda / math.sqrt(square / (2 * t)), 1e-12)
    end
  end)
end)

describe("the best distribution against a price on KL", function()
  it("is stationary", function()
    cases.run(400, 6, function(rng, note)
      local p, a = steps.state(rng, size(rng))
      local lambda = 10 ^ (-3 + 5 * rng:uniform())
      note(table.concat(p, ","), table.concat(a, ","), lambda)
      local q, info = kl_penalty(T(p), T(a), lambda)
      q = q:totable()
      local log_q = info.log_q:totable()
      assert.is_near(1, sum(q), 1e-13)
      assert.is_near(lambda, info.lambda, 1e-14 * lambda)
      assert.is_near(info.kl, steps.kl(p, log_q), 1e-12 * info.kl + 1e-15 * #p)
      assert.is_near(steps.dot(q, a) - steps.dot(p, a), info.gain, 1e-13)
      if not steps.is_flat(p, a) and info.kl > 0 then check_kkt(p, a, q, log_q, lambda, 1e-9) end
    end)
  end)

  it("is as good as a search over balls, and meets the ball of its own radius", function()
    cases.run(30, 7, function(rng)
      local p, a = steps.state(rng, rng:integer(2, 6))
      local lambda = 10 ^ (-1 + 2 * rng:uniform())
      local q, info = kl_penalty(T(p), T(a), lambda)
      assert.is_near(steps.naive_penalty(p, a, lambda), info.gain - lambda * info.kl, 1e-9)
      if info.kl > 1e-10 then
        local other, ball = kl_ball(T(p), T(a), info.kl)
        assert.is_true((q - other):abs():max() < 1e-9)
        assert.is_near(1, ball.lambda / lambda, 1e-8)
      end
    end)
  end)

  it("is never beaten by another distribution", function()
    cases.run(100, 8, function(rng)
      local p, a = steps.state(rng, rng:integer(2, 6))
      local lambda = 10 ^ (-2 + 3 * rng:uniform())
      local _, info = kl_penalty(T(p), T(a), lambda)
      local mean, value = steps.dot(p, a), info.gain - lambda * info.kl
      for _ = 1, 25 do
        local q = steps.feasible(rng, p, 10 ^ (-4 + 5 * rng:uniform()))
        local logs = {}
        for k = 1, #q do logs[k] = math.log(q[k]) end
        assert(steps.dot(q, a) - mean - lambda * steps.kl(p, logs) <= value + 1e-13, "beaten")
      end
    end)
  end)

  it("knows its edges", function()
    local p, a = T { 0.25, 0.25, 0.5, 0 }, T { 1, 1, 0, 0.5 }
    local q, info = kl_penalty(p, a, 0)
    assert.are.same({ 0.5, 0.5, 0, 0 }, q:totable())
    assert.are.same({ 0.5, math.huge }, { info.gain, info.kl })
    q, info = kl_penalty(p, a, math.huge)
    assert.are.same({ p:totable(), 0, 0 }, { q:totable(), info.gain, info.kl })
    -- a better action outside is not worth its price, then it is
    assert.are.same({ 1, 0 }, (kl_penalty(T { 1, 0 }, T { 0, 1 }, 2)):totable())
    assert.is_near(0.25, kl_penalty(T { 1, 0 }, T { 0, 1 }, 0.25)[1], 1e-15)
    -- a price so low that probabilities underflow
    q, info = kl_penalty(T { 0.5, 0.5 }, T { 1, 0 }, 1e-305)
    assert.are.same({ 1, 0.5 }, { q[1], info.gain })
    assert.is_near(1, steps.kl({ 0.5, 0.5 }, info.log_q:totable()) / info.kl, 1e-12)
    -- a price that overflows in the unit of the values: nothing moves, whatever the squares do
    for _, case in ipairs { { 1e-200, 1e200 }, { 1e-300, 1e10 }, { 1e-10, 1e300 }, { 1, 1e308 }, { 1e-160, 1 } } do
      q, info = kl_penalty(T { 0.5, 0.5 }, T { 0, case[1] }, case[2])
      assert.are.same({ 0.5, 0.5 }, q:totable())
      assert.are.equal(case[2], info.lambda)
      assert.is_true(info.gain >= 0 and info.gain <= case[1] / case[2] and info.kl >= 0 and info.kl < 1e-300)
    end
    -- so high that nothing moves but by a rounding
    q, info = kl_penalty(T { 0.5, 0.5 }, T { 1, 0 }, 1e150)
    assert.is_near(0.5, q[1], 1e-15)
    assert.is_near(1, info.gain / 0.25e-150, 1e-12)
    assert.is_near(1, info.kl / 0.125e-300, 1e-12)
  end)
end)

describe("SciPy's SLSQP #python", function()
  local python = project.quoted(os.getenv "TRPO_PYTHON" or "python3")
  if select(2, project.run(python .. " -c 'import scipy.optimize'")) ~= 0 then
    return print "  skipped: no SciPy, TRPO_PYTHON may name an interpreter that has it"
  end

  it("never finds a better distribution, and comes close", function()
    local rng, lines, gains = trpo.rng(11), {}, {}
    for i = 1, 60 do
      local n = rng:integer(2, 5)
      local p, a = steps.state(rng, n)
      local t = 10 ^ (-2 + 2 * rng:uniform())
      lines[i] = ("([%s], [%s], %.17g)"):format(table.concat(p, ","), table.concat(a, ","), t)
      gains[i] = select(2, kl_ball(T(p), T(a), t)).gain
    end
    local scratch = command.scratch()
    command.write(scratch .. "/slsqp.py", ([[
import numpy as np, warnings
from scipy.optimize import minimize
warnings.simplefilter('ignore')
for p, a, t in [%s]:
  p, a = np.array(p), np.array(a)
  on = p > 0
  kl = lambda q: (p[on] * np.log(p[on] / np.maximum(q[on], 1e-300))).sum()
  best = 0.0
  for start in (p, 0.9 * p + 0.1 / len(p)):
    r = minimize(lambda q: -(q - p) @ a, start, method='SLSQP', bounds=[(0, 1)] * len(p), options=dict(ftol=1e-14, maxiter=500),
      constraints=[dict(type='eq', fun=lambda q: q.sum() - 1), dict(type='ineq', fun=lambda q: t - kl(q))])
    q = np.clip(r.x, 0, None); q /= q.sum()
    if kl(q) <= t * (1 + 1e-9) + 1e-12: best = max(best, (q - p) @ a)
  print('%%.17g' %% best)
]]):format(table.concat(lines, ",\n")))
    local out, err, code = command.shell(scratch, python .. " slsqp.py")
    command.remove(scratch)
    assert(code == 0, err)
    local i, close = 0, 0
    for line in out:gmatch "[^\n]+" do
      i = i + 1
      local best = tonumber(line)
      assert(best <= gains[i] + 1e-8, ("case %d: %.17g is better than %.17g"):format(i, best, gains[i]))
      if best >= gains[i] - 1e-6 then close = close + 1 end
    end
    assert.are.equal(60, i)
    assert.is_true(close >= 45, close .. " of 60 close")
  end)
end)

describe("trpo.mdp.kl_ball refuses", function()
  local p, a = T { 0.5, 0.5 }, T { 1, 0 }
  local what = "trpo.mdp.kl_ball: "
  misuse.each(it, {
    { "what is no tensor", kl_ball, { 3, a, 1 }, what .. "p must be a tensor, got 3" },
    { "what does not sum to one", kl_ball, { T { 0.5, 0.25 }, a, 1 },
      what .. "p must be a distribution, it sums to 0.75 (tolerance 1e-09)" },
    { "rows that do not sum to one", kl_ball, { T { { 0.5, 0.5 }, { 0.5, 0.75 } }, trpo.zeros(2, 2), 1 },
      what .. "p must be a distribution, in state 2 it sums to 1.25 (tolerance 1e-09)" },
    { "negative probabilities", kl_ball, { T { 1.5, -0.5 }, a, 1 }, what .. "p must hold probabilities, action 2 has -0.5" },
    { "a NaN in p", kl_ball, { T { 1, 0 / 0 }, a, 1 }, what .. "p must hold probabilities, action 2 has nan" },
    { "no actions", kl_ball, { trpo.zeros(0), trpo.zeros(0), 1 },
      what .. "p must have at least one state and one action, got a tensor [0]" },
    { "values of another size", kl_ball, { p, T { 1, 2, 3 }, 1 }, what .. "a must have size [2], got [3]" },
    { "a NaN in the values", kl_ball, { p, T { 0 / 0, 1 }, 1 },
      what .. "a must be numbers up to 1e300, or -inf for an action that is missing, action 1 has nan" },
    { "a missing action that p takes", kl_ball, { p, T { 1, -math.huge }, 1 },
      what .. "a must be numbers up to 1e300, or -inf for an action that is missing, action 2 has -inf where the policy takes it" },
    { "values that are too large", kl_ball, { p, T { 1, 1e301 }, 1 }, "action 2 has 1e+301" },
    { "a negative radius", kl_ball, { p, a, -1 }, what .. "radius must be a number >= 0, got -1" },
    { "a radius that is NaN", kl_ball, { p, a, 0 / 0 }, what .. "radius must be a number >= 0, got nan" },
    { "no radius", kl_ball, { p, a }, what .. "radius must be a number >= 0, got nil" },
    { "a negative price", kl_penalty, { p, a, -1 }, "trpo.mdp.kl_penalty: lambda must be a number >= 0, got -1" },
    { "a price for three dimensions", kl_penalty, { trpo.zeros(2, 2, 2), a, 1 },
      "trpo.mdp.kl_penalty: p must have size [N], got [2, 2, 2]" },
  })
end)
