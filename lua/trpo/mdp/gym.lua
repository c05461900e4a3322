--- Tables of Gymnasium's toy environments.
-- @submodule trpo.mdp
local blame = require "trpo.blame"

local WHAT = "trpo.mdp.from_gym"

local function fail(format, ...)
  blame(("%s: "):format(WHAT) .. format:format(...))
end

-- entry i, from 0, of a table whose keys are numbers, or strings as JSON has them
local function at(t, i)
  local value = t[i]
  if value == nil then value = t[tostring(i)] end
  return value
end

-- how many of the keys 0, 1, 2, ... a table has; nil when it has others
local function count(t)
  local n, keys = 0, 0
  for _ in pairs(t) do keys = keys + 1 end
  while at(t, n) ~= nil do n = n + 1 end
  return n == keys and n or nil
end

local function describe(value)
  return type(value) == "string" and ("'%s'"):format(value) or type(value) == "number" and tostring(value)
    or value == nil and "nothing" or "a " .. type(value)
end

-- numbers of states and actions; every entry of P is looked at
local function measure(P)
  if type(P) ~= "table" then fail("P must be a table with keys 0, 1, 2, ..., got %s", describe(P)) end
  local S, A = count(P), 0
  if not S or S == 0 then fail "P must have the keys 0, 1, 2, ..., one for each state" end
  for s = 0, S - 1 do
    local row = at(P, s)
    local actions = type(row) == "table" and count(row) or nil
    if not actions then
      fail("P[%d] must be a table with keys 0, 1, 2, ..., one for each action, got %s", s, describe(row))
    end
    A = math.max(A, actions)
  end
  if A == 0 then fail "P must have at least one action, got none" end
  return S, A
end

-- one outcome, counting from 1; done may be a number
local function convert(outcome, s, a, i)
  local where = ("outcome %d of P[%d][%d]"):format(i, s, a)
  if type(outcome) ~= "table" then
    fail("%s must be a list { probability, next, reward, done }, got %s", where, describe(outcome))
  end
  for k, name in ipairs { "probability", "next", "reward" } do
    if type(outcome[k]) ~= "number" then
      fail("%s of %s must be a number, got %s", name, where, describe(outcome[k]))
    end
  end
  local done = outcome[4]
  if done ~= nil and type(done) ~= "boolean" and done ~= 0 and done ~= 1 then
    fail("done of %s must be true or false, got %s", where, describe(done))
  end
  return { outcome[1], outcome[2] + 1, outcome[3], done == true or done == 1 }
end

return function(face)
  --- A process from the table that Gymnasium's toy environments carry, `env.unwrapped.P`.
  --
  -- `P[s][a]` is a list of `{ probability, next, reward, done }`. States and actions count from 0 there, as keys and
  -- as `next`, and from 1 in the process. Keys may be strings, as JSON writes them. Equal outcomes are merged; one
  -- marked done ends the episode, whatever its next state can do.
  -- @function trpo.mdp.from_gym
  -- @tparam table P
  -- @tparam table options `gamma`, needed; `rho0`: a distribution [S], or one state, from 1 (default: all states
  --   alike; Gymnasium's is `env.unwrapped.initial_state_distrib`); `name`, `states`, `action_names`, `grid` as for
  --   @{trpo.mdp}
  -- @treturn[1] Mdp
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] string code: "not_stochastic" or "not_finite"
  -- @raise on what is no such table (named, counting from 0), and on other options
  function face.from_gym(P, options)
    local S, A = measure(P)
    if type(options) ~= "table" then fail("options must be a table, got %s", describe(options)) end
    local rest = {}
    for key, value in pairs(options) do rest[key] = value end
    for _, key in ipairs { "S", "A", "model" } do
      if rest[key] ~= nil then fail("unknown option '%s'", key) end
    end
    rest.S, rest.A = S, A
    rest.model = function(s, a)
      local list = at(at(P, s - 1), a - 1)
      if list == nil then return nil end
      if type(list) ~= "table" then
        fail("P[%d][%d] must be a list of outcomes, got %s", s - 1, a - 1, describe(list))
      end
      local outcomes = {}
      for i, outcome in ipairs(list) do outcomes[i] = convert(outcome, s - 1, a - 1, i) end
      return outcomes
    end
    return face.from_model(rest)
  end
end
