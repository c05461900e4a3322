-- What the figures of docs/performance.md are held against: one row for each bar, with the value that was measured.
local prose = require "bench.prose"

local bars = {}

-- the record of a grid with these fields
local function find(result, fields)
  for _, record in ipairs(result and (result.results.grid or result.results.cases or result.results) or {}) do
    local fits = true
    for key, value in pairs(fields) do fits = fits and record[key] == value end
    if fits then return record end
  end
end

local function cell(result, shape, N, precision)
  return find(result, { shape = shape, N = N, precision = precision or "single" })
end

-- double over single, the worse of two sizes
local function double_over_single(result, threads)
  local worst
  for _, N in ipairs { 5000, 50000 } do
    local a, b = cell(result, "Hopper", N), cell(result, "Hopper", N, "double")
    if a and b then worst = math.max(worst or 0, b.seconds[threads] / a.seconds[threads]) end
  end
  return worst
end

local function share(result, shape, N)
  local r = cell(result, shape, N)
  return r and 100 * r.share[1]
end

local function gain(result)
  local r = cell(result, "Hopper", 50000)
  return r and r.seconds[1] / r.seconds[2]
end

local function update_ms(all, N)
  local r = cell(all.update, "Hopper", N)
  return r and 1e3 * r.seconds[2]
end

local function update_ratio(all, N)
  local r = cell(all.update, "Hopper", N)
  return r and r.sb3 and r.sb3.ratio
end

local function training(all, name)
  return find(all.training, { name = "CartPole-v1, " .. name })
end

-- the fastest rollout of CartPole written in some language, on one core
local function rollout(all, language)
  local best
  for _, r in ipairs(all.rollout and all.rollout.results or {}) do
    if r.env == language and r.name == "CartPole" and r.threads == 1 then
      best = math.max(best or 0, r.steps_per_second / 1e6)
    end
  end
  return best
end

local function most_allocations(all)
  local most
  for _, r in ipairs(all.process and all.process.results.allocations or {}) do
    most = math.max(most or 0, r.loop)
  end
  return most
end

-- the smallest share of the read bandwidth that a sweep on two threads has
local function sweep_share(all)
  local least
  for _, r in ipairs(all.mdp and all.mdp.results.sweep or {}) do
    if r.threads == 2 then least = math.min(least or math.huge, 100 * r.share) end
  end
  return least
end

-- seconds of an exact step, for the worse of two policies
local function exact_step(all, name)
  local most
  for _, r in ipairs(all.mdp_steps and all.mdp_steps.results or {}) do
    if r.name == name then most = math.max(most or 0, r.seconds) end
  end
  return most
end

local function logging_us(all, name)
  local r = find(all.logging, { name = name })
  return r and 1e6 * r.seconds
end

local AT_LEAST, AT_MOST = ">=", "<="

-- statement, where it is measured, format, kind, bar, value of all results, reason (see bench/prose.lua) of a miss
local list = {
  { "Fisher-vector product, 11-64-64-3, N = 5,000, single, one thread: of the classical limit", "fisher", "%.0f %%",
    AT_LEAST, 100, function(all) return share(all.fisher, "Hopper", 5000) end },
  { "the same, N = 50,000", "fisher", "%.0f %%", AT_LEAST, 80,
    function(all) return share(all.fisher, "Hopper", 50000) end },
  { "the same, 376-64-64-17, N = 5,000", "fisher", "%.0f %%", AT_LEAST, 70,
    function(all) return share(all.fisher, "Humanoid", 5000) end },
  { "policy update, 11-64-64-3, N = 5,000, single, two threads", "update", "%.2f ms", AT_MOST, 7,
    function(all) return update_ms(all, 5000) end },
  { "the same, N = 50,000", "update", "%.1f ms", AT_MOST, 75, function(all) return update_ms(all, 50000) end },
  { "sb3-contrib's `train()` without critic, at its best, over ours, N = 5,000", "update", "%.0f x", AT_LEAST, 35,
    function(all) return update_ratio(all, 5000) end, "peer_5000" },
  { "the same, N = 50,000", "update", "%.0f x", AT_LEAST, 35, function(all) return update_ratio(all, 50000) end,
    "peer_50000" },
  { "double over single precision: product, one thread, the worse of N = 5,000 and 50,000", "fisher", "%.2f", AT_MOST,
    2.3, function(all) return double_over_single(all.fisher, 1) end },
  { "the same: update, two threads", "update", "%.2f", AT_MOST, 2.3,
    function(all) return double_over_single(all.update, 2) end },
  { "two threads over one, N = 50,000: product", "fisher", "%.2f x", AT_LEAST, 1.85,
    function(all) return gain(all.fisher) end, "threads" },
  { "the same: update", "update", "%.2f x", AT_LEAST, 1.85, function(all) return gain(all.update) end, "threads" },
  { "training, CartPole-v1, at sb3-contrib's hyper-parameters, over sb3-contrib", "training", "%.0f x", AT_LEAST, 100,
    function(all)
      local r = training(all, "sb3-contrib's hyper-parameters")
      return r and r.sb3 and r.sb3.ratio
    end, "training" },
  { "training, CartPole-v1, our defaults", "training", "%.0f steps/s", AT_LEAST, 500000, function(all)
    local r = training(all, "defaults")
    return r and math.max(unpack(r.steps_per_second))
  end },
  { "`policy:act` of one observation from Lua, 4-64-64-2", "inference", "%.0f ns", AT_MOST, 300, function(all)
    local r = find(all.inference, { shape = "CartPole", N = 1, precision = "single" })
    return r and 1e9 * r.lua.act
  end },
  { "rollout, 64-64 tanh policy, CartPole in C, one core", "rollout", "%.1f M steps/s", AT_LEAST, 5,
    function(all) return rollout(all, "C") end },
  { "the same, CartPole written in Lua", "rollout", "%.1f M steps/s", AT_LEAST, 2,
    function(all) return rollout(all, "Lua") end },
  { "CartPole-v1 solved (475) from process start, median of 20 seeds", "threshold", "%.2f s", AT_MOST, 0.4,
    function(all)
      local r = find(all.threshold, { name = "CartPole-v1" })
      return r and r.median
    end },
  { "backup of all 10^6 states, two threads: of the read bandwidth, the worse of two models", "mdp", "%.0f %%",
    AT_LEAST, 80, sweep_share, "sweep" },
  { "V* of Garnet 10^6 x 4 x 5 to 1e-8, gamma 0.99, two threads", "mdp", "%.2f s", AT_MOST, 2, function(all)
    for _, r in ipairs(all.mdp and all.mdp.results.solve or {}) do
      if r.name == "Garnet 10^6 x 4 x 5" and r.gamma == 0.99 then return r.seconds end
    end
  end },
  { "exact step of Algorithm 1, 10^6 states x 4 actions, two threads", "mdp_steps", "%.2f s", AT_MOST, 0.6,
    function(all) return exact_step(all, "Algorithm 1") end, "steps" },
  { "the same, mean KL ≤ 0.01", "mdp_steps", "%.2f s", AT_MOST, 0.4,
    function(all) return exact_step(all, "mean KL <= 0.01") end, "steps" },
  { "logging an iteration, all files", "logging", "%.1f us", AT_MOST, 50,
    function(all) return logging_us(all, "a record") end },
  { "logging an episode", "logging", "%.2f us", AT_MOST, 1, function(all) return logging_us(all, "an episode") end },
  { "allocations of an iteration after the first, loop: rollout, advantages, update, critic", "process", "%g",
    AT_MOST, 0, most_allocations },
  { "cases with the same bits on one and two threads", "process", "%.0f %%", AT_LEAST, 100, function(all)
    local bits = all.process and all.process.results.bits
    return bits and 100 * bits.equal / bits.cases
  end },
}

local function met(kind, bar, x) return kind == AT_LEAST and x >= bar or kind == AT_MOST and x <= bar end

-- "met", or how far it is from that
local function verdict(kind, bar, x)
  if met(kind, bar, x) then return "met" end
  local part = kind == AT_LEAST and x / bar or bar / x
  return ("**missed**, %.0f %% of it"):format(100 * part)
end

--- The table: statement, benchmark, measured, bar, verdict.
function bars.rows(all)
  local rows = { { "what", "benchmark", "measured", "bar", "" } }
  for _, entry in ipairs(list) do
    local statement, name, format, kind, bar, value = unpack(entry)
    local x = value(all)
    rows[#rows + 1] = { statement, name, x and format:format(x) or "-",
      (kind == AT_LEAST and "≥ " or "≤ ") .. format:format(bar), x and verdict(kind, bar, x) or "" }
  end
  return rows
end

--- A paragraph for each missed bar, why.
function bars.reasons(all)
  local paragraphs, told = {}, {}
  for _, entry in ipairs(list) do
    local statement, _, _, kind, bar, value, reason = unpack(entry)
    local x = value(all)
    local missed = x and not met(kind, bar, x)
    if missed and not (reason and told[reason]) then
      local paragraph = reason and prose.reasons[reason](all)
      paragraphs[#paragraphs + 1] = paragraph or ("**%s**: not explained yet."):format(statement)
      told[reason or statement] = true
    end
  end
  return #paragraphs > 0 and table.concat(paragraphs, "\n\n") or "No bar is missed."
end

return bars
