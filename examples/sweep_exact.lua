-- A sweep of a function: exact TRPO on FrozenLake for pairs of delta and gamma, without noise and in a second.
--
--   bin/trpo sweep examples/sweep_exact.lua
--
-- What counts is how many updates it takes until the return that gamma stands for is within 1 % of the best one.
local trpo = require "trpo"

local most = 300
local lake = trpo.mdp.frozen_lake { map = "4x4" }

-- one trial: called in a process of its own, with a folder of its own
local function run(params)
  local mdp = lake:with_gamma(params.gamma)
  local best = mdp:solve().eta
  local updates, policy = most, nil
  for info in mdp:improve { method = "trust_region_mean", delta = params.delta, iterations = most } do
    policy = info.policy
    if info.eta >= 0.99 * best then
      updates = info.iteration
      break
    end
  end
  return { updates = updates, success = lake:with_gamma(1):evaluate(policy).eta }
end

local sweep = trpo.sweep {
  run        = run,
  method     = "grid",
  parameters = { delta = { 0.003, 0.01, 0.03, 0.1 }, gamma = { 0.8, 0.9, 0.99, 0.999 } },
  metric     = { name = "updates", goal = "minimize" },
}

return sweep:main(...)
