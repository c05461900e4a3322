#ifndef TRPO_L_VALUE_STATE_H
#define TRPO_L_VALUE_STATE_H

#include <lauxlib.h>

/** Methods of the value baseline that concern its state. Ends with NULL. */
extern const luaL_Reg l_value_state_methods[];

#endif
