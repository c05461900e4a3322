#ifndef TRPO_GMRES_H
#define TRPO_GMRES_H

#include "solve/krylov.h"

/**
 * Restarted generalised minimal residuals, GMRES(30), for A x = b, with right preconditioning.
 * Source: Saad and Schultz 1986; modified Gram-Schmidt, Givens rotations.
 *
 * Every cycle begins with the true residual, whose 2-norm cannot grow. Gives up when three cycles in a row have not
 * made it smaller by a hundredth.
 */
enum { GMRES_RESTART = 30 };

/** Doubles of workspace gmres_solve wants: 31 vectors, one more with a preconditioner. */
ptrdiff_t gmres_work(ptrdiff_t n, int preconditioned);

/** As bicgstab_solve. */
Status gmres_solve(const KrylovSystem *system, const KrylovOptions *options, double *x,
                   KrylovInfo *info, const double *b, double *work);

#endif
