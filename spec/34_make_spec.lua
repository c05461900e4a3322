local trpo = require "trpo"

local function definition(fields)
  local def = {
    observation = trpo.space.box { shape = { 1 } },
    action = trpo.space.discrete(2),
    reset = function(_, _, obs) obs[1] = 0 end,
    step = function() return 0, false end,
  }
  for key, value in pairs(fields or {}) do def[key] = value end
  return def
end

local function without(name)
  local def = definition()
  def[name] = nil
  return def
end

local function fails(call, expected)
  local ok, message = pcall(call)
  assert.is_false(ok)
  assert.is_truthy(message:find(expected, 1, true), message)
  return message
end

describe("trpo.make", function()
  it("opens built-in environments by id", function()
    for _, entry in ipairs(trpo.environments()) do
      local env = trpo.make(entry.id)
      assert.are.equal(entry.id, env.id)
      assert.are.equal(entry.time_limit, env.time_limit)
      assert.is_true(#entry.summary > 10)
    end
  end)

  it("opens a definition, checked or not", function()
    assert.are.equal("environment", trpo.make(definition()).id)
    assert.are.equal("Some-v0", trpo.make(trpo.env(definition { id = "Some-v0" })).id)
  end)

  it("opens what trpo.env has seen, by id; the latest counts", function()
    trpo.env(definition { id = "Registered-v0", time_limit = 3 })
    assert.are.equal(3, trpo.make("Registered-v0").time_limit)
    trpo.env(definition { id = "Registered-v0", time_limit = 4 })
    assert.are.equal(4, trpo.make("Registered-v0").time_limit)
  end)

  it("opens the definition that a module returns", function()
    package.preload["my.environment"] = function() return definition { id = "Module-v0" } end
    assert.are.equal("Module-v0", trpo.make("my.environment").id)
    package.preload["my.environment"], package.loaded["my.environment"] = nil, nil
  end)

  it("tells when a module returns something else or fails", function()
    package.preload["my.empty"] = function() return true end
    fails(function() trpo.make("my.empty") end,
      "trpo.make: module 'my.empty' must return an environment's definition (a table), got boolean")
    package.preload["my.broken"] = function() error("syntax of the moon") end
    fails(function() trpo.make("my.broken") end, "syntax of the moon")
  end)

  it("suggests ids, its own and registered ones", function()
    local message = fails(function() trpo.make("CartPol-v1") end,
      "trpo.make: unknown environment 'CartPol-v1', did you mean 'CartPole-v1'?")
    assert.is_truthy(message:find("34_make_spec.lua:%d+: trpo.make"), message)
    trpo.env(definition { id = "Submarine-v0" })
    fails(function() trpo.make("submarin-v0") end, "did you mean 'Submarine-v0'?")
    message = fails(function() trpo.make("xyzzy") end, "trpo.make: unknown environment 'xyzzy'")
    assert.is_falsy(message:find("did you mean", 1, true))
  end)

  it("says how an environment of one's own is given", function()
    fails(function() trpo.make("MyRocket-v0") end, "trpo.make: unknown environment 'MyRocket-v0'; one of your own is "
      .. "given as a table, or as the name of its module on package.path")
  end)

  for name, case in pairs {
    ["an option of other libraries"] = { { n_envs = 2 }, "trpo.make: unknown option 'n_envs', did you mean 'lanes'?" },
    ["an option that is like none"] = { { zzz = 2 }, "trpo.make: unknown option 'zzz'; there is lanes, seed, stream, "
      .. "time_limit, observation" },
    ["an unknown option"] = { { lane = 2 }, "trpo.make: unknown option 'lane', did you mean 'lanes'?" },
    ["options that are no table"] = { 3, "trpo.make: options must be a table, got number" },
    ["no lanes"] = { { lanes = 0 }, "trpo.make: lanes must be an integer in [1, 1048576], got 0" },
    ["half a lane"] = { { lanes = 1.5 }, "lanes must be an integer in [1, 1048576], got 1.5" },
    ["a negative seed"] = { { seed = -1 }, "trpo.make: seed must be an integer in [0, 2^53), got -1" },
    ["a seed of 2^53"] = { { seed = 2 ^ 53 }, "seed must be an integer in [0, 2^53), got 9007199254740992" },
    ["a fractional seed"] = { { seed = 0.5 }, "seed must be an integer in [0, 2^53), got 0.5" },
    ["NaN as a seed"] = { { seed = 0 / 0 }, "seed must be an integer in [0, 2^53), got" },
    ["a seed that is no number"] = { { seed = "x" }, "seed must be an integer in [0, 2^53), got the string 'x'" },
    ["a stream of 2^11"] = { { stream = 2048 }, "trpo.make: stream must be an integer in [0, 2047], got 2048" },
    ["a negative time limit"] = { { time_limit = -1 }, "trpo.make: time_limit must be an integer >= 0, got -1" },
  } do
    it("refuses " .. name, function()
      fails(function() trpo.make("CartPole-v1", case[1]) end, case[2])
      fails(function() trpo.make(definition(), case[1]) end, case[2])
    end)
  end

  it("refuses what is no environment", function()
    fails(function() trpo.make(3) end,
      "trpo.make: environment must be an id, a module name, a definition or an Mdp, got number")
    fails(function() trpo.make(without("step")) end,
      "trpo.make: step must be a function(self, action, obs, rng), got nothing")
  end)
end)

describe("trpo.env", function()
  it("returns the definition itself, with all its fields", function()
    local def = definition { gravity = 9.8, helper = print, id = "Kept-v0" }
    assert.are.equal(def, trpo.env(def))
    assert.are.equal(9.8, def.gravity)
  end)

  it("complains at the user's own file after a tail call, too", function()
    -- nothing of such a chunk is on the stack when trpo.env runs: the place of its first function stands for it
    local chunk = assert(loadstring([[
local trpo = require "trpo"
local space = trpo.space.discrete(2)
return trpo.env {
  observation = space, action = space, time_limit = 0,
  reset = function() return 1 end,
  step = function() return { 1 }, 0, true end,
}]], "@tail.lua"))
    local ok, message = pcall(chunk)
    assert.is_false(ok)
    assert.are.equal("tail.lua:5: trpo.env: time_limit must be an integer >= 1, got 0", message)
  end)

  it("accepts fields that look like others when those are there too", function()
    assert.has_no.errors(function() trpo.env(definition { steps = 4, actions = { "left", "right" } }) end)
  end)

  for name, case in pairs {
    ["no table"] = { 5, "trpo.env: definition must be a table, got 5" },
    ["no step"] = { without("step"), "trpo.env: step must be a function(self, action, obs, rng), got nothing" },
    ["no reset"] = { without("reset"), "trpo.env: reset must be a function(self, rng, obs), got nothing" },
    ["no observation"] = { without("observation"),
      "trpo.env: observation must be a space such as trpo.space.box { shape = { 4 } }, got nothing" },
    ["a number as the action space"] = { definition { action = 2 },
      "trpo.env: action must be a space such as trpo.space.box { shape = { 4 } }, got 2" },
    ["a tensor as a space"] = { definition { observation = trpo.tensor { 1 } },
      "trpo.env: observation must be a space" },
    ["a string as step"] = { definition { step = "go" }, "step must be a function(self, action, obs, rng), got 'go'" },
    ["an id that is no string"] = { definition { id = 3 }, "trpo.env: id must be a string, got 3" },
    ["a time limit of 0"] = { definition { time_limit = 0 }, "trpo.env: time_limit must be an integer >= 1, got 0" },
    ["a fractional time limit"] = { definition { time_limit = 1.5 }, "time_limit must be an integer >= 1, got 1.5" },
    ["init that is no function"] = { definition { init = {} }, "trpo.env: init must be a function, got table" },
    ["save without restore"] = { definition { save = print }, "save and restore go together, got only save" },
    ["restore without save"] = { definition { restore = print }, "save and restore go together, got only restore" },
    ["a slip in a needed field"] = { (function()
      local def = without("observation")
      def.observations = trpo.space.box { shape = { 1 } }
      return def
    end)(), "trpo.env: unknown field 'observations', did you mean 'observation'?" },
    ["a slip in step"] = { (function()
      local def = without("step")
      def.stepp = print
      return def
    end)(), "trpo.env: unknown field 'stepp', did you mean 'step'?" },
    ["a slip in an optional field"] = { definition { time_limt = 100 },
      "trpo.env: unknown field 'time_limt', did you mean 'time_limit'?" },
  } do
    it("refuses " .. name, function()
      local message = fails(function() trpo.env(case[1]) end, case[2])
      assert.is_truthy(message:find("34_make_spec.lua:%d+: trpo.env: "), message)
    end)
  end
end)
