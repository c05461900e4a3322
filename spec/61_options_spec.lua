-- Option tables, names of parameters and guesses at misspelt ones.
local json = require "trpo.json"
local options = require "trpo.options"
local parameters = require "trpo.parameters"
local spelling = require "trpo.spelling"

local group = options.group {
  synonyms = { timesteps = "limit", net_arch = "policy.hidden" },
  fields = {
    { "delta", options.number { default = 0.01, above = 0 } },
    { "gamma", options.number { default = 0.99, min = 0, max = 1 } },
    { "policy", options.group {
      synonyms = { net_arch = "hidden" },
      fields = {
        { "hidden", options.list { default = { 64, 64 }, of = options.integer { min = 1 } } },
        { "activation", options.choice { default = "tanh", of = { "tanh", "relu" } } },
      },
    } },
    { "value", options.group {
      shorthand = "kind",
      aliases = { [false] = "none" },
      fields = {
        { "kind", options.choice { default = "network", of = { "network", "none" } } },
        { "hidden", options.list { default = { 32 }, of = options.integer { min = 1 } } },
      },
    } },
    { "limit", options.integer { optional = true, min = 1 } },
    { "quiet", options.boolean { default = false } },
    { "auto", options.choice { default = "auto", of = { true, false, "auto" } } },
    { "name", options.string { optional = true } },
    { "dir", options.string { default = "runs", or_false = true } },
  },
}

describe("an option table", function()
  it("gets every default and stays as it is itself", function()
    local given = { delta = 0.5, policy = { hidden = 8 } }
    local made = options.resolve("f", group, given)
    assert.are.same({ delta = 0.5, policy = { hidden = 8 } }, given)
    assert.are.equal(0.99, made.gamma)
    assert.are.same({ 8 }, made.policy.hidden)
    assert.are.equal("tanh", made.policy.activation)
    assert.are.equal("network", made.value.kind)
    assert.is_false(made.quiet)
    assert.is_nil(made.limit)
  end)

  it("is resolved to itself the second time", function()
    local once = options.resolve("f", group, { value = false, policy = { hidden = {} } })
    assert.are.same(once, options.resolve("f", group, once))
    assert.are.equal("none", once.value.kind)
    assert.are.equal("[]", json.encode(once.policy.hidden))
  end)

  it("does not share lists with the defaults", function()
    local first = options.resolve("f", group, {})
    first.policy.hidden[1] = 1
    assert.are.same({ 64, 64 }, options.resolve("f", group, {}).policy.hidden)
  end)

  it("is refused with one sentence about the first mistake", function()
    local cases = {
      { 3, "f: options must be a table, got 3" },
      { { delat = 1 }, "f: unknown option 'delat', did you mean 'delta'?" },
      { { policy = { hiden = 1 } }, "f: unknown option 'policy.hiden', did you mean 'policy.hidden'?" },
      { { policy = { xyz = 1 } }, "f: unknown option 'policy.xyz'; there is policy.hidden, policy.activation" },
      { { "CartPole-v1" }, "f: options must have names, got one without (1)" },
      { { delta = 0 }, "f: delta must be a number > 0, got 0" },
      { { delta = 0 / 0 }, "f: delta must be a number > 0, got NaN" },
      { { delta = 1 / 0 }, "f: delta must be a number > 0, got inf" },
      { { delta = "0.1" }, "f: delta must be a number > 0, got the string '0.1'" },
      { { gamma = 1.5 }, "f: gamma must be a number in [0, 1], got 1.5" },
      { { policy = 3 }, "f: policy must be a table of options, got 3" },
      { { policy = { hidden = { 64, 0 } } }, "f: policy.hidden must be a list of integers >= 1, got {64, 0}" },
      { { policy = { hidden = { 64, 2.5 } } }, "f: policy.hidden must be a list of integers >= 1, got {64, 2.5}" },
      { { policy = { hidden = { x = 1 } } }, "f: policy.hidden must be a list of integers >= 1, got a table" },
      { { policy = { hidden = "64" } }, "f: policy.hidden must be a list of integers >= 1, got a table" },
      { { policy = { activation = "sine" } },
        "f: policy.activation must be 'tanh' or 'relu', got the string 'sine'" },
      { { value = "deep" }, "f: value.kind must be 'network' or 'none', got the string 'deep'" },
      { { limit = 0 }, "f: limit must be an integer >= 1, got 0" },
      { { quiet = 1 }, "f: quiet must be true or false, got 1" },
      { { auto = "yes" }, "f: auto must be true, false or 'auto', got the string 'yes'" },
      { { name = "" }, "f: name must be a string that is not empty, got the string ''" },
      { { timesteps = 1 }, "f: unknown option 'timesteps', did you mean 'limit'?" },
      { { policy = { net_arch = 1 } }, "f: unknown option 'policy.net_arch', did you mean 'policy.hidden'?" },
    }
    for _, case in ipairs(cases) do
      local made, message = options.resolve("f", group, case[1])
      assert.is_nil(made)
      assert.are.equal(case[2], message)
    end
  end)
end)

describe("the name of a parameter", function()
  it("is a dotted path, or the last part of only one", function()
    local cases = {
      ["delta"] = "delta", ["policy.hidden"] = "policy.hidden", ["value.hidden"] = "value.hidden",
      ["activation"] = "policy.activation", ["kind"] = "value.kind", ["value"] = "value.kind",
    }
    for name, path in pairs(cases) do assert.are.equal(path, parameters.find(group, name).path) end
  end)

  it("is refused when it is unknown or ambiguous", function()
    local cases = {
      { "hidden", "parameter 'hidden' is ambiguous: write 'policy.hidden' or 'value.hidden'" },
      { "detla", "unknown parameter 'detla', did you mean 'delta'?" },
      { "activatoin", "unknown parameter 'activatoin', did you mean 'activation'?" },
      { "policy.hiden", "unknown parameter 'policy.hiden', did you mean 'policy.hidden'?" },
      { "policy", "unknown parameter 'policy'" },
      { "", "unknown parameter ''" },
      { "net_arch", "unknown parameter 'net_arch', did you mean 'policy.hidden'?" },
      { "policy.net_arch", "unknown parameter 'policy.net_arch', did you mean 'policy.hidden'?" },
    }
    for _, case in ipairs(cases) do
      local leaf, message = parameters.find(group, case[1])
      assert.is_nil(leaf)
      assert.are.equal(case[2], message)
    end
  end)

  it("lists every leaf in order", function()
    local paths = {}
    for i, leaf in ipairs(parameters.leaves(group)) do paths[i] = leaf.path end
    assert.are.equal("delta gamma policy.hidden policy.activation value.kind value.hidden limit quiet auto name dir",
      table.concat(paths, " "))
  end)
end)

describe("the text of a parameter", function()
  local function read(name, text) return parameters.parse(parameters.find(group, name), text) end

  it("is read as the kind of value that is there", function()
    assert.are.equal(0.001, read("delta", "1e-3"))
    assert.are.equal(true, read("quiet", "true"))
    assert.are.equal(false, read("auto", "false"))
    assert.are.equal("auto", read("auto", "auto"))
    assert.are.equal("12", read("name", "12"))
    assert.are.equal("false", read("name", "false"))
    assert.are.equal(false, read("dir", "false"))
    assert.are.equal("none", read("value", "false"))
    assert.are.equal("none", read("value.kind", "false"))
    assert.are.equal(json.null, read("limit", "nil"))
    for _, text in ipairs { "64,32", "64 32", "{64, 32}", "[64,32]" } do
      assert.are.same({ 64, 32 }, read("policy.hidden", text))
    end
    assert.are.same({ 5 }, read("policy.hidden", "5"))
    for _, text in ipairs { "", "{}", "[]" } do assert.are.same({}, read("policy.hidden", text)) end
  end)

  it("is refused when it is of another kind or out of range", function()
    local cases = {
      { "delta", "big", "delta must be a number > 0, got 'big'" },
      { "delta", "nan", "delta must be a number > 0, got 'nan'" },
      { "delta", "-1", "delta must be a number > 0, got '-1'" },
      { "delta", "nil", "delta must be a number > 0, got 'nil'" },
      { "quiet", "yes", "quiet must be true or false, got 'yes'" },
      { "limit", "2.5", "limit must be an integer >= 1, got '2.5'" },
      { "policy.hidden", "64,x", "policy.hidden must be a list of integers >= 1, got '64,x'" },
      { "kind", "deep", "value.kind must be 'network' or 'none', got 'deep'" },
    }
    for _, case in ipairs(cases) do
      local value, message = read(case[1], case[2])
      assert.is_nil(value)
      assert.are.equal(case[3], message)
    end
  end)

  it("is put into the tree and taken out of it", function()
    local tree = { policy = { hidden = { 1 } }, limit = 3 }
    parameters.assign(tree, "policy.activation", "relu")
    parameters.assign(tree, "env.id", "A")
    parameters.assign(tree, "limit", json.null)
    assert.are.same({ policy = { hidden = { 1 }, activation = "relu" }, env = { id = "A" } }, tree)
    assert.are.equal("relu", parameters.read(tree, "policy.activation"))
    assert.is_nil(parameters.read(tree, "limit.x"))
  end)

  it("is split from its name", function()
    local name, value = parameters.split("a.b=c=d")
    assert.are.same({ "a.b", "c=d" }, { name, value })
    for _, text in ipairs { "delta", "=3", "a b=3" } do
      local none, message = parameters.split(text)
      assert.is_nil(none)
      assert.are.equal(("--set must be NAME=VALUE, got '%s'"):format(text), message)
    end
  end)
end)

describe("a misspelt name", function()
  local ids = { "CartPole-v1", "Pendulum-v1", "Acrobot-v1" }

  it("is corrected when it is near", function()
    for _, word in ipairs { "CartPol-v1", "cartpole-v1", "CartPoel-v1", "CartPole-v2", "CartPole" } do
      assert.are.equal("CartPole-v1", spelling.nearest(word, ids))
    end
    -- what other libraries call it, where there is what they mean; and the only one that begins so
    local keys = { "delta", "gamma", "on_iteration", "on_episode" }
    assert.are.equal("delta", spelling.nearest("max_kl", keys))
    assert.is_nil(spelling.nearest("max_kl", { "gamma" }))
    assert.are.equal("on_iteration", spelling.nearest("on_iter", keys))
    assert.is_nil(spelling.nearest("on_", keys))
    assert.are.equal(", did you mean 'Acrobot-v1'?", spelling.hint("Acrobat-v1", ids))
  end)

  it("is left alone when nothing is near", function()
    assert.is_nil(spelling.nearest("Humanoid", ids))
    assert.are.equal("", spelling.hint("", ids))
    assert.are.equal("", spelling.hint("x", {}))
  end)
end)
