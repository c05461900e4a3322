-- Linear algebra against NumPy on the same BLAS and LAPACK, one thread each, results into buffers that are used again
-- where NumPy can do so (mm; its solve, eigh and svd always allocate).
--
-- The system's NumPy uses the system's BLAS, as we do; one from PyPI brings its own.
--
--   luajit bench/linalg.lua [short] [--save]        NumPy: apt-get install python3-numpy, or set TRPO_PYTHON
local peer = require "bench.peer"
local support = require "bench.support"
local trpo = require "trpo"
local uv = require "luv"

local short = support.arguments { about = "Linear algebra beside NumPy." }.short
local rounds = short and 5 or 15

-- ---- ours -----------------------------------------------------------------------------------------------------------

local function problem(name, n)
  local rng = trpo.rng(1)
  local a, b = trpo.randn(rng, n, n), trpo.randn(rng, n, n)
  local out, row, vector, other = trpo.zeros(n, n), b[1], trpo.zeros(n), trpo.zeros(n, n)
  local s, c = a + a:t(), a:mm(a:t())
  for i = 1, n do c[i][i] = c[i][i] + n end
  local la = trpo.linalg
  local two, three = { out = { vector, out } }, { out = { out, vector, other } }
  local factors = { out = { out, other } }
  return ({
    ["mm"] = function() a:mm(b, out) end,
    ["mm, transposed"] = function() a:t():mm(b:t(), out) end,
    ["mv"] = function() a:mv(row, vector) end,
    ["solve"] = function() la.solve(a, row, vector) end,
    ["solve, n x n"] = function() la.solve(a, b, out) end,
    ["inv"] = function() la.inv(a, out) end,
    ["cholesky"] = function() la.cholesky(c, out) end,
    ["qr"] = function() la.qr(a, factors) end,
    ["eigh"] = function() la.eigh(s, two) end,
    ["svd"] = function() la.svd(a, three) end,
    ["eig"] = function() la.eig(a) end,
  })[name]
end

local function time(f, calls)
  local start = support.now()
  for _ = 1, calls do f() end
  return (support.now() - start) / calls
end

-- ---- side by side ---------------------------------------------------------------------------------------------------

-- what is timed, NumPy's statement, whether the bar holds for it
local setup = "n = %d; a, b = rng.standard_normal((n, n)), rng.standard_normal((n, n)); o = np.empty((n, n)); "
  .. "r = np.empty(n); s = a + a.T; c = a @ a.T + n * np.eye(n)"
local statements = {
  { "mm", "np.matmul(a, b, out=o)", 0.95 }, { "mm, transposed", "np.matmul(a.T, b.T, out=o)" },
  { "mv", "np.matmul(a, b[0], out=r)" },
  { "solve", "np.linalg.solve(a, b[0])", 0.95 }, { "solve, n x n", "np.linalg.solve(a, b)", 0.95 },
  { "inv", "np.linalg.inv(a)" }, { "cholesky", "np.linalg.cholesky(c)" }, { "qr", "np.linalg.qr(a)" },
  { "eigh", "np.linalg.eigh(s)", 0.95 }, { "svd", "np.linalg.svd(a)", 0.95 }, { "eig", "np.linalg.eig(a)" },
}
local slow = { qr = true, eigh = true, svd = true }
local sizes = short and { 10, 100 } or { 10, 100, 1000 }

trpo.threads(1)
if not os.getenv "TRPO_PYTHON" then uv.os_setenv("TRPO_PYTHON", "/usr/bin/python3") end
local numpy = peer.numpy()
if not numpy then
  print "bench/linalg.lua needs NumPy to compare with: apt-get install python3-numpy"
  os.exit(0)
end

local function duration(seconds)
  if seconds < 1e-3 then return ("%.2f us"):format(seconds * 1e6) end
  return ("%.2f ms"):format(seconds * 1e3)
end

local results, rows = {}, { { "one thread", "n", "ours", "NumPy " .. numpy.version, "ratio", "bar" } }

-- medians of ours and theirs, timed in turn, each first as often as the other
local function compare(name, n, statement, bar)
  local ours = problem(name, n)
  -- about 20 ms a round
  local calls = math.max(1, math.floor(0.02 / math.max(time(ours, 2), 1e-7)))
  local turns, mine, theirs = n == 1000 and slow[name] and 5 or rounds, {}, {}
  for round = 0, turns do
    local x, y
    if round % 2 == 0 then x = time(ours, calls) end
    y = numpy.time(setup:format(n), statement, calls)
    x = x or time(ours, calls)
    if round > 0 then mine[round], theirs[round] = x, y end
  end
  local x, y = support.median(mine), support.median(theirs)
  results[#results + 1] = { name = name, n = n, seconds = x, numpy_seconds = y, ratio = y / x }
  rows[#rows + 1] = { name, n, duration(x), duration(y), ("%.2f"):format(y / x),
    bar and ("%s %.2f"):format(y / x >= bar and "meets" or "MISSES", bar) or "" }
end

for _, case in ipairs(statements) do
  for _, n in ipairs(sizes) do
    if not (n == 1000 and case[1] == "eig") then compare(case[1], n, case[2], case[3]) end
  end
end
support.print(rows)
support.save("linalg", results)
numpy.close()
