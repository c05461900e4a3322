--- Several tensors in one `.npz` file: a ZIP archive of `.npy` files, as NumPy's `savez` writes it.
--
-- Archives are handled by libzip, in the module `trpo.zip`, which is built when libzip is there and loaded when it is
-- first needed. Entries that are encrypted, leave their folder, overlap, or unpack to more than 1 GiB each or 4 GiB
-- together are refused before anything is unpacked.
-- @module trpo.npz
local core = require "trpo.core"

local npz = {}

local Tensor = getmetatable(core.zeros(1))

-- the optional module, loaded on demand
local function zip(what)
  local ok, module = pcall(require, "trpo.zip")
  if ok then return module end
  error(what .. ": the module trpo.zip is missing, install libzip (Debian: libzip-dev) and build trpo again", 3)
end

local function check_path(what, path)
  if type(path) ~= "string" then error(("%s: path must be a string, got %s"):format(what, type(path)), 3) end
end

-- whether the elements of a .npy file are truths
local function is_boolean(bytes) return bytes:sub(1, 256):find("'descr': *'[|<>=]?b1'") ~= nil end

-- the key and the tensor of entry i of an archive, and whether it holds truths
local function read_entry(archive, i, name, path)
  local key = name:match "^(.+)%.npy$"
  if not key then return nil, ("cannot read '%s': the entry '%s' is no .npy file"):format(path, name), "format" end
  local bytes, why, code = archive:read(i)
  if not bytes then return nil, ("cannot read '%s': %s"):format(path, why), code end
  local tensor, message
  tensor, message, code = core.npy.decode(bytes, ("'%s', entry '%s'"):format(path, name))
  if not tensor then return nil, message, code end
  return key, tensor, is_boolean(bytes)
end

--- Reads all tensors of an archive.
-- @function trpo.npz.read
-- @tparam string path
-- @treturn[1] {[string]=Tensor,...} by the entries' names without `.npy`
-- @treturn[1] {[string]=boolean,...} true for entries of truths (NumPy's `bool`), which are 0 and 1 in the tensor
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "no_file", "io", "format", "too_large", "no_memory"
-- @raise when the module `trpo.zip` is missing
function npz.read(path, options)
  local what = "trpo.npz.read"
  check_path(what, path)
  if options ~= nil and (type(options) ~= "table" or next(options) ~= nil) then
    error(what .. ": there are no options", 2)
  end
  local unpacker = zip(what)
  local bytes, message, code = core.file.read(path)
  if not bytes then return nil, message, code end
  local archive, why
  archive, why, code = unpacker.open(bytes)
  if not archive then return nil, ("cannot read '%s': %s"):format(path, why), code end
  local tensors, truths = {}, {}
  for i, name in ipairs(archive:names()) do
    local key, tensor, last = read_entry(archive, i, name, path)
    if not key then
      archive:close()
      return nil, tensor, last
    end
    tensors[key], truths[key] = tensor, last or nil
  end
  archive:close()
  return tensors, truths
end

-- names in order, so that the same tensors give the same bytes
local function sorted_names(what, tensors)
  if type(tensors) ~= "table" then
    error(("%s: tensors must be a table from names to tensors, got %s"):format(what, type(tensors)), 3)
  end
  local names = {}
  for name, tensor in pairs(tensors) do
    if type(name) ~= "string" or name == "" then
      error(("%s: names must be strings that are not empty, got %s"):format(what, name == "" and "''" or type(name)), 3)
    end
    if type(tensor) ~= "userdata" or getmetatable(tensor) ~= Tensor then
      error(("%s: '%s' must be a tensor, got %s"):format(what, name, type(tensor)), 3)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function check_options(what, options)
  if options == nil then return {} end
  if type(options) ~= "table" then error(("%s: options must be a table, got %s"):format(what, type(options)), 3) end
  for key, value in pairs(options) do
    if key ~= "compress" then error(("%s: unknown option '%s'"):format(what, tostring(key)), 3) end
    if type(value) ~= "boolean" then
      error(("%s: compress must be true or false, got %s"):format(what, type(value)), 3)
    end
  end
  return options
end

--- Writes tensors to an archive, whole or not at all. The same tensors give the same bytes.
-- @function trpo.npz.write
-- @tparam string path
-- @tparam {[string]=Tensor,...} tensors names are relative paths without `..`
-- @tparam[opt] table options `compress`: whether to deflate the entries (default false)
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] string code: "no_file", "io", "format" (a name), "no_memory"
-- @raise when the module `trpo.zip` is missing
function npz.write(path, tensors, options)
  local what = "trpo.npz.write"
  check_path(what, path)
  options = check_options(what, options)
  local entries = {}
  for i, name in ipairs(sorted_names(what, tensors)) do
    entries[i] = { name .. ".npy", core.npy.encode(tensors[name]) }
  end
  local bytes, why, code = zip(what).pack(entries, options.compress)
  if not bytes then return nil, ("cannot write '%s': %s"):format(path, why), code end
  return core.file.write(path, bytes)
end

return npz
