/* Single precision for a template of vector code. No include guard: it is included once per instance. */
#undef REAL
#undef R
#undef SIMD_SUFFIX
#undef SIMD_BITS
#define REAL float
#define R(name) name##_f32
#define SIMD_SUFFIX ps
#define SIMD_BITS 32
#include "nn/simd.h"
