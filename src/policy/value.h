#ifndef TRPO_VALUE_H
#define TRPO_VALUE_H

#include "base/arena.h"
#include "nn/adam.h"
#include "policy/linear.h"
#include "policy/network.h"
#include "policy/tape.h"

/**
 * A value baseline V(s): a network fitted by Adam on minibatches, or a linear model of simple features.
 *
 * The network predicts V = shift + scale * f(s). Before every fit, shift and scale become mean and standard deviation
 * of the new targets and the last layer is rewritten so that predictions do not change (PopArt: van Hasselt
 * et al. 2016, arXiv:1602.07714, section 2.2), so the unit of the rewards does not matter to the step size.
 */
typedef enum ValueKind { VALUE_NETWORK, VALUE_LINEAR } ValueKind;
typedef enum ValueOptimizer {
  VALUE_ADAM,
  VALUE_LBFGS,
  VALUE_GAUSS_NEWTON,
  VALUE_LAST_LAYER
} ValueOptimizer;

typedef struct Value {
  ValueKind kind;
  int O; /* doubles of one observation */
  Space observation;
  /* linear */
  Linear linear;
  /* network */
  Network net;
  double shift, scale; /* of the targets */
  int rescale;         /* adapt shift and scale to the targets */
  ValueOptimizer optimizer;
  int iterations, cg_iters, last_layer, adapt;
  double damping, layer_damping, damping_min;
  Adam adam;
  int epochs;      /* passes over the data in one fit */
  int minibatch;   /* rows of one step */
  RngKey key;      /* for the shuffles */
  uint64_t fits;   /* fits so far: step of the random counter */
  Buffer *storage; /* Adam's moments */
} Value;

typedef struct ValueFit {
  double before;
  double loss; /* mean squared error over the last epoch, measured before each step, in reward^2 */
  long steps;  /* optimiser steps */
  double seconds; /* wall time */
} ValueFit;

/** Network baseline; the network's last layer starts at zero times gain 1 (orthogonal). E_NOMEM. */
Status value_network(Value *value, const NetworkSpec *spec, Rng *rng);

/** Linear baseline of boxes. E_NOMEM. */
Status value_linear(Value *value, const Space *observation, double ridge);

/** The space of the observations. */
const Space *value_space(const Value *value);

void value_free(Value *value);

/** out [N] = V. obs [N][O]; time [N] steps of the episode before the observation (used by the linear model). E_NOMEM. */
Status value_predict(const Value *value, double *out, const double *obs, const double *time, long N,
                     Arena *arena);

/**
 * Fits V to target [N]. On failure the parameters are as they were. E_NOMEM, E_NOT_FINITE, E_NOT_POSITIVE.
 */
Status value_fit(Value *value, ValueFit *info, const double *obs, const double *time,
                 const double *target, long N, Arena *arena);

#endif
