--- The blocks of a document that are run: what stands between fences under a mark.
--
--    <!-- run -->                a block of lua, sh, console or python, run as it stands
--    <!-- run: needs x y -->     the same where these programs are there (python: these modules), else skipped
--    <!-- file: name -->         a block that is saved under this name, for the blocks after it
--
-- Of a console the lines that begin with "$ " are commands, the others are what they printed.
local command = require "support.command"
local project = require "support.project"

local documents = {}

--- The interpreter that may have the packages which the documents show.
documents.python = project.quoted(os.getenv "TRPO_PYTHON" or "python3")

-- what a line says about the block below it: "run" or "file" and the rest, or nil
local function mark_of(line)
  local kind, rest = line:match "^<!%-%- (%a+):? ?(.-) ?%-%->$"
  if kind == "run" or kind == "file" then return { kind = kind, rest = rest } end
end

--- All blocks of a document, in order.
-- @tparam string path
-- @treturn {table,...} { language, text, line (of the first line of text), kind ("run", "file" or nil), name, needs }
function documents.blocks(path)
  local list, block, mark, number = {}, nil, nil, 0
  for line in project.read(path):gmatch "([^\n]*)\n" do
    number = number + 1
    if block and line == "```" then
      block.text = table.concat(block.lines, "\n") .. "\n"
      list[#list + 1], block = block, nil
    elseif block then
      table.insert(block.lines, line)
    elseif line:match "^```" then
      block = { language = line:sub(4), line = number + 1, lines = {}, kind = mark and mark.kind }
      block.name = block.kind == "file" and mark.rest or nil
      block.needs = block.kind == "run" and mark.rest:match "^needs (.+)$" or nil
    end
    mark = mark_of(line)
  end
  return list
end

--- Whether a document has blocks of a language that are run.
function documents.has(path, language)
  for _, block in ipairs(documents.blocks(path)) do
    if block.kind == "run" and block.language == language then return true end
  end
  return false
end

--- What a block needs and what is not there, or nil.
function documents.missing(block)
  for name in (block.needs or ""):gmatch "%S+" do
    local try = block.language == "python" and ("%s -c 'import %s'"):format(documents.python, name)
      or "command -v " .. name
    if select(2, project.run(try .. " >/dev/null 2>&1")) ~= 0 then return name end
  end
end

-- the commands of a console, and what they are said to print
local function of_console(text)
  local commands, shown = {}, {}
  for line in text:gmatch "([^\n]*)\n" do
    local typed = line:match "^%$ (.*)$"
    table.insert(typed and commands or shown, typed or line)
  end
  return table.concat(commands, "\n") .. "\n", shown
end

local runners = {
  lua = "luajit block.lua", sh = "sh -e block.sh", console = "sh -e block.sh", python = documents.python .. " block.py",
}

-- where `trpo` is, and what stands in for a cluster
local path = project.quoted(command.trpo:match "^(.*)/") .. ":"
  .. project.quoted(project.lines("cd " .. project.quoted(project.root) .. " && pwd -P")[1] .. "/spec/support/cluster")

--- Runs a block in a folder, where the files are that earlier ones have made. `trpo` is the launcher.
-- @treturn string everything that was printed
-- @treturn number exit code
-- @treturn {string,...} lines that the document shows
function documents.run(folder, block)
  local text, shown = block.text, {}
  if block.language == "console" then text, shown = of_console(text) end
  -- messages name the document's lines
  if block.language == "lua" then text = ("\n"):rep(block.line - 1) .. text end
  local runner = runners[block.language]
  command.write(folder .. "/" .. runner:match "block%.%w+$", text)
  local out, _, code = command.shell(folder, ("PATH=%s:$PATH; exec 2>&1; %s"):format(path, runner))
  return out, code, shown
end

-- Numbers differ between machines, and with them plurals, what shades a cell, how columns are set, and which cell is the
-- best one.
local function bare(line)
  line = line:gsub("%f[%w]" .. ("%x"):rep(16) .. "%f[%W]", "0"):gsub("[+-]?%d+%.?%d*", "0"):gsub("0e0", "0")
  line = line:gsub("s%f[^%w]", "")
  return (line:gsub("[%.:=+o%%#@*-][%.:=+o%%#@*-]+", ""):gsub("[%s*]", ""))
end

--- The first line of those that a document shows which was not printed after the lines before it, or nil.
function documents.unprinted(shown, out)
  local rest = (out .. "\n"):gmatch "([^\n]*)\n"
  for _, line in ipairs(shown) do
    local wanted, found = bare(line), false
    while not found do
      local printed = rest()
      if not printed then return line end
      found = bare(printed) == wanted
    end
  end
end

return documents
