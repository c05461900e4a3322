-- Tensors that are written come back bit for bit, and whatever the disk does, no file is left half written.
local command = require "support.command"
local files = require "support.files"
local misuse = require "support.misuse"
local oracle = require "support.oracle"
local project = require "support.project"
local trpo = require "trpo"

local has_zip = pcall(require, "trpo.zip")
local scratch

setup(function() scratch = command.scratch() end)
teardown(function() command.remove(scratch) end)

local function path(name) return scratch .. "/" .. name end

local function sizes(t)
  local list = {}
  for d = 1, t:dim() do list[d] = t:size(d) end
  return list
end

local function assert_same(expected, got)
  assert.are.same(sizes(expected), sizes(got))
  assert.are.equal(oracle.bits(expected), oracle.bits(got))
  assert.is_true(got:is_contiguous())
end

-- one of every sort: what is special about it = the tensor
local function tensors()
  local rng = trpo.rng(24)
  local wide = trpo.randn(rng, 6, 8)
  return {
    special = trpo.tensor { 0, -0.0, 1 / 0, -1 / 0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
                            0.1, 1 / 3, 2 ^ 53, -2 ^ 53, 123456789.123456789 },
    one = trpo.tensor { { -1.5 } },
    empty = trpo.zeros(0),
    no_columns = trpo.zeros(3, 0, 2),
    matrix = trpo.randn(rng, 17, 5),
    eight = trpo.randn(rng, 2, 1, 3, 1, 2, 1, 1, 2),
    transposed = wide:t(),
    narrowed = wide:narrow(2, 3, 4):narrow(1, 2, 3),
    selected = wide:select(2, 5),
    expanded = trpo.randn(rng, 3, 1):expand(3, 4),
  }
end

describe("a .npy file", function()
  for name, t in pairs(tensors()) do
    it("gives back every bit: " .. name, function()
      assert.is_true(trpo.npy.write(path "t.npy", t))
      assert_same(t, assert(trpo.npy.read(path "t.npy")))
      assert_same(t, assert(trpo.npy.decode(trpo.npy.encode(t))))
    end)
  end

  it("begins its data at a multiple of 64 bytes", function()
    for n = 0, 3 do
      local bytes = trpo.npy.encode(trpo.zeros(n))
      assert.are.equal(0, (#bytes - 8 * n) % 64)
      assert.are.equal("\147NUMPY\1\0", bytes:sub(1, 8))
    end
  end)

  it("may hold one number without dimensions", function()
    local t = assert(trpo.npy.decode(files.npy(files.npy_header("<f8", "False", "()"), files.numbers { 2.5 })))
    assert.are.equal(0, t:dim())
    assert.are.equal(2.5, t:sum())
    local again = trpo.npy.decode(trpo.npy.encode(t))
    assert.are.same({ 0, 2.5 }, { again:dim(), again:sum() })
  end)

  it("is read in every version and of every kind of number", function()
    local list = { 0, 1, 1, 0, 1, 0 }
    for descr, ctype in pairs { ["<f8"] = "double", ["<f4"] = "float", ["<i8"] = "int64_t", ["<i4"] = "int32_t",
                                ["|u1"] = "uint8_t", ["|b1"] = "uint8_t" } do
      for version = 1, 3 do
        local bytes = files.npy(files.npy_header(descr, "False", "(2, 3)"), files.numbers(list, ctype), version)
        assert.are.same({ { 0, 1, 1 }, { 0, 1, 0 } }, assert(trpo.npy.decode(bytes)):totable())
      end
    end
  end)

  it("keeps the values that are special to each kind", function()
    local function values(descr, ctype, list)
      local shape = ("(%d,)"):format(#list)
      return oracle.bits(assert(trpo.npy.decode(files.npy(files.npy_header(descr, "False", shape),
        files.numbers(list, ctype)))))
    end
    assert.are.equal(oracle.bits { 2 ^ 53, -2 ^ 53, -1 }, values("<i8", "int64_t", { 2 ^ 53, -2 ^ 53, -1 }))
    assert.are.equal(oracle.bits { 2 ^ 31 - 1, -2 ^ 31, -1 }, values("<i4", "int32_t", { 2 ^ 31 - 1, -2 ^ 31, -1 }))
    assert.are.equal(oracle.bits { 255, 128 }, values("|u1", "uint8_t", { 255, 128 }))
    assert.are.equal(oracle.bits { -0.0, 1 / 0, 2 ^ -149, 0.5 }, values("<f4", "float", { -0.0, 1 / 0, 2 ^ -149, 0.5 }))
    local nan = trpo.npy.decode(files.npy(files.npy_header("<f8", "False", "(1,)"), files.numbers { 0 / 0 }))
    assert.is_true(nan[1] ~= nan[1])
  end)

  it("may hold its columns first", function()
    local header = files.npy_header("<f8", "True", "(2, 3)")
    local t = assert(trpo.npy.decode(files.npy(header, files.counted(6))))
    assert.are.same({ { 1, 3, 5 }, { 2, 4, 6 } }, t:totable())
    t = assert(trpo.npy.decode(files.npy(files.npy_header("<f8", "True", "(2, 2, 2)"), files.counted(8))))
    assert.are.same({ { { 1, 5 }, { 3, 7 } }, { { 2, 6 }, { 4, 8 } } }, t:totable())
  end)

  it("may order and quote the entries of its header otherwise", function()
    local header = [[{"shape":(2,),"fortran_order":False,"descr":"<f8"}]]
    assert.are.same({ 1, 2 }, assert(trpo.npy.decode(files.npy(header, files.counted(2)))):totable())
  end)
end)

describe("a .safetensors file", function()
  it("gives back every bit of all tensors", function()
    local written = tensors()
    assert.is_true(trpo.safetensors.write(path "t.safetensors", written))
    local read, metadata = assert(trpo.safetensors.read(path "t.safetensors"))
    assert.are.same({}, metadata)
    for name, t in pairs(written) do
      assert_same(t, read[name])
      read[name] = nil
    end
    assert.are.same({}, read)
  end)

  it("may be empty", function()
    assert.is_true(trpo.safetensors.write(path "empty.safetensors", {}))
    assert.are.equal("\8\0\0\0\0\0\0\0{}      ", command.read(path "empty.safetensors"))
    assert.are.same({}, trpo.safetensors.read(path "empty.safetensors"))
  end)

  it("keeps metadata and names, whatever characters they hold", function()
    local text = 'quote " slash \\ line\n tab\t bell\7 zero\0 é 中 \240\159\152\128'
    local metadata = { [text] = text, [""] = "", plain = "value" }
    assert.is_true(trpo.safetensors.write(path "m.safetensors", { [text] = trpo.ones(2) }, { metadata = metadata }))
    local read, notes = assert(trpo.safetensors.read(path "m.safetensors"))
    assert.are.same(metadata, notes)
    assert.are.same({ 1, 1 }, read[text]:totable())
  end)

  it("reads escapes and blanks of JSON, and fields in any order", function()
    local header = '{ "\\u0061\\u00e9\\ud83d\\ude00\\/" :\t{"shape": [ 1 ],\r\n"data_offsets":[0, 8], "dtype":"F64"} }   '
    local read = assert(trpo.safetensors.read((function()
      command.write(path "e.safetensors", files.safetensors(header, files.numbers { 7 }))
      return path "e.safetensors"
    end)()))
    assert.are.same({ 7 }, read["aé\240\159\152\128/"]:totable())
  end)

  it("is the same for the same contents, and begins its data at a multiple of 8 bytes", function()
    local names, forward, backward = {}, {}, {}
    for i = 1, 50 do names[i] = ("t%d"):format(i * 7919 % 101) end
    for i = 1, 50 do forward[names[i]] = trpo.full({ 2 }, i) end
    for i = 50, 1, -1 do backward[names[i]] = trpo.full({ 2 }, i) end
    assert(trpo.safetensors.write(path "a.safetensors", forward, { metadata = { a = "1", b = "2" } }))
    assert(trpo.safetensors.write(path "b.safetensors", backward, { metadata = { b = "2", a = "1" } }))
    local bytes = command.read(path "a.safetensors")
    assert.are.equal(bytes, command.read(path "b.safetensors"))
    assert.are.equal(0, bytes:byte(1) % 8)
  end)

  it("may be of single precision, which rounds", function()
    local t = trpo.tensor { 0.1, -0.0, 1 / 0, 16777217, 1e-50 }
    assert(trpo.safetensors.write(path "f.safetensors", { t = t }, { dtype = "F32" }))
    local rounded = { 0.100000001490116119384765625, -0.0, 1 / 0, 16777216, 0 }
    assert.are.equal(oracle.bits(rounded), oracle.bits(trpo.safetensors.read(path "f.safetensors").t))
    local ok, message, code = trpo.safetensors.write(path "f.safetensors", { w = trpo.tensor { 1, 1e39 } },
      { dtype = "F32" })
    assert.are.same({ nil, "not_finite" }, { ok, code })
    assert.is_truthy(message:find("the tensor 'w': a number is beyond the range of F32", 1, true), message)
    assert.is_not_nil(trpo.safetensors.read(path "f.safetensors").t)
  end)

  it("is read of every kind of number", function()
    for dtype, ctype in pairs { F64 = "double", F32 = "float", I64 = "int64_t", I32 = "int32_t", U8 = "uint8_t",
                                BOOL = "uint8_t" } do
      local data = files.numbers({ 1, 0, 1 }, ctype)
      command.write(path "k.safetensors", files.safetensors("{" .. files.entry("t", dtype, "3", 0, #data) .. "}", data))
      assert.are.same({ 1, 0, 1 }, assert(trpo.safetensors.read(path "k.safetensors")).t:totable())
    end
  end)
end)

describe("a .csv file", function()
  it("gives back every bit of a matrix and of a vector", function()
    local all = tensors()
    for _, name in ipairs { "matrix", "transposed", "narrowed", "expanded", "one" } do
      assert(trpo.csv.write(path "t.csv", all[name]))
      assert_same(all[name], (assert(trpo.csv.read(path "t.csv"))))
    end
    for _, name in ipairs { "special", "selected" } do
      assert(trpo.csv.write(path "t.csv", all[name]))
      assert_same(all[name]:contiguous():view(all[name]:size(1), 1), (assert(trpo.csv.read(path "t.csv"))))
    end
  end)

  it("spells what is not finite", function()
    assert(trpo.csv.write(path "n.csv", trpo.tensor { { 0 / 0, 1 / 0, -1 / 0 } }))
    assert.are.equal("nan,inf,-inf\n", command.read(path "n.csv"))
    local t = trpo.csv.read(path "n.csv")
    assert.is_true(t[1][1] ~= t[1][1] and t[1][2] == 1 / 0 and t[1][3] == -1 / 0)
  end)

  it("names its columns", function()
    local names = { "plain", "a, b", 'say "x"', " blanks ", "é", "\239\187\191mark" }
    local t = trpo.rand(trpo.rng(1), 2, 6)
    assert(trpo.csv.write(path "h.csv", t, { header = names }))
    local read, found = trpo.csv.read(path "h.csv", { header = true })
    assert_same(t, read)
    assert.are.same(names, found)
  end)

  it("may be separated by anything that is in no number", function()
    local t = trpo.rand(trpo.rng(2), 3, 2)
    for _, separator in ipairs { ";", "\t", " ", "|", ":" } do
      local options = { separator = separator, header = { "a", "b" .. separator .. "c" } }
      assert(trpo.csv.write(path "s.csv", t, options))
      local read, names = assert(trpo.csv.read(path "s.csv", { separator = separator, header = true }))
      assert_same(t, read)
      assert.are.same(options.header, names)
    end
  end)

  it("is read however others write it", function()
    local function read(text, options)
      command.write(path "o.csv", text)
      local t, names = assert(trpo.csv.read(path "o.csv", options))
      return t:totable(), names
    end
    assert.are.same({ { 1, 2 }, { 3, 4 } }, read "1,2\r\n3,4")
    assert.are.same({ { 1, -2.5 }, { 0.5, 4 } }, read "\239\187\191 +1 ,\t-25e-1\n.5, 4.\n")
    assert.are.same({ { 1 / 0, -1 / 0, 1e300 } }, read "Infinity,-INF,1E+300\n")
    local t, names = read('"x","y ""z"""\n1,2\n', { header = true })
    assert.are.same({ { { 1, 2 } }, { "x", 'y "z"' } }, { t, names })
    t, names = read("a,,\n", { header = true })
    assert.are.same({ {}, { "a", "", "" } }, { t, names })
    command.write(path "o.csv", "")
    t = trpo.csv.read(path "o.csv")
    assert.are.same({ 0, 0 }, { t:size(1), t:size(2) })
  end)

  it("does not follow the locale", function()
    local locale
    for _, name in ipairs { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8" } do
      locale = locale or os.setlocale(name, "numeric")
    end
    if not locale then return print "  skipped: no locale with a decimal comma is installed" end
    local ok, message = pcall(function()
      assert(trpo.csv.write(path "l.csv", trpo.tensor { { 1.5, 2 } }))
      assert.are.equal("1.5,2\n", command.read(path "l.csv"))
      assert.are.same({ { 1.5, 2 } }, trpo.csv.read(path "l.csv"):totable())
    end)
    os.setlocale("C", "numeric")
    assert(ok, message)
  end)
end)

describe("a .npz file", function()
  if not has_zip then return print "  skipped: trpo.zip was not built, there is no libzip" end

  for _, compress in ipairs { false, true } do
    it("gives back every bit of all tensors, " .. (compress and "deflated" or "stored"), function()
      local written = tensors()
      written["layer/weight"] = trpo.ones(2, 2)
      assert.is_true(trpo.npz.write(path "t.npz", written, { compress = compress }))
      local read = assert(trpo.npz.read(path "t.npz"))
      for name, t in pairs(written) do
        assert_same(t, read[name])
        read[name] = nil
      end
      assert.are.same({}, read)
    end)
  end

  it("may be empty, deflates, and is the same for the same contents", function()
    assert(trpo.npz.write(path "e.npz", {}))
    assert.are.same({}, trpo.npz.read(path "e.npz"))
    local zeros = { a = trpo.zeros(10000), b = trpo.zeros(3) }
    assert(trpo.npz.write(path "a.npz", zeros))
    assert(trpo.npz.write(path "b.npz", { b = zeros.b, a = zeros.a }))
    assert.are.equal(command.read(path "a.npz"), command.read(path "b.npz"))
    assert(trpo.npz.write(path "c.npz", zeros, { compress = true }))
    assert.is_true(#command.read(path "c.npz") < 2000 and #command.read(path "a.npz") > 80000)
  end)

  it("needs names that stay in their folder", function()
    for _, name in ipairs { "../up", "/root", "a/../../b", "a\\b", "c:", "a//b", "./a", "line\n" } do
      local ok, message, code = trpo.npz.write(path "bad.npz", { [name] = trpo.ones(1) })
      assert.are.same({ nil, "format" }, { ok, code })
      assert.is_truthy(message:find("its name is no plain relative path", 1, true), message)
    end
  end)
end)

describe("without the module trpo.zip", function()
  it("one sentence says what to install, and all else works", function()
    command.write(path "nozip.lua", [[
package.preload["trpo.zip"] = function() error "not there" end
local trpo = require "trpo"
local ok, message = pcall(trpo.npz.read, "x.npz")
assert(not ok and message:find("trpo.npz.read: the module trpo.zip is missing, install libzip (Debian: libzip-dev) "
  .. "and build trpo again", 1, true), message)
assert(trpo.npy.decode(trpo.npy.encode(trpo.ones(2))):sum() == 2)
]])
    local _, err, code = command.shell(scratch, "luajit nozip.lua")
    assert.are.equal(0, code, err)
  end)
end)

describe("saving and loading", function()
  it("go by the ending", function()
    local t = trpo.randn(trpo.rng(3), 2, 3)
    for _, name in ipairs { "x.npy", "x.csv", "X.NPY" } do
      assert.is_true(trpo.save(path(name), t))
      assert_same(t, (assert(trpo.load(path(name)))))
    end
    for _, name in ipairs { "x.safetensors", has_zip and "x.npz" or nil } do
      assert.is_true(trpo.save(path(name), { t = t }))
      assert_same(t, assert(trpo.load(path(name))).t)
    end
    assert.is_true(trpo.save(path "x.csv", t, { header = { "a", "b", "c" } }))
    assert.are.same({ "a", "b", "c" }, select(2, trpo.load(path "x.csv", { header = true })))
  end)

  it("still load scripts", function()
    command.write(path "script.lua", "return 42")
    assert.are.equal(42, trpo.load(path "script.lua"))
  end)
end)

describe("wrong arguments", function()
  local t = trpo.ones(2)
  misuse.each(it, {
    { "save to an unknown ending", trpo.save, { "x.txt", t },
      "trpo.save: path must end in .npy, .npz, .safetensors or .csv, got 'x.txt'" },
    { "save to no path", trpo.save, { nil, t }, "trpo.save: path must be a string, got nil" },
    { "an option of another format on saving", trpo.save, { path "o.npy", trpo.zeros(2), { compress = true } },
      "trpo.npy.write: unknown option 'compress', there are none" },
    { "an option of another format on loading", trpo.load, { path "o.npy", { header = true } },
      "trpo.npy.read: unknown option 'header', there are none" },
    { "an option of reading safetensors", trpo.load, { path "o.safetensors", { foo = 1 } },
      "trpo.safetensors.read: unknown option 'foo', there are none" },
    { "an option of reading npz", trpo.load, { path "o.npz", { foo = 1 } }, "trpo.npz.read: there are no options" },
    { "load from a number", trpo.load, { 5 }, "trpo.load: path must be a string, got number" },
    { "read no path", trpo.npy.read, {}, "trpo.npy.read: path must be a string, got nil" },
    { "read an empty path", trpo.npy.read, { "" }, "trpo.npy.read: path must not be the empty string" },
    { "read a path with a zero byte", trpo.csv.read, { "a\0b" }, "trpo.csv.read: path must not contain a zero byte" },
    { "write a table as .npy", trpo.npy.write, { "x.npy", { 1 } }, "trpo.npy.write: t must be a tensor, got a table" },
    { "encode a number", trpo.npy.encode, { 1 }, "trpo.npy.encode: t must be a tensor, got 1" },
    { "decode a number", trpo.npy.decode, { 1 }, "trpo.npy.decode: bytes must be a string, got 1" },
    { "write a tensor as .safetensors", trpo.safetensors.write, { "x", t },
      "trpo.safetensors.write: tensors must be a table from names to tensors, got a tensor [2]" },
    { "an empty name", trpo.safetensors.write, { "x", { [""] = t } }, "'' cannot be the name of a tensor" },
    { "a reserved name", trpo.safetensors.write, { "x", { __metadata__ = t } }, "'__metadata__' cannot be the name" },
    { "a name that is a number", trpo.safetensors.write, { "x", { t } }, "names must be strings, got 1" },
    { "a name that is no UTF-8", trpo.safetensors.write, { "x", { ["\255"] = t } }, "names must be UTF-8" },
    { "a value that is no tensor", trpo.safetensors.write, { "x", { a = 1 } }, "'a' must be a tensor, got 1" },
    { "an unknown dtype", trpo.safetensors.write, { "x", {}, { dtype = "F16" } },
      "dtype must be 'F64' or 'F32', got the string 'F16'" },
    { "an unknown option", trpo.safetensors.write, { "x", {}, { dtyp = "F32" } }, "did you mean 'dtype'?" },
    { "metadata that is text", trpo.safetensors.write, { "x", {}, { metadata = "a" } },
      "metadata must be a table of strings" },
    { "metadata with numbers", trpo.safetensors.write, { "x", {}, { metadata = { a = 1 } } },
      "metadata's values must be strings, got 1" },
    { "options that are no table", trpo.csv.read, { "x", 1 }, "trpo.csv.read: options must be a table, got 1" },
    { "a separator of two characters", trpo.csv.read, { "x", { separator = ",," } }, "separator must be one character" },
    { "a separator that is in numbers", trpo.csv.read, { "x", { separator = "." } }, "separator must be one character" },
    { "a header that is no boolean", trpo.csv.read, { "x", { header = 1 } }, "header" },
    { "three dimensions as .csv", trpo.csv.write, { "x", trpo.ones(1, 1, 1) },
      "t must have size [N] or [N, M] with M > 0, got [1, 1, 1]" },
    { "no columns as .csv", trpo.csv.write, { "x", trpo.ones(1, 0) }, "with M > 0, got [1, 0]" },
    { "too few names of columns", trpo.csv.write, { "x", trpo.ones(1, 2), { header = { "a" } } },
      "header must be a list of 2 names, got 1" },
    { "a name of a column that has a line end", trpo.csv.write, { "x", t, { header = { "a\n" } } },
      "header must hold strings of one line that are not empty, name 1 is none" },
    { "a name of a column that is a number", trpo.csv.write, { "x", t, { header = { 1 } } }, "name 1 is 1" },
    { "bytes that are no string", trpo.file.write, { "x", 1 }, "trpo.file.write: bytes must be a string, got 1" },
    { "an option of that name there is none", trpo.file.write, { "x", "y", { sinc = false } }, "trpo.file.write: unknown option 'sinc'" },
    { "an option that is no boolean", trpo.file.write, { "x", "y", { sync = 1 } }, "trpo.file.write: sync must be true or false, got 1" },
  })
  if has_zip then
    misuse.each(it, {
      { "a tensor as .npz", trpo.npz.write, { "x", t }, "trpo.npz.write: tensors must be a table" },
      { "an empty name in .npz", trpo.npz.write, { "x", { [""] = t } }, "names must be strings that are not empty" },
      { "a number in .npz", trpo.npz.write, { "x", { a = 1 } }, "trpo.npz.write: 'a' must be a tensor, got number" },
      { "an unknown option of .npz", trpo.npz.write, { "x", {}, { fast = true } }, "unknown option 'fast'" },
    })
  end
end)

describe("the file system", function()
  local function refused(expected_code, text, ...)
    local value, message, code = ...
    assert.is_nil(value)
    assert.are.equal(expected_code, code)
    assert.is_truthy(message:find(text, 1, true), message)
    assert.is_falsy(message:find "\n", message)
  end

  local readers = { trpo.npy.read, trpo.safetensors.read, trpo.csv.read, trpo.file.read, has_zip and trpo.npz.read }

  it("may lack the file, or have a folder or a device in its place", function()
    for _, read in ipairs(readers) do
      refused("no_file", ("cannot read '%s': No such file or directory"):format(path "none"), read(path "none"))
      refused("no_file", "Not a directory", read "/dev/null/x")
      refused("io", ("cannot read '%s': it is a directory"):format(scratch), read(scratch))
      refused("io", "it is not a regular file", read "/dev/zero")
    end
    project.lines("mkfifo " .. project.quoted(path "pipe"))
    refused("io", "it is not a regular file", trpo.npy.read(path "pipe"))
  end)

  it("refuses what cannot be written, and says why", function()
    local t = trpo.ones(2)
    refused("no_file", ("cannot write '%s': No such file or directory"):format(path "none/x.npy"),
      trpo.npy.write(path "none/x.npy", t))
    refused("io", "it is a directory", trpo.npy.write(scratch, t))
    refused("io", "it is not a regular file", trpo.csv.write("/dev/full", t))
    refused("io", "File name too long", trpo.npy.write(path(("x"):rep(252)), t))
  end)

  it("has files that are too large", function()
    project.lines("truncate -s 70000000000 " .. project.quoted(path "huge"))
    refused("too_large", "it has 70000000000 bytes, more than the 68719476736 that are allowed", trpo.npy.read(path "huge"))
    refused("too_large", "more than the 2147483392 that are allowed", trpo.file.read(path "huge"))
  end)

  it("keeps an old file's permissions and follows a link to it", function()
    command.write(path "old.npy", "old")
    project.lines(("cd %s && chmod 640 old.npy && ln -s old.npy link.npy"):format(project.quoted(scratch)))
    assert(trpo.npy.write(path "link.npy", trpo.ones(1)))
    local found = project.lines(("cd %s && stat -c %%a old.npy && readlink link.npy"):format(project.quoted(scratch)))
    assert.are.same({ "640", "old.npy" }, found)
    assert.are.equal(1, trpo.npy.read(path "old.npy")[1])
  end)

  -- Runs a script of Lua in a shell that has been prepared, in a folder of its own.
  local function under(prepare, script)
    local folder = path "limited"
    command.remove(folder)
    project.lines("mkdir -m 777 " .. project.quoted(folder))
    command.write(folder .. "/limited.lua", "local trpo = require 'trpo'\n" .. script)
    local out, err, code = command.shell(folder, prepare)
    return out .. err, code, folder
  end

  local fill = [[
assert(trpo.npy.write("full/x.npy", trpo.full({ 3 }, 7)))
local big = trpo.zeros(100000)
for _, write in ipairs { trpo.npy.write, trpo.csv.write, function(p, t) return trpo.safetensors.write(p, { t = t }) end } do
  local ok, message, code = write("full/x.npy", big)
  assert(ok == nil and code == "io" and message:find(WHY, 1, true), message)
  assert(trpo.npy.read("full/x.npy"):sum() == 21)
end
io.write "whole"
]]

  it("may be full: the old file stays whole and nothing else is left", function()
    -- a limit on the size of files fails as a full disk does, half-way through a write
    local script = fill:gsub("WHY", "'File too large'")
    local output, _, folder = under("mkdir full; trap '' XFSZ; ulimit -f 64; luajit limited.lua", script)
    assert.are.equal("whole", output)
    assert.are.same({ "x.npy" }, project.lines("ls -A " .. project.quoted(folder .. "/full")))
  end)

  it("may be really full", function()
    local mounts = "unshare -rm sh -c 'mkdir full && mount -t tmpfs -o size=64k none full"
    if select(2, under(mounts .. "'", "")) ~= 0 then
      return print "  skipped: a small file system cannot be mounted here"
    end
    local script = fill:gsub("WHY", "'No space left on device'")
    local output = under(mounts .. " && luajit limited.lua && ls -A full'", script)
    assert.are.equal("wholex.npy\n", output)
  end)

  it("may deny permission", function()
    -- root may do everything, so it becomes somebody else
    local root = project.lines "id -u"[1] == "0"
    local luajit = root and "chmod 711 .. && setpriv --reuid=65534 --regid=65534 --clear-groups luajit" or "luajit"
    if select(2, under(luajit .. " limited.lua", "")) ~= 0 then
      return print "  skipped: somebody else cannot load the module here"
    end
    local output = under("mkdir -m 500 shut; echo x >secret; chmod 0 secret; " .. luajit .. " limited.lua", [[
local _, message, code = trpo.npy.read "secret"
assert(code == "io" and message == "cannot read 'secret': Permission denied", message)
_, message, code = trpo.npy.write("shut/x.npy", trpo.ones(1))
assert(code == "io" and message == "cannot write 'shut/x.npy': Permission denied", message)
io.write "denied"]])
    assert.are.equal("denied", output)
  end)
end)
