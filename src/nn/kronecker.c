#include "nn/kronecker.h"

#include <limits.h>
#include <math.h>

#include "base/blas.h"
#include "nn/kernel.h"

static int larger(const Kronecker *k) {
  return k->p >= k->m ? k->p : k->m;
}

static int smaller(const Kronecker *k) {
  return k->p >= k->m ? k->m : k->p;
}

Status kronecker_init(Kronecker *k, int p, int m, Arena *arena) {
  *k = (Kronecker){.p = p, .m = m};
  const size_t B = (size_t)larger(k), C = (size_t)smaller(k);
  k->A = ARENA_PUSH(arena, double, (size_t)p *p);
  k->S = ARENA_PUSH(arena, double, (size_t)m *m);
  k->d = ARENA_PUSH(arena, double, C);
  k->diagonal = ARENA_PUSH(arena, double, B);
  k->next = ARENA_PUSH(arena, double, B);
  k->turned = ARENA_PUSH(arena, double, B *B);
  k->to = ARENA_PUSH(arena, double, C *KERNEL_PADDED(C));
  k->fro = ARENA_PUSH(arena, double, C *KERNEL_PADDED(C));
  k->pivot = ARENA_PUSH(arena, double, B *C);
  k->below = ARENA_PUSH(arena, double, B *C);
  const int all = k->A && k->S && k->d && k->diagonal && k->next && k->pivot && k->below
                  && k->turned && k->to && k->fro;
  return all ? OK : E_NOMEM;
}

/* ---- reduction of the factors --------------------------------------------------------------------------- */

/* what dsyevd asks for its doubles and its integers (8 bytes reserved for each), which is more than dsytrd and dorgtr use */
enum { BLOCK = 32 };

static size_t reduce_doubles(size_t n) {
  return 1 + (6 + BLOCK) * n + 2 * n * n;
}

static size_t reduce_integers(size_t n) {
  return 3 + 5 * n;
}

long kronecker_reduce_work(const Kronecker *k) {
  const size_t n = (size_t)larger(k);
  return reduce_doubles(n) > INT_MAX ? 0 : (long)(reduce_doubles(n) + reduce_integers(n));
}

/* whether the triangle that LAPACK reads is finite; a NaN could keep it iterating */
static int triangle_is_finite(const double *a, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++)
    for (int j = i; j < n; j++) sum += 0 * a[(size_t)i * n + j];
  return sum == 0;
}

/* a row-major upper triangle is a column-major lower one, and LAPACK's columns of vectors are rows here */
static Status diagonalise(double *a, double *d, int n, double *work) {
  lapack_int *integers = (lapack_int *)(work + reduce_doubles((size_t)n));
  const lapack_int info = LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'L', n, a, n, d, work,
                                              (lapack_int)reduce_doubles((size_t)n), integers,
                                              (lapack_int)reduce_integers((size_t)n));
  return info ? E_NOT_CONVERGED : OK;
}

static Status tridiagonalise(double *a, double *diagonal, double *next, int n, double *work) {
  double *reflectors = work, *rest = work + n;
  const lapack_int length = BLOCK * n;
  if (LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'L', n, a, n, diagonal, next, reflectors, rest, length)
      || LAPACKE_dorgtr_work(LAPACK_COL_MAJOR, 'L', n, a, n, reflectors, rest, length))
    return E_NOT_CONVERGED;
  return OK;
}

Status kronecker_reduce(Kronecker *k, KroneckerSide side, double *work) {
  const int of_a = (k->p >= k->m) == (side == KRONECKER_LARGER);
  double *factor = of_a ? k->A : k->S;
  const int n = of_a ? k->p : k->m;
  if (!triangle_is_finite(factor, n)) return E_NOT_FINITE;
  return side == KRONECKER_SMALLER ? diagonalise(factor, k->d, n, work)
                                   : tridiagonalise(factor, k->diagonal, k->next, n, work);
}

/* ---- damping -------------------------------------------------------------------------------------------- */

/* a bound on the largest eigenvalue of T (Gershgorin) */
static double largest(const double *diagonal, const double *next, int n) {
  double bound = 0;
  for (int i = 0; i < n; i++) {
    const double radius = (i > 0 ? fabs(next[i - 1]) : 0) + (i + 1 < n ? fabs(next[i]) : 0);
    bound = fmax(bound, diagonal[i] + radius);
  }
  return bound;
}

/* row i of L and of 1 / D, for the eigenvalues d [m] all at once; above is the row before of L, coupled the entry of T between
 * the two rows (0 for the first) */
static void factor_row(double *restrict pivot, double *restrict below, const double *restrict d,
                       const double *restrict above, int m, double diagonal, double coupled,
                       double next, double damping) {
  for (int j = 0; j < m; j++) {
    const double p = d[j] * diagonal + damping - above[j] * d[j] * coupled; /* >= damping: T >= 0 */
    pivot[j] = 1 / p;
    below[j] = d[j] * next / p;
  }
}

/* to [columns][rows] = from' */
static void transpose(double *to, const double *from, long rows, long columns) {
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j];
}

static void lay_out(Kronecker *k) {
  const int n = larger(k), m = smaller(k);
  const double *Q = k->p >= k->m ? k->A : k->S, *V = k->p >= k->m ? k->S : k->A; /* rows: vectors */
  transpose(k->turned, Q, n, n);
  kernel(DOUBLE)->pack_transposed(k->to, V, m, m);
  kernel(DOUBLE)->pack(k->fro, V, m, m);
}

void kronecker_damp(Kronecker *k, double damping) {
  const int n = larger(k), m = smaller(k);
  lay_out(k);
  for (int j = 0; j < m; j++) k->d[j] = fmax(k->d[j], 0);
  const double scale = largest(k->diagonal, k->next, n) * k->d[m - 1]; /* d ascends */
  damping = fmax(damping, 1e-10 * scale);
  if (damping == 0) damping = 1; /* a factor is zero: any multiple of I will do */
  for (long i = 0; i < n; i++) {
    const double coupled = i > 0 ? k->next[i - 1] : 0, next = i + 1 < n ? k->next[i] : 0;
    const double *above = i > 0 ? k->below + (i - 1) * m : k->d;
    factor_row(k->pivot + i * m, k->below + i * m, k->d, above, m, k->diagonal[i], coupled, next,
               damping);
  }
}

/* ---- solution ------------------------------------------------------------------------------------------- */

long kronecker_solve_work(const Kronecker *k) {
  const long n = larger(k), m = smaller(k);
  return 2 * n * m + n * KERNEL_PADDED(m);
}

/* y -= factor x, entry by entry */
static void subtract_product(double *restrict y, const double *restrict factor,
                             const double *restrict x, int m) {
  for (int j = 0; j < m; j++) y[j] -= factor[j] * x[j];
}

/* y [n][m] = solutions of L D L' y = y, a system in each column */
static void solve_tridiagonal(const Kronecker *k, double *y) {
  const long n = larger(k);
  const int m = smaller(k);
  for (long i = 1; i < n; i++)
    subtract_product(y + i * m, k->below + (i - 1) * m, y + (i - 1) * m, m);
  for (long i = 0; i < n * m; i++) y[i] *= k->pivot[i];
  for (long i = n - 2; i >= 0; i--)
    subtract_product(y + i * m, k->below + i * m, y + (i + 1) * m, m);
}

/* y [n][columns] = x [n][depth] W, W packed */
static void multiply(double *y, const double *x, const double *w, int n, int depth, int columns) {
  kernel(DOUBLE)->affine(&(KernelAffine){
      .n = n, .columns = columns, .y = y, .dy = columns, .operand = {{x, depth, depth, w}}});
}

void kronecker_solve(const Kronecker *k, double *z, const double *x, double *work) {
  const int turned = k->p < k->m, n = larger(k), m = smaller(k);
  const double *Q = turned ? k->S : k->A; /* Q' row by row */
  double *y = work, *t = y + (long)n * m, *packed = t + (long)n * m;
  const unsigned state = kernel_enter();
  /* y [n][m] = Q'XV, of X' where S is the larger */
  if (turned) transpose(y, x, m, n);
  multiply(t, turned ? y : x, k->to, n, m, m);
  kernel(DOUBLE)->pack(packed, t, n, m);
  multiply(y, Q, packed, n, n, m);
  solve_tridiagonal(k, y);
  /* and back */
  kernel(DOUBLE)->pack(packed, y, n, m);
  multiply(t, k->turned, packed, n, n, m);
  multiply(turned ? y : z, t, k->fro, n, m, m);
  if (turned) transpose(z, y, n, m);
  kernel_leave(state);
}
