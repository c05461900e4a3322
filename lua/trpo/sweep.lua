--- Sweeps: the same experiment, or function, with many settings and seeds.
--
--     return trpo.sweep {
--       experiment = "examples/cartpole.lua",
--       method     = "grid",                                     -- grid, random, sobol or halving
--       parameters = { delta = { 0.001, 0.01, 0.1 }, gamma = { 0.9, 0.99, 0.999 } },
--       seeds      = 10,                                         -- 1 to 10 in every cell
--       metric     = { name = "eval/mean_reward", goal = "maximize" },
--     }:main(...)
--
-- A cell is one setting of the parameters; a trial is a cell with a seed. All cells have the same seeds, so that they
-- differ by their parameters only. What a sweep is stands in `<dir>/<name>/sweep.json`, what it found beside it;
-- running the same sweep again does what is not done yet.
-- @module trpo.sweep
local blame = require "trpo.blame"
local design = require "trpo.sweep.design"
local folder = require "trpo.folder"
local halving = require "trpo.sweep.halving"
local identity = require "trpo.sweep.identity"
local json = require "trpo.json"
local options = require "trpo.options"
local results = require "trpo.sweep.results"
local script = require "trpo.script"
local sources = require "trpo.sources"
local settings = require "trpo.sweep.settings"
local space = require "trpo.sweep.space"
local subject = require "trpo.sweep.subject"
local trpo = require "trpo"

local sweep = {}

-- Whether sweeps are described without their cells: in the process of a trial, which knows its own.
sweep.without_cells = false

--- A sweep.
-- @type Sweep
local methods = {}
methods.__index = methods

-- ---- the description --------------------------------------------------------------------------

local function ids_of(what, seeds)
  local out = json.list {}
  for i, seed in ipairs(seeds) do out[i] = identity.id(what, seed) end
  return out
end

-- cells with the ids of their trials; nil and one sentence when one cannot be, or two are the same
local function cells_of(about, list, seeds)
  local cells, owner = {}, {}
  for i, params in ipairs(list) do
    local what, values = about:cell(params)
    if not what then return nil, values end
    local ids = ids_of(what, seeds)
    local other = owner[ids[1]]
    if other then
      return nil, ("%s and %s are the same"):format(space.label(about.space, list[other]),
        space.label(about.space, params))
    end
    cells[i], owner[ids[1]] = { params = values, ids = ids }, i
  end
  return cells
end

-- the machine, as far as numbers may depend on it
local function system_of()
  local info = trpo.info()
  return { isa = info.isa, blas = info.blas, luajit = info.luajit, version = info.version }
end

-- the parameters as sweep.json has them
local function listed(space_)
  local out = json.list {}
  for i, p in ipairs(space_) do
    out[i] = { path = p.path, name = p.name, values = p.values, distribution = p.distribution, low = p.low,
      high = p.high }
  end
  return out
end

-- everything about a sweep, and the hashes of the files it depends on by their paths; nil and one sentence
local function describe(o, about)
  local list, message = {}, nil
  if not sweep.without_cells then
    list, message = design.cells(about.space, { sampler = o.sampler, samples = o.samples, seed = o.seed,
      seeds = #o.seeds })
  end
  if not list then return nil, message end
  local cells, files, watched
  cells, message = cells_of(about, list, o.seeds)
  if not cells then return nil, message end
  files, watched = about:files()
  if not files then return nil, watched end
  local modules, paths = sources.modules()
  for path, hash in pairs(paths) do watched[path] = hash end
  return {
    format = results.format, name = o.name, kind = about.kind, method = o.method,
    sampler = o.method == "halving" and o.sampler or nil, samples = o.samples,
    seed = o.seed, parameters = listed(about.space), seeds = o.seeds, metric = o.metric, cells = cells,
    halving = o.halving, config = about:config(), files = files, uses = about.uses, modules = modules,
    system = system_of(),
  }, watched
end

-- what follows from options: the fields of a sweep; nil and one sentence
local function prepare(given, home, texts)
  local o, message = settings.read(given)
  if not o then return nil, message end
  local about, description, watched
  about, message = subject.new(o, home, texts)
  if not about then return nil, message end
  description, watched = describe(o, about)
  if not description then return nil, watched end
  return { name = o.name, dir = o.dir, method = o.method, kind = about.kind, seeds = o.seeds, metric = o.metric,
    subject = about, description = description, watched = watched }
end

-- the script that calls us: { folder, with a slash at its end, file, name without ending }; empty when there is none
local function caller()
  local ours = debug.getinfo(1, "S").source:match "^@(.*)sweep%.lua$"
  for level = 2, math.huge do
    local info = debug.getinfo(level, "S")
    if not info then return {} end
    local path = info.source:match "^@(.*)$"
    -- a script that returns a sweep as it is has gone by the time the sweep is made
    if ours and path == ours .. "script.lua" then path = script.loading() end
    if path and not (ours and path:sub(1, #ours) == ours) then
      return { folder = path:match "^(.*/)[^/]*$" or "", file = path,
        name = (path:match "([^/]+)$":gsub("%.lua$", "")) }
    end
  end
end

local function adopt(self, fields)
  for key, value in pairs(fields) do self[key] = value end
  return self
end

--- Describes a sweep. Nothing is run, but the experiment's script is loaded, and every cell is tried on its rules.
--
-- - `experiment`: the file of a script that ends with `return run:main(...)`, looked for from the current folder and
--   then beside the sweep's script.
-- - `run`, in its place: a function(params, seed, dir) that returns a table of numbers by name, the metric among them;
--   `params` has the values by the names in `parameters` (with halving also `steps`), `dir` is a folder of the trial's
--   own.
-- - `parameters`: from names (of an experiment: dotted paths, or clear bare names) to a list of values, or, but for
--   grids, to a distribution: { uniform = { low, high } }, { log_uniform = { low, high } },
--   { integer = { low, high } }, { log_integer = { low, high } }, { choice = { values } }. A list of lists varies a
--   list, e.g. `["policy.hidden"] = { { 32 }, { 64, 64 } }`.
-- - `method`: "grid" (default; all combinations), "random", "sobol" (points that fill the space evenly) or "halving"
--   (successive halving: all cells for a few steps, the best of them for more, and so on).
-- - `samples`: how many cells are drawn, but for grids. More of them extend a sweep: the first ones stay.
-- - `seed`: of the cells of "random" (default 1); of "sobol", whose points are scrambled when there is one.
-- - `halving`: { `min`, `max` (steps of the first and the last rung), `factor` 3 (steps grow by it, and of n cells
--   max(1, floor(n / factor)) go on), `aggregate` "mean" or "iqm" of the metric over the seeds }.
-- - `sampler`: who draws the cells of "halving": "random" (default when there are `samples`), "sobol" or "grid".
-- - `seeds`: n for the seeds 1, 2, ..., n (default 1), or a list; the same in every cell.
-- - `metric`: a name, or { `name`, `goal` "maximize" (default) or "minimize" }; by default "eval/mean_reward" of an
--   experiment and "metric" of a function.
-- - `set`: a table from names to values that hold in all cells; groups may be tables, as in the experiment:
--   { steps = 20000, evaluation = { episodes = 10 } }.
-- - `slurm`: options for `sbatch` of `trpo sweep --slurm`, e.g. { time = "1:00:00", partition = "cpu", mem = "2G" }.
-- - `name` (default: that of the script), `dir` "sweeps": the folder is `<dir>/<name>`.
-- @function trpo.sweep
-- @tparam table opts as above
-- @treturn Sweep with the fields `name`, `dir`, `method`, `kind` ("experiment" or "run"), `seeds`, `metric`
-- @raise one sentence about the first mistake (an experiment's script that fails: with its traceback)
function sweep.new(opts)
  if type(opts) ~= "table" then
    blame(("trpo.sweep: options must be a table, got %s"):format(options.describe(opts)))
  end
  local home = caller()
  local given = {}
  for key, value in pairs(opts) do given[key] = value end
  if given.name == nil then given.name = folder.safe_name(home.name or "sweep") end
  local fields, message = prepare(given, home)
  if not fields then blame("trpo.sweep: " .. message) end
  return adopt(setmetatable({ given = given, home = home }, methods), fields)
end

-- whether something is a sweep
function sweep.is(value) return getmetatable(value) == methods end

-- Changes a sweep before it is run, as the command line does.
-- @tparam table flags `name`, `dir`, `set` (a list of "NAME=VALUE", after the script's own)
-- @treturn Sweep|nil self; nothing is changed on failure
-- @treturn string|nil one sentence
function methods:override(flags)
  local given = {}
  for key, value in pairs(self.given) do given[key] = value end
  for _, option in ipairs { "name", "dir" } do
    if flags[option] ~= nil then given[option] = flags[option] end
  end
  local fields, message = prepare(given, self.home, flags.set)
  if not fields then return nil, message end
  self.given = given
  return adopt(self, fields)
end

-- ---- the sweep's face --------------------------------------------------------------------------

--- The folder of this sweep.
-- @treturn string `<dir>/<name>`
function methods:place() return self.dir .. "/" .. self.name end

--- What this sweep is: `sweep.json`.
-- @treturn table { format, name, kind, method, sampler, samples, seed, parameters, seeds, metric, cells = { {params,
--   ids} }, halving, config (of all cells, unless they vary it), files and modules (their hashes), uses (of a function:
--   hashes of what it uses), system }
function methods:describe() return self.description end

-- as much of what `results.read` returns as trials are made of
local function view_of(dir, description)
  return { dir = dir, description = description, seeds = description.seeds, cells = description.cells,
    metric = description.metric }
end

--- The trials, without looking at what has been done. With halving: those of the first rung.
-- @treturn {table,...} list of { key, id, cell, rung, seed, params, steps, dir }, seed by seed
function methods:trials()
  local view = view_of(self:place(), self.description)
  return (halving.trials(view, function(cell, i, rung) return results.trial(view, cell, i, rung) end))
end

--- Makes the folder of this sweep, or finds that it is there. Several processes may do so at once.
--
-- A sweep may be extended: by values, seeds, samples or another metric, as long as every trial that is there stays one,
-- and while no process works on it. Everything else that changes its trials is refused.
-- @treturn boolean|nil true
-- @treturn table|string { state = "new", "same" or "extended", warnings = sentences: that the sweep was extended, that
--   another machine or version began it }; or a message that names what changed
-- @treturn string|nil code: "changed", "running", "exists" (it is the folder of a run), "io", "format", "version"
function methods:open() return identity.open(self:place(), self.description) end

--- What has been found so far, read from the folder.
-- @treturn table|nil see `trpo.sweep.results.read`
-- @treturn string|nil message
-- @treturn string|nil code
function methods:results() return results.read(self:place()) end

-- How a trial is told what to do. Can be written as JSON.
-- @tparam table trial
-- @treturn table of an experiment: { script = file, changes = list of { name, value } or { name, text } for its
--   `override`, seed }; of a function: { params (by the user's names, with halving also `steps`), seed }
function methods:settings(trial) return self.subject:settings(trial) end

--- Runs all trials that are not done yet, each in a process of its own, and waits for them. The process of a trial
-- loads the script once more, up to this line.
-- @tparam[opt] table opts `jobs` (processes at a time; default: the cores), `quiet` false, `retry_failed` false
-- @treturn table|nil what was found, see `trpo.sweep.results.read`; some trials may have failed
-- @treturn string|nil message
-- @treturn string|nil code: as `open`, "metric" (no trial reports it), "spawn" (no process can be started), "script" (a
--   function is not in a script), "interrupted"
-- @raise on wrong options
function methods:run(opts) return require("trpo.sweep.launch").all(self, opts) end

--- Makes a script a command: runs the sweep when the script is run, does nothing when `trpo sweep` loads it.
-- @param ... the `...` of the script
-- @treturn Sweep self
-- @raise when the command line has words and `...` was left out
function methods:main(...)
  if script.is_loaded("sweep:main", ...) then return self end
  local code = require("trpo.sweep.launch").script(self, { ... })
  if code ~= 0 then os.exit(code, true) end
  return self
end

function methods:__tostring()
  return ("trpo.sweep %s (%s, %d cells x %d seeds, %s %s)"):format(self.name, self.method, #self.description.cells,
    #self.seeds, self.metric.goal, self.metric.name)
end

return sweep
