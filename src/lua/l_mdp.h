#ifndef TRPO_L_MDP_H
#define TRPO_L_MDP_H

#include <lua.h>

#include "mdp/mdp.h"

/** The Lua type trpo.Mdp: a userdata that holds an Mdp, with an environment table for names and the like. */

/** The process at arg, or NULL. */
Mdp *l_mdp_test(lua_State *L, int arg);

/** The process at arg; raises unless there is one. */
Mdp *l_mdp_check(lua_State *L, int arg, const char *what);

/** A zeroed Mdp on the stack, to be made by the functions of src/mdp/. */
Mdp *l_mdp_push_empty(lua_State *L);

/**
 * The policy at arg: contiguous [S, A], the tensor's own elements or a copy that is pushed onto the stack. Raises unless
 * it is a policy of this process, naming the state and what is wrong.
 */
const double *l_mdp_policy(lua_State *L, int arg, const char *what, const char *name,
                           const Mdp *mdp);

/** The matrix over pairs at arg, [S, A], contiguous as above; its numbers are not looked at. */
const double *l_mdp_matrix(lua_State *L, int arg, const char *what, const char *name,
                           const Mdp *mdp);

/** New tensors on the stack with elements of any value: [S], [S, A]. */
double *l_mdp_push_values(lua_State *L, const Mdp *mdp);
double *l_mdp_push_pairs(lua_State *L, const Mdp *mdp);

/** Pushes the table of the type's methods. */
void l_mdp_push_methods(lua_State *L);

/** Registers the type, and adds the table mdp, with the constructors, to the module at the stack top. */
void l_mdp_open(lua_State *L);

/* Parts of the type; each adds its functions to the table mdp at the stack top, and its methods to the type's. */
void l_mdp_make_open(lua_State *L);
void l_mdp_model_open(lua_State *L);
void l_mdp_gallery_open(lua_State *L);
void l_mdp_evaluate_open(lua_State *L);
void l_mdp_solve_open(lua_State *L);
void l_mdp_triplets_open(lua_State *L);

#endif
