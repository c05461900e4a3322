#ifndef TRPO_BICGSTAB_H
#define TRPO_BICGSTAB_H

#include "solve/krylov.h"

/**
 * Stabilised biconjugate gradients for A x = b, with right preconditioning.
 * Source: van der Vorst 1992; residual replacement after van der Vorst and Ye 2000.
 *
 * Safeguards: the residual of the recurrence is replaced by the true one as it falls, so that both agree; a run that
 * breaks down, diverges or makes no headway begins anew from the best solution so far; after three of those in a row
 * without headway it gives up. What is returned is the best solution, with its true residual.
 */

/** Doubles of workspace bicgstab_solve wants. */
ptrdiff_t bicgstab_work(ptrdiff_t n, int preconditioned);

/**
 * x    [in,out] first guess, solution                       [n]
 * info [out]
 * b    [in]                                                 [n]
 * work [work]   bicgstab_work(n, preconditioned) doubles
 *
 * OK; LIMIT when the residual stayed above the tolerance, be it for rounding (residual <= floor) or for want of
 * convergence; E_NOT_FINITE when b or x is not, x is unchanged then; or a negative status of apply. Allocates nothing.
 */
Status bicgstab_solve(const KrylovSystem *system, const KrylovOptions *options, double *x,
                      KrylovInfo *info, const double *b, double *work);

#endif
