#ifndef TRPO_CARTPOLE_H
#define TRPO_CARTPOLE_H

#include "env/env.h"

/** Where an episode ends: |x| and |theta| above these. */
#define CARTPOLE_X 2.4
#define CARTPOLE_THETA (12 * 2 * 3.14159265358979323846 / 360)

/**
 * CartPole-v1: a pole hinged on a cart that is pushed left (0) or right (1) with 10 N.
 *
 * State = observation = { x [m], x' [m/s], theta [rad], theta' [rad/s] }, mass of the cart 1 kg, of the pole 0.1 kg,
 * half of the pole's length l = 0.5 m, g = 9.8 m/s^2, explicit Euler steps of 0.02 s:
 *
 *   u       = (F + m l theta'^2 sin theta) / M                                       (M = both masses)
 *   theta'' = (g sin theta - u cos theta) / (l (4/3 - m cos^2 theta / M))
 *   x''     = u - m l theta'' cos theta / M
 *
 * Reward 1 for every step, the last one too. Terminates when |x| > 2.4 or |theta| > 12 degrees after the step.
 * Starts with all four uniform in [-0.05, 0.05).
 * Source: Barto, Sutton, Anderson 1983, with Florian's corrected equations 2007, as Gymnasium has them
 * (classic_control/cartpole.py), in double and without its rounding of observations to float.
 *
 * E_NOMEM.
 */
Status cartpole_make(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream);

#endif
