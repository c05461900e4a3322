#ifndef TRPO_MLP_H
#define TRPO_MLP_H

#include <stddef.h>

#include "base/rng.h"
#include "base/status.h"
#include "nn/kernel.h"

/**
 * Multilayer perceptron on a flat parameter vector: h_0 = x, h_l = act(h_{l-1} W_l + b_l), out = h_{L-1} W_L + b_L.
 *
 * theta holds, layer by layer, W_l row-major [width_{l-1}][width_l], then b_l [width_l].
 * Networks compute in single or double precision; arrays of that precision are void pointers here ("Real").
 *
 * Rows are processed in blocks of at most net->rows, whose activations stay in the caches. The tape of one block holds
 * h_0, h_1, ..., out one after another, each 64-byte aligned and [rows][stride_l]: stride_0 and the outputs' are their
 * widths; a hidden layer's is its width rounded up to KERNEL_PAD Reals, and the padding columns are 0. The caller
 * fills h_0. A row's outputs do not depend on the rows beside it.
 *
 * Prepared weights and gradients have layouts of their own (nn/kernel.h). Prepared: W_l packed, b_l, and W_l' packed for
 * l >= 2; outputs that are few are computed from W_L' alone. Gradients: [width_{l-1} + 1][stride_l], W_l then b_l; the
 * output layer's [width_L][stride_{L-1}], then [width_L], unless it is the only one.
 */
enum { MLP_LAYERS = 16, MLP_WIDTH = 65536 };

/* Arrays are indexed by the layer that is read: weight[l] is W_{l+1}, from h_l to h_{l+1}. */
typedef struct Mlp {
  Precision precision;
  Activation activation; /* of the hidden layers; the output layer is affine */
  const KernelTable *kernel;
  int layers;                 /* affine layers, 1..MLP_LAYERS */
  int width[MLP_LAYERS + 1];  /* inputs, hidden ..., outputs */
  int stride[MLP_LAYERS + 1]; /* Reals from one row of h_l to the next */
  int widest;                 /* largest row of the workspace */
  int thin;                   /* whether the outputs are few, and come from hidden ones */
  long weight[MLP_LAYERS];    /* where W begins in theta */
  long bias[MLP_LAYERS];      /* where b begins in theta */
  long P;                     /* parameters */
  int rows;                   /* rows of a block, a multiple of 16 */
  long column[MLP_LAYERS
              + 2]; /* where h_l begins in a block's tape, in Reals; last: Reals of a block */
  long packed[MLP_LAYERS]; /* where W begins in prepared weights; a thin output layer has none */
  long offset[MLP_LAYERS]; /* where b begins in prepared weights */
  long transposed[MLP_LAYERS]; /* where W' begins in prepared weights (l >= 1) */
  long prepared;               /* Reals of prepared weights */
  long
      partial[MLP_LAYERS + 1]; /* where the gradient of W begins in gradients; last: Reals of all */
} Mlp;

/** Lays out a network. width [layers + 1], each in 1..MLP_WIDTH. */
void mlp_init(Mlp *net, Precision precision, Activation activation, int layers, const int *width);

/** Bytes of one Real. */
size_t mlp_real(const Mlp *net);

/** Bytes of one block's tape; of prepared weights; of a gradient; of a worker's workspace for mlp_jvp and mlp_vjp. */
size_t mlp_tape_bytes(const Mlp *net);
size_t mlp_weights_bytes(const Mlp *net);
size_t mlp_gradient_bytes(const Mlp *net);
size_t mlp_work_bytes(const Mlp *net);

/**
 * Orthogonal initialisation, biases zero. Source: Saxe, McClelland, Ganguli 2013, arXiv:1312.6120, section 3.
 * theta [out] [P];  gain of the hidden layers and of the last one.  E_NOMEM.
 */
Status mlp_orthogonal(const Mlp *net, double *theta, Rng *rng, double gain, double gain_last);

/** weights [out] = theta [P] laid out for the passes below, in the network's precision. mlp_weights_bytes, 64-byte aligned. */
void mlp_prepare(const Mlp *net, void *weights, const double *theta);

/** The same for a direction v of mlp_jvp, which wants less of it. */
void mlp_prepare_direction(const Mlp *net, void *weights, const double *theta);

/** Outputs of a block: fills tape from h_0 on. n rows, 1 <= n <= net->rows. */
void mlp_forward(const Mlp *net, const void *weights, int n, void *tape);

/** Part of a block's tape: h_l as Real [n][stride_l]; l = layers for the outputs. */
void *mlp_layer(const Mlp *net, void *tape, int l);

/**
 * Tangent of the outputs along a direction of the parameters: out_dot = (d out / d theta) v.
 *
 * out_dot  [out]  Real [n][outputs]
 * weights  [in]   prepared
 * v        [in]   direction, prepared by mlp_prepare or mlp_prepare_direction
 * tape     [in]   of the same rows
 * work     [work] mlp_work_bytes
 */
void mlp_jvp(const Mlp *net, void *out_dot, const void *weights, const void *v, int n, void *tape,
             void *work);

/**
 * Gradient: gradient += sum over rows of (d out / d theta)' dout.
 *
 * gradient [in,out] mlp_gradient_bytes, 64-byte aligned
 * dout     [in]     Real [n][outputs]
 */
void mlp_vjp(const Mlp *net, void *gradient, const void *weights, int n, void *tape,
             const void *dout, void *work);

/**
 * Sum of gradients, in the order of theta: out [P] = scale * sum over i < count of gradient i, stride bytes apart.
 * Every parameter is summed by a pairwise tree in double; parts of theta in parallel.
 */
void mlp_collect(const Mlp *net, double *out, const void *gradients, int count, size_t stride,
                 double scale);

#endif
