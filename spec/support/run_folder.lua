--- What the folder of a run holds, without what depends on the clock and the process: equal for equal runs.
local command = require "support.command"
local disk = require "trpo.disk"
local json = require "trpo.json"
local trpo = require "trpo"

local run_folder = {}

local timed = { ["time/time_elapsed"] = true, ["time/fps"] = true }

-- numbers as text, so that NaN equals NaN and 0 differs from -0
local function exact(value)
  if type(value) == "number" then return ("%.17g"):format(value) end
  return tostring(value)
end

--- The rows of `progress.csv` as texts by column, without those of time.
function run_folder.csv(path)
  local out, names = {}, nil
  for line in io.lines(path .. "/progress.csv") do
    local fields, row = {}, {}
    for field in (line .. ","):gmatch "([^,]*)," do fields[#fields + 1] = field end
    if not names then
      names = fields
    else
      assert(#fields == #names, "a row has other columns than the header: " .. line)
      for i, name in ipairs(names) do row[name] = not timed[name] and fields[i] or nil end
      out[#out + 1] = row
    end
  end
  return out
end

--- The objects of `progress.jsonl`, likewise.
function run_folder.jsonl(path)
  local out = {}
  for line in io.lines(path .. "/progress.jsonl") do
    local row = {}
    for name, value in pairs(assert(json.decode(line))) do row[name] = not timed[name] and exact(value) or nil end
    out[#out + 1] = row
  end
  return out
end

--- The rows of `monitor.csv`: return and length.
function run_folder.monitor(path)
  local out = {}
  for line in io.lines(path .. "/monitor.csv") do out[#out + 1] = line:match "^(%-?%d[^,]*,[^,]*),[^,]*$" end
  return out
end

--- How long the event file is, without its first record, whose length depends on nothing but the version.
function run_folder.events(path)
  local sizes = {}
  for _, name in ipairs(disk.names(path)) do
    if name:find "^events%.out%.tfevents%." then sizes[#sizes + 1] = #command.read(path .. "/" .. name) end
  end
  return sizes
end

local clocks = { elapsed = true, positions = true, started = true, sessions = true }

local function plain(value)
  if type(value) ~= "table" then return exact(value) end
  local out = {}
  for key, entry in pairs(value) do
    if not clocks[key] and not timed[key] then out[key] = plain(entry) end
  end
  return out
end

--- A checkpoint: the texts of all its numbers, and the counters.
function run_folder.checkpoint(path)
  local saved = assert(require("trpo.checkpoint").load(path))
  local out = { counters = plain(saved.counters), tensors = {} }
  for name, tensor in pairs(saved.tensors) do
    out.tensors[name] = { trpo.file.checksum(tensor), tensor:nelement() }
  end
  out.states = plain(saved.states)
  return out
end

--- Names of all files of a run, sorted; that of the event file without its time.
function run_folder.names(path)
  local out = {}
  for _, name in ipairs(disk.names(path)) do out[#out + 1] = name:gsub("^(events%.out%.tfevents)%..*", "%1") end
  for _, name in ipairs(disk.names(path .. "/checkpoints")) do out[#out + 1] = "checkpoints/" .. name end
  table.sort(out)
  return out
end

--- Everything that two equal runs have in common.
function run_folder.all(path)
  local checkpoints = {}
  for _, name in ipairs(disk.names(path .. "/checkpoints")) do
    checkpoints[name] = run_folder.checkpoint(path .. "/checkpoints/" .. name)
  end
  return {
    csv = run_folder.csv(path), jsonl = run_folder.jsonl(path), monitor = run_folder.monitor(path),
    events = run_folder.events(path), checkpoints = checkpoints, names = run_folder.names(path),
  }
end

return run_folder
