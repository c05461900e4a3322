/* classic control for AVX-512; compiled with its flags where the processor family has them */
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define CLASSIC_TABLE classic_avx512
#include "env/classic_template.h"
#endif
