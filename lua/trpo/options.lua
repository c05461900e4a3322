--- Option tables: what may be given, what holds when it is not, and one sentence about what is wrong.
--
-- A rule says what a value must be. A group is an ordered list of named rules. Nothing is swallowed: a key
-- that no rule knows is an error, with the name that was probably meant.
-- @module trpo.options
local json = require "trpo.json"
local spelling = require "trpo.spelling"

local options = {}

-- {64, 0} of a short list of numbers
local function describe_list(value)
  local words = {}
  for i, entry in ipairs(value) do
    if type(entry) ~= "number" or i > 8 then return "a table" end
    words[i] = ("%.14g"):format(entry)
  end
  return #words > 0 and "{" .. table.concat(words, ", ") .. "}" or "a table"
end

--- A value as error messages show it.
-- @param value anything
-- @treturn string e.g. `the string 'x'`, `-1`, `{64, 0}`, `a table`
function options.describe(value)
  local kind = type(value)
  if kind == "string" then return ("the string '%s'"):format(value) end
  if kind == "number" then return value ~= value and "NaN" or ("%.14g"):format(value) end
  if kind == "boolean" or kind == "nil" then return tostring(value) end
  if kind == "table" then return describe_list(value) end
  return "a " .. kind
end

-- "a number in [0, 1]", "an integer >= 1", ...
local function range_text(noun, o)
  local low, high = o.above or o.min, o.below or o.max
  if low and high then
    return ("%s in %s%.16g, %.16g%s")
      :format(noun, o.above and "(" or "[", low, high, o.below and ")" or "]")
  elseif low then
    return ("%s %s %.16g"):format(noun, o.above and ">" or ">=", low)
  elseif high then
    return ("%s %s %.16g"):format(noun, o.below and "<" or "<=", high)
  end
  return noun
end

local function in_range(x, o)
  return x > -math.huge and x < math.huge
    and (not o.min or x >= o.min) and (not o.above or x > o.above)
    and (not o.max or x <= o.max) and (not o.below or x < o.below)
end

local function rule(kind, o, expected, accept)
  return {
    kind = kind, default = o.default, optional = o.optional, help = o.help,
    expected = expected, accept = accept,
  }
end

--- A finite number.
-- @tparam table o `default`, `optional`, `min`, `max` (inclusive), `above`, `below` (exclusive)
-- @treturn table rule
function options.number(o)
  return rule("number", o, range_text("a number", o), function(value)
    return type(value) == "number" and in_range(value, o)
  end)
end

--- An integer.
-- @tparam table o as for `number`; `expected` = text instead of the range
-- @treturn table rule
function options.integer(o)
  return rule("number", o, o.expected or range_text("an integer", o), function(value)
    return type(value) == "number" and in_range(value, o) and value == math.floor(value)
  end)
end

--- true or false.
-- @tparam table o `default`, `optional`
-- @treturn table rule
function options.boolean(o)
  return rule("boolean", o, "true or false", function(value) return type(value) == "boolean" end)
end

--- A string that is not empty.
-- @tparam table o `default`, `optional`, `or_false` (false is allowed too), `accept` = function(string) → boolean with
--   `expected` = text
-- @treturn table rule
function options.string(o)
  local expected = o.expected or "a string that is not empty"
  local made = rule("string", o, expected .. (o.or_false and ", or false" or ""), function(value)
    if type(value) ~= "string" then return o.or_false == true and value == false end
    return #value > 0 and (not o.accept or o.accept(value))
  end)
  made.or_false = o.or_false
  return made
end

--- A seed of random numbers.
-- @tparam table o `default`, `optional`
-- @treturn table rule
function options.seed(o)
  return options.integer { default = o.default, optional = o.optional, min = 0, max = 2 ^ 53 - 1,
    expected = "an integer in [0, 2^53)" }
end

--- The name of a folder: nothing is changed silently but what no shell likes.
-- @treturn table rule, optional
function options.folder_name()
  return options.string {
    optional = true, expected = "a name for a folder (not empty, no '/', no '.' at its beginning)",
    accept = function(value) return not value:find("/", 1, true) and value:sub(1, 1) ~= "." end,
  }
end

--- One of some strings and booleans.
-- @tparam table o `default`, `optional`, `of` = list of what is allowed
-- @treturn table rule
function options.choice(o)
  local names, allowed = {}, {}
  for i, value in ipairs(o.of) do
    names[i] = type(value) == "string" and ("'%s'"):format(value) or tostring(value)
    allowed[value] = true
  end
  local last = table.remove(names)
  local expected = #names > 0 and table.concat(names, ", ") .. " or " .. last or last
  local made = rule("choice", o, expected, function(value) return allowed[value] end)
  made.of = o.of
  return made
end

--- A list of values that obey one rule; a single such value stands for a list of one.
-- @tparam table o `default`, `optional`, `of` = rule of each entry, `max` = most entries
-- @treturn table rule
function options.list(o)
  local entries = o.of.expected:gsub("^an? ", ""):gsub("^(%l+)", "%1s", 1)
  local expected = (o.max and "a list of at most %d " or "a list of "):format(o.max or 0) .. entries
  local made = rule("list", o, expected, function(value)
    if type(value) ~= "table" then return false end
    local count = 0
    for _ in pairs(value) do count = count + 1 end
    if o.max and count > o.max then return false end
    for i = 1, count do
      if not o.of.accept(value[i]) then return false end
    end
    return true
  end)
  made.of = o.of
  return made
end

--- Named rules, in order.
-- @tparam table o `fields` = list of { name, rule }, `shorthand` = name of the field that a value which is
--   not a table stands for, `aliases` = such values that mean another one, `synonyms` = names that are not
--   options, with the path of the option that is meant
-- @treturn table rule
function options.group(o)
  local made = { kind = "group", fields = o.fields, names = {}, rules = {}, optional = true,
    shorthand = o.shorthand, aliases = o.aliases or {}, synonyms = o.synonyms or {} }
  for i, field in ipairs(o.fields) do
    made.names[i], made.rules[field[1]] = field[1], field[2]
  end
  return made
end

--- A rule for values like the one that is there, for parameters whose owner checks the range.
-- @param value number, string or boolean
-- @treturn table rule
function options.like(value)
  local make = { number = options.number, string = options.string, boolean = options.boolean }
  return make[type(value)] { default = value }
end

--- What no rule may be asked about: a value that is taken as it is.
-- @tparam table o `optional`, `expected` = text, `accept` = function(value) → boolean
-- @treturn table rule
function options.any(o)
  return rule("any", o, o.expected, o.accept)
end

--- A copy of a tree of options: nested tables are copied, other values shared.
-- @tparam table tree
-- @treturn table
function options.copy(tree)
  local out = setmetatable({}, getmetatable(tree))
  for key, value in pairs(tree) do
    out[key] = type(value) == "table" and options.copy(value) or value
  end
  return out
end

local resolve_group

local function resolve_value(what, rule_, value, path)
  if value == nil then value = rule_.default end
  if rule_.kind == "group" then return resolve_group(what, rule_, value, path .. ".") end
  if value == nil and rule_.optional then return nil end
  if rule_.kind == "list" and type(value) ~= "table" and value ~= nil then value = { value } end
  if not rule_.accept(value) then
    return nil, ("%s: %s must be %s, got %s")
      :format(what, path, rule_.expected, options.describe(value))
  end
  return rule_.kind == "list" and json.list(options.copy(value)) or value
end

local function unknown(what, group, key, prefix)
  if type(key) ~= "string" then
    return ("%s: options must have names, got one without (%s)"):format(what, tostring(key))
  end
  local hint = group.synonyms[key] or spelling.nearest(key, group.names)
  if hint then
    return ("%s: unknown option '%s%s', did you mean '%s%s'?")
      :format(what, prefix, key, prefix, hint)
  end
  return ("%s: unknown option '%s%s'; there is %s%s")
    :format(what, prefix, key, prefix, table.concat(group.names, ", " .. prefix))
end

function resolve_group(what, group, given, prefix)
  -- value = "none" stands for value = { kind = "none" }
  if group.aliases[given] ~= nil then given = group.aliases[given] end
  if given ~= nil and type(given) ~= "table" and group.shorthand then
    given = { [group.shorthand] = given }
  end
  given = given == nil and {} or given
  if type(given) ~= "table" then
    return nil, ("%s: %s must be a table of options, got %s")
      :format(what, prefix:gsub("%.$", ""), options.describe(given))
  end
  for key in pairs(given) do
    if not group.rules[key] then return nil, unknown(what, group, key, prefix) end
  end
  local out = {}
  for _, field in ipairs(group.fields) do
    local message
    out[field[1]], message = resolve_value(what, field[2], given[field[1]], prefix .. field[1])
    if message then return nil, message end
  end
  return out
end

--- Checks a table of options and fills in what is missing.
-- @tparam string what name of the constructor, for messages
-- @tparam table group rules
-- @tparam table|nil given the user's table; stays as it is
-- @treturn table|nil a new table with every option
-- @treturn string|nil one sentence about the first mistake
function options.resolve(what, group, given)
  if given ~= nil and type(given) ~= "table" then
    return nil, ("%s: options must be a table, got %s"):format(what, options.describe(given))
  end
  return resolve_group(what, group, given, "")
end

return options
