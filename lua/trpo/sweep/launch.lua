--- Runs a sweep as a command: what is asked for, processes, progress, the table at the end, exit code.
-- @module trpo.sweep.launch
local bar = require "trpo.sweep.bar"
local blame = require "trpo.blame"
local claims = require "trpo.sweep.claims"
local command_line = require "trpo.command_line"
local disk = require "trpo.disk"
local json = require "trpo.json"
local options = require "trpo.options"
local origin = require "trpo.origin"
local progress = require "trpo.progress"
local results = require "trpo.sweep.results"
local rock = require "trpo.rocks"
local script = require "trpo.script"
local settings = require "trpo.settings"
local settle = require("trpo.launch").settle
local slurm = require "trpo.sweep.slurm"
local summary = require "trpo.sweep.summary"
local tell = require "trpo.sweep.tell"
local trial = require "trpo.sweep.trial"
local trpo = require "trpo"
local work = require "trpo.sweep.work"

local launch = {}

local quoted = command_line.quoted

local function say(...) io.stderr:write("trpo: ", table.concat({ ... }), "\n") end

-- ---- the script --------------------------------------------------------------------------------

-- the sweep that a file describes; or nil, message, exit code
local function load(path)
  local file, unreadable = io.open(path, "r")
  if file then
    unreadable = select(2, file:read(0))
    file:close()
  end
  if unreadable then return nil, ("cannot read '%s' (%s); give a Lua script"):format(path, unreadable), 2 end
  local loaded, message, code = script.load(path)
  if code == "refused" then return nil, ("%s: %s"):format(path, message), 1 end
  if loaded == nil then return nil, origin.judged(script.of_sweep(message), path) end
  if require("trpo.sweep").is(loaded) then return loaded end
  -- the other command is meant
  if type(loaded) == "table" and loaded.override then
    return nil, ("%s is an experiment: 'trpo train %s' runs it"):format(path, path), 2
  end
  return nil, ("%s must return a sweep ('return trpo.sweep {...}:main(...)'), it returned %s"):format(path,
    options.describe(loaded)), 1
end

-- ---- processes of trials -----------------------------------------------------------------------

-- the variables of this process, with BLAS on one thread
local function variables(uv)
  local list = { "OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1" }
  for name, value in pairs(uv.os_environ()) do
    if name ~= "OPENBLAS_NUM_THREADS" and name ~= "OMP_NUM_THREADS" and name ~= "MKL_NUM_THREADS"
      and name ~= "LUA_PATH" and name ~= "LUA_CPATH" then
      list[#list + 1] = name .. "=" .. value
    end
  end
  list[#list + 1] = "LUA_PATH=" .. package.path
  list[#list + 1] = "LUA_CPATH=" .. package.cpath
  return list
end

-- the part of a description that a trial needs
local function essence(description)
  return { kind = description.kind, metric = description.metric, halving = description.halving,
    uses = description.uses }
end

-- the command that runs one trial: of a command line that sweeps, or of a script that does so on its way
local function line_of(flags, key)
  if not flags.words then return command_line.own() end
  local words = flags.words
  for _, text in ipairs(flags.set or {}) do words = words .. " --set " .. quoted(text) end
  if flags.name then words = words .. " --name " .. quoted(flags.name) end
  if flags.dir then words = words .. " --dir " .. quoted(flags.dir) end
  return words .. " --trial " .. key
end

-- a function that says how the process of a trial is started
local function commander(sweep, read, flags)
  local uv = rock("luv", "trpo sweep")
  local env, program, description, subject = variables(uv), uv.exepath(), read.description, sweep.subject
  return function(entry, attempt)
    local task = {
      file = sweep.file, place = sweep:place(), description = essence(description), attempt = attempt,
      parent = uv.os_getpid(), successor = claims.place(read.dir, entry.key, attempt + 1),
      files = sweep.watched, settings = subject.script and sweep:settings(entry) or nil,
      steps = description.halving and description.halving.max, command = line_of(flags, entry.key),
      entry = { id = entry.id, cell = entry.cell, seed = entry.seed, rung = entry.rung, steps = entry.steps,
        params = entry.params, dir = entry.dir },
    }
    -- a command line has no room for large parameters; its key is for whoever lists the processes
    local code = ("require('trpo.sweep.trial').main('%s')"):format(entry.key)
    return { file = program, args = { "-e", code }, env = env, input = json.encode(task) }
  end
end

-- ---- the modes ---------------------------------------------------------------------------------

-- the folder of a sweep that has this one's name and stands beside its script, when there is none here
local function elsewhere(sweep)
  local home, place = sweep.home.folder, sweep:place()
  if not home or home == "" or place:sub(1, 1) == "/" or disk.exists(place .. "/sweep.json") then return nil end
  return disk.exists(home .. place .. "/sweep.json") and home .. place or nil
end

-- says how the sweep stands, as it is on the disk, and writes results.csv; the exit code of a problem
local function report(sweep, flags)
  local read, message = sweep:results()
  if not read then
    local other = elsewhere(sweep)
    say(message, other and (", but one in %s: write '--dir %s'"):format(other, quoted(other:match "^(.*)/")) or "")
    return 1
  end
  for _, text in ipairs(read.warnings) do say(text) end
  if flags.status and not flags.json then
    print(tell.counts(read))
    local remark = tell.script(read, sweep.description)
    if remark then print(remark) end
  end
  local found = summary.of(read)
  if flags.json then print(tell.json(read, found)) else print(tell.table(read, found)) end
  local ok, why = results.write_csv(read)
  if not ok then say(why) end
  if not flags.json then print(("files in %s (results.csv, trials/)"):format(read.dir)) end
  local foreign, unscored, failed = tell.foreign(read), tell.unscored(read), tell.failed(read)
  if foreign then say(foreign) end
  if unscored then say(unscored) end
  if failed then say(failed) end
  return (ok or flags.status) and 0 or 1
end

-- one command for each trial that has no result
local function list(sweep, flags)
  for _, entry in ipairs(sweep.trials) do
    local failed = entry.status == "failed"
    if entry.status ~= "done" and (not failed or flags.retry_failed) then
      print(line_of(flags, entry.key) .. (failed and " --retry-failed" or ""))
    end
  end
  return 0
end

-- what a key means that names no trial
local function check_key(sweep, key)
  if sweep.by_key[key] then return true end
  for other in pairs(sweep.by_key) do
    if other:match "^%x+" == key:match "^%x+" then
      return nil, ("trial %s is not decided yet: the rung before it must be complete"):format(key)
    end
  end
  return nil, ("the sweep has no trial '%s'; --list shows them"):format(key)
end

-- what the end of the work on a single trial means
local function conclude_one(sweep, key, outcome)
  if outcome.held then say("another process works on trial ", key) end
  local read, message = sweep:results()
  if not read then
    say(message)
    return 1
  end
  local entry = read.by_key[key]
  if entry.status == "failed" then say(entry.message or "the trial failed") end
  return entry.status == "failed" and 1 or 0
end

-- what the end of the work means
local function conclude(sweep, flags, outcome)
  if outcome.signal then
    local name = outcome.signal == 2 and "SIGINT" or "SIGTERM"
    say(("stopped by %s, %d of %d trials are done; the same command goes on"):format(name, outcome.done, outcome.total))
    return 128 + outcome.signal
  elseif outcome.stopped then
    say("the sweep stopped: ", outcome.stopped.message)
    return 1
  elseif flags.trial then
    return conclude_one(sweep, flags.trial, outcome)
  end
  local code = report(sweep, flags)
  local left = outcome.total - outcome.done - outcome.failed
  if left > 0 then say(("%d of %d trials have no result; the same command goes on"):format(left, outcome.total)) end
  return outcome.done == outcome.total and code or 1
end

local function view_of(flags)
  local opts = progress.terminal()
  opts.quiet = flags.quiet
  return bar.new(opts)
end

-- works on the sweep: what `trpo.sweep.work` says
local function begin(sweep, read, flags)
  return work.run {
    sweep = read, jobs = flags.jobs, command = commander(sweep, read, flags), view = view_of(flags), only = flags.trial,
    retry = flags.retry_failed,
  }
end

-- the sweep's folder, made when it is not there, and what it holds; nil, message, code
local function opened(sweep)
  local other = elsewhere(sweep)
  local ok, found, code = sweep:open()
  if not ok then return nil, found, code end
  if other then
    say(("this begins another sweep in %s, below the current folder; %s is left alone: '--dir %s' goes on with it")
      :format(sweep:place(), other, quoted(other:match "^(.*)/")))
  end
  for _, text in ipairs(found.warnings) do say(text) end
  return sweep:results()
end

-- works on the sweep and says how it ended: exit code
local function execute(sweep, read, flags)
  if flags.trial then
    local ok, message = check_key(read, flags.trial)
    if not ok then
      say(message)
      return 2
    end
  end
  -- who closes the pipe that we write to must not kill us, and not before all is said either
  trpo.signals.watch ""
  local outcome, message = begin(sweep, read, flags)
  local code = 1
  if outcome then code = conclude(sweep, flags, outcome) else say(message) end
  return settle(code)
end

-- processes at a time, at most
local most_jobs = 1024

local function cores()
  local uv = rock("luv", "trpo sweep")
  return uv.available_parallelism and uv.available_parallelism() or math.max(1, #uv.cpu_info())
end

-- the number of processes; or nil and one sentence
local function jobs_of(text)
  if not text then return cores() end
  local n = tonumber(text)
  if n and n >= 1 and n <= most_jobs and n == math.floor(n) then return n end
  return nil, ("--jobs must be an integer in [1, %d], got '%s'"):format(most_jobs, text)
end

-- a variable that would set a parameter of a run, or nil: what is swept stands in the script and the command line
local function stray_variable()
  local found
  for name, text in pairs(rock("luv", "trpo sweep").os_environ()) do
    local sets = name:find "^TRPO_" and #text > 0 and name ~= "TRPO_THREADS" and not settings.other_variables[name]
    if sets and (not found or name < found) then found = name end
  end
  return found
end

-- one of these at a time
local modes = { "status", "list", "trial", "slurm" }

local function check_flags(flags)
  local given = {}
  for _, name in ipairs(modes) do
    if flags[name] then given[#given + 1] = "--" .. name end
  end
  if #given > 1 then return nil, ("%s and %s do not go together"):format(given[1], given[2]) end
  local stray = stray_variable()
  if stray then return nil, ("variable %s sets nothing in a sweep: write --set NAME=VALUE"):format(stray) end
  local wish = flags.jobs
  local message
  flags.jobs, message = jobs_of(wish)
  -- a cluster is larger than this machine
  flags.tasks = wish and flags.jobs
  return flags.jobs ~= nil, message
end

-- what `sweep:run` may be given
local run_options = options.group {
  synonyms = { workers = "jobs", processes = "jobs", n_jobs = "jobs", num_workers = "jobs", parallel = "jobs" },
  fields = {
    { "jobs", options.integer { optional = true, min = 1, max = most_jobs } },
    { "quiet", options.boolean { default = false } },
    { "retry_failed", options.boolean { default = false } },
  },
}

--- Runs the trials of a sweep from a script, see `Sweep:run`. In the process of a trial, which comes to the same place
-- of the script, it runs that trial and does not return.
-- @tparam Sweep sweep
-- @tparam[opt] table opts `jobs` (processes at a time; default: the cores), `quiet` false, `retry_failed` false
-- @treturn table|nil what was found, see `trpo.sweep.results.read`; some trials may have failed
-- @treturn string|nil message
-- @treturn string|nil code: "changed", "running", "exists", "format" or "version" (of the sweep that is in the folder),
--   "script" (a function that is in none), "spawn", "io", "metric", "interrupted"
-- @raise on wrong options
function launch.all(sweep, opts)
  if trial.take(sweep) then return sweep:results() end
  -- what a function uses may have been changed since the sweep was described
  if sweep.kind == "run" then assert(sweep:override {}) end
  local flags, message = options.resolve("sweep:run", run_options, opts)
  if not flags then blame(message) end
  flags.jobs = flags.jobs or cores()
  sweep.file = sweep.file or type(arg) == "table" and arg[0] and origin.absolute(arg[0]) or nil
  if sweep.kind == "run" and not sweep.file then
    return nil, "a sweep of a function must be in a script: its trials load it", "script"
  end
  local read, code
  read, message, code = opened(sweep)
  if not read then return nil, message, code end
  local outcome
  trpo.signals.watch ""
  outcome, message, code = begin(sweep, read, flags)
  trpo.signals.restore()
  if not outcome then return nil, message, code end
  if outcome.signal then return nil, "stopped by a signal; running the sweep again goes on", "interrupted" end
  if outcome.stopped then return nil, outcome.stopped.message, outcome.stopped.code end
  return sweep:results()
end

--- Does with a sweep what the command line asks for.
-- @tparam Sweep sweep
-- @tparam table flags of the command line, see `trpo.commands`
-- @treturn number exit code: 0, 1 (something failed), 2 (usage), 130 or 143 (signal)
function launch.start(sweep, flags)
  local ok, message = check_flags(flags)
  if ok then ok, message = sweep:override(flags) end
  if not ok then
    say((message:gsub("^trpo%.%w+: ", "")))
    return 2
  end
  if flags.status then return report(sweep, flags) end
  local read, why = opened(sweep)
  if not read then
    say(why)
    return 1
  end
  if flags.list then return list(read, flags) end
  if flags.slurm then return slurm.submit(sweep, read, flags) end
  return execute(sweep, read, flags)
end

--- Runs `trpo sweep FILE`.
-- @tparam table flags of the command line
-- @treturn number exit code
function launch.run(flags)
  local sweep, message, code = launch.given, nil, nil
  if not sweep then sweep, message, code = load(flags.file) end
  if not sweep then
    say(message)
    return code
  end
  flags.words = ("%s %s"):format(launch.given and "luajit" or "trpo sweep", quoted(flags.file))
  sweep.file = origin.absolute(flags.file)
  return launch.start(sweep, flags)
end

--- Runs the command line of a script that describes a sweep, see `Sweep:main`.
-- @tparam Sweep sweep
-- @tparam {string,...} args
-- @treturn number exit code
function launch.script(sweep, args)
  launch.given = sweep
  local code = require("trpo.cli").main { "sweep", arg[0], unpack(args) }
  launch.given = nil
  return code
end

return launch
