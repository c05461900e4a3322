#include "mdp/bellman.h"

#include <float.h>
#include <math.h>

#include "base/pool.h"

/* how far ahead of their use probabilities and next states are fetched: the hardware sees too many streams to do it */
enum { AHEAD_PROB = 256, AHEAD_NEXT = 512 };

/* what one worker has seen; a cache line each */
typedef struct Seen {
  double low, high, size;
  ptrdiff_t changed;
  int bad; /* something was not finite */
  char padding[28];
} Seen;

typedef struct Backup {
  const Mdp *mdp;
  double *out;
  int64_t *choice;
  const double *v;
  Seen seen[POOL_LIMIT];
} Backup;

/* reward + gamma sum prob v of row k */
static inline double row_value(const Mdp *mdp, int64_t k, const double *v) {
  double sum = 0.0;
  for (int64_t j = mdp->start[k]; j < mdp->start[k + 1]; j++) {
    __builtin_prefetch(&mdp->prob[j + AHEAD_PROB]);
    __builtin_prefetch(&mdp->next[j + AHEAD_NEXT]);
    sum += mdp->prob[j] * v[mdp->next[j]];
  }
  return mdp->reward[k] + mdp->gamma * sum;
}

static inline void see(Seen *seen, double value, double before) {
  const double d = value - before;
  seen->bad |= !(fabs(d) <= DBL_MAX);
  seen->low = d < seen->low ? d : seen->low;
  seen->high = d > seen->high ? d : seen->high;
  seen->size = fabs(value) > seen->size ? fabs(value) : seen->size;
}

/*
 * Rows of equal length, as most models have them, go without their starts and without inner loops that end where the
 * processor cannot foresee it. length is a constant in each copy of what follows; 0: any lengths. The order of the
 * additions is the same, so are the bits.
 */
#define INLINE static inline __attribute__((always_inline))

/* entries of row k begin at offset + length k */
INLINE double row_fixed(const Mdp *mdp, int64_t k, const double *v, int64_t offset, int length) {
  if (length == 0) {
    return row_value(mdp, k, v);
  }
  const double *prob = mdp->prob + offset + k * length;
  const int32_t *next = mdp->next + offset + k * length;
  double sum = 0.0;
  __builtin_prefetch(prob + AHEAD_PROB);
  __builtin_prefetch(next + AHEAD_NEXT);
  for (int j = 0; j < length; j++) {
    sum += prob[j] * v[next[j]];
  }
  return mdp->reward[k] + mdp->gamma * sum;
}

/* the state of rows [k, end): its best value; with choice the row too */
INLINE double best_of(const Mdp *mdp, int64_t k, int64_t end, const double *v, int64_t offset,
                      int length) {
  double best = row_fixed(mdp, k, v, offset, length);
  for (k++; k < end; k++) {
    const double q = row_fixed(mdp, k, v, offset, length);
    best = q > best ? q : best;
  }
  return best;
}

/* The same with the row. Which row is best cannot be guessed, and a wrong guess would stop all loads that are under way:
 * the comparison becomes a mask. */
INLINE double choose(const Mdp *mdp, int64_t k, int64_t end, const double *v, int64_t *choice,
                     ptrdiff_t *changed, int64_t offset, int length) {
  const int64_t old = *choice;
  double best = row_fixed(mdp, k, v, offset, length);
  int64_t winner = k;
  for (k++; k < end; k++) {
    const double q = row_fixed(mdp, k, v, offset, length);
    winner ^= (winner ^ k) & -(int64_t)(q > best);
    best = q > best ? q : best;
  }
  /* another row than the old one, which in late passes is rare: is it better? */
  if (winner != old
      && !(old >= 0 && row_fixed(mdp, old, v, offset, length) >= best - BELLMAN_TIE * fabs(best))) {
    *changed += 1;
    *choice = winner;
  }
  return best;
}

/* the states [begin, end); their rows are computed where every state has all actions, which saves a stream */
INLINE void backup_states(const Backup *job, Seen *seen, ptrdiff_t begin, ptrdiff_t end,
                          int64_t offset, int length) {
  const Mdp *mdp = job->mdp;
  const double *v = job->v;
  const int full = mdp_is_full(mdp);
  for (ptrdiff_t s = begin; s < end; s++) {
    const int64_t k = full ? s * mdp->A : mdp->first[s];
    const int64_t last = full ? k + mdp->A : mdp->first[s + 1];
    const double value = job->choice ? choose(mdp, k, last, v, &job->choice[s], &seen->changed,
                                              offset, length)
                                     : best_of(mdp, k, last, v, offset, length);
    job->out[s] = value;
    see(seen, value, v[s]);
  }
}

/* the length that all rows of [k, end) have, or 0 */
static int64_t common_length(const Mdp *mdp, int64_t k, int64_t end) {
  const int64_t length = mdp->start[k + 1] - mdp->start[k];
  int64_t differ = 0;
  for (; k < end; k++) {
    differ |= (mdp->start[k + 1] - mdp->start[k]) ^ length;
  }
  return differ ? 0 : length;
}

static void backup_chunk(void *context, int chunk, int worker) {
  Backup *job = context;
  const Mdp *mdp = job->mdp;
  const ptrdiff_t begin = mdp_chunk_begin(mdp->S, chunk), end = mdp_chunk_begin(mdp->S, chunk + 1);
  const int64_t k = mdp->first[begin], length = common_length(mdp, k, mdp->first[end]);
  const int64_t offset = mdp->start[k] - length * k;
  Seen seen = job->seen[worker];
  switch (length) {
  case 1: backup_states(job, &seen, begin, end, offset, 1); break;
  case 2: backup_states(job, &seen, begin, end, offset, 2); break;
  case 3: backup_states(job, &seen, begin, end, offset, 3); break;
  case 4: backup_states(job, &seen, begin, end, offset, 4); break;
  case 5: backup_states(job, &seen, begin, end, offset, 5); break;
  case 6: backup_states(job, &seen, begin, end, offset, 6); break;
  case 8: backup_states(job, &seen, begin, end, offset, 8); break;
  default: backup_states(job, &seen, begin, end, 0, 0);
  }
  job->seen[worker] = seen;
}

/* extremes are the same in any order */
static void merge(const Seen *seen, BellmanInfo *info) {
  int bad = 0;
  *info = (BellmanInfo){.low = INFINITY, .high = -INFINITY};
  for (int i = 0; i < POOL_LIMIT; i++) {
    info->low = fmin(info->low, seen[i].low);
    info->high = fmax(info->high, seen[i].high);
    info->size = fmax(info->size, seen[i].size);
    info->changed += seen[i].changed;
    bad |= seen[i].bad;
  }
  if (bad || !(info->high - info->low <= DBL_MAX)) {
    info->low = info->high = NAN;
  }
}

void bellman_backup(const Mdp *mdp, double *out, int64_t *choice, const double *v,
                    BellmanInfo *info) {
  Backup job = {.mdp = mdp, .out = out, .choice = choice, .v = v};
  for (int i = 0; i < POOL_LIMIT; i++) {
    job.seen[i] = (Seen){.low = INFINITY, .high = -INFINITY};
  }
  pool_run(backup_chunk, &job, mdp_chunks(mdp->S));
  merge(job.seen, info);
}

/* --- Q and the greedy choice --------------------------------------------------------------------------------------- */

typedef struct Table {
  const Mdp *mdp;
  double *q;
  int64_t *choice;
  const double *v;
} Table;

static void q_chunk(void *context, int chunk, int worker) {
  const Table *job = context;
  const Mdp *mdp = job->mdp;
  const ptrdiff_t begin = mdp_chunk_begin(mdp->S, chunk), end = mdp_chunk_begin(mdp->S, chunk + 1);
  (void)worker;
  for (ptrdiff_t s = begin; s < end; s++) {
    double *q = job->q + s * mdp->A;
    for (ptrdiff_t a = 0; a < mdp->A && !mdp_is_full(mdp); a++) {
      q[a] = -INFINITY;
    }
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      q[mdp->action[k]] = row_value(mdp, k, job->v);
    }
  }
}

void bellman_q(const Mdp *mdp, double *q, const double *v) {
  Table job = {.mdp = mdp, .q = q, .v = v};
  pool_run(q_chunk, &job, mdp_chunks(mdp->S));
}

/* the lowest row within the margin of the best: one pass, the candidates' values are remembered as they fall behind */
static void greedy_chunk(void *context, int chunk, int worker) {
  const Table *job = context;
  const Mdp *mdp = job->mdp;
  const ptrdiff_t begin = mdp_chunk_begin(mdp->S, chunk), end = mdp_chunk_begin(mdp->S, chunk + 1);
  (void)worker;
  for (ptrdiff_t s = begin; s < end; s++) {
    const double best = best_of(mdp, mdp->first[s], mdp->first[s + 1], job->v, 0, 0);
    int64_t k = mdp->first[s];
    while (!(row_value(mdp, k, job->v) >= best - BELLMAN_TIE * fabs(best))
           && k + 1 < mdp->first[s + 1]) {
      k++;
    }
    job->choice[s] = k;
  }
}

void bellman_greedy(const Mdp *mdp, int64_t *choice, const double *v) {
  Table job = {.mdp = mdp, .choice = choice, .v = v};
  pool_run(greedy_chunk, &job, mdp_chunks(mdp->S));
}

/* --- bounds -------------------------------------------------------------------------------------------------------- */

typedef struct Survey {
  const Mdp *mdp;
  const double *v;
  BellmanShape shape[POOL_LIMIT];
  Seen seen[POOL_LIMIT];
} Survey;

static void shape_chunk(void *context, int chunk, int worker) {
  Survey *job = context;
  const Mdp *mdp = job->mdp;
  BellmanShape *shape = &job->shape[worker];
  const int64_t begin = mdp->first[mdp_chunk_begin(mdp->S, chunk)];
  const int64_t end = mdp->first[mdp_chunk_begin(mdp->S, chunk + 1)];
  for (int64_t k = begin; k < end; k++) {
    double sum = 0.0;
    for (int64_t j = mdp->start[k]; j < mdp->start[k + 1]; j++) {
      __builtin_prefetch(&mdp->prob[j + AHEAD_PROB]);
      sum += mdp->prob[j];
    }
    shape->mass_low = fmin(shape->mass_low, sum);
    shape->mass_high = fmax(shape->mass_high, sum);
    shape->reward = fmax(shape->reward, fabs(mdp->reward[k]));
    if (mdp->start[k + 1] - mdp->start[k] > shape->longest) {
      shape->longest = mdp->start[k + 1] - mdp->start[k];
    }
  }
}

void bellman_shape(const Mdp *mdp, BellmanShape *shape) {
  Survey job = {.mdp = mdp};
  *shape = (BellmanShape){.mass_low = INFINITY};
  for (int i = 0; i < POOL_LIMIT; i++) {
    job.shape[i] = *shape;
  }
  pool_run(shape_chunk, &job, mdp_chunks(mdp->S));
  for (int i = 0; i < POOL_LIMIT; i++) {
    shape->mass_low = fmin(shape->mass_low, job.shape[i].mass_low);
    shape->mass_high = fmax(shape->mass_high, job.shape[i].mass_high);
    shape->reward = fmax(shape->reward, job.shape[i].reward);
    if (job.shape[i].longest > shape->longest) {
      shape->longest = job.shape[i].longest;
    }
  }
}

/* a row's value with the bound of its rounding error */
static inline double row_bound(const Mdp *mdp, int64_t k, const double *v, double *error) {
  double sum = 0.0, size = 0.0;
  for (int64_t j = mdp->start[k]; j < mdp->start[k + 1]; j++) {
    __builtin_prefetch(&mdp->prob[j + AHEAD_PROB]);
    __builtin_prefetch(&mdp->next[j + AHEAD_NEXT]);
    const double term = mdp->prob[j] * v[mdp->next[j]];
    sum += term;
    size += fabs(term);
  }
  const double n = (double)(mdp->start[k + 1] - mdp->start[k]);
  *error = (n + 4) * (0.5 * DBL_EPSILON) * (fabs(mdp->reward[k]) + mdp->gamma * size) + DBL_MIN;
  return mdp->reward[k] + mdp->gamma * sum;
}

static void bracket_chunk(void *context, int chunk, int worker) {
  Survey *job = context;
  const Mdp *mdp = job->mdp;
  const double *v = job->v;
  const ptrdiff_t begin = mdp_chunk_begin(mdp->S, chunk), end = mdp_chunk_begin(mdp->S, chunk + 1);
  Seen seen = job->seen[worker];
  for (ptrdiff_t s = begin; s < end; s++) {
    double low = -INFINITY, high = -INFINITY;
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      double error;
      const double q = row_bound(mdp, k, v, &error);
      seen.bad |= !(fabs(q) + error <= DBL_MAX);
      low = q - error > low ? q - error : low;
      high = q + error > high ? q + error : high;
    }
    /* the roundings of q -+ error and of the differences */
    const double slack = 2 * DBL_EPSILON * (fabs(low) + fabs(high) + fabs(v[s]));
    low = low - v[s] - slack;
    high = high - v[s] + slack;
    seen.bad |= !(high - low <= DBL_MAX);
    seen.low = low < seen.low ? low : seen.low;
    seen.high = high > seen.high ? high : seen.high;
  }
  job->seen[worker] = seen;
}

void bellman_bracket(const Mdp *mdp, const double *v, double *low, double *high) {
  Survey job = {.mdp = mdp, .v = v};
  for (int i = 0; i < POOL_LIMIT; i++) {
    job.seen[i] = (Seen){.low = INFINITY, .high = -INFINITY};
  }
  pool_run(bracket_chunk, &job, mdp_chunks(mdp->S));
  BellmanInfo info;
  merge(job.seen, &info);
  *low = info.low;
  *high = info.high;
}

/* 1 - gamma m, from below: the mass was summed with an error, and so is the difference */
static double damping(double gamma, double mass, int64_t longest) {
  const double error = ((double)longest + 4) * DBL_EPSILON * (1.0 + gamma * mass);
  return 1.0 - gamma * mass - error;
}

static double distance(double gamma, const BellmanShape *shape, double d, double mass) {
  const double lost = damping(gamma, mass, shape->longest);
  return d == 0.0 ? 0.0 : lost > 0.0 ? d / lost : copysign(INFINITY, d);
}

/* the same from above, for bounds that shrink towards zero */
static double least(double gamma, const BellmanShape *shape, double d, double mass) {
  const double error = ((double)shape->longest + 4) * DBL_EPSILON * (1.0 + gamma * mass);
  return d / (1.0 - gamma * mass + 2 * error);
}

void bellman_bounds(double gamma, const BellmanShape *shape, double low, double high, double *below,
                    double *above) {
  *above = high >= 0.0 ? distance(gamma, shape, high, shape->mass_high)
                       : least(gamma, shape, high, shape->mass_low);
  *below = low <= 0.0 ? distance(gamma, shape, low, shape->mass_high)
                      : least(gamma, shape, low, shape->mass_low);
}
