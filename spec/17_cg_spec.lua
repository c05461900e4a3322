local trpo = require "trpo"
local misuse = require "support.misuse"

-- a symmetric positive definite matrix with eigenvalues between 1 and about 10
local function positive(rng, n)
  local g = trpo.randn(rng, n, n)
  local a = g:mm(g:t()) * (2 / n)
  for i = 1, n do a[i][i] = a[i][i] + 1 end
  return a
end

local function product(a)
  return function(v) return a:mm(v:view(-1, 1)):view(-1) end
end

local function relative(x, expected)
  return (x - expected):norm() / expected:norm()
end

describe("conjugate gradients", function()
  it("agree with LAPACK's direct solution", function()
    local rng = trpo.rng(1)
    for _, n in ipairs { 1, 2, 7, 40 } do
      local a, b = positive(rng, n), trpo.randn(rng, n)
      local x, info = trpo.cg(product(a), b, { iterations = 200, tolerance = 1e-14 })
      assert.is_true(relative(x, trpo.linalg.solve(a, b)) < 1e-12)
      assert.are.equal("ok", info.status)
      assert.is_true(info.residual <= 1e-14 and info.iterations <= 3 * n)
    end
  end)

  it("add damping to the solved system, but not to x'Bx", function()
    local rng = trpo.rng(2)
    local a, b = positive(rng, 20), trpo.randn(rng, 20)
    local x, info = trpo.cg(product(a), b, { iterations = 100, tolerance = 1e-14, damping = 0.7 })
    local damped = a:clone()
    for i = 1, 20 do damped[i][i] = damped[i][i] + 0.7 end
    assert.is_true(relative(x, trpo.linalg.solve(damped, b)) < 1e-12)
    local xbx = x:dot(product(a)(x))
    assert.is_near(1, info.xbx / xbx, 1e-12)
  end)

  it("minimise over the Krylov space after each iteration", function()
    local rng = trpo.rng(3)
    local n = 12
    local a, b = positive(rng, n), trpo.randn(rng, n)
    for k = 1, 6 do
      -- the minimiser of x'Ax/2 - b'x over span{b, Ab, ...}, from an orthonormal basis Q: Q (Q'AQ)^-1 Q'b
      local q = trpo.zeros(k, n)
      local v = b
      for i = 1, k do
        for _ = 1, 2 do
          for j = 1, i - 1 do v = v - q[j] * q[j]:dot(v) end
        end
        q[i] = v / v:norm()
        v = product(a)(q[i])
      end
      local y = trpo.linalg.solve(q:mm(a):mm(q:t()), product(q)(b))
      local x, info = trpo.cg(product(a), b, { iterations = k, tolerance = 0 })
      assert.is_true(relative(x, product(q:t())(y)) < 1e-11)
      assert.are.equal(k, info.iterations)
      assert.are.equal("cg_limit", info.status)
      local residual = (b - product(a)(x)):norm() / b:norm()
      assert.is_near(1, info.residual / residual, 1e-8)
      assert.is_near(1, info.xbx / x:dot(product(a)(x)), 1e-10)
    end
  end)

  it("stop after one product when b is an eigenvector", function()
    local x, info = trpo.cg(function(v) return v * 4 end, trpo.tensor { 1, -2, 3 })
    assert.are.same({ 0.25, -0.5, 0.75 }, x:totable())
    assert.are.equal(1, info.iterations)
  end)

  it("solve singular systems whose right-hand side has a solution", function()
    local x = trpo.cg(function(v) return v * trpo.tensor { 2, 0, 1 } end, trpo.tensor { 2, 0, 3 })
    assert.is_true((x - trpo.tensor { 1, 0, 3 }):norm() < 1e-14)
  end)

  it("give scaled answers to scaled questions, however large or small", function()
    local rng = trpo.rng(4)
    local a, b = positive(rng, 10), trpo.randn(rng, 10)
    local x = trpo.cg(product(a), b)
    for _, power in ipairs { -900, -300, -1, 20, 500, 900 } do
      local scaled = trpo.cg(product(a), b * 2 ^ power)
      assert.are.same(x:totable(), (scaled * 2 ^ -power):totable())
    end
  end)

  it("answer b = 0 with zero", function()
    local x, info = trpo.cg(function() error "not called" end, trpo.zeros(3))
    assert.are.same({ 0, 0, 0 }, x:totable())
    assert.are.equal("zero_gradient", info.status)
    assert.are.equal(0, info.iterations)
    assert.are.equal(0, #trpo.cg(function(v) return v end, trpo.zeros(0)))
  end)

  it("leave b alone, and let the operator do what it likes with v", function()
    local b = trpo.tensor { 1, 2, 3 }
    local expected = trpo.cg(function(v) return v * trpo.tensor { 1, 2, 3 } end, b)
    local x = trpo.cg(function(v)
      local out = v * trpo.tensor { 1, 2, 3 }
      v:fill(99)
      b:fill(5)
      return out
    end, b)
    assert.are.same(expected:totable(), x:totable())
    b = trpo.tensor { 1, 2, 3 }
    x = trpo.cg(function(v) return v end, b) -- the argument itself as the result
    assert.are.same({ 1, 2, 3 }, x:totable())
    assert.are.same({ 1, 2, 3 }, b:totable())
  end)

  it("name negative curvature", function()
    local x, message, code = trpo.cg(function(v) return -v end, trpo.tensor { 1, 2 })
    assert.is_nil(x)
    assert.are.equal("the operator is not positive definite", message)
    assert.are.equal("negative_curvature", code)
    -- met in a later iteration
    x, message, code = trpo.cg(function(v) return v * trpo.tensor { 1, 2, -0.1 } end, trpo.tensor { 1, 1, 0.5 })
    assert.are.equal("negative_curvature", code)
    assert.is_nil(x)
    assert.is_string(message)
  end)

  it("name numbers that are not finite", function()
    local nan = 0 / 0
    for _, case in ipairs {
      { function(v) return v end, trpo.tensor { 1, nan } },
      { function(v) return v end, trpo.tensor { math.huge, 1 } },
      { function(v) return v * nan end, trpo.tensor { 1, 1 } },
      { function(v) return v * math.huge end, trpo.tensor { 1, 1 } },
    } do
      local x, message, code = trpo.cg(case[1], case[2])
      assert.is_nil(x)
      assert.is_string(message)
      assert.are.equal("not_finite", code)
    end
  end)

  it("pass on what the operator raises, and stay usable", function()
    local ok, raised = pcall(trpo.cg, function() error({ mine = true }) end, trpo.tensor { 1 })
    assert.is_false(ok)
    assert.is_true(raised.mine)
    assert.are.same({ 2 }, trpo.cg(function(v) return v * 0.5 end, trpo.tensor { 1 }):totable())
  end)

  it("work inside the operator", function()
    local x = trpo.cg(function(v) return (trpo.cg(function(w) return w * 0.25 end, v)) end, trpo.tensor { 4, 8 })
    assert.are.same({ 1, 2 }, x:totable())
  end)

  local identity = function(v) return v end
  local b = trpo.tensor { 1, 2 }

  describe("with a preconditioner", function()
    it("minimise over its Krylov space after each iteration", function()
      local rng = trpo.rng(5)
      local n, damping = 12, 0.3
      local a, m, rhs = positive(rng, n), positive(rng, n), trpo.randn(rng, n)
      local c = a:clone()
      for i = 1, n do c[i][i] = c[i][i] + damping end
      for k = 1, 6 do
        -- the minimiser of x'Cx/2 - b'x over span{Mb, MCMb, ...}: Q (Q'CQ)^-1 Q'b
        local q, v = trpo.zeros(k, n), product(m)(rhs)
        for i = 1, k do
          for _ = 1, 2 do
            for j = 1, i - 1 do v = v - q[j] * q[j]:dot(v) end
          end
          q[i] = v / v:norm()
          v = product(m)(product(c)(q[i]))
        end
        local y = trpo.linalg.solve(q:mm(c):mm(q:t()), product(q)(rhs))
        local x, info = trpo.cg(product(a), rhs,
          { iterations = k, tolerance = 0, damping = damping, preconditioner = product(m) })
        assert.is_true(relative(x, product(q:t())(y)) < 1e-10)
        assert.are.equal(k, info.iterations)
        -- the figures mean what they mean without one
        assert.is_near(1, info.residual / ((rhs - product(c)(x)):norm() / rhs:norm()), 1e-8)
        assert.is_near(1, info.xbx / x:dot(product(a)(x)), 1e-10)
      end
    end)

    it("agree with LAPACK's direct solution", function()
      local rng = trpo.rng(6)
      for _, n in ipairs { 1, 2, 7, 40 } do
        local a, rhs = positive(rng, n), trpo.randn(rng, n)
        local x, info = trpo.cg(product(a), rhs,
          { iterations = 200, tolerance = 1e-14, preconditioner = product(positive(rng, n)) })
        assert.is_true(relative(x, trpo.linalg.solve(a, rhs)) < 1e-12)
        assert.are.equal("ok", info.status)
      end
    end)

    it("are to the bit what they are without one when it is the identity", function()
      local rng = trpo.rng(7)
      local a, rhs = positive(rng, 23), trpo.randn(rng, 23)
      for k = 1, 9 do
        local options = { iterations = k, damping = 0.01 }
        local x, info = trpo.cg(product(a), rhs, options)
        options.preconditioner = identity
        local same, same_info = trpo.cg(product(a), rhs, options)
        assert.are.same(x:totable(), same:totable())
        assert.are.same(info, same_info)
      end
    end)

    it("need one product when it is the inverse, whatever its scale", function()
      local rng = trpo.rng(8)
      local a, rhs = positive(rng, 9), trpo.randn(rng, 9)
      local inverse = trpo.linalg.inv(a)
      for _, scale in ipairs { 1, 1e-6, 1e9 } do
        local x, info = trpo.cg(product(a), rhs, { tolerance = 1e-12, preconditioner = product(inverse * scale) })
        assert.are.equal(1, info.iterations)
        assert.is_true(relative(x, trpo.linalg.solve(a, rhs)) < 1e-12)
      end
    end)

    it("call it once per product, and not for b = 0", function()
      local calls = 0
      local function counting(v)
        calls = calls + 1
        return v
      end
      trpo.cg(product(positive(trpo.rng(9), 8)), trpo.ones(8), { iterations = 3, tolerance = 0, preconditioner = counting })
      assert.are.equal(3, calls)
      trpo.cg(identity, trpo.zeros(3), { preconditioner = counting })
      assert.are.equal(3, calls)
    end)

    it("let it do what it likes with its argument", function()
      local weights = trpo.tensor { 1, 2, 3 }
      local function scaled(v) return v * weights end
      local expected = trpo.cg(scaled, weights, { preconditioner = scaled })
      local x = trpo.cg(scaled, weights, {
        preconditioner = function(r)
          local out = r * weights
          r:fill(0 / 0)
          return out
        end,
      })
      assert.are.same(expected:totable(), x:totable())
    end)

    it("name one that is not positive definite", function()
      local x, message, code = trpo.cg(identity, b, { preconditioner = function(r) return -r end })
      assert.is_nil(x)
      assert.are.equal("the preconditioner is not positive definite", message)
      assert.are.equal("preconditioner", code)
      assert.are.equal("preconditioner", select(3, trpo.cg(identity, b, { preconditioner = function(r) return r * 0 end })))
      -- met in a later iteration
      assert.are.equal("preconditioner", select(3, trpo.cg(product(trpo.tensor { { 1, 0 }, { 0, 5 } }), trpo.tensor { 1, 1 },
        { preconditioner = function(r) return r * trpo.tensor { 1, -0.9 } end })))
    end)

    it("name numbers that are not finite", function()
      for _, bad in ipairs { 0 / 0, math.huge } do
        local x, _, code = trpo.cg(identity, b, { preconditioner = function(r) return r * bad end })
        assert.is_nil(x)
        assert.are.equal("not_finite", code)
      end
    end)

    it("pass on what it raises", function()
      local ok, raised = pcall(trpo.cg, identity, b, { preconditioner = function() error({ mine = true }) end })
      assert.is_false(ok)
      assert.is_true(raised.mine)
    end)
  end)

  misuse.each(it, {
    { "refuse an operator that is no function", trpo.cg, { b, b }, "trpo.cg: fn must be a function, got a tensor [2]" },
    { "refuse a right-hand side that is no tensor", trpo.cg, { identity, { 1 } },
      "trpo.cg: b must be a tensor, got a table" },
    { "refuse a matrix", trpo.cg, { identity, trpo.zeros(2, 2) }, "trpo.cg: b must have size [N], got [2, 2]" },
    { "refuse unknown options", trpo.cg, { identity, b, { itertions = 3 } },
      "trpo.cg: unknown option 'itertions', did you mean 'iterations'?" },
    { "refuse options far from any", trpo.cg, { identity, b, { xyzzy = 3 } },
      "unknown option 'xyzzy', expected one of: iterations, tolerance, damping, preconditioner" },
    { "refuse positional options", trpo.cg, { identity, b, { 10 } }, "trpo.cg: options must be named, got the key 1" },
    { "refuse a number as options", trpo.cg, { identity, b, 10 }, "trpo.cg: options must be a table, got 10" },
    { "refuse no iterations", trpo.cg, { identity, b, { iterations = 0 } },
      "trpo.cg: iterations must be an integer in [1, 1000000000], got 0" },
    { "refuse fractional iterations", trpo.cg, { identity, b, { iterations = 1.5 } }, "iterations must be an integer" },
    { "refuse a negative tolerance", trpo.cg, { identity, b, { tolerance = -1 } },
      "trpo.cg: tolerance must be a finite number >= 0, got -1" },
    { "refuse a NaN damping", trpo.cg, { identity, b, { damping = 0 / 0 } },
      "trpo.cg: damping must be a finite number >= 0, got" },
    { "refuse a preconditioner that is no function", trpo.cg, { identity, b, { preconditioner = "kfac" } },
      "trpo.cg: preconditioner must be a function, got the string 'kfac'" },
    { "refuse a preconditioned residual of another size", trpo.cg,
      { identity, b, { preconditioner = function() return trpo.zeros(3) end } },
      "trpo.cg: the preconditioner's result must have size [2], got [3]" },
    { "refuse no preconditioned residual", trpo.cg, { identity, b, { preconditioner = function() end } },
      "trpo.cg: the preconditioner's result must be a tensor, got nil" },
    { "refuse a string as damping", trpo.cg, { identity, b, { damping = "0" } },
      "damping must be a finite number >= 0, got the string '0'" },
    { "refuse a result of another size", trpo.cg, { function() return trpo.zeros(3) end, b },
      "trpo.cg: the operator's result must have size [2], got [3]" },
    { "refuse no result", trpo.cg, { function() end, b }, "trpo.cg: the operator's result must be a tensor, got nil" },
  })
end)
