#ifndef TRPO_CONTROL_H
#define TRPO_CONTROL_H

#include "base/arena.h"
#include "mdp/bellman.h"
#include "mdp/mdp.h"

/**
 * What all methods of control share: the current values, the greedy rows, and how far the optimal values can be.
 *
 * Values are kept up to a constant that the bounds know: V* lies between v + below and v + above. Nothing is shifted until
 * the end, so that values stay small where they are large only by a constant.
 */
typedef struct Control {
  const Mdp *mdp;
  BellmanShape shape;
  double *v;       /* [S] */
  double *spare;   /* [S] where the next values are written */
  int64_t *choice; /* [S] greedy row of each state, -1: none so far */
  double target;   /* the width that is asked for */
  long limit;      /* most iterations; 0: none */
  long iterations;
  double sweeps;       /* passes over all rows; one over a policy's rows counts as its share */
  double below, above; /* V* - v, as far as it is known; not yet with rounding */
  double
      width; /* distance of V* that can be claimed: half that of the bounds when uniform, else the larger */
  double floor;      /* about the least width that rounding lets through */
  double best;       /* least width so far */
  double shifted;    /* width when values last became a lower bound */
  int idle;          /* iterations without a smaller one */
  int patience;      /* as many of them near the floor mean that it is reached */
  ptrdiff_t changed; /* states whose choice the last iteration changed */
} Control;

/** Takes two vectors [S] from ws; v = v0 or zeros, choice as given. E_NOMEM. The arena is released by the caller. */
Status control_init(Control *control, const Mdp *mdp, const double *v0, int64_t *choice,
                    double target, long limit, Arena *ws);

/** v = T v with its greedy rows and bounds: one iteration. E_NOT_FINITE. */
Status control_step(Control *control);

/** 1 when the bounds are as close as asked for, or as close as rounding lets them come. */
int control_done(const Control *control);

/** 1 when no further iteration is allowed. */
int control_spent(const Control *control);

/** v += d for all states. */
void control_shift(Control *control, double d);

/** Patience for sweeps, which make some progress in 0.05 / (1 - gamma) iterations only; it is what control_init sets. */
void control_slow(Control *control);

/** 1 when no row ends an episode: then an error that is the same everywhere can be taken off. */
int control_uniform(const Control *control);

/** The same, to the middle of the bounds, if the process is uniform. */
void control_centre(Control *control);

#endif
