--- What a function is, as a hash: its text, and all that it reaches.
--
-- Reached are its upvalues and the globals that its text names. They count like this:
--
-- - numbers, strings and booleans by value; tables by their contents, with their metatables; functions by their text
--   and what they reach themselves, in whichever file they are; tensors and exact processes by their numbers;
-- - what belongs to the interpreter, to trpo or to an installed module by its name: `math.sin`, `trpo.stats`;
-- - nothing else can be looked into: an environment, a C object, a coroutine, an object of a library. How such a thing
--   was made stands somewhere in the script, so then the whole script counts.
--
-- Where in a file something stands does not matter, and neither do addresses and the order of a table: equal scripts
-- have equal hashes in every process.
-- @module trpo.sweep.code
local core = require "trpo.core"
local json = require "trpo.json"
local sources = require "trpo.sources"

local code = {}

-- what the text of a function is called among what it uses
code.text = "its text"

-- deeper tables than this are taken for what cannot be looked into
local deepest = 100

-- ---- names of what is not the user's -----------------------------------------------------------

local libraries = { "bit", "coroutine", "debug", "ffi", "io", "jit", "math", "os", "package", "string", "table" }

local base = {
  "_G", "assert", "collectgarbage", "dofile", "error", "gcinfo", "getfenv", "getmetatable", "ipairs", "load",
  "loadfile", "loadstring", "module", "newproxy", "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawset",
  "require", "select", "setfenv", "setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall",
}

-- the folder of trpo's modules, as the sources of its functions have it
local ours = debug.getinfo(1, "S").source:match "^@(.*trpo/)sweep/code%.lua$"

-- whether a function belongs to a library
local function is_foreign(f)
  local info = debug.getinfo(f, "S")
  local path = info.source:match "^@(.*)$"
  return info.what == "C" or path and (sources.is_installed(path) or ours and path:sub(1, #ours) == ours) or false
end

local function sorted_names(t)
  local names = {}
  for name in pairs(t) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- names the functions and tables below some modules, those that are near first, so that what is loaded besides does
-- not matter; `depth` levels of them
local function name_below(names, level, depth)
  local below = {}
  for _, entry in ipairs(level) do
    local value = entry.value
    local kind = type(value)
    -- a script may have put functions of its own there
    if (kind == "function" and is_foreign(value) or kind == "table") and not names[value] then
      names[value] = entry.name
      for _, field in ipairs(kind == "table" and sorted_names(value) or {}) do
        below[#below + 1] = { name = entry.name .. "." .. field, value = rawget(value, field) }
      end
    end
  end
  if #below > 0 and depth > 1 then name_below(names, below, depth - 1) end
end

-- what has a name, by value
local function known_names()
  local names, level = {}, {}
  for _, name in ipairs(base) do
    local value = _G[name]
    if value == _G or type(value) == "function" and is_foreign(value) then names[value] = name end
  end
  for i, name in ipairs(libraries) do level[i] = { name = name, value = package.loaded[name] } end
  name_below(names, level, 2)
  name_below(names, { { name = "trpo", value = package.loaded.trpo } }, 4)
  for _, name in ipairs(sorted_names(package.loaded)) do
    if not sources.file(name) then name_below(names, { { name = name, value = package.loaded[name] } }, 2) end
  end
  return names
end

-- ---- texts -------------------------------------------------------------------------------------

-- the lines of a file, or of a text that was loaded; nil for bytecode, and when there is no text
local function lines_of(source)
  local text = source:sub(1, 1) == "@" and core.file.read(source:sub(2)) or source:find "^[^@=\27]" and source
  local lines = {}
  for line in ((text or "") .. "\n"):gmatch "(.-)\r?\n" do lines[#lines + 1] = line end
  return text and not text:find "^\27" and lines
end

-- the text of one function; its bytecode when the text is not there
local function text_of(f, info)
  if info.what == "C" then return "C" end
  local lines = lines_of(info.source)
  if not lines then return string.dump(f, true) end
  if info.what == "main" then return table.concat(lines, "\n") end
  return table.concat(lines, "\n", info.linedefined, math.min(#lines, info.lastlinedefined))
end

-- ---- values ------------------------------------------------------------------------------------

local write -- function(self, value, depth)

local function put(self, text) self.out[#self.out + 1] = text end

local function put_opaque(self)
  put(self, "opaque")
  self.opaque = true
end

local function put_number(self, x) put(self, x ~= x and "nan" or json.number(x)) end

local Tensor = debug.getmetatable(core.zeros(1))

local function put_tensor(self, tensor) put(self, core.sha256(core.npy.encode(tensor))) end

-- a process is its outcomes; labels are what pictures show
local function put_mdp(self, mdp, depth)
  local outcomes = mdp:triplets()
  for _, name in ipairs { "state", "action", "next", "probability", "reward", "done" } do
    put_tensor(self, outcomes[name])
  end
  put_tensor(self, mdp.rho0)
  write(self, { S = mdp.S, A = mdp.A, gamma = mdp.gamma, labels = debug.getfenv(mdp) }, depth + 1)
end

local order = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local x, y = order[type(a)], order[type(b)]
  if x ~= y then return x < y end
  if x == 3 then return a and not b end
  return a < b
end

-- the keys behind the first n, in order; those that have no order make a table opaque
local function keys_behind(self, t, n)
  local keys = {}
  for key in next, t do
    if not order[type(key)] then
      put_opaque(self)
    elseif not (type(key) == "number" and key >= 1 and key <= n and key == math.floor(key)) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, before)
  return keys
end

-- whether a metatable is that of a library's objects
local function is_library_class(self, meta)
  if type(meta) ~= "table" or self.names[meta] then return true end
  for _, value in next, meta do
    if type(value) == "function" and is_foreign(value) then return true end
  end
  return false
end

local function put_table(self, t, depth)
  local meta = debug.getmetatable(t)
  if meta and is_library_class(self, meta) or depth > deepest then return put_opaque(self) end
  -- a cache, whose contents come and go
  if meta and rawget(meta, "__mode") then return put(self, "weak") end
  put(self, "{")
  -- the length of a table with holes is not the same in every process
  local n = 0
  while rawget(t, n + 1) ~= nil do
    n = n + 1
    write(self, rawget(t, n), depth + 1)
  end
  put(self, "|")
  for _, key in ipairs(keys_behind(self, t, n)) do
    write(self, key, depth + 1)
    write(self, rawget(t, key), depth + 1)
  end
  if meta then write(self, meta, depth + 1) end
  put(self, "}")
end

local put_function -- function(self, f, depth)

-- what has an identity: at the second sight it is only referred to
local function put_object(self, value, kind, depth)
  if self.seen[value] then return put(self, "#" .. self.seen[value]) end
  self.count = self.count + 1
  self.seen[value] = self.count
  local meta = debug.getmetatable(value)
  if kind == "table" then return put_table(self, value, depth) end
  if kind == "function" and not is_foreign(value) then return put_function(self, value, depth) end
  if kind == "userdata" and meta == Tensor then return put_tensor(self, value) end
  if kind == "userdata" and type(meta) == "table" and meta.__metatable == "trpo.Mdp" then
    return put_mdp(self, value, depth)
  end
  put_opaque(self)
end

function write(self, value, depth)
  local kind = type(value)
  if kind == "number" then
    put_number(self, value)
  elseif kind == "string" then
    put(self, ("%q"):format(value))
  elseif kind == "boolean" or kind == "nil" then
    put(self, tostring(value))
  elseif self.names[value] then
    put(self, self.names[value])
  else
    put_object(self, value, kind, depth)
  end
end

-- ---- functions ---------------------------------------------------------------------------------

-- what a function reaches, as { name, value }: upvalues, then the globals that its text names
local function reached(f, text, names)
  local list = {}
  for i = 1, math.huge do
    local name, value = debug.getupvalue(f, i)
    if not name then break end
    if value ~= nil then list[#list + 1] = { name = name, value = value } end
  end
  local env, seen = debug.getfenv(f), { arg = true }
  for word in text:gmatch "[%a_][%w_]*" do
    local value = not seen[word] and rawget(env, word)
    -- what is called as ever says nothing
    if value and names[value] ~= word then list[#list + 1] = { name = word, value = value } end
    seen[word] = true
  end
  return list
end

-- the beginning of the hash of a text
local function beginning(text) return core.sha256(text):sub(1, 16) end

function put_function(self, f, depth)
  if depth > deepest then return put_opaque(self) end
  local info = debug.getinfo(f, "S")
  local text = text_of(f, info)
  put(self, text)
  local way = self.way
  if way then self.uses[way .. code.text] = beginning(text) end
  self.files[#self.files + 1] = info.source:match "^@(.*)$"
  for _, entry in ipairs(reached(f, text, self.names)) do
    local first = #self.out + 1
    self.opaque = depth > 0 and self.opaque
    put(self, entry.name .. "=")
    self.way = way and type(entry.value) == "function" and way .. entry.name .. "/"
    write(self, entry.value, depth + 1)
    if way then self.uses[way .. entry.name] = beginning(table.concat(self.out, "\n", first)) end
    if depth == 0 and self.opaque then self.reasons[#self.reasons + 1] = entry.name end
  end
  self.way = way
end

-- the files that count as a whole when something cannot be looked into, each once
local function put_files(self)
  local seen = {}
  for _, path in ipairs(self.files) do
    local text = not seen[path] and core.file.read(path)
    seen[path] = true
    if text then
      put(self, text)
      local name = ("%s (all of it, because of %s)"):format(path:match "[^/]+$", table.concat(self.reasons, ", "))
      self.uses[name] = beginning(text)
    end
  end
end

--- The hash of a function.
-- @tparam function f
-- @tparam[opt] string script file of the script that has it
-- @treturn string SHA-256
-- @treturn table beginnings of the hashes of its text, of what it reaches by the names that it has for them (what
--   functions reach by their names in front: `build/opts`), and of scripts that count as a whole: see `code.changed`
function code.hash(f, script)
  -- `way`: names of the functions on the way to the present one, with slashes; false below a table
  local self = { names = known_names(), out = {}, seen = {}, count = 0, files = { script }, uses = {}, reasons = {},
    way = "" }
  if is_foreign(f) then
    put(self, self.names[f] or "C")
  else
    put_object(self, f, "function", 0)
  end
  if #self.reasons > 0 then put_files(self) end
  return core.sha256(table.concat(self.out, "\n")), self.uses
end

-- "opts, which run uses by build,": what a name in a list of uses stands for
local function told(name)
  local way = {}
  for word in name:gmatch "[^/]+" do way[#way + 1] = word end
  local last = table.remove(way)
  -- the text of a function is the function
  if last == code.text then last = table.remove(way) or "run" end
  if name == code.text then return last end
  return ("%s, which run uses%s,"):format(last, #way > 0 and " by " .. table.concat(way, " and ") or "")
end

--- What is different between two versions of a function.
-- @tparam table|nil old what it used
-- @tparam table|nil new what it uses
-- @treturn {string,...} what has changed, of functions what in them has; empty when that is not known
function code.changed(old, new)
  local names, inner, out = {}, {}, {}
  for _, name in ipairs(sorted_names(old or {})) do
    local other = new and new[name]
    if other and other ~= old[name] then
      names[#names + 1] = name
      local above = name:match "^(.*)/"
      if above then inner[above] = true end
    end
  end
  for _, name in ipairs(names) do
    if not inner[name] then out[#out + 1] = told(name) end
  end
  return out
end

return code
