/* L-BFGS against exact minimisers: a quadratic, Rosenbrock's function, and one that is not defined everywhere; its directions
 * against dense BFGS where pairs are left out. */
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

/* ---- directions where pairs are left out ---------------------------------------------------------------- */

enum { STEPS = 40, CALLS = 2000 };

/* every point that a minimisation asks for */
typedef struct Record {
  double x[CALLS][N];
  int calls;
} Record;

/* sum of d_i |x_i - c_i|: its gradient is the same on both sides of most steps */
static double kinked(void *context, double *g, const double *x) {
  Record *record = context;
  double f = 0;
  if (record && record->calls < CALLS) memcpy(record->x[record->calls++], x, N * sizeof *x);
  for (int i = 0; i < N; i++) {
    const double d = 1 + 3.0 * (i % 4), e = x[i] - 0.1 * i;
    f += d * fabs(e);
    g[i] = e < 0 ? -d : d;
  }
  return f;
}

static double dot(const double *a, const double *b) {
  double sum = 0;
  for (int i = 0; i < N; i++) sum += a[i] * b[i];
  return sum;
}

/* H [N][N] of BFGS, updated by a pair: (I - rho s y') H (I - rho y s') + rho s s' */
static void update(double h[N][N], const double *s, const double *y) {
  double hy[N];
  const double rho = 1 / dot(s, y);
  for (int i = 0; i < N; i++) hy[i] = dot(h[i], y);
  const double yhy = dot(y, hy);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      h[i][j] += rho * (1 + rho * yhy) * s[i] * s[j] - rho * (hy[i] * s[j] + s[i] * hy[j]);
}

/* distance of the direction d from -H g, H made of the newest `history` of so many kept pairs */
static double mistake(double (*s)[N], double (*y)[N], int kept, int history, const double *g,
                      const double *d) {
  double h[N][N] = {{0}}, expected[N];
  const double scale = dot(s[kept - 1], y[kept - 1]) / dot(y[kept - 1], y[kept - 1]);
  for (int i = 0; i < N; i++) h[i][i] = scale;
  for (int k = kept > history ? kept - history : 0; k < kept; k++) update(h, s[k], y[k]);
  for (int i = 0; i < N; i++) expected[i] = -dot(h[i], g);
  return distance(expected, d) / sqrt(dot(expected, expected));
}

/* Runs of 1, 2, ... steps from one start tell where each step ended; the longest tells where each began to search. Returns how many
 * pairs were left out of a full ring. */
static int check_kinks(int history) {
  static Record record;
  double x[STEPS + 1][N], g[STEPS + 1][N], s[STEPS][N], y[STEPS][N], first[N], worst = 0;
  int evaluations[STEPS + 1], kept = 0, left_out = 0, steps = 0;
  LbfgsInfo info;
  for (int i = 0; i < N; i++) first[i] = 1 + 0.37 * i * i;
  for (; steps < STEPS; steps++) {
    const LbfgsOptions options = {steps + 1, history, 0, -1};
    memcpy(x[steps + 1], first, sizeof first);
    record.calls = 0;
    lbfgs_minimize(&options, x[steps + 1], &info, kinked, &record, N, work);
    evaluations[steps + 1] = info.evaluations;
    if (info.iterations <= steps) break;
  }
  memcpy(x[0], first, sizeof first);
  for (int k = 0; k <= steps; k++) kinked(NULL, g[k], x[k]);
  for (int k = 0; k + 1 < steps; k++) {
    for (int i = 0; i < N; i++) {
      s[kept][i] = x[k + 1][i] - x[k][i];
      y[kept][i] = g[k + 1][i] - g[k][i];
    }
    if (dot(s[kept], y[kept]) > 1e-10 * dot(y[kept], y[kept]))
      kept++;
    else if (kept >= history)
      left_out++;
    if (kept == 0) continue;
    double d[N];
    for (int i = 0; i < N; i++) d[i] = record.x[evaluations[k + 1]][i] - x[k + 1][i];
    worst = fmax(worst, mistake(s, y, kept, history, g[k + 1], d));
  }
  CHECK(worst < 1e-6,
        "kinks, %d pairs: %d steps, %d pairs left out of a full ring, directions off by %.1e",
        history, steps, left_out, worst);
  return left_out;
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
  int left_out = 0;
  for (int history = 1; history <= 12; history++) left_out += check_kinks(history);
  CHECK(left_out > 0, "%d pairs were left out", left_out);
  return check_failures();
}
