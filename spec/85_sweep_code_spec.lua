-- What a function is: its hash changes with everything that it computes with, and with nothing else.
local command = require "support.command"
local functions = require "trpo.sweep.code"
local project = require "support.project"
local trpo = require "trpo"

local scratch

before_each(function() scratch = command.scratch() end)
after_each(function() command.remove(scratch) end)

-- the hash of the function that a chunk returns, and what it uses
local function hash(text, script) return functions.hash(assert(loadstring(text))(), script) end

-- texts of chunks, each of which returns another function
local function all_differ(texts)
  local seen = {}
  for _, text in ipairs(texts) do
    local h = hash(text)
    assert.is_nil(seen[h], text .. "\nis the same as\n" .. tostring(seen[h]))
    assert.are.equal(h, hash(text), text)
    seen[h] = text
  end
end

-- the same chunk with several texts in the place of VALUE
local function variants(chunk, values)
  local out = {}
  for i, value in ipairs(values) do out[i] = chunk:gsub("VALUE", function() return value end) end
  return out
end

describe("the hash of a function", function()
  it("sees the contents of tables", function()
    all_differ(variants("local k = VALUE\nreturn function(p) return k.scale * p.a end", {
      "{ scale = 1 }", "{ scale = 100 }", "{ scale = '1' }", "{ scale = true }", "{ scale = -0 }", "{ scale = 0/0 }",
      "{ scale = 1/0 }", "{ scale = 1, other = false }", "{ scale = 0.1 }", "{ scale = 0.1 + 2^-56 }",
      "{ { scale = 1 } }", "{ { scale = 1 }, { scale = 1 } }", "{ 1, 2, 3 }", "{ 1, 3, 2 }", "{ [1] = 1, [3] = 3 }",
      "{ [0] = 1 }", "{ [1.5] = 1 }", "{ ['1'] = 1 }", "{ [true] = 1 }", "{ 'a', 'b' }", "{ 'a\\nb' }", "{}",
      "{ a = { b = { c = { d = 1 } } } }", "{ a = { b = { c = { d = 2 } } } }",
      "setmetatable({ scale = 1 }, { __index = { a = 1 } })", "setmetatable({ scale = 1 }, { __index = { a = 2 } })",
    }))
  end)

  it("sees which tables are the same one, and tables that hold themselves", function()
    all_differ {
      "local a, b = {}, {}\nlocal c = { a, b }\nreturn function() return c end",
      "local a, b = {}\nlocal c = { a, a }\nreturn function() return c, b end",
      "local c = {}\nc.c = c\nreturn function() return c end",
      "local c = { c = {} }\nc.c.c = c\nreturn function() return c end",
      "local function f() return 1 end local function g() return 2 end\nlocal a, b, c = f, g, f\nreturn function() return a, b, c end",
      "local function f() return 1 end local function g() return 2 end\nlocal a, b, c = f, g, g\nreturn function() return a, b, c end",
    }
  end)

  it("does not see the order in which a table was filled, nor where it lies", function()
    local first = hash "local k = {}\nfor i = 1, 99 do k['n' .. i] = { i } end\nreturn function() return k end"
    local second = hash "local k = {}\nfor i = 99, 1, -1 do k['n' .. i] = { i } end\nreturn function() return k end"
    assert.are.equal(first, second)
  end)

  it("is the same in every process", function()
    command.write(scratch .. "/f.lua", [[
      local trpo = require "trpo"
      local lake, w = trpo.mdp.frozen_lake {}, trpo.tensor { 1, 2 }
      local sin, iqm, stats, open = math.sin, trpo.stats.iqm, trpo.stats, io.open
      local Class = {} Class.__index = Class
      function Class:size() return self.n end
      local k = setmetatable({ n = 1, true, { a = sin, b = iqm } }, Class)
      scale = 3
      return function() return lake, w, sin, iqm, stats, open, k, scale end
    ]])
    local line = "%s -e 'print((require([[trpo.sweep.code]]).hash(dofile [[%s/f.lua]])))'"
    local luajit = project.interpreter or "luajit"
    local first = project.lines(line:format(luajit, scratch))[1]
    assert.are.equal(64, #first)
    -- with more that is loaded, in another order, and other addresses
    local other = project.lines(line:format(luajit .. " -e 'require [[trpo.plots]]; require [[luv]]; t = ([[x]]):rep(1e6)'",
      scratch))[1]
    assert.are.equal(first, other)
  end)

  it("sees which function of a library is meant", function()
    all_differ(variants("local trpo = require 'trpo'\nlocal f = VALUE\nreturn function(p) return f(p.a) end", {
      "math.sin", "math.cos", "string.rep", "print", "trpo.stats.iqm", "trpo.stats.mean", "trpo.mdp.frozen_lake",
      "trpo.mdp.cliff_walking", "math", "trpo.stats", "trpo.mdp", "require('trpo.json').encode", "{ math.sin }", "{ math.cos }",
    }))
  end)

  it("sees functions in tables, classes, and globals", function()
    all_differ(variants("local k = { f = function() return VALUE end }\nreturn function() return k.f() end", { "1", "2" }))
    all_differ(variants("local C = {}\nC.__index = C\nfunction C:f() return VALUE end\nlocal o = setmetatable({}, C)\n"
      .. "return function() return o:f() end", { "1", "2" }))
    local before = rawget(_G, "trpo_spec_value")
    for _, chunk in ipairs { "trpo_spec_value = VALUE", "function trpo_spec_value() return VALUE end",
      "trpo_spec_value = { VALUE }" } do
      all_differ(variants(chunk .. "\nreturn function() return trpo_spec_value end", { "1", "2" }))
    end
    rawset(_G, "trpo_spec_value", before)
    -- a library that the script has added to
    all_differ(variants("math.trpo_spec = function() return VALUE end\nlocal f = math.trpo_spec\nreturn function() return f() end",
      { "1", "2" }))
    rawset(math, "trpo_spec", nil)
  end)

  it("sees what functions of other files are and use", function()
    local function of(text)
      command.write(scratch .. "/other.lua", text)
      return hash(("local f = dofile(%q)\nreturn function() return f() end"):format(scratch .. "/other.lua"))
    end
    local first = of "local k = { 1 }\nreturn function() return k[1] end"
    assert.are.equal(first, of "local k = { 1 }\nreturn function() return k[1] end")
    assert.are_not.equal(first, of "local k = { 2 }\nreturn function() return k[1] end")
    assert.are_not.equal(first, of "local k = { 1 }\nreturn function() return -k[1] end")
  end)

  it("sees the numbers of tensors and of processes", function()
    all_differ(variants("local trpo = require 'trpo'\nlocal k = VALUE\nreturn function() return k end", {
      "trpo.tensor { 1, 2 }", "trpo.tensor { 1, 3 }", "trpo.tensor { { 1, 2 } }", "{ trpo.tensor { 1, 2 } }",
      "trpo.mdp.frozen_lake {}", "trpo.mdp.frozen_lake { map = '8x8' }", "trpo.mdp.frozen_lake {}:with_gamma(0.5)",
      "trpo.mdp { P = trpo.tensor { { { 1 } } }, r = trpo.tensor { 1 }, gamma = 0.5 }",
      "trpo.mdp { P = trpo.tensor { { { 1 } } }, r = trpo.tensor { 2 }, gamma = 0.5 }",
    }))
  end)

  it("does not see the contents of caches", function()
    local chunk = "local k = setmetatable({ %s }, { __mode = 'k' })\nreturn function() return k end"
    assert.are.equal(hash(chunk:format ""), hash(chunk:format "[{}] = 1"))
  end)

  it("has the whole script in it when something cannot be looked into", function()
    local path = scratch .. "/whole.lua"
    for _, value in ipairs {
      "io.stdout", "require('ffi').new('int[2]')", "coroutine.create(print)", "newproxy(true)", "{ { io.stdout } }",
      "{ [{}] = 1 }", "trpo.make 'CartPole-v1'", "require('luv').new_timer()", "trpo.make", "io.lines(%q)",
      "(function() local t = {} for _ = 1, 1000 do t = { t } end return t end)()",
    } do
      local text = ("local trpo = require 'trpo'\nlocal k = %s\nreturn function() return k end"):format(value:format(path))
      command.write(path, "-- one\n")
      local first, uses = hash(text, path)
      assert.are.equal(first, (hash(text, path)), value)
      command.write(path, "-- two\n")
      local named = value == "trpo.make"
      assert.are.equal(named, first == hash(text, path), value)
      assert.are.equal(not named, uses["whole.lua (all of it, because of k)"] ~= nil, value)
    end
  end)

  it("tells functions apart that share a line", function()
    local chunk = "local modes = { lin = function(x) return x end, sq = function(x) return x * x end, "
      .. "cube = function(x) return x ^ 3 end, one = function() return { a = 1, b = 2 } end, "
      .. "two = function() return { a = 2, b = 1 } end, "
      .. "g = function() return trpo_spec_g end, h = function() return trpo_spec_h end, "
      .. "p = function() local u, v = 1, 2; return function() return u, v end end, "
      .. "q = function() local u, v = 1, 2; return function() return v, u end end, "
      .. "r = function() local u, v = 1, 2; return function() return u end, v end, "
      .. "s = function() local u, v = 1, 2; return function() return v end, v end }\nlocal mode = modes.VALUE\n"
      .. "return function(p) return mode(p.a) end"
    local modes = { "lin", "sq", "cube", "one", "two", "g", "h", "p", "q", "r", "s" }
    all_differ(variants(chunk, modes))
    local seen = {}
    for _, mode in ipairs(modes) do
      command.write(scratch .. "/modes.lua", (chunk:gsub("VALUE", mode)))
      local h = functions.hash(dofile(scratch .. "/modes.lua"))
      assert.is_nil(seen[h], mode)
      seen[h] = true
    end
    command.write(scratch .. "/two.lua", "return { function(x) return x end, function(x) return -x end }")
    local two = dofile(scratch .. "/two.lua")
    assert.are_not.equal(functions.hash(two[1]), functions.hash(two[2]))
  end)

  it("does not see what else stands in the lines of a function", function()
    local function of(text)
      command.write(scratch .. "/line.lua", text)
      return functions.hash(dofile(scratch .. "/line.lua").run)
    end
    local first = of "return { a = { 1 }, run = function(x) return x end, b = 2 }"
    assert.are.equal(first, of "return { a = { 1, 2 }, run = function(x) return x end, b = 3 }")
    assert.are_not.equal(first, of "return { a = { 1 }, run = function(x) return -x end, b = 2 }")
    assert.are_not.equal(first, of "return { a = { 1 }, run = function(x, y) return x end, b = 2 }")
    first = of "return { a = 1, run = function(x)\n  return x\nend, b = 2 }"
    assert.are.equal(first, of "return { a = 2, run = function(x)\n  return x\nend, b = 3 }")
    assert.are_not.equal(first, of "return { a = 1, run = function(x)\n  return x + 1\nend, b = 2 }")
  end)

  it("is the same before and after a function was run, compiled or not", function()
    local run = assert(loadstring("local t = {}\nreturn function(pairs) for k in pairs(t) do return k end "
      .. "for i = 1, 9 do t[i] = nil end end"))()
    local first = functions.hash(run)
    for _ = 1, 1000 do run(pairs) end
    assert.are.equal(first, functions.hash(run))
    run(function() return function() end end)
    assert.are.equal(first, functions.hash(run))
  end)

  it("of a function without a text is the same in every process", function()
    command.write(scratch .. "/f.lua", [[
      local text = "return function(p) local t = { alpha = 1, beta = 2, gamma = 'x', delta = true, [2.5] = 1, 3 } return t, p end"
      local named = loadstring(text, "=config")()
      local odd = loadstring(text, "config")()
      local stripped = loadstring(string.dump(named, true), "@" .. arg[0])
      return function() return named, odd, stripped end
    ]])
    local line = "%s -e 'arg = { [0] = [[%s/f.lua]] } print((require([[trpo.sweep.code]]).hash(dofile [[%s/f.lua]])))'"
    local seen = {}
    for i = 1, 4 do
      seen[i] = project.lines(line:format(project.interpreter or "luajit", scratch, scratch))[1]
      assert.are.equal(64, #seen[i])
      assert.are.equal(seen[1], seen[i])
    end
    local texts = variants("local f = loadstring([=[\nreturn\nVALUE]=], '=config')\nreturn function() return f end",
      { "1", "2", "{ a = 1 }", "{ a = 2 }", "{ b = 1 }", "x", "y", "1LL", "2LL" })
    all_differ(texts)
    for i, text in ipairs(texts) do texts[i] = text:gsub("=config", "config") end
    all_differ(texts)
  end)

  it("sees functions of the interpreter that are written in Lua", function()
    all_differ(variants("local f = VALUE\nreturn function(t) return f(t) end", { "table.remove", "table.foreach", "table.getn",
      "table.foreachi", "math.rad", "math.deg", "string.len", "table.insert" }))
  end)

  it("sees globals that an environment inherits, and those that are false", function()
    all_differ(variants("local env = setmetatable({}, { __index = setmetatable({}, { __index = { scale = VALUE } }) })\n"
      .. "return setfenv(function() return scale end, env)", { "1", "2", "false", "nil" }))
  end)

  describe("beside installed modules", function()
    local path, preload = package.path, nil

    before_each(function()
      preload = {}
      for name in pairs(package.loaded) do preload[name] = true end
      package.path = ("%s/share/lua/5.1/?.lua;%s"):format(scratch, path)
      command.shell(scratch, "mkdir -p share/lua/5.1 share/lua_projects")
    end)

    after_each(function()
      package.path = path
      for name in pairs(package.loaded) do
        if not preload[name] then package.loaded[name] = nil end
      end
    end)

    it("sees a script that lies where modules are installed, or nearly there", function()
      for _, home in ipairs { "/share/lua_projects", "/share/lua/5.1" } do
        local file, seen = scratch .. home .. "/p.lua", {}
        for _, body in ipairs { "p.x", "1000 * p.x" } do
          command.write(file, ("local function run(p)\n  return %s\nend\nreturn run"):format(body))
          local h = functions.hash(dofile(file), file)
          assert.is_nil(seen[h], home)
          seen[h] = true
        end
      end
      local file, seen = scratch .. "/share/lua_projects/q.lua", {}
      for _, body in ipairs { "1", "2" } do
        command.write(file, ("local function run()\n  return %s\nend\nreturn run"):format(body))
        local h = functions.hash(dofile(file), scratch .. "/other.lua")
        assert.is_nil(seen[h])
        seen[h] = true
      end
    end)

    it("has the whole script in it when the function is one of theirs without a name", function()
      command.write(scratch .. "/share/lua/5.1/trpo_spec_runner.lua",
        "return function(scale) return function(p) return scale * p.x end end")
      local script, seen = scratch .. "/p.lua", {}
      for _, scale in ipairs { "1", "1000" } do
        command.write(script, ("return (require 'trpo_spec_runner'(%s))"):format(scale))
        local h, uses = functions.hash(dofile(script), script)
        assert.is_nil(seen[h])
        assert.is_string(uses["p.lua (all of it, because of run)"])
        seen[h] = true
      end
    end)

    it("does not see which other modules hold what they use", function()
      command.write(scratch .. "/share/lua/5.1/trpo_spec_zeta.lua", "return { f = function() end, inner = {} }")
      command.write(scratch .. "/share/lua/5.1/trpo_spec_alpha.lua", "return { z = require 'trpo_spec_zeta' }")
      local text = "local z = require 'trpo_spec_zeta'\nlocal f, inner = z.f, z.inner\nreturn function() return z, f, inner end"
      local first = hash(text)
      require "trpo_spec_alpha"
      assert.are.equal(first, hash(text))
    end)

    it("sees the contents of modules that have no file", function()
      local seen = {}
      for scale = 1, 2 do
        package.loaded.trpo_spec_made_up = { scale = scale }
        local h = hash "local k = require 'trpo_spec_made_up'\nreturn function() return k.scale end"
        assert.is_nil(seen[h])
        seen[h] = true
      end
    end)
  end)

  it("sees modules that are loaded when the function is called, and what these name", function()
    local script = scratch .. "/p.lua"
    command.write(script, "local function run(p)\n  local phys = require \"trpo_spec_phys\"\n  return phys.g * p.x\nend\nreturn run")
    local function of(physics, deeper)
      command.write(scratch .. "/trpo_spec_phys.lua", physics)
      command.write(scratch .. "/trpo_spec_deeper.lua", deeper)
      return functions.hash(dofile(script), script)
    end
    local first, old = of("return require('trpo_spec_deeper')", "return { g = 9 }")
    assert.are.equal(first, (of("return require('trpo_spec_deeper')", "return { g = 9 }")))
    local second, uses = of("return require('trpo_spec_deeper')", "return { g = 10 }")
    assert.are_not.equal(first, second)
    assert.are.same({ "the module trpo_spec_deeper, which run uses," }, functions.changed(old, uses))
    assert.are_not.equal(first, (of("return { g = 9 }", "return { g = 9 }")))
  end)

  it("tells what has changed", function()
    local text = "local a, b = { 1 }, 2\nreturn function() return a, b end"
    local function of(changed) return select(2, hash(changed)) end
    local old = of(text)
    assert.are.same({}, functions.changed(old, of(text)))
    assert.are.same({ "a, which run uses," }, functions.changed(old, of((text:gsub("{ 1 }", "{ 3 }")))))
    assert.are.same({ "b, which run uses," }, functions.changed(old, of((text:gsub("2", "3")))))
    assert.are.same({ "run" }, functions.changed(old, of((text:gsub("a, b end", "b, a end")))))
    assert.are.same({}, functions.changed(nil, old))
  end)

  it("tells what has changed, and nothing else", function()
    local function of(text) return select(2, hash(text)) end
    local text = "local a, b, c = {}, {}, {}\nlocal d = { a, b }\nlocal e = { b, c }\nreturn function() return d, e end"
    assert.are.same({ "d, which run uses," }, functions.changed(of(text), of((text:gsub("{ a, b }", "{ a, b, {} }")))))
    text = "local opts = { goal = { bonus = 1 } }\nlocal function build()\n  return opts\nend\n"
      .. "return function()\n  return build()\nend"
    assert.are.same({ "opts, which run uses by build," }, functions.changed(of(text), of((text:gsub("= 1", "= 2")))))
    assert.are.same({ "build, which run uses," }, functions.changed(of(text), of((text:gsub("return opts", "return 1, opts")))))
  end)

  it("tells what has changed in the functions that a function uses", function()
    local text = [[
local opts = { goal = { bonus = 1 } }
local function rate(x) return x * 2 end
local function reward() return rate(opts.goal.bonus) end
local function build() return reward() + (scale or 3) end
local class = { f = function() return 4 end }
return function() return build() + reward() + class.f() end
]]
    local old = select(2, hash(text))
    for _, case in ipairs {
      { "bonus = 1", "bonus = 2", "opts, which run uses by build and reward," },
      { "x %* 2", "x * 3", "rate, which run uses by build and reward," },
      { "rate%(opts", "-rate(opts", "reward, which run uses by build," },
      { "scale or 3", "scale or 4", "build, which run uses," },
      { "4", "5", "class, which run uses," },
      { "return build%(%)", "return -build()", "run" },
    } do
      assert.are.same({ case[3] }, functions.changed(old, (select(2, hash((text:gsub(case[1], case[2])))))), case[1])
    end
    -- a description of a version that did not look into functions
    local flat = {}
    for name, value in pairs(old) do
      if not name:find "/" then flat[name] = value end
    end
    assert.are.same({ "build, which run uses," }, functions.changed(flat, (select(2, hash((text:gsub("bonus = 1", "bonus = 2")))))))
  end)

  it("sees tables with holes by their contents, whatever their length is", function()
    local chunk = "local k = VALUE\nreturn function() return k end"
    local function of(value) return (hash((chunk:gsub("VALUE", value)))) end
    -- a length of 1 or of 3 would be right
    local first, second = "{ 1, nil, 3 }", "(function() local t = { 1, 2, 3, 4, 5, 6 } t[2], t[4], t[5], t[6] = nil return t end)()"
    assert.are.equal(of(first), of(second))
    assert.are_not.equal(of(first), of "{ 1, nil, 4 }")
    assert.are_not.equal(of(first), of "{ 1, 3 }")
  end)

  it("is taken of a function without a text, and of one that is not the user's", function()
    local stripped = assert(loadstring(string.dump(function(x) return x end, true)))
    assert.are.equal(64, #functions.hash(stripped))
    assert.are_not.equal(functions.hash(math.sin), functions.hash(math.cos))
    assert.are.equal(64, #functions.hash(trpo.load))
  end)
end)

describe("a sweep of a function", function()
  local script = [[
local trpo = require "trpo"
local lake, k = trpo.mdp.frozen_lake { map = "4x4" }, { scale = 1 }
local function run(p, seed) return lake.S * k.scale * p.a + seed end
return trpo.sweep { run = run, parameters = { a = { 1, 2 } }, seeds = 2 }:main(...)
]]

  local function run(text, words)
    command.write(scratch .. "/f.lua", text)
    return command.run(scratch, "sweep f.lua -q " .. (words or ""))
  end

  it("is not gone on with when a table or a process that it uses was edited, and may be extended", function()
    local _, err, code = run(script)
    assert.are.same({ "", 0 }, { err, code })
    for _, change in ipairs { { "4x4", "8x8", "lake" }, { "scale = 1", "scale = 100", "k" } } do
      _, err, code = run((script:gsub(change[1], change[2])))
      assert.are.same({ "trpo: the sweep in sweeps/f is another one: " .. change[3] .. ", which run uses, has changed; "
        .. "results of two versions are not mixed: choose another name, or remove the folder\n", 1 }, { err, code })
    end
    _, err, code = run((script:gsub("1, 2", "1, 2, 3")))
    assert.are.same({ "trpo: the sweep in sweeps/f is extended: parameters.a was [1,2], is [1,2,3]\n", 0 }, { err, code })
  end)

  it("stops when a table is another one in every process, and says which", function()
    local _, err, code = run((script:gsub("scale = 1", "scale = require('luv').hrtime()")), "--jobs 1")
    assert.are.equal(1, code)
    assert.is_truthy(err:find("f.lua, k, which run uses, has changed since the sweep began, or is another one in every "
      .. "process\n", 1, true), err)
  end)

  it("uses what a table holds when the sweep is run", function()
    local text = [[
local trpo = require "trpo"
local k = { scale = 1 }
local sweep = trpo.sweep { run = function(p) return k.scale * p.a end, parameters = { a = { 1 } } }
k.scale = 7
local found, message = sweep:run { quiet = true, jobs = 1 }
print(found and found.trials[1].metric or message)
]]
    command.write(scratch .. "/p.lua", text)
    assert.are.equal("7\n", (command.shell(scratch, "luajit p.lua")))
    command.write(scratch .. "/p.lua", (text:gsub("7", "8")))
    local out = command.shell(scratch, "luajit p.lua")
    assert.is_truthy(out:find("another one: k, which run uses, has changed", 1, true), out)
  end)
end)
