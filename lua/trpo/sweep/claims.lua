--- Who works on which trial: one file per attempt, which only one process can create.
--
-- `claims/<key>.<attempt>` appears whole, by a hard link that fails when the name exists, and is never removed. The
-- owner of a trial is who made the file with the highest number. A trial whose owner is over is taken by creating the
-- next number, so that of several who try it one succeeds. An owner is over when it says so (`released`), when it and
-- its trial's process are gone from this host, or when on another host (or before a reboot) it gave no sign of life for
-- a minute: owners touch their files every ten seconds. Times are those of the file server, never compared with our
-- clock; a time in the future, as when that clock was set back, counts from when it was seen first.
-- @module trpo.sweep.claims
local core = require "trpo.core"
local disk = require "trpo.disk"
local json = require "trpo.json"
local process = require "trpo.process"
local rock = require "trpo.rocks"

local claims = {}
claims.__index = claims

--- Seconds between two signs of life.
claims.heartbeat = 10

--- Seconds without a sign of life after which an owner on another host is over.
claims.patience = 60

-- makes a file of what was none
local function write(uv, path, text)
  local file, message = uv.fs_open(path, "wx", 420) -- 0644
  if not file then return nil, message end
  local count, why = uv.fs_write(file, text, -1)
  uv.fs_close(file)
  if count == #text then return true end
  return nil, why or "the disk is full"
end

-- takes away what was being written when its writer was killed, here or elsewhere
local function tidy(self, names)
  for _, name in ipairs(names) do
    local path = self.path .. "/" .. name
    local stat = name:find "^%..+%.tmp$" and self.uv.fs_lstat(path)
    local now = stat and self:server_time()
    if now and now - stat.mtime.sec > claims.patience then self.uv.fs_unlink(path) end
  end
end

--- The claims of a sweep, as this process sees them.
-- @tparam string folder the sweep's
-- @tparam[opt] boolean working whether this process is going to claim trials, and not only to look
-- @treturn Claims|nil
-- @treturn string|nil one sentence
-- @treturn string|nil "io"
function claims.open(folder, working)
  local uv = rock("luv", "trpo sweep")
  local path = folder .. "/claims"
  local ok, message, code = uv.fs_mkdir(path, 493) -- 0755
  if not ok and code ~= "EEXIST" then return nil, ("cannot make the folder of claims: %s"):format(message), "io" end
  local names, why = disk.names(path)
  if not names then return nil, ("cannot read the folder of claims: %s"):format(why), "io" end
  -- one look at all of them; later ones are found one by one
  local newest = {}
  for _, name in ipairs(names) do
    local key, attempt = name:match "^([^.].*)%.(%d+)$"
    -- nobody tries so often that more digits are ours
    if key and #attempt < 10 then newest[key] = math.max(newest[key] or 0, tonumber(attempt)) end
  end
  local self = setmetatable({
    uv = uv, folder = folder, path = path, newest = newest, held = {}, me = process.this(), ahead = {},
  }, claims)
  if working then tidy(self, names) end
  return self
end

--- The file of an attempt.
-- @tparam string folder the sweep's
-- @tparam string key
-- @tparam number attempt
-- @treturn string
function claims.place(folder, key, attempt) return ("%s/claims/%s.%d"):format(folder, key, attempt) end

function claims:file(key, attempt) return claims.place(self.folder, key, attempt) end

--- The number of the last attempt at a trial.
-- @tparam string key
-- @treturn number 0 when there was none
function claims:attempts(key)
  local n = self.newest[key] or 0
  while self.uv.fs_stat(self:file(key, n + 1)) do n = n + 1 end
  self.newest[key] = n > 0 and n or nil
  return n
end

-- what a claim says; an empty table when that cannot be read
local function said(self, key, attempt)
  local owner = json.decode(core.file.read(self:file(key, attempt)) or "")
  return type(owner) == "table" and owner or {}
end

-- seconds by the clock of the file server; nil when it does not tell
function claims:server_time()
  local clock = self.path .. "/.clock"
  if not core.process.touch(clock) then write(self.uv, clock, "") end
  local stat = self.uv.fs_stat(clock)
  return stat and stat.mtime.sec
end

-- seconds since the last sign of life
local function silence(self, key, attempt)
  local path = self:file(key, attempt)
  local now, stat = self:server_time(), self.uv.fs_stat(path)
  local last = stat and stat.mtime.sec
  if not now or not last then return 0 end
  if last <= now then return now - last end
  -- a sign of life from the future tells no more than whether it is a new one
  local seen = self.ahead[path]
  if not seen or seen.last ~= last then
    seen = { last = last, since = self.uv.hrtime() }
    self.ahead[path] = seen
  end
  return (self.uv.hrtime() - seen.since) / 1e9
end

-- whether the owner of an attempt will not go on with it
local function is_over(self, key, attempt)
  local owner = said(self, key, attempt)
  if owner.released == true then return true end
  local me = self.me
  if owner.host == me.host and owner.boot == me.boot and (owner.space or me.space) == me.space then
    return not process.lives(owner.pid, owner.start) and not process.lives(owner.trial, owner.trial_start)
  end
  return silence(self, key, attempt) > claims.patience
end

--- Who works on a trial.
-- @tparam string key
-- @treturn table|nil `host`, `pid`, `attempt` of the one who does; nil when nobody does
function claims:owner(key)
  local attempt = self:attempts(key)
  if attempt == 0 or is_over(self, key, attempt) then return nil end
  local owner = said(self, key, attempt)
  return { host = owner.host, pid = owner.pid, attempt = attempt }
end

local function text_of(self, claim)
  local out = { since = claim.since, trial = claim.trial, trial_start = claim.trial_start, released = claim.released }
  for name, value in pairs(self.me) do out[name] = value end
  return json.encode(out) .. "\n"
end

-- makes a file on a file system without hard links: as `create`
local function create_alone(uv, path, text)
  local file, why, code = uv.fs_open(path, "wx", 420)
  if not file then
    if code == "EEXIST" then return false end
    return nil, why
  end
  local count, problem = uv.fs_write(file, text, -1)
  uv.fs_close(file)
  if count == #text then return true end
  return nil, problem or "the disk is full"
end

-- A name that nobody else has. Of processes in containers, host, number and beginning may be the same.
local function temporary_name(self) return ("%s/.%s.tmp"):format(self.path, disk.unique()) end

local without_links = { EPERM = true, ENOTSUP = true, ENOSYS = true, EMLINK = true }

-- makes a file that does not exist yet, with its text in it: true; false when it exists; nil, message
local function create(self, path, text)
  local uv, temporary = self.uv, temporary_name(self)
  local linked, why, code
  local ok, message = write(uv, temporary, text)
  if ok then linked, why, code = uv.fs_link(temporary, path) end
  uv.fs_unlink(temporary)
  if not ok then return nil, message end
  if linked then return true end
  if code == "EEXIST" then return false end
  if without_links[code] then return create_alone(uv, path, text) end
  return nil, why
end

local function make(self, key, attempt)
  local claim = { key = key, attempt = attempt, since = os.time() }
  local made, message = create(self, self:file(key, attempt), text_of(self, claim))
  if made == nil then return nil, ("cannot claim a trial: %s"):format(message), "io" end
  if not made then return nil, "another process took it", "held" end
  self.newest[key], self.held[key] = attempt, claim
  return claim
end

--- Takes a trial that nobody works on.
-- @tparam string key
-- @treturn table|nil claim: `key`, `attempt` (1, 2, ...), `since` (Unix time)
-- @treturn string|nil one sentence
-- @treturn string|nil "held" (somebody works on it, or was faster) or "io"
function claims:take(key)
  local attempt = self:attempts(key)
  if attempt > 0 and not is_over(self, key, attempt) then return nil, "another process works on it", "held" end
  return make(self, key, attempt + 1)
end

--- Goes from an attempt that failed to the next one.
-- @tparam table claim an own one
-- @treturn table|nil claim, or nil, message, "held" (it was taken away meanwhile) or "io"
function claims:again(claim)
  self.held[claim.key] = nil
  return make(self, claim.key, claim.attempt + 1)
end

-- replaces the text of an own claim, whole
local function rewrite(self, claim)
  local temporary = temporary_name(self)
  local ok, message = write(self.uv, temporary, text_of(self, claim))
  if ok then ok, message = self.uv.fs_rename(temporary, self:file(claim.key, claim.attempt)) end
  if ok then return true end
  self.uv.fs_unlink(temporary)
  return nil, ("cannot write a claim: %s"):format(message), "io"
end

--- Notes which process runs a trial, so that nobody takes the trial before that one is gone as well.
-- @tparam table claim
-- @tparam number pid
-- @treturn boolean|nil true, or nil, message, "io"
function claims:runs(claim, pid)
  claim.trial_start = core.process.started(pid)
  -- one that is over already must not be taken for the next process of its number
  claim.trial = claim.trial_start and pid
  return rewrite(self, claim)
end

--- Ends the work on a trial that has its result; the claim stays.
-- @tparam table claim
function claims:finish(claim) self.held[claim.key] = nil end

--- Gives a trial back that has no result; whoever wants it takes it at once.
-- @tparam table claim
-- @treturn boolean|nil true, or nil, message, "io"
function claims:release(claim)
  self.held[claim.key], claim.released = nil, true
  return rewrite(self, claim)
end

--- Whether a trial was taken by others, because there was no sign of life for too long.
-- @tparam table claim an own one
-- @treturn boolean
function claims:is_lost(claim) return self:attempts(claim.key) > claim.attempt end

--- Gives a sign of life for all that is held.
-- @treturn {table,...} claims that others took meanwhile
function claims:beat()
  local lost = {}
  for key, claim in pairs(self.held) do
    core.process.touch(self:file(key, claim.attempt))
    if self:is_lost(claim) then lost[#lost + 1] = claim end
  end
  for _, claim in ipairs(lost) do self.held[claim.key] = nil end
  return lost
end

return claims
