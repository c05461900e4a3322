-- What sweeps are made of: processes that know of each other, claims, a pool, a bar.
local bar = require "trpo.sweep.bar"
local claims = require "trpo.sweep.claims"
local command = require "support.command"
local json = require "trpo.json"
local pool = require "trpo.sweep.pool"
local project = require "support.project"
local trpo = require "trpo"
local uv = require "luv"

local process = trpo.process
local quoted = project.quoted
local scratch

before_each(function() scratch = command.scratch() end)
after_each(function() command.remove(scratch) end)

local function exists(path) return uv.fs_stat(path) ~= nil end

describe("process", function()
  it("tells when a process began, as /proc does", function()
    local start = process.started(uv.os_getpid())
    assert.are.equal(start, process.started(uv.os_getpid()))
    local stat = io.open "/proc/self/stat"
    if stat then
      local fields = {}
      for word in stat:read("*a"):match "^.*%) (.*)$":gmatch "%S+" do fields[#fields + 1] = word end
      stat:close()
      assert.are.equal(tonumber(fields[20]), start)
    end
  end)

  it("counts what is dead as gone, also before it is buried", function()
    local handle, pid = uv.spawn("sleep", { args = { "600" } }, function() end)
    assert.is_number(process.started(pid))
    handle:kill "sigkill"
    -- nobody waits for it yet
    assert.is_true(command.comes_true(function() return not process.started(pid) end))
    handle:close()
    uv.run()
    assert.is_nil(process.started(pid))
  end)

  it("knows its parent", function()
    local _, _, code = command.shell(scratch, [[
luajit -e 'local p = require "trpo".process
assert(p.die_with_parent(require "luv".os_getppid()))
assert(not p.die_with_parent(1) or require "luv".os_getppid() == 1)
assert(not p.die_with_parent(require "luv".os_getpid()))']])
    assert.are.equal(0, code)
  end)

  it("touches files by the clock of their server", function()
    command.write(scratch .. "/file", "")
    uv.fs_utime(scratch .. "/file", 1000, 1000)
    local before = os.time()
    assert.is_true(process.touch(scratch .. "/file"))
    local touched = uv.fs_stat(scratch .. "/file").mtime.sec
    assert.is_true(touched >= before - 2 and touched <= os.time() + 2)
    local ok, message, code = process.touch(scratch .. "/nothing")
    assert.is_nil(ok)
    assert.is_truthy(message:find("cannot touch '" .. scratch .. "/nothing': No such file", 1, true))
    assert.are.equal("io", code)
  end)

  it("locks what is there until it is given back, also against itself", function()
    local first = assert(process.lock(scratch))
    assert.are.same({ nil, "busy" }, { process.lock(scratch) })
    process.unlock(first)
    process.unlock(first)
    local second = assert(process.lock(scratch))
    -- what this process starts does not hold it
    local child = io.popen "sleep 600 >/dev/null & echo $!"
    local pid = child:read "*n"
    finally(function() uv.kill(pid, "sigkill") end)
    process.unlock(second)
    second = assert(process.lock(scratch))
    assert.is_userdata(second)
    second = nil -- luacheck: ignore
    collectgarbage()
    assert.is_truthy(process.lock(scratch))
    assert.are.same({ nil, "none" }, { process.lock(scratch .. "/nothing") })
  end)

  it("takes the lock of a killed process", function()
    command.write(scratch .. "/hold.lua", [[
      local lock = assert(require "trpo.core".process.lock(...))
      print "held"
      io.stdout:flush()
      require "luv".sleep(600000)
      print(lock)]])
    local child = io.popen(("cd %s && exec luajit hold.lua . & echo $!"):format(quoted(scratch)))
    local pid = child:read("*n", "*l")
    assert.are.equal("held", child:read "*l")
    assert.are.same({ nil, "busy" }, { process.lock(scratch) })
    uv.kill(pid, "sigkill")
    child:close()
    -- its end takes a moment
    assert.is_userdata(command.comes_true(function() return (process.lock(scratch)) end))
  end)

  it("refuses what is no number of a process", function()
    for _, pid in ipairs { 0, -1, 1.5, 2 ^ 31, 0 / 0 } do
      assert.has_error(function() process.started(pid) end)
      assert.has_error(function() process.die_with_parent(pid) end)
    end
    assert.has_error(function() process.started "x" end)
    assert.has_error(function() process.touch() end)
    for _, wrong in ipairs { 1, "x", io.stdout } do
      assert.has_error(function() process.unlock(wrong) end)
    end
    assert.has_error(function() process.lock() end)
  end)
end)

describe("a claim", function()
  local one, other

  before_each(function()
    one, other = assert(claims.open(scratch)), assert(claims.open(scratch))
  end)

  local function file(key, attempt) return ("%s/claims/%s.%d"):format(scratch, key, attempt) end

  -- a claim of somebody else's; fields over those of this process
  local function forge(key, attempt, fields)
    local boot, space = process.boot()
    local claim = { host = uv.os_gethostname(), pid = uv.os_getpid(), boot = boot, space = space, since = os.time(),
      start = process.started(uv.os_getpid()) }
    for name, value in pairs(fields) do claim[name] = value end
    command.write(file(key, attempt), json.encode(claim))
  end

  it("is had by one only", function()
    local claim = assert(one:take "a")
    assert.are.equal(1, claim.attempt)
    local second, message, code = other:take "a"
    assert.is_nil(second)
    assert.are.equal("another process works on it", message)
    assert.are.equal("held", code)
    assert.are.same({ host = uv.os_gethostname(), pid = uv.os_getpid(), attempt = 1 }, other:owner "a")
    assert.is_nil(other:owner "b")
    assert.are.equal(1, assert(other:take "b").attempt)
  end)

  it("that was given back is had at once, by the next number", function()
    local claim = one:take "a"
    assert.is_true(one:release(claim))
    assert.is_nil(other:owner "a")
    assert.are.equal(2, other:take "a".attempt)
    assert.is_nil(one:take "a")
  end)

  it("goes on to the next attempt", function()
    local second = assert(one:again(one:take "a"))
    assert.are.equal(2, second.attempt)
    assert.is_nil(other:take "a")
    -- unless another one was there before
    forge("a", 3, {})
    local none, _, code = one:again(second)
    assert.is_nil(none)
    assert.are.equal("held", code)
  end)

  it("of a dead process is taken", function()
    forge("gone", 1, { pid = 2 ^ 22 + 1 })
    assert.are.equal(2, assert(one:take "gone").attempt)
    -- the number was given to another process meanwhile
    forge("reused", 1, { start = 1 })
    assert.are.equal(2, assert(one:take "reused").attempt)
    -- and one that does not say when it began
    command.write(file("bare", 1), json.encode { host = uv.os_gethostname(), pid = 2 ^ 22 + 1, boot = process.boot() })
    assert.are.equal(2, assert(one:take "bare").attempt)
    forge("mine", 1, {})
    assert.is_nil(one:take "mine")
  end)

  it("is not taken while the process of its trial is there", function()
    forge("a", 1, { pid = 2 ^ 22 + 1, trial = uv.os_getpid(), trial_start = process.started(uv.os_getpid()) })
    assert.is_nil(one:take "a")
    forge("b", 1, { pid = 2 ^ 22 + 1, trial = uv.os_getpid(), trial_start = 1 })
    assert.is_table(one:take "b")
  end)

  -- tries to take a claim that has been silent for so many seconds; once more if the machine slept while it was looked at
  local function take_after(seconds, key, fields)
    local round = 0
    while true do
      round = round + 1
      local name = ("%s-%d-%d"):format(key, seconds, round)
      forge(name, 1, fields)
      local now = uv.fs_stat(file(name, 1)).mtime.sec
      uv.fs_utime(file(name, 1), now - seconds, now - seconds)
      local claim = one:take(name)
      if uv.fs_stat(scratch .. "/claims/.clock").mtime.sec <= now + 1 then return claim end
    end
  end

  it("of another host, boot or container is taken after a minute of silence", function()
    for name, value in pairs { host = "elsewhere", boot = "another", space = "pid:[1]" } do
      assert.is_nil(take_after(0, name, { [name] = value }))
      assert.is_nil(take_after(58, name, { [name] = value }))
      assert.are.equal(2, assert(take_after(62, name, { [name] = value })).attempt)
    end
  end)

  it("of another host that is dated in the future is believed for a minute", function()
    local now, wall = 0, os.time()
    local clock = uv.hrtime
    uv.hrtime = function() return now * 1e9 end -- luacheck: ignore 122
    finally(function() uv.hrtime = clock end) -- luacheck: ignore 122
    local function date(time) uv.fs_utime(file("late", 1), time, time) end
    forge("late", 1, { host = "elsewhere" })
    date(wall + 1e6)
    assert.is_nil(one:take "late")
    now = 59
    assert.is_nil(one:take "late")
    -- its owner lives
    date(wall + 1e6 + 10)
    now = 62
    assert.is_nil(one:take "late")
    now = 121
    assert.is_nil(one:take "late")
    now = 123
    assert.are.equal(2, assert(one:take "late").attempt)
  end)

  it("does not note a trial's process that is over already, whose number may be another's soon", function()
    local claim = one:take "a"
    assert.is_true(one:runs(claim, 2 ^ 22 + 1))
    assert.is_nil(json.decode(command.read(file("a", 1))).trial)
    assert.is_true(one:runs(claim, uv.os_getpid()))
    assert.are.equal(uv.os_getpid(), json.decode(command.read(file("a", 1))).trial)
  end)

  it("leaves nothing that a killed process was writing", function()
    for name, age in pairs { [".vm-1-2.tmp"] = 62, [".vm-1-3.tmp"] = 30, [".note"] = 1000, ["a.1"] = 1000 } do
      command.write(scratch .. "/claims/" .. name, "")
      uv.fs_utime(scratch .. "/claims/" .. name, os.time() - age, os.time() - age)
    end
    assert(claims.open(scratch))
    assert.is_true(exists(scratch .. "/claims/.vm-1-2.tmp"))
    assert(claims.open(scratch, true))
    assert.is_false(exists(scratch .. "/claims/.vm-1-2.tmp"))
    for _, name in ipairs { ".vm-1-3.tmp", ".note", "a.1" } do assert.is_true(exists(scratch .. "/claims/" .. name)) end
  end)

  it("that cannot be read is taken after a minute, too", function()
    for i, text in ipairs { "", "{", "[1]", '"x"', "null", '{"host":1,"pid":"x"}', '{"pid":1e400}' } do
      local key = "broken" .. i
      command.write(file(key, 1), text)
      assert.is_nil(one:take(key), text)
      uv.fs_utime(file(key, 1), 1000, 1000)
      assert.is_table(one:take(key), text)
    end
  end)

  it("shows signs of life, and notices that it is lost", function()
    local claim, before = one:take "a", os.time()
    uv.fs_utime(file("a", 1), 1000, 1000)
    assert.are.same({}, one:beat())
    assert.is_true(uv.fs_stat(file("a", 1)).mtime.sec > before - 10)
    forge("a", 2, { host = "elsewhere" })
    assert.are.equal(claim, one:beat()[1])
    assert.are.same({}, one:beat())
  end)

  it("of a trial has one winner among many processes", function()
    command.write(scratch .. "/race.lua", [[
local claims = require "trpo.sweep.claims"
local mine = assert(claims.open ".")
for i = 1, 100 do
  local claim, message, code = mine:take("k" .. i)
  assert(claim or code == "held", message)
  if claim then print("k" .. i, claim.attempt) end
end
os.exit(0, true)
]])
    -- the first fifty are claims of a dead process, which all try to take over
    for i = 1, 50 do forge("k" .. i, 1, { pid = 2 ^ 22 + 1 }) end
    -- whoever has won stays until all have looked
    local out, err, code = command.shell(scratch, [[
for i in 1 2 3 4 5 6; do
  { luajit -e 'dofile "race.lua"' >won$i & }
done
wait
cat won*]])
    assert.are.equal(0, code, err)
    local count = {}
    for key in out:gmatch "(k%d+)%s+%d+\n" do count[key] = (count[key] or 0) + 1 end
    for i = 1, 100 do
      -- a process that has ended before another one looks is dead, so there may be later attempts; two of a number never
      assert.is_true(count["k" .. i] >= 1)
      assert.is_true(exists(file("k" .. i, i <= 50 and 2 or 1)))
    end
    local seen = {}
    for line in out:gmatch "[^\n]+" do
      assert.is_nil(seen[line], "twice: " .. line)
      seen[line] = true
    end
  end)

  it("does not meet those that a process of the same host, number and beginning makes", function()
    -- as two containers may be; the other one comes between writing and linking
    local link, theirs = uv.fs_link, nil
    finally(function() uv.fs_link = link end)
    uv.fs_link = function(...)
      uv.fs_link = link
      theirs = assert(other:take "b")
      return link(...)
    end
    local mine = assert(one:take "a")
    assert.are.same({ "a", "b" }, { mine.key, theirs.key })
    assert.are.same({ "a.1", "b.1" }, project.lines("ls " .. quoted(scratch .. "/claims")))
  end)

  it("needs a folder that can be written", function()
    command.write(scratch .. "/claims-file", "")
    local none, message, code = claims.open(scratch .. "/claims-file")
    assert.is_nil(none)
    assert.is_truthy(message:find "^cannot make the folder of claims: ")
    assert.are.equal("io", code)
    os.execute("rm -rf " .. quoted(scratch .. "/claims"))
    none, message, code = one:take "a"
    assert.is_nil(none)
    assert.is_truthy(message:find "^cannot claim a trial: ")
    assert.are.equal("io", code)
  end)
end)

describe("a pool of processes", function()
  it("runs so many at a time, and tells how each ended", function()
    local scripts, endings, most, next_one = { "echo one", "exit 3", "echo x; kill -9 $$", "echo a; echo b >&2" }, {}, 0, 0
    local made
    made = pool.new {
      jobs = 2,
      next = function()
        next_one = next_one + 1
        local text = scripts[next_one]
        return text and { file = "sh", args = { "-c", text }, output = scratch .. "/out" .. next_one, index = next_one }
      end,
      started = function() most = math.max(most, made.running) end,
      ended = function(task, ending) endings[task.index] = { ending.code, ending.signal, made:tail(task) } end,
    }
    made:fill()
    uv.run()
    assert.are.equal(2, most)
    assert.are.equal(0, made.running)
    assert.are.same({ { 0, 0, "one" }, { 3, 0, "" }, { 0, 9, "x" }, { 0, 0, "a\nb" } }, endings)
  end)

  for how, ending in pairs { ["is killed"] = "kill -9 $$", ["catches a signal"] = "trap 'exit 143' TERM; kill -TERM $$",
    fails = "exit 1", succeeds = "exit 0" } do
    it(("ends what a process has started that %s"):format(how), function()
      local made, asked
      made = pool.new {
        jobs = 1,
        next = function()
          if asked then return nil end
          asked = { file = "sh", args = { "-c", "sleep 600 & echo $!; " .. ending }, output = scratch .. "/out" }
          return asked
        end,
        started = function() end, ended = function() end,
      }
      made:fill()
      uv.run()
      local pid = tonumber(command.read(scratch .. "/out"))
      local gone = command.comes_true(function() return not process.started(pid) end)
      if not gone then uv.kill(pid, "sigkill") end
      assert.is_true(gone)
    end)
  end

  it("says why a process could not be started", function()
    local message, asked
    local made = pool.new {
      jobs = 1,
      next = function()
        if asked then return nil end
        asked = true
        return { file = "/no/such/program", args = {}, output = scratch .. "/out" }
      end,
      started = function() error "it did not start" end, ended = function(_, ending) message = ending.message end,
    }
    made:fill()
    uv.run()
    assert.is_truthy(message:find "^cannot start /no/such/program: ENOENT")
  end)

  it("keeps what earlier attempts printed, and shows the last lines of this one", function()
    command.write(scratch .. "/out", "earlier\n")
    local made, asked
    made = pool.new {
      jobs = 1,
      next = function()
        if asked then return nil end
        asked = { file = "sh", args = { "-c", "seq 1000" }, output = scratch .. "/out" }
        return asked
      end,
      started = function() end, ended = function() end,
    }
    made:fill()
    uv.run()
    assert.are.equal("999\n1000", made:tail(asked, 10))
    assert.is_truthy(made:tail(asked, 1e6):find "^1\n2\n")
    assert.is_truthy(command.read(scratch .. "/out"):find "^earlier\n1\n")
  end)
end)

describe("the bar of a sweep", function()
  local written
  local out = { write = function(_, ...) written = written .. table.concat { ... } end, flush = function() end }

  local function work(done, running)
    return {
      jobs = 2, pool = { running = running }, counts = { total = 45, done = done, failed = 1 },
      sweep = { name = "delta-gamma", description = {}, trials = {}, metric = { name = "eval/mean_reward", goal = "maximize" },
        cells = { { label = "delta=0.01 gamma=0.99" }, { label = "delta=0.1 gamma=0.99" } } },
    }
  end

  local function trial(cell, metric, fields)
    local made = { cell = cell, seed = 3, status = "done", metric = metric, seconds = 2.5 }
    for name, value in pairs(fields or {}) do made[name] = value end
    return made
  end

  before_each(function() written = "" end)

  it("shows counts, time left and the best cell so far", function()
    local made = bar.new { out = out, terminal = true, unicode = true, width = 120 }
    made:begin(work(0, 0))
    made:finished(trial(2, 100), work(1, 2))
    made:finished(trial(1, 493.2), work(12, 2))
    made:finish()
    local last = written:match "\r([^\r]*)\27%[K\n$"
    assert.is_truthy(last:find("^delta%-gamma  [━─]+  done 12/45  running 2  failed 1  %d+:%d%d left  "
      .. "best delta=0.01 gamma=0.99 493.2$"), last)
  end)

  it("takes the best cell among those that have come furthest", function()
    local made = bar.new { out = out, terminal = true, width = 120 }
    made:begin(work(0, 0))
    made:finished(trial(1, 100, { rung = 1 }), work(1, 1))
    made:finished(trial(2, 300, { rung = 1 }), work(2, 1))
    made:finished(trial(1, 200, { rung = 2 }), work(3, 1))
    made:finished(trial(1, 100, { rung = 1 }), work(4, 1))
    made:finish()
    assert.is_truthy(written:find("best delta=0.01 gamma=0.99 200.0", 1, true), written)
    assert.is_nil(written:match "\r([^\r]*)$":find("0.1 gamma", 1, true))
  end)

  it("lets only cells with the most results compete, as the table does", function()
    local made = bar.new { out = out, terminal = true, width = 120 }
    made:begin(work(0, 0))
    made:finished(trial(1, 100), work(1, 1))
    made:finished(trial(1, 110), work(2, 1))
    made:finished(trial(2, 300), work(3, 1))
    made:finish()
    assert.is_truthy(written:match "([^\r]*)$":find("best delta=0.01 gamma=0.99 105.0", 1, true), written)
    written = ""
    made:finished(trial(1, nil, { status = "failed" }), work(3, 1))
    made:finish()
    assert.is_truthy(written:match "([^\r]*)$":find("best delta=0.1 gamma=0.99 300.0", 1, true), written)
  end)

  it("fits into any terminal", function()
    for width = 1, 130 do
      written = ""
      local made = bar.new { out = out, terminal = true, width = width }
      made:begin(work(0, 0))
      made:finished(trial(1, 493.2), work(12, 2))
      for line in written:gmatch "\r([^\r\27]*)" do assert.is_true(#line < math.max(width, 2), line) end
    end
  end)

  it("is a line for each trial where there is no terminal", function()
    local made = bar.new { out = out, terminal = false, width = 80 }
    made:begin(work(0, 0))
    made:started(trial(1), work(0, 1))
    made:tick(work(0, 1))
    made:finished(trial(1, 493.2), work(12, 2))
    made:finished(trial(2, nil, { status = "failed", message = "ouch\ntraceback" }), work(12, 1))
    made:finish()
    local first, second, rest = written:match "^([^\n]*)\n([^\n]*)\n(.*)$"
    assert.is_truthy(first:find("^done 12/45  delta=0.01 gamma=0.99 seed 3  eval/mean_reward 493.2  2.5 s  "
      .. "%d+:%d%d left$"), first)
    assert.are.equal("failed: delta=0.1 gamma=0.99 seed 3: ouch", second)
    assert.are.equal("", rest)
  end)

  it("has rung and steps with halving, and takes the time of all rungs", function()
    -- 1000 steps took 10 seconds; left are two trials of 1000 more steps at a time, and one of 2000
    local here = work(3, 0)
    here.sweep.description = { kind = "experiment", halving = { rungs = { 1000, 2000, 4000 } } }
    here.sweep.trials = { { rung = 1, status = "done" }, { rung = 2, status = "waiting" }, { rung = 2, status = "running" } }
    here.sweep.ahead = { [3] = 1 }
    local made = bar.new { out = out, terminal = false, width = 80 }
    made.began = 0
    made:finished(trial(1, 493.2, { rung = 1, steps = 1000, seconds = 10 }), here)
    assert.are.equal("done 3/45  delta=0.01 gamma=0.99 seed 3  1000 steps  eval/mean_reward 493.2  10.0 s  0:30 left\n", written)
    -- of a second rung half of the seconds are its own; a function begins anew
    made:finished(trial(1, 493.2, { rung = 2, steps = 2000, seconds = 20 }), here)
    assert.is_truthy(written:find "  2000 steps  .* 0:30 left\n$")
    here.sweep.description.kind = "run"
    written = ""
    made = bar.new { out = out, terminal = true, width = 120 }
    made.began = 0
    made:finished(trial(1, 493.2, { rung = 1, steps = 1000, seconds = 10 }), here)
    made:finish()
    assert.is_truthy(written:find("done 3/45  rung 2/3  running 0  failed 1  1:00 left", 1, true), written)
  end)

  it("does not count the failures that are tried again", function()
    local here = work(0, 0)
    here.retry = { a = 1 }
    here.sweep.trials = { trial(1, nil, { key = "a", status = "failed" }), trial(2, 100, { key = "b" }) }
    local made = bar.new { out = out, terminal = true, width = 120 }
    made:begin(here)
    made:finished(trial(1, 300, { key = "a" }), here)
    made:finish()
    assert.is_truthy(written:match "([^\r]*)$":find("best delta=0.01 gamma=0.99 300.0", 1, true), written)
  end)

  it("is silent when asked", function()
    local made = bar.new { out = out, terminal = true, quiet = true }
    made:begin(work(0, 0))
    made:finished(trial(1, 1), work(1, 1))
    made:again(trial(1), 9)
    made:signal("SIGINT", work(1, 1))
    made:finish()
    assert.are.equal("", written)
  end)
end)
