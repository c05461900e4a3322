/* L-BFGS against exact minimisers: a quadratic, Rosenbrock's function, and one that is not defined everywhere. */
#include "nn/lbfgs.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "check.h"

enum { N = 12, MOST = 32 };

/* What a function was asked for: its values must never be worse at an accepted point. */
typedef struct Problem {
  double diagonal[N], centre[N];
  long calls;
} Problem;

/* sum of d_i (x_i - c_i)^2 / 2 */
static double quadratic(void *context, double *g, const double *x) {
  Problem *p = context;
  double f = 0;
  p->calls++;
  for (int i = 0; i < N; i++) {
    g[i] = p->diagonal[i] * (x[i] - p->centre[i]);
    f += 0.5 * g[i] * (x[i] - p->centre[i]);
  }
  return f;
}

/* the extended form: minimum 0 at (1, ..., 1) */
static double rosenbrock(void *context, double *g, const double *x) {
  double f = 0;
  (void)context;
  for (int i = 0; i < N; i += 2) {
    const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
    f += 100 * a * a + b * b;
    g[i] = -400 * a * x[i] - 2 * b;
    g[i + 1] = 200 * a;
  }
  return f;
}

/* sum of x - log x: infinite or NaN for x <= 0, minimum at 1 */
static double barrier(void *context, double *g, const double *x) {
  double f = 0;
  (void)context;
  for (int i = 0; i < N; i++) {
    f += x[i] - log(x[i]);
    g[i] = 1 - 1 / x[i];
  }
  return f;
}

static double distance(const double *x, const double *y) {
  double worst = 0;
  for (int i = 0; i < N; i++) worst = fmax(worst, fabs(x[i] - y[i]));
  return worst;
}

static double work[(4 + 2 * MOST) * N + 2 * MOST];

static void check_quadratic(int history) {
  const LbfgsOptions options = {2000, history, 1e-11, 0};
  Problem p = {.calls = 0};
  LbfgsInfo info;
  Rng rng = rng_at(rng_key(3, 0), RNG_USER, 0, 0);
  double x[N];
  for (int i = 0; i < N; i++) {
    p.diagonal[i] = pow(10, 2.0 * i / (N - 1));
    p.centre[i] = rng_normal(&rng);
    x[i] = rng_normal(&rng);
  }
  const Status status = lbfgs_minimize(&options, x, &info, quadratic, &p, N, work);
  CHECK(status == OK && distance(x, p.centre) < 1e-9 && info.evaluations == p.calls,
        "a quadratic of condition 100, %d pairs: %d steps, %d evaluations, error %.1e", history,
        info.iterations, info.evaluations, distance(x, p.centre));
}

static void check_rosenbrock(void) {
  double x[N], ones[N], before = INFINITY;
  LbfgsInfo info;
  int falls = 1;
  for (int i = 0; i < N; i++) {
    x[i] = i & 1 ? 1 : -1.2;
    ones[i] = 1;
  }
  /* one step at a time forgets the pairs: slow, and every step must lower the value */
  const LbfgsOptions one = {1, 10, 0, 0};
  for (int k = 0; k < 20; k++) {
    lbfgs_minimize(&one, x, &info, rosenbrock, NULL, N, work);
    falls = falls && info.before <= before && info.after <= info.before;
    before = info.after;
  }
  CHECK(falls, "single steps on Rosenbrock's function never go up");
  const LbfgsOptions options = {200, 10, 1e-10, 0};
  const Status status = lbfgs_minimize(&options, x, &info, rosenbrock, NULL, N, work);
  CHECK(status == OK && distance(x, ones) < 1e-8 && info.iterations < 100,
        "Rosenbrock's function: %d steps, %d evaluations, error %.1e", info.iterations,
        info.evaluations, distance(x, ones));
}

static void check_barrier(void) {
  const LbfgsOptions options = {100, 5, 1e-10, 0};
  double x[N], ones[N];
  LbfgsInfo info;
  for (int i = 0; i < N; i++) {
    x[i] = 20 + i;
    ones[i] = 1;
  }
  Status status = lbfgs_minimize(&options, x, &info, barrier, NULL, N, work);
  CHECK(status == OK && distance(x, ones) < 1e-8, "a function with a wall: %d steps, error %.1e",
        info.iterations, distance(x, ones));
  double bad[N];
  for (int i = 0; i < N; i++) bad[i] = x[i] = -1;
  status = lbfgs_minimize(&options, x, &info, barrier, NULL, N, work);
  CHECK(status == E_NOT_FINITE && memcmp(x, bad, sizeof x) == 0,
        "a start beyond the wall is refused");
}

static void check_limits(void) {
  const LbfgsOptions options = {7, 3, 0, 0};
  double x[N];
  LbfgsInfo info;
  for (int i = 0; i < N; i++) x[i] = i & 1 ? 1 : -1.2;
  lbfgs_minimize(&options, x, &info, rosenbrock, NULL, N, work);
  CHECK(info.iterations == 7 && info.after < info.before, "the most steps are 7");
  double g[N];
  const double f = rosenbrock(NULL, g, x);
  CHECK(f == info.after, "x is where the value was measured");
  for (int i = 0; i < N; i++) x[i] = 1;
  lbfgs_minimize(&options, x, &info, rosenbrock, NULL, N, work);
  CHECK(info.iterations == 0 && info.evaluations == 1, "the minimiser is left in peace");
}

int main(void) {
  const LbfgsOptions most = {.history = MOST};
  CHECK((size_t)lbfgs_work(&most, N) == sizeof work / sizeof *work, "workspace");
  check_quadratic(1);
  check_quadratic(5);
  check_quadratic(20);
  check_rosenbrock();
  check_barrier();
  check_limits();
  return check_failures();
}
