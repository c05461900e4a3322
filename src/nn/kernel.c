#include "nn/kernel.h"

const KernelTable *kernel(Precision precision) {
  return &(*ISA_TABLE(kernel, isa()))[precision];
}
