--- The tables of the page: cells and trials.
-- @module trpo.report.tables
local html = require "trpo.report.html"
local json = require "trpo.json"
local model = require "trpo.report.model"

local tables = {}

local fill = html.fill

-- ---- cells of a table --------------------------------------------------------------------------

-- a number for the script: what is missing is empty, infinities as JavaScript spells them
local function sort_key(x)
  if type(x) ~= "number" or x ~= x then return "" end
  if x == math.huge or x == -math.huge then return x > 0 and "Infinity" or "-Infinity" end
  return json.number(x)
end

local function number(x, format, class)
  local text, key = format(x), sort_key(x)
  if key == text then return fill([[<td class="$class">$text</td>]], { class = class or "n", text = text }) end
  return fill([[<td class="$class" data-v="$key">$text</td>]], { class = class or "n", text = text, key = key })
end

local function text(value, class)
  if value == nil then return [[<td data-v="">]] .. html.missing .. "</td>" end
  if not class then return "<td>" .. html.escape(value) .. "</td>" end
  return fill([[<td class="$class">$text</td>]], { class = class, text = value })
end

-- the first line of what a trial failed with, the others when they are asked for
local function message(whole)
  local first, rest = whole:match "^([^\n]*)\n*(.-)%s*$"
  if rest == "" then return text(first, "message") end
  return fill([[<td class="message"><details><summary>$first</summary><pre>$rest</pre></details></td>]],
    { first = first, rest = rest })
end

local function parameter(p, params)
  local value, shown = params[p.path], p.texts[model.place(p, params)]
  if p.numeric then return number(value, function() return shown end) end
  return text(shown)
end

local function whole(x) return ("%d"):format(x) end

local function steps(x) return x and ("%.0f"):format(x) or html.missing end

-- ---- tables ------------------------------------------------------------------------------------

local head = [[<th scope="col" class="$class" data-kind="$kind"$!sorted><button type="button">$title</button></th>]]

-- columns are { title, kind, sorted }
local function heads(columns)
  local list = {}
  for i, column in ipairs(columns) do
    list[i] = {
      title = column[1], kind = column[2], class = column[2] == "number" and "n" or "t",
      sorted = column[3] and fill([[ aria-sort="$way"]], { way = column[3] }) or "",
    }
  end
  return html.each(head, list)
end

local function whole_table(name, caption, columns, rows, placeholder)
  return fill([[
<div class="tools"><label for="$name-filter">Filter</label>
<input type="search" id="$name-filter" data-table="$name-table" data-output="$name-shown" placeholder="$placeholder"
 autocomplete="off" spellcheck="false"><span id="$name-shown" role="status"></span></div>
<div class="wide$!tall" role="region" aria-label="$caption" tabindex="0">
<table class="list" id="$name-table"><caption class="hidden">$caption</caption>
<thead><tr>$!heads</tr></thead>
<tbody>
$!rows
</tbody></table></div>
]], {
    name = name, caption = caption, placeholder = placeholder, heads = heads(columns), rows = table.concat(rows, "\n"),
    tall = #rows > 25 and " tall" or "",
  })
end

-- headings that are ours
local taken = {}
for _, title in ipairs { "cell", "steps", "IQM", "median", "mean", "std", "min", "max", "n", "failed", "trial", "seed",
  "rung", "status", "seconds", "host", "message" } do
  taken[title] = true
end

local function parameter_columns(m, columns)
  for _, p in ipairs(m.parameters) do
    local title = taken[p.name] and ("parameter %s"):format(p.name) or p.name
    columns[#columns + 1] = { title, p.numeric and "number" or "text" }
  end
end

-- what one may type above a table
local function example(m, otherwise)
  local p = m.parameters[1]
  return p and p.texts[1] and ("e.g. %s=%s"):format(p.name, p.texts[1]) or otherwise
end

-- ---- the cells ---------------------------------------------------------------------------------

-- whether the best cell has enough numbers to say how it compares with others
local function compares(m) return m.best and m.best.row.n > 1 end

local function cell_row(m, cell)
  local row, formats = cell.row, m.formats
  local parts = { number(cell.index, whole) }
  for _, p in ipairs(m.parameters) do parts[#parts + 1] = parameter(p, cell.params) end
  if m.description.halving then parts[#parts + 1] = number(row.steps, steps) end
  parts[#parts + 1] = number(row.iqm, formats.iqm, "n strong")
  for _, name in ipairs { "low", "high", "median", "mean", "std", "min", "max" } do
    parts[#parts + 1] = number(row[name], formats[name])
  end
  parts[#parts + 1] = number(row.n, whole)
  parts[#parts + 1] = number(row.failed, whole)
  if compares(m) then
    parts[#parts + 1] = cell == m.best and [[<td class="n" data-v=""><span class="mark">best</span></td>]]
      or number(cell.probability, html.percent)
  end
  return ("<tr%s>%s</tr>"):format(cell == m.best and ' class="best"' or "", table.concat(parts))
end

--- The section of the cells, best first.
-- @tparam Model m
-- @treturn string HTML
function tables.cells(m)
  local columns, rows = { { "cell", "number" } }, {}
  parameter_columns(m, columns)
  if m.description.halving then columns[#columns + 1] = { "steps", "number" } end
  columns[#columns + 1] = { "IQM", "number", m.best and (m.maximize and "descending" or "ascending") or nil }
  local low, high = "95\194\160% low", "95\194\160% high"
  for _, title in ipairs { low, high, "median", "mean", "std", "min", "max", "n", "failed" } do
    columns[#columns + 1] = { title, "number" }
  end
  if compares(m) then columns[#columns + 1] = { "P(best wins)", "number" } end
  for i, cell in ipairs(model.ranked(m)) do rows[i] = cell_row(m, cell) end
  return fill([[
<section id="cells" aria-labelledby="cells-title">
<h2 id="cells-title">Cells</h2>
<p class="hint">Statistics of $metric over the n trials of each cell that gave a number; the others count as failed. A
click on a heading sorts.</p>
$!table
</section>
]], {
    metric = m.metric,
    table = whole_table("cells", "Statistics of the cells", columns, rows, example(m, "words")),
  })
end

-- ---- the trials --------------------------------------------------------------------------------

local function trial_row(m, trial)
  local parts = { text(trial.id, "id"), number(trial.cell, whole) }
  for _, p in ipairs(m.parameters) do parts[#parts + 1] = parameter(p, trial.params) end
  parts[#parts + 1] = number(trial.seed, json.number)
  if m.description.halving then
    parts[#parts + 1] = number(trial.rung, whole)
    parts[#parts + 1] = number(trial.steps, steps)
  end
  parts[#parts + 1] = fill([[<td><span class="state $state">$state</span></td>]], { state = trial.status })
  parts[#parts + 1] = number(trial.metric, m.formats.metric)
  parts[#parts + 1] = number(trial.seconds, m.formats.seconds)
  parts[#parts + 1] = text(trial.host)
  if m.has_messages then
    parts[#parts + 1] = trial.message and message(trial.message) or "<td></td>"
  end
  return "<tr>" .. table.concat(parts) .. "</tr>"
end

-- trials in the order of their cells; within one as they come
local function by_cell(trials)
  local list, place = {}, {}
  for i, trial in ipairs(trials) do list[i], place[trial] = trial, i end
  table.sort(list, function(a, b)
    if a.cell ~= b.cell then return a.cell < b.cell end
    return place[a] < place[b]
  end)
  return list
end

--- The section of the trials, in the order of cells and seeds.
-- @tparam Model m
-- @treturn string HTML
function tables.trials(m)
  local columns, rows = { { "trial", "text" }, { "cell", "number" } }, {}
  parameter_columns(m, columns)
  columns[#columns + 1] = { "seed", "number" }
  if m.description.halving then
    columns[#columns + 1] = { "rung", "number" }
    columns[#columns + 1] = { "steps", "number" }
  end
  for _, title in ipairs { "status", m.metric, "seconds", "host" } do
    columns[#columns + 1] = { title, (title == "status" or title == "host") and "text" or "number" }
  end
  for _, trial in ipairs(m.trials) do m.has_messages = m.has_messages or trial.message ~= nil end
  if m.has_messages then columns[#columns + 1] = { "message", "text" } end
  for i, trial in ipairs(by_cell(m.trials)) do rows[i] = trial_row(m, trial) end
  return fill([[
<section id="trials" aria-labelledby="trials-title">
<h2 id="trials-title">Trials</h2>
<p class="hint">Each trial is a run of its own, in the folder <code>trials/</code> and its id.</p>
$!table
</section>
]], { table = whole_table("trials", "All trials", columns, rows, "e.g. status=failed") })
end

return tables
