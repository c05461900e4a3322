-- The optimisers of a network baseline that work on all rows: Gauss-Newton steps, L-BFGS, and the last layer alone.
local trpo = require "trpo"
local oracle = require "support.oracle"

local box = trpo.space.box { shape = { 3 } }

local function network(options)
  local all = { observation = box, hidden = { 4 }, precision = "double", rng = trpo.rng(1) }
  for key, x in pairs(options or {}) do all[key] = x end
  return trpo.value(all)
end

-- a batch of N rows whose returns are a smooth function of the observation times scale
local function regression(N, scale, seed)
  local observations, returns = trpo.randn(trpo.rng(seed or 2), N, 3), trpo.zeros(N)
  for n, x in ipairs(observations:totable()) do
    returns[n] = (3 + math.sin(2 * x[1]) + x[2] * x[3] / 2) * (scale or 1)
  end
  return trpo.batch {
    policy = oracle.policy { O = 3, A = 1, discrete = true }, observations = observations, actions = trpo.ones(N),
    returns = returns, rewards = returns,
  }
end

local function squared_error(value, batch)
  local difference = value:predict(batch.observations, batch.times) - batch.returns
  return difference:dot(difference) / #batch
end

-- outputs of the plain network at parameters that are a plain list
local function outputs(theta, hidden, rows)
  local widths, out = { 3, unpack(hidden) }, {}
  widths[#widths + 1] = 1
  for n, x in ipairs(rows) do out[n] = oracle.mlp(theta, widths, "tanh", x)[1] end
  return out
end

-- d outputs / d theta [N, P] by central differences
local function jacobian(theta, hidden, rows)
  local J = trpo.zeros(#rows, #theta)
  for k = 1, #theta do
    local at = { unpack(theta) }
    local column = oracle.difference(function(h)
      at[k] = theta[k] + h
      return outputs(at, hidden, rows)
    end, 1e-3)
    for n = 1, #rows do J[n][k] = column[n] end
  end
  return J
end

local function errors(theta, hidden, batch)
  return trpo.tensor(outputs(theta, hidden, batch.observations:totable())) - batch.returns
end

local function every(rows, stride)
  local some = {}
  for n = 1, #rows, stride do some[#some + 1] = rows[n] end
  return some
end

local full = {
  { "gauss_newton", {} },
  { "gauss_newton with the last layer", { solve_last_layer = true } },
  { "gauss_newton with few rows in its matrix", { curvature_rows = 20 } },
  { "lbfgs", {} },
  { "last_layer", {} },
}
for _, case in ipairs(full) do case[2].optimizer = case[1]:match "%S+" end

local function made(options, more)
  local all = {}
  for key, x in pairs(options) do all[key] = x end
  for key, x in pairs(more or {}) do all[key] = x end
  return network(all)
end

describe("a Gauss-Newton step", function()
  it("is the solution of the damped normal equations, with all rows or evenly spaced ones in the matrix", function()
    for _, case in ipairs { { rows = 1000, stride = 1 }, { rows = 12, stride = 5 } } do
      local damping, batch = 0.3, regression(60)
      local value = network {
        rescale_targets = false, iterations = 1, cg_products = 60, lm_damping = damping, curvature_rows = case.rows,
      }
      local theta = value:theta():totable()
      local rows = batch.observations:totable()
      local J, e = jacobian(theta, { 4 }, rows), errors(theta, { 4 }, batch)
      local b = J:t():mm(e:view(60, 1)) * (-1 / 60)
      local K = jacobian(theta, { 4 }, every(rows, case.stride))
      local matrix = K:t():mm(K) * (1 / K:size(1))
      for k = 1, #theta do matrix[k][k] = matrix[k][k] + damping end
      local step = trpo.linalg.solve(matrix, b)
      local info = value:fit(batch)
      assert.are.equal(1, info.steps)
      local error = oracle.relative(step, value:theta() - trpo.tensor(theta))
      assert.is_true(error < 1e-5, ("%g"):format(error)) -- the relative residual is 1e-6
    end
  end)

  it("goes along minus the gradient when it makes one product", function()
    local batch = regression(50)
    local value = network { rescale_targets = false, iterations = 1, cg_products = 1 }
    local theta = value:theta():totable()
    local g = jacobian(theta, { 4 }, batch.observations:totable()):t():mm(errors(theta, { 4 }, batch):view(50, 1))
    value:fit(batch)
    local step = value:theta() - trpo.tensor(theta)
    local cosine = -step:dot(g:view(#theta)) / (step:norm() * g:norm())
    assert.is_true(math.abs(cosine - 1) < 1e-9, ("%.12f"):format(cosine))
  end)

  it("raises the damping when the model promises too much, never falls below what was asked for, and halves steps", function()
    -- hardly any damping on few rows in the matrix: steps are too long
    local value, batch = network { hidden = { 32 }, lm_damping = 1e-9, curvature_rows = 8, cg_products = 60 }, regression(400)
    local most = 0
    for _ = 1, 6 do
      local info = value:fit(batch)
      assert.is_true(info.damping >= 1e-9 and info.loss <= info.loss_before)
      most = math.max(most, info.damping)
    end
    assert.is_true(most > 1e-9)
  end)

  it("is the last of a fit when it lowers the error by less than a tenth", function()
    local value, batch = network { iterations = 1000 }, regression(200)
    local info
    for _ = 1, 10 do info = value:fit(batch) end
    assert.is_true(info.steps < 1000 and info.loss > 0.5 * info.loss_before)
  end)
end)

describe("the last layer", function()
  it("is solved as QR solves the least squares that hold it near where it was", function()
    for _, hidden in ipairs { { 4 }, {}, { 5, 3 } } do
      local damping, N, batch = 1e-3, 70, regression(70)
      local value = network { hidden = hidden, optimizer = "last_layer", rescale_targets = false, lm_damping = damping }
      local theta = value:theta():totable()
      local rows, P = batch.observations:totable(), #theta
      local F = (hidden[#hidden] or 3) + 1
      local J = jacobian(theta, hidden, rows):narrow(2, P - F + 1, F)
      local A, b = trpo.zeros(N + F, F), trpo.zeros(N + F, 1)
      local e = errors(theta, hidden, batch)
      for n = 1, N do
        for k = 1, F do A[n][k] = J[n][k] / math.sqrt(N) end
        b[n][1] = -e[n] / math.sqrt(N)
      end
      for k = 1, F do A[N + k][k] = math.sqrt(damping) end
      local step = trpo.linalg.lstsq(A, b)
      local info = value:fit(batch)
      local change = value:theta() - trpo.tensor(theta)
      assert.is_true(oracle.relative(step, change:narrow(1, P - F + 1, F):clone()) < 1e-8)
      if P > F then assert.are.equal(0, change:narrow(1, 1, P - F):clone():norm()) end
      assert.is_true(math.abs(info.loss / squared_error(value, batch) - 1) < 1e-9)
    end
  end)

  it("copes with features that depend on each other", function()
    local value, batch = network { hidden = {}, optimizer = "last_layer", lm_damping = 1e-12 }, regression(50)
    batch.observations:select(2, 3):copy(batch.observations:select(2, 1))
    assert.is_table(value:fit(batch))
    assert.is_true(squared_error(value, batch) < 2)
  end)
end)

describe("a linear network", function()
  it("is fitted to the least squares", function()
    for _, options in ipairs {
      { optimizer = "gauss_newton", lm_damping = 1e-12, iterations = 5, curvature_rows = 1000 },
      { optimizer = "lbfgs", iterations = 100 }, { optimizer = "last_layer", lm_damping = 1e-12 },
    } do
      local N, batch = 90, regression(90)
      local value = made(options, { hidden = {} })
      local A = trpo.ones(N, 4)
      A:narrow(2, 1, 3):copy(batch.observations)
      local w = trpo.linalg.lstsq(A, batch.returns:view(N, 1))
      value:fit(batch)
      local error = oracle.relative(A:mm(w), value:predict(batch.observations))
      assert.is_true(error < (options.optimizer == "lbfgs" and 1e-5 or 1e-6), ("%s: %g"):format(options.optimizer, error))
    end
  end)
end)

for _, case in ipairs(full) do
  local options = case[2]
  local alone = options.optimizer == "last_layer"
  describe("fitting by " .. case[1], function()
    it("learns, never increases the error, and says what it did", function()
      local value = made(options, { hidden = { 12, 8 } })
      local first, last
      for fit = 1, 12 do
        local batch = regression(700, 20, 2 + fit % 3)
        local before = squared_error(value, batch)
        local info = value:fit(batch)
        local after = squared_error(value, batch)
        assert.is_true(info.loss <= info.loss_before)
        -- the first fit has no predictions to keep, and begins at the mean
        if fit > 1 then assert.is_true(math.abs(info.loss_before / before - 1) < 1e-9) end
        assert.is_true(math.abs(info.loss / after - 1) < 1e-9)
        first, last = first or before, after
      end
      assert.is_true(last < (alone and 0.6 or 0.05) * first, ("%g after %g"):format(last, first))
    end)

    it("fits targets times a million or a millionth as it fits targets", function()
      local fits = {}
      for i, scale in ipairs { 1, 1e6, 1e-6 } do
        local value, batch = made(options), regression(300, scale)
        local theta = value:theta()
        theta:narrow(1, theta:nelement() - 4, 5):fill(0) -- predicts 0, in any unit
        value:set_theta(theta)
        value:fit(batch)
        fits[i] = (value:predict(batch.observations) * (1 / scale)):totable()
      end
      assert.is_true(oracle.relative(fits[1], fits[2]) < 1e-6)
      assert.is_true(oracle.relative(fits[1], fits[3]) < 1e-6)
    end)

    it("does nearly the same in single precision", function()
      local more = { iterations = not alone and 2 or nil }
      local double, batch = made(options, more), regression(333)
      more.precision = "single"
      local single = made(options, more)
      double:fit(batch)
      single:fit(batch)
      assert.is_true(oracle.relative(double:predict(batch.observations), single:predict(batch.observations)) < 1e-3)
    end)

    it("gives the same bits on one and two threads, and whatever the generator of the shuffles says", function()
      local threads = trpo.threads()
      local function fitted(count, precision)
        trpo.threads(count)
        local value = made(options, { hidden = { 17 }, precision = precision })
        local words = {}
        for seed = 1, 3 do
          local info = value:fit(regression(1777, 1, seed))
          words[seed] = oracle.bits(value:theta()) .. info.loss
        end
        trpo.threads(threads)
        return table.concat(words)
      end
      for _, precision in ipairs { "single", "double" } do
        assert.is_true(fitted(1, precision) == fitted(2, precision))
      end
    end)

    it("fits one row and constant targets", function()
      local value, batch = made(options), regression(1)
      assert.is_table(value:fit(batch))
      assert.is_true(squared_error(value, batch) < 1)
      value, batch = made(options), regression(100)
      batch.returns:fill(5)
      for _ = 1, 10 do assert.is_table(value:fit(batch)) end
      assert.is_true(squared_error(value, batch) < 0.1, tostring(squared_error(value, batch)))
      assert.is_true(value:theta():norm() < math.huge)
    end)

    it("refuses what is not finite, and is then as it was", function()
      for _, bad in ipairs { 0 / 0, math.huge, -math.huge } do
        for _, field in ipairs { "returns", "observations" } do
          for _, precision in ipairs { "single", "double" } do
            local value, batch = made(options, { precision = precision }), regression(100)
            value:fit(batch)
            local state = value:state()
            if field == "returns" then batch.returns[42] = bad else batch.observations[42][2] = bad end
            local info, message, code = value:fit(batch)
            assert.is_nil(info)
            assert.are.equal("string", type(message))
            assert.are.equal("not_finite", code)
            for name, tensor in pairs(value:state()) do
              assert.are.equal(oracle.bits(state[name]), oracle.bits(tensor))
            end
          end
        end
      end
    end)

    it("follows targets into any unit, in single precision too", function()
      local value = made(options, { precision = "single" })
      for _, scale in ipairs { 1, 1e-150, 1, 1e-40, 1e40, 1e150, 1e-20 } do
        local batch = regression(300, scale)
        for _ = 1, 8 do assert(value:fit(batch)) end
        local error, deviation = math.sqrt(squared_error(value, batch)), math.sqrt(oracle.variance(batch.returns:totable()))
        assert.is_true(error < (alone and 0.95 or 0.7) * deviation, ("%g: %g of %g"):format(scale, error, deviation))
      end
    end)

    it("begins at the mean of its first targets, however far that is from zero", function()
      local value, batch = made(options, { precision = "single" }), regression(300)
      local twin, far = made(options, { precision = "single" }), regression(300)
      far.returns:copy(far.returns + 2 ^ 14)
      assert(value:fit(batch))
      assert(twin:fit(far))
      local near, moved = squared_error(value, batch), squared_error(twin, far)
      assert.is_true(moved < 1.01 * near + 1e-6, ("%g, %g"):format(near, moved))
    end)

    it("allocates nothing after the first fit", function()
      local value, batch = made(options, { precision = "single", hidden = { 16 } }), regression(900)
      value:fit(batch)
      value:fit(batch)
      local before = trpo.info().allocations
      value:fit(batch)
      assert.are.equal(before, trpo.info().allocations)
    end)
  end)
end

describe("a step that lowers no loss leaves the critic bit for bit as it was:", function()
  local function check(options, targets)
    local value = made(options, { precision = "single", rescale_targets = false })
    value:set_theta(-value:theta()) -- biases of -0 tell whether zeros were added
    local batch = regression(50)
    targets(value, batch)
    local before, predictions = oracle.bits(value:theta()), oracle.bits(value:predict(batch.observations))
    local info = assert(value:fit(batch))
    assert.are.equal(info.loss_before, info.loss)
    assert.are.equal(before, oracle.bits(value:theta()))
    assert.are.equal(predictions, oracle.bits(value:predict(batch.observations)))
  end

  it("gauss_newton, where no weight of single precision is nearer", function()
    check({}, function(value, batch) batch.returns:copy(value:predict(batch.observations) * (1 + 1e-12)) end)
  end)

  it("last_layer, where the step is finite in double precision only", function()
    check({ optimizer = "last_layer" }, function(_, batch) batch.returns:copy(batch.returns * 1e60) end)
  end)
end)
