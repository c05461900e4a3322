-- A sweep's folder, what comes next in it, and what was found, without running a trial.
local command = require "support.command"
local core = require "trpo.core"
local halving = require "trpo.sweep.halving"
local identity = require "trpo.sweep.identity"
local json = require "trpo.json"
local project = require "support.project"
local results = require "trpo.sweep.results"
local small_sweeps = require "support.small_sweeps"
local summary = require "trpo.sweep.summary"
local sweep_folder = require "support.sweep_folder"
local trpo = require "trpo"

local nan, inf = 0 / 0, math.huge
local scratch

setup(function() scratch = small_sweeps.folder() end)
teardown(function() command.remove(scratch) end)

local function made(changes) return small_sweeps.of_experiment(scratch, changes) end

local function of_function(changes) return small_sweeps.of_function(scratch, changes) end

-- the trials that wait for somebody to run them; "wait" when others are at work on all that is left; "done"
local function next_trials(sweep)
  local waiting, running = {}, false
  for _, trial in ipairs(sweep.trials) do
    if trial.status == "waiting" then waiting[#waiting + 1] = trial end
    running = running or trial.status == "running"
  end
  if #waiting > 0 then return waiting end
  return running and "wait" or "done"
end

describe("a sweep's folder", function()
  local count = 0
  local dir

  before_each(function()
    count = count + 1
    dir = scratch .. "/folders" .. count
  end)

  local function opened(changes)
    local o = { dir = dir }
    for key, value in pairs(changes or {}) do o[key] = value end
    return made(o):open()
  end

  it("holds the description, and is the same when it is opened again", function()
    local sweep = made { dir = dir }
    assert.are.same({ true, { state = "new", warnings = {} } }, { sweep:open() })
    local before = command.read(dir .. "/a/sweep.json")
    assert.are.same({ true, { state = "same", warnings = {} } }, { sweep:open() })
    assert.are.equal(before, command.read(dir .. "/a/sweep.json"))
    local description = json.decode(before)
    assert.are.same(sweep:describe().cells[2], description.cells[2])
    assert.are.equal(core.sha256(small_sweeps.script), description.files[scratch .. "/cartpole.lua"])
    assert.are.equal(0.97, description.config.algorithm.lambda)
    for _, name in ipairs { "seed", "name", "dir", "threads", "system", "checkpoint" } do assert.is_nil(description.config[name]) end
  end)

  it("is made once by processes that come at the same time", function()
    command.write(scratch .. "/race.lua", ([[
      local s = require("trpo").sweep { name = "race", dir = %q, experiment = %q, parameters = { delta = { 0.1 } } }
      local ok, why = s:open()
      print(ok, #why.warnings)
    ]]):format(dir, scratch .. "/cartpole.lua"))
    local processes = command.sanitized and 2 or 8
    local out = command.shell(scratch, ("luajit race.lua &\n"):rep(processes) .. "wait")
    assert.are.equal(("true\t0\n"):rep(processes), out)
    assert.are.same({ "sweep.json" }, project.lines("ls -A " .. project.quoted(dir .. "/race")))
  end)

  it("may be extended by values, parameters, seeds and another metric", function()
    assert(opened { seeds = 2 })
    for _, case in ipairs {
      { { seeds = 3 }, "seeds was [1,2], is [1,2,3]" },
      { { seeds = { 3, 2, 1 } }, "seeds was [1,2,3], is [3,2,1]" },
      { { seeds = 3, metric = "rollout/ep_rew_mean" }, 'metric.name was "eval/mean_reward", is "rollout/ep_rew_mean"' },
      { { seeds = 3, parameters = { delta = { 0.01, 0.1, 0.001 } } }, "parameters.delta was [0.001,0.01], is [0.01,0.1,0.001]" },
      { { seeds = 3, parameters = { delta = { 0.01, 0.1, 0.001 }, gamma = { 0.9, 0.99 } } }, "parameters.gamma is new" },
    } do
      local ok, found = opened(case[1])
      assert.is_true(ok, found)
      assert.are.same({ "extended", 1 }, { found.state, #found.warnings })
      assert.is_truthy(found.warnings[1]:find(case[2], 1, true), found.warnings[1])
    end
    assert.are.equal(18, #assert(results.read(dir .. "/a")).trials)
  end)

  it("may be extended by samples, which keep the first ones", function()
    local o = { method = "random", samples = 4, parameters = { delta = { log_uniform = { 1e-3, 1e-1 } } } }
    assert(opened(o))
    local before = results.read(dir .. "/a").cells
    o.samples = 6
    assert(opened(o))
    local after = results.read(dir .. "/a").cells
    assert.are.same({ 4, 6 }, { #before, #after })
    for i = 1, 4 do assert.are.same(before[i].ids, after[i].ids) end
    o.samples = 3
    local ok, message, code = opened(o)
    assert.are.same({ nil, "changed" }, { ok, code })
    assert.is_truthy(message:find("samples was 6, is 3", 1, true), message)
  end)

  it("is refused when a trial would disappear, with what changed", function()
    assert(opened { seeds = 2 })
    for _, case in ipairs {
      { { seeds = 1 }, "seeds was [1,2], is [1]" },
      { { seeds = 2, parameters = { delta = { 0.01, 0.02 } } }, "parameters.delta was [0.001,0.01], is [0.01,0.02]" },
      { { seeds = 2, parameters = { gamma = { 0.9 } } }, "parameters.delta is gone; parameters.gamma is new" },
      { { seeds = 2, set = { lambda = 0.5 } }, "config.algorithm.lambda was 0.97, is 0.5" },
      { { seeds = 2, set = { ["policy.hidden"] = { 8 } } }, "config.policy.hidden was [64,64], is [8]" },
      { { seeds = 2, method = "halving", halving = { min = 2048, max = 4096 } }, 'method was "grid", is "halving"' },
      { { seeds = 2, method = "random", samples = 2, parameters = { delta = { uniform = { 0.1, 1 } } } },
        'parameters.delta was [0.001,0.01], is {"uniform":[0.1,1]}' },
    } do
      local ok, message, code = opened(case[1])
      assert.are.same({ nil, "changed" }, { ok, code })
      assert.is_truthy(message:find(case[2], 1, true), message)
      assert.is_truthy(message:find("choose another name, or remove the folder", 1, true))
      assert.is_falsy(message:find "\n")
    end
    assert.are.equal(4, #results.read(dir .. "/a").trials)
  end)

  it("is refused when a script has changed", function()
    local path = scratch .. "/edited.lua"
    command.write(path, small_sweeps.script)
    assert(opened { experiment = path })
    command.write(path, small_sweeps.script .. "-- a remark\n")
    local ok, message, code = opened { experiment = path, seeds = 2 }
    assert.are.same({ nil, "changed" }, { ok, code })
    assert.is_truthy(message:find(path .. " has changed", 1, true), message)
  end)

  it("is refused when an environment's module has changed", function()
    local text = [[
      local trpo = require "trpo"
      return trpo.env { id = "Line-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2),
        time_limit = 5, reset = function() end, step = function() return 1, false end }
    ]]
    local path = package.path
    package.path = scratch .. "/?.lua;" .. path
    command.write(scratch .. "/line_env.lua", text)
    local o = { set = { env = "line_env" } }
    assert(opened(o))
    command.write(scratch .. "/line_env.lua", text .. " ")
    local ok, message = opened(o)
    package.path = path
    assert.is_nil(ok)
    assert.is_truthy(message:find("line_env has changed", 1, true), message)
  end)

  it("is refused when the function has changed", function()
    assert(of_function({ dir = dir }):open())
    assert.is_true((of_function({ dir = dir }):open()))
    local ok, message = of_function({ dir = dir, run = function() return { metric = 2 } end }):open()
    assert.is_nil(ok)
    assert.is_truthy(message:find("run has changed", 1, true), message)
    -- nothing else about it is remembered: other parameters, the same function
    assert.is_true((of_function({ dir = dir, parameters = { a = { 1, 2, 3 } } }):open()))
  end)

  it("with halving is refused whatever changes, as all cells compete", function()
    local o = { method = "halving", halving = { min = 2048, max = 8192, factor = 2 }, seeds = 2 }
    assert(opened(o))
    assert(opened(o))
    o.seeds = 3
    local _, message, code = opened(o)
    assert.are.equal("changed", code)
    assert.is_truthy(message:find("seeds was [1,2], is [1,2,3]", 1, true), message)
    o.seeds, o.halving = 2, { min = 2048, max = 8192, factor = 4 }
    _, message = opened(o)
    assert.is_truthy(message:find("halving.factor was 2, is 4; halving.rungs was", 1, true), message)
  end)

  it("is not extended while a process is at work", function()
    assert(opened())
    local trial = results.read(dir .. "/a").trials[1]
    local held = require("trpo.sweep.claims").open(dir .. "/a")
    assert(held:take(trial.key))
    local ok, message, code = opened { seeds = 2 }
    assert.are.same({ nil, "running" }, { ok, code })
    assert.is_truthy(message:find("cannot be extended while 1 of its trials", 1, true), message)
    assert.is_true((opened()))
  end)

  it("tells that another machine or version began it", function()
    assert(opened())
    local path = dir .. "/a/sweep.json"
    command.write(path, (command.read(path):gsub('"isa": "%w+"', '"isa": "sse9"')))
    local ok, found = opened()
    assert.is_true(ok)
    assert.is_truthy(found.warnings[1]:find('system.isa was "sse9", is', 1, true), found.warnings[1])
  end)

  it("is never the folder of a run", function()
    assert(require("trpo.disk").make(dir .. "/a"))
    command.write(dir .. "/a/config.json", "{}")
    local ok, message, code = opened()
    assert.are.same({ nil, dir .. "/a is the folder of a run: choose another name or folder", "exists" }, { ok, message, code })
    assert.are.same({ "config.json" }, project.lines("ls -A " .. project.quoted(dir .. "/a")))
  end)

  it("that cannot be written is an outcome", function()
    command.write(scratch .. "/a file", "")
    local ok, message, code = opened { dir = scratch .. "/a file" }
    assert.are.same({ nil, "io" }, { ok, code })
    assert.is_truthy(message:find("cannot make the sweep's folder", 1, true), message)
  end)
end)

describe("a description that is not one", function()
  local good = sweep_folder.write(command.scratch() .. "/good")

  -- reads a folder whose sweep.json is this text
  local function read(text)
    local dir = scratch .. "/hostile"
    project.lines("mkdir -p " .. project.quoted(dir))
    command.write(dir .. "/sweep.json", text)
    return results.read(dir)
  end

  local function with(key, value)
    local copy = json.decode(json.encode(good))
    copy[key] = value
    return json.encode(copy)
  end

  it("is read when it is one", function() assert.are.equal(18, #assert(read(json.encode(good))).trials) end)

  local cell = { params = { ["algorithm.delta"] = 1, ["algorithm.gamma"] = 1 } }
  for name, case in pairs {
    ["empty"] = { "", "format", "not JSON" },
    ["half-written"] = { json.encode(good):sub(1, 400), "format", "not JSON" },
    ["null"] = { "null", "format", "it is not an object" },
    ["a number"] = { "7", "format", "it is not an object" },
    ["deeply nested"] = { ("["):rep(100000), "format", "not JSON" },
    ["of a newer version"] = { with("format", 99), "version", "format 99, which a newer trpo wrote" },
    ["without a name"] = { with("name", json.null), "format", "no name" },
    ["of another kind"] = { with("kind", "x"), "format", "kind" },
    ["with parameters that are none"] = { with("parameters", { 1 }), "format", "parameters" },
    ["with values that are none"] = { with("parameters", { { path = "a", name = "a", values = 3 } }), "format", "parameters" },
    ["without seeds"] = { with("seeds", json.list {}), "format", "seeds" },
    ["with seeds that are none"] = { with("seeds", { 1.5 }), "format", "seeds" },
    ["without a goal"] = { with("metric", { name = "x" }), "format", "metric" },
    ["with cells that are none"] = { with("cells", { a = 1 }), "format", "cells" },
    ["with too few ids"] = { with("cells", { { params = cell.params, ids = { ("a"):rep(16) } } }), "format", "cells" },
    ["with ids that leave the folder"] = { with("cells", { { params = cell.params, ids = { "../../etc/passwd", "a", "b" } } }),
      "format", "cells" },
    ["with a cell without values"] = { with("cells", { { params = {}, ids = good.cells[1].ids } }), "format", "cells" },
    ["with rungs that are none"] = { with("halving", { rungs = {}, factor = 3 }), "format", "halving" },
  } do
    it(name .. " is refused", function()
      local found, message, code = read(case[1])
      assert.is_nil(found)
      assert.are.equal(case[2], code)
      assert.is_truthy(message:find(case[3], 1, true), message)
    end)
  end

  it("is missing", function()
    assert.are.same({ nil, "there is no sweep in /nowhere (no sweep.json)", "no_file" }, { results.read "/nowhere" })
  end)
end)

describe("a description and a result with anything in them", function()
  local odd = { json.null, {}, { a = 1 }, { 1, 2 }, "x", -1, 1e300, true, 2.5, { {} }, { json.null } }

  -- puts something else at a random place
  local function spoil(rng, t)
    local keys = {}
    for key in pairs(t) do keys[#keys + 1] = key end
    if #keys == 0 then return end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    local key = keys[rng:integer(1, #keys)]
    if type(t[key]) == "table" and rng:uniform() < 0.8 then return spoil(rng, t[key]) end
    t[key] = odd[rng:integer(1, #odd)]
  end

  it("are read or refused, never raised about", function()
    local dir, rng = scratch .. "/odd", trpo.rng(88)
    local good = sweep_folder.write(dir, { seeds = { 1 } })
    local text, path = json.encode(good), ("%s/trials/%s/result.json"):format(dir, good.cells[1].ids[1])
    local result = command.read(path)
    local read = 0
    for _ = 1, 300 do
      local description, other = json.decode(text), json.decode(result)
      spoil(rng, description)
      spoil(rng, other)
      command.write(dir .. "/sweep.json", json.encode(description))
      command.write(path, json.encode(other))
      local sweep, message = results.read(dir)
      if sweep then
        read = read + 1
        assert.is_string(results.csv(sweep))
        summary.of(sweep)
        identity.compare(sweep.description, good)
      else
        assert.is_truthy(message:find("sweep.json", 1, true))
      end
    end
    assert.is_true(read > 50 and read < 250)
  end)
end)

describe("results", function()
  local count, dir = 0, nil

  before_each(function()
    count = count + 1
    dir = ("%s/results%d"):format(scratch, count)
  end)

  it("tell how each trial stands", function()
    local states = { [1] = "failed", [2] = "running", [3] = "waiting" }
    sweep_folder.write(dir, { status = function(cell, seed) return seed == 2 and states[cell] or "done" end })
    local sweep = assert(results.read(dir))
    assert.are.same({ total = 18, done = 15, failed = 1, running = 1, waiting = 1 }, results.count(sweep))
    assert.are.equal("delta=0.001 gamma=0.9", sweep.cells[1].label)
    assert.are.same({ 0.001, 0.01 }, sweep.parameters[1].values)
    local trials = sweep.cells[1].trials
    assert.are.same({ 1, 2, 3 }, { trials[1].seed, trials[2].seed, trials[3].seed })
    assert.are.equal("it went wrong", trials[2].message)
    assert.is_nil(trials[2].metric)
    assert.are.equal(trials[3].metrics["eval/mean_reward"], trials[3].metric)
    assert.are.equal("running", sweep.cells[2].trials[2].status)
    assert.are.equal(dir .. "/trials/" .. trials[1].id, trials[1].dir)
    assert.are.equal(trials[1], sweep.by_key[trials[1].key])
    assert.are.same({}, sweep.warnings)
  end)

  it("that are broken count as not there, with a warning", function()
    local broken = { "", "{", "[]", "null", "7", '{"status":"perfect"}', '{"status":"done","metrics":3}',
      '{"status":"done","metrics":{"a":"x"}}', '{"status":"done","metrics":{"a":[1]}}', ("["):rep(50000) }
    local description = sweep_folder.write(dir, { seeds = { 1, 2 } })
    for i, text in ipairs(broken) do
      local id = description.cells[math.floor((i - 1) / 2) + 1].ids[(i - 1) % 2 + 1]
      command.write(("%s/trials/%s/result.json"):format(dir, id), text)
    end
    local sweep = assert(results.read(dir))
    assert.are.same({ total = 12, done = 2, failed = 0, running = 0, waiting = 10 }, results.count(sweep))
    assert.are.equal(10, #sweep.warnings)
    for _, warning in ipairs(sweep.warnings) do
      assert.is_truthy(warning:find("result.json is broken (", 1, true), warning)
    end
  end)

  it("hold numbers that JSON does not have", function()
    local description = sweep_folder.write(dir)
    command.write(("%s/trials/%s/result.json"):format(dir, description.cells[1].ids[1]),
      '{"status":"done","metrics":{"eval/mean_reward":"nan","a":"inf","b":"-inf","c":null}}')
    local metrics = results.read(dir).cells[1].trials[1].metrics
    assert.is_true(metrics["eval/mean_reward"] ~= metrics["eval/mean_reward"])
    assert.are.same({ inf, -inf }, { metrics.a, metrics.b })
    assert.is_nil(metrics.c)
  end)

  it("are a table with one row for each trial, which reads back exactly", function()
    local third = 1 / 3
    sweep_folder.write(dir, {
      parameters = { { path = "algorithm.delta", name = "delta", values = { third, 1e-300 } },
        { path = "policy.hidden", name = "policy.hidden", values = { { 8 }, { 8, 8 } } } },
      seeds = { 1, 2 ^ 53 - 1 }, score = function(params, seed) return params["algorithm.delta"] * seed end,
      status = function(cell, seed) return cell == 4 and seed == 1 and "failed" or "done" end,
    })
    local sweep = results.read(dir)
    assert(results.write_csv(sweep))
    local names, rows = command.csv(dir .. "/results.csv")
    assert.are.same({ "id", "cell", "seed", "delta", "policy.hidden", "status", "metric", "eval/mean_reward",
      "time/total_timesteps", "seconds", "host" }, names)
    assert.are.equal(8, #rows)
    assert.are.same({ 1, 1, third, third }, { rows[1].cell, rows[1].seed, rows[1].delta, rows[1].metric })
    assert.are.same({ 2 ^ 53 - 1, third * (2 ^ 53 - 1) }, { rows[2].seed, rows[2]["eval/mean_reward"] })
    assert.are.equal(1e-300, rows[5].delta)
    assert.is_truthy(command.read(dir .. "/results.csv"):find('"{8, 8}",failed,,,,', 1, true))
  end)

  it("have one column for each name, whatever parameters are called", function()
    sweep_folder.write(dir, {
      parameters = { { path = "env.id", name = "id", values = { "CartPole-v1", "Acrobot-v1" } },
        { path = "algorithm.delta", name = "delta", values = { 0.01 } } },
      seeds = { 1 }, score = function() return 1 end,
    })
    local sweep = results.read(dir)
    assert(results.write_csv(sweep))
    local names = command.csv(dir .. "/results.csv")
    assert.are.same({ "id", "cell", "seed", "env.id", "delta", "status", "metric", "eval/mean_reward",
      "time/total_timesteps", "seconds", "host" }, names)
    assert.is_truthy(results.csv(sweep):find(("\n%s,2,1,Acrobot-v1,0.01,done,"):format(sweep.cells[2].ids[1]), 1, true))
  end)

  it("have labels that tell drawn values apart", function()
    local sweep = results.empty(nil, of_function { method = "random", samples = 3,
      parameters = { x = { uniform = { 0.123456, 0.123457 } } } }:describe())
    local seen = {}
    for i, cell in ipairs(sweep.cells) do
      assert.is_nil(seen[cell.label])
      seen[cell.label] = i
      assert.is_true(#cell.label < 14)
    end
  end)
end)

describe("successive halving", function()
  it("has rungs from min to max", function()
    assert.are.same({ 1000, 3000, 9000 }, halving.rungs(1000, 9000, 3))
    assert.are.same({ 1000, 3000, 9000, 10000 }, halving.rungs(1000, 10000, 3))
    assert.are.same({ 5 }, halving.rungs(5, 5, 3))
    assert.are.same({ 1, 2, 5, 12, 20 }, halving.rungs(1, 20, 2.5))
  end)

  it("keeps one in factor, and at least one", function()
    assert.are.same({ 3, 2, 1, 1, 1 },
      { halving.kept(9, 3), halving.kept(8, 3), halving.kept(5, 3), halving.kept(2, 3), halving.kept(1, 3) })
  end)

  -- A sweep of so many cells whose metric is given by rung, cell and seed; nil is not done yet, false a failure.
  local function standing(values, o)
    o = o or {}
    local sweep = { seeds = { 1, 2 }, metric = { name = "m", goal = o.goal or "maximize" }, cells = {},
      description = { halving = { rungs = { 10, 30, 90 }, factor = o.factor or 3, aggregate = o.aggregate or "mean" } } }
    for i = 1, #values[1] do sweep.cells[i] = { index = i } end
    sweep.trials = halving.trials(sweep, function(cell, i, rung)
      local x = values[rung] and values[rung][cell]
      if type(x) == "table" then x = x[i] end
      return { cell = cell, rung = rung, seed = sweep.seeds[i], metric = x or nil,
        status = x == nil and "waiting" or x == "running" and "running" or x == false and "failed" or "done" }
    end)
    return sweep
  end

  -- cells that come next, and the rung
  local function next_of(sweep)
    local waiting = next_trials(sweep)
    if type(waiting) == "string" then return waiting end
    local out = {}
    for i, trial in ipairs(waiting) do out[i] = ("%d.%d"):format(trial.rung, trial.cell) end
    return table.concat(out, " ")
  end

  it("goes from rung to rung as worked out by hand", function()
    -- means of the first rung: 5, 6, 7, 6, 1, 2, 3, 9, 6; the best three of nine are 8, 3 and, of 2, 4 and 9, the first
    local first = { { 4, 6 }, { 5, 7 }, 7, 6, 1, 2, 3, { 0, 18 }, 6 }
    assert.are.equal("2.2 2.3 2.8 2.2 2.3 2.8", next_of(standing { first }))
    -- the second rung turns the order round: 3 of 2, 3, 8
    local second = { [2] = 4, [3] = 8, [8] = { 7, 8 } }
    assert.are.equal("3.3 3.3", next_of(standing { first, second }))
    assert.are.equal("done", next_of(standing { first, second, { [3] = 1 } }))
  end)

  it("minimises when that is the goal", function()
    assert.are.equal("2.5 2.5", next_of(standing({ { 5, 6, 7, 6, 1 } }, { goal = "minimize" })))
  end)

  it("decides nothing before a rung is complete", function()
    local sweep = standing { { 9, 8, 7, { 6, nil }, 5, 4 } }
    assert.are.equal("1.4", next_of(sweep))
    assert.are.equal(12, #sweep.trials)
    assert.are.equal("wait", next_of(standing { { 9, 8, 7, { 6, "running" }, 5, 4 } }))
  end)

  it("ranks cells that failed or gave no number last", function()
    assert.are.equal("2.1 2.3 2.1 2.3", next_of(standing { { 1, { 99, false }, 1, { 99, nan }, { 99, inf }, 0 } }))
    -- nothing of what failed goes on, also when there is room
    assert.are.equal("2.4 2.4", next_of(standing { { false, false, { 1, false }, 1, nan, false } }))
    assert.are.equal("done", next_of(standing { { false, nan, false } }))
  end)

  it("aggregates by the interquartile mean when asked", function()
    local sweep = standing({ { 1, 2, 3, 4, 5, 6 } }, { aggregate = "iqm", factor = 2 })
    assert.are.equal("2.4 2.5 2.6 2.4 2.5 2.6", next_of(sweep))
  end)

  it("has one rung for other methods", function()
    local sweep = standing { { 1, 2 } }
    sweep.description.halving = nil
    local trials = halving.trials(sweep, function(cell, i) return { cell = cell, seed = i, status = "done" } end)
    assert.are.equal(4, #trials)
  end)

  it("is read from a folder by whoever looks", function()
    local dir = scratch .. "/halving"
    sweep_folder.write(dir, { halving = { rungs = { 1000, 3000, 9000 }, factor = 3 },
      status = function(_, _, rung) return rung < 3 and "done" or "waiting" end })
    local sweep = assert(results.read(dir))
    -- 6 cells, then 2, then 1
    assert.are.equal(18 + 6 + 3, #sweep.trials)
    local waiting = next_trials(sweep)
    assert.are.equal(3, #waiting)
    assert.are.same({ 5, 3, 9000 }, { waiting[1].cell, waiting[1].rung, waiting[1].steps })
    assert.are.equal(waiting[1].id .. "-r3", waiting[1].key)
    -- a rung that nothing is known of yet does not count
    assert.are.equal(5, summary.of(sweep).best)
    assert.are.same({ 1, 2, 2 }, { sweep.cells[1].trials[1].rung, sweep.cells[5].trials[1].rung, sweep.cells[6].trials[1].rung })
  end)

  it("draws its cells as asked, and takes steps for itself", function()
    local o = { method = "halving", halving = { min = 2048, max = 8192, factor = 2 }, samples = 8,
      parameters = { delta = { log_uniform = { 1e-3, 1e-1 } } } }
    local random = small_sweeps.values(made(o), "algorithm.delta")
    o.sampler = "sobol"
    assert.are.equal(0.001, small_sweeps.values(made(o), "algorithm.delta")[1])
    o.method, o.sampler, o.halving = "random", nil, nil
    assert.are.same(random, small_sweeps.values(made(o), "algorithm.delta"))
    local grid = made { method = "halving", halving = { min = 2048, max = 8192, factor = 2 } }
    assert.are.equal("grid", grid:describe().sampler)
    assert.are.same({ 2048, 4096, 8192 }, grid:describe().halving.rungs)
    assert.are.equal(2048, grid:trials()[1].steps)
  end)
end)

describe("the summary of a sweep", function()
  -- a sweep with these metrics for each cell
  local function of(metrics, goal)
    local sweep = { metric = { name = "m", goal = goal or "maximize" }, cells = {} }
    for i, list in ipairs(metrics) do
      local trials = {}
      for j = 1, list.n or #list do
        local x = list[j]
        trials[j] = { status = x == nil and "waiting" or x == false and "failed" or "done", metric = x or nil, rung = list.rung or 1 }
      end
      sweep.cells[i] = { index = i, label = "cell " .. i, params = { a = i }, trials = trials }
    end
    sweep.description = {}
    return summary.of(sweep), sweep
  end

  it("has the statistics of each cell", function()
    local row = of({ { 1, 2, 3, 4, 5, 6, 7, 100 } }).rows[1]
    -- the middle half of eight: 3, 4, 5, 6
    assert.are.same({ 8, 0, 4.5, 4.5, 16, 1, 100 }, { row.n, row.failed, row.iqm, row.median, row.mean, row.min, row.max })
    assert.is_near(math.sqrt((15 ^ 2 + 14 ^ 2 + 13 ^ 2 + 12 ^ 2 + 11 ^ 2 + 10 ^ 2 + 9 ^ 2 + 84 ^ 2) / 7), row.std, 1e-12)
    assert.is_true(1 <= row.low and row.low < 4.5 and 4.5 < row.high and row.high <= 100)
    assert.are.same({ "cell 1", { a = 1 } }, { row.label, row.params })
  end)

  it("is the same each time", function()
    local a, b = of({ { 1, 5, 3, 9, 2 } }).rows[1], of({ { 1, 5, 3, 9, 2 } }).rows[1]
    assert.are.same({ a.low, a.high }, { b.low, b.high })
  end)

  it("finds the best cell by the goal", function()
    assert.are.equal(2, of({ { 1, 2 }, { 3, 4 }, { 2, 3 } }).best)
    assert.are.equal(1, of({ { 1, 2 }, { 3, 4 }, { 2, 3 } }, "minimize").best)
    assert.are.equal(1, of({ { 3 }, { 3 } }).best)
    assert.is_nil(of({ { n = 2 }, { false } }).best)
  end)

  it("prefers cells that came further, did not fail, and have more results", function()
    assert.are.equal(2, of({ { 9, 9 }, { 1, 1, rung = 2 } }).best)
    assert.are.equal(2, of({ { 9, false }, { 1, 1 } }).best)
    assert.are.equal(1, of({ { 9, false }, { false, false } }).best)
    assert.are.equal(2, of({ { 9, n = 2 }, { 1, 1 } }).best)
  end)

  it("tells why a better number is not the best, here and in the table", function()
    local tell = require "trpo.sweep.tell"
    for text, metrics in pairs {
      ["that came furthest"] = { { 9, 9 }, { 1, 1, rung = 2 } },
      ["without failures"] = { { 9, false }, { 1, 1 } },
      ["with most runs"] = { { 9, n = 2 }, { 1, 1 } },
    } do
      local found, sweep = of(metrics)
      assert.are.equal(text, found.among)
      assert.is_truthy(tell.table(sweep, found):find(("(interquartile mean of 2 runs) (among the cells %s)"):format(text),
        1, true))
    end
    assert.is_nil(of({ { 1, n = 2 }, { 9, 9 } }).among)
    assert.is_nil(of({ { 1, 1 }, { n = 2 } }).among)
    assert.is_nil(of({ { n = 2 } }).among)
    assert.are.equal("with most runs", of({ { 9, 9 }, { 1, n = 2 } }, "minimize").among)
  end)

  it("has no interval for a single result", function()
    local found, sweep = of { { 27.67, n = 3 }, { 1, 2, n = 3 } }
    assert.is_nil(found.rows[1].low)
    assert.is_truthy(require("trpo.sweep.tell").table(sweep, found):find "\n  cell 1 +1 +27%.67 +%- ")
  end)

  it("leaves out what is not finite, and counts it as failed", function()
    local row = of({ { 1, nan, inf, false, 3, n = 6 } }).rows[1]
    assert.are.same({ 2, 3, 2 }, { row.n, row.failed, row.mean })
    local empty = of({ { n = 3 } }).rows[1]
    assert.are.same({ 0, 0 }, { empty.n, empty.failed })
    assert.is_nil(empty.iqm)
  end)

  it("says how probable an improvement over each other cell is", function()
    -- of the four pairs with cell 1 the best one wins three and ties none; with minimisation the signs turn
    local found = of { { 1, 4 }, { 3, 5 }, { n = 2 }, { 0, 0 } }
    assert.are.equal(2, found.best)
    assert.are.same({ 0.75, 0.5, 1 }, { found.probability[1], found.probability[2], found.probability[4] })
    assert.is_true(found.probability[3] ~= found.probability[3])
    local turned = of({ { -1, -4 }, { -3, -5 } }, "minimize")
    assert.are.same({ 2, 0.75 }, { turned.best, turned.probability[1] })
  end)

  it("is made of a folder", function()
    local dir = scratch .. "/summary"
    sweep_folder.write(dir)
    local found = summary.of(results.read(dir))
    assert.are.equal(5, found.best)
    assert.are.equal(302, found.rows[5].iqm)
  end)
end)
