#ifndef TRPO_VARIANCE_H
#define TRPO_VARIANCE_H

#include "mdp/chain.h"

/**
 * The variance of the return from each state. Source: Sobel 1982; here without second moments, whose difference from the
 * squared mean would cancel:
 *
 *   W = u + gamma^2 P_pi W,   u(s) = sum_a pi(a | s) sum_o p_o (r_o + gamma (1 - done_o) V(s'_o) - V(s))^2
 *
 * over the outcomes o of (s, a), all terms nonnegative.
 *
 * chain    [in]  of pi, without the states that kind drops (gamma = 1)
 * kind     [in]  ClassesKind of the states, or NULL                      [S]
 * v        [in]  values of pi                                            [S]
 * variance [out] NaN where the value is infinite                         [S]
 * state    [out] on E_IMPROPER a state that is never left where rewards vary, though they are 0 on average
 *
 * OK; LIMIT; E_IMPROPER; E_NOT_FINITE when squares overflow; E_NOMEM.
 */
Status variance_solve(const Mdp *mdp, const double *pi, const Chain *chain,
                      const unsigned char *kind, const double *v, double *variance,
                      ptrdiff_t *state, Arena *ws);

#endif
