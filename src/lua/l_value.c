#include "lua/l_value.h"

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
Value baselines V(s): a network fitted by Adam on minibatches, or a linear model of simple features.
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
 `rng` draws the weights and the shuffles; `learning_rate` of Adam (default 1e-3), `epochs` (10), `minibatch` (128);
 `rescale_targets` standardises the targets without changing the predictions (PopArt, default true).
 For a linear one: `ridge` (default 1e-5).
@treturn trpo.Value
@raise on an unknown, missing or ill-shaped option
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
                                             "learning_rate",
                                             "epochs",
                                             "optimizer",
                                             "minibatch",
                                             "iterations",
                                             "cg_iters",
                                             "curvature_rows",
                                             "damping",
                                             "solve_last_layer",
                                             "rescale_targets",
                                             NULL};
  static const char *const linear_keys[] = {"kind", "env", "observation", "ridge", "rng", NULL};
  static const char what[] = "trpo.value";
  int hidden[MLP_LAYERS];
  NetworkSpec spec = {.outputs = 1};
  if (!lua_istable(L, 1))
    return l_fail(L, what, "options must be a table, got %s", l_describe(L, 1));
  const char *kind = l_field_string(L, 1, what, "kind", "network");
  const int linear = strcmp(kind, "linear") == 0;
  if (!linear && strcmp(kind, "network") != 0)
    return l_fail(L, what, "kind must be 'network' or 'linear', got '%s'", kind);
  l_known_keys(L, 1, what, linear ? linear_keys : network_keys);
  l_policy_network(L, 1, what, &spec, hidden);
  if (linear && spec.observation->kind != SPACE_BOX)
    return l_fail(L, what, "a linear baseline needs a box of observations");
  Value *value = push(L);
  const int at = lua_gettop(L);
  const Status status = linear
                            ? value_linear(value, spec.observation,
                                           l_field_number(L, 1, what, "ridge", 1e-300, 1e300, 1e-5))
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

/***
Fits the baseline to `batch.returns`, which `trpo.gae` fills.
@function fit
@tparam trpo.Batch batch
@treturn[1] table `loss` mean squared error over the last epoch, in reward^2 (nil for the linear kind); `steps` of the optimiser;
 `seconds` of wall time
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
  if (status != OK) return l_status(L, status);
  lua_newtable(L);
  if (value->kind == VALUE_NETWORK) {
    lua_pushnumber(L, info.loss);
    lua_setfield(L, -2, "loss");
    if (value->options.optimizer == VALUE_GAUSS_NEWTON) {
      lua_pushnumber(L, value->damping);
      lua_setfield(L, -2, "damping");
    }
    if (!isnan(info.loss_before)) {
      lua_pushnumber(L, info.loss_before);
      lua_setfield(L, -2, "loss_before");
    }
  }
  lua_pushnumber(L, (lua_Number)info.steps);
  lua_setfield(L, -2, "steps");
  lua_pushnumber(L, info.seconds);
  lua_setfield(L, -2, "seconds");
  return 1;
}

static double *parameters(const Value *value, long *n) {
  *n = value->kind == VALUE_LINEAR ? value->linear.F : value->net.P;
  return value->kind == VALUE_LINEAR ? value->linear.w : value->net.theta;
}

/***
A copy of the parameters.
@function theta
@treturn trpo.Tensor [P]
*/
static int l_value_theta(lua_State *L) {
  long n;
  const double *theta = parameters(l_value_check(L, 1, "value:theta"), &n);
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
  double *theta = parameters(value, &n);
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
  parameters(value, &n);
  if (value->kind == VALUE_LINEAR)
    lua_pushfstring(L, "trpo.Value: linear, %d weights", (int)n);
  else
    lua_pushfstring(L, "trpo.Value: network, %d parameters, %d epochs of %d rows", (int)n,
                    value->options.epochs, value->options.minibatch);
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
  lua_pop(L, 1);
  lua_pushcfunction(L, l_value_new);
  lua_setfield(L, -2, "value");
}
