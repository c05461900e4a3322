--- Runs that are trained by hand, step by step, and everything they compute as bytes.
local trpo = require "trpo"

local by_hand = {}

--- A run with fresh objects; small unless the options say otherwise.
function by_hand.run(options)
  local all = { lanes = 3, horizon = 16, dir = false, seed = 5, policy = { hidden = { 6, 5 } } }
  for key, value in pairs(options) do all[key] = value end
  if all.value == nil then all.value = { hidden = { 7 }, optimizer = "adam", epochs = 2, minibatch = 16 } end
  return assert(trpo.experiment(all):build())
end

local fields = { "observations", "actions", "rewards", "log_probs", "times", "advantages", "returns" }

--- k iterations of training; returns all that was sampled and learnt, as bytes.
function by_hand.train(run, k)
  local seen = {}
  local function see(x) seen[#seen + 1] = type(x) == "userdata" and trpo.npy.encode(x) or ("%a"):format(x) end
  for _ = 1, k do
    local batch = assert(trpo.collect(run.env, run.policy, run:sampling()))
    trpo.gae(batch, { gamma = 0.99, lambda = 0.97, value = run.value })
    local info = run.algorithm:update(run.policy, batch)
    see(info.kl)
    see(info.surrogate_after)
    if run.value then see(assert(run.value:fit(batch)).loss or 0) end
    see(run.policy:update_normalizer(batch).kl_mean)
    for _, name in ipairs(fields) do see(batch[name]) end
    see(run.policy:theta())
    see(run.value and run.value:theta() or 0)
  end
  return table.concat(seen)
end

--- All states of a run as bytes.
function by_hand.bytes(run)
  local out = {}
  for _, state in ipairs { run.policy:state(), run.value and run.value:state() or {}, run.env:lane_states() } do
    local names = {}
    for name in pairs(state) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do out[#out + 1] = name .. trpo.npy.encode(state[name]) end
  end
  return table.concat(out)
end

return by_hand
