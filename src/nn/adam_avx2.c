/* Adam's loop for the avx2 instruction set; compiled with its flags where the processor family has it */
#if defined(__AVX2__) && defined(__FMA__)
#define ADAM_TABLE adam_avx2
#include "nn/adam_template.h"
#endif
