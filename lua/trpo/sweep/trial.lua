--- One trial, in a process of its own.
--
-- The process reads from its standard input what it is to do, loads the sweep's script, makes the trial out of it, and
-- checks that it is still the one that is wanted. It ends by a result file, or by a message and an exit code.
-- @module trpo.sweep.trial
local command_line = require "trpo.command_line"
local core = require "trpo.core"
local disk = require "trpo.disk"
local folder = require "trpo.folder"
local identity = require "trpo.sweep.identity"
local json = require "trpo.json"
local logger = require "trpo.logger"
local options = require "trpo.options"
local results = require "trpo.sweep.results"
local rock = require "trpo.rocks"
local script = require "trpo.script"
local sources = require "trpo.sources"
local space = require "trpo.sweep.space"
local spelling = require "trpo.spelling"
local trpo = require "trpo"

local trial = {}

--- Exit codes of a trial's process, besides 0 (it has its result), 1 (it failed; what it printed says why) and those of
-- signals.
trial.codes = { changed = 3, busy = 73, io = 74 }

-- scripts may not end the process, see `work_off`
local exit = os.exit

-- ---- results -----------------------------------------------------------------------------------

-- JSON has no such numbers
local function written(x)
  if x ~= x then return "nan" end
  if x == math.huge then return "inf" end
  return x == -math.huge and "-inf" or x
end

--- Writes the result of a trial, whole or not at all.
-- @tparam table entry a trial of `trpo.sweep.results`: `dir`, `rung`
-- @tparam table description of the sweep
-- @tparam table result `status` ("done", "failed"), `metrics` (numbers by name), `seconds`, `attempt`, `message`,
--   `code`
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil code
function trial.record(entry, description, result)
  local uv, info = rock("luv", "trpo sweep"), trpo.info()
  local out = { host = uv.os_gethostname(), pid = uv.os_getpid() }
  for key, value in pairs(result) do out[key] = value end
  out.metrics = {}
  for name, value in pairs(result.metrics) do out.metrics[name] = written(value) end
  out.metric = out.metrics[description.metric.name]
  out.system = { isa = info.isa, blas = info.blas, version = info.version }
  local text = json.encode(out, { indent = true, order = { "status", "metric", "metrics" } }) .. "\n"
  local name = results.file(description, entry.rung)
  -- a trial may have tidied up too much
  uv.fs_mkdir(entry.dir, 493) -- 0755
  -- with halving result.json is that of the last rung that was reached; the one that counts comes last
  if name ~= "result.json" then
    local ok, message, code = core.file.write(entry.dir .. "/result.json", text)
    if not ok then return nil, message, code end
  end
  return core.file.write(entry.dir .. "/" .. name, text)
end

-- ---- running -----------------------------------------------------------------------------------

-- Ends the process without a word when others have taken its trial, as it gave no sign of life for too long (it was
-- stopped, or its machine was): whatever it wrote now would stand among what they write.
local function heed(task)
  local uv = rock("luv", "trpo sweep")
  if uv.fs_stat(task.successor) then uv.kill(uv.os_getpid(), "sigkill") end
end

-- of a run's result what tells about the run and not about learning
local plain = { iterations = true, steps = true, seconds = true, signal = true, sessions = true,
  eval_episodes = true }

-- trains the experiment of a trial: its metrics, and its seconds in all attempts; or nil, message, exit code
local function train(run)
  local result, message, code = run:train()
  if not result then return nil, message, (code == "io" or code == "busy") and trial.codes[code] or 1 end
  if result.status == "interrupted" then return nil, nil, 128 + result.signal end
  local metrics = {}
  for key, value in pairs(result) do
    if type(value) == "number" and not plain[key] then metrics[key] = value end
  end
  return metrics, result.seconds
end

-- what the user's function returned, as numbers by name; nil and one sentence
local function numbers_of(value, description)
  if type(value) == "number" then return { [description.metric.name] = value } end
  if type(value) ~= "table" then
    return nil, ("run must return a table of numbers with '%s' in it, or that number; it returned %s")
      :format(description.metric.name, value == nil and "nothing" or "a " .. type(value))
  end
  local metrics = {}
  for key, number in pairs(value) do
    if type(key) ~= "string" or type(number) ~= "number" then
      return nil, ("run must return a table of numbers by name; of '%s' it returned a %s"):format(tostring(key),
        type(number))
    end
    metrics[key] = number
  end
  return metrics
end

-- what was raised, as text, with a traceback
local function told(raised)
  if type(raised) == "string" then return debug.traceback(raised, 2) end
  return debug.traceback("raised " .. options.describe(raised), 2)
end

-- calls the user's function
local function call(fn, params, entry, description)
  local ok, value = xpcall(function() return fn(params, entry.seed, entry.dir) end, told)
  if not ok then return nil, value, 1 end
  local metrics, message = numbers_of(value, description)
  if not metrics then return nil, message, 1 end
  return metrics
end

-- one sentence about a metric that is not among some
local function missing(name, metrics)
  local names = {}
  for key in pairs(metrics) do names[#names + 1] = key end
  table.sort(names)
  if #names == 0 then return ("no metric '%s' was reported, and no other one"):format(name) end
  local there = table.concat(names, ", ")
  -- the default of a function
  if name == "metric" then
    return ("no metric 'metric' was reported, which is the default; there is %s: write metric = %s"):format(there,
      #names == 1 and '"' .. there .. '"' or "the name of one of them")
  end
  return ("no metric '%s' was reported%s; there is %s"):format(name, spelling.hint(name, names), there)
end

-- writes the result of a trial: exit code, message
local function finish(task, metrics, seconds)
  local name, kind = task.description.metric.name, task.description.kind
  local result = { status = "done", metrics = metrics, seconds = seconds, attempt = task.attempt,
    -- what a run says about itself that was resumed
    exact_resume = folder.status(task.entry.dir).exact_resume }
  -- a run has some of its numbers only later, such as the mean return of episodes before the first one has ended
  if metrics[name] == nil and not (kind == "experiment" and logger.reports(name)) then
    result.status, result.code, result.message = "failed", "metric", missing(name, metrics)
  end
  heed(task)
  local ok, message = trial.record(task.entry, task.description, result)
  return ok and 0 or trial.codes.io, message
end

local function changed(what)
  return trial.codes.changed, ("%s has changed since the sweep began"):format(what)
end

-- a file that is not what it was when the sweep began, or nil
local function edited(files)
  for path, hash in pairs(files) do
    if sources.hash(path) ~= hash then return path end
  end
end

-- the experiment of a trial; or nil, exit code, message
local function experiment_of(task)
  local settings, entry = task.settings, task.entry
  local run, message = script.load(settings.script)
  if not run then return nil, 1, message end
  local ok
  ok, message = run:override(settings.changes)
  -- with halving the id is that of the whole way
  if ok and task.steps then ok, message = run:override { { name = "steps", value = task.steps } } end
  if not ok then return nil, 1, message end
  local id = identity.id({ kind = "experiment", config = identity.config(run:describe()) }, entry.seed)
  if id ~= entry.id then return nil, changed("what " .. settings.script .. " loads") end
  ok, message = run:override {
    { name = "steps", value = entry.steps or run.config.steps }, { name = "name", value = entry.id },
    { name = "dir", value = entry.dir:match "^(.*)/" }, { name = "overwrite", value = false },
    { name = "resume", value = true }, { name = "threads", value = 1 },
  }
  if not ok then return nil, 1, message end
  return run
end

local function run_experiment(task)
  local run, code, message = experiment_of(task)
  if not run then return code, message end
  -- the signal that reaches the sweep may reach its trials, too, which the sweep then asks once more; when it is in a
  -- hurry, it kills
  trpo.signals.watch("", true)
  run.before_writing = function() heed(task) end
  local metrics, seconds
  metrics, seconds, code = train(run)
  if not metrics then return code, seconds end
  return finish(task, metrics, seconds)
end

-- whether a trial is one of a sweep's function; what the function uses
local function is_of(entry, sweep)
  local params, hash, uses = {}, sweep.subject:hash()
  for path, value in pairs(entry.params) do params[path] = space.marked(value) end
  return identity.id({ kind = "run", params = params, code = hash }, entry.seed) == entry.id, uses
end

-- what has become another function: exit code, message
local function other(task, uses)
  -- trials of experiments begin sooner without it
  local what = require("trpo.sweep.code").changed(task.description.uses, uses)
  if #what == 0 then return changed("the function in " .. task.file) end
  return trial.codes.changed, ("in %s, %s has changed since the sweep began, or is another one in every process")
    :format(task.file, table.concat(what, " and "))
end

-- runs the trial of a function, which the script has given to a sweep
local function run_function(task, sweep)
  local entry = task.entry
  local same, uses = is_of(entry, sweep)
  if not same then return other(task, uses) end
  local begin = trpo.now()
  local metrics, message, code = call(sweep.subject.call, sweep:settings(entry).params, entry, task.description)
  if not metrics then return code, message end
  return finish(task, metrics, trpo.now() - begin)
end

--- What this process is to do when it is the process of a trial; nil otherwise.
trial.task = nil

-- ends the process by an exit code, with what is to be said
local function leave(code, message)
  if message then io.stderr:write("trpo: ", message, "\n") end
  io.stdout:flush()
  exit(code, true)
end

local function protected(fn, ...)
  local ok, code, message = xpcall(fn, told, ...)
  if not ok then code, message = 1, code end
  leave(code, message)
end

--- What a script that was loaded for a trial is to do when it comes to run a sweep itself: of the sweep that the trial
-- belongs to the trial is run, and the process ends; all else is left to others.
-- @tparam Sweep sweep
-- @treturn boolean whether this is the process of a trial
function trial.take(sweep)
  local task = trial.task
  if task and sweep.subject.call and is_of(task.entry, sweep) then protected(run_function, task, sweep) end
  return task ~= nil
end

-- takes away what was being written when an earlier attempt was killed
local function tidy(dir)
  for _, name in ipairs(disk.names(dir) or {}) do
    if name:find "^trial%.json%.%d+%-%d+%.tmp$" or name:find "^result[%w-]*%.json%.%d+%-%d+%.tmp$" then
      disk.remove(dir .. "/" .. name)
    end
  end
end

local function work_off(task)
  trpo.threads(1)
  -- an exit code would be taken for ours, and the trial for none
  os.exit = function(code) -- luacheck: ignore 122
    error(("os.exit(%s) was called in a trial"):format(tostring(code)), 2)
  end
  local entry, path = task.entry, edited(task.files)
  if path then return changed(path) end
  tidy(entry.dir)
  core.file.write(entry.dir .. "/trial.json", json.encode({
    id = entry.id, cell = entry.cell, params = entry.params, seed = entry.seed, rung = entry.rung,
  }, { indent = true }) .. "\n", { sync = false })
  if task.description.kind == "experiment" then return run_experiment(task) end
  trial.task = task
  require("trpo.sweep").without_cells = true
  local sweep, message = script.load(task.file, true)
  if not sweep then return 1, script.of_sweep(message) end
  if not require("trpo.sweep").is(sweep) or not sweep.subject.call then return changed(task.file) end
  return run_function(task, sweep)
end

--- Runs the trial that the standard input describes, as JSON, and ends the process.
function trial.main()
  -- a signal ends the process; the interpreter's own handler would make an error of it, and the trial fail
  trpo.signals.release()
  local task = json.decode(io.stdin:read "*a")
  -- a parent that is gone has lost its claim, and perhaps not said everything
  if not task or not core.process.die_with_parent(task.parent) then exit(1, true) end
  _G.arg = { [0] = task.file }
  command_line.text = task.command
  io.stdout:setvbuf "line"
  protected(work_off, task)
end

return trial
