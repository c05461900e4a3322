--- One sitting of a run: its folder, its log and its checkpoints, from the first file to the last.
--
-- What outlives a sitting are the counters: plain numbers and lists that every checkpoint holds, so that a run goes on
-- as if it had never stopped.
-- @module trpo.session
local checkpoint = require "trpo.checkpoint"
local command_line = require "trpo.command_line"
local counters_of = require "trpo.counters"
local differences = require "trpo.differences"
local disk = require "trpo.disk"
local folder = require "trpo.folder"
local json = require "trpo.json"
local logger = require "trpo.logger"
local process = require "trpo.process"
local registered = require("trpo.env").registered
local rock = require "trpo.rocks"
local sources = require "trpo.sources"
local trpo = require "trpo"

local session = {}
session.__index = session

--- A sitting of an experiment; nothing is touched yet.
-- @tparam Experiment run
-- @tparam table view `sink`, `json`, `say` = function(text) for remarks
-- @tparam[opt] boolean callbacks whether functions of the user's are called
-- @treturn Session
function session.new(run, view, callbacks)
  local self = setmetatable({
    run = run, view = view, callbacks = callbacks, counters = counters_of.fresh(), uv = rock("luv", "run:train"),
    damaged = {}, remarks = {}, looked_at = {},
  }, session)
  self.counters.sources = sources.of(run.script, self.looked_at)
  return self
end

-- ---- what there is already ---------------------------------------------------------------------

-- Why a folder without checkpoints must not be begun anew, or nil: its run was killed, or failed, before the first one.
-- Numbers that no status belongs to are somebody else's.
local function finished(place)
  local status = place.last.status
  if status == "running" or status == "failed" then return nil end
  if status then return "it is " .. status end
  local foreign = disk.exists(place.path .. "/progress.csv") and not disk.exists(place.path .. "/status.json")
  return foreign and "it has a progress.csv but no status.json" or nil
end

function session:begin_anew()
  local place = self.folder
  local why = finished(place)
  if not why then return place:empty() end
  return nil, ("%s cannot be resumed: %s and has no checkpoint; overwrite it to begin anew"):format(place.path, why),
    "no_file"
end

-- a folder to go on in, with the checkpoint to go on from
function session:look(path)
  local message, code
  self.folder, message, code = folder.resume(path)
  if not self.folder then return nil, message, code end
  local paths
  paths, message, code = checkpoint.list(path .. "/checkpoints")
  if not paths then return nil, message, code end
  if #paths == 0 then
    local ok
    ok, message, code = self:begin_anew()
    if ok then return self:write_first_files() end
    return nil, message, code
  end
  local saved, damaged
  saved, damaged, code = checkpoint.newest(paths)
  if not saved then return nil, ("%s cannot be resumed: %s"):format(path, damaged), code end
  if not counters_of.are(saved.counters) then
    return nil, ("%s cannot be resumed: '%s' does not hold what a run counts"):format(path, saved.path), "format"
  end
  local differing = differences.config(self.run:describe(), saved.config)
  if #differing > 0 then
    return nil, ("%s cannot be resumed: %s"):format(path, table.concat(differing, "; ")), "mismatch"
  end
  self.saved, self.damaged = saved, damaged
  return true
end

-- a new folder
function session:make(path)
  local message, code
  self.folder, message, code = folder.create(path, self.run.config.overwrite)
  if not self.folder then return nil, message, code end
  return self:write_first_files()
end

--- Finds or makes the folder, when one is wanted. Nobody else works there until `close`.
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil code
function session:prepare()
  local path = self.run:place()
  if not path then return true end
  local find = self.run.config.resume and self.look or self.make
  return find(self, path)
end

-- ---- going on ----------------------------------------------------------------------------------

local function remark(self, ...) self.remarks[#self.remarks + 1] = (...):format(select(2, ...)) end

-- an edited script may say something else now, which does not count
local function remark_options(self)
  local run = self.run
  local differing = run.scripted and differences.script(run:describe(), run.scripted) or {}
  if #differing == 0 then return end
  remark(self, "the options are those of the run, not those of the edited script: %s",
    table.concat(differing, ", "))
end

-- a machine, and files, with which the same numbers are not promised are said, and remembered
function session:compare()
  local differing = differences.system(trpo.info(), self.saved.system)
  local before = self.counters.sources
  local edited = false
  for _, path in ipairs(before and sources.changed(before, self.run.script) or {}) do
    differing[#differing + 1], edited = path .. " has changed", edited or path == self.run.script
  end
  if #differing > 0 then
    remark(self, "the same numbers are not promised any more: %s", table.concat(differing, "; "))
    self.counters.exact = false
  end
  if edited then remark_options(self) end
  if self.saved.exact == false then
    remark(self, "%s has no save and restore: its open episodes begin anew", self.run.env.id)
    self.counters.exact = false
  end
end

--- Takes up the state of the checkpoint, if there is one. The run has been built; nothing is written yet.
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil code
function session:restore()
  local saved = self.saved
  if not saved then return true end
  local ok, message, code = checkpoint.restore(saved, self.run)
  if not ok then return nil, message, code end
  local now = self.counters.sources
  self.counters = saved.counters
  self.counters.sessions = self.counters.sessions + 1
  local row = self.counters.record
  -- older checkpoints do not say it
  if row and row["eval/mean_reward"] and not self.counters.evaluated and saved.config.evaluation then
    self.counters.evaluated = saved.config.evaluation.episodes
  end
  self:compare()
  self.counters.sources = now
  if self.folder.unknown then remark(self, "%s", self.folder.unknown) end
  return true
end

-- the run may have been killed between its checkpoint and the other name of it
function session:relink_best()
  local counters = self.counters
  if not self.run.config.evaluation.save_best then return true end
  if not counters.best or counters.best.iteration ~= counters.iterations then return true end
  return self:link_best(checkpoint.name(counters.iterations))
end

-- puts damaged checkpoints aside, where they can still be looked at
function session:put_aside()
  for _, entry in ipairs(self.damaged) do
    local aside = entry.path .. ".damaged"
    local moved = self.uv.fs_rename(entry.path, aside)
    remark(self, "%s%s", entry.message, moved and "; it is now " .. aside or "")
  end
  if #self.damaged > 0 then remark(self, "going on from %s instead", self.saved.path) end
end

-- ---- files -------------------------------------------------------------------------------------

local order = { "status", "reason", "code", "message", "signal", "iterations", "steps", "seconds", "exact_resume",
  "started", "sessions", "pid", "start", "host", "boot", "space" }

-- how the run stands, with what tells whether it is still alive
function session:write_status(result)
  local out = process.this()
  out.started, out.sessions = os.date("!%Y-%m-%dT%H:%M:%SZ", self.counters.started), self.counters.sessions
  if self.counters.sessions > 1 then out.exact_resume = self.counters.exact end
  for key, value in pairs(result) do out[key] = value end
  -- the first to say so in a new folder owns it
  if not self.saved and not self.opened then return self.folder:claim(out, order) end
  -- without it a run still goes on from its checkpoint, so nobody has to wait for the disk
  return self.folder:write_json("status.json", out, order, { sync = false })
end

function session:write_config()
  local config, definition = self.run:describe(), self.run.definition
  -- a module is not found from everywhere; what a Lua program has given cannot be written down
  local id = config.env.id
  local module = not definition and sources.file(id)
  config.module = module and self.uv.fs_realpath(module) or nil
  config.described = definition ~= nil or not module and registered[id] ~= nil or nil
  config.script, config.callbacks = self.run.script, self.callbacks or nil
  config.sources = self.counters.sources
  return self.folder:write_json("config.json", config, { "name", "seed", "env" })
end

function session:write_first_files()
  local ok, message, code = self:write_status { status = "running" }
  self.opened = ok
  if ok then ok, message, code = self:write_config() end
  if ok then ok, message, code = command_line.append(self.folder) end
  return ok, message, code
end

-- An evaluation plays whole episodes, and perhaps nothing ends them.
function session:warn_endless()
  if self.run.env.time_limit > 0 or self.run.config.evaluation.episodes == 0 then return end
  remark(self, "%s has no time limit: should an episode never end, nor does an evaluation; set env.time_limit, or "
    .. "evaluation.episodes = 0", self.run.env.id)
end

-- whether the folder is that of a run that has come to its end, as nothing is left to do
local function is_settled(self)
  local status, row = self.folder.last.status, self.counters.record
  return self.idle and #self.damaged == 0 and (status == "done" or status == "stopped")
    and (self.run.config.evaluation.episodes == 0 or row and row["eval/mean_reward"])
end

-- opens the log, and says in the folder that this process is at work there
function session:begin_writing()
  if self.saved then
    self:put_aside()
    local ok, message, code = self:write_first_files()
    if not ok then return nil, message, code end
  end
  local message, code
  self.log, message, code = logger.new {
    folder = self.folder, sink = self.view.sink, json = self.view.json, env_id = self.run.env.id,
    t_start = self.counters.started, positions = self.saved and (self.counters.positions or {}),
    later = self.counters.later,
  }
  return self.log ~= nil, message, code
end

-- a run that did not come to its end may have been killed before its best model had its name and an old checkpoint was
-- taken away
function session:tidy_checkpoints()
  checkpoint.prune(self.folder.path .. "/checkpoints", self.run.config.checkpoint.keep)
  return self:relink_best()
end

--- Begins, or goes on. The state has been restored, and `idle` tells whether nothing is left to do: then what is
-- written of a run that has come to its end stays as it is.
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil code
function session:open()
  self.begin, self.before = self.uv.hrtime(), self.counters.elapsed
  self.last_checkpoint, self.run.memory = self.begin, self.counters.memory
  if not (self.saved and is_settled(self)) then
    local ok, message, code = self:begin_writing()
    if ok and self.saved then ok, message, code = self:tidy_checkpoints() end
    if not ok then return nil, message, code end
  end
  self:warn_endless()
  for _, text in ipairs(self.remarks) do self:say(text) end
  return true
end

--- Says something to whoever watches.
-- @tparam string text
function session:say(text)
  if self.view.say then return self.view.say(text) end
  io.stderr:write("trpo: ", text, "\n")
end

--- Shows the last record once more, to other programs: that of a run for which nothing is left to do.
-- @tparam table row
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil "io"
function session:show_again(row)
  local file = self.view.json
  if not file then return true end
  local text = json.encode(row, { order = logger.columns }) .. "\n"
  local ok, message, code = logger:line(file, "to the standard output", text)
  return ok and true or nil, message, code
end

--- Seconds of training so far, in all sittings.
-- @treturn number
function session:elapsed() return self.before + (self.uv.hrtime() - self.begin) / 1e9 end

--- Seconds of this sitting.
-- @treturn number
function session:lasted() return (self.uv.hrtime() - self.begin) / 1e9 end

-- ---- checkpoints -------------------------------------------------------------------------------

function session:write_checkpoint(name)
  local place = self.folder.path .. "/checkpoints"
  local there, message = disk.identity(self.folder.path)
  if message then return nil, "cannot look at the folder of the run: " .. message, "io" end
  if not there then return nil, ("the folder of the run, %s, was moved or removed"):format(self.folder.path), "io" end
  local ok
  ok, message = disk.make(place)
  if not ok then return nil, ("cannot make the folder of checkpoints: %s"):format(message), "io" end
  local counters = self.counters
  counters.elapsed, counters.positions, counters.memory = self:elapsed(), self.log:positions(), self.run.memory
  counters.later = self.log:later()
  -- modules may be loaded late
  for module, hash in pairs(sources.modules(self.looked_at)) do counters.sources.modules[module] = hash end
  local code
  ok, message, code = checkpoint.save(place .. "/" .. name, self.run, counters)
  if code == "error" then message, code = message:gsub("counters%.memory", "run.memory"), "callback" end
  -- the first time the folder of checkpoints itself, and what tells how to read them, have to be there for good
  if ok and not self.rooted then
    disk.sync(self.folder.path)
    self.rooted = true
  end
  return ok, message, code
end

-- lets whoever started the run end it before the folder is changed
function session:heed()
  if self.run.before_writing then self.run.before_writing() end
end

-- a checkpoint after what was logged has arrived on the disk; takes away the oldest
function session:checkpoint()
  local name = checkpoint.name(self.counters.iterations)
  local ok, message, code = self.log:sync()
  if ok then ok, message, code = self:write_checkpoint(name) end
  if not ok then return nil, message, code end
  self.last_checkpoint = self.uv.hrtime()
  self:heed()
  checkpoint.prune(self.folder.path .. "/checkpoints", self.run.config.checkpoint.keep)
  return true, name
end

-- whether it is time for a checkpoint
function session:is_due()
  local when = self.run.config.checkpoint
  if when.every > 0 and self.counters.iterations % when.every == 0 then return true end
  return when.seconds > 0 and (self.uv.hrtime() - self.last_checkpoint) / 1e9 >= when.seconds
end

-- whether an iteration had the best evaluation so far; remembered, and true when it is to be kept
function session:is_best(row)
  local reward, counters = row["eval/mean_reward"], self.counters
  if not reward or reward ~= reward or counters.best and reward <= counters.best.reward then return false end
  counters.best = { reward = reward, iteration = counters.iterations, steps = counters.steps }
  return self.folder ~= nil and self.run.config.evaluation.save_best
end

-- a second name for a checkpoint; written once more where a file has one name only
function session:link_best(name)
  local path = self.folder.path .. "/checkpoints/"
  local temporary = path .. "best.safetensors.tmp"
  self.uv.fs_unlink(temporary)
  if self.uv.fs_link(path .. name, temporary) and self.uv.fs_rename(temporary, path .. "best.safetensors") then
    -- renaming one name of a file to another does nothing at all
    self.uv.fs_unlink(temporary)
    return true
  end
  return self:write_checkpoint "best.safetensors"
end

--- Keeps what an iteration has brought: a checkpoint when it is time, and the best policy so far.
-- @tparam table row the record
-- @tparam boolean last
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil code
function session:keep(row, last)
  local best = self:is_best(row)
  if not self.folder then return true end
  local name, code
  if last or self:is_due() then
    local ok
    ok, name, code = self:checkpoint()
    if not ok then return nil, name, code end
  end
  if not best then return true end
  if name then return self:link_best(name) end
  return self:write_checkpoint "best.safetensors"
end

--- Brings everything to an end.
-- @tparam string|nil message of a failure
-- @tparam string|nil code
-- @treturn table|nil result
-- @treturn string|nil one sentence, when not even that could be written
-- @treturn string|nil code
function session:close(message, code)
  self:heed()
  local shut, unwritten, shut_code = true, nil, nil
  if self.log then shut, unwritten, shut_code = self.log:close() end
  if not shut and not message then message, code = unwritten, shut_code end
  local counters, result = self.counters, {}
  for key, value in pairs(counters.record or {}) do result[key] = value end
  result.status = message and "failed" or counters.status
  result.message, result.code, result.reason = message, code, counters.reason
  result.iterations, result.steps, result.best = counters.iterations, counters.steps, counters.best
  result.eval_episodes = result["eval/mean_reward"] and counters.evaluated
  result.unevaluated = counters.pending ~= nil or nil
  result.seconds = not self.begin and 0 or self.idle and counters.elapsed or self:elapsed()
  if not message then result.signal = counters.status == "interrupted" and select(2, trpo.signals.caught()) or nil end
  if not self.folder then return result end
  result.dir = self.folder.path
  -- a run that could not be taken up stays as it was
  local ok, why, io_code = true, nil, nil
  if self.opened then ok, why, io_code = self:write_status(result) end
  self.folder:close()
  if not ok then return nil, why, io_code end
  if not shut then return nil, unwritten, shut_code end
  result.idle = self.idle
  return result
end

return session
