#ifndef TRPO_L_DIVERGENCE_H
#define TRPO_L_DIVERGENCE_H

#include <lua.h>

/** Adds tv, kl, divergence, mixture, is_alpha_coupled, coupling and sample_coupling to the field mdp of the module at the stack top. */
void l_divergence_open(lua_State *L);

#endif
