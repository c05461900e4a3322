#include "mdp/penalty.h"

#include <math.h>

enum { MOST = 200 };

/* A price, in units, beside which the gaps are lost: q = p (1 + v), v = (m1 - D)/lambda, to rounding. */
static const double HIGH = 1e17;

/* The root by Newton's method, which from below needs no bracket: a tangent of a concave increasing function meets 0 before
 * the function does. e: a first guess, NAN for none. */
static double solve_root(const Gap *gap, double lambda, double e) {
  const double *p = gap->p, *D = gap->D;
  double lowest = lambda - gap->m1;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    const double bound = lambda * p[i] - D[i];
    lowest = bound > lowest ? bound : lowest;
  }
  /* for large lambda W = 1 + var/lambda^2 + ..., and e + m1 = lambda W */
  e = isnan(e) ? lambda - gap->m1 + gap->var / (lambda + 1.0) : e;
  e = e > lowest ? e : lowest;
  for (int k = 0; k < MOST; k++) {
    double s1 = 0.0, s2 = 0.0;
    for (ptrdiff_t i = 0; i < gap->n; i++) {
      const double inverse = 1.0 / (e + D[i]), share = p[i] * inverse;
      s1 += share;
      s2 += share * inverse;
    }
    /* s1/s2 (1 - lambda s1) = (1/s1 - lambda) s1^2/s2, without a square that may overflow */
    const double step = s1 / s2 * (1.0 - lambda * s1), before = e;
    e = e - step > lowest ? e - step : lowest;
    if (fabs(step) <= 1e-7 * e || e == before) {
      break;
    }
  }
  return e;
}

/* the same with everything that follows from e; its error was squared, and is squared again where that is not enough */
static void evaluate_root(const Gap *gap, double lambda, double guess, GapPoint *at) {
  double e = solve_root(gap, lambda, guess);
  for (int k = 0; k < 3; k++) {
    gap_evaluate(gap, e, at);
    const double uW = at->u * (1.0 + at->excess);
    if (fabs(lambda * uW - 1.0) <= 2e-15) {
      break;
    }
    e -= (1.0 / uW - lambda) / (1.0 + at->spread);
  }
}

static void finish_interior(GapSolution *s, double lambda) {
  const GapPoint *at = &s->at;
  s->kind = GAP_INTERIOR;
  s->log_e = NAN;
  s->lambda = lambda;
  s->gain = at->excess / (at->u * (1.0 + at->excess));
  s->kl = at->kl;
  /* d KL/d log e = -u e W spread, over d log lambda/d log e = u e W (1 + spread) */
  s->slope = -at->spread / (1.0 + at->spread);
}

/* gain = var/lambda, KL = var/(2 lambda^2); squares may underflow, lambda may be infinite: then nothing moves */
static void finish_high(const Gap *gap, GapSolution *s, double lambda) {
  if (lambda == INFINITY) {
    gap_finish_same(s, lambda);
    return;
  }
  const double u = 1.0 / lambda, spread = gap->var * u * u;
  s->at = (GapPoint){.e = lambda, .u = u, .spread = spread, .kl = 0.5 * spread};
  s->kind = GAP_INTERIOR;
  s->log_e = NAN;
  s->lambda = lambda;
  s->gain = gap->var * u;
  s->kl = s->at.kl;
  s->slope = -spread;
}

/* nu = max A; 0 when more than all mass would be on S */
static int solve_boundary(const Gap *gap, double log_lambda, GapSolution *s) {
  double log_mass = log_lambda - log(gap->above);
  if (gap->m1 > 0.0) {
    gap_evaluate(gap, gap->above, &s->at);
    log_mass = log_lambda + log(s->at.u) + log1p(s->at.excess);
  } else {
    s->at = (GapPoint){.kl = 0.0};
  }
  if (log_mass > 0.0) {
    return 0;
  }
  gap_finish_boundary(gap, s, log_mass);
  s->slope = -1.0;
  return 1;
}

/* e = lambda p(best), beside which nothing else counts; 0 when it does */
static int solve_deep(const Gap *gap, double log_lambda, GapSolution *s) {
  double rest;
  if (!gap_is_deep(gap, log_lambda)) {
    return 0;
  }
  s->log_e = 0.0;
  gap_finish_deep(gap, s);
  s->log_e = log_lambda - s->log_lambda; /* finish_deep: log lambda = log e - log p(best) */
  gap_finish_deep(gap, s);
  gap_deep_sum(gap, &rest);
  s->slope = -rest;
  return 1;
}

void penalty_solve(const Gap *gap, double lambda, double log_lambda, double guess, GapSolution *s) {
  const double scaled = lambda / gap->unit;
  s->slope = 0.0;
  if (gap_is_flat(gap) || lambda == INFINITY) {
    gap_finish_same(s, scaled);
    return;
  }
  if (log_lambda == -INFINITY) {
    gap_finish_limit(gap, s);
    return;
  }
  if (gap->above > 0.0 && solve_boundary(gap, log_lambda - log(gap->unit), s)) {
    return;
  }
  if (gap->m1 == 0.0) {
    gap_finish_same(s, scaled); /* constant on S, what is better costs too much */
    return;
  }
  if (scaled > HIGH) {
    finish_high(gap, s, scaled); /* overflows where the gaps are so small */
    return;
  }
  if (scaled < 1e-17 && solve_deep(gap, log_lambda - log(gap->unit), s)) {
    return;
  }
  evaluate_root(gap, scaled, guess, &s->at);
  finish_interior(s, scaled);
}

double penalty_bound(const GapSolution *s) {
  if (s->kind != GAP_INTERIOR || s->lambda > HIGH) {
    return s->gain - (s->lambda > 0.0 && s->kl > 0.0 ? s->lambda * s->kl : 0.0);
  }
  /* 1/u - lambda + lambda (log(lambda u) - sum p log c), with lambda u W = 1 + error */
  const double W = 1.0 + s->at.excess, error = s->lambda * s->at.u * W - 1.0;
  const double lost = log1p(error) - W * error / (1.0 + error);
  return s->lambda * (s->at.excess - s->at.kl + lost);
}
