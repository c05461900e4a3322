--- Sweeps whose cells are no table: of one parameter, a line with its band; of drawn values, points in the plane.
-- @module trpo.plots.points
local frame = require "trpo.plots.frame"
local heatmap = require "trpo.plots.heatmap"
local lattice = require "trpo.plots.lattice"
local letters = require "trpo.plots.letters"
local plot = require "trpo.plot"
local ticks = require "trpo.plots.ticks"
local wording = require "trpo.plots.wording"

local points = {}

-- an axis of numbers with room at its ends, and round ticks
local function range_of(name, axis)
  local low, high = axis.values[1], axis.values[#axis.values]
  if axis.logarithmic then
    local room = (high / low) ^ 0.05
    low, high = math.max(low / room, 1e-300), math.min(high * room, 1e300)
    return ("set logscale %s\nset %srange [%s:%s]\n%s"):format(name, name, plot.number(low), plot.number(high),
      ticks.logarithmic(name, low, high, 8))
  end
  local room = high > low and 0.05 * (high - low) or math.max(math.abs(low), 1) * 0.1
  low, high = low - room, high + room
  return ("set %srange [%s:%s]\n%s"):format(name, plot.number(low), plot.number(high),
    (ticks.linear(name, low, high, 7)))
end

-- an axis of texts
local function names_of(name, axis, most)
  local list = {}
  for i, text in ipairs(axis.texts) do list[i] = ticks.named(wording.fitted(text, most), i) end
  return ("set %srange [0.5:%g]\nset %stics (%s) noenhanced"):format(name, #list + 0.5, name, table.concat(list, ", "))
end

-- where on the axis, in [0, 1], a value is
local function place(axis, x)
  local low, high = axis.values[1], axis.values[#axis.values]
  if not (high > low) then return 0.5 end
  if axis.logarithmic then return math.log(x / low) / math.log(high / low) end
  return (x - low) / (high - low)
end

-- ticks at the numbers themselves; those that would touch the one before are left out
local function ticks_at(name, axis, pixels)
  local list, last = {}, -math.huge
  for i, x in ipairs(axis.values) do
    local at, half = place(axis, x) * pixels, name == "x" and 3.6 * wording.length(axis.texts[i]) + 4 or 9
    if at - half > last then
      list[#list + 1] = ("'%s' %s"):format(axis.texts[i], plot.number(x))
      last = at + half
    end
  end
  return ("set %stics (%s)"):format(name, table.concat(list, ", "))
end

-- ---- one parameter -----------------------------------------------------------------------------

local function line_data(made)
  local means, scores, best = {}, {}, {}
  for i, value in ipairs(made.x.values) do
    local entry = made.at[i] and made.at[i][1]
    local x = made.x.numeric and value or i
    if entry and entry.iqm then
      means[#means + 1] = { x, entry.iqm, entry.low or entry.iqm, entry.high or entry.iqm }
      for _, score in ipairs(entry.scores) do scores[#scores + 1] = { x, score } end
      if entry == made.best then best[1] = { x, entry.iqm } end
    end
  end
  return means, scores, best
end

-- characters of a text beside an axis, pixels of the frame
local WIDEST, WIDE = 26, 576

-- the axis of the only parameter, whose texts may have to be slanted: its commands
local function axis_of(size, axis)
  if axis.drawn then return range_of("x", axis) end
  if axis.numeric then return range_of("x", axis) .. "\n" .. ticks_at("x", axis, WIDE) end
  local texts = {}
  for i, text in ipairs(axis.texts) do texts[i] = wording.fitted(text, WIDEST) end
  local commands, longest = names_of("x", axis, WIDEST), wording.longest(texts)
  if 7 * longest <= WIDE / #texts then return commands end
  size.bottom, size.height = size.bottom + 4 + 4.6 * longest, size.height + 4 + 4.6 * longest
  size.left = math.max(size.left, 4.6 * wording.length(texts[1]))
  return commands .. " rotate by 35 right"
end

-- layers from below: intervals, each trial, interquartile means, the best
local function line_layers(made, means)
  local colour, list = frame.colour(1), {}
  -- a line says that nothing but the parameter changes
  if made.x.numeric and #means > 1 and #made.loose == 0 then
    list[1] = ("$means using 1:3:4 with filledcurves fc rgb '%s' fillstyle transparent solid 0.2 noborder")
      :format(colour)
    list[2] = ("$means using 1:2 with lines lc rgb '%s' lw 2"):format(colour)
  else
    list[1] = ("$means using 1:2:3:4 with yerrorbars lc rgb '%s' lw 1.6 pt 0"):format(colour)
  end
  list[#list + 1] = "$scores using 1:2 with points pt 6 ps 0.55 lc rgb '#777777'"
  list[#list + 1] = ("$means using 1:2 with points pt 7 ps 0.8 lc rgb '%s'"):format(colour)
  list[#list + 1] = ("$best using 1:2 with points pt 6 ps 2 lw 2 lc rgb '%s'"):format(frame.best)
  return frame.command(list)
end

-- the smallest and the largest number of means with their intervals and of scores
local function extent_of(means, scores)
  local low, high = math.huge, -math.huge
  for _, row in ipairs(means) do low, high = math.min(low, row[3]), math.max(high, row[4]) end
  for _, row in ipairs(scores) do low, high = math.min(low, row[2]), math.max(high, row[2]) end
  return low, high
end

--- The picture of a sweep of one parameter.
-- @tparam table made see `trpo.plots.lattice`
-- @tparam table asked `title`
-- @treturn table for `trpo.plot.draw`, with `letters`
function points.line(made, asked)
  local means, scores, best = line_data(made)
  local up, left = ticks.up(extent_of(means, scores))
  local size = { width = left + WIDE + 60, height = 420, left = left, right = 60, top = 60, bottom = 68 }
  local across = axis_of(size, made.x)
  local subtitle = ("%s; grey: each trial; circled: %s"):format(lattice.told(made, true), lattice.best(made))
  frame.make_room(size, subtitle)
  return {
    width = size.width, height = size.height,
    script = table.concat({
      plot.block("means", means), plot.block("scores", scores), plot.block("best", best),
      "unset key", frame.axes_style, frame.margins(size), frame.heading(size, asked.title, subtitle), across, up,
      "set xlabel " .. plot.quoted(wording.fitted(made.x.name, 60)) .. " noenhanced",
      "set ylabel " .. plot.quoted(wording.fitted(frame.label(made.metric), 48)) .. " noenhanced",
      line_layers(made, means),
    }, "\n"),
    letters = letters.list(made, asked, lattice.format(made)),
  }
end

-- ---- drawn values ------------------------------------------------------------------------------

local function scatter_data(made)
  local values, empty, best, steps = {}, {}, {}, {}
  for _, entry in ipairs(made.entries) do
    local row = { made.x.numeric and made.x.values[entry.i] or entry.i,
      made.y.numeric and made.y.values[entry.j] or entry.j, entry.iqm }
    if entry.iqm then values[#values + 1] = row else empty[#empty + 1] = row end
    local told = lattice.steps(made, entry)
    if told then steps[#steps + 1] = { row[1], row[2], plot.word(told) } end
    if entry == made.best then best[1] = row end
  end
  -- the largest ones lie above
  table.sort(values, function(a, b)
    if a[3] ~= b[3] then return a[3] < b[3] end
    return a[1] < b[1]
  end)
  return values, empty, best, steps
end

-- characters of a name beside the upright axis, and across
local LEFT, BELOW = 20, 12

-- an axis of so many pixels: of texts, of numbers that were drawn, or of listed ones
local function scatter_axis(name, axis, most, pixels)
  if not axis.numeric then return names_of(name, axis, most) end
  return axis.drawn and range_of(name, axis) or range_of(name, axis) .. "\n" .. ticks_at(name, axis, pixels)
end

-- both axes, and the pixels on the left of them
local function axes_of(made)
  local listed = not (made.y.numeric and made.y.drawn)
  local left = listed and 50 + 7 * math.min(LEFT, wording.longest(made.y.texts)) or 84
  return scatter_axis("x", made.x, BELOW, 500), scatter_axis("y", made.y, LEFT, 340), math.max(84, left)
end

-- a number with four digits; a place with its text
local function short(axis, x) return axis.numeric and ("%.4g"):format(x) or wording.fitted(axis.texts[x], LEFT) end

-- darker than that of cells, as no text stands on it: each point must be seen
local palette = "0 '#c6dbef', 1 '#6baed6', 2 '#2171b5', 3 '#08306b'"

--- The picture of a sweep whose values were drawn.
-- @tparam table made see `trpo.plots.lattice`
-- @tparam table asked `title`
-- @treturn table for `trpo.plot.draw`, with `letters`
function points.scatter(made, asked)
  local values, empty, best, steps = scatter_data(made)
  local format = lattice.format(made)
  local scale = heatmap.scale(values)
  local across, up, left = axes_of(made)
  local size = { width = left + 520 + scale.wide, height = 480, left = left, right = scale.wide, top = 60, bottom = 68 }
  local told = ("%s; circled: %s, %s=%s %s=%s, "):format(lattice.told(made), lattice.best(made), made.x.name,
    short(made.x, best[1][1]), made.y.name, short(made.y, best[1][2])) .. wording.number(format, best[1][3])
  local list = {
    "$values using 1:2:3 with points pt 7 ps 1.5 lc palette",
    "$values using 1:2 with points pt 6 ps 1.5 lc rgb '#666666'",
    ("$best using 1:2 with points pt 6 ps 2.4 lw 2.5 lc rgb '%s'"):format(frame.best),
  }
  frame.make_room(size, told)
  if #steps > 0 then
    list[#list + 1] = ("$steps using 1:2:3 with labels offset 0,1 font ',9' tc rgb '%s' noenhanced"):format(frame.faint)
  end
  if #empty > 0 then table.insert(list, 1, "$empty using 1:2 with points pt 2 ps 0.8 lc rgb '#888888'") end
  return {
    width = size.width, height = size.height,
    script = table.concat({
      plot.block("values", values), plot.block("best", best),
      #steps > 0 and plot.block("steps", steps) or "", #empty > 0 and plot.block("empty", empty) or "",
      "unset key", frame.axes_style, frame.margins(size), frame.heading(size, asked.title, told),
      across, up,
      "set xlabel " .. plot.quoted(wording.fitted(made.x.name, 60)) .. " noenhanced",
      "set ylabel " .. plot.quoted(wording.fitted(made.y.name, 48)) .. " noenhanced",
      heatmap.colour_bar(size, scale, frame.label(made.metric), palette), frame.command(list),
    }, "\n"),
    letters = letters.list(made, asked, format),
  }
end

return points
