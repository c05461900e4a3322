#include "stats/explained.h"

#include <math.h>

#include "base/sum.h"

static int all_equal(const double *x, long N) {
  for (long i = 1; i < N; i++)
    if (x[i] != x[0]) return 0;
  return 1;
}

double explained_variance(const double *prediction, const double *ret, long N) {
  const double mean = sum_mean(ret, (size_t)N);
  const double total = sum_squares(ret, (size_t)N, mean);
  const double bias = mean - sum_mean(prediction, (size_t)N);
  double left = 0;
  for (long i = 0; i < N; i++) {
    const double e = ret[i] - prediction[i] - bias;
    left += e * e;
  }
  /* equal returns may differ from their rounded mean */
  return total > 0 && !all_equal(ret, N) ? 1 - left / total : NAN;
}
