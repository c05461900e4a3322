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

-- rows of the summary; when there are many those with the best numbers, and the best one in any case
local function shown_rows(sweep, found)
  local rows, sign = {}, sweep.metric.goal == "minimize" and -1 or 1
  for _, row in ipairs(found.rows) do rows[#rows + 1] = row end
  if #rows <= most_rows then return rows end
  local best = found.best and found.rows[found.best]
  table.sort(rows, function(a, b)
    -- it has come further, or has more runs, than cells with better numbers
    if (a == best) ~= (b == best) then return a == best end
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

-- How the numbers of a table are written: whole ones as they are, others with four significant digits, or as many as
-- tell different cells apart.
local function writer_of(found)
  local whole = true
  for _, row in ipairs(found.rows) do
    for _, name in ipairs { "iqm", "median", "low", "high" } do
      local x = row[name]
      whole = whole and (x == nil or x == math.floor(x) and math.abs(x) < 1e6)
    end
  end
  if whole then return function(x) return x and ("%.0f"):format(x) or "-" end end
  local function clear(digits)
    local seen = {}
    for _, row in ipairs(found.rows) do
      local text = progress.number(row.iqm, digits)
      local other = row.iqm and seen[text]
      -- but for what rounding makes
      if other and math.abs(other - row.iqm) > 1e-12 * math.abs(row.iqm) then return false end
      seen[text] = seen[text] or row.iqm
    end
    return true
  end
  local digits = 4
  while digits < 17 and not clear(digits) do digits = digits + 1 end
  return function(x) return progress.number(x, digits) end
end

--- The cells with their statistics, the best one marked.
-- @tparam table sweep as `trpo.sweep.results.read` returns it
-- @tparam table found of `trpo.sweep.summary`
-- @treturn string
function tell.table(sweep, found)
  local rows = { { sweep.metric.name, "runs", "IQM", "95 % interval", "median", "failed",
    sweep.description.halving and "steps" or nil } }
  local best, text = found.best and found.rows[found.best], writer_of(found)
  for _, row in ipairs(shown_rows(sweep, found)) do
    rows[#rows + 1] = {
      (row == best and "* " or "  ") .. row.label, ("%d"):format(row.n), text(row.iqm),
      row.low and ("[%s, %s]"):format(text(row.low), text(row.high)) or "-",
      text(row.median), row.failed > 0 and ("%d"):format(row.failed) or "", steps_of(sweep, row),
    }
  end
  local lines = aligned(rows)
  if #found.rows > most_rows then lines[#lines + 1] = ("  ... and %d cells more"):format(#found.rows - most_rows) end
  if best then
    local among = found.among and (" (among the cells %s)"):format(found.among) or ""
    local equal = found.equal > 1 and (", the first of %d equally good"):format(found.equal) or ""
    lines[#lines + 1] = ("best: %s, %s %s (interquartile mean of %s)%s%s"):format(best.label, sweep.metric.name,
      text(best.iqm), counted(best.n, "run"), among, equal)
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

--- Says which trials came to their end without a number for the metric, as runs do in which no episode has ended.
-- @tparam table sweep
-- @treturn string|nil nil when there is none
function tell.unscored(sweep)
  local count = 0
  for _, trial in ipairs(sweep.trials) do
    if trial.status == "done" and trial.metric == nil then count = count + 1 end
  end
  if count == 0 then return nil end
  return ("%d of %s came to the end before there was a number for %s; %s, and more steps would give one"):format(count,
    counted(#sweep.trials, "trial"), sweep.metric.name,
    sweep.description.halving and "their cells rank last and do not go on" or "they count as no result")
end

--- How many trials stand how.
-- @tparam table sweep
-- @treturn string
function tell.counts(sweep)
  local count, plan, last = results.count(sweep), sweep.description.halving, sweep.trials[#sweep.trials]
  local rung = plan and ("; rung %d of %d (%.0f steps)"):format(last.rung, #plan.rungs, last.steps) or ""
  return ("%s: %d of %d done, %d running, %d failed, %d waiting%s"):format(sweep.name, count.done, count.total,
    count.running, count.failed, count.waiting, rung)
end

--- Says what running the script again would do to a sweep: how many trials it adds, or why it does not go on.
-- @tparam table sweep as it is in its folder
-- @tparam table description the script's
-- @treturn string|nil nil when it is the same one
function tell.script(sweep, description)
  local state, found = identity.compare(sweep.description, json.decode(json.encode(description)))
  if state == "changed" then
    return ("the script is another one now, which does not go on with this sweep: %s"):format(table.concat(found, "; "))
  elseif state ~= "extended" then
    return nil
  end
  local there, count = {}, 0
  for _, trial in ipairs(sweep.trials) do there[trial.id] = true end
  for _, cell in ipairs(description.cells) do
    for _, id in ipairs(cell.ids) do count = count + (there[id] and 0 or 1) end
  end
  if count == 0 then return nil end
  return ("the script has %s more, from when it is run again"):format(counted(count, "trial"))
end

--- The trials that failed, those with the same first line together.
-- @tparam table sweep
-- @treturn {table,...} lists of trials with their `message`, one line, in the order of the first ones
-- @treturn number how many failed
function tell.by_message(sweep)
  local failed = {}
  for _, trial in ipairs(sweep.trials) do
    if trial.status == "failed" then failed[#failed + 1] = trial end
  end
  local groups, known = {}, {}
  for _, trial in ipairs(failed) do
    local message = (trial.message or "failed"):match "^[^\n]*"
    local group = known[message]
    if not group then
      group = { message = message }
      groups[#groups + 1], known[message] = group, group
    end
    group[#group + 1] = trial
  end
  return groups, #failed
end

-- as many messages as are told
tell.most_messages = 10

--- Names the trials of a group by the first of them.
-- @tparam table sweep
-- @tparam {table,...} group of `tell.by_message`
-- @treturn string e.g. "delta=0.1 seed 1 and 2 trials like it"
function tell.alike(sweep, group)
  local others = #group - 1
  return ("%s seed %.0f%s"):format(sweep.cells[group[1].cell].label, group[1].seed,
    others > 0 and (" and %s like it"):format(counted(others, "trial")) or "")
end

--- Names the trials that failed, those with the same message once, and the first few of them.
-- @tparam table sweep
-- @treturn string|nil nil when there are none
function tell.failed(sweep)
  local groups, failed = tell.by_message(sweep)
  if failed == 0 then return nil end
  local lines = { ("%d of %s failed; --retry-failed runs %s again"):format(failed, counted(#sweep.trials, "trial"),
    failed == 1 and "it" or "them") }
  for i = 1, math.min(#groups, tell.most_messages) do
    local group = groups[i]
    lines[#lines + 1] = ("  %s: %s\n    %s/output.txt"):format(tell.alike(sweep, group), group.message, group[1].dir)
  end
  if #groups > tell.most_messages then
    lines[#lines + 1] = ("  ... and %s more"):format(counted(#groups - tell.most_messages, "message"))
  end
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
