--- Sweeps under Slurm: a job array whose tasks take trials until none is left.
--
-- Each task is `trpo sweep FILE --jobs 1`. Tasks share the sweep's folder, and claims see to it that no trial is done
-- twice, so any number of tasks serves any number of trials, successive halving included. A task that Slurm is about
-- to end (time limit, preemption) gets SIGTERM a minute before: its trial writes a checkpoint, and the task puts itself
-- back into the queue. A node that dies is Slurm's to notice; its trials are taken over by other tasks.
-- @module trpo.sweep.slurm
local folder = require "trpo.folder"
local rock = require "trpo.rocks"

local slurm = {}

-- more tasks than this wait in the queue for nothing
local most_tasks = 100

-- what a script of ours says when the user says nothing else
local defaults = {
  { "nodes", "1" }, { "ntasks", "1" }, { "cpus-per-task", "1" }, { "requeue" }, { "open-mode", "append" },
  { "signal", "B:TERM@60" },
}

-- a word as the shell reads it back
local function quoted(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

-- one line for sbatch; it reads no quotes, a newline would end the line
local function directive(name, value)
  return "#SBATCH --" .. name .. (value and "=" .. value or "")
end

-- the lines for sbatch: what the user wants, then what is not said yet
local function directives(sweep, tasks)
  local wishes = sweep.slurm or {}
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
  lines[#lines + 1] = directive("output", sweep.path .. "/slurm-%A_%a.txt")
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
-- @tparam table flags of the command line: `jobs` (tasks of the array), `set`
-- @tparam integer trials that are left
-- @treturn string
function slurm.script(sweep, flags, trials)
  local uv = rock("luv", "trpo sweep --slurm")
  local tasks = math.max(1, math.min(tonumber(flags.jobs) or most_tasks, trials))
  return "#!/bin/bash\n" .. directives(sweep, tasks) .. "\n"
    .. body:format(quoted(uv.cwd()), quoted(package.path), quoted(package.cpath), command(sweep, flags, uv))
end
return slurm
