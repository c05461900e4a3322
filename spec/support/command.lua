--- Runs the command line in a folder of its own.
local project = require "support.project"
local quoted = project.quoted

local command = {}

--- The launcher: of the tree, or of an installed copy that stands in its place.
command.trpo = project.lines "pwd -P"[1] .. "/bin/trpo"

--- Makes a scratch folder; `command.remove` takes it away.
function command.scratch() return project.lines("mktemp -d")[1] end

function command.remove(folder) project.run("rm -rf " .. quoted(folder)) end

--- Writes a file.
function command.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

--- Reads a file.
function command.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

--- A script that is quick, with more options; --set and the like win over what it says.
function command.quick_script(more)
  return ([[
local trpo = require "trpo"
local run = trpo.experiment {
  env = "CartPole-v1", policy = { hidden = { 4 } }, value = { hidden = { 4 }, optimizer = "adam", epochs = 1 },
  algorithm = trpo.TRPO { delta = 0.03 }, steps = 256, lanes = 2, horizon = 64, seed = 11,
  evaluation = { episodes = 3 }, %s
}
return run:main(...)
]]):format(more or "")
end

--- Runs shell text in a folder; returns standard output, standard error output, exit code. `$trpo` is the launcher.
function command.shell(folder, text)
  local line = ("cd %s && trpo=%s && (%s\n) >.out 2>.err"):format(quoted(folder), quoted(command.trpo), text)
  local _, code = project.run(line)
  return command.read(folder .. "/.out"), command.read(folder .. "/.err"), code
end

--- Runs `trpo` with arguments in a folder; as `command.shell`.
function command.run(folder, arguments) return command.shell(folder, '"$trpo" ' .. arguments) end

--- Shell text that goes on when a test of the shell holds; after five minutes it kills `$pid`, and the exit code is 99.
-- How long something takes, no spec can know: the machine may have other things to do.
function command.await(test)
  return ("i=0; until %s; do i=$((i + 1)); [ $i -lt 6000 ] || { kill -9 $pid; exit 99; }; sleep 0.05; done\n"):format(test)
end

--- The same in this process: whether a function returns something true within five minutes, which it is asked for again
--- and again.
function command.comes_true(test)
  local uv = require "luv"
  local last = uv.hrtime() + 300e9
  repeat
    local found = test()
    if found then return found end
    uv.sleep(2)
  until uv.hrtime() > last
  return test()
end

--- Lua text that does nothing until the folder is removed that it runs in, as `command.remove` does at the end of a spec:
--- however busy the machine is, it ends neither too early nor never.
command.stay = [[os.execute 'here=$PWD; while [ -d "$here" ]; do sleep 0.1; done']]

--- A table of comma-separated values: list of names, list of rows by name (numbers, nil where a field is empty).
function command.csv(path)
  local names, rows = nil, {}
  for line in io.lines(path) do
    local fields = {}
    for field in (line .. ","):gmatch "([^,]*)," do fields[#fields + 1] = field end
    if names then
      local row = {}
      for i, name in ipairs(names) do row[name] = tonumber(fields[i]) end
      row.fields = #fields
      rows[#rows + 1] = row
    end
    names = names or fields
  end
  return names, rows
end

--- Whether a sanitizer's runtime is loaded: it needs more address space than any limit leaves.
command.sanitized = os.getenv "TRPO_PRELOAD" ~= nil

--- Whether the module is only watched more closely (sanitizers, the collector): what other programs do with its files
--- is seen without that, too.
command.watched = command.sanitized or (os.getenv "LUA_INIT" or ""):find("gc.lua", 1, true) ~= nil

return command
