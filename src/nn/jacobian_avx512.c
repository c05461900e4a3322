/* products with a cached Jacobian for AVX-512; compiled with the matching -m options and 512-bit vectors */
#include "nn/jacobian.h"
#if defined(__AVX512F__) && defined(__AVX512DQ__)

#include "nn/simd_f32.h"
#include "nn/jacobian_template.h"
#include "nn/simd_f64.h"
#include "nn/jacobian_template.h"

const JacobianTable jacobian_avx512 = {{build_f32, build_f64}, {product_f32, product_f64}};
#endif
