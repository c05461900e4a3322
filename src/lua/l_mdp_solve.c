#include <float.h>
#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_mdp.h"
#include "lua/l_tensor.h"
#include "mdp/bellman.h"
#include "mdp/entropy.h"
#include "mdp/horizon.h"
#include "mdp/iteration.h"
#include "mdp/refine.h"

/***
@classmod trpo.Mdp
*/

static const char *const WHAT = "mdp:solve";

/* in the order of IterationMethod, and two of their own */
enum { HORIZON = ITERATION_TOPOLOGICAL + 1, ENTROPY };
static const char *const methods[] = {
    "auto",   "value_iteration", "gauss_seidel", "policy_iteration", "modified_policy_iteration",
    "krylov", "topological",     "horizon",      "entropy",          NULL};

/* what was asked for */
typedef struct Request {
  const Mdp *mdp;
  int method;
  IterationOptions iteration;
  double temperature;
  ptrdiff_t horizon;
  const double *pi0; /* [S, A] or NULL */
} Request;

/* --- options -------------------------------------------------------------------------------------------------------- */

static int is_set(lua_State *L, int t, const char *key) {
  lua_getfield(L, t, key);
  const int set = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return set;
}

/* the method named, or the one that a horizon or a temperature means */
static int check_method(lua_State *L, int t) {
  const char *name = l_field_string(L, t, WHAT, "method", NULL);
  if (name == NULL) {
    return is_set(L, t, "horizon") ? HORIZON : is_set(L, t, "temperature") ? ENTROPY : 0;
  }
  for (int i = 0; methods[i] != NULL; i++) {
    if (strcmp(name, methods[i]) == 0) {
      return i;
    }
  }
  const char *near = l_suggest(name, methods);
  return l_fail(L, WHAT,
                "method must be auto, value_iteration, gauss_seidel, policy_iteration, "
                "modified_policy_iteration, krylov, topological, horizon or entropy, got the "
                "string '%s'%s%s%s",
                name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* raises on an option that the method has no use for */
static void check_meaning(lua_State *L, int t, const Request *r) {
  static const struct {
    const char *key;
    int horizon, entropy, others;
  } meanings[] = {{"tolerance", 0, 1, 1},  {"certify", 0, 0, 1}, {"pi0", 0, 0, 1},
                  {"iterations", 0, 1, 1}, {"horizon", 1, 0, 0}, {"temperature", 0, 1, 0}};
  for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
    const int fits = r->method == HORIZON   ? meanings[i].horizon
                     : r->method == ENTROPY ? meanings[i].entropy
                                            : meanings[i].others;
    if (!fits && is_set(L, t, meanings[i].key)) {
      l_fail(L, WHAT, "the method %s takes no %s", methods[r->method], meanings[i].key);
    }
  }
  if (r->method == ENTROPY && r->mdp->gamma >= 1.0) {
    l_fail(L, WHAT, "the method entropy needs gamma < 1, got 1");
  }
}

/* the numbers of the field [S], contiguous; raises on one that is not finite. What is pushed keeps them alive. */
static const double *check_values(lua_State *L, int t, const char *key, ptrdiff_t S) {
  lua_getfield(L, t, key);
  if (lua_isnil(L, -1)) {
    return NULL;
  }
  const double *v = l_tensor_data(L,
                                  l_tensor_sized(L, lua_gettop(L), WHAT, key, 1, (ptrdiff_t[]){S}));
  for (ptrdiff_t s = 0; s < S; s++) {
    if (!isfinite(v[s])) {
      lua_pushnumber(L, v[s]);
      l_fail(L, WHAT, "%s must hold finite numbers, in state %d it is %s", key, (int)s + 1,
             l_describe(L, lua_gettop(L)));
    }
  }
  return v;
}

static void check_options(lua_State *L, int t, Request *r) {
  static const char *const keys[] = {"method",     "tolerance", "certify",     "V0", "pi0",
                                     "iterations", "horizon",   "temperature", NULL};
  IterationOptions *o = &r->iteration;
  if (!lua_istable(L, t)) {
    l_fail(L, WHAT, "options must be a table, got %s", l_describe(L, t));
  }
  l_known_keys(L, t, WHAT, keys);
  r->method = check_method(L, t);
  check_meaning(L, t, r);
  o->deepen = !is_set(L, t, "tolerance");
  o->tolerance = l_field_number(L, t, WHAT, "tolerance", DBL_MIN, DBL_MAX, 1e-8);
  o->certify = is_set(L, t, "certify")
                   ? l_field_number(L, t, WHAT, "certify", DBL_MIN, DBL_MAX, NAN)
                   : 0.0;
  if (o->certify > 0.0 && is_set(L, t, "tolerance")) {
    l_fail(L, WHAT, "certify is a tolerance itself: give one of the two");
  }
  o->iterations = is_set(L, t, "iterations")
                      ? l_field_integer(L, t, WHAT, "iterations", 1, LONG_MAX, 0)
                      : 0;
  if (r->method == HORIZON) {
    r->horizon = l_field_integer(L, t, WHAT, "horizon", 1, INT_MAX, 0);
  } else if (r->method == ENTROPY) {
    r->temperature = l_field_number(L, t, WHAT, "temperature", DBL_MIN, DBL_MAX, NAN);
  }
  o->method = r->method < HORIZON ? (IterationMethod)r->method : ITERATION_AUTO;
  o->v0 = check_values(L, t, "V0", r->mdp->S);
  lua_getfield(L, t, "pi0");
  if (!lua_isnil(L, -1)) {
    r->pi0 = l_mdp_policy(L, lua_gettop(L), WHAT, "pi0", r->mdp);
    o->warm = 1;
  }
}

/* --- results -------------------------------------------------------------------------------------------------------- */

static void set_number(lua_State *L, int t, const char *key, double x) {
  lua_pushnumber(L, x);
  lua_setfield(L, t, key);
}

static void set_string(lua_State *L, int t, const char *key, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, t, key);
}

/* a new tensor as a field of the result at t */
static double *set_tensor(lua_State *L, int t, const char *key, int ndim, const ptrdiff_t *size) {
  double *data = l_tensor_push_unset(L, ndim, size)->data;
  lua_setfield(L, t, key);
  return data;
}

static void set_info(lua_State *L, int t, const IterationInfo *info, Status status) {
  set_number(L, t, "bound", info->bound);
  set_number(L, t, "bound_rounded", info->bound_rounded);
  set_number(L, t, "iterations", (double)info->iterations);
  set_number(L, t, "sweeps", info->sweeps);
  set_string(L, t, "method", info->method);
  set_string(L, t, "status", status_name(status));
}

/* nil, message, code */
static int fail(lua_State *L, Status status, const Request *r, const IterationInfo *info) {
  lua_pushnil(L);
  if (status == E_IMPROPER && info->reason != NULL) {
    lua_pushfstring(L, "%s: with gamma = 1 the value of state %d %s", WHAT, (int)info->state + 1,
                    info->reason);
  } else if (status == E_TOLERANCE) {
    const double certify = r->iteration.certify;
    lua_pushfstring(
        L, "%s: an error of %f cannot be certified%s, one of %f can be%s", WHAT,
        certify > 0.0 ? certify : r->iteration.tolerance,
        certify > 0.0 ? "" : " in double precision", info->bound,
        certify > 0.0 || r->method == ENTROPY ? "" : "; certify holds values in doubled precision");
  } else {
    lua_pushfstring(L, "%s: %s", WHAT, status_text(status));
  }
  lua_pushstring(L, status_name(status));
  return 3;
}

static double expected(const Mdp *mdp, const double *v, const double *lo) {
  return refine_dot(mdp->rho0, v, lo, mdp->S);
}

/* actions from 1 and the policy that takes them, from rows; for n times S states */
static void write_actions(const Mdp *mdp, double *actions, double *policy, const int64_t *choice,
                          ptrdiff_t n) {
  memset(policy, 0, (size_t)(n * mdp->S * mdp->A) * sizeof *policy);
  for (ptrdiff_t i = 0; i < n * mdp->S; i++) {
    const int32_t a = mdp->action[choice[i]];
    actions[i] = a + 1.0;
    policy[i * mdp->A + a] = 1.0;
  }
}

/* raises when memory for the workspace runs out */
static void *push_workspace(lua_State *L, ptrdiff_t count, size_t size) {
  void *data = (size_t)count > SIZE_MAX / 16 / size ? NULL
                                                    : arena_push(l_arena(L), (size_t)count * size);
  if (data == NULL) {
    l_fail(L, WHAT, "not enough memory for the workspace");
  }
  return data;
}

/* --- methods -------------------------------------------------------------------------------------------------------- */

static int solve_horizon(lua_State *L, const Request *r) {
  const Mdp *mdp = r->mdp;
  const ptrdiff_t S = mdp->S, H = r->horizon;
  if (H > PTRDIFF_MAX / 64 / S / mdp->A) {
    l_fail(L, WHAT, "not enough memory for %d steps", (int)H);
  }
  lua_createtable(L, 0, 12);
  const int t = lua_gettop(L);
  double *v = set_tensor(L, t, "V", 2, (ptrdiff_t[]){H + 1, S});
  double *actions = set_tensor(L, t, "actions", 2, (ptrdiff_t[]){H, S});
  double *policy = set_tensor(L, t, "policy", 3, (ptrdiff_t[]){H, S, mdp->A});
  const ArenaMark mark = arena_mark(l_arena(L));
  int64_t *choice = push_workspace(L, H * S, sizeof *choice);
  const Status status = horizon_solve(mdp, H, v, choice, r->iteration.v0);
  IterationInfo info = {.method = "horizon", .iterations = (long)H, .sweeps = (double)H};
  if (status == OK) {
    write_actions(mdp, actions, policy, choice, H);
    info.bound = info.bound_rounded = horizon_bound(mdp, H, v);
  }
  arena_release(l_arena(L), mark);
  if (status != OK) {
    return fail(L, status, r, &info);
  }
  set_number(L, t, "eta", expected(mdp, v, NULL));
  set_info(L, t, &info, status);
  l_nudge(L);
  return 1;
}

static int solve_entropy(lua_State *L, const Request *r) {
  const Mdp *mdp = r->mdp;
  IterationInfo info;
  lua_createtable(L, 0, 12);
  const int t = lua_gettop(L);
  double *v = set_tensor(L, t, "V", 1, (ptrdiff_t[]){mdp->S});
  double *q = set_tensor(L, t, "Q", 2, (ptrdiff_t[]){mdp->S, mdp->A});
  double *policy = set_tensor(L, t, "policy", 2, (ptrdiff_t[]){mdp->S, mdp->A});
  const Status status = entropy_solve(&r->iteration, r->temperature, mdp, v, &info, l_arena(L));
  if (status < 0) {
    return fail(L, status, r, &info);
  }
  bellman_q(mdp, q, v);
  entropy_policy(mdp, r->temperature, policy, v);
  set_number(L, t, "eta", expected(mdp, v, NULL));
  set_info(L, t, &info, status);
  l_nudge(L);
  return 1;
}

/* rows of the likeliest actions of a first policy, the lowest on ties */
static void read_rows(const Mdp *mdp, int64_t *choice, const double *pi) {
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    double most = -1.0;
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      const double p = pi[s * mdp->A + mdp->action[k]];
      if (p > most) {
        most = p;
        choice[s] = k;
      }
    }
  }
}

/* Q of V, or of the pair where it is one */
static Status write_q(const Request *r, double *q, const double *v, const double *lo, Arena *ws) {
  int pair = 0;
  for (ptrdiff_t s = 0; s < r->mdp->S; s++) {
    pair |= lo[s] != 0.0;
  }
  if (pair) {
    RefineBound bound;
    const RefinePass pass = {.v = v, .lo = lo, .q = q};
    return refine_pass(r->mdp, &pass, &bound, ws);
  }
  bellman_q(r->mdp, q, v);
  return OK;
}

static int solve_stationary(lua_State *L, const Request *r) {
  const Mdp *mdp = r->mdp;
  IterationInfo info;
  lua_createtable(L, 0, 14);
  const int t = lua_gettop(L);
  double *v = set_tensor(L, t, "V", 1, (ptrdiff_t[]){mdp->S});
  double *lo = set_tensor(L, t, "V_lo", 1, (ptrdiff_t[]){mdp->S});
  double *q = set_tensor(L, t, "Q", 2, (ptrdiff_t[]){mdp->S, mdp->A});
  double *policy = set_tensor(L, t, "policy", 2, (ptrdiff_t[]){mdp->S, mdp->A});
  double *actions = set_tensor(L, t, "actions", 1, (ptrdiff_t[]){mdp->S});
  const ArenaMark mark = arena_mark(l_arena(L));
  int64_t *choice = push_workspace(L, mdp->S, sizeof *choice);
  if (r->pi0 != NULL) {
    read_rows(mdp, choice, r->pi0);
  }
  Status status = iteration_solve(&r->iteration, mdp, v, lo, choice, &info, l_arena(L));
  if (status >= 0) {
    const Status written = write_q(r, q, v, lo, l_arena(L));
    write_actions(mdp, actions, policy, choice, 1);
    status = written == OK ? status : written;
  }
  arena_release(l_arena(L), mark);
  if (status < 0) {
    return fail(L, status, r, &info);
  }
  set_number(L, t, "eta", expected(mdp, v, lo));
  set_info(L, t, &info, status);
  l_nudge(L);
  return 1;
}

/***
Solves the process: optimal values, and a policy that is greedy for them.

V is within `bound` of V* in every state. The bound is a certificate that does not depend on the method: a last optimality
pass brackets T V - V together with its own rounding errors, and V* follows by contraction. There is no hidden limit of
iterations. Where double precision cannot certify the default tolerance, values are refined in doubled precision, as with
`certify`; an explicit `tolerance` that it cannot certify is an answer of its own, with the attainable one.

Methods: "value_iteration" (with bounds of MacQueen's kind and action elimination), "gauss_seidel" (breadth first from where
episodes end), "policy_iteration" (each policy evaluated exactly), "modified_policy_iteration" (by about 20 sweeps), "krylov"
(roughly, by a Krylov method), "topological" (component by component), "auto": sweeps as long as those contract fast, then
components or Krylov, as the process is. With gamma = 1 all of them are policy iteration from a policy that ends surely;
staying for ever where no reward is counts as an end, and `V0` and `pi0` are not used.

Actions tie when their values differ by no more than 2^-46 of their size; the lowest is taken. While iterating an old action
is kept on ties.

"horizon" is backward induction over `horizon` steps: V [H + 1, S], row t with H + 1 - t steps to go, policy [H, S, A],
actions [H, S]; `V0` then is what states are worth at the end. "entropy" adds `temperature` times the entropy of the policy
to every reward; its policy is stochastic, V = temperature log sum exp(Q / temperature).
@function Mdp:solve
@tparam[opt] table options `method` = "auto"; `tolerance` = 1e-8 (on the error of V); `certify` (the same for the pair
 V + V_lo, in doubled precision); `V0` first guess [S]; `pi0` first policy [S, A]; `iterations`: most optimality passes and
 sweeps; `horizon`; `temperature`
@treturn[1] table `V`, `V_lo` [S] (what certify adds to V, else zeros), `Q` [S, A] (-inf where a state lacks the action),
 `policy` [S, A], `actions` [S] (from 1), `eta` (rho0'V), `bound` (of V + V_lo), `bound_rounded` (of V alone), `iterations`,
 `sweeps` (work, in passes over all pairs), `method` (the one at the end), `status`: "ok", "limit" when the iterations ran
 out (the bound holds), "uncertified" (gamma = 1 only: the bound is infinite)
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code: "tolerance", "improper" (gamma = 1 and a value is not finite, with the state), "not_finite",
 "no_memory"
@raise on wrong arguments
*/
static int l_mdp_solve(lua_State *L) {
  Request r = {.mdp = l_mdp_check(L, 1, WHAT)};
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_newtable(L);
    lua_replace(L, 2);
  }
  check_options(L, 2, &r);
  switch (r.method) {
  case HORIZON: return solve_horizon(L, &r);
  case ENTROPY: return solve_entropy(L, &r);
  default: return solve_stationary(L, &r);
  }
}

void l_mdp_solve_open(lua_State *L) {
  l_mdp_push_methods(L);
  lua_pushcfunction(L, l_mdp_solve);
  lua_setfield(L, -2, "solve");
  lua_pop(L, 1);
}
