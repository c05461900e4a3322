#ifndef TRPO_SURROGATE_H
#define TRPO_SURROGATE_H

#include "base/arena.h"
#include "policy/policy.h"

/**
 * The surrogate problem of one batch, around the policy that was in force when it was made ("old"):
 *
 *   L(theta)  = (1/N) sum_n  pi_theta(a_n|s_n) / pi_old(a_n|s_n) A_n
 *   KL(theta) = (1/N) sum_n  KL(pi_old(.|s_n) || pi_theta(.|s_n))
 *
 * Source: Schulman et al. 2015, arXiv:1502.05477, equations 14 and 12. The old distribution is recomputed here by the very
 * kernel that evaluates trial parameters, so that KL(old) is exactly 0 and the ratio at old exactly 1.
 */
typedef struct Surrogate {
  Policy *policy;
  long N;
  const double *obs;    /* [N][O] */
  const double *action; /* [N][action size] */
  double *advantage;    /* [N] own copy, divided by unit */
  double unit; /* a power of two near the largest advantage: keeps single precision in range */
  double *old_log_prob; /* [N] */
  double *information;  /* [N][A] of old, for its Fisher matrix */
  double *old_extra;    /* [extras] */
  double entropy;       /* mean over the batch of old's entropy, nats */
  double *term;         /* [N] work: terms of L, and of the entropy */
  double *kl;           /* [N] work: terms of KL */
  double *extras;       /* [chunks][extras] work */
  Tape tape;            /* activations at old, kept */
  Tape trial;           /* walks over trial parameters */
} Surrogate;

/**
 * Lays out the problem around the policy's present parameters; surrogate_gradient comes next.
 * obs [N][O], action [N][action size] must outlive the problem; advantage [N] is copied. N >= 1. Memory comes from the arena.
 * E_NOMEM; E_NOT_FINITE when an advantage is not finite.
 */
Status surrogate_init(Surrogate *s, Policy *policy, const double *obs, const double *action,
                      const double *advantage, long N, Arena *arena);

/**
 * out [P] = gradient of L at old, divided by s->unit. One walk over the blocks records the activations, the
 * log-probabilities, the information and the entropy of old as well. E_NOT_FINITE when a log-probability or an entry of
 * out is not finite.
 */
Status surrogate_gradient(Surrogate *s, double *out);

/** Value of the problem at the policy's present parameters, after surrogate_gradient. */
typedef struct SurrogateValue {
  double surrogate; /* L */
  double kl_mean;   /* mean over states, nats */
  double kl_max;    /* largest over states, nats */
} SurrogateValue;

SurrogateValue surrogate_evaluate(Surrogate *s);

#endif
