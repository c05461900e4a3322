--- Tells what is wrong with an environment, in one sentence each.
-- @module trpo.check_env
local core = require "trpo.core"
local env = require "trpo.env"
local make = require "trpo.make"

local STEPS, REPLAY, SEED = 300, 40, 12345

-- ---- what was found, each sentence once -----------------------------------------------------------------

-- what was found; prints as one line each, so that assert(trpo.check_env(def)) tells
local Problems = { __tostring = function(list) return table.concat(list, "\n") end }

local Report = {}
Report.__index = Report

-- the id is what every sentence begins with
local function new_report(id)
  return setmetatable({ id = id, counts = {}, list = setmetatable({}, Problems), notes = setmetatable({}, Problems) },
    Report)
end

local function append(self, list, sentence)
  if sentence:sub(1, #self.id + 2) ~= self.id .. ": " then sentence = self.id .. ": " .. sentence end
  for _, other in ipairs(list) do
    if other == sentence then return end
  end
  list[#list + 1] = sentence
end

function Report:add(format, ...) append(self, self.list, format:format(...)) end

-- what is worth knowing and not wrong
function Report:note(format, ...) append(self, self.notes, format:format(...)) end

-- something that may happen often: told once per kind, with what came first; tell_counts writes the sentences
function Report:count(kind, where, sentence)
  local found = self.counts[kind]
  if not found then
    found = { where = where, sentence = sentence, times = 0 }
    self.counts[kind] = found
    self.counts[#self.counts + 1] = found
  end
  found.times = found.times + 1
end

function Report:tell_counts()
  for _, found in ipairs(self.counts) do
    self:add("%s (%s%s)", found.sentence, found.times > 1 and "first at " or "at ",
      found.where .. (found.times > 1 and (", %d times"):format(found.times) or ""))
  end
  self.counts = {}
end

-- the first line of an error, without the place in our own code and the method's name
local function first_line(message)
  return (tostring(message):match("^[^\n]*"):gsub("^.-env:%a+: ", ""))
end

-- ---- the definition as it was ----------------------------------------------------------------------------

-- a copy of plain tables, to compare with later; functions and userdata stand for themselves
local function snapshot(value, seen)
  if type(value) ~= "table" then return value end
  if seen[value] then return seen[value] end
  local copy = {}
  seen[value] = copy
  for key, item in pairs(value) do copy[key] = snapshot(item, seen) end
  return copy
end

-- path of the first difference between a table and its snapshot
local function difference(now, before, path, seen)
  if type(now) ~= "table" or type(before) ~= "table" then
    return now ~= before and (now == now or before == before) and path or nil
  end
  if seen[now] then return nil end
  seen[now] = true
  for _, keys in ipairs { now, before } do
    for key in pairs(keys) do
      local inner = path == "" and tostring(key) or path .. "." .. tostring(key)
      local found = difference(rawget(now, key), before[key], inner, seen)
      if found then return found end
    end
  end
end

-- ---- trajectories ----------------------------------------------------------------------------------------

-- where an observation leaves its space, and which number does
local function outside(space, values)
  if space:contains(values) then return nil end
  if space.kind == "discrete" then return ("the observation is %g, not one of 1..%d"):format(values[1], space.n), 1 end
  for i, x in ipairs(values) do
    local low, high = space.low[i], space.high[i]
    if not (x >= low and x <= high) then
      return ("observation %d is %g, outside of [%g, %g]"):format(i, x, low, high), i
    end
  end
end

local function random_action(space, rng)
  local action = space:sample(rng)
  return space.kind == "discrete" and action or action:totable()
end

-- what a step of one lane gave as a line of exact numbers
local function line_of(values, reward, terminated, truncated)
  local words = {}
  for i, x in ipairs(values) do words[i] = ("%.17g"):format(x) end
  return ("%s | %.17g %s %s"):format(table.concat(words, " "), reward, tostring(terminated), tostring(truncated))
end

local function ignore() end

-- Random steps of a handle of one lane that has been reset; returns their lines. watch(values, begins, terminated,
-- truncated) sees the observations, those of a reset with begins = true.
local function walk(handle, steps, rng, watch)
  local lines = {}
  for i = 1, steps do
    local obs, reward, terminated, truncated = handle:step(random_action(handle.action, rng))
    local values = obs:totable()
    lines[i] = line_of(values, reward, terminated, truncated)
    watch(values, false, terminated, truncated)
    if terminated or truncated then watch(handle:reset():totable(), true) end
  end
  return lines
end

-- the walk of a new handle
local function run(what, watch)
  watch = watch or ignore
  local handle = make(what, { seed = SEED })
  watch(handle:reset():totable(), true)
  return walk(handle, STEPS, core.rng(SEED), watch), handle
end

local function first_difference(a, b)
  for i = 1, #a do
    if a[i] ~= b[i] then return i end
  end
end

-- ---- the checks ------------------------------------------------------------------------------------------

-- observations within their space, something ends, step writes observations
local function check_walk(what, handle, report)
  local space = handle.observation
  local ends, changes, quiet, last, resets, steps = 0, 0, 0, nil, 0, 0
  local function watch(values, begins, terminated, truncated)
    if begins then resets = resets + 1 else steps = steps + 1 end
    local after = begins and "reset" or "step"
    local where, which = outside(space, values)
    if where then
      report:count(after .. which, ("%s %d"):format(after, begins and resets or steps),
        ("after %s %s"):format(after, where))
    end
    if begins then
      last = values
      return
    end
    if terminated then ends = ends + 1 end
    local same = true
    for i, x in ipairs(values) do same = same and x == last[i] end
    if not same then changes = changes + 1 end
    if same and not (terminated or truncated) then quiet = quiet + 1 end
    last = values
  end
  local lines = run(what, watch)
  report:tell_counts()
  if ends == 0 and handle.time_limit == 0 then
    report:add("there is no time_limit, and none of %d random steps ended an episode: an evaluation plays whole "
      .. "episodes, so give a time_limit unless they end", STEPS)
  end
  if changes == 0 and quiet > 1 then
    report:add("step never changes the observation: fill obs[1] .. obs[%d], or return it", space.size)
  end
  return lines
end

-- the same seed twice, with math.random watched
local function check_repeats(what, report)
  local random, calls = math.random, 0
  math.random = function(...) -- luacheck: ignore 122
    calls = calls + 1
    return random(...)
  end
  local ok, first, second = pcall(function() return (run(what)), (run(what)) end)
  math.random = random -- luacheck: ignore 122
  if not ok then error(first, 0) end
  local at = first_difference(first, second)
  if at then
    report:add("the same seed gave another trajectory, first at step %d: take random numbers from rng only, and write "
      .. "x * x instead of x ^ 2, which LuaJIT rounds in two ways", at)
  end
  if calls > 0 then
    report:add("math.random was called: take random numbers from rng, so that seeds repeat runs")
  end
  return first
end

-- lane 1 does the same whether it is alone or not
local function check_lanes(what, alone, report)
  local rng = core.rng(SEED)
  local handle = make(what, { lanes = 2, seed = SEED })
  handle:reset()
  for i = 1, #alone do
    local action = random_action(handle.action, rng)
    local obs, reward, terminated, truncated = handle:step { action, action }
    if line_of(obs[1]:totable(), reward[1], terminated[1] == 1, truncated[1] == 1) ~= alone[i] then
      report:add("lanes influence each other, first at step %d: keep state in self, not in shared variables", i)
      return
    end
    for lane = 1, 2 do
      if terminated[lane] + truncated[lane] > 0 then handle:reset(lane) end
    end
  end
end

-- a saved lane goes on in a fresh handle as in the old one
local function check_save(what, report)
  local _, handle = run(what)
  local saved = handle:save(1)
  local other = make(what, { seed = SEED })
  other:restore(1, saved)
  local at = first_difference(walk(handle, REPLAY, core.rng(SEED), ignore), walk(other, REPLAY, core.rng(SEED), ignore))
  if at then report:add("save and restore do not round-trip: a restored lane differs at step %d", at) end
end

-- entries of obs that reset leaves unwritten
local function check_reset(def, report)
  local self = setmetatable({}, { __index = def })
  if def.init then def.init(self, 1) end
  local obs = core.zeros(def.observation.size):fill(0 / 0)
  if def.reset(self, core.rng(SEED), obs:ptr()) ~= nil then return end
  local missing = {}
  for i = 1, def.observation.size do
    if obs[i] ~= obs[i] then missing[#missing + 1] = i end
  end
  if #missing > 0 then report:add("reset does not fill obs[%s]", table.concat(missing, "], obs[")) end
end

local function check_action(space, report)
  if space.kind == "discrete" then return end
  for i = 1, space.size do
    if space.low[i] == -math.huge or space.high[i] == math.huge then
      report:note("action %d is unbounded: with low and high wild actions would be clipped", i)
      return
    end
  end
end

-- a check that may fail with an error, which is then a finding; returns what the check returns
local function try(report, check, ...)
  local ok, result = pcall(check, ...)
  if ok then return result end
  report:add("%s", first_line(result))
end

--- Runs resets and some hundred random steps and tells what is wrong: errors and wrong returns of `reset` and `step`,
-- observations that are not finite or outside of their space, entries that `reset` leaves unwritten, a `step` that
-- never changes the observation, episodes that never end, the same seed with another trajectory,
-- use of `math.random`, lanes that influence each other, changes of the definition itself, a `save` that does not
-- round-trip.
-- @function trpo.check_env
-- @tparam string|table what whatever `trpo.make` takes
-- @treturn boolean|nil true when nothing is wrong
-- @treturn {string,...} otherwise the sentences, one for each kind of problem, which begin with the id; `tostring`
--   gives one line each. After true: notes on what is allowed and seldom meant, such as unbounded actions, if
--   there are any
-- @raise on an unknown id
return function(what)
  local report = new_report(type(what) == "table" and type(what.id) == "string" and what.id or "environment")
  if type(what) == "table" then
    local problem = env.problem(what)
    if problem then
      report:add("%s", problem)
      return nil, report.list
    end
  elseif type(what) ~= "string" and not core.mdp.is_mdp(what) then
    error("trpo.check_env: environment must be an id, a module name, a definition or an Mdp, got " .. type(what), 2)
  end

  local ok, handle = pcall(make, what)
  if not ok and type(what) == "string" then error(handle, 0) end
  if not ok then
    report:add("%s", first_line(handle))
    return nil, report.list
  end
  report.id = handle.id
  local def = handle.definition
  local before = def and snapshot(def, {})
  check_action(handle.action, report)
  if def then try(report, check_reset, def, report) end
  if try(report, check_walk, what, handle, report) then
    local alone = try(report, check_repeats, what, report)
    if alone and #report.list == 0 then try(report, check_lanes, what, alone, report) end
    if handle.saves and #report.list == 0 then try(report, check_save, what, report) end
  end
  local changed = def and difference(def, before, "", {})
  if changed then
    report:add("an episode changed '%s' of the definition: keep state in self, with tables made in init or reset",
      changed)
  end
  if #report.list > 0 then return nil, report.list end
  if #report.notes > 0 then return true, report.notes end
  return true
end
