#ifndef TRPO_RNG_PHILOX_H
#define TRPO_RNG_PHILOX_H

#include "base/rng.h"

/* Philox4x32-10 in place, for rng.c and its vector code. Constants: Salmon et al. 2011, table 2 and random123/philox.h */
static inline __attribute__((always_inline)) void rng_rounds(RngKey key, uint32_t c[4]) {
  uint32_t c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3], k0 = key.k[0], k1 = key.k[1];
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u; /* Weyl increments */
    k1 += 0xBB67AE85u;
  }
  c[0] = c0;
  c[1] = c1;
  c[2] = c2;
  c[3] = c3;
}

#endif
