--- Raises the complaint about a mistake at the line of the user's script where it was made.
--
-- A level for `error` cannot say that: a tail call (`return trpo.env {...}`) leaves no frame behind.
-- @module trpo.blame

-- our own files stand in this folder
local home = debug.getinfo(1, "S").source:match("^(@.*)blame%.lua$")

local function is_ours(source) return home ~= nil and source:sub(1, #home) == home end

-- the value of a name in the frame at a level, seen from whoever calls this; nil for one that is a field
local function named(callee, level)
  local value
  if callee.namewhat == "local" then
    local i, name, here = 1, debug.getlocal(level + 1, 1)
    while name do
      if name == callee.name then value = here end
      i = i + 1
      name, here = debug.getlocal(level + 1, i)
    end
  elseif callee.namewhat == "upvalue" then
    local f = debug.getinfo(level + 1, "f").func
    local i, name, here = 1, debug.getupvalue(f, 1)
    while name do
      if name == callee.name then value = here end
      i = i + 1
      name, here = debug.getupvalue(f, i)
    end
  elseif callee.namewhat == "global" then
    value = rawget(getfenv(debug.getinfo(level + 1, "f").func), callee.name)
  end
  return value
end

-- The function of the user's that called us; nil when only C called (pcall, require, the interpreter), and when a
-- function of the user's was called there that has left no frame behind, as it called us at its end.
local function caller()
  local level, info, callee = 3
  repeat
    callee, info = info, debug.getinfo(level, "nSl")
    if not info or info.what == "C" then return nil end
    level = level + 1
  until not is_ours(info.source)
  local called = callee and named(callee, level - 1)
  if type(called) == "function" and not is_ours(debug.getinfo(called, "S").source) then return nil end
  return ("%s:%d: "):format(info.short_src, info.currentline)
end

-- where the first of the functions in a table was written
local function home_of(described)
  local first
  for _, value in pairs(type(described) == "table" and described or {}) do
    local info = type(value) == "function" and debug.getinfo(value, "S")
    if info and info.what ~= "C" and not is_ours(info.source)
      and (not first or info.linedefined < first.linedefined) then
      first = info
    end
  end
  return first and ("%s:%d: "):format(first.short_src, first.linedefined)
end

--- Raises an error at the nearest line of the user's. A message that has a place already keeps it.
-- @tparam string message
-- @tparam[opt] table described what is complained about: where no line of the user's is to be found, the place of
--   its first function stands for it
-- @raise always
return function(message, described)
  if message:find("^[^%s:][^:\n]*:%d+: ") then error(message, 0) end
  error((caller() or home_of(described) or "") .. message, 0)
end
