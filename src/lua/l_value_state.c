#include "lua/l_value_state.h"

#include "lua/l_policy_state.h"
#include "lua/l_state.h"
#include "lua/l_value.h"
#include "lua/l_value_optimizer.h"

/***
What fitting changes in a baseline, to be kept and brought back.
@submodule trpo.Value
*/

static void set_number(lua_State *L, const char *key, double x) {
  lua_pushnumber(L, x);
  lua_setfield(L, -2, key);
}

/***
What the baseline was made with, as options for `trpo.value`.
@function options
@treturn table `kind` and, of a network, `hidden`, `activation`, `precision`, `normalize_observations`, `rescale_targets`,
 `optimizer` and its own options; of a linear baseline `ridge`
*/
static int l_value_state_options(lua_State *L) {
  const Value *value = l_value_check(L, 1, "value:options");
  if (value->kind == VALUE_LINEAR) {
    lua_newtable(L);
    set_number(L, "ridge", value->linear.ridge);
    lua_pushliteral(L, "linear");
  } else {
    l_policy_state_network(L, &value->net);
    l_value_optimizer_push(L, &value->options);
    lua_pushboolean(L, value->rescale);
    lua_setfield(L, -2, "rescale_targets");
    lua_pushliteral(L, "network");
  }
  lua_setfield(L, -2, "kind");
  return 1;
}

/* counters and keys as doubles, which hold them exactly */
typedef struct Counters {
  double step, fits, key[2];
} Counters;

static Counters counters_of(const Value *value) {
  return (Counters){
      (double)value->adam.step, (double)value->fits, {value->key.k[0], value->key.k[1]}};
}

static State fields_of(Value *value, Counters *counters) {
  State state = {.count = 0};
  if (value->kind == VALUE_LINEAR) {
    l_state_add(&state, "theta", value->linear.w, value->linear.F, 0, STATE_FINITE);
    return state;
  }
  const long P = value->net.P;
  l_state_network(&state, &value->net);
  if (value->options.optimizer == VALUE_ADAM) {
    l_state_add(&state, "adam.m", value->adam.m, P, 0, STATE_FINITE);
    l_state_add(&state, "adam.v", value->adam.v, P, 0, STATE_SQUARE);
    l_state_add(&state, "adam.step", &counters->step, 1, 0, STATE_COUNT);
  } else if (value->options.optimizer == VALUE_GAUSS_NEWTON) {
    l_state_add(&state, "damping", &value->damping, 1, 0, STATE_POSITIVE);
  }
  l_state_add(&state, "target.shift", &value->shift, 1, 0, STATE_FINITE);
  l_state_add(&state, "target.scale", &value->scale, 1, 0, STATE_POSITIVE);
  l_state_add(&state, "fits", &counters->fits, 1, 0, STATE_COUNT);
  l_state_add(&state, "key", counters->key, 2, 0, STATE_WORD);
  return state;
}

/***
Everything of the baseline that fitting changes, as copies: `theta`; of a network also what its optimizer carries over (Adam's
moments `adam.m` and `adam.v` [P] and `adam.step` [1]; the `damping` [1] of Gauss-Newton), the scale of the targets `target.shift` and `target.scale` [1], the number of `fits` [1], the
`key` of the shuffles [2], and the normaliser as in `trpo.Policy:state`.
@function state
@treturn {[string]=trpo.Tensor,...}
*/
static int l_value_state_get(lua_State *L) {
  Value *value = l_value_check(L, 1, "value:state");
  Counters counters = counters_of(value);
  const State state = fields_of(value, &counters);
  l_state_push(L, &state);
  return 1;
}

/***
Makes the baseline what it was when `state` was called, bit for bit.
@function set_state
@tparam {[string]=trpo.Tensor,...} state what `state` returned, of this baseline or of one made with the same options
@treturn trpo.Value itself
@raise what differs: a tensor that is missing, unknown or of another size, or an entry that cannot be (NaN, a negative
 count); the baseline is then as it was
*/
static int l_value_state_set(lua_State *L) {
  static const char what[] = "value:set_state";
  Value *value = l_value_check(L, 1, what);
  Counters counters = counters_of(value);
  const State state = fields_of(value, &counters);
  const double *from[STATE_FIELDS];
  lua_settop(L, 2);
  l_state_check(L, 2, what, &state, from);
  l_state_commit(&state, from);
  if (value->kind == VALUE_NETWORK) {
    value->adam.step = (long)counters.step;
    value->fits = (uint64_t)counters.fits;
    value->key = (RngKey){{(uint32_t)counters.key[0], (uint32_t)counters.key[1]}};
    network_set(&value->net, value->net.theta);
  }
  lua_settop(L, 1);
  return 1;
}

const luaL_Reg l_value_state_methods[] = {{"options", l_value_state_options},
                                          {"state", l_value_state_get},
                                          {"set_state", l_value_state_set},
                                          {NULL, NULL}};
