-- The launcher, the set-up step, the rock's description and the version.
local project = require "support.project"
local quoted = project.quoted

-- runs a command whose %s are filled with words; returns its output and exit code
local function run(command, ...)
  local words = { ... }
  for i, word in ipairs(words) do words[i] = quoted(word) end
  return project.run(command:format(unpack(words)))
end

local root = project.lines("cd " .. quoted(project.root) .. " && pwd -P")[1]
-- make as from a fresh shell, whatever make is running these specs
local make = "env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make --no-print-directory -s -C " .. quoted(root)

describe("packaging #tree", function()
  local folder

  before_each(function() folder = project.lines("mktemp -d")[1] end)
  after_each(function() project.lines("rm -rf " .. quoted(folder)) end)

  -- writes an executable shell script into the scratch folder
  local function script(name, body)
    local path = folder .. "/" .. name
    local file = assert(io.open(path, "w"))
    file:write("#!/bin/sh\n", body, "\n")
    file:close()
    project.lines("chmod +x " .. quoted(path))
    return path
  end

  describe("the launcher", function()
    -- stands in for luajit and shows what it was given
    local function spy()
      return script("spy", [[
for word in "$@"; do echo "<$word>"; done
echo "LUA_PATH=$LUA_PATH"
echo "LUA_CPATH=$LUA_CPATH"
echo "OPENBLAS_NUM_THREADS=$OPENBLAS_NUM_THREADS"]])
    end

    it("starts the main module of its tree, from any folder", function()
      local output = run("cd / && LUAJIT=%s %s/bin/trpo", spy(), root)
      assert.equal("<" .. root .. "/lua/trpo/main.lua>", output:match "^[^\n]+")
    end)

    it("passes arguments as they are", function()
      local output = run("LUAJIT=%s %s/bin/trpo 'a b' '' '*' \"it's\" -x '$HOME'", spy(), root)
      local _, _, arguments = output:find "main.lua>\n(.-)LUA_PATH"
      assert.equal("<a b>\n<>\n<*>\n<it's>\n<-x>\n<$HOME>\n", arguments)
    end)

    it("works through chains of absolute and relative symbolic links", function()
      run("cd %s && mkdir bin && ln -s %s/bin/trpo bin/first && ln -s bin/first second", folder, root)
      local output, code = run("cd / && LUAJIT=%s %s/second", spy(), folder)
      assert.equal(0, code, output)
      assert.is_truthy(output:find(root .. "/lua/trpo/main.lua", 1, true))
    end)

    it("works from an installed tree, also with spaces in its name", function()
      local tree = folder .. "/an installed tree"
      run("mkdir -p %s/bin && cp %s/bin/trpo %s/bin", tree, root, tree)
      run("cd %s && mkdir -p share/lua/5.1/trpo && touch share/lua/5.1/trpo/main.lua", tree)
      local output = run("env -u LUA_PATH -u LUA_CPATH LUAJIT=%s %s/bin/trpo", spy(), tree)
      assert.equal("<" .. tree .. "/share/lua/5.1/trpo/main.lua>", output:match "^[^\n]+")
      local path = ("T/share/lua/5.1/?.lua;T/share/lua/5.1/?/init.lua;;"):gsub("T", (tree:gsub("%%", "%%%%")))
      assert.equal(path, output:match "LUA_PATH=([^\n]+)")
      assert.equal(tree .. "/lib/lua/5.1/?.so;;", output:match "LUA_CPATH=([^\n]+)")
    end)

    it("keeps the user's module path after its own", function()
      local output = run("LUA_PATH='/mine/?.lua' LUAJIT=%s %s/bin/trpo", spy(), root)
      assert.is_truthy(output:match "LUA_PATH=([^\n]+)":find(";/mine/?.lua", 1, true))
    end)

    it("keeps BLAS on one thread unless the user says otherwise", function()
      local function threads(before)
        return run(before .. " LUAJIT=%s %s/bin/trpo", spy(), root):match "OPENBLAS_NUM_THREADS=(%d+)"
      end
      assert.equal("1", threads "env -u OPENBLAS_NUM_THREADS")
      assert.equal("3", threads "OPENBLAS_NUM_THREADS=3")
    end)

    it("says what is missing", function()
      local output, code = run("LUAJIT=no-such-luajit %s/bin/trpo", root)
      assert.equal(1, code)
      assert.equal("trpo: 'no-such-luajit' was not found, "
        .. "install LuaJIT (Debian: apt-get install luajit) or set LUAJIT\n", output)
      output, code = run("TRPO_BUILD=%s %s/bin/trpo", folder, root)
      assert.equal(1, code)
      assert.equal("trpo: the module is not built yet, run 'make' in " .. root .. "\n", output)
    end)
  end)

  describe("make deps", function()
    -- `make deps` with a package database of ours and without the right to install anything
    local function deps(present)
      script("dpkg-query", "for name in " .. present .. [[; do printf 'ii %s ' "$name"; done]])
      script("id", "echo 1000")
      script("sudo", [[echo "sudo $*" >>"$(dirname "$0")/log"]])
      local output, code = run("PATH=%s:$PATH " .. make .. " deps", folder)
      local log = io.open(folder .. "/log")
      local commands = log and log:read "*a" or ""
      if log then log:close() end
      return output, code, commands
    end

    it("does nothing when all is there", function()
      local all = project.read "Makefile":match "\nPACKAGES := (.-)\nDEV":gsub("\\\n", " ")
      local output, code, commands = deps(all)
      assert.equal("", output)
      assert.equal(0, code)
      assert.equal("", commands)
    end)

    it("installs what is missing, as root through sudo", function()
      local all = project.read "Makefile":match "\nPACKAGES := (.-)\nDEV":gsub("\\\n", " ")
      local output, code, commands = deps((all:gsub("lua%-cjson", ""):gsub("liblapacke%-dev", "")))
      assert.equal(0, code, output)
      assert.equal("make deps: installing lua-cjson liblapacke-dev\n", output)
      assert.is_truthy(commands:find "sudo apt%-get [^\n]*update\n")
      assert.is_truthy(commands:find "sudo env [^\n]*apt%-get [^\n]*install [^\n]* lua%-cjson liblapacke%-dev\n")
    end)

    it("lists what is needed on other systems", function()
      for _, tool in ipairs { "make", "find", "cat", "gcc", "pkg-config" } do
        run("ln -s \"$(command -v %s)\" %s", tool, folder)
      end
      local output, code = run("make=$(command -v make); env -i PATH=%s $make -s -C %s deps", folder, root)
      assert.equal(0, code)
      local packages = output:match "^make deps: not a Debian system, please install the like of: ([^\n]+)\n$"
      assert.is_truthy(packages and packages:find "^luajit .* pkg%-config$", output)
    end)
  end)

  it("never builds for the very machine it is built on, nor with fast mathematics", function()
    for _, path in ipairs { "Makefile", "rockspec/trpo-scm-1.rockspec" } do
      local text = project.read(path)
      for _, flag in ipairs { "-march=native", "-mtune=native", "-ffast-math", "-Ofast", "-funsafe-math" } do
        assert.is_nil(text:find(flag, 1, true), path .. " says " .. flag)
      end
    end
  end)

  it("describes the rock", function()
    local rockspec = {}
    assert(setfenv(assert(loadstring(project.read "rockspec/trpo-scm-1.rockspec")), rockspec))()
    assert.equal("trpo", rockspec.package)
    assert.equal("scm-1", rockspec.version)
    assert.equal("make", rockspec.build.type)
    assert.same({ type = "command", command = "make check" }, rockspec.test)
    assert.same({ header = "lapacke.h", library = "lapacke" }, rockspec.external_dependencies.LAPACKE)
    assert.same({ library = "blas" }, rockspec.external_dependencies.BLAS)
    local names = {}
    for i, dependency in ipairs(rockspec.dependencies) do names[i] = dependency:match "^%S+" end
    assert.same({ "lua", "argparse", "lua-cjson", "luv" }, names)
  end)

  it("has one version, the Makefile's", function()
    local version = project.read "Makefile":match "\nVERSION := (%S+)"
    assert.equal(version, require "trpo".VERSION)
  end)

  it("installs every Lua module, the library and the launcher", function()
    -- from the root: make knows no paths with spaces
    local build = project.build:sub(1, #root + 1) == root .. "/" and project.build:sub(#root + 2) or project.build
    local output, code = run(make .. " install-files DESTDIR=%s PREFIX=/p BUILD=%s", folder, build)
    assert.equal(0, code, output)
    for _, path in ipairs(project.files("lua", "%.lua$")) do
      assert.is_truthy(io.open(folder .. "/p/share/lua/5.1/" .. path:sub(5)), path .. " is not installed")
    end
    local _, missing = run("cd %s/p && test -x bin/trpo && test -x lib/lua/5.1/trpo/core.so", folder)
    assert.equal(0, missing)
  end)
end)
