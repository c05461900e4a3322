#ifndef TRPO_ORDER_H
#define TRPO_ORDER_H

#include <stdint.h>

/** Order statistics of numbers without NaN. */

/** A number and where it stood: the workspace of order_rank. */
typedef struct OrderEntry {
  double x;
  long at;
} OrderEntry;

/**
 * The different numbers of x [n], ascending, and the place of each x among them: x[i] = value[rank[i]] (but for the
 * sign of a zero).
 *
 * value  [out]  as many as are returned                [n]
 * rank   [out]  from 0                                 [n]
 * work   [work]                                        [n]
 */
long order_rank(double *value, int32_t *rank, const double *x, long n, OrderEntry *work);

/**
 * The quantile p in [0, 1] of x [n], n >= 1, by linear interpolation between the order statistics around (n - 1) p:
 * definition 7 of Hyndman and Fan 1996, NumPy's and R's default. x is reordered.
 */
double order_quantile(double *x, long n, double p);

#endif
