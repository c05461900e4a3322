#ifndef TRPO_VALUE_GAUSS_NEWTON_H
#define TRPO_VALUE_GAUSS_NEWTON_H

#include "policy/value.h"

/**
 * Fits a network baseline to all rows by damped Gauss-Newton steps, which conjugate gradients solve for:
 *
 *   (J'J / N + damping I) d = -J'e / N     e_n = f(s_n) - y_n, J = de/d(theta), in units of the targets' scale
 *
 * d is halved until the loss (policy/value_loss.h) does not grow, so a fit never increases it. Few products and the damping keep the
 * step near the present weights, which remember earlier batches. The damping is raised by a factor of 4 when the loss fell by less than a
 * quarter of what the quadratic model promised, and lowered by as much, though never below options.damping, when it fell by more than three
 * quarters (Levenberg 1944, Marquardt 1963; the rule of Martens 2010, section 4.1, ICML, "Deep learning via Hessian-free optimization").
 *
 * With options.solve_last_layer the last, affine layer is solved exactly (value_last_layer.h) before the first step and after each, which is
 * cheap: the steps are then for the hidden layers (Golub and Pereyra 1973, "variable projection", in the alternating form of
 * Ruhe and Wedin 1980).
 *
 * A fit ends after options.iterations steps, or when one lowered the loss by less than a twentieth of it.
 * info: losses before and after, steps. E_NOMEM, E_NOT_FINITE.
 */
Status value_gauss_newton(Value *value, ValueFit *info, const double *obs, const double *target,
                          long N, Arena *arena);

#endif
