--- Opens environments.
-- @module trpo.make
local blame = require "trpo.blame"
local core = require "trpo.core"
local env = require "trpo.env"
local spelling = require "trpo.spelling"

local KEYS = { "lanes", "seed", "stream", "time_limit", "observation" }

local function fail(format, ...)
  error("trpo.make: " .. format:format(...), 0)
end

local function check_options(options)
  if type(options) ~= "table" then fail("options must be a table, got %s", type(options)) end
  local message = spelling.unknown(options, KEYS)
  if message then fail("%s", message) end
end

-- all ids that can be given
local function ids()
  local list = {}
  for _, entry in ipairs(core.environments()) do list[#list + 1] = entry.id end
  for id in pairs(env.registered) do list[#list + 1] = id end
  table.sort(list)
  return list
end

-- the definition that a module returns; nil when there is no such module
local function from_module(name)
  local there = package.loaded[name] ~= nil or package.preload[name] or package.searchpath(name, package.path)
  if not there then return nil end
  local def = require(name)
  if type(def) ~= "table" then
    fail("module '%s' must return an environment's definition (a table), got %s", name, type(def))
  end
  return def
end

local function open(what, options, id, time_limit)
  return core.env_open(what, options.lanes or 1, options.seed or 0, options.stream or 0,
    options.time_limit or time_limit, options.observation, id)
end

-- whether an id is that of a tabular process
local function is_tabular(mdp, id)
  for _, entry in ipairs(mdp.gallery()) do
    for _, name in ipairs(entry.ids) do
      if name == id then return true end
    end
  end
  return false
end

-- opens what is built in; a tabular process with another observation than its own is made anew
local function open_id(id, options)
  local entry
  for _, candidate in ipairs(core.environments()) do
    if candidate.id == id then entry = candidate end
  end
  if not entry then return nil end
  if options.observation == nil then return open(id, options) end
  local mdp = require "trpo.mdp"
  if not is_tabular(mdp, id) then fail("observation is an option of tabular processes only, which '%s' is not", id) end
  return open(mdp.make(id), options, id, entry.time_limit)
end

-- what may be meant by a name that is none
local function hint(name)
  local near = spelling.hint(name, ids())
  return near ~= "" and near or "; one of your own is given as a table, or as the name of its module on package.path"
end

local function make(what, options)
  check_options(options)
  local def = what
  if core.mdp.is_mdp(what) then return open(what, options, what.name) end
  if type(what) == "string" then
    local handle = open_id(what, options)
    if handle then return handle end
    def = env.registered[what] or from_module(what)
    if not def then fail("unknown environment '%s'%s", what, hint(what)) end
  elseif type(what) ~= "table" then
    fail("environment must be an id, a module name, a definition or an Mdp, got %s", type(what))
  end
  if options.observation ~= nil then fail "observation is an option of tabular processes only" end
  local problem = env.problem(def)
  if problem then fail("%s", problem) end
  return open(def, options)
end

-- what make itself says is placed at the caller's line; errors of modules and of init go through as they are
local function raise(message)
  local text = type(message) == "string" and message or ""
  local own = text:match("^trpo%.make: .*") or text:match("^[^\n]-:%d+: (trpo%.make: .*)")
  if own then blame(own) end
  error(message, 0)
end

--- Opens an environment.
-- @function trpo.make
-- @tparam string|table|Mdp what id of a built-in environment or of one that `trpo.env` has seen, name of a module that
-- returns a definition, a definition, or a tabular process: its transitions are drawn at random, outcomes marked done
-- terminate the episode, and an action that the state lacks raises
-- @tparam[opt] table options `lanes` (1) that step together, `seed` (0) in [0, 2^53), `stream` (0) in [0, 2048):
-- another stream gives independent random numbers; `time_limit` in steps instead of the environment's own, 0 for none;
-- of tabular processes `observation`: "integer" (default), the state 1..S, or "one_hot", a box of S zeros and ones
-- @treturn Env
-- @raise on an unknown id (with a suggestion), a wrong definition, options out of range
return function(what, options)
  local ok, result = pcall(make, what, options or {})
  if not ok then raise(result) end
  return result
end
