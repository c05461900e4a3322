#include <float.h>
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_mdp.h"
#include "lua/l_tensor.h"
#include "mdp/evaluate.h"

/***
@classmod trpo.Mdp
*/

static const char *const WHAT = "mdp:evaluate";

/* in the order of ChainMethod */
static const char *const methods[] = {"auto", "lu", "bicgstab", "gmres", "iteration", NULL};

static ChainMethod check_method(lua_State *L, int t) {
  const char *name = l_field_string(L, t, WHAT, "method", "auto");
  for (int i = 0; methods[i] != NULL; i++) {
    if (strcmp(name, methods[i]) == 0) {
      return (ChainMethod)i;
    }
  }
  const char *near = l_suggest(name, methods);
  return (ChainMethod)l_fail(
      L, WHAT, "method must be auto, lu, bicgstab, gmres or iteration, got the string '%s'%s%s%s",
      name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* certify = number; certify_relative = number, or true to scale certify */
static void check_certify(lua_State *L, int t, EvaluateOptions *options) {
  lua_getfield(L, t, "certify");
  if (!lua_isnil(L, -1)) {
    options->certify = l_number_in(L, -1, WHAT, "certify", DBL_MIN, DBL_MAX);
  }
  lua_getfield(L, t, "certify_relative");
  if (lua_type(L, -1) == LUA_TNUMBER) {
    if (options->certify > 0.0) {
      l_fail(L, WHAT, "certify_relative must be true or false beside certify, got a number");
    }
    options->certify = l_number_in(L, -1, WHAT, "certify_relative", DBL_MIN, DBL_MAX);
    options->relative = 1;
  } else {
    options->relative = l_field_boolean(L, t, WHAT, "certify_relative", 0);
    if (options->relative && options->certify == 0.0) {
      l_fail(L, WHAT, "certify_relative = true needs certify");
    }
  }
  lua_pop(L, 2);
}

/* copies the first guess V0, zeros without one */
static void read_guess(lua_State *L, int t, double *v, ptrdiff_t S) {
  memset(v, 0, (size_t)S * sizeof *v);
  if (lua_isnoneornil(L, t)) {
    return;
  }
  lua_getfield(L, t, "V0");
  if (!lua_isnil(L, -1)) {
    tensor_read(l_tensor_sized(L, lua_gettop(L), WHAT, "V0", 1, &S), v);
    for (ptrdiff_t s = 0; s < S; s++) {
      if (!isfinite(v[s])) {
        lua_pushnumber(L, v[s]);
        l_fail(L, WHAT, "V0 must hold finite numbers, in state %d it is %s", (int)s + 1,
               l_describe(L, lua_gettop(L)));
      }
    }
  }
  lua_pop(L, 1);
}

static int check_options(lua_State *L, int t, EvaluateOptions *options) {
  static const char *const keys[] = {
      "tolerance", "certify", "certify_relative", "method", "variance", "V0", NULL};
  if (lua_isnoneornil(L, t)) {
    return 0;
  }
  if (!lua_istable(L, t)) {
    l_fail(L, WHAT, "options must be a table, got %s", l_describe(L, t));
  }
  l_known_keys(L, t, WHAT, keys);
  lua_getfield(L, t, "tolerance");
  if (!lua_isnil(L, -1)) {
    options->tolerance = l_number_in(L, -1, WHAT, "tolerance", DBL_MIN, DBL_MAX);
  }
  lua_pop(L, 1);
  options->method = check_method(L, t);
  check_certify(L, t, options);
  return l_field_boolean(L, t, WHAT, "variance", 0);
}

/* nil, message, code */
static int fail(lua_State *L, Status status, const EvaluateOptions *options, const Evaluation *e) {
  lua_pushnil(L);
  if (status == E_IMPROPER) {
    lua_pushfstring(L,
                    "%s: with gamma = 1 the value of state %d is not finite: it is never left, and "
                    "rewards go on",
                    WHAT, (int)e->state + 1);
  } else if (status == E_TOLERANCE) {
    const double wanted = options->certify > 0.0 ? options->certify : options->tolerance;
    lua_pushfstring(L, "%s: an error of %f%s cannot be certified%s, one of %f can be%s", WHAT,
                    wanted, options->relative ? " times max |V|" : "",
                    options->certify > 0.0 ? "" : " in double precision", e->attainable,
                    options->certify > 0.0 ? "" : "; certify holds values in doubled precision");
  } else if (status == E_NOMEM && options->method == CHAIN_LU) {
    lua_pushfstring(L,
                    "%s: not enough memory for a dense matrix, use a sparse method: bicgstab, "
                    "gmres or iteration",
                    WHAT);
  } else {
    lua_pushfstring(L, "%s: %s", WHAT, status_text(status));
  }
  lua_pushstring(L, status_name(status));
  return 3;
}

static void set_number(lua_State *L, const char *key, double x) {
  lua_pushnumber(L, x);
  lua_setfield(L, -2, key);
}

static void set_string(lua_State *L, const char *key, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

/* the result so far at the stack top; new tensors become fields of it */
static double *new_values(lua_State *L, const char *key, const Mdp *mdp) {
  double *data = l_mdp_push_values(L, mdp);
  lua_setfield(L, -2, key);
  return data;
}

static double *new_pairs(lua_State *L, const char *key, const Mdp *mdp) {
  double *data = l_mdp_push_pairs(L, mdp);
  lua_setfield(L, -2, key);
  return data;
}

/***
Evaluates a policy exactly: V = r + gamma P V, Q = R + gamma P V, A = Q - V, the unnormalised discounted visitation
rho = rho0 + gamma P' rho, and eta = rho0'V, each with a certified bound on its error.

The bound is that of the Bellman residual, computed in doubled precision from the numbers of the process, times
1 / (1 - gamma), or with gamma = 1 times the longest expected time to the end. With `certify`, V is held as a pair of
doubles V + V_lo and refined until the bound of the pair is that small; Q and A are computed from the pair, and rounded.

With gamma = 1, states that are never left and give no reward count as ended: V = 0, and rho counts first visits. Where
no episode from rho0 comes, values may be infinite.
@function Mdp:evaluate
@tparam Tensor pi policy [S, A]
@tparam[opt] table options `tolerance` (on the error of V; default: as far as double precision goes), `certify` (on the error
 of the pair), `certify_relative` (the same divided by max |V|; or true, to make `certify` relative), `method`: "auto" (the
 default), "lu", "bicgstab", "gmres", "iteration"; `variance` = true: also that of the return; `V0` first guess [S]
@treturn[1] table `V`, `V_lo`, `rho` [S], `Q`, `A` [S, A] (-inf where a state lacks the action), `eta`, `eta_rho` (rho'r, the
 same as eta but for rounding), `bound` (sup norm of the error of V + V_lo), `bound_rounded` (of V alone), `rho_bound`
 (1-norm of the error of rho), `method`, `iterations`, `status` ("ok", or "uncertified" when the bound is infinite), and with
 `variance` the `variance` of the return from each state [S]
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code: "improper" (gamma = 1 and a value that matters is not finite), "tolerance" (with what can be had),
 "no_memory", "not_finite" (values overflow), "singular" (method "lu" only)
@raise on wrong arguments; a policy that is none is named with its first bad state
*/
static int l_mdp_evaluate(lua_State *L) {
  const Mdp *mdp = l_mdp_check(L, 1, WHAT);
  lua_settop(L, 3);
  EvaluateOptions options = {0};
  const int variance = check_options(L, 3, &options);
  const double *pi = l_mdp_policy(L, 2, WHAT, "pi", mdp);
  lua_createtable(L, 0, 16);
  Evaluation e = {.v = new_values(L, "V", mdp)};
  read_guess(L, 3, e.v, mdp->S);
  e.lo = new_values(L, "V_lo", mdp);
  e.q = new_pairs(L, "Q", mdp);
  e.adv = new_pairs(L, "A", mdp);
  e.rho = new_values(L, "rho", mdp);
  e.variance = variance ? new_values(L, "variance", mdp) : NULL;
  const Status status = evaluate_policy(mdp, pi, &options, &e, l_arena(L));
  if (status < 0) {
    return fail(L, status, &options, &e);
  }
  set_number(L, "eta", e.eta);
  set_number(L, "eta_rho", e.eta_rho);
  set_number(L, "bound", e.bound);
  set_number(L, "bound_rounded", e.bound_rounded);
  set_number(L, "rho_bound", e.rho_bound);
  set_number(L, "iterations", e.iterations);
  set_string(L, "method", e.method);
  set_string(L, "status", status_name(status));
  l_nudge(L);
  return 1;
}

void l_mdp_evaluate_open(lua_State *L) {
  l_mdp_push_methods(L);
  lua_pushcfunction(L, l_mdp_evaluate);
  lua_setfield(L, -2, "evaluate");
  lua_pop(L, 1);
}
