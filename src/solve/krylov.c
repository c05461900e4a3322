#include "solve/krylov.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "base/sum.h"

enum { LANES = 8 };

/* --- passes -------------------------------------------------------------------------------------------------------- */

typedef struct Pass {
  KrylovKernel kernel;
  void *context;
  ptrdiff_t n, chunks;
  double *part; /* [KRYLOV_SUMS + 1, chunks]: a row for each sum, one for the maxima */
} Pass;

static void run_chunk(void *context, int chunk, int worker) {
  const Pass *pass = context;
  const ptrdiff_t begin = (ptrdiff_t)chunk * KRYLOV_CHUNK;
  const ptrdiff_t end = pass->n - begin < KRYLOV_CHUNK ? pass->n : begin + KRYLOV_CHUNK;
  KrylovSums sums = {{0.0}, 0.0};
  (void)worker;
  pass->kernel(pass->context, begin, end, &sums);
  for (int k = 0; k < KRYLOV_SUMS; k++) {
    pass->part[k * pass->chunks + chunk] = sums.sum[k];
  }
  pass->part[KRYLOV_SUMS * pass->chunks + chunk] = sums.largest;
}

KrylovSums krylov_run(KrylovKernel kernel, void *context, ptrdiff_t n, double *work) {
  Pass pass = {kernel, context, n, krylov_chunks(n), work};
  KrylovSums all;
  pool_run(run_chunk, &pass, (int)pass.chunks);
  for (int k = 0; k < KRYLOV_SUMS; k++) {
    all.sum[k] = sum_pairwise(work + k * pass.chunks, (size_t)pass.chunks);
  }
  all.largest = krylov_largest(work + KRYLOV_SUMS * pass.chunks, pass.chunks);
  return all;
}

double krylov_largest(const double *x, ptrdiff_t n) {
  double largest[LANES] = {0.0};
  const ptrdiff_t whole = n / LANES * LANES;
  for (ptrdiff_t i = 0; i < whole; i += LANES) {
    for (int j = 0; j < LANES; j++) {
      const double a = fabs(x[i + j]);
      largest[j] = a > largest[j] ? a : largest[j];
    }
  }
  for (ptrdiff_t i = whole; i < n; i++) {
    const double a = fabs(x[i]);
    largest[0] = a > largest[0] ? a : largest[0];
  }
  for (int j = 1; j < LANES; j++) {
    largest[0] = largest[j] > largest[0] ? largest[j] : largest[0];
  }
  return largest[0];
}

double krylov_sizes(const double *x, ptrdiff_t n) {
  double sum[LANES] = {0.0};
  const ptrdiff_t whole = n / LANES * LANES;
  for (ptrdiff_t i = 0; i < whole; i += LANES) {
    for (int j = 0; j < LANES; j++) {
      sum[j] += fabs(x[i + j]);
    }
  }
  for (ptrdiff_t i = whole; i < n; i++) {
    sum[i - whole] += fabs(x[i]);
  }
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/* --- simple passes ------------------------------------------------------------------------------------------------- */

/* y = or += a x; sums of x and y */
typedef struct Pair {
  double *y;
  const double *x, *z;
  double a;
} Pair;

static void dot_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Pair *pair = context;
  sums->sum[0] = sum_dot(pair->x + begin, pair->z + begin, (size_t)(end - begin));
}

double krylov_dot(const double *x, const double *y, ptrdiff_t n, double *work) {
  Pair pair = {.x = x, .z = y};
  return krylov_run(dot_chunk, &pair, n, work).sum[0];
}

static void norm_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Pair *pair = context;
  sums->sum[0] = krylov_sizes(pair->x + begin, end - begin);
  sums->largest = krylov_largest(pair->x + begin, end - begin);
}

double krylov_norm(const double *x, ptrdiff_t n, KrylovNorm norm, double *work) {
  Pair pair = {.x = x};
  const KrylovSums sums = krylov_run(norm_chunk, &pair, n, work);
  /* the sum tells whether a NaN is among the entries */
  return norm == KRYLOV_ONE || !(sums.sum[0] <= DBL_MAX) ? sums.sum[0] : sums.largest;
}

static void add_task(void *context, int chunk, int worker) {
  const Pass *pass = context;
  Pair *pair = pass->context;
  const ptrdiff_t begin = (ptrdiff_t)chunk * KRYLOV_CHUNK;
  const ptrdiff_t end = pass->n - begin < KRYLOV_CHUNK ? pass->n : begin + KRYLOV_CHUNK;
  double *restrict y = pair->y;
  const double *restrict x = pair->x;
  (void)worker;
  for (ptrdiff_t i = begin; i < end; i++) {
    y[i] += pair->a * x[i];
  }
}

void krylov_add(double *y, double a, const double *x, ptrdiff_t n) {
  Pair pair = {.y = y, .x = x, .a = a};
  Pass pass = {.context = &pair, .n = n};
  pool_run(add_task, &pass, (int)krylov_chunks(n));
}

static void copy_task(void *context, int chunk, int worker) {
  const Pass *pass = context;
  Pair *pair = pass->context;
  const ptrdiff_t begin = (ptrdiff_t)chunk * KRYLOV_CHUNK;
  const ptrdiff_t end = pass->n - begin < KRYLOV_CHUNK ? pass->n : begin + KRYLOV_CHUNK;
  (void)worker;
  memcpy(pair->y + begin, pair->x + begin, (size_t)(end - begin) * sizeof *pair->y);
}

void krylov_copy(double *to, const double *from, ptrdiff_t n) {
  Pair pair = {.y = to, .x = from};
  Pass pass = {.context = &pair, .n = n};
  pool_run(copy_task, &pass, (int)krylov_chunks(n));
}

/* --- the residual -------------------------------------------------------------------------------------------------- */

/* r = b - r, with sums of |r|, |x| and |b|, or their maxima */
typedef struct Residual {
  double *r;
  const double *x, *b;
  KrylovNorm norm;
} Residual;

static void residual_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Residual *c = context;
  const ptrdiff_t n = end - begin;
  double *restrict r = c->r + begin;
  const double *restrict b = c->b + begin;
  for (ptrdiff_t i = 0; i < n; i++) {
    r[i] = b[i] - r[i];
  }
  sums->sum[0] = krylov_sizes(r, n);
  if (c->norm == KRYLOV_ONE) {
    sums->sum[1] = 2.0 * krylov_sizes(c->x + begin, n) + krylov_sizes(b, n);
  } else {
    sums->largest = krylov_largest(r, n);
  }
}

/* max |x|; sum[0] has the sizes of b, so that its maximum comes from a pass of its own */
static double size_of(const double *x, const double *b, ptrdiff_t n, double *work) {
  return 2.0 * krylov_norm(x, n, KRYLOV_SUP, work) + krylov_norm(b, n, KRYLOV_SUP, work);
}

Status krylov_residual(const KrylovSystem *system, double *r, const double *x, const double *b,
                       KrylovInfo *info, double *work) {
  Residual context = {r, x, b, system->norm};
  const Status status = system->apply(system->context, r, x);
  if (status < 0) {
    return status;
  }
  const KrylovSums sums = krylov_run(residual_chunk, &context, system->n, work);
  const double size = system->norm == KRYLOV_ONE ? sums.sum[1] : size_of(x, b, system->n, work);
  info->products++;
  info->residual = system->norm == KRYLOV_ONE ? sums.sum[0] : sums.largest;
  info->floor = 2.0 * DBL_EPSILON * size;
  if (!(sums.sum[0] <= DBL_MAX)) {
    info->residual = NAN;
    return E_NOT_FINITE;
  }
  return OK;
}

double krylov_scale(double x) {
  int exponent;
  frexp(x, &exponent);
  exponent = exponent > 1000 ? 1000 : exponent < -1000 ? -1000 : exponent;
  return ldexp(1.0, exponent);
}
