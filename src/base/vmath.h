#ifndef TRPO_VMATH_H
#define TRPO_VMATH_H

#include <stddef.h>

#include "base/isa.h"

/**
 * Vector tanh, exp and log, and the sums and casts that surround them, for float (f32) and double (f64),
 * in one table of functions per instruction set (base/isa.h). Results are bit-equal for any alignment, length
 * or position: element i depends on x[i] only.
 *
 * Accuracy against the exact value: f32 within 4 ulp, f64 within 2 ulp (measured: 2.3 and 1.4); NaN in, NaN out; tanh(+-inf) = +-1,
 * exp(-inf) = 0, exp overflows to inf, log(0) = -inf, log(x < 0) = NaN; tanh keeps the sign of zero.
 * y may alias x exactly, not partly.
 */
typedef struct VmathTable {
  const char *isa; /* name of the instruction set */
  void (*tanh_f32)(float *y, const float *x, size_t n);
  void (*exp_f32)(float *y, const float *x, size_t n);
  void (*log_f32)(float *y, const float *x, size_t n);
  void (*tanh_f64)(double *y, const double *x, size_t n);
  void (*exp_f64)(double *y, const double *x, size_t n);
  void (*log_f64)(double *y, const double *x, size_t n);
  void (*narrow)(float *y, const double *x, size_t n); /* y = (float) x */
  void (*widen)(double *y, const float *x, size_t n);  /* y = (double) x */
} VmathTable;

/* one table per instruction set that is compiled for this processor family */
extern const VmathTable vmath_generic, vmath_avx2, vmath_avx512;

/** The table in force. */
const VmathTable *vmath(void);

#endif
