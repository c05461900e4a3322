#ifndef TRPO_L_HASH_H
#define TRPO_L_HASH_H

#include <lua.h>

/** Adds sha256 to the module at the stack top. */
void l_hash_open(lua_State *L);

#endif
