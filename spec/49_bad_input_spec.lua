-- Wrong arguments of the learning objects: each is refused in one sentence, and nothing has changed.
local trpo = require "trpo"
local oracle = require "support.oracle"

local inf, nan = math.huge, 0 / 0
local box, discrete = trpo.space.box { shape = { 4 } }, trpo.space.discrete(2)

local function rng() return trpo.rng(1) end

-- options with some replaced; the string "none" takes one away
local function with(defaults, changes)
  local options = {}
  for key, x in pairs(defaults) do options[key] = x end
  for key, x in pairs(changes) do options[key] = x ~= "none" and x or nil end
  return options
end

local function new_policy(changes)
  return trpo.policy(with({ observation = box, action = discrete, hidden = { 3 }, rng = rng() }, changes or {}))
end

local function new_value(changes)
  return trpo.value(with({ observation = box, hidden = { 3 }, rng = rng() }, changes or {}))
end

local policy, gaussian = new_policy(), new_policy { action = trpo.space.box { shape = { 3 } } }
local value = new_value()
local env = trpo.make("CartPole-v1", { lanes = 2 })
local obs, acts = trpo.zeros(10, 4), trpo.ones(10)
local P = policy:size()

local function new_batch(changes)
  return trpo.batch(with({ policy = policy, observations = obs, actions = acts, advantages = trpo.zeros(10) }, changes or {}))
end

local batch = new_batch()
local wide = trpo.batch {
  policy = new_policy { observation = trpo.space.box { shape = { 5 } } }, observations = trpo.zeros(10, 5), actions = acts,
}
local other_actions = trpo.batch { policy = new_policy { action = trpo.space.discrete(3) }, observations = obs, actions = acts }
local nine_states = trpo.batch {
  policy = new_policy { observation = trpo.space.discrete(9) }, observations = trpo.full({ 10 }, 9), actions = acts,
}
local algorithm = trpo.TRPO {}

local cases = {
  -- trpo.policy
  { "trpo.policy without options", function() trpo.policy() end, "trpo.policy: options must be a table, got nil" },
  { "an unknown option of a policy", function() new_policy { hiden = { 3 } } end,
    "trpo.policy: unknown option 'hiden', did you mean 'hidden'?" },
  { "no observation space", function() new_policy { observation = "none" } end, "trpo.policy: observation must be a space" },
  { "no action space", function() new_policy { action = 3 } end, "trpo.policy: action must be a space" },
  { "an env that is none", function() trpo.policy { env = 3, rng = rng() } end, "trpo.policy: environment must be" },
  { "no generator", function() new_policy { rng = "none" } end, "trpo.policy: rng must be a random generator, got nil" },
  { "a seed instead of a generator", function() new_policy { rng = 3 } end, "trpo.policy: rng must be a random generator, got 3" },
  { "hidden as a number", function() new_policy { hidden = 64 } end,
    "trpo.policy: hidden must be a list of layer widths such as {64, 64}, got 64" },
  { "a width of 0", function() new_policy { hidden = { 3, 0 } } end,
    "trpo.policy: hidden[2] must be an integer from 1 to 65536, got 0" },
  { "a fractional width", function() new_policy { hidden = { 2.5 } } end, "hidden[1] must be an integer from 1 to 65536, got 2.5" },
  { "a width of NaN", function() new_policy { hidden = { nan } } end, "hidden[1] must be an integer from 1 to 65536" },
  { "a width that is no number", function() new_policy { hidden = { "x" } } end,
    "hidden[1] must be an integer from 1 to 65536, got the string 'x'" },
  { "a width beyond reason", function() new_policy { hidden = { 65537 } } end, "hidden[1] must be an integer from 1 to 65536" },
  { "too many layers", function() new_policy { hidden = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 } } end,
    "trpo.policy: hidden must have at most 15 layers, got 16" },
  { "an unknown activation", function() new_policy { activation = "tan" } end,
    "trpo.policy: activation must be 'identity', 'tanh' or 'relu', got 'tan'" },
  { "an activation that is no string", function() new_policy { activation = 3 } end, "activation must be a string" },
  { "an unknown precision", function() new_policy { precision = "half" } end,
    "precision must be 'single' or 'double', got 'half'" },
  { "a flag that is no boolean", function() new_policy { normalize_observations = 1 } end,
    "trpo.policy: normalize_observations must be true or false, got 1" },
  { "a log_std of NaN", function() new_policy { log_std = nan } end, "trpo.policy: log_std must be" },
  { "an infinite log_std", function() new_policy { log_std = inf } end, "trpo.policy: log_std must be" },

  -- methods of a policy
  { "another self", function() policy.theta(3) end, "policy:theta: policy must be a policy, got 3" },
  { "a value as self", function() policy.size(value) end, "policy:size: policy must be a policy, got" },
  { "theta of another size", function() policy:set_theta(trpo.zeros(P + 1)) end,
    ("policy:set_theta: theta must have size [%d], got [%d]"):format(P, P + 1) },
  { "theta of rank 2", function() policy:set_theta(trpo.zeros(P, 1)) end, ("theta must have size [%d], got [%d, 1]"):format(P, P) },
  { "theta with a NaN", function() policy:set_theta(trpo.full({ P }, nan)) end, "policy:set_theta: theta[1] must be finite, got" },
  { "theta with an infinity at the end", function()
    local theta = trpo.zeros(P)
    theta[P] = -inf
    policy:set_theta(theta)
  end, ("theta[%d] must be finite, got -inf"):format(P) },
  { "theta as a table", function() policy:set_theta { 1, 2 } end, "policy:set_theta: theta must be a tensor, got a table" },
  { "act without an observation", function() policy:act() end, "policy:act: observations must be a tensor, got nil" },
  { "act with a short observation", function() policy:act { 1, 2 } end, "policy:act: observations must have size [N, 4] or [4], got" },
  { "act with options", function() policy:act({ 1, 2, 3, 4 }, { deterministic = false }) end,
    "policy:act: takes no options, got a table; policy:sample(observations, rng) draws" },
  { "act with out as the second argument", function() policy:act(obs, trpo.zeros(10)) end,
    "policy:act: out is the third argument: policy:act(observations, nil, out)" },
  { "act with log_prob", function() policy:act(obs, nil, trpo.zeros(10), trpo.zeros(10)) end,
    "policy:act: takes no log_prob, got a tensor [10]; policy:sample returns it" },
  { "act with log_prob after a generator", function() policy:act(obs, rng(), nil, 3) end,
    "policy:act: takes no log_prob, got 3; policy:sample returns it" },
  { "act with a string in the observation", function() policy:act { 1, 2, "x", 4 } end,
    "policy:act: observations[3] must be a number, got the string 'x'" },
  { "sample without a generator", function() policy:sample(obs) end, "policy:sample: rng must be a random generator, got nil" },
  { "sample with wide observations", function() policy:sample(trpo.zeros(3, 5), rng()) end,
    "policy:sample: observations must have size [N, 4] or [4], got" },
  { "forward with a wrong width", function() policy:forward(trpo.zeros(10, 3)) end,
    "policy:forward: observations must have size [N, 4] or [4], got a tensor [10, 3]" },
  { "forward with rank 3", function() policy:forward(trpo.zeros(2, 5, 4)) end, "observations must have size [N, 4] or [4], got" },
  { "log_prob without actions", function() policy:log_prob(obs) end, "policy:log_prob: actions must be a tensor, got nil" },
  { "log_prob with too few actions", function() policy:log_prob(obs, trpo.ones(9)) end,
    "policy:log_prob: actions must have 10 rows as the observations, got 9" },
  { "log_prob with an action of 0", function() policy:log_prob(obs, trpo.zeros(10)) end,
    "policy:log_prob: actions must be integers from 1 to 2, got 0 in row 1" },
  { "log_prob with an action above n", function() policy:log_prob(obs, trpo.full({ 10 }, 3)) end, "from 1 to 2, got 3 in row 1" },
  { "log_prob with fractions", function() policy:log_prob(obs, trpo.full({ 10 }, 1.5)) end, "from 1 to 2, got 1.5 in row 1" },
  { "log_prob with NaN", function() policy:log_prob(obs, trpo.full({ 10 }, nan)) end, "actions must be integers from 1 to 2" },
  { "log_prob with narrow actions", function() gaussian:log_prob(obs, trpo.zeros(10, 2)) end,
    "policy:log_prob: actions must have size [N, 3] or [3], got a tensor [10, 2]" },
  { "entropy of nothing", function() policy:entropy() end, "policy:entropy: observations must be a tensor, got nil" },
  { "kl with no policy", function() policy:kl(3, obs) end, "policy:kl: policy must be a policy, got 3" },
  { "kl with another network", function() policy:kl(new_policy { hidden = { 4 } }, obs) end,
    "policy:kl: the other policy must have the same network, distribution and precision" },
  { "kl with another distribution", function() policy:kl(gaussian, obs) end, "the other policy must have the same network" },
  { "kl with another precision", function() policy:kl(new_policy { precision = "double" }, obs) end, "must have the same network" },
  { "kl with wrong observations", function() policy:kl(policy, trpo.zeros(10, 3)) end,
    "policy:kl: observations must have size [N, 4] or [4], got" },
  { "kl_gradient with another network", function() policy:kl_gradient(new_policy { hidden = {} }, obs) end,
    "policy:kl_gradient: the other policy must have the same network" },
  { "jvp with a short direction", function() policy:jvp(obs, trpo.zeros(P - 1)) end,
    ("policy:jvp: v must have size [%d], got [%d]"):format(P, P - 1) },
  { "vjp with a wrong width", function() policy:vjp(obs, trpo.zeros(10, 3)) end, "policy:vjp: u must have size [10, 2], got [10, 3]" },
  { "vjp with too few rows", function() policy:vjp(obs, trpo.zeros(9, 2)) end, "policy:vjp: u must have size [10, 2], got [9, 2]" },
  { "fisher_product with a short direction", function() policy:fisher_product(obs, trpo.zeros(3)) end,
    ("policy:fisher_product: v must have size [%d], got [3]"):format(P) },
  { "fisher_product over nothing", function() policy:fisher_product(trpo.zeros(0, 4), trpo.zeros(P)) end,
    "policy:fisher_product: observations must have at least one row, got none" },
  { "log_prob_gradient with short weights", function() policy:log_prob_gradient(obs, acts, trpo.zeros(9)) end,
    "policy:log_prob_gradient: weights must have size [10], got [9]" },
  { "log_prob_gradient over nothing", function()
    policy:log_prob_gradient(trpo.zeros(0, 4), trpo.zeros(0), trpo.zeros(0))
  end, "observations must have at least one row, got none" },
  { "update_normalizer with a wrong width", function() policy:update_normalizer(trpo.zeros(10, 5)) end,
    "policy:update_normalizer: observations must have size [N, 4] or [4], got" },
  { "update_normalizer with a number", function() policy:update_normalizer(3) end, "policy:update_normalizer: observations must" },

  -- trpo.value
  { "trpo.value without options", function() trpo.value() end, "trpo.value: options must be a table, got nil" },
  { "an unknown option of a value", function() new_value { epoch = 3 } end,
    "trpo.value: unknown option 'epoch', did you mean 'epochs'?" },
  { "an unknown kind of value", function() new_value { kind = "tabular" } end,
    "trpo.value: kind must be 'network' or 'linear', got 'tabular'" },
  { "an option that the linear kind lacks", function() new_value { kind = "linear" } end, "trpo.value: unknown option 'hidden'" },
  { "a linear baseline of discrete observations", function() trpo.value { kind = "linear", observation = discrete } end,
    "trpo.value: a linear baseline needs a box of observations" },
  { "a ridge of 0", function() trpo.value { kind = "linear", observation = box, ridge = 0 } end, "trpo.value: ridge must be" },
  { "no observations of a value", function() new_value { observation = "none" } end, "trpo.value: observation must be a space" },
  { "no generator of a value", function() new_value { rng = "none" } end, "trpo.value: rng must be a random generator, got nil" },
  { "a learning rate of 0", function() new_value { optimizer = "adam", learning_rate = 0 } end, "trpo.value: learning_rate must be" },
  { "a learning rate of NaN", function() new_value { optimizer = "adam", learning_rate = nan } end, "trpo.value: learning_rate must be" },
  { "no epochs", function() new_value { optimizer = "adam", epochs = 0 } end, "trpo.value: epochs must be an integer" },
  { "a fractional minibatch", function() new_value { optimizer = "adam", minibatch = 1.5 } end,
    "trpo.value: minibatch must be an integer" },
  { "an unknown optimizer", function() new_value { optimizer = "sgd" } end,
    "trpo.value: optimizer must be 'gauss_newton', 'lbfgs', 'last_layer' or 'adam', got 'sgd'" },
  { "minibatches of L-BFGS", function() new_value { optimizer = "lbfgs", minibatch = 64 } end,
    "trpo.value: minibatch belongs to optimizer 'adam', and the optimizer is 'lbfgs'" },
  { "iterations of the last layer", function() new_value { optimizer = "last_layer", iterations = 2 } end,
    "trpo.value: iterations belongs to optimizer 'gauss_newton' or 'lbfgs', and the optimizer is 'last_layer'" },
  { "epochs of the default optimizer", function() new_value { epochs = 2 } end,
    "trpo.value: epochs belongs to optimizer 'adam', and the optimizer is 'gauss_newton'" },
  { "no damping", function() new_value { lm_damping = 0 } end, "trpo.value: lm_damping must be a number in [1e-12, 1000000], got 0" },
  { "no iterations", function() new_value { iterations = 0 } end, "trpo.value: iterations must be an integer" },
  { "no products", function() new_value { cg_products = 0 } end, "trpo.value: cg_products must be an integer" },
  { "no rows of the matrix", function() new_value { curvature_rows = 0 } end,
    "trpo.value: curvature_rows must be an integer" },
  { "a number for solve_last_layer", function() new_value { solve_last_layer = 1 } end,
    "trpo.value: solve_last_layer must be true or false" },
  { "hidden of a value as a string", function() new_value { hidden = "64" } end, "trpo.value: hidden must be a list" },
  { "predict without observations", function() value:predict() end, "value:predict: observations must be a tensor, got nil" },
  { "predict with a wrong width", function() value:predict(trpo.zeros(2, 3)) end,
    "value:predict: observations must have size [N, 4] or [4], got a tensor [2, 3]" },
  { "predict with wrong times", function() value:predict(obs, trpo.zeros(9)) end, "value:predict: time must have size [10], got [9]" },
  { "fit without a batch", function() value:fit() end, "value:fit: batch must be a batch, got nil" },
  { "fit with a tensor", function() value:fit(obs) end, "value:fit: batch must be a batch, got a tensor [10, 4]" },
  { "fit with another width", function() value:fit(wide) end,
    "value:fit: the batch's observations must be box [4] as the value baseline's, got box [5]" },
  { "another self of fit", function() value.fit(policy, batch) end, "value:fit: value must be a value baseline, got" },
  { "parameters of another size for a value", function() value:set_theta(trpo.zeros(2)) end, "value:set_theta: theta must have size [" },
  { "parameters of a value with a NaN", function() value:set_theta(trpo.full({ value:theta():nelement() }, nan)) end,
    "value:set_theta: theta[1] must be finite, got" },

  -- trpo.collect and trpo.play
  { "collect without an environment", function() trpo.collect() end, "trpo.collect: environment must be" },
  { "collect with an id", function() trpo.collect("CartPole-v1", policy) end, "trpo.collect: environment must be" },
  { "collect without a policy", function() trpo.collect(env) end, "trpo.collect: policy must be a policy, got nil" },
  { "collect with a value", function() trpo.collect(env, value) end, "trpo.collect: policy must be a policy, got" },
  { "collect with options of a wrong type", function() trpo.collect(env, policy, 100) end,
    "trpo.collect: options must be a table, got 100" },
  { "an unknown option of collect", function() trpo.collect(env, policy, { horison = 3 }) end,
    "trpo.collect: unknown option 'horison', did you mean 'horizon'?" },
  { "a horizon of 0", function() trpo.collect(env, policy, { horizon = 0 }) end, "trpo.collect: horizon must be an integer" },
  { "a negative horizon", function() trpo.collect(env, policy, { horizon = -5 }) end, "trpo.collect: horizon must be an integer" },
  { "a fractional horizon", function() trpo.collect(env, policy, { horizon = 1.5 }) end, "horizon must be an integer" },
  { "a NaN horizon", function() trpo.collect(env, policy, { horizon = nan }) end, "horizon must be an integer" },
  { "a horizon that is no number", function() trpo.collect(env, policy, { horizon = "10" }) end, "horizon must be an integer" },
  { "a budget without whole episodes", function() trpo.collect(env, policy, { budget = 5 }) end,
    "trpo.collect: budget goes with whole_episodes = true only; give a horizon" },
  { "a horizon with whole episodes", function() trpo.collect(env, policy, { whole_episodes = true, horizon = 5 }) end,
    "trpo.collect: horizon does not go with whole_episodes; give a budget of steps" },
  { "whole episodes without a time limit", function()
    trpo.collect(trpo.make("CartPole-v1", { time_limit = 0 }), policy, { whole_episodes = true })
  end, "trpo.collect: whole_episodes needs an environment with a time limit" },
  { "a budget of 0", function() trpo.collect(env, policy, { whole_episodes = true, budget = 0 }) end,
    "trpo.collect: budget must be an integer" },
  { "a batch to be used again that is none", function() trpo.collect(env, policy, { batch = 3 }) end,
    "trpo.collect: batch must be a batch, got 3" },
  { "a policy of other observations", function() trpo.collect(env, new_policy { observation = discrete }) end,
    "trpo.collect: the policy's observations must be box [4] as the environment's, got discrete 1..2" },
  { "a policy of other actions", function() trpo.collect(env, gaussian) end,
    "trpo.collect: the policy's actions must be discrete 1..2 as the environment's, got" },
  { "play without a policy", function() trpo.play(env) end, "trpo.play: policy must be a policy, got nil" },
  { "no episodes to play", function() trpo.play(env, policy, { episodes = 0 }) end, "trpo.play: episodes must be an integer" },
  { "an unknown option of play", function() trpo.play(env, policy, { episode = 3 }) end,
    "trpo.play: unknown option 'episode', did you mean 'episodes'?" },
  { "options of play of a wrong type", function() trpo.play(env, policy, 3) end, "trpo.play: options must be a table, got 3" },
  { "play with a policy of other actions", function() trpo.play(env, gaussian) end,
    "trpo.play: the policy's actions must be discrete 1..2 as the environment's, got" },

  -- trpo.batch and trpo.gae
  { "a batch of nothing", function() trpo.batch() end, "trpo.batch: fields must be a table, got nil" },
  { "a batch without a policy", function() new_batch { policy = "none" } end, "trpo.batch: policy must be a policy, got nil" },
  { "a batch without observations", function() new_batch { observations = "none" } end,
    "trpo.batch: observations must be a tensor, got nil" },
  { "a batch without actions", function() new_batch { actions = "none" } end, "trpo.batch: actions must be a tensor, got nil" },
  { "a batch without rows", function() new_batch { observations = trpo.zeros(0, 4), actions = trpo.zeros(0) } end,
    "trpo.batch: observations must have at least one row, got none" },
  { "an unknown field of a batch", function() new_batch { reward = acts } end,
    "trpo.batch: unknown option 'reward', did you mean 'rewards'?" },
  { "observations of another width", function() new_batch { observations = trpo.zeros(10, 3) } end,
    "trpo.batch: observations must have size [N, 4] or [4], got a tensor [10, 3]" },
  { "rewards of another length", function() new_batch { rewards = trpo.zeros(9) } end,
    "trpo.batch: rewards must have size [10], got [9]" },
  { "advantages as a table", function() new_batch { advantages = { 1, 2 } } end, "trpo.batch: advantages must be a tensor, got a table" },
  { "marks of another rank", function() new_batch { terminated = trpo.zeros(10, 1) } end,
    "trpo.batch: terminated must have size [10], got [10, 1]" },
  { "too few last observations", function()
    new_batch { truncated = trpo.tensor { 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, last_observations = trpo.zeros(1, 4) }
  end, "trpo.batch: last_observations must have 2 rows" },
  { "advantages of nothing", function() trpo.gae() end, "trpo.gae: batch must be a batch, got nil" },
  { "gamma above 1", function() trpo.gae(batch, { gamma = 1.01 }) end, "trpo.gae: gamma must be a number in [0, 1], got 1.01" },
  { "gamma below 0", function() trpo.gae(batch, { gamma = -0.1 }) end, "trpo.gae: gamma must be a number in [0, 1], got -0.1" },
  { "gamma of NaN", function() trpo.gae(batch, { gamma = nan }) end, "trpo.gae: gamma must be a number in [0, 1], got" },
  { "lambda above 1", function() trpo.gae(batch, { lambda = 2 }) end, "trpo.gae: lambda must be a number in [0, 1], got 2" },
  { "a value that is none", function() trpo.gae(batch, { value = policy }) end, "trpo.gae: value must be a value baseline, got" },
  { "a value of other observations", function() trpo.gae(wide, { value = value }) end,
    "trpo.gae: the batch's observations must be box [4] as the value baseline's, got box [5]" },
  { "an unknown option of gae", function() trpo.gae(batch, { gama = 1 }) end, "trpo.gae: unknown option 'gama', did you mean 'gamma'?" },

  -- trpo.TRPO and update
  { "settings of a wrong type", function() trpo.TRPO(0.01) end, "trpo.TRPO: settings must be a table, got 0.01" },
  { "an unknown setting", function() trpo.TRPO { detla = 0.01 } end, "trpo.TRPO: unknown option 'detla', did you mean 'delta'?" },
  { "a setting by place", function() trpo.TRPO { 0.01 } end, "trpo.TRPO: options must be named" },
  { "delta of 0", function() trpo.TRPO { delta = 0 } end, "trpo.TRPO: delta must be a finite number > 0, got 0" },
  { "a negative delta", function() trpo.TRPO { delta = -1 } end, "trpo.TRPO: delta must be a finite number > 0, got -1" },
  { "delta of NaN", function() trpo.TRPO { delta = nan } end, "trpo.TRPO: delta must be a finite number > 0, got" },
  { "an infinite delta", function() trpo.TRPO { delta = inf } end, "trpo.TRPO: delta must be a" },
  { "delta as a string", function() trpo.TRPO { delta = "0.01" } end,
    "trpo.TRPO: delta must be a finite number > 0, got the string '0.01'" },
  { "gamma of TRPO above 1", function() trpo.TRPO { gamma = 1.5 } end, "trpo.TRPO: gamma must be a number in [0, 1], got 1.5" },
  { "gamma of TRPO below 0", function() trpo.TRPO { gamma = -1 } end, "trpo.TRPO: gamma must be a number in [0, 1], got -1" },
  { "lambda of NaN", function() trpo.TRPO { lambda = nan } end, "trpo.TRPO: lambda must be a number in [0, 1], got" },
  { "no CG iterations", function() trpo.TRPO { cg_iters = 0 } end, "trpo.TRPO: cg_iters must be an integer" },
  { "negative damping", function() trpo.TRPO { damping = -0.1 } end, "trpo.TRPO: damping must be" },
  { "infinite damping", function() trpo.TRPO { damping = inf } end, "trpo.TRPO: damping must be" },
  { "a ratio of 1", function() trpo.TRPO { backtrack_ratio = 1 } end, "trpo.TRPO: backtrack_ratio must be" },
  { "a ratio of 0", function() trpo.TRPO { backtrack_ratio = 0 } end, "trpo.TRPO: backtrack_ratio must be" },
  { "no trials", function() trpo.TRPO { backtracks = 0 } end, "trpo.TRPO: backtracks must be an integer" },
  { "too many trials", function() trpo.TRPO { backtracks = 65 } end, "trpo.TRPO: backtracks must be an integer" },
  { "a Fisher fraction of 0", function() trpo.TRPO { fisher_fraction = 0 } end, "trpo.TRPO: fisher_fraction must be" },
  { "a Fisher fraction above 1", function() trpo.TRPO { fisher_fraction = 1.1 } end, "trpo.TRPO: fisher_fraction must be" },
  { "an unknown step scale", function() trpo.TRPO { step_scale = "full" } end,
    "trpo.TRPO: step_scale must be 'damped' or 'undamped', got 'full'" },
  { "a flag of TRPO that is no boolean", function() trpo.TRPO { standardize_advantages = "yes" } end,
    "trpo.TRPO: standardize_advantages must be true or false, got the string 'yes'" },
  { "an update without a policy", function() algorithm:update() end, "TRPO:update: policy must be a policy, got nil" },
  { "an update without a batch", function() algorithm:update(policy) end, "TRPO:update: batch must be a batch, got nil" },
  { "an update with swapped arguments", function() algorithm:update(batch, policy) end, "TRPO:update: policy must be a policy, got" },
  { "an update called with a dot", function() algorithm.update(policy, batch) end, "TRPO:update: settings must be a table, got" },
  { "an update on other observations", function() algorithm:update(policy, wide) end,
    "TRPO:update: the batch's observations must be box [4] as the policy's, got box [5]" },
  { "an update on other actions", function() algorithm:update(policy, other_actions) end,
    "TRPO:update: the batch's actions must be discrete 1..2 as the policy's, got discrete 1..3" },
  { "an update of a policy over fewer discrete states",
    function() algorithm:update(new_policy { observation = trpo.space.discrete(4) }, nine_states) end,
    "TRPO:update: the batch's observations must be discrete 1..4 as the policy's, got discrete 1..9" },
  { "a fit over fewer discrete states",
    function() new_value { observation = trpo.space.discrete(4) }:fit(nine_states) end,
    "value:fit: the batch's observations must be discrete 1..4 as the value baseline's, got discrete 1..9" },
  { "a log_std of discrete actions", function() new_policy { log_std = 0 } end,
    "trpo.policy: log_std needs a box of actions; discrete actions have none" },
  { "a setting that was misspelt later", function()
    local settings = trpo.TRPO {}
    settings.detla = 3
    settings:update(policy, batch)
  end, "TRPO:update: unknown option 'detla', did you mean 'delta'?" },
  { "an env beside a space", function() trpo.policy { env = env, action = discrete, rng = rng() } end,
    "trpo.policy: env and action exclude each other; give one of them" },
  { "a mark that is neither 0 nor 1", function() new_batch { terminated = trpo.full({ 10 }, 0.5) } end,
    "trpo.batch: terminated and truncated must be 0 or 1, got 0.5 and 0 in row 1" },
  { "a mark of NaN", function() new_batch { truncated = trpo.full({ 10 }, nan) } end,
    "trpo.batch: terminated and truncated must be 0 or 1, got 0 and" },
  { "both marks in one row", function() new_batch { terminated = trpo.ones(10), truncated = trpo.ones(10) } end,
    "trpo.batch: row 1 cannot be terminated and truncated" },
}

-- everything that a call might have changed
local function state()
  return table.concat({
    oracle.bits(policy:theta()), oracle.bits(gaussian:theta()), oracle.bits(value:theta()), oracle.bits(batch.observations),
    oracle.bits(batch.actions), oracle.bits(batch.advantages), oracle.bits(batch.returns), oracle.bits(obs), oracle.bits(acts),
    oracle.bits(policy:forward(trpo.ones(1, 4))), algorithm.delta,
  }, "\n")
end

describe("wrong input is refused:", function()
  local before = state()

  for _, case in ipairs(cases) do
    it(case[1], function()
      local ok, message = pcall(case[2])
      assert.is_false(ok)
      assert.is_truthy(message:find(case[3], 1, true), message)
      -- one sentence, at the caller's line
      assert.is_truthy(message:find("^[^\n]*49_bad_input_spec%.lua:%d+: [^\n]+$"), message)
      assert.is_true(before == state())
    end)
  end
end)

describe("an empty batch", function()
  it("is refused by an update, and fits and gives advantages of nothing", function()
    local def = oracle.counter {}
    local broken = false
    local step = def.step
    function def.step(...)
      if broken then error("broken") end
      return step(...)
    end
    local counter = trpo.make(def)
    local two = trpo.policy { env = counter, rng = rng(), hidden = {} }
    local empty = trpo.collect(counter, two, { horizon = 3 })
    broken = true
    assert.is_nil((trpo.collect(counter, two, { horizon = 3, batch = empty })))
    assert.are.equal(0, #empty)
    local ok, message = pcall(algorithm.update, algorithm, two, empty)
    assert.is_false(ok)
    assert.is_truthy(message:find("TRPO:update: the batch must have at least one row, got none", 1, true), message)
    assert.are.equal(empty, trpo.gae(empty, { standardize = true }))
    local baseline = trpo.value { env = counter, rng = rng() }
    local theta = oracle.bits(baseline:theta())
    assert.are.equal(0, baseline:fit(empty).steps)
    assert.are.equal(theta, oracle.bits(baseline:theta()))
  end)
end)

describe("the metatables of learning objects", function()
  it("are out of a script's reach", function()
    local objects = { ["trpo.Policy"] = policy, ["trpo.Value"] = value, ["trpo.Rng"] = rng() }
    for name, object in pairs(objects) do
      assert.are.equal(name, getmetatable(object))
      assert.has_error(function() setmetatable(object, {}) end)
    end
  end)

  it("have finalizers that leave other objects alone", function()
    local finalize = debug.getmetatable(policy).__gc
    local foreign = newproxy()
    finalize(foreign)
    finalize(value)
    finalize(io.stdout)
    assert.are.equal(2, value:predict(trpo.zeros(2, 4)):size(1))
    local twin = policy:clone()
    finalize(twin)
    finalize(twin)
    assert.has_error(function() twin:size() end)
  end)
end)
