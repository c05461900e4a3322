-- What logging costs: one record of a full iteration in all of a run's files, one episode, one sync.
-- "before" writes as many lines of as many bytes, and nothing else: what the system takes.
--
--   luajit bench/logging.lua [short] [--save]
local core = require "trpo.core"
local logger = require "trpo.logger"
local support = require "bench.support"
local trpo = require "trpo"
local uv = require "luv"

local short = support.arguments { about = "What logging costs." }.short
local rounds, calls = short and 5 or 21, short and 200 or 2000
local episodes = 50

local folder = assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/trpo-logging-XXXXXX"))
local rng = trpo.rng(1)

-- records as training makes them: every number has all its digits
local records = {}
for i = 1, 64 do
  local record = {}
  local numbers = trpo.randn(rng, #logger.columns)
  for j, name in ipairs(logger.columns) do record[name] = numbers[j] end
  record["time/iterations"], record["time/total_timesteps"], record["train/n_updates"] = i, 2048 * i, i
  records[i] = record
end
local returns, lengths = trpo.randn(rng, episodes), trpo.rand(rng, episodes):mul(500):ceil()

local log = assert(logger.new { folder = { path = folder }, env_id = "Bench-v0" })
local elapsed = 0

local function write_records()
  for i = 1, calls do assert(log:record(records[i % 64 + 1])) end
end

local function write_episodes()
  for _ = 1, calls do
    elapsed = elapsed + 0.5
    assert(log:episodes(returns, lengths, elapsed))
  end
end

-- the bytes of an average record, in three plain files
local plain = {}
for k = 1, 3 do plain[k] = assert(core.log.open(("%s/plain%d"):format(folder, k))) end
local csv, line, event = core.log.encode(logger.columns, #logger.columns, records[1], 0, 0)

local function write_plain()
  for _ = 1, calls do
    assert(plain[1]:append(csv))
    assert(plain[2]:append(line))
    assert(plain[3]:append(event))
  end
end

local function encode()
  for i = 1, calls do core.log.encode(logger.columns, #logger.columns, records[i % 64 + 1], 0, 0) end
end

local times = support.compare({ write_plain, encode, write_records, write_episodes }, rounds)
assert(log:sync())
-- a checkpoint after an iteration
local sync = {}
for i = 1, rounds do
  assert(log:record(records[1]))
  assert(log:episodes(returns, lengths, elapsed))
  local start = support.now()
  assert(log:sync())
  sync[i] = support.now() - start
end
log:close()
for name in function(scan) return uv.fs_scandir_next(scan) end, assert(uv.fs_scandir(folder)) do
  uv.fs_unlink(folder .. "/" .. name)
end
uv.fs_rmdir(folder)

local results = {
  { name = "writes alone, a record", seconds = times[1] / calls },
  { name = "digits and events alone, a record", seconds = times[2] / calls },
  { name = "a record", seconds = times[3] / calls, budget = 50e-6 },
  { name = "an episode", seconds = times[4] / calls / episodes, budget = 1e-6 },
  { name = "a sync of all files", seconds = support.median(sync) },
}
local rows = { { "logging", "us", "budget" } }
for _, result in ipairs(results) do
  rows[#rows + 1] = { result.name, ("%.3f"):format(1e6 * result.seconds),
    result.budget and ("%.0f"):format(1e6 * result.budget) or "-" }
end
support.print(rows)
support.save("logging", results)
