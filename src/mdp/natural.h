#ifndef TRPO_NATURAL_H
#define TRPO_NATURAL_H

#include "mdp/step.h"

/**
 * Exact gradient steps for the softmax parametrisation pi = softmax(theta), theta [S, A].
 *
 * With weights w [S] (rho, or d = rho/sum rho) the Fisher matrix, the Hessian of sum w KL(old || new), is
 *
 *   F = blockdiag_s w(s) (diag pi_s - pi_s pi_s')        [SA, SA]
 *
 * and the gradient of the value, which is that of L, is g(s, a) = rho(s) pi(a | s) A(s, a). Then the solution of least norm
 * of F x = g, w = d, is x(s, a) = (A(s, a) - mean of A over the support of pi_s) sum rho on the support, and 0 where w(s) or
 * pi(a | s) is 0. Adding constants to the states of x changes nothing: the direction is A itself.
 * Source: Kakade 2001, A natural policy gradient; Agarwal et al. 2021, arXiv:1908.00261, lemma 5.1.
 */
typedef enum NaturalDirection {
  NATURAL_DIRECTION_FISHER,
  NATURAL_DIRECTION_GRADIENT
} NaturalDirection;

typedef struct NaturalOptions {
  NaturalDirection direction; /* A, or the plain gradient */
  double step;                /* of theta along the direction; NAN: from delta */
  double delta;               /* mean divergence, weights rho/sum rho */
  int exact; /* sum d KL(old || new) = delta by root finding; otherwise its quadratic model */
} NaturalOptions;

/**
 * q = softmax(log p + step x), x = A (natural) or g (gradient), so natural: q in proportion to p exp(step A).
 * The mean divergence is sum d log sum p exp(step x), its quadratic model step^2/2 sum d Var_p x.
 *
 * Actions that p does not take stay untaken; states with rho = 0 have the direction A as the others unless the problem
 * says keep, and a gradient of 0. info: step, radius = delta, lambda. q and log_q_ [S, A]; log_q_ may be NULL.
 * Returns OK with info->status OK, OPTIMAL or STALLED (the direction is 0; q = p); E_NOT_FINITE; E_NOMEM.
 */
Status natural_step(const StepProblem *problem, const NaturalOptions *options, double *q,
                    double *log_q_, StepInfo *info, Arena *ws);

/** out = F v; w [S]; pi, out, v [S, A]. out may be v. */
void natural_fisher_apply(double *out, const double *pi, const double *w, const double *v,
                          ptrdiff_t S, ptrdiff_t A);

/** F itself, every entry written. out [SA, SA]. */
void natural_fisher(double *out, const double *pi, const double *w, ptrdiff_t S, ptrdiff_t A);

/** g = rho pi (A - pi.A) [S, A]. E_NOMEM. */
Status natural_gradient(const StepProblem *problem, double *g, Arena *ws);

typedef enum NaturalRoute {
  NATURAL_ROUTE_CLOSED,
  NATURAL_ROUTE_PSEUDO_INVERSE,
  NATURAL_ROUTE_CG
} NaturalRoute;

typedef struct NaturalSolution {
  double gx;       /* g'x = g'F+g */
  double residual; /* ||F x - g||/||g|| */
  int iterations;  /* of CG */
} NaturalSolution;

/**
 * x [S, A], the solution of least norm of F x = g with w = rho/sum rho: in closed form, by the pseudo-inverse of the explicit
 * matrix (of order SA), or by conjugate gradients from 0 with iterations and tolerance. x = 0 where g = 0.
 * OK; CG_LIMIT; E_NOT_CONVERGED, E_CURVATURE, E_NOT_FINITE, E_NOMEM.
 */
Status natural_solve(const StepProblem *problem, NaturalRoute route, int iterations,
                     double tolerance, double *x, NaturalSolution *out, Arena *ws);

#endif
