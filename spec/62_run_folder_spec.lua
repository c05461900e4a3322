-- Folders of runs, their tables and the display of progress, without any training.
local uv = require "luv"
local folder = require "trpo.folder"
local json = require "trpo.json"
local logger = require "trpo.logger"
local progress = require "trpo.progress"
local project = require "support.project"

local scratch

before_each(function() scratch = assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/trpo-spec-XXXXXX")) end)
after_each(function() project.run("rm -rf " .. project.quoted(scratch)) end)

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function exists(path) return uv.fs_stat(path) ~= nil end

describe("the folder of a run", function()
  it("is made with all folders above it", function()
    local made = assert(folder.create(scratch .. "/a/b/c", false))
    assert.are.equal(scratch .. "/a/b/c", made.path)
    assert.are.equal("directory", uv.fs_stat(made.path).type)
  end)

  it("is refused when it is there already, with what to do", function()
    local made = assert(folder.create(scratch .. "/run", false))
    assert(made:write_json("config.json", { a = 1 }))
    local again, message, code = folder.create(scratch .. "/run", false)
    assert.is_nil(again)
    assert.are.equal("exists", code)
    assert.is_truthy(message:find("--overwrite", 1, true))
    assert.is_truthy(message:find("overwrite = true", 1, true))
    assert.are.same({ a = 1 }, json.decode(read(scratch .. "/run/config.json")))
  end)

  -- a folder that a run left so
  local function left(name, status, rows)
    local made = assert(folder.create(scratch .. "/" .. name, false))
    assert(made:write_json("config.json", {}))
    if status then assert(made:write_json("status.json", status)) end
    assert(made:write("progress.csv", "time/iterations\n" .. (rows or "")))
    made:close()
    return made
  end

  it("is replaced by itself after a run that ended before its first complete iteration", function()
    local host, gone = uv.os_gethostname(), 2 ^ 30
    for i, status in ipairs {
      { status = "failed", code = "environment" }, { status = "interrupted", signal = 2 },
      { status = "running", host = host, pid = gone },
    } do
      left("early" .. i, status)
      assert.is_truthy(folder.create(scratch .. "/early" .. i, false), i)
      assert.is_false(exists(scratch .. "/early" .. i .. "/config.json"))
    end
  end)

  it("is kept when there is something in it, or when its run may be alive", function()
    local host, gone = uv.os_gethostname(), 2 ^ 30
    local function kept(name)
      local made, message, code = folder.create(scratch .. "/" .. name, false)
      assert.is_nil(made, name)
      assert.are.equal("exists", code)
      assert.is_true(exists(scratch .. "/" .. name .. "/config.json"))
      return message
    end
    left("row", { status = "failed" }, "1\n")
    kept "row"
    left("more", { status = "failed" }):write("notes.txt", "mine")
    kept "more"
    left "unknown"
    kept "unknown"
    left("elsewhere", { status = "running", host = host .. "x", pid = gone })
    kept "elsewhere"
    left("alive", { status = "running", host = host, pid = uv.os_getpid() })
    assert.is_truthy(kept("alive"):find(("exists already, process %d is at work there"):format(uv.os_getpid()), 1, true))
  end)

  it("is taken when it is empty", function()
    assert(uv.fs_mkdir(scratch .. "/empty", 493))
    assert.is_truthy(folder.create(scratch .. "/empty", false))
  end)

  it("is replaced when asked, with all that was in it", function()
    local made = assert(folder.create(scratch .. "/run", false))
    assert(made:write_json("config.json", {}))
    assert(uv.fs_mkdir(made.path .. "/sub", 493))
    assert(made:write("sub/file", "x"))
    made:close()
    assert(folder.create(scratch .. "/run", true))
    assert.is_false(exists(scratch .. "/run/sub"))
    assert.is_false(exists(scratch .. "/run/config.json"))
  end)

  it("has one user at a time, whatever status.json says", function()
    local made = assert(folder.create(scratch .. "/run", false))
    for _, file in ipairs { "config.json", "status.json" } do assert(made:write_json(file, { status = "failed" })) end
    for _, try in ipairs { "create", "resume" } do
      local other, message, code = folder[try](scratch .. "/run", true)
      assert.is_nil(other)
      assert.are.equal(try == "create" and "exists" or "busy", code)
      assert.is_truthy(message:find("another process is at work there", 1, true), message)
    end
    assert.is_true(exists(scratch .. "/run/config.json"))
    made:close()
    made:close()
    local resumed = assert(folder.resume(scratch .. "/run"))
    assert.is_nil(folder.resume(scratch .. "/run"))
    resumed:close()
    assert(folder.create(scratch .. "/run", true))
  end)

  it("is replaced where a run was killed before it had said anything but that it runs", function()
    local made = assert(folder.create(scratch .. "/run", false))
    local gone = { status = "running", pid = 2 ^ 30, start = 1, host = uv.os_gethostname() }
    assert(made:claim(gone, {}))
    made:close()
    assert(folder.create(scratch .. "/run", false))
    assert.is_false(exists(scratch .. "/run/status.json"))
  end)

  it("never replaces a folder that is not a run's", function()
    assert(uv.fs_mkdir(scratch .. "/thesis", 493))
    local file = assert(io.open(scratch .. "/thesis/chapter.tex", "w"))
    file:close()
    local made, message, code = folder.create(scratch .. "/thesis", true)
    assert.is_nil(made)
    assert.are.equal("exists", code)
    assert.is_truthy(message:find("is not the folder of a run", 1, true))
    assert.is_true(exists(scratch .. "/thesis/chapter.tex"))
  end)

  it("is not replaced while its run may be at work on another machine", function()
    for i, who in ipairs { { "process 12 on elsewhere", pid = 12, host = "elsewhere" }, { "a process" } } do
      local path = scratch .. "/far" .. i
      left("far" .. i, { status = "running", pid = who.pid, host = who.host })
      local made, message, code = folder.create(path, true)
      assert.is_nil(made)
      assert.are.equal("exists", code)
      assert.are.equal(("%s is not overwritten: %s was at work there; whether it still is cannot be seen from here; "
        .. "remove the folder yourself when it is not"):format(path, who[1]), message)
      assert.is_true(exists(path .. "/config.json"))
      -- it is not held for that
      assert(folder.resume(path)):close()
      left("over" .. i, { status = "done", pid = who.pid, host = who.host })
      assert(folder.create(scratch .. "/over" .. i, true))
    end
  end)

  it("does not follow links when it is replaced", function()
    assert(uv.fs_mkdir(scratch .. "/elsewhere", 493))
    assert(assert(io.open(scratch .. "/elsewhere/keep", "w")):close())
    local made = assert(folder.create(scratch .. "/run", false))
    assert(made:write_json("config.json", {}))
    assert(uv.fs_symlink(scratch .. "/elsewhere", made.path .. "/link"))
    made:close()
    assert(folder.create(scratch .. "/run", true))
    assert.is_true(exists(scratch .. "/elsewhere/keep"))
  end)

  it("says what is wrong when it cannot be made or written", function()
    assert(assert(io.open(scratch .. "/file", "w")):close())
    local made, message, code = folder.create(scratch .. "/file/run", false)
    assert.is_nil(made)
    assert.are.equal("io", code)
    assert.is_truthy(message:find("cannot make the run folder", 1, true))

    made = assert(folder.create(scratch .. "/run", false))
    assert(uv.fs_rmdir(made.path))
    local ok
    ok, message, code = made:write("status.json", "x")
    assert.is_nil(ok)
    assert.are.equal("io", code)
    assert.is_truthy(message:find("cannot write '" .. scratch .. "/run/status.json'", 1, true))
  end)

  it("leaves no temporary files behind", function()
    local made = assert(folder.create(scratch .. "/run", false))
    for i = 1, 3 do assert(made:write("status.json", ("x"):rep(i))) end
    assert.are.equal("xxx", read(made.path .. "/status.json"))
    assert.are.same({ "status.json" }, require("trpo.disk").names(made.path))
  end)

  it("gets a name that is safe", function()
    local cases = {
      ["CartPole-v1-TRPO-s1"] = "CartPole-v1-TRPO-s1", ["ALE/Pong-v5"] = "ALE-Pong-v5",
      ["../../etc"] = "-..-etc", ["a b;c"] = "a-b-c", [".."] = "run", [""] = "run",
      ["été δ=1"] = "été-δ-1", ["日本"] = "日本", ["a\255\254b"] = "a-b", ["é\n"] = "-",
    }
    for name, safe in pairs(cases) do assert.are.equal(safe, folder.safe_name(name)) end
  end)
end)

describe("progress.csv", function()
  it("has the same columns in each line and numbers that read back exactly", function()
    local place = assert(folder.create(scratch .. "/run", false))
    local log = assert(logger.new { folder = place })
    local records = {
      { ["time/iterations"] = 1, ["train/kl_divergence_loss"] = 1 / 3 },
      { ["time/iterations"] = 2, ["rollout/ep_rew_mean"] = -1e-300, ["eval/mean_reward"] = 2 ^ 53 - 1,
        ["train/value_loss"] = 0 / 0 },
    }
    for i, record in ipairs(records) do
      assert(log:record(record))
      -- each line is on the disk before the next one is made
      local _, lines = read(place.path .. "/progress.csv"):gsub("\n", "")
      assert.are.equal(i + 1, lines)
    end
    log:close()

    local lines = {}
    for line in io.lines(place.path .. "/progress.csv") do
      local fields = {}
      for field in (line .. ","):gmatch("([^,]*),") do fields[#fields + 1] = field end
      lines[#lines + 1] = fields
    end
    assert.are.same(logger.columns, lines[1])
    for i, record in ipairs(records) do
      assert.are.equal(#logger.columns, #lines[i + 1])
      for j, name in ipairs(logger.columns) do
        local expected, text = record[name], lines[i + 1][j]
        if expected == nil then
          assert.are.equal("", text)
        elseif expected ~= expected then
          assert.are.equal("nan", text)
        else
          assert.are.equal(expected, tonumber(text))
        end
      end
    end
  end)
end)

describe("the display of progress", function()
  local function record(iteration)
    return {
      ["time/iterations"] = iteration, ["time/total_timesteps"] = iteration * 2048,
      ["time/time_elapsed"] = iteration, ["time/fps"] = 2048,
      ["rollout/ep_rew_mean"] = iteration > 1 and 123.456 or nil,
      ["train/kl_divergence_loss"] = 0.00987,
    }
  end

  local function sink()
    local written = {}
    return {
      write = function(_, ...)
        for i = 1, select("#", ...) do written[#written + 1] = (select(i, ...)) end
      end,
      flush = function() end,
      text = function() return table.concat(written) end,
    }
  end

  it("is one plain line per iteration where there is no terminal", function()
    local out = sink()
    local display = progress.new { steps = 8192, out = out, terminal = false }
    display:update(record(1))
    display:update(record(2))
    display:finish()
    assert.are.equal(
      "iteration    1  steps 2048/8192  2048 steps/s  return -       KL 0.0099   0:03 left\n"
      .. "iteration    2  steps 4096/8192  2048 steps/s  return 123.5   KL 0.0099   0:02 left\n", out.text())
    assert.is_nil(out.text():find("[\27\r]"))
  end)

  it("judges the time that is left by the speed since a run went on", function()
    local out = sink()
    local display = progress.new { steps = 8192, out = out, terminal = false }
    display:resume(2048, 100)
    local shown = record(2)
    shown["time/time_elapsed"] = 101
    display:update(shown)
    assert.is_truthy(out.text():find("0:02 left\n", 1, true), out.text())
  end)

  it("refreshes one line on a terminal and never exceeds its width", function()
    for _, width in ipairs { 20, 40, 80, 100, 132, 200 } do
      local out = sink()
      local display = progress.new { steps = 8192, out = out, terminal = true, width = width, label = "CartPole" }
      for i = 1, 4 do display:update(record(i)) end
      display:finish()
      local lines = 0
      for line in out.text():gmatch("\r([^\r]*)\27%[K") do
        lines = lines + 1
        assert.is_true(#line < width, ("%d columns: %s"):format(width, line))
      end
      assert.are.equal(4, lines)
      assert.are.equal("\n", out.text():sub(-1))
    end
  end)

  it("says that a policy is being evaluated, on a terminal", function()
    local out = sink()
    local display = progress.new { steps = 8192, out = out, terminal = true, width = 80 }
    display:evaluating(record(2))
    assert.is_truthy(out.text():find("iteration 2 .* evaluating"), out.text())
    display:update(record(2))
    display:finish()
    assert.is_nil(out.text():match("[^\r]*$"):find("evaluating", 1, true), out.text())
    local plain = sink()
    display = progress.new { steps = 8192, out = plain, terminal = false }
    display:evaluating(record(2))
    display:finish()
    assert.are.equal("", plain.text())
  end)

  it("shows whole fields only, each at the same place in every line", function()
    local function line(width, iteration, kl)
      local out, shown = sink(), record(iteration)
      shown["train/kl_divergence_loss"] = kl
      local display = progress.new { steps = 8192, out = out, terminal = true, width = width }
      display:update(shown)
      return (out.text():match("\r(.*)\27%[K"):gsub("%s+$", ""))
    end
    local fields = { " 50%", "iteration 2", "4096/8192", "return 123.5", "KL 0.0099", "0:02 left", "2048 steps/s" }
    for width = 1, 132 do
      -- what is there, is the first fields in order
      local rest = line(width, 2, 0.00987):gsub("^[=%-]+ ", "")
      for _, field in ipairs(fields) do
        if #rest > 0 then
          local from, to = rest:find(field, 1, true)
          assert.is_truthy(from == 1 or from and rest:sub(1, from - 1):find("^ +$"), rest)
          rest = rest:sub(to + 1)
        end
      end
      assert.are.equal("", (rest:gsub("%s+$", "")))
    end
    assert.are.equal(line(80, 2, 0.00987):find("0:02 left", 1, true), line(80, 2, 1.2e-05):find("0:02 left", 1, true))
  end)

  it("has colours only when they are wanted", function()
    local function drawn(colour)
      local out = sink()
      local display = progress.new { steps = 8192, out = out, terminal = true, width = 120, colour = colour }
      display:update(record(2))
      display:finish()
      return out.text()
    end
    assert.is_truthy(drawn(true):find("\27[32m", 1, true))
    assert.is_nil(drawn(false):find("\27%[[%d;]*m"))
  end)

  it("shows durations and numbers shortly", function()
    local durations = { [0] = "0:00", [7.4] = "0:07", [59.6] = "1:00", [750] = "12:30", [10931] = "3:02:11" }
    for seconds, text in pairs(durations) do assert.are.equal(text, progress.duration(seconds)) end
    local numbers = { [500] = "500.0", [12345.6] = "12346", [-150.23] = "-150.2", [1.5] = "1.50", [0.00987] = "0.0099",
      [0] = "0", [-0.00001] = "-1e-05", [1234567] = "1.23e+06" }
    for number, text in pairs(numbers) do assert.are.equal(text, progress.short(number)) end
    for _, nan in ipairs { 0 / 0, -(0 / 0) } do assert.are.equal("nan", progress.short(nan)) end
  end)
end)
