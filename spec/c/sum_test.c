/* Sums: accuracy against a wider type within the documented bound, and independence of the number of threads. */
#include "base/sum.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/rng.h"
#include "check.h"

enum { MOST = 100003, ROWS = 64, COLUMNS = 1037 };

static double x[MOST], y[MOST];

/* every length in some lists: sums, sums of squares and dot products against long double */
static void check_accuracy(void) {
  static const size_t lengths[] = {0,   1,   7,   8,    9,    63,   64,  65,
                                   127, 128, 129, 1000, 4096, 4097, MOST};
  for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
    const size_t n = lengths[k];
    const double bound = (8 + log2((double)n + 1)) * DBL_EPSILON, mean = 0.3;
    long double sum = 0, size = 0, dot = 0, dot_size = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
      sum += x[i], size += fabs(x[i]);
      dot += (long double)x[i] * y[i], dot_size += fabsl((long double)x[i] * y[i]);
      squares += ((long double)x[i] - mean) * ((long double)x[i] - mean);
    }
    CHECK(fabsl(sum_pairwise(x, n) - sum) <= bound * size
              && fabsl(sum_dot(x, y, n) - dot) <= bound * dot_size
              && fabsl(sum_squares(x, n, mean) - squares) <= 2 * bound * squares,
          "sums of %zu numbers are within their bound", n);
  }
  CHECK(isnan(sum_mean(x, 0)) && sum_mean(x, 1) == x[0],
        "the mean of nothing is NaN, of one its value");
  double cancel[3] = {1e16, 1, -1e16};
  CHECK(fabs(sum_pairwise(cancel, 3) - 1) <= 12 * DBL_EPSILON * 2e16,
        "cancellation stays within the bound");
}

static void check_special(void) {
  double a[200];
  for (int i = 0; i < 200; i++) a[i] = 1;
  a[150] = NAN;
  CHECK(isnan(sum_pairwise(a, 200)), "a NaN shows in the sum");
  a[150] = INFINITY;
  CHECK(isinf(sum_pairwise(a, 200)), "an infinity shows in the sum");
}

/* the columns of rows, with a stride, against long double, and the same bits with 1, 2 and 3 threads */
static void check_columns(void) {
  static double rows[ROWS * (COLUMNS + 3)], one[COLUMNS], many[COLUMNS];
  const size_t stride = COLUMNS + 3;
  for (size_t i = 0; i < ROWS * stride; i++) rows[i] = x[i];
  for (int count = 0; count <= ROWS; count = count < 3 ? count + 1 : count * 2 - 1) {
    double worst = 0;
    for (int threads = 1; threads <= 3; threads++) {
      pool_set_threads(threads);
      sum_rows(threads == 1 ? one : many, rows, count, stride, COLUMNS, 0.5);
      CHECK(threads == 1 || memcmp(one, many, sizeof one) == 0, "columns of %d rows: %d threads",
            count, threads);
    }
    for (size_t j = 0; j < COLUMNS; j++) {
      long double sum = 0;
      for (int i = 0; i < count; i++) sum += rows[i * stride + j];
      worst = fmax(worst, fabs((double)(one[j] - 0.5L * sum)));
    }
    CHECK(worst < 1e-13, "columns of %d rows: %.1e", count, worst);
  }
  pool_set_threads(1);
}

int main(void) {
  Rng rng = rng_at(rng_key(4, 0), RNG_USER, 0, 0);
  rng_fill_normal(&rng, x, MOST);
  rng_fill_normal(&rng, y, MOST);
  check_accuracy();
  check_special();
  check_columns();
  return check_failures();
}
