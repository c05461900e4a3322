local trpo = require "trpo"
local classic = require "support.classic_control"

-- a walk on a line, with some fields replaced; the fields say what is wrong with it
local function walk(fields)
  local def = {
    observation = trpo.space.box { shape = { 2 }, low = -10, high = 10 },
    action = trpo.space.box { shape = { 1 }, low = -1, high = 1 },
    time_limit = 20,
    reset = function(self, rng, obs)
      self.x = rng:uniform(-1, 1)
      obs[1], obs[2] = self.x, 0
    end,
    step = function(self, action, obs, rng)
      self.x = self.x + 0.1 * action[1] + 0.01 * rng:normal()
      obs[1], obs[2] = self.x, action[1]
      return -math.abs(self.x), math.abs(self.x) > 5
    end,
    save = function(self) return self.x end,
    restore = function(self, x) self.x = x end,
  }
  for key, value in pairs(fields or {}) do def[key] = value end
  return def
end

local function finds(fields, expected)
  local ok, problems = trpo.check_env(walk(fields))
  assert.is_nil(ok)
  local all = table.concat(problems, "\n")
  assert.is_truthy(all:find(expected, 1, true), all)
  for _, sentence in ipairs(problems) do assert.is_truthy(sentence:find("^environment: [^\n]+$"), sentence) end
end

describe("trpo.check_env", function()
  it("finds nothing wrong with what is right", function()
    assert.are.same({ true }, { trpo.check_env(walk()) })
    for _, entry in ipairs(trpo.environments()) do
      assert.are.same({ true }, { trpo.check_env(entry.id) })
    end
    for _, form in ipairs { "in_place", "returned" } do
      assert.are.same({ true }, { trpo.check_env(classic.cartpole_definition(trpo, form)) })
    end
  end)

  it("is content with discrete observations and bandits", function()
    assert.are.same({ true }, { trpo.check_env {
      observation = trpo.space.discrete(3),
      action = trpo.space.discrete(2),
      reset = function(_, rng) return rng:integer(1, 3) end,
      step = function(_, action) return action, true end,
    } })
  end)

  it("finds a wrong definition", function()
    finds({ step = 3 }, "step must be a function(self, action, obs, rng), got 3")
    finds({ ini = print }, "unknown field 'ini', did you mean 'init'?")
  end)

  it("finds state kept in the definition", function()
    local def = walk { counts = { 0 } }
    local step = def.step
    def.step = function(self, ...)
      self.counts[1] = self.counts[1] + 1
      return step(self, ...)
    end
    local _, problems = trpo.check_env(def)
    assert.are.same({
      "environment: an episode changed 'counts.1' of the definition: keep state in self, with tables made in init or reset",
    }, problems)
  end)

  it("finds state shared by lanes", function()
    local x = 0
    finds({
      reset = function(_, rng, obs)
        x = rng:uniform(-1, 1)
        obs[1], obs[2] = x, 0
      end,
      step = function(_, action, obs)
        x = x + action[1]
        obs[1], obs[2] = x % 10, 0
        return 0, false
      end,
    }, "lanes influence each other, first at step")
  end)

  it("finds observations outside of their space", function()
    finds({ observation = trpo.space.box { shape = { 2 }, low = -0.5, high = { 10, 10 } } }, "outside of [-0.5, 10]")
    finds({ reset = function(self, _, obs) self.x, obs[1], obs[2] = 0, 20, 0 end },
      "after reset observation 1 is 20, outside of [-10, 10]")
  end)

  it("finds observations that are not finite", function()
    finds({ reset = function() return { 0, 0 / 0 } end }, "lane 1, reset: observation 2 is")
  end)

  it("finds random numbers that do not come from rng", function()
    finds({ reset = function(self, _, obs)
      self.x = math.random()
      obs[1], obs[2] = self.x, 0
    end }, "math.random was called: take random numbers from rng, so that seeds repeat runs")
    local random = math.random
    finds({ reset = function(self, _, obs)
      self.x = random()
      obs[1], obs[2] = self.x, 0
    end }, "the same seed gave another trajectory, first at step 1: take random numbers from rng only")
    assert.are.equal(random, math.random) -- put back
  end)

  it("finds entries that reset leaves unwritten", function()
    finds({ reset = function(self, _, obs) self.x, obs[1] = 0, 0 end }, "reset does not fill obs[2]")
  end)

  it("finds a step that never changes the observation", function()
    finds({ step = function() return 1, false end },
      "step never changes the observation: fill obs[1] .. obs[2], or return it")
  end)

  it("finds wrong returns and errors, with lane and step", function()
    finds({ step = function() return 1 end },
      "lane 1, step 1: step must return reward, terminated[, truncated] (got 1 value)")
    finds({ step = function() return {}, 1, false end }, "the observation must hold 2 numbers, got 0")
    finds({ step = function() return 0 / 0, false end }, "the reward is")
    finds({ step = function() error("bang") end }, "bang")
    finds({ init = function() error("no engine") end }, "no engine")
  end)

  it("allows unbounded actions, with a note", function()
    local ok, notes = trpo.check_env(walk { id = "Free-v0", action = trpo.space.box { shape = { 1 } },
      step = function(self, action, obs)
        self.x = math.max(-9, math.min(9, self.x + 0.1 * action[1]))
        obs[1], obs[2] = self.x, 0
        return 0, false
      end })
    assert.is_true(ok)
    assert.are.same({ "Free-v0: action 1 is unbounded: with low and high wild actions would be clipped" }, notes)
  end)

  it("says each kind of problem once, with its id, the first step and how often", function()
    local _, problems = trpo.check_env(walk {
      id = "Often-v0",
      step = function(self, _, obs)
        self.x = self.x + 0.01
        obs[1], obs[2] = 20 + self.x, 0
        return 0, false
      end,
    })
    assert.are.equal(1, #problems)
    assert.is_truthy(problems[1]:find("^Often%-v0: after step observation 1 is %S+, outside of %[%-10, 10%] "
      .. "%(first at step 1, 300 times%)$"), problems[1])
  end)

  it("finds episodes without an end", function()
    local def = walk()
    def.time_limit = nil
    local _, problems = trpo.check_env(def)
    assert.are.same({ "environment: there is no time_limit, and none of 300 random steps ended an episode: an "
      .. "evaluation plays whole episodes, so give a time_limit unless they end" }, problems)
  end)

  it("finds a save that forgets something", function()
    finds({ save = function() return 0 end, restore = function(self) self.x = 0 end },
      "save and restore do not round-trip: a restored lane differs at step 1")
  end)

  it("refuses what cannot be an environment at all", function()
    for _, case in ipairs {
      { 3, "trpo.check_env: environment must be an id, a module name, a definition or an Mdp, got number" },
      { "Cartpole-v1", "unknown environment 'Cartpole-v1', did you mean 'CartPole-v1'?" },
    } do
      local ok, message = pcall(trpo.check_env, case[1])
      assert.is_false(ok)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
  end)
end)
