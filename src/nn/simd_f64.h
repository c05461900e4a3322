/* Double precision for a template of vector code. No include guard: it is included once per instance. */
#undef REAL
#undef R
#undef SIMD_SUFFIX
#undef SIMD_BITS
#define REAL double
#define R(name) name##_f64
#define SIMD_SUFFIX pd
#define SIMD_BITS 64
#include "nn/simd.h"
