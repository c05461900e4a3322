--- Pictures of runs and sweeps: learning curves, heat maps, curves of each cell, diagnostics of the trust region.
--
-- gnuplot draws them as SVG, PNG or PDF; in a terminal they are text. All statistics are those of `trpo.stats`.
--
--     trpo.plots.curves { "runs/a", "runs/b", file = "curves.svg", x = "time" }
--     trpo.plots.heatmap { "sweeps/sweep_delta_gamma", file = "heatmap.pdf" }
-- @module trpo.plots
local blame = require "trpo.blame"
local frame = require "trpo.plots.frame"
local groups = require "trpo.plots.groups"
local options = require "trpo.options"
local plot = require "trpo.plot"
local runs = require "trpo.runs"
local spelling = require "trpo.spelling"

local plots = {}

local kinds = { "curves", "heatmap", "cells", "diagnostics" }

-- the options that each kind understands
local understood = {
  curves = { x = true, y = true, group = true },
  diagnostics = { x = true, group = true },
  heatmap = { parameters = true, fix = true },
  cells = { x = true, y = true, parameters = true, fix = true },
}

-- ---- what is drawn -----------------------------------------------------------------------------

-- the runs of a sweep's trials, with the values of its parameters
local function runs_of_trials(sweep)
  local list = runs.of_trials(sweep.trials)
  for _, run in ipairs(list) do
    run.cell = run.trial.cell
    for path, value in pairs(run.trial.params) do run.parameters[path] = runs.text(value) end
  end
  return list
end

local function read_sweep(path)
  local sweep, message, code = require("trpo.sweep.results").read(path)
  if not sweep then return nil, message, code end
  return { sweep = sweep, place = path, title = sweep.name, notes = sweep.warnings }
end

-- what runs have in common, in a few words
local function title_of(list)
  if #list == 1 then return list[1].name end
  local words = {}
  for _, path in ipairs { "env.id", "algorithm.name" } do
    local same = list[1].parameters[path]
    for _, run in ipairs(list) do same = run.parameters[path] == same and same or nil end
    words[#words + 1] = same
  end
  return #words > 0 and table.concat(words, ", ") or ("%d runs"):format(#list)
end

-- the folder in which all runs stand, or their own when there is one only
local function place_of(paths)
  if #paths == 1 then return paths[1] end
  local common
  for i, path in ipairs(paths) do
    local parent = path:match "^(.*)/[^/]+$" or "."
    if i > 1 and parent ~= common then return "." end
    common = parent
  end
  return common
end

local function read_runs(paths)
  local list, notes = {}, {}
  for _, path in ipairs(paths) do
    local run, message, code = runs.read(path)
    if not run then return nil, message, code end
    if run.problem then notes[#notes + 1] = run.problem end
    if run.rows > 0 then
      list[#list + 1] = run
    else
      notes[#notes + 1] = ("%s has no complete iteration yet"):format(path)
    end
  end
  if #list == 0 then return nil, notes[#notes], "empty" end
  return { runs = list, place = place_of(paths), title = title_of(list), notes = notes }
end

-- each folder once, without slashes at the end
local function distinct(given)
  local paths, seen = {}, {}
  for _, path in ipairs(given) do
    path = path:gsub("(.)/+$", "%1")
    if not seen[path] then paths[#paths + 1], seen[path] = path, true end
  end
  return paths
end

-- what some folders hold: one sweep, or runs
local function subject_of(given)
  local paths = distinct(given)
  for _, path in ipairs(paths) do
    local kind, message, code = runs.kind(path)
    if not kind then return nil, message, code end
    if kind == "sweep" and #paths > 1 then
      return nil, ("'%s' is a sweep: draw it alone"):format(path), "usage"
    elseif kind == "sweep" then
      return read_sweep(path)
    end
  end
  return read_runs(paths)
end

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
  local list = subject.runs or runs_of_trials(subject.sweep)
  if #list == 0 then
    return nil, ("no trial of %s has written a progress.csv with numbers yet"):format(subject.place), "empty"
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
    table.insert(subject.notes, ("the %d best of %d cells, more cannot be told apart"):format(most, #list))
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

-- the kinds that understand an option
local function kinds_with(name)
  local list = {}
  for _, kind in ipairs(kinds) do
    if understood[kind][name] then list[#list + 1] = kind end
  end
  return list
end

-- Draws what is asked for: the path and notes, or nil, message, code ("usage": the question is wrong).
local function answer(paths, asked)
  local subject, message, code = subject_of(paths)
  if not subject then return nil, message, code end
  asked.kind = asked.kind or subject.sweep and "heatmap" or "curves"
  for _, name in ipairs { "x", "y", "group", "parameters", "fix" } do
    if asked[name] and not understood[asked.kind][name] then
      return nil, ("%s does not go with the kind '%s', it goes with %s"):format(name, asked.kind,
        table.concat(kinds_with(name), ", ")), "usage"
    end
  end
  asked.x = asked.x or "steps"
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

-- ---- from Lua ----------------------------------------------------------------------------------

local axes = { "steps", "time", "iterations" }

-- a list of names; a text with commas is one as well
local names = options.any { optional = true, expected = "a list of names", accept = function(value)
  if type(value) == "string" then return value:find "[^,%s]" ~= nil end
  if type(value) ~= "table" or #value == 0 then return false end
  for _, name in ipairs(value) do
    if type(name) ~= "string" then return false end
  end
  return true
end }

local schema = options.group { fields = {
  { "file", options.string { optional = true } }, { "x", options.choice { of = axes, optional = true } },
  { "y", options.string { optional = true } }, { "group", names }, { "parameters", names }, { "fix", names },
  { "title", options.string { optional = true } },
} }

local function split(given)
  if type(given) ~= "string" then return given end
  local list = {}
  for name in given:gmatch "[^,%s]+" do list[#list + 1] = name end
  return list
end

-- the folders and the options of a call; raises what is wrong with them
local function read_call(what, given)
  if type(given) ~= "table" then
    blame(("%s: options must be a table, got %s"):format(what, options.describe(given)))
  end
  local paths, rest = {}, {}
  for key, value in pairs(given) do
    if type(key) ~= "number" then rest[key] = value end
  end
  for i, path in ipairs(given) do
    if type(path) ~= "string" then
      blame(("%s: folder %d must be a string, got %s"):format(what, i, options.describe(path)))
    end
    paths[i] = path
  end
  if #paths == 0 then blame(what .. ": there must be the folder of a run or a sweep") end
  local asked, message = options.resolve(what, schema, rest)
  if asked and asked.file then message = select(2, plot.format(what, asked.file)) end
  if message then blame(message) end
  asked.parameters, asked.fix, asked.group = split(asked.parameters), split(asked.fix), split(asked.group)
  return paths, asked
end

local function entry(kind)
  return function(given)
    local paths, asked = read_call("trpo.plots." .. kind, given)
    asked.kind = kind
    return answer(paths, asked)
  end
end

--- Draws learning curves of runs: one curve for all runs that agree in their parameters but the seed, with the
-- interquartile mean over them and its 95 % bootstrap interval as far as at least half of them go; a single run as it
-- is. Needs gnuplot, also for letters.
-- @function curves
-- @tparam table given folders of runs, or one of a sweep; and the options `file` (ends in `.svg`, `.png`, `.pdf` or
--   `.txt`, `-` prints letters; default `curves.svg` beside the runs), `x` ("steps", "time" or "iterations"), `y` (a
--   column of progress.csv, default `rollout/ep_rew_mean`), `group` (parameters: one curve for all runs that agree in
--   them), `title`
-- @treturn string|nil path of the picture
-- @treturn {string,...}|string remarks, e.g. about runs without a row; or what is wrong
-- @treturn string|nil code: "usage", "no_file", "format", "empty", "too_many", "no_gnuplot", "gnuplot", "io"
-- @raise on wrong options
-- @usage assert(trpo.plots.curves { "runs/a", "runs/b", file = "curves.svg", y = "eval/mean_reward" })
plots.curves = entry "curves"

--- Draws the metric of a sweep over two of its parameters: the interquartile mean over the seeds in each cell with its
-- 95 % bootstrap interval, the best cell framed. A sweep of one parameter is a line, drawn cells are points. Needs
-- gnuplot, but not for letters.
-- @function heatmap
-- @tparam table given the folder of a sweep; and the options `file` (default `heatmap.svg` in that folder),
--   `parameters` (two names; default delta and gamma, or the first two that vary), `fix` (of the others: "best" or
--   `NAME=VALUE`; without it the interquartile mean goes over them as well), `title`
-- @treturn string|nil path of the picture
-- @treturn {string,...}|string remarks, or what is wrong
-- @treturn string|nil code as for `curves`
-- @raise on wrong options
plots.heatmap = entry "heatmap"

--- Draws the learning curves of each cell of a sweep, in the places that the cells have in the heat map. Needs gnuplot,
-- but not for letters.
-- @function cells
-- @tparam table given the folder of a sweep; and the options `file` (default `cells.svg` in that folder), `x`, `y` as
--   for `curves`, `parameters`, `fix` as for `heatmap`, `title`
-- @treturn string|nil path of the picture
-- @treturn {string,...}|string remarks, or what is wrong
-- @treturn string|nil code as for `curves`
-- @raise on wrong options
plots.cells = entry "cells"

--- Draws how the trust region worked: the KL divergence of each step against delta, the fraction of the step that the
-- line search accepted, the expected against the actual improvement, the explained variance. Needs gnuplot.
-- @function diagnostics
-- @tparam table given folders of runs, or one of a sweep; and the options `file` (default `diagnostics.svg` beside the
--   runs), `x`, `group`, `title` as for `curves`
-- @treturn string|nil path of the picture
-- @treturn {string,...}|string remarks, or what is wrong
-- @treturn string|nil code as for `curves`
-- @raise on wrong options
plots.diagnostics = entry "diagnostics"

-- ---- the command -------------------------------------------------------------------------------

local function leave(code, format, ...)
  io.stderr:write("trpo: ", format:format(...), "\n")
  error({ exit = code }, 0)
end

local function check_word(flag, word, known)
  if word == nil then return end
  for _, name in ipairs(known) do
    if name == word then return end
  end
  leave(2, "%s must be %s or %s, got '%s'%s", flag, table.concat(known, ", ", 1, #known - 1), known[#known], word,
    spelling.hint(word, known))
end

local function check_flags(flags)
  check_word("--kind", flags.kind, kinds)
  check_word("-x", flags.x, axes)
  for _, name in ipairs { "y", "group", "parameters" } do
    local given = flags[name]
    if given and not given:find "[^,%s]" then leave(2, "%s is empty", (#name > 1 and "--" or "-") .. name) end
  end
  if flags.ascii and flags.output then
    leave(2, "--ascii prints the picture: leave -o out, or name a file that ends in .txt")
  end
  if flags.output then
    local format, message = plot.format("-o", flags.output)
    if not format then leave(2, "%s", message) end
  end
end

-- `trpo plot` with the flags of the command line: the exit code
function plots.run(flags)
  check_flags(flags)
  local file, notes, code = answer(flags.paths, {
    file = flags.ascii and "-" or flags.output, kind = flags.kind, x = flags.x, y = flags.y,
    group = split(flags.group), parameters = split(flags.parameters), fix = #(flags.fix or {}) > 0 and flags.fix or nil,
    title = flags.title,
  })
  if not file then leave((code == "usage" or code == "no_file") and 2 or 1, "%s", notes) end
  for _, note in ipairs(notes) do io.stderr:write("trpo: ", note, "\n") end
  if file ~= "-" then print(file) end
  return 0
end

return plots
