#include "lua/l_mdp_evaluation.h"

#include <float.h>
#include <math.h>

#include "base/sum.h"
#include "lua/l_check.h"
#include "lua/l_tensor.h"

/* the tensor in a field of the table at arg; it stays on the stack */
static const double *field(lua_State *L, int arg, const char *what, const char *key,
                           const char *name, int ndim, const ptrdiff_t *size) {
  lua_getfield(L, arg, key);
  return l_tensor_data(L, l_tensor_sized(L, lua_gettop(L), what, name, ndim, size));
}

/* values and visitations are finite, visitations not negative */
static void check_values(lua_State *L, const char *what, const char *name, const double *x,
                         ptrdiff_t n, double least) {
  for (ptrdiff_t s = 0; s < n; s++) {
    if (!isfinite(x[s]) || x[s] < least) {
      lua_pushnumber(L, x[s]);
      l_fail(L, what, "%s must hold finite numbers%s, in state %d it is %s", name,
             least == 0.0 ? " >= 0" : "", (int)s + 1, l_describe(L, lua_gettop(L)));
    }
  }
}

static void check_advantages(lua_State *L, const char *what, const Mdp *mdp, const double *adv) {
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      const double a = adv[s * mdp->A + mdp->action[k]];
      if (!isfinite(a)) {
        lua_pushnumber(L, a);
        l_fail(L, what, "evaluation.A must be finite, in state %d, action %d it is %s", (int)s + 1,
               (int)mdp->action[k] + 1, l_describe(L, lua_gettop(L)));
      }
    }
  }
}

BoundsPolicy l_mdp_evaluation(lua_State *L, int arg, const char *what, const Mdp *mdp) {
  if (!lua_istable(L, arg)) {
    l_fail(L, what, "evaluation must be a table that mdp:evaluate returned, got %s",
           l_describe(L, arg));
  }
  const ptrdiff_t size[] = {mdp->S, mdp->A};
  BoundsPolicy e = {
      .V = field(L, arg, what, "V", "evaluation.V", 1, size),
      .adv = field(L, arg, what, "A", "evaluation.A", 2, size),
      .rho = field(L, arg, what, "rho", "evaluation.rho", 1, size),
      .eta = l_field_number(L, arg, what, "eta", -DBL_MAX, DBL_MAX, NAN),
      .bound = l_field_number(L, arg, what, "bound", 0.0, INFINITY, 0.0),
  };
  check_values(L, what, "evaluation.V", e.V, mdp->S, -DBL_MAX);
  check_values(L, what, "evaluation.rho", e.rho, mdp->S, 0.0);
  check_advantages(L, what, mdp, e.adv);
  return e;
}

double l_mdp_evaluation_rounding(const Mdp *mdp, const BoundsPolicy *e) {
  double most = 0.0;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    most = fmax(most, fabs(e->V[s]));
  }
  const double horizon = mdp->gamma < 1.0 ? 1.0 / (1.0 - mdp->gamma)
                                          : sum_pairwise(e->rho, (size_t)mdp->S) + 1.0;
  return 16.0 * DBL_EPSILON * horizon * most;
}
