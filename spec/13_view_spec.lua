local trpo = require "trpo"
local misuse = require "support.misuse"

describe("an FFI view", function()
  it("reads and writes elements in row-major order", function()
    local t = trpo.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
    local p = t:ptr()
    assert.are.equal(6, #p)
    for i = 1, 6 do
      assert.are.equal(i, p[i])
      p[i] = 10 * i
    end
    assert.are.same({ { 10, 20, 30 }, { 40, 50, 60 } }, t:totable())
  end)

  it("follows the strides of any view", function()
    local rng = trpo.rng(3)
    for _ = 1, 100 do
      local size = {}
      for d = 1, rng:integer(1, 8) do size[d] = rng:integer(1, 4) end
      local t = trpo.rand(rng, size)
      for _ = 1, 3 do
        t = t:transpose(rng:integer(1, #size), rng:integer(1, #size))
        local d = rng:integer(1, #size)
        t = t:narrow(d, 1, rng:integer(1, t:size(d)))
      end
      local flat, p, wrong = t:clone():view(-1), t:ptr(), 0
      assert.are.equal(#flat, #p)
      for i = 1, #p do
        wrong = wrong + (flat[i] == p[i] and 0 or 1)
        p[i] = i
      end
      flat = t:clone():view(-1)
      for i = 1, #flat do wrong = wrong + (flat[i] == i and 0 or 1) end
      assert.are.equal(0, wrong)
    end
  end)

  it("is empty for an empty tensor, and single for one element", function()
    assert.are.equal(0, #trpo.zeros(0, 3):ptr())
    assert.are.equal(1, #trpo.ones(1, 1):t():ptr())
    assert.are.equal(5, trpo.full({ 1 }, 5):expand(4):ptr()[4])
  end)

  it("keeps the tensor's memory alive", function()
    local views = {}
    for i = 1, 50 do views[i] = trpo.full({ 1000 }, i):ptr() end
    for _ = 1, 4 do collectgarbage() end
    for _ = 1, 50 do trpo.full({ 1000 }, -1) end
    local wrong = 0
    for i = 1, 50 do
      for k = 1, 1000 do wrong = wrong + (views[i][k] == i and 0 or 1) end
    end
    assert.are.equal(0, wrong)
  end)

  it("gives the memory back when it is gone", function()
    for _ = 1, 4 do collectgarbage() end
    local before = trpo.info().live_bytes
    local function use()
      local p = trpo.zeros(10000):ptr()
      p[1] = 1
      assert.is_true(trpo.info().live_bytes >= before + 80000)
    end
    use()
    for _ = 1, 4 do collectgarbage() end
    assert.are.equal(before, trpo.info().live_bytes)
  end)

  it("works in compiled loops, while the collector runs", function()
    local function sum_of_squares(n)
      local p, sum = trpo.zeros(n):ptr(), 0
      for i = 1, #p do p[i] = i end
      for i = 1, #p do
        sum = sum + p[i] * p[i]
        if i % 100 == 0 then p = assert(({ p })[1]) end -- garbage
      end
      return sum
    end
    for _ = 1, 20 do
      assert.are.equal(1000 * 1001 * 2001 / 6, sum_of_squares(1000))
    end
  end)

  it("raises beyond its end from compiled loops, too", function()
    local p = trpo.zeros(200):ptr()
    local last = 0
    local ok, message = pcall(function()
      for i = 1, 1000 do
        p[i] = i
        last = i
      end
    end)
    assert.is_false(ok)
    assert.are.equal(200, last)
    assert.is_truthy(message:find("view: index must be an integer in [1, 200], got 201", 1, true))
  end)

  it("prints itself", function()
    assert.are.equal("view of 3 {1, 2, 3}", tostring(trpo.tensor({ 1, 2, 3 }):ptr()))
  end)

  it("is what it is and nothing else, in comparisons that need no number", function()
    local p, q = trpo.zeros(1):ptr(), trpo.zeros(1):ptr()
    assert.is_true(p == p) -- luacheck: ignore 581
    assert.is_false(p == q)
    assert.is_false(p == nil)
    assert.is_true(p ~= "0") -- luacheck: ignore
  end)

  it("places its complaint at the line of whoever takes it for a number", function()
    local action = trpo.zeros(1):ptr()
    for _, f in ipairs { function() return 1 + action end, function() return action == 1 end } do
      local _, message = pcall(f)
      assert.is_truthy(message:find "^[^\n]*13_view_spec%.lua:%d+: view: ", message)
    end
  end)

  local p = trpo.zeros(3):ptr()
  local one = trpo.zeros(1):ptr()
  local s = trpo.zeros(3, 2):t():ptr()
  misuse.each(it, {
    { "refuses the index 0", function() return p[0] end, {}, "index must be an integer in [1, 3], got 0" },
    { "refuses the index 4", function() return p[4] end, {}, "index must be an integer in [1, 3], got 4" },
    { "refuses a fraction", function() return p[1.5] end, {}, "got 1.5" },
    { "refuses NaN", function() return p[0 / 0] end, {}, "index must be an integer in [1, 3], got" },
    { "refuses nil", function() return p[nil] end, {}, "got nil" },
    { "refuses a name", function() return p.size end, {}, "got 'size'" },
    { "refuses to write at 0", function() p[0] = 1 end, {}, "index must be an integer in [1, 3], got 0" },
    { "refuses to write a string", function() p[1] = "1" end, {}, "view: element must be a number, got string" },
    { "refuses to write nil", function() p[1] = nil end, {}, "view: element must be a number, got nil" },
    { "refuses to be bent", function() p.count_ = 10 end, {}, "constant" },
    { "refuses beyond a strided end", function() return s[7] end, {}, "index must be an integer in [1, 6], got 7" },
    { "refuses to write a string with strides", function() s[1] = {} end, {}, "element must be a number, got table" },
    { "refuses an index into nothing", function() return trpo.zeros(0):ptr()[1] end, {},
      "index must be in an empty range, got 1" },
    { "refuses to be added", function() return 1 + one end, {},
      "view: a view of 1 number is not a number itself: write action[1], not action" },
    { "refuses to be negated", function() return -one end, {}, "not a number itself" },
    { "refuses to be divided", function() return p / 2 end, {}, "a view of 3 numbers is not a number itself" },
    { "refuses to be a power", function() return 2 ^ s end, {}, "a view of 6 numbers is not a number itself" },
    { "refuses an order", function() return one < 0.5 end, {}, "not a number itself" },
    { "refuses the other order", function() return 0.5 <= one end, {}, "not a number itself" },
    { "refuses to equal a number", function() return one == 0 end, {}, "not a number itself" },
    { "refuses to be a text", function() return "action " .. one end, {}, "not a number itself" },
  })
end)
