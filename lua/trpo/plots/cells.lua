--- Learning curves of each cell of a sweep as small pictures, which share their axes and stand where the cells stand in
-- the heat map.
-- @module trpo.plots.cells
local aligned = require("trpo.mdp.text").aligned
local frame = require "trpo.plots.frame"
local groups = require "trpo.plots.groups"
local lattice = require "trpo.plots.lattice"
local letters = require "trpo.plots.letters"
local plot = require "trpo.plot"
local ticks = require "trpo.plots.ticks"
local wording = require "trpo.plots.wording"

local cells = {}

-- the most rows and columns of a table, and the most cells that are shown in order of rank
local WIDEST, RANKED = 12, 24

-- ---- panels ------------------------------------------------------------------------------------

-- the curve of an entry of the table: of all runs in its cells
local function curve_of(entry, by_cell, x, y)
  local group = { runs = {} }
  for _, cell in ipairs(entry.cells) do
    for _, run in ipairs(by_cell[cell.index] or {}) do group.runs[#group.runs + 1] = run end
  end
  if #group.runs == 0 then return nil end
  return groups.curve(group, x, y)
end

local function label_of(made, entry)
  local words = { made.x.name .. "=" .. made.x.texts[entry.i] }
  if made.y.name then words[2] = made.y.name .. "=" .. made.y.texts[entry.j] end
  return table.concat(words, " ")
end

local function is_table(made)
  return made.y.name and not made.scattered and #made.x.texts <= WIDEST and #made.y.texts <= WIDEST
end

-- Entries with their columns and rows, counted from above: as in the heat map, or one after another, the best first
-- where there is no order.
local function placed(made)
  local list = {}
  if is_table(made) then
    for _, entry in ipairs(made.entries) do
      list[#list + 1] = { entry = entry, column = entry.i, row = #made.y.texts + 1 - entry.j }
    end
    return list, #made.x.texts, #made.y.texts
  end
  local order = made.y.name and letters.ranked(made) or letters.placed(made)
  local n = math.min(#order, RANKED)
  local columns = math.min(4, n)
  for k = 1, n do
    list[k] = { entry = order[k], column = (k - 1) % columns + 1, row = math.floor((k - 1) / columns) + 1 }
  end
  return list, columns, math.ceil(n / columns), #order - n
end

-- tells which panels have no other one on their left, and none below: those show the numbers of the axes
local function add_edges(panels)
  local left, below = {}, {}
  for _, panel in ipairs(panels) do
    local first, last = left[panel.row], below[panel.column]
    if not first or panel.column < first.column then left[panel.row] = panel end
    if not last or panel.row > last.row then below[panel.column] = panel end
  end
  for _, panel in ipairs(panels) do
    panel.leftmost, panel.lowest = left[panel.row] == panel, below[panel.column] == panel
  end
end

-- ---- script ------------------------------------------------------------------------------------

-- characters of a title for each pixel of a panel
local TITLE = 1 / 5.6

-- titles of panels that do not stand in a table: of one line, or of one for each parameter where that is too long
local function add_titles(panels, made, wide)
  local names, lines = groups.names { made.x.path, made.y.path }, 1
  for _, panel in ipairs(panels) do
    panel.title = { names[1] .. "=" .. made.x.texts[panel.entry.i] }
    if made.y.name then panel.title[2] = names[2] .. "=" .. made.y.texts[panel.entry.j] end
    if wording.length(table.concat(panel.title, " ")) > wide * TITLE then lines = #panel.title end
  end
  for _, panel in ipairs(lines == 1 and panels or {}) do panel.title = { table.concat(panel.title, " ") } end
  return lines
end

local function between(low, x, high) return math.max(low, math.min(x, high)) end

local function size_of(made, panels, columns, rows)
  local in_table = is_table(made)
  local size = { left = 78, right = 40, top = in_table and 88 or 66, bottom = 48, gap = 14 }
  size.panel = { math.floor(between(58, 700 / columns, 190)), math.floor(between(48, 480 / rows, 120)) }
  size.above = in_table and 0 or 4 + 14 * add_titles(panels, made, size.panel[1])
  size.width = math.max(size.left + columns * (size.panel[1] + size.gap) + size.right, 480)
  size.height = size.top + rows * (size.panel[2] + size.gap + size.above) + size.bottom
  return size
end

-- pixels of a panel: left, right, top, bottom, from the left and from below
local function corners(size, panel)
  local left = size.left + (panel.column - 1) * (size.panel[1] + size.gap)
  local top = size.height - size.top - (panel.row - 1) * (size.panel[2] + size.gap + size.above) - size.above
  return left, left + size.panel[1], top, top - size.panel[2]
end

local function layers(panel, k)
  local curve, colour = panel.curve, frame.colour(1)
  if not curve then return "plot NaN notitle" end
  local list = {}
  if curve.low then
    list[1] = ("$cell%d using 1:3:4 with filledcurves fc rgb '%s' fillstyle transparent solid 0.25 noborder")
      :format(k, colour)
  end
  list[#list + 1] = ("$cell%d using 1:2 with %s lc rgb '%s'"):format(k,
    curve.sparse and "linespoints lw 1.3 pt 7 ps 0.4" or "lines lw 1.8", colour)
  return frame.command(list)
end

local function screen(x, y, size) return ("screen %.5f, screen %.5f"):format(x / size.width, y / size.height) end

-- what stands in an empty panel
local function reason(entry) return entry.failed > 0 and entry.failed == entry.total and "failed" or "no rows yet" end

-- a frame of its own around the best panel: a thick border would have thick ticks
local frame_of_best = ("set object 1 rectangle from graph 0, graph 0 to graph 1, graph 1 front fillstyle empty "
  .. "border lc rgb '%s' lw 2.5"):format(frame.best)

local function panel_script(panel, k, size, made)
  local left, right, top, bottom = corners(size, panel)
  local lines = {
    frame.place(size, left, right, top, bottom),
    "set border 15 lw 0.6 lc rgb '#999999'",
    panel.entry == made.best and frame_of_best or "unset object",
    panel.lowest and size.ticks or size.ticks:gsub("'[^']*'", "''"),
    panel.leftmost and size.up or size.up:gsub("'[^']*'", "''"), "unset label",
  }
  for n, text in ipairs(panel.title or {}) do
    lines[#lines + 1] = ("set label %s at %s left font ',10' noenhanced"):format(plot.quoted(wording.fitted(text,
      math.floor(size.panel[1] * TITLE))), screen(left, top + 9 + 13 * (#panel.title - n), size))
  end
  if not panel.curve then
    lines[#lines + 1] = ("set label '%s' at graph 0.5, graph 0.5 center font ',10' tc rgb '%s'"):format(
      reason(panel.entry), panel.entry.failed > 0 and frame.failed or frame.faint)
  end
  local steps = panel.curve and lattice.steps(made, panel.entry)
  if steps then
    lines[#lines + 1] = ("set label '%s steps' at graph 0.97, graph 0.1 right font ',9' tc rgb '%s' front"):format(
      steps, frame.faint)
  end
  lines[#lines + 1] = layers(panel, k)
  return table.concat(lines, "\n")
end

-- names of columns and rows around a table, titles, labels of the axes; drawn with an empty picture over everything
local function surroundings(made, size, asked, words)
  local lines = { frame.place(size, 0, size.width, size.height, 0),
    "unset border\nunset tics\nunset grid\nunset label\nunset object",
    frame.heading(size, asked.title, words.subtitle) }
  local function put(text, x, y, style)
    lines[#lines + 1] = ("set label %s at %s %s noenhanced"):format(plot.quoted(text), screen(x, y, size), style)
  end
  local wide = words.columns * (size.panel[1] + size.gap) - size.gap
  local tall = size.height - size.top - size.bottom
  put(words.x, size.left + wide / 2, 14, "center font ',12'")
  put(wording.fitted(frame.label(asked.y), math.floor(size.height / 8)), 16, size.bottom + tall / 2,
    "center rotate by 90 font ',12'")
  for i, text in ipairs(size.above == 0 and made.x.texts or {}) do
    local left, right = corners(size, { column = i, row = 1 })
    local told = i == 1 and made.x.name .. "=" .. text or text
    if 6 * wording.length(told) > size.panel[1] + size.gap then
      told = text
      if i == 1 then put("columns: " .. made.x.name, 16, 14, "left font ',11'") end
    end
    put(wording.fitted(told, math.floor((size.panel[1] + size.gap) / 6)), (left + right) / 2,
      size.height - size.top + 11, "center font ',11'")
  end
  for j, text in ipairs(size.above == 0 and made.y.texts or {}) do
    local _, right, top, bottom = corners(size, { column = #made.x.texts, row = #made.y.texts + 1 - j })
    local told = j == #made.y.texts and made.y.name .. "=" .. text or text
    if 6 * wording.length(told) > size.panel[2] + size.gap then
      told = text
      if j == #made.y.texts then put("rows: " .. made.y.name, size.width - 10, 14, "right font ',11'") end
    end
    put(wording.fitted(told, math.floor((size.panel[2] + size.gap) / 6)), right + 14, (top + bottom) / 2,
      "center rotate by -90 font ',11'")
  end
  lines[#lines + 1] = "set xrange [0:1]\nset yrange [0:1]\nplot NaN notitle"
  return table.concat(lines, "\n")
end

-- ---- letters -----------------------------------------------------------------------------------

-- a curve in shades as wide as there is room for, the last number, how far the cell is, a star for the best
local function rows_of(panels, made, width, low, high)
  local rows = { { "curve", "last", "" } }
  for k, panel in ipairs(panels) do
    local curve = panel.curve
    rows[k + 1] = { curve and "|" .. letters.spark(curve.y, low, high, width) .. "|" or reason(panel.entry),
      curve and ("%.5g"):format(curve.y[#curve.y]) or "", panel.entry == made.best and "*" or "" }
  end
  for k, row in ipairs(made.halving and rows or {}) do
    table.insert(row, 3, k == 1 and "steps" or lattice.steps(made, panels[k - 1].entry) or "")
  end
  return rows
end

-- a line for each cell, or two where its name would leave no room for its curve
local function in_letters(panels, made, asked, low, high)
  local names, columns = {}, frame.columns(asked)
  for k, panel in ipairs(panels) do
    names[k] = wording.fitted(label_of(made, panel.entry), math.min(44, columns - 2), "..")
  end
  -- blanks, bars around the curve, the last number, the steps, a star
  local room = columns - 22 - (made.halving and 7 or 0)
  local above = room - wording.longest(names) < 12
  local rows = rows_of(panels, made, math.min(32, above and room or room - wording.longest(names)), low, high)
  local text
  if above then
    local k = -1
    text = aligned(rows, { 1, #rows[1] }):gsub("[^\n]+\n", function(line)
      k = k + 1
      return k > 0 and "  " .. names[k] .. "\n" .. line or ""
    end)
  else
    for k, row in ipairs(rows) do table.insert(row, 1, names[k - 1] or "cell") end
    text = aligned(rows, { 1, 2, #rows[1] })
  end
  return letters.lines(("%s: %s"):format(wording.fitted(asked.title, 60, ".."), asked.y), columns)
    .. (". is %.4g, @ is %.4g; * best\n\n"):format(low, high) .. text
end

-- ---- the picture -------------------------------------------------------------------------------

-- runs by cell
local function by_cell(list)
  local out = {}
  for _, group in ipairs(list) do out[group.runs[1].cell] = group.runs end
  return out
end

local function told(panels, made, left_out, y)
  local curves = {}
  for _, panel in ipairs(panels) do curves[#curves + 1] = panel.curve end
  local words = { groups.told(curves) or "one run each" }
  if #made.pooled > 0 then words[1] = words[1] .. ", over all " .. table.concat(made.pooled, ", ") end
  if #made.fixed > 0 then words[#words + 1] = made.fixed end
  if (left_out or 0) > 0 then words[#words + 1] = ("the %d best of %d cells"):format(#panels, #panels + left_out) end
  -- what is drawn need not be what it is the best by
  local by = y ~= made.metric and " by " .. made.metric or ""
  if made.best then words[#words + 1] = "framed: " .. lattice.best(made) .. by end
  return table.concat(words, "; ")
end

--- The picture of all cells.
-- @tparam table made see `trpo.plots.lattice`
-- @tparam table list groups of runs, one for each cell
-- @tparam table asked `x`, `y`, `title`
-- @treturn table|nil for `trpo.plot.draw`, with `letters`
-- @treturn {string,...}|string remarks; or what is wrong
-- @treturn string|nil code
function cells.picture(made, list, asked)
  local panels, columns, rows, left_out = placed(made)
  local runs, curves = by_cell(list), {}
  for _, panel in ipairs(panels) do
    local message, code
    panel.curve, message, code = curve_of(panel.entry, runs, frame.axes[asked.x], asked.y)
    if message and code ~= "empty" then return nil, message, "format" end
    curves[#curves + 1] = panel.curve
  end
  if #curves == 0 then return nil, ("no cell has numbers in '%s' yet"):format(asked.y), "empty" end
  local size, high = size_of(made, panels, columns, rows), groups.reach(curves)
  add_edges(panels)
  local subtitle = told(panels, made, left_out, asked.y)
  frame.make_room(size, subtitle)
  local commands, label, divisor = ticks.over(asked.x, high, 3)
  local low, top = ticks.with_room(groups.extent(curves))
  -- a tick at the end of one panel would touch the first one of the next
  size.ticks = ticks.from_nought("x", 0.9 * high / divisor, math.max(1, math.floor(size.panel[1] / 55)))
  size.up = ticks.linear("y", low, top, math.max(2, math.floor(size.panel[2] / 26)))
  local lines = {}
  for k, panel in ipairs(panels) do
    if panel.curve then lines[#lines + 1] = plot.block("cell" .. k, groups.rows(panel.curve, divisor)) end
  end
  lines[#lines + 1] = table.concat({ frame.axes_style, "unset key", "set multiplot", commands,
    ("set yrange [%s:%s]"):format(plot.number(low), plot.number(top)),
    "set tics scale 0.4 font ',10' tc rgb '#000000'" }, "\n")
  for k, panel in ipairs(panels) do
    lines[#lines + 1] = panel_script(panel, k, size, made)
  end
  lines[#lines + 1] = surroundings(made, size, asked,
    { subtitle = subtitle, x = label, columns = columns })
  lines[#lines + 1] = "unset multiplot"
  return { width = size.width, height = size.height, script = table.concat(lines, "\n"),
    letters = in_letters(panels, made, asked, low, top) }, {}
end

return cells
