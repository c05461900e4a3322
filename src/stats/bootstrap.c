#include "stats/bootstrap.h"

#include "base/pool.h"
#include "stats/order.h"

enum { CHUNK = 32 }; /* resamples a task */

RngKey bootstrap_key(Rng *rng) {
  const uint64_t low = rng_bits(rng), high = rng_bits(rng);
  return rng_key(low | (high >> 11) << 32, 0);
}

/* What the tasks share. */
typedef struct Job {
  const Bootstrap *plan;
  BootstrapDraw draw;
  const void *context;
  long width;
  double *result; /* [width][reps] */
  double *low, *high;
  char *work; /* [workers][work_bytes] */
  size_t work_bytes;
} Job;

/* The statistics of a few resamples. */
static void resample(void *context, int chunk, int worker) {
  const Job *job = context;
  const long reps = job->plan->reps;
  char *work = job->work + (size_t)worker * job->work_bytes;
  double *out = (double *)work;
  const long begin = (long)chunk * CHUNK, end = begin + CHUNK < reps ? begin + CHUNK : reps;
  for (long b = begin; b < end; b++) {
    Rng rng = rng_at(job->plan->key, RNG_USER, (uint32_t)b, 0);
    job->draw(job->context, &rng, out, out + job->width);
    for (long w = 0; w < job->width; w++) job->result[w * reps + b] = out[w];
  }
}

/* The interval of one statistic. */
static void find_ends(void *context, int chunk, int worker) {
  const Job *job = context;
  const long reps = job->plan->reps;
  const double tail = (1 - job->plan->confidence) / 2;
  double *x = job->result + chunk * reps;
  (void)worker;
  job->low[chunk] = order_quantile(x, reps, tail);
  job->high[chunk] = order_quantile(x, reps, 1 - tail);
}

Status bootstrap_run(double *low, double *high, long width, BootstrapDraw draw, const void *context,
                     size_t work_bytes, const Bootstrap *plan, Arena *arena) {
  const ArenaMark mark = arena_mark(arena);
  /* a thread's part: the statistics of one resample, then draw's own, on cache lines of its own */
  const size_t bytes = ((size_t)width * sizeof(double) + work_bytes + 127) / 64 * 64;
  Job job = {.plan = plan,
             .draw = draw,
             .context = context,
             .width = width,
             .low = low,
             .high = high,
             .work_bytes = bytes};
  job.result = ARENA_PUSH(arena, double, width * plan->reps);
  job.work = arena_push(arena, bytes * (size_t)pool_threads());
  if (job.result && job.work) {
    pool_run(resample, &job, (int)((plan->reps + CHUNK - 1) / CHUNK));
    pool_run(find_ends, &job, (int)width);
  }
  const Status status = job.result && job.work ? OK : E_NOMEM;
  arena_release(arena, mark);
  return status;
}
