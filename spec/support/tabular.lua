--- Naive solvers of tabular processes: sweeps over P and r, to compare with.
local trpo = require "trpo"

local tabular = {}

-- Q [S, A] of values V [S]
local function lookahead(P, r, gamma, V)
  return P:mv(V):view(r:size(1), r:size(2)) * gamma + r
end

--- V* and Q* by value iteration until the span of the change says that it can move by no more than about 1e-13 of the
-- largest value, with the middle of MacQueen's bounds at the end; raises after `sweeps` (100,000).
function tabular.optimal(mdp, sweeps)
  local P, r, gamma = mdp.P, mdp.r, mdp.gamma
  local tolerance = math.max(1e-13 * (1 - gamma), 5e-16)
  local V, ends = trpo.zeros(mdp.S), false
  for _, outcome_sum in ipairs(P:mv(trpo.ones(mdp.S)):totable()) do ends = ends or outcome_sum < 0.999 end
  for _ = 1, sweeps or 100000 do
    local better = lookahead(P, r, gamma, V):max(2)
    local change = better - V
    local low, high = change:min(), change:max()
    -- where episodes can end, the bounds hold with zero among them
    if ends then low, high = math.min(low, 0), math.max(high, 0) end
    V = better
    if high - low <= tolerance * V:abs():max() + 1e-300 then
      if gamma < 1 then V = V + (low + high) / 2 * gamma / (1 - gamma) end
      return V, lookahead(P, r, gamma, V)
    end
  end
  error "value iteration does not end"
end

--- The chain of a policy, dense: P_pi [S, S] and r_pi [S], by plain loops over the outcomes.
function tabular.chain(mdp, pi)
  local S, A = mdp.S, mdp.A
  local P, r = trpo.zeros(S, S), trpo.zeros(S)
  for s = 1, S do
    for a = 1, A do
      local p = pi[s][a]
      if p > 0 then
        for _, o in ipairs(mdp:outcomes(s, a)) do
          r[s] = r[s] + p * o.probability * o.reward
          if not o.done then P[s][o.next] = P[s][o.next] + p * o.probability end
        end
      end
    end
  end
  return P, r
end

--- V, Q, A, rho and eta of a policy by dense solves.
function tabular.evaluate(mdp, pi)
  local S, A = mdp.S, mdp.A
  local P, r = tabular.chain(mdp, pi)
  local M = trpo.eye(S) - P * mdp.gamma
  local V = assert(trpo.linalg.solve(M, r))
  local rho = assert(trpo.linalg.solve(M:t(), mdp.rho0))
  local Q = trpo.zeros(S, A)
  for s = 1, S do
    for a = 1, A do
      for _, o in ipairs(mdp:outcomes(s, a)) do
        Q[s][a] = Q[s][a] + o.probability * (o.reward + (o.done and 0 or mdp.gamma * V[o.next]))
      end
    end
  end
  return { V = V, Q = Q, A = Q - V:view(S, 1), rho = rho, eta = mdp.rho0:dot(V) }
end

--- Up to `most` random outcomes of a pair: reach() draws next states, `ends` is the share that ends the episode.
function tabular.outcomes(rng, most, reach, scale, ends)
  local list, sum = {}, 0
  for k = 1, rng:integer(1, most) do
    list[k] = { rng:uniform() + 0.01, reach(), scale * rng:normal(), rng:uniform() < ends }
    sum = sum + list[k][1]
  end
  for _, outcome in ipairs(list) do outcome[1] = outcome[1] / sum end
  return list
end

return tabular
