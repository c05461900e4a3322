/* random numbers for AVX-512; compiled with its flags where the processor family has them */
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define RNG_TABLE rng_table_avx512
#include "base/rng_template.h"
#endif
