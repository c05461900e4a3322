-- Statistics of many runs: by hand, against plain Lua, and against rliable and SciPy where Python has them (TRPO_PYTHON).
local command = require "support.command"
local misuse = require "support.misuse"
local project = require "support.project"
local trpo = require "trpo"

local stats, T = trpo.stats, trpo.tensor
local inf, nan = math.huge, 0 / 0
local matrix = T { { 0, 10, 3 }, { 2, 20, 5 } }

local function near(expected, got, tolerance)
  tolerance = tolerance or 1e-12
  local close = expected == got or math.abs(expected - got) <= tolerance * math.max(1, math.abs(expected))
  assert.is_true(close, ("expected %.17g, got %.17g"):format(expected, got))
end

local function bits(t)
  local list = {}
  for i, x in ipairs(t:totable()) do list[i] = ("%.17g"):format(x) end
  return table.concat(list, " ")
end

-- ---- plain Lua ------------------------------------------------------------------------------------------------

local naive = {}

function naive.mean(list)
  local sum = 0
  for _, x in ipairs(list) do sum = sum + x end
  return sum / #list
end

function naive.middle(list)
  table.sort(list)
  local n = #list
  return (list[math.floor((n + 1) / 2)] + list[math.floor(n / 2) + 1]) / 2
end

function naive.flat(rows)
  local list = {}
  for _, row in ipairs(rows) do
    for _, x in ipairs(row) do list[#list + 1] = x end
  end
  return list
end

function naive.column(rows, task)
  local list = {}
  for i, row in ipairs(rows) do list[i] = row[task] end
  return list
end

function naive.iqm(rows)
  local list, kept = naive.flat(rows), {}
  table.sort(list)
  local cut = math.floor(0.25 * #list)
  for i = cut + 1, #list - cut do kept[#kept + 1] = list[i] end
  return naive.mean(kept)
end

function naive.median(rows)
  local means = {}
  for task = 1, #rows[1] do means[task] = naive.mean(naive.column(rows, task)) end
  return naive.middle(means)
end

function naive.gap(rows, gamma)
  local list = naive.flat(rows)
  for i, x in ipairs(list) do list[i] = math.min(x, gamma) end
  return gamma - naive.mean(list)
end

function naive.share_above(rows, tau)
  local list, above = naive.flat(rows), 0
  for _, x in ipairs(list) do above = above + (x > tau and 1 or 0) end
  return above / #list
end

function naive.improvement(x, y)
  local sum = 0
  for task = 1, #x[1] do
    for _, a in ipairs(naive.column(x, task)) do
      for _, b in ipairs(naive.column(y, task)) do
        sum = sum + (a > b and 1 or a == b and 0.5 or 0) / (#x * #y)
      end
    end
  end
  return sum / #x[1]
end

function naive.quantile(list, p)
  table.sort(list)
  local place = p * (#list - 1)
  local k = math.floor(place)
  return list[k + 1] + (place - k) * ((list[k + 2] or list[k + 1]) - list[k + 1])
end

-- a resample of the runs of each task
function naive.resample(rows, rng)
  local drawn = {}
  for i = 1, #rows do
    drawn[i] = {}
    for task = 1, #rows[1] do drawn[i][task] = rows[rng:integer(1, #rows)][task] end
  end
  return drawn
end

-- random scores; some cases have ties
local function random_scores(rng, runs, tasks)
  local x = trpo.randn(rng, runs, tasks)
  return rng:uniform() < 0.4 and (x * 2):round() or x
end

-- ---- aggregates -----------------------------------------------------------------------------------------------

describe("an aggregate of scores", function()
  it("is what it is by hand: the interquartile mean", function()
    assert.are.equal(4.5, stats.iqm(T { 8, 7, 6, 5, 4, 3, 2, 1 }))
    assert.are.equal(2.5, stats.iqm(T { 100, 1, 3, 2 }))
    assert.are.equal(2.5, stats.iqm(T { { 1, 100 }, { 2, 3 } }), "tasks are pooled")
    assert.are.equal(3, stats.iqm(T { 100, 1, 3, 2, 4 }), "one is cut at each end of five")
    assert.are.equal(34, stats.iqm(T { 1, 1, 100 }), "none of three")
    assert.are.equal(7, stats.iqm(T { 7 }))
  end)

  it("is what it is by hand: the median", function()
    assert.are.equal(5, stats.median(T { 9, 1, 5 }))
    assert.are.equal(3, stats.median(T { 8, 1, 2, 4 }))
    assert.are.equal(4, stats.median(matrix), "of the tasks' means 1, 15, 4")
    assert.are.equal(2.5, stats.median(matrix[{ {}, { 1, 3, 2 } }]))
    assert.are.equal(6, stats.median(T { { 9 }, { 1 }, { 8 } }), "of one task it is the mean")
  end)

  it("is what it is by hand: mean and optimality gap", function()
    near(40 / 6, stats.mean(matrix))
    assert.are.equal(0.25, stats.optimality_gap(T { 0.5, 2 }))
    assert.are.equal(4, stats.optimality_gap(T { { 2, 20 }, { 10, 2 } }, 10))
    assert.are.equal(0, stats.optimality_gap(T { 3, 1 }))
    assert.are.equal(1, stats.optimality_gap(T { -3, -9 }, -7))
  end)

  it("of equal scores is that score to the bit", function()
    for _, x in ipairs { 0.1, 1 / 3, -7.7, 1e300, 5e-324 } do
      for n = 1, 40 do
        local scores = trpo.full({ n }, x)
        for _, name in ipairs { "iqm", "median", "mean" } do assert.are.equal(x, stats[name](scores), name) end
        local low, high = stats.interval(scores, { reps = 3 })
        assert.are.same({ x, x }, { low, high })
      end
    end
  end)

  it("agrees with plain Lua on random scores, with ties and without", function()
    local rng = trpo.rng(89)
    for runs = 1, 13 do
      for tasks = 1, 6 do
        local x = random_scores(rng, runs, tasks)
        local rows, gamma = x:totable(), rng:normal()
        near(naive.iqm(rows), stats.iqm(x))
        near(naive.median(rows), stats.median(x))
        near(naive.mean(naive.flat(rows)), stats.mean(x))
        near(naive.gap(rows, gamma), stats.optimality_gap(x, gamma))
        near(naive.iqm(rows), stats.iqm(x:t()), nil)
        near(naive.middle(naive.column(rows, 1)), stats.median(x[{ {}, 1 }]))
      end
    end
  end)

  it("does not depend on the order of the runs", function()
    local x = trpo.randn(trpo.rng(3), 30)
    assert.are.equal(stats.iqm(x), stats.iqm((x:sort())))
    assert.are.equal(stats.mean(x), stats.mean((x:sort(1, true))))
  end)
end)

-- ---- intervals ------------------------------------------------------------------------------------------------

describe("an interval", function()
  it("of one run is the value, twice", function()
    for _, name in ipairs { "iqm", "median", "mean", "optimality_gap" } do
      local x = trpo.randn(trpo.rng(4), 1, 7)
      local low, high = stats.interval(x, { statistic = name, reps = 10 })
      assert.are.same({ stats[name](x), stats[name](x) }, { low, high })
    end
  end)

  -- the mean of a resample of { 0, 0, 3 } is 0, 1, 2, 3 with probabilities 8, 12, 6, 1 of 27
  it("is that of the exact distribution over all resamples", function()
    local cases = { { 0.95, 0, 3 }, { 0.9, 0, 2 }, { 0.8, 0, 2 }, { 0.3, 1, 1 } }
    for seed = 1, 5 do
      for _, case in ipairs(cases) do
        local low, high = stats.interval(T { 0, 3, 0 }, { statistic = "mean", confidence = case[1], rng = trpo.rng(seed) })
        assert.are.same({ case[2], case[3] }, { low, high })
      end
    end
  end)

  it("interpolates between resamples", function()
    local low, high = stats.interval(T { 0, 1 }, { statistic = "mean", reps = 1 })
    assert.are.equal(low, high)
    -- two different resamples a < b: a + (b - a) / 4 and b - (b - a) / 4
    for seed = 1, 20 do
      local options = { statistic = "mean", reps = 2, confidence = 0.5, rng = trpo.rng(seed) }
      low, high = stats.interval(T { 0, 1 }, options)
      options.rng, options.confidence = trpo.rng(seed), 1 - 1e-12
      local a, b = stats.interval(T { 0, 1 }, options)
      near(a + (b - a) / 4, low, 1e-9)
      near(b - (b - a) / 4, high, 1e-9)
    end
  end)

  it("draws runs within each task, never from another task", function()
    local x = T { { 1, 100 }, { 1, 100 }, { 1, 100 } }
    for _, name in ipairs { "iqm", "median", "mean" } do
      local low, high = stats.interval(x, { statistic = name, reps = 50 })
      assert.are.same({ 50.5, 50.5 }, { low, high })
    end
  end)

  it("agrees with a bootstrap in plain Lua", function()
    local reps = command.sanitized and 300 or 1500
    local x = random_scores(trpo.rng(7), 12, 3)
    for name, f in pairs { iqm = naive.iqm, median = naive.median } do
      local rng, values = trpo.rng(8), {}
      for b = 1, reps do values[b] = f(naive.resample(x:totable(), rng)) end
      local low, high = stats.interval(x, { statistic = name, reps = 20000 })
      local width = high - low
      assert.is_true(width > 0.1)
      near(naive.quantile(values, 0.025), low, 0.15 * width)
      near(naive.quantile(values, 0.975), high, 0.15 * width)
    end
  end)

  it("at 95 % covers the mean of normal numbers about as often", function()
    local covered, rng = 0, trpo.rng(9)
    for _ = 1, 200 do
      local low, high = stats.interval(trpo.randn(rng, 20), { statistic = "mean", reps = 500, rng = rng })
      if low <= 0 and 0 <= high then covered = covered + 1 end
    end
    assert.is_true(covered >= 180 and covered <= 194, tostring(covered))
  end)

  it("is equal for equal generators, and the generator goes on", function()
    local x, rng = trpo.randn(trpo.rng(1), 20), trpo.rng(5)
    local first, second = { stats.interval(x, { rng = rng }) }, { stats.interval(x, { rng = rng }) }
    assert.are.same(first, { stats.interval(x, { rng = trpo.rng(5) }) })
    assert.are_not.same(first, second)
    assert.are.same({ stats.interval(x) }, { stats.interval(x, { rng = trpo.rng(0), reps = 2000, confidence = 0.95 }) })
    local words = trpo.rng(5)
    for _ = 1, 2 do words:uniform() end -- two words each
    assert.are.equal(words:uniform(), rng:uniform())
  end)

  it("grows with the confidence", function()
    local x = trpo.randn(trpo.rng(1), 20)
    local low, high = stats.interval(x, { confidence = 0.5 })
    local lower, higher = stats.interval(x, { confidence = 0.99 })
    assert.is_true(lower < low and low < stats.iqm(x) and stats.iqm(x) < high and high < higher)
  end)
end)

-- ---- comparisons ----------------------------------------------------------------------------------------------

describe("a performance profile", function()
  it("is the share of runs above each threshold", function()
    local shares = stats.performance_profile(matrix, T { -1, 0, 3, 4, 20, -inf, inf })
    assert.are.same({ 1, 5 / 6, 3 / 6, 3 / 6, 0, 1, 0 }, shares:totable())
    assert.are.same({ 0.5, 0.5, 0 }, stats.performance_profile(T { -inf, inf }, T { -inf, 0, inf }):totable())
  end)

  it("agrees with plain Lua, and lies between its bands", function()
    local rng = trpo.rng(10)
    for _ = 1, 20 do
      local x, taus = random_scores(rng, rng:integer(1, 10), rng:integer(1, 5)), trpo.randn(rng, 9):round()
      local shares, low, high = stats.performance_profile(x, taus, { reps = 200 })
      for k = 1, 9 do
        near(naive.share_above(x:totable(), taus[k]), shares[k])
        assert.is_true(low[k] <= shares[k] and shares[k] <= high[k])
      end
      assert.are.equal(bits(shares), bits((stats.performance_profile(x, taus))))
    end
  end)

  it("has the bands of its exact distribution", function()
    -- of { 0, 0, 3 }: the share above 1 is 0, 1/3, 2/3, 1 with probabilities 8, 12, 6, 1 of 27
    local _, low, high = stats.performance_profile(T { 0, 3, 0 }, T { 1 }, { confidence = 0.9 })
    assert.are.same({ 0, 2 / 3 }, { low[1], high[1] })
  end)
end)

describe("the probability of improvement", function()
  it("is what it is by hand", function()
    assert.are.equal(0.625, stats.probability_of_improvement(T { 3, 5 }, T { 1, 5 }))
    assert.are.equal(1, stats.probability_of_improvement(T { 3, 5, 4 }, T { 1, 2 }))
    assert.are.equal(0, stats.probability_of_improvement(T { -inf }, T { 1, inf }))
    assert.are.equal(0.5, stats.probability_of_improvement(matrix, matrix))
    -- tasks: 1, 0, 1/2
    assert.are.equal(0.5, stats.probability_of_improvement(T { { 1, 1, 1 } }, T { { 0, 2, 1 }, { 0, 2, 1 } }))
  end)

  it("agrees with plain Lua, and x against y is one minus y against x", function()
    local rng = trpo.rng(11)
    for _ = 1, 40 do
      local tasks = rng:integer(1, 4)
      local x, y = random_scores(rng, rng:integer(1, 9), tasks), random_scores(rng, rng:integer(1, 9), tasks)
      local p = stats.probability_of_improvement(x, y)
      near(naive.improvement(x:totable(), y:totable()), p)
      near(1 - p, stats.probability_of_improvement(y, x))
    end
  end)

  it("has an interval that draws the runs of both", function()
    local p, low, high = stats.probability_of_improvement(T { 3, 5, 4 }, T { 1, 2 }, {})
    assert.are.same({ 1, 1, 1 }, { p, low, high })
    -- x = { 0, 2 } against y = { 1 }: of a resample 0, 1/2, 1 with probabilities 1, 2, 1 of 4
    p, low, high = stats.probability_of_improvement(T { 0, 2 }, T { 1 }, {})
    assert.are.same({ 0.5, 0, 1 }, { p, low, high })
    p, low, high = stats.probability_of_improvement(T { 1 }, T { 0, 2 }, { confidence = 0.4 })
    assert.are.same({ 0.5, 0.5, 0.5 }, { p, low, high })
    -- the tasks apart: nothing varies
    p, low, high = stats.probability_of_improvement(T { { 1, 5 }, { 1, 5 } }, T { { 0, 9 }, { 0, 9 } }, {})
    assert.are.same({ 0.5, 0.5, 0.5 }, { p, low, high })
  end)
end)

-- ---- explained variance ---------------------------------------------------------------------------------------

describe("the explained variance", function()
  it("is 1 - Var(returns - predictions) / Var(returns)", function()
    assert.are.equal(1, stats.explained_variance(T { 1, 2, 4 }, T { 1, 2, 4 }))
    assert.are.equal(1, stats.explained_variance(T { 3, 4, 6 }, T { 1, 2, 4 }), "a bias is no variance")
    assert.are.equal(0, stats.explained_variance(T { 7, 7, 7 }, T { 1, 2, 3 }))
    assert.are.equal(-3, stats.explained_variance(T { 3, 2, 1 }, T { 1, 2, 3 }))
    assert.are.equal(0.75, stats.explained_variance(T { 0.5, 1, 1.5 }, T { 1, 2, 3 }))
  end)

  it("is NaN for equal returns, also when their mean is rounded", function()
    for _, n in ipairs { 1, 2, 10, 100 } do
      local x = stats.explained_variance(trpo.randn(trpo.rng(1), n), trpo.full({ n }, 0.1))
      assert.is_true(x ~= x)
    end
  end)
end)

-- ---- curves ---------------------------------------------------------------------------------------------------

-- the value of a curve at a step; nil outside
local function interpolate(steps, values, s)
  local last
  for i = 1, #steps do
    if values[i] == values[i] then
      if steps[i] == s then return values[i] end
      if steps[i] > s then
        if not last then return nil end
        return values[last] + (s - steps[last]) / (steps[i] - steps[last]) * (values[i] - values[last])
      end
      last = i
    end
  end
end

local function random_curve(rng)
  local n, steps, values, s = rng:integer(1, 12), {}, {}, rng:integer(-3, 10)
  for i = 1, n do
    steps[i], values[i] = s, rng:uniform() < 0.2 and nan or rng:normal()
    s = s + rng:integer(1, 5)
  end
  return { T(steps), T(values) }
end

describe("curves on a common axis", function()
  it("are what they are by hand", function()
    local c = stats.curve {
      curves = { { T { 0, 10 }, T { 0, 10 } }, { T { 5, 15, 20 }, T { 1, 3, 100 } }, { T { 2, 4, 6 }, T { 7, nan, 9 } } },
      grid = T { -1, 0, 2, 4, 6, 12.5, 20, 21 },
    }
    assert.are.same({ -1, 0, 2, 4, 6, 12.5, 20, 21 }, c.steps:totable())
    assert.are.same({ 0, 1, 2, 2, 3, 1, 1, 0 }, c.n:totable())
    local expected = { nan, 0, 4.5, 6, (6 + 1.2 + 9) / 3, 2.5, 100, nan }
    for i = 2, 7 do
      near(expected[i], c.mean[i])
      near(expected[i], c.iqm[i])
    end
    near(6, c.median[5])
    for _, key in ipairs { "iqm", "low", "high", "mean", "median" } do
      assert.is_true(c[key][1] ~= c[key][1] and c[key][8] ~= c[key][8], key)
    end
    assert.are.same({ 0, 2.5, 100 }, { c.low[2], c.low[6], c.high[7] }, "the band of one curve is the curve")
  end)

  it("have an even axis from the first to the last step of any curve", function()
    local curves = { { T { 3, 8 }, T { 1, 2 } }, { T { 5, 11 }, T { 1, 2 } } }
    assert.are.same({ 3, 5, 7, 9, 11 }, stats.curve { curves = curves, points = 5 }.steps:totable())
    assert.are.equal(100, stats.curve { curves = curves }.steps:nelement())
    -- values that are missing count as absent
    curves[2][2][2] = nan
    assert.are.same({ 3, 8 }, stats.curve { curves = curves, points = 2 }.steps:totable())
    assert.are.same({ 4 }, stats.curve { curves = { { T { 4 }, T { 7 } } } }.steps:totable())
  end)

  it("agree with plain Lua", function()
    local rng = trpo.rng(12)
    for _ = 1, command.sanitized and 10 or 40 do
      local curves, any = {}, false
      for k = 1, rng:integer(1, 6) do
        curves[k] = random_curve(rng)
        any = any or not curves[k][2]:ne(curves[k][2]):all()
      end
      local c = any and stats.curve { curves = curves, points = 23, reps = 20 }
      for i = 1, c and c.steps:nelement() or 0 do
        local present = {}
        for _, curve in ipairs(curves) do
          present[#present + 1] = interpolate(curve[1]:totable(), curve[2]:totable(), c.steps[i])
        end
        assert.are.equal(#present, c.n[i])
        if #present > 0 then
          near(naive.iqm { present }, c.iqm[i])
          near(naive.mean(present), c.mean[i])
          near(naive.middle(present), c.median[i])
          assert.is_true(c.low[i] <= c.high[i])
        else
          assert.is_true(c.iqm[i] ~= c.iqm[i])
        end
      end
    end
  end)

  it("have the band of the interval of their values", function()
    local rng, curves = trpo.rng(13), {}
    for k = 1, 15 do curves[k] = { T { 0, 1 }, trpo.randn(rng, 2) } end
    local c = stats.curve { curves = curves, points = 2, rng = trpo.rng(3), confidence = 0.8, reps = 300 }
    for i = 1, 2 do
      local values = {}
      for k = 1, 15 do values[k] = curves[k][2][i] end
      local low, high = stats.interval(T(values), { rng = trpo.rng(3), confidence = 0.8, reps = 300 })
      assert.are.same({ low, high }, { c.low[i], c.high[i] })
    end
  end)

  it("have the same band at each point, however long the axis is", function()
    local rng, curves = trpo.rng(14), {}
    -- the last one ends early, so that the number of runs changes on the way
    for k = 1, 7 do curves[k] = { T { 0, 0.5, k < 7 and 1 or 0.6 }, trpo.randn(rng, 3) } end
    local long = stats.curve { curves = curves, points = 9001, reps = 50 }
    for _, first in ipairs { 1, 4090, 4097, 5390, 8180, 8992 } do
      local part = stats.curve { curves = curves, grid = long.steps[{ { first, first + 9 } }]:clone(), reps = 50 }
      for _, key in ipairs { "low", "high", "iqm", "n" } do
        assert.are.equal(bits(part[key]), bits(long[key][{ { first, first + 9 } }]:clone()), key)
      end
    end
  end)

  it("take strided tensors", function()
    local t = T { { 0, 5 }, { 1, 7 }, { 2, 9 } }
    assert.are.same({ 5, 7, 9 }, stats.curve { curves = { { t[{ {}, 1 }], t[{ {}, 2 }] } }, points = 3 }.mean:totable())
  end)
end)

-- ---- threads --------------------------------------------------------------------------------------------------

describe("one thread and two", function()
  local before = trpo.threads()
  after_each(function() trpo.threads(before) end)

  -- everything that draws, as text
  local function all()
    local x, y = trpo.randn(trpo.rng(1), 23, 4), trpo.randn(trpo.rng(2), 17, 4)
    local curves, parts = {}, {}
    for k = 1, 11 do curves[k] = random_curve(trpo.rng(k)) end
    for _, name in ipairs { "iqm", "median", "mean", "optimality_gap" } do
      parts[#parts + 1] = bits(T { stats.interval(x, { statistic = name, reps = 333 }) })
    end
    for _, t in ipairs { stats.performance_profile(x, trpo.linspace(-2, 2, 9), { reps = 333 }) } do parts[#parts + 1] = bits(t) end
    parts[#parts + 1] = bits(T { stats.probability_of_improvement(x, y, { reps = 333 }) })
    local c = stats.curve { curves = curves, points = 31, reps = 333 }
    for _, key in ipairs { "iqm", "low", "high" } do parts[#parts + 1] = bits(c[key]) end
    return table.concat(parts, "\n")
  end

  it("give the same bits", function()
    trpo.threads(1)
    local one = all()
    trpo.threads(2)
    assert.are.equal(one, all())
    trpo.threads(5)
    assert.are.equal(one, all())
  end)
end)

-- ---- bad input ------------------------------------------------------------------------------------------------

describe("wrong arguments of the statistics", function()
  local x = T { 1, 2, 3 }
  local curve = { T { 1, 2 }, T { 3, 4 } }
  local function curves(steps, values) return { curves = { curve, { T(steps), T(values) } } } end

  misuse.each(it, {
    { "no scores", stats.iqm, {}, "trpo.stats.iqm: scores must be a tensor, got nil" },
    { "a table of scores", stats.mean, { { 1, 2 } }, "trpo.stats.mean: scores must be a tensor, got a table" },
    { "empty scores", stats.median, { trpo.zeros(0) },
      "trpo.stats.median: scores must have size [runs] or [runs, tasks] and not be empty, got a tensor [0]" },
    { "tasks without runs", stats.iqm, { trpo.zeros(0, 3) }, "and not be empty, got a tensor [0, 3]" },
    { "a scalar tensor", stats.iqm, { trpo.zeros(2, 2, 2) }, "must have size [runs] or [runs, tasks]" },
    { "a NaN score", stats.iqm, { T { 1, nan, 3 } }, "trpo.stats.iqm: scores must be finite numbers up to 1e300, row 2 is nan" },
    { "a NaN score of a task", stats.mean, { T { { 1, 2 }, { 3, 4 }, { 5, nan } } }, "row 3, task 2 is nan" },
    { "an infinite score", stats.median, { T { 1, -inf } }, "must be finite numbers up to 1e300, row 2 is -inf" },
    { "a score whose sums overflow", stats.mean, { T { 1e301 } }, "row 1 is 1e+301" },
    { "an infinite gamma", stats.optimality_gap, { x, inf }, "trpo.stats.optimality_gap: gamma must be a number in" },
    { "gamma as text", stats.optimality_gap, { x, "1" }, "gamma must be a number in" },
    { "a NaN gamma", stats.optimality_gap, { x, nan }, "got nan" },

    { "options that are no table", stats.interval, { x, 3 }, "trpo.stats.interval: options must be a table, got 3" },
    { "an unknown option", stats.interval, { x, { rep = 3 } }, "unknown option 'rep', did you mean 'reps'?" },
    { "an unknown statistic", stats.interval, { x, { statistic = "medan" } }, "unknown statistic 'medan', did you mean 'median'?" },
    { "a far-fetched statistic", stats.interval, { x, { statistic = "standard error" } },
      "unknown statistic 'standard error', expected one of: iqm, median, mean, optimality_gap" },
    { "a statistic of two", stats.interval, { x, { statistic = "probability_of_improvement" } },
      "the interval of probability_of_improvement is what that function returns" },
    { "gamma for another statistic", stats.interval, { x, { gamma = 2 } }, 'gamma goes with statistic = "optimality_gap" only' },
    { "a confidence of 0", stats.interval, { x, { confidence = 0 } }, "confidence must be a number between 0 and 1, got 0" },
    { "a confidence of 1", stats.interval, { x, { confidence = 1 } }, "confidence must be a number between 0 and 1, got 1" },
    { "a confidence in percent", stats.interval, { x, { confidence = 95 } }, "between 0 and 1, got 95" },
    { "a NaN confidence", stats.interval, { x, { confidence = nan } }, "between 0 and 1, got nan" },
    { "a confidence as text", stats.interval, { x, { confidence = "0.9" } }, "between 0 and 1, got the string '0.9'" },
    { "no resamples", stats.interval, { x, { reps = 0 } }, "reps must be an integer in [1, 100000000], got 0" },
    { "half a resample", stats.interval, { x, { reps = 1.5 } }, "reps must be an integer in [1, 100000000], got 1.5" },
    { "a seed for a generator", stats.interval, { x, { rng = 3 } }, "rng must be a random generator, got 3" },
    { "an interval of a NaN", stats.interval, { T { nan } }, "row 1 is nan" },
    { "an interval of a single infinity", stats.interval, { T { inf } }, "row 1 is inf" },

    { "a profile without thresholds", stats.performance_profile, { x }, "taus must be a tensor, got nil" },
    { "a matrix of thresholds", stats.performance_profile, { x, trpo.zeros(2, 2) }, "taus must have size [N], got [2, 2]" },
    { "no threshold", stats.performance_profile, { x, trpo.zeros(0) }, "taus must not be empty" },
    { "a NaN threshold", stats.performance_profile, { x, T { 1, nan } }, "taus must be numbers, element 2 is nan" },
    { "a profile of a NaN", stats.performance_profile, { T { inf, nan }, x }, "scores must be numbers, row 2 is nan" },
    { "an option of another function", stats.performance_profile, { x, x, { statistic = "mean" } }, "unknown option 'statistic'" },

    { "one algorithm", stats.probability_of_improvement, { x }, "y must be a tensor, got nil" },
    { "different tasks", stats.probability_of_improvement, { matrix, x }, "x and y must have as many tasks, got 3 and 1" },
    { "a NaN in y", stats.probability_of_improvement, { matrix, T { { 1, nan, 2 } } }, "y must be numbers, row 1, task 2 is nan" },
    { "a NaN in x", stats.probability_of_improvement, { T { nan }, x }, "x must be numbers, row 1 is nan" },

    { "one argument", stats.explained_variance, { x }, "trpo.stats.explained_variance: returns must be a tensor, got nil" },
    { "predictions of another size", stats.explained_variance, { T { 1, 2 }, x }, "returns must have size [2], got [3]" },
    { "a matrix of predictions", stats.explained_variance, { matrix, x }, "predictions must have size" },
    { "no predictions", stats.explained_variance, { trpo.zeros(0), trpo.zeros(0) }, "predictions must not be empty" },
    { "a NaN return", stats.explained_variance, { x, T { 1, nan, 2 } },
      "returns must be finite numbers up to 1e150, row 2 is nan" },
    { "an infinite prediction", stats.explained_variance, { T { inf }, T { 1 } }, "row 1 is inf" },

    { "no options of curves", stats.curve, {}, "trpo.stats.curve: options must be a table, got nil" },
    { "no curves", stats.curve, { {} }, "curves must be a list of tables { steps, values }, got nil" },
    { "an empty list of curves", stats.curve, { { curves = {} } }, "curves must be a list of tables { steps, values }, it is empty" },
    { "a curve that is a tensor", stats.curve, { { curves = { curve, T { 1, 2 } } } },
      "curve 2 must be a table { steps, values }, got a tensor [2]" },
    { "a curve without values", stats.curve, { { curves = { { T { 1 } } } } }, "the values of curve 1 must be a tensor, got nil" },
    { "a curve of another size", stats.curve, { curves({ 1, 2 }, { 1 }) }, "the values of curve 2 must have size [2], got [1]" },
    { "a curve of nothing", stats.curve, { { curves = { curve, { trpo.zeros(0), trpo.zeros(0) } } } },
      "the steps of curve 2 must not be empty" },
    { "steps that repeat", stats.curve, { curves({ 1, 2, 2 }, { 1, 2, 3 }) },
      "the steps of curve 2 must ascend, element 3 is 2 after 2" },
    { "steps that go back", stats.curve, { curves({ 1, 3, 2 }, { 1, 2, 3 }) },
      "the steps of curve 2 must ascend, element 3 is 2 after 3" },
    { "a NaN step", stats.curve, { curves({ nan, 3 }, { 1, 2 }) },
      "the steps of curve 2 must be finite numbers up to 1e300, element 1 is nan" },
    { "an infinite value", stats.curve, { curves({ 1, 2 }, { 1, inf }) },
      "the values of curve 2 must be finite numbers up to 1e300 (nan where missing), element 2 is inf" },
    { "curves without any value", stats.curve, { { curves = { { T { 1, 2 }, T { nan, nan } } } } }, "the curves have no values but nan" },
    { "one point", stats.curve, { { curves = { curve }, points = 1 } }, "points must be an integer in [2, 1000000], got 1" },
    { "points and a grid", stats.curve, { { curves = { curve }, points = 5, grid = T { 1 } } }, "grid and points do not go together" },
    { "a grid that goes back", stats.curve, { { curves = { curve }, grid = T { 2, 1 } } }, "grid must ascend, element 2 is 1 after 2" },
    { "an empty grid", stats.curve, { { curves = { curve }, grid = trpo.zeros(0) } }, "grid must not be empty" },
    { "an unknown option of curves", stats.curve, { { curves = { curve }, grids = 3 } }, "did you mean 'grid'?" },
    { "no resamples of curves", stats.curve, { { curves = { curve }, reps = 0 } }, "reps must be an integer" },

    { "no Sobol points", stats.sobol, { 0, 2 }, "trpo.stats.sobol: n must be an integer in [1, 4294967296], got 0" },
    { "no dimensions", stats.sobol, { 1, 0 }, "d must be an integer in [1, 64], got 0" },
    { "too many dimensions", stats.sobol, { 1, 65 }, "d must be an integer in [1, 64], got 65" },
    { "a negative skip", stats.sobol, { 1, 2, { skip = -1 } }, "skip must be an integer in [0, 4294967295], got -1" },
    { "points beyond the sequence", stats.sobol, { 10, 2, { skip = 4294967290 } },
      "skip must be an integer in [0, 4294967286], got 4294967290" },
    { "a seed for Sobol points", stats.sobol, { 1, 2, { rng = 3 } }, "rng must be a random generator, got 3" },
    { "an unknown option of Sobol points", stats.sobol, { 1, 2, { seed = 3 } }, "unknown option 'seed'" },

    { "a hash of nothing", trpo.sha256, {}, "trpo.sha256: text must be a string, got nil" },
    { "a hash of a number", trpo.sha256, { 12 }, "trpo.sha256: text must be a string, got 12" },
  })
end)

-- ---- Sobol' points --------------------------------------------------------------------------------------------

-- how many of the points lie in each of the boxes of 2^-a by 2^-b in dimensions i, j
local function each_box_has_one(points, i, j, a, b)
  local seen, n = {}, points:size(1)
  for k = 1, n do
    seen[math.floor(points[{ k, i }] * 2 ^ a) * 2 ^ b + math.floor(points[{ k, j }] * 2 ^ b)] = true
  end
  for box = 0, n - 1 do
    if not seen[box] then return false end
  end
  return true
end

describe("Sobol' points", function()
  it("begin as published", function()
    assert.are.same({ { 0, 0, 0 }, { 0.5, 0.5, 0.5 }, { 0.75, 0.25, 0.25 }, { 0.25, 0.75, 0.75 }, { 0.375, 0.375, 0.625 },
                      { 0.875, 0.875, 0.125 }, { 0.625, 0.125, 0.875 }, { 0.125, 0.625, 0.375 } }, stats.sobol(8, 3):totable())
  end)

  it("go on where skip says, near the end of the sequence too", function()
    local all = stats.sobol(300, 64)
    for _, skip in ipairs { 1, 2, 127, 128, 255 } do
      assert.are.equal(bits(all:narrow(1, skip + 1, 45)[{ {}, 64 }]), bits(stats.sobol(45, 64, { skip = skip })[{ {}, 64 }]))
    end
    -- the Gray code of the last point is the highest bit alone
    assert.are.same({ 2 ^ -32 }, stats.sobol(1, 1, { skip = 2 ^ 32 - 1 })[1]:totable())
  end)

  it("of every dimension fill all intervals evenly, scrambled or not", function()
    for seed = 0, 3 do
      local points = stats.sobol(256, 64, { rng = seed > 0 and trpo.rng(seed) or nil })
      for i = 1, 64 do assert.is_true(each_box_has_one(points, i, i, 8, 0), "dimension " .. i) end
    end
  end)

  it("of the first two dimensions fill all boxes evenly, scrambled or not", function()
    for seed = 0, 3 do
      local points = stats.sobol(256, 2, { rng = seed > 0 and trpo.rng(seed) or nil })
      for a = 0, 8 do assert.is_true(each_box_has_one(points, 1, 2, a, 8 - a)) end
    end
  end)

  it("are scrambled by the generator alone", function()
    local a, b = stats.sobol(64, 5, { rng = trpo.rng(1) }), stats.sobol(64, 5, { rng = trpo.rng(1) })
    assert.are.equal(bits(a:view(320)), bits(b:view(320)))
    assert.are_not.equal(bits(a:view(320)), bits(stats.sobol(64, 5, { rng = trpo.rng(2) }):view(320)))
    assert.is_true(a:min() >= 0 and a:max() < 1)
    -- clones give further points
    local further = stats.sobol(32, 5, { rng = trpo.rng(1), skip = 32 })
    assert.are.equal(bits(a:narrow(1, 33, 32):contiguous():view(160)), bits(further:view(160)))
    local rng, words = trpo.rng(1), trpo.rng(1)
    stats.sobol(4, 2, { rng = rng })
    for _ = 1, 33 do words:uniform() end -- 33 words of each dimension
    assert.are.equal(words:uniform(), rng:uniform())
  end)
end)

-- ---- SHA-256 --------------------------------------------------------------------------------------------------

describe("the SHA-256 of a text", function()
  it("is that of FIPS 180", function()
    assert.are.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", trpo.sha256 "")
    assert.are.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", trpo.sha256 "abc")
    assert.are.equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", trpo.sha256(("a"):rep(1e6)))
  end)

  it("takes any bytes, zeros too", function()
    assert.are_not.equal(trpo.sha256 "a\0b", trpo.sha256 "a\0c")
    assert.are.equal("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", trpo.sha256 "\0")
  end)
end)

-- ---- Python ---------------------------------------------------------------------------------------------------

local python = project.quoted(os.getenv "TRPO_PYTHON" or "python3")

local function has(modules)
  return select(2, project.run(("%s -c 'import %s'"):format(python, modules))) == 0
end

describe("rliable #python", function()
  if not has "rliable.library" then return print "  skipped: no rliable, TRPO_PYTHON may name an interpreter that has it" end
  local scratch
  setup(function() scratch = command.scratch() end)
  teardown(function() command.remove(scratch) end)

  local function run(script)
    command.write(scratch .. "/script.py", "import numpy as np\n" .. script)
    local _, err, code = command.shell(scratch, python .. " script.py")
    assert(code == 0, err)
  end

  it("agrees with every aggregate and profile", function()
    local rng, cases = trpo.rng(14), 60
    for k = 1, cases do
      local tasks, prefix = rng:integer(1, 5), scratch .. "/" .. k
      local x, y = random_scores(rng, rng:integer(1, 11), tasks), random_scores(rng, rng:integer(1, 11), tasks)
      assert(trpo.npy.write(prefix .. "x.npy", x))
      assert(trpo.npy.write(prefix .. "y.npy", y))
      local taus = trpo.linspace(-2, 2, 9)
      assert(trpo.npy.write(prefix .. "r.npy", T {
        stats.iqm(x), stats.median(x), stats.mean(x), stats.optimality_gap(x), stats.optimality_gap(x, 0.3),
        stats.probability_of_improvement(x, y), unpack(stats.performance_profile(x, taus):totable()),
      }))
    end
    run(("cases = %d"):format(cases) .. [[

from rliable import library, metrics
import warnings
warnings.simplefilter('ignore')
for k in range(1, cases + 1):
  x, y, r = (np.load('%d%s.npy' % (k, name)) for name in 'xyr')
  tasks = [metrics.aggregate_iqm(x), metrics.aggregate_median(x), metrics.aggregate_mean(x), metrics.aggregate_optimality_gap(x),
           metrics.aggregate_optimality_gap(x, 0.3), metrics.probability_of_improvement(x, y)]
  expected = np.concatenate([tasks, library.score_distributions(x, np.linspace(-2, 2, 9))])
  assert np.abs(expected - r).max() < 1e-12, (k, expected, r)]])
  end)

  it("agrees with the intervals, up to the random numbers", function()
    local x, y = trpo.randn(trpo.rng(15), 12, 3), trpo.randn(trpo.rng(16), 9, 3) - 0.5
    local taus, ends = T { -1, 0, 0.5 }, {}
    assert(trpo.npy.write(scratch .. "/x.npy", x))
    assert(trpo.npy.write(scratch .. "/y.npy", y))
    for _, name in ipairs { "iqm", "median", "mean", "optimality_gap" } do
      ends[#ends + 1] = { stats.interval(x, { statistic = name, reps = 20000, confidence = 0.9 }) }
    end
    ends[5] = { select(2, stats.probability_of_improvement(x, y, { reps = 20000, confidence = 0.9 })) }
    local _, low, high = stats.performance_profile(x, taus, { reps = 20000, confidence = 0.9 })
    for k = 1, 3 do ends[5 + k] = { low[k], high[k] } end
    assert(trpo.npy.write(scratch .. "/r.npy", T(ends)))
    run [[
from rliable import library, metrics
import warnings
warnings.simplefilter('ignore')
np.random.seed(1)
x, y, r = (np.load(name + '.npy') for name in 'xyr')
def interval(scores, f, reps=4000):
  return library.get_interval_estimates({'a': scores}, f, reps=reps, confidence_interval_size=0.9)[1]['a'].T
single = interval(x, lambda s: np.array([metrics.aggregate_iqm(s), metrics.aggregate_median(s), metrics.aggregate_mean(s),
                                         metrics.aggregate_optimality_gap(s)]))
pair = interval((x, y), lambda s, t: np.array([metrics.probability_of_improvement(s, t)]), 1000)
profile = interval(x, lambda s: library.score_distributions(s, np.array([-1, 0, 0.5])))
expected = np.concatenate([single, pair, profile])
width = expected[:, 1] - expected[:, 0]
assert (np.abs(expected - r).max(1) < 0.08 * width + 1e-9).all(), (expected, r)]]
  end)

  it("'s trimmed mean rounds as ours for every number of scores", function()
    local values = {}
    for n = 1, 60 do values[n] = stats.iqm(trpo.linspace(0, 1, 61):narrow(1, 1, n):pow(3)) end
    assert(trpo.npy.write(scratch .. "/r.npy", T(values)))
    run [[
from scipy.stats import trim_mean
x = (np.arange(61) / 60) ** 3
for n, r in enumerate(np.load('r.npy'), 1): assert abs(trim_mean(x[:n], 0.25, axis=None) - r) < 1e-13, n]]
  end)
end)

describe("SciPy #python", function()
  if not has "scipy.stats" then return print "  skipped: no SciPy, TRPO_PYTHON may name an interpreter that has it" end
  local scratch
  setup(function() scratch = command.scratch() end)
  teardown(function() command.remove(scratch) end)

  it("has the same Sobol' points to the bit, in all dimensions", function()
    assert(trpo.npy.write(scratch .. "/a.npy", stats.sobol(2048, 64)))
    assert(trpo.npy.write(scratch .. "/b.npy", stats.sobol(100, 64, { skip = 123456 })))
    command.write(scratch .. "/script.py", [[
import numpy as np, warnings
from scipy.stats import qmc
warnings.simplefilter('ignore')
assert (qmc.Sobol(64, scramble=False).random(2048) == np.load('a.npy')).all()
assert (qmc.Sobol(64, scramble=False).fast_forward(123456).random(100) == np.load('b.npy')).all()]])
    local _, err, code = command.shell(scratch, python .. " script.py")
    assert(code == 0, err)
  end)
end)
