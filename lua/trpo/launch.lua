--- Runs an experiment as a command: overrides, progress, signals, results, exit code.
-- @module trpo.launch
local disk = require "trpo.disk"
local parameters = require "trpo.parameters"
local progress = require "trpo.progress"
local rock = require "trpo.rocks"
local runs = require "trpo.runs"
local settings = require "trpo.settings"
local spelling = require "trpo.spelling"
local training = require "trpo.training"
local trpo = require "trpo"

local launch = {}

local counted = progress.count

local function say(...) io.stderr:write(table.concat({ ... }), "\n") end

local function variable(path) return "TRPO_" .. path:upper():gsub("%.", "_") end

-- variable names of the parameters: TRPO_ALGORITHM_DELTA, and TRPO_DELTA where that is clear; second the bare names
-- that are not clear, with a list of the variables they could be
local function variables(rules)
  local by_name, unclear = {}, {}
  local leaves = parameters.leaves(rules)
  for _, leaf in ipairs(leaves) do
    local bare = leaf.path:match("[^.]+$")
    local paths = parameters.meanings(rules, leaves, bare)
    if #paths == 1 then by_name[variable(bare)] = paths[1] else unclear[variable(bare)] = paths end
  end
  for name, path in pairs(parameters.shorthands(rules)) do by_name[variable(name)] = path end
  for _, leaf in ipairs(leaves) do by_name[variable(leaf.path)] = leaf.path end
  return by_name, unclear
end

-- what is wrong with a variable that sets nothing
local function misnamed(name, rules, by_name, unclear)
  local known = {}
  if unclear[name] then
    for i, path in ipairs(unclear[name]) do known[i] = variable(path) end
    return ("variable %s is ambiguous: write %s"):format(name, table.concat(known, " or "))
  end
  for other in pairs(by_name) do known[#known + 1] = other:sub(6) end
  for other in pairs(unclear) do known[#known + 1] = other:sub(6) end
  table.sort(known)
  local bare = name:sub(6)
  local path, near = rules.synonyms[bare:lower()], spelling.nearest(bare, known)
  near = path and variable(path) or near and "TRPO_" .. near
  return ("unknown variable %s%s"):format(name, near and (", did you mean %s?"):format(near) or "")
end

-- variables of the process that set parameters, the longer name last so that it wins; empty ones count as unset
local function from_environment(run)
  local rules, names, found = run:rules(), {}, {}
  local by_name, unclear = variables(rules)
  local environment = rock("luv", "trpo train").os_environ()
  for name, text in pairs(environment) do
    if name:find("^TRPO_") and #text > 0 and not settings.other_variables[name] then names[#names + 1] = name end
  end
  table.sort(names, function(a, b)
    if #a ~= #b then return #a < #b end
    return a < b
  end)
  for i, name in ipairs(names) do
    if not by_name[name] then return nil, misnamed(name, rules, by_name, unclear) end
    found[i] = { name = by_name[name], text = environment[name] }
  end
  return found
end

-- the flags that are parameters, in the order in which they win
local function from_flags(flags)
  local found = {}
  for _, text in ipairs(flags.set or {}) do
    local name, value = parameters.split(text)
    if not name then return nil, value end
    found[#found + 1] = { name = name, text = value }
  end
  for _, name in ipairs { "seed", "steps", "name", "dir", "threads" } do
    if flags[name] then found[#found + 1] = { name = name, text = flags[name] } end
  end
  -- each of the two takes the place of the other
  if flags.overwrite or flags.resume then
    found[#found + 1] = { name = "overwrite", value = flags.overwrite == true }
    found[#found + 1] = { name = "resume", value = flags.resume ~= nil }
  end
  return found
end

-- the number of seconds of --max-seconds; nil and a sentence when it is none
local function seconds(flags, run)
  local text = flags.max_seconds
  if not text then return nil end
  local n = tonumber(text)
  if not n or not (n > 0 and n < math.huge) then
    return nil, ("--max-seconds must be a number > 0, got '%s'"):format(text)
  elseif not run.config.dir then
    return nil, "--max-seconds needs a folder for the checkpoint, and dir is false"
  end
  return n
end

-- flag > variable > script > default: later changes win
local function override(run, flags)
  local changes, message = from_environment(run)
  if not changes then return nil, message end
  local given
  given, message = from_flags(flags)
  if not given then return nil, message end
  for _, change in ipairs(given) do changes[#changes + 1] = change end
  if #changes == 0 then return run end
  return run:override(changes)
end

-- what is said about a run that goes on
local function resumed(session)
  local counters = session.counters
  local so_far = ("%s (%s)"):format(counted(counters.iterations, "iteration"), counted(counters.steps, "step"))
  if not session.idle then return ("going on with %s after %s"):format(session.folder.path, so_far) end
  local wanted = session.run.config.steps
  if wanted < session.saved.config.steps and wanted <= counters.steps then
    return ("nothing is left to do: %s has already made %s, and %.0f are asked for"):format(session.folder.path, so_far,
      wanted)
  end
  local more = counters.reason == "reward_threshold" and "another evaluation.reward_threshold goes" or "more steps go"
  return ("nothing is left to do: %s is %s after %s; %s on"):format(session.folder.path,
    counters.status .. (counters.reason and " by " .. counters.reason or ""), so_far, more)
end

local function view_of(run, flags)
  local view = { json = flags.json and io.stdout or nil, say = function(text) say("trpo: ", text) end }
  function view.resumed(session)
    if session.idle or not flags.quiet then view.say(resumed(session)) end
    if view.progress then view.progress:resume(session.counters.steps, session.counters.elapsed) end
  end
  if flags.quiet then return view end
  local opts = progress.terminal()
  opts.steps, opts.label = run.config.steps, run:title()
  view.progress = progress.new(opts)
  view.sink = function(record) view.progress:update(record) end
  view.evaluating = function(record) view.progress:evaluating(record) end
  return view
end

-- why a run ended before its steps were made, by its reason
local early = { reward_threshold = "evaluation.reward_threshold was reached", on_iteration = "on_iteration stopped it" }

local function report(result, wanted)
  local reward, episodes = result["eval/mean_reward"], result.eval_episodes
  if reward then
    print(("mean reward %s (std %s)%s"):format(progress.number(reward), progress.number(result["eval/std_reward"]),
      episodes and " over " .. counted(episodes, "evaluation episode") or ""))
  end
  local why = result.steps < wanted and early[result.reason]
  print(("%s in %s%s, %.1f s%s"):format(why and ("%.0f of %s"):format(result.steps, counted(wanted, "step"))
    or counted(result.steps, "step"), counted(result.iterations, "iteration"), why and (" (%s)"):format(why) or "",
    result.seconds, result.dir and "; files in " .. result.dir or ""))
end

-- how the run ended, as an exit code
local function conclude(run, flags, result, message)
  if not result then
    say("trpo: ", message)
    return 1
  end
  local so_far = ("%s (%s)%s"):format(counted(result.iterations, "iteration"), counted(result.steps, "step"),
    result.unevaluated and result.dir and ", the last one still to be evaluated" or "")
  if result.status == "interrupted" then
    say(("trpo: stopped by %s after %s%s"):format(result.signal == 2 and "SIGINT" or "SIGTERM", so_far,
      result.dir and "; what there is, is in " .. result.dir .. ", --resume goes on" or ""))
    return 128 + result.signal
  elseif result.status == "paused" then
    say(("trpo: paused after %s; --resume goes on with %s"):format(so_far, result.dir))
    return 75
  end
  if not flags.json then report(result, run.config.steps) end
  return 0
end

--- Ends the watch over signals of a command, when what it has printed has arrived.
-- @tparam number code exit code
-- @treturn number the same
-- @raise { exit = 1 }, when it has not, which is said
function launch.settle(code)
  local arrived, why = io.stdout:flush()
  local lost = code == 0 and not arrived
  if lost then say("trpo: cannot write to the standard output: ", tostring(why)) end
  -- after a failure the process ends, and what is left of the output must not kill it on the way
  trpo.signals.restore(code ~= 0 or lost)
  if lost then error({ exit = 1 }, 0) end
  return code
end

-- a compiled flush would not notice that it failed, see trpo.logger
jit.off(launch.settle)

-- what a run that belongs to a sweep is refused with, or nil: the sweep's numbers would not be those of its files
local function claimed_by_sweep(run)
  local place = run:place()
  local sweep = place and runs.sweep_of(place)
  if not sweep then return nil end
  return ("%s is a trial of %s: 'trpo sweep' with the script of the sweep goes on with it, or runs it again with "
    .. "--retry-failed; to train it further copy the folder"):format(place, sweep)
end

--- Trains an experiment as the command line asks.
-- @tparam Experiment run
-- @tparam table flags of the command line, see `trpo.commands`
-- @treturn number exit code: 0, 1 (failed), 2 (usage), 75 (paused), 130 or 143 (signal)
function launch.train(run, flags)
  local ok, message = override(run, flags)
  local callbacks = {}
  if ok then
    callbacks.max_seconds, message = seconds(flags, run)
    ok = message == nil
  end
  if not ok then
    say("trpo: ", (message:gsub("^trpo%.%w+: ", "")))
    return 2
  end
  local place = flags.resume and flags.resume[1]
  if place then
    run.folder = disk.trimmed(place)
    if not disk.exists(run.folder) then
      say(("trpo: there is no run '%s' to go on with"):format(run.folder))
      return 2
    end
  end
  local refusal = claimed_by_sweep(run)
  if refusal then
    say("trpo: ", refusal)
    return 1
  end
  local view = view_of(run, flags)
  trpo.signals.watch(flags.quiet and ""
    or "\ntrpo: stopping: this iteration is finished, an evaluation put off (once more stops at once)\n")
  local result
  ok, result, message = xpcall(training.run, debug.traceback, run, callbacks, view)
  if view.progress then view.progress:finish() end
  if not ok then result, message = nil, result end
  return launch.settle(conclude(run, flags, result, message))
end

return launch
