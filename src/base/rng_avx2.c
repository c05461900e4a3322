/* random numbers for AVX2; compiled with -mavx2 -mfma where the processor family has them */
#if defined(__AVX2__) && defined(__FMA__)
#define RNG_TABLE rng_table_avx2
#include "base/rng_template.h"
#endif
