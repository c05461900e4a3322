--- Whether the process that began something is still there.
-- @module trpo.process
local core = require "trpo.core"
local rock = require "trpo.rocks"

local process = {}

local function is_pid(value) return type(value) == "number" and value >= 1 and value < 2 ^ 31 and value % 1 == 0 end

--- What tells this process from all others.
-- @treturn table `pid`, `host`, `start` (when it began, in ticks since the machine was started), `boot` and `space`
--   (what its number is counted in)
function process.this()
  local uv = rock("luv", "a run folder")
  local pid = uv.os_getpid()
  local boot, space = core.process.boot()
  return { pid = pid, host = uv.os_gethostname(), start = core.process.started(pid), boot = boot, space = space }
end

--- Whether a process lives here, in this machine and this space of numbers.
-- @param pid its number; anything else is none
-- @tparam[opt] number start when it began, as `this` said there
-- @treturn boolean
function process.lives(pid, start)
  local began = is_pid(pid) and core.process.started(pid)
  -- there may be none, or another one that was given the number
  return began and (not start or start == began) or false
end

--- What has become of a process.
-- @tparam table its what `this` said there; `start`, `boot` and `space` may be missing
-- @treturn string "alive", "gone", "self", or "unknown": it is, or was, on another machine or in another container
function process.fate(its)
  local me = process.this()
  if its.host ~= me.host or not is_pid(its.pid) then return "unknown" end
  if its.boot and its.boot ~= me.boot then return "gone" end
  if its.space and its.space ~= me.space then return "unknown" end
  if not process.lives(its.pid, its.start) then return "gone" end
  return its.pid == me.pid and "self" or "alive"
end

return process
