--- Loads a script that describes an experiment or a sweep, without running it.
--
-- A script ends with `return run:main(...)`. Run by `luajit`, `...` holds the command line and `main` trains.
-- Run from here, `...` holds the sentinel and `main` returns the run untouched; so it does there when `...` was
-- forgotten.
-- @module trpo.script
local blame = require "trpo.blame"
local options = require "trpo.options"

local script = {}

--- What `...` holds in a script that is loaded and not run.
script.sentinel = setmetatable({}, { __tostring = function() return "trpo.script.sentinel" end })

-- the path of the script that is being loaded, if one is, and whether it must not train meanwhile
local loading, idle = nil, false

--- The script that is being loaded: its own frame is not on the stack any more when it ends with a call.
-- @treturn string|nil path
function script.loading() return loading end

-- whether the command line of this process has words that are not in the arguments of `main`
local function has_words() return type(arg) == "table" and arg[0] ~= nil and arg[1] ~= nil end

--- Whether a script is loaded and not run.
-- @tparam string what name of its `main`, for messages
-- @param ... the `...` of the script
-- @treturn boolean
-- @raise when the arguments are not those of a command line, or none where there are words for them
function script.is_loaded(what, ...)
  if loading or select("#", ...) > 0 and (...) == script.sentinel then return true end
  if select("#", ...) == 0 and has_words() then
    blame(("%s: pass on the script's own '...': write %s(...)"):format(what, what))
  end
  for i = 1, select("#", ...) do
    if type(select(i, ...)) ~= "string" then
      blame(("%s: pass on the script's own '...', got %s"):format(what, options.describe((select(i, ...)))))
    end
  end
  return false
end

--- Refuses what must not happen while a script is loaded for what it describes.
-- @tparam string what name of the method, for messages
-- @raise while such a script is loaded
function script.refuse(what)
  if not idle then return end
  blame(("%s: this script is loaded for what it describes, and nothing is trained meanwhile: end it with 'return "
    .. "run:main(...)', which trains in its time"):format(what))
end

-- the traceback without the frames of the loader and of whoever called it
local function traceback(message)
  local text = debug.traceback(tostring(message), 2)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    if line:find("[C]: in function 'xpcall'", 1, true) then break end
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\n")
end

-- Modules beside a script are found from any folder. Templates have no way to write names with these characters.
local function look_beside(path)
  local home = path:match("^.*/") or "./"
  local template = ("%s?.lua;%s?/init.lua"):format(home, home)
  if home:find("[;?]") or (";" .. package.path .. ";"):find(";" .. template .. ";", 1, true) then return end
  package.path = template .. ";" .. package.path
end

-- calls a script; what it makes is not run meanwhile, by whichever `main`
local function call(chunk, path, trains)
  local before, idle_before = loading, idle
  loading, idle = path, not trains
  local ok, result, why = xpcall(function() return chunk(script.sentinel) end, traceback)
  loading, idle = before, idle_before
  return ok, result, why
end

--- Loads a script. Its folder is where `require` looks first from then on, so that it finds the modules beside it.
-- @tparam string path file name
-- @tparam[opt] boolean trains whether `run:train` works meanwhile: for the trial of a function that is run from within
-- @return what the script returned (an experiment, a sweep, or an environment), or nil
-- @treturn string|nil what went wrong, with the script's traceback
-- @treturn string|nil "script"; "refused" when the script returned nil and what went wrong
function script.load(path, trains)
  local chunk, message = loadfile(path)
  if not chunk then return nil, message, "script" end
  look_beside(path)
  local ok, result, why = call(chunk, path, trains)
  if not ok then return nil, result, "script" end
  if result == nil and type(why) == "string" then return nil, why, "refused" end
  if result == nil then
    return nil, ("%s must end with 'return run:main(...)', it returned nothing"):format(path), "script"
  end
  return result
end

--- What `load` says of a script that should describe a sweep.
-- @tparam string message
-- @treturn string
function script.of_sweep(message)
  return (message:gsub("'return run(:main%(%.%.%.%)', it returned nothing)$", "'return sweep%1"))
end

return script
