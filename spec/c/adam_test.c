/* Adam against the plain form of its algorithm, in a wider type; every instruction set gives the same bits. */
#include "nn/adam.h"

#include <math.h>
#include <string.h>

#include "base/isa.h"
#include "base/rng.h"
#include "check.h"

extern const AdamTable adam_generic, adam_avx2, adam_avx512;

enum { P = 37 };

/* the first form of algorithm 1 in the paper: bias-corrected moments */
static void plain_step(const Adam *adam, int t, long double *theta, long double *m, long double *v,
                       const double *g) {
  for (int i = 0; i < P; i++) {
    m[i] = adam->beta1 * m[i] + (1 - (long double)adam->beta1) * g[i];
    v[i] = adam->beta2 * v[i] + (1 - (long double)adam->beta2) * g[i] * g[i];
    long double m_hat = m[i] / (1 - powl(adam->beta1, t)),
                v_hat = v[i] / (1 - powl(adam->beta2, t));
    theta[i] -= adam->rate * m_hat / (sqrtl(v_hat) + adam->epsilon);
  }
}

static void check_steps(double rate, double beta1, double beta2, double epsilon, double scale) {
  double theta[P], m[P] = {0}, v[P] = {0}, g[P], worst = 0;
  long double theta_plain[P], m_plain[P] = {0}, v_plain[P] = {0};
  Adam adam = {rate, beta1, beta2, epsilon, m, v, 0};
  Rng rng = rng_at(rng_key(3, 0), RNG_USER, 0, 0);
  for (int i = 0; i < P; i++) theta_plain[i] = theta[i] = rng_normal(&rng);
  for (int t = 1; t <= 2000; t++) {
    for (int i = 0; i < P; i++)
      g[i] = i == 0 ? 0 : scale * (rng_normal(&rng) + 0.5); /* one is always zero */
    adam_step(&adam, theta, g, P);
    plain_step(&adam, t, theta_plain, m_plain, v_plain, g);
    for (int i = 0; i < P; i++) worst = fmax(worst, fabs((double)(theta[i] - theta_plain[i])));
  }
  CHECK(worst < 1e-12 && adam.step == 2000,
        "rate %g, beta %g %g, epsilon %g, gradients near %g: %.1e", rate, beta1, beta2, epsilon,
        scale, worst);
}

/* what 50 steps make of the first `count` parameters */
typedef struct State {
  double theta[P], m[P], v[P];
} State;

static State after_steps(const AdamTable *table, double scale, int count) {
  const AdamUpdate update = {.rate = 1e-3, .epsilon = 1e-8, .beta1 = 0.9, .beta2 = 0.999};
  State s = {.m = {0}};
  double g[P];
  Rng rng = rng_at(rng_key(4, 0), RNG_USER, 0, 0);
  rng_fill_normal(&rng, s.theta, P);
  for (int t = 0; t < 50; t++) {
    rng_fill_normal(&rng, g, P);
    for (int i = 0; i < P; i++) g[i] *= scale;
    g[0] = 0;
    table->update(&update, s.theta, s.m, s.v, g, count);
  }
  return s;
}

static void check_bits(const AdamTable *table, const char *name) {
  static const double scales[] = {1, 1e-9, 1e6, 1e-160}; /* the last one's squares are denormal */
  int same = 1;
  for (int k = 0; k < 4; k++)
    for (int count = 0; count <= P; count++) {
      const State a = after_steps(&adam_generic, scales[k], count),
                  b = after_steps(table, scales[k], count);
      same &= memcmp(&a, &b, sizeof a) == 0;
    }
  CHECK(same, "%s: the bits of the generic instruction set", name);
}

int main(void) {
  check_steps(1e-3, 0.9, 0.999, 1e-8, 1);
  check_steps(1e-3, 0.9, 0.999, 1e-8, 1e-9); /* epsilon matters */
  check_steps(1e-3, 0.9, 0.999, 1e-8, 1e6);
  check_steps(0.05, 0.5, 0.9, 1e-3, 1);
  check_steps(1e-3, 0, 0, 1e-8, 1); /* no memory at all */
#ifdef __x86_64__
  if (isa_supported(ISA_AVX2)) check_bits(&adam_avx2, "avx2");
  if (isa_supported(ISA_AVX512)) check_bits(&adam_avx512, "avx512");
#endif
  return check_failures();
}
