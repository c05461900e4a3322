--- The head of the page: what was swept, how far it is, and which cell is the best.
-- @module trpo.report.summary
local html = require "trpo.report.html"
local model = require "trpo.report.model"
local tell = require "trpo.sweep.tell"

local summary = {}

local fill, count = html.fill, html.count

-- ---- what was swept ----------------------------------------------------------------------------

local methods = {
  grid = "A grid", random = "A random sample", sobol = "A Sobol sequence", halving = "Successive halving",
}

-- "a, b and c"
local function enumerated(parts)
  if #parts < 2 then return parts[1] or "no parameter" end
  return table.concat(parts, ", ", 1, #parts - 1) .. " and " .. parts[#parts]
end

local function environment(m)
  local config = m.description.config
  local env = type(config) == "table" and config.env
  env = type(env) == "table" and env.id or env
  return type(env) == "string" and fill(" on $env", { env = env }) or ""
end

local function lead(m)
  local names = {}
  for i, p in ipairs(m.parameters) do names[i] = fill("<strong>$name</strong>", { name = p.name }) end
  return fill([[<p class="lead">$method over $!names$!env: $cells, $seeds each, $trials. Cells are compared by the
interquartile mean (IQM) of <strong>$metric</strong> over their seeds; $goal is better.$early</p>]], {
    method = methods[m.description.method] or "A sweep", names = enumerated(names), env = environment(m),
    cells = count(#m.cells, "cell"), seeds = count(#m.sweep.seeds, "seed"), trials = count(#m.trials, "trial"),
    metric = m.metric, goal = m.maximize and "higher" or "lower",
    early = m.description.halving and " Cells that were stopped early count with what they had reached." or "",
  })
end

--- The heading of the page.
-- @tparam Model m
-- @treturn string HTML
function summary.header(m)
  return fill([[
<header>
<p class="over">Report of a sweep</p>
<h1>$name</h1>
$!lead
<nav aria-label="Sections">
<a href="#summary">Summary</a> <a href="#map-section">Map</a> <a href="#curves">Curves</a>
<a href="#chances">Certainty</a> <a href="#cells">Cells</a> <a href="#trials">Trials</a>
<a href="#provenance">Provenance</a>
</nav>
</header>
]], { name = m.name, lead = lead(m) })
end

-- ---- what the reader must know first -----------------------------------------------------------

local function filtered(status, text)
  return fill([[<a href="#trials" data-filter="status=$status" data-input="trials-filter">$text</a>]],
    { status = status, text = text })
end

local function unfinished(m)
  local open = m.count.running + m.count.waiting
  if open == 0 then return "" end
  return fill([[
<p class="note">The sweep is not finished: $trials $are missing ($running running, $waiting waiting). All numbers below
may still change.</p>]], {
    trials = count(open, "trial"), are = open == 1 and "is" or "are", running = m.count.running,
    waiting = m.count.waiting,
  })
end

-- the messages of trials that failed, each once
local function failures(m)
  local groups, list = tell.by_message(m.sweep), {}
  for i = 1, math.min(#groups, tell.most_messages) do
    list[i] = { who = tell.alike(m.sweep, groups[i]), message = groups[i].message }
  end
  local more = #groups - #list
  return "<ul>" .. html.each("<li>$who: <code>$message</code></li>", list)
    .. (more > 0 and fill("<li>and $messages more</li>", { messages = count(more, "message") }) or "") .. "</ul>"
end

local function failed(m)
  if m.count.failed == 0 then return "" end
  local one = m.count.failed == 1
  return fill([[<div class="note bad">$trials failed and $have no number; see $!link.
The command of the sweep with <code>--retry-failed</code> runs $them again.
$!failures</div>]], {
    trials = count(m.count.failed, "trial"), have = one and "has" or "have", them = one and "it" or "them",
    link = filtered("failed", one and "the trial" or "the trials"), failures = failures(m),
  })
end

-- finished trials that did not report the metric, or no number
local function unmeasured(m)
  local without, strange = 0, 0
  for _, trial in ipairs(m.trials) do
    if trial.status == "done" and trial.metric == nil then without = without + 1 end
    if trial.metric and not html.is_finite(trial.metric) then strange = strange + 1 end
  end
  local notes = ""
  if without > 0 then
    notes = fill([[<p class="note bad">$trials finished without reporting $metric.</p>]],
      { trials = count(without, "trial"), metric = m.metric })
  end
  if strange > 0 then
    notes = notes .. fill([[<p class="note bad">$trials reported a $metric that is NaN or infinite.</p>]],
      { trials = count(strange, "trial"), metric = m.metric })
  end
  return notes
end

local function warnings(m)
  local list = {}
  for i, text in ipairs(m.sweep.warnings) do list[i] = { text = text } end
  return html.each([[<p class="note bad">$text</p>]], list)
end

-- why a cell with a better number is not the best
local function passed_over(m)
  local first = model.ranked(m)[1]
  if not m.best or not model.better(m, first, m.best) or first.row.iqm == m.best.row.iqm then return "" end
  return fill([[<p class="note">$label has a better IQM than the best cell, but less stands behind it: cells that went
further, without failures and with more results, come first.</p>]], { label = first.label })
end

-- cells that are as good as the best one
local function equals(m)
  local n = m.equal - 1
  if n < 1 then return "" end
  return fill([[<p class="note">$cells $have the very numbers of the best cell, which is only the first of them.</p>]],
    { cells = count(n, "other cell"), have = n == 1 and "has" or "have" })
end

-- ---- the best cell -----------------------------------------------------------------------------

-- the smallest and largest finite metric of all trials
local function extent(m)
  local low, high = math.huge, -math.huge
  for _, trial in ipairs(m.trials) do
    if html.is_finite(trial.metric) then
      low, high = math.min(low, trial.metric), math.max(high, trial.metric)
    end
  end
  return low, high
end

-- the seeds of the best cell among all trials: a dot each, the IQM and its interval
local function strip(m)
  local low, high = extent(m)
  if not (low < high) then return "" end
  local function x(value) return ("%.1f"):format(4 + 392 * (value - low) / (high - low)) end
  local dots, row = {}, m.best.row
  for _, value in ipairs(m.best.scores) do
    if html.is_finite(value) then dots[#dots + 1] = { x = x(value) } end
  end
  local range = html.is_finite(row.low) and html.is_finite(row.high)
    and fill([[<line class="range" x1="$a" x2="$b" y1="12" y2="12"/>]], { a = x(row.low), b = x(row.high) }) or ""
  return fill([[
<svg class="strip" viewBox="0 0 400 44" preserveAspectRatio="xMinYMid" role="img"
 aria-label="Each seed of the best cell, on an axis from the lowest to the highest of all trials">
<line class="axis" x1="0" x2="400" y1="24" y2="24"/>$!range$!dots
<line class="mid" x1="$mid" x2="$mid" y1="4" y2="20"/>
<text x="0" y="40">$low</text><text x="200" y="40" text-anchor="middle">all trials</text>
<text x="400" y="40" text-anchor="end">$high</text></svg>]], {
    range = range, mid = x(math.min(math.max(row.iqm, low), high)), low = m.formats.metric(low),
    high = m.formats.metric(high), dots = html.each([[<circle class="dot" cx="$x" cy="12" r="4"/>]], dots),
  })
end

local function best(m)
  if not m.best then
    return [[<div><h3>Best cell</h3><p class="big"><small>No trial has finished yet.</small></p></div>]]
  end
  local terms, row = {}, m.best.row
  for i, p in ipairs(m.parameters) do
    local place = model.place(p, m.best.params)
    terms[i] = { name = p.name, value = p.texts[place], exact = p.exact[place] }
  end
  return fill([[
<div><h3>Best cell</h3>
<dl class="params">$!terms</dl>
<p class="score"><b>IQM $iqm</b>, $!interval, $seeds</p>
$!strip</div>
]], {
    terms = html.each([[<div><dt>$name</dt><dd title="$exact">$value</dd></div>]], terms), iqm = m.formats.iqm(row.iqm),
    interval = row.low and fill("95 % interval $low to $high",
      { low = m.formats.low(row.low), high = m.formats.high(row.high) }) or "no interval",
    seeds = count(row.n, "seed"), strip = strip(m),
  })
end

-- ---- progress ----------------------------------------------------------------------------------

local states = { "done", "failed", "running", "waiting" }

local function progress(m)
  local parts, items, total = {}, {}, math.max(m.count.total, 1)
  for _, state in ipairs(states) do
    local n = m.count[state]
    if n > 0 then parts[#parts + 1] = { state = state, width = ("%.3f"):format(100 * n / total) } end
    if n > 0 or state == "done" then items[#items + 1] = { state = state, n = count(n, ""):gsub("%D+$", "") } end
  end
  local seconds = 0
  for _, trial in ipairs(m.trials) do seconds = seconds + (html.is_finite(trial.seconds) and trial.seconds or 0) end
  return fill([[
<div><h3>Progress</h3>
<p class="big">$done <small>of $trials done</small></p>
<div class="bar" aria-hidden="true">$!parts</div>
<ul class="states">$!items</ul>
<p class="hint">$time of computing in all.</p></div>
]], {
    done = count(m.count.done, ""):gsub("%D+$", ""), trials = count(m.count.total, "trial"),
    parts = html.each([[<i class="$state" style="width:$width%"></i>]], parts),
    items = html.each([[<li><span class="state $state">$n $state</span></li>]], items), time = html.duration(seconds),
  })
end

--- The summary.
-- @tparam Model m
-- @treturn string HTML
function summary.section(m)
  return fill([[
<section id="summary" aria-labelledby="summary-title">
<h2 id="summary-title">Summary</h2>
$!notes
<div class="summary">
$!best
$!progress
</div>
</section>
]], {
    notes = unfinished(m) .. failed(m) .. unmeasured(m) .. passed_over(m) .. equals(m) .. warnings(m), best = best(m),
    progress = progress(m),
  })
end

return summary
