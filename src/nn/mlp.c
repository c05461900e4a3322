#include "nn/mlp.h"

#include <math.h>
#include <string.h>

#include "base/blas.h"
#include "base/buffer.h"
#include "base/vmath.h"

#include "nn/real_f32.h"
#include "nn/mlp_template.h"
#include "nn/real_f64.h"
#include "nn/mlp_template.h"

enum { ROWS_LEAST = 48, ROWS_MOST = 192 };

/* Products of a block should have M N K <= 10^6, OpenBLAS's limit for its small-matrix kernels. Where that leaves
 * too few rows, the usual kernels are better served by many. */
static int block_rows(const Mlp *net) {
  long product = 1;
  for (int l = 0; l < net->layers; l++) {
    long p = (long)net->width[l] * net->width[l + 1];
    if (p > product) product = p;
  }
  long rows = 1000000 / product / 16 * 16;
  return rows < ROWS_LEAST || rows > ROWS_MOST ? ROWS_MOST : (int)rows;
}

void mlp_init(Mlp *net, Precision precision, Activation activation, int layers, const int *width) {
  *net = (Mlp){.precision = precision, .activation = activation, .layers = layers};
  memcpy(net->width, width, (size_t)(layers + 1) * sizeof *width);
  for (int l = 0; l <= layers; l++) {
    const int hidden = l > 0 && l < layers;
    net->stride[l] = hidden ? (width[l] + MLP_PAD - 1) / MLP_PAD * MLP_PAD : width[l];
    if (net->stride[l] > net->widest) net->widest = net->stride[l];
  }
  /* theta: W_1, b_1, W_2, b_2, ... */
  for (int l = 0; l < layers; l++) {
    net->weight[l] = net->P;
    net->bias[l] = net->P + (long)width[l] * width[l + 1];
    net->P = net->bias[l] + width[l + 1];
  }
  /* prepared weights: theta, then the transposes that the reverse pass multiplies with */
  net->prepared = net->P;
  for (int l = 1; l < layers; l++) {
    net->transposed[l] = net->prepared;
    net->prepared += (long)width[l] * width[l + 1];
  }
  net->rows = block_rows(net);
  for (int l = 0; l <= layers; l++)
    net->column[l + 1] = net->column[l]
                         + (long)net->rows * net->stride[l]; /* rows are a multiple of 16 */
}

size_t mlp_real(const Mlp *net) {
  return net->precision == SINGLE ? sizeof(float) : sizeof(double);
}

size_t mlp_tape_bytes(const Mlp *net) {
  return (size_t)net->column[net->layers + 1] * mlp_real(net);
}

size_t mlp_weights_bytes(const Mlp *net) {
  return (size_t)net->prepared * mlp_real(net);
}

size_t mlp_work_bytes(const Mlp *net) {
  return 2 * (size_t)net->rows * net->widest * mlp_real(net);
}

/* q [rows][columns] column-major, rows >= columns, becomes orthonormal; uniform over such matrices
 * because the signs of R's diagonal are folded in (Mezzadri 2007, arXiv:math-ph/0609050, section 5). */
static Status orthonormalise(double *q, double *tau, double *work, int rows, int columns) {
  if (LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, rows, columns, q, rows, tau, work, columns))
    return E_SINGULAR;
  for (int j = 0; j < columns; j++) work[columns + j] = q[(size_t)j * rows + j] < 0 ? -1 : 1;
  if (LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, rows, columns, columns, q, rows, tau, work, columns))
    return E_SINGULAR;
  for (int j = 0; j < columns; j++)
    for (int i = 0; i < rows; i++) q[(size_t)j * rows + i] *= work[columns + j];
  return OK;
}

static Status orthogonal_layer(double *w, int in, int out, Rng *rng, double gain) {
  const int tall = in > out ? in : out, thin = in > out ? out : in;
  Buffer *space = buffer_new(((size_t)tall * thin + 3 * (size_t)thin) * sizeof(double));
  if (!space) return E_NOMEM;
  double *q = space->data, *tau = q + (size_t)tall * thin;
  rng_fill_normal(rng, q, (size_t)tall * thin);
  Status status = orthonormalise(q, tau, tau + thin, tall, thin);
  /* q is column-major [tall][thin], that is row-major [thin][tall] */
  for (int i = 0; i < in && status == OK; i++)
    for (int j = 0; j < out; j++)
      w[(size_t)i * out + j] = gain
                               * (in > out ? q[(size_t)j * tall + i] : q[(size_t)i * tall + j]);
  buffer_release(space);
  return status;
}

Status mlp_orthogonal(const Mlp *net, double *theta, Rng *rng, double gain, double gain_last) {
  Status status = OK;
  memset(theta, 0, (size_t)net->P * sizeof *theta);
  for (int l = 0; l < net->layers && status == OK; l++)
    status = orthogonal_layer(theta + net->weight[l], net->width[l], net->width[l + 1], rng,
                              l + 1 == net->layers ? gain_last : gain);
  return status;
}

void mlp_prepare(const Mlp *net, void *weights, const double *theta) {
  if (net->precision == SINGLE)
    mlp_prepare_f32(net, weights, theta);
  else
    mlp_prepare_f64(net, weights, theta);
}

void mlp_forward(const Mlp *net, const void *weights, int n, void *tape) {
  if (net->precision == SINGLE)
    mlp_forward_f32(net, weights, n, tape);
  else
    mlp_forward_f64(net, weights, n, tape);
}

void *mlp_layer(const Mlp *net, void *tape, int l) {
  return (char *)tape + (size_t)net->column[l] * mlp_real(net);
}

void mlp_jvp(const Mlp *net, void *out_dot, const void *weights, const void *v, int n, void *tape,
             void *work) {
  if (net->precision == SINGLE)
    mlp_jvp_f32(net, out_dot, weights, v, n, tape, work);
  else
    mlp_jvp_f64(net, out_dot, weights, v, n, tape, work);
}

void mlp_vjp(const Mlp *net, void *dtheta, const void *weights, int n, void *tape, const void *dout,
             void *work) {
  if (net->precision == SINGLE)
    mlp_vjp_f32(net, dtheta, weights, n, tape, dout, work);
  else
    mlp_vjp_f64(net, dtheta, weights, n, tape, dout, work);
}
