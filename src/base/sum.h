#ifndef TRPO_SUM_H
#define TRPO_SUM_H

#include <stddef.h>

/**
 * Sums in a fixed pairwise tree, so that results depend on the data and its length only.
 * Error of n terms: at most (8 + log2 n) eps sum |x|. Source: Higham 2002, section 4.2.
 */
double sum_pairwise(const double *x, size_t n);

/** Mean of x [n]; NaN when n = 0. */
double sum_mean(const double *x, size_t n);

/** Sum of (x - mean)^2 over x [n]. */
double sum_squares(const double *x, size_t n, double mean);

/** x'y by pairwise summation. */
double sum_dot(const double *x, const double *y, size_t n);

/**
 * out[j] = scale * sum_i rows[i * stride + j], every column a pairwise tree in double.
 * rows: count rows of n entries, stride entries apart; out [n].
 */
void sum_rows(double *out, const double *rows, int count, size_t stride, size_t n, double scale);

#endif
