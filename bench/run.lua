-- All benchmarks, or some by name, and the document they make.
--
--   luajit bench/run.lua [short] [--no-peers] [--list] [name ...]        make bench, make bench-short
--
-- Each is a script that runs alone, too, and leaves bench/results/<name>.json; docs/performance.md is made of these, so
-- what is not run again keeps its last figures. A short run, which only tells that all of it works, has its files in
-- the build folder and makes no document.
local index = require "bench.index"
local peer = require "bench.peer"
local support = require "bench.support"

io.stdout:setvbuf "no"

local options, wanted = {}, {}
for _, word in ipairs(arg) do
  if word == "short" or word:find "^%-%-" then options[word] = true else wanted[word] = true end
end

if options["--list"] then
  for _, case in ipairs(index) do print(("%-10s %-4s %s"):format(case.name, case.id or "", case.title)) end
  os.exit(0)
end

for name in pairs(wanted) do
  local known
  for _, case in ipairs(index) do known = known or case.name == name end
  if not known then
    io.stderr:write(("bench/run.lua: no benchmark '%s'; --list names them\n"):format(name))
    os.exit(1)
  end
end

-- the shell command of a case
local function command(case)
  local words = { peer.quoted(arg[-1]), "bench/" .. case.name .. ".lua" }
  if options.short then words[#words + 1] = "short" elseif case.argument then words[#words + 1] = case.argument end
  if options["--no-peers"] then words[#words + 1] = "--no-peers" end
  return table.concat(words, " ")
end

if not options.short and not options["--no-peers"]
  and not peer.python({ "bench/.venv/bin/python" }, "sb3_contrib") then
  print "  no peers to compare with; make bench-peers installs them"
end

local failed = {}
for _, case in ipairs(index) do
  if wanted[case.name] or not next(wanted) and (options.short or not case.apart) then
    print(("\n== %s%s"):format(case.id and case.id .. ", " or "", case.title))
    local start = support.now()
    if os.execute(command(case)) ~= 0 then failed[#failed + 1] = case.name end
    print(("-- %s: %.0f s"):format(case.name, support.now() - start))
  end
end

if not options.short and os.execute(peer.quoted(arg[-1]) .. " bench/report.lua") ~= 0 then
  failed[#failed + 1] = "report"
end
if #failed > 0 then
  print("\nfailed: " .. table.concat(failed, ", "))
  os.exit(1)
end
