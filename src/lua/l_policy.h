#ifndef TRPO_L_POLICY_H
#define TRPO_L_POLICY_H

#include <lua.h>

#include "policy/policy.h"

/** The policy at arg; raises "<what>: policy must be a policy, got ..." otherwise. */
Policy *l_policy_check(lua_State *L, int arg, const char *what);

/** An empty policy object on the stack: safe to collect at any time. */
Policy *l_policy_push(lua_State *L);

/** Names of the activations and precisions, in the order of their enumerations; NULL ends the list. */
extern const char *const l_policy_activations[];
extern const char *const l_policy_precisions[];

/** Reads the fields that policies and values share (hidden, activation, precision, observation, env) of the options at
 * index t into spec; hidden [MLP_LAYERS] is filled. Raises on bad ones. */
void l_policy_network(lua_State *L, int t, const char *what, NetworkSpec *spec, int *hidden);

void l_policy_open(lua_State *L);

#endif
