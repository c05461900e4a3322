#ifndef TRPO_IMPROVEMENT_H
#define TRPO_IMPROVEMENT_H

#include "stats/bootstrap.h"

/**
 * Probability that a run of X scores higher than a run of Y on the same task, averaged over the tasks:
 *
 *   P = 1/M sum_m U_m / (N K),   U_m = sum_n sum_k ([x_mn > y_mk] + 1/2 [x_mn = y_mk])     (Mann and Whitney's U)
 *
 * Source: Agarwal et al. 2021, arXiv:2108.13264, section 4.3.
 *
 * p           [out]  one number
 * low_, high_ [out]  percentile interval over stratified resamples of both; NULL without, plan_ is NULL then
 * x, y        [in]   scores without NaN, may be infinite              [runs_x][tasks], [runs_y][tasks]
 *
 * Returns OK or E_NOMEM.
 */
Status improvement_compute(double *p, double *low_, double *high_, const double *x, long runs_x,
                           const double *y, long runs_y, long tasks, const Bootstrap *plan_,
                           Arena *arena);

#endif
