--- Nested plain data as a tree that JSON holds without losing a bit.
--
-- Finite numbers, booleans, lists and strings of ASCII stand for themselves. The rest are objects with one meaning
-- each: `{"number": "nan"}` (or "inf", "-inf"), `{"bytes": "00ff"}`, `{"keys": […], "values": […]}` for tables that
-- are no lists, and `{"tensor": "name"}` for tensors, which are kept elsewhere.
-- @module trpo.pack
local core = require "trpo.core"
local json = require "trpo.json"

local pack = {}

local Tensor = getmetatable(core.zeros(1))

-- deeper nesting is refused, and with it what contains itself
local DEEPEST = 100

-- copies of tables that are in several places; a dozen tables could stand for billions
local MOST_COPIES = 2 ^ 18

local function refuse(format, ...) error({ message = format:format(...) }, 0) end

-- runs a function; what it refused comes back as nil and one sentence
local function guard(f, ...)
  local ok, result = pcall(f, ...)
  if ok then return result end
  if type(result) == "table" and result.message then return nil, result.message end
  error(result, 0)
end

-- ---- there ------------------------------------------------------------------------------------

local function number_text(x)
  if x ~= x then return "nan" end
  return x > 0 and "inf" or "-inf"
end

local function pack_number(x)
  if x - x == 0 then return x end
  return { number = number_text(x) }
end

local function pack_string(s)
  if not s:find("[\128-\255]") then return s end
  return { bytes = (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) }
end

-- keys in an order that depends on them only: numbers, then strings
local function sorted_keys(t, path)
  local keys = {}
  for key in pairs(t) do
    local kind = type(key)
    if kind ~= "string" and kind ~= "number" then
      refuse("a key of %s is a %s; keys must be strings or numbers", path, kind)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) ~= type(b) then return type(a) == "number" end
    return a < b
  end)
  return keys
end

local pack_value

-- what is nested too deep, or is in too many places: each of them gets a copy
local function check_table(t, path, state, depth)
  if depth > DEEPEST then refuse("%s is nested more than %d deep or contains itself", path, DEEPEST) end
  if not state.seen[t] then
    state.seen[t] = true
    return
  end
  state.copies = state.copies + 1
  if state.copies > MOST_COPIES then
    refuse("%s has the same tables in more than %d places; each place would get a copy", state.path, MOST_COPIES)
  end
end

local function pack_table(t, path, state, depth)
  check_table(t, path, state, depth)
  local keys = sorted_keys(t, path)
  local values, is_list = json.list {}, #keys > 0
  for i, key in ipairs(keys) do
    is_list = is_list and key == i
    values[i] = pack_value(t[key], path .. "." .. tostring(key), state, depth + 1)
  end
  if is_list then return values end
  for i, key in ipairs(keys) do keys[i] = pack_value(key, path, state, depth) end
  return { keys = json.list(keys), values = values }
end

function pack_value(value, path, state, depth)
  local kind = type(value)
  if kind == "number" then return pack_number(value) end
  if kind == "string" then return pack_string(value) end
  if kind == "boolean" then return value end
  if kind == "table" then return pack_table(value, path, state, depth) end
  if kind == "userdata" and getmetatable(value) == Tensor then return { tensor = state.store(value) } end
  refuse("%s is a %s; numbers, strings, booleans, tensors and tables of them can be kept", path, kind)
end

--- Packs a value. A table that is in several places is read back as so many tables.
-- @param value numbers, strings, booleans, tensors and tables of them, keys strings or numbers
-- @tparam string path what messages call the value
-- @tparam function store store(tensor) keeps a tensor and returns the name under which it is found again
-- @return what `trpo.json` can write, or nil and one sentence that names what cannot be kept
function pack.encode(value, path, store)
  return guard(pack_value, value, path, { store = store, path = path, seen = {}, copies = 0 }, 0)
end

-- ---- and back ---------------------------------------------------------------------------------

local numbers = { nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

local function unpack_bytes(text)
  if type(text) ~= "string" or #text % 2 ~= 0 or text:find("[^0-9a-f]") then refuse "bytes are not hexadecimal" end
  return (text:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end

local unpack_value

local function unpack_list(list, tensors, depth)
  local out = {}
  for i = 1, #list do out[i] = unpack_value(list[i], tensors, depth + 1) end
  return out
end

local function unpack_pairs(object, tensors, depth)
  if type(object.keys) ~= "table" or type(object.values) ~= "table" or #object.keys ~= #object.values then
    refuse "a table has not as many values as keys"
  end
  local out = {}
  for i, key in ipairs(object.keys) do
    key = unpack_value(key, tensors, depth)
    if type(key) ~= "string" and (type(key) ~= "number" or key ~= key) then refuse "a key is no string or number" end
    out[key] = unpack_value(object.values[i], tensors, depth + 1)
  end
  return out
end

local function unpack_object(object, tensors, depth)
  if depth > DEEPEST + 1 then refuse "its data is nested too deep" end
  if #object > 0 then return unpack_list(object, tensors, depth) end
  if object.keys ~= nil then return unpack_pairs(object, tensors, depth) end
  if object.number ~= nil then return numbers[object.number] or refuse "a number is none" end
  if object.bytes ~= nil then return unpack_bytes(object.bytes) end
  return tensors[object.tensor or ""] or refuse "a tensor is missing"
end

function unpack_value(value, tensors, depth)
  local kind = type(value)
  if kind == "table" then return unpack_object(value, tensors, depth) end
  if kind == "string" or kind == "boolean" or kind == "number" and value - value == 0 then return value end
  refuse("a value is %s", kind == "number" and "not finite" or "missing")
end

--- Brings back what was packed. Nothing is trusted.
-- @param tree what `encode` returned, after a way through JSON
-- @tparam {[string]=Tensor,...} tensors by the names that `store` gave
-- @return the value, or nil and one sentence
function pack.decode(tree, tensors) return guard(unpack_value, tree, tensors, 0) end

return pack
