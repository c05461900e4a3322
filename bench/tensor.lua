-- Arithmetic, reductions and copies beside NumPy, one thread each, in one run: the two are timed in turn.
-- Results go into buffers that are used again, but for the rows "new".
--
--   luajit bench/tensor.lua [short] [--save]        NumPy: apt-get install python3-numpy, or set TRPO_PYTHON
local peer = require "bench.peer"
local support = require "bench.support"
local trpo = require "trpo"

local short = support.arguments { about = "Arithmetic beside NumPy." }.short
local rounds = short and 5 or 21
local sizes = short and { 4, 16, 1000, 1e5 } or { 4, 16, 1000, 1e5, 1e7 }

-- name, ours (a, b, c, out), NumPy's statement
local vectors = {
  { "a + b", function(a, b, _, o) return a:add(b, o) end, "np.add(a, b, out=o)" },
  { "a*b + c", function(a, b, c, o) return a:mul(b, o):add_(c) end, "np.multiply(a, b, out=o); np.add(o, c, out=o)" },
  { "a*b + c, fused", function(a, b, c, o) return a:muladd(b, c, o) end,
    "np.multiply(a, b, out=o); np.add(o, c, out=o)" },
  { "2 a", function(a, _, _, o) return a:mul(2, o) end, "np.multiply(a, 2.0, out=o)" },
  { "exp", function(a, _, _, o) return a:exp(o) end, "np.exp(a, out=o)" },
  { "tanh", function(a, _, _, o) return a:tanh(o) end, "np.tanh(a, out=o)" },
  { "log", function(a, _, _, o) return a:log(o) end, "np.log(a, out=o)" },
  { "sqrt", function(a, _, _, o) return a:sqrt(o) end, "np.sqrt(a, out=o)" },
  { "maximum", function(a, b, _, o) return a:maximum(b, o) end, "np.maximum(a, b, out=o)" },
  { "sum", function(a) return a:sum() end, "a.sum()" },
  { "max", function(a) return a:max() end, "a.max()" },
  { "std", function(a) return a:std() end, "a.std()" },
  { "new: a + b", function(a, b) return a + b end, "a + b" },
}

-- the same for matrices m [1000, 1000], r a row, o, s [1000]
local matrices = {
  { "copy", function(m, _, o) return o:copy(m) end, "np.copyto(o, m)" },
  { "copy, transposed", function(m, _, o) return o:copy(m:t()) end, "np.copyto(o, m.T)" },
  { "m + m'", function(m, _, o) return m:add(m:t(), o) end, "np.add(m, m.T, out=o)" },
  { "m + row", function(m, r, o) return m:add(r, o) end, "np.add(m, r, out=o)" },
  { "sum of columns", function(m, _, _, s) return m:sum(1, false, s) end, "m.sum(0, out=s)" },
  { "sum of rows", function(m, _, _, s) return m:sum(2, false, s) end, "m.sum(1, out=s)" },
  { "softmax of rows", function(m, _, o) return m:softmax(2, o) end,
    "np.subtract(m, m.max(1, keepdims=True), out=o); np.exp(o, out=o); np.divide(o, o.sum(1, keepdims=True), out=o)" },
  { "argsort", function(m) return m:sort(2) end, "np.argsort(m, axis=1, kind='stable')" },
}

local numpy = peer.numpy()
local version = numpy and numpy.version or "-"
local results, rows = {}, { { "one thread", "elements", "ours", "NumPy " .. version, "ratio" } }

local function duration(seconds)
  if seconds < 1e-6 then return ("%.0f ns"):format(seconds * 1e9) end
  return seconds < 1e-3 and ("%.1f us"):format(seconds * 1e6) or ("%.2f ms"):format(seconds * 1e3)
end

-- f in a loop of its own, as in a script: the compiler must not meet one loop with many bodies
local function looped(f, ...)
  local chunk = "local f, a, b, c, d = ... return function(calls) for _ = 1, calls do f(a, b, c, d) end end"
  return loadstring(chunk)(f, ...)
end

-- the median of ours and theirs, timed in turn
local function compare(name, n, ours, setup, statement)
  -- enough calls to be seen by the clock
  local calls = math.max(1, math.floor((short and 1e6 or 2e6) / math.max(n, 200)))
  local mine, theirs = {}, {}
  for round = 0, rounds do
    local function we()
      local start = support.now()
      ours(calls)
      mine[round] = (support.now() - start) / calls
    end
    local function they() theirs[round] = numpy and numpy.time(setup, statement, calls) end
    if round % 2 == 0 then we() they() else they() we() end
  end
  local a, b = support.median(mine), numpy and support.median(theirs)
  results[#results + 1] = { name = name, n = n, seconds = a, numpy = b }
  rows[#rows + 1] = { name, ("%d"):format(n), duration(a), b and duration(b) or "-",
    b and ("%.2f"):format(b / a) or "-" }
end

local rng = trpo.rng(1)
for _, n in ipairs(sizes) do
  local a, b, c, o = trpo.rand(rng, n), trpo.rand(rng, n), trpo.rand(rng, n), trpo.zeros(n)
  local setup = ("a, b, c, o = rng.random(%d), rng.random(%d), rng.random(%d), np.empty(%d)"):format(n, n, n, n)
  for _, case in ipairs(vectors) do
    compare(case[1], n, looped(case[2], a, b, c, o), setup, case[3])
  end
end

local m, r, o, s = trpo.rand(rng, 1000, 1000), trpo.rand(rng, 1000), trpo.zeros(1000, 1000), trpo.zeros(1000)
local setup = "m, r, o, s = rng.random((1000, 1000)), rng.random(1000), np.empty((1000, 1000)), np.empty(1000)"
for _, case in ipairs(matrices) do
  compare(case[1], 1e6, looped(case[2], m, r, o, s), setup, case[3])
end

if numpy then numpy.close() end
support.print(rows)
support.save("tensor", results)
