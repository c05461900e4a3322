-- The models of bench/mdp.lua: functions of gamma, so that one process serves all discount factors.
local trpo = require "trpo"

local models = {}

-- a function of gamma that makes the process once
local function once(make)
  local mdp
  return function(gamma)
    mdp = mdp or assert(make(gamma))
    return mdp:with_gamma(gamma)
  end
end

--- Random successors, fast to mix: S states, 4 actions, 5 successors of each pair.
function models.garnet(S)
  return once(function(gamma)
    return trpo.mdp.garnet { states = S, actions = 4, branching = 5, seed = 1, gamma = gamma }
  end)
end

function models.name_of_garnet(S) return ("Garnet 10^%.0f x 4 x 5"):format(math.log10(S)) end

--- Drift on a torus with random rewards: slow to mix.
function models.torus(side)
  return once(function(gamma) return trpo.mdp.torus { side = side, seed = 1, gamma = gamma } end)
end

-- cells that reach the goal, the last one; the others become walls
local function wall_off(open, side)
  local reached, queue, head = { [side * side] = true }, { side * side }, 1
  local function visit(s)
    if open[s] and not reached[s] then
      reached[s] = true
      queue[#queue + 1] = s
    end
  end
  while head <= #queue do
    local s = queue[head]
    head = head + 1
    if s % side ~= 1 then visit(s - 1) end
    if s % side ~= 0 then visit(s + 1) end
    visit(s - side)
    visit(s + side)
  end
  return reached
end

--- A maze with a fifth of the cells walled: -1 a step until the goal in a corner; with probability 0.2 a step slips to
-- one of the sides. Bumping into a wall stays.
function models.maze(side)
  return once(function(gamma)
    local rng, open = trpo.rng(1), {}
    local draw = trpo.rand(rng, side * side)
    for s = 1, side * side do open[s] = draw[s] >= 0.2 end
    open[side * side] = true
    local reached, number, cells = wall_off(open, side), {}, {}
    for s = 1, side * side do
      if reached[s] then
        cells[#cells + 1] = s
        number[s] = #cells
      end
    end
    local function target(s, direction)
      local column = (s - 1) % side
      if direction == 1 and column == 0 or direction == 3 and column == side - 1 then return s end
      local t = s + (direction == 1 and -1 or direction == 2 and side or direction == 3 and 1 or -side)
      return number[t] and t or s
    end
    return trpo.mdp.from_model { S = #cells, A = 4, gamma = gamma, model = function(i, a)
      local s, outcomes = cells[i], {}
      if s == side * side then return { { 1, i, 0, true } } end
      for turn = -1, 1 do
        local t = target(s, (a - 1 + turn) % 4 + 1)
        outcomes[#outcomes + 1] = { turn == 0 and 0.8 or 0.1, number[t], -1, t == side * side }
      end
      return outcomes
    end }
  end)
end

local function garnet_case(S, gammas)
  return { name = models.name_of_garnet(S), make = models.garnet(S), gammas = gammas }
end

local function torus_case(side, gammas)
  return { name = ("torus %d x %d"):format(side, side), make = models.torus(side), gammas = gammas, grid = true }
end

local function maze_case(side, gammas)
  return { name = ("maze %d x %d"):format(side, side), make = models.maze(side), gammas = gammas, grid = true }
end

--- What is solved: with `grid`, sizes times discount factors, of which the largest size has one.
function models.solves(short, large, grid)
  if grid then
    local list = {}
    for k = 4, 6 do list[#list + 1] = garnet_case(10 ^ k, { 0.9, 0.99, 0.999 }) end
    list[4] = garnet_case(1e7, { 0.99 })
    return list
  end
  if short then return { garnet_case(1e4, { 0.99 }), torus_case(40, { 0.999 }), maze_case(40, { 0.99 }) } end
  local all = { 0.9, 0.99, 0.999, 0.9999 }
  local list = { garnet_case(1e4, all), garnet_case(1e5, all), garnet_case(1e6, all),
    torus_case(200, { 0.99, 0.999, 0.9999 }), maze_case(300, { 0.99, 0.999, 0.9999 }) }
  if large then list[#list + 1] = garnet_case(1e7, { 0.9, 0.99 }) end
  return list
end

--- What a sweep is timed on, as arguments of bench/sweep.c: local successors stream, random ones wait for the cache.
function models.sweeps(short)
  if short then
    return { { name = "Garnet 10^4 x 4 x 5", program = "garnet 10000" },
      { name = "torus 100 x 100", program = "torus 100" } }
  end
  return { { name = "Garnet 10^6 x 4 x 5", program = "garnet 1000000" },
    { name = "torus 1000 x 1000", program = "torus 1000" } }
end

function models.evaluations(short)
  if short then return { garnet_case(1e4, { 0.99 }) } end
  return { garnet_case(1e6, { 0.99, 0.999 }), torus_case(200, { 0.999 }) }
end

return models
