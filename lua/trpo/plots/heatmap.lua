--- Heat maps: the metric of a sweep over two of its parameters, the best cell framed.
-- @module trpo.plots.heatmap
local frame = require "trpo.plots.frame"
local lattice = require "trpo.plots.lattice"
local letters = require "trpo.plots.letters"
local plot = require "trpo.plot"
local ticks = require "trpo.plots.ticks"
local wording = require "trpo.plots.wording"

local heatmap = {}

-- ---- sizes in pixels ---------------------------------------------------------------------------

-- longest texts of ticks, in characters
local WIDEST = 26

local function between(low, x, high) return math.max(low, math.min(x, high)) end

local function fitted(texts)
  local list = {}
  for i, text in ipairs(texts) do list[i] = wording.fitted(text, WIDEST) end
  return list
end

-- where everything goes; cells are wide enough for their numbers where there are not too many
local function size_of(made, interval_length, scale)
  local columns, rows = #made.x.texts, #made.y.texts
  local size = { x_texts = fitted(made.x.texts), y_texts = fitted(made.y.texts) }
  size.cell = { between(18, math.floor(640 / columns), math.max(84, 6 * interval_length + 12)),
    between(18, math.floor(400 / rows), 70) }
  local longest = wording.longest(size.x_texts)
  size.slanted = 6.8 * longest > size.cell[1] - 6
  -- slanted texts of narrow columns would touch each other
  size.upright = size.slanted and size.cell[1] < 24
  size.left = 46 + 7 * wording.longest(size.y_texts)
  size.bottom = 66 + (size.upright and 7 * longest or size.slanted and 4.6 * longest or 0)
  size.top, size.right = 62, scale.wide
  if size.slanted and not size.upright then size.left = math.max(size.left, 4.6 * longest + 10) end
  -- room for titles
  size.right = math.max(size.right, 520 - size.left - columns * size.cell[1])
  size.width = size.left + columns * size.cell[1] + size.right
  size.height = size.top + rows * size.cell[2] + size.bottom
  return size
end

-- ---- texts in cells ----------------------------------------------------------------------------

-- what is to be said of a cell that is not complete, or was trained for less than others
local function remark(made, entry)
  local steps = lattice.steps(made, entry)
  local rest = steps and ", " .. steps or ""
  if entry.failed > 0 then return ("%d failed%s"):format(entry.failed, rest), frame.failed end
  if entry.n < entry.total then return ("%d of %d%s"):format(entry.n, entry.total, rest), frame.faint end
  if steps then return steps .. " steps", frame.faint end
end

-- a font that lets a text of so many characters into a cell; nil when none does
local function font(size, length, largest)
  for points = largest, 7, -1 do
    if 0.6 * points * length + 4 <= size.cell[1] and points + 5 <= size.cell[2] then return points end
  end
end

-- the fonts of the texts in cells, nil where there is no room for them
local function fonts_of(size, longest)
  local small = longest.interval > 0 and size.cell[2] >= 44 and font(size, longest.interval, 10)
  small = small and small >= 8 and small or nil
  return { number = font(size, longest.number, 13), interval = small,
    remark = size.cell[2] >= (small and 62 or 34) and font(size, longest.remark, 9) or nil }
end

-- ---- layers ------------------------------------------------------------------------------------

-- blocks of data by name
local function data_of(made, format)
  local data = { values = {}, empty = {}, numbers = {}, intervals = {}, remarks = {}, best = {} }
  local tall = false
  for i = 1, #made.x.texts do
    for j = 1, #made.y.texts do
      local entry = made.at[i] and made.at[i][j]
      local told, colour
      if entry then told, colour = remark(made, entry) end
      if entry and entry.iqm then
        tall = tall or entry.low ~= nil
        data.values[#data.values + 1] = { i, j, entry.iqm }
        data.numbers[#data.numbers + 1] = { i, j, plot.word(wording.number(format, entry.iqm)) }
        data.intervals[#data.intervals + 1] = { i, j, plot.word(wording.interval(format, entry.low, entry.high)) }
      elseif entry then
        data.empty[#data.empty + 1] = { i, j }
      end
      if told then
        -- where there is no number, in the middle
        local y = entry.iqm and j - 0.36 or j
        data.remarks[#data.remarks + 1] = { i, y, plot.word(told), tonumber(colour:sub(2), 16) }
      end
    end
  end
  if not tall then data.intervals = {} end
  if made.best then data.best[1] = { made.best.i, made.best.j } end
  return data
end

local function boxes(name, half, style)
  return ("$%s using 1:2:($1-%g):($1+%g):($2-%g):($2+%g)%s notitle"):format(name, half, half, half, half, style)
end

local function labels(name, points, dy, colour)
  return ("$%s using 1:($2+%g):3%s with labels font ',%d' tc rgb %s noenhanced notitle"):format(name, dy,
    colour and "" or ":4", points, colour and plot.quoted(colour) or "variable")
end

-- the layers from below
local function layers(data, fonts)
  local list = {}
  local function add(name, command)
    if #data[name] > 0 and command then list[#list + 1] = command end
  end
  add("values", boxes("values", 0.5, ":3 with boxxyerror fillstyle solid noborder lc palette"))
  add("empty", boxes("empty", 0.5, " with boxxyerror fillstyle pattern 4 noborder lc rgb '#d0d0d0'"))
  for _, name in ipairs { "values", "empty" } do
    add(name, boxes(name, 0.5, " with boxxyerror fillstyle empty border lc rgb '#ffffff' lc rgb '#ffffff' lw 1.5"))
  end
  add("best", boxes("best", 0.475, (" with boxxyerror fillstyle empty border lc rgb '%s' lc rgb '%s' lw 3")
    :format(frame.best, frame.best)))
  add("numbers", fonts.number and labels("numbers", fonts.number, fonts.interval and 0.13 or 0, "#000000"))
  add("intervals", fonts.interval and labels("intervals", fonts.interval, -0.14, "#333333"))
  add("remarks", fonts.remark and labels("remarks", fonts.remark, 0))
  return frame.command(list)
end

--- The range of colours for some rows.
-- @tparam {table,...} rows with the values at 3
-- @treturn table `low`, `high`, `alike` = the only value or nil, `wide` = pixels of the bar with its texts
function heatmap.scale(rows)
  local low, high = math.huge, -math.huge
  for _, row in ipairs(rows) do low, high = math.min(low, row[3]), math.max(high, row[3]) end
  if high - low <= 1e-12 * math.max(math.abs(low), math.abs(high)) then
    local alike = low
    low, high = ticks.with_room(alike, alike)
    return { low = low, high = high, alike = alike, wide = 112 }
  end
  local longest = select(2, ticks.linear("cb", low, high, 10))
  return { low = low, high = high, wide = math.max(112, 76 + 7 * longest) }
end

--- A bar of colours on the right of a frame.
-- @tparam table size `width`, `height`, `left`, `right`, `top`, `bottom`
-- @tparam table scale see `scale`
-- @tparam string label
-- @tparam[opt] string palette
-- @treturn string commands
function heatmap.colour_bar(size, scale, label, palette)
  local tall = size.height - size.top - size.bottom
  local marks = scale.alike and ("set cbtics ('%s' %s)"):format(wording.short(scale.alike), plot.number(scale.alike))
    or ticks.linear("cb", scale.low, scale.high, between(2, math.floor(tall / 32), 10))
  return ("set cbrange [%s:%s]\n%s\nset cbtics scale 0.6\nset palette defined (%s)\n"
    .. "set colorbox user origin screen %.5f,%.5f size screen %.5f,%.5f\nset cblabel %s noenhanced offset 1.4,0")
    :format(plot.number(scale.low), plot.number(scale.high), marks, palette or plot.palette,
    (size.width - size.right + 14) / size.width, size.bottom / size.height, 14 / size.width, tall / size.height,
    plot.quoted(wording.fitted(label, math.max(12, math.floor(tall / 7)))))
end

-- texts beside their cells
local function texts_beside(axis, texts, style)
  local list = {}
  for i, text in ipairs(texts) do list[i] = ticks.named(text, i) end
  return ("set %stics (%s) scale 0 noenhanced %s"):format(axis, table.concat(list, ", "), style)
end

local function turned(size)
  return size.upright and "rotate by 90 right" or size.slanted and "rotate by 35 right offset 0,-0.2" or ""
end

local function longest_of(data)
  local function most(rows)
    local n = 0
    for _, row in ipairs(rows) do n = math.max(n, #row[3] - 2) end
    return n
  end
  return { number = most(data.numbers), interval = most(data.intervals), remark = most(data.remarks) }
end

local function blocks(data)
  local out = {}
  for _, name in ipairs { "values", "empty", "numbers", "intervals", "remarks", "best" } do
    if #data[name] > 0 then out[#out + 1] = plot.block(name, data[name]) end
  end
  return table.concat(out, "\n")
end

-- what the picture shows, below its title
local function subtitle_of(made, with_interval)
  local told = lattice.told(made, with_interval)
  if not made.best then return told end
  return told .. "; framed: " .. lattice.best(made) .. (made.goal == "minimize" and ", smallest" or "")
end

local function tiles(made, asked)
  local format = lattice.format(made)
  local data = data_of(made, format)
  local longest, scale = longest_of(data), heatmap.scale(data.values)
  local size = size_of(made, longest.interval, scale)
  local columns, rows = #made.x.texts, #made.y.texts
  local fonts = fonts_of(size, longest)
  local subtitle = subtitle_of(made, fonts.interval ~= nil)
  frame.make_room(size, subtitle)
  return {
    width = size.width, height = size.height,
    script = table.concat({
      blocks(data), "unset key", "unset border", frame.margins(size),
      frame.heading(size, asked.title, subtitle),
      ("set xrange [0.47:%g]\nset yrange [0.47:%g]"):format(columns + 0.53, rows + 0.53),
      texts_beside("x", size.x_texts, turned(size)), texts_beside("y", size.y_texts, ""),
      "set xlabel " .. plot.quoted(wording.fitted(made.x.name, 60)) .. " noenhanced offset 0,"
        .. (size.slanted and "-0.2" or "0.2"),
      "set ylabel " .. plot.quoted(wording.fitted(made.y.name, 40)) .. " noenhanced",
      heatmap.colour_bar(size, scale, frame.label(made.metric)), layers(data, fonts),
    }, "\n"),
    letters = letters.tiles(made, asked, format),
  }
end

--- The picture of a sweep's metric.
-- @tparam table made see `trpo.plots.lattice`
-- @tparam table asked `title`
-- @treturn table|nil for `trpo.plot.draw`; `letters`, a text for a terminal
-- @treturn {string,...}|string remarks; or what is wrong
-- @treturn string|nil code
function heatmap.picture(made, asked)
  local any = false
  for _, entry in ipairs(made.entries) do any = any or entry.iqm ~= nil end
  if not any then
    return nil, ("no trial of sweep '%s' has a number for %s yet"):format(made.name, made.metric), "empty"
  end
  if not made.y.name then return require("trpo.plots.points").line(made, asked), {} end
  if made.scattered then return require("trpo.plots.points").scatter(made, asked), {} end
  return tiles(made, asked), {}
end

return heatmap
