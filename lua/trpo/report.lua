--- Writes a sweep as one page of HTML that needs neither a network nor another file.
-- @module trpo.report
local disk = require "trpo.disk"
local plot = require "trpo.plot"
local results = require "trpo.sweep.results"
local runs = require "trpo.runs"

local report = {}

-- endings of files that are no pages
local pictures = { svg = true, png = true, pdf = true, txt = true }

--- The page of a sweep.
-- @tparam string dir folder of a sweep, finished or not
-- @treturn[1] string HTML
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "no_file", "io", "format", "version"
function report.page(dir)
  local sweep, message, code = results.read(dir)
  if not sweep then return nil, message .. (code == "no_file" and runs.sweeps_inside(dir) or ""), code end
  local m = require("trpo.report.model").of(sweep, require("trpo.sweep.summary").of(sweep))
  local curves, why = require("trpo.report.curves").of(m)
  return require("trpo.report.page").of(m, curves, why)
end

-- what is wrong with the name of a page, or nil
local function misnamed(file)
  if file == "" then return "the name of the page must not be empty" end
  local ending = file:lower():match "[^/]%.(%w+)$"
  if ending and pictures[ending] then
    return ("the page is HTML, and '%s' is the name of a picture; trpo plot draws such"):format(file)
  end
end

--- Writes the page of a sweep, whole or not at all.
-- @tparam string dir folder of a sweep, finished or not
-- @tparam[opt] string file path of the page, `report.html` in the sweep's folder by default; `-` is the standard output
-- @treturn[1] string the path
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "no_file", "io", "format", "version"
function report.write(dir, file)
  dir = disk.trimmed(dir)
  file = file or dir .. "/report.html"
  local wrong = misnamed(file)
  if wrong then return nil, wrong, "format" end
  local text, message, code = report.page(dir)
  if not text then return nil, message, code end
  local ok, why = plot.write(file, text)
  if not ok then return nil, why, "io" end
  return file
end

-- Runs `trpo report`.
-- @tparam table flags `sweep`, `output`
-- @treturn number exit code
function report.run(flags)
  local file, message, code = report.write(flags.sweep, flags.output)
  if not file then
    io.stderr:write("trpo: ", message, "\n")
    -- what cannot be read was wrongly named, but for a failure of the disk
    return code == "io" and 1 or 2
  end
  if file ~= "-" then print(file) end
  return 0
end

return report
