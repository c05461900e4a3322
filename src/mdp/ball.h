#ifndef TRPO_BALL_H
#define TRPO_BALL_H

#include "mdp/gap.h"

/**
 * The best policy of one state within a ball of the Kullback-Leibler divergence:
 *
 *   max { q.A - p.A : q in the simplex, KL(p || q) <= radius }
 *
 * In the notation of gap.h KL(nu) falls from infinity to 0 as e = nu - M grows from 0, so KL = radius is solved for
 * log e by Newton's method, on log KL where it is small. Where an action outside S is better than M and KL at
 * nu = max A is below the radius, nu = max A and the solution is closed: lambda = exp(sum_S p log(nu - A) - radius),
 * the mass exp(KL - radius) stays on S.
 *
 *   radius = 0: q = p, with lambda = infinity unless A is constant on S
 *   A constant on S and nothing outside better: q = p, lambda = 0, whatever the radius
 *   radius = infinity: the limit, all mass on the best actions; in proportion to p where p has any, else split evenly
 *
 * gap     [in]  the state
 * radius  [in]  >= 0, in nats; may be infinite
 * log_e   [in]  a first guess of log e from a similar problem of this state (GapSolution.log_e); NAN: none
 * s       [out] the solution; s->slope = d lambda / d radius (<= 0), 0 where q = p or in the limit
 *
 * The KL of the solution is the radius to rounding. Never fails, allocates nothing.
 */
void ball_solve(const Gap *gap, double radius, double log_e, GapSolution *s);

#endif
