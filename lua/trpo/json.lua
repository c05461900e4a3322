--- JSON that keeps every bit: numbers read back exactly, keys are in a fixed order.
--
-- lua-cjson decodes; we encode, because its encoder writes 14 digits only. NaN and infinities become
-- `null`; so does `json.null`. Bytes that are not UTF-8 are written as the code point of the same number.
-- @module trpo.json
local rock = require "trpo.rocks"
local utf8 = require "trpo.utf8"

local json = {}

local list_mark = {}

--- Marks a table as a list, so that it is written `[]` when it is empty.
-- @tparam table t the list
-- @treturn table t
function json.list(t) return setmetatable(t, list_mark) end

local escapes = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function escape(c) return escapes[c] or ("\\u%04x"):format(c:byte()) end

local function encode_string(s)
  s = s:gsub('[%c"\\]', escape)
  if s:find("[\128-\255]") then
    local out, i = {}, 1
    while i <= #s do
      local length = utf8.length(s, i)
      out[#out + 1] = length and s:sub(i, i + length - 1) or escape(s:sub(i, i))
      i = i + (length or 1)
    end
    s = table.concat(out)
  end
  return '"' .. s .. '"'
end

--- A finite number with as few digits as read back exactly: 15, 16 or 17.
-- @tparam number x
-- @treturn string
function json.number(x)
  for digits = 15, 16 do
    local text = ("%." .. digits .. "g"):format(x)
    if tonumber(text) == x then return text end
  end
  return ("%.17g"):format(x)
end

local function encode_number(x)
  if x ~= x or x == math.huge or x == -math.huge then return "null" end
  return json.number(x)
end

local function is_list(t)
  if getmetatable(t) == list_mark then return true end
  local count = 0
  for _ in pairs(t) do count = count + 1 end
  return count > 0 and count == #t
end

-- keys in the given order first, the others sorted
local function ordered_keys(t, order)
  local keys, others, known = {}, {}, {}
  for _, key in ipairs(order or {}) do
    if t[key] ~= nil and not known[key] then
      keys[#keys + 1], known[key] = key, true
    end
  end
  for key in pairs(t) do
    if type(key) ~= "string" then
      error(("json.encode: a table that is not a list must have string keys, got %s")
        :format(tostring(key)), 0)
    end
    if not known[key] then others[#others + 1] = key end
  end
  table.sort(others)
  for _, key in ipairs(others) do keys[#keys + 1] = key end
  return keys
end

local encode_value

local function encode_table(t, state, depth)
  if state.open[t] then error("json.encode: a table must not contain itself", 0) end
  state.open[t] = true
  local parts, list = {}, is_list(t)
  -- nested objects are sorted; the caller's order holds for the outermost one
  if list then
    for i = 1, #t do parts[i] = encode_value(t[i], state, depth + 1) end
  else
    for i, key in ipairs(ordered_keys(t, depth == 0 and state.order or nil)) do
      parts[i] = encode_string(key) .. (state.indent and ": " or ":")
        .. encode_value(t[key], state, depth + 1)
    end
  end
  state.open[t] = nil
  local open, close = list and "[" or "{", list and "]" or "}"
  if #parts == 0 then return open .. close end
  if not state.indent or list then
    return open .. table.concat(parts, state.indent and ", " or ",") .. close
  end
  local pad = "\n" .. ("  "):rep(depth)
  return open .. pad .. "  " .. table.concat(parts, "," .. pad .. "  ") .. pad .. close
end

function encode_value(value, state, depth)
  local kind = type(value)
  if kind == "number" then return encode_number(value) end
  if kind == "string" then return encode_string(value) end
  if kind == "boolean" then return tostring(value) end
  if kind == "nil" or value == json.null then return "null" end
  if kind == "table" then return encode_table(value, state, depth) end
  error(("json.encode: numbers, strings, booleans and tables can be written, got a %s")
    :format(kind), 0)
end

--- Writes a value as JSON.
-- @param value number, string, boolean, nil or a table of such (lists, or string keys; no cycles)
-- @tparam[opt] table opts `indent` (true: one line per key), `order` (list of keys that come first
--   in the outermost object; the others follow alphabetically)
-- @treturn string the text
-- @raise on functions, cycles and mixed keys
function json.encode(value, opts)
  opts = opts or {}
  local state = { indent = opts.indent, order = opts.order, open = {} }
  return encode_value(value, state, 0)
end

--- Reads JSON.
-- @tparam string text one JSON value
-- @return the value (`null` is `json.null`), or nil, message, "json"
function json.decode(text)
  local cjson = rock("cjson", "trpo.json.decode")
  local ok, value = pcall(cjson.decode, text)
  if ok then return value end
  return nil, "not JSON: " .. tostring(value), "json"
end

-- the decoder's null, loaded with it
setmetatable(json, {
  __index = function(t, key)
    if key ~= "null" then return nil end
    local ok, cjson = pcall(require, "cjson")
    rawset(t, "null", ok and cjson.null or newproxy())
    return t.null
  end,
})

return json
