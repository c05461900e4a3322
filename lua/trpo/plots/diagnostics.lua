--- Diagnostics of the trust region: what each step of TRPO was allowed, what it took, and what it brought.
-- @module trpo.plots.diagnostics
local frame = require "trpo.plots.frame"
local groups = require "trpo.plots.groups"
local legend = require "trpo.plots.legend"
local plot = require "trpo.plot"
local progress = require "trpo.progress"
local runs = require "trpo.runs"
local ticks = require "trpo.plots.ticks"
local trpo = require "trpo"
local wording = require "trpo.plots.wording"

local diagnostics = {}

local KL, FRACTION, SUCCESS = "train/kl_divergence_loss", "train/step_fraction", "train/is_line_search_success"
local EXPECTED, ACTUAL = "train/expected_improvement", "train/actual_improvement"
local VARIANCE = "train/explained_variance"

-- the KL divergence in units of delta, a column that only the picture knows
local RATIO = "kl/delta"

-- points of the scatter plot for one group
local MOST = 1500

-- ---- data --------------------------------------------------------------------------------------

local function delta_of(run)
  local delta = run.parameters["algorithm.delta"]
  delta = tonumber(delta)
  return delta and delta > 0 and delta < math.huge and delta or nil
end

-- the only delta of all runs; nil when there are several, false when a run has none
local function common_delta(list)
  local common
  for _, group in ipairs(list) do
    for _, run in ipairs(group.runs) do
      local delta = delta_of(run)
      if not delta then return false end
      if common and delta ~= common then return nil end
      common = delta
    end
  end
  return common
end

local function add_ratios(list)
  for _, group in ipairs(list) do
    for _, run in ipairs(group.runs) do
      local column, delta = run.columns[KL], delta_of(run)
      local ratios = column and {}
      for i = 1, column and run.rows or 0 do ratios[i] = column[i] / delta end
      run.columns[RATIO] = ratios
    end
  end
end

-- curves of a column by group, for those that have it; nil and one sentence when something is wrong with it
local function curves_of(list, x, y)
  local out = {}
  for i, group in ipairs(list) do
    local having = { runs = {} }
    for _, run in ipairs(group.runs) do
      if run.columns[y] then having.runs[#having.runs + 1] = run end
    end
    local curve, message, code
    if #having.runs > 0 then
      curve, message, code = groups.curve(having, x, y)
      if message and code ~= "empty" then return nil, message end
    end
    if curve then
      curve.group = i
      out[#out + 1] = curve
    end
  end
  return out
end

-- the ends of an axis for some numbers, with nought: a few that are far off would leave the others no room
local function ends_of(list)
  local sizes, low, high = {}, 0, 0
  for i, x in ipairs(list) do sizes[i] = math.abs(x) end
  table.sort(sizes)
  local reach = 1.1 * (sizes[math.ceil(0.98 * #sizes)] or 0)
  if not (reach > 0) or sizes[#sizes] <= 2 * reach then reach = math.huge end
  for _, x in ipairs(list) do
    if math.abs(x) <= reach then low, high = math.min(low, x), math.max(high, x) end
  end
  if high == low then high = low + 1 end
  local step = ticks.step(low, high, 5)
  return math.floor(low / step) * step, math.ceil(high / step) * step
end

-- finite points of the improvements of a group's steps, thinned out
local function points_of(group)
  local rows = {}
  for _, run in ipairs(group.runs) do
    local a, b = run.columns[EXPECTED], run.columns[ACTUAL]
    local stride = math.max(1, math.ceil(run.rows * #group.runs / MOST))
    for n = 1, a and b and run.rows or 0, stride do
      if math.abs(a[n]) < math.huge and math.abs(b[n]) < math.huge then rows[#rows + 1] = { a[n], b[n] } end
    end
  end
  return rows
end

-- Expected and actual improvement of each step by group: `list` = { group, rows, beyond = those beyond the axes, moved
-- to their ends }, `count` of the latter, and the ends of the axes.
local function improvements(list)
  local out, numbers = { list = {}, count = 0 }, { {}, {} }
  for i, group in ipairs(list) do
    local rows = points_of(group)
    if #rows > 0 then out.list[#out.list + 1] = { group = i, rows = rows, beyond = {} } end
    for _, row in ipairs(rows) do
      table.insert(numbers[1], row[1])
      table.insert(numbers[2], row[2])
    end
  end
  out.left, out.right = ends_of(numbers[1])
  out.low, out.high = ends_of(numbers[2])
  for _, points in ipairs(out.list) do
    for n = #points.rows, 1, -1 do
      local x, y = unpack(points.rows[n])
      local row = { math.max(out.left, math.min(x, out.right)), math.max(out.low, math.min(y, out.high)) }
      if row[1] ~= x or row[2] ~= y then
        table.remove(points.rows, n)
        points.beyond[#points.beyond + 1], out.count = row, out.count + 1
      end
    end
  end
  return out
end

-- how many steps the line search accepted, and of how many
local function accepted(list)
  local marks = {}
  for _, group in ipairs(list) do
    for _, run in ipairs(group.runs) do
      local column = run.columns[SUCCESS]
      for i = 1, column and run.rows or 0 do
        if column[i] == column[i] then marks[#marks + 1] = column[i] end
      end
    end
  end
  if #marks > 0 then return trpo.tensor(marks):sum(), #marks end
end

-- everything that is drawn; nil and one sentence when a column holds no numbers
local function data_of(list, asked)
  local delta = common_delta(list)
  if delta == nil then add_ratios(list) end
  local made = { delta = delta, list = list }
  for name, column in pairs { kl = delta == nil and RATIO or KL, fraction = FRACTION, variance = VARIANCE } do
    local curves, message = curves_of(list, frame.axes[asked.x], column)
    if not curves then return nil, message, "format" end
    made[name] = curves
  end
  made.improvement = improvements(list)
  made.taken, made.all = accepted(list)
  made.count = #made.kl + #made.fraction + #made.variance + #made.improvement.list
  return made
end

-- ---- script ------------------------------------------------------------------------------------

-- pixels of the whole, and of the four panels
local function size_of(list, subtitle)
  local size = { width = 790, height = 660, left = 84, gap = 80, wide = 290, tall = 205, above = subtitle and 88 or 72,
    between = 92 }
  size.top = size.height - size.above
  local entries, rows, tall = {}, 0, -12
  for i, group in ipairs(list) do entries[i] = { label = group.label, colour = frame.colour(i) } end
  if #list > 1 then rows, tall = legend.rows(entries, size.width - size.left) end
  size.entries, size.rows, size.legend = entries, rows, tall + 12
  size.height = size.height + size.legend
  size.top = size.top + size.legend
  return size
end

local function margins(size, column, row)
  local left = size.left + (column - 1) * (size.wide + size.gap)
  local top = size.top - (row - 1) * (size.tall + size.between)
  return frame.place(size, left, left + size.wide, top, top - size.tall)
end

-- lines of the curves in a terminal
local function letters_of(made, name)
  local list = {}
  for k, curve in ipairs(made[name]) do
    local _, style = legend.glyph(curve.group, #made.list, #curve.x == 1)
    list[k] = ("$%s%d using 1:2 with %s"):format(name, k, style)
  end
  return list
end

-- bands and lines of the curves; many steps of a single run, each with a fraction of its own, are points
local function layers(made, name)
  if made.in_letters then return letters_of(made, name) end
  local list, curves = {}, made[name]
  for k, curve in ipairs(curves) do
    if curve.low and #curve.x > 1 then
      list[#list + 1] = ("$%s%d using 1:3:4 with filledcurves fc rgb '%s' fillstyle transparent solid 0.18 noborder")
        :format(name, k, frame.colour(curve.group))
    end
  end
  for k, curve in ipairs(curves) do
    local colour = frame.colour(curve.group)
    local dotted = #curve.x == 1 or name == "fraction" and curve.count == 1 and #curve.x > 100
    list[#list + 1] = dotted and ("$%s%d using 1:2 with points pt 7 ps %g lc rgb '%s'"):format(name, k,
      #curve.x == 1 and 0.6 or 0.25, colour)
      or ("$%s%d using 1:2 with lines lw 1.4 lc rgb '%s'"):format(name, k, colour)
  end
  return list
end

local function title(text)
  return ("set label 1 %s at graph 0, graph 1.07 left font ',12' noenhanced"):format(plot.quoted(text))
end

-- a panel without numbers says so
local function body(list, column)
  if #list > 0 then return frame.command(list) end
  return ("set label 3 %s at graph 0.5, graph 0.5 center font ',10' tc rgb '%s' noenhanced\nplot NaN notitle"):format(
    plot.quoted("no " .. column), frame.faint)
end

-- a line that says where something should be
local function dashed(made, colour)
  return made.in_letters and "with points pt '.'"
    or ("with lines dashtype (6,4) lw 1.2 lc rgb '%s' notitle"):format(colour or "#000000")
end

local function divergence(made, x)
  local list = layers(made, "kl")
  local limit = made.delta == nil and 1 or made.delta or nil
  if limit and #list > 0 then list[#list + 1] = ("%s %s"):format(plot.number(limit), dashed(made)) end
  return table.concat({
    title(made.delta == nil and "KL divergence of each step / delta" or "KL divergence of each step [nats]"),
    limit and ("set label 2 %s at graph 0.99, first %s right offset 0,0.55 font ',10' noenhanced"):format(
      plot.quoted(made.delta and "delta = " .. runs.text(limit) or "the limit, delta"), plot.number(limit)) or "",
    x.commands, limit and ("set yrange [0:%s<*]"):format(plot.number(1.25 * limit)) or "set yrange [0:*]",
    "set xlabel " .. plot.quoted(x.label), body(list, KL),
  }, "\n")
end

local function fraction(made, x)
  local told = made.all and (": %.0f of %.0f accepted"):format(made.taken, made.all) or ""
  return table.concat({
    title("fraction of the step" .. told), x.commands, "set yrange [-0.04:1.08]",
    "set xlabel " .. plot.quoted(x.label), body(layers(made, "fraction"), FRACTION),
  }, "\n")
end

-- points of the improvements; triangles for those that lie beyond the axes
local function points_layers(made)
  local list = {}
  for k, points in ipairs(made.improvement.list) do
    local colour = ("lc rgb '#60%s'"):format(frame.colour(points.group):sub(2))
    local glyph = legend.glyph(points.group, #made.list)
    list[#list + 1] = ("$improvement%d using 1:2 with points %s"):format(k,
      made.in_letters and ("pt '%s'"):format(glyph) or "pt 7 ps 0.35 " .. colour)
    if #points.beyond > 0 then
      list[#list + 1] = ("$beyond%d using 1:2 with points %s"):format(k, made.in_letters and "pt '>'" or "pt 9 ps 0.7 "
        .. colour)
    end
  end
  if #list > 0 then list[#list + 1] = "x " .. dashed(made) end
  return list
end

local function improvement(made)
  local at = made.improvement
  local beyond = at.count > 0 and (" (%s beyond)"):format(progress.count(at.count, "point")) or ""
  return table.concat({
    title("improvement of the surrogate per step" .. beyond), "set xlabel 'expected'\nset ylabel 'actual'",
    ("set xrange [%s:%s]\nset yrange [%s:%s]"):format(plot.number(at.left), plot.number(at.right),
      plot.number(at.low), plot.number(at.high)),
    (ticks.linear("x", at.left, at.right, 5)), (ticks.linear("y", at.low, at.high, 5)),
    body(points_layers(made), EXPECTED),
  }, "\n")
end

local function variance(made, x)
  local low = 0
  for _, curve in ipairs(made.variance) do
    for i, y in ipairs(curve.y) do low = math.min(low, curve.low and curve.low[i] or y) end
  end
  -- a critic that knows nothing yet may be arbitrarily wrong
  low = math.max(-1, low)
  local list = layers(made, "variance")
  if #list > 0 and low < 0 then list[#list + 1] = "0 " .. dashed(made, "#999999") end
  return table.concat({
    title("explained variance of the critic"), x.commands, "unset ylabel\nset ytics autofreq",
    ("set yrange [%s:1.05]"):format(plot.number(low - 0.04)), "set xlabel " .. plot.quoted(x.label),
    body(list, VARIANCE),
  }, "\n")
end

-- one legend for all panels
local function legend_of(size)
  if size.rows == 0 then return "" end
  return table.concat({
    "unset border\nunset tics\nunset grid\nunset xlabel\nunset ylabel\nset xrange [0:1]\nset yrange [0:1]",
    frame.place(size, 0, size.width, size.height, 0),
    legend.commands(size, size.entries, size.left, size.legend, size.rows),
    "plot NaN notitle",
  }, "\n")
end

local function blocks(made)
  local out = {}
  for _, name in ipairs { "kl", "fraction", "variance" } do
    for k, curve in ipairs(made[name]) do
      out[#out + 1] = plot.block(name .. k, groups.rows(curve, made.divisor))
    end
  end
  for k, points in ipairs(made.improvement.list) do
    out[#out + 1] = plot.block("improvement" .. k, points.rows)
    if #points.beyond > 0 then out[#out + 1] = plot.block("beyond" .. k, points.beyond) end
  end
  return table.concat(out, "\n")
end

local function told(made, asked)
  local longest = #made.kl > 0 and made.kl or made.variance
  local numbers = #longest > 0 and groups.told(longest) or nil
  return numbers and asked.shown and numbers .. "; " .. asked.shown or numbers or asked.shown
end

local function script_of(made, asked, x)
  local subtitle = told(made, asked)
  local size = size_of(made.list, subtitle)
  return {
    width = size.width, height = size.height,
    script = table.concat({
      blocks(made), frame.axes_style, "unset key", "set tics font ',10'", "set multiplot",
      margins(size, 1, 1), frame.heading(size, asked.title, subtitle), divergence(made, x),
      "unset label", margins(size, 2, 1), fraction(made, x),
      "unset label", margins(size, 1, 2), improvement(made),
      "unset label", margins(size, 2, 2), variance(made, x),
      "unset label", legend_of(size), "unset multiplot",
    }, "\n"),
  }
end

-- in a terminal: one panel below the other
local function text_of(made, asked, x)
  made.in_letters = true
  local function panel(text)
    text = text:gsub("set label 1 ('.-') at [^\n]*", "unset label\nset title %1 offset 0,-1", 1)
    return (text:gsub("lc rgb '[^']*'", ""))
  end
  return table.concat({
    blocks(made), "set tics nomirror", "unset key",
    ("set multiplot layout 4,1 title %s noenhanced"):format(plot.quoted(wording.fitted(asked.title
      .. (asked.shown and ": " .. asked.shown or ""), frame.columns(asked) - 4))),
    panel(divergence(made, x)), panel(fraction(made, x)), panel(improvement(made)), panel(variance(made, x)),
    "unset multiplot",
  }, "\n")
end

--- The picture of diagnostics.
-- @tparam table list groups, see `trpo.plots.groups`
-- @tparam table asked `x`, `title`, `shown` = which groups these are, or nil
-- @treturn table|nil for `trpo.plot.draw`
-- @treturn {string,...}|string remarks; or what is wrong
-- @treturn string|nil code: "format", "empty", "too_many"
function diagnostics.picture(list, asked)
  if #list > frame.colours then
    return nil, ("diagnostics of %d groups cannot be told apart, there may be %d: put runs together by --group"):format(
      #list, frame.colours), "too_many"
  end
  local made, message, code = data_of(list, asked)
  if not made then return nil, message, code end
  if made.count == 0 then
    return nil, ("no run has columns of TRPO's diagnostics, such as %s"):format(KL), "empty"
  end
  local curves = {}
  for _, name in ipairs { "kl", "fraction", "variance" } do
    for _, curve in ipairs(made[name]) do curves[#curves + 1] = curve end
  end
  local commands, label, divisor = ticks.over(asked.x, groups.reach(curves), 5)
  made.divisor = divisor
  local x = { commands = commands, label = label }
  local picture = script_of(made, asked, x)
  picture.text, picture.columns, picture.lines = text_of(made, asked, x), frame.columns(asked) - 1, 80
  picture.below = legend.letters(list, frame.columns(asked))
  return picture, {}
end

return diagnostics
