-- What is proved, and what it costs: Algorithm 1 of the TRPO paper (monotone improvement), conservative policy
-- iteration, exact TRPO and policy iteration on one small random process, all from the uniform policy.
--
--   luajit examples/exact/monotone.lua [picture.svg]     (in the tree: set LUA_PATH and LUA_CPATH as the README says)
--
-- Every return below is exact, and every method knows a lower bound on it before it is evaluated.
local trpo = require "trpo"

local picture = ...
local iterations = 40

-- 30 states with 4 actions each; a discount factor at which the careful methods move at all
local mdp = trpo.mdp.garnet { states = 30, actions = 4, branching = 3, seed = 1, gamma = 0.7 }
local optimum = mdp:solve().eta
local start = mdp:evaluate(mdp:uniform_policy()).eta

local methods = {
  { label = "Algorithm 1 (max KL)", method = "monotone" },
  { label = "the same with C/2", method = "monotone", constant = 2 },
  { label = "conservative policy iteration", method = "cpi" },
  { label = "exact TRPO, delta = 0.01", method = "trust_region_mean", delta = 0.01 },
  { label = "policy iteration", method = "policy_iteration" },
}

-- What mdp:improve yields is kept as it is: one list of records of each method, from iteration 0 on.
local curves = { title = ("a random process: %d states, γ = %g"):format(mdp.S, mdp.gamma), optimum = optimum }
for i, options in ipairs(methods) do
  local curve = { label = options.label, { iteration = 0, eta = start } }
  options.label, options.iterations = nil, iterations
  for info in mdp:improve(options) do
    -- the theorems, checked as we go; 1e-12 is for rounding
    assert(info.eta >= info.lower_bound - 1e-12, "a lower bound does not hold")
    assert(options.method == "trust_region_mean" or info.eta >= info.eta_old - 1e-12, "a step down")
    curve[#curve + 1] = info
  end
  curves[i] = curve
end

-- how much of the way to the optimum each method has gone
local function share(eta) return 100 * (eta - start) / (optimum - start) end

print(("return of the uniform policy %.6f, of the best one %.6f\n"):format(start, optimum))
print("                                share of the way after        last step")
print("method                            1 step   10 steps   40      KL max    bound        status")
for _, curve in ipairs(curves) do
  local function after(n) return share(curve[math.min(n + 1, #curve)].eta) end
  local last = curve[#curve]
  print(("%-30s %7.2f %% %7.2f %% %7.2f %% %9.2g  %9.6f  %s"):format(curve.label, after(1), after(10), after(40),
    last.kl_max, last.lower_bound, last.status))
end

-- the same as a picture: returns with their bounds, and the divergence of every step
if picture then
  assert(trpo.mdp.plot_improvement(picture, curves))
  print("\nthe picture is in " .. picture)
end
