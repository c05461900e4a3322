-- What people do who are new: the wrong command, a forgotten '...', a script beside its modules, files of another kind.
local command = require "support.command"
local trpo = require "trpo"

local scratch

before_each(function() scratch = command.scratch() end)
after_each(function() command.remove(scratch) end)

local function run(arguments) return command.run(scratch, arguments) end

local function shell(text) return command.shell(scratch, text) end

local function write(name, text) command.write(scratch .. "/" .. name, text) end

local function exists(name) return os.rename(scratch .. "/" .. name, scratch .. "/" .. name) ~= nil end

-- a sweep over the quick script; `rest` are further options, `words` what main is given
local function sweep_script(rest, words)
  return ([[
local trpo = require "trpo"
return trpo.sweep { experiment = "quick.lua", parameters = { delta = { 0.01, 0.02 } }, %s }:main(%s)
]]):format(rest or "", words or "...")
end

-- the quick script with other words for main
local function quick_main(words) return (command.quick_script():gsub("main%(%.%.%.%)", "main(" .. words .. ")")) end

describe("the wrong command for a script", function()
  it("is named with the right one", function()
    write("quick.lua", command.quick_script())
    write("many.lua", sweep_script())
    for arguments, expected in pairs {
      ["train many.lua"] = "trpo: many.lua is a sweep: 'trpo sweep many.lua' runs it\n",
      ["sweep quick.lua"] = "trpo: quick.lua is an experiment: 'trpo train quick.lua' runs it\n",
    } do
      local out, err, code = run(arguments)
      assert.are.equal(2, code, err)
      assert.are.equal(expected, err)
      assert.are.equal("", out)
    end
  end)
end)

describe("a forgotten '...'", function()
  it("runs nothing while a script is loaded", function()
    write("quick.lua", quick_main "")
    write("many.lua", sweep_script("set = { steps = 128 },", ""))
    local made = assert(trpo.load(scratch .. "/quick.lua"))
    assert.are.equal("number", type(made.config.steps))
    assert.is_nil(made.result)
    local out, err, code = run "train quick.lua --steps 128 --name one -q"
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("128 steps in 1 iteration", 1, true), out)
    out, err, code = run "sweep many.lua --list"
    assert.are.equal(0, code, err)
    assert.are.equal(2, select(2, out:gsub("%-%-trial", "")))
    out, err, code = run "sweep many.lua -q --jobs 2"
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("best: delta=", 1, true), out)
    out, err, code = shell '"$trpo" eval runs/one; ls runs'
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("one\n$"), out)
  end)

  it("is said when the command line has words, and needs none otherwise", function()
    write("quick.lua", quick_main "")
    write("many.lua", sweep_script("", ""))
    local _, err, code = shell "luajit quick.lua --steps 1"
    assert.are.equal(1, code)
    assert.is_truthy(err:find("run:main: pass on the script's own '...': write run:main%(%.%.%.%)"), err)
    _, err, code = shell "luajit many.lua --list"
    assert.are.equal(1, code)
    assert.is_truthy(err:find("sweep:main: pass on .-: write sweep:main%(%.%.%.%)"), err)
    assert.is_false(exists "runs" or exists "sweeps")
    _, err, code = shell "luajit quick.lua"
    assert.are.equal(0, code, err)
  end)
end)

describe("modules beside a script", function()
  it("are found from any folder: by trpo train, eval, --resume and trials", function()
    shell "mkdir here elsewhere"
    write("here/walk.lua", [[
local trpo = require "trpo"
return trpo.env {
  id = "Walk-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 10,
  reset = function(self, rng, obs) self.x = rng:uniform(-1, 1); obs[1] = self.x end,
  step = function(self, action, obs) obs[1] = self.x; return -math.abs(self.x), false end,
}]])
    write("here/numbers.lua", "return { steps = 64 }")
    write("here/first.lua", [[
local trpo = require "trpo"
return trpo.experiment { env = "walk", steps = require("numbers").steps, lanes = 2, horizon = 32, value = false,
  evaluation = { episodes = 2 }, name = "first" }:main(...)]])
    write("here/many.lua", [[
return require("trpo").sweep { experiment = "first.lua", parameters = { delta = { 0.01, 0.02 } } }:main(...)]])
    local out, err, code = shell [[cd elsewhere
      "$trpo" train ../here/first.lua -q && "$trpo" eval runs/first && "$trpo" train --resume runs/first --steps 128 -q &&
      "$trpo" sweep ../here/many.lua -q]]
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("best: delta=", 1, true), out)
  end)
end)

describe("options that trpo sweep does not have", function()
  it("are answered with what to do instead", function()
    write("quick.lua", command.quick_script())
    write("many.lua", sweep_script())
    for option, expected in pairs {
      ["--overwrite"] = "unknown option '--overwrite': to begin anew remove the sweep's folder, or give another --name",
      ["--resume"] = "unknown option '--resume': the same command goes on with what is not done yet",
      ["--seed 3"] = "unknown option '--seed': the seeds of the trials are in the script",
      ["--seeds=3"] = "unknown option '--seeds': the seeds of the trials are in the script",
      ["--steps 100"] = "unknown option '--steps': write --set steps=N",
      ["--threads 2"] = "unknown option '--threads': each trial has one thread",
      ["--stauts"] = "unknown option '--stauts'\nDid you mean '--status'?",
    } do
      for _, program in ipairs { '"$trpo" sweep', "luajit" } do
        local out, err, code = shell(("%s many.lua %s"):format(program, option))
        assert.are.equal(2, code)
        assert.is_truthy(err:find("\n\ntrpo: " .. expected, 1, true), err)
        assert.are.equal("", out)
      end
    end
  end)
end)

describe("the help", function()
  it("has a line for each option, with all its names", function()
    local out = shell '"$trpo" sweep --help; "$trpo" plot --help; "$trpo" train --help'
    for _, expected in ipairs { "\n   %-j N, %-%-jobs N +processes", "\n   %-o FILE, %-%-output FILE +picture",
      "\n   %-%-resume %[DIR%] +go on", "\n   %-q, %-%-quiet +show" } do
      assert.is_truthy(out:find(expected), out)
    end
  end)
end)

describe("files that are no run", function()
  it("are told from runs, with some of those that are near", function()
    write("quick.lua", command.quick_script())
    write("many.lua", sweep_script("set = { steps = 128 },"))
    for _, name in ipairs { "a", "b", "c", "d" } do run("train quick.lua --steps 1 -q --name " .. name) end
    run "sweep many.lua -q"
    for arguments, expected in pairs {
      ["eval quick.lua"] = "'quick.lua' is a script: give the folder of the run that it has made, or a checkpoint\n",
      ["eval runs"] = "'runs' is not the folder of a run (it has no config.json); of the runs in it give one: "
        .. "runs/a, runs/b, runs/c, ...\n",
      ["train --resume runs/"] = "'runs' is not the folder of a run (it has no config.json); of the runs in it give one: "
        .. "runs/a, runs/b, runs/c, ...\n",
      ["plot runs"] = "'runs' is neither the folder of a run (no progress.csv) nor of a sweep (no sweep.json); "
        .. "of the runs in it give one: runs/a, runs/b, runs/c, ...\n",
      ["report sweeps/"] = "there is no sweep in sweeps (no sweep.json); of the sweeps in it give one: sweeps/many\n",
      ["plot sweeps"] = "'sweeps' is neither the folder of a run (no progress.csv) nor of a sweep (no sweep.json); "
        .. "of the sweeps in it give one: sweeps/many\n",
      ["eval ."] = "'.' is not the folder of a run (it has no config.json)\n",
    } do
      local out, err, code = run(arguments)
      assert.are.equal(2, code, err)
      assert.are.equal("trpo: " .. expected, err)
      assert.are.equal("", out)
    end
    local _, err, code = run "eval sweeps/many"
    assert.are.equal(2, code)
    assert.is_truthy(err:find "of the runs in it give one: sweeps/many/trials/%x+, sweeps/many/trials/%x+\n$", err)
  end)
end)

describe("fewer steps than a run has made", function()
  it("are said to be fewer", function()
    write("quick.lua", command.quick_script())
    local _, err, code = run "train quick.lua --name long --steps 100000 --max-seconds 0.001 -q"
    assert.are.equal(75, code, err)
    _, err, code = run "train --resume runs/long --steps 100 -q"
    assert.are.equal(0, code)
    assert.is_truthy(err:find("^trpo: nothing is left to do: runs/long has already made %d+ iterations? %(%d+ steps%), "
      .. "and 100 are asked for\n$"), err)
  end)
end)

describe("options of a sweep", function()
  before_each(function() write("quick.lua", command.quick_script()) end)

  it("may be nested where they hold in all cells", function()
    local function config(set)
      return trpo.sweep { experiment = scratch .. "/quick.lua", name = "x", parameters = { delta = { 0.1 } }, set = set }
        :describe().config
    end
    local nested = config { evaluation = { episodes = 1 }, policy = { hidden = { 3, 3 } }, steps = 128 }
    assert.are.same(config { ["evaluation.episodes"] = 1, ["policy.hidden"] = { 3, 3 }, steps = 128 }, nested)
    assert.are.equal(1, nested.evaluation.episodes)
    assert.are.same({ 3, 3 }, nested.policy.hidden)
    for _, case in ipairs {
      { { evaluation = { episods = 1 } }, "set: unknown parameter 'evaluation.episods', did you mean" },
      { { evaluation = {} }, "set: unknown parameter 'evaluation'" },
      { { algorithm = { delta = 1 } }, "set: the sweep varies 'algorithm.delta' itself" },
      { { evaluation = { [1] = 1 } }, "set: unknown parameter 'evaluation'" },
    } do
      local ok, message = pcall(config, case[1])
      assert.is_false(ok)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
  end)

  it("say how the parameters of a group are written", function()
    for name, group in pairs { policy = { hidden = { { 4 }, { 8 } } }, value = { kind = { "linear", "none" } },
      algorithm = { delta = { 0.1 } } } do
      local key = next(group)
      local ok, message = pcall(trpo.sweep, { experiment = scratch .. "/quick.lua", name = "x", parameters = { [name] = group } })
      assert.is_false(ok)
      local expected = ("trpo.sweep: parameters.%s is a group of options: write [\"%s.%s\"] = { ... }"):format(name, name, key)
      assert.is_truthy(message:find(expected, 1, true), message)
    end
  end)
end)

describe("a function's metric", function()
  it("has a name by default, and the message says which", function()
    for returned, expected in pairs {
      ["{ score = 1 }"] = "no metric 'metric' was reported, which is the default; there is score: write metric = \"score\"",
      ["{ score = 1, loss = 2 }"] = "no metric 'metric' was reported, which is the default; there is loss, score: "
        .. "write metric = the name of one of them",
    } do
      write("f.lua", ([[
return require("trpo").sweep { run = function() return %s end, parameters = { x = { 1 } } }:main(...)]]):format(returned))
      shell "rm -rf sweeps"
      local _, err, code = run "sweep f.lua -q"
      assert.are.equal(1, code)
      assert.is_truthy(err:find(expected, 1, true), err)
    end
  end)
end)

describe("a sweep whose script was edited", function()
  local function script(values, code)
    write("f.lua", ([[
local function run(p) return p.x %s end
return require("trpo").sweep { run = run, parameters = { x = { %s } } }:main(...)]]):format(code, values))
  end

  it("says with --status how many trials the script adds", function()
    script("1, 2", "")
    run "sweep f.lua -q"
    local out = run "sweep f.lua --status"
    assert.is_nil(out:find("more", 1, true), out)
    script("1, 2, 3, 4, 5", "")
    out = run "sweep f.lua --status"
    assert.is_truthy(out:find("^f: 2 of 2 done, 0 running, 0 failed, 0 waiting\n"
      .. "the script has 3 trials more, from when it is run again\n"), out)
    assert.is_truthy(run("sweep f.lua --status --json"):find "^{")
    run "sweep f.lua -q"
    assert.is_truthy(run("sweep f.lua --status"):find("^f: 5 of 5 done, [^\n]*\nmetric"))
  end)

  it("says that results of two versions are not mixed, also when the failed ones are to be tried again", function()
    script("1, 2", "+ nil")
    run "sweep f.lua -q"
    script("1, 2", "+ 0")
    local _, err, code = run "sweep f.lua -q --retry-failed"
    assert.are.equal(1, code)
    assert.is_truthy(err:find("is another one: run has changed; results of two versions are not mixed: "
      .. "choose another name, or remove the folder\n", 1, true), err)
    _, err, code = run "sweep f.lua -q --name mended"
    assert.are.equal(0, code, err)
  end)
end)

describe("outputs that nobody reads", function()
  -- runs a command whose output both ways, or only what it says aside, goes to a program that is gone; its exit code
  local function into_nothing(line, both)
    shell(([[mkfifo pipe; (exec 3<pipe) & exec 4>pipe; wait
%s 2>&4 %s; echo $? >code; rm pipe]]):format(line, both and ">&4" or ">out"))
    return tonumber(command.read(scratch .. "/code"))
  end

  it("stop nothing when they are the standard error output", function()
    write("quick.lua", command.quick_script())
    assert.are.equal(0, into_nothing '"$trpo" train quick.lua')
    assert.is_truthy(command.read(scratch .. "/out"):find("256 steps in 2 iterations", 1, true))
    write("f.lua", [[
local function run(p) assert(p.x > 1); return p.x end
return require("trpo").sweep { run = run, parameters = { x = { 1, 2 } } }:main(...)]])
    assert.are.equal(1, into_nothing '"$trpo" sweep f.lua')
    assert.is_truthy(command.read(scratch .. "/out"):find("best: x=2", 1, true))
  end)

  it("are a failure when they are the standard output, and kill nobody", function()
    write("quick.lua", command.quick_script())
    assert.are.equal(1, into_nothing('"$trpo" train quick.lua', true))
    assert.are.equal(1, into_nothing('luajit quick.lua --overwrite', true))
    write("f.lua", [[
local function run(p) return p.x end
return require("trpo").sweep { run = run, parameters = { x = { 1, 2 } } }:main(...)]])
    assert.are.equal(1, into_nothing('"$trpo" sweep f.lua', true))
  end)
end)

describe("a sweep without return", function()
  it("is told what to end with", function()
    write("quick.lua", command.quick_script())
    write("mute.lua", (sweep_script():gsub("return trpo", "trpo"):gsub(":main%(%.%.%.%)", "")
      :gsub("trpo%.sweep", "local sweep = trpo.sweep")))
    local _, err, code = run "sweep mute.lua"
    assert.are.same({ "trpo: mute.lua must end with 'return sweep:main(...)', it returned nothing\n", 1 }, { err, code })
    -- run by itself it gets as far as its trials
    write("mute.lua", [[require("trpo").sweep { run = function() return 1 end, parameters = { a = { 1 } } }:main(...)]])
    _, err, code = shell "luajit mute.lua -q"
    assert.are.equal(1, code)
    assert.is_truthy(err:find("must end with 'return sweep:main(...)', it returned nothing\n", 1, true), err)
  end)
end)

describe("a sweep in another folder than its script's", function()
  it("says where the one beside the script is", function()
    write("f.lua", [[
local trpo = require "trpo"
return trpo.sweep { run = function(p) return p.a end, parameters = { a = { 1 } } }:main(...)
]])
    local _, err, code = run "sweep f.lua -q"
    assert.are.same({ "", 0 }, { err, code })
    _, err, code = shell 'mkdir sub && cd sub && "$trpo" sweep ../f.lua --status'
    assert.are.same({ "trpo: there is no sweep in sweeps/f (no sweep.json), but one in ../sweeps/f: write '--dir ../sweeps'\n", 1 },
      { err, code })
    assert.is_false(exists "sub/sweeps")
    local out
    out, err, code = shell 'cd sub && "$trpo" sweep ../f.lua --dir ../sweeps --list'
    assert.are.same({ "", "", 0 }, { out, err, code })
    _, err, code = shell 'cd sub && "$trpo" sweep ../f.lua -q; "$trpo" sweep ../f.lua -q'
    assert.are.same({ "trpo: this begins another sweep in sweeps/f, below the current folder; ../sweeps/f is left alone: "
      .. "'--dir ../sweeps' goes on with it\n", 0 }, { err, code })
    assert.is_true(exists "sub/sweeps/f/sweep.json")
  end)
end)
