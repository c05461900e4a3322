#ifndef TRPO_COUPLING_H
#define TRPO_COUPLING_H

#include <stddef.h>

#include "base/rng.h"

/**
 * The maximal coupling of two distributions: X ~ p and Y ~ q on one probability space that agree as often as they can,
 * Pr(X != Y) = TV(p, q).
 *
 *   J = diag(min(p, q)) + (p - q)+ (q - p)+' / TV
 *
 * Source: Levin, Peres and Wilmer, Markov Chains and Mixing Times, proposition 4.7.
 */

/** joint [n, n] of p [n] and q [n]: rows sum to p, columns to q, the diagonal to 1 - TV. */
void coupling_joint(double *joint, const double *p, const double *q, ptrdiff_t n);

/** One pair (*x, *y) of the coupling, 0-based; takes one uniform, or three when they differ. */
void coupling_sample(ptrdiff_t *x, ptrdiff_t *y, const double *p, const double *q, ptrdiff_t n,
                     Rng *rng);

/**
 * 1 when pi_new is alpha-coupled with pi: a coupling of both exists in which, in every state, actions differ with probability
 * at most alpha; that is max_s TV <= alpha. *tv_max [out] is that maximum. pi, pi_new [S, A]; tv [work] [S].
 */
int coupling_is_alpha(double *tv_max, const double *pi, const double *pi_new, ptrdiff_t S,
                      ptrdiff_t A, double alpha, double *tv);

#endif
