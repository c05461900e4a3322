#ifndef TRPO_REGION_H
#define TRPO_REGION_H

#include "mdp/step.h"

/**
 * Exact trust-region steps: the surrogate is maximised over all policies within a divergence, not along a direction.
 *
 * q and log_q_ are [S, A]; log_q_ may be NULL. info->status is OK, or OPTIMAL where the policy is greedy to the
 * tolerance on all states that count. They return OK, E_NOMEM, or E_NOT_FINITE where q would be no distribution.
 */

/**
 * max_q sum rho q.A subject to sum_s d(s) KL(p_s || q_s) <= delta, d = rho/sum rho (Schulman et al. 2015, eq. 12,
 * without the quadratic approximation).
 *
 * One multiplier serves all states: q_s is that of penalty.h, and the mean divergence falls with lambda, so it is sought by
 * Newton's method from lambda = sqrt(sum d sigma^2/(2 delta)). The dual lambda delta + sum d psi_s(lambda) bounds the optimum:
 * info->gap is that bound less the gain, in the unit of L. For tiny delta and unlikely best actions the mean divergence jumps
 * by orders of magnitude between neighbouring lambda: then it stays below delta. info: radius = delta, lambda (in the unit of A).
 */
Status region_mean(const StepProblem *problem, double delta, double *q, double *log_q_,
                   StepInfo *info, Arena *ws);

/**
 * max_q sum rho q.A subject to KL(p_s || q_s) <= delta in every state (eq. 11): ball.h in each of them.
 * info: radius = delta, lambda = sum rho lambda_s, gap.
 */
Status region_max(const StepProblem *problem, double delta, double *q, double *log_q_,
                  StepInfo *info, Arena *ws);

#endif
