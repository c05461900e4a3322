--- Bounds-checked windows on doubles that C owns, for element loops in compiled Lua.
--
-- A view is a small cdata object: `p[i]` reads and `p[i] = x` writes element `i` of `1..#p`, any other index raises.
-- In a traced loop an access costs two comparisons and one load; nothing is allocated.
--
-- A view keeps its owner alive: the weak-key table `owners` maps the view to it, so the owner lives as long as
-- the view does. Lua 5.1 has no ephemerons, hence an owner that refers to its own views (directly or not)
-- would never be collected. Owners are therefore small storage handles that refer to nothing in Lua.
-- @module trpo.view

local ffi = require "ffi"

local floor = math.floor

-- The fields are const: a script can read them but not bend them.
ffi.cdef [[
typedef struct { double *const data_; const int32_t count_; } trpo_view;
typedef struct { const double *const data_; const int32_t count_; } trpo_view_read_only;
typedef struct {
  double *const data_;
  const int32_t count_;
  const int32_t ndim_;
  const int32_t size_[8];
  const double stride_[8];
} trpo_view_strided;
]]

local view = {}

-- view -> what owns its memory
local owners = setmetatable({}, { __mode = "k" })

local function bad_index(v, i)
  local got = type(i) == "string" and "'" .. i .. "'" or tostring(i)
  if v.count_ == 0 then
    error("view: index must be in an empty range, got " .. got, 3)
  end
  error(("view: index must be an integer in [1, %d], got %s"):format(v.count_, got), 3)
end

local function bad_value(x)
  error("view: element must be a number, got " .. (type(x) == "number" and tostring(x) or type(x)), 3)
end

local function count(v)
  return v.count_
end

-- On a trace the type of i is known and integers need no rounding: two comparisons remain.
local function is_index(v, i)
  return type(i) == "number" and i >= 1 and i <= v.count_ and floor(i) == i
end

local function read(v, i)
  if is_index(v, i) then
    return v.data_[i - 1]
  end
  bad_index(v, i)
end

local function write(v, i, x)
  if not is_index(v, i) then
    bad_index(v, i)
  elseif type(x) ~= "number" then
    bad_value(x)
  end
  v.data_[i - 1] = x
end

local function refuse_write()
  error("view: this view is read-only", 2)
end

-- Offset of element k (0-based, row-major order) of a strided view.
local function offset(v, k)
  local at = 0
  for d = v.ndim_ - 1, 1, -1 do
    local rest = floor(k / v.size_[d])
    at = at + (k - rest * v.size_[d]) * v.stride_[d]
    k = rest
  end
  return at + k * v.stride_[0]
end

local function read_strided(v, i)
  if is_index(v, i) then
    return v.data_[offset(v, i - 1)]
  end
  bad_index(v, i)
end

local function write_strided(v, i, x)
  if not is_index(v, i) then
    bad_index(v, i)
  elseif type(x) ~= "number" then
    bad_value(x)
  end
  v.data_[offset(v, i - 1)] = x
end

local function describe(v)
  local items = {}
  for i = 1, math.min(#v, 16) do
    items[i] = ("%.6g"):format(v[i])
  end
  if #v > 16 then
    items[17] = "..."
  end
  return ("view of %d {%s}"):format(#v, table.concat(items, ", "))
end

local view_t, read_only_t, strided_t

local function is_view(value)
  return ffi.istype(view_t, value) or ffi.istype(read_only_t, value) or ffi.istype(strided_t, value)
end

-- A view of one number is taken for the number itself; the actions of an environment are where that happens.
local function no_number(v, level)
  error(("view: a view of %d number%s is not a number itself: write action[1], not action"):format(#v,
    #v == 1 and "" or "s"), level + 1)
end

local function refuse_operation(a, b) no_number(is_view(a) and a or b, 2) end

-- Whether two are the same view; who compares one with a number means an element.
local function equal(a, b)
  if type(a) == "number" or type(b) == "number" then no_number(is_view(a) and a or b, 2) end
  return rawequal(a, b)
end

local function metatable(reader, writer)
  local it = { __index = reader, __newindex = writer, __len = count, __tostring = describe, __eq = equal }
  for _, name in ipairs { "add", "sub", "mul", "div", "mod", "pow", "unm", "lt", "le", "concat" } do
    it["__" .. name] = refuse_operation
  end
  return it
end

view_t = ffi.metatype("trpo_view", metatable(read, write))
read_only_t = ffi.metatype("trpo_view_read_only", metatable(read, refuse_write))
strided_t = ffi.metatype("trpo_view_strided", metatable(read_strided, write_strided))

local LIMIT = 2 ^ 31 - 1

local function check_length(length)
  if type(length) ~= "number" or not (length >= 0 and length <= LIMIT) or floor(length) ~= length then
    error("view: length must be an integer in [0, 2147483647], got " .. tostring(length), 3)
  end
end

--- A view of `length` doubles at `pointer`.
-- @tparam lightuserdata|cdata pointer first element
-- @tparam integer length number of elements
-- @tparam any owner kept alive while the view is reachable; must not refer to the view itself
-- @tparam[opt=false] boolean read_only writing raises
-- @treturn cdata the view
-- @raise when the length is no integer in [0, 2^31)
function view.new(pointer, length, owner, read_only)
  check_length(length)
  local v
  if read_only then
    v = read_only_t(ffi.cast("const double *", pointer), length)
  else
    v = view_t(ffi.cast("double *", pointer), length)
  end
  owners[v] = owner
  return v
end

--- A view of a strided block, in row-major order of its elements.
-- @tparam lightuserdata|cdata pointer first element
-- @tparam integer length number of elements, the product of `size`
-- @tparam any owner kept alive while the view is reachable; must not refer to the view itself
-- @tparam {integer,...} size 1 to 8 sizes
-- @tparam {integer,...} stride as many strides, in elements
-- @treturn cdata the view
-- @raise when the length is no integer in [0, 2^31)
function view.strided(pointer, length, owner, size, stride)
  check_length(length)
  local v = strided_t(ffi.cast("double *", pointer), length, #size, size, stride)
  owners[v] = owner
  return v
end

--- True for any view made here.
-- @param value anything
-- @treturn boolean
view.is = is_view

return view
