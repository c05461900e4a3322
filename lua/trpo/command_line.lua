--- Words for a shell, and the command line of this process, as `command.txt` keeps it.
-- @module trpo.command_line
local disk = require "trpo.disk"
local rock = require "trpo.rocks"

local command_line = {}

--- A word as a shell reads it back; in quotes where it needs some.
-- @tparam string word
-- @treturn string
function command_line.quoted(word)
  if word:find("^[%w_./:=,@%%+-]+$") then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local quoted = command_line.quoted

-- the words that started this process; of our own launcher the name that people type
local function words()
  if type(arg) ~= "table" or not arg[0] then return {} end
  local list, first = {}, 0
  while arg[first - 1] do first = first - 1 end
  if arg[0]:find("trpo/main%.lua$") then list[1], first = "trpo", 1 end
  for i = first, #arg do list[#list + 1] = quoted(tostring(arg[i])) end
  return list
end

--- What stands for the words that started this process where those are no command, as in the process of a trial.
command_line.text = nil

--- The words that started this process, for a shell.
-- @treturn string
function command_line.own() return table.concat(words(), " ") end

-- when, where and how: a comment, the working directory, the command with the variables that set something
local function lines()
  local uv = rock("luv", "a run folder")
  local variables = {}
  for name, value in pairs(uv.os_environ()) do
    if name:find("^TRPO_") and #value > 0 then variables[#variables + 1] = name .. "=" .. quoted(value) end
  end
  table.sort(variables)
  variables[#variables + 1] = command_line.text or command_line.own()
  return ("# %s\ncd %s\n%s\n"):format(os.date "!%Y-%m-%dT%H:%M:%SZ", quoted(uv.cwd()), table.concat(variables, " "))
end

--- Adds a block of lines for a shell to the `command.txt` of a run: one for each sitting.
-- @tparam Folder folder
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil "io"
function command_line.append(folder)
  local path = folder.path .. "/command.txt"
  local text = (disk.exists(path) and "\n" or "") .. lines()
  local file, message, code = folder:open "command.txt"
  if not file then return nil, message, code end
  local ok, why = file:write(text)
  local closed, later = file:close()
  if ok and closed then return true end
  return nil, ("cannot write %s: %s"):format(path, why or later), "io"
end

-- a compiled close would not notice that it failed, as a flush
jit.off(command_line.append)

return command_line
