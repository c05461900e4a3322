--- Random tabular processes, and the definitions of their values by dense matrices.
local trpo = require "trpo"

local garnets = {}

-- b different numbers of 1..n
local function choose(rng, n, b)
  local all, out = {}, {}
  for i = 1, n do all[i] = i end
  for i = 1, b do
    local j = rng:integer(i, n)
    all[i], all[j] = all[j], all[i]
    out[i] = all[i]
  end
  return out
end

--- A Garnet: every pair leads to `branching` different states with random probabilities; rewards are normal.
-- @tparam trpo.Rng rng
-- @tparam table o `S`, `A`, `branching`, `gamma`, `scale` = 1 of rewards, `ends` = share of the transitions that end the episode,
--   `missing` = share of the actions that states lack
function garnets.make(rng, o)
  local columns = { state = {}, action = {}, next = {}, probability = {}, reward = {}, done = {} }
  local b = math.min(o.branching or 3, o.S)
  for s = 1, o.S do
    for a = 1, o.A do
      local there = a == 1 or rng:uniform() >= (o.missing or 0)
      local next, weight, sum = there and choose(rng, o.S, b) or {}, {}, 0
      for i = 1, #next do
        weight[i] = -math.log(1 - rng:uniform())
        sum = sum + weight[i]
      end
      local reward = (o.scale or 1) * rng:normal()
      for i = 1, #next do
        local k = #columns.state + 1
        columns.state[k], columns.action[k], columns.next[k] = s, a, next[i]
        columns.probability[k], columns.reward[k] = weight[i] / sum, reward
        columns.done[k] = rng:uniform() < (o.ends or 0) and 1 or 0
      end
    end
  end
  local options = { S = o.S, A = o.A, gamma = o.gamma, rho0 = o.rho0 }
  for name, column in pairs(columns) do options[name] = trpo.tensor(column) end
  return assert(trpo.mdp.from_triplets(options))
end

--- A policy that is random, or deterministic, or has zeros, or is near another one.
function garnets.policy(rng, mdp, near)
  local pi = mdp:random_policy(rng)
  local u = rng:uniform()
  if near and u < 0.4 then return trpo.mdp.mixture(near, pi, 10 ^ (-6 * rng:uniform())) end
  if u < 0.6 then return pi end
  local greedy = mdp:greedy_policy(pi)
  if u < 0.8 then return greedy end
  return trpo.mdp.mixture(pi, greedy, 0.9 + 0.1 * rng:uniform())
end

--- V, Q, A, rho and eta of a policy as dense systems say.
function garnets.evaluate(mdp, pi)
  local S, A = mdp.S, mdp.A
  local P, r = mdp.P:to_dense():view(S, A, S), mdp.r
  local M, b = trpo.eye(S), trpo.zeros(S)
  for s = 1, S do
    for a = 1, A do
      if pi[s][a] > 0 then
        M[s] = M[s] - P[s][a] * (mdp.gamma * pi[s][a])
        b[s] = b[s] + pi[s][a] * r[s][a]
      end
    end
  end
  local V = trpo.linalg.solve(M, b)
  local rho = trpo.linalg.solve(M:t():clone(), mdp.rho0)
  local Q = trpo.zeros(S, A)
  for s = 1, S do
    for a = 1, A do Q[s][a] = r[s][a] + mdp.gamma * P[s][a]:dot(V) end
  end
  return { V = V, Q = Q, A = Q - V:view(S, 1):expand(S, A), rho = rho, eta = mdp.rho0:dot(V), bound = 0 }
end

return garnets
