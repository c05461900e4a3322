#ifndef TRPO_PENALTY_H
#define TRPO_PENALTY_H

#include "mdp/gap.h"

/**
 * The best policy of one state against a price on the Kullback-Leibler divergence:
 *
 *   max { q.A - p.A - lambda KL(p || q) : q in the simplex }
 *
 * In the notation of gap.h the root e of 1/sum p/(e + D) = lambda, a concave increasing function, by Newton's method
 * from below: e >= max(lambda - m1, max_a (lambda p_a - D_a)). Where an action outside S is better than M and
 * lambda sum p/(max A - A) <= 1, nu = max A and the mass that is left goes to the better actions.
 *
 * gap        [in]  the state
 * lambda     [in]  the price of a nat, in the unit of A; 0: the greedy limit, inf: q = p
 * log_lambda [in]  its logarithm, which counts where lambda underflows
 * guess      [in]  a first guess of e, in units, from a similar problem of this state; NAN: none
 * s          [out] the solution; s->slope = d KL / d log lambda (<= 0); s->lambda is infinite where lambda overflows in
 *            the unit of the gaps, and q = p
 *
 * Never fails, allocates nothing.
 */
void penalty_solve(const Gap *gap, double lambda, double log_lambda, double guess, GapSolution *s);

/**
 * A bound from above on the maximum, by duality: for every nu > M it is at most nu - p.A - lambda + lambda sum p log
 * (lambda/(nu - A)), here at the nu of the solution. In the gap's unit; exceeds gain - lambda KL by rounding only.
 */
double penalty_bound(const GapSolution *s);

#endif
