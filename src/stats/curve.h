#ifndef TRPO_CURVE_H
#define TRPO_CURVE_H

#include "base/arena.h"
#include "base/status.h"
#include "stats/bootstrap.h"

/** Learning curves of several runs, brought to a common axis. */

/** What is known of one run: values at strictly ascending steps, none of them NaN. n may be 0. */
typedef struct Curve {
  long n;
  const double *step, *value; /* [n] */
} Curve;

/** The points of (step, value) [n] whose value is not NaN, moved to the front of the same arrays. */
Curve curve_of(double *step, double *value, long n);

/**
 * An axis of evenly spaced steps from the first to the last step of any curve.
 *
 * step  [out]  ascending                                        [points], points >= 2
 *
 * Returns how many there are: 1 when all points lie at one step, 0 when no curve has any.
 */
long curve_axis(double *step, long points, const Curve *curves, long count);

/** The value at a step by linear interpolation; NaN outside of the curve. */
double curve_at(const Curve *curve, double step);

/** Aggregates at each of the axis' points over the curves that have a value there; NaN where none has. */
typedef struct CurveSummary {
  double *iqm, *low, *high; /* [points] low and high: percentile interval of iqm */
  double *mean, *median;    /* [points] */
  double *n;                /* curves there                       [points] */
} CurveSummary;

/**
 * Aggregates curves [count] at step [points]. Resample b draws the same places in the list of the curves that are there
 * at all points where as many are: the same runs wherever these are the same curves, so that the band is as smooth as
 * they are; where one curve ends and another one begins, it may jump. Returns OK or E_NOMEM.
 */
Status curve_aggregate(CurveSummary *out, const double *step, long points, const Curve *curves,
                       long count, const Bootstrap *plan, Arena *arena);

#endif
