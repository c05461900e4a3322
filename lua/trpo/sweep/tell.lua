--- What a sweep says at its end: the table of cells, failures, numbers as JSON.
-- @module trpo.sweep.tell
local identity = require "trpo.sweep.identity"
local json = require "trpo.json"
local progress = require "trpo.progress"
local results = require "trpo.sweep.results"
local trpo = require "trpo"

local tell = {}

local counted = progress.count

-- characters of a text in UTF-8
local function length(text) return select(2, text:gsub("[^\128-\191]", "")) end

-- rows of a table with columns side by side, numbers to the right
local function aligned(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do widths[i] = math.max(widths[i] or 0, length(text)) end
  end
  local lines = {}
  for i, row in ipairs(rows) do
    local words = {}
    for j, text in ipairs(row) do
      local blanks = (" "):rep(widths[j] - length(text))
      words[j] = j == 1 and text .. blanks or blanks .. text
    end
    lines[i] = table.concat(words, "  "):match "^.*%S"
  end
  return lines
end

-- a table does not get longer than this
local most_rows = 40

-- rows of the summary, those of the best cells when there are many
local function shown_rows(sweep, found)
  local rows, sign = {}, sweep.metric.goal == "minimize" and -1 or 1
  for _, row in ipairs(found.rows) do rows[#rows + 1] = row end
  if #rows <= most_rows then return rows end
  table.sort(rows, function(a, b)
    local x, y = a.iqm and sign * a.iqm or -math.huge, b.iqm and sign * b.iqm or -math.huge
    if x ~= y then return x > y end
    return a.cell < b.cell
  end)
  for i = #rows, most_rows + 1, -1 do rows[i] = nil end
  return rows
end

-- how far a cell has come in successive halving, in steps; nothing for other sweeps
local function steps_of(sweep, row)
  local plan = sweep.description.halving
  return plan and ("%.0f"):format(plan.rungs[row.rung or 1]) or nil
end

--- The cells with their statistics, the best one marked.
-- @tparam table sweep as `trpo.sweep.results.read` returns it
-- @tparam table found of `trpo.sweep.summary`
-- @treturn string
function tell.table(sweep, found)
  local rows = { { sweep.metric.name, "runs", "IQM", "95 % interval", "median", "failed",
    sweep.description.halving and "steps" or nil } }
  local best = found.best and found.rows[found.best]
  for _, row in ipairs(shown_rows(sweep, found)) do
    rows[#rows + 1] = {
      (row == best and "* " or "  ") .. row.label, ("%d"):format(row.n), progress.short(row.iqm),
      row.low and ("[%s, %s]"):format(progress.short(row.low), progress.short(row.high)) or "-",
      progress.short(row.median), row.failed > 0 and ("%d"):format(row.failed) or "", steps_of(sweep, row),
    }
  end
  local lines = aligned(rows)
  if #found.rows > most_rows then lines[#lines + 1] = ("  ... and %d cells more"):format(#found.rows - most_rows) end
  if best then
    local among = found.among and (" (among the cells %s)"):format(found.among) or ""
    lines[#lines + 1] = ("best: %s, %s %s (interquartile mean of %s)%s"):format(best.label, sweep.metric.name,
      progress.short(best.iqm), counted(best.n, "run"), among)
  end
  return table.concat(lines, "\n")
end

-- a number, or its name where JSON has none
local function number(x)
  if x and (x ~= x or x == math.huge or x == -math.huge) then return x ~= x and "nan" or x > 0 and "inf" or "-inf" end
  return x
end

--- The summary as JSON.
-- @tparam table sweep
-- @tparam table found
-- @treturn string
function tell.json(sweep, found)
  local rows = {}
  for i, row in ipairs(found.rows) do
    rows[i] = { params = row.params, label = row.label, n = row.n, failed = row.failed, iqm = number(row.iqm),
      low = number(row.low), high = number(row.high), median = number(row.median), mean = number(row.mean),
      std = number(row.std), min = number(row.min), max = number(row.max), rung = row.rung,
      probability = number(found.probability[i]) }
  end
  return json.encode({
    name = sweep.name, dir = sweep.dir, metric = sweep.metric, trials = results.count(sweep), cells = json.list(rows),
    best = found.best and rows[found.best] or json.null,
  }, { order = { "name", "dir", "metric", "trials", "best", "cells" } })
end

--- How many trials stand how.
-- @tparam table sweep
-- @treturn string
function tell.counts(sweep)
  local count = results.count(sweep)
  return ("%s: %d of %d done, %d running, %d failed, %d waiting"):format(sweep.name, count.done, count.total,
    count.running, count.failed, count.waiting)
end

--- Says how many trials a script adds that is to extend a sweep.
-- @tparam table sweep as it is in its folder
-- @tparam table description the script's
-- @treturn string|nil nil when it adds none
function tell.added(sweep, description)
  if identity.compare(sweep.description, json.decode(json.encode(description))) ~= "extended" then return nil end
  local there, count = {}, 0
  for _, trial in ipairs(sweep.trials) do there[trial.id] = true end
  for _, cell in ipairs(description.cells) do
    for _, id in ipairs(cell.ids) do count = count + (there[id] and 0 or 1) end
  end
  if count == 0 then return nil end
  return ("the script has %s more, from when it is run again"):format(counted(count, "trial"))
end

--- Names the trials that failed, the first few of them.
-- @tparam table sweep
-- @treturn string|nil nil when there are none
function tell.failed(sweep)
  local failed = {}
  for _, trial in ipairs(sweep.trials) do
    if trial.status == "failed" then failed[#failed + 1] = trial end
  end
  if #failed == 0 then return nil end
  local lines = { ("%d of %s failed; --retry-failed runs %s again"):format(#failed, counted(#sweep.trials, "trial"),
    #failed == 1 and "it" or "them") }
  for i = 1, math.min(#failed, 10) do
    local trial = failed[i]
    lines[#lines + 1] = ("  %s seed %.0f: %s\n    %s/output.txt"):format(sweep.cells[trial.cell].label, trial.seed,
      (trial.message or "failed"):match "^[^\n]*", trial.dir)
  end
  if #failed > 10 then lines[#lines + 1] = ("  ... and %d more"):format(#failed - 10) end
  return table.concat(lines, "\n")
end

--- Says when another machine or version has run some trials.
-- @tparam table sweep
-- @treturn string|nil nil when all ran on such a one as this
function tell.foreign(sweep)
  local here, count, of = trpo.info(), 0, nil
  for _, trial in ipairs(sweep.trials) do
    local system = trial.status == "done" and trial.system
    if system and (system.isa ~= here.isa or system.blas ~= here.blas or system.version ~= here.version) then
      count, of = count + 1, of or system
    end
  end
  if count == 0 then return nil end
  return ("%s ran elsewhere (%s, %s, trpo %s; here %s, %s, %s): their numbers need not be those of this machine; "
    .. "'system' in result.json tells which"):format(counted(count, "trial"), tostring(of.isa), tostring(of.blas),
    tostring(of.version), here.isa, here.blas, here.version)
end

return tell
