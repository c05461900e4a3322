#ifndef TRPO_STEP_H
#define TRPO_STEP_H

#include "base/arena.h"
#include "mdp/gap.h"
#include "mdp/mdp.h"

/**
 * What the exact policy-improvement steps have in common: the problem, what is reported, and the loop over states.
 *
 * A step knows the old policy p, its advantages A and its visitation rho, no more. The surrogate it improves is
 *
 *   L(new) - L(old) = sum_s rho(s) (q_s - p_s).A_s
 *
 * (Kakade and Langford 2002; Schulman et al. 2015, arXiv:1502.05477, eq. 3). Divergences are KL(old || new) in nats.
 */
typedef struct StepProblem {
  ptrdiff_t S, A;
  const double *pi;  /* [S, A] old policy; its rows sum to 1, 0 where an action is missing */
  const double *adv; /* [S, A] advantages, finite; -inf where an action is missing */
  const double *rho; /* [S] unnormalised visitation, >= 0 */
  double gamma;      /* in [0, 1]; only the constants of the bounds need it */
  int keep; /* states with rho = 0 keep their policy; otherwise the rule of the others is applied to them */
  double tolerance; /* optimal: no state gains more than this greedily (statuses only) */
} StepProblem;

typedef struct StepInfo {
  double gain;    /* L(new) - L(old) */
  double penalty; /* gain - penalty is guaranteed where C is the theory's */
  double C;       /* coefficient of the penalty */
  double radius; /* of the constraint, or the largest divergence that the penalised problem chose */
  double lambda; /* multiplier */
  double step;   /* size of a parameter step */
  double kl_max, kl_mean; /* over all states; mean with the weights rho/sum rho */
  double tv_max;
  double
      kkt; /* residual of the optimality conditions, relative to max |A| sum rho or a multiplier that is larger */
  double gap;    /* upper bound by duality less gain, in the unit of L */
  int passes;    /* over the states */
  Status status; /* OK, OPTIMAL, STALLED: the method cannot move a policy that is not optimal */
} StepInfo;

/** Numbers over states; of one chunk, then of all: sums, then maxima (from 0), then minima (from infinity). */
typedef struct StepSums {
  double rho;    /* sum rho */
  double sigma;  /* sum rho sqrt(Var_p A) */
  double edge;   /* sum rho (max A - A) over states where A is constant on S */
  double greedy; /* sum rho max A */
  double m2, m3; /* sum rho times variance and third moment of A */
  double m4;     /* sum rho times 3/4 fourth moment - 3/2 squared variance */
  double gain, kl, lambda, slope, bound;
  double adv_max; /* max |A| */
  double span_max, greedy_max;
  double kl_max, tv_max, residual;
  double
      defect; /* what the sums of the written rows differ from 1 more than those of the old ones */
  double before; /* the last breakpoint passed */
  double next;   /* the first to come */
} StepSums;

enum { STEP_SUMS = 12, STEP_MAXIMA = 8, STEP_MINIMA = 1 };

/** One state: adds to *sums what it is about. */
typedef void (*StepState)(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                          StepSums *sums);

/** Calls f for all states, in parallel. Sums are combined in an order that depends on S only. E_NOMEM. */
Status step_pass(const StepProblem *problem, StepState f, void *context, StepSums *sums, Arena *ws);

/** Fills rho, sigma, edge, greedy, m2 .. m4, adv_max, span_max, greedy_max. E_NOMEM. */
Status step_survey(const StepProblem *problem, StepSums *sums, Arena *ws);

/** Writes the solution of state s and adds gain, kl, kl_max, tv_max, residual to the sums. */
void step_write(const StepProblem *problem, ptrdiff_t s, const Gap *gap,
                const GapSolution *solution, double *q, double *log_q_, StepSums *sums);

/** Takes the sum of row s of q, which was written, into sums->defect. */
void step_check(const StepProblem *problem, ptrdiff_t s, const double *q, StepSums *sums);

/** Copies the old policy: the step that does not move. */
void step_stay(const StepProblem *problem, double *q, double *log_q_);

/** OPTIMAL when no state gains more than the tolerance by the greedy policy, STALLED otherwise. */
Status step_verdict(const StepProblem *problem, const StepSums *survey);

/** gain, kl_max, kl_mean, tv_max from the sums of the last pass. E_NOT_FINITE when a row that it wrote is no distribution. */
Status step_report(StepInfo *info, const StepSums *sums, const StepSums *survey);

/** The greedy policy: all mass on the lowest of the best actions, unless the old action is as good to the tolerance. */
Status step_greedy(const StepProblem *problem, double *q, double *log_q_, StepInfo *info,
                   Arena *ws);

#endif
