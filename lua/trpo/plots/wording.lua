--- Texts and numbers as pictures show them: as long as there is room, as short as tells them apart.
-- @module trpo.plots.wording
local utf8 = require "trpo.utf8"

local wording = {}

-- ---- texts -------------------------------------------------------------------------------------

-- the characters of a text; bytes that are no UTF-8 become question marks
local function characters(text)
  local out, i = {}, 1
  while i <= #text do
    local n = utf8.length(text, i)
    out[#out + 1] = n and text:sub(i, i + n - 1) or "?"
    i = i + (n or 1)
  end
  return out
end

--- A text that fits: at most so many characters, a mark at the end when some are left out.
-- @tparam string text may come from anybody's file
-- @tparam number most characters
-- @tparam[opt="…"] string mark
-- @treturn string valid UTF-8 without control characters
function wording.fitted(text, most, mark)
  local list = characters((tostring(text):gsub("%c", " ")))
  if #list <= most then return table.concat(list) end
  mark = mark or "…"
  return table.concat(list, "", 1, math.max(most - #characters(mark), 0)) .. mark
end

--- The number of characters of a text.
-- @tparam string text
-- @treturn number
function wording.length(text) return #characters(text) end

--- The number of characters of the longest text.
-- @tparam {string,...} texts
-- @treturn number
function wording.longest(texts)
  local most = 0
  for _, text in ipairs(texts) do most = math.max(most, wording.length(text)) end
  return most
end

-- ---- numbers -----------------------------------------------------------------------------------

--- A format for all numbers of a table: four digits of the largest, or as many as make sense.
-- @tparam {number,...} list
-- @treturn string for string.format
function wording.format(list)
  local most, whole = 0, true
  for _, x in ipairs(list) do
    if math.abs(x) < math.huge then most, whole = math.max(most, math.abs(x)), whole and x == math.floor(x) end
  end
  if whole and most < 1e6 then return "%.0f" end
  if most ~= 0 and (most < 0.01 or most >= 1e6) then return "%.2e" end
  return most < 10 and "%.3f" or most < 100 and "%.2f" or most < 10000 and "%.1f" or "%.0f"
end

--- A format with as many decimals as it takes: different numbers have different texts, none but nought is nought.
-- @tparam string format those with decimals get up to two more where that is enough
-- @tparam {number,...} list the numbers that matter
-- @treturn string
function wording.telling(format, list)
  local decimals = tonumber(format:match "^%%%.(%d+)f$")
  for more = decimals or 1, decimals and decimals + 2 or 0 do
    local tried, seen, clear = ("%%.%df"):format(more), {}, true
    for _, x in ipairs(list) do
      local text = wording.number(tried, x)
      clear = clear and (seen[text] or x) == x and (x == 0 or tonumber(text) ~= 0)
      seen[text] = x
    end
    if clear then return tried end
  end
  return format
end

--- A number as a table shows it.
-- @tparam string format
-- @tparam number x
-- @treturn string nought without a sign
function wording.number(format, x)
  return (format:format(x):gsub("^%-(0%.?0*)$", "%1"))
end

--- An interval as a table shows it.
-- @tparam string format
-- @tparam number|nil low
-- @tparam number|nil high
-- @treturn string
function wording.interval(format, low, high)
  return low and ("[%s, %s]"):format(wording.number(format, low), wording.number(format, high)) or "-"
end

local units = { { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } }

--- A number as a tick shows it: 20000 is `20k`.
-- @tparam number x
-- @treturn string
function wording.short(x)
  for _, unit in ipairs(units) do
    if math.abs(x) >= unit[1] then return ("%.4g%s"):format(x / unit[1], unit[2]) end
  end
  return ("%.4g"):format(x)
end

--- Numbers as texts that tell them apart, with as few digits as that takes; six where those say the numbers exactly.
-- @tparam {number,...} list equal ones have equal texts
-- @treturn {string,...}
function wording.texts(list)
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

return wording
