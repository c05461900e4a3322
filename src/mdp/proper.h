#ifndef TRPO_PROPER_H
#define TRPO_PROPER_H

#include "mdp/iteration.h"

/**
 * Optimal control without discount: the largest expected sum of rewards until the episode ends.
 *
 * To stay for ever where no reward is counts as an end, so that for rewards >= 0 the values are the least fixed point. The
 * problem has an answer when every other way to go on for ever costs without end and an end can be reached from everywhere
 * (Bertsekas and Tsitsiklis 1991). Policy iteration on the quotient (quotient.h) starts from a policy that ends surely. Where
 * one can go on for ever at rewards of both signs, a greedy policy that does not end collects without end, and the upper
 * solution W below proves that all that do not end lose without end: the mean of T W - W over a class that is never left is
 * its mean reward. Without that proof the problem counts as one without an answer.
 *
 * Certificate: V_pi <= V* is within max |residual| max y / c of V, and W = V + k y >= V* when T W <= W, where y >= 0 with
 * y - P y >= c > 0 along all rows that may be optimal (y: the longest expected time to the end by such rows). Both are
 * verified with their rounding.
 *
 * Arguments as those of iteration_solve; method, v0 and the first policy of options are not used.
 * OK; LIMIT; UNCERTIFIED when the certificate fails (info->bound is infinite); E_TOLERANCE; E_IMPROPER with info->state and
 * info->reason; E_NOT_FINITE, E_NOMEM.
 */
Status proper_solve(const IterationOptions *options, const Mdp *mdp, double *v, double *v_lo,
                    int64_t *choice, IterationInfo *info, Arena *ws);

#endif
