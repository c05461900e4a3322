#ifndef TRPO_EVALUATE_H
#define TRPO_EVALUATE_H

#include "base/arena.h"
#include "mdp/chain.h"
#include "mdp/mdp.h"

/**
 * Everything exact about one policy:
 *
 *   V = r_pi + gamma P_pi V,   Q = R + gamma P V,   A = Q - V,   rho = rho0 + gamma P_pi' rho,   eta = rho0'V
 *
 * with a certified bound on the error of V: for the residual z of the Bellman equation, computed in doubled precision from
 * the numbers of the process (refine.h),
 *
 *   ||V^ - V|| <= ||z|| ||(I - gamma P_pi)^-1||,   the norm at most 1 / (1 - gamma max row sum of P_pi),
 *
 * all in the sup norm. Where that is no number, as with gamma = 1, the norm is that of the expected time to the end, verified:
 * (I - P_pi) w >= c > 0 implies ||(I - P_pi)^-1|| <= max w / c, as the inverse is nonnegative.
 *
 * With gamma = 1, states that are never left and give no reward count as ended, V = 0 and rho = expected first visits.
 * States whose value is infinite are allowed where no chain from rho0 comes; bounds do not cover them.
 */
typedef struct EvaluateOptions {
  double tolerance;   /* on the error of V in plain doubles; 0: as far as they go */
  double certify;     /* on the error of the pair V + V_lo; 0: no refinement, V_lo = 0 */
  int relative;       /* certify is to be multiplied by max |V| */
  ChainMethod method; /* CHAIN_AUTO, or the one to use for every system but those of refinement */
} EvaluateOptions;

typedef struct Evaluation {
  /* the caller's; any of q to variance may be NULL */
  double *v, *lo;   /* [S] v holds a first guess */
  double *q, *adv;  /* [S, A] -inf where there is no action */
  double *rho;      /* [S] unnormalised: sums to 1 / (1 - gamma) when no episode ends */
  double *variance; /* [S] of the return from each state, by outcomes */

  double eta;           /* rho0'(v + lo) */
  double eta_rho;       /* rho'r_pi, the same in other words: a self-test; 0 without rho */
  double bound;         /* certified: sup norm of v + lo - V */
  double bound_rounded; /* certified: sup norm of v - V */
  double rho_bound;     /* certified: 1-norm of rho^ - rho; 0 without rho */
  const char *method;   /* of the first system, "lu", "bicgstab", "gmres" or "iteration" */
  int iterations;       /* its products with P_pi */
  int rounds;           /* of refinement */
  double attainable;    /* after E_TOLERANCE: the bound that was reached */
  ptrdiff_t state;      /* after E_IMPROPER: a state that is never left and gives rewards */
} Evaluation;

/**
 * pi has been checked (mdp_check_policy). OK, also when the method did not get far: the bound says what it is worth;
 * UNCERTIFIED when the bound is infinite; E_TOLERANCE when bound stayed above the tolerance or certify; E_IMPROPER;
 * E_NOT_FINITE when values overflow; E_SINGULAR from LU alone; E_NOMEM. Clipped to 0 in rho is what rounding made negative.
 */
Status evaluate_policy(const Mdp *mdp, const double *pi, const EvaluateOptions *options,
                       Evaluation *e, Arena *ws);

#endif
