--- What a sweep varies: the parameters, and the values or the distribution of each.
--
--     parameters = {
--       delta = { 0.001, 0.01, 0.1 },              -- a list of values
--       gamma = { uniform = { 0.9, 0.999 } },      -- or a distribution, where cells are drawn
--       ["value.lm_damping"] = { log_uniform = { 0.01, 1 } },
--       lanes = { integer = { 4, 32 } },           -- both ends included; log_integer spreads over orders of magnitude
--       ["policy.activation"] = { choice = { "tanh", "relu" } },
--     }
-- @module trpo.sweep.space
local json = require "trpo.json"
local options = require "trpo.options"
local parameters = require "trpo.parameters"
local spelling = require "trpo.spelling"

local space = {}

-- parameters of an experiment that say how a run is done and not what it learns, and where they are set instead
local fixed = {
  seed = "the option seeds says with which seeds each cell is run",
  name = "a sweep names the folders of its runs itself", dir = "a sweep names the folders of its runs itself",
  overwrite = "a sweep continues its runs", resume = "a sweep continues its runs",
  threads = "each trial computes with one thread",
}

--- Why a parameter of an experiment cannot be swept, nor set for all trials.
-- @tparam string path
-- @treturn string|nil nil when it can
function space.refusal(path) return fixed[path] end

-- names of columns in results.csv and of what trials are told
local reserved = {
  id = true, cell = true, seed = true, rung = true, status = true, metric = true, seconds = true, host = true,
}

--- A value of a parameter as a person reads it.
-- @param value number, string, boolean or list
-- @tparam[opt] number digits of numbers; by default as many as read back exactly
-- @treturn string lists as `{64, 64}`
function space.text(value, digits)
  if type(value) == "table" then
    local words = {}
    for i, entry in ipairs(value) do words[i] = space.text(entry, digits) end
    return "{" .. table.concat(words, ", ") .. "}"
  elseif type(value) == "number" then
    return digits and ("%." .. digits .. "g"):format(value) or json.number(value)
  end
  return tostring(value)
end

--- The fewest digits, four or more, with which the texts of some values are all different.
-- @tparam table values
-- @treturn number|nil nil where no number of digits does it, as when values are equal
function space.digits(values)
  for digits = 4, 16 do
    local seen, clear = {}, true
    for _, value in ipairs(values) do
      local text = space.text(value, digits)
      clear, seen[text] = clear and not seen[text], true
    end
    if clear then return digits end
  end
end

-- a longer text than this is no label any more
local longest = 60

-- the end of the last whole UTF-8 character in the first n bytes
local function whole(text, n)
  while n > 0 and text:find("^[\128-\191]", n + 1) do n = n - 1 end
  return n
end

--- A value in one short line, as labels have it: of a long text beginning and end.
-- @param value as for `text`
-- @tparam[opt] number digits as for `text`
-- @treturn string
function space.brief(value, digits)
  local text = space.text(value, digits):gsub("%c", function(c) return ("\\%d"):format(c:byte()) end)
  if #text <= longest then return text end
  local half = math.floor((longest - 3) / 2)
  return text:sub(1, whole(text, half)) .. "..." .. text:sub(whole(text, #text - half) + 1)
end

-- ---- values ------------------------------------------------------------------------------------

-- number, string (of characters, not of any bytes), boolean or a list of such
local function is_plain(value, depth)
  local kind = type(value)
  if kind == "number" then return value > -math.huge and value < math.huge end
  if kind == "string" then return json.decode(json.encode(value)) == value end
  if kind ~= "table" then return kind == "boolean" end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  if count ~= #value or depth > 4 then return false end
  for _, entry in ipairs(value) do
    if not is_plain(entry, depth + 1) then return false end
  end
  return true
end

-- A copy of a value whose empty lists are written as lists.
function space.marked(value)
  if type(value) ~= "table" then return value end
  local out = json.list {}
  for i, entry in ipairs(value) do out[i] = space.marked(entry) end
  return out
end

-- values as the parameter takes them, all different; nil and one sentence
local function check_values(name, given, leaf)
  local count = 0
  for _ in pairs(given) do count = count + 1 end
  if count == 0 then return nil, ("parameters.%s is empty: give at least one value"):format(name) end
  if count ~= #given then
    return nil, ("parameters.%s must be a list of values, without holes or names"):format(name)
  end
  local out, seen = json.list {}, {}
  for i, value in ipairs(given) do
    if type(value) == "string" and not is_plain(value, 1) then
      return nil, ("parameters.%s[%d] is not text in UTF-8"):format(name, i)
    elseif not is_plain(value, 1) then
      return nil, ("parameters.%s[%d] must be a finite number, a string, a boolean or a list of such, got %s")
        :format(name, i, options.describe(value))
    end
    if leaf and leaf.aliases[value] ~= nil then value = leaf.aliases[value] end
    if leaf and leaf.rule.kind == "list" and type(value) ~= "table" then value = { value } end
    local text = json.encode(space.marked(value))
    if seen[text] then return nil, ("parameters.%s has the value %s twice"):format(name, text) end
    out[i], seen[text] = space.marked(value), true
  end
  return out
end

-- ---- distributions -----------------------------------------------------------------------------

local kinds = { "uniform", "log_uniform", "integer", "log_integer", "choice" }

local function is_finite(x) return type(x) == "number" and x > -math.huge and x < math.huge end

-- what is wrong with the bounds of a distribution, or nil
local function flaw(kind, bounds)
  if type(bounds) ~= "table" or #bounds ~= 2 or not is_finite(bounds[1]) or not is_finite(bounds[2]) then
    return "must be { low, high } with finite numbers, got " .. options.describe(bounds)
  end
  local low, high = bounds[1], bounds[2]
  if not (low < high) then return ("needs low < high, got %s"):format(options.describe(bounds)) end
  if kind:find "integer" and (low ~= math.floor(low) or high ~= math.floor(high) or high - low >= 2 ^ 32) then
    return ("needs integers less than 2^32 apart, got %s"):format(options.describe(bounds))
  end
  if kind:find "^log" and low <= 0 then return ("needs low > 0, got %s"):format(options.describe(bounds)) end
end

local function read_distribution(name, given, leaf)
  local kind, bounds = next(given)
  local known = false
  for _, word in ipairs(kinds) do known = known or word == kind end
  if not known then
    return nil, ("parameters.%s: unknown distribution '%s'%s; there is %s"):format(name, tostring(kind),
      spelling.hint(tostring(kind), kinds), table.concat(kinds, ", "))
  elseif next(given, kind) ~= nil then
    return nil, ("parameters.%s must be one distribution, got several"):format(name)
  elseif kind == "choice" then
    if type(bounds) ~= "table" then
      return nil, ("parameters.%s: choice must be a list of values, got %s"):format(name, options.describe(bounds))
    end
    local values, message = check_values(name .. ".choice", bounds, leaf)
    if not values then return nil, message end
    return { distribution = "choice", values = values }
  end
  local message = flaw(kind, bounds)
  if message then return nil, ("parameters.%s: %s %s"):format(name, kind, message) end
  return { distribution = kind, low = bounds[1], high = bounds[2] }
end

-- ---- parameters --------------------------------------------------------------------------------

-- the values or the distribution that one parameter was given
local function read_one(name, given, leaf)
  if type(given) ~= "table" then
    return nil, ("parameters.%s must be a list of values such as { 0.001, 0.01 } or a distribution such as "
      .. "{ uniform = { 0, 1 } }, got %s"):format(name, options.describe(given))
  end
  if type((next(given))) == "string" and #given == 0 then return read_distribution(name, given, leaf) end
  local values, message = check_values(name, given, leaf)
  return values and { values = values }, message
end

-- what is wrong with a table for a group of options, such as policy = { hidden = ... }, or nil
local function flaw_of_group(name, given, rules)
  local group = rules and rules.rules[name]
  local key = type(given) == "table" and next(given)
  if group and group.kind == "group" and group.rules[key] then
    return ("parameters.%s is a group of options: write [\"%s.%s\"] = { ... }"):format(name, name, key)
  end
end

-- the parameter of an experiment that a name means; of a function every name is one
local function resolve(name, rules)
  if not rules then
    if reserved[name] then return nil, ("parameters.%s: this name is taken, choose another one"):format(name) end
    return { path = name }
  end
  local leaf, message = parameters.find(rules, name)
  if not leaf then return nil, message end
  local why = fixed[leaf.path] or leaf.path:find "^checkpoint%." and "it changes no number"
  if why then return nil, ("parameters.%s cannot be swept: %s"):format(name, why) end
  return leaf
end

local function sorted_names(given)
  local names = {}
  for name in pairs(given) do
    if type(name) ~= "string" or #name == 0 then
      return nil, ("parameters must have names, e.g. { delta = { 0.001, 0.01 } }, got one without (%s)")
        :format(tostring(name))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- Reads the `parameters` of a sweep.
-- @param given what the user gave
-- @tparam table|nil rules of the experiment's parameters; nil: names are free
-- @treturn {table,...}|nil list of { path, name, values } or { path, name, distribution, low, high } or { path, name,
--   distribution = "choice", values }, in the order of paths
-- @treturn string|nil one sentence
function space.read(given, rules)
  if type(given) ~= "table" then
    return nil, ("parameters must be a table from names to values, e.g. { delta = { 0.001, 0.01 } }, got %s")
      :format(options.describe(given))
  end
  local names, message = sorted_names(given)
  if not names then return nil, message end
  if #names == 0 then return nil, "parameters is empty: give at least one, e.g. { delta = { 0.001, 0.01 } }" end
  local out, meant = {}, {}
  for i, name in ipairs(names) do
    local leaf, entry
    message = flaw_of_group(name, given[name], rules)
    if message then return nil, message end
    leaf, message = resolve(name, rules)
    if not leaf then return nil, message end
    if meant[leaf.path] then
      return nil, ("parameters '%s' and '%s' are the same one"):format(meant[leaf.path], name)
    end
    meant[leaf.path] = name
    entry, message = read_one(name, given[name], rules and leaf)
    if not entry then return nil, message end
    entry.path, entry.name, out[i] = leaf.path, name, entry
  end
  table.sort(out, function(a, b) return a.path < b.path end)
  return out
end

--- What a cell is called in messages.
-- @tparam {table,...} list of `read`
-- @tparam table params from path to value
-- @treturn string e.g. `delta=0.01 gamma=0.99`, numbers exactly, texts briefly
function space.label(list, params)
  local words = {}
  for i, parameter in ipairs(list) do words[i] = parameter.name .. "=" .. space.brief(params[parameter.path]) end
  return table.concat(words, " ")
end

-- ---- drawing -----------------------------------------------------------------------------------

-- Twelve digits: easy to read, and the same on machines whose logarithms differ in the last bit.
local function rounded(x) return tonumber(("%.12g"):format(x)) end

local function between(x, low, high) return math.max(low, math.min(high, x)) end

local maps = {}

function maps.uniform(u, low, high) return between(rounded(low + u * (high - low)), low, high) end

function maps.log_uniform(u, low, high)
  local from, to = math.log(low), math.log(high)
  return between(rounded(math.exp(from + u * (to - from))), low, high)
end

function maps.integer(u, low, high) return between(low + math.floor(u * (high - low + 1)), low, high) end

function maps.log_integer(u, low, high)
  local from, to = math.log(low), math.log(high + 1)
  return between(math.floor(rounded(math.exp(from + u * (to - from)))), low, high)
end

--- The value of a parameter that a point of [0, 1) stands for.
-- @tparam table parameter of `read`
-- @tparam number u
-- @return the value: low + u (high - low); low (high / low)^u; the integers low, ..., high equally often, or each n as
--   often as log((n + 1) / n) says; one of the values. Real numbers have twelve digits.
function space.value(parameter, u)
  local values = parameter.values
  if values then return values[math.min(#values, 1 + math.floor(u * #values))] end
  return maps[parameter.distribution](u, parameter.low, parameter.high)
end

-- listed values that cover more than this are read by their ratios; so are those that cover a decade in even steps
local widest, decade = 20, 10 * (1 - 1e-9)

-- whether ascending positive numbers have much the same ratios from one to the next
local function is_geometric(list)
  local least, most = math.huge, 0
  for i = 2, #list do
    local ratio = list[i] / list[i - 1]
    least, most = math.min(least, ratio), math.max(most, ratio)
  end
  return #list > 2 and math.log(most) <= 1.3 * math.log(least)
end

--- Whether the values of a parameter are read by their ratios: those of a logarithmic distribution, and listed positive
-- numbers that are far apart, such as 1 and 20, or 0.01, 0.03 and 0.1.
-- @tparam table parameter `distribution`, if there is one
-- @tparam table values those that it has
-- @treturn boolean
function space.is_logarithmic(parameter, values)
  local list, kind = {}, parameter.distribution
  for i, value in ipairs(values) do
    if not is_finite(value) then return false end
    list[i] = value
  end
  table.sort(list)
  local low, high = list[1] or 0, list[#list] or 0
  if not (low > 0 and high > low) then return false end
  if kind and kind ~= "choice" then return kind:find "^log" ~= nil end
  return high / low >= widest or high / low >= decade and is_geometric(list)
end

--- How many values a parameter can have.
-- @tparam table parameter
-- @treturn number
function space.count(parameter)
  if parameter.values then return #parameter.values end
  return parameter.distribution:find "integer" and parameter.high - parameter.low + 1 or math.huge
end

return space
