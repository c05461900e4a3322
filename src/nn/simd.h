/*
 * Vectors of Reals for the instruction set that a file is compiled for: AVX-512, AVX2 with FMA, or the compiler's
 * vector extension. Included by simd_f32.h and simd_f64.h; a template that uses it is included after one, then after
 * the other, and finds under the same names
 *
 *   Vec, LANES                  a vector and its number of elements, which divides 16
 *   vzero(), vset1(x)           all elements 0, or x
 *   vload(p), vstore(p, v)      LANES Reals at any address
 *   vload_part(p, k), vstore_part(p, v, k)   the first k of them, 0 <= k <= LANES; the others are 0, or not written
 *   vadd, vmul                  of two vectors
 *   vfma(a, b, c)               a b + c, fused where the instruction set can
 *   vfnma(a, b, c)              c - a b
 *   vrelu(x)                    max(x, 0) that keeps a NaN
 *   vwhere(x, y)                y where x > 0, otherwise 0
 *   vsum(v)                     sum of the elements: halves are added until one is left
 *   vslope(activation, d, h)    d act'(.), from the activation h
 *   UNROLL                      before a loop of a few rounds, a constant number of them
 */
#ifndef TRPO_SIMD_H
#define TRPO_SIMD_H
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nn/kernel.h"

#define UNROLL _Pragma("GCC unroll 8")
#define SIMD_INLINE static inline __attribute__((always_inline, unused))
#define SIMD_JOIN(a, b, c) a##b##c
#define SIMD_NAME(prefix, name, suffix) SIMD_JOIN(prefix, name, suffix)

/* the same names in both precisions */
#define Vec R(Vec)
#define LANES ((int)(sizeof(Vec) / sizeof(REAL)))
#define vzero R(vzero)
#define vset1 R(vset1)
#define vload R(vload)
#define vstore R(vstore)
#define vload_part R(vload_part)
#define vstore_part R(vstore_part)
#define vadd R(vadd)
#define vmul R(vmul)
#define vfma R(vfma)
#define vfnma R(vfnma)
#define vrelu R(vrelu)
#define vwhere R(vwhere)
#define vsum R(vsum)
#define vslope R(vslope)
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__)

#undef MM
#define MM(name) SIMD_NAME(_mm512_, name, SIMD_SUFFIX)
typedef __typeof__(MM(setzero_)()) Vec;

SIMD_INLINE Vec vload_part(const REAL *p, int k) {
  return MM(maskz_loadu_)((uint16_t)((1u << k) - 1), p);
}
SIMD_INLINE void vstore_part(REAL *p, Vec v, int k) {
  MM(mask_storeu_)(p, (uint16_t)((1u << k) - 1), v);
}
SIMD_INLINE Vec vwhere(Vec x, Vec y) {
  return MM(maskz_mov_)(SIMD_NAME(_mm512_cmp_, SIMD_SUFFIX, _mask)(x, MM(setzero_)(), _CMP_GT_OQ),
                        y);
}
SIMD_INLINE REAL vsum(Vec v) {
  return MM(reduce_add_)(v);
}

#elif defined(__AVX2__) && defined(__FMA__)

#undef MM
#define MM(name) SIMD_NAME(_mm256_, name, SIMD_SUFFIX)
typedef __typeof__(MM(setzero_)()) Vec;

/* all bits set in the first k elements */
SIMD_INLINE __m256i R(vmask)(int k) {
  static const int32_t bits[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256((const void *)(bits + 8 - k * (SIMD_BITS / 32)));
}
SIMD_INLINE Vec vload_part(const REAL *p, int k) {
  return MM(maskload_)(p, R(vmask)(k));
}
SIMD_INLINE void vstore_part(REAL *p, Vec v, int k) {
  MM(maskstore_)(p, R(vmask)(k), v);
}
SIMD_INLINE Vec vwhere(Vec x, Vec y) {
  return MM(and_)(MM(cmp_)(x, MM(setzero_)(), _CMP_GT_OQ), y);
}
SIMD_INLINE REAL vsum(Vec v) {
#if SIMD_BITS == 32
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
#else
  __m128d s = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
#endif
}

#else

#undef MM
typedef REAL Vec __attribute__((vector_size(16)));
typedef SIMD_NAME(int, SIMD_BITS, _t) R(Mask) __attribute__((vector_size(16)));

SIMD_INLINE Vec vzero(void) {
  return (Vec){0};
}
SIMD_INLINE Vec vset1(REAL x) {
  return x - (Vec){0}; /* keeps the sign of zero */
}
SIMD_INLINE Vec vload(const REAL *p) {
  Vec v;
  memcpy(&v, p, sizeof v);
  return v;
}
SIMD_INLINE void vstore(REAL *p, Vec v) {
  memcpy(p, &v, sizeof v);
}
SIMD_INLINE Vec vload_part(const REAL *p, int k) {
  Vec v = {0};
  for (int i = 0; i < k; i++) v[i] = p[i];
  return v;
}
SIMD_INLINE void vstore_part(REAL *p, Vec v, int k) {
  for (int i = 0; i < k; i++) p[i] = v[i];
}
SIMD_INLINE Vec vadd(Vec a, Vec b) {
  return a + b;
}
SIMD_INLINE Vec vmul(Vec a, Vec b) {
  return a * b;
}
SIMD_INLINE Vec vfma(Vec a, Vec b, Vec c) {
  return a * b + c;
}
SIMD_INLINE Vec vfnma(Vec a, Vec b, Vec c) {
  return c - a * b;
}
SIMD_INLINE Vec vrelu(Vec x) {
  return (Vec)(~(x < vzero()) & (R(Mask))x);
}
SIMD_INLINE Vec vwhere(Vec x, Vec y) {
  return (Vec)((x > vzero()) & (R(Mask))y);
}
SIMD_INLINE REAL vsum(Vec v) {
#if SIMD_BITS == 32
  return (v[0] + v[2]) + (v[1] + v[3]);
#else
  return v[0] + v[1];
#endif
}

#endif

#ifdef MM
SIMD_INLINE Vec vzero(void) {
  return MM(setzero_)();
}
SIMD_INLINE Vec vset1(REAL x) {
  return MM(set1_)(x);
}
SIMD_INLINE Vec vload(const REAL *p) {
  return MM(loadu_)(p);
}
SIMD_INLINE void vstore(REAL *p, Vec v) {
  MM(storeu_)(p, v);
}
SIMD_INLINE Vec vadd(Vec a, Vec b) {
  return MM(add_)(a, b);
}
SIMD_INLINE Vec vmul(Vec a, Vec b) {
  return MM(mul_)(a, b);
}
SIMD_INLINE Vec vfma(Vec a, Vec b, Vec c) {
  return MM(fmadd_)(a, b, c);
}
SIMD_INLINE Vec vfnma(Vec a, Vec b, Vec c) {
  return MM(fnmadd_)(a, b, c);
}
SIMD_INLINE Vec vrelu(Vec x) {
  return MM(max_)(MM(setzero_)(), x); /* the second operand where one is NaN */
}
#endif

SIMD_INLINE Vec vslope(Activation activation, Vec d, Vec h) {
  return activation == ACT_TANH   ? vmul(d, vfnma(h, h, vset1(1)))
         : activation == ACT_RELU ? vwhere(h, d)
                                  : d;
}
