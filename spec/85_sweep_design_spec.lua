-- What a sweep is: its options, cells and ids, and one sentence about each mistake.
local command = require "support.command"
local functions = require "trpo.sweep.code"
local identity = require "trpo.sweep.identity"
local json = require "trpo.json"
local misuse = require "support.misuse"
local script = require "trpo.script"
local small_sweeps = require "support.small_sweeps"
local space = require "trpo.sweep.space"
local trpo = require "trpo"

local nan, inf = 0 / 0, math.huge
local scratch

setup(function() scratch = small_sweeps.folder() end)
teardown(function() command.remove(scratch) end)

local function made(changes) return small_sweeps.of_experiment(scratch, changes) end

local function of_function(changes) return small_sweeps.of_function(scratch, changes) end

local function ids_of(sweep)
  local out = {}
  for i, trial in ipairs(sweep:trials()) do out[i] = trial.id end
  return out
end

describe("a grid", function()
  it("has all combinations in the order of the parameters' paths, the last one fastest", function()
    local cells = made { parameters = { gamma = { 0.9, 0.99 }, delta = { 0.1, 0.01 } } }:describe().cells
    local found = {}
    for i, cell in ipairs(cells) do found[i] = { cell.params["algorithm.delta"], cell.params["algorithm.gamma"] } end
    assert.are.same({ { 0.1, 0.9 }, { 0.1, 0.99 }, { 0.01, 0.9 }, { 0.01, 0.99 } }, found)
  end)

  it("has every cell with the same seeds, seed by seed", function()
    local found = {}
    for i, trial in ipairs(made { seeds = { 7, 3 } }:trials()) do found[i] = { trial.cell, trial.seed, trial.rung } end
    assert.are.same({ { 1, 7, 1 }, { 2, 7, 1 }, { 1, 3, 1 }, { 2, 3, 1 } }, found)
  end)

  it("takes n seeds as 1 to n, and one by default", function()
    assert.are.same({ 1, 2, 3 }, made { seeds = 3 }.seeds)
    assert.are.same({ 1 }, made().seeds)
  end)

  it("varies lists, strings, booleans and environments", function()
    local sweep = made { parameters = {
      ["policy.hidden"] = { 8, { 16, 16 }, {} }, ["value.kind"] = { "linear", "none" }, whole_episodes = { true, false },
      env = { "CartPole-v1", "Pendulum-v1" },
    } }
    assert.are.equal(24, #sweep:describe().cells)
    local first = sweep:describe().cells[1].params
    assert.are.same({ "CartPole-v1", "linear", true }, { first["env.id"], first["value.kind"], first.whole_episodes })
    assert.are.same({ 8 }, { unpack(first["policy.hidden"]) })
  end)

  it("over optimizers leaves behind the script's options of another one, but not those of set", function()
    command.write(scratch .. "/adam.lua", [[return require("trpo").experiment {
      env = "CartPole-v1", value = { optimizer = "adam", epochs = 5 } }:main(...)]])
    local function over(set)
      return made { experiment = scratch .. "/adam.lua", parameters = { ["value.optimizer"] = { "adam", "lbfgs" } }, set = set }
    end
    assert.are.equal(2, #over(nil):describe().cells)
    local ok, message = pcall(over, { ["value.epochs"] = 3 })
    assert.is_false(ok)
    assert.is_truthy(message:find("value.epochs belongs to optimizer 'adam', and value.optimizer is 'lbfgs'", 1, true), message)
  end)

  it("takes the words that stand for a group", function()
    assert.are.same({ "none", "linear" }, small_sweeps.values(made { parameters = { value = { false, "linear" } } }, "value.kind"))
  end)
end)

describe("a distribution", function()
  local function at(given, u)
    return space.value(assert(space.read({ x = given }))[1], u)
  end
  local last = 1 - 2 ^ -53

  it("maps [0, 1) evenly onto its range", function()
    assert.are.same({ 2, 3, 4 }, { at({ uniform = { 2, 4 } }, 0), at({ uniform = { 2, 4 } }, 0.5), at({ uniform = { 2, 4 } }, last) })
    assert.are.equal(0.01, at({ log_uniform = { 1e-4, 1 } }, 0.5))
    assert.are.equal(1e-4, at({ log_uniform = { 1e-4, 1 } }, 0))
    assert.are.equal(1, at({ log_uniform = { 1e-4, 1 } }, last))
  end)

  it("reaches each integer equally often, both ends included", function()
    local count = {}
    for k = 0, 699 do
      local n = at({ integer = { -2, 4 } }, k / 700)
      count[n] = (count[n] or 0) + 1
    end
    assert.are.same({ [-2] = 100, [-1] = 100, [0] = 100, [1] = 100, [2] = 100, [3] = 100, [4] = 100 }, count)
  end)

  it("reaches integers by orders of magnitude", function()
    -- floor(1001^u) is at least n from u = log(n) / log(1001) on
    for _, n in ipairs { 1, 2, 10, 999, 1000 } do
      local edge = math.log(n) / math.log(1001)
      assert.are.equal(n, at({ log_integer = { 1, 1000 } }, edge + 1e-6))
      if n > 1 then assert.are.equal(n - 1, at({ log_integer = { 1, 1000 } }, edge - 1e-6)) end
    end
    assert.are.equal(1000, at({ log_integer = { 1, 1000 } }, last))
  end)

  it("takes choices and lists alike", function()
    for _, given in ipairs { { choice = { "a", "b", "c" } }, { "a", "b", "c" } } do
      assert.are.same({ "a", "a", "b", "c", "c" },
        { at(given, 0), at(given, 0.33), at(given, 0.34), at(given, 0.67), at(given, last) })
    end
  end)

  it("gives numbers of twelve digits, so that machines agree", function()
    assert.are.equal(0.333333333333, at({ uniform = { 0, 1 } }, 1 / 3))
  end)
end)

describe("a random sweep", function()
  local function drawn(samples, changes)
    local o = { method = "random", samples = samples,
      parameters = { a = { uniform = { 0, 1 } }, b = { log_uniform = { 1e-4, 1 } }, c = { integer = { 1, 9 } } } }
    for key, value in pairs(changes or {}) do o[key] = value end
    return of_function(o):describe().cells
  end

  it("has the same first cells however many there are", function()
    local ten, twenty = drawn(10), drawn(20)
    assert.are.equal(20, #twenty)
    for i = 1, 10 do assert.are.same(ten[i], twenty[i]) end
  end)

  it("depends on its own seed and not on those of the trials", function()
    local function params(cells)
      local out = {}
      for i, cell in ipairs(cells) do out[i] = cell.params end
      return out
    end
    assert.are.same(params(drawn(5)), params(drawn(5, { seeds = { 9 } })))
    assert.are.same(params(drawn(5)), params(drawn(5, { seed = 1 })))
    assert.are_not.same(params(drawn(5)), params(drawn(5, { seed = 2 })))
  end)

  it("draws what the generator gives", function()
    local rng = trpo.rng(3, 4)
    local cells = drawn(2, { seed = 3 })
    for i = 1, 2 do
      local a, b, c = rng:uniform(), rng:uniform(), rng:uniform()
      assert.is_near(a, cells[i].params.a, 1e-11)
      assert.is_near(1e-4 * (1e4) ^ b, cells[i].params.b, 1e-11)
      assert.are.equal(1 + math.floor(9 * c), cells[i].params.c)
    end
  end)

  it("has no cell twice, and finds all there are", function()
    local cells = drawn(12, { parameters = { a = { 1, 2, 3 }, b = { integer = { 1, 4 } } } })
    local seen = {}
    for _, cell in ipairs(cells) do seen[cell.params.a .. " " .. cell.params.b] = true end
    local count = 0
    for _ in pairs(seen) do count = count + 1 end
    assert.are.equal(12, count)
  end)
end)

describe("a Sobol sweep", function()
  local unit = { a = { uniform = { 0, 1 } }, b = { uniform = { 0, 1 } }, c = { uniform = { 0, 1 } } }

  it("has scipy's first points", function()
    -- scipy.stats.qmc.Sobol(3, scramble=False).random(8)
    local points = {
      { 0, 0, 0 }, { 0.5, 0.5, 0.5 }, { 0.75, 0.25, 0.25 }, { 0.25, 0.75, 0.75 }, { 0.375, 0.375, 0.625 },
      { 0.875, 0.875, 0.125 }, { 0.625, 0.125, 0.875 }, { 0.125, 0.625, 0.375 },
    }
    for i, cell in ipairs(of_function { method = "sobol", samples = 8, parameters = unit }:describe().cells) do
      assert.are.same(points[i], { cell.params.a, cell.params.b, cell.params.c })
    end
  end)

  it("has the same first cells however many there are, also scrambled", function()
    for _, seed in ipairs { false, 5 } do
      local function cells(n)
        return of_function { method = "sobol", samples = n, parameters = unit, seed = seed or nil }:describe().cells
      end
      local few, many = cells(100), cells(600)
      for i = 1, 100 do assert.are.same(few[i], many[i]) end
      assert.are.equal(600, #many)
    end
  end)

  it("is scrambled by a seed, and stays even", function()
    local cells = of_function { method = "sobol", samples = 8, parameters = unit, seed = 5 }:describe().cells
    local seen = {}
    for _, cell in ipairs(cells) do seen[math.floor(cell.params.a * 8)] = true end
    for k = 0, 7 do assert.is_true(seen[k]) end
    assert.are_not.equal(0, cells[1].params.a)
  end)
end)

describe("ids", function()
  it("are the beginning of the SHA-256 of the canonical text", function()
    -- printf '%s' '{"config":{"algorithm":{"delta":0.01},"steps":2048},"kind":"experiment","seed":1}' | sha256sum
    assert.are.equal("c7acd1297a7da330",
      identity.id({ kind = "experiment", config = { steps = 2048, algorithm = { delta = 0.01 } } }, 1))
    -- printf '%s' '{"code":"ab","kind":"run","params":{"a":0.1,"b":[1,2]},"seed":9007199254740991}' | sha256sum
    assert.are.equal("d119aed86e4bea64", identity.id({ kind = "run", code = "ab", params = { b = { 1, 2 }, a = 0.1 } }, 2 ^ 53 - 1))
  end)

  it("are the same in another process, for another name, folder and spelling", function()
    local file = scratch .. "/ids.lua"
    command.write(file, ([[
      local s = require("trpo").sweep { name = "other", dir = "x", parameters = { ["algorithm.gamma"] = { 0.9 }, delta = { 0.01 } },
        experiment = %q, seeds = { 2 } }
      io.write(s:trials()[1].id)
    ]]):format(scratch .. "/cartpole.lua"))
    local found = command.shell(scratch, "luajit ids.lua")
    local here = made { parameters = { gamma = { 0.9 }, ["algorithm.delta"] = { 0.01 } }, seeds = { 2 } }
    assert.are.equal(here:trials()[1].id, found)
  end)

  it("do not depend on what changes no number", function()
    local path = scratch .. "/renamed.lua"
    command.write(path, (small_sweeps.script:gsub('dir = "elsewhere"', 'name = "x", threads = 2, seed = 9, overwrite = true')))
    assert.are.same(ids_of(made()), ids_of(made { experiment = path }))
  end)

  it("differ by parameter, by seed and by what is set", function()
    local seen = {}
    for _, sweep in ipairs { made { seeds = 3 }, made { set = { lambda = 0.5 } }, made { set = { steps = 4096 } } } do
      for _, id in ipairs(ids_of(sweep)) do
        assert.is_nil(seen[id])
        assert.is_truthy(id:find "^%x+$" and #id == 16)
        seen[id] = true
      end
    end
  end)

  -- the hash of the function that a chunk returns
  local function code(text) return (functions.hash(assert(loadstring(text))())) end

  it("of functions depend on their text, on helpers and constants, and not on their place", function()
    local text = "local k = 2\nlocal function half(x) return x / k end\nreturn function(p) return half(p.a) end\n"
    local first = code(text)
    assert.are.equal(first, code(text))
    assert.are.equal(first, code("-- a remark\n\n" .. text))
    assert.are_not.equal(first, code((text:gsub("p%.a", "p.b"))))
    assert.are_not.equal(first, code((text:gsub("x / k", "x * k"))))
    assert.are_not.equal(first, code((text:gsub("k = 2", "k = 3"))))
    -- whole chunks, and functions without a text
    assert.are_not.equal(functions.hash(assert(loadstring "return 1")), functions.hash(assert(loadstring "return 2")))
    assert.are_not.equal(functions.hash(assert(loadstring("return 1", "=x"))), functions.hash(assert(loadstring("return 2", "=x"))))
    assert.are.equal(64, #functions.hash(print))
    assert.are_not.equal(ids_of(of_function { run = function() return 1 end })[1],
      ids_of(of_function { run = function() return 2 end })[1])
  end)
end)

describe("a sweep", function()
  it("is named after its script and stands in sweeps/", function()
    command.write(scratch .. "/my sweep.lua", ([[
      return require("trpo").sweep { experiment = "cartpole.lua", parameters = { delta = { 0.01 } } }:main(...)
    ]]))
    local sweep = assert(script.load(scratch .. "/my sweep.lua"))
    assert.are.equal("my-sweep", sweep.name)
    assert.are.equal("sweeps/my-sweep", sweep:place())
    -- the experiment stands beside the sweep's script
    assert.are.equal(1, #sweep:trials())
    assert.are.equal("trpo.sweep my-sweep (grid, 1 cells x 1 seeds, maximize eval/mean_reward)", tostring(sweep))
  end)

  it("is named after its script also when that returns it as it is", function()
    command.write(scratch .. "/bare.lua", [[
      return require("trpo").sweep { experiment = "cartpole.lua", parameters = { delta = { 0.01 } } }]])
    command.write(scratch .. "/named.lua", [[
      local made = require("trpo").sweep { experiment = "cartpole.lua", parameters = { delta = { 0.01 } } }
      return made]])
    for _, name in ipairs { "bare", "named" } do
      local sweep = assert(trpo.load(("%s/%s.lua"):format(scratch, name)))
      assert.are.equal("sweeps/" .. name, sweep:place())
      assert.are.equal(1, #sweep:trials())
    end
  end)

  it("does not change the table it is given", function()
    local given = { experiment = scratch .. "/cartpole.lua", parameters = { delta = { 0.1 } }, seeds = 2, metric = "eval/mean_reward" }
    trpo.sweep(given)
    assert.are.same({ experiment = scratch .. "/cartpole.lua", parameters = { delta = { 0.1 } }, seeds = 2,
      metric = "eval/mean_reward" }, given)
  end)

  it("takes a metric by name or with its goal", function()
    assert.are.same({ name = "eval/mean_reward", goal = "maximize" }, made().metric)
    assert.are.same({ name = "metric", goal = "maximize" }, of_function().metric)
    assert.are.same({ name = "train/kl_max", goal = "minimize" }, made { metric = { name = "train/kl_max", goal = "minimize" } }.metric)
  end)

  it("is changed by the command line as by its script", function()
    local sweep = made()
    assert(sweep:override { name = "b", dir = "else", set = { "lambda=0.5", "policy.hidden=8,8" } })
    assert.are.equal("else/b", sweep:place())
    assert.are.same(ids_of(made { set = { lambda = 0.5, ["policy.hidden"] = { 8, 8 } } }), ids_of(sweep))
  end)

  it("stays as it was when a change is wrong", function()
    local sweep = made()
    local before = ids_of(sweep)
    for flags, text in pairs {
      [{ set = { "delta=0.5" } }] = "set: the sweep varies 'delta' itself",
      [{ set = { "lambada=0.5" } }] = "unknown parameter 'lambada', did you mean 'lambda'?",
      [{ set = { "lambda=x" } }] = "algorithm.lambda must be",
      [{ set = { "lambda" } }] = "--set must be NAME=VALUE, got 'lambda'",
      [{ name = "a/b" }] = "name must be a name for a folder",
    } do
      local ok, message = sweep:override(flags)
      assert.is_nil(ok)
      assert.is_truthy(message:find(text, 1, true), message)
    end
    assert.are.same(before, ids_of(sweep))
    assert.are.equal(scratch .. "/sweeps/a", sweep:place())
    local ok, message = of_function():override { set = { "a=1" } }
    assert.are.same({ nil, "--set is for sweeps of an experiment, this one is of a function" }, { ok, message })
  end)

  it("tells a trial of an experiment what to change", function()
    local sweep = made { set = { ["evaluation.episodes"] = 3 }, seeds = { 4, 5 } }
    assert(sweep:override { set = { "lambda=0.5" } })
    local told = json.decode(json.encode(sweep:settings(sweep:trials()[4])))
    local run = assert(script.load(told.script))
    assert(run:override(told.changes))
    local c = run.config
    assert.are.same({ 0.01, 0.5, 3, 5 }, { c.algorithm.delta, c.algorithm.lambda, c.evaluation.episodes, c.seed })
    assert.are.equal(sweep:trials()[4].id,
      identity.id({ kind = "experiment", config = identity.config(run:describe()) }, c.seed))
  end)

  it("tells a trial of a function the values by their names, with halving also the steps", function()
    local plain = of_function { seeds = { 3 } }
    assert.are.same({ params = { a = 2 }, seed = 3 }, plain:settings(plain:trials()[2]))
    local sweep = of_function { method = "halving", halving = { min = 10, max = 40, factor = 2 } }
    assert.are.same({ params = { a = 2, steps = 10 }, seed = 1 }, sweep:settings(sweep:trials()[2]))
  end)

  it("is returned by main to who loads the script, and takes the script's arguments only", function()
    local sweep = made()
    assert.are.equal(sweep, sweep:main(script.sentinel))
    local ok, message = pcall(sweep.main, sweep, 5)
    assert.is_false(ok)
    assert.is_truthy(message:find("sweep:main: pass on the script's own '...', got 5", 1, true), message)
  end)
end)

describe("wrong options", function()
  local function call(changes)
    local o = { experiment = scratch .. "/cartpole.lua", parameters = { delta = { 0.001, 0.01 } } }
    for key, value in pairs(changes) do o[key] = value ~= json.null and value or nil end
    return trpo.sweep(o)
  end

  local function f() return { metric = 1 } end
  local none = json.null
  local cases = {}
  for name, case in pairs {
    ["no experiment"] = { { experiment = none }, "trpo.sweep: experiment (a file) or run (a function) must be given" },
    ["both"] = { { run = f }, "trpo.sweep: give experiment or run, not both" },
    ["an experiment that is none"] = { { experiment = {} }, "experiment must be the file of a script" },
    ["a run that is none"] = { { experiment = none, run = 3 }, "run must be a function(params, seed, dir)" },
    ["a file that is not there"] = { { experiment = "no/such.lua" }, "experiment: there is no file 'no/such.lua'" },
    ["an unknown option"] = { { paramters = {} }, "unknown option 'paramters', did you mean 'parameters'?" },
    ["another library's option"] = { { n_trials = 5 }, "unknown option 'n_trials', did you mean 'samples'?" },
    ["an unknown method"] = { { method = "bayes" }, "method must be 'grid', 'random', 'sobol' or 'halving', got the string 'bayes'" },
    ["no parameters"] = { { parameters = none }, "parameters must be given" },
    ["parameters that are none"] = { { parameters = 3 }, "parameters must be a table from names to values" },
    ["empty parameters"] = { { parameters = {} }, "parameters is empty" },
    ["parameters without names"] = { { parameters = { 1, 2 } }, "parameters must have names" },
    ["an empty list"] = { { parameters = { delta = {} } }, "parameters.delta is empty: give at least one value" },
    ["an unknown parameter"] = { { parameters = { detla = { 1 } } }, "unknown parameter 'detla', did you mean 'delta'?" },
    ["an unclear parameter"] = { { parameters = { hidden = { 8 } } }, "parameter 'hidden' is ambiguous" },
    ["a parameter twice"] = { { parameters = { delta = { 1 }, ["algorithm.delta"] = { 1 } } },
      "parameters 'algorithm.delta' and 'delta' are the same one" },
    ["a value twice"] = { { parameters = { delta = { 0.1, 0.2, 0.1 } } }, "parameters.delta has the value 0.1 twice" },
    ["a list twice"] = { { parameters = { ["policy.hidden"] = { 8, { 8 } } } }, "parameters.policy.hidden has the value [8] twice" },
    ["two values with one meaning"] = { { parameters = { normalize_observations = { "auto", false } } },
      "normalize_observations=auto and normalize_observations=false are the same" },
    ["a single value"] = { { parameters = { delta = 0.1 } }, "parameters.delta must be a list of values" },
    ["a hole"] = { { parameters = { delta = { 0.1, nil, 0.2 } } }, "parameters.delta must be a list of values, without holes" },
    ["a mixture"] = { { parameters = { delta = { 0.1, uniform = { 0, 1 } } } }, "without holes or names" },
    ["NaN"] = { { parameters = { delta = { nan } } }, "parameters.delta[1] must be a finite number" },
    ["a function as value"] = { { parameters = { delta = { f } } }, "parameters.delta[1] must be a finite number, a string" },
    ["a value out of range"] = { { parameters = { gamma = { 0.9, 1.5 } } }, "gamma=1.5: " },
    ["a value of another type"] = { { parameters = { lanes = { 4, 4.5 } } }, "lanes=4.5: lanes must be an integer" },
    ["values that do not go together"] = { { parameters = { budget = { 100 } } }, "budget=100: budget needs whole_episodes" },
    ["an unknown environment"] = { { parameters = { env = { "CartPoll-v1" } } }, "env=CartPoll-v1: " },
    ["a sweep over seeds"] = { { parameters = { seed = { 1, 2 } } }, "parameters.seed cannot be swept: the option seeds says" },
    ["a sweep over folders"] = { { parameters = { dir = { "a" } } }, "parameters.dir cannot be swept" },
    ["a sweep over threads"] = { { parameters = { threads = { 1, 2 } } }, "parameters.threads cannot be swept" },
    ["a sweep over checkpoints"] = { { parameters = { ["checkpoint.keep"] = { 1 } } }, "parameters.checkpoint.keep cannot be swept" },
    ["a distribution in a grid"] = { { parameters = { delta = { uniform = { 0, 1 } } } },
      "parameters.delta: a grid needs a list of values; uniform is for the methods random, sobol and halving" },
    ["an unknown distribution"] = { { method = "random", samples = 2, parameters = { delta = { unifrom = { 0, 1 } } } },
      "parameters.delta: unknown distribution 'unifrom', did you mean 'uniform'?" },
    ["two distributions"] = { { method = "random", samples = 2, parameters = { delta = { uniform = { 0, 1 }, choice = { 1 } } } },
      "must be one distribution, got several" },
    ["bounds that are none"] = { { method = "random", samples = 2, parameters = { delta = { uniform = 3 } } },
      "parameters.delta: uniform must be { low, high } with finite numbers, got 3" },
    ["NaN bounds"] = { { method = "random", samples = 2, parameters = { delta = { uniform = { nan, 1 } } } },
      "uniform must be { low, high } with finite numbers" },
    ["infinite bounds"] = { { method = "random", samples = 2, parameters = { delta = { uniform = { 0, inf } } } },
      "uniform must be { low, high } with finite numbers" },
    ["bounds the wrong way round"] = { { method = "random", samples = 2, parameters = { delta = { uniform = { 1, 0 } } } },
      "uniform needs low < high, got {1, 0}" },
    ["logarithms of nothing"] = { { method = "random", samples = 2, parameters = { delta = { log_uniform = { 0, 1 } } } },
      "log_uniform needs low > 0, got {0, 1}" },
    ["integers that are none"] = { { method = "random", samples = 2, parameters = { lanes = { integer = { 1, 2.5 } } } },
      "integer needs integers" },
    ["an empty choice"] = { { method = "random", samples = 2, parameters = { delta = { choice = {} } } },
      "parameters.delta.choice is empty" },
    ["a drawn value out of range"] = { { method = "random", samples = 2, parameters = { gamma = { uniform = { 2, 3 } } } }, "gamma=2." },
    ["random without samples"] = { { method = "random" }, "samples must be given: how many cells random draws" },
    ["sobol without samples"] = { { method = "sobol" }, "samples must be given: how many cells sobol draws" },
    ["a grid with samples"] = { { samples = 3 }, "samples is for the methods random, sobol and halving" },
    ["no samples"] = { { method = "random", samples = 0 }, "samples must be an integer in [1, 100000], got 0" },
    ["more samples than cells"] = { { method = "random", samples = 3 }, "samples = 3 is more than the 2 cells that differ" },
    ["too many trials"] = { { seeds = 100000 }, "these are 200000 trials, more than 100000" },
    ["no seeds"] = { { seeds = 0 }, "seeds must be a number of seeds in [1, 100000] or a list of seeds, got 0" },
    ["negative seeds"] = { { seeds = -1 }, "seeds must be a number of seeds" },
    ["half a seed"] = { { seeds = 1.5 }, "seeds must be a number of seeds" },
    ["NaN seeds"] = { { seeds = nan }, "seeds must be a number of seeds" },
    ["an empty list of seeds"] = { { seeds = {} }, "seeds must be a number of seeds or a list of seeds, got an empty one" },
    ["a negative seed"] = { { seeds = { 1, -1 } }, "seeds must be integers in [0, 2^53), got -1" },
    ["a seed that is none"] = { { seeds = { "1" } }, "seeds must be integers in [0, 2^53), got the string '1'" },
    ["a seed twice"] = { { seeds = { 1, 2, 1 } }, "seeds has 1 twice" },
    ["seeds by name"] = { { seeds = { from = 1 } }, "seeds must be a list, without holes or names" },
    ["a metric that is none"] = { { metric = 3 }, "metric must be a name or { name, goal }, got 3" },
    ["a metric without name"] = { { metric = { goal = "maximize" } }, "metric.name must be the name of a number" },
    ["an unknown goal"] = { { metric = { name = "eval/mean_reward", goal = "max" } },
      "metric.goal must be 'maximize' or 'minimize', got the string 'max'" },
    ["a metric that no run reports"] = { { metric = "eval/mean_rewrad" },
      "metric: no run reports 'eval/mean_rewrad', did you mean 'eval/mean_reward'?" },
    ["a metric without evaluation"] = { { set = { ["evaluation.episodes"] = 0 } },
      "metric 'eval/mean_reward' needs evaluation.episodes > 0" },
    ["halving without plan"] = { { method = "halving" }, "the method halving needs halving = { min" },
    ["a plan without halving"] = { { halving = { min = 1, max = 2 } }, "halving is for the method halving, this is grid" },
    ["a sampler without halving"] = { { sampler = "sobol" }, "sampler is for the method halving" },
    ["min over max"] = { { method = "halving", halving = { min = 20, max = 10 } }, "halving.min = 20 is more than halving.max = 10" },
    ["no max"] = { { method = "halving", halving = { min = 20 } }, "halving.max must be an integer in [1, " },
    ["a factor below 2"] = { { method = "halving", halving = { min = 1, max = 2, factor = 1.5 } },
      "halving.factor must be a number in [2, " },
    ["another word for factor"] = { { method = "halving", halving = { min = 1, max = 2, eta = 3 } },
      "unknown option 'halving.eta', did you mean 'halving.factor'?" },
    ["halving over steps"] = { { method = "halving", halving = { min = 1, max = 2 }, parameters = { steps = { 1, 2 } } },
      "parameters.steps cannot be swept by halving" },
    ["a seed of a grid"] = { { seed = 3 }, "seed is for cells that are drawn" },
    ["a seed of no kind"] = { { method = "random", samples = 2, seed = -1 }, "seed must be an integer in [0, 2^53), got -1" },
    ["a name with a slash"] = { { name = "a/b" }, "name must be a name for a folder" },
    ["a hidden name"] = { { name = ".a" }, "name must be a name for a folder" },
    ["an empty folder"] = { { dir = "" }, "dir must be a string that is not empty" },
    ["a set that is none"] = { { set = 3 }, "set must be a table from names to values" },
    ["an unknown name in set"] = { { set = { lambada = 1 } }, "set: unknown parameter 'lambada', did you mean 'lambda'?" },
    ["a wrong value in set"] = { { set = { gamma = 2 } }, "set: " },
    ["a set of what is swept"] = { { set = { ["algorithm.delta"] = 1 } }, "set: the sweep varies 'algorithm.delta' itself" },
    ["a set of seeds"] = { { set = { seed = 3 } }, "set: seed cannot be set: the option seeds says" },
    ["a set of folders"] = { { set = { dir = "x" } }, "set: dir cannot be set: a sweep names the folders" },
    ["a set of what halving sets"] = { { method = "halving", halving = { min = 1, max = 2 }, set = { steps = 3 } },
      "set: steps cannot be set: halving sets it itself" },
    ["a set of a function"] = { { experiment = none, run = f, set = { a = 1 } }, "set is for experiments" },
    ["a name that is taken"] = { { experiment = none, run = f, parameters = { seed = { 1 } } }, "parameters.seed: this name is taken" },
    ["too many dimensions"] = { { experiment = none, run = f, method = "sobol", samples = 2, parameters = (function()
      local out = {}
      for i = 1, 65 do out["p" .. i] = { uniform = { 0, 1 } } end
      return out
    end)() }, "sobol has at most 64 parameters, got 65" },
  } do
    cases[#cases + 1] = { name, call, { case[1] }, case[2] }
  end
  table.sort(cases, function(a, b) return a[1] < b[1] end)
  misuse.each(it, cases)
  misuse.each(it, {
    { "no table", trpo.sweep, { 3 }, "trpo.sweep: options must be a table, got 3" },
  })

  it("are raised at the line of the script", function()
    local ok, message = pcall(function()
      local sweep = trpo.sweep { seeds = 0, experiment = "x", parameters = {} }
      return sweep
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find "85_sweep_design_spec%.lua:%d+: trpo%.sweep: seeds", message)
  end)

  it("name what is wrong with the experiment's script", function()
    local path = scratch .. "/wrong.lua"
    for text, expected in pairs {
      ["return {"] = "wrong.lua:1:",
      ["local function deep() error 'oh no' end\ndeep()"] = "in function 'deep'",
      ["return 5"] = "must return an experiment ('return run:main(...)'), it returned 5",
      ["return require('trpo').env { id = 'E' }"] = "trpo.env",
      ["local x = 1"] = "it returned nothing",
      ["return require('trpo').sweep { run = print, parameters = { a = { 1 } } }"] = "it returned a sweep",
      ["require('trpo').experiment { env = 'CartPole-v1', stepz = 3 }"] = "unknown option 'stepz', did you mean 'steps'?",
    } do
      command.write(path, text)
      local ok, message = pcall(call, { experiment = path })
      assert.is_false(ok)
      assert.is_truthy(message:find("trpo.sweep: experiment " .. path, 1, true), message)
      assert.is_truthy(message:find(expected, 1, true), message)
    end
  end)
end)
