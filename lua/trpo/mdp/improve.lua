--- Policy improvement as an iterator: evaluate, step, evaluate, with what theory promises beside what happens.
--
--     for info in mdp:improve { method = "monotone", iterations = 50 } do
--       print(info.iteration, info.eta, info.lower_bound, info.kl_max)
--     end
-- @submodule trpo.Mdp
local blame = require "trpo.blame"
local core = require "trpo.core"
local options = require "trpo.options"
local spelling = require "trpo.spelling"

local WHAT = "mdp:improve"

-- --- options ---------------------------------------------------------------------------------------------------------

local delta = { "delta", options.number { default = 0.01, above = 0 } }
local penalty = {
  { "constant", options.number { default = 4, above = 0 } },
  { "C", options.number { optional = true, min = 0 } },
}

-- the options of each method beside the common ones
local fields_of = {
  policy_iteration = {},
  cpi = {
    { "rule", options.choice { default = "bound", of = { "kl02", "simple", "bound", "exact" } } },
    { "ties", options.choice { default = "lowest", of = { "lowest", "uniform" } } },
    { "certify", options.boolean { default = false } },
    { "tolerance", options.number { default = 1e-12, min = 1e-15, max = 1 } },
  },
  monotone = penalty,
  monotone_tv = penalty,
  monotone_mean_kl = {
    { "refined", options.boolean { default = false } },
    { "C", options.number { optional = true, min = 0 } },
  },
  trust_region_mean = { delta },
  trust_region_max = { delta },
  natural = {
    { "delta", options.number { optional = true, above = 0 } },
    { "step", options.number { optional = true, above = 0 } },
    { "line_search", options.choice { default = "exact", of = { "exact", "quadratic" } } },
  },
}
fields_of.gradient = fields_of.natural

local methods = {}
for name in pairs(fields_of) do methods[#methods + 1] = name end
table.sort(methods)

-- methods of which cpi is none know what to do with states that the policy does not reach
local reach = { "unreached", options.choice { default = "limit", of = { "limit", "keep" } } }

local function group_of(method)
  local fields = {
    { "method", options.choice { of = methods } },
    { "policy", options.any { optional = true, expected = "a policy [S, A]", accept = function() return true end } },
    { "iterations", options.integer { default = 100, min = 1, max = 2 ^ 53 } },
    { "evaluation", options.any {
      optional = true, expected = "a table of options for mdp:evaluate",
      accept = function(value) return value == nil or type(value) == "table" end,
    } },
  }
  for _, field in ipairs(fields_of[method]) do fields[#fields + 1] = field end
  if method ~= "cpi" then fields[#fields + 1] = reach end
  return options.group { fields = fields }
end

local function fail(format, ...) blame((WHAT .. ": " .. format):format(...)) end

local function check_options(mdp, given)
  if type(given) ~= "table" then fail("options must be a table, got %s", options.describe(given)) end
  local method = given.method
  if type(method) ~= "string" then fail("method must be a string, got %s", options.describe(method)) end
  if not fields_of[method] then
    local hint = spelling.hint(method, methods)
    fail("unknown method '%s'%s", method, hint ~= "" and hint or "; there is " .. table.concat(methods, ", "))
  end
  local o, message = options.resolve(WHAT, group_of(method), given)
  if not o then blame(message) end
  -- bounds are infinite at gamma = 1, and these methods are made of them
  if mdp.gamma == 1 and (method == "cpi" or method == "monotone_mean_kl" or method:find "^monotone" and not o.C) then
    fail("gamma must be below 1 for the method '%s', whose bound is infinite there", method)
  end
  if (method == "natural" or method == "gradient") and not o.step then o.delta = o.delta or delta[2].default end
  if o.step and o.delta then fail("the method '%s' takes delta or step, not both", method) end
  return o
end

-- --- evaluations -----------------------------------------------------------------------------------------------------

-- the evaluation of a policy, from the values of the last one; problems are errors, since an iterator has no other way
local function evaluate(mdp, policy, o, last, place)
  local settings = {}
  for key, value in pairs(o.evaluation or {}) do settings[key] = value end
  if last then settings.V0 = last.V end
  local e, message = mdp:evaluate(policy, settings)
  if not e then error(("%s: %s: %s"):format(WHAT, place, message), 0) end
  return e
end

-- the evaluation of the policy given, in which a mistake is one of the user's options
local function first_evaluation(mdp, policy, o)
  local ok, e = pcall(evaluate, mdp, policy, o, nil, "the first policy")
  if ok then return e end
  if type(e) ~= "string" then error(e, 0) end
  local said = e:match "mdp:evaluate: ([^\n]*)$"
  if not said or e:find("mdp:improve: ", 1, true) == 1 then blame(e) end
  said = said:gsub("^pi must", "policy must")
  fail("%s", said:find "^policy " and said or "evaluation: " .. said)
end

-- how long the future is that rounding adds up over
local function horizon(mdp, e) return mdp.gamma < 1 and 1 / (1 - mdp.gamma) or e.rho:sum() + 1 end

-- advantages below this are rounding
local function rounding(mdp, e)
  return 16 * 2 ^ -52 * horizon(mdp, e) * math.max(math.abs(e.V:max()), math.abs(e.V:min()))
end

-- --- steps -----------------------------------------------------------------------------------------------------------

-- mean of KL with weights rho / sum rho, from that under (1 - gamma) rho
local function mean_kl(mdp, e, numbers) return numbers.kl_mean / ((1 - mdp.gamma) * e.rho:sum()) end

local function step_cpi(mdp, e, policy, o)
  local new, info, code = mdp:cpi_step(policy, e,
    { rule = o.rule, ties = o.ties, certify = o.certify, tolerance = o.tolerance })
  if not new then return nil, info, code end
  local _, _, _, numbers = mdp:lower_bound(policy, e, new, { coupling = false })
  info.kl_max, info.tv_max = numbers.kl_max, numbers.tv_max
  info.kl_mean = mean_kl(mdp, e, numbers)
  info.step = info.alpha
  info.lower_bound, info.bound_by = e.eta + info.gain, info.rule == "exact" and "search" or "kakade_langford"
  if o.rule == "exact" then info.certified = info.status == "ok" end
  return new, info
end

-- which options a method of trpo.mdp.step knows, and which of its numbers is its parameter
local passed = { "constant", "C", "refined", "delta", "step", "line_search", "unreached" }
local parameter = {
  monotone = "radius", monotone_tv = "radius", monotone_mean_kl = "lambda",
  trust_region_mean = "radius", trust_region_max = "radius",
}

-- a penalty with the theory's coefficient, or a larger one, makes gain - penalty a bound
local function is_certified(method, o)
  return method:find "^monotone" and not o.C and (o.constant == nil or o.constant >= 2)
end

local function step_exact(mdp, e, policy, o)
  local request = { method = o.method, policy = policy, advantages = e.A, rho = e.rho, gamma = mdp.gamma,
    tolerance = rounding(mdp, e) }
  for _, key in ipairs(passed) do request[key] = o[key] end
  local new, info, code = core.mdp.step(request)
  if not new then return nil, info, code end
  info.step = info[parameter[o.method] or "step"]
  if is_certified(o.method, o) then
    info.lower_bound, info.bound_by = e.eta + info.gain - info.penalty, "penalty"
  elseif o.method == "policy_iteration" then
    local _, _, all = mdp:lower_bound(policy, e, new, { coupling = false })
    info.lower_bound, info.bound_by, info.step = all.improvement, "improvement", 1
  else
    info.lower_bound, info.bound_by = mdp:lower_bound(policy, e, new)
  end
  return new, info
end

-- the step that does not move
local function stay(e, info)
  info.gain, info.kl_max, info.kl_mean, info.tv_max, info.step = 0, 0, 0, 0, 0
  info.lower_bound, info.bound_by = e.eta, "same policy"
end

-- --- the iterator ----------------------------------------------------------------------------------------------------

--- Improves a policy step by step.
--
-- Each iteration evaluates the policy exactly, takes one step of the method, and evaluates again. The iterator ends
-- after `iterations` steps (status "limit"), at a policy that is optimal to rounding ("optimal"), or where the method
-- cannot move a policy that is not ("stalled": Algorithm 1 at a deterministic policy).
--
-- Methods and their options: `policy_iteration`; `cpi`, conservative policy iteration (`rule` = "bound", "kl02",
-- "simple" or "exact", `ties`, `certify`, `tolerance`, see @{Mdp:cpi_step}); `monotone`, which is Algorithm 1 of
-- Schulman et al. 2015 exactly, and `monotone_tv` (`constant` = 4, `C`); `monotone_mean_kl` (`refined`, `C`);
-- `trust_region_mean` and `trust_region_max`, exact TRPO (`delta` = 0.01); `natural` and `gradient` (`delta` = 0.01
-- or `step`, `line_search`). All but cpi have `unreached`; see @{trpo.mdp.step}.
--
-- Each step gives a table: `iteration`; `eta` (after the step) and `eta_old`; `lower_bound`, known before the new
-- policy was evaluated (eta is at least this, but for rounding) and `bound_by`, what says so; `kl_max`, `kl_mean`
-- (weights rho / sum rho), `tv_max`; `step` (alpha, radius, size or multiplier of the method); `regret` (eta of the
-- best policy is at most eta + regret; gamma < 1); `policy` (the new one) and its `evaluation`; `status` ("ok",
-- "limit", "optimal", "stalled"); and the method's own: `gain`, `penalty`, `C`, `radius`, `lambda`, `kkt`, `gap`,
-- `alpha`, `certified` (rule "exact": no mixture is better), ...
-- @function Mdp:improve
-- @tparam table options `method`; `policy` = uniform, `iterations` = 100, `evaluation` (options of mdp:evaluate), and
--   those of the method
-- @treturn function iterator
-- @raise on wrong options; the iterator raises when a policy cannot be evaluated
local function improve(mdp, given)
  local o = check_options(mdp, given)
  local policy = o.policy or mdp:uniform_policy()
  local step = o.method == "cpi" and step_cpi or step_exact
  local iteration, finished = 0, false
  -- evaluated before the first step, so that a wrong policy is refused here
  local e = first_evaluation(mdp, policy, o)

  return function()
    if finished then return nil end
    iteration = iteration + 1
    local place = ("iteration %d"):format(iteration)
    local new, info = policy, { status = "optimal" }
    if e.A:max() > rounding(mdp, e) then new, info = step(mdp, e, policy, o) end
    if not new then error(("%s: %s: %s"):format(WHAT, place, info), 0) end
    info.iteration, info.method, info.eta_old = iteration, o.method, e.eta
    if info.status == "optimal" or info.status == "stalled" then
      finished = true
      stay(e, info)
    else
      policy, e = new, evaluate(mdp, new, o, e, place)
      finished = iteration >= o.iterations
      info.status = finished and "limit" or "ok"
    end
    info.eta, info.policy, info.evaluation = e.eta, policy, e
    if mdp.gamma < 1 then info.regret = math.max(0, e.A:max()) / (1 - mdp.gamma) end
    return info
  end
end

return function()
  core.mdp.methods.improve = improve
end
