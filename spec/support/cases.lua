--- Random tensors in all layouts, with plain Lua copies for oracles, and the loop that runs random cases.
local trpo = require "trpo"

local cases = {}

local SPECIAL = { 0 / 0, math.huge, -math.huge, 0, -0.0, 1e308, -1e308, 5e-324 }

--- The seed of a run: TRPO_CASES_SEED repeats one that failed.
cases.seed = tonumber(os.getenv "TRPO_CASES_SEED") or 20240607

--- The share of the cases that is run: TRPO_CASES_SHARE lowers it where every case takes long.
cases.share = tonumber(os.getenv "TRPO_CASES_SHARE") or 1

--- The same for specs of finite processes, which have a hundred times more cases than functions that they try.
cases.exact = setmetatable({ share = cases.share * (tonumber(os.getenv "SPEC_EXACT_SHARE") or 1) }, { __index = cases })

--- A plain copy: { size = {...}, x = elements in row-major order }. Reads through the FFI view, not through C.
function cases.plain(t)
  local p, x = t:ptr(), {}
  for i = 1, #p do x[i] = p[i] end
  return { size = t:size(), x = x }
end

--- Sizes of up to `most` dimensions: often small, sometimes 0 or 1, 8 dimensions too.
function cases.size(rng, least, most)
  local size, count = {}, 1
  local ndim = rng:uniform() < 0.1 and (most or 8) or rng:integer(least or 0, math.min(4, most or 8))
  for d = 1, ndim do
    local u = rng:uniform()
    local n = u < 0.03 and 0 or u < 0.3 and 1 or rng:integer(2, 5)
    if count * math.max(n, 1) > 200 then n = 1 end
    count = count * math.max(n, 1)
    size[d] = n
  end
  -- rows longer than the blocks that C works by
  if rng:uniform() < 0.1 and ndim > 0 and count < 5 then size[ndim] = rng:integer(300, 700) end
  return size
end

local function fill(rng, t, kind)
  local p = t:ptr()
  for i = 1, #p do
    if kind == "special" and rng:uniform() < 0.15 then
      p[i] = SPECIAL[rng:integer(1, #SPECIAL)]
    elseif kind == "integers" then
      p[i] = rng:integer(-2, 2)
    elseif kind == "mask" then
      p[i] = rng:integer(0, 1)
    elseif kind == "positive" then
      p[i] = 0.1 + 3 * rng:uniform()
    else
      p[i] = 3 * rng:normal()
    end
  end
  return t
end

local function copied(list) return { unpack(list) } end

-- each makes a tensor of a size that lies in memory in its way
local layouts = {
  plain = function(_, size) return trpo.zeros(size) end,
  permuted = function(rng, size)
    local order = trpo.permutation(rng, #size)
    local stored, back = {}, {}
    for d = 1, #size do
      stored[d] = size[order[d]]
      back[order[d]] = d
    end
    return trpo.zeros(stored):permute(back)
  end,
  narrowed = function(rng, size)
    local large, start = {}, {}
    for d = 1, #size do
      large[d] = size[d] + rng:integer(0, 2)
      start[d] = rng:integer(1, large[d] - size[d] + 1)
    end
    local t = trpo.zeros(large)
    for d = 1, #size do t = t:narrow(d, start[d], size[d]) end
    return t
  end,
  stepped = function(rng, size)
    local d = rng:integer(1, #size)
    local large, key = copied(size), {}
    large[d] = size[d] * 2
    for e = 1, d - 1 do key[e] = {} end
    key[d] = size[d] > 0 and { rng:integer(1, 2), -1, 2 } or {}
    return trpo.zeros(large)[key]
  end,
  expanded = function(rng, size)
    local small = copied(size)
    for d = 1, #size do
      if rng:uniform() < 0.5 then small[d] = 1 end
    end
    return trpo.zeros(small), size
  end,
}
local names = { "plain", "plain", "permuted", "narrowed", "stepped", "expanded" }

--- A random tensor of a size, and its plain copy.
-- @tparam string kind of elements: "normal", "special", "integers", "mask", "positive"
-- @tparam boolean writable leaves out expanded layouts
function cases.tensor(rng, size, kind, writable)
  local name = #size == 0 and "plain" or names[rng:integer(1, writable and 5 or 6)]
  local t, expand = layouts[name](rng, size)
  fill(rng, t, kind)
  if expand then t = t:expand(expand) end
  return t, cases.plain(t), name
end

--- Calls f(index, k) for all indices of a size in row-major order.
function cases.each(size, f)
  local count = 1
  for d = 1, #size do count = count * size[d] end
  local index = {}
  for d = 1, #size do index[d] = 1 end
  for k = 1, count do
    f(index, k)
    for d = #size, 1, -1 do
      index[d] = index[d] + 1
      if index[d] <= size[d] then break end
      index[d] = 1
    end
  end
end

--- Element of a plain copy at an index, broadcast: dimensions are aligned at the end.
function cases.at(n, index)
  local offset, added = 0, #index - #n.size
  for d = 1, #n.size do
    offset = offset * n.size[d] + (n.size[d] == 1 and 0 or index[added + d] - 1)
  end
  return n.x[offset + 1]
end

--- Whether two numbers are the same, NaN included, or close to each other.
function cases.close(a, b, tolerance)
  if a == b or (a ~= a and b ~= b) then return true end
  return math.abs(a - b) <= (tolerance or 0)
end

--- Raises unless a tensor (or number) holds what is expected; expected is { size, x }, tolerance a number or function of k.
function cases.expect(t, expected, tolerance)
  if type(t) == "number" then t = trpo.tensor(t) end
  local got = cases.plain(t)
  local size, wanted = table.concat(got.size, "x"), table.concat(expected.size, "x")
  if size ~= wanted then error(("size [%s] instead of [%s]"):format(size, wanted), 2) end
  for k = 1, #expected.x do
    local limit = type(tolerance) == "function" and tolerance(k) or tolerance
    if not cases.close(got.x[k], expected.x[k], limit) then
      error(("element %d is %.17g instead of %.17g"):format(k, got.x[k], expected.x[k]), 2)
    end
  end
end

local function describe(value)
  if type(value) == "userdata" then return "[" .. table.concat(value:size(), ", ") .. "]" end
  return tostring(value)
end

local function run(share, count, stream, case)
  for i = 1, math.ceil(count * share) do
    local rng = trpo.rng(cases.seed + i, stream)
    local notes = {}
    local function note(...)
      for _, value in ipairs { ... } do notes[#notes + 1] = describe(value) end
    end
    local ok, message = xpcall(case, function(e) return tostring(e) end, rng, note)
    if not ok then
      error(("case %d of seed %d, stream %d: %s: %s"):format(i, cases.seed, stream, table.concat(notes, " "), message), 0)
    end
  end
end

--- Runs `count` cases: case(rng, note) with a generator of its own; what it notes is told when it fails.
function cases.run(count, stream, case) run(cases.share, count, stream, case) end

function cases.exact.run(count, stream, case) run(cases.exact.share, count, stream, case) end

return cases
