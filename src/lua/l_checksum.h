#ifndef TRPO_L_CHECKSUM_H
#define TRPO_L_CHECKSUM_H

#include <lua.h>

/** Adds checksum to the table at the top. */
void l_checksum_open(lua_State *L);

#endif
