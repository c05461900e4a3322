-- Checkpoints: a run that goes on from one computes the bits of a run that was never interrupted, and a file that is
-- damaged, hostile or of another run is refused.
local by_hand = require "support.by_hand"
local checkpoint = require "trpo.checkpoint"
local command = require "support.command"
local files = require "support.files"
local json = require "trpo.json"
local pack = require "trpo.pack"
local project = require "support.project"
local trpo = require "trpo"

local scratch, path

setup(function()
  -- in memory where that is possible: hundreds of files are brought to the disk here
  scratch = project.lines("mktemp -d -p /dev/shm 2>/dev/null || mktemp -d")[1]
  path = scratch .. "/a.safetensors"
end)
teardown(function() command.remove(scratch) end)

local nan, inf = 0 / 0, math.huge

-- an environment whose lanes keep tables and tensors of their own
local function valley(changes)
  local def = {
    id = "Valley-v0", observation = trpo.space.box { shape = { 2 } }, action = trpo.space.discrete(2), time_limit = 9,
    reset = function(self, rng, obs)
      self.x, self.speeds, self.episodes = rng:uniform(-1, 1), trpo.zeros(2, 2), (self.episodes or 0) + 1
      obs[1], obs[2] = self.x, self.episodes / 100
    end,
    step = function(self, action, obs, rng)
      self.speeds[1][2] = 0.9 * self.speeds[1][2] + (action == 1 and -0.1 or 0.1) + 0.01 * rng:normal()
      self.x = self.x + self.speeds[1][2]
      obs[1] = self.x
      return -math.abs(self.x), false
    end,
    save = function(self) return { x = self.x, own = { speeds = self.speeds, episodes = self.episodes } } end,
    restore = function(self, state) self.x, self.speeds, self.episodes = state.x, state.own.speeds, state.own.episodes end,
  }
  for key, entry in pairs(changes or {}) do def[key] = entry or nil end
  return def
end

local network = { hidden = { 7 }, optimizer = "adam", epochs = 2, minibatch = 16 }
local garnet = trpo.mdp.garnet { states = 6, actions = 3, branching = 2, seed = 1 }

local runs = {
  { "discrete actions", { env = "CartPole-v1" } },
  { "a box of actions with a normaliser",
    { env = "Pendulum-v1", normalize_observations = true, policy = { hidden = { 6 }, log_std = -0.5 } } },
  { "double precision", { env = "Pendulum-v1", policy = { hidden = { 6 }, precision = "double" },
    normalize_observations = true, value = { hidden = { 7 }, precision = "double", optimizer = "adam", epochs = 2, minibatch = 16 } } },
  { "a linear critic", { env = "CartPole-v1", value = "linear" } },
  { "Gauss-Newton steps", { env = "CartPole-v1", value = { hidden = { 7 }, cg_products = 30, curvature_rows = 4, lm_damping = 1e-9 } } },
  { "L-BFGS", { env = "Pendulum-v1", value = { hidden = { 7 }, optimizer = "lbfgs", iterations = 3 } } },
  { "no critic", { env = "CartPole-v1", value = false } },
  { "whole episodes", { env = "CartPole-v1", whole_episodes = true, budget = 60 } },
  { "a built-in process", { env = "FrozenLake-v1", value = network } },
  { "a process", { env = { id = garnet, time_limit = 12 } } },
  { "an environment in Lua", { env = valley() } },
  { "plain targets and no hidden layers", { env = "CartPole-v1", policy = { hidden = {} },
    value = { hidden = {}, rescale_targets = false, optimizer = "adam", epochs = 1 } } },
  { "one lane", { env = "Taxi-v3", lanes = 1, horizon = 40 } },
}

describe("a run that goes on from a checkpoint", function()
  for _, case in ipairs(runs) do
    it("computes what an uninterrupted one computes: " .. case[1], function()
      local first = by_hand.run(case[2])
      by_hand.train(first, 2)
      assert.is_true(checkpoint.save(path, first))
      local expected = by_hand.train(first, 3)
      local saved = assert(checkpoint.load(path))
      local other = by_hand.run(case[2])
      assert.is_true(checkpoint.restore(saved, other))
      assert.is_true(saved.exact)
      assert.is_true(expected == by_hand.train(other, 3))
      assert.is_true(by_hand.bytes(first) == by_hand.bytes(other))
      -- a run that has learnt something else goes back in the same way, as often as one likes
      assert.is_true(checkpoint.restore(saved, other))
      assert.is_true(expected == by_hand.train(other, 3))
    end)
  end

  it("is not disturbed by writing one", function()
    local a, b = by_hand.run { env = valley() }, by_hand.run { env = valley() }
    local expected = by_hand.train(a, 4)
    local seen = {}
    for i = 1, 4 do
      seen[i] = by_hand.train(b, 1)
      checkpoint.save(path, b)
    end
    assert.is_true(expected == table.concat(seen))
  end)

  it("may stop before its first step", function()
    local a, b = by_hand.run { env = valley() }, by_hand.run { env = valley() }
    checkpoint.save(path, a)
    by_hand.train(b, 1)
    local expected = by_hand.train(a, 2)
    local fresh = by_hand.run { env = valley() }
    assert.is_true(checkpoint.restore(checkpoint.load(path), fresh))
    assert.is_true(expected == by_hand.train(fresh, 2))
  end)

  it("begins new episodes where the environment cannot save, and all else goes on", function()
    local options = { env = valley { save = false, restore = false } }
    local first, other = by_hand.run(options), by_hand.run(options)
    by_hand.train(first, 3)
    assert.is_true(checkpoint.save(path, first))
    local saved = checkpoint.load(path)
    assert.is_false(saved.exact)
    assert.is_true(checkpoint.restore(saved, other))
    assert.are.equal(trpo.npy.encode(first.policy:theta()), trpo.npy.encode(other.policy:theta()))
    assert.are.equal(trpo.npy.encode(first.value:theta()), trpo.npy.encode(other.value:theta()))
    local before, after = first.env:lane_states(), other.env:lane_states()
    assert.are.same({ 1, 1, 1 }, after.ended:totable())
    -- the random numbers go on, too: none comes twice
    assert.are.same(before.clock:totable(), after.clock:totable())
    assert.is_true(before.clock:min() > 40)
    assert.are.equal(0, trpo.collect(other.env, other.policy, other:sampling()).times[1])
  end)

  it("depends on neither the table's order nor the time: the same run gives the same bytes", function()
    local run = by_hand.run { env = valley() }
    by_hand.train(run, 1)
    local counters = { b = 1, a = { 2, x = trpo.ones(2), y = trpo.zeros(1) }, [3] = "c" }
    checkpoint.save(path, run, counters)
    local first = command.read(path)
    checkpoint.save(path, run, { [3] = "c", a = { y = trpo.zeros(1), 2, x = trpo.ones(2) }, b = 1 })
    assert.is_true(first == command.read(path))
  end)
end)

-- ---- what is kept besides -----------------------------------------------------------------------

-- equal in every bit, NaN included
local function same(a, b)
  if type(a) ~= type(b) then return false end
  if type(a) == "number" then return ("%a"):format(a) == ("%a"):format(b) or a ~= a and b ~= b end
  if type(a) == "userdata" then return trpo.npy.encode(a) == trpo.npy.encode(b) end
  if type(a) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

-- every byte
local alphabet = {}
for i = 0, 255 do alphabet[i + 1] = string.char(i) end
local all_bytes = table.concat(alphabet)

local plain = {
  nothing = {}, yes = true, no = false, text = "naïve", bytes = all_bytes, empty = "", zero = "a\0b",
  [1.5] = "half", [-3] = "negative", [inf] = "last", [""] = "no name", ["\255"] = 1,
  list = { 1, 2, { 3, { 4, {} } } }, holes = { [1] = 1, [3] = 3 }, mixed = { 1, 2, x = 3 },
  numbers = { -0.0, 5e-324, -2.2250738585072009e-308, 1.7976931348623157e308, 0.1, 1 / 3, 2 ^ 53, 2 ^ 53 - 1, 2 ^ 48,
    1e300 * 1e10, -inf, nan, 123456789.123456789, 4294967295, -1e-7 },
  tensors = { trpo.tensor { { 1, -0.0, nan }, { inf, -inf, 5e-324 } }, trpo.zeros(0, 3), trpo.full({}, 7), trpo.zeros(2, 0) },
  deep = (function()
    local t = "ground"
    for _ = 1, 99 do t = { t } end
    return t
  end)(),
}

describe("counters", function()
  it("read back in every bit", function()
    local run = by_hand.run { env = "CartPole-v1" }
    assert.is_true(checkpoint.save(path, run, plain))
    assert.is_true(same(plain, assert(checkpoint.load(path)).counters))
    checkpoint.save(path, run)
    assert.are.same({}, checkpoint.load(path).counters)
  end)

  it("read back random trees of numbers", function()
    local rng, run = trpo.rng(3), by_hand.run { env = "CartPole-v1", policy = { hidden = {} }, value = false }
    local function random(depth)
      local kind = rng:integer(1, depth > 0 and 6 or 4)
      if kind == 1 then return rng:normal() * 2 ^ rng:integer(-1074, 1020) end
      if kind == 2 then return rng:integer(0, 2 ^ 31) * 131072 end
      if kind == 3 then return rng:uniform() < 0.5 end
      if kind == 4 then return all_bytes:sub(rng:integer(1, 200), 200 + rng:integer(0, 56)) end
      local t = {}
      for i = 1, rng:integer(0, 5) do t[kind == 5 and i or "k" .. rng:integer(1, 99)] = random(depth - 1) end
      return t
    end
    for _ = 1, 30 do
      local tree = { random(4), random(4) }
      assert.is_true(checkpoint.save(path, run, tree))
      assert.is_true(same(tree, checkpoint.load(path).counters))
    end
  end)

  it("may hold thousands of tensors", function()
    local run, many = by_hand.run { env = "CartPole-v1", policy = { hidden = {} }, value = false }, {}
    for i = 1, 10000 do many[i] = trpo.full({ 1 }, i) end
    assert(checkpoint.save(path, run, many))
    local read = assert(checkpoint.load(path)).counters
    assert.are.equal(#many, #read)
    for i = 1, #many, 99 do assert.are.equal(i, read[i][1]) end
  end)

  it("may hold a table in several places, which are tables of their own when they are read", function()
    local run, shared = by_hand.run { env = "CartPole-v1", policy = { hidden = {} }, value = false }, { 1, 2 }
    assert(checkpoint.save(path, run, { a = shared, b = { shared } }))
    local read = assert(checkpoint.load(path)).counters
    assert.are.same({ a = { 1, 2 }, b = { { 1, 2 } } }, read)
    assert.are_not.equal(read.a, read.b[1])
  end)

  local circle = {}
  circle.again = circle
  local doubled = {}
  for _ = 1, 20 do doubled = { doubled, doubled } end
  local deeper = { plain.deep }
  deeper = { { deeper } }
  for _, case in ipairs {
    { "a function", { f = { print } }, "counters.f.1 is a function" },
    { "a thread", { coroutine.create(print) }, "counters.1 is a thread" },
    { "another object", { x = trpo.rng(1) }, "counters.x is a userdata" },
    { "a boolean as key", { [true] = 1 }, "a key of counters is a boolean; keys must be strings or numbers" },
    { "a circle", circle, "is nested more than 100 deep or contains itself" },
    { "a deep tree", deeper, "is nested more than 100 deep" },
    { "tables that double", doubled, "counters has the same tables in more than 262144 places; each place would get a copy" },
  } do
    it("are refused with their name: " .. case[1], function()
      os.remove(path)
      local ok, message, code = checkpoint.save(path, by_hand.run { env = "CartPole-v1" }, case[2])
      assert.is_nil(ok)
      assert.is_truthy(message:find(case[3], 1, true), message)
      assert.are.equal("error", code)
      assert.is_nil(io.open(path))
    end)
  end
end)

describe("a checkpoint", function()
  it("tells what wrote it", function()
    local run = by_hand.run { env = "Pendulum-v1", policy = { hidden = {} }, algorithm = { delta = 0.1 } }
    checkpoint.save(path, run, { iterations = 3 })
    local saved = checkpoint.load(path)
    assert.are.equal(path, saved.path)
    assert.are.equal(0.1, saved.config.algorithm.delta)
    assert.are.equal("Pendulum-v1", saved.config.env.id)
    assert.are.equal(trpo.info().isa, saved.system.isa)
    assert.are.equal(trpo.VERSION, saved.system.version)
    assert.are.equal(run.policy.observation, saved.observation)
    assert.are.equal(run.policy.action, saved.action)
    assert.are.same({ id = "Pendulum-v1", time_limit = 200, lanes = 3 }, saved.env)
  end)

  it("is a safetensors file with names that speak", function()
    local run = by_hand.run { env = "Pendulum-v1", normalize_observations = true }
    by_hand.train(run, 1)
    checkpoint.save(path, run)
    local tensors, notes = trpo.safetensors.read(path)
    assert.are.same(run.policy:theta():totable(), tensors["policy.theta"]:totable())
    assert.are.same(run.policy:normalizer().mean:totable(), tensors["policy.normalizer.mean"]:totable())
    assert.are.same(run.value:theta():totable(), tensors["value.theta"]:totable())
    assert.are.same({ 17, 17, 17 }, tensors["lanes.clock"]:totable())
    assert.are.same({ -2 }, tensors["action.low"]:totable())
    assert.are.equal("1", notes.format)
    assert.are.equal(5, json.decode(notes.trpo).config.seed)
  end)

  it("keeps what Lua environments keep, of any kind", function()
    -- the states of lanes are nested 64 deep at most
    local data = {}
    for key, entry in pairs(plain) do data[key] = key ~= "deep" and entry or nil end
    local def = valley {
      save = function(self) return { plain = data, episodes = self.episodes } end,
      restore = function(self, state) self.kept, self.x, self.speeds = state, 0, trpo.zeros(2, 2) end,
    }
    local run, other = by_hand.run { env = def, lanes = 2 }, by_hand.run { env = def, lanes = 2 }
    by_hand.train(run, 1)
    assert(checkpoint.save(path, run))
    assert(checkpoint.restore(checkpoint.load(path), other))
    assert.is_true(same(data, other.env:own_state(1).plain))
    local saved = checkpoint.load(path)
    assert.is_true(same(data, saved.states[2][1].plain))
    -- and nothing is a state
    local nothing = valley { save = function() return nil end, restore = function(self, state) self.kept = state end }
    run = by_hand.run { env = nothing }
    by_hand.train(run, 1)
    assert(checkpoint.save(path, run))
    assert(checkpoint.restore(checkpoint.load(path), run))
  end)

  for _, case in ipairs {
    { "a function", function(self) return { x = self.x, list = { 1, print } } end,
      "Valley-v0: lane 1 cannot be saved: save: state.list.2 is a function" },
    { "a thread", function() return coroutine.create(print) end,
      "Valley-v0: lane 1 cannot be saved: save: state is a thread" },
    { "an error", function(self) return self.missing.field end,
      "attempt to index field 'missing'" },
  } do
    it("is not written when a Lua environment saves " .. case[1], function()
      os.remove(path)
      local run = by_hand.run { env = valley { save = case[2] } }
      by_hand.train(run, 1)
      local ok, message, code = checkpoint.save(path, run)
      assert.is_nil(ok)
      assert.is_truthy(message:find(case[3], 1, true), message)
      assert.is_falsy(message:find "\n")
      assert.are.equal("environment", code)
      assert.is_nil(io.open(path))
    end)
  end

  it("is written whole or not at all", function()
    local run = by_hand.run { env = "CartPole-v1" }
    checkpoint.save(path, run)
    local before = command.read(path)
    for _, case in ipairs {
      { scratch .. "/none/x.safetensors", "no_file" }, { scratch, "io" }, { "/proc/x.safetensors", "no_file" },
      { path .. "/x.safetensors", "no_file" }, { scratch .. "/" .. ("x"):rep(300), "io" },
    } do
      local ok, message, code = checkpoint.save(case[1], run)
      assert.is_nil(ok)
      assert.is_truthy(message:find("cannot write '" .. case[1] .. "'", 1, true), message)
      assert.are.equal(case[2], code)
    end
    assert.is_true(before == command.read(path))
    local leftovers = io.popen("ls -A " .. project.quoted(scratch) .. " | grep -c tmp"):read "*n"
    assert.are.equal(0, leftovers)
  end)

  it("survives a disk that is full, the old one being as it was", function()
    local run = by_hand.run { env = "CartPole-v1" }
    checkpoint.save(path, run, { 1 })
    local script = scratch .. "/full.lua"
    command.write(script, ([[
      local checkpoint, trpo = require "trpo.checkpoint", require "trpo"
      local run = trpo.experiment { env = "CartPole-v1", dir = false }:build()
      print(checkpoint.save(%q, run, { 2 }))
    ]]):format(path))
    -- no more than 8 KiB can be written to a file
    local out = command.shell(scratch, ("trap '' XFSZ; ulimit -f 8; LUA_PATH=%q LUA_CPATH=%q luajit %s"):format(
      package.path, package.cpath, script))
    assert.is_truthy(out:find("nil\tcannot write '" .. path .. "'", 1, true), out)
    assert.is_truthy(out:find("\tio\n", 1, true), out)
    assert.are.equal(1, checkpoint.load(path).counters[1])
  end)
end)

-- ---- a policy alone -----------------------------------------------------------------------------

describe("the policy of a checkpoint", function()
  for _, case in ipairs(runs) do
    it("acts as the run's, without its environment: " .. case[1], function()
      local run = by_hand.run(case[2])
      by_hand.train(run, 2)
      local rows = trpo.collect(run.env, run.policy, run:sampling()).observations
      checkpoint.save(path, run)
      local policy = assert(trpo.load_policy(path))
      assert.are.equal(tostring(run.policy), tostring(policy))
      assert.are.equal(run.policy.observation, policy.observation)
      assert.are.equal(run.policy.action, policy.action)
      assert.are.equal(trpo.npy.encode(run.policy:forward(rows)), trpo.npy.encode(policy:forward(rows)))
      local a, p = run.policy:sample(rows, trpo.rng(1))
      local b, q = policy:sample(rows, trpo.rng(1))
      assert.are.equal(trpo.npy.encode(a) .. trpo.npy.encode(p), trpo.npy.encode(b) .. trpo.npy.encode(q))
    end)
  end

  it("is found in the folder of a run", function()
    local run = by_hand.run { env = "CartPole-v1" }
    local folder = scratch .. "/run"
    os.execute(("mkdir -p '%s/checkpoints'"):format(folder))
    local policy, message, code = trpo.load_policy(folder)
    assert.is_nil(policy)
    assert.are.equal(("there is no checkpoint in '%s'"):format(folder), message)
    assert.are.equal("no_file", code)
    for _, i in ipairs { 9, 100, 20 } do
      run.policy:set_theta(run.policy:theta():fill(i))
      checkpoint.save(folder .. "/checkpoints/" .. checkpoint.name(i), run)
    end
    assert.are.equal(100, trpo.load_policy(folder):theta()[1])
    assert.are.equal(100, trpo.load_policy(folder .. "/checkpoints"):theta()[1])
  end)

  it("is refused where there is none", function()
    for _, case in ipairs {
      { scratch .. "/none", "no_file", "cannot read" }, { "/dev/null", "io", "not a regular file" },
    } do
      local policy, message, code = checkpoint.policy(case[1])
      assert.is_nil(policy)
      assert.is_truthy(message:find(case[3], 1, true), message)
      assert.are.equal(case[2], code)
    end
  end)
end)

-- ---- folders ------------------------------------------------------------------------------------

describe("a folder of checkpoints", function()
  local folder

  before_each(function()
    folder = scratch .. "/checkpoints"
    os.execute(("rm -rf '%s'; mkdir '%s'"):format(folder, folder))
  end)

  local function fill(...)
    for _, name in ipairs { ... } do command.write(folder .. "/" .. name, "") end
  end

  local function list()
    local names = {}
    for name in io.popen("ls -A " .. project.quoted(folder)):lines() do names[#names + 1] = name end
    return names
  end

  it("has names in the order of iterations", function()
    assert.are.equal("iteration-00000012.safetensors", checkpoint.name(12))
    assert.are.equal("iteration-123456789.safetensors", checkpoint.name(123456789))
  end)

  it("tells the newest, which need not be the last by name or time", function()
    assert.is_nil(checkpoint.latest(folder))
    assert.is_nil(checkpoint.latest(folder .. "/none"))
    fill("best.safetensors", "iteration-1.txt", "notes", "iteration-00000007.safetensors.123-0.tmp")
    assert.is_nil(checkpoint.latest(folder))
    fill(checkpoint.name(123456789), checkpoint.name(99999999), checkpoint.name(3))
    assert.are.equal(folder .. "/iteration-123456789.safetensors", checkpoint.latest(folder))
  end)

  it("keeps the newest and what is not its own", function()
    -- somebody else may be writing there
    fill("best.safetensors", "notes.txt", "iteration-00000017.safetensors.123-0.tmp")
    for i = 1, 12 do fill(checkpoint.name(i)) end
    checkpoint.prune(folder, 3)
    assert.are.same({ "best.safetensors", "iteration-00000010.safetensors", "iteration-00000011.safetensors",
      "iteration-00000012.safetensors", "iteration-00000017.safetensors.123-0.tmp", "notes.txt" }, list())
    checkpoint.prune(folder, 20)
    assert.are.equal(6, #list())
    checkpoint.prune(folder .. "/none", 1)
  end)
end)

-- ---- what does not fit --------------------------------------------------------------------------

describe("a checkpoint of another run", function()
  local base = { env = "CartPole-v1", policy = { hidden = { 6, 5 } }, value = network }
  local function with(changes)
    local all = {}
    for key, entry in pairs(base) do all[key] = entry end
    for key, entry in pairs(changes) do all[key] = entry end
    return all
  end
  local function box_valley(low) return valley { observation = trpo.space.box { shape = { 2 }, low = low } } end

  -- name, the run here, what the message says, the run of the checkpoint if it is not the base
  for _, case in ipairs {
    { "another environment", with { env = "FrozenLake-v1" },
      'the environment is "FrozenLake-v1" here and "CartPole-v1" in the checkpoint' },
    { "another network", with { policy = { hidden = { 32 } } },
      "policy.hidden is {32} here and {6, 5} in the checkpoint" },
    { "no hidden layers", with { policy = { hidden = {} } }, "policy.hidden is {} here and {6, 5} in the checkpoint" },
    { "another activation", with { policy = { hidden = { 6, 5 }, activation = "relu" } },
      'policy.activation is "relu" here and "tanh" in the checkpoint' },
    { "another precision", with { policy = { hidden = { 6, 5 }, precision = "double" } },
      'policy.precision is "double" here and "single" in the checkpoint' },
    { "a normaliser", with { normalize_observations = true },
      "policy.normalize_observations is true here and false in the checkpoint" },
    { "other lanes", with { lanes = 4 }, "lanes is 4 here and 3 in the checkpoint" },
    { "another time limit", with { env = { id = "CartPole-v1", time_limit = 10 } },
      "env.time_limit is 10 here and 500 in the checkpoint" },
    { "a linear critic", with { value = "linear" }, 'value.kind is "linear" here and "network" in the checkpoint' },
    { "no critic", with { value = false }, 'value.kind is "none" here and "network" in the checkpoint' },
    { "a critic", with {}, 'value.kind is "network" here and "none" in the checkpoint', with { value = false } },
    { "another critic", with { value = { hidden = { 8 }, optimizer = "adam", epochs = 2, minibatch = 16 } },
      "value.hidden is {8} here and {7} in the checkpoint" },
    { "another optimizer", with { value = { hidden = { 7 } } },
      'value.optimizer is "gauss_newton" here and "adam" in the checkpoint' },
    { "another learning rate", with { value = { hidden = { 7 }, optimizer = "adam", epochs = 2, minibatch = 16, learning_rate = 0.01 } },
      "value.learning_rate is 0.01 here and 0.001 in the checkpoint" },
    { "other minibatches", with { value = { hidden = { 7 }, optimizer = "adam", epochs = 2, minibatch = 17 } },
      "value.minibatch is 17 here and 16 in the checkpoint" },
    { "another ridge", with { value = { kind = "linear", ridge = 1 } },
      "value.ridge is 1 here and 1e-05 in the checkpoint", with { value = "linear" } },
    { "other observations", { env = valley() }, "the observation space is box [2] here and box [1] in the checkpoint",
      { env = valley { observation = trpo.space.box { shape = { 1 } },
        reset = function(_, _, obs) obs[1] = 0 end, step = function() return 0, false end, save = false, restore = false } } },
    { "other actions", { env = valley() }, "the action space is discrete 1..2 here and discrete 1..3 in the checkpoint",
      { env = valley { action = trpo.space.discrete(3) } } },
    { "other bounds", { env = box_valley(-9) },
      "the observation space is box [2] in [-9, inf] here and box [2] in [-8, inf] in the checkpoint", { env = box_valley(-8) } },
    { "other bounds that look alike", { env = box_valley { -9, -7 } },
      "the bounds of the observation space are others here than in the checkpoint", { env = box_valley { -8, -7 } } },
    { "an environment without save", { env = valley { save = false, restore = false } },
      "Valley-v0 has no save and restore here; it had them when the checkpoint was written", { env = valley() } },
  } do
    it("is refused, and nothing is changed: " .. case[1], function()
      local writer, here = by_hand.run(case[4] or base), by_hand.run(case[2])
      by_hand.train(writer, 1)
      by_hand.train(here, 1)
      assert(checkpoint.save(path, writer))
      local before = by_hand.bytes(here)
      local ok, message, code = checkpoint.restore(assert(checkpoint.load(path)), here)
      assert.is_nil(ok)
      assert.are.equal(("cannot go on from '%s': %s"):format(path, case[3]), message)
      assert.are.equal("mismatch", code)
      assert.is_true(before == by_hand.bytes(here))
    end)
  end

  it("leaves a run as it was when its environment refuses half-way", function()
    local calls = 0
    local function restore(self, state)
      calls = calls + 1
      if calls == 3 then error "not today" end
      self.x, self.speeds, self.episodes = state.x, state.own.speeds, state.own.episodes
    end
    local writer, here = by_hand.run { env = valley() }, by_hand.run { env = valley { restore = restore } }
    local twin = by_hand.run { env = valley { restore = restore } }
    by_hand.train(writer, 2)
    by_hand.train(here, 1)
    by_hand.train(twin, 1)
    checkpoint.save(path, writer)
    local ok, message, code = checkpoint.restore(checkpoint.load(path), here)
    assert.is_nil(ok)
    assert.is_truthy(message:find "not today", message)
    assert.are.equal("mismatch", code)
    assert.is_true(by_hand.train(twin, 2) == by_hand.train(here, 2))
  end)
end)

-- ---- damage -------------------------------------------------------------------------------------

-- a small checkpoint that has everything: its bytes, and its run
local small_bytes
local function small()
  local run = by_hand.run { env = valley(), lanes = 1, horizon = 4, policy = { hidden = {} }, value = "linear" }
  by_hand.train(run, 1)
  if not small_bytes then
    assert(checkpoint.save(path, run, { n = 1, list = { 0.5, nan }, t = trpo.zeros(0, 3) }))
    small_bytes = command.read(path)
  end
  command.write(path, small_bytes)
  return small_bytes, run
end

-- a file must be refused with a message and a code
local function refused(bytes, what)
  command.write(path, bytes)
  local saved, message, code = checkpoint.load(path)
  if saved ~= nil then error(what .. " is not noticed") end
  assert(message:find("cannot read '" .. path .. "': ", 1, true), message)
  assert(code == "format" or code == "version", code)
end

describe("a damaged checkpoint", function()
  it("is refused when its end is missing, wherever it was cut", function()
    local bytes = small()
    for n = 0, #bytes - 1, command.sanitized and 41 or 1 do refused(bytes:sub(1, n), "a cut at byte " .. n) end
    refused(bytes .. "\0", "a byte too many")
    command.write(path, bytes)
    assert(checkpoint.load(path))
  end)

  it("is refused when a bit has flipped, whichever it is", function()
    local bytes = small()
    for i = 1, #bytes, command.sanitized and 61 or 1 do
      for k = 0, 7 do
        local flipped = string.char(bit.bxor(bytes:byte(i), 2 ^ k))
        refused(bytes:sub(1, i - 1) .. flipped .. bytes:sub(i + 1), ("bit %d of byte %d"):format(k, i))
      end
    end
  end)

  it("is refused when numbers have been swapped or changed", function()
    small()
    for _, change in ipairs {
      function(t) t["policy.theta"][1] = -t["policy.theta"][1] end,
      function(t) t["policy.theta"][1], t["policy.theta"][2] = t["policy.theta"][2], t["policy.theta"][1] end,
      function(t) t["policy.theta"], t["value.theta"] = t["value.theta"], t["policy.theta"] end,
      function(t) t["policy.theta"] = nil end,
      function(t) t["policy.theta"] = t["policy.theta"]:view(-1, 1) end,
      function(t) t["counters.1"] = trpo.zeros(0, 4) end,
      function(t) t["more"] = trpo.zeros(1) end,
    } do
      small()
      local tensors, notes = trpo.safetensors.read(path)
      change(tensors)
      trpo.safetensors.write(path, tensors, { metadata = notes })
      local saved, message, code = checkpoint.load(path)
      assert.is_nil(saved)
      assert.is_truthy(message:find("it is damaged: ", 1, true), message)
      assert.are.equal("format", code)
    end
  end)

  for _, case in ipairs {
    { "an empty file", "" }, { "a text", "iteration,reward\n1,2\n" }, { "zeros", ("\0"):rep(100) },
    { "another safetensors file", files.safetensors("{}", "") },
  } do
    it("is refused when it is none: " .. case[1], function() refused(case[2], case[1]) end)
  end

  it("is refused when a newer version wrote it, before its contents are looked at", function()
    small()
    local tensors, notes = trpo.safetensors.read(path)
    notes.format, notes.trpo = "2", "something new"
    trpo.safetensors.write(path, tensors, { metadata = notes })
    local saved, message, code = checkpoint.load(path)
    assert.is_nil(saved)
    assert.are.equal(("cannot read '%s': a newer version of trpo wrote it, in format 2; this one reads format 1")
      :format(path), message)
    assert.are.equal("version", code)
  end)

  it("is looked for where it is", function()
    local saved, message, code = checkpoint.load(scratch .. "/none.safetensors")
    assert.are.same({ nil, "no_file" }, { saved, code })
    assert.is_truthy(message:find("none.safetensors", 1, true))
    assert.are.equal("io", select(3, checkpoint.load(scratch)))
  end)
end)

-- ---- hostility ----------------------------------------------------------------------------------

-- Writes a checkpoint whose parts have been changed, with the right checksums.
local function forge(change)
  local _, run = small()
  local tensors, notes = trpo.safetensors.read(path)
  local body = json.decode(notes.trpo)
  body = change(body, tensors, notes) or body
  if type(body) == "table" then
    if type(body.checksums) == "table" then
      body.checksums = {}
      for name, tensor in pairs(tensors) do body.checksums[name] = trpo.file.checksum(tensor) end
    end
    body = json.encode(body)
  end
  notes.trpo, notes.checksum = body, trpo.file.checksum(body)
  assert(trpo.safetensors.write(path, tensors, { metadata = notes }))
  return run
end

-- what becomes of a forged checkpoint: the message of the step that refuses it
local function fate(run)
  local saved, message, code = checkpoint.load(path)
  if saved then
    local ok
    ok, message, code = checkpoint.restore(saved, run)
    assert.is_nil(ok, "it is restored")
    assert.are.equal("mismatch", code)
  else
    assert.are.equal("format", code)
  end
  local policy, why, policy_code = checkpoint.policy(path)
  assert.is_true(policy ~= nil or type(why) == "string" and policy_code == "format")
  return message
end

describe("a hostile checkpoint", function()
  local deep = ("["):rep(5000) .. ("]"):rep(5000)

  for _, case in ipairs {
    { "no JSON", function() return "{" end, "its metadata are not JSON" },
    { "deep JSON", function() return '{"config":' .. deep .. "}" end, "its metadata are not JSON" },
    { "a list", function() return "[1]" end, "its 'checksums' is missing" },
    { "a number", function() return "3" end, "its metadata are no object" },
    { "null", function() return "null" end, "its metadata are no object" },
    { "no config", function(b) b.config = nil end, "its 'config' is missing" },
    { "config of a wrong type", function(b) b.config = 3 end, "its 'config' is of a wrong type" },
    { "null for config", function(b) b.config = json.null end, "its 'config' is of a wrong type" },
    { "exact of a wrong type", function(b) b.exact = 1 end, "its 'exact' is of a wrong type" },
    { "no checksums", function(b) b.checksums = "none" end, "its 'checksums' is of a wrong type" },
    { "a number beyond all", function() return '{"checksums":{},"env":1e999999}' end, "it is damaged: " },
    { "no environment", function(b) b.env = nil end, "its 'env' is missing" },
    { "an environment without id", function(b) b.env.id = nil end, "its 'id' cannot be read: a value is missing" },
    { "an environment with a list as id", function(b) b.env.id = { "x" } end, "its 'id' is of a wrong type" },
    { "lanes of a wrong type", function(b) b.env.lanes = "1" end, "its 'lanes' is of a wrong type" },
    { "lanes that are many", function(b) b.env.lanes = 1e300 end, "its 'states' are not those of its lanes" },
    { "no observation", function(b) b.observation = nil end, "its 'observation' is missing" },
    { "a huge space", function(b) b.observation = { kind = "discrete", n = 1e18 } end, "its 'observation' is no space" },
    { "half an action", function(b) b.action = { kind = "discrete", n = 1.5 } end, "its 'action' is no space" },
    { "an action without n", function(b) b.action = { kind = "discrete" } end, "its 'action' is no space" },
    { "bounds that are missing", function(b) b.action = { kind = "box" } end, "the bounds of its 'action' are missing" },
    { "bounds that cross", function(_, t) t["observation.low"] = trpo.tensor { inf, inf } end,
      "the bounds of the observation space are others here than in the checkpoint" },
    { "bounds that are NaN", function(_, t) t["observation.low"] = trpo.tensor { nan, 0 } end,
      "its 'observation' is no space" },
    { "bounds of two lengths", function(_, t) t["observation.low"] = trpo.zeros(3) end, "its 'observation' is no space" },
    { "no counters", function(b) b.counters = nil end, "its 'counters' cannot be read: a value is missing" },
    { "counters of a wrong type", function(b) b.counters = 3 end, "its 'counters' is of a wrong type" },
    { "counters of unknown objects", function(b) b.counters = { what = 1 } end, "a tensor is missing" },
    { "counters without values", function(b) b.counters = { keys = { "a" }, values = json.list {} } end,
      "a table has not as many values as keys" },
    { "counters with null", function(b) b.counters = json.list { json.null } end, "a value is missing" },
    { "counters with a NaN key", function(b) b.counters = { keys = { { number = "nan" } }, values = { 1 } } end,
      "a key is no string or number" },
    { "counters with a list as key", function(b) b.counters = { keys = { { 1 } }, values = { 1 } } end,
      "a key is no string or number" },
    { "counters with a number of no kind", function(b) b.counters = { { number = "many" } } end, "a number is none" },
    { "bytes that are none", function(b) b.counters = { { bytes = "0g" } } end, "bytes are not hexadecimal" },
    { "half a byte", function(b) b.counters = { { bytes = "012" } } end, "bytes are not hexadecimal" },
    { "a tensor that is not there", function(b) b.counters = { { tensor = "nowhere" } } end, "a tensor is missing" },
    { "deep counters", function(b)
      local text = json.encode(b):gsub('"counters":%b{}', '"counters":' .. ("["):rep(400) .. "1" .. ("]"):rep(400))
      return text
    end, "its data is nested too deep" },
    { "no states", function(b) b.states = json.list {} end, "its 'states' are not those of its lanes" },
    { "states of a wrong type", function(b) b.states = "all" end, "its 'states' is of a wrong type" },
    { "a state of a wrong type", function(b) b.states = { "one" } end, "its '1' is of a wrong type" },
    { "a state that the environment cannot use", function(b) b.states = { { 1 } } end, "attempt to index" },
    { "no policy", function(b) b.policy = nil end, "its 'policy' is missing" },
    { "another network", function(b) b.policy.hidden = { 1e9, 1e9 } end,
      "policy.hidden is {} here and {1000000000, 1000000000} in the checkpoint" },
    { "a network of strings", function(b) b.policy.hidden = { "a", { 1 } } end, "policy.hidden is {} here and a table" },
    { "no network", function(b) b.policy.hidden = json.null end, "policy.hidden is {} here and " },
    { "an activation of no kind", function(b) b.policy.activation = "sine" end,
      'policy.activation is "tanh" here and "sine" in the checkpoint' },
    { "a critic of no kind", function(b) b.value = 3 end, "its 'value' is of a wrong type" },
    { "no critic", function(b) b.value = false end, 'value.kind is "linear" here and "none" in the checkpoint' },
    { "parameters that are NaN", function(_, t) t["policy.theta"][2] = nan end, "theta[2] must be finite" },
    { "parameters that are few", function(_, t) t["policy.theta"] = trpo.ones(3) end, "theta must have size [6], got [3]" },
    { "parameters in a square", function(_, t) t["policy.theta"] = trpo.ones(3, 2) end, "theta must have size [6], got [3, 2]" },
    { "no parameters", function(_, t) t["policy.theta"] = nil end, "theta is missing" },
    { "a critic without parameters", function(_, t) t["value.theta"] = nil end, "theta is missing" },
    { "a clock that is late", function(_, t) t["lanes.clock"][1] = 2 ^ 48 end, "clock[1] must be an integer in [0, 2^48)" },
    { "a mark of no kind", function(_, t) t["lanes.ended"][1] = -1 end, "ended[1] must be 0 or 1" },
    { "lanes without a clock", function(_, t) t["lanes.clock"] = nil end, "clock is missing" },
    { "lanes with more", function(_, t) t["lanes.more"] = trpo.ones(1) end, "an entry that does not belong there" },
  } do
    it("is refused, and the run goes on as if nothing had been: " .. case[1], function()
      local twin, run = select(2, small()), forge(case[2])
      local message = fate(run)
      assert.is_truthy(message:find(case[3], 1, true), message)
      assert.is_falsy(message:find "\n", message)
      assert.is_true(by_hand.train(run, 1) == by_hand.train(twin, 1))
    end)
  end

  it("takes no memory for sizes that it claims", function()
    forge(function(b) b.policy.hidden = { 65536, 65536 } end)
    local before = trpo.info().live_bytes
    local policy, message, code = checkpoint.policy(path)
    assert.is_nil(policy)
    assert.is_truthy(message:find("the number of its parameters is not that of its policy", 1, true), message)
    assert.are.equal("format", code)
    collectgarbage()
    assert.is_true(trpo.info().live_bytes <= before + 1e6)
  end)

  it("never raises, whatever its JSON says", function()
    -- random changes to the text, with the right checksum
    local rng, run = trpo.rng(8), select(2, small())
    local low, middle = small_bytes:byte(1, 2)
    local length = low + 256 * middle
    local header, data = json.decode(small_bytes:sub(9, 8 + length)), small_bytes:sub(9 + length)
    local text, outcomes = header.__metadata__.trpo, {}
    local pieces = { "null", "{}", "[]", "1e999", "-1", '"x"', "[[", "true", '{"tensor":"policy.theta"}', "}", ",", "0.5" }
    for _ = 1, command.sanitized and 60 or 600 do
      local changed = text
      for _ = 1, rng:integer(1, 3) do
        local at = rng:integer(1, #changed)
        local piece = rng:uniform() < 0.5 and string.char(rng:integer(32, 126)) or pieces[rng:integer(1, #pieces)]
        changed = changed:sub(1, at - 1) .. piece .. changed:sub(at + rng:integer(0, 6))
      end
      -- values, too, not only what breaks the syntax
      if rng:uniform() < 0.6 then
        local count = 0
        for _ in text:gmatch ':[^:,{}%[%]]+[,}]' do count = count + 1 end
        local chosen, i = rng:integer(1, count), 0
        changed = text:gsub(':([^:,{}%[%]]+)([,}])', function(old, close)
          i = i + 1
          return i == chosen and ":" .. pieces[rng:integer(1, 6)] .. close or ":" .. old .. close
        end)
      end
      header.__metadata__ = { format = "1", trpo = changed, checksum = trpo.file.checksum(changed) }
      command.write(path, files.safetensors(json.encode(header), data))
      local saved, message, code = checkpoint.load(path)
      if saved then
        local ok
        ok, message, code = checkpoint.restore(saved, run)
        outcomes[ok and "restored" or code] = (outcomes[ok and "restored" or code] or 0) + 1
        assert.is_true(ok == true or type(message) == "string")
      else
        assert.are.equal("format", code)
        assert.are.equal("string", type(message))
        outcomes.format = (outcomes.format or 0) + 1
      end
      local policy, why = checkpoint.policy(path)
      assert.is_true(policy ~= nil or type(why) == "string")
    end
    assert.is_true(outcomes.format > 5 and outcomes.mismatch > 0)
  end)
end)

describe("misuse", function()
  for _, case in ipairs {
    { "load", checkpoint.load, "checkpoint.load: path must be a string that is not empty, got nil" },
    { "save", checkpoint.save, "checkpoint.save: path must be a string that is not empty, got nil" },
    { "policy", checkpoint.policy, "trpo.load_policy: path must be a string that is not empty, got nil" },
    { "latest", checkpoint.latest, "checkpoint.latest: path must be a string that is not empty, got nil" },
    { "prune", checkpoint.prune, "checkpoint.prune: path must be a string that is not empty, got nil" },
  } do
    it("is raised at the caller's line: " .. case[1], function()
      local ok, message = pcall(function() case[2]() end)
      assert.is_false(ok)
      assert.is_truthy(message:find("81_checkpoint_spec.lua:%d+: "), message)
      assert.is_truthy(message:find(case[3], 1, true), message)
    end)
  end
end)

describe("a checksum", function()
  it("is CRC-32C", function()
    -- RFC 3720, appendix B.4, and the check value of the catalogue of CRCs
    assert.are.equal("e3069283", trpo.file.checksum "123456789")
    assert.are.equal("8a9136aa", trpo.file.checksum(("\0"):rep(32)))
    assert.are.equal("62a8ab43", trpo.file.checksum(("\255"):rep(32)))
    assert.are.equal("00000000", trpo.file.checksum "")
  end)

  it("of a tensor is that of its elements, with its size", function()
    local t = trpo.tensor { { 1, 2, -0.0 }, { nan, inf, 5e-324 } }
    local plain_bytes = files.numbers { 1, 2, -0.0, nan, inf, 5e-324 }
    assert.are.equal("[2, 3] " .. trpo.file.checksum(plain_bytes), trpo.file.checksum(t))
    assert.are.equal(trpo.file.checksum(t:t():clone()), trpo.file.checksum(t:t()))
    assert.are.equal("[0, 3] 00000000", trpo.file.checksum(trpo.zeros(0, 3)))
  end)

  it("is refused for anything else", function()
    local ok, message = pcall(trpo.file.checksum, 3)
    assert.is_false(ok)
    assert.is_truthy(message:find("trpo.file.checksum: x must be a tensor, got 3", 1, true), message)
  end)
end)

describe("packed data", function()
  it("is what it looks like in JSON", function()
    local kept = {}
    local tree = assert(pack.encode({ 1, "a", { x = nan }, trpo.ones(1), "\200" }, "data", function(t)
      kept.t = t
      return "t"
    end))
    assert.are.equal('[1,"a",{"keys":["x"],"values":[{"number":"nan"}]},{"tensor":"t"},{"bytes":"c8"}]', json.encode(tree))
    assert.is_true(same({ 1, "a", { x = nan }, trpo.ones(1), "\200" }, pack.decode(json.decode(json.encode(tree)), kept)))
  end)
end)
