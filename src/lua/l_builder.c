/* what all constructors of processes share */
#include "lua/l_builder.h"

#include <lauxlib.h>
#include <math.h>
#include <stdarg.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_mdp.h"
#include "lua/l_tensor.h"

static int builder_gc(lua_State *L) {
  builder_free(lua_touserdata(L, 1));
  return 0;
}

Builder *l_builder_push(lua_State *L, ptrdiff_t S, ptrdiff_t A) {
  Builder *b = lua_newuserdata(L, sizeof *b);
  builder_init(b, S, A);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, builder_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return b;
}

int l_builder_refuse(lua_State *L, const char *what, Status status, const char *format, ...) {
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

const char *l_builder_shown(lua_State *L, double x) {
  lua_pushnumber(L, x);
  return l_describe(L, lua_gettop(L));
}

static int refuse_fault(lua_State *L, const char *what, Status status, const BuilderFault *fault) {
  const int state = (int)fault->state + 1, action = (int)fault->action + 1;
  if (status == E_NOMEM) {
    return l_builder_refuse(L, what, status, "not enough memory");
  }
  const char *value = l_builder_shown(L, fault->value);
  switch (fault->kind) {
  case BUILDER_SUM:
    return l_builder_refuse(
        L, what, status,
        "probabilities of state %d, action %d sum to %s, not to 1 (tolerance 1e-09)", state, action,
        value);
  case BUILDER_NO_ACTION: return l_builder_refuse(L, what, status, "state %d has no action", state);
  case BUILDER_START:
    return l_builder_refuse(L, what, status, "rho0 sums to %s, not to 1 (tolerance 1e-09)", value);
  case BUILDER_START_AT:
    return l_builder_refuse(L, what, status, "rho0 of state %d is %s, not a probability", state,
                            value);
  case BUILDER_REWARD: break;
  }
  return l_builder_refuse(L, what, status, "the expected reward of state %d, action %d is %s",
                          state, action, value);
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

int l_builder_finish(lua_State *L, int t, const char *what, Builder *b) {
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

void l_builder_add(lua_State *L, const char *what, Builder *b, ptrdiff_t s, ptrdiff_t a,
                   double prob, ptrdiff_t next, double reward, int done) {
  if (builder_add(b, s, a, prob, next, reward, done) != OK) {
    l_fail(L, what, "not enough memory");
  }
}

void l_builder_options(lua_State *L, const char *what, const char *const *keys) {
  if (!lua_istable(L, 1)) {
    l_fail(L, what, "options must be a table, got %s", l_describe(L, 1));
  }
  l_known_keys(L, 1, what, keys);
  lua_settop(L, 1);
}
