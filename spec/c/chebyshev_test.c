/* Polynomials in Chebyshev form: against functions whose values, derivatives and roots are known. */
#include "solve/chebyshev.h"

#include <math.h>

#include "check.h"

enum { MOST = 512 };

static double f[MOST + 1], c[MOST + 1], d[MOST + 1], root[MOST + 1];
static Arena ws;

static double wave(double x) {
  return exp(x) * sin(9.0 * x);
}

static double wave_slope(double x) {
  return exp(x) * (sin(9.0 * x) + 9.0 * cos(9.0 * x));
}

static void fit(double (*g)(double), int n) {
  for (int j = 0; j <= n; j++) {
    f[j] = g(chebyshev_point(j, n));
  }
  CHECK(chebyshev_fit(c, f, n, &ws) == OK, "%d points are fitted", n + 1);
}

/* values and slopes of an interpolant of high degree are those of the function */
static void check_values(void) {
  double worst = 0.0, slope = 0.0;
  fit(wave, 48);
  chebyshev_derivative(d, c, 48);
  for (int i = -100; i <= 100; i++) {
    const double x = i / 100.0;
    worst = fmax(worst, fabs(chebyshev_value(c, 48, x) - wave(x)));
    slope = fmax(slope, fabs(chebyshev_value(d, 47, x) - wave_slope(x)));
  }
  CHECK(worst < 1e-13, "values agree to %.1e", worst);
  CHECK(slope < 1e-10, "slopes agree to %.1e", slope);
  CHECK(chebyshev_point(0, 7) == 1.0 && chebyshev_point(7, 7) == -1.0
            && chebyshev_point(3, 6) == 0.0,
        "points are exact at the ends and in the middle");
}

/* sin(9 x) has its roots at k pi / 9 */
static void check_roots(void) {
  int count = 0;
  double worst = 0.0;
  fit(wave, 48);
  CHECK(chebyshev_roots(root, &count, c, 48, &ws) == OK && count == 5, "there are %d of 5 roots",
        count);
  for (int i = 0; i < count; i++) {
    const double k = root[i] * 9.0 / 3.14159265358979323846;
    worst = fmax(worst, fabs(k - round(k)));
  }
  CHECK(worst < 1e-12, "roots agree to %.1e", worst);
}

static double parabola(double x) {
  return (x - 0.25) * (x - 0.25) + 1.0;
}

/* degrees 0 to 2, trailing zeros, numbers that are not finite */
static void check_small(void) {
  int count = 7;
  const double constant[] = {3.0}, line[] = {1.0, -2.0}, padded[] = {1.0, -2.0, 0.0, 0.0},
               hole[] = {1.0, NAN};
  CHECK(chebyshev_roots(root, &count, constant, 0, &ws) == OK && count == 0,
        "a constant has no root");
  CHECK(chebyshev_roots(root, &count, line, 1, &ws) == OK && count == 1 && root[0] == 0.5,
        "a line has one");
  CHECK(chebyshev_roots(root, &count, padded, 3, &ws) == OK && count == 1 && root[0] == 0.5,
        "trailing zeros are no degree");
  CHECK(chebyshev_roots(root, &count, hole, 1, &ws) == E_NOT_FINITE && count == 0,
        "a NaN is named");
  fit(parabola, 2);
  CHECK(chebyshev_roots(root, &count, c, 2, &ws) == OK && count == 0, "complex roots do not count");
  chebyshev_derivative(d, c, 2);
  CHECK(chebyshev_roots(root, &count, d, 1, &ws) == OK && count == 1
            && fabs(root[0] - 0.25) < 1e-15,
        "the parabola is lowest where it is");
  fit(parabola, 1);
  CHECK(chebyshev_value(c, 1, 1.0) == parabola(1.0)
            && chebyshev_value(c, 1, -1.0) == parabola(-1.0),
        "two points make a line");
}

int main(void) {
  arena_init(&ws);
  check_values();
  check_roots();
  check_small();
  arena_free(&ws);
  return check_failures();
}
