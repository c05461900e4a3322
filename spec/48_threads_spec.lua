-- Results do not depend on the number of threads: everything that runs in parallel, bit for bit.
local trpo = require "trpo"
local oracle = require "support.oracle"

-- what an iteration computes, as text; N = 711 rows are no multiple of anything
local function iterate(threads, precision, id, critic)
  trpo.threads(threads)
  local words = {}
  local function note(...)
    for _, x in ipairs { ... } do words[#words + 1] = oracle.bits(x) end
  end
  local env = trpo.make(id, { lanes = 3, seed = 6 })
  local policy = trpo.policy {
    env = env, hidden = { 33, 17 }, precision = precision, rng = trpo.rng(1), normalize_observations = true,
  }
  local options = { env = env, hidden = { 21 }, precision = precision, rng = trpo.rng(2), normalize_observations = true }
  for key, x in pairs(critic) do options[key] = x end
  local value = trpo.value(options)
  local algorithm = trpo.TRPO {}
  for _ = 1, 2 do
    local batch = trpo.collect(env, policy, { horizon = 237 })
    note(batch.observations, batch.actions, batch.log_probs, batch.rewards)
    trpo.gae(batch, { value = value })
    note(batch.values, batch.advantages, batch.returns)
    local v = trpo.randn(trpo.rng(3), policy:size())
    note(policy:fisher_product(batch.observations, v), policy:jvp(batch.observations, v))
    local before = policy:clone()
    local info = algorithm:update(policy, batch)
    note(policy:theta(), info.kl, info.surrogate_after, info.cg_residual, info.entropy)
    note(before:kl(policy, batch.observations), before:kl_gradient(policy, batch.observations))
    note(value:fit(batch).loss, value:theta(), value:predict(batch.observations))
    note(policy:update_normalizer(batch).kl_mean, policy:forward(batch.observations))
    note(policy:log_prob_gradient(batch.observations, batch.actions, batch.advantages))
  end
  local whole = trpo.collect(env, policy, { whole_episodes = true, budget = 300 })
  note(whole.observations, whole.last_observations, whole.episode_returns)
  note((trpo.play(env, policy, { episodes = 5 })))
  return table.concat(words, "\n")
end

local critics = { ["the default"] = {}, adam = { optimizer = "adam", minibatch = 333 } }

describe("one, two and three threads give the same bits", function()
  local threads
  setup(function() threads = trpo.threads() end)
  teardown(function() trpo.threads(threads) end)

  for _, precision in ipairs { "single", "double" } do
    for _, id in ipairs { "CartPole-v1", "Pendulum-v1" } do
      for name, critic in pairs(critics) do
        it(("in %s precision: %s, the critic by %s"):format(precision, id, name), function()
          local one = iterate(1, precision, id, critic)
          assert.is_true(one == iterate(2, precision, id, critic))
          assert.is_true(one == iterate(3, precision, id, critic))
          assert.is_true(one == iterate(1, precision, id, critic)) -- and it repeats at all
        end)
      end
    end
  end

  it("with more lanes than one group of them holds", function()
    local function run(count)
      trpo.threads(count)
      local env = trpo.make("CartPole-v1", { lanes = 37, seed = 6 })
      local policy = trpo.policy { env = env, hidden = { 8 }, rng = trpo.rng(1) }
      local batch = trpo.collect(env, policy, { horizon = 41 })
      return oracle.bits(batch.observations) .. oracle.bits(batch.actions) .. oracle.bits(batch.episode_returns)
    end
    assert.is_true(run(1) == run(2))
  end)
end)
