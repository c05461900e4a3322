#ifndef TRPO_VALUE_H
#define TRPO_VALUE_H

#include "base/arena.h"
#include "nn/adam.h"
#include "policy/linear.h"
#include "policy/network.h"
#include "policy/tape.h"

/**
 * A value baseline V(s): a network, or a linear model of simple features.
 *
 * The network predicts V = shift + scale * f(s). Before every fit, shift and scale become mean and standard deviation
 * of the new targets and the last layer is rewritten so that predictions do not change (PopArt: van Hasselt
 * et al. 2016, arXiv:1602.07714, section 2.2), so the unit of the rewards does not matter to the step size. The first
 * fit has no predictions to keep, and those that would need parameters above VALUE_LAST_LIMIT are not worth keeping:
 * then f stays as it is, in the new units. What is then minimised, by one of several optimisers, is the mean squared
 * error in units of scale, from the present weights on.
 */
typedef enum ValueKind { VALUE_NETWORK, VALUE_LINEAR } ValueKind;

typedef enum ValueOptimizer {
  VALUE_GAUSS_NEWTON, /* on all rows: value_gauss_newton.h */
  VALUE_LBFGS,        /* on all rows: value_lbfgs.h */
  VALUE_LAST_LAYER,   /* the last layer only, exactly: value_last_layer.h */
  VALUE_ADAM          /* on shuffled minibatches: value_adam.h */
} ValueOptimizer;

typedef struct ValueOptions {
  ValueOptimizer optimizer;
  double learning_rate; /* adam */
  int epochs;           /* adam: passes over the data in one fit */
  int minibatch;        /* adam: rows of one step */
  int iterations;       /* lbfgs, gauss_newton: most steps of one fit */
  int cg_products;      /* gauss_newton: most products of one step */
  long curvature_rows;  /* gauss_newton: at least so many rows make the matrix, if there are more */
  int solve_last_layer; /* gauss_newton: solve the last layer exactly before every step and after the last */
  double lm_damping; /* gauss_newton, last_layer: least damping, > 0 */
} ValueOptions;

/** Largest parameter of the last layer that is written to keep predictions. */
#define VALUE_LAST_LIMIT 1e3

typedef struct Value {
  ValueKind kind;
  int O; /* doubles of one observation */
  Space observation;
  /* linear */
  Linear linear;
  /* network */
  ValueOptions options;
  Network net;
  double shift, scale; /* of the targets */
  int rescale;         /* adapt shift and scale to the targets */
  Adam adam;           /* adam: carried from fit to fit */
  double damping;      /* gauss_newton: the present one, carried from fit to fit */
  RngKey key;          /* for adam's shuffles */
  uint64_t fits;       /* fits so far: step of the random counter */
  Buffer *storage;     /* Adam's moments */
} Value;

typedef struct ValueFit {
  double loss_before; /* mean squared error of all rows before the fit, in reward^2; NaN for adam */
  double loss;    /* the same after it; for adam over the last epoch, measured before each step */
  long steps;     /* optimiser steps */
  double seconds; /* wall time */
} ValueFit;

/** Network baseline; the network's last layer is orthogonal with gain 1. E_NOMEM. */
Status value_network(Value *value, const NetworkSpec *spec, const ValueOptions *options, Rng *rng);

/** Linear baseline of boxes. E_NOMEM. */
Status value_linear(Value *value, const Space *observation, double ridge);

/** The space of the observations. */
const Space *value_space(const Value *value);

/** The parameters, and how many. */
double *value_theta(const Value *value, long *n);

void value_free(Value *value);

/** out [N] = V. obs [N][O]; time [N] steps of the episode before the observation (used by the linear model). E_NOMEM. */
Status value_predict(const Value *value, double *out, const double *obs, const double *time, long N,
                     Arena *arena);

/**
 * Fits V to target [N]. On failure nothing has changed. E_NOMEM, E_NOT_POSITIVE; E_NOT_FINITE (a number, or the square
 * of the targets' deviation, is not).
 */
Status value_fit(Value *value, ValueFit *info, const double *obs, const double *time,
                 const double *target, long N, Arena *arena);

/** The state of a baseline: the object itself with its scalars, and the arrays it points to. */
typedef struct ValueSaved {
  Value object;
  double *theta, *moments, *normalizer;
} ValueSaved;

/** Keeps the state in the arena, until value_restore brings it back. E_NOMEM. */
Status value_save(ValueSaved *saved, const Value *value, Arena *arena);
void value_restore(Value *value, const ValueSaved *saved);

#endif
