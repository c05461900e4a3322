-- Completion scripts: bash runs them, zsh and fish parse them where they are installed.
local command = require "support.command"
local project = require "support.project"

local scratch

before_each(function()
  scratch = command.scratch()
  command.shell(scratch, 'touch script.lua "my script.lua" notes.txt; mkdir runs; "$trpo" completion bash >bash.sh')
end)
after_each(function() command.remove(scratch) end)

-- what bash offers for the last word
local function offers(...)
  local words = {}
  for i, word in ipairs { ... } do words[i] = project.quoted(word) end
  local out, err = command.shell(scratch, ([[bash -c '
. ./bash.sh
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_trpo
printf "%%s\n" "${COMPREPLY[@]}"' bash %s]]):format(table.concat(words, " ")))
  assert.are.equal("", err)
  local set, list = {}, {}
  for word in out:gmatch "[^\n]+" do
    set[word] = true
    list[#list + 1] = word
  end
  return set, list
end

describe("completion", function()
  it("is registered in bash", function()
    local out = command.shell(scratch, "bash -c '. ./bash.sh; complete -p trpo'")
    assert.are.equal("complete -F _trpo trpo\n", out)
  end)

  it("offers commands", function()
    local set = offers("trpo", "")
    for _, name in ipairs { "train", "envs", "info", "completion", "help" } do assert.is_true(set[name]) end
    assert.are.same({ "train" }, select(2, offers("trpo", "tr")))
    assert.is_true(offers("trpo", "help", "")["train"])
  end)

  it("offers scripts, folders and environments to train", function()
    local set = offers("trpo", "train", "")
    assert.is_true(set["script.lua"])
    assert.is_true(set["runs"])
    assert.is_true(set["CartPole-v1"])
    assert.is_true(set["my script.lua"])
    assert.is_nil(set["notes.txt"])
    assert.are.same({ "Pendulum-v1" }, select(2, offers("trpo", "train", "--seed", "3", "Pen")))
  end)

  it("offers processes and methods to solve", function()
    command.shell(scratch, "touch model.npz")
    local set = offers("trpo", "solve", "")
    for _, name in ipairs { "frozen_lake", "FrozenLake-v1", "model.npz", "script.lua", "runs" } do
      assert.is_true(set[name], name)
    end
    assert.is_nil(set["notes.txt"])
    assert.are.same({ "policy_iteration" }, select(2, offers("trpo", "solve", "--method", "pol")))
    assert.are.same({ "optimal", "uniform" }, select(2, offers("trpo", "solve", "--policy", "")))
    assert.is_true(offers("trpo", "solve", "--improve", "")["monotone_tv"])
    assert.is_true(offers("trpo", "solve", "chain", "--plot", "")["notes.txt"])
  end)

  it("offers options and what follows them", function()
    local set = offers("trpo", "train", "script.lua", "--")
    for _, name in ipairs { "--set", "--seed", "--steps", "--json", "--help" } do assert.is_true(set[name]) end
    assert.are.same({ "algorithm.delta=" }, select(2, offers("trpo", "train", "--set", "algorithm.del")))
    assert.are.same({ "delta=" }, select(2, offers("trpo", "train", "--set", "del")))
    assert.is_nil(offers("trpo", "train", "--set", "")["hidden="])
    assert.is_true(offers("trpo", "train", "--dir", "")["runs"])
    assert.is_true(offers("trpo", "train", "--resume", "")["runs"])
    assert.is_true(offers("trpo", "eval", "")["runs"])
    assert.is_true(offers("trpo", "eval", "runs", "--")["--best"])
    assert.are.same({ "checkpoint.every=" }, select(2, offers("trpo", "train", "--set", "checkpoint.ev")))
    assert.are.same({}, select(2, offers("trpo", "train", "--seed", "")))
    assert.are.same({ "bash", "zsh", "fish" }, select(2, offers("trpo", "completion", "")))
  end)

  for _, shell in ipairs { "bash", "zsh", "fish" } do
    it("is well-formed " .. shell, function()
      local out, _, code = command.run(scratch, "completion " .. shell)
      assert.are.equal(0, code)
      assert.is_truthy(out:find("Pendulum-v1", 1, true))
      assert.is_truthy(out:find("algorithm.delta", 1, true))
      if os.execute("command -v " .. shell .. " >/dev/null 2>&1") ~= 0 then return end
      command.write(scratch .. "/completion", out)
      local _, err, parsed = command.shell(scratch, shell .. " -n completion")
      assert.are.equal(0, parsed, err)
    end)
  end
end)
