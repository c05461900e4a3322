/* kernels for AVX-512 F, VL, DQ, BW; compiled with the matching -m options and 512-bit vectors */
#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define KERNEL_VMATH vmath_avx512
#define PANEL 4
#include "base/vmath.h"
#include "nn/kernel.h"
#include "nn/simd_f32.h"
#include "nn/kernel_template.h"
#include "nn/kernel_layout_template.h"
#include "nn/simd_f64.h"
#include "nn/kernel_template.h"
#include "nn/kernel_layout_template.h"

const KernelTable kernel_avx512[2] = {KERNEL_ENTRIES(f32), KERNEL_ENTRIES(f64)};
#endif
