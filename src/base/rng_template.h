/*
 * Vector code of rng_lanes.h, written once and compiled once per instruction set. Included by rng_<isa>.c, which defines
 *
 *   RNG_TABLE   name of the RngTable to make
 */
#include "base/rng_lanes.h"
#include "base/rng_normal.h"
#include "base/rng_philox.h"

/* comparisons may be turned into masks: nobody looks at the floating-point flags */
#pragma GCC optimize("no-trapping-math", "no-math-errno")

static void blocks(RngWords *restrict out, RngKey key, const RngWords *restrict counter) {
  for (int i = 0; i < RNG_WIDTH; i++) {
    uint32_t c[4] = {counter->k[0][i], counter->k[1][i], counter->k[2][i], counter->k[3][i]};
    rng_rounds(key, c);
    for (int k = 0; k < 4; k++) out->k[k][i] = c[k];
  }
}

static void uniform(double *restrict out, RngKey key, const RngWords *counter) {
  RngWords word;
  blocks(&word, key, counter);
  for (int i = 0; i < RNG_WIDTH; i++) out[i] = rng_unit(word.k[0][i], word.k[1][i]);
}

static void normal(double *restrict cosine, double *restrict sine, RngKey key,
                   const RngWords *counter) {
  RngWords word;
  double u[RNG_WIDTH], v[RNG_WIDTH];
  blocks(&word, key, counter);
  for (int i = 0; i < RNG_WIDTH; i++) u[i] = rng_unit(word.k[0][i], word.k[1][i]);
  for (int i = 0; i < RNG_WIDTH; i++) v[i] = rng_unit(word.k[2][i], word.k[3][i]);
  for (int i = 0; i < RNG_WIDTH; i++) rng_pair(u[i], v[i], cosine + i, sine + i);
}

const RngTable RNG_TABLE = {.uniform = uniform, .normal = normal};
