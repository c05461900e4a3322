/* Distributions in C: many rows at once equal row by row, single equals double on numbers that both hold,
 * gradients are weighted and accumulated, and workspace bounds are kept. */
#include "nn/dist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check.h"

enum { N = 67, A = 5, GUARD = 8 };

static const double MARK = 1234.5;

/* one set of arguments; outputs are numbers that a float holds exactly */
typedef struct Rows {
  const Dist *dist;
  double out[N * A], out_old[N * A], v[N * A], action[N * A], weight[N], extra[A], extra_old[A];
  float out32[N * A], out_old32[N * A], v32[N * A];
  double work[4 * N * A + GUARD];
} Rows;

static Rows rows;

static double coarse(Rng *rng) {
  return round(rng_normal(rng) * 256) / 256;
}

static void make(const Dist *dist) {
  Rng rng = rng_at(rng_key(8, 0), RNG_USER, 0, 0);
  rows.dist = dist;
  for (int k = 0; k < N * A; k++) {
    rows.out32[k] = (float)(rows.out[k] = coarse(&rng));
    rows.out_old32[k] = (float)(rows.out_old[k] = coarse(&rng));
    rows.v32[k] = (float)(rows.v[k] = coarse(&rng));
    rows.action[k] = dist->discrete ? rng_below(&rng, A) : coarse(&rng);
  }
  for (int i = 0; i < N; i++) rows.weight[i] = coarse(&rng);
  for (int a = 0; a < A; a++) {
    rows.extra[a] = 0.5 * coarse(&rng);
    rows.extra_old[a] = 0.5 * coarse(&rng);
  }
  for (int k = 0; k < 4 * N * A + GUARD; k++) rows.work[k] = MARK;
}

static int guard_intact(void) {
  const long used = dist_work(N, A);
  for (int k = 0; k < GUARD; k++)
    if (rows.work[used + k] != MARK) return 0;
  return 1;
}

static int same(const double *a, const double *b, long n) {
  return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

/* functions with one number per row: all rows at once, one by one, and in single precision */
static void check_scalars(void) {
  const Dist *d = rows.dist;
  const int size = dist_action_size(d, A);
  double all[4][N], one[4][N], single[4][N];
  d->log_prob(DOUBLE, all[0], rows.out, rows.extra, rows.action, N, A, rows.work);
  d->entropy(DOUBLE, all[1], rows.out, rows.extra, N, A, rows.work);
  d->kl(DOUBLE, all[2], all[3], rows.out_old, rows.extra_old, rows.out, rows.extra, rows.action, N,
        A, rows.work);
  CHECK(guard_intact(), "%s: dist_work is enough", d->name);
  d->log_prob(SINGLE, single[0], rows.out32, rows.extra, rows.action, N, A, rows.work);
  d->entropy(SINGLE, single[1], rows.out32, rows.extra, N, A, rows.work);
  d->kl(SINGLE, single[2], single[3], rows.out_old32, rows.extra_old, rows.out32, rows.extra,
        rows.action, N, A, rows.work);
  for (int i = 0; i < N; i++) {
    const double *out = rows.out + i * A;
    d->log_prob(DOUBLE, one[0] + i, out, rows.extra, rows.action + i * size, 1, A, rows.work);
    d->entropy(DOUBLE, one[1] + i, out, rows.extra, 1, A, rows.work);
    d->kl(DOUBLE, one[2] + i, one[3] + i, rows.out_old + i * A, rows.extra_old, out, rows.extra,
          rows.action + i * size, 1, A, rows.work);
  }
  for (int k = 0; k < 4; k++) {
    CHECK(same(all[k], one[k], N), "%s: rows together as rows alone (%d)", d->name, k);
    CHECK(same(all[k], single[k], N), "%s: single as double where floats are exact (%d)", d->name,
          k);
  }
  CHECK(same(all[3], all[0], N), "%s: the log-probability beside KL is that of log_prob", d->name);
  d->kl(DOUBLE, one[2], NULL, rows.out, rows.extra, rows.out, rows.extra, NULL, N, A, rows.work);
  int zero = 1;
  for (int i = 0; i < N; i++) zero &= one[2][i] == 0;
  CHECK(zero, "%s: KL from itself is exactly 0", d->name);
}

/* gradients in the outputs and in extra: weights, accumulation; the numbers that come with them */
static void check_score(void) {
  const Dist *d = rows.dist;
  const int size = dist_action_size(d, A), extras = dist_extras(d, A);
  double all[N * A], one[N * A], unit = 1, worst = 0, sums[A] = {0}, got[A], worst_extra = 0;
  double logp[N], h[N], information[N * A], alone[N * A];
  for (int a = 0; a < A; a++) got[a] = 10; /* dextra is added to */
  d->score(DOUBLE, &(DistScore){all, got, logp, h, information}, rows.out, rows.extra, rows.action,
           rows.weight, N, A, rows.work);
  CHECK(guard_intact(), "%s: dist_work is enough for gradients", d->name);
  for (int i = 0; i < N; i++) {
    double extra[A] = {0};
    d->score(DOUBLE, &(DistScore){one + i * A, extra, alone, alone + 1, alone + 2},
             rows.out + i * A, rows.extra, rows.action + i * size, &unit, 1, A, rows.work);
    for (int a = 0; a < A; a++) {
      worst = fmax(worst, fabs(all[i * A + a] - rows.weight[i] * one[i * A + a]));
      sums[a] += rows.weight[i] * extra[a];
    }
  }
  for (int a = 0; a < A; a++)
    worst_extra = fmax(worst_extra, fabs(got[a] - 10 - (extras ? sums[a] : 0)));
  d->log_prob(DOUBLE, alone, rows.out, rows.extra, rows.action, N, A, rows.work);
  CHECK(same(logp, alone, N), "%s: the log-probability beside a score is that of log_prob",
        d->name);
  d->entropy(DOUBLE, alone, rows.out, rows.extra, N, A, rows.work);
  CHECK(same(h, alone, N), "%s: the entropy beside a score is that of entropy", d->name);
  d->information(DOUBLE, alone, rows.out, rows.extra, N, A);
  CHECK(same(information, alone, (long)N * A), "%s: so is the information", d->name);
  CHECK(worst < 1e-13, "%s: every row's score has its weight: %.1e", d->name, worst);
  CHECK(worst_extra < 1e-11, "%s: the state-independent part is the weighted sum: %.1e", d->name,
        worst_extra);
}

static void check_kl_score(void) {
  const Dist *d = rows.dist;
  double all[N * A], extra[A] = {0}, one[N * A], sums[A] = {0}, worst = 0, zero = 0;
  d->kl_score(DOUBLE, all, extra, rows.out_old, rows.extra_old, rows.out, rows.extra, N, A,
              rows.work);
  CHECK(guard_intact(), "%s: dist_work is enough for KL gradients", d->name);
  for (int i = 0; i < N; i++)
    d->kl_score(DOUBLE, one + i * A, sums, rows.out_old + i * A, rows.extra_old, rows.out + i * A,
                rows.extra, 1, A, rows.work);
  for (int a = 0; a < A; a++) worst = fmax(worst, fabs(extra[a] - sums[a]));
  CHECK(same(all, one, N * A) && worst < 1e-11, "%s: KL gradients together as alone", d->name);
  memset(extra, 0, sizeof extra);
  d->kl_score(DOUBLE, all, extra, rows.out, rows.extra, rows.out, rows.extra, N, A, rows.work);
  for (int k = 0; k < N * A; k++) zero = fmax(zero, fabs(all[k]));
  for (int a = 0; a < A; a++) zero = fmax(zero, fabs(extra[a]));
  CHECK(zero == 0, "%s: the KL gradient at equal parameters is exactly 0", d->name);
}

/* M dot of n rows from row i on */
static void metric(Precision precision, void *dot, int i, int n) {
  const Dist *d = rows.dist;
  const void *out = precision == SINGLE ? (const void *)(rows.out32 + i * A) : rows.out + i * A;
  double information[N * A];
  d->information(precision, information, out, rows.extra, n, A);
  d->metric(precision, dot, information, n, A, A);
}

static void check_metric(void) {
  const Dist *d = rows.dist;
  double all[N * A], one[N * A], worst = 0;
  memcpy(all, rows.v, sizeof all);
  memcpy(one, rows.v, sizeof one);
  metric(DOUBLE, all, 0, N);
  for (int i = 0; i < N; i++) metric(DOUBLE, one + i * A, i, 1);
  metric(SINGLE, rows.v32, 0, N);
  for (int k = 0; k < N * A; k++)
    worst = fmax(worst, fabs(rows.v32[k] - all[k]) / (1 + fabs(all[k])));
  CHECK(same(all, one, N * A), "%s: the metric of rows together as alone", d->name);
  CHECK(worst < 1e-7, "%s: the metric in single precision: %.1e", d->name, worst);
}

/* u'M v from differences to the last output is that from the outputs themselves */
static void check_contrast(void) {
  const Dist *d = rows.dist;
  double information[N * A], whole[N * A], part[N * (A - 1)], worst = 0;
  if (!d->contrast) return;
  memcpy(whole, rows.v, sizeof whole);
  for (int i = 0; i < N; i++)
    for (int a = 0; a < A - 1; a++)
      part[i * (A - 1) + a] = rows.v[i * A + a] - rows.v[i * A + A - 1];
  d->information(DOUBLE, information, rows.out, rows.extra, N, A);
  d->metric(DOUBLE, whole, information, N, A, A);
  d->metric(DOUBLE, part, information, N, A - 1, A);
  for (int i = 0; i < N; i++) {
    double last = 0;
    for (int a = 0; a < A - 1; a++) {
      worst = fmax(worst, fabs(part[i * (A - 1) + a] - whole[i * A + a]));
      last -= part[i * (A - 1) + a];
    }
    worst = fmax(worst, fabs(last - whole[i * A + A - 1]));
  }
  CHECK(worst < 1e-14, "%s: the metric of differences: %.1e", d->name, worst);
}

static void check_sample(void) {
  const Dist *d = rows.dist;
  const int size = dist_action_size(d, A);
  int lane[N];
  uint64_t step[N];
  double all[N * A], one[N * A], noise[N * A], logp[N], logp_one[N], again[N];
  for (int i = 0; i < N; i++) {
    lane[i] = 2 * i;
    step[i] = 3 + (uint64_t)i;
  }
  const RngLanes lanes = {
      .key = rng_key(9, 0), .purpose = RNG_ACTION, .n = N, .lane = lane, .step = step};
  dist_noise_lanes(d, noise, &lanes, A);
  d->sample(DOUBLE, all, logp, rows.out, rows.extra, noise, N, A, rows.work);
  d->log_prob(DOUBLE, again, rows.out, rows.extra, all, N, A, rows.work);
  CHECK(guard_intact(), "%s: dist_work is enough for samples", d->name);
  for (int i = 0; i < N; i++) {
    Rng own = rng_at(rng_key(9, 0), RNG_ACTION, (uint32_t)lane[i], step[i]);
    dist_noise(d, noise, &own, 1, A);
    d->sample(DOUBLE, one + i * size, logp_one + i, rows.out + i * A, rows.extra, noise, 1, A,
              rows.work);
  }
  CHECK(same(all, one, (long)N * size), "%s: every row draws from its own generator", d->name);
  CHECK(same(logp, logp_one, N) && same(logp, again, N),
        "%s: the log-probability is that of log_prob to the last bit", d->name);
}

/* draws from one row, against its probabilities */
static void check_frequencies(void) {
  enum { DRAWS = 200000 };
  const double out[3] = {0.3, -HUGE_VAL, 1.2};
  const double p = 1 / (1 + exp(0.9));
  double count[3] = {0}, noise, action, logp, work[12];
  Rng rng = rng_at(rng_key(10, 0), RNG_ACTION, 0, 0);
  for (int i = 0; i < DRAWS; i++) {
    dist_noise(&dist_categorical, &noise, &rng, 1, 3);
    dist_categorical.sample(DOUBLE, &action, &logp, out, NULL, &noise, 1, 3, work);
    count[(int)action]++;
  }
  CHECK(count[1] == 0, "an action of probability 0 is never drawn");
  CHECK(fabs(count[0] / DRAWS - p) < 4 * sqrt(p * (1 - p) / DRAWS),
        "actions come as often as their probabilities say: %.4f", count[0] / DRAWS);
  noise = 1 - 0x1p-53;
  dist_categorical.sample(DOUBLE, &action, &logp, out, NULL, &noise, 1, 3, work);
  CHECK(action == 2, "the largest uniform number draws the last possible action");
}

int main(void) {
  const Dist *all[] = {&dist_categorical, &dist_gaussian};
  for (int k = 0; k < 2; k++) {
    make(all[k]);
    check_scalars();
    check_score();
    check_kl_score();
    check_metric();
    check_contrast();
    check_sample();
  }
  check_frequencies();
  CHECK(dist_extras(&dist_categorical, A) == 0 && dist_extras(&dist_gaussian, A) == A,
        "numbers in extra");
  CHECK(dist_action_size(&dist_categorical, A) == 1 && dist_action_size(&dist_gaussian, A) == A,
        "doubles of an action");
  return check_failures();
}
