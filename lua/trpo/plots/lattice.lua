--- A sweep as a table over two of its parameters: the metric of each cell, and which cell is best.
-- @module trpo.plots.lattice
local progress = require "trpo.progress"
local runs = require "trpo.runs"
local spelling = require "trpo.spelling"
local summary = require "trpo.sweep.summary"
local trpo = require "trpo"
local wording = require "trpo.plots.wording"

local lattice = {}

-- ---- parameters --------------------------------------------------------------------------------

-- a value as a key and as a text
local text_of = runs.text

--- A value as it is shown where it need not be told apart from others: numbers in four digits.
-- @param value number, string, boolean or list
-- @treturn string
function lattice.text(value) return type(value) == "number" and ("%.4g"):format(value) or text_of(value) end

-- the parameter of a sweep that a name means; or nil and one sentence
local function find(sweep, name)
  local names = {}
  for _, parameter in ipairs(sweep.parameters) do
    if parameter.path == name or parameter.name == name or parameter.path:match "[^.]+$" == name then
      return parameter
    end
    names[#names + 1], names[#names + 2] = parameter.name, parameter.path
  end
  local own = {}
  for i, parameter in ipairs(sweep.parameters) do own[i] = parameter.name end
  local hint = spelling.hint(name, names)
  return nil, ("the sweep has no parameter '%s'%s"):format(name,
    #hint > 0 and hint or #own > 0 and "; there is " .. table.concat(own, ", ") or "")
end

local function varying(sweep)
  local list = {}
  for _, parameter in ipairs(sweep.parameters) do
    if #parameter.values > 1 then list[#list + 1] = parameter end
  end
  return list
end

-- the parameters of the axes; or nil and one sentence
local function axes_of(sweep, names)
  if names then
    if #names > 2 then return nil, ("a picture has two axes, got %d parameters"):format(#names) end
    local list = {}
    for i, name in ipairs(names) do
      local parameter, message = find(sweep, name)
      if not parameter then return nil, message end
      if parameter == list[1] then return nil, ("parameter '%s' is named twice"):format(name) end
      list[i] = parameter
    end
    return list
  end
  local list = varying(sweep)
  local delta, gamma
  for _, parameter in ipairs(list) do
    if parameter.path:match "[^.]+$" == "delta" then delta = parameter end
    if parameter.path:match "[^.]+$" == "gamma" then gamma = parameter end
  end
  if delta and gamma then return { delta, gamma } end
  if #list == 0 then list = sweep.parameters end
  return { list[1], list[2] }
end

-- values of an axis as they are shown
local function texts_of(axis)
  if axis.numeric then return wording.texts(axis.values) end
  local texts = {}
  for i, value in ipairs(axis.values) do texts[i] = wording.fitted(text_of(value), 80) end
  return texts
end

-- whether the values of a parameter were drawn, not listed
local function is_drawn(sweep, parameter)
  for _, given in ipairs(sweep.description.parameters) do
    if given.path == parameter.path then return given.values == nil end
  end
end

-- the axis of a parameter: values and texts in order of size, and the place of each text
local function axis_of(sweep, parameter)
  if not parameter then return { values = { false }, texts = { "" }, place = {} } end
  local axis = { name = wording.fitted(parameter.name, 60), path = parameter.path, values = {}, texts = {}, place = {},
    numeric = true }
  for i, value in ipairs(parameter.values) do
    axis.values[i] = value
    axis.numeric = axis.numeric and type(value) == "number"
  end
  if axis.numeric then table.sort(axis.values) end
  axis.texts = texts_of(axis)
  for i, value in ipairs(axis.values) do axis.place[text_of(value)] = i end
  axis.logarithmic, axis.drawn = parameter.logarithmic, axis.numeric and is_drawn(sweep, parameter)
  return axis
end

-- ---- cells that are taken ----------------------------------------------------------------------

-- a list without what one need not type
local function bare(text) return (text:gsub("[{} ]", "")) end

-- whether a text is meant for a value
local function means(text, value)
  if type(value) == "table" then return bare(text) == bare(text_of(value)) end
  return text == text_of(value) or type(value) == "number" and tonumber(text) == value
end

-- values of the other parameters that are asked for, by path; or nil and one sentence
local function fixed(sweep, given, axes, best)
  local values = {}
  for _, word in ipairs(given or {}) do
    local name, value = word:match "^([^=]+)=(.*)$"
    if word == "best" then
      for _, parameter in ipairs(sweep.parameters) do
        if best and parameter ~= axes[1] and parameter ~= axes[2] then
          values[parameter.path] = values[parameter.path] or text_of(best.params[parameter.path])
        end
      end
    elseif not name then
      return nil, ("--fix must be 'best' or NAME=VALUE, got '%s'"):format(word)
    else
      local parameter, message = find(sweep, name)
      if not parameter then return nil, message end
      local known, texts = false, {}
      for i, entry in ipairs(parameter.values) do
        texts[i] = text_of(entry)
        if means(value, entry) then known = texts[i] end
      end
      if not known then
        return nil, ("no cell has %s=%s; there is %s"):format(parameter.name, value, table.concat(texts, ", ", 1,
          math.min(#texts, 12)))
      end
      values[parameter.path] = known
    end
  end
  return values
end

local function is_taken(cell, values)
  for path, text in pairs(values) do
    if text_of(cell.params[path]) ~= text then return false end
  end
  return true
end

-- ---- numbers -----------------------------------------------------------------------------------

-- the rung of a cell, 1 without halving
local function rung_of(cell) return cell.trials[1] and cell.trials[1].rung or 1 end

local function has_score(cell)
  for _, trial in ipairs(cell.trials) do
    if summary.score(trial) then return true end
  end
  return false
end

-- those of some cells that came furthest, with a number if one has any: what had different steps is no one sample
local function furthest(cells)
  local rung, scored, kept = 0, false, {}
  for _, cell in ipairs(cells) do
    local has = has_score(cell)
    if has and not scored then rung, scored = 0, true end
    if has or not scored then rung = math.max(rung, rung_of(cell)) end
  end
  for _, cell in ipairs(cells) do
    if rung_of(cell) == rung then kept[#kept + 1] = cell end
  end
  return kept
end

-- adds the trials of a cell to an entry of the table
local function add_trials(entry, cell)
  for _, trial in ipairs(cell.trials) do
    entry.total = entry.total + 1
    local x = summary.score(trial)
    if x then
      entry.scores[#entry.scores + 1] = x
    elseif trial.status == "done" or trial.status == "failed" then
      entry.failed = entry.failed + 1
    end
    entry.rung, entry.steps = math.max(entry.rung, trial.rung or 1), math.max(entry.steps, trial.steps or 0)
  end
  entry.n = #entry.scores
end

-- interquartile mean and interval of an entry; those of a single cell are the summary's
local function add_numbers(entry, rows)
  local row = #entry.cells == 1 and rows[entry.cells[1].index]
  if row then
    entry.iqm, entry.mean, entry.low, entry.high = row.iqm, row.mean, row.low, row.high
  elseif entry.n > 0 then
    local scores = trpo.tensor(entry.scores)
    entry.iqm, entry.mean = trpo.stats.iqm(scores), trpo.stats.mean(scores)
    if entry.n > 1 then entry.low, entry.high = trpo.stats.interval(scores) end
  end
  if entry.n == 0 or not entry.iqm or entry.iqm ~= entry.iqm then entry.iqm, entry.low, entry.high = nil, nil, nil end
end

-- an entry of the table, of which the cells are known
local function fill(entry, rows)
  entry.several = #entry.cells > 1
  entry.cells = furthest(entry.cells)
  for _, cell in ipairs(entry.cells) do add_trials(entry, cell) end
  add_numbers(entry, rows)
end

-- ---- words -------------------------------------------------------------------------------------

-- what became of the other parameters: held; put together; or different in each cell, where values were drawn
local function add_others(made, sweep, axes, values)
  local fixed_ones, others, paths, alone = {}, {}, {}, true
  for _, parameter in ipairs(varying(sweep)) do
    if values[parameter.path] then
      fixed_ones[#fixed_ones + 1] = parameter.name .. "=" .. values[parameter.path]
    elseif parameter ~= axes[1] and parameter ~= axes[2] then
      others[#others + 1], paths[#paths + 1] = parameter.name, parameter.path
    end
  end
  for _, entry in ipairs(made.entries) do alone = alone and not entry.several end
  made.fixed = table.concat(fixed_ones, " ")
  made.pooled, made.loose, made.loose_paths = alone and {} or others, alone and others or {}, paths
end

-- the best numbers of a table
local function best_numbers(made, most)
  local list = {}
  for _, entry in ipairs(made.entries) do list[#list + 1] = entry.iqm end
  table.sort(list, function(a, b)
    if made.goal == "minimize" then return a < b end
    return a > b
  end)
  return { unpack(list, 1, most) }
end

--- A format for all numbers of a table, which tells the best three apart.
-- @tparam table made
-- @treturn string for string.format
function lattice.format(made)
  local list = {}
  for _, entry in ipairs(made.entries) do
    if entry.iqm then
      list[#list + 1] = entry.iqm
      list[#list + 1] = entry.low
      list[#list + 1] = entry.high
    end
  end
  return wording.telling(wording.format(list), best_numbers(made, 3))
end

-- a number of steps, exactly: 36k, 2048
local function steps_text(steps)
  local short = wording.short(steps)
  return short:find "^%d+%a$" and steps % 1000 == 0 and short or ("%.0f"):format(steps)
end

--- How far an entry has come.
-- @tparam table made
-- @tparam table entry
-- @treturn string|nil steps; nil without halving, where all come equally far
function lattice.steps(made, entry) return made.halving and entry.steps > 0 and steps_text(entry.steps) or nil end

--- What a mark on the best entry means, in words.
-- @tparam table made
-- @treturn string
function lattice.best(made)
  if made.among then return ("the best of the cells %s"):format(made.among) end
  return made.equal > 1 and ("the first of %d equally good"):format(made.equal) or "the best"
end

-- "halving: 4k to 16k steps"
local function halving_told(made)
  local low, high = math.huge, 0
  for _, entry in ipairs(made.entries) do low, high = math.min(low, entry.steps), math.max(high, entry.steps) end
  return low == high and "halving" or ("halving: %s to %s steps"):format(steps_text(low), steps_text(high))
end

--- What the numbers of a table are, in words.
-- @tparam table made
-- @tparam[opt] boolean with_interval whether intervals are shown as well
-- @treturn string
function lattice.told(made, with_interval)
  local low, high = math.huge, 0
  for _, entry in ipairs(made.entries) do
    if entry.n > 0 then low, high = math.min(low, entry.n), math.max(high, entry.n) end
  end
  local many = high == 0 and "no trial is done yet"
    or low == high and progress.count(high, "trial") or ("%d to %d trials"):format(low, high)
  local words = { high == 0 and many or high == 1 and "one trial each" or ("IQM of %s"):format(many) }
  if #made.pooled > 0 then
    words[1] = ("%s over all %s%s"):format(words[1], table.concat(made.pooled, ", "),
      made.halving and ", of cells that came furthest" or "")
  end
  if #made.loose > 0 then
    words[1] = ("%s, %s %s as well"):format(words[1], table.concat(made.loose, ", "),
      #made.loose == 1 and "varies" or "vary")
  end
  if with_interval and high > 1 then words[1] = words[1] .. ", 95 % bootstrap interval" end
  if #made.fixed > 0 then words[#words + 1] = made.fixed end
  if made.halving then words[#words + 1] = halving_told(made) end
  return wording.fitted(table.concat(words, "; "), 300)
end

-- ---- the table ---------------------------------------------------------------------------------

-- values that were drawn: a table of them would have more holes than cells
local function is_scattered(made)
  local places = #made.x.values * #made.y.values
  local drawn = made.y.name and #made.entries > 1 and (made.x.drawn or made.y.drawn)
  return (drawn or (made.x.numeric or made.y.numeric) and places >= 16) and places >= 2 * #made.entries
end

--- The table of a sweep over two parameters, or over one.
-- @tparam table sweep see `trpo.sweep.results`
-- @tparam table asked `parameters` = list of up to two names, `fix` = list of "best" and NAME=VALUE
-- @treturn table|nil `x`, `y` = axes { name, path, values, texts, place, numeric, logarithmic, drawn } (`y` without
--   name: a sweep of one parameter), `entries` = list of { `i`, `j` (places on the axes), `cells` (with halving those
--   that came furthest), `several` (whether it stands for more than one cell), `n`, `failed`, `total`, `rung`, `steps`
--   (with halving: trained so far), `scores`, `iqm`, `mean`, `low`, `high` (nil for one trial) }, `at[i][j]`, `best` =
--   an entry or nil, `among` = what keeps a better number from being the best (see `trpo.sweep.summary`) or nil,
--   `equal` = how many are as good as the best, `scattered` = points rather than a table, `metric`, `goal`,
--   `halving`, `pooled` = names of parameters that are put together, `loose` = of those that differ from cell to cell
--   (and `loose_paths`), `fixed` = a text about those that are held
-- @treturn string|nil one sentence
-- @treturn string|nil code "usage" or "empty"
function lattice.of(sweep, asked)
  if #sweep.parameters == 0 then return nil, ("sweep '%s' varies no parameter"):format(sweep.name), "empty" end
  local axes, message = axes_of(sweep, asked.parameters)
  if not axes then return nil, message, "usage" end
  local found = summary.of(sweep)
  local rows = {}
  for _, row in ipairs(found.rows) do rows[row.cell] = row end
  local values
  values, message = fixed(sweep, asked.fix, axes, found.best and found.rows[found.best])
  if not values then return nil, message, "usage" end
  local made = { x = axis_of(sweep, axes[1]), y = axis_of(sweep, axes[2]), entries = {}, at = {}, name = sweep.name,
    metric = wording.fitted(sweep.metric.name, 80), goal = sweep.metric.goal,
    halving = sweep.description.halving ~= nil }
  for _, cell in ipairs(sweep.cells) do
    if is_taken(cell, values) then
      local i = made.x.place[text_of(cell.params[made.x.path])]
      local j = made.y.path and made.y.place[text_of(cell.params[made.y.path])] or 1
      made.at[i] = made.at[i] or {}
      local entry = made.at[i][j]
      if not entry then
        entry = { i = i, j = j, cells = {}, n = 0, failed = 0, total = 0, rung = 1, steps = 0, scores = {} }
        made.at[i][j], made.entries[#made.entries + 1] = entry, entry
      end
      entry.cells[#entry.cells + 1] = cell
    end
  end
  for _, entry in ipairs(made.entries) do fill(entry, rows) end
  add_others(made, sweep, axes, values)
  local place
  place, made.equal = summary.best(made.entries, made.goal, #made.pooled > 0)
  made.best = made.entries[place]
  made.among = made.best and #made.pooled == 0 and summary.among(made.entries, place, made.goal) or nil
  made.scattered = is_scattered(made)
  return made
end

return lattice
