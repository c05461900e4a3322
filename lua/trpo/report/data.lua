--- What the script of the page works on, as one JSON text.
-- @module trpo.report.data
local html = require "trpo.report.html"
local json = require "trpo.json"
local model = require "trpo.report.model"

local data = {}

-- a number with as many digits as a picture can show; null when it is not finite
local function rounded(x, digits)
  if not html.is_finite(x) then return json.null end
  return tonumber(("%." .. (digits or 6) .. "g"):format(x))
end

local function rounded_list(list)
  local out = json.list {}
  for i, x in ipairs(list) do out[i] = rounded(x, 5) end
  return out
end

-- a list of any length
local function copied(list)
  local out = json.list {}
  for i, entry in ipairs(list) do out[i] = entry end
  return out
end

-- names of parameters that are told apart
local function parameter(p)
  return {
    name = p.name, values = copied(p.texts), numbers = p.numeric and copied(p.values) or nil,
    logarithmic = p.logarithmic, listed = p.listed,
  }
end

local function cell(m, c)
  local at, scores, formats = json.list {}, json.list {}, m.formats
  for i, p in ipairs(m.parameters) do at[i] = model.place(p, c.params) - 1 end
  for i, x in ipairs(c.scores) do scores[i] = formats.metric(x) end
  return {
    index = c.index - 1, label = c.label, at = at, n = c.row.n, failed = c.row.failed, total = c.total, scores = scores,
    steps = m.description.halving and c.row.steps and ("%.0f"):format(c.row.steps) or nil,
    iqm = rounded(c.row.iqm, 12), mean = rounded(c.row.mean, 12), low = rounded(c.row.low), high = rounded(c.row.high),
    text = {
      iqm = formats.iqm(c.row.iqm), low = formats.low(c.row.low), high = formats.high(c.row.high),
      short = formats.short(c.row.iqm),
    },
  }
end

-- curves by cell: a list with null where there is none
local function family(f, cells)
  local out = json.list {}
  for i = 1, cells do
    local curve = f.cells[i]
    out[i] = curve and {
      x = rounded_list(curve.steps), y = rounded_list(curve.iqm), low = rounded_list(curve.low),
      high = rounded_list(curve.high), n = curve.n,
    } or json.null
  end
  return { name = f.name, cells = out }
end

-- the two parameters of the map: delta to the right and gamma upwards, or else the first ones
local function axes(m)
  local by_name = {}
  for i, p in ipairs(m.parameters) do by_name[p.path:match "[^.]+$" or p.path] = i end
  local x = by_name.delta or by_name.gamma ~= 1 and 1 or 2
  if not m.parameters[x] then x = 1 end
  local y = by_name.gamma ~= x and by_name.gamma or nil
  if not y then
    for i in ipairs(m.parameters) do
      if i ~= x then
        y = i
        break
      end
    end
  end
  return { x = m.parameters[x] and x - 1 or -1, y = y and y - 1 or -1 }
end

--- The data of a page.
-- @tparam Model m
-- @tparam {table,...} curves { name, cells = curves by index of the cell }
-- @treturn string JSON that may stand in a `<script>` element
function data.of(m, curves)
  local out = {
    metric = m.metric, maximize = m.maximize, best = m.best and m.best.index - 1 or -1, axes = axes(m),
    parameters = json.list {}, cells = json.list {}, curves = json.list {},
  }
  for i, p in ipairs(m.parameters) do out.parameters[i] = parameter(p) end
  for i, c in ipairs(m.cells) do out.cells[i] = cell(m, c) end
  for i, f in ipairs(curves) do out.curves[i] = family(f, #m.cells) end
  return html.json(out)
end

return data
