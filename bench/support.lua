-- What the benchmarks share: timing, tables, results as JSON.
local argparse = require "argparse"
local json = require "trpo.json"
local peer = require "bench.peer"
local trpo = require "trpo"
local uv = require "luv"

local support = {}

-- what an option must be
local function number(text)
  local value = tonumber(text)
  if value then return value end
  return nil, ("'%s' is not a number"):format(text)
end

-- the parser of a script, see below
local function parser_of(script)
  local parser = argparse("luajit " .. arg[0], script.about):help_description_margin(28)
  local words = script.words or { "short" }
  parser:argument("words", "short: in seconds, to see that it works"):argname("[WORD]"):args("*"):choices(words)
    :hidden(#words == 0)
  if script.saves ~= false then
    parser:flag("--save", "keep the results in bench/results, which docs/performance.md is made of")
  end
  if script.peers then parser:flag("--no-peers", "measure ours alone") end
  if script.only then parser:option("--only", "a part of it", nil):argname("NAME"):choices(script.only) end
  for _, option in ipairs(script.options or {}) do
    local flag, help, is_number = unpack(option)
    local made = parser:option(flag, help):argname(is_number and "N" or "TEXT")
    if is_number then made:convert(number) end
  end
  for _, flag in ipairs(script.flags or {}) do parser:flag(flag[1], flag[2]) end
  function parser:error(message)
    io.stderr:write(self:get_usage(), "\n\n", arg[0], ": ", message, "\n")
    os.exit(2)
  end
  return parser
end

--- Reads the arguments of a script, which wrong ones and --help end. `about` says what it measures. It takes the word
-- `short`, or others of a list `words`; --save unless `saves` is false; --no-peers with `peers`; --only with one of the
-- names of a list `only`; `options`, each { flag, help, whether it is a number }; `flags`, each { flag, help }.
-- Returns what was given by name, with a field for each word. What measures a part or something else is not saved.
function support.arguments(script)
  local given = parser_of(script):parse(arg)
  for _, word in ipairs(given.words) do given[word] = true end
  local other = given.short and "short" or given.only and "--only"
  for _, option in ipairs(script.options or {}) do
    if given[option[1]:match "%-%-(.*)"] then other = option[1] end
  end
  if given.save and other then parser_of(script):error(("--save is for whole runs, not with %s"):format(other)) end
  support.given, support.short = given, given.short
  return given
end

--- Seconds of a clock that never goes back.
function support.now() return uv.hrtime() / 1e9 end

local function median(list)
  table.sort(list)
  local n = #list
  return n % 2 == 1 and list[(n + 1) / 2] or (list[n / 2] + list[n / 2 + 1]) / 2
end
support.median = median

--- Sets the number of threads, and lets a new one find a core of its own before anything is timed: the system may take
-- some milliseconds of work to give it one.
function support.threads(n)
  if trpo.threads() == n then return end
  trpo.threads(n)
  local policy, batch = support.synthetic { O = 11, A = 3, N = 4096 }
  local start = support.now()
  repeat policy:forward(batch.observations) until support.now() - start > 0.04
end

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
  local folder = build .. (support.short and "/bench/short" or "/bench/results")
  if support.given.save then folder = "bench/results" end
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

-- the commit of the sources, with a plus when they were changed since; nil outside of a repository
local function commit()
  local pipe = io.popen [[git rev-parse --short=8 HEAD 2>/dev/null &&
    git diff --quiet HEAD -- src lua Makefile 'bench/*.lua' 'bench/*.c' 'bench/*.py' || echo +]]
  local text = pipe:read("*a"):gsub("%s", "")
  pipe:close()
  return #text > 1 and text or nil
end

--- Facts about the machine and the build that a figure depends on.
function support.machine()
  local info = trpo.info()
  return { isa = info.isa, blas = info.blas, cores = #uv.cpu_info(), cpu = (uv.cpu_info()[1] or {}).model,
    system = uv.os_uname().sysname .. " " .. uv.os_uname().machine, luajit = jit.version, version = trpo.VERSION,
    date = os.date "!%Y-%m-%d", commit = commit() }
end

--- Writes results, and the tables that were printed, to a file: <name>.json in bench/results with --save, otherwise in
-- the build folder, if not told which.
function support.save(name, results, path)
  path = path or path_of(name)
  local file = assert(io.open(path, "w"))
  assert(file:write(json.encode { machine = support.machine(), tables = printed, results = results }, "\n"))
  assert(file:close())
  print("  results in " .. path)
end

return support
