#ifndef TRPO_LBFGS_H
#define TRPO_LBFGS_H

#include "base/status.h"

/**
 * Limited-memory BFGS for a smooth function of n variables.
 *
 * Directions by the two-loop recursion with H_0 = (s'y / y'y) I (Nocedal and Wright 2006, algorithms 7.4 and 7.5, equation 7.20);
 * steps that satisfy the strong Wolfe conditions (algorithms 3.5 and 3.6, c1 = 1e-4, c2 = 0.9), by safeguarded cubic
 * interpolation (equation 3.59). The value never increases. A pair with s'y too small to keep H positive definite is left out.
 */
typedef double (*LbfgsFunction)(void *context, double *g,
                                const double *x); /* f(x); g [out] [n] its gradient */

typedef struct LbfgsOptions {
  int iterations;    /* most steps, >= 1 */
  int history;       /* pairs (s, y) that are kept, >= 1 */
  double tolerance;  /* stop when ||g|| <= tolerance max(1, ||x||) */
  double difference; /* stop when a step lowers f by no more than difference * max(|f|, 1e-300) */
} LbfgsOptions;

typedef struct LbfgsInfo {
  int iterations;       /* steps taken */
  int evaluations;      /* calls of the function */
  double before, after; /* f at the first and at the last x */
  double gradient;      /* ||g|| at the last x */
} LbfgsInfo;

/** Doubles of workspace. */
long lbfgs_work(const LbfgsOptions *options, long n);

/**
 * x     [in,out] from where to start; the minimiser found   [n]
 * work  [work]   lbfgs_work doubles
 *
 * Returns OK, or E_NOT_FINITE when f or its gradient is not finite at the first x, which then stays. A line search takes a value
 * that is not finite for a large one. Allocates nothing.
 */
Status lbfgs_minimize(const LbfgsOptions *options, double *x, LbfgsInfo *info, LbfgsFunction f,
                      void *context, long n, double *work);

#endif
