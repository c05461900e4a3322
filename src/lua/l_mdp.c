/***
Finite Markov decision processes, exactly: states 1..S, actions 1..A, expected rewards and transition probabilities by sparse
rows. A process never changes; `trpo.mdp { ... }` and its relatives make one.

Fields: `S`, `A` (numbers of states and actions), `gamma`, `rho0` (distribution of the first state [S], a copy), `episodic`
(whether some transition ends the episode), `P` (the
transition probabilities as a sparse matrix [S A, S], row (s - 1) A + a), `r` (expected rewards [S, A]); and where they are
known `name`, `grid`, `states`, `actions`, see @{trpo.mdp}. In `P`, transitions that end the episode are left out, and so
are the rows of actions that a state lacks; in `r` those are -inf.

A policy is a tensor [S, A] whose rows are distributions; an action that a state lacks has probability 0.
@classmod trpo.Mdp
*/
#include "lua/l_mdp.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_rng.h"
#include "lua/l_sparse.h"
#include "lua/l_tensor.h"

static const char *const TYPE = "trpo.Mdp";
static const char METHODS = 0; /* its address is the registry key of the table of methods */

/* --- making and finding ------------------------------------------------------------------------------------------ */

Mdp *l_mdp_test(lua_State *L, int arg) {
  return l_object(L, arg, TYPE);
}

Mdp *l_mdp_check(lua_State *L, int arg, const char *what) {
  Mdp *mdp = l_mdp_test(L, arg);
  if (mdp == NULL) {
    l_fail(L, what, "self must be an Mdp (see trpo.mdp), got %s", l_describe(L, arg));
  }
  return mdp;
}

Mdp *l_mdp_push_empty(lua_State *L) {
  Mdp *mdp = lua_newuserdata(L, sizeof *mdp);
  memset(mdp, 0, sizeof *mdp);
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lua_setfenv(L, -2);
  return mdp;
}

static int l_mdp_gc(lua_State *L) {
  mdp_free(lua_touserdata(L, 1));
  return 0;
}

void l_mdp_push_methods(lua_State *L) {
  lua_pushlightuserdata(L, (void *)&METHODS);
  lua_rawget(L, LUA_REGISTRYINDEX);
}

/* --- matrices and policies ------------------------------------------------------------------------------------------ */

double *l_mdp_push_values(lua_State *L, const Mdp *mdp) {
  return l_tensor_push_unset(L, 1, &mdp->S)->data;
}

double *l_mdp_push_pairs(lua_State *L, const Mdp *mdp) {
  return l_tensor_push_unset(L, 2, (ptrdiff_t[]){mdp->S, mdp->A})->data;
}

const double *l_mdp_matrix(lua_State *L, int arg, const char *what, const char *name,
                           const Mdp *mdp) {
  const ptrdiff_t size[] = {mdp->S, mdp->A};
  return l_tensor_data(L, l_tensor_sized(L, arg, what, name, 2, size));
}

/* raises what mdp_check_policy found */
static void fail_policy(lua_State *L, const char *what, const char *name, const Mdp *mdp,
                        const MdpFault *fault) {
  const int state = (int)fault->state + 1, action = (int)fault->action + 1;
  lua_pushnumber(L, fault->value);
  const char *value = l_describe(L, lua_gettop(L));
  if (fault->action < 0) {
    l_fail(L, what,
           "%s must be a distribution in every state, in state %d it sums to %s (tolerance 1e-09)",
           name, state, value);
  }
  if (fault->value > 0.0 && fault->value <= 1.0 && mdp_row(mdp, fault->state, fault->action) < 0) {
    l_fail(L, what,
           "%s must be 0 for an action that the state lacks, in state %d, action %d it is %s", name,
           state, action, value);
  }
  l_fail(L, what, "%s must hold probabilities, in state %d, action %d it is %s", name, state,
         action, value);
}

const double *l_mdp_policy(lua_State *L, int arg, const char *what, const char *name,
                           const Mdp *mdp) {
  MdpFault fault;
  const double *pi = l_mdp_matrix(L, arg, what, name, mdp);
  if (mdp_check_policy(mdp, pi, &fault) != OK) {
    fail_policy(L, what, name, mdp, &fault);
  }
  return pi;
}

/***
The policy that takes every action of a state with the same probability.
@function Mdp:uniform_policy
@treturn Tensor [S, A]
*/
static int l_mdp_uniform_policy(lua_State *L) {
  const Mdp *mdp = l_mdp_check(L, 1, "mdp:uniform_policy");
  mdp_uniform_policy(mdp, l_mdp_push_pairs(L, mdp));
  return 1;
}

/***
A random policy: in every state uniform among all distributions over its actions (Dirichlet with ones).
@function Mdp:random_policy
@tparam Rng rng
@treturn Tensor [S, A]
@raise unless rng is a generator
*/
static int l_mdp_random_policy(lua_State *L) {
  const char *what = "mdp:random_policy";
  const Mdp *mdp = l_mdp_check(L, 1, what);
  Rng *rng = l_rng_check(L, 2, what, "rng");
  double *logits = l_mdp_push_pairs(L, mdp);
  for (ptrdiff_t i = 0; i < mdp->S * mdp->A; i++) {
    logits[i] = log(-log(1.0 - rng_uniform(rng))); /* exponentials, divided by their sum below */
  }
  mdp_softmax_policy(mdp, l_mdp_push_pairs(L, mdp), logits);
  return 1;
}

/* raises for the first logit or value of a pair that exists which is NaN, or infinite where that is not allowed */
static void check_matrix(lua_State *L, const char *what, const char *name, const Mdp *mdp,
                         const double *x, int finite) {
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      const double value = x[s * mdp->A + mdp->action[k]];
      if (isnan(value) || (finite && isinf(value))) {
        lua_pushnumber(L, value);
        l_fail(L, what, "%s must hold %s, in state %d, action %d it is %s", name,
               finite ? "finite numbers" : "numbers", (int)s + 1, (int)mdp->action[k] + 1,
               l_describe(L, lua_gettop(L)));
      }
    }
  }
}

/***
The softmax policy pi(a | s) = exp(x(s, a)) / sum_b exp(x(s, b)), over the actions that the state has.
@function Mdp:softmax_policy
@tparam Tensor logits x [S, A]; those of missing actions are not read
@treturn Tensor [S, A]
@raise on a wrong size, and names the first logit that is not finite
*/
static int l_mdp_softmax_policy(lua_State *L) {
  const char *what = "mdp:softmax_policy";
  const Mdp *mdp = l_mdp_check(L, 1, what);
  const double *logits = l_mdp_matrix(L, 2, what, "logits", mdp);
  check_matrix(L, what, "logits", mdp, logits, 1);
  mdp_softmax_policy(mdp, l_mdp_push_pairs(L, mdp), logits);
  return 1;
}

/***
The greedy policy: in every state the action of the largest value, the lowest one among equals.
@function Mdp:greedy_policy
@tparam Tensor values [S, A], such as Q or A; those of missing actions are not read
@treturn Tensor [S, A] zeros and ones
@raise on a wrong size, and names the first NaN
*/
static int l_mdp_greedy_policy(lua_State *L) {
  const char *what = "mdp:greedy_policy";
  const Mdp *mdp = l_mdp_check(L, 1, what);
  const double *values = l_mdp_matrix(L, 2, what, "values", mdp);
  check_matrix(L, what, "values", mdp, values, 0);
  mdp_greedy_policy(mdp, l_mdp_push_pairs(L, mdp), values);
  return 1;
}

/* the number at place i, from 0, of the list or tensor at arg */
static double list_entry(lua_State *L, int arg, const Tensor *t, ptrdiff_t i) {
  if (t != NULL) {
    return t->data[i * t->stride[0]];
  }
  lua_rawgeti(L, arg, (int)i + 1);
  const double x = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : NAN;
  lua_pop(L, 1);
  return x;
}

/***
The deterministic policy that takes one action in each state.
@function Mdp:deterministic_policy
@tparam Tensor|table actions one of each state, from 1   [S]
@treturn Tensor [S, A] zeros and ones
@raise on a wrong length, and names the first state whose action it has not
*/
static int l_mdp_deterministic_policy(lua_State *L) {
  const char *what = "mdp:deterministic_policy";
  const Mdp *mdp = l_mdp_check(L, 1, what);
  const Tensor *t = NULL;
  if (!lua_istable(L, 2)) {
    t = l_tensor_sized(L, 2, what, "actions", 1, &mdp->S);
  } else if ((ptrdiff_t)lua_objlen(L, 2) != mdp->S) {
    l_fail(L, what, "actions must have one entry for each of the %d states, got %d", (int)mdp->S,
           (int)lua_objlen(L, 2));
  }
  double *pi = l_mdp_push_pairs(L, mdp);
  memset(pi, 0, (size_t)(mdp->S * mdp->A) * sizeof *pi);
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    const double action = list_entry(L, 2, t, s);
    if (!(action >= 1.0 && action <= (double)mdp->A) || action != floor(action)
        || mdp_row(mdp, s, (ptrdiff_t)action - 1) < 0) {
      l_fail(L, what, "actions must be actions that the states have, state %d has no action %f",
             (int)s + 1, action);
    }
    pi[s * mdp->A + (ptrdiff_t)action - 1] = 1.0;
  }
  return 1;
}

/* --- questions -------------------------------------------------------------------------------------------------------- */

/***
The same process with another discount factor. It shares the numbers.
@function Mdp:with_gamma
@tparam number gamma in [0, 1]
@treturn Mdp
@raise on other numbers
*/
static int l_mdp_with_gamma(lua_State *L) {
  const char *what = "mdp:with_gamma";
  const Mdp *mdp = l_mdp_check(L, 1, what);
  const double gamma = l_number_in(L, 2, what, "gamma", 0.0, 1.0);
  Mdp *made = l_mdp_push_empty(L);
  mdp_share(made, mdp);
  made->gamma = gamma;
  lua_getfenv(L, 1);
  lua_setfenv(L, -2);
  return 1;
}

static void push_outcome(lua_State *L, double prob, int32_t next, double reward, int done) {
  lua_createtable(L, 0, 4);
  lua_pushnumber(L, prob);
  lua_setfield(L, -2, "probability");
  lua_pushnumber(L, next + 1.0);
  lua_setfield(L, -2, "next");
  lua_pushnumber(L, reward);
  lua_setfield(L, -2, "reward");
  lua_pushboolean(L, done);
  lua_setfield(L, -2, "done");
}

/***
What can come of an action.
@function Mdp:outcomes
@tparam integer s state
@tparam integer a action
@treturn {table,...} `{ probability, next, reward, done }`, ordered by next state; an empty list when the state lacks the action
@raise when there is no such state or action
*/
static int l_mdp_outcomes(lua_State *L) {
  const char *what = "mdp:outcomes";
  const Mdp *mdp = l_mdp_check(L, 1, what);
  const MdpOutcomes *o = &mdp->outcomes;
  const ptrdiff_t s = l_integer_in(L, 2, what, "s", 1, mdp->S) - 1;
  const ptrdiff_t k = mdp_row(mdp, s, l_integer_in(L, 3, what, "a", 1, mdp->A) - 1);
  lua_newtable(L);
  if (k < 0) {
    return 1;
  }
  const int64_t *start = o->start != NULL ? o->start : mdp->start;
  for (int64_t j = start[k]; j < start[k + 1]; j++) {
    if (o->start != NULL) {
      push_outcome(L, o->prob[j], o->next[j], o->reward[j], o->done[j]);
    } else {
      push_outcome(L, mdp->prob[j], mdp->next[j], mdp->reward[k], 0);
    }
    lua_rawseti(L, -2, (int)(j - start[k]) + 1);
  }
  return 1;
}

/* the transition probabilities [S A, S] */
static void push_transitions(lua_State *L, const Mdp *mdp) {
  const ptrdiff_t pairs = mdp->S * mdp->A;
  if (pairs > CSR_LIMIT) {
    l_fail(L, "mdp.P", "the process must have less than 2^31 pairs for this, it has %f",
           (double)pairs);
  }
  Csr *csr = l_sparse_push_empty(L);
  l_sparse_finish(L, "mdp.P", csr_init(csr, pairs, mdp->S, (ptrdiff_t)mdp->start[mdp->rows]));
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      csr->start[s * mdp->A + mdp->action[k] + 1] = mdp->start[k + 1];
    }
  }
  for (ptrdiff_t i = 0; i < pairs; i++) { /* rows of missing actions are empty */
    csr->start[i + 1] = csr->start[i + 1] > csr->start[i] ? csr->start[i + 1] : csr->start[i];
  }
  memcpy(csr->column, mdp->next, (size_t)csr_count(csr) * sizeof *csr->column);
  memcpy(csr->value, mdp->prob, (size_t)csr_count(csr) * sizeof *csr->value);
}

/* the expected rewards [S, A], -inf where there is no action */
static void push_rewards(lua_State *L, const Mdp *mdp) {
  double *r = l_mdp_push_pairs(L, mdp);
  for (ptrdiff_t i = 0; i < mdp->S * mdp->A; i++) {
    r[i] = -INFINITY;
  }
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      r[s * mdp->A + mdp->action[k]] = mdp->reward[k];
    }
  }
}

/* 1 when some transition ends the episode */
static int is_episodic(const Mdp *mdp) {
  const MdpOutcomes *o = &mdp->outcomes;
  int64_t j = 0;
  const int64_t count = o->start != NULL ? o->start[mdp->rows] : 0;
  while (j < count && !o->done[j]) j++;
  return j < count;
}

/* a field that the process has by itself; returns 0 when there is none of this name */
static int push_field(lua_State *L, const Mdp *mdp, const char *key) {
  if (strcmp(key, "S") == 0) {
    lua_pushnumber(L, (double)mdp->S);
  } else if (strcmp(key, "A") == 0) {
    lua_pushnumber(L, (double)mdp->A);
  } else if (strcmp(key, "gamma") == 0) {
    lua_pushnumber(L, mdp->gamma);
  } else if (strcmp(key, "rho0") == 0) {
    memcpy(l_mdp_push_values(L, mdp), mdp->rho0, (size_t)mdp->S * sizeof *mdp->rho0);
  } else if (strcmp(key, "episodic") == 0) {
    lua_pushboolean(L, is_episodic(mdp));
  } else if (strcmp(key, "P") == 0) {
    push_transitions(L, mdp);
  } else if (strcmp(key, "r") == 0) {
    push_rewards(L, mdp);
  } else {
    return 0;
  }
  return 1;
}

/* a method, a field, or an entry of the environment table; upvalue 1: methods */
static int l_mdp_index(lua_State *L) {
  const Mdp *mdp = l_mdp_check(L, 1, "mdp");
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_isnil(L, -1)) {
    return 1;
  }
  if (lua_type(L, 2) == LUA_TSTRING && push_field(L, mdp, lua_tostring(L, 2))) {
    return 1;
  }
  lua_getfenv(L, 1);
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  return 1;
}

/* attach(mdp, t): further fields from the table t, such as name and grid; returns mdp */
static int l_mdp_attach(lua_State *L) {
  l_mdp_check(L, 1, "attach");
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, 3);
  }
  lua_setfenv(L, 1);
  lua_settop(L, 1);
  return 1;
}

/* is_mdp(value) */
static int l_mdp_is(lua_State *L) {
  lua_pushboolean(L, l_mdp_test(L, 1) != NULL);
  return 1;
}

/* "frozen_lake: 16 states, 4 actions, 64 pairs, 152 transitions, gamma 0.99" */
static int l_mdp_tostring(lua_State *L) {
  const Mdp *mdp = l_mdp_check(L, 1, "tostring");
  lua_getfenv(L, 1);
  lua_getfield(L, -1, "name");
  const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "mdp";
  lua_pushfstring(L, "%s: %f state%s, %f action%s, %f transitions, gamma %f", name, (double)mdp->S,
                  mdp->S == 1 ? "" : "s", (double)mdp->A, mdp->A == 1 ? "" : "s",
                  (double)mdp->start[mdp->rows], mdp->gamma);
  return 1;
}

/* --- registration -------------------------------------------------------------------------------------------------- */

static const luaL_Reg methods[] = {
    {"uniform_policy", l_mdp_uniform_policy},
    {"random_policy", l_mdp_random_policy},
    {"softmax_policy", l_mdp_softmax_policy},
    {"greedy_policy", l_mdp_greedy_policy},
    {"deterministic_policy", l_mdp_deterministic_policy},
    {"with_gamma", l_mdp_with_gamma},
    {"outcomes", l_mdp_outcomes},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {{"__gc", l_mdp_gc}, {"__tostring", l_mdp_tostring}, {NULL, NULL}};

void l_mdp_open(lua_State *L) {
  /* the table of methods, which other files add to */
  lua_pushlightuserdata(L, (void *)&METHODS);
  lua_newtable(L);
  luaL_register(L, NULL, methods);
  lua_rawset(L, LUA_REGISTRYINDEX);

  luaL_newmetatable(L, TYPE);
  luaL_register(L, NULL, meta);
  lua_pushstring(L, TYPE);
  lua_setfield(L, -2, "__metatable"); /* a script cannot take the finalizer away */
  l_mdp_push_methods(L);
  lua_pushcclosure(L, l_mdp_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);

  lua_newtable(L);
  lua_pushcfunction(L, l_mdp_attach);
  lua_setfield(L, -2, "attach");
  lua_pushcfunction(L, l_mdp_is);
  lua_setfield(L, -2, "is_mdp");
  l_mdp_push_methods(L);
  lua_setfield(L, -2, "methods");
  l_mdp_make_open(L);
  l_mdp_model_open(L);
  l_mdp_gallery_open(L);
  l_mdp_evaluate_open(L);
  l_mdp_solve_open(L);
  l_mdp_triplets_open(L);
  lua_setfield(L, -2, "mdp");
}
