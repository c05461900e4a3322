--- Values and policies as text: boards of grid worlds, tables of all others.
-- @module trpo.mdp.text
local board = require "trpo.mdp.board"

local text = {}

-- a board that is wider or higher than this is not shown
local WIDEST, HIGHEST = 100, 60

-- what is longer than this many states is shown by its beginning and its end
local LONGEST, HEAD, TAIL = 40, 20, 8

-- ---- boards ------------------------------------------------------------------------------------

-- one format for all values: four digits of the largest, or as many as fit
local function value_format(V)
  local most = 0
  for _, x in ipairs(V) do
    if math.abs(x) < math.huge then most = math.max(most, math.abs(x)) end
  end
  if most ~= 0 and (most < 0.01 or most >= 1e5) then return "%.2e" end
  return most < 10 and "%.3f" or most < 100 and "%.2f" or "%.1f"
end

-- a letter for each action that is taken with at least half the probability of the best one
local function letters_of(world, row)
  local most, out = 0, {}
  for _, p in ipairs(row) do most = math.max(most, p) end
  for a, p in ipairs(row) do
    if p >= 0.5 * most and p > 0 then out[#out + 1] = world.arrows[a] and world.arrows[a][3] or tostring(a) end
  end
  return table.concat(out)
end

-- the words of a board as lines with columns of one width; or nil when it is too large
local function lines_of(world, word)
  local words, width = {}, 1
  for s, cell in ipairs(world.cells) do
    words[s] = board.closed[cell.kind] and cell.letter or word(s)
    width = math.max(width, #words[s])
  end
  if (width + 2) * world.columns > WIDEST then return nil end
  local lines = {}
  for row = 1, world.rows do
    local line = {}
    for column = 1, world.columns do
      line[column] = ("%" .. width .. "s"):format(words[(row - 1) * world.columns + column])
    end
    lines[row] = "  " .. table.concat(line, "  ")
  end
  return lines
end

local function beside(left, right)
  local width, lines = 0, {}
  for _, line in ipairs(left) do width = math.max(width, #line) end
  for i, line in ipairs(left) do lines[i] = line .. (" "):rep(width - #line) .. "    " .. right[i] end
  return lines, width
end

--- The boards of values and policy, side by side where they fit.
-- @tparam Mdp mdp
-- @tparam table what lists `V` [S] and `policy` [S][A], either may be missing
-- @treturn string|nil nil when it is no grid world, or one too large for a terminal
function text.board(mdp, what)
  local rows, columns = board.size(mdp)
  if not rows or 3 * columns > WIDEST or rows > HIGHEST then return nil end
  local world = board.of(mdp)
  local format = what.V and value_format(what.V)
  local values = what.V and lines_of(world, function(s) return format:format(what.V[s]) end)
  local policy = what.policy and lines_of(world, function(s) return letters_of(world, what.policy[s]) end)
  local parts = {}
  if values then table.insert(values, 1, "V") end
  if policy then table.insert(policy, 1, "policy") end
  if values and policy then
    local both, width = beside(values, policy)
    if width + 4 + #policy[2] <= WIDEST then values, policy = both, nil end
  end
  for _, lines in ipairs { values or {}, policy or {} } do
    if #lines > 0 then parts[#parts + 1] = table.concat(lines, "\n") end
  end
  return #parts > 0 and table.concat(parts, "\n\n") .. "\n" or nil
end

-- ---- tables ------------------------------------------------------------------------------------

--- Rows of words as lines, each column as wide as it must be.
-- @tparam {table,...} rows the first one is the heading
-- @tparam table left numbers of the columns that are aligned on the left
-- @treturn string
function text.aligned(rows, left)
  local widths, on_left, lines = {}, {}, {}
  -- characters, not bytes
  local function length(word) return select(2, word:gsub("[^\128-\191]", "")) end
  for _, column in ipairs(left) do on_left[column] = true end
  for _, row in ipairs(rows) do
    for j, word in ipairs(row) do widths[j] = math.max(widths[j] or 0, length(word)) end
  end
  for i, row in ipairs(rows) do
    local words = {}
    for j, word in ipairs(row) do
      local room = (" "):rep(widths[j] - length(word))
      words[j] = on_left[j] and word .. room or room .. word
    end
    lines[i] = ("  " .. table.concat(words, "  ")):gsub(" +$", "")
  end
  return table.concat(lines, "\n") .. "\n"
end

local function number(x) return (("%.6g"):format(x):gsub("^%-0$", "0")) end

local function action_name(mdp, a) return mdp.action_names and mdp.action_names[a] or tostring(a) end

-- "left", "left 0.5, right 0.5", "all alike"
local function taken(mdp, row)
  local list, first, alike = {}, nil, true
  for a, p in ipairs(row) do
    if p > 0 then
      first, alike = first or p, alike and (not first or p == first)
      list[#list + 1] = { a, p }
    end
  end
  if #list == 1 then return action_name(mdp, list[1][1]) end
  if alike and #list > 2 then return ("%d actions alike"):format(#list) end
  table.sort(list, function(x, y) return x[2] > y[2] or x[2] == y[2] and x[1] < y[1] end)
  local words = {}
  for i = 1, math.min(#list, 3) do words[i] = ("%s %.3g"):format(action_name(mdp, list[i][1]), list[i][2]) end
  return table.concat(words, ", ") .. (#list > 3 and ", ..." or "")
end

local function row_of(mdp, what, s, with_Q)
  local row = { mdp.states and mdp.states[s] or ("%d"):format(s) }
  if what.V then row[#row + 1] = number(what.V[s]) end
  if what.policy then row[#row + 1] = taken(mdp, what.policy[s]) end
  for a = 1, with_Q and mdp.A or 0 do
    local x = what.Q[s][a]
    row[#row + 1] = x == -math.huge and "-" or number(x)
  end
  return row
end

--- A table of the states: value, policy, Q where there are few actions. Of many states some are shown.
-- @tparam Mdp mdp
-- @tparam table what lists `V` [S], `policy` [S][A], `Q` [S][A], any of which may be missing
-- @treturn string
function text.table(mdp, what)
  local with_Q = what.Q and mdp.A <= 6
  local heading = { "state" }
  if what.V then heading[#heading + 1] = "V" end
  if what.policy then heading[#heading + 1] = "policy" end
  for a = 1, with_Q and mdp.A or 0 do heading[#heading + 1] = ("Q(%s)"):format(action_name(mdp, a)) end
  local rows = { heading }
  local short = mdp.S > LONGEST
  for s = 1, mdp.S do
    if not short or s <= HEAD or s > mdp.S - TAIL then
      rows[#rows + 1] = row_of(mdp, what, s, with_Q)
    elseif s == HEAD + 1 then
      rows[#rows + 1] = { "..." }
    end
  end
  local shown = text.aligned(rows, { mdp.states and 1 or 0, what.V and 3 or 2 })
  if not short then return shown end
  return shown .. ("  (%d states are not shown)\n"):format(mdp.S - HEAD - TAIL)
end

return text
