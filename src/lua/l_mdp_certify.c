/***
@submodule trpo.Mdp
*/
#include "lua/l_mdp_certify.h"

#include <float.h>
#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_mdp.h"
#include "lua/l_mdp_evaluation.h"
#include "lua/l_tensor.h"
#include "mdp/certificate.h"

static const char *const WHAT = "mdp:certify";

/* --- arguments ---------------------------------------------------------------------------------------------------- */

typedef struct Options {
  CertificateOptions c;
  int evaluation, evaluation_new; /* stack indices; 0 where they are not given */
} Options;

/* the field of the table at t on the stack, or nothing */
static int field_table(lua_State *L, int t, const char *key) {
  lua_getfield(L, t, key);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return 0;
  }
  return lua_gettop(L);
}

static int field_epsilon(lua_State *L, int t) {
  const char *word = l_field_string(L, t, WHAT, "epsilon", "advantage");
  if (strcmp(word, "advantage") != 0 && strcmp(word, "span") != 0) {
    l_fail(L, WHAT, "epsilon must be 'advantage' or 'span', got the string '%s'", word);
  }
  return strcmp(word, "span") == 0;
}

static Options check_options(lua_State *L, int arg, const Mdp *mdp) {
  static const char *const keys[] = {"constant",   "alpha",          "epsilon", "steps",
                                     "evaluation", "evaluation_new", NULL};
  Options o = {.c = {.constant = 4.0, .alpha = NAN, .steps = certificate_steps(mdp)}};
  if (lua_isnoneornil(L, arg)) {
    return o;
  }
  if (!lua_istable(L, arg)) {
    l_fail(L, WHAT, "options must be a table, got %s", l_describe(L, arg));
  }
  l_known_keys(L, arg, WHAT, keys);
  o.c.constant = l_field_number(L, arg, WHAT, "constant", 2.0, DBL_MAX, 4.0);
  lua_getfield(L, arg, "alpha");
  if (!lua_isnil(L, -1)) {
    o.c.alpha = l_field_number(L, arg, WHAT, "alpha", 0.0, 1.0, 0.0);
  }
  lua_pop(L, 1);
  o.c.span = field_epsilon(L, arg);
  o.c.steps = l_field_integer(L, arg, WHAT, "steps", 1, INT_MAX, (long)o.c.steps);
  o.evaluation = field_table(L, arg, "evaluation");
  o.evaluation_new = field_table(L, arg, "evaluation_new");
  return o;
}

/* mdp:evaluate(policy at arg) unless an evaluation is there already: its stack index, or 0 when nil, message and code
 * are at the top instead */
static int evaluated(lua_State *L, int arg, int given) {
  if (given != 0) {
    return given;
  }
  lua_getfield(L, 1, "evaluate");
  lua_pushvalue(L, 1);
  lua_pushvalue(L, arg);
  lua_call(L, 2, 3);
  if (lua_isnil(L, -3)) {
    return 0;
  }
  lua_pop(L, 2);
  return lua_gettop(L);
}

/* alpha = 0.1 belongs to no mixture when an action lost more than that */
static void check_alpha(lua_State *L, const CertificateOptions *o, const BoundsNumbers *n) {
  if (o->alpha < n->alpha * (1.0 - 1e-9) - 1e-12) {
    lua_pushnumber(L, n->alpha);
    lua_pushnumber(L, o->alpha);
    l_fail(L, WHAT,
           "alpha must be at least %s for pi_new to be a mixture (1 - alpha) pi + alpha pi', got "
           "%s",
           lua_tostring(L, -2), lua_tostring(L, -1));
  }
}

/* --- results ------------------------------------------------------------------------------------------------------- */

static void set_number(lua_State *L, const char *key, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, key);
}

static void set_string(lua_State *L, const char *key, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, key);
}

static void push_certificate(lua_State *L, CertificateId id, const Certificate *c) {
  lua_createtable(L, 0, 11);
  set_string(L, "name", certificate_name(id));
  set_string(L, "claim", certificate_claim(id));
  set_string(L, "kind", c->kind == CERTIFICATE_IDENTITY ? "identity" : "bound");
  set_number(L, "left", c->left);
  set_number(L, "right", c->right);
  set_number(L, "slack", c->left == c->right ? 0.0 : c->right - c->left);
  set_number(L, "tolerance", c->tolerance);
  lua_pushboolean(L, c->holds);
  lua_setfield(L, -2, "holds");
  if (c->state >= 0) {
    set_number(L, "state", (double)c->state + 1.0);
  }
  if (c->step >= 0) {
    set_number(L, "step", (double)c->step);
  }
}

static void push_values(lua_State *L, const BoundsNumbers *n, double eta, double eta_new,
                        const CertificateOptions *o) {
  const double epsilon = o->span ? n->omega / 2.0 : n->epsilon;
  lua_createtable(L, 0, 16);
  set_number(L, "eta", eta);
  set_number(L, "eta_new", eta_new);
  set_number(L, "surrogate", eta + n->gain);
  set_number(L, "gain", n->gain);
  set_number(L, "C", bounds_penalty(n->gamma, epsilon, o->constant));
  set_number(L, "epsilon", n->epsilon);
  set_number(L, "epsilon_bar", n->epsilon_bar);
  set_number(L, "omega", n->omega);
  set_number(L, "span_bar", n->span_bar);
  set_number(L, "least", n->least);
  set_number(L, "tv_max", n->tv_max);
  set_number(L, "tv_mean", n->tv_mean);
  set_number(L, "kl_max", n->kl_max);
  set_number(L, "kl_mean", n->kl_mean);
  set_number(L, "alpha", isnan(o->alpha) ? n->alpha : o->alpha);
}

/* arrays for bounds_numbers in four tensors on the stack */
static BoundsStates push_states(lua_State *L, const Mdp *mdp) {
  luaL_checkstack(L, 8, NULL);
  BoundsStates states;
  states.abar = l_mdp_push_values(L, mdp);
  states.tv = l_mdp_push_values(L, mdp);
  states.kl = l_mdp_push_values(L, mdp);
  states.span = l_mdp_push_values(L, mdp);
  return states;
}

/***
Checks every identity and bound of the theory on a pair of policies: each side computed, nothing estimated.

Abar(s) = sum_a pi_new(a | s) A(s, a), L = eta + sum_s rho Abar, alpha = max TV, epsilon = max |A|; "mean" is under
d = (1 - gamma) rho, where an ended episode counts as a state in which policies agree. Statements, by name:
`performance_difference`, `two_ways`, `surrogate_at_old`, `gradient`, `gradient_quotient` (identities); `improvement`, `advantage_bound`,
`advantage_bound_max`, `step_bound`, `step_bound_relaxed`, `theorem1`, `theorem1_relaxed`, `pinsker`, `penalty_4`, `penalty_2`, `mm`,
`kakade_langford`, `kakade_langford_relaxed`, `average_kl`, `average_kl_refined`, `average_tv`, `coupling_exact` (bounds). docs/theory.md
has them with their proofs. With gamma = 1 the gradients and steps are left out, and bounds are infinite.
@function Mdp:certify
@tparam Tensor policy pi [S, A]
@tparam Tensor policy_new pi_new [S, A]
@tparam[opt] table options `constant` = 4 (of the penalty in mm), `alpha` (pi_new = (1 - alpha) pi + alpha pi'; default: the least
 that fits), `epsilon` = "advantage" or "span" (omega / 2 instead of max |A|, omega = max_s (max A - min A), where that is proved),
 `steps` (of step_bound), `evaluation`, `evaluation_new` (what `mdp:evaluate` returned for the policies)
@treturn[1] table statement by name: `name`, `claim`, `kind` ("identity" or "bound"), `left`, `right`, `slack` = right - left, `tolerance` (of
 rounding), `holds`; where it is about every state or step, the tightest: `state`, `step`
@treturn[1] table the numbers in them: `eta`, `eta_new`, `surrogate`, `gain` (surrogate - eta), `C`, `epsilon`, `epsilon_bar` (max |Abar|), `omega`,
 `span_bar` (max Abar - min Abar), `least` (min Abar), `tv_max`, `tv_mean`, `kl_max`, `kl_mean`, `alpha` (of the mixture)
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code, as `mdp:evaluate`
@raise on arguments that are no policies, unknown options, and an alpha of which pi_new is no mixture
*/
static int l_mdp_certify_certify(lua_State *L) {
  const Mdp *mdp = l_mdp_check(L, 1, WHAT);
  lua_settop(L, 4);
  Options o = check_options(L, 4, mdp);
  const double *pi = l_mdp_policy(L, 2, WHAT, "policy", mdp);
  const double *pi_new = l_mdp_policy(L, 3, WHAT, "policy_new", mdp);
  luaL_checkstack(L, 40, NULL);
  const int at = evaluated(L, 2, o.evaluation);
  const int at_new = at != 0 ? evaluated(L, 3, o.evaluation_new) : 0;
  if (at_new == 0) {
    return 3;
  }
  BoundsPolicy old = l_mdp_evaluation(L, at, WHAT, mdp);
  BoundsPolicy new = l_mdp_evaluation(L, at_new, WHAT, mdp);
  old.pi = pi;
  new.pi = pi_new;

  Arena *ws = l_arena(L);
  BoundsStates states = push_states(L, mdp);
  BoundsNumbers n;
  Certificate all[CERTIFICATE_COUNT];
  Status status = bounds_numbers(&n, &states, mdp, &old, pi_new, ws);
  if (status == OK) {
    check_alpha(L, &o.c, &n);
    status = certificate_all(all, mdp, &old, &new, &n, &states, &o.c, ws);
  }
  if (status != OK) {
    return l_status(L, status);
  }
  lua_createtable(L, 0, CERTIFICATE_COUNT);
  for (int i = 0; i < CERTIFICATE_COUNT; i++) {
    if (all[i].applies) {
      push_certificate(L, (CertificateId)i, &all[i]);
      lua_setfield(L, -2, certificate_name((CertificateId)i));
    }
  }
  push_values(L, &n, old.eta, new.eta, &o.c);
  return 2;
}

static int wants_coupling(lua_State *L, int arg, const char *what) {
  static const char *const keys[] = {"coupling", NULL};
  if (lua_isnil(L, arg)) {
    return 1;
  }
  if (!lua_istable(L, arg)) {
    l_fail(L, what, "options must be a table, got %s", l_describe(L, arg));
  }
  l_known_keys(L, arg, what, keys);
  return l_field_boolean(L, arg, what, "coupling", 1);
}

/***
What is certain about eta of a new policy before it is evaluated: the best of all lower bounds.
@function Mdp:lower_bound
@tparam Tensor policy pi [S, A]
@tparam table evaluation what `mdp:evaluate(policy)` returned
@tparam Tensor policy_new [S, A]
@tparam[opt] table options `coupling` = true; false saves a linear system, and that bound
@treturn[1] number eta of policy_new is at least this, but for rounding
@treturn[1] string which bound it is
@treturn[1] table all of them by name: `improvement`, `theorem1`, `penalty`, `average_kl`, `average_tv`, `kakade_langford`, `coupling_exact`
@treturn[1] table the numbers in them, as `mdp:certify`
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code
@raise on wrong arguments
*/
static int l_mdp_certify_lower_bound(lua_State *L) {
  static const char *const what = "mdp:lower_bound";
  const Mdp *mdp = l_mdp_check(L, 1, what);
  lua_settop(L, 5);
  const int coupling = wants_coupling(L, 5, what);
  const double *pi = l_mdp_policy(L, 2, what, "policy", mdp);
  const double *pi_new = l_mdp_policy(L, 4, what, "policy_new", mdp);
  BoundsPolicy old = l_mdp_evaluation(L, 3, what, mdp);
  old.pi = pi;
  Arena *ws = l_arena(L);
  BoundsStates states = push_states(L, mdp);
  BoundsNumbers n;
  double disagreement = INFINITY, lower[BOUNDS_LOWER_COUNT];
  Status status = bounds_numbers(&n, &states, mdp, &old, pi_new, ws);
  if (status == OK && coupling) {
    status = bounds_disagreement(&disagreement, mdp, pi, pi_new, states.tv, ws);
  }
  if (status != OK) {
    return l_status(L, status);
  }
  bounds_lower(lower, &n, old.eta, disagreement);
  int best = 0;
  for (int i = 1; i < BOUNDS_LOWER_COUNT; i++) {
    best = lower[i] > lower[best] ? i : best;
  }
  lua_pushnumber(L, lower[best]);
  lua_pushstring(L, bounds_lower_name((BoundsLower)best));
  lua_createtable(L, 0, BOUNDS_LOWER_COUNT);
  for (int i = 0; i < BOUNDS_LOWER_COUNT; i++) {
    if (coupling || i != BOUNDS_COUPLING) {
      set_number(L, bounds_lower_name((BoundsLower)i), lower[i]);
    }
  }
  const CertificateOptions usual = {.constant = 4.0, .alpha = NAN};
  push_values(L, &n, old.eta, NAN, &usual);
  lua_pushnil(L);
  lua_setfield(L, -2, "eta_new");
  return 4;
}

void l_mdp_certify_open(lua_State *L) {
  l_mdp_push_methods(L);
  lua_pushcfunction(L, l_mdp_certify_certify);
  lua_setfield(L, -2, "certify");
  lua_pushcfunction(L, l_mdp_certify_lower_bound);
  lua_setfield(L, -2, "lower_bound");
  lua_pop(L, 1);
}
