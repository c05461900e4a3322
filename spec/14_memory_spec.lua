local cases = require "support.cases"
local trpo = require "trpo"

-- so many temporary tensors of 1 MiB, fewer where each takes long: several times what may be alive
local many = math.max(1000, 10000 * cases.share)

describe("memory", function()
  it("of temporary tensors comes back although the collector cannot see it", function()
    for _ = 1, 2 do collectgarbage() end
    local before = trpo.info().live_bytes
    local most = 0
    for _ = 1, many do
      trpo.zeros(131072):fill(1)
      most = math.max(most, trpo.info().live_bytes - before)
    end
    assert.is_true(most < 150 * 2 ^ 20, ("%.0f MiB at most"):format(most / 2 ^ 20))
  end)

  it("stays small for small temporary tensors, too", function()
    local most = 0
    for _ = 1, 200000 do
      trpo.zeros(100)
      most = math.max(most, trpo.info().live_bytes)
    end
    assert.is_true(most < 200 * 2 ^ 20, ("%.0f MiB at most"):format(most / 2 ^ 20))
  end)

  it("that cannot be had is an error, after which everything goes on", function()
    for _ = 1, 3 do
      local ok, message = pcall(trpo.zeros, 2 ^ 45)
      assert.is_false(ok)
      assert.is_truthy(message:find("not enough memory for size [35184372088832]", 1, true), message)
    end
    assert.are.equal(3, trpo.ones(3):sum())
  end)

  it("of everything is counted", function()
    for _ = 1, 4 do collectgarbage() end
    local before = trpo.info()
    local t = trpo.zeros(1000)
    assert.are.equal(before.live_bytes + 8000, trpo.info().live_bytes)
    assert.are.equal(before.allocations + 1, trpo.info().allocations)
    local view = t:narrow(1, 1, 2)
    assert.are.equal(before.live_bytes + 8000, trpo.info().live_bytes)
    assert.are.equal(0, view:sum())
  end)

  it("resident stays under 200 MiB over 10,000 tensors of 1 MiB", function()
    local script = [[
      package.path, package.cpath = %q, %q
      local trpo = require "trpo"
      for _ = 1, %d do trpo.zeros(131072):fill(1) end
      io.write(io.open "/proc/self/status":read "*a":match "VmHWM:%%s*(%%d+)")
    ]]
    if os.getenv "TRPO_PRELOAD" then return end -- a sanitizer keeps freed memory
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write(script:format(package.path, package.cpath, many))
    file:close()
    local pipe = io.popen("luajit " .. name)
    local most = tonumber(pipe:read "*a") / 1024
    pipe:close()
    os.remove(name)
    assert.is_true(most < 200, ("%.0f MiB"):format(most))
  end)
end)
