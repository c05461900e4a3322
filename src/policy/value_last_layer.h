#ifndef TRPO_VALUE_LAST_LAYER_H
#define TRPO_VALUE_LAST_LAYER_H

#include "policy/value_loss.h"

/**
 * The exact least-squares solution of a network's last, affine layer, its features held fixed:
 *
 *   minimise over d   1/(2N) sum_n (e_n + phi_n'd)^2 + (damping/2) ||d||^2,   phi = (h, 1)
 *
 * by the normal equations (1/N sum phi phi' + damping I) d = -1/N sum phi e and Cholesky's factorisation, all in double. h is the
 * last hidden layer (for a network without one, its inputs); the damping holds the solution near the present weights. It is
 * raised tenfold, up to ten times, while the equations are not positive definite to rounding.
 */
typedef struct ValueLastLayer {
  ValueLoss *loss;
  int F;           /* features, the constant one included */
  double *partial; /* [chunks][F + 1][F + 1]: sums of phi phi' and phi e, lower triangle */
  double *gram;    /* [F + 1][F + 1] */
  double *factor;  /* [F][F] */
  double *step;    /* [F] */
  double *old;     /* [F] weights before the step */
} ValueLastLayer;

/** Doubles of scratch that a block's task wants of the loss's tape: rows (phi, e) in double. */
long value_last_layer_doubles(const Network *net);

/** Memory comes from the arena. E_NOMEM. */
Status value_last_layer_init(ValueLastLayer *layer, ValueLoss *loss, Arena *arena);

/**
 * Solves at the parameters of the loss's last forward pass and puts the solution into the network. L is then that of the
 * new parameters, and the loss's errors are those of a forward pass.
 *
 * L  [in,out] the loss; never grows: where rounding would make it, the network stays as it was, bit for bit.
 * Returns OK, E_NOT_POSITIVE or E_NOT_FINITE; but for OK the network is as it was. Allocates nothing.
 */
Status value_last_layer_solve(ValueLastLayer *layer, double *L, double damping);

/**
 * Fits a network baseline's last layer only, with options.lm_damping. info: losses before and after, one step.
 * E_NOMEM, E_NOT_POSITIVE, E_NOT_FINITE.
 */
Status value_last_layer(Value *value, ValueFit *info, const double *obs, const double *target,
                        long N, Arena *arena);

#endif
