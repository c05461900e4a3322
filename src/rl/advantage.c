#include "rl/advantage.h"

#include <math.h>

#include "base/sum.h"
#include "stats/explained.h"

/* Value of the state after row i of a lane that ends before row end. */
static double next_value(const Batch *batch, long i, long end) {
  if (batch->terminated[i] != 0) return 0;
  if (batch->cut[i] >= 0) return batch->cut_value[batch->cut[i]];
  return i + 1 < end ? batch->value[i + 1] : 0;
}

void advantage_gae(Batch *batch, double gamma, double lambda) {
  for (int lane = 0; lane < batch->lanes; lane++) {
    const long end = batch->lane_begin[lane + 1];
    double next = 0;
    for (long i = end - 1; i >= batch->lane_begin[lane]; i--) {
      const int stops = batch->terminated[i] != 0 || batch->cut[i] >= 0;
      const double delta = batch->reward[i] + gamma * next_value(batch, i, end) - batch->value[i];
      next = delta + (stops ? 0 : gamma * lambda * next);
      batch->advantage[i] = next;
      batch->ret[i] = next + batch->value[i];
    }
  }
}

double advantage_unit(const double *A, long N) {
  double largest = 0;
  for (long i = 0; i < N; i++) largest = fmax(largest, fabs(A[i]));
  return largest > 0 && isfinite(largest) ? ldexp(1, ilogb(largest)) : 1;
}

void advantage_standardize(double *A, long N) {
  /* in the unit nothing overflows, and dividing by a power of two is exact */
  const double unit = advantage_unit(A, N);
  for (long i = 0; i < N; i++) A[i] /= unit;
  const double mean = sum_mean(A, (size_t)N);
  const double deviation = sqrt(sum_squares(A, (size_t)N, mean) / (double)N);
  const int constant = deviation <= 1e-14; /* of the largest, which is in [1, 2) */
  for (long i = 0; i < N; i++) A[i] = constant ? 0 : (A[i] - mean) / deviation;
}

double advantage_explained_variance(const Batch *batch) {
  return explained_variance(batch->value, batch->ret, batch->N);
}
