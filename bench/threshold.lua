-- How long from the start of a process until an environment is solved: CartPole-v1 at 475, Pendulum-v1 at -200.
--
-- Solved is a policy whose most probable actions reach the threshold on average over 100 fresh episodes. Each seed is a
-- process of its own; the clock runs from before it is started until it has ended: loading, building, training,
-- evaluating.
--
--   luajit bench/threshold.lua [short] [--save] [--seeds N]
local support = require "bench.support"

local given = support.arguments {
  about = "From the start of a process until an environment is solved.",
  options = { { "--seeds", "20 if not told", true } },
}

-- how each is trained; `every`: iterations between evaluations
local cases = {
  { name = "CartPole-v1", threshold = 475, limit = 200000,
    options = [[evaluation = { every = 2, reward_threshold = 475 }]] },
  { name = "Pendulum-v1", threshold = -200, limit = 400000,
    options = [[algorithm = trpo.TRPO { delta = 0.02, gamma = 0.9, lambda = 0.95 },
      evaluation = { every = 5, reward_threshold = -200 }]] },
}

local program = [[
local trpo = require "trpo"
local run = trpo.experiment { env = "%s", seed = %d, steps = %d, dir = false, %s }
local result = assert(run:train())
print(result["time/total_timesteps"], result["eval/mean_reward"])
]]

-- one process: seconds, steps, reward
local function solve(case, seed, script)
  local file = assert(io.open(script, "w"))
  file:write(program:format(case.name, seed, case.limit, case.options))
  file:close()
  local start = support.now()
  local pipe = assert(io.popen(arg[-1] .. " " .. script))
  local line = pipe:read "*l"
  pipe:close()
  local seconds = support.now() - start
  local steps, reward = assert(line, "a process failed"):match "^(%S+)%s+(%S+)$"
  return seconds, tonumber(steps), tonumber(reward)
end

local seeds = given.seeds or given.short and 2 or 20
local results = {}
local rows = { { "from process start until solved", "seeds", "solved", "median", "fastest", "slowest", "steps" } }
local script = os.tmpname()
for _, case in ipairs(cases) do
  local record = { name = case.name, threshold = case.threshold, seconds = {}, steps = {}, solved = 0 }
  for seed = 1, seeds do
    local seconds, steps, reward = solve(case, seed, script)
    record.seconds[seed], record.steps[seed] = seconds, steps
    if reward >= case.threshold then record.solved = record.solved + 1 end
  end
  -- the median sorts them
  record.median, record.median_steps = support.median(record.seconds), support.median(record.steps)
  results[#results + 1] = record
  rows[#rows + 1] = { ("%s at %g"):format(case.name, case.threshold), seeds, record.solved,
    support.duration(record.median), support.duration(record.seconds[1]), support.duration(record.seconds[seeds]),
    ("%.0f"):format(record.median_steps) }
end
os.remove(script)
support.print(rows)
support.save("threshold", results)
