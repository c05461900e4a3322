#include "lua/l_checksum.h"

#include <lauxlib.h>
#include <stdint.h>
#include <stdio.h>

#include "lua/l_check.h"
#include "lua/l_tensor.h"

/* CRC-32C (Castagnoli), as RFC 3720, section 12.1, defines it */
static uint32_t crc32c(const unsigned char *data, size_t n) {
  static uint32_t table[256];
  if (!table[1])
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t c = i;
      for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
      table[i] = c;
    }
  uint32_t crc = ~0u;
  for (size_t i = 0; i < n; i++) crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
  return ~crc;
}

/* checksum(x): CRC-32C of a string's bytes, or of a tensor's elements (rows first), as eight hexadecimal digits */
static int l_checksum(lua_State *L) {
  static const char what[] = "trpo.checksum";
  const void *data;
  size_t bytes;
  if (lua_type(L, 1) == LUA_TSTRING) {
    data = lua_tolstring(L, 1, &bytes);
  } else {
    const Tensor *t = l_tensor_check(L, 1, what, "x");
    data = l_tensor_data(L, t);
    bytes = (size_t)tensor_count(t->ndim, t->size) * sizeof(double);
  }
  char hex[9];
  snprintf(hex, sizeof hex, "%08x", (unsigned)crc32c(data, bytes));
  lua_pushstring(L, hex);
  return 1;
}

void l_checksum_open(lua_State *L) {
  lua_pushcfunction(L, l_checksum);
  lua_setfield(L, -2, "checksum");
}
