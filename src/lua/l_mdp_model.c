/* tabular processes from outcomes: in columns, and from a function */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

#include "lua/l_builder.h"
#include "lua/l_check.h"
#include "lua/l_mdp.h"
#include "lua/l_tensor.h"

/***
Making processes from outcomes.
@submodule trpo.Mdp
*/

/* where an outcome stands, for messages */
typedef struct Place {
  const char *what;
  ptrdiff_t S;
  const char *where; /* "outcome 3", "outcome 1 of model(2, 1)" */
} Place;

/* pushes nil, message, code for an outcome whose numbers make no sense, and returns 3 */
static int check_outcome(lua_State *L, const Place *p, double prob, double reward) {
  if (!(prob >= 0.0 && prob <= 1.0 + MDP_SUM_TOLERANCE)) {
    return l_builder_refuse(L, p->what, isnan(prob) ? E_NOT_FINITE : E_NOT_STOCHASTIC,
                            "%s has the probability %s", p->where, l_builder_shown(L, prob));
  }
  if (!isfinite(reward)) {
    return l_builder_refuse(L, p->what, E_NOT_FINITE, "%s has the reward %s", p->where,
                            l_builder_shown(L, reward));
  }
  return 0;
}

/* an integer in 1..limit as a 0-based one */
static ptrdiff_t check_index(lua_State *L, const Place *p, const char *name, double x,
                             ptrdiff_t limit) {
  if (!(x >= 1.0 && x <= (double)limit) || x != floor(x)) {
    l_fail(L, p->what, "%s must have an integer in [1, %f] as its %s, got %s", p->where,
           (double)limit, name, l_builder_shown(L, x));
  }
  return (ptrdiff_t)x - 1;
}

/* the columns of a table of triplets */
enum { STATE, ACTION, NEXT, PROBABILITY, REWARD, DONE, COLUMNS };
static const char *const column_names[] = {"state",       "action", "next",
                                           "probability", "reward", "done"};

/* reads them from the options; returns how many entries each has; done may be missing */
static ptrdiff_t read_columns(lua_State *L, const char *what, const Tensor **column) {
  ptrdiff_t n = -1;
  for (int i = 0; i < COLUMNS; i++) {
    lua_getfield(L, 1, column_names[i]); /* the table keeps it alive */
    if (i == DONE && lua_isnil(L, -1)) {
      column[i] = NULL;
    } else {
      column[i] = l_tensor_sized(L, lua_gettop(L), what, column_names[i], 1, &n);
      n = column[i]->size[0];
    }
    lua_pop(L, 1);
  }
  return n;
}

/***
A process from its outcomes in columns: outcome i happens in state `state[i]` after action `action[i]` with probability
`probability[i]`, leads to `next[i]`, brings `reward[i]`, and ends the episode if `done[i]` is 1 (not 0). Any order; equal outcomes of
a pair are merged; pairs without outcomes do not exist.
@function trpo.mdp.from_triplets
@tparam table options `S`, `A` (numbers of states and actions), `state`, `action`, `next`, `probability`, `reward`, `done` (optional):
 tensors of equal length, all counting from 1; `gamma`, `rho0` as for @{trpo.mdp}
@treturn[1] Mdp
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code: "not_stochastic" or "not_finite"
@raise on wrong sizes and indices out of range (named)
*/
static int l_mdp_model_from_triplets(lua_State *L) {
  static const char *const keys[] = {"S",      "A",    "state", "action", "next", "probability",
                                     "reward", "done", "gamma", "rho0",   NULL};
  const char *what = "trpo.mdp.from_triplets";
  const Tensor *column[COLUMNS];
  l_builder_options(L, what, keys);
  const ptrdiff_t S = l_field_integer(L, 1, what, "S", 1, MDP_LIMIT, 0);
  const ptrdiff_t A = l_field_integer(L, 1, what, "A", 1, MDP_LIMIT, 0);
  const ptrdiff_t n = read_columns(L, what, column);
  Builder *b = l_builder_push(L, S, A);
  if (builder_reserve(b, n) != OK) {
    l_fail(L, what, "not enough memory");
  }
  for (ptrdiff_t i = 0; i < n; i++) {
    double x[COLUMNS] = {0};
    for (int c = 0; c < COLUMNS; c++) {
      x[c] = column[c] != NULL ? column[c]->data[i * column[c]->stride[0]] : 0.0;
    }
    char where[40];
    snprintf(where, sizeof where, "outcome %td", i + 1);
    const Place place = {what, S, where};
    const ptrdiff_t s = check_index(L, &place, "state", x[STATE], S);
    const ptrdiff_t a = check_index(L, &place, "action", x[ACTION], A);
    const ptrdiff_t next = check_index(L, &place, "next", x[NEXT], S);
    const int refused = check_outcome(L, &place, x[PROBABILITY], x[REWARD]);
    if (refused) {
      return refused;
    }
    if (x[DONE] != 0.0 && x[DONE] != 1.0) {
      l_fail(L, what, "%s must have 1 or 0 as its done, got %s", where,
             l_builder_shown(L, x[DONE]));
    }
    l_builder_add(L, what, b, s, a, x[PROBABILITY], next, x[REWARD], x[DONE] != 0.0);
  }
  return l_builder_finish(L, 1, what, b);
}

/* number i of the outcome at the stack top */
static double outcome_number(lua_State *L, const Place *p, int i, const char *name) {
  lua_rawgeti(L, -1, i);
  if (lua_type(L, -1) != LUA_TNUMBER) {
    l_fail(L, p->what, "%s must have a number as its %s, got %s", p->where, name,
           l_describe(L, lua_gettop(L)));
  }
  const double x = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return x;
}

/* the mark of the outcome at the stack top: true or false, 1 or 0, or nothing for false */
static int outcome_done(lua_State *L, const Place *p) {
  lua_rawgeti(L, -1, 4);
  const int type = lua_type(L, -1);
  const double x = type == LUA_TNUMBER ? lua_tonumber(L, -1) : lua_toboolean(L, -1);
  if ((type != LUA_TNIL && type != LUA_TBOOLEAN && type != LUA_TNUMBER) || (x != 0.0 && x != 1.0)) {
    l_fail(L, p->what, "%s must have true, false, 1 or 0 as its done, got %s", p->where,
           l_describe(L, lua_gettop(L)));
  }
  lua_pop(L, 1);
  return x != 0.0;
}

/* the outcomes at the stack top, what model(s, a) returned; pops nothing */
static int add_outcomes(lua_State *L, const char *what, Builder *b, ptrdiff_t s, ptrdiff_t a) {
  const int list = lua_gettop(L), n = (int)lua_objlen(L, list);
  char where[80];
  for (int i = 1; i <= n; i++) {
    snprintf(where, sizeof where, "outcome %d of model(%td, %td)", i, s + 1, a + 1);
    const Place place = {what, b->S, where};
    lua_rawgeti(L, list, i);
    if (!lua_istable(L, -1)) {
      l_fail(L, what, "%s must be a table { probability, next, reward, done }, got %s", where,
             l_describe(L, lua_gettop(L)));
    }
    const double prob = outcome_number(L, &place, 1, "probability");
    const ptrdiff_t next = check_index(L, &place, "next state",
                                       outcome_number(L, &place, 2, "next state"), b->S);
    const double reward = outcome_number(L, &place, 3, "reward");
    const int done = outcome_done(L, &place);
    const int refused = check_outcome(L, &place, prob, reward);
    if (refused) {
      return refused;
    }
    l_builder_add(L, what, b, s, a, prob, next, reward, done);
    lua_settop(L, list);
  }
  /* an empty list is a pair whose probabilities sum to 0 */
  if (n == 0) {
    l_builder_add(L, what, b, s, a, 0.0, s, 0.0, 0);
  }
  return 0;
}

/***
A process from a function that tells what can come of every action.
@function trpo.mdp.from_model
@tparam table options `S`, `A` (numbers of states and actions); `model(s, a)`, called once for every pair in order, which returns a
 list of `{ probability, next, reward, done }` (done may be left out), or nil when state s has no action a; `gamma`, `rho0` as
 for @{trpo.mdp}
@treturn[1] Mdp
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code: "not_stochastic" or "not_finite"
@raise what model raises; on what is no such list; on next states out of range
@usage local walk = trpo.mdp.from_model { S = 5, A = 1, gamma = 1, rho0 = 3, model = function(s)
  return { { 0.5, math.max(s - 1, 1), 0, s == 1 }, { 0.5, math.min(s + 1, 5), s == 5 and 1 or 0, s == 5 } }
end }
*/
static int l_mdp_model_from_model(lua_State *L) {
  static const char *const keys[] = {"S", "A", "model", "gamma", "rho0", NULL};
  const char *what = "trpo.mdp.from_model";
  l_builder_options(L, what, keys);
  const ptrdiff_t S = l_field_integer(L, 1, what, "S", 1, MDP_LIMIT, 0);
  const ptrdiff_t A = l_field_integer(L, 1, what, "A", 1, MDP_LIMIT, 0);
  l_field_number(L, 1, what, "gamma", 0.0, 1.0, NAN);
  lua_getfield(L, 1, "model");
  if (!lua_isfunction(L, 2)) {
    l_fail(L, what, "model must be a function, got %s", l_describe(L, 2));
  }
  Builder *b = l_builder_push(L, S, A);
  for (ptrdiff_t s = 0; s < S; s++) {
    for (ptrdiff_t a = 0; a < A; a++) {
      lua_settop(L, 3);
      lua_pushvalue(L, 2);
      lua_pushnumber(L, (double)s + 1.0);
      lua_pushnumber(L, (double)a + 1.0);
      lua_call(L, 2, 1);
      if (lua_isnil(L, -1)) {
        continue;
      }
      if (!lua_istable(L, -1)) {
        l_fail(L, what, "model(%d, %d) must return a list of outcomes or nil, got %s", (int)s + 1,
               (int)a + 1, l_describe(L, lua_gettop(L)));
      }
      const int refused = add_outcomes(L, what, b, s, a);
      if (refused) {
        return refused;
      }
    }
  }
  return l_builder_finish(L, 1, what, b);
}

void l_mdp_model_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"from_triplets", l_mdp_model_from_triplets},
      {"from_model", l_mdp_model_from_model},
      {NULL, NULL},
  };
  luaL_register(L, NULL, functions);
}
