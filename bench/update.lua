-- One policy update: gradient, 10 products of conjugate gradients on all data, line search with one trial.
--
-- Beside a PyTorch update of the same sums, and for Hopper's shape beside sb3-contrib's train() without its critic. The
-- limit is the time of the classical operations at the peak that bench/calibrate.c measures in turn with it.
--
--   luajit bench/update.lua [short] [--save] [--no-peers] [--only SHAPE]
local learner = require "bench.learner"
local support = require "bench.support"
local trpo = require "trpo"

local short = support.arguments {
  about = "One policy update, beside PyTorch's and sb3-contrib's.", peers = true, only = learner.names(),
}.short
local rounds, patience = short and 3 or 15, short and 0.2 or 3

-- The advantages are noise, so the full step may be refused; the line search gets one trial like any accepted step.
local algorithm = trpo.TRPO { delta = 0.01, cg_iters = 10, backtracks = 1 }

-- ---- who takes part -------------------------------------------------------------------------------------------------

-- a function that times ours on so many threads: several updates where one is short; `last` gets the update's info
local function ours(policy, batch, theta, threads, last)
  local calls
  return function()
    support.threads(threads)
    local seconds, n = 0, calls or 1
    for _ = 1, n do
      policy:set_theta(theta)
      local start = support.now()
      local info = algorithm:update(policy, batch)
      seconds = seconds + support.now() - start
      last.form = info.fisher_form
      for part, time in pairs(last.parts) do time[#time + 1] = info.seconds[part] end
    end
    calls = calls or math.max(1, math.min(20, math.floor(0.01 / seconds)))
    return seconds / n
  end
end

-- the peer's best way, searched up to 5,000 rows and kept beyond
local searched = {}
local function choose(torch, shape, N, precision)
  torch.ask("make", shape.O, shape.A, learner.kind(shape), N, precision)
  local key = shape.name .. precision
  if N <= 5000 or not searched[key] then searched[key] = learner.best_of(torch, "update") end
  return searched[key]
end

-- ---- one cell of the grid -------------------------------------------------------------------------------------------

local function cell(shape, N, precision, torch, sb3, calibrator)
  local policy, batch = learner.problem(shape, N, precision)
  local theta = policy:theta()
  local last = { {}, {} }
  for threads = 1, 2 do last[threads].parts = { gradient = {}, cg = {}, linesearch = {} } end
  local parts = {}
  for threads = 1, 2 do
    parts[threads] = ours(policy, batch, theta, threads, last[threads])
    parts[2 + threads] = function() return calibrator.limit(precision, threads) end
  end
  local best = torch and choose(torch, shape, N, precision)
  if torch then
    parts[#parts + 1] = function() return tonumber((torch.ask("update", best.form, best.threads))) end
  end
  local threads
  if sb3 then
    sb3.ask("make", shape.O, shape.A, N)
    threads = learner.best_threads(sb3, "update")
    parts[#parts + 1] = function() return tonumber((sb3.ask("update", threads))) end
  end
  local medians = support.in_turn(parts, rounds, patience)
  local fastest, flops = math.min(medians[1], medians[2]), N * learner.update_flops(shape)
  local record = { shape = shape.name, layers = learner.layers(shape), N = N, precision = precision,
    form = last[2].form, flops = flops, parts = {}, seconds = { medians[1], medians[2] },
    peak = { medians[3], medians[4] },
    share = { flops / medians[1] / medians[3], flops / medians[2] / medians[4] } }
  -- where two threads spend it
  for part, seconds in pairs(last[2].parts) do record.parts[part] = support.median(seconds) end
  if torch then
    record.torch = { form = best.form, threads = best.threads, seconds = medians[5], ratio = medians[5] / fastest }
  end
  if sb3 then
    record.sb3 = { threads = threads, seconds = medians[#medians], ratio = medians[#medians] / fastest }
  end
  return record
end

local function peer_cells(p, note)
  if not p then return "-", "-" end
  return ("%s (%s)"):format(support.duration(p.seconds), note), ("%.1f"):format(p.ratio)
end

local function row(r)
  local torch, torch_ratio = peer_cells(r.torch, r.torch and r.torch.form .. ", " .. r.torch.threads)
  local sb3, sb3_ratio = peer_cells(r.sb3, r.sb3 and r.sb3.threads)
  return { ("%s, N = %d, %s"):format(r.layers, r.N, r.precision), r.form, support.duration(r.seconds[1]),
    ("%.0f %%"):format(100 * r.share[1]), support.duration(r.seconds[2]), ("%.0f %%"):format(100 * r.share[2]),
    ("%.2f"):format(r.seconds[1] / r.seconds[2]), torch, torch_ratio, sb3, sb3_ratio }
end

-- ---- the run --------------------------------------------------------------------------------------------------------

local calibrator = assert(support.calibrator(), "bench/calibrate.c is not built: make bench")
local torch, sb3 = learner.torch(), learner.peer("peer_sb3", "sb3_contrib")

local grid, checks = learner.grid(function(shape, N, precision)
  local beside = shape.name == "Hopper" and precision == "single" and N >= 5000 and sb3 or nil
  -- PyTorch takes seconds for the largest ones
  local numeric = (N <= 5000 or precision == "single") and torch or nil
  return cell(shape, N, precision, numeric, beside, calibrator)
end, function(shape)
  local list = {}
  for i, form in ipairs(torch and { "jacobian", "double" } or {}) do
    list[i] = { shape = shape.name, form = form, step = select(2, learner.check(torch, shape, form)) }
    assert(list[i].step < 1e-6, "the peer's step is another one")
  end
  return list
end)

local rows = { { "policy update, 10 CG", "form", "1 thread", "of limit", "2 threads", "of limit", "gain",
  "PyTorch", "ratio", "sb3-contrib", "ratio" } }
for _, record in ipairs(grid) do rows[#rows + 1] = row(record) end
support.print(rows)
for _, process in pairs { calibrator, torch or nil, sb3 or nil } do process.close() end
support.save("update", { grid = grid, checks = checks, torch = torch and torch.version, sb3 = sb3 and sb3.version })
