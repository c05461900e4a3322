#include "lua/l_policy_act.h"

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_policy.h"
#include "lua/l_rng.h"
#include "lua/l_rows.h"
#include "lua/l_state.h"
#include "lua/l_tensor.h"

/***
Acting. The cheapest call has one observation in a tensor that is filled again and again, and for boxes of actions an
`out`: it allocates nothing.
@submodule trpo.Policy
*/

/* observations and actions of up to so many doubles need no tensor */
enum { SMALL = 64 };

/* the arguments of act and sample: self, observation, rng, out, log_prob */
enum { AT_OBSERVATION = 2, AT_RNG, AT_OUT, AT_LOG_PROB };

/* What one call is about. */
typedef struct Call {
  const char *what;
  const Policy *policy;
  const double *obs;
  long N;
  int single;              /* one unbatched observation */
  Tensor *out_, *density_; /* given by the caller */
  double *action, *log_prob;
  int log_prob_at;           /* on the stack, of a batch whose caller gave no tensor */
  double own[2 * SMALL + 1]; /* memory of small calls: observation, action, log_prob */
} Call;

/* ---- arguments ------------------------------------------------------------------------------------------- */

/* Reads one observation from a plain table of numbers; 0 for anything else. */
static int read_table(lua_State *L, const Space *space, double *obs) {
  if (lua_type(L, AT_OBSERVATION) != LUA_TTABLE || space->kind != SPACE_BOX || space->size > SMALL
      || lua_objlen(L, AT_OBSERVATION) != (size_t)space->size)
    return 0;
  for (int i = 0; i < space->size; i++) {
    lua_rawgeti(L, AT_OBSERVATION, i + 1);
    const int number = lua_type(L, -1) == LUA_TNUMBER;
    obs[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
    if (!number) return 0;
  }
  return 1;
}

static void read_observations(lua_State *L, Call *call) {
  const Space *space = &call->policy->net.observation;
  if (read_table(L, space, call->own)) {
    call->obs = call->own;
    call->N = call->single = 1;
  } else {
    call->obs = l_rows_observations(L, AT_OBSERVATION, call->what, space, &call->N, &call->single);
  }
}

/* The tensor at arg, of that size, or NULL. */
static Tensor *optional(lua_State *L, int arg, const char *what, const char *name, int ndim,
                        const ptrdiff_t *size) {
  if (lua_isnil(L, arg)) return NULL;
  Tensor *t = l_tensor_sized(L, arg, what, name, ndim, size);
  l_tensor_check_writable(L, t, what, name);
  return t;
}

static void read_results(lua_State *L, Call *call) {
  const Space *space = &call->policy->action;
  const int discrete = space->kind == SPACE_DISCRETE, single = call->single;
  const ptrdiff_t size[2] = {call->N, space->size};
  if (single && discrete && !lua_isnil(L, AT_OUT))
    l_fail(L, call->what, "out must be nil for one discrete action, which is a number, got %s",
           l_describe(L, AT_OUT));
  if (single && !lua_isnil(L, AT_LOG_PROB))
    l_fail(L, call->what, "log_prob must be nil for one observation, whose own is a number, got %s",
           l_describe(L, AT_LOG_PROB));
  call->out_ = optional(L, AT_OUT, call->what, "out", single || discrete ? 1 : 2,
                        single ? size + 1 : size);
  call->density_ = optional(L, AT_LOG_PROB, call->what, "log_prob", 1, size);
  if (call->out_ && call->density_ && tensor_overlap(call->out_, call->density_))
    l_fail(L, call->what, "log_prob and out must not share elements");
}

/* ---- results --------------------------------------------------------------------------------------------- */

/* Where count numbers are computed: in the caller's tensor where that is possible, or in a new one on the stack. */
static double *target(lua_State *L, const Tensor *given_, long count) {
  const Tensor *obs = l_tensor_test(L, AT_OBSERVATION);
  if (given_ && tensor_is_contiguous(given_) && !(obs && tensor_overlap(given_, obs)))
    return given_->data;
  return l_rows_push_vector(L, count);
}

static void find_memory(lua_State *L, Call *call, int draws) {
  const int size = call->policy->action.size;
  const int small = call->single && size <= SMALL;
  call->action = small ? call->own + SMALL : target(L, call->out_, call->N * size);
  if (call->single)
    call->log_prob = call->own + 2 * SMALL;
  else if (draws)
    call->log_prob = target(L, call->density_, call->N);
  call->log_prob_at = lua_gettop(L);
}

/* Brings numbers to the caller's tensor at arg, which is pushed; shift is added. */
static void deliver(lua_State *L, int arg, const Tensor *to, const double *x, int shift) {
  const ptrdiff_t columns = to->ndim == 2 ? to->size[1] : 1;
  const ptrdiff_t across = to->ndim == 2 ? to->stride[1] : 0;
  for (ptrdiff_t i = 0; i < to->size[0]; i++)
    for (ptrdiff_t j = 0; j < columns; j++) to->data[i * to->stride[0] + j * across] = *x++ + shift;
  lua_pushvalue(L, arg);
}

static void push_action(lua_State *L, const Call *call) {
  const Space *space = &call->policy->action;
  if (call->out_) /* 1-based in Lua */
    deliver(L, AT_OUT, call->out_, call->action, space->kind == SPACE_DISCRETE);
  else
    l_rows_push_actions(L, space, call->action, call->N, call->single);
}

static void push_log_prob(lua_State *L, const Call *call) {
  if (call->single)
    lua_pushnumber(L, *call->log_prob);
  else if (call->density_)
    deliver(L, AT_LOG_PROB, call->density_, call->log_prob, 0);
  else
    lua_pushvalue(L, call->log_prob_at);
}

/* ---- methods --------------------------------------------------------------------------------------------- */

/* act and sample: with a generator, draws; without, takes the mode. */
static int act(lua_State *L, const char *what, Rng *rng_) {
  Call call;
  call.what = what;
  call.policy = l_policy_check(L, 1, what);
  lua_settop(L, AT_LOG_PROB);
  read_observations(L, &call);
  read_results(L, &call);
  find_memory(L, &call, rng_ != NULL);
  Arena *arena = l_arena(L);
  const Status status = rng_ ? policy_sample(call.policy, call.action, call.log_prob, call.obs,
                                             call.N, rng_, arena)
                             : policy_mode(call.policy, call.action, call.obs, call.N, arena);
  if (status == E_NOT_FINITE) return l_status(L, status);
  if (status != OK) return l_fail(L, what, "%s", status_text(status));
  push_action(L, &call);
  if (!rng_) return 1;
  push_log_prob(L, &call);
  return 2;
}

/***
The most probable action (mean of a normal). Takes what `sample` takes but for `log_prob`, so that one can stand for the other, and draws nothing.

What is one observation and one action depends on the spaces. Of a box of observations one is a tensor [O] or a table of O numbers, of a discrete
space a number 1..n, or a tensor [1] such as `env:reset()` gives with one lane, which is a batch of one. Of a box of actions one is a tensor [A], of
a discrete space a number. A batch has actions with as many rows: `policy:act(3)` is a number for FrozenLake, `policy:act(env:reset())` a tensor [1],
which `env:step` takes.
@function act
@param observation a tensor [O] or a table, or a batch [N, O]; integers 1..n for discrete observation spaces
@tparam[opt] trpo.Rng rng is left as it is; nil where only `out` is given: `policy:act(observation, nil, out)`
@tparam[opt] trpo.Tensor out gets the actions and is returned: [A], or for a batch [N] or [N, A]. One discrete action is a number and needs none
@return an integer 1..n or a tensor [A]; for a batch [N] or [N, A];
 nil, message, `"not_finite"` when a distribution has NaN or infinite parameters (`out` may then hold anything)
@raise on an observation or `out` of another size
*/
static int l_policy_act(lua_State *L) {
  static const char what[] = "policy:act";
  if (l_tensor_test(L, AT_RNG))
    return l_fail(L, what, "out is the third argument: policy:act(observations, nil, out)");
  if (!lua_isnoneornil(L, AT_RNG) && !l_rng_test(L, AT_RNG))
    return l_fail(L, what, "takes no options, got %s; policy:sample(observations, rng) draws",
                  l_describe(L, AT_RNG));
  if (!lua_isnoneornil(L, AT_LOG_PROB))
    return l_fail(L, what, "takes no log_prob, got %s; policy:sample returns it",
                  l_describe(L, AT_LOG_PROB));
  return act(L, what, NULL);
}

/***
Draws an action.
@function sample
@param observation as for act
@tparam trpo.Rng rng a generator, which advances
@tparam[opt] trpo.Tensor out as for act
@tparam[opt] trpo.Tensor log_prob gets the logarithms of a batch [N], and is returned
@return an action, as act returns it (not clipped to the bounds of a box), or nil, message, `"not_finite"`
@return the logarithm of its probability or density: a number, or [N]
@raise as act
*/
static int l_policy_sample(lua_State *L) {
  return act(L, "policy:sample", l_rng_check(L, AT_RNG, "policy:sample", "rng"));
}

const luaL_Reg l_policy_act_methods[] = {
    {"act", l_policy_act}, {"sample", l_policy_sample}, {NULL, NULL}};
