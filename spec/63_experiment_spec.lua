-- Descriptions of experiments: what may be said, what is said when something is wrong, and names of parameters.
local script = require "trpo.script"
local trpo = require "trpo"

local function made(options)
  options.env = options.env or "CartPole-v1"
  return trpo.experiment(options)
end

-- the message of an error without the position
local function complaint(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return (tostring(message):gsub("^[^\n]-:%d+: ", "", 1)), message
end

local function valley(changes)
  local def = {
    id = "Valley-v0",
    observation = trpo.space.box { shape = { 1 } },
    action = trpo.space.discrete(2),
    time_limit = 20,
    reset = function(self, rng, obs)
      self.x = rng:uniform(-1, 1)
      obs[1] = self.x
    end,
    step = function(self, action, obs)
      self.x = self.x + (action == 1 and -0.1 or 0.1)
      obs[1] = self.x
      return -math.abs(self.x), false
    end,
  }
  for key, value in pairs(changes or {}) do def[key] = value end
  return def
end

describe("an experiment", function()
  it("has the documented defaults", function()
    local c = made({}).config
    assert.are.same({ 64, 64 }, { unpack(c.policy.hidden) })
    assert.are.same({ "tanh", "single", 0 }, { c.policy.activation, c.policy.precision, c.policy.log_std })
    assert.are.same({ "network", "gauss_newton", true }, { c.value.kind, c.value.optimizer, c.value.rescale_targets })
    assert.are.same({ 0.01, 0.99, 0.97, 10, 0.1, 0.8, 10, true, "damped" }, {
      c.algorithm.delta, c.algorithm.gamma, c.algorithm.lambda, c.algorithm.cg_iters, c.algorithm.damping,
      c.algorithm.backtrack_ratio, c.algorithm.backtracks, c.algorithm.standardize_advantages, c.algorithm.step_scale,
    })
    assert.are.same({ 100000, 8, 256, 1, "runs" }, { c.steps, c.lanes, c.horizon, c.seed, c.dir })
    assert.are.same({ episodes = 100, every = 0, deterministic = true, save_best = true }, c.evaluation)
    assert.are.same({ every = 0, seconds = 60, keep = 3 }, c.checkpoint)
    assert.is_false(c.resume)
  end)

  it("takes an environment by id, by id and limit, and as a table", function()
    assert.are.equal("CartPole-v1", made({}).probe.id)
    assert.are.equal(77, made({ env = { id = "CartPole-v1", time_limit = 77 } }).probe.time_limit)
    assert.are.equal("Valley-v0", made({ env = valley() }).probe.id)
    assert.are.equal("Valley-v0", made({ env = trpo.env(valley()) }).probe.id)
  end)

  it("takes an environment by the name of a module", function()
    package.preload["spec.valley"] = function() return trpo.env(valley { id = "Valley-v3" }) end
    local run = made { env = "spec.valley", dir = false }
    assert.are.equal("Valley-v3", run.probe.id)
    assert.are.equal("spec.valley", run:describe().env.id)
    package.preload["spec.valley"], package.loaded["spec.valley"] = nil, nil
  end)

  it("takes an algorithm as an object or as a table of its options", function()
    assert.are.equal(0.5, made({ algorithm = trpo.TRPO { delta = 0.5 } }).config.algorithm.delta)
    assert.are.equal(0.5, made({ algorithm = { delta = 0.5 } }).config.algorithm.delta)
  end)

  it("does not change the table it is given", function()
    local given = { env = "CartPole-v1", policy = { hidden = { 8 } } }
    trpo.experiment(given)
    assert.are.same({ env = "CartPole-v1", policy = { hidden = { 8 } } }, given)
  end)

  it("normalises observations of unknown scale only", function()
    local bounded = trpo.space.box { shape = { 1 }, low = -1, high = 1 }
    local cases = {
      { "CartPole-v1", false }, { "Pendulum-v1", false }, { valley(), true },
      { valley { observation = bounded }, false },
      { valley { observation = trpo.space.box { shape = { 1 }, low = 0 } }, true },
    }
    for _, case in ipairs(cases) do
      assert.are.equal(case[2], made({ env = case[1] }):describe().normalize_observations)
    end
    assert.is_true(made({ normalize_observations = true }):describe().normalize_observations)
  end)

  it("refuses what is wrong, in one sentence", function()
    local cases = {
      { "CartPole-v1", "trpo.experiment: options must be a table, got the string 'CartPole-v1'" },
      { {}, 'trpo.experiment: env must be given, e.g. "CartPole-v1"' },
      { { env = "CartPol-v1" }, "trpo.make: unknown environment 'CartPol-v1', did you mean 'CartPole-v1'?" },
      { { env = 7 },
        "trpo.experiment: env must be an id, a module name or a table that describes an environment, got 7" },
      { { env = { id = "CartPole-v1", time_limit = -1 } },
        "trpo.experiment: env.time_limit must be an integer in [0, 2147483647], got -1" },
      { { env = { id = "CartPole-v1", timelimit = 1 } }, "unknown field 'timelimit', did you mean 'time_limit'?" },
      { { env = valley { step = false } }, "step must be a function" },
      { { polcy = {} }, "trpo.experiment: unknown option 'polcy', did you mean 'policy'?" },
      { { policy = { hiden = { 64 } } },
        "trpo.experiment: unknown option 'policy.hiden', did you mean 'policy.hidden'?" },
      { { evaluation = { episode = 3 } },
        "trpo.experiment: unknown option 'evaluation.episode', did you mean 'evaluation.episodes'?" },
      { { algorithm = { dleta = 1 } }, "trpo.TRPO: unknown option 'dleta', did you mean 'delta'?" },
      { { algorithm = { delta = 0 } }, "trpo.TRPO: delta must be a" },
      { { algorithm = { delta = 0 / 0 } }, "trpo.TRPO: delta must be a" },
      { { algorithm = { gamma = 1.01 } }, "trpo.TRPO: gamma must be a number in [0, 1], got 1.01" },
      { { algorithm = { gamma = -0.01 } }, "trpo.TRPO: gamma must be a number in [0, 1], got -0.01" },
      { { algorithm = "TRPO" },
        "trpo.experiment: algorithm must be an algorithm such as trpo.TRPO { delta = 0.01 }, got the string 'TRPO'" },
      { { policy = { hidden = { 64, 0 } } },
        "trpo.experiment: policy.hidden must be a list of at most 15 integers in [1, 65536], got {64, 0}" },
      { { policy = { hidden = { 64.5 } } }, "trpo.experiment: policy.hidden must be a list of" },
      { { policy = { hidden = "64,64" } }, "trpo.experiment: policy.hidden must be a list of" },
      { { policy = { hidden = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 } } },
        "trpo.experiment: policy.hidden must be a list of at most 15" },
      { { policy = { activation = "sigmoid" } },
        "trpo.experiment: policy.activation must be 'tanh', 'relu' or 'identity', got the string 'sigmoid'" },
      { { policy = { precision = "half" } },
        "trpo.experiment: policy.precision must be 'single' or 'double', got the string 'half'" },
      { { value = { epochs = 3 } },
        "trpo.experiment: value.epochs belongs to optimizer 'adam', and value.optimizer is 'gauss_newton'" },
      { { value = { optimizer = "adam", iterations = 3 } },
        "trpo.experiment: value.iterations belongs to optimizer 'gauss_newton' or 'lbfgs', and value.optimizer is 'adam'" },
      { { value = { kind = "linear", optimizer = "adam" } },
        "trpo.experiment: value.optimizer belongs to kind 'network', and value.kind is 'linear'" },
      { { value = { kind = "linear", cg_products = 3 } },
        "trpo.experiment: value.cg_products belongs to kind 'network', and value.kind is 'linear'" },
      { { value = { kind = "none", hidden = { 4 } } },
        "trpo.experiment: value.hidden belongs to kind 'network', and value.kind is 'none'" },
      { { value = { ridge = 1 } }, "trpo.experiment: value.ridge belongs to kind 'linear', and value.kind is 'network'" },
      { { iterations = 1 }, "unknown option 'iterations', did you mean 'steps'?" },
      { { value = { optimizer = "sgd" } },
        "trpo.experiment: value.optimizer must be 'gauss_newton', 'lbfgs', 'last_layer' or 'adam', got the string 'sgd'" },
      { { value = { learning_rate = 0 } },
        "trpo.experiment: value.learning_rate must be a number in [1e-12, 1000], got 0" },
      { { value = { lm_damping = 1e-13 } },
        "trpo.experiment: value.lm_damping must be a number in [1e-12, 1000000], got 1e-13" },
      { { value = "cubic" },
        "trpo.experiment: value.kind must be 'network', 'linear' or 'none', got the string 'cubic'" },
      { { seed = -1 }, "trpo.experiment: seed must be an integer in [0, 2^53), got -1" },
      { { seed = 2 ^ 53 }, "trpo.experiment: seed must be an integer in [0, 2^53), got 9.007" },
      { { seed = 1.5 }, "trpo.experiment: seed must be an integer in [0, 2^53), got 1.5" },
      { { seed = "1" }, "trpo.experiment: seed must be an integer in [0, 2^53), got the string '1'" },
      { { steps = 0 }, "trpo.experiment: steps must be an integer in [1, " },
      { { lanes = 0 }, "trpo.experiment: lanes must be an integer in [1, 1048576], got 0" },
      { { horizon = 0 / 0 }, "trpo.experiment: horizon must be an integer in [1, 2147483647], got NaN" },
      { { budget = 100 }, "trpo.experiment: budget needs whole_episodes = true" },
      { { env = { id = "CartPole-v1", time_limit = 0 }, whole_episodes = true },
        "trpo.experiment: whole_episodes needs an environment with a time limit" },
      { { normalize_observations = "on" },
        "trpo.experiment: normalize_observations must be true, false or 'auto', got the string 'on'" },
      { { threads = 0 }, "trpo.experiment: threads must be an integer in [1, 64], got 0" },
      { { threads = 65 }, "trpo.experiment: threads must be an integer in [1, 64], got 65" },
      { { dir = true }, "trpo.experiment: dir must be a string that is not empty, or false, got true" },
      { { name = "" }, "trpo.experiment: name must be a name for a folder (not empty, no '/', no '.' at its "
        .. "beginning), got the string ''" },
      { { name = "a/b" }, "trpo.experiment: name must be a name for a folder" },
      { { name = ".." }, "trpo.experiment: name must be a name for a folder" },
      { { policy = { log_std = -1 } }, "trpo.experiment: policy.log_std needs a box of actions, those of CartPole-v1 "
        .. "are discrete 1..2; leave it out" },
      { { total_timesteps = 1 }, "unknown option 'total_timesteps', did you mean 'steps'?" },
      { { n_envs = 1 }, "unknown option 'n_envs', did you mean 'lanes'?" },
      { { num_envs = 1 }, "unknown option 'num_envs', did you mean 'lanes'?" },
      { { n_steps = 1 }, "unknown option 'n_steps', did you mean 'horizon'?" },
      { { learning_rate = 1 }, "unknown option 'learning_rate', did you mean 'value.learning_rate'?" },
      { { target_kl = 1 }, "unknown option 'target_kl', did you mean 'algorithm.delta'?" },
      { { gae_lambda = 1 }, "unknown option 'gae_lambda', did you mean 'algorithm.lambda'?" },
      { { net_arch = 1 }, "unknown option 'net_arch', did you mean 'policy.hidden'?" },
      { { delta = 1 }, "unknown option 'delta', did you mean 'algorithm.delta'?" },
      { { gamma = 1 }, "unknown option 'gamma', did you mean 'algorithm.gamma'?" },
      { { lambda = 1 }, "unknown option 'lambda', did you mean 'algorithm.lambda'?" },
      { { hidden = 1 }, "unknown option 'hidden', did you mean 'policy.hidden'?" },
    }
    for _, case in ipairs(cases) do
      local options = case[1]
      if type(options) == "table" and next(options) and options.env == nil then options.env = "CartPole-v1" end
      local message, whole = complaint(trpo.experiment, options)
      assert.is_truthy(message:find(case[2], 1, true), ("%s\n  expected %s"):format(message, case[2]))
      assert.is_nil(message:find("\n", 1, true))
      assert.is_nil(whole:find("lua/trpo/", 1, true), "the position is the caller's: " .. whole)
    end
  end)

  describe("whose critic is changed from outside", function()
    local function critic(value, changes) return made({ value = value }):set(changes).config.value end
    local adam = { optimizer = "adam", epochs = 5, hidden = { 4 } }

    it("leaves behind what the new optimizer does not have", function()
      local value = critic(adam, { ["value.optimizer"] = "gauss_newton" })
      assert.are.same({ "gauss_newton", 4 }, { value.optimizer, value.hidden[1] })
      assert.is_nil(value.epochs)
      value = critic({ optimizer = "lbfgs", iterations = 7 }, { ["value.optimizer"] = "gauss_newton" })
      assert.are.equal(7, value.iterations)
      value = critic(adam, { ["value.optimizer"] = "adam" })
      assert.are.equal(5, value.epochs)
    end)

    it("leaves behind what the new kind does not have, and begins anew with another one", function()
      local run = made { value = adam }
      local value = run:set("value", "linear").config.value
      assert.is_nil(value.epochs)
      assert.are.equal("linear", value.kind)
      value = run:set("value.kind", "network").config.value
      assert.are.same({ "gauss_newton", 64 }, { value.optimizer, value.hidden[1] })
    end)

    it("is asked for no option of another one", function()
      local cases = {
        { { ["value.optimizer"] = "gauss_newton", ["value.epochs"] = 3 },
          "value.epochs belongs to optimizer 'adam', and value.optimizer is 'gauss_newton'" },
        { { ["value.iterations"] = 3 },
          "value.iterations belongs to optimizer 'gauss_newton' or 'lbfgs', and value.optimizer is 'adam'" },
        { { value = "linear", ["value.hidden"] = { 3 } }, "value.hidden belongs to kind 'network', and value.kind is 'linear'" },
        { { value = "none", ["value.optimizer"] = "adam" },
          "value.optimizer belongs to kind 'network', and value.kind is 'none'" },
        { { iterations = 3 }, "parameter 'iterations' is ambiguous: write 'value.iterations' or 'steps'" },
        { { epochs = 3 }, "parameter 'epochs' is ambiguous: write 'value.epochs' or 'steps'" },
      }
      for _, case in ipairs(cases) do
        local run = made { value = adam }
        local message = complaint(run.set, run, case[1])
        assert.is_truthy(message:find(case[2], 1, true), message)
        assert.are.same({ "adam", 5 }, { run.config.value.optimizer, run.config.value.epochs })
      end
    end)
  end)

  it("hints at options that there are", function()
    local settings = require "trpo.settings"
    local rules = settings.with(trpo.TRPO {})
    for name, path in pairs(settings.schema.synonyms) do
      assert.is_nil(settings.schema.rules[name], name)
      assert.is_truthy(require("trpo.parameters").find(rules, path), path)
    end
  end)

  it("does without a time limit, unless batches are whole episodes", function()
    local def = valley()
    def.time_limit = nil
    assert.are.equal(0, made({ env = def }).probe.time_limit)
    local message = complaint(made, { env = def, whole_episodes = true })
    assert.are.equal("trpo.experiment: whole_episodes needs an environment with a time limit; set env.time_limit",
      message)
    local run = made { env = def }
    run:set { whole_episodes = true, time_limit = 9 }
    assert.are.equal(9, run.probe.time_limit)
  end)

  it("passes on what the user's own init says", function()
    local message = complaint(function() made { env = valley { init = function() error "no such luck" end } } end)
    assert.is_truthy(message:find("no such luck", 1, true))
    local _, whole = complaint(function() made { env = valley { init = function() error "no such luck" end } } end)
    assert.is_truthy(whole:find("63_experiment_spec.lua:%d+: no such luck"), whole)
  end)

  it("names itself", function()
    assert.are.equal("CartPole-v1-TRPO-s7", made({ seed = 7 }):title())
    assert.are.equal("Valley-v0-TRPO-s1", made({ env = valley() }):title())
    assert.are.equal("a-b", made({ name = "a b" }):title())
    assert.are.equal("trpo.experiment CartPole-v1-TRPO-s1 (TRPO on CartPole-v1, 100000 steps, 8 lanes x 256, seed 1)",
      tostring(made {}))
  end)

  it("describes itself completely, so that it can be repeated", function()
    local run = made { env = "Pendulum-v1", whole_episodes = true, policy = { hidden = {} } }
    local out = run:describe()
    assert.are.equal(200, out.env.time_limit)
    assert.are.equal(8 * 256, out.budget)
    assert.are.equal(trpo.VERSION, out.system.version)
    assert.is_string(out.system.isa)
    assert.is_string(out.system.blas)
    assert.is_number(out.threads)
    local text = trpo.json.encode(out)
    assert.is_nil(out.system.live_bytes or out.system.allocations)
    local again = trpo.json.decode(text)
    assert.are.equal(out.algorithm.lambda, again.algorithm.lambda)
    assert.is_truthy(text:find('"hidden":[]', 1, true))
  end)
end)

describe("the parameters of an experiment", function()
  it("are listed with their paths and values", function()
    local by_path, paths = {}, {}
    for i, entry in ipairs(made({}):parameters()) do by_path[entry.path], paths[i] = entry.value, entry.path end
    assert.are.equal(0.01, by_path["algorithm.delta"])
    assert.are.equal("CartPole-v1", by_path["env.id"])
    assert.are.equal("env.id", paths[1])
    for _, path in ipairs { "env.time_limit", "policy.hidden", "value.kind", "steps", "evaluation.every" } do
      local found = false
      for _, other in ipairs(paths) do found = found or other == path end
      assert.is_true(found, path)
    end
  end)

  it("are set by path, by bare name, and several at once", function()
    local run = made { algorithm = trpo.TRPO { lambda = 0.5 } }
    assert.are.equal(run, run:set("algorithm.delta", 0.2))
    run:set("gamma", 0.9)
    run:set { seed = 5, ["policy.hidden"] = { 3 }, kind = "none", env = "Pendulum-v1" }
    assert.are.same({ 0.2, 0.9, 0.5, 5, "none" }, {
      run.config.algorithm.delta, run.config.algorithm.gamma, run.config.algorithm.lambda, run.config.seed,
      run.config.value.kind,
    })
    assert.are.equal("Pendulum-v1", run.probe.id)
    -- the object follows
    assert.are.same({ 0.2, 0.9, 0.5 }, { run.algorithm.delta, run.algorithm.gamma, run.algorithm.lambda })
  end)

  it("may only be set together when each alone would be wrong", function()
    local run = made {}
    run:set { whole_episodes = true, budget = 500 }
    assert.are.same({ whole_episodes = true, budget = 500 }, run:sampling())
  end)

  it("replace a described environment only when its name changes", function()
    local run = made { env = valley() }
    run:set("time_limit", 5)
    assert.are.same({ "Valley-v0", 5 }, { run.probe.id, run.probe.time_limit })
    run:set("env", "CartPole-v1")
    assert.are.equal("CartPole-v1", run.probe.id)
  end)

  it("stay as they are when one of them is wrong", function()
    local run = made { env = valley() }
    local cases = {
      { { ["algorithm.dleta"] = 1 }, "run:set: unknown parameter 'algorithm.dleta', did you mean 'algorithm.delta'?" },
      { { hidden = { 1 } }, "run:set: parameter 'hidden' is ambiguous: write 'policy.hidden' or 'value.hidden'" },
      { { gamma = -1 }, "run:set: trpo.TRPO: gamma must be a number in [0, 1], got -1" },
      { { gamma = "0.1" }, "run:set: trpo.TRPO: gamma must be a number in [0, 1], got the string '0.1'" },
      { { seed = 2, gamma = 2 }, "run:set: trpo.TRPO: gamma must be a number in [0, 1], got 2" },
      { { env = "CartPol-v1" }, "run:set: trpo.make: unknown environment 'CartPol-v1', did you mean 'CartPole-v1'?" },
      { { budget = 3 }, "run:set: trpo.experiment: budget needs whole_episodes = true" },
    }
    for _, case in ipairs(cases) do
      local message = complaint(run.set, run, case[1])
      assert.are.equal(case[2], message)
      assert.are.same({ 0.01, 0.99, 1, "Valley-v0" },
        { run.algorithm.delta, run.algorithm.gamma, run.config.seed, run.probe.id })
    end
  end)
end)

describe("run:main", function()
  it("returns the run untouched when a loader asks for it", function()
    local run = made { dir = false }
    assert.are.equal(run, run:main(script.sentinel))
    assert.is_nil(run.policy)
  end)

  it("refuses what is not a command line", function()
    local run = made { dir = false }
    local message = complaint(run.main, run, {})
    assert.are.equal("run:main: pass on the script's own '...', got a table", message)
  end)
end)
