-- Random processes: their laws, and bits that stay the same.
local bit = require "bit"
local trpo = require "trpo"
local tabular = require "support.tabular"

local mdp = trpo.mdp

-- FNV-1a of numbers as they are in memory, in 32 bits
local function hash(tensors)
  local h = bit.tobit(2166136261)
  for _, t in ipairs(tensors) do
    local p = t:ptr()
    for i = 1, #p do
      for byte in ("%a "):format(p[i]):gmatch "." do
        h = bit.bxor(h, byte:byte())
        -- times 16777619, in pieces that a double holds
        h = bit.tobit(h * 403 % 2 ^ 32 + bit.lshift(h, 24))
      end
    end
  end
  return bit.tohex(h)
end

-- next states and probabilities, one row for each pair
local function table_of(process, branching)
  local _, next_state, probability = process.P:triplets()
  local rows = process.S * process.A
  return next_state:view(rows, branching), probability:view(rows, branching)
end

-- within 4.5 standard errors
local function expect_mean(samples, mean, variance)
  local error = math.sqrt(variance / samples:nelement())
  assert.is_true(math.abs(samples:mean() - mean) < 4.5 * error,
    ("mean %g instead of %g +- %g"):format(samples:mean(), mean, error))
end

describe("Garnet", function()
  it("gives each pair distinct successors in order and probabilities that sum to one", function()
    for _, case in ipairs { { 50, 3, 5 }, { 7, 2, 7 }, { 4, 1, 1 }, { 1, 2, 1 }, { 300, 2, 290 } } do
      local S, A, b = case[1], case[2], case[3]
      local process = mdp.garnet { states = S, actions = A, branching = b, seed = 3 }
      assert.are.same({ S, A, S * A * b }, { process.S, process.A, process.P:nnz() })
      local next_state, probability = table_of(process, b)
      for row = 1, S * A, math.ceil(S * A / 40) do
        local n, p = next_state[row], probability[row]
        local sum = 0
        for j = 1, b do
          assert.is_true(n[j] >= 1 and n[j] <= S and (j == 1 or n[j] > n[j - 1]))
          assert.is_true(p[j] > 0)
          sum = sum + p[j]
        end
        assert.is_true(math.abs(sum - 1) < 1e-14)
      end
      assert.is_true((process.rho0 - 1 / S):abs():max() == 0)
    end
  end)

  it("has successors that are uniform, and probabilities that are uniform on the simplex", function()
    local S, b = 20, 4
    local process = mdp.garnet { states = S, actions = 1000, branching = b, seed = 11, rewards = "normal" }
    local next_state, probability = table_of(process, b)
    -- each state is among b of S successors with probability b / S; chi-squared, 19 degrees, 0.1 % at 43.8
    local counts, rows = trpo.zeros(S), S * 1000
    local p = next_state:contiguous():view(rows * b):ptr()
    for i = 1, #p do counts[p[i]] = counts[p[i]] + 1 end
    local expected = rows * b / S
    assert.is_true(((counts - expected) ^ 2):sum() / (expected * (1 - b / S)) * (S - 1) / S < 43.8)
    -- Dirichlet(1, 1, 1, 1): mean 1/4, second moment 2 / (4 5), third 6 / (4 5 6), of any one
    for j = 1, b do
      local x = probability:select(2, j):contiguous()
      expect_mean(x, 1 / 4, 1 / 10 - 1 / 16)
      expect_mean(x ^ 2, 1 / 10, 24 / 840 - 1 / 100)
      expect_mean(x ^ 3, 1 / 20, 720 / 60480 - 1 / 400)
    end
    expect_mean(process.r, 0, 1)
    expect_mean(process.r ^ 2, 1, 2)
    local uniform = mdp.garnet { states = S, actions = 1000, branching = b, seed = 11 }.r
    expect_mean(uniform, 1 / 2, 1 / 12)
    expect_mean(uniform ^ 2, 1 / 3, 1 / 5 - 1 / 9)
    assert.is_true(uniform:min() >= 0 and uniform:max() < 1)
  end)

  it("differs from seed to seed only, not with the number of threads", function()
    local function make(seed) return mdp.garnet { states = 5000, actions = 2, branching = 3, seed = seed } end
    local before, hashes = trpo.threads(), {}
    for i, threads in ipairs { 1, 2, 5 } do
      trpo.threads(threads)
      local process = make(8)
      local _, next_state, probability = process.P:triplets()
      hashes[i] = { next_state:sum(), probability:dot(next_state), process.r:sum() }
    end
    trpo.threads(before)
    assert.are.same(hashes[1], hashes[2])
    assert.are.same(hashes[1], hashes[3])
    assert.are_not.equal(make(8).r[1][1], make(9).r[1][1])
  end)

  -- frozen: seeds that are published mean these numbers
  local frozen = {
    { 0, "4a19ecf0", 15.9206162319636 },
    { 1, "b42d2851", 15.9377110094558 },
    { 2, "5ffe1cd0", 16.1192972310327 },
    { 12345, "c64170f9", 15.9270585939237 },
    { 2 ^ 53 - 1, "8c721b74", 16.6638389765608 },
  }

  it("has frozen bits", function()
    for _, case in ipairs(frozen) do
      local process = mdp.garnet { states = 60, actions = 4, branching = 5, seed = case[1], gamma = 0.95 }
      local _, next_state, probability = process.P:triplets()
      assert.are.equal(case[2], hash { next_state, probability, process.r })
      local eta = process.rho0:dot((tabular.optimal(process)))
      assert.is_true(math.abs(eta - case[3]) < 1e-11 * case[3], ("%.17g"):format(eta))
    end
  end)
end)

describe("the torus", function()
  it("steps as wanted or in any direction", function()
    local side, noise = 5, 0.3
    local process = mdp.torus { side = side, noise = noise, seed = 2 }
    local moves = { { 0, -1 }, { 1, 0 }, { 0, 1 }, { -1, 0 } }
    for s = 0, side * side - 1 do
      for a = 1, 4 do
        local expected = {}
        for d, move in ipairs(moves) do
          local row, column = (math.floor(s / side) + move[1]) % side, (s % side + move[2]) % side
          expected[row * side + column + 1] = noise / 4 + (d == a and 1 - noise or 0)
        end
        local outcomes = process:outcomes(s + 1, a)
        assert.are.equal(4, #outcomes)
        for _, o in ipairs(outcomes) do
          assert.is_true(math.abs(expected[o.next] - o.probability) < 1e-15)
        end
      end
    end
  end)

  it("is deterministic without noise", function()
    local process = mdp.torus { side = 3, noise = 0 }
    assert.are.same({ 9, 36 }, { process.S, process.P:nnz() })
    assert.are.equal(3, process:outcomes(1, 1)[1].next)
    assert.are.equal(7, process:outcomes(1, 4)[1].next)
  end)

  it("has random rewards in [0, 1) that the seed and nothing else decides", function()
    local r = mdp.torus { side = 80, seed = 5 }.r
    expect_mean(r, 1 / 2, 1 / 12)
    assert.are.same(r:totable(), mdp.torus { side = 80, seed = 5, noise = 0.5 }.r:totable())
    assert.are_not.equal(r[1][1], mdp.torus { side = 80, seed = 6 }.r[1][1])
  end)
end)

describe("the maze", function()
  it("closes what cannot reach the goal, and steps as wanted or to the sides", function()
    local side, slip = 25, 0.3
    local process = mdp.maze { side = side, walls = 0.35, slip = slip, seed = 4 }
    local cells = process.grid.cells
    local function at(row, column)
      local inside = row >= 0 and row < side and column >= 0 and column < side
      return inside and cells[row + 1]:sub(column + 1, column + 1) or "#"
    end
    assert.are.same({ "S", "G", 1 }, { at(0, 0), at(side - 1, side - 1), process.rho0[1] })
    local moves, walls = { [0] = { -1, 0 }, { 0, 1 }, { 1, 0 }, { 0, -1 } }, 0
    for s = 0, side * side - 1 do
      local row, column = math.floor(s / side), s % side
      for a = 0, 3 do
        local expected = {}
        for turn = -1, 1 do
          local move = moves[(a + turn) % 4]
          local open = at(row + move[1], column + move[2]) ~= "#"
          local to = open and s + move[1] * side + move[2] or s
          local p = turn == 0 and 1 - slip or slip / 2
          expected[to + 1] = (expected[to + 1] or 0) + p
        end
        local over = at(row, column):find "[#G]"
        if over then expected = { [s + 1] = 1 } end
        for _, o in ipairs(process:outcomes(s + 1, a + 1)) do
          assert.is_true(math.abs(expected[o.next] - o.probability) < 1e-15)
          assert.are.equal(over and 0 or -1, o.reward)
          assert.are.equal(over ~= nil or o.next == side * side, o.done)
          expected[o.next] = nil
        end
        assert.is_nil(next(expected))
      end
      walls = walls + (at(row, column) == "#" and 1 or 0)
    end
    assert.is_true(walls > 0.25 * side * side)
    -- from every open cell the goal can be reached, so no value is that of walking for ever
    assert.is_true(tabular.optimal(process):min() > -99)
  end)

  it("is the same for the same seed", function()
    local function cells(seed) return table.concat(mdp.maze { side = 30, seed = seed }.grid.cells) end
    assert.are.equal(cells(1), cells(1))
    assert.are_not.equal(cells(1), cells(2))
  end)
end)
