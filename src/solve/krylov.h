#ifndef TRPO_KRYLOV_H
#define TRPO_KRYLOV_H

#include <stddef.h>

#include "base/status.h"

/**
 * What the solvers for A x = b with a general A have in common: the system, the vector operations, the true residual.
 *
 * Vectors are worked on by the pool over a grid of chunks that depends on n only, and sums of chunks are combined in a
 * pairwise tree, so no bit depends on the number of threads.
 */

/** out = A v. out does not alias v. */
typedef Status (*KrylovApply)(void *context, double *out, const double *v);

/** z = M^-1 v and az = A z for the right preconditioner M, together because that is often cheaper. Nothing aliases. */
typedef Status (*KrylovPrecondition)(void *context, double *z, double *az, const double *v);

/** How a residual is measured. */
typedef enum KrylovNorm { KRYLOV_SUP, KRYLOV_ONE } KrylovNorm;

typedef struct KrylovSystem {
  ptrdiff_t n;
  KrylovApply apply;
  KrylovPrecondition precondition; /* NULL: none */
  void *context;
  KrylovNorm norm;
} KrylovSystem;

typedef struct KrylovOptions {
  long products;    /* most products with A */
  double tolerance; /* stop when ||b - A x|| <= tolerance; 0: as far as double precision goes */
} KrylovOptions;

typedef struct KrylovInfo {
  long products;   /* made */
  double residual; /* ||b - A x||, computed from x */
  double floor;    /* what rounding alone may leave of it, about */
} KrylovInfo;

/* --- vectors ---------------------------------------------------------------------------------------------------- */

/** Sums that a pass over vectors may form. */
enum { KRYLOV_CHUNK = 2048, KRYLOV_SUMS = 3 };

/** What a pass finds: up to three sums, and the largest |.| of something, which a NaN does not change. */
typedef struct KrylovSums {
  double sum[KRYLOV_SUMS];
  double largest;
} KrylovSums;

/** One chunk of a pass, entries begin <= i < end; *sums is zeroed before. */
typedef void (*KrylovKernel)(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums);

/** Chunks of vectors of n entries. */
static inline ptrdiff_t krylov_chunks(ptrdiff_t n) {
  return (n + KRYLOV_CHUNK - 1) / KRYLOV_CHUNK;
}

/** Doubles of work that krylov_run wants. */
static inline ptrdiff_t krylov_work(ptrdiff_t n) {
  return (KRYLOV_SUMS + 1) * krylov_chunks(n);
}

/** Runs a pass over n entries. */
KrylovSums krylov_run(KrylovKernel kernel, void *context, ptrdiff_t n, double *work);

/** x'y */
double krylov_dot(const double *x, const double *y, ptrdiff_t n, double *work);

/** y += a x */
void krylov_add(double *y, double a, const double *x, ptrdiff_t n);

/** to = from */
void krylov_copy(double *to, const double *from, ptrdiff_t n);

/** ||x|| as the norm says; NaN or infinite when an entry is, or when a sum overflows. */
double krylov_norm(const double *x, ptrdiff_t n, KrylovNorm norm, double *work);

/** max |x_i| and sum |x_i| over a few entries that lie in cache. */
double krylov_largest(const double *x, ptrdiff_t n);
double krylov_sizes(const double *x, ptrdiff_t n);

/**
 * r = b - A x, counted and measured in *info (products, residual, floor). OK, or a negative status of apply;
 * E_NOT_FINITE.
 *
 * r    [out]   [n]
 * x, b [in]    [n]
 * work [work]  krylov_work(n)
 */
Status krylov_residual(const KrylovSystem *system, double *r, const double *x, const double *b,
                       KrylovInfo *info, double *work);

/** The power of two near x > 0 that makes x / it about 1, within the range where both can be multiplied by. */
double krylov_scale(double x);

#endif
