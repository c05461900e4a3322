-- Gymnasium's tables P[s][a]: the importer, and Gymnasium's own tables where it is installed.
-- TRPO_PYTHON names an interpreter that has Gymnasium, python3 otherwise; without it the last specs are skipped.
local command = require "support.command"
local misuse = require "support.misuse"
local project = require "support.project"
local trpo = require "trpo"

local mdp = trpo.mdp

-- the table of a process, as Gymnasium has it
local function table_of(process, key)
  local P = {}
  for s = 1, process.S do
    local row = {}
    for a = 1, process.A do
      local list = {}
      for i, o in ipairs(process:outcomes(s, a)) do list[i] = { o.probability, o.next - 1, o.reward, o.done } end
      row[key(a - 1)] = list
    end
    P[key(s - 1)] = row
  end
  return P
end

local function outcomes_of(process)
  local all = {}
  for s = 1, process.S do
    for a = 1, process.A do all[#all + 1] = process:outcomes(s, a) end
  end
  return all
end

local function coin(overrides)
  local P = { [0] = { [0] = { { 0.5, 0, 1, false }, { 0.5, 1, 0, false } } }, { [0] = { { 1, 1, 0, true } } } }
  for key, value in pairs(overrides or {}) do P[key] = value end
  return P
end

describe("trpo.mdp.from_gym", function()
  it("brings back what was exported, with keys that are numbers or strings", function()
    for _, name in ipairs { "frozen_lake", "taxi", "cliff_walking" } do
      local process = mdp[name]()
      for _, key in ipairs { function(i) return i end, tostring } do
        local copy = assert(mdp.from_gym(table_of(process, key), { gamma = 0.99, rho0 = process.rho0 }))
        assert.are.same(outcomes_of(process), outcomes_of(copy))
        assert.are.same(process.rho0:totable(), copy.rho0:totable())
      end
    end
  end)

  it("merges equal outcomes and honours done", function()
    local third = 1 / 3
    local process = mdp.from_gym({ [0] = { [0] = { { third, 0, 1, true }, { third, 0, 1, true }, { third, 0, 1, false } },
      { { 1, 0, 2 } } } }, { gamma = 0.5 })
    local outcomes = process:outcomes(1, 1)
    assert.are.equal(2, #outcomes)
    assert.are.same({ 1, true, 2 / 3 }, { outcomes[2].next, outcomes[2].done, outcomes[2].probability })
    assert.is_true(math.abs(process.P:get(1, 1) - third) < 1e-16) -- only what goes on
    assert.are.equal(1, process.r[1][1])
    assert.is_false(process:outcomes(1, 2)[1].done)
  end)

  it("takes actions that only some states have, labels and numbers for done", function()
    local process = mdp.from_gym(coin { { [0] = { { 1, 1, 0, 1 } }, { { 1, 0, 5, 0 } } } },
      { gamma = 0.5, name = "coin", states = { "heads", "tails" }, rho0 = 2 })
    assert.are.same({ "coin", "tails", 2 }, { process.name, process.states[2], process.A })
    assert.are.same({}, process:outcomes(1, 2))
    assert.are.equal(-math.huge, process.r[1][2])
    assert.are.same({ 0, 1 }, process.rho0:totable())
  end)

  it("names rows that do not sum to one", function()
    local made, message, code = mdp.from_gym(coin { { [0] = { { 0.5, 1, 0, true } } } }, { gamma = 0.5 })
    assert.is_nil(made)
    assert.is_truthy(message:find("state 2, action 1 sum to 0.5", 1, true), message)
    assert.are.equal("not_stochastic", code)
  end)

  local from = mdp.from_gym
  misuse.each(it, {
    { "no table", from, { 3 }, "trpo.mdp.from_gym: P must be a table with keys 0, 1, 2, ..., got 3" },
    { "an empty table", from, { {}, {} }, "P must have the keys 0, 1, 2, ..., one for each state" },
    { "states that count from 1", from, { { {}, {} }, {} }, "P must have the keys 0, 1, 2, ..., one for each state" },
    { "a state that is no table", from, { { [0] = 7 }, {} },
      "P[0] must be a table with keys 0, 1, 2, ..., one for each action, got 7" },
    { "actions that count from 1", from, { { [0] = { {} } }, {} },
      "P[0] must be a table with keys 0, 1, 2, ..., one for each action, got a table" },
    { "no actions", from, { { [0] = {} }, {} }, "P must have at least one action, got none" },
    { "no options", from, { coin() }, "trpo.mdp.from_gym: options must be a table, got nothing" },
    { "no gamma", from, { coin(), {} }, "gamma must be a number in [0, 1], got nil" },
    { "S in the options", from, { coin(), { gamma = 1, S = 2 } }, "trpo.mdp.from_gym: unknown option 'S'" },
    { "a slip", from, { coin(), { gama = 1 } }, "unknown option 'gama', did you mean 'gamma'?" },
    { "outcomes that are no list", from, { coin { [0] = { [0] = 3 } }, { gamma = 1 } },
      "P[0][0] must be a list of outcomes, got 3" },
    { "an outcome that is no list", from, { coin { [0] = { [0] = { 3 } } }, { gamma = 1 } },
      "outcome 1 of P[0][0] must be a list { probability, next, reward, done }, got 3" },
    { "a reward that is no number", from, { coin { { [0] = { { 1, 0, "x" } } } }, { gamma = 1 } },
      "reward of outcome 1 of P[1][0] must be a number, got 'x'" },
    { "a done that is neither", from, { coin { { [0] = { { 1, 0, 0, "no" } } } }, { gamma = 1 } },
      "done of outcome 1 of P[1][0] must be true or false, got 'no'" },
    { "a next state that does not exist", from, { coin { { [0] = { { 1, 2, 0, true } } } }, { gamma = 1 } }, "2" },
  })
end)

local python = project.quoted(os.getenv "TRPO_PYTHON" or "python3")

-- writes env.unwrapped.P and the distribution of the first state as a Lua table
local export = [==[
import sys, warnings
warnings.simplefilter('ignore')
import gymnasium
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv
from gymnasium.envs.toy_text.cliffwalking import CliffWalkingEnv
from gymnasium.envs.toy_text.taxi import TaxiEnv
envs = { 'frozen_lake': FrozenLakeEnv(map_name='4x4'), 'frozen_lake8': FrozenLakeEnv(map_name='8x8'),
         'frozen_lake_dry': FrozenLakeEnv(map_name='8x8', is_slippery=False),
         'cliff_walking': CliffWalkingEnv(), 'taxi': TaxiEnv() }
def number(x): return repr(float(x))
with open(sys.argv[1], 'w') as f:
  f.write('local t = {}\n')
  for name, env in envs.items():
    f.write('t["%s"] = { P = {}, rho0 = { %s } }\n' % (name, ', '.join(number(p) for p in env.initial_state_distrib)))
    for s, row in env.P.items():
      f.write('t["%s"].P[%d] = {' % (name, s))
      for a, outcomes in row.items():
        f.write('[%d] = { %s },' % (a, ', '.join('{ %s, %d, %s, %s }' % (number(p), n, number(r), str(bool(d)).lower())
                                                 for p, n, r, d in outcomes)))
      f.write('}\n')
  f.write('return t\n')
]==]

describe("Gymnasium #python", function()
  if select(2, project.run(python .. " -c 'import gymnasium'")) ~= 0 then
    return print "  skipped: no Gymnasium, TRPO_PYTHON may name an interpreter that has it"
  end

  it("has the very tables of the gallery, entry by entry", function()
    local scratch = command.scratch()
    command.write(scratch .. "/export.py", export)
    local _, err, code = command.shell(scratch, python .. " export.py tables.lua")
    assert(code == 0, err)
    local theirs = dofile(scratch .. "/tables.lua")
    command.remove(scratch)
    local ours = { frozen_lake = mdp.frozen_lake(), frozen_lake8 = mdp.frozen_lake { map = "8x8" },
      frozen_lake_dry = mdp.frozen_lake { map = "8x8", slippery = false }, cliff_walking = mdp.cliff_walking(),
      taxi = mdp.taxi() }
    for name, process in pairs(ours) do
      local imported = assert(mdp.from_gym(theirs[name].P, { gamma = 0.99, rho0 = theirs[name].rho0 }))
      assert.are.same({ process.S, process.A }, { imported.S, imported.A })
      for s = 1, process.S do
        assert.is_true(math.abs(process.rho0[s] - imported.rho0[s]) < 1e-15)
        for a = 1, process.A do
          local x, y = process:outcomes(s, a), imported:outcomes(s, a)
          assert.are.equal(#x, #y)
          for i, o in ipairs(x) do
            assert.are.same({ o.next, o.reward, o.done }, { y[i].next, y[i].reward, y[i].done })
            -- 1/3 is (1 - 1/3) / 2 in newer versions, one bit off
            assert.is_true(math.abs(o.probability - y[i].probability) <= 2.3e-16)
          end
        end
      end
    end
  end)
end)
