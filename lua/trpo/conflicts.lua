--- Options of an experiment that are right one by one and not together.
-- @module trpo.conflicts
local settings = require "trpo.settings"

local conflicts = {}

-- what is wrong with those of the given options of the critic that belong to another kind or optimizer
local function stray_option(value, given)
  for _, name in ipairs(settings.critic) do
    local what, owners = settings.stranger(name, value)
    if what and given[name] ~= nil then
      return ("trpo.experiment: value.%s belongs to %s %s, and value.%s is '%s'")
        :format(name, what, owners, what, value[what])
    end
  end
end

-- what is wrong with options that are right one by one
local function conflict(config, env)
  if config.budget and not config.whole_episodes then
    return "trpo.experiment: budget needs whole_episodes = true"
  elseif config.whole_episodes and env.time_limit == 0 then
    return "trpo.experiment: whole_episodes needs an environment with a time limit; set env.time_limit"
  elseif config.policy.log_std ~= 0 and env.action.kind == "discrete" then
    return ("trpo.experiment: policy.log_std needs a box of actions, those of %s are %s; leave it out")
      :format(env.id, tostring(env.action))
  elseif config.value.kind == "linear" and env.observation.kind ~= "box" then
    return "trpo.experiment: value.kind 'linear' needs a box of observations"
  elseif config.normalize_observations == true and env.observation.kind ~= "box" then
    return "trpo.experiment: normalize_observations needs a box of observations"
  elseif config.resume and config.overwrite then
    return "trpo.experiment: resume goes on and overwrite begins anew; give one of them"
  elseif config.resume and not config.dir then
    return "trpo.experiment: resume needs a folder, and dir is false"
  elseif config.evaluation.reward_threshold and config.evaluation.episodes == 0 then
    return "trpo.experiment: evaluation.reward_threshold needs evaluations, and evaluation.episodes is 0"
  end
end

--- What is wrong with the options of an experiment.
-- @tparam table config all of them, resolved
-- @tparam Env env one lane of its environment
-- @tparam table given those of the critic that somebody asked for
-- @treturn string|nil one sentence
function conflicts.find(config, env, given) return stray_option(config.value, given) or conflict(config, env) end

return conflicts
