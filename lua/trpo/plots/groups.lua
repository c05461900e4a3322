--- Which runs belong to one curve, and that curve: the interquartile mean over the runs with a bootstrap band.
-- @module trpo.plots.groups
local progress = require "trpo.progress"
local runs = require "trpo.runs"
local spelling = require "trpo.spelling"
local trpo = require "trpo"
local wording = require "trpo.plots.wording"

local groups = {}

-- ---- parameters that differ --------------------------------------------------------------------

-- what does not change what is learnt, or is different in every run
local apart = {
  seed = true, name = true, dir = true, overwrite = true, resume = true, threads = true, steps = true, script = true,
}

local function is_apart(path)
  return apart[path] or path:find "^system%." or path:find "^evaluation%." or path:find "^checkpoint%."
end

-- whether two runs show different values of a parameter
local function differs(list, path)
  for i = 2, #list do
    if list[i].parameters[path] ~= list[1].parameters[path] then return true end
  end
  return false
end

-- the environment first, then the algorithm, then the others
local function rank(path)
  return path:find "^env%." and 1 or path == "algorithm.name" and 2 or path:find "^algorithm%." and 3 or 4
end

local function sorted_paths(list)
  local seen, paths = {}, {}
  for _, run in ipairs(list) do
    for path in pairs(run.parameters) do
      if not seen[path] then paths[#paths + 1], seen[path] = path, true end
    end
  end
  table.sort(paths, function(a, b)
    if rank(a) ~= rank(b) then return rank(a) < rank(b) end
    return a < b
  end)
  return paths
end

-- the value of a parameter as a text
local function value_of(run, path)
  if path == "name" then return run.name end
  local value = run.parameters[path]
  return value == nil and "none" or runs.text(value)
end

local function key_of(run, paths)
  local words = {}
  for i, path in ipairs(paths) do words[i] = value_of(run, path) end
  return table.concat(words, "\0")
end

local function count_keys(list, paths)
  local seen, n = {}, 0
  for _, run in ipairs(list) do
    local key = key_of(run, paths)
    if not seen[key] then n, seen[key] = n + 1, true end
  end
  return n
end

-- the first of some paths that tell all groups apart: a time limit says nothing new beside its environment
local function without_followers(list, paths)
  if #paths <= 2 then return paths end
  local kept, n = {}, 1
  for _, path in ipairs(paths) do
    kept[#kept + 1] = path
    local more = count_keys(list, kept)
    if more == n then kept[#kept] = nil end
    n = more
  end
  return kept
end

-- the parameters by which runs fall into groups, nobody having named any
local function differing(list)
  local paths = {}
  for _, path in ipairs(sorted_paths(list)) do
    if not is_apart(path) and differs(list, path) then paths[#paths + 1] = path end
  end
  return without_followers(list, paths)
end

local function bare(path) return path:match "[^.]+$" end

-- the parameter that a name means; or nil and one sentence
local function resolve(list, name)
  if name == "name" then return name end
  local paths, same, names = sorted_paths(list), {}, { "name" }
  for _, path in ipairs(paths) do
    if path == name or path == name .. ".id" then return path end
    if bare(path) == name and not path:find "^system%." then same[#same + 1] = path end
    names[#names + 1] = path
    names[#names + 1] = bare(path)
  end
  -- of several the one that is different in these runs is meant
  if #same > 1 then
    local different = {}
    for _, path in ipairs(same) do different[#different + 1] = differs(list, path) and path or nil end
    same = #different == 1 and different or same
  end
  if #same == 1 then return same[1] end
  if #same > 1 then
    return nil, ("parameter '%s' is ambiguous: write '%s'"):format(name, table.concat(same, "' or '"))
  end
  return nil, ("no run has a parameter '%s'%s"):format(name, spelling.hint(name, names))
end

--- Short names of parameters: the last part of the path where that is clear.
-- @tparam {string,...} paths
-- @treturn {string,...}
function groups.names(paths)
  local same, names = {}, {}
  for _, path in ipairs(paths) do same[bare(path)] = (same[bare(path)] or 0) + 1 end
  for i, path in ipairs(paths) do
    names[i] = same[bare(path)] == 1 and bare(path) or path
    if bare(path) == "id" or path == "algorithm.name" then names[i] = path:match "^[^.]+" end
  end
  return names
end

-- ---- groups ------------------------------------------------------------------------------------

-- numbers by size, texts behind them
local function before(a, b)
  local x, y = tonumber(a), tonumber(b)
  if x and y then return x < y end
  if x or y then return x ~= nil end
  return a < b
end

local function compare(a, b)
  for i, value in ipairs(a.values) do
    if value ~= b.values[i] then return before(value, b.values[i]) end
  end
  return false
end

-- runs of nobody's parameters go by the names of their folders
local function nameless(list)
  for _, run in ipairs(list) do
    if next(run.parameters) == nil then return true end
  end
  return false
end

-- the values of the nth parameter as they are shown: numbers as short as tells them apart
local function shown_values(list, n)
  local texts, numbers = {}, {}
  for i, group in ipairs(list) do
    texts[i] = group.values[n]
    numbers[i] = texts[i]:find "^%-?%d" and math.abs(tonumber(texts[i]) or math.huge) < math.huge and tonumber(texts[i])
      or nil
  end
  return #numbers == #list and wording.texts(numbers) or texts
end

-- labels such as "delta=0.01 gamma=0.99"
local function add_labels(list, paths)
  local words = {}
  for k in ipairs(list) do words[k] = {} end
  for n, path in ipairs(paths) do
    for k, text in ipairs(shown_values(list, n)) do
      words[k][n] = path == "name" and list[k].values[n] or list.names[n] .. "=" .. text
    end
  end
  for k, group in ipairs(list) do group.label = table.concat(words[k], " ") end
end

--- The groups of some runs.
-- @tparam table list runs
-- @tparam[opt] {string,...} by parameters; without it all that differ, but for the seed
-- @treturn table|nil list of { `label`, `values` = texts, `runs` }, ordered by the values; `names` of the parameters
-- @treturn string|nil one sentence
function groups.of(list, by)
  local paths = {}
  for i, name in ipairs(by or {}) do
    local path, message = resolve(list, name)
    if not path then return nil, message end
    paths[i] = path
  end
  if not by then paths = nameless(list) and #list > 1 and { "name" } or differing(list) end
  local out, known = { names = groups.names(paths) }, {}
  for _, run in ipairs(list) do
    local key = key_of(run, paths)
    if not known[key] then
      local values = {}
      for i, path in ipairs(paths) do values[i] = value_of(run, path) end
      known[key] = { values = values, runs = {} }
      out[#out + 1] = known[key]
    end
    table.insert(known[key].runs, run)
  end
  add_labels(out, paths)
  table.sort(out, compare)
  return out
end

-- what two runs share that do the same: the parameters that matter, and the seed; nil where no seed is known
local function identity_of(run)
  if run.parameters.seed == nil then return nil end
  local words = { runs.text(run.parameters.seed) }
  for _, path in ipairs(sorted_paths { run }) do
    if not is_apart(path) then words[#words + 1] = path .. "=" .. value_of(run, path) end
  end
  return table.concat(words, "\0")
end

-- the runs of a group, of the same ones the longest; the names of the others
local function without_repeats(list)
  local kept, places, names = {}, {}, {}
  for _, run in ipairs(list) do
    local identity = identity_of(run)
    local place = identity and places[identity]
    if not place then
      kept[#kept + 1] = run
      if identity then places[identity] = #kept end
    elseif run.rows > kept[place].rows then
      names[#names + 1], kept[place] = kept[place].name, run
    else
      names[#names + 1] = run.name
    end
  end
  return kept, names
end

--- Leaves out runs that have the parameters and the seed of another one in their group: they are the same run again,
-- and would make its interval narrower than it is.
-- @tparam table list groups, whose `runs` are changed
-- @treturn string|nil one sentence when there were such
function groups.drop_repeats(list)
  local names = {}
  for _, group in ipairs(list) do
    local repeated
    group.runs, repeated = without_repeats(group.runs)
    for _, name in ipairs(repeated) do names[#names + 1] = name end
  end
  if #names == 0 then return nil end
  local more = #names > 5 and (" and %d more"):format(#names - 5) or ""
  return ("%s with the parameters and the seed of another one %s not count: %s%s"):format(progress.count(#names, "run"),
    #names == 1 and "does" or "do", table.concat(names, ", ", 1, math.min(#names, 5)), more)
end

-- ---- curves ------------------------------------------------------------------------------------

--- The most points of a curve that have marks: more of them are a thick line.
groups.MARKED = 30

-- points of a curve that is shown as it is, and of one that stands for several runs
local MOST, POINTS = 2000, 200

-- every so manieth number of a tensor, the last one included
local function thinned(t, most)
  local list = t:totable()
  if #list <= most then return list end
  local out, stride = {}, (#list - 1) / (most - 1)
  for i = 1, most do out[i] = list[math.floor((i - 1) * stride + 0.5) + 1] end
  return out
end

-- whether all curves have the same steps
local function all_same(curves)
  local first = curves[1][1]
  for i = 2, #curves do
    local other = curves[i][1]
    if other:size(1) ~= first:size(1) or (other - first):abs():max() > 0 then return false end
  end
  return true
end

local function picked(list, places)
  local out = {}
  for i, place in ipairs(places) do out[i] = list[place] end
  return out
end

-- places with at least so many runs
local function places_with(n, fewest)
  local kept = {}
  for i, count in ipairs(n) do
    if count >= fewest then kept[#kept + 1] = i end
  end
  return kept
end

-- The curve of several runs, as far as at least half of them go: what a few runs did that were longer than the others
-- is no curve of the group. Over time they all end at different places: there it goes as far as all of them do, for it
-- would jump where one ends, but not when one ended long before the others.
local function band(curves, over_time)
  local options = { curves = curves }
  if all_same(curves) then
    -- where all runs have their numbers, nothing need be interpolated
    options.grid = trpo.tensor(thinned(curves[1][1], POINTS))
  else
    options.points = POINTS
  end
  local made = trpo.stats.curve(options)
  local n, most = made.n:totable(), made.n:max()
  local kept = places_with(n, math.min(most, math.ceil(#curves / 2)))
  local common = over_time and places_with(n, #curves) or {}
  if 2 * #common >= #kept then kept = common end
  local out = { n = picked(n, kept) }
  for name, field in pairs { x = "steps", y = "iqm", low = "low", high = "high" } do
    out[name] = picked(made[field]:totable(), kept)
  end
  -- one run says nothing about others
  for i, count in ipairs(out.n) do
    if count == 1 then out.low[i], out.high[i] = 0 / 0, 0 / 0 end
  end
  return out
end

--- The curve of a group.
-- @tparam table group
-- @tparam string x name of a column
-- @tparam string y name of a column
-- @treturn table|nil lists `x`, `y` and, of several runs, `low`, `high` (NaN where only one of them is), `n`; `count` =
--   runs that have numbers, `sparse`: whether its points have marks, as few rows do; nil when no run has any yet
-- @treturn string|nil one sentence
-- @treturn string|nil "empty" when there is nothing wrong but that
function groups.curve(group, x, y)
  local curves, empty, few = {}, nil, false
  for _, run in ipairs(group.runs) do
    local a, b, why = runs.pairs(run, x, y)
    if a then
      curves[#curves + 1] = { a, b }
      few = few or a:size(1) < 0.6 * run.rows
    elseif why ~= "empty" then
      return nil, b
    else
      empty = b
    end
  end
  if #curves == 0 then return nil, empty, "empty" end
  local made = #curves > 1 and band(curves, x == "time/time_elapsed")
    or { x = thinned(curves[1][1], MOST), y = thinned(curves[1][2], MOST) }
  made.count, made.sparse = #curves, (few or #made.x == 1) and #made.x <= groups.MARKED
  return made
end

--- What a block of data holds of a curve: x, y, and of several runs the ends of the band.
-- @tparam table curve
-- @tparam number divisor of x
-- @treturn {table,...} rows
function groups.rows(curve, divisor)
  local rows = {}
  for i, x in ipairs(curve.x) do
    rows[i] = { x / divisor, curve.y[i], curve.low and curve.low[i] or curve.y[i],
      curve.high and curve.high[i] or curve.y[i] }
  end
  return rows
end

--- The largest x of some curves.
-- @tparam table list curves
-- @treturn number
function groups.reach(list)
  local high = 0
  for _, curve in ipairs(list) do
    for _, x in ipairs(curve.x) do high = math.max(high, x) end
  end
  return high
end

--- The smallest and the largest number of some curves and their bands.
-- @tparam table list curves
-- @treturn number
-- @treturn number
function groups.extent(list)
  local low, high = math.huge, -math.huge
  for _, curve in ipairs(list) do
    for _, numbers in ipairs { curve.y, curve.low or {}, curve.high or {} } do
      for _, y in ipairs(numbers) do
        if y < low then low = y end
        if y > high then high = y end
      end
    end
  end
  return low, high
end

--- What the numbers of a group's curve are, in words.
-- @tparam table list curves
-- @treturn string|nil nil when each is one run
function groups.told(list)
  local low, high = math.huge, 0
  for _, curve in ipairs(list) do
    low, high = math.min(low, curve.count), math.max(high, curve.count)
    -- not all go as far as the curve does
    for _, n in ipairs(curve.n or {}) do low = math.min(low, n) end
  end
  if high == 1 then return nil end
  local many = low == high and progress.count(high, "run") or ("%d to %d runs"):format(low, high)
  return ("interquartile mean and 95 %% bootstrap interval of %s"):format(many .. (#list > 1 and " each" or ""))
end

return groups
