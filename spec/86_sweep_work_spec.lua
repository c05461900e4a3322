-- The work on a sweep from within: signs of life, claims that are taken away, pauses, what is left of failures.
local claims = require "trpo.sweep.claims"
local command = require "support.command"
local disk = require "trpo.disk"
local json = require "trpo.json"
local results = require "trpo.sweep.results"
local sweep_folder = require "support.sweep_folder"
local trpo = require "trpo"
local uv = require "luv"
local work = require "trpo.sweep.work"

local scratch, dir

before_each(function()
  scratch = command.scratch()
  dir = scratch .. "/worked"
end)
after_each(function() command.remove(scratch) end)

-- a folder of a sweep with one trial, and that
local function one(status)
  sweep_folder.write(dir, { parameters = { { path = "x", name = "x", values = { 1 } } }, seeds = { 1 }, kind = "run",
    status = function() return status or "waiting" end })
  local sweep = assert(results.read(dir))
  return sweep, sweep.trials[1]
end

-- a display that calls what it is given
local function view(calls)
  return setmetatable(calls, { __index = function() return function() end end })
end

-- works with shell text in place of a trial's process
local function run(sweep, text, calls, more)
  local o = { sweep = sweep, jobs = 1, view = view(calls or {}),
    command = function() return { file = "sh", args = { "-c", text }, env = nil } end }
  for key, value in pairs(more or {}) do o[key] = value end
  return assert(work.run(o))
end

-- the text of a result, as a trial writes it
local function result_of(metric, more)
  local out = { status = "done", metrics = { ["eval/mean_reward"] = metric }, seconds = 1 }
  for key, value in pairs(more or {}) do out[key] = value end
  return json.encode(out)
end

-- seconds of real time after which a loop gives up
local patience = 60

describe("the loop of a sweep", function()
  it("gives signs of life while a trial runs", function()
    local sweep, trial = one()
    local claim, seen, begin = claims.place(dir, trial.key, 1), 0, os.time()
    local outcome = run(sweep, ("until [ -e '%s/enough' ]; do sleep 0.02; done; printf '%%s' '%s' >'%s/result.json'"):format(
      scratch, result_of(3), trial.dir), {
      tick = function()
        if uv.fs_stat(claim).mtime.sec > 1000 then seen = seen + 1 end
        uv.fs_utime(claim, 1000, 1000)
        -- the first one is that of the file when it was made
        if seen >= 3 or os.time() - begin > patience then command.write(scratch .. "/enough", "") end
      end,
    }, { heartbeat = 1 })
    assert.is_true(seen >= 3)
    assert.are.same({ 1, 1, 0 }, { outcome.total, outcome.done, outcome.failed })
  end)

  it("kills a trial that others have taken meanwhile, and counts what they find", function()
    local sweep, trial = one()
    local taken, alive, pid = false, nil, nil
    local outcome = run(sweep, "echo $$; exec sleep " .. patience, {
      tick = function(_, state)
        -- it may not have begun yet
        pid = pid or tonumber(command.read(trial.dir .. "/output.txt"):match "(%d+)\n")
        if not taken and pid then
          taken = true
          command.write(claims.place(dir, trial.key, 2), json.encode { host = "elsewhere", pid = 1, boot = "x" })
        elseif taken and state.pool.running == 0 and alive == nil then
          alive = trpo.process.started(pid) ~= nil
          command.write(trial.dir .. "/result.json", result_of(5, { attempt = 2 }))
        end
      end,
    }, { heartbeat = 0 })
    assert.is_false(alive)
    assert.are.equal(1, outcome.done)
    assert.are.equal(5, trial.metric)
  end)

  it("tries a folder that is not free less and less often", function()
    local sweep, trial = one()
    local times, clock, real = {}, 1000, os.time
    finally(function() os.time = real end) -- luacheck: ignore 122
    os.time = function(...) return ... and real(...) or clock end -- luacheck: ignore 122
    run(sweep, ("echo x >>'%s/tries'; [ $(wc -l <'%s/tries') -lt 3 ] && exit 73; printf '%%s' '%s' >'%s/result.json'"):format(
      scratch, scratch, result_of(1), trial.dir), {
      started = function() times[#times + 1] = clock end,
      tick = function() clock = clock + 1 end,
    })
    assert.are.equal(3, #times)
    for i, pause in ipairs { 1, 2 } do assert.is_true(times[i + 1] - times[i] >= pause, "pause " .. i) end
  end)
end)

describe("a failure that is tried again", function()
  it("leaves nothing in the result that follows", function()
    one "failed"
    command.write(results.read(dir).trials[1].dir .. "/result.json", result_of(nil, { status = "failed", metrics = {},
      attempt = 1, message = "no metric", code = "metric" }))
    local sweep = assert(results.read(dir))
    local trial = sweep.trials[1]
    assert.are.equal("metric", trial.code)
    local outcome = run(sweep, ("printf '%%s' '%s' >'%s/result.json'"):format(result_of(4), trial.dir), nil, { retry = true })
    assert.are.same({ 1, 1, 0 }, { outcome.total, outcome.done, outcome.failed })
    assert.are.same({ "done", 4 }, { trial.status, trial.metric })
    assert.is_nil(trial.message)
    assert.is_nil(trial.code)
  end)
end)

describe("a part of a name", function()
  it("is another one in every process, also of the same number", function()
    local real, hrtime = uv.os_getpid, uv.hrtime
    finally(function() uv.os_getpid, uv.hrtime = real, hrtime end)
    uv.os_getpid, uv.hrtime = function() return 7 end, function() return 1 end
    local seen = {}
    for _ = 1, 100 do
      local text = disk.unique()
      assert.is_truthy(text:find "^7%-%d+$")
      assert.is_nil(seen[text])
      seen[text] = uv.random ~= nil or nil
    end
  end)
end)
