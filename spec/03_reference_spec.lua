-- The reference has an entry for everything that a user can call.
local project = require "support.project"

-- what the Lua modules wrap
local internal = { env_open = true, space_discrete = true, space_box = true, is_space = true, signals = true, suggest = true,
  aliases = true }

describe("docs/reference.md #tree", function()
  local reference = project.read "docs/reference.md"

  local function documented(name)
    assert.is_truthy(reference:find("\n### `" .. name .. "(", 1, true), name .. " has no entry")
  end

  it("describes the functions of the core", function()
    for name, value in pairs(require "trpo.core") do
      if type(value) == "function" and not internal[name] then documented("trpo." .. name) end
    end
  end)

  it("describes the methods of every type", function()
    local types = 0
    for name, metatable in pairs(debug.getregistry()) do
      local noun = type(name) == "string" and name:match "^trpo%.(%a+)$"
      if noun and type(metatable) == "table" and type(metatable.__index) == "table" then
        types = types + 1
        noun = noun:find "%l" and noun:lower() or noun
        for method, value in pairs(metatable.__index) do
          if type(value) == "function" and not method:find "^__" then documented(noun .. ":" .. method) end
        end
      end
    end
    assert.is_true(types > 0)
  end)
end)

describe("the writer of the reference #tree", function()
  it("shows names that could be links as code", function()
    local written = {}
    local write = io.write
    io.write = function(...) -- luacheck: ignore
      for _, text in ipairs { ... } do written[#written + 1] = text end
    end
    local ok, message = pcall(dofile("docs/markdown.lua").write,
      { { name = "trpo.x", summary = "See @{trpo.y} and @{Mdp:save}.", items = {} } })
    io.write = write -- luacheck: ignore
    assert.is_true(ok, message)
    assert.is_truthy(table.concat(written):find("See `trpo.y` and `Mdp:save`.", 1, true))
  end)
end)
