--- The label `grid` of a process: whether it describes its states as cells.
-- @module trpo.mdp.grid
local options = require "trpo.options"
local spelling = require "trpo.spelling"

local grid = {}

local KEYS = { "rows", "columns", "cells", "moves" }

local function is_size(x) return type(x) == "number" and x >= 1 and x == math.floor(x) end

local function wrong_cells(given)
  local cells = given.cells
  if cells == nil then return nil end
  if type(cells) ~= "table" or #cells ~= given.rows then
    return ("grid.cells must be a list of %d strings, one for each row"):format(given.rows)
  end
  for row, line in ipairs(cells) do
    if type(line) ~= "string" or #line ~= given.columns then
      return ("grid.cells[%d] must be a string of %d letters, got %s")
        :format(row, given.columns, options.describe(line))
    end
  end
end

local function is_move(move)
  return move == false or type(move) == "table" and type(move[1]) == "number" and type(move[2]) == "number"
end

local function wrong_moves(moves, A)
  if moves == nil then return nil end
  if type(moves) ~= "table" or #moves ~= A then
    return ("grid.moves must be a list of %d moves, one for each action"):format(A)
  end
  for a, move in ipairs(moves) do
    if not is_move(move) then
      return ("grid.moves[%d] must be { rows down, columns right } or false, got %s"):format(a, options.describe(move))
    end
  end
end

--- What is wrong with a grid.
-- @tparam table given
-- @tparam number S states of the process
-- @tparam number A actions
-- @treturn string|nil one sentence
function grid.wrong(given, S, A)
  local unknown = spelling.unknown(given, KEYS)
  if unknown then return "grid: " .. unknown end
  for _, key in ipairs { "rows", "columns" } do
    if not is_size(given[key]) then
      return ("grid.%s must be an integer >= 1, got %s"):format(key, options.describe(given[key]))
    end
  end
  if given.rows * given.columns ~= S then
    return ("grid must have one cell for each of the %d states, got %d x %d"):format(S, given.rows, given.columns)
  end
  return wrong_cells(given) or wrong_moves(given.moves, A)
end

return grid
