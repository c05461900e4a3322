-- docs/performance.md is made of the results that are committed, and says of each bar whether it is met.
local project = require "support.project"

describe("docs/performance.md #tree", function()
  local bars = require "bench.bars"
  local report = require "bench.report"

  it("is what bench/report.lua makes of bench/results", function()
    local made = report.make(report.load())
    assert.is_true(made == project.read "docs/performance.md", "run luajit bench/report.lua")
  end)

  it("has figures of every benchmark, and every bar has a value", function()
    local all = report.load()
    for _, case in ipairs(require "bench.index") do
      if not case.apart then assert.is_table(all[case.name], "bench/results has nothing of " .. case.name) end
    end
    for _, row in ipairs(bars.rows(all)) do assert.are_not.equal("-", row[3], row[1]) end
  end)

  it("calls a bar met from its value on", function()
    local function verdict(seconds)
      local rows = bars.rows { threshold = { results = { { name = "CartPole-v1", median = seconds } } } }
      for _, row in ipairs(rows) do
        if row[2] == "threshold" then return row[3], row[5] end
      end
    end
    assert.same({ "0.40 s", "met" }, { verdict(0.4) })
    assert.same({ "0.41 s", "**missed**, 98 % of it" }, { verdict(0.41) })
  end)

  it("leaves open what was not measured", function()
    for i, row in ipairs(bars.rows {}) do
      if i > 1 then assert.same({ "-", "" }, { row[3], row[5] }) end
    end
    assert.is_truthy(report.make({}):find("Not measured yet.", 1, true))
  end)
end)
