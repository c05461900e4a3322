--- Shows a running sweep: one refreshing line on a terminal, one plain line per finished trial elsewhere.
-- @module trpo.sweep.bar
local progress = require "trpo.progress"
local summary = require "trpo.sweep.summary"
local trpo = require "trpo"

local bar = {}
bar.__index = bar

--- A display.
-- @tparam table opts `quiet` (nothing is shown), `out` (file), and what `trpo.progress.terminal` returns
-- @treturn Bar
function bar.new(opts)
  local self = { out = io.stderr, width = 80, finished_here = 0, seconds = 0, cost = 0, cells = {}, last = -math.huge }
  for key, value in pairs(opts) do self[key] = value end
  self.progress = progress.new { colour = self.colour, unicode = self.unicode, out = self.out }
  return setmetatable(self, bar)
end

-- what a cell has reached over the seeds that are finished, in the last rung that it has come to: a row for
-- `summary.best`
local function note(self, trial)
  if trial.status ~= "done" and trial.status ~= "failed" then return end
  local x, rung = summary.score(trial), trial.rung or 1
  local row = self.cells[trial.cell]
  if not row or row.rung < rung then
    row = { rung = rung, values = {}, n = 0, failed = 0 }
    self.cells[trial.cell] = row
  end
  if rung < row.rung then return end
  if not x then
    row.failed = row.failed + 1
    return
  end
  row.n = row.n + 1
  row.values[row.n] = x
  local values = trpo.tensor(row.values)
  row.iqm, row.mean = trpo.stats.iqm(values), trpo.stats.mean(values)
end

-- label and value of the best cell so far
local function best_of(self, sweep)
  local rows = {}
  for index in ipairs(sweep.cells) do rows[index] = self.cells[index] or {} end
  local best = summary.best(rows, sweep.metric.goal)
  if best then return sweep.cells[best].label, rows[best].iqm end
end

-- what a trial costs beside others: with halving the steps from where it goes on, or all of them when a function has
-- nothing to go on from
local function cost(sweep, rung)
  local plan = sweep.description.halving
  if not plan then return 1 end
  return plan.rungs[rung] - (sweep.description.kind == "experiment" and plan.rungs[rung - 1] or 0)
end

-- seconds that a trial took, without those of earlier rungs
local function taken(sweep, trial)
  local plan, seconds = sweep.description.halving, trial.seconds or 0
  return plan and seconds * cost(sweep, trial.rung) / plan.rungs[trial.rung] or seconds
end

-- The same for halving, rung by rung: the last ones may have fewer trials than there are processes.
local function left_of_rungs(self, work)
  local sweep = work.sweep
  local rest, pace = {}, self.seconds / self.cost
  for rung, count in pairs(sweep.ahead) do rest[rung] = count end
  for _, trial in ipairs(sweep.trials) do
    if trial.status ~= "done" and trial.status ~= "failed" then rest[trial.rung] = (rest[trial.rung] or 0) + 1 end
  end
  local seconds = 0
  for rung, count in pairs(rest) do
    local present = not sweep.ahead[rung]
    local rounds = present and (count - work.pool.running / 2) / work.jobs or math.max(1, count / work.jobs)
    seconds = seconds + pace * cost(sweep, rung) * math.max(0, rounds)
  end
  return seconds
end

-- seconds until all is done, guessed from the trials so far; nil before there is one
local function left(self, work)
  if self.finished_here == 0 then return nil end
  if work.sweep.description.halving then return left_of_rungs(self, work) end
  local counts = work.counts
  local rest = counts.total - counts.done - counts.failed
  -- by the time each took here, or by the pace of all who work on it, whichever is faster
  local alone = self.seconds / self.finished_here * (rest - work.pool.running / 2) / work.jobs
  local together = (trpo.now() - self.began) / self.finished_here * rest
  return math.max(0, math.min(alone, together))
end

local function line(self, work)
  local counts = work.counts
  local remaining = left(self, work)
  local label, value = best_of(self, work.sweep)
  local plan, trials = work.sweep.description.halving, work.sweep.trials
  local rung = plan and ("  rung %d/%d"):format(trials[#trials].rung, #plan.rungs) or ""
  local text = progress.fitting({
    ("done %d/%d%s"):format(counts.done, counts.total, rung), ("running %d"):format(work.pool.running),
    ("failed %d"):format(counts.failed), remaining and progress.duration(remaining) .. " left" or "-:-- left",
    label and ("best %s %s"):format(label, progress.number(value)) or nil,
  }, self.width - 1)
  -- name and bar take the columns that the numbers leave
  local room = self.width - 1 - #text
  local name = #work.sweep.name + 12 <= room and work.sweep.name .. "  " or ""
  local columns = math.min(20, room - #name - 2)
  local fraction = (counts.done + counts.failed) / math.max(1, counts.total)
  return name .. (columns >= 4 and self.progress:bar(columns, fraction) .. "  " or "") .. text
end

local function draw(self, work)
  self.out:write("\r", line(self, work), "\27[K")
  self.out:flush()
  self.drawn, self.last, self.pending = true, trpo.now(), nil
end

-- draws, but not more often than an eye can follow
local function refresh(self, work)
  if not self.terminal or self.quiet then return end
  if trpo.now() - self.last >= 0.05 then return draw(self, work) end
  self.pending = work
end

-- a line of its own, above the bar where there is one
local function say(self, text)
  if self.drawn then self.out:write "\r\27[K" end
  self.out:write(text, "\n")
  -- the bar is below again at once
  self.last = -math.huge
end

local function first_line(text) return tostring(text):match "^[^\n]*" end

--- Begins: trials that are done already count.
-- @tparam table work see `trpo.sweep.work`
function bar:begin(work)
  self.began = trpo.now()
  for _, trial in ipairs(work.sweep.trials) do
    -- of what is tried again the failure does not count
    if not work.retry[trial.key] then note(self, trial) end
  end
  refresh(self, work)
end

--- A trial has begun.
-- @tparam table trial
-- @tparam table work
function bar:started(_, work)
  -- several begin at once, and then nothing happens for long: the last one must be seen
  if self.terminal and not self.quiet then draw(self, work) end
end

--- A trial has its result.
-- @tparam table trial
-- @tparam table work
function bar:finished(trial, work)
  self.finished_here = self.finished_here + 1
  self.seconds = self.seconds + taken(work.sweep, trial)
  self.cost = self.cost + cost(work.sweep, trial.rung)
  note(self, trial)
  if self.quiet then return end
  if trial.exact_resume == false then
    say(self, ("resumed, but not with the same numbers: trial %s, see %s/output.txt"):format(trial.key, trial.dir))
  end
  if trial.status == "failed" then
    say(self, ("failed: %s seed %.0f: %s"):format(work.sweep.cells[trial.cell].label, trial.seed,
      first_line(trial.message)))
  end
  if self.terminal then return refresh(self, work) end
  if trial.status == "failed" then return end
  local counts, remaining = work.counts, left(self, work)
  local steps = trial.steps and ("  %.0f steps"):format(trial.steps) or ""
  say(self, ("done %d/%d  %s seed %.0f%s  %s %s  %.1f s  %s left"):format(counts.done, counts.total,
    work.sweep.cells[trial.cell].label, trial.seed, steps, work.sweep.metric.name, progress.number(trial.metric),
    trial.seconds or 0, progress.duration(remaining)))
end

--- A trial was given back without a result.
function bar:stopped(_, work)
  refresh(self, work)
end

--- A trial was killed and is tried again.
-- @tparam table trial
-- @tparam number signal
function bar:again(trial, signal)
  if not self.quiet then
    say(self, ("killed by signal %d, tried again: trial %s"):format(signal, trial.key))
  end
end

--- No more trials are started; those that run go on.
-- @tparam string message why
-- @tparam table work
function bar:stop(message, work)
  if self.quiet then return end
  say(self, ("no more trials are started, %d still running: %s"):format(work.pool.running, first_line(message)))
end

--- A signal came: the trials come to a stop.
-- @tparam string name of the signal
-- @tparam table work
function bar:signal(_, work)
  if self.quiet then return end
  if self.drawn then self.out:write "\n" end
  self.drawn, self.last = false, -math.huge
  local n = work.pool.running
  self.out:write(("trpo: %d %s to a stop (once more stops at once)\n"):format(n,
    n == 1 and "trial comes" or "trials come"))
end

--- A second has passed.
-- @tparam table work
function bar:tick(work)
  refresh(self, work)
end

--- Ends the display; the last state stays on the screen.
function bar:finish()
  if self.pending then draw(self, self.pending) end
  if self.drawn then self.out:write "\n" end
  self.out:flush()
  self.drawn = false
end

return bar
