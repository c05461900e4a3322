--- Reads TensorBoard's event files: an implementation of its own, slow and plain.
local bit = require "bit"
local ffi = require "ffi"

local events = {}

--- CRC-32C, one bit at a time.
function events.crc32c(text)
  local crc = 0xFFFFFFFF
  for i = 1, #text do
    crc = bit.bxor(crc, text:byte(i))
    for _ = 1, 8 do
      local low = bit.band(crc, 1)
      crc = bit.rshift(crc, 1)
      if low == 1 then crc = bit.bxor(crc, 0x82F63B78) end
    end
  end
  return bit.bnot(crc) % 2 ^ 32
end

--- The checksum as it is stored: rotated right by 15 bits, plus a constant.
function events.masked(text)
  return (bit.ror(events.crc32c(text), 15) % 2 ^ 32 + 0xA282EAD8) % 2 ^ 32
end

local function integer(text, at, bytes)
  local x = 0
  for i = bytes, 1, -1 do x = x * 256 + text:byte(at + i - 1) end
  return x
end

-- a number of a C type from its bytes
local function number(kind, text)
  local x = ffi.new(kind .. "[1]")
  ffi.copy(x, text, #text)
  return tonumber(x[0])
end

local function varint(text, at)
  local x, scale = 0, 1
  while true do
    local byte = assert(text:byte(at), "a varint has no end")
    x, scale, at = x + byte % 128 * scale, scale * 128, at + 1
    if byte < 128 then return x, at end
  end
end

-- the fields of a message as a list of { field, value }: numbers, or strings of bytes
local function fields(text)
  local list, at = {}, 1
  while at <= #text do
    local key, value
    key, at = varint(text, at)
    local kind = key % 8
    if kind == 0 then
      value, at = varint(text, at)
    else
      local bytes = kind == 1 and 8 or kind == 5 and 4
      if kind == 2 then bytes, at = varint(text, at) end
      assert(bytes and at + bytes - 1 <= #text, "a field has no end")
      value, at = text:sub(at, at + bytes - 1), at + bytes
      if kind == 1 then value = number("double", value) elseif kind == 5 then value = number("float", value) end
    end
    list[#list + 1] = { math.floor(key / 8), value }
  end
  return list
end

-- values by tag
local function summary(text)
  local values = {}
  for _, value in ipairs(fields(text)) do
    assert(value[1] == 1, "a summary holds something else than values")
    local entry = {}
    for _, field in ipairs(fields(value[2])) do entry[field[1]] = field[2] end
    assert(entry[1] and entry[2] and not values[entry[1]], "a value lacks tag or number, or comes twice")
    values[entry[1]] = entry[2]
  end
  return values
end

--- The events in the bytes of a file: list of { wall_time, step, version, values by tag }. Raises on wrong checksums and
-- a file that does not end with a whole record.
function events.decode(text)
  local list, at = {}, 1
  while at <= #text do
    assert(at + 15 <= #text, "a record has no end")
    local length = integer(text, at, 8)
    assert(integer(text, at + 8, 4) == events.masked(text:sub(at, at + 7)), "wrong checksum of a length")
    local message = text:sub(at + 12, at + 11 + length)
    assert(#message == length and at + 15 + length <= #text, "a record has no end")
    assert(integer(text, at + 12 + length, 4) == events.masked(message), "wrong checksum of a message")
    local event = {}
    for _, field in ipairs(fields(message)) do
      local name = assert(({ "wall_time", "step", "version", [5] = "values" })[field[1]], "an event has another field")
      event[name] = field[1] == 5 and summary(field[2]) or field[2]
    end
    list[#list + 1] = event
    at = at + 16 + length
  end
  return list
end

return events
