-- From process start to the first step, memory, allocations of an iteration, equal bits on 1 and 2 threads.
--
--   luajit bench/process.lua [short] [--save] [--no-peers]
local learner = require "bench.learner"
local peer = require "bench.peer"
local support = require "bench.support"
local trpo = require "trpo"

local short = support.arguments { about = "Start, memory, allocations, equal bits.", peers = true }.short
local most = trpo.threads()
local results, rows = {}, { { "process", "ours", "sb3-contrib", "ratio" } }

-- ---- start-up and memory, in processes of their own -----------------------------------------------------------------

-- what a script prints first, and how long after the start of its process
local function launch(command)
  local start = support.now()
  local pipe = assert(io.popen(command))
  local line = pipe:read "*l"
  local seconds = support.now() - start
  pipe:close()
  return seconds, assert(line, "a process failed")
end

local function script(text)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(text)
  file:close()
  return name
end

local first_step = {
  lua = [[
local trpo = require "trpo"
local env = trpo.make("CartPole-v1", { seed = 1 })
local policy = trpo.policy { env = env, rng = trpo.rng(1) }
assert(trpo.collect(env, policy, { horizon = 1 }))
print "stepped"]],
  python = [[
from sb3_contrib import TRPO
model = TRPO("MlpPolicy", "CartPole-v1", device="cpu")
env = model.get_env()
env.step(model.predict(env.reset())[0])
print("stepped", flush=True)]],
}

-- the largest resident memory so far, in bytes, after two iterations of training
local memory = {
  lua = [[
local trpo = require "trpo"
assert(trpo.experiment({ env = "CartPole-v1", steps = 4096, dir = false, evaluation = { episodes = 0 } }):train())
for line in io.lines "/proc/self/status" do
  local kilobytes = line:match "^VmHWM:%s*(%d+)"
  if kilobytes then print(kilobytes * 1024) end
end]],
  python = [[
import resource
from sb3_contrib import TRPO
TRPO("MlpPolicy", "CartPole-v1", device="cpu").learn(4096)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, flush=True)]],
}

local python = not short and not support.given.no_peers
  and peer.python({ os.getenv "TRPO_PYTHON" or "bench/.venv/bin/python" }, "sb3_contrib")

-- the median of ours and one of theirs, which takes seconds; `value` makes a launch's seconds and line its
-- value
local function side_by_side(scripts, value)
  local function median_of(command, launches)
    local values = {}
    for i = 1, launches do values[i] = value(launch(command)) end
    os.remove(command:match "%S+$")
    return support.median(values)
  end
  local ours = median_of(arg[-1] .. " " .. script(scripts.lua), 15)
  return ours, python and median_of(("%s -W ignore %s"):format(peer.quoted(python), script(scripts.python)), 1) or nil
end

local function bench_start()
  local ours, theirs = side_by_side(first_step, function(seconds) return seconds end)
  results.start = { seconds = ours, sb3_seconds = theirs }
  rows[#rows + 1] = { "start to the first step of CartPole-v1", support.duration(ours),
    theirs and support.duration(theirs) or "-", theirs and ("%.0f"):format(theirs / ours) or "-" }
  ours, theirs = side_by_side(memory, function(_, line) return tonumber(line) end)
  results.memory = { bytes = ours, sb3_bytes = theirs }
  local function megabytes(x) return x and ("%.1f MB"):format(x / 2 ^ 20) or "-" end
  rows[#rows + 1] = { "resident memory after two iterations", megabytes(ours), megabytes(theirs),
    theirs and ("%.0f"):format(theirs / ours) or "-" }
end

-- ---- allocations ----------------------------------------------------------------------------------------------------

-- buffers made by each of a few steady iterations: of the loop written by hand, and of trpo.experiment
local function allocations_by_hand(env_id)
  local env = trpo.make(env_id, { lanes = 8, seed = 1 })
  local policy = trpo.policy { env = env, rng = trpo.rng(1) }
  local value = trpo.value { env = env, rng = trpo.rng(2) }
  local algorithm, options = trpo.TRPO {}, { horizon = 256 }
  local before
  for iteration = 1, 6 do
    options.batch = assert(trpo.collect(env, policy, options))
    trpo.gae(options.batch, { value = value })
    algorithm:update(policy, options.batch)
    assert(value:fit(options.batch))
    if iteration == 1 then before = trpo.info().allocations end
  end
  return (trpo.info().allocations - before) / 5
end

local function allocations_of_training(env_id)
  local at = {}
  local run = trpo.experiment { env = env_id, steps = 2048 * 6, dir = false, evaluation = { episodes = 0 } }
  assert(run:train { on_iteration = function() at[#at + 1] = trpo.info().allocations end })
  return (at[6] - at[1]) / 5
end

local function bench_allocations()
  results.allocations = {}
  for _, env_id in ipairs { "CartPole-v1", "Pendulum-v1" } do
    local loop, training = allocations_by_hand(env_id), allocations_of_training(env_id)
    results.allocations[#results.allocations + 1] = { env = env_id, loop = loop, training = training }
    rows[#rows + 1] = { ("allocations of an iteration, %s: loop, trpo.experiment"):format(env_id),
      ("%g, %g"):format(loop, training), "-", "-" }
  end
end

-- ---- bits -----------------------------------------------------------------------------------------------------------

-- whether something gives the same vector on 1 and on 2 threads
local function equal_bits(f)
  local answers = {}
  for threads = 1, 2 do
    trpo.threads(threads)
    answers[threads] = f()
  end
  trpo.threads(most)
  return answers[1]:equal(answers[2])
end

local shapes = {
  { O = 1, A = 1, hidden = {} }, { O = 7, A = 5, hidden = { 33, 17, 9 }, discrete = true },
  { O = 3, A = 2, hidden = { 100 } }, { O = 30, A = 4, hidden = { 256, 256 } },
}
for _, shape in ipairs(learner.shapes) do shapes[#shapes + 1] = shape end

local function bench_bits()
  local cases, equal = 0, 0
  local function count(is) cases, equal = cases + 1, equal + (is and 1 or 0) end
  for _, shape in ipairs(shapes) do
    for _, precision in ipairs(learner.precisions) do
      local policy, batch = support.synthetic { O = shape.O, A = shape.A, discrete = shape.discrete,
        hidden = shape.hidden, N = short and 501 or 5003, precision = precision }
      local theta = policy:theta()
      count(equal_bits(function()
        policy:set_theta(theta)
        trpo.TRPO {}:update(policy, batch)
        return policy:theta()
      end))
    end
  end
  for _, env_id in ipairs { "CartPole-v1", "Pendulum-v1" } do
    count(equal_bits(function()
      local run = trpo.experiment { env = env_id, steps = 2048 * 3, dir = false, evaluation = { episodes = 0 } }
      assert(run:train())
      return run.policy:theta()
    end))
  end
  results.bits = { cases = cases, equal = equal }
  rows[#rows + 1] = { "updates and trainings with the same bits on 1 and 2 threads", ("%d of %d"):format(equal, cases),
    "-", "-" }
end

bench_start()
bench_allocations()
bench_bits()
support.print(rows)
support.save("process", results)
