/* classic control for AVX2; compiled with -mavx2 -mfma where the processor family has them */
#if defined(__AVX2__) && defined(__FMA__)
#define CLASSIC_TABLE classic_avx2
#include "env/classic_template.h"
#endif
