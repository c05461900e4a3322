#include "lua/l_trpo.h"

#include <lauxlib.h>
#include <float.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_batch.h"
#include "lua/l_check.h"
#include "lua/l_policy.h"
#include "lua/l_value.h"
#include "rl/advantage.h"
#include "rl/learn.h"

/***
Trust region policy optimisation (Schulman et al. 2015, arXiv:1502.05477).
The object is a plain table of validated settings with one method, `update`.
@classmod trpo.TRPO
*/

#define TYPE "trpo.TRPO"

static const char what_new[] = "trpo.TRPO", what_update[] = "TRPO:update";

/* The numbers among the settings: range and default. As l_check reads them, DBL_MIN opens a range at 0 and DBL_MAX means finite. */
typedef struct Setting {
  const char *key;
  double low, high, value;
} Setting;

static const Setting numbers[] = {
    {"delta", DBL_MIN, DBL_MAX, 0.01},
    {"gamma", 0, 1, 0.99},
    {"lambda", 0, 1, 0.97},
    {"cg_tolerance", 0, 1, 1e-10},
    {"damping", 0, DBL_MAX, 0.1},
    {"backtrack_ratio", DBL_MIN, 1 - 1e-16, 0.8},
    {"fisher_fraction", DBL_MIN, 1, 1},
    {NULL, 0, 0, 0},
};

static const Setting integers[] = {
    {"cg_iters", 1, 1000000, 10},
    {"backtracks", 1, LINESEARCH_TRIALS, 10},
    {NULL, 0, 0, 0},
};

static double number(lua_State *L, int t, const char *what, const char *key) {
  const Setting *s = numbers;
  while (strcmp(s->key, key) != 0) s++;
  return l_field_number(L, t, what, key, s->low, s->high, s->value);
}

static int integer(lua_State *L, int t, const char *what, const char *key) {
  const Setting *s = integers;
  while (strcmp(s->key, key) != 0) s++;
  return (int)l_field_integer(L, t, what, key, (long)s->low, (long)s->high, (long)s->value);
}

static const char *const step_scales[] = {"damped", "undamped", NULL};
static const char *const preconditioners[] = {"none", "kfac", NULL};

static const char *const keys[] = {"delta",
                                   "gamma",
                                   "lambda",
                                   "cg_iters",
                                   "cg_tolerance",
                                   "damping",
                                   "backtrack_ratio",
                                   "backtracks",
                                   "fisher_fraction",
                                   "fisher_form",
                                   "step_scale",
                                   "preconditioner",
                                   "standardize_advantages",
                                   NULL};

/* The settings at index t, checked: they may have been changed since the object was made. */
static TrpoConfig read_config(lua_State *L, int t, const char *what) {
  l_known_keys(L, t, what, keys);
  const TrpoConfig config = {
      .delta = number(L, t, what, "delta"),
      .damping = number(L, t, what, "damping"),
      .cg_tolerance = number(L, t, what, "cg_tolerance"),
      .backtrack_ratio = number(L, t, what, "backtrack_ratio"),
      .fisher_fraction = number(L, t, what, "fisher_fraction"),
      .cg_iters = integer(L, t, what, "cg_iters"),
      .backtracks = integer(L, t, what, "backtracks"),
      .undamped = l_field_choice(L, t, what, "step_scale", step_scales, 0),
      .fisher_form = (GaussNewtonForm)l_field_choice(L, t, what, "fisher_form", gauss_newton_forms,
                                                     GAUSS_NEWTON_AUTO),
      .standardize = l_field_boolean(L, t, what, "standardize_advantages", 1),
      .kfac = l_field_choice(L, t, what, "preconditioner", preconditioners, 0)};
  number(L, t, what, "gamma");
  number(L, t, what, "lambda");
  return config;
}

/***
Validated settings of TRPO.
@function trpo.TRPO
@tparam[opt] table settings
 `delta` trust region in nats, > 0 (default 0.01);
 `gamma` discount in [0, 1] (0.99), `lambda` of the advantage estimator in [0, 1] (0.97);
 `cg_iters` products of conjugate gradients (10), `cg_tolerance` relative residual at which it stops (1e-10);
 `damping` added to the Fisher matrix, >= 0 (0.1);
 `backtrack_ratio` in (0, 1) (0.8), `backtracks` trials of the line search (10);
 `fisher_fraction` part of the states in the Fisher matrix, in (0, 1], a fixed stride (1);
 `fisher_form` how products with it are made, see `policy:fisher_product`: `"auto"` (default), `"classical"`, `"cached"`;
 `step_scale` `"damped"` (default) scales the step by x'(F + damping I)x, `"undamped"` by x'Fx;
 `preconditioner` of conjugate gradients: `"none"` (default) or `"kfac"`, a Kronecker-factored approximation of F + damping I, with
 which fewer products give the same residual where plain ones converge slowly (see docs/learning.md);
 `standardize_advantages` (true)
@treturn trpo.TRPO
@raise on an unknown setting or a value out of range
*/
static int l_trpo_new(lua_State *L) {
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  if (!lua_istable(L, 1))
    return l_fail(L, what_new, "settings must be a table, got %s", l_describe(L, 1));
  const TrpoConfig config = read_config(L, 1, what_new);
  lua_newtable(L);
  for (const Setting *s = numbers; s->key; s++) {
    lua_pushnumber(L, number(L, 1, what_new, s->key));
    lua_setfield(L, -2, s->key);
  }
  for (const Setting *s = integers; s->key; s++) {
    lua_pushinteger(L, integer(L, 1, what_new, s->key));
    lua_setfield(L, -2, s->key);
  }
  lua_pushstring(L, gauss_newton_forms[config.fisher_form]);
  lua_setfield(L, -2, "fisher_form");
  lua_pushstring(L, config.undamped ? "undamped" : "damped");
  lua_setfield(L, -2, "step_scale");
  lua_pushstring(L, config.kfac ? "kfac" : "none");
  lua_setfield(L, -2, "preconditioner");
  lua_pushboolean(L, config.standardize);
  lua_setfield(L, -2, "standardize_advantages");
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2);
  return 1;
}

/* ---- the record of an update -------------------------------------------------------------------------------- */

static void set_number(lua_State *L, const char *key, double x) {
  lua_pushnumber(L, x);
  lua_setfield(L, -2, key);
}

static void push_trials(lua_State *L, const Linesearch *search) {
  lua_createtable(L, search->count, 0);
  for (int j = 0; j < search->count; j++) {
    const LinesearchTrial *trial = &search->trial[j];
    lua_createtable(L, 0, 4);
    set_number(L, "fraction", trial->fraction);
    set_number(L, "surrogate", trial->value.surrogate);
    set_number(L, "kl", trial->value.kl_mean);
    lua_pushstring(L, linesearch_reason(trial->reason));
    lua_setfield(L, -2, "reason");
    lua_rawseti(L, -2, j + 1);
  }
}

static void push_info(lua_State *L, const TrpoInfo *info, const Batch *batch) {
  lua_createtable(L, 0, 22);
  lua_pushstring(L, status_name(info->status));
  lua_setfield(L, -2, "status");
  lua_pushstring(L, status_text(info->status));
  lua_setfield(L, -2, "message");
  set_number(L, "surrogate_before", info->surrogate_before);
  set_number(L, "surrogate_after", info->surrogate_after);
  set_number(L, "expected_improvement", info->expected_improvement);
  set_number(L, "actual_improvement", info->actual_improvement);
  set_number(L, "kl", info->kl_mean);
  set_number(L, "kl_mean", info->kl_mean);
  set_number(L, "kl_max", info->kl_max);
  set_number(L, "kl_quadratic", info->kl_quadratic);
  set_number(L, "entropy", info->entropy);
  set_number(L, "step_fraction", info->step_fraction);
  set_number(L, "backtracks", info->backtracks);
  set_number(L, "cg_iters", info->cg_iters);
  lua_pushstring(L, gauss_newton_forms[info->fisher_form]);
  lua_setfield(L, -2, "fisher_form");
  set_number(L, "cg_residual", info->cg_residual);
  set_number(L, "grad_norm", info->grad_norm);
  set_number(L, "step_norm", info->step_norm);
  set_number(L, "explained_variance", advantage_explained_variance(batch));
  push_trials(L, &info->search);
  lua_setfield(L, -2, "trials");
  lua_createtable(L, 0, 7);
  set_number(L, "rollout", batch->seconds_rollout);
  set_number(L, "advantage", batch->seconds_advantage);
  set_number(L, "value", 0);
  set_number(L, "gradient", info->seconds_gradient);
  set_number(L, "cg", info->seconds_cg);
  set_number(L, "preconditioner", info->seconds_preconditioner);
  set_number(L, "linesearch", info->seconds_linesearch);
  lua_setfield(L, -2, "seconds");
}

/* the update with the fit of a value beside it */
static int update_both(lua_State *L, const TrpoConfig *config, Policy *policy, const Batch *batch,
                       Value *value) {
  TrpoInfo info;
  ValueFit fit;
  const Learn learn = {config, batch, policy, value, &info, &fit};
  const Status status = learn_batch(&learn, l_arena(L), l_arena_second(L));
  push_info(L, &info, batch);
  return learn_ends(info.status) ? 1 : 1 + l_value_push_fit(L, value, &fit, status);
}

/***
One update of a policy on a batch whose `advantages` are filled.
@function update
@tparam trpo.Policy policy changed in place, only by an accepted step
@tparam trpo.Batch batch sampled with this policy
@tparam[opt] trpo.Value value is fitted to `batch.returns`, beside the update: what `value:fit(batch)` after it would do, bit for bit, in
 less time on several threads; but for an update that ends with `"not_finite"` or `"no_memory"`, after which the value is as it was
@treturn table info, always with the same fields:
 `status` `"ok"`, `"step_rejected"`, `"zero_gradient"`, or a failure `"not_finite"`, `"negative_curvature"`, `"no_memory"`, with K-FAC also
 `"not_converged"`, `"preconditioner"`; `message`;
 `surrogate_before`, `surrogate_after`, `actual_improvement` = after - before, `expected_improvement` = step_fraction g'step
 (units of the advantages);
 `kl` = `kl_mean`, `kl_max`: KL(old || new) over the states, in nats; `kl_quadratic` its quadratic model, undamped;
 `entropy` of the old policy, in nats; `step_fraction` ratio^j of the accepted step, or 0; `backtracks` trials that were not
 accepted; `trials` list of `fraction, surrogate, kl, reason`; `cg_iters`, `cg_residual` (relative); `fisher_form`, the form
 used (`"auto"` if none was); `grad_norm`, `step_norm`;
 `explained_variance` of the batch's values; `seconds` wall time of `rollout, advantage` (of the batch), `gradient, cg,
 linesearch` (of the update), `preconditioner` (the part of `cg` that makes it, 0 without one), `value` (0 here: the fit's info has its `seconds`)
@treturn[opt] table|nil with a value and unless it was left out, what `value:fit` returns
@treturn[opt] string message of a fit that failed
@treturn[opt] string its code
@raise when the batch does not fit the policy or a setting is out of range; the parameters are then as they were
*/
static int l_trpo_update(lua_State *L) {
  lua_settop(L, 4);
  if (!lua_istable(L, 1))
    return l_fail(L, what_update, "settings must be a table, got %s", l_describe(L, 1));
  const TrpoConfig config = read_config(L, 1, what_update);
  Policy *policy = l_policy_check(L, 2, what_update);
  const Batch *batch = l_batch_check(L, 3, what_update);
  Value *value_ = lua_isnil(L, 4) ? NULL : l_value_check(L, 4, what_update);
  TrpoInfo info;
  l_batch_check_policy(L, 3, what_update, policy);
  if (value_) l_batch_check_value(L, 3, what_update, value_);
  if (batch->N < 1) return l_fail(L, what_update, "the batch must have at least one row, got none");
  if (value_) return update_both(L, &config, policy, batch, value_);
  trpo_update(policy, &config, &info, batch->obs, batch->action, batch->advantage, batch->N,
              l_arena(L));
  push_info(L, &info, batch);
  return 1;
}

static int l_trpo_tostring(lua_State *L) {
  lua_pushfstring(L, "trpo.TRPO: delta %f, gamma %f, lambda %f, %d CG iterations, damping %f",
                  number(L, 1, what_new, "delta"), number(L, 1, what_new, "gamma"),
                  number(L, 1, what_new, "lambda"), integer(L, 1, what_new, "cg_iters"),
                  number(L, 1, what_new, "damping"));
  return 1;
}

void l_trpo_open(lua_State *L) {
  luaL_newmetatable(L, TYPE);
  lua_newtable(L);
  lua_pushcfunction(L, l_trpo_update);
  lua_setfield(L, -2, "update");
  lua_pushliteral(L, "TRPO");
  lua_setfield(L, -2, "name");
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_trpo_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
  lua_pushcfunction(L, l_trpo_new);
  lua_setfield(L, -2, "TRPO");
}
