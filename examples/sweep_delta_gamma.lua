-- A sweep over delta and gamma: nine cells with five seeds each on CartPole, less than a minute on two cores.
--
--   bin/trpo sweep examples/sweep_delta_gamma.lua             runs it; again: goes on where it was stopped
--   bin/trpo sweep examples/sweep_delta_gamma.lua --status    says how far it is, from another terminal
--   bin/trpo plot sweeps/sweep_delta_gamma                    draws the heat map
--   bin/trpo report sweeps/sweep_delta_gamma                  writes one page with everything
--
-- When trpo is installed, write `trpo` for `bin/trpo`; `luajit examples/sweep_delta_gamma.lua` then works, too.
local trpo = require "trpo"

local sweep = trpo.sweep {
  experiment = "cartpole.lua",                                   -- the script of an experiment, beside this one
  method     = "grid",
  parameters = { delta = { 0.001, 0.01, 0.1 }, gamma = { 0.9, 0.99, 0.999 } },
  seeds      = 5,                                                -- 1 to 5, the same ones in every cell
  metric     = { name = "eval/mean_reward", goal = "maximize" },
  set        = { steps = 25000 },
}

return sweep:main(...)
