#ifndef TRPO_GAUSS_NEWTON_H
#define TRPO_GAUSS_NEWTON_H

#include "base/arena.h"
#include "policy/tape.h"

/**
 * The Gauss-Newton matrix of a network over the rows of a recorded tape, as an operator:
 *
 *   G = sum_n J_n' M_n J_n
 *
 * J_n = d(outputs of the network)/d(theta) at row n; M_n symmetric, the second derivative of what is minimised in the
 * outputs: the Fisher information of a policy's distribution, the identity for least squares.
 * Source: Schraudolph 2002, Neural Computation 14(7), section 3.
 *
 * The tape must keep its activations and have room for gradients; it is recorded, at the network's present
 * parameters, before gauss_newton_init, and neither changes while the operator is used.
 */

/** Multiplies a block's rows dot, Real [block->n][outputs], by M in place. */
typedef void (*GaussNewtonMetric)(void *context, void *dot, const TapeBlock *block);

typedef struct GaussNewton {
  const Network *net;
  const Tape *tape;
  GaussNewtonMetric metric_; /* NULL: the identity */
  void *context;
  void *v; /* the direction, prepared for the network */
} GaussNewton;

/** products: how many times the operator is going to be applied, at a guess. Memory comes from the arena. E_NOMEM. */
Status gauss_newton_init(GaussNewton *gn, const Network *net, const Tape *tape, int products,
                         GaussNewtonMetric metric_, void *context, Arena *arena);

/**
 * out = scale G v.
 *
 * out  [out]  product; must not alias v   [mlp.P]
 * v    [in]   direction                   [mlp.P]
 *
 * Allocates nothing. What is not finite in v or the tape leaves something not finite in out.
 */
void gauss_newton_apply(GaussNewton *gn, double *out, const double *v, double scale);

#endif
