-- What `make demo` runs: three experiments, each with a bar that it must reach, and a small sweep over delta and gamma.
--
--   luajit examples/demo.lua [FOLDER]     (in the tree: `make demo`)
--
-- The sweep's files go to FOLDER/delta_gamma, by default to a new folder under /tmp.
local trpo = require "trpo"
local summary = require "trpo.sweep.summary"
local uv = require "luv"

local here = arg and arg[0]:match("^(.*)/[^/]*$") or "."
local folder = arg and arg[1] or assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/trpo-demo-XXXXXX"))

-- script, mean return that must be reached over 100 evaluation episodes, what is learnt
local acts = {
  { "cartpole.lua", 475, "a C environment, discrete actions" },
  { "pendulum.lua", -250, "a C environment, a continuous action" },
  { "custom_env.lua", 80, "an environment written in Lua" },
}

local missed = 0
for _, act in ipairs(acts) do
  local file, bar, what = unpack(act)
  local run = assert(trpo.load(here .. "/" .. file))
  run:set { dir = false } -- no files

  local untrained = assert(run:evaluate()).mean_reward
  local begin = uv.hrtime()
  local result = assert(run:train())
  local reward = result["eval/mean_reward"]
  local reached = reward >= bar
  if not reached then missed = missed + 1 end

  print(("%-11s %-37s mean return %7.1f -> %7.1f (bar %4d: %s)  %6d steps, %4.1f s"):format(
    run.env.id, what, untrained, reward, bar, reached and "reached" or "MISSED", result.steps,
    (uv.hrtime() - begin) / 1e9))
end

-- the first of them again, for pairs of delta and gamma with four seeds each: as many processes as there are cores
local sweep = trpo.sweep {
  experiment = here .. "/cartpole.lua",
  method     = "grid",
  parameters = { delta = { 0.001, 0.01, 0.1 }, gamma = { 0.9, 0.99, 0.999 } },
  seeds      = 4,
  set        = { steps = 10000, ["evaluation.episodes"] = 20 },
  name       = "delta_gamma",
  dir        = folder,
}
print "\nCartPole-v1 after 10000 steps: nine pairs of delta and gamma, four seeds each"
local found = summary.of(assert(sweep:run { quiet = uv.guess_handle(2) ~= "tty" }))
assert(trpo.plots.heatmap { sweep:place(), file = "-" })
print(("\nbest: %s; the heat map is %s"):format(found.rows[found.best].label,
  trpo.plots.heatmap { sweep:place() } or "not drawn, as there is no gnuplot"))

if missed > 0 then
  print(("%d of %d bars were missed"):format(missed, #acts))
  os.exit(1, true)
end
