#ifndef TRPO_ISA_H
#define TRPO_ISA_H

/**
 * The instruction set that vector code uses. Chosen once, at first use: the best one of the processor, or
 * TRPO_ISA = avx512 | avx2 | generic; a wish that the processor cannot fulfil is ignored.
 *
 * Vector code is compiled once per set, into tables of functions <name>_generic, <name>_avx2 and <name>_avx512.
 */
typedef enum Isa { ISA_GENERIC, ISA_AVX2, ISA_AVX512 } Isa;

/** The set in force. */
Isa isa(void);

/** Its name: "generic", "avx2" or "avx512". */
const char *isa_name(void);

/** Whether the processor can run code of that set. */
int isa_supported(Isa set);

/* the address of a name's table for a set; only x86-64 has more than one */
#ifdef __x86_64__
#define ISA_TABLE(name, set)                                                                       \
  ((set) == ISA_AVX512 ? &name##_avx512 : (set) == ISA_AVX2 ? &name##_avx2 : &name##_generic)
#else
#define ISA_TABLE(name, set) ((void)(set), &name##_generic)
#endif

#endif
