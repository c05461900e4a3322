#include "base/rng.h"

#include <math.h>

/* multipliers and Weyl increments of Philox4x32, Salmon et al. 2011, table 2 and random123/philox.h */
enum { ROUNDS = 10 };
static const uint32_t M0 = 0xD2511F53u, M1 = 0xCD9E8D57u;
static const uint32_t W0 = 0x9E3779B9u, W1 = 0xBB67AE85u;

RngKey rng_key(uint64_t seed, unsigned stream) {
  uint32_t low = (uint32_t)seed;
  uint32_t high = (uint32_t)(seed >> 32) & 0x1FFFFFu;
  return (RngKey){{low, high | (uint32_t)stream << 21}};
}

void rng_philox(RngKey key, const uint32_t counter[4], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key.k[0], k1 = key.k[1];
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t p0 = (uint64_t)M0 * c0;
    uint64_t p1 = (uint64_t)M1 * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += W0;
    k1 += W1;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

Rng rng_at(RngKey key, RngPurpose purpose, uint32_t lane, uint64_t step) {
  uint32_t high = ((uint32_t)(step >> 32) & 0xFFFFu) | (uint32_t)purpose << 16;
  return (Rng){.key = key, .counter = {0, lane, (uint32_t)step, high}, .used = 4};
}

/* After 2^32 blocks the count carries into the step, which such long cursors do not use. */
static void next_block(Rng *rng) {
  rng_philox(rng->key, rng->counter, rng->block);
  rng->used = 0;
  if (++rng->counter[0] == 0 && ++rng->counter[2] == 0) {
    uint32_t high = rng->counter[3];
    rng->counter[3] = (high & 0xFFFF0000u) | ((high + 1) & 0xFFFFu);
  }
}

uint32_t rng_bits(Rng *rng) {
  if (rng->used >= 4) {
    next_block(rng);
  }
  return rng->block[rng->used++];
}

/* 53 bits of two words as a number in [0, 1) */
static double unit(uint32_t high, uint32_t low) {
  return ((high >> 5) * 67108864.0 + (low >> 6)) * (1.0 / 9007199254740992.0);
}

double rng_uniform(Rng *rng) {
  uint32_t high = rng_bits(rng);
  return unit(high, rng_bits(rng));
}

/* Box-Muller on one whole block: radius and angle of a point of the standard normal in the plane */
static void polar(Rng *rng, double *radius, double *angle) {
  const double two_pi = 6.283185307179586476925;
  next_block(rng);
  rng->used = 4;
  *radius = sqrt(-2.0 * log(1.0 - unit(rng->block[0], rng->block[1])));
  *angle = two_pi * unit(rng->block[2], rng->block[3]);
}

double rng_normal(Rng *rng) {
  double radius, angle;
  polar(rng, &radius, &angle);
  return radius * cos(angle);
}

uint32_t rng_below(Rng *rng, uint32_t n) {
  uint64_t product = (uint64_t)rng_bits(rng) * n;
  uint32_t low = (uint32_t)product;
  /* the first (2^32 mod n) values of low would make some results too frequent */
  if (low < n) {
    uint32_t threshold = -n % n;
    while (low < threshold) {
      product = (uint64_t)rng_bits(rng) * n;
      low = (uint32_t)product;
    }
  }
  return (uint32_t)(product >> 32);
}

void rng_fill_uniform(Rng *rng, double *out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    out[i] = rng_uniform(rng);
  }
}

void rng_fill_normal(Rng *rng, double *out, size_t n) {
  for (size_t i = 0; i < n; i += 2) {
    double radius, angle;
    polar(rng, &radius, &angle);
    out[i] = radius * cos(angle);
    if (i + 1 < n) {
      out[i + 1] = radius * sin(angle);
    }
  }
}

void rng_fill_below(Rng *rng, uint32_t *out, size_t n, uint32_t limit) {
  for (size_t i = 0; i < n; i++) {
    out[i] = rng_below(rng, limit);
  }
}

void rng_permutation(Rng *rng, uint32_t *index, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    index[i] = i;
  }
  for (uint32_t i = n; i > 1; i--) {
    uint32_t j = rng_below(rng, i);
    uint32_t last = index[i - 1];
    index[i - 1] = index[j];
    index[j] = last;
  }
}
