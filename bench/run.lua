-- All benchmarks, or some by name, and the document they make.
--
--   luajit bench/run.lua [short] [--save] [--no-peers] [--list] [name ...]        make bench, make bench-short
--
-- Each is a script that runs alone, too. With --save it leaves bench/results/<name>.json, and docs/performance.md is
-- made of these, so what is not run again keeps its last figures. Otherwise, and after a short run, which only tells
-- that all of it works, the files are in the build folder, and there is no document.
local index = require "bench.index"
local peer = require "bench.peer"
local support = require "bench.support"

io.stdout:setvbuf "no"

local words = { "short" }
for _, case in ipairs(index) do words[#words + 1] = case.name end
local options = support.arguments {
  about = "All benchmarks, or some by name.", words = words, peers = true,
  flags = { { "--list", "only name them" } },
}
local wanted = {}
for _, word in ipairs(options.words) do
  if word ~= "short" then wanted[word] = true end
end

if options.list then
  for _, case in ipairs(index) do print(("%-10s %s"):format(case.name, case.title)) end
  os.exit(0)
end

-- the shell command of a case
local function command(case)
  local given = { peer.quoted(arg[-1]), "bench/" .. case.name .. ".lua" }
  if options.short then given[#given + 1] = "short" elseif case.argument then given[#given + 1] = case.argument end
  if options.no_peers and case.peers then given[#given + 1] = "--no-peers" end
  if options.save then given[#given + 1] = "--save" end
  return table.concat(given, " ")
end

if not options.short and not options.no_peers
  and not peer.python({ "bench/.venv/bin/python" }, "sb3_contrib") then
  print "  no peers to compare with; make bench-peers installs them"
end

local failed = {}
for _, case in ipairs(index) do
  if wanted[case.name] or not next(wanted) and (options.short or not case.apart) then
    print("\n== " .. case.title)
    local start = support.now()
    if os.execute(command(case)) ~= 0 then failed[#failed + 1] = case.name end
    print(("-- %s: %.0f s"):format(case.name, support.now() - start))
  end
end

if options.save and os.execute(peer.quoted(arg[-1]) .. " bench/report.lua") ~= 0 then
  failed[#failed + 1] = "report"
end
if #failed > 0 then
  print("\nfailed: " .. table.concat(failed, ", "))
  os.exit(1)
end
