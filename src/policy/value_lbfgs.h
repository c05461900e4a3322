#ifndef TRPO_VALUE_LBFGS_H
#define TRPO_VALUE_LBFGS_H

#include "policy/value.h"

/**
 * Fits a network baseline to all rows by L-BFGS (nn/lbfgs.h), options.iterations steps at most, beginning at the present weights.
 * info: loss before and after, steps. E_NOMEM, E_NOT_FINITE.
 */
Status value_lbfgs(Value *value, ValueFit *info, const double *obs, const double *target, long N,
                   Arena *arena);

#endif
