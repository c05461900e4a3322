#ifndef TRPO_L_CHECKSUM_H
#define TRPO_L_CHECKSUM_H

#include <lua.h>

/** The function `trpo.file.checksum`. */
int l_checksum(lua_State *L);

#endif
