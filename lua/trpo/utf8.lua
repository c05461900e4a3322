--- Characters in bytes that may be UTF-8.
-- @module trpo.utf8
local utf8 = {}

-- whether a byte belongs to a sequence that began before it
local function tail(x) return x and x >= 0x80 and x < 0xC0 end

--- The length of the sequence of a character: of the shortest form, and no surrogate.
-- @tparam string s any bytes
-- @tparam number i position of its first byte
-- @treturn number|nil bytes, 1 to 4; nil where no character begins
function utf8.length(s, i)
  local a, b, c, d = s:byte(i, i + 3)
  if a < 0x80 then return 1 end
  if a >= 0xC2 and a < 0xE0 and tail(b) then return 2 end
  if a >= 0xE0 and a < 0xF0 and tail(b) and tail(c) then
    local overlong, surrogate = a == 0xE0 and b < 0xA0, a == 0xED and b >= 0xA0
    return not overlong and not surrogate and 3 or nil
  end
  if a >= 0xF0 and a < 0xF5 and tail(b) and tail(c) and tail(d) then
    local overlong, beyond = a == 0xF0 and b < 0x90, a == 0xF4 and b >= 0x90
    return not overlong and not beyond and 4 or nil
  end
end

return utf8
