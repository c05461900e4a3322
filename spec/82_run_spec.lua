-- A run with all that belongs to it: callbacks, evaluations that decide, and the commands that go on and evaluate.
local checkpoint = require "trpo.checkpoint"
local command = require "support.command"
local disk = require "trpo.disk"
local json = require "trpo.json"
local run_folder = require "support.run_folder"
local trpo = require "trpo"
local uv = require "luv"

local scratch

before_each(function()
  scratch = command.scratch()
  command.write(scratch .. "/quick.lua", command.quick_script 'name = "quick",')
end)
after_each(function() command.remove(scratch) end)

local function run(arguments) return command.run(scratch, arguments) end

local function shell(text) return command.shell(scratch, text) end

local function path(name) return scratch .. "/runs/" .. name end

local function read_json(file) return json.decode(command.read(file)) end

-- each case is { arguments, exit code, a part of the only sentence }
local function refuses(cases)
  for _, case in ipairs(cases) do
    local out, err, code = run(case[1])
    assert.are.equal(case[2], code, case[1] .. " says\n" .. err)
    assert.are.equal("", out)
    assert.is_truthy(err:find(case[3], 1, true), case[1] .. " says\n" .. err)
    assert.is_nil(err:find("stack traceback", 1, true))
  end
end

-- a small run; options win
local function small(options)
  local defaults = {
    env = "CartPole-v1", policy = { hidden = { 8 } }, value = { hidden = { 8 } },
    steps = 640, lanes = 2, horizon = 64, seed = 3, evaluation = { episodes = 3 }, dir = scratch .. "/runs", name = "small",
  }
  for key, value in pairs(options or {}) do defaults[key] = value end
  return trpo.experiment(defaults)
end

describe("on_episode", function()
  it("is called for each episode of training, after its iteration", function()
    local rows, iteration = {}, 0
    local result = assert(small {
      on_episode = function(episode, given)
        rows[#rows + 1] = ("%.17g,%.17g"):format(episode.reward, episode.length)
        assert(episode.index == #rows and given.policy and episode.reward == episode.length)
      end,
      on_iteration = function(record)
        -- the episodes come first
        iteration = iteration + 1
        record["user/episodes"] = #rows
      end,
    }:train())
    assert.are.same(run_folder.monitor(result.dir), rows)
    assert.is_true(#rows > 10)
    assert.are.equal(5, iteration)
    local csv = run_folder.csv(result.dir)
    assert.are.equal(tostring(#rows), csv[5]["user/episodes"])
    assert.is_truthy(csv[1]["user/episodes"])
  end)

  it("that fails, fails the run with its traceback", function()
    local result, message, code = small { on_episode = function() error "no such luck" end }:train()
    assert.is_nil(result)
    assert.are.equal("callback", code)
    local expected = "^on_episode: spec/82_run_spec.lua:%d+: no such luck\nstack traceback:"
    assert.is_truthy(message:find(expected), message)
    assert.are.equal("callback", read_json(path "small" .. "/status.json").code)
    -- what is raised need not be a text
    for _, raised in ipairs { false, setmetatable({}, { __tostring = function() return "an object" end }) } do
      result, message = small { dir = false, on_episode = function() error(raised or nil) end }:train()
      assert.is_nil(result)
      expected = ("^on_episode: %s\nstack traceback:.*82_run_spec.lua:%%d+"):format(raised and "an object" or "nil")
      assert.is_truthy(message:find(expected), message)
    end
  end)

  it("may be given to run:train, which goes before the experiment's", function()
    local mine, theirs = 0, 0
    local callbacks = { on_episode = function() mine = mine + 1 end }
    assert(small { dir = false, on_episode = function() theirs = theirs + 1 end }:train(callbacks))
    assert.is_true(mine > 0 and theirs == 0)
  end)
end)

describe("on_iteration", function()
  it("adds columns", function()
    local result = assert(small():train {
      on_iteration = function(record)
        record["user/square"] = record["time/iterations"] ^ 2
        if record["time/iterations"] == 3 then record["user/late"] = 1 / 3 end
      end,
    })
    local csv, jsonl = run_folder.csv(result.dir), run_folder.jsonl(result.dir)
    assert.are.equal("16", csv[4]["user/square"])
    -- columns are those of the first record
    assert.is_nil(csv[3]["user/late"])
    assert.are.equal(("%.17g"):format(1 / 3), jsonl[3]["user/late"])
    assert.are.equal(25, result["user/square"])
  end)

  it("cannot add what is no number", function()
    for _, value in ipairs { "text", {}, true } do
      local result, message, code = small { dir = false }:train { on_iteration = function(record) record.mine = value end }
      assert.is_nil(result)
      assert.are.equal("callback", code)
      assert.are.equal(("on_iteration: record['mine'] must be a number, got %s"):format(type(value)), message)
    end
  end)

  it("cannot change how far the run is", function()
    for _, name in ipairs { "time/iterations", "time/total_timesteps", "time/time_elapsed", "time/fps" } do
      for _, value in ipairs { 0, 0 / 0, "text", false } do
        local result, message, code = small { dir = false }:train {
          on_iteration = function(record) record[name] = value or nil end,
        }
        assert.is_nil(result)
        assert.are.same({ "callback", ("on_iteration: record['%s'] must stay as it is"):format(name) }, { code, message })
      end
    end
  end)

  it("stops by the word for it, goes on without an answer, and anything else is an error", function()
    for answer, status in pairs { [false] = "done", stop = "stopped" } do
      assert.are.equal(status, assert(small { dir = false, on_iteration = function() return answer end }:train()).status)
    end
    for _, case in ipairs { { true, "true" }, { 0, "0" }, { {}, "a table" }, { "STOP", "the string 'STOP'" } } do
      local result, message, code = small { dir = false, on_iteration = function() return case[1] end }:train()
      assert.is_nil(result)
      assert.are.same({ "callback", "on_iteration: it must return 'stop' to end training, or nothing, got " .. case[2] },
        { code, message })
    end
  end)
end)

describe("a callback", function()
  it("cannot train its own run, or another one in the same folder", function()
    local function itself(_, this) return this:train() end
    local cases = {
      { {}, itself, "busy", "the run is being trained: a callback cannot train it, too" },
      { { dir = false }, itself, "busy", "the run is being trained: a callback cannot train it, too" },
      { {}, function() return small { overwrite = true }:train() end, "exists",
        "small is not overwritten: process %d+ is at work there" },
      { {}, function() return small { resume = true }:train() end, "busy",
        "small cannot be resumed: process %d+ is at work there" },
    }
    for i, case in ipairs(cases) do
      local options, asked = case[1], 0
      options.overwrite = true
      function options.on_iteration(...)
        local inner, message, code = case[2](...)
        assert.is_nil(inner)
        assert.are.equal(case[3], code)
        assert.is_truthy(message:find(case[4]), message)
        asked = asked + 1
      end
      local result, message = small(options):train()
      assert(result, message)
      assert.are.same({ "done", 5, 5 }, { result.status, result.iterations, asked }, i)
    end
  end)

  it("may train another run", function()
    local inner
    local result = assert(small { on_iteration = function()
      inner = inner or assert(small { name = "inner" }:train())
    end }:train())
    assert.are.same({ "done", "done", result["eval/mean_reward"] },
      { result.status, inner.status, inner["eval/mean_reward"] })
  end)

  it("cannot change the run, and nothing is lost with the attempt", function()
    local given = small()
    local result, message, code = given:train { on_iteration = function(_, this) this:set("steps", 1e6) end }
    assert.is_nil(result)
    assert.are.equal("callback", code)
    assert.is_truthy(message:find("run:set: nothing can be changed while the run is trained", 1, true), message)
    assert.are.equal(640, given.config.steps)
    assert.is_userdata(given.policy)
    given:set("steps", 128):set("overwrite", true)
    assert.are.equal(1, assert(given:train()).iterations)
  end)
end)

describe("an option of a run", function()
  it("is refused in one sentence when it is wrong", function()
    local cases = {
      { { on_episode = 3 }, "trpo.experiment: on_episode must be a function, got 3" },
      { { on_iteration = "stop" }, "trpo.experiment: on_iteration must be a function, got the string 'stop'" },
      { { checkpoint = 3 }, "trpo.experiment: checkpoint must be a table of options, got 3" },
      { { checkpoint = { every = -1 } }, "trpo.experiment: checkpoint.every must be an integer >= 0, got -1" },
      { { checkpoint = { every = 1.5 } }, "trpo.experiment: checkpoint.every must be an integer >= 0, got 1.5" },
      { { checkpoint = { seconds = 0 / 0 } }, "trpo.experiment: checkpoint.seconds must be a number >= 0, got NaN" },
      { { checkpoint = { keep = 0 } }, "trpo.experiment: checkpoint.keep must be an integer >= 1, got 0" },
      { { checkpoint = { save_freq = 3 } }, "unknown option 'checkpoint.save_freq', did you mean 'checkpoint.every'?" },
      { { checkpoint = { secs = 3 } }, "trpo.experiment: unknown option 'checkpoint.secs'" },
      { { resume = "runs/x" }, "trpo.experiment: resume must be true or false, got the string 'runs/x'" },
      { { resume = true, dir = false }, "trpo.experiment: resume needs a folder, and dir is false" },
      { { resume = true, overwrite = true }, "trpo.experiment: resume goes on and overwrite begins anew; give one of them" },
      { { evaluation = { reward_threshold = "high" } },
        "trpo.experiment: evaluation.reward_threshold must be a number, got the string 'high'" },
      { { evaluation = { reward_threshold = 1, episodes = 0 } },
        "trpo.experiment: evaluation.reward_threshold needs evaluations, and evaluation.episodes is 0" },
      { { evaluation = { save_best = 1 } }, "trpo.experiment: evaluation.save_best must be true or false, got 1" },
    }
    for _, case in ipairs(cases) do
      local ok, message = pcall(small, case[1])
      assert.is_false(ok)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
    for _, value in ipairs { 0, -1, 0 / 0, "long" } do
      local ok, message = pcall(function() small():train { max_seconds = value } end)
      assert.is_false(ok)
      assert.is_truthy(message:find("run:train: max_seconds must be a number > 0, got ", 1, true), message)
    end
    local ok, message = pcall(function() small { dir = false }:train { max_seconds = 1 } end)
    assert.is_false(ok)
    assert.is_truthy(message:find("82_run_spec.lua:%d+: run:train: max_seconds needs a folder for the checkpoint, and dir "
      .. "is false$"), message)
  end)
end)

describe("a run whose first files cannot be written", function()
  local folder = require "trpo.folder"
  local write_json = folder.write_json

  for what, fail in pairs {
    ["fails"] = function() return nil, "cannot write config.json", "io" end,
    ["fails with what was raised"] = function() error "cannot write config.json" end,
  } do
    it(what .. ", says so in its folder and lets it go", function()
      for _, options in ipairs { {}, { resume = true } } do
        options.name = "first" .. (options.resume and "-resumed" or "")
        finally(function() folder.write_json = write_json end)
        function folder:write_json(name, ...)
          if name == "config.json" then return fail() end
          return write_json(self, name, ...)
        end
        local run_of = small(options)
        local result, message, code = run_of:train()
        assert.is_nil(result)
        assert.is_truthy(message:find("cannot write config.json", 1, true), message)
        assert.are.equal(what == "fails" and "io" or "error", code)
        assert.are.equal("failed", run_of.result.status)
        local status = read_json(path(options.name) .. "/status.json")
        assert.are.same({ "failed", code, message }, { status.status, status.code, status.message })
        folder.write_json = write_json
        assert.are.equal("done", assert(small(options):train()).status)
      end
    end)
  end
end)

describe("a reward threshold", function()
  it("ends training at the evaluation that reaches it", function()
    local rewards = {}
    local function remember(record) rewards[#rewards + 1] = record["eval/mean_reward"] or false end
    local options = { evaluation = { episodes = 3, every = 2 }, steps = 2560 }
    assert(small(options):train { on_iteration = remember })
    local threshold, iteration
    for i, reward in ipairs(rewards) do
      if reward and i >= 6 and not threshold then threshold = reward end
    end
    for i, reward in ipairs(rewards) do
      if reward and reward >= threshold and not iteration then iteration = i end
    end
    options.evaluation.reward_threshold, options.name = threshold, "early"
    local result = assert(small(options):train())
    assert.are.same({ "done", "reward_threshold", iteration }, { result.status, result.reason, result.iterations })
    assert.are.equal(rewards[iteration], result["eval/mean_reward"])
    local status = read_json(result.dir .. "/status.json")
    assert.are.same({ "done", "reward_threshold" }, { status.status, status.reason })
    -- nothing is left to do, until more is asked for
    options.resume = true
    assert.is_true(assert(small(options):train()).idle)
    options.evaluation.reward_threshold = 1e6
    assert.are.equal(20, assert(small(options):train()).iterations)
  end)
end)

describe("the best model", function()
  it("is that of the best evaluation", function()
    local best, theta, given = -math.huge, nil, small { steps = 2560, evaluation = { episodes = 3, every = 1 } }
    local result = assert(given:train {
      on_iteration = function(record, this)
        if record["eval/mean_reward"] > best then
          best, theta = record["eval/mean_reward"], this.policy:theta():totable()
        end
      end,
    })
    assert.are.equal(best, result.best.reward)
    local policy = assert(trpo.load_policy(result.dir .. "/checkpoints/best.safetensors"))
    assert.are.same(theta, policy:theta():totable())
    given.policy = policy
    assert.are.equal(best, assert(given:evaluate()).mean_reward)
  end)

  it("is not kept when that is not wanted, or nothing was evaluated", function()
    for i, evaluation in ipairs { { episodes = 3, save_best = false }, { episodes = 0 } } do
      local result = assert(small { name = "run" .. i, evaluation = evaluation }:train())
      assert.are.same({ "iteration-00000005.safetensors" }, disk.names(result.dir .. "/checkpoints"))
      local _, err, code = run("eval --best runs/run" .. i)
      assert.are.equal(1, code)
      assert.are.equal(("trpo: runs/run%d has no best.safetensors: no evaluation was made yet, or "
        .. "evaluation.save_best is false\n"):format(i), err)
    end
  end)

  it("that cannot be written fails the run in one sentence", function()
    local place = path "small" .. "/checkpoints/best.safetensors"
    for _, every in ipairs { 0, 1 } do
      local result, message, code = small {
        evaluation = { episodes = 1, every = 1 }, checkpoint = { every = every }, overwrite = true,
        -- a folder of that name
        on_iteration = function() assert(disk.make(place)) end,
      }:train()
      assert.is_nil(result)
      assert.are.equal("io", code)
      assert.are.equal(("cannot write '%s': it is a directory"):format(place), message)
      local status = read_json(path "small" .. "/status.json")
      assert.are.same({ "failed", "io", message }, { status.status, status.code, status.message })
    end
  end)

  it("is kept where a file has one name only", function()
    local linked = uv.fs_link
    finally(function() uv.fs_link = linked end)
    uv.fs_link = function() return nil, "EPERM: operation not permitted", "EPERM" end
    -- iteration 2 is the best
    local function judged(record) record["eval/mean_reward"] = record["time/iterations"] == 2 and 1e6 or 0 end
    local options = { evaluation = { episodes = 1, every = 1 }, on_iteration = judged, steps = 256 }
    assert(small(options):train())
    -- as if the run had been killed in between
    assert(uv.fs_unlink(path "small" .. "/checkpoints/best.safetensors"))
    options.steps, options.resume = 640, true
    local result, message = require("trpo.training").run(small(options), {}, { say = function() end })
    assert(result, message)
    assert.are.same({ 5, 2 }, { result.iterations, result.best.iteration })
    assert.are.equal(2, assert(checkpoint.load(result.dir .. "/checkpoints/best.safetensors")).counters.iterations)
  end)
end)

describe("checkpoints", function()
  local function names(result)
    local list = disk.names(result.dir .. "/checkpoints")
    table.sort(list)
    return table.concat(list, " "):gsub("iteration%-0*", ""):gsub("%.safetensors", "")
  end

  it("come after so many iterations, and at the end; the newest stay", function()
    local options = { checkpoint = { every = 2, keep = 10 } }
    assert.are.equal("best 2 4 5", (names(assert(small(options):train()))))
    options = { checkpoint = { every = 1, keep = 2 }, overwrite = true }
    assert.are.equal("best 4 5", (names(assert(small(options):train()))))
    -- the clock is always past so little
    options = { checkpoint = { seconds = 1e-9, keep = 10 }, overwrite = true }
    assert.are.equal("best 1 2 3 4 5", (names(assert(small(options):train()))))
    options = { checkpoint = { seconds = 0, keep = 10 }, overwrite = true }
    assert.are.equal("best 5", (names(assert(small(options):train()))))
  end)

  it("change no numbers", function()
    local without = assert(small { name = "without", checkpoint = { seconds = 0 } }:train())
    local with = assert(small { name = "with", checkpoint = { every = 1 } }:train())
    assert.are.same(run_folder.csv(without.dir), run_folder.csv(with.dir))
  end)
end)

describe("the files of a run", function()
  it("tell how it was made", function()
    local _, err, code = shell 'mkdir "a b"; cd "a b"; TRPO_SEED=5 "$trpo" train ../quick.lua -q --set "policy.hidden=4, 4"'
    assert.are.equal(0, code, err)
    local folder = scratch .. "/a b/runs/quick"
    local config = read_json(folder .. "/config.json")
    assert.are.equal(disk.exists(config.script) and config.script:match "[^/]+$", "quick.lua")
    assert.are.equal(5, config.seed)
    local lines = {}
    for line in io.lines(folder .. "/command.txt") do lines[#lines + 1] = line end
    assert.is_truthy(lines[1]:find "^# %d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$")
    assert.is_truthy(lines[2]:find("^cd '.*/a b'$"), lines[2])
    assert.is_truthy(lines[3]:find("TRPO_SEED=5 ", 1, true), lines[3])
    assert.are.equal("trpo train ../quick.lua -q --set 'policy.hidden=4, 4'", lines[3]:match "trpo train.*")
    -- what is written there can be typed
    command.write(scratch .. "/again.sh", command.read(folder .. "/command.txt"))
    _, err, code = shell [[trpo() { "$trpo" "$@" --overwrite; }; . ./again.sh]]
    assert.are.equal(0, code, err)
  end)

  it("belong to one of several processes that begin the same run at once", function()
    local out, err = shell([[for i in 1 2 3 4 5 6; do
(luajit quick.lua -q --steps 1280 >out.$i 2>err.$i; echo $?) & done; wait]])
    local done, refused = 0, 0
    for code in out:gmatch "%d" do
      if code == "0" then done = done + 1 else refused = refused + 1 end
    end
    -- whoever comes when it is over is refused as well
    assert.are.same({ 1, 5 }, { done, refused }, out .. err)
    assert.are.equal(5, tonumber((shell "cat err.* | grep -c 'the run folder runs/quick exists already'")))
    assert.are.equal(10, #run_folder.csv(path "quick"))
  end)

  it("are those that the documents name", function()
    local result = assert(small():train())
    assert.are.same({ "checkpoints", "checkpoints/best.safetensors", "checkpoints/iteration-00000005.safetensors",
      "command.txt", "config.json", "events.out.tfevents", "monitor.csv", "progress.csv", "progress.jsonl", "status.json" },
      run_folder.names(result.dir))
  end)
end)

describe("trpo train --resume", function()
  it("goes on in a folder, with the script and the options that were in force", function()
    assert.are.equal(0, select(3, run "train quick.lua -q --name whole --steps 512 --set delta=0.02"))
    assert.are.equal(0, select(3, run "train quick.lua -q --name parts --set delta=0.02"))
    local out, err, code = run "train --resume runs/parts/ --steps 512"
    assert.are.equal(0, code, err)
    assert.is_truthy(err:find("trpo: going on with runs/parts after 2 iterations (256 steps)\niteration    3", 1, true), err)
    assert.is_truthy(out:find("512 steps in 4 iterations, %d+%.%d s; files in runs/parts"), out)
    local last = "/checkpoints/iteration-00000004.safetensors"
    assert.are.same(run_folder.checkpoint(path "whole" .. last).tensors, run_folder.checkpoint(path "parts" .. last).tensors)
    assert.are.same(run_folder.monitor(path "whole"), run_folder.monitor(path "parts"))
    -- and once more
    out, err, code = run "train --resume runs/parts"
    assert.are.equal(0, code, err)
    assert.are.equal("trpo: nothing is left to do: runs/parts is done after 4 iterations (512 steps); more steps go on\n", err)
    assert.is_truthy(out:find "^mean reward %S+ %(std %S+%) over 3 evaluation episodes\n")
    -- other programs get the last numbers again
    out, err, code = run "train --resume runs/parts --json -q"
    assert.are.equal(0, code, err)
    assert.are.same(run_folder.jsonl(path "parts")[4]["eval/mean_reward"],
      ("%.17g"):format(json.decode(out)["eval/mean_reward"]))
    -- nothing was done, so nothing is added
    assert.are.equal(1, select(2, command.read(path "parts" .. "/command.txt"):gsub("train %-%-resume", "")))
  end)

  it("goes on with the run of that name, or begins it", function()
    for steps = 128, 512, 128 do
      local _, err, code = run("train quick.lua -q --resume --steps " .. steps)
      assert.are.equal(0, code, err)
      assert.are.equal("", err)
    end
    assert.are.equal(4, #run_folder.csv(path "quick"))
    local _, err, code = shell("luajit quick.lua -q --resume --steps 640 && TRPO_RESUME=true luajit quick.lua -q --steps 768")
    assert.are.equal(0, code, err)
    assert.are.equal(6, #run_folder.csv(path "quick"))
    -- a folder of another name, and elsewhere
    _, err, code = shell 'mv runs/quick moved; "$trpo" train quick.lua -q --resume moved --steps 896'
    assert.are.equal(0, code, err)
    assert.are.equal(7, #run_folder.csv(scratch .. "/moved"))
  end)

  it("goes on with environments of all origins, or says why it cannot", function()
    assert.are.equal(0, select(3, run "train Pendulum-v1 -q --steps 1 --name id --set evaluation.episodes=1"))
    local _, err, code = run "train --resume runs/id -q --steps 2049"
    assert.are.equal(0, code, err)
    assert.are.equal(2, #run_folder.csv(path "id"))

    command.write(scratch .. "/valley.lua", [[
local trpo = require "trpo"
return trpo.env {
  id = "CartPole-v1", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 10,
  reset = function(self, rng, obs) self.x = rng:uniform(-1, 1); obs[1] = self.x end,
  step = function(self, action, obs) obs[1] = self.x; return -math.abs(self.x), false end,
  save = function(self) return self.x end, restore = function(self, x) self.x = x end,
}]])
    assert.are.equal(0, select(3, run "train valley.lua -q --steps 1 --name script"))
    assert.are.equal(0, select(3, run "train valley -q --steps 1 --name module"))
    for _, name in ipairs { "script", "module" } do
      _, err, code = run("train -q --steps 2049 --resume runs/" .. name)
      assert.are.equal(0, code, err)
      assert.are.equal(2, #run_folder.csv(path(name)))
      assert.are.equal(0, select(3, run("eval runs/" .. name)))
    end
    -- a program that is no experiment's script
    command.write(scratch .. "/program.lua", [[
local trpo = require "trpo"
assert(trpo.experiment { env = dofile "valley.lua", steps = 1, name = "program" }:train())]])
    assert.are.equal(0, select(3, shell "luajit program.lua"))
    _, err, code = run "train --resume runs/program"
    assert.are.equal(1, code)
    assert.are.equal("trpo: the environment of runs/program (CartPole-v1) was described by a Lua program that is not "
      .. "recorded: train there with resume = true, or write 'trpo train FILE --resume runs/program' with a script that "
      .. "ends with 'return run:main(...)'\n", err)
    _, err, code = run "eval runs/program"
    assert.are.same({ 1, "trpo: the environment of runs/program (CartPole-v1) was described by a Lua program that is not "
      .. "recorded: play there, with run:evaluate or with trpo.load_policy 'runs/program'\n" }, { code, err })
    _, err, code = run "train valley.lua -q --resume runs/program --steps 2049"
    assert.are.equal(0, code, err)
    -- a program with callbacks: without them it would be another run, but they play no part in evaluations
    command.write(scratch .. "/counting.lua", [[
local trpo = require "trpo"
assert(trpo.experiment { env = "CartPole-v1", steps = 1, name = "counting", evaluation = { episodes = 1 } }:train {
  on_episode = function(episode, run) run.memory.count = episode.index end,
})]])
    assert.are.equal(0, select(3, shell "luajit counting.lua"))
    _, err, code = run "train --resume runs/counting"
    assert.are.equal(1, code)
    assert.are.equal("trpo: the callbacks of runs/counting were given by a Lua program that is not recorded: train there "
      .. "with resume = true, or write 'trpo train FILE --resume runs/counting' with a script that ends with "
      .. "'return run:main(...)'\n", err)
    assert.are.equal(0, select(3, run "eval runs/counting"))
    -- now there is one; it goes away
    _, err, code = shell 'mv valley.lua elsewhere.lua; "$trpo" train --resume runs/script'
    assert.are.equal(1, code)
    assert.is_truthy(err:find("^trpo: the script of runs/script, .*/valley.lua, is not there any more; "
      .. "'trpo train FILE %-%-resume runs/script' goes on with it elsewhere\n$"), err)
    -- what helps is another thing where nothing is trained
    _, err, code = run "eval runs/script"
    assert.are.equal(1, code)
    assert.is_truthy(err:find("^trpo: the script of runs/script, .*/valley.lua, is not there any more, and it described the "
      .. "environment %(CartPole%-v1%): put it back, or play with trpo.load_policy 'runs/script' in a program\n$"), err)
  end)

  it("plays without the script where the environment has a name", function()
    command.write(scratch .. "/soon_gone.lua", command.quick_script 'name = "kept"')
    assert.are.equal(0, select(3, run "train soon_gone.lua -q"))
    local before = run "eval runs/kept"
    local out, err, code = shell 'rm soon_gone.lua; "$trpo" eval runs/kept'
    assert.are.same({ before, "", 0 }, { out, err, code })
    assert.are.equal(1, select(3, run "train --resume runs/kept"))
  end)

  it("says which options an edited script would change, and that it does not", function()
    command.write(scratch .. "/edited.lua", command.quick_script 'name = "edited"')
    assert.are.equal(0, select(3, run "train edited.lua -q --seed 3 --steps 128"))
    command.write(scratch .. "/edited.lua", (command.quick_script 'name = "edited"':gsub("delta = 0.03", "delta = 0.04")))
    local _, err, code = run "train --resume runs/edited -q --steps 192"
    assert.are.same({ 0, ("trpo: the same numbers are not promised any more: %s/edited.lua has changed\n"
      .. "trpo: the options are those of the run, not those of the edited script: algorithm.delta is 0.03 (the script has "
      .. "0.04), seed is 3 (the script has 11), steps is 192 (the script has 256)\n"):format(uv.fs_realpath(scratch)) },
      { code, err })
    -- an edit that changes no option leaves nothing to say of them
    _, err = shell [[echo '-- a remark' >> edited.lua; sed -i 's/0.04/0.03/; s/steps = 256/steps = 256/' edited.lua
      "$trpo" train --resume runs/edited -q --set delta=0.03 --steps 256]]
    assert.is_nil(err:find("algorithm.delta", 1, true), err)
  end)

  -- a walk; options go in front of its definition
  local function write_walk(name, id)
    command.write(name, ([[
local trpo = require "trpo"
return trpo.env {
  id = "%s", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 10,
  reset = function(self, rng, obs) self.x = rng:uniform(-1, 1); obs[1] = self.x end,
  step = function(self, action, obs) obs[1] = self.x; return -math.abs(self.x), false end,
  save = function(self) return self.x end, restore = function(self, x) self.x = x end,
}]]):format(id))
  end

  it("finds the module of an environment from any folder, or says where it was", function()
    shell "mkdir -p project/envs project/scripts elsewhere/envs"
    write_walk(scratch .. "/project/envs/walk.lua", "Walk-v0")
    command.write(scratch .. "/project/scripts/walk.lua", [[
local trpo = require "trpo"
return trpo.experiment { env = "envs.walk", steps = 1, name = "script", evaluation = { episodes = 1 } }:main(...)]])
    assert.are.equal(0, select(3, shell [[cd project; "$trpo" train envs.walk -q --steps 1 --name module
      "$trpo" train scripts/walk.lua -q]]))
    assert.are.equal(uv.fs_realpath(scratch .. "/project/envs/walk.lua"),
      read_json(scratch .. "/project/runs/module/config.json").module)
    for _, name in ipairs { "module", "script" } do
      local _, err, code = shell(([[cd elsewhere; "$trpo" train --resume ../project/runs/%s --steps 2049 -q &&
        "$trpo" eval ../project/runs/%s --episodes 1]]):format(name, name))
      assert.are.same({ 0, "" }, { code, err })
      assert.are.equal(2, #run_folder.csv(scratch .. "/project/runs/" .. name))
    end
    -- it goes away, and comes back where modules are looked for
    local _, err, code = shell [[mv project/envs/walk.lua kept.lua; cd elsewhere; "$trpo" eval ../project/runs/module]]
    assert.are.equal(1, code)
    assert.is_truthy(err:find("^trpo: the environment of %.%./project/runs/module, the module 'envs%.walk', is not found; it "
      .. "was /.*/project/envs/walk%.lua, which is not there any more: put it back, or where LUA_PATH looks\n$"), err)
    assert.are.equal(0, select(3, shell [[mv kept.lua elsewhere/envs/walk.lua; cd elsewhere
      "$trpo" eval ../project/runs/module --episodes 1]]))
  end)

  it("knows that a program has made an environment that it called by its id", function()
    write_walk(scratch .. "/walk.lua", "Registered-v0")
    command.write(scratch .. "/program.lua", [[
local trpo = require "trpo"
dofile "walk.lua"
assert(trpo.experiment { env = "Registered-v0", steps = 1, name = "program", evaluation = { episodes = 1 } }:train())]])
    assert.are.equal(0, select(3, shell "luajit program.lua"))
    local _, err, code = run "train --resume runs/program"
    assert.are.equal(1, code)
    assert.is_truthy(err:find("^trpo: the environment of runs/program %(Registered%-v0%) was described by a Lua program"), err)
  end)

  it("leaves the files of a run that is over as they are, and tells what they say", function()
    local function sums()
      return (command.shell(scratch, "find runs/over -type f -printf '%p %T@ ' -exec sha256sum {} + | sort"))
    end
    local out, err, code = run("train CartPole-v1 -q --steps 4097 --name over --set evaluation.episodes=5 "
      .. "--set checkpoint.every=1")
    assert.are.equal(4, #disk.names(scratch .. "/runs/over/checkpoints"))
    assert.are.equal(0, code, err)
    local reward = out:match "^mean reward [^\n]* over 5 evaluation episodes\n"
    assert.is_truthy(reward, out)
    local before = sums()
    for _, set in ipairs { "--set evaluation.episodes=3", "--steps 4097 --json", "--set checkpoint.keep=1", "" } do
      out, err, code = run("train --resume runs/over " .. set)
      assert.are.same({ 0, "trpo: nothing is left to do: runs/over is done after 3 iterations (6144 steps); more steps go on\n" },
        { code, err })
      assert.are.equal(set:find "json" and "{" or reward, out:sub(1, set:find "json" and 1 or #reward))
      assert.are.equal(before, sums())
    end
    -- what goes on is evaluated anew
    out, err, code = run "train --resume runs/over -q --set evaluation.episodes=3 --steps 6145"
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find " over 3 evaluation episodes\n", out)
  end)

  it("says why a run ended before its steps were made", function()
    local set = "--set evaluation.reward_threshold=1 --set evaluation.every=1 --set evaluation.episodes=1"
    assert.is_truthy(run("train CartPole-v1 -q --steps 5000 --name early " .. set):find(
      "\n2048 of 5000 steps in 1 iteration (evaluation.reward_threshold was reached), ", 1, true))
    command.write(scratch .. "/stops.lua", command.quick_script 'on_iteration = function() return "stop" end')
    assert.is_truthy(run "train stops.lua -q":find("\n128 of 256 steps in 1 iteration (on_iteration stopped it), ", 1, true))
  end)

  it("says what goes on with a run that is over", function()
    local set = "--set evaluation.reward_threshold=%s --set evaluation.episodes=1"
    assert.are.equal(0, select(3, run("train CartPole-v1 -q --steps 1 --name reached " .. set:format "1")))
    local _, err, code = run "train --resume runs/reached --steps 4096 -q"
    assert.are.same({ 0, "trpo: nothing is left to do: runs/reached is done by reward_threshold after 1 iteration "
      .. "(2048 steps); another evaluation.reward_threshold goes on\n" }, { code, err })
    _, err, code = run("train --resume runs/reached --steps 4096 -q " .. set:format "501")
    assert.are.same({ 0, "" }, { code, err })
    _, err, code = run "train --resume runs/reached -q"
    assert.are.same({ 0, "trpo: nothing is left to do: runs/reached is done after 2 iterations (4096 steps); more steps go on\n" },
      { code, err })
  end)

  it("refuses in one sentence", function()
    assert.are.equal(0, select(3, run "train quick.lua -q"))
    command.write(scratch .. "/config.json", "[1]")
    shell 'mkdir hostile; printf "%s" \'{"env":{"id":3}}\' >hostile/config.json'
    shell [[mkdir wrong; printf '%s' '{"env":{"id":"CartPole-v1"},"script":3,"policy":{"hidden":"x"}}' >wrong/config.json]]
    local cases = {
      { "train --resume", 2, "missing argument 'file'" },
      { "train --resume nowhere", 2, "trpo: 'nowhere' is not the folder of a run (it has no config.json)" },
      { "train --resume quick", 2, "(it has no config.json), did you mean 'runs/quick'?" },
      { "train --resume runs/quick/checkpoints", 2, "(it has no config.json), did you mean 'runs/quick'?" },
      { "train --resume runs/quick/checkpoints/best.safetensors", 2, "(it has no config.json), did you mean 'runs/quick'?" },
      { "train runs/quick", 2, "trpo: 'runs/quick' is no script; 'trpo train --resume runs/quick' goes on with that run" },
      { "train runs/quick/checkpoints/best.safetensors", 2, "'trpo train --resume runs/quick' goes on with that run" },
      { "train --resume quick.lua", 2, "(it has no config.json): write 'trpo train quick.lua --resume'" },
      { "train quick.lua --resume nowhere", 2, "trpo: there is no run 'nowhere' to go on with" },
      { "train --resume .", 1, "trpo: cannot read ./config.json: it is not the configuration of a run" },
      { "train --resume hostile", 1, "trpo: cannot read hostile/config.json: it is not the configuration of a run" },
      { "train --resume wrong", 1, "trpo: wrong: policy.hidden must be a list" },
      { "train quick.lua --resume --overwrite", 2, "trpo: resume goes on and overwrite begins anew; give one of them" },
      { "train quick.lua --resume --dir false", 2, "trpo: resume needs a folder, and dir is false" },
      { "train quick.lua --resume --seed 4 --set gamma=0.5", 1, "trpo: runs/quick cannot be resumed: "
        .. "algorithm.gamma is 0.5 here and 0.99 in the checkpoint; seed is 4 here and 11 in the checkpoint" },
      { "train quick.lua", 1, "go on with it (--resume on the command line, resume = true in a script)" },
      { "train quick.lua --max-seconds 0", 2, "trpo: --max-seconds must be a number > 0, got '0'" },
      { "train quick.lua --max-seconds soon", 2, "trpo: --max-seconds must be a number > 0, got 'soon'" },
      { "train quick.lua --max-seconds 1 --dir false", 2, "trpo: --max-seconds needs a folder" },
    }
    refuses(cases)
  end)

  it("says when other numbers are to be expected on this machine, and remembers it", function()
    local info = trpo.info()
    if info.isa == "generic" then return pending "there is only one set of instructions here" end
    assert.are.equal(0, select(3, shell 'TRPO_ISA=generic "$trpo" train quick.lua -q'))
    local _, err, code = run "train --resume runs/quick -q --steps 512"
    assert.are.equal(0, code, err)
    assert.are.equal(("trpo: the same numbers are not promised any more: isa was generic and is %s\n"):format(info.isa), err)
    assert.is_false(read_json(path "quick" .. "/status.json").exact_resume)
  end)
end)

describe("a run that is stopped from outside", function()
  -- by SIGTERM, or after some time; then it goes on
  local function stopped(how, code, status)
    -- waits at its fifth iteration when it is told to
    command.write(scratch .. "/patient.lua", [[
local trpo = require "trpo"
local uv = require "luv"
local run = assert(trpo.load "quick.lua")
run:set { steps = 2560, ["evaluation.every"] = 1, name = os.getenv "PARTS" and "parts" or "whole" }
run.config.on_iteration = function(record)
  while os.getenv "PARTS" == "wait" and record["time/iterations"] == 5 and not trpo.signals.caught() do
    require "luv".sleep(1)
  end
end
return run:main(...)
]])
    assert.are.equal(0, select(3, run "train patient.lua -q"))
    local _, err, got = shell(how)
    assert.are.equal(code, got, err)
    assert.is_truthy(err:find("--resume goes on", 1, true), err)
    local said, now = err, read_json(path "parts" .. "/status.json")
    assert.are.equal(status, now.status)
    assert.is_true(now.iterations >= 1 and now.iterations <= 5)
    -- an iteration whose evaluation was interrupted is told of later
    local untold = now.iterations - #run_folder.csv(path "parts")
    assert.is_true(untold == 0 or untold == 1)
    _, err, got = shell 'PARTS=go "$trpo" train --resume runs/parts -q'
    assert.are.equal(0, got, err)
    for _, part in ipairs { "csv", "jsonl", "monitor", "events" } do
      assert.are.same(run_folder[part](path "whole"), run_folder[part](path "parts"), part)
    end
    local last = "/checkpoints/iteration-00000020.safetensors"
    assert.are.same(run_folder.checkpoint(path "whole" .. last), run_folder.checkpoint(path "parts" .. last))
    return said
  end

  it("by a signal has a checkpoint and goes on to the same bits", function()
    stopped([[PARTS=wait "$trpo" train patient.lua --json 2>complaints >records & pid=$!
]] .. command.await "[ -s records ]" .. "kill -TERM $pid; wait $pid; code=$?; cat complaints >&2; exit $code",
      143, "interrupted")
  end)

  it("by --max-seconds has a checkpoint, too, and exits with 75", function()
    local err = stopped([[PARTS=go "$trpo" train patient.lua -q --max-seconds 0.00001]], 75, "paused")
    assert.are.equal("trpo: paused after 1 iteration (128 steps), the last one still to be evaluated; --resume goes on with "
      .. "runs/parts\n", err)
  end)
end)

describe("a folder that is moved or removed", function()
  -- trains, and does something with the folder after the third iteration
  local function disturbed(checkpoints, disturb)
    return small { checkpoint = { every = checkpoints } }:train {
      on_iteration = function(record)
        if record["time/iterations"] == 3 then disturb(path "small") end
      end,
    }
  end

  it("ends the run, which would write where nobody finds it", function()
    for _, every in ipairs { 0, 1 } do
      local result, message, code = disturbed(every, disk.remove)
      assert.are.same({ nil, "io" }, { result, code })
      assert.is_truthy(message:find("^'.*/small/[^/]+' was moved or removed while the run was writing it$"), message)
      assert.is_false(disk.exists(path "small"))
    end
  end)

  it("goes on from its last checkpoint elsewhere", function()
    assert(small { name = "whole" }:train())
    local result, _, code = disturbed(1, function(place) assert(uv.fs_rename(place, path "elsewhere")) end)
    assert.are.same({ nil, "io" }, { result, code })
    assert.are.equal("done", assert(small { name = "elsewhere", resume = true }:train()).status)
    assert.are.same(run_folder.csv(path "whole"), run_folder.csv(path "elsewhere"))
  end)

  it("is noticed by a single file, too", function()
    local _, message, code = disturbed(0, function(place) os.rename(place .. "/progress.csv", place .. "/kept.csv") end)
    assert.are.equal("io", code)
    assert.is_truthy(message:find("/small/progress.csv' was moved or removed while the run was writing it", 1, true), message)
    assert.are.equal("failed", read_json(path "small" .. "/status.json").status)
  end)
end)

describe("a disk that does not answer", function()
  it("ends the run with what is wrong, and does not say that something was moved", function()
    assert(small { name = "whole" }:train())
    local stat = uv.fs_stat
    finally(function() uv.fs_stat = stat end)
    for what, ending in pairs {
      ["cannot look at a file that is being written: "] = "/small/progress.csv", -- the log, before a checkpoint
      ["cannot look at the folder of the run: "] = "/small", -- for the checkpoint
    } do
      local result, message, code = small { checkpoint = { every = 1 }, overwrite = true }:train {
        on_iteration = function(record)
          if record["time/iterations"] ~= 3 then return end
          -- as of a server of files that was started anew
          uv.fs_stat = function(name, ...)
            if name:sub(-#ending) ~= ending then return stat(name, ...) end
            return nil, "ESTALE: stale file handle: " .. name, "ESTALE"
          end
        end,
      }
      uv.fs_stat = stat
      assert.are.same({ nil, what .. "ESTALE: stale file handle: " .. path "small" .. ending:sub(7), "io" },
        { result, message, code })
      assert.are.equal("done", assert(small { resume = true }:train()).status)
      assert.are.same(run_folder.csv(path "whole"), run_folder.csv(path "small"))
    end
  end)
end)

describe("a disk", function()
  -- trains in a folder of its own that is a file system of few bytes; nil when there cannot be one
  local function on_small_disk(text)
    local mounted = shell "mkdir disk && mount -t tmpfs -o size=96k none disk 2>/dev/null && echo yes"
    if mounted ~= "yes\n" then return nil end
    local out, err, code = shell(text)
    return out, err, code
  end

  it("that fills up fails the run; what there was, is there, and it goes on when there is room", function()
    assert.are.equal(0, select(3, run "train quick.lua -q --name whole --steps 25600 --set checkpoint.every=2"))
    local out, err, code, _ = on_small_disk '"$trpo" train quick.lua -q --dir disk --steps 25600 --set checkpoint.every=2'
    if not out then
      print "skipped: no file system can be mounted here"
      return
    end
    finally(function() shell "umount disk" end)
    assert.are.equal(1, code)
    assert.is_truthy(err:find "^trpo: cannot write '?[^\n]*: [^\n]*[Nn]o space left on device[^\n]*\n$", err)
    local had = #disk.names(scratch .. "/disk/quick/checkpoints")
    assert.is_true(had >= 1)
    -- no room at all: a sentence again
    _, err, code = run "train --resume disk/quick -q"
    assert.are.equal(1, code)
    assert.is_truthy(err:find "^trpo: [^\n]*[Nn]o space left on device[^\n]*\n$", err)
    _, err, code = shell 'mount -o remount,size=10m disk && "$trpo" train --resume disk/quick -q'
    assert.are.equal(0, code, err)
    for _, part in ipairs { "csv", "jsonl", "monitor", "events" } do
      assert.are.same(run_folder[part](path "whole"), run_folder[part](scratch .. "/disk/quick"), part)
    end
  end)

  it("without permission fails the run in one sentence", function()
    assert.are.equal(0, select(3, run "train quick.lua -q --set checkpoint.keep=9"))
    -- the superuser may write everywhere
    local us = shell "id -u" == "0\n" and "setpriv --reuid=65534 --regid=65534 --clear-groups " or ""
    local _, _, able = shell("chmod -R a+rX . && " .. us .. "luajit -e 'require[[trpo.core]]'")
    if able ~= 0 then
      print "skipped: there is no other user to be"
      return
    end
    local before = run_folder.all(path "quick")
    local _, err, code = shell("chmod -R a-w runs; " .. us .. "luajit quick.lua -q --resume --steps 512")
    assert.are.equal(1, code)
    assert.is_truthy(err:find "^trpo: cannot write 'runs/quick/status.json': [^\n]*[Pp]ermission denied[^\n]*\n$", err)
    _, err, code = shell(us .. "luajit quick.lua -q --name other")
    assert.are.equal(1, code)
    assert.is_truthy(err:find "^trpo: cannot make the run folder: [^\n]*permission denied[^\n]*\n$", err)
    _, err, code = shell("chmod 0 runs/quick/checkpoints; " .. us .. "luajit quick.lua -q --resume --steps 512")
    assert.are.equal(1, code)
    assert.is_truthy(err:find "^trpo: cannot read the checkpoints: [^\n]*permission denied[^\n]*\n$", err)
    shell "chmod 700 runs/quick/checkpoints; chmod -R u+w runs"
    assert.are.same(before, run_folder.all(path "quick"))
  end)
end)

describe("trpo eval", function()
  it("plays with the policy of a run as run:evaluate does", function()
    local given = small { evaluation = { episodes = 4, every = 2 }, seed = 12 }
    assert(given:train())
    for _, case in ipairs {
      { "", {} }, { " --episodes 7", { episodes = 7 } }, { " --stochastic", { deterministic = false } },
      { " --seed 99 --deterministic", { seed = 99, deterministic = true } },
    } do
      local expected = assert(given:evaluate(case[2]))
      local out, err, code = run("eval --json runs/small" .. case[1])
      assert.are.equal(0, code, err)
      local got = json.decode(out)
      for name, value in pairs(expected) do assert.are.equal(value, got[name], name) end
      assert.are.same({ 5, 640 }, { got.trained_iterations, got.trained_steps })
    end
    local out = run "eval runs/small"
    assert.is_truthy(out:find("^mean reward %S+ %(std %S+, from %S+ to %S+%) over 4 deterministic episodes of %S+ steps in "
      .. "the mean\npolicy of runs/small/checkpoints/iteration%-00000005.safetensors, after 5 iterations %(640 steps%)\n$"),
      out)
  end)

  it("plays with the best policy, or with that of a certain checkpoint", function()
    local result = assert(small { evaluation = { episodes = 3, every = 1 }, checkpoint = { every = 1 }, steps = 1280 }:train())
    local out = run "eval --best --json runs/small"
    assert.are.equal(result.best.reward, json.decode(out).mean_reward)
    assert.are.equal(result.best.iteration, json.decode(out).trained_iterations)
    local rows = run_folder.jsonl(result.dir)
    for _, i in ipairs { 8, 9 } do
      out = run(("eval --json runs/small/checkpoints/iteration-%08d.safetensors"):format(i))
      assert.are.equal(rows[i]["eval/mean_reward"], ("%.17g"):format(json.decode(out).mean_reward))
    end
    -- alone, away from its folder
    local alone = shell([[cp runs/small/checkpoints/iteration-00000009.safetensors x.safetensors
"$trpo" eval --json x.safetensors]])
    assert.are.equal(json.decode(out).mean_reward, json.decode(alone).mean_reward)
  end)

  it("takes the checkpoint before a damaged one, and says so", function()
    assert(small { checkpoint = { every = 1 } }:train())
    command.write(path "small" .. "/checkpoints/iteration-00000005.safetensors", "x")
    local out, err, code = run "eval --json runs/small"
    assert.are.equal(0, code, err)
    assert.are.equal(4, json.decode(out).trained_iterations)
    assert.is_truthy(err:find("playing with runs/small/checkpoints/iteration-00000004.safetensors instead", 1, true), err)
    -- it is only looked at
    assert.is_true(disk.exists(path "small" .. "/checkpoints/iteration-00000005.safetensors"))
  end)

  it("refuses in one sentence", function()
    assert(small():train())
    shell "mkdir empty; echo x >x.safetensors; cp -r runs/small runs/bare; rm -r runs/bare/checkpoints"
    command.write(scratch .. "/def.lua", [[
local trpo = require "trpo"
local run = trpo.experiment { env = "Pendulum-v1" }
return run:main(...)]])
    shell [[cp -r runs/small runs/other; sed -i 's/CartPole-v1/Pendulum-v1/' runs/other/config.json]]
    local cases = {
      { "eval", 2, "missing argument 'run'" },
      { "eval nowhere", 2, "trpo: there is neither the folder of a run nor a checkpoint 'nowhere'" },
      { "eval empty", 2, "trpo: 'empty' is not the folder of a run (it has no config.json)" },
      { "eval x.safetensors", 1, "trpo: cannot read 'x.safetensors'" },
      { "eval quick.lua", 2, "trpo: 'quick.lua' is a script: give the folder" },
      { "eval runs/bare", 1, "trpo: runs/bare has no checkpoint" },
      { "eval runs/small --episodes 0", 2, "trpo: --episodes must be an integer in [1, 1000000], got 0" },
      { "eval runs/small --episodes few", 2, "trpo: --episodes must be an integer in [1, 1000000], got the string 'few'" },
      { "eval runs/small --seed -1", 2, "trpo: --seed must be an integer in [0, 2^53), got -1" },
      { "eval runs/small --stochastic --deterministic", 2, "trpo: give one of --deterministic and --stochastic" },
      { "eval --best runs/small/checkpoints/best.safetensors", 2, "trpo: --best needs the folder of a run" },
      { "eval runs/other", 1, "is not for Pendulum-v1: its observation space is" },
    }
    refuses(cases)
  end)
end)
