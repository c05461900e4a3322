--- What a sweep found: honest statistics of each cell, and the best one.
-- @module trpo.sweep.summary
local trpo = require "trpo"

local summary = {}

-- The number of a trial that counts: its metric when it is done and that is a finite number.
-- @tparam table trial
-- @treturn number|nil nil also for numbers beyond `trpo.stats.LARGEST`, whose sums may not be finite
function summary.score(trial)
  local x = trial.metric
  return trial.status == "done" and x and math.abs(x) <= trpo.stats.LARGEST and x or nil
end

-- the numbers of trials, and how many trials have none
local function scores_of(trials)
  local out, failed = {}, 0
  for _, trial in ipairs(trials) do
    local x = summary.score(trial)
    if x then
      out[#out + 1] = x
    elseif trial.status == "done" or trial.status == "failed" then
      failed = failed + 1
    end
  end
  return out, failed
end

-- standard deviation over trials, n - 1 in the denominator; nil for one
local function deviation(scores)
  if scores:nelement() < 2 then return nil end
  local off = scores - scores:mean()
  return math.sqrt((off * off):sum() / (scores:nelement() - 1))
end

-- one cell
local function row_of(cell)
  local list, failed = scores_of(cell.trials)
  local trial = cell.trials[1] or {}
  local row = { cell = cell.index, label = cell.label, params = cell.params, n = #list, failed = failed,
    rung = trial.rung, steps = trial.steps }
  if #list == 0 then return row end
  local scores = trpo.tensor(list)
  row.scores = scores
  row.iqm, row.median, row.mean = trpo.stats.iqm(scores), trpo.stats.median(scores), trpo.stats.mean(scores)
  -- one number says nothing about others
  if row.n > 1 then row.low, row.high = trpo.stats.interval(scores) end
  row.std, row.min, row.max = deviation(scores), scores:min(), scores:max()
  return row
end

-- The best of some rows: of those that came furthest, without failures where there are such, with the most trials;
-- then by IQM, of equal ones by the mean (at the largest return there is, the middle half of the runs says no more),
-- and then the first.
-- @tparam {table,...} rows `rung` (1 when there is none), `failed`, `n`, `iqm` (nil: not the best), `mean` (or nil)
-- @tparam string goal "maximize" or "minimize"
-- @tparam[opt] boolean pooled whether rows stand for different numbers of cells, so that failures and trials do not
--   count
-- @treturn number|nil index
-- @treturn number how many are as good as the best one, itself among them
function summary.best(rows, goal, pooled)
  local sign, best, equal = goal == "minimize" and -1 or 1, nil, 0
  local function before(a, b)
    if not b then return true end
    if (a.rung or 1) ~= (b.rung or 1) then return (a.rung or 1) > (b.rung or 1) end
    if not pooled and (a.failed == 0) ~= (b.failed == 0) then return a.failed == 0 end
    if not pooled and a.n ~= b.n then return a.n > b.n end
    if a.iqm ~= b.iqm then return sign * a.iqm > sign * b.iqm end
    return sign * (a.mean or 0) > sign * (b.mean or 0)
  end
  for i, row in ipairs(rows) do
    if row.iqm and before(row, rows[best]) then
      best, equal = i, 1
    elseif row.iqm and not before(rows[best], row) then
      equal = equal + 1
    end
  end
  return best, equal
end

-- Why a row with a better number is not the best: what the best one has before it.
-- @tparam {table,...} rows as for `best`
-- @tparam number|nil best index
-- @tparam string goal
-- @treturn string|nil "that came furthest", "without failures" or "with most runs"; nil when the best has the best
--   number
function summary.among(rows, best, goal)
  local chosen, sign, first = rows[best], goal == "minimize" and -1 or 1, nil
  for _, row in ipairs(rows) do
    if row.iqm and (not first or sign * row.iqm > sign * first.iqm) then first = row end
  end
  if not chosen or first.iqm == chosen.iqm then return nil end
  if (first.rung or 1) ~= (chosen.rung or 1) then return "that came furthest" end
  return first.failed > 0 and chosen.failed == 0 and "without failures" or "with most runs"
end

-- how probable a run of the best cell is better than one of another; NaN for cells without numbers, and for those that
-- were left behind after fewer steps
local function improvement(rows, best, sign)
  local out = {}
  for i, row in ipairs(rows) do
    if i == best then
      out[i] = 0.5
    elseif not row.scores or (row.rung or 1) ~= (rows[best].rung or 1) then
      out[i] = 0 / 0
    else
      out[i] = (trpo.stats.probability_of_improvement(rows[best].scores * sign, row.scores * sign))
    end
  end
  return out
end

--- Statistics of each cell over its seeds.
-- @tparam table sweep as `trpo.sweep.results.read` returns it
-- @treturn table { rows, best, equal, among, probability }. A row is { cell, label, params, n (finite results), failed,
--   rung, steps } and, when n > 0, scores (tensor [n]), iqm, low, high (its 95 % interval by stratified bootstrap),
--   median, mean, std, min, max; low, high and std are nil for one result. `best` is the index of the row with the best
--   IQM by the goal (of equal ones the best mean), among those that came furthest, without failures if there are such,
--   and with the most results; nil when nothing is done; `equal` is how many are as good as it, itself among them.
--   `among` is "that came furthest", "without failures" or "with most runs" when that keeps a better number from being
--   the best. `probability` has for each row how probable it is that a run of the best cell is better than one of that
--   row's (0.5 for itself, NaN where there are no results, or those of another rung).
function summary.of(sweep)
  local rows = {}
  for i, cell in ipairs(sweep.cells) do rows[i] = row_of(cell) end
  local sign = sweep.metric.goal == "minimize" and -1 or 1
  local best, equal = summary.best(rows, sweep.metric.goal)
  return { rows = rows, best = best, equal = equal, among = summary.among(rows, best, sweep.metric.goal),
    probability = best and improvement(rows, best, sign) or {} }
end

return summary
