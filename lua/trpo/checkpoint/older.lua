--- What runs of older versions did where their files say nothing: options that came later take the value of before.
-- @module trpo.checkpoint.older
local options = require "trpo.options"

local older = {}

-- options of TRPO that came later, with what was done before
local algorithm = { fisher_form = "auto", preconditioner = "none" }

-- what only critics fitted by Adam have, and all configurations had
local adam = { "learning_rate", "epochs", "minibatch" }

--- The options of a critic; before they named the optimizer, it was Adam.
-- @tparam table value as `value:options()` returned it once; left as it is
-- @treturn table the same, or a copy that names the optimizer
function older.critic(value)
  if value.kind ~= "network" or value.optimizer ~= nil then return value end
  value = options.copy(value)
  value.optimizer = "adam"
  return value
end

-- the critic of a configuration; one without a network has no use for an optimizer, and names the default
local function configured(value)
  if value.kind == "network" or value.optimizer ~= nil then return older.critic(value) end
  value = options.copy(value)
  value.optimizer = "gauss_newton"
  for _, name in ipairs(adam) do value[name] = nil end
  return value
end

--- The configuration of a run, with the options that came later.
-- @tparam table config what `Experiment:describe` returned once; left as it is
-- @treturn table
function older.config(config)
  local out = {}
  for key, entry in pairs(config) do out[key] = entry end
  if type(out.value) == "table" then out.value = configured(out.value) end
  if type(out.algorithm) == "table" and out.algorithm.name == "TRPO" and out.algorithm.cg_iters then
    out.algorithm = options.copy(out.algorithm)
    for name, before in pairs(algorithm) do
      if out.algorithm[name] == nil then out.algorithm[name] = before end
    end
  end
  return out
end

return older
