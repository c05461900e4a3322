#include "base/isa.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"generic", "avx2", "avx512"};

int isa_supported(Isa set) {
#ifdef __x86_64__
  const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (set == ISA_AVX512)
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
           && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  if (set == ISA_AVX2) return avx2;
#endif
  return set == ISA_GENERIC;
}

static Isa choose(void) {
  const char *wish = getenv("TRPO_ISA");
  Isa best = ISA_GENERIC;
  for (int set = ISA_GENERIC; set <= ISA_AVX512; set++) {
    if (!isa_supported((Isa)set)) continue;
    if (wish && strcmp(wish, names[set]) == 0) return (Isa)set;
    best = (Isa)set;
  }
  return best;
}

Isa isa(void) {
  /* choosing twice gives the same answer, so a race to be first is harmless */
  static atomic_int chosen = -1;
  int set = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (set < 0) {
    set = (int)choose();
    atomic_store_explicit(&chosen, set, memory_order_relaxed);
  }
  return (Isa)set;
}

const char *isa_name(void) {
  return names[isa()];
}
