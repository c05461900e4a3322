-- Steps per second of environments by themselves and of rollouts with a 64-64 tanh policy in single precision, for
-- CartPole and Pendulum written in C and in Lua.
--
-- A rollout acts, steps and keeps the batch with all that learning needs. Environments alone take random actions: those
-- in C step in bench/environment.c, those in Lua by env:step, which makes tensors of what they return.
--
--   luajit bench/rollout.lua [short] [--save]
local support = require "bench.support"
local trpo = require "trpo"

local short = support.arguments { about = "Steps per second of environments and rollouts." }.short
local steps, rounds, patience = short and 8192 or 65536, short and 3 or 15, short and 0.2 or 2

local environments = {
  { name = "CartPole", C = "CartPole-v1", Lua = require "bench.cartpole" },
  { name = "Pendulum", C = "Pendulum-v1", Lua = require "bench.pendulum" },
}
local languages = { "C", "Lua" }
local results = {}

local function mega(rate) return ("%.2f M"):format(rate / 1e6) end

-- ---- environments alone ---------------------------------------------------------------------------------------------

-- seconds of env:step, with random actions in the form that costs least
local function by_method(env, lanes)
  local handle, rng = trpo.make(env, { lanes = lanes, seed = 1 }), trpo.rng(1)
  local discrete, actions = handle.action.n, {}
  for i = 1, 64 do
    local row = discrete and trpo.zeros(lanes) or trpo.rand(rng, lanes, 1) * 4 - 2
    for k = 1, discrete and lanes or 0 do row[k] = rng:integer(1, discrete) end
    actions[i] = lanes > 1 and row or discrete and row[1] or row[1]:totable()
  end
  return function()
    handle:reset()
    local count = steps / 16 / lanes
    local start = support.now()
    for t = 1, count do
      local _, _, terminated, truncated = handle:step(actions[t % 64 + 1])
      if lanes == 1 then
        if terminated or truncated then handle:reset() end
      else
        for k = 1, lanes do
          if terminated[k] + truncated[k] > 0 then handle:reset(k) end
        end
      end
    end
    return (support.now() - start) * 16
  end
end

-- seconds of the core's step, or nothing when the program is not built
local function by_core(id, lanes)
  local program = support.program("environment", id)
  return program and function() return assert(tonumber(program.ask(lanes .. " " .. steps / lanes))) end, program
end

local function alone()
  local rows = { { "environment alone, one thread, steps/s", "1 lane", "8 lanes", "64 lanes" } }
  for _, environment in ipairs(environments) do
    for _, language in ipairs(languages) do
      local row = { ("%s in %s"):format(environment.name, language) }
      for _, lanes in ipairs { 1, 8, 64 } do
        local f, program
        if language == "C" then
          f, program = by_core(environment.C, lanes)
        else
          f = by_method(environment.Lua, lanes)
        end
        local rate = f and steps / support.in_turn({ f }, rounds, patience)[1]
        if program then program.close() end
        row[#row + 1] = rate and mega(rate) or "-"
        results[#results + 1] = { alone = language, name = environment.name, lanes = lanes, threads = 1,
          steps_per_second = rate }
      end
      rows[#rows + 1] = row
    end
  end
  support.print(rows)
end

-- ---- rollouts -------------------------------------------------------------------------------------------------------

local function rollout(env, lanes, threads)
  local handle = trpo.make(env, { lanes = lanes, seed = 1 })
  local policy = trpo.policy { env = handle, hidden = { 64, 64 }, rng = trpo.rng(1) }
  local options = { horizon = 2048 / math.min(lanes, 8) }
  return function()
    trpo.threads(threads)
    local start, taken = support.now(), 0
    while taken < steps do
      options.batch = assert(trpo.collect(handle, policy, options))
      taken = taken + #options.batch
    end
    return (support.now() - start) * steps / taken
  end
end

local function rollouts()
  local most = trpo.threads()
  local rows = { { "rollout, 64-64 tanh, steps/s", "lanes", "1 thread", "2 threads", "2,048 steps, 1 thread" } }
  for _, environment in ipairs(environments) do
    for _, language in ipairs(languages) do
      for _, lanes in ipairs { 1, 8, 64 } do
        local env, parts = environment[language], {}
        for threads = 1, math.min(2, most) do parts[threads] = rollout(env, lanes, threads) end
        local seconds = support.in_turn(parts, rounds, patience)
        for threads = 1, #parts do
          results[#results + 1] = { env = language, name = environment.name, lanes = lanes, threads = threads,
            steps_per_second = steps / seconds[threads] }
        end
        rows[#rows + 1] = { ("%s in %s"):format(environment.name, language), lanes, mega(steps / seconds[1]),
          seconds[2] and mega(steps / seconds[2]) or "-", support.duration(seconds[1] * 2048 / steps) }
      end
    end
  end
  trpo.threads(most)
  support.print(rows)
end

alone()
rollouts()
support.save("rollout", results)
