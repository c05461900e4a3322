/* the problems of single states, the Fisher matrix and the natural gradient */
#include <float.h>
#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_mdp_step.h"
#include "lua/l_tensor.h"
#include "mdp/ball.h"
#include "mdp/natural.h"
#include "mdp/penalty.h"

/***
Exact steps of policy improvement.
@submodule trpo.mdp
*/

/* --- single states --------------------------------------------------------------------------------------------------- */

/* KL ball or KL penalty of rows, or of one vector */
typedef struct Rows {
  const char *what;
  int ndim;
  ptrdiff_t size[2], S, A;
  const double *p, *adv;
  double parameter; /* radius or lambda */
  double *q, *log_q, *gain, *lambda, *kl;
} Rows;

typedef void (*Solver)(const Gap *gap, double parameter, GapSolution *s);

static void solve_ball(const Gap *gap, double radius, GapSolution *s) {
  ball_solve(gap, radius, NAN, s);
}

static void solve_penalty(const Gap *gap, double lambda, GapSolution *s) {
  penalty_solve(gap, lambda, log(lambda), NAN, s);
}

static void solve_rows(const Rows *rows, Solver solve, double *work) {
  Gap gap;
  GapSolution s;
  gap_init(&gap, rows->A, work);
  for (ptrdiff_t i = 0; i < rows->S; i++) {
    gap_set(&gap, rows->p + i * rows->A, rows->adv + i * rows->A);
    solve(&gap, rows->parameter, &s);
    gap_write(&gap, &s, rows->q + i * rows->A, rows->log_q + i * rows->A);
    rows->gain[i] = s.gain * gap.unit;
    rows->lambda[i] = solve == solve_penalty ? rows->parameter : s.lambda * gap.unit;
    rows->kl[i] = s.kl;
  }
}

/* a tensor [S] in the table at the stack top, or its only number */
static double *set_values(lua_State *L, const Rows *rows, const char *key) {
  Tensor *t = l_tensor_push_unset(L, 1, &rows->S);
  lua_setfield(L, -2, key);
  return t->data;
}

static void settle_numbers(lua_State *L, const Rows *rows) {
  if (rows->ndim == 1) {
    lua_pushnumber(L, rows->gain[0]);
    lua_pushnumber(L, rows->lambda[0]);
    lua_pushnumber(L, rows->kl[0]);
    lua_setfield(L, -4, "kl");
    lua_setfield(L, -3, "lambda");
    lua_setfield(L, -2, "gain");
  }
}

static int run_rows(lua_State *L, const char *what, const char *name, Solver solve) {
  lua_settop(L, 3);
  Rows rows = {.what = what};
  const Tensor *p = l_tensor_check(L, 1, what, "p");
  rows.ndim = p->ndim == 2 ? 2 : 1;
  rows.p = l_mdp_step_policy(L, 1, what, "p", rows.ndim, rows.size);
  rows.adv = l_mdp_step_advantages(L, 2, what, "a", rows.ndim, rows.size, rows.p);
  rows.parameter = l_number_in(L, 3, what, name, 0.0, INFINITY);
  rows.S = rows.ndim == 2 ? rows.size[0] : 1;
  rows.A = rows.size[rows.ndim - 1];
  rows.q = l_tensor_push_unset(L, rows.ndim, rows.size)->data;
  lua_createtable(L, 0, 4);
  rows.log_q = l_tensor_push_unset(L, rows.ndim, rows.size)->data;
  lua_setfield(L, -2, "log_q");
  rows.gain = set_values(L, &rows, "gain");
  rows.lambda = set_values(L, &rows, "lambda");
  rows.kl = set_values(L, &rows, "kl");
  Arena *ws = l_arena(L);
  const ArenaMark mark = arena_mark(ws);
  double *work = ARENA_PUSH(ws, double, gap_work(rows.A));
  if (work == NULL) {
    return l_mdp_step_failure(L, what, E_NOMEM);
  }
  solve_rows(&rows, solve, work);
  arena_release(ws, mark);
  settle_numbers(L, &rows);
  return 2;
}

/***
The distribution q that maximises q.a where KL(p || q) <= radius, in closed form but for one number.

On the support of p it is q = lambda p/(nu - a); where a better action lies outside, it may get the mass that is left. With radius 0
q = p; with an infinite one all mass is on the best actions. Rows are problems by themselves.
@function kl_ball
@tparam Tensor p distribution [A], or rows [S, A]
@tparam Tensor a values of the actions, same size; -inf for an action that is missing
@tparam number radius in nats, >= 0, may be infinite
@treturn Tensor q
@treturn table info: `gain` (q.a - p.a), `lambda` (multiplier), `kl` (numbers, or tensors [S] of rows), `log_q` (like q, finite
 where q underflows)
@raise when p is no distribution, or a holds a NaN
@usage
local q, info = trpo.mdp.kl_ball(trpo.tensor { 0.5, 0.5 }, trpo.tensor { 1, 0 }, 0.1)
*/
static int l_mdp_step_kernel_ball(lua_State *L) {
  return run_rows(L, "trpo.mdp.kl_ball", "radius", solve_ball);
}

/***
The distribution q that maximises q.a - lambda KL(p || q).
@function kl_penalty
@tparam Tensor p distribution [A], or rows [S, A]
@tparam Tensor a values of the actions, same size; -inf for an action that is missing
@tparam number lambda price of a nat, >= 0, may be infinite
@treturn Tensor q
@treturn table info: as of `trpo.mdp.kl_ball`
@raise when p is no distribution, or a holds a NaN
*/
static int l_mdp_step_kernel_penalty(lua_State *L) {
  return run_rows(L, "trpo.mdp.kl_penalty", "lambda", solve_penalty);
}

/* --- the Fisher matrix ------------------------------------------------------------------------------------------------- */

/***
The Fisher matrix of a softmax policy, F = blockdiag_s w(s) (diag pi_s - pi_s pi_s'): the Hessian of sum_s w(s) KL(pi || new) with
respect to the logits of the new policy. Row and column (s - 1) A + a belong to state s and action a.
@function fisher
@tparam Tensor pi policy [S, A]
@tparam Tensor w weights of the states [S]: rho, or rho/sum rho
@treturn Tensor F [S A, S A]
@raise on wrong arguments, or when the matrix does not fit into memory
*/
static int l_mdp_step_kernel_fisher(lua_State *L) {
  const char *what = "trpo.mdp.fisher";
  ptrdiff_t size[2];
  const double *pi = l_mdp_step_policy(L, 1, what, "pi", 2, size);
  const double *w = l_mdp_step_weights(L, 2, what, "w", size[0]);
  const ptrdiff_t n = size[0] * size[1];
  if (n > 1 << 20) {
    l_fail(L, what, "the matrix of %f pairs of state and action is too large; use fisher_product",
           (double)n);
  }
  natural_fisher(l_tensor_push_unset(L, 2, (ptrdiff_t[]){n, n})->data, pi, w, size[0], size[1]);
  return 1;
}

/***
The product of the Fisher matrix of `trpo.mdp.fisher` with a vector over pairs, without the matrix.
@function fisher_product
@tparam Tensor pi policy [S, A]
@tparam Tensor w weights of the states [S]
@tparam Tensor v [S, A]
@treturn Tensor F v [S, A]
@raise on wrong arguments
*/
static int l_mdp_step_kernel_fisher_product(lua_State *L) {
  const char *what = "trpo.mdp.fisher_product";
  ptrdiff_t size[2];
  const double *pi = l_mdp_step_policy(L, 1, what, "pi", 2, size);
  const double *w = l_mdp_step_weights(L, 2, what, "w", size[0]);
  const double *v = l_tensor_data(L, l_tensor_sized(L, 3, what, "v", 2, size));
  natural_fisher_apply(l_tensor_push_unset(L, 2, size)->data, pi, w, v, size[0], size[1]);
  return 1;
}

/* --- gradients ----------------------------------------------------------------------------------------------------------- */

/* policy, advantages and rho at arguments 1 to 3 */
static StepProblem check_problem(lua_State *L, const char *what, ptrdiff_t *size) {
  StepProblem problem = {.gamma = 0.0};
  problem.pi = l_mdp_step_policy(L, 1, what, "pi", 2, size);
  problem.adv = l_mdp_step_advantages(L, 2, what, "advantages", 2, size, problem.pi);
  problem.rho = l_mdp_step_weights(L, 3, what, "rho", size[0]);
  problem.S = size[0];
  problem.A = size[1];
  return problem;
}

/***
The gradient of the value, and of the surrogate, with respect to the logits of a softmax policy: rho(s) pi(a | s) A(s, a).
@function policy_gradient
@tparam Tensor pi policy [S, A]
@tparam Tensor advantages [S, A]; their mean under pi is taken off
@tparam Tensor rho visitation [S]
@treturn Tensor gradient [S, A]
@raise on wrong arguments
*/
static int l_mdp_step_kernel_gradient(lua_State *L) {
  const char *what = "trpo.mdp.policy_gradient";
  ptrdiff_t size[2];
  const StepProblem problem = check_problem(L, what, size);
  double *g = l_tensor_push_unset(L, 2, size)->data;
  const Status status = natural_gradient(&problem, g, l_arena(L));
  return status == OK ? 1 : l_mdp_step_failure(L, what, status);
}

/***
The natural gradient of a softmax policy: the solution of least norm of F x = g, F with the weights rho/sum rho and g of
`trpo.mdp.policy_gradient`. It is the advantages, times sum rho and less a constant in each state.

Three routes to the same: "closed" form, the "pseudo_inverse" of the explicit matrix [S A, S A], and "cg", conjugate gradients
on products.
@function natural_gradient
@tparam Tensor pi policy [S, A]
@tparam Tensor advantages [S, A]
@tparam Tensor rho visitation [S]
@tparam[opt] table options `route` = "closed"; `iterations` = 1000 and `tolerance` = 1e-13 (relative residual) of CG
@treturn[1] Tensor x [S, A]
@treturn[1] table info: `gx` = g'x, `residual` = ||F x - g||/||g||, `iterations` (CG), `status` ("ok", "cg_limit")
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code: "not_converged", "negative_curvature", "not_finite"
@raise on wrong arguments
*/
static int l_mdp_step_kernel_natural(lua_State *L) {
  const char *what = "trpo.mdp.natural_gradient";
  static const char *const keys[] = {"route", "iterations", "tolerance", NULL};
  static const char *const routes[] = {"closed", "pseudo_inverse", "cg", NULL};
  NaturalRoute route = NATURAL_ROUTE_CLOSED;
  long iterations = 1000;
  double tolerance = 1e-13;
  ptrdiff_t size[2];
  lua_settop(L, 4);
  const StepProblem problem = check_problem(L, what, size);
  if (!lua_isnil(L, 4)) {
    if (!lua_istable(L, 4)) {
      l_fail(L, what, "options must be a table, got %s", l_describe(L, 4));
    }
    l_known_keys(L, 4, what, keys);
    route = (NaturalRoute)l_mdp_step_choice(L, what, "route",
                                            l_field_string(L, 4, what, "route", "closed"), routes);
    iterations = l_field_integer(L, 4, what, "iterations", 1, INT_MAX, iterations);
    tolerance = l_field_number(L, 4, what, "tolerance", 0.0, DBL_MAX, tolerance);
  }
  NaturalSolution out;
  double *x = l_tensor_push_unset(L, 2, size)->data;
  const Status status = natural_solve(&problem, route, (int)iterations, tolerance, x, &out,
                                      l_arena(L));
  if (status < 0) {
    return l_mdp_step_failure(L, what, status);
  }
  lua_createtable(L, 0, 4);
  lua_pushnumber(L, out.gx);
  lua_setfield(L, -2, "gx");
  lua_pushnumber(L, out.residual);
  lua_setfield(L, -2, "residual");
  lua_pushinteger(L, out.iterations);
  lua_setfield(L, -2, "iterations");
  lua_pushstring(L, status_name(status));
  lua_setfield(L, -2, "status");
  return 2;
}

void l_mdp_step_kernel_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"kl_ball", l_mdp_step_kernel_ball},
      {"kl_penalty", l_mdp_step_kernel_penalty},
      {"fisher", l_mdp_step_kernel_fisher},
      {"fisher_product", l_mdp_step_kernel_fisher_product},
      {"policy_gradient", l_mdp_step_kernel_gradient},
      {"natural_gradient", l_mdp_step_kernel_natural},
      {NULL, NULL},
  };
  luaL_register(L, NULL, functions);
}
