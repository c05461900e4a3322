-- What a sweep must live through: numbers that are none, results and claims that nobody of ours has written, functions
-- that end the process, disks that are full, owners that wake up late.
local command = require "support.command"
local json = require "trpo.json"
local project = require "support.project"

local quoted = project.quoted
local scratch

before_each(function() scratch = command.scratch() end)
after_each(function() command.remove(scratch) end)

-- a sweep of a function over some values of x
local function write_sweep(values, body, rest)
  command.write(scratch .. "/sweep.lua", ([[
return require "trpo".sweep {
  run = function(p, seed, dir)
    %s
  end,
  parameters = { x = { %s } }, %s
}:main(...)
]]):format(body, values, rest or ""))
end

-- a sweep of a small experiment over some values of delta
local function write_experiment(values, rest)
  command.write(scratch .. "/tiny.lua", ([[
return require "trpo".experiment {
  env = "CartPole-v1", policy = { hidden = { 4 } }, value = false, lanes = 2, horizon = 16,
  evaluation = { episodes = 1 }, %s
}:main(...)
]]):format(rest))
  command.write(scratch .. "/sweep.lua", ([[
return require "trpo".sweep { experiment = "tiny.lua", parameters = { delta = { %s } } }:main(...)
]]):format(values))
end

local function sweep(flags) return command.run(scratch, "sweep sweep.lua --jobs 2 " .. (flags or "-q")) end

-- the folders of trials by the value of x
local function folders()
  local out = {}
  for _, dir in ipairs(project.lines(("ls -d %s/sweeps/sweep/trials/*"):format(quoted(scratch)))) do
    local trial = json.decode(command.read(dir .. "/trial.json"))
    out[trial.params.x] = dir
  end
  return out
end

local function result_of(dir) return json.decode(command.read(dir .. "/result.json")) end

local function first_line(text) return text:match "^[^\n]*" end

describe("metrics without statistics", function()
  it("are kept, and count as no result", function()
    write_sweep("1, 2, 3, 4, 5", [[return ({ math.huge, -math.huge, 0 / 0, 1e305, 7 })[p.x] ]])
    local out, err, code = sweep ""
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("best: x=5, metric 7 (interquartile mean of 1 run)", 1, true), out)
    local dirs = folders()
    assert.are.equal("inf", result_of(dirs[1]).metric)
    assert.are.equal("-inf", result_of(dirs[2]).metric)
    assert.are.equal("nan", result_of(dirs[3]).metric)
    assert.are.equal(1e305, result_of(dirs[4]).metric)
    out, err, code = sweep "--status"
    assert.are.equal(0, code, err)
    assert.are.equal("sweep: 5 of 5 done, 0 running, 0 failed, 0 waiting", first_line(out))
    for _, name in ipairs { "plot --ascii", "report" } do
      out, err, code = command.run(scratch, name .. " sweeps/sweep")
      assert.are.equal(0, code, out .. err)
    end
  end)

  it("keep a cell from going on in successive halving", function()
    write_sweep("1, 2, 3, 4", [[return p.x == 4 and 1e305 or p.x == 3 and math.huge or p.x]],
      'method = "halving", halving = { min = 1, max = 2, factor = 2, aggregate = "iqm" }')
    local out, err, code = sweep()
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("best: x=2, metric 2 (", 1, true), out)
  end)
end)

describe("a result that is broken", function()
  local texts = {
    '{"status":"done","metrics":{"metric":"much"}}', '{"status":"done","metrics":{"metric":{}}}',
    '{"status":"maybe"}', "[]", "",
  }

  for _, rest in ipairs { "", 'method = "halving", halving = { min = 1, max = 3 }' } do
    it("is made again" .. (#rest > 0 and " by successive halving" or ""), function()
      write_sweep("1, 2, 3", [[return { metric = p.x } ]], rest)
      local _, err, code = sweep()
      assert.are.equal(0, code, err)
      local dir = folders()[1]
      local name = #rest > 0 and "/result-r1.json" or "/result.json"
      for _, text in ipairs(texts) do
        command.write(dir .. name, text)
        _, err = sweep "--status"
        assert.is_truthy(err:find("is broken", 1, true), text .. ": " .. err)
        _, err, code = sweep()
        assert.are.equal(0, code, err)
        assert.are.equal(1, json.decode(command.read(dir .. name)).metric)
      end
    end)
  end

  it("is believed no more than it must be", function()
    write_sweep("1", [[return p.x]])
    sweep()
    command.write(folders()[1] .. "/result.json",
      '{"status":"done","metrics":{"metric":3},"attempt":"x","seconds":{},"host":{},"system":{"isa":[],"blas":null}}')
    local out, err, code = sweep "--status"
    assert.are.equal(0, code)
    assert.is_nil((out .. err):find("table: ", 1, true), err)
    assert.is_nil((out .. err):find("userdata: ", 1, true), err)
  end)
end)

describe("claims that nobody of ours has made", function()
  it("hold nobody up", function()
    write_sweep("1, 2, 3, 4, 5, 6", [[return p.x]])
    local out = sweep "--list"
    local keys = {}
    for key in out:gmatch "%-%-trial (%x+)" do keys[#keys + 1] = key end
    command.shell(scratch, "mkdir sweeps/sweep/claims")
    local function claim(key, attempt, text)
      command.write(("%s/sweeps/sweep/claims/%s.%s"):format(scratch, key, attempt), text)
    end
    claim(keys[1], "9007199254740992", '{"released":true}')
    claim(keys[2], "99999999999999999999", '{"released":true}')
    claim(keys[3], "7", "\0\255 garbage")
    claim(keys[4], "1", "")
    claim(keys[5], "0", "[]")
    command.shell(scratch, "touch -d '2 minutes ago' sweeps/sweep/claims/*")
    local _, err, code = sweep()
    assert.are.equal(0, code, err)
    out = sweep "--status"
    assert.are.equal("sweep: 6 of 6 done, 0 running, 0 failed, 0 waiting", first_line(out))
  end)
end)

describe("a function that does what it should not", function()
  it("fails alone", function()
    write_sweep("1, 2, 3, 4, 5, 6, 7", [[
    if p.x == 1 then os.exit(0) end
    if p.x == 2 then os.exit(3) end
    if p.x == 3 then os.exit(75) end
    if p.x == 4 then error { code = 1 } end
    if p.x == 5 then error() end
    if p.x == 6 then os.execute("rm -r '" .. dir .. "'") end
    return p.x]])
    local _, err, code = sweep()
    assert.are.equal(1, code, err)
    local out = sweep "--status"
    assert.are.equal("sweep: 2 of 7 done, 0 running, 5 failed, 0 waiting", first_line(out))
    for _, text in ipairs {
      "x=1 seed 1: sweep.lua:3: os.exit(0) was called in a trial", "x=2 seed 1: sweep.lua:4: os.exit(3) was called in a trial",
      "x=3 seed 1: sweep.lua:5: os.exit(75) was called in a trial", "x=4 seed 1: raised a table", "x=5 seed 1: raised nil",
    } do
      assert.is_truthy(err:gsub("seed 1: /[^\n]-/sweep%.lua:", "seed 1: sweep.lua:"):find(text, 1, true), err)
    end
  end)
end)

describe("values that JSON tells badly", function()
  it("reach the function as they are", function()
    write_sweep('{}, { {}, { 1, "x" } }, "\\0 \\\\ \\"quoted\\"\\n", -0, 1e-300, 2^60, false', [[
    return { size = type(p.x) == "table" and #p.x or -1, sign = p.x == 0 and 1 / p.x or 0, metric = 1,
      bytes = type(p.x) == "string" and #p.x or -1 } ]])
    local _, err, code = sweep()
    assert.are.equal(0, code, err)
    local sizes, bytes, signs = {}, {}, {}
    for _, dir in ipairs(project.lines(("ls -d %s/sweeps/sweep/trials/*"):format(quoted(scratch)))) do
      local metrics = result_of(dir).metrics
      sizes[metrics.size], bytes[metrics.bytes], signs[metrics.sign] = true, true, true
    end
    assert.are.same({ [-1] = true, [0] = true, [2] = true }, sizes)
    assert.are.same({ [-1] = true, [13] = true }, bytes)
    assert.are.same({ [0] = true, ["-inf"] = true }, signs)
  end)

  it("are refused where they would not", function()
    write_sweep('"\\255 bytes"', "return 1")
    local _, err, code = sweep()
    assert.are.equal(2, code)
    assert.is_truthy(err:find("parameters.x[1] is not text in UTF-8", 1, true), err)
  end)
end)

describe("the module of an environment", function()
  it("may not change while its sweep runs", function()
    command.write(scratch .. "/room.lua", [[
local trpo = require "trpo"
return trpo.env {
  id = "Room-v0", observation = trpo.space.box { shape = { 1 } }, action = trpo.space.discrete(2), time_limit = 5,
  reset = function(_, _, obs) obs[1] = 0 end,
  step = function(_, action, obs)
    obs[1] = action
    return 1, false
  end,
}
]])
    command.write(scratch .. "/tiny.lua", [[
return require "trpo".experiment {
  env = "room", policy = { hidden = { 4 } }, value = false, steps = 32, lanes = 2, horizon = 16,
  evaluation = { episodes = 1 }, on_iteration = function()
    local file = io.open("room.lua", "a")
    file:write "-- edited\n"
    file:close()
  end,
}:main(...)
]])
    command.write(scratch .. "/sweep.lua", [[
return require "trpo".sweep { experiment = "tiny.lua", parameters = { delta = { 0.01, 0.02, 0.03 } } }:main(...)
]])
    local _, err, code = command.run(scratch, "sweep sweep.lua --jobs 1 -q")
    assert.are.equal(1, code)
    assert.is_truthy(err:find("room.lua has changed since the sweep began\n", 1, true), err)
    local out = sweep "--status"
    assert.are.equal("sweep: 1 of 3 done, 0 running, 0 failed, 2 waiting", first_line(out))
    out, err = sweep()
    assert.are.equal("", out)
    assert.is_truthy(err:find("room has changed", 1, true), err)
  end)
end)

describe("a run that cannot write its files", function()
  it("stops the sweep and stays open", function()
    write_experiment("0.01, 0.02, 0.03", "steps = 32")
    local key = sweep("--list"):match "%-%-trial (%x+)"
    command.shell(scratch, ("mkdir -p sweeps/sweep/trials/%s && : > sweeps/sweep/trials/%s/checkpoints"):format(key, key))
    local _, err, code = command.run(scratch, "sweep sweep.lua --jobs 1 -q")
    assert.are.equal(1, code)
    assert.is_truthy(err:find("trpo: the sweep stopped: cannot ", 1, true), err)
    local out = sweep "--status"
    assert.are.equal("sweep: 0 of 3 done, 0 running, 0 failed, 3 waiting", first_line(out))
    command.shell(scratch, ("rm sweeps/sweep/trials/%s/checkpoints"):format(key))
    _, err, code = sweep()
    assert.are.equal(0, code, err)
    out = sweep "--status"
    assert.are.equal("sweep: 3 of 3 done, 0 running, 0 failed, 0 waiting", first_line(out))
  end)
end)

describe("what a killed writer has left", function()
  it("is cleared away by the next attempt", function()
    write_sweep("1", "return p.x")
    local key = sweep("--list"):match "%-%-trial (%x+)"
    local dir = ("%s/sweeps/sweep/trials/%s"):format(scratch, key)
    command.shell(scratch, ("mkdir -p %s && cd %s && touch trial.json.77-0.tmp result.json.78-12.tmp my.77-0.tmp notes.tmp")
      :format(quoted(dir), quoted(dir)))
    local _, err, code = sweep()
    assert.are.equal(0, code, err)
    assert.are.same({ "my.77-0.tmp", "notes.tmp", "output.txt", "result.json", "trial.json" },
      project.lines("ls " .. quoted(dir)))
  end)
end)

describe("a cell whose value is not among those of its parameter", function()
  it("is drawn all the same", function()
    write_sweep("1, 2, 3", "return p.x", 'method = "grid"')
    sweep()
    local path = scratch .. "/sweeps/sweep/sweep.json"
    local text = command.read(path)
    local changed = text:gsub('"values": %[1, 2, 3%]', '"values": [1, 2]')
    assert.are_not.equal(text, changed)
    command.write(path, changed)
    local out, err, code = command.run(scratch, "plot --ascii sweeps/sweep")
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("\n%s+3%s"), out)
  end)
end)

describe("a trial that others have taken", function()
  it("writes nothing any more", function()
    -- the first attempt waits on its way until it is no longer its own
    write_experiment("0.01", [[steps = 32000, checkpoint = { every = 100 }, on_iteration = function(record)
      if record["time/iterations"] ~= 180 or io.open "half-way" then return end
      io.open("half-way", "w"):close()
      while not io.open "taken" do require "luv".sleep(1) end
    end]])
    -- stopped, taken by another host, and woken; that one gives it back at once
    local _, err, code = command.shell(scratch, [["$trpo" sweep sweep.lua --jobs 1 -q & pid=$!
]] .. command.await "[ -e half-way ]" .. [[
claim=$(ls sweeps/sweep/claims/*.1)
trial=$(sed 's/.*"trial":\([0-9]*\).*/\1/' $claim)
kill -STOP $trial $pid
echo '{"host":"elsewhere","released":true}' > ${claim%1}2
cat sweeps/sweep/trials/*/progress.csv | wc -l > before
touch taken
kill -CONT $trial
]] .. command.await "grep -q ') Z' /proc/$trial/stat" .. [[
cat sweeps/sweep/trials/*/progress.csv | wc -l > after
kill -CONT $pid; wait $pid]])
    assert.are.equal(0, code, err)
    -- but for what it was just about to write
    local before, after = tonumber(command.read(scratch .. "/before")), tonumber(command.read(scratch .. "/after"))
    assert.is_true(after - before <= 1, after - before)
    local dir = project.lines(("ls -d %s/sweeps/sweep/trials/*"):format(quoted(scratch)))[1]
    assert.are.equal(3, result_of(dir).attempt)
    local rows = 0
    for line in io.lines(dir .. "/progress.csv") do rows = rows + (line:find "^[%d.]" and 1 or 0) end
    assert.are.equal(1000, rows)
    assert.are.equal("done", json.decode(command.read(dir .. "/status.json")).status)
  end)
end)

describe("a run's folder that somebody is still at work in", function()
  it("is waited for", function()
    write_experiment("0.01, 0.02", "steps = 32")
    local key = sweep("--list"):match "%-%-trial (%x+)"
    local out, err, code = command.shell(scratch, ([[mkdir -p sweeps/sweep/trials/%s
luajit -e 'lock = assert(require "trpo".process.lock "sweeps/sweep/trials/%s")
local uv = require "luv"
for i = 1, 12000 do
  if uv.fs_stat "sweeps/sweep/claims/%s.2" then break end
  uv.sleep(25)
end' & "$trpo" sweep sweep.lua --jobs 1 -q; code=$?; wait; exit $code]]):format(key, key, key))
    assert.are.equal(0, code, out .. err)
    assert.are.equal("sweep: 2 of 2 done, 0 running, 0 failed, 0 waiting", first_line((sweep "--status")))
  end)
end)

describe("closed standard streams", function()
  it("do not end a command, and are not taken for files", function()
    write_sweep("1, 2", "return p.x")
    for i, closed in ipairs { "<&-", "2>&-", ">&-", "<&- >&- 2>&-" } do
      local _, err, code = command.shell(scratch, ('"$trpo" sweep sweep.lua -q --name s%d %s'):format(i, closed))
      -- what could not be said is a failure
      assert.are.equal(i < 3 and 0 or 1, code, closed .. err)
      local out = command.run(scratch, ("sweep sweep.lua --name s%d --status"):format(i))
      assert.are.equal(("s%d: 2 of 2 done, 0 running, 0 failed, 0 waiting"):format(i), first_line(out))
    end
  end)
end)
