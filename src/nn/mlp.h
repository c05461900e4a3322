#ifndef TRPO_MLP_H
#define TRPO_MLP_H

#include <stddef.h>

#include "base/rng.h"
#include "base/status.h"

/**
 * Multilayer perceptron on a flat parameter vector: h_0 = x, h_l = act(h_{l-1} W_l + b_l), out = h_{L-1} W_L + b_L.
 *
 * theta holds, layer by layer, W_l row-major [width_{l-1}][width_l], then b_l [width_l].
 * Networks compute in single or double precision; arrays of that precision are void pointers here ("Real").
 *
 * Rows are processed in blocks of at most net->rows, whose activations stay in the second-level cache and whose products
 * stay in the range where BLAS uses its small-matrix kernels. The tape of one block holds h_0, h_1, ..., out one after
 * another, each 64-byte aligned and [rows][stride_l]: stride_0 and the outputs' are their widths; a hidden layer's is its
 * width rounded up to MLP_PAD Reals, and the padding columns are 0. The caller fills h_0.
 */
typedef enum Precision { SINGLE, DOUBLE } Precision;
typedef enum Activation { ACT_IDENTITY, ACT_TANH, ACT_RELU } Activation;

enum { MLP_LAYERS = 16, MLP_WIDTH = 65536, MLP_PAD = 16 };

typedef struct Mlp {
  Precision precision;
  Activation activation;      /* of the hidden layers; the output layer is affine */
  int layers;                 /* affine layers, 1..MLP_LAYERS */
  int width[MLP_LAYERS + 1];  /* inputs, hidden ..., outputs */
  int stride[MLP_LAYERS + 1]; /* Reals from one row of h_l to the next */
  int widest;                 /* largest of stride */
  long weight[MLP_LAYERS];    /* where W_l begins in theta */
  long bias[MLP_LAYERS];      /* where b_l begins in theta */
  long P;                     /* parameters */
  int rows;                   /* rows of a block, a multiple of 16 */
  long column[MLP_LAYERS
              + 2]; /* where h_l begins in a block's tape, in Reals; last: Reals of a block */
  long transposed[MLP_LAYERS]; /* where W_l' begins in prepared weights (l >= 1) */
  long prepared;               /* Reals of prepared weights */
} Mlp;

/** Lays out a network. width [layers + 1], each in 1..MLP_WIDTH. */
void mlp_init(Mlp *net, Precision precision, Activation activation, int layers, const int *width);

/** Bytes of one Real. */
size_t mlp_real(const Mlp *net);

/** Bytes of one block's tape; of prepared weights; of a worker's workspace for mlp_jvp and mlp_vjp. */
size_t mlp_tape_bytes(const Mlp *net);
size_t mlp_weights_bytes(const Mlp *net);
size_t mlp_work_bytes(const Mlp *net);

/**
 * Orthogonal initialisation, biases zero. Source: Saxe, McClelland, Ganguli 2013, arXiv:1312.6120, section 3.
 * theta [out] [P];  gain of the hidden layers and of the last one.  E_NOMEM.
 */
Status mlp_orthogonal(const Mlp *net, double *theta, Rng *rng, double gain, double gain_last);

/** weights [out] = theta [P] in the network's precision, followed by W_l' for l >= 1. mlp_weights_bytes. */
void mlp_prepare(const Mlp *net, void *weights, const double *theta);

/** Outputs of a block: fills tape from h_0 on. n rows, 1 <= n <= net->rows. */
void mlp_forward(const Mlp *net, const void *weights, int n, void *tape);

/** Part of a block's tape: h_l as Real [n][stride_l]; l = layers for the outputs. */
void *mlp_layer(const Mlp *net, void *tape, int l);

/**
 * Tangent of the outputs along a direction of the parameters: out_dot = (d out / d theta) v.
 *
 * out_dot  [out]  Real [n][outputs]
 * weights  [in]   prepared
 * v        [in]   direction, prepared by mlp_prepare
 * tape     [in]   of the same rows
 * work     [work] mlp_work_bytes
 */
void mlp_jvp(const Mlp *net, void *out_dot, const void *weights, const void *v, int n, void *tape,
             void *work);

/**
 * Gradient: dtheta += sum over rows of (d out / d theta)' dout.
 *
 * dtheta   [in,out] Real [P]
 * dout     [in]     Real [n][outputs]
 */
void mlp_vjp(const Mlp *net, void *dtheta, const void *weights, int n, void *tape, const void *dout,
             void *work);

#endif
