/* BiCGStab and GMRES on systems whose solution is known: random, shifted, skew, singular, badly scaled, and both norms. */
#include "solve/krylov.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/rng.h"
#include "check.h"
#include "solve/bicgstab.h"
#include "solve/gmres.h"

enum { MOST = 6000 };

typedef enum Kind { DOMINANT, CONVECTION, SKEW, SINGULAR } Kind;

/* a matrix by its action, and whether products count as failed */
typedef struct Matrix {
  Kind kind;
  ptrdiff_t n;
  double scale;   /* of the solution */
  int fail_after; /* products until apply fails; 0: never */
  int products;
} Matrix;

static Status apply(void *context, double *out, const double *v) {
  Matrix *m = context;
  const ptrdiff_t n = m->n;
  if (m->fail_after > 0 && ++m->products > m->fail_after) return E_CURVATURE;
  for (ptrdiff_t i = 0; i < n; i++) {
    const double before = v[i > 0 ? i - 1 : n - 1], after = v[i + 1 < n ? i + 1 : 0];
    const double diagonal = m->kind == DOMINANT ? 2.5 + 0.5 * sin((double)i) : 1.0;
    const double row = m->kind == DOMINANT     ? diagonal * v[i] - before - 0.5 * after
                       : m->kind == CONVECTION ? v[i] - 0.9 * after + 0.05 * before
                       : m->kind == SKEW       ? (i % 2 == 0 ? after : -before)
                                               : (i == 0 ? 0.0 : v[i]);
    out[i] = row;
  }
  return OK;
}

/* M = the diagonal, a weak one */
static Status precondition(void *context, double *z, double *az, const double *v) {
  const Matrix *m = context;
  for (ptrdiff_t i = 0; i < m->n; i++) z[i] = v[i] / (2.5 + 0.5 * sin((double)i));
  return apply(context, az, z);
}

typedef Status (*Solve)(const KrylovSystem *, const KrylovOptions *, double *, KrylovInfo *,
                        const double *, double *);

static double *work;

/* largest error of the solution divided by scale, -1 - status when not solved as wished */
static double attempt(Solve solve, Matrix m, KrylovNorm norm, int preconditioned, double tolerance,
                      Status wanted, KrylovInfo *info) {
  static double x[MOST], truth[MOST], b[MOST], r[MOST];
  KrylovSystem system = {m.n, apply, preconditioned ? precondition : NULL, &m, norm};
  KrylovOptions options = {20000, tolerance};
  Rng rng = rng_at(rng_key(7, 0), RNG_USER, 0, 0);
  for (ptrdiff_t i = 0; i < m.n; i++) {
    truth[i] = m.scale * rng_normal(&rng);
    x[i] = 0.0;
  }
  apply(&m, b, truth);
  const Status status = solve(&system, &options, x, info, b, work);
  if (status != wanted) return -1.0 - status;
  /* the residual that is reported is that of x */
  apply(&m, r, x);
  double sup = 0.0, one = 0.0, error = 0.0;
  for (ptrdiff_t i = 0; i < m.n; i++) {
    sup = fmax(sup, fabs(b[i] - r[i]));
    one += fabs(b[i] - r[i]);
    error = fmax(error, fabs(x[i] - truth[i]));
  }
  const double residual = norm == KRYLOV_SUP ? sup : one;
  return fabs(residual - info->residual) <= 1e-12 * m.scale * (double)m.n ? error / m.scale : NAN;
}

static void check_method(const char *name, Solve solve) {
  KrylovInfo info;
  const ptrdiff_t sizes[] = {1, 2, 3, 50, MOST};
  for (int k = 0; k < 5; k++) {
    const ptrdiff_t n = sizes[k];
    double error = attempt(solve, (Matrix){DOMINANT, n, 1.0, 0, 0}, KRYLOV_SUP, 0, 1e-10, OK,
                           &info);
    CHECK(error >= 0.0 && error < 1e-8, "%s: dominant, n %td: error %.1e, %ld products", name, n,
          error, info.products);
    error = attempt(solve, (Matrix){DOMINANT, n, 1.0, 0, 0}, KRYLOV_ONE, 1, 1e-10, OK, &info);
    CHECK(error >= 0.0 && error < 1e-8, "%s: preconditioned, 1-norm, n %td: error %.1e", name, n,
          error);
    error = attempt(solve, (Matrix){CONVECTION, n, 1.0, 0, 0}, KRYLOV_SUP, 0, 1e-10, OK, &info);
    CHECK(error >= 0.0 && error < 1e-7, "%s: convection, n %td: error %.1e, %ld products", name, n,
          error, info.products);
    error = attempt(solve, (Matrix){DOMINANT, n, 1.0, 0, 0}, KRYLOV_SUP, 0, 0.0, LIMIT, &info);
    CHECK((error >= 0.0 && error < 1e-13 && info.residual <= 4.0 * info.floor)
              || (error <= -1.0 && info.residual == 0.0),
          "%s: tolerance 0, n %td: to the floor, error %.1e", name, n, error);
  }
  /* scales at which squares would overflow or vanish */
  for (int k = -1; k <= 1; k += 2) {
    const double scale = ldexp(1.0, 800 * k);
    const double error = attempt(solve, (Matrix){DOMINANT, 50, scale, 0, 0}, KRYLOV_SUP, 0,
                                 1e-12 * scale, OK, &info);
    CHECK(error >= 0.0 && error < 1e-10, "%s: scaled by 2^%d: error %.1e", name, 800 * k, error);
  }
}

static void check_trouble(const char *name, Solve solve) {
  KrylovInfo info;
  static double x[MOST], b[MOST];
  Matrix m = {SINGULAR, 4, 1.0, 0, 0};
  KrylovSystem system = {4, apply, NULL, &m, KRYLOV_SUP};
  KrylovOptions options = {20000, 1e-10};
  /* no solution: the best there is, and no endless loop */
  for (int i = 0; i < 4; i++) x[i] = 0.0, b[i] = 1.0;
  m = (Matrix){SINGULAR, 4, 1.0, 0, 0};
  Status status = solve(&system, &options, x, &info, b, work);
  CHECK(status == LIMIT && info.residual >= 1.0 - 1e-12,
        "%s: a singular system stays unsolved: %.3g", name, info.residual);
  /* the shadow residual is orthogonal to A r */
  m.kind = SKEW;
  for (int i = 0; i < 4; i++) x[i] = 0.0;
  status = solve(&system, &options, x, &info, b, work);
  CHECK(status >= 0 && info.residual <= 1.0, "%s: breakdown leaves no worse than x = 0: %s, %.3g",
        name, status_name(status), info.residual);
  /* failures of the operator, numbers that are none */
  m = (Matrix){DOMINANT, 4, 1.0, 2, 0};
  for (int i = 0; i < 4; i++) x[i] = 0.0;
  CHECK(solve(&system, &options, x, &info, b, work) == E_CURVATURE, "%s: passes failures on", name);
  m.fail_after = 0;
  b[2] = NAN;
  for (int i = 0; i < 4; i++) x[i] = 7.0;
  status = solve(&system, &options, x, &info, b, work);
  CHECK(status == E_NOT_FINITE && x[0] == 7.0 && x[3] == 7.0, "%s: a NaN is reported, x is kept",
        name);
  /* nothing to do */
  for (int i = 0; i < 4; i++) x[i] = b[i] = 0.0;
  status = solve(&system, &options, x, &info, b, work);
  CHECK(status == OK && info.products == 1 && x[1] == 0.0, "%s: b = 0", name);
  options.products = 5;
  m = (Matrix){CONVECTION, MOST, 1.0, 0, 0};
  system.n = MOST;
  for (int i = 0; i < MOST; i++) x[i] = 0.0, b[i] = i % 7;
  status = solve(&system, &options, x, &info, b, work);
  CHECK(status == LIMIT && info.products <= 8 && info.residual <= 6.0, "%s: most products: %ld",
        name, info.products);
  options.products = 20000;
  system.n = 4;
}

/* the same bits at one and two threads */
static void check_threads(const char *name, Solve solve) {
  static double x[2][MOST], b[MOST];
  for (int threads = 1; threads <= 2; threads++) {
    Matrix m = {CONVECTION, MOST, 1.0, 0, 0};
    KrylovSystem system = {MOST, apply, NULL, &m, KRYLOV_SUP};
    KrylovOptions options = {20000, 1e-9};
    KrylovInfo info;
    pool_set_threads(threads);
    for (int i = 0; i < MOST; i++) x[threads - 1][i] = 0.0, b[i] = cos((double)(i * i));
    solve(&system, &options, x[threads - 1], &info, b, work);
  }
  CHECK(memcmp(x[0], x[1], sizeof x[0]) == 0, "%s: one and two threads agree to the bit", name);
}

int main(void) {
  const ptrdiff_t a = gmres_work(MOST, 1), c = bicgstab_work(MOST, 1);
  work = malloc((size_t)(a > c ? a : c) * sizeof *work);
  check_method("bicgstab", bicgstab_solve);
  check_method("gmres", gmres_solve);
  check_trouble("bicgstab", bicgstab_solve);
  check_trouble("gmres", gmres_solve);
  check_threads("bicgstab", bicgstab_solve);
  check_threads("gmres", gmres_solve);
  free(work);
  return check_failures();
}
