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
