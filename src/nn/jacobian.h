#ifndef TRPO_JACOBIAN_H
#define TRPO_JACOBIAN_H

#include "nn/kernel.h"
#include "nn/mlp.h"

/**
 * Gauss-Newton products of a multilayer perceptron from a cached Jacobian of its outputs.
 *
 * With z_l what goes into the activations of hidden layer l = 1..L, e_l[a] = d out_a / d z_l is the same for every
 * direction at the same parameters. Kept once, tangents and gradients need no product with the weights:
 *
 *   (J v)_a = sum_l e_l[a] . (h_{l-1} V_l + vb_l)  +  h_L . V_out[:, a] + vb_out[a]
 *   J' u:     delta_l = sum_a u_a e_l[a];   G_l = h_{l-1}' delta_l;   G_out = h_L' u
 *
 * about 4 operations per weight and row instead of 8. The last hidden layer's, e_L[a] = W_out[:, a] act'(z_L), is made on
 * the fly; those before, e_l[a] = act'(z_l) (e_{l+1}[a] W_{l+1}'), are kept beside the tape.
 *
 * A metric that annihilates equal outputs, as a softmax's does, sees the outputs only through their differences from the
 * last one: `contrast` works with those, one output less.
 *
 * Parameters, directions and gradients are "packed" here, Real: for every hidden layer W_l [width_{l-1}][stride_l], in
 * the panels of kernel.h for parameters and directions, and b_l [stride_l]; then the (contrasted) output weights,
 * transposed, [outputs][stride_L] and b_out [outputs].
 *
 * As in kernels, denormals are flushed to zero, in the metric, too.
 */
typedef struct Jacobian {
  const Mlp *net;
  int outputs;             /* those of the network, or one less with contrast */
  int contrast;            /* outputs are out_a - out_last */
  long weight[MLP_LAYERS]; /* where the weights of an affine layer begin in packed parameters */
  long bias[MLP_LAYERS];   /* where its biases begin */
  long packed;             /* Reals of packed parameters */
  long kept
      [MLP_LAYERS]; /* where e_l [rows][outputs][stride_l] begins in a block's cache, in Reals */
  long extra;       /* Reals of the cache per row */
  long transposed[MLP_LAYERS]; /* where W_{l+1}' [width_{l+1}][stride_l] begins */
  long reversed;               /* Reals of the transposed weights */
  long tangent
      [MLP_LAYERS]; /* where h_{l-1} V_l + vb_l, later delta_l, begins in the workspace; at [0] u */
  long sums;        /* where the rest of the workspace begins */
  long work;        /* Reals of the workspace */
  size_t tape_bytes;         /* of a block, without the outputs */
  size_t cache_bytes;        /* of a block */
  int tape_pace, cache_pace; /* lines of the next block fetched at a time */
  int strip; /* rows worked on at a time, so that they stay in the first-level cache */
} Jacobian;

/** Multiplies dot, Real [n][outputs], in place by the metric M of rows first..first + n - 1 of all the data. */
typedef void (*JacobianMetric)(void *context, void *dot, int outputs, long first, int n);

/** A block of rows as the functions below see it. */
typedef struct JacobianBlock {
  long first;       /* its first row in all the data */
  int n;            /* its rows */
  const void *tape; /* its activations, see mlp.h */
  void *cache;      /* its part of the cache, Real [rows][extra], 64-byte aligned */
  const char *next_tape_, *next_cache_; /* those of the block after it, to be fetched meanwhile */
} JacobianBlock;

/** Lays out the cache of a network that has hidden layers; with contrast, two outputs or more. */
void jacobian_init(Jacobian *jacobian, const Mlp *net, int contrast);

/** packed [out] = theta [mlp.P]: parameters or a direction. */
void jacobian_pack(const Jacobian *jacobian, void *packed, const double *theta);

/** gradient [out] [mlp.P] from a packed one in double [packed]: the transpose of jacobian_pack. */
void jacobian_unpack(const Jacobian *jacobian, double *gradient, const double *packed);

/** transposed [out] Real [reversed] from theta [mlp.P]. */
void jacobian_transpose(const Jacobian *jacobian, void *transposed, const double *theta);

/**
 * Fills the cache of a block.
 * weights, transposed [in] packed parameters; work [work] Real [jacobian->work].
 */
void jacobian_build(const Jacobian *jacobian, const JacobianBlock *block, const void *weights,
                    const void *transposed, void *work);

/**
 * gradient += sum over the block's rows of J' M J v.
 *
 * gradient [in,out] packed
 * weights  [in]     packed parameters
 * v        [in]     packed direction
 * metric_  [in]     M; NULL for the identity
 * work     [work]   Real [jacobian->work]
 */
void jacobian_product(const Jacobian *jacobian, void *gradient, const void *weights, const void *v,
                      const JacobianBlock *block, JacobianMetric metric_, void *context,
                      void *work);

/** The two by precision, one table per instruction set. */
typedef struct JacobianTable {
  void (*build[2])(const Jacobian *jacobian, const JacobianBlock *block, const void *weights,
                   const void *transposed, void *work);
  void (*product[2])(const Jacobian *jacobian, void *gradient, const void *weights, const void *v,
                     const JacobianBlock *block, JacobianMetric metric_, void *context, void *work);
} JacobianTable;

#endif
