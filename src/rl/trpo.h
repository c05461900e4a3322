#ifndef TRPO_TRPO_H
#define TRPO_TRPO_H

#include "base/arena.h"
#include "policy/gauss_newton.h"
#include "policy/policy.h"
#include "rl/linesearch.h"

/**
 * Trust region policy optimisation.
 *
 *   maximise L(theta)  subject to  mean KL(old || theta) <= delta
 *
 * Source: Schulman et al. 2015, arXiv:1502.05477, section 6 and appendix C.
 */
typedef struct TrpoConfig {
  double delta;           /* trust region, nats, > 0 */
  double damping;         /* added to the Fisher matrix in CG, >= 0 */
  double cg_tolerance;    /* relative residual at which CG stops */
  double backtrack_ratio; /* in (0, 1) */
  double fisher_fraction; /* part of the states in the Fisher matrix, in (0, 1] */
  int cg_iters;           /* products, >= 1 */
  int backtracks;         /* trials of the line search, 1..LINESEARCH_TRIALS */
  int undamped;           /* scale the step by x'Fx instead of x'(F + damping I)x */
  GaussNewtonForm fisher_form;
  int standardize; /* standardise the advantages of the batch first */
  int kfac;        /* precondition CG with kfac.h */
} TrpoConfig;

/** What an update reports; every field is always set (NaN where it was not reached). */
typedef struct TrpoInfo {
  Status status;
  double surrogate_before,
      surrogate_after;         /* L at old and at the parameters in force after, advantage units */
  double expected_improvement; /* step_fraction g'step, linear */
  double actual_improvement;   /* surrogate_after - surrogate_before */
  double kl_mean, kl_max;      /* KL(old || in force), nats; 0 after a rejected step */
  double kl_quadratic;         /* 1/2 s'Fs of the step taken, undamped, nats */
  double entropy;              /* of the old policy, nats */
  double step_fraction;        /* accepted ratio^j, or 0 */
  int backtracks;              /* trials before the accepted one, or all of them */
  int cg_iters;
  GaussNewtonForm fisher_form; /* the form in use; GAUSS_NEWTON_AUTO when no product was made */
  double cg_residual;          /* relative */
  double grad_norm, step_norm; /* 2-norms; step_norm of the step taken */
  double seconds_gradient, seconds_cg, seconds_linesearch; /* wall time */
  double seconds_preconditioner;                           /* part of seconds_cg: making it */
  Linesearch search;                                       /* every trial */
} TrpoInfo;

/**
 * One update of the policy on N samples.
 *
 * obs [N][O], action [N][action size], advantage [N]; N >= 1.
 *
 * Returns info->status: OK; STEP_REJECTED, ZERO_GRADIENT with the parameters bit for bit as they were; E_NOT_FINITE,
 * E_CURVATURE, E_NOMEM, likewise, and with K-FAC E_PRECONDITIONER and E_NOT_CONVERGED. Allocates nothing once the arena has grown.
 */
Status trpo_update(Policy *policy, const TrpoConfig *config, TrpoInfo *info, const double *obs,
                   const double *action, const double *advantage, long N, Arena *arena);

#endif
