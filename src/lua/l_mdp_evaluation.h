#ifndef TRPO_L_MDP_EVALUATION_H
#define TRPO_L_MDP_EVALUATION_H

#include <lua.h>

#include "mdp/bounds.h"

/**
 * The evaluation of a policy, as mdp:evaluate returns it: a table at arg with V, A, rho, eta and bound. Raises unless
 * sizes and numbers are those of an evaluation. pi is not part of it and stays NULL. Tensors that are not contiguous are copied;
 * the copies stay on the stack.
 */
BoundsPolicy l_mdp_evaluation(lua_State *L, int arg, const char *what, const Mdp *mdp);

/** Advantages below this are rounding: 16 eps / (1 - gamma) max |V|; for gamma = 1 the horizon is sum rho. */
double l_mdp_evaluation_rounding(const Mdp *mdp, const BoundsPolicy *e);

#endif
