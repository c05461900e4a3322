/***
Tensors in files: `.npy`, `.safetensors` and comma-separated values.

A file is written whole or not at all: the old one stays as it is until the new one is complete and on the disk. A
file that is read is not trusted: sizes are checked against the file's before any memory is taken, and nothing that
a file holds is ever run. Wrong arguments raise; what is wrong with a file is returned as `nil`, a message that names
the file, and a code: "no_file", "io" (a directory, no permission, a full disk), "format", "too_large" (more than
64 GiB), "no_memory".
@module trpo.files
*/
#include "lua/l_files.h"

#include <lauxlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/utf8.h"
#include "lua/l_check.h"
#include "lua/l_checksum.h"
#include "lua/l_csv.h"
#include "lua/l_tensor.h"
#include "tensor/npy.h"
#include "tensor/safetensors.h"

const char *const l_files_bytes = "trpo.Bytes";
static const char *const BUNDLE = "trpo.Bundle";

/* what a Lua string can hold */
static const size_t LONGEST_STRING = 0x7fffff00;

/* --- what all share -------------------------------------------------------------------------------------- */

/* bytes, bundles and tables under way are userdata, so that an error does not leak them */

static int l_files_free_bytes(lua_State *L) {
  bytes_free(lua_touserdata(L, 1));
  return 0;
}

static int l_files_free_bundle(lua_State *L) {
  bundle_free(lua_touserdata(L, 1));
  return 0;
}

void *l_files_push_owner(lua_State *L, const char *type, size_t bytes) {
  void *owner = lua_newuserdata(L, bytes);
  memset(owner, 0, bytes);
  luaL_getmetatable(L, type);
  lua_setmetatable(L, -2);
  return owner;
}

void l_files_register_owner(lua_State *L, const char *type, lua_CFunction gc) {
  luaL_newmetatable(L, type);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

const char *l_files_check_path(lua_State *L, const char *what) {
  size_t n;
  if (lua_type(L, 1) != LUA_TSTRING) {
    l_fail(L, what, "path must be a string, got %s", l_describe(L, 1));
  }
  const char *path = lua_tolstring(L, 1, &n);
  if (n == 0 || strlen(path) != n) {
    l_fail(L, what, "path must %s", n == 0 ? "not be the empty string" : "not contain a zero byte");
  }
  return path;
}

/* formats that take none: a misspelt or misplaced option is an error all the same */
static const char *const NO_OPTIONS[] = {NULL};

/* the options at arg as a table, perhaps an empty one; arg is the last argument */
void l_files_check_options(lua_State *L, int arg, const char *what, const char *const *keys) {
  lua_settop(L, arg);
  if (lua_isnil(L, arg)) {
    lua_newtable(L);
    lua_replace(L, arg);
  }
  if (!lua_istable(L, arg)) {
    l_fail(L, what, "options must be a table, got %s", l_describe(L, arg));
  }
  l_known_keys(L, arg, what, keys);
}

/* nil, "cannot read 'path': why", code */
int l_files_report(lua_State *L, const char *verb, const char *path, Status status,
                   const Fault *fault) {
  lua_pushnil(L);
  lua_pushfstring(L, "cannot %s '%s': %s", verb, path, fault->text);
  lua_pushstring(L, status_name(status));
  return 3;
}

/* a file's bytes, owned by the tensor that this pushes, whose buffer they are */
Status l_files_read_file(lua_State *L, Tensor **owner, const char *path, Fault *fault) {
  *owner = l_tensor_push_empty(L);
  return file_read(&(*owner)->storage, path, FILE_LIMIT, fault);
}

/* writes what was encoded, frees it, and returns what the Lua function returns */
int l_files_write_file(lua_State *L, const char *path, Bytes *bytes, Status status, Fault *fault) {
  if (status == OK) {
    status = file_write(path, bytes_data(bytes), bytes->count, FILE_SYNCED, fault);
  }
  bytes_free(bytes);
  if (status != OK) {
    return l_files_report(L, "write", path, status, fault);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* --- bytes ----------------------------------------------------------------------------------------------- */

/***
The bytes of a regular file.
@function trpo.file.read
@tparam string path
@treturn[1] string
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code
*/
static int l_files_read(lua_State *L) {
  const char *path = l_files_check_path(L, "trpo.file.read");
  Fault fault = {0};
  Tensor *file = l_tensor_push_empty(L);
  Status status = file_read(&file->storage, path, LONGEST_STRING, &fault);
  if (status != OK) {
    return l_files_report(L, "read", path, status, &fault);
  }
  lua_pushlstring(L, file->storage->data, file->storage->bytes);
  tensor_free(file);
  return 1;
}

/***
Writes a file, whole or not at all: a temporary file in the same folder is synced and then renamed.
@function trpo.file.write
@tparam string path
@tparam string bytes
@tparam[opt] table options `sync` (default true; false leaves it to the system when the file reaches the disk: after a crash
 of the machine it may be empty)
@treturn[1] boolean true
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code
*/
static int l_files_write(lua_State *L) {
  static const char *const keys[] = {"sync", NULL};
  const char *what = "trpo.file.write";
  const char *path = l_files_check_path(L, what);
  size_t n;
  Fault fault = {0};
  if (lua_type(L, 2) != LUA_TSTRING) {
    l_fail(L, what, "bytes must be a string, got %s", l_describe(L, 2));
  }
  const char *data = lua_tolstring(L, 2, &n);
  l_files_check_options(L, 3, what, keys);
  FileSync sync = l_field_boolean(L, 3, what, "sync", 1) ? FILE_SYNCED : FILE_LAZY;
  Status status = file_write(path, data, n, sync, &fault);
  if (status != OK) {
    return l_files_report(L, "write", path, status, &fault);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* --- npy ------------------------------------------------------------------------------------------------- */

/***
Reads a tensor from a `.npy` file: versions 1 to 3, little-endian f8 f4 i8 i4 u1 b1, rows or columns first.
Integers beyond 2^53, which a tensor cannot hold, are refused, and so are pickled objects.
@function trpo.npy.read
@tparam string path
@treturn[1] Tensor
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code
*/
static int l_files_npy_read(lua_State *L) {
  const char *path = l_files_check_path(L, "trpo.npy.read");
  l_files_check_options(L, 2, "trpo.npy.read", NO_OPTIONS);
  Fault fault = {0};
  Tensor *file;
  Status status = l_files_read_file(L, &file, path, &fault);
  Tensor *t = l_tensor_push_empty(L);
  if (status == OK) {
    status = npy_decode(t, file->storage->data, file->storage->bytes, &fault);
  }
  tensor_free(file);
  if (status != OK) {
    return l_files_report(L, "read", path, status, &fault);
  }
  l_nudge(L);
  return 1;
}

/***
Writes a tensor to a `.npy` file, as NumPy does: version 1, '<f8', rows first.
@function trpo.npy.write
@tparam string path
@tparam Tensor t
@treturn[1] boolean true
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code
*/
static int l_files_npy_write(lua_State *L) {
  const char *what = "trpo.npy.write";
  const char *path = l_files_check_path(L, what);
  const Tensor *t = l_tensor_check(L, 2, what, "t");
  l_files_check_options(L, 3, what, NO_OPTIONS);
  Fault fault = {0};
  Bytes *bytes = l_files_push_owner(L, l_files_bytes, sizeof *bytes);
  Status status = npy_encode(bytes, t, &fault);
  return l_files_write_file(L, path, bytes, status, &fault);
}

/***
Reads a tensor from the bytes of a `.npy` file.
@function trpo.npy.decode
@tparam string bytes
@tparam[opt="the bytes"] string place what the message is to call them
@treturn[1] Tensor
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code
*/
static int l_files_npy_decode(lua_State *L) {
  const char *what = "trpo.npy.decode";
  size_t n;
  Fault fault = {0};
  if (lua_type(L, 1) != LUA_TSTRING) {
    l_fail(L, what, "bytes must be a string, got %s", l_describe(L, 1));
  }
  const char *data = lua_tolstring(L, 1, &n);
  const char *place = luaL_optstring(L, 2, "the bytes");
  Status status = npy_decode(l_tensor_push_empty(L), data, n, &fault);
  if (status == OK) {
    l_nudge(L);
    return 1;
  }
  lua_pushnil(L);
  lua_pushfstring(L, "cannot read %s: %s", place, fault.text);
  lua_pushstring(L, status_name(status));
  return 3;
}

/***
The bytes of a `.npy` file.
@function trpo.npy.encode
@tparam Tensor t
@treturn string
@raise when memory runs out
*/
static int l_files_npy_encode(lua_State *L) {
  const char *what = "trpo.npy.encode";
  const Tensor *t = l_tensor_check(L, 1, what, "t");
  Fault fault = {0};
  Bytes *bytes = l_files_push_owner(L, l_files_bytes, sizeof *bytes);
  if (npy_encode(bytes, t, &fault) != OK) {
    l_fail(L, what, "%s", fault.text);
  }
  lua_pushlstring(L, bytes_data(bytes), bytes->count);
  bytes_free(bytes);
  return 1;
}

/* --- safetensors ----------------------------------------------------------------------------------------- */

/* moves the tensors to a table at the stack top, the notes to another */
static void push_bundle(lua_State *L, const Bundle *bundle) {
  size_t items, notes;
  BundleItem *item = bundle_items(bundle, &items);
  const BundleNote *note = bundle_notes(bundle, &notes);
  lua_newtable(L);
  for (size_t i = 0; i < items; i++) {
    lua_pushlstring(L, item[i].name.text, item[i].name.bytes);
    tensor_share(l_tensor_push_empty(L), &item[i].tensor);
    lua_rawset(L, -3);
  }
  lua_newtable(L);
  for (size_t i = 0; i < notes; i++) {
    lua_pushlstring(L, note[i].key.text, note[i].key.bytes);
    lua_pushlstring(L, note[i].value.text, note[i].value.bytes);
    lua_rawset(L, -3);
  }
}

/***
Reads named tensors from a `.safetensors` file: F64, F32, I64, I32, U8 and BOOL.
Integers beyond 2^53, names that come twice, and tensors that overlap or leave holes are refused.
@function trpo.safetensors.read
@tparam string path
@treturn[1] {[string]=Tensor,...} tensors
@treturn[1] {[string]=string,...} metadata, perhaps empty
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code
*/
static int l_files_safetensors_read(lua_State *L) {
  const char *path = l_files_check_path(L, "trpo.safetensors.read");
  l_files_check_options(L, 2, "trpo.safetensors.read", NO_OPTIONS);
  Fault fault = {0};
  Tensor *file;
  Status status = l_files_read_file(L, &file, path, &fault);
  Bundle *bundle = l_files_push_owner(L, BUNDLE, sizeof *bundle);
  if (status == OK) {
    status = safetensors_decode(bundle, file->storage->data, file->storage->bytes, &fault);
  }
  tensor_free(file);
  if (status != OK) {
    return l_files_report(L, "read", path, status, &fault);
  }
  push_bundle(L, bundle);
  bundle_free(bundle);
  l_nudge(L);
  return 2;
}

/* the string at index -1 or -2 as a slice; raises unless it is UTF-8 text */
static Slice check_text(lua_State *L, int index, const char *what, const char *name) {
  Slice s;
  if (lua_type(L, index) != LUA_TSTRING) {
    l_fail(L, what, "%s must be strings, got %s", name, l_describe(L, lua_gettop(L) + 1 + index));
  }
  s.text = lua_tolstring(L, index, &s.bytes);
  if (!utf8_valid(s.text, s.bytes)) {
    l_fail(L, what, "%s must be UTF-8, got %s", name, l_describe(L, lua_gettop(L) + 1 + index));
  }
  return s;
}

static void add_tensors(lua_State *L, int table, const char *what, Bundle *bundle) {
  if (!lua_istable(L, table)) {
    l_fail(L, what, "tensors must be a table from names to tensors, got %s", l_describe(L, table));
  }
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 2)) {
    Slice name = check_text(L, -2, what, "names");
    if (name.bytes == 0 || strcmp(name.text, "__metadata__") == 0) {
      l_fail(L, what, "'%s' cannot be the name of a tensor", name.text);
    }
    const char *shown = lua_pushfstring(L, "'%s'", name.text);
    const Tensor *t = l_tensor_check(L, lua_gettop(L) - 1, what, shown);
    if (bundle_add(bundle, name, t) != OK) {
      l_fail(L, what, "not enough memory for the names");
    }
  }
}

static void add_metadata(lua_State *L, int options, const char *what, Bundle *bundle) {
  lua_getfield(L, options, "metadata");
  if (lua_isnil(L, -1)) {
    return;
  }
  int table = lua_gettop(L);
  if (!lua_istable(L, table)) {
    l_fail(L, what, "metadata must be a table of strings, got %s", l_describe(L, table));
  }
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    Slice key = check_text(L, -2, what, "metadata's keys");
    Slice value = check_text(L, -1, what, "metadata's values");
    if (bundle_note(bundle, key, value) != OK) {
      l_fail(L, what, "not enough memory for the metadata");
    }
  }
}

/***
Writes named tensors to a `.safetensors` file. The same names, numbers and metadata give the same bytes.
@function trpo.safetensors.write
@tparam string path
@tparam {[string]=Tensor,...} tensors names are UTF-8
@tparam[opt] table options `dtype`: "F64" (default) or "F32", which rounds; `metadata`: table from strings to strings
@treturn[1] boolean true
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code, as above, or "not_finite": a number is beyond the range of F32
*/
static int l_files_safetensors_write(lua_State *L) {
  static const char *const keys[] = {"dtype", "metadata", NULL};
  const char *what = "trpo.safetensors.write";
  const char *path = l_files_check_path(L, what);
  l_files_check_options(L, 3, what, keys);
  const char *dtype = l_field_string(L, 3, what, "dtype", "F64");
  if (strcmp(dtype, "F64") != 0 && strcmp(dtype, "F32") != 0) {
    l_fail(L, what, "dtype must be 'F64' or 'F32', got the string '%s'", dtype);
  }
  Fault fault = {0};
  Bundle *bundle = l_files_push_owner(L, BUNDLE, sizeof *bundle);
  add_tensors(L, 2, what, bundle);
  add_metadata(L, 3, what, bundle);
  Bytes *bytes = l_files_push_owner(L, l_files_bytes, sizeof *bytes);
  PackedKind kind = strcmp(dtype, "F32") == 0 ? PACKED_F32 : PACKED_F64;
  Status status = safetensors_encode(bytes, bundle, kind, &fault);
  bundle_free(bundle);
  return l_files_write_file(L, path, bytes, status, &fault);
}

/* --- registration ---------------------------------------------------------------------------------------- */

static const luaL_Reg file[] = {
    {"read", l_files_read}, {"write", l_files_write}, {"checksum", l_checksum}, {NULL, NULL}};

static const luaL_Reg npy[] = {{"read", l_files_npy_read},
                               {"write", l_files_npy_write},
                               {"decode", l_files_npy_decode},
                               {"encode", l_files_npy_encode},
                               {NULL, NULL}};

static const luaL_Reg safetensors[] = {
    {"read", l_files_safetensors_read}, {"write", l_files_safetensors_write}, {NULL, NULL}};

void l_files_add_module(lua_State *L, const char *name, const luaL_Reg *functions) {
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  lua_setfield(L, -2, name);
}

void l_files_open(lua_State *L) {
  l_files_register_owner(L, l_files_bytes, l_files_free_bytes);
  l_files_register_owner(L, BUNDLE, l_files_free_bundle);
  l_csv_open(L);
  l_files_add_module(L, "file", file);
  l_files_add_module(L, "npy", npy);
  l_files_add_module(L, "safetensors", safetensors);
}
