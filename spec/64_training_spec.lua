-- Training runs: the loop, its numbers, its files, and what happens when something fails on the way.
local command = require "support.command"
local json = require "trpo.json"
local logger = require "trpo.logger"
local trpo = require "trpo"

local scratch

before_each(function() scratch = command.scratch() end)
after_each(function() command.remove(scratch) end)

-- a small run; options win
local function small(options)
  local defaults = {
    env = "CartPole-v1", policy = { hidden = { 8 } }, value = { hidden = { 8 }, optimizer = "adam", epochs = 2 },
    steps = 1024, lanes = 4, horizon = 64, seed = 3, evaluation = { episodes = 5 }, dir = false,
  }
  for key, value in pairs(options or {}) do defaults[key] = value end
  return trpo.experiment(defaults)
end

-- all records of a run, without what depends on the clock
local function records(run)
  local list = {}
  local result = assert(run:train {
    on_iteration = function(record)
      local copy = {}
      for key, value in pairs(record) do
        if not (key == "time/time_elapsed" or key == "time/fps") then copy[key] = value end
      end
      list[#list + 1] = copy
    end,
  })
  return list, result
end

-- an environment that fails at a certain step of an episode
local function failing(step, at)
  return {
    id = "Failing-v0",
    observation = trpo.space.box { shape = { 1 } },
    action = trpo.space.discrete(2),
    time_limit = 100,
    reset = function(self, _, obs) self.n, obs[1] = 0, 0 end,
    step = function(self, action, obs)
      self.n = self.n + 1
      obs[1] = self.n
      if self.n == (at or 90) then return step(self, action, obs) end
      return 1, false
    end,
  }
end

describe("training", function()
  it("counts iterations and steps, and ends with complete batches", function()
    local list, result = records(small { steps = 1000 })
    assert.are.equal(4, #list)
    for i, record in ipairs(list) do
      assert.are.equal(i, record["time/iterations"])
      assert.are.equal(256 * i, record["time/total_timesteps"])
    end
    assert.are.same({ "done", 4, 1024 }, { result.status, result.iterations, result.steps })
    assert.is_true(result.seconds > 0)
  end)

  it("repeats itself exactly from its seed, and differs for another one", function()
    local first, again = records(small()), records(small())
    assert.are.same(first, again)
    assert.are_not.same(first, records(small { seed = 4 }))
    local run = small()
    assert.are.same(records(run), records(run))
  end)

  it("gives the same numbers on one thread and on two", function()
    local before = trpo.threads()
    local one, two = records(small { threads = 1 }), records(small { threads = 2 })
    trpo.threads(before)
    assert.are.same(one, two)
  end)

  it("keeps the policy within delta, and says how far it went", function()
    for _, env in ipairs { "CartPole-v1", "Pendulum-v1" } do
      for _, record in ipairs(records(small { env = env, algorithm = trpo.TRPO { delta = 0.005 } })) do
        assert.is_true(record["train/kl_divergence_loss"] <= 0.005)
        assert.is_true(record["train/kl_max"] >= record["train/kl_divergence_loss"])
        local success = record["train/is_line_search_success"] == 1
        assert.are.equal(success, record["train/step_fraction"] > 0)
        assert.are.equal(success, record["train/actual_improvement"] > 0)
      end
    end
  end)

  it("logs the deviation of Gaussian policies only", function()
    assert.is_nil(records(small())[1]["train/std"])
    local list = records(small { env = "Pendulum-v1", policy = { hidden = { 8 }, log_std = -1 } })
    -- one step of TRPO moves it by little
    assert.is_true(math.abs(list[1]["train/std"] - math.exp(-1)) < 0.1)
  end)

  it("works with each critic and each way to sample", function()
    for _, options in ipairs {
      { value = false }, { value = "linear" }, { value = { kind = "linear", ridge = 0.1 } },
      { policy = { hidden = {} } }, { policy = { hidden = { 4, 4, 4 }, activation = "relu", precision = "double" } },
      { value = { hidden = { 4 }, precision = "double", rescale_targets = false, optimizer = "adam", epochs = 1 } },
      { normalize_observations = true }, { whole_episodes = true }, { whole_episodes = true, budget = 300 },
      { algorithm = trpo.TRPO { fisher_fraction = 0.1, step_scale = "undamped", standardize_advantages = false } },
      { algorithm = trpo.TRPO { gamma = 1, lambda = 1 } }, { algorithm = trpo.TRPO { gamma = 0, lambda = 0 } },
      { evaluation = { episodes = 3, deterministic = false } },
    } do
      local list, result = records(small(options))
      assert.are.equal("done", result.status)
      for _, record in ipairs(list) do
        for key, value in pairs(record) do
          -- without future (gamma = 0) the returns of CartPole do not vary: nothing can be explained
          assert.is_true(value == value or key == "train/explained_variance", key)
        end
      end
      assert.is_true(result["eval/mean_reward"] > 0)
    end
  end)

  it("ends batches with episodes when asked", function()
    local sizes, last = {}, 0
    assert(small({ whole_episodes = true, budget = 300 }):train {
      on_iteration = function(record)
        sizes[#sizes + 1] = record["time/total_timesteps"] - last
        last = record["time/total_timesteps"]
      end,
    })
    for _, size in ipairs(sizes) do assert.is_true(size >= 300) end
  end)

  it("measures what updates of the normaliser do to the policy", function()
    local list = records(small { normalize_observations = true })
    assert.is_true(list[1]["train/normalizer_kl"] > 0)
    assert.are.equal(0, records(small())[1]["train/normalizer_kl"])
  end)

  it("gets better at balancing a pole", function()
    -- seeds 1 to 20 reach 131 to 500 in so many steps with this network; without learning it is about 10
    local run = small { steps = 20480, policy = { hidden = { 16 } }, value = { hidden = { 16 } }, seed = 1,
      lanes = 8, horizon = 128, algorithm = trpo.TRPO { delta = 0.02 } }
    assert.is_true(assert(run:train())["eval/mean_reward"] > 100)
  end)
end)

describe("an evaluation", function()
  it("does not disturb training", function()
    local without = records(small { evaluation = { episodes = 0 } })
    local with = records(small { evaluation = { every = 1, episodes = 5 } })
    assert.are.equal(#without, #with)
    for i, record in ipairs(with) do
      assert.is_number(record["eval/mean_reward"])
      for key in pairs(record) do
        if key:find("^eval/") then record[key] = nil end
      end
      assert.are.same(without[i], record)
    end
  end)

  it("comes every so many iterations and at the end", function()
    local seen = {}
    for _, record in ipairs(records(small { evaluation = { every = 3, episodes = 2 } })) do
      if record["eval/mean_reward"] then seen[#seen + 1] = record["time/iterations"] end
    end
    assert.are.same({ 3, 4 }, seen)
  end)

  it("says the same each time, and plays what it is told to", function()
    local run = small()
    assert(run:train())
    local first = assert(run:evaluate())
    assert.are.same(first, run:evaluate())
    assert.are.equal(5, first.episodes)
    assert.is_true(first.min_reward <= first.mean_reward and first.mean_reward <= first.max_reward)
    -- CartPole pays 1 for each step
    assert.are.equal(first.mean_ep_length, first.mean_reward)
    assert.are.equal(first.steps, first.mean_reward * 5)
    local many = assert(run:evaluate { episodes = 230, deterministic = false })
    assert.are.equal(230, many.episodes)
    assert.is_true(many.std_reward > 0)
  end)

  it("can come before training", function()
    local reward = assert(small():evaluate { episodes = 20 }).mean_reward
    assert.is_true(reward >= 8 and reward < 100)
  end)

  it("refuses what it does not know", function()
    local ok, message = pcall(small().evaluate, small(), { episode = 3 })
    assert.is_false(ok)
    assert.is_truthy(message:find("run:evaluate: unknown option 'episode', did you mean 'episodes'?", 1, true))
    ok, message = pcall(small().evaluate, small(), { episodes = 0 })
    assert.is_false(ok)
    assert.is_truthy(message:find("run:evaluate: episodes must be an integer in [1, 1000000], got 0", 1, true))
  end)
end)

describe("a callback", function()
  it("stops training", function()
    local run = small()
    local result = assert(run:train {
      on_iteration = function(record) return record["time/iterations"] == 2 and "stop" end,
    })
    assert.are.same({ "stopped", 2, 512 }, { result.status, result.iterations, result.steps })
    assert.is_number(result["eval/mean_reward"])
  end)

  it("gets the run", function()
    local run, got = small(), nil
    assert(run:train { on_iteration = function(_, given) got = given end })
    assert.are.equal(run, got)
  end)

  it("that fails, fails the run", function()
    local result, message, code = small():train { on_iteration = function() error("no such luck") end }
    assert.is_nil(result)
    assert.are.equal("callback", code)
    local expected = "^on_iteration: spec/64_training_spec.lua:%d+: no such luck\nstack traceback:"
    assert.is_truthy(message:find(expected), message)
  end)

  it("must be one that there is", function()
    local ok, message = pcall(small().train, small(), { on_iterations = print })
    assert.is_false(ok)
    assert.is_truthy(message:find("run:train: unknown option 'on_iterations', did you mean 'on_iteration'?", 1, true))
    ok, message = pcall(small().train, small(), { on_iteration = 3 })
    assert.is_false(ok)
    assert.is_truthy(message:find("run:train: on_iteration must be a function, got 3", 1, true))
  end)
end)

describe("a failure while training", function()
  -- the parameters must be those of the last whole iteration
  local function fails(env, pattern, code)
    local run, theta = small { env = env, evaluation = { episodes = 0 } }, nil
    local result, message, got = run:train { on_iteration = function() theta = run.policy:theta():totable() end }
    assert.is_nil(result)
    assert.are.equal(code, got)
    assert.is_truthy(message:find(pattern), message)
    assert.are.same(theta, run.policy:theta():totable())
    -- all goes on afterwards
    assert.are.equal("done", assert(small():train()).status)
  end

  it("is returned with lane, step and the user's traceback", function()
    local function deep() error("no such luck") end
    fails(failing(function() deep() end),
      "^Failing%-v0: lane 1, step 90: step raised an error: spec/64_training_spec.lua:%d+: no such luck\n"
        .. ".*in function 'deep'",
      "environment")
  end)

  it("is returned for numbers that are not finite", function()
    fails(failing(function() return 0 / 0, false end), "lane 1, step 90.*reward", "not_finite")
    fails(failing(function(_, _, obs)
      obs[1] = 1 / 0
      return 0, false
    end), "lane 1, step 90.*observation", "not_finite")
  end)

  it("is returned for values of a wrong form", function()
    fails(failing(function() return "much", false end), "lane 1, step 90", "environment")
    fails(failing(function() return 1 end), "lane 1, step 90", "environment")
    fails(failing(function() end), "lane 1, step 90", "environment")
  end)

  it("is returned when an evaluation fails", function()
    local run = small { env = failing(function() error("no such luck") end, 99), horizon = 16, steps = 64,
      evaluation = { episodes = 3 } }
    local result, message, code = run:train()
    assert.is_nil(result)
    assert.are.equal("environment", code)
    assert.is_truthy(message:find("no such luck", 1, true))
  end)
end)

describe("the files of a run", function()
  it("hold its configuration, its numbers and how it ended", function()
    local run = small { dir = scratch .. "/deep/runs", name = "one" }
    local result = assert(run:train())
    local folder = scratch .. "/deep/runs/one"
    assert.are.equal(folder, result.dir)

    local config = json.decode(command.read(folder .. "/config.json"))
    assert.are.equal(3, config.seed)
    assert.are.equal("CartPole-v1", config.env.id)
    assert.are.equal(500, config.env.time_limit)
    assert.are.equal(0.97, config.algorithm.lambda)
    assert.are.equal("TRPO", config.algorithm.name)
    assert.are.same({ 8 }, config.policy.hidden)
    assert.are.equal(trpo.VERSION, config.system.version)

    local names, rows = command.csv(folder .. "/progress.csv")
    assert.are.same(logger.columns, names)
    assert.are.equal(result.iterations, #rows)
    for i, row in ipairs(rows) do
      assert.are.equal(#names, row.fields)
      assert.are.equal(i, row["time/iterations"])
    end
    -- to the last bit
    for _, name in ipairs(names) do assert.are.equal(result[name], rows[#rows][name]) end

    local status = json.decode(command.read(folder .. "/status.json"))
    assert.are.equal("done", status.status)
    assert.are.equal(result["eval/mean_reward"], status["eval/mean_reward"])
  end)

  it("are not touched by a second run unless it may overwrite them", function()
    local first = assert(small({ dir = scratch }):train())
    local before = command.read(first.dir .. "/progress.csv")
    local result, message, code = small({ dir = scratch }):train()
    assert.is_nil(result)
    assert.are.equal("exists", code)
    assert.is_truthy(message:find(first.dir, 1, true))
    assert.are.equal(before, command.read(first.dir .. "/progress.csv"))
    assert.are.equal("done", assert(small({ dir = scratch, overwrite = true, steps = 256 }):train()).status)
    local _, rows = command.csv(first.dir .. "/progress.csv")
    assert.are.equal(1, #rows)
  end)

  it("are complete after a failure, with what was reached", function()
    local env = failing(function() error("no such luck") end)
    local run = small { env = env, dir = scratch, evaluation = { episodes = 0 } }
    assert.is_nil(run:train())
    local folder = scratch .. "/Failing-v0-TRPO-s3"
    local status = json.decode(command.read(folder .. "/status.json"))
    assert.are.same({ "failed", "environment", 1 }, { status.status, status.code, status.iterations })
    assert.is_truthy(status.message:find("no such luck", 1, true))
    local _, rows = command.csv(folder .. "/progress.csv")
    assert.are.equal(1, #rows)
  end)

  it("are not made when dir is false", function()
    assert.is_nil(assert(small({ name = "nowhere" }):train()).dir)
    assert.is_nil(io.open "runs/nowhere/config.json")
  end)
end)
