#ifndef TRPO_CPI_H
#define TRPO_CPI_H

#include "base/arena.h"
#include "mdp/mdp.h"

/**
 * Conservative policy iteration: pi_alpha = (1 - alpha) pi + alpha pi', pi' greedy for the advantages of pi.
 * Source: Kakade and Langford 2002, "Approximately optimal approximate reinforcement learning", section 4.
 *
 * With the policy advantage PA = sum_s rho(s) max_a A(s, a), epsilon_bar = max_s max_a A(s, a) and c = 1 - gamma,
 *
 *   eta(pi_alpha) - eta(pi) >= alpha PA - 2 epsilon_bar gamma alpha^2 / (c (c + gamma alpha))
 */
typedef enum CpiRule {
  CPI_KL02, /* alpha = c^3 PA / (4 R), R = range of the rewards                gain >= c^3 PA^2 / (8 R) */
  CPI_SIMPLE, /* alpha = c^2 PA / (4 epsilon_bar gamma)                         gain >= c^2 PA^2 / (8 epsilon_bar gamma) */
  CPI_BOUND, /* the maximiser of the bound above, in closed form               gain >= its maximum */
  CPI_EXACT, /* the maximiser of eta(pi_alpha) itself, see cpi_exact */
  CPI_RULES
} CpiRule;

/** "kl02", "simple", "bound", "exact". */
const char *cpi_rule_name(CpiRule rule);

/** How pi' shares its probability among actions of equal advantage. */
typedef enum CpiTies { CPI_LOWEST, CPI_UNIFORM } CpiTies;

typedef struct CpiStep {
  double alpha;       /* in [0, 1] */
  double gain;        /* eta(pi_alpha) - eta(pi) >= gain */
  double advantage;   /* PA */
  double epsilon_bar; /* max_s max_a A */
} CpiStep;

/** pi' [S, A] from adv [S, A]; equal means equal numbers. */
void cpi_greedy(double *greedy, const Mdp *mdp, const double *adv, CpiTies ties);

/**
 * PA and epsilon_bar of adv [S, A] and rho [S]; alpha = gain = 0. Advantages up to rounding >= 0 are no advantage: epsilon_bar = 0
 * then, and pi is optimal. E_NOMEM.
 */
Status cpi_advantage(CpiStep *step, const Mdp *mdp, const double *adv, const double *rho,
                     double rounding, Arena *ws);

/**
 * alpha and gain of one of the first three rules from PA and epsilon_bar; gamma < 1. range: see cpi_reward_range.
 * OK; OPTIMAL when epsilon_bar = 0; STALLED when PA = 0 though a state that is not visited has an advantage.
 */
Status cpi_alpha(CpiStep *step, CpiRule rule, double gamma, double range);

/** R: the largest expected reward when none is negative, else their span, with the 0 of ended episodes where one can end. */
double cpi_reward_range(const Mdp *mdp);

/** out [n] = (1 - alpha) p + alpha q; out may be p or q. */
void cpi_mixture(double *out, const double *p, const double *q, double alpha, ptrdiff_t n);

typedef struct CpiExactOptions {
  int certify; /* nodes by the rigorous bound; otherwise doubled until coefficients vanish */
  double
      tolerance; /* of the interpolant, relative to max |R| / (1 - gamma), the most that |eta| can be */
} CpiExactOptions;

typedef struct CpiExact {
  double alpha;
  double eta;   /* eta(pi_alpha) */
  double gain;  /* eta(pi_alpha) - eta(pi_0) */
  double error; /* bound on |interpolant - eta| over [0, 1] with certify, else an estimate */
  double gap;   /* no alpha has more than eta + gap; as rigorous as error is */
  int nodes;    /* linear systems solved for the interpolant */
  int degree;   /* after coefficients that do not matter were cut off */
} CpiExact;

/**
 * The global maximum of eta(pi_alpha) over alpha in [0, 1], which is rational in alpha and not monotone.
 *
 * For complex alpha with |alpha| + |1 - alpha| <= s < 1 / gamma, |eta| <= M = s max |R| / (1 - gamma s): eta is analytic in
 * ellipses with foci 0 and 1, and its interpolant in n + 1 Chebyshev points has error <= 4 M r^-n / (r - 1),
 * s = (r + 1 / r) / 2. Its stationary points are eigenvalues of a colleague matrix. gamma < 1; pi, pi2 [S, A].
 *
 * OK: certified; UNCERTIFIED: without certify; LIMIT: more than CPI_NODES nodes needed. E_NOMEM, E_NOT_CONVERGED, E_NOT_FINITE.
 */
enum { CPI_NODES = 16384 };
Status cpi_exact(CpiExact *out, const Mdp *mdp, const double *pi, const double *pi2,
                 const CpiExactOptions *options, Arena *ws);

/** The rigorous number n of that bound for an error of tolerance * max |R| / (1 - gamma); at least 1. */
double cpi_nodes(double gamma, double tolerance);

#endif
