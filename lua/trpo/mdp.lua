--- Finite Markov decision processes: exact values, optimal policies, policy steps and the theory's bounds.
--
--     local mdp = trpo.mdp { P = P, r = r, gamma = 0.9 }     -- or from_model, from_triplets, load, the gallery
--     local e = mdp:evaluate(mdp:uniform_policy())           -- e.V, e.Q, e.A, e.rho, e.eta, with a certified bound
--     local star = mdp:solve()
--
-- What a process can do stands under `trpo.Mdp`.
-- @module trpo.mdp
local blame = require "trpo.blame"
local core = require "trpo.core"
local grid = require "trpo.mdp.grid"
local spelling = require "trpo.spelling"

-- modules trpo.mdp.* that add to the face: each returns a function that gets this module's table; methods go into
-- core.mdp.methods
local parts = { "gallery", "gym", "improve", "files", "plot" }

local mdp = {}
for name, value in pairs(core.mdp) do mdp[name] = value end

-- options that are for readers only: the core never sees them
local LABELS = { "name", "states", "action_names", "grid" }

local function fail(what, format, ...)
  blame(("%s: "):format(what) .. format:format(...))
end

-- calls a function of the core; what it raises is placed at the caller's line, what a user's function raised keeps
-- its own
local function call(f, ...)
  local ok, made, message, code = pcall(f, ...)
  if ok then return made, message, code end
  if type(made) ~= "string" then error(made, 0) end
  blame(made)
end

local function check_keys(what, given, keys)
  for key in pairs(given) do
    local known = type(key) ~= "string" -- which the core refuses
    for _, name in ipairs(keys) do known = known or name == key end
    if not known then
      local hint = spelling.hint(key, keys)
      fail(what, "unknown option '%s'%s", key, hint ~= "" and hint or ", expected one of: " .. table.concat(keys, ", "))
    end
  end
end

-- the labels of a table of options, checked, and the rest of it
local function split(what, given, keys)
  if type(given) ~= "table" then fail(what, "options must be a table, got %s", type(given)) end
  check_keys(what, given, keys)
  local rest, labels = {}, {}
  for key, value in pairs(given) do rest[key] = value end
  for _, key in ipairs(LABELS) do
    labels[key], rest[key] = given[key], nil
  end
  if labels.name ~= nil and type(labels.name) ~= "string" then
    fail(what, "name must be a string, got %s", type(labels.name))
  end
  for _, key in ipairs { "states", "action_names", "grid" } do
    if labels[key] ~= nil and type(labels[key]) ~= "table" then
      fail(what, "%s must be a table, got %s", key, type(labels[key]))
    end
  end
  return rest, labels
end

-- a list of labels is as long as what it names
local function check_count(what, key, list, n)
  if list and #list ~= n then fail(what, "%s must be %d names, got %d", key, n, #list) end
end

-- A constructor of the core that takes labels, too: `name`, `states`, `action_names`, `grid` become its fields.
local function labelled(what, make, keys)
  for _, key in ipairs(LABELS) do keys[#keys + 1] = key end
  return function(options)
    local rest, labels = split(what, options, keys)
    local made, message, code = call(make, rest)
    if not made then return nil, message, code end
    check_count(what, "states", labels.states, made.S)
    check_count(what, "action_names", labels.action_names, made.A)
    local wrong = labels.grid and grid.wrong(labels.grid, made.S, made.A)
    if wrong then fail(what, "%s", wrong) end
    return core.mdp.attach(made, labels)
  end
end

mdp.from_triplets = labelled("trpo.mdp.from_triplets", core.mdp.from_triplets,
  { "S", "A", "state", "action", "next", "probability", "reward", "done", "gamma", "rho0" })
mdp.from_model = labelled("trpo.mdp.from_model", core.mdp.from_model, { "S", "A", "model", "gamma", "rho0" })
local from_matrices = labelled("trpo.mdp", core.mdp.new, { "P", "r", "gamma", "rho0", "terminal", "actions" })
mdp.new = nil

for _, name in ipairs(parts) do require("trpo.mdp." .. name)(mdp) end

return setmetatable(mdp, {
  __call = function(_, options) return from_matrices(options) end,
})
