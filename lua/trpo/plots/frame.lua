--- What all pictures of runs and sweeps share: names of columns, colours, headings, places.
-- @module trpo.plots.frame
local plot = require "trpo.plot"
local wording = require "trpo.plots.wording"

local frame = {}

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
function frame.label(column) return labels[column] or wording.fitted(column, 60) end

--- The columns that curves are drawn over.
frame.axes = { steps = "time/total_timesteps", time = "time/time_elapsed", iterations = "time/iterations" }

-- ---- looks -------------------------------------------------------------------------------------

--- Columns of the terminal that letters are for.
-- @tparam table asked `columns`, or nil
-- @treturn number
function frame.columns(asked) return asked.columns or 80 end

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
  if wording.length(text) <= most then return { text } end
  local blank, semicolon
  for i in text:gmatch "() " do
    if wording.length(text:sub(1, i - 1)) > most then break end
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
  local lines = { form:format(901, plot.quoted(wording.fitted(title, math.floor(room / 8.2))), MARGIN / size.width,
    1 - 20 / size.height, "14", "tc rgb '#000000'") }
  for i, line in ipairs(subtitle and lines_of(subtitle, room_of(size)) or {}) do
    lines[i + 1] = form:format(901 + i, plot.quoted(wording.fitted(line, room_of(size))), MARGIN / size.width,
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
