--- Curves of improvement: what an iterator of `mdp:improve` reported, for several methods in one picture.
-- @submodule trpo.mdp
local options = require "trpo.options"
local plot = require "trpo.plot"
local spelling = require "trpo.spelling"

local curves = {}

local what = "trpo.mdp.plot_improvement"

-- ---- what is given ---------------------------------------------------------------------------

local names = { "title", "optimum", "gap" }

local function is_number(x) return type(x) == "number" and x == x and x > -math.huge and x < math.huge end

-- what is wrong with a curve, or nil
local function wrong_curve(curve, i)
  if type(curve) ~= "table" then
    return ("curve %d must be a list of records with a label, got %s"):format(i, options.describe(curve))
  end
  if type(curve.label) ~= "string" then
    return ("label of curve %d must be a string, got %s"):format(i, options.describe(curve.label))
  end
  if #curve == 0 then return ("curve %d ('%s') holds no records"):format(i, curve.label) end
  for j, record in ipairs(curve) do
    if type(record) ~= "table" or not is_number(record.iteration) or not is_number(record.eta) then
      return ("record %d of curve %d ('%s') must have the numbers iteration and eta"):format(j, i, curve.label)
    end
  end
end

-- what is wrong with the picture that is asked for, or nil
local function wrong(given)
  if type(given) ~= "table" then return "curves must be a table, got " .. options.describe(given) end
  for key in pairs(given) do
    local known = type(key) == "number"
    for _, name in ipairs(names) do known = known or key == name end
    if not known then
      return ("unknown option '%s'%s"):format(tostring(key), spelling.hint(tostring(key), names))
    end
  end
  if #given == 0 then return "there must be at least one curve" end
  for i, curve in ipairs(given) do
    local message = wrong_curve(curve, i)
    if message then return message end
  end
  if given.optimum ~= nil and not is_number(given.optimum) then
    return "optimum must be a number, got " .. options.describe(given.optimum)
  end
  if given.gap and not given.optimum then return "gap needs the optimum to measure from" end
  if given.title ~= nil and type(given.title) ~= "string" then
    return "title must be a string, got " .. options.describe(given.title)
  end
end

-- ---- data ------------------------------------------------------------------------------------

local function positive(x) return type(x) == "number" and x > 0 and x or 0 / 0 end

-- columns of a block: iteration, eta, lower bound, largest KL, mean KL
local function rows_of(curve, given)
  local rows = {}
  for i, record in ipairs(curve) do
    local eta, bound = record.eta, record.lower_bound or 0 / 0
    if given.gap then eta, bound = positive(given.optimum - eta), positive(given.optimum - bound) end
    rows[i] = { record.iteration, eta, bound, positive(record.kl_max), positive(record.kl_mean) }
  end
  return rows
end

-- whether any curve has a finite number in a column
local function has(blocks, column)
  for _, rows in ipairs(blocks) do
    for _, row in ipairs(rows) do
      if is_number(row[column]) then return true end
    end
  end
  return false
end

-- ---- scripts ---------------------------------------------------------------------------------

local function colour(i) return plot.colours[(i - 1) % #plot.colours + 1] end

-- squares, circles, triangles, diamonds, pentagons
local marks = { 5, 7, 9, 11, 13, 15 }

local solid, dashed = "dashtype 1", "dashtype (10,6)"

-- the format of a logarithmic axis: powers of ten are for ranges that have some
local function log_format(blocks, ...)
  local low, high = math.huge, 0
  for _, column in ipairs { ... } do
    for _, rows in ipairs(blocks) do
      for _, row in ipairs(rows) do
        if is_number(row[column]) then low, high = math.min(low, row[column]), math.max(high, row[column]) end
      end
    end
  end
  if not (high > 50 * low) then return "set logscale y\nset format y '%g'\nset yrange [*:*]" end
  return ("set logscale y\nset format y '10^{%%L}'\nset yrange [1e%d:1e%d]")
    :format(math.floor(math.log10(low)), math.ceil(math.log10(high)))
end

-- one line of a plot command per curve; solid ones have at most twenty marks
local function lines_of(blocks, column, style, title)
  local out, longest = {}, 1
  for _, rows in ipairs(blocks) do longest = math.max(longest, #rows) end
  for i in ipairs(blocks) do
    local marked = ("linespoints pt %d ps 0.5 pi %d"):format(marks[(i - 1) % #marks + 1], math.ceil(longest / 20))
    out[i] = ("$curve%d using 1:%d with %s lc rgb '%s' lw 1.6 %s %s"):format(i, column,
      style == solid and marked or "lines", colour(i), style,
      title and "title " .. plot.quoted(title[i].label) or "notitle")
  end
  return out
end

-- entries of the legend that stand for a kind of line
local function legend(entries)
  local out = {}
  for _, entry in ipairs(entries) do
    out[#out + 1] = ("NaN with lines lc rgb '#000000' lw 1.6 %s title %s"):format(entry[1],
      plot.quoted(entry[2]))
  end
  return out
end

local function append(list, more)
  for _, entry in ipairs(more) do list[#list + 1] = entry end
  return list
end

local function plot_command(list) return "plot " .. table.concat(list, ", \\\n  ") end

local setup = [[
set border 3 lw 0.8
set tics nomirror out
set grid ytics lc rgb '#dddddd' lw 0.6 dashtype 1
set lmargin screen %s
set rmargin screen %s
set key at graph 1.03, graph 1.0 left top Left reverse samplen 2.6 spacing 1.15 noenhanced]]

-- expected returns, above; in a picture of gaps on a logarithmic axis
local function returns(blocks, given)
  local list = lines_of(blocks, 2, solid, given)
  append(list, lines_of(blocks, 3, dashed))
  local kinds = { { solid, given.gap and "optimum - return" or "return after the step" } }
  if has(blocks, 3) then kinds[2] = { dashed, given.gap and "optimum - lower bound" or "certified lower bound" } end
  if given.optimum and not given.gap then
    list[#list + 1] = ("%s with lines lc rgb '#777777' lw 1.2 dashtype 3 title 'optimum'")
      :format(plot.number(given.optimum))
  end
  return table.concat({
    given.gap and log_format(blocks, 2, 3) .. "\nset ylabel 'optimal return − return'"
      or "unset logscale y\nset yrange [*:*]\nset format y '%g'\nset ylabel 'expected return η'",
    plot_command(append(list, legend(kinds))),
  }, "\n")
end

-- divergences of the steps, below
local function divergences(blocks)
  local list, kinds = {}, {}
  if has(blocks, 4) then
    append(list, lines_of(blocks, 4, solid))
    kinds[1] = { solid, "largest of all states" }
  end
  if has(blocks, 5) then
    append(list, lines_of(blocks, 5, dashed))
    kinds[#kinds + 1] = { dashed, "mean over visits" }
  end
  return table.concat({
    log_format(blocks, 4, 5),
    "set ylabel 'KL(π_{old} ‖ π_{new}) [nats]'",
    plot_command(append(list, legend(kinds))),
  }, "\n")
end

-- pixels: the frame of the curves, and what the longest entry of the legend needs
local left, frame = 90, 470

local function legend_width(given)
  local longest = 22
  for _, curve in ipairs(given) do longest = math.max(longest, #curve.label) end
  return 75 + 6.8 * math.min(longest, 60)
end

local function script_of(blocks, given, data, width)
  local both = has(blocks, 4) or has(blocks, 5)
  local lines = { data, setup:format(left / width, (left + frame) / width) }
  lines[#lines + 1] = "set multiplot"
  lines[#lines + 1] = ("set tmargin screen %s\nset bmargin screen %s")
    :format(given.title and "0.92" or "0.965", both and "0.50" or "0.12")
  if given.title then lines[#lines + 1] = "set title " .. plot.quoted(given.title) .. " noenhanced" end
  lines[#lines + 1] = both and "set format x ''" or "set xlabel 'iteration'"
  lines[#lines + 1] = returns(blocks, given)
  if both then
    lines[#lines + 1] = "unset title\nset format x '%g'\nset xlabel 'iteration'\n"
      .. "set tmargin screen 0.455\nset bmargin screen 0.115"
    lines[#lines + 1] = divergences(blocks)
  end
  lines[#lines + 1] = "unset multiplot"
  return table.concat(lines, "\n")
end

-- one curve after another in a terminal: returns only
local function text_of(blocks, given, data)
  local list = {}
  for i in ipairs(blocks) do
    list[i] = ("$curve%d using 1:2 with lines title %s"):format(i, plot.quoted(given[i].label))
  end
  if given.optimum and not given.gap then
    list[#list + 1] = ("%s with lines title 'optimum'"):format(plot.number(given.optimum))
  end
  return table.concat({
    data, "set key outside below noenhanced", "set xlabel 'iteration'",
    ("set title %s noenhanced"):format(plot.quoted((given.title and given.title .. ": " or "")
      .. (given.gap and "optimum - expected return" or "expected return"))),
    given.gap and "set logscale y" or "",
    plot_command(list),
  }, "\n")
end

--- Draws what several methods of improvement did: the expected return η after each step with its certified lower
-- bound, and the Kullback-Leibler divergences of the steps. Needs gnuplot.
-- @function trpo.mdp.plot_improvement
-- @tparam string file ends in `.svg`, `.png`, `.pdf` or `.txt`; `-` prints the returns in letters
-- @tparam table given a list of curves, each a list of records as @{Mdp:improve} yields them (numbers `iteration`,
--   `eta`, and where there are `lower_bound`, `kl_max`, `kl_mean`) with a `label`; and the options `title`; `optimum`,
--   a line to compare with; `gap` = true, which draws optimum − η on a logarithmic axis
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "no_gnuplot", "gnuplot", "no_file", "io"
-- @usage local curve = { label = "conservative policy iteration" }
-- for info in mdp:improve { method = "cpi", iterations = 20 } do curve[#curve + 1] = info end
-- assert(trpo.mdp.plot_improvement("cpi.svg", { curve, title = mdp.name }))
function curves.plot_improvement(file, given)
  local format, message = plot.format(what, file)
  if not format then error(message, 2) end
  message = wrong(given)
  if message then error(what .. ": " .. message, 2) end
  local blocks, data = {}, {}
  for i, curve in ipairs(given) do
    blocks[i] = rows_of(curve, given)
    data[i] = plot.block("curve" .. i, blocks[i])
  end
  data = table.concat(data, "\n")
  local width = left + frame + legend_width(given)
  return plot.draw(file, {
    width = width, height = 540,
    script = script_of(blocks, given, data, width), text = text_of(blocks, given, data),
  })
end

return curves
