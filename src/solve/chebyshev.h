#ifndef TRPO_CHEBYSHEV_H
#define TRPO_CHEBYSHEV_H

#include "base/arena.h"
#include "base/status.h"

/**
 * Polynomials in Chebyshev form on [-1, 1]: p(x) = sum_k c_k T_k(x), k = 0 .. n.
 * Source: Trefethen, Approximation Theory and Approximation Practice, chapters 2, 3, 8 and 18.
 */

/** The point x_j = cos(j pi / n), 0 <= j <= n; those of n are among those of 2 n. */
double chebyshev_point(int j, int n);

/** c [n + 1] of the polynomial with values f [n + 1] in the points; n >= 1. O(n^2). E_NOMEM. */
Status chebyshev_fit(double *c, const double *f, int n, Arena *ws);

/** p(x) by Clenshaw's recurrence. */
double chebyshev_value(const double *c, int n, double x);

/** d [n] = coefficients of p', of degree n - 1; n >= 1. */
void chebyshev_derivative(double *d, const double *c, int n);

/**
 * Real roots in [-1, 1] of the polynomial with coefficients d [n + 1]: eigenvalues of its colleague matrix (LAPACK dhseqr). Roots
 * within 1e-8 of the interval or of the real line count, moved there. root [n]. Trailing zeros are no degree.
 * E_NOMEM, E_NOT_CONVERGED, E_NOT_FINITE.
 */
Status chebyshev_roots(double *root, int *count, const double *d, int n, Arena *ws);

#endif
