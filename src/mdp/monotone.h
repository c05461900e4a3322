#ifndef TRPO_MONOTONE_H
#define TRPO_MONOTONE_H

#include "mdp/step.h"

/**
 * Steps that cannot make a policy worse: each maximises a lower bound of the new policy's value.
 * Source: Schulman et al. 2015, arXiv:1502.05477, theorem 1 and algorithm 1.
 *
 * In all of them eps = max |A|, L is the surrogate of step.h, and C = 0 (gamma = 0 or eps = 0) gives the greedy policy
 * with penalty 0 and infinite kl_max. q and log_q_ are [S, A]; log_q_ may be NULL. info->status is OK, or OPTIMAL or
 * STALLED where no step raises the bound (q is then p). They return OK, E_NOT_FINITE when C overflows, or E_NOMEM;
 * q is untouched then.
 */
typedef struct MonotoneOptions {
  double C;        /* coefficient of the penalty; NAN: by the theory */
  double constant; /* 4 of the paper, 2 suffices */
  int refined;     /* monotone_mean: span and greedy advantage instead of 2 eps and eps */
} MonotoneOptions;

/**
 * Algorithm 1: max_q L(q) - C max_s KL(p_s || q_s), C = constant eps gamma/(1 - gamma)^2.
 *
 * With t the largest divergence and g_s(t) the gain of ball.h, sum rho g_s(t) - C t is concave with derivative
 * sum rho lambda_s(t) - C; its root is sought by Newton's method for log sum rho lambda against log t from the law of small
 * steps t = (sum rho sigma)^2/(2 C^2), sigma_s^2 = Var_p A. It stalls at t = 0 iff A is constant on the support of p in every
 * reached state and sum rho max(0, max A) <= C: a deterministic policy stalls when constant gamma/(1 - gamma) >= 1.
 *
 * info: radius = t, lambda = sum rho lambda_s, penalty = C t, kkt from |sum rho lambda - C| and from the states.
 */
Status monotone_kl(const StepProblem *problem, const MonotoneOptions *options, double *q,
                   double *log_q_, StepInfo *info, Arena *ws);

/**
 * Its total variation form: max_q L(q) - C max_s TV(p_s, q_s)^2 with the same C. With alpha the largest distance and
 * knapsack.h for each state, the slope of the gain falls by steps; where it meets 2 C alpha is found by bisection between
 * breakpoints, in which the slope is constant. It stalls only where the old policy is greedy.
 *
 * info: radius = alpha, lambda = 2 C alpha, kkt from the slopes on both sides of alpha.
 */
Status monotone_tv(const StepProblem *problem, const MonotoneOptions *options, double *q,
                   double *log_q_, StepInfo *info, Arena *ws);

/**
 * Its average form: max_q L(q) - C sum_s d(s) KL(p_s || q_s), d = (1 - gamma) rho, C = lambda/(1 - gamma),
 *
 *   lambda = eps (h + 2 sqrt(2 h)), h = gamma/(1 - gamma)
 *
 * by theorem A (docs/theory.md); refined: lambda = sqrt(2) omega sqrt(h) + h max_s max_a A with omega the largest span of A in
 * a state. One pass of penalty.h with this fixed lambda.
 */
Status monotone_mean(const StepProblem *problem, const MonotoneOptions *options, double *q,
                     double *log_q_, StepInfo *info, Arena *ws);

#endif
