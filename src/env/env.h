#ifndef TRPO_ENV_H
#define TRPO_ENV_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/rng.h"
#include "base/status.h"
#include "env/space.h"

/**
 * An environment is n lanes that step together: one lane and a thousand are the same code.
 *
 * All arrays lie in storage that the handle owns for its whole life. An implementation (EnvKind) resets one lane, and
 * steps lanes [a, b); it reads env->action_in, writes env->obs, env->reward and env->terminated (and env->truncated if
 * it truncates by itself). Time limits, episode ends, clocks and checks are done here, once for all.
 * step never resets: the observation after an ending step is the true last one.
 */
typedef struct Env Env;

/** 0 or 1. As wide as a number: loops over lanes keep one width, and eight lanes fill a cache line of their own. */
typedef uint64_t EnvMark;

enum { ENV_MESSAGE = 4096 };

/** What travels with a call: the host's state (a lua_State, for Lua environments) and the cause of a failure. */
typedef struct EnvCall {
  void *host;                /* never stored */
  int resetting;             /* the call is env_reset, not env_step; set by them */
  int lane;                  /* after a failure: the lane, 0-based */
  uint64_t step;             /* after a failure: steps of that lane's episode before the call */
  char message[ENV_MESSAGE]; /* after a failure: a sentence, and the host's traceback if any */
} EnvCall;

typedef struct EnvKind {
  const char *id;
  Status (*reset)(Env *env, EnvCall *call, int lane);
  Status (*step)(Env *env, EnvCall *call, int a, int b);
  void (*observe)(Env *env, int lane); /* obs from state, all doubles; NULL: state is hidden */
  ptrdiff_t (*states)(const Env *env); /* the state is one of so many, from 0; NULL: it is not */
  void (*close)(Env *env);             /* NULL when there is nothing to close */
} EnvKind;

struct Env {
  const EnvKind *kind;
  const char *id; /* the kind's, or one that the implementation keeps alive */
  Space observation, action;
  int lanes;
  int O;          /* doubles of one observation = observation.size */
  int A;          /* doubles of one action = action.size; a discrete action is its 0-based index */
  int time_limit; /* steps after which an episode is truncated; 0 for none */
  int grain;      /* fewest lanes worth a thread of their own; 0: all lanes on the calling thread */
  int truncates;  /* the implementation sets env->truncated itself */
  RngKey key;     /* all of the environment's and its actions' randomness */
  size_t state_bytes;     /* of one lane, plain bytes; 0 if the implementation keeps its own */
  unsigned char *state;   /* [lanes][state_bytes] */
  double *obs;            /* [lanes][O]; a discrete observation is its 0-based index */
  double *action_in;      /* [lanes][A] action to take, already clipped */
  double *reward;         /* [lanes] */
  EnvMark *terminated;    /* [lanes] the episode reached an end of its own */
  EnvMark *truncated;     /* [lanes] it was cut off; never set together with terminated */
  EnvMark *ended;         /* [lanes] not reset since its end (or never) */
  uint64_t *clock;        /* [lanes] resets and steps so far: the step of the random counter */
  uint64_t *elapsed;      /* [lanes] steps of the running episode */
  double *episode_return; /* [lanes] undiscounted sum of rewards of the running episode */
  Buffer *storage;        /* holds all of the above */
  void *impl;             /* the implementation's own */
};

typedef struct EnvSpec {
  const EnvKind *kind;
  const Space *observation, *action; /* shared, not taken over */
  int lanes;                         /* >= 1 */
  int time_limit;                    /* >= 0 */
  int grain, truncates;
  size_t state_bytes;
  uint64_t seed;
  unsigned stream;
} EnvSpec;

/** Makes the handle; every lane starts ended. E_NOMEM (*env is then zeroed). */
Status env_init(Env *env, const EnvSpec *spec);

/** Closes the implementation and frees the storage. A zeroed Env is allowed. */
void env_free(Env *env);

/** Starts a new episode in lane. On failure (E_ENV, E_NOT_FINITE) the lane is ended, its clock has not moved. */
Status env_reset(Env *env, EnvCall *call, int lane);

/**
 * One step of lanes [a, b) with the actions in env->action_in. On failure no lane's counters have moved.
 * E_ENDED when a lane has not been reset, E_NOT_FINITE for an observation or reward that is NaN or infinite, E_ENV.
 */
Status env_step(Env *env, EnvCall *call, int a, int b);

/** Random numbers of the lane's present clock, for dynamics (RNG_DYNAMICS) or resets (RNG_RESET). */
Rng env_rng(const Env *env, RngPurpose purpose, int lane);

/** Writes "<id>: lane 1, step 17: <sentence>" (or "reset") into call; returns status. printf-like; counts from 1. */
Status env_fail(const Env *env, EnvCall *call, Status status, int lane, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** Bytes of a saved lane: counters, marks, observation and state. */
size_t env_lane_bytes(const Env *env);

/** Copies a lane out and back in. An implementation that keeps its own state saves that by itself. */
void env_save(const Env *env, int lane, void *out);
void env_restore(Env *env, int lane, const void *in);

/** 1 when bytes [env_lane_bytes] of unknown origin can be restored: a discrete observation and a state that exist. */
int env_restorable(const Env *env, const void *in);

/** Doubles of one lane's state, 0 when it is hidden. */
int env_state_size(const Env *env);

/** Begins an episode at the given state [env_state_size]. Clock and random numbers go on as they are. */
void env_set_state(Env *env, int lane, const double *state);

/** Built-in environments. */
typedef struct EnvEntry {
  const char *id;
  const char *summary;
  int time_limit; /* Gymnasium's default; one of ours where it has none */
  Status (*make)(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream);
} EnvEntry;

/** All built-in environments, ended by an entry with id NULL. */
const EnvEntry *env_registry(void);

#endif
