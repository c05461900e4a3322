-- Ctrl-C and termination, in processes of their own; and the handlers, which are only borrowed.
local command = require "support.command"
local json = require "trpo.json"
local run_folder = require "support.run_folder"
local trpo = require "trpo"

local scratch

before_each(function()
  scratch = command.scratch()
  command.write(scratch .. "/endless.lua", [[
local trpo = require "trpo"
local run = trpo.experiment {
  env = "CartPole-v1", policy = { hidden = { 4 } }, value = false, steps = 2^52, lanes = 2, horizon = 64,
  name = "endless",
}
return run:main(...)
]])
  -- never comes back from its third step, and says so
  command.write(scratch .. "/stuck.lua", [[
local trpo = require "trpo"
local run = trpo.experiment { name = "stuck", env = trpo.env {
  id = "Stuck-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 5,
  reset = function(self, rng, obs) self.n, obs[1] = 0, 0 end,
  step = function(self, action, obs)
    self.n = self.n + 1
    if self.n == 3 then
      io.open("stuck", "w"):close()
      while true do end
    end
    return 0, false
  end,
} }
return run:main(...)
]])
end)
after_each(function() command.remove(scratch) end)

local await = command.await

local function status(name)
  return json.decode(command.read(scratch .. "/runs/" .. name .. "/status.json"))
end

describe("a signal before training", function()
  it("ends the process at once", function()
    -- a script that takes its time before it describes anything
    command.write(scratch .. "/slow.lua", 'io.open("slow", "w"):close() while true do end')
    local _, err, code = command.shell(scratch, '"$trpo" train slow.lua &\npid=$!\n' .. await "[ -f slow ]"
      .. "kill -INT $pid; wait $pid; exit $?")
    assert.are.equal(130, code)
    assert.are.equal("", err)
  end)
end)

describe("the first signal", function()
  for signal, code in pairs { INT = 130, TERM = 143 } do
    for _, how in ipairs { '"$trpo" train endless.lua', "luajit endless.lua" } do
      it(("SIG%s ends %s after the iteration, with code %d and its files written"):format(signal, how, code), function()
        local out, err, got = command.shell(scratch, how .. " --json >records 2>complaints &\npid=$!\n"
          .. await "[ -s records ]"
          .. "kill -" .. signal .. " $pid; wait $pid; code=$?; cat complaints >&2; exit $code")
        assert.are.equal(code, got, err)
        assert.are.equal("", out)
        assert.is_truthy(err:find("trpo: stopping: this iteration is finished, an evaluation put off (once more stops at once)", 1, true))
        assert.is_truthy(err:find("trpo: stopped by SIG" .. signal .. " after %d+ iterations"), err)

        local now = status "endless"
        assert.are.equal("interrupted", now.status)
        assert.are.equal(code - 128, now.signal)
        -- every line is whole, and the count is that of the lines
        local names, rows = command.csv(scratch .. "/runs/endless/progress.csv")
        assert.are.equal(now.iterations, #rows)
        for i, row in ipairs(rows) do
          assert.are.equal(#names, row.fields)
          assert.are.equal(i, row["time/iterations"])
        end
        assert.is_nil(rows[#rows]["eval/mean_reward"])
      end)
    end
  end
end)

describe("an evaluation that never ends", function()
  -- the third lane, which only evaluations have, never ends an episode while SHUT says so
  local script = [[
local trpo = require "trpo"
local run = trpo.experiment {
  env = trpo.env { id = "Loop-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2),
    init = function(self, lane) self.lane = lane end,
    reset = function(self, rng, obs) self.t, obs[1] = 0, rng:uniform(-1, 1) end,
    step = function(self, action, obs)
      self.t = self.t + 1
      if os.getenv "SHUT" and self.lane == 3 and self.t == 9 then io.open("shut", "w"):close() end
      return action == 1 and obs[1] or -obs[1], self.t >= 5 and not (os.getenv "SHUT" and self.lane == 3)
    end,
    save = function(self) return { t = self.t } end,
    restore = function(self, state) self.t = state.t end,
  },
  policy = { hidden = { 4 } }, value = false, steps = 192, lanes = 2, horizon = 32, name = os.getenv "NAME",
  evaluation = { episodes = 4, every = tonumber(os.getenv "EVERY") },
  on_iteration = function(record, run)
    run.memory.asked = (run.memory.asked or 0) + 1
    record.asked = run.memory.asked
    return os.getenv "STOP" and record["time/iterations"] == 2 and "stop" or nil
  end,
}
return run:main(...)
]]

  for what, variables in pairs {
    ["after an iteration"] = "EVERY=1",
    ["at the end"] = "EVERY=0",
    ["after the callback's last word"] = "EVERY=0 STOP=1",
  } do
    it("is ended by the first signal, and made when the run goes on, to the same bits: " .. what, function()
      command.write(scratch .. "/loop.lua", script)
      assert.are.equal(0, select(3, command.shell(scratch, variables .. ' NAME=whole "$trpo" train loop.lua -q')))
      local _, err, code = command.shell(scratch, variables .. ' SHUT=1 NAME=parts "$trpo" train loop.lua 2>complaints &\n'
        .. "pid=$!\n" .. await "[ -e shut ]" .. "kill -TERM $pid; wait $pid; code=$?; cat complaints >&2; exit $code")
      assert.are.equal(143, code, err)
      assert.is_truthy(err:find("trpo: Loop-v0 has no time limit: should an episode never end, nor does an evaluation; "
        .. "set env.time_limit, or evaluation.episodes = 0", 1, true), err)
      assert.are.equal("interrupted", status "parts".status)
      _, err, code = command.shell(scratch, variables .. ' NAME=parts "$trpo" train loop.lua --resume')
      assert.are.equal(0, code, err)
      assert.is_falsy(err:find("%-%d%d+:"), err)
      assert.are.equal(status "whole".status, status "parts".status)
      assert.is_true(status "parts".exact_resume)
      local whole, parts = run_folder.all(scratch .. "/runs/whole"), run_folder.all(scratch .. "/runs/parts")
      whole.names, parts.names = nil, nil
      for name, numbers in pairs(whole.checkpoints) do assert.are.same(numbers, parts.checkpoints[name], name) end
      whole.checkpoints, parts.checkpoints = nil, nil
      assert.are.same(whole, parts)
    end)
  end

  it("is not foreseen where there is a time limit, or no evaluation", function()
    command.write(scratch .. "/loop.lua", script)
    for _, option in ipairs { "env.time_limit=20", "evaluation.episodes=0" } do
      local _, err, code = command.shell(scratch, 'EVERY=0 NAME=quiet "$trpo" train loop.lua -q --overwrite --set ' .. option)
      assert.are.equal(0, code, err)
      assert.are.equal("", err)
    end
  end)
end)

describe("an episode that is played", function()
  it("goes on through a signal unless it is interruptible", function()
    local _, err, code = command.shell(scratch, "luajit -e '" .. [[
local trpo, uv = require "trpo", require "luv"
local env = trpo.make("CartPole-v1", { lanes = 2 })
local policy = trpo.policy { env = env, hidden = { 4 }, rng = trpo.rng(1) }
trpo.signals.watch()
uv.kill(uv.os_getpid(), "sigterm")
assert(trpo.play(env, policy, { episodes = 3 }))
local nothing, message, code = trpo.play(env, policy, { episodes = 3, interruptible = true })
assert(nothing == nil and code == "interrupted" and message == "a signal asked it to end", message)
trpo.signals.restore()
assert(trpo.play(env, policy, { episodes = 3, interruptible = true }))
]] .. "'")
    assert.are.equal(0, code, err)
  end)
end)

describe("the second signal", function()
  it("stops at once what does not come back", function()
    local _, err, code = command.shell(scratch, '"$trpo" train stuck.lua 2>complaints &\npid=$!\n'
      .. await "[ -e stuck ]"
      .. "kill -INT $pid\n" .. await "grep -q stopping complaints" .. "kill -INT $pid; wait $pid")
    -- killed by the signal: the shell says 128 + 2 too
    assert.are.equal(130, code, err)
    -- that is how a dead run can be told: it says it is running, and its process is gone
    local now = status "stuck"
    assert.are.equal("running", now.status)
    assert.is_true(now.pid > 1)
    assert.are_not.equal(0, os.execute(("kill -0 %d 2>/dev/null"):format(now.pid)))
  end)

  it("may be another one", function()
    for first, second in pairs { INT = "TERM", TERM = "INT" } do
      local _, err, code = command.shell(scratch, 'rm -f stuck; "$trpo" train stuck.lua --overwrite 2>complaints &\npid=$!\n'
        .. await "[ -e stuck ]"
        .. ("kill -%s $pid\n"):format(first) .. await "grep -q stopping complaints"
        .. ("kill -%s $pid; wait $pid"):format(second))
      assert.are.equal(second == "TERM" and 143 or 130, code, err)
      assert.are.equal("running", status "stuck".status)
    end
  end)
end)

describe("a patient watch", function()
  it("remembers the first signal, and lets the further ones pass, whichever they are", function()
    local _, err, code = command.shell(scratch, "luajit -e '" .. [[
local trpo, uv = require "trpo", require "luv"
trpo.signals.watch("", true)
trpo.signals.watch("")
for _, name in ipairs { "sigint", "sigterm", "sigint" } do
  uv.kill(uv.os_getpid(), name)
  assert(trpo.signals.caught() == "SIGINT")
end
trpo.signals.restore()
trpo.signals.restore()
trpo.signals.watch("")
uv.kill(uv.os_getpid(), "sigterm")
assert(trpo.signals.caught() == "SIGTERM")
io.stderr:write "here"
uv.kill(uv.os_getpid(), "sigint")
]] .. "'")
    assert.are.same({ 130, "here" }, { code, err })
  end)
end)

describe("the handlers of signals", function()
  it("are installed in run:main only, and put back", function()
    -- bit n - 1 of SigCgt is set when signal n is caught
    local _, err, code = command.shell(scratch, [[cat >look.lua <<'END'
local trpo = require "trpo"
local function caught()
  for line in io.lines "/proc/self/status" do
    local mask = line:match "^SigCgt:%s*(%x+)"
    if mask then return tonumber(mask:sub(-8), 16) end
  end
end
local bit = require "bit"
local function both(mask) return bit.band(mask, 2) ~= 0, bit.band(mask, 2 ^ 14) ~= 0 end
-- the interpreter itself catches SIGINT
local int, term = both(caught())
local run = trpo.experiment {
  env = "CartPole-v1", policy = { hidden = { 4 } }, value = false, steps = 1, lanes = 1, horizon = 32, dir = false,
  evaluation = { episodes = 0 },
}
local seen
assert(run:train { on_iteration = function() seen = { both(caught()) } end })
assert(seen[1] == int and seen[2] == term, "run:train has changed them")
run:main "-q"
local int_after, term_after = both(caught())
assert(int_after == int and term_after == term, "run:main has not put them back")
trpo.signals.watch()
trpo.signals.watch()
assert(select(2, both(caught())))
trpo.signals.restore()
assert(select(2, both(caught())), "watches nest")
trpo.signals.restore()
assert(not select(2, both(caught())))
trpo.signals.restore()
END
luajit look.lua]])
    assert.are.equal(0, code, err)
  end)

  it("remember nothing between two watches", function()
    assert.is_nil(trpo.signals.caught())
    trpo.signals.watch(("x"):rep(500))
    assert.is_nil(trpo.signals.caught())
    trpo.signals.restore()
    assert.is_nil(trpo.signals.caught())
  end)
end)
