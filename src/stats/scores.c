#include "stats/scores.h"

#include <math.h>
#include <string.h>

#include "base/sum.h"
#include "stats/order.h"

/* x [runs][tasks] task after task, at most the ceiling each */
static void arrange(double *to, const double *x, long runs, long tasks, double ceiling) {
  for (long task = 0; task < tasks; task++)
    for (long run = 0; run < runs; run++)
      to[task * runs + run] = fmin(x[run * tasks + task], ceiling);
}

Status scores_init(Scores *scores, const double *x, long runs, long tasks, int vector,
                   double ceiling, Arena *arena) {
  const long n = runs * tasks;
  double *arranged = ARENA_PUSH(arena, double, n), *value = ARENA_PUSH(arena, double, n);
  int32_t *rank = ARENA_PUSH(arena, int32_t, n);
  const ArenaMark mark = arena_mark(arena);
  OrderEntry *work = ARENA_PUSH(arena, OrderEntry, n);
  if (!arranged || !value || !rank || !work) return E_NOMEM;
  arrange(arranged, x, runs, tasks, ceiling);
  *scores = (Scores){.runs = runs,
                     .tasks = tasks,
                     .vector = vector,
                     .ceiling = ceiling,
                     .levels = order_rank(value, rank, arranged, n, work),
                     .x = arranged,
                     .value = value,
                     .rank = rank};
  arena_release(arena, mark);
  return OK;
}

/* a double for each score and task, and the counts: room for any statistic */
size_t scores_bytes(const Scores *scores) {
  const size_t n = (size_t)(scores->runs * scores->tasks);
  return (n + (size_t)scores->tasks) * sizeof(double) + n * sizeof(uint32_t);
}

void scores_resample(const Scores *scores, Rng *rng, uint32_t *draw) {
  rng_fill_below(rng, draw, (size_t)(scores->runs * scores->tasks), (uint32_t)scores->runs);
}

void scores_count(const Scores *scores, const uint32_t *draw_, uint32_t *count) {
  const long runs = scores->runs;
  memset(count, 0, (size_t)scores->levels * sizeof *count);
  for (long task = 0; task < scores->tasks; task++) {
    const int32_t *rank = scores->rank + task * runs;
    const uint32_t *draw = draw_ ? draw_ + task * runs : NULL;
    for (long i = 0; i < runs; i++) count[rank[draw ? draw[i] : i]]++;
  }
}

static long within(long x, long low, long high) {
  return x < low ? low : x > high ? high : x;
}

/* Mean without the `cut` smallest and largest scores, a score counted as often as it was drawn. */
static double trimmed_mean(const Scores *scores, const uint32_t *draw_, long cut, void *work) {
  const long n = scores->runs * scores->tasks, end = n - cut;
  double *part = work;
  uint32_t *count = (uint32_t *)(part + n);
  double low = INFINITY, high = -INFINITY;
  long before = 0;
  scores_count(scores, draw_, count);
  for (long k = 0; k < scores->levels; k++) {
    /* of places before .. before + count in the order, those in cut .. end are kept */
    const long after = before + count[k];
    const long kept = within(after, cut, end) - within(before, cut, end);
    part[k] = (double)kept * scores->value[k];
    if (kept > 0) {
      low = fmin(low, scores->value[k]);
      high = scores->value[k];
    }
    before = after;
  }
  /* rounding may not lead out of the range: the mean of equal scores is the score */
  const double mean = sum_pairwise(part, (size_t)scores->levels) / (double)(end - cut);
  return fmin(fmax(mean, low), high);
}

/* Median over the tasks of the means over the runs. */
static double median_of_means(const Scores *scores, const uint32_t *draw_, void *work) {
  const long runs = scores->runs;
  double *mean = work, *drawn = mean + scores->tasks;
  for (long task = 0; task < scores->tasks; task++) {
    const double *x = scores->x + task * runs;
    const uint32_t *draw = draw_ ? draw_ + task * runs : NULL;
    for (long i = 0; i < runs; i++) drawn[i] = x[draw ? draw[i] : i];
    mean[task] = sum_mean(drawn, (size_t)runs);
  }
  return order_quantile(mean, scores->tasks, 0.5);
}

double scores_statistic(const Scores *scores, ScoresStatistic statistic, const uint32_t *draw_,
                        void *work) {
  const long n = scores->runs * scores->tasks;
  switch (statistic) {
  case SCORES_IQM: return trimmed_mean(scores, draw_, n / 4, work);
  case SCORES_MEDIAN:
    /* the mean of the one or two in the middle */
    if (scores->vector) return trimmed_mean(scores, draw_, (n - 1) / 2, work);
    return median_of_means(scores, draw_, work);
  case SCORES_GAP: return scores->ceiling - trimmed_mean(scores, draw_, 0, work);
  default: return trimmed_mean(scores, draw_, 0, work);
  }
}

/* What the resamples of an interval have in common. */
typedef struct Interval {
  const Scores *scores;
  ScoresStatistic statistic;
} Interval;

static void draw_statistic(const void *context, Rng *rng, double *out, void *work) {
  const Interval *interval = context;
  const Scores *scores = interval->scores;
  uint32_t *draw = (uint32_t *)((char *)work + scores_bytes(scores));
  scores_resample(scores, rng, draw);
  *out = scores_statistic(scores, interval->statistic, draw, work);
}

Status scores_interval(double *low, double *high, const Scores *scores, ScoresStatistic statistic,
                       const Bootstrap *plan, Arena *arena) {
  const Interval interval = {scores, statistic};
  const size_t draws = (size_t)(scores->runs * scores->tasks) * sizeof(uint32_t);
  return bootstrap_run(low, high, 1, draw_statistic, &interval, scores_bytes(scores) + draws, plan,
                       arena);
}
