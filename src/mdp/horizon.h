#ifndef TRPO_HORIZON_H
#define TRPO_HORIZON_H

#include "mdp/mdp.h"

/**
 * Backward induction over a finite horizon: with H - t steps to go,
 *
 *   V[H] = last,   V[t] = T V[t + 1],   t = H - 1 .. 0.
 *
 * v      [out] values by time                                                                [H + 1, S]
 * choice [out] rows of the best action by time, the lowest on ties                           [H, S]
 * last   [in]  what the states are worth at the end; NULL: nothing                           [S]
 *
 * Any gamma in [0, 1]. OK or E_NOT_FINITE. Allocates nothing.
 */
Status horizon_solve(const Mdp *mdp, ptrdiff_t H, double *v, int64_t *choice, const double *last);

/**
 * A bound of the rounding errors of v [H + 1, S], largest over states and times: each step adds
 * (n + 4) u (|R| + gamma |V|) at most and passes on gamma m times what it got.
 */
double horizon_bound(const Mdp *mdp, ptrdiff_t H, const double *v);

#endif
