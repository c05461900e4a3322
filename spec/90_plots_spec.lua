-- Pictures of runs and sweeps: they hold the numbers that the files hold, in any format, and say what is wrong.
local command = require "support.command"
local misuse = require "support.misuse"
local project = require "support.project"
local runs = require "trpo.runs"
local sweep_folder = require "support.sweep_folder"
local ticks = require "trpo.plots.ticks"
local trpo = require "trpo"
local wording = require "trpo.plots.wording"

local has_gnuplot = select(2, project.run "command -v gnuplot") == 0
local scratch

setup(function() scratch = command.scratch() end)
teardown(function() command.remove(scratch) end)

local function path(name) return scratch .. "/" .. name end

-- the folder of a run with these lines in its progress.csv
local function write_run(name, lines, config)
  project.lines("mkdir -p " .. project.quoted(path(name)))
  command.write(path(name .. "/progress.csv"), type(lines) == "table" and table.concat(lines, "\n") .. "\n" or lines)
  if config then
    command.write(path(name .. "/config.json"), type(config) == "table" and trpo.json.encode(config) or config)
  end
  return path(name)
end

local heading = "time/iterations,time/total_timesteps,time/time_elapsed,rollout/ep_rew_mean,eval/mean_reward"

-- a run whose return is `level` + iteration
local function simple_run(name, level, config, iterations)
  local lines = { heading }
  for i = 1, iterations or 4 do
    lines[i + 1] = ("%d,%d,%g,%g,%s"):format(i, 1000 * i, 0.5 * i, level + i, i == 4 and tostring(level) or "")
  end
  return write_run(name, lines, config)
end

local function config(seed, delta, extra)
  local out = { seed = seed, name = "n" .. seed, env = { id = "CartPole-v1" }, policy = { hidden = { 64, 64 } },
    value = { hidden = { 64, 64 } }, algorithm = { name = "TRPO", delta = delta, gamma = 0.99 } }
  for key, value in pairs(extra or {}) do out[key] = value end
  return out
end

-- the rows of a block of data in a script
local function block(script, name)
  local rows = {}
  for line in (script:match("%$" .. name .. " << EOD\n(.-)EOD") or ""):gmatch "[^\n]+" do
    local row = {}
    for word in line:gmatch "%S+" do row[#row + 1] = tonumber(word) or word end
    rows[#rows + 1] = row
  end
  return rows
end

local function read_all(...)
  local list = {}
  for i, folder in ipairs { ... } do list[i] = assert(runs.read(folder)) end
  return list
end

-- the picture of curves of some runs, not drawn
local function curves(list, asked)
  local groups = assert(require("trpo.plots.groups").of(list, asked and asked.group))
  local given = { x = "steps", y = "rollout/ep_rew_mean", title = "t" }
  for key, value in pairs(asked or {}) do given[key] = value end
  return assert(require("trpo.plots.curves").picture(groups, given))
end

local function lattice(folder, asked)
  return assert(require("trpo.plots.lattice").of(assert(require("trpo.sweep.results").read(folder)), asked or {}))
end

-- ---- reading -----------------------------------------------------------------------------------

describe("a run that is read", function()
  it("has no point where a number is beyond those that statistics know", function()
    local list = {}
    for seed = 1, 2 do
      local lines = { heading }
      for i = 1, 4 do lines[i + 1] = ("%d,%d,%g,%s,"):format(i, 1000 * i, i, i == 2 and "1e301" or i == 3 and "-1e305" or i) end
      list[seed] = write_run("huge" .. seed, lines, config(seed, 0.01))
      local x, y = runs.pairs(assert(runs.read(list[seed])), "time/total_timesteps", "rollout/ep_rew_mean")
      assert.are.same({ { 1000, 4000 }, { 1, 4 } }, { x:totable(), y:totable() })
    end
    local out, err, code = command.run(scratch, "plot huge1 huge2 --ascii")
    assert.are.same({ "", 0 }, { err, code })
    assert.is_truthy(#out > 0)
    assert.are.equal(1e300, trpo.stats.LARGEST)
    assert(trpo.stats.iqm(trpo.tensor { trpo.stats.LARGEST }))
  end)

  it("has its parameters by dotted path and its numbers by column", function()
    local run = assert(runs.read(simple_run("plain", 10, config(3, 0.01)) .. "//"))
    assert.are.equal("plain", run.name)
    assert.are.equal(4, run.rows)
    assert.are.equal(0.01, run.parameters["algorithm.delta"])
    assert.are.equal("{64, 64}", run.parameters["policy.hidden"])
    assert.are.same({ 11, 12, 13, 14 }, run.columns["rollout/ep_rew_mean"])
    local x, y = runs.pairs(run, "time/total_timesteps", "eval/mean_reward")
    assert.are.same({ 4000 }, x:totable())
    assert.are.same({ 10 }, y:totable())
  end)

  it("may be anybody's: quotes, carriage returns, a byte order mark, words for numbers", function()
    local folder = write_run("foreign", '\239\187\191"a, ""b""",c,"d\ne"\r\n1,True,nan\r\n\n"2",False,-inf\r\n3e1,None,\r\n')
    local run = assert(runs.read(folder))
    assert.are.same({ 'a, "b"', "c", "d\ne" }, run.names)
    assert.are.same({ 1, 2, 30 }, run.columns['a, "b"'])
    assert.are.same({ 1, 0 }, { unpack(run.columns.c, 1, 2) })
    assert.is_true(run.columns.c[3] ~= run.columns.c[3])
    assert.are.equal(-math.huge, run.columns["d\ne"][2])
    assert.are.same({}, run.parameters)
  end)

  it("reads back what was written, whichever fields are quoted", function()
    local rng = trpo.rng(90)
    local function draw(n) return 1 + math.floor(n * trpo.rand(rng, 1)[1]) end
    local function quoted(text, must) return (must or draw(3) == 1) and '"' .. text:gsub('"', '""') .. '"' or text end
    for _ = 1, 50 do
      local names, lines, columns = {}, {}, {}
      for j = 1, draw(4) do names[j] = j .. ({ "a", "b c", 'd"', "e,f", "g\nh" })[draw(5)] end
      local fields = {}
      for j, name in ipairs(names) do
        fields[j], columns[name] = quoted(name, name:find '[",\n]'), {}
      end
      lines[1] = table.concat(fields, ",")
      for i = 1, draw(6) do
        for j, name in ipairs(names) do
          columns[name][i] = trpo.randn(rng, 1)[1]
          fields[j] = quoted(trpo.json.number(columns[name][i]))
        end
        lines[i + 1] = table.concat(fields, ",")
      end
      local text = table.concat(lines, draw(2) == 1 and "\n" or "\r\n") .. "\n"
      local run = assert(runs.read(write_run("random", text)))
      assert.are.same(names, run.names)
      assert.are.same(columns, run.columns)
      -- however it is cut, it is read, or refused in one sentence
      local cut = runs.read(write_run("random", text:sub(1, draw(#text))))
      assert.is_true(cut == nil or cut.rows <= run.rows)
    end
  end)

  it("ends with its last whole line", function()
    for _, tail in ipairs { "3,30", "3", "3,", '3,"30', "\n" } do
      local run = assert(runs.read(write_run("half", "a,b\n1,10\n2,20\n" .. tail)))
      assert.are.equal(2, run.rows, tail)
    end
    for _, text in ipairs { "", "a,b", "a,b\n", "\n" } do
      assert.are.equal(0, assert(runs.read(write_run("begun", text))).rows)
    end
  end)

  it("has ascending steps, of equal ones the last", function()
    local run = assert(runs.read(write_run("mixed", { "a,b", "3,1", "1,2", "3,4", "2,5", "4,nan", "inf,7" })))
    local x, y = runs.pairs(run, "a", "b")
    assert.are.same({ 1, 2, 3 }, x:totable())
    assert.are.same({ 2, 5, 4 }, y:totable())
  end)

  it("says where it is broken", function()
    for text, message in pairs {
      ["a,b\n1,2\n3\n"] = "progress.csv: line 3 has 1 fields, the heading has 2",
      ["a,b\n1,2,3\n"] = "progress.csv: line 2 has 3 fields, the heading has 2",
      ['a,b\n1,2\n"3,4\n5,6\n'] = "progress.csv: line 3: a quote is not closed",
    } do
      local run, why, code = runs.read(write_run("broken", text))
      assert.is_nil(run)
      assert.is_truthy(why:find(message, 1, true), why)
      assert.are.equal("format", code)
    end
    local run = assert(runs.read(write_run("broken", "a,b\n1,2\n3,four\n")))
    local ok, why, code = runs.pairs(run, "a", "b")
    assert.is_nil(ok)
    assert.is_truthy(why:find("line 3: b must be a number, got 'four'", 1, true), why)
    assert.is_nil(code)
    assert.is_truthy(select(2, runs.pairs(run, "a", "c")):find("progress.csv has no column 'c'", 1, true))
  end)

  it("survives a configuration that is none, or is hostile", function()
    local deep = ("["):rep(5000) .. ("]"):rep(5000)
    for _, text in ipairs { "", "{", "3", "null", '"x"', deep, '{"a":' .. deep .. "}", "\0\1\255" } do
      local run = assert(runs.read(write_run("hostile", { "a", "1" }, text)))
      assert.are.same({}, run.parameters)
      assert.is_truthy(run.problem:find("config.json holds no parameters", 1, true))
    end
    local run = assert(runs.read(write_run("hostile", { "a", "1" },
      '{"a":{"b":null,"c":[[1],2],"":{"__index":1}},"d":[],"e":1e999,"f":{"g":{"h":true}}}')))
    assert.are.equal("{…, 2}", run.parameters["a.c"])
    assert.is_true(run.parameters["f.g.h"])
    assert.is_nil(run.parameters["a.b"])
  end)

  it("finds columns by their short names", function()
    local list = read_all(simple_run("columns", 0))
    assert.are.equal("rollout/ep_rew_mean", runs.column(list, "ep_rew_mean"))
    assert.are.equal("eval/mean_reward", runs.column(list, "eval/mean_reward"))
    assert.are.equal("no run has a column 'ep_rew_maen', did you mean 'ep_rew_mean'?",
      (select(2, runs.column(list, "ep_rew_maen"))))
    local both = read_all(write_run("twice", { "a/x,b/x", "1,2" }))
    assert.are.equal("column 'x' is ambiguous: write 'a/x' or 'b/x'", (select(2, runs.column(both, "x"))))
  end)
end)

-- ---- groups and curves -------------------------------------------------------------------------

describe("runs in groups", function()
  local of = require("trpo.plots.groups").of

  local function labels(groups)
    local out = {}
    for i, group in ipairs(groups) do out[i] = ("%s (%d)"):format(group.label, #group.runs) end
    return out
  end

  it("differ in their parameters, not in seed, name or steps", function()
    local list = read_all(simple_run("a", 1, config(1, 0.1, { steps = 5 })), simple_run("b", 2, config(2, 0.01)),
      simple_run("c", 3, config(3, 0.01)), simple_run("d", 3, config(4, 0.1)))
    assert.are.same({ "delta=0.01 (2)", "delta=0.1 (2)" }, labels(of(list)))
    assert.are.same({ " (4)" }, labels(of { list[1], list[4], list[1], list[4] }))
  end)

  it("are put together by what is named", function()
    local list = read_all(simple_run("a", 1, config(1, 0.1)), simple_run("b", 2, config(10, 0.01)),
      simple_run("c", 3, config(2, 0.02)))
    assert.are.same({ "seed=1 (1)", "seed=2 (1)", "seed=10 (1)" }, labels(of(list, { "seed" })))
    assert.are.same({ "gamma=0.99 (3)" }, labels(of(list, { "algorithm.gamma" })))
    assert.are.same({ "a (1)", "b (1)", "c (1)" }, labels(of(list, { "name" })))
    assert.are.same({ "env=CartPole-v1 (3)" }, labels(of(list, { "env" })))
    assert.are.equal("no run has a parameter 'detla', did you mean 'delta'?", (select(2, of(list, { "detla" }))))
    assert.are.equal("parameter 'hidden' is ambiguous: write 'policy.hidden' or 'value.hidden'",
      (select(2, of(list, { "hidden" }))))
    -- unless only one of them is different
    local wide = config(1, 0.1)
    wide.policy.hidden = { 7 }
    assert.are.equal(2, #labels(of(read_all(simple_run("a", 1, config(1, 0.1)), simple_run("d", 1, wide)), { "hidden" })))
  end)

  it("count once when they have the same parameters and the same seed", function()
    simple_run("once/a", 1, config(1, 0.1), 3)
    simple_run("once/b", 1, config(1, 0.1, { threads = 2, steps = 9 }), 4)
    simple_run("once/c", 2, config(2, 0.1))
    simple_run("once/d", 1, config(1, 0.2))
    local groups = require "trpo.plots.groups"
    local made = of(read_all(path "once/a", path "once/b", path "once/c", path "once/d"))
    assert.are.equal("1 run with the parameters and the seed of another one does not count: a", groups.drop_repeats(made))
    -- the longer one stays
    assert.are.same({ "b", "c", "d" }, { made[1].runs[1].name, made[1].runs[2].name, made[2].runs[1].name })
    assert.is_nil(groups.drop_repeats(made))
    -- nothing is known of these
    local unknown = { { runs = read_all(simple_run("once/e", 1), simple_run("once/f", 1)) } }
    assert.is_nil(groups.drop_repeats(unknown))
    assert.are.equal(2, #unknown[1].runs)
    if not has_gnuplot then return end
    local out, err = command.run(scratch, "plot once/a once/b once/c")
    assert.are.equal("once/curves.svg\n", out)
    assert.are.equal("trpo: 1 run with the parameters and the seed of another one does not count: a\n", err)
    assert.is_truthy(command.read(path "once/curves.svg"):find("interval of 2 runs<", 1, true))
  end)

  it("go by their folders when nothing is known of them", function()
    assert.are.same({ "f (1)", "g (1)" }, labels(of(read_all(simple_run("g", 1), simple_run("f", 2)))))
  end)
end)

describe("the data of curves", function()
  it("of one run are its rows", function()
    local picture = curves(read_all(simple_run("a", 10, config(1, 0.1))))
    assert.are.same({ { 1000, 11, 11, 11 }, { 2000, 12, 12, 12 }, { 3000, 13, 13, 13 }, { 4000, 14, 14, 14 } },
      block(picture.script, "curve1"))
    -- the evaluation stands beside it, as points
    assert.are.same({ { 4000, 10, 10, 10 } }, block(picture.script, "curve2"))
    assert.is_truthy(picture.script:find("$curve2 using 1:2 with linespoints", 1, true))
    for _, word in ipairs { "label 'return of the last episodes'", "label 'return in evaluation'", "set ylabel 'return' " } do
      assert.is_truthy(picture.script:find(word, 1, true), word)
    end
  end)

  it("of several runs are the interquartile mean and its interval", function()
    local list = {}
    for i, level in ipairs { 0, 10, 20, 100 } do
      list[i] = assert(runs.read(simple_run("q" .. i, level, config(i, 0.1))))
    end
    local rows = block(curves(list).script, "curve1")
    -- the middle half of 4 runs: those at 10 and at 20
    for i, row in ipairs(rows) do
      assert.are.equal(1000 * i, row[1])
      assert.are.near(15 + i, row[2], 1e-12)
      assert.is_true(row[3] >= i and row[3] < row[2] and row[4] > row[2] and row[4] <= 100 + i)
    end
    assert.is_truthy(curves(list).script:find("bootstrap interval of 4 runs'", 1, true))
  end)

  it("go as far as half of the runs do", function()
    local list = read_all(simple_run("l1", 0, config(1, 0.1), 4), simple_run("l2", 0, config(2, 0.1), 8),
      simple_run("l3", 0, config(3, 0.1), 12))
    local rows = block(curves(list).script, "curve1")
    assert.are.near(8000, rows[#rows][1], 100)
    for _, row in ipairs(rows) do assert.are.near(row[1] / 1000, row[2], 1e-9) end
    assert.is_truthy(curves(list).script:find("bootstrap interval of 2 to 3 runs'", 1, true))
  end)

  it("go over time as far as all runs do, unless one ended early", function()
    -- simple runs have 0.5 s an iteration
    for last, reach in pairs { [7] = 3.5, [2] = 4 } do
      local list = read_all(simple_run("timed1", 10, config(1, 0.01), last), simple_run("timed2", 20, config(2, 0.01), 8))
      local rows = block(curves(list, { x = "time" }).script, "curve1")
      assert.is_true(math.abs(rows[#rows][1] - reach) < 0.03, reach)
    end
  end)

  it("are drawn over steps, time or iterations", function()
    local list = read_all(simple_run("a", 10, config(1, 0.1)))
    assert.are.equal(2, block(curves(list, { x = "time" }).script, "curve1")[4][1])
    assert.are.equal(4, block(curves(list, { x = "iterations" }).script, "curve1")[4][1])
    -- long runs are told in hours
    local long = read_all(write_run("long", { heading, "1,5,3600,1,", "2,10,36000,2," }))
    local script = curves(long, { x = "time" }).script
    assert.are.equal(10, block(script, "curve1")[2][1])
    assert.is_truthy(script:find("time [h]", 1, true))
  end)

  it("have whole ranges with short ticks that tell numbers apart", function()
    assert.are.equal("set yrange [0:520]\nset ytics ('0' 0, '100' 100, '200' 200, '300' 300, '400' 400, '500' 500)",
      (ticks.up(0, 500)))
    assert.is_truthy(ticks.up(1e6, 9e7):find("'20M' 20000000", 1, true))
    assert.is_truthy(ticks.up(-1600, 12):find("'-1500' -1500, '-1000' -1000, '-500' -500, '0' 0", 1, true))
    -- all alike, and hardly apart
    assert.is_truthy(ticks.up(500, 500):find("set yrange [450:550]", 1, true))
    assert.is_truthy(ticks.up(12345.61, 12345.69):find("'12345.62'", 1, true), (ticks.up(12345.61, 12345.69)))
    assert.are.equal(84, select(2, ticks.up(0, 500)))
    assert.is_true(select(2, ticks.up(-2.5e-9, -1.1e-9)) > 84)
    assert.are.same({ "0.009", "0.01", "0.011" }, wording.texts { 0.001 * 9, 0.01, 0.001 * 11 })
    assert.are.same({ "0.01", "0.010000001", "0.01" }, wording.texts { 0.01, 0.010000001, 0.01 })
  end)

  it("have numbers in their labels as short as tells them apart", function()
    local list = read_all(simple_run("g1", 1, config(1, 0.001 * 9)), simple_run("g2", 1, config(1, 0.001 * 13)))
    local made = require("trpo.plots.groups").of(list)
    assert.are.same({ "delta=0.009", "delta=0.013" }, { made[1].label, made[2].label })
    assert.are.equal(0.001 * 9, tonumber(made[1].values[1]))
  end)

  it("have no band where a single run is left", function()
    local list = read_all(simple_run("half1", 10, config(1, 0.01), 4), simple_run("half2", 20, config(2, 0.01), 8))
    local rows = block(curves(list).script, "curve1")
    assert.are.same({ 1000, 16, 11, 21 }, rows[1])
    local x, y, low, high = unpack(rows[#rows])
    assert.are.same({ 8000, 28 }, { x, y })
    assert.is_true(low ~= low and high ~= high)
  end)

  it("of sparse columns are points", function()
    local picture = curves(read_all(simple_run("a", 10, config(1, 0.1))), { y = "eval/mean_reward" })
    assert.are.same({ { 4000, 10, 10, 10 } }, block(picture.script, "curve1"))
    assert.is_truthy(picture.script:find("with linespoints", 1, true))
  end)

  it("of two parameters are told apart by colours and dashes", function()
    local folder = path "crossed"
    sweep_folder.write(folder)
    local picture = path "crossed.txt"
    local drawn = {}
    local plot = require "trpo.plot"
    local draw = plot.draw
    plot.draw = function(file, what)
      drawn[file] = what
      return true
    end
    local file = trpo.plots.curves { folder, file = picture }
    plot.draw = draw
    assert.are.equal(picture, file)
    local seen, colours = {}, {}
    for colour, dash in drawn[picture].script:gmatch "with lines lw 2 lc rgb '(#%x+)' dashtype (%S+)" do
      seen[colour .. dash], colours[colour] = true, true
    end
    local function count(t)
      local n = 0
      for _ in pairs(t) do n = n + 1 end
      return n
    end
    assert.are.equal(6, count(seen))
    assert.are.equal(3, count(colours))
  end)

  it("have keys with their dashes, also in SVG", function()
    if not has_gnuplot then return pending "there is no gnuplot here" end
    local folder = path "keys"
    sweep_folder.write(folder)
    local svg = command.read((assert(trpo.plots.curves { folder, file = path "keys.svg" })))
    local keys, dashed = 0, 0
    for rest, from, to in svg:gmatch "<path stroke='[^']*'([^\n]-)d='M([%d.]+),[%d.]+ L([%d.]+),[%d.]+  '/>" do
      if math.abs(to - from - 28) < 0.1 then
        keys, dashed = keys + 1, dashed + (rest:find "dasharray" and 1 or 0)
      end
    end
    -- 3 colours, the second one of each with dashes
    assert.are.same({ 6, 3 }, { keys, dashed })
  end)

  it("have marks where there are few points", function()
    for _, n in ipairs { 30, 31 } do
      local lines = { heading }
      for i = 1, 3 * n do lines[i + 1] = ("%d,%d,%d,%d,%s"):format(i, 1000 * i, i, i, i % 3 == 0 and "5" or "") end
      local picture = curves(read_all(write_run("many" .. n, lines, config(1, 0.1))))
      assert.are.equal(n, #block(picture.script, "curve2"))
      assert.are.equal(n == 30, picture.script:find("linespoints", 1, true) ~= nil)
    end
  end)
end)

-- ---- sweeps ------------------------------------------------------------------------------------

describe("a sweep as a table", function()
  it("has delta to the right, gamma upwards, and the interquartile mean of each cell", function()
    sweep_folder.write(path "sweep")
    local made = lattice(path "sweep")
    assert.are.same({ "0.001", "0.01" }, made.x.texts)
    assert.are.same({ "0.9", "0.99", "0.999" }, made.y.texts)
    assert.are.equal("eval/mean_reward", made.metric)
    -- 200 + 100 + seeds 1, 2, 3: the mean of three weighted 0.25, 1, 0.25
    assert.are.near(302, made.at[2][2].iqm, 1e-9)
    assert.are.equal(3, made.at[2][2].n)
    assert.are.equal(made.at[2][2], made.best)
    local picture = require("trpo.plots.heatmap").picture(made, { title = "t" })
    local values = block(picture.script, "values")
    assert.are.equal(6, #values)
    for _, row in ipairs(values) do assert.are.equal(made.at[row[1]][row[2]].iqm, row[3]) end
    assert.are.same({ { 2, 2 } }, block(picture.script, "best"))
  end)

  it("takes other axes, and puts other parameters together or holds them", function()
    sweep_folder.write(path "three", { parameters = {
      { path = "algorithm.lambda", name = "lambda", values = { 0.9, 1 } },
      { path = "algorithm.delta", name = "delta", values = { 0.01, 0.001 } },
      { path = "algorithm.gamma", name = "gamma", values = { 0.9, 0.99 } },
    }, seeds = { 1, 2 }, score = function(params, seed)
      return 1000 * params["algorithm.lambda"] + 100 * params["algorithm.gamma"] + seed
    end })
    local made = lattice(path "three")
    assert.are.same({ "delta", "gamma" }, { made.x.name, made.y.name })
    assert.are.same({ "0.001", "0.01" }, made.x.texts)
    assert.are.equal(4, made.at[1][1].n)
    -- lambda 0.9 and 1 with seeds 1 and 2: 991, 992, 1091, 1092, of which the middle two count
    assert.are.near((992 + 1091) / 2, made.at[1][1].iqm, 1e-9)
    assert.are.same({ "lambda" }, made.pooled)
    assert.is_truthy(require("trpo.plots.lattice").told(made):find("over all lambda", 1, true))
    local best = lattice(path "three", { fix = { "best" } })
    assert.are.near(1091.5, best.at[1][1].iqm, 1e-9)
    assert.are.equal("lambda=1", best.fixed)
    local held = lattice(path "three", { fix = { "lambda=0.9" }, parameters = { "gamma", "algorithm.delta" } })
    assert.are.near(991.5, held.at[1][1].iqm, 1e-9)
    assert.are.equal("gamma", held.x.name)
    local one = lattice(path "three", { parameters = { "lambda" } })
    assert.is_nil(one.y.name)
    assert.are.equal(8, one.at[1][1].n)
  end)

  it("shows what failed and what is missing", function()
    sweep_folder.write(path "holes", { status = function(cell, seed)
      return cell == 1 and "failed" or cell == 2 and "waiting" or cell == 3 and seed == 1 and "failed" or "done"
    end })
    local made = lattice(path "holes")
    assert.is_nil(made.at[1][1].iqm)
    assert.are.equal(3, made.at[1][1].failed)
    assert.are.equal(0, made.at[1][2].n)
    assert.are.equal(2, made.at[1][3].n)
    local script = require("trpo.plots.heatmap").picture(made, { title = "t" }).script
    assert.are.equal(4, #block(script, "values"))
    assert.are.same({ { 1, 1 }, { 1, 2 } }, block(script, "empty"))
    assert.is_truthy(script:find('"3 failed"', 1, true) and script:find('"0 of 3"', 1, true))
    assert.is_truthy(script:find('"1 failed"', 1, true))
  end)

  it("tells how far each cell of successive halving has come", function()
    sweep_folder.write(path "halving", { halving = { rungs = { 4000, 12000, 36000 }, factor = 3 },
      status = function(cell, seed, rung)
        return cell == 1 and seed == 1 and "failed" or (rung < 3 or seed == 1) and "done" or "waiting"
      end })
    local made = lattice(path "halving")
    local script = require("trpo.plots.heatmap").picture(made, { title = "t" }).script
    for _, word in ipairs { '"4k steps"', '"12k steps"', '"1 failed, 4k"', '"1 of 3, 36k"', "halving: 4k to 36k steps" } do
      assert.is_truthy(script:find(word, 1, true), word)
    end
    -- the best has a single trial in its rung, and no interval
    local best
    for _, row in ipairs(block(script, "intervals")) do
      if row[1] == made.best.i and row[2] == made.best.j then best = row[3] end
    end
    assert.are.equal('"-"', best)
    local out = command.run(scratch, "plot halving --ascii")
    assert.is_truthy(out:find "%d%*@@@ 36k\n", out)
    out = command.run(scratch, "plot halving --ascii --parameters delta")
    assert.is_truthy(out:find("trials  steps", 1, true) and out:find("1 of 3    36k", 1, true), out)
    out = command.run(scratch, "plot halving --ascii --kind cells")
    assert.is_truthy(out:find "last  steps" and out:find "  36k  %*\n", out)
  end)

  it("tells steps exactly", function()
    sweep_folder.write(path "powers", { halving = { rungs = { 2048, 16384 }, factor = 8 }, seeds = { 1 },
      status = function(cell, _, rung) return (rung == 1 or cell == 5) and "done" or "waiting" end })
    local script = require("trpo.plots.heatmap").picture(lattice(path "powers"), { title = "t" }).script
    for _, word in ipairs { "2048", "16384", "halving: 2048 to 16384 steps" } do
      assert.is_truthy(script:find(word, 1, true), word)
    end
    assert.is_nil(script:find "2%.048k")
  end)

  it("puts only trials together that had the same steps", function()
    local scores = { [0.001] = { 1000, 2000 }, [0.01] = { 5, 1 }, [0.1] = { 4, 3 } }
    sweep_folder.write(path "rungs", { halving = { rungs = { 4000, 12000 }, factor = 2 }, seeds = { 1 },
      parameters = {
        { path = "algorithm.delta", name = "delta", values = { 0.001, 0.01, 0.1 } },
        { path = "algorithm.gamma", name = "gamma", values = { 0.9, 0.99 } },
      },
      score = function(params) return scores[params["algorithm.delta"]][params["algorithm.gamma"] == 0.9 and 1 or 2] end,
      status = function(cell, _, rung) return rung == 1 and (cell == 6 and "failed" or "done") or cell <= 3 and "done"
        or "waiting" end })
    local made = lattice(path "rungs", { parameters = { "delta" } })
    -- what came to the second rung: both cells, one of them, none, of which one has failed
    local got = {}
    for i, entry in ipairs(made.entries) do
      got[i] = { entry.iqm, entry.n, entry.failed, entry.total, entry.rung, entry.steps, #entry.cells }
    end
    assert.are.same({ { 1500, 2, 0, 2, 2, 12000, 2 }, { 5, 1, 0, 1, 2, 12000, 1 }, { 4, 1, 1, 2, 1, 4000, 2 } }, got)
    assert.are.equal(made.entries[1], made.best)
    assert.are.equal("IQM of 1 to 2 trials over all gamma, of cells that came furthest; halving: 4k to 12k steps",
      require("trpo.plots.lattice").told(made))
  end)

  it("has axes as its parameters are distributed, with at least two ticks", function()
    local log = { distribution = "log_uniform", low = 0.004, high = 0.02, path = "a", name = "a" }
    local plain = { distribution = "uniform", low = 0.001, high = 1, path = "b", name = "b" }
    local results, space = require "trpo.sweep.results", require "trpo.sweep.space"
    local values = { 0.004, 0.0051, 0.0123, 0.0197, 0.0172, 0.0087, 0.015 }
    assert.is_true(space.is_logarithmic(log, values))
    assert.is_false(space.is_logarithmic(plain, { 0.001, 1 }))
    assert.is_false(space.is_logarithmic({ distribution = "uniform" }, { "a" }))
    assert.is_true(space.is_logarithmic({}, { 0.001, 1 }))
    assert.is_true(space.is_logarithmic({}, { 0.1, 0.01, 0.03 }))
    for _, list in ipairs { { 1, 5, 10 }, { 0.01, 0.1 }, { 1, 2, 4 }, { 0.9, 0.99, 0.999 }, { 5 }, {} } do
      assert.is_false(space.is_logarithmic({}, list))
    end
    assert.is_false(space.is_logarithmic({}, { 0.9, 0.99 }))
    local d = { name = "n", kind = "experiment", method = "random", parameters = { log, plain }, seeds = { 1 },
      metric = { name = "m", goal = "maximize" }, cells = {} }
    for i, x in ipairs(values) do d.cells[i] = { params = { a = x, b = i / 7 }, ids = { ("a"):rep(15) .. i } } end
    local sweep = results.empty(nil, d)
    for i, cell in ipairs(sweep.cells) do cell.trials = { { status = "done", metric = i } } end
    local made = assert(require("trpo.plots.lattice").of(sweep, {}))
    assert.are.same({ true, false }, { made.x.logarithmic, made.y.logarithmic })
    local script = require("trpo.plots.heatmap").picture(made, { title = "t" }).script
    assert.is_truthy(script:find "set xtics %('0.005' 0.005[%d]*, '0.01' 0.01, '0.02' 0.02%)", script)
    assert.is_nil(script:find("set logscale y", 1, true))
    for _, range in ipairs { { 1.1, 1.9 }, { 0.99, 1.01 }, { 3, 4 }, { 1e-9, 1e9 } } do
      local command_of = ticks.logarithmic("x", range[1], range[2], 8)
      local n = select(2, command_of:gsub("' ", ""))
      assert.is_true(n >= 2 and n <= 9, command_of)
    end
    for _, range in ipairs { { -3, 205 }, { 10, 160 }, { 99, 101 }, { 0, 1 } } do
      local step = ticks.step_of_two(range[1], range[2], 2)
      assert.is_true(math.floor(range[2] / step + 1e-9) - math.ceil(range[1] / step - 1e-9) >= 1, step)
    end
  end)

  -- a sweep of drawn values of a and b (and c, which is a name), one trial each
  local function drawn(values)
    local d = { name = "n", kind = "experiment", method = "random", seeds = { 1, 2 },
      metric = { name = "m", goal = "maximize" }, cells = {}, parameters = {
        { distribution = "log_uniform", low = 0.001, high = 1, path = "a", name = "a" },
        { distribution = "uniform", low = 0, high = 1, path = "b", name = "b" },
        { distribution = "choice", choices = { "x", "y" }, path = "c", name = "c" },
      } }
    for i, x in ipairs(values) do
      d.cells[i] = { params = { a = x, b = (i * 0.618034) % 1, c = i % 2 == 0 and "x" or "y" },
        ids = { ("a"):rep(14) .. ("%02d"):format(i), ("b"):rep(14) .. ("%02d"):format(i) } }
    end
    local sweep = require("trpo.sweep.results").empty(nil, d)
    for i, cell in ipairs(sweep.cells) do
      cell.trials = { { status = "done", metric = i }, { status = "done", metric = i + 0.5 } }
    end
    return sweep
  end
  local ten = { 0.0013, 0.0027, 0.0071, 0.019, 0.023, 0.053, 0.11, 0.37, 0.61, 0.94 }

  it("of drawn values has round ticks, and no line where other values were drawn, too", function()
    local of, picture = require("trpo.plots.lattice").of, require("trpo.plots.heatmap").picture
    local made = assert(of(drawn(ten), { parameters = { "a" } }))
    assert.are.same({ "b", "c" }, made.loose)
    assert.are.same({}, made.pooled)
    assert.is_truthy(require("trpo.plots.lattice").told(made):find("IQM of 2 trials, b, c vary as well", 1, true))
    local script = picture(made, { title = "t" }).script
    assert.is_truthy(script:find "set xtics %('0.001' 0.001, '0.01' 0.01, '0.1' 0.1%d*, '1' 1%)", script)
    assert.is_truthy(script:find("yerrorbars", 1, true))
    assert.is_nil(script:find("filledcurves", 1, true))
    -- nothing else varies: a line with its band
    local sweep = drawn(ten)
    sweep.parameters, sweep.description.parameters = { sweep.parameters[2] }, { sweep.description.parameters[2] }
    script = picture(assert(of(sweep, {})), { title = "t" }).script
    assert.is_truthy(script:find("'0.2' 0.2", 1, true), script:match "set xtics[^\n]*")
    assert.is_truthy(script:find("filledcurves", 1, true))
  end)

  it("of drawn numbers against names is a picture of points", function()
    local made = assert(require("trpo.plots.lattice").of(drawn(ten), { parameters = { "a", "c" } }))
    assert.is_true(made.scattered)
    local script = require("trpo.plots.heatmap").picture(made, { title = "t" }).script
    assert.is_truthy(script:find("set ytics ('x' 1, 'y' 2)", 1, true), script)
    for _, row in ipairs(block(script, "values")) do
      assert.are.equal(made.x.place[trpo.json.number(row[1])] % 2 == 0 and 1 or 2, row[2])
    end
    assert.is_truthy(script:find("a=0.94 c=x, 10.25", 1, true), script)
  end)

  it("of few drawn numbers against chosen ones is a picture of points, with ticks at what was chosen", function()
    for _, n in ipairs { 4, 10 } do
      local sweep = drawn({ unpack(ten, 1, n) })
      for i, cell in ipairs(sweep.cells) do cell.params.c = i % 2 == 0 and 0.97 or 0.9 end
      sweep.parameters[3].values = { 0.9, 0.97 }
      sweep.description.parameters[3] = { distribution = "choice", values = { 0.9, 0.97 }, path = "c", name = "c" }
      local made = assert(require("trpo.plots.lattice").of(sweep, { parameters = { "a", "c" } }))
      assert.is_true(made.scattered)
      local script = require("trpo.plots.heatmap").picture(made, { title = "t" }).script
      assert.is_truthy(script:find "\nset ytics %('0.90?' 0.9[%d]*, '0.97' 0.9[%d]*%)", script)
      assert.are.equal(n, #block(script, "values"))
    end
  end)

  it("writes lists as tables and reports do, also the empty one, and takes them as one types them", function()
    sweep_folder.write(path "lists", { seeds = { 1 }, parameters = {
      { path = "algorithm.delta", name = "delta", values = { 0.001, 0.01 } },
      { path = "policy.hidden", name = "hidden", values = { trpo.json.list {}, { 8 }, { 16, 16 } } } },
      score = function(params) return #params["policy.hidden"] end })
    local made = lattice(path "lists")
    assert.are.same({ "{}", "{8}", "{16, 16}" }, made.y.texts)
    for text, number in pairs { ["16,16"] = 2, ["{16, 16}"] = 2, ["8"] = 1, ["{}"] = 0, [""] = 0 } do
      made = lattice(path "lists", { parameters = { "delta" }, fix = { "hidden=" .. text } })
      assert.are.equal(number, made.best.iqm, text)
    end
    local out = command.run(scratch, "plot lists --ascii")
    assert.is_truthy(out:find("{16, 16}", 1, true) and out:find("\n  {} ", 1, true), out)
  end)

  it("says how many cells are as good as the best, and shows the only number on its scale", function()
    sweep_folder.write(path "ties", { score = function() return 500 end })
    local made = lattice(path "ties")
    assert.are.equal(6, made.equal)
    local script = require("trpo.plots.heatmap").picture(made, { title = "t" }).script
    assert.is_truthy(script:find("framed: the first of 6 equally good", 1, true))
    assert.is_truthy(script:find("set cbtics ('500' 500)", 1, true))
    assert.is_truthy(command.run(scratch, "plot ties --ascii"):find("* the first of 6 equally good", 1, true))
    -- of equal interquartile means the better mean is the best
    for goal, best in pairs { maximize = { 2, 2 }, minimize = { 1, 1 } } do
      sweep_folder.write(path("ties-" .. goal), { seeds = { 1, 2, 3, 4 }, metric = { name = "m", goal = goal },
        score = function(params, seed)
          local chosen = params["algorithm.delta"] == 0.01 and params["algorithm.gamma"] == 0.99
          return seed == 1 and (chosen and 400 or 300) or 500
        end })
      made = lattice(path("ties-" .. goal))
      assert.are.same(best, { made.best.i, made.best.j })
      assert.are.equal(goal == "maximize" and 1 or 5, made.equal)
    end
  end)

  it("speaks of intervals only where they are shown", function()
    local values = {}
    for i = 1, 20 do values[i] = i / 1000 end
    for name, columns in pairs { wide = { 0.01, 0.02 }, narrow = values } do
      sweep_folder.write(path(name), { parameters = {
        { path = "algorithm.delta", name = "delta", values = columns },
        { path = "algorithm.gamma", name = "gamma", values = { 0.9, 0.99 } },
      } })
      local script = require("trpo.plots.heatmap").picture(lattice(path(name)), { title = "t" }).script
      local shown = script:find("$intervals using", 1, true) ~= nil
      assert.are.equal(name == "wide", shown)
      assert.are.equal(shown, script:find("bootstrap interval", 1, true) ~= nil)
    end
  end)

  it("shows names with a percent sign, and nought without a sign", function()
    sweep_folder.write(path "signs", { parameters = {
      { path = "policy.activation", name = "activation", values = { "100%", "%s" } },
      { path = "algorithm.gamma", name = "gamma", values = { 0.9, 0.99 } },
    }, score = function(params) return params["algorithm.gamma"] == 0.9 and 500.5 or -1e-9 end })
    local script = require("trpo.plots.heatmap").picture(lattice(path "signs"), { title = "t" }).script
    assert.is_truthy(script:find("set xtics ('100%%' 1, '%%s' 2)", 1, true), script)
    assert.is_truthy(script:find('"0.0"\n', 1, true) and script:find('"[0.0, 0.0]"', 1, true), script)
    assert.is_nil(script:find("-0.0", 1, true))
    if not has_gnuplot then return end
    assert(trpo.plots.heatmap { path "signs", file = path "signs.svg" })
    local svg = command.read(path "signs.svg")
    assert.is_truthy(svg:find(">100%</", 1, true) and svg:find(">%s</", 1, true))
  end)

  it("leaves room for long texts beside its colours", function()
    local heatmap = require "trpo.plots.heatmap"
    local plain, long = heatmap.scale { { 1, 1, 1 }, { 1, 2, 300 } }, heatmap.scale { { 1, 1, 1.2e-5 }, { 1, 2, 2.8e-5 } }
    assert.are.equal(112, plain.wide)
    assert.is_true(long.wide > plain.wide)
    local size = { width = 500, height = 200, left = 60, right = 112, top = 60, bottom = 60 }
    -- 80 pixels have no place for more than two numbers
    assert.is_truthy(heatmap.colour_bar(size, plain, "m"):find("set cbtics ('0' 0, '200' 200)", 1, true)
      or heatmap.colour_bar(size, plain, "m"):find("set cbtics ('100' 100, '200' 200, '300' 300)", 1, true))
  end)

  it("has a subtitle in two lines where one is too short", function()
    local frame = require "trpo.plots.frame"
    local size = { width = 320, height = 200, top = 60 }
    local text = "IQM of 3 trials over all gamma, 95 % interval; grey: each trial; circled: the best"
    frame.make_room(size, text)
    assert.are.same({ width = 320, height = 216, top = 76 }, size)
    local script = frame.heading(size, "t", text)
    assert.is_truthy(script:find("'IQM of 3 trials over all gamma, 95 % interval;'", 1, true), script)
    assert.is_truthy(script:find("'grey: each trial; circled: the best'", 1, true), script)
  end)

  it("has as many decimals as tell the best apart, and the least of them is not nought", function()
    local function texts(means, goal)
      sweep_folder.write(path "digits", { overwrite = true, seeds = { 1 }, goal = goal, parameters = {
        { path = "algorithm.delta", name = "delta", values = { 1, 2, 3, 4 } } },
        score = function(params) return means[params["algorithm.delta"]] end })
      local made = lattice(path "digits")
      made.goal = goal or made.goal
      local format, out = require("trpo.plots.lattice").format(made), {}
      for i, entry in ipairs(made.entries) do out[i] = wording.number(format, entry.iqm) end
      return out
    end
    assert.are.same({ "-500.00", "-0.67", "-0.70", "-0.72" }, texts { -500, -0.67, -0.7, -0.72 })
    assert.are.same({ "-2.0000", "-0.0003", "-1.0000", "-3.0000" }, texts { -2, -0.0003, -1, -3 })
    -- those that are not among the best three need not be told apart
    assert.are.same({ "500.0", "400.0", "300.0", "300.0" }, texts { 500, 400, 300.01, 300.01 })
    assert.are.same({ "500", "500", "500", "7" }, texts { 500, 500, 500, 7 })
    -- differences that nobody cares for
    assert.are.same({ "500.0", "500.0", "500.0", "7.0" }, texts { 500, 499.99999, 499.9999, 7 })
  end)

  it("finds the smallest when that is the goal", function()
    sweep_folder.write(path "minimize", { metric = { name = "loss", goal = "minimize" } })
    local made = lattice(path "minimize")
    for _, entry in ipairs(made.entries) do assert.is_true(made.best.iqm <= entry.iqm) end
  end)

  it("of drawn values is a picture of points", function()
    local values = {}
    for i = 1, 6 do values[i] = i + 0.123456789 end
    sweep_folder.write(path "drawn", { parameters = {
      { path = "a", name = "a", values = values }, { path = "b", name = "b", values = values } }, seeds = { 1 },
      score = function(params) return params.a end })
    local results = require "trpo.sweep.results"
    local sweep = assert(results.read(path "drawn"))
    local diagonal = {}
    for i = 1, 6 do diagonal[i] = sweep.cells[7 * i - 6] end
    sweep.cells = diagonal
    for i, cell in ipairs(sweep.cells) do cell.index = i end
    local made = assert(require("trpo.plots.lattice").of(sweep, {}))
    assert.is_true(made.scattered)
    assert.are.same({ "1.123", "2.123", "3.123", "4.123", "5.123", "6.123" }, made.x.texts)
    local script = require("trpo.plots.heatmap").picture(made, { title = "t" }).script
    assert.are.same({ { values[6], values[6], values[6] } }, block(script, "best"))
    assert.are.equal(6, #block(script, "values"))
  end)
end)

-- ---- letters -----------------------------------------------------------------------------------

describe("in letters", function()
  it("a sweep is a table with shades and a mark, without gnuplot", function()
    sweep_folder.write(path "letters")
    local out, err, code = command.shell(scratch, [[mkdir -p none; printf '#!/bin/sh\nexit 127\n' >none/gnuplot
chmod +x none/gnuplot; PATH=$PWD/none:$PATH "$trpo" plot letters --ascii]])
    assert.are.equal("", err)
    assert.are.equal(0, code)
    assert.are.equal([[
letters: eval/mean_reward
IQM of 3 trials; . smallest to @ largest; * best

  gamma
  0.999  203.0 +++  293.0 @@@
  0.99   212.0 +++  302.0*@@@
  0.9    122.0 ...  212.0 +++
  delta  0.001       0.01
]], out)
  end)

  it("a cell with a single trial has no interval, and the best is among those with most trials", function()
    sweep_folder.write(path "begun line", { parameters = { { path = "a", name = "a", values = { 1, 2 } } },
      score = function(params, seed) return 10 * params.a + seed end, seeds = { 1, 2 },
      status = function(cell, seed) return cell == 2 and seed == 2 and "waiting" or "done" end })
    local out = command.run(scratch, "plot 'begun line' --ascii")
    assert.is_truthy(out:find("* the best of the cells with most runs\n", 1, true), out)
    assert.is_truthy(out:find "\n  2  21%.00 +%-  1 of 2  ", out)
  end)

  it("cells are a line each, one parameter has bars", function()
    local out = command.run(scratch, "plot letters --kind cells -o cells.txt && cat cells.txt")
    assert.is_truthy(out:find("^cells.txt\nletters: rollout/ep_rew_mean\n"), out)
    assert.is_truthy(out:find("delta=0.01 gamma=0.99 +|[^|]+| +302  %*\n"), out)
    assert.are.equal(6, select(2, out:gsub("\n  delta=", "")))
    sweep_folder.write(path "line", { parameters = { { path = "algorithm.delta", name = "delta", values = { 0.01, 0.001 } } } })
    out = command.run(scratch, "plot line --ascii")
    assert.is_truthy(out:find("\n  0.001  212     [211, 213]  3 of 3  #\n", 1, true), out)
    assert.is_truthy(out:find("  3 of 3  " .. ("#"):rep(30) .. " *\n", 1, true), out)
  end)

  it("as wide as the terminal, and no wider", function()
    local names = {}
    for i, word in ipairs { "tanh", "relu", "a long name of something" } do names[i] = word end
    sweep_folder.write(path "terminal", { parameters = {
      { path = "policy.activation", name = "activation", values = names },
      { path = "algorithm.gamma", name = "gamma", values = { 0.9, 0.99, 0.999 } },
    } })
    local seen = {}
    for _, columns in ipairs { 40, 60, 80, 120 } do
      for _, flags in ipairs { "", "--kind cells", "--parameters gamma", "--kind curves", "--kind diagnostics" } do
        if has_gnuplot or not flags:find "cu" and not flags:find "di" then
          local out = command.shell(scratch, ('COLUMNS=%d "$trpo" plot terminal --ascii %s'):format(columns, flags))
          for line in out:gmatch "[^\n]+" do
            assert.is_true(select(2, line:gsub("[^\128-\191]", "")) <= columns, columns .. flags .. ": " .. line)
          end
          seen[columns .. flags] = out
        end
      end
    end
    -- shades where there is no room for numbers; every cell keeps its name, if need be above its curve
    assert.is_truthy(seen["40"]:find("activation from the left", 1, true), seen["40"])
    assert.is_truthy(seen["80"]:find("302.0*@@@", 1, true), seen["80"])
    assert.is_truthy(seen["40--kind cells"]:find("\n  activation=tanh gamma=0.99\n  |", 1, true))
    assert.is_truthy(seen["80--parameters gamma"]:find("95 % interval", 1, true))
    assert.is_nil(seen["40--parameters gamma"]:find("95 % interval", 1, true))
  end)

  it("curves and diagnostics are drawn by gnuplot", function()
    if not has_gnuplot then return pending "there is no gnuplot here" end
    local out = command.run(scratch, "plot letters --kind curves --ascii")
    for _, word in ipairs { "letters: return of the last episodes", "delta=0.01 gamma=0.99", "environment steps", "10k" } do
      assert.is_truthy(out:find(word, 1, true), out)
    end
    out = command.run(scratch, "plot letters/trials/* --group delta --kind diagnostics --ascii")
    for _, word in ipairs { "KL divergence of each step / delta", "explained variance of the critic", "expected",
      "fraction of the step: 90 of 90 accepted" } do
      assert.is_truthy(out:find(word, 1, true), out)
    end
    assert.is_nil(out:find "[\27\f\128-\255]")
    -- the legend stands below: each of the characters is drawn
    assert.is_truthy(out:find "\n\n  %* delta=0.001   # delta=0.01\n$", out)
    assert.is_true(select(2, out:gsub("#", "")) > 40, out)
    -- the limit is no curve
    assert.is_truthy(out:find("1 |......", 1, true), out)
    assert.is_nil(out:find("G", 1, true))
  end)

  it("curves have the height that a few have, however many there are", function()
    if not has_gnuplot then return pending "there is no gnuplot here" end
    for i = 1, 12 do simple_run("twelve" .. i, 10 * i, config(1, i / 1000)) end
    local out = command.run(scratch, "plot twelve* --ascii")
    local _, rows = out:gsub("|[^\n]*|\n", "")
    assert.is_true(rows >= 14, out)
    assert.is_truthy(out:find("  a delta=0.001   g delta=0.007\n", 1, true), out)
    assert.is_truthy(out:find("  f delta=0.006   l delta=0.012\n", 1, true), out)
  end)
end)

-- ---- pictures ----------------------------------------------------------------------------------

describe("a picture file", function()
  if not has_gnuplot then return pending "there is no gnuplot here" end

  local magic = { svg = "^<%?xml.-<svg", png = "^\137PNG\r\n\26\n", pdf = "^%%PDF%-1" }
  local ends = { svg = "</svg>%s*$", png = "IEND....$", pdf = "%%%%EOF%s*$" }

  setup(function() sweep_folder.write(path "pictures") end)

  for ending in pairs(magic) do
    it("is a whole " .. ending, function()
      for _, kind in ipairs { "curves", "heatmap", "cells", "diagnostics" } do
        local file = path(("%s.%s"):format(kind, ending))
        assert.are.equal(file, assert(trpo.plots[kind] { path "pictures", file = file }))
        local bytes = command.read(file)
        assert.is_truthy(bytes:find(magic[ending]), kind)
        assert.is_truthy(bytes:find(ends[ending]), kind)
      end
    end)
  end

  it("stands beside what it shows, and its path is printed", function()
    local out, err, code = command.run(scratch, "plot pictures/")
    assert.are.equal("", err)
    assert.are.equal(0, code)
    assert.are.equal("pictures/heatmap.svg\n", out)
    local text = command.read(path "pictures/heatmap.svg")
    for _, word in ipairs { ">pictures<", ">302.0<", ">[301.0, 303.0]<", ">delta<", ">gamma<", ">0.999<",
      "IQM of 3 trials, 95 %% bootstrap interval; framed: the best" } do
      assert.is_truthy(text:find((word:gsub("%%%%", "%%")), 1, true), word)
    end
    -- what the best one is the best by is said where something else is drawn
    for y, told in pairs { ["ep_rew_mean"] = "framed: the best by eval/mean_reward<", ["eval/mean_reward"] = "framed: the best<" } do
      assert.are.equal(0, select(3, command.run(scratch, "plot pictures --kind cells -o cells-by.svg -y " .. y)))
      assert.is_truthy(command.read(path "cells-by.svg"):find(told, 1, true), told)
    end
    simple_run("runs/a", 1, config(1, 0.1))
    simple_run("runs/b", 2, config(2, 0.1))
    assert.are.equal("runs/a/curves.svg\n", (command.run(scratch, "plot runs/a")))
    assert.are.equal("runs/curves.svg\n", (command.run(scratch, "plot runs/a runs/b/ runs/a")))
    assert.is_truthy(command.read(path "runs/curves.svg"):find(">CartPole-v1, TRPO<", 1, true))
    assert.are.equal("pictures/cells.svg\n", (command.run(scratch, "plot pictures --kind cells -y ep_len_mean")))
    assert.is_truthy(command.read(path "pictures/cells.svg"):find("length of the last episodes", 1, true))
  end)

  it("of cells tells values apart, and has numbers at the edges of a table with holes", function()
    local function drawn(name, parameters, taken)
      sweep_folder.write(path(name), { seeds = { 1 }, parameters = parameters })
      local sweep = assert(require("trpo.sweep.results").read(path(name)))
      if taken then sweep.parameters[1].values = { 0.001, 0.01 } end
      for k = #sweep.cells, 1, -1 do
        if taken and not taken(sweep.cells[k]) then table.remove(sweep.cells, k) end
      end
      local list = runs.of_trials(sweep.trials)
      local by_cell = {}
      for i, run in ipairs(list) do
        run.cell = run.trial.cell
        by_cell[i] = { runs = { run } }
      end
      local made = assert(require("trpo.plots.lattice").of(sweep, {}))
      made.scattered = not taken
      return assert(require("trpo.plots.cells").picture(made, by_cell, { x = "steps", y = "rollout/ep_rew_mean", title = "t" })).script
    end
    local deltas = { path = "algorithm.delta", name = "delta", values = { 0.001, 0.01 } }
    local script = drawn("titles", { deltas, { path = "value.optimizer", name = "value.optimizer",
      values = { "adam", "gauss_newton_with_line_search" } } })
    for _, title in ipairs { "delta=0.001", "delta=0.01", "optimizer=adam", "optimizer=gauss_newton_with_li…" } do
      local _, n = script:gsub("set label '" .. title:gsub("%p", "%%%0") .. "' at", "")
      assert.are.equal(2, n, title)
    end
    script = drawn("edges", { deltas, { path = "algorithm.gamma", name = "gamma", values = { 0.9, 0.99 } } },
      function(cell) return cell.params["algorithm.delta"] ~= 0.001 or cell.params["algorithm.gamma"] ~= 0.9 end)
    -- three panels, and numbers once for all: the last panel has none on its left, the first one none below
    assert.are.equal(3, select(2, script:gsub("set xtics %('0'", "")))
    assert.are.equal(2, select(2, script:gsub("set ytics %('%d", "")))
  end)

  it("of diagnostics has room for the many steps, not for one that is far off, and says so", function()
    local function drawn_with(name, outlier)
      local lines = { "time/total_timesteps,train/kl_divergence_loss,train/step_fraction,train/expected_improvement,"
        .. "train/actual_improvement" }
      for i = 1, 400 do
        lines[i + 1] = ("%d,0.01,1,%g,%g"):format(1000 * i, 0.001 * (i % 20 + 1), i == 200 and outlier or 0.001 * (i % 20))
      end
      write_run(name, lines, config(1, 0.01))
      local _, err, code = command.run(scratch, ("plot %s --kind diagnostics -o %s.svg"):format(name, name))
      assert.are.same({ "", 0 }, { err, code })
      return command.read(path(name .. ".svg"))
    end
    local text = drawn_with("off", 3.1)
    assert.is_truthy(text:find("improvement of the surrogate per step (1 point beyond)", 1, true))
    assert.is_truthy(text:find(">0.02<", 1, true))
    -- a triangle at the edge
    assert.is_truthy(text:find("'#gpPt8'", 1, true))
    text = drawn_with("plain", 0.03)
    assert.is_truthy(text:find("improvement of the surrogate per step<", 1, true))
    assert.is_nil(text:find("'#gpPt8'", 1, true))
  end)

  it("of diagnostics puts cells together where they cannot be told apart", function()
    local function sweep(name, a, b)
      local values = {}
      for i = 1, a do values[i] = i end
      local parameters = { { path = "algorithm.delta", name = "delta", values = values },
        { path = "algorithm.gamma", name = "gamma", values = { unpack(values, 1, b) } } }
      sweep_folder.write(path(name), { parameters = parameters, seeds = { 1 }, iterations = 2 })
      return command.run(scratch, ("plot %s --kind diagnostics -o %s.svg"):format(name, name))
    end
    local out, err, code = sweep("eight", 8, 2)
    assert.are.same({ "eight.svg\n", 0 }, { out, code })
    assert.are.equal("trpo: 16 cells cannot be told apart: one group for each gamma (--group chooses another)\n", err)
    assert.is_truthy(command.read(path "eight.svg"):find(">gamma=2<", 1, true))
    out, err, code = sweep("nine", 9, 1)
    assert.are.same({ "nine.svg\n", 0 }, { out, code })
    assert.are.equal("trpo: the 7 best of 9 cells, more cannot be told apart\n", err)
    -- the fixture's metric grows up to delta = 0.01 and falls with gamma: all are equal, the first ones stay
    local text = command.read(path "nine.svg")
    assert.is_truthy(text:find(">delta=7 gamma=1<", 1, true))
    assert.is_truthy(text:find("the 7 best of 9 cells<", 1, true))
    assert.is_nil(text:find(">delta=8 gamma=1<", 1, true))
    out, err, code = command.run(scratch, "plot nine --kind diagnostics --group delta")
    assert.are.same({ "", 1 }, { out, code })
    assert.is_truthy(err:find("diagnostics of 9 groups cannot be told apart", 1, true))
  end)

  it("of real runs holds them", function()
    for seed = 1, 2 do
      local run = trpo.experiment { env = "CartPole-v1", steps = 1000, lanes = 2, seed = seed, dir = path "real",
        evaluation = { episodes = 2, every = 1 } }
      assert(run:train())
    end
    for _, kind in ipairs { "curves", "diagnostics" } do
      local file = assert(trpo.plots[kind] { path "real/CartPole-v1-TRPO-s1", path "real/CartPole-v1-TRPO-s2",
        x = "iterations" })
      assert.are.equal(path("real/" .. kind .. ".svg"), file)
      assert.is_truthy(command.read(file):find("of 2 runs<", 1, true))
    end
  end)

  it("shows texts as they are: none of them is a command", function()
    local evil = "a'b\"c`touch " .. path "pwned" .. "` $0 @x {/Bold y} <b>&_z^w \\n\n\255'; system \"touch " .. path "pwned"
    local folder = simple_run("evil", 1, config(1, 0.1, { env = { id = evil } }))
    local other = simple_run("evil `touch pwned`", 1, config(2, 0.1, { env = { id = "`touch " .. path "pwned" .. "`" } }))
    for _, kind in ipairs { "curves", "diagnostics" } do
      trpo.plots[kind] { folder, other, file = path "evil.svg", title = evil }
    end
    sweep_folder.write(path "evil sweep", { name = evil, metric = { name = evil, goal = "maximize" }, parameters = {
      { path = evil, name = evil, values = { evil, "b" } }, { path = "`x`", name = "`touch pwned`", values = { "'", '"' } } } })
    for _, kind in ipairs { "curves", "heatmap", "cells" } do
      assert(trpo.plots[kind] { path "evil sweep", file = path "evil.svg" })
      local text = command.read(path "evil.svg")
      assert.is_nil(text:find("<b>", 1, true))
      assert.is_nil(text:find("\255", 1, true))
      assert(trpo.plots[kind] { path "evil sweep", file = path "evil.txt" })
    end
    assert.is_nil(io.open(path "pwned"))
  end)

  it("shows quotes wherever they stand", function()
    local plot = require "trpo.plot"
    for _, text in ipairs { "'", "''", "'a", "a''b'", "''''';''", "`a'b`" } do
      local script = ("set title %s noenhanced\nplot x title %s noenhanced"):format(plot.quoted(text), plot.quoted(text))
      assert(plot.draw(path "quotes.svg", { width = 300, height = 200, script = script }))
      local shown = select(2, command.read(path "quotes.svg"):gsub("<text>" .. text .. "</text>", ""))
      assert.are.equal(2, shown, text)
    end
  end)

  it("takes odd numbers: all alike, huge, tiny, none, and not finite", function()
    for i, values in ipairs { { 0, 0 }, { -1e300, 1e300 }, { 1e-300, 0 }, { "nan", 1 }, { "inf", 1 } } do
      local folder = write_run("odd" .. i, { heading, "1,10,0.1," .. values[1] .. ",", "2,20,0.2," .. values[2] .. "," })
      assert(trpo.plots.curves { folder, file = path "odd.svg" })
    end
    for i, score in ipairs { 0, -1e300, 1e-300 } do
      sweep_folder.write(path("flat" .. i), { score = function() return score end })
      for _, kind in ipairs { "heatmap", "cells", "curves" } do
        assert(trpo.plots[kind] { path("flat" .. i), file = path "odd.svg" })
      end
    end
  end)

  it("of somebody else's run needs no configuration and no columns of ours", function()
    local folder = write_run("theirs", { "time/total_timesteps,rollout/ep_rew_mean,train/approx_kl", "10,1,0.1", "20,2,0.2" })
    assert(trpo.plots.curves { folder, file = path "theirs.svg" })
    local ok, message, code = trpo.plots.curves { folder, file = path "theirs.svg", x = "time" }
    assert.is_nil(ok)
    assert.are.equal(folder .. "/progress.csv has no column 'time/time_elapsed'", message)
    assert.are.equal("format", code)
    ok, message, code = trpo.plots.diagnostics { folder, file = path "theirs.svg" }
    assert.is_nil(ok)
    assert.are.equal("empty", code)
    assert.is_truthy(message:find("no run has columns of TRPO's diagnostics", 1, true))
  end)
end)

-- ---- what is wrong -----------------------------------------------------------------------------

describe("trpo plot", function()
  it("says what is missing", function()
    simple_run("first", 1, config(1, 0.1))
    write_run("second", heading .. "\n", config(2, 0.1))
    local _, err, code = command.run(scratch, "plot second")
    assert.are.equal("trpo: second has no complete iteration yet\n", err)
    assert.are.equal(1, code)
    if has_gnuplot then
      local out
      out, err, code = command.run(scratch, "plot first second -o both.svg")
      assert.are.equal("both.svg\n", out)
      assert.are.equal("trpo: second has no complete iteration yet\n", err)
      assert.are.equal(0, code)
    end
    _, err, code = command.shell(scratch, [[mkdir -p none; printf '#!/bin/sh\nexit 127\n' >none/gnuplot
chmod +x none/gnuplot; PATH=$PWD/none:$PATH "$trpo" plot first]])
    assert.are.equal("trpo: plots need gnuplot, which is not there (Debian: apt-get install gnuplot-nox)\n", err)
    assert.are.equal(1, code)
    sweep_folder.write(path "begun sweep", { status = function() return "waiting" end })
    _, err, code = command.run(scratch, "plot 'begun sweep'")
    assert.are.equal("trpo: no trial of sweep 'begun sweep' has a number for eval/mean_reward yet\n", err)
    assert.are.equal(1, code)
    _, err = command.run(scratch, "plot 'begun sweep' --kind curves")
    assert.are.equal("trpo: no trial of begun sweep has written a progress.csv with numbers yet\n", err)
    sweep_folder.write(path "calls", { kind = "run", status = function() return "waiting" end })
    _, err = command.run(scratch, "plot calls --kind curves")
    assert.are.equal("trpo: calls has no curves: its trials are calls of a function, and none has written a progress.csv into "
      .. "its folder\n", err)
  end)

  it("refuses what makes no sense, in one sentence", function()
    simple_run("one", 1, config(1, 0.1))
    simple_run("two", 1, config(2, 0.2))
    sweep_folder.write(path "s")
    project.lines("mkdir -p " .. project.quoted(path "empty"))
    command.write(path "a file", "x")
    -- many folders with nothing in common
    for _, case in ipairs {
      { "nowhere", 2, "there is no folder 'nowhere'" },
      { "'a file'", 2, "'a file' is a file, give the folder of a run or a sweep" },
      { "empty", 2, "'empty' is neither the folder of a run (no progress.csv) nor of a sweep (no sweep.json)" },
      { "one s", 2, "'s' is a sweep: draw it alone" },
      { "s s/trials/ce000001d0000001", 2, "'s' is a sweep: draw it alone" },
      { "one --kind curve", 2, "--kind must be curves, heatmap, cells or diagnostics, got 'curve', did you mean 'curves'?" },
      { "one --kind heatmap", 2, "one is a run, there is no heat map of it: give the folder of a sweep" },
      { "one --kind cells", 2, "one is a run, there is no grid of cells of it: give the folder of a sweep" },
      { "one -x step", 2, "-x must be steps, time or iterations, got 'step', did you mean 'steps'?" },
      { "one -y ep_rew_men", 2, "no run has a column 'ep_rew_men', did you mean 'ep_rew_mean'?" },
      { "one --group delat", 2, "no run has a parameter 'delat', did you mean 'delta'?" },
      { "one -o a.jpg", 2, "-o: file must end in .svg, .png, .pdf or .txt, or be '-', got 'a.jpg'" },
      { "one -o a.svg --ascii", 2, "--ascii prints the picture: leave -o out, or name a file that ends in .txt" },
      { "one --parameters delta,gamma", 2, "parameters does not go with the kind 'curves', it goes with heatmap, cells" },
      { "s -y eval/mean_reward", 2, "y does not go with the kind 'heatmap', it goes with curves, cells" },
      { "s --parameters delta,gama", 2, "the sweep has no parameter 'gama', did you mean 'gamma'?" },
      { "s --parameters x", 2, "the sweep has no parameter 'x'; there is delta, gamma" },
      { "s --parameters delta,delta", 2, "parameter 'delta' is named twice" },
      { "s --parameters delta,gamma,lambda", 2, "a picture has two axes, got 3 parameters" },
      { "s --fix delta=3", 2, "no cell has delta=3; there is 0.001, 0.01" },
      { "s --parameters ,", 2, "--parameters is empty" },
      { "one -y ''", 2, "-y is empty" },
      { "s --fix worst", 2, "--fix must be 'best' or NAME=VALUE, got 'worst'" },
      { "s --kind cells -y nothing", 2, "no run has a column 'nothing'" },
    } do
      local out, err, code = command.run(scratch, "plot " .. case[1])
      assert.are.equal("trpo: " .. case[3] .. "\n", err)
      assert.are.equal(case[2], code, case[1])
      assert.are.equal("", out)
    end
  end)

  it("has a legend with every curve, on the page", function()
    if not has_gnuplot then return pending "there is no gnuplot here" end
    local function check(file, n, label)
      local svg = command.read(file)
      local width, height = svg:match 'viewBox="0 0 (%d+) (%d+)"'
      local seen = 0
      -- each text stands in a group that says where it is
      for x, y, text in svg:gmatch 'translate%(([%d.]+),([%d.]+)%)[^\n]*\n%s*<text>([^<]*)</text>' do
        if text:find(label, 1, true) then
          seen = seen + 1
          assert.is_true(tonumber(y) > 40 and tonumber(y) < tonumber(height) - 4, text)
          assert.is_true(tonumber(x) + 6 * #text < tonumber(width), text)
        end
      end
      assert.are.equal(n, seen)
    end
    local paths = {}
    for i = 1, 21 do paths[i] = simple_run("legend" .. i, i, config(1, i / 1000)) end
    for _, case in ipairs { { 2, "delta" }, { 21, "delta" }, { 21, "delta,name" } } do
      local given = { unpack(paths, 1, case[1]) }
      given.file, given.group = path "legend.svg", case[2]
      assert(trpo.plots.curves(given))
      check(given.file, case[1], "delta=")
    end
    for i = 1, 21 do
      paths[i] = simple_run("words" .. i, i, config(1, i / 1000, {
        policy = { activation = "a long name of an activation function, the number " .. i },
      }))
    end
    paths.file, paths.group = path "legend.svg", "delta,activation"
    assert(trpo.plots.curves(paths))
    check(paths.file, 21, "activation=a long name of an activation function")
  end)

  it("draws no more curves than can be told apart", function()
    local list = {}
    for i = 1, 22 do list[i] = simple_run("many/" .. i, i, config(i, 0.1)) end
    list.group, list.file = "seed", path "many.svg"
    local ok, message, code = trpo.plots.curves(list)
    assert.is_nil(ok)
    assert.are.equal("22 curves cannot be told apart, there may be 21: put runs together by --group", message)
    assert.are.equal("too_many", code)
  end)
end)

describe("wrong arguments", function()
  local plots = trpo.plots
  misuse.each(it, {
    { "no table", plots.curves, { "runs/a" }, "trpo.plots.curves: options must be a table, got the string 'runs/a'" },
    { "no folder", plots.curves, { {} }, "trpo.plots.curves: there must be the folder of a run or a sweep" },
    { "a folder that is none", plots.heatmap, { { 3 } }, "trpo.plots.heatmap: folder 1 must be a string, got 3" },
    { "an unknown option", plots.cells, { { "a", titel = "x" } },
      "trpo.plots.cells: unknown option 'titel', did you mean 'title'?" },
    { "an unknown axis", plots.curves, { { "a", x = "step" } },
      "trpo.plots.curves: x must be 'steps', 'time' or 'iterations', got the string 'step'" },
    { "another ending", plots.diagnostics, { { "a", file = "a.gif" } },
      "file must end in .svg, .png, .pdf or .txt, or be '-', got 'a.gif'" },
    { "no parameters", plots.heatmap, { { "a", parameters = "," } }, "parameters must be a list of names, got the string ','" },
    { "parameters that are none", plots.heatmap, { { "a", parameters = { 1 } } },
      "trpo.plots.heatmap: parameters must be a list of names, got {1}" },
  })
end)
