--- Who works on which trial: one file per attempt, which only one process can create.
--
-- `claims/<key>.<attempt>` appears whole, by a hard link that fails when the name exists, and is never removed. The
-- owner of a trial is who made the file with the highest number. A trial whose owner is over is taken by creating the
-- next number, so that of several who try it one succeeds. An owner is over when it says so (`released`), when it and
-- its trial's process are gone from this host, or when on another host (or before a reboot) it gave no sign of life for
-- a minute: owners touch their files every ten seconds.
-- @module trpo.sweep.claims
local core = require "trpo.core"
local json = require "trpo.json"
local process = require "trpo.process"
local rock = require "trpo.rocks"

local claims = {}
claims.__index = claims

--- Seconds between two signs of life.
claims.heartbeat = 10

--- Seconds without a sign of life after which an owner on another host is over.
claims.patience = 60

local function write(uv, path, text)
  local file, message = uv.fs_open(path, "w", 420) -- 0644
  if not file then return nil, message end
  local count, why = uv.fs_write(file, text, -1)
  uv.fs_close(file)
  if count == #text then return true end
  return nil, why or "the disk is full"
end

local function read(uv, path)
  local file = uv.fs_open(path, "r", 0)
  if not file then return nil end
  local text = uv.fs_read(file, 4096, 0)
  uv.fs_close(file)
  return text
end

--- The claims of a sweep, as this process sees them.
-- @tparam string folder the sweep's
-- @treturn Claims|nil
-- @treturn string|nil one sentence
-- @treturn string|nil "io"
function claims.open(folder)
  local uv = rock("luv", "trpo sweep")
  local path = folder .. "/claims"
  local ok, message, code = uv.fs_mkdir(path, 493) -- 0755
  if not ok and code ~= "EEXIST" then return nil, ("cannot make the folder of claims: %s"):format(message), "io" end
  local scan, why = uv.fs_scandir(path)
  if not scan then return nil, ("cannot read the folder of claims: %s"):format(why), "io" end
  -- one look at all of them; later ones are found one by one
  local newest = {}
  for name in function() return uv.fs_scandir_next(scan) end do
    local key, attempt = name:match "^([^.].*)%.(%d+)$"
    -- nobody tries so often that more digits are ours
    if key and #attempt < 10 then newest[key] = math.max(newest[key] or 0, tonumber(attempt)) end
  end
  local me = process.this()
  return setmetatable({
    uv = uv, folder = folder, path = path, newest = newest, held = {}, me = me,
    temporary = ("%s/.%s-%.0f"):format(path, me.host, me.pid),
  }, claims)
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
  local owner = json.decode(read(self.uv, self:file(key, attempt)) or "")
  return type(owner) == "table" and owner or {}
end

-- seconds since the last sign of life; both times are the file server's
local function silence(self, key, attempt)
  local clock = self.path .. "/.clock"
  if not core.process.touch(clock) then write(self.uv, clock, "") end
  local now, last = self.uv.fs_stat(clock), self.uv.fs_stat(self:file(key, attempt))
  return now and last and now.mtime.sec - last.mtime.sec or 0
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

-- makes a file that does not exist yet, with its text in it: true; false when it exists; nil, message
local function create(self, path, text)
  local uv = self.uv
  local ok, message = write(uv, self.temporary, text)
  if not ok then return nil, message end
  local linked, why, code = uv.fs_link(self.temporary, path)
  uv.fs_unlink(self.temporary)
  if linked then return true end
  if code == "EEXIST" then return false end
  if code ~= "EPERM" and code ~= "ENOTSUP" and code ~= "ENOSYS" and code ~= "EMLINK" then return nil, why end
  -- a file system without hard links
  local file
  file, why, code = uv.fs_open(path, "wx", 420)
  if not file then
    if code == "EEXIST" then return false end
    return nil, why
  end
  local count, problem = uv.fs_write(file, text, -1)
  uv.fs_close(file)
  if count ~= #text then return nil, problem or "the disk is full" end
  return true
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
  local ok, message = write(self.uv, self.temporary, text_of(self, claim))
  if ok then ok, message = self.uv.fs_rename(self.temporary, self:file(claim.key, claim.attempt)) end
  if ok then return true end
  return nil, ("cannot write a claim: %s"):format(message), "io"
end

--- Notes which process runs a trial, so that nobody takes the trial before that one is gone as well.
-- @tparam table claim
-- @tparam number pid
-- @treturn boolean|nil true, or nil, message, "io"
function claims:runs(claim, pid)
  claim.trial, claim.trial_start = pid, core.process.started(pid)
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
