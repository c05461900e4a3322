--- Pictures of sweeps for a terminal, as text.
-- @module trpo.plots.letters
local aligned = require("trpo.mdp.text").aligned
local frame = require "trpo.plots.frame"
local lattice = require "trpo.plots.lattice"

local letters = {}

-- shades from the smallest number to the largest
local ramp = { ".", ":", "-", "=", "+", "o", "%", "#", "@" }

-- columns of a terminal; rows of a table that are shown
local WIDEST, LONGEST = 100, 30

-- the shade of a number in a range
local function shade(x, low, high)
  if not (high > low) then return ramp[#ramp] end
  return ramp[1 + math.floor((#ramp - 1) * math.max(0, math.min(1, (x - low) / (high - low))) + 0.5)]
end

local function range_of(made)
  local low, high = math.huge, -math.huge
  for _, entry in ipairs(made.entries) do
    if entry.iqm and math.abs(entry.iqm) < math.huge then
      low, high = math.min(low, entry.iqm), math.max(high, entry.iqm)
    end
  end
  return low, high
end

-- what stands in a cell: number, mark of the best, shade
local function word_of(made, entry, format, low, high)
  if not entry then return "" end
  local mark = entry == made.best and "*" or " "
  local steps = made.halving and " " .. (lattice.steps(made, entry) or "") or ""
  if entry.iqm then return format:format(entry.iqm) .. mark .. shade(entry.iqm, low, high):rep(3) .. steps end
  return entry.failed > 0 and entry.failed == entry.total and "failed    " or "-    "
end

-- what the star means
local function best_told(made) return made.among and lattice.best(made) or "best" end

local function heading(made, title)
  return ("%s: %s\n%s; %s smallest to %s largest; * %s\n"):format(frame.fitted(title, 60), made.metric,
    lattice.told(made), ramp[1], ramp[#ramp], best_told(made))
end

-- texts of an axis as far as there is room
local function short(text) return frame.fitted(text, 24, "..") end

-- shades alone, two columns a cell
local function shades(made, title)
  local low, high = range_of(made)
  local lines = {}
  for j = #made.y.texts, 1, -1 do
    local words = {}
    for i in ipairs(made.x.texts) do
      local entry = made.at[i] and made.at[i][j]
      words[i] = entry and entry.iqm and shade(entry.iqm, low, high) .. (entry == made.best and "*" or " ") or "  "
    end
    lines[#lines + 1] = { short(made.y.texts[j]), table.concat(words) .. "|" }
  end
  table.insert(lines, 1, { short(made.y.name), "" })
  local best = made.best
  return ("%s\n%s%s from the left: %s to %s\nbest: %s=%s %s=%s\n"):format(heading(made, title),
    aligned(lines, { 1, 2 }), made.x.name, made.x.texts[1], made.x.texts[#made.x.texts], made.x.name,
    made.x.texts[best.i], made.y.name, made.y.texts[best.j])
end

--- A table over two parameters, the second one upwards as in the picture.
-- @tparam table made see `trpo.plots.lattice`
-- @tparam string title
-- @tparam string format of numbers
-- @treturn string
function letters.tiles(made, title, format)
  local low, high = range_of(made)
  local rows, widest = { { short(made.y.name) } }, 0
  for i in ipairs(made.x.texts) do rows[1][i + 1] = "" end
  for j = #made.y.texts, 1, -1 do
    local row = { short(made.y.texts[j]) }
    for i in ipairs(made.x.texts) do
      row[i + 1] = word_of(made, made.at[i] and made.at[i][j], format, low, high)
      widest = math.max(widest, #row[i + 1])
    end
    rows[#rows + 1] = row
  end
  local last = { short(made.x.name) }
  for i, text in ipairs(made.x.texts) do
    -- above the numbers, not above their shades
    last[i + 1] = short(text) .. "    "
    widest = math.max(widest, #last[i + 1])
  end
  rows[#rows + 1] = last
  if (widest + 2) * #made.x.texts + 26 <= WIDEST then return heading(made, title) .. "\n" .. aligned(rows, { 1 }) end
  if 2 * #made.x.texts + 30 <= WIDEST then return shades(made, title) end
  return letters.list(made, title, format)
end

-- a bar as long as a number is large
local function bar(x, low, high)
  if not (high > low) then return "" end
  return ("#"):rep(1 + math.floor(29 * (x - low) / (high - low) + 0.5))
end

-- entries with numbers, the best ones first; then the others
local function ranked(made)
  local list = {}
  for i, entry in ipairs(made.entries) do list[i] = { entry = entry, place = i } end
  table.sort(list, function(a, b)
    local x, y = a.entry.iqm, b.entry.iqm
    if x and y and x ~= y then return (x > y) == (made.goal == "maximize") end
    if (x == nil) ~= (y == nil) then return x ~= nil end
    return a.place < b.place
  end)
  for i, item in ipairs(list) do list[i] = item.entry end
  return list
end

letters.ranked = ranked

--- A list of cells with bars: in order of the only parameter, or of the metric.
-- @tparam table made see `trpo.plots.lattice`
-- @tparam string title
-- @tparam string format of numbers
-- @treturn string
function letters.list(made, title, format)
  local low, high = range_of(made)
  local heads = { made.x.name, "IQM", "95 % interval", "trials", "" }
  if made.halving then table.insert(heads, 5, "steps") end
  if made.y.name then table.insert(heads, 2, made.y.name) end
  local entries = made.y.name and ranked(made) or made.entries
  if not made.y.name then table.sort(entries, function(a, b) return a.i < b.i end) end
  local rows = { heads }
  for n = 1, math.min(#entries, LONGEST) do
    local entry = entries[n]
    local row = { short(made.x.texts[entry.i]), entry.iqm and format:format(entry.iqm) or "-",
      entry.low and ("[" .. format .. ", " .. format .. "]"):format(entry.low, entry.high) or "-",
      ("%d of %d"):format(entry.n, entry.total),
      entry.iqm and bar(entry.iqm, low, high) .. (entry == made.best and " *" or "") or "" }
    if made.halving then table.insert(row, 5, lattice.steps(made, entry) or "") end
    if made.y.name then table.insert(row, 2, short(made.y.texts[entry.j])) end
    rows[#rows + 1] = row
  end
  local rest = #entries - LONGEST
  return ("%s: %s\n%s; * %s\n\n"):format(frame.fitted(title, 60), made.metric, lattice.told(made), best_told(made))
    .. aligned(rows, { #heads }) .. (rest > 0 and ("  (%d cells are not shown)\n"):format(rest) or "")
end

--- A curve in one line.
-- @tparam {number,...} list numbers
-- @tparam number low
-- @tparam number high
-- @tparam number width characters
-- @treturn string
function letters.spark(list, low, high, width)
  local out = {}
  for k = 1, width do
    local x = list[math.floor((k - 1) * (#list - 1) / math.max(width - 1, 1) + 0.5) + 1]
    out[k] = shade(x, low, high)
  end
  return table.concat(out)
end

return letters
