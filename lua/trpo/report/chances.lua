--- How certain it is that the best cell is the best: the probability that it beats each other one, with its interval.
-- @module trpo.report.chances
local html = require "trpo.report.html"
local model = require "trpo.report.model"
local trpo = require "trpo"

local chances = {}

local fill = html.fill

-- most cells that are shown as bars; all have their number in the table
local MOST = 20

-- the other cells with a probability, the closest rivals first
local function rivals(m)
  local list, rank = {}, {}
  for i, cell in ipairs(model.ranked(m)) do
    rank[cell] = i
    if cell ~= m.best and html.is_finite(cell.probability) then list[#list + 1] = cell end
  end
  table.sort(list, function(a, b)
    if a.probability ~= b.probability then return a.probability < b.probability end
    return rank[a] < rank[b]
  end)
  return list
end

-- the ends of the interval of a rival's probability, in percent
local function interval(m, cell)
  local sign = m.maximize and 1 or -1
  local _, low, high = trpo.stats.probability_of_improvement(m.best.row.scores * sign, cell.row.scores * sign, {})
  return 100 * low, 100 * high
end

-- a bar with its interval
local function bar(m, cell)
  local low, high = interval(m, cell)
  return fill([[
<li><span>$label</span><span class="track"><i style="width:$width%"></i><u style="left:$low%;width:$wide%"></u></span>
<b>$text <small>$range</small></b></li>]], {
    label = cell.label, width = ("%.1f"):format(100 * cell.probability), low = ("%.1f"):format(low),
    wide = ("%.1f"):format(high - low), text = html.percent(cell.probability),
    range = ("%.0f to %.0f"):format(low, high),
  })
end

local function body(m)
  local list = rivals(m)
  if m.best and m.best.row.n == 1 then
    return [[<p class="hint">The best cell has a single result: too little to tell luck from merit.</p>]]
  end
  if #list == 0 then
    return m.description.halving and m.best
      and [[<p class="hint">No other cell has been trained for as long as the best one.</p>]]
      or [[<p class="hint">There are not two cells with finished trials to compare.</p>]]
  end
  local items = {}
  for i = 1, math.min(#list, MOST) do items[i] = bar(m, list[i]) end
  return fill([[
<p class="hint">How likely one more trial of the best cell ($best) beats one of another cell: 50 %, at the line, is no
difference, 100 % is always. Thin lines are 95 % intervals of the bootstrap, too narrow where seeds are few.
$more$halving</p>
<ol class="chances">$!items</ol>]], {
    best = m.best.label, items = table.concat(items),
    more = #list > MOST and ("These are its %d closest rivals; the table of cells has all."):format(MOST)
      or "Closest rivals come first.",
    halving = m.description.halving and " Cells that were stopped earlier are not compared." or "",
  })
end

--- The section about the best cell against each other one.
-- @tparam Model m
-- @treturn string HTML
function chances.section(m)
  return fill([[
<section id="chances" aria-labelledby="chances-title">
<h2 id="chances-title">How certain the best cell is</h2>
$!body
</section>
]], { body = body(m) })
end

return chances
