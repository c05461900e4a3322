-- Files from NumPy and the safetensors package are read bit for bit, and they read ours.
-- TRPO_PYTHON names the interpreter that has the two, python3 otherwise; without them these specs are skipped.
local command = require "support.command"
local project = require "support.project"
local trpo = require "trpo"

local python = project.quoted(os.getenv "TRPO_PYTHON" or "python3")
local has_zip = pcall(require, "trpo.zip")
local scratch

local function has(modules)
  return select(2, project.run(("%s -c 'import %s'"):format(python, modules))) == 0
end

setup(function() scratch = command.scratch() end)
teardown(function() command.remove(scratch) end)

local function path(name) return scratch .. "/" .. name end

-- runs Python in the scratch folder; it must succeed. What it prints is returned.
local function run(script)
  command.write(path "script.py", "import sys, numpy as np\n" .. script)
  local out, err, code = command.shell(scratch, python .. " script.py")
  assert(code == 0, err)
  return out
end

-- arrays of all sorts, by name; every second run of bits of a double but NaN, for the bits to be told apart
local arrays = [==[
rng = np.random.default_rng(27)
bits = rng.integers(0, 2**64, 4000, dtype=np.uint64).view('f8')
arrays = {
  'bits': bits[~np.isnan(bits)],
  'special': np.array([0.0, -0.0, np.inf, -np.inf, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.1]),
  'matrix': rng.standard_normal((7, 5)),
  'fortran': np.asfortranarray(rng.standard_normal((3, 4, 5))),
  'single': rng.standard_normal((2, 3)).astype('f4'),
  'single_fortran': np.asfortranarray(rng.standard_normal((2, 3)).astype('f4')),
  'long': np.array([[2**53, -2**53, 0, 1, -1]]),
  'int': np.array([2**31 - 1, -2**31, 7], dtype='i4'),
  'bytes': np.arange(256, dtype='u1').reshape(16, 16),
  'truth': np.array([[True, False], [False, True]]),
  'scalar': np.array(3.25),
  'empty': np.zeros((0, 4)),
  'eight': rng.standard_normal((1, 2, 1, 3, 1, 2, 1, 2)),
}
def same(a, b):
  a = np.ascontiguousarray(np.asarray(a, dtype='f8')); b = np.ascontiguousarray(b)
  return b.dtype == np.dtype('<f8') and a.shape == b.shape and a.tobytes() == b.tobytes()
def check(found):
  assert sorted(found) == sorted(arrays), sorted(found)
  for name, a in arrays.items():
    assert same(a, found[name].reshape(a.shape)), name
    assert found[name].shape == a.shape, (name, found[name].shape)
]==]

local names = { "bits", "special", "matrix", "fortran", "single", "single_fortran", "long", "int", "bytes", "truth",
                "scalar", "empty", "eight" }

describe("NumPy #python", function()
  if not has "numpy" then return print "  skipped: no NumPy, TRPO_PYTHON may name an interpreter that has it" end

  it("writes .npy files that are read, and reads ours, bit for bit", function()
    run(arrays .. "for name, a in arrays.items(): np.save(name + '.npy', a)")
    for _, name in ipairs(names) do
      assert(trpo.npy.write(path("our-" .. name .. ".npy"), assert(trpo.npy.read(path(name .. ".npy")))))
    end
    run(arrays .. "check({name: np.load('our-' + name + '.npy') for name in arrays})")
  end)

  it("writes the same bytes as we do", function()
    run(arrays .. [[
for name in ['bits', 'special', 'matrix', 'scalar', 'empty', 'eight']:
  assert open(name + '.npy', 'rb').read() == open('our-' + name + '.npy', 'rb').read(), name]])
  end)

  it("writes versions 2 and 3, which are read", function()
    run [[
for version in (2, 3):
  with open('v%d.npy' % version, 'wb') as f: np.lib.format.write_array(f, np.arange(6.).reshape(2, 3), (version, 0))]]
    for version = 2, 3 do
      assert.are.same({ { 0, 1, 2 }, { 3, 4, 5 } }, assert(trpo.npy.read(path("v" .. version .. ".npy"))):totable())
    end
  end)

  it("writes what is refused: objects, records, text, complex and big-endian numbers, large integers", function()
    run [[
np.save('object.npy', np.array([{}], dtype=object), allow_pickle=True)
np.save('record.npy', np.zeros(2, dtype=[('a', '<f8'), ('b', '<i4')]))
np.save('text.npy', np.array(['a'])); np.save('complex.npy', np.array([1j]))
np.save('big.npy', np.array([1.0], dtype='>f8')); np.save('large.npy', np.array([2**53 + 1]))]]
    for name, text in pairs { object = "pickled Python objects", record = "its elements are records", text = "'<U1'",
                              complex = "'<c16'", big = "big-endian", large = "an integer beyond 2^53" } do
      local value, message, code = trpo.npy.read(path(name .. ".npy"))
      assert.are.same({ nil, "format" }, { value, code })
      assert.is_truthy(message:find(text, 1, true), message)
    end
  end)

  it("writes .npz files that are read, and reads ours, bit for bit", function()
    if not has_zip then return print "  skipped: trpo.zip was not built, there is no libzip" end
    run(arrays .. "np.savez('stored.npz', **arrays); np.savez_compressed('deflated.npz', **arrays)")
    for _, name in ipairs { "stored", "deflated" } do
      local read = assert(trpo.npz.read(path(name .. ".npz")))
      assert(trpo.npz.write(path("our-" .. name .. ".npz"), read, { compress = name == "deflated" }))
    end
    run(arrays .. "check(np.load('our-stored.npz')); check(np.load('our-deflated.npz'))")
    run "np.savez('none.npz')"
    assert.are.same({}, trpo.npz.read(path "none.npz"))
  end)

  it("reads and writes .csv files, bit for bit", function()
    run(arrays .. [[
np.savetxt('bits.csv', arrays['bits'].reshape(-1, 1), delimiter=',', fmt='%.17g')
np.savetxt('matrix.csv', arrays['matrix'], delimiter=',', header='a,b,c,d,e', comments='')]])
    local bits = assert(trpo.csv.read(path "bits.csv"))
    local matrix, columns = assert(trpo.csv.read(path "matrix.csv", { header = true }))
    assert.are.same({ "a", "b", "c", "d", "e" }, columns)
    assert(trpo.csv.write(path "our-bits.csv", bits))
    assert(trpo.csv.write(path "our-matrix.csv", matrix))
    run(arrays .. [[
assert same(arrays['bits'], np.loadtxt('our-bits.csv', delimiter=','))
assert same(arrays['matrix'], np.loadtxt('our-matrix.csv', delimiter=','))]])
  end)
end)

describe("the safetensors package #python", function()
  if not has "numpy, safetensors.numpy" then
    return print "  skipped: no safetensors, TRPO_PYTHON may name an interpreter that has it"
  end
  local imports = "from safetensors.numpy import save_file, load_file\nfrom safetensors import safe_open\n"

  it("writes files that are read, and reads ours, bit for bit", function()
    run(imports .. arrays .. [[
save_file({k: np.ascontiguousarray(a).reshape(a.shape) for k, a in arrays.items()}, 't.safetensors',
          {'format': 'np', 'quote "é"\n': '\t\\'})]])
    local read, metadata = assert(trpo.safetensors.read(path "t.safetensors"))
    assert.are.same({ format = "np", ['quote "é"\n'] = "\t\\" }, metadata)
    assert(trpo.safetensors.write(path "our.safetensors", read, { metadata = metadata }))
    run(imports .. arrays .. [[
check(load_file('our.safetensors'))
with safe_open('our.safetensors', 'np') as f: assert f.metadata() == {'format': 'np', 'quote "é"\n': '\t\\'}]])
  end)

  it("writes the same bytes as we do", function()
    run(imports .. [[
save_file({'b': np.arange(6.).reshape(2, 3), 'a\n"': np.zeros((0, 2)), 'c': np.array(1.5)}, 'same.safetensors', {'k': 'v'})
save_file({'w': np.arange(3, dtype='f4')}, 'single.safetensors')]])
    for name, options in pairs { same = { metadata = { k = "v" } }, single = { dtype = "F32" } } do
      local read = assert(trpo.safetensors.read(path(name .. ".safetensors")))
      assert(trpo.safetensors.write(path("our-" .. name .. ".safetensors"), read, options))
      assert.are.equal(command.read(path(name .. ".safetensors")), command.read(path("our-" .. name .. ".safetensors")))
    end
  end)

  it("writes kinds that are not read, which are named", function()
    run(imports .. "save_file({'half': np.zeros(2, dtype='f2')}, 'half.safetensors')")
    local _, message, code = trpo.safetensors.read(path "half.safetensors")
    assert.are.equal("format", code)
    assert.is_truthy(message:find("the tensor 'half': its dtype 'F16' is none of", 1, true), message)
  end)
end)
