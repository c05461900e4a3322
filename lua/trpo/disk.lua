--- Small things that are done with folders and the names in them; outcomes are returned, never raised. Whole files are
-- read and written by `trpo.file`.
-- @module trpo.disk
local core = require "trpo.core"
local rock = require "trpo.rocks"

local disk = {}

local function luv() return rock("luv", "a run folder") end

--- A path without slashes at its end.
-- @tparam string path
-- @treturn string
function disk.trimmed(path) return (path:gsub("(.)/+$", "%1")) end

--- The names in a folder, in no order.
-- @tparam string path
-- @treturn {string,...}|nil
-- @treturn string|nil what is wrong
function disk.names(path)
  local uv = luv()
  local scan, message = uv.fs_scandir(path)
  if not scan then return nil, message end
  -- read to its end, or the scan would keep its memory
  local list = {}
  for name in function() return uv.fs_scandir_next(scan) end do list[#list + 1] = name end
  return list
end

--- The absolute path of what is there, without links.
-- @tparam string path
-- @treturn string the path as it is when nothing is there
function disk.real(path) return luv().fs_realpath(path) or path end

--- Whether there is something of that name.
-- @tparam string path
-- @treturn boolean
function disk.exists(path) return luv().fs_stat(path) ~= nil end

--- What tells the file of a name from all others that are or were called so.
-- @tparam string path
-- @treturn string|nil nil when there is none
-- @treturn string|nil what is wrong, when it cannot be found out whether there is one
function disk.identity(path)
  local stat, message, code = luv().fs_stat(path)
  if stat then return ("%.0f:%.0f"):format(stat.dev, stat.ino) end
  if code == "ENOENT" or code == "ENOTDIR" then return nil end
  return nil, message
end

--- Makes a folder and those above it.
-- @tparam string path
-- @treturn boolean|nil true, also when it is there
-- @treturn string|nil what is wrong
function disk.make(path)
  local uv = luv()
  local stat = uv.fs_stat(path)
  if stat and stat.type == "directory" then return true end
  local parent = path:match("^(.+)/[^/]+/*$")
  if parent then
    local ok, message = disk.make(parent)
    if not ok then return nil, message end
  end
  local made, why, code = uv.fs_mkdir(path, 493) -- 0755
  if made or code == "EEXIST" and not stat then return true end
  return nil, why
end

--- Removes a file, or a folder with all that is in it; links are removed, not followed.
-- @tparam string path
-- @treturn boolean|nil true
-- @treturn string|nil what is wrong
function disk.remove(path)
  local uv = luv()
  local stat, message = uv.fs_lstat(path)
  if not stat then return nil, message end
  if stat.type ~= "directory" then return uv.fs_unlink(path) end
  local list, why = disk.names(path)
  if not list then return nil, why end
  for _, name in ipairs(list) do
    local ok, problem = disk.remove(path .. "/" .. name)
    if not ok then return nil, problem end
  end
  return uv.fs_rmdir(path)
end

--- A part of a name that no other process has, on all machines that share a folder.
-- @treturn string two numbers; the second one is drawn
function disk.unique()
  local uv = luv()
  -- older ones draw nothing
  local bytes = uv.random and uv.random(6)
  local number = bytes and 0 or uv.hrtime()
  for i = 1, bytes and #bytes or 0 do number = 256 * number + bytes:byte(i) end
  return ("%d-%.0f"):format(uv.os_getpid(), number)
end

--- Writes a file that is not there yet, whole or not at all. Of several processes that do so one succeeds.
-- @tparam string path
-- @tparam string text
-- @tparam[opt] table opts of `trpo.file.write`
-- @treturn boolean|nil true
-- @treturn string|nil what is wrong
-- @treturn string|nil "EEXIST" when there is such a file
function disk.create(path, text, opts)
  local uv = luv()
  local temporary = ("%s.%s.tmp"):format(path, disk.unique())
  local ok, message, code = core.file.write(temporary, text, opts)
  -- of its message only what is wrong, not the other name
  if not ok then return nil, ("cannot write '%s': %s"):format(path, message:match "': (.*)$"), code end
  ok, message, code = uv.fs_link(temporary, path)
  -- where files have one name only
  if not ok and code ~= "EEXIST" and not disk.exists(path) then
    ok, message, code = uv.fs_rename(temporary, path)
  end
  uv.fs_unlink(temporary)
  if ok then return true end
  return nil, ("cannot write '%s': %s"):format(path, message), code
end

--- Brings the names in a folder to the disk; what cannot be synced there is left to the system.
-- @tparam string path
function disk.sync(path)
  local uv = luv()
  local file = uv.fs_open(path, "r", 0)
  if not file then return end
  uv.fs_fsync(file)
  uv.fs_close(file)
end

return disk
