-- The command line, in processes of its own.
local command = require "support.command"
local json = require "trpo.json"
local trpo = require "trpo"

local scratch

before_each(function()
  scratch = command.scratch()
  command.write(scratch .. "/quick.lua", command.quick_script())
end)
after_each(function() command.remove(scratch) end)

local function run(arguments) return command.run(scratch, arguments) end

local function shell(text) return command.shell(scratch, text) end

local function lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = line end
  return list
end

local function config(name) return json.decode(command.read(scratch .. "/runs/" .. name .. "/config.json")) end

describe("trpo train", function()
  it("trains a script, shows progress aside and prints the result", function()
    local out, err, code = run "train quick.lua"
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find "^mean reward %S+ %(std %S+%) over 3 evaluation episodes\n256 steps in 2 iterations")
    assert.is_truthy(out:find("files in runs/CartPole-v1-TRPO-s11", 1, true))
    local shown = lines(err)
    assert.are.equal(2, #shown)
    assert.is_truthy(shown[1]:find "^iteration    1  steps 128/256 ")
    assert.is_nil(err:find "[\27\r]")
    local names, rows = command.csv(scratch .. "/runs/CartPole-v1-TRPO-s11/progress.csv")
    assert.are.equal("time/iterations", names[1])
    assert.are.equal(2, #rows)
  end)

  it("trains the defaults on an environment", function()
    local out, err, code = run "train CartPole-v1 --steps 1 --set evaluation.episodes=2 -q"
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("2048 steps in 1 iteration,", 1, true))
    assert.are.equal("", err)
  end)

  it("trains a script that only describes an environment", function()
    command.write(scratch .. "/walk.lua", [[
local trpo = require "trpo"
return trpo.env {
  id = "Walk-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 10,
  reset = function(self, rng, obs) self.x = rng:uniform(-1, 1); obs[1] = self.x end,
  step = function(self, action, obs)
    self.x = self.x + (action == 1 and -0.1 or 0.1)
    obs[1] = self.x
    return -math.abs(self.x), false
  end,
}]])
    local out, err, code = run "train walk.lua --steps 1 --quiet"
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("files in runs/Walk-v0-TRPO-s1", 1, true))
  end)

  -- the walk without a time limit; its episodes end by themselves now and then
  local endless = [[
local trpo = require "trpo"
return trpo.env {
  id = "Endless-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2),
  reset = function(self, rng, obs) self.x = rng:uniform(-1, 1); obs[1] = self.x end,
  step = function(self, action, obs)
    self.x = self.x + (action == 1 and -0.1 or 0.1)
    obs[1] = self.x
    return -math.abs(self.x), math.abs(self.x) > 1
  end,
}]]

  it("trains an environment without a time limit, and takes one from the command line", function()
    command.write(scratch .. "/endless.lua", endless)
    local _, err, code = run "train endless.lua --steps 1 -q --set deterministic=false"
    assert.are.equal(0, code, err)
    _, err, code = run "train endless.lua --steps 1 -q --name b --set whole_episodes=true --set time_limit=20"
    assert.are.equal(0, code, err)
    assert.are.equal(20, config "b".env.time_limit)
    assert.are.equal(2048, config "b".budget)
    _, err, code = run "train endless.lua --steps 1 -q --set whole_episodes=true"
    assert.are.equal(2, code)
    assert.are.equal("trpo: whole_episodes needs an environment with a time limit; set env.time_limit\n", err)
  end)

  it("writes no files for --dir false, and has no critic for --set value=false", function()
    assert.are.equal(0, select(3, run "train quick.lua -q --dir false --set value=false"))
    assert.is_nil(io.open(scratch .. "/runs"))
    assert.is_nil(io.open(scratch .. "/false"))
    assert.are.equal(0, select(3, run "train quick.lua -q --set dir=false"))
    assert.are.equal(0, select(3, run "train quick.lua -q --name c --set value=false"))
    assert.are.equal("none", config "c".value.kind)
  end)

  it("ends in order when nobody reads its output any more", function()
    local out, err, code = shell [[mkfifo pipe; head -n 1 pipe >first &
"$trpo" train quick.lua --json -q --steps 10000000 >pipe; code=$?; wait; exit $code]]
    assert.are.equal(1, code, err)
    assert.are.equal("", out)
    assert.are.equal("trpo: cannot write to the standard output: Broken pipe\n", err)
    local status = json.decode(command.read(scratch .. "/runs/CartPole-v1-TRPO-s11/status.json"))
    assert.are.same({ "failed", "io" }, { status.status, status.code })
    assert.is_truthy(status.started:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$")
  end)

  it("gives the same numbers as the script itself", function()
    local _, err, code = shell '"$trpo" train quick.lua -q --name a && luajit quick.lua -q --name b'
    assert.are.equal(0, code, err)
    local _, a = command.csv(scratch .. "/runs/a/progress.csv")
    local _, b = command.csv(scratch .. "/runs/b/progress.csv")
    for i = 1, #a do
      for name, value in pairs(a[i]) do
        if not name:find "^time/" then assert.are.equal(value, b[i][name]) end
      end
    end
  end)

  it("prints one JSON object per iteration, the last one with the evaluation", function()
    local out, err, code = run "train quick.lua --json --quiet"
    assert.are.equal(0, code, err)
    assert.are.equal("", err)
    local list = lines(out)
    assert.are.equal(2, #list)
    for i, line in ipairs(list) do
      local record = assert(json.decode(line))
      assert.are.equal(i, record["time/iterations"])
      assert.are.equal(i == 2, record["eval/mean_reward"] ~= nil)
    end
    -- as in the table, to the last bit
    local _, rows = command.csv(scratch .. "/runs/CartPole-v1-TRPO-s11/progress.csv")
    for name, value in pairs(json.decode(list[2])) do assert.are.equal(value, rows[2][name]) end
  end)

  it("does not overwrite a run unless asked", function()
    assert.are.equal(0, select(3, run "train quick.lua -q"))
    local out, err, code = run "train quick.lua -q"
    assert.are.equal(1, code)
    assert.are.equal("", out)
    assert.is_truthy(err:find("--overwrite", 1, true))
    assert.are.equal(0, select(3, run "train quick.lua -q --overwrite"))
    assert.are.equal(0, select(3, run "train quick.lua -q --name other"))
    assert.are.equal(0, select(3, run "train quick.lua -q --dir elsewhere/runs"))
    assert.is_truthy(command.read(scratch .. "/elsewhere/runs/CartPole-v1-TRPO-s11/status.json"))
  end)
end)

describe("a parameter", function()
  it("comes from option, variable, script and default, in this order", function()
    local _, err, code = shell [[
"$trpo" train quick.lua -q --name default
TRPO_SEED=21 TRPO_DELTA=0.02 "$trpo" train quick.lua -q --name variable
TRPO_SEED=21 TRPO_DELTA=0.02 "$trpo" train quick.lua -q --name option --seed 31 --set algorithm.delta=0.01
TRPO_SEED=21 luajit quick.lua -q --name main --set seed=41]]
    assert.are.equal(0, code, err)
    local default = config "default"
    assert.are.same({ 11, 0.03, 0.99 }, { default.seed, default.algorithm.delta, default.algorithm.gamma })
    assert.are.same({ 21, 0.02 }, { config "variable".seed, config "variable".algorithm.delta })
    assert.are.same({ 31, 0.01 }, { config "option".seed, config "option".algorithm.delta })
    assert.are.equal(41, config "main".seed)
  end)

  it("has a variable with its full name, which wins over the short one", function()
    local _, err, code = shell [[
TRPO_DELTA=0.02 TRPO_ALGORITHM_DELTA=0.05 TRPO_POLICY_HIDDEN=5,6 TRPO_STEPS= "$trpo" train quick.lua -q --name full]]
    assert.are.equal(0, code, err)
    assert.are.equal(0.05, config "full".algorithm.delta)
    assert.are.same({ 5, 6 }, config "full".policy.hidden)
    assert.are.equal(256, config "full".steps)
  end)

  it("may be set several times; the last one counts", function()
    local _, err, code = run("train quick.lua -q --name x --set delta=0.1 --set env=Pendulum-v1 --set delta=0.2 "
      .. "--set value=none")
    assert.are.equal(0, code, err)
    assert.are.same({ 0.2, "Pendulum-v1", "none" },
      { config "x".algorithm.delta, config "x".env.id, config "x".value.kind })
  end)

  it("whose variable is unknown or not clear is wrong usage", function()
    local cases = {
      { "TRPO_SEDE=4", "unknown variable TRPO_SEDE, did you mean TRPO_SEED?" },
      { "TRPO_DLETA=4", "unknown variable TRPO_DLETA, did you mean TRPO_DELTA?" },
      { "TRPO_N_ENVS=4", "unknown variable TRPO_N_ENVS, did you mean TRPO_LANES?" },
      { "TRPO_WHATEVER=1", "unknown variable TRPO_WHATEVER" },
      { "TRPO_ITERATIONS=3", "variable TRPO_ITERATIONS is ambiguous: write TRPO_VALUE_ITERATIONS or TRPO_STEPS" },
      { "TRPO_HIDDEN=3", "variable TRPO_HIDDEN is ambiguous: write TRPO_POLICY_HIDDEN or TRPO_VALUE_HIDDEN" },
      { "TRPO_THREADS=65", "threads must be an integer in [1, 64], got '65'" },
    }
    for _, case in ipairs(cases) do
      local _, err, code = shell(case[1] .. ' "$trpo" train quick.lua -q')
      assert.are.equal(2, code, case[1])
      assert.are.equal("trpo: " .. case[2] .. "\n", err)
    end
    assert.is_nil(io.open(scratch .. "/runs"))
  end)

  it("is left alone by empty variables and by those of the build", function()
    local _, err, code = shell [[
TRPO_SEED= TRPO_WHATEVER= TRPO_ISA=avx2 TRPO_PYTHON=python3 TRPO_JIT=on TRPO_ENV=CartPole-v1 TRPO_VALUE=false \
"$trpo" train quick.lua -q --name own]]
    assert.are.equal(0, code, err)
    assert.are.equal("", err)
    assert.are.same({ 11, "none" }, { config "own".seed, config "own".value.kind })
  end)
end)

describe("wrong usage", function()
  it("exits with 2 and one sentence, before anything is written", function()
    local cases = {
      { "", "Usage: trpo" },
      { "trian quick.lua", "unknown command 'trian'" },
      { "train", "missing argument 'file'" },
      { "train quick.lua other.lua", "too many arguments" },
      { "train quick.lua --sede 3", "Did you mean '--seed'?" },
      { "train quick.lua --seed", "option '--seed' requires an argument" },
      { "train quick.lua --seed x", "trpo: seed must be an integer in [0, 2^53), got 'x'" },
      { "train quick.lua --seed -1", "trpo: seed must be an integer in [0, 2^53), got '-1'" },
      { "train quick.lua --seed 9007199254740992", "trpo: seed must be an integer in [0, 2^53)" },
      { "train quick.lua --steps 0", "trpo: steps must be an integer in [1, " },
      { "train quick.lua --threads 65", "trpo: threads must be an integer in [1, 64], got '65'" },
      { "train quick.lua --name ''", "trpo: name must be a name for a folder (not empty, no '/', no '.' at its "
        .. "beginning), got ''" },
      { "train quick.lua --name a/b", "trpo: name must be a name for a folder" },
      { "train quick.lua --name ..", "trpo: name must be a name for a folder" },
      { "train quick.lua --set n_envs=4", "trpo: unknown parameter 'n_envs', did you mean 'lanes'?" },
      { "train .", "trpo: cannot read '.' (Is a directory); give a Lua script or the id of an environment" },
      { "train quick.lua --set delta", "trpo: --set must be NAME=VALUE, got 'delta'" },
      { "train quick.lua --set delta 0.1", "trpo: --set must be NAME=VALUE, got 'delta': write --set delta=0.1\n" },
      { "train --set delta -0.1 quick.lua", "trpo: --set must be NAME=VALUE, got 'delta': write --set delta=-0.1\n" },
      { "train quick.lua --set iterations=100",
        "trpo: parameter 'iterations' is ambiguous: write 'value.iterations' or 'steps'" },
      { "train quick.lua --set precond=kfac", "trpo: unknown parameter 'precond', did you mean 'algorithm.preconditioner'?" },
      { "train quick.lua --set value.lr=1", "trpo: unknown parameter 'value.lr', did you mean 'value.learning_rate'?" },
      { "train quick.lua --set detla=1", "trpo: unknown parameter 'detla', did you mean 'delta'?" },
      { "train quick.lua --set hidden=1",
        "trpo: parameter 'hidden' is ambiguous: write 'policy.hidden' or 'value.hidden'" },
      { "train quick.lua --set delta=-1", "trpo: delta must be a" },
      { "train quick.lua --set delta=nan", "trpo: " },
      { "train quick.lua --set gamma=1.5", "trpo: gamma must be a number in [0, 1], got 1.5" },
      { "train quick.lua --set policy.hidden=64,x",
        "trpo: policy.hidden must be a list of at most 15 integers in [1, 65536], got '64,x'" },
      { "train quick.lua --set env=CartPol-v1", "trpo: unknown environment 'CartPol-v1', did you mean 'CartPole-v1'?" },
      { "train CartPol-v1",
        "trpo: there is neither a file nor an environment 'CartPol-v1', did you mean 'CartPole-v1'?" },
      { "train missing.lua", "trpo: there is neither a file nor an environment 'missing.lua'" },
      { "completion tcsh", "must be one of 'bash', 'zsh', 'fish'" },
      { "help trian", "trpo: unknown command 'trian', did you mean 'train'?" },
    }
    for _, case in ipairs(cases) do
      local out, err, code = run(case[1])
      assert.are.equal(2, code, case[1])
      assert.are.equal("", out)
      assert.is_truthy(err:find(case[2], 1, true), case[1] .. " says\n" .. err)
      assert.is_nil(err:find("stack traceback", 1, true))
    end
    assert.is_nil(io.open(scratch .. "/runs"))
  end)

  it("is the same for a script that is run by luajit", function()
    local _, err, code = shell "luajit quick.lua --set detla=1"
    assert.are.equal(2, code)
    assert.are.equal("trpo: unknown parameter 'detla', did you mean 'delta'?\n", err)
    _, err, code = shell "luajit quick.lua --sede 1"
    assert.are.equal(2, code)
    assert.is_truthy(err:find("Did you mean '--seed'?", 1, true))
  end)
end)

describe("a run that fails", function()
  it("exits with 1 and the user's traceback", function()
    command.write(scratch .. "/broken.lua", [[
local trpo = require "trpo"
local function deep() error("no such luck") end
local run = trpo.experiment { env = trpo.env {
  id = "Broken-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 5,
  reset = function(self, rng, obs) obs[1] = 0 end,
  step = function(self, action, obs) deep() end,
} }
return run:main(...)]])
    for _, how in ipairs { '"$trpo" train broken.lua', "luajit broken.lua --overwrite" } do
      local out, err, code = shell(how)
      assert.are.equal(1, code)
      assert.are.equal("", out)
      local expected = "^trpo: Broken%-v0: lane 1, step 1: step raised an error: broken.lua:2: no such luck\n"
      assert.is_truthy(err:find(expected), err)
      assert.is_truthy(err:find("in function 'deep'", 1, true))
      assert.is_nil(err:find("lua/trpo", 1, true), err)
      assert.are.equal("failed", json.decode(command.read(scratch .. "/runs/Broken-v0-TRPO-s1/status.json")).status)
    end
  end)

  it("exits with 1 when the script does not load, and says where", function()
    local cases = {
      { "x = ", "^trpo: bad.lua:1: unexpected symbol" },
      { "error 'oh no'", "^trpo: bad.lua:1: oh no\nstack traceback:" },
      { "return 3", "^trpo: bad.lua must return an experiment %('return run:main%(...%)'%) or an environment" },
      { "local x", "^trpo: bad.lua must end with 'return run:main%(...%)', it returned nothing" },
    }
    for _, case in ipairs(cases) do
      command.write(scratch .. "/bad.lua", case[1])
      local out, err, code = run "train bad.lua"
      assert.are.equal(1, code)
      assert.are.equal("", out)
      assert.is_truthy(err:find(case[2]), err)
      assert.is_nil(err:find("trpo/script.lua", 1, true), err)
    end
  end)

  it("exits with 2 when the script trains by itself instead of saying what is to be trained", function()
    local script = "local trpo = require 'trpo'\nlocal run = trpo.experiment { env = 'CartPole-v1', steps = 1 }\nrun:train()\n"
    command.write(scratch .. "/early.lua", script)
    local expected = "early.lua:3: run:train: this script is loaded for what it describes, and nothing is trained meanwhile: "
      .. "end it with 'return run:main(...)', which trains in its time"
    local out, err, code = run "train early.lua"
    assert.are.same({ "", "trpo: " .. expected .. "\n", 2 }, { out, err, code })
    command.write(scratch .. "/sweep.lua", [[
local trpo = require "trpo"
return trpo.sweep { experiment = "early.lua", parameters = { delta = { 0.01, 0.02 } } }:main(...)
]])
    out, err, code = run "sweep sweep.lua"
    assert.are.same({ "", "trpo: sweep.lua:2: trpo.sweep: experiment early.lua: " .. expected .. "\n", 2 }, { out, err, code })
    assert.are.same({ "", "", 0 }, { command.shell(scratch, "! ls -d runs sweeps 2>/dev/null") })
    -- run as a program it trains
    out, err, code = command.shell(scratch, "luajit early.lua && ls runs")
    assert.are.same({ "CartPole-v1-TRPO-s1\n", "", 0 }, { out, err, code })
  end)

  it("exits with 2 and one sentence when the script gives a wrong option", function()
    local cases = {
      { "local run = trpo.experiment { env = 'CartPole-v1', polcy = {} }",
        "bad.lua:2: trpo.experiment: unknown option 'polcy', did you mean 'policy'?" },
      { "local run = trpo.experiment { env = 'CartPole-v1', seed = -1 }",
        "bad.lua:2: trpo.experiment: seed must be an integer in [0, 2^53), got -1" },
      { "local run = trpo.experiment { env = 'CartPole-v1', delta = 1 }",
        "bad.lua:2: trpo.experiment: unknown option 'delta', did you mean 'algorithm.delta'?" },
      { "local a = trpo.TRPO { max_kl = 0.1 }", "bad.lua:2: trpo.TRPO: unknown option 'max_kl', did you mean 'delta'?" },
      { "local run = trpo.experiment { env = 'CartPole-v1', on_iter = print }",
        "bad.lua:2: trpo.experiment: unknown option 'on_iter', did you mean 'on_iteration'?" },
      { "local a = trpo.TRPO { gamma = 2 }", "bad.lua:2: trpo.TRPO: gamma must be a number in [0, 1], got 2" },
      -- a tail call leaves no line, and that of whoever called the function is not the place, either
      { "local function f(n) return trpo.experiment { env = 'CartPole-v1', stepps = n } end\nlocal run = f(3)\nreturn run",
        "bad.lua: trpo.experiment: unknown option 'stepps', did you mean 'steps'?" },
      { "local function f() local f = trpo.experiment return function(o) local run = f(o) return run end end\n"
        .. "local run = f() { env = 'CartPole-v1', stepps = 3 }",
        "bad.lua:2: trpo.experiment: unknown option 'stepps', did you mean 'steps'?" },
      { "local E = { reset = print, step = print, observation = trpo.space.discrete(2), action = trpo.space.discrete(2) }\n"
        .. "local ok, why = pcall(trpo.experiment, { env = E, stepps = 3 })\nerror(why, 0)",
        "bad.lua: trpo.experiment: unknown option 'stepps', did you mean 'steps'?" },
      { "return trpo.experiment { env = 'CartPole-v1', seed = -1 }",
        "bad.lua: trpo.experiment: seed must be an integer in [0, 2^53), got -1" },
      { "return trpo.env { time_limit = 3 }", "bad.lua: trpo.env: observation must be a space such as "
        .. "trpo.space.box { shape = { 4 } }, got nothing" },
      { "return trpo.env {\n  reset = print, step = function() end }", "bad.lua:3: trpo.env: observation must be a "
        .. "space such as trpo.space.box { shape = { 4 } }, got nothing" },
    }
    for _, case in ipairs(cases) do
      command.write(scratch .. "/bad.lua", "local trpo = require 'trpo'\n" .. case[1])
      local out, err, code = run "train bad.lua"
      assert.are.equal(2, code, case[1])
      assert.are.equal("", out)
      assert.are.equal("trpo: " .. case[2] .. "\n", err)
    end
  end)

  it("before its first iteration does not block its folder", function()
    command.write(scratch .. "/broken.lua", [[
local trpo = require "trpo"
local run = trpo.experiment { name = "first", env = { id = "CartPole-v1" }, horizon = 8, steps = 8, evaluation = { episodes = 1 } }
if os.getenv "BROKEN" then
  run = trpo.experiment { name = "first", env = trpo.env {
    id = "B-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 5,
    reset = function(self, rng, obs) obs[1] = 0 end, step = function() error "no such luck" end,
  } }
end
return run:main(...)]])
    assert.are.equal(1, (select(3, shell 'BROKEN=1 "$trpo" train broken.lua -q')))
    local _, err, code = shell '"$trpo" train broken.lua -q'
    assert.are.equal(0, code, err)
    _, err, code = shell '"$trpo" train broken.lua -q'
    assert.are.equal(1, code)
    assert.is_truthy(err:find("exists already", 1, true))
  end)

  it("exits with 1 when the folder cannot be made", function()
    command.write(scratch .. "/runs", "a file")
    local _, err, code = run "train quick.lua -q"
    assert.are.equal(1, code)
    assert.is_truthy(err:find("^trpo: cannot make the run folder: "), err)
  end)

  it("exits with 1 and one sentence when memory runs out", function()
    if command.sanitized then return pending "a sanitizer's runtime needs more address space than any limit leaves" end
    local cases = {
      "--set lanes=1000000 --set horizon=100000", "--set policy.hidden=60000,60000", "--set lanes=1000000",
    }
    for _, arguments in ipairs(cases) do
      local out, err, code = shell("ulimit -v 500000; \"$trpo\" train quick.lua -q --overwrite " .. arguments)
      assert.are.equal(1, code)
      assert.are.equal("", out)
      assert.is_truthy(err:find("not enough memory", 1, true), err)
      assert.are.equal(1, #lines(err), err)
    end
  end)

  it("exits with 1 when the standard output is full", function()
    if not io.open "/dev/full" then return pending "there is no /dev/full here" end
    local _, err, code = shell '"$trpo" train quick.lua -q --json >/dev/full'
    assert.are.equal(1, code)
    assert.is_truthy(err:find("trpo: cannot write to the standard output", 1, true), err)
  end)
end)

describe("help", function()
  it("ends with an example for each command, by --help and by trpo help", function()
    for _, name in ipairs { "train", "envs", "info", "completion", "help" } do
      local out, _, code = run(name .. " --help")
      assert.are.equal(0, code)
      assert.is_truthy(out:find("\nExample:\n  [^\n]*trpo " .. name .. "[^\n]*\n$"), out)
      assert.are.equal(out, (run("help " .. name)))
    end
    local out, _, code = run "--help"
    assert.are.equal(0, code)
    assert.is_truthy(out:find("Example:", 1, true))
    assert.are.equal(out, (run "help"))
  end)

  it("is there for scripts too", function()
    local out, _, code = shell "luajit quick.lua --help"
    assert.are.equal(0, code)
    assert.is_truthy(out:find("^Usage: quick.lua"))
    assert.is_truthy(out:find("luajit quick.lua --set delta=0.02 --seed 3", 1, true))
  end)

  it("knows the version", function()
    assert.are.equal("trpo " .. trpo.VERSION .. "\n", (run "--version"))
  end)
end)

describe("trpo envs", function()
  it("lists ids, spaces and limits", function()
    local out, _, code = run "envs"
    assert.are.equal(0, code)
    for _, entry in ipairs(trpo.environments()) do assert.is_truthy(out:find(entry.id, 1, true)) end
    local list = json.decode((run "envs --json"))
    assert.are.equal(#trpo.environments(), #list)
    assert.are.equal("CartPole-v1", list[1].id)
    assert.are.equal(500, list[1].time_limit)
  end)
end)

describe("trpo info", function()
  it("says what is there", function()
    local out, _, code = run "info"
    assert.are.equal(0, code)
    for _, what in ipairs { "trpo", "LuaJIT", "BLAS", "LAPACK", "instructions", "threads", "rocks" } do
      assert.is_truthy(out:find("\n" .. what .. " +%S") or out:find("^" .. what .. " +%S"), what)
    end
    local info = json.decode((run "info --json"))
    assert.are.equal(trpo.VERSION, info.version)
    assert.is_boolean(info.blas_fast)
    assert.is_string(info.rocks.luv)
  end)

  it("says when TRPO_ISA cannot be followed", function()
    local out, err, code = shell 'TRPO_ISA=xyz "$trpo" info'
    assert.are.equal(0, code)
    assert.is_truthy(out:find("\ninstructions %w+   %(TRPO_ISA=xyz is ignored%)\n"), out)
    assert.is_truthy(err:find("trpo: TRPO_ISA=xyz is unknown", 1, true), err)
    assert.is_nil(select(2, shell 'TRPO_ISA=generic "$trpo" info'):find("TRPO_ISA", 1, true))
  end)
end)

describe("the display", function()
  -- util-linux's script(1) gives the command a terminal
  local function on_terminal(prefix)
    return shell(prefix .. ' script -qec "\\"$trpo\\" train quick.lua" /dev/null </dev/null')
  end

  it("refreshes one line on a terminal and honours NO_COLOR and TERM=dumb", function()
    if os.execute "command -v script >/dev/null 2>&1" ~= 0 then return pending "script(1) is missing" end
    local out, _, code = on_terminal "TERM=xterm COLUMNS=100 env -u NO_COLOR"
    assert.are.equal(0, code, out)
    assert.is_truthy(out:find("\r[^\n]*iteration 2  256/256[^\n]*\27%[K"), out)
    assert.is_truthy(out:find("\27[32m", 1, true))
    out = on_terminal "TERM=xterm NO_COLOR=1 TRPO_NAME=b"
    assert.is_truthy(out:find("\27[K", 1, true))
    assert.is_nil(out:find("\27%[[%d;]*m"))
    out = on_terminal "TERM=dumb TRPO_NAME=c"
    assert.is_nil(out:find("\27", 1, true))
    assert.is_truthy(out:find("iteration    2  steps 256/256", 1, true))
  end)
end)
