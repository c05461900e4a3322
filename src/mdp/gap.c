#include "mdp/gap.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

ptrdiff_t gap_work(ptrdiff_t A) {
  return 5 * A;
}

void gap_init(Gap *gap, ptrdiff_t A, double *work) {
  *gap = (Gap){.A = A, .p = work, .D = work + A, .dev = work + 2 * A, .r = work + 3 * A};
  gap->at = (ptrdiff_t *)(work + 4 * A); /* as large as a double */
}

/* --- the state in gap form ---------------------------------------------------------------------------------------- */

/* S with its probabilities; M of it and of the others */
static double split(Gap *gap, double *best_outside) {
  double M = -INFINITY, sum = 0.0;
  ptrdiff_t n = 0;
  *best_outside = -INFINITY;
  gap->better = 0;
  for (ptrdiff_t a = 0; a < gap->A; a++) {
    const double p = gap->old[a], value = gap->adv[a];
    if (p > 0.0) {
      gap->at[n] = a;
      gap->p[n++] = p;
      sum += p;
      M = value > M ? value : M;
    } else if (value >= *best_outside && value > -INFINITY) {
      gap->better = value > *best_outside ? 1 : gap->better + 1;
      *best_outside = value;
    }
  }
  gap->n = n;
  if (sum != 1.0) {
    for (ptrdiff_t i = 0; i < n; i++) gap->p[i] /= sum;
  }
  return M;
}

/* 2^k, -1022 <= k <= 1023 */
static double power_of_two(int k) {
  const uint64_t bits = (uint64_t)(k + 1023) << 52;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* the k of 2^(k - 1) <= x < 2^k, x >= 0; at least -1000 */
static int exponent_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const int k = (int)(bits >> 52) - 1022;
  return x == 0.0 ? 0 : k < -1000 ? -1000 : k;
}

/* the gaps, and the power of two that brings the largest near 1 */
static void scale(Gap *gap, double M, double best_outside) {
  double largest = 0.0;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    gap->D[i] = M - gap->adv[gap->at[i]];
    largest = gap->D[i] > largest ? gap->D[i] : largest;
  }
  gap->above = best_outside > -INFINITY ? best_outside - M : -INFINITY;
  largest = gap->above > largest ? gap->above : largest;
  const int exponent = exponent_of(largest);
  const double inverse = power_of_two(-exponent);
  gap->unit = power_of_two(exponent);
  for (ptrdiff_t i = 0; i < gap->n; i++) gap->D[i] *= inverse;
  gap->above *= inverse;
}

void gap_set(Gap *gap, const double *p, const double *adv) {
  double best_outside;
  gap->old = p;
  gap->adv = adv;
  const double M = split(gap, &best_outside);
  scale(gap, M, best_outside);
  double m1 = 0.0, var = 0.0, own = 0.0;
  ptrdiff_t main = 0; /* the likeliest action */
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    m1 += gap->p[i] * gap->D[i];
    main = gap->p[i] > gap->p[main] ? i : main;
  }
  /* its deviation by the others: m1 - D cancels where it has all but all of the mass */
  for (ptrdiff_t i = 0; i < gap->n; i++) own += gap->p[i] * (gap->D[i] - gap->D[main]);
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    gap->dev[i] = own + (gap->D[main] - gap->D[i]);
    var += gap->p[i] * gap->dev[i] * gap->dev[i];
  }
  gap->m1 = m1;
  gap->var = var;
}

/* --- evaluation --------------------------------------------------------------------------------------------------- */

/* for |v| < 0.3, with y = -v/(2 - v): v y + 2 (y^3/3 + y^5/5 + ...) */
static double log_series(double v) {
  const double y = -v / (2.0 - v), z = y * y;
  double s = 2.0 / 23;
  s = s * z + 2.0 / 21;
  s = s * z + 2.0 / 19;
  s = s * z + 2.0 / 17;
  s = s * z + 2.0 / 15;
  s = s * z + 2.0 / 13;
  s = s * z + 2.0 / 11;
  s = s * z + 2.0 / 9;
  s = s * z + 2.0 / 7;
  s = s * z + 2.0 / 5;
  s = s * z + 2.0 / 3;
  return y * z * s + v * y;
}

double gap_log(double v) {
  return fabs(v) < 0.3 ? log_series(v) : log1p(-v) + v;
}

void gap_evaluate(const Gap *gap, double e, GapPoint *point) {
  const ptrdiff_t n = gap->n;
  const double *p = gap->p, *D = gap->D, *dev = gap->dev;
  double *r = gap->r;
  const double u = 1.0 / (e + gap->m1);
  double excess = 0.0, kl = 0.0, spread = 0.0;
  for (ptrdiff_t i = 0; i < n; i++) {
    r[i] = dev[i] / (e + D[i]);
    excess += p[i] * (dev[i] * u) * r[i]; /* v r */
  }
  const double W = 1.0 + excess, inverse = 1.0 / W, uW = u * W;
  for (ptrdiff_t i = 0; i < n; i++) {
    const double z = (r[i] - excess) * inverse; /* q/p - 1 */
    /* z - log(1 + z), where 1 + z = 1/(w u W) */
    kl += p[i] * (fabs(z) < 0.3 ? -log_series(-z) : z + log((e + D[i]) * uW));
    spread += p[i] * z * z;
  }
  *point = (GapPoint){.e = e, .u = u, .excess = excess, .spread = spread, .kl = kl};
}

/* --- the deep form ------------------------------------------------------------------------------------------------ */

int gap_is_deep(const Gap *gap, double log_lambda) {
  double least = INFINITY;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    if (gap->D[i] > 0.0 && gap->D[i] < least) {
      least = gap->D[i];
    }
  }
  return log_lambda < log(least) - 40.0;
}

double gap_deep_sum(const Gap *gap, double *rest) {
  double sum = 0.0;
  *rest = 0.0;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    if (gap->D[i] > 0.0) {
      sum += gap->p[i] * log(gap->D[i]);
      *rest += gap->p[i];
    }
  }
  return sum;
}

/* log of the probability that p gives to the best of S; rest is what it gives to the others */
static double log_best(const Gap *gap, double rest) {
  if (rest < 0.5) {
    return log1p(-rest);
  }
  double best = DBL_MIN; /* lost beside any probability that counts */
  for (ptrdiff_t i = 0; i < gap->n; i++) best += gap->D[i] > 0.0 ? 0.0 : gap->p[i];
  return log(best);
}

/* q = lambda p / D off the best, p / p(best) on them: KL = sum p log D - rest log lambda + p(best) log p(best) */
void gap_finish_deep(const Gap *gap, GapSolution *s) {
  double rest;
  const double sum = gap_deep_sum(gap, &rest), best = log_best(gap, rest);
  s->kind = GAP_DEEP;
  s->log_lambda = s->log_e - best; /* e = lambda p(best) */
  s->lambda = exp(s->log_lambda);
  s->kl = sum - rest * s->log_lambda + exp(best) * best;
  s->gain = gap->m1 - s->lambda * rest;
}

void gap_finish_limit(const Gap *gap, GapSolution *s) {
  double rest;
  gap_deep_sum(gap, &rest);
  s->kind = GAP_LIMIT;
  s->lambda = s->slope = 0.0;
  s->log_lambda = s->log_e = -INFINITY;
  s->gain = (gap->above > 0.0 ? gap->above : 0.0) + gap->m1;
  s->kl = gap->above > 0.0 || rest > 0.0 ? INFINITY : 0.0;
}

/* --- the other forms ---------------------------------------------------------------------------------------------- */

void gap_finish_boundary(const Gap *gap, GapSolution *s, double log_mass) {
  if (gap->m1 == 0.0) {
    s->at = (GapPoint){.e = gap->above, .u = 1.0 / gap->above};
  }
  /* mass = lambda u W */
  s->kind = GAP_BOUNDARY;
  s->log_lambda = log_mass - log(s->at.u) - log1p(s->at.excess);
  s->lambda = exp(s->log_lambda);
  s->left = -expm1(log_mass);
  s->kl = s->at.kl - log_mass;
  s->gain = s->left * (gap->above + gap->m1) + s->lambda * s->at.excess;
  s->log_e = NAN;
}

void gap_finish_same(GapSolution *s, double lambda) {
  *s = (GapSolution){.kind = GAP_SAME, .lambda = lambda, .log_e = NAN};
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* q on the best of the actions outside S, mass in all */
static void write_better(const Gap *gap, double mass, double *q, double *log_q_) {
  double best = -INFINITY;
  for (ptrdiff_t a = 0; a < gap->A; a++) {
    if (!(gap->old[a] > 0.0) && gap->adv[a] > best) {
      best = gap->adv[a];
    }
  }
  for (ptrdiff_t a = 0; a < gap->A; a++) {
    if (!(gap->old[a] > 0.0) && gap->adv[a] == best) {
      q[a] = mass / (double)gap->better;
      if (log_q_) log_q_[a] = log(mass) - log((double)gap->better);
    }
  }
}

static void write_same(const Gap *gap, double *q, double *log_q_) {
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    q[gap->at[i]] = gap->old[gap->at[i]];
    if (log_q_) log_q_[gap->at[i]] = log(gap->old[gap->at[i]]);
  }
}

static void write_root(const Gap *gap, const GapSolution *s, double *q, double *log_q_) {
  const double log_lambda = s->kind == GAP_INTERIOR ? log(s->lambda) : s->log_lambda;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    const double w = s->at.e + gap->D[i], ratio = s->lambda / w;
    q[gap->at[i]] = ratio * gap->p[i];
    /* the logarithms of numbers that are both huge cancel */
    const int good = s->lambda >= DBL_MIN && ratio >= DBL_MIN && ratio <= DBL_MAX;
    const double change = good ? log(ratio) : log_lambda - log(w);
    if (log_q_) log_q_[gap->at[i]] = change + log(gap->p[i]);
  }
}

/* p restricted to the best of S, and lambda p/D (deep) or nothing (limit) for the others */
static void write_best(const Gap *gap, const GapSolution *s, double *q, double *log_q_) {
  double best = 0.0;
  for (ptrdiff_t i = 0; i < gap->n; i++) best += gap->D[i] > 0.0 ? 0.0 : gap->p[i];
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    const int left = gap->D[i] > 0.0;
    const double log_q = left ? log(gap->p[i]) + s->log_lambda - log(gap->D[i])
                              : log(gap->p[i] / best);
    /* a single best action has exactly 1 */
    q[gap->at[i]] = left ? exp(log_q) : gap->p[i] / best;
    if (log_q_) log_q_[gap->at[i]] = log_q;
  }
}

/* sum |q - p|/2; of an interior solution by q/p - 1 = (r - (W - 1))/W, which loses no digits to p */
static double distance(const Gap *gap, const GapSolution *s, const double *q) {
  double sum = 0.0;
  if (s->kind == GAP_SAME) {
    return 0.0;
  }
  if (s->kind == GAP_INTERIOR) {
    for (ptrdiff_t i = 0; i < gap->n; i++) {
      sum += gap->p[i] * fabs(gap->dev[i] / (s->at.e + gap->D[i]) - s->at.excess);
    }
    return 0.5 * sum / (1.0 + s->at.excess);
  }
  for (ptrdiff_t i = 0; i < gap->n; i++) sum += fmax(0.0, gap->p[i] - q[gap->at[i]]);
  return fmin(1.0, sum);
}

double gap_write(const Gap *gap, const GapSolution *s, double *q, double *log_q_) {
  for (ptrdiff_t a = 0; gap->n < gap->A && a < gap->A; a++) {
    q[a] = 0.0;
  }
  for (ptrdiff_t a = 0; log_q_ && a < gap->A; a++) {
    log_q_[a] = -INFINITY;
  }
  switch (s->kind) {
  case GAP_SAME: write_same(gap, q, log_q_); break;
  case GAP_INTERIOR: write_root(gap, s, q, log_q_); break;
  case GAP_BOUNDARY:
    write_root(gap, s, q, log_q_);
    write_better(gap, s->left, q, log_q_);
    break;
  case GAP_DEEP: write_best(gap, s, q, log_q_); break;
  case GAP_LIMIT:
    if (gap->above > 0.0) {
      for (ptrdiff_t i = 0; i < gap->n; i++) q[gap->at[i]] = 0.0;
      write_better(gap, 1.0, q, log_q_);
    } else {
      write_best(gap, s, q, log_q_);
    }
    break;
  }
  return distance(gap, s, q);
}

/* lambda (p/q - 1) + A - mean A = nu - mean A - lambda on S, and nu >= A elsewhere */
static double residual_root(const Gap *gap, const GapSolution *s, const double *q) {
  const double target = s->kind == GAP_INTERIOR ? s->gain : gap->above + gap->m1 - s->lambda;
  double worst = s->kind == GAP_INTERIOR ? fmax(0.0, gap->above - s->at.e) : 0.0;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    const double new = q[gap->at[i]];
    if (s->lambda >= DBL_MIN && new >= DBL_MIN) { /* else they lack digits */
      const double ratio = (gap->p[i] - new) / new;
      worst = fmax(worst, fabs(s->lambda * ratio + gap->dev[i] - target));
    }
  }
  return worst;
}

/* lambda p/q = D off the best, as far as lambda and q have their digits */
static double residual_deep(const Gap *gap, const GapSolution *s, const double *q) {
  double worst = 0.0;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    const double new = q[gap->at[i]];
    if (gap->D[i] > 0.0 && s->lambda >= DBL_MIN && new >= DBL_MIN) {
      worst = fmax(worst, fabs(s->lambda * (gap->p[i] / new) - gap->D[i]));
    }
  }
  return worst;
}

double gap_residual(const Gap *gap, const GapSolution *s, const double *q) {
  double sum = 0.0, worst = 0.0;
  if (s->kind == GAP_SAME) {
    return 0.0;
  }
  if (s->kind == GAP_DEEP) {
    worst = residual_deep(gap, s, q);
  } else if (s->kind != GAP_LIMIT) {
    worst = residual_root(gap, s, q) / fmax(1.0, s->lambda);
  }
  for (ptrdiff_t a = 0; a < gap->A; a++) sum += q[a];
  return fmax(worst, fabs(sum - 1.0)) * gap->unit;
}
