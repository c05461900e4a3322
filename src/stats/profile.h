#ifndef TRPO_PROFILE_H
#define TRPO_PROFILE_H

#include "stats/scores.h"

/**
 * Performance profile: the share of runs whose score is above tau, averaged over the tasks.
 *
 *   profile(tau) = 1/(M N) sum_m sum_n [x_mn > tau]
 *
 * Source: Agarwal et al. 2021, arXiv:2108.13264, section 4.2 (score distributions).
 *
 * share       [out]  profile                                                          [count]
 * low_, high_ [out]  pointwise percentile intervals; NULL without, plan_ is NULL then [count]
 * scores      [in]   may be infinite here
 * tau         [in]   thresholds without NaN, in any order                             [count]
 *
 * Returns OK or E_NOMEM.
 */
Status profile_compute(double *share, double *low_, double *high_, const Scores *scores,
                       const double *tau, long count, const Bootstrap *plan_, Arena *arena);

#endif
