#include "lua/l_batch.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_env.h"
#include "lua/l_policy.h"
#include "lua/l_rows.h"
#include "lua/l_space.h"
#include "lua/l_tensor.h"
#include "lua/l_value.h"
#include "rl/advantage.h"
#include "rl/sampler.h"

/***
Trajectories: what a policy did in an environment, lane after lane, each in the order of time.
Fields are tensors that show the batch's own memory (changing them changes the batch), except for discrete observations
and actions, which are copies with 1-based integers: `observations` [N, O], `actions` [N] or [N, A] (as drawn, not clipped),
`rewards`, `terminated`, `truncated` (0 or 1), `log_probs`, `times` (steps of the episode before each row), `values`,
`advantages`, `returns` [N] (filled by `trpo.gae`), `episode_returns`, `episode_lengths` (of the episodes that ended),
`last_observations` [K, O] (the true last observations of trajectories that were truncated or cut). `#batch` is N.
@classmod trpo.Batch
*/

#define TYPE "trpo.Batch"

/* A batch and the spaces it speaks of. */
typedef struct BatchObject {
  Batch batch;
  Space observation, action;
} BatchObject;

static BatchObject *check(lua_State *L, int arg, const char *what) {
  BatchObject *object = l_object(L, arg, TYPE);
  if (!object) l_fail(L, what, "batch must be a batch, got %s", l_describe(L, arg));
  return object;
}

Batch *l_batch_test(lua_State *L, int arg) {
  BatchObject *object = l_object(L, arg, TYPE);
  return object ? &object->batch : NULL;
}

Batch *l_batch_check(lua_State *L, int arg, const char *what) {
  return &check(L, arg, what)->batch;
}

void l_batch_check_value(lua_State *L, int arg, const char *what, const Value *value) {
  l_space_match(L, what, "the batch's observations", "value baseline", value_space(value),
                &check(L, arg, what)->observation);
}

void l_batch_check_policy(lua_State *L, int arg, const char *what, const Policy *policy) {
  const BatchObject *object = check(L, arg, what);
  l_space_match(L, what, "the batch's observations", "policy", &policy->net.observation,
                &object->observation);
  l_space_match(L, what, "the batch's actions", "policy", &policy->action, &object->action);
}

/* An empty batch object on the stack: safe to collect at any time. */
static BatchObject *push(lua_State *L, const Space *observation, const Space *action) {
  BatchObject *object = lua_newuserdata(L, sizeof *object);
  *object = (BatchObject){.batch = {0}};
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2);
  space_share(&object->observation, observation);
  space_share(&object->action, action);
  return object;
}

static int l_batch_gc(lua_State *L) {
  BatchObject *object = check(L, 1, "batch");
  batch_free(&object->batch);
  space_free(&object->observation);
  space_free(&object->action);
  return 0;
}

/* ---- collecting ------------------------------------------------------------------------------------------ */

static SamplerOptions read_options(lua_State *L, const char *what, const Env *env) {
  static const char *const keys[] = {"horizon",       "budget", "whole_episodes",
                                     "deterministic", "batch",  NULL};
  SamplerOptions options = {.horizon = 256};
  if (lua_isnoneornil(L, 3)) return options;
  if (!lua_istable(L, 3)) l_fail(L, what, "options must be a table, got %s", l_describe(L, 3));
  l_known_keys(L, 3, what, keys);
  options.deterministic = l_field_boolean(L, 3, what, "deterministic", 0);
  if (l_field_boolean(L, 3, what, "whole_episodes", 0)) {
    if (!env->time_limit) l_fail(L, what, "whole_episodes needs an environment with a time limit");
    lua_getfield(L, 3, "horizon");
    if (!lua_isnil(L, -1))
      l_fail(L, what, "horizon does not go with whole_episodes; give a budget of steps");
    lua_pop(L, 1);
    options.horizon = 0;
    options.budget = l_field_integer(L, 3, what, "budget", 1, 1L << 40, 2048);
  } else {
    lua_getfield(L, 3, "budget");
    if (!lua_isnil(L, -1))
      l_fail(L, what, "budget goes with whole_episodes = true only; give a horizon");
    lua_pop(L, 1);
    options.horizon = l_field_integer(L, 3, what, "horizon", 1, 1L << 32, 256);
  }
  return options;
}

static void check_spaces(lua_State *L, const char *what, const Env *env, const Policy *policy) {
  l_space_match(L, what, "the policy's observations", "environment", &env->observation,
                &policy->net.observation);
  l_space_match(L, what, "the policy's actions", "environment", &env->action, &policy->action);
}

/* The batch of options.batch when it can be filled again, or a new one, on the stack. */
static BatchObject *make_batch(lua_State *L, const char *what, const Env *env,
                               const SamplerOptions *options) {
  long capacity, cuts;
  sampler_room(env, options, &capacity, &cuts);
  if (lua_istable(L, 3)) {
    lua_getfield(L, 3, "batch");
    if (!lua_isnil(L, -1)) {
      BatchObject *object = check(L, lua_gettop(L), what);
      if (space_equal(&object->observation, &env->observation)
          && space_equal(&object->action, &env->action)
          && batch_fits(&object->batch, capacity, env->lanes, env->O, env->A, cuts))
        return object;
    }
    lua_pop(L, 1);
  }
  BatchObject *object = push(L, &env->observation, &env->action);
  if (batch_init(&object->batch, capacity, env->lanes, env->O, env->A, cuts) != OK)
    l_fail(L, what, "not enough memory for a batch of %f rows", (double)capacity);
  l_nudge(L);
  return object;
}

/***
Lets a policy act in an environment.
@function trpo.collect
@tparam trpo.Env env
@tparam trpo.Policy policy
@tparam[opt] table options
 `horizon` steps of each lane, going on where the last call left off (default 256);
 or `whole_episodes = true` and `budget`, the number of steps at which no new episode is begun;
 `deterministic` take the most probable actions; `batch` an earlier batch whose memory may be used again
@treturn[1] trpo.Batch
@treturn[2] nil, message (with the user's traceback if there is one), code: `"environment"` or `"not_finite"`
@raise on bad options
*/
static int l_batch_collect(lua_State *L) {
  static const char what[] = "trpo.collect";
  lua_settop(L, 3);
  Env *env = l_env_check(L, 1, what);
  const Policy *policy = l_policy_check(L, 2, what);
  const SamplerOptions options = read_options(L, what, env);
  check_spaces(L, what, env, policy);
  BatchObject *object = make_batch(L, what, env, &options);
  EnvCall call = {.host = L};
  const Status status = sampler_collect(&object->batch, env, &call, policy, &options, l_arena(L));
  if (status == OK) return 1;
  lua_pushnil(L);
  lua_pushstring(L, call.message[0] ? call.message : status_text(status));
  lua_pushstring(L, status_name(status));
  return 3;
}

/***
Plays whole episodes and returns their sums of rewards. Every episode begins with a reset. Each of L lanes plays
episodes / L of them, the first episodes % L lanes one more; lanes step together until they are done. Episodes are
returned lane after lane, and depend on seed and lane, not on the other lanes or on threads.
@function trpo.play
@tparam trpo.Env env
@tparam trpo.Policy policy
@tparam[opt] table options `episodes` (default 100), `deterministic` (default true: the most probable actions),
 `interruptible` (default false): end when a signal comes that `trpo.signals` watches, as episodes may be without end
@treturn[1] trpo.Tensor [episodes] undiscounted returns
@treturn[1] trpo.Tensor [episodes] lengths in steps
@treturn[2] nil, message, code as `trpo.collect`, or `"interrupted"`
*/
static int l_batch_play(lua_State *L) {
  static const char what[] = "trpo.play";
  static const char *const keys[] = {"episodes", "deterministic", "interruptible", NULL};
  long episodes = 100;
  SamplerOptions options = {.deterministic = 1};
  lua_settop(L, 3);
  Env *env = l_env_check(L, 1, what);
  const Policy *policy = l_policy_check(L, 2, what);
  if (!lua_isnil(L, 3)) {
    if (!lua_istable(L, 3))
      return l_fail(L, what, "options must be a table, got %s", l_describe(L, 3));
    l_known_keys(L, 3, what, keys);
    episodes = l_field_integer(L, 3, what, "episodes", 1, 1L << 30, 100);
    options.deterministic = l_field_boolean(L, 3, what, "deterministic", 1);
    options.interruptible = l_field_boolean(L, 3, what, "interruptible", 0);
  }
  check_spaces(L, what, env, policy);
  double *returns = l_rows_push_vector(L, episodes), *lengths = l_rows_push_vector(L, episodes);
  EnvCall call = {.host = L};
  const Status status = sampler_evaluate(returns, lengths, episodes, env, &call, policy, &options,
                                         l_arena(L));
  if (status == OK) return 2;
  lua_pushnil(L);
  lua_pushstring(L, call.message[0] ? call.message : status_text(status));
  lua_pushstring(L, status_name(status));
  return 3;
}

/* ---- batches made by hand ---------------------------------------------------------------------------------- */

/* Copies the optional vector in field key of the table at 1 into to [N]. */
static void copy_field(lua_State *L, const char *what, const char *key, double *to, long N) {
  lua_getfield(L, 1, key);
  if (!lua_isnil(L, -1))
    memcpy(to, l_rows_vector(L, lua_gettop(L), what, key, N), (size_t)N * sizeof *to);
  lua_settop(L, 2);
}

/* Marks are 0 or 1, and a step ends an episode in one way. */
static void check_marks(lua_State *L, const char *what, const Batch *b) {
  for (long i = 0; i < b->N; i++) {
    const double t = b->terminated[i], c = b->truncated[i];
    if ((t != 0 && t != 1) || (c != 0 && c != 1))
      l_fail(L, what, "terminated and truncated must be 0 or 1, got %f and %f in row %d", t, c,
             (int)i + 1);
    if (t != 0 && c != 0) l_fail(L, what, "row %d cannot be terminated and truncated", (int)i + 1);
  }
}

/* Every row that ends without a terminal state needs its last observation: by default the last row of the
 * batch and the truncated ones are cut at their own observation's successor, given in last_observations. */
static void mark_cuts(lua_State *L, const char *what, BatchObject *object) {
  Batch *b = &object->batch;
  long K = 0;
  for (long i = 0; i < b->N; i++) {
    const int cut = b->truncated[i] != 0 || (i + 1 == b->N && b->terminated[i] == 0);
    b->cut[i] = cut ? (int32_t)K++ : -1;
    b->time[i] = i == 0 || b->terminated[i - 1] != 0 || b->truncated[i - 1] != 0
                     ? 0
                     : b->time[i - 1] + 1;
    if (cut) b->cut_time[K - 1] = b->time[i] + 1;
  }
  b->cut_count = K;
  lua_getfield(L, 1, "last_observations");
  if (!lua_isnil(L, -1)) {
    long n;
    int single;
    const double *obs = l_rows_observations(L, lua_gettop(L), what, &object->observation, &n,
                                            &single);
    if (n != K)
      l_fail(L, what,
             "last_observations must have %d rows, one for every trajectory that stops "
             "without a terminal state, got %d",
             (int)K, (int)n);
    memcpy(b->cut_obs, obs, (size_t)(K * b->O) * sizeof *obs);
  }
  lua_settop(L, 2);
}

/***
A batch made by hand: offline data, or tests. Rows are one lane in the order of time.
@function trpo.batch
@tparam table fields
 `policy` whose spaces the rows have; `observations` [N, O] and `actions` ([N] of integers 1..n, or [N, A]), N >= 1;
 optional [N]: `rewards`, `terminated`, `truncated`, `advantages`, `returns`, `values`;
 `last_observations` [K, O]: for every truncated row, and for the last row unless terminated, the observation after it
 (zeros by default; needed only by `trpo.gae` with a value baseline)
@treturn trpo.Batch
*/
static int l_batch_new(lua_State *L) {
  static const char what[] = "trpo.batch";
  static const char *const keys[] = {"policy",     "observations",      "actions",    "rewards",
                                     "terminated", "truncated",         "advantages", "returns",
                                     "values",     "last_observations", NULL};
  lua_settop(L, 1);
  if (!lua_istable(L, 1))
    return l_fail(L, what, "fields must be a table, got %s", l_describe(L, 1));
  l_known_keys(L, 1, what, keys);
  lua_getfield(L, 1, "policy");
  const Policy *policy = l_policy_check(L, 2, what);
  const Space *observation = &policy->net.observation;
  BatchObject *object = push(L, observation, &policy->action);
  lua_insert(L, 2); /* the batch stays at 2 */
  lua_settop(L, 3);
  lua_getfield(L, 1, "observations");
  lua_getfield(L, 1, "actions");
  long N;
  int single;
  const double *obs = l_rows_observations(L, 4, what, observation, &N, &single);
  if (N == 0) return l_fail(L, what, "observations must have at least one row, got none");
  const double *action = l_rows_actions(L, 5, what, &policy->action, N);
  Batch *b = &object->batch;
  if (batch_init(b, N, 1, observation->size, policy->action.size, N) != OK)
    return l_fail(L, what, "not enough memory for a batch of %f rows", (double)N);
  b->N = b->lane_begin[1] = N;
  memcpy(b->obs, obs, (size_t)(N * b->O) * sizeof *obs);
  memcpy(b->action, action, (size_t)(N * b->A) * sizeof *action);
  if (policy_log_prob(policy, b->log_prob, obs, action, N, l_arena(L)) != OK)
    return l_fail(L, what, "not enough memory");
  lua_settop(L, 2);
  copy_field(L, what, "rewards", b->reward, N);
  copy_field(L, what, "terminated", b->terminated, N);
  copy_field(L, what, "truncated", b->truncated, N);
  copy_field(L, what, "advantages", b->advantage, N);
  copy_field(L, what, "returns", b->ret, N);
  copy_field(L, what, "values", b->value, N);
  check_marks(L, what, b);
  mark_cuts(L, what, object);
  l_nudge(L);
  return 1;
}

/* ---- advantages ------------------------------------------------------------------------------------------ */

static Status predict(lua_State *L, const Value *value, Batch *b) {
  Status status = value_predict(value, b->value, b->obs, b->time, b->N, l_arena(L));
  if (status == OK)
    status = value_predict(value, b->cut_value, b->cut_obs, b->cut_time, b->cut_count, l_arena(L));
  return status;
}

/***
Generalised advantage estimation (Schulman et al. 2016, arXiv:1506.02438, equations 11 and 16): fills `values`, `advantages` and
`returns` (= advantages + values, the targets of the baseline). Terminal states have value 0; truncated and cut
trajectories bootstrap with the value of their true last observation. `lambda = 1` without a baseline gives Monte-Carlo returns.
@function trpo.gae
@tparam trpo.Batch batch
@tparam[opt] table options `gamma` in [0, 1] (default 0.99), `lambda` in [0, 1] (0.97), `value` a baseline (none, or false: V = 0),
 `standardize` subtract the mean and divide by the standard deviation (false)
@treturn trpo.Batch the same batch
*/
static int l_batch_gae(lua_State *L) {
  static const char what[] = "trpo.gae";
  static const char *const keys[] = {"gamma", "lambda", "value", "standardize", NULL};
  double gamma = 0.99, lambda = 0.97;
  int standardize = 0;
  lua_settop(L, 2);
  Batch *b = l_batch_check(L, 1, what);
  const Value *value = NULL;
  if (!lua_isnil(L, 2)) {
    if (!lua_istable(L, 2))
      return l_fail(L, what, "options must be a table, got %s", l_describe(L, 2));
    l_known_keys(L, 2, what, keys);
    gamma = l_field_number(L, 2, what, "gamma", 0, 1, gamma);
    lambda = l_field_number(L, 2, what, "lambda", 0, 1, lambda);
    standardize = l_field_boolean(L, 2, what, "standardize", 0);
    lua_getfield(L, 2, "value");
    if (lua_toboolean(L, 3)) value = l_value_check(L, 3, what);
    if (value) l_batch_check_value(L, 1, what, value);
  }
  const double start = clock_seconds();
  memset(b->value, 0, (size_t)b->N * sizeof *b->value);
  memset(b->cut_value, 0, (size_t)b->cut_count * sizeof *b->cut_value);
  if (value && predict(L, value, b) != OK) return l_fail(L, what, "%s", status_text(E_NOMEM));
  advantage_gae(b, gamma, lambda);
  if (standardize) advantage_standardize(b->advantage, b->N);
  b->seconds_advantage = clock_seconds() - start;
  lua_settop(L, 1);
  return 1;
}

/***
How much of the variance of `returns` the `values` explain: 1 - Var(returns - values) / Var(returns).
@function explained_variance
@treturn number at most 1; NaN when the returns do not vary
*/
static int l_batch_explained_variance(lua_State *L) {
  lua_pushnumber(L, advantage_explained_variance(l_batch_check(L, 1, "batch:explained_variance")));
  return 1;
}

/* ---- the object ------------------------------------------------------------------------------------------ */

static void push_view(lua_State *L, const Batch *b, double *data, int ndim, long rows,
                      long columns) {
  l_tensor_push_view(L, b->storage, data, ndim, (ptrdiff_t[]){rows, columns});
}

/* Rows of a space: integers from 1 as a copy, boxes as a view. */
static void push_rows(lua_State *L, const Batch *b, const Space *space, double *data, long rows) {
  if (space->kind == SPACE_DISCRETE)
    l_rows_push_actions(L, space, data, rows, 0);
  else
    push_view(L, b, data, 2, rows, space->size);
}

/* Fields with one number per row. */
static double *row_field(const Batch *b, const char *key) {
  const struct {
    const char *key;
    double *data;
  } fields[] = {{"rewards", b->reward},       {"terminated", b->terminated},
                {"truncated", b->truncated},  {"log_probs", b->log_prob},
                {"times", b->time},           {"values", b->value},
                {"advantages", b->advantage}, {"returns", b->ret}};
  for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
    if (strcmp(fields[k].key, key) == 0) return fields[k].data;
  return NULL;
}

static int l_batch_index(lua_State *L) {
  BatchObject *object = check(L, 1, "batch");
  const Batch *b = &object->batch;
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  double *row = row_field(b, key);
  if (row)
    push_view(L, b, row, 1, b->N, 1);
  else if (strcmp(key, "observations") == 0)
    push_rows(L, b, &object->observation, b->obs, b->N);
  else if (strcmp(key, "actions") == 0)
    push_rows(L, b, &object->action, b->action, b->N);
  else if (strcmp(key, "last_observations") == 0)
    push_rows(L, b, &object->observation, b->cut_obs, b->cut_count);
  else if (strcmp(key, "episode_returns") == 0)
    push_view(L, b, b->episode_return, 1, b->episodes, 1);
  else if (strcmp(key, "episode_lengths") == 0)
    push_view(L, b, b->episode_length, 1, b->episodes, 1);
  else if (strcmp(key, "lanes") == 0)
    lua_pushinteger(L, b->lanes);
  else if (strcmp(key, "explained_variance") == 0)
    lua_pushcfunction(L, l_batch_explained_variance);
  else
    lua_pushnil(L);
  return 1;
}

static int l_batch_len(lua_State *L) {
  lua_pushnumber(L, (lua_Number)l_batch_check(L, 1, "batch")->N);
  return 1;
}

static int l_batch_tostring(lua_State *L) {
  const Batch *b = l_batch_check(L, 1, "batch");
  lua_pushfstring(L, "trpo.Batch: %d steps in %d lanes, %d episodes ended", (int)b->N, b->lanes,
                  (int)b->episodes);
  return 1;
}

void l_batch_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"__index", l_batch_index},
                                     {"__len", l_batch_len},
                                     {"__gc", l_batch_gc},
                                     {"__tostring", l_batch_tostring},
                                     {NULL, NULL}};
  static const luaL_Reg functions[] = {{"collect", l_batch_collect},
                                       {"play", l_batch_play},
                                       {"batch", l_batch_new},
                                       {"gae", l_batch_gae},
                                       {NULL, NULL}};
  luaL_newmetatable(L, TYPE);
  luaL_register(L, NULL, methods);
  lua_pop(L, 1);
  luaL_register(L, NULL, functions);
}
