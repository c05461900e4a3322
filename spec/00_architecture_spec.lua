-- The house: which floor may use which, who may see Lua and BLAS, what names are visible outside.
local project = require "support.project"

-- A folder may include its own headers and those of lower floors.
local floor = {
  base = 0,
  tensor = 1, solve = 1,
  mdp = 2, nn = 2, stats = 2, env = 2,
  policy = 3,
  rl = 4,
  lua = 5, zip = 5,
}

-- Folders of optional modules, each a shared object of its own, built when pkg-config finds the library.
local optional = { zip = "libzip" }

-- The only way between two folders of one floor.
local sideways = { ["env/mdp_env"] = "mdp" }

-- Global names that a file may define besides `<file>` and `<file>_*`. l_check is the binding's common ground.
local other_prefixes = { ["lua/core"] = "luaopen_", ["lua/l_check"] = "l_", ["zip/zip"] = "luaopen_" }

local LONGEST_FILE = 600

local function stem(path) return (path:match "^src/(.*)%.[ch]$") end

local function folder(path) return (path:match "^src/([^/]+)/[^/]+$") end

-- calls f(name, opening) for every include of a file; opening is '<' or '"'
local function each_include(path, f)
  for line in (project.read(path) .. "\n"):gmatch "(.-)\n" do
    local opening, name = line:match '^%s*#%s*include%s*([<"])([^>"]+)[>"]'
    if name then f(name, opening) end
  end
end

-- why a file may not include a header of ours, or nil
local function forbidden(path, name)
  local from, to = folder(path), name:match "^([^/]+)/[^/]+$"
  if not floor[to] then
    return "is not written as folder/file.h from src/"
  elseif to == from or floor[to] < floor[from] or sideways[stem(path)] == to then
    return nil
  end
  return floor[to] > floor[from] and "goes upward" or "goes sideways"
end

-- The complaint of every include of every file under a rule: rule(path, name, opening) -> reason or nil.
local function complaints(rule)
  local found = {}
  for _, path in ipairs(project.files("src", "%.[ch]$")) do
    each_include(path, function(name, opening)
      local reason = rule(path, name, opening)
      if reason then found[#found + 1] = ("%s: include of %s %s"):format(path, name, reason) end
    end)
  end
  return found
end

-- global symbols that an object file or library defines
local function symbols(command)
  local names = {}
  for _, line in ipairs(project.lines(command)) do
    local name = line:match "^%S+ %a (%S+)$"
    -- what begins with two underscores belongs to the compiler (sanitizers, coverage), and so does a slip of its libgcov
    if name and not name:find "^__" and name ~= "mangle_path" then names[#names + 1] = name end
  end
  return names
end

-- the files of a list that this build has compiled
local function built(paths)
  local list = {}
  for _, path in ipairs(paths) do
    local library = optional[folder(path)]
    if not library or select(2, project.run("pkg-config --exists " .. library)) == 0 then list[#list + 1] = path end
  end
  return list
end

describe("the architecture #tree", function()
  it("is tried under LuaJIT", function()
    assert.is_table(jit)
    assert.is_string(jit.version)
  end)

  it("has every source file in a folder that has a floor", function()
    for _, path in ipairs(project.files("src", "")) do
      assert.is_truthy(floor[folder(path) or ""], path .. " is in no folder of the house")
    end
  end)

  it("includes only what is on the same folder or a lower floor", function()
    assert.same({}, complaints(function(path, name, opening)
      return opening == '"' and forbidden(path, name) or nil
    end))
  end)

  it("shows Lua only to src/lua", function()
    assert.same({}, complaints(function(path, name)
      local lua = name == "lua.h" or name == "lauxlib.h" or name == "lualib.h" or name:find "^luajit"
      local allowed = folder(path) == "lua" or optional[folder(path)]
      return lua and not allowed and "is allowed in src/lua and optional modules only" or nil
    end))
  end)

  it("includes BLAS and LAPACKE in src/base/blas.h only", function()
    assert.same({}, complaints(function(path, name)
      local blas = name:find "cblas" or name:find "lapack"
      return blas and path ~= "src/base/blas.h" and "is allowed in src/base/blas.h only" or nil
    end))
  end)

  it("gives every global name the prefix of its file", function()
    local wrong = {}
    for _, path in ipairs(built(project.files("src", "%.c$"))) do
      local file = stem(path)
      local noun = file:match "[^/]+$":gsub("_avx2$", ""):gsub("_avx512$", ""):gsub("_generic$", "")
      local prefix = noun .. "_"
      local other = other_prefixes[file]
      local object = project.quoted(project.build .. "/obj/" .. file .. ".o")
      for _, name in ipairs(symbols("nm -g --defined-only " .. object)) do
        local fits = name == noun or name:sub(1, #prefix) == prefix or (other and name:sub(1, #other) == other)
        if not fits then
          wrong[#wrong + 1] = ("%s defines %s"):format(path, name)
        end
      end
    end
    assert.same({}, wrong)
  end)

  it("exports luaopen_* and nothing else", function()
    local exported = symbols("nm -D --defined-only " .. project.quoted(project.build .. "/trpo/core.so"))
    assert.same({ "luaopen_trpo_core" }, exported)
    for name in pairs(optional) do
      local module = project.build .. "/trpo/" .. name .. ".so"
      if #built { "src/" .. name .. "/x.c" } == 1 then
        assert.same({ "luaopen_trpo_" .. name }, symbols("nm -D --defined-only " .. project.quoted(module)))
      end
    end
  end)

  it("needs LAPACKE, BLAS and the C library only", function()
    local allowed = { "liblapacke", "libblas", "libopenblas", "libm", "libpthread", "libc", "ld%-linux.*",
                      "libasan", "libubsan", "libtsan", "libgcov", "libgcc_s" }
    for _, line in ipairs(project.lines("readelf -d " .. project.quoted(project.build .. "/trpo/core.so"))) do
      local needed = line:match "%(NEEDED%).-%[(.-)%]"
      local known = needed == nil
      for _, name in ipairs(allowed) do
        known = known or needed:find("^" .. name .. "%.so") ~= nil
      end
      assert.is_true(known, "core.so needs " .. tostring(needed))
    end
  end)

  it("keeps files short enough to read", function()
    for _, path in ipairs(project.files("src lua", "%.[chlua]+$")) do
      local _, lines = project.read(path):gsub("\n", "")
      assert.is_true(lines <= LONGEST_FILE, ("%s has %d lines, more than %d"):format(path, lines, LONGEST_FILE))
    end
  end)

  it("leaves no notes to be done later", function()
    for _, path in ipairs(project.files("Makefile src lua spec examples bench docs bin rockspec", "")) do
      for _, word in ipairs { "TO" .. "DO", "FIX" .. "ME", "XX" .. "X" } do
        assert.is_nil(project.read(path):find("%f[%w]" .. word .. "%f[%W]"), path .. " contains " .. word)
      end
    end
  end)

  it("names the place in every include guard", function()
    for _, path in ipairs(project.files("src", "%.h$")) do
      local text = project.read(path)
      -- what is made to be included several times has none
      local again = path:find "_template%.h$" or path:find "_f%d+%.h$"
      local guarded = again or text:find "#ifndef TRPO_[%w_]+_H\n#define TRPO_"
      assert.is_truthy(guarded, path .. " has no include guard TRPO_..._H")
    end
  end)
end)
