#include "env/mdp_env.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mdp/gridworld.h"
#include "mdp/taxi.h"

enum { ID_BYTES = 64 };

/* the implementation's part of the handle, in one buffer */
typedef struct MdpEnv {
  Mdp mdp;
  Buffer *storage;      /* holds this, too */
  double *start;        /* [S] sums of rho0 up to each state */
  double *outcome;      /* [outcomes] sums of probabilities within each row */
  const int64_t *first; /* [rows + 1] first outcome of a row */
  const int32_t *next;  /* [outcomes] */
  int one_hot;
  char id[ID_BYTES];
} MdpEnv;

static const MdpEnv *impl_of(const Env *env) {
  return env->impl;
}

/* --- sampling ------------------------------------------------------------------------------------------------------ */

/* sums [n] of x [n] up to each place */
static void accumulate(double *sums, const double *x, ptrdiff_t n) {
  double sum = 0.0;
  for (ptrdiff_t i = 0; i < n; i++) {
    sums[i] = sum += x[i];
  }
}

/* the first i with sums[i] > u sums[n - 1]: i with probability x[i] / sum x, never one of probability 0 */
static ptrdiff_t find(const double *sums, ptrdiff_t n, double u) {
  const double total = sums[n - 1], target = fmin(u * total, nextafter(total, 0.0));
  ptrdiff_t low = 0, high = n - 1;
  while (low < high) {
    const ptrdiff_t middle = low + (high - low) / 2;
    if (sums[middle] > target) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/* --- lanes --------------------------------------------------------------------------------------------------------- */

static double *state_of(const Env *env, int lane) {
  return (double *)(void *)env->state + lane;
}

/* the lane goes to state s, and that is seen */
static void move(Env *env, int lane, ptrdiff_t s) {
  double *state = state_of(env, lane), *obs = env->obs + (size_t)lane * env->O;
  if (impl_of(env)->one_hot) {
    obs[(ptrdiff_t)*state] = 0.0;
    obs[s] = 1.0;
  } else {
    *obs = (double)s;
  }
  *state = (double)s;
}

static void mdp_observe(Env *env, int lane) {
  memset(env->obs + (size_t)lane * env->O, 0, (size_t)env->O * sizeof *env->obs);
  move(env, lane, (ptrdiff_t)*state_of(env, lane));
}

static ptrdiff_t mdp_states(const Env *env) {
  return impl_of(env)->mdp.S;
}

static Status mdp_reset(Env *env, EnvCall *call, int lane) {
  (void)call;
  const MdpEnv *impl = impl_of(env);
  Rng rng = env_rng(env, RNG_RESET, lane);
  move(env, lane, find(impl->start, impl->mdp.S, rng_uniform(&rng)));
  return OK;
}

/* the row of the lane's state and action, or -1 */
static ptrdiff_t row_of(const Env *env, int lane) {
  const ptrdiff_t s = (ptrdiff_t)*state_of(env, lane), a = (ptrdiff_t)env->action_in[lane];
  const Mdp *mdp = &impl_of(env)->mdp;
  return mdp_is_full(mdp) ? s * mdp->A + a : mdp_row(mdp, s, a);
}

/* names the actions that the lane's state has */
static Status fail_action(const Env *env, EnvCall *call, int lane) {
  const Mdp *mdp = &impl_of(env)->mdp;
  const ptrdiff_t s = (ptrdiff_t)*state_of(env, lane);
  char list[200];
  size_t at = 0;
  for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
    if (at > sizeof list - 30) {
      snprintf(list + at, sizeof list - at, ", ...");
      break;
    }
    at += (size_t)snprintf(list + at, sizeof list - at, "%s%d", at > 0 ? ", " : "",
                           (int)mdp->action[k] + 1);
  }
  return env_fail(env, call, E_ENV, lane, "state %td has no action %d, it has %s", s + 1,
                  (int)env->action_in[lane] + 1, list);
}

static Status check_actions(const Env *env, EnvCall *call, int a, int b) {
  if (mdp_is_full(&impl_of(env)->mdp)) {
    return OK;
  }
  for (int lane = a; lane < b; lane++) {
    if (row_of(env, lane) < 0) {
      return fail_action(env, call, lane);
    }
  }
  return OK;
}

static Status mdp_step(Env *env, EnvCall *call, int a, int b) {
  const MdpEnv *impl = impl_of(env);
  const MdpOutcomes *outcomes = &impl->mdp.outcomes;
  const Status status = check_actions(env, call, a, b);
  if (status != OK) {
    return status;
  }
  for (int lane = a; lane < b; lane++) {
    const ptrdiff_t k = row_of(env, lane);
    const int64_t first = impl->first[k];
    Rng rng = env_rng(env, RNG_DYNAMICS, lane);
    const ptrdiff_t j = first
                        + find(impl->outcome + first, (ptrdiff_t)(impl->first[k + 1] - first),
                               rng_uniform(&rng));
    env->reward[lane] = outcomes->start != NULL ? outcomes->reward[j] : impl->mdp.reward[k];
    env->terminated[lane] = outcomes->start != NULL && outcomes->done[j];
    move(env, lane, impl->next[j]);
  }
  return OK;
}

static void mdp_close(Env *env) {
  MdpEnv *impl = env->impl;
  if (impl != NULL) {
    mdp_free(&impl->mdp);
    buffer_release(impl->storage);
  }
}

/* --- making -------------------------------------------------------------------------------------------------------- */

static const EnvKind mdp_kind = {.id = "Mdp",
                                 .reset = mdp_reset,
                                 .step = mdp_step,
                                 .observe = mdp_observe,
                                 .states = mdp_states,
                                 .close = mdp_close};

/* how many doubles in front of the two tables keep the struct */
enum { HEAD = (sizeof(MdpEnv) + sizeof(double) - 1) / sizeof(double) };

/* NULL when memory runs out */
static MdpEnv *make_impl(const MdpEnvSpec *spec) {
  const Mdp *mdp = spec->mdp;
  const MdpOutcomes *o = &mdp->outcomes;
  const int64_t *first = o->start != NULL ? o->start : mdp->start;
  const size_t count = (size_t)first[mdp->rows];
  Buffer *storage = buffer_new_unset((HEAD + (size_t)mdp->S + count) * sizeof(double));
  if (storage == NULL) {
    return NULL;
  }
  MdpEnv *impl = storage->data;
  *impl = (MdpEnv){.storage = storage,
                   .start = (double *)storage->data + HEAD,
                   .outcome = (double *)storage->data + HEAD + mdp->S,
                   .first = first,
                   .next = o->start != NULL ? o->next : mdp->next,
                   .one_hot = spec->observation == MDP_ENV_ONE_HOT};
  snprintf(impl->id, sizeof impl->id, "%s", spec->id);
  mdp_share(&impl->mdp, mdp);
  accumulate(impl->start, mdp->rho0, mdp->S);
  const double *prob = o->start != NULL ? o->prob : mdp->prob;
  for (ptrdiff_t k = 0; k < mdp->rows; k++) {
    accumulate(impl->outcome + first[k], prob + first[k], (ptrdiff_t)(first[k + 1] - first[k]));
  }
  return impl;
}

static Status make_observation(Space *space, const MdpEnvSpec *spec) {
  const int S = (int)spec->mdp->S;
  if (spec->observation == MDP_ENV_INTEGER) {
    space_discrete(space, S);
    return OK;
  }
  Buffer *bounds = buffer_new((size_t)S * 2 * sizeof(double));
  if (bounds == NULL) {
    return E_NOMEM;
  }
  double *low = bounds->data, *high = low + S;
  for (int s = 0; s < S; s++) {
    high[s] = 1.0;
  }
  const Status status = space_box(space, S, low, high);
  buffer_release(bounds);
  return status;
}

Status mdp_env_init(Env *env, const MdpEnvSpec *spec) {
  Space observation = {0}, action = {0};
  *env = (Env){0};
  Status status = make_observation(&observation, spec);
  space_discrete(&action, (int)spec->mdp->A);
  if (status == OK) {
    status = env_init(env, &(EnvSpec){.kind = &mdp_kind,
                                      .observation = &observation,
                                      .action = &action,
                                      .lanes = spec->lanes,
                                      .time_limit = spec->time_limit,
                                      .grain = 8,
                                      .state_bytes = sizeof(double),
                                      .seed = spec->seed,
                                      .stream = spec->stream});
  }
  space_free(&observation);
  space_free(&action);
  if (status != OK) {
    return status;
  }
  MdpEnv *impl = make_impl(spec);
  if (impl == NULL) {
    env_free(env);
    return E_NOMEM;
  }
  env->impl = impl;
  env->id = impl->id;
  return OK;
}

const Mdp *mdp_env_process(const Env *env) {
  return env->kind == &mdp_kind ? &impl_of(env)->mdp : NULL;
}

/* --- the registry's ------------------------------------------------------------------------------------------------ */

/* the environment of a process that was just made, or failed to be; the discount factor plays no part */
static Status open_env(Env *env, Status made, Mdp *mdp, MdpEnvSpec spec) {
  *env = (Env){0};
  if (made != OK) {
    return made;
  }
  spec.mdp = mdp;
  const Status status = mdp_env_init(env, &spec);
  mdp_free(mdp);
  return status;
}

static Status open_lake(Env *env, const char *id, const char *map, MdpEnvSpec spec) {
  const GridworldLake lake = {.map = gridworld_map(map), .slippery = 1, .success = 1.0 / 3.0};
  Arena ws = {0};
  Mdp mdp;
  const Status made = gridworld_frozen_lake(&mdp, &lake, &ws);
  arena_free(&ws);
  spec.id = id;
  return open_env(env, made, &mdp, spec);
}

Status mdp_env_frozen_lake(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream) {
  const MdpEnvSpec spec = {
      .lanes = lanes, .time_limit = time_limit, .seed = seed, .stream = stream};
  return open_lake(env, "FrozenLake-v1", "4x4", spec);
}

Status mdp_env_frozen_lake8x8(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream) {
  const MdpEnvSpec spec = {
      .lanes = lanes, .time_limit = time_limit, .seed = seed, .stream = stream};
  return open_lake(env, "FrozenLake8x8-v1", "8x8", spec);
}

Status mdp_env_cliff_walking(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream) {
  const GridworldCliff cliff = {.rows = 4, .columns = 12};
  Arena ws = {0};
  Mdp mdp;
  const Status made = gridworld_cliff_walking(&mdp, &cliff, &ws);
  arena_free(&ws);
  return open_env(env, made, &mdp,
                  (MdpEnvSpec){.id = "CliffWalking-v1",
                               .lanes = lanes,
                               .time_limit = time_limit,
                               .seed = seed,
                               .stream = stream});
}

Status mdp_env_taxi(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream) {
  Arena ws = {0};
  Mdp mdp;
  const Status made = taxi_make(&mdp, 0.99, &ws);
  arena_free(&ws);
  return open_env(env, made, &mdp,
                  (MdpEnvSpec){.id = "Taxi-v3",
                               .lanes = lanes,
                               .time_limit = time_limit,
                               .seed = seed,
                               .stream = stream});
}
