#ifndef TRPO_BOUNDS_H
#define TRPO_BOUNDS_H

#include "base/arena.h"
#include "mdp/mdp.h"

/**
 * Bounds on eta(pi~) from an exact evaluation of pi alone: what the surrogate
 *
 *   L(pi~) = eta(pi) + sum_s rho(s) Abar(s),   Abar(s) = sum_a pi~(a | s) A(s, a)
 *
 * promises, and how far eta(pi~) can be from it. d = (1 - gamma) rho is the normalised visitation. An ended episode is
 * a state of its own in which policies agree and Abar = 0; it takes the mass that d lacks to 1.
 */
typedef struct BoundsPolicy {
  const double *pi;  /* [S, A] */
  const double *V;   /* [S] */
  const double *adv; /* [S, A] A = Q - V; -inf where a state lacks the action */
  const double *rho; /* [S] unnormalised visitation */
  double eta;
  double bound; /* ||V - V_pi|| <= bound */
} BoundsPolicy;

/** What all bounds are made of. Maxima run over all states and over the actions that they have. */
typedef struct BoundsNumbers {
  double gamma;
  double gain;        /* L(pi~) - eta(pi) = sum_s rho Abar */
  double gain_size;   /* sum_s rho |Abar|: what rounding of gain is relative to */
  double start;       /* sum_s rho0 Abar */
  double least;       /* min_s Abar */
  double epsilon;     /* max |A| */
  double omega;       /* max_s (max_a A - min_a A) <= 2 epsilon */
  double epsilon_bar; /* max_s |Abar| */
  double
      span_bar; /* max Abar - min Abar, with the 0 of ended episodes where one can end; <= 2 epsilon_bar */
  double tv_max, kl_max;   /* max_s TV(pi, pi~), KL(pi || pi~) */
  double tv_mean, kl_mean; /* the same under d, which has mass < 1 when episodes end */
  double
      alpha; /* the least alpha in [0, 1] for which pi~ = (1 - alpha) pi + alpha pi' with a policy pi' */
} BoundsNumbers;

/** Arrays that go with them; each [S], or NULL. */
typedef struct BoundsStates {
  double *abar; /* Abar */
  double *tv;   /* TV(pi, pi~) */
  double *kl;   /* KL(pi || pi~) */
  double *span; /* max_a A - min_a A */
} BoundsStates;

/**
 * The numbers of pi~ = pi_new [S, A] under the evaluation old; states [out] has all four arrays. Parallel. E_NOMEM.
 * Abar is computed as sum_a (pi~ - pi) A, which is the same since sum_a pi A = 0, and keeps its digits for close policies.
 */
Status bounds_numbers(BoundsNumbers *numbers, BoundsStates *states, const Mdp *mdp,
                      const BoundsPolicy *old, const double *pi_new, Arena *ws);

/** 1 when a transition of some row can end the episode. */
int bounds_can_end(const Mdp *mdp);

/* --- how far eta(pi~) can be from L(pi~): all return inf for gamma = 1, unless the policies agree --------------------- */

/**
 * Theorem 1 of Schulman et al. 2015 (arXiv:1502.05477) before its last step, with alpha = max TV:
 *   4 epsilon gamma alpha^2 / ((1 - gamma) (1 - gamma (1 - alpha)))
 * and relaxed, with (1 - gamma)^2 below. epsilon may be max |A| or omega / 2.
 */
double bounds_theorem1(double gamma, double epsilon, double alpha);
double bounds_theorem1_relaxed(double gamma, double epsilon, double alpha);

/** C of the penalty C max KL: constant * epsilon gamma / (1 - gamma)^2; constant 4 is the paper's, 2 suffices. 0 for gamma = 0. */
double bounds_penalty(double gamma, double epsilon, double constant);

/**
 * Kakade and Langford 2002, for pi~ = (1 - alpha) pi + alpha pi', with epsilon_bar = max_s |Abar of pi'|:
 *   2 epsilon_bar gamma alpha^2 / ((1 - gamma) (1 - gamma (1 - alpha))), and with (1 - gamma)^2 below.
 */
double bounds_mixture(double gamma, double epsilon_bar, double alpha);
double bounds_mixture_relaxed(double gamma, double epsilon_bar, double alpha);

/** Average-KL bound (docs/theory.md, Theorem A): epsilon / (1 - gamma) (h + 2 sqrt(2 h)) kl_mean, h = gamma / (1 - gamma). */
double bounds_average_kl(double gamma, double epsilon, double kl_mean);

/** Refined: kl_mean / (1 - gamma) (sqrt(2) omega sqrt(h) + epsilon_bar h). */
double bounds_average_kl_refined(double gamma, double omega, double epsilon_bar, double kl_mean);

/** Achiam et al. 2017 (arXiv:1705.10528), with the span: 2 gamma / (1 - gamma)^2 (span_bar / 2) tv_mean. */
double bounds_average_tv(double gamma, double span_bar, double tv_mean);

/**
 * What the maximal coupling of both policies, step by step, leaves undecided:
 *
 *   *disagreement = 1 / (1 - gamma) - rho0' (I - gamma P_min)^-1 1,   P_min(s, s') = sum_a min(pi, pi~) P(s' | s, a),
 *
 * the discounted time after the first disagreement; |eta(pi~) - L(pi~)| <= span_bar * disagreement. Computed without
 * cancellation as rho0' v, (I - gamma P_min) v = gamma / (1 - gamma) TV. tv [S]. One solve; inf for gamma = 1 unless tv = 0.
 */
Status bounds_disagreement(double *disagreement, const Mdp *mdp, const double *pi,
                           const double *pi_new, const double *tv, Arena *ws);

/**
 * The least that eta(pi~) - eta(pi) can be: start + gamma / (1 - gamma) min(0, least), from the performance difference
 * with rho~ >= rho0; >= 0 when Abar >= 0 in every state, which is policy improvement.
 */
double bounds_improvement(double gamma, double start, double least);

/* --- lower bounds on eta(pi~) ---------------------------------------------------------------------------------------- */

typedef enum BoundsLower {
  BOUNDS_IMPROVEMENT,
  BOUNDS_THEOREM1,
  BOUNDS_PENALTY,
  BOUNDS_AVERAGE_KL,
  BOUNDS_AVERAGE_TV,
  BOUNDS_MIXTURE,
  BOUNDS_COUPLING,
  BOUNDS_LOWER_COUNT
} BoundsLower;

/** Its name: "improvement", "theorem1", ... */
const char *bounds_lower_name(BoundsLower which);

/**
 * All of them: eta + gain less what the bound allows, each in its sharpest form. disagreement: see above.
 * lower [out] [BOUNDS_LOWER_COUNT]
 */
void bounds_lower(double *lower, const BoundsNumbers *numbers, double eta, double disagreement);

#endif
