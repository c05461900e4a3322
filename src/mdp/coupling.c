#include "mdp/coupling.h"

#include <math.h>

#include "mdp/divergence.h"

/* what p has over q at a */
static double excess(const double *p, const double *q, ptrdiff_t a) {
  return p[a] > q[a] ? p[a] - q[a] : 0.0;
}

static double excess_sum(const double *p, const double *q, ptrdiff_t n) {
  double sum = 0.0;
  for (ptrdiff_t a = 0; a < n; a++) {
    sum += excess(p, q, a);
  }
  return sum;
}

void coupling_joint(double *joint, const double *p, const double *q, ptrdiff_t n) {
  /* both are TV but for rounding */
  const double tv = 0.5 * (excess_sum(p, q, n) + excess_sum(q, p, n));
  for (ptrdiff_t a = 0; a < n; a++) {
    for (ptrdiff_t b = 0; b < n; b++) {
      /* (p - q)+ (q - p)+' / TV; the excess of one action is on one side only */
      joint[a * n + b] = tv > 0.0 ? excess(p, q, a) / tv * excess(q, p, b) : 0.0;
    }
    joint[a * n + a] = fmin(p[a], q[a]);
  }
}

/* the action where the running sum of what p has over q passes u; the last one with an excess when rounding keeps u above */
static ptrdiff_t draw_excess(const double *p, const double *q, ptrdiff_t n, double u) {
  ptrdiff_t last = 0;
  for (ptrdiff_t a = 0; a < n; a++) {
    const double e = excess(p, q, a);
    if (e > 0.0) {
      last = a;
      if (u < e) {
        break;
      }
      u -= e;
    }
  }
  return last;
}

void coupling_sample(ptrdiff_t *x, ptrdiff_t *y, const double *p, const double *q, ptrdiff_t n,
                     Rng *rng) {
  double u = rng_uniform(rng);
  ptrdiff_t last = 0;
  /* the part that both have in common */
  for (ptrdiff_t a = 0; a < n; a++) {
    const double common = fmin(p[a], q[a]);
    if (u < common) {
      *x = *y = a;
      return;
    }
    u -= common;
    last = common > 0.0 ? a : last;
  }
  /* what is left of each, independently */
  const double left = excess_sum(p, q, n), right = excess_sum(q, p, n);
  if (left <= 0.0 || right <= 0.0) {
    *x = *y = last;
    return;
  }
  *x = draw_excess(p, q, n, left * rng_uniform(rng));
  *y = draw_excess(q, p, n, right * rng_uniform(rng));
}

int coupling_is_alpha(double *tv_max, const double *pi, const double *pi_new, ptrdiff_t S,
                      ptrdiff_t A, double alpha, double *tv) {
  divergence_rows(tv, NULL, pi, pi_new, S, A);
  *tv_max = divergence_max(tv, S, NULL);
  return *tv_max <= alpha;
}
