/* tabular processes from matrices */
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "lua/l_builder.h"
#include "lua/l_check.h"
#include "lua/l_mdp.h"
#include "lua/l_sparse.h"
#include "lua/l_tensor.h"

/***
Making processes.
@submodule trpo.Mdp
*/

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

/* raises that a P or r is of the wrong kind, with what stands at arg under a name */
static int fail_kind(lua_State *L, const Model *m, const Cube *cube, const char *name, int arg) {
  const char *sizes = strcmp(cube->name, "P") == 0 ? "[S, A, S]" : "[S], [S, A] or [S, A, S]";
  return l_fail(L, m->what,
                "%s must be a tensor %s (trpo.tensor { ... }), a sparse matrix or a list of "
                "matrices; %s is %s",
                cube->name, sizes, name, l_describe(L, arg));
}

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
      if (l_tensor_test(L, i) == NULL) {
        fail_kind(L, m, cube, name, i);
      }
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
    m->P.dense = l_tensor_test(L, arg);
    if (m->P.dense == NULL) {
      fail_kind(L, m, &m->P, "P", arg);
    }
    if (m->P.dense->ndim != 3 || m->P.dense->size[2] != m->P.dense->size[0]) {
      l_fail(L, m->what, "P must have size [S, A, S], got %s", l_describe(L, arg));
    }
    m->S = m->P.dense->size[0], m->A = m->P.dense->size[1];
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
  } else if (r == NULL) {
    fail_kind(L, m, &m->R, "r", arg);
  } else if (r->ndim == 3) {
    m->R.dense = l_tensor_sized(L, arg, m->what, "r", 3, (ptrdiff_t[]){m->S, m->A, m->S});
  } else if (r->ndim == 2) {
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

/* the mask `actions` */
static void read_actions(lua_State *L, Model *m) {
  lua_getfield(L, 1, "actions");
  if (lua_isnil(L, -1)) {
    return;
  }
  m->actions = l_tensor_sized(L, lua_gettop(L), m->what, "actions", 2, (ptrdiff_t[]){m->S, m->A});
  for (ptrdiff_t s = 0; s < m->S; s++) {
    for (ptrdiff_t a = 0; a < m->A; a++) {
      const double x = m->actions->data[s * m->actions->stride[0] + a * m->actions->stride[1]];
      if (x != 0.0 && x != 1.0) {
        l_fail(L, m->what, "actions must hold 0 and 1, in state %d, action %d it is %s", (int)s + 1,
               (int)a + 1, l_builder_shown(L, x));
      }
    }
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
    return l_builder_refuse(L, m->what, isnan(prob) ? E_NOT_FINITE : E_NOT_STOCHASTIC,
                            "P of state %d, action %d, next state %d is %s, not a probability",
                            from, action, to, l_builder_shown(L, prob));
  }
  const double reward = reward_at(m, s, a, next);
  if (!isfinite(reward)) {
    return l_builder_refuse(L, m->what, E_NOT_FINITE,
                            "r of state %d, action %d, next state %d is %s", from, action, to,
                            l_builder_shown(L, reward));
  }
  l_builder_add(L, m->what, b, s, a, prob, next, reward, m->terminal[next]);
  return 0;
}

/* all transitions of a pair; an empty row still makes the pair, whose sum is then refused */
static int add_pair(lua_State *L, const Model *m, Builder *b, ptrdiff_t s, ptrdiff_t a) {
  const Csr *rows = m->P.sparse != NULL ? m->P.sparse : m->P.csr != NULL ? m->P.csr[a] : NULL;
  const ptrdiff_t i = m->P.sparse != NULL ? s * m->A + a : s;
  int refused = 0;
  l_builder_add(L, m->what, b, s, a, 0.0, s, 0.0, 0);
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
      return l_builder_refuse(
          L, m->what, E_NOT_STOCHASTIC,
          "r of terminal state %d, action %d is %s, but nothing is collected there: give "
          "the reward to the transitions into it, r [S, A, S]",
          (int)s + 1, (int)a + 1, l_builder_shown(L, reward));
    }
    if (has_action(m, s, a)) {
      l_builder_add(L, m->what, b, s, a, 1.0, s, 0.0, 1);
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
 `actions` [S, A], 1 where a state has an action and 0 where it lacks it
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
  l_builder_options(L, m.what, keys);
  read_transitions(L, &m);
  read_rewards(L, &m);
  read_terminal(L, &m);
  read_actions(L, &m);
  l_field_number(L, 1, m.what, "gamma", 0.0, 1.0, NAN);
  Builder *b = l_builder_push(L, m.S, m.A);
  for (ptrdiff_t s = 0; s < m.S; s++) {
    int refused = m.terminal[s] ? add_terminal(L, &m, b, s) : 0;
    for (ptrdiff_t a = 0; !refused && !m.terminal[s] && a < m.A; a++) {
      refused = has_action(&m, s, a) ? add_pair(L, &m, b, s, a) : 0;
    }
    if (refused) {
      return refused;
    }
  }
  return l_builder_finish(L, 1, m.what, b);
}

void l_mdp_make_open(lua_State *L) {
  lua_pushcfunction(L, l_mdp_make_new);
  lua_setfield(L, -2, "new");
}
