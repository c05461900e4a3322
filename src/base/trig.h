#ifndef TRPO_TRIG_H
#define TRPO_TRIG_H

#include <stdint.h>
#include <string.h>

/**
 * Sine and cosine together, as branch-free functions of one number: loops over them become vector code. Every operation
 * is one IEEE operation, none is fused, so the bits are the same on every processor and for every vector length.
 *
 * Source: FreeBSD's msun, k_sin.c, k_cos.c and e_rem_pio2.c (polynomials, and pi/2 in three parts of 33 bits).
 * Accuracy: within 1 ulp, for |x| <= TRIG_LIMIT; sines and cosines below 2^-40 within 2^-93.
 */
#define TRIG_LIMIT 0x1p19

#define TRIG_INLINE static inline __attribute__((always_inline))

/* sine and cosine of quarter turns and x + y: |x| <= pi/4, y is what x lacks; the quarters are the low bits of quarter */
TRIG_INLINE void trig_quarter(double x, double y, uint64_t quarter, double *sine, double *cosine) {
  const double z = x * x, w = z * z, half = 0.5 * z, rest = 1.0 - half;
  /* sin x = x - x^3/6 + ..., cos x = 1 - x^2/2 + ... */
  double a = -2.50507602534068634195e-08 + z * 1.58969099521155010221e-10;
  a = 8.33333333332248946124e-03
      + z * (-1.98412698298579493134e-04 + z * (2.75573137070700676789e-06 + z * a));
  const double v = z * x;
  const double s = x - ((z * (0.5 * y - v * a) - y) - v * -1.66666666666666324348e-01);
  const double low = z
                     * (4.16666666666666019037e-02
                        + z * (-1.38888888888741095749e-03 + z * 2.48015872894767294178e-05));
  const double high = w * w
                      * (-2.75573143513906633035e-07
                         + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11));
  const double c = rest + (((1.0 - rest) - half) + (z * (low + high) - x * y));
  /* an odd number of quarters exchanges them; the sine is negative from the second on, the cosine in the middle */
  uint64_t s_bits, c_bits;
  memcpy(&s_bits, &s, sizeof s_bits);
  memcpy(&c_bits, &c, sizeof c_bits);
  const uint64_t swap = (s_bits ^ c_bits) & (0 - (quarter & 1));
  s_bits ^= swap ^ (quarter & 2) << 62;
  c_bits ^= swap ^ ((quarter + 1) & 2) << 62;
  memcpy(sine, &s_bits, sizeof s_bits);
  memcpy(cosine, &c_bits, sizeof c_bits);
}

/* added to a number it rounds to an integer, which then stands in the low bits */
#define TRIG_ROUND 0x1.8p52

/** Sine and cosine of x radians, |x| <= TRIG_LIMIT. */
TRIG_INLINE void trig_radians(double x, double *sine, double *cosine) {
  const double shifted = x * 6.36619772367581382433e-01 + TRIG_ROUND; /* 2/pi */
  const double n = shifted - TRIG_ROUND;
  /* x - n pi/2 in two parts; the products with the heads are exact */
  const double first = x - n * 1.57079632673412561417e+00;
  const double step = n * 6.07710050630396597660e-11;
  const double r = first - step;
  const double tail = n * 2.02226624879595063154e-21 - ((first - r) - step);
  const double head = r - tail;
  uint64_t quarter;
  memcpy(&quarter, &shifted, sizeof quarter);
  trig_quarter(head, (r - head) - tail, quarter, sine, cosine);
}

/** Sine and cosine of 2 pi turn, |turn| <= 2^50. */
TRIG_INLINE void trig_turns(double turn, double *sine, double *cosine) {
  const double shifted = 4.0 * turn + TRIG_ROUND;
  const double f = 4.0 * turn - (shifted - TRIG_ROUND); /* exact */
  uint64_t quarter;
  memcpy(&quarter, &shifted, sizeof quarter);
  trig_quarter(f * 1.57079632679489661923, 0.0, quarter, sine, cosine);
}

#endif
