-- JSON as files and pipes see it. The oracle is lua-cjson's decoder.
local cjson = require "cjson"
local json = require "trpo.json"

describe("JSON", function()
  it("keeps every bit of a number", function()
    -- a linear congruential generator gives mantissas, exponents sweep the whole range
    local seed, tried = 12345, 0
    for exponent = -1022, 1023, 3 do
      seed = (seed * 1103515245 + 12345) % 2 ^ 31
      local x = (1 + seed / 2 ^ 31 + seed / 2 ^ 52) * 2 ^ exponent
      for _, value in ipairs { x, -x } do
        assert.are.equal(value, cjson.decode("[" .. json.encode(value) .. "]")[1])
        tried = tried + 1
      end
    end
    assert.is_true(tried > 1000)
    for _, value in ipairs { 0, 1, -1, 0.1, 1 / 3, 2 ^ 53 - 1, 5e-324, 1.7976931348623157e308 } do
      assert.are.equal(value, cjson.decode("[" .. json.encode(value) .. "]")[1])
    end
  end)

  it("writes integers without a point", function()
    assert.are.equal("[1,20000,-3]", (json.encode({ 1, 20000, -3 }):gsub(" ", "")))
    assert.are.equal("9007199254740991", json.encode(2 ^ 53 - 1))
  end)

  it("writes NaN and infinities as null", function()
    for _, value in ipairs { 0 / 0, 1 / 0, -1 / 0 } do
      assert.are.equal("null", json.encode(value))
    end
    assert.are.equal(cjson.null, json.null)
    assert.are.equal("null", json.encode(json.null))
  end)

  it("sorts keys, puts the wanted ones first and is the same each time", function()
    local value = { b = 1, a = 2, z = { y = true, x = false }, first = "f" }
    assert.are.equal('{"first":"f","z":{"x":false,"y":true},"a":2,"b":1}',
      json.encode(value, { order = { "first", "missing", "z", "first" } }))
    assert.are.equal(json.encode(value), json.encode(value))
  end)

  it("writes objects and lists of any size", function()
    local object, list, order = {}, {}, {}
    for i = 1, 20000 do
      object[("k%05d"):format(i)], list[i] = i, i
      if i % 2 == 0 then order[#order + 1] = ("k%05d"):format(i) end
    end
    local text = json.encode(object, { order = order })
    assert.are.equal('{"k00002":2,"k00004":4', text:sub(1, 22))
    assert.is_truthy(text:find('"k20000":20000,"k00001":1,"k00003":3,', 1, true))
    assert.are.same(object, cjson.decode(text))
    assert.are.same(list, cjson.decode(json.encode(list)))
  end)

  it("tells an empty list from an empty object", function()
    assert.are.equal("[]", json.encode(json.list {}))
    assert.are.equal("{}", json.encode {})
  end)

  it("indents objects and decodes what it indents", function()
    local value = { a = { 1, 2 }, b = { c = "x" } }
    local text = json.encode(value, { indent = true })
    assert.are.equal('{\n  "a": [1, 2],\n  "b": {\n    "c": "x"\n  }\n}', text)
    assert.are.same(value, json.decode(text))
  end)

  it("escapes what JSON wants escaped", function()
    local bytes = {}
    for i = 0, 127 do bytes[#bytes + 1] = string.char(i) end
    local text = table.concat(bytes)
    assert.are.equal(text, cjson.decode("[" .. json.encode(text) .. "]")[1])
    assert.are.equal('"\\u001b\\"\\\\"', json.encode("\27\"\\"))
  end)

  it("passes UTF-8 through and never writes anything else", function()
    local valid = "Größe π 日本 😀"
    assert.are.equal('"' .. valid .. '"', json.encode(valid))
    for _, broken in ipairs { "\255", "a\128b", "\192\175", "\237\160\128", "\244\144\128\128", "\226\130" } do
      local text = json.encode(broken)
      assert.is_nil(text:find("[\128-\255]"), "raw byte in " .. text)
      assert.is_truthy(json.decode("[" .. text .. "]"))
    end
  end)

  it("and pictures know the same characters", function()
    local fitted = require("trpo.plots.wording").fitted
    assert.are.equal("π 日 😀", fitted("π 日 😀", 5))
    for _, broken in ipairs { "\255", "a\128b", "\192\175", "\224\128\128", "\237\160\128", "\244\144\128\128", "\226\130" } do
      assert.is_nil(fitted(broken, 9):find("[\128-\255]"), fitted(broken, 9))
    end
  end)

  it("refuses what JSON cannot hold", function()
    local cycle = {}
    cycle.self = cycle
    local cases = {
      { print, "got a function" },
      { { io.stdout }, "got a userdata" },
      { cycle, "must not contain itself" },
      { { 1, 2, x = 3 }, "must have string keys, got" },
      { { [1] = "a", [3] = "c" }, "must have string keys, got" },
    }
    for _, case in ipairs(cases) do
      local ok, message = pcall(json.encode, case[1])
      assert.is_false(ok)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
  end)

  it("returns nil, a message and a code for what is not JSON", function()
    for _, text in ipairs { "", "{", "[1,]", "nil", '{"a":1}x' } do
      local value, message, code = json.decode(text)
      assert.is_nil(value)
      assert.is_truthy(message:find("not JSON", 1, true))
      assert.are.equal("json", code)
    end
  end)
end)
