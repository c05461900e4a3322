#include "lua/l_checksum.h"

#include <stdio.h>

#include "base/crc32c.h"
#include "lua/l_check.h"
#include "lua/l_tensor.h"

/***
Whether bytes are what they were.
@submodule trpo.files
*/

/***
A checksum that notices damage (not forgery): CRC-32C of a string's bytes, or of a tensor's elements, rows first.
@function trpo.file.checksum
@tparam string|Tensor x
@treturn string eight hexadecimal digits; of a tensor its size before them, "[3, 4] 0a1b2c3d"
*/
int l_checksum(lua_State *L) {
  static const char what[] = "trpo.file.checksum";
  char hex[9];
  if (lua_type(L, 1) == LUA_TSTRING) {
    size_t bytes;
    const char *text = lua_tolstring(L, 1, &bytes);
    snprintf(hex, sizeof hex, "%08x", (unsigned)crc32c(text, bytes));
    lua_pushstring(L, hex);
    return 1;
  }
  const Tensor *t = l_tensor_check(L, 1, what, "x");
  const size_t bytes = (size_t)tensor_count(t->ndim, t->size) * sizeof(double);
  snprintf(hex, sizeof hex, "%08x", (unsigned)crc32c(l_tensor_data(L, t), bytes));
  lua_pushfstring(L, "%s %s", l_tensor_describe_size(L, t->ndim, t->size), hex);
  return 1;
}
