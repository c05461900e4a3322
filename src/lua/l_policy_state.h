#ifndef TRPO_L_POLICY_STATE_H
#define TRPO_L_POLICY_STATE_H

#include <lua.h>

#include "policy/network.h"

/** Methods of the policy that concern its state. */
int l_policy_options(lua_State *L);
int l_policy_state(lua_State *L);
int l_policy_set_state(lua_State *L);

/** Pushes a table with hidden, activation, precision and normalize_observations of a network. */
void l_policy_push_network(lua_State *L, const Network *net);

#endif
