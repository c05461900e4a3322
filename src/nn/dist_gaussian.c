#include <math.h>
#include <string.h>

#include "nn/dist.h"

/* N(m, diag s^2), m = out, log s = extra. */

static const double LOG_2PI = 1.8378770664093454836;

static double square(double x) {
  return x * x;
}

/* inverse [A] = 1 / s */
static void inverse_deviations(double *inverse, const double *extra, int A) {
  for (int a = 0; a < A; a++) inverse[a] = exp(-extra[a]);
}

/* logp[i] of action_i under means m [n][A] and 1/s inverse [A] */
static void densities(double *restrict logp, const double *m, const double *inverse,
                      const double *extra, const double *action, int n, int A) {
  double constant = 0;
  for (int a = 0; a < A; a++) constant -= extra[a] + 0.5 * LOG_2PI;
  for (int i = 0; i < n; i++, m += A, action += A) {
    double sum = 0;
    for (int a = 0; a < A; a++) sum += square((action[a] - m[a]) * inverse[a]);
    logp[i] = constant - 0.5 * sum;
  }
}

static void log_prob(Precision precision, double *logp, const void *out, const double *extra,
                     const double *action, int n, int A, double *work) {
  double *m = work, *inverse = work + (long)n * A;
  dist_widen(precision, m, out, (long)n * A);
  inverse_deviations(inverse, extra, A);
  densities(logp, m, inverse, extra, action, n, A);
}

static void entropy(Precision precision, double *h, const void *out, const double *extra, int n,
                    int A, double *work) {
  double sum = 0;
  (void)precision, (void)out, (void)work;
  for (int a = 0; a < A; a++) sum += extra[a] + 0.5 * (1 + LOG_2PI);
  for (int i = 0; i < n; i++) h[i] = sum;
}

/*
 * With x = 2 (log s_old - log s):
 * KL(old || new) = sum_a 1/2 (e^x - 1 - x) + 1/2 ((m_old - m) / s)^2.
 * Written with expm1 it loses no digits for nearby distributions and is exactly 0 for equal ones.
 */
static void kl(Precision precision, double *kl, double *logp_, const void *out_old,
               const double *extra_old, const void *out, const double *extra, const double *action_,
               int n, int A, double *work) {
  const long k = (long)n * A;
  double *m_old = work, *m = work + k, *inverse = work + 2 * k, shape = 0;
  dist_widen(precision, m_old, out_old, k);
  dist_widen(precision, m, out, k);
  for (int a = 0; a < A; a++) {
    double x = 2 * (extra_old[a] - extra[a]);
    shape += 0.5 * (expm1(x) - x);
  }
  inverse_deviations(inverse, extra, A);
  if (action_) densities(logp_, m, inverse, extra, action_, n, A);
  for (int i = 0; i < n; i++, m_old += A, m += A) {
    double sum = 0;
    for (int a = 0; a < A; a++) sum += square((m_old[a] - m[a]) * inverse[a]);
    kl[i] = shape + 0.5 * sum;
  }
}

static void sample(Precision precision, double *action, double *logp, const void *out,
                   const double *extra, const double *noise, int n, int A, double *work) {
  double *m = work, *s = work + (long)n * A;
  dist_widen(precision, m, out, (long)n * A);
  for (int a = 0; a < A; a++) s[a] = exp(extra[a]);
  for (int i = 0; i < n; i++)
    for (int a = 0; a < A; a++) {
      const long k = (long)i * A + a;
      action[k] = m[k] + s[a] * noise[k];
    }
  log_prob(precision, logp, out, extra, action, n, A, work);
}

static void mode(Precision precision, double *action, const void *out, int n, int A) {
  dist_widen(precision, action, out, (long)n * A);
}

static int proper(Precision precision, const void *out, const double *extra, int n, int A) {
  double sum = 0; /* of zeros, or NaN */
  for (long k = 0; k < (long)n * A; k++)
    sum += 0 * (precision == SINGLE ? ((const float *)out)[k] : ((const double *)out)[k]);
  for (int a = 0; a < A; a++)
    if (!(fabs(extra[a]) < 700)) return 0; /* a deviation, or one over it, is not finite */
  return !isnan(sum);
}

static void information(Precision precision, double *information, const void *out,
                        const double *extra, int n, int A) {
  (void)precision, (void)out;
  for (int a = 0; a < A && n > 0; a++) information[a] = exp(-2 * extra[a]); /* M = diag(1 / s^2) */
  for (int i = 1; i < n; i++)
    memcpy(information + (long)i * A, information, (size_t)A * sizeof *information);
}

static void score(Precision precision, const DistScore *to, const void *out, const double *extra,
                  const double *action, const double *weight, int n, int A, double *work) {
  double *m = work, *inverse = work + (long)n * A;
  dist_widen(precision, m, out, (long)n * A);
  inverse_deviations(inverse, extra, A);
  densities(to->logp, m, inverse, extra, action, n, A);
  entropy(precision, to->entropy, out, extra, n, A, NULL);
  information(precision, to->information, out, extra, n, A);
  for (int i = 0; i < n; i++)
    for (int a = 0; a < A; a++) {
      const long k = (long)i * A + a;
      double z = (action[k] - m[k]) * inverse[a];
      to->dextra[a] += weight[i] * (z * z - 1); /* d log pi / d log s = z^2 - 1 */
      m[k] = weight[i] * z * inverse[a];        /* d log pi / d m     = z / s   */
    }
  dist_narrow(precision, to->dout, work, (long)n * A);
}

static void kl_score(Precision precision, void *dout, double *dextra, const void *out_old,
                     const double *extra_old, const void *out, const double *extra, int n, int A,
                     double *work) {
  const long k = (long)n * A;
  double *m_old = work, *m = work + k, *inverse = work + 2 * k, *shape = inverse + A;
  dist_widen(precision, m_old, out_old, k);
  dist_widen(precision, m, out, k);
  for (int a = 0; a < A; a++) {
    inverse[a] = exp(-extra[a]);
    shape[a] = -expm1(2 * (extra_old[a] - extra[a]));
  }
  for (int i = 0; i < n; i++)
    for (int a = 0; a < A; a++) {
      double z = (m[(long)i * A + a] - m_old[(long)i * A + a]) * inverse[a];
      dextra[a] += shape[a] - z * z;       /* dKL / d log s = 1 - (s_old^2 + dm^2) / s^2 */
      m[(long)i * A + a] = z * inverse[a]; /* dKL / d m     = (m - m_old) / s^2 */
    }
  dist_narrow(precision, dout, m, k);
}

static void metric(Precision precision, void *dot, const double *information, int n, int outputs,
                   int A) {
  (void)A;
  for (long k = 0; k < (long)n * outputs; k++)
    if (precision == SINGLE)
      ((float *)dot)[k] = (float)(information[k] * (double)((float *)dot)[k]);
    else
      ((double *)dot)[k] *= information[k];
}

const Dist dist_gaussian = {
    .name = "gaussian",
    .discrete = 0,
    .extras_per_out = 1,
    .extra_fisher = 2,
    .log_prob = log_prob,
    .entropy = entropy,
    .kl = kl,
    .sample = sample,
    .mode = mode,
    .proper = proper,
    .score = score,
    .kl_score = kl_score,
    .information = information,
    .metric = metric,
};
