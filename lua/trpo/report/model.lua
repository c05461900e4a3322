--- What the page of a sweep is about: parameters with their texts, cells with their statistics, columns of numbers.
-- @module trpo.report.model
local html = require "trpo.report.html"
local results = require "trpo.sweep.results"
local space = require "trpo.sweep.space"

local model = {}

-- ---- parameters --------------------------------------------------------------------------------

-- texts of some values, numbers exactly or with so many digits
local function texts_of(values, digits)
  local texts = {}
  for i, value in ipairs(values) do texts[i] = space.text(value, digits) end
  return texts
end

-- whether all values are finite numbers
local function are_numbers(values)
  for _, value in ipairs(values) do
    if not html.is_finite(value) then return false end
  end
  return #values > 0
end

-- values as they are listed; numbers in order of size, which an extension of a sweep does not keep
local function in_order(values, numeric)
  local list = {}
  for i, value in ipairs(values) do list[i] = value end
  if numeric then table.sort(list) end
  return list
end

-- a parameter with the texts of its values: listed ones exactly, those that were drawn as short as can be
local function parameter_of(parameter, given)
  local numeric = are_numbers(parameter.values)
  local values = in_order(parameter.values, numeric)
  local made = {
    path = parameter.path, name = parameter.name, values = values, numeric = numeric, place = {},
    logarithmic = parameter.logarithmic, listed = given.values ~= nil,
    exact = texts_of(values),
  }
  made.texts = given.values and made.exact or texts_of(values, space.digits(values))
  for i, text in ipairs(made.exact) do made.place[text] = made.place[text] or i end
  return made
end

--- Which value of a parameter a cell or a trial has.
-- @tparam table parameter of the model
-- @tparam table params values by path
-- @treturn number index into `parameter.values`
function model.place(parameter, params) return parameter.place[space.text(params[parameter.path])] or 1 end

-- ---- cells -------------------------------------------------------------------------------------

local statistics = { "iqm", "low", "high", "median", "mean", "std", "min", "max" }

-- numbers in three digits, or in up to five where these tell the three best cells apart
local function short_format(rows, all, maximize)
  local best = {}
  for _, row in ipairs(rows) do best[#best + 1] = html.is_finite(row.iqm) and row.iqm or nil end
  table.sort(best, function(a, b)
    if maximize then return a > b end
    return a < b
  end)
  for digits = 3, 5 do
    local format, clear = html.column(all, digits), true
    for i = 1, math.min(#best - 1, 2) do
      clear = clear and (best[i] == best[i + 1] or format(best[i]) ~= format(best[i + 1]))
    end
    if clear then return format end
  end
  return html.column(all, 3)
end

-- how the numbers of a column are written, by the name of the column
local function formats_of(rows, trials, maximize)
  local formats, all = {}, {}
  for _, name in ipairs(statistics) do
    for _, row in ipairs(rows) do all[#all + 1] = row[name] end
  end
  local shared = html.column(all)
  -- what is measured in the same unit is written with the same number of decimals
  for _, name in ipairs(statistics) do formats[name] = shared end
  local metrics, seconds = {}, {}
  for _, trial in ipairs(trials) do
    metrics[#metrics + 1], seconds[#seconds + 1] = trial.metric, trial.seconds
  end
  formats.metric, formats.seconds = html.column(metrics), html.column(seconds)
  formats.short = short_format(rows, all, maximize)
  return formats
end

-- numbers of the trials of a cell, in the order of the seeds
local function scores_of(cell)
  local scores = {}
  for _, trial in ipairs(cell.trials) do
    if trial.status == "done" and trial.metric then scores[#scores + 1] = trial.metric end
  end
  return scores
end

local function cells_of(sweep, summary)
  local cells = {}
  for i, row in ipairs(summary.rows) do
    local cell = sweep.cells[i]
    cells[i] = {
      index = i, label = cell.label ~= "" and cell.label or "cell " .. i, params = cell.params,
      trials = cell.trials, total = #cell.trials, row = row, scores = scores_of(cell),
      probability = summary.probability[i],
    }
  end
  return cells
end

--- Whether one cell is better than another.
-- @tparam Model m
-- @tparam table a
-- @tparam table b
-- @treturn boolean also when only the first has a finite IQM; of equal ones by the mean
function model.better(m, a, b)
  local x, y = a.row.iqm, b.row.iqm
  if not html.is_finite(x) or not html.is_finite(y) then return html.is_finite(x) and not html.is_finite(y) end
  if x == y then x, y = a.row.mean, b.row.mean end
  if m.maximize then return x > y end
  return x < y
end

--- The cells, best first; equal ones in their order.
-- @tparam Model m
-- @treturn {table,...}
function model.ranked(m)
  local list = {}
  for i, cell in ipairs(m.cells) do list[i] = cell end
  table.sort(list, function(a, b)
    if model.better(m, a, b) then return true end
    return not model.better(m, b, a) and a.index < b.index
  end)
  return list
end

--- What there is to say about a sweep.
-- @tparam table sweep as `trpo.sweep.results.read` gives it
-- @tparam table summary as `trpo.sweep.summary.of` gives it
-- @treturn Model
function model.of(sweep, summary)
  local m = {
    sweep = sweep, name = sweep.name, metric = sweep.metric.name, maximize = sweep.metric.goal ~= "minimize",
    description = sweep.description, trials = sweep.trials, count = results.count(sweep), parameters = {},
  }
  for i, parameter in ipairs(sweep.parameters) do
    m.parameters[i] = parameter_of(parameter, sweep.description.parameters[i])
  end
  m.cells = cells_of(sweep, summary)
  m.best, m.equal = summary.best and m.cells[summary.best], summary.equal
  m.formats = formats_of(summary.rows, sweep.trials, m.maximize)
  return m
end

return model
