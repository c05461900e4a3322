--- Ranges and ticks of axes.
-- @module trpo.plots.ticks
local frame = require "trpo.plots.frame"
local plot = require "trpo.plot"
local wording = require "trpo.plots.wording"

local ticks = {}

--- Distance of ticks for a range: 1, 2 or 5 times a power of ten.
-- @tparam number low
-- @tparam number high
-- @tparam number most ticks
-- @treturn number
function ticks.step(low, high, most)
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
function ticks.step_of_two(low, high, most)
  for more = most, most + 4 do
    local step = ticks.step(low, high, more)
    if math.floor(high / step + 1e-9) > math.ceil(low / step - 1e-9) then return step end
  end
  return ticks.step(low, high, most + 4)
end

-- what stands beside ticks: short, but all different; 20k beside 5k, but 1500 beside 500
local function tick_texts(list)
  local texts, seen, most = {}, {}, 0
  for _, x in ipairs(list) do most = math.max(most, math.abs(x)) end
  for i, x in ipairs(list) do
    texts[i] = most < 1e4 and ("%.4g"):format(x) or wording.short(x)
    if seen[texts[i]] then return wording.texts(list) end
    seen[texts[i]] = true
  end
  return texts
end

--- A text beside an axis of names.
-- @tparam string text in which gnuplot would take % for a format
-- @tparam number place
-- @treturn string for a command of ticks
function ticks.named(text, place) return ("%s %d"):format(plot.quoted((text:gsub("%%", "%%%%"))), place) end

-- the command for ticks at some numbers, and the length of the longest text
local function ticks_command(axis, list)
  local texts, words = tick_texts(list), {}
  for i, text in ipairs(texts) do words[i] = ("'%s' %s"):format(text, plot.number(list[i])) end
  return ("set %stics (%s)"):format(axis, table.concat(words, ", ")), wording.longest(texts)
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
function ticks.linear(axis, low, high, most)
  return ticks_command(axis, multiples(low, high, ticks.step_of_two(low, high, most)))
end

--- A range with a little room at both ends; numbers that are not negative get none below nought.
-- @tparam number low
-- @tparam number high
-- @tparam[opt=0.04] number share of the range
-- @treturn number
-- @treturn number
function ticks.with_room(low, high, share)
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
function ticks.up(low, high, most)
  low, high = ticks.with_room(low, high)
  local marks, longest = ticks.linear("y", low, high, most or 7)
  return ("set yrange [%s:%s]\n%s"):format(plot.number(low), plot.number(high), marks), math.max(84, 42 + 7.4 * longest)
end

--- Ticks of an axis that begins at nought.
-- @tparam string axis `x` or `y`
-- @tparam number high end of the axis
-- @tparam number most ticks
-- @treturn string a command
function ticks.from_nought(axis, high, most)
  return (ticks_command(axis, multiples(0, high, ticks.step(0, high, most))))
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
function ticks.logarithmic(axis, low, high, most)
  local all, list = round_numbers(low, high), {}
  if #all < 2 then all = multiples(low, high, ticks.step_of_two(low, high, most)) end
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
function ticks.over(kind, high, most)
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
  return ("set xrange [0:%s]\n%s"):format(plot.number(high), ticks.from_nought("x", high, most or 6)), label, divisor
end

return ticks
