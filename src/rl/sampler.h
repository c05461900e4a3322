#ifndef TRPO_SAMPLER_H
#define TRPO_SAMPLER_H

#include "base/arena.h"
#include "env/env.h"
#include "policy/policy.h"
#include "rl/batch.h"

/**
 * Rollouts: the one loop in which policies act in environments.
 *
 * Lanes are cut into a fixed grid of groups that run in parallel where the environment allows it; the lanes of a group that
 * have something left to do act and step together. All noise comes from the environment's key and the lane's clock, and
 * a network's row does not depend on the rows beside it, so what a lane does depends neither on the other lanes nor on the
 * number of threads. A bounded box's environment receives the clipped action; the batch keeps the one that was drawn and its
 * log-probability.
 */
typedef struct SamplerOptions {
  long horizon; /* steps of each lane, going on where the last call left it; 0: whole episodes */
  long
      budget; /* whole episodes: each lane begins episodes until it has taken budget / lanes steps */
  int deterministic; /* take the mode of the policy instead of a sample */
  int interruptible; /* whole episodes: fail with E_INTERRUPTED once interrupt_asked() */
} SamplerOptions;

/** Rows and last observations a batch needs room for. Whole episodes need a time limit. */
void sampler_room(const Env *env, const SamplerOptions *options, long *capacity, long *cuts);

/**
 * Fills batch (made by batch_init with sampler_room). On failure batch->N = 0 and call says what happened in which lane.
 * E_NOMEM, E_ENV, E_NOT_FINITE (an observation, a reward, or an action of the policy).
 */
Status sampler_collect(Batch *batch, Env *env, EnvCall *call, const Policy *policy,
                       const SamplerOptions *options, Arena *arena);

/**
 * Plays that many whole episodes, spread over the lanes, and keeps only their sums. Of options, deterministic and
 * interruptible count: without a time limit episodes may be without end.
 * returns [out] [episodes] undiscounted; lengths [out] [episodes] in steps; lane after lane, of which the first
 * episodes % lanes play one more than the others. Statuses as sampler_collect.
 */
Status sampler_evaluate(double *returns, double *lengths, long episodes, Env *env, EnvCall *call,
                        const Policy *policy, const SamplerOptions *options, Arena *arena);

#endif
