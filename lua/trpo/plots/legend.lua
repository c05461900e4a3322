--- The legend of a picture with several curves, beside its frame or below it.
--
-- It is made of lines and labels: gnuplot's own one parts into columns as it likes, and those leave the page.
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
    lines[#lines + 1] = ("set arrow from %s to %s nohead lw 2 lc rgb '%s' dashtype %s"):format(screen(x, y),
      screen(x + SAMPLE, y), entry.colour, entry.dash or "1")
    if entry.mark then
      lines[#lines + 1] = ("set label '' at %s point pt %d ps 0.7 lc rgb '%s'"):format(screen(x + SAMPLE / 2, y),
        entry.mark, entry.colour)
    end
    lines[#lines + 1] = ("set label %s at %s left noenhanced"):format(
      plot.quoted(wording.fitted(entry.label, LONGEST)), screen(x + SAMPLE + GAP, y))
  end
  return table.concat(lines, "\n")
end

return legend
