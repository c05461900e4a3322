#ifndef TRPO_KFAC_H
#define TRPO_KFAC_H

#include "base/arena.h"
#include "nn/kronecker.h"
#include "policy/policy.h"

/**
 * Kronecker-factored approximation of the Fisher information matrix of a policy, inverted: a preconditioner of conjugate
 * gradients on F + damping I.
 *
 *   F is near blockdiag(A_1 (x) S_1, ..., A_L (x) S_L, extra_fisher I),   A_l = mean h_{l-1} h_{l-1}',   S_l = mean J_l' M J_l
 *
 * h_{l-1} = inputs of layer l and a 1 for its bias, J_l = d(outputs of the network)/d(z_l), M = the distribution's Fisher
 * information of the outputs. So S_l is exact in the actions: no action is drawn, none of the batch is used.
 * Source: Martens and Grosse 2015, arXiv:1503.05671, sections 2 and 3; Grosse and Martens 2016, arXiv:1602.01407, section 2.2. The
 * damping is the inverse's own, see nn/kronecker.h: of the measured alternatives (factored Tikhonov damping, section 6.3 there;
 * eigenvalues corrected as in George et al. 2018, arXiv:1806.03884) it gives the smallest residual for its cost.
 *
 * Means are over a fixed subset of the states: every k-th for A_l and every k'-th for S_l, such that about KFAC_SAMPLES times the
 * largest order remain, of rows for A_l and of backpropagated columns (one or so per row and output) for S_l. More do not lessen
 * CG's iterations.
 */
typedef struct Kfac {
  const Policy *policy;
  const Tape *tape;
  long rows_A, rows_S;     /* states in the means */
  long stride_A, stride_S; /* one of so many of the tape's */
  int chunks;
  double *partial;            /* [chunks][sums of squares of orders] */
  double *turned[MLP_LAYERS]; /* W_l' packed, l >= 1 */
  double *scratch;            /* [workers][scratch_doubles] */
  long scratch_doubles;
  double extra; /* 1 / (extra_fisher + damping) */
  Kronecker layer[MLP_LAYERS];
} Kfac;

enum { KFAC_SAMPLES = 8 };

/**
 * Lays out the approximation over the states of a tape that keeps its activations, recorded at the policy's parameters.
 * All memory comes from the arena. E_NOMEM, also for a layer so wide that LAPACK cannot index its factor.
 */
Status kfac_init(Kfac *kfac, const Policy *policy, const Tape *tape, Arena *arena);

/** Computes the factors: layer[l].A and .S, both triangles. Same bits for any number of threads. Allocates nothing. */
void kfac_factors(Kfac *kfac);

/** Inverts what kfac_factors left, damped (>= 0). E_NOT_FINITE, E_NOT_CONVERGED. Allocates nothing. The tape is no longer needed. */
Status kfac_invert(Kfac *kfac, double damping);

/** z [P] = inverse applied to r [P], not aliased. Has the type of a CgApply; context is the Kfac. Allocates nothing. */
Status kfac_apply(void *context, double *z, const double *r);

#endif
