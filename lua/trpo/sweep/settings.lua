--- The options of a sweep: names, defaults and what each may be.
-- @module trpo.sweep.settings
local design = require "trpo.sweep.design"
local halving = require "trpo.sweep.halving"
local options = require "trpo.options"
local slurm = require "trpo.sweep.slurm"

local settings = {}

local function of_type(expected, kind)
  return options.any { optional = true, expected = expected,
    accept = function(value) return type(value) == kind end }
end

-- what is looked at more closely later
local function anything() return options.any { optional = true, accept = function() return true end } end

--- The options that `trpo.sweep` takes.
settings.schema = options.group {
  -- what other libraries call them
  synonyms = { params = "parameters", space = "parameters", config = "parameters", file = "experiment",
    script = "experiment", trials = "samples", n_trials = "samples", num_samples = "samples", objective = "metric",
    trainable = "run", scheduler = "method" },
  fields = {
    { "experiment", options.string { optional = true,
      expected = "the file of a script that describes an experiment" } },
    { "run", of_type("a function(params, seed, dir) that returns a table of numbers", "function") },
    { "method", options.choice { default = "grid", of = { "grid", "random", "sobol", "halving" } } },
    { "parameters", anything() },
    { "seeds", anything() },
    { "metric", anything() },
    { "name", options.folder_name() },
    { "dir", options.string { default = "sweeps" } },
    { "samples", options.integer { optional = true, min = 1, max = design.limit } },
    { "sampler", options.choice { optional = true, of = { "random", "sobol", "grid" } } },
    { "halving", of_type("a table { min, max, factor }", "table") },
    { "seed", options.seed { optional = true } },
    { "set", of_type("a table from names to values", "table") },
    { "slurm", of_type("a table of options for sbatch, e.g. { time = \"1:00:00\" }", "table") },
  },
}

local steps = options.integer { min = 1, max = 2 ^ 53 - 1 }

local halving_group = options.group {
  synonyms = { eta = "factor", reduction_factor = "factor", min_steps = "min", max_steps = "max" },
  fields = {
    { "min", steps },
    { "max", steps },
    { "factor", options.number { default = 3, min = 2, max = 1e6 } },
    { "aggregate", options.choice { default = "mean", of = { "mean", "iqm" } } },
  },
}

local metric_group = options.group {
  shorthand = "name",
  fields = {
    { "name", options.string { expected = "the name of a number, e.g. \"eval/mean_reward\"" } },
    { "goal", options.choice { default = "maximize", of = { "maximize", "minimize" } } },
  },
}

-- one option by the rules of a group; nil and one sentence without the constructor's name
local function nested(name, group, given)
  local read, message = options.resolve("", options.group { fields = { { name, group } } }, { [name] = given })
  if read then return read[name] end
  return nil, (message:gsub("^: ", ""))
end

local function is_seed(x) return type(x) == "number" and x >= 0 and x < 2 ^ 53 and x == math.floor(x) end

local function first_seeds(n)
  if not (n >= 1 and n <= design.limit and n == math.floor(n)) then
    return nil, ("seeds must be a number of seeds in [1, %d] or a list of seeds, got %s"):format(design.limit,
      options.describe(n))
  end
  local out = {}
  for i = 1, n do out[i] = i end
  return out
end

-- n for 1, ..., n, or a list; nil and one sentence
local function read_seeds(given)
  if type(given) == "number" then return first_seeds(given) end
  if type(given) ~= "table" or next(given) == nil then
    return nil, ("seeds must be a number of seeds or a list of seeds, got %s"):format(
      type(given) == "table" and "an empty one" or options.describe(given))
  end
  local seen, out, count = {}, {}, 0
  for _, seed in pairs(given) do
    if not is_seed(seed) then
      return nil, ("seeds must be integers in [0, 2^53), got %s"):format(options.describe(seed))
    end
    if seen[seed] then return nil, ("seeds has %.0f twice"):format(seed) end
    seen[seed], count = true, count + 1
  end
  if count ~= #given then return nil, "seeds must be a list, without holes or names" end
  for i, seed in ipairs(given) do out[i] = seed end
  return out
end

-- { name, goal }; nil and one sentence
local function read_metric(given)
  if type(given) ~= "string" and type(given) ~= "table" then
    return nil, ("metric must be a name or { name, goal }, got %s"):format(options.describe(given))
  end
  return nested("metric", metric_group, given)
end

-- { min, max, factor, aggregate, rungs }; nil and one sentence
local function read_halving(given)
  local plan, message = nested("halving", halving_group, given)
  if not plan then return nil, message end
  if plan.min > plan.max then
    return nil, ("halving.min = %.0f is more than halving.max = %.0f"):format(plan.min, plan.max)
  end
  plan.rungs = halving.rungs(plan.min, plan.max, plan.factor)
  return plan
end

-- who draws the cells
local function sampler_of(o)
  if o.method ~= "halving" then return o.method end
  return o.sampler or (o.samples and "random" or "grid")
end

-- what is wrong with options that are right one by one, or nil
local function conflict(o)
  if o.experiment and o.run then return "give experiment or run, not both" end
  if not o.experiment and not o.run then
    return "experiment (a file) or run (a function) must be given, e.g. experiment = \"examples/cartpole.lua\""
  elseif o.parameters == nil then
    return "parameters must be given, e.g. { delta = { 0.001, 0.01 } }"
  elseif o.halving and o.method ~= "halving" then
    return ("halving is for the method halving, this is %s"):format(o.method)
  elseif o.method == "halving" and not o.halving then
    return "the method halving needs halving = { min = steps, max = steps, factor = 3 }"
  elseif o.sampler and o.method ~= "halving" then
    return "sampler is for the method halving"
  elseif o.seed and sampler_of(o) == "grid" then
    return "seed is for cells that are drawn; a grid has none such, and seeds are those of the trials"
  elseif o.set and o.run then
    return "set is for experiments; a function has its own values"
  end
  return o.slurm and slurm.complaint(o.slurm)
end

--- Checks the options of a sweep and fills in what is missing.
-- @param given the user's table; stays as it is
-- @treturn table|nil every option; `seeds` a list, `metric` { name, goal }, `halving` with its `rungs`, `sampler` who
--   draws the cells; `parameters` as they are
-- @treturn string|nil one sentence about the first mistake
function settings.read(given)
  local o, message = options.resolve("trpo.sweep", settings.schema, given)
  if not o then return nil, (message:gsub("^trpo%.sweep: ", "")) end
  message = conflict(o)
  if message then return nil, message end
  o.seeds, message = read_seeds(o.seeds == nil and 1 or o.seeds)
  if not o.seeds then return nil, message end
  if o.metric == nil then o.metric = o.run and "metric" or "eval/mean_reward" end
  o.metric, message = read_metric(o.metric)
  if not o.metric then return nil, message end
  if o.halving then
    o.halving, message = read_halving(o.halving)
    if not o.halving then return nil, message end
  end
  o.sampler = sampler_of(o)
  if o.sampler == "random" then o.seed = o.seed or 1 end
  return o
end

return settings
