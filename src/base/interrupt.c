#include "base/interrupt.h"

#include <stdatomic.h>

static atomic_int asked; /* free of locks, as handlers need it */

void interrupt_ask(void) {
  atomic_store_explicit(&asked, 1, memory_order_relaxed);
}

void interrupt_clear(void) {
  atomic_store_explicit(&asked, 0, memory_order_relaxed);
}

int interrupt_asked(void) {
  return atomic_load_explicit(&asked, memory_order_relaxed);
}
