#ifndef TRPO_BOOTSTRAP_H
#define TRPO_BOOTSTRAP_H

#include "base/arena.h"
#include "base/rng.h"
#include "base/status.h"

/**
 * Percentile bootstrap: statistics of many resamples, and the quantiles that leave (1 - confidence) / 2 on either side.
 * Source: Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 13.
 *
 * Resample b takes its random numbers from (key, purpose user, lane b), so results do not depend on the threads.
 */
typedef struct Bootstrap {
  long reps;         /* resamples, 1 .. BOOTSTRAP_REPS */
  double confidence; /* in (0, 1) */
  RngKey key;
} Bootstrap;

#define BOOTSTRAP_REPS 100000000L

/** A key of its own for one bootstrap, from the next two words of a generator. */
RngKey bootstrap_key(Rng *rng);

/** The statistics [width] of one resample that it draws. Called on several threads at once, each with its own work. */
typedef void (*BootstrapDraw)(const void *context, Rng *rng, double *out, void *work);

/**
 * Intervals of `width` statistics.
 *
 * low, high  [out]  ends of the intervals                                    [width]
 * draw       with what it needs in context, and work_bytes of workspace a thread
 *
 * Returns OK or E_NOMEM.
 */
Status bootstrap_run(double *low, double *high, long width, BootstrapDraw draw, const void *context,
                     size_t work_bytes, const Bootstrap *plan, Arena *arena);

#endif
