-- Makes docs/performance.md from bench/report.md and the results in bench/results.
--
--   luajit bench/report.lua [--check]        --check: only says whether the document is current
--
-- A line `{{name}}` of bench/report.md becomes the tables of bench/results/<name>.json, `{{name 2}}` the second one of
-- them; `{{bars}}`, `{{reasons}}` and `{{machine}}` are made here, `{{prose name}}` is a sentence of bench/prose.lua.
local bars = require "bench.bars"
local index = require "bench.index"
local json = require "trpo.json"
local prose = require "bench.prose"
local support = require "bench.support"

local report = {}

--- The results by name of their benchmark, where there are any.
function report.load()
  local all = {}
  for _, case in ipairs(index) do
    local text = support.read("bench/results/" .. case.name .. ".json")
    if text then all[case.name] = json.decode(text) end
  end
  return all
end

-- rows of cells as a Markdown table; all columns but the first are numbers
local function markdown(rows)
  local lines = {}
  for i, row in ipairs(rows) do
    local cells = {}
    for c = 1, #rows[1] do cells[c] = tostring(row[c] or ""):gsub("|", "\\|") end
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
    if i == 1 then lines[#lines + 1] = "|---|" .. ("---:|"):rep(#rows[1] - 1) end
  end
  return table.concat(lines, "\n")
end

local function tables_of(result, which)
  local parts = {}
  for i, rows in ipairs(result.tables) do
    if not which or i == which then parts[#parts + 1] = markdown(rows) end
  end
  return table.concat(parts, "\n\n")
end

-- when which benchmarks were run, and of what commit, one row for each
local function runs(all)
  local rows, by_time = {}, {}
  for _, case in ipairs(index) do
    local m = all[case.name] and all[case.name].machine
    if m then
      local time = m.date .. (m.commit and ", commit " .. m.commit or "")
      local row = by_time[time]
      if not row then
        row = { "", time }
        by_time[time], rows[#rows + 1] = row, row
      end
      row[1] = row[1] .. (row[1] == "" and "" or ", ") .. case.name
    end
  end
  if #rows == 1 then rows[1][1] = "measured" end
  return rows
end

-- what the figures were measured with
local function machine(all)
  local m = all.fisher.machine
  local peers = { all.fisher.results.torch and "PyTorch " .. all.fisher.results.torch,
    all.update and all.update.results.sb3 and "sb3-contrib " .. all.update.results.sb3:match "^%S+" }
  local rows = { { "", "" }, unpack(runs(all)) }
  for _, row in ipairs { { "processor", ("%s, %d cores"):format(m.cpu, m.cores) },
    { "instruction set in force", m.isa }, { "BLAS", m.blas }, { "trpo", m.version .. ", " .. m.luajit } } do
    rows[#rows + 1] = row
  end
  if #peers > 0 then rows[#rows + 1] = { "peers", table.concat(peers, ", ") } end
  for _, precision in ipairs { "single", "double" } do
    for _, cell in ipairs(all.fisher.results.grid) do
      if cell.shape == "Hopper" and cell.N == 5000 and cell.precision == precision then
        rows[#rows + 1] = { ("peak of multiply-adds, %s precision, 1 and 2 threads"):format(precision),
          ("%.0f and %.0f GFLOP/s"):format(cell.peak[1] / 1e9, cell.peak[2] / 1e9) }
      end
    end
  end
  return markdown(rows)
end

--- The document, from all results.
function report.make(all)
  local text = assert(support.read "bench/report.md")
  return (text:gsub("{{([%l_]+) ?(%w*)}}", function(name, which)
    if name == "bars" then return markdown(bars.rows(all)) end
    if name == "reasons" then return bars.reasons(all) end
    if name == "prose" then return prose[which](all) end
    if name == "machine" then return all.fisher and machine(all) or "" end
    return all[name] and tables_of(all[name], tonumber(which)) or "Not measured yet."
  end))
end

if arg and arg[0] and arg[0]:find "bench/report%.lua$" then
  local given = support.arguments {
    about = "Makes docs/performance.md from the results in bench/results.", words = {}, saves = false,
    flags = { { "--check", "only say whether it is current" } },
  }
  local text, path = report.make(report.load()), "docs/performance.md"
  if not given.check then
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    print("wrote " .. path)
  elseif support.read(path) ~= text then
    print(path .. " is not what bench/report.lua makes of bench/results: run it")
    os.exit(1)
  end
end

return report
