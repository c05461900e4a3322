--- What a grid world looks like: which cell a state is, what stands in it, where the actions point.
--
-- A process is a grid world when its field `grid` is `{ rows =, columns =, cells =, moves = }`: state
-- (row - 1) columns + column is the cell there; `cells` (optional) is a list of strings with a letter for each cell,
-- `S` start, `G` goal, `H` hole, `C` cliff, `#` wall, and others are marks of its own; `moves[a]` is where action a
-- wants to go, { rows down, columns right } (false: nowhere).
-- @module trpo.mdp.board
local board = {}

-- what a letter stands for; all else but what is blank is a mark
local kinds = { S = "start", G = "goal", H = "hole", C = "cliff", ["#"] = "wall" }

local blank = { [""] = true, ["."] = true, [" "] = true, ["-"] = true, F = true }

local arrows = { ["-1,0"] = "^", ["1,0"] = "v", ["0,-1"] = "<", ["0,1"] = ">" }

--- The kinds of cells in which nothing is left to decide.
board.closed = { goal = true, hole = true, cliff = true, wall = true }

local function is_size(x) return type(x) == "number" and x >= 1 and x == math.floor(x) end

-- the letter of a cell
local function letter_at(cells, row, column)
  local line = type(cells) == "table" and cells[row]
  return type(line) == "string" and line:sub(column, column) or ""
end

-- the arrow of a move; directions in the picture, where y grows upwards
local function arrow_of(move)
  if type(move) ~= "table" or type(move[1]) ~= "number" or type(move[2]) ~= "number" then return false end
  if move[1] == 0 and move[2] == 0 then return false end
  return { move[2], -move[1], arrows[("%d,%d"):format(move[1], move[2])] }
end

--- The size of the board of a grid world.
-- @tparam Mdp mdp
-- @treturn number|nil rows; nil when it is no grid world
-- @treturn number|nil columns
function board.size(mdp)
  local grid = mdp.grid
  if type(grid) ~= "table" or not is_size(grid.rows) or not is_size(grid.columns) then return nil end
  if grid.rows * grid.columns == mdp.S then return grid.rows, grid.columns end
end

--- The board of a grid world.
-- @tparam Mdp mdp
-- @treturn table|nil `rows`, `columns`; `cells` = list over the states of { row, column, kind, letter }; `arrows` =
--   list over the actions of { dx, dy, letter } (false: points nowhere). nil when it is no grid world
function board.of(mdp)
  local rows, columns = board.size(mdp)
  if not rows then return nil end
  local grid, made = mdp.grid, { rows = rows, columns = columns, cells = {}, arrows = {} }
  for s = 1, mdp.S do
    local row, column = math.floor((s - 1) / columns) + 1, (s - 1) % columns + 1
    local letter = letter_at(grid.cells, row, column)
    local kind = kinds[letter] or not blank[letter] and "mark" or nil
    made.cells[s] = { row = row, column = column, kind = kind, letter = kind and letter }
  end
  for a = 1, mdp.A do made.arrows[a] = arrow_of(type(grid.moves) == "table" and grid.moves[a]) end
  return made
end

return board
