--- Runs a sweep as a command: what is asked for, processes, progress, the table at the end, exit code.
-- @module trpo.sweep.launch
local bar = require "trpo.sweep.bar"
local json = require "trpo.json"
local options = require "trpo.options"
local progress = require "trpo.progress"
local results = require "trpo.sweep.results"
local rock = require "trpo.rocks"
local script = require "trpo.script"
local summary = require "trpo.sweep.summary"
local trpo = require "trpo"
local work = require "trpo.sweep.work"

local launch = {}

local function say(...) io.stderr:write("trpo: ", table.concat({ ... }), "\n") end

-- "1 trial", "2 trials"
local function counted(n, noun) return ("%.0f %s%s"):format(n, noun, n == 1 and "" or "s") end

-- ---- the script --------------------------------------------------------------------------------

-- the sweep that a file describes; or nil, message, exit code
local function load(path, judged)
  local file, unreadable = io.open(path, "r")
  if file then
    unreadable = select(2, file:read(0))
    file:close()
  end
  if unreadable then return nil, ("cannot read '%s' (%s); give a Lua script"):format(path, unreadable), 2 end
  local loaded, message, code = script.load(path)
  if code == "refused" then return nil, ("%s: %s"):format(path, message), 1 end
  if loaded == nil then return nil, judged(message, path) end
  if type(loaded) == "table" and loaded.trials and loaded.describe then return loaded end
  return nil, ("%s must return a sweep ('return trpo.sweep {...}:main(...)'), it returned %s"):format(path,
    type(loaded) == "table" and loaded.override and "an experiment: 'trpo train' runs it"
      or options.describe(loaded)), 2
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

-- a function that says how the process of a trial is started
local function commander(sweep, flags)
  local uv = rock("luv", "trpo sweep")
  local env, program = variables(uv), uv.exepath()
  return function(entry, attempt)
    local task = {
      file = sweep.file, dir = sweep.dir, name = flags.name, set = flags.set, key = entry.key, cell = entry.cell,
      seed = entry.seed, rung = entry.rung, attempt = attempt, parent = uv.os_getpid(),
    }
    local code = ("require('trpo.sweep.trial').main(%q)"):format(json.encode(task))
    return { file = program, args = { "-e", code }, env = env }
  end
end

-- ---- what is printed ---------------------------------------------------------------------------

-- rows of a table with columns side by side, numbers to the right
local function aligned(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do widths[i] = math.max(widths[i] or 0, #text) end
  end
  local lines = {}
  for i, row in ipairs(rows) do
    local words = {}
    for j, text in ipairs(row) do
      words[j] = j == 1 and text .. (" "):rep(widths[j] - #text) or (" "):rep(widths[j] - #text) .. text
    end
    lines[i] = (table.concat(words, "  "):gsub("%s+$", ""))
  end
  return lines
end

-- a table does not get longer than this
local most_rows = 40

-- rows of the summary, those of the best cells when there are many
local function shown_rows(sweep, found)
  local rows, sign = {}, sweep.metric.goal == "minimize" and -1 or 1
  for _, row in ipairs(found.rows) do rows[#rows + 1] = row end
  if #rows <= most_rows then return rows end
  table.sort(rows, function(a, b)
    local x, y = a.iqm and sign * a.iqm or -math.huge, b.iqm and sign * b.iqm or -math.huge
    if x ~= y then return x > y end
    return a.cell < b.cell
  end)
  for i = #rows, most_rows + 1, -1 do rows[i] = nil end
  return rows
end

local function print_table(sweep, found)
  local rows = { { sweep.metric.name, "runs", "IQM", "95 % interval", "median", "failed" } }
  local best = found.best and found.rows[found.best]
  for _, row in ipairs(shown_rows(sweep, found)) do
    rows[#rows + 1] = {
      (row == best and "* " or "  ") .. row.label, ("%d"):format(row.n), progress.short(row.iqm),
      row.low and ("[%s, %s]"):format(progress.short(row.low), progress.short(row.high)) or "-",
      progress.short(row.median), row.failed > 0 and ("%d"):format(row.failed) or "",
    }
  end
  for _, line in ipairs(aligned(rows)) do print(line) end
  if #found.rows > most_rows then print(("  ... and %d cells more"):format(#found.rows - most_rows)) end
  if best then
    print(("best: %s, %s %s (interquartile mean of %s)"):format(best.label, sweep.metric.name,
      progress.short(best.iqm), counted(best.n, "run")))
  end
end

-- a number, or its name where JSON has none
local function number(x)
  if x and (x ~= x or x == math.huge or x == -math.huge) then return x ~= x and "nan" or x > 0 and "inf" or "-inf" end
  return x
end

local function print_json(sweep, found)
  local rows = {}
  for i, row in ipairs(found.rows) do
    rows[i] = { params = row.params, label = row.label, n = row.n, failed = row.failed, iqm = number(row.iqm),
      low = number(row.low), high = number(row.high), median = number(row.median), mean = number(row.mean),
      std = number(row.std), min = number(row.min), max = number(row.max), rung = row.rung,
      probability = number(found.probability[i]) }
  end
  local count = results.count(sweep)
  print(json.encode({
    name = sweep.name, dir = sweep.dir, metric = sweep.metric, trials = count, cells = json.list(rows),
    best = found.best and rows[found.best] or json.null,
  }, { order = { "name", "dir", "metric", "trials", "best", "cells" } }))
end

-- trials that failed, the first few of them
local function name_failed(sweep)
  local failed = {}
  for _, trial in ipairs(sweep.trials) do
    if trial.status == "failed" then failed[#failed + 1] = trial end
  end
  if #failed == 0 then return end
  say(("%d of %s failed; --retry-failed runs %s again"):format(#failed, counted(#sweep.trials, "trial"),
    #failed == 1 and "it" or "them"))
  for i = 1, math.min(#failed, 10) do
    local trial = failed[i]
    io.stderr:write(("  %s seed %.0f: %s\n    %s/output.txt\n"):format(sweep.cells[trial.cell].label, trial.seed,
      (trial.message or "failed"):match "^[^\n]*", trial.dir))
  end
  if #failed > 10 then io.stderr:write(("  ... and %d more\n"):format(#failed - 10)) end
end

-- the trials that another machine or version has run
local function name_foreign(sweep)
  local here, count, of = trpo.info(), 0, nil
  for _, trial in ipairs(sweep.trials) do
    local system = trial.status == "done" and trial.system
    if system and (system.isa ~= here.isa or system.blas ~= here.blas or system.version ~= here.version) then
      count, of = count + 1, of or system
    end
  end
  if count == 0 then return end
  say(("%s ran elsewhere (%s, %s, trpo %s; here %s, %s, %s): their numbers need not be those of this machine; "
    .. "'system' in result.json tells which"):format(counted(count, "trial"), tostring(of.isa), tostring(of.blas),
    tostring(of.version), here.isa, here.blas, here.version))
end

-- how the sweep stands, as it is on the disk; the exit code of a problem
local function report(dir, flags)
  local sweep, message = results.read(dir)
  if not sweep then
    say(message)
    return 1
  end
  for _, text in ipairs(sweep.warnings) do say(text) end
  local found = summary.of(sweep)
  if flags.json then print_json(sweep, found) else print_table(sweep, found) end
  local ok, why = results.write_csv(sweep)
  if not ok then say(why) end
  if not flags.json then print(("files in %s (results.csv, trials/)"):format(dir)) end
  name_foreign(sweep)
  name_failed(sweep)
  return ok and 0 or 1, sweep
end

-- ---- the modes ---------------------------------------------------------------------------------

local function status(sweep, flags)
  local read, message = results.read(sweep.dir)
  if not read then
    say(message)
    return 1
  end
  local count = results.count(read)
  if not flags.json then
    print(("%s: %d of %d done, %d running, %d failed, %d waiting"):format(read.name, count.done, count.total,
      count.running, count.failed, count.waiting))
  end
  return (report(sweep.dir, flags))
end

local function quoted(word)
  if word:find "^[%w_./:=,@%%+-]+$" then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- one command for each trial that has no result
local function list(sweep, flags)
  local words = flags.words
  for _, text in ipairs(flags.set or {}) do words = words .. " --set " .. quoted(text) end
  if flags.name then words = words .. " --name " .. quoted(flags.name) end
  if flags.dir then words = words .. " --dir " .. quoted(flags.dir) end
  for _, trial in ipairs(sweep.trials) do
    if trial.status ~= "done" and (trial.status ~= "failed" or flags.retry_failed) then
      print(words .. " --trial " .. trial.key)
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
    if outcome.held then say("another process works on trial ", flags.trial) end
    local trial = results.read(sweep.dir).by_key[flags.trial]
    if trial.status == "failed" then say(trial.message or "the trial failed") end
    return trial.status == "failed" and 1 or 0
  end
  local code = report(sweep.dir, flags)
  return (code ~= 0 or outcome.failed > 0) and 1 or 0
end

local function view_of(flags)
  local opts = progress.terminal()
  opts.quiet = flags.quiet
  return bar.new(opts)
end

-- works on the sweep
local function execute(sweep, read, flags)
  if flags.trial then
    local ok, message = check_key(read, flags.trial)
    if not ok then
      say(message)
      return 2
    end
  end
  -- who closes the pipe that we write to must not kill us
  trpo.signals.watch ""
  local outcome, message = work.run {
    sweep = read, jobs = flags.jobs, command = commander(sweep, flags), view = view_of(flags), only = flags.trial,
    retry = flags.retry_failed,
  }
  local code = 1
  if outcome then code = conclude(sweep, flags, outcome) else say(message) end
  trpo.signals.restore(code ~= 0)
  return code
end

-- the number of processes; or nil and one sentence
local function jobs_of(text)
  local uv = rock("luv", "trpo sweep")
  if not text then return uv.available_parallelism and uv.available_parallelism() or math.max(1, #uv.cpu_info()) end
  local n = tonumber(text)
  if n and n >= 1 and n <= 1024 and n == math.floor(n) then return n end
  return nil, ("--jobs must be an integer in [1, 1024], got '%s'"):format(text)
end

-- one of these at a time
local modes = { "status", "list", "trial", "slurm" }

local function check_flags(flags)
  local given = {}
  for _, name in ipairs(modes) do
    if flags[name] then given[#given + 1] = "--" .. name end
  end
  if #given > 1 then return nil, ("%s and %s do not go together"):format(given[1], given[2]) end
  local message
  flags.jobs, message = jobs_of(flags.jobs)
  return flags.jobs ~= nil, message
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
  if flags.slurm then return require("trpo.sweep.slurm").submit(sweep, flags) end
  local remarks
  ok, remarks = sweep:open()
  if not ok then
    say(remarks)
    return 1
  end
  for _, text in ipairs(remarks) do say(text) end
  if flags.status then return status(sweep, flags) end
  local read, why = results.read(sweep.dir)
  if not read then
    say(why)
    return 1
  end
  if flags.list then return list(read, flags) end
  return execute(sweep, read, flags)
end

--- Runs `trpo sweep FILE`.
-- @tparam table flags of the command line
-- @tparam function judged function(message, name) → message, exit code: what a script raised
-- @treturn number exit code
function launch.run(flags, judged)
  local sweep, message, code = launch.given, nil, nil
  if not sweep then sweep, message, code = load(flags.file, judged) end
  if not sweep then
    say(message)
    return code
  end
  flags.words = ("%s %s"):format(launch.given and "luajit" or "trpo sweep", quoted(flags.file))
  sweep.file = require("trpo.origin").absolute(flags.file)
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
