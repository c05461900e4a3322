--- What a picture is of: the folders that were named, read as one sweep or as some runs.
-- @module trpo.plots.subject
local disk = require "trpo.disk"
local runs = require "trpo.runs"

local subject = {}

local function read_sweep(path)
  local sweep, message, code = require("trpo.sweep.results").read(path)
  if not sweep then return nil, message, code end
  return { sweep = sweep, place = path, title = sweep.name, notes = sweep.warnings }
end

-- what runs have in common, in a few words
local function title_of(list)
  if #list == 1 then return list[1].name end
  local words = {}
  for _, path in ipairs { "env.id", "algorithm.name" } do
    local same = list[1].parameters[path]
    for _, run in ipairs(list) do same = run.parameters[path] == same and same or nil end
    words[#words + 1] = same
  end
  return #words > 0 and table.concat(words, ", ") or ("%d runs"):format(#list)
end

-- the folder in which all runs stand, or their own when there is one only
local function place_of(paths)
  if #paths == 1 then return paths[1] end
  local common
  for i, path in ipairs(paths) do
    local parent = path:match "^(.*)/[^/]+$" or "."
    if i > 1 and parent ~= common then return "." end
    common = parent
  end
  return common
end

local function read_runs(paths)
  local list, notes = {}, {}
  for _, path in ipairs(paths) do
    local run, message, code = runs.read(path)
    if not run then return nil, message, code end
    if run.problem then notes[#notes + 1] = run.problem end
    if run.rows > 0 then
      list[#list + 1] = run
    else
      notes[#notes + 1] = ("%s has no complete iteration yet"):format(path)
    end
  end
  if #list == 0 then return nil, notes[#notes], "empty" end
  return { runs = list, place = place_of(paths), title = title_of(list), notes = notes }
end

-- each folder once, without slashes at the end
local function distinct(given)
  local paths, seen = {}, {}
  for _, path in ipairs(given) do
    path = disk.trimmed(path)
    if not seen[path] then paths[#paths + 1], seen[path] = path, true end
  end
  return paths
end

--- What some folders hold: one sweep, or runs.
-- @tparam {string,...} given paths
-- @treturn table|nil `sweep` (see `trpo.sweep.results`) or `runs` (see `trpo.runs`), `place` = the folder where their
--   pictures go, `title`, `notes` = list of remarks
-- @treturn string|nil one sentence
-- @treturn string|nil code: "usage", "no_file", "format", "empty"
function subject.of(given)
  local paths = distinct(given)
  for _, path in ipairs(paths) do
    local kind, message, code = runs.kind(path)
    if not kind then return nil, message, code end
    if kind == "sweep" and #paths > 1 then
      return nil, ("'%s' is a sweep: draw it alone"):format(path), "usage"
    elseif kind == "sweep" then
      return read_sweep(path)
    end
  end
  return read_runs(paths)
end

--- The runs of a subject; those of a sweep's trials have their `cell`, and the values of the sweep's parameters.
-- @tparam table made
-- @treturn table list
function subject.runs(made)
  if made.runs then return made.runs end
  local list = runs.of_trials(made.sweep.trials)
  for _, run in ipairs(list) do
    run.cell = run.trial.cell
    for path, value in pairs(run.trial.params) do run.parameters[path] = runs.text(value) end
  end
  return list
end

return subject
