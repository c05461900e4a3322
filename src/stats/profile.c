#include "stats/profile.h"

/* What the resamples have in common. */
typedef struct Profile {
  const Scores *scores;
  const long *place; /* how many of the different scores are at most tau   [count] */
  long count;
} Profile;

/* How many of the different scores are at most tau. */
static long find_place(const Scores *scores, double tau) {
  long low = 0, high = scores->levels;
  while (low < high) {
    const long middle = low + (high - low) / 2;
    if (scores->value[middle] <= tau)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Shares above each tau in a resample, or in the scores themselves. work [levels + 1] counts */
static void shares(const Profile *profile, const uint32_t *draw_, double *out, uint32_t *work) {
  const Scores *scores = profile->scores;
  const uint32_t n = (uint32_t)(scores->runs * scores->tasks);
  uint32_t *below = work; /* below[k]: scores that are less than value[k] */
  below[0] = 0;
  scores_count(scores, draw_, below + 1);
  for (long k = 1; k <= scores->levels; k++) below[k] += below[k - 1];
  for (long w = 0; w < profile->count; w++) out[w] = (n - below[profile->place[w]]) / (double)n;
}

static void draw_shares(const void *context, Rng *rng, double *out, void *work) {
  const Profile *profile = context;
  uint32_t *draw = (uint32_t *)work + profile->scores->levels + 1;
  scores_resample(profile->scores, rng, draw);
  shares(profile, draw, out, work);
}

Status profile_compute(double *share, double *low_, double *high_, const Scores *scores,
                       const double *tau, long count, const Bootstrap *plan_, Arena *arena) {
  const ArenaMark mark = arena_mark(arena);
  const long n = scores->runs * scores->tasks;
  long *place = ARENA_PUSH(arena, long, count);
  uint32_t *work = ARENA_PUSH(arena, uint32_t, scores->levels + 1);
  const Profile profile = {scores, place, count};
  Status status = place && work ? OK : E_NOMEM;
  if (status == OK) {
    for (long w = 0; w < count; w++) place[w] = find_place(scores, tau[w]);
    shares(&profile, NULL, share, work);
  }
  if (status == OK && plan_) {
    const size_t bytes = (size_t)(scores->levels + 1 + n) * sizeof(uint32_t);
    status = bootstrap_run(low_, high_, count, draw_shares, &profile, bytes, plan_, arena);
  }
  arena_release(arena, mark);
  return status;
}
