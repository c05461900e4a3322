#include "nn/mlp.h"

#include <string.h>

#include "base/blas.h"
#include "base/buffer.h"
#include "base/pool.h"

/* --- layout ------------------------------------------------------------------------------------------------ */

enum { ROWS_LEAST = 48, ROWS_MOST = 192, BLOCK_BYTES = 96 << 10 };

/* Rows of a block: its tape is to stay in the second-level cache beside the weights. */
static int block_rows(const Mlp *net) {
  long bytes = 0;
  for (int l = 0; l <= net->layers; l++) bytes += net->stride[l] * (long)mlp_real(net);
  int rows = ROWS_MOST;
  while (rows > ROWS_LEAST && rows * bytes > BLOCK_BYTES) rows /= 2;
  return rows;
}

/* Whether layer l gives the outputs from hidden ones: its gradient is kept transposed. */
static int reads_hidden(const Mlp *net, int l) {
  return net->layers > 1 && l == net->layers - 1;
}

/* Places of W, b and W' of layer l in prepared weights, and of its gradient. */
static void lay_out(Mlp *net, int l) {
  const long in = net->width[l], out = net->width[l + 1], columns = KERNEL_PADDED(out);
  const int last = l + 1 == net->layers;
  net->packed[l] = net->prepared;
  if (!last || !net->thin) net->prepared += in * columns;
  net->offset[l] = net->prepared;
  net->prepared += columns;
  net->transposed[l] = net->prepared;
  if (l > 0) net->prepared += out * KERNEL_PADDED(in);
  const long size = reads_hidden(net, l) ? out * net->stride[l] + columns : (in + 1) * columns;
  net->partial[l + 1] = net->partial[l] + size;
}

void mlp_init(Mlp *net, Precision precision, Activation activation, int layers, const int *width) {
  *net = (Mlp){.precision = precision,
               .activation = activation,
               .kernel = kernel(precision),
               .layers = layers,
               .thin = layers > 1 && width[layers] <= KERNEL_THIN};
  memcpy(net->width, width, (size_t)(layers + 1) * sizeof *width);
  net->stride[0] = width[0];
  net->stride[layers] = width[layers];
  if (layers == 1) net->widest = KERNEL_PADDED(width[1]); /* outputs' gradients are padded there */
  for (int l = 1; l < layers; l++) {
    net->stride[l] = KERNEL_PADDED(width[l]);
    if (net->stride[l] > net->widest) net->widest = net->stride[l];
  }
  /* theta: W_1, b_1, W_2, b_2, ... */
  for (int l = 0; l < layers; l++) {
    net->weight[l] = net->P;
    net->bias[l] = net->P + (long)width[l] * width[l + 1];
    net->P = net->bias[l] + width[l + 1];
    lay_out(net, l);
  }
  net->rows = block_rows(net);
  for (int l = 0; l <= layers; l++) /* rows are a multiple of 16 */
    net->column[l + 1] = net->column[l] + (long)net->rows * net->stride[l];
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

size_t mlp_gradient_bytes(const Mlp *net) {
  return (size_t)net->partial[net->layers] * mlp_real(net);
}

size_t mlp_work_bytes(const Mlp *net) {
  return 2 * (size_t)net->rows * (size_t)net->widest * mlp_real(net);
}

/* entry `at` of a Real array */
static void *at(const Mlp *net, const void *array, long entry) {
  return (char *)array + entry * (long)mlp_real(net);
}

void *mlp_layer(const Mlp *net, void *tape, int l) {
  return at(net, tape, net->column[l]);
}

/* --- initialisation ---------------------------------------------------------------------------------------- */

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

/* --- preparation ------------------------------------------------------------------------------------------- */

static void prepare(const Mlp *net, void *weights, const double *theta, int direction) {
  const KernelTable *k = net->kernel;
  for (int l = 0; l < net->layers; l++) {
    const int in = net->width[l], out = net->width[l + 1];
    const int thin = net->thin && l + 1 == net->layers;
    const double *w = theta + net->weight[l];
    if (!thin) k->pack(at(net, weights, net->packed[l]), w, in, out);
    k->pack(at(net, weights, net->offset[l]), theta + net->bias[l], 1, out);
    if (thin || (l > 0 && !direction))
      k->pack_transposed(at(net, weights, net->transposed[l]), w, out, in);
  }
}

void mlp_prepare(const Mlp *net, void *weights, const double *theta) {
  prepare(net, weights, theta, 0);
}

void mlp_prepare_direction(const Mlp *net, void *weights, const double *theta) {
  prepare(net, weights, theta, 1);
}

/* --- passes ------------------------------------------------------------------------------------------------ */

/* The map from h_l to h_{l+1} for n rows, but for its operands. */
static KernelAffine affine(const Mlp *net, int l, void *y, const void *weights, int n) {
  return (KernelAffine){.n = n,
                        .columns = net->width[l + 1],
                        .y = y,
                        .dy = net->stride[l + 1],
                        .b_ = at(net, weights, net->offset[l]),
                        .activation = net->activation};
}

/* x [n][stride_l] times layer l's part of prepared weights */
static KernelOperand operand(const Mlp *net, int l, const void *x, const void *weights) {
  const int thin = net->thin && l + 1 == net->layers;
  return (KernelOperand){.x = x,
                         .dx = net->stride[l],
                         .depth = net->width[l],
                         .w = at(net, weights, thin ? net->transposed[l] : net->packed[l])};
}

static void run(const Mlp *net, int l, const KernelAffine *map) {
  if (net->thin && l + 1 == net->layers)
    net->kernel->dots(map);
  else
    net->kernel->affine(map);
}

/* An infinite input leaves NaN in the padding, which is to be 0. */
static void clear_padding(const Mlp *net, int l, char *h, int n) {
  const size_t real = mlp_real(net), row = (size_t)net->stride[l] * real;
  const size_t held = (size_t)net->width[l] * real;
  for (int i = 0; i < n && held < row; i++) memset(h + (size_t)i * row + held, 0, row - held);
}

void mlp_forward(const Mlp *net, const void *weights, int n, void *tape) {
  const unsigned state = kernel_enter();
  for (int l = 0; l < net->layers; l++) {
    KernelAffine map = affine(net, l, mlp_layer(net, tape, l + 1), weights, n);
    map.operand[0] = operand(net, l, mlp_layer(net, tape, l), weights);
    map.end = l + 1 < net->layers ? KERNEL_ACTIVATION : KERNEL_PLAIN;
    run(net, l, &map);
    clear_padding(net, l + 1, map.y, n);
  }
  kernel_leave(state);
}

/* one of the two halves of a workspace, in turns */
static void *half(const Mlp *net, void *work, int l) {
  return at(net, work, (l & 1) * (long)net->rows * net->widest);
}

void mlp_jvp(const Mlp *net, void *out_dot, const void *weights, const void *v, int n, void *tape,
             void *work) {
  const unsigned state = kernel_enter();
  const void *h_dot = NULL;
  for (int l = 0; l < net->layers; l++) {
    const int last = l + 1 == net->layers;
    void *z_dot = last ? out_dot : half(net, work, l);
    /* z_dot = (h V + v_b + h_dot W) act'(h_{l+1});  the input has no tangent */
    KernelAffine map = affine(net, l, z_dot, v, n);
    map.operand[0] = operand(net, l, mlp_layer(net, tape, l), v);
    if (h_dot) map.operand[1] = operand(net, l, h_dot, weights);
    if (!last) {
      map.end = KERNEL_SLOPE;
      map.h_ = mlp_layer(net, tape, l + 1);
    }
    run(net, l, &map);
    h_dot = z_dot;
  }
  kernel_leave(state);
}

/* Gradient of layer l from d = d/d h_l W + b, [n][dd]. */
static void layer_gradient(const Mlp *net, int l, void *gradient, int n, void *tape, const void *d,
                           int dd) {
  const KernelTable *k = net->kernel;
  const int in = net->width[l], out = net->width[l + 1];
  void *g = at(net, gradient, net->partial[l]), *h = mlp_layer(net, tape, l);
  if (reads_hidden(net, l)) {
    k->gradient(g, net->stride[l], d, dd, out, 0, h, net->stride[l], n, NULL); /* dW' += d' h */
    k->sum_rows(at(net, g, (long)out * net->stride[l]), d, n, out);            /* db += sum of d */
  } else {
    k->gradient(g, KERNEL_PADDED(out), h, net->stride[l], in, 1, d, dd, n,
                NULL); /* dW += h' d, db */
  }
}

/* dout [n][outputs], padded */
static void *padded(const Mlp *net, void *work, const char *dout, int n) {
  const size_t row = (size_t)net->widest * mlp_real(net);
  const size_t held = (size_t)net->width[net->layers] * mlp_real(net);
  for (int i = 0; i < n; i++) {
    char *to = (char *)work + (size_t)i * row;
    memcpy(to, dout + (size_t)i * held, held);
    memset(to + held, 0, row - held);
  }
  return work;
}

void mlp_vjp(const Mlp *net, void *gradient, const void *weights, int n, void *tape,
             const void *dout, void *work) {
  const unsigned state = kernel_enter();
  const void *d = net->layers == 1 ? padded(net, work, dout, n) : dout;
  int dd = net->layers == 1 ? net->widest : net->stride[net->layers];
  for (int l = net->layers - 1; l >= 0; l--) {
    layer_gradient(net, l, gradient, n, tape, d, dd);
    if (l == 0) break;
    /* dh = d W' act'(h) */
    const KernelOperand from = {
        .x = d, .dx = dd, .depth = net->width[l + 1], .w = at(net, weights, net->transposed[l])};
    const KernelAffine map = {.n = n,
                              .columns = net->width[l],
                              .y = half(net, work, l),
                              .dy = net->stride[l],
                              .operand = {from},
                              .end = KERNEL_SLOPE,
                              .activation = net->activation,
                              .h_ = mlp_layer(net, tape, l)};
    net->kernel->affine(&map);
    d = map.y;
    dd = map.dy;
  }
  kernel_leave(state);
}

/* --- sums of gradients ------------------------------------------------------------------------------------- */

enum { STRIP = 1024, PART = 8192 }; /* numbers summed at a time; numbers of a task */

typedef struct Collect {
  const Mlp *net;
  double *out;
  const char *gradients;
  int count;
  size_t stride;
  double scale;
  int parts;
} Collect;

/* entry `place` of the layout of gradients becomes theta's: rows of W, padded, then b; transposed in an output layer */
static void put(const Collect *c, int l, long place, long n, const double *x) {
  const Mlp *net = c->net;
  const long in = net->width[l], out = net->width[l + 1];
  double *w = c->out + net->weight[l], *b = c->out + net->bias[l];
  const int transposed = reads_hidden(net, l);
  const long row = transposed ? net->stride[l] : KERNEL_PADDED(out);
  for (long k = 0; k < n;) {
    /* the rest of a row, which ends with the padding */
    const long i = (place + k) / row, j = (place + k) % row,
               some = row - j < n - k ? row - j : n - k;
    const long held = transposed ? (i < out ? in : out) : out,
               end = held - j < some ? held - j : some;
    if (transposed && i >= out) {
      const long first = place + k - out * row;
      for (long m = 0; m < some && first + m < out; m++) b[first + m] = c->scale * x[k + m];
    } else if (transposed) {
      for (long m = 0; m < end; m++) w[(j + m) * out + i] = c->scale * x[k + m];
    } else {
      double *to = i < in ? w + i * out : b;
      for (long m = 0; m < end; m++) to[j + m] = c->scale * x[k + m];
    }
    k += some;
  }
}

static void collect_part(void *context, int part, int worker) {
  const Collect *c = context;
  const Mlp *net = c->net;
  const long strips = net->partial[net->layers] / KERNEL_PAD;
  const long begin = part * strips / c->parts * KERNEL_PAD;
  const long end = (part + 1) * strips / c->parts * KERNEL_PAD;
  const long stride = (long)(c->stride / mlp_real(net));
  double sum[STRIP];
  (void)worker;
  for (int l = 0; l < net->layers; l++) {
    const long first = begin > net->partial[l] ? begin : net->partial[l];
    const long behind = end < net->partial[l + 1] ? end : net->partial[l + 1];
    for (long i = first; i < behind; i += STRIP) {
      const long n = behind - i < STRIP ? behind - i : STRIP;
      net->kernel->collect(sum, at(net, c->gradients, i), c->count, stride, (int)n);
      put(c, l, i - net->partial[l], n, sum);
    }
  }
}

void mlp_collect(const Mlp *net, double *out, const void *gradients, int count, size_t stride,
                 double scale) {
  const long work = net->partial[net->layers] * count;
  const long most = net->partial[net->layers] / KERNEL_PAD;
  long parts = work / PART < 64 ? work / PART : 64;
  if (parts > most) parts = most;
  Collect c = {net, out, gradients, count, stride, scale, parts < 1 ? 1 : (int)parts};
  pool_run(collect_part, &c, c.parts);
}
