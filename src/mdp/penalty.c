#include "mdp/penalty.h"

#include <math.h>

enum { MOST = 200 };

/* from below, hence no bracket: a tangent of a concave increasing function meets 0 before the function does */
static double solve_root(const Gap *gap, double lambda) {
  const double *p = gap->p, *D = gap->D;
  double lowest = lambda - gap->m1;
  for (ptrdiff_t i = 0; i < gap->n; i++) lowest = fmax(lowest, lambda * p[i] - D[i]);
  /* for large lambda W = 1 + var/lambda^2 + ..., and e + m1 = lambda W */
  double e = lambda > 2.0 ? lambda - gap->m1 + gap->var / lambda : lowest;
  for (int k = 0; k < MOST; k++) {
    double s1 = 0.0, s2 = 0.0;
    for (ptrdiff_t i = 0; i < gap->n; i++) {
      const double share = p[i] / (e + D[i]);
      s1 += share;
      s2 += share / (e + D[i]);
    }
    /* s1/s2 (1 - lambda s1) = (1/s1 - lambda) s1^2/s2, without a square that may overflow */
    const double step = s1 / s2 * (1.0 - lambda * s1), next = e - step;
    if (fabs(step) <= 1e-8 * e) {
      e = fmax(next, lowest);
      break;
    }
    if (!(next > lowest)) {
      if (e == lowest) {
        break;
      }
      e = lowest;
      continue;
    }
    e = next;
  }
  return e;
}

static void finish_interior(GapSolution *s, double log_lambda, double lambda) {
  const GapPoint *at = &s->at;
  const double W = 1.0 + at->excess;
  s->kind = GAP_INTERIOR;
  s->log_e = log(at->e);
  s->log_lambda = log_lambda;
  s->lambda = lambda;
  s->gain = at->excess / (at->u * W);
  s->kl = at->kl;
  /* d KL/d log e = -u e W spread, over d log lambda/d log e = u e W (1 + spread) */
  s->slope = -at->spread / (1.0 + at->spread);
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

/* e = lambda p(best) beside which nothing else counts; 0 when it does */
static int solve_deep(const Gap *gap, double log_lambda, GapSolution *s) {
  double rest;
  s->log_e = 0.0;
  gap_finish_deep(gap, s);
  const double log_e = log_lambda
                       - s->log_lambda; /* finish_deep: log lambda = log e - log p(best) */
  if (!gap_is_deep(gap, log_e)) {
    return 0;
  }
  s->log_e = log_e;
  gap_finish_deep(gap, s);
  gap_deep_sum(gap, &rest);
  s->slope = -rest;
  return 1;
}

void penalty_solve(const Gap *gap, double log_lambda, GapSolution *s) {
  *s = (GapSolution){.kind = GAP_SAME};
  if (gap_is_flat(gap)) {
    gap_finish_same(s, exp(log_lambda));
    return;
  }
  if (log_lambda == INFINITY) {
    gap_finish_same(s, INFINITY);
    return;
  }
  if (log_lambda == -INFINITY) {
    gap_finish_limit(gap, s);
    return;
  }
  if (gap->above > 0.0 && solve_boundary(gap, log_lambda, s)) {
    return;
  }
  if (gap->m1 == 0.0) {
    gap_finish_same(s, exp(log_lambda)); /* constant on S, what is better costs too much */
    return;
  }
  if (log_lambda < -36.0 && solve_deep(gap, log_lambda, s)) {
    return;
  }
  const double lambda = exp(log_lambda);
  gap_evaluate(gap, solve_root(gap, lambda), &s->at);
  finish_interior(s, log_lambda, lambda);
}

double penalty_bound(const GapSolution *s) {
  if (s->kind != GAP_INTERIOR) {
    return s->gain - (s->lambda > 0.0 && s->kl > 0.0 ? s->lambda * s->kl : 0.0);
  }
  /* 1/u - lambda + lambda (log(lambda u) - logs), with lambda u W = 1 + error */
  const double W = 1.0 + s->at.excess, error = s->lambda * s->at.u * W - 1.0;
  const double lost = log1p(error) - W * error / (1.0 + error);
  return s->lambda * (s->at.excess - s->at.kl + lost);
}
