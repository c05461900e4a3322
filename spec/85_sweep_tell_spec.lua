-- What is told of a sweep: digits of its table, trials of rungs to come, another script, failures.
local command = require "support.command"
local halving = require "trpo.sweep.halving"
local progress = require "trpo.progress"
local results = require "trpo.sweep.results"
local summary = require "trpo.sweep.summary"
local sweep_folder = require "support.sweep_folder"
local tell = require "trpo.sweep.tell"

local scratch

before_each(function() scratch = command.scratch() end)
after_each(function() command.remove(scratch) end)

describe("a number that is told", function()
  it("has four significant digits, or as many as are asked for", function()
    for x, text in pairs {
      [0] = "0", [0.9043] = "0.9043", [0.904] = "0.9040", [-0.98765] = "-0.9877", [0.012344] = "0.01234", [9.5] = "9.500",
      [38.69] = "38.69", [-481.62] = "-481.6", [500] = "500.0", [20480] = "20480", [1234567] = "1.235e+06",
      [math.huge] = "inf", [-math.huge] = "-inf", [1e-5] = "1e-05", [0.99999] = "1.000",
      [9.9996] = "10.00", [9.9994] = "9.999", [99.996] = "100.0", [-999.96] = "-1000", [9999.6] = "10000",
    } do
      assert.are.equal(text, progress.number(x))
    end
    assert.are.same({ "-", "nan" }, { progress.number(nil), progress.number(0 / 0) })
    assert.are.same({ "481.62", "0.90430", "0.099000001", "9.9996", "10.000" }, {
      progress.number(481.62, 5), progress.number(0.9043, 5), progress.number(0.099000001, 8), progress.number(9.9996, 5),
      progress.number(9.99996, 5),
    })
  end)
end)

describe("the table of a sweep", function()
  -- the column of interquartile means for one result in each cell
  local function column(values)
    local sweep = { metric = { name = "m", goal = "maximize" }, cells = {}, description = {} }
    for i, x in ipairs(values) do
      sweep.cells[i] = { index = i, label = "c" .. i, params = {}, trials = { { status = "done", metric = x } } }
    end
    local out = {}
    for text in tell.table(sweep, summary.of(sweep)):gmatch "c%d+ +1 +(%S+)" do out[#out + 1] = text end
    return table.concat(out, " ")
  end

  it("tells cells apart, with four digits at least", function()
    assert.are.equal("0.9010 0.9020 0.9030 0.9040", column { 0.901, 0.902, 0.903, 0.904 })
    assert.are.equal("481.62 481.63", column { 481.62, 481.63 })
    assert.are.equal("-150.2 -151.2", column { -150.23, -151.23 })
    assert.are.equal("0.90400 0.90401", column { 0.904, 0.90401 })
    assert.are.equal("1000001 1000000", column { 1000000.5, 1000000.25 })
    -- equal ones need no more, and neither do those that differ by rounding
    assert.are.equal("0.5000 0.5000", column { 0.5, 0.5 })
    assert.are.equal("0.3000 0.3000", column { 0.1 + 0.2, 0.3 })
  end)

  it("says how many cells are as good as the best one", function()
    -- of each cell the numbers of its trials, false for one that failed
    local function best(cells, goal)
      local sweep = { metric = { name = "m", goal = goal or "maximize" }, cells = {}, description = {} }
      for i, numbers in ipairs(cells) do
        local trials = {}
        for j, x in ipairs(numbers) do trials[j] = { status = x and "done" or "failed", metric = x or nil } end
        sweep.cells[i] = { index = i, label = "c" .. i, params = {}, trials = trials }
      end
      return tell.table(sweep, summary.of(sweep)):match "best: [^\n]*$"
    end
    local one = "best: c%d, m %s (interquartile mean of 1 run)"
    assert.are.equal(one:format(2, "3"), best { { 1 }, { 3 }, { 2 } })
    assert.are.equal(one:format(1, "3") .. ", the first of 2 equally good", best { { 3 }, { 1 }, { 3 } })
    assert.are.equal(one:format(2, "1") .. ", the first of 3 equally good", best({ { 3 }, { 1 }, { 1 }, { 1 } }, "minimize"))
    -- equal interquartile means and another mean; a run less; a failure
    local four = "best: c1, m 5 (interquartile mean of 4 runs)"
    assert.are.equal(four, best { { 1, 5, 5, 9 }, { 0, 5, 5, 9 }, { 5, 5, 5 }, { 1, 5, 5, 9, false } })
    assert.are.equal(four .. ", the first of 2 equally good", best { { 1, 5, 5, 9 }, { 0, 5, 5, 9 }, { 5, 5, 5, 5 } })
    assert.are.equal("best: c2, m 1 (interquartile mean of 1 run) (among the cells without failures), the first of 2 equally good",
      best { { 3, false }, { 1 }, { 1 } })
  end)

  it("has whole numbers as they are", function()
    assert.are.equal("18 6 -3 0", column { 18, 6, -3, 0 })
    assert.are.equal("18.00 6.500", column { 18, 6.5 })
  end)
end)

describe("a sweep with halving", function()
  -- 8 cells and 2 seeds, of which the first rungs are done
  local function standing(done, failing)
    local sweep = { seeds = { 1, 2 }, metric = { name = "m", goal = "maximize" }, cells = {},
      description = { halving = { rungs = { 10, 20, 40, 80 }, factor = 2, aggregate = "mean" } } }
    for i = 1, 8 do sweep.cells[i] = { index = i } end
    sweep.trials, sweep.latest, sweep.ahead = halving.trials(sweep, function(cell, _, rung)
      local status = rung > done and "waiting" or failing and failing(cell) and "failed" or "done"
      return { cell = cell, rung = rung, status = status, metric = status == "done" and cell or nil }
    end)
    return sweep
  end

  it("counts the trials of all rungs from the beginning", function()
    -- 8, 4, 2 and 1 cells
    for done, counted in pairs { [0] = { 30, 0, 30, 14 }, { 30, 16, 14, 6 }, { 30, 24, 6, 2 }, { 30, 28, 2, 0 }, { 30, 30, 0, 0 } } do
      local count = results.count(standing(done))
      assert.are.same(counted, { count.total, count.done, count.waiting, results.undecided(standing(done)) })
    end
  end)

  it("counts fewer when cells fail", function()
    -- one cell is left after the first rung, none when all fail
    assert.are.equal(16 + 2 + 2 + 2, results.count(standing(1, function(cell) return cell > 1 end)).total)
    assert.are.equal(16, results.count(standing(1, function() return true end)).total)
  end)

  it("says in which rung it is", function()
    local dir = scratch .. "/halves"
    sweep_folder.write(dir, { halving = { rungs = { 1000, 3000, 9000 }, factor = 3 } })
    local sweep = assert(results.read(dir))
    -- 6, 2 and 1 cells with 3 seeds
    assert.are.equal("halves: 18 of 27 done, 0 running, 0 failed, 9 waiting; rung 2 of 3 (3000 steps)", tell.counts(sweep))
  end)
end)

describe("the table of many cells", function()
  it("has the best one in it, wherever its number stands", function()
    local values = {}
    for i = 1, 50 do values[i] = i / 1000 end
    local dir = scratch .. "/many"
    -- one cell is in the second rung, with the worst number
    sweep_folder.write(dir, {
      parameters = { { path = "algorithm.delta", name = "delta", values = values } }, seeds = { 1 },
      halving = { rungs = { 1000, 3000 }, factor = 50 },
      status = function(cell, _, rung) return (rung == 1 or cell == 50) and "done" or "waiting" end,
      score = function(params, _, rung) return rung == 2 and 1 or 100 + 1000 * params["algorithm.delta"] end,
    })
    local sweep = assert(results.read(dir))
    local text = tell.table(sweep, summary.of(sweep))
    assert.is_truthy(text:find("\n* delta=0.05", 1, true), text)
    assert.is_truthy(text:find("\n  ... and 10 cells more\n", 1, true), text)
    assert.are.equal(40, select(2, text:gsub("delta=", "")) - 1)
  end)
end)

describe("a script that is another one", function()
  it("is said to be, and why", function()
    local dir = scratch .. "/a"
    local description = sweep_folder.write(dir)
    local sweep = assert(results.read(dir))
    assert.is_nil(tell.script(sweep, description))
    description.config.steps = 77
    description.cells[1].ids[1] = ("0"):rep(16)
    assert.are.equal("the script is another one now, which does not go on with this sweep: config.steps was 10000, is 77",
      tell.script(sweep, description))
  end)
end)

describe("trials that failed", function()
  it("are told by their messages, each once", function()
    local sweep = { cells = { { label = "a=1" }, { label = "a=2" } }, trials = {} }
    for i, message in ipairs { "one\nthere", "two", "one\nhere", "one", "three", false } do
      sweep.trials[i] = { cell = (i - 1) % 2 + 1, seed = i, status = message and "failed" or "done", message = message, dir = "t" .. i }
    end
    assert.are.equal([[
5 of 6 trials failed; --retry-failed runs them again
  a=1 seed 1 and 2 trials like it: one
    t1/output.txt
  a=2 seed 2: two
    t2/output.txt
  a=1 seed 5: three
    t5/output.txt]], tell.failed(sweep))
  end)

  it("are told up to ten messages", function()
    local sweep = { cells = { { label = "a=1" } }, trials = {} }
    for i = 1, 12 do sweep.trials[i] = { cell = 1, seed = i, status = "failed", message = "m" .. i, dir = "t" } end
    assert.is_truthy(tell.failed(sweep):find "seed 10: m10\n    t/output.txt\n  ... and 2 messages more$")
    sweep.trials[12].message = "m11"
    assert.is_truthy(tell.failed(sweep):find "\n  ... and 1 message more$")
  end)
end)
