-- What computes with vectors passes the same specs on the instruction sets that are not the best of this processor, too.
local project = require "support.project"

local SPECS = { "41_network", "42_fisher", "42_kfac", "43_value_optimizers", "47_trpo" }
local PROGRAMS = { "jacobian_test", "lbfgs_test", "mlp_test" }

local function under(isa, command)
  -- no collector that never rests: it watches these specs by themselves
  local output, code = project.run(("cd %s && LUA_INIT= TRPO_ISA=%s %s"):format(project.quoted(project.root .. "."), isa, command))
  assert.is_true(code == 0, ("%s exited with %s\n%s"):format(command, tostring(code), output))
end

for _, isa in ipairs { "avx2", "generic" } do
  describe("with TRPO_ISA=" .. isa .. " #tree", function()
    for _, name in ipairs(PROGRAMS) do
      it("the C test passes: " .. name, function() under(isa, project.quoted(project.build .. "/ctest/" .. name)) end)
    end

    for _, name in ipairs(SPECS) do
      it("the specs pass: " .. name, function()
        under(isa, "luajit spec/support/busted.lua --ignore-lua spec/" .. name .. "_spec.lua")
      end)
    end
  end)
end
