#ifndef TRPO_VALUE_GAUSS_NEWTON_H
#define TRPO_VALUE_GAUSS_NEWTON_H

#include "policy/value.h"

/**
 * Fits a network baseline to all rows by damped Gauss-Newton steps.
 */
Status value_gauss_newton(Value *value, ValueFit *info, const double *obs, const double *target,
                          long N, Arena *arena);

#endif
