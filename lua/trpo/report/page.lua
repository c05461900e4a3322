--- The page of a sweep, put together: one file of HTML that needs nothing else.
-- @module trpo.report.page
local chances = require "trpo.report.chances"
local data = require "trpo.report.data"
local html = require "trpo.report.html"
local provenance = require "trpo.report.provenance"
local summary = require "trpo.report.summary"
local tables = require "trpo.report.tables"

local page = {}

local fill = html.fill

-- nothing is loaded from anywhere: the browser itself sees to it
local frame = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="generator" content="trpo">
<link rel="icon" href="data:,">
<title>$name · trpo sweep</title>
<style>
$!style
</style>
</head>
<body>
<a class="skip" href="#summary">Skip to the summary</a>
$!header
<main>
$!sections
</main>
$!footer
<script type="application/json" id="data">$!data</script>
<script>
$!script
</script>
</body>
</html>
]]

local needs_script = [[
<noscript><p class="note">This picture needs JavaScript; the tables below do not.</p></noscript>]]

local ramp = [[
<figcaption class="ramp"><span>worse</span><i></i><span>better</span>
<span class="mark"><b></b>best cell</span>$!failed</figcaption>]]

-- whether all trials of a cell failed, of which the map shows a cross
local function has_crosses(m)
  for _, cell in ipairs(m.cells) do
    if cell.row.n == 0 and cell.row.failed > 0 then return true end
  end
end

local function map(m)
  return fill([[
<section id="map-section" aria-labelledby="map-title">
<h2 id="map-title">Map of the cells</h2>
<p class="hint">The IQM of $metric$!where. Select a cell to bring out its learning curve.</p>
$!noscript
<div class="controls" id="axes"></div>
<div class="beside">
<figure><div id="map"></div>
$!ramp</figure>
<aside class="readout" id="readout" aria-label="The cell that is looked at"></aside>
</div>
</section>
]], {
    metric = m.metric, noscript = needs_script,
    where = #m.parameters > 2 and " over two of the parameters, of the best cell where "
      .. "several share a place" or "",
    ramp = m.best and fill(ramp, { failed = has_crosses(m) and "<span>× failed</span>" or "" }) or "",
  })
end

local function families(curves)
  local options = {}
  for i, family in ipairs(curves) do options[i] = { value = i - 1, name = family.name } end
  return fill([[<label$!hidden>Curves of <select id="family">$!options</select></label>]], {
    hidden = #curves < 2 and " hidden" or "",
    options = html.each([[<option value="$value">$name</option>]], options),
  })
end

local function curves_section(curves, message)
  local hidden = #curves == 0 and " hidden" or ""
  return fill([[
<section id="curves" aria-labelledby="curves-title">
<h2 id="curves-title">Learning curves</h2>
<p class="hint">$hint</p>
$!noscript
<div class="controls"$!hidden>$!families
<button type="button" class="plain" id="clear" hidden>Clear the selection</button></div>
<div class="beside"$!hidden>
<figure class="chart" id="chart"><div class="tip" id="tip" hidden></div></figure>
<div><div class="keys-head" aria-hidden="true"><span>Cell, best first</span><span>IQM</span></div>
<ul class="keys" id="keys" aria-label="Cells, best first, with their IQM"></ul></div>
</div>
</section>
]], {
    hint = message or [[
The IQM over the seeds of a cell at each step, with the 95 % interval of the bootstrap as a band. Select cells here or
on the map to compare them.]],
    noscript = #curves > 0 and needs_script or "", families = families(curves), hidden = hidden,
  })
end

--- The page.
-- @tparam Model m
-- @tparam {table,...} curves see `trpo.report.curves`
-- @tparam string|nil message why there are no curves
-- @treturn string HTML
function page.of(m, curves, message)
  return fill(frame, {
    name = m.name, style = require "trpo.report.style", script = require "trpo.report.script",
    header = summary.header(m), footer = provenance.footer(), data = data.of(m, curves),
    sections = table.concat {
      summary.section(m), map(m), curves_section(curves, message), chances.section(m), tables.cells(m),
      tables.trials(m), provenance.section(m),
    },
  })
end

return page
