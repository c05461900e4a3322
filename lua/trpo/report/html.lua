--- Pieces of HTML: templates that escape what is put into them, and numbers as people read them.
-- @module trpo.report.html
local json = require "trpo.json"

local html = {}

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

--- A text as HTML shows it: nothing in it is markup, inside and outside of attributes.
-- @tparam string text any bytes; those that are not UTF-8 stand for the code point of the same number
-- @treturn string
function html.escape(text)
  text = tostring(text)
  -- what the encoder writes is UTF-8, so what is read back is, too
  if text:find "[\128-\255]" then text = json.decode(json.encode(text)) end
  return (text:gsub("[%z\1-\8\11\12\14-\31\127]", "\239\191\189"):gsub("[&<>\"']", entities))
end

--- Fills in a template.
-- @tparam string template `$name` stands for a value as escaped text, `$!name` for one that is HTML already
-- @tparam table values by name; every name of the template must be there
-- @treturn string HTML
function html.fill(template, values)
  return (template:gsub("%$(!?)(%a[%w_]*)", function(raw, name)
    local value = values[name]
    if value == nil then error(("report: the template has no value for '%s'"):format(name), 2) end
    return raw == "!" and tostring(value) or html.escape(value)
  end))
end

--- Fills in a template for each entry of a list.
-- @tparam string template
-- @tparam {table,...} list values by name
-- @treturn string HTML
function html.each(template, list)
  local parts = {}
  for i, values in ipairs(list) do parts[i] = html.fill(template, values) end
  return table.concat(parts)
end

--- A value as JSON that may stand inside a `<script>` element.
-- @tparam table value
-- @treturn string
function html.json(value)
  return (json.encode(value):gsub("[<>&]", function(c) return ("\\u%04x"):format(c:byte()) end))
end

--- Whether a value is a number that is neither NaN nor infinite.
-- @param x anything
-- @treturn boolean
function html.is_finite(x) return type(x) == "number" and x == x and x < math.huge and x > -math.huge end

--- What is written where there is no number.
html.missing = "–"

-- a minus sign as wide as a digit
local function with_minus(text) return (text:gsub("^%-", "−"):gsub("e%-", "e−")) end

-- a number that no format of a column is for
local function special(x)
  if type(x) ~= "number" then return html.missing end
  if x ~= x then return "NaN" end
  return x > 0 and "∞" or "−∞"
end

--- How a column of numbers is written: all with the same number of decimals, so that their points stand in one line.
-- @tparam {number,...} list the numbers; what is missing or not finite has no say
-- @tparam[opt=4] number digits of the largest number
-- @treturn function(number|nil) → string
function html.column(list, digits)
  local largest, smallest, whole = 0, math.huge, true
  for _, x in ipairs(list) do
    if html.is_finite(x) then
      local size = math.abs(x)
      largest = math.max(largest, size)
      if size > 0 then smallest = math.min(smallest, size) end
      whole = whole and x == math.floor(x)
    end
  end
  local places = (digits or 4) - 1 - math.floor(math.log10(math.max(largest, 1e-300)))
  local format = ("%%.%df"):format(whole and 0 or math.max(places, 0))
  -- sizes too far apart for one number of decimals
  if largest >= 1e7 or largest > 0 and (largest < 1e-3 or smallest < largest * 1e-6) then format = "%.4g" end
  return function(x)
    if not html.is_finite(x) then return special(x) end
    local text = format:format(x)
    return with_minus(text:find "^%-0%.?0*$" and text:sub(2) or text)
  end
end

--- A share in whole percent.
-- @tparam number p
-- @treturn string e.g. `67 %`
function html.percent(p) return html.is_finite(p) and ("%.0f %%"):format(100 * p) or html.missing end

--- A duration in the two units that say most.
-- @tparam number seconds
-- @treturn string e.g. `1.5 s`, `2 min 5 s`, `3 h 20 min`
function html.duration(seconds)
  if not html.is_finite(seconds) then return html.missing end
  if seconds < 60 then return ("%.1f s"):format(seconds) end
  local whole = math.floor(seconds + 0.5)
  if whole < 3600 then return ("%d min %d s"):format(math.floor(whole / 60), whole % 60) end
  local minutes = math.floor(whole / 60 + 0.5)
  if minutes < 48 * 60 then return ("%d h %d min"):format(math.floor(minutes / 60), minutes % 60) end
  return ("%.1f days"):format(minutes / 1440)
end

--- A count with its noun.
-- @tparam number n
-- @tparam string noun
-- @treturn string e.g. `1 trial`, `2 trials`, `1,000 trials`
function html.count(n, noun)
  local text = ("%d"):format(n)
  repeat
    local more
    text, more = text:gsub("^(%-?%d+)(%d%d%d)", "%1,%2")
  until more == 0
  return ("%s %s%s"):format(text, noun, n == 1 and "" or "s")
end

return html
