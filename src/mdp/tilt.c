#include "mdp/tilt.h"

#include <float.h>
#include <math.h>

void tilt_natural(const Gap *gap, double *y) {
  for (ptrdiff_t i = 0; i < gap->n; i++) y[i] = gap->dev[i];
}

void tilt_gradient(const Gap *gap, double weight, double *y) {
  double most = -INFINITY, mean = 0.0;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    y[i] = weight * (gap->p[i] * (gap->dev[i] * gap->unit));
    most = y[i] > most ? y[i] : most;
  }
  /* by gaps, so that no digits are lost where p is nearly deterministic */
  for (ptrdiff_t i = 0; i < gap->n; i++) mean += gap->p[i] * (most - y[i]);
  for (ptrdiff_t i = 0; i < gap->n; i++) y[i] = mean - (most - y[i]);
}

/* exp(x) - 1 - x >= 0 without cancellation */
static double exp_excess(double x) {
  if (fabs(x) > 0.3) {
    return expm1(x) - x;
  }
  double s = 1.0;
  for (int k = 13; k > 2; k--) s = 1.0 + s * x / k;
  return 0.5 * x * x * s;
}

/* K(b) = log(1 + sum p (exp(b y) - 1 - b y)), as sum p y = 0; with the largest taken out where that would lose digits */
static void set_cumulant(const Gap *gap, const double *y, double b, Tilt *tilt) {
  double sum = 0.0, most = -INFINITY;
  for (ptrdiff_t i = 0; i < gap->n; i++) most = fmax(most, b * y[i]);
  if (most <= 30.0) {
    for (ptrdiff_t i = 0; i < gap->n; i++) sum += gap->p[i] * exp_excess(b * y[i]);
    tilt->rest = log1p(sum);
  } else {
    for (ptrdiff_t i = 0; i < gap->n; i++) sum += gap->p[i] * exp(b * y[i] - most);
    tilt->shift = most;
    tilt->rest = log(sum > 0.0 ? sum : DBL_MIN);
  }
  tilt->kl = tilt->shift + tilt->rest;
}

/* log q/p */
static double log_ratio(const Tilt *tilt, double by) {
  return (by - tilt->shift) - tilt->rest;
}

void tilt_evaluate(const Gap *gap, const double *y, double b, Tilt *tilt) {
  *tilt = (Tilt){.shift = 0.0};
  set_cumulant(gap, y, b, tilt);
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    const double change = gap->p[i] * expm1(log_ratio(tilt, b * y[i])); /* q - p */
    tilt->slope += change * y[i];
    tilt->gain += change * gap->dev[i];
    tilt->tv += 0.5 * fabs(change);
  }
}

void tilt_write(const Gap *gap, const double *y, double b, const Tilt *tilt, double *q,
                double *log_q_) {
  for (ptrdiff_t a = 0; a < gap->A; a++) {
    q[a] = 0.0;
    if (log_q_) log_q_[a] = -INFINITY;
  }
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    const double change = log_ratio(tilt, b * y[i]);
    q[gap->at[i]] = gap->p[i] * exp(change);
    if (log_q_) log_q_[gap->at[i]] = log(gap->p[i]) + change;
  }
}
