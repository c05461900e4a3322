-- Processes in files: every bit comes back, NumPy reads and writes them, and wrong contents are named.
local command = require "support.command"
local misuse = require "support.misuse"
local project = require "support.project"
local trpo = require "trpo"

local python = project.quoted(os.getenv "TRPO_PYTHON" or "python3")
local has_zip = pcall(require, "trpo.zip")
local scratch

setup(function() scratch = command.scratch() end)
teardown(function() command.remove(scratch) end)

local function path(name) return scratch .. "/" .. name end

-- a process with several rewards of a pair, ends, missing actions and awkward numbers
local function ragged(rng)
  local S, A = 7, 3
  local function model(s, a)
    if a == 3 and s % 2 == 0 then return nil end
    local u, v = rng:uniform(), rng:uniform()
    local p, q = u * v, u * (1 - v)
    return { { p, rng:integer(1, S), 1e12 * rng:normal() }, { q, rng:integer(1, S), 0.1, true },
      { 1 - p - q, rng:integer(1, S), -1 / 3 } }
  end
  local rho0 = rng:uniform()
  return trpo.mdp.from_model { S = S, A = A, gamma = 0.1 + 0.2, model = model,
    rho0 = { rho0, 0, 1 - rho0, 0, 0, 0, 0 } }
end

-- bits of a tensor; 0 and -0 differ
local function bits(t) return trpo.npy.encode(t) end

local function assert_same(a, b)
  assert.are.same({ a.S, a.A, a.gamma }, { b.S, b.A, b.gamma })
  assert.are.equal(bits(a.rho0), bits(b.rho0))
  assert.are.equal(bits(a.r), bits(b.r))
  local x, y = a:triplets(), b:triplets()
  for name, column in pairs(x) do assert.are.equal(bits(column), bits(y[name]), name) end
end

describe("mdp:triplets", function()
  it("lists what mdp:outcomes tells, in order", function()
    local mdp = ragged(trpo.rng(3))
    local t, i = mdp:triplets(), 0
    for s = 1, mdp.S do
      for a = 1, mdp.A do
        for _, outcome in ipairs(mdp:outcomes(s, a)) do
          i = i + 1
          assert.are.same({ s, a, outcome.next, outcome.probability, outcome.reward, outcome.done and 1 or 0 },
            { t.state[i], t.action[i], t.next[i], t.probability[i], t.reward[i], t.done[i] })
        end
      end
    end
    assert.are.equal(i, t.state:nelement())
  end)

  it("is what from_triplets takes", function()
    for seed = 1, 5 do
      local mdp = ragged(trpo.rng(seed))
      local t = mdp:triplets()
      t.S, t.A, t.gamma, t.rho0 = mdp.S, mdp.A, mdp.gamma, mdp.rho0
      assert_same(mdp, trpo.mdp.from_triplets(t))
    end
  end)
end)

describe("a process in a file", function()
  if not has_zip then return pending "there is no libzip here" end

  it("comes back bit by bit", function()
    for seed = 1, 5 do
      local mdp = ragged(trpo.rng(seed))
      assert.is_true(mdp:save(path "ragged.npz"))
      assert_same(mdp, assert(trpo.mdp.load(path "ragged.npz")))
    end
    for _, name in ipairs { "frozen_lake", "gambler", "garnet", "puterman", "taxi" } do
      local mdp = trpo.mdp[name]()
      assert.is_true(mdp:save(path "named.npz"))
      assert_same(mdp, assert(trpo.mdp.load(path "named.npz")))
    end
  end)

  it("counts from 0 and says how large it is", function()
    assert.is_true(trpo.mdp.puterman():save(path "small.npz"))
    local t = trpo.npz.read(path "small.npz")
    assert.are.same({ 0, 0, 0, 1 }, t.state:totable())
    assert.are.same({ 0, 0, 1, 0 }, t.action:totable())
    assert.are.same({ 0, 1, 1, 1 }, t.next:totable())
    assert.are.same({ 0.5, 0.5, 1, 1 }, t.probability:totable())
    assert.are.same({ 5, 5, 10, -1 }, t.reward:totable())
    assert.are.same({ 2, 2 }, t.size:totable())
    assert.are.same({ 0.95 }, t.gamma:totable())
    assert.are.same({ 1, 0 }, t.rho0:totable())
  end)

  it("may be dense, with rewards of three shapes", function()
    local P = trpo.tensor { { { 0.25, 0.75 }, { 1, 0 } }, { { 0, 1 }, { 0.5, 0.5 } } }
    local shapes = {
      trpo.tensor { 1, 2 }, trpo.tensor { { 1, -1 }, { 2, 0 } },
      trpo.tensor { { { 1, 2 }, { 3, 4 } }, { { 5, 6 }, { 7, 8 } } },
    }
    for _, r in ipairs(shapes) do
      assert.is_true(trpo.npz.write(path "dense.npz", { P = P, r = r, gamma = trpo.tensor { 0.5 } }))
      assert_same(trpo.mdp { P = P, r = r, gamma = 0.5 }, assert(trpo.mdp.load(path "dense.npz")))
    end
    assert.is_true(trpo.npz.write(path "dense.npz", { P = P, r = trpo.tensor { 0, 0 }, gamma = trpo.tensor { 1 },
      rho0 = trpo.tensor { 0, 1 }, terminal = trpo.tensor { 0 }, actions = trpo.tensor { { 1, 1 }, { 0, 1 } } }))
    assert_same(trpo.mdp { P = P, r = trpo.tensor { 0, 0 }, gamma = 1, rho0 = 2, terminal = { 1 },
      actions = trpo.tensor { { 1, 1 }, { 0, 1 } } }, assert(trpo.mdp.load(path "dense.npz")))
  end)

  it("is written whole or not at all", function()
    local ok, message, code = trpo.mdp.puterman():save(path "no/such/folder/a.npz")
    assert.is_nil(ok)
    assert.is_truthy(message:find("no/such/folder", 1, true))
    assert.are.equal("no_file", code)
  end)

  misuse.each(it, {
    { "save wants a process", trpo.mdp.puterman().save, { 3, "a.npz" }, "mdp:save: mdp must be a trpo.Mdp, got 3" },
    { "save wants a path", trpo.mdp.puterman().save, { trpo.mdp.puterman() },
      "mdp:save: path must be a string, got nil" },
    { "save wants the ending", trpo.mdp.puterman().save, { trpo.mdp.puterman(), "a.npy" },
      "mdp:save: path must end in .npz, got 'a.npy'" },
    { "load wants a path", trpo.mdp.load, { {} }, "trpo.mdp.load: path must be a string, got a table" },
  })
end)

describe("a file with wrong contents", function()
  if not has_zip then return pending "there is no libzip here" end

  local T = trpo.tensor
  local function columns(changes)
    local t = { state = T { 0, 0, 1 }, action = T { 0, 0, 0 }, next = T { 0, 1, 1 }, probability = T { 0.5, 0.5, 1 },
      reward = T { 1, 2, 3 }, done = T { 0, 0, 1 }, size = T { 2, 1 }, gamma = T { 0.9 }, rho0 = T { 1, 0 } }
    for name, value in pairs(changes) do t[name] = value or nil end
    return t
  end
  local function dense(changes)
    local t = { P = T { { { 1, 0 } }, { { 0, 1 } } }, r = T { 1, 2 }, gamma = T { 0.9 } }
    for name, value in pairs(changes) do t[name] = value or nil end
    return t
  end

  it("stands beside good ones", function()
    for _, good in ipairs { columns {}, columns { done = false, rho0 = false }, dense {} } do
      assert.is_true(trpo.npz.write(path "good.npz", good))
      assert.are.equal("userdata", type(assert(trpo.mdp.load(path "good.npz"))))
    end
  end)

  local cases = {
    { "nothing of a process", { x = T { 1 } },
      "it holds no process: neither 'state' (outcomes in columns) nor 'P' (a dense one)" },
    { "a missing column", columns { next = false }, "the entry 'next' is missing" },
    { "a misspelt entry", columns { rho = T { 1, 0 } }, "unknown entry 'rho', did you mean 'rho0'?" },
    { "columns of other lengths", columns { reward = T { 1, 2 } }, "reward must have size [3], it has [2]" },
    { "a matrix for a column", columns { state = T { { 0, 0, 1 } } }, "state must have size [n], it has [1, 3]" },
    { "a state of a larger process", columns { state = T { 0, 0, 2 } }, "state must hold integers in [0, 2), counting from 0" },
    { "a negative state", columns { next = T { 0, -1, 1 } }, "next must hold integers in [0, 2), counting from 0" },
    { "half an action", columns { action = T { 0, 0.5, 0 } }, "action must hold integers in [0, 1), counting from 0" },
    { "NaN for a state", columns { state = T { 0, 0 / 0, 1 } }, "state must hold integers in [0, 2), counting from 0" },
    { "more states than outcomes", columns { size = T { 2 ^ 31 - 1, 1 } },
      "size must be the numbers of states and actions, at most one state for each of the 3 outcomes; "
        .. "it is {2147483647, 1}" },
    { "no states", columns { size = T { 0, 1 } }, "size must be the numbers of states and actions, at most one state "
      .. "for each of the 3 outcomes; it is {0, 1}" },
    { "NaN for a size", columns { size = T { 0 / 0, 1 } }, "size must be the numbers of states and actions, at most "
      .. "one state for each of the 3 outcomes; it is {nan, 1}" },
    { "no numbers of actions", columns { size = T { 2 } }, "size must have size [2], it has [1]" },
    { "a start of another process", columns { rho0 = T { 1 } }, "rho0 must have size [2], it has [1]" },
    { "a start that is no distribution", columns { rho0 = T { 1, 1 } },
      "rho0 sums to 2, not to 1 (tolerance 1e-09)", "not_stochastic" },
    { "probabilities that sum to another number", columns { probability = T { 0.5, 0.25, 1 } },
      "probabilities of state 0, action 0 sum to 0.75, not to 1 (tolerance 1e-09) (counting from 0)", "not_stochastic" },
    { "a negative probability", columns { probability = T { -0.5, 1.5, 1 } },
      "outcome 0 has the probability -0.5 (counting from 0)", "not_stochastic" },
    { "NaN for a reward", columns { reward = T { 0 / 0, 1, 1 } }, "outcome 0 has the reward nan (counting from 0)", "not_finite" },
    { "an end that is neither 0 nor 1", columns { done = T { 0, 7, 1 } },
      "done must hold 0 and 1, entry 1 (counting from 0) is 7" },
    { "NaN for an end", columns { done = T { 0, 0, 0 / 0 } }, "done must hold 0 and 1, entry 2 (counting from 0) is NaN" },
    { "infinity for an end", columns { done = T { math.huge, 0, 0 } },
      "done must hold 0 and 1, entry 0 (counting from 0) is inf" },
    { "gamma out of range", columns { gamma = T { 1.5 } }, "gamma must be in [0, 1], it is 1.5" },
    { "NaN for gamma", columns { gamma = T { 0 / 0 } }, "gamma must be in [0, 1], it is NaN" },
    { "two gammas", columns { gamma = T { 0.5, 0.5 } }, "gamma must be one number, it has size [2]" },
    { "no gamma", dense { gamma = false }, "the entry 'gamma' is missing" },
    { "no rewards", dense { r = false }, "the entry 'r' is missing" },
    { "both forms", dense { state = T { 0 } }, "unknown entry 'state'" },
    { "transitions that are no cube", dense { P = T { { 1, 0 }, { 0, 1 } } }, "P must have size [S, A, S], it has [2, 2]" },
    { "transitions to other states", dense { P = trpo.ones(2, 1, 3) }, "P must have size [S, A, S], it has [2, 1, 3]" },
    { "no states at all", dense { P = trpo.zeros(0, 1, 0) }, "P must have size [S, A, S], it has [0, 1, 0]" },
    { "rewards of another process", dense { r = T { 1, 2, 3 } },
      "r must have size [2], [2, 1] or [2, 1, 2], it has [3]" },
    { "an end that is no state", dense { terminal = T { 2 } }, "terminal must hold integers in [0, 2), counting from 0" },
    { "a mask of ends that are no truths", dense { terminal = T { 1, 1 } }, "terminal must be indices of states, counting "
      .. "from 0, each at most once, but 1 stands there twice (a mask must be of NumPy's type bool)" },
    { "a mask of another size", dense { actions = T { 1 } }, "actions must have size [2, 1], it has [1]" },
    { "rows that do not sum to 1", dense { P = T { { { 1, 0.5 } }, { { 0, 1 } } } },
      "probabilities of state 0, action 0 sum to 1.5, not to 1 (tolerance 1e-09) (counting from 0)", "not_stochastic" },
    { "a pay in the end", dense { terminal = T { 0 } }, "r of terminal state 0, action 0 is 1, but nothing is collected "
      .. "there: give the reward to the transitions into it, r [S, A, S] (counting from 0)", "not_stochastic" },
  }
  for _, case in ipairs(cases) do
    it("is refused: " .. case[1], function()
      assert.is_true(trpo.npz.write(path "bad.npz", case[2]))
      local mdp, message, code = trpo.mdp.load(path "bad.npz")
      assert.is_nil(mdp)
      assert.are.equal(("cannot read '%s': %s"):format(path "bad.npz", case[3]), message)
      assert.are.equal(case[4] or "format", code)
    end)
  end

  it("is refused: no archive, and no file", function()
    command.write(path "bad.npz", "not an archive")
    local mdp, message, code = trpo.mdp.load(path "bad.npz")
    assert.is_nil(mdp)
    assert.is_truthy(message:find("bad.npz", 1, true))
    assert.are.equal("format", code)
    assert.are.equal("no_file", (select(3, trpo.mdp.load(path "none.npz"))))
  end)
end)

describe("NumPy #python", function()
  if not has_zip then return pending "there is no libzip here" end
  if select(2, project.run(python .. " -c 'import numpy'")) ~= 0 then return pending "there is no NumPy here" end

  local function run(text)
    command.write(path "script.py", "import numpy as np\n" .. text)
    local _, err, code = command.shell(scratch, python .. " script.py")
    assert.are.equal(0, code, err)
  end

  it("writes what we read: integers, truths, single and double numbers", function()
    run [[
np.savez('triplets.npz', state=np.array([0, 0, 1]), action=np.array([0, 0, 0], dtype='i4'), next=np.array([0, 1, 1]),
         probability=np.array([.5, .5, 1], dtype='f4'), reward=np.array([1, 2, 3]), done=np.array([False, False, True]),
         size=np.array([2, 1]), gamma=0.9, rho0=np.array([1., 0.]))
P = np.zeros((3, 2, 3)); P[:, 0, 0] = 1; P[:, 1, 2] = 1
np.savez_compressed('dense.npz', P=P, r=np.arange(6).reshape(3, 2), gamma=np.array([0.5]), rho0=np.array([0, 0, 1]))
]]
    local mdp = assert(trpo.mdp.load(path "triplets.npz"))
    assert.are.same({ 2, 1, 0.9 }, { mdp.S, mdp.A, mdp.gamma })
    assert.are.same({ { probability = 0.5, next = 1, reward = 1, done = false },
      { probability = 0.5, next = 2, reward = 2, done = false } }, mdp:outcomes(1, 1))
    assert.are.same({ { probability = 1, next = 2, reward = 3, done = true } }, mdp:outcomes(2, 1))
    mdp = assert(trpo.mdp.load(path "dense.npz"))
    assert.are.same({ { 0, 1 }, { 2, 3 }, { 4, 5 } }, mdp.r:totable())
    assert.are.same({ 0, 0, 1 }, mdp.rho0:totable())
  end)

  it("tells ends by a truth for each state, or by their indices", function()
    run [[
P = np.zeros((3, 1, 3)); P[:, 0, 2] = 1
given = dict(P=P, r=np.zeros(3), gamma=0.9)
np.savez('mask.npz', terminal=np.array([False, False, True]), **given)
np.savez('index.npz', terminal=np.array([2]), **given)
np.savez('wrong.npz', terminal=np.array([0, 0, 1]), **given)
np.savez('short.npz', terminal=np.array([False, True]), **given)
]]
    local _, truths = trpo.npz.read(path "mask.npz")
    assert.are.same({ terminal = true }, truths)
    assert_same(assert(trpo.mdp.load(path "index.npz")), assert(trpo.mdp.load(path "mask.npz")))
    assert.is_true(trpo.mdp.load(path "mask.npz"):outcomes(1, 1)[1].done)
    local _, message = trpo.mdp.load(path "wrong.npz")
    assert.is_truthy(message:find("terminal must be indices of states, counting from 0", 1, true), message)
    _, message = trpo.mdp.load(path "short.npz")
    assert.is_truthy(message:find("terminal must have size [3], it has [2]", 1, true), message)
  end)

  it("reads what we write", function()
    assert.is_true(trpo.mdp.frozen_lake():save(path "lake.npz"))
    run [[
m = np.load('lake.npz')
S, A = m['size'].astype(int)
P, R = np.zeros((S, A, S)), np.zeros((S, A))
s, a, t = (m[name].astype(int) for name in ('state', 'action', 'next'))
np.add.at(P, (s, a, t), m['probability'] * (1 - m['done']))
np.add.at(R, (s, a), m['probability'] * m['reward'])
V = np.zeros(S)
for _ in range(3000): V = (R + m['gamma'][0] * P @ V).max(1)
assert abs(V[0] - 0.542025932000) < 1e-9, V[0]
]]
  end)
end)
