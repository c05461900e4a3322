/* Vector steps of classic.h: every instruction set and any number of lanes give the bits of one lane alone, and those
 * follow the published equations, written plainly with the C library's sines. */
#include "env/classic.h"

#include <math.h>
#include <string.h>

#include "base/isa.h"
#include "base/rng.h"
#include "check.h"

extern const ClassicTable classic_generic, classic_avx2, classic_avx512;

enum { LANES = 75 };

/* states, what a step makes of them, actions */
typedef struct Lanes {
  double state[4 * LANES], obs[4 * LANES], reward[LANES], action[LANES];
  EnvMark terminated[LANES];
} Lanes;

static double between(Rng *rng, double low, double high) {
  return low + (high - low) * rng_uniform(rng);
}

/* --- the equations ------------------------------------------------------------------------------------------------ */

static int plain_cartpole(double s[4], double action) {
  const double force = action == 1 ? 10 : -10, c = cos(s[2]), sn = sin(s[2]);
  const double push = (force + 0.05 * s[3] * s[3] * sn) / 1.1;
  const double alpha = (9.8 * sn - c * push) / (0.5 * (4.0 / 3 - 0.1 * c * c / 1.1));
  const double acceleration = push - 0.05 * alpha * c / 1.1;
  const double next[4] = {s[0] + 0.02 * s[1], s[1] + 0.02 * acceleration, s[2] + 0.02 * s[3],
                          s[3] + 0.02 * alpha};
  memcpy(s, next, sizeof next);
  return fabs(s[0]) > 2.4 || fabs(s[2]) > 12 * 2 * 3.14159265358979323846 / 360;
}

static double plain_pendulum(double s[2], double action) {
  const double pi = 3.14159265358979323846, u = fmax(-2, fmin(2, action));
  double angle = fmod(s[0], 2 * pi); /* exact, as adding pi first would not be */
  angle -= angle > pi ? 2 * pi : angle < -pi ? -2 * pi : 0;
  const double reward = -(angle * angle + 0.1 * s[1] * s[1] + 0.001 * u * u);
  s[1] = fmax(-8, fmin(8, s[1] + (15 * sin(s[0]) + 3 * u) * 0.05));
  s[0] += s[1] * 0.05;
  return reward;
}

/* --- comparisons -------------------------------------------------------------------------------------------------- */

static double far(double a, double b) {
  return fabs(a - b) / fmax(1, fabs(b));
}

static Lanes carts(Rng *rng) {
  Lanes l = {.reward = {0}};
  for (int i = 0; i < LANES; i++) {
    l.state[4 * i] = between(rng, -2.6, 2.6);
    l.state[4 * i + 1] = between(rng, -4, 4);
    l.state[4 * i + 2] = i == 40 ? 1e8 : i == 41 ? 3.0 : between(rng, -0.25, 0.25);
    l.state[4 * i + 3] = between(rng, -4, 4);
    l.action[i] = rng_uniform(rng) < 0.5;
  }
  return l;
}

static Lanes pendulums(Rng *rng) {
  Lanes l = {.reward = {0}};
  for (int i = 0; i < LANES; i++) {
    l.state[2 * i] = i == 40 ? 1e7 : between(rng, -30, 30);
    l.state[2 * i + 1] = between(rng, -8, 8);
    l.action[i] = between(rng, -3, 3);
  }
  return l;
}

static void check_cartpole_formula(const ClassicTable *table, const char *name) {
  Rng rng = rng_at(rng_key(1, 0), RNG_USER, 0, 0);
  double worst = 0;
  int marks = 1, ended = 0;
  for (int round = 0; round < 200; round++) {
    Lanes l = carts(&rng), plain = l;
    table->cartpole(l.state, l.obs, l.reward, l.terminated, l.action, LANES);
    for (int i = 0; i < LANES; i++) {
      const int over = plain_cartpole(plain.state + 4 * i, l.action[i]);
      marks &= l.terminated[i] == (EnvMark)over && l.reward[i] == 1;
      ended += over;
      for (int k = 0; k < 4; k++)
        worst = fmax(worst, far(l.state[4 * i + k], plain.state[4 * i + k]));
    }
    marks &= memcmp(l.obs, l.state, sizeof l.obs) == 0;
  }
  CHECK(worst < 1e-14, "%s: carts follow the equations: %.1e", name, worst);
  CHECK(marks && ended > 1000, "%s: ends, rewards and observations of carts", name);
}

static void check_pendulum_formula(const ClassicTable *table, const char *name) {
  Rng rng = rng_at(rng_key(2, 0), RNG_USER, 0, 0);
  double worst = 0, obs[3 * LANES];
  int marks = 1;
  for (int round = 0; round < 200; round++) {
    Lanes l = pendulums(&rng), plain = l;
    table->pendulum(l.state, l.obs, l.reward, l.terminated, l.action, LANES);
    for (int i = 0; i < LANES; i++) {
      const double reward = plain_pendulum(plain.state + 2 * i, l.action[i]);
      const double expected[5] = {reward, plain.state[2 * i], plain.state[2 * i + 1],
                                  cos(l.state[2 * i]), sin(l.state[2 * i])};
      const double got[5] = {l.reward[i], l.state[2 * i], l.state[2 * i + 1], l.obs[3 * i],
                             l.obs[3 * i + 1]};
      for (int k = 0; k < 5; k++) worst = fmax(worst, far(got[k], expected[k]));
      marks &= !l.terminated[i] && l.obs[3 * i + 2] == l.state[2 * i + 1];
    }
    table->pendulum_observe(obs, l.state, LANES);
    marks &= memcmp(obs, l.obs, sizeof obs) == 0;
  }
  CHECK(worst < 2e-13, "%s: pendulums follow the equations: %.1e", name, worst);
  CHECK(marks, "%s: observations of pendulums", name);
}

/* n lanes at once against each lane alone by the plain table */
static int same_as_alone(const ClassicTable *table, int pendulum, Lanes l, int n) {
  const int width = pendulum ? 2 : 4, shown = pendulum ? 3 : 4;
  Lanes one = l;
  (pendulum ? table->pendulum : table->cartpole)(l.state, l.obs, l.reward, l.terminated, l.action,
                                                 n);
  for (int i = 0; i < n; i++)
    (pendulum ? classic_generic.pendulum
              : classic_generic.cartpole)(one.state + width * i, one.obs + shown * i,
                                          one.reward + i, one.terminated + i, one.action + i, 1);
  return memcmp(&l, &one, sizeof l) == 0; /* lanes beyond n are as they were */
}

static void check_alone(const ClassicTable *table, const char *name) {
  Rng rng = rng_at(rng_key(3, 0), RNG_USER, 0, 0);
  int same[2] = {1, 1};
  for (int n = 0; n <= LANES; n++) {
    same[0] &= same_as_alone(table, 0, carts(&rng), n);
    same[1] &= same_as_alone(table, 1, pendulums(&rng), n);
  }
  CHECK(same[0], "%s: any number of carts has the bits of one alone", name);
  CHECK(same[1], "%s: any number of pendulums has the bits of one alone", name);
}

static void check_table(const ClassicTable *table, const char *name) {
  check_cartpole_formula(table, name);
  check_pendulum_formula(table, name);
  check_alone(table, name);
}

int main(void) {
  check_table(&classic_generic, "generic");
#ifdef __x86_64__
  if (isa_supported(ISA_AVX2)) check_table(&classic_avx2, "avx2");
  if (isa_supported(ISA_AVX512)) check_table(&classic_avx512, "avx512");
#endif
  return check_failures();
}
