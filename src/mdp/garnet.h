#ifndef TRPO_GARNET_H
#define TRPO_GARNET_H

#include "mdp/mdp.h"

/**
 * Garnet: a random process in which each pair leads to `branching` distinct states.
 *
 * Successors are a uniformly random subset, their probabilities are uniform on the simplex (Dirichlet(1, ..., 1): unit
 * exponentials over their sum). Rewards R(s, a) are uniform in [0, 1) or standard normal. The first state is uniform.
 * Source: Archibald, McKinnon, Thomas 1995, "On the generation of Markov decision processes"; the variant of
 * Bhatnagar et al. 2009, "Natural actor-critic algorithms", section 6.
 *
 * State s draws from the counter (RNG_INIT, lane s, step 1) of (seed, stream 0), its actions one after another: first the
 * subset (Floyd's algorithm), then the exponentials, then the reward. That layout and the logarithm, which is made of
 * IEEE operations only, are frozen: a seed gives the same bits everywhere, whatever the number of threads. (Normal
 * rewards take the logarithm and the cosine of the C library.)
 */
typedef enum GarnetRewards { GARNET_UNIFORM, GARNET_NORMAL } GarnetRewards;

typedef struct Garnet {
  ptrdiff_t states;    /* 1 .. MDP_LIMIT */
  ptrdiff_t actions;   /* >= 1 */
  ptrdiff_t branching; /* 1 .. states */
  GarnetRewards rewards;
  uint64_t seed;
  double gamma;
} Garnet;

/** Makes the process. E_NOMEM. */
Status garnet_make(Mdp *mdp, const Garnet *garnet);

#endif
