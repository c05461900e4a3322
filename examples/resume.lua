-- Trains 20 iterations at once, and the same in two parts: every bit is equal.
--
--   luajit examples/resume.lua     (in the tree: set LUA_PATH and LUA_CPATH as the README says)
--
-- On the command line the second part is `trpo train --resume DIR`. A run that was killed goes on in the same way, from
-- the newest of its checkpoints: one comes every minute (checkpoint = { seconds = 60 }) and one at the end.
local trpo = require "trpo"

local batch = 8 * 128 -- steps of an iteration

local function experiment(name, iterations, resume)
  return trpo.experiment {
    env        = "Pendulum-v1",
    policy     = { hidden = { 32, 32 } },
    algorithm  = trpo.TRPO { delta = 0.02, gamma = 0.9, lambda = 0.95 },
    steps      = iterations * batch,
    horizon    = 128,
    evaluation = { episodes = 10 },
    dir        = "runs",
    name       = name,
    overwrite  = not resume, -- an earlier trial of this example may be there
    resume     = resume, -- true: go on with what the folder holds
  }
end

local whole = experiment("resume-whole", 20, false)
local expected = assert(whole:train())

assert(experiment("resume-parts", 10, false):train()) -- half of it
local parts = experiment("resume-parts", 20, true) -- the same with more steps, in a new object: all comes from the file
local result = assert(parts:train())

-- policies and critics agree in every parameter, and so do the evaluations
local difference = (whole.policy:theta() - parts.policy:theta()):abs():max()
assert(difference == 0 and result["eval/mean_reward"] == expected["eval/mean_reward"])

print(("mean return %.6f at once, %.6f in two parts; largest difference of a parameter: %g"):format(
  expected["eval/mean_reward"], result["eval/mean_reward"], difference))
