#include "base/sha256.h"

#include <string.h>

/* the first 32 bits of the fractional parts of the cube roots of the first 64 primes */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n) {
  return x >> n | x << (32 - n);
}

static uint32_t read_word(const unsigned char *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* W: the sixteen words of the block, then what is mixed of them */
static void schedule(uint32_t W[64], const unsigned char *block) {
  for (int t = 0; t < 16; t++) W[t] = read_word(block + 4 * t);
  for (int t = 16; t < 64; t++) {
    const uint32_t a = W[t - 15], b = W[t - 2];
    const uint32_t sigma0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
    const uint32_t sigma1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
    W[t] = sigma1 + W[t - 7] + sigma0 + W[t - 16];
  }
}

static void compress(uint32_t state[8], const unsigned char *block) {
  uint32_t W[64], s[8];
  schedule(W, block);
  memcpy(s, state, sizeof s);
  for (int t = 0; t < 64; t++) {
    const uint32_t e = s[4], a = s[0];
    const uint32_t Sigma1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const uint32_t Sigma0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const uint32_t T1 = s[7] + Sigma1 + ((e & s[5]) ^ (~e & s[6])) + K[t] + W[t];
    const uint32_t T2 = Sigma0 + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += T1;
    s[0] = T1 + T2;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}

Sha256 sha256_begin(void) {
  return (Sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                            0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(Sha256 *hash, const void *data, size_t n) {
  const unsigned char *p = data;
  size_t used = hash->count % 64;
  hash->count += n;
  /* fill the block that was begun, */
  if (used > 0 && used + n >= 64) {
    memcpy(hash->block + used, p, 64 - used);
    compress(hash->state, hash->block);
    p += 64 - used;
    n -= 64 - used;
    used = 0;
  }
  /* take whole blocks from where they are, and keep the rest */
  for (; used == 0 && n >= 64; p += 64, n -= 64) compress(hash->state, p);
  if (n > 0) memcpy(hash->block + used, p, n);
}

void sha256_end(Sha256 *hash, unsigned char *digest) {
  static const unsigned char padding[64] = {0x80};
  unsigned char bits[8];
  for (int i = 0; i < 8; i++) bits[i] = (unsigned char)(hash->count * 8 >> (56 - 8 * i));
  /* a one bit, zeros up to 56 bytes of a block, and the length in bits */
  sha256_add(hash, padding, 1 + (119 - hash->count % 64) % 64);
  sha256_add(hash, bits, sizeof bits);
  for (int i = 0; i < SHA256_BYTES; i++)
    digest[i] = (unsigned char)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_hex(char *hex, const void *data, size_t n) {
  static const char digits[] = "0123456789abcdef";
  unsigned char digest[SHA256_BYTES];
  Sha256 hash = sha256_begin();
  sha256_add(&hash, data, n);
  sha256_end(&hash, digest);
  for (int i = 0; i < SHA256_BYTES; i++) {
    hex[2 * i] = digits[digest[i] >> 4];
    hex[2 * i + 1] = digits[digest[i] & 15];
  }
  hex[SHA256_HEX] = '\0';
}
