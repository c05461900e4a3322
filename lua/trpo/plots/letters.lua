--- Pictures of sweeps for a terminal, as text.
-- @module trpo.plots.letters
local aligned = require("trpo.mdp.text").aligned
local frame = require "trpo.plots.frame"
local lattice = require "trpo.plots.lattice"
local wording = require "trpo.plots.wording"

local letters = {}

-- shades from the smallest number to the largest
local ramp = { ".", ":", "-", "=", "+", "o", "%", "#", "@" }

-- rows of a table that are shown; the longest bar
local LONGEST, BAR = 30, 30

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

--- A text in lines that fit.
-- @tparam string text
-- @tparam number width characters
-- @treturn string lines, each with its end
function letters.lines(text, width)
  local lines = { "" }
  -- a star and what it means stay together
  for word in text:gsub("%* ", "*\1"):gmatch "%S+" do
    word = word:gsub("\1", " ")
    local longer = lines[#lines] == "" and word or lines[#lines] .. " " .. word
    if wording.length(longer) <= width or lines[#lines] == "" then
      lines[#lines] = longer
    else
      lines[#lines + 1] = word
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

-- characters of the longest line
local function width_of(text)
  local most = 0
  for line in text:gmatch "[^\n]+" do most = math.max(most, wording.length(line)) end
  return most
end

-- what the star means
local function best_told(made)
  if not made.best then return "no best yet" end
  return "* " .. lattice.best(made):gsub("^the best$", "best")
end

local function heading(made, asked, scale)
  return letters.lines(("%s: %s"):format(wording.fitted(asked.title, 60, ".."), made.metric), frame.columns(asked))
    .. letters.lines(("%s;%s %s"):format(lattice.told(made), scale, best_told(made)), frame.columns(asked)) .. "\n"
end

-- texts of an axis as far as there is room
local function short(text, most) return wording.fitted(text, most or 24, "..") end

-- what stands in a cell: number, mark of the best, shade
local function word_of(made, entry, format, range, shaded)
  if not entry then return "" end
  local room = shaded and "    " or " "
  if not entry.iqm then return (entry.failed > 0 and entry.failed == entry.total and "failed" or "-") .. room end
  local steps = made.halving and " " .. (lattice.steps(made, entry) or "") or ""
  return wording.number(format, entry.iqm) .. (entry == made.best and "*" or " ")
    .. (shaded and shade(entry.iqm, range.low, range.high):rep(3) or "") .. steps
end

-- the numbers of all cells, with shades or without
local function numbers(made, format, range, shaded, most)
  local rows = { { short(made.y.name) } }
  for i in ipairs(made.x.texts) do rows[1][i + 1] = "" end
  for j = #made.y.texts, 1, -1 do
    local row = { short(made.y.texts[j]) }
    for i in ipairs(made.x.texts) do
      row[i + 1] = word_of(made, made.at[i] and made.at[i][j], format, range, shaded)
    end
    rows[#rows + 1] = row
  end
  local last = { short(made.x.name) }
  -- below the numbers, not below their shades
  for i, text in ipairs(made.x.texts) do last[i + 1] = short(text, most) .. (shaded and "    " or " ") end
  rows[#rows + 1] = last
  return aligned(rows, { 1 })
end

-- shades alone, two columns a cell
local function shades(made, range)
  local lines = {}
  for j = #made.y.texts, 1, -1 do
    local words = {}
    for i in ipairs(made.x.texts) do
      local entry = made.at[i] and made.at[i][j]
      words[i] = entry and entry.iqm and shade(entry.iqm, range.low, range.high) .. (entry == made.best and "*" or " ")
        or "  "
    end
    lines[#lines + 1] = { short(made.y.texts[j]), table.concat(words) .. "|" }
  end
  table.insert(lines, 1, { short(made.y.name), "" })
  return aligned(lines, { 1, 2 })
end

-- what shades alone do not say
local function legend(made, width)
  local x, y, best = made.x, made.y, made.best
  return letters.lines(("%s from the left: %s to %s"):format(x.name, x.texts[1], x.texts[#x.texts]), width)
    .. (best and letters.lines(("best: %s=%s %s=%s"):format(x.name, x.texts[best.i], y.name, y.texts[best.j]), width)
      or "")
end

--- A table over two parameters, the second one upwards as in the picture: as much of it as there is room for.
-- @tparam table made see `trpo.plots.lattice`
-- @tparam table asked `title`, `columns` of the terminal
-- @tparam string format of numbers
-- @treturn string
function letters.tiles(made, asked, format)
  local low, high = range_of(made)
  local range, columns = { low = low, high = high }, frame.columns(asked)
  local key = (" %s smallest to %s largest;"):format(ramp[1], ramp[#ramp])
  for _, form in ipairs { { shaded = true, most = 24 }, { shaded = true, most = 12 }, { most = 12 } } do
    local text = numbers(made, format, range, form.shaded, form.most)
    if width_of(text) <= columns then return heading(made, asked, form.shaded and key or "") .. text end
  end
  local text = shades(made, range)
  if width_of(text) <= columns then return heading(made, asked, key) .. text .. legend(made, columns) end
  return letters.list(made, asked, format)
end

-- a bar as long as a number is large
local function bar(x, low, high, longest)
  if not (high > low) then return "" end
  return ("#"):rep(1 + math.floor((longest - 1) * (x - low) / (high - low) + 0.5))
end

-- entries with numbers, the best ones first; then the others
local function ranked(made)
  local list = {}
  for i, entry in ipairs(made.entries) do list[i] = { entry = entry, place = i } end
  table.sort(list, function(a, b)
    local x, y = a.entry.iqm, b.entry.iqm
    if x and x == y then x, y = a.entry.mean, b.entry.mean end
    if x and y and x ~= y then return (x > y) == (made.goal == "maximize") end
    if (x == nil) ~= (y == nil) then return x ~= nil end
    return a.place < b.place
  end)
  for i, item in ipairs(list) do list[i] = item.entry end
  return list
end

letters.ranked = ranked

--- Entries in the order of the columns that they stand in.
-- @tparam table made see `trpo.plots.lattice`
-- @treturn {table,...}
function letters.placed(made)
  local list = {}
  for i, entry in ipairs(made.entries) do list[i] = entry end
  table.sort(list, function(a, b) return a.i < b.i end)
  return list
end

-- a list without its bars: what there is to say about each entry, with the interval or without
local function columns_of(made, entries, format, with_interval)
  local rows = { {} }
  local function add(row, word) rows[row][#rows[row] + 1] = word end
  add(1, short(made.x.name))
  if made.y.name then add(1, short(made.y.name)) end
  for _, name in ipairs(made.loose) do add(1, short(name)) end
  add(1, "IQM")
  if with_interval then add(1, "95 % interval") end
  add(1, "trials")
  if made.halving then add(1, "steps") end
  for n = 1, math.min(#entries, LONGEST) do
    local entry, row = entries[n], n + 1
    rows[row] = {}
    add(row, short(made.x.texts[entry.i]))
    if made.y.name then add(row, short(made.y.texts[entry.j])) end
    for k in ipairs(made.loose) do add(row, short(lattice.text(entry.cells[1].params[made.loose_paths[k]]))) end
    add(row, entry.iqm and wording.number(format, entry.iqm) or "-")
    if with_interval then add(row, wording.interval(format, entry.low, entry.high)) end
    add(row, ("%d of %d"):format(entry.n, entry.total))
    if made.halving then add(row, lattice.steps(made, entry) or "") end
  end
  return rows
end

--- A list of cells with bars: in order of the only parameter, or of the metric.
-- @tparam table made see `trpo.plots.lattice`
-- @tparam table asked `title`, `columns` of the terminal
-- @tparam string format of numbers
-- @treturn string
function letters.list(made, asked, format)
  local low, high = range_of(made)
  local entries = made.y.name and ranked(made) or letters.placed(made)
  local rows, room
  for _, with_interval in ipairs { true, false } do
    rows = columns_of(made, entries, format, with_interval)
    -- two blanks before a bar, a star behind it
    room = frame.columns(asked) - width_of(aligned(rows, {})) - 4
    if room >= 8 then break end
  end
  for n = 1, #rows - 1 do
    local entry = entries[n]
    local star = entry == made.best and "*" or ""
    local line = entry.iqm and room >= 2 and bar(entry.iqm, low, high, math.min(room, BAR)) or ""
    table.insert(rows[n + 1], #line > 0 and #star > 0 and line .. " " .. star or line .. star)
  end
  table.insert(rows[1], "")
  local rest = #entries - LONGEST
  return heading(made, asked, "") .. aligned(rows, { #rows[1] })
    .. (rest > 0 and ("  (%d cells are not shown)\n"):format(rest) or "")
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
