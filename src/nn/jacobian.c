#include "nn/jacobian.h"

#include <string.h>

#include "base/isa.h"

extern const JacobianTable jacobian_generic;
#ifdef __x86_64__
extern const JacobianTable jacobian_avx2, jacobian_avx512;
#endif

enum { FIRST_LEVEL = 24 << 10, STRIP_STEP = 6, STRIP_MOST = 48 };

/* Lines at every step of the loops of products with matrices, of which a step is 6 rows or entries and 256 bytes of
 * columns, so that as many bytes are fetched by the end. */
static int pace(const Mlp *net, size_t bytes) {
  long steps = 0; /* of 6 rows */
  for (int l = 1; l < net->layers; l++)
    steps += net->width[l - 1] * ((net->stride[l] * (long)mlp_real(net) + 255) / 256);
  return 6 * (long)(bytes / (size_t)net->rows) / 64 > steps ? 2 : 1;
}

/* Rows of which everything fits into half of the first-level cache. */
static int strip_rows(const Jacobian *j) {
  const Mlp *net = j->net;
  long reals = net->width[0] + j->extra + (long)j->outputs * KERNEL_PAD;
  for (int l = 1; l < net->layers; l++) reals += 2L * net->stride[l];
  const long rows = FIRST_LEVEL / (reals * (long)mlp_real(net)) / STRIP_STEP * STRIP_STEP;
  return rows < STRIP_STEP ? STRIP_STEP : rows > STRIP_MOST ? STRIP_MOST : (int)rows;
}

void jacobian_init(Jacobian *j, const Mlp *net, int contrast) {
  const int last = net->layers - 1;
  *j = (Jacobian){.net = net, .contrast = contrast};
  j->outputs = net->width[net->layers] - (contrast ? 1 : 0);
  /* packed parameters */
  for (int l = 0; l < net->layers; l++) {
    const long out = l < last ? net->stride[l + 1] : KERNEL_PADDED(j->outputs);
    j->weight[l] = j->packed;
    j->bias[l] = j->packed
                 + (l < last ? net->width[l] * out : j->outputs * (long)net->stride[last]);
    j->packed = j->bias[l] + out;
  }
  /* the cache, and the transposes that it is made with */
  for (int l = 1; l < last; l++) {
    j->kept[l] = net->rows * j->extra;
    j->extra += (long)j->outputs * net->stride[l];
    j->transposed[l] = j->reversed;
    j->reversed += (long)net->width[l + 1] * net->stride[l];
  }
  j->tape_bytes = (size_t)net->column[net->layers] * mlp_real(net);
  j->cache_bytes = (size_t)(net->rows * j->extra) * mlp_real(net);
  j->tape_pace = pace(net, j->tape_bytes);
  j->cache_pace = pace(net, j->cache_bytes);
  /* the workspace */
  j->strip = strip_rows(j);
  j->work = KERNEL_PADDED((long)net->rows * j->outputs);
  for (int l = 1; l <= last; l++) {
    j->tangent[l] = j->work;
    j->work += (long)net->rows * net->stride[l];
  }
  j->sums = j->work;
  j->work += (long)j->strip * j->outputs * KERNEL_PAD;
  const long build = (long)j->strip * j->outputs * net->stride[last];
  if (j->work < build) j->work = build;
}

/* packed [n] = x - y_, entries `step` apart */
static void pack_difference(const Jacobian *j, void *packed, long at, const double *x,
                            const double *y_, int n, int step) {
  for (int i = 0; i < n; i++) {
    const double d = x[(long)i * step] - (y_ ? y_[(long)i * step] : 0);
    if (j->net->precision == SINGLE)
      ((float *)packed)[at + i] = (float)d;
    else
      ((double *)packed)[at + i] = d;
  }
}

void jacobian_pack(const Jacobian *j, void *packed, const double *theta) {
  const Mlp *net = j->net;
  const KernelTable *table = kernel(net->precision);
  const int last = net->layers - 1, A = net->width[net->layers], H = net->width[last];
  const size_t real = mlp_real(net);
  char *to = packed;
  for (int l = 0; l < last; l++) {
    const int out = net->width[l + 1];
    table->pack(to + j->weight[l] * real, theta + net->weight[l], net->width[l], out);
    table->pack(to + j->bias[l] * real, theta + net->bias[l], 1, out);
  }
  /* row a: column a of the output weights, less the last one */
  const double *w = theta + net->weight[last], *b = theta + net->bias[last];
  memset(to + j->weight[last] * real, 0, (size_t)(j->packed - j->weight[last]) * real);
  for (int a = 0; a < j->outputs; a++)
    pack_difference(j, packed, j->weight[last] + (long)a * net->stride[last], w + a,
                    j->contrast ? w + A - 1 : NULL, H, A);
  for (int a = 0; a < j->outputs; a++)
    pack_difference(j, packed, j->bias[last] + a, b + a, j->contrast ? b + A - 1 : NULL, 1, 1);
}

/* gradient of the weights out of one hidden unit, or of the biases, from entries `step` apart */
static void unpack_outputs(const Jacobian *j, double *gradient, const double *packed, long step) {
  double sum = 0;
  for (int a = 0; a < j->outputs; a++) {
    gradient[a] = packed[a * step];
    sum += gradient[a];
  }
  if (j->contrast) gradient[j->outputs] = -sum; /* out_last is part of every difference */
}

void jacobian_unpack(const Jacobian *j, double *gradient, const double *packed) {
  const Mlp *net = j->net;
  const int last = net->layers - 1, A = net->width[net->layers];
  for (int l = 0; l < last; l++) /* the biases are one more row of the weights */
    for (int i = 0; i <= net->width[l]; i++)
      memcpy(gradient + net->weight[l] + (long)i * net->width[l + 1],
             packed + j->weight[l] + (long)i * net->stride[l + 1],
             (size_t)net->width[l + 1] * sizeof(double));
  for (int i = 0; i < net->width[last]; i++)
    unpack_outputs(j, gradient + net->weight[last] + (long)i * A, packed + j->weight[last] + i,
                   net->stride[last]);
  unpack_outputs(j, gradient + net->bias[last], packed + j->bias[last], 1);
}

void jacobian_transpose(const Jacobian *j, void *transposed, const double *theta) {
  const Mlp *net = j->net;
  for (int l = 1; l + 1 < net->layers; l++)
    kernel(net->precision)
        ->pack_transposed((char *)transposed + j->transposed[l] * (long)mlp_real(net),
                          theta + net->weight[l], net->width[l + 1], net->width[l]);
}

void jacobian_build(const Jacobian *j, const JacobianBlock *block, const void *weights,
                    const void *transposed, void *work) {
  const unsigned state = kernel_enter();
  ISA_TABLE(jacobian, isa())->build[j->net->precision](j, block, weights, transposed, work);
  kernel_leave(state);
}

void jacobian_product(const Jacobian *j, void *gradient, const void *weights, const void *v,
                      const JacobianBlock *block, JacobianMetric metric_, void *context,
                      void *work) {
  const unsigned state = kernel_enter();
  ISA_TABLE(jacobian, isa())
      ->product[j->net->precision](j, gradient, weights, v, block, metric_, context, work);
  kernel_leave(state);
}
