#ifndef TRPO_L_ENV_LANES_H
#define TRPO_L_ENV_LANES_H

#include <lauxlib.h>

/** Methods of the environment that concern all lanes at once: what a checkpoint holds of it. Ends with NULL. */
extern const luaL_Reg l_env_lanes_methods[];

#endif
