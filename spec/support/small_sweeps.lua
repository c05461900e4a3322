--- Sweeps that are described in a folder of a spec's own and not run.
local command = require "support.command"
local trpo = require "trpo"

local small_sweeps = {}

--- An experiment that sweeps vary: the text of its script.
small_sweeps.script = [[
local trpo = require "trpo"
return trpo.experiment { env = "CartPole-v1", steps = 2048, dir = "elsewhere" }:main(...)
]]

--- Makes the folder, with that script as `cartpole.lua`.
function small_sweeps.folder()
  local scratch = command.scratch()
  command.write(scratch .. "/cartpole.lua", small_sweeps.script)
  return scratch
end

local function sweep(options, changes)
  for key, value in pairs(changes or {}) do options[key] = value end
  return trpo.sweep(options)
end

--- A sweep of the experiment over delta, with changes.
function small_sweeps.of_experiment(scratch, changes)
  return sweep({ experiment = scratch .. "/cartpole.lua", parameters = { delta = { 0.001, 0.01 } },
    dir = scratch .. "/sweeps", name = "a" }, changes)
end

--- A sweep of a function, with changes.
function small_sweeps.of_function(scratch, changes)
  return sweep({ run = function() return { metric = 1 } end, parameters = { a = { 1, 2 } },
    dir = scratch .. "/sweeps", name = "f" }, changes)
end

--- The values of one parameter, cell by cell.
function small_sweeps.values(described, path)
  local out = {}
  for i, cell in ipairs(described:describe().cells) do out[i] = cell.params[path] end
  return out
end

return small_sweeps
