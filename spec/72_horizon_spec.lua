-- Backward induction against brute-force recursion.
local trpo = require "trpo"
local cases = require("support.cases").exact
local tabular = require "support.tabular"

local function random_process(rng, S, A, gamma)
  return assert(trpo.mdp.from_model { S = S, A = A, gamma = gamma, model = function(_, a)
    if a > 1 and rng:uniform() < 0.2 then return nil end
    return tabular.outcomes(rng, 3, function() return rng:integer(1, S) end, 1, 0.1)
  end })
end

-- value and best action of state s with n steps to go, by recursion over all futures
local function recurse(mdp, last, s, n)
  if n == 0 then return last and last[s] or 0 end
  local best, action = -math.huge, nil
  for a = 1, mdp.A do
    local outcomes, q = mdp:outcomes(s, a), 0
    for _, o in ipairs(outcomes) do
      q = q + o.probability * (o.reward + (o.done and 0 or mdp.gamma * recurse(mdp, last, o.next, n - 1)))
    end
    if #outcomes > 0 and q > best + 1e-12 then best, action = q, a end
  end
  return best, action
end

describe("backward induction", function()
  it("agrees with recursion over all futures, with and without discount and final values", function()
    cases.run(30, 731, function(rng)
      local gamma = ({ 0, 0.5, 0.9, 1 })[rng:integer(1, 4)]
      local mdp = random_process(rng, rng:integer(1, 5), rng:integer(1, 3), gamma)
      local H, last = rng:integer(1, 4), rng:uniform() < 0.5 and trpo.randn(rng, mdp.S) or nil
      local s = assert(mdp:solve { horizon = H, V0 = last })
      assert.are.same({ H + 1, mdp.S }, s.V:size())
      assert.are.same({ H, mdp.S, mdp.A }, s.policy:size())
      assert.are.same({ H, mdp.S }, s.actions:size())
      for t = 1, H + 1 do
        for state = 1, mdp.S do
          local value, action = recurse(mdp, last, state, H + 1 - t)
          assert(math.abs(value - s.V[t][state]) <= s.bound + 1e-13 * (1 + math.abs(value)))
          if t <= H then
            assert.are.equal(action, s.actions[t][state])
            for a = 1, mdp.A do assert.are.equal(a == action and 1 or 0, s.policy[t][state][a]) end
          end
        end
      end
      assert.is_near(mdp.rho0:dot(s.V[1]), s.eta, 1e-14 * (1 + math.abs(s.eta)))
      assert.are.equal("horizon", s.method)
      assert(s.bound < 1e-12)
    end)
  end)

  it("tends to the discounted values", function()
    local mdp = random_process(trpo.rng(7202), 20, 3, 0.9)
    local long = assert(mdp:solve { method = "horizon", horizon = 400 })
    assert((long.V[1] - assert(mdp:solve()).V):abs():max() < 1e-8)
  end)
end)
