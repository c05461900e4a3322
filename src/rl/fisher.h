#ifndef TRPO_FISHER_H
#define TRPO_FISHER_H

#include "base/arena.h"
#include "policy/gauss_newton.h"
#include "policy/policy.h"

/**
 * The Fisher information matrix of a policy over a set of states, as an operator.
 *
 *   F = (1/N) sum_n J_n' M_n J_n
 *
 * J_n = d(distribution parameters)/d(theta) at state n; M_n = Hessian of KL(old || new) in those parameters at new = old.
 * Source: Schulman et al. 2015, arXiv:1502.05477, appendix C.1. The product is not damped. The set of states is fixed when the operator is made.
 */
typedef struct Fisher {
  const Policy *policy;
  Tape own;                  /* used when the states are a subset of a batch */
  const double *information; /* [N][A] what the metric of a state is made of */
  GaussNewton product;
} Fisher;

/**
 * Over the states of a tape that keeps its activations and gradients, recorded at the policy's parameters.
 * information_: [N][A] as the distribution gives it; NULL when it is not known yet.
 * products: how many are going to be made, at a guess; form: see gauss_newton.h. E_NOMEM.
 */
Status fisher_init(Fisher *fisher, const Policy *policy, const Tape *tape,
                   const double *information_, int products, GaussNewtonForm form, Arena *arena);

/** Over every stride-th of N observations [N][O], beginning with the first. E_NOMEM. */
Status fisher_subset(Fisher *fisher, const Policy *policy, const double *obs, long N, long stride,
                     int products, GaussNewtonForm form, Arena *arena);

/**
 * out = F v.
 *
 * out  [out]  product; must not alias v   [P]
 * v    [in]   direction                   [P]
 *
 * Returns OK, or E_NOT_FINITE if an entry of out is NaN or infinite (out is then unspecified). Allocates nothing.
 * Has the type of a CgApply; context is the Fisher.
 */
Status fisher_apply(void *context, double *out, const double *v);

#endif
