--- `trpo eval`: plays episodes with the policy of a run.
-- @module trpo.evaluate
local checkpoint = require "trpo.checkpoint"
local disk = require "trpo.disk"
local json = require "trpo.json"
local options = require "trpo.options"
local origin = require "trpo.origin"
local progress = require "trpo.progress"
local rock = require "trpo.rocks"
local settings = require "trpo.settings"
local trpo = require "trpo"

local evaluate = {}

local function say(text) io.stderr:write("trpo: ", text, "\n") end

-- leaves with an exit code
local function fail(code, format, ...)
  say(select("#", ...) > 0 and format:format(...) or format)
  error({ exit = code }, 0)
end

-- the newest checkpoint of a folder that can be read
local function newest_of(path)
  local paths, message = checkpoint.list(path .. "/checkpoints")
  if not paths then fail(1, message) end
  if #paths == 0 then fail(1, "%s has no checkpoint", path) end
  local saved, damaged = checkpoint.newest(paths)
  if not saved then fail(1, damaged) end
  for _, entry in ipairs(damaged) do say(entry.message) end
  if #damaged > 0 then say("playing with " .. saved.path .. " instead") end
  return saved
end

local function best_of(path)
  local file = path .. "/checkpoints/best.safetensors"
  if not disk.exists(file) then
    fail(1, "%s has no best.safetensors: no evaluation was made yet, or evaluation.save_best is false", path)
  end
  local saved, message = checkpoint.load(file)
  return saved or fail(1, message)
end

-- a checkpoint and the experiment that it belongs to
local function find(flags)
  local path = disk.trimmed(flags.run)
  local stat = rock("luv", "trpo eval").fs_stat(path)
  if not stat then fail(2, "there is neither the folder of a run nor a checkpoint '%s'", path) end
  local run, message, code, saved
  if stat.type == "directory" then
    run, message, code = origin.of_folder(path)
    if not run then fail(code, message) end
    return run, flags.best and best_of(path) or newest_of(path)
  end
  if flags.best then fail(2, "--best needs the folder of a run, '%s' is a file", path) end
  if path:find("%.lua$") then
    fail(2, "'%s' is a script: give the folder of the run that it has made, or a checkpoint", path)
  end
  saved, message = checkpoint.load(path)
  if not saved then fail(1, message) end
  -- beside the folder of checkpoints is what tells where the environment comes from
  local home = path:match("^(.*)/checkpoints/[^/]*$") or path:match("^checkpoints/[^/]*$") and "."
  if home and disk.exists(home .. "/config.json") then
    run, message, code = origin.of_folder(home)
  else
    run, message, code = origin.of_config(saved.config, path)
  end
  if not run then fail(code, message) end
  return run, saved
end

-- what is to be played, from the command line and the run
local function wanted(flags, run)
  if flags.deterministic and flags.stochastic then fail(2, "give one of --deterministic and --stochastic") end
  local opts = { episodes = flags.episodes and (tonumber(flags.episodes) or flags.episodes),
    seed = flags.seed and (tonumber(flags.seed) or flags.seed) }
  if flags.deterministic or flags.stochastic then opts.deterministic = flags.deterministic == true end
  local resolved, message =
    options.resolve("trpo eval", settings.evaluation(run.config.evaluation, run.config.seed), opts)
  return resolved or fail(2, (message:gsub("^trpo eval: ", "--")))
end

local function load_policy(run, saved)
  for _, name in ipairs { "observation", "action" } do
    if run.probe[name] ~= saved[name] then
      fail(1, "%s is not for %s: its %s space is %s there and %s here", saved.path, run.probe.id, name,
        tostring(saved[name]), tostring(run.probe[name]))
    end
  end
  local policy, message = checkpoint.policy(saved.path)
  return policy or fail(1, message)
end

local function report(result, opts, saved, flags)
  local counters = saved.counters
  if flags.json then
    result.checkpoint, result.deterministic, result.seed = saved.path, opts.deterministic, opts.seed
    result.trained_iterations, result.trained_steps = counters.iterations, counters.steps
    print(json.encode(result))
    return
  end
  print(("mean reward %s (std %s, from %s to %s) over %.0f %s episode%s of %s steps in the mean"):format(
    progress.number(result.mean_reward), progress.number(result.std_reward), progress.number(result.min_reward),
    progress.number(result.max_reward), result.episodes, opts.deterministic and "deterministic" or "stochastic",
    result.episodes == 1 and "" or "s", progress.number(result.mean_ep_length)))
  -- a program may have counted otherwise, or not at all
  local counts = type(counters.iterations) == "number" and type(counters.steps) == "number"
  print(("policy of %s%s"):format(saved.path,
    counts and (", after %s (%s)"):format(progress.count(counters.iterations, "iteration"),
      progress.count(counters.steps, "step")) or ""))
end

--- Plays as the command line asks.
-- @tparam table flags of the command line, see `trpo.commands`
-- @treturn number exit code: 0, 1 (failed), 2 (usage); the latter two are raised as `{ exit = code }`
function evaluate.run(flags)
  trpo.signals.release() -- Ctrl-C ends it at once; nothing is half written
  local run, saved = find(flags)
  local opts = wanted(flags, run)
  run.policy = load_policy(run, saved)
  local result, message = run:evaluate(opts)
  if not result then fail(1, message) end
  report(result, opts, saved, flags)
  return 0
end

return evaluate
