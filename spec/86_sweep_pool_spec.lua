-- How a sweep is worked off: processes of trials, several sweeps on one folder, failures, signals, the command line.
local command = require "support.command"
local json = require "trpo.json"
local project = require "support.project"
local trpo = require "trpo"
local uv = require "luv"

local quoted = project.quoted
local scratch

before_each(function() scratch = command.scratch() end)
after_each(function() command.remove(scratch) end)

-- a sweep of a function over x = 1, ..., n; `body` is the function's, with p, seed and dir
local function write_sweep(name, n, body, rest)
  local values = {}
  for i = 1, n do values[i] = tostring(i) end
  command.write(("%s/%s.lua"):format(scratch, name), ([[
local trpo = require "trpo"
local function run(p, seed, dir)
  local function append(name, text)
    local file = io.open(%q .. "/" .. name, "a")
    file:write(text, "\n")
    file:close()
  end
  %s
end
return trpo.sweep { run = run, parameters = { x = { %s } }, metric = "score", %s }:main(...)
]]):format(scratch, body, table.concat(values, ", "), rest or ""))
end

-- a sweep of a small experiment
local function write_experiment(steps, rest)
  command.write(scratch .. "/tiny.lua", ([[
local trpo = require "trpo"
return trpo.experiment {
  env = "CartPole-v1", policy = { hidden = { 4 } }, value = false, steps = %s, lanes = 2, horizon = 16,
  evaluation = { episodes = 2 },
}:main(...)
]]):format(steps))
  command.write(scratch .. "/sweep.lua", ([[
local trpo = require "trpo"
local o = { experiment = "tiny.lua", parameters = { delta = { 0.01, 0.02 } }, seeds = 2 }
for key, value in pairs { %s } do o[key] = value end
return trpo.sweep(o):main(...)
]]):format(rest or ""))
end

local function lines(name)
  local out = {}
  for line in io.lines(scratch .. "/" .. name) do out[#out + 1] = line end
  return out
end

local function exists(path) return uv.fs_stat(path) ~= nil end

-- results of the trials of a sweep by the value of x, or by id
local function results(name)
  local out = {}
  for _, id in ipairs(project.lines("ls " .. quoted(("%s/sweeps/%s/trials"):format(scratch, name)))) do
    local dir = ("%s/sweeps/%s/trials/%s"):format(scratch, name, id)
    local trial = json.decode(command.read(dir .. "/trial.json"))
    local result = exists(dir .. "/result.json") and json.decode(command.read(dir .. "/result.json")) or {}
    result.id, result.dir = id, dir
    out[trial.params.x or id] = result
  end
  return out
end

-- the claims of a sweep: name → what it says
local function claimed(name)
  local out, dir = {}, ("%s/sweeps/%s/claims"):format(scratch, name)
  for _, file in ipairs(project.lines("ls " .. quoted(dir))) do
    out[file] = json.decode(command.read(dir .. "/" .. file))
  end
  return out
end

local await = command.await

-- waits until a process is over, buried or not
local function await_end(pid) return await(("! kill -0 %s 2>/dev/null || grep -q ') Z' /proc/%s/stat"):format(pid, pid)) end

describe("trpo sweep", function()
  it("runs every trial once, in processes of one thread, and again does nothing", function()
    write_sweep("square", 5, [[append("ran", p.x .. " " .. seed); print("threads", trpo.threads())
  return { score = (p.x - 3) ^ 2 + seed / 10, other = 0 / 0, big = math.huge }]], "seeds = 2")
    local out, err, code = command.run(scratch, "sweep square.lua --jobs 2")
    assert.are.equal(0, code, err)
    assert.are.equal(10, #lines "ran")
    assert.is_truthy(out:find("score%s+runs%s+IQM"))
    assert.is_truthy(out:find("\n* x=1", 1, true), out)
    assert.is_truthy(out:find("best: x=1, score 4.150 (interquartile mean of 2 runs)", 1, true), out)
    assert.is_truthy(out:find("files in sweeps/square", 1, true))
    for i = 1, 10 do assert.is_truthy(err:find(("done %d/10  x=%%d seed %%d  score "):format(i)), err) end
    local _, rows = command.csv(scratch .. "/sweeps/square/results.csv")
    assert.are.equal(10, #rows)
    assert.are.equal((5 - 3) ^ 2 + 0.2, rows[10].score)

    local result = results "square"[4]
    assert.are.equal("done", result.status)
    assert.are.equal(result.metric, result.metrics.score)
    assert.are.equal("nan", result.metrics.other)
    assert.are.equal("inf", result.metrics.big)
    assert.are.equal(1, result.attempt)
    assert.are.equal(trpo.info().isa, result.system.isa)
    assert.is_truthy(command.read(result.dir .. "/output.txt"):find "threads%s+1\n")

    local before = claimed "square"
    local again, quiet
    again, quiet, code = command.run(scratch, "sweep square.lua --jobs 2")
    assert.are.equal(0, code)
    assert.are.equal(out, again)
    assert.are.equal("", quiet)
    assert.are.equal(10, #lines "ran")
    assert.are.same(before, claimed "square")
  end)

  it("is what a script does that ends with a sweep", function()
    write_sweep("plain", 2, "return p.x")
    local out, err, code = command.shell(scratch, "luajit plain.lua -q && luajit plain.lua --json")
    assert.are.equal(0, code, err)
    local summary = json.decode(out:match "(%b{})%s*$")
    assert.are.same({ done = 2, failed = 0, running = 0, total = 2, waiting = 0 }, summary.trials)
    assert.are.equal("x=2", summary.best.label)
    assert.are.equal(2, summary.best.iqm)
    assert.are.equal("", err)
  end)

  it("can be run by a script on its way", function()
    command.write(scratch .. "/way.lua", [[
local trpo = require "trpo"
local base = trpo.experiment { env = "CartPole-v1", steps = 1, horizon = 2, value = false, dir = false,
  evaluation = { episodes = 1 } }
local reward = assert(base:train())["eval/mean_reward"]
local first = trpo.sweep { run = function(p) return p.x + 0 * reward end, parameters = { x = { 1, 2 } }, name = "first" }
local second = trpo.sweep { run = function(p) return -p.x end, parameters = { x = { 5 } }, name = "second" }
assert(first:run { quiet = true })
local found = assert(second:run { jobs = 1, quiet = true })
print(#first:results().trials, found.trials[1].metric)
print(pcall(first.run, first, { job = 2 }))
print(select(2, pcall(first.run, first, { jobs = 0 })))
]])
    local out, err, code = command.shell(scratch, "luajit way.lua")
    assert.are.equal(0, code, err)
    local said = {}
    for line in out:gmatch "[^\n]+" do said[#said + 1] = line end
    assert.are.equal("2\t-5", said[1])
    assert.is_truthy(said[2]:find("sweep:run: unknown option 'job', did you mean 'jobs'?", 1, true), out)
    assert.is_truthy(said[3]:find("sweep:run: jobs must be an integer in [1, 1024], got 0", 1, true), out)
  end)

  it("shares its trials with another one on the same folder", function()
    -- a trial waits until both have begun one, half a minute at most: neither is to be done before the other has started
    write_sweep("shared", 12, [[append("ran", p.x)
  local uv, path = require "luv", dir .. "/../../owner."
  io.open(path .. uv.os_getppid(), "w"):close()
  for _ = 1, 1200 do
    local owners, scan = 0, uv.fs_scandir(dir .. "/../..")
    for name in function() return uv.fs_scandir_next(scan) end do owners = owners + (name:find "^owner" and 1 or 0) end
    if owners == 2 then break end
    uv.sleep(25)
  end
  return p.x]])
    local out, err, code = command.shell(scratch, [[
"$trpo" sweep shared.lua --jobs 1 >out1 2>err1 & one=$!
"$trpo" sweep shared.lua --jobs 2 >out2 2>err2 & two=$!
wait $one; a=$?; wait $two; b=$?
cmp out1 out2 && echo "$a $b"
]])
    assert.are.equal(0, code, err)
    assert.are.equal("0 0\n", out)
    -- each trial by one process, once
    assert.are.equal(12, #lines "ran")
    for _, result in pairs(results "shared") do assert.are.equal(1, result.attempt) end
    local owners = {}
    for _, claim in pairs(claimed "shared") do owners[claim.pid] = true end
    local count = 0
    for _ in pairs(owners) do count = count + 1 end
    assert.are.equal(2, count)
  end)

  it("waits for what another one is running, and takes it when that one dies", function()
    write_sweep("hung", 2, [[append("ran", p.x)
  if p.x == 1 and not io.open(dir .. "/mark") then
    io.open(dir .. "/mark", "w"):close()
    ]] .. command.stay .. [[
  end
  return p.x]])
    local _, err, code = command.shell(scratch, [["$trpo" sweep hung.lua --jobs 1 2>err1 & pid=$!
]] .. await "[ -s ran ]" .. [[
"$trpo" sweep hung.lua --jobs 1 >out2 2>err2 & two=$!
]] .. await '[ "$(wc -l <ran)" -eq 2 ]' .. [[
kill -9 $pid
wait $two]])
    assert.are.equal(0, code, err)
    local found = results "hung"
    assert.are.equal(2, found[1].attempt)
    assert.are.equal(1, found[2].attempt)
    assert.are.same({ "1", "2", "1" }, lines "ran")
  end)

  it("goes on when a trial fails, names it, and runs it again when asked", function()
    write_sweep("faulty", 3, [[append("ran", p.x)
  if p.x == 2 and not io.open "mended" then local t; print "now"; return t.nothing end
  return p.x]])
    local out, err, code = command.run(scratch, "sweep faulty.lua --jobs 1")
    assert.are.equal(1, code)
    assert.is_truthy(out:find "x=2%s+0%s+%-")
    assert.is_truthy(err:find("1 of 3 trials failed; --retry-failed runs it again", 1, true), err)
    assert.is_truthy(err:find "x=2 seed 1: [^\n]*faulty.lua:%d+: attempt to index local 't'", err)
    local failed = results "faulty"[2]
    assert.are.equal("failed", failed.status)
    assert.are.equal("error", failed.code)
    -- message and traceback; what it printed is in output.txt
    assert.is_truthy(command.read(failed.dir .. "/output.txt"):find "^now\ntrpo: ")
    assert.is_truthy(failed.message:find "attempt to index local 't'")
    assert.is_truthy(failed.message:find "stack traceback")

    -- once more: it is known to have failed
    out, err, code = command.run(scratch, "sweep faulty.lua --jobs 1 -q")
    assert.are.equal(1, code)
    assert.is_truthy(out:find "x=2%s+0%s+%-")
    assert.are.equal(3, #lines "ran")
    assert.is_truthy(err:find("1 of 3 trials failed", 1, true))

    command.write(scratch .. "/mended", "")
    out, err, code = command.run(scratch, "sweep faulty.lua --jobs 1 --retry-failed")
    assert.are.equal(0, code, out .. err)
    assert.are.same({ "1", "2", "3", "2" }, lines "ran")
    local mended = results "faulty"[2]
    assert.are.equal("done", mended.status)
    assert.are.equal(2, mended.attempt)
  end)

  it("tries again what is killed, three times", function()
    write_sweep("killed", 2, [[append("ran", p.x)
  if p.x == 1 or not io.open(dir .. "/mark") then
    io.open(dir .. "/mark", "w"):close()
    print "dying"
    os.execute "kill -9 $PPID"
  end
  return p.x]])
    local _, err, code = command.run(scratch, "sweep killed.lua --jobs 1")
    assert.are.equal(1, code)
    assert.is_truthy(err:find("killed by signal 9, tried again: trial ", 1, true))
    local found = results "killed"
    assert.are.equal("killed by signal 9, 3 times in a row\ndying", found[1].message)
    assert.are.equal("killed", found[1].code)
    assert.are.equal(3, found[1].attempt)
    assert.are.equal("done", found[2].status)
    assert.are.equal(2, found[2].attempt)
    assert.are.same({ "1", "1", "1", "2", "2" }, lines "ran")
  end)

  it("tries again what a signal ends, whichever it is", function()
    for name, number in pairs { sigint = 2, sigterm = 15, sigquit = 3 } do
      write_sweep(name, 1, ([[append("ran-%s", p.x)
  if not io.open(dir .. "/mark") then
    io.open(dir .. "/mark", "w"):close()
    local uv = require "luv"
    -- what catches errors must not catch it
    pcall(function()
      uv.kill(uv.os_getpid(), "%s")
      for i = 1, 1e9 do if i %% 1000 == 0 then uv.sleep(1) end end
    end)
  end
  return p.x]]):format(name, name))
      local _, err, code = command.run(scratch, ("sweep %s.lua --jobs 1"):format(name))
      assert.are.equal(0, code, err)
      assert.is_truthy(err:find(("killed by signal %d, tried again: trial "):format(number), 1, true), err)
      assert.are.same({ "1", "1" }, lines("ran-" .. name))
    end
  end)

  it("tries again what a signal ends before it has begun", function()
    -- what each interpreter does first: that of a trial is interrupted once
    command.write(scratch .. "/init.lua", [[
local uv = require "luv"
local trial = false
for i = -3, 3 do trial = trial or arg and tostring(arg[i]):find("trpo.sweep.trial", 1, true) end
if trial and not io.open "mark" then
  io.open("mark", "w"):close()
  uv.kill(uv.os_getpid(), "sigint")
  for i = 1, 1e9 do if i % 1000 == 0 then uv.sleep(1) end end
end
]])
    write_sweep("early", 1, "return p.x")
    local _, err, code = command.shell(scratch, [[LUA_INIT=@init.lua "$trpo" sweep early.lua --jobs 1]])
    assert.are.equal(0, code, err)
    assert.is_truthy(err:find("killed by signal 2, tried again: trial ", 1, true), err)
    assert.are.equal(2, results "early"[1].attempt)
  end)

  it("hands over parameters of any size, and shows them briefly", function()
    command.write(scratch .. "/large.lua", [[
local trpo = require "trpo"
return trpo.sweep { run = function(p) return { score = #p.x } end, metric = "score",
  parameters = { x = { ("a"):rep(3e5), ("ä\n"):rep(1e5) } } }:main(...)
]])
    local out, err, code = command.run(scratch, "sweep large.lua --jobs 1")
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("x=" .. ("a"):rep(28) .. "..." .. ("a"):rep(28) .. "     1  300000 ", 1, true), out)
    assert.is_truthy(err:find("x=" .. ("ä\\10"):rep(5) .. "ä\\...\\10" .. ("ä\\10"):rep(5), 1, true), err)
    assert.are.equal(3e5, results "large"[("ä\n"):rep(1e5)].metric)
  end)

  it("says what is wrong when its folder goes away", function()
    write_sweep("gone", 2, [[os.execute "rm -r sweeps/gone/claims"; return p.x]])
    local _, err, code = command.run(scratch, "sweep gone.lua --jobs 1")
    assert.are.equal(1, code)
    assert.is_truthy(err:find("trpo: the sweep stopped: cannot claim a trial: ENOENT", 1, true), err)
    write_sweep("away", 2, [[os.execute "rm -r sweeps/away"; return p.x]])
    _, err, code = command.run(scratch, "sweep away.lua --jobs 1")
    assert.are.equal(1, code)
    assert.is_truthy(err:find "the sweep stopped: cannot write in sweeps/away/trials/%x+\n", err)
  end)

  it("stops when three trials have not reported the metric, and none has", function()
    write_sweep("misnamed", 5, [[append("ran", p.x); return { scores = 1, other = 2 }]])
    local out, err, code = command.run(scratch, "sweep misnamed.lua --jobs 1")
    assert.are.equal(1, code)
    assert.are.equal("", out)
    assert.are.equal(3, #lines "ran")
    assert.is_truthy(err:find("trpo: the sweep stopped: no metric 'score' was reported, did you mean 'scores'?; "
      .. "there is other, scores", 1, true), err)

    -- where others have it, only the trial fails, also when it is the first one
    write_sweep("later", 3, [[return p.x < 3 and { other = 2 } or p.x]])
    out, err, code = command.run(scratch, "sweep later.lua --jobs 1")
    assert.are.equal(1, code)
    assert.is_truthy(out:find "best: x=3", err)
    write_sweep("sometimes", 3, [[return p.x == 2 and { other = 2 } or p.x]])
    out, err, code = command.run(scratch, "sweep sometimes.lua --jobs 1")
    assert.are.equal(1, code)
    assert.is_truthy(out:find "best: x=3")
    assert.is_truthy(err:find("x=2 seed 1: no metric 'score' was reported; there is other", 1, true), err)
  end)

  it("says what a function returned that is no result", function()
    for i, case in ipairs {
      { "nil", "run must return a table of numbers with 'score' in it, or that number; it returned nothing" },
      { "'x'", "run must return a table of numbers with 'score' in it, or that number; it returned a string" },
      { "{ score = 'x' }", "run must return a table of numbers by name; of 'score' it returned a string" },
      { "{ 1 }", "run must return a table of numbers by name; of '1' it returned a number" },
    } do
      write_sweep("returns", 1, "return " .. case[1], 'name = "r' .. i .. '"')
      local _, _, code = command.run(scratch, "sweep returns.lua --jobs 1 -q")
      assert.are.equal(1, code)
      assert.are.equal(case[2], results("r" .. i)[1].message)
    end
  end)

  it("does not record what could not be written", function()
    write_sweep("full", 3, [[append("ran", p.x); os.execute("mkdir '" .. dir .. "/result.json'"); return p.x]])
    local _, err, code = command.run(scratch, "sweep full.lua --jobs 1 -q")
    assert.are.equal(1, code)
    assert.is_truthy(err:find "trpo: the sweep stopped: cannot write '[^\n]*result%.json'", err)
    assert.are.equal(1, #lines "ran")
    local _, claim = next(claimed "full")
    assert.is_true(claim.released)
    local out = command.run(scratch, "sweep full.lua --status")
    assert.is_truthy(out:find("full: 0 of 3 done, 0 running, 0 failed, 3 waiting", 1, true), out)
  end)
end)

describe("a sweep of experiments", function()
  it("trains each with its parameters, seed and steps, in a folder of its own", function()
    write_experiment(64, "set = { horizon = 8 }")
    local _, err, code = command.run(scratch, "sweep sweep.lua --jobs 2 -q --set lanes=4")
    assert.are.equal(0, code, err)
    local seen = {}
    for id, result in pairs(results "sweep") do
      local config = json.decode(command.read(result.dir .. "/config.json"))
      local trial = json.decode(command.read(result.dir .. "/trial.json"))
      assert.are.equal(id, trial.id)
      -- what repeats the sitting
      local here, line = command.read(result.dir .. "/command.txt"):match "\ncd ([^\n]*)\n([^\n]*)\n$"
      assert.are.equal(quoted(project.lines(("cd %s && pwd -P"):format(quoted(scratch)))[1]):gsub("'", ""), (here:gsub("'", "")))
      assert.are.equal("trpo sweep sweep.lua --set lanes=4 --trial " .. id, line:match "trpo sweep.*")
      assert.are.equal(trial.params["algorithm.delta"], config.algorithm.delta)
      assert.are.equal(trial.seed, config.seed)
      assert.are.equal(8, config.horizon)
      assert.are.equal(4, config.lanes)
      assert.are.equal(1, config.threads)
      assert.are.equal(2, result.metrics["time/iterations"])
      assert.is_true(exists(result.dir .. "/checkpoints/iteration-00000002.safetensors"))
      seen[#seen + 1] = ("%g %g"):format(config.algorithm.delta, config.seed)

      -- the same numbers as a run by itself
      local out = command.shell(scratch, ("luajit tiny.lua --json -q --set delta=%s --seed %d --set horizon=8 --set lanes=4"
        .. " --name %s"):format(json.number(config.algorithm.delta), config.seed, id))
      local last = json.decode(out:match "([^\n]+)\n$")
      for name, value in pairs(result.metrics) do
        if not name:find "^time/" then assert.are.equal(last[name], value, name) end
      end
    end
    table.sort(seen)
    assert.are.same({ "0.01 1", "0.01 2", "0.02 1", "0.02 2" }, seen)
  end)

  it("works off successive halving, also in two processes", function()
    write_experiment(64, 'method = "halving", halving = { min = 32, max = 128, factor = 2 }, name = "halves"')
    local _, err, code = command.shell(scratch, [["$trpo" sweep sweep.lua --jobs 1 -q & pid=$!
"$trpo" sweep sweep.lua --jobs 1 >out 2>err || exit 1
wait $pid]])
    assert.are.equal(0, code, err .. command.read(scratch .. "/err"))
    local reached = {}
    for _, result in pairs(results "halves") do
      local steps = result.metrics["time/total_timesteps"]
      reached[steps] = (reached[steps] or 0) + 1
      for rung = 1, ({ [32] = 1, [64] = 2, [128] = 3 })[steps] do
        local at = json.decode(command.read(("%s/result-r%d.json"):format(result.dir, rung)))
        assert.are.equal(32 * 2 ^ (rung - 1), at.metrics["time/total_timesteps"])
      end
    end
    assert.are.same({ [32] = 2, [128] = 2 }, reached)
    for name, claim in pairs(claimed "halves") do
      assert.is_truthy(name:find "^%x+%-r%d%.1$", name)
      assert.is_nil(claim.released)
    end
  end)

  it("goes on when a run ends before there is a number for the metric, which counts as no result", function()
    -- with so many lanes no episode ends in these steps
    local rest = 'metric = "rollout/ep_rew_mean", parameters = { lanes = { 64, 2 } }, seeds = 1, set = { horizon = 4 }, '
    write_experiment(128, rest .. 'name = "early"')
    local out, err, code = command.run(scratch, "sweep sweep.lua --jobs 1")
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find "\n  lanes=64%s+0%s+%-", out)
    assert.is_truthy(out:find("best: lanes=2, ", 1, true), out)
    assert.is_truthy(err:find("trpo: 1 of 2 trials came to the end before there was a number for rollout/ep_rew_mean; "
      .. "they count as no result", 1, true), err)
    local _, rows = command.csv(scratch .. "/sweeps/early/results.csv")
    assert.is_nil(rows[1].metric)
    assert.is_number(rows[2].metric)

    -- the first of them is no reason to stop; in halving its cell is the one that does not go on
    write_experiment(128, rest .. [[name = "rungs", method = "halving",
  halving = { min = 128, max = 256, factor = 2 }]])
    out, err, code = command.run(scratch, "sweep sweep.lua --jobs 1")
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("best: lanes=2, ", 1, true), out)
    assert.is_truthy(err:find("their cells rank last and do not go on", 1, true), err)
    assert.is_truthy(command.run(scratch, "sweep sweep.lua --status"):find "^rungs: 3 of 3 done")
  end)

  it("refuses a script that changed, before and meanwhile", function()
    write_experiment(64)
    local _, err, code = command.run(scratch, "sweep sweep.lua -q --jobs 1")
    assert.are.equal(0, code, err)
    write_experiment(96)
    _, err, code = command.run(scratch, "sweep sweep.lua --jobs 1")
    assert.are.equal(1, code)
    assert.is_truthy(err:find("the sweep in sweeps/sweep is another one: tiny.lua has changed", 1, true), err)
    assert.is_truthy(err:find("config.steps was 64, is 96", 1, true), err)

    -- an experiment that edits itself when it is trained
    command.write(scratch .. "/tiny.lua", [[
local trpo = require "trpo"
return trpo.experiment {
  env = "CartPole-v1", policy = { hidden = { 4 } }, value = false, steps = 32, lanes = 2, horizon = 16,
  evaluation = { episodes = 1 }, on_iteration = function()
    local file = io.open("tiny.lua", "a")
    file:write "-- edited\n"
    file:close()
  end,
}:main(...)
]])
    local out
    out, err, code = command.run(scratch, "sweep sweep.lua --name edited --jobs 1 -q")
    assert.are.equal(1, code)
    assert.are.equal("", out)
    assert.are.equal("trpo: the sweep stopped: tiny.lua has changed since the sweep began\n", err)
    out = command.run(scratch, "sweep sweep.lua --name edited --status")
    assert.is_truthy(out:find("edited: 1 of 4 done, 0 running, 0 failed, 3 waiting", 1, true), out)
  end)

  it("keeps its trials for itself, and lends a copy to whoever trains it further", function()
    write_experiment(64, 'parameters = { delta = { 0.01 } }, seeds = 1')
    local _, err, code = command.run(scratch, "sweep sweep.lua -q")
    assert.are.same({ "", 0 }, { err, code })
    local id = next(results "sweep")
    local place = "sweeps/sweep/trials/" .. id
    local before = command.read(scratch .. "/" .. place .. "/progress.csv")
    local refused = "trpo: %s is a trial of %s: 'trpo sweep' with the script of the sweep goes on with it, or runs it again with "
      .. "--retry-failed; to train it further copy the folder\n"
    local absolute = uv.fs_realpath(scratch) .. "/sweeps/sweep"
    for _, case in ipairs {
      { ".", "--resume " .. place, place, "sweeps/sweep" },
      { ".", "--resume " .. place .. "/ --steps 20000", place, "sweeps/sweep" },
      { "sweeps/sweep/trials", "--resume " .. id .. " --steps 20000", id, absolute },
      { place, "--resume . --steps 20000", ".", absolute },
    } do
      _, err, code = command.run(scratch .. "/" .. case[1], "train -q " .. case[2])
      assert.are.same({ refused:format(case[3], case[4]), 1 }, { err, code })
    end
    for _, words in ipairs { "", "--overwrite", "--resume" } do
      _, err, code = command.run(scratch, ("train tiny.lua -q --dir sweeps/sweep/trials --name %s %s"):format(id, words))
      assert.are.same({ refused:format(place, "sweeps/sweep"), 1 }, { err, code }, words)
    end
    assert.are.equal(before, command.read(scratch .. "/" .. place .. "/progress.csv"))

    project.lines(("cp -r %s %s"):format(quoted(scratch .. "/" .. place), quoted(scratch .. "/mine")))
    _, err, code = command.run(scratch, "train --resume mine --steps 128 -q")
    assert.are.same({ "", 0 }, { err, code })
    local _, rows = command.csv(scratch .. "/mine/progress.csv")
    assert.are.equal(128, rows[#rows]["time/total_timesteps"])
    _, err, code = command.run(scratch, "sweep sweep.lua -q")
    assert.are.same({ "", 0 }, { err, code })
  end)

  it("says when a trial cannot be resumed exactly", function()
    command.write(scratch .. "/tiny.lua", [[
local trpo = require "trpo"
return trpo.experiment { env = trpo.env {
  id = "Forgetful-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 5,
  reset = function(self, rng, obs) obs[1] = 0 end, step = function(self, action, obs) return action, false end,
}, policy = { hidden = { 4 } }, value = false, steps = 64, lanes = 2, horizon = 16, checkpoint = { every = 1 },
  evaluation = { episodes = 1 }, on_iteration = function(row)
    if row["time/iterations"] == 2 and not io.open "mark" then
      io.open("mark", "w"):close()
      os.execute "kill -9 $PPID"
    end
  end,
}:main(...)
]])
    command.write(scratch .. "/sweep.lua", [[
local trpo = require "trpo"
return trpo.sweep { experiment = "tiny.lua", parameters = { delta = { 0.01, 0.02 } } }:main(...)
]])
    local _, err, code = command.run(scratch, "sweep sweep.lua --jobs 1")
    assert.are.equal(0, code, err)
    assert.is_truthy(err:find "\nresumed, but not with the same numbers: trial %x+, see [^\n]*/output.txt\n", err)
    local count = 0
    for _, result in pairs(results "sweep") do
      if result.exact_resume == false then
        count = count + 1
        assert.are.equal(2, result.attempt)
        assert.is_truthy(command.read(result.dir .. "/output.txt"):find("has no save and restore", 1, true))
      end
    end
    assert.are.equal(1, count)
  end)

  it("says when it goes on with other instructions", function()
    if trpo.info().isa == "generic" then return pending("there are only generic instructions here") end
    write_experiment(32)
    local _, err, code = command.shell(scratch, [["$trpo" sweep sweep.lua --list | head -n 1 | sed "s|^trpo|'$trpo'|" | sh]])
    assert.are.equal(0, code, err)
    _, err, code = command.shell(scratch, 'TRPO_ISA=generic "$trpo" sweep sweep.lua -q --jobs 1')
    assert.are.equal(0, code, err)
    assert.is_truthy(err:find(('system.isa was "%s", is "generic": numbers may differ'):format(trpo.info().isa), 1, true), err)
    assert.is_truthy(err:find("trpo: 1 trial ran elsewhere (" .. trpo.info().isa, 1, true), err)
    local count = {}
    for _, result in pairs(results "sweep") do
      count[result.system.isa] = (count[result.system.isa] or 0) + 1
    end
    assert.are.same({ generic = 3, [trpo.info().isa] = 1 }, count)
  end)
end)

describe("signals to a sweep", function()
  for signal, code in pairs { INT = 130, TERM = 143 } do
    it(("SIG%s lets the trials come to a stop, gives them back, and ends with code %d"):format(signal, code), function()
      write_experiment("2^40")
      local _, err, got = command.shell(scratch, [["$trpo" sweep sweep.lua --jobs 2 2>complaints & pid=$!
]] .. await [=[[ "$(wc -l sweeps/sweep/trials/*/progress.csv 2>/dev/null | awk '$1 > 2 && $2 != "total"' | wc -l)" -eq 2 ]]=]
        .. "kill -" .. signal .. " $pid; wait $pid; code=$?; cat complaints >&2; exit $code")
      assert.are.equal(code, got, err)
      assert.is_truthy(err:find("2 trials come to a stop (once more stops at once)", 1, true), err)
      assert.is_truthy(err:find(("stopped by SIG%s, 0 of 4 trials are done; the same command goes on"):format(signal), 1, true),
        err)
      local found, stopped = results "sweep", 0
      for _, result in pairs(found) do
        local status = json.decode(command.read(result.dir .. "/status.json"))
        assert.are.equal("interrupted", status.status)
        assert.is_true(exists(("%s/checkpoints/iteration-%08d.safetensors"):format(result.dir, status.iterations)))
        assert.is_nil(result.status)
        stopped = stopped + 1
      end
      assert.are.equal(2, stopped)
      for _, claim in pairs(claimed "sweep") do assert.is_true(claim.released) end
    end)
  end

  it("that reach its trials, too, take no work from them", function()
    -- at its third iteration the trial waits, until it was asked to stop and then until it may go on
    command.write(scratch .. "/asked.lua", [[
local trpo, uv = require "trpo", require "luv"
local function await(test) while not test() do uv.sleep(1) end end
return trpo.experiment {
  env = "CartPole-v1", policy = { hidden = { 4 } }, value = false, steps = 128, lanes = 2, horizon = 16,
  evaluation = { episodes = 2 }, on_iteration = function(record)
    if os.getenv "WAITS" ~= "yes" or record["time/iterations"] ~= 3 or io.open "third" then return end
    local third = io.open("third.tmp", "w")
    third:write(uv.os_getpid())
    third:close()
    os.rename("third.tmp", "third")
    await(trpo.signals.caught)
    io.open("asked", "w"):close()
    await(function() return io.open "on" end)
  end,
}:main(...)
]])
    command.write(scratch .. "/sweep.lua", [[
return require "trpo".sweep { experiment = "asked.lua", parameters = { delta = { 0.01 } }, name = os.getenv "NAME" }:main(...)
]])
    local _, err, code = command.shell(scratch, [[export WAITS=yes NAME=parts; "$trpo" sweep sweep.lua --jobs 1 2>complaints & pid=$!
]] .. await "[ -f third ]" .. "kill -INT $pid\n" .. await "[ -f asked ]" .. [[
kill -INT $(cat third); kill -TERM $(cat third); touch on
wait $pid; code=$?; cat complaints >&2; exit $code]])
    assert.are.equal(130, code, err)
    assert.is_truthy(err:find("stopped by SIGINT, 0 of 1 trials are done; the same command goes on", 1, true), err)
    local _, stopped = next(results "parts")
    local status = json.decode(command.read(stopped.dir .. "/status.json"))
    assert.are.same({ "interrupted", 3 }, { status.status, status.iterations })
    assert.is_true(exists(stopped.dir .. "/checkpoints/iteration-00000003.safetensors"))
    for _, name in ipairs { "parts", "whole" } do
      _, err, code = command.shell(scratch, ("NAME=%s \"$trpo\" sweep sweep.lua -q"):format(name))
      assert.are.equal(0, code, err)
    end
    local _, parts = next(results "parts")
    local _, whole = next(results "whole")
    assert.are.same({ 2, true }, { parts.attempt, parts.exact_resume })
    assert.are.equal(whole.metric, parts.metric)
  end)

  it("end a function at once, and the same command goes on", function()
    write_sweep("slow", 3, [[append("ran", p.x)
  if not io.open "fast" then ]] .. command.stay .. [[ end
  return p.x]])
    local _, err, code = command.shell(scratch, [["$trpo" sweep slow.lua --jobs 1 -q & pid=$!
]] .. await "[ -s ran ]" .. "kill -TERM $pid; wait $pid")
    assert.are.equal(143, code, err)
    command.write(scratch .. "/fast", "")
    _, err, code = command.run(scratch, "sweep slow.lua --jobs 1 -q")
    assert.are.equal(0, code, err)
    assert.are.same({ "1", "1", "2", "3" }, lines "ran")
    assert.are.equal(2, results "slow"[1].attempt)
  end)

  it("the second one stops at once, with all trials", function()
    command.write(scratch .. "/stuck.lua", [[
local trpo = require "trpo"
return trpo.experiment { env = trpo.env {
  id = "Stuck-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 5,
  reset = function(self, rng, obs) self.n, obs[1] = 0, 0 end,
  step = function(self, action, obs)
    io.open("stuck", "w"):close()
    while true do end
  end,
} }:main(...)
]])
    command.write(scratch .. "/sweep.lua", [[
local trpo = require "trpo"
return trpo.sweep { experiment = "stuck.lua", parameters = { delta = { 0.01, 0.02 } } }:main(...)
]])
    local out, err, code = command.shell(scratch, [["$trpo" sweep sweep.lua --jobs 1 2>complaints & pid=$!
]] .. await "[ -e stuck ]" .. "kill -INT $pid\n" .. await "grep -q once complaints" .. [[
kill -INT $pid; wait $pid; code=$?
trial=$(sed 's/.*"trial":\([0-9]*\).*/\1/' sweeps/sweep/claims/*.1)
]] .. await_end "$trial" .. "exit $code")
    assert.are.equal(130, code, out .. err)
  end)

  it("kill -9 of the sweep ends its trials, too", function()
    write_sweep("orphans", 2, [[append("ran", p.x); while true do end]])
    local out, err, code = command.shell(scratch, [["$trpo" sweep orphans.lua --jobs 2 & pid=$!
]] .. await '[ "$(grep -l trial_start sweeps/orphans/claims/*.1 2>/dev/null | wc -l)" -eq 2 ]'
      .. await '[ "$(cat ran 2>/dev/null | wc -l)" -eq 2 ]' .. [[
kill -9 $pid
for trial in $(sed 's/.*"trial":\([0-9]*\).*/\1/' sweeps/orphans/claims/*.1); do
]] .. await_end "$trial" .. [[
done
"$trpo" sweep orphans.lua --status | head -n 1]])
    assert.are.equal(0, code, err)
    assert.are.equal("orphans: 0 of 2 done, 0 running, 0 failed, 2 waiting\n", out)
  end)
end)

describe("options of trpo sweep", function()
  it("--list prints one command per trial that is left, and --trial runs it", function()
    write_sweep("listed", 4, [[append("ran", p.x); return p.x == 3 and not io.open "mended" and "x" or p.x]])
    local bin = quoted((command.trpo:gsub("/trpo$", "")))
    local out, err, code = command.shell(scratch, ([[
export PATH=%s:$PATH
"$trpo" sweep listed.lua --name 'a name' --list | tee list | head -n 1 | sh || exit 1
"$trpo" sweep listed.lua --name 'a name' --list | xargs -P 2 -d '\n' -n 1 sh -c
"$trpo" sweep listed.lua --name 'a name' --list | wc -l
"$trpo" sweep listed.lua --name 'a name' --list --retry-failed
]]):format(bin))
    assert.are.equal(0, code, err)
    local list = lines "list"
    assert.are.equal(4, #list)
    for _, line in ipairs(list) do
      assert.is_truthy(line:find "^trpo sweep listed%.lua %-%-name 'a name' %-%-trial %x+$", line)
    end
    local ran = lines "ran"
    table.sort(ran)
    assert.are.same({ "1", "2", "3", "4" }, ran)
    assert.are.equal("0\n" .. list[3] .. " --retry-failed\n", out:match "0\n[^\n]*\n$")
    assert.is_truthy(err:find("run must return a table of numbers", 1, true), err)

    out, err, code = command.shell(scratch, ([[touch mended; export PATH=%s:$PATH
"$trpo" sweep listed.lua --name 'a name' --list --retry-failed | sh || exit 1
"$trpo" sweep listed.lua --name 'a name' --list --retry-failed | wc -l]]):format(bin))
    assert.are.equal(0, code, err)
    assert.are.equal("0", out:match "%d+")
    ran = lines "ran"
    assert.are.same({ 5, "3" }, { #ran, ran[5] })
    assert.are.equal("done", results "a name"[3].status)
  end)

  it("--trial leaves a trial to who works on it, and repeats nothing", function()
    write_sweep("one", 2, [[append("ran", p.x); if p.x == 1 then ]] .. command.stay .. [[ end; return p.x]])
    local out, err, code = command.shell(scratch, [["$trpo" sweep one.lua --jobs 1 -q 2>/dev/null & pid=$!
]] .. await "[ -s ran ]" .. [[
key=$("$trpo" sweep one.lua --list | head -n 1 | sed 's/.* //')
"$trpo" sweep one.lua --trial $key -q; echo "code $?"
other=$("$trpo" sweep one.lua --list | tail -n 1 | sed 's/.* //')
"$trpo" sweep one.lua --trial $other -q; "$trpo" sweep one.lua --trial $other -q; echo "code $?"
kill -9 $pid]])
    assert.are.equal(0, code, err)
    assert.are.equal("code 0\ncode 0\n", out)
    assert.is_truthy(err:find "another process works on trial %x+", err)
    assert.are.same({ "1", "2" }, lines "ran")
  end)

  it("--status tells how it stands and starts nothing", function()
    write_sweep("stand", 3, [[append("ran", p.x); return p.x]])
    local out, err, code = command.run(scratch, "sweep stand.lua --status")
    assert.are.equal(1, code)
    assert.are.equal("", out)
    assert.are.equal("trpo: there is no sweep in sweeps/stand (no sweep.json)\n", err)
    assert.is_false(exists(scratch .. "/sweeps"))
    command.run(scratch, "sweep stand.lua -q")
    os.execute("rm " .. quoted(scratch .. "/sweeps/stand/results.csv"))
    out, err, code = command.run(scratch, "sweep stand.lua --status")
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find "^stand: 3 of 3 done, 0 running, 0 failed, 0 waiting\n")
    assert.is_true(exists(scratch .. "/sweeps/stand/results.csv"))
    assert.are.equal(3, #lines "ran")
  end)

  it("that are wrong are named", function()
    write_sweep("fine", 1, "return 1")
    command.write(scratch .. "/number.lua", "return 7")
    command.write(scratch .. "/nothing.lua", "local x = 1")
    command.write(scratch .. "/broken.lua", "return trpo.sweep {")
    command.write(scratch .. "/raises.lua", "error 'ouch'")
    command.write(scratch .. "/wrong.lua", "return require 'trpo'.sweep { run = print, parameters = {} }:main(...)")
    command.write(scratch .. "/run.lua", [[
return require "trpo".experiment { env = "CartPole-v1" }:main(...)
]])
    for _, case in ipairs {
      { "fine.lua --jobs 0", 2, "--jobs must be an integer in [1, 1024], got '0'" },
      { "fine.lua --jobs -2", 2, "--jobs must be an integer in [1, 1024], got '-2'" },
      { "fine.lua --jobs 1.5", 2, "--jobs must be an integer in [1, 1024], got '1.5'" },
      { "fine.lua --jobs many", 2, "--jobs must be an integer in [1, 1024], got 'many'" },
      { "fine.lua --status --list", 2, "--status and --list do not go together" },
      { "fine.lua --trial abc", 2, "the sweep has no trial 'abc'; --list shows them" },
      { "fine.lua --set delta=1", 2, "--set is for sweeps of an experiment" },
      { "fine.lua --name a/b", 2, "name must be a name for a folder" },
      { "fine.lua --job 2", 2, "unknown option '--job'" },
      { "none.lua", 2, "cannot read 'none.lua'" },
      { ".", 2, "cannot read '.'" },
      { "number.lua", 1, "number.lua must return a sweep ('return trpo.sweep {...}:main(...)'), it returned 7" },
      { "nothing.lua", 1, "nothing.lua must end with" },
      { "broken.lua", 1, "broken.lua:1: " },
      { "raises.lua", 1, "raises.lua:1: ouch" },
      { "wrong.lua", 2, "trpo.sweep: parameters is empty" },
      { "run.lua", 2, "run.lua is an experiment: 'trpo train run.lua' runs it" },
    } do
      local out, err, code = command.run(scratch, "sweep " .. case[1])
      assert.are.equal(case[2], code, case[1] .. ": " .. err)
      assert.is_truthy(err:find(case[3], 1, true), case[1] .. ": " .. err)
      assert.are.equal("", out)
    end
    local _, err, code = command.shell(scratch, 'TRPO_DELTA=0.1 "$trpo" sweep fine.lua')
    assert.are.equal(2, code)
    assert.are.equal("trpo: variable TRPO_DELTA sets nothing in a sweep: write --set NAME=VALUE\n", err)
    -- what is of the machine and not of the sweep
    _, err, code = command.shell(scratch, 'TRPO_THREADS=1 "$trpo" sweep fine.lua -q')
    assert.are.equal(0, code, err)
  end)

  it("that name another sweep's folder are refused", function()
    write_sweep("mine", 2, "return p.x")
    write_sweep("yours", 3, "return -p.x")
    command.run(scratch, "sweep mine.lua -q")
    local _, err, code = command.run(scratch, "sweep yours.lua --name mine -q")
    assert.are.equal(1, code)
    assert.is_truthy(err:find "^trpo: the sweep in sweeps/mine is another one: ", err)
    assert.is_truthy(err:find("choose another name, or remove the folder", 1, true))
  end)
end)
