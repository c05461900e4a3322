#ifndef TRPO_L_MDP_CERTIFY_H
#define TRPO_L_MDP_CERTIFY_H

#include <lua.h>

/** Adds certify and lower_bound to the methods of trpo.Mdp. */
void l_mdp_certify_open(lua_State *L);

#endif
