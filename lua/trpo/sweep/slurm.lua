--- Sweeps under Slurm: a job array whose tasks take trials until none is left.
--
-- Each task is `trpo sweep FILE --jobs 1`. Tasks share the sweep's folder, and claims see to it that no trial is done
-- twice, so any number of tasks serves any number of trials, successive halving included. A task that Slurm is about
-- to end (time limit, preemption) gets SIGTERM a minute before: its trial writes a checkpoint, and the task puts itself
-- back into the queue. A node that dies is Slurm's to notice; its trials are taken over by other tasks.
-- @module trpo.sweep.slurm
local core = require "trpo.core"
local failures = require "trpo.sweep.failures"
local quoted = require("trpo.command_line").quoted
local results = require "trpo.sweep.results"
local rock = require "trpo.rocks"

local slurm = {}

-- more tasks than this wait in the queue for nothing
local most_tasks = 100

-- what a script of ours says when the user says nothing else
local defaults = {
  { "nodes", "1" }, { "ntasks", "1" }, { "cpus-per-task", "1" }, { "requeue" }, { "open-mode", "append" },
  { "signal", "B:TERM@60" },
}

-- the options of sbatch that are ours to say
local reserved = { array = true, output = true, ["job-name"] = true }

--- What is wrong with the options that a user has for sbatch.
-- @tparam table wishes from names to strings, numbers and booleans
-- @treturn string|nil one sentence
function slurm.complaint(wishes)
  for name, value in pairs(wishes) do
    if type(name) ~= "string" or not name:find "^[%w-]+$" then
      return ("slurm must have names of options of sbatch, got %s"):format(tostring(name))
    elseif reserved[name] then
      return ("slurm.%s is said by the sweep itself"):format(name)
    end
    local kind = type(value)
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" or tostring(value):find "%c" then
      return ("slurm.%s must be a string, a number, true or false"):format(name)
    end
  end
end

-- one line for sbatch, which reads words much as a shell does; but a blank is a blank also behind a backslash
local function directive(name, value)
  if value and value:find "[%s\\\"'#]" then value = '"' .. value:gsub('[\\"]', "\\%0") .. '"' end
  return "#SBATCH --" .. name .. (value and "=" .. value or "")
end

-- the lines for sbatch: what we say unless the user does, and what the user says
local function directives(sweep, tasks)
  local wishes = sweep.given.slurm or {}
  local names, lines = {}, { directive("job-name", sweep.name), directive("array", "1-" .. tasks) }
  for name in pairs(wishes) do names[#names + 1] = name end
  table.sort(names)
  for _, entry in ipairs(defaults) do
    if wishes[entry[1]] == nil then lines[#lines + 1] = directive(entry[1], entry[2]) end
  end
  for _, name in ipairs(names) do
    local value = wishes[name]
    if value == true then value = nil end
    if value ~= false then lines[#lines + 1] = directive(name, value and tostring(value)) end
  end
  lines[#lines + 1] = directive("output", sweep:place():gsub("%%", "%%%%") .. "/slurm-%A_%a.txt")
  return table.concat(lines, "\n")
end

-- the rest of the script; a first wait ends early when the signal comes
local body = [[

cd %s || exit 1
export LUA_PATH=%s
export LUA_CPATH=%s

%s &
task=$!
trap 'kill -TERM "$task" 2>/dev/null' TERM
wait "$task"
code=$?
while kill -0 "$task" 2>/dev/null; do
  wait "$task"
  code=$?
done

# stopped by SIGTERM with a checkpoint: another time, from there
if [ "$code" -eq 143 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$code"
]]

-- the command of one task
local function command(sweep, flags, uv)
  local words = { uv.exepath(), package.searchpath("trpo.main", package.path), "sweep", sweep.file, "--jobs", "1",
    "--quiet", "--dir", sweep.dir, "--name", sweep.name }
  for _, text in ipairs(flags.set or {}) do
    words[#words + 1] = "--set"
    words[#words + 1] = text
  end
  for i, word in ipairs(words) do words[i] = quoted(word) end
  return table.concat(words, " ")
end

--- The array script of a sweep.
-- @tparam Sweep sweep
-- @tparam table flags of the command line: `tasks` (of the array, at most), `set`
-- @tparam integer trials that are left
-- @treturn string
function slurm.script(sweep, flags, trials)
  local uv = rock("luv", "trpo sweep --slurm")
  local tasks = math.max(1, math.min(flags.tasks or most_tasks, trials))
  return "#!/bin/bash\n" .. directives(sweep, tasks) .. "\n"
    .. body:format(quoted(uv.cwd()), quoted(package.path), quoted(package.cpath), command(sweep, flags, uv))
end

-- the number of the job; or nil and what sbatch said
local function sbatch(path)
  local pipe, problem = io.popen(("exec 2>&1; sbatch --parsable %s; echo $?"):format(quoted(path)))
  if not pipe then return nil, tostring(problem) end
  local said, code = pipe:read("*a"):match "^(.-)%s*(%d+)%s*$"
  pipe:close()
  if code == "0" then return said:match "%d+[^\n]*$" end
  if code == "127" then said = "sbatch was not found; is this a machine of a Slurm cluster?" end
  return nil, said
end

local function say(...) io.stderr:write("trpo: ", table.concat({ ... }), "\n") end

-- why sbatch cannot be told about a sweep, or nil
local function flaw(sweep)
  if sweep:place():find "%c" then
    return ("sbatch reads lines: '%s' has a control character in it"):format(sweep:place())
  end
end

-- writes the script and hands it to sbatch: the number of the job and the script's path; or nil and what is wrong
local function hand_over(sweep, flags, trials)
  local path = sweep:place() .. "/slurm.sh"
  local problem = flaw(sweep)
  if problem then return nil, problem end
  local ok, message = core.file.write(path, slurm.script(sweep, flags, trials))
  if not ok then return nil, message end
  local job, why = sbatch(path)
  if job then return job, path end
  return nil, ("the script is %s, but it was not submitted: %s"):format(path, why)
end

--- Writes the array script of a sweep into its folder, and submits it. Failures that are tried again are withdrawn
-- before: tasks that were told to try failures again would do so with those of each other, and after every requeue.
-- @tparam Sweep sweep whose folder is there
-- @tparam table read what is in it
-- @tparam table flags of the command line: `tasks`, `set`, `retry_failed`
-- @treturn number exit code: 0, or 1 with a message on the standard error output
function slurm.submit(sweep, read, flags)
  local count, again, problem = results.count(read), {}, nil
  if flags.retry_failed then again, problem = failures.withdraw(read) end
  if not again then
    say(problem)
    return 1
  end
  local trials = count.running + count.waiting - results.undecided(read) + #again
  if trials == 0 then
    print "no trial is left; nothing is submitted"
    return 0
  end
  local job, path = hand_over(sweep, flags, trials)
  if not job then
    failures.put_back(again)
    say(path)
    return 1
  end
  print(("job %s takes %d trials; script %s, output %s/slurm-%s_*.txt"):format(job, trials, path, sweep:place(), job))
  return 0
end

return slurm
