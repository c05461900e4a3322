#include "lua/l_policy_act.h"

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_policy.h"
#include "lua/l_rng.h"
#include "lua/l_rows.h"
#include "lua/l_state.h"

/***
Acting.
@submodule trpo.Policy
*/

/* act and sample: with a generator, draws; without, takes the mode. */
static int act(lua_State *L, const char *what, Rng *rng_) {
  const Policy *policy = l_policy_check(L, 1, what);
  long N;
  int single;
  lua_settop(L, 3);
  const double *obs = l_rows_observations(L, 2, what, &policy->net.observation, &N, &single);
  double *log_prob = l_rows_push_vector(L, N);
  const int log_prob_at = lua_gettop(L);
  double *action = l_rows_push_matrix(L, N, policy->action.size);
  const Status status = policy_act(policy, action, log_prob, obs, N, rng_, l_arena(L));
  if (status == E_NOT_FINITE) return l_status(L, status);
  if (status != OK) return l_fail(L, what, "%s", status_text(status));
  l_rows_push_actions(L, &policy->action, action, N, single);
  if (!rng_) return 1;
  if (single)
    lua_pushnumber(L, log_prob[0]);
  else
    lua_pushvalue(L, log_prob_at);
  return 2;
}

/***
The most probable action (mean of a normal). Takes what `sample` takes, so that one can stand for the other, but draws nothing.
@function act
@param observation a tensor [O] or a table, or a batch [N, O]; integers 1..n for discrete observation spaces
@tparam[opt] trpo.Rng rng is left as it is
@return an integer 1..n or a tensor [A]; for a batch [N] or [N, A];
 nil, message, `"not_finite"` when a distribution has NaN or infinite parameters
*/
static int l_policy_act(lua_State *L) {
  if (!lua_isnoneornil(L, 3) && !l_rng_test(L, 3))
    return l_fail(L, "policy:act",
                  "takes no options, got %s; policy:sample(observations, rng) draws",
                  l_describe(L, 3));
  return act(L, "policy:act", NULL);
}

/***
Draws an action.
@function sample
@param observation as for act
@tparam trpo.Rng rng a generator, which advances
@return an action, as act returns it (not clipped to the bounds of a box), or nil, message, `"not_finite"`
@return the logarithm of its probability or density: a number, or [N]
*/
static int l_policy_sample(lua_State *L) {
  return act(L, "policy:sample", l_rng_check(L, 3, "policy:sample", "rng"));
}

const luaL_Reg l_policy_act_methods[] = {
    {"act", l_policy_act}, {"sample", l_policy_sample}, {NULL, NULL}};
