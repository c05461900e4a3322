#ifndef TRPO_EXPLAINED_H
#define TRPO_EXPLAINED_H

/**
 * Explained variance: 1 - Var(ret - prediction) / Var(ret), with divisor N in both. 1 for a perfect prediction, 0 for a
 * constant, negative for worse ones; NaN when all returns are equal.
 * prediction [in] [N]; ret [in] [N].
 */
double explained_variance(const double *prediction, const double *ret, long N);

#endif
