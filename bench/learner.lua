-- What the benchmarks of an update share: shapes, operation counts, and PyTorch as a peer that does the same sums.
local peer = require "bench.peer"
local support = require "bench.support"
local trpo = require "trpo"

local learner = {}

--- The shapes: a 64-64 tanh network with O inputs and A outputs, categorical for `discrete`, normal otherwise.
learner.shapes = {
  { name = "CartPole", O = 4, A = 2, discrete = true },
  { name = "Hopper", O = 11, A = 3 },
  { name = "HalfCheetah", O = 17, A = 6 },
  { name = "Humanoid", O = 376, A = 17 },
}

learner.sizes = { 1000, 5000, 50000 }
learner.precisions = { "single", "double" }

--- "11-64-64-3"
function learner.layers(shape) return ("%d-64-64-%d"):format(shape.O, shape.A) end

local function weights(shape) return 64 * shape.O + 64 * 64 + 64 * shape.A end

--- Floating-point operations per row of a classical Fisher-vector product: a tangent and a reverse pass over kept
-- activations; the first layer needs no tangent of its input and no gradient in it.
function learner.product_flops(shape) return 8 * weights(shape) - 4 * shape.O * 64 end

--- Of a policy update: gradient, ten such products, one trial of the line search.
function learner.update_flops(shape)
  return 6 * weights(shape) + 10 * learner.product_flops(shape) + 2 * weights(shape)
end

--- The names of the shapes.
function learner.names()
  local names = {}
  for i, shape in ipairs(learner.shapes) do names[i] = shape.name end
  return names
end

--- Measures the grid, or with --only SHAPE that shape's part of it. `cell(shape, N, precision)` gives a record,
-- `check(shape)` a list of records. Returns both lists.
function learner.grid(cell, check)
  local only = support.given.only
  local grid, checks = {}, {}
  for _, shape in ipairs(learner.shapes) do
    if not only or only == shape.name then
      for _, record in ipairs(check(shape)) do checks[#checks + 1] = record end
      for _, N in ipairs(support.short and { 1000 } or learner.sizes) do
        for _, precision in ipairs(learner.precisions) do grid[#grid + 1] = cell(shape, N, precision) end
      end
    end
  end
  return grid, checks
end

--- A problem with normal numbers: policy, batch.
function learner.problem(shape, N, precision)
  return support.synthetic { O = shape.O, A = shape.A, discrete = shape.discrete, N = N, precision = precision }
end

local function kind(shape) return shape.discrete and "discrete" or "box" end
learner.kind = kind

--- Starts bench/peer_torch.py or another of bench/peer_*.py: nil in short runs, and when it is not installed or wanted.
-- `version` and `ask(...)`, a question in parts.
function learner.peer(program, module)
  if support.short or support.given.no_peers then return nil end
  local python = peer.python({ os.getenv "TRPO_PYTHON" or "bench/.venv/bin/python" }, module)
  if not python then return nil end
  local process = peer.start(("%s -W ignore bench/%s.py 2>/dev/null"):format(peer.quoted(python), program))
  return {
    version = assert(process.read(), program .. " does not start"),
    ask = function(...)
      local question = table.concat({ ... }, "\t")
      return assert(process.ask(question), program .. " failed at: " .. question)
    end,
    close = process.close,
  }
end

function learner.torch() return learner.peer("peer_torch", "torch") end

--- The form and the number of threads at which PyTorch answers a question fastest: { form, threads, seconds }.
function learner.best_of(torch, question, ...)
  local best
  torch.ask(question, "double", 1, ...)
  for threads = 1, 2 do
    for _, form in ipairs { "double", "jacobian" } do
      -- what a product keeps is made by the first one
      if question == "product" then torch.ask(question, form, threads, ...) end
      local seconds = tonumber((torch.ask(question, form, threads, ...)))
      if not best or seconds < best.seconds then best = { form = form, threads = threads, seconds = seconds } end
    end
  end
  return best
end

--- The number of threads at which a peer answers a question fastest, asked twice each.
function learner.best_threads(process, ...)
  local seconds = {}
  for threads = 1, 2 do
    for _ = 1, 2 do
      local parts = { ... }
      parts[#parts + 1] = threads
      seconds[threads] = tonumber((process.ask(unpack(parts))))
    end
  end
  return seconds[1] < seconds[2] and 1 or 2
end

-- the step of one update, before the line search shortens it
local function full_step(policy, batch)
  local theta = policy:theta()
  local info = trpo.TRPO {}:update(policy, batch)
  assert(info.status == "ok", info.message)
  local step = (policy:theta() - theta) / info.step_fraction
  policy:set_theta(theta)
  return step
end

--- That the peer computes what we do: the largest differences of its product and of its step from ours, relative to the
-- largest entry, over one small problem in double precision with the given form.
function learner.check(torch, shape, form)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. peer.quoted(folder)) == 0)
  local policy, batch = learner.problem(shape, 500, "double")
  local direction = trpo.randn(trpo.rng(3), policy:size())
  for name, tensor in pairs {
    observations = batch.observations, actions = batch.actions, advantages = batch.advantages, theta = policy:theta(),
    direction = direction, product = assert(policy:fisher_product(batch.observations, direction)),
    step = full_step(policy, batch),
  } do
    assert(trpo.save(("%s/%s.npy"):format(folder, name), tensor))
  end
  torch.ask("load", folder, kind(shape), "double")
  local product, step = torch.ask("compare", form, folder):match "^(%S+)\t(%S+)$"
  os.execute("rm -r " .. peer.quoted(folder))
  return tonumber(product), tonumber(step)
end

return learner
