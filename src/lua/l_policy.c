#include "lua/l_policy.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "base/sum.h"
#include "lua/l_arena.h"
#include "lua/l_batch.h"
#include "lua/l_check.h"
#include "lua/l_env.h"
#include "lua/l_policy_state.h"
#include "lua/l_rng.h"
#include "lua/l_rows.h"
#include "lua/l_space.h"
#include "lua/l_tensor.h"
#include "rl/fisher.h"
#include "rl/surrogate.h"

/***
Stochastic policies: a network whose outputs parametrise a distribution over actions.
Discrete action spaces get a categorical distribution (its D = A parameters per row are logits), boxes get independent
normals (D = 2A: the means from the network, then the logarithms of the standard deviations, which do not depend on the state).
@classmod trpo.Policy
*/

#define TYPE "trpo.Policy"

Policy *l_policy_check(lua_State *L, int arg, const char *what) {
  Policy *policy = l_object(L, arg, TYPE);
  if (!policy) l_fail(L, what, "policy must be a policy, got %s", l_describe(L, arg));
  return policy;
}

/* ---- construction --------------------------------------------------------------------------------------- */

static int one_of(lua_State *L, int t, const char *what, const char *key, const char *const *names,
                  int def) {
  const char *got = l_field_string(L, t, what, key, names[def]);
  for (int i = 0; names[i]; i++)
    if (strcmp(names[i], got) == 0) return i;
  lua_pushliteral(L, "");
  for (int i = 0; names[i]; i++) {
    lua_pushfstring(L, i ? ", '%s'" : "'%s'", names[i]);
    lua_concat(L, 2);
  }
  return l_fail(L, what, "%s must be one of %s, got '%s'", key, lua_tostring(L, -1), got);
}

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
  spec->activation = (Activation)one_of(L, t, what, "activation", l_policy_activations, ACT_TANH);
  spec->precision = (Precision)one_of(L, t, what, "precision", l_policy_precisions, SINGLE);
  spec->normalize = l_field_boolean(L, t, what, "normalize_observations", 0);
  if (spec->normalize && spec->observation->kind != SPACE_BOX)
    l_fail(L, what, "normalize_observations needs a box of observations");
}

/* An empty policy object on the stack: safe to collect at any time. */
static Policy *push(lua_State *L) {
  Policy *policy = lua_newuserdata(L, sizeof *policy);
  *policy = (Policy){0};
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2);
  return policy;
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
  Policy *policy = push(L);
  const Status status = policy_init(policy, &spec, rng);
  if (status != OK) return l_fail(L, what, "%s", status_text(status));
  l_nudge(L);
  return 1;
}

static int l_policy_gc(lua_State *L) {
  policy_free(l_policy_check(L, 1, "policy"));
  return 0;
}

/***
A second policy with the same parameters and normaliser.
@function clone
@treturn trpo.Policy
*/
static int l_policy_clone(lua_State *L) {
  const Policy *source = l_policy_check(L, 1, "policy:clone");
  Policy *policy = push(L);
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

/* ---- acting ---------------------------------------------------------------------------------------------- */

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

/* ---- batches of rows ------------------------------------------------------------------------------------- */

/* What the functions of a batch of observations share: arguments checked, result on the stack. */
typedef struct Rows {
  const Policy *policy;
  const double *obs;
  long N;
  Arena *arena;
} Rows;

static Rows check_rows(lua_State *L, int arg, const char *what) {
  Rows rows = {.policy = l_policy_check(L, 1, what), .arena = l_arena(L)};
  int single;
  lua_settop(L, 4); /* arguments keep their places, given or not */
  rows.obs = l_rows_observations(L, arg, what, &rows.policy->net.observation, &rows.N, &single);
  return rows;
}

static int finish(lua_State *L, const char *what, Status status) {
  if (status != OK) return l_fail(L, what, "%s", status_text(status));
  return 1;
}

/***
Distribution parameters.
@function forward
@tparam trpo.Tensor observations [N, O]
@treturn trpo.Tensor [N, D]
*/
static int l_policy_forward(lua_State *L) {
  const Rows r = check_rows(L, 2, "policy:forward");
  double *out = l_rows_push_matrix(L, r.N, r.policy->D);
  return finish(L, "policy:forward", policy_forward(r.policy, out, r.obs, r.N, r.arena));
}

/***
Logarithm of the probability or density of actions, in nats.
@function log_prob
@tparam trpo.Tensor observations [N, O]
@tparam trpo.Tensor actions [N] of integers 1..n, or [N, A]
@treturn trpo.Tensor [N]
*/
static int l_policy_log_prob(lua_State *L) {
  static const char what[] = "policy:log_prob";
  const Rows r = check_rows(L, 2, what);
  const double *action = l_rows_actions(L, 3, what, &r.policy->action, r.N);
  double *out = l_rows_push_vector(L, r.N);
  return finish(L, what, policy_log_prob(r.policy, out, r.obs, action, r.N, r.arena));
}

/***
Entropy in nats.
@function entropy
@tparam trpo.Tensor observations [N, O]
@treturn trpo.Tensor [N]
*/
static int l_policy_entropy(lua_State *L) {
  const Rows r = check_rows(L, 2, "policy:entropy");
  double *out = l_rows_push_vector(L, r.N);
  return finish(L, "policy:entropy", policy_entropy(r.policy, out, r.obs, r.N, r.arena));
}

/* The policy at 2, of the same shape as the one at 1. */
static const Policy *check_other(lua_State *L, const char *what) {
  const Policy *policy = l_policy_check(L, 1, what), *other = l_policy_check(L, 2, what);
  const Mlp *a = &policy->net.mlp, *b = &other->net.mlp;
  if (policy->dist != other->dist || a->layers != b->layers || a->precision != b->precision
      || memcmp(a->width, b->width, sizeof a->width) != 0 || a->activation != b->activation)
    l_fail(L, what, "the other policy must have the same network, distribution and precision");
  return other;
}

/***
Kullback-Leibler divergence KL(self || other) of every observation, in nats.
@function kl
@tparam trpo.Policy other of the same shape and precision
@tparam trpo.Tensor observations [N, O]
@treturn trpo.Tensor [N]
*/
static int l_policy_kl(lua_State *L) {
  static const char what[] = "policy:kl";
  const Policy *other = check_other(L, what);
  const Rows r = check_rows(L, 3, what);
  double *out = l_rows_push_vector(L, r.N);
  return finish(L, what, policy_kl(r.policy, other, out, r.obs, r.N, r.arena));
}

/***
Gradient, in other's parameters, of the mean of KL(self || other) over the observations.
@function kl_gradient
@tparam trpo.Policy other of the same shape and precision
@tparam trpo.Tensor observations [N, O]
@treturn trpo.Tensor [P]
*/
static int l_policy_kl_gradient(lua_State *L) {
  static const char what[] = "policy:kl_gradient";
  const Policy *other = check_other(L, what);
  const Rows r = check_rows(L, 3, what);
  double *out = l_rows_push_vector(L, r.policy->net.P);
  return finish(L, what, policy_kl_gradient(r.policy, other, out, r.obs, r.N, r.arena));
}

/***
Tangent of the distribution parameters: J v with J = d(parameters)/d(theta), row by row.
@function jvp
@tparam trpo.Tensor observations [N, O]
@tparam trpo.Tensor v [P]
@treturn trpo.Tensor [N, D]
*/
static int l_policy_jvp(lua_State *L) {
  static const char what[] = "policy:jvp";
  const Rows r = check_rows(L, 2, what);
  const double *v = l_rows_vector(L, 3, what, "v", r.policy->net.P);
  double *out = l_rows_push_matrix(L, r.N, r.policy->D);
  return finish(L, what, policy_jvp(r.policy, out, r.obs, v, r.N, r.arena));
}

/***
Gradient through the distribution parameters: the sum over rows of J'u.
@function vjp
@tparam trpo.Tensor observations [N, O]
@tparam trpo.Tensor u [N, D]
@treturn trpo.Tensor [P]
*/
static int l_policy_vjp(lua_State *L) {
  static const char what[] = "policy:vjp";
  const Rows r = check_rows(L, 2, what);
  const double *u = l_rows_matrix(L, 3, what, "u", r.N, r.policy->D);
  double *out = l_rows_push_vector(L, r.policy->net.P);
  return finish(L, what, policy_vjp(r.policy, out, r.obs, u, r.N, r.arena));
}

/***
Product with the Fisher information matrix of the policy over the observations, F = (1/N) sum_n J_n' M_n J_n, undamped
(Schulman et al. 2015, arXiv:1502.05477, appendix C.1).
@function fisher_product
@tparam trpo.Tensor observations [N, O], N >= 1
@tparam trpo.Tensor v [P]
@treturn[1] trpo.Tensor [P]
@treturn[2] nil, message, `"not_finite"`
*/
static int l_policy_fisher_product(lua_State *L) {
  static const char what[] = "policy:fisher_product";
  const Rows r = check_rows(L, 2, what);
  const double *v = l_rows_vector(L, 3, what, "v", r.policy->net.P);
  if (r.N == 0) return l_fail(L, what, "observations must have at least one row, got none");
  double *out = l_rows_push_vector(L, r.policy->net.P);
  const ArenaMark mark = arena_mark(r.arena);
  Fisher fisher;
  Status status = fisher_subset(&fisher, r.policy, r.obs, r.N, 1, 1, r.arena);
  if (status == OK) status = fisher_apply(&fisher, out, v);
  arena_release(r.arena, mark);
  return status == E_NOT_FINITE ? l_status(L, status) : finish(L, what, status);
}

/***
Weighted score: (1/N) sum_n w_n d log pi(a_n|s_n) / d theta. With advantages as weights it is the gradient
of the surrogate objective at the present parameters.
@function log_prob_gradient
@tparam trpo.Tensor observations [N, O], N >= 1
@tparam trpo.Tensor actions [N] of integers 1..n, or [N, A]
@tparam trpo.Tensor weights [N]
@treturn[1] trpo.Tensor [P]
@treturn[2] nil, message, `"not_finite"`
*/
static int l_policy_log_prob_gradient(lua_State *L) {
  static const char what[] = "policy:log_prob_gradient";
  const Rows r = check_rows(L, 2, what);
  const double *action = l_rows_actions(L, 3, what, &r.policy->action, r.N);
  const double *weight = l_rows_vector(L, 4, what, "weights", r.N);
  if (r.N == 0) return l_fail(L, what, "observations must have at least one row, got none");
  double *out = l_rows_push_vector(L, r.policy->net.P);
  const ArenaMark mark = arena_mark(r.arena);
  Surrogate problem;
  Policy *policy = l_policy_check(L, 1, what);
  Status status = surrogate_init(&problem, policy, r.obs, action, weight, r.N, r.arena);
  if (status == OK) status = surrogate_gradient(&problem, out);
  for (long i = 0; i < policy->net.P && status == OK; i++) out[i] *= problem.unit;
  arena_release(r.arena, mark);
  return status == E_NOT_FINITE ? l_status(L, status) : finish(L, what, status);
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

/* KL(before || after) over the rows, once the normaliser has taken them in. */
static Status renormalise(const Policy *before, const Rows *r, Policy *policy, double *kl) {
  const Status status = normalizer_update(&policy->net.normalizer, r->obs, r->N);
  if (status != OK) return status;
  return policy_kl(before, policy, kl, r->obs, r->N, r->arena);
}

/***
Takes observations into the running normaliser and puts its new map in force. The policy as a function of raw observations
changes by that; by how much is returned.
@function update_normalizer
@tparam trpo.Batch|trpo.Tensor batch a batch, or raw observations [N, O]
@treturn[1] table `kl_mean`, `kl_max`: KL(before || after) over the observations, in nats (0 without a normaliser)
@treturn[2] nil, message, `"not_finite"` when an observation is NaN or infinite; the normaliser is then as it was
*/
static int l_policy_update_normalizer(lua_State *L) {
  static const char what[] = "policy:update_normalizer";
  Policy *policy = l_policy_check(L, 1, what);
  double mean = 0, max = 0;
  if (l_batch_test(L, 2)) { /* a batch stands for its observations */
    lua_getfield(L, 2, "observations");
    lua_replace(L, 2);
  }
  const Rows r = check_rows(L, 2, what);
  if (policy->net.normalize && r.N > 0) {
    double *kl = l_rows_push_vector(L, r.N);
    Policy *before = push(L);
    Status status = policy_copy(before, policy);
    if (status == OK) status = renormalise(before, &r, policy, kl);
    if (status == E_NOT_FINITE) return l_status(L, status);
    if (status != OK) return l_fail(L, what, "%s", status_text(status));
    mean = sum_mean(kl, (size_t)r.N);
    for (long i = 0; i < r.N; i++) max = fmax(max, kl[i]);
  }
  lua_createtable(L, 0, 2);
  lua_pushnumber(L, mean);
  lua_setfield(L, -2, "kl_mean");
  lua_pushnumber(L, max);
  lua_setfield(L, -2, "kl_max");
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

/* Methods first, then the fields observation, action, precision, distribution. */
static int l_policy_index(lua_State *L) {
  const Policy *policy = l_policy_check(L, 1, "policy");
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_isnil(L, -1)) return 1;
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
                                   {"act", l_policy_act},
                                   {"sample", l_policy_sample},
                                   {"forward", l_policy_forward},
                                   {"log_prob", l_policy_log_prob},
                                   {"entropy", l_policy_entropy},
                                   {"kl", l_policy_kl},
                                   {"kl_gradient", l_policy_kl_gradient},
                                   {"jvp", l_policy_jvp},
                                   {"vjp", l_policy_vjp},
                                   {"fisher_product", l_policy_fisher_product},
                                   {"log_prob_gradient", l_policy_log_prob_gradient},
                                   {"normalizer", l_policy_normalizer},
                                   {"update_normalizer", l_policy_update_normalizer},
                                   {NULL, NULL}};

void l_policy_open(lua_State *L) {
  luaL_newmetatable(L, TYPE);
  lua_newtable(L);
  luaL_register(L, NULL, methods);
  luaL_register(L, NULL, l_policy_state_methods);
  lua_pushcclosure(L, l_policy_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_policy_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, l_policy_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
  lua_pushcfunction(L, l_policy_new);
  lua_setfield(L, -2, "policy");
}
