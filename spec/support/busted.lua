-- Runs Busted under the interpreter that runs this file, whatever its launcher would choose.
-- Lines are written at once, so that they are not lost when a sanitizer ends the process.
io.stdout:setvbuf "line"
-- Busted forgets after each file of specs what the file has loaded. luv must stay: when its first table is collected, so
-- is the only loop, which all later ones use.
local has_luv, uv = pcall(require, "luv")
-- What the user's terminal is like plays no part: specs say so where it does.
for _, name in ipairs { "COLUMNS", "LINES", "NO_COLOR" } do
  if has_luv then uv.os_unsetenv(name) end
end
require "busted.runner"({ standalone = false })
