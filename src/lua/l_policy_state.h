#ifndef TRPO_L_POLICY_STATE_H
#define TRPO_L_POLICY_STATE_H

#include <lauxlib.h>

#include "policy/network.h"

/** Methods of the policy that concern its state. Ends with NULL. */
extern const luaL_Reg l_policy_state_methods[];

/** Pushes a table with hidden, activation, precision and normalize_observations of a network. */
void l_policy_state_network(lua_State *L, const Network *net);

#endif
