-- Runs that stop and go on: the same bits as if they had never stopped, whatever stopped them.
local checkpoint = require "trpo.checkpoint"
local command = require "support.command"
local disk = require "trpo.disk"
local json = require "trpo.json"
local project = require "support.project"
local run_folder = require "support.run_folder"
local trpo = require "trpo"
local uv = require "luv"

local scratch

before_each(function() scratch = command.scratch() end)
after_each(function() command.remove(scratch) end)

-- trains; remarks come last instead of going to the standard error output
local function quietly(run, callbacks)
  local said = {}
  local result, message, code =
    require("trpo.training").run(run, callbacks or {}, { say = function(text) said[#said + 1] = text end })
  return result, message, code, table.concat(said, "\n")
end

-- a small run; options win
local function small(options)
  local defaults = {
    env = "CartPole-v1", policy = { hidden = { 8 } }, value = { hidden = { 8 } },
    steps = 1280, lanes = 2, horizon = 32, seed = 3, evaluation = { episodes = 3, every = 5 }, dir = scratch,
  }
  for key, value in pairs(options or {}) do defaults[key] = value end
  return trpo.experiment(defaults)
end

-- a walk with state of its own, and what is needed to save it
local function walk(saves)
  return {
    id = "Walk-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 25,
    reset = function(self, rng, obs) self.x, self.trace, obs[1] = rng:uniform(-1, 1), {}, 0 end,
    step = function(self, action, obs, rng)
      self.x = self.x + (action == 1 and -0.1 or 0.1) + 0.01 * rng:normal()
      self.trace[#self.trace + 1] = self.x
      obs[1] = self.x
      return -math.abs(self.x) - 0.01 * #self.trace, math.abs(self.x) > 1.5
    end,
    save = saves and function(self) return { x = self.x, trace = self.trace } end or nil,
    restore = saves and function(self, state) self.x, self.trace = state.x, state.trace end or nil,
  }
end

-- options with some replaced
local function with(options, changes)
  local out = {}
  for key, value in pairs(options) do out[key] = value end
  for key, value in pairs(changes) do out[key] = value end
  return out
end

describe("20 iterations are 10 and 10 more, to the bit,", function()
  local cases = {
    ["with two networks"] = {},
    ["with a continuous action and a normaliser"] = { env = "Pendulum-v1", normalize_observations = true },
    ["with a linear critic"] = { value = "linear" },
    ["without a critic"] = { value = false },
    ["in double precision"] = { policy = { hidden = { 8 }, precision = "double" },
      value = { hidden = { 4 }, precision = "double", rescale_targets = false, optimizer = "adam", epochs = 1 } },
    ["with part of the Fisher matrix"] = { algorithm = trpo.TRPO { fisher_fraction = 0.25, gamma = 1, lambda = 1 } },
    ["with a critic fitted by L-BFGS"] = { value = { hidden = { 8 }, optimizer = "lbfgs", iterations = 3 } },
    ["with a critic whose last layer is solved for"] = { value = { hidden = { 8 }, optimizer = "last_layer", activation = "relu" } },
    ["with a critic fitted to some rows"] = { value = { hidden = { 8 }, curvature_rows = 16, solve_last_layer = false },
      env = "Pendulum-v1" },
    ["with the cached form, on a process that has a name"] = { env = "FrozenLake-v1",
      algorithm = trpo.TRPO { fisher_form = "cached", step_scale = "undamped", standardize_advantages = false } },
    ["with K-FAC"] = { algorithm = trpo.TRPO { preconditioner = "kfac", cg_iters = 4 } },
    ["with stochastic evaluations"] = { evaluation = { episodes = 3, every = 2, deterministic = false } },
    ["on a finite process"] = { env = { id = trpo.mdp.frozen_lake {}, time_limit = 30 } },
    ["on an environment in Lua that saves"] = { env = walk(true) },
  }
  for name, options in pairs(cases) do
    it(name, function()
      assert(small(with(options, { name = "whole" })):train())
      assert(small(with(options, { name = "parts", steps = 640 })):train())
      local run = small(with(options, { name = "parts", resume = true }))
      local result = assert(quietly(run))
      assert.are.same({ "done", 20, 1280 }, { result.status, result.iterations, result.steps })
      local whole, parts = run_folder.all(scratch .. "/whole"), run_folder.all(scratch .. "/parts")
      -- the first half has kept its last checkpoint, too
      parts.checkpoints["iteration-00000010.safetensors"] = nil
      -- which may be the best one, and was written by a run that was done
      for _, folder in ipairs { whole, parts } do folder.checkpoints["best.safetensors"].counters.status = nil end
      parts.names = nil
      whole.names = nil
      assert.are.same(whole, parts)
      assert.are.equal(20, #whole.csv)
      assert.is_true(#whole.monitor > 5)
    end)
  end

  it("at any number of parts, on another number of threads", function()
    assert(small { name = "whole", steps = 640, threads = 1 }:train())
    for part = 1, 10 do
      quietly(small { name = "parts", steps = 64 * part, resume = true, threads = 1 + part % 2,
        evaluation = { episodes = part == 10 and 3 or 0, every = part == 10 and 5 or 0 } })
    end
    assert.are.equal(10, #run_folder.csv(scratch .. "/parts"))
    local last = "/checkpoints/iteration-00000010.safetensors"
    assert.are.same(run_folder.checkpoint(scratch .. "/whole" .. last).tensors,
      run_folder.checkpoint(scratch .. "/parts" .. last).tensors)
    assert.are.same(run_folder.monitor(scratch .. "/whole"), run_folder.monitor(scratch .. "/parts"))
  end)
end)

-- runs a script, for so many seconds at most if they are given: its exit code (137: killed) and what it complained of
local function child(arguments, seconds)
  local line = "luajit child.lua " .. arguments
  if seconds then
    line = ("%s & pid=$!; sleep %.4f; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null"):format(line, seconds)
  end
  local _, err, code = command.shell(scratch, line)
  return code, err
end

describe("a run that is killed", function()
  local script = [[
local trpo = require "trpo"
local lanes = { save = function(self) return { x = self.x, n = self.n } end,
  restore = function(self, state) self.x, self.n = state.x, state.n end }
lanes.id, lanes.time_limit = "Walk-v0", 20
lanes.observation, lanes.action = trpo.space.box { shape = { 1 } }, trpo.space.discrete(2)
function lanes:reset(rng, obs) self.x, self.n, obs[1] = rng:uniform(-1, 1), 0, 0 end
function lanes:step(action, obs, rng)
  self.x, self.n = self.x + (action == 1 and -0.1 or 0.1) + 0.01 * rng:normal(), self.n + 1
  obs[1] = self.x
  return -math.abs(self.x), math.abs(self.x) > 1.5
end
local run = trpo.experiment {
  env = trpo.env(lanes), policy = { hidden = { 8 } }, value = { hidden = { 8 } },
  steps = 64 * 60, lanes = 2, horizon = 32, seed = 5, evaluation = { episodes = 4, every = 7 },
  on_episode = function(episode, run) run.memory.sum = (run.memory.sum or 0) + episode.reward end,
  on_iteration = function(record, run) record["user/sum"] = run.memory.sum or 0 end,
}
return run:main(...)
]]

  it("at 20 random instants ends with the same bits as one that was left alone", function()
    command.write(scratch .. "/child.lua", script)
    local begin = uv.hrtime()
    assert.are.equal(0, (child "--name whole -q --set checkpoint.every=1"))
    local whole, undisturbed = run_folder.all(scratch .. "/runs/whole"), (uv.hrtime() - begin) / 1e9
    local instants = trpo.rng(20)
    local kills, round, wanted = 0, 0, command.sanitized and 4 or 20
    while kills < wanted do
      round = round + 1
      local name = "killed" .. round
      local arguments = ("--name %s -q --resume --set checkpoint.every=%d --set checkpoint.keep=2"):format(name, 1 + round % 3)
      -- some kills come while the process still starts, most while it trains
      local code, err
      repeat
        code, err = child(arguments, kills < wanted and instants:uniform(0, 0.6 * undisturbed) or nil)
        if code == 137 then kills = kills + 1 end
        assert.is_true(code == 137 or code == 0, ("exit code %d: %s"):format(code, err))
      until code ~= 137
      local last = "/checkpoints/iteration-00000060.safetensors"
      local folder = scratch .. "/runs/" .. name
      assert.are.same(whole.checkpoints["iteration-00000060.safetensors"], run_folder.checkpoint(folder .. last))
      for _, part in ipairs { "csv", "jsonl", "monitor" } do
        assert.are.same(whole[part], run_folder[part](folder), ("%s of %s, after %d kills"):format(part, name, kills))
      end
      assert.are.equal("done", json.decode(command.read(folder .. "/status.json")).status)
      -- nothing half-written is left, and one event file
      for _, path in ipairs(run_folder.names(folder)) do assert.is_nil(path:find "tmp", path) end
      assert.are.same(whole.events, run_folder.events(folder))
    end
  end)
end)

local function status(name) return json.decode(command.read(scratch .. "/" .. name .. "/status.json")) end

-- a run that is done looks as if its process had been killed before it could say so
local function killed(name)
  local its = status(name)
  its.status = "running"
  command.write(scratch .. "/" .. name .. "/status.json", json.encode(its))
end

describe("an evaluation", function()
  it("is not begun when time is over, and comes first when the run goes on", function()
    local options = { steps = 192, evaluation = { episodes = 3, every = 1 }, name = "parts", resume = true }
    local evaluated = {}
    local function sitting(callbacks)
      return assert(require("trpo.training").run(small(options), callbacks, {
        say = function() end,
        evaluating = function(record) evaluated[#evaluated + 1] = record["time/iterations"] end,
      }))
    end
    for part = 1, 6 do
      local result = sitting { max_seconds = 1e-9 }
      assert.are.same({ part < 6 and "paused" or "done", math.ceil(part / 2) }, { result.status, result.iterations })
      assert.are.equal(math.floor(part / 2), #evaluated)
      assert.are.equal(math.floor(part / 2), #run_folder.csv(result.dir))
    end
    local result = sitting {}
    assert.are.same({ "done", true }, { result.status, result.idle })
    assert.are.same({ 1, 2, 3 }, evaluated)
    assert(small(with(options, { name = "whole", resume = false })):train())
    for _, part in ipairs { "csv", "jsonl", "monitor", "events" } do
      assert.are.same(run_folder[part](scratch .. "/whole"), run_folder[part](scratch .. "/parts"), part)
    end
  end)
end)

describe("a run that goes on", function()
  it("takes more steps, and says when nothing is left to do", function()
    local first = assert(small { name = "run", steps = 128 }:train())
    local before = run_folder.all(first.dir)
    local idle = assert(quietly(small { name = "run", steps = 128, resume = true }))
    assert.is_true(idle.idle)
    assert.are.same({ "done", 2, 128, first["eval/mean_reward"] },
      { idle.status, idle.iterations, idle.steps, idle["eval/mean_reward"] })
    assert.is_true(idle.seconds <= first.seconds)
    assert.are.same(before, run_folder.all(first.dir))
    local more = assert(quietly(small { name = "run", steps = 129, resume = true }))
    assert.are.same({ 3, 192 }, { more.iterations, more.steps })
    assert.is_nil(more.idle)
    assert.are.equal(3, #run_folder.csv(first.dir))
    -- fewer steps than there were are nothing to do, either
    assert.is_true(assert(quietly(small { name = "run", steps = 1, resume = true })).idle)
    assert.are.equal(3, #run_folder.csv(first.dir))
  end)

  it("takes away the checkpoints that a killed process did not come to take away", function()
    local function again()
      assert(quietly(small { name = "run", steps = 192, resume = true, checkpoint = { keep = 1 } }))
      local names = disk.names(scratch .. "/run/checkpoints")
      table.sort(names)
      return names
    end
    assert(small { name = "run", steps = 192, checkpoint = { every = 1, keep = 3 } }:train())
    -- nothing is taken away from a run that has come to its end
    assert.are.equal(4, #again())
    killed "run"
    assert.are.same({ "best.safetensors", "iteration-00000003.safetensors" }, again())
  end)

  it("begins when there is nothing", function()
    assert.are.equal("done", assert(small { name = "new", steps = 64, resume = true }:train()).status)
  end)

  it("goes on with its clock", function()
    local first = assert(small { name = "run", steps = 128 }:train())
    uv.sleep(50)
    local second = assert(quietly(small { name = "run", steps = 256, resume = true }))
    local _, rows = command.csv(second.dir .. "/progress.csv")
    for i = 2, 4 do assert.is_true(rows[i]["time/time_elapsed"] > rows[i - 1]["time/time_elapsed"]) end
    assert.is_true(rows[3]["time/time_elapsed"] > first["time/time_elapsed"])
    -- what the first did after its last checkpoint is not in it
    assert.is_true(second.seconds >= rows[4]["time/time_elapsed"])
    assert.are.equal(rows[4]["time/total_timesteps"] / rows[4]["time/time_elapsed"], rows[4]["time/fps"])
    local times, last = {}, -1
    for line in io.lines(second.dir .. "/monitor.csv") do times[#times + 1] = tonumber(line:match "^[^#].-,.-,([%d.e-]+)$") end
    for _, t in ipairs(times) do
      assert.is_true(t >= last)
      last = t
    end
    assert.is_true(#times > 0)
  end)

  it("names all options that differ from the checkpoint's, and touches nothing", function()
    assert(small { name = "run", steps = 128 }:train())
    local before = run_folder.all(scratch .. "/run")
    local status_before, config_before = status "run", command.read(scratch .. "/run/config.json")
    local cases = {
      { { seed = 4 }, "seed is 4 here and 3 in the checkpoint" },
      { { algorithm = { delta = 0.5 }, lanes = 4 },
        "algorithm.delta is 0.5 here and 0.01 in the checkpoint; lanes is 4 here and 2 in the checkpoint" },
      { { algorithm = { delta = 0.01 + 2 ^ -58 } },
        "algorithm.delta is 0.010000000000000004 here and 0.01 in the checkpoint" },
      { { policy = { hidden = { 8, 8 } } }, "policy.hidden is {8, 8} here and {8} in the checkpoint" },
      { { value = false }, "value.kind is 'none' here and 'network' in the checkpoint" },
      { { env = "Pendulum-v1" }, "env.id is 'Pendulum-v1' here and 'CartPole-v1' in the checkpoint; "
        .. "env.time_limit is 200 here and 500 in the checkpoint" },
      { { env = { id = "CartPole-v1", time_limit = 9 } }, "env.time_limit is 9 here and 500 in the checkpoint" },
      { { whole_episodes = true }, "budget is 64 here and not set in the checkpoint; "
        .. "whole_episodes is true here and false in the checkpoint" },
      { { normalize_observations = true }, "normalize_observations is true here and false in the checkpoint" },
    }
    for _, case in ipairs(cases) do
      local result, message, code = quietly(small(with(case[1], { name = "run", steps = 256, resume = true })))
      assert.is_nil(result)
      assert.are.equal("mismatch", code)
      assert.is_truthy(message:find(scratch .. "/run cannot be resumed: ", 1, true), message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
    assert.are.same(before, run_folder.all(scratch .. "/run"))
    assert.are.same(status_before, status "run")
    assert.are.equal(config_before, command.read(scratch .. "/run/config.json"))
    -- these may differ
    assert(quietly(small { name = "run", steps = 256, resume = true, threads = 1, evaluation = { episodes = 1 },
      checkpoint = { every = 1, seconds = 0, keep = 1 } }))
    assert.are.same({ "best.safetensors", "iteration-00000004.safetensors" }, (function()
      local names = disk.names(scratch .. "/run/checkpoints")
      table.sort(names)
      return names
    end)())
  end)

  it("is refused while its process is alive", function()
    assert(small { name = "run", steps = 128 }:train())
    -- a process, and a parent that never asks for it
    local parent = io.popen "sleep 600 >/dev/null & echo $!; echo $$; exec sleep 600 >/dev/null"
    local pid, parent_pid = parent:read("*n", "*n")
    finally(function()
      uv.kill(parent_pid, "sigkill")
      parent:close()
    end)
    local its = { status = "running", pid = pid, host = uv.os_gethostname() }
    command.write(scratch .. "/run/status.json", json.encode(its))
    for _, options in ipairs { { resume = true }, { overwrite = true } } do
      local result, message, code = quietly(small(with(options, { name = "run", steps = 256 })))
      assert.is_nil(result)
      assert.are.equal(options.resume and "busy" or "exists", code)
      assert.is_truthy(message:find(("process %d is at work there"):format(pid), 1, true), message)
    end
    -- the number now belongs to another process
    its.start = 1
    command.write(scratch .. "/run/status.json", json.encode(its))
    assert.are.equal(3, assert(quietly(small { name = "run", steps = 192, resume = true })).iterations)
    -- it is dead and nobody has asked for it yet
    its.start = nil
    command.write(scratch .. "/run/status.json", json.encode(its))
    uv.kill(pid, "sigkill")
    assert(command.comes_true(function() return command.read(("/proc/%d/stat"):format(pid)):find "%) Z" end))
    assert.are.equal(4, assert(quietly(small { name = "run", steps = 256, resume = true })).iterations)
    -- on another machine it cannot be asked for
    its.host = "elsewhere"
    command.write(scratch .. "/run/status.json", json.encode(its))
    local result, _, _, said = quietly(small { name = "run", steps = 320, resume = true })
    assert.are.equal(5, result.iterations)
    assert.is_truthy(said:find(("process %d on elsewhere was at work there"):format(pid), 1, true), said)
  end)

  it("begins anew when it was killed before its first checkpoint, and keeps what is not its own", function()
    for i, files in ipairs {
      { "status.json.77.tmp" }, { "status.json" }, { "status.json", "config.json.77.tmp" },
      { "status.json", "config.json", "command.txt" },
      { "status.json", "config.json", "command.txt", "progress.csv", "progress.jsonl", "monitor.csv", "events.out.tfevents.1.x.2.0" },
    } do
      local path = scratch .. "/run" .. i
      assert(uv.fs_mkdir(path, 493))
      for _, name in ipairs(files) do command.write(path .. "/" .. name, "garbage\n") end
      command.write(path .. "/trial.json", "mine")
      if i == 5 then
        assert(uv.fs_mkdir(path .. "/checkpoints", 493))
        command.write(path .. "/checkpoints/iteration-00000001.safetensors.77-1.tmp", "half")
      end
      local result = assert(quietly(small { name = "run" .. i, steps = 128, resume = true }))
      assert.are.same({ "done", 2 }, { result.status, result.iterations })
      assert.are.equal(2, #run_folder.csv(path))
      assert.are.equal("mine", command.read(path .. "/trial.json"))
      for _, name in ipairs(run_folder.names(path)) do assert.is_nil(name:find "tmp", name) end
    end
  end)

  it("is not begun anew when it has come to an end without a checkpoint", function()
    assert(small { name = "run", steps = 128 }:train())
    command.remove(scratch .. "/run/checkpoints")
    local result, message, code = quietly(small { name = "run", steps = 256, resume = true })
    assert.is_nil(result)
    assert.are.equal("no_file", code)
    assert.is_truthy(message:find("it is done and has no checkpoint; overwrite it to begin anew", 1, true), message)
    assert.are.equal(2, #run_folder.csv(scratch .. "/run"))
  end)

  it("is not begun anew where somebody else's numbers are", function()
    assert(uv.fs_mkdir(scratch .. "/run", 493))
    command.write(scratch .. "/run/progress.csv", "time/iterations\n1\n")
    local result, message, code = quietly(small { name = "run", steps = 128, resume = true })
    assert.is_nil(result)
    assert.are.equal("no_file", code)
    assert.is_truthy(message:find("it has a progress.csv but no status.json and has no checkpoint", 1, true), message)
    assert.are.equal("time/iterations\n1\n", command.read(scratch .. "/run/progress.csv"))
  end)

  it("cuts off what was written after the checkpoint, half a line or many", function()
    assert(small { name = "whole", steps = 256 }:train())
    assert(small { name = "run", steps = 128, evaluation = { episodes = 3, every = 2 } }:train())
    for _, name in ipairs { "progress.csv", "progress.jsonl", "monitor.csv" } do
      local path = scratch .. "/run/" .. name
      command.write(path, command.read(path) .. '{"time/iterations":3,\n1,2,3\n{"time/it')
    end
    assert(quietly(small { name = "run", steps = 256, resume = true }))
    assert.are.same(run_folder.monitor(scratch .. "/whole"), run_folder.monitor(scratch .. "/run"))
    assert.are.equal(4, #run_folder.csv(scratch .. "/run"))
    assert.are.equal(4, #run_folder.jsonl(scratch .. "/run"))
  end)

  it("says which file is missing or shorter than it was", function()
    assert(small { name = "run", steps = 128 }:train())
    local path = scratch .. "/run/progress.csv"
    local text = command.read(path)
    command.write(path, text:sub(1, -10))
    local result, message, code = quietly(small { name = "run", steps = 256, resume = true })
    assert.is_nil(result)
    assert.are.equal("format", code)
    assert.is_truthy(message:find("progress.csv", 1, true), message)
    assert.are.equal("failed", status "run".status)
    -- brought back
    command.write(path, text)
    assert.are.equal(4, assert(quietly(small { name = "run", steps = 256, resume = true })).iterations)
  end)

  it("keeps the last checkpoint when it fails, and goes on when the cause is gone", function()
    local fault = false
    local def = walk(true)
    local step, steps = def.step, 0
    def.step = function(...)
      steps = steps + 1
      if fault and steps > 200 then error "no such luck" end
      return step(...)
    end
    local options = { env = def, checkpoint = { every = 1 }, steps = 640 }
    assert(small(with(options, { name = "whole" })):train())
    fault, steps = true, 0
    local result, message, code = small(with(options, { name = "run" })):train()
    assert.is_nil(result)
    assert.are.equal("environment", code)
    assert.is_truthy(message:find("no such luck", 1, true))
    assert.are.same({ "failed", 3 }, { status "run".status, status "run".iterations })
    fault = false
    assert(quietly(small(with(options, { name = "run", resume = true }))))
    assert.are.same(run_folder.all(scratch .. "/whole"), run_folder.all(scratch .. "/run"))
  end)

  it("is over when its callback has stopped it, unless it gets more steps", function()
    local stops = { on_iteration = function(record) return record["time/iterations"] == 3 and "stop" end }
    local first = assert(small { name = "run" }:train(stops))
    assert.are.same({ "stopped", "on_iteration", 3 }, { first.status, first.reason, first.iterations })
    local again = assert(quietly(small { name = "run", resume = true }, stops))
    assert.are.same({ "stopped", 3, true, first["eval/mean_reward"] },
      { again.status, again.iterations, again.idle, again["eval/mean_reward"] })
    assert.are.equal(21, assert(quietly(small { name = "run", resume = true, steps = 1344 }, stops)).iterations)
  end)

  it("cannot promise the same numbers for an environment that cannot be saved, and says so", function()
    assert(small { env = walk(false), name = "run", steps = 128 }:train())
    local result, _, _, said = quietly(small { env = walk(false), name = "run", steps = 256, resume = true })
    assert.are.equal(4, result.iterations)
    assert.are.equal("Walk-v0 has no save and restore: its open episodes begin anew", said)
    assert.is_false(status "run".exact_resume)
    -- it stays so
    assert(quietly(small { env = walk(true), name = "run", steps = 320, resume = true }))
    assert.is_false(status "run".exact_resume)
  end)

  it("has its best model again when it was killed before that got its name", function()
    local first = assert(small { name = "run", steps = 64, evaluation = { episodes = 3 } }:train())
    local best = first.dir .. "/checkpoints/best.safetensors"
    local before = run_folder.checkpoint(best)
    command.remove(best)
    killed "run"
    assert.is_true(assert(quietly(small { name = "run", steps = 64, resume = true })).idle)
    assert.are.same(before, run_folder.checkpoint(best))
  end)

  it("keeps what its callbacks remember", function()
    local function counts(run) run.memory.n, run.memory.list = (run.memory.n or 0) + 1, { trpo.ones(2), 0 / 0 } end
    local callbacks = { on_iteration = function(_, run) counts(run) end }
    assert(small { name = "run", steps = 128 }:train(callbacks))
    local run = small { name = "run", steps = 256, resume = true }
    assert(quietly(run, callbacks))
    assert.are.equal(4, run.memory.n)
    local result, message, code = small { name = "other", steps = 64 }:train {
      on_iteration = function(_, other) other.memory.f = print end,
    }
    assert.is_nil(result)
    assert.are.equal("callback", code)
    assert.is_truthy(message:find("run.memory.f is a function", 1, true), message)
  end)
end)

describe("a checkpoint of another program's", function()
  it("is played, and not gone on from when it does not hold what a run counts", function()
    local run = small { name = "run", steps = 64 }
    local path = assert(run:train()).dir .. "/checkpoints/iteration-00000001.safetensors"
    local counted = assert(checkpoint.load(path)).counters
    local cases = { {}, { iterations = "many" }, { 1, 2 } }
    for name, values in pairs {
      iterations = { "x", -1, 0 / 0, {} }, steps = { true, 1e300 }, episodes = { 2 ^ 30, 0.5 }, sessions = { {} },
      elapsed = { "1" }, started = { false }, returns = { {}, 1 }, lengths = { { "a" } }, positions = { 3 },
      later = { 3, { 1 }, { "a\nb" } }, record = { 7 }, best = { "x", {}, { reward = {}, iteration = 1 } },
    } do
      for _, value in ipairs(values) do cases[#cases + 1] = with(counted, { [name] = value }) end
    end
    for i, counters in ipairs(cases) do
      assert(checkpoint.save(path, run, counters))
      local result, message, code = quietly(small { name = "run", steps = 128, resume = true })
      assert.is_nil(result, i)
      assert.are.equal(("%s/run cannot be resumed: '%s' does not hold what a run counts"):format(scratch, path), message)
      assert.are.equal("format", code)
    end
    local out, err, exit = command.run(scratch, "eval " .. project.quoted(path) .. " --episodes 1")
    assert.are.equal(0, exit, err)
    assert.is_truthy(out:find "^mean reward ")
  end)
end)

describe("a damaged checkpoint", function()
  local function damage(path, how)
    local text = command.read(path)
    command.write(path, how(text))
  end

  local ways = {
    ["that is empty"] = function() return "" end,
    ["that was cut"] = function(text) return text:sub(1, math.floor(#text / 2)) end,
    ["with one wrong bit"] = function(text)
      return text:sub(1, -100) .. string.char(require "bit".bxor(text:byte(-99), 1)) .. text:sub(-98)
    end,
    ["of something else"] = function() return ("x"):rep(1000) end,
  }
  for name, how in pairs(ways) do
    it(name .. " is put aside, and the one before it taken", function()
      local options = { checkpoint = { every = 2, keep = 2 }, steps = 384, evaluation = { episodes = 2, every = 2 } }
      assert(small(with(options, { name = "whole", steps = 512 })):train())
      assert(small(with(options, { name = "run" })):train())
      local newest = scratch .. "/run/checkpoints/iteration-00000006.safetensors"
      damage(newest, how)
      local result, _, _, said = quietly(small(with(options, { name = "run", steps = 512, resume = true })))
      assert.are.equal(8, result.iterations)
      assert.is_truthy(said:find("cannot read '" .. newest .. "'", 1, true) or said:find(newest, 1, true), said)
      assert.is_truthy(said:find("it is now " .. newest .. ".damaged", 1, true), said)
      assert.is_truthy(said:find("going on from " .. scratch .. "/run/checkpoints/iteration-00000004", 1, true), said)
      assert.is_true(disk.exists(newest .. ".damaged"))
      command.remove(newest .. ".damaged")
      assert.are.same(run_folder.all(scratch .. "/whole"), run_folder.all(scratch .. "/run"))
    end)
  end

  it("is kept when there is no other", function()
    assert(small { name = "run", steps = 64 }:train())
    local path = scratch .. "/run/checkpoints/iteration-00000001.safetensors"
    damage(path, ways["that was cut"])
    local result, message, code = quietly(small { name = "run", resume = true })
    assert.is_nil(result)
    assert.are.equal("format", code)
    assert.is_truthy(message:find("run cannot be resumed: none of the checkpoints can be read: ", 1, true), message)
    assert.is_true(disk.exists(path))
    assert.are.equal("done", status "run".status)
  end)

  it("is something else than one of a newer version, which is refused", function()
    assert(small { name = "run", steps = 128, checkpoint = { every = 1 } }:train())
    local path = scratch .. "/run/checkpoints/iteration-00000002.safetensors"
    local tensors, notes = trpo.safetensors.read(path)
    notes.format = "9"
    assert(trpo.safetensors.write(path, tensors, { metadata = notes }))
    local result, message, code = quietly(small { name = "run", resume = true })
    assert.is_nil(result)
    assert.are.equal("version", code)
    assert.is_truthy(message:find("a newer version of trpo wrote it", 1, true), message)
    assert.is_true(disk.exists(path))
  end)
end)

describe("a folder of a version that knew Adam only", function()
  local core = require "trpo.core"

  -- takes the options away that came later
  local function age(config)
    config.value.optimizer, config.algorithm.fisher_form, config.algorithm.preconditioner = nil, nil, nil
    if config.value.kind ~= "network" then
      config.value.learning_rate, config.value.epochs, config.value.minibatch = 1e-3, 10, 128
    end
  end

  local function make_old(options, path)
    assert(small(with(options, { name = path, steps = 256 })):train())
    local file = ("%s/%s/config.json"):format(scratch, path)
    local config = assert(json.decode(command.read(file)))
    age(config)
    command.write(file, json.encode(config))
    file = ("%s/%s/checkpoints/iteration-00000004.safetensors"):format(scratch, path)
    local tensors, notes = trpo.safetensors.read(file)
    local body = json.decode(notes.trpo)
    age(body.config)
    if body.value then body.value.optimizer = nil end
    notes.trpo = json.encode(body)
    notes.checksum = core.file.checksum(notes.trpo)
    assert(trpo.safetensors.write(file, tensors, { metadata = notes }))
    return file
  end

  local critics = {
    network = { hidden = { 8 }, optimizer = "adam", learning_rate = 1e-3, epochs = 10, minibatch = 128 },
    linear = { kind = "linear" }, none = { kind = "none" },
  }
  for kind, value in pairs(critics) do
    it("is gone on with: " .. kind, function()
      local options = { value = value, evaluation = { episodes = 0 } }
      assert(small(with(options, { name = "whole", steps = 512 })):train())
      local saved = assert(checkpoint.load(make_old(options, "program")))
      if saved.value then
        local opts = with(saved.value, { observation = saved.observation })
        if kind == "network" then opts.rng = trpo.rng(1) end
        assert.are.same(saved.value, trpo.value(opts):options())
      end
      assert(quietly(small(with(options, { name = "program", steps = 512, resume = true }))))
      make_old(options, "command")
      local run = assert(require("trpo.origin").of_folder(scratch .. "/command", true))
      run:set { steps = 512, resume = true }
      run.folder = scratch .. "/command"
      assert(quietly(run))
      for _, name in ipairs { "program", "command" } do
        command.remove(("%s/%s/checkpoints/iteration-00000004.safetensors"):format(scratch, name))
        assert.are.same(run_folder.all(scratch .. "/whole"), run_folder.all(scratch .. "/" .. name))
      end
    end)
  end
end)
