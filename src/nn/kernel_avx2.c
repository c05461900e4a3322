/* kernels for AVX2 and FMA; compiled with -mavx2 -mfma where the processor family has them */
#if defined(__AVX2__) && defined(__FMA__)
#define KERNEL_VMATH vmath_avx2
#define PANEL 2
#include "base/vmath.h"
#include "nn/kernel.h"
#include "nn/simd_f32.h"
#include "nn/kernel_template.h"
#include "nn/kernel_layout_template.h"
#include "nn/simd_f64.h"
#include "nn/kernel_template.h"
#include "nn/kernel_layout_template.h"

const KernelTable kernel_avx2[2] = {KERNEL_ENTRIES(f32), KERNEL_ENTRIES(f64)};
#endif
