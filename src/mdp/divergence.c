#include "mdp/divergence.h"

#include <math.h>

#include "base/pool.h"
#include "base/sum.h"
#include "mdp/mdp.h"

/* --- two distributions ------------------------------------------------------------------------------------------- */

/* |x| below which the series converges in TERMS terms, and above which the difference keeps its digits */
#define SERIES 0.3
enum { TERMS = 12 };

double divergence_log1pmx(double x) {
  if (!(fabs(x) < SERIES)) {
    return log1p(x) - x;
  }
  /* log(1 + x) = 2 (y + y^3/3 + y^5/5 + ...), y = x / (2 + x), and 2 y - x = -x y */
  const double y = x / (2.0 + x), y2 = y * y;
  double s = 0.0;
  for (int k = TERMS; k > 0; k--) {
    s = s * y2 + 1.0 / (2 * k + 1);
  }
  return 2.0 * y * y2 * s - x * y;
}

double divergence_tv(const double *p, const double *q, ptrdiff_t n) {
  double sum = 0.0;
  for (ptrdiff_t a = 0; a < n; a++) {
    sum += fabs(p[a] - q[a]);
  }
  return fmin(0.5 * sum, 1.0);
}

/* log(p / q) where the quotient may overflow */
static double log_ratio(double p, double q) {
  const double ratio = p / q;
  return isinf(ratio) ? log(p) - log(q) : log(ratio);
}

double divergence_kl(const double *p, const double *q, ptrdiff_t n) {
  double sum = 0.0;
  for (ptrdiff_t a = 0; a < n; a++) {
    const double d = q[a] - p[a];
    if (p[a] <= 0.0) {
      sum += q[a];
    } else if (q[a] <= 0.0) {
      return INFINITY;
    } else if (fabs(d) < SERIES * p[a]) {
      sum -= p[a] * divergence_log1pmx(d / p[a]); /* p phi(q / p) = p (d/p - log(1 + d/p)) */
    } else {
      sum += p[a] * log_ratio(p[a], q[a]) + d;
    }
  }
  return fmax(sum, 0.0);
}

/* --- policies ---------------------------------------------------------------------------------------------------- */

typedef struct Rows {
  double *tv, *kl;
  const double *p, *q;
  ptrdiff_t S, A;
} Rows;

static void rows_task(void *context, int chunk, int worker) {
  const Rows *r = context;
  (void)worker;
  for (ptrdiff_t s = mdp_chunk_begin(r->S, chunk); s < mdp_chunk_begin(r->S, chunk + 1); s++) {
    if (r->tv != NULL) {
      r->tv[s] = divergence_tv(r->p + s * r->A, r->q + s * r->A, r->A);
    }
    if (r->kl != NULL) {
      r->kl[s] = divergence_kl(r->p + s * r->A, r->q + s * r->A, r->A);
    }
  }
}

void divergence_rows(double *tv_, double *kl_, const double *p, const double *q, ptrdiff_t S,
                     ptrdiff_t A) {
  Rows rows = {tv_, kl_, p, q, S, A};
  pool_run(rows_task, &rows, mdp_chunks(S));
}

double divergence_weighted(const double *value, const double *weight, ptrdiff_t S, double *work) {
  for (ptrdiff_t s = 0; s < S; s++) {
    work[s] = weight[s] == 0.0 ? 0.0 : weight[s] * value[s];
  }
  return sum_pairwise(work, (size_t)S);
}

double divergence_max(const double *value, ptrdiff_t S, ptrdiff_t *at_) {
  ptrdiff_t at = 0;
  for (ptrdiff_t s = 1; s < S; s++) {
    at = value[s] > value[at] ? s : at;
  }
  if (at_ != NULL) {
    *at_ = at;
  }
  return value[at];
}
