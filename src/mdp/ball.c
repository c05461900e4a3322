#include "mdp/ball.h"

#include <math.h>

/* Evaluations before Newton's method is given up; with bisection in between it never takes that many. */
enum { MOST = 200 };

/* exp of these neither over- nor underflows */
static const double LOWEST = -700.0, HIGHEST = 700.0;

/* Newton's error is squared by a step as small as this: what is left is checked, and mended if need be. */
static const double SMALL_STEP = 3e-8;

static void finish_interior(GapSolution *s, double log_e) {
  const GapPoint *at = &s->at;
  const double uW = at->u * (1.0 + at->excess);
  s->kind = GAP_INTERIOR;
  s->log_e = log_e;
  s->lambda = 1.0 / uW;
  s->gain = at->excess * s->lambda;
  s->kl = at->kl;
  s->slope = -(1.0 + at->spread) / (uW * at->spread);
}

/* A step so small that q = p (1 + v), v = (m1 - D) u, is exact to rounding: KL = var u^2 / 2. */
static void solve_small(const Gap *gap, double radius, double u, GapSolution *s) {
  s->at = (GapPoint){.e = 1.0 / u, .u = u, .kl = radius};
  s->kind = GAP_INTERIOR;
  s->log_e = -log(u);
  s->lambda = s->at.e;
  s->gain = gap->var * u;
  s->kl = radius;
  s->slope = -s->lambda / (2.0 * radius);
}

/* The deep form, where KL is linear in log e; 0 when e is not small enough. */
static int solve_deep(const Gap *gap, double radius, GapSolution *s) {
  double rest;
  GapSolution trial = {.log_e = 0.0};
  gap_deep_sum(gap, &rest);
  if (rest == 0.0) {
    return 0;
  }
  gap_finish_deep(gap, &trial); /* KL = trial.kl - rest log e */
  const double log_e = (trial.kl - radius) / rest;
  if (!gap_is_deep(gap, log_e + trial.log_lambda)
      || (gap->above > 0.0 && log_e < log(gap->above))) {
    return 0;
  }
  s->log_e = log_e;
  gap_finish_deep(gap, s);
  s->slope = -s->lambda / rest;
  s->kl = radius; /* to rounding, which is of log e times rest */
  return 1;
}

/* The e at which the second-order expansion of KL, u^2 var/2 (1 + 4/3 u m3/var), is the radius; small radii. */
static double expansion(const Gap *gap, double u) {
  double m3 = 0.0;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    m3 += gap->p[i] * gap->dev[i] * gap->dev[i] * gap->dev[i];
  }
  const double correction = 2.0 / 3.0 * u * m3 / gap->var;
  return 1.0 / (u * (1.0 - (fabs(correction) < 0.5 ? correction : 0.0))) - gap->m1;
}

/* first guess of log e */
static double guess(const Gap *gap, double u) {
  const double e = expansion(gap, u);
  return e > 1e-3 * gap->m1 ? log(e) : log(gap->m1) - 3.0;
}

/* Newton's step for KL = radius, on log KL where KL is small; s->at is evaluated at x = log e */
static double newton(const GapPoint *at, double radius, double x) {
  const double slope = -at->u * at->e * (1.0 + at->excess) * at->spread;
  const double error = at->kl < 1.0 ? log(at->kl / radius) * at->kl : at->kl - radius;
  return x - error / slope;
}

/* KL(x) = radius within (lo, HIGHEST); s->at is evaluated at the end */
static double solve_interior(const Gap *gap, double radius, double x, double lo, GapSolution *s) {
  double hi = HIGHEST;
  GapPoint *at = &s->at;
  int mended = 0;
  x = x > lo && x < hi ? x : 0.5 * (lo + hi);
  for (int k = 0; k < MOST; k++) {
    gap_evaluate(gap, exp(x), at);
    if (at->kl > radius) {
      lo = x;
    } else {
      hi = x;
    }
    /* the step is judged before the bracket: at the end rounding may put it outside */
    double next = newton(at, radius, x);
    if (fabs(next - x) <= SMALL_STEP) {
      const double rounding = 5e-16 * (6.0 + fabs(x)); /* of x makes that of log KL */
      if (fabs(at->kl - radius) <= rounding * radius || mended++ == 3) break;
    } else if (!(next > lo && next < hi)) {
      next = 0.5 * (lo + hi);
    }
    if (next == x) {
      break;
    }
    x = next;
  }
  return x;
}

void ball_solve(const Gap *gap, double radius, double log_e, GapSolution *s) {
  double lowest = LOWEST;
  if (gap_is_flat(gap)) {
    gap_finish_same(s, 0.0);
    return;
  }
  if (radius == 0.0) {
    gap_finish_same(s, gap->m1 > 0.0 ? INFINITY : gap->above);
    return;
  }
  if (radius == INFINITY) {
    gap_finish_limit(gap, s);
    return;
  }
  if (gap->above > 0.0) {
    s->at = (GapPoint){.kl = 0.0};
    if (gap->m1 > 0.0) {
      gap_evaluate(gap, gap->above, &s->at);
    }
    if (s->at.kl < radius) {
      gap_finish_boundary(gap, s, s->at.kl - radius);
      s->kl = radius;
      s->slope = -s->lambda;
      return;
    }
    lowest = log(gap->above);
  }
  const double u = sqrt(2.0 * radius / gap->var); /* 1/(e + m1) for small radii */
  if (u < 1e-17) {
    solve_small(gap, radius, u, s);
    return;
  }
  if (u > 0.3 && solve_deep(gap, radius, s)) {
    return;
  }
  const double start = isnan(log_e) ? guess(gap, u) : log_e;
  finish_interior(s, solve_interior(gap, radius, start, lowest, s));
}
