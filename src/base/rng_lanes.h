#ifndef TRPO_RNG_LANES_H
#define TRPO_RNG_LANES_H

#include "base/rng.h"

/**
 * Random numbers for many lanes at once: those that rng_at(key, purpose, lane[i], step[i]) gives first, bit for bit, by
 * vector code.
 */
typedef struct RngLanes {
  RngKey key;
  RngPurpose purpose;
  int n;
  const int *lane;      /* [n] */
  const uint64_t *step; /* [n] */
} RngLanes;

/** out [n] = the first rng_uniform of each lane. */
void rng_lanes_uniform(const RngLanes *lanes, double *out);

/** out [n][A] = what rng_fill_normal gives for each lane. */
void rng_lanes_normal(const RngLanes *lanes, double *out, int A);

/** Places at a time that the functions below take. */
enum { RNG_WIDTH = 8 };

/* Counters or words of RNG_WIDTH blocks, the k-th of all together. */
typedef struct RngWords {
  uint32_t k[4][RNG_WIDTH];
} RngWords;

/* Vector code, one table for each instruction set. */
typedef struct RngTable {
  /* out [RNG_WIDTH] = uniforms of the first two words of each block */
  void (*uniform)(double *out, RngKey key, const RngWords *counter);
  /* cosine, sine [RNG_WIDTH] = pairs of standard normals, one of each block */
  void (*normal)(double *cosine, double *sine, RngKey key, const RngWords *counter);
} RngTable;

/** The table in force. */
const RngTable *rng_table(void);

#endif
