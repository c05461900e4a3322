#ifndef TRPO_RELAXATION_H
#define TRPO_RELAXATION_H

#include "mdp/control.h"

/**
 * Gauss-Seidel value iteration: states one after the other, each with the newest values of its successors, and with its
 * own loops solved:
 *
 *   v(s) = max over the rows of s of  (reward + gamma sum_{s' != s} prob v(s')) / (1 - gamma prob(s)).
 *
 * The sweeps are serial; where information has to travel far they need far fewer than sweeps that use old values.
 * Source: Puterman 1994, section 6.3.3.
 */

/** What a sweep has seen. */
typedef struct RelaxationInfo {
  double change;     /* largest |new - old| */
  ptrdiff_t changed; /* states whose choice changed */
} RelaxationInfo;

/**
 * One sweep over v in place.
 *
 * v        [in,out]                                                  [S]
 * choice   [in,out] greedy rows, kept on ties; NULL: not wanted      [S]
 * order    the states in the order they are taken; NULL: their own   [S]
 * backward 1: from the last to the first
 */
void relaxation_sweep(const Mdp *mdp, double *v, int64_t *choice, const int32_t *order,
                      int backward, RelaxationInfo *info);

/**
 * An order that carries values far: breadth first from where episodes end and from absorbing states; their own order
 * where there are none. order [S]. E_NOMEM.
 */
Status relaxation_order(const Mdp *mdp, int32_t *order, Arena *ws);

/**
 * Moves v by a constant to where sweeps converge fastest from. Where no episode ends, an error that all states surely share
 * is taken off, and no more: the middle of wide bounds may be far from all values. Where episodes end, v becomes a lower
 * bound, for what is too good to be true is worn down by the rewards only, what is too bad is replaced at once. A bound may be
 * 1 / (1 - gamma) times as far as the values are: it is taken once, and again only when the width has halved since, so that
 * all shifts together are bounded.
 */
void relaxation_shift(Control *control);

/**
 * Sweeps forwards and backwards until control_done or control_spent; every few sweeps an optimality pass finds the
 * bounds, and what they tell of a common error is taken off. An iteration is a sweep or such a pass.
 *
 * OK, E_NOMEM, E_NOT_FINITE.
 */
Status relaxation_run(Control *control, Arena *ws);

#endif
