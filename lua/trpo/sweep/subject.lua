--- What is swept: an experiment's script, or a function. Both say which parameters there are, and what a cell is.
-- @module trpo.sweep.subject
local code = require "trpo.sweep.code"
local identity = require "trpo.sweep.identity"
local json = require "trpo.json"
local logger = require "trpo.logger"
local options = require "trpo.options"
local parameters = require "trpo.parameters"
local script = require "trpo.script"
local sources = require "trpo.sources"
local space = require "trpo.sweep.space"
local spelling = require "trpo.spelling"

local subject = {}

-- ---- scripts -----------------------------------------------------------------------------------

local function is_file(path)
  local file = io.open(path, "r")
  if file then file:close() end
  return file ~= nil
end

-- the experiment's file: as it is given, or beside the sweep's script; nil and one sentence
local function find_script(given, home)
  if is_file(given) then return given end
  local beside = home and given:sub(1, 1) ~= "/" and home .. given
  if beside and is_file(beside) then return beside end
  return nil, ("experiment: there is no file '%s'"):format(given)
end

-- what a script describes; nil and a message, with the script's traceback when it failed
local function load_experiment(path)
  local run, message = script.load(path)
  if run == nil then return nil, ("experiment %s: %s"):format(path, message) end
  if type(run) ~= "table" or not run.override or not run.rules then
    return nil, ("experiment %s must return an experiment ('return run:main(...)'), it returned %s"):format(path,
      type(run) == "table" and run.trials and "a sweep" or options.describe(run))
  end
  return run
end

-- ---- values of all cells -----------------------------------------------------------------------

-- whether a value is a group of options, { name = value, ... }
local function is_group(value)
  if type(value) ~= "table" or value == json.null or next(value) == nil then return false end
  for key in pairs(value) do
    if type(key) ~= "string" then return false end
  end
  return true
end

-- adds a change, or those of a group by their dotted paths
local function add_change(out, name, value)
  if not is_group(value) then
    out[#out + 1] = { name = name, value = value }
    return
  end
  for key, entry in pairs(value) do add_change(out, name .. "." .. key, entry) end
end

-- the values that hold in all cells, as changes for an experiment; nil and one sentence
local function changes_of(set, texts)
  local out = {}
  for name, value in pairs(set or {}) do
    if type(name) ~= "string" then return nil, "set must be a table from names to values" end
    add_change(out, name, value)
  end
  table.sort(out, function(a, b) return a.name < b.name end)
  for _, text in ipairs(texts or {}) do
    local name, value = parameters.split(text)
    if not name then return nil, value end
    out[#out + 1] = { name = name, text = value }
  end
  return out
end

-- what is wrong with them, or nil
local function flaw_of_changes(changes, swept, rules, plan)
  local seen = {}
  for _, parameter in ipairs(swept) do seen[parameter.path] = true end
  for _, change in ipairs(changes) do
    local leaf, message = parameters.find(rules, change.name)
    if not leaf then return message end
    if seen[leaf.path] then return ("the sweep varies '%s' itself"):format(change.name) end
    local why = space.refusal(leaf.path) or plan and leaf.path == "steps" and "halving sets it itself"
    if why then return ("%s cannot be set: %s"):format(change.name, why) end
  end
end

-- a message of an experiment's without a place and the name of the constructor
local function bare(message) return (message:gsub("^[^\n]-:%d+: (trpo%.)", "%1"):gsub("^trpo%.[%w_.]+: ", "")) end

-- ---- an experiment -----------------------------------------------------------------------------

local experiment = { kind = "experiment" }
experiment.__index = experiment

-- why no run reports a metric, or nil
local function flaw_of_metric(metric, run)
  if logger.reports(metric.name) then
    return metric.name:find "^eval/" and run.config.evaluation.episodes == 0
      and ("metric '%s' needs evaluation.episodes > 0"):format(metric.name) or nil
  end
  -- callbacks may report what they like
  if run.config.on_iteration then return nil end
  return ("metric: no run reports '%s'%s"):format(metric.name, spelling.hint(metric.name, logger.columns))
end

-- the same experiment once more, to be changed alone
local function twin(run)
  local out = setmetatable({}, getmetatable(run))
  for key, value in pairs(run) do out[key] = value end
  return out
end

local function new_experiment(o, home, texts)
  local self = setmetatable({ given = o.experiment, plan = o.halving }, experiment)
  local ok, message
  self.script, message = find_script(o.experiment, home)
  if not self.script then return nil, message end
  self.run, message = load_experiment(self.script)
  if not self.run then return nil, message end
  self.space, message = space.read(o.parameters, self.run:rules())
  if not self.space then return nil, message end
  self.changes, message = changes_of(o.set, texts)
  if not self.changes then return nil, message end
  message = flaw_of_changes(self.changes, self.space, self.run:rules(), self.plan)
  if message then return nil, "set: " .. message end
  self.base = twin(self.run)
  if #self.changes > 0 then
    ok, message = self.run:override(self.changes)
    if not ok then return nil, "set: " .. bare(message) end
  end
  message = flaw_of_metric(o.metric, self.run)
  if message then return nil, message end
  return self
end

-- what holds in all cells, and the parameters of one, as changes
local function changes_to(self, params)
  local out = {}
  for i, change in ipairs(self.changes) do out[i] = change end
  for _, parameter in ipairs(self.space) do
    out[#out + 1] = { name = parameter.path, value = params[parameter.path] }
  end
  return out
end

-- Tries a cell on the experiment's rules: what determines its trials, but for the seed, and its values as the
-- experiment takes them; nil and one sentence.
function experiment:cell(params)
  local run, changes = twin(self.base), changes_to(self, params)
  if self.plan then changes[#changes + 1] = { name = "steps", value = self.plan.max } end
  local ok, message = run:override(changes)
  if not ok then return nil, ("%s: %s"):format(space.label(self.space, params), bare(message)) end
  local values = {}
  for _, parameter in ipairs(self.space) do values[parameter.path] = parameters.read(run.config, parameter.path) end
  return { kind = "experiment", config = identity.config(run:describe()) }, values
end

-- the configuration of all cells, where they do not vary it
function experiment:config()
  local config = identity.config(self.run:describe())
  -- halving decides about steps
  if self.plan then config.steps = nil end
  return config
end

-- hashes of the files that the user named, by their names; second those of their paths
function experiment:files()
  local hash, message = sources.hash(self.script)
  if not hash then return nil, message end
  return { [self.given] = hash }, { [self.script] = hash }
end

function experiment:settings(trial)
  local changes = changes_to(self, trial.params)
  changes[#changes + 1] = { name = "seed", value = trial.seed }
  if trial.steps then changes[#changes + 1] = { name = "steps", value = trial.steps } end
  return { script = self.script, changes = changes, seed = trial.seed }
end

-- ---- a function --------------------------------------------------------------------------------

local task = { kind = "run" }
task.__index = task

local function new_task(o, file)
  local list, message = space.read(o.parameters, nil)
  if not list then return nil, message end
  local self = setmetatable({ call = o.run, plan = o.halving, space = list, file = file }, task)
  self.code, self.uses = self:hash()
  return self
end

--- The hash of the function, which may have been given other values meanwhile; and of what it uses.
function task:hash() return code.hash(self.call, self.file) end

function task:cell(params) return { kind = "run", params = params, code = self.code }, params end

function task.config() return nil end

function task:files() return { run = self.code }, {} end

function task.settings(_, trial)
  local params = { steps = trial.steps }
  for path, value in pairs(trial.params) do params[path] = value end
  return { params = params, seed = trial.seed }
end

-- ---- both --------------------------------------------------------------------------------------

--- What the options of a sweep say is swept.
-- @tparam table o of `trpo.sweep.settings.read`
-- @tparam table home { folder = of the sweep's script, with a slash at its end, file = its path }; empty without one
-- @tparam {string,...}|nil texts "NAME=VALUE" from the command line, for all cells
-- @treturn table|nil { kind, space, uses (of a function: see `trpo.sweep.code`) } with the methods cell(params),
--   config(), files(), settings(trial)
-- @treturn string|nil message
function subject.new(o, home, texts)
  if o.run and texts and #texts > 0 then
    return nil, "--set is for sweeps of an experiment, this one is of a function"
  end
  local made, message
  if o.run then
    made, message = new_task(o, home.file)
  else
    made, message = new_experiment(o, home.folder, texts)
  end
  if not made then return nil, message end
  for _, parameter in ipairs(o.halving and made.space or {}) do
    if parameter.path == "steps" then
      return nil, "parameters.steps cannot be swept by halving, which sets it itself"
    end
  end
  return made
end

return subject
