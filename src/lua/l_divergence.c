/***
Distances and couplings of distributions: vectors [A], or policies [S, A] row by row. Every row must sum to 1 within 1e-9.
@submodule trpo.mdp
*/
#include "lua/l_divergence.h"

#include <lauxlib.h>
#include <math.h>

#include "lua/l_check.h"
#include "lua/l_rng.h"
#include "lua/l_tensor.h"
#include "mdp/coupling.h"
#include "mdp/divergence.h"
#include "mdp/mdp.h"

/* --- arguments --------------------------------------------------------------------------------------------------- */

/* rows of distributions: [A] is one row */
typedef struct Rows {
  const Tensor *tensor;
  const double *data;
  ptrdiff_t S, A;
} Rows;

/* "p", or "row 3 of p" */
static const char *row_name(lua_State *L, const Rows *r, const char *name, ptrdiff_t s) {
  if (r->tensor->ndim == 1) {
    return name;
  }
  lua_pushnumber(L, (double)s + 1.0);
  return lua_pushfstring(L, "row %s of %s", lua_tostring(L, -1), name);
}

static void check_row(lua_State *L, const Rows *r, const char *what, const char *name,
                      ptrdiff_t s) {
  const double *p = r->data + s * r->A;
  double sum = 0.0;
  for (ptrdiff_t a = 0; a < r->A; a++) {
    if (!(p[a] >= 0.0)) {
      lua_pushnumber(L, (double)a + 1.0);
      lua_pushnumber(L, p[a]);
      l_fail(L, what, "%s must be a distribution, its entry %s is %s", row_name(L, r, name, s),
             lua_tostring(L, -2), lua_tostring(L, -1));
    }
    sum += p[a];
  }
  if (!(fabs(sum - 1.0) <= MDP_SUM_TOLERANCE)) {
    lua_pushnumber(L, sum);
    l_fail(L, what, "%s must be a distribution, its entries sum to %s", row_name(L, r, name, s),
           lua_tostring(L, -1));
  }
}

/* distributions at arg: [A] or [S, A], or of the size of other_ */
static Rows check_rows(lua_State *L, int arg, const char *what, const char *name,
                       const Rows *other_) {
  const Tensor *t = l_tensor_check(L, arg, what, name);
  if (other_ != NULL) {
    t = l_tensor_sized(L, arg, what, name, other_->tensor->ndim, other_->tensor->size);
  } else if (t->ndim < 1 || t->ndim > 2 || tensor_count(t->ndim, t->size) == 0) {
    l_fail(L, what, "%s must have size [A] or [S, A], got %s", name,
           l_tensor_describe_size(L, t->ndim, t->size));
  }
  const Rows r = {t, l_tensor_data(L, t), t->ndim == 2 ? t->size[0] : 1, t->size[t->ndim - 1]};
  for (ptrdiff_t s = 0; s < r.S; s++) {
    check_row(L, &r, what, name, s);
  }
  return r;
}

/* one distribution [A] at arg */
static Rows check_vector(lua_State *L, int arg, const char *what, const char *name,
                         const Rows *other_) {
  l_tensor_sized(L, arg, what, name, 1, (ptrdiff_t[]){other_ == NULL ? -1 : other_->A});
  return check_rows(L, arg, what, name, other_);
}

/* --- distances --------------------------------------------------------------------------------------------------- */

/* pushes a number for vectors, a tensor [S] for policies */
static int push_distances(lua_State *L, const char *what, int kl) {
  const Rows p = check_rows(L, 1, what, "p", NULL), q = check_rows(L, 2, what, "q", &p);
  if (p.tensor->ndim == 1) {
    lua_pushnumber(L, kl ? divergence_kl(p.data, q.data, p.A) : divergence_tv(p.data, q.data, p.A));
    return 1;
  }
  const Tensor *out = l_tensor_push_unset(L, 1, &p.S);
  divergence_rows(kl ? NULL : out->data, kl ? out->data : NULL, p.data, q.data, p.S, p.A);
  return 1;
}

/***
Total variation distance: TV(p, q) = 1/2 sum_a |p_a - q_a|, the most that the probabilities of any event differ.
@function tv
@tparam trpo.Tensor p distribution [A], or policy [S, A]
@tparam trpo.Tensor q the same size
@treturn number|trpo.Tensor in [0, 1]; [S] for policies
@raise when sizes differ or a row is no distribution
*/
static int l_divergence_tv(lua_State *L) {
  return push_distances(L, "trpo.mdp.tv", 0);
}

/***
Kullback-Leibler divergence in nats: KL(p || q) = sum_a p_a log(p_a / q_a), with 0 log 0 = 0, and inf where
q excludes what p allows. Of policies it is KL(old || new), in this order everywhere. No digit is lost for p near q.
@function kl
@tparam trpo.Tensor p distribution [A], or policy [S, A]
@tparam trpo.Tensor q the same size
@treturn number|trpo.Tensor in nats; [S] for policies
@raise when sizes differ or a row is no distribution
*/
static int l_divergence_kl(lua_State *L) {
  return push_distances(L, "trpo.mdp.kl", 1);
}

/* weights of the states at arg, finite, >= 0 and not all zero; NULL without */
static const double *check_weights(lua_State *L, int arg, const char *what, ptrdiff_t S) {
  if (lua_isnoneornil(L, arg)) {
    return NULL;
  }
  const double *w = l_tensor_data(L, l_tensor_sized(L, arg, what, "rho", 1, &S));
  double sum = 0.0;
  for (ptrdiff_t s = 0; s < S; s++) {
    if (!(w[s] >= 0.0 && w[s] < INFINITY)) {
      lua_pushnumber(L, w[s]);
      l_fail(L, what, "rho must hold finite numbers >= 0, in state %d it is %s", (int)s + 1,
             l_describe(L, lua_gettop(L)));
    }
    sum += w[s];
  }
  if (!(sum > 0.0 && sum < INFINITY)) {
    l_fail(L, what, "rho must have a positive finite sum");
  }
  return w;
}

/* sum w value / sum w, plain without weights; work [2 S] */
static double mean_of(const double *value, const double *weight_, ptrdiff_t S, double *work) {
  double *ones = work + S;
  for (ptrdiff_t s = 0; s < S; s++) {
    ones[s] = 1.0;
  }
  const double *weight = weight_ != NULL ? weight_ : ones;
  return divergence_weighted(value, weight, S, work) / divergence_weighted(ones, weight, S, work);
}

/* fields NAME_max, NAME_mean, NAME_state of the table at the stack top */
static void set_summary(lua_State *L, const char *const *keys, const double *value,
                        const double *weight_, ptrdiff_t S, double *work) {
  ptrdiff_t at;
  lua_pushnumber(L, divergence_max(value, S, &at));
  lua_setfield(L, -2, keys[0]);
  lua_pushnumber(L, mean_of(value, weight_, S, work));
  lua_setfield(L, -2, keys[1]);
  lua_pushnumber(L, (double)at + 1.0);
  lua_setfield(L, -2, keys[2]);
}

/***
Largest and mean distances of two policies. A state that rho does not visit is left out of means even where its KL
is infinite.
@function divergence
@tparam trpo.Tensor pi the old policy [S, A]
@tparam trpo.Tensor pi2 the new one
@tparam[opt] trpo.Tensor rho weights of the states [S], of any sum; without, all count the same
@treturn table `tv_max`, `tv_mean`, `tv_state` (where the largest is), `kl_max`, `kl_mean`, `kl_state`, of TV(pi, pi2) and KL(pi || pi2)
@raise when sizes differ, a row is no distribution, or rho is negative, not finite or zero
*/
static int l_divergence_divergence(lua_State *L) {
  static const char *const WHAT = "trpo.mdp.divergence";
  static const char *const tv_keys[] = {"tv_max", "tv_mean", "tv_state"};
  static const char *const kl_keys[] = {"kl_max", "kl_mean", "kl_state"};
  lua_settop(L, 3);
  const Tensor *pi = l_tensor_check(L, 1, WHAT, "pi");
  if (pi->ndim != 2) {
    l_fail(L, WHAT, "pi must have size [S, A], got %s",
           l_tensor_describe_size(L, pi->ndim, pi->size));
  }
  const Rows p = check_rows(L, 1, WHAT, "pi", NULL), q = check_rows(L, 2, WHAT, "pi2", &p);
  const double *rho_ = check_weights(L, 3, WHAT, p.S);
  double *tv = l_tensor_push_unset(L, 2, (ptrdiff_t[]){4, p.S})->data;
  double *kl = tv + p.S, *work = kl + p.S;
  divergence_rows(tv, kl, p.data, q.data, p.S, p.A);
  lua_createtable(L, 0, 6);
  set_summary(L, tv_keys, tv, rho_, p.S, work);
  set_summary(L, kl_keys, kl, rho_, p.S, work);
  return 1;
}

/***
Mixture of policies: (1 - alpha) pi + alpha pi2, which in every step follows pi2 with probability alpha.
@function mixture
@tparam trpo.Tensor pi distribution [A], or policy [S, A]
@tparam trpo.Tensor pi2 the same size
@tparam number alpha in [0, 1]
@treturn trpo.Tensor
@raise when sizes differ, a row is no distribution, or alpha is out of range
*/
static int l_divergence_mixture(lua_State *L) {
  static const char *const WHAT = "trpo.mdp.mixture";
  const double alpha = l_number_in(L, 3, WHAT, "alpha", 0.0, 1.0);
  lua_settop(L, 2);
  const Rows p = check_rows(L, 1, WHAT, "pi", NULL), q = check_rows(L, 2, WHAT, "pi2", &p);
  const Tensor *out = l_tensor_push_unset(L, p.tensor->ndim, p.tensor->size);
  for (ptrdiff_t k = 0; k < p.S * p.A; k++) {
    out->data[k] = (1.0 - alpha) * p.data[k] + alpha * q.data[k];
  }
  return 1;
}

/* --- couplings --------------------------------------------------------------------------------------------------- */

/***
Whether two policies are alpha-coupled: they can act together such that, in every state, their actions differ with
probability at most alpha. It is so exactly when max_s TV(pi, pi2) <= alpha.
@function is_alpha_coupled
@tparam trpo.Tensor pi [A] or [S, A]
@tparam trpo.Tensor pi2 the same size
@tparam number alpha
@treturn boolean
@treturn number max_s TV, the smallest alpha for which it holds
@raise when sizes differ, a row is no distribution, or alpha is a NaN
*/
static int l_divergence_is_alpha_coupled(lua_State *L) {
  static const char *const WHAT = "trpo.mdp.is_alpha_coupled";
  const double alpha = l_number_in(L, 3, WHAT, "alpha", -INFINITY, INFINITY);
  lua_settop(L, 2);
  const Rows p = check_rows(L, 1, WHAT, "pi", NULL), q = check_rows(L, 2, WHAT, "pi2", &p);
  const Tensor *tv = l_tensor_push_unset(L, 1, &p.S);
  double tv_max;
  lua_pushboolean(L, coupling_is_alpha(&tv_max, p.data, q.data, p.S, p.A, alpha, tv->data));
  lua_pushnumber(L, tv_max);
  return 2;
}

/***
The maximal coupling of two distributions: J = diag(min(p, q)) + (p - q)+ (q - p)+' / TV, the joint distribution of
X ~ p and Y ~ q with the smallest Pr(X ~= Y), which is TV(p, q).
@function coupling
@tparam trpo.Tensor p [A]
@tparam trpo.Tensor q [A]
@treturn trpo.Tensor joint [A, A]; its rows sum to p, its columns to q
@raise when sizes differ or one is no distribution
*/
static int l_divergence_coupling(lua_State *L) {
  static const char *const WHAT = "trpo.mdp.coupling";
  lua_settop(L, 2);
  const Rows p = check_vector(L, 1, WHAT, "p", NULL), q = check_vector(L, 2, WHAT, "q", &p);
  const Tensor *joint = l_tensor_push_unset(L, 2, (ptrdiff_t[]){p.A, p.A});
  coupling_joint(joint->data, p.data, q.data, p.A);
  return 1;
}

/***
Draws from the maximal coupling of two distributions.
@function sample_coupling
@tparam trpo.Tensor p [A]
@tparam trpo.Tensor q [A]
@tparam trpo.Rng rng
@tparam[opt] integer n how many pairs
@treturn integer|trpo.Tensor x ~ p, 1..A; [n] when n is given
@treturn integer|trpo.Tensor y ~ q; x ~= y with probability TV(p, q)
@raise when sizes differ, one is no distribution, or n is no count
*/
static int l_divergence_sample_coupling(lua_State *L) {
  static const char *const WHAT = "trpo.mdp.sample_coupling";
  Rng *rng = l_rng_check(L, 3, WHAT, "rng");
  const int single = lua_isnoneornil(L, 4);
  const ptrdiff_t n = single ? 1 : l_integer_in(L, 4, WHAT, "n", 0, 1000000000);
  lua_settop(L, 3);
  const Rows p = check_vector(L, 1, WHAT, "p", NULL), q = check_vector(L, 2, WHAT, "q", &p);
  const Tensor *xs = l_tensor_push_unset(L, 1, &n), *ys = l_tensor_push_unset(L, 1, &n);
  for (ptrdiff_t i = 0; i < n; i++) {
    ptrdiff_t x, y;
    coupling_sample(&x, &y, p.data, q.data, p.A, rng);
    xs->data[i] = (double)x + 1.0;
    ys->data[i] = (double)y + 1.0;
  }
  if (single) {
    lua_pushnumber(L, xs->data[0]);
    lua_pushnumber(L, ys->data[0]);
  }
  return 2;
}

void l_divergence_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"tv", l_divergence_tv},
      {"kl", l_divergence_kl},
      {"divergence", l_divergence_divergence},
      {"mixture", l_divergence_mixture},
      {"is_alpha_coupled", l_divergence_is_alpha_coupled},
      {"coupling", l_divergence_coupling},
      {"sample_coupling", l_divergence_sample_coupling},
      {NULL, NULL},
  };
  lua_getfield(L, -1, "mdp");
  luaL_register(L, NULL, functions);
  lua_pop(L, 1);
}
