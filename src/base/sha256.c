#include "base/sha256.h"

#include <stdint.h>
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

void sha256_hex(char *hex, const void *data, size_t n) {
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const unsigned char *p = data;
  size_t left = n;
  for (; left >= 64; left -= 64, p += 64) compress(state, p);
  /* the rest, a one bit, zeros, and the length in bits at the end of one block or two */
  unsigned char last[128] = {0};
  const size_t end = left < 56 ? 64 : 128;
  if (left > 0) memcpy(last, p, left);
  last[left] = 0x80;
  for (int i = 0; i < 8; i++)
    last[end - 1 - (size_t)i] = (unsigned char)((uint64_t)n << 3 >> 8 * i);
  for (size_t i = 0; i < end; i += 64) compress(state, last + i);
  /* the state, four bits at a time */
  for (int i = 0; i < SHA256_HEX; i++)
    hex[i] = "0123456789abcdef"[state[i / 8] >> (28 - 4 * (i % 8)) & 15];
  hex[SHA256_HEX] = '\0';
}
