#include "env/cartpole.h"

#include <math.h>
#include <string.h>

#include "env/classic.h"

typedef struct CartPole {
  double x, x_dot, theta, theta_dot;
} CartPole;

static void cartpole_observe(Env *env, int lane) {
  memcpy(env->obs + 4 * (size_t)lane, env->state + lane * sizeof(CartPole), sizeof(CartPole));
}

static Status cartpole_reset(Env *env, EnvCall *call, int lane) {
  (void)call;
  Rng rng = env_rng(env, RNG_RESET, lane);
  double *s = (double *)(void *)env->state + 4 * (size_t)lane;
  for (int i = 0; i < 4; i++) s[i] = -0.05 + 0.1 * rng_uniform(&rng);
  cartpole_observe(env, lane);
  return OK;
}

static Status cartpole_step(Env *env, EnvCall *call, int a, int b) {
  (void)call;
  double *state = (double *)(void *)env->state;
  classic()->cartpole(state + 4 * (size_t)a, env->obs + 4 * (size_t)a, env->reward + a,
                      env->terminated + a, env->action_in + a, b - a);
  return OK;
}

static const EnvKind cartpole_kind = {.id = "CartPole-v1",
                                      .reset = cartpole_reset,
                                      .step = cartpole_step,
                                      .observe = cartpole_observe};

Status cartpole_make(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream) {
  /* twice the limits of an episode, so that the last observation lies within, as Gymnasium has it */
  const double high[4] = {2 * CARTPOLE_X, HUGE_VAL, 2 * CARTPOLE_THETA, HUGE_VAL};
  const double low[4] = {-high[0], -HUGE_VAL, -high[2], -HUGE_VAL};
  Space observation, action;
  space_discrete(&action, 2);
  if (space_box(&observation, 4, low, high) < 0) {
    *env = (Env){0};
    return E_NOMEM;
  }
  Status status = env_init(env, &(EnvSpec){.kind = &cartpole_kind,
                                           .observation = &observation,
                                           .action = &action,
                                           .lanes = lanes,
                                           .time_limit = time_limit,
                                           .grain = 8,
                                           .state_bytes = sizeof(CartPole),
                                           .seed = seed,
                                           .stream = stream});
  space_free(&observation);
  return status;
}
