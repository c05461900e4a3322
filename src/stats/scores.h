#ifndef TRPO_SCORES_H
#define TRPO_SCORES_H

#include <stdint.h>

#include "base/arena.h"
#include "base/rng.h"
#include "base/status.h"
#include "stats/bootstrap.h"

/**
 * Aggregates of the scores of several runs on several tasks.
 * Source: Agarwal, Schwarzer, Castro, Courville, Bellemare 2021, "Deep reinforcement learning at the edge of the
 * statistical precipice", arXiv:2108.13264, sections 4.1-4.3, and their package rliable 1.2.
 */
typedef enum ScoresStatistic {
  SCORES_IQM, /* mean of what is left of all scores without the floor(n / 4) smallest and largest ones */
  SCORES_MEDIAN, /* of the tasks' means over the runs; of one vector of runs: of the runs */
  SCORES_MEAN,
  SCORES_GAP /* ceiling - mean of min(score, ceiling): the optimality gap */
} ScoresStatistic;

/** Scores in the order and with the ranks that the statistics are computed from. */
typedef struct Scores {
  long runs, tasks;
  int vector;          /* runs of one task, whose median is over runs */
  double ceiling;      /* scores above count as this much; INFINITY without */
  long levels;         /* different scores */
  const double *x;     /* [tasks][runs] */
  const double *value; /* the different scores, ascending         [levels] */
  const int32_t *rank; /* x = value[rank]                   [tasks][runs] */
} Scores;

/**
 * x [in] is [runs][tasks], finite and of size at most 1e300. Memory comes from the arena and lasts until its user
 * releases it. Returns OK or E_NOMEM.
 */
Status scores_init(Scores *scores, const double *x, long runs, long tasks, int vector,
                   double ceiling, Arena *arena);

/** Bytes of workspace that scores_statistic needs. */
size_t scores_bytes(const Scores *scores);

/**
 * A statistic of the scores, or of a resample of them.
 *
 * draw_  [in]    the run that stands for each run of each task, from 0; NULL: the scores themselves   [tasks][runs]
 * work   [work]  scores_bytes
 */
double scores_statistic(const Scores *scores, ScoresStatistic statistic, const uint32_t *draw_,
                        void *work);

/** Draws a stratified resample: of each task as many runs as it has, with replacement. draw [tasks][runs]. */
void scores_resample(const Scores *scores, Rng *rng, uint32_t *draw);

/**
 * Counts of the different scores of a resample.
 * count [out] [levels]; draw_ as above.
 */
void scores_count(const Scores *scores, const uint32_t *draw_, uint32_t *count);

/** Percentile interval of a statistic over stratified resamples. low, high [out] one number. Returns OK or E_NOMEM. */
Status scores_interval(double *low, double *high, const Scores *scores, ScoresStatistic statistic,
                       const Bootstrap *plan, Arena *arena);

#endif
