-- trpo solve, in processes of its own: what it prints, what it draws, what it refuses; and the examples.
local command = require "support.command"
local json = require "trpo.json"
local project = require "support.project"
local trpo = require "trpo"

local has_gnuplot = select(2, project.run "command -v gnuplot") == 0
local has_zip = pcall(require, "trpo.zip")
local scratch

setup(function() scratch = command.scratch() end)
teardown(function() command.remove(scratch) end)

local function path(name) return scratch .. "/" .. name end

local function solve(arguments) return command.run(scratch, "solve " .. arguments) end

-- what a run prints that must succeed and say nothing else
local function solved(arguments)
  local out, err, code = solve(arguments)
  assert.are.equal(0, code, err)
  assert.are.equal("", err)
  return out
end

local function solved_json(arguments) return assert(json.decode(solved(arguments .. " --json"))) end

local function assert_near(expected, got, tolerance)
  assert.is_true(math.abs(expected - got) <= (tolerance or 1e-8), ("%.17g and %.17g"):format(expected, got))
end

describe("trpo solve", function()
  it("shows values and policy of a grid world as boards, and a table", function()
    local out = solved "frozen_lake"
    assert.is_truthy(out:find "^frozen_lake: 16 states, 4 actions, gamma 0.99\n")
    assert.is_truthy(out:find("\nexpected return 0.54202593", 1, true))
    assert.is_truthy(out:find("\nevery V is certified to within ", 1, true))
    assert.is_truthy(out:find([[

V                               policy
  0.542  0.499  0.471  0.457      <  ^  ^  ^
  0.558      H  0.358      H      <  H  <  H
  0.592  0.643  0.615      H      ^  v  <  H
      H  0.742  0.863      G      H  >  v  G
]], 1, true), out)
    assert.is_truthy(out:find("\n  state         V  policy   Q(left)   Q(down)  Q(right)     Q(up)\n", 1, true))
    assert.is_truthy(out:find("\n     10   0.64308  down    0.440061   0.64308  0.447786  0.398312\n", 1, true))
    assert.is_nil(out:find "[\27\128-\255]")
  end)

  it("takes ids of Gymnasium, options of the process and another gamma", function()
    local found = solved_json "FrozenLake-v1 --gamma 0.95"
    assert_near(0.180471578397, found.eta)
    found = solved_json "frozen_lake --set map=SFFF,FHFH,FFFH,HFFG --set slippery=false --gamma 0.5"
    assert_near(0.5 ^ 5, found.eta)
    found = solved_json "cliff_walking --gamma 0.9"
    assert_near(-(1 - 0.9 ^ 13) / 0.1, found.eta)
    found = solved_json "two_policies --gamma 0.5"
    assert.are.equal(0.5, found.gamma)
    assert_near(5, found.eta) -- its rewards follow gamma
  end)

  it("prints numbers as JSON that read back exactly", function()
    local found = solved_json "chain --method policy_iteration"
    local mdp = trpo.mdp.chain()
    local star = mdp:solve { method = "policy_iteration" }
    assert.are.same({ "chain", 5, 2, 0.99, "policy_iteration" },
      { found.name, found.states, found.actions, found.gamma, found.method })
    assert.are.equal(star.eta, found.eta)
    assert.are.equal(star.bound, found.bound)
    assert.are.same(star.V:totable(), found.V)
    assert.are.same(star.V_lo:totable(), found.V_lo)
    assert.are.same(star.Q:totable(), found.Q)
    assert.are.same(star.policy:totable(), found.policy)
    local missing = solved_json "puterman"
    assert.are.equal(json.null, missing.Q[2][2])
  end)

  it("solves by a method, to a tolerance, with a certificate", function()
    for _, method in ipairs { "value_iteration", "policy_iteration", "modified_policy_iteration", "gauss_seidel" } do
      local found = solved_json("river_swim --tolerance 1e-6 --method " .. method)
      assert.are.equal(method, found.method)
      assert.is_true(found.bound <= 1e-6)
    end
    assert.is_truthy(solved("river_swim --certify 1e-13"):find "\nV is certified to within [^\n]+ as the pair V %+ V_lo ")
    local found = solved_json "river_swim --certify 1e-13"
    assert.is_true(found.bound <= 1e-13)
    local far = 0
    for _, x in ipairs(found.V_lo) do far = math.max(far, math.abs(x)) end
    assert.is_true(far > 0)
  end)

  it("solves for a number of steps", function()
    local star = trpo.mdp.frozen_lake():solve { method = "horizon", horizon = 6 }
    for _, flags in ipairs { "--horizon 6", "--horizon 6 --method horizon" } do
      local found = solved_json("frozen_lake " .. flags)
      assert.are.equal(star.eta, found.eta)
      assert.are.same(star.V:totable(), found.V)
      assert.are.same(star.policy:totable(), found.policy)
    end
    local out = solved "frozen_lake --horizon 6"
    assert.is_truthy(out:find("\nof the first of 6 steps:\n", 1, true), out)
    assert.is_truthy(out:find(("\n      1  %.6g  "):format(star.V[1][1]), 1, true), out)
  end)

  it("solves with a reward for entropy", function()
    local star = trpo.mdp.chain():solve { method = "entropy", temperature = 0.5 }
    local found = solved_json "chain --temperature 0.5"
    assert.are.equal("entropy", found.method)
    assert.are.equal(star.eta, found.eta)
    assert.are.same(star.policy:totable(), found.policy)
    assert.is_truthy(solved("chain --method entropy --temperature 0.5"):find("\nexpected return 355.79988", 1, true))
  end)

  it("lists the processes that have names", function()
    local out = solved "--list"
    for _, entry in ipairs(trpo.mdp.gallery()) do
      assert.is_truthy(("\n" .. out):find(("\n%-16s %s"):format(entry.name, entry.summary), 1, true), entry.name)
    end
    assert.is_truthy(out:find("(FrozenLake-v1, FrozenLake8x8-v1)\n", 1, true))
    assert.are.same(trpo.mdp.gallery(), solved_json "--list")
  end)

  it("evaluates the uniform policy", function()
    local found = solved_json "grid_world --policy uniform"
    local row = { 3.308996335635, 8.789291862596, 4.427619182583, 5.322367593370, 1.492178758740 }
    for s, x in ipairs(row) do assert_near(x, found.V[s], 1e-11) end
    assert.are.same({ 0.25, 0.25, 0.25, 0.25 }, found.policy[1])
    assert_near(found.Q[7][3] - found.V[7], found.A[7][3], 1e-13)
    local visits = 0
    for _, x in ipairs(found.rho) do visits = visits + x end
    assert_near(10, visits)
    local out = solved "grid_world --policy uniform"
    assert.is_truthy(out:find("\nuniform policy, ", 1, true))
    assert.is_truthy(out:find("\n      2    8.78929  4 actions alike ", 1, true), out)
    assert.is_truthy(out:find("    ^v><  ^v><  ^v><  ^v><  ^v><\n", 1, true), out)
  end)

  it("shows the ends of a long table", function()
    local out = solved "garnet --set states=60 --set branching=2 --set actions=8"
    assert.is_truthy(out:find("\n    ...\n", 1, true))
    assert.is_truthy(out:find("\n  (32 states are not shown)\n", 1, true))
    assert.is_nil(out:find("Q(", 1, true))
    assert.is_truthy(out:find "\n     60 ")
  end)

  it("reads scripts", function()
    command.write(path "mine.lua", [[
local trpo = require "trpo"
return trpo.mdp { P = trpo.ones(1, 2, 1), r = trpo.tensor { { 1, 2 } }, gamma = 0.5, states = { "only" },
  action_names = { "stay", "go" } }]])
    local out = solved "mine.lua"
    assert.is_truthy(out:find("^mine.lua: 1 state, 2 actions, gamma 0.5\n"), out)
    assert.is_truthy(out:find("\n  only   4  go            3      4\n", 1, true), out)
    assert_near(2.5, solved_json("mine.lua --gamma 0.2").eta)
  end)

  it("reads files", function()
    if not has_zip then return pending "there is no libzip here" end
    assert.is_true(trpo.mdp.chain():save(path "chain.npz"))
    local found = solved_json "chain.npz"
    assert.are.equal("chain.npz", found.name)
    assert.are.equal(trpo.mdp.chain():solve().eta, found.eta)
    assert.are.equal(0.5, solved_json("chain.npz --gamma 0.5").gamma)
  end)

  it("ends with 1 when the standard output is full", function()
    if not io.open "/dev/full" then return pending "there is no /dev/full here" end
    local _, err, code = solve "chain --json >/dev/full"
    assert.are.equal(1, code)
    assert.is_truthy(err:find("cannot write to the standard output", 1, true), err)
  end)
end)

describe("trpo solve --improve", function()
  it("compares methods from the uniform policy", function()
    local out = solved "garnet --set states=10 --gamma 0.5 --improve policy_iteration,monotone --iterations 7"
    assert.is_truthy(out:find("\nfrom the uniform policy; the optimal return is ", 1, true))
    assert.is_truthy(out:find "\n  iteration  policy iteration  monotone\n          0 ")
    assert.is_truthy(out:find "\n          7  ")
    assert.is_truthy(out:find "\n  last step of +return +lower bound +KL max +KL mean +TV max +step +status\n  policy iteration ")
  end)

  it("prints every record as JSON", function()
    local found = solved_json "chain --gamma 0.5 --improve monotone,cpi --iterations 3"
    local mdp = trpo.mdp.chain { gamma = 0.5 }
    assert.are.same({ "monotone", "cpi" }, { found.improve[1].method, found.improve[2].method })
    assert.are.equal(mdp:evaluate(mdp:uniform_policy()).eta, found.improve[1].records[1].eta)
    local i = 1
    for info in mdp:improve { method = "monotone", iterations = 3 } do
      i = i + 1
      local record = found.improve[1].records[i]
      assert.are.same({ info.iteration, info.eta, info.lower_bound, info.kl_max, info.status },
        { record.iteration, record.eta, record.lower_bound, record.kl_max, record.status })
    end
    assert.are.equal(i, #found.improve[1].records)
    assert_near(mdp:solve().eta, found.optimum)
  end)

  it("bounds the steps of the methods that have a bound", function()
    local found = solved_json "chain --improve trust_region_max,cpi,natural --delta 0.05 --iterations 1"
    local mdp = trpo.mdp.chain()
    for i, method in ipairs { "trust_region_max", "cpi", "natural" } do
      local given = { method = method, iterations = 1, delta = method ~= "cpi" and 0.05 or nil }
      assert.are.equal(mdp:improve(given)().eta, found.improve[i].records[2].eta)
    end
  end)

  it("draws curves", function()
    if not has_gnuplot then return pending "there is no gnuplot here" end
    local out = solved "chain --gamma 0.5 --improve monotone,cpi --iterations 3 --plot curves.svg --ascii"
    assert.is_truthy(out:find("expected return", 1, true))
    assert.is_truthy(out:find("cpi #", 1, true), out)
    assert.is_truthy(command.read(path "curves.svg"):find("certified lower bound", 1, true))
  end)
end)

describe("trpo solve --plot", function()
  it("draws the result", function()
    if not has_gnuplot then return pending "there is no gnuplot here" end
    solved "cliff_walking --plot cliff.svg"
    local text = command.read(path "cliff.svg")
    for _, word in ipairs { "cliff_walking", ">G<", ">C<", "-13.1" } do
      assert.is_truthy(text:find(word, 1, true), word)
    end
    solved "taxi --plot taxi.png"
    assert.is_truthy(command.read(path "taxi.png"):find "^\137PNG")
  end)

  it("draws letters, into a file too", function()
    solved "frozen_lake --plot lake.txt"
    assert.is_truthy(command.read(path "lake.txt"):find("  0.542  0.499  0.471  0.457      <  ^  ^  ^\n", 1, true))
    local out = solved "frozen_lake --ascii"
    assert.are.equal(2, select(2, out:gsub("0.542  0.499  0.471  0.457      <", "")))
  end)

  it("says when it cannot", function()
    local out, err, code = solve "frozen_lake --plot no/such/folder/lake.txt"
    assert.are.equal(1, code)
    assert.is_truthy(err:find("^trpo: cannot write 'no/such/folder/lake.txt'"), err)
    assert.is_truthy(out:find("0.542", 1, true))
    -- as the shell answers when there is no gnuplot
    out, err, code = command.shell(scratch, [[mkdir -p none; printf '#!/bin/sh\nexit 127\n' >none/gnuplot
chmod +x none/gnuplot; PATH=$PWD/none:$PATH "$trpo" solve frozen_lake --plot lake.svg]])
    assert.are.equal(1, code)
    assert.are.equal("trpo: plots need gnuplot, which is not there (Debian: apt-get install gnuplot-nox)\n", err)
    assert.is_truthy(out:find("0.542", 1, true))
  end)
end)

describe("wrong usage of trpo solve", function()
  local cases = {
    { "", "missing argument 'file'" },
    { "frozen_lak", "trpo: there is neither a file nor a process 'frozen_lak', did you mean 'frozen_lake'?; trpo solve --list " },
    { "FrozenLak-v1", "trpo: there is neither a file nor a process 'FrozenLak-v1', did you mean 'FrozenLake-v1'?; trpo solve --list " },
    { "none.npz", "trpo: there is neither a file nor a process 'none.npz'; trpo solve --list shows the processes\n" },
    { ".", "trpo: cannot read '.' (Is a directory); give an .npz file, a Lua script or the name of a process\n" },
    { "chain --gama 0.5", "Did you mean '--gamma'?" },
    { "chain --gamma x", "trpo: gamma must be a number in [0, 1], got 'x'\n" },
    { "chain --gamma -1", "trpo: gamma must be a number in [0, 1], got '-1'\n" },
    { "chain --gamma nan", "trpo: gamma must be a number in [0, 1], got 'nan'\n" },
    { "chain --tolerance 0", "trpo: tolerance must be a number > 0, got '0'\n" },
    { "chain --certify x", "trpo: certify must be a number > 0, got 'x'\n" },
    { "chain --iterations 5", "trpo: --iterations goes with --improve only; to solve takes as many as it needs\n" },
    { "chain --improve cpi --iterations 0", "trpo: iterations must be an integer >= 1, got '0'\n" },
    { "chain --improve cpi --iterations 1.5", "trpo: iterations must be an integer >= 1, got '1.5'\n" },
    { "chain --improve cpi --method krylov", "trpo: --method does not go with --improve\n" },
    { "notes.md", "trpo: 'notes.md' is neither an .npz file nor a Lua script; processes are saved by mdp:save or numpy.savez\n" },
    { "--list chain", "trpo: --list goes with --json only\n" },
    { "chain --horizon 0", "trpo: horizon must be an integer >= 1, got '0'\n" },
    { "chain --temperature 0", "trpo: temperature must be a number > 0, got '0'\n" },
    { "chain --method krylov --horizon 3", "trpo: the method krylov takes no horizon\n" },
    { "chain --method horizon", "trpo: horizon must be an integer >= 1" },
    { "chain --policy uniform --horizon 3", "trpo: --horizon does not go with --policy uniform\n" },
    { "chain --improve cpi --temperature 3", "trpo: --temperature does not go with --improve\n" },
    { "chain --improve cpi --delta 0.1",
      "trpo: --delta goes with --improve by trust_region_mean, trust_region_max, natural or gradient only\n" },
    { "chain --improve natural --delta 0", "trpo: delta must be a number > 0, got '0'\n" },
    { "chain --improve cpi --policy uniform", "trpo: --policy does not go with --improve\n" },
    { "chain --improve cpy", "trpo: unknown method 'cpy', did you mean 'cpi'?\n" },
    { "chain --improve ,", "trpo: --improve must name at least one method\n" },
    { "chain --policy random", "must be one of 'optimal', 'uniform'" },
    { "chain --method poly", "trpo: method must be " },
    { "chain --set stats=7", "trpo: unknown option 'stats', did you mean 'states'?\n" },
    { "chain --set states=many", "trpo: states must be an integer " },
    { "chain --set states", "trpo: --set must be NAME=VALUE, got 'states'\n" },
    { "chain --json --ascii", "trpo: --ascii does not go with --json\n" },
    { "chain --plot chain.gif", "trpo: --plot: file must end in .svg, .png, .pdf or .txt, or be '-', got 'chain.gif'\n" },
    { "chain --plot -", "trpo: --plot: to see a picture in the terminal, say --ascii\n" },
    { "script.lua --set states=3", "trpo: --set is for named processes, 'script.lua' is a file\n" },
    { "wrong.lua", "trpo: wrong.lua:2: trpo.mdp.chain: unknown option 'stats', did you mean 'states'?\n" },
  }
  for _, case in ipairs(cases) do
    it("ends with 2 and one sentence: " .. case[1], function()
      command.write(path "notes.md", "# Notes")
      command.write(path "script.lua", "return require('trpo').mdp.chain()")
      command.write(path "wrong.lua", "local trpo = require 'trpo'\nlocal made = trpo.mdp.chain { stats = 3 }\nreturn made")
      local out, err, code = solve(case[1])
      assert.are.equal(2, code, err)
      assert.are.equal("", out)
      assert.is_truthy(err:find(case[2], 1, true), err)
      assert.is_nil(err:find("stack traceback", 1, true), err)
    end)
  end
end)

describe("a process that trpo solve cannot have", function()
  local cases = {
    { "return 3", "trpo: bad.lua must return a process such as trpo.mdp { ... }, it returned a number\n" },
    { "local x", "trpo: bad.lua must return a process, it returned nothing\n" },
    { "return require('trpo').zeros(3)", "trpo: bad.lua must return a process such as trpo.mdp { ... }, it returned something" },
    { "x =", "trpo: bad.lua:1: unexpected symbol near '<eof>'\n" },
    { "error 'oh no'", "trpo: bad.lua:1: oh no\nstack traceback:" },
    { "return require('trpo').mdp { P = require('trpo').zeros(1, 1, 1), r = require('trpo').zeros(1), gamma = 0 }",
      "trpo: bad.lua: probabilities of state 1, action 1 sum to 0, not to 1 (tolerance 1e-09)\n" },
    { "return nil, 'the model is not finished'", "trpo: bad.lua: the model is not finished\n" },
  }
  for i, case in ipairs(cases) do
    it("ends with 1: script " .. i, function()
      command.write(path "bad.lua", case[1])
      local out, err, code = solve "bad.lua"
      assert.are.equal(1, code, err)
      assert.are.equal("", out)
      assert.is_truthy(err:find(case[2], 1, true), err)
    end)
  end

  it("ends with 1: a file with wrong contents", function()
    if not has_zip then return pending "there is no libzip here" end
    trpo.npz.write(path "bad.npz", { x = trpo.ones(1) })
    local _, err, code = solve "bad.npz"
    assert.are.equal(1, code)
    assert.are.equal("trpo: cannot read 'bad.npz': it holds no process: neither 'state' (outcomes in columns) nor 'P' "
      .. "(a dense one)\n", err)
  end)

  it("ends with 1: one that has no values at gamma = 1", function()
    local out, err, code = solve "garnet --gamma 1"
    assert.are.equal(1, code, out)
    assert.is_truthy(err:find "^trpo: [^\n]+\n$", err)
  end)
end)

describe("trpo help solve", function()
  it("shows an example", function()
    local out, _, code = command.run(scratch, "help solve")
    assert.are.equal(0, code)
    assert.is_truthy(out:find "\nExample:\n  trpo solve [^\n]+\n$")
  end)
end)

describe("the example #tree", function()
  local examples = project.lines "pwd -P"[1] .. "/examples/exact/"
  local cases = {
    monotone = { has_gnuplot and "curves.svg" or "", "policy iteration +97%.38 %%" },
    penalty = { "", "\n  0%.990   7%.48e%+03    1%.2e%-11      8%.93e%-08 " },
    delta_gamma = { "", "\n  0%.01 +%d+ +%d+ +%d+ +%d+ +%d+\n" },
  }
  for name, case in pairs(cases) do
    it(name .. ".lua runs", function()
      local out, err, code = command.shell(scratch, ("luajit %s %s"):format(project.quoted(examples .. name .. ".lua"), case[1]))
      assert.are.equal(0, code, err)
      assert.are.equal("", err)
      assert.is_truthy(out:find(case[2]), out)
    end)
  end

  -- lines such as "- `bin/trpo solve frozen_lake --gamma 0.9`"
  for line in project.read "docs/exact.md":gmatch "[^\n]+" do
    local arguments = line:match "^%- `bin/trpo solve ([^`]+)`$"
    if arguments then
      it("trpo solve " .. arguments .. " of docs/exact.md works as shown", function() solved(arguments) end)
    end
  end
end)
