#ifndef TRPO_PENDULUM_H
#define TRPO_PENDULUM_H

#include "env/env.h"

/** The speed and the torque are clipped to these. */
#define PENDULUM_SPEED 8.0
#define PENDULUM_TORQUE 2.0

/**
 * Pendulum-v1: a rod hinged at one end is to be swung up and held there by a torque u in [-2, 2] N m.
 *
 * State { theta [rad], 0 upright; theta' [rad/s] }, observation { cos theta, sin theta, theta' }, m = 1 kg, l = 1 m,
 * g = 10 m/s^2, steps of dt = 0.05 s:
 *
 *   reward  = -(wrap(theta)^2 + 0.1 theta'^2 + 0.001 u^2)           (before the step; wrap into [-pi, pi))
 *   theta'  = clip(theta' + (3 g / (2 l) sin theta + 3 / (m l^2) u) dt, -8, 8)
 *   theta   = theta + theta' dt                                     (with the new speed)
 *
 * Never terminates. Starts with theta uniform in [-pi, pi), theta' in [-1, 1).
 * Source: Gymnasium, classic_control/pendulum.py, in double and without its rounding of observations to float.
 *
 * E_NOMEM.
 */
Status pendulum_make(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream);

#endif
