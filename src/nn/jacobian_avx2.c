/* products with a cached Jacobian for AVX2; compiled with -mavx2 -mfma where the processor family has them */
#include "nn/jacobian.h"
#if defined(__AVX2__) && defined(__FMA__)

#include "nn/simd_f32.h"
#include "nn/jacobian_template.h"
#include "nn/simd_f64.h"
#include "nn/jacobian_template.h"

const JacobianTable jacobian_avx2 = {{build_f32, build_f64}, {product_f32, product_f64}};
#endif
