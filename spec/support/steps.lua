--- Random states and problems for the exact steps of policy improvement, and naive solutions in plain Lua.
local trpo = require "trpo"

local steps = {}

local log, exp, abs, max, huge = math.log, math.exp, math.abs, math.max, math.huge

--- A random distribution p and values a of n actions: with zeros, nearly deterministic, ties and near-ties at times.
function steps.state(rng, n)
  local p, a, sum = {}, {}, 0
  local spread, near = 4 * rng:uniform(), rng:uniform() < 0.15
  local only = rng:uniform() < 0.1 and rng:integer(1, n)
  for k = 1, n do
    local zero = only and k ~= only or rng:uniform() < 0.15
    p[k] = zero and 0 or exp(spread * rng:normal())
    sum = sum + p[k]
    a[k] = near and 1 + 1e-12 * rng:integer(-3, 3) or rng:uniform() < 0.2 and 1 or rng:normal()
  end
  if sum == 0 then p[1], sum = 1, 1 end
  for k = 1, n do p[k] = p[k] / sum end
  return p, a
end

--- KL(p || q) from the logarithms of q.
function steps.kl(p, log_q)
  local sum = 0
  for k = 1, #p do
    if p[k] > 0 then sum = sum + p[k] * (log(p[k]) - log_q[k]) end
  end
  return sum
end

function steps.dot(q, a)
  local sum = 0
  for k = 1, #q do
    if q[k] > 0 then sum = sum + q[k] * a[k] end
  end
  return sum
end

--- The largest a on the support of p, and off it.
function steps.best(p, a)
  local on, off = -huge, -huge
  for k = 1, #p do
    if p[k] > 0 then on = max(on, a[k]) else off = max(off, a[k]) end
  end
  return on, off
end

--- Whether the values are equal where p > 0, and nothing is better elsewhere.
function steps.is_flat(p, a)
  local on, off = steps.best(p, a)
  for k = 1, #p do
    if p[k] > 0 and a[k] ~= on then return false end
  end
  return off <= on
end

-- lambda and KL of q = lambda p / (nu - a) on the support, with sum 1
local function at(p, a, nu)
  local inverse, logs = 0, 0
  for k = 1, #p do
    if p[k] > 0 then
      inverse = inverse + p[k] / (nu - a[k])
      logs = logs + p[k] * log(nu - a[k])
    end
  end
  return 1 / inverse, logs + log(inverse)
end

-- the root of a decreasing function of log(nu - best)
local function bisect(f, lo, hi)
  for _ = 1, 200 do
    local mid = 0.5 * (lo + hi)
    if f(mid) > 0 then lo = mid else hi = mid end
  end
  return 0.5 * (lo + hi)
end

--- The gain of the ball of radius t by bisection on nu: no gap form, hence good to about 1e-9 only. And lambda.
function steps.naive_ball(p, a, t)
  local on, off = steps.best(p, a)
  local mean = steps.dot(p, a)
  if steps.is_flat(p, a) then return 0, 0 end
  local lambda, nu, left = nil, nil, 0
  if off > on then
    local _, kl = at(p, a, off)
    if kl < t then
      local logs = 0
      for k = 1, #p do
        if p[k] > 0 then logs = logs + p[k] * log(off - a[k]) end
      end
      lambda, nu = exp(logs - t), off
      left = 1 - exp(kl - t)
    end
  end
  if not nu then
    nu = on + exp(bisect(function(x) return select(2, at(p, a, on + exp(x))) - t end, -34, 60))
    lambda = at(p, a, nu)
  end
  local gain = left > 0 and left * off or 0
  for k = 1, #p do
    if p[k] > 0 then gain = gain + lambda * p[k] / (nu - a[k]) * a[k] end
  end
  return gain - mean, lambda
end

--- p and a of a likely first action, a last one that is best and of probability 1e-30 to 1, others in between at times.
function steps.unlikely(rng)
  local n, p, a, rest = rng:integer(2, 4), {}, {}, 0
  for k = 2, n do
    p[k] = 10 ^ (-30 * rng:uniform()) / n
    a[k] = k == n and 1 or rng:uniform()
    rest = rest + p[k]
  end
  p[1], a[1] = 1 - rest, 0
  return p, a
end

-- x - log(1 + x) without cancellation
local function excess(x)
  if abs(x) > 0.05 then return x - log(1 + x) end
  local sum = 0
  for k = 20, 2, -1 do sum = sum + (k % 2 == 0 and 1 or -1) * x ^ k / k end
  return sum
end

--- q/p - 1 and KL(p || q) of q in proportion to p/(e + best - a), p > 0 everywhere: by differences of pairs, which keep their
--- digits where p is all but deterministic.
function steps.paired(p, a, e)
  local best, total, z, kl = steps.best(p, a), 0, {}, 0
  for k = 1, #p do total = total + p[k] / (e + (best - a[k])) end
  for k = 1, #p do
    local change = 0
    for j = 1, #p do
      change = change + p[j] * ((a[k] - a[j]) / (e + (best - a[j])))
    end
    z[k] = change / (e + (best - a[k])) / total
    local ratio = 1 / (e + (best - a[k])) / total
    kl = kl + p[k] * (abs(z[k]) > 0.05 and z[k] - log(ratio) or excess(z[k]))
  end
  return z, kl
end

--- The solution of the ball of radius t by bisection, p > 0 everywhere: q/p - 1, and e = nu less the best value.
function steps.paired_ball(p, a, t)
  local e = exp(bisect(function(x) return select(2, steps.paired(p, a, exp(x))) - t end, -300, 300))
  return steps.paired(p, a, e), e
end

--- The maximum of q.a - p.a - lambda KL(p || q), by a search over the radius of the ball that it lies on.
function steps.naive_penalty(p, a, lambda)
  local function value(x)
    local t = exp(x)
    return steps.naive_ball(p, a, t) - lambda * t
  end
  local lo, hi = -60, 6
  for _ = 1, 120 do -- the value is unimodal in the radius
    local x, y = lo + (hi - lo) / 3, hi - (hi - lo) / 3
    if value(x) < value(y) then lo = x else hi = y end
  end
  return max(0, value(0.5 * (lo + hi)))
end

--- A random distribution q with KL(p || q) <= t, on the border as a rule.
function steps.feasible(rng, p, t)
  local r, sum = {}, 0
  for k = 1, #p do
    r[k] = exp(3 * rng:normal())
    sum = sum + r[k]
  end
  for k = 1, #p do r[k] = r[k] / sum end
  local function mix(x)
    local log_q, q = {}, {}
    for k = 1, #p do
      q[k] = (1 - x) * p[k] + x * r[k]
      log_q[k] = log(q[k])
    end
    return steps.kl(p, log_q), q
  end
  local lo, hi = 0, 1
  if mix(1) <= t then return r end
  for _ = 1, 40 do
    local mid = 0.5 * (lo + hi)
    if mix(mid) <= t then lo = mid else hi = mid end
  end
  return select(2, mix(lo))
end

--- A random problem of S states and A actions: policy, advantages with mean 0, rho that sums to 1/(1 - gamma).
-- @tparam table options `zeros`: probability of a zero in the policy, `deterministic`, `unreached`: probability of rho = 0,
--   `scale` of the advantages
function steps.problem(rng, S, A, gamma, options)
  options = options or {}
  local policy, advantages, rho = trpo.zeros(S, A), trpo.zeros(S, A), trpo.zeros(S)
  for s = 1, S do
    local sum, only = 0, options.deterministic and rng:integer(1, A)
    for a = 1, A do
      local zero = only and a ~= only or rng:uniform() < (options.zeros or 0) and a > 1
      policy[s][a] = zero and 0 or exp(rng:normal())
      sum = sum + policy[s][a]
      advantages[s][a] = (options.scale or 1) * rng:normal()
    end
    for a = 1, A do policy[s][a] = policy[s][a] / sum end
    local mean = policy[s]:dot(advantages[s])
    for a = 1, A do advantages[s][a] = advantages[s][a] - mean end
    if only then advantages[s][only] = 0 end
    rho[s] = rng:uniform() < (options.unreached or 0) and s > 1 and 0 or 0.1 + rng:uniform()
  end
  return { policy = policy, advantages = advantages, rho = rho * (1 / (1 - gamma) / rho:sum()), gamma = gamma }
end

--- Options of a step: the problem and more.
function steps.with(problem, more)
  local options = {}
  for key, value in pairs(problem) do options[key] = value end
  for key, value in pairs(more) do options[key] = value end
  return options
end

--- L(new) - L(old) by the definition, and KL and TV of every state, as tables.
function steps.measure(problem, new, log_new)
  local policy, advantages = problem.policy:totable(), problem.advantages:totable()
  local q, log_q = new:totable(), log_new and log_new:totable()
  local gain, kl, tv = 0, {}, {}
  for s = 1, #q do
    local logs, distance = {}, 0
    for a = 1, #q[s] do
      logs[a] = log_q and log_q[s][a] or log(q[s][a])
      local change = q[s][a] - policy[s][a]
      distance = distance + 0.5 * abs(change)
      if change ~= 0 then gain = gain + problem.rho[s] * change * advantages[s][a] end
    end
    kl[s], tv[s] = steps.kl(policy[s], logs), distance
  end
  return gain, kl, tv
end

--- The mean of values of states with the weights rho/sum rho.
function steps.mean(problem, values)
  local sum = 0
  for s = 1, #values do
    if problem.rho[s] > 0 then sum = sum + problem.rho[s] * values[s] end
  end
  return sum / problem.rho:sum()
end

function steps.largest(values)
  local most = -huge
  for k = 1, #values do most = max(most, values[k]) end
  return most
end

--- max |A| of those that are there.
function steps.epsilon(problem)
  local most = 0
  for _, row in ipairs(problem.advantages:totable()) do
    for _, a in ipairs(row) do
      if abs(a) < huge then most = max(most, abs(a)) end
    end
  end
  return most
end

--- Difference relative to the larger of the two, and to scale.
function steps.relative(x, y, scale)
  if x == y then return 0 end
  return abs(x - y) / max(abs(x), abs(y), scale or 0)
end

return steps
