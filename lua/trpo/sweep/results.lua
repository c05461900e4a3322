--- What a sweep's folder holds: its description, and how each trial stands.
--
--     sweep.json                 what is swept, all cells, and the ids of all trials
--     trials/<id>/result.json    a trial that is finished; its run's files stand beside it
--     claims/<key>.<attempt>     who is at work on a trial, or was
--
-- Nothing in there is trusted, and nothing of it is run. What is half-written or broken counts as not there, with a
-- warning.
--
--     local results = require "trpo.sweep.results"
--     local sweep = assert(results.read "sweeps/delta_gamma")
--     for _, trial in ipairs(sweep.trials) do print(trial.params["algorithm.delta"], trial.seed, trial.metric) end
-- @module trpo.sweep.results
local claims = require "trpo.sweep.claims"
local core = require "trpo.core"
local disk = require "trpo.disk"
local halving = require "trpo.sweep.halving"
local json = require "trpo.json"
local space = require "trpo.sweep.space"

local results = {}

-- The version of `sweep.json` that is written and read here.
results.format = 1

-- ---- labels ------------------------------------------------------------------------------------

-- numbers, then everything else as text
local function before(a, b)
  if type(a) == "number" and type(b) == "number" then return a < b end
  if type(a) == "number" or type(b) == "number" then return type(a) == "number" end
  return space.text(a) < space.text(b)
end

-- the different values of a parameter: as listed, others in order of size
local function values_of(parameter, cells)
  local out, seen = {}, {}
  for _, value in ipairs(parameter.values or {}) do seen[space.text(value)] = true end
  for _, cell in ipairs(cells) do
    local value = cell.params[parameter.path]
    if not seen[space.text(value)] then
      seen[space.text(value)] = true
      out[#out + 1] = value
    end
  end
  table.sort(out, before)
  for i, value in ipairs(parameter.values or {}) do table.insert(out, i, value) end
  return out
end

-- parameters with their values, and labels such as "delta=0.01 gamma=0.99" for the cells
local function name_cells(sweep)
  local digits = {}
  for i, parameter in ipairs(sweep.description.parameters) do
    local values = values_of(parameter, sweep.cells)
    -- listed values are told exactly
    digits[i] = not parameter.values and space.digits(values) or nil
    sweep.parameters[i] = { path = parameter.path, name = parameter.name, values = values,
      logarithmic = space.is_logarithmic(parameter, values) }
  end
  for _, cell in ipairs(sweep.cells) do
    local words = {}
    for i, parameter in ipairs(sweep.parameters) do
      words[i] = parameter.name .. "=" .. space.brief(cell.params[parameter.path], digits[i])
    end
    cell.label = table.concat(words, " ")
  end
end

-- ---- the description ---------------------------------------------------------------------------

local function is_count(x) return type(x) == "number" and x >= 0 and x == math.floor(x) and x < 2 ^ 53 end

local function is_id(x) return type(x) == "string" and x:find("^%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x$") ~= nil end

-- whether a table is a list of n (any number when nil) values that a function accepts
local function is_list(t, accept, n)
  if type(t) ~= "table" or n and #t ~= n then return false end
  local count = 0
  for _ in pairs(t) do count = count + 1 end
  if count ~= #t then return false end
  for _, value in ipairs(t) do
    if not accept(value) then return false end
  end
  return true
end

local function is_parameter(p)
  return type(p) == "table" and type(p.path) == "string" and type(p.name) == "string"
    and (p.values == nil or is_list(p.values, function() return true end))
    and (p.distribution == nil or type(p.distribution) == "string")
end

-- whether a cell has a value for every parameter and an id for every seed
local function is_cell(cell, d)
  if type(cell) ~= "table" or type(cell.params) ~= "table" then return false end
  if not is_list(cell.ids, is_id, #d.seeds) then return false end
  for _, parameter in ipairs(d.parameters) do
    local value = cell.params[parameter.path]
    if value == nil or value == json.null then return false end
  end
  return true
end

local function is_plan(plan)
  return plan == nil or type(plan) == "table" and is_list(plan.rungs, is_count) and #plan.rungs > 0
    and type(plan.factor) == "number" and plan.factor > 1
end

-- whether a table, if there is one, has names only
local function is_object(t)
  if t == nil then return true end
  if type(t) ~= "table" then return false end
  for name in pairs(t) do
    if type(name) ~= "string" then return false end
  end
  return true
end

-- what a description lacks, or nil
local function flaw(d)
  if type(d) ~= "table" then return "it is not an object" end
  if type(d.name) ~= "string" then return "it has no name" end
  if d.kind ~= "experiment" and d.kind ~= "run" then return "its kind is neither 'experiment' nor 'run'" end
  if not is_list(d.parameters, is_parameter) then return "its parameters are not a list of { path, name }" end
  if not is_list(d.seeds, is_count) or #d.seeds == 0 then return "its seeds are not a list of integers" end
  if type(d.metric) ~= "table" or type(d.metric.name) ~= "string"
    or d.metric.goal ~= "maximize" and d.metric.goal ~= "minimize" then
    return "its metric is not { name, goal }"
  end
  if not is_list(d.cells, function(cell) return is_cell(cell, d) end) then
    return "its cells are not a list of { params, ids }"
  end
  if not is_plan(d.halving) then return "its halving is not { rungs, factor }" end
  for _, name in ipairs { "files", "uses", "modules", "config", "system" } do
    if not is_object(d[name]) then return ("its %s is not an object"):format(name) end
  end
end

-- Reads the description of a sweep.
-- @tparam string dir the sweep's folder
-- @treturn table|nil
-- @treturn string message, or the text of the file
-- @treturn string|nil code: "no_file", "io", "format", "version"
function results.description(dir)
  local path = dir .. "/sweep.json"
  local text, message, code = core.file.read(path)
  if not text and code == "no_file" then return nil, ("there is no sweep in %s (no sweep.json)"):format(dir), code end
  if not text then return nil, message, code end
  local description, why = json.decode(text)
  if description == nil then return nil, ("%s is %s"):format(path, why), "format" end
  if type(description) == "table" and is_count(description.format) and description.format > results.format then
    return nil, ("%s has format %.0f, which a newer trpo wrote; this one reads %.0f"):format(path, description.format,
      results.format), "version"
  end
  why = flaw(description)
  if why then return nil, ("%s does not describe a sweep: %s"):format(path, why), "format" end
  return description, text
end

-- ---- results of trials -------------------------------------------------------------------------

local special = { nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

-- numbers by name; nil when there is anything else
local function metrics_of(given)
  local out = {}
  for name, value in pairs(given) do
    if value ~= json.null then
      value = type(value) == "number" and value or special[value]
      if type(name) ~= "string" or not value then return nil end
      out[name] = value
    end
  end
  return out
end

local function text_or_nil(value) return type(value) == "string" and value or nil end

local function number_or_nil(value) return type(value) == "number" and value or nil end

-- the texts of a table by name; nil when there is none
local function texts_of(given)
  if type(given) ~= "table" then return nil end
  local out = {}
  for name, value in pairs(given) do out[name] = text_or_nil(value) end
  return out
end

-- what is wrong with the text of a result, or nil and the result
local function check_result(text)
  local result, why = json.decode(text)
  if result == nil then return why end
  if type(result) ~= "table" then return "not an object" end
  if result.status ~= "done" and result.status ~= "failed" then return "its status is neither 'done' nor 'failed'" end
  if result.metrics == nil or result.metrics == json.null then result.metrics = {} end
  local metrics = type(result.metrics) == "table" and metrics_of(result.metrics)
  if not metrics then return "its metrics are not numbers" end
  local out = {
    status = result.status, metrics = metrics, seconds = number_or_nil(result.seconds),
    host = text_or_nil(result.host), attempt = number_or_nil(result.attempt), message = text_or_nil(result.message),
    code = text_or_nil(result.code), system = texts_of(result.system),
  }
  if result.exact_resume == false then out.exact_resume = false end
  return nil, out
end

-- The result of a trial, as it stands in its file.
-- @tparam table description of the sweep
-- @tparam table trial `dir`, `rung`
-- @treturn table|nil `status`, `metrics`, `seconds`, `host`, `attempt`, `message`, `code`, `system`, `exact_resume`
--   (false: it was resumed, and not with the same numbers); nil when there is none
-- @treturn string|nil a warning about a broken file
function results.outcome(description, trial)
  local path = trial.dir .. "/" .. results.file(description, trial.rung)
  local text, message, code = core.file.read(path)
  if not text then return nil, code ~= "no_file" and message or nil end
  local why, result = check_result(text)
  if not why then return result end
  return nil, ("%s is broken (%s): the trial counts as not finished"):format(path, why)
end

-- the claims of a folder; nil when there are none
local function claims_of(dir)
  return disk.exists(dir .. "/claims") and claims.open(dir) or nil
end

-- how a trial stands that has no result
local function claimed(held, key)
  local attempt = held and held:attempts(key) or 0
  if attempt == 0 then return { status = "waiting", metrics = {} } end
  local owner = held:owner(key)
  return { status = owner and "running" or "waiting", metrics = {}, attempt = attempt,
    host = owner and text_or_nil(owner.host) }
end

-- The key of a trial: of its claims, and how it is called by hand.
-- @tparam table description
-- @tparam string id
-- @tparam number rung
-- @treturn string the id; with halving also the rung
function results.key(description, id, rung) return description.halving and ("%s-r%d"):format(id, rung) or id end

-- The name of a trial's result file.
-- @tparam table description
-- @tparam number rung
-- @treturn string
function results.file(description, rung)
  return description.halving and ("result-r%d.json"):format(rung) or "result.json"
end

-- What a trial is, before anything is known of it.
-- @tparam table sweep `dir`, `description`, `seeds`, `cells`
-- @tparam number cell
-- @tparam number i index of its seed
-- @tparam number rung
-- @treturn table { id, key, cell, rung, seed, params, steps (with halving: at the end of the rung), dir }
function results.trial(sweep, cell, i, rung)
  local d = sweep.description
  local id = sweep.cells[cell].ids[i]
  return {
    id = id, key = results.key(d, id, rung), cell = cell, rung = rung, seed = sweep.seeds[i],
    params = sweep.cells[cell].params, steps = d.halving and d.halving.rungs[rung] or nil, metrics = {},
    status = "waiting", dir = sweep.dir and ("%s/trials/%s"):format(sweep.dir, id) or nil,
  }
end

-- a function that reads the state of a trial
local function reader(sweep)
  local held = claims_of(sweep.dir)
  return function(cell, i, rung)
    local trial = results.trial(sweep, cell, i, rung)
    local result, warning = results.outcome(sweep.description, trial)
    sweep.warnings[#sweep.warnings + 1] = warning
    for key, value in pairs(result or claimed(held, trial.key)) do trial[key] = value end
    trial.metric = trial.metrics[sweep.metric.name]
    sweep.by_key[trial.key] = trial
    return trial
  end
end

-- cells without their trials
local function cells_of(description)
  local out = {}
  for i, cell in ipairs(description.cells) do out[i] = { index = i, params = cell.params, ids = cell.ids } end
  return out
end

-- A sweep as its description says it, before any trial is looked at.
-- @tparam string|nil dir
-- @tparam table description
-- @treturn table as `read`, without trials
function results.empty(dir, description)
  local sweep = {
    dir = dir, name = description.name, description = description, parameters = {}, seeds = description.seeds,
    metric = description.metric, cells = cells_of(description), trials = {}, ahead = {}, by_key = {}, warnings = {},
  }
  name_cells(sweep)
  return sweep
end

--- Reads a sweep's folder.
-- @tparam string dir
-- @treturn table|nil { dir, name, description, parameters = { {path, name, values, logarithmic} }, seeds,
--   metric = {name, goal}, cells = { {index, params, ids, label, trials} },
--   trials = { {id, key, cell, rung, steps, seed, params, status
--   ("done", "failed", "running", "waiting"), metrics, metric, seconds, host, attempt, message, code, system,
--   exact_resume, dir} }, ahead (with halving: how many trials there will be, by the rungs that are not decided yet),
--   by_key (trials by key), warnings = list of sentences about broken files }. With halving the
--   trials of a cell are those of the highest rung in which one of them is finished.
-- @treturn string|nil message
-- @treturn string|nil code: "no_file", "io", "format", "version"
function results.read(dir)
  local description, text, code = results.description(dir)
  if not description then return nil, text, code end
  local sweep = results.empty(dir, description)
  local latest
  sweep.trials, latest, sweep.ahead = halving.trials(sweep, reader(sweep))
  for i, cell in ipairs(sweep.cells) do cell.trials = latest[i] end
  return sweep
end

--- How many trials will be decided on by halving.
-- @tparam table sweep
-- @treturn number
function results.undecided(sweep)
  local sum = 0
  for _, count in pairs(sweep.ahead) do sum = sum + count end
  return sum
end

--- How many trials stand how; with halving those that are not decided yet are waiting, too.
-- @tparam table sweep
-- @treturn table { total, done, failed, running, waiting }
function results.count(sweep)
  local out = { total = #sweep.trials, done = 0, failed = 0, running = 0, waiting = 0 }
  for _, trial in ipairs(sweep.trials) do out[trial.status] = out[trial.status] + 1 end
  local undecided = results.undecided(sweep)
  out.total, out.waiting = out.total + undecided, out.waiting + undecided
  return out
end

-- ---- results.csv -------------------------------------------------------------------------------

local function quote(text) return text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text end

local function field(value)
  if value == nil then return "" end
  if type(value) ~= "number" then return quote(space.text(value)) end
  if value ~= value then return "nan" end
  if value == math.huge or value == -math.huge then return value > 0 and "inf" or "-inf" end
  return json.number(value)
end

-- columns as { title, function(trial) → value }
local function columns_of(sweep)
  local list, taken = {}, {}
  local function add(title, value)
    list[#list + 1], taken[title] = { title, value }, true
  end
  -- these titles are nobody else's
  for _, name in ipairs { "status", "metric", "seconds", "host" } do taken[name] = true end
  local function plain(name) add(name, function(trial) return trial[name] end) end
  plain "id"
  plain "cell"
  plain "seed"
  if sweep.description.halving then
    plain "rung"
    plain "steps"
  end
  for _, parameter in ipairs(sweep.parameters) do
    -- of an experiment, id may be the one of its environment
    local title = taken[parameter.name] and parameter.path or parameter.name
    add(title, function(trial) return trial.params[parameter.path] end)
  end
  plain "status"
  plain "metric"
  local names, seen = {}, {}
  for _, trial in ipairs(sweep.trials) do
    for name in pairs(trial.metrics) do
      if not seen[name] then names[#names + 1], seen[name] = name, true end
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    add(taken[name] and "metrics/" .. name or name, function(trial) return trial.metrics[name] end)
  end
  plain "seconds"
  plain "host"
  return list
end

--- The trials as comma-separated values: one row each, in the order of cells, seeds and rungs. Numbers read back
-- exactly; a metric whose name another column has is called `metrics/<name>`, a parameter whose name one has is called
-- by its path.
-- @tparam table sweep
-- @treturn string
function results.csv(sweep)
  local columns, rows = columns_of(sweep), {}
  local titles = {}
  for i, column in ipairs(columns) do titles[i] = quote(column[1]) end
  local order = {}
  for i, trial in ipairs(sweep.trials) do order[i] = { trial = trial, place = i } end
  table.sort(order, function(a, b)
    if a.trial.cell ~= b.trial.cell then return a.trial.cell < b.trial.cell end
    return a.place < b.place
  end)
  for i, entry in ipairs(order) do
    local fields = {}
    for j, column in ipairs(columns) do fields[j] = field(column[2](entry.trial)) end
    rows[i] = table.concat(fields, ",")
  end
  return table.concat(titles, ",") .. "\n" .. table.concat(rows, "\n") .. (#rows > 0 and "\n" or "")
end

--- Writes `results.csv`, whole or not at all.
-- @tparam table sweep
-- @treturn boolean|nil true, or nil, message, code
function results.write_csv(sweep) return core.file.write(sweep.dir .. "/results.csv", results.csv(sweep)) end

return results
