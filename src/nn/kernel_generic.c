/* kernels for any processor, with the compiler's default instruction set */
#define KERNEL_VMATH vmath_generic
#define PANEL 2
#include "base/vmath.h"
#include "nn/kernel.h"
#include "nn/simd_f32.h"
#include "nn/kernel_template.h"
#include "nn/kernel_layout_template.h"
#include "nn/simd_f64.h"
#include "nn/kernel_template.h"
#include "nn/kernel_layout_template.h"

const KernelTable kernel_generic[2] = {KERNEL_ENTRIES(f32), KERNEL_ENTRIES(f64)};
