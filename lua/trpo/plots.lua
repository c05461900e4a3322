--- Pictures of runs and sweeps: learning curves, heat maps, curves of each cell, diagnostics of the trust region.
--
-- gnuplot draws them as SVG, PNG or PDF; in a terminal they are text. All statistics are those of `trpo.stats`.
--
--     trpo.plots.curves { "runs/a", "runs/b", file = "curves.svg", x = "time" }
--     trpo.plots.heatmap { "sweeps/sweep_delta_gamma", file = "heatmap.pdf" }
-- @module trpo.plots
local blame = require "trpo.blame"
local drawing = require "trpo.plots.drawing"
local options = require "trpo.options"
local plot = require "trpo.plot"
local spelling = require "trpo.spelling"

local plots = {}

-- ---- from Lua ----------------------------------------------------------------------------------

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
  { "file", options.string { optional = true } }, { "x", options.choice { of = drawing.axes, optional = true } },
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
    return drawing.of(paths, asked)
  end
end

--- Draws learning curves of runs: one curve for all runs that agree in their parameters but the seed, with the
-- interquartile mean over them and its 95 % bootstrap interval as far as at least half of them go (over time: all,
-- unless one ended early); a single run as it is. Needs gnuplot, also for letters.
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
  check_word("--kind", flags.kind, drawing.kinds)
  check_word("-x", flags.x, drawing.axes)
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
  local file, notes, code = drawing.of(flags.paths, {
    file = flags.ascii and "-" or flags.output, kind = flags.kind, x = flags.x, y = flags.y,
    group = split(flags.group), parameters = split(flags.parameters), fix = #(flags.fix or {}) > 0 and flags.fix or nil,
    title = flags.title,
  })
  if not file then leave((code == "usage" or code == "no_file") and 2 or 1, "%s", notes) end
  -- where both streams are one, remarks follow the picture
  io.stdout:flush()
  for _, note in ipairs(notes) do io.stderr:write("trpo: ", note, "\n") end
  if file ~= "-" then print(file) end
  return 0
end

return plots
