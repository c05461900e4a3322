--- The Lua files that the numbers of a run depend on, beside trpo: its script, and the modules of the user's own that
-- are loaded. What is installed, trpo among it, has versions and does not count.
-- @module trpo.sources
local core = require "trpo.core"

local sources = {}

-- what the interpreter has without a file; a file of that name is another thing
local builtin = {
  _G = true, bit = true, coroutine = true, debug = true, ffi = true, io = true, jit = true, math = true, os = true,
  package = true, string = true, table = true,
}

local function is_ours(name) return name == "trpo" or name:find("^trpo%.") ~= nil end

--- Whether a file belongs to a tree of rocks or of the interpreter.
-- @tparam string path
-- @treturn boolean
function sources.is_installed(path)
  path = "/" .. path
  return path:find "/share/lua/%d%.%d/" ~= nil or path:find "/share/luajit%-%d[^/]*/" ~= nil
end

--- Whether a module is not the user's: the interpreter's, trpo's, installed, or written in C.
-- @tparam string name of the module
-- @treturn boolean
function sources.is_library(name)
  local root = name:match "^[^.]*"
  if builtin[root] or is_ours(name) then return true end
  local path = package.searchpath(name, package.path)
  if path then return sources.is_installed(path) end
  return package.searchpath(name, package.cpath) ~= nil or package.searchpath(root, package.cpath) ~= nil
end

--- Where a module of the user's is found.
-- @tparam string name of the module
-- @tparam[opt] string script beside which it is looked for first
-- @treturn string|nil nil when there is none, or when it is installed, trpo's own, or came from elsewhere
function sources.file(name, script)
  if type(name) ~= "string" or builtin[name] or is_ours(name) or package.preload[name] then return nil end
  local beside = script and (script:match "^.*/" or "./")
  -- templates have no way to write names with these characters
  local first = beside and not beside:find "[;?]" and ("%s?.lua;%s?/init.lua;"):format(beside, beside) or ""
  local path = package.searchpath(name, first .. package.path)
  return path and not sources.is_installed(path) and (path:gsub("^%./", "")) or nil
end

--- The hash of a file.
-- @tparam string path
-- @treturn string|nil SHA-256
-- @treturn string|nil one sentence
-- @treturn string|nil code
function sources.hash(path)
  local text, message, code = core.file.read(path)
  if not text then return nil, message, code end
  return core.sha256(text)
end

--- The modules of the user's own that are loaded.
-- @tparam[opt] table seen names that were looked at before, which are left out; new ones are added
-- @treturn table hashes by the names of the modules
-- @treturn table the same hashes by the files' names
function sources.modules(seen)
  local by_name, by_path = {}, {}
  seen = seen or {}
  for name in pairs(package.loaded) do
    local path = not seen[name] and sources.file(name)
    local hash = path and sources.hash(path)
    seen[name] = true
    if hash then by_name[name], by_path[path] = hash, hash end
  end
  return by_name, by_path
end

--- What a run is made of.
-- @tparam string|nil script its path, when there is one
-- @tparam[opt] table seen see `modules`
-- @treturn table { script = hash, modules = { hashes by name } }
function sources.of(script, seen)
  return { script = script and sources.hash(script), modules = (sources.modules(seen)) }
end

--- The files that are not what they were. A module counts whether it is loaded by now or not.
-- @tparam table old what `of` returned
-- @tparam string|nil script its path
-- @treturn {string,...} file names, the script first
function sources.changed(old, script)
  local out = {}
  for name, before in pairs(old.modules) do
    local path = sources.file(name)
    if path and sources.hash(path) ~= before then out[#out + 1] = path end
  end
  table.sort(out)
  if script and old.script and sources.hash(script) ~= old.script then table.insert(out, 1, script) end
  return out
end

return sources
