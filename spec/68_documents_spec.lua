-- What the documents show is run: every block under a mark, see support/documents.lua.
local command = require "support.command"
local documents = require "support.documents"
local project = require "support.project"

-- runs one block as it is shown, or says why not
local function try(folder, block)
  local missing = documents.missing(block)
  if missing then return print(("  skipped: no %s%s"):format(missing, block.language == "python"
    and ", TRPO_PYTHON may name an interpreter that has it" or "")) end
  local out, code, shown = documents.run(folder, block)
  assert.are.equal(0, code, out)
  local line = documents.unprinted(shown, out)
  assert.is_nil(line, ("not printed: %s\nbut:\n%s"):format(tostring(line), out))
end

-- The blocks of a document follow each other in one folder, which has bin/trpo as the tree has.
local function describe_blocks(path, shown)
  local folder
  setup(function()
    folder = command.scratch()
    command.shell(folder, 'mkdir bin && ln -s "$trpo" bin/trpo')
  end)
  teardown(function() command.remove(folder) end)
  for _, block in ipairs(documents.blocks(path)) do
    if block.kind == "file" then
      it(("%s has %s at line %d"):format(path, block.name, block.line), function()
        command.write(folder .. "/" .. block.name, block.text)
      end)
    elseif block.kind == "run" then
      shown[path] = (shown[path] or 0) + 1
      it(("%s runs as shown at line %d"):format(path, block.line), function() try(folder, block) end)
    end
  end
end

describe("the document #tree", function()
  local shown = {}
  for _, path in ipairs(project.files("README.md docs", "%.md$")) do
    -- the guide to experiments is two dozen processes, which do what specs 82 to 91 do
    if not (command.watched and path == "docs/experiments.md") then
      describe(path .. (documents.has(path, "python") and " #python" or ""), function() describe_blocks(path, shown) end)
    end
  end

  it("experiments.md shows nothing that is not run", function()
    local list = documents.blocks "docs/experiments.md"
    for i, block in ipairs(list) do
      assert.is_truthy(block.kind, "docs/experiments.md:" .. block.line)
      local used = block.kind == "run"
      for j = i + 1, #list do used = used or list[j].text:find(block.name, 1, true) ~= nil end
      assert.is_true(used, ("docs/experiments.md:%d: %s"):format(block.line, tostring(block.name)))
    end
  end)

  it("must print what it shows, in this order, but for numbers", function()
    local printed = "remark\n3 runs  [1.5, 2]\n* best 7\n"
    assert.is_nil(documents.unprinted({ "1 run [0.25, 4e5]", "best 8" }, printed))
    assert.are.equal("worst 8", documents.unprinted({ "3 runs [1, 2]", "worst 8" }, printed))
    assert.are.equal("remark", documents.unprinted({ "best 7", "remark" }, printed))
  end)

  it("README shows an experiment and an environment", function()
    assert.is_true(shown["README.md"] >= 2)
    local all = 0
    for _, count in pairs(shown) do all = all + count end
    assert.is_true(all >= 8)
  end)

  it("says nothing about files that do not exist", function()
    for _, path in ipairs(project.files("README.md CHANGELOG.md CONTRIBUTING.md docs", "%.md$")) do
      local folder = path:match "^(.*/)" or ""
      for target in project.read(path):gmatch "%]%(([^)#:]+)%)" do
        assert.is_true(pcall(project.read, folder .. target), path .. " links to " .. target)
      end
    end
  end)

  it("getting-started.md explains every option and every column", function()
    local text = project.read "docs/getting-started.md"
    for _, name in ipairs(require("trpo.logger").columns) do
      assert.is_truthy(text:find("`" .. name .. "`", 1, true), name)
    end
    local trpo = require "trpo"
    for _, entry in ipairs(trpo.experiment({ env = "CartPole-v1" }):parameters()) do
      local group, last = entry.path:match "^(%w+)%.([%w_]+)$"
      local there = text:find("`" .. entry.path .. "`", 1, true) or group and text:find("`." .. last .. "`", 1, true)
        or text:find("`" .. (last or entry.path) .. "`", 1, true) or group == "env" or group == "algorithm"
      assert.is_truthy(there, entry.path)
    end
  end)

  it("command-line.md explains every command and every option, exact.md those of solve", function()
    local text, exact = project.read "docs/command-line.md", project.read "docs/exact.md"
    for _, entry in ipairs(require "trpo.commands") do
      assert.is_truthy(text:find("\ntrpo " .. entry.name .. " ", 1, true), entry.name)
      for _, option in ipairs(entry.options) do
        for flag in option.flags:gmatch "%S+" do
          local there = (entry.name == "solve" and exact or text):find(flag:gsub("%-", "%%-") .. "%f[^%w-]")
          assert.is_truthy(there, entry.name .. " " .. flag)
        end
      end
    end
  end)

  it("learning.md explains every option of TRPO and every field of its report", function()
    local trpo = require "trpo"
    local text = project.read "docs/learning.md"
    local policy = trpo.policy { env = trpo.make "CartPole-v1", hidden = {}, rng = trpo.rng(1) }
    local batch = trpo.collect(trpo.make "CartPole-v1", policy, { horizon = 8 })
    for name in pairs(trpo.TRPO {}) do assert.is_truthy(text:find("`" .. name .. "`", 1, true), name) end
    for name in pairs(trpo.TRPO {}:update(policy, trpo.gae(batch))) do
      assert.is_truthy(text:find("`" .. name .. "`", 1, true), name)
    end
  end)
end)

describe("the command #tree", function()
  for _, path in ipairs(project.files("README.md docs examples", "%.[lm]%w+$")) do
    for line in project.read(path):gmatch "[^\n]+" do
      local arguments = line:match "^[- ]*bin/trpo (train .*)$"
      -- what follows two spaces is said about it; where there is a run to go on with, a block is run
      arguments = arguments and arguments:gsub("  .*$", "")
      if arguments and not arguments:find "^train %-%-resume runs/" then
        it(("bin/trpo %s of %s works as shown"):format(arguments, path), function()
          local scratch = command.scratch()
          local short = arguments:find("--help", 1, true) and "" or " -q --dir false --steps 1 --set evaluation.episodes=1"
          local _, err, code = command.shell(scratch, ("cd %s && \"$trpo\" %s%s"):format(
            project.quoted(project.lines "pwd -P"[1]), arguments, short))
          command.remove(scratch)
          assert.are.equal(0, code, err)
          assert.are.equal("", err)
        end)
      end
    end
  end
end)

describe("the example", function()
  -- the same files, for less time
  local cases = {
    ["cartpole.lua"] = "--steps 4096 -q", ["pendulum.lua"] = "--steps 4096 -q", ["custom_env.lua"] = "--steps 4096 -q",
    ["training_loop.lua"] = "2", ["callbacks.lua"] = "--steps 4096 -q", ["resume.lua"] = "",
  }
  for name, arguments in pairs(cases) do
    it(name .. " runs", function()
      local scratch = command.scratch()
      local examples = project.lines "pwd -P"[1] .. "/examples/"
      local line = ("luajit %s %s"):format(project.quoted(examples .. name), arguments)
      local out, err, code = command.shell(scratch, line)
      command.remove(scratch)
      assert.are.equal(0, code, err)
      assert.are.equal("", err)
      assert.is_truthy(out:find("mean re%a+ %-?%d"), out)
    end)
  end

  -- sweeps look for their experiment from the folder that holds examples/; all trials, for fewer steps
  local sweeps = {
    ["sweep_exact.lua"] = { "best: delta=0.1 gamma=0.8, updates 4 ", "" },
    ["sweep_delta_gamma.lua"] = { "best: delta=", "--set steps=2048 --set evaluation.episodes=1" },
  }
  for name, case in pairs(sweeps) do
    it(name .. " runs", function()
      local scratch = command.scratch()
      local out, err, code = command.shell(scratch, ("here=$PWD; cd %s && luajit examples/%s -q --dir \"$here\" %s"):format(
        project.quoted(project.lines "pwd -P"[1]), name, case[2]))
      command.remove(scratch)
      assert.are.equal(0, code, err)
      assert.are.equal("", err)
      assert.is_truthy(out:find(case[1], 1, true), out)
    end)
  end
end)
