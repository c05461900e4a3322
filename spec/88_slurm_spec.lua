-- Sweeps under Slurm: the script, and a cluster of one node that runs it. Skipped where Slurm cannot start.
local command = require "support.command"
local project = require "support.project"
local slurm = require "trpo.sweep.slurm"
local uv = require "luv"

local scratch

before_each(function() scratch = command.scratch() end)
after_each(function() command.remove(scratch) end)

local functions = [[
local trpo = require "trpo"
return trpo.sweep {
  run = function(params, seed) return { metric = 10 * params.a + seed } end,
  parameters = { a = { 1, 2, 3 } }, seeds = 2, name = "functions", %s
}:main(...)
]]

local function sweep(more) command.write(scratch .. "/functions.lua", functions:format(more or "")) end

describe("the options for sbatch", function()
  for text, message in pairs {
    ["slurm = { array = '1-3' }"] = "slurm.array is said by the sweep itself",
    ["slurm = { time = {} }"] = "slurm.time must be a string, a number, true or false",
    ["slurm = { mem = 'a\\nb' }"] = "slurm.mem must be a string, a number, true or false",
    ["slurm = { 'exclusive' }"] = "slurm must have names of options of sbatch, got 1",
    ["slurm = { ['time=1 --array'] = 2 }"] = "slurm must have names of options of sbatch, got time=1 --array",
    ["slurm = 3"] = "slurm must be a table of options for sbatch",
  } do
    it("are refused: " .. text, function()
      sweep(text)
      local _, err, code = command.run(scratch, "sweep functions.lua --slurm")
      assert.are.equal(2, code)
      assert.is_truthy(err:find("trpo.sweep: " .. message, 1, true), err)
    end)
  end

  it("stand in the script, before the user's own ones stand theirs", function()
    local made = slurm.script({ name = "x", dir = "d", file = "/a b/it's.lua", given = { slurm = {
      time = "1:00:00", signal = "B:TERM@120", requeue = false, exclusive = true } },
      place = function() return "d/x" end }, { set = { "delta=0.1" }, tasks = 7 }, 3)
    assert.is_truthy(made:find("#!/bin/bash\n#SBATCH --job-name=x\n#SBATCH --array=1-3\n", 1, true))
    assert.is_truthy(made:find("\n#SBATCH --exclusive\n", 1, true))
    assert.is_truthy(made:find("\n#SBATCH --signal=B:TERM@120\n", 1, true))
    assert.is_nil(made:find("--requeue", 1, true))
    assert.is_nil(made:find("@60", 1, true))
    assert.is_truthy(made:find([['/a b/it'\''s.lua' --jobs 1 ]], 1, true))
    assert.is_truthy(made:find("--set delta=0.1", 1, true))
    made = slurm.script({ name = "a b", dir = "d", file = "f.lua", given = { slurm = { comment = [[it's "5" #1 \]] } },
      place = function() return "50% of d/a b" end }, {}, 1)
    assert.is_truthy(made:find("\n#SBATCH --job-name=\"a b\"\n", 1, true))
    assert.is_truthy(made:find([[--comment="it's \"5\" #1 \\"]], 1, true))
    assert.is_truthy(made:find([[--output="50%% of d/a b/slurm-%A_%a.txt"]], 1, true))
    command.write(scratch .. "/script.sh", made)
    assert.are.equal(0, select(2, project.run("bash -n " .. project.quoted(scratch .. "/script.sh"))))
  end)
end)

describe("trpo sweep --slurm", function()
  for what, case in pairs {
    ["there is no Slurm"] = { "exit 127", "sbatch was not found; is this a machine of a Slurm cluster?" },
    ["Slurm refuses"] = { "echo 'sbatch: error: invalid partition' >&2; exit 1", "sbatch: error: invalid partition" },
  } do
    it("leaves the script and says what is wrong where " .. what, function()
      sweep()
      command.shell(scratch, ("mkdir bin; printf '#!/bin/sh\\n%%s\\n' %s >bin/sbatch; chmod +x bin/sbatch"):format(
        project.quoted(case[1])))
      local _, err, code = command.shell(scratch, 'PATH=$PWD/bin:$PATH "$trpo" sweep functions.lua --slurm')
      assert.are.equal(1, code)
      assert.are.equal("trpo: the script is sweeps/functions/slurm.sh, but it was not submitted: " .. case[2] .. "\n", err)
      assert.is_truthy(command.read(scratch .. "/sweeps/functions/slurm.sh"):find "#SBATCH")
    end)
  end

  it("refuses a name that is no line", function()
    sweep()
    local _, err, code = command.shell(scratch, [["$trpo" sweep functions.lua --slurm --name "$(printf 'a\nb')"]])
    assert.are.equal(1, code)
    assert.are.equal("trpo: sbatch reads lines: 'sweeps/a\nb' has a control character in it\n", err)
  end)

  describe("with --retry-failed", function()
    -- a, b and c fail; of the second time c does, too
    local failing = [[
local trpo = require "trpo"
return trpo.sweep {
  run = function(p)
    local file = io.open(%q .. "/ran", "a")
    file:write(p.x, "\n")
    file:close()
    assert(p.x == "d" or p.x ~= "c" and io.open(%q .. "/mended"), "no")
    return 1
  end,
  parameters = { x = { "a", "b", "c", "d" } }, name = "failing",
}:main(...)
]]
    local function ran() return project.lines(("sort %s/ran"):format(project.quoted(scratch))) end

    before_each(function()
      command.write(scratch .. "/failing.lua", failing:format(scratch, scratch))
      command.run(scratch, "sweep failing.lua -q")
      command.shell(scratch, "mkdir bin; printf '#!/bin/sh\\n[ -e mended ] || exit 1; echo 17\\n' >bin/sbatch; chmod +x bin/sbatch")
    end)

    it("submits the trials that failed, each for one more time", function()
      local out, err, code = command.shell(scratch, [[touch mended
PATH=$PWD/bin:$PATH "$trpo" sweep failing.lua --slurm --retry-failed
"$trpo" sweep failing.lua --status | head -n 1
bash sweeps/failing/slurm.sh & bash sweeps/failing/slurm.sh; wait
bash sweeps/failing/slurm.sh
"$trpo" sweep failing.lua --status | head -n 1]])
      assert.are.equal(0, code, err)
      assert.is_truthy(out:find("job 17 takes 3 trials", 1, true), out)
      assert.is_truthy(out:find("\nfailing: 1 of 4 done, 0 running, 0 failed, 3 waiting\n", 1, true), out)
      assert.is_truthy(out:find("\nfailing: 3 of 4 done, 0 running, 1 failed, 0 waiting\n", 1, true), out)
      assert.is_truthy(command.read(scratch .. "/sweeps/failing/slurm.sh"):find("--array=1-3\n", 1, true))
      assert.are.same({ "a", "a", "b", "b", "c", "c", "d" }, ran())
    end)

    it("keeps the failures where nothing is submitted", function()
      local out, _, code = command.shell(scratch, [[PATH=$PWD/bin:$PATH "$trpo" sweep failing.lua --slurm --retry-failed && exit 9
"$trpo" sweep failing.lua --status | head -n 1]])
      assert.are.equal(0, code)
      assert.are.equal("failing: 1 of 4 done, 0 running, 3 failed, 0 waiting\n", out)
      assert.are.same({ "a", "b", "c", "d" }, ran())
    end)
  end)

  it("has nothing to do when the sweep is done", function()
    sweep()
    command.run(scratch, "sweep functions.lua -q")
    local out, err, code = command.run(scratch, "sweep functions.lua --slurm")
    assert.are.same({ "no trial is left; nothing is submitted\n", "", 0 }, { out, err, code })
  end)
end)

-- ---- a cluster ---------------------------------------------------------------------------------

local helper = project.lines "pwd -P"[1] .. "/spec/support/one_node_slurm.sh"
local cluster

-- two ports that nobody uses: other clusters, as of specs that run beside these ones, have others
local function free_ports()
  local ports, sockets = {}, {}
  for i = 1, 2 do
    sockets[i] = uv.new_tcp()
    assert(sockets[i]:bind("0.0.0.0", 0))
    ports[i] = sockets[i]:getsockname().port
  end
  for _, socket in ipairs(sockets) do socket:close() end
  uv.run "nowait"
  return ports
end

-- starts it once; false when it cannot be
local function start()
  if command.watched then return false end
  if cluster == nil then
    local place, ports = command.scratch(), free_ports()
    local said, code = project.run(("%s start %s %d %d"):format(project.quoted(helper), project.quoted(place), ports[1], ports[2]))
    cluster = code == 0 and place
    if not cluster then
      io.write("  skipped: ", (said:gsub("%s+$", "")), "\n")
      command.remove(place)
    end
  end
  return cluster
end

-- shell text with the cluster's settings
local function shell(text)
  return command.shell(scratch, ("export SLURM_CONF=%s PATH=$PATH:/usr/sbin\n%s"):format(
    project.quoted(cluster .. "/slurm.conf"), text))
end

-- waits for the queue to be empty
local drained = command.await "[ -z \"$(squeue -h)\" ]"

describe("a Slurm of one node", function()
  teardown(function()
    if cluster then
      project.run(("%s stop %s"):format(project.quoted(helper), project.quoted(cluster)))
      command.remove(cluster)
    end
  end)

  it("runs the array of a sweep, every trial once", function()
    if not start() then return end
    sweep()
    local out, err, code = shell([["$trpo" sweep functions.lua --name "100 % it's" --slurm --jobs 2]])
    assert.are.equal(0, code, err)
    assert.is_truthy(out:find("^job %d+ takes 6 trials; script sweeps/100 %% it's/slurm.sh"), out)
    local _, _, waited = shell(drained)
    assert.are.equal(0, waited)

    local read = assert(require("trpo.sweep.results").read(scratch .. "/sweeps/100 % it's"))
    for _, trial in ipairs(read.trials) do
      assert.are.equal("done", trial.status)
      assert.are.equal(10 * trial.params.a + trial.seed, trial.metric)
      assert.are.equal(1, trial.attempt)
    end
    assert.are.equal(6, #read.trials)
  end)

  it("stops a trial with a checkpoint, queues the task again, and comes to the same end", function()
    if not start() then return end
    command.write(scratch .. "/run.lua", [[
local trpo = require "trpo"
local run = trpo.experiment { env = "CartPole-v1", policy = { hidden = { 8 } }, value = false, steps = 600000, lanes = 4,
  evaluation = { episodes = 4 }, on_iteration = function(record)
    if record["time/iterations"] ~= 3 or io.open "third" then return end
    io.open("third", "w"):close()
    while not trpo.signals.caught() do require "luv".sleep(1) end
  end }
return run:main(...)
]])
    command.write(scratch .. "/runs.lua", [[
local trpo = require "trpo"
return trpo.sweep { experiment = "run.lua", parameters = { delta = { 0.01 } }, name = os.getenv "NAME" or "runs" }:main(...)
]])
    local _, err, code = shell(([[
"$trpo" sweep runs.lua --slurm
%s
scancel --signal=TERM --batch "$(squeue -h -o %%A)"
%s cat sweeps/runs/slurm-*.txt >&2
NAME=still "$trpo" sweep runs.lua -q]]):format(command.await "[ -f third ]", drained))
    assert.are.equal(0, code, err)
    assert.is_truthy(err:find("stopped by SIGTERM, 0 of 1 trials are done", 1, true), err)

    local results = require "trpo.sweep.results"
    local a = assert(results.read(scratch .. "/sweeps/runs")).trials[1]
    local b = assert(results.read(scratch .. "/sweeps/still")).trials[1]
    assert.are.same({ "done", 2, "done", 1 }, { a.status, a.attempt, b.status, b.attempt })
    assert.are.equal(b.metric, a.metric)
    local _, rows = command.csv(a.dir .. "/progress.csv")
    local _, others = command.csv(b.dir .. "/progress.csv")
    assert.are.equal(#others, #rows)
    assert.are.equal(others[#others]["train/actual_improvement"], rows[#rows]["train/actual_improvement"])
  end)
end)
