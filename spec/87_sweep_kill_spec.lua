-- A sweep that is killed again and again, it or its trials, finds the same as one that is left in peace.
local command = require "support.command"
local json = require "trpo.json"
local project = require "support.project"
local trpo = require "trpo"
local uv = require "luv"

local kills = { grid = command.sanitized and 6 or command.watched and 12 or 30,
  halving = command.sanitized and 2 or command.watched and 4 or 10 }
local scratch

setup(function()
  scratch = command.scratch()
  command.write(scratch .. "/small.lua", [[
local trpo = require "trpo"
return trpo.experiment {
  env = "CartPole-v1", policy = { hidden = { 8 } }, value = { hidden = { 8 }, optimizer = "adam", epochs = 1 },
  steps = 32 * 40, lanes = 2, horizon = 16, checkpoint = { every = 2, keep = 2 }, evaluation = { episodes = 5, every = 10 },
}:main(...)
]])
  command.write(scratch .. "/grid.lua", [[
local trpo = require "trpo"
return trpo.sweep { experiment = "small.lua", parameters = { delta = { 0.01, 0.05 } }, seeds = 2 }:main(...)
]])
  command.write(scratch .. "/halving.lua", [[
local trpo = require "trpo"
return trpo.sweep { experiment = "small.lua", parameters = { delta = { 0.01, 0.05 } }, seeds = 2,
  method = "halving", halving = { min = 256, max = 1280, factor = 2 } }:main(...)
]])
end)
teardown(function() command.remove(scratch) end)

local function folder(name) return ("%s/sweeps/%s"):format(scratch, name) end

-- starts a sweep by the script that its name begins with: its pid, how often each of its trials was struck, and a table
-- whose `code` and `signal` are set when it has ended
local function start(name, jobs)
  local output = assert(uv.fs_open(("%s/%s.txt"):format(scratch, name), "a", 420))
  local ending = {}
  local handle, pid
  handle, pid = uv.spawn(command.trpo, {
    args = { "sweep", name:match "^%l+" .. ".lua", "--jobs", jobs or "2", "--name", name }, cwd = scratch, stdio = { nil, output, output },
  }, function(code, signal)
    handle:close()
    ending.code, ending.signal = code, signal
  end)
  uv.fs_close(output)
  return { pid = assert(handle and pid, pid), struck = {}, ending = ending }
end

-- waits so many milliseconds, or until the sweep has ended
local function wait(milliseconds, ending)
  local over, timer = false, uv.new_timer()
  uv.update_time()
  timer:start(milliseconds, 0, function() over = true end)
  while not over and not ending.code do uv.run "once" end
  timer:close()
  uv.run "nowait"
end

local function await_end(ending)
  while not ending.code do uv.run "once" end
end

-- trials that are running now: { key, pid }
local function running(name, sweep)
  local out = {}
  local scan = uv.fs_scandir(folder(name) .. "/claims")
  for file in function() return scan and uv.fs_scandir_next(scan) end do
    local claim = file:find "^%x" and json.decode(command.read(folder(name) .. "/claims/" .. file)) or {}
    local alive = claim.pid == sweep and claim.trial and trpo.process.started(claim.trial) == claim.trial_start
    if alive then out[#out + 1] = { key = file:match "^%x+", pid = claim.trial } end
  end
  return out
end

-- those of them that have not been killed twice by now (the third time they would count as failed)
local function targets(name, sweep, struck)
  local out = {}
  for _, trial in ipairs(running(name, sweep)) do
    if (struck[trial.key] or 0) < 2 then out[#out + 1] = trial end
  end
  return out
end

-- chooses whom to kill, and lets so many milliseconds pass at most, for a trial from when there is one on: a machine
-- that is busy takes longer to start it than to wait
local function aim(name, side, rng, most)
  local what = rng:uniform() < 0.6 and "trial" or "sweep"
  while what == "trial" and not side.ending.code and not targets(name, side.pid, side.struck)[1] do wait(5, side.ending) end
  wait(5 + math.floor(rng:uniform() * most), side.ending)
  return what
end

-- kills the sweep, or a trial if there is one: which it was
local function strike(name, side, rng, what)
  local trials = what == "trial" and targets(name, side.pid, side.struck) or {}
  local trial = trials[1 + math.floor(rng:uniform() * #trials)]
  if not trial then
    uv.kill(side.pid, "sigkill")
    return "sweep"
  end
  side.struck[trial.key] = (side.struck[trial.key] or 0) + 1
  uv.kill(trial.pid, "sigkill")
  return "trial"
end

-- runs a sweep to its end and kills on the way, at most so often: how often the sweep and its trials were killed
local function run_under_fire(name, rng, most)
  local count = { sweep = 0, trial = 0 }
  local side
  repeat
    side = start(name)
    while not side.ending.code and count.sweep + count.trial < most do
      local what = aim(name, side, rng, 120)
      if not side.ending.code then
        what = strike(name, side, rng, what)
        count[what] = count[what] + 1
        if what == "sweep" then await_end(side.ending) end
      end
    end
    await_end(side.ending)
  until side.ending.signal ~= 9
  return count
end

local function without_times(row)
  local out = {}
  for key, value in pairs(row) do
    if not tostring(key):find "^time/[tf]" or key == "time/total_timesteps" then out[key] = value end
  end
  return out
end

-- what the newest checkpoint holds, as bytes by name
local function checkpoint(dir)
  local paths = project.lines("ls " .. project.quoted(dir .. "/checkpoints") .. "/iteration-*")
  local out = {}
  for name, tensor in pairs(assert(trpo.load(paths[#paths]))) do out[name] = trpo.npy.encode(tensor) end
  return out, paths[#paths]:match "[^/]+$"
end

-- all that must not depend on what happened on the way, by trial
local function found(name)
  local out = {}
  for _, id in ipairs(project.lines("ls " .. project.quoted(folder(name) .. "/trials"))) do
    local dir = folder(name) .. "/trials/" .. id
    local result = json.decode(command.read(dir .. "/result.json"))
    assert.are.equal("done", result.status, result.message)
    local _, rows = command.csv(dir .. "/progress.csv")
    for i, row in ipairs(rows) do rows[i] = without_times(row) end
    local tensors, last = checkpoint(dir)
    out[id] = { metrics = without_times(result.metrics), rows = rows, tensors = tensors, last = last,
      episodes = select(2, command.read(dir .. "/monitor.csv"):gsub("\n", "")) }
  end
  return out
end

for _, method in ipairs { "grid", "halving" } do
  describe("a sweep by " .. method, function()
    -- what it finds when it is left in peace
    local expected

    setup(function()
      local name = method .. "-peace"
      local side = start(name)
      await_end(side.ending)
      assert.are.equal(0, side.ending.code, command.read(("%s/%s.txt"):format(scratch, name)))
      expected = found(name)
    end)

    local function check(name)
      assert.are.same(expected, found(name), name .. "\n" .. command.read(("%s/%s.txt"):format(scratch, name)))
    end

    it("does each trial once", function()
      local whole, trials = 0, 0
      for _, trial in pairs(expected) do
        trials = trials + 1
        assert.are.equal(("iteration-%08d.safetensors"):format(#trial.rows), trial.last)
        if #trial.rows == 40 then whole = whole + 1 end
      end
      assert.are.equal(4, trials)
      assert.are.equal(method == "grid" and 4 or 2, whole)
    end)

    it(("finds the same after %d kills of it and of its trials"):format(kills[method]), function()
      -- several sweeps, as none lasts for so many
      local rng, count, round = trpo.rng(87), { sweep = 0, trial = 0 }, 0
      while count.sweep + count.trial < kills[method] and round < 40 do
        round = round + 1
        local name = method .. round
        local here = run_under_fire(name, rng, kills[method] - count.sweep - count.trial)
        count.sweep, count.trial = count.sweep + here.sweep, count.trial + here.trial
        check(name)
      end
      assert.is_true(kills[method] < 30 or count.sweep >= 5 and count.trial >= 5,
        ("%d sweeps and %d trials were killed"):format(count.sweep, count.trial))
    end)

    it("finds the same when two work on it, and each is killed now and then", function()
      local rng, strikes, name = trpo.rng(88), command.sanitized and 2 or 8, method .. "-both"
      local sides = { start(name, "1"), start(name, "1") }
      while not (sides[1].ending.code and sides[2].ending.code) do
        local i = rng:uniform() < 0.5 and 1 or 2
        local what = aim(name, sides[i], rng, 150)
        if strikes > 0 and not sides[i].ending.code then
          strikes = strikes - 1
          if strike(name, sides[i], rng, what) == "sweep" then
            await_end(sides[i].ending)
            sides[i] = start(name, "1")
          end
        end
      end
      for _, side in ipairs(sides) do
        assert.are.equal(0, side.ending.code, command.read(("%s/%s.txt"):format(scratch, name)))
      end
      check(name)
    end)
  end)
end
