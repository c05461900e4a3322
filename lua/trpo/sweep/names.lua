--- Names of what is not the user's: functions and tables of the interpreter, of trpo and of installed modules.
-- @module trpo.sweep.names
local sources = require "trpo.sources"

local names = {}

local libraries = { "bit", "coroutine", "debug", "ffi", "io", "jit", "math", "os", "package", "string", "table" }

local base = {
  "_G", "assert", "collectgarbage", "dofile", "error", "gcinfo", "getfenv", "getmetatable", "ipairs", "load",
  "loadfile", "loadstring", "module", "newproxy", "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawset",
  "require", "select", "setfenv", "setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall",
}

-- the folder of trpo's modules, as the sources of its functions have it
local ours = debug.getinfo(1, "S").source:match "^@(.*trpo/)sweep/names%.lua$"

--- Whether a function belongs to a library; a script never does, wherever it lies.
-- @tparam function f
-- @tparam[opt] string script its path
-- @treturn boolean
function names.is_foreign(f, script)
  local info = debug.getinfo(f, "S")
  local path = info.source:match "^@(.*)$"
  -- functions of the interpreter that are written in Lua have no lines
  if info.what == "C" or info.linedefined < 0 then return true end
  if not path or path == script then return false end
  return sources.is_installed(path) or ours ~= nil and path:sub(1, #ours) == ours
end

--- The keys of a table that are strings.
-- @tparam table t
-- @treturn {string,...} in their order
function names.sorted(t)
  local out = {}
  for name in pairs(t) do
    if type(name) == "string" then out[#out + 1] = name end
  end
  table.sort(out)
  return out
end

-- names the functions and tables of some modules and below them, those that are near first, so that what is loaded
-- besides does not matter; each entry of `level` is { name, value, depth (levels that are named) }
local function name_below(known, level)
  local below = {}
  for _, entry in ipairs(level) do
    local value, kind = entry.value, type(entry.value)
    -- a script may have put functions of its own there
    if (kind == "function" and names.is_foreign(value) or kind == "table") and not known[value] then
      known[value] = entry.name
      for _, field in ipairs(kind == "table" and entry.depth > 1 and names.sorted(value) or {}) do
        below[#below + 1] = { name = entry.name .. "." .. field, value = rawget(value, field), depth = entry.depth - 1 }
      end
    end
  end
  if #below > 0 then name_below(known, below) end
end

--- The names of what has one.
-- @treturn table by functions and tables: "math.sin", "trpo.stats"
function names.known()
  local known, level = {}, {}
  for _, name in ipairs(base) do
    local value = _G[name]
    if value == _G or type(value) == "function" and names.is_foreign(value) then known[value] = name end
  end
  local function add(name, depth) level[#level + 1] = { name = name, value = package.loaded[name], depth = depth } end
  for _, name in ipairs(libraries) do add(name, 2) end
  add("trpo", 4)
  for _, name in ipairs(names.sorted(package.loaded)) do
    if sources.is_library(name) then add(name, 2) end
  end
  name_below(known, level)
  return known
end

return names
