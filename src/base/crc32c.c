#include "base/crc32c.h"

#include <pthread.h>

/* what one byte does to the remainder */
static uint32_t table[256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void compute_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; bit++) {
      remainder = remainder >> 1 ^ (remainder & 1 ? 0x82F63B78u : 0);
    }
    table[byte] = remainder;
  }
}

uint32_t crc32c(const void *data, size_t n) {
  pthread_once(&table_once, compute_table);
  const unsigned char *byte = data;
  uint32_t remainder = ~(uint32_t)0;
  for (size_t i = 0; i < n; i++) {
    remainder = remainder >> 8 ^ table[(remainder ^ byte[i]) & 0xFF];
  }
  return ~remainder;
}

uint32_t crc32c_masked(const void *data, size_t n) {
  uint32_t crc = crc32c(data, n);
  return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}
