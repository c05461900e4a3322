/* CRC-32C against the check values of RFC 3720, B.4, and a bit by bit division. */
#include "base/crc32c.h"

#include <string.h>

#include "check.h"

/* the remainder by long division, one bit at a time, from the polynomial as the RFC writes it */
static uint32_t divide(const unsigned char *data, size_t n) {
  uint32_t remainder = 0xFFFFFFFFu;
  for (size_t i = 0; i < 8 * n; i++) {
    const uint32_t bit = data[i / 8] >> i % 8 & 1;
    const uint32_t top = remainder >> 31;
    remainder = remainder << 1 ^ ((top ^ bit) != 0 ? 0x1EDC6F41u : 0);
  }
  uint32_t reflected = 0;
  for (int i = 0; i < 32; i++) {
    reflected |= (remainder >> i & 1) << (31 - i);
  }
  return ~reflected;
}

int main(void) {
  unsigned char zeros[32] = {0}, ones[32], rising[32], falling[32];
  memset(ones, 0xFF, sizeof ones);
  for (int i = 0; i < 32; i++) {
    rising[i] = (unsigned char)i;
    falling[i] = (unsigned char)(31 - i);
  }
  CHECK(crc32c(zeros, 32) == 0x8A9136AAu, "32 zeros");
  CHECK(crc32c(ones, 32) == 0x62A8AB43u, "32 bytes of ones");
  CHECK(crc32c(rising, 32) == 0x46DD794Eu, "32 rising bytes");
  CHECK(crc32c(falling, 32) == 0x113FDB5Cu, "32 falling bytes");
  CHECK(crc32c("123456789", 9) == 0xE3069283u, "the usual check value");
  CHECK(crc32c("", 0) == 0, "no bytes");
  int same = 1;
  unsigned char data[300];
  for (size_t n = 0; n < sizeof data; n++) {
    data[n] = (unsigned char)(n * n * 7 + 13);
    same = same && crc32c(data, n) == divide(data, n);
  }
  CHECK(same, "every length is what long division gives");
  CHECK(crc32c_masked("123456789", 9) == 0xC78AB0E5u, "the masked checksum");
  return check_failures();
}
