-- An update with the fit of a value beside it: what one after the other gives, bit for bit, failures included.
local trpo = require "trpo"
local oracle = require "support.oracle"

local KINDS = {
  gauss_newton = { optimizer = "gauss_newton" },
  ["gauss_newton and the last layer"] = { optimizer = "gauss_newton", solve_last_layer = true },
  lbfgs = { optimizer = "lbfgs", iterations = 5 },
  last_layer = { optimizer = "last_layer" },
  adam = { optimizer = "adam", epochs = 3, minibatch = 48 },
  linear = { kind = "linear" },
}

local function environment(id) return trpo.make(id, { lanes = 3, seed = 6 }) end

local function policy_of(env, precision)
  return trpo.policy {
    env = env, hidden = { 33, 17 }, precision = precision, rng = trpo.rng(1), normalize_observations = env.action.kind == "box",
  }
end

local function value_of(env, kind, precision)
  local options = { env = env, rng = trpo.rng(2) }
  if kind.kind ~= "linear" then
    options.hidden, options.precision, options.normalize_observations = { 21 }, precision, env.action.kind == "box"
  end
  for key, x in pairs(kind) do options[key] = x end
  return trpo.value(options)
end

-- fresh objects and a batch that they have advantages for; it is sampled anew
local function problem(id, kind, precision)
  local env = environment(id)
  local policy, value = policy_of(env, precision), value_of(env, kind, precision)
  local batch = assert(trpo.collect(env, policy, { horizon = 79 }))
  trpo.gae(batch, { value = value })
  return policy, value, batch, env
end

local function bits_of_state(object)
  local names, words = {}, {}
  for name in pairs(object:state()) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do words[i] = name .. " " .. oracle.bits(object:state()[name]) end
  return table.concat(words, "\n")
end

-- a result without its wall times, as text
local function text_of(x)
  if type(x) ~= "table" then return type(x) == "number" and ("%a"):format(x) or tostring(x) end
  local names, words = {}, {}
  for name in pairs(x) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    if name ~= "seconds" then words[#words + 1] = name .. " " .. text_of(x[name]) end
  end
  return "{ " .. table.concat(words, ", ") .. " }"
end

-- update and fit of a method's settings, one after the other
local function after(settings, policy, batch, value)
  local info = trpo.TRPO(settings):update(policy, batch)
  return info, value:fit(batch)
end

local function beside(settings, policy, batch, value)
  return trpo.TRPO(settings):update(policy, batch, value)
end

-- what two iterations leave behind, as text
local function learn(how, threads, id, kind, precision)
  trpo.threads(threads)
  local policy, value, batch, env = problem(id, kind, precision)
  local words = {}
  for _ = 1, 2 do
    for _, x in ipairs { how({}, policy, batch, value) } do words[#words + 1] = text_of(x) end
    words[#words + 1] = bits_of_state(policy)
    words[#words + 1] = bits_of_state(value)
    batch = assert(trpo.collect(env, policy, { horizon = 79 }))
    trpo.gae(batch, { value = value })
  end
  return table.concat(words, "\n")
end

describe("a fit beside an update", function()
  local threads
  setup(function() threads = trpo.threads() end)
  teardown(function() trpo.threads(threads) end)

  for _, id in ipairs { "CartPole-v1", "Pendulum-v1" } do
    for _, precision in ipairs { "single", "double" } do
      for name, kind in pairs(KINDS) do
        it(("gives the bits of a fit after it on one, two and three threads: %s, %s, %s"):format(id, precision, name), function()
          local expected = learn(after, 1, id, kind, precision)
          for count = 1, 3 do assert.are.equal(expected, learn(beside, count, id, kind, precision)) end
        end)
      end
    end
  end

  it("allocates nothing after the first", function()
    for count = 1, 3 do
      trpo.threads(count)
      local policy, value, batch = problem("CartPole-v1", KINDS.adam, "single")
      beside({}, policy, batch, value)
      local before = trpo.info().allocations
      beside({}, policy, batch, value)
      assert.are.equal(before, trpo.info().allocations)
    end
  end)

  it("goes on after an update that took no step", function()
    local policy, value, batch = problem("CartPole-v1", KINDS.adam, "single")
    local twin_policy, twin, twin_batch = problem("CartPole-v1", KINDS.adam, "single")
    for _, b in ipairs { batch, twin_batch } do b.advantages:fill(2) end
    local info, fit = beside({}, policy, batch, value)
    local _, expected = after({}, twin_policy, twin_batch, twin)
    assert.are.equal("zero_gradient", info.status)
    assert.are.equal(text_of(expected), text_of(fit))
    assert.are.equal(bits_of_state(twin), bits_of_state(value))
  end)
end)

describe("an update that fails for good", function()
  for name, kind in pairs(KINDS) do
    it("leaves the value bit for bit as it was: " .. name, function()
      for _, id in ipairs { "CartPole-v1", "Pendulum-v1" } do
        local policy, value, batch = problem(id, kind, "single")
        -- with moments, a scale and a damping of a first fit
        assert(value:fit(batch))
        local before, parameters = bits_of_state(value), bits_of_state(policy)
        batch.advantages[17] = 0 / 0
        assert.are.equal(1, select("#", beside({}, policy, batch, value)))
        assert.are.equal("not_finite", beside({}, policy, batch, value).status)
        assert.are.equal(before, bits_of_state(value))
        assert.are.equal(parameters, bits_of_state(policy))
        -- and it can be fitted as if nothing had been
        local _, twin, same = problem(id, kind, "single")
        assert(twin:fit(same))
        assert.are.equal(text_of(twin:fit(same)), text_of(value:fit(batch)))
        assert.are.equal(bits_of_state(twin), bits_of_state(value))
      end
    end)
  end
end)

describe("a fit that fails", function()
  for name, kind in pairs(KINDS) do
    it("leaves the value as it was, and the update is made: " .. name, function()
      local policy, value, batch = problem("CartPole-v1", kind, "single")
      local twin, _, same = problem("CartPole-v1", kind, "single")
      local before = bits_of_state(value)
      for _, b in ipairs { batch, same } do b.returns[3] = 0 / 0 end
      local info, fit, message, code = beside({}, policy, batch, value)
      assert.are.same({ nil, "a NaN or an infinite number appeared", "not_finite" }, { fit, message, code })
      assert.are.equal(text_of(trpo.TRPO {}:update(twin, same)), text_of(info))
      assert.are.equal(bits_of_state(twin), bits_of_state(policy))
      assert.are.equal(before, bits_of_state(value))
    end)
  end
end)

describe("a value beside an update", function()
  local policy, value, batch = problem("CartPole-v1", KINDS.adam, "single")
  local theta = bits_of_state(policy)

  local function refused(message, ...)
    local ok, got = pcall(trpo.TRPO({}).update, trpo.TRPO {}, policy, ...)
    assert.is_false(ok)
    assert.is_truthy(got:find(message, 1, true), got)
    assert.are.equal(theta, bits_of_state(policy))
  end

  it("must be one", function()
    refused("TRPO:update: value must be a value baseline, got 3", batch, 3)
    refused("TRPO:update: value must be a value baseline, got ", batch, policy)
    refused("TRPO:update: value must be a value baseline, got false", batch, false)
  end)

  it("must read the batch's observations", function()
    local other = trpo.value { observation = trpo.space.box { shape = { 3 } }, hidden = { 4 }, rng = trpo.rng(1) }
    refused("TRPO:update: the batch's observations", batch, other)
    assert.is_truthy(trpo.TRPO {}:update(policy, batch, value))
  end)
end)
