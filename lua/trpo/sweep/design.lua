--- Which cells a sweep has: all of a grid, or points that are drawn at random or by Sobol's sequence.
--
-- Cells that are drawn depend on the parameters and on the sweep's `seed` only: the first ten of twenty are those of
-- ten.
-- @module trpo.sweep.design
local json = require "trpo.json"
local space = require "trpo.sweep.space"
local trpo = require "trpo"

local design = {}

--- The most trials of a sweep.
design.limit = 100000

-- the stream of random numbers for cells; those of experiments are 0 to 3
local stream = 4

-- so many points in a row that give nothing new are enough
local patience = 100000

-- all combinations, the last parameter fastest
local function grid(parameters)
  local cells = { {} }
  for _, parameter in ipairs(parameters) do
    local longer = {}
    for _, cell in ipairs(cells) do
      for _, value in ipairs(parameter.values) do
        local params = { [parameter.path] = value }
        for path, earlier in pairs(cell) do params[path] = earlier end
        longer[#longer + 1] = params
      end
    end
    cells = longer
  end
  return cells
end

-- functions that return one point of [0, 1)^d after the other
local points = {}

function points.random(d, seed)
  local rng = trpo.rng(seed, stream)
  return function()
    local point = {}
    for i = 1, d do point[i] = rng:uniform() end
    return point
  end
end

-- scrambled when there is a seed
function points.sobol(d, seed)
  local block, size, used, skip = nil, 256, 256, 0
  return function()
    if used == size then
      local rng = seed and trpo.rng(seed, stream) or nil
      block, used, skip = trpo.stats.sobol(size, d, { skip = skip, rng = rng }), 0, skip + size
    end
    used = used + 1
    local point = {}
    for i = 1, d do point[i] = block[used][i] end
    return point
  end
end

-- different cells, in the order in which they are drawn; nil and one sentence when there are too few
local function draw(parameters, next_point, samples)
  local cells, seen, idle = {}, {}, 0
  while #cells < samples do
    local point, params = next_point(), {}
    for i, parameter in ipairs(parameters) do params[parameter.path] = space.value(parameter, point[i]) end
    local text = json.encode(params)
    if not seen[text] then
      cells[#cells + 1], seen[text], idle = params, true, 0
    elseif idle == patience then
      return nil, ("only %d of %d samples could be found that differ: take fewer, or a grid"):format(#cells, samples)
    end
    idle = idle + 1
  end
  return cells
end

-- how many cells there can be
local function size_of(parameters)
  local count = 1
  for _, parameter in ipairs(parameters) do count = count * space.count(parameter) end
  return count
end

-- a parameter that a grid cannot do, or nil
local function drawn_one(parameters)
  for _, parameter in ipairs(parameters) do
    if parameter.distribution then return parameter end
  end
end

-- what is wrong, or nil
local function flaw(parameters, sampler, samples)
  local count = size_of(parameters)
  if sampler == "grid" then
    local other = drawn_one(parameters)
    if other then
      return ("parameters.%s: a grid needs a list of values; %s is for the methods random, sobol and halving")
        :format(other.name, other.distribution)
    elseif samples then
      return "samples is for the methods random, sobol and halving; a grid has all its cells"
    end
  elseif not samples then
    return ("samples must be given: how many cells %s draws"):format(sampler)
  elseif samples > count then
    return ("samples = %.0f is more than the %.0f cells that differ: take fewer, or a grid"):format(samples, count)
  elseif sampler == "sobol" and #parameters > design.dimensions then
    return ("sobol has at most %d parameters, got %d"):format(design.dimensions, #parameters)
  end
end

--- The most parameters of a Sobol sweep.
design.dimensions = 64

--- The cells of a sweep.
-- @tparam {table,...} parameters of `trpo.sweep.space.read`
-- @tparam table o `sampler` "grid", "random" or "sobol"; `samples`; `seed`; `seeds` = how many trials each cell has
-- @treturn {table,...}|nil for each cell a table from path to value
-- @treturn string|nil one sentence
function design.cells(parameters, o)
  local message = flaw(parameters, o.sampler, o.samples)
  if message then return nil, message end
  local trials = (o.sampler == "grid" and size_of(parameters) or o.samples) * o.seeds
  if trials > design.limit then
    return nil, ("these are %.0f trials, more than %d"):format(trials, design.limit)
  end
  if o.sampler == "grid" then return grid(parameters) end
  return draw(parameters, points[o.sampler](#parameters, o.seed), o.samples)
end

return design
