#include "nn/dist.h"

#include <string.h>

#include "base/vmath.h"

int dist_extras(const Dist *dist, int A) {
  return dist->extras_per_out * A;
}

int dist_action_size(const Dist *dist, int A) {
  return dist->discrete ? 1 : A;
}

void dist_noise(const Dist *dist, double *noise, Rng *rng, int n, int A) {
  if (dist->discrete)
    rng_fill_uniform(rng, noise, (size_t)n);
  else /* every action begins with a block of its own */
    for (int i = 0; i < n; i++) rng_fill_normal(rng, noise + (long)i * A, (size_t)A);
}

void dist_noise_lanes(const Dist *dist, double *noise, const RngLanes *lanes, int A) {
  if (dist->discrete)
    rng_lanes_uniform(lanes, noise);
  else
    rng_lanes_normal(lanes, noise, A);
}

long dist_work(int n, int A) {
  return 4 * (long)n * A;
}

void dist_widen(Precision p, double *to, const void *from, long n) {
  if (p == SINGLE)
    vmath()->widen(to, from, (size_t)n);
  else
    memcpy(to, from, (size_t)n * sizeof *to);
}

void dist_narrow(Precision p, void *to, const double *from, long n) {
  if (p == SINGLE)
    vmath()->narrow(to, from, (size_t)n);
  else
    memcpy(to, from, (size_t)n * sizeof *from);
}
