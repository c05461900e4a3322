#ifndef TRPO_POLICY_H
#define TRPO_POLICY_H

#include "base/arena.h"
#include "nn/dist.h"
#include "policy/network.h"
#include "policy/tape.h"

/**
 * A stochastic policy: a network whose outputs parametrise a distribution over actions.
 *
 * Discrete action spaces get a categorical distribution over logits; boxes get independent normals with a mean from the
 * network and a standard deviation that does not depend on the state. theta is the network's parameters
 * followed by the logarithms of the standard deviations.
 *
 * A distribution's D parameters per row are the A logits, or the A means followed by the A log-deviations.
 */
typedef struct PolicySpec {
  const Space *observation, *action;
  int hidden_layers;
  const int *hidden;
  Activation activation;
  Precision precision;
  int normalize;  /* normalise observations (boxes only) */
  double log_std; /* first value of the log-deviations */
} PolicySpec;

typedef struct Policy {
  Network net;
  const Dist *dist;
  Space action;
  int A;      /* outputs of the network */
  int extras; /* state-independent parameters at the end of theta */
  int D;      /* distribution parameters per row, A + extras */
} Policy;

/** Orthogonal initialisation with gain sqrt 2, last layer 0.01 (Andrychowicz et al. 2020, arXiv:2006.05990). E_NOMEM. */
Status policy_init(Policy *policy, const PolicySpec *spec, Rng *rng);

void policy_free(Policy *policy);

/** A second policy with the same parameters and normaliser. E_NOMEM. */
Status policy_copy(Policy *policy, const Policy *source);

/** The state-independent parameters [extras]. */
const double *policy_extra(const Policy *policy);

/**
 * Distribution parameters of N observations.
 * out [out] [N][D];  obs [in] [N][observation.size].  E_NOMEM.
 */
Status policy_forward(const Policy *policy, double *out, const double *obs, long N, Arena *arena);

/**
 * Actions for N observations, drawn row after row.
 * action [out] [N][action size], log_prob [out] [N].  E_NOMEM; E_NOT_FINITE when a log_prob is not finite: both arrays are then
 * unspecified, and rng has advanced as by a success.
 */
Status policy_sample(const Policy *policy, double *action, double *log_prob, const double *obs,
                     long N, Rng *rng, Arena *arena);

/**
 * The most probable actions for N observations: action [out] [N][action size].  E_NOMEM; E_NOT_FINITE when a row's distribution is
 * not proper: all of action is then unspecified.
 */
Status policy_mode(const Policy *policy, double *action, const double *obs, long N, Arena *arena);

/** Logarithm of the density or probability of actions [N][action size]: out [N]. E_NOMEM. */
Status policy_log_prob(const Policy *policy, double *out, const double *obs, const double *action,
                       long N, Arena *arena);

/** Entropy in nats: out [N]. E_NOMEM. */
Status policy_entropy(const Policy *policy, double *out, const double *obs, long N, Arena *arena);

/** KL(policy || other) in nats, per observation: out [N]. Same shapes and precision. E_NOMEM. */
Status policy_kl(const Policy *policy, const Policy *other, double *out, const double *obs, long N,
                 Arena *arena);

/** out [N][D] = (d parameters / d theta) v, v [P]. E_NOMEM. */
Status policy_jvp(const Policy *policy, double *out, const double *obs, const double *v, long N,
                  Arena *arena);

/** out [P] = sum over rows of (d parameters / d theta)' u, u [N][D]. E_NOMEM. */
Status policy_vjp(const Policy *policy, double *out, const double *obs, const double *u, long N,
                  Arena *arena);

/** Gradient in other's theta of the mean over N rows of KL(policy || other): out [P]. E_NOMEM. */
Status policy_kl_gradient(const Policy *policy, const Policy *other, double *out, const double *obs,
                          long N, Arena *arena);

#endif
