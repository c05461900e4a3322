--- Which trials of a sweep come next: a function of the results on disk and of nothing else, so that every process
-- that works on a shared folder decides the same.
--
-- Successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943) trains every cell for a few steps, keeps the best
-- 1/factor of them, trains those for longer, and so on. A grid, a random and a Sobol sweep are the same with one rung.
-- @module trpo.sweep.halving
local summary = require "trpo.sweep.summary"
local trpo = require "trpo"

local halving = {}

--- The steps that a cell has been trained for at the end of each rung: min, min factor, min factor^2, ..., max.
-- @tparam number min steps of the first rung
-- @tparam number max steps of the last one
-- @tparam number factor
-- @treturn {number,...}
function halving.rungs(min, max, factor)
  local out, steps = {}, min
  while steps < max do
    out[#out + 1] = steps
    -- at least one step more, whatever the rounding does
    steps = math.max(steps + 1, math.floor(steps * factor))
  end
  out[#out + 1] = max
  return out
end

--- How many of some cells go on to the next rung: floor(n / factor), but at least one.
-- @tparam number n
-- @tparam number factor
-- @treturn number
function halving.kept(n, factor) return math.max(1, math.floor(n / factor)) end

-- what a cell has reached over its seeds, larger is better; nil when a trial of it failed or gave no finite number
local function worth(trials, sweep, how)
  local values = {}
  for i, trial in ipairs(trials) do
    values[i] = summary.score(trial)
    if not values[i] then return nil end
  end
  local scores = trpo.tensor(values)
  local value = how == "iqm" and trpo.stats.iqm(scores) or scores:mean()
  return sweep.metric.goal == "minimize" and -value or value
end

--- The cells that go on, best first; equal ones in the order of the cells. A cell with a trial that failed, or that
-- gave no finite metric, ranks last and does not go on.
-- @tparam table sweep `metric`, `description.halving`
-- @tparam {number,...} cells those of this rung, in order
-- @tparam table trials from cell to its finished trials of this rung, one for each seed
-- @treturn {number,...} in the order of the cells
function halving.promoted(sweep, cells, trials)
  local plan = sweep.description.halving
  local value, ranked = {}, {}
  for _, cell in ipairs(cells) do
    value[cell] = worth(trials[cell], sweep, plan.aggregate)
    if value[cell] then ranked[#ranked + 1] = cell end
  end
  table.sort(ranked, function(a, b)
    if value[a] ~= value[b] then return value[a] > value[b] end
    return a < b
  end)
  for i = #ranked, halving.kept(#cells, plan.factor) + 1, -1 do ranked[i] = nil end
  table.sort(ranked)
  return ranked
end

-- the trials of one rung, seed by seed, so that an early look sees all cells; by cell, and whether all are finished
local function rung_of(sweep, cells, rung, state, out)
  local by_cell, finished = {}, true
  for _, cell in ipairs(cells) do by_cell[cell] = {} end
  for i = 1, #sweep.seeds do
    for _, cell in ipairs(cells) do
      local trial = state(cell, i, rung)
      out[#out + 1], by_cell[cell][i] = trial, trial
      finished = finished and (trial.status == "done" or trial.status == "failed")
    end
  end
  return by_cell, finished
end

-- whether there is a result among some trials
local function is_begun(trials)
  for _, trial in ipairs(trials) do
    if trial.status == "done" or trial.status == "failed" then return true end
  end
  return false
end

-- how many trials are to come after a rung, as { [rung] = trials }, if no cell fails
local function ahead_of(sweep, rung, cells)
  local plan, out = sweep.description.halving, {}
  for later = rung + 1, plan and #plan.rungs or 1 do
    cells = halving.kept(cells, plan.factor)
    out[later] = cells * #sweep.seeds
  end
  return out
end

--- All trials that are known to belong to a sweep: those of the first rung, and of each rung that the one before it has
-- decided.
-- @tparam table sweep `description` (`halving`, or none for one rung), `cells`, `seeds`, `metric`
-- @tparam function state function(cell, i, rung) → the trial of a cell, the i-th seed and a rung, with `status` and
--   `metric`
-- @treturn {table,...} trials, rung by rung
-- @treturn {table,...} for each cell its trials of the highest rung in which one is finished (the first one when there
--   is none), one for each seed
-- @treturn table { [rung] = how many trials } of the rungs that are not decided yet
function halving.trials(sweep, state)
  local plan = sweep.description.halving
  local rungs = plan and #plan.rungs or 1
  local out, latest, ahead, cells = {}, {}, {}, {}
  for i in ipairs(sweep.cells) do cells[i] = i end
  for rung = 1, rungs do
    local by_cell, finished = rung_of(sweep, cells, rung, state, out)
    for cell, trials in pairs(by_cell) do
      if rung == 1 or is_begun(trials) then latest[cell] = trials end
    end
    if not finished then ahead = ahead_of(sweep, rung, #cells) end
    if rung == rungs or not finished then break end
    cells = halving.promoted(sweep, cells, by_cell)
    if #cells == 0 then break end
  end
  return out, latest, ahead
end

return halving
