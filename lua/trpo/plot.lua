--- Pictures by gnuplot, which runs as a process of its own: SVG, PNG, PDF, or text for a terminal.
--
-- A picture is a script for gnuplot with its data inside. It is drawn into a temporary file, and the file that was
-- asked for appears whole or not at all. Texts of the user's stand in quotes, where gnuplot reads no commands.
-- @module trpo.plot
local command_line = require "trpo.command_line"
local core = require "trpo.core"
local spelling = require "trpo.spelling"

local plot = {}

--- Colours that colour-blind readers tell apart (Okabe and Ito 2008), the easiest ones on white first.
plot.colours = { "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000" }

--- From nearly white to blue, light enough for black text on every shade; as gnuplot's `defined` takes it.
plot.palette = "0 '#f7fbff', 1 '#deebf7', 2 '#c6dbef', 3 '#9ecae1', 4 '#6baed6'"

-- how a terminal is asked for: one pixel is 1/96 inch everywhere, PNG has two in each direction
local terminals = {
  -- labels of axes stand lower there than elsewhere
  svg = "set terminal svg size %.0f,%.0f font 'Helvetica,Arial,sans-serif,12' enhanced background '#ffffff'\n"
    .. "set xlabel offset 0,0.5",
  png = "set terminal pngcairo size %.0f*2,%.0f*2 font 'sans,12' fontscale 1.3 linewidth 2 pointscale 1.6 dashlength 2 "
    .. "enhanced",
  pdf = "set terminal pdfcairo size %.0f/96.0,%.0f/96.0 font 'sans,12' fontscale 0.62 linewidth 1.3 dashlength 2 "
    .. "enhanced",
}

-- columns and lines of the picture in a terminal
local dumb = "set terminal dumb size %d,%d noenhanced"

local formats = { "svg", "png", "pdf" }

--- The format that the name of a file stands for.
-- @tparam string what for messages
-- @tparam string file ends in `.svg`, `.png`, `.pdf` or `.txt`; `-` is text on the standard output
-- @treturn string|nil "svg", "png", "pdf", "txt" or "-"
-- @treturn string|nil one sentence
function plot.format(what, file)
  if file == "-" then return "-" end
  local ending = type(file) == "string" and file:match "[^/]%.(%w+)$"
  ending = ending and ending:lower()
  if terminals[ending] or ending == "txt" then return ending end
  if type(file) ~= "string" then return nil, ("%s: file must be a string, got %s"):format(what, type(file)) end
  return nil, ("%s: file must end in .svg, .png, .pdf or .txt, or be '-', got '%s'%s"):format(what, file,
    ending and spelling.hint(ending, formats):gsub("'(%w+)'", "'.%1'") or "")
end

--- A text as gnuplot reads it back, and nothing else: no escapes, no commands.
-- @tparam string text
-- @treturn string in single quotes; a text that has some itself in double ones, with a number for every mark
function plot.quoted(text)
  text = tostring(text):gsub("%c", " ")
  if not text:find("'", 1, true) then return "'" .. text .. "'" end
  -- gnuplot 5.4 mistakes where a text ends that holds two of '' in a row
  return '"' .. text:gsub("[^%w \128-\255]", function(mark) return ("\\%03o"):format(mark:byte()) end) .. '"'
end

--- A word of a block of data; `with labels` shows it as it is (say `noenhanced`).
-- @tparam string text
-- @treturn string in double quotes, which become single ones inside
function plot.word(text)
  return '"' .. tostring(text):gsub("%c", " "):gsub('"', "'"):gsub("\\", "/") .. '"'
end

--- A number as gnuplot reads it back.
-- @tparam number x
-- @treturn string `NaN` for everything that is not finite: gnuplot leaves it out
function plot.number(x)
  if x ~= x or x == math.huge or x == -math.huge then return "NaN" end
  return ("%.17g"):format(x)
end

--- The range of colours for some values; one value alone gets room on both sides.
-- @tparam {table,...} rows with the values at 3
-- @treturn string a command
function plot.colour_range(rows)
  local low, high = math.huge, -math.huge
  for _, row in ipairs(rows) do
    local x = row[3]
    if x == x and math.abs(x) < math.huge then low, high = math.min(low, x), math.max(high, x) end
  end
  if low > high then low, high = 0, 1 end
  if high - low <= 1e-12 * math.max(math.abs(low), math.abs(high)) then
    local room = math.max(math.abs(low), 1) * 0.5
    low, high = low - room, high + room
  end
  return ("set cbrange [%s:%s]"):format(plot.number(low), plot.number(high))
end

--- A block of data with a name.
-- @tparam string name
-- @tparam {table,...} rows of numbers, and of words that `word` made; an empty row is a gap in a curve
-- @treturn string for a script
function plot.block(name, rows)
  local lines = { "$" .. name .. " << EOD" }
  for i, row in ipairs(rows) do
    local words = {}
    for j, x in ipairs(row) do words[j] = type(x) == "number" and plot.number(x) or x end
    lines[i + 1] = table.concat(words, " ")
  end
  lines[#lines + 1] = "EOD"
  return table.concat(lines, "\n")
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then file:close() end
  return text or ""
end

-- what gnuplot says about a script that failed, in one line
local function complaint(said)
  for line in said:gmatch "[^\n]+" do
    local reason = line:match "line %d+: (.*)"
    if reason and not reason:find "^warning" then return reason end
  end
  return "it gave no reason"
end

-- runs a script that draws into a file; true, or nil, message, code
local function run(path, script)
  local file, message = io.open(path, "wb")
  if not file then return nil, ("cannot write %s"):format(message), "io" end
  local written, why = file:write(script)
  local closed, later = file:close()
  if not (written and closed) then
    return nil, ("cannot write %s: %s"):format(path, tostring(why or later)), "io"
  end
  -- -d: nobody's own settings
  local pipe, problem = io.popen(("exec 2>&1; gnuplot -d %s </dev/null; echo $?"):format(command_line.quoted(path)))
  if not pipe then return nil, ("cannot start a process: %s"):format(tostring(problem)), "io" end
  local said, code = pipe:read("*a"):match "^(.-)(%d+)%s*$"
  pipe:close()
  if code == "127" then
    return nil, "plots need gnuplot, which is not there (Debian: apt-get install gnuplot-nox)", "no_gnuplot"
  end
  if code ~= "0" then
    return nil, ("gnuplot could not draw this: %s"):format(complaint(said or "")), "gnuplot"
  end
  return true
end

-- how a picture ends that is complete
local ends = { svg = "</svg>%s*$", png = "IEND....$", pdf = "%%%%EOF%s*$" }

-- the bytes of a picture; or nil, message, code
local function drawn(format, terminal, script)
  local made, picture = pcall(os.tmpname)
  local also, commands = pcall(os.tmpname)
  local ok, message, code = nil, "cannot make temporary files", "io"
  if made and also then
    ok, message, code = run(commands, table.concat({
      "set encoding utf8", terminal, "set output " .. plot.quoted(picture), script, "unset output", "",
    }, "\n"))
  end
  local bytes = ok and read(picture)
  if made then os.remove(picture) end
  if also then os.remove(commands) end
  if not ok then return nil, message, code end
  -- gnuplot does not look whether the disk was full
  if not bytes:find(ends[format] or ".") then return nil, "gnuplot wrote no whole picture; is the disk full?", "io" end
  return bytes
end

--- Brings a text to the standard output or into a file.
-- @tparam string file a path, or `-`
-- @tparam string text
-- @treturn boolean|nil true, or nil, message, code
function plot.write(file, text)
  if file ~= "-" then return core.file.write(file, text) end
  local ok, message = io.stdout:write(text)
  if ok then return true end
  return nil, ("cannot write to the standard output: %s"):format(tostring(message)), "io"
end

--- Draws a picture.
-- @tparam string file its ending says the format, see `format`
-- @tparam table picture `script` = commands for gnuplot, `width` and `height` in pixels of 1/96 inch, `text` = commands
--   for a terminal (by default the script), `columns` and `lines` = its size there (79, 24), `below` = more text there
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "no_gnuplot", "gnuplot", "no_file", "io"
function plot.draw(file, picture)
  local format = assert(plot.format("plot", file))
  local terminal = terminals[format] and terminals[format]:format(picture.width, picture.height)
    or dumb:format(picture.columns or 79, picture.lines or 24)
  local script = not terminals[format] and picture.text or picture.script
  local bytes, message, code = drawn(format, terminal, script)
  if not bytes then return nil, message, code end
  if not terminals[format] then
    bytes = bytes:gsub("^[\f\n]+", ""):gsub("[ \t]+\n", "\n") .. (picture.below or "")
  end
  return plot.write(file, bytes)
end

return plot
