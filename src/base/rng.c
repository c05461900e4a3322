#include "base/rng.h"

#include <string.h>

#include "base/isa.h"
#include "base/rng_lanes.h"
#include "base/rng_normal.h"
#include "base/rng_philox.h"

extern const RngTable rng_table_generic, rng_table_avx2, rng_table_avx512;

const RngTable *rng_table(void) {
  return ISA_TABLE(rng_table, isa());
}

RngKey rng_key(uint64_t seed, unsigned stream) {
  uint32_t low = (uint32_t)seed;
  uint32_t high = (uint32_t)(seed >> 32) & 0x1FFFFFu;
  return (RngKey){{low, high | (uint32_t)stream << 21}};
}

void rng_philox(RngKey key, const uint32_t counter[4], uint32_t out[4]) {
  memmove(out, counter, 4 * sizeof *out);
  rng_rounds(key, out);
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

double rng_uniform(Rng *rng) {
  uint32_t high = rng_bits(rng);
  return rng_unit(high, rng_bits(rng));
}

/* both numbers of the next whole block */
static void next_pair(Rng *rng, double *cosine, double *sine) {
  next_block(rng);
  rng->used = 4;
  const uint32_t *word = rng->block;
  rng_pair(rng_unit(word[0], word[1]), rng_unit(word[2], word[3]), cosine, sine);
}

double rng_normal(Rng *rng) {
  double cosine, sine;
  next_pair(rng, &cosine, &sine);
  return cosine;
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

/* The next RNG_WIDTH blocks, the last of which is left behind; the count must not carry among them. */
static void next_pairs(Rng *rng, double *out) {
  double cosine[RNG_WIDTH], sine[RNG_WIDTH];
  RngWords counter;
  for (int i = 0; i < RNG_WIDTH; i++)
    for (int k = 0; k < 4; k++) counter.k[k][i] = rng->counter[k] + (k == 0 ? (uint32_t)i : 0);
  rng_table()->normal(cosine, sine, rng->key, &counter);
  for (int i = 0; i < RNG_WIDTH; i++) {
    out[2 * i] = cosine[i];
    out[2 * i + 1] = sine[i];
  }
  rng->counter[0] += RNG_WIDTH - 1;
  next_block(rng);
  rng->used = 4;
}

void rng_fill_normal(Rng *rng, double *out, size_t n) {
  size_t i = 0;
  for (; i + 2 * RNG_WIDTH <= n && rng->counter[0] < UINT32_MAX - RNG_WIDTH; i += 2 * RNG_WIDTH)
    next_pairs(rng, out + i);
  for (; i < n; i += 2) {
    double sine;
    next_pair(rng, out + i, i + 1 < n ? out + i + 1 : &sine);
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
