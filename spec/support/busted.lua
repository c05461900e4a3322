-- Runs Busted under the interpreter that runs this file, whatever its launcher would choose.
-- Lines are written at once, so that they are not lost when a sanitizer ends the process.
io.stdout:setvbuf "line"
-- Busted forgets after each file of specs what the file has loaded. luv must stay: when its first table is collected, so
-- is the only loop, which all later ones use.
pcall(require, "luv")
require "busted.runner"({ standalone = false })
