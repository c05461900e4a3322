--- Writes the folder of a sweep as if it had been run, without running anything.
local claims = require "trpo.sweep.claims"
local core = require "trpo.core"
local disk = require "trpo.disk"
local json = require "trpo.json"
local logger = require "trpo.logger"

local sweep_folder = {}

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function write_json(path, value) write(path, json.encode(value, { indent = true }) .. "\n") end

local function make(path) assert(disk.make(path)) end

-- one cell for each pair of values, the last parameter fastest
local function cells_of(parameters, seeds)
  local cells = { { params = {} } }
  for _, parameter in ipairs(parameters) do
    local longer = {}
    for _, cell in ipairs(cells) do
      for _, value in ipairs(parameter.values) do
        local params = { [parameter.path] = value }
        for key, old in pairs(cell.params) do params[key] = old end
        longer[#longer + 1] = { params = params }
      end
    end
    cells = longer
  end
  for i, cell in ipairs(cells) do
    cell.ids = json.list {}
    for j in ipairs(seeds) do cell.ids[j] = ("ce%06xd%07x"):format(i, j) end
  end
  return cells
end

-- a curve that rises to the score
local function progress(score, iterations, steps)
  local lines = { table.concat(logger.columns, ",") }
  for i = 1, iterations do
    local value = {
      ["time/iterations"] = i, ["time/total_timesteps"] = steps * i / iterations, ["time/time_elapsed"] = i / 10,
      ["time/fps"] = 1000, ["rollout/ep_rew_mean"] = score * i / iterations, ["rollout/ep_len_mean"] = 10 + i,
      ["train/kl_divergence_loss"] = 0.009 + i / 10000, ["train/kl_max"] = 0.05, ["train/step_fraction"] = i % 4 == 0
        and 0.8 or 1, ["train/is_line_search_success"] = 1, ["train/expected_improvement"] = 0.1 / i,
      ["train/actual_improvement"] = 0.09 / i, ["train/explained_variance"] = i / (i + 1), ["train/entropy"] = 0.6,
      ["eval/mean_reward"] = i == iterations and score or nil,
    }
    local fields = {}
    for j, name in ipairs(logger.columns) do fields[j] = value[name] and json.number(value[name]) or "" end
    lines[#lines + 1] = table.concat(fields, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

local function write_run(dir, o, cell, seed, status, score, steps)
  write_json(dir .. "/config.json", {
    name = dir:match "[^/]+$", seed = seed, steps = steps, env = { id = "CartPole-v1", time_limit = 500 },
    algorithm = { name = "TRPO", delta = cell.params["algorithm.delta"] or 0.01,
      gamma = cell.params["algorithm.gamma"] or 0.99 },
  })
  write(dir .. "/progress.csv", progress(score, o.iterations, steps))
  write_json(dir .. "/status.json", { status = status, iterations = o.iterations, steps = steps, seconds = 1.5 })
end

-- a claim of this process, which is alive, or of one that is gone
local function write_claim(dir, key, alive)
  local held = assert(claims.open(dir))
  local claim = assert(held:take(key))
  if alive then return end
  local path = held:file(key, claim.attempt)
  local text = assert(core.file.read(path))
  write(path, (text:gsub('"start":%d+', '"start":1')))
end

-- one trial, as far as it has come
local function write_trial(dir, o, index, cell, i, rung)
  local id, seed = cell.ids[i], o.seeds[i]
  local status = o.status(index, seed, rung)
  local key = o.halving and ("%s-r%d"):format(id, rung) or id
  if status == "waiting" then return end
  local place = dir .. "/trials/" .. id
  make(place)
  write_claim(dir, key, status == "running")
  write_json(place .. "/trial.json", { id = id, cell = index, params = cell.params, seed = seed, rung = rung })
  write(place .. "/output.txt", "trained\n")
  local score = o.score(cell.params, seed, rung)
  write_run(place, o, cell, seed, status, score, o.halving and o.halving.rungs[rung] or o.steps)
  if status == "running" then return end
  local result = {
    status = status, seconds = 1.5, host = "here", pid = 1, attempt = 1,
    metrics = status == "done" and { [o.metric.name] = score, ["time/total_timesteps"] = o.steps } or {},
    metric = status == "done" and score or nil,
    message = status == "failed" and "it went wrong" or nil, code = status == "failed" and "error" or nil,
  }
  write_json(place .. "/result.json", result)
  if o.halving then write_json(("%s/result-r%d.json"):format(place, rung), result) end
end

--- Writes a sweep's folder.
-- @tparam string dir is made
-- @tparam[opt] table opts `parameters` = list of { path, name, values } (delta × gamma, 2 × 3), `seeds` (a list; 1, 2, 3),
--   `metric` { name, goal }, `score` = function(params, seed, rung) → number, `status` = function(cell, seed, rung) →
--   "done" (default), "failed", "running" or "waiting", `iterations` 5, `steps` 10000, `name`, `kind`, `method`,
--   `halving` { rungs, factor, ... } (results are written for every rung that `status` names)
-- @treturn table the description in sweep.json
function sweep_folder.write(dir, opts)
  local o = {
    parameters = {
      { path = "algorithm.delta", name = "delta", values = { 0.001, 0.01 } },
      { path = "algorithm.gamma", name = "gamma", values = { 0.9, 0.99, 0.999 } },
    },
    seeds = { 1, 2, 3 }, metric = { name = "eval/mean_reward", goal = "maximize" }, iterations = 5, steps = 10000,
    name = dir:match "[^/]+$", kind = "experiment", method = "grid",
    status = function(_, _, rung) return rung == 1 and "done" or "waiting" end,
    -- the best cell is delta = 0.01, gamma = 0.99
    score = function(params, seed)
      local delta, gamma = params["algorithm.delta"] or 0.01, params["algorithm.gamma"] or 0.99
      return 200 + 10000 * math.min(delta, 0.01) - 1000 * math.abs(gamma - 0.99) + seed
    end,
  }
  for key, value in pairs(opts or {}) do o[key] = value end
  make(dir)
  local cells = cells_of(o.parameters, o.seeds)
  local description = {
    format = 1, name = o.name, kind = o.kind, method = o.method, parameters = o.parameters, seeds = o.seeds,
    metric = o.metric, cells = cells, halving = o.halving, files = { ["examples/cartpole.lua"] = ("0"):rep(64) },
    config = o.kind == "experiment" and { env = { id = "CartPole-v1" }, steps = o.steps } or nil,
    system = { isa = "avx2", blas = "OpenBLAS", version = "0.1.0" },
  }
  write_json(dir .. "/sweep.json", description)
  for rung = 1, o.halving and #o.halving.rungs or 1 do
    for index, cell in ipairs(cells) do
      for i in ipairs(o.seeds) do write_trial(dir, o, index, cell, i, rung) end
    end
  end
  return description
end

return sweep_folder
