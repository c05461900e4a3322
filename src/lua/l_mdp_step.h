#ifndef TRPO_L_MDP_STEP_H
#define TRPO_L_MDP_STEP_H

#include <lua.h>

#include "base/status.h"
#include "mdp/step.h"

/**
 * The exact policy-improvement steps, which need a policy, its advantages and its visitation, but no process.
 * l_mdp_step.c has trpo.mdp.step, l_mdp_step_kernel.c the problems of single states and the Fisher matrix.
 */

/** A policy tensor [S, A] or one distribution [A]: contiguous elements that are kept alive on the stack. */
const double *l_mdp_step_policy(lua_State *L, int arg, const char *what, const char *name, int ndim,
                                ptrdiff_t *size);

/** Advantages of that size, finite or -inf where the policy (NULL: none known) has no probability. */
const double *l_mdp_step_advantages(lua_State *L, int arg, const char *what, const char *name,
                                    int ndim, const ptrdiff_t *size, const double *pi_);

/** Weights of states [S], finite, >= 0, with a positive sum. */
const double *l_mdp_step_weights(lua_State *L, int arg, const char *what, const char *name,
                                 ptrdiff_t S);

/** Raises for a word of an option that is not in the NULL-terminated list, with a suggestion; returns its place. */
int l_mdp_step_choice(lua_State *L, const char *what, const char *key, const char *word,
                      const char *const *words);

/** Raises when memory ran out; else pushes nil, message and code and returns 3. */
int l_mdp_step_failure(lua_State *L, const char *what, Status status);

/** Adds the functions to the table trpo.mdp of the module at the stack top. */
void l_mdp_step_open(lua_State *L);
void l_mdp_step_kernel_open(lua_State *L);

#endif
