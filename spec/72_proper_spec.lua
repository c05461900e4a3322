-- Control without discount: published values, families of problems with an answer and without, the certificate.
local trpo = require "trpo"
local cases = require("support.cases").exact

-- a process from lists: model[s][a] = { { probability, next, reward, done }, ... }
local function process(model)
  local A = 0
  for _, actions in ipairs(model) do A = math.max(A, #actions) end
  return assert(trpo.mdp.from_model { S = #model, A = A, gamma = 1, model = function(s, a) return model[s][a] end })
end

local function fails(model, state, text)
  local s, message, code = process(model):solve()
  assert.is_nil(s)
  assert.are.equal("improper", code)
  assert.are.equal(("mdp:solve: with gamma = 1 the value of state %d %s"):format(state, text), message)
end

describe("control without discount", function()
  it("finds published values with certificates", function()
    local lake = assert(trpo.mdp.frozen_lake { gamma = 1 }:solve())
    assert.is_near(14 / 17, lake.V[1], 1e-14)
    assert.is_near(793 / 100, assert(trpo.mdp.taxi { gamma = 1 }:solve()).eta, 1e-13)
    local cliff = assert(trpo.mdp.cliff_walking { gamma = 1 }:solve())
    assert.are.equal(-13, cliff.eta)
    for _, s in ipairs { lake, cliff } do
      assert.are.equal("ok", s.status)
      assert(s.bound <= 1e-12 and s.bound_rounded == s.bound)
    end
  end)

  it("finds what fortune is worth to a gambler", function()
    local mdp = trpo.mdp.gambler { gamma = 1 }
    local s = assert(mdp:solve())
    local expected = { [25] = 4 / 25, [50] = 2 / 5, [75] = 16 / 25 }
    local offset = mdp.S == 101 and 1 or 0 -- whether ruin is a state
    for fortune, value in pairs(expected) do assert.is_near(value, s.V[fortune + offset], 1e-14) end
  end)

  it("counts waiting for ever without reward as an end worth nothing", function()
    -- 1 and 2 can wait in a circle; from 2 a gamble loses 1 on average; 3 is absorbing
    local s = assert(process {
      { { { 1, 2, 0 } } }, { { { 1, 1, 0 } }, { { 1, 3, -1 } } }, { { { 1, 3, 0 } } },
    }:solve())
    assert.are.same({ 0, 0, 0 }, s.V:totable())
    assert.are.same({ 1, 1, 1 }, s.actions:totable())
    -- and leaves the circle, from wherever it is, when that pays
    s = assert(process {
      { { { 1, 2, 0 } }, { { 1, 1, 0 } } }, { { { 1, 1, 0 } }, { { 0.5, 3, 3 }, { 0.5, 1, -1 } } }, { { { 1, 3, 0 } } },
    }:solve())
    assert.is_near(2, s.V[1], 1e-12)
    assert.is_near(2, s.V[2], 1e-12)
    assert.are.same({ 1, 2, 1 }, s.actions:totable())
    assert.are.equal("ok", s.status)
  end)

  it("says where values are not finite", function()
    fails({ { { { 1, 1, 1 } } } }, 1, "is +inf: rewards can be collected for ever")
    fails({ { { { 1, 2, 0, true } }, { { 1, 2, 0 } } }, { { { 1, 2, -1 } } } }, 2, "is -inf: the episode cannot end from there")
    fails({ { { { 1, 1, 1 } }, { { 1, 1, -2 } }, { { 1, 1, 0, true } } } }, 1,
      "is +inf: rewards can be collected for ever")
    fails({ { { { 1, 2, 1 } } }, { { { 1, 1, -1 } }, { { 1, 2, 0, true } } } }, 1,
      "is not defined: rewards of both signs can be collected for ever")
    -- with discount all of them have an answer
    assert.is_near(10, assert(process { { { { 1, 1, 1 } } } }:with_gamma(0.9):solve()).V[1], 1e-8)
  end)

  it("goes by the marks of what ends, however small their probability", function()
    for _, p in ipairs { 1e-3, 2 ^ -30, 2 ^ -33 } do
      for _, r in ipairs { -1, 1 } do
        local mdp = process { { { { 1 - p, 1, r }, { p, 1, r, true } } } }
        local s = assert(mdp:solve { tolerance = 1 })
        assert.are.equal("ok", s.status)
        assert.is_near(r / p, s.V[1], 1e-6 / p * 1e-3)
        local e = assert(mdp:evaluate(mdp:uniform_policy()))
        assert.is_near(r / p, e.V[1], 1e-9 / p)
      end
    end
    -- a rounding error in a sum is no end
    fails({ { { { 1 - 1e-10, 1, 1 } } } }, 1, "is +inf: rewards can be collected for ever")
  end)

  it("allows rewards on a way that loses when it is gone for ever", function()
    local s = assert(process { { { { 1, 2, 1 } } }, { { { 1, 1, -2 } }, { { 1, 1, 0, true } } } }:solve())
    assert.are.same({ 1, 0 }, s.V:totable())
    assert.are.same({ 1, 2 }, s.actions:totable())
    assert.are.equal("ok", s.status)
    local solved, endless = 0, 0
    cases.run(60, 734, function(rng, note)
      local S, low = rng:integer(2, 12), -1.5 * rng:uniform()
      local model = {}
      for i = 1, S do
        model[i] = {}
        for a = 1, rng:integer(1, 3) do
          local p = rng:uniform()
          model[i][a] = { { p, rng:integer(1, S), low + 0.5 * rng:normal() },
            { 1 - p, rng:integer(1, S), low + 0.5 * rng:normal() } }
        end
        if i % 3 == 1 then model[i][#model[i] + 1] = { { 1, i, rng:normal(), true } } end
        if i % 3 ~= 1 then model[i][#model[i] + 1] = { { 1, i - 1, -rng:uniform() } } end
      end
      note(S, low)
      local mdp = process(model)
      local near = assert(mdp:with_gamma(1 - 1e-8):solve { certify = 1e-6 })
      local found, message, code = mdp:solve()
      if found then
        solved = solved + 1
        assert(found.status == "ok" and found.bound <= 1e-9)
        assert((found.V - near.V):abs():max() <= 1e-4)
      else
        endless = endless + 1
        assert.are.equal("improper", code)
        assert(near.V[tonumber(message:match "state (%d+)")] > 1e4 and message:find("is +inf", 1, true))
      end
    end)
    assert(solved > 0 and endless > 0 or cases.share < 1)
  end)

  it("agrees with long recursions and with discounts near one", function()
    cases.run(60, 733, function(rng)
      local S = rng:integer(2, 25)
      -- costs on the way, rewards at the ends
      local model = {}
      for s = 1, S do
        model[s] = {}
        for a = 1, rng:integer(1, 3) do
          local p = rng:uniform() * 0.9
          local zero = rng:uniform() < 0.3
          model[s][a] = {
            { p, rng:integer(1, S), zero and 0 or -rng:uniform() },
            { 1 - p, rng:integer(1, S), zero and 0 or -rng:uniform(), a == 1 and s % 3 == 1 or nil },
          }
        end
        if s % 3 ~= 1 then model[s][#model[s] + 1] = { { 1, s - 1, -rng:uniform() } } end
      end
      local mdp = process(model)
      local s = assert(mdp:solve())
      assert.are.equal("ok", s.status)
      assert(s.bound <= 1e-11)
      -- from above (0) downwards: costs only, so that recursions fall to the values
      local V = trpo.zeros(S)
      for _ = 1, 4000 do V = (mdp.P:mv(V):view(S, mdp.A) + mdp.r):max(2) end
      assert((V - s.V):abs():max() <= 1e-9 * (1 + V:abs():max()))
      local near = assert(mdp:with_gamma(1 - 1e-9):solve { certify = 1e-9 })
      assert((near.V - s.V):abs():max() <= 1e-5)
    end)
  end)

  it("brings a policy that ends and is worth its values", function()
    for _, name in ipairs { "cliff_walking", "taxi" } do
      local mdp = trpo.mdp[name] { gamma = 1 }
      local s = assert(mdp:solve())
      local e = assert(mdp:evaluate(s.policy))
      assert.is_near(s.eta, e.eta, 1e-10)
    end
  end)

  it("holds values in doubled precision when asked to, and stops at a limit", function()
    local mdp = trpo.mdp.frozen_lake { map = "8x8", gamma = 1 }
    local s = assert(mdp:solve { certify = 1e-15 })
    assert(s.bound <= 1e-15)
    -- and by default where a double cannot hold them that well
    local large = process { { { { 0.7, 1, 1e12 }, { 0.3, 1, 1e12 / 3, true } } } }
    local deep = assert(large:solve())
    assert(deep.bound <= 1e-8 and deep.bound_rounded > 1e-8 and deep.V_lo[1] ~= 0)
    assert.are.equal("tolerance", select(3, large:solve { tolerance = 1e-8 }))
    local limited = assert(mdp:solve { iterations = 1 })
    assert.are.equal("limit", limited.status)
    assert((limited.V - s.V):abs():max() <= limited.bound + s.bound_rounded)
  end)
end)
