#ifndef TRPO_REFINE_H
#define TRPO_REFINE_H

#include "base/arena.h"
#include "mdp/mdp.h"

/**
 * Residuals in doubled precision: values are held as pairs v + lo, products are split by fma, sums by two-sums.
 * Source: Ogita, Rump and Oishi 2005 (Dot2); tabular.md 5b.
 *
 *   z(s, a) = R(s, a) + gamma sum_s' P(s' | s, a) (v + lo)(s') - (v + lo)(s)
 *
 * What is left after the cancellation is exact to the last bits of a double, so that a bound from it does not end at
 * the rounding errors of v. One pass over the process; it takes about five times as long as a plain one.
 */
typedef struct RefinePass {
  const double *v, *lo; /* [S] the pair; lo NULL: zeros */
  const double
      *pi; /* [S, A] residual(s) = sum_a pi(a | s) z(s, a) + (sum_a pi - 1)(v + lo)(s); or */
  const int64_t
      *choice; /* [S] residual(s) = z of row choice[s]; with neither, the largest z(s, .) */
  const unsigned char *skip; /* [S] states whose residual counts as 0, or NULL */
  double *q;        /* [S, A] z + v + lo, rounded once; -inf where there is no action; or NULL */
  double *adv;      /* [S, A] z, rounded once; -inf likewise; or NULL */
  double *residual; /* [S] or NULL */
  int64_t *best;    /* [S] row of the largest z, the lowest among equals, or NULL */
} RefinePass;

typedef struct RefineBound {
  double residual; /* largest |residual(s)| */
  double rounding; /* how far any of them can be from the exact one: a rigorous bound */
} RefineBound;

/** Without q, adv and best, rows that the policy does not take are not read. OK or E_NOMEM. */
Status refine_pass(const Mdp *mdp, const RefinePass *pass, RefineBound *bound, Arena *ws);

/** (v, lo) += d for pairs, v being the sum rounded. [n] */
void refine_add(double *v, double *lo, const double *d, ptrdiff_t n);

/** sum_i x_i (v + lo)_i in doubled precision; entries with x_i = 0 are not read. [n] */
double refine_dot(const double *x, const double *v, const double *lo, ptrdiff_t n);

#endif
