#ifndef TRPO_TORUS_H
#define TRPO_TORUS_H

#include "mdp/mdp.h"

/**
 * A side x side grid without borders on which a walker drifts: slow to mix, for hard cases of solvers.
 *
 * Action left, down, right or up moves one cell that way with probability 1 - noise; otherwise the step goes in one of the
 * four directions, each as likely. R(s, a) is uniform in [0, 1), drawn from the counter (RNG_INIT, lane s, step 2) of
 * (seed, stream 0). The first state is uniform. States are numbered row by row. The gap of a walk that follows one
 * direction is of the order noise / side^2, which is what makes it slow.
 */
typedef struct Torus {
  ptrdiff_t side; /* 3 .. 46340 */
  double noise;   /* in [0, 1] */
  uint64_t seed;
  double gamma;
} Torus;

/** Makes the process. E_NOMEM. */
Status torus_make(Mdp *mdp, const Torus *torus);

#endif
