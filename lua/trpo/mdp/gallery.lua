--- Named processes, each with its published definition.
--
--     local lake = trpo.mdp.frozen_lake { map = "8x8", gamma = 0.99 }
--     local same = trpo.mdp.make("FrozenLake8x8-v1", { gamma = 0.99 })
--     for _, entry in ipairs(trpo.mdp.gallery()) do print(entry.name, entry.summary) end
--
-- All take a table of options, which may be left out, and return an Mdp with a `name`; `action_names` and `states`
-- (their names) are set where they have any. Where states are cells of a grid, `grid` is `{ rows, columns, cells,
-- moves }`: state (row - 1) columns + column; `cells` a list of strings, one letter for each cell; `moves[a]` what
-- action a wants, `{ rows down, columns right }`. Probabilities and rewards do not depend on gamma (but in
-- `two_policies`), the defaults are those of the sources.
-- @submodule trpo.mdp
local blame = require "trpo.blame"
local core = require "trpo.core"
local spelling = require "trpo.spelling"

local named = core.mdp.named

local LEFT, DOWN, RIGHT, UP = { 0, -1 }, { 1, 0 }, { 0, 1 }, { -1, 0 }

-- { name, summary, id } in the order in which they are listed
local entries = {}
local makers = {}

-- calls a function of the core; what it raises is placed at the caller's line
local function call(f, ...)
  local results = { pcall(f, ...) }
  if not results[1] then blame(results[2]) end
  return unpack(results, 2, 4)
end

-- what Gymnasium calls the options of its processes
local names_there = {
  frozen_lake = { is_slippery = "slippery", map_name = "map", desc = "map", success_rate = "success" },
  cliff_walking = { is_slippery = "slippery" },
}

local function check_names(name, options)
  if type(options) ~= "table" then return end
  for there, here in pairs(names_there[name] or {}) do
    if options[there] ~= nil then
      blame(("trpo.mdp.%s: unknown option '%s', did you mean '%s'?"):format(name, there, here))
    end
  end
end

-- Adds a named process. label(mdp, options, cells) tells its labels; cells is what the core returns beside grid worlds.
local function add(name, summary, label)
  entries[#entries + 1] = { name = name, summary = summary }
  makers[name] = function(options)
    if options == nil then options = {} end
    check_names(name, options)
    local mdp, second, third = call(named[name], options)
    if not mdp then return nil, second, third end
    local labels = label and label(mdp, options, second) or {}
    labels.name = name
    core.mdp.attach(mdp, labels)
    if name == "two_policies" then return mdp, second, third end
    return mdp
  end
end

local function grid(rows, columns, cells, ...)
  return { rows = rows, columns = columns, cells = cells, moves = { ... } }
end

--- Walking on ice without falling into a hole: Gymnasium's FrozenLake-v1.
--
-- Actions left, down, right, up. Reaching G gives 1; G and H end the episode.
-- @function trpo.mdp.frozen_lake
-- @tparam[opt] table options `map` = "4x4": that, "8x8", or a list of strings of S (start), F (frozen), H (hole), G
--   (goal), see @{trpo.mdp.random_map}; `slippery` = true: a step may go to either side; `success` = 1/3, the
--   probability that it does not; `gamma` = 0.99
-- @treturn Mdp
-- @raise on other options, and names the row and the cell of a wrong map
add("frozen_lake", "reach the goal of a frozen lake without falling into a hole", function(_, _, cells)
  return {
    grid = grid(#cells, #cells[1], cells, LEFT, DOWN, RIGHT, UP),
    action_names = { "left", "down", "right", "up" },
  }
end)

--- Walking along a cliff: Gymnasium's CliffWalking-v1; Sutton and Barto 2018, example 6.6.
--
-- Actions up, right, down, left. Each step costs 1, falling off the cliff 100, and leads back to the start.
-- @function trpo.mdp.cliff_walking
-- @tparam[opt] table options `rows` = 4, `columns` = 12; `slippery` = false: steps go as wanted or to either side, each
--   with probability 1/3; `gamma` = 0.99
-- @treturn Mdp
-- @raise on other options
add("cliff_walking", "walk along a cliff from corner to corner", function(_, options)
  local rows, columns, cells = options.rows or 4, options.columns or 12, {}
  for row = 1, rows - 1 do cells[row] = ("."):rep(columns) end
  cells[rows] = "S" .. ("C"):rep(columns - 2) .. "G"
  return {
    grid = grid(rows, columns, cells, UP, RIGHT, DOWN, LEFT),
    action_names = { "up", "right", "down", "left" },
  }
end)

--- Fetching a passenger: Gymnasium's Taxi-v3; Dietterich 2000.
--
-- State ((row 5 + column) 5 + passenger) 4 + destination + 1, where all count from 0 and passenger 4 sits in the taxi.
-- Actions south, north, east, west, pick up, drop off. The first state is uniform over 300.
-- @function trpo.mdp.taxi
-- @tparam[opt] table options `gamma` = 0.99
-- @treturn Mdp
-- @raise on other options
add("taxi", "fetch a passenger and bring him to his destination", function()
  local places, states = { "R", "G", "Y", "B", "taxi" }, {}
  for row = 1, 5 do
    for column = 1, 5 do
      for passenger = 1, 5 do
        for destination = 1, 4 do
          states[#states + 1] = ("(%d, %d) %s to %s"):format(row, column, places[passenger], places[destination])
        end
      end
    end
  end
  return { states = states, action_names = { "south", "north", "east", "west", "pick up", "drop off" } }
end)

--- The 5 x 5 grid of Sutton and Barto 2018, example 3.5.
--
-- Actions north, south, east, west; leaving the grid costs 1. A pays 10 and leads to a, B pays 5 and leads to b.
-- Never ends.
-- @function trpo.mdp.grid_world
-- @tparam[opt] table options `gamma` = 0.9
-- @treturn Mdp
-- @raise on other options
add("grid_world", "the 5 x 5 grid of Sutton and Barto, example 3.5", function()
  return {
    grid = grid(5, 5, { ".A.B.", ".....", "...b.", ".....", ".a..." }, UP, DOWN, RIGHT, LEFT),
    action_names = { "north", "south", "east", "west" },
  }
end)

--- The 4 x 4 grid of Sutton and Barto 2018, example 4.1.
--
-- Actions up, down, right, left; each step costs 1 until one of two corners (G) is reached.
-- @function trpo.mdp.grid4x4
-- @tparam[opt] table options `gamma` = 1
-- @treturn Mdp
-- @raise on other options
add("grid4x4", "the 4 x 4 grid of Sutton and Barto, example 4.1", function()
  return {
    grid = grid(4, 4, { "G...", "....", "....", "...G" }, UP, DOWN, RIGHT, LEFT),
    action_names = { "up", "down", "right", "left" },
  }
end)

--- A slippery maze, with a cost of 1 for each step from the upper left to the lower right corner.
--
-- Actions up, right, down, left. Walls (#) and what cannot reach the goal are states, too, but never visited.
-- @function trpo.mdp.maze
-- @tparam[opt] table options `side` = 20 cells; `walls` = 0.2, the share of cells that are walls, none among the nine
--   around the start; `slip` = 0.2, the probability of a step to one of the sides; `seed` = 0; `gamma` = 0.99
-- @treturn[1] Mdp
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "not_converged" when walls are so many that no way to the goal was found, "no_memory"
-- @raise on other options
add("maze", "find the way through a slippery maze, each step costs 1", function(_, _, cells)
  return {
    grid = grid(#cells, #cells, cells, UP, RIGHT, DOWN, LEFT),
    action_names = { "up", "right", "down", "left" },
  }
end)

--- A grid without borders and with random rewards, slow to mix: a hard case for solvers near gamma = 1.
--
-- Actions left, down, right, up; with probability `noise` a step goes in a random one of these directions. Rewards
-- r(s, a) are uniform in [0, 1).
-- @function trpo.mdp.torus
-- @tparam[opt] table options `side` = 20 cells, at least 3; `noise` = 0.2; `seed` = 0; `gamma` = 0.99
-- @treturn[1] Mdp
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "no_memory"
-- @raise on other options
add("torus", "drift over a grid without borders, random rewards, slow to mix", function(mdp)
  local side = math.floor(math.sqrt(mdp.S) + 0.5)
  return {
    grid = grid(side, side, nil, LEFT, DOWN, RIGHT, UP),
    action_names = { "left", "down", "right", "up" },
  }
end)

--- Garnet: a random process. Each pair leads to `branching` distinct random states with probabilities uniform on the
-- simplex. The same seed gives the same bits everywhere.
-- @function trpo.mdp.garnet
-- @tparam[opt] table options `states` = 100, `actions` = 4, `branching` = 5 (at most states); `rewards` = "uniform" in
--   [0, 1), or "normal"; `seed` = 0 in [0, 2^53); `gamma` = 0.99
-- @treturn[1] Mdp
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "no_memory"
-- @raise on other options
-- @usage local big = trpo.mdp.garnet { states = 1e6, actions = 4, branching = 5, seed = 1 }
add("garnet", "a random process with a given number of successors of each pair")

--- The gambler's problem: Sutton and Barto 2018, example 4.3.
--
-- State = capital + 1; action a stakes a, at most the capital and what is missing. Reaching the goal gives 1.
-- @function trpo.mdp.gambler
-- @tparam[opt] table options `goal` = 100, at least 2; `p` = 0.4, the probability to win; `gamma` = 1
-- @treturn Mdp
-- @raise on other options
add("gambler", "stake capital on the throws of a coin until a goal or ruin", function(mdp)
  local states, stakes = {}, {}
  for s = 1, mdp.S do states[s] = "capital " .. s - 1 end
  for a = 1, mdp.A do stakes[a] = "stake " .. a end
  return { states = states, action_names = stakes }
end)

--- Jack's car rental: Sutton and Barto 2018, example 4.2, without cutting off the tails of the Poisson laws.
--
-- State n1 (cars + 1) + n2 + 1 for n1 and n2 cars at night; action a moves a - moves - 1 cars from the first place to
-- the second, as far as they are there. Rewards are expected ones.
-- @function trpo.mdp.car_rental
-- @tparam[opt] table options `cars` = 20 at each place, at most 50; `moves` = 5 cars at a time; `rent` = 10 for each
--   car, `cost` = 2 of a move; `requests` = { 3, 4 }, `returns` = { 3, 2 } expected a day; `gamma` = 0.9
-- @treturn Mdp
-- @raise on other options
add("car_rental", "move rental cars between two places overnight", function(mdp)
  local n, moves, states, names = math.floor(math.sqrt(mdp.S) + 0.5), (mdp.A - 1) / 2, {}, {}
  for s = 0, mdp.S - 1 do states[s + 1] = ("(%d, %d)"):format(math.floor(s / n), s % n) end
  for a = 1, mdp.A do names[a] = ("%+d"):format(a - moves - 1) end
  return { states = states, action_names = names }
end)

--- RiverSwim: swimming left is easy and pays little, swimming right against the current is hard and pays much at the
-- end.
--
-- Actions left, right. Two sets of numbers are in use:
--
-- * "strehl" (Strehl and Littman 2008): against the current 0.3 right, 0.6 stay, 0.1 left; 0.7 stay, 0.3 right in
--   the first state; 0.7 left, 0.3 stay in the last. Rewards 5 and 10000 (when it stays). Starts in state 2 or 3.
-- * "osband" (Osband, Russo, Van Roy 2013): 0.35 right, 0.6 stay, 0.05 left; 0.4 stay, 0.6 right in the first state;
--   0.4 left, 0.6 stay in the last. Rewards 0.005 and 1. Starts in state 1.
-- @function trpo.mdp.river_swim
-- @tparam[opt] table options `states` = 6, at least 3; `variant` = "strehl" or "osband"; `gamma` = 0.95
-- @treturn Mdp
-- @raise on other options
add("river_swim", "swim against the current for a large reward", function()
  return { action_names = { "left", "right" } }
end)

--- The chain of Strens 2000 and Dearden et al. 1998: forward for a large reward at the end, or back for a small one
-- now.
--
-- Actions forward, back; with probability `slip` the other one happens.
-- @function trpo.mdp.chain
-- @tparam[opt] table options `states` = 5, `slip` = 0.2, `small` = 2, `large` = 10, `gamma` = 0.99
-- @treturn Mdp
-- @raise on other options
add("chain", "go forward for a large reward at the end of a chain, or back for a small one", function()
  return { action_names = { "forward", "back" } }
end)

--- Random walk: Sutton and Barto 2018, example 6.2. Actions left, right; the right end gives 1; both ends end the
-- episode. The uniform policy has V = k / (states + 1) in the k-th state between the ends, state k + 1.
-- @function trpo.mdp.random_walk
-- @tparam[opt] table options `states` = 5 between the ends, `gamma` = 1
-- @treturn Mdp
-- @raise on other options
add("random_walk", "walk between two ends, the right one pays 1", function()
  return { action_names = { "left", "right" } }
end)

--- Forest management, as in pymdptoolbox: wait or cut, while fires set the age back to zero.
-- @function trpo.mdp.forest
-- @tparam[opt] table options `states` = 3 ages; `r1` = 4 for waiting and `r2` = 2 for cutting in the oldest; `p` =
--   0.1, the probability of a fire; `gamma` = 0.9
-- @treturn Mdp
-- @raise on other options
add("forest", "wait or cut a forest that may burn", function()
  return { action_names = { "wait", "cut" } }
end)

--- The two-state example of Puterman 1994, section 3.1. State 2 has one action only. V* = (-60/7, -20) for gamma =
-- 0.95.
-- @function trpo.mdp.puterman
-- @tparam[opt] table options `gamma` = 0.95
-- @treturn Mdp
-- @raise on other options
add("puterman", "the two-state example of Puterman, section 3.1")

--- The short corridor of Sutton and Barto 2018, example 13.1: left and right are swapped in the second of three
-- states, and each step costs 1. A policy that is the same everywhere goes right with probability 2 - sqrt 2 at best,
-- worth -(6 + 4 sqrt 2) in state 1.
-- @function trpo.mdp.short_corridor
-- @tparam[opt] table options `gamma` = 1
-- @treturn Mdp
-- @raise on other options
add("short_corridor", "a corridor with left and right swapped in the middle", function()
  return { action_names = { "left", "right" }, states = { "1", "2", "3", "end" } }
end)

--- Two states and two policies that show what the surrogate misses: eta = 4 of the first, 2.75 of the second, but
-- L(second) = 3 (for gamma of at least 1/3).
-- @function trpo.mdp.two_policies
-- @tparam[opt] table options `gamma` = 0.9, in (0, 1]; the rewards 3/gamma and 5/gamma depend on it
-- @treturn Mdp
-- @treturn Tensor the first policy [3, 2]: (0, 1), (1/2, 1/2)
-- @treturn Tensor the second policy [3, 2]: (1/2, 1/2), (1/4, 3/4)
-- @raise on other options
add("two_policies", "two states and two policies, where the surrogate says 3 and the truth is 2.75", function()
  return { states = { "s0", "s1", "end" } }
end)

-- ids of Gymnasium: name, options
local ids = {
  ["FrozenLake-v1"] = { "frozen_lake", {} },
  ["FrozenLake8x8-v1"] = { "frozen_lake", { map = "8x8" } },
  ["CliffWalking-v1"] = { "cliff_walking", {} },
  ["Taxi-v3"] = { "taxi", {} },
}

-- a table of options, or none, and the same with defaults beneath
local function with_defaults(what, options, defaults)
  if options ~= nil and type(options) ~= "table" then
    blame(("%s: options must be a table, got %s"):format(what, type(options)))
  end
  local merged = {}
  for key, value in pairs(defaults) do merged[key] = value end
  for key, value in pairs(options or {}) do merged[key] = value end
  return merged
end

--- Makes a named process.
-- @function trpo.mdp.make
-- @tparam string name one that @{trpo.mdp.gallery} lists, or one of Gymnasium's ids "FrozenLake-v1",
--   "FrozenLake8x8-v1", "CliffWalking-v1", "Taxi-v3"
-- @tparam[opt] table options those of the process
-- @return what its function returns
-- @raise on an unknown name (with a suggestion), and on options that the process has not
local function make(name, options)
  local entry = ids[name] or (makers[name] and { name, {} })
  if not entry then
    local known = {}
    for id in pairs(ids) do known[#known + 1] = id end
    for maker in pairs(makers) do known[#known + 1] = maker end
    table.sort(known)
    blame(("trpo.mdp.make: unknown process '%s'%s"):format(tostring(name), spelling.hint(tostring(name), known)))
  end
  return makers[entry[1]](with_defaults("trpo.mdp.make", options, entry[2]))
end

--- The named processes.
-- @function trpo.mdp.gallery
-- @treturn {table,...} list of `{ name, summary, ids }`; `trpo.mdp[name]` makes it, `ids` are Gymnasium's names for it
local function gallery()
  local list = {}
  for i, entry in ipairs(entries) do
    list[i] = { name = entry.name, summary = entry.summary, ids = {} }
    for id, target in pairs(ids) do
      if target[1] == entry.name then table.insert(list[i].ids, id) end
    end
    table.sort(list[i].ids)
  end
  return list
end

local function integer_in(what, name, value, low, high)
  if not (type(value) == "number" and value >= low and value <= high and value % 1 == 0) then
    blame(("%s: %s must be an integer in [%d, %d], got %s"):format(what, name, low, high, tostring(value)))
  end
  return value
end

-- cells of a random map as a list of rows, each a list of letters
local function draw(size, p, rng)
  local map = {}
  for row = 1, size do
    map[row] = {}
    for column = 1, size do map[row][column] = rng:uniform() < p and "F" or "H" end
  end
  map[1][1], map[size][size] = "S", "G"
  return map
end

-- whether a way leads from the start to the goal
local function is_passable(map)
  local size, seen, open = #map, { [0] = true }, { 0 }
  while #open > 0 do
    local cell = table.remove(open)
    local row, column = math.floor(cell / size), cell % size
    for _, move in ipairs { LEFT, DOWN, RIGHT, UP } do
      local r, c = row + move[1], column + move[2]
      local next_cell = r * size + c
      local inside = r >= 0 and r < size and c >= 0 and c < size
      if inside and not seen[next_cell] and map[r + 1][c + 1] ~= "H" then
        seen[next_cell] = true
        open[#open + 1] = next_cell
      end
    end
  end
  return seen[size * size - 1] or false
end

local TRIES = 1000

--- A random map for @{trpo.mdp.frozen_lake}, with a way from the start in the upper left to the goal in the lower
-- right corner.
-- @function trpo.mdp.random_map
-- @tparam[opt] table options `size` = 8 rows and columns, 2 to 1000; `p` = 0.8, the probability that a cell is frozen;
--   `seed` = 0
-- @treturn[1] {string,...} one string for each row
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "not_converged" when no map with a way was found
-- @raise on other options
local function random_map(options)
  local what = "trpo.mdp.random_map"
  options = with_defaults(what, options, { size = 8, p = 0.8, seed = 0 })
  local message = spelling.unknown(options, { "size", "p", "seed" })
  if message then blame(("%s: %s"):format(what, message)) end
  integer_in(what, "size", options.size, 2, 1000)
  integer_in(what, "seed", options.seed, 0, 2 ^ 53 - 1)
  if not (type(options.p) == "number" and options.p > 0 and options.p <= 1) then
    blame(("%s: p must be a number in (0, 1], got %s"):format(what, tostring(options.p)))
  end
  local rng = core.rng(options.seed)
  for _ = 1, TRIES do
    local map = draw(options.size, options.p, rng)
    if is_passable(map) then
      for row = 1, options.size do map[row] = table.concat(map[row]) end
      return map
    end
  end
  return nil, ("%s: no map with p = %g has a way to the goal"):format(what, options.p), "not_converged"
end

return function(face)
  for name, maker in pairs(makers) do face[name] = maker end
  face.named = nil
  face.make, face.gallery, face.random_map = make, gallery, random_map
end
