#include "env/env.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "env/cartpole.h"
#include "env/mdp_env.h"
#include "env/pendulum.h"

/* ---- storage --------------------------------------------------------------------------------- */

/* the next array of the storage, on a cache line of its own; only counts while base is NULL */
static void *carve(unsigned char *base, size_t *at, size_t bytes) {
  void *array = base ? base + *at : NULL;
  *at = (*at + bytes + 63) & ~(size_t)63;
  return array;
}

/* places all arrays in base, and returns the bytes they take */
static size_t lay_out(Env *env, unsigned char *base) {
  size_t n = (size_t)env->lanes, at = 0;
  env->state = carve(base, &at, n * env->state_bytes);
  env->obs = carve(base, &at, n * (size_t)env->O * sizeof(double));
  env->action_in = carve(base, &at, n * (size_t)env->A * sizeof(double));
  env->reward = carve(base, &at, n * sizeof(double));
  env->episode_return = carve(base, &at, n * sizeof(double));
  env->clock = carve(base, &at, n * sizeof(uint64_t));
  env->elapsed = carve(base, &at, n * sizeof(uint64_t));
  env->terminated = carve(base, &at, n * sizeof(EnvMark));
  env->truncated = carve(base, &at, n * sizeof(EnvMark));
  env->ended = carve(base, &at, n * sizeof(EnvMark));
  return at;
}

Status env_init(Env *env, const EnvSpec *spec) {
  *env = (Env){.kind = spec->kind,
               .id = spec->kind->id,
               .lanes = spec->lanes,
               .O = spec->observation->size,
               .A = spec->action->size,
               .time_limit = spec->time_limit,
               .grain = spec->grain,
               .truncates = spec->truncates,
               .state_bytes = spec->state_bytes,
               .key = rng_key(spec->seed, spec->stream)};
  env->storage = buffer_new(lay_out(env, NULL));
  if (!env->storage) {
    *env = (Env){0};
    return E_NOMEM;
  }
  lay_out(env, env->storage->data);
  space_share(&env->observation, spec->observation);
  space_share(&env->action, spec->action);
  for (int lane = 0; lane < env->lanes; lane++) env->ended[lane] = 1;
  return OK;
}

void env_free(Env *env) {
  if (env->kind && env->kind->close) env->kind->close(env);
  space_free(&env->observation);
  space_free(&env->action);
  buffer_release(env->storage);
  *env = (Env){0};
}

/* ---- checks ---------------------------------------------------------------------------------- */

Status env_fail(const Env *env, EnvCall *call, Status status, int lane, const char *format, ...) {
  call->lane = lane;
  call->step = env->elapsed[lane];
  char when[32] = "reset";
  if (!call->resetting)
    snprintf(when, sizeof when, "step %llu", (unsigned long long)call->step + 1);
  int at = snprintf(call->message, ENV_MESSAGE, "%.200s: lane %d, %s: ", env->id, lane + 1, when);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(call->message + at, ENV_MESSAGE - (size_t)at, format, arguments);
  va_end(arguments);
  return status;
}

/* 1 when all of x is finite: no exponent is all ones; integers, so that it vectorises */
static int all_finite(const double *x, size_t n) {
  uint64_t bad = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t bits;
    memcpy(&bits, x + i, sizeof bits);
    bad |= ((bits >> 52) & 0x7ff) + 1; /* bit 11 is set only for 0x7ff + 1 */
  }
  return !(bad & 0x800);
}

/* a NaN has no sign worth showing */
static double unsigned_nan(double x) {
  return isnan(x) ? NAN : x;
}

/* names the first observation of lane that is not finite */
static Status fail_observation(const Env *env, EnvCall *call, int lane) {
  const double *obs = env->obs + (size_t)lane * env->O;
  int i = 0;
  while (i < env->O - 1 && all_finite(obs + i, 1)) i++;
  return env_fail(env, call, E_NOT_FINITE, lane, "observation %d is %g, not a finite number", i + 1,
                  unsigned_nan(obs[i]));
}

static Status check_started(const Env *env, EnvCall *call, int a, int b) {
  EnvMark any = 0;
  for (int lane = a; lane < b; lane++) any |= env->ended[lane];
  for (int lane = a; any && lane < b; lane++)
    if (env->ended[lane])
      return env_fail(env, call, E_ENDED, lane, "the episode has ended or not begun; reset first");
  return OK;
}

static Status check_finite(const Env *env, EnvCall *call, int a, int b) {
  size_t O = (size_t)env->O, n = (size_t)(b - a);
  if (all_finite(env->obs + a * O, n * O) && all_finite(env->reward + a, n)) return OK;
  for (int lane = a; lane < b; lane++) {
    if (!all_finite(env->obs + lane * O, O)) return fail_observation(env, call, lane);
    if (!all_finite(env->reward + lane, 1))
      return env_fail(env, call, E_NOT_FINITE, lane, "the reward is %g, not a finite number",
                      unsigned_nan(env->reward[lane]));
  }
  return OK;
}

/* ---- episodes -------------------------------------------------------------------------------- */

Rng env_rng(const Env *env, RngPurpose purpose, int lane) {
  return rng_at(env->key, purpose, (uint32_t)lane, env->clock[lane]);
}

/* an episode begins: its counters are zero and its marks are down */
static void begin(Env *env, int lane) {
  env->elapsed[lane] = 0;
  env->episode_return[lane] = 0;
  env->reward[lane] = 0;
  env->terminated[lane] = env->truncated[lane] = env->ended[lane] = 0;
}

Status env_reset(Env *env, EnvCall *call, int lane) {
  call->resetting = 1;
  env->ended[lane] = 1; /* until all went well */
  Status status = env->kind->reset(env, call, lane);
  if (status < 0) return status;
  if (!all_finite(env->obs + (size_t)lane * env->O, (size_t)env->O))
    return fail_observation(env, call, lane);
  begin(env, lane);
  env->clock[lane]++;
  return OK;
}

/* moves the counters of lanes [a, b) by a step, and marks what it ended */
static void count(Env *env, int a, int b) {
  uint64_t *restrict clock = env->clock, *restrict elapsed = env->elapsed;
  double *restrict sum = env->episode_return;
  const double *restrict reward = env->reward;
  const EnvMark *restrict terminated = env->terminated;
  EnvMark *restrict truncated = env->truncated, *restrict ended = env->ended;
  const uint64_t limit = env->time_limit ? (uint64_t)env->time_limit : UINT64_MAX;
  const EnvMark own = env->truncates ? 1 : 0;
  for (int lane = a; lane < b; lane++) {
    clock[lane]++;
    elapsed[lane]++;
    sum[lane] += reward[lane];
    const EnvMark late = elapsed[lane] >= limit;
    truncated[lane] = ((own & truncated[lane]) | late) & ~terminated[lane];
    ended[lane] = terminated[lane] | truncated[lane];
  }
}

Status env_step(Env *env, EnvCall *call, int a, int b) {
  call->resetting = 0;
  Status status = check_started(env, call, a, b);
  if (status == OK) status = env->kind->step(env, call, a, b);
  if (status >= 0) status = check_finite(env, call, a, b);
  if (status < 0) return status;

  count(env, a, b); /* all lanes went well */
  return OK;
}

/* ---- lanes as bytes -------------------------------------------------------------------------- */

/* what a saved lane begins with; observation and state follow */
typedef struct LaneHead {
  uint64_t clock, elapsed;
  double episode_return, reward;
  unsigned char terminated, truncated, ended, padding[5];
} LaneHead;

size_t env_lane_bytes(const Env *env) {
  return sizeof(LaneHead) + (size_t)env->O * sizeof(double) + env->state_bytes;
}

void env_save(const Env *env, int lane, void *out) {
  size_t O = (size_t)env->O * sizeof(double);
  LaneHead head = {.clock = env->clock[lane],
                   .elapsed = env->elapsed[lane],
                   .episode_return = env->episode_return[lane],
                   .reward = env->reward[lane],
                   .terminated = (unsigned char)env->terminated[lane],
                   .truncated = (unsigned char)env->truncated[lane],
                   .ended = (unsigned char)env->ended[lane]};
  unsigned char *to = out;
  memcpy(to, &head, sizeof head);
  memcpy(to + sizeof head, env->obs + (size_t)lane * env->O, O);
  if (env->state_bytes)
    memcpy(to + sizeof head + O, env->state + lane * env->state_bytes, env->state_bytes);
}

void env_restore(Env *env, int lane, const void *in) {
  size_t O = (size_t)env->O * sizeof(double);
  const unsigned char *from = in;
  LaneHead head;
  memcpy(&head, from, sizeof head);
  env->clock[lane] = head.clock;
  env->elapsed[lane] = head.elapsed;
  env->episode_return[lane] = head.episode_return;
  env->reward[lane] = head.reward;
  env->terminated[lane] = head.terminated;
  env->truncated[lane] = head.truncated;
  env->ended[lane] = head.ended;
  memcpy(env->obs + (size_t)lane * env->O, from + sizeof head, O);
  if (env->state_bytes)
    memcpy(env->state + lane * env->state_bytes, from + sizeof head + O, env->state_bytes);
}

/* 1 when the double at from is one of the integers 0..n-1 */
static int is_index(const unsigned char *from, double n) {
  double x;
  memcpy(&x, from, sizeof x);
  return x >= 0 && x < n && x == floor(x);
}

int env_restorable(const Env *env, const void *in) {
  const unsigned char *obs = (const unsigned char *)in + sizeof(LaneHead);
  if (env->observation.kind == SPACE_DISCRETE && !is_index(obs, env->observation.n)) return 0;
  return !env->kind->states
         || is_index(obs + (size_t)env->O * sizeof(double), (double)env->kind->states(env));
}

int env_state_size(const Env *env) {
  return env->kind->observe ? (int)(env->state_bytes / sizeof(double)) : 0;
}

void env_set_state(Env *env, int lane, const double *state) {
  memcpy(env->state + lane * env->state_bytes, state, env->state_bytes);
  env->kind->observe(env, lane);
  begin(env, lane);
}

/* ---- built-in environments ------------------------------------------------------------------- */

const EnvEntry *env_registry(void) {
  static const EnvEntry registry[] = {
      {"CartPole-v1", "balance a pole on a cart by pushing it left or right", 500, cartpole_make},
      {"CliffWalking-v1", "walk along a cliff from corner to corner", 1000, mdp_env_cliff_walking},
      {"FrozenLake-v1", "cross a frozen lake of 4 x 4 cells without falling into a hole", 100,
       mdp_env_frozen_lake},
      {"FrozenLake8x8-v1", "cross a frozen lake of 8 x 8 cells without falling into a hole", 200,
       mdp_env_frozen_lake8x8},
      {"Pendulum-v1", "swing a pendulum up with a bounded torque", 200, pendulum_make},
      {"Taxi-v3", "fetch a passenger and bring him to his destination", 200, mdp_env_taxi},
      {NULL, NULL, 0, NULL}};
  return registry;
}
