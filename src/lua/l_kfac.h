#ifndef TRPO_L_KFAC_H
#define TRPO_L_KFAC_H

#include <lua.h>

void l_kfac_open(lua_State *L);

#endif
