--- Where experiments of the command line come from: scripts, ids of environments, folders of runs.
-- @module trpo.origin
local core = require "trpo.core"
local disk = require "trpo.disk"
local json = require "trpo.json"
local older = require "trpo.checkpoint.older"
local options = require "trpo.options"
local parameters = require "trpo.parameters"
local rock = require "trpo.rocks"
local runs = require "trpo.runs"
local script = require "trpo.script"
local settings = require "trpo.settings"
local spelling = require "trpo.spelling"
local trpo = require "trpo"

local origin = {}

--- What a script raised, and the exit code: wrong options are wrong usage, of which one sentence says enough; all else
-- is a failure of the script's, with its traceback.
-- @tparam string message
-- @tparam string name of the script
-- @treturn string
-- @treturn number exit code
function origin.judged(message, name)
  local line = tostring(message):match("^[^\n]*")
  local text = line:match("^.-:%d+: (.*)") or line
  local ours = text:find("^trpo%.[%w_.]+: ") or text:find("^run:%l+: ")
  if not ours or text:find("not enough memory", 1, true) then return message, 1 end
  return (text == line and name .. ": " or "") .. line, 2
end

-- the experiment with the defaults on an environment; or nil, message, exit code
local function experiment_on(env, name)
  local ok, made = pcall(trpo.experiment, { env = env })
  if ok then return made end
  return nil, origin.judged(made, name)
end

local function of_id(name)
  local made, message, code = experiment_on(name, name)
  if made or not message:find("unknown environment", 1, true) then return made, message, code end
  local ids = {}
  for i, entry in ipairs(trpo.environments()) do ids[i] = entry.id end
  return nil, ("there is neither a file nor an environment '%s'%s"):format(name, spelling.hint(name, ids)), 2
end

-- whether a script's value is an environment, right or wrong
local function describes_environment(value)
  return type(value) == "table" and (value.reset or value.step or value.observation) ~= nil
end

-- what a script describes; or nil, message, exit code
local function of_script(name)
  local loaded, message, code = script.load(name)
  if code == "refused" then return nil, ("%s: %s"):format(name, message), 1 end
  if loaded == nil then return nil, origin.judged(message, name) end
  if type(loaded) == "table" and loaded.override then
    if loaded.rules then return loaded end
    return nil, ("%s is a sweep: 'trpo sweep %s' runs it"):format(name, name), 2
  end
  -- a script that describes an environment is trained with the defaults
  if describes_environment(loaded) then return experiment_on(loaded, name) end
  return nil, ("%s must return an experiment ('return run:main(...)') or an environment, it returned %s")
    :format(name, options.describe(loaded)), 1
end

--- The absolute form of a path.
-- @tparam string path
-- @treturn string
function origin.absolute(path) return rock("luv", "trpo").fs_realpath(path) or path end

-- the run whose folder, folder of checkpoints, or checkpoint a path is
local function run_around(path)
  path = disk.trimmed(path)
  for _, pattern in ipairs { ".*", "^(.+)/checkpoints$", "^(.+)/checkpoints/[^/]+$" } do
    local home = path:match(pattern)
    if home and disk.exists(home .. "/config.json") then return home end
  end
end

--- The experiment that a file or the id of an environment stands for.
-- @tparam string name
-- @treturn Experiment|nil
-- @treturn string|nil message
-- @treturn number|nil exit code
function origin.experiment(name)
  local file = io.open(name, "r")
  if not file then return of_id(name) end
  local _, unreadable = file:read(0)
  file:close()
  local home = run_around(name)
  if home then
    return nil, ("'%s' is no script; 'trpo train --resume %s' goes on with that run"):format(name, home), 2
  elseif unreadable then
    return nil, ("cannot read '%s' (%s); give a Lua script or the id of an environment"):format(name, unreadable), 2
  end
  local made, message, code = of_script(name)
  if made then made.script = origin.absolute(name) end
  return made, message, code
end

-- ---- folders of runs ---------------------------------------------------------------------------

-- what is perhaps meant by a path that is not the folder of a run
local function hint(path)
  local home = run_around(path) or run_around("runs/" .. path)
  if home then return (", did you mean '%s'?"):format(home) end
  local stat = rock("luv", "trpo").fs_stat(path)
  if stat and stat.type ~= "directory" then return (": write 'trpo train %s --resume'"):format(path) end
  return runs.inside(path)
end

-- the configuration that a folder holds; or nil, message, exit code
local function config_of(path)
  local text = core.file.read(path .. "/config.json")
  if not text then
    return nil, ("'%s' is not the folder of a run (it has no config.json)%s"):format(path, hint(path)), 2
  end
  local config, message = json.decode(text)
  if type(config) == "table" and type(config.env) == "table" and type(config.env.id) == "string" then
    return older.config(config)
  end
  return nil, ("cannot read %s/config.json: %s"):format(path, message or "it is not the configuration of a run"), 1
end

-- what helps when a run that is to go on was made by a program
local function unrecorded(what, path)
  return ("%s by a Lua program that is not recorded: train there with resume = true, or write "
    .. "'trpo train FILE --resume %s' with a script that ends with 'return run:main(...)'"):format(what, path)
end

-- The module of an environment is looked for where it was, and then wherever modules are. What it was found by is
-- its file without its name: /home/me/?.lua for envs.walk in /home/me/envs/walk.lua.
local function look_there(name, file)
  local name_in_path = name:gsub("%.", "/")
  for _, ending in ipairs { ".lua", "/init.lua" } do
    local tail = name_in_path .. ending
    local home = file:sub(1, -#tail - 1)
    if file:sub(-#tail) == tail and home:find "^[^;?]*/$" then
      package.path = ("%s?%s;%s"):format(home, ending, package.path)
    end
  end
end

-- the experiment on an environment that has a name
local function named(config, path)
  local id = config.env.id
  local made, message, code = of_id(id)
  if made or message:find(("there is neither a file nor an environment '%s'"):format(id), 1, true) ~= 1 then
    return made, message, code
  end
  if type(config.module) ~= "string" or disk.exists(config.module) then
    return nil, ("the environment of %s, '%s', is none of trpo's and no module where LUA_PATH looks")
      :format(path, id), 1
  end
  return nil, ("the environment of %s, the module '%s', is not found; it was %s, which is not there any more: put it "
    .. "back, or where LUA_PATH looks"):format(path, id, config.module), 1
end

-- the experiment without the script, which is not there any more: only its environment counts where nothing is trained
local function without_script(config, path, trains)
  if not trains and not config.described then return named(config, path) end
  local gone = ("the script of %s, %s, is not there any more"):format(path, config.script)
  if trains then
    return nil, ("%s; 'trpo train FILE --resume %s' goes on with it elsewhere"):format(gone, path), 1
  end
  return nil, ("%s, and it described the environment (%s): put it back, or play with "
    .. "trpo.load_policy '%s' in a program"):format(gone, config.env.id, path), 1
end

-- the experiment without the program that described its environment
local function without_program(config, path, trains)
  local what = ("the environment of %s (%s) was described"):format(path, config.env.id)
  if trains then return nil, unrecorded(what, path), 1 end
  return nil, ("%s by a Lua program that is not recorded: play there, with run:evaluate or with trpo.load_policy '%s'")
    :format(what, path), 1
end

-- the experiment that a configuration was made from, with what the script says
local function source(config, path, trains)
  if type(config.module) == "string" and disk.exists(config.module) then
    look_there(config.env.id, config.module)
  end
  if type(config.script) == "string" then
    if disk.exists(config.script) then return origin.experiment(config.script) end
    return without_script(config, path, trains)
  end
  if config.described then return without_program(config, path, trains) end
  return named(config, path)
end

-- what a configuration does not decide when a run is taken up again
local skipped = { ["threads"] = true, ["overwrite"] = true, ["resume"] = true, ["dir"] = true }

-- whether a configuration has an option without an effect: one of another kind of critic
local function idle(config, path)
  local name = path:match("^value%.(.+)")
  local value = config.value
  return name and type(value) == "table" and value.kind and value.optimizer
    and settings.stranger(name, value) ~= nil
end

-- the parameters of a configuration as changes of an experiment
local function changes_of(config, run)
  local changes = {}
  for _, leaf in ipairs(parameters.leaves(run:rules())) do
    local path = leaf.path
    -- the id of an environment that is described in Lua is not to be looked up
    if not skipped[path] and not idle(config, path) and not (path == "env.id" and run.definition) then
      local value = parameters.read(config, path)
      if value == nil then value = json.null end
      -- what may not be left out and is not there, is older than the option
      if value ~= json.null or leaf.rule.optional then changes[#changes + 1] = { name = path, value = value } end
    end
  end
  return changes
end

--- The experiment that was made from a configuration, with the options that were in force.
-- @tparam table config what `config.json` holds
-- @tparam string path where it comes from, for messages
-- @tparam[opt] boolean trains whether it is to go on, and not only to play
-- @treturn Experiment|nil with `scripted`, the options that its script says now
-- @treturn string|nil message
-- @treturn number|nil exit code
function origin.of_config(config, path, trains)
  local run, message, code = source(config, path, trains)
  if not run then return nil, message, code end
  run.scripted = run.script and run:describe()
  local changes = changes_of(config, run)
  changes[#changes + 1] = { name = "overwrite", value = false }
  local ok
  ok, message = run:override(changes)
  if not ok then return nil, ("%s: %s"):format(path, (message:gsub("^trpo%.experiment: ", ""))), 1 end
  return run
end

--- The experiment of a run's folder, with the options that were in force there.
-- @tparam string path of the folder
-- @tparam[opt] boolean trains whether it is to go on, for which its script and callbacks are needed, and not only to
--   play
-- @treturn Experiment|nil
-- @treturn string|nil message
-- @treturn number|nil exit code
function origin.of_folder(path, trains)
  path = disk.trimmed(path)
  local config, message, code = config_of(path)
  if not config then return nil, message, code end
  if trains and config.callbacks and type(config.script) ~= "string" then
    return nil, unrecorded(("the callbacks of %s were given"):format(path), path), 1
  end
  local run
  run, message, code = origin.of_config(config, path, trains)
  if run then run.folder = path end
  return run, message, code
end

return origin
