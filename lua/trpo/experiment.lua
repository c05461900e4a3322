--- Experiments: what is learnt by whom, how long, and where the numbers go.
--
--     local run = trpo.experiment {
--       env       = "CartPole-v1",
--       policy    = { hidden = { 64, 64 } },
--       algorithm = trpo.TRPO { delta = 0.01, gamma = 0.99, lambda = 0.97 },
--       steps     = 100000,
--       seed      = 1,
--     }
--     return run:main(...)
--
-- Every option has a dotted path (`algorithm.delta`, `policy.hidden`, `env.time_limit`), which `--set`, `TRPO_*`
-- variables and `run:set` understand.
-- @module trpo.experiment
local blame = require "trpo.blame"
local changes_of = require "trpo.changes"
local conflicts = require "trpo.conflicts"
local core = require "trpo.core"
local folder = require "trpo.folder"
local options = require "trpo.options"
local parameters = require "trpo.parameters"
local script = require "trpo.script"
local settings = require "trpo.settings"
local training = require "trpo.training"
local trpo = require "trpo"

local experiment = {}

--- An experiment.
-- @type Experiment
local methods = {}
methods.__index = methods

-- Each use of random numbers has a stream of its own, so that none shifts when another one changes.
local streams = { training = 0, evaluation = 1, policy = 2, value = 3 }

-- calls a constructor; what it says itself comes without the position in this file
local function try(constructor, ...)
  local ok, result = pcall(constructor, ...)
  if ok then return result end
  return nil, (tostring(result):gsub("^[^\n]-:%d+: (trpo%.)", "%1", 1))
end

-- why an evaluation of a process would never come back, or nil
local function endless(definition, env)
  if core.mdp.is_mdp(definition) and not definition.episodic and env.time_limit == 0 then
    return ("trpo.experiment: no episode of %s ever ends; give a time limit: env = { id = mdp, time_limit = 100 }")
      :format(env.id)
  end
end

-- what the environment that a script describes is called
local function id_of(definition)
  if core.mdp.is_mdp(definition) then return definition.name or "Mdp" end
  return definition.id or "environment"
end

-- the environment of a configuration; its failures are a message here
function methods:make_env(config, lanes, stream)
  return try(trpo.make, self.definition or config.env.id,
    { lanes = lanes, seed = config.seed, stream = stream, time_limit = config.env.time_limit })
end

-- Checks a tree of options and, when all of it holds, makes it this run's; `given` are the critic's options that
-- somebody asked for.
function methods:configure(tree, given)
  local config, message = options.resolve("trpo.experiment", settings.schema, tree)
  if not config then return nil, message end
  -- a plain table of options is TRPO's
  local algorithm = config.algorithm
  if getmetatable(algorithm) == nil then
    algorithm, message = try(trpo.TRPO, algorithm)
    if not algorithm then return nil, message end
  end
  -- one lane says whether the environment exists and what it needs
  local env
  env, message = self:make_env(config, 1, streams.training)
  if not env then return nil, message end
  message = conflicts.find(config, env, given) or endless(self.definition, env)
  if message then return nil, message end
  config.algorithm = settings.plain(algorithm)
  self.config, self.algorithm, self.probe = config, algorithm, env
  self.env, self.policy, self.value = nil, nil, nil
  return self
end

--- Describes an experiment. Nothing is computed yet, but the environment is opened once to see that it fits.
-- @function trpo.experiment
-- @tparam table opts `env` (an id, a module name, a table that describes an environment, an Mdp, or
--   { id, time_limit } with an id, a module name or an Mdp as id);
--   `policy` { `hidden` {64, 64}, `activation` "tanh", `precision` "single", `log_std` 0 };
--   `value` { `kind` "network", "linear" or "none", `hidden`, `activation`, `precision`, `rescale_targets`, `optimizer`
--   "gauss_newton", "lbfgs", "last_layer" or "adam", each with options of its own (see `trpo.value`) }, or just the
--   kind, or false; `algorithm` trpo.TRPO {…};
--   `steps` 100000 (environment steps; the last batch is always complete); `lanes` 8 and `horizon` 256 (steps of each
--   lane in a batch), or `whole_episodes` true with `budget` (steps in a batch, at least; default lanes × horizon);
--   `seed` 1 (an integer in [0, 2^53)); `normalize_observations` "auto" (on for boxes without finite bounds, off for
--   classic control), true or false; `threads`; `evaluation` { `episodes` 100, `every` 0 (iterations; 0: at
--   the end only), `deterministic` true, `save_best` true (keeps what had the best evaluation as
--   `checkpoints/best.safetensors`), `reward_threshold` (training is done when an evaluation reaches it) };
--   `checkpoint` { `every` 0 (iterations; 0: not by their number), `seconds` 60 (0: not by the clock), `keep` 3 }
--   (there is always one at the end); `resume` false (true: go on with what the folder holds, begin when there is
--   nothing);
--   `on_iteration`, `on_episode`, see `Experiment:train`; `name`, `dir` "runs" (false: no files), `overwrite` false
-- @treturn Experiment
-- @raise one sentence about the first wrong option
function experiment.new(opts)
  if type(opts) ~= "table" then
    blame(("trpo.experiment: options must be a table, got %s"):format(options.describe(opts)))
  end
  local tree = {}
  for key, value in pairs(opts) do tree[key] = value end
  local self = setmetatable({}, methods)
  if tree.env == nil then blame("trpo.experiment: env must be given, e.g. \"CartPole-v1\"") end
  local process = type(tree.env) == "table" and tree.env.id or tree.env
  if core.mdp.is_mdp(process) then
    local env = type(tree.env) == "table" and options.copy(tree.env) or {}
    env.id = id_of(process)
    self.definition, tree.env = process, env
  elseif not settings.is_reference(tree.env) then
    if type(tree.env) ~= "table" then
      blame(("trpo.experiment: env must be an id, a module name or a table that describes an environment, got %s")
        :format(options.describe(tree.env)))
    end
    local definition, message = try(trpo.env, tree.env)
    if not definition then blame(message, tree.env) end
    self.definition, tree.env = definition, { id = id_of(definition) }
  end
  tree.algorithm = tree.algorithm or trpo.TRPO {}
  local ok, message = self:configure(tree, type(tree.value) == "table" and tree.value or {})
  -- only what is wrong with the environment itself is where that was written
  if not ok then blame(message, message:find "^trpo%.make: " and self.definition) end
  return self
end

-- all parameters, the algorithm's included
function methods:rules() return settings.with(self.algorithm) end

--- The parameters of this run.
-- @treturn {table,...} list of { path, value } in a fixed order
function methods:parameters()
  local out = {}
  for i, leaf in ipairs(parameters.leaves(self:rules())) do
    out[i] = { path = leaf.path, value = parameters.read(self.config, leaf.path) }
  end
  return out
end

-- Applies a list of { name, value = } or { name, text = } together; nil and one sentence if any is wrong.
function methods:override(changes)
  if self.training then return nil, "nothing can be changed while the run is trained" end
  local read, message = changes_of.read(self:rules(), changes)
  if not read then return nil, message end
  local tree, definition, given = options.copy(self.config), self.definition, changes_of.critic(read)
  changes_of.drop_strangers(tree.value, given)
  for _, change in ipairs(read) do
    parameters.assign(tree, change.path, change.value)
    -- a named environment takes the place of the described one
    if change.path == "env.id" and definition and change.value ~= id_of(definition) then self.definition = nil end
  end
  local ok
  ok, message = self:configure(tree, given)
  if not ok then self.definition = definition end
  return ok, message
end

--- Changes parameters before training.
-- @tparam string|table name dotted path or bare name, or a table from names to values
-- @param[opt] value the new value
-- @treturn Experiment self
-- @raise when a name is unknown or ambiguous, a value is wrong, or the run is being trained; nothing is changed then
function methods:set(name, value)
  local changes = {}
  for key, entry in pairs(type(name) == "table" and name or { [name] = value }) do
    changes[#changes + 1] = { name = key, value = entry }
  end
  table.sort(changes, function(a, b) return a.name < b.name end)
  local ok, message = self:override(changes)
  if not ok then blame("run:set: " .. message) end
  return self
end

-- the critic, or false when there is none; each kind gets the options that it has
local function make_value(c, observation, normalize)
  if c.value.kind == "none" then return false end
  if c.value.kind == "linear" then
    return try(trpo.value, { kind = "linear", observation = observation, ridge = c.value.ridge })
  end
  local opts = options.copy(c.value)
  opts.ridge, opts.observation = nil, observation
  opts.normalize_observations, opts.rng = normalize, trpo.rng(c.seed, streams.value)
  return try(trpo.value, opts)
end

local function make_policy(c, env, normalize)
  return try(trpo.policy, {
    observation = env.observation, action = env.action,
    hidden = c.policy.hidden, activation = c.policy.activation, precision = c.policy.precision,
    log_std = env.action.kind == "box" and c.policy.log_std or nil, normalize_observations = normalize,
    rng = trpo.rng(c.seed, streams.policy),
  })
end

-- the objects that learn, all fresh from the seed; nil and one sentence when one of them cannot be made
function methods:build()
  local c = self.config
  local env, message = self:make_env(c, c.lanes, streams.training)
  if not env then return nil, message end
  local normalize = self:normalizes()
  local policy, value
  policy, message = make_policy(c, env, normalize)
  if not policy then return nil, message end
  value, message = make_value(c, env.observation, normalize)
  if value == nil then return nil, message end
  self.env, self.policy, self.value = env, policy, value or nil
  return self
end

-- whether observations are normalised: by itself where they are a box without a scale that networks like, as classic
-- control and finite bounds have
function methods:normalizes()
  local wanted, box = self.config.normalize_observations, self.probe.observation
  if wanted ~= "auto" then return wanted end
  for _, entry in ipairs(trpo.environments()) do
    if entry.id == self.probe.id then return false end
  end
  return box.kind == "box" and not (box.low:min() > -math.huge and box.high:max() < math.huge)
end

--- The name of this run: `name`, or `<env>-<algorithm>-s<seed>`.
-- @treturn string
function methods:title()
  local c = self.config
  return folder.safe_name(c.name or ("%s-%s-s%.0f"):format(self.probe.id, self:algorithm_name(), c.seed))
end

--- The folder of this run, `<dir>/<name>`.
-- @treturn string|nil nil when `dir` is false
function methods:place()
  local dir = self.config.dir
  return self.folder or dir and dir .. "/" .. self:title() or nil
end

function methods:algorithm_name() return self.algorithm.name or "TRPO" end

--- Everything that determines this run, every default spelt out: what `config.json` holds.
-- @treturn table nested options, `env` with the environment's own time limit, and `system` (versions, BLAS,
--   instruction set)
function methods:describe()
  local out = options.copy(self.config)
  local c = self.config
  out.name = self:title()
  out.on_iteration, out.on_episode = nil, nil
  out.env.time_limit = self.probe.time_limit
  out.normalize_observations = self:normalizes()
  if c.whole_episodes then out.budget = c.budget or c.lanes * c.horizon end
  out.threads = c.threads or trpo.threads()
  out.algorithm.name = self:algorithm_name()
  out.system = trpo.info()
  -- these two are of the moment, not of the machine
  out.system.live_bytes, out.system.allocations = nil, nil
  return out
end

-- how much is collected for one update
function methods:sampling()
  local c = self.config
  if not c.whole_episodes then return { horizon = c.horizon } end
  return { whole_episodes = true, budget = c.budget or c.lanes * c.horizon }
end

--- Trains: from the beginning, whatever was trained before, or with `resume` from the newest checkpoint in the folder.
--
-- Writes the run's folder (`config.json`, `command.txt`, `progress.csv`, `progress.jsonl`, `monitor.csv`, TensorBoard's
-- events, `checkpoints`, `status.json`) unless `dir` is false. Afterwards `run.policy` and `run.value` are what was
-- learnt (a step that fails leaves them as they were), and `run.result` is what is returned. A run that goes on makes
-- the same numbers, to the bit, as one that never stopped; when nothing is left to do, its result is returned at once.
-- @tparam[opt] table callbacks take the place of the experiment's: `on_iteration` = function(record, run), called after
--   each iteration with its numbers by column name; it may add numbers of its own, but not change those under `time/`,
--   and returning "stop" ends training.
--   `on_episode` = function({ reward, length, index }, run), called for each episode of training that has ended, after
--   its iteration. What they have to remember belongs into `run.memory`, a table that is empty at the beginning and
--   that checkpoints keep (numbers, strings, booleans, tensors and tables of them). `max_seconds`: stop after the
--   iteration in which so much time has gone by, with a checkpoint; an evaluation that would only begin then is the
--   first thing when the run goes on
-- @treturn table|nil the last record (`eval/mean_reward` and so on) and `status` ("done", "stopped" by on_iteration,
--   "paused" by max_seconds, "interrupted"), `reason`, `dir`, `iterations`, `steps`, `seconds`, `best` { reward,
--   iteration, steps }, `unevaluated` (true: the evaluation of the last iteration waits until the run goes on), `idle`
--   (true: nothing was left to do)
-- @treturn string|nil what failed, with the user's traceback
-- @treturn string|nil code: "exists", "busy" (the run's process is alive), "no_file" (it is over and left no
--   checkpoint), "mismatch" (other options than the checkpoint's), "format" or "version" (checkpoints that cannot be
--   read), "io", "environment", "not_finite", "no_memory", "callback", "error"
-- @raise on unknown callbacks, on `max_seconds` where `dir` is false, and in a script that `trpo` or a sweep loads for
--   what it describes
function methods:train(callbacks)
  script.refuse "run:train"
  local checked, message = options.resolve("run:train", settings.callbacks, callbacks)
  if not checked then blame(message) end
  if checked.max_seconds and not self:place() then
    blame "run:train: max_seconds needs a folder for the checkpoint, and dir is false"
  end
  return training.run(self, checked, {})
end

--- Plays whole episodes with the present policy, on lanes and random numbers of their own: training is not
-- touched, and each call meets the same initial states. An environment whose episodes never end needs a
-- `time_limit` for that.
-- @tparam[opt] table opts `episodes` and `deterministic` (take the most probable action), defaults as in the
--   experiment's `evaluation`; `seed` (the run's); `interruptible` (false), see `trpo.play`
-- @treturn table|nil `mean_reward`, `std_reward`, `min_reward`, `max_reward` (undiscounted, unscaled sums of rewards),
--   `mean_ep_length` (steps), `episodes`, `steps`
-- @treturn string|nil what failed
-- @treturn string|nil code
-- @raise on wrong options
function methods:evaluate(opts)
  local c = self.config
  local o, message = options.resolve("run:evaluate", settings.evaluation(c.evaluation, c.seed), opts)
  if not o then blame(message) end
  if not self.policy then
    local built
    built, message = self:build()
    if not built then return nil, message, training.code_of(message) end
  end
  local env
  env, message = self:make_env({ env = c.env, seed = o.seed }, math.min(o.episodes, 100), streams.evaluation)
  if not env then return nil, message, "environment" end
  local rewards, lengths, code =
    trpo.play(env, self.policy, { episodes = o.episodes, deterministic = o.deterministic,
      interruptible = o.interruptible })
  if not rewards then return nil, lengths, code end
  local mean = rewards:mean()
  local deviation = rewards - mean
  return {
    mean_reward = mean, std_reward = math.sqrt((deviation * deviation):mean()),
    min_reward = rewards:min(), max_reward = rewards:max(), mean_ep_length = lengths:mean(),
    episodes = o.episodes, steps = lengths:sum(),
  }
end

--- Makes a script a command: trains when the script is run, does nothing when `trpo train` or a sweep loads it.
--
-- Under `luajit script.lua` the arguments are options as for `trpo train` (`luajit script.lua --help`); when training
-- fails or is interrupted, the process exits with code 1, 130 or 143, on wrong usage with 2, after `--max-seconds`
-- with 75.
-- @param ... the `...` of the script
-- @treturn Experiment self
-- @raise when the command line has words and `...` was left out
function methods:main(...)
  if script.is_loaded("run:main", ...) then return self end
  local code = require("trpo.cli").script(self, { ... })
  if code ~= 0 then os.exit(code, true) end
  return self
end

function methods:__tostring()
  local c = self.config
  return ("trpo.experiment %s (%s on %s, %.0f steps, %d lanes x %d, seed %.0f)")
    :format(self:title(), self:algorithm_name(), self.probe.id, c.steps, c.lanes, c.horizon, c.seed)
end

return experiment
