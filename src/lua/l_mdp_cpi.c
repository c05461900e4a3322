/***
@submodule trpo.Mdp
*/
#include "lua/l_mdp_cpi.h"

#include <lauxlib.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_mdp.h"
#include "lua/l_mdp_evaluation.h"
#include "mdp/cpi.h"

static const char *const WHAT = "mdp:cpi_step";

typedef struct Options {
  CpiRule rule;
  CpiTies ties;
  CpiExactOptions exact;
} Options;

/* one of the words of a NULL-terminated list */
static int field_choice(lua_State *L, int t, const char *key, const char *const *words) {
  const char *word = l_field_string(L, t, WHAT, key, words[0]);
  for (int i = 0; words[i] != NULL; i++) {
    if (strcmp(word, words[i]) == 0) {
      return i;
    }
  }
  const char *near = l_suggest(word, words);
  return l_fail(L, WHAT, "unknown %s '%s'%s%s%s", key, word, near != NULL ? ", did you mean '" : "",
                near != NULL ? near : "", near != NULL ? "'?" : "");
}

static Options check_options(lua_State *L, int arg) {
  static const char *const keys[] = {"rule", "ties", "certify", "tolerance", NULL};
  static const char *const rules[] = {"bound", "kl02", "simple", "exact", NULL};
  static const CpiRule rule_of[] = {CPI_BOUND, CPI_KL02, CPI_SIMPLE, CPI_EXACT};
  static const char *const ties[] = {"lowest", "uniform", NULL};
  Options o = {.rule = CPI_BOUND, .exact.tolerance = 1e-12};
  if (lua_isnoneornil(L, arg)) {
    return o;
  }
  if (!lua_istable(L, arg)) {
    l_fail(L, WHAT, "options must be a table, got %s", l_describe(L, arg));
  }
  l_known_keys(L, arg, WHAT, keys);
  o.rule = rule_of[field_choice(L, arg, "rule", rules)];
  o.ties = field_choice(L, arg, "ties", ties) == 0 ? CPI_LOWEST : CPI_UNIFORM;
  o.exact.certify = l_field_boolean(L, arg, WHAT, "certify", 0);
  o.exact.tolerance = l_field_number(L, arg, WHAT, "tolerance", 1e-15, 1.0, 1e-12);
  return o;
}

static void set_number(lua_State *L, const char *key, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, key);
}

static void push_info(lua_State *L, const CpiStep *step, CpiRule rule, Status status) {
  lua_createtable(L, 0, 12);
  set_number(L, "alpha", step->alpha);
  set_number(L, "gain", step->gain);
  set_number(L, "advantage", step->advantage);
  set_number(L, "epsilon_bar", step->epsilon_bar);
  lua_pushstring(L, cpi_rule_name(rule));
  lua_setfield(L, -2, "rule");
  lua_pushstring(L, status_name(status));
  lua_setfield(L, -2, "status");
}

static void add_exact(lua_State *L, const CpiExact *exact) {
  set_number(L, "eta", exact->eta);
  set_number(L, "gap", exact->gap);
  set_number(L, "error", exact->error);
  set_number(L, "nodes", exact->nodes);
  set_number(L, "degree", exact->degree);
}

/* the step by the chosen rule; the search needs the process, the others the two numbers of step */
static Status take_step(CpiStep *step, CpiExact *exact, const Mdp *mdp, const double *pi,
                        const double *greedy, const Options *options, Arena *ws) {
  if (options->rule != CPI_EXACT || step->epsilon_bar == 0.0) {
    return cpi_alpha(step, options->rule, mdp->gamma, cpi_reward_range(mdp));
  }
  const Status status = cpi_exact(exact, mdp, pi, greedy, &options->exact, ws);
  if (status == OK || status == UNCERTIFIED) {
    step->alpha = exact->alpha;
    step->gain = exact->gain;
    return step->alpha == 0.0 ? STALLED : status;
  }
  return status;
}

/***
One step of conservative policy iteration: (1 - alpha) pi + alpha pi', pi' greedy for the advantages of pi.

The rules for alpha, with PA = sum_s rho(s) max_a A(s, a), epsilon_bar = max A and c = 1 - gamma: `"kl02"`
(c^3 PA / 4R, Kakade and Langford 2002), `"simple"` (c^2 PA / (4 epsilon_bar gamma)), `"bound"` (the maximiser of
alpha PA - 2 epsilon_bar gamma alpha^2 / (c (c + gamma alpha)), in closed form), `"exact"` (the global maximum of eta along
the mixture, by Chebyshev interpolation; with `certify` no alpha has more than eta + gap).
@function Mdp:cpi_step
@tparam Tensor policy pi [S, A]
@tparam table evaluation what `mdp:evaluate(policy)` returned
@tparam[opt] table options `rule` = "bound", `ties` = "lowest" or "uniform" (pi' among equal actions), for "exact" `certify` = false and
 `tolerance` = 1e-12 (of the interpolant, relative to max |R| / c)
@treturn[1] Tensor the new policy [S, A]
@treturn[1] table `alpha`, `gain` (eta rises by at least this), `advantage` (PA), `epsilon_bar`, `rule`, `greedy` (pi'), `status`: "ok", "optimal"
 (nothing is better), "stalled" (only states that are not visited could do better) or "uncertified"; for "exact" also
 `eta`, `gap`, `error` (of the interpolant), `nodes`, `degree`
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code: "limit" when more than 16384 nodes would be needed
@raise on wrong arguments, and for gamma = 1, where the bounds are infinite
*/
static int l_mdp_cpi_step(lua_State *L) {
  const Mdp *mdp = l_mdp_check(L, 1, WHAT);
  if (mdp->gamma >= 1.0) {
    l_fail(L, WHAT, "gamma must be below 1, where the bounds are finite");
  }
  const Options options = check_options(L, 4);
  lua_settop(L, 4);
  const double *pi = l_mdp_policy(L, 2, WHAT, "policy", mdp);
  const BoundsPolicy e = l_mdp_evaluation(L, 3, WHAT, mdp);
  Arena *ws = l_arena(L);
  double *greedy = l_mdp_push_pairs(L, mdp);
  const int greedy_at = lua_gettop(L);
  double *out = l_mdp_push_pairs(L, mdp);
  CpiStep step;
  CpiExact exact = {0};
  Status status = cpi_advantage(&step, mdp, e.adv, e.rho, l_mdp_evaluation_rounding(mdp, &e), ws);
  if (status == OK) {
    cpi_greedy(greedy, mdp, e.adv, options.ties);
    status = take_step(&step, &exact, mdp, pi, greedy, &options, ws);
  }
  if (status < 0 || status == LIMIT) {
    return l_status(L, status);
  }
  cpi_mixture(out, pi, greedy, step.alpha, mdp->S * mdp->A);
  push_info(L, &step, options.rule, status);
  if (exact.nodes > 0) {
    add_exact(L, &exact);
  }
  lua_pushvalue(L, greedy_at);
  lua_setfield(L, -2, "greedy");
  return 2;
}

void l_mdp_cpi_open(lua_State *L) {
  l_mdp_push_methods(L);
  lua_pushcfunction(L, l_mdp_cpi_step);
  lua_setfield(L, -2, "cpi_step");
  lua_pop(L, 1);
}
