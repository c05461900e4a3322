--- The learning curves of a sweep's cells: the IQM over the trials at each step, with its band.
-- @module trpo.report.curves
local groups = require "trpo.plots.groups"
local runs = require "trpo.runs"

local curves = {}

local STEPS, REWARD = "time/total_timesteps", "rollout/ep_rew_mean"

-- points of a curve, and of all curves of a page together
local most, budget = 100, 12000

-- those of some runs that have the steps and another column
local function with_column(list, name)
  local out = {}
  for _, run in ipairs(list) do
    if run.columns[STEPS] and run.columns[name] then out[#out + 1] = run end
  end
  return out
end

-- a curve with at most so many points, the first and the last one among them
local function thinned(curve, points)
  local n, names = #curve.x, { x = "steps", y = "iqm", low = "low", high = "high" }
  local out = { n = curve.count }
  for from, to in pairs(names) do
    local list, all = {}, curve[from] or {}
    for k = 1, math.min(n, points) do
      local i = n <= points and k or math.floor((k - 1) * (n - 1) / (points - 1) + 0.5) + 1
      list[k] = all[i] or 0 / 0
    end
    out[to] = list
  end
  return out
end

-- the curves of a column by index of the cell, or nil when no run has it
local function family(m, by_cell, name, points)
  local made, any = { name = name, cells = {} }, false
  for i, cell in ipairs(m.cells) do
    local list = with_column(by_cell[i], name)
    local curve = groups.curve({ label = cell.label, runs = list }, STEPS, name)
    if curve then
      made.cells[i], any = thinned(curve, points), true
    end
  end
  return any and made or nil
end

--- The curves of a sweep: of the metric where the trials log it, and of the return in training.
-- @tparam Model m
-- @treturn {table,...} list of { name, cells = { steps, iqm, low, high (lists), n } by index of the cell }
-- @treturn string|nil one sentence when the list is empty
function curves.of(m)
  local by_cell = {}
  for i, cell in ipairs(m.cells) do by_cell[i] = runs.of_trials(cell.trials) end
  local points = math.max(12, math.min(most, math.floor(budget / math.max(#m.cells, 1))))
  local list = { family(m, by_cell, m.metric, points) }
  if m.metric ~= REWARD then list[#list + 1] = family(m, by_cell, REWARD, points) end
  if #list > 0 then return list end
  local text = m.description.kind == "run"
    and "The trials are calls of a function, and none has written a progress.csv with %s or %s into its folder."
    or "No trial has logged %s or %s in a progress.csv yet."
  return list, text:format(m.metric, REWARD)
end

return curves
