#include "lua/l_policy.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "lua/l_check.h"
#include "lua/l_env.h"
#include "lua/l_policy_act.h"
#include "lua/l_policy_rows.h"
#include "lua/l_policy_state.h"
#include "lua/l_rng.h"
#include "lua/l_rows.h"
#include "lua/l_space.h"
#include "lua/l_tensor.h"

/***
Stochastic policies: a network whose outputs parametrise a distribution over actions.
Discrete action spaces get a categorical distribution (its D = A parameters per row are logits), boxes get independent
normals (D = 2A: the means from the network, then the logarithms of the standard deviations, which do not depend on the state).
@classmod trpo.Policy
*/

#define TYPE "trpo.Policy"

/* what the userdata holds */
typedef struct Object {
  Policy policy;
  const void *tag; /* TAG, until it is finalized */
} Object;

static const char TAG = 0;

Policy *l_policy_check(lua_State *L, int arg, const char *what) {
  Policy *policy = l_tagged(L, arg, sizeof(Object), &TAG);
  if (!policy) l_fail(L, what, "policy must be a policy, got %s", l_describe(L, arg));
  return policy;
}

/* ---- construction --------------------------------------------------------------------------------------- */

/* hidden = { 64, 64 }: at most MLP_LAYERS - 1 widths */
static int read_hidden(lua_State *L, int t, const char *what, int *hidden) {
  lua_getfield(L, t, "hidden");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    hidden[0] = hidden[1] = 64;
    return 2;
  }
  if (!lua_istable(L, -1))
    return l_fail(L, what, "hidden must be a list of layer widths such as {64, 64}, got %s",
                  l_describe(L, -1));
  const int layers = (int)lua_objlen(L, -1);
  if (layers > MLP_LAYERS - 1)
    return l_fail(L, what, "hidden must have at most %d layers, got %d", MLP_LAYERS - 1, layers);
  for (int i = 0; i < layers; i++) {
    lua_rawgeti(L, -1, i + 1);
    const double width = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : NAN;
    if (!(width >= 1 && width <= MLP_WIDTH && width == floor(width)))
      return l_fail(L, what, "hidden[%d] must be an integer from 1 to %d, got %s", i + 1, MLP_WIDTH,
                    l_describe(L, -1));
    hidden[i] = (int)width;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return layers;
}

/* The space in field key, or the environment's when env was given. Anchored by the table. */
static const Space *read_space(lua_State *L, int t, const char *what, const char *key) {
  lua_getfield(L, t, "env");
  if (!lua_isnil(L, -1)) {
    const Env *env = l_env_check(L, lua_gettop(L), what);
    lua_getfield(L, t, key);
    if (!lua_isnil(L, -1)) l_fail(L, what, "env and %s exclude each other; give one of them", key);
    lua_pop(L, 2);
    return strcmp(key, "action") == 0 ? &env->action : &env->observation;
  }
  lua_pop(L, 1);
  lua_getfield(L, t, key);
  const Space *space = l_space_check(L, lua_gettop(L), what, key);
  lua_pop(L, 1);
  return space;
}

const char *const l_policy_activations[] = {
    [ACT_IDENTITY] = "identity", [ACT_TANH] = "tanh", [ACT_RELU] = "relu", NULL};
const char *const l_policy_precisions[] = {[SINGLE] = "single", [DOUBLE] = "double", NULL};

void l_policy_network(lua_State *L, int t, const char *what, NetworkSpec *spec, int *hidden) {
  spec->observation = read_space(L, t, what, "observation");
  spec->hidden = hidden;
  spec->hidden_layers = read_hidden(L, t, what, hidden);
  spec->activation = (Activation)l_field_choice(L, t, what, "activation", l_policy_activations,
                                                ACT_TANH);
  spec->precision = (Precision)l_field_choice(L, t, what, "precision", l_policy_precisions, SINGLE);
  spec->normalize = l_field_boolean(L, t, what, "normalize_observations", 0);
  if (spec->normalize && spec->observation->kind != SPACE_BOX)
    l_fail(L, what, "normalize_observations needs a box of observations");
}

Policy *l_policy_push(lua_State *L) {
  Object *object = lua_newuserdata(L, sizeof *object);
  *object = (Object){.tag = &TAG};
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2);
  return &object->policy;
}

/***
Makes a policy with orthogonal initial weights (gain sqrt 2, last layer 0.01).
@function trpo.policy
@tparam table options
 `env` an environment, or `observation` and `action` spaces;
 `hidden` list of layer widths (default `{64, 64}`, `{}` for a linear policy);
 `activation` `"tanh"` (default), `"relu"` or `"identity"`;
 `precision` `"single"` (default) or `"double"`;
 `rng` the generator that draws the weights;
 `normalize_observations` keep a running normaliser, frozen until `update_normalizer` (boxes only, default false);
 `log_std` first logarithm of the standard deviations (default 0; boxes of actions only)
@treturn trpo.Policy
@raise on an unknown, missing or ill-shaped option
*/
static int l_policy_new(lua_State *L) {
  static const char *const keys[] = {
      "env",        "observation", "action", "hidden",
      "activation", "precision",   "rng",    "normalize_observations",
      "log_std",    NULL};
  static const char what[] = "trpo.policy";
  int hidden[MLP_LAYERS];
  NetworkSpec net = {0};
  if (!lua_istable(L, 1))
    return l_fail(L, what, "options must be a table, got %s", l_describe(L, 1));
  l_known_keys(L, 1, what, keys);
  l_policy_network(L, 1, what, &net, hidden);
  const PolicySpec spec = {.observation = net.observation,
                           .action = read_space(L, 1, what, "action"),
                           .hidden_layers = net.hidden_layers,
                           .hidden = hidden,
                           .activation = net.activation,
                           .precision = net.precision,
                           .normalize = net.normalize,
                           .log_std = l_field_number(L, 1, what, "log_std", -20, 20, 0)};
  lua_getfield(L, 1, "log_std");
  if (!lua_isnil(L, -1) && spec.action->kind == SPACE_DISCRETE)
    return l_fail(L, what, "log_std needs a box of actions; discrete actions have none");
  lua_getfield(L, 1, "rng");
  Rng *rng = l_rng_check(L, lua_gettop(L), what, "rng");
  Policy *policy = l_policy_push(L);
  const Status status = policy_init(policy, &spec, rng);
  if (status != OK) return l_fail(L, what, "%s", status_text(status));
  l_nudge(L);
  return 1;
}

static int l_policy_gc(lua_State *L) {
  Object *object = l_tagged(L, 1, sizeof *object, &TAG);
  if (!object) return 0;
  object->tag = NULL;
  policy_free(&object->policy);
  return 0;
}

/***
A second policy with the same parameters and normaliser.
@function clone
@treturn trpo.Policy
*/
static int l_policy_clone(lua_State *L) {
  const Policy *source = l_policy_check(L, 1, "policy:clone");
  Policy *policy = l_policy_push(L);
  const Status status = policy_copy(policy, source);
  if (status != OK) return l_fail(L, "policy:clone", "%s", status_text(status));
  l_nudge(L);
  return 1;
}

/* ---- parameters ------------------------------------------------------------------------------------------ */

/***
Number of parameters P: weights and biases layer by layer (W row-major [inputs][outputs], then b), then the
logarithms of the standard deviations.
@function size
@treturn number P
*/
static int l_policy_size(lua_State *L) {
  lua_pushnumber(L, (lua_Number)l_policy_check(L, 1, "policy:size")->net.P);
  return 1;
}

/***
A copy of the parameters.
@function theta
@treturn trpo.Tensor [P]
*/
static int l_policy_theta(lua_State *L) {
  const Policy *policy = l_policy_check(L, 1, "policy:theta");
  double *to = l_rows_push_vector(L, policy->net.P);
  memcpy(to, policy->net.theta, (size_t)policy->net.P * sizeof *to);
  return 1;
}

/***
Sets the parameters.
@function set_theta
@tparam trpo.Tensor theta [P], finite
@treturn trpo.Policy itself
@raise on another size or an entry that is NaN or infinite; the parameters are then as they were
*/
static int l_policy_set_theta(lua_State *L) {
  static const char what[] = "policy:set_theta";
  Policy *policy = l_policy_check(L, 1, what);
  const double *theta = l_rows_vector(L, 2, what, "theta", policy->net.P);
  for (long i = 0; i < policy->net.P; i++)
    if (!isfinite(theta[i]))
      return l_fail(L, what, "theta[%d] must be finite, got %f", (int)i + 1, theta[i]);
  network_set(&policy->net, theta);
  lua_settop(L, 1);
  return 1;
}

/***
Observations seen by the normaliser, and its map.
@function normalizer
@treturn[1] table `count`, `mean` [O], `std` [O] in force
@treturn[2] nil when the policy does not normalise
*/
static int l_policy_normalizer(lua_State *L) {
  const Policy *policy = l_policy_check(L, 1, "policy:normalizer");
  const Normalizer *z = &policy->net.normalizer;
  if (!policy->net.normalize) return 0;
  lua_newtable(L);
  lua_pushnumber(L, z->count);
  lua_setfield(L, -2, "count");
  double *mean = l_rows_push_vector(L, z->O);
  memcpy(mean, z->shift, (size_t)z->O * sizeof *mean);
  lua_setfield(L, -2, "mean");
  double *std = l_rows_push_vector(L, z->O);
  for (int o = 0; o < z->O; o++) std[o] = 1 / z->scale[o];
  lua_setfield(L, -2, "std");
  return 1;
}

/* ---- the object ------------------------------------------------------------------------------------------ */

static int l_policy_tostring(lua_State *L) {
  const Policy *policy = l_policy_check(L, 1, "policy");
  const Mlp *mlp = &policy->net.mlp;
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  lua_pushfstring(L, "trpo.Policy: %s, %d", policy->dist->name, mlp->width[0]);
  luaL_addvalue(&b);
  for (int l = 1; l <= mlp->layers; l++) {
    lua_pushfstring(L, "-%d", mlp->width[l]);
    luaL_addvalue(&b);
  }
  lua_pushfstring(L, " %s, %d parameters, %s precision%s", l_policy_activations[mlp->activation],
                  (int)policy->net.P, l_policy_precisions[mlp->precision],
                  policy->net.normalize ? ", normalised observations" : "");
  luaL_addvalue(&b);
  luaL_pushresult(&b);
  return 1;
}

/* What is no method: the fields observation, action, precision, distribution. */
static int l_policy_index(lua_State *L) {
  const Policy *policy = l_policy_check(L, 1, "policy");
  const char *key = lua_tostring(L, 2);
  if (key && strcmp(key, "observation") == 0)
    l_space_push(L, &policy->net.observation);
  else if (key && strcmp(key, "action") == 0)
    l_space_push(L, &policy->action);
  else if (key && strcmp(key, "precision") == 0)
    lua_pushstring(L, l_policy_precisions[policy->net.mlp.precision]);
  else if (key && strcmp(key, "distribution") == 0)
    lua_pushstring(L, policy->dist->name);
  else
    lua_pushnil(L);
  return 1;
}

static const luaL_Reg methods[] = {{"size", l_policy_size},
                                   {"theta", l_policy_theta},
                                   {"set_theta", l_policy_set_theta},
                                   {"clone", l_policy_clone},
                                   {"normalizer", l_policy_normalizer},
                                   {NULL, NULL}};

void l_policy_open(lua_State *L) {
  luaL_newmetatable(L, TYPE);
  lua_newtable(L);
  luaL_register(L, NULL, methods);
  luaL_register(L, NULL, l_policy_act_methods);
  luaL_register(L, NULL, l_policy_rows_methods);
  luaL_register(L, NULL, l_policy_state_methods);
  l_index(L, l_policy_index);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_policy_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, l_policy_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushstring(L, TYPE);
  lua_setfield(L, -2, "__metatable"); /* a script cannot take the finalizer away */
  lua_pop(L, 1);
  lua_pushcfunction(L, l_policy_new);
  lua_setfield(L, -2, "policy");
}
