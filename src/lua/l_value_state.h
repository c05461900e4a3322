#ifndef TRPO_L_VALUE_STATE_H
#define TRPO_L_VALUE_STATE_H

#include <lua.h>

/** Methods of the value baseline that concern its state. */
int l_value_options(lua_State *L);
int l_value_state(lua_State *L);
int l_value_set_state(lua_State *L);

#endif
