/* Vector math of every instruction set this processor has: accuracy against libm in a wider type, special values,
 * and bit-equality at every length, offset and position. */
#include "base/vmath.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check.h"

enum { SAMPLES = 1 << 16, ROUNDS = 16 };

typedef void (*Map32)(float *, const float *, size_t);
typedef void (*Map64)(double *, const double *, size_t);

/* distance from the exact value in units in the last place of type float (24 bits) or double (53 bits) */
static double ulps(long double got, long double exact, int bits, int smallest) {
  int exponent;
  frexpl(exact, &exponent);
  int unit = exponent - bits < smallest ? smallest : exponent - bits;
  return (double)(fabsl(got - exact) / ldexpl(1.0L, unit));
}

/* numbers in [lo, hi], half of them uniform, half with uniform exponent and either sign as far as the range allows */
static double sample(Rng *rng, double lo, double hi, int least_exponent) {
  double u = rng_uniform(rng);
  if (rng_bits(rng) & 1) {
    return lo + (hi - lo) * u;
  }
  double bound = (rng_bits(rng) & 1) ? lo : hi;
  double range = log2(fabs(bound)) - least_exponent;
  return copysign(exp2(least_exponent + u * range), bound);
}

static double worst32(Map32 map, long double (*exact)(long double), double lo, double hi) {
  static float x[SAMPLES], y[SAMPLES];
  Rng rng = rng_at(rng_key(1, 0), RNG_USER, 0, 0);
  double worst = 0.0;
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < SAMPLES; i++) {
      x[i] = (float)sample(&rng, lo, hi, -149);
    }
    map(y, x, SAMPLES);
    for (int i = 0; i < SAMPLES; i++) {
      worst = fmax(worst, ulps(y[i], exact(x[i]), 24, -149));
    }
  }
  return worst;
}

static double worst64(Map64 map, long double (*exact)(long double), double lo, double hi) {
  static double x[SAMPLES], y[SAMPLES];
  Rng rng = rng_at(rng_key(2, 0), RNG_USER, 0, 0);
  double worst = 0.0;
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < SAMPLES; i++) {
      x[i] = sample(&rng, lo, hi, -1074);
    }
    map(y, x, SAMPLES);
    for (int i = 0; i < SAMPLES; i++) {
      worst = fmax(worst, ulps(y[i], exact(x[i]), 53, -1074));
    }
  }
  return worst;
}

static void check_accuracy(const VmathTable *t) {
  double worst;
  worst = worst32(t->tanh_f32, tanhl, -10.0, 10.0);
  CHECK(worst <= 4.0, "%s tanh_f32 within 4 ulp: %.2f", t->isa, worst);
  worst = worst32(t->exp_f32, expl, -103.9, 88.7);
  CHECK(worst <= 4.0, "%s exp_f32 within 4 ulp: %.2f", t->isa, worst);
  worst = fmax(worst32(t->log_f32, logl, 0x1p-149, 3e38), worst32(t->log_f32, logl, 0.5, 2.0));
  CHECK(worst <= 4.0, "%s log_f32 within 4 ulp: %.2f", t->isa, worst);
  worst = worst64(t->tanh_f64, tanhl, -20.0, 20.0);
  CHECK(worst <= 2.0, "%s tanh_f64 within 2 ulp: %.2f", t->isa, worst);
  worst = fmax(worst64(t->exp_f64, expl, -745.1, 709.7), worst64(t->exp_f64, expl, -1.0, 1.0));
  CHECK(worst <= 2.0, "%s exp_f64 within 2 ulp: %.2f", t->isa, worst);
  worst = fmax(worst64(t->log_f64, logl, 0x1p-1074, 1.7e308), worst64(t->log_f64, logl, 0.5, 2.0));
  CHECK(worst <= 2.0, "%s log_f64 within 2 ulp: %.2f", t->isa, worst);
}

/* same value, or both NaN; zeros must agree in sign */
static int same(double a, double b) {
  return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

static void check_special(const VmathTable *t) {
  const double inf = INFINITY, least = 0x1p-1074;
  const double x[] = {NAN, inf, -inf, 0.0, -0.0, 1e4, -1e4, least, -least, 1.0};
  const double tanh_x[] = {NAN, 1, -1, 0.0, -0.0, 1, -1, least, -least, tanh(1.0)};
  const double exp_x[] = {NAN, inf, 0, 1, 1, inf, 0, 1, 1, exp(1.0)};
  const double log_x[] = {NAN, inf, NAN, -inf, -inf, log(1e4), NAN, log(least), NAN, 0};
  for (int i = 0; i < 10; i++) {
    double y[3];
    float f = (float)x[i], z[3];
    /* a float cannot hold the least double */
    int last = fabs(x[i]) == least ? 0 : 1;
    t->tanh_f64(&y[0], &x[i], 1);
    t->exp_f64(&y[1], &x[i], 1);
    t->log_f64(&y[2], &x[i], 1);
    CHECK(same(y[0], tanh_x[i]) || fabs(y[0] - tanh_x[i]) < 4e-16, "%s tanh_f64(%g) = %g", t->isa,
          x[i], y[0]);
    CHECK(same(y[1], exp_x[i]) || fabs(y[1] - exp_x[i]) < 5e-16, "%s exp_f64(%g) = %g", t->isa,
          x[i], y[1]);
    CHECK(same(y[2], log_x[i]) || fabs(y[2] - log_x[i]) < 2e-15, "%s log_f64(%g) = %g", t->isa,
          x[i], y[2]);
    t->tanh_f32(&z[0], &f, 1);
    t->exp_f32(&z[1], &f, 1);
    t->log_f32(&z[2], &f, 1);
    if (last) {
      CHECK(same(z[0], tanh_x[i]) || fabs(z[0] - tanh_x[i]) < 2e-7, "%s tanh_f32(%g) = %g", t->isa,
            f, z[0]);
      CHECK(same(z[1], exp_x[i]) || fabs(z[1] - exp_x[i]) < 5e-7, "%s exp_f32(%g) = %g", t->isa, f,
            z[1]);
      CHECK(same(z[2], log_x[i]) || fabs(z[2] - log_x[i]) < 1e-6, "%s log_f32(%g) = %g", t->isa, f,
            z[2]);
    }
  }
  float least32 = 0x1p-149f, y32;
  t->tanh_f32(&y32, &least32, 1);
  CHECK(y32 == least32, "%s tanh_f32 of the least float is itself", t->isa);
  double huge = 1e300;
  t->narrow(&y32, &huge, 1);
  CHECK(isinf(y32), "%s narrow overflows to infinity", t->isa);
}

/* every length up to 200 from every offset up to 3, against one call on the whole array; and in place */
#define DEFINE_CHECK_POSITION(bits, type)                                                          \
  static int position_##bits(void (*map)(type *, const type *, size_t)) {                          \
    enum { LENGTH = 256 };                                                                         \
    type x[LENGTH], whole[LENGTH], part[LENGTH + 1];                                               \
    Rng rng = rng_at(rng_key(3, 0), RNG_USER, 0, 0);                                               \
    for (int i = 0; i < LENGTH; i++) {                                                             \
      x[i] = (type)(6.0 * rng_uniform(&rng) - 1.0);                                                \
    }                                                                                              \
    map(whole, x, LENGTH);                                                                         \
    int good = 1;                                                                                  \
    for (size_t start = 0; start < 4; start++) {                                                   \
      for (size_t n = 0; n <= 200; n++) {                                                          \
        part[n] = 77;                                                                              \
        memcpy(part, x + start, n * sizeof(type));                                                 \
        map(part, part, n); /* in place */                                                         \
        good &= memcmp(part, whole + start, n * sizeof(type)) == 0 && part[n] == 77;               \
        map(part, x + start, n);                                                                   \
        good &= memcmp(part, whole + start, n * sizeof(type)) == 0 && part[n] == 77;               \
      }                                                                                            \
    }                                                                                              \
    return good;                                                                                   \
  }

DEFINE_CHECK_POSITION(32, float)
DEFINE_CHECK_POSITION(64, double)

static void check_position(const VmathTable *t) {
  CHECK(position_32(t->tanh_f32), "%s tanh_f32 does not depend on length or position", t->isa);
  CHECK(position_32(t->exp_f32), "%s exp_f32 does not depend on length or position", t->isa);
  CHECK(position_32(t->log_f32), "%s log_f32 does not depend on length or position", t->isa);
  CHECK(position_64(t->tanh_f64), "%s tanh_f64 does not depend on length or position", t->isa);
  CHECK(position_64(t->exp_f64), "%s exp_f64 does not depend on length or position", t->isa);
  CHECK(position_64(t->log_f64), "%s log_f64 does not depend on length or position", t->isa);
}

static void check_table(const VmathTable *t) {
  check_accuracy(t);
  check_special(t);
  check_position(t);
}

int main(void) {
  check_table(&vmath_generic);
#ifdef __x86_64__
  if (isa_supported(ISA_AVX2)) check_table(&vmath_avx2);
  if (isa_supported(ISA_AVX512)) check_table(&vmath_avx512);
#endif
  setenv("TRPO_ISA", "nonsense", 1);
  CHECK(vmath() != NULL && isa_name() != NULL, "an unknown TRPO_ISA falls back: %s", isa_name());
  return check_failures();
}
