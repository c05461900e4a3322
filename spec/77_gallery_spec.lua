-- Named processes: the answers that were published for them, and their definitions written down a second time.
local trpo = require "trpo"
local misuse = require "support.misuse"
local tabular = require "support.tabular"

local mdp = trpo.mdp

local function near(expected, got, tolerance)
  tolerance = tolerance or 1e-11
  assert.is_true(math.abs(expected - got) <= tolerance * math.max(1, math.abs(expected)),
    ("%.17g instead of %.17g"):format(got, expected))
end

local function all_near(expected, got, tolerance)
  assert.are.equal(#expected, got:size(1))
  for i, x in ipairs(expected) do near(x, got[i], tolerance) end
end

describe("published values", function()
  it("of FrozenLake 4 x 4", function()
    for gamma, value in pairs { [1] = 14 / 17, [0.99] = 0.542025932000, [0.95] = 0.180471578397, [0.9] = 0.068890904889 } do
      near(value, tabular.optimal(mdp.frozen_lake { gamma = gamma })[1], 1e-10)
    end
    local lake = mdp.frozen_lake()
    near(0.012356137325, tabular.evaluate(lake, lake:uniform_policy()).V[1])
  end)

  it("of CliffWalking, -(1 - gamma^13) / (1 - gamma)", function()
    for _, gamma in ipairs { 0.5, 0.9, 0.99 } do
      near(-(1 - gamma ^ 13) / (1 - gamma), tabular.optimal(mdp.cliff_walking { gamma = gamma })[37])
    end
    near(-13, tabular.optimal(mdp.cliff_walking { gamma = 1 }, 200)[37])
  end)

  it("of Taxi, over its 300 starts", function()
    for gamma, value in pairs { [1] = 7.93, [0.99] = 6.327464314919 } do
      local taxi = mdp.taxi { gamma = gamma }
      near(value, taxi.rho0:dot(tabular.optimal(taxi)))
    end
  end)

  it("of the 5 x 5 grid", function()
    local grid = mdp.grid_world()
    local V = tabular.evaluate(grid, grid:uniform_policy()).V
    all_near({ 3.308996335635, 8.789291862596, 4.427619182583, 5.322367593370, 1.492178758740 }, V:narrow(1, 1, 5))
    near(1000000 / 40951, tabular.optimal(grid)[2])
  end)

  it("of the 4 x 4 grid", function()
    local grid = mdp.grid4x4 { gamma = 1 }
    local expected = { 0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0 }
    local V = trpo.zeros(16)
    V:narrow(1, 2, 14):copy(tabular.evaluate(mdp.grid4x4 { gamma = 1 }, grid:uniform_policy()).V:narrow(1, 2, 14))
    all_near(expected, V)
    for s, v in ipairs(tabular.optimal(grid):totable()) do
      local row, column = math.floor((s - 1) / 4), (s - 1) % 4
      near(-math.min(row + column, 6 - row - column), v)
    end
  end)

  it("of the gambler's problem", function()
    local V = tabular.optimal(mdp.gambler())
    near(4 / 25, V[26])
    near(2 / 5, V[51])
    near(16 / 25, V[76])
    -- with a fair coin every play is worth the capital
    local fair = tabular.optimal(mdp.gambler { p = 0.5, goal = 10 })
    for capital = 1, 9 do near(capital / 10, fair[capital + 1]) end
  end)

  -- derived in rational arithmetic (policy iteration over fractions): always right, from gamma = 0.95 on
  it("of RiverSwim", function()
    all_near({ 6137.9314642194968, 7214.7615456615131, 8839.4525457319251, 10931.797360796085, 13547.104818588714,
      16795.559027079013 }, (tabular.optimal(mdp.river_swim())))
    all_near({ 37.854701140082376, 38.491985671060192, 39.693906135689353, 41.011176335851076, 42.382941525653429,
      43.802080896942755 }, (tabular.optimal(mdp.river_swim { variant = "osband", gamma = 0.99 })))
  end)

  -- derived in the same way: always forward; 354.7681... = 3547681005568/10^10
  it("of the chain", function()
    all_near({ 354.7681005568, 358.7424452608, 363.7605572608, 370.0965572608, 378.0965572608 },
      (tabular.optimal(mdp.chain())))
  end)

  it("of forest management", function()
    all_near({ 26.244, 29.484, 33.484 }, (tabular.optimal(mdp.forest())))
  end)

  it("of Puterman's two states", function()
    all_near({ -60 / 7, -20 }, (tabular.optimal(mdp.puterman())))
  end)

  it("of the short corridor, for a policy that cannot tell the states apart", function()
    local corridor = mdp.short_corridor { gamma = 1 }
    local function value(right)
      local pi = trpo.full({ 4, 2 }, 0.5)
      for s = 1, 3 do pi[s]:copy(trpo.tensor { 1 - right, right }) end
      -- the end is left out: with gamma = 1 its own equation says nothing
      local P, r = tabular.chain(corridor, pi)
      local inner = trpo.eye(3) - P:narrow(1, 1, 3):narrow(2, 1, 3)
      return trpo.linalg.solve(inner, r:narrow(1, 1, 3))[1]
    end
    local best = 2 - math.sqrt(2)
    near(-(6 + 4 * math.sqrt(2)), value(best))
    assert.is_true(value(best) > value(best + 1e-3) and value(best) > value(best - 1e-3))
    -- the two other points of the book's figure
    assert.is_true(math.abs(value(0.95) + 44) < 0.7 and math.abs(value(0.05) + 82) < 0.7)
  end)

  it("of the random walk, k / 6", function()
    local walk = mdp.random_walk { gamma = 1 }
    local P, r = tabular.chain(walk, walk:uniform_policy())
    local V = trpo.linalg.solve(trpo.eye(7) - P, r)
    all_near({ 0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 0 }, V)
    assert.are.equal(1, walk.rho0[4])
  end)

  it("of the two policies: eta 4 and 2.75, though L says 3", function()
    for _, gamma in ipairs { 0.4, 0.9, 1 } do
      local process, pi, other = mdp.two_policies { gamma = gamma }
      local e, f = tabular.evaluate(process, pi), tabular.evaluate(process, other)
      near(4, e.eta)
      near(2.75, f.eta)
      all_near({ -3, 0 }, e.A[1])
      all_near({ -1 / gamma, 1 / gamma }, e.A[2])
      near(gamma, e.rho[2])
      near(gamma / 2, f.rho[2])
      local L = e.eta
      for s = 1, 2 do L = L + e.rho[s] * other[s]:dot(e.A[s]) end
      near(3, L)
    end
  end)
end)

describe("Jack's car rental", function()
  -- Poisson probabilities 0 .. n - 1 and the rest, by logarithms and far beyond any tail
  local function poisson(mean, n)
    local p, rest, log_factorial = {}, 0, 0
    for k = 0, 300 do
      if k > 0 then log_factorial = log_factorial + math.log(k) end
      local x = math.exp(k * math.log(mean) - mean - log_factorial)
      if k < n then p[k] = x else rest = rest + x end
    end
    p[n] = rest
    return p
  end

  -- one place by itself: what a day does to n cars, and the cars that are rented
  local function day(requests, returns, cars)
    local to, rented, back = {}, {}, poisson(returns, cars)
    for n = 0, cars do
      local out = poisson(requests, n)
      to[n], rented[n] = {}, 0
      for m = 0, cars do to[n][m] = 0 end
      for o = 0, n do
        rented[n] = rented[n] + o * out[o]
        for b = 0, cars do
          local m = math.min(n - o + b, cars)
          to[n][m] = to[n][m] + out[o] * back[b]
        end
      end
    end
    return to, rented
  end

  it("is two places side by side", function()
    local rental = mdp.car_rental { cars = 4, moves = 2, requests = { 1.5, 0.7 }, returns = { 0.4, 2 }, rent = 3, cost = 1 }
    local to1, rented1 = day(1.5, 0.4, 4)
    local to2, rented2 = day(0.7, 2, 4)
    local P, r, pairs_seen = rental.P, rental.r, 0
    for n1 = 0, 4 do
      for n2 = 0, 4 do
        for a = 1, 5 do
          local move, s = a - 3, n1 * 5 + n2 + 1
          if move > n1 or -move > n2 then
            assert.are.equal(-math.huge, r[s][a])
          else
            local m1, m2 = math.min(n1 - move, 4), math.min(n2 + move, 4)
            near(3 * (rented1[m1] + rented2[m2]) - math.abs(move), r[s][a], 1e-13)
            for k = 0, 24 do
              near(to1[m1][math.floor(k / 5)] * to2[m2][k % 5], P:get((s - 1) * 5 + a, k + 1), 1e-14)
            end
            pairs_seen = pairs_seen + 1
          end
        end
      end
    end
    assert.are.equal(25 * 5 - 2 * 5 * 1 * 2 - 2 * 5 * 1, pairs_seen) -- per place 5 states lack one move, 5 both
  end)

  -- values of the places side by side, by matrix products with one place at a time: V -> to1 V to2'
  local function factored(cars, sweeps)
    local to1, rented1 = day(3, 3, cars)
    local to2, rented2 = day(4, 2, cars)
    local n = cars + 1
    local function tensor_of(to)
      local t = trpo.zeros(n, n)
      for i = 0, cars do
        for j = 0, cars do t[i + 1][j + 1] = to[i][j] end
      end
      return t
    end
    local T1, T2, rent, V = tensor_of(to1), tensor_of(to2):t(), trpo.zeros(n, n), trpo.full({ n, n }, 500)
    for i = 0, cars do
      for j = 0, cars do rent[i + 1][j + 1] = 10 * (rented1[i] + rented2[j]) end
    end
    local change
    for _ = 1, sweeps do
      local W, better = (rent + T1:mm(V):mm(T2) * 0.9):totable(), {}
      for i = 0, cars do
        better[i + 1] = {}
        for j = 0, cars do
          local best = -math.huge
          for move = -math.min(5, j), math.min(5, i) do
            local x = W[math.min(i - move, cars) + 1][math.min(j + move, cars) + 1] - 2 * math.abs(move)
            if x > best then best = x end
          end
          better[i + 1][j + 1] = best
        end
      end
      better = trpo.tensor(better)
      change, V = better - V, better
    end
    -- the middle of MacQueen's bounds: the span of the change falls faster than gamma^k
    return (V + (change:min() + change:max()) / 2 * 9):view(n * n)
  end

  -- derived with 30 digits (mpmath; value iteration on the factors, span 1e-21), tails folded
  it("has the values and the policy of the book's picture", function()
    local rental = mdp.car_rental()
    assert.are.same({ 441, 11, 0.9 }, { rental.S, rental.A, rental.gamma })
    local V = factored(20, 110)
    for state, value in pairs { [{ 0, 0 }] = 421.41406339651227, [{ 20, 0 }] = 554.94770603614202,
      [{ 0, 20 }] = 567.76850879631623, [{ 10, 10 }] = 574.94832398524658, [{ 20, 20 }] = 636.98960680436729 } do
      near(value, V[state[1] * 21 + state[2] + 1])
    end
    -- they satisfy the equation of the process as it was made
    local Q = rental.P:mv(V):view(441, 11) * 0.9 + rental.r
    assert.is_true((Q:max(2) - V):abs():max() < 1e-10)
    local best, moves = Q:argmax(2), {}
    for n2 = 0, 20 do moves[n2 + 1] = best[20 * 21 + n2 + 1] - 6 end
    assert.are.same({ 5, 5, 5, 5, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1, 1, 0, 0, 0 }, moves)
    for n1 = 0, 4 do moves[n1 + 1] = best[n1 * 21 + 21] - 6 end
    assert.are.same({ -4, -3, -2, -2, -1 }, { moves[1], moves[2], moves[3], moves[4], moves[5] })
    assert.are.equal("+3", rental.action_names[9])
    assert.are.equal("(20, 1)", rental.states[20 * 21 + 2])
  end)
end)

-- the outcomes of a pair as { [next done reward] = probability }
local function merged(outcomes)
  local out = {}
  for _, o in ipairs(outcomes) do
    local key = ("%d %s %g"):format(o[2] or o.next, tostring(o[4] or o.done or false), o[3] or o.reward)
    out[key] = (out[key] or 0) + (o[1] or o.probability)
  end
  return out
end

local function same_outcomes(expected, got)
  for key, p in pairs(expected) do
    assert.is_true(got[key] ~= nil, key .. " is missing")
    near(p, got[key], 1e-15)
  end
  for key in pairs(got) do assert.is_true(expected[key] ~= nil, key .. " is too much") end
end

-- compares a process with a function that tells outcomes { probability, next, reward, done }, counting from 0
local function same_process(process, S, A, model)
  assert.are.same({ S, A }, { process.S, process.A })
  for s = 0, S - 1 do
    for a = 0, A - 1 do
      local expected = {}
      for i, o in ipairs(model(s, a)) do expected[i] = { o[1], o[2] + 1, o[3], o[4] } end
      same_outcomes(merged(expected), merged(process:outcomes(s + 1, a + 1)))
    end
  end
end

describe("Gymnasium's processes", function()
  -- Gymnasium's inc(row, col, a) of FrozenLake
  local function slide(rows, columns, row, column, a)
    if a == 0 then column = math.max(column - 1, 0)
    elseif a == 1 then row = math.min(row + 1, rows - 1)
    elseif a == 2 then column = math.min(column + 1, columns - 1)
    else row = math.max(row - 1, 0) end
    return row, column
  end

  local function lake_model(map, slippery, success)
    local rows, columns = #map, #map[1]
    local function cell(row, column) return map[row + 1]:sub(column + 1, column + 1) end
    return function(s, a)
      local row, column = math.floor(s / columns), s % columns
      if cell(row, column):find "[GH]" then return { { 1, s, 0, true } } end
      local list = {}
      for b = a - 1, a + 1 do
        if slippery or b == a then
          local r, c = slide(rows, columns, row, column, b % 4)
          local letter = cell(r, c)
          list[#list + 1] = { not slippery and 1 or b == a and success or (1 - success) / 2, r * columns + c,
            letter == "G" and 1 or 0, letter == "G" or letter == "H" }
        end
      end
      return list
    end
  end

  local maps = { ["4x4"] = { "SFFF", "FHFH", "FFFH", "HFFG" }, ["8x8"] = { "SFFFFFFF", "FFFFFFFF", "FFFHFFFF",
    "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG" } }

  it("FrozenLake, outcome by outcome", function()
    for name, map in pairs(maps) do
      for _, slippery in ipairs { true, false } do
        local lake = mdp.frozen_lake { map = name, slippery = slippery }
        same_process(lake, #map * #map, 4, lake_model(map, slippery, 1 / 3))
        assert.are.same(map, lake.grid.cells)
        assert.are.equal(1, lake.rho0[1])
      end
    end
  end)

  it("FrozenLake on any map, with more than one start, and with less slippery ice", function()
    local map = { "HSFFG", "FSHFF", "FFFFS" }
    local lake = mdp.frozen_lake { map = map, success = 0.7 }
    same_process(lake, 15, 4, lake_model(map, true, 0.7))
    for s = 1, 15 do near((s == 2 or s == 7 or s == 15) and 1 / 3 or 0, lake.rho0[s]) end
    assert.are.same({ 3, 5 }, { lake.grid.rows, lake.grid.columns })
    for seed = 0, 4 do
      local random = assert(mdp.random_map { size = 6, p = 0.7, seed = seed })
      same_process(mdp.frozen_lake { map = random }, 36, 4, lake_model(random, true, 1 / 3))
      assert.is_true(tabular.optimal(mdp.frozen_lake { map = random })[1] > 0)
    end
  end)

  it("CliffWalking, slippery or not", function()
    local moves = { [0] = { -1, 0 }, { 0, 1 }, { 1, 0 }, { 0, -1 } }
    for _, slippery in ipairs { false, true } do
      same_process(mdp.cliff_walking { slippery = slippery }, 48, 4, function(s, a)
        local list = {}
        for turn = slippery and -1 or 0, slippery and 1 or 0 do
          local move = moves[(a + turn) % 4]
          local row = math.max(0, math.min(3, math.floor(s / 12) + move[1]))
          local column = math.max(0, math.min(11, s % 12 + move[2]))
          local cliff = row == 3 and column >= 1 and column <= 10
          list[#list + 1] = { slippery and 1 / 3 or 1, cliff and 36 or row * 12 + column, cliff and -100 or -1,
            row == 3 and column == 11 }
        end
        return list
      end)
    end
    assert.are.equal(1, mdp.cliff_walking().rho0[37])
    assert.are.same({ "......", "SCCCCG" }, mdp.cliff_walking { rows = 2, columns = 6 }.grid.cells)
  end)

  it("Taxi", function()
    local picture = { "|R: | : :G|", "| : | : : |", "| : : : : |", "| | : | : |", "|Y| : |B: |" }
    local places = { [0] = { 0, 0 }, { 0, 4 }, { 4, 0 }, { 4, 3 } }
    local starts = 0
    local taxi = mdp.taxi()
    same_process(taxi, 500, 6, function(s, a)
      local destination, passenger = s % 4, math.floor(s / 4) % 5
      local column, row = math.floor(s / 20) % 5, math.floor(s / 100)
      local r, c, p, reward, done = row, column, passenger, -1, false
      local function here(place) return place and place[1] == row and place[2] == column end
      -- Gymnasium's letters: what stands right of column c is character 2c + 3 of the picture, from 1
      if a == 0 then r = math.min(row + 1, 4)
      elseif a == 1 then r = math.max(row - 1, 0)
      elseif a == 2 and picture[row + 1]:sub(2 * column + 3, 2 * column + 3) == ":" then c = column + 1
      elseif a == 3 and picture[row + 1]:sub(2 * column + 1, 2 * column + 1) == ":" then c = column - 1
      elseif a == 4 then
        if passenger < 4 and here(places[passenger]) then p = 4 else reward = -10 end
      elseif a == 5 then
        reward = -10
        if passenger == 4 then
          for i = 0, 3 do
            if here(places[i]) then p, reward, done = i, i == destination and 20 or -1, i == destination end
          end
        end
      end
      if a == 0 then
        local start = passenger < 4 and passenger ~= destination
        starts = starts + (start and 1 or 0)
        near(start and 1 / 300 or 0, taxi.rho0[s + 1], 1e-15)
      end
      return { { 1, ((r * 5 + c) * 5 + p) * 4 + destination, reward, done } }
    end)
    assert.are.equal(300, starts)
    assert.are.equal("(1, 2) taxi to B", taxi.states[((0 * 5 + 1) * 5 + 4) * 4 + 3 + 1])
  end)
end)

describe("the gallery", function()
  it("lists every process with a name, a summary and Gymnasium's ids", function()
    local list, ids = mdp.gallery(), {}
    assert.are.equal(17, #list)
    for _, entry in ipairs(list) do
      assert.is_true(#entry.summary > 10)
      local options = entry.name == "car_rental" and { cars = 4 } or nil
      assert.are.equal(entry.name, mdp[entry.name](options).name)
      for _, id in ipairs(entry.ids) do ids[#ids + 1] = id end
    end
    table.sort(ids)
    assert.are.same({ "CliffWalking-v1", "FrozenLake-v1", "FrozenLake8x8-v1", "Taxi-v3" }, ids)
  end)

  it("makes a process by its name or id, with options over the id's", function()
    assert.are.equal(64, mdp.make("FrozenLake8x8-v1").S)
    local lake = mdp.make("FrozenLake8x8-v1", { gamma = 0.5, slippery = false })
    assert.are.same({ 64, 0.5, 1 }, { lake.S, lake.gamma, #lake:outcomes(1, 1) })
    assert.are.equal(5, mdp.make("forest", { states = 5 }).S)
    local _, pi = mdp.make("two_policies")
    assert.are.same({ 3, 2 }, pi:size())
  end)

  it("tells how a grid's actions move", function()
    for _, name in ipairs { "frozen_lake", "cliff_walking", "grid_world", "grid4x4", "maze", "torus" } do
      local options = name == "frozen_lake" and { map = "8x8", slippery = false } or nil
      local process = mdp[name](options)
      local grid = process.grid
      assert.are.equal(process.S, grid.rows * grid.columns)
      assert.are.equal(process.A, #grid.moves)
      assert.are.equal(process.A, #process.action_names)
      assert.is_true(not grid.cells or #grid.cells == grid.rows and #grid.cells[1] == grid.columns)
      -- away from borders, walls and holes the likeliest next state is where the move leads
      local looked_at = 0
      for s = 1, process.S do
        local row, column = math.floor((s - 1) / grid.columns), (s - 1) % grid.columns
        for a, move in ipairs(grid.moves) do
          local r, c = row + move[1], column + move[2]
          local from = grid.cells and grid.cells[row + 1]:sub(column + 1, column + 1) or "."
          local to = grid.cells and (grid.cells[r + 1] or ""):sub(c + 1, c + 1) or "."
          if r >= 0 and r < grid.rows and c >= 0 and c < grid.columns and from:find "[.SF]" and to:find "[.SFG]" then
            local likeliest, most = nil, 0
            for _, o in ipairs(process:outcomes(s, a)) do
              if o.probability > most then likeliest, most = o.next, o.probability end
            end
            assert.are.equal(r * grid.columns + c + 1, likeliest)
            looked_at = looked_at + 1
          end
        end
      end
      assert.is_true(looked_at > 10)
    end
  end)

  it("shares labels with copies that have another gamma", function()
    local lake = mdp.frozen_lake():with_gamma(0.5)
    assert.are.same({ "frozen_lake", 4, 0.5 }, { lake.name, lake.grid.rows, lake.gamma })
  end)

  it("says when no map or maze has a way", function()
    local map, message, code = mdp.random_map { size = 40, p = 0.01 }
    assert.is_nil(map)
    assert.are.equal("trpo.mdp.random_map: no map with p = 0.01 has a way to the goal", message)
    assert.are.equal("not_converged", code)
    local maze
    maze, message, code = mdp.maze { side = 60, walls = 0.9 }
    assert.is_nil(maze)
    assert.are.equal("trpo.mdp.maze: no maze with walls = 0.9 has a way to the goal", message)
    assert.are.equal("not_converged", code)
  end)

  it("reaches the middle of the random walk and short rivers", function()
    assert.are.equal(1, mdp.random_walk { states = 1 }.rho0[2])
    assert.are.equal(3, mdp.river_swim { states = 3 }.S)
    near(9, tabular.optimal(mdp.chain { states = 2, slip = 0, small = 1, large = 10, gamma = 0 })[2] - 1)
  end)
end)

describe("wrong options", function()
  misuse.each(it, {
    { "no table", mdp.taxi, { 3 }, "trpo.mdp.taxi: options must be a table, got 3" },
    { "a slip", mdp.frozen_lake, { { slipery = true } }, "unknown option 'slipery', did you mean 'slippery'?" },
    { "Gymnasium's name of a slip", mdp.frozen_lake, { { is_slippery = false } },
      "trpo.mdp.frozen_lake: unknown option 'is_slippery', did you mean 'slippery'?" },
    { "Gymnasium's name of a slip on a cliff", mdp.make, { "CliffWalking-v1", { is_slippery = true } },
      "trpo.mdp.cliff_walking: unknown option 'is_slippery', did you mean 'slippery'?" },
    { "Gymnasium's name of a map", mdp.make, { "FrozenLake-v1", { map_name = "8x8" } },
      "trpo.mdp.frozen_lake: unknown option 'map_name', did you mean 'map'?" },
    { "an option of another process", mdp.taxi, { { map = "4x4" } }, "trpo.mdp.taxi: unknown option 'map'" },
    { "gamma", mdp.taxi, { { gamma = 1.5 } }, "trpo.mdp.taxi: gamma must be a number in [0, 1], got 1.5" },
    { "a NaN", mdp.forest, { { p = 0 / 0 } }, "trpo.mdp.forest: p must be a number in [0, 1], got nan" },
    { "a map's name", mdp.frozen_lake, { { map = "5x5" } },
      "trpo.mdp.frozen_lake: map must be '4x4', '8x8' or a list of strings, got the string '5x5'" },
    { "a map's type", mdp.frozen_lake, { { map = 4 } }, "map must be '4x4', '8x8' or a list of strings, got 4" },
    { "an empty map", mdp.frozen_lake, { { map = {} } }, "map must have 1 to 46340 rows and as many columns, got 0 rows" },
    { "an empty row", mdp.frozen_lake, { { map = { "" } } }, "map must have 1 to 46340 rows and as many columns" },
    { "a row of another type", mdp.frozen_lake, { { map = { "SG", 12 } } }, "row 2 of map must be a string, got 12" },
    { "a first row of another type", mdp.frozen_lake, { { map = { 12, "SG" } } }, "row 1 of map must be a string, got 12" },
    { "a row too long", mdp.frozen_lake, { { map = { "SFG", "FFFF" } } }, "row 2 of map must have 3 cells, as row 1, got 4" },
    { "a strange cell", mdp.frozen_lake, { { map = { "SFG", "FxF" } } },
      "row 2 of map, cell 2 must be S, F, H or G, got 'x'" },
    { "a cell of no letter", mdp.frozen_lake, { { map = { "SFG", "F\0F" } } }, "row 2 of map, cell 2 must be S, F, H or G" },
    { "no start", mdp.frozen_lake, { { map = { "FFG" } } }, "map must have a start S, got none" },
    { "no goal", mdp.frozen_lake, { { map = { "SFF" } } }, "map must have a goal G, got none" },
    { "success", mdp.frozen_lake, { { success = 0 } }, "success must be a number in (0, 1], got 0" },
    { "slippery", mdp.cliff_walking, { { slippery = 1 } }, "slippery must be true or false, got 1" },
    { "rows", mdp.cliff_walking, { { rows = 1 } }, "rows must be an integer in [2, 4000], got 1" },
    { "goal", mdp.gambler, { { goal = 1 } }, "goal must be an integer in [2, 20000], got 1" },
    { "cars", mdp.car_rental, { { cars = 51 } }, "cars must be an integer in [1, 50], got 51" },
    { "moves", mdp.car_rental, { { cars = 4, moves = 5 } }, "moves must be an integer in [0, 4], got 5" },
    { "requests", mdp.car_rental, { { requests = 3 } }, "requests must be a list of two numbers, got 3" },
    { "returns", mdp.car_rental, { { returns = { 3, -1 } } }, "returns[2] must be a number in [0, 500], got -1" },
    { "variant", mdp.river_swim, { { variant = "s" } }, "variant must be 'strehl' or 'osband', got 's'" },
    { "rewards", mdp.garnet, { { rewards = "x" } }, "rewards must be 'uniform' or 'normal', got 'x'" },
    { "branching", mdp.garnet, { { states = 3, branching = 4 } }, "branching must be an integer in [1, 3], got 4" },
    { "a seed", mdp.garnet, { { seed = -1 } }, "seed must be an integer in [0, 9007199254740991], got -1" },
    { "half a state", mdp.garnet, { { states = 2.5 } }, "states must be an integer >= 1, got 2.5" },
    { "side", mdp.torus, { { side = 2 } }, "side must be an integer in [3, 46340], got 2" },
    { "gamma of two policies", mdp.two_policies, { { gamma = 0 } }, "gamma must be a number in (0, 1], got 0" },
    { "a name", mdp.make, { "FrozenLak-v1" },
      "trpo.mdp.make: unknown process 'FrozenLak-v1', did you mean 'FrozenLake-v1'?" },
    { "options of make", mdp.make, { "taxi", 3 }, "trpo.mdp.make: options must be a table, got number" },
    { "options of a random map", mdp.random_map, { { sise = 3 } },
      "trpo.mdp.random_map: unknown option 'sise', did you mean 'size'?" },
    { "the size of a random map", mdp.random_map, { { size = 1 } }, "size must be an integer in [2, 1000], got 1" },
    { "p of a random map", mdp.random_map, { { p = 0 } }, "trpo.mdp.random_map: p must be a number in (0, 1], got 0" },
    { "the seed of a random map", mdp.random_map, { { seed = 0.5 } }, "trpo.mdp.random_map: seed must be an integer in" },
  })

  it("are placed at the caller's line", function()
    local _, message = pcall(function() mdp.taxi { gama = 1 } end)
    assert.is_truthy(message:find("77_gallery_spec.lua:%d+: trpo.mdp.taxi: unknown option 'gama', did you mean 'gamma'?"))
  end)

  it("do not hide that memory is short", function()
    local made, message, code = mdp.garnet { states = 2 ^ 31 - 1, actions = 1e6, branching = 1000 }
    assert.is_nil(made)
    assert.are.equal("trpo.mdp.garnet: not enough memory", message)
    assert.are.equal("no_memory", code)
  end)
end)
