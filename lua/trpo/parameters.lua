--- Names of parameters: the resolver behind `--set`, `TRPO_*` variables and sweeps.
--
-- A parameter is a leaf of an option tree and has a dotted path, such as `algorithm.delta`. A bare name is
-- accepted when it is the only leaf of that name: `delta` means `algorithm.delta`, but `hidden` could be
-- `policy.hidden` or `value.hidden` and is refused. So is one that other libraries use for another parameter:
-- `iterations` could be `value.iterations` or mean `steps`.
-- @module trpo.parameters
local json = require "trpo.json"
local spelling = require "trpo.spelling"

local parameters = {}

--- The leaves of a group of rules, in order.
-- @tparam table group see `trpo.options`
-- @tparam[opt] string prefix
-- @treturn {table,...} list of { path, rule, aliases }: other values that may be given, of the field that stands for
--   its group
function parameters.leaves(group, prefix)
  local out = {}
  for _, field in ipairs(group.fields) do
    local path = (prefix or "") .. field[1]
    if field[2].kind == "group" then
      for _, leaf in ipairs(parameters.leaves(field[2], path .. ".")) do out[#out + 1] = leaf end
    elseif field[2].kind ~= "any" then
      out[#out + 1] = { path = path, rule = field[2],
        aliases = field[1] == group.shorthand and group.aliases or {} }
    end
  end
  return out
end

-- the group at a path that a plain value may stand for: `env` → `env.id`
local function shorthand(group, name)
  local rule = group.rules[name]
  return rule and rule.kind == "group" and rule.shorthand and name .. "." .. rule.shorthand
end

-- what a name that is no parameter's was meant to be, by the synonyms of the whole or of the group that it names
local function synonym(group, name)
  local prefix, rest = name:match("^([^.]+)%.(.+)$")
  local inner = prefix and group.rules[prefix]
  local meant = inner and inner.kind == "group"
    and (inner.synonyms[rest] or spelling.nearest(rest, inner.names))
  return meant and prefix .. "." .. meant or group.synonyms[name]
end

--- The parameters that a bare name could mean.
-- @tparam table group rules
-- @tparam {table,...} leaves those of the group
-- @tparam string name
-- @treturn {string,...} paths; one: the name is clear
function parameters.meanings(group, leaves, name)
  local paths = {}
  for _, leaf in ipairs(leaves) do
    if leaf.path:match("[^.]+$") == name then paths[#paths + 1] = leaf.path end
  end
  local elsewhere = group.synonyms[name]
  if #paths == 1 and elsewhere and elsewhere ~= paths[1] then paths[2] = elsewhere end
  return paths
end

--- Finds the parameter that a name means.
-- @tparam table group rules
-- @tparam string name dotted path, or the last part of one
-- @treturn table|nil { path, rule }
-- @treturn string|nil one sentence
function parameters.find(group, name)
  local leaves = parameters.leaves(group)
  local full = shorthand(group, name) or name
  local names, paths = {}, parameters.meanings(group, leaves, name)
  for _, leaf in ipairs(leaves) do
    if leaf.path == full or #paths == 1 and leaf.path == paths[1] then return leaf end
    local bare = leaf.path:match("[^.]+$")
    names[#names + 1] = leaf.path
    if bare ~= leaf.path then names[#names + 1] = bare end
  end
  if #paths == 0 then
    local meant = synonym(group, name)
    return nil, ("unknown parameter '%s'%s"):format(name,
      meant and (", did you mean '%s'?"):format(meant) or spelling.hint(name, names))
  end
  return nil, ("parameter '%s' is ambiguous: write '%s'"):format(name, table.concat(paths, "' or '"))
end

local readers = {}

function readers.number(text) return tonumber(text) end

function readers.boolean(text)
  if text == "true" then return true elseif text == "false" then return false end
end

function readers.string(text, rule)
  if rule.or_false and text == "false" then return false end
  return text
end

-- the choice that is spelt like this
function readers.choice(text, rule)
  for _, value in ipairs(rule.of) do
    if tostring(value) == text then return value end
  end
end

-- 64,64 or {64, 64} or [64, 64]
function readers.list(text, rule)
  local inner = text:match("^%s*{(.*)}%s*$") or text:match("^%s*%[(.*)%]%s*$") or text
  local out = {}
  for entry in inner:gmatch("[^,%s]+") do
    local value = readers[rule.of.kind](entry, rule.of)
    if value == nil then return nil end
    out[#out + 1] = value
  end
  return out
end

--- The groups that a plain value may be given for, with the path of the parameter that it means.
-- @tparam table group rules
-- @treturn table from name to path, e.g. `env` → `env.id`
function parameters.shorthands(group)
  local out = {}
  for _, field in ipairs(group.fields) do out[field[1]] = shorthand(group, field[1]) or nil end
  return out
end

--- Reads the text of a command line as the value that a parameter takes.
-- @tparam table leaf { path, rule } of `find`
-- @tparam string text e.g. `0.01`, `true`, `64,64`
-- @return the value, or nil and one sentence
function parameters.parse(leaf, text)
  local rule = leaf.rule
  if rule.optional and text == "nil" then return json.null end
  for value, stands_for in pairs(leaf.aliases) do
    if tostring(value) == text then return stands_for end
  end
  local value = readers[rule.kind](text, rule)
  if value == nil or not rule.accept(value) then
    return nil, ("%s must be %s, got '%s'"):format(leaf.path, rule.expected, text)
  end
  return value
end

--- Puts a value at a path of an option tree.
-- @tparam table tree changed in place
-- @tparam string path
-- @param value `json.null` removes what is there
function parameters.assign(tree, path, value)
  local parent, last = path:match("^(.*)%.([^.]+)$")
  for part in (parent or ""):gmatch("[^.]+") do
    tree[part] = tree[part] or {}
    tree = tree[part]
  end
  if value == json.null then value = nil end
  tree[last or path] = value
end

--- The value at a path of an option tree.
-- @tparam table tree
-- @tparam string path
-- @return the value or nil
function parameters.read(tree, path)
  for part in path:gmatch("[^.]+") do
    if type(tree) ~= "table" then return nil end
    tree = tree[part]
  end
  return tree
end

--- Splits `name=value`.
-- @tparam string text
-- @treturn string|nil name
-- @treturn string value, or one sentence when there is no name
function parameters.split(text)
  local name, value = text:match("^([%w_.]+)=(.*)$")
  if name then return name, value end
  return nil, ("--set must be NAME=VALUE, got '%s'"):format(text)
end

return parameters
