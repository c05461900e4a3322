--- Doubled precision in plain Lua, for oracles that know twice as many digits as what they judge: numbers are pairs
-- { high, low }, products are split after Dekker 1971. Slow, and independent of the C files.
local wide = {}

local function two_sum(a, b)
  local s = a + b
  local t = s - a
  return s, (a - (s - t)) + (b - t)
end

local function split(a)
  local c = 134217729 * a
  local high = c - (c - a)
  return high, a - high
end

local function two_product(a, b)
  local p = a * b
  local ah, al = split(a)
  local bh, bl = split(b)
  return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl
end

local function pair(a) return type(a) == "table" and a or { a, 0 } end

function wide.add(a, b)
  a, b = pair(a), pair(b)
  local s, e = two_sum(a[1], b[1])
  local t, f = two_sum(a[2], b[2])
  s, e = two_sum(s, e + t)
  s, e = two_sum(s, e + f)
  return { s, e }
end

function wide.mul(a, b)
  a, b = pair(a), pair(b)
  local p, e = two_product(a[1], b[1])
  p, e = two_sum(p, e + (a[1] * b[2] + a[2] * b[1]))
  return { p, e }
end

function wide.neg(a)
  a = pair(a)
  return { -a[1], -a[2] }
end

function wide.sub(a, b) return wide.add(a, wide.neg(b)) end

function wide.div(a, b)
  a, b = pair(a), pair(b)
  local q = a[1] / b[1]
  local r = wide.sub(a, wide.mul(b, q))
  local q2 = r[1] / b[1]
  r = wide.sub(r, wide.mul(b, q2))
  return wide.add(wide.add(q, q2), r[1] / b[1])
end

--- The double nearest to a pair.
function wide.number(a) return pair(a)[1] + pair(a)[2] end

--- Solves a x = b by elimination with partial pivoting. a: rows of pairs or numbers, b: a list; both are used up.
function wide.solve(a, b)
  local n = #b
  for k = 1, n do
    local p = k
    for i = k + 1, n do
      if math.abs(wide.number(a[i][k])) > math.abs(wide.number(a[p][k])) then p = i end
    end
    a[k], a[p], b[k], b[p] = a[p], a[k], b[p], b[k]
    for i = k + 1, n do
      if wide.number(a[i][k]) ~= 0 then
        local f = wide.div(a[i][k], a[k][k])
        for j = k + 1, n do a[i][j] = wide.sub(a[i][j], wide.mul(f, a[k][j])) end
        b[i] = wide.sub(b[i], wide.mul(f, b[k]))
      end
    end
  end
  for k = n, 1, -1 do
    for j = k + 1, n do b[k] = wide.sub(b[k], wide.mul(a[k][j], b[j])) end
    b[k] = wide.div(b[k], a[k][k])
  end
  return b
end

return wide
