#include "nn/dist.h"

#include <string.h>

#include "base/vmath.h"

int dist_extras(const Dist *dist, int A) {
  return dist->extras_per_out * A;
}

int dist_action_size(const Dist *dist, int A) {
  return dist->discrete ? 1 : A;
}

/* Rows of A normals, an odd number: the last block of each row gives one, its other number is left out. */
static void odd_rows(double *noise, Rng *rng, int n, int A) {
  enum { AT_ONCE = 512 };
  double pairs[AT_ONCE];
  const int some = AT_ONCE / (A + 1);
  for (int i = 0; i < n; i += some) {
    const int m = n - i < some ? n - i : some;
    rng_fill_normal(rng, pairs, (size_t)m * (size_t)(A + 1));
    for (int k = 0; k < m; k++)
      memcpy(noise + (long)(i + k) * A, pairs + (long)k * (A + 1), (size_t)A * sizeof *noise);
  }
}

void dist_noise(const Dist *dist, double *noise, Rng *rng, int n, int A) {
  if (dist->discrete)
    rng_fill_uniform(rng, noise, (size_t)n);
  else if (A % 2 == 0)
    rng_fill_normal(rng, noise, (size_t)n * (size_t)A);
  else if (n > 1 && A < 128)
    odd_rows(noise, rng, n, A);
  else
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
