#include <math.h>
#include <string.h>

#include "base/vmath.h"
#include "nn/dist.h"

/*
 * pi_a = exp(l_a) / sum_b exp(l_b). Logits may be -inf (an action that is masked out), as long as one is finite.
 * Everything is computed in double from the logits.
 */

/* rows whose sums go through the logarithm together */
enum { STRIP = 64 };

/* p [n][A] = softmax(out), logp_ [n][A] = its logarithm; n <= STRIP */
static void softmax_strip(double *restrict p, double *restrict logp_, int n, int A) {
  double sum[STRIP];
  for (int i = 0; i < n; i++) {
    double *row = p + (long)i * A, top = row[0];
    for (int a = 1; a < A; a++) top = row[a] > top ? row[a] : top;
    for (int a = 0; a < A; a++) row[a] -= top;
  }
  if (logp_) memcpy(logp_, p, (size_t)n * A * sizeof *p);
  vmath()->exp_f64(p, p, (size_t)n * A);
  for (int i = 0; i < n; i++) {
    double *row = p + (long)i * A;
    sum[i] = 0;
    for (int a = 0; a < A; a++) sum[i] += row[a];
    for (int a = 0; a < A; a++) row[a] /= sum[i];
  }
  if (!logp_) return;
  vmath()->log_f64(sum, sum, (size_t)n);
  for (int i = 0; i < n; i++)
    for (int a = 0; a < A; a++) logp_[(long)i * A + a] -= sum[i];
}

static void softmax(Precision precision, double *p, double *logp_, const void *out, int n, int A) {
  dist_widen(precision, p, out, (long)n * A);
  for (int i = 0; i < n; i += STRIP) {
    const long at = (long)i * A;
    softmax_strip(p + at, logp_ ? logp_ + at : NULL, n - i < STRIP ? n - i : STRIP, A);
  }
}

/* logp[i] = lp [n][A] at action_i */
static void pick(double *logp, const double *lp, const double *action, int n, int A) {
  for (int i = 0; i < n; i++) logp[i] = lp[(long)i * A + (long)action[i]];
}

static void log_prob(Precision precision, double *logp, const void *out, const double *extra,
                     const double *action, int n, int A, double *work) {
  double *p = work, *lp = work + (long)n * A;
  (void)extra;
  softmax(precision, p, lp, out, n, A);
  pick(logp, lp, action, n, A);
}

/* h[i] = -sum_a p_a log p_a of rows p, lp [n][A] */
static void entropies(double *h, const double *p, const double *lp, int n, int A) {
  for (int i = 0; i < n; i++, p += A, lp += A) {
    double sum = 0;
    for (int a = 0; a < A; a++) sum -= p[a] == 0 ? 0 : p[a] * lp[a]; /* 0 log 0 = 0 */
    h[i] = sum;
  }
}

static void entropy(Precision precision, double *h, const void *out, const double *extra, int n,
                    int A, double *work) {
  double *p = work, *lp = work + (long)n * A;
  (void)extra;
  softmax(precision, p, lp, out, n, A);
  entropies(h, p, lp, n, A);
}

static void kl(Precision precision, double *kl, double *logp_, const void *out_old,
               const double *extra_old, const void *out, const double *extra, const double *action_,
               int n, int A, double *work) {
  const long m = (long)n * A;
  double *p = work, *lp = work + m, *q = work + 2 * m, *lq = work + 3 * m;
  (void)extra_old, (void)extra;
  softmax(precision, p, lp, out_old, n, A);
  softmax(precision, q, lq, out, n, A);
  if (action_) pick(logp_, lq, action_, n, A);
  for (int i = 0; i < n; i++, p += A, lp += A, lq += A) {
    double sum = 0;
    for (int a = 0; a < A; a++) sum += p[a] == 0 ? 0 : p[a] * (lp[a] - lq[a]); /* p log(p/q) */
    kl[i] = sum > 0 || isnan(sum) ? sum : 0; /* rounding must not make a distance negative */
  }
}

static void sample(Precision precision, double *action, double *logp, const void *out,
                   const double *extra, const double *noise, int n, int A, double *work) {
  double *p = work, *lp = work + (long)n * A;
  (void)extra;
  softmax(precision, p, lp, out, n, A);
  for (int i = 0; i < n; i++, p += A, lp += A) {
    /* the first action whose sum of probabilities exceeds the noise */
    double sum = p[0];
    int chosen = 0;
    while (chosen < A - 1 && !(noise[i] < sum)) sum += p[++chosen];
    /* rounding may leave the whole sum below it: take the last action that is possible at all */
    while (chosen > 0 && !(p[chosen] > 0)) chosen--;
    action[i] = chosen;
    logp[i] = lp[chosen];
  }
}

static double logit(Precision precision, const void *out, long k) {
  return precision == SINGLE ? ((const float *)out)[k] : ((const double *)out)[k];
}

/* the first of row i's largest logits */
static int best(Precision precision, const void *out, int i, int A) {
  int top = 0;
  for (int a = 1; a < A; a++)
    if (logit(precision, out, (long)i * A + a) > logit(precision, out, (long)i * A + top)) top = a;
  return top;
}

static void mode(Precision precision, double *action, const void *out, int n, int A) {
  for (int i = 0; i < n; i++) action[i] = best(precision, out, i, A);
}

static int proper(Precision precision, const void *out, const double *extra, int n, int A) {
  double sum = 0;
  (void)extra;
  for (int i = 0; i < n; i++) {
    const double top = logit(precision, out, (long)i * A + best(precision, out, i, A));
    if (!isfinite(top)) return 0;
    for (int a = 0; a < A; a++) sum += logit(precision, out, (long)i * A + a) - top;
  }
  return !isnan(sum); /* -inf: an action that is masked out */
}

static void score(Precision precision, const DistScore *to, const void *out, const double *extra,
                  const double *action, const double *weight, int n, int A, double *work) {
  double *restrict d = work, *lp = work + (long)n * A;
  const double *p = to->information;
  (void)extra;
  softmax(precision, to->information, lp, out, n, A);
  pick(to->logp, lp, action, n, A);
  entropies(to->entropy, p, lp, n, A);
  for (int i = 0; i < n; i++)
    for (int a = 0; a < A; a++) { /* d log pi_k / d l_a = [a = k] - pi_a */
      const long k = (long)i * A + a;
      d[k] = weight[i] * ((a == (int)action[i]) - p[k]);
    }
  dist_narrow(precision, to->dout, d, (long)n * A);
}

static void kl_score(Precision precision, void *dout, double *dextra, const void *out_old,
                     const double *extra_old, const void *out, const double *extra, int n, int A,
                     double *work) {
  const long m = (long)n * A;
  double *p = work, *q = work + m;
  (void)extra_old, (void)extra, (void)dextra;
  softmax(precision, p, NULL, out_old, n, A);
  softmax(precision, q, NULL, out, n, A);
  for (long k = 0; k < m; k++) q[k] -= p[k]; /* dKL / d l_a = q_a - p_a */
  dist_narrow(precision, dout, q, m);
}

static void information(Precision precision, double *information, const void *out,
                        const double *extra, int n, int A) {
  (void)extra;
  softmax(precision, information, NULL, out, n, A);
}

/* x = (diag p - p p') x; with contrast the last x is 0, and left out */
#define DEFINE_METRIC(suffix, Real)                                                                \
  static void metric_##suffix(Real *x, const double *p, int n, int outputs, int A) {               \
    for (int i = 0; i < n; i++, x += outputs, p += A) {                                            \
      double mean = 0;                                                                             \
      for (int a = 0; a < outputs; a++) mean += p[a] * (double)x[a];                               \
      for (int a = 0; a < outputs; a++) x[a] = (Real)(p[a] * ((double)x[a] - mean));               \
    }                                                                                              \
  }
DEFINE_METRIC(f32, float)
DEFINE_METRIC(f64, double)

static void metric(Precision precision, void *dot, const double *information, int n, int outputs,
                   int A) {
  if (precision == SINGLE)
    metric_f32(dot, information, n, outputs, A);
  else
    metric_f64(dot, information, n, outputs, A);
}

const Dist dist_categorical = {
    .name = "categorical",
    .discrete = 1,
    .contrast = 1,
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
