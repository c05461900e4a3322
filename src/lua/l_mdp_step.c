#include "lua/l_mdp_step.h"

#include <float.h>
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_tensor.h"
#include "mdp/monotone.h"
#include "mdp/natural.h"
#include "mdp/region.h"

/***
Exact steps of policy improvement: the methods of `mdp:improve` one step at a time, on a policy, its advantages and its
visitation alone; and the problems of single states that they are made of. Divergences are KL(old || new), in nats.
@submodule trpo.mdp
*/

static const char *const WHAT = "trpo.mdp.step";

/* Advantages beyond this could overflow in a difference or a sum. */
static const double LARGEST = 1e300;

typedef enum Method {
  MONOTONE,
  MONOTONE_TV,
  MONOTONE_MEAN_KL,
  TRUST_REGION_MEAN,
  TRUST_REGION_MAX,
  NATURAL,
  GRADIENT,
  POLICY_ITERATION
} Method;

static const char *const method_names[] = {
    "monotone",          "monotone_tv",      "monotone_mean_kl",
    "trust_region_mean", "trust_region_max", "natural",
    "gradient",          "policy_iteration", NULL,
};

/* --- arguments, for the other file too ------------------------------------------------------------------------------- */

int l_mdp_step_choice(lua_State *L, const char *what, const char *key, const char *word,
                      const char *const *words) {
  for (int i = 0; words[i] != NULL; i++) {
    if (strcmp(word, words[i]) == 0) return i;
  }
  const char *nearest = l_suggest(word, words);
  if (nearest != NULL) {
    return l_fail(L, what, "unknown %s '%s', did you mean '%s'?", key, word, nearest);
  }
  luaL_Buffer list;
  luaL_buffinit(L, &list);
  for (int i = 0; words[i] != NULL; i++) {
    luaL_addstring(&list, i > 0 ? ", " : "");
    luaL_addstring(&list, words[i]);
  }
  luaL_pushresult(&list);
  return l_fail(L, what, "unknown %s '%s', expected one of: %s", key, word, lua_tostring(L, -1));
}

int l_mdp_step_failure(lua_State *L, const char *what, Status status) {
  if (status == E_NOMEM) {
    l_fail(L, what, "not enough memory for the workspace");
  }
  return l_status(L, status);
}

/* " in state 3" where there are several */
static const char *place(lua_State *L, int ndim, ptrdiff_t s) {
  return ndim == 2 ? lua_pushfstring(L, " in state %d", (int)s + 1) : "";
}

static const char *number(lua_State *L, double x) {
  lua_pushnumber(L, x);
  return l_describe(L, lua_gettop(L));
}

const double *l_mdp_step_policy(lua_State *L, int arg, const char *what, const char *name, int ndim,
                                ptrdiff_t *size) {
  const Tensor *t = l_tensor_sized(L, arg, what, name, ndim, (ptrdiff_t[]){-1, -1});
  const ptrdiff_t S = ndim == 2 ? t->size[0] : 1, A = t->size[ndim - 1];
  for (int d = 0; d < ndim; d++) size[d] = t->size[d];
  if (S == 0 || A == 0 || S > MDP_LIMIT || A > MDP_LIMIT) {
    l_fail(L, what, "%s must have at least one state and one action, got %s", name,
           l_describe(L, arg));
  }
  const double *pi = l_tensor_data(L, t);
  for (ptrdiff_t s = 0; s < S; s++) {
    double sum = 0.0;
    for (ptrdiff_t a = 0; a < A; a++) {
      const double p = pi[s * A + a];
      if (!(p >= 0.0 && p < INFINITY)) {
        l_fail(L, what, "%s must hold probabilities,%s action %d has %s", name, place(L, ndim, s),
               (int)a + 1, number(L, p));
      }
      sum += p;
    }
    if (!(fabs(sum - 1.0) <= MDP_SUM_TOLERANCE)) {
      l_fail(L, what, "%s must be a distribution,%s it sums to %s (tolerance 1e-09)", name,
             place(L, ndim, s), number(L, sum));
    }
  }
  return pi;
}

const double *l_mdp_step_advantages(lua_State *L, int arg, const char *what, const char *name,
                                    int ndim, const ptrdiff_t *size, const double *pi_) {
  const double *adv = l_tensor_data(L, l_tensor_sized(L, arg, what, name, ndim, size));
  const ptrdiff_t A = size[ndim - 1], count = ndim == 2 ? size[0] * A : A;
  for (ptrdiff_t i = 0; i < count; i++) {
    const int missing = adv[i] == -INFINITY && (pi_ == NULL || pi_[i] == 0.0);
    if (!missing && !(fabs(adv[i]) <= LARGEST)) {
      l_fail(L, what,
             "%s must be numbers up to 1e300, or -inf for an action that is missing,%s action %d "
             "has %s%s",
             name, place(L, ndim, i / A), (int)(i % A) + 1, number(L, adv[i]),
             adv[i] == -INFINITY ? " where the policy takes it" : "");
    }
  }
  return adv;
}

const double *l_mdp_step_weights(lua_State *L, int arg, const char *what, const char *name,
                                 ptrdiff_t S) {
  const double *w = l_tensor_data(L, l_tensor_sized(L, arg, what, name, 1, &S));
  double sum = 0.0;
  for (ptrdiff_t s = 0; s < S; s++) {
    if (!(w[s] >= 0.0 && w[s] < INFINITY)) {
      l_fail(L, what, "%s must be finite numbers >= 0, in state %d it is %s", name, (int)s + 1,
             number(L, w[s]));
    }
    sum += w[s];
  }
  if (!(sum > 0.0 && sum < INFINITY)) {
    l_fail(L, what, "%s must have a positive finite sum, got %s", name, number(L, sum));
  }
  return w;
}

/* --- options --------------------------------------------------------------------------------------------------------- */

/* everything that a method may be told, checked */
typedef struct Request {
  Method method;
  StepProblem problem;
  MonotoneOptions monotone;
  NaturalOptions natural;
  double delta;
  int log_policy;
} Request;

#define COMMON                                                                                     \
  "method", "policy", "advantages", "rho", "gamma", "unreached", "tolerance", "log_policy"

static const char *const monotone_keys[] = {COMMON, "C", "constant", NULL};
static const char *const mean_keys[] = {COMMON, "C", "refined", NULL};
static const char *const region_keys[] = {COMMON, "delta", NULL};
static const char *const natural_keys[] = {COMMON, "delta", "step", "line_search", NULL};
static const char *const greedy_keys[] = {COMMON, NULL};

static const char *const *const keys_of[] = {
    monotone_keys, monotone_keys, mean_keys,    region_keys,
    region_keys,   natural_keys,  natural_keys, greedy_keys,
};

/* the field at the stack top */
static int push_field(lua_State *L, const char *key) {
  lua_getfield(L, 1, key);
  return lua_gettop(L);
}

/* the largest |A| */
static double largest_advantage(const StepProblem *problem) {
  double largest = 0.0;
  for (ptrdiff_t i = 0; i < problem->S * problem->A; i++) {
    const double a = fabs(problem->adv[i]);
    largest = a > largest && a < INFINITY ? a : largest;
  }
  return largest;
}

static void read_problem(lua_State *L, Request *request) {
  static const char *const rules[] = {"limit", "keep", NULL};
  StepProblem *problem = &request->problem;
  ptrdiff_t size[2];
  const Method method = request->method;
  problem->pi = l_mdp_step_policy(L, push_field(L, "policy"), WHAT, "policy", 2, size);
  problem->S = size[0];
  problem->A = size[1];
  problem->adv = l_mdp_step_advantages(L, push_field(L, "advantages"), WHAT, "advantages", 2, size,
                                       problem->pi);
  problem->rho = l_mdp_step_weights(L, push_field(L, "rho"), WHAT, "rho", size[0]);
  /* only the constants of the bounds need gamma, and they are infinite at 1 */
  const int needs_gamma = method == MONOTONE_MEAN_KL
                          || (method <= MONOTONE_TV && isnan(request->monotone.C));
  problem->gamma = l_field_number(L, 1, WHAT, "gamma", 0.0, 1.0, needs_gamma ? NAN : 0.0);
  if (needs_gamma && problem->gamma == 1.0) {
    l_fail(L, WHAT, "gamma must be less than 1 for the method '%s', whose bound is infinite there",
           method_names[method]);
  }
  problem->keep = l_mdp_step_choice(L, WHAT, "unreached",
                                    l_field_string(L, 1, WHAT, "unreached", "limit"), rules);
  problem->tolerance = l_field_number(L, 1, WHAT, "tolerance", 0.0, DBL_MAX, -1.0);
  if (problem->tolerance < 0.0) {
    problem->tolerance = 1e-10 * largest_advantage(problem);
  }
  request->log_policy = l_field_boolean(L, 1, WHAT, "log_policy", 0);
}

/* a number of the options, NAN when it is absent */
static double optional_number(lua_State *L, const char *key, double lo) {
  lua_getfield(L, 1, key);
  const double x = lua_isnil(L, -1) ? NAN : l_number_in(L, lua_gettop(L), WHAT, key, lo, DBL_MAX);
  lua_pop(L, 1);
  return x;
}

static void read_natural(lua_State *L, Request *request) {
  static const char *const searches[] = {"quadratic", "exact", NULL};
  NaturalOptions *o = &request->natural;
  o->direction = request->method == NATURAL ? NATURAL_DIRECTION_FISHER : NATURAL_DIRECTION_GRADIENT;
  o->step = optional_number(L, "step", DBL_MIN);
  o->delta = optional_number(L, "delta", DBL_MIN);
  if (isnan(o->step) == isnan(o->delta)) {
    l_fail(L, WHAT, "the method '%s' needs delta or step, %s", method_names[request->method],
           isnan(o->step) ? "got none of them" : "not both");
  }
  o->exact = l_mdp_step_choice(L, WHAT, "line_search",
                               l_field_string(L, 1, WHAT, "line_search", "exact"), searches);
}

static Request read_request(lua_State *L) {
  Request request = {.delta = 0.0};
  if (!lua_istable(L, 1)) {
    l_fail(L, WHAT, "options must be a table, got %s", l_describe(L, 1));
  }
  const char *name = l_field_string(L, 1, WHAT, "method", NULL);
  if (name == NULL) {
    l_fail(L, WHAT, "method must be a string, got nil");
  }
  request.method = (Method)l_mdp_step_choice(L, WHAT, "method", name, method_names);
  l_known_keys(L, 1, WHAT, keys_of[request.method]);
  request.monotone.C = NAN;
  switch (request.method) {
  case MONOTONE:
  case MONOTONE_TV:
  case MONOTONE_MEAN_KL:
    request.monotone.C = optional_number(L, "C", 0.0);
    request.monotone.constant = l_field_number(L, 1, WHAT, "constant", DBL_MIN, DBL_MAX, 4.0);
    request.monotone.refined = l_field_boolean(L, 1, WHAT, "refined", 0);
    break;
  case TRUST_REGION_MEAN:
  case TRUST_REGION_MAX:
    request.delta = l_field_number(L, 1, WHAT, "delta", DBL_MIN, DBL_MAX, NAN);
    break;
  case NATURAL:
  case GRADIENT: read_natural(L, &request); break;
  case POLICY_ITERATION: break;
  }
  read_problem(L, &request);
  return request;
}

/* --- the step -------------------------------------------------------------------------------------------------------- */

static Status run(const Request *r, double *q, double *log_q_, StepInfo *info, Arena *ws) {
  switch (r->method) {
  case MONOTONE: return monotone_kl(&r->problem, &r->monotone, q, log_q_, info, ws);
  case MONOTONE_TV: return monotone_tv(&r->problem, &r->monotone, q, log_q_, info, ws);
  case MONOTONE_MEAN_KL: return monotone_mean(&r->problem, &r->monotone, q, log_q_, info, ws);
  case TRUST_REGION_MEAN: return region_mean(&r->problem, r->delta, q, log_q_, info, ws);
  case TRUST_REGION_MAX: return region_max(&r->problem, r->delta, q, log_q_, info, ws);
  case NATURAL:
  case GRADIENT: return natural_step(&r->problem, &r->natural, q, log_q_, info, ws);
  default: return step_greedy(&r->problem, q, log_q_, info, ws);
  }
}

static void set_number(lua_State *L, const char *key, double x) {
  lua_pushnumber(L, x);
  lua_setfield(L, -2, key);
}

static void push_info(lua_State *L, const StepInfo *info) {
  lua_createtable(L, 0, 14);
  set_number(L, "gain", info->gain);
  set_number(L, "penalty", info->penalty);
  set_number(L, "C", info->C);
  set_number(L, "radius", info->radius);
  set_number(L, "lambda", info->lambda);
  set_number(L, "step", info->step);
  set_number(L, "kl_max", info->kl_max);
  set_number(L, "kl_mean", info->kl_mean);
  set_number(L, "tv_max", info->tv_max);
  set_number(L, "kkt", info->kkt);
  set_number(L, "gap", info->gap);
  set_number(L, "passes", info->passes);
  lua_pushstring(L, status_name(info->status));
  lua_setfield(L, -2, "status");
}

/***
One exact step of policy improvement from a policy, its advantages and its visitation; no process is needed.

With A the advantages of the old policy and rho its unnormalised discounted visitation, every step improves the surrogate
L(new) - L(old) = sum_s rho(s) sum_a (new - old)(a | s) A(s, a), in its way:

- "monotone": Algorithm 1 of Schulman et al. 2015 exactly: maximises L - C max_s KL, C = `constant` eps gamma/(1 - gamma)^2
  with eps = max |A|. The penalty is the theory's, so gain - penalty is a guaranteed improvement of the value. A deterministic
  policy cannot move when constant gamma/(1 - gamma) >= 1: status "stalled".
- "monotone_tv": maximises L - C max_s TV^2 with the same C; stalls at optimal policies only.
- "monotone_mean_kl": maximises L - C (1 - gamma) sum rho KL with the constant of theorem A, C = eps (h + 2 sqrt(2 h))/(1 - gamma),
  h = gamma/(1 - gamma); `refined` puts the span of A and the greedy advantage for eps.
- "trust_region_mean", "trust_region_max": maximise L where the mean of KL, weights rho/sum rho, or its maximum, is at most
  `delta`; over all policies, not along a direction.
- "natural": softmax policies along the natural gradient, new in proportion to old exp(`step` A); `step` from `delta`, the mean KL,
  by root finding or (`line_search` = "quadratic") from its quadratic model.
- "gradient": the same along the plain gradient of the logits.
- "policy_iteration": the best action in every state, the lowest of equals, unless a deterministic old action is as good to
  `tolerance`.

With C = 0 (gamma = 0) the first three give the greedy policy, with penalty 0 and an infinite kl_max.
@function step
@tparam table options `method`; `policy` [S, A]; `advantages` [S, A], -inf where an action is missing; `rho` [S];
 `gamma` (the monotone methods); `C` instead of the theory's, or `constant` = 4 (2 suffices); `refined` = false; `delta`; `step`;
 `line_search` = "exact"; `unreached` = "limit" (states with rho = 0 follow the rule of the others) or "keep" (they keep
 their policy); `tolerance` = 1e-10 max |A|: a policy counts as optimal when the greedy one gains no more in any state;
 `log_policy` = false
@treturn[1] Tensor the new policy [S, A]
@treturn[1] table info: `gain` (L(new) - L(old)), `penalty`, `C`, `radius` (delta, or the divergence that was chosen), `lambda`
 (multiplier), `step`, `kl_max`, `kl_mean` (weights rho/sum rho), `tv_max`, `kkt` (residual of the optimality conditions relative to
 max |A| sum rho, or to a multiplier that is larger), `gap` (upper bound by duality less gain), `passes` over the states, `status`
 ("ok", "optimal", "stalled": the method cannot move a policy that is not optimal); with `log_policy` also `log_policy` [S, A],
 finite where a probability underflows
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code: "not_finite" when C overflows
@raise on wrong arguments: policies that are no distributions, advantages that are NaN, unknown options and methods, ...
*/
static int l_mdp_step_step(lua_State *L) {
  lua_settop(L, 1);
  const Request request = read_request(L);
  const ptrdiff_t size[] = {request.problem.S, request.problem.A};
  StepInfo info;
  Tensor *q = l_tensor_push_unset(L, 2, size);
  const int place_of_q = lua_gettop(L);
  Tensor *log_q_ = request.log_policy ? l_tensor_push_unset(L, 2, size) : NULL;
  const Status status = run(&request, q->data, log_q_ ? log_q_->data : NULL, &info, l_arena(L));
  if (status < 0) {
    return l_mdp_step_failure(L, WHAT, status);
  }
  lua_pushvalue(L, place_of_q);
  push_info(L, &info);
  if (log_q_ != NULL) {
    lua_pushvalue(L, place_of_q + 1);
    lua_setfield(L, -2, "log_policy");
  }
  return 2;
}

void l_mdp_step_open(lua_State *L) {
  lua_getfield(L, -1, "mdp");
  lua_pushcfunction(L, l_mdp_step_step);
  lua_setfield(L, -2, "step");
  l_mdp_step_kernel_open(L);
  lua_pop(L, 1);
}
