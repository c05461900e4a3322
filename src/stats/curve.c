#include "stats/curve.h"

#include <math.h>

#include "stats/scores.h"

enum { BLOCK = 4096 }; /* points whose resamples are kept at a time */

Curve curve_of(double *step, double *value, long n) {
  long kept = 0;
  for (long i = 0; i < n; i++) {
    if (isnan(value[i])) continue;
    step[kept] = step[i];
    value[kept++] = value[i];
  }
  return (Curve){kept, step, value};
}

long curve_axis(double *step, long points, const Curve *curves, long count) {
  double low = INFINITY, high = -INFINITY;
  for (long c = 0; c < count; c++) {
    if (curves[c].n == 0) continue;
    low = fmin(low, curves[c].step[0]);
    high = fmax(high, curves[c].step[curves[c].n - 1]);
  }
  if (!(low <= high)) return 0;
  step[0] = low;
  if (low == high) return 1;
  for (long i = 1; i < points; i++) {
    const double share = (double)i / (double)(points - 1);
    step[i] = i == points - 1 ? high : low + share * (high - low);
  }
  return points;
}

double curve_at(const Curve *curve, double step) {
  const double *s = curve->step, *v = curve->value;
  const long n = curve->n;
  if (n == 0 || !(step >= s[0] && step <= s[n - 1])) return NAN;
  /* s[low] <= step < s[high] */
  long low = 0, high = n;
  while (high - low > 1) {
    const long middle = low + (high - low) / 2;
    if (s[middle] <= step)
      low = middle;
    else
      high = middle;
  }
  if (s[low] == step) return v[low];
  const double share = (step - s[low]) / (s[high] - s[low]);
  return v[low] + share * (v[high] - v[low]);
}

/* What the resamples have in common: the values at each point. */
typedef struct Columns {
  Scores *at; /* [points] runs = 0 where no curve is */
  long points;
  long most;   /* curves at any point */
  size_t room; /* bytes that the statistics need */
} Columns;

static void draw_points(const void *context, Rng *rng, double *out, void *work) {
  const Columns *columns = context;
  uint32_t *draw = (uint32_t *)((char *)work + columns->room);
  long drawn = 0;
  for (long i = 0; i < columns->points; i++) {
    const Scores *scores = &columns->at[i];
    if (scores->runs == 0) {
      out[i] = 0;
      continue;
    }
    /* the same runs as long as there are as many of them */
    if (scores->runs != drawn) {
      Rng first = *rng;
      scores_resample(scores, &first, draw);
      drawn = scores->runs;
    }
    out[i] = scores_statistic(scores, SCORES_IQM, draw, work);
  }
}

/* The values of the curves that are at a step, as scores. value [work] [count] */
static Status fill_column(Columns *columns, long i, double step, const Curve *curves, long count,
                          double *value, Arena *arena) {
  Scores *scores = &columns->at[i];
  long n = 0;
  for (long c = 0; c < count; c++) {
    value[n] = curve_at(&curves[c], step);
    n += !isnan(value[n]);
  }
  *scores = (Scores){.runs = 0};
  if (n == 0) return OK;
  const Status status = scores_init(scores, value, n, 1, 1, INFINITY, arena);
  if (status == OK && n > columns->most) {
    columns->most = n;
    columns->room = scores_bytes(scores);
  }
  return status;
}

/* The aggregates at point i, but for the interval. */
static void summarize(CurveSummary *out, long i, const Scores *scores, void *work) {
  const int any = scores->runs > 0;
  out->n[i] = (double)scores->runs;
  out->iqm[i] = any ? scores_statistic(scores, SCORES_IQM, NULL, work) : NAN;
  out->mean[i] = any ? scores_statistic(scores, SCORES_MEAN, NULL, work) : NAN;
  out->median[i] = any ? scores_statistic(scores, SCORES_MEDIAN, NULL, work) : NAN;
}

static Status aggregate(CurveSummary *out, const double *step, long points, const Curve *curves,
                        long count, const Bootstrap *plan, Arena *arena) {
  Columns columns = {.at = ARENA_PUSH(arena, Scores, points), .points = points};
  double *value = ARENA_PUSH(arena, double, count);
  if (!columns.at || !value) return E_NOMEM;
  for (long i = 0; i < points; i++) {
    const Status status = fill_column(&columns, i, step[i], curves, count, value, arena);
    if (status != OK) return status;
  }
  const size_t bytes = columns.room + (size_t)columns.most * sizeof(uint32_t);
  void *work = arena_push(arena, bytes);
  if (!work) return E_NOMEM;
  for (long i = 0; i < points; i++) summarize(out, i, &columns.at[i], work);
  /* each block of points draws the same runs again, so that their number does not matter */
  Status status = OK;
  for (long i = 0; i < points && status == OK; i += BLOCK) {
    const long n = points - i < BLOCK ? points - i : BLOCK;
    const Columns block = {&columns.at[i], n, columns.most, columns.room};
    status = bootstrap_run(out->low + i, out->high + i, n, draw_points, &block, bytes, plan, arena);
  }
  /* where no curve is, there is no interval */
  for (long i = 0; i < points; i++)
    if (columns.at[i].runs == 0) out->low[i] = out->high[i] = NAN;
  return status;
}

Status curve_aggregate(CurveSummary *out, const double *step, long points, const Curve *curves,
                       long count, const Bootstrap *plan, Arena *arena) {
  const ArenaMark mark = arena_mark(arena);
  const Status status = aggregate(out, step, points, curves, count, plan, arena);
  arena_release(arena, mark);
  return status;
}
