/* products with a cached Jacobian for any processor, with the compiler's default instruction set */
#include "nn/jacobian.h"

#include "nn/simd_f32.h"
#include "nn/jacobian_template.h"
#include "nn/simd_f64.h"
#include "nn/jacobian_template.h"

const JacobianTable jacobian_generic = {{build_f32, build_f64}, {product_f32, product_f64}};
