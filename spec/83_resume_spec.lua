-- Runs that stop and go on: the same bits as if they had never stopped, whatever stopped them.
local command = require "support.command"
local disk = require "trpo.disk"
local json = require "trpo.json"
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
    env = "CartPole-v1", policy = { hidden = { 8 } }, value = { hidden = { 8 }, epochs = 2 },
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
      value = { hidden = { 4 }, precision = "double", rescale_targets = false, epochs = 1 } },
    ["with part of the Fisher matrix"] = { algorithm = trpo.TRPO { fisher_fraction = 0.25, gamma = 1, lambda = 1 } },
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

-- starts a script in the scratch folder; `await` gives its exit code and signal, killing it after some milliseconds
local function start(script, arguments)
  local err = assert(uv.fs_open(scratch .. "/err", "a", 420))
  local child = {}
  local args = { script, unpack(arguments) }
  child.handle, child.pid = uv.spawn("luajit", { args = args, cwd = scratch, stdio = { nil, err, err } },
    function(code, signal) child.code, child.signal = code, signal end)
  uv.fs_close(err)
  return child
end

local function await(child, milliseconds)
  local timer = uv.new_timer()
  if milliseconds then
    timer:start(milliseconds, 0, function() uv.process_kill(child.handle, "sigkill") end)
  end
  while not child.code do uv.run "once" end
  timer:close()
  child.handle:close()
  uv.run "nowait"
  return child.code, child.signal
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
  env = trpo.env(lanes), policy = { hidden = { 8 } }, value = { hidden = { 8 }, epochs = 2 },
  steps = 64 * 60, lanes = 2, horizon = 32, seed = 5, evaluation = { episodes = 4, every = 7 },
  on_episode = function(episode, run) run.memory.sum = (run.memory.sum or 0) + episode.reward end,
  on_iteration = function(record, run) record["user/sum"] = run.memory.sum or 0 end,
}
return run:main(...)
]]

  it("at 20 random instants ends with the same bits as one that was left alone", function()
    command.write(scratch .. "/child.lua", script)
    local begin = uv.hrtime()
    assert.are.equal(0, (await(start("child.lua", { "--name", "whole", "-q", "--set", "checkpoint.every=1" }))))
    local whole, undisturbed = run_folder.all(scratch .. "/runs/whole"), (uv.hrtime() - begin) / 1e6
    local instants = trpo.rng(20)
    local kills, round, wanted = 0, 0, command.sanitized and 4 or 20
    while kills < wanted do
      round = round + 1
      local name = "killed" .. round
      local arguments = { "--name", name, "-q", "--resume", "--set", "checkpoint.every=" .. (1 + round % 3),
        "--set", "checkpoint.keep=2" }
      -- some kills come while the process still starts, most while it trains
      local code, signal
      repeat
        local instant = kills < wanted and instants:uniform(0, 0.6 * undisturbed) or nil
        code, signal = await(start("child.lua", arguments), instant and math.floor(instant))
        if signal == 9 then kills = kills + 1 end
        assert.is_true(signal == 9 or code == 0, ("exit code %d, signal %d: %s")
          :format(code, signal, command.read(scratch .. "/err")))
      until signal ~= 9
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
