--- Whether the process that began something is still there.
-- @module trpo.process
local disk = require "trpo.disk"
local rock = require "trpo.rocks"

local process = {}

-- state and beginning of a process as the kernel has them (its name may hold anything, so from behind); nil where
-- there is no /proc
local function look(pid)
  local text = disk.read(("/proc/%.0f/stat"):format(pid))
  local state, rest = (text or ""):match(".*%) (%a) (.*)$")
  return state, rest and tonumber(rest:match("^" .. ("%S+ "):rep(18) .. "(%d+)"))
end

--- What tells this process from all others.
-- @treturn table `pid`, `host`, `start` (when it began, in ticks since the machine was started; nil where that cannot
--   be known)
function process.this()
  local uv = rock("luv", "a run folder")
  local pid = uv.os_getpid()
  local _, start = look(pid)
  return { pid = pid, host = uv.os_gethostname(), start = start }
end

--- What has become of a process.
-- @tparam table its what `this` said there
-- @treturn string "alive", "gone", "self", or "unknown": it is, or was, on another machine
function process.fate(its)
  local uv = rock("luv", "a run folder")
  if its.host ~= uv.os_gethostname() or type(its.pid) ~= "number" then return "unknown" end
  local ok, _, code = uv.kill(its.pid, 0)
  if not ok then return code == "ESRCH" and "gone" or "unknown" end
  local state, start = look(its.pid)
  -- dead and not yet buried, or another one that was given the number
  if state == "Z" or state == "X" or start and its.start and start ~= its.start then return "gone" end
  return its.pid == uv.os_getpid() and "self" or "alive"
end

return process
