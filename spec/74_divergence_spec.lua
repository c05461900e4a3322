local trpo = require "trpo"
local cases = require("support.cases").exact
local misuse = require "support.misuse"

local tv, kl, coupling = trpo.mdp.tv, trpo.mdp.kl, trpo.mdp.coupling

-- a random distribution, some of whose entries may be zero
local function distribution(rng, n, zeros)
  local p, sum = {}, 0
  for a = 1, n do
    p[a] = (zeros and a > 1 and rng:uniform() < zeros) and 0 or -math.log(1 - rng:uniform())
    sum = sum + p[a]
  end
  for a = 1, n do p[a] = p[a] / sum end
  return p
end

-- the definition
local function naive_kl(p, q)
  local sum = 0
  for a = 1, #p do
    if p[a] > 0 then sum = sum + p[a] * math.log(p[a] / q[a]) end
  end
  return sum
end

-- sup over all events of |p(event) - q(event)|
local function largest_event(p, q)
  local most = 0
  for event = 0, 2 ^ #p - 1 do
    local difference, bits = 0, event
    for a = 1, #p do
      if bits % 2 == 1 then difference = difference + p[a] - q[a] end
      bits = math.floor(bits / 2)
    end
    most = math.max(most, math.abs(difference))
  end
  return most
end

describe("total variation", function()
  it("is the largest difference of the probabilities of an event", function()
    cases.run(60, 74, function(rng, note)
      local n = rng:integer(1, 9)
      local p, q = distribution(rng, n, 0.3), distribution(rng, n, 0.3)
      note(n)
      assert.is_near(largest_event(p, q), tv(trpo.tensor(p), trpo.tensor(q)), 1e-15)
    end)
  end)

  it("is 0 for equals and 1 for distributions without a common action", function()
    assert.are.equal(0, tv(trpo.tensor { 0.3, 0.7 }, trpo.tensor { 0.3, 0.7 }))
    assert.are.equal(1, tv(trpo.tensor { 0.3, 0.7, 0 }, trpo.tensor { 0, 0, 1 }))
    assert.are.equal(0, tv(trpo.tensor { 1 }, trpo.tensor { 1 }))
  end)
end)

describe("the Kullback-Leibler divergence", function()
  it("is its definition", function()
    cases.run(200, 75, function(rng, note)
      local n = rng:integer(1, 9)
      local p, q = distribution(rng, n, 0.3), distribution(rng, n)
      note(n)
      assert.is_near(naive_kl(p, q), kl(trpo.tensor(p), trpo.tensor(q)), 2e-15)
    end)
  end)

  it("has 0 log 0 = 0, and is infinite where q excludes what p allows", function()
    assert.are.equal(math.log(2), kl(trpo.tensor { 0, 1 }, trpo.tensor { 0.5, 0.5 }))
    assert.are.equal(math.huge, kl(trpo.tensor { 0.5, 0.5 }, trpo.tensor { 0, 1 }))
    assert.are.equal(0, kl(trpo.tensor { 0, 1 }, trpo.tensor { 0, 1 }))
    assert.are.equal(math.huge, kl(trpo.tensor { 1e-300, 1 }, trpo.tensor { 0, 1 }))
  end)

  it("keeps its digits for policies that are close", function()
    -- KL((1/2, 1/2) || (1/2 + e, 1/2 - e)) = -1/2 log(1 - 4 e^2) = 2 e^2 + 4 e^4 + ...
    for k = 2, 40 do
      local e = 2 ^ -k
      local exact = k > 8 and 2 * e ^ 2 + 4 * e ^ 4 + 32 / 3 * e ^ 6 or -0.5 * math.log(1 - 4 * e ^ 2)
      local got = kl(trpo.tensor { 0.5, 0.5 }, trpo.tensor { 0.5 + e, 0.5 - e })
      assert.is_near(1, got / exact, 1e-14)
    end
  end)

  it("survives entries at the ends of the range", function()
    local p, q = trpo.tensor { 1e-320, 1 }, trpo.tensor { 1, 1e-320 }
    assert.is_near(320 * math.log(10), kl(p, q), 0.1)
    assert.are.equal(0, kl(trpo.tensor { 1e-320, 1 }, trpo.tensor { 1e-320, 1 }))
  end)

  it("is at least 2 TV^2, which is Pinsker's inequality and has no better constant", function()
    local largest = 0
    cases.run(300, 76, function(rng)
      local n = rng:integer(2, 5)
      local p = trpo.tensor(distribution(rng, n))
      local q = trpo.mdp.mixture(p, trpo.tensor(distribution(rng, n)), rng:uniform() ^ 3)
      local ratio = 2 * tv(p, q) ^ 2 / kl(p, q)
      assert.is_true(kl(p, q) == 0 or ratio <= 1 + 1e-12)
      largest = math.max(largest, kl(p, q) > 1e-20 and ratio or 0)
    end)
    local p, q = trpo.tensor { 0.5, 0.5 }, trpo.tensor { 0.501, 0.499 }
    assert.is_near(1, 2 * tv(p, q) ^ 2 / kl(p, q), 1e-5)
    assert.is_true(largest > 0.5)
  end)
end)

describe("distances of policies", function()
  it("go row by row, with the same bits on one and two threads", function()
    local rng, S, A = trpo.rng(7), 5000, 3
    local rows = trpo.zeros(2, S, A)
    for i = 1, 2 do
      for s = 1, S do rows[i][s] = trpo.tensor(distribution(rng, A)) end
    end
    local p, q = rows[1], rows[2]
    local threads = trpo.threads()
    trpo.threads(1)
    local tv1, kl1 = tv(p, q), kl(p, q)
    trpo.threads(2)
    local tv2, kl2 = tv(p, q), kl(p, q)
    trpo.threads(threads)
    assert.are.same(tv1:totable(), tv2:totable())
    assert.are.same(kl1:totable(), kl2:totable())
    for s = 1, S, 611 do
      assert.are.equal(tv(p[s], q[s]), tv1[s])
      assert.are.equal(kl(p[s], q[s]), kl1[s])
    end
  end)

  it("take tensors in any layout", function()
    local p = trpo.tensor { { 0.1, 0.9 }, { 0.5, 0.5 } }:t()
    local ok, message = pcall(tv, p, p)
    assert.is_false(ok)
    assert.is_truthy(message:find("row 1 of p must be a distribution, its entries sum to 0.6", 1, true), message)
    local q = trpo.tensor { { 0.1, 0.5 }, { 0.9, 0.5 } }:t()
    assert.are.same({ 0, 0 }, tv(q, q):totable())
    assert.is_near(0.4, tv(q, trpo.tensor { { 0.5, 0.5 }, { 0.5, 0.5 } })[1], 1e-15)
  end)

  it("have largest and mean values", function()
    local p = trpo.tensor { { 0.5, 0.5 }, { 0.5, 0.5 }, { 0.5, 0.5 } }
    local q = trpo.tensor { { 0.25, 0.75 }, { 0.5, 0.5 }, { 0, 1 } }
    local d = trpo.mdp.divergence(p, q, trpo.tensor { 3, 1, 0 })
    local kl1 = 0.5 * math.log(2) + 0.5 * math.log(2 / 3)
    assert.are.same({ 0.5, 3, 3, math.huge }, { d.tv_max, d.tv_state, d.kl_state, d.kl_max })
    assert.is_near(0.75 * 0.25, d.tv_mean, 1e-15)
    assert.is_near(0.75 * kl1, d.kl_mean, 1e-15) -- the third state is not visited
    d = trpo.mdp.divergence(p, q)
    assert.is_near(0.25, d.tv_mean, 1e-15)
    assert.are.equal(math.huge, d.kl_mean)
  end)

  it("say whether policies are alpha-coupled", function()
    local p, q = trpo.tensor { { 0.1, 0.9 }, { 0.5, 0.5 } }, trpo.tensor { { 0.2, 0.8 }, { 0.25, 0.75 } }
    local yes, most = trpo.mdp.is_alpha_coupled(p, q, 0.25)
    assert.is_true(yes)
    assert.are.equal(0.25, most)
    assert.is_false((trpo.mdp.is_alpha_coupled(p, q, 0.2499)))
    -- a mixture is alpha-coupled with its first part
    assert.is_true((trpo.mdp.is_alpha_coupled(p, trpo.mdp.mixture(p, q, 0.3), 0.3)))
  end)

  it("mix policies", function()
    local p, q = trpo.tensor { { 0.1, 0.9 }, { 0.5, 0.5 } }, trpo.tensor { { 1, 0 }, { 0, 1 } }
    assert.are.same(p:totable(), trpo.mdp.mixture(p, q, 0):totable())
    assert.are.same(q:totable(), trpo.mdp.mixture(p, q, 1):totable())
    assert.are.same({ { 0.325, 0.675 }, { 0.375, 0.625 } }, trpo.mdp.mixture(p, q, 0.25):totable())
    assert.are.same({ 0.5, 0.5 }, trpo.mdp.mixture(trpo.tensor { 1, 0 }, trpo.tensor { 0, 1 }, 0.5):totable())
  end)
end)

describe("the maximal coupling", function()
  it("has both distributions as margins, and differs with probability TV", function()
    cases.run(100, 77, function(rng, note)
      local n = rng:integer(1, 8)
      local p, q = trpo.tensor(distribution(rng, n, 0.3)), trpo.tensor(distribution(rng, n, 0.3))
      note(n)
      local joint = coupling(p, q)
      for a = 1, n do
        local row, column = 0, 0
        for b = 1, n do
          assert.is_true(joint[a][b] >= 0)
          row, column = row + joint[a][b], column + joint[b][a]
        end
        assert.is_near(p[a], row, 4e-16)
        assert.is_near(q[a], column, 4e-16)
      end
      local agree = 0
      for a = 1, n do agree = agree + joint[a][a] end
      assert.is_near(1 - tv(p, q), agree, 4e-16)
    end)
  end)

  it("of equals is the diagonal", function()
    local p = trpo.tensor { 0.25, 0.75 }
    assert.are.same({ { 0.25, 0 }, { 0, 0.75 } }, coupling(p, p):totable())
    assert.are.same({ { 0, 1 }, { 0, 0 } }, coupling(trpo.tensor { 1, 0 }, trpo.tensor { 0, 1 }):totable())
  end)

  it("is what the sampler draws from", function()
    local p, q = trpo.tensor { 0.5, 0.2, 0.3, 0 }, trpo.tensor { 0.1, 0.4, 0.3, 0.2 }
    local n = math.ceil(200000 * cases.share)
    local x, y = trpo.mdp.sample_coupling(p, q, trpo.rng(3), n)
    local count = trpo.zeros(4, 4)
    for i = 1, n do count[x[i]][y[i]] = count[x[i]][y[i]] + 1 end
    local joint = coupling(p, q)
    for a = 1, 4 do
      for b = 1, 4 do
        local expected = joint[a][b]
        local error = math.sqrt(expected * (1 - expected) / n)
        assert.is_true(math.abs(count[a][b] / n - expected) <= 4.5 * error, ("%d %d"):format(a, b))
      end
    end
  end)

  it("draws single pairs too, and never differs for equals", function()
    local p, rng = trpo.tensor { 0.3, 0, 0.7 }, trpo.rng(4)
    for _ = 1, 100 do
      local a, b = trpo.mdp.sample_coupling(p, p, rng)
      assert.are.equal(a, b)
      assert.is_true(a == 1 or a == 3)
    end
    local a, b = trpo.mdp.sample_coupling(trpo.tensor { 1, 0 }, trpo.tensor { 0, 1 }, rng)
    assert.are.same({ 1, 2 }, { a, b })
    assert.are.equal(0, #trpo.mdp.sample_coupling(p, p, rng, 0))
  end)
end)

describe("distances refuse", function()
  local p, q = trpo.tensor { 0.5, 0.5 }, trpo.tensor { 0.2, 0.8 }
  local rows = trpo.tensor { { 0.5, 0.5 }, { 0.5, 0.4 } }
  local fine = trpo.tensor { { 0.5, 0.5 }, { 0.5, 0.5 } }
  local rng = trpo.rng(1)
  local m = trpo.mdp
  misuse.each(it, {
    { "tables", tv, { { 0.5, 0.5 }, q }, "trpo.mdp.tv: p must be a tensor, got a table" },
    { "nothing", kl, { p }, "trpo.mdp.kl: q must be a tensor, got" },
    { "different sizes", tv, { p, trpo.tensor { 1 } }, "trpo.mdp.tv: q must have size [2], got [1]" },
    { "a vector and rows", kl, { p, fine }, "trpo.mdp.kl: q must have size [2], got [2, 2]" },
    { "no dimension", tv, { trpo.tensor(1), q }, "trpo.mdp.tv: p must have size [A] or [S, A], got []" },
    { "nothing in it", tv, { trpo.zeros(0), q }, "trpo.mdp.tv: p must have size [A] or [S, A], got [0]" },
    { "a sum that is not one", kl, { trpo.tensor { 0.5, 0.4 }, q },
      "trpo.mdp.kl: p must be a distribution, its entries sum to 0.9" },
    { "a row of another sum", kl, { fine, rows }, "trpo.mdp.kl: row 2 of q must be a distribution, its entries sum to 0.9" },
    { "negative entries", tv, { trpo.tensor { -0.5, 1.5 }, q }, "p must be a distribution, its entry 1 is -0.5" },
    { "NaN", tv, { trpo.tensor { 0.5, 0 / 0 }, q }, "p must be a distribution, its entry 2 is" },
    { "infinite entries", tv, { trpo.tensor { 0.5, math.huge }, q }, "p must be a distribution, its entries sum to inf" },
    { "vectors where policies are meant", m.divergence, { p, q }, "trpo.mdp.divergence: pi must have size [S, A], got [2]" },
    { "weights of another size", m.divergence, { fine, fine, trpo.ones(3) }, "trpo.mdp.divergence: rho must have size [2], got [3]" },
    { "negative weights", m.divergence, { fine, fine, trpo.tensor { 1, -1 } },
      "trpo.mdp.divergence: rho must hold finite numbers >= 0, in state 2 it is -1" },
    { "weights of zero", m.divergence, { fine, fine, trpo.zeros(2) }, "trpo.mdp.divergence: rho must have a positive finite sum" },
    { "an alpha above one", m.mixture, { p, q, 1.5 }, "trpo.mdp.mixture: alpha must be a number in [0, 1], got 1.5" },
    { "no alpha", m.mixture, { p, q }, "trpo.mdp.mixture: alpha must be a number in [0, 1], got" },
    { "an alpha that is a NaN", m.is_alpha_coupled, { p, q, 0 / 0 }, "trpo.mdp.is_alpha_coupled: alpha must be" },
    { "couplings of rows", coupling, { fine, fine }, "trpo.mdp.coupling: p must have size [N], got [2, 2]" },
    { "couplings of different sizes", coupling, { p, trpo.tensor { 1 } }, "trpo.mdp.coupling: q must have size [2], got [1]" },
    { "no generator", m.sample_coupling, { p, q, 3 }, "trpo.mdp.sample_coupling: rng must be" },
    { "half a pair", m.sample_coupling, { p, q, rng, 1.5 }, "trpo.mdp.sample_coupling: n must be an integer in [0, 1000000000]" },
  })
end)
