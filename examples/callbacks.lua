-- Functions of yours that are called while an experiment trains: a column of your own, early stopping, and the best
-- policy, which is kept.
--
--   bin/trpo train examples/callbacks.lua      (`trpo` when it is installed; then `luajit examples/callbacks.lua`, too)
--   bin/trpo eval runs/callbacks --best        plays with the best policy, not with the last one
local trpo = require "trpo"

local run = trpo.experiment {
  env       = "CartPole-v1",
  algorithm = trpo.TRPO { delta = 0.02, gamma = 0.99, lambda = 0.97 },
  steps     = 100000,
  seed      = 1,
  name      = "callbacks",

  -- After every fifth iteration 20 episodes are played. Whenever their mean reward is the best so far, policy and all
  -- go to checkpoints/best.safetensors; at 475 or more, what CartPole-v1 calls solved, training is done.
  evaluation = { episodes = 20, every = 5, save_best = true, reward_threshold = 475 },

  -- Called for each episode of training that has ended. Checkpoints keep run.memory, so that a run that is resumed goes
  -- on with it.
  on_episode = function(episode, run)
    run.memory.longest = math.max(run.memory.longest or 0, episode.length)
  end,

  -- Called after each iteration with its numbers by name. What is added becomes a further column of progress.csv (when
  -- it is there from the first iteration on) and a curve in TensorBoard.
  on_iteration = function(record, run)
    record["user/longest_episode"] = run.memory.longest or 0
    -- the return has collapsed after a good start: no use in going on
    local reward = record["rollout/ep_rew_mean"]
    if record["time/iterations"] > 20 and reward and reward < 15 then return "stop" end
  end,
}

return run:main(...)
