#ifndef TRPO_ENTROPY_H
#define TRPO_ENTROPY_H

#include "base/arena.h"
#include "mdp/iteration.h"

/**
 * Entropy-regularised control with temperature tau > 0: the policy that maximises rewards plus tau times its entropy,
 *
 *   V(s) = tau log sum_a exp(Q(s, a) / tau),   Q = R + gamma P V,   pi(a | s) = exp((Q(s, a) - V(s)) / tau).
 *
 * Sources: Ziebart 2010; Haarnoja et al. 2017, arXiv:1702.08165. Sweeps of the soft operator, a contraction with the same
 * bounds as T; where they are slow, Newton's steps, which are policy iteration: (I - gamma P_pi) d = T V - V.
 *
 * options: tolerance, iterations, v0 are used.
 * v [out] values [S]; info->bound is certified, the roundings of the last pass included.
 *
 * OK; LIMIT; E_TOLERANCE; E_NOT_FINITE; E_NOMEM. gamma < 1.
 */
Status entropy_solve(const IterationOptions *options, double temperature, const Mdp *mdp, double *v,
                     IterationInfo *info, Arena *ws);

/** The soft policy of values v: pi [S, A]. */
void entropy_policy(const Mdp *mdp, double temperature, double *pi, const double *v);

#endif
