-- Entropy-regularised control against naive iteration, and its limits.
local trpo = require "trpo"
local cases = require("support.cases").exact
local tabular = require "support.tabular"

local function random_process(rng, S, A, gamma, scale)
  return assert(trpo.mdp.from_model { S = S, A = A, gamma = gamma, model = function(_, a)
    if a > 1 and rng:uniform() < 0.2 then return nil end
    return tabular.outcomes(rng, 3, function() return rng:integer(1, S) end, scale, 0.05)
  end })
end

-- sweeps of the soft operator until gamma^k is nothing
local function naive(mdp, temperature)
  local P, r, V = mdp.P, mdp.r, trpo.zeros(mdp.S)
  local sweeps = mdp.gamma == 0 and 1 or math.ceil(-36 / math.log(mdp.gamma))
  for _ = 1, sweeps do
    local Q = P:mv(V):view(mdp.S, mdp.A) * mdp.gamma + r
    local best = Q:max(2)
    V = best + ((Q - best:view(mdp.S, 1)) / temperature):exp():sum(2):log() * temperature
  end
  return V
end

describe("entropy-regularised control", function()
  it("agrees with naive iteration, and its bounds hold", function()
    cases.run(40, 732, function(rng, note)
      local gamma, temperature = ({ 0, 0.5, 0.9, 0.99 })[rng:integer(1, 4)], 10 ^ rng:integer(-2, 1)
      local mdp = random_process(rng, rng:integer(1, 20), rng:integer(1, 4), gamma, 10 ^ rng:integer(-1, 1))
      note(mdp.S, mdp.A, gamma, temperature)
      local V = naive(mdp, temperature)
      local s = assert(mdp:solve { temperature = temperature })
      assert(s.bound <= 1e-8)
      assert((s.V - V):abs():max() <= s.bound + 1e-12 * (1 + V:abs():max()))
      assert.are.equal("entropy", s.method)
      assert.are.equal("ok", s.status)
      -- the policy is the softmax of Q, with the value that the rewards and the entropy give
      local e = assert(mdp:evaluate(s.policy))
      for state = 1, mdp.S do
        local sum = 0
        for a = 1, mdp.A do
          local p = s.policy[state][a]
          sum = sum + p
          if s.Q[state][a] > -math.huge then
            assert.is_near(math.exp((s.Q[state][a] - s.V[state]) / temperature), p, 1e-6 + 2 * s.bound / temperature)
          else
            assert.are.equal(0, p)
          end
        end
        assert.is_near(1, sum, 1e-14)
        assert(e.V[state] <= s.V[state] + s.bound + e.bound_rounded)
      end
    end)
  end)

  it("tends to plain control when the temperature falls", function()
    local mdp = random_process(trpo.rng(7212), 30, 3, 0.95, 1)
    local star = assert(mdp:solve()).V
    for _, temperature in ipairs { 1, 1e-2, 1e-4, 1e-8 } do
      local V = assert(mdp:solve { method = "entropy", temperature = temperature }).V
      local gap = V - star
      assert(gap:min() >= -2e-8 and gap:max() <= temperature * math.log(3) / 0.05 + 2e-8)
    end
  end)

  it("solves slow processes by linear systems, stops at the limit, and starts from values", function()
    local slow = random_process(trpo.rng(7213), 30, 3, 0.9999, 0.01)
    local s = assert(slow:solve { temperature = 0.01, tolerance = 1e-7 })
    assert(s.iterations < 200)
    local limited = assert(slow:solve { temperature = 0.01, iterations = 3 })
    assert.are.equal("limit", limited.status)
    assert((limited.V - s.V):abs():max() <= limited.bound + s.bound)
    assert(assert(slow:solve { temperature = 0.01, tolerance = 1e-6, V0 = s.V }).iterations <= 2)
    local none, message, code = slow:solve { temperature = 0.01, tolerance = 1e-16 }
    assert.is_nil(none)
    assert.are.equal("tolerance", code)
    assert.is_truthy(message:find("an error of 1e-16 cannot be certified in double precision", 1, true))
  end)
end)
