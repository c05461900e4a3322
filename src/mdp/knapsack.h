#ifndef TRPO_KNAPSACK_H
#define TRPO_KNAPSACK_H

#include <stddef.h>
#include <stdint.h>

/**
 * The best policy of one state within a total variation distance:
 *
 *   max { q.A - p.A : q in the simplex, sum |q - p|/2 <= alpha }
 *
 * a fractional knapsack: the mass alpha moves from the actions of least advantage to the best action (the lowest of them).
 * The gain is concave and piecewise linear in alpha; its slopes are max A - A_a, its breakpoints the sums of p in
 * ascending order of A.
 */
typedef struct Knapsack {
  double gain;
  double right, left; /* derivatives of the gain at alpha */
  double before;      /* the largest breakpoint <= alpha, or 0 */
  double next;        /* the least breakpoint > alpha, or infinity */
  double moved;       /* mass that has moved: the distance */
  double kl;          /* KL(p || q): infinite once an action is emptied */
} Knapsack;

/** The supported actions that are worse than the best, worst first, into order [A]; the best into *best. Returns their number. */
ptrdiff_t knapsack_order(const double *p, const double *adv, ptrdiff_t A, int32_t *order,
                         int32_t *best);

/**
 * The solution at alpha >= 0. p, adv [A], order [n], best: of knapsack_order. q_ [A]: the new policy,
 * not p; NULL: not wanted.
 */
void knapsack_solve(const double *p, const double *adv, ptrdiff_t A, const int32_t *order,
                    ptrdiff_t n, int32_t best, double alpha, double *q_, Knapsack *out);

#endif
