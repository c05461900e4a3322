--- Pictures of values and policies; what draws them is loaded with the first one.
-- @submodule trpo.mdp
local blame = require "trpo.blame"
local core = require "trpo.core"
local options = require "trpo.options"
local spelling = require "trpo.spelling"

local Tensor = getmetatable(core.zeros(1))

local KEYS = { "V", "policy", "title" }

-- a tensor of the right size as a list, or nil and one sentence
local function list_of(what, name, t, ...)
  if type(t) ~= "userdata" or getmetatable(t) ~= Tensor then
    return nil, ("%s: %s must be a tensor, got %s"):format(what, name, options.describe(t))
  end
  local sizes, right = { ... }, t:dim() == select("#", ...)
  for d, n in ipairs(sizes) do right = right and t:size(d) == n end
  if right then return t:totable() end
  local got = {}
  for d = 1, t:dim() do got[d] = t:size(d) end
  return nil, ("%s: %s must have size [%s], got [%s]"):format(what, name, table.concat(sizes, ", "),
    table.concat(got, ", "))
end

-- what is to be drawn, with lists for tensors; or nil and one sentence
local function read(what, mdp, given)
  if type(given) ~= "table" then
    return nil, ("%s: options must be a table, got %s"):format(what, options.describe(given))
  end
  local unknown = spelling.unknown(given, KEYS)
  if unknown then return nil, what .. ": " .. unknown end
  if given.V == nil and given.policy == nil then return nil, what .. ": there must be V, policy or both" end
  if given.title ~= nil and type(given.title) ~= "string" then
    return nil, ("%s: title must be a string, got %s"):format(what, options.describe(given.title))
  end
  local made, message = { title = given.title }, nil
  if given.V ~= nil then made.V, message = list_of(what, "V", given.V, mdp.S) end
  if not message and given.policy ~= nil then
    made.policy, message = list_of(what, "policy", given.policy, mdp.S, mdp.A)
  end
  if message then return nil, message end
  return made
end

local function plot_mdp(mdp, file, given)
  local what = "mdp:plot"
  if not core.mdp.is_mdp(mdp) then blame(what .. ": mdp must be a trpo.Mdp, got " .. options.describe(mdp)) end
  local plot = require "trpo.plot"
  local format, message = plot.format(what, file)
  local picture
  if format then picture, message = read(what, mdp, given) end
  if not picture then blame(message) end
  if format == "-" or format == "txt" then
    local text = require "trpo.mdp.text"
    local shown = text.board(mdp, picture) or not picture.V and text.table(mdp, picture)
    if shown then return plot.write(file, (given.title and given.title .. "\n" or "") .. shown) end
  end
  return plot.draw(file, require("trpo.mdp.pictures").of(mdp, picture))
end

return function(mdp)

--- Draws values and a policy: a grid world as a board with values as colours and actions as arrows (an arrow's length
-- is the probability, relative to the most probable action's), another process as curves over its states. Needs
-- gnuplot.
-- @function Mdp:plot
-- @tparam string file ends in `.svg`, `.png` or `.pdf`; `.txt` and `-`, the standard output, are written in letters
-- @tparam table options `V` [S], `policy` [S, A], one of them at least; `title`
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "no_gnuplot", "gnuplot", "no_file", "io"
-- @raise on other endings, sizes and options
-- @usage local star = mdp:solve()
-- assert(mdp:plot("lake.svg", { V = star.V, policy = star.policy, title = "FrozenLake" }))
mdp.methods.plot = plot_mdp

function mdp.plot_improvement(...) return require("trpo.mdp.curves").plot_improvement(...) end

end
