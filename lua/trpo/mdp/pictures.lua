--- Pictures of values and policies: grid worlds as boards, other processes as curves over the states.
-- @module trpo.mdp.pictures
local board = require "trpo.mdp.board"
local plot = require "trpo.plot"

local pictures = {}

-- ---- boards ------------------------------------------------------------------------------------

-- background of what is not coloured by its value, and of the letter on it
local fills = {
  goal = { "#009E73", "#ffffff" }, hole = { "#4d4d4d", "#ffffff" }, cliff = { "#4d4d4d", "#ffffff" },
  wall = { "#000000", "#000000" },
}

-- pixels of a cell's side
local function side_of(world)
  return math.max(6, math.min(66, math.floor(720 / math.max(world.rows, world.columns))))
end

-- centre of a cell; rows count downwards
local function centre(world, cell) return cell.column, world.rows + 1 - cell.row end

-- data of the coloured cells, of the other ones by kind, of the numbers and of the letters
local function cells_of(world, V, side)
  local data = { values = {}, special = {}, numbers = {}, letters = {}, blank = {} }
  for s, cell in ipairs(world.cells) do
    local x, y = centre(world, cell)
    local special = fills[cell.kind]
    if special then
      data.special[#data.special + 1] = { x, y, tonumber(special[1]:sub(2), 16) }
      data.letters[#data.letters + 1] = { x, y, plot.word(cell.letter), tonumber(special[2]:sub(2), 16) }
    elseif V then
      data.values[#data.values + 1] = { x, y, V[s] }
      if side >= 44 then data.numbers[#data.numbers + 1] = { x, y - 0.34, plot.word(("%.3g"):format(V[s])) } end
    else
      data.blank[#data.blank + 1] = { x, y, 0xf7fbff }
    end
    if cell.letter and not special and side >= 30 then
      data.numbers[#data.numbers + 1] = { x - 0.38, y + 0.36, plot.word(cell.letter) }
    end
  end
  return data
end

-- the actions of a row that are worth an arrow, as { action, share of the most probable one }
local function taken(row)
  local most, list = 0, {}
  for _, p in ipairs(row) do most = math.max(most, p) end
  for a, p in ipairs(row) do
    if p > 0.02 * most then list[#list + 1] = { a, p / most } end
  end
  return list
end

-- arrows of one state: through the middle when there is one action only, from the middle on otherwise; actions that
-- point nowhere are numbers
local function add_arrows(data, world, actions, x, y)
  local words = {}
  for _, entry in ipairs(actions) do
    local arrow = world.arrows[entry[1]]
    if not arrow then
      words[#words + 1] = entry[1]
    elseif #actions == 1 then
      data.arrows[#data.arrows + 1] = { x - 0.24 * arrow[1], y - 0.24 * arrow[2], 0.48 * arrow[1], 0.48 * arrow[2] }
    else
      local length = 0.1 + 0.19 * entry[2]
      data.arrows[#data.arrows + 1] = { x, y, length * arrow[1], length * arrow[2] }
    end
  end
  if #words > 0 and #words < #world.arrows then
    data.words[#data.words + 1] = { x, y, plot.word(table.concat(words, ",")) }
  end
end

local function arrows_of(world, policy, numbered)
  local data = { arrows = {}, words = {} }
  for s, cell in ipairs(world.cells) do
    if not board.closed[cell.kind] then
      local x, y = centre(world, cell)
      add_arrows(data, world, taken(policy[s]), x, numbered and y + 0.1 or y)
    end
  end
  return data
end

local function box(name, columns, style)
  return ("$%s using 1:2:($1-0.5):($1+0.5):($2-0.5):($2+0.5)%s with boxxyerror %s notitle"):format(name, columns, style)
end

-- the layers of a board, from below
local function layers(data, side)
  local list = {}
  local function add(name, command)
    if data[name] and #data[name] > 0 then list[#list + 1] = command end
  end
  local size = math.max(5, math.min(9, side / 7))
  add("values", box("values", ":3", "fillstyle solid noborder lc palette"))
  add("special", box("special", ":3", "fillstyle solid noborder lc rgb variable"))
  add("blank", box("blank", ":3", "fillstyle solid noborder lc rgb variable"))
  for _, name in ipairs { "values", "special", "blank" } do
    add(name, box(name, "", "fillstyle empty border lc rgb '#999999' lc rgb '#999999' lw 0.5"))
  end
  add("arrows", ("$arrows using 1:2:3:4 with vectors head size screen %.5f,22,60 filled lc rgb '#000000' lw %.2f "
    .. "notitle"):format(math.min(9, 0.17 * side) / data.width, side >= 30 and 1.4 or 0.8))
  add("numbers", ("$numbers using 1:2:3 with labels font ',%.1f' noenhanced notitle"):format(size))
  add("words", ("$words using 1:2:3 with labels font ',%.1f' noenhanced notitle"):format(size + 1))
  add("letters", ("$letters using 1:2:3:4 with labels tc rgb variable font ',%.1f' noenhanced notitle")
    :format(math.max(5, math.min(16, side / 3))))
  return "plot " .. table.concat(list, ", \\\n  ")
end

local function blocks(data)
  local out = {}
  for _, name in ipairs { "values", "special", "blank", "arrows", "numbers", "words", "letters" } do
    if data[name] and #data[name] > 0 then out[#out + 1] = plot.block(name, data[name]) end
  end
  return table.concat(out, "\n")
end

-- a bar of colours beside the board; pixels
local function colour_bar(x, y, tall, width, height)
  return ("set colorbox user origin screen %.5f,%.5f size screen %.5f,%.5f\nset cbtics scale 0.6\n"
    .. "set cblabel 'value V(s)' offset 0.5,0"):format(x / width, y / height, 16 / width, tall / height)
end

-- a board as a picture for plot.draw
local function board_picture(world, what)
  local side = side_of(world)
  local data = cells_of(world, what.V, side)
  if what.policy then
    local arrows = arrows_of(world, what.policy, what.V and side >= 44)
    data.arrows, data.words = arrows.arrows, arrows.words
  end
  -- pixels around the board
  local left, right, top, bottom = 14, what.V and 96 or 14, what.title and 38 or 14, 14
  data.width = math.max(side * world.columns + left + right, 260)
  local width, height = data.width, math.max(side * world.rows, what.V and 150 or 0) + top + bottom
  return {
    width = width, height = height,
    script = table.concat({
      blocks(data),
      "unset key", "unset tics", "unset border", "set size ratio -1",
      ("set lmargin screen %.5f\nset rmargin screen %.5f"):format(left / width, (width - right) / width),
      ("set bmargin screen %.5f\nset tmargin screen %.5f"):format(bottom / height, (height - top) / height),
      ("set xrange [0.48:%.2f]\nset yrange [0.48:%.2f]"):format(world.columns + 0.52, world.rows + 0.52),
      "set palette defined (" .. plot.palette .. ")",
      what.V and plot.colour_range(data.values) or "",
      what.V and colour_bar(width - right + 10, bottom, height - top - bottom, width, height) or "unset colorbox",
      what.title and "set title " .. plot.quoted(what.title) .. " noenhanced" or "",
      layers(data, side),
    }, "\n"),
  }
end

-- a board of many cells: values alone, thinned out in even steps
local MANY, SHOWN = 120, 200

local function is_large(world) return math.max(world.rows, world.columns) > MANY end

local function large_board_picture(world, what)
  local stride = math.ceil(math.max(world.rows, world.columns) / SHOWN)
  local rows, closed = {}, {}
  for s, cell in ipairs(world.cells) do
    if (cell.row - 1) % stride == 0 and (cell.column - 1) % stride == 0 then
      local x, y = centre(world, cell)
      local fill = fills[cell.kind]
      if fill then
        closed[#closed + 1] = { x, y, tonumber(fill[1]:sub(2), 16) }
      else
        rows[#rows + 1] = { x, y, what.V[s] }
      end
    end
  end
  -- boxes overlap a little, or the background would shine through the seams
  local function boxes(name, colour)
    local half = 0.56 * stride
    return ("$%s using 1:2:($1-%g):($1+%g):($2-%g):($2+%g):3 with boxxyerror fillstyle solid noborder lc %s")
      :format(name, half, half, half, half, colour)
  end
  local tall = 600 * world.rows / math.max(world.rows, world.columns)
  local wide = 600 * world.columns / math.max(world.rows, world.columns)
  local width, height = wide + 110, math.max(tall, 150) + 52
  local title = (what.title or "") .. (stride > 1 and (" (one of %d rows and columns)"):format(stride) or "")
  return {
    width = width, height = height,
    script = table.concat({
      plot.block("values", rows), plot.block("closed", closed),
      "unset key", "unset tics", "unset border", "set size ratio -1",
      ("set lmargin screen %.5f\nset rmargin screen %.5f"):format(14 / width, (width - 96) / width),
      ("set bmargin screen %.5f\nset tmargin screen %.5f"):format(14 / height, (height - 38) / height),
      ("set xrange [%g:%g]\nset yrange [%g:%g]"):format(1 - stride / 2, world.columns + stride / 2, 1 - stride / 2,
        world.rows + stride / 2),
      "set palette defined (" .. plot.palette .. ")",
      plot.colour_range(rows), colour_bar(width - 86, 14, height - 52, width, height),
      "set title " .. plot.quoted(title) .. " noenhanced",
      "plot " .. boxes("values", "palette") .. (#closed > 0 and ", " .. boxes("closed", "rgb variable") or ""),
    }, "\n"),
  }
end

-- ---- curves over the states --------------------------------------------------------------------

-- more states than this are thinned out, in even steps
local MOST = 4000

local setup = [[
unset key
set border 3 lw 0.8
set tics nomirror out
set lmargin screen 0.13
set rmargin screen %s
set palette defined (0 '#ffffff', 0.25 '#deebf7', 0.5 '#9ecae1', 0.75 '#4292c6', 1 '#084594')]]

local function value_rows(mdp, V, stride)
  local rows = {}
  for s = 1, mdp.S, stride do rows[#rows + 1] = { s, V[s] } end
  return rows
end

-- whether there is anything to draw; gnuplot finds no range otherwise
local function has_numbers(rows)
  for _, row in ipairs(rows) do
    if math.abs(row[2]) < math.huge then return true end
  end
  return false
end

-- a cell for each pair: state, action, probability
local function probability_rows(mdp, policy, stride)
  local rows = {}
  for s = 1, mdp.S, stride do
    local row = policy[s]
    for a = 1, mdp.A do rows[#rows + 1] = { s, a, row[a] } end
  end
  return rows
end

-- every entry is 0 or 1
local function is_deterministic(rows)
  for _, row in ipairs(rows) do
    if row[3] ~= 0 and row[3] ~= 1 then return false end
  end
  return true
end

-- names on an axis where there are some and not too many, whole numbers otherwise
local function ticks(axis, names, n)
  if not names or n > 12 then return ("set %stics %s"):format(axis, n <= 12 and "1" or "autofreq") end
  local list = {}
  for i, name in ipairs(names) do list[i] = ("%s %d"):format(plot.quoted(name), i) end
  return ("set %stics (%s) noenhanced"):format(axis, table.concat(list, ", "))
end

-- V above, pi below
local function states_picture(mdp, what)
  local stride = math.ceil(mdp.S / MOST)
  if what.policy then stride = math.max(stride, math.ceil(mdp.S * mdp.A / 60000)) end
  local both = what.V and what.policy
  local probabilities = what.policy and probability_rows(mdp, what.policy, stride)
  local label = stride > 1 and ("state (every %.0fth)"):format(stride) or "state"
  local bare = not probabilities or is_deterministic(probabilities)
  local lines = { setup:format(bare and 0.97 or 0.86) }
  local top, middle, bottom = what.title and 0.92 or 0.96, 0.53, both and 0.12 or 0.17
  if what.V then
    local rows = value_rows(mdp, what.V, stride)
    lines[#lines + 1] = plot.block("values", rows)
    if not has_numbers(rows) then lines[#lines + 1] = "set yrange [0:1]" end
  end
  if what.policy then lines[#lines + 1] = plot.block("policy", probabilities) end
  lines[#lines + 1] = ticks("x", mdp.states, mdp.S)
  lines[#lines + 1] = "set multiplot"
  lines[#lines + 1] = ("set xrange [%s:%s]"):format(1 - stride / 2, mdp.S + stride / 2)
  if what.title then lines[#lines + 1] = "set title " .. plot.quoted(what.title) .. " noenhanced" end
  if what.V then
    lines[#lines + 1] = ("set tmargin screen %g\nset bmargin screen %g"):format(top, both and middle or bottom)
    lines[#lines + 1] = both and "set format x ''" or "set xlabel '" .. label .. "'"
    lines[#lines + 1] = "set ylabel 'value V(s)'\nset grid ytics lc rgb '#dddddd' lw 0.6 dashtype 1"
    lines[#lines + 1] = ("plot $values using 1:2 with %s lc rgb '%s'"):format(
      mdp.S <= 120 and "linespoints pt 7 ps 0.4 lw 0.8" or "lines lw 1.2", plot.colours[1])
    lines[#lines + 1] = "unset title\nunset grid"
  end
  if what.policy then
    lines[#lines + 1] = ("set tmargin screen %g\nset bmargin screen %g"):format(both and middle - 0.045 or top,
      bottom)
    lines[#lines + 1] = "set format x '%g'\nset xlabel '" .. label .. "'\nset ylabel 'action'"
    lines[#lines + 1] = ("set yrange [0.5:%g]\n"):format(mdp.A + 0.5) .. ticks("y", mdp.action_names, mdp.A)
    if bare then lines[#lines + 1] = "unset colorbox" end
    lines[#lines + 1] = "set cbrange [0:1]\nset cblabel 'π(a|s)'\nset cbtics 0.5"
    lines[#lines + 1] = ("plot $policy using 1:2:($1-%g):($1+%g):($2-0.5):($2+0.5):3 "
      .. "with boxxyerror fillstyle solid noborder lc palette"):format(0.52 * stride, 0.52 * stride)
  end
  lines[#lines + 1] = "unset multiplot"
  return { width = 680, height = both and 480 or 320, script = table.concat(lines, "\n") }
end

-- values in a terminal
local function values_in_letters(mdp, what)
  local rows = value_rows(mdp, what.V, math.ceil(mdp.S / MOST))
  return table.concat({
    plot.block("values", rows), has_numbers(rows) and "" or "set yrange [0:1]",
    "unset key\nset xlabel 'state'",
    ("set title %s noenhanced"):format(plot.quoted((what.title and what.title .. ": " or "") .. "value V(s)")),
    "plot $values using 1:2 with " .. (mdp.S <= 30 and "points pt 'o'" or "lines"),
  }, "\n")
end

--- The picture of values, of a policy, or of both.
-- @tparam Mdp mdp
-- @tparam table what `V` [S], `policy` [S, A], `title`; one of the first two at least
-- @treturn table for `trpo.plot.draw`
function pictures.of(mdp, what)
  local world = board.of(mdp)
  if world and is_large(world) then world = what.V and world end
  local draw = world and (is_large(world) and large_board_picture or board_picture)
  local picture = draw and draw(world, what) or states_picture(mdp, what)
  picture.text = what.V and values_in_letters(mdp, what)
  return picture
end

return pictures
