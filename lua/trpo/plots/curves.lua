--- Learning curves: each run or group of runs with its band, in one picture.
-- @module trpo.plots.curves
local frame = require "trpo.plots.frame"
local groups = require "trpo.plots.groups"
local legend = require "trpo.plots.legend"
local plot = require "trpo.plot"
local ticks = require "trpo.plots.ticks"
local wording = require "trpo.plots.wording"

local curves = {}

-- ---- what is drawn -----------------------------------------------------------------------------

local REWARD, EVALUATION = "rollout/ep_rew_mean", "eval/mean_reward"

-- the curves of groups that have numbers; labels of those that have none
local function curves_of(list, x, y)
  local made, left_out = {}, {}
  for _, group in ipairs(list) do
    local curve, message, why = groups.curve(group, x, y)
    if curve then
      curve.label, curve.values = group.label, group.values
      made[#made + 1] = curve
    elseif why ~= "empty" then
      return nil, message, "format"
    else
      left_out[#left_out + 1] = message
    end
  end
  if #made > 0 then return made, left_out end
  return nil, left_out[1], "empty"
end

-- evaluations beside the only curve of returns in training
local function add_evaluation(made, list, asked)
  if asked.y ~= REWARD or #list ~= 1 or not list[1].runs[1].columns[EVALUATION] then return end
  local curve = groups.curve(list[1], asked.x_column, EVALUATION)
  if not curve then return end
  made[1].label, curve.label = frame.label(REWARD), frame.label(EVALUATION)
  -- interpolated ones are no points that were measured
  curve.sparse = #curve.x <= groups.MARKED
  made[2], asked.beside = curve, true
end

-- ---- scripts -----------------------------------------------------------------------------------

-- squares, circles, triangles, diamonds, pentagons
local marks = { 7, 5, 9, 11, 13, 15 }

-- from each value of the nth parameter to its place
local function places_of(made, n)
  local places, count = {}, 0
  for _, curve in ipairs(made) do
    local value = curve.values and #curve.values == 2 and curve.values[n]
    if not value then return nil, 0 end
    if not places[value] then
      count = count + 1
      places[value] = count
    end
  end
  return places, count
end

-- Colour and dashes of each curve. Of two parameters one is the colour and the other one the dashes, where there are
-- enough of both.
local function add_styles(made)
  local first, n = places_of(made, 1)
  local second, m = places_of(made, 2)
  local swapped = m > n
  if swapped then first, second, n, m = second, first, m, n end
  local crossed = first and second and n <= frame.colours and m <= frame.dashes
  for i, curve in ipairs(made) do
    local a, b = i, math.floor((i - 1) / frame.colours) + 1
    if crossed then
      a, b = first[curve.values[swapped and 2 or 1]], second[curve.values[swapped and 1 or 2]]
    end
    curve.colour, curve.dash = frame.colour(a), frame.dash(b)
    curve.mark = curve.sparse and marks[(i - 1) % #marks + 1] or nil
  end
end

local function line_of(curve, i)
  local style = ("lc rgb '%s' dashtype %s"):format(curve.colour, curve.dash)
  local shape = "lines lw 2"
  if curve.sparse then shape = ("linespoints lw 1.4 pt %d ps 0.7"):format(curve.mark) end
  return ("$curve%d using 1:2 with %s %s notitle"):format(i, shape, style)
end

-- what several runs leave open: a band, or a bar at a single point
local function range_of(curve, i, opacity)
  if #curve.x == 1 then
    return ("$curve%d using 1:2:3:4 with yerrorbars lc rgb '%s' lw 1 pt 0 notitle"):format(i, curve.colour)
  end
  return ("$curve%d using 1:3:4 with filledcurves fc rgb '%s' fillstyle transparent solid %g noborder notitle")
    :format(i, curve.colour, opacity)
end

-- bands below, lines above
local function layers(made)
  local list, opacity = {}, #made <= 4 and 0.22 or 0.13
  for i, curve in ipairs(made) do
    if curve.low then list[#list + 1] = range_of(curve, i, opacity) end
  end
  for i, curve in ipairs(made) do list[#list + 1] = line_of(curve, i) end
  return frame.command(list)
end

-- pixels: where the legend stands, beside the frame or below it, and the picture's size
local function size_of(made, left, titled)
  local size = { left = left, right = 26, top = titled and 58 or 46, bottom = 68 }
  local wide = legend.width(made)
  if #made == 1 then
    size.width, size.height = left + 636, 420
  elseif wide <= 300 then
    local rows, tall = legend.rows(made, wide)
    size.right, size.rows, size.beside = wide + 24, rows, true
    size.width, size.height = left + 500 + size.right, math.max(420, size.top + tall + size.bottom)
  else
    local rows, tall = legend.rows(made, 676)
    size.bottom, size.rows = 76 + tall, rows
    size.width, size.height = left + 676, 370 + size.bottom
  end
  return size
end

local function legend_of(made, size)
  if not size.rows then return "" end
  if size.beside then
    return legend.commands(size, made, size.width - size.right + 20, size.height - size.top, size.rows)
  end
  return legend.commands(size, made, size.left, size.bottom - 62, size.rows)
end

local function data_of(made, divisor)
  local data = {}
  for i, curve in ipairs(made) do data[i] = plot.block("curve" .. i, groups.rows(curve, divisor)) end
  return table.concat(data, "\n")
end

-- returns in training and in evaluation share their axis
local function y_label(asked) return asked.beside and "return" or frame.label(asked.y) end

local function script_of(made, asked, data, x)
  local subtitle = asked.subtitle or groups.told(asked.beside and { made[1] } or made)
  add_styles(made)
  local up, left = ticks.up(groups.extent(made))
  local size = size_of(made, left, subtitle)
  frame.make_room(size, subtitle)
  return {
    width = size.width, height = size.height,
    script = table.concat({
      data, frame.axes_style, frame.margins(size), frame.heading(size, asked.title, subtitle),
      "unset key", legend_of(made, size), x.commands, up,
      "set xlabel " .. plot.quoted(x.label), "set ylabel " .. plot.quoted(y_label(asked)) .. " noenhanced",
      layers(made),
    }, "\n"),
  }
end

-- in a terminal: no bands, each curve of another character
local function text_of(made, asked, data, x)
  local list = {}
  for i, curve in ipairs(made) do
    list[i] = ("$curve%d using 1:2 with %s"):format(i, (select(2, legend.glyph(i, #made, #curve.x == 1))))
  end
  return table.concat({
    data, "unset key", x.commands,
    "set xlabel " .. plot.quoted(x.label), "set tics nomirror",
    ("set title %s noenhanced"):format(plot.quoted(wording.fitted(asked.title .. ": " .. y_label(asked),
      frame.columns(asked) - 4))),
    frame.command(list),
  }, "\n")
end

--- The picture of learning curves.
-- @tparam table list groups, see `trpo.plots.groups`
-- @tparam table asked `x` = `steps`, `time` or `iterations`; `y` = name of a column; `title`; `subtitle`
-- @treturn table|nil for `trpo.plot.draw`
-- @treturn {string,...}|string sentences about groups without numbers; or what is wrong
-- @treturn string|nil code: "format", "empty", "too_many"
function curves.picture(list, asked)
  if #list > frame.most then
    return nil, ("%d curves cannot be told apart, there may be %d: put runs together by --group"):format(#list,
      frame.most), "too_many"
  end
  asked.x_column = frame.axes[asked.x]
  local made, notes, code = curves_of(list, asked.x_column, asked.y)
  if not made then return nil, notes, code end
  if #made == 1 then add_evaluation(made, list, asked) end
  local commands, label, divisor = ticks.over(asked.x, groups.reach(made))
  local x, data = { commands = commands, label = label }, data_of(made, divisor)
  local picture = script_of(made, asked, data, x)
  picture.text, picture.columns = text_of(made, asked, data, x), frame.columns(asked) - 1
  picture.below = legend.letters(made, frame.columns(asked))
  return picture, notes
end

return curves
