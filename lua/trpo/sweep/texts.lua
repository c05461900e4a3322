--- The text of a function: what stands in its file from `function` to `end`. Where that does not tell it apart from
-- others (several may begin in one line), or is not there, its bytecode.
-- @module trpo.sweep.texts
local bytecode = require "trpo.sweep.bytecode"
local core = require "trpo.core"

local texts = {}

-- the lines of the file that a function is from; nil when there is none, and when it is bytecode
local function lines_of(source)
  local text = source:find "^@" and core.file.read(source:sub(2))
  if not text or text:find "^\27" then return nil end
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do lines[#lines + 1] = line end
  return lines
end

-- from `function` to the last `end`; nil unless it is the only function that begins in its first line
local function cut(lines, first, last)
  if first < 1 or last > #lines then return nil end
  local from = lines[first]:match "%f[%w_]function%f[^%w_]%s*[%w_.:]*%s*%(()"
  local _, n = lines[first]:gsub("%f[%w_]function%f[^%w_]", "")
  local to = lines[last]:match ".*%f[%w_]end()%f[^%w_]"
  if not from or n > 1 or not to or first == last and to < from then return nil end
  if first == last then return lines[first]:sub(from, to - 1) end
  local out = { lines[first]:sub(from) }
  for i = first + 1, last - 1 do out[#out + 1] = lines[i] end
  out[#out + 1] = lines[last]:sub(1, to - 1)
  return table.concat(out, "\n")
end

-- the text of a function; `read` has the lines of the files that were read
local function make(f, read)
  local info = debug.getinfo(f, "S")
  local source = info.source
  if read[source] == nil then read[source] = lines_of(source) or false end
  local lines = read[source]
  local whole = lines and info.what == "main" and table.concat(lines, "\n")
  return whole or lines and cut(lines, info.linedefined, info.lastlinedefined) or bytecode.text(f)
end

--- The text of a function that is no C function.
-- @tparam function f
-- @tparam table known texts and files that were read before, to which new ones are added; empty at first
-- @treturn string
function texts.of(f, known)
  known[f] = known[f] or make(f, known)
  return known[f]
end

return texts
