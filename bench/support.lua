-- What the benchmarks share: timing, tables, results as JSON.
local json = require "trpo.json"
local peer = require "bench.peer"
local trpo = require "trpo"
local uv = require "luv"

local support = {}

--- Seconds of a clock that never goes back.
function support.now() return uv.hrtime() / 1e9 end

local function median(list)
  table.sort(list)
  local n = #list
  return n % 2 == 1 and list[(n + 1) / 2] or (list[n / 2] + list[n / 2 + 1]) / 2
end
support.median = median

--- Median seconds of each function in a list. Runs are interleaved A B B A, so that a slow spell of the machine
-- meets all of them; the first round is a warm-up.
function support.compare(functions, rounds)
  local times = {}
  for k = 1, #functions do times[k] = {} end
  for round = 0, rounds do
    for i = 1, #functions do
      local k = round % 2 == 0 and i or #functions + 1 - i
      local start = support.now()
      functions[k]()
      local seconds = support.now() - start
      if round > 0 then times[k][round] = seconds end
    end
  end
  for k = 1, #functions do times[k] = median(times[k]) end
  return times
end

--- Starts a program of bench/*.c with arguments (see bench/peer.lua), or nil when it is not built.
function support.program(name, arguments)
  local path = (os.getenv "TRPO_BUILD" or "build") .. "/bench/" .. name
  if not uv.fs_stat(path) then return nil end
  return peer.start(peer.quoted(path) .. " " .. (arguments or ""))
end

--- What this machine can do now, for shares of it: floating-point operations per second of multiply-adds, `single[n]`
-- and `double[n]`, and bytes per second of reads, `read[n]`, of n = 1 and 2 threads together (see bench/calibrate.c).
-- Every call measures anew. nil when bench/calibrate.c is not built (make bench builds it).
function support.calibrate(megabytes)
  local program = support.program("calibrate", tostring(megabytes or 256))
  if not program then return nil end
  local limit = {}
  for _, what in ipairs { "single", "double", "read" } do
    limit[what] = {}
    for threads = 1, 2 do limit[what][threads] = tonumber(program.ask(what .. " " .. threads)) end
  end
  program.close()
  return limit
end

--- Prints a table of strings with aligned columns; the first row is the header.
function support.print(rows)
  local width = {}
  for _, row in ipairs(rows) do
    for c, cell in ipairs(row) do width[c] = math.max(width[c] or 0, #tostring(cell)) end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for c, cell in ipairs(row) do
      cells[c] = c == 1 and ("%-" .. width[c] .. "s"):format(cell) or ("%" .. width[c] .. "s"):format(cell)
    end
    print("  " .. table.concat(cells, "   "))
  end
end

--- A batch for an `O`-`hidden`-`A` policy with normal observations, actions and advantages.
function support.synthetic(options)
  local rng = trpo.rng(options.seed or 1)
  local policy = trpo.policy {
    observation = trpo.space.box { shape = { options.O } },
    action = trpo.space.box { shape = { options.A } },
    hidden = options.hidden or { 64, 64 }, precision = options.precision, rng = rng,
  }
  local batch = trpo.batch {
    policy = policy,
    observations = trpo.randn(rng, options.N, options.O),
    actions = trpo.randn(rng, options.N, options.A),
    advantages = trpo.randn(rng, options.N),
  }
  return policy, batch
end

--- Facts about the machine and the build that a figure depends on.
function support.machine()
  local info = trpo.info()
  return { isa = info.isa, blas = info.blas, cores = #uv.cpu_info(), cpu = (uv.cpu_info()[1] or {}).model,
    version = trpo.VERSION }
end

--- Writes results to a file, bench/results/<name>.json if not told which.
function support.save(name, results, path)
  uv.fs_mkdir("bench/results", 493)
  local file = assert(io.open(path or "bench/results/" .. name .. ".json", "w"))
  assert(file:write(json.encode { machine = support.machine(), results = results }, "\n"))
  assert(file:close())
end

return support
