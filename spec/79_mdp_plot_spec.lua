-- Pictures: each format is what it says, texts cannot become commands, and a file appears whole or not at all.
local command = require "support.command"
local misuse = require "support.misuse"
local project = require "support.project"
local trpo = require "trpo"

local has_gnuplot = select(2, project.run "command -v gnuplot") == 0
local scratch

setup(function() scratch = command.scratch() end)
teardown(function() command.remove(scratch) end)

local function path(name) return scratch .. "/" .. name end

local lake = trpo.mdp.frozen_lake()
local chain = trpo.mdp.chain()
local V = trpo.range(0, 15) / 4

-- what is printed while a function runs
local function printed(text)
  command.write(path "script.lua", "local trpo = require 'trpo'\n" .. text)
  local out, err, code = command.shell(scratch, "luajit script.lua")
  assert.are.equal(0, code, err)
  return out
end

-- two methods, one of which certifies nothing
local function curves()
  local first, second = { label = "first" }, { label = "second" }
  for i = 0, 6 do
    first[i + 1] = { iteration = i, eta = 1 - 0.5 ^ i, lower_bound = 0.9 - 0.5 ^ i, kl_max = 0.1 ^ i, kl_mean = 0.05 ^ i }
    second[i + 1] = { iteration = i, eta = 0.1 * i, kl_max = i == 0 and 1 / 0 or 0 }
  end
  return { first, second, title = "two methods", optimum = 1 }
end

describe("a picture in letters", function()
  it("is a board of values and arrows for a grid world", function()
    assert.are.equal([[
lake
V                               policy
  0.000  0.250  0.500  0.750         >     v  <v>^     >
  1.000      H  1.500      H         >     H     v     H
  2.000  2.250  2.500      H         >     v     v     H
      H  3.250  3.500      G         H     >     >     G
]], printed [[
local lake = trpo.mdp.frozen_lake()
local pi = lake:deterministic_policy { 3, 2, 1, 3, 3, 1, 2, 1, 3, 2, 2, 1, 1, 3, 3, 1 }
for a = 1, 4 do pi[{ 3, a }] = 0.25 end
assert(lake:plot("-", { V = trpo.range(0, 15) / 4, policy = pi, title = "lake" }))]])
  end)

  it("goes into a file as well", function()
    assert.is_true(lake:plot(path "lake.txt", { V = V }))
    assert.are.equal([[
V
  0.000  0.250  0.500  0.750
  1.000      H  1.500      H
  2.000  2.250  2.500      H
      H  3.250  3.500      G
]], command.read(path "lake.txt"))
  end)

  it("is a table of a policy alone on other processes", function()
    assert.is_true(chain:plot(path "chain.txt", { policy = chain:uniform_policy() }))
    local text = command.read(path "chain.txt")
    assert.is_truthy(text:find("  state  policy\n      1  forward 0.5, back 0.5\n", 1, true), text)
  end)
end)

describe("a picture", function()
  if not has_gnuplot then return pending "there is no gnuplot here" end

  -- how files of a kind begin
  local magic = { svg = "^<%?xml.-<svg", png = "^\137PNG\r\n\26\n", pdf = "^%%PDF%-1" }
  local ends = { svg = "</svg>%s*$", png = "IEND....$", pdf = "%%%%EOF%s*$" }

  for ending in pairs(magic) do
    it("is a whole " .. ending .. " file", function()
      local drawings = {
        function(file) return trpo.mdp.plot_improvement(file, curves()) end,
        function(file) return lake:plot(file, { V = V, policy = lake:uniform_policy(), title = "FrozenLake, γ = 1" }) end,
        function(file) return lake:plot(file, { policy = lake:random_policy(trpo.rng(1)) }) end,
        function(file) return chain:plot(file, { V = trpo.zeros(5), policy = chain:uniform_policy() }) end,
      }
      for i, draw in ipairs(drawings) do
        if i > 2 and ending ~= "svg" then break end
        local file = path(("picture%d.%s"):format(i, ending))
        assert.is_true(draw(file))
        local bytes = command.read(file)
        assert.is_truthy(bytes:find(magic[ending]), i)
        assert.is_truthy(bytes:find(ends[ending]), i)
      end
    end)
  end

  it("of a grid world shows values, letters and an arrow for each action", function()
    assert.is_true(lake:plot(path "lake.svg", { V = V, policy = lake:uniform_policy(), title = "a title" }))
    local text = command.read(path "lake.svg")
    for _, word in ipairs { "a title", "0.25", "3.5", ">H<", ">G<", ">S<", "value V(s)" } do
      assert.is_truthy(text:find(word, 1, true), word)
    end
  end)

  it("of improvement names each method once, and shows bounds and divergences", function()
    assert.is_true(trpo.mdp.plot_improvement(path "curves.svg", curves()))
    local text = command.read(path "curves.svg")
    for _, word in ipairs { "first", "second", "two methods", "certified lower bound", "optimum", "largest of all states",
      "mean over visits" } do
      assert.are.equal(1, select(2, text:gsub("<text>" .. word .. "</text>", "")), word)
    end
    local given = curves()
    given.gap = true
    assert.is_true(trpo.mdp.plot_improvement(path "gap.svg", given))
    assert.is_truthy(command.read(path "gap.svg"):find("optimal return", 1, true))
  end)

  it("of improvement may have one record, or no divergences", function()
    local one = { { label = "one", { iteration = 1, eta = 2 } } }
    assert.is_true(trpo.mdp.plot_improvement(path "one.svg", one))
    assert.is_nil(command.read(path "one.svg"):find("KL(", 1, true))
  end)

  it("of improvement is drawn in letters", function()
    local out = printed [[
local curve = { label = "halving" }
for i = 0, 20 do curve[i + 1] = { iteration = i, eta = 1 - 0.5 ^ i } end
assert(trpo.mdp.plot_improvement("-", { curve, title = "letters" }))]]
    assert.is_truthy(out:find("letters: expected return", 1, true))
    assert.is_truthy(out:find("halving *", 1, true))
    assert.is_nil(out:find "[\27\f\128-\255]")
  end)

  it("of values alone in letters is a curve", function()
    assert.is_true(chain:plot(path "chain.txt", { V = trpo.range(1, 5) }))
    assert.is_truthy(command.read(path "chain.txt"):find("value V(s)", 1, true))
  end)

  it("shows texts as they are: none of them is a command", function()
    local evil = "a'b\"c`touch " .. path "pwned" .. "` $0 @x {/Bold y} _z^w \\n\n'; system \"touch " .. path "pwned" .. "\""
    assert.is_true(lake:plot(path "evil.svg", { V = V, title = evil }))
    local given = curves()
    given.title, given[1].label, given[2].label = evil, evil, "`touch " .. path "pwned" .. "`"
    assert.is_true(trpo.mdp.plot_improvement(path "evil.svg", given))
    local named = trpo.mdp { P = trpo.ones(1, 2, 1), r = trpo.zeros(1), gamma = 0.5, states = { evil },
      action_names = { evil, "`touch " .. path "pwned" .. "`" } }
    assert.is_true(named:plot(path "evil.svg", { V = trpo.zeros(1), policy = named:uniform_policy() }))
    local cells = trpo.mdp { P = trpo.ones(1, 2, 1), r = trpo.zeros(1), gamma = 0.5,
      grid = { rows = 1, columns = 1, cells = { "\"" } } }
    assert.is_true(cells:plot(path "evil.svg", { V = trpo.zeros(1) }))
    assert.is_nil(io.open(path "pwned"))
  end)

  it("takes values that are not finite, all alike, huge or tiny", function()
    for _, x in ipairs { 0, -1e300, 1e-300, 1 / 0, 0 / 0 } do
      local values = trpo.full(16, x)
      assert.is_true(lake:plot(path "odd.svg", { V = values }))
      values[1] = 1
      assert.is_true(lake:plot(path "odd.svg", { V = values, policy = lake:uniform_policy() }))
    end
    assert.is_true(chain:plot(path "odd.svg", { V = trpo.full(5, 0 / 0) }))
  end)

  it("of many states or cells is still drawn", function()
    local big = trpo.mdp.torus { side = 40 }
    assert.is_true(big:plot(path "big.png", { V = trpo.rand(trpo.rng(1), 1600), policy = big:uniform_policy() }))
    local large = trpo.mdp.maze { side = 130, walls = 0.1 }
    assert.is_true(large:plot(path "big.png", { V = trpo.range(1, large.S), policy = large:uniform_policy() }))
    local long = trpo.mdp.random_walk { states = 20000 }
    assert.is_true(long:plot(path "big.png", { V = trpo.range(1, long.S), policy = long:uniform_policy() }))
  end)

  it("leaves nothing behind when it cannot be written", function()
    -- other processes make files in that place, too: only those that this one asked for are looked at
    local asked, tmpname = {}, os.tmpname
    finally(function() os.tmpname = tmpname end) -- luacheck: ignore
    os.tmpname = function() -- luacheck: ignore
      asked[#asked + 1] = tmpname()
      return asked[#asked]
    end
    local ok, message, code = lake:plot(path "no/such/folder/a.svg", { V = V })
    assert.is_nil(ok)
    assert.is_truthy(message:find("cannot write", 1, true))
    assert.are.equal("no_file", code)
    assert.is_true(#asked > 0)
    for _, name in ipairs(asked) do assert.is_nil(io.open(name), name) end
  end)
end)

describe("without gnuplot", function()
  it("says in one sentence what is missing", function()
    command.write(path "script.lua", [[
local trpo = require "trpo"
print(trpo.mdp.frozen_lake():plot("a.svg", { V = trpo.zeros(16) }))]])
    -- as the shell answers when there is none
    local out, err, code = command.shell(scratch, [[mkdir -p none; printf '#!/bin/sh\nexit 127\n' >none/gnuplot
chmod +x none/gnuplot; PATH=$PWD/none:$PATH luajit script.lua]])
    assert.are.equal(0, code, err)
    assert.are.equal("nil\tplots need gnuplot, which is not there (Debian: apt-get install gnuplot-nox)\tno_gnuplot\n", out)
    assert.is_nil(io.open(path "a.svg"))
  end)
end)

describe("wrong arguments", function()
  local plot, improvement = lake.plot, trpo.mdp.plot_improvement
  local record = { iteration = 0, eta = 1 }
  misuse.each(it, {
    { "no process", plot, { 1, "a.svg", { V = V } }, "mdp:plot: mdp must be a trpo.Mdp, got 1" },
    { "no file", plot, { lake, nil, { V = V } }, "mdp:plot: file must be a string, got nil" },
    { "another ending", plot, { lake, "a.svgg", { V = V } },
      "mdp:plot: file must end in .svg, .png, .pdf or .txt, or be '-', got 'a.svgg', did you mean '.svg'?" },
    { "no ending", plot, { lake, "svg", { V = V } }, "or be '-', got 'svg'" },
    { "no options", plot, { lake, "a.svg" }, "mdp:plot: options must be a table, got nil" },
    { "an unknown option", plot, { lake, "a.svg", { polcy = 1 } },
      "mdp:plot: unknown option 'polcy', did you mean 'policy'?" },
    { "nothing to draw", plot, { lake, "a.svg", { title = "x" } }, "mdp:plot: there must be V, policy or both" },
    { "values that are none", plot, { lake, "a.svg", { V = { 1, 2 } } }, "mdp:plot: V must be a tensor, got {1, 2}" },
    { "values of another process", plot, { lake, "a.svg", { V = trpo.zeros(15) } },
      "mdp:plot: V must have size [16], got [15]" },
    { "a policy of another process", plot, { lake, "a.svg", { policy = trpo.zeros(16) } },
      "mdp:plot: policy must have size [16, 4], got [16]" },
    { "a title that is none", plot, { lake, "a.svg", { V = V, title = 3 } }, "mdp:plot: title must be a string, got 3" },
    { "curves into another ending", improvement, { "a.jpg", {} },
      "trpo.mdp.plot_improvement: file must end in .svg, .png, .pdf or .txt, or be '-', got 'a.jpg'" },
    { "no curves", improvement, { "a.svg" }, "trpo.mdp.plot_improvement: curves must be a table, got nil" },
    { "an empty list", improvement, { "a.svg", {} }, "trpo.mdp.plot_improvement: there must be at least one curve" },
    { "an unknown option of curves", improvement, { "a.svg", { { label = "a", record }, titel = "x" } },
      "trpo.mdp.plot_improvement: unknown option 'titel', did you mean 'title'?" },
    { "a curve that is none", improvement, { "a.svg", { 3 } },
      "trpo.mdp.plot_improvement: curve 1 must be a list of records with a label, got 3" },
    { "a curve without label", improvement, { "a.svg", { { record } } },
      "trpo.mdp.plot_improvement: label of curve 1 must be a string, got nil" },
    { "a curve without records", improvement, { "a.svg", { { label = "a" } } },
      "trpo.mdp.plot_improvement: curve 1 ('a') holds no records" },
    { "a record without return", improvement, { "a.svg", { { label = "a", { iteration = 1 } } } },
      "trpo.mdp.plot_improvement: record 1 of curve 1 ('a') must have the numbers iteration and eta" },
    { "a return that is NaN", improvement, { "a.svg", { { label = "a", { iteration = 1, eta = 0 / 0 } } } },
      "trpo.mdp.plot_improvement: record 1 of curve 1 ('a') must have the numbers iteration and eta" },
    { "an optimum that is none", improvement, { "a.svg", { { label = "a", record }, optimum = "x" } },
      "trpo.mdp.plot_improvement: optimum must be a number, got the string 'x'" },
    { "gaps to nowhere", improvement, { "a.svg", { { label = "a", record }, gap = true } },
      "trpo.mdp.plot_improvement: gap needs the optimum to measure from" },
    { "a title of curves that is none", improvement, { "a.svg", { { label = "a", record }, title = {} } },
      "trpo.mdp.plot_improvement: title must be a string, got a table" },
  })
end)
