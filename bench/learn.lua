-- How reliably TRPO learns: seeds 1..20 of the example experiments, evaluated on 100 episodes with the mode action.
--
--   luajit bench/learn.lua [--seeds N] [--only EXAMPLE]
local support = require "bench.support"
local script = require "trpo.script"

local given = support.arguments {
  about = "How reliably the examples learn.", words = {}, saves = false, only = { "cartpole", "pendulum" },
  options = { { "--seeds", "20 if not told", true } },
}

-- bars: the share of seeds that must reach `threshold`, or the median that all of them must reach together
local cases = {
  cartpole = { steps = 100000, every = 2, threshold = 475 },
  pendulum = { steps = 200000, every = 10, threshold = -200 },
}

-- the record of one run: final mean reward, and the steps at which an evaluation first reached the threshold
local function learn(name, case, seed)
  local run = assert(script.load("examples/" .. name .. ".lua"))
  run:set { seed = seed, steps = case.steps, dir = false, ["evaluation.every"] = case.every }
  local first
  local result = assert(run:train {
    on_iteration = function(record)
      local reward = record["eval/mean_reward"]
      if not first and reward and reward >= case.threshold then first = record["time/total_timesteps"] end
    end,
  })
  return { seed = seed, reward = result["eval/mean_reward"], first = first, seconds = result.seconds }
end

local seeds = given.seeds or 20
local names = given.only and { given.only } or { "cartpole", "pendulum" }
local all = {}
for _, name in ipairs(names) do
  local case = cases[name]
  local rows = { { name, "final", ("first at %g"):format(case.threshold), "seconds" } }
  local rewards, reached, early = {}, 0, 0
  for seed = 1, seeds do
    local r = learn(name, case, seed)
    rewards[seed] = r.reward
    if r.first then reached = reached + 1 end
    if r.first and r.first <= 60000 then early = early + 1 end
    rows[#rows + 1] = { "seed " .. seed, ("%.1f"):format(r.reward), r.first or "-", ("%.2f"):format(r.seconds) }
    all[#all + 1] = { env = name, seed = seed, reward = r.reward, first = r.first, seconds = r.seconds }
  end
  support.print(rows)
  local above = 0
  for _, reward in ipairs(rewards) do above = above + (reward >= case.threshold and 1 or 0) end
  print(("  %d seeds, %d steps: median %.1f; %d end at %g or more, %d reached it, %d of them by 60000 steps\n")
    :format(seeds, case.steps, support.median(rewards), above, case.threshold, reached, early))
end
support.save("learn", all)
