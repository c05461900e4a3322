--- Where the numbers of a run go: one record per iteration, to files and to other sinks; one line per episode.
--
-- A record is a table from name to number. Names are those of Stable-Baselines3-contrib's TRPO, ours, and the user's.
-- `progress.csv` has a column for each name (`nan`, `inf`, `-inf` where a number is not finite), `progress.jsonl` an
-- object per line, without the numbers that are missing (`NaN`, `Infinity`, `-Infinity`, as Python's json writes and
-- reads them; so does `trpo.json.decode`), the event file all of it for TensorBoard, in single precision. In the first
-- two every number reads back exactly. `monitor.csv` is what Stable-Baselines3's `Monitor` writes.
-- @module trpo.logger
local core = require "trpo.core"
local disk = require "trpo.disk"
local json = require "trpo.json"
local tensorboard = require "trpo.tensorboard"

local logger = {}
logger.__index = logger

--- The columns of `progress.csv`, in order. A number that does not exist yet (the mean return before the first
-- episode ended) leaves its field empty.
logger.columns = {
  "time/iterations", "time/total_timesteps", "time/time_elapsed", "time/fps",
  "rollout/ep_rew_mean", "rollout/ep_len_mean",
  "train/kl_divergence_loss", "train/policy_objective", "train/explained_variance",
  "train/value_loss", "train/is_line_search_success", "train/n_updates", "train/std",
  "train/step_fraction", "train/line_search_steps", "train/cg_iters", "train/cg_residual",
  "train/expected_improvement", "train/actual_improvement", "train/kl_max", "train/entropy",
  "train/gradient_norm", "train/step_norm", "train/normalizer_kl",
  "eval/mean_reward", "eval/std_reward", "eval/mean_ep_length",
}

--- Whether a number of every run has some name, though not every run may have come to have it.
-- @tparam string name
-- @treturn boolean
function logger.reports(name)
  for _, column in ipairs(logger.columns) do
    if column == name then return true end
  end
  return false
end

-- files of a run besides its event file
local files = { "progress.csv", "progress.jsonl", "monitor.csv" }

-- ---- names -------------------------------------------------------------------------------------

local function quote(name) return name:find '[",]' and '"' .. name:gsub('"', '""') .. '"' or name end

local function header(names)
  local fields = {}
  for i, name in ipairs(names) do fields[i] = quote(name) end
  return table.concat(fields, ",") .. "\n"
end

-- a name in quotes, of which the first is at a place, and where the next name begins
local function quoted_name(line, at)
  local from = at + 1
  local stop = from
  while line:find('^[^"]*""', stop) do stop = line:match('""()', stop) end
  stop = line:find('"', stop, true) or #line
  return (line:sub(from, stop - 1):gsub('""', '"')), stop + 2
end

-- the names in the header of a file of comma-separated values
local function names_in(line)
  local names, at = {}, 1
  line = line .. ","
  while at <= #line do
    local name, behind
    if line:sub(at, at) == '"' then
      name, behind = quoted_name(line, at)
    else
      name, behind = line:match("^([^,]*),()", at)
    end
    names[#names + 1], at = name, behind
  end
  return names
end

local function add_name(self, name) self.names[#self.names + 1], self.known[name] = name, true end

-- names that are not known yet become known, in alphabetical order; or nil, message, code
local function learn(self, record)
  local new
  for name, value in pairs(record) do
    if type(value) ~= "number" then
      return nil, ("record['%s'] must be a number, got %s"):format(tostring(name), type(value)), "record"
    elseif not self.known[name] then
      if type(name) ~= "string" or not core.log.is_name(name) then
        return nil, "the name of a number in a record must be UTF-8 text of one line", "record"
      end
      new = new or {}
      new[#new + 1] = name
    end
  end
  if not new then return true end
  table.sort(new)
  for _, name in ipairs(new) do add_name(self, name) end
  return true
end

local function set_names(self, names)
  self.names, self.known = {}, {}
  for _, name in ipairs(names) do add_name(self, name) end
end

-- ---- files -------------------------------------------------------------------------------------

local function event_file_in(positions)
  for name in pairs(positions) do
    if tensorboard.is_file_name(name) then return name end
  end
end

local function is_position(x) return type(x) == "number" and x >= 0 and x % 1 == 0 and x < 2 ^ 53 end

local function close_all(opened)
  local ok, message, code = true, nil, nil
  for _, file in pairs(opened) do
    local closed, why, which = file:close()
    if not closed then ok, message, code = nil, why, which end
  end
  return ok, message, code
end

-- opens all files; a table by name, or nil, message, code
local function open_all(path, names, positions)
  local opened = {}
  local function failed(message, code)
    close_all(opened)
    return nil, message, code
  end
  for _, name in ipairs(names) do
    local position = positions and positions[name]
    if positions and not is_position(position) then
      return failed(("the checkpoint does not say how far %s/%s had come"):format(path, name), "format")
    end
    local file, message, code = core.log.open(path .. "/" .. name, position)
    if not file then return failed(message, code) end
    opened[name] = file
  end
  return opened
end

local function cut_all(opened)
  for _, file in pairs(opened) do
    local ok, message, code = file:cut()
    if not ok then return nil, message, code end
  end
  return true
end

-- bytes of a file from one place up to another
local function part(path, from, to)
  local file = io.open(path, "rb")
  if not file then return "" end
  file:seek("set", from)
  local text = to > from and file:read(to - from) or ""
  file:close()
  return text
end

local function first_line(path)
  local file = io.open(path, "rb")
  local line = file and file:read "*l"
  if file then file:close() end
  return line or ""
end

-- what is written before the first record; or nil, message, code
local function begin(self, opts)
  local ok, message, code = cut_all(self.files)
  if not ok then return nil, message, code end
  ok, message, code = self.files[self.events]:append(core.log.version(tensorboard.now()))
  if not ok then return nil, message, code end
  -- blanks where Python puts them
  return self.files["monitor.csv"]:append(('#{"t_start": %s, "env_id": %s}\nr,l,t\n'):format(
    json.number(opts.t_start or tensorboard.now()), json.encode(opts.env_id or "")))
end

-- names and time as they were; or nil, message, code
local function go_on(self, path, later)
  for _, name in ipairs(files) do
    local position = self.files[name]:position()
    if position > 0 and part(path .. "/" .. name, position - 1, position) ~= "\n" then
      return nil, ("cannot go on in '%s/%s': it is not the file that the checkpoint knows, no line of it ends at byte "
        .. "%.0f"):format(path, name, position), "format"
    end
  end
  if self.files["progress.csv"]:position() > 0 then
    set_names(self, names_in(first_line(path .. "/progress.csv")))
    self.fields = #self.names
    for _, name in ipairs(later or {}) do
      if not self.known[name] then add_name(self, name) end
    end
  end
  local position = self.files["monitor.csv"]:position()
  local last = part(path .. "/monitor.csv", math.max(0, position - 80), position)
  self.elapsed = tonumber(last:match ",([%d.e+-]+)\n$") or 0
  return cut_all(self.files)
end

-- Whether all names still stand for the files that are being written, which are remembered the first time: true, or
-- nil, message, code.
local function recognise(self)
  for name in pairs(self.files) do
    local path = self.path .. "/" .. name
    local found, message = disk.identity(path)
    if message then return nil, "cannot look at a file that is being written: " .. message, "io" end
    self.identities[name] = self.identities[name] or found
    if not found or found ~= self.identities[name] then
      return nil, ("'%s' was moved or removed while the run was writing it"):format(path), "io"
    end
  end
  return true
end

--- A logger. When it cannot go on, nothing of any file has changed.
-- @tparam table opts `folder` (a run folder, or nil: no file), `sink` (function(record), e.g. a display),
--   `json` (a file that gets one JSON object per record), `env_id` and `t_start` (seconds since 1970) for
--   `monitor.csv`, `positions` and `later` (what the methods gave when the checkpoint was taken: go on from there;
--   whatever was written later is cut off)
-- @treturn Logger|nil
-- @treturn string|nil one sentence
-- @treturn string|nil "io", "no_file" (a file is missing) or "format" (a file is shorter than it was)
function logger.new(opts)
  local self = setmetatable({ sink = opts.sink, json = opts.json, elapsed = 0, files = {} }, logger)
  set_names(self, logger.columns)
  if not opts.folder then return self end
  local path, positions = opts.folder.path, opts.positions or nil
  self.events = positions and event_file_in(positions) or tensorboard.file_name()
  local opened, message, code = open_all(path, { files[1], files[2], files[3], self.events }, positions)
  if not opened then return nil, message, code end
  self.files, self.path, self.identities = opened, path, {}
  local ok
  ok, message, code = recognise(self)
  if ok and positions then
    ok, message, code = go_on(self, path, opts.later)
  elseif ok then
    ok, message, code = begin(self, opts)
  end
  if ok then return self end
  close_all(opened)
  return nil, message, code
end

-- one whole line, at once on its way
function logger:line(file, path, text)
  local ok, message = file:write(text)
  if ok then ok, message = file:flush() end
  if ok then return self end
  return nil, ("cannot write %s: %s"):format(path, message), "io"
end

-- Never compiled: a compiled flush that fails is left and called again by the interpreter, and the second call finds
-- nothing to write and succeeds, so a full disk would go unnoticed.
jit.off(logger.line)

-- ---- writing -----------------------------------------------------------------------------------

-- the record in all files
local function append(self, csv, line, event)
  local opened = self.files
  local ok, message, code = opened["progress.csv"]:append(csv)
  if ok then ok, message, code = opened["progress.jsonl"]:append(line) end
  if ok then ok, message, code = opened[self.events]:append(event) end
  return ok, message, code
end

--- Writes one record everywhere. Names that are not among `columns` become further columns of `progress.csv` when they
-- are in the first record; later ones go to the other files only.
-- @tparam table record numbers by name
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil "io", or "record": something in it is no number, or its name is no UTF-8 text of one line
function logger:record(record)
  local ok, message, code = learn(self, record)
  if not ok then return nil, message, code end
  local first = not self.fields
  self.fields = self.fields or #self.names
  local step, csv, line, event = record["time/total_timesteps"], nil, nil, nil
  if self.events or self.json then
    csv, line, event = core.log.encode(self.names, self.fields, record, tensorboard.now(),
      is_position(step) and step or 0)
  end
  if self.events then
    ok, message, code = append(self, first and header(self.names) .. csv or csv, line, event)
    if not ok then return nil, message, code end
  end
  if self.json then
    -- for other programs: what is not finite is null there
    local text = line:find ":%-?[NI]" and json.encode(record, { order = self.names }) .. "\n" or line
    ok, message, code = self:line(self.json, "to the standard output", text)
    if not ok then return nil, message, code end
  end
  if self.sink then self.sink(record) end
  return true
end

--- Writes the episodes that ended since the last call to `monitor.csv`, at once.
-- @tparam Tensor returns [N], in the order they ended
-- @tparam Tensor lengths [N] in steps
-- @tparam number elapsed seconds since the run began; the episodes are spread evenly over the time since the last
--   call, because readers sort by time
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil "io"
function logger:episodes(returns, lengths, elapsed)
  local file = self.files["monitor.csv"]
  if not file then return true end
  local before = math.min(self.elapsed, elapsed)
  self.elapsed = elapsed
  if returns:nelement() == 0 then return true end
  return file:append(core.log.episodes(returns, lengths, before, elapsed))
end

--- How far the files have come: what a checkpoint keeps.
-- @treturn {[string]=integer,...} bytes by file name; empty without a folder
function logger:positions()
  local positions = {}
  for name, file in pairs(self.files) do positions[name] = file:position() end
  return positions
end

--- Names that came when `progress.csv` had its heading already, in the order in which the other files have them.
-- @treturn {string,...}
function logger:later()
  local names = {}
  for i = (self.fields or #self.names) + 1, #self.names do names[#names + 1] = self.names[i] end
  return names
end

--- Brings all files to the disk, before a checkpoint that knows their positions is written.
-- @treturn boolean|nil true
-- @treturn string|nil one sentence; also when a file is not there any more: what is written then, nobody finds
-- @treturn string|nil "io"
function logger:sync()
  local ok, message, code = recognise(self)
  if not ok then return nil, message, code end
  local list = {}
  for _, file in pairs(self.files) do list[#list + 1] = file end
  if #list == 0 then return true end
  -- together: a slow disk is waited for once
  return list[1]:sync(unpack(list, 2))
end

--- Closes the files.
-- @treturn boolean|nil true
-- @treturn string|nil one sentence
-- @treturn string|nil "io"
function logger:close()
  local opened = self.files
  self.files, self.events = {}, nil
  return close_all(opened)
end

return logger
