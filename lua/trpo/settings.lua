--- The options of an experiment: names, defaults and what each may be.
-- @module trpo.settings
local core = require "trpo.core"
local options = require "trpo.options"

local settings = {}

local activation = { "tanh", "relu", "identity" }
local precision = { "single", "double" }
local optimizers = { "gauss_newton", "lbfgs", "last_layer", "adam" }
local layers = options.integer { min = 1, max = 65536 }

-- names that stand one level deeper, and what is meant by those that other libraries use for something else
local synonyms = {
  iterations = "steps", n_iterations = "steps", n_iter = "steps", epochs = "steps",
  env_id = "env", time_limit = "env.time_limit", learning_rate = "value.learning_rate", minibatch = "value.minibatch",
  n_critic_updates = "value.epochs", n_epochs = "value.epochs", vf_lr = "value.learning_rate",
  hidden = "policy.hidden", activation = "policy.activation", precision = "policy.precision",
  log_std = "policy.log_std",
  delta = "algorithm.delta", gamma = "algorithm.gamma", lambda = "algorithm.lambda", damping = "algorithm.damping",
  cg_iters = "algorithm.cg_iters", cg_tolerance = "algorithm.cg_tolerance", backtracks = "algorithm.backtracks",
  backtrack_ratio = "algorithm.backtrack_ratio",
  fisher_fraction = "algorithm.fisher_fraction", fisher_form = "algorithm.fisher_form",
  step_scale = "algorithm.step_scale", preconditioner = "algorithm.preconditioner",
  standardize_advantages = "algorithm.standardize_advantages",
  episodes = "evaluation.episodes", eval_freq = "evaluation.every", deterministic = "evaluation.deterministic",
  save_freq = "checkpoint.every", checkpoint_freq = "checkpoint.every",
}

-- aliases of all options, where they stand here
local own = { steps = true, lanes = true, horizon = true, threads = true, normalize_observations = true }
for alias, name in pairs(core.aliases()) do
  synonyms[alias] = synonyms[alias] or synonyms[name] or own[name] and name or nil
end

local env_group = options.group {
  shorthand = "id",
  fields = {
    { "id", options.string {} },
    { "time_limit", options.integer { optional = true, min = 0, max = 2 ^ 31 - 1 } },
  },
}

local policy_group = options.group {
  fields = {
    { "hidden", options.list { default = { 64, 64 }, of = layers, max = 15 } },
    { "activation", options.choice { default = "tanh", of = activation } },
    { "precision", options.choice { default = "single", of = precision } },
    { "log_std", options.number { default = 0, min = -20, max = 20 } },
  },
}

local value_group = options.group {
  shorthand = "kind",
  aliases = { [false] = "none" },
  synonyms = { n_critic_updates = "epochs", damping = "lm_damping" },
  fields = {
    { "kind", options.choice { default = "network", of = { "network", "linear", "none" } } },
    { "hidden", options.list { default = { 64, 64 }, of = layers, max = 15 } },
    { "activation", options.choice { default = "tanh", of = activation } },
    { "precision", options.choice { default = "single", of = precision } },
    { "rescale_targets", options.boolean { default = true } },
    { "optimizer", options.choice { default = "gauss_newton", of = optimizers } },
    -- those of an optimizer have no value unless given; trpo.value knows their defaults
    { "learning_rate", options.number { optional = true, min = 1e-12, max = 1000 } },
    { "epochs", options.integer { optional = true, min = 1, max = 1e6 } },
    { "minibatch", options.integer { optional = true, min = 1, max = 2 ^ 30 } },
    { "iterations", options.integer { optional = true, min = 1, max = 1e6 } },
    { "cg_products", options.integer { optional = true, min = 1, max = 1e6 } },
    { "curvature_rows", options.integer { optional = true, min = 1, max = 2 ^ 30 } },
    { "lm_damping", options.number { optional = true, min = 1e-12, max = 1e6 } },
    { "solve_last_layer", options.boolean { optional = true } },
    { "ridge", options.number { default = 1e-5, above = 0 } },
  },
}

-- the options of the critic that belong to certain optimizers, with these
local optimizer_of = {
  learning_rate = "'adam'", epochs = "'adam'", minibatch = "'adam'", iterations = "'gauss_newton' or 'lbfgs'",
  cg_products = "'gauss_newton'", curvature_rows = "'gauss_newton'", lm_damping = "'gauss_newton' or 'last_layer'",
  solve_last_layer = "'gauss_newton'",
}

-- the kind of critic whose an option is, or nil
local function kind_of(name)
  if name == "kind" then return nil end
  return name == "ridge" and "'linear'" or "'network'"
end

--- Whose an option of the critic is, when it is another one's.
-- @tparam string name of the option
-- @tparam table value the critic's options, of which `kind` and `optimizer` count
-- @treturn string|nil "kind" or "optimizer"; nil when the critic has this option
-- @treturn string its owners, in quotes
function settings.stranger(name, value)
  local kind, optimizer = kind_of(name), optimizer_of[name]
  if kind and kind ~= "'" .. tostring(value.kind) .. "'" then return "kind", kind end
  local now = "'" .. tostring(value.optimizer) .. "'"
  if optimizer and not optimizer:find(now, 1, true) then return "optimizer", optimizer end
end

--- The names of the critic's options, in order.
settings.critic = value_group.names

local evaluation_group = options.group {
  fields = {
    { "episodes", options.integer { default = 100, min = 0, max = 1e6 } },
    { "every", options.integer { default = 0, min = 0 } },
    { "deterministic", options.boolean { default = true } },
    { "save_best", options.boolean { default = true } },
    { "reward_threshold", options.number { optional = true } },
  },
}

local checkpoint_group = options.group {
  synonyms = { save_freq = "every", frequency = "every", interval = "seconds" },
  fields = {
    { "every", options.integer { default = 0, min = 0 } },
    { "seconds", options.number { default = 60, min = 0 } },
    { "keep", options.integer { default = 3, min = 1 } },
  },
}

local a_function = options.any {
  expected = "a function", optional = true,
  accept = function(value) return type(value) == "function" end,
}

local any_algorithm = options.any {
  expected = "an algorithm such as trpo.TRPO { delta = 0.01 }",
  accept = function(value) return type(value) == "table" or type(value) == "userdata" end,
}

-- all options around those of an algorithm
local function around(algorithm)
  return options.group {
    synonyms = synonyms,
    fields = {
      { "env", env_group },
      { "policy", policy_group },
      { "value", value_group },
      { "algorithm", algorithm },
      { "steps", options.integer { default = 100000, min = 1, max = 2 ^ 53 - 1 } },
      { "lanes", options.integer { default = 8, min = 1, max = 2 ^ 20 } },
      { "horizon", options.integer { default = 256, min = 1, max = 2 ^ 31 - 1 } },
      { "whole_episodes", options.boolean { default = false } },
      { "budget", options.integer { optional = true, min = 1, max = 2 ^ 31 - 1 } },
      { "seed", options.seed { default = 1 } },
      { "normalize_observations",
        options.choice { default = "auto", of = { true, false, "auto" } } },
      { "threads", options.integer { optional = true, min = 1, max = 64 } },
      { "evaluation", evaluation_group },
      { "checkpoint", checkpoint_group },
      { "resume", options.boolean { default = false } },
      { "on_iteration", a_function },
      { "on_episode", a_function },
      { "name", options.folder_name() },
      { "dir", options.string { default = "runs", or_false = true } },
      { "overwrite", options.boolean { default = false } },
    },
  }
end

--- The options a script may give.
settings.schema = around(any_algorithm)

--- TRPO_* variables that are not parameters: of the module, and of its build and specs.
settings.other_variables = {
  TRPO_ISA = true, TRPO_BUILD = true, TRPO_JIT = true, TRPO_LUAJIT = true, TRPO_PRELOAD = true, TRPO_PYTHON = true,
  TRPO_UNDER = true, TRPO_CASES_SEED = true, TRPO_CASES_SHARE = true,
}

--- What `run:train` may be given.
settings.callbacks = options.group {
  fields = {
    { "on_iteration", a_function },
    { "on_episode", a_function },
    { "max_seconds", options.number { optional = true, above = 0 } },
  },
}

--- What `run:evaluate` may be given.
-- @tparam table defaults `episodes`, `deterministic`
-- @tparam number seed the run's
-- @treturn table group of rules
function settings.evaluation(defaults, seed)
  return options.group {
    fields = {
      { "episodes", options.integer { default = math.max(1, defaults.episodes), min = 1, max = 1e6 } },
      { "deterministic", options.boolean { default = defaults.deterministic } },
      { "seed", options.seed { default = seed } },
      { "interruptible", options.boolean { default = false } },
    },
  }
end

--- The parameters of an algorithm.
-- @tparam table algorithm e.g. trpo.TRPO {…}
-- @treturn table its numbers, strings and booleans by name
function settings.plain(algorithm)
  local out = {}
  for key, value in pairs(algorithm) do
    if type(value) == "number" or type(value) == "string" or type(value) == "boolean" then
      out[key] = value
    end
  end
  return out
end

--- The options with the parameters of a certain algorithm; their owner checks the ranges.
-- @tparam table algorithm e.g. trpo.TRPO {…}
-- @treturn table group of rules, see `trpo.options`
function settings.with(algorithm)
  local fields = {}
  for key, value in pairs(settings.plain(algorithm)) do
    fields[#fields + 1] = { key, options.like(value) }
  end
  table.sort(fields, function(a, b) return a[1] < b[1] end)
  local inner = {}
  for name, path in pairs(synonyms) do inner[name] = path:match("^algorithm%.(.+)") end
  return around(options.group { fields = fields, synonyms = inner })
end

--- Whether an `env` option names an environment: a string or a table { id, time_limit }. Other tables describe one.
-- @param env what was given
-- @treturn boolean
function settings.is_reference(env)
  if type(env) ~= "table" then return type(env) == "string" or env == nil end
  for key in pairs(env) do
    if not env_group.rules[key] then return false end
  end
  return true
end

return settings
