-- What it costs a 64-64 tanh policy to act, for 1, 64 and 4,096 observations, from Lua and from C.
--
-- From Lua: policy:act and policy:sample with observations and results in tensors that are used again, and for one
-- observation also in a plain table. From C: the same calls of the core in bench/inference.c, and their share of the
-- peak of multiply-adds that bench/calibrate.c measures in turn with them (2 operations for each weight and row).
--
--   luajit bench/inference.lua [short] [--save]
local support = require "bench.support"
local trpo = require "trpo"

local short = support.arguments { about = "A policy that acts, from Lua and from C." }.short
local rounds, patience = short and 3 or 15, short and 0.1 or 1

local shapes = {
  { name = "CartPole", O = 4, A = 2, discrete = true },
  { name = "Hopper", O = 11, A = 3 },
  { name = "HalfCheetah", O = 17, A = 6 },
}
local sizes = { 1, 64, 4096 }
local precisions = { "single", "double" }

local function make_policy(shape, precision)
  return trpo.policy {
    observation = trpo.space.box { shape = { shape.O } },
    action = shape.discrete and trpo.space.discrete(shape.A) or trpo.space.box { shape = { shape.A } },
    hidden = { 64, 64 }, precision = precision, rng = trpo.rng(1),
  }
end

-- the seconds of one of so many calls
local function timed(calls, f)
  return function()
    local start = support.now()
    f(calls)
    return (support.now() - start) / calls
  end
end

-- the ways to call it from Lua
local function from_lua(shape, precision, N)
  local policy, rng = make_policy(shape, precision), trpo.rng(2)
  local obs = trpo.randn(rng, N, shape.O)
  local out = shape.discrete and trpo.zeros(N) or trpo.zeros(N, shape.A)
  local logs = trpo.zeros(N)
  if N == 1 then -- one observation, not a batch of one
    obs, logs = obs[1], nil
    out = not shape.discrete and out[1] or nil
  end
  local calls = math.max(1, math.floor((short and 2000 or 10000) / N))
  local ways = {
    { "act", timed(calls, function(n) for _ = 1, n do policy:act(obs, nil, out) end end) },
    { "sample", timed(calls, function(n) for _ = 1, n do policy:sample(obs, rng, out, logs) end end) },
  }
  if N == 1 then
    local numbers = obs:totable()
    ways[3] = { "act, table", timed(calls, function(n) for _ = 1, n do policy:act(numbers, nil, out) end end) }
  end
  return ways
end

local function from_c(program, N)
  if not program then return {} end
  local calls = math.max(1, math.floor((short and 2000 or 10000) / N))
  local function ask(what)
    return function() return assert(tonumber(program.ask(("%s %d %d"):format(what, N, calls)))) end
  end
  return { { "act", ask "mode" }, { "sample", ask "sample" } }
end

local function flops(shape) return 2 * (shape.O * 64 + 64 * 64 + 64 * shape.A) end

local results = {}
local rows = { { "acting, one thread", "rows", "Lua: act", "act, table", "sample", "C: act", "sample", "act, a row",
  "of the peak" } }
local calibrator = support.calibrator()

local function show(seconds)
  if not seconds then return "-" end
  return seconds < 1e-5 and ("%.0f ns"):format(seconds * 1e9) or support.duration(seconds)
end

local function cell(shape, precision, N, program)
  local parts, names = {}, {}
  for _, way in ipairs(from_lua(shape, precision, N)) do
    names[#names + 1], parts[#parts + 1] = "Lua " .. way[1], way[2]
  end
  for _, way in ipairs(from_c(program, N)) do
    names[#names + 1], parts[#parts + 1] = "C " .. way[1], way[2]
  end
  if calibrator then
    names[#names + 1], parts[#parts + 1] = "peak", function() return calibrator.limit(precision, 1) end
  end
  local medians, seconds = support.in_turn(parts, rounds, patience), {}
  for k, name in ipairs(names) do seconds[name] = medians[k] end
  local best = seconds["C act"]
  local share = best and seconds.peak and N * flops(shape) / best / seconds.peak
  results[#results + 1] = { shape = shape.name, precision = precision, N = N, share = share,
    lua = { act = seconds["Lua act"], sample = seconds["Lua sample"], act_table = seconds["Lua act, table"] },
    c = best and { act = best, sample = seconds["C sample"] } }
  local kind = shape.discrete and "discrete" or "box"
  rows[#rows + 1] = { ("%d-64-64-%d %s, %s"):format(shape.O, shape.A, kind, precision), N,
    show(seconds["Lua act"]), show(seconds["Lua act, table"]), show(seconds["Lua sample"]), show(best),
    show(seconds["C sample"]), show(best and best / N), share and ("%.0f %%"):format(100 * share) or "-" }
end

local most = trpo.threads()
trpo.threads(1)
for _, shape in ipairs(shapes) do
  for _, precision in ipairs(precisions) do
    local program = support.program("inference",
      ("%d %d %s %s"):format(shape.O, shape.A, shape.discrete and "discrete" or "box", precision))
    for _, N in ipairs(sizes) do cell(shape, precision, N, program) end
    if program then program.close() end
  end
end
trpo.threads(most)
if calibrator then calibrator.close() end
support.print(rows)
support.save("inference", results)
