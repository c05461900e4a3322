/* Philox4x32-10 against the vectors published with Random123 (kat_vectors), and the distributions built on it. */
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/rng_lanes.h"
#include "base/rng_normal.h"
#include "check.h"

extern const RngTable rng_table_generic, rng_table_avx2, rng_table_avx512;

static void check_vectors(void) {
  static const struct {
    uint32_t counter[4], key[2], out[4];
  } known[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (int i = 0; i < 3; i++) {
    uint32_t out[4];
    RngKey key = {{known[i].key[0], known[i].key[1]}};
    rng_philox(key, known[i].counter, out);
    CHECK(memcmp(out, known[i].out, sizeof out) == 0, "published vector %d", i + 1);
    memcpy(out, known[i].counter, sizeof out);
    rng_philox(key, out, out);
    CHECK(memcmp(out, known[i].out, sizeof out) == 0, "published vector %d in place", i + 1);
  }
}

static void check_layout(void) {
  RngKey key = rng_key(0x1FEDCBA9876543u, 0x7FF);
  CHECK(key.k[0] == 0xA9876543u && key.k[1] == (0x1FEDCBu | 0x7FFu << 21), "key layout");
  Rng rng = rng_at(key, RNG_VINE, 5, 0xABCD12345678u);
  CHECK(rng.counter[0] == 0 && rng.counter[1] == 5 && rng.counter[2] == 0x12345678u
            && rng.counter[3] == (0xABCDu | 6u << 16),
        "counter layout");
  uint32_t out[4], counter[4] = {1, 5, 0x12345678u, 0xABCDu | 6u << 16};
  rng_philox(key, counter, out);
  for (int i = 0; i < 4; i++) {
    rng_bits(&rng);
  }
  CHECK(rng_bits(&rng) == out[0], "the fifth word is the first of block 1");
  Rng last = rng_at(key, RNG_USER, 0, 7);
  last.counter[0] = 0xFFFFFFFFu;
  for (int i = 0; i < 5; i++) {
    rng_bits(&last);
  }
  CHECK(last.counter[0] == 1 && last.counter[2] == 8,
        "a long cursor carries into the step instead of repeating");
}

static void check_moments(void) {
  enum { N = 1000000 };
  double *x = malloc(N * sizeof *x), mean = 0, square = 0, fourth = 0, least = 1, most = 0;
  Rng rng = rng_at(rng_key(11, 0), RNG_USER, 0, 0);
  rng_fill_uniform(&rng, x, N);
  for (int i = 0; i < N; i++) {
    mean += x[i] / N;
    square += x[i] * x[i] / N;
    least = fmin(least, x[i]);
    most = fmax(most, x[i]);
  }
  CHECK(fabs(mean - 0.5) < 5 * 0.2887e-3, "uniform mean %.5f", mean);
  CHECK(fabs(square - 1.0 / 3.0) < 5 * 0.2981e-3, "uniform second moment %.5f", square);
  CHECK(least >= 0.0 && most < 1.0, "uniform range [%g, %.9f]", least, most);
  mean = square = 0;
  rng_fill_normal(&rng, x, N);
  for (int i = 0; i < N; i++) {
    mean += x[i] / N;
    square += x[i] * x[i] / N;
    fourth += x[i] * x[i] * x[i] * x[i] / N;
  }
  CHECK(fabs(mean) < 5e-3, "normal mean %.5f", mean);
  CHECK(fabs(square - 1.0) < 5 * 1.4143e-3, "normal second moment %.5f", square);
  CHECK(fabs(fourth - 3.0) < 5 * 9.798e-3, "normal fourth moment %.5f", fourth);
  free(x);
}

static void check_normal_pairs(void) {
  double three[3];
  Rng a = rng_at(rng_key(12, 0), RNG_USER, 0, 0), b = a;
  rng_fill_normal(&a, three, 3);
  double first = rng_normal(&b), second = rng_normal(&b);
  CHECK(first == three[0] && second == three[2],
        "a fill takes both numbers of a block, rng_normal the cosine");
}

/* Box and Muller's formula by the C library in extended precision, from the words of a block */
static double normal_of(const uint32_t w[4], int sine) {
  const long double u = ((w[0] >> 5) * 67108864.0L + (w[1] >> 6)) / 9007199254740992.0L;
  const long double v = ((w[2] >> 5) * 67108864.0L + (w[3] >> 6)) / 9007199254740992.0L;
  const long double angle = 6.283185307179586476925286766559L * v;
  return (double)(sqrtl(-2.0L * logl(1.0L - u)) * (sine ? sinl(angle) : cosl(angle)));
}

static void check_normal_formula(void) {
  double worst = 0;
  Rng rng = rng_at(rng_key(15, 0), RNG_USER, 0, 0);
  for (uint32_t k = 0; k < 200000; k++) {
    double pair[2];
    rng_fill_normal(&rng, pair, 2);
    for (int i = 0; i < 2; i++) {
      const double truth = normal_of(rng.block, i);
      worst = fmax(worst, fabs(pair[i] - truth) / fmax(fabs(truth), 1e-3));
    }
  }
  CHECK(worst < 1e-15, "normals follow the formula: relative error %.1e", worst);
}

static void check_normal_ends(void) {
  double cosine, sine;
  rng_pair(0, 0.125, &cosine, &sine);
  CHECK(cosine == 0 && sine == 0, "a radius of zero");
  rng_pair(1 - 0x1p-53, 0, &cosine, &sine);
  CHECK(fabs(cosine - 8.5717) < 1e-3 && sine == 0, "the largest normal: %.5f", cosine);
}

static void check_fills(void) {
  enum { N = 101 };
  for (int n = 0; n <= N; n++) {
    double fill[N], pair[2];
    Rng a = rng_at(rng_key(16, 3), RNG_USER, 1, 2), b = a;
    rng_bits(&a), rng_bits(&b); /* a block that was begun is left */
    rng_fill_normal(&a, fill, (size_t)n);
    int same = 1;
    for (int i = 0; i < n; i += 2) {
      rng_fill_normal(&b, pair, 2);
      same &= fill[i] == pair[0] && (i + 1 == n || fill[i + 1] == pair[1]);
    }
    CHECK(same && memcmp(&a, &b, sizeof a) == 0, "%d normals at once as pair after pair", n);
  }
  /* the count of blocks carries into the step */
  double fill[40], pair[2];
  Rng a = rng_at(rng_key(16, 3), RNG_USER, 1, 2), b;
  a.counter[0] = UINT32_MAX - 10;
  b = a;
  rng_fill_normal(&a, fill, 40);
  int same = 1;
  for (int i = 0; i < 40; i += 2) {
    rng_fill_normal(&b, pair, 2);
    same &= fill[i] == pair[0] && fill[i + 1] == pair[1];
  }
  CHECK(same && a.counter[2] == 3, "normals at once where the count of blocks carries");
}

/* lanes in any order at any clock, against a cursor for each */
static void check_lanes(void) {
  enum { LANES = 37, A = 5 };
  int lane[LANES];
  uint64_t step[LANES];
  double u[LANES], z[LANES * A];
  for (int i = 0; i < LANES; i++) {
    lane[i] = (i * 29) % 101;
    step[i] = (uint64_t)i * 0x123456789u;
  }
  RngLanes lanes = {.key = rng_key(17, 9), .purpose = RNG_ACTION, .lane = lane, .step = step};
  for (lanes.n = 0; lanes.n <= LANES; lanes.n++) {
    int same = 1;
    rng_lanes_uniform(&lanes, u);
    for (int i = 0; i < lanes.n; i++) {
      Rng rng = rng_at(lanes.key, RNG_ACTION, (uint32_t)lane[i], step[i]);
      same &= u[i] == rng_uniform(&rng);
    }
    CHECK(same, "uniforms of %d lanes at once as by cursors", lanes.n);
    for (int size = 1; size <= A; size++) {
      same = 1;
      rng_lanes_normal(&lanes, z, size);
      for (int i = 0; i < lanes.n; i++) {
        double one[A];
        Rng rng = rng_at(lanes.key, RNG_ACTION, (uint32_t)lane[i], step[i]);
        rng_fill_normal(&rng, one, (size_t)size);
        same &= memcmp(one, z + i * size, (size_t)size * sizeof *one) == 0;
      }
      CHECK(same, "%d normals of each of %d lanes at once as by cursors", size, lanes.n);
    }
  }
}

/* every instruction set gives the bits of the scalar functions */
static void check_table(const RngTable *table, const char *name) {
  int same = 1;
  for (uint32_t round = 0; round < 20000; round++) {
    const RngKey key = rng_key(18 + round, 0);
    RngWords counter;
    double u[RNG_WIDTH], cosine[RNG_WIDTH], sine[RNG_WIDTH], c, s;
    for (int i = 0; i < RNG_WIDTH; i++)
      for (int k = 0; k < 4; k++) counter.k[k][i] = round * 2654435761u + (uint32_t)(i * 7 + k);
    table->uniform(u, key, &counter);
    table->normal(cosine, sine, key, &counter);
    for (int i = 0; i < RNG_WIDTH; i++) {
      uint32_t w[4] = {counter.k[0][i], counter.k[1][i], counter.k[2][i], counter.k[3][i]};
      rng_philox(key, w, w);
      rng_pair(rng_unit(w[0], w[1]), rng_unit(w[2], w[3]), &c, &s);
      same &= u[i] == rng_unit(w[0], w[1]) && cosine[i] == c && sine[i] == s;
    }
  }
  CHECK(same, "%s: the same bits as one by one", name);
}

static void check_tables(void) {
  check_table(&rng_table_generic, "generic");
#ifdef __x86_64__
  if (isa_supported(ISA_AVX2)) check_table(&rng_table_avx2, "avx2");
  if (isa_supported(ISA_AVX512)) check_table(&rng_table_avx512, "avx512");
#endif
}

static void check_below(void) {
  enum { DRAWS = 600000 };
  Rng rng = rng_at(rng_key(13, 0), RNG_USER, 0, 0);
  double count[6] = {0}, chi = 0;
  for (int i = 0; i < DRAWS; i++) {
    count[rng_below(&rng, 6)]++;
  }
  for (int i = 0; i < 6; i++) {
    chi += (count[i] - DRAWS / 6) * (count[i] - DRAWS / 6) / (DRAWS / 6);
  }
  CHECK(chi < 20.5, "rng_below(6): chi-square with 5 degrees of freedom %.2f (99.9%%: 20.5)", chi);
  /* n = 3 * 2^30: without rejection, a third of the results would come up twice as often as the others */
  double low = 0;
  for (int i = 0; i < DRAWS; i++) {
    low += rng_below(&rng, 3221225472u) % 3 == 0;
  }
  CHECK(fabs(low / DRAWS - 1.0 / 3.0) < 5 * 0.4714 / sqrt(DRAWS),
        "rng_below is unbiased for large n: %.5f", low / DRAWS);
  CHECK(rng_below(&rng, 1) == 0, "rng_below(1) is 0");
}

static void check_permutation(void) {
  enum { DRAWS = 60000 };
  Rng rng = rng_at(rng_key(14, 0), RNG_SHUFFLE, 0, 0);
  double count[27] = {0}, chi = 0;
  int good = 1;
  for (int i = 0; i < DRAWS; i++) {
    uint32_t p[3];
    rng_permutation(&rng, p, 3);
    good &= (1u << p[0] | 1u << p[1] | 1u << p[2]) == 7;
    count[p[0] * 9 + p[1] * 3 + p[2]]++;
  }
  for (int i = 0; i < 27; i++) {
    chi += count[i] > 0 ? (count[i] - DRAWS / 6) * (count[i] - DRAWS / 6) / (DRAWS / 6) : 0;
  }
  CHECK(good, "permutations hold each index once");
  CHECK(chi < 20.5, "all six permutations of three are equally likely: chi-square %.2f", chi);
  rng_permutation(&rng, NULL, 0);
  CHECK(1, "the empty permutation");
}

int main(void) {
  check_vectors();
  check_layout();
  check_moments();
  check_normal_pairs();
  if (check_extended()) check_normal_formula();
  check_normal_ends();
  check_fills();
  check_lanes();
  check_tables();
  check_below();
  check_permutation();
  return check_failures();
}
