#include "env/pendulum.h"

#include "env/classic.h"

static const double PI = 3.14159265358979323846;

typedef struct Pendulum {
  double theta, theta_dot;
} Pendulum;

static void pendulum_observe(Env *env, int lane) {
  const double *state = (const double *)(const void *)env->state;
  classic()->pendulum_observe(env->obs + 3 * (size_t)lane, state + 2 * (size_t)lane, 1);
}

static Status pendulum_reset(Env *env, EnvCall *call, int lane) {
  (void)call;
  Rng rng = env_rng(env, RNG_RESET, lane);
  Pendulum *s = (Pendulum *)(void *)env->state + lane;
  s->theta = -PI + 2 * PI * rng_uniform(&rng);
  s->theta_dot = -1 + 2 * rng_uniform(&rng);
  pendulum_observe(env, lane);
  return OK;
}

static Status pendulum_step(Env *env, EnvCall *call, int a, int b) {
  (void)call;
  double *state = (double *)(void *)env->state;
  classic()->pendulum(state + 2 * (size_t)a, env->obs + 3 * (size_t)a, env->reward + a,
                      env->terminated + a, env->action_in + a, b - a);
  return OK;
}

static const EnvKind pendulum_kind = {.id = "Pendulum-v1",
                                      .reset = pendulum_reset,
                                      .step = pendulum_step,
                                      .observe = pendulum_observe};

Status pendulum_make(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream) {
  const double high[4] = {1, 1, PENDULUM_SPEED, PENDULUM_TORQUE};
  const double low[4] = {-1, -1, -PENDULUM_SPEED, -PENDULUM_TORQUE};
  Space observation = {0}, action = {0};
  Status status = space_box(&observation, 3, low, high);
  if (status == OK) status = space_box(&action, 1, low + 3, high + 3);
  *env = (Env){0};
  if (status == OK)
    status = env_init(env, &(EnvSpec){.kind = &pendulum_kind,
                                      .observation = &observation,
                                      .action = &action,
                                      .lanes = lanes,
                                      .time_limit = time_limit,
                                      .grain = 8,
                                      .state_bytes = sizeof(Pendulum),
                                      .seed = seed,
                                      .stream = stream});
  space_free(&observation);
  space_free(&action);
  return status;
}
