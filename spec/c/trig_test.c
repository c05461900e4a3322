/* Sine and cosine of trig.h against the C library's in extended precision. */
#include "base/trig.h"

#include <math.h>

#include "base/rng.h"
#include "check.h"

/* distance from the truth in units of its last place */
static double ulps(double got, long double truth) {
  const double near = fabs((double)truth);
  return (double)(fabsl((long double)got - truth) / (nextafter(near, INFINITY) - near));
}

static void check_radians(void) {
  static const double range[] = {1e-9, 0.5, 6.3, 100, 1e4, TRIG_LIMIT};
  for (int k = 0; k < 6; k++) {
    Rng rng = rng_at(rng_key(1, (unsigned)k), RNG_USER, 0, 0);
    double worst = 0, s, c;
    for (int i = 0; i < 300000; i++) {
      const double x = (2 * rng_uniform(&rng) - 1) * range[k];
      trig_radians(x, &s, &c);
      worst = fmax(worst, fmax(ulps(s, sinl(x)), ulps(c, cosl(x))));
    }
    CHECK(worst < 1, "up to %g radians: %.3f ulp", range[k], worst);
  }
}

/* where one of them is nearly zero */
static void check_quarters(void) {
  double worst = 0, tiny = 0;
  for (int n = 1; n < 300000; n++) {
    const double x = n * 1.57079632679489661923, near[3] = {x, nextafter(x, 0), nextafter(x, 1e9)};
    for (int k = 0; k < 3; k++) {
      double s, c;
      trig_radians(near[k], &s, &c);
      const int sine = fabs(s) < fabs(c);
      const double small = sine ? s : c;
      const long double truth = sine ? sinl(near[k]) : cosl(near[k]);
      worst = fmax(worst, sine ? ulps(c, cosl(near[k])) : ulps(s, sinl(near[k])));
      if (fabs(small) > 0x1p-40)
        worst = fmax(worst, ulps(small, truth));
      else
        tiny = fmax(tiny, (double)fabsl(small - truth));
    }
  }
  CHECK(worst < 1, "beside multiples of pi / 2: %.3f ulp", worst);
  CHECK(tiny <= 0x1p-92, "tiny sines and cosines: within %.1e", tiny);
}

static void check_exact(void) {
  double s, c;
  trig_radians(0, &s, &c);
  CHECK(s == 0 && !signbit(s) && c == 1, "zero");
  trig_radians(-0.0, &s, &c);
  CHECK(s == 0 && c == 1, "minus zero");
  for (int k = -8; k <= 8; k++) {
    static const double sines[4] = {0, 1, 0, -1};
    trig_turns(k / 4.0, &s, &c);
    CHECK(s == sines[k & 3] && c == sines[(k + 1) & 3], "%d quarter turns are exact", k);
  }
  trig_radians(NAN, &s, &c);
  CHECK(isnan(s) && isnan(c), "NaN stays NaN");
}

static void check_turns(void) {
  Rng rng = rng_at(rng_key(2, 0), RNG_USER, 0, 0);
  double worst = 0, s, c;
  for (int i = 0; i < 300000; i++) {
    const double turn = rng_uniform(&rng)
                        - 0.5; /* within (-pi, pi) the oracle's own error is small */
    trig_turns(turn, &s, &c);
    const long double angle = 6.283185307179586476925286766559L * turn;
    if (fabs(s) > 0.1) worst = fmax(worst, ulps(s, sinl(angle)));
    if (fabs(c) > 0.1) worst = fmax(worst, ulps(c, cosl(angle)));
  }
  CHECK(worst < 2, "turns: %.3f ulp", worst);
}

int main(void) {
  check_radians();
  check_quarters();
  check_exact();
  check_turns();
  return check_failures();
}
