--- What comes out of a checkpoint. Nothing of it is trusted.
-- @module trpo.checkpoint.reader
local core = require "trpo.core"
local json = require "trpo.json"
local older = require "trpo.checkpoint.older"
local pack = require "trpo.pack"
local writer = require "trpo.checkpoint.writer"

local reader = {}

--- Ends an interpretation that `reader.guard` runs.
-- @tparam string message clause about the file
-- @tparam[opt="format"] string code
-- @raise always
function reader.refuse(message, code) error({ message = message, code = code or "format" }, 0) end

local refuse = reader.refuse

--- Runs a function; what it refuses is returned.
-- @tparam string path of the file, for the message
-- @tparam function f
-- @param ... its arguments
-- @return what it returned, or nil, message, code
function reader.guard(path, f, ...)
  local ok, result = pcall(f, ...)
  if ok then return result end
  if type(result) ~= "table" or not result.message then error(result, 0) end
  return nil, ("cannot read '%s': %s"):format(path, result.message), result.code
end

-- the field of a table, which must be of a type
local function field(t, name, kind)
  local value = t[name]
  if type(value) ~= kind then
    refuse(("its '%s' is %s"):format(name, value == nil and "missing" or "of a wrong type"))
  end
  return value
end

local function unpacked(t, name, tensors, kind)
  local value, message = pack.decode(t[name], tensors)
  if message then refuse(("its '%s' cannot be read: %s"):format(name, message)) end
  return field({ [name] = value }, name, kind)
end

-- the JSON of the metadata, once version and checksum are right
local function read_body(notes)
  local version = tonumber(notes.format and notes.format:match "^%d+$")
  if not version or not notes.trpo or not notes.checksum then refuse "it is not a checkpoint of trpo" end
  if version > writer.format then
    refuse(("a newer version of trpo wrote it, in format %.0f; this one reads format %d")
      :format(version, writer.format), "version")
  end
  if version ~= writer.format then refuse(("its format %s is unknown"):format(notes.format)) end
  if core.file.checksum(notes.trpo) ~= notes.checksum then
    refuse "it is damaged: its metadata have another checksum"
  end
  local body, message = json.decode(notes.trpo)
  if type(body) ~= "table" then refuse("its metadata are " .. (message or "no object")) end
  return body
end

local function check_sums(tensors, sums)
  for name in pairs(sums) do
    if not tensors[name] then refuse(("it is damaged: '%s' is missing"):format(tostring(name))) end
  end
  for name, tensor in pairs(tensors) do
    if core.file.checksum(tensor) ~= sums[name] then
      refuse(("it is damaged: '%s' has another checksum"):format(name))
    end
  end
end

local function read_space(body, name, tensors)
  local described = field(body, name, "table")
  local ok, space
  if described.kind == "discrete" then
    ok, space = pcall(core.space_discrete, described.n)
  else
    local low, high = tensors[name .. ".low"], tensors[name .. ".high"]
    if not low or not high then refuse(("the bounds of its '%s' are missing"):format(name)) end
    ok, space = pcall(core.space_box, low:nelement(), low:view(-1):totable(), high:view(-1):totable())
  end
  return ok and space or refuse(("its '%s' is no space"):format(name))
end

local function read_env(body, tensors)
  local env = field(body, "env", "table")
  return {
    id = unpacked(env, "id", tensors, "string"), time_limit = field(env, "time_limit", "number"),
    lanes = field(env, "lanes", "number"),
  }
end

-- lists of what each lane keeps, false for lanes that never began; nil when the environment is not written in Lua
local function read_states(body, tensors)
  if body.states == nil then return nil end
  local packed, states = field(body, "states", "table"), {}
  for lane = 1, #packed do
    states[lane] = packed[lane] and unpacked(packed, lane, tensors, "table")
  end
  if #states ~= body.env.lanes then refuse "its 'states' are not those of its lanes" end
  return states
end

--- What a file says.
-- @tparam {[string]=Tensor,...} tensors
-- @tparam {[string]=string,...} notes its metadata
-- @treturn table saved, see `trpo.checkpoint.load`
function reader.interpret(tensors, notes)
  local body = read_body(notes)
  check_sums(tensors, field(body, "checksums", "table"))
  return {
    tensors = tensors, config = older.config(field(body, "config", "table")),
    system = field(body, "system", "table"), exact = field(body, "exact", "boolean"),
    counters = unpacked(body, "counters", tensors, "table"),
    env = read_env(body, tensors), states = read_states(body, tensors),
    observation = read_space(body, "observation", tensors), action = read_space(body, "action", tensors),
    policy = field(body, "policy", "table"),
    value = body.value and older.critic(field(body, "value", "table")) or false,
  }
end

--- The tensors whose names begin with a prefix, by the rest of their names.
-- @tparam {[string]=Tensor,...} tensors
-- @tparam string prefix
-- @treturn {[string]=Tensor,...}
function reader.part(tensors, prefix)
  local out = {}
  for name, tensor in pairs(tensors) do
    if name:sub(1, #prefix) == prefix then out[name:sub(#prefix + 1)] = tensor end
  end
  return out
end

return reader
