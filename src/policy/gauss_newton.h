#ifndef TRPO_GAUSS_NEWTON_H
#define TRPO_GAUSS_NEWTON_H

#include "base/arena.h"
#include "nn/jacobian.h"
#include "policy/tape.h"

/**
 * The Gauss-Newton matrix of a network over the rows of a recorded tape, as an operator:
 *
 *   G = sum_n J_n' M_n J_n
 *
 * J_n = d(outputs of the network)/d(theta) at row n; M_n symmetric, the second derivative of what is minimised in the
 * outputs: the Fisher information of a policy's distribution, the identity for least squares.
 * Source: Schraudolph 2002, Neural Computation 14(7), section 3.
 *
 * Two forms compute the same: the classical one, a tangent and a reverse pass per product, and the one with a cached
 * Jacobian of the outputs (nn/jacobian.h). The latter keeps A real numbers per row for every unit of all hidden layers
 * but the last, A the outputs.
 *
 * The tape must keep its activations and have room for gradients; it is recorded, at the network's present
 * parameters, before the operator is made, and neither changes while it is used.
 */
typedef enum GaussNewtonForm {
  GAUSS_NEWTON_AUTO, /* the cheaper form by the model of nn/jacobian_cost.h, which bounds the cache */
  GAUSS_NEWTON_CLASSICAL,
  GAUSS_NEWTON_CACHED /* where there is a hidden layer */
} GaussNewtonForm;

/** "auto", "classical", "cached"; NULL ends the list. */
extern const char *const gauss_newton_forms[];

/** Multiplies dot, Real [n][outputs], in place by M, for rows first..first + n - 1 of the tape. */
typedef JacobianMetric GaussNewtonMetric;

typedef struct GaussNewtonSpec {
  GaussNewtonForm form;
  int products; /* how many are going to be made, at a guess */
  int contrast; /* M annihilates equal outputs: metric_ may get the first outputs less the last, which is then left out */
  GaussNewtonMetric metric_; /* NULL: the identity */
  void *context;
} GaussNewtonSpec;

typedef struct GaussNewton {
  const Network *net;
  const Tape *tape;
  GaussNewtonMetric metric_;
  void *context;
  void *v;              /* the direction, prepared for the network or packed */
  GaussNewtonForm form; /* the one in use, never GAUSS_NEWTON_AUTO */
  Jacobian jacobian;
  void *weights;                 /* packed */
  char *cache, *work, *gradient; /* of the blocks, the workers, the chunks */
  size_t cache_bytes, work_bytes, gradient_bytes;
  double *sum; /* [packed] */
} GaussNewton;

/** Memory comes from the arena. E_NOMEM. */
Status gauss_newton_make(GaussNewton *gn, const Network *net, const Tape *tape,
                         const GaussNewtonSpec *spec, Arena *arena);

/** The same with the cheaper form. */
Status gauss_newton_init(GaussNewton *gn, const Network *net, const Tape *tape, int products,
                         GaussNewtonMetric metric_, void *context, Arena *arena);

/**
 * out = scale G v.
 *
 * out  [out]  product; must not alias v   [mlp.P]
 * v    [in]   direction                   [mlp.P]
 *
 * Allocates nothing. What is not finite in v or the tape leaves something not finite in out.
 */
void gauss_newton_apply(GaussNewton *gn, double *out, const double *v, double scale);

#endif
