--- Works off the trials of a sweep: takes what nobody works on, runs it, tries again what was killed, and waits for
-- what others run.
--
-- Nothing is looked at over and over but the few trials that other processes hold, once a second and only when nothing
-- else is left to take.
-- @module trpo.sweep.work
local claims = require "trpo.sweep.claims"
local disk = require "trpo.disk"
local pool = require "trpo.sweep.pool"
local results = require "trpo.sweep.results"
local rock = require "trpo.rocks"
local trial = require "trpo.sweep.trial"

local work = {}
work.__index = work

--- So many times in a row a trial may be killed before it counts as failed.
work.deaths = 3

--- After so many trials that failed as they did not report the metric, and none that did, the sweep stops.
work.nameless = 3

-- seconds after which at the latest it is tried again whether a run's folder is free
local longest_pause = 60

-- what stands for the endings of a child that are no results
local ends = trial.codes

-- ---- what is left ------------------------------------------------------------------------------

-- the queue keeps its end, as what was taken from its beginning is gone
local function put(self, entry)
  self.last = self.last + 1
  self.queue[self.last] = entry
end

-- puts the trials that have no result yet into the queue, and when asked those that failed
local function enqueue(self, retry)
  self.counts = { total = results.count(self.sweep).total, done = 0, failed = 0 }
  for _, entry in ipairs(self.sweep.trials) do
    local again = retry and entry.status == "failed"
    if again then self.retry[entry.key] = entry.attempt or 0 end
    if entry.status == "done" or entry.status == "failed" and not again then
      self.counts[entry.status] = self.counts[entry.status] + 1
      self.without_metric = self.without_metric + (entry.code == "metric" and 1 or 0)
    elseif (not self.only or entry.key == self.only) and not self.given_back[entry.key] then
      put(self, entry)
    end
  end
end

-- reads the result of a trial, if it has one that counts
local function has_result(self, entry)
  local result = results.outcome(self.sweep.description, entry)
  if not result or result.status == "failed" and result.attempt == self.retry[entry.key] then return false end
  -- of an earlier failure nothing stays
  entry.message, entry.code, entry.exact_resume = nil, nil, nil
  for key, value in pairs(result) do entry[key] = value end
  entry.metric = entry.metrics[self.sweep.metric.name]
  return true
end

-- no more trials are started; the first reason is the one that is told
local function stop(self, reason)
  if self.stopping then return end
  self.stopping = reason
  if self.pool.running > 0 then self.view:stop(reason.message, self) end
end

-- counts a trial that has its result
local function finished(self, entry)
  local counts = self.counts
  counts[entry.status] = counts[entry.status] + 1
  if entry.code == "metric" then
    self.without_metric = self.without_metric + 1
    if counts.done == 0 and counts.failed == self.without_metric and counts.failed >= work.nameless then
      stop(self, { message = entry.message, code = "metric" })
    end
  end
  self.view:finished(entry, self)
end

-- the process that runs a trial which is ours now
local function task_of(self, entry, claim)
  local task = self.command(entry, claim.attempt)
  task.trial, task.claim, task.output = entry, claim, entry.dir .. "/output.txt"
  self.uv.fs_mkdir(entry.dir, 493) -- 0755
  -- the failure that is tried again is no result any more
  if self.retry[entry.key] then
    self.uv.fs_unlink(entry.dir .. "/" .. results.file(self.sweep.description, entry.rung))
  end
  return task
end

-- takes a trial of the queue: a task, or nil when it has its result or is another's
local function take(self, entry)
  local claim, message, code = self.claims:take(entry.key)
  if code == "io" then
    stop(self, { message = message, code = code })
    return nil
  end
  -- only now it is certain that nobody is about to finish it
  if has_result(self, entry) then
    if claim then self.claims:finish(claim) end
    finished(self, entry)
    return nil
  end
  if claim then return task_of(self, entry, claim) end
  self.others[entry.key] = entry
end

-- the next trial to be started, or nil
local function next_task(self)
  while not self.stopping do
    if #self.again > 0 then return table.remove(self.again) end
    local entry = self.queue[self.head]
    if not entry then return nil end
    self.queue[self.head], self.head = nil, self.head + 1
    local task = take(self, entry)
    if task then return task end
  end
end

-- whether it is too early to try a trial again
local function is_put_off(self, key) return self.put_off[key] ~= nil and os.time() < self.put_off[key].till end

-- looks at what other processes hold: results are counted, what was given up is taken
local function look_at_others(self)
  for key, entry in pairs(self.others) do
    if has_result(self, entry) then
      self.others[key] = nil
      finished(self, entry)
    elseif not self.claims:owner(key) and not is_put_off(self, key) then
      self.others[key] = nil
      put(self, entry)
    end
  end
end

-- ---- how a trial ended -------------------------------------------------------------------------

local function give_back(self, task)
  self.claims:release(task.claim)
  self.given_back[task.trial.key] = true
  self.view:stopped(task.trial, self)
end

-- Who had the trial before seemed dead and is not, or not quite: it is tried again later, and ever less often.
local function put_off(self, task)
  local key, now = task.trial.key, os.time()
  local last = self.put_off[key]
  local pause = last and math.min(2 * last.pause, longest_pause) or 1
  self.put_off[key] = { pause = pause, till = now + pause }
  self.claims:release(task.claim)
  self.others[key] = task.trial
end

-- records a trial as failed; where even that fails, the sweep stops
local function fail(self, task, ending, message, code)
  local ok, why, io_code = trial.record(task.trial, self.sweep.description, {
    status = "failed", metrics = {}, seconds = ending.seconds, attempt = task.claim.attempt, message = message,
    code = code,
  })
  if not ok then
    stop(self, { message = ("%s; the trial failed with: %s"):format(why, message), code = io_code })
    give_back(self, task)
    return
  end
  self.claims:finish(task.claim)
  has_result(self, task.trial)
  finished(self, task.trial)
end

-- a process that was killed: again, unless it was killed too often
local function killed(self, task, ending, signal)
  local key = task.trial.key
  self.deaths[key] = (self.deaths[key] or 0) + 1
  if self.deaths[key] >= work.deaths then
    local printed = self.pool:tail(task)
    fail(self, task, ending, ("killed by signal %d, %d times in a row%s%s"):format(signal, work.deaths,
      #printed > 0 and "\n" or "", printed), "killed")
    return
  end
  local claim = self.claims:again(task.claim)
  if not claim then
    self.others[key] = task.trial
    return
  end
  self.again[#self.again + 1] = task_of(self, task.trial, claim)
  self.view:again(task.trial, signal)
end

-- what a trial said at its end: its own last message, or whatever it printed last
local function last_words(self, task, ending)
  local printed = self.pool:tail(task)
  local said = ("\n" .. printed):match ".*\ntrpo: (.*)$" or #printed > 0 and printed
  if said then return said end
  -- what it says about a folder that is gone is gone with it
  return ending.code == ends.io and ("cannot write in %s"):format(task.trial.dir)
    or ("exit code %d without a word"):format(ending.code)
end

-- The signal that ended a process, if one did. The interpreter makes an error of an interruption that comes while it
-- loads us.
local function signal_of(self, task, ending)
  if ending.signal ~= 0 then return ending.signal end
  if ending.code > 128 then return ending.code - 128 end
  local first = ending.code == 1 and self.pool:tail(task):match "^[^\n]*" or ""
  -- it may have been started by another program of its name
  return first:match "^([^:]*):.*interrupted!$" and first:match "([^/:]*):" == task.file:match "[^/]*$" and 2 or nil
end

local function ended(self, task, ending)
  self.tasks[task] = nil
  if ending.message then
    stop(self, { message = ending.message, code = "spawn" })
    return give_back(self, task)
  end
  -- another host took it, as we seemed dead
  if task.lost or self.claims:is_lost(task.claim) then
    self.claims:finish(task.claim)
    self.others[task.trial.key] = task.trial
    return
  end
  if has_result(self, task.trial) then
    self.claims:finish(task.claim)
    return finished(self, task.trial)
  end
  local signal = signal_of(self, task, ending)
  if signal and self.stopping and self.stopping.signal then return give_back(self, task) end
  if signal then return killed(self, task, ending, signal) end
  if ending.code == ends.busy then return put_off(self, task) end
  local message = last_words(self, task, ending)
  -- neither is the trial's fault
  local reason = ending.code == ends.changed and "changed" or ending.code == ends.io and "io"
  if not reason then return fail(self, task, ending, message, "error") end
  stop(self, { message = message, code = reason })
  give_back(self, task)
end

-- ---- the loop ----------------------------------------------------------------------------------

-- goes on to the next rung of a halving when one is complete: the sweep and its queue are made anew from the disk;
-- returns whether there is more to do
local function advance(self)
  if not self.sweep.description.halving or self.only then return false end
  local sweep, message, code = results.read(self.sweep.dir)
  if not sweep then
    stop(self, { message = message, code = code })
    return false
  end
  self.sweep, self.queue, self.head, self.last, self.without_metric = sweep, {}, 1, 0, 0
  enqueue(self, false)
  return self.last > 0
end

-- whether all is done that can be done, the next rung of a halving included, which begins here
local function comes_to_end(self)
  if self.pool.running > 0 or #self.again > 0 then return false end
  if self.stopping then return true end
  if self.queue[self.head] then return false end
  if self.only then return true end
  return next(self.others) == nil and not advance(self)
end

local function fill(self)
  self.pool:fill()
  -- what was all to be had may be more now
  while not comes_to_end(self) and self.pool.running == 0 and self.queue[self.head] do self.pool:fill() end
  self.over = comes_to_end(self)
end

local function beat(self)
  for _, claim in ipairs(self.claims:beat()) do
    for task in pairs(self.tasks) do
      if task.claim == claim then
        task.lost = true
        self.pool:kill(task)
      end
    end
  end
end

-- once a second
local function tick(self)
  -- by the clock on the wall, which does not stop while we do; it may be set back
  local now = os.time()
  if math.abs(now - self.beaten) >= self.heartbeat then
    self.beaten = now
    beat(self)
  end
  if not self.queue[self.head] and not self.stopping then look_at_others(self) end
  fill(self)
  self.view:tick(self)
end

-- the first signal lets the trials come to a stop, the second one ends all at once
local function on_signal(self, name, number)
  if self.stopping and self.stopping.signal then
    self.pool:kill()
    for _, handle in ipairs(self.handles) do handle:stop() end
    self.uv.kill(self.uv.os_getpid(), number)
  end
  -- a reason that is there already is not as good as this one
  self.stopping = { signal = number, name = name }
  self.view:signal(name, self)
  for _, task in ipairs(self.again) do give_back(self, task) end
  self.again = {}
  self.pool:stop()
  self.over = comes_to_end(self)
end

local function open_handles(self)
  local uv = self.uv
  for name, number in pairs { sigint = 2, sigterm = 15 } do
    local handle = uv.new_signal()
    handle:start(name, function() on_signal(self, name:upper(), number) end)
    self.handles[#self.handles + 1] = handle
  end
  local timer = uv.new_timer()
  timer:start(1000, 1000, function() tick(self) end)
  self.handles[#self.handles + 1] = timer
end

local function close_handles(self)
  for _, handle in ipairs(self.handles) do handle:close() end
  -- lets them go
  self.uv.run "nowait"
end

-- where processes of trials begin and end
local function pool_of(self)
  return pool.new {
    jobs = self.jobs,
    next = function() return next_task(self) end,
    started = function(task, pid)
      self.tasks[task] = true
      self.claims:runs(task.claim, pid)
      self.view:started(task.trial, self)
    end,
    ended = function(task, ending) ended(self, task, ending) end,
  }
end

-- the work on a sweep before it begins
local function new(o, claimed)
  local self = {
    uv = rock("luv", "trpo sweep"), sweep = o.sweep, claims = claimed, jobs = o.jobs, command = o.command,
    view = o.view, only = o.only, heartbeat = o.heartbeat or claims.heartbeat,
    -- what is left; what others hold; what is to be started next
    queue = {}, head = 1, last = 0, others = {}, again = {},
    -- by key: the attempt that failed and is tried again; how often a trial was killed; what we could not finish;
    -- what is to be tried again later
    retry = {}, deaths = {}, given_back = {}, put_off = {},
    tasks = {}, handles = {}, beaten = os.time(), without_metric = 0,
  }
  self.pool = pool_of(self)
  return self
end

-- how the work ended
local function outcome(self)
  local counts, stopping = self.counts, self.stopping or {}
  return {
    total = counts.total, done = counts.done, failed = counts.failed, signal = stopping.signal,
    stopped = stopping.message and stopping or nil, held = self.only and next(self.others) ~= nil or nil,
  }
end

--- Works until all trials have their results, or until something ends it.
-- @tparam table o `sweep` (as `trpo.sweep.results.read` returns it), `jobs` (processes at a time), `command` =
--   function(trial, attempt) → { file, args, env, input }, `view` (see `trpo.sweep.bar`), `only` (key of the one trial
--   that is wanted), `retry` (true: those that failed, too), `heartbeat` (seconds between two signs of life; nil: as
--   `trpo.sweep.claims` says)
-- @treturn table|nil { total, done, failed, signal (number, when one ended it), stopped { message, code } (when
--   something else did), held (with `only`: who works on it) }
-- @treturn string|nil message
-- @treturn string|nil code
function work.run(o)
  local claimed, message, code = claims.open(o.sweep.dir, true)
  if not claimed then return nil, message, code end
  local self = new(o, claimed)
  if self.uv.fs_mkdir(o.sweep.dir .. "/trials", 493) then disk.sync(o.sweep.dir) end
  enqueue(self, o.retry)
  open_handles(self)
  self.view:begin(self)
  fill(self)
  while not self.over do
    self.uv.run "once"
    if not self.over then fill(self) end
  end
  close_handles(self)
  self.view:finish()
  return outcome(self)
end

return work
