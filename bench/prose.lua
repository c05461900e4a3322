-- Sentences of docs/performance.md that quote figures, made of the results, so that they never contradict the tables.
local prose = {}

local function percent(x) return ("%.0f %%"):format(100 * x) end

local function milliseconds(x) return ("%.2f ms"):format(1e3 * x) end

-- "a, b and c"
local function enumerate(list, last)
  if #list < 2 then return list[1] or "" end
  return table.concat(list, ", ", 1, #list - 1) .. (last or " and ") .. list[#list]
end

local function named(records, field, name)
  for _, record in ipairs(records) do
    if record[field] == name then return record end
  end
end

-- ---- preconditioned conjugate gradients -----------------------------------------------------------------------------

local function range(lowest, highest, word)
  lowest, highest = ("%.0f"):format(100 * lowest), ("%.0f"):format(100 * highest)
  return lowest == highest and ("%s %% %s"):format(lowest, word) or ("%s to %s %% %s"):format(lowest, highest, word)
end

--- How much time K-FAC saves, to the residual of ten plain products, on each problem.
function prose.kfac(all)
  if not all.kfac then return "" end
  local order, savings = {}, {}
  for _, case in ipairs(all.kfac.results.cases) do
    local name = case.problem
    if not savings[name] then order[#order + 1], savings[name] = name, {} end
    table.insert(savings[name], 1 - case.seconds_there / case.seconds_ten)
  end
  local parts = {}
  for _, name in ipairs(order) do
    table.sort(savings[name])
    local lowest, highest = savings[name][1], savings[name][#savings[name]]
    local what
    if highest <= 0 then
      what = "it saves nothing and takes " .. range(-highest, -lowest, "longer")
    elseif lowest < 0 then
      what = ("it takes between %s more and %s less time"):format(percent(-lowest), percent(highest))
    else
      what = "it saves " .. range(lowest, highest, "of the time")
    end
    parts[#parts + 1] = ("on %s %s"):format(name, what)
  end
  return ("To that residual, %s."):format(enumerate(parts, ", and "))
end

-- ---- the critic -----------------------------------------------------------------------------------------------------

-- least seconds of an optimizer to a value, or nil, and the best that it reached
local function reaches(environment, optimizer, phase, goal)
  local least, best
  for _, point in ipairs(named(environment.curves, "name", optimizer).points) do
    local p = point.phases[phase]
    if p.held >= goal - 0.002 then least = math.min(least or math.huge, p.seconds) end
    best = math.max(best or p.held, p.held)
  end
  return least, best
end

--- Gauss-Newton beside Adam: the share of the time, or what it falls short by.
function prose.critic(all)
  local shares, short = {}, {}
  for _, environment in ipairs(all.critic and all.critic.results.environments or {}) do
    local of = {}
    for phase, name in ipairs(environment.phases) do
      local goal = environment.goal[phase].held
      local adam = reaches(environment, "adam", phase, goal)
      local ours, best = reaches(environment, "gauss_newton", phase, goal)
      local explains = goal >= 0.1 -- otherwise there is nothing to explain
      if explains and ours then
        of[#of + 1] = ("%s %s"):format(name, percent(ours / adam))
      elseif explains then
        short[#short + 1] = ("%s %s (%.3f of %.3f)"):format(environment.environment, name, best, goal)
      end
    end
    if #of > 0 then shares[#shares + 1] = ("on %s %s"):format(environment.environment, enumerate(of)) end
  end
  if #shares == 0 then return "" end
  local text = "Of the time that Adam needs to its own value, Gauss-Newton needs " .. table.concat(shares, "; ") .. "."
  if #short > 0 then text = ("%s It does not reach that value in: %s."):format(text, table.concat(short, ", ")) end
  return text
end

-- ---- why a bar is missed --------------------------------------------------------------------------------------------

local reasons = {}
prose.reasons = reasons

local function hopper(result, N)
  for _, r in ipairs(result and result.results.grid or {}) do
    if r.shape == "Hopper" and r.N == N and r.precision == "single" then return r end
  end
end

-- where an update of N rows spends its time
local function parts_of(all, N)
  local parts, product = hopper(all.update, N).parts, hopper(all.fisher, N)
  if not parts then return "" end
  local text = " Of our time, %s are conjugate gradients (whose first product costs %s more: the cached Jacobian), %s "
    .. "the gradient, %s the line search."
  return text:format(milliseconds(parts.cg), product and milliseconds(product.once[2]) or "some",
    milliseconds(parts.gradient), milliseconds(parts.linesearch))
end

local function peer(all, N)
  local text = "**sb3-contrib's `train()`, N = %d.** Ours is at %s of the classical limit on two threads; exactly at "
    .. "the limit the ratio would be %.0f. The peer's time on two threads varies between runs, and the ratio with it.%s"
  local r = hopper(all.update, N)
  return text:format(N, percent(r.share[2]), r.sb3.ratio / r.share[2], parts_of(all, N))
end

function reasons.peer_5000(all) return peer(all, 5000) end
function reasons.peer_50000(all) return peer(all, 50000) end

local BYTES = 1.3e3 -- of a row that a product with the cached Jacobian streams, 11-64-64-3 in single precision

--- One and two threads over many rows: the bytes of a product each second.
function reasons.threads(all)
  local text = "**Two threads, N = 50,000.** A product with the cached Jacobian streams about %.1f KB a row, %.0f MB "
    .. "in all, from memory: %.0f GB/s on one thread and %.0f GB/s on two%s. The cores share that bandwidth."
  local r, bandwidths = hopper(all.fisher, 50000), {}
  for _, sweep in ipairs(all.mdp and all.mdp.results.sweep or {}) do
    bandwidths[#bandwidths + 1] = sweep.threads == 2 and sweep.bandwidth / 1e9 or nil
  end
  table.sort(bandwidths)
  local bytes = BYTES * r.N
  return text:format(BYTES / 1e3, bytes / 1e6, bytes / r.seconds[1] / 1e9, bytes / r.seconds[2] / 1e9,
    #bandwidths > 0 and (", where reading alone made %.0f to %.0f GB/s (table of sweeps)"):format(bandwidths[1],
      bandwidths[#bandwidths]) or "")
end

--- The steps of a critic that are too small for threads.
function reasons.training(all)
  local text = "**Training at sb3-contrib's hyper-parameters.** The critic's 160 steps of Adam over 128 rows each, one "
    .. "after the other, leave threads little to share, so policy and critic learn beside each other: that takes %s of "
    .. "an iteration of %s, a rollout of one environment %s. Two threads train %.2f times as fast as one."
  local record = all.training.results.cases[1]
  local parts = record.parts
  local total = parts.rollout + parts.advantage + parts.beside
  return text:format(percent(parts.beside / total), milliseconds(total), percent(parts.rollout / total),
    record.steps_per_second[2] / record.steps_per_second[1])
end

--- A sweep beside the read bandwidth.
function reasons.sweep(all)
  local list = {}
  for _, r in ipairs(all.mdp.results.sweep) do
    list[#list + 1] = ("%s, threads %d: %.1f of %.1f GB/s"):format(r.name, r.threads, r.bytes / r.seconds / 1e9,
      r.bandwidth / 1e9)
  end
  return "**Backup of all states.** The bytes are those of the model, which is read in order, and of each value once. "
    .. "But the value of every successor is gathered, and in a Garnet successors lie anywhere, so each brings a cache "
    .. "line of its own. " .. table.concat(list, "; ") .. "."
end

--- Exact steps: whether the threads computed for so long, or waited for others' work.
function reasons.steps(all)
  local list = {}
  for _, r in ipairs(all.mdp_steps.results) do
    if r.name == "Algorithm 1" or r.name == "mean KL <= 0.01" then
      list[#list + 1] = ("%s, %s: %.2f s, in which each thread computed for %.2f s"):format(r.name, r.policy,
        r.seconds, r.cpu)
    end
  end
  return "**Exact steps.** Where a step takes longer than its threads computed, they waited: for a core that other "
    .. "work had, or one for the other. "
    .. table.concat(list, "; ") .. "."
end

return prose
