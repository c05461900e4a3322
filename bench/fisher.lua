-- One Fisher-vector product, beside PyTorch's and against the peak of this machine's multiply-adds.
--
-- The limit is the time of the operations of the classical product, 8 P_W - 4 O 64 per row, at the peak that
-- bench/calibrate.c measures in turn with it. Ours is timed in bench/fisher.c: the product alone, over a batch whose
-- activations are kept; what an update does once for all its products stands beside it.
--
--   luajit bench/fisher.lua [short] [--save] [--no-peers] [--only SHAPE]
local learner = require "bench.learner"
local support = require "bench.support"

local short = support.arguments {
  about = "One Fisher-vector product, beside PyTorch's and the machine's limit.", peers = true, only = learner.names(),
}.short
local rounds, patience = short and 3 or 15, short and 0.2 or 3

-- ---- who takes part -------------------------------------------------------------------------------------------------

-- a function that times ours on so many threads, and where it leaves what is done once
local function ours(program, threads, calls, once)
  return function()
    local each, first = program.ask(threads .. " " .. calls):match "^(%S+) (%S+)"
    once[#once + 1] = tonumber(first)
    return tonumber(each)
  end
end

-- enough calls for the clock, few enough for patience
local function calls_of(seconds) return math.max(1, math.min(100, math.floor(0.01 / seconds))) end

local function theirs(torch, best)
  return function() return tonumber((torch.ask("product", best.form, best.threads, calls_of(best.seconds)))) end
end

-- the peer's best way, searched up to 5,000 rows and kept beyond
local searched = {}
local function choose(torch, shape, N, precision)
  torch.ask("make", shape.O, shape.A, learner.kind(shape), N, precision)
  local key = shape.name .. precision
  if N <= 5000 or not searched[key] then searched[key] = learner.best_of(torch, "product", 1) end
  return { form = searched[key].form, threads = searched[key].threads, seconds = searched[key].seconds * N / 1000 }
end

-- ---- one cell of the grid -------------------------------------------------------------------------------------------

local function cell(shape, N, precision, torch, calibrator)
  local problem = ("%d %d %s %d %s"):format(shape.O, shape.A, learner.kind(shape), N, precision)
  local program = support.program("fisher", problem)
  local each, form = program.ask("1 1"):match "^(%S+) %S+ (%l+)$"
  local calls = calls_of(assert(tonumber(each), "bench/fisher.c failed"))
  local once = { {}, {} }
  local parts = { ours(program, 1, calls, once[1]), ours(program, 2, calls, once[2]) }
  for threads = 1, 2 do parts[2 + threads] = function() return calibrator.limit(precision, threads) end end
  local best = torch and choose(torch, shape, N, precision)
  if torch then parts[5] = theirs(torch, best) end
  local medians = support.in_turn(parts, rounds, patience)
  program.close()
  local flops = N * learner.product_flops(shape)
  local record = { shape = shape.name, layers = learner.layers(shape), N = N, precision = precision, form = form,
    flops = flops,
    seconds = { medians[1], medians[2] }, once = { support.median(once[1]), support.median(once[2]) },
    peak = { medians[3], medians[4] },
    share = { flops / medians[1] / medians[3], flops / medians[2] / medians[4] } }
  if best then
    record.peer = { form = best.form, threads = best.threads, seconds = medians[5],
      ratio = medians[5] / math.min(medians[1], medians[2]) }
  end
  return record
end

local function row(r)
  local p = r.peer
  local once = r.once[1] -- no more than noise where nothing is prepared
  return { ("%s, N = %d, %s"):format(r.layers, r.N, r.precision), r.form, support.duration(r.seconds[1]),
    ("%.0f %%"):format(100 * r.share[1]), support.duration(r.seconds[2]), ("%.0f %%"):format(100 * r.share[2]),
    ("%.2f"):format(r.seconds[1] / r.seconds[2]), once > 0 and support.duration(once) or "-",
    p and ("%s (%s, %d)"):format(support.duration(p.seconds), p.form, p.threads) or "-",
    p and ("%.1f"):format(p.ratio) or "-" }
end

-- ---- the run --------------------------------------------------------------------------------------------------------

local calibrator = assert(support.calibrator(), "bench/calibrate.c is not built: make bench")
local torch = learner.torch()

local grid, checks = learner.grid(function(shape, N, precision)
  return cell(shape, N, precision, torch, calibrator)
end, function(shape)
  local list = {}
  for i, form in ipairs(torch and { "jacobian", "double" } or {}) do
    list[i] = { shape = shape.name, form = form, product = learner.check(torch, shape, form) }
    assert(list[i].product < 1e-10, "the peer's product is another one")
  end
  return list
end)

local rows = { { "Fisher-vector product", "form",
  "1 thread", "of limit", "2 threads", "of limit", "gain", "once", "PyTorch", "ratio" } }
for _, record in ipairs(grid) do rows[#rows + 1] = row(record) end
support.print(rows)
if torch then torch.close() end
calibrator.close()
support.save("fisher", { grid = grid, checks = checks, torch = torch and torch.version })
