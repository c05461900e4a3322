/*
 * Vector code of classic.h, written once and compiled once per instruction set. Included by classic_<isa>.c, which
 * defines
 *
 *   CLASSIC_TABLE   name of the ClassicTable to make
 *
 * Lanes go in blocks whose intermediate numbers lie in arrays of their own: plain loops over them become vector code.
 */
#include <math.h>
#include <string.h>

#include "base/trig.h"
#include "env/cartpole.h"
#include "env/classic.h"
#include "env/pendulum.h"

/* comparisons may be turned into masks: nobody looks at the floating-point flags */
#pragma GCC optimize("no-trapping-math", "no-math-errno")

enum { BLOCK = 32 };

/* 1 when an angle is too large for vector code; by integers, so that it is vector code itself */
static inline int any_far(const double *restrict angle, int n) {
  const double limit = TRIG_LIMIT;
  uint64_t most, far = 0;
  memcpy(&most, &limit, sizeof most);
  for (int i = 0; i < n; i++) {
    uint64_t bits;
    memcpy(&bits, angle + i, sizeof bits);
    far |= most - (bits & INT64_MAX); /* the sign bit tells less from more */
  }
  return far >> 63 != 0;
}

static __attribute__((noinline)) void far_sines(double *sine, double *cosine, const double *angle,
                                                int n) {
  for (int i = 0; i < n; i++)
    if (fabs(angle[i]) > TRIG_LIMIT) {
      sine[i] = sin(angle[i]);
      cosine[i] = cos(angle[i]);
    }
}

/* sine, cosine [n] of angle [n] */
static inline void sines(double *restrict sine, double *restrict cosine,
                         const double *restrict angle, int n) {
  for (int i = 0; i < n; i++) trig_radians(angle[i], sine + i, cosine + i);
  if (any_far(angle, n)) far_sines(sine, cosine, angle, n);
}

/* --- CartPole ---------------------------------------------------------------------------------------------------- */

static const double CART_GRAVITY = 9.8;
static const double MASS_POLE = 0.1;
static const double MASS_TOTAL = 0.1 + 1.0;
static const double HALF_LENGTH = 0.5;
static const double POLE_MOMENT = 0.1 * 0.5; /* m l */
static const double FORCE = 10.0;
static const double TAU = 0.02; /* seconds of one step */

/* one block, its state apart: x, x', theta, theta'; fallen [n] is 0 or 1 */
static void push_carts(double *restrict x, double *restrict v, double *restrict theta,
                       double *restrict omega, EnvMark *restrict fallen,
                       const double *restrict action, int n) {
  double sine[BLOCK], cosine[BLOCK];
  sines(sine, cosine, theta, n);
  for (int i = 0; i < n; i++) {
    const double s = sine[i], c = cosine[i], force = action[i] == 1 ? FORCE : -FORCE;
    const double u = (force + POLE_MOMENT * (omega[i] * omega[i]) * s) / MASS_TOTAL;
    const double omega_dot = (CART_GRAVITY * s - c * u)
                             / (HALF_LENGTH * (4.0 / 3.0 - MASS_POLE * (c * c) / MASS_TOTAL));
    const double v_dot = u - POLE_MOMENT * omega_dot * c / MASS_TOTAL;
    x[i] = x[i] + TAU * v[i]; /* explicit: positions move with the old speeds */
    v[i] = v[i] + TAU * v_dot;
    theta[i] = theta[i] + TAU * omega[i];
    omega[i] = omega[i] + TAU * omega_dot;
    fallen[i] = (EnvMark)(fabs(x[i]) > CARTPOLE_X) | (EnvMark)(fabs(theta[i]) > CARTPOLE_THETA);
  }
}

static void cartpole(double *state, double *obs, double *reward, EnvMark *terminated,
                     const double *action, int n) {
  double x[BLOCK], v[BLOCK], theta[BLOCK], omega[BLOCK];
  for (int at = 0; at < n; at += BLOCK) {
    const int m = n - at < BLOCK ? n - at : BLOCK;
    double *restrict s = state + 4 * (long)at;
    for (int i = 0; i < m; i++) {
      x[i] = s[4 * i];
      v[i] = s[4 * i + 1];
      theta[i] = s[4 * i + 2];
      omega[i] = s[4 * i + 3];
    }
    push_carts(x, v, theta, omega, terminated + at, action + at, m);
    for (int i = 0; i < m; i++) {
      s[4 * i] = x[i];
      s[4 * i + 1] = v[i];
      s[4 * i + 2] = theta[i];
      s[4 * i + 3] = omega[i];
    }
    memcpy(obs + 4 * (long)at, s, 4 * (size_t)m * sizeof *s);
    for (int i = 0; i < m; i++) reward[at + i] = 1;
  }
}

/* --- Pendulum ---------------------------------------------------------------------------------------------------- */

static const double GRAVITY = 10.0;
static const double DT = 0.05; /* seconds of one step */

static inline double clip(double x, double limit) {
  x = x < -limit ? -limit : x;
  return x > limit ? limit : x;
}

static __attribute__((noinline)) void far_wraps(double *angle, const double *theta, int n) {
  for (int i = 0; i < n; i++)
    if (fabs(theta[i]) > TRIG_LIMIT) angle[i] = remainder(theta[i], 0x1.921fb54442d18p+2);
}

/* angle [n] = theta less the nearest multiple of 2 pi (the double), whose two parts have exact multiples */
static inline void wraps(double *restrict angle, const double *restrict theta, int n) {
  for (int i = 0; i < n; i++) {
    const double turns = (theta[i] * 0.15915494309189533577 + TRIG_ROUND) - TRIG_ROUND;
    angle[i] = (theta[i] - turns * 0x1.921fb544p+2) - turns * 0x1.0b46p-32;
  }
  if (any_far(theta, n)) far_wraps(angle, theta, n);
}

/* one block, its state apart: theta, theta'; reward [n] is of the state before the step */
static void swing(double *restrict theta, double *restrict omega, double *restrict reward,
                  const double *restrict action, int n) {
  double sine[BLOCK], cosine[BLOCK], angle[BLOCK];
  sines(sine, cosine, theta, n);
  wraps(angle, theta, n);
  for (int i = 0; i < n; i++) {
    const double u = clip(action[i], PENDULUM_TORQUE), speed = omega[i];
    reward[i] = -(angle[i] * angle[i] + 0.1 * (speed * speed) + 0.001 * (u * u));
    /* semi-implicit Euler: the angle moves with the new speed */
    omega[i] = clip(speed + (3 * GRAVITY / 2 * sine[i] + 3.0 * u) * DT, PENDULUM_SPEED);
    theta[i] = theta[i] + omega[i] * DT;
  }
}

/* obs [n][3] of one block */
static void show(double *restrict obs, const double *restrict theta, const double *restrict omega,
                 int n) {
  double sine[BLOCK], cosine[BLOCK];
  sines(sine, cosine, theta, n);
  for (int i = 0; i < n; i++) {
    obs[3 * i] = cosine[i];
    obs[3 * i + 1] = sine[i];
    obs[3 * i + 2] = omega[i];
  }
}

static void take_apart(double *restrict theta, double *restrict omega, const double *state, int n) {
  for (int i = 0; i < n; i++) {
    theta[i] = state[2 * i];
    omega[i] = state[2 * i + 1];
  }
}

static void pendulum(double *state, double *obs, double *reward, EnvMark *terminated,
                     const double *action, int n) {
  double theta[BLOCK], omega[BLOCK];
  for (int at = 0; at < n; at += BLOCK) {
    const int m = n - at < BLOCK ? n - at : BLOCK;
    double *s = state + 2 * (long)at;
    take_apart(theta, omega, s, m);
    swing(theta, omega, reward + at, action + at, m);
    for (int i = 0; i < m; i++) {
      s[2 * i] = theta[i];
      s[2 * i + 1] = omega[i];
    }
    show(obs + 3 * (long)at, theta, omega, m);
  }
  memset(terminated, 0, (size_t)n * sizeof *terminated);
}

static void pendulum_observe(double *obs, const double *state, int n) {
  double theta[BLOCK], omega[BLOCK];
  for (int at = 0; at < n; at += BLOCK) {
    const int m = n - at < BLOCK ? n - at : BLOCK;
    take_apart(theta, omega, state + 2 * (long)at, m);
    show(obs + 3 * (long)at, theta, omega, m);
  }
}

const ClassicTable CLASSIC_TABLE = {
    .cartpole = cartpole, .pendulum = pendulum, .pendulum_observe = pendulum_observe};
