--- Numbers of the user's own for TensorBoard, in event files that it finds and follows.
--
-- A run writes its own file. This is for scripts that compute something else:
--
--    local board = assert(trpo.tensorboard.writer "runs/exact")
--    for info in mdp:improve { … } do assert(board:add(info.iteration, { eta = info.eta })) end
--    board:close()
-- @module trpo.tensorboard
local blame = require "trpo.blame"
local core = require "trpo.core"
local rock = require "trpo.rocks"

local tensorboard = {}

-- ---- what trpo.logger uses too ------------------------------------------------------------------

-- seconds since 1970, as events carry them
function tensorboard.now()
  local seconds, microseconds = rock("luv", "trpo.tensorboard").gettimeofday()
  return seconds + microseconds / 1e6
end

-- the name of a new event file, as PyTorch and Stable-Baselines3 make it
function tensorboard.file_name()
  local uv = rock("luv", "trpo.tensorboard")
  local host = uv.os_gethostname():gsub("[^%w._-]", "-")
  return ("events.out.tfevents.%010d.%s.%d.0"):format(os.time(), host, uv.os_getpid())
end

-- whether a name, without folder, can be one of an event file
function tensorboard.is_file_name(name) return name:find "^events%.out%.tfevents%.[^/]+$" ~= nil end

-- ---- the writer --------------------------------------------------------------------------------

local writer = {}
writer.__index = writer

-- beyond it not every integer is a number
local MOST_STEPS = 2 ^ 53

-- the path of a file that is not there yet: the writers of one process and second are numbered
local function free_path(folder)
  local base, number = folder .. "/" .. tensorboard.file_name():gsub("0$", ""), 0
  while true do
    local file = io.open(base .. number, "rb")
    if not file then return base .. number end
    file:close()
    number = number + 1
  end
end

--- A writer of a new event file.
-- @tparam string folder which exists; event files in one folder are one run for TensorBoard
-- @treturn[1] Writer
-- @treturn[2] nil
-- @treturn[2] string one sentence
-- @treturn[2] string "no_file" or "io"
function tensorboard.writer(folder)
  if type(folder) ~= "string" then
    blame("trpo.tensorboard.writer: folder must be a string, got " .. type(folder))
  end
  local file, message, code = core.log.open(free_path(folder))
  if not file then return nil, message, code end
  local ok
  ok, message, code = file:append(core.log.version(tensorboard.now()))
  if not ok then return nil, message, code end
  return setmetatable({ file = file }, writer)
end

-- the names in a table, sorted; raises on what is none
local function sorted_names(values)
  local names = {}
  for name, value in pairs(values) do
    if type(name) ~= "string" or not core.log.is_name(name) then
      blame(("writer:add: a tag must be UTF-8 text of one line, got %s"):format(
        type(name) == "string" and "something else" or type(name)))
    elseif type(value) ~= "number" then
      blame(("writer:add: the value of '%s' must be a number, got %s"):format(name, type(value)))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- Writes numbers of one step, at once.
-- @tparam integer step from -2^53 to 2^53
-- @tparam {[string]=number,...} values by tag; rounded to single precision, as TensorBoard keeps them
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil "io"
-- @raise on wrong arguments
function writer:add(step, values)
  if type(step) ~= "number" or step % 1 ~= 0 or math.abs(step) > MOST_STEPS then
    blame("writer:add: step must be an integer from -2^53 to 2^53, got " .. tostring(step))
  elseif type(values) ~= "table" then
    blame("writer:add: values must be a table, got " .. type(values))
  end
  local _, _, event = core.log.encode(sorted_names(values), 0, values, tensorboard.now(), step)
  return self.file:append(event)
end

--- Closes the file.
-- @treturn boolean|nil true, or nil, message, code
function writer:close() return self.file:close() end

return tensorboard
