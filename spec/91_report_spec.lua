-- The page of a sweep: what it says, and what it does in a real browser.
local browser = require "support.browser"
local command = require "support.command"
local json = require "trpo.json"
local project = require "support.project"
local report = require "trpo.report"
local results = require "trpo.sweep.results"
local sweep_folder = require "support.sweep_folder"
local trpo = require "trpo"

local scratch
setup(function() scratch = command.scratch() end)
teardown(function() command.remove(scratch) end)

local count = 0

-- the folder of a new sweep
local function sweep(opts)
  count = count + 1
  local dir = ("%s/sweep%d"):format(scratch, count)
  sweep_folder.write(dir, opts)
  return dir
end

-- the page of a new sweep
local function page(opts) return assert(report.page(sweep(opts))) end

-- texts in the HTML between tags
local function words(html)
  return (html:gsub("<script.-</script>", " "):gsub("<style.-</style>", " "):gsub("</?strong>", ""):gsub("</?b>", "")
    :gsub("</?a[^>]*>", ""):gsub("<[^>]*>", " "):gsub("%s+", " ")
    :gsub("&lt;", "<"):gsub("&gt;", ">"):gsub("&quot;", '"'):gsub("&#39;", "'"):gsub("&amp;", "&"))
end

local function contains(text, part) assert.is_truthy(text:find(part, 1, true), "no '" .. part .. "' in: " .. text) end

-- the rows of a table as lists of texts
local function rows(html, name)
  local body = html:match('id="' .. name .. '%-table".-<tbody>(.-)</tbody>')
  local list = {}
  for row in body:gmatch "<tr.-</tr>" do
    local cells = {}
    for cell in row:gmatch "<td.->(.-)</td>" do cells[#cells + 1] = (cell:gsub("<[^>]*>", "")) end
    list[#list + 1] = cells
  end
  return list
end

-- what the script of a page works on
local function data_of(html)
  return json.decode((html:match '<script type="application/json" id="data">(.-)</script>'))
end

local hostile = {
  "</script><script>window.hacked = 1</script><b>", "\"'><img src=x onerror='window.hacked = 1'>", "<!--", "$name $!raw",
  "\255\0z", "]]>&amp;",
}

-- a sweep whose every text is hostile
local function hostile_sweep()
  local name = hostile[1]
  return {
    name = name, metric = { name = hostile[2], goal = "minimize" }, seeds = { 1, 2 },
    parameters = {
      { path = "x." .. name, name = name, values = hostile },
      { path = "y", name = hostile[2], values = { true, { 64, 64 } } },
    },
    score = function(_, seed) return seed end,
    status = function(cell) return cell == 3 and "failed" or "done" end,
  }
end

describe("the page of a sweep", function()
  it("says what was swept, how far it is and which cell is the best", function()
    local text = words(page { name = "example" })
    contains(text, "Report of a sweep example")
    contains(text, "A grid over delta and gamma on CartPole-v1: 6 cells, 3 seeds each, 18 trials.")
    contains(text, "interquartile mean (IQM) of eval/mean_reward over their seeds; higher is better.")
    contains(text, "Best cell delta 0.01 gamma 0.99 IQM 302.0, 95 % interval 301.0 to 303.0, 3 seeds")
    contains(text, "18 of 18 trials done")
    contains(text, "27.0 s of computing in all.")
    assert.is_nil(text:find("not finished", 1, true))
  end)

  it("has a row for each cell, best first, and one for each trial", function()
    local html = page()
    local cells, trials = rows(html, "cells"), rows(html, "trials")
    assert.are.equal(6, #cells)
    -- cell, delta, gamma, IQM, low, high, median, mean, std, min, max, n, failed, probability
    assert.are.same({ "5", "0.01", "0.99", "302.0", "301.0", "303.0", "302.0", "302.0", "1.0", "301.0", "303.0", "3", "0",
      "best" }, cells[1])
    assert.are.same({ "100 %", "0.001" }, { cells[6][14], cells[6][2] })
    assert.are.equal(18, #trials)
    assert.are.same({ "ce000001d0000001", "1", "0.001", "0.9", "1", "done", "121.0", "1.500", "here" }, trials[1])
    assert.are.same({ "ce000006d0000003", "6", "0.01", "0.999", "3" }, { unpack(trials[18], 1, 5) })
  end)

  it("says what is missing while the sweep is at work, and which trials failed", function()
    local dir = sweep { status = function(cell, seed)
      return cell <= 2 and "done" or cell == 3 and (seed == 1 and "failed" or "done") or cell == 4 and "running" or "waiting"
    end }
    local html = assert(report.page(dir))
    local text = words(html)
    contains(text, "The sweep is not finished: 9 trials are missing (3 running, 6 waiting)")
    contains(text, "1 trial failed and has no number; see the trial. The command of the sweep with --retry-failed runs it again. "
      .. "delta=0.001 gamma=0.999 seed 1: it went wrong ")
    contains(text, "8 of 18 trials done")
    contains(text, "8 done 1 failed 3 running 6 waiting")
    assert.are.equal("it went wrong", rows(html, "trials")[7][10])
  end)

  it("says each message of failures once, and has the traceback of a trial where it is asked for", function()
    local dir = sweep { status = function(cell) return cell <= 2 and "failed" or "done" end }
    local function fail(cell, seed, message)
      command.write(("%s/trials/ce%06xd%07x/result.json"):format(dir, cell, seed),
        json.encode { status = "failed", metrics = {}, seconds = 1, host = "here", message = message })
    end
    for seed = 1, 3 do
      fail(1, seed, ("f.lua:3: <wrong>\nstack traceback:\n\tf.lua:%d: in function 'f'\n"):format(seed))
    end
    fail(2, 1, "another one")
    fail(2, 2, "f.lua:3: <wrong>")
    fail(2, 3, "another one")
    local html = assert(report.page(dir))
    contains(words(html), "6 trials failed and have no number; see the trials. The command of the sweep with --retry-failed runs "
      .. "them again. delta=0.001 gamma=0.9 seed 1 and 3 trials like it: f.lua:3: <wrong> delta=0.001 gamma=0.99 seed 1 and 1 trial "
      .. "like it: another one ")
    for seed = 1, 3 do
      contains(html, ("<td class=\"message\"><details><summary>f.lua:3: &lt;wrong&gt;</summary><pre>stack traceback:\n\tf.lua:%d: "
        .. "in function &#39;f&#39;</pre></details></td>"):format(seed))
    end
    contains(html, '<td class="message">f.lua:3: &lt;wrong&gt;</td>')
    contains(html, '<td class="message">another one</td>')
  end)

  it("says ten messages of failures", function()
    local dir = sweep { status = function() return "failed" end }
    for i = 0, 17 do
      command.write(("%s/trials/ce%06xd%07x/result.json"):format(dir, math.floor(i / 3) + 1, i % 3 + 1),
        json.encode { status = "failed", metrics = {}, message = "message " .. math.min(i + 1, 12) })
    end
    local list = assert(report.page(dir)):match '<div class="note bad">.-<ul>(.-)</ul>'
    assert.are.equal(10, select(2, list:gsub("<code>message ", "")))
    assert.is_truthy(list:find "<li>and 2 messages more</li>$", list)
  end)

  it("exists before the first trial is finished", function()
    local html = page { status = function() return "waiting" end }
    local text = words(html)
    contains(text, "No trial has finished yet.")
    contains(text, "No trial has logged eval/mean_reward or rollout/ep_rew_mean in a progress.csv yet.")
    contains(words((page { kind = "run", status = function() return "waiting" end })),
      "The trials are calls of a function, and none has written a progress.csv with eval/mean_reward or rollout/ep_rew_mean into "
        .. "its folder.")
    contains(text, "There are not two cells with finished trials to compare.")
    assert.are.same({ "1", "0.001", "0.9", "–", "–" }, { unpack(rows(html, "cells")[1], 1, 5) })
  end)

  it("says why the cell with the best number is not the best cell", function()
    local text = words(page { status = function(cell, seed) return cell == 5 and seed == 1 and "failed" or "done" end })
    contains(text, "delta=0.01 gamma=0.99 has a better IQM than the best cell, but less stands behind it")
    contains(text, "Best cell delta 0.01 gamma 0.999")
  end)

  it("says how many cells are as good as the best", function()
    contains(words(page { score = function(_, seed) return 500 - seed end }),
      "5 other cells have the very numbers of the best cell, which is only the first of them.")
    contains(words(page { score = function(params) return params["algorithm.delta"] == 0.01 and
      params["algorithm.gamma"] < 0.999 and 1 or 0 end }), "1 other cell has the very numbers of the best cell")
    assert.is_nil(words(page()):find("very numbers", 1, true))
    -- all cells have the IQM 500, one has the better mean and is listed first
    local html = page { seeds = { 1, 2, 3, 4 }, score = function(params, seed)
      local best = params["algorithm.delta"] == 0.01 and params["algorithm.gamma"] == 0.99
      return seed == 1 and (best and 400 or 300) or 500
    end }
    contains(words(html), "Best cell delta 0.01 gamma 0.99 IQM 500,")
    assert.are.equal("5", rows(html, "cells")[1][1])
    assert.is_nil(words(html):find("very numbers", 1, true))
  end)

  it("shows how certain the best cell is, with intervals", function()
    -- one seed in three is better elsewhere: the best cell wins 8 of 9 pairs against the next one
    local html = page { score = function(params, seed)
      local best = params["algorithm.delta"] == 0.01 and params["algorithm.gamma"] == 0.99
      return best and 10 * seed or params["algorithm.delta"] == 0.01 and 10 * seed - 11 or -seed
    end }
    contains(words(html), "delta=0.01 gamma=0.9 89 %")
    local x, y = trpo.tensor { 10, 20, 30 }, trpo.tensor { -1, 9, 19 }
    local p, low, high = trpo.stats.probability_of_improvement(x, y, {})
    assert.are.near(8 / 9, p, 1e-12)
    contains(words(html), ("delta=0.01 gamma=0.9 89 %% %.0f to %.0f"):format(100 * low, 100 * high))
    contains(html, ('<u style="left:%.1f%%;width:%.1f%%">'):format(100 * low, 100 * (high - low)))
    contains(words(page { seeds = { 7 } }), "The best cell has a single result")
    -- of losses: the smaller one wins
    contains(words(page { metric = { name = "loss", goal = "minimize" }, score = function(params, seed)
      return params["algorithm.gamma"] == 0.9 and seed or 10 * seed
    end }), "100 % 100 to 100")
  end)

  it("marks cells on the map of which all trials failed", function()
    local text = words(page { status = function(cell) return cell == 2 and "failed" or "done" end })
    contains(text, "best cell × failed")
    assert.is_nil(words(page()):find("× failed", 1, true))
  end)

  it("shows numbers that are not finite, which count as failed", function()
    local dir = sweep()
    local function put(cell, seed, value)
      command.write(("%s/trials/ce%06xd%07x/result.json"):format(dir, cell, seed),
        ('{"status": "done", "metrics": {"eval/mean_reward": "%s"}, "seconds": 1, "host": "here"}'):format(value))
    end
    put(1, 1, "nan")
    put(1, 2, "inf")
    put(1, 3, "-inf")
    local html = assert(report.page(dir))
    contains(words(html), "3 trials reported a eval/mean_reward that is NaN or infinite.")
    local trials, cells = rows(html, "trials"), rows(html, "cells")
    assert.are.same({ "NaN", "∞", "−∞" }, { trials[1][7], trials[2][7], trials[3][7] })
    contains(html, [[data-v="">NaN]])
    contains(html, [[data-v="-Infinity">]])
    assert.are.same({ "1", "–", "0", "3", "–" }, { cells[6][1], cells[6][4], cells[6][12], cells[6][13], cells[6][14] })
  end)

  it("takes the lowest number for the best when it is to be minimised", function()
    local html = page { metric = { name = "regret", goal = "minimize" } }
    contains(words(html), "lower is better.")
    contains(words(html), "Best cell delta 0.001 gamma 0.9 IQM 122.0")
    assert.are.same({ "1", "0.001", "0.9", "122.0" }, { unpack(rows(html, "cells")[1], 1, 4) })
    contains(html, [[aria-sort="ascending"><button type="button">IQM]])
    assert.is_false(data_of(html).maximize)
  end)

  it("writes values that were drawn as short as tells them apart, and keeps them exact", function()
    local dir = sweep { seeds = { 1 }, parameters = { { path = "x", name = "x", values = { 0.123456789, 1 / 3, 0.12346 } } } }
    local text = command.read(dir .. "/sweep.json"):gsub('"values": %[[^%]]*%]', '"uniform": [0, 1]')
    command.write(dir .. "/sweep.json", text)
    local html, seen = assert(report.page(dir)), {}
    for _, row in ipairs(rows(html, "cells")) do seen[row[2]] = true end
    assert.are.same({ ["0.123457"] = true, ["0.12346"] = true, ["0.333333"] = true }, seen)
    contains(html, [[data-v="]] .. json.number(1 / 3) .. [[">0.333333]])
  end)

  it("lists trials that did not report the metric, and broken files", function()
    local dir = sweep()
    command.write(dir .. "/trials/ce000001d0000001/result.json", '{"status": "done", "metrics": {}}')
    command.write(dir .. "/trials/ce000001d0000002/result.json", '{"status": "do')
    local text = words(assert(report.page(dir)))
    contains(text, "1 trial finished without reporting eval/mean_reward.")
    contains(text, "result.json is broken")
    contains(text, "1 trial is missing (0 running, 1 waiting)")
  end)

  it("has the curve of each cell, of the metric and of the return in training", function()
    local data = data_of(page { iterations = 4, steps = 1000 })
    assert.are.same({ "eval/mean_reward", "rollout/ep_rew_mean" }, { data.curves[1].name, data.curves[2].name })
    local curve = data.curves[2].cells[5]
    assert.are.same({ 250, 500, 750, 1000 }, curve.x)
    -- scores 301, 302, 303: at each step a share of them
    assert.are.same({ 75.5, 151, 226.5, 302 }, curve.y)
    assert.are.same({ 301, 303, 3 }, { curve.low[4], curve.high[4], curve.n })
    assert.are.same({ 1000 }, data.curves[1].cells[5].x)
  end)

  it("draws delta to the right and gamma upwards, or the first two parameters", function()
    local function axes(...)
      local parameters = {}
      for i, path in ipairs { ... } do parameters[i] = { path = path, name = path, values = { i, i + 1 } } end
      local data = data_of(page { parameters = parameters, seeds = { 1 }, score = function() return 1 end })
      local names = {}
      for _, p in ipairs(data.parameters) do names[#names + 1] = p.name end
      return names[data.axes.x + 1], names[data.axes.y + 1]
    end
    assert.are.same({ "algorithm.delta", "algorithm.gamma" }, { axes("lr", "algorithm.gamma", "algorithm.delta") })
    assert.are.same({ "a", "algorithm.gamma" }, { axes("algorithm.gamma", "a", "b") })
    assert.are.same({ "delta", "b" }, { axes("b", "delta") })
    assert.are.same({ "a", "b" }, { axes("a", "b", "c") })
    assert.are.same({ "gamma" }, { axes "gamma" })
  end)

  it("draws each parameter on the axis that it was drawn from", function()
    local data = data_of(page { parameters = {
      { path = "a", name = "a", values = { 0.001, 1 } }, { path = "b", name = "b", values = { 0.9, 0.99 } },
      { path = "c", name = "c", values = { "x", "y" } },
    }, seeds = { 1 }, score = function() return 1 end })
    local found = {}
    for i, p in ipairs(data.parameters) do found[i] = p.logarithmic end
    assert.are.same({ true, false, false }, found)
  end)

  it("tells where the numbers come from", function()
    local dir = sweep()
    local html = assert(report.page(dir))
    local text = words(html)
    contains(text, "Folder " .. dir)
    contains(text, "Instruction set avx2 BLAS OpenBLAS")
    contains(text, "Computed on here (18 trials) Seeds 1, 2, 3")
    contains(text, "SHA-256 of examples/cartpole.lua " .. ("0"):rep(64))
    assert.is_truthy(text:find "Results %d%d%d%d%-%d%d%-%d%d %d%d:%d%d UTC")
    local config = html:match("<pre.->(.-)</pre>"):gsub("&quot;", '"')
    assert.are.equal("CartPole-v1", json.decode(config).config.env.id)
    local result = '{"status": "done", "metrics": {"eval/mean_reward": 1}, "system": {"isa": "generic"}}'
    command.write(dir .. "/trials/ce000001d0000001/result.json", result)
    contains(words(assert(report.page(dir))), "The trials were not all computed by the same version")
  end)

  it("holds texts as texts, whatever they are", function()
    local html = page(hostile_sweep())
    assert.is_nil(html:find("<script>window", 1, true))
    assert.is_nil(html:find("<img", 1, true))
    assert.is_nil(html:find("<b>=", 1, true))
    assert.are.equal(2, select(2, html:gsub("</script>", "")))
    contains(words(html), "$name $!raw")
    contains(html, "ÿ\239\191\189z")
    assert.are.equal("\195\191\0z", data_of(html).parameters[1].values[5])
  end)

  it("asks for nothing that is elsewhere", function()
    local html = page()
    for _, pattern in ipairs { "src=", "@import", "url%(", "fetch", "XMLHttpRequest", "WebSocket", "https?://[^w]" } do
      assert.is_nil(html:find(pattern), pattern)
    end
    for link in html:gmatch 'href="([^"]*)"' do assert.is_truthy(link:find "^#" or link == "data:,", link) end
  end)

  it("shows each rung's trials of successive halving", function()
    local html = page {
      method = "halving", halving = { rungs = { 100, 200 }, factor = 2, min = 100, max = 200 }, seeds = { 1 },
      status = function(cell, _, rung) return rung == 1 and "done" or cell >= 4 and "done" or "waiting" end,
    }
    contains(words(html), "Successive halving over delta and gamma")
    contains(words(html), "Cells that were stopped early count with what they had reached.")
    contains(html, '<button type="button">rung</button>')
    assert.are.same({ "200", "100" }, { rows(html, "cells")[1][4], rows(html, "cells")[6][4] })
    assert.are.equal("100", data_of(html).cells[1].steps)
    assert.are.equal("2", rows(html, "trials")[#rows(html, "trials")][6])
  end)

  it("says how probable the best cell wins where that can be told: of several seeds, after the same steps", function()
    local one = page { seeds = { 1 } }
    assert.is_nil(one:find("P(best wins)", 1, true))
    contains(words(one), "The best cell has a single result: too little to tell luck from merit.")
    -- of the cells of the first rung three go on to the second
    local html = page { method = "halving", halving = { rungs = { 100, 200 }, factor = 2, min = 100, max = 200 },
      status = function(cell, _, rung) return rung == 1 and "done" or cell >= 4 and "done" or "waiting" end }
    contains(html, "P(best wins)")
    local told = {}
    for i, row in ipairs(rows(html, "cells")) do told[i] = row[#row] end
    assert.are.same({ "best", "–", "–", "–" }, { told[1], told[4], told[5], told[6] })
    assert.is_truthy(told[2]:find "%%$" and told[3]:find "%%$", told[2] .. " " .. told[3])
    contains(words(html), "Cells that were stopped earlier are not compared.")
    assert.are.equal(2, select(2, html:match('<ol class="chances">.-</ol>'):gsub("<li>", "")))
  end)

  it("has the numbers of a parameter in order of size, whatever order they have in the sweep", function()
    local html = page { seeds = { 1 }, parameters = {
      { path = "algorithm.gamma", name = "gamma", values = { 0.9, 0.99, 0.5 } },
      { path = "algorithm.lambda", name = "lambda", values = { 1, 0.5 } } } }
    local read = data_of(html)
    assert.are.same({ { "0.5", "0.9", "0.99" }, { "0.5", "1" } }, { read.parameters[1].values, read.parameters[2].values })
    assert.are.same({ 0.5, 0.9, 0.99 }, read.parameters[1].numbers)
    assert.are.same({ { 1, 1 }, { 1, 0 }, { 2, 1 }, { 2, 0 }, { 0, 1 }, { 0, 0 } }, (function()
      local at = {}
      for i, cell in ipairs(read.cells) do at[i] = cell.at end
      return at
    end)())
  end)

  it("tells a parameter from a column of its own", function()
    local html = page { seeds = { 1 }, parameters = { { path = "n", name = "n", values = { 1, 2 } } } }
    for _, name in ipairs { "cells", "trials" } do
      local heading = html:match('id="' .. name .. '%-table".-<thead>(.-)</thead>')
      contains(heading, ">parameter n<")
    end
  end)

  it("is made of more cells than a function can return values", function()
    local values = {}
    for i = 1, 9000 do values[i] = i / 8 end
    local dir = sweep { seeds = { 1 }, parameters = { { path = "algorithm.delta", name = "delta", values = values } },
      iterations = 1, status = function(cell) return cell % 3000 == 0 and "done" or "waiting" end }
    local read = data_of(assert(report.page(dir)))
    assert.are.equal(#values, #read.cells)
    assert.are.same(values, read.parameters[1].numbers)
    assert.are.equal(#values, #read.parameters[1].values)
  end)

  it("has no curve of numbers that no statistics are made of", function()
    local dir = sweep { seeds = { 1, 2 }, parameters = { { path = "algorithm.delta", name = "delta", values = { 1, 2 } } },
      score = function(params) return params["algorithm.delta"] == 1 and 1e302 or 1 end }
    local read = data_of(assert(report.page(dir)))
    assert.are.equal(trpo.json.null, read.curves[1].cells[1])
    assert.are.equal(1, read.curves[1].cells[2].y[1])
  end)

  it("is made of a sweep over a function as well", function()
    local dir = sweep { kind = "run", seeds = { 1 }, parameters = { { path = "x", name = "x", values = { 1, 2 } } } }
    project.lines("rm " .. project.quoted(dir) .. "/trials/*/progress.csv")
    local text = words(assert(report.page(dir)))
    contains(text, "A grid over x: 2 cells, 1 seed each, 2 trials.")
    contains(text, "no interval, 1 seed")
    contains(text, "The best cell has a single result: too little to tell luck from merit.")
  end)
end)

describe("trpo report", function()
  it("writes report.html into the sweep's folder and prints its path", function()
    local dir = sweep()
    local out, err, code = command.run(scratch, "report " .. project.quoted(dir .. "/"))
    assert.are.same({ dir .. "/report.html\n", "", 0 }, { out, err, code })
    contains(command.read(dir .. "/report.html"), "</html>")
  end)

  it("writes where it is told to, and nothing is left beside the page", function()
    local dir = sweep()
    project.lines("mkdir " .. project.quoted(dir .. "/out"))
    local out, _, code = command.run(dir, "report . -o out/page.html")
    assert.are.same({ "out/page.html\n", 0 }, { out, code })
    assert.are.same({ "page.html" }, project.lines("ls -A " .. project.quoted(dir .. "/out")))
    out = command.run(dir, "report . -o -")
    assert.is_truthy(out:find "^<!DOCTYPE html>.*</html>\n$")
  end)

  it("says what is wrong in one sentence, and leaves an earlier page as it is", function()
    local dir = sweep()
    project.lines(("cd %s && mkdir other empty && printf '{' >other/sweep.json && mkdir newer"):format(project.quoted(dir)))
    command.write(dir .. "/newer/sweep.json", '{"format": 99}')
    command.write(dir .. "/report.html", "earlier")
    local cases = {
      { "nowhere", 2, "trpo: there is no sweep in nowhere (no sweep.json)" },
      { "empty", 2, "trpo: there is no sweep in empty (no sweep.json)" },
      { "report.html", 2, "no sweep" },
      { "other", 2, "trpo: other/sweep.json is not JSON" },
      { "newer", 2, "trpo: newer/sweep.json has format 99, which a newer trpo wrote" },
      { ". -o missing/page.html", 1, "trpo: cannot write 'missing/page.html': No such file or directory" },
      { ". -o empty", 1, "trpo: cannot write 'empty': " },
      { ". -o /proc/page.html", 1, "trpo: cannot write '/proc/page.html': " },
      { ". -o ''", 2, "the name of the page must not be empty" },
      { ". -o page.pdf", 2, "the page is HTML, and 'page.pdf' is the name of a picture; trpo plot draws such" },
      { ". -o ./Page.PNG", 2, "the page is HTML, and './Page.PNG' is the name of a picture; trpo plot draws such" },
    }
    for _, case in ipairs(cases) do
      local out, err, code = command.run(dir, "report " .. case[1])
      assert.are.same({ "", case[2] }, { out, code }, case[1] .. ": " .. err)
      contains(err, case[3])
      assert.are.equal(1, select(2, err:gsub("\n", "")), err)
    end
    assert.are.equal("earlier", command.read(dir .. "/report.html"))
  end)

  it("says that a page could not be written when the disk is full", function()
    local dir = sweep()
    local _, err, code = command.run(dir, "report . -o - >/dev/full")
    assert.are.equal(1, code)
    contains(err, "cannot write to the standard output")
  end)
end)

-- ---- in a browser --------------------------------------------------------------------------------

-- a sweep in memory: so many cells of two parameters, 10 seeds, all done
local function large(across, up)
  local values, cells = { {}, {} }, {}
  for i = 1, across do values[1][i] = i / 1000 end
  for j = 1, up do values[2][j] = 1 - 1 / (j + 1) end
  for i = 1, across do
    for j = 1, up do
      local ids = {}
      for s = 1, 10 do ids[s] = ("%08x%08x"):format(#cells, s) end
      cells[#cells + 1] = { params = { delta = values[1][i], gamma = values[2][j] }, ids = ids }
    end
  end
  local made = results.empty(scratch .. "/nowhere", {
    name = "large", kind = "run", method = "grid", seeds = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, cells = cells,
    parameters = { { path = "delta", name = "delta", values = values[1] }, { path = "gamma", name = "gamma",
      values = values[2] } },
    metric = { name = "score", goal = "maximize" },
  })
  for c, cell in ipairs(made.cells) do
    cell.trials = {}
    for i = 1, 10 do
      local trial = results.trial(made, c, i, 1)
      trial.status, trial.metric = "done", (c * 37 + i * 11) % 1009 / 7
      trial.metrics = { score = trial.metric }
      cell.trials[i], made.trials[#made.trials + 1] = trial, trial
    end
  end
  return made
end

-- cells of the large sweep in each direction
local wide = command.sanitized and 3 or 10

local function large_page()
  local made = large(wide, 10)
  local m = require("trpo.report.model").of(made, require("trpo.sweep.summary").of(made))
  return require("trpo.report.page").of(m, require("trpo.report.curves").of(m))
end

-- what is done on the page of the example
local example_test = [[
const heads = (table) => all("#" + table + "-table th");
const column = (table, i) => all("#" + table + "-table tbody tr").map((row) => text(row.cells[i]));
const head = (table, title) => heads(table).findIndex((th) => text(th) === title);
const sort = (table, title) => {
  const i = head(table, title);
  click(heads(table)[i].querySelector("button"));
  return { values: column(table, i), sorts: heads(table).map((th) => th.getAttribute("aria-sort")).filter(Boolean),
    sort: heads(table)[i].getAttribute("aria-sort") };
};
found.buttons = heads("trials").every((th) => {
  const button = th.querySelector("button");
  button.focus();
  return document.activeElement === button;
});
found.first = column("cells", 0);
found.up = sort("trials", "eval/mean_reward");
found.down = sort("trials", "eval/mean_reward");
found.seeds = sort("trials", "seed");
found.status = sort("trials", "status");
found.mean = sort("cells", "mean");

const shown = () => all("#trials-table tbody tr").filter((row) => !row.hidden).length;
const filter = (words) => { type(one("#trials-filter"), words); return [shown(), text(one("#trials-shown"))]; };
found.filters = ["failed", "status=failed", "delta=0.01 gamma=0.99", "gamma=0.99", "ce000002", "NOTHING", "seed=", ""].map(filter);
click(one("a[data-filter]"));
found.link = [one("#trials-filter").value, shown()];

const squares = all(".square");
found.squares = squares.map((square) => text(square));
found.names = squares.map((square) => square.getAttribute("aria-label"));
found.best = squares.filter((square) => square.classList.contains("best")).map((square) => square.getAttribute("aria-label"));
found.readout = text(one("#readout"));
squares[0].focus();
found.focused = [document.activeElement === squares[0], text(one("#readout"))];
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const walk = ["ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "Enter"];
found.walk = walk.map((key) => { press(key); return squares.indexOf(document.activeElement); });
hover(squares[3]);
found.hovered = text(one("#readout"));

const curves = () => all("#chart .curve:not(.dim)").map((curve) => Number(curve.dataset.cell) + 1).sort();
found.curves = curves();
found.bands = all("#chart .band").length;
click(squares[3]);
found.picked = [squares[3].getAttribute("aria-pressed"), curves(), one("#clear").hidden];
hover(squares[3], "pointerleave");
click(squares[0]);
found.both = curves();
hover(all(".key")[0]);
found.lit = all("#chart .lit").map((shape) => shape.dataset.cell).filter(Boolean).map(Number);
hover(all(".key")[0], "pointerleave");
click(one("#clear"));
found.cleared = [curves(), squares[3].getAttribute("aria-pressed"), one("#clear").hidden];
found.keys = all(".key").map((key) => text(key.querySelector("span")));
found.steps = all("#chart text").map((t) => t.textContent).filter((t) => /k$|000/.test(t));
found.family = one("#family").selectedOptions[0].textContent;
one("#family").value = "0";
one("#family").dispatchEvent(new Event("change"));
found.points = all("#chart .lone").length;

found.landmarks = [all("h1").length, all("section").every((s) => text(one("#" + s.getAttribute("aria-labelledby")))),
  all("input").every((input) => input.labels.length === 1), all("table caption").length];
found.duplicates = all("[id]").map((node) => node.id).filter((id, i, list) => list.indexOf(id) !== i);
found.width = document.documentElement.scrollWidth <= window.innerWidth;
]]

-- what is done on the page of a sweep over three parameters
local three_test = [[
const selects = () => all("#axes select");
const labels = () => all(".heat tfoot th").map((th) => text(th));
const choose = (i, value) => { selects()[i].value = value; selects()[i].dispatchEvent(new Event("change")); };
found.titles = all("#axes label").map((label) => label.firstChild.textContent);
found.best = all(".square").map((square) => text(square));
found.shades = all(".square").map((square) => square.style.getPropertyValue("--t"));
choose(2, "0");
found.fixed = all(".square").map((square) => text(square));
choose(0, "2");
found.swapped = [labels(), all("#axes label").map((label) => label.firstChild.textContent)];
choose(1, "2");
found.turned = labels();
]]

local harmless_test = [[
found.hacked = window.hacked === undefined;
found.heading = text(one("h1"));
found.values = all("#trials-table tbody tr").map((row) => text(row.cells[2]));
all("#trials-table th button, #cells-table th button, .square, .key").forEach(click);
all(".square").forEach((square) => hover(square));
found.labels = all(".heat tfoot th").map((th) => th.textContent);
found.elements = all("b, img").filter((node) => node.closest("main") && !node.closest(".ramp, .score, .chances")).length;
]]

local many_test = [[
click(all("#trials-table th button")[5]);
found.rows = all("#trials-table tbody tr").length;
click(all("#trials-table th button")[6]);
const values = all("#trials-table tbody tr").map((row) => Number(row.cells[6].dataset.v));
found.ascending = values.every((x, i) => i === 0 || values[i - 1] <= x);
type(one("#trials-filter"), "seed=10");
found.shown = text(one("#trials-shown"));
found.squares = all(".square").length;
]]

-- opens pages and sees to it that nothing went wrong on any of them
local function open(pages)
  local folder = scratch .. "/browser"
  project.lines("mkdir -p " .. project.quoted(folder))
  local found = browser.open(folder, pages)
  for name, result in pairs(found) do
    assert.are.same({}, result.problems, name)
    assert.are.same({}, result.requests, name)
    assert.is_nil(result.log:find("CONSOLE", 1, true), name .. ": " .. result.log)
  end
  return found
end

describe("the page in a browser", function()
  if command.watched then return end
  if not browser.program then
    print "skipped: there is no chromium here to open the pages of sweeps"
    return pending "there is no chromium here"
  end

  it("sorts, filters, shows cells by pointer and keyboard, and brings out their curves", function()
    local found = open { example = { test = example_test, page = page {
      parameters = {
        { path = "algorithm.delta", name = "delta", values = { 0.001, 0.01 } },
        { path = "algorithm.gamma", name = "gamma", values = { 0.9, 0.99 } },
      },
      status = function(cell, seed) return cell == 2 and seed == 3 and "failed" or "done" end,
    } } }.example
    -- scores: 121 to 123, 211 to 213, 211 to 213, 301 to 303
    assert.is_true(found.buttons)
    assert.are.same({ "4", "3", "2", "1" }, { found.first[1], found.first[2], found.first[3], found.first[4] })
    assert.are.same({ "121.0", "122.0", "123.0", "211.0" }, { unpack(found.up.values, 1, 4) })
    assert.are.same({ "303.0", "–" }, { unpack(found.up.values, 11, 12) })
    assert.are.same({ "ascending", { "ascending" } }, { found.up.sort, found.up.sorts })
    assert.are.same({ "303.0", "302.0" }, { unpack(found.down.values, 1, 2) })
    assert.are.same({ "121.0", "–", "descending" }, { found.down.values[11], found.down.values[12], found.down.sort })
    assert.are.same({ "1", "1", "1", "1", "2" }, { unpack(found.seeds.values, 1, 5) })
    assert.are.same({ "done", "failed" }, { found.status.values[11], found.status.values[12] })
    assert.are.same({ "122.0", "211.5", "212.0", "302.0" }, found.mean.values)
    assert.are.same({ { 1, "1 of 12 shown" }, { 1, "1 of 12 shown" }, { 3, "3 of 12 shown" }, { 6, "6 of 12 shown" },
      { 3, "3 of 12 shown" }, { 0, "0 of 12 shown" }, { 0, "0 of 12 shown" }, { 12, "" } }, found.filters)
    assert.are.same({ "status=failed", 1 }, found.link)

    -- with as many digits as tell the best ones apart
    assert.are.same({ "211.5", "302.0", "122.0", "212.0" }, found.squares)
    assert.are.same({ "delta=0.01 gamma=0.99: IQM 302.0, 95 % interval 301.0 to 303.0, n = 3, best cell" }, found.best)
    assert.are.equal("delta=0.001 gamma=0.99: IQM 211.5, 95 % interval 211.0 to 212.0, n = 2, 1 failed", found.names[1])
    contains(found.readout, "Cell 4 best")
    assert.is_true(found.focused[1])
    contains(found.focused[2], "Cell 2")
    contains(found.focused[2], "2 of 3 done, 1 failed")
    assert.are.same({ 1, 3, 3, 3, 2, 0, 0, 0 }, found.walk)
    contains(found.hovered, "Cell 3")

    assert.are.same({ 1, 2, 3, 4 }, found.curves)
    assert.are.equal(4, found.bands)
    assert.are.same({ "true", { 3 }, false }, found.picked)
    assert.are.same({ 2, 3 }, found.both)
    assert.are.same({ 3 }, found.lit)
    assert.are.same({ { 1, 2, 3, 4 }, "false", true }, found.cleared)
    assert.are.same({ "delta=0.01 gamma=0.99 best", "delta=0.01 gamma=0.9", "delta=0.001 gamma=0.99",
      "delta=0.001 gamma=0.9" }, found.keys)
    -- ticks of an axis have one unit
    assert.are.same({ "2k", "4k", "6k", "8k", "10k" }, found.steps)
    assert.are.equal("rollout/ep_rew_mean", found.family)
    assert.are.equal(4, found.points)
    assert.are.same({ 1, true, true, 2 }, found.landmarks)
    assert.are.same({}, found.duplicates)
    assert.is_true(found.width)
  end)

  it("lets one choose two of three parameters, and the value of the third", function()
    local found = open { three = { test = three_test, width = 400, page = page {
      seeds = { 1 }, parameters = {
        { path = "delta", name = "delta", values = { 1, 2 } }, { path = "gamma", name = "gamma", values = { 10, 20 } },
        { path = "hidden", name = "hidden", values = { { 8 }, { 8, 8 } } },
      },
      score = function(params) return params.delta + params.gamma + 100 * #params.hidden end,
    } } }.three
    assert.are.same({ "Across", "Up", "hidden" }, found.titles)
    assert.are.same({ "221", "222", "211", "212" }, found.best)
    assert.are.same({ "121", "122", "111", "112" }, found.fixed)
    -- colours are spread over what is shown
    assert.are.same({ "90.9%", "100.0%", "0.0%", "9.1%" }, found.shades)
    assert.are.same({ { "{8}", "{8, 8}", "hidden →" }, { "Across", "Up", "delta" } }, found.swapped)
    -- what is upwards already goes to the right
    assert.are.same({ "10", "20", "gamma →" }, found.turned)
  end)

  it("runs nothing that a text holds, and opens small, large and empty sweeps", function()
    local pages = {
      hostile = { test = harmless_test, page = page(hostile_sweep()) },
      large = { test = many_test, page = large_page() },
      single = { test = "found.squares = all('.square').map(text); found.curves = all('#chart .curve').length;", page = page {
        seeds = { 1 }, parameters = { { path = "delta", name = "delta", values = { 0.5 } } } } },
      empty = { test = "found.squares = all('.square.empty').length;", page = page {
        status = function() return "waiting" end } },
      chosen = { page = page { seeds = { 1 }, method = "random", parameters = {
        { path = "delta", name = "delta", values = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 } },
        { path = "gamma", name = "gamma", values = { 0.9, 0.97, 0.99 } } } },
        test = "found.labels = all('#map text').map(text);" },
      points = { page = page { seeds = { 1 }, method = "random", parameters = { { path = "delta", name = "delta",
        values = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 } } },
        score = function(params) return params.delta end },
        test = [[
found.points = all(".point").length;
found.best = one(".point.best").getAttribute("aria-label");
one(".point").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
found.picked = all(".point[aria-pressed=true]").length;]] },
    }
    local names = { { path = "delta", name = "delta", values = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 } },
      { path = "value.optimizer", name = "value.optimizer", values = { "adam", "gauss_newton", ("long_name_"):rep(20) } } }
    for _, width in ipairs { 400, 1000 } do
      pages["names" .. width] = { width = width, page = page { seeds = { 1 }, method = "random", parameters = names }, test = [[
const names = all("#map text"), label = names.find((node) => node.textContent === "gauss_newton");
found.inside = label !== undefined && names.every((node) => node.getBBox().x >= 0);
found.key = text(all(".key span").find((span) => span.textContent.includes("gauss_newton")));]] }
    end
    assert.is_true(#pages.large.page < 2 * 2 ^ 20)
    local found = open(pages)
    assert.is_true(found.hostile.hacked)
    assert.are.equal(hostile[1], found.hostile.heading)
    assert.are.equal(hostile[1], found.hostile.values[1])
    assert.are.equal(hostile[2], found.hostile.labels[2])
    assert.are.equal(0, found.hostile.elements)
    assert.are.same({ 100 * wide, true, ("%d of %d shown"):format(10 * wide, 100 * wide), 10 * wide },
      { found.large.rows, found.large.ascending, found.large.shown, found.large.squares })
    assert.are.same({ { "301" }, 1 }, { found.single.squares, found.single.curves })
    assert.are.equal(6, found.empty.squares)
    assert.are.same({ 17, 1 }, { found.points.points, found.points.picked })
    for _, width in ipairs { 400, 1000 } do
      assert.is_true(found["names" .. width].inside, width)
      contains(found["names" .. width].key, "value.optimizer=gauss_newton")
    end
    contains(found.points.best, "delta=17: IQM 17")
    -- what was chosen from is what there is: no grid lines between
    local labels = " " .. table.concat(found.chosen.labels, " ") .. " "
    for _, label in ipairs { "0.9", "0.97", "0.99" } do contains(labels, " " .. label .. " ") end
    for _, label in ipairs { "0.92", "0.94", "0.96", "0.98" } do
      assert.is_nil(labels:find(" " .. label .. " ", 1, true), labels)
    end
  end)
end)
