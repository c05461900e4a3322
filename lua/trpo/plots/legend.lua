--- The legend of a picture with several curves, beside its frame or below it.
--
-- In a terminal it is text. Otherwise it is made of lines and labels: gnuplot's own one parts into columns as it likes,
-- and those leave the page.
-- @module trpo.plots.legend
local plot = require "trpo.plot"
local wording = require "trpo.plots.wording"

local legend = {}

-- pixels: a row, the sample of a line, the room beside it and behind a column, a letter in the widest font
local ROW, SAMPLE, GAP, BEHIND, LETTER = 19, 28, 8, 22, 7.3

-- characters of a label
local LONGEST = 85

--- The pixels of a column.
-- @tparam table entries `label`
-- @treturn number
function legend.width(entries)
  local labels = {}
  for i, entry in ipairs(entries) do labels[i] = wording.fitted(entry.label, LONGEST) end
  return SAMPLE + GAP + LETTER * wording.longest(labels) + BEHIND
end

--- The rows of a legend in as many columns as there is room for.
-- @tparam table entries `label`
-- @tparam number room pixels
-- @treturn number rows
-- @treturn number their pixels
function legend.rows(entries, room)
  local rows = math.ceil(#entries / math.max(1, math.floor(room / legend.width(entries))))
  return rows, ROW * rows
end

--- Draws a legend.
-- @tparam table size `width`, `height` of the picture in pixels
-- @tparam table entries list of { `label`, `colour`, `dash` (solid without), `mark` (a type of points, or nil) }
-- @tparam number left pixels from the left
-- @tparam number top pixels from below
-- @tparam number rows of a column
-- @treturn string commands
function legend.commands(size, entries, left, top, rows)
  local lines, wide = {}, legend.width(entries)
  local function screen(x, y) return ("screen %.5f, screen %.5f"):format(x / size.width, y / size.height) end
  for i, entry in ipairs(entries) do
    local x, y = left + wide * math.floor((i - 1) / rows), top - ROW * ((i - 1) % rows + 0.5)
    -- neighbours of one colour and one width are a single path in SVG, which has the dashes of the first
    lines[#lines + 1] = ("set arrow from %s to %s nohead lw %g lc rgb '%s' dashtype %s"):format(screen(x, y),
      screen(x + SAMPLE, y), 2 + i % 2 / 1000, entry.colour, entry.dash or "1")
    if entry.mark then
      lines[#lines + 1] = ("set label '' at %s point pt %d ps 0.7 lc rgb '%s'"):format(screen(x + SAMPLE / 2, y),
        entry.mark, entry.colour)
    end
    lines[#lines + 1] = ("set label %s at %s left noenhanced"):format(
      plot.quoted(wording.fitted(entry.label, LONGEST)), screen(x + SAMPLE + GAP, y))
  end
  return table.concat(lines, "\n")
end

-- ---- letters -----------------------------------------------------------------------------------

-- what gnuplot draws lines of the first types with in a terminal
local lines = { "*", "#", "$", "%", "@", "&", "=" }

--- The character that a curve is drawn with in a terminal, and how gnuplot is told.
-- @tparam number i which curve
-- @tparam number n of how many
-- @tparam[opt] boolean single whether it is points
-- @treturn string
-- @treturn string style
function legend.glyph(i, n, single)
  local glyph = n <= #lines and lines[i] or string.char(96 + i)
  return glyph, glyph == lines[i] and not single and "lines lt " .. i or ("points pt '%s'"):format(glyph)
end

--- A legend for a terminal, in two columns where they have room.
-- @tparam table entries `label`
-- @tparam number columns of the terminal
-- @treturn string lines; nothing where there is a single entry
function legend.letters(entries, columns)
  if #entries < 2 then return "" end
  local keys, out = {}, {}
  for i, entry in ipairs(entries) do
    keys[i] = legend.glyph(i, #entries) .. " " .. wording.fitted(entry.label, columns - 4, "..")
  end
  local wide = wording.longest(keys) + 3
  local rows = 2 * wide - 1 <= columns and math.ceil(#keys / 2) or #keys
  for i = 1, rows do
    local first, second = keys[i], keys[i + rows]
    out[i] = "  " .. first .. (second and (" "):rep(wide - wording.length(first)) .. second or "") .. "\n"
  end
  return "\n" .. table.concat(out)
end

return legend
