#ifndef TRPO_RNG_NORMAL_H
#define TRPO_RNG_NORMAL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/trig.h"

/*
 * From random words to numbers, as branch-free functions that loops turn into vector code. As in trig.h no operation is
 * fused, so the numbers are the same on every processor, alone or in a vector.
 */

/* 53 bits of two words as a number in [0, 1) */
TRIG_INLINE double rng_unit(uint32_t high, uint32_t low) {
  return ((int32_t)(high >> 5) * 67108864.0 + (int32_t)(low >> 6)) * (1.0 / 9007199254740992.0);
}

/* ln x of a normal x > 0, within 1 ulp. Source: FreeBSD's msun, e_log.c */
TRIG_INLINE double rng_log(double x) {
  /* x = 2^k m, m in [sqrt(1/2), sqrt(2)); k passes through the low bits of 2^52 */
  const uint64_t one = 0x3ff0000000000000u, root = 0x3fe6a09e667f3bcdu, bias = 1024;
  uint64_t bits, exponent;
  memcpy(&bits, &x, sizeof bits);
  exponent = (bits + (one - root) + (bias << 52) - one) >> 52;
  bits = bits - (exponent << 52) + (bias << 52);
  exponent |= 0x4330000000000000u;
  double m, k;
  memcpy(&m, &bits, sizeof m);
  memcpy(&k, &exponent, sizeof k);
  k -= 0x1p52 + (double)bias;
  /* ln m = f - f^2/2 + s (f^2/2 + R), f = m - 1, s = f / (2 + f) */
  const double f = m - 1.0, s = f / (2.0 + f), z = s * s, square = 0.5 * f * f;
  double series = 1.531383769920937332e-01 + z * 1.479819860511658591e-01;
  series = 2.222219843214978396e-01 + z * (1.818357216161805012e-01 + z * series);
  series = 3.999999999940941908e-01 + z * (2.857142874366239149e-01 + z * series);
  series = z * (6.666666666666735130e-01 + z * series);
  return k * 6.93147180369123816490e-01
         - ((square - (s * (square + series) + k * 1.90821492927058770002e-10)) - f);
}

/* two independent standard normals from two uniforms (Box and Muller 1958) */
TRIG_INLINE void rng_pair(double u, double v, double *cosine, double *sine) {
  const double radius = sqrt(-2.0 * rng_log(1.0 - u));
  double s, c;
  trig_turns(v, &s, &c);
  *cosine = radius * c;
  *sine = radius * s;
}

#endif
