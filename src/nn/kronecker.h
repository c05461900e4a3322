#ifndef TRPO_KRONECKER_H
#define TRPO_KRONECKER_H

#include "base/arena.h"
#include "base/status.h"

/**
 * The inverse of a damped Kronecker product: Z with A Z S + damping Z = X, that is (A (x) S + damping I) vec Z = vec X,
 * A [p][p] and S [m][m] symmetric positive semidefinite, X and Z [p][m], all row-major.
 *
 * The damping is that of the sum, not of the factors: A + pi sqrt(damping) I and S + sqrt(damping)/pi I (Martens and Grosse 2015,
 * arXiv:1503.05671, section 6.3) would need two Cholesky factorisations, but add cross terms. Here the smaller factor becomes
 * diagonal, C = V diag(d) V', and the larger one tridiagonal, B = Q T Q' (half the work of its eigenvectors or less), and
 * there remain the tridiagonal systems (d_j T + damping I) y_j = (Q'XV)_j.
 */
typedef struct Kronecker {
  int p, m; /* orders of A and S */
  double *A,
      *S; /* [in] the factors, of which the upper triangles count; after kronecker_reduce their bases, one vector a row */
  double *d;               /* [smaller order] eigenvalues of the smaller factor */
  double *diagonal, *next; /* [larger order] T */
  double *turned;          /* the larger one's basis, one vector a column */
  double *to, *fro;        /* V and V', packed for the kernels */
  double *pivot;           /* [larger][smaller] 1 / pivots of d_j T + damping I = L D L' */
  double *below;           /* [larger][smaller] L's subdiagonal: row i multiplies row i of y */
} Kronecker;

/** The two factors, for kronecker_reduce. */
typedef enum KroneckerSide { KRONECKER_SMALLER, KRONECKER_LARGER } KroneckerSide;

/** Memory for orders p, m >= 1 in the arena. E_NOMEM. */
Status kronecker_init(Kronecker *k, int p, int m, Arena *arena);

/** Doubles of workspace for kronecker_reduce; for kronecker_solve. 0 when the orders are too large for LAPACK. */
long kronecker_reduce_work(const Kronecker *k);
long kronecker_solve_work(const Kronecker *k);

/**
 * Replaces one factor by its basis. Both sides are to be reduced, in any order and from any threads.
 * work [work] kronecker_reduce_work(k). E_NOT_FINITE, E_NOT_CONVERGED. Allocates nothing.
 */
Status kronecker_reduce(Kronecker *k, KroneckerSide side, double *work);

/**
 * Lays out the bases for products and factors the tridiagonal systems, after both reductions. Eigenvalues below zero by rounding count as zero, and the damping is at
 * least 1e-10 of the largest eigenvalue of A (x) S, so that the inverse is positive definite for singular factors, too. damping >= 0.
 */
void kronecker_damp(Kronecker *k, double damping);

/** z [p][m] = solution for x [p][m]; they may be the same. work [work] kronecker_solve_work(k). Allocates nothing. */
void kronecker_solve(const Kronecker *k, double *z, const double *x, double *work);

#endif
