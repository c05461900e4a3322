#include "lua/l_value.h"

#include <float.h>
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_batch.h"
#include "lua/l_check.h"
#include "lua/l_policy.h"
#include "lua/l_rng.h"
#include "lua/l_rows.h"
#include "lua/l_tensor.h"
#include "lua/l_value_optimizer.h"
#include "lua/l_value_state.h"

/***
Value baselines V(s): a network fitted by Gauss-Newton steps, L-BFGS or Adam, or a linear model of simple features.
@classmod trpo.Value
*/

#define TYPE "trpo.Value"

Value *l_value_check(lua_State *L, int arg, const char *what) {
  Value *value = l_object(L, arg, TYPE);
  if (!value) l_fail(L, what, "value must be a value baseline, got %s", l_describe(L, arg));
  return value;
}

/* An empty object on the stack: safe to collect at any time. */
static Value *push(lua_State *L) {
  Value *value = lua_newuserdata(L, sizeof *value);
  *value = (Value){0};
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2);
  return value;
}

static Status new_network(lua_State *L, const char *what, Value *value, const NetworkSpec *spec) {
  ValueOptions options;
  lua_getfield(L, 1, "rng");
  Rng *rng = l_rng_check(L, lua_gettop(L), what, "rng");
  l_value_optimizer_read(L, 1, what, &options);
  const int rescale = l_field_boolean(L, 1, what, "rescale_targets", 1);
  const Status status = value_network(value, spec, &options, rng);
  value->rescale = rescale;
  value->key = (RngKey){{rng_bits(rng), rng_bits(rng)}};
  return status;
}

/***
Makes a value baseline.
@function trpo.value
@tparam table options
 `kind` `"network"` (default) or `"linear"` (rllab's features: obs, obs^2, t, t^2, t^3, 1; boxes only);
 `env` an environment, or `observation`, a space.
 For a network: `hidden`, `activation`, `precision`, `normalize_observations` as for `trpo.policy`;
 `rng` draws the weights and the shuffles;
 `rescale_targets` standardises the targets without changing the predictions (PopArt, default true), but for those before
 the first fit, and those so far from the new targets that the last layer would need parameters above 1000: there the network's
 outputs stay, in the new unit, around the mean of the targets;
 `optimizer` says how a fit lowers the mean squared error, from the present weights on:
 `"gauss_newton"` (default) by at most `iterations` (4) steps on all rows, of `cg_products` (10) conjugate-gradient products with the matrix of
 `curvature_rows` (256) evenly spaced rows, `lm_damping` (0.1) being the least number that is added to its diagonal; it ends with a
 step that lowers the error by less than a tenth; `solve_last_layer` (false) solves the last layer exactly before and after each step;
 `"lbfgs"` by `iterations` (25) of L-BFGS on all rows;
 `"last_layer"` by solving for the last layer alone, exactly, with `lm_damping` (0.01);
 `"adam"` by Adam with `learning_rate` (1e-3) in `epochs` (10) passes over shuffled minibatches of `minibatch` (128) rows.
 For a linear one: `ridge` (default 1e-5).
@treturn trpo.Value
@raise on an unknown, missing or ill-shaped option, or one that belongs to another optimizer
*/
static int l_value_new(lua_State *L) {
  static const char *const network_keys[] = {"kind",
                                             "env",
                                             "observation",
                                             "hidden",
                                             "activation",
                                             "precision",
                                             "rng",
                                             "normalize_observations",
                                             "rescale_targets",
                                             "optimizer",
                                             "learning_rate",
                                             "epochs",
                                             "minibatch",
                                             "iterations",
                                             "cg_products",
                                             "curvature_rows",
                                             "lm_damping",
                                             "solve_last_layer",
                                             NULL};
  static const char *const linear_keys[] = {"kind", "env", "observation", "ridge", "rng", NULL};
  static const char *const kinds[] = {"network", "linear", NULL};
  static const char what[] = "trpo.value";
  int hidden[MLP_LAYERS];
  NetworkSpec spec = {.outputs = 1};
  if (!lua_istable(L, 1))
    return l_fail(L, what, "options must be a table, got %s", l_describe(L, 1));
  const int linear = l_field_choice(L, 1, what, "kind", kinds, VALUE_NETWORK) == VALUE_LINEAR;
  l_known_keys(L, 1, what, linear ? linear_keys : network_keys);
  l_policy_network(L, 1, what, &spec, hidden);
  if (linear && spec.observation->kind != SPACE_BOX)
    return l_fail(L, what, "a linear baseline needs a box of observations");
  Value *value = push(L);
  const int at = lua_gettop(L);
  const Status status = linear ? value_linear(
                            value, spec.observation,
                            l_field_number(L, 1, what, "ridge", DBL_MIN, DBL_MAX, 1e-5))
                               : new_network(L, what, value, &spec);
  if (status != OK) return l_fail(L, what, "%s", status_text(status));
  lua_pushvalue(L, at);
  l_nudge(L);
  return 1;
}

static int l_value_gc(lua_State *L) {
  value_free(l_value_check(L, 1, "value"));
  return 0;
}

/***
Predicted values, in units of the rewards.
@function predict
@tparam trpo.Tensor observations [N, O]; integers 1..n for discrete spaces
@tparam[opt] trpo.Tensor time [N] steps of the episode before each observation (default 0; used by the linear kind)
@treturn trpo.Tensor [N]
*/
static int l_value_predict(lua_State *L) {
  static const char what[] = "value:predict";
  const Value *value = l_value_check(L, 1, what);
  long N;
  int single;
  lua_settop(L, 3);
  const double *obs = l_rows_observations(L, 2, what, value_space(value), &N, &single);
  const double *time = lua_isnil(L, 3) ? l_rows_push_vector(L, N)
                                       : l_rows_vector(L, 3, what, "time", N);
  double *out = l_rows_push_vector(L, N);
  const Status status = value_predict(value, out, obs, time, N, l_arena(L));
  if (status != OK) return l_fail(L, what, "%s", status_text(status));
  return 1;
}

static void set_number(lua_State *L, const char *key, double x) {
  lua_pushnumber(L, x);
  lua_setfield(L, -2, key);
}

int l_value_push_fit(lua_State *L, const Value *value, const ValueFit *info, Status status) {
  if (status != OK) return l_status(L, status);
  lua_newtable(L);
  if (value->kind == VALUE_NETWORK) set_number(L, "loss", info->loss);
  if (!isnan(info->loss_before)) set_number(L, "loss_before", info->loss_before);
  if (value->kind == VALUE_NETWORK && value->options.optimizer == VALUE_GAUSS_NEWTON)
    set_number(L, "damping", value->damping);
  set_number(L, "steps", (double)info->steps);
  set_number(L, "seconds", info->seconds);
  return 1;
}

/***
Fits the baseline to `batch.returns`, which `trpo.gae` fills.
@function fit
@tparam trpo.Batch batch
@treturn[1] table of a network: `loss_before` and `loss`, the mean squared error over all rows before and after the fit, in reward^2
 (Adam's `loss` is that over its last epoch, measured before each step, and it has no `loss_before`), and with Gauss-Newton the
 present `damping`; `steps` of the optimiser; `seconds` of wall time
@treturn[2] nil, message, `"not_finite"` or `"not_positive_definite"`; the parameters are then as they were
*/
static int l_value_fit(lua_State *L) {
  static const char what[] = "value:fit";
  Value *value = l_value_check(L, 1, what);
  const Batch *batch = l_batch_check(L, 2, what);
  ValueFit info;
  l_batch_check_value(L, 2, what, value);
  const Status status = value_fit(value, &info, batch->obs, batch->time, batch->ret, batch->N,
                                  l_arena(L));
  return l_value_push_fit(L, value, &info, status);
}

/***
A copy of the parameters.
@function theta
@treturn trpo.Tensor [P]
*/
static int l_value_theta(lua_State *L) {
  long n;
  const double *theta = value_theta(l_value_check(L, 1, "value:theta"), &n);
  memcpy(l_rows_push_vector(L, n), theta, (size_t)n * sizeof *theta);
  return 1;
}

/***
Sets the parameters (not the scale of the targets).
@function set_theta
@tparam trpo.Tensor theta [P], finite
@treturn trpo.Value itself
@raise on another size or an entry that is NaN or infinite; the parameters are then as they were
*/
static int l_value_set_theta(lua_State *L) {
  static const char what[] = "value:set_theta";
  Value *value = l_value_check(L, 1, what);
  long n;
  double *theta = value_theta(value, &n);
  const double *from = l_rows_vector(L, 2, what, "theta", n);
  for (long i = 0; i < n; i++)
    if (!isfinite(from[i]))
      return l_fail(L, what, "theta[%d] must be finite, got %f", (int)i + 1, from[i]);
  memcpy(theta, from, (size_t)n * sizeof *theta);
  if (value->kind == VALUE_NETWORK) network_set(&value->net, theta);
  lua_settop(L, 1);
  return 1;
}

static int l_value_tostring(lua_State *L) {
  const Value *value = l_value_check(L, 1, "value");
  long n;
  value_theta(value, &n);
  if (value->kind == VALUE_LINEAR)
    lua_pushfstring(L, "trpo.Value: linear, %d weights", (int)n);
  else
    lua_pushfstring(L, "trpo.Value: network, %d parameters, %s", (int)n,
                    l_value_optimizer_names[value->options.optimizer]);
  return 1;
}

static const luaL_Reg methods[] = {{"predict", l_value_predict},
                                   {"fit", l_value_fit},
                                   {"theta", l_value_theta},
                                   {"set_theta", l_value_set_theta},
                                   {"__gc", l_value_gc},
                                   {"__tostring", l_value_tostring},
                                   {NULL, NULL}};

void l_value_open(lua_State *L) {
  luaL_newmetatable(L, TYPE);
  luaL_register(L, NULL, methods);
  luaL_register(L, NULL, l_value_state_methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, TYPE);
  lua_setfield(L, -2, "__metatable"); /* a script cannot take the finalizer away */
  lua_pop(L, 1);
  lua_pushcfunction(L, l_value_new);
  lua_setfield(L, -2, "value");
}
