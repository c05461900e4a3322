-- Exact solution of tabular MDPs: a sweep against the read bandwidth of the machine, optimal values to 1e-8
-- beside other packages, policy evaluation, exact policy steps. Everything that is compared is timed in turn.
--
--   make bench-mdp                      (peers: make bench-peers)
--
-- `grid`, what make bench runs, solves 10^4 to 10^7 states in a minute or two; the strongest peers take part at
-- gamma = 0.99, up to 10^5.
--
-- Peers solve the very same model to the same accuracy; where their values are further from ours than twice the
-- tolerance, the table says by how much. It has seconds and, in parentheses, the peer's time over ours on two threads.
local models = require "bench.mdp_models"
local peers = require "bench.mdp_peers"
local support = require "bench.support"
local trpo = require "trpo"

local options = support.arguments {
  about = "Exact solution of tabular MDPs, beside other packages.", words = { "short", "grid", "large" }, peers = true,
  only = { "sweep", "solve", "evaluate", "step" },
  options = { { "--model", "only models with this in their name" }, { "--json", "where the results go" } },
}
local short, grid, large = options.short, options.grid, options.large
local limit = grid and 5 or short and 10 or 30 -- seconds that a peer may take for one solution
local turns, seconds_each = grid and 3 or short and 2 or 9, grid and 2 or short and 1 or 8
local single_up_to = grid and 1e6 or math.huge
local most = trpo.threads()
local two = math.min(2, most)
local python = not short and not options.no_peers and peers.python() or nil
local results = { sweep = {}, solve = {}, evaluate = {}, step = {} }

-- Near 1 the discount factor leaves less: values of 1 / (1 - gamma) have rounding errors, which the peers cannot undo.
local function tolerance_at(gamma) return gamma > 0.999 and 1e-6 or 1e-8 end

local function duration(seconds)
  if not seconds then return "-" end
  if seconds < 1e-3 then return ("%.0f us"):format(seconds * 1e6) end
  return seconds < 1 and ("%.1f ms"):format(seconds * 1e3) or ("%.2f s"):format(seconds)
end

local function timed(threads, f, ...)
  trpo.threads(threads)
  local start = support.now()
  local result = assert(f(...))
  return support.now() - start, result
end

-- ---- a sweep against the read bandwidth -----------------------------------------------------------------------------

local function bench_sweep()
  local calibrate = support.calibrator(short and 64 or 512)
  if not calibrate then
    print "  the programs that measure a sweep are not built (make bench-mdp)"
    return
  end
  local rows = { { "sweep (backup of all states)", "threads", "time", "GB/s", "read bandwidth", "share" } }
  for _, case in ipairs(models.sweeps(short)) do
    local sweep = support.program("sweep", case.program)
    for threads = 1, two do
      local times, bandwidths, bytes = {}, {}, nil
      for round = 1, short and 3 or 15 do
        local time, moved = sweep.ask(tostring(threads)):match "^(%S+) (%S+)$"
        times[round], bytes = tonumber(time), tonumber(moved)
        bandwidths[round] = calibrate.limit("read", threads)
      end
      local time, bandwidth = support.median(times), support.median(bandwidths)
      local share = bytes / time / bandwidth
      results.sweep[#results.sweep + 1] = { name = case.name, threads = threads, seconds = time, bytes = bytes,
        bandwidth = bandwidth, share = share }
      rows[#rows + 1] = { case.name, threads, duration(time), ("%.1f"):format(bytes / time / 1e9),
        ("%.1f"):format(bandwidth / 1e9), ("%.0f %%"):format(100 * share) }
    end
    sweep.close()
  end
  calibrate.close()
  support.print(rows)
end

-- ---- optimal values, beside the peers -------------------------------------------------------------------------------

-- Those who take part: title, run() -> seconds or nil and why. Runs A B C, then C B A, and so on; the first is a
-- warm-up, unless it took so long that it must do.
local function in_turn(parts, rounds, patience)
  for _, part in ipairs(parts) do part.times, part.spent = {}, 0 end
  for round = 0, rounds do
    for i = 1, #parts do
      local part = parts[round % 2 == 0 and i or #parts + 1 - i]
      if not part.failed and part.spent < patience then
        local seconds, why = part.run()
        if seconds then
          part.spent = part.spent + seconds
          if round > 0 or seconds > patience / 4 then part.times[#part.times + 1] = seconds end
        else
          part.failed = why
        end
      end
    end
  end
  for _, part in ipairs(parts) do part.seconds = #part.times > 0 and support.median(part.times) or nil end
end

local function our_part(mdp, threads)
  local part = { title = ("ours, %d thread%s"):format(threads, threads == 1 and "" or "s") }
  function part.run()
    local seconds
    seconds, part.solution = timed(threads, mdp.solve, mdp, { tolerance = tolerance_at(mdp.gamma) })
    return seconds
  end
  return part
end

local function their_part(entry, folder, mdp)
  local process = peers.start(python, entry.name, folder, mdp.gamma, tolerance_at(mdp.gamma), limit)
  local part = { title = entry.title, version = process.version, close = process.close }
  if not process.version then part.failed = "fails" end
  function part.run()
    local seconds, iterations, difference = process.solve()
    if not seconds then return nil, iterations end
    part.iterations, part.difference = iterations, math.max(part.difference or 0, difference)
    return seconds
  end
  return part
end

-- "1.23 s (4.5)", with a note where it is less exact
local function their_cell(part, ours, gamma)
  if not part then return "" end
  if not part.seconds then return part.failed or "-" end
  local note = part.difference > 2 * tolerance_at(gamma) and (", off by %.0e"):format(part.difference) or ""
  return ("%s (%.2f%s)"):format(duration(part.seconds), part.seconds / ours.seconds, note)
end

-- whether a peer has a column
local function shown(entry) return not grid or entry.strong end

local function bench_case(case, gamma, rows)
  case.tired = case.tired or {}
  local mdp = case.make(gamma)
  local ours, single = our_part(mdp, two), mdp.S <= single_up_to and our_part(mdp, 1) or nil
  local parts, by_name, folder = { ours, single }, {}, nil
  if python and (not grid or mdp.S <= 1e5 and gamma == 0.99) then
    local solution = assert(mdp:solve { tolerance = tolerance_at(gamma) })
    folder = peers.export(mdp, solution.V)
    for _, entry in ipairs(peers.list) do
      local fits = grid and entry.strong or not grid and (not entry.grids or case.grid)
      if fits and not case.tired[entry.name] then
        by_name[entry.name] = their_part(entry, folder, mdp)
        parts[#parts + 1] = by_name[entry.name]
      end
    end
  end
  in_turn(parts, turns, seconds_each)
  local solution = ours.solution
  local alone = single and single.seconds
  local row = { case.name, ("%g"):format(gamma), duration(ours.seconds), duration(alone), solution.method,
    ("%.0f"):format(solution.sweeps or solution.iterations), ("%.0e"):format(solution.bound) }
  local record = { name = case.name, states = mdp.S, gamma = gamma, seconds = ours.seconds, seconds_1 = alone,
    method = solution.method, bound = solution.bound, iterations = solution.iterations, peers = {} }
  for _, entry in ipairs(peers.list) do
    local part = by_name[entry.name]
    if python and shown(entry) then row[#row + 1] = their_cell(part, ours, gamma) end
    if part then
      record.peers[entry.name] = { version = part.version, seconds = part.seconds, difference = part.difference,
        failed = part.failed }
      if part.seconds then
        record.ratio = math.min(record.ratio or math.huge, part.seconds / ours.seconds)
      end
      -- a peer that ran out of time is not asked again nearer to 1
      case.tired[entry.name] = part.failed and true
      part.close()
    end
  end
  row[#row + 1] = record.ratio and ("%.2f"):format(record.ratio) or "-"
  rows[#rows + 1], results.solve[#results.solve + 1] = row, record
  if folder then peers.remove(folder) end
end

local function bench_solve()
  local rows = { { "V* to 1e-8, 1e-6 at 0.9999", "gamma", two .. " threads", "1 thread", "method", "sweeps",
    "bound" } }
  for _, entry in ipairs(python and peers.list or {}) do
    if shown(entry) then table.insert(rows[1], entry.title) end
  end
  table.insert(rows[1], "best peer / ours")
  for _, case in ipairs(models.solves(short, large, grid)) do
    local wanted = not options.model or case.name:find(options.model, 1, true)
    for _, gamma in ipairs(wanted and case.gammas or {}) do
      bench_case(case, gamma, rows)
      io.stderr:write(".")
    end
  end
  io.stderr:write "\n"
  support.print(rows)
end

-- ---- evaluation and exact steps -------------------------------------------------------------------------------------

local function bench_pairs(title, records, cases)
  local rows = { { title, two .. " threads", "1 thread", "note" } }
  for _, case in ipairs(cases) do
    local parts = {}
    for i, threads in ipairs { two, 1 } do
      parts[i] = { run = function()
        local seconds, answer = timed(threads, case.run)
        case.answer = answer
        return seconds
      end }
    end
    in_turn(parts, short and 2 or 9, 20)
    records[#records + 1] = { name = case.name, seconds = parts[1].seconds, seconds_1 = parts[2].seconds }
    rows[#rows + 1] = { case.name, duration(parts[1].seconds), duration(parts[2].seconds), case.note(case.answer) }
  end
  support.print(rows)
end

local function bench_evaluate()
  local cases = {}
  for _, model in ipairs(models.evaluations(short)) do
    for _, gamma in ipairs(model.gammas) do
      local mdp = model.make(gamma)
      local pi = mdp:uniform_policy()
      cases[#cases + 1] = { name = ("%s, gamma %g"):format(model.name, gamma),
        run = function() return mdp:evaluate(pi, { tolerance = tolerance_at(gamma) }) end,
        note = function(e) return ("%s, bound %.0e"):format(e.method, e.bound) end }
    end
  end
  bench_pairs("policy evaluation to 1e-8: V, Q, A, rho", results.evaluate, cases)
end

local function bench_steps()
  local mdp = models.garnet(short and 1e4 or 1e6)(0.99)
  local pi = mdp:softmax_policy(trpo.randn(trpo.rng(1), mdp.S, mdp.A))
  local e = assert(mdp:evaluate(pi, { tolerance = tolerance_at(mdp.gamma) }))
  local cases = {}
  for _, step in ipairs {
    { "monotone" }, { "trust_region_mean", 0.01 }, { "trust_region_max", 0.01 }, { "monotone_mean_kl" },
    { "monotone_tv" }, { "natural", 0.01 },
  } do
    cases[#cases + 1] = { name = step[1], run = function()
      local new, info = trpo.mdp.step { method = step[1], delta = step[2], policy = pi, advantages = e.A, rho = e.rho,
        gamma = mdp.gamma }
      return new and info
    end, note = function(info)
      return ("%s, gain %.3g, KKT residual %.0e"):format(info.status, info.gain, info.kkt or 0 / 0)
    end }
  end
  bench_pairs(("one exact step, Garnet %d x %d, given A and rho"):format(mdp.S, mdp.A), results.step, cases)
end

-- ---- the bars -------------------------------------------------------------------------------------------------------

local function find(records, name, field, value)
  for _, record in ipairs(records) do
    if record.name == name and (not field or record[field] == value) then return record end
  end
end

local bars = {}
local function bar(statement, value, wanted, format, at_least)
  if not value then return end
  local met = at_least and value >= wanted or not at_least and value <= wanted
  bars[#bars + 1] = { statement, format:format(value), (at_least and ">= " or "<= ") .. format:format(wanted),
    met and "meets" or "MISSES" }
end

local function print_bars()
  bars[1] = { "bar", "measured", "limit", "" }
  local million = find(results.solve, models.name_of_garnet(1e6), "gamma", 0.99)
  bar("10^6 x 4 x 5, gamma 0.99, V* to 1e-8, two threads", million and million.seconds, 4, "%.2f s")
  bar("the same, the goal", million and million.seconds, 2, "%.2f s")
  for _, record in ipairs(results.sweep) do
    if record.threads == two and record.share then
      bar("sweep / read bandwidth, " .. record.name, 100 * record.share, 80, "%.0f %%", true)
    end
  end
  for _, record in ipairs(results.solve) do
    if record.ratio then
      bar(("best peer / ours, %s, gamma %g"):format(record.name, record.gamma), record.ratio, 1, "%.2f", true)
    end
    local mpi = record.peers.quantecon_mpi
    if record.name:find "^torus 200" and record.gamma >= 0.999 and mpi and mpi.seconds then
      bar(("QuantEcon MPI / ours, %s, gamma %g"):format(record.name, record.gamma), mpi.seconds / record.seconds, 10,
        "%.1f", true)
    end
  end
  local monotone, region = find(results.step, "monotone"), find(results.step, "trust_region_mean")
  bar("exact Algorithm-1 step, 10^6 x 4, two threads", monotone and monotone.seconds, 0.6, "%.2f s")
  bar("exact mean-KL step, 10^6 x 4, two threads", region and region.seconds, 0.4, "%.2f s")
  support.print(bars)
end

-- ---- the run --------------------------------------------------------------------------------------------------------

local machine = support.machine()
print(("  trpo %s, %s, %d cores, %s"):format(machine.version, machine.cpu, machine.cores,
  python and "peers from " .. python or "no peers (make bench-peers)"))

for _, part in ipairs { { "sweep", bench_sweep }, { "solve", bench_solve }, { "evaluate", bench_evaluate },
  { "step", bench_steps } } do
  local wanted = not grid or part[1] == "sweep" or part[1] == "solve"
  if wanted and (not options.only or options.only == part[1]) then part[2]() end
end
if not grid and not short then
  print_bars()
  results.bars = bars
end
trpo.threads(most)
support.save(grid and "mdp" or "mdp_full", results, options.json)
