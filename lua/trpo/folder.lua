--- The folder of a run: made once, never half-written.
--
-- `config.json`, `status.json` and checkpoints appear whole or not at all (temporary name, sync, rename); the tables
-- grow by whole flushed lines. `status.json` says "running", with process and host, until the run
-- is over.
-- @module trpo.folder
local core = require "trpo.core"
local disk = require "trpo.disk"
local json = require "trpo.json"
local process = require "trpo.process"

local folder = {}
folder.__index = folder

--- A name that is safe as the name of a folder.
-- @tparam string name
-- @treturn string the name with everything but letters (of all scripts), digits, `.`, `_` and `-` replaced by `-`
function folder.safe_name(name)
  -- what is no UTF-8 is no letter
  local unsafe = core.log.is_name(name) and "[^%w._\128-\255-]+" or "[^%w._-]+"
  name = name:gsub(unsafe, "-"):gsub("^%.+", "")
  return #name > 0 and name or "run"
end

local function is_empty(path)
  local list = disk.names(path)
  return list ~= nil and #list == 0
end

--- What the `status.json` of a folder says; an empty table when it says nothing.
-- @tparam string path
-- @treturn table
function folder.status(path)
  local status = json.decode(core.file.read(path .. "/status.json") or "")
  return type(status) == "table" and status or {}
end

-- what became of the process that writes there; nil when the run is over
local function fate(status)
  return status.status == "running" and process.fate(status) or nil
end

-- what a run writes: nothing else is ever removed, unless the whole folder is to be overwritten
local function is_ours(name)
  -- a file that must not be there yet has a temporary name while its temporary file is written
  name = name:gsub("%.[%d-]+%.tmp$", ""):gsub("%.[%d-]+%.tmp$", "")
  return name == "config.json" or name == "status.json" or name == "command.txt" or name == "progress.csv"
    or name == "progress.jsonl" or name == "monitor.csv" or name == "checkpoints"
    or name:find("^events%.out%.tfevents%.") ~= nil
end

-- whether a run ended there without a single number, so that nothing is lost with it
local function is_barren(path)
  for _, name in ipairs(disk.names(path) or { "" }) do
    if not is_ours(name) then return false end
  end
  if #(disk.names(path .. "/checkpoints") or {}) > 0 then return false end
  local _, lines = (core.file.read(path .. "/progress.csv") or ""):gsub("\n", "")
  if lines > 1 then return false end
  local status = folder.status(path)
  return fate(status) == "gone" or status.status == "failed" or status.status == "interrupted"
end

local function at_work(status)
  if status.status == "running" and type(status.pid) == "number" then
    return ("process %.0f is at work there"):format(status.pid)
  end
  return "another process is at work there"
end

-- of a process that cannot be seen from here
local function elsewhere(status)
  local who = type(status.pid) == "number" and ("process %.0f"):format(status.pid) or "a process"
  local where = type(status.host) == "string" and " on " .. status.host or ""
  return ("%s%s was at work there; whether it still is cannot be seen from here"):format(who, where)
end

-- Holds a folder against other processes, and against this one, until it is closed; false when another one holds it.
-- Where folders cannot be locked, status.json alone has to tell.
local function hold(self)
  local lock, why = core.process.lock(self.path)
  self.lock = lock
  return lock ~= nil or why ~= "busy"
end

--- Lets others go on there.
function folder:close()
  if self.lock then core.process.unlock(self.lock) end
  self.lock = nil
end

local function exists(path)
  local status = folder.status(path)
  local now = fate(status)
  return ("the run folder %s exists already%s: choose another name, go on with it (--resume on the command line, "
    .. "resume = true in a script) or overwrite it (--overwrite, overwrite = true)"):format(path,
    (now == "alive" or now == "self") and ", " .. at_work(status) or "")
end

--- A folder that is there, to look into.
-- @tparam string path
-- @treturn Folder
function folder.at(path) return setmetatable({ path = path }, folder) end

-- removes an earlier run; nil and one sentence when that must not be
local function remove(self, barren)
  local status, path = folder.status(self.path), self.path
  local now = fate(status)
  if now == "alive" or not hold(self) then
    return nil, ("%s is not overwritten: %s"):format(path, at_work(status)), "exists"
  elseif now == "unknown" then
    return nil, ("%s is not overwritten: %s; remove the folder yourself when it is not"):format(path,
      elsewhere(status)), "exists"
  end
  if not barren and not disk.exists(path .. "/config.json") then
    return nil, ("%s is not the folder of a run (it has no config.json) and is not overwritten")
      :format(path), "exists"
  end
  local ok, message = disk.remove(path)
  if not ok then return nil, ("cannot remove the old run: %s"):format(message), "io" end
  return true
end

-- clears the way for a new run; nil and one sentence when that must not be
local function clear(path, overwrite)
  if not disk.exists(path) or is_empty(path) then return true end
  local barren = is_barren(path)
  if not (overwrite or barren) then return nil, exists(path), "exists" end
  local old = folder.at(path)
  local ok, message, code = remove(old, barren)
  old:close()
  return ok, message, code
end

local function make(path)
  local ok, message = disk.make(path)
  if not ok then return nil, ("cannot make the run folder: %s"):format(message), "io" end
  return folder.at(path)
end

--- Makes the folder of a new run.
-- @tparam string path parents are made as needed
-- @tparam boolean overwrite whether an earlier run there may be removed, unless its process is alive, or may be on
--   another machine; one that ended before its first complete iteration is removed anyway
-- @treturn Folder|nil held until `close`
-- @treturn string|nil one sentence
-- @treturn string|nil "exists" or "io"
function folder.create(path, overwrite)
  local ok, message, code = clear(path, overwrite)
  if not ok then return nil, message, code end
  local self
  self, message, code = make(path)
  if not self then return nil, message, code end
  if hold(self) then return self end
  return nil, exists(path), "exists"
end

-- takes away what was being written when a run was killed
local function sweep_up(path)
  for _, name in ipairs(disk.names(path) or {}) do
    if name:find("%.tmp$") and is_ours(name) then disk.remove(path .. "/" .. name) end
  end
  for _, name in ipairs(disk.names(path .. "/checkpoints") or {}) do
    if name:find("%.safetensors%..*tmp$") then disk.remove(path .. "/checkpoints/" .. name) end
  end
end

--- Opens the folder of a run that is to go on; makes it when it is not there.
-- @tparam string path
-- @treturn Folder|nil with `last`, what its `status.json` said, and `unknown`, a sentence when its process cannot be
--   seen from here; held until `close`
-- @treturn string|nil one sentence
-- @treturn string|nil "busy": its process is alive; "io"
function folder.resume(path)
  local self, message, code = make(path)
  if not self then return nil, message, code end
  local held, status = hold(self), folder.status(path)
  if not held or fate(status) == "alive" then
    self:close()
    return nil, ("%s cannot be resumed: %s"):format(path, at_work(status)), "busy"
  end
  self.last, self.unknown = status, fate(status) == "unknown" and elsewhere(status) or nil
  sweep_up(path)
  return self
end

--- Removes what a run has left, and nothing else.
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil "io"
function folder:empty()
  for _, name in ipairs(disk.names(self.path) or {}) do
    if is_ours(name) then
      local ok, message = disk.remove(self.path .. "/" .. name)
      if not ok then return nil, ("cannot begin anew: %s"):format(message), "io" end
    end
  end
  return true
end

--- Writes a file whole or not at all.
-- @tparam string name file name within the folder
-- @tparam string text
-- @tparam[opt] table opts of `trpo.file.write`
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil "io"
function folder:write(name, text, opts)
  local ok, message = core.file.write(self.path .. "/" .. name, text, opts)
  if ok then return true end
  return nil, message, "io"
end

local function text_of(value, order) return json.encode(value, { indent = true, order = order }) .. "\n" end

--- Writes a table as JSON, whole or not at all.
-- @tparam string name file name within the folder
-- @tparam table value
-- @tparam[opt] {string,...} order keys that come first
-- @tparam[opt] table opts of `trpo.file.write`
-- @treturn boolean|nil true, or nil, message, "io"
function folder:write_json(name, value, order, opts)
  return self:write(name, text_of(value, order), opts)
end

--- Says for the first time how a new run stands; of several processes that begin it at once, one succeeds.
-- @tparam table status for `status.json`
-- @tparam {string,...} order keys that come first
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil "exists" or "io"
function folder:claim(status, order)
  local path = self.path .. "/status.json"
  local ok, message, code = disk.create(path, text_of(status, order), { sync = false })
  if ok then return true end
  if code == "EEXIST" then return nil, exists(self.path), "exists" end
  return nil, message, "io"
end

--- Opens a file of the folder for appending.
-- @tparam string name
-- @return a Lua file, or nil, message, "io"
function folder:open(name)
  local path = self.path .. "/" .. name
  local file, message = io.open(path, "a")
  if file then return file end
  return nil, ("cannot write %s"):format(message), "io"
end

return folder
