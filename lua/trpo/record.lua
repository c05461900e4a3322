--- The numbers of one iteration of training, by column name.
-- @module trpo.record
local trpo = require "trpo"

local record = {}

local window = require("trpo.counters").window

--- Keeps the last episodes' returns and lengths, in rings.
-- @tparam table counters `episodes`, `returns`, `lengths` of the run
-- @tparam Batch batch
function record.remember(counters, batch)
  local returns, lengths = batch.episode_returns, batch.episode_lengths
  for i = 1, returns:nelement() do
    local slot = counters.episodes % window + 1
    counters.returns[slot], counters.lengths[slot] = returns[i], lengths[i]
    counters.episodes = counters.episodes + 1
  end
end

local ring = trpo.zeros(window)

-- the mean of a list of at most `window` numbers, or nil; nothing is allocated
local function mean(list)
  if #list == 0 then return nil end
  for i = 1, #list do ring[i] = list[i] end
  return ring:narrow(1, 1, #list):mean()
end

-- mean standard deviation of a Gaussian policy (the same in every state); nil for a categorical one
local function mean_std(policy, batch)
  if policy.action.kind == "discrete" then return nil end
  local first = policy:forward(batch.observations:narrow(1, 1, 1))
  local A = first:size(2) / 2
  return first:narrow(2, A + 1, A):exp():mean()
end

--- The record of an iteration.
-- @tparam table counters of the run, this iteration and its `elapsed` seconds included
-- @tparam Policy policy
-- @tparam Batch batch
-- @tparam table info of the policy's update
-- @tparam table|nil fit of the critic's
-- @tparam table|nil drift of the normaliser's
-- @treturn table
function record.of(counters, policy, batch, info, fit, drift)
  return {
    ["time/iterations"] = counters.iterations,
    ["time/total_timesteps"] = counters.steps,
    ["time/time_elapsed"] = counters.elapsed,
    ["time/fps"] = counters.steps / counters.elapsed,
    ["rollout/ep_rew_mean"] = mean(counters.returns),
    ["rollout/ep_len_mean"] = mean(counters.lengths),
    ["train/kl_divergence_loss"] = info.kl,
    ["train/policy_objective"] = info.surrogate_after,
    ["train/explained_variance"] = info.explained_variance,
    ["train/value_loss"] = fit and fit.loss,
    ["train/is_line_search_success"] = info.step_fraction > 0 and 1 or 0,
    ["train/n_updates"] = counters.iterations,
    ["train/std"] = mean_std(policy, batch),
    ["train/step_fraction"] = info.step_fraction,
    ["train/line_search_steps"] = info.backtracks,
    ["train/cg_iters"] = info.cg_iters,
    ["train/cg_residual"] = info.cg_residual,
    ["train/expected_improvement"] = info.expected_improvement,
    ["train/actual_improvement"] = info.actual_improvement,
    ["train/kl_max"] = info.kl_max,
    ["train/entropy"] = info.entropy,
    ["train/gradient_norm"] = info.grad_norm,
    ["train/step_norm"] = info.step_norm,
    ["train/normalizer_kl"] = drift and drift.kl_mean,
  }
end

return record
