--- A bounded number of processes at a time. Nothing is polled: the loop sleeps until a process ends.
-- @module trpo.sweep.pool
local core = require "trpo.core"
local rock = require "trpo.rocks"

local pool = {}
pool.__index = pool

--- An empty pool.
-- @tparam table opts `jobs` (processes at a time); `next` = function() → task or nil: what is to be started now, a
--   table with `file`, `args`, `env` (list of "NAME=value", nil: as here), `input` (what it can read, nil: nothing) and
--   `output` (file that gets what it prints, appended); `started` = function(task, pid); `ended` = function(task,
--   ending)
-- @treturn Pool `running` (number)
function pool.new(opts)
  return setmetatable({
    uv = rock("luv", "trpo sweep"), jobs = opts.jobs, next = opts.next, started = opts.started, ended = opts.ended,
    running = 0, tasks = {},
  }, pool)
end

-- the process of a task, or nil and one sentence
local function spawn(self, task, on_exit)
  local uv = self.uv
  local output, message = uv.fs_open(task.output, "a", 420) -- 0644
  if not output then return nil, ("cannot write %s"):format(message) end
  -- what earlier attempts printed ends here
  local stat = uv.fs_fstat(output)
  task.printed = stat and stat.size or 0
  local input = task.input and uv.new_pipe(false) or nil
  -- a session of its own: a terminal's Ctrl-C is for us
  local handle, pid = uv.spawn(task.file, {
    args = task.args, env = task.env, stdio = { input, output, output }, detached = true,
  }, on_exit)
  uv.fs_close(output)
  if handle and input then
    -- a process that ends before it has read all of it says so by its end
    uv.write(input, task.input, function() input:close() end)
  elseif input then
    input:close()
  end
  if not handle then return nil, ("cannot start %s: %s"):format(task.file, tostring(pid)) end
  return handle, pid
end

-- Ends what a process has started and left behind, which must not go on writing beside its next attempt or what comes
-- of its result. A group keeps its number as long as there is somebody in it; where there is a process of that number,
-- it is another one that was given it.
local function end_rest(uv, pid)
  if not core.process.started(pid) then uv.kill(-pid, "sigkill") end
end

local function start(self, task)
  local uv, begin = self.uv, self.uv.hrtime()
  local handle, pid
  handle, pid = spawn(self, task, function(code, signal)
    handle:close()
    end_rest(uv, pid)
    self.running, self.tasks[task] = self.running - 1, nil
    self.ended(task, { code = code, signal = signal, seconds = (uv.hrtime() - begin) / 1e9 })
    self:fill()
  end)
  if not handle then
    self.ended(task, { message = pid, seconds = 0 })
    return
  end
  self.running, self.tasks[task] = self.running + 1, { handle = handle, pid = pid }
  self.started(task, pid)
end

--- Starts what there is to start.
function pool:fill()
  while self.running < self.jobs do
    local task = self.next()
    if not task then return end
    start(self, task)
  end
end

--- Asks all processes to come to a stop: one SIGTERM each.
function pool:stop()
  for _, process in pairs(self.tasks) do process.handle:kill "sigterm" end
end

--- Kills all processes, or that of one task, with all that they have started.
-- @tparam[opt] table task
function pool:kill(task)
  for entry, process in pairs(self.tasks) do
    if task == nil or task == entry then self.uv.kill(-process.pid, "sigkill") end
  end
end

--- The last lines that a task's process printed, without those of earlier attempts.
-- @tparam table task
-- @tparam[opt=2000] number most bytes, at most
-- @treturn string
function pool:tail(task, most)
  local uv = self.uv
  local file = uv.fs_open(task.output, "r", 0)
  if not file then return "" end
  local stat = uv.fs_fstat(file)
  local size = stat and stat.size or 0
  local from = math.max(task.printed or 0, size - (most or 2000))
  local text = size > from and uv.fs_read(file, size - from, from) or ""
  uv.fs_close(file)
  -- whole lines only
  if from > (task.printed or 0) then text = text:gsub("^[^\n]*\n", "", 1) end
  return (text:gsub("%s+$", ""))
end

return pool
