-- LUA_INIT file of the sanitizer runs: children start without the preloaded runtime, and every exit closes the
-- state (argparse's `--help` does not), because what is still held in Lua's own heap would count as leaked.
local ffi = require "ffi"
ffi.cdef "int unsetenv(const char *name);"
ffi.C.unsetenv "LD_PRELOAD"

local exit = os.exit
function os.exit(code) exit(code, true) end -- luacheck: ignore 122

-- processes that are started by the interpreter's own path get the runtime, too; luv is loaded when it is asked for
function package.preload.luv(name)
  package.preload.luv = nil
  local path = assert(package.searchpath(name, package.cpath))
  local uv = assert(package.loadlib(path, "luaopen_luv"))(name)
  function uv.exepath() return "luajit" end
  return uv
end

local after = os.getenv "SPEC_INIT"
if after and after ~= "" then dofile((after:gsub("^@", ""))) end
