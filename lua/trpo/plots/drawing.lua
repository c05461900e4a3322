--- Draws a picture of one kind: reads what the folders hold, puts runs into groups, has the picture made.
-- @module trpo.plots.drawing
local frame = require "trpo.plots.frame"
local groups = require "trpo.plots.groups"
local plot = require "trpo.plot"
local progress = require "trpo.progress"
local runs = require "trpo.runs"
local subjects = require "trpo.plots.subject"

local drawing = {}

--- The kinds of pictures, and what curves are drawn over.
drawing.kinds = { "curves", "heatmap", "cells", "diagnostics" }
drawing.axes = { "steps", "time", "iterations" }

-- the options that each kind understands
local understood = {
  curves = { x = true, y = true, group = true },
  diagnostics = { x = true, group = true },
  heatmap = { parameters = true, fix = true },
  cells = { x = true, y = true, parameters = true, fix = true },
}

-- ---- groups and columns ------------------------------------------------------------------------

-- the trials of a sweep by cell
local function groups_of_cells(sweep, list)
  local made, by_cell = {}, {}
  for _, run in ipairs(list) do
    local group = by_cell[run.cell]
    if not group then
      group = { label = sweep.cells[run.cell].label, values = {}, runs = {} }
      for i, parameter in ipairs(sweep.parameters) do group.values[i] = run.parameters[parameter.path] end
      by_cell[run.cell], made[#made + 1] = group, group
    end
    table.insert(group.runs, run)
  end
  return made
end

-- the groups of runs that are asked for; or nil, message, code
local function groups_of(subject, asked)
  local list = subjects.runs(subject)
  if #list == 0 then
    local text = subject.sweep and subject.sweep.description.kind == "run"
      and "%s has no curves: its trials are calls of a function, and none has written a progress.csv into its folder"
      or "no trial of %s has written a progress.csv with numbers yet"
    return nil, text:format(subject.place), "empty"
  end
  if asked.y then
    local column, message = runs.column(list, asked.y)
    if not column then return nil, message, "usage" end
    asked.y = column
  end
  if subject.sweep and not asked.group then return groups_of_cells(subject.sweep, list) end
  local made, message = groups.of(list, asked.group)
  if not made then return nil, message, "usage" end
  table.insert(subject.notes, groups.drop_repeats(made))
  return made
end

local makers = {}

function makers.curves(subject, asked)
  asked.y = asked.y or "rollout/ep_rew_mean"
  local list, message, code = groups_of(subject, asked)
  if not list then return nil, message, code end
  return require("trpo.plots.curves").picture(list, asked)
end

-- the first parameter of a sweep with some values, but no more than so many; nil when there is none
local function few_valued(sweep, most)
  for _, parameter in ipairs(sweep.parameters) do
    if #parameter.values > 1 and #parameter.values <= most then return parameter end
  end
end

-- the best of some cells of a sweep, in their order
local function best_of(sweep, list, most)
  local rows, sign = require("trpo.sweep.summary").of(sweep).rows, sweep.metric.goal == "minimize" and 1 or -1
  local order, kept = {}, {}
  for i, group in ipairs(list) do
    local iqm = rows[group.runs[1].cell].iqm
    order[i] = { place = i, worth = iqm and sign * iqm or math.huge }
  end
  table.sort(order, function(a, b)
    if a.worth ~= b.worth then return a.worth < b.worth end
    return a.place < b.place
  end)
  for i = most + 1, #order do order[i] = nil end
  table.sort(order, function(a, b) return a.place < b.place end)
  for i, item in ipairs(order) do kept[i] = list[item.place] end
  return kept
end

-- the groups of a sweep that are drawn where its cells are too many and nobody said what to do
local function fewer(subject, list, asked, most)
  local parameter = few_valued(subject.sweep, most)
  if not parameter then
    asked.shown = ("the %d best of %d cells"):format(most, #list)
    table.insert(subject.notes, asked.shown .. ", more cannot be told apart")
    return best_of(subject.sweep, list, most)
  end
  table.insert(subject.notes, ("%d cells cannot be told apart: one group for each %s (--group chooses another)"):format(
    #list, parameter.name))
  asked.group = { parameter.path }
  return groups_of(subject, asked)
end

function makers.diagnostics(subject, asked)
  local list, message, code = groups_of(subject, asked)
  if list and #list > frame.colours and subject.sweep and not asked.group then
    list, message, code = fewer(subject, list, asked, frame.colours)
  end
  if not list then return nil, message, code end
  return require("trpo.plots.diagnostics").picture(list, asked)
end

-- the table of a sweep over two parameters
local function lattice_of(subject, asked)
  if not subject.sweep then
    return nil, ("%s is a run, there is no %s of it: give the folder of a sweep"):format(subject.runs[1].path,
      asked.kind == "cells" and "grid of cells" or "heat map"), "usage"
  end
  return require("trpo.plots.lattice").of(subject.sweep, asked)
end

function makers.heatmap(subject, asked)
  local lattice, message, code = lattice_of(subject, asked)
  if not lattice then return nil, message, code end
  return require("trpo.plots.heatmap").picture(lattice, asked)
end

function makers.cells(subject, asked)
  local lattice, message, code = lattice_of(subject, asked)
  if not lattice then return nil, message, code end
  asked.y = asked.y or "rollout/ep_rew_mean"
  local list
  list, message, code = groups_of(subject, asked)
  if not list then return nil, message, code end
  return require("trpo.plots.cells").picture(lattice, list, asked)
end

-- ---- drawing -----------------------------------------------------------------------------------

-- brings a picture to its file; pictures in letters need no gnuplot when they come as text
local function draw(file, picture)
  local format = plot.format("plot", file)
  if (format == "-" or format == "txt") and picture.letters then return plot.write(file, picture.letters) end
  return plot.draw(file, picture)
end

-- how wide letters may be: as the terminal, or as a page
local function columns_of(file) return math.min(math.max(file == "-" and progress.columns(1) or 100, 40), 200) end

-- the kinds that understand an option
local function kinds_with(name)
  local list = {}
  for _, kind in ipairs(drawing.kinds) do
    if understood[kind][name] then list[#list + 1] = kind end
  end
  return list
end

--- Draws what is asked for.
-- @tparam {string,...} paths folders of runs, or of one sweep
-- @tparam table asked `kind`, `file`, `x`, `y`, `group`, `parameters`, `fix`, `title`, each may be nil; changed
-- @treturn string|nil path of the picture
-- @treturn {string,...}|string remarks, or what is wrong
-- @treturn string|nil code, "usage" when the question is wrong
function drawing.of(paths, asked)
  local subject, message, code = subjects.of(paths)
  if not subject then return nil, message, code end
  asked.kind = asked.kind or subject.sweep and "heatmap" or "curves"
  for _, name in ipairs { "x", "y", "group", "parameters", "fix" } do
    if asked[name] and not understood[asked.kind][name] then
      return nil, ("%s does not go with the kind '%s', it goes with %s"):format(name, asked.kind,
        table.concat(kinds_with(name), ", ")), "usage"
    end
  end
  asked.x, asked.columns = asked.x or "steps", columns_of(asked.file)
  asked.title = asked.title or subject.title
  local picture, notes
  picture, notes, code = makers[asked.kind](subject, asked)
  if not picture then return nil, notes, code end
  for _, note in ipairs(notes) do subject.notes[#subject.notes + 1] = note end
  local file = asked.file or ("%s/%s.svg"):format(subject.place, asked.kind)
  local ok, why
  ok, why, code = draw(file, picture)
  if not ok then return nil, why, code end
  return file, subject.notes
end

return drawing
