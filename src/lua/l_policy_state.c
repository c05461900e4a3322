#include "lua/l_policy_state.h"

#include "lua/l_policy.h"
#include "lua/l_state.h"

/***
What learning changes in a policy, to be kept and brought back.
@submodule trpo.Policy
*/

void l_policy_state_network(lua_State *L, const Network *net) {
  const Mlp *mlp = &net->mlp;
  lua_newtable(L);
  lua_createtable(L, mlp->layers - 1, 0);
  for (int l = 1; l < mlp->layers; l++) {
    lua_pushinteger(L, mlp->width[l]);
    lua_rawseti(L, -2, l);
  }
  lua_setfield(L, -2, "hidden");
  lua_pushstring(L, l_policy_activations[mlp->activation]);
  lua_setfield(L, -2, "activation");
  lua_pushstring(L, l_policy_precisions[mlp->precision]);
  lua_setfield(L, -2, "precision");
  lua_pushboolean(L, net->normalize);
  lua_setfield(L, -2, "normalize_observations");
}

/***
What the policy was made with, as options for `trpo.policy`.
@function options
@treturn table `hidden`, `activation`, `precision`, `normalize_observations`
*/
static int l_policy_state_options(lua_State *L) {
  l_policy_state_network(L, &l_policy_check(L, 1, "policy:options")->net);
  return 1;
}

/***
Everything of the policy that learning changes, as copies: `theta` [P] and, with a normaliser, `normalizer.count` [1],
`normalizer.mean`, `normalizer.square` (sums of squared deviations), `normalizer.shift` and `normalizer.scale` (the map in
force), each [O].
@function state
@treturn {[string]=trpo.Tensor,...}
*/
static int l_policy_state_get(lua_State *L) {
  Policy *policy = l_policy_check(L, 1, "policy:state");
  State state = {.count = 0};
  l_state_network(&state, &policy->net);
  l_state_push(L, &state);
  return 1;
}

/***
Makes the policy what it was when `state` was called, bit for bit.
@function set_state
@tparam {[string]=trpo.Tensor,...} state what `state` returned, of this policy or of one made with the same options
@treturn trpo.Policy itself
@raise what differs: a tensor that is missing, unknown or of another size, or an entry that cannot be (NaN, a negative
 count); the policy is then as it was
*/
static int l_policy_state_set(lua_State *L) {
  static const char what[] = "policy:set_state";
  Policy *policy = l_policy_check(L, 1, what);
  State state = {.count = 0};
  const double *from[STATE_FIELDS];
  lua_settop(L, 2);
  l_state_network(&state, &policy->net);
  l_state_check(L, 2, what, &state, from);
  l_state_commit(&state, from);
  network_set(&policy->net, policy->net.theta);
  lua_settop(L, 1);
  return 1;
}

const luaL_Reg l_policy_state_methods[] = {{"options", l_policy_state_options},
                                           {"state", l_policy_state_get},
                                           {"set_state", l_policy_state_set},
                                           {NULL, NULL}};
