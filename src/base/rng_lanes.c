#include "base/rng_lanes.h"

#include <string.h>

/* counters of block number draw of lanes [i, i + m), 0 < m <= RNG_WIDTH; what is left over repeats the first */
static void place(RngWords *counter, const RngLanes *lanes, uint32_t draw, int i, int m) {
  for (int j = 0; j < RNG_WIDTH; j++) {
    const int at = i + (j < m ? j : 0);
    const uint64_t step = lanes->step[at];
    counter->k[0][j] = draw;
    counter->k[1][j] = (uint32_t)lanes->lane[at];
    counter->k[2][j] = (uint32_t)step;
    counter->k[3][j] = ((uint32_t)(step >> 32) & 0xFFFFu) | (uint32_t)lanes->purpose << 16;
  }
}

static int width(const RngLanes *lanes, int i) {
  return lanes->n - i < RNG_WIDTH ? lanes->n - i : RNG_WIDTH;
}

void rng_lanes_uniform(const RngLanes *lanes, double *out) {
  const RngTable *table = rng_table();
  RngWords counter;
  double u[RNG_WIDTH];
  for (int i = 0; i < lanes->n; i += RNG_WIDTH) {
    const int m = width(lanes, i);
    place(&counter, lanes, 0, i, m);
    table->uniform(u, lanes->key, &counter);
    memcpy(out + i, u, (size_t)m * sizeof *u);
  }
}

void rng_lanes_normal(const RngLanes *lanes, double *out, int A) {
  const RngTable *table = rng_table();
  RngWords counter;
  double cosine[RNG_WIDTH], sine[RNG_WIDTH];
  for (int i = 0; i < lanes->n; i += RNG_WIDTH) {
    const int m = width(lanes, i);
    for (int a = 0; a < A; a += 2) {
      place(&counter, lanes, (uint32_t)a / 2, i, m);
      table->normal(cosine, sine, lanes->key, &counter);
      for (int j = 0; j < m; j++) out[(long)(i + j) * A + a] = cosine[j];
      for (int j = 0; j < m && a + 1 < A; j++) out[(long)(i + j) * A + a + 1] = sine[j];
    }
  }
}
