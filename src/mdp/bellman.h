#ifndef TRPO_BELLMAN_H
#define TRPO_BELLMAN_H

#include "mdp/mdp.h"

/**
 * The optimality operator of a process,
 *
 *   (T v)(s) = max over the rows k of s of  reward[k] + gamma sum_j prob[j] v(next[j]),
 *
 * in one parallel pass over the rows. Bits do not depend on the number of threads.
 */

/**
 * Hysteresis of the greedy choice: the old row is kept unless the best is larger by more than this share of its size,
 * so that rounding cannot make a choice flicker. Without an old row the lowest of the best is taken.
 */
#define BELLMAN_TIE 0x1p-46

/** What a pass has seen. */
typedef struct BellmanInfo {
  double low, high;  /* least and largest T v - v; both NaN when something was not finite */
  double size;       /* largest |T v| */
  ptrdiff_t changed; /* states whose choice changed */
} BellmanInfo;

/**
 * out = T v.
 *
 * out    [out]    must not alias v                                            [S]
 * choice [in,out] NULL, or the greedy row of each state; -1: none so far      [S]
 * v      [in]                                                                 [S]
 */
void bellman_backup(const Mdp *mdp, double *out, int64_t *choice, const double *v,
                    BellmanInfo *info);

/** q(s, a) = reward + gamma sum prob v, -inf where there is no action. q [S, A], v [S] */
void bellman_q(const Mdp *mdp, double *q, const double *v);

/** The greedy rows of v, the lowest of those within BELLMAN_TIE of the best. choice [S], v [S] */
void bellman_greedy(const Mdp *mdp, int64_t *choice, const double *v);

/** What bounds need to know of a process. */
typedef struct BellmanShape {
  double mass_low, mass_high; /* least and largest sum of a row, as computed */
  double reward;              /* largest |reward| */
  int64_t longest;            /* most outcomes of a row */
} BellmanShape;

void bellman_shape(const Mdp *mdp, BellmanShape *shape);

/**
 * Certified brackets of T v - v: every true value lies in [low, high], whatever the rounding of the pass.
 * A row of n outcomes is computed with an error of at most (n + 4) u (|reward| + gamma sum prob |v|), u = 2^-53
 * (Higham 2002, section 3.1). Both are NaN when something was not finite.
 */
void bellman_bracket(const Mdp *mdp, const double *v, double *low, double *high);

/**
 * Bounds of the distance to the fixed point: when low <= T v - v <= high, then
 *
 *   v + *below <= V* <= v + *above,     *above = high / (1 - gamma m),
 *
 * with m the largest mass of a row where high >= 0 and the least where it is negative; *below likewise.
 * Infinite where gamma m >= 1. Source: MacQueen 1966; Puterman 1994, theorem 6.6.3, for any masses.
 */
void bellman_bounds(double gamma, const BellmanShape *shape, double low, double high, double *below,
                    double *above);

#endif
