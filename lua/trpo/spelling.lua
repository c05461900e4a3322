--- Guesses what a misspelt name was meant to be.
-- @module trpo.spelling
local core = require "trpo.core"

local spelling = {}

--- The nearest of some words, ignoring case; what other libraries call by that name; or the only one that begins so.
-- @function nearest
-- @tparam string word what was written
-- @tparam {string,...} words what exists
-- @treturn string|nil the nearest word; nil when none is near
spelling.nearest = core.suggest

--- The end of an error message about an unknown name.
-- @tparam string word what was written
-- @tparam {string,...} words what exists
-- @treturn string `", did you mean 'x'?"`, or an empty string when nothing is near
function spelling.hint(word, words)
  local nearest = spelling.nearest(word, words)
  return nearest and (", did you mean '%s'?"):format(nearest) or ""
end

--- What is wrong with the keys of an option table.
-- @tparam table options
-- @tparam {string,...} keys the known ones
-- @treturn string|nil `"unknown option 'x', did you mean 'y'?"` or with a list of all, nil when all are known
function spelling.unknown(options, keys)
  for key in pairs(options) do
    local known = false
    for _, name in ipairs(keys) do known = known or key == name end
    if not known then
      local hint = spelling.hint(tostring(key), keys)
      return ("unknown option '%s'%s"):format(tostring(key), hint ~= "" and hint or "; there is "
        .. table.concat(keys, ", "))
    end
  end
end

return spelling
