-- How many runs a minute a sweep makes, what it costs beside the training in it, and how busy two cores are.
--
--   luajit bench/trials.lua [short] [--save]
local support = require "bench.support"
local project = require "spec.support.project"
local trpo = require "trpo"

local short = support.arguments { about = "Runs a minute of a sweep." }.short
local scratch = project.lines "mktemp -d"[1]

local function write(name, text)
  local file = assert(io.open(scratch .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

-- runs the sweep of a script: its results, and how many seconds all of it took
local function sweep(name, text, jobs)
  write(name .. ".lua", text)
  local made = assert(trpo.load(scratch .. "/" .. name .. ".lua"))
  assert(made:override { dir = scratch .. "/sweeps" })
  made.file = scratch .. "/" .. name .. ".lua"
  local start = support.now()
  local found = assert(made:run { jobs = jobs, quiet = true })
  local seconds = support.now() - start
  for _, trial in ipairs(found.trials) do assert(trial.status == "done", trial.message) end
  return found, seconds
end

local results, rows = {}, { { "sweeps", "trials", "processes", "" } }

-- trials of an experiment, one after the other
local n = short and 10 or 50
write("experiment.lua", [[
local trpo = require "trpo"
return trpo.experiment { env = "CartPole-v1", steps = 8192, evaluation = { episodes = 10 } }:main(...)
]])
local alone, wall = sweep("overhead", ([[
local trpo = require "trpo"
return trpo.sweep { experiment = "experiment.lua", parameters = { delta = { 0.01 } }, seeds = %d }:main(...)
]]):format(n), 1)

-- twice as many, two at a time
local found, both = sweep("throughput", ([[
local trpo = require "trpo"
return trpo.sweep { experiment = "experiment.lua", parameters = { delta = { 0.005, 0.01 } }, seeds = %d }:main(...)
]]):format(n), 2)
results.throughput = { trials = #found.trials, processes = 2, seconds = both, per_minute = 60 * #found.trials / both }

-- the same without files, and within one process
trpo.threads(1)
local start = support.now()
for seed = 1, n do
  local run = assert(trpo.load(scratch .. "/experiment.lua"))
  run:set { seed = seed, dir = false }
  assert(run:train())
end
local bare = (support.now() - start) / n

local inside = 0
for _, trial in ipairs(alone.trials) do inside = inside + trial.seconds / n end
results.overhead = { trials = n, seconds_per_trial = wall / n, run_train = inside, training_without_files = bare }
local function row(text, seconds) rows[#rows + 1] = { text, n, 1, ("%.1f ms"):format(1000 * seconds) } end
rows[#rows + 1] = { "trials of 8,192 steps and an evaluation, a minute", 2 * n, 2,
  ("%.0f"):format(results.throughput.per_minute) }
row("a trial", wall / n)
row("  training in it, without files", bare)
row("  process, claim, result", wall / n - inside)
row("  these, folder, logs, checkpoint", wall / n - bare)

-- trials that compute for one second each
n = short and 4 or 200
found, wall = sweep("busy", ([[
local trpo = require "trpo"
local function run()
  local start = trpo.now()
  repeat until trpo.now() - start >= 1
  return 1
end
return trpo.sweep { run = run, parameters = { x = { 1 } }, seeds = %d, metric = "one" }:main(...)
]]):format(n), 2)
results.busy = { trials = #found.trials, seconds = wall, busy = n / (2 * wall) }
rows[#rows + 1] = { "one-second trials: both are busy", n, 2, ("%.1f %%"):format(100 * n / (2 * wall)) }

support.print(rows)
support.save("trials", results)
project.run("rm -rf " .. project.quoted(scratch))
