#ifndef TRPO_L_MDP_CPI_H
#define TRPO_L_MDP_CPI_H

#include <lua.h>

/** Adds cpi_step to the methods of trpo.Mdp. */
void l_mdp_cpi_open(lua_State *L);

#endif
