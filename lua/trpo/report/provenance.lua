--- The end of the page: what computed the numbers, from which files, and when.
-- @module trpo.report.provenance
local core = require "trpo.core"
local html = require "trpo.report.html"
local json = require "trpo.json"
local results = require "trpo.sweep.results"
local rock = require "trpo.rocks"

local provenance = {}

local function date(seconds) return os.date("!%Y-%m-%d %H:%M UTC", seconds) end

-- when the sweep was begun, and when its first and last result were written
local function dates(m)
  local uv = rock("luv", "trpo report")
  local begun = uv.fs_stat(m.sweep.dir .. "/sweep.json")
  local first, last
  for _, trial in ipairs(m.trials) do
    local stat = (trial.status == "done" or trial.status == "failed") and trial.dir
      and uv.fs_stat(trial.dir .. "/" .. results.file(m.description, trial.rung))
    if stat then
      first, last = math.min(first or math.huge, stat.mtime.sec), math.max(last or 0, stat.mtime.sec)
    end
  end
  return begun and begun.mtime.sec, first, last
end

-- the values of a key of the machines that computed, with commas between them
local function distinct(m, key)
  local seen, list = {}, {}
  local function add(system)
    local value = type(system) == "table" and system[key]
    if type(value) == "string" and not seen[value] then list[#list + 1], seen[value] = value, true end
  end
  add(m.description.system)
  for _, trial in ipairs(m.trials) do add(trial.system) end
  return #list > 0 and table.concat(list, ", ") or nil, #list
end

local function hosts(m)
  local counts, names = {}, {}
  for _, trial in ipairs(m.trials) do
    if trial.host then
      if not counts[trial.host] then names[#names + 1] = trial.host end
      counts[trial.host] = (counts[trial.host] or 0) + 1
    end
  end
  table.sort(names)
  for i, name in ipairs(names) do names[i] = ("%s (%s)"):format(name, html.count(counts[name], "trial")) end
  return #names > 0 and table.concat(names, ", ") or nil
end

local function seeds(m)
  local words, list = {}, m.sweep.seeds
  for i = 1, math.min(#list, 20) do words[i] = json.number(list[i]) end
  if #list > #words then words[#words + 1] = ("… (%d in all)"):format(#list) end
  return table.concat(words, ", ")
end

local function facts(m)
  local begun, first, last = dates(m)
  local list = {}
  local function add(name, value)
    if value then list[#list + 1] = { name = name, value = value } end
  end
  add("Folder", m.sweep.dir)
  add("trpo", (distinct(m, "version")))
  add("Instruction set", (distinct(m, "isa")))
  add("BLAS", (distinct(m, "blas")))
  add("Computed on", hosts(m))
  add("Seeds", seeds(m))
  add("Described", begun and date(begun))
  add("Results", first and (date(first) == date(last) and date(first) or date(first) .. " to " .. date(last)))
  local files = {}
  for path in pairs(type(m.description.files) == "table" and m.description.files or {}) do files[#files + 1] = path end
  table.sort(files)
  for _, path in ipairs(files) do add("SHA-256 of " .. path, tostring(m.description.files[path])) end
  return html.each("<dt>$name</dt><dd>$value</dd>", list)
end

-- whether trials were computed by different programs or machines
local function mixed(m)
  for _, key in ipairs { "version", "isa", "blas" } do
    if select(2, distinct(m, key)) > 1 then
      return [[<p class="note bad">The trials were not all computed by the same version, instruction set and BLAS: equal
seeds need not give equal numbers.</p>]]
    end
  end
  return ""
end

-- the description without its cells, which have a table of their own
local function described(m)
  local kept = {}
  for key, value in pairs(m.description) do
    if key ~= "cells" then kept[key] = value end
  end
  return json.encode(kept, { indent = true,
    order = { "format", "name", "kind", "method", "parameters", "seeds", "metric" } })
end

--- The section of provenance.
-- @tparam Model m
-- @treturn string HTML
function provenance.section(m)
  return html.fill([[
<section id="provenance" aria-labelledby="provenance-title">
<h2 id="provenance-title">Provenance</h2>
$!mixed
<dl class="facts long">$!facts</dl>
<details><summary>The whole configuration as JSON</summary>
<pre tabindex="0">$config</pre></details>
</section>
]], { mixed = mixed(m), facts = facts(m), config = described(m) })
end

--- The last line of the page.
-- @treturn string HTML
function provenance.footer()
  return html.fill("<footer>Written by trpo $version on $date.</footer>\n",
    { version = core.VERSION, date = date(os.time()) })
end

return provenance
