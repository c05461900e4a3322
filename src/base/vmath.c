#include "base/vmath.h"

const VmathTable *vmath(void) {
  return ISA_TABLE(vmath, isa());
}
