/* The bootstrap against the plain way: draw, gather, sort, average, with the same random numbers. */
#include "stats/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "check.h"
#include "stats/curve.h"
#include "stats/order.h"
#include "stats/scores.h"

enum { RUNS = 9, TASKS = 4, N = RUNS * TASKS, REPS = 301 };

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* the quantile of sorted numbers */
static double quantile(const double *x, long n, double p) {
  const double place = p * (double)(n - 1);
  const long k = (long)place;
  return k + 1 < n ? x[k] + (place - (double)k) * (x[k + 1] - x[k]) : x[n - 1];
}

/* interquartile mean or mean; sorts x */
static double plain(double *x, long n, int trimmed) {
  const long cut = trimmed ? n / 4 : 0;
  double sum = 0;
  qsort(x, (size_t)n, sizeof *x, compare);
  for (long i = cut; i < n - cut; i++) sum += x[i];
  return sum / (double)(n - 2 * cut);
}

static double plain_median_of_means(const double *x) {
  double mean[TASKS];
  for (int task = 0; task < TASKS; task++) {
    mean[task] = 0;
    for (int i = 0; i < RUNS; i++) mean[task] += x[task * RUNS + i] / RUNS;
  }
  qsort(mean, TASKS, sizeof *mean, compare);
  return (mean[TASKS / 2 - 1] + mean[TASKS / 2]) / 2;
}

/* statistic of resample b, drawn from its own lane */
static double plain_resample(const double *x, ScoresStatistic statistic, RngKey key, uint32_t b) {
  double drawn[N];
  Rng rng = rng_at(key, RNG_USER, b, 0);
  for (int task = 0; task < TASKS; task++)
    for (int i = 0; i < RUNS; i++) drawn[task * RUNS + i] = x[rng_below(&rng, RUNS) * TASKS + task];
  if (statistic == SCORES_MEDIAN) return plain_median_of_means(drawn);
  return plain(drawn, N, statistic == SCORES_IQM);
}

static void check_intervals(Arena *arena) {
  static const char *const names[] = {"iqm", "median", "mean"};
  double x[N], value[REPS], low, high;
  Rng rng = rng_at(rng_key(1, 0), RNG_USER, 0, 0);
  rng_fill_normal(&rng, x, N);
  for (int i = 0; i < N; i += 3) x[i] = floor(x[i]); /* ties */
  const Bootstrap plan = {REPS, 0.9, bootstrap_key(&rng)};
  Scores scores;
  CHECK(scores_init(&scores, x, RUNS, TASKS, 0, INFINITY, arena) == OK, "scores");
  for (int k = SCORES_IQM; k <= SCORES_MEAN; k++) {
    for (uint32_t b = 0; b < REPS; b++)
      value[b] = plain_resample(x, (ScoresStatistic)k, plan.key, b);
    qsort(value, REPS, sizeof *value, compare);
    CHECK(scores_interval(&low, &high, &scores, (ScoresStatistic)k, &plan, arena) == OK, "%s",
          names[k]);
    CHECK(fabs(low - quantile(value, REPS, 0.05)) < 1e-14, "low end of the %s", names[k]);
    CHECK(fabs(high - quantile(value, REPS, 0.95)) < 1e-14, "high end of the %s", names[k]);
  }
}

/* quantiles of all kinds of arrays against sorting, the rest kept as a whole */
static void check_quantiles(void) {
  int wrong = 0;
  double x[64], sorted[64];
  Rng rng = rng_at(rng_key(2, 0), RNG_USER, 0, 0);
  for (int trial = 0; trial < 3000; trial++) {
    const long n = 1 + (long)rng_below(&rng, 64);
    const uint32_t values = 1 + rng_below(&rng, trial % 2 ? 5 : 1000);
    const double p = trial % 7 ? rng_uniform(&rng) : trial % 2;
    for (long i = 0; i < n; i++)
      x[i] = trial % 5 == 0 ? (double)i : trial % 5 == 1 ? (double)-i : rng_below(&rng, values);
    memcpy(sorted, x, sizeof x);
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    wrong += fabs(order_quantile(x, n, p) - quantile(sorted, n, p)) > 1e-12;
    qsort(x, (size_t)n, sizeof *x, compare);
    wrong += memcmp(x, sorted, (size_t)n * sizeof *x) != 0;
  }
  CHECK(wrong == 0, "%d quantiles differ", wrong);
}

static void check_infinities(void) {
  double x[] = {INFINITY, 1, -INFINITY, INFINITY}, y[] = {-INFINITY, -INFINITY, 2};
  CHECK(order_quantile(x, 4, 1.0) == INFINITY && order_quantile(x, 4, 0.9) == INFINITY,
        "infinite quantiles");
  CHECK(order_quantile(y, 3, 0.25) == -INFINITY, "a quantile between equal infinities");
}

static void check_ranks(void) {
  const double x[] = {3, -1, 3, 0.0, -0.0, 7};
  const int32_t expected[] = {2, 0, 2, 1, 1, 3};
  double value[6];
  int32_t rank[6];
  OrderEntry work[6];
  CHECK(order_rank(value, rank, x, 6, work) == 4, "different numbers");
  CHECK(memcmp(rank, expected, sizeof expected) == 0, "ranks");
}

/* one resample stands for the runs at all points where as many curves are */
static void check_curve(Arena *arena) {
  enum { CURVES = 6 };
  double step[2] = {0, 1}, value[CURVES][2], row[6][2];
  Curve curves[CURVES];
  for (int c = 0; c < CURVES; c++) {
    value[c][0] = c * c;
    value[c][1] = 100 - 2 * c * c;
    curves[c] = (Curve){2, step, value[c]};
  }
  CurveSummary out = {row[0], row[1], row[2], row[3], row[4], row[5]};
  const Bootstrap plan = {200, 0.8, rng_key(3, 0)};
  CHECK(curve_aggregate(&out, step, 2, curves, CURVES, &plan, arena) == OK, "curves");
  /* the second point is 100 - 2 times the first in every resample, so the ends change places */
  CHECK(fabs(out.low[1] - (100 - 2 * out.high[0])) < 1e-11, "low end");
  CHECK(fabs(out.high[1] - (100 - 2 * out.low[0])) < 1e-11, "high end");
}

int main(void) {
  Arena arena = {0};
  for (int threads = 1; threads <= 3; threads++) {
    pool_set_threads(threads);
    check_intervals(&arena);
    check_curve(&arena);
  }
  check_quantiles();
  check_infinities();
  check_ranks();
  arena_free(&arena);
  return check_failures();
}
