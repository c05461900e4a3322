/* Adam's loop for the avx512 instruction set; compiled with its flags where the processor family has it */
#if defined(__AVX512F__) && defined(__AVX512VL__)
#define ADAM_TABLE adam_avx512
#include "nn/adam_template.h"
#endif
