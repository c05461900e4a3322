#include "lua/l_state.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "lua/l_check.h"
#include "lua/l_rows.h"
#include "lua/l_tensor.h"

StateField *l_state_add(State *state, const char *name, double *data, long rows, long columns,
                        StateRule rule) {
  StateField *field = state->field + state->count++;
  *field = (StateField){name, data, rows, columns, rule, 0};
  return field;
}

void l_state_network(State *state, Network *net) {
  Normalizer *z = &net->normalizer;
  l_state_add(state, "theta", net->theta, net->P, 0, STATE_FINITE);
  if (!net->normalize) return;
  l_state_add(state, "normalizer.count", &z->count, 1, 0, STATE_COUNT);
  l_state_add(state, "normalizer.mean", z->mean, z->O, 0, STATE_FINITE);
  l_state_add(state, "normalizer.square", z->square, z->O, 0, STATE_SQUARE);
  l_state_add(state, "normalizer.shift", z->shift, z->O, 0, STATE_FINITE);
  l_state_add(state, "normalizer.scale", z->scale, z->O, 0, STATE_POSITIVE);
}

static size_t bytes_of(const StateField *field) {
  return (size_t)field->rows * (size_t)(field->columns ? field->columns : 1) * sizeof(double);
}

void l_state_push(lua_State *L, const State *state) {
  lua_createtable(L, 0, state->count);
  for (int i = 0; i < state->count; i++) {
    const StateField *f = state->field + i;
    double *to = f->columns ? l_rows_push_matrix(L, f->rows, f->columns)
                            : l_rows_push_vector(L, f->rows);
    memcpy(to, f->data, bytes_of(f));
    lua_setfield(L, -2, f->name);
  }
  l_nudge(L);
}

/* ---- checking -------------------------------------------------------------------------------------------- */

/* 1 when x is an integer in [0, limit) */
static int is_index(double x, double limit) {
  return x >= 0 && x < limit && x == floor(x);
}

static int is_allowed(const StateField *f, double x) {
  switch (f->rule) {
  case STATE_ANY: return 1;
  case STATE_SQUARE: return isfinite(x) && x >= 0;
  case STATE_POSITIVE: return isfinite(x) && x > 0;
  case STATE_COUNT: return is_index(x, 0x1p48);
  case STATE_WORD: return is_index(x, 0x1p32);
  case STATE_MARK: return x == 0 || x == 1;
  case STATE_INDEX: return is_index(x, f->limit);
  default: return isfinite(x);
  }
}

/* what the entries must be, for a message */
static const char *expected(lua_State *L, const StateField *f) {
  static const char *const texts[] = {"",
                                      "finite",
                                      "finite and >= 0",
                                      "finite and > 0",
                                      "an integer in [0, 2^48)",
                                      "an integer in [0, 2^32)",
                                      "0 or 1"};
  return f->rule == STATE_INDEX ? lua_pushfstring(L, "an integer in [0, %f)", f->limit)
                                : texts[f->rule];
}

static void check_entries(lua_State *L, const char *what, const StateField *f, const double *x) {
  const long n = (long)(bytes_of(f) / sizeof(double));
  for (long i = 0; i < n; i++)
    if (!is_allowed(f, x[i]))
      l_fail(L, what, "%s[%d] must be %s, got %f", f->name, (int)i + 1, expected(L, f), x[i]);
}

/* the table at arg has no entries but the fields */
static void check_names(lua_State *L, int arg, const char *what, const State *state) {
  for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    int i = 0;
    while (i < state->count && strcmp(state->field[i].name, key) != 0) i++;
    if (i == state->count)
      l_fail(L, what, "the state has an entry that does not belong there: %s",
             l_describe(L, lua_gettop(L) - 1));
  }
}

void l_state_check(lua_State *L, int arg, const char *what, const State *state,
                   const double **from) {
  if (!lua_istable(L, arg))
    l_fail(L, what, "the state must be a table of tensors, got %s", l_describe(L, arg));
  luaL_checkstack(L, 2 * state->count + 8, what);
  check_names(L, arg, what, state);
  for (int i = 0; i < state->count; i++) {
    const StateField *f = state->field + i;
    lua_pushstring(L, f->name);
    lua_rawget(L, arg);
    if (lua_isnil(L, -1)) l_fail(L, what, "%s is missing", f->name);
    const int at = lua_gettop(L);
    from[i] = f->columns ? l_rows_matrix(L, at, what, f->name, f->rows, f->columns)
                         : l_rows_vector(L, at, what, f->name, f->rows);
    check_entries(L, what, f, from[i]);
  }
}

void l_state_commit(const State *state, const double *const *from) {
  for (int i = 0; i < state->count; i++)
    memcpy(state->field[i].data, from[i], bytes_of(state->field + i));
}
