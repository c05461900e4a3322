--- Sweeps whose cells are no table: of one parameter, a line with its band; of drawn values, points in the plane.
-- @module trpo.plots.points
local frame = require "trpo.plots.frame"
local heatmap = require "trpo.plots.heatmap"
local lattice = require "trpo.plots.lattice"
local letters = require "trpo.plots.letters"
local plot = require "trpo.plot"

local points = {}

-- an axis of numbers with room at its ends
local function range_of(name, axis)
  local low, high = axis.values[1], axis.values[#axis.values]
  if axis.logarithmic then
    local room = (high / low) ^ 0.05
    low, high = math.max(low / room, 1e-300), math.min(high * room, 1e300)
    return ("set logscale %s\nset %srange [%s:%s]\n%s"):format(name, name, plot.number(low), plot.number(high),
      frame.log_ticks(name, low, high, 8))
  end
  local room = high > low and 0.05 * (high - low) or math.max(math.abs(low), 1) * 0.1
  return ("set %srange [%s:%s]\nset format %s '%%g'"):format(name, plot.number(low - room), plot.number(high + room),
    name)
end

-- where on the axis, in [0, 1], a value is
local function place(axis, x)
  local low, high = axis.values[1], axis.values[#axis.values]
  if not (high > low) then return 0.5 end
  if axis.logarithmic then return math.log(x / low) / math.log(high / low) end
  return (x - low) / (high - low)
end

-- ticks at the values themselves; those that would touch the one before are left out
local function ticks_at(axis, pixels)
  local list, last = {}, -math.huge
  for i, x in ipairs(axis.values) do
    local at = axis.numeric and place(axis, x) * pixels or (i - 0.5) / #axis.values * pixels
    local half = 3.6 * frame.length(axis.texts[i]) + 4
    if at - half > last then
      list[#list + 1] = ("%s %s"):format(plot.quoted(axis.texts[i]), plot.number(axis.numeric and x or i))
      last = at + half
    end
  end
  return ("set xtics (%s) noenhanced"):format(table.concat(list, ", "))
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

-- the axis with texts that fit, and whether they must be slanted
local function fitted(axis)
  local out = setmetatable({ texts = {} }, { __index = axis })
  for i, text in ipairs(axis.texts) do out.texts[i] = frame.fitted(text, 26) end
  return out, not axis.numeric and 7 * frame.longest(out.texts) > 576 / #out.texts
end

--- The picture of a sweep of one parameter.
-- @tparam table made see `trpo.plots.lattice`
-- @tparam table asked `title`
-- @treturn table for `trpo.plot.draw`, with `letters`
function points.line(made, asked)
  local means, scores, best = line_data(made)
  local size = { width = 720, height = 420, left = 84, right = 60, top = 60, bottom = 68 }
  local axis, rotated = fitted(made.x)
  if rotated then
    size.bottom = 72 + 4.6 * frame.longest(axis.texts)
    size.height = 364 + size.bottom
    size.left = math.max(size.left, 4.6 * frame.length(axis.texts[1]))
  end
  local subtitle = ("%s; grey: each trial; circled: %s"):format(lattice.told(made, true), lattice.best(made))
  frame.make_room(size, subtitle)
  local colour, list = frame.colour(1), {}
  if axis.numeric and #means > 1 then
    list[1] = ("$means using 1:3:4 with filledcurves fc rgb '%s' fillstyle transparent solid 0.2 noborder")
      :format(colour)
    list[2] = ("$means using 1:2 with lines lc rgb '%s' lw 2"):format(colour)
  else
    list[1] = ("$means using 1:2:3:4 with yerrorbars lc rgb '%s' lw 1.6 pt 0"):format(colour)
  end
  list[#list + 1] = "$scores using 1:2 with points pt 6 ps 0.45 lc rgb '#888888'"
  list[#list + 1] = ("$means using 1:2 with points pt 7 ps 0.8 lc rgb '%s'"):format(colour)
  list[#list + 1] = ("$best using 1:2 with points pt 6 ps 2 lw 2 lc rgb '%s'"):format(frame.best)
  return {
    width = size.width, height = size.height,
    script = table.concat({
      plot.block("means", means), plot.block("scores", scores), plot.block("best", best),
      "unset key", frame.axes_style, frame.margins(size),
      frame.heading(size, asked.title, subtitle),
      axis.numeric and range_of("x", axis) or ("set xrange [0.5:%g]"):format(#axis.texts + 0.5),
      rotated and ticks_at(axis, 1e6) .. " rotate by 35 right" or ticks_at(axis, size.width - size.left - size.right),
      "set mxtics 1", "set xlabel " .. plot.quoted(frame.fitted(axis.name, 60)) .. " noenhanced",
      "set ylabel " .. plot.quoted(frame.fitted(made.metric, 48)) .. " noenhanced",
      "set offsets 0, 0, graph 0.06, graph 0.06", frame.command(list),
    }, "\n"),
    letters = letters.list(made, asked.title, lattice.format(made)),
  }
end

-- ---- drawn values ------------------------------------------------------------------------------

local function scatter_data(made)
  local values, empty, best, steps = {}, {}, {}, {}
  for _, entry in ipairs(made.entries) do
    local row = { made.x.values[entry.i], made.y.values[entry.j], entry.iqm }
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

-- darker than that of cells, as no text stands on it: each point must be seen
local palette = "0 '#c6dbef', 1 '#6baed6', 2 '#2171b5', 3 '#08306b'"

--- The picture of a sweep whose values were drawn.
-- @tparam table made see `trpo.plots.lattice`
-- @tparam table asked `title`
-- @treturn table for `trpo.plot.draw`, with `letters`
function points.scatter(made, asked)
  local values, empty, best, steps = scatter_data(made)
  local format = lattice.format(made)
  local size = { width = 720, height = 480, left = 84, right = 116, top = 60, bottom = 68 }
  local told = ("%s; circled: %s, %s=%.4g %s=%.4g, "):format(lattice.told(made), lattice.best(made),
    made.x.name, best[1][1], made.y.name, best[1][2]) .. format:format(best[1][3])
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
      range_of("x", made.x), range_of("y", made.y),
      "set xlabel " .. plot.quoted(frame.fitted(made.x.name, 60)) .. " noenhanced",
      "set ylabel " .. plot.quoted(frame.fitted(made.y.name, 48)) .. " noenhanced",
      plot.colour_range(values), heatmap.colour_bar(size, made.metric, palette), frame.command(list),
    }, "\n"),
    letters = letters.list(made, asked.title, format),
  }
end

return points
