/* fingerprints of texts */
#include "lua/l_hash.h"

#include <lauxlib.h>

#include "base/sha256.h"
#include "lua/l_check.h"

/***
Fingerprints.
@submodule trpo
*/

/***
The SHA-256 of a text (FIPS 180-4).
@function trpo.sha256
@tparam string text any bytes
@treturn string 64 lower-case hexadecimal digits
@raise unless text is a string
*/
static int l_hash_sha256(lua_State *L) {
  size_t bytes;
  char hex[SHA256_HEX + 1];
  if (lua_type(L, 1) != LUA_TSTRING) {
    l_fail(L, "trpo.sha256", "text must be a string, got %s", l_describe(L, 1));
  }
  const char *text = lua_tolstring(L, 1, &bytes);
  sha256_hex(hex, text, bytes);
  lua_pushlstring(L, hex, SHA256_HEX);
  return 1;
}

void l_hash_open(lua_State *L) {
  lua_pushcfunction(L, l_hash_sha256);
  lua_setfield(L, -2, "sha256");
}
