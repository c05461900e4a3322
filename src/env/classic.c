#include "env/classic.h"

#include "base/isa.h"

extern const ClassicTable classic_generic, classic_avx2, classic_avx512;

const ClassicTable *classic(void) {
  return ISA_TABLE(classic, isa());
}
