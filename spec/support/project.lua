--- What the specs of the tree need: where it is, its files, and running commands.
local project = {}

local here = debug.getinfo(1, "S").source:match "^@(.*)spec/support/project.lua$"

--- The root of the source tree, ending in a slash.
project.root = here == "" and "./" or here

--- The folder that holds this build: objects, C tests and the module.
project.build = os.getenv "TRPO_BUILD" or project.root .. "build"

--- A word as the shell reads it back.
function project.quoted(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- Runs a shell command; returns what it wrote (errors too) and its exit code.
function project.run(command)
  local pipe = io.popen("{ " .. command .. "\n} 2>&1; echo $?")
  local output = pipe:read "*a"
  pipe:close()
  local text, code = output:match "^(.-)(%d+)\n$"
  return text, tonumber(code)
end

--- The lines that a command writes, as a list; the command must succeed.
function project.lines(command)
  local text, code = project.run(command)
  assert(code == 0, command .. " failed: " .. text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return lines
end

--- Files of the tree below the given folders but for bench/.venv, as paths from the root; `pattern` is a Lua pattern.
function project.files(folders, pattern)
  local files = {}
  local find = ("cd %s && find %s -name .venv -prune -o -type f -print | sort"):format(project.quoted(project.root), folders)
  for _, path in ipairs(project.lines(find)) do
    if path:find(pattern) then
      files[#files + 1] = path
    end
  end
  return files
end

--- The text of a file of the tree.
function project.read(path)
  local file = assert(io.open(project.root .. path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

return project
