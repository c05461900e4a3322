#ifndef TRPO_MDP_ENV_H
#define TRPO_MDP_ENV_H

#include "env/env.h"
#include "mdp/mdp.h"

/**
 * Any tabular process as an environment.
 *
 *   reset    s ~ rho0                                          (RNG_RESET, one uniform)
 *   step     (s', r, done) ~ outcomes of (s, a)                (RNG_DYNAMICS, one uniform)
 *
 * by binary search in cumulative probabilities, of which the environment keeps one double for each outcome. Rewards are
 * those of the outcomes, or R(s, a) where the process keeps no outcomes; done ends the episode, and s' is what is then seen.
 * An action that the state lacks makes the step fail, before any lane has moved.
 *
 * The observation is the state as an integer, or one-hot: a box of S zeros and one 1. The state of a lane is one double, the
 * number of the state from 0.
 */
typedef enum MdpEnvObservation { MDP_ENV_INTEGER, MDP_ENV_ONE_HOT } MdpEnvObservation;

typedef struct MdpEnvSpec {
  const Mdp *mdp; /* shared, not taken over */
  const char *id; /* copied */
  MdpEnvObservation observation;
  int lanes, time_limit;
  uint64_t seed;
  unsigned stream;
} MdpEnvSpec;

/** Makes the handle. E_NOMEM (*env is then zeroed). */
Status mdp_env_init(Env *env, const MdpEnvSpec *spec);

/** The process, or NULL for another environment. */
const Mdp *mdp_env_process(const Env *env);

/** Entries of the registry: Gymnasium's FrozenLake (4 x 4 and 8 x 8, slippery), CliffWalking and Taxi, integer observations. E_NOMEM. */
Status mdp_env_frozen_lake(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream);
Status mdp_env_frozen_lake8x8(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream);
Status mdp_env_cliff_walking(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream);
Status mdp_env_taxi(Env *env, int lanes, int time_limit, uint64_t seed, unsigned stream);

#endif
