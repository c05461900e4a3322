#ifndef TRPO_CERTIFICATE_H
#define TRPO_CERTIFICATE_H

#include "mdp/bounds.h"

/**
 * Every identity and bound of the theory for a pair of policies, both sides of each computed. E~ stands for pi_new.
 * CERTIFICATE_LIST(X): X(id, name, kind, claim). An identity says left = right, a bound left <= right.
 */
#define CERTIFICATE_LIST(X)                                                                        \
  X(DIFFERENCE, "performance_difference", IDENTITY, "eta~ = eta + sum_s rho~ Abar")                \
  X(TWO_WAYS, "two_ways", IDENTITY, "rho0' V~ = rho~' r~")                                         \
  X(AT_OLD, "surrogate_at_old", IDENTITY, "L(pi) = eta")                                           \
  X(GRADIENT, "gradient", IDENTITY, "d eta = d L at pi, towards pi~")                              \
  X(QUOTIENT, "gradient_quotient", IDENTITY,                                                       \
    "difference quotient of eta = d L at pi, towards pi~")                                         \
  X(IMPROVEMENT, "improvement", BOUND,                                                             \
    "eta + sum_s rho0 Abar + gamma / (1 - gamma) min(0, min Abar) <= eta~")                        \
  X(ADVANTAGE, "advantage_bound", BOUND, "|Abar| <= TV (max_a A - min_a A) in every state")        \
  X(ADVANTAGE_MAX, "advantage_bound_max", BOUND, "max |Abar| <= 2 alpha epsilon")                  \
  X(STEP, "step_bound", BOUND, "|E~ Abar - E Abar| at step t <= 2 (1 - (1 - alpha)^t) max |Abar|") \
  X(STEP_RELAXED, "step_bound_relaxed", BOUND,                                                     \
    "|E~ Abar - E Abar| at step t <= 4 alpha (1 - (1 - alpha)^t) epsilon")                         \
  X(THEOREM1, "theorem1", BOUND,                                                                   \
    "|eta~ - L| <= 4 epsilon gamma alpha^2 / ((1 - gamma) (1 - gamma (1 - alpha)))")               \
  X(THEOREM1_RELAXED, "theorem1_relaxed", BOUND,                                                   \
    "|eta~ - L| <= 4 epsilon gamma alpha^2 / (1 - gamma)^2")                                       \
  X(PINSKER, "pinsker", BOUND, "TV <= sqrt(KL / 2) in every state")                                \
  X(PENALTY_4, "penalty_4", BOUND, "L - 4 epsilon gamma / (1 - gamma)^2 max KL <= eta~")           \
  X(PENALTY_2, "penalty_2", BOUND, "L - 2 epsilon gamma / (1 - gamma)^2 max KL <= eta~")           \
  X(MM, "mm", BOUND, "M(pi~) = L - C max KL <= eta~, with eta = M(pi)")                            \
  X(MIXTURE, "kakade_langford", BOUND,                                                             \
    "L - 2 epsilon' gamma alpha^2 / ((1 - gamma) (1 - gamma (1 - alpha))) <= eta~")                \
  X(MIXTURE_RELAXED, "kakade_langford_relaxed", BOUND,                                             \
    "L - 2 epsilon' gamma alpha^2 / (1 - gamma)^2 <= eta~")                                        \
  X(AVERAGE_KL, "average_kl", BOUND,                                                               \
    "|eta~ - L| <= epsilon / (1 - gamma) (h + 2 sqrt(2 h)) mean KL, h = gamma / (1 - gamma)")      \
  X(AVERAGE_KL_REFINED, "average_kl_refined", BOUND,                                               \
    "|eta~ - L| <= mean KL / (1 - gamma) (sqrt(2 h) omega + h max |Abar|)")                        \
  X(AVERAGE_TV, "average_tv", BOUND,                                                               \
    "|eta~ - L| <= gamma / (1 - gamma)^2 (max Abar - min Abar) mean TV")                           \
  X(COUPLING, "coupling_exact", BOUND,                                                             \
    "|eta~ - L| <= (max Abar - min Abar) (1 / (1 - gamma) - rho0' (I - gamma P_min)^-1 1)")

typedef enum CertificateId {
#define CERTIFICATE_ENUM(id, name, kind, claim) CERTIFICATE_##id,
  CERTIFICATE_LIST(CERTIFICATE_ENUM)
#undef CERTIFICATE_ENUM
      CERTIFICATE_COUNT
} CertificateId;

typedef enum CertificateKind { CERTIFICATE_IDENTITY, CERTIFICATE_BOUND } CertificateKind;

/**
 * One statement. Of those that are about every state or every step it is the place where left / right is largest.
 * holds: an identity to tolerance, a bound as left <= right + tolerance (in all places).
 */
typedef struct Certificate {
  CertificateKind kind;
  double left, right;
  double tolerance; /* what rounding may do to either side */
  int holds;
  int applies; /* 0: a hypothesis does not hold (then holds is 1), or gamma = 1 has no such statement */
  ptrdiff_t state; /* 0-based, or -1 */
  ptrdiff_t step;  /* t, or -1 */
} Certificate;

typedef struct CertificateOptions {
  double constant; /* of the penalty in mm */
  double
      alpha; /* pi~ = (1 - alpha) pi + alpha pi'; at least numbers->alpha, which NAN stands for */
  int span;  /* omega / 2 and the span of Abar / 2 in the place of max |A| and max |Abar| */
  ptrdiff_t steps; /* step_bound is looked at for t = 1 .. steps */
} CertificateOptions;

const char *certificate_name(CertificateId id);
const char *certificate_claim(CertificateId id);

/** Steps that are affordable and enough: up to 1000, fewer for large processes. */
ptrdiff_t certificate_steps(const Mdp *mdp);

/**
 * all [out] [CERTIFICATE_COUNT]; numbers and states from bounds_numbers(old, new->pi). A few solves with P_pi. For
 * gamma = 1 the gradients, steps and the coupling do not apply, and error bounds are inf.
 *
 * Rounding: identities and bounds on eta have tolerance (1e-12 + 16 eps / (1 - gamma)) (max |V| + max |V~| +
 * sum_s rho |Abar|) plus the certified errors of both evaluations. OK, E_NOMEM, E_NOT_FINITE.
 */
Status certificate_all(Certificate *all, const Mdp *mdp, const BoundsPolicy *old,
                       const BoundsPolicy *new, const BoundsNumbers *numbers,
                       const BoundsStates *states, const CertificateOptions *options, Arena *ws);

#endif
