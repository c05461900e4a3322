#include "mdp/garnet.h"

#include <math.h>

#include "base/pool.h"
#include "base/rng.h"

/* one of the generators that share a seed; part of the frozen layout */
enum { STEP = 1 };

/* --- successors ---------------------------------------------------------------------------------------------------- */

/* where x stands, or would stand, among the ascending x [n] */
static ptrdiff_t place(const int32_t *sorted, ptrdiff_t n, int32_t x) {
  ptrdiff_t low = 0, high = n;
  while (low < high) {
    const ptrdiff_t middle = low + (high - low) / 2;
    if (sorted[middle] < x) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

static void insert(int32_t *sorted, ptrdiff_t n, ptrdiff_t at, int32_t x) {
  for (ptrdiff_t i = n; i > at; i--) {
    sorted[i] = sorted[i - 1];
  }
  sorted[at] = x;
}

/*
 * next [b] = a random subset of 0..S-1 in ascending order. Floyd's algorithm: Bentley and Floyd 1987, "A sample of
 * brilliance", Communications of the ACM 30(9).
 */
static void draw_subset(Rng *rng, int32_t *next, ptrdiff_t b, ptrdiff_t S) {
  for (ptrdiff_t n = 0; n < b; n++) {
    const int32_t last = (int32_t)(S - b + n);
    int32_t x = (int32_t)rng_below(rng, (uint32_t)last + 1);
    ptrdiff_t at = place(next, n, x);
    if (at < n && next[at] == x) {
      x = last; /* larger than all so far */
      at = n;
    }
    insert(next, n, at, x);
  }
}

/* --- probabilities ------------------------------------------------------------------------------------------------- */

/*
 * log x for 0 < x <= 1 by log x = e log 2 + 2 atanh((m - 1) / (m + 1)), x = m 2^e with sqrt(1/2) <= m < sqrt(2): products,
 * sums and one quotient, which have the same bits on every machine, unlike the logarithm of the C library.
 */
static double portable_log(double x) {
  int e;
  double m = frexp(x, &e);
  if (m < 0.70710678118654752) {
    m *= 2.0;
    e--;
  }
  const double z = (m - 1.0) / (m + 1.0), z2 = z * z; /* |z| < 0.172, z2 < 0.0295 */
  double series = 0.0;
  for (int k = 21; k >= 3; k -= 2) {
    series = (series + 1.0 / k) * z2;
  }
  return e * 0.69314718055994531 + 2.0 * (z + z * series);
}

/* a unit exponential, > 0 */
static double draw_exponential(Rng *rng) {
  const double u = rng_uniform(rng);
  return u > 0.0 ? -portable_log(1.0 - u) : 0x1p-54;
}

static void draw_simplex(Rng *rng, double *prob, ptrdiff_t b) {
  double sum = 0.0;
  for (ptrdiff_t j = 0; j < b; j++) {
    sum += prob[j] = draw_exponential(rng);
  }
  for (ptrdiff_t j = 0; j < b; j++) {
    prob[j] /= sum;
  }
}

/* --- the process --------------------------------------------------------------------------------------------------- */

typedef struct Making {
  const Garnet *garnet;
  const Mdp *mdp;
} Making;

static void make_state(const Garnet *g, const Mdp *mdp, ptrdiff_t s) {
  const ptrdiff_t A = g->actions, b = g->branching;
  Rng rng = rng_at(rng_key(g->seed, 0), RNG_INIT, (uint32_t)s, STEP);
  mdp->rho0[s] = 1.0 / (double)g->states;
  mdp->first[s + 1] = (s + 1) * A;
  for (ptrdiff_t a = 0, k = s * A; a < A; a++, k++) {
    mdp->action[k] = (int32_t)a;
    mdp->start[k + 1] = (k + 1) * b;
    draw_subset(&rng, mdp->next + k * b, b, g->states);
    draw_simplex(&rng, mdp->prob + k * b, b);
    mdp->reward[k] = g->rewards == GARNET_NORMAL ? rng_normal(&rng) : rng_uniform(&rng);
  }
}

static void make_chunk(void *context, int chunk, int worker) {
  const Making *m = context;
  const ptrdiff_t S = m->garnet->states, end = mdp_chunk_begin(S, chunk + 1);
  (void)worker;
  for (ptrdiff_t s = mdp_chunk_begin(S, chunk); s < end; s++) {
    make_state(m->garnet, m->mdp, s);
  }
}

Status garnet_make(Mdp *mdp, const Garnet *garnet) {
  ptrdiff_t rows, count;
  if (__builtin_mul_overflow(garnet->states, garnet->actions, &rows)
      || __builtin_mul_overflow(rows, garnet->branching, &count)) {
    return E_NOMEM;
  }
  Mdp made;
  const Status status = mdp_init(&made, garnet->states, garnet->actions, rows, count, 0);
  if (status != OK) {
    return status;
  }
  pool_run(make_chunk, &(Making){garnet, &made}, mdp_chunks(garnet->states));
  made.gamma = garnet->gamma;
  mdp_settle(&made);
  *mdp = made;
  return OK;
}
