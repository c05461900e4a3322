#ifndef TRPO_RNG_H
#define TRPO_RNG_H

#include <stddef.h>
#include <stdint.h>

/**
 * Counter-based random numbers: Philox4x32-10.
 * Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4.3.
 *
 * The layout is frozen: files and published results depend on it.
 *   key0    = seed bits 0..31
 *   key1    = seed bits 32..52 | stream << 21                     (stream < 2^11)
 *   counter = { draw block, logical lane, step low 32, step bits 32..47 | purpose << 16 }
 * The same (seed, stream, purpose, lane, step) gives the same numbers, on any thread, in any order.
 */
typedef enum RngPurpose {
  RNG_INIT,
  RNG_RESET,
  RNG_DYNAMICS,
  RNG_ACTION,
  RNG_SHUFFLE,
  RNG_EVALUATION,
  RNG_VINE,
  RNG_USER
} RngPurpose;

#define RNG_SEED_LIMIT 9007199254740992.0 /* 2^53 */
enum { RNG_STREAM_LIMIT = 2048 };

typedef struct RngKey {
  uint32_t k[2];
} RngKey;

/** A cursor on the numbers of one counter prefix. Plain bytes: copying it forks the sequence. */
typedef struct Rng {
  RngKey key;
  uint32_t counter[4];
  uint32_t block[4]; /* the current block of four words */
  uint32_t used;     /* words of it handed out */
} Rng;

/** Key of a seed in [0, 2^53) and a stream in [0, 2^11). */
RngKey rng_key(uint64_t seed, unsigned stream);

/** One block of Philox4x32-10: out = philox(counter, key).  out [4], counter [4]; may alias. */
void rng_philox(RngKey key, const uint32_t counter[4], uint32_t out[4]);

/** Cursor at the beginning of (purpose, lane, step); step < 2^48. */
Rng rng_at(RngKey key, RngPurpose purpose, uint32_t lane, uint64_t step);

/** 32 uniform bits. */
uint32_t rng_bits(Rng *rng);

/** Uniform in [0, 1) with 53 random bits. */
double rng_uniform(Rng *rng);

/** Standard normal by Box-Muller; takes a whole block (two uniforms of 53 bits) and uses the cosine. The same on every
 * processor: see rng_normal.h. */
double rng_normal(Rng *rng);

/** Uniform integer in [0, n), unbiased (Lemire 2019, arXiv:1805.10941); 1 <= n <= 2^32 - 1. */
uint32_t rng_below(Rng *rng, uint32_t n);

/** out [n] filled with uniforms in [0, 1). */
void rng_fill_uniform(Rng *rng, double *out, size_t n);

/** out [n] filled with standard normals, two of each block. */
void rng_fill_normal(Rng *rng, double *out, size_t n);

/** out [n] filled with uniform integers in [0, limit), the numbers that rng_below gives one by one. */
void rng_fill_below(Rng *rng, uint32_t *out, size_t n, uint32_t limit);

/** index [n] becomes a random permutation of 0..n-1 (Fisher-Yates). */
void rng_permutation(Rng *rng, uint32_t *index, uint32_t n);

#endif
