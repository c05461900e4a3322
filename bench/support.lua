-- What the benchmarks share: timing, tables, results as JSON.
local json = require "trpo.json"
local peer = require "bench.peer"
local trpo = require "trpo"
local uv = require "luv"

local support = {}

--- The value of an option among the arguments of the script ("--only Hopper"), true for one without a value, or nil.
function support.option(name)
  for i, given in ipairs(arg) do
    local value = arg[i + 1]
    if given == name then return value and not value:find "^%-%-" and value or true end
  end
end

--- Whether a run in seconds is wanted, to see that it works; its results are kept apart.
support.short = support.option "short" ~= nil

--- Seconds of a clock that never goes back.
function support.now() return uv.hrtime() / 1e9 end

local function median(list)
  table.sort(list)
  local n = #list
  return n % 2 == 1 and list[(n + 1) / 2] or (list[n / 2] + list[n / 2 + 1]) / 2
end
support.median = median

--- Medians of what each function of a list returns, usually seconds. They run in turn, A B B A, so that a slow spell of
-- the machine meets all of them; the first round is a warm-up. Ends after so many rounds, or when the clock says that
-- so many seconds (if given) have passed, but not before three of them.
function support.in_turn(functions, rounds, patience)
  local values, start = {}, support.now()
  for k = 1, #functions do values[k] = {} end
  for round = 0, rounds do
    for i = 1, #functions do
      local k = round % 2 == 0 and i or #functions + 1 - i
      local value = functions[k]()
      if round > 0 then values[k][round] = value end
    end
    if round >= 3 and patience and support.now() - start > patience then break end
  end
  for k = 1, #functions do values[k] = median(values[k]) end
  return values
end

--- The same for functions whose own time is wanted: median seconds of each.
function support.compare(functions, rounds, patience)
  local timed = {}
  for k, f in ipairs(functions) do
    timed[k] = function()
      local start = support.now()
      f()
      return support.now() - start
    end
  end
  return support.in_turn(timed, rounds, patience)
end

--- Starts a program of bench/*.c with arguments (see bench/peer.lua), or nil when it is not built.
function support.program(name, arguments)
  local path = (os.getenv "TRPO_BUILD" or "build") .. "/bench/" .. name
  if not uv.fs_stat(path) then return nil end
  return peer.start(peer.quoted(path) .. " " .. (arguments or ""))
end

--- Starts a program that tells what this machine can do at most (see bench/calibrate.c), or nil when it is not built.
-- `limit(what, threads)` is measured anew by every call: floating-point operations per second of multiply-adds in
-- "single" or "double", or bytes per second of "read". `close()` ends it.
function support.calibrator(megabytes)
  local program = support.program("calibrate", tostring(megabytes or 256))
  return program and {
    limit = function(what, threads) return tonumber(program.ask(what .. " " .. threads)) end,
    close = program.close,
  }
end

--- All limits at once, { single = { of one thread, of two }, double, read }, or nil without bench/calibrate.c.
function support.calibrate(megabytes)
  local calibrator = support.calibrator(megabytes)
  if not calibrator then return nil end
  local limits = {}
  for _, what in ipairs { "single", "double", "read" } do
    limits[what] = { calibrator.limit(what, 1), calibrator.limit(what, 2) }
  end
  calibrator.close()
  return limits
end

local printed = {}

--- Prints a table of strings with aligned columns; the first row is the header. What is saved later holds it, too.
function support.print(rows)
  printed[#printed + 1] = rows
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

--- A batch of N rows for an `O`-`hidden`-`A` policy with normal observations and advantages; normal actions, or
-- with `discrete` one of A.
function support.synthetic(options)
  local rng, A, N = trpo.rng(options.seed or 1), options.A, options.N
  local policy = trpo.policy {
    observation = trpo.space.box { shape = { options.O } },
    action = options.discrete and trpo.space.discrete(A) or trpo.space.box { shape = { A } },
    hidden = options.hidden or { 64, 64 }, precision = options.precision, rng = rng,
  }
  local observations = trpo.randn(rng, N, options.O)
  local batch = trpo.batch {
    policy = policy,
    observations = observations,
    actions = options.discrete and policy:act(observations) or trpo.randn(rng, N, A),
    advantages = trpo.randn(rng, N),
  }
  return policy, batch
end

--- "12.3 us", "1.23 ms", "1.23 s"
function support.duration(seconds)
  if seconds < 1e-3 then return ("%.1f us"):format(seconds * 1e6) end
  return seconds < 1 and ("%.2f ms"):format(seconds * 1e3) or ("%.2f s"):format(seconds)
end

local function path_of(name)
  local build = os.getenv "TRPO_BUILD" or "build"
  local folder = support.short and build .. "/bench/short" or "bench/results"
  os.execute("mkdir -p " .. peer.quoted(folder))
  return ("%s/%s.json"):format(folder, name)
end

--- The text of a file, or nil.
function support.read(path)
  local file = io.open(path)
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

--- The results that were saved under a name, or nil.
function support.saved(name)
  local text = support.read(path_of(name))
  return text and json.decode(text).results
end

--- Facts about the machine and the build that a figure depends on.
function support.machine()
  local info = trpo.info()
  return { isa = info.isa, blas = info.blas, cores = #uv.cpu_info(), cpu = (uv.cpu_info()[1] or {}).model,
    system = uv.os_uname().sysname .. " " .. uv.os_uname().machine, luajit = jit.version, version = trpo.VERSION,
    date = os.date "!%Y-%m-%d" }
end

--- Writes results, and the tables that were printed, to a file, bench/results/<name>.json if not told which; those of a
-- short run into the build folder.
function support.save(name, results, path)
  local file = assert(io.open(path or path_of(name), "w"))
  assert(file:write(json.encode { machine = support.machine(), tables = printed, results = results }, "\n"))
  assert(file:close())
end

return support
