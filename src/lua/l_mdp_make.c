/* tabular processes from matrices, triplets and functions */
#include <lauxlib.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_mdp.h"
#include "lua/l_sparse.h"
#include "lua/l_tensor.h"
#include "mdp/builder.h"

/***
Making processes.
@submodule trpo.Mdp
*/

/* --- what all constructors share ------------------------------------------------------------------------------------ */

static int builder_gc(lua_State *L) {
  builder_free(lua_touserdata(L, 1));
  return 0;
}

/* a builder that an error leaves to the collector */
static Builder *push_builder(lua_State *L, ptrdiff_t S, ptrdiff_t A) {
  Builder *b = lua_newuserdata(L, sizeof *b);
  builder_init(b, S, A);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, builder_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return b;
}

/* a problem of the numbers: nil, message, code */
static int refuse(lua_State *L, const char *what, Status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  lua_pushnil(L);
  lua_pushfstring(L, "%s: ", what);
  lua_pushvfstring(L, format, arguments);
  lua_concat(L, 2);
  lua_pushstring(L, status_name(status));
  va_end(arguments);
  return 3;
}

/* a number as messages show it; stays on the stack */
static const char *shown(lua_State *L, double x) {
  lua_pushnumber(L, x);
  return l_describe(L, lua_gettop(L));
}

static int refuse_fault(lua_State *L, const char *what, Status status, const BuilderFault *fault) {
  const int state = (int)fault->state + 1, action = (int)fault->action + 1;
  if (status == E_NOMEM) {
    return refuse(L, what, status, "not enough memory");
  }
  const char *value = shown(L, fault->value);
  switch (fault->kind) {
  case BUILDER_SUM:
    return refuse(L, what, status,
                  "probabilities of state %d, action %d sum to %s, not to 1 (tolerance 1e-09)",
                  state, action, value);
  case BUILDER_NO_ACTION: return refuse(L, what, status, "state %d has no action", state);
  case BUILDER_START:
    return refuse(L, what, status, "rho0 sums to %s, not to 1 (tolerance 1e-09)", value);
  case BUILDER_START_AT:
    return refuse(L, what, status, "rho0 of state %d is %s, not a probability", state, value);
  case BUILDER_REWARD: break;
  }
  return refuse(L, what, status, "the expected reward of state %d, action %d is %s", state, action,
                value);
}

/* rho0 [S] from the field of the options at t: a distribution, a state, or nil for all states alike; pushes it */
static const double *read_start(lua_State *L, int t, const char *what, ptrdiff_t S) {
  lua_getfield(L, t, "rho0");
  const int arg = lua_gettop(L);
  if (l_tensor_test(L, arg) != NULL) {
    return l_tensor_data(L, l_tensor_sized(L, arg, what, "rho0", 1, &S));
  }
  double *rho0 = l_tensor_push(L, 1, &S)->data;
  if (lua_isnil(L, arg)) {
    for (ptrdiff_t s = 0; s < S; s++) rho0[s] = 1.0 / (double)S;
  } else if (lua_type(L, arg) == LUA_TNUMBER) {
    rho0[l_integer_in(L, arg, what, "rho0", 1, S) - 1] = 1.0;
  } else if (lua_istable(L, arg) && (ptrdiff_t)lua_objlen(L, arg) == S) {
    for (ptrdiff_t s = 0; s < S; s++) {
      lua_rawgeti(L, arg, (int)s + 1);
      rho0[s] = l_number(L, lua_gettop(L), what, "an entry of rho0");
      lua_pop(L, 1);
    }
  } else {
    l_fail(L, what, "rho0 must be a state, or a distribution over the %d states, got %s", (int)S,
           l_describe(L, arg));
  }
  return rho0;
}

/* the process of a builder, with rho0 and gamma of the options at t; pushes it, or nil, message, code */
static int finish(lua_State *L, int t, const char *what, Builder *b) {
  BuilderFault fault;
  const double gamma = l_field_number(L, t, what, "gamma", 0.0, 1.0, NAN);
  const double *rho0 = read_start(L, t, what, b->S);
  Mdp *mdp = l_mdp_push_empty(L);
  const Status status = builder_finish(b, mdp, rho0, gamma, &fault, l_arena(L));
  builder_free(b);
  if (status != OK) {
    return refuse_fault(L, what, status, &fault);
  }
  l_nudge(L);
  return 1;
}

/* adds an outcome; raises when memory runs out */
static void add(lua_State *L, const char *what, Builder *b, ptrdiff_t s, ptrdiff_t a, double prob,
                ptrdiff_t next, double reward, int done) {
  if (builder_add(b, s, a, prob, next, reward, done) != OK) {
    l_fail(L, what, "not enough memory");
  }
}

/* options of a constructor: a table at argument 1 with known keys */
static void check_options(lua_State *L, const char *what, const char *const *keys) {
  if (!lua_istable(L, 1)) {
    l_fail(L, what, "options must be a table, got %s", l_describe(L, 1));
  }
  l_known_keys(L, 1, what, keys);
  lua_settop(L, 1);
}

/* --- from matrices ---------------------------------------------------------------------------------------------------- */

/* a matrix over (s, a, s'): dense, sparse by rows (s, a), or a list of matrices [S, S], one of each action */
typedef struct Cube {
  const char *name;
  const Tensor *dense;  /* [S, A, S] */
  const Csr *sparse;    /* [S A, S] */
  const Tensor **slice; /* [A], each [S, S] or NULL */
  const Csr **csr;      /* [A], each [S, S] or NULL */
} Cube;

typedef struct Model {
  const char *what;
  ptrdiff_t S, A;
  Cube P, R;
  const Tensor *r;         /* [S] or [S, A], NULL when R holds rewards */
  unsigned char *terminal; /* [S] */
  const Tensor *actions;   /* [S, A], or NULL: all */
} Model;

/* the list of matrices at arg */
static void read_slices(lua_State *L, Model *m, Cube *cube, int arg) {
  const ptrdiff_t A = (ptrdiff_t)lua_objlen(L, arg);
  if (A == 0) {
    l_fail(L, m->what, "%s must hold one matrix of each action, got an empty table", cube->name);
  }
  cube->slice = lua_newuserdata(L, (size_t)A * sizeof *cube->slice);
  cube->csr = lua_newuserdata(L, (size_t)A * sizeof *cube->csr);
  for (ptrdiff_t a = 0; a < A; a++) {
    lua_rawgeti(L, arg, (int)a + 1); /* the list keeps it alive */
    const int i = lua_gettop(L);
    const char *name = lua_pushfstring(L, "%s[%d]", cube->name, (int)a + 1);
    cube->csr[a] = l_sparse_test(L, i);
    cube->slice[a] = NULL;
    ptrdiff_t rows, columns;
    if (cube->csr[a] != NULL) {
      rows = cube->csr[a]->rows, columns = cube->csr[a]->columns;
    } else {
      cube->slice[a] = l_tensor_sized(L, i, m->what, name, 2, (ptrdiff_t[]){-1, -1});
      rows = cube->slice[a]->size[0], columns = cube->slice[a]->size[1];
    }
    const ptrdiff_t S = m->S > 0 ? m->S : rows;
    if (rows != S || columns != S) {
      l_fail(L, m->what, "%s must have size [%d, %d], got [%d, %d]", name, (int)S, (int)S,
             (int)rows, (int)columns);
    }
    m->S = S;
    lua_pop(L, 2);
  }
  if (m->A > 0 && A != m->A) {
    l_fail(L, m->what, "%s must hold %d matrices, one of each action, got %d", cube->name,
           (int)m->A, (int)A);
  }
  m->A = A;
}

/* P tells S and A */
static void read_transitions(lua_State *L, Model *m) {
  lua_getfield(L, 1, "P");
  const int arg = lua_gettop(L);
  m->P.name = "P";
  m->P.sparse = l_sparse_test(L, arg);
  if (m->P.sparse != NULL) {
    m->S = m->P.sparse->columns;
    m->A = m->S > 0 ? m->P.sparse->rows / m->S : 0;
    if (m->A == 0 || m->A * m->S != m->P.sparse->rows) {
      l_fail(L, m->what, "P must be [S A, S] when it is sparse, got [%d, %d]",
             (int)m->P.sparse->rows, (int)m->S);
    }
  } else if (lua_istable(L, arg)) {
    read_slices(L, m, &m->P, arg);
  } else {
    m->P.dense = l_tensor_sized(L, arg, m->what, "P", 3, (ptrdiff_t[]){-1, -1, -1});
    m->S = m->P.dense->size[0], m->A = m->P.dense->size[1];
    if (m->P.dense->size[2] != m->S) {
      l_fail(L, m->what, "P must have size [S, A, S], got %s", l_describe(L, arg));
    }
  }
  if (m->S < 1 || m->A < 1) {
    l_fail(L, m->what, "P must have at least one state and one action");
  }
}

/* r(s), r(s, a) or r(s, a, s') */
static void read_rewards(lua_State *L, Model *m) {
  lua_getfield(L, 1, "r");
  const int arg = lua_gettop(L);
  const Tensor *r = l_tensor_test(L, arg);
  m->R.name = "r";
  m->R.sparse = l_sparse_test(L, arg);
  if (m->R.sparse != NULL) {
    if (m->R.sparse->rows != m->S * m->A || m->R.sparse->columns != m->S) {
      l_fail(L, m->what, "r must be [%d, %d] when it is sparse, got [%d, %d]", (int)(m->S * m->A),
             (int)m->S, (int)m->R.sparse->rows, (int)m->R.sparse->columns);
    }
  } else if (lua_istable(L, arg)) {
    read_slices(L, m, &m->R, arg);
  } else if (r != NULL && r->ndim == 3) {
    m->R.dense = l_tensor_sized(L, arg, m->what, "r", 3, (ptrdiff_t[]){m->S, m->A, m->S});
  } else if (r != NULL && r->ndim == 2) {
    m->r = l_tensor_sized(L, arg, m->what, "r", 2, (ptrdiff_t[]){m->S, m->A});
  } else {
    m->r = l_tensor_sized(L, arg, m->what, "r", 1, &m->S);
  }
}

/* marks the states of the list or tensor `terminal` */
static void read_terminal(lua_State *L, Model *m) {
  m->terminal = lua_newuserdata(L, (size_t)m->S);
  memset(m->terminal, 0, (size_t)m->S);
  lua_getfield(L, 1, "terminal");
  const int arg = lua_gettop(L);
  if (lua_isnil(L, arg)) {
    return;
  }
  const Tensor *t = l_tensor_test(L, arg);
  if (t != NULL) {
    t = l_tensor_sized(L, arg, m->what, "terminal", 1, (ptrdiff_t[]){-1});
  } else if (!lua_istable(L, arg)) {
    l_fail(L, m->what, "terminal must be a list of states, got %s", l_describe(L, arg));
  }
  const ptrdiff_t n = t != NULL ? t->size[0] : (ptrdiff_t)lua_objlen(L, arg);
  for (ptrdiff_t i = 0; i < n; i++) {
    if (t != NULL) {
      lua_pushnumber(L, t->data[i * t->stride[0]]);
    } else {
      lua_rawgeti(L, arg, (int)i + 1);
    }
    m->terminal[l_integer_in(L, lua_gettop(L), m->what, "a terminal state", 1, m->S) - 1] = 1;
    lua_pop(L, 1);
  }
}

static double cube_at(const Model *m, const Cube *cube, ptrdiff_t s, ptrdiff_t a, ptrdiff_t next) {
  if (cube->dense != NULL) {
    const ptrdiff_t *stride = cube->dense->stride;
    return cube->dense->data[s * stride[0] + a * stride[1] + next * stride[2]];
  }
  if (cube->sparse != NULL) {
    return csr_get(cube->sparse, s * m->A + a, next);
  }
  if (cube->csr[a] != NULL) {
    return csr_get(cube->csr[a], s, next);
  }
  return cube->slice[a]->data[s * cube->slice[a]->stride[0] + next * cube->slice[a]->stride[1]];
}

static double reward_at(const Model *m, ptrdiff_t s, ptrdiff_t a, ptrdiff_t next) {
  if (m->r == NULL) {
    return cube_at(m, &m->R, s, a, next);
  }
  return m->r->data[s * m->r->stride[0] + (m->r->ndim == 2 ? a * m->r->stride[1] : 0)];
}

static int has_action(const Model *m, ptrdiff_t s, ptrdiff_t a) {
  return m->actions == NULL
         || m->actions->data[s * m->actions->stride[0] + a * m->actions->stride[1]] != 0.0;
}

/* one transition as it stands in P; pushes nil, message, code and returns 3 when it makes no sense */
static int add_transition(lua_State *L, const Model *m, Builder *b, ptrdiff_t s, ptrdiff_t a,
                          ptrdiff_t next, double prob) {
  if (prob == 0.0) {
    return 0;
  }
  const int from = (int)s + 1, action = (int)a + 1, to = (int)next + 1;
  if (!(prob > 0.0 && prob <= 1.0 + MDP_SUM_TOLERANCE)) {
    return refuse(L, m->what, isnan(prob) ? E_NOT_FINITE : E_NOT_STOCHASTIC,
                  "P of state %d, action %d, next state %d is %s, not a probability", from, action,
                  to, shown(L, prob));
  }
  const double reward = reward_at(m, s, a, next);
  if (!isfinite(reward)) {
    return refuse(L, m->what, E_NOT_FINITE, "r of state %d, action %d, next state %d is %s", from,
                  action, to, shown(L, reward));
  }
  add(L, m->what, b, s, a, prob, next, reward, m->terminal[next]);
  return 0;
}

/* all transitions of a pair; an empty row still makes the pair, whose sum is then refused */
static int add_pair(lua_State *L, const Model *m, Builder *b, ptrdiff_t s, ptrdiff_t a) {
  const Csr *rows = m->P.sparse != NULL ? m->P.sparse : m->P.csr != NULL ? m->P.csr[a] : NULL;
  const ptrdiff_t i = m->P.sparse != NULL ? s * m->A + a : s;
  int refused = 0;
  add(L, m->what, b, s, a, 0.0, s, 0.0, 0);
  if (rows != NULL) {
    for (int64_t k = rows->start[i]; !refused && k < rows->start[i + 1]; k++) {
      refused = add_transition(L, m, b, s, a, rows->column[k], rows->value[k]);
    }
    return refused;
  }
  for (ptrdiff_t next = 0; !refused && next < m->S; next++) {
    refused = add_transition(L, m, b, s, a, next, cube_at(m, &m->P, s, a, next));
  }
  return refused;
}

/* a terminal state stays where it is, without reward: nothing is collected there */
static int add_terminal(lua_State *L, const Model *m, Builder *b, ptrdiff_t s) {
  for (ptrdiff_t a = 0; a < m->A; a++) {
    const double reward = reward_at(m, s, a, s);
    if (has_action(m, s, a) && reward != 0.0) {
      return refuse(L, m->what, E_NOT_STOCHASTIC,
                    "r of terminal state %d, action %d is %s, but nothing is collected there: give "
                    "the reward to the transitions into it, r [S, A, S]",
                    (int)s + 1, (int)a + 1, shown(L, reward));
    }
    if (has_action(m, s, a)) {
      add(L, m->what, b, s, a, 1.0, s, 0.0, 1);
    }
  }
  return 0;
}

/***
A process from matrices.

The episode ends on the way into a terminal state, so nothing is collected there: its rows of P are not read, and its r must
be 0. With the mask `actions`, rows of P and r that belong to missing actions are not read.
@function trpo.mdp
@tparam table options
 `P` transition probabilities: a tensor [S, A, S]; a sparse matrix [S A, S] with row (s - 1) A + a; or a list of matrices
 [S, S], one of each action, tensors or sparse;
 `r` rewards r(s), r(s, a) or r(s, a, s'): a tensor [S], [S, A] or [S, A, S], a sparse matrix or a list as for P;
 `gamma` discount factor in [0, 1];
 `rho0` distribution of the first state [S] (tensor or list), or one state (default: all states alike);
 `terminal` list of states in which the episode is over;
 `actions` [S, A], 0 where a state lacks an action
@treturn[1] Mdp
@treturn[2] nil
@treturn[2] string message that names the first bad row
@treturn[2] string code: "not_stochastic" or "not_finite"
@raise on wrong sizes, and on gamma, rho0, terminal or actions out of range
@usage local mdp = trpo.mdp { P = trpo.tensor { { { 0.9, 0.1 }, { 0, 1 } }, { { 1, 0 }, { 0, 1 } } },
  r = trpo.tensor { { 0, 1 }, { 2, 0 } }, gamma = 0.9 }
*/
static int l_mdp_make_new(lua_State *L) {
  static const char *const keys[] = {"P", "r", "rho0", "gamma", "terminal", "actions", NULL};
  Model m = {.what = "trpo.mdp"};
  check_options(L, m.what, keys);
  read_transitions(L, &m);
  read_rewards(L, &m);
  read_terminal(L, &m);
  lua_getfield(L, 1, "actions");
  if (!lua_isnil(L, -1)) {
    m.actions = l_tensor_sized(L, lua_gettop(L), m.what, "actions", 2, (ptrdiff_t[]){m.S, m.A});
  }
  l_field_number(L, 1, m.what, "gamma", 0.0, 1.0, NAN);
  Builder *b = push_builder(L, m.S, m.A);
  for (ptrdiff_t s = 0; s < m.S; s++) {
    int refused = m.terminal[s] ? add_terminal(L, &m, b, s) : 0;
    for (ptrdiff_t a = 0; !refused && !m.terminal[s] && a < m.A; a++) {
      refused = has_action(&m, s, a) ? add_pair(L, &m, b, s, a) : 0;
    }
    if (refused) {
      return refused;
    }
  }
  return finish(L, 1, m.what, b);
}

/* --- from outcomes ------------------------------------------------------------------------------------------------------ */

/* where an outcome stands, for messages */
typedef struct Place {
  const char *what;
  ptrdiff_t S;
  const char *where; /* "outcome 3", "outcome 1 of model(2, 1)" */
} Place;

/* pushes nil, message, code for an outcome whose numbers make no sense, and returns 3 */
static int check_outcome(lua_State *L, const Place *p, double prob, double reward) {
  if (!(prob >= 0.0 && prob <= 1.0 + MDP_SUM_TOLERANCE)) {
    return refuse(L, p->what, isnan(prob) ? E_NOT_FINITE : E_NOT_STOCHASTIC,
                  "%s has the probability %s", p->where, shown(L, prob));
  }
  if (!isfinite(reward)) {
    return refuse(L, p->what, E_NOT_FINITE, "%s has the reward %s", p->where, shown(L, reward));
  }
  return 0;
}

/* an integer in 1..limit as a 0-based one */
static ptrdiff_t check_index(lua_State *L, const Place *p, const char *name, double x,
                             ptrdiff_t limit) {
  if (!(x >= 1.0 && x <= (double)limit) || x != floor(x)) {
    l_fail(L, p->what, "%s must have an integer in [1, %f] as its %s, got %s", p->where,
           (double)limit, name, shown(L, x));
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
`probability[i]`, leads to `next[i]`, brings `reward[i]`, and ends the episode if `done[i]` is not 0. Any order; equal outcomes of
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
static int l_mdp_make_from_triplets(lua_State *L) {
  static const char *const keys[] = {"S",      "A",    "state", "action", "next", "probability",
                                     "reward", "done", "gamma", "rho0",   NULL};
  const char *what = "trpo.mdp.from_triplets";
  const Tensor *column[COLUMNS];
  check_options(L, what, keys);
  const ptrdiff_t S = l_field_integer(L, 1, what, "S", 1, MDP_LIMIT, 0);
  const ptrdiff_t A = l_field_integer(L, 1, what, "A", 1, MDP_LIMIT, 0);
  const ptrdiff_t n = read_columns(L, what, column);
  Builder *b = push_builder(L, S, A);
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
    add(L, what, b, s, a, x[PROBABILITY], next, x[REWARD], x[DONE] != 0.0);
  }
  return finish(L, 1, what, b);
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
    lua_rawgeti(L, -1, 4);
    const int done = lua_toboolean(L, -1);
    const int refused = check_outcome(L, &place, prob, reward);
    if (refused) {
      return refused;
    }
    add(L, what, b, s, a, prob, next, reward, done);
    lua_settop(L, list);
  }
  /* an empty list is a pair whose probabilities sum to 0 */
  if (n == 0) {
    add(L, what, b, s, a, 0.0, s, 0.0, 0);
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
static int l_mdp_make_from_model(lua_State *L) {
  static const char *const keys[] = {"S", "A", "model", "gamma", "rho0", NULL};
  const char *what = "trpo.mdp.from_model";
  check_options(L, what, keys);
  const ptrdiff_t S = l_field_integer(L, 1, what, "S", 1, MDP_LIMIT, 0);
  const ptrdiff_t A = l_field_integer(L, 1, what, "A", 1, MDP_LIMIT, 0);
  l_field_number(L, 1, what, "gamma", 0.0, 1.0, NAN);
  lua_getfield(L, 1, "model");
  if (!lua_isfunction(L, 2)) {
    l_fail(L, what, "model must be a function, got %s", l_describe(L, 2));
  }
  Builder *b = push_builder(L, S, A);
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
  return finish(L, 1, what, b);
}

void l_mdp_make_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"new", l_mdp_make_new},
      {"from_triplets", l_mdp_make_from_triplets},
      {"from_model", l_mdp_make_from_model},
      {NULL, NULL},
  };
  luaL_register(L, NULL, functions);
}
