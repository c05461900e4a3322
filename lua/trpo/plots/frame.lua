--- What all pictures of runs and sweeps share: texts, headings, ticks, names of columns.
-- @module trpo.plots.frame
local plot = require "trpo.plot"

local frame = {}

-- ---- texts -------------------------------------------------------------------------------------

-- the number of bytes of the UTF-8 sequence that begins with a byte; nil where none does
local function length_of(byte)
  return byte < 0x80 and 1 or byte >= 0xC2 and byte < 0xE0 and 2 or byte >= 0xE0 and byte < 0xF0 and 3
    or byte >= 0xF0 and byte < 0xF5 and 4 or nil
end

-- the characters of a text; bytes that are no UTF-8 become question marks
local function characters(text)
  local out, i = {}, 1
  while i <= #text do
    local n = length_of(text:byte(i))
    local whole = n and text:sub(i, i + n - 1)
    local right = whole and #whole == n and not whole:find("[^\128-\191]", 2)
    out[#out + 1] = right and whole or "?"
    i = i + (right and n or 1)
  end
  return out
end

--- A text that fits: at most so many characters, a mark at the end when some are left out.
-- @tparam string text may come from anybody's file
-- @tparam number most characters
-- @tparam[opt="…"] string mark
-- @treturn string valid UTF-8 without control characters
function frame.fitted(text, most, mark)
  local list = characters((tostring(text):gsub("%c", " ")))
  if #list <= most then return table.concat(list) end
  mark = mark or "…"
  return table.concat(list, "", 1, math.max(most - #characters(mark), 0)) .. mark
end

--- The number of characters of a text.
-- @tparam string text
-- @treturn number
function frame.length(text) return #characters(text) end

--- The number of characters of the longest text.
-- @tparam {string,...} texts
-- @treturn number
function frame.longest(texts)
  local most = 0
  for _, text in ipairs(texts) do most = math.max(most, frame.length(text)) end
  return most
end

--- Columns of the terminal that letters are for.
-- @tparam table asked `columns`, or nil
-- @treturn number
function frame.columns(asked) return asked.columns or 80 end

-- ---- names of columns --------------------------------------------------------------------------

local labels = {
  ["rollout/ep_rew_mean"] = "return of the last episodes",
  ["rollout/ep_len_mean"] = "length of the last episodes [steps]",
  ["train/kl_divergence_loss"] = "KL divergence [nats]",
  ["train/kl_max"] = "largest KL divergence [nats]",
  ["train/explained_variance"] = "explained variance",
  ["train/entropy"] = "entropy [nats]",
  ["eval/mean_reward"] = "return in evaluation",
  ["eval/mean_ep_length"] = "length in evaluation [steps]",
  ["time/fps"] = "steps per second",
  ["time/total_timesteps"] = "environment steps",
  ["time/iterations"] = "iteration",
}

--- What stands beside an axis that shows a column.
-- @tparam string column
-- @treturn string
function frame.label(column) return labels[column] or frame.fitted(column, 60) end

--- The columns that curves are drawn over.
frame.axes = { steps = "time/total_timesteps", time = "time/time_elapsed", iterations = "time/iterations" }

-- ---- numbers -----------------------------------------------------------------------------------

--- A format for all numbers of a table: four digits of the largest, or as many as make sense.
-- @tparam {number,...} list
-- @treturn string for string.format
function frame.format(list)
  local most, whole = 0, true
  for _, x in ipairs(list) do
    if math.abs(x) < math.huge then most, whole = math.max(most, math.abs(x)), whole and x == math.floor(x) end
  end
  if whole and most < 1e6 then return "%.0f" end
  if most ~= 0 and (most < 0.01 or most >= 1e6) then return "%.2e" end
  return most < 10 and "%.3f" or most < 100 and "%.2f" or most < 10000 and "%.1f" or "%.0f"
end

--- A number as a table shows it.
-- @tparam string format
-- @tparam number x
-- @treturn string nought without a sign
function frame.number(format, x)
  return (format:format(x):gsub("^%-(0%.?0*)$", "%1"))
end

--- An interval as a table shows it.
-- @tparam string format
-- @tparam number|nil low
-- @tparam number|nil high
-- @treturn string
function frame.interval(format, low, high)
  return low and ("[%s, %s]"):format(frame.number(format, low), frame.number(format, high)) or "-"
end

--- Distance of ticks for a range: 1, 2 or 5 times a power of ten.
-- @tparam number low
-- @tparam number high
-- @tparam number most ticks
-- @treturn number
function frame.step(low, high, most)
  local raw = (high - low) / most
  if not (raw > 0 and raw < math.huge) then return 1 end
  local power = 10 ^ math.floor(math.log10(raw))
  for _, factor in ipairs { 1, 2, 5, 10 } do
    if factor * power >= raw * (1 - 1e-9) then return factor * power end
  end
end

--- Distance of ticks for a range such that at least two of them lie in it.
-- @tparam number low
-- @tparam number high
-- @tparam number most ticks, where two of them allow it
-- @treturn number
function frame.step_of_two(low, high, most)
  for more = most, most + 4 do
    local step = frame.step(low, high, more)
    if math.floor(high / step + 1e-9) > math.ceil(low / step - 1e-9) then return step end
  end
  return frame.step(low, high, most + 4)
end

local units = { { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } }

--- A number as a tick shows it: 20000 is `20k`.
-- @tparam number x
-- @treturn string
function frame.short(x)
  for _, unit in ipairs(units) do
    if math.abs(x) >= unit[1] then return ("%.4g%s"):format(x / unit[1], unit[2]) end
  end
  return ("%.4g"):format(x)
end

--- Numbers as texts that tell them apart, with as few digits as that takes; six where those say the numbers exactly.
-- @tparam {number,...} list equal ones have equal texts
-- @treturn {string,...}
function frame.texts(list)
  local texts, exact = {}, true
  for i, x in ipairs(list) do
    texts[i] = ("%.6g"):format(x)
    exact = exact and math.abs(tonumber(texts[i]) - x) <= 1e-12 * math.abs(x)
  end
  for digits = 4, exact and 0 or 17 do
    local seen, clear = {}, true
    for i, x in ipairs(list) do
      texts[i] = ("%%.%dg"):format(digits):format(x)
      clear, seen[texts[i]] = clear and (seen[texts[i]] or x) == x, x
    end
    if clear then break end
  end
  return texts
end

-- what stands beside ticks: short, but all different; 20k beside 5k, but 1500 beside 500
local function tick_texts(list)
  local texts, seen, most = {}, {}, 0
  for _, x in ipairs(list) do most = math.max(most, math.abs(x)) end
  for i, x in ipairs(list) do
    texts[i] = most < 1e4 and ("%.4g"):format(x) or frame.short(x)
    if seen[texts[i]] then return frame.texts(list) end
    seen[texts[i]] = true
  end
  return texts
end

--- A text beside an axis of names.
-- @tparam string text in which gnuplot would take % for a format
-- @tparam number place
-- @treturn string for a command of ticks
function frame.tick(text, place) return ("%s %d"):format(plot.quoted((text:gsub("%%", "%%%%"))), place) end

-- the command for ticks at some numbers, and the length of the longest text
local function ticks_command(axis, list)
  local texts, words = tick_texts(list), {}
  for i, text in ipairs(texts) do words[i] = ("'%s' %s"):format(text, plot.number(list[i])) end
  return ("set %stics (%s)"):format(axis, table.concat(words, ", ")), frame.longest(texts)
end

-- multiples of a step in a range
local function multiples(low, high, step)
  local list, first = {}, math.ceil(low / step - 1e-9)
  for i = first, math.min(math.floor(high / step + 1e-9), first + 50) do
    -- no negative nought
    list[#list + 1] = i * step + 0
  end
  return list
end

--- Ticks of a linear axis: round numbers in its range, two of them at least.
-- @tparam string axis `x`, `y` or `cb`
-- @tparam number low end of the axis
-- @tparam number high
-- @tparam number most ticks, where two of them allow it
-- @treturn string a command
-- @treturn number characters of the longest text
function frame.linear_ticks(axis, low, high, most)
  return ticks_command(axis, multiples(low, high, frame.step_of_two(low, high, most)))
end

--- A range with a little room at both ends; numbers that are not negative get none below nought.
-- @tparam number low
-- @tparam number high
-- @tparam[opt=0.04] number share of the range
-- @treturn number
-- @treturn number
function frame.with_room(low, high, share)
  if not (low <= high) then return 0, 1 end
  local room = high > low and (share or 0.04) * (high - low) or math.max(math.abs(high), 1) * 0.1
  return low >= 0 and math.max(low - room, 0) or low - room, high + room
end

--- The range and the ticks of an upright axis.
-- @tparam number low the smallest number that is drawn
-- @tparam number high the largest one
-- @tparam[opt=7] number most ticks
-- @treturn string commands
-- @treturn number pixels that the axis, its texts and its label take on the left
function frame.up(low, high, most)
  low, high = frame.with_room(low, high)
  local ticks, longest = frame.linear_ticks("y", low, high, most or 7)
  return ("set yrange [%s:%s]\n%s"):format(plot.number(low), plot.number(high), ticks), math.max(84, 42 + 7.4 * longest)
end

--- Ticks of an axis that begins at nought.
-- @tparam string axis `x` or `y`
-- @tparam number high end of the axis
-- @tparam number most ticks
-- @treturn string a command
function frame.ticks(axis, high, most)
  return (ticks_command(axis, multiples(0, high, frame.step(0, high, most))))
end

-- 1, 2 and 5 of each power of ten in a range
local function round_numbers(low, high)
  local powers, all = {}, {}
  for k = math.floor(math.log10(low)), math.ceil(math.log10(high)) do
    for _, factor in ipairs { 1, 2, 5 } do
      local x = tonumber(("%de%d"):format(factor, k))
      if x >= low and x <= high then
        all[#all + 1] = x
        if factor == 1 then powers[#powers + 1] = x end
      end
    end
  end
  return #powers >= 3 and powers or all
end

--- Ticks of a logarithmic axis: powers of ten where there are three of them, or else 1, 2 and 5 of each; those of a
-- linear axis where these are too few.
-- @tparam string axis `x` or `y`
-- @tparam number low end of the axis, positive
-- @tparam number high
-- @tparam number most ticks
-- @treturn string a command
function frame.log_ticks(axis, low, high, most)
  local all, list = round_numbers(low, high), {}
  if #all < 2 then all = multiples(low, high, frame.step_of_two(low, high, most)) end
  local every = math.ceil(#all / most)
  for i = 1, #all, every do list[#list + 1] = ("'%.6g' %s"):format(all[i], plot.number(all[i])) end
  return ("set %stics (%s)"):format(axis, table.concat(list, ", "))
end

-- what seconds are shown in
local clocks = { { 7200, 3600, "h" }, { 120, 60, "min" }, { 0, 1, "s" } }

--- The axis that curves are drawn over: its commands, and what its numbers are divided by.
-- @tparam string kind `steps`, `time` or `iterations`
-- @tparam number high the largest number
-- @tparam[opt=6] number most ticks
-- @treturn string commands
-- @treturn string its label
-- @treturn number
function frame.over(kind, high, most)
  local label, divisor = frame.label(frame.axes[kind]), 1
  if kind == "time" then
    for _, clock in ipairs(clocks) do
      if high >= clock[1] then
        label, divisor = ("time [%s]"):format(clock[3]), clock[2]
        break
      end
    end
  end
  high = high > 0 and high / divisor or 1
  return ("set xrange [0:%s]\n%s"):format(plot.number(high), frame.ticks("x", high, most or 6)), label, divisor
end

-- ---- looks -------------------------------------------------------------------------------------

--- The number of colours, and of kinds of lines.
frame.colours, frame.dashes = #plot.colours, 3

--- The most curves that can be told apart.
frame.most = frame.colours * frame.dashes

--- The colour of a curve.
-- @tparam number i
-- @treturn string
function frame.colour(i) return plot.colours[(i - 1) % frame.colours + 1] end

local dashes = { "1", "(9,4)", "(2,3)" }

--- A dash type: curves that share a colour differ in it.
-- @tparam number i
-- @treturn string
function frame.dash(i) return dashes[(i - 1) % frame.dashes + 1] end

--- The colour of what is best, what failed, what is told in passing; texts are readable on every shade of a heat map.
frame.best, frame.failed, frame.faint = "#D55E00", "#6B2300", "#444444"

-- pixels on both sides of a heading
local MARGIN = 16

-- a subtitle in lines that fit: two where one is too short, parted after a semicolon or else between words
local function lines_of(text, most)
  if frame.length(text) <= most then return { text } end
  local blank, semicolon
  for i in text:gmatch "() " do
    if frame.length(text:sub(1, i - 1)) > most then break end
    blank = i
    if text:sub(i - 1, i - 1) == ";" then semicolon = i end
  end
  local cut = semicolon or blank
  if not cut then return { text } end
  return { text:sub(1, cut - 1), text:sub(cut + 1) }
end

local function room_of(size) return math.floor((size.width - 2 * MARGIN) / 6) end

--- Makes room for the lines of a subtitle: the picture gets higher.
-- @tparam table size `width`, `height`, `top` in pixels; changed
-- @tparam[opt] string subtitle
function frame.make_room(size, subtitle)
  local more = 16 * (#lines_of(subtitle or "", room_of(size)) - 1)
  size.top, size.height = size.top + more, size.height + more
end

--- Title and subtitle of a picture, above it on the left; the subtitle in two lines if need be.
-- @tparam table size `width`, `height` in pixels
-- @tparam string title
-- @tparam[opt] string subtitle
-- @treturn string commands
function frame.heading(size, title, subtitle)
  local room = size.width - 2 * MARGIN
  local form = "set label %d %s at screen %.5f, screen %.5f left font ',%s' %s noenhanced front"
  local lines = { form:format(901, plot.quoted(frame.fitted(title, math.floor(room / 8.2))), MARGIN / size.width,
    1 - 20 / size.height, "14", "tc rgb '#000000'") }
  for i, line in ipairs(subtitle and lines_of(subtitle, room_of(size)) or {}) do
    lines[i + 1] = form:format(901 + i, plot.quoted(frame.fitted(line, room_of(size))), MARGIN / size.width,
      1 - (24 + 16 * i) / size.height, "11", ("tc rgb '%s'"):format(frame.faint))
  end
  return table.concat(lines, "\n")
end

--- The place of a frame.
-- @tparam table size `width`, `height` of the picture in pixels
-- @tparam number left pixels from the left
-- @tparam number right
-- @tparam number top pixels from below
-- @tparam number bottom
-- @treturn string commands
function frame.place(size, left, right, top, bottom)
  return ("set lmargin screen %.5f\nset rmargin screen %.5f\nset tmargin screen %.5f\nset bmargin screen %.5f")
    :format(left / size.width, right / size.width, top / size.height, bottom / size.height)
end

--- The place of the only frame of a picture, by its margins.
-- @tparam table size `width`, `height`, `left`, `right`, `top`, `bottom`: pixels around the frame
-- @treturn string commands
function frame.margins(size)
  return frame.place(size, size.left, size.width - size.right, size.height - size.top, size.bottom)
end

--- Axes without a box, faint lines behind the curves.
frame.axes_style = [[
set border 3 lw 0.8
set tics nomirror out scale 0.6
set grid xtics ytics back lc rgb '#d8d8d8' lw 0.6 dashtype 1]]

--- A plot command of several lines.
-- @tparam {string,...} list
-- @treturn string
function frame.command(list) return "plot " .. table.concat(list, ", \\\n  ") end

return frame
