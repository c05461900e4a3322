#include "lua/l_policy_rows.h"

#include <math.h>
#include <string.h>

#include "base/sum.h"
#include "lua/l_arena.h"
#include "lua/l_batch.h"
#include "lua/l_check.h"
#include "lua/l_policy.h"
#include "lua/l_rows.h"
#include "lua/l_state.h"
#include "rl/fisher.h"
#include "rl/surrogate.h"

/***
The distributions of a batch of observations, and their derivatives.
@submodule trpo.Policy
*/

/* What the functions of a batch of observations share: arguments checked, result on the stack. */
typedef struct Rows {
  const Policy *policy;
  const double *obs;
  long N;
  Arena *arena;
} Rows;

static Rows check_rows(lua_State *L, int arg, const char *what) {
  Rows rows = {.policy = l_policy_check(L, 1, what), .arena = l_arena(L)};
  int single;
  lua_settop(L, 4); /* arguments keep their places, given or not */
  rows.obs = l_rows_observations(L, arg, what, &rows.policy->net.observation, &rows.N, &single);
  return rows;
}

static int finish(lua_State *L, const char *what, Status status) {
  if (status != OK) return l_fail(L, what, "%s", status_text(status));
  return 1;
}

/***
Distribution parameters.
@function forward
@tparam trpo.Tensor observations [N, O]
@treturn trpo.Tensor [N, D]
*/
static int l_policy_forward(lua_State *L) {
  const Rows r = check_rows(L, 2, "policy:forward");
  double *out = l_rows_push_matrix(L, r.N, r.policy->D);
  return finish(L, "policy:forward", policy_forward(r.policy, out, r.obs, r.N, r.arena));
}

/***
Logarithm of the probability or density of actions, in nats.
@function log_prob
@tparam trpo.Tensor observations [N, O]
@tparam trpo.Tensor actions [N] of integers 1..n, or [N, A]
@treturn trpo.Tensor [N]
*/
static int l_policy_log_prob(lua_State *L) {
  static const char what[] = "policy:log_prob";
  const Rows r = check_rows(L, 2, what);
  const double *action = l_rows_actions(L, 3, what, &r.policy->action, r.N);
  double *out = l_rows_push_vector(L, r.N);
  return finish(L, what, policy_log_prob(r.policy, out, r.obs, action, r.N, r.arena));
}

/***
Entropy in nats.
@function entropy
@tparam trpo.Tensor observations [N, O]
@treturn trpo.Tensor [N]
*/
static int l_policy_entropy(lua_State *L) {
  const Rows r = check_rows(L, 2, "policy:entropy");
  double *out = l_rows_push_vector(L, r.N);
  return finish(L, "policy:entropy", policy_entropy(r.policy, out, r.obs, r.N, r.arena));
}

/* The policy at 2, of the same shape as the one at 1. */
static const Policy *check_other(lua_State *L, const char *what) {
  const Policy *policy = l_policy_check(L, 1, what), *other = l_policy_check(L, 2, what);
  const Mlp *a = &policy->net.mlp, *b = &other->net.mlp;
  if (policy->dist != other->dist || a->layers != b->layers || a->precision != b->precision
      || memcmp(a->width, b->width, sizeof a->width) != 0 || a->activation != b->activation)
    l_fail(L, what, "the other policy must have the same network, distribution and precision");
  return other;
}

/***
Kullback-Leibler divergence KL(self || other) of every observation, in nats.
@function kl
@tparam trpo.Policy other of the same shape and precision
@tparam trpo.Tensor observations [N, O]
@treturn trpo.Tensor [N]
*/
static int l_policy_kl(lua_State *L) {
  static const char what[] = "policy:kl";
  const Policy *other = check_other(L, what);
  const Rows r = check_rows(L, 3, what);
  double *out = l_rows_push_vector(L, r.N);
  return finish(L, what, policy_kl(r.policy, other, out, r.obs, r.N, r.arena));
}

/***
Gradient, in other's parameters, of the mean of KL(self || other) over the observations.
@function kl_gradient
@tparam trpo.Policy other of the same shape and precision
@tparam trpo.Tensor observations [N, O]
@treturn trpo.Tensor [P]
*/
static int l_policy_kl_gradient(lua_State *L) {
  static const char what[] = "policy:kl_gradient";
  const Policy *other = check_other(L, what);
  const Rows r = check_rows(L, 3, what);
  double *out = l_rows_push_vector(L, r.policy->net.P);
  return finish(L, what, policy_kl_gradient(r.policy, other, out, r.obs, r.N, r.arena));
}

/***
Tangent of the distribution parameters: J v with J = d(parameters)/d(theta), row by row.
@function jvp
@tparam trpo.Tensor observations [N, O]
@tparam trpo.Tensor v [P]
@treturn trpo.Tensor [N, D]
*/
static int l_policy_jvp(lua_State *L) {
  static const char what[] = "policy:jvp";
  const Rows r = check_rows(L, 2, what);
  const double *v = l_rows_vector(L, 3, what, "v", r.policy->net.P);
  double *out = l_rows_push_matrix(L, r.N, r.policy->D);
  return finish(L, what, policy_jvp(r.policy, out, r.obs, v, r.N, r.arena));
}

/***
Gradient through the distribution parameters: the sum over rows of J'u.
@function vjp
@tparam trpo.Tensor observations [N, O]
@tparam trpo.Tensor u [N, D]
@treturn trpo.Tensor [P]
*/
static int l_policy_vjp(lua_State *L) {
  static const char what[] = "policy:vjp";
  const Rows r = check_rows(L, 2, what);
  const double *u = l_rows_matrix(L, 3, what, "u", r.N, r.policy->D);
  double *out = l_rows_push_vector(L, r.policy->net.P);
  return finish(L, what, policy_vjp(r.policy, out, r.obs, u, r.N, r.arena));
}

/* options.form at arg */
static GaussNewtonForm read_form(lua_State *L, int arg, const char *what) {
  static const char *const keys[] = {"form", NULL};
  if (lua_isnoneornil(L, arg)) return GAUSS_NEWTON_AUTO;
  if (!lua_istable(L, arg)) l_fail(L, what, "options must be a table, got %s", l_describe(L, arg));
  l_known_keys(L, arg, what, keys);
  return (GaussNewtonForm)l_field_choice(L, arg, what, "form", gauss_newton_forms,
                                         GAUSS_NEWTON_AUTO);
}

/***
Product with the Fisher information matrix of the policy over the observations, F = (1/N) sum_n J_n' M_n J_n, undamped
(Schulman et al. 2015, arXiv:1502.05477, appendix C.1).
@function fisher_product
@tparam trpo.Tensor observations [N, O], N >= 1
@tparam trpo.Tensor v [P]
@tparam[opt] table options `form`: `"classical"`, a tangent and a reverse pass; `"cached"`, from a kept Jacobian of the outputs,
 which pays for many products at the same parameters; `"auto"` (default), the cheaper one,
 where "cached" keeps at most 1 GiB. They differ in rounding only.
@treturn[1] trpo.Tensor [P]
@treturn[2] nil, message, `"not_finite"`
*/
static int l_policy_fisher_product(lua_State *L) {
  static const char what[] = "policy:fisher_product";
  const Rows r = check_rows(L, 2, what);
  const double *v = l_rows_vector(L, 3, what, "v", r.policy->net.P);
  if (r.N == 0) return l_fail(L, what, "observations must have at least one row, got none");
  const GaussNewtonForm form = read_form(L, 4, what);
  double *out = l_rows_push_vector(L, r.policy->net.P);
  const ArenaMark mark = arena_mark(r.arena);
  Fisher fisher;
  Status status = fisher_subset(&fisher, r.policy, r.obs, r.N, 1, 1, form, r.arena);
  if (status == OK) status = fisher_apply(&fisher, out, v);
  arena_release(r.arena, mark);
  return status == E_NOT_FINITE ? l_status(L, status) : finish(L, what, status);
}

/***
Weighted score: (1/N) sum_n w_n d log pi(a_n|s_n) / d theta. With advantages as weights it is the gradient
of the surrogate objective at the present parameters.
@function log_prob_gradient
@tparam trpo.Tensor observations [N, O], N >= 1
@tparam trpo.Tensor actions [N] of integers 1..n, or [N, A]
@tparam trpo.Tensor weights [N]
@treturn[1] trpo.Tensor [P]
@treturn[2] nil, message, `"not_finite"`
*/
static int l_policy_log_prob_gradient(lua_State *L) {
  static const char what[] = "policy:log_prob_gradient";
  const Rows r = check_rows(L, 2, what);
  const double *action = l_rows_actions(L, 3, what, &r.policy->action, r.N);
  const double *weight = l_rows_vector(L, 4, what, "weights", r.N);
  if (r.N == 0) return l_fail(L, what, "observations must have at least one row, got none");
  double *out = l_rows_push_vector(L, r.policy->net.P);
  const ArenaMark mark = arena_mark(r.arena);
  Surrogate problem;
  Policy *policy = l_policy_check(L, 1, what);
  Status status = surrogate_init(&problem, policy, r.obs, action, weight, r.N, r.arena);
  if (status == OK) status = surrogate_gradient(&problem, out);
  for (long i = 0; i < policy->net.P && status == OK; i++) out[i] *= problem.unit;
  arena_release(r.arena, mark);
  return status == E_NOT_FINITE ? l_status(L, status) : finish(L, what, status);
}

/* KL(before || after) over the rows, once the normaliser has taken them in. */
static Status renormalise(const Policy *before, const Rows *r, Policy *policy, double *kl) {
  const Status status = normalizer_update(&policy->net.normalizer, r->obs, r->N);
  if (status != OK) return status;
  return policy_kl(before, policy, kl, r->obs, r->N, r->arena);
}

/***
Takes observations into the running normaliser and puts its new map in force. The policy as a function of raw observations
changes by that; by how much is returned.
@function update_normalizer
@tparam trpo.Batch|trpo.Tensor batch a batch, or raw observations [N, O]
@treturn[1] table `kl_mean`, `kl_max`: KL(before || after) over the observations, in nats (0 without a normaliser)
@treturn[2] nil, message, `"not_finite"` when an observation, or its square, is NaN or infinite; the normaliser is then as it was
*/
static int l_policy_update_normalizer(lua_State *L) {
  static const char what[] = "policy:update_normalizer";
  Policy *policy = l_policy_check(L, 1, what);
  double mean = 0, max = 0;
  if (l_batch_test(L, 2)) { /* a batch stands for its observations */
    lua_getfield(L, 2, "observations");
    lua_replace(L, 2);
  }
  const Rows r = check_rows(L, 2, what);
  if (policy->net.normalize && r.N > 0) {
    double *kl = l_rows_push_vector(L, r.N);
    Policy *before = l_policy_push(L);
    Status status = policy_copy(before, policy);
    if (status == OK) status = renormalise(before, &r, policy, kl);
    if (status == E_NOT_FINITE) return l_status(L, status);
    if (status != OK) return l_fail(L, what, "%s", status_text(status));
    mean = sum_mean(kl, (size_t)r.N);
    for (long i = 0; i < r.N; i++) max = fmax(max, kl[i]);
  }
  lua_createtable(L, 0, 2);
  lua_pushnumber(L, mean);
  lua_setfield(L, -2, "kl_mean");
  lua_pushnumber(L, max);
  lua_setfield(L, -2, "kl_max");
  return 1;
}

const luaL_Reg l_policy_rows_methods[] = {{"forward", l_policy_forward},
                                          {"log_prob", l_policy_log_prob},
                                          {"entropy", l_policy_entropy},
                                          {"kl", l_policy_kl},
                                          {"kl_gradient", l_policy_kl_gradient},
                                          {"jvp", l_policy_jvp},
                                          {"vjp", l_policy_vjp},
                                          {"fisher_product", l_policy_fisher_product},
                                          {"log_prob_gradient", l_policy_log_prob_gradient},
                                          {"update_normalizer", l_policy_update_normalizer},
                                          {NULL, NULL}};
