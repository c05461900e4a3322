--- Reads the folders of runs: their parameters and the numbers of each iteration.
--
-- A run may still be at work, so a last line that is not complete does not count; and it may be somebody else's: a
-- folder with a `progress.csv` is enough (Stable-Baselines3 writes one). Nothing that a file holds is run.
-- @module trpo.runs
local core = require "trpo.core"
local disk = require "trpo.disk"
local json = require "trpo.json"
local spelling = require "trpo.spelling"

local runs = {}

-- ---- files -------------------------------------------------------------------------------------

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- whether there are the files of a run
local function holds_run(path) return exists(path .. "/progress.csv") or exists(path .. "/config.json") end

-- names some of what stands in a folder
local function some_of(place, noun, is_one)
  local ok, names = pcall(disk.names, place)
  names = ok and names or {}
  table.sort(names)
  local found = {}
  for _, name in ipairs(names) do
    local inside = place .. "/" .. name
    if #found < 4 and is_one(inside) then found[#found + 1] = inside end
  end
  if #found == 0 then return "" end
  if #found == 4 then found[4] = "..." end
  return ("; of the %s in it give one: %s"):format(noun, table.concat(found, ", "))
end

--- Names some of the runs that stand in a folder, or are the trials of a sweep, for whoever has given that folder
-- instead of one of them.
-- @tparam string path
-- @treturn string the end of a sentence; empty when there are none
function runs.inside(path)
  return some_of(disk.trimmed(path) .. (exists(path .. "/sweep.json") and "/trials" or ""), "runs", holds_run)
end

--- Names some of the sweeps that stand in a folder, as `inside` names runs.
-- @tparam string path
-- @treturn string the end of a sentence; empty when there are none
function runs.sweeps_inside(path)
  return some_of(disk.trimmed(path), "sweeps", function(inside) return exists(inside .. "/sweep.json") end)
end

--- The sweep that the folder of a run is a trial of.
-- @tparam string path
-- @treturn string|nil the sweep's folder; nil for any other run, and for a copy that stands elsewhere
function runs.sweep_of(path)
  path = disk.trimmed(path)
  local above = path .. "/../.."
  if not exists(path .. "/trial.json") or not exists(above .. "/sweep.json") then return nil end
  return path:match "^(.+)/trials/[^/.]+$" or disk.real(above)
end

--- What a folder holds.
-- @tparam string path
-- @treturn string|nil "sweep" or "run"
-- @treturn string|nil one sentence
-- @treturn string|nil "no_file"
function runs.kind(path)
  if exists(path .. "/sweep.json") then return "sweep" end
  if holds_run(path) then return "run" end
  local file = io.open(path, "rb")
  if not file then return nil, ("there is no folder '%s'"):format(path), "no_file" end
  local is_file = file:read(0) or file:seek "end" == 0
  file:close()
  if is_file then return nil, ("'%s' is a file, give the folder of a run or a sweep"):format(path), "no_file" end
  return nil, ("'%s' is neither the folder of a run (no progress.csv) nor of a sweep (no sweep.json)%s%s"):format(path,
    runs.inside(path), runs.sweeps_inside(path)), "no_file"
end

-- ---- tables ------------------------------------------------------------------------------------

local words = {
  [""] = 0 / 0, nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge, none = 0 / 0, null = 0 / 0,
  ["true"] = 1, ["false"] = 0,
}

-- the number that a field stands for, NaN for none; nil for a text
local function number_of(field) return tonumber(field) or words[field:match("^%s*(.-)%s*$"):lower()] end

-- the field in quotes that begins at a position, and the position behind it; nil when it does not end
local function quoted_field(text, at)
  local from = at + 1
  while true do
    local close = text:find('"', from, true)
    if not close then return nil end
    if text:byte(close + 1) ~= 34 then return (text:sub(at + 1, close - 1):gsub('""', '"')), close + 1 end
    from = close + 2
  end
end

-- The fields between two positions that hold no quote, into a list; returns their number.
local function plain_fields(text, at, stop, fields)
  local n = 1
  local comma = text:find(",", at, true)
  while comma and comma < stop do
    fields[n], n, at = text:sub(at, comma - 1), n + 1, comma + 1
    comma = text:find(",", at, true)
  end
  if text:byte(stop - 1) == 13 then stop = stop - 1 end
  fields[n] = text:sub(at, stop - 1)
  return n
end

-- The fields of the line at a position, into a list; returns their number and the position of the next line. nil when
-- the line is not complete: a line ends with a line feed.
local function record(text, at, fields)
  local n = 0
  while true do
    local field, stop
    if text:byte(at) == 34 then
      field, stop = quoted_field(text, at)
      stop = stop and text:find("[,\n]", stop)
    else
      stop = text:find("[,\n]", at)
      field = stop and text:sub(at, stop - 1)
    end
    if not stop then return nil end
    n = n + 1
    if text:byte(stop) == 10 then
      fields[n] = field:gsub("\r$", "")
      return n, stop + 1
    end
    fields[n], at = field, stop + 1
  end
end

-- the names of the columns and the position of the first row; nil when there are none yet
local function heading(text)
  local at = text:sub(1, 3) == "\239\187\191" and 4 or 1
  local names = {}
  local n, after = record(text, at, names)
  if not n or n == 1 and names[1] == "" then return nil end
  return names, after
end

-- adds a row; what is no number is NaN, and the first such text of a column is kept for messages
local function add_row(run, lists, fields, line)
  local row = run.rows + 1
  for j, list in ipairs(lists) do
    local x = number_of(fields[j])
    if not x then
      local name = run.names[j]
      run.texts[name] = run.texts[name] or { line = line, text = fields[j] }
    end
    list[row] = x or 0 / 0
  end
  run.rows = row
end

-- fills in names, rows and columns from the text of a progress.csv; nil and one sentence when it is no table
local function read_table(run, text, path)
  run.names, run.columns, run.texts, run.rows = {}, {}, {}, 0
  local names, at = heading(text)
  if not names then return true end
  local lists, line, fields, quote = {}, 2, {}, 0
  run.names = names
  for j, name in ipairs(names) do
    lists[j] = {}
    run.columns[name] = run.columns[name] or lists[j]
  end
  while at <= #text do
    if quote < at then quote = text:find('"', at, true) or math.huge end
    local stop = text:find("\n", at, true)
    local n, after
    if stop and stop < quote then
      n, after = plain_fields(text, at, stop, fields), stop + 1
    else
      n, after = record(text, at, fields)
    end
    if not n then
      -- a quote that swallows lines is a mistake, a line without end is being written
      local _, rest = text:sub(at):gsub("\n", "")
      if rest > 0 then return nil, ("%s: line %d: a quote is not closed"):format(path, line) end
      return true
    end
    if n == #names then
      add_row(run, lists, fields, line)
    elseif n ~= 1 or fields[1] ~= "" then
      return nil, ("%s: line %d has %d fields, the heading has %d"):format(path, line, n, #names)
    end
    line = line + (stop and stop + 1 == after and 1 or select(2, text:sub(at, after - 1):gsub("\n", "")))
    at = after
  end
  return true
end

-- ---- parameters --------------------------------------------------------------------------------

-- a value of a configuration as a plain one: a list becomes its text; nil for what is none
local function plain(value)
  local kind = type(value)
  if kind == "number" or kind == "string" or kind == "boolean" then return value end
  return kind == "table" and runs.text(value) or nil
end

-- adds the leaves of a tree by their dotted paths
local function add_leaves(out, tree, prefix)
  for key, value in pairs(tree) do
    if type(key) == "string" then
      if type(value) == "table" and #value == 0 and next(value) ~= nil then
        add_leaves(out, value, prefix .. key .. ".")
      else
        out[prefix .. key] = plain(value)
      end
    end
  end
  return out
end

-- the parameters of a run by dotted path; an empty table and one sentence when config.json is unreadable
local function read_parameters(path)
  local text, message, code = core.file.read(path .. "/config.json")
  if not text then return {}, code ~= "no_file" and message or nil end
  local config, why = json.decode(text)
  if type(config) == "table" then
    config.sources = nil -- hashes, which are nobody's parameters
    return add_leaves({}, config, "")
  end
  return {}, ("%s/config.json holds no parameters%s"):format(path, why and (" (%s)"):format(why) or "")
end

--- A value of a parameter as pictures show it.
-- @param value number, string, boolean or a list of such
-- @treturn string a number with six digits where they say it exactly; lists as `{64, 64}`
function runs.text(value)
  if type(value) == "table" then
    local parts = {}
    for i, entry in ipairs(value) do parts[i] = type(entry) == "table" and "…" or runs.text(entry) end
    return "{" .. table.concat(parts, ", ") .. "}"
  end
  if type(value) ~= "number" then return tostring(value) end
  local short = ("%.6g"):format(value)
  if tonumber(short) == value or value ~= value then return short end
  return json.number(value)
end

-- ---- runs --------------------------------------------------------------------------------------

--- Reads the folder of a run.
-- @tparam string path
-- @treturn table|nil `path`; `name` of the folder; `parameters`, plain values by dotted path (lists as text), empty
--   without `config.json`; `problem`, one sentence when that file is unreadable; `names` of the columns in order;
--   `columns`, lists of numbers by name, NaN where a field is empty; `rows`, how many
-- @treturn string|nil one sentence
-- @treturn string|nil "no_file", "io" or "format"
function runs.read(path)
  path = disk.trimmed(path)
  local kind, message, code = runs.kind(path)
  if not kind then return nil, message, code end
  if kind ~= "run" then return nil, ("'%s' is the folder of a sweep, not of a run"):format(path), "format" end
  local text
  text, message, code = core.file.read(path .. "/progress.csv")
  if not text and code ~= "no_file" then return nil, message, code end
  local run = { path = path, name = path:match "([^/]+)$" or path }
  run.parameters, run.problem = read_parameters(path)
  local ok, wrong = read_table(run, text or "", path .. "/progress.csv")
  if not ok then return nil, wrong, "format" end
  return run
end

--- The runs of some trials of a sweep: each folder once, without those that failed or have no row yet.
-- @tparam {table,...} trials see `trpo.sweep.results`
-- @treturn {table,...} as of `read`, with `trial`
function runs.of_trials(trials)
  local list, seen = {}, {}
  for _, trial in ipairs(trials) do
    local fresh = trial.status ~= "failed" and not seen[trial.dir] and runs.kind(trial.dir) == "run"
    local run = fresh and runs.read(trial.dir)
    if run and run.rows > 0 then
      run.trial, seen[trial.dir] = trial, true
      list[#list + 1] = run
    end
  end
  return list
end

local function bare(name) return name:match "[^/]+$" or name end

--- Finds the column that a name means.
-- @tparam table list runs
-- @tparam string name as in the heading, or what follows its slash where that is clear
-- @treturn string|nil the column's name
-- @treturn string|nil one sentence
function runs.column(list, name)
  local seen, known, same = {}, {}, {}
  for _, run in ipairs(list) do
    for _, column in ipairs(run.names) do
      if column == name then return name end
      if not seen[column] then
        known[#known + 1], seen[column] = column, true
        if bare(column) == name then same[#same + 1] = column end
      end
    end
  end
  if #same == 1 then return same[1] end
  if #same > 1 then return nil, ("column '%s' is ambiguous: write '%s'"):format(name, table.concat(same, "' or '")) end
  local names = {}
  for i, column in ipairs(known) do names[i], names[#known + i] = column, bare(column) end
  return nil, ("no run has a column '%s'%s"):format(name, spelling.hint(name, names))
end

-- numbers of two columns, the first ones strictly ascending: of equal ones the last row holds
local function ascending(a, b, rows)
  local first, second, n = {}, {}, 0
  for _, i in ipairs(rows) do
    if n == 0 or a[i] > first[n] then n = n + 1 end
    first[n], second[n] = a[i], b[i]
  end
  return core.tensor(first), core.tensor(second)
end

-- whether a number can be a point of a curve: of larger ones, up to infinity, there are no statistics
local function is_point(x) return math.abs(x) <= core.stats.LARGEST end

--- The rows of a run that have numbers in two columns, in the order of the first one. What is not finite, or beyond
-- `trpo.stats.LARGEST`, is no number.
-- @tparam table run
-- @tparam string x name of a column
-- @tparam string y name of a column
-- @treturn Tensor|nil [n] numbers of the first column, ascending; of equal ones the last row counts
-- @treturn Tensor|string [n] numbers of the second one; one sentence when the first is nil
-- @treturn string|nil "empty" when the columns are there and hold no such row
function runs.pairs(run, x, y)
  for _, name in ipairs { x, y } do
    if not run.columns[name] then
      return nil, ("%s/progress.csv has no column '%s'"):format(run.path, name)
    elseif run.texts[name] then
      return nil, ("%s/progress.csv: line %d: %s must be a number, got '%s'"):format(run.path,
        run.texts[name].line, name, run.texts[name].text:sub(1, 40))
    end
  end
  local a, b, rows, sorted = run.columns[x], run.columns[y], {}, true
  for i = 1, run.rows do
    if is_point(a[i]) and is_point(b[i]) then
      rows[#rows + 1] = i
      sorted = sorted and (#rows == 1 or a[rows[#rows - 1]] <= a[i])
    end
  end
  if #rows == 0 then return nil, ("%s has no numbers in '%s' yet"):format(run.path, y), "empty" end
  if not sorted then
    table.sort(rows, function(i, j)
      if a[i] ~= a[j] then return a[i] < a[j] end
      return i < j
    end)
  end
  return ascending(a, b, rows)
end

return runs
