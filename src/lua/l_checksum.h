#ifndef TRPO_L_CHECKSUM_H
#define TRPO_L_CHECKSUM_H

#include <lua.h>

/** Adds checksum to the table `file` of the module at the top, which must be there. */
void l_checksum_open(lua_State *L);

#endif
