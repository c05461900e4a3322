-- Why nobody runs Algorithm 1: the theory's penalty C = 4 eps gamma / (1 - gamma)^2 is so large that steps vanish as
-- gamma goes to 1, while a trust region of a fixed size goes on moving.
--
--   luajit examples/exact/penalty.lua     (in the tree: set LUA_PATH and LUA_CPATH as the README says)
--
-- One step from the uniform policy of FrozenLake 4 x 4, by both methods and exactly, for one gamma after the other.
local trpo = require "trpo"

local delta = 0.01 -- the usual size of a trust region

local lake = trpo.mdp.frozen_lake()

print "            theory: max L - C KL_max                   practice: KL_mean <= 0.01"
print "  gamma          C     KL_max    guaranteed     true gain   KL_mean     true gain  ratio of the gains"
for _, gamma in ipairs { 0.1, 0.3, 0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999 } do
  local mdp = lake:with_gamma(gamma)
  local policy = mdp:uniform_policy()
  local e = mdp:evaluate(policy)

  -- A step needs the policy, its advantages and how often states are visited; nothing else of the process.
  local function step(options)
    options.policy, options.advantages, options.rho, options.gamma = policy, e.A, e.rho, gamma
    local new, info = assert(trpo.mdp.step(options))
    return info, mdp:evaluate(new).eta - e.eta
  end

  local careful, careful_gain = step { method = "monotone" }
  local bold, bold_gain = step { method = "trust_region_mean", delta = delta }
  print(("  %5.3f  %9.3g  %9.2g  %12.3g  %12.3g  %8.4f  %12.3g  %9.3g"):format(gamma, careful.C, careful.kl_max,
    careful.gain - careful.penalty, careful_gain, bold.kl_mean, bold_gain, bold_gain / careful_gain))
end

print [[

As gamma grows, C grows like 1/(1 - gamma)^2, and the KL that pays falls with the square of C. The guaranteed gain is
half of the true one, so the bound is not loose where the step ends: it is the step that is short. The trust region
gives up the guarantee in advance; with exact numbers one can look afterwards.]]
