--- What a function is, as a hash: its text, and all that it reaches.
--
-- Its text is what stands in its file from `function` to `end`; its bytecode where that does not tell it apart from
-- others, or is not there. Reached are its upvalues, the globals that its text names, and the files of the user's
-- modules that it names to `require`. They count like this:
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
local names = require "trpo.sweep.names"
local sources = require "trpo.sources"
local texts = require "trpo.sweep.texts"

local code = {}

-- what the text of a function is called among what it uses
code.text = "its text"

-- deeper tables than this are taken for what cannot be looked into
local deepest = 100

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
    if type(value) == "function" and names.is_foreign(value, self.script) then return true end
  end
  return false
end

local function put_table(self, t, depth)
  local meta = debug.getmetatable(t)
  if meta and is_library_class(self, meta) or depth > deepest then return put_opaque(self) end
  -- a cache, whose contents come and go
  if meta and rawget(meta, "__mode") then return put(self, "weak") end
  put(self, "{")
  -- of a table with holes #t may be this or that
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
  if kind == "function" and not names.is_foreign(value, self.script) then return put_function(self, value, depth) end
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

-- a global, be it one that the environment inherits
local function global(env, name)
  while type(env) == "table" do
    local value, meta = rawget(env, name), debug.getmetatable(env)
    if value ~= nil then return value end
    env = type(meta) == "table" and rawget(meta, "__index")
  end
end

-- the files of the user's modules that a text names in quotation marks, as { name, text }: they may be loaded only when
-- the function is called. With all that they name in their turn.
local function modules_of(text, script, seen, out)
  if not text:find "%f[%w_]require%f[^%w_]" then return out end
  for name in text:gmatch "[\"'%[]([%w_./-]+)%f[\"'%]]" do
    local path = not seen[name] and sources.file(name, script)
    local found = path and core.file.read(path)
    seen[name] = true
    if found then
      out[#out + 1] = { name = "the module " .. name:gsub("/", "."), value = found }
      modules_of(found, script, seen, out)
    end
  end
  return out
end

-- what a function reaches, as { name, value }: upvalues, then the globals and the modules that its text names
local function reached(self, f, text)
  local list = {}
  for i = 1, math.huge do
    local name, value = debug.getupvalue(f, i)
    if not name then break end
    -- bytecode may have no names
    if value ~= nil then list[#list + 1] = { name = name ~= "" and name or "upvalue " .. i, value = value } end
  end
  local env, seen = debug.getfenv(f), { arg = true }
  for word in text:gmatch "[%a_][%w_]*" do
    local value
    if not seen[word] then value = global(env, word) end
    -- what is called as ever says nothing
    if value ~= nil and self.names[value] ~= word then list[#list + 1] = { name = word, value = value } end
    seen[word] = true
  end
  return modules_of(text, self.script, {}, list)
end

function put_function(self, f, depth)
  if depth > deepest then return put_opaque(self) end
  local text = texts.of(f, self.texts)
  put(self, text)
  self.files[#self.files + 1] = debug.getinfo(f, "S").source:match "^@(.*)$"
  for _, entry in ipairs(reached(self, f, text)) do
    self.opaque = depth > 0 and self.opaque
    put(self, entry.name .. "=")
    write(self, entry.value, depth + 1)
    if depth == 0 and self.opaque then self.reasons[#self.reasons + 1] = entry.name end
  end
end

-- a writer; one beside another knows what that one does
local function writer(script, other)
  return { script = script, names = other and other.names or names.known(), texts = other and other.texts or {},
    out = {}, seen = {}, count = 0, files = { script }, reasons = {} }
end

local function digest(self) return core.sha256(table.concat(self.out, "\n")) end

-- the beginning of the hash of a text
local function beginning(text) return core.sha256(text):sub(1, 16) end

-- the hash of one value, whatever stands beside it; of functions that were visited only that they are there
local function alone(self, value, visited)
  local own = writer(self.script, self)
  for f in pairs(visited) do own.seen[f] = "function" end
  write(own, value, 1)
  return digest(own)
end

-- adds to `uses` what a function uses, and what those functions use that it reaches by names; each function once
local function add_uses(self, f, way, uses, visited, depth)
  local text = texts.of(f, self.texts)
  uses[way .. code.text], visited[f] = beginning(text), true
  for _, entry in ipairs(reached(self, f, text)) do
    local value, name = entry.value, way .. entry.name
    local is_users = type(value) == "function" and not self.names[value] and not names.is_foreign(value, self.script)
    if not (is_users and visited[value]) then
      -- two may have one name
      uses[name] = beginning((uses[name] or "") .. alone(self, value, visited))
      if is_users and depth < deepest then add_uses(self, value, name .. "/", uses, visited, depth + 1) end
    end
  end
end

-- the files that count as a whole when something cannot be looked into, each once
local function put_files(self, uses)
  local seen = {}
  for _, path in ipairs(self.files) do
    local text = not seen[path] and core.file.read(path)
    seen[path] = true
    if text then
      put(self, text)
      local name = ("%s (all of it, because of %s)"):format(path:match "[^/]+$", table.concat(self.reasons, ", "))
      uses[name] = beginning(text)
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
  local self, uses = writer(script), {}
  if self.names[f] then
    put(self, self.names[f])
  elseif names.is_foreign(f, script) then
    self.reasons[1] = "run"
  else
    put_object(self, f, "function", 0)
    add_uses(self, f, "", uses, {}, 0)
  end
  if #self.reasons > 0 then put_files(self, uses) end
  return digest(self), uses
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
  local found, inner, out = {}, {}, {}
  for _, name in ipairs(names.sorted(old or {})) do
    local other = new and new[name]
    if other and other ~= old[name] then
      found[#found + 1] = name
      local above = name:match "^(.*)/"
      if above then inner[above] = true end
    end
  end
  for _, name in ipairs(found) do
    if not inner[name] then out[#out + 1] = told(name) end
  end
  return out
end

return code
