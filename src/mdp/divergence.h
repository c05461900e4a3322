#ifndef TRPO_DIVERGENCE_H
#define TRPO_DIVERGENCE_H

#include <stddef.h>

/**
 * How far two distributions lie apart: total variation and Kullback-Leibler divergence (in nats), of vectors, of policies
 * state by state, and averaged over states.
 *
 *   TV(p, q) = 1/2 sum_a |p_a - q_a|              in [0, 1]
 *   KL(p, q) = sum_a p_a log(p_a / q_a)           0 log 0 = 0; +inf when p_a > 0 = q_a
 *
 * KL is summed as sum_a p_a phi(q_a / p_a), phi(r) = r - 1 - log r >= 0: the same for distributions, and no digit
 * is lost when p and q are close, since all terms are >= 0 and small ones come from a series. For vectors whose sums
 * differ it is the generalised divergence, which has the term sum q - sum p on top.
 */

/** log(1 + x) - x, accurate to a few ulp. -inf at x = -1. */
double divergence_log1pmx(double x);

/** TV of p [n] and q [n]. */
double divergence_tv(const double *p, const double *q, ptrdiff_t n);

/** KL of p [n] and q [n], entries >= 0. */
double divergence_kl(const double *p, const double *q, ptrdiff_t n);

/**
 * Both of each row, on all threads.
 *
 * tv_, kl_ [out] may be NULL   [S]
 * p, q     [in]                [S, A]
 */
void divergence_rows(double *tv_, double *kl_, const double *p, const double *q, ptrdiff_t S,
                     ptrdiff_t A);

/** sum_s weight_s value_s, where a weight of 0 drops a value of inf; work [S]. */
double divergence_weighted(const double *value, const double *weight, ptrdiff_t S, double *work);

/** The largest of value [S], and where it is first found (at_ may be NULL). */
double divergence_max(const double *value, ptrdiff_t S, ptrdiff_t *at_);

#endif
