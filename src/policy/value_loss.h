#ifndef TRPO_VALUE_LOSS_H
#define TRPO_VALUE_LOSS_H

#include "policy/value.h"

/**
 * What fitting a network baseline to all rows at once minimises, in units of the targets' scale:
 *
 *   L(theta) = 1/(2N) sum_n e_n^2,   e_n = f(s_n) - y_n,   y_n = (target_n - shift) / scale
 *
 * Observations are encoded once, when it is made; activations are kept on a tape from one pass to the next.
 */
typedef struct ValueLoss {
  Network *net;
  Tape tape;
  double *goal;  /* [N] y */
  double *error; /* [N] e at the parameters of the last forward pass */
} ValueLoss;

/**
 * obs [N][O], target [N], N >= 1, at the value's present normaliser, shift and scale; row_doubles as for tape_init. Memory comes
 * from the arena. E_NOMEM.
 */
Status value_loss_init(ValueLoss *loss, Value *value, const double *obs, const double *target,
                       long N, long row_doubles, Arena *arena);

/** L at the network's parameters: a forward pass. */
double value_loss(ValueLoss *loss);

/** L and its gradient g [out] [P] at the network's parameters: a forward and a reverse pass, block by block. */
double value_loss_both(ValueLoss *loss, double *g);

/** The gradient g [out] [P] where the last forward pass was made: a reverse pass. */
void value_loss_gradient(ValueLoss *loss, double *g);

#endif
