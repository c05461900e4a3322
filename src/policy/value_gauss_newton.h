#ifndef TRPO_VALUE_GAUSS_NEWTON_H
#define TRPO_VALUE_GAUSS_NEWTON_H

#include "policy/value.h"

/**
 * Fits a network baseline to all rows by damped Gauss-Newton steps, whose equations conjugate gradients solve approximately:
 *
 *   (mean of j_n j_n' + damping I) d = -1/N sum_n e_n j_n,   e_n = f(s_n) - y_n,  j_n = df(s_n)/d(theta)
 *
 * in units of the targets' scale (policy/value_loss.h). Few products and the damping keep a step near the present weights, which
 * remember earlier batches. The right-hand side is that of all rows; the matrix is made of every k-th row, k = floor(N /
 * curvature_rows), which is a good model of it at a fraction of the cost (Byrd, Chin, Neveitt, Nocedal 2011, SIAM Journal on
 * Optimization 21(3), section 2). d is halved until the loss over all rows falls, so a fit never increases it.
 *
 * The damping is multiplied by 4 when the loss fell by less than a quarter of what the quadratic model says, and divided by 4,
 * but never below options.lm_damping, when it fell by more than three quarters (Marquardt 1963; Martens 2010, ICML,
 * section 4.1). It is carried to the next fit.
 *
 * With options.solve_last_layer the last, affine layer is solved exactly (value_last_layer.h) before the first step and after
 * each.
 *
 * A fit ends after options.iterations steps, or with one that lowered the loss by less than a tenth of it.
 * info: losses before and after, steps. E_NOMEM, E_NOT_FINITE, E_NOT_POSITIVE.
 */
Status value_gauss_newton(Value *value, ValueFit *info, const double *obs, const double *target,
                          long N, Arena *arena);

#endif
