#ifndef TRPO_VALUE_ADAM_H
#define TRPO_VALUE_ADAM_H

#include "policy/value.h"

/**
 * Fits a network baseline by Adam: options.epochs passes over shuffled minibatches of options.minibatch rows, each a step
 * along the gradient of the mean squared error in units of the targets' scale. info: steps, and the mean squared error over the last
 * epoch, measured before each step. Observations are encoded once. E_NOMEM.
 */
Status value_adam(Value *value, ValueFit *info, const double *obs, const double *target, long N,
                  Arena *arena);

#endif
