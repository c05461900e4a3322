--- The bytecode of a function as text: equal in every process for an equal function, whatever was run meanwhile.
--
-- `string.dump` takes back what the compiler of traces writes into bytecode, but has constant tables in the order of
-- their addresses, and loops by `pairs` as the interpreter has left them. The format is that of `lj_bcdump.h` of
-- LuaJIT 2.1: after a header of five bytes prototypes, inner functions first, each behind its length.
-- @module trpo.sweep.bytecode
local bytecode = {}

-- a reader of some bytes from a place on
local function reader(bytes, at)
  local self = { at = at }
  function self.skip(n) self.at = self.at + n end
  function self.number()
    local x, unit = 0, 1
    repeat
      local byte = bytes:byte(self.at)
      x, unit, self.at = x + byte % 128 * unit, unit * 128, self.at + 1
    until byte < 128
    return x
  end
  function self.take(n)
    self.skip(n)
    return bytes:sub(self.at - n, self.at - 1)
  end
  return self
end

local function hex(bytes) return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end

-- what stands for itself in constant tables
local plain = { [0] = "nil", "false", "true" }

-- a key or a value of a constant table
local function read_entry(from)
  local kind = from.number()
  if kind >= 5 then return ("%q"):format(from.take(kind - 5)) end
  if plain[kind] then return plain[kind] end
  return kind == 3 and "i" .. from.number() or "n" .. from.number() .. ":" .. from.number()
end

local function read_table(from)
  local array, hash, pairs_ = from.number(), from.number(), {}
  local out = {}
  for i = 1, array do out[i] = read_entry(from) end
  for i = 1, hash do
    local key = read_entry(from)
    pairs_[i] = key .. "=" .. read_entry(from)
  end
  table.sort(pairs_)
  return "{" .. table.concat(out, ",") .. "|" .. table.concat(pairs_, ",") .. "}"
end

-- a constant: an inner function, a table, an int64_t, a uint64_t, a complex number, or a string
local function read_constant(from)
  local kind = from.number()
  if kind >= 5 then return ("%q"):format(from.take(kind - 5)) end
  if kind == 0 then return "function" end
  if kind == 1 then return read_table(from) end
  local out = { "c" .. kind }
  for i = 1, kind == 4 and 4 or 2 do out[i + 1] = from.number() end
  return table.concat(out, ":")
end

-- the instructions of a function that is stripped, each of four bytes
local function instructions(dump)
  local from, out = reader(dump, 6), {}
  from.number()
  from.skip(4)
  from.number()
  from.number()
  for i = 1, from.number() do out[i] = from.take(4) end
  return out
end

-- instructions of loops by `pairs`, as they are once something else than `next` has been met
local function general_loops()
  local special = instructions(string.dump(loadstring "for _ in pairs(x) do end", true))
  local general = instructions(string.dump(loadstring "for _ in other(x) do end", true))
  local out = {}
  for i, instruction in ipairs(special) do out[instruction:sub(1, 1)] = general[i]:sub(1, 1) end
  return out
end

local general = general_loops()

local function read_prototype(from, stop)
  local out = { hex(from.take(4)) }
  local upvalues, constants = out[1]:sub(7, 8), from.number()
  from.number()
  for _ = 1, from.number() do
    local instruction = from.take(4)
    local op = instruction:sub(1, 1)
    out[#out + 1] = hex((general[op] or op) .. instruction:sub(2))
  end
  out[#out + 1] = hex(from.take(2 * tonumber(upvalues, 16)))
  for _ = 1, constants do out[#out + 1] = read_constant(from) end
  out[#out + 1] = hex(from.take(stop - from.at))
  return table.concat(out, "\n")
end

--- The bytecode of a function, with its constants and inner functions, without names of variables and lines.
-- @tparam function f a Lua function
-- @treturn string instructions as hexadecimal digits; strings as Lua writes them, each in quotation marks
function bytecode.text(f)
  local from, out = reader(string.dump(f, true), 6), {}
  while true do
    local length = from.number()
    if length == 0 then return table.concat(out, "\n\n") end
    out[#out + 1] = read_prototype(from, from.at + length)
  end
end

return bytecode
