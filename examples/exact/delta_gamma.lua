-- The effect of delta and gamma on exact TRPO: a plain loop over both, no noise, one number per cell.
--
--   luajit examples/exact/delta_gamma.lua     (in the tree: set LUA_PATH and LUA_CPATH as the README says)
--
-- gamma is what TRPO optimises for; what counts in the end is the probability to reach the goal of FrozenLake, its
-- undiscounted return. A sweep on samples has the same shape, with seeds inside.
local trpo = require "trpo"

local deltas = { 0.001, 0.003, 0.01, 0.03, 0.1, 0.3 }
local gammas = { 0.8, 0.9, 0.95, 0.99, 0.999 }
local most = 300

local lake = trpo.mdp.frozen_lake { map = "4x4" }
local undiscounted = lake:with_gamma(1)

-- iterations until the return is 99 % of the best one of this gamma, and the policy that is reached in the end
local function run(delta, gamma)
  local mdp = lake:with_gamma(gamma)
  local best = mdp:solve().eta
  local needed, policy
  for info in mdp:improve { method = "trust_region_mean", delta = delta, iterations = most } do
    policy = info.policy
    if info.eta >= 0.99 * best then
      needed = info.iteration
      break
    end
  end
  return needed, policy
end

local function heading(text)
  local words = {}
  for i, gamma in ipairs(gammas) do words[i] = ("%9s"):format("γ=" .. gamma) end
  print(text .. "\n  delta    " .. table.concat(words))
end

local reached = {}
heading "exact TRPO: iterations to 99 % of the best discounted return"
for i, delta in ipairs(deltas) do
  local words = {}
  reached[i] = {}
  for j, gamma in ipairs(gammas) do
    local needed, policy = run(delta, gamma)
    words[j] = ("%8s"):format(needed or ">" .. most)
    reached[i][j] = undiscounted:evaluate(policy).eta
  end
  print(("  %-8g"):format(delta) .. table.concat(words))
end

print ""
heading "probability that the policy reached by then finds the goal (best of all: 14/17 = 0.824)"
for i, delta in ipairs(deltas) do
  local words = {}
  for j in ipairs(gammas) do words[j] = ("%8.3f"):format(reached[i][j]) end
  print(("  %-8g"):format(delta) .. table.concat(words))
end
