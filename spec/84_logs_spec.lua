-- What a run writes as it goes: tables, events for TensorBoard, episodes. Each file is read back by something else than
-- what wrote it: a decoder in the spec, Python's packages (TRPO_PYTHON names the interpreter that has them).
local command = require "support.command"
local core = require "trpo.core"
local events = require "support.events"
local ffi = require "ffi"
local json = require "trpo.json"
local logger = require "trpo.logger"
local project = require "support.project"
local tensorboard = require "trpo.tensorboard"
local trpo = require "trpo"

local quoted = project.quoted
local python = quoted(os.getenv "TRPO_PYTHON" or "python3")
local nan, inf = 0 / 0, math.huge
local scratch, count

setup(function() scratch, count = command.scratch(), 0 end)
teardown(function() command.remove(scratch) end)

-- a folder for one run, as much of it as a logger needs
local function place()
  count = count + 1
  local path = ("%s/run%d"):format(scratch, count)
  project.run("mkdir " .. quoted(path))
  return { path = path }
end

local function new(folder, opts)
  opts = opts or {}
  opts.folder, opts.env_id, opts.t_start = folder, "CartPole-v1", 1700000000.25
  return logger.new(opts)
end

local function event_file(folder)
  local found = project.lines("ls " .. quoted(folder.path) .. " | grep ^events")
  assert.are.equal(1, #found)
  return found[1]
end

local function contents(folder)
  local all = {}
  for _, name in ipairs { "progress.csv", "progress.jsonl", "monitor.csv", event_file(folder) } do
    all[name] = command.read(folder.path .. "/" .. name)
  end
  return all
end

-- lines as lists of fields; no quotes inside
local function rows(text)
  local list = {}
  for line in text:gmatch "([^\n]*)\n" do
    local row = {}
    for field in (line .. ","):gmatch "([^,]*)," do row[#row + 1] = field end
    list[#list + 1] = row
  end
  return list
end

local function same(a, b) return a == b or a ~= a and b ~= b end

local function single(x)
  return tonumber(ffi.new("float[1]", x)[0])
end

-- numbers of all sizes, and what is not finite
local function record_of(rng, i)
  local record = { ["time/iterations"] = i, ["time/total_timesteps"] = 2048 * i }
  local numbers, scales = trpo.randn(rng, #logger.columns), trpo.rand(rng, #logger.columns)
  for j = 3, #logger.columns do
    local x = numbers[j] * 10 ^ (math.floor(scales[j] * 40) - 20)
    -- some are missing, some are no plain numbers
    local special = ({ [3] = nan, [5] = inf, [7] = -inf, [11] = -0, [13] = 5e-324, [17] = 2 ^ 53, [19] = 1e300 })[(i * j) % 23]
    if (i + j) % 9 > 0 then record[logger.columns[j]] = special or x end
  end
  return record
end

local function records(n)
  local list, rng = {}, trpo.rng(84)
  for i = 1, n do list[i] = record_of(rng, i) end
  return list
end

describe("progress.csv", function()
  it("has a field for each column in each line, and numbers that read back exactly", function()
    local folder, written = place(), records(60)
    local log = assert(new(folder))
    for i, record in ipairs(written) do
      assert.is_true(log:record(record))
      -- each line has left before the next one is made
      assert.are.equal(i + 1, #rows(command.read(folder.path .. "/progress.csv")))
    end
    assert.is_true(log:close())
    local table_of = rows(command.read(folder.path .. "/progress.csv"))
    assert.are.same(logger.columns, table_of[1])
    for i, record in ipairs(written) do
      assert.are.equal(#logger.columns, #table_of[i + 1])
      for j, name in ipairs(logger.columns) do
        local x, text = record[name], table_of[i + 1][j]
        if x == nil then
          assert.are.equal("", text)
        else
          assert.is_true(same(x, tonumber(text)), ("%s is %.17g, not %s"):format(name, x, text))
        end
      end
    end
  end)

  it("has further columns for the names in the first record, sorted; later ones go elsewhere", function()
    local folder = place()
    local log = assert(new(folder))
    assert(log:record { ["time/iterations"] = 1, ["zeta"] = 0.5, ["custom/b"] = 2, ["custom/a"] = 1 })
    assert(log:record { ["time/iterations"] = 2, ["late"] = 7, ["custom/a"] = 3 })
    local names = {}
    for i, name in ipairs(logger.columns) do names[i] = name end
    names[#names + 1], names[#names + 2], names[#names + 3] = "custom/a", "custom/b", "zeta"
    local table_of = rows(command.read(folder.path .. "/progress.csv"))
    assert.are.same(names, table_of[1])
    assert.are.same({ "1", "2", "0.5" }, { unpack(table_of[2], #names - 2, #table_of[2]) })
    assert.are.same({ "3", "", "" }, { unpack(table_of[3], #names - 2, #table_of[3]) })
    local lines = rows(command.read(folder.path .. "/progress.jsonl"))
    assert.are.same({ '{"time/iterations":2', '"custom/a":3', '"late":7}' }, lines[2])
    log:close()
  end)

  it("keeps the order of names that came late, also when a run goes on", function()
    local function last_line(interrupted)
      local folder = place()
      local log = assert(new(folder))
      local late = { "zz", "mm", "aa" }
      assert(log:record { ["time/iterations"] = 1 })
      assert.are.same({}, log:later())
      for i, name in ipairs(late) do assert(log:record { ["time/iterations"] = 1 + i, [name] = i }) end
      assert.are.same(late, log:later())
      if interrupted then
        local positions, later = log:positions(), log:later()
        log:close()
        log = assert(new(folder, { positions = positions, later = later }))
        assert.are.same(late, log:later())
      end
      assert(log:record { ["time/iterations"] = 5, aa = 1, mm = 2, zz = 3, bb = 4 })
      log:close()
      return command.read(folder.path .. "/progress.jsonl"):match "([^\n]*)\n$"
    end
    assert.are.equal('{"time/iterations":5,"zz":3,"mm":2,"aa":1,"bb":4}', last_line(false))
    assert.are.equal(last_line(false), last_line(true))
  end)

  it("quotes names that need it, also when a run goes on", function()
    local folder = place()
    local names = { "a,b", 'say "yes"', '"', ",", "plain", "ü/ß", 'a",b', '""', '","' }
    local record = {}
    for i, name in ipairs(names) do record[name] = i + 0.5 end
    local log = assert(new(folder))
    assert(log:record(record))
    local positions = log:positions()
    log:close()
    log = assert(new(folder, { positions = positions }))
    record.late = 1
    assert(log:record(record))
    log:close()
    local text = command.read(folder.path .. "/progress.csv")
    assert.is_truthy(text:find('""""', 1, true))
    local header, first, second = text:match "^([^\n]*)\n([^\n]*)\n([^\n]*)\n$"
    assert.are.equal(first, second)
    -- by the reader of the core, which knows quotes but no empty fields
    command.write(folder.path .. "/numbers.csv", header .. "\n" .. first:gsub(",,", ",0,"):gsub(",,", ",0,"):gsub("^,", "0,"))
    local numbers, read = trpo.csv.read(folder.path .. "/numbers.csv", { header = true })
    assert(numbers, read)
    local found = {}
    for i, name in ipairs(read) do found[name] = numbers[1][i] end
    for i, name in ipairs(names) do assert.are.equal(i + 0.5, found[name]) end
  end)
end)

describe("progress.jsonl", function()
  it("has one object per line, which reads back exactly, what is not finite included", function()
    local folder, written = place(), records(60)
    local log = assert(new(folder))
    for _, record in ipairs(written) do assert(log:record(record)) end
    log:close()
    local i = 0
    for line in io.lines(folder.path .. "/progress.jsonl") do
      i = i + 1
      local read = assert(json.decode(line))
      for name, x in pairs(written[i]) do assert.is_true(same(x, read[name]), name) end
      for name in pairs(read) do assert.is_not_nil(written[i][name], name) end
    end
    assert.are.equal(#written, i)
  end)

  it("has NaN and Infinity as Python writes them; the standard output, for all programs, has null", function()
    local folder, out = place(), {}
    local file = { write = function(_, text) out[#out + 1] = text return true end, flush = function() return true end }
    local log = assert(new(folder, { json = file }))
    assert(log:record { a = nan, b = inf, c = -inf, d = 1 })
    assert(log:record { a = 0.1, ["x:N"] = 1e-5 })
    log:close()
    assert.are.equal('{"a":NaN,"b":Infinity,"c":-Infinity,"d":1}\n{"a":0.1,"x:N":1e-05}\n',
      command.read(folder.path .. "/progress.jsonl"))
    assert.are.same({ '{"a":null,"b":null,"c":null,"d":1}\n', '{"a":0.1,"x:N":1e-05}\n' }, out)
  end)

  it("escapes names", function()
    local folder = place()
    local log = assert(new(folder))
    assert(log:record { ['back\\slash "quoted"'] = 1 })
    log:close()
    assert.are.equal('{"back\\\\slash \\"quoted\\"":1}\n', command.read(folder.path .. "/progress.jsonl"))
  end)
end)

describe("records", function()
  it("go to the sink, with or without a folder", function()
    local seen = {}
    local log = assert(logger.new { sink = function(record) seen[#seen + 1] = record end })
    local record = { ["time/iterations"] = 1 }
    assert.is_true(log:record(record))
    assert.are.equal(record, seen[1])
    assert.is_true(log:episodes(trpo.tensor { 1 }, trpo.tensor { 1 }, 1))
    assert.are.same({}, log:positions())
    assert.is_true(log:sync())
    assert.is_true(log:close())
  end)

  it("hold numbers under names of one line; all else is refused and written nowhere", function()
    local folder = place()
    local log = assert(new(folder))
    local before = contents(folder)
    local name = "the name of a number in a record must be UTF-8 text of one line"
    local cases = {
      { { ["rollout/x"] = "3" }, "record['rollout/x'] must be a number, got string" },
      { { ["train/std"] = {} }, "record['train/std'] must be a number, got table" },
      { { x = true }, "record['x'] must be a number, got boolean" },
      { { 1, 2 }, name }, { { [""] = 1 }, name }, { { ["a\nb"] = 1 }, name }, { { ["\255"] = 1 }, name },
      { { ["a\0b"] = 1 }, name },
    }
    for _, case in ipairs(cases) do
      local ok, message, code = log:record(case[1])
      assert.is_nil(ok)
      assert.are.same({ case[2], "record" }, { message, code })
    end
    assert.are.same(before, contents(folder))
    log:close()
  end)
end)

describe("an event file", function()
  it("has records with their checksums, byte for byte", function()
    -- by hand: length, masked CRC of it (TensorFlow's own files begin so), message, masked CRC of it
    local version = core.log.version(0)
    assert.are.equal("\24\0\0\0\0\0\0\0\163\127K\"", version:sub(1, 12))
    assert.are.equal("\9\0\0\0\0\0\0\0\0" .. "\26\13brain.Event:2", version:sub(13, 36))
    assert.are.equal(40, #version)
    local _, _, event = core.log.encode({ "a" }, 0, { a = 1.5 }, 1, 300)
    local message = "\9\0\0\0\0\0\0\240\63" .. "\16\172\2" .. "\42\10" .. "\10\8" .. "\10\1a" .. "\21\0\0\192\63"
    assert.are.equal("\24\0\0\0\0\0\0\0\163\127K\"" .. message, event:sub(1, -5))
    local crc = events.masked(message)
    for i = 0, 3 do assert.are.equal(math.floor(crc / 256 ^ i) % 256, event:byte(37 + i)) end
  end)

  it("has the checksums of RFC 3720", function()
    local rising = {}
    for i = 0, 31 do rising[i + 1] = string.char(i) end
    rising = table.concat(rising)
    local cases = {
      { ("\0"):rep(32), 0x8A9136AA }, { ("\255"):rep(32), 0x62A8AB43 }, { rising, 0x46DD794E },
      { rising:reverse(), 0x113FDB5C }, { "123456789", 0xE3069283 }, { "", 0 },
    }
    for _, case in ipairs(cases) do
      assert.are.equal(("%08x"):format(case[2]), core.file.checksum(case[1]))
      assert.are.equal(case[2], events.crc32c(case[1]))
    end
  end)

  it("has an event per record: time, step, and every number in single precision", function()
    local folder, written = place(), records(40)
    local log = assert(new(folder))
    local before = os.time()
    for _, record in ipairs(written) do assert(log:record(record)) end
    assert(log:record { ["time/total_timesteps"] = nan })
    local tag = ("long/"):rep(60)
    assert(log:record { [tag] = 2, ["time/total_timesteps"] = 2 ^ 40 + 1 })
    log:close()
    local name = event_file(folder)
    assert.is_truthy(name:find "^events%.out%.tfevents%.%d%d%d%d%d%d%d%d%d%d%.[%w._-]+%.%d+%.0$", name)
    local read = events.decode(command.read(folder.path .. "/" .. name))
    assert.are.equal("brain.Event:2", read[1].version)
    assert.are.equal(#written + 3, #read)
    for i, record in ipairs(written) do
      local event = read[i + 1]
      assert.are.equal(2048 * i, event.step)
      assert.is_true(event.wall_time >= before and event.wall_time <= os.time() + 1)
      for tag_name, x in pairs(record) do assert.is_true(same(single(x), event.values[tag_name]), tag_name) end
      for tag_name in pairs(event.values) do assert.is_not_nil(record[tag_name]) end
    end
    assert.are.equal(0, read[#read - 1].step)
    assert.are.equal(2 ^ 40 + 1, read[#read].step)
    assert.are.equal(2, read[#read].values[tag])
  end)
end)

describe("monitor.csv", function()
  it("begins with a comment and the names, and has a line per episode", function()
    local folder = place()
    local log = assert(new(folder))
    assert.is_true(log:episodes(trpo.tensor { 21, -0.1, 1 / 3 }, trpo.tensor { 21, 500, 7 }, 1.5))
    assert.is_true(log:episodes(trpo.zeros(0), trpo.zeros(0), 2))
    -- strided tensors too, and a million seconds
    local both = trpo.tensor { { 1, 10 }, { 2, 20 } }
    assert.is_true(log:episodes(both:select(2, 1), both:select(2, 2), 1e6 + 1 / 3))
    log:close()
    assert.are.equal(table.concat({
      '#{"t_start": 1700000000.25, "env_id": "CartPole-v1"}', "r,l,t", "21,21,0.5", "-0.1,500,1",
      "0.3333333333333333,7,1.5", "1,10,500001.166667", "2,20,1000000.333333", "",
    }, "\n"), command.read(folder.path .. "/monitor.csv"))
  end)

  it("has returns that read back exactly and times that never fall, also when a run goes on", function()
    local folder, rng = place(), trpo.rng(1)
    local log, elapsed, returns = assert(new(folder)), 0, {}
    for i = 1, 20 do
      local r, l = trpo.randn(rng, 50), trpo.rand(rng, 50):mul(100):ceil()
      elapsed = elapsed + 0.01 * i
      assert(log:episodes(r, l, elapsed))
      for j = 1, 50 do returns[#returns + 1] = r[j] end
      if i == 10 then
        local positions = log:positions()
        log:close()
        log = assert(new(folder, { positions = positions }))
      end
    end
    log:close()
    local read, last = rows(command.read(folder.path .. "/monitor.csv")), 0
    assert.are.equal(#returns + 2, #read)
    for i, x in ipairs(returns) do
      local row = read[i + 2]
      assert.are.equal(x, tonumber(row[1]))
      assert.is_truthy(row[2]:find "^%d+$")
      assert.is_true(tonumber(row[3]) > last)
      last = tonumber(row[3])
    end
  end)

  it("refuses tensors that do not fit", function()
    local log = assert(new(place()))
    local ok, message = pcall(log.episodes, log, trpo.zeros(3), trpo.zeros(2), 1)
    assert.is_false(ok)
    assert.is_truthy(message:find("lengths must have size [3]", 1, true), message)
    log:close()
  end)
end)

describe("a run that goes on", function()
  local total = 12

  -- writes records and episodes first..last; positions after each
  local function write(log, list, first, last, noted)
    for i = first, last do
      assert(log:episodes(trpo.tensor { i, i + 0.5 }, trpo.tensor { i, 2 * i }, i))
      assert(log:record(list[i]))
      if noted then noted[i] = log:positions() end
    end
  end

  -- contents without what says when
  local function timeless(folder)
    local all = contents(folder)
    local file = event_file(folder)
    all[file] = events.decode(all[file])
    for _, event in ipairs(all[file]) do event.wall_time = nil end
    return all
  end

  local list, whole, noted, name

  setup(function()
    list, noted = records(total), {}
    for _, record in ipairs(list) do record.mine = 1 / record["time/iterations"] end
    list[7].late = 77
    -- JSON cannot hold what is not finite
    for _, record in ipairs(list) do
      for key, x in pairs(record) do
        if x ~= x or x == inf or x == -inf or x == 1e300 then record[key] = 0.25 end
      end
    end
    whole = place()
    local log = assert(new(whole))
    noted[0] = log:positions()
    write(log, list, 1, total, noted)
    log:close()
    name = event_file(whole)
  end)

  local function copy()
    local folder = place()
    project.run(("cp %s/* %s"):format(quoted(whole.path), quoted(folder.path)))
    return folder
  end

  it("has positions that are the lengths of its files", function()
    for file, position in pairs(noted[total]) do
      assert.are.equal(position, #command.read(whole.path .. "/" .. file))
    end
    assert.is_number(noted[0][name])
  end)

  it("has every row exactly once, wherever it goes on and however much there is behind", function()
    for i = 0, total do
      local folder = copy()
      -- half a line of each file, as a killed process leaves it
      for file in pairs(noted[i]) do
        command.write(folder.path .. "/" .. file, command.read(folder.path .. "/" .. file) .. "\24\0\0half")
      end
      local log = assert(new(folder, { positions = noted[i] }))
      assert.are.same(noted[i], log:positions())
      for file, position in pairs(noted[i]) do
        assert.are.equal(position, #command.read(folder.path .. "/" .. file))
      end
      write(log, list, i + 1, total)
      assert.is_true(log:sync())
      log:close()
      assert.are.same(timeless(whole), timeless(folder))
    end
  end)

  it("is refused when files are not as they were, and nothing of any is changed", function()
    local position = noted[5]["monitor.csv"]
    local cases = {
      { function(path) os.remove(path .. "/progress.jsonl") end, "no_file", "cannot go on in '%s/progress.jsonl': " },
      { function(path) os.remove(path .. "/" .. name) end, "no_file", "cannot go on in '%s/" .. name .. "': " },
      { function(path) command.write(path .. "/monitor.csv", "#{}\nr,l,t\n") end, "format",
        ("cannot go on in '%%s/monitor.csv': it has 10 bytes, and the checkpoint was taken at %d"):format(position) },
      { function(path) command.write(path .. "/progress.csv", ("x"):rep(1e5)) end, "format",
        "cannot go on in '%s/progress.csv': it is not the file that the checkpoint knows, no line of it ends at byte " },
      { function(path) project.run(("cd %s && rm monitor.csv && mkdir monitor.csv"):format(quoted(path))) end, "io",
        "cannot go on in '%s/monitor.csv': " },
    }
    for i, case in ipairs(cases) do
      local folder = copy()
      case[1](folder.path)
      local before = project.run(("cd %s && cat *"):format(quoted(folder.path)))
      local log, message, code = new(folder, { positions = noted[5] })
      assert.is_nil(log)
      assert.are.equal(case[2], code)
      local expected = case[3]:gsub("%%s", function() return folder.path end)
      assert.are.equal(expected, message:sub(1, #expected), "case " .. i)
      assert.are.equal(before, (project.run(("cd %s && cat *"):format(quoted(folder.path)))))
    end
  end)

  it("is refused when the checkpoint does not say where", function()
    local strange = {
      {}, { ["progress.csv"] = 1 },
      { ["progress.csv"] = 1, ["progress.jsonl"] = 1, ["monitor.csv"] = 1, ["events.out.tfevents.1/../../../x"] = 1 },
    }
    for _, wrong in ipairs { -1, 0.5, 2 ^ 60, nan, "12", false } do
      local positions = { ["progress.csv"] = wrong, ["progress.jsonl"] = 1, ["monitor.csv"] = 1, [name] = 1 }
      strange[#strange + 1] = positions
    end
    for _, positions in ipairs(strange) do
      local log, message, code = new(copy(), { positions = positions })
      assert.is_nil(log)
      assert.are.equal("format", code)
      assert.is_truthy(message:find "^the checkpoint does not say how far .* had come$", message)
    end
  end)
end)

describe("what goes wrong", function()
  local function full() return (io.open "/dev/full") end

  it("in a folder that is missing or must not be written is one sentence", function()
    local log, message, code = new { path = scratch .. "/nowhere" }
    assert.are.same({ false, "no_file" }, { log or false, code })
    assert.is_truthy(message:find("cannot write '" .. scratch .. "/nowhere/progress.csv': ", 1, true), message)
    local folder = place()
    project.run("ln -s nowhere/at/all " .. quoted(folder.path .. "/monitor.csv"))
    log, message = new(folder)
    assert.is_nil(log)
    assert.is_truthy(message:find("/monitor.csv': No such file", 1, true), message)
  end)

  it("on a full disk is noticed at once, in every file, however long it went well", function()
    if not full() then return pending "there is no /dev/full here" end
    for _, name in ipairs { "progress.csv", "progress.jsonl", "monitor.csv" } do
      local folder = place()
      project.run(("ln -s /dev/full %s/%s"):format(quoted(folder.path), name))
      local log, message, code = new(folder)
      if log then
        for _ = 1, 3 do
          local ok
          ok, message, code = log:record { ["time/iterations"] = 1 }
          assert.is_nil(ok)
        end
        log:close()
      end
      assert.are.equal("io", code)
      assert.are.equal(("cannot write '%s/%s': No space left on device"):format(folder.path, name), message)
    end
  end)

  it("on the standard output is noticed also after it went well for long", function()
    if not full() then return pending "there is no /dev/full here" end
    local function failures(file, n)
      local log, failed = assert(logger.new { json = file }), 0
      for i = 1, n do
        local ok, message, code = log:record { a = i }
        if not ok then
          failed = failed + 1
          assert.are.same({ "cannot write to the standard output: No space left on device", "io" }, { message, code })
        end
      end
      return failed
    end
    -- a compiled flush would miss it: see logger:line
    assert.are.equal(0, failures(assert(io.open(scratch .. "/good", "a")), 300))
    for _ = 1, 5 do assert.are.equal(20, failures(assert(io.open("/dev/full", "a")), 20)) end
  end)

  -- a script that logs until it fails, then says why; returns the files' folder and what it said
  local function until_failure(opts, shell)
    local folder = place()
    command.write(folder.path .. "/script.lua", ([[
local logger, trpo = require "trpo.logger", require "trpo"
local log = assert(logger.new { folder = %s, json = %s })
local message, i = nil, 0
repeat
  i = i + 1
  local ok, why = log:episodes(trpo.tensor { i }, trpo.tensor { i }, i)
  if ok then ok, why = log:record { ["time/iterations"] = i, ["train/std"] = 1 / i } end
  message = not ok and why
until message or i == 1e6
local file = io.open("said", "w")
file:write(message or "nothing")
file:close()
]]):format(opts.folder and '{ path = "."}' or "nil", opts.json or "nil"))
    command.shell(folder.path, shell:format("luajit script.lua"))
    return folder, command.read(folder.path .. "/said")
  end

  it("in the middle of a line takes back the half that was written", function()
    -- no more than so many blocks a file; the signal that would end the process is ignored
    local folder, said = until_failure({ folder = true }, [[trap "" XFSZ; ulimit -f 8; %s]])
    assert.is_truthy(said:find "^cannot write '%./[%w.]+': File too large$", said)
    local all = contents(folder)
    local most = 0
    for name, text in pairs(all) do
      most = math.max(most, #text)
      if name:find "^events" then events.decode(text) else assert.are.equal("\n", text:sub(-1), name) end
    end
    assert.is_true(most > 4096 - 200 and most <= 8192, tostring(most))
  end)

  it("with a reader of the standard output that went away is noticed", function()
    local _, said = until_failure({ json = "io.stdout" }, [[trap "" PIPE; %s | true]])
    assert.are.equal("cannot write to the standard output: Broken pipe", said)
  end)

  it("after a log was closed is noticed by whoever uses its files", function()
    local file = assert(core.log.open(scratch .. "/file"))
    assert.is_true(file:append "abc")
    assert.are.equal(3, file:position())
    assert.is_true(file:close())
    for _, call in ipairs { "append", "position", "sync", "cut", "close" } do
      local ok, message = pcall(file[call], file, "x")
      assert.is_false(ok)
      assert.is_truthy(message:find("logfile:" .. call .. ": the file is closed", 1, true), message)
    end
  end)
end)

describe("trpo.log", function()
  it("refuses wrong arguments with one sentence", function()
    local log = core.log
    local file = assert(log.open(scratch .. "/arguments"))
    local cases = {
      { log.encode, { { 1 }, 0, {}, 0, 0 }, "a name must be a string, got 1" },
      { log.encode, { { "a" }, 2, {}, 0, 0 }, "columns must be an integer in [0, 1], got 2" },
      { log.encode, { { "a" }, 1, { a = "x" }, 0, 0 }, "record['a'] must be a number, got the string 'x'" },
      { log.encode, { { "a" }, 1, {}, "now", 0 }, "wall_time must be a number, got the string 'now'" },
      { log.encode, { { "a" }, 1, {}, 0, nan }, "step must be a number in " },
      { log.encode, { 1, 0, {}, 0, 0 }, "names must be a table, got 1" },
      { log.encode, { {}, 0 }, "record must be a table, got nil" },
      { log.version, { {} }, "wall_time must be a number, got a table" },
      { log.episodes, { 1 }, "returns must be a tensor, got 1" },
      { log.episodes, { trpo.zeros(2, 2), trpo.zeros(2), 0, 0 }, "returns must have size [" },
      { log.is_name, {}, "text must be a string, got nil" },
      { log.open, { "" }, "path must not be the empty string" },
      { log.open, { "a\0b" }, "path must not contain a zero byte" },
      { log.open, { scratch .. "/x", -1 }, "position must be a number in [0, " },
      { file.append, { file, 7 }, "bytes must be a string, got 7" },
      { file.append, { {}, "x" }, "self must be a log file, got a table" },
      { file.sync, { io.stdout }, "self must be a log file, got " },
      { file.sync, { file, {} }, "each argument must be a log file, got a table" },
    }
    for i, case in ipairs(cases) do
      local ok, message = pcall(case[1], unpack(case[2], 1, 5))
      assert.is_false(ok, "case " .. i)
      assert.is_truthy(message:find(case[3], 1, true), message)
    end
    file:close()
  end)
end)

describe("trpo.tensorboard.writer", function()
  it("writes numbers of the user's own", function()
    local folder = place()
    local writer = assert(tensorboard.writer(folder.path))
    assert.is_true(writer:add(1, { eta = 0.1, ["gap/upper"] = 3 }))
    assert.is_true(writer:add(2, { eta = nan }))
    assert.is_true(writer:close())
    local read = events.decode(command.read(folder.path .. "/" .. event_file(folder)))
    assert.are.same({ 1, single(0.1), 3 }, { read[2].step, read[2].values.eta, read[2].values["gap/upper"] })
    assert.are.equal(2, read[3].step)
    assert.is_true(read[3].values.eta ~= read[3].values.eta)
  end)

  it("has a file of its own for each writer", function()
    local folder = place()
    local a, b = assert(tensorboard.writer(folder.path)), assert(tensorboard.writer(folder.path))
    assert(a:add(1, { a = 1 }))
    assert(b:add(1, { b = 2 }))
    assert.are.equal(2, #project.lines("ls " .. quoted(folder.path)))
    a:close()
    b:close()
  end)

  it("says what is wrong", function()
    local writer = assert(tensorboard.writer(place().path))
    local cases = {
      { tensorboard.writer, { 7 }, "trpo.tensorboard.writer: folder must be a string, got number" },
      { writer.add, { writer, 0.5, {} }, "writer:add: step must be an integer from -2^53 to 2^53, got 0.5" },
      { writer.add, { writer, "1", {} }, "writer:add: step must be an integer from -2^53 to 2^53, got 1" },
      { writer.add, { writer, nan, {} }, "writer:add: step must be an integer from -2^53 to 2^53, got nan" },
      { writer.add, { writer, 2 ^ 60, {} }, "writer:add: step must be an integer from -2^53 to 2^53, got 1.15" },
      { writer.add, { writer, -math.huge, {} }, "writer:add: step must be an integer from -2^53 to 2^53, got -inf" },
      { writer.add, { writer, 1, 3 }, "writer:add: values must be a table, got number" },
      { writer.add, { writer, 1, { a = "x" } }, "writer:add: the value of 'a' must be a number, got string" },
      { writer.add, { writer, 1, { 5 } }, "writer:add: a tag must be UTF-8 text of one line" },
      { writer.add, { writer, 1, { ["\n"] = 5 } }, "writer:add: a tag must be UTF-8 text of one line" },
    }
    for _, case in ipairs(cases) do
      local ok, message = pcall(case[1], unpack(case[2]))
      assert.is_false(ok)
      assert.is_truthy(message:find(case[3], 1, true), message)
    end
    writer:close()
    local other, message, code = tensorboard.writer(scratch .. "/nowhere")
    assert.is_nil(other)
    assert.are.equal("no_file", code)
    assert.is_truthy(message:find("nowhere/events.out.tfevents.", 1, true), message)
  end)
end)

describe("Python's packages #python", function()
  local folder, written, returns

  local function has(modules)
    return select(2, project.run(("%s -c 'import %s'"):format(python, modules))) == 0
  end

  -- runs Python beside the files; it must succeed
  local function run(script)
    command.write(folder.path .. "/script.py", "import json, math, sys\n" .. script)
    local out, err, code = command.shell(folder.path, python .. " script.py")
    assert(code == 0, out .. err)
  end

  setup(function()
    folder, written = place(), records(50)
    local log, rng = assert(new(folder)), trpo.rng(2)
    written[1].mine = 0.1
    -- pandas takes the smallest numbers in JSON for a mistake
    for _, record in ipairs(written) do
      for name, x in pairs(record) do record[name] = x == 5e-324 and 2.5e-308 or x end
    end
    local first, lines = {}, {}
    for i, record in ipairs(written) do
      returns = trpo.randn(rng, 20)
      assert(log:record(record))
      assert(log:episodes(returns, trpo.ones(20):mul(i), i * 0.1))
      for j = 1, 20 do first[#first + 1] = ("%a"):format(returns[j]) end
      -- what was meant, as hexadecimal digits
      for name, x in pairs(record) do lines[#lines + 1] = ("%d %s %a"):format(i - 1, name, x) end
    end
    log:close()
    command.write(folder.path .. "/truth.txt", table.concat(lines, "\n") .. "\n")
    command.write(folder.path .. "/returns.txt", table.concat(first, "\n") .. "\n")
  end)

  local truth = [[
truth = {}
for line in open('truth.txt'):
  row, name, x = line.split()
  truth[int(row), name] = float.fromhex(x)
def same(a, b): return a == b or (math.isnan(a) and math.isnan(b))
]]

  it("json: reads every line of progress.jsonl", function()
    if not has "json" then return print "skipped: python3 is absent" end
    run(truth .. [[
rows = [json.loads(line) for line in open('progress.jsonl')]
read = {(i, name): x for i, row in enumerate(rows) for name, x in row.items()}
assert read.keys() == truth.keys()
for key, x in truth.items(): assert same(x, read[key]), (key, x, read[key])
]])
  end)

  it("pandas: reads progress.csv, progress.jsonl and monitor.csv", function()
    if not has "pandas" then return print "skipped: Python's pandas is absent" end
    run(truth .. [[
import pandas as pd
# asked to, readers are exact; left alone, those of pandas 2 do without some of the last digits
table = pd.read_csv('progress.csv', float_precision='round_trip')
quick = pd.read_csv('progress.csv')
lines = pd.read_json('progress.jsonl', lines=True, precise_float=True)
assert len(table) == len(quick) == len(lines) == 50
assert set(lines.columns) == set(name for row, name in truth)
assert list(table.columns) == list(quick.columns) and set(lines.columns) <= set(table.columns)
for (row, name), x in truth.items():
  assert same(x, table[name][row]) and same(x, lines[name][row]), (row, name, x)
  assert same(x, quick[name][row]) or math.isclose(x, quick[name][row], rel_tol=1e-11), (row, name, x)
for name in table.columns:
  assert quick[name].dtype.kind in 'fi', name
  for row in range(50):
    if (row, name) not in truth: assert math.isnan(table[name][row])
monitor = pd.read_csv('monitor.csv', skiprows=1, float_precision='round_trip')
assert list(monitor.columns) == ['r', 'l', 't'] and monitor['l'].dtype.kind == 'i'
assert list(monitor['r']) == [float.fromhex(line) for line in open('returns.txt')]
]])
  end)

  it("stable_baselines3: load_results reads monitor.csv, in order", function()
    if not has "pandas" then return print "skipped: Python's pandas is absent" end
    run [[
import pandas
try:
  from stable_baselines3.common.monitor import load_results
except ImportError:
  # its steps, where the package itself is absent
  def load_results(path):
    with open(path + '/monitor.csv') as file:
      first = file.readline()
      assert first[0] == '#'
      header = json.loads(first[1:])
      frame = pandas.read_csv(file, index_col=None)
      frame['t'] += header['t_start']
    frame.sort_values('t', inplace=True)
    frame.reset_index(inplace=True)
    frame['t'] -= header['t_start']
    return frame
frame = load_results('.')
assert len(frame) == 1000
returns = [float.fromhex(line) for line in open('returns.txt')]
assert all(math.isclose(a, b, rel_tol=1e-11) for a, b in zip(frame['r'], returns))
assert list(frame['l']) == [i // 20 + 1 for i in range(1000)]
header = json.loads(open('monitor.csv').readline()[1:])
assert header == {'t_start': 1700000000.25, 'env_id': 'CartPole-v1'}
]]
  end)

  it("tensorboard: reads every number of the event file", function()
    if not has "tensorboard, numpy" then return print "skipped: Python's tensorboard is absent" end
    run(truth .. [[
import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
board = EventAccumulator('.', size_guidance={'scalars': 0})
board.Reload()
assert sorted(board.Tags()['scalars']) == sorted(set(name for row, name in truth))
count = 0
with np.errstate(over='ignore'):
  for name in board.Tags()['scalars']:
    for event in board.Scalars(name):
      x = truth[event.step // 2048 - 1, name]
      assert same(float(np.float32(x)), event.value), (name, event)
      count += 1
assert count == len(truth)
]])
  end)
end)
