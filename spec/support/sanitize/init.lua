-- LUA_INIT file of the sanitizer runs: children start without the preloaded runtime, and every exit closes the
-- state (argparse's `--help` does not), because what is still held in Lua's own heap would count as leaked.
local ffi = require "ffi"
ffi.cdef "int unsetenv(const char *name);"
ffi.C.unsetenv "LD_PRELOAD"

local exit = os.exit
function os.exit(code) exit(code, true) end -- luacheck: ignore 122

-- processes that are started by the interpreter's own path get the runtime, too
local found, uv = pcall(require, "luv")
if found then
  function uv.exepath() return "luajit" end
end
