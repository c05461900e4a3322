--- The command line.
-- @module trpo.cli
local commands = require "trpo.commands"
local core = require "trpo.core"
local origin = require "trpo.origin"
local rock = require "trpo.rocks"
local spelling = require "trpo.spelling"
local trpo = require "trpo"

local cli = {}

-- ---- parsing -----------------------------------------------------------------------------------

local function add_option(parser, option)
  if not option.value then
    parser:flag(option.flags, option.help):target(option.target)
    return
  end
  local made = parser:option(option.flags, option.help):target(option.target):argname(option.value)
  if option.flags:find(" ", 1, true) then
    -- argparse would give each name a line of its own
    local label = option.flags:gsub(" ", (" %s, "):format(option.value)) .. " " .. option.value
    made._get_label_lines = function() return { label } end
  end
  if option.repeats then made:count("*") end
  if option.optional_value then made:args("?") end
  if option.choices then made:choices(option.choices) end
end

local function add_argument(parser, argument)
  local made = parser:argument(argument.name, argument.help)
  if argument.choices then made:choices(argument.choices) end
  if argument.optional then made:args("?") end
  if argument.repeats then made:args("+") end
end

-- a wrong command line: usage and message, then out
local function complain(parser, message)
  local name = message:match("^unknown option '(%-[%w-]+)'")
  local instead = name and parser.instead and parser.instead[name]
  if instead then message = ("unknown option '%s': %s"):format(name, instead) end
  io.stderr:write(parser:get_usage(), "\n\ntrpo: ", message, "\n")
  error({ exit = 2 }, 0)
end

local function whole_parser()
  local parser = rock("argparse", "the command line")("trpo",
    "Trust-region policy optimisation: Lua decides, C computes.",
    "Example:\n  trpo train CartPole-v1 --steps 100000\n\n'trpo help COMMAND' tells more about a command.")
  parser:command_target("command"):help_description_margin(28)
  parser:flag("--version", "show the version"):action(function()
    print("trpo " .. trpo.VERSION)
    error({ exit = 0 }, 0)
  end)
  parser.error = complain
  for _, command in ipairs(commands) do
    local sub = parser:command(command.name, command.summary, "Example:\n  " .. command.example)
    sub.instead = command.instead
    for _, argument in ipairs(command.arguments) do add_argument(sub, argument) end
    for _, option in ipairs(command.options) do add_option(sub, option) end
  end
  return parser
end

local function train_command()
  for _, command in ipairs(commands) do
    if command.name == "train" then return command end
  end
end

local function script_parser(name)
  local parser = rock("argparse", "run:main")(name, "Trains the experiment of this script.",
    ("Example:\n  luajit %s --set delta=0.02 --seed 3"):format(name))
  parser:help_description_margin(28).error = complain
  for _, option in ipairs(train_command().options) do add_option(parser, option) end
  return parser
end

-- '--seed -1' as one word, or the parser takes the number for an option
local function with_negative_numbers(args)
  local out = {}
  for _, word in ipairs(args) do
    if word:find("^%-[%d.]") and #out > 0 and out[#out]:find("^%-%-[%a-]+$") then
      out[#out] = out[#out] .. "=" .. word
    else
      out[#out + 1] = word
    end
  end
  return out
end

-- '--set delta 0.1': the value would be taken for an argument
local function check_settings(args)
  for i, word in ipairs(args) do
    local name, value = args[i + 1] or "", args[i + 2] or ""
    local lonely = word == "--set" and name:find "^[%a_][%w_.]*$"
    if lonely and (tonumber(value) or value == "true" or value == "false") then
      io.stderr:write(("trpo: --set must be NAME=VALUE, got '%s': write --set %s=%s\n"):format(name, name, value))
      error({ exit = 2 }, 0)
    end
  end
  return args
end

-- the words of a command line as the parser reads them
local function words(args) return with_negative_numbers(check_settings(args)) end

-- runs a function that may leave by error { exit = code }
local function leave(fn)
  -- before the loop of events takes a number that is not free
  core.process.open_standard_streams()
  local ok, result = xpcall(fn, function(message)
    return type(message) == "table" and message or debug.traceback(tostring(message), 2)
  end)
  -- what was printed must have arrived
  local flushed, why = io.stdout:flush()
  if ok and flushed then return result end
  if ok then result = "cannot write to the standard output: " .. tostring(why) end
  if type(result) == "table" and result.exit then return result.exit end
  io.stderr:write("trpo: ", tostring(result), "\n")
  return 1
end

-- a compiled flush would not notice that it failed, see trpo.logger
jit.off(leave)

-- ---- commands ----------------------------------------------------------------------------------

local run = {}

-- the experiment that is to be trained; or nil, message, exit code
local function experiment_of(flags)
  if flags.file then return origin.experiment(flags.file) end
  local path = flags.resume and flags.resume[1]
  if path then return origin.of_folder(path, true) end
  return nil, "missing argument 'file': give a Lua script or the id of an environment, or --resume with the folder of "
    .. "a run", 2
end

function run.train(flags)
  local made, message, code = experiment_of(flags)
  if made then return require("trpo.launch").train(made, flags) end
  io.stderr:write("trpo: ", message, "\n")
  return code
end

function run.eval(flags) return require("trpo.evaluate").run(flags) end

function run.sweep(flags) return require("trpo.sweep.launch").run(flags) end

function run.plot(flags) return require("trpo.plots").run(flags) end

function run.report(flags) return require("trpo.report").run(flags) end

function run.solve(flags) return require("trpo.solve").run(flags, origin.judged) end

function run.envs(flags)
  local list = {}
  for i, entry in ipairs(trpo.environments()) do
    local env = trpo.make(entry.id)
    list[i] = { id = entry.id, summary = entry.summary, observation = tostring(env.observation),
      action = tostring(env.action), time_limit = env.time_limit }
  end
  if flags.json then
    print(trpo.json.encode(trpo.json.list(list)))
    return 0
  end
  for _, entry in ipairs(list) do
    print(("%-26s %s"):format(entry.id, entry.summary))
    local limit = entry.time_limit > 0 and (", at most %.0f steps"):format(entry.time_limit) or ""
    print(("%-26s observation %s, action %s%s"):format("", entry.observation, entry.action, limit))
  end
  return 0
end

-- versions of the rocks that the command line uses
local function rock_versions()
  local argparse, cjson, luv = pcall(require, "argparse"), pcall(require, "cjson"), pcall(require, "luv")
  return {
    argparse = argparse and require("argparse").version or nil,
    ["lua-cjson"] = cjson and require("cjson")._VERSION or nil,
    luv = luv and require("luv").version_string() or nil,
  }
end

function run.info(flags)
  local info = trpo.info()
  info.rocks = rock_versions()
  if flags.json then
    print(trpo.json.encode(info))
    return 0
  end
  local rocks = {}
  for _, name in ipairs { "argparse", "lua-cjson", "luv" } do
    rocks[#rocks + 1] = name .. " " .. (info.rocks[name] or "is missing")
  end
  print(("trpo         %s"):format(info.version))
  print(("LuaJIT       %s"):format(info.luajit))
  print(("BLAS         %s%s"):format(info.blas, info.blas_fast and "" or "   (slow)"))
  print(("LAPACK       %s"):format(info.lapack))
  print(("instructions %s%s"):format(info.isa, info.isa_ignored
    and ("   (TRPO_ISA=%s is ignored)"):format(info.isa_ignored) or ""))
  print(("threads      %d"):format(info.threads))
  print(("rocks        %s"):format(table.concat(rocks, ", ")))
  if info.isa_ignored then
    io.stderr:write(("trpo: TRPO_ISA=%s is unknown, or not what this processor has; there is avx512, avx2, generic\n")
      :format(info.isa_ignored))
  end
  if not info.blas_fast then
    io.stderr:write("trpo: this is the slow reference BLAS; a fast one is e.g. OpenBLAS "
      .. "(Debian: apt-get install libopenblas0-pthread)\n")
  end
  return 0
end

function run.completion(flags)
  local names = {}
  local count, paths = {}, trpo.experiment({ env = "CartPole-v1" }):parameters()
  for i, entry in ipairs(paths) do
    local bare = entry.path:match("[^.]+$")
    names[i], count[bare] = entry.path, (count[bare] or 0) + 1
  end
  -- bare names where they are clear
  for _, entry in ipairs(paths) do
    local bare = entry.path:match("[^.]+$")
    if bare ~= entry.path and count[bare] == 1 then names[#names + 1] = bare end
  end
  local ids = {}
  for i, entry in ipairs(trpo.environments()) do ids[i] = entry.id end
  local processes = {}
  for _, entry in ipairs(trpo.mdp.gallery()) do
    processes[#processes + 1] = entry.name
    for _, id in ipairs(entry.ids) do processes[#processes + 1] = id end
  end
  io.write(require("trpo.completion").script(flags.shell, commands,
    { environments = ids, parameters = names, processes = processes }))
  return 0
end

function run.help(flags)
  if not flags.topic then
    print(whole_parser():get_help())
    return 0
  end
  local names = {}
  for i, command in ipairs(commands) do names[i] = command.name end
  for _, name in ipairs(names) do
    -- --help prints and leaves
    if name == flags.topic then return cli.main { name, "--help" } end
  end
  io.stderr:write(("trpo: unknown command '%s'%s\n")
    :format(flags.topic, spelling.hint(flags.topic, names)))
  return 2
end

--- Runs the command line of `trpo`.
-- @tparam {string,...} args
-- @treturn number exit code
function cli.main(args)
  -- until there is something to bring to an end, Ctrl-C ends the process at once
  trpo.signals.release()
  return leave(function()
    local parser = whole_parser()
    if #args == 0 then
      io.stderr:write(parser:get_help(), "\n")
      return 2
    end
    local flags = parser:parse(words(args))
    return run[flags.command](flags)
  end)
end

--- Runs the command line of a script, see `Experiment:main`.
-- @tparam Experiment made the script's experiment
-- @tparam {string,...} args
-- @treturn number exit code
function cli.script(made, args)
  return leave(function()
    local name = type(arg) == "table" and arg[0] or "script.lua"
    local flags = script_parser(name):parse(words(args))
    if type(arg) == "table" then made.script = origin.absolute(name) end
    return require("trpo.launch").train(made, flags)
  end)
end

return cli
