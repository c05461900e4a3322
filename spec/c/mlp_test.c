/* The network in C: outputs, tangents and gradients against plain loops, workspace bounds, and layout. */
#include "nn/mlp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check.h"

enum { GUARD = 64 };

/* what one block works with; GUARD bytes behind every array must stay as they are */
typedef struct Block {
  Mlp net;
  double *theta, *v;
  char *weights, *direction, *tape, *work, *out_dot, *gradient;
  int n;
} Block;

static char *guarded(size_t bytes) {
  char *p = aligned_alloc(64, (bytes + GUARD + 63) / 64 * 64);
  memset(p, 0x5a, bytes + GUARD);
  return p;
}

static int intact(const char *p, size_t bytes) {
  for (size_t i = 0; i < GUARD; i++)
    if (p[bytes + i] != 0x5a) return 0;
  return 1;
}

static double real(const Mlp *net, const void *array, long i) {
  return net->precision == SINGLE ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static void set_real(const Mlp *net, void *array, long i, double x) {
  if (net->precision == SINGLE)
    ((float *)array)[i] = (float)x;
  else
    ((double *)array)[i] = x;
}

static double *normals(Rng *rng, long n, double scale) {
  double *x = malloc((size_t)n * sizeof *x);
  rng_fill_normal(rng, x, (size_t)n);
  for (long i = 0; i < n; i++) x[i] *= scale;
  return x;
}

static Block block_make(Precision precision, Activation activation, int layers, const int *width,
                        int n, Rng *rng) {
  Block b = {.n = n};
  mlp_init(&b.net, precision, activation, layers, width);
  const size_t r = mlp_real(&b.net);
  b.theta = normals(rng, b.net.P, 0.3);
  b.v = normals(rng, b.net.P, 0.3);
  b.weights = guarded(mlp_weights_bytes(&b.net));
  b.direction = guarded(mlp_weights_bytes(&b.net));
  b.tape = guarded(mlp_tape_bytes(&b.net));
  b.work = guarded(mlp_work_bytes(&b.net));
  b.out_dot = guarded((size_t)n * width[layers] * r);
  b.gradient = guarded(mlp_gradient_bytes(&b.net));
  mlp_prepare(&b.net, b.weights, b.theta);
  mlp_prepare_direction(&b.net, b.direction, b.v);
  for (long i = 0; i < (long)n * width[0]; i++) set_real(&b.net, b.tape, i, rng_normal(rng));
  return b;
}

static void block_free(Block *b) {
  void *all[] = {b->theta, b->v,    b->weights, b->direction,
                 b->tape,  b->work, b->out_dot, b->gradient};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static double act(Activation a, double z) {
  return a == ACT_TANH ? tanh(z) : a == ACT_RELU ? fmax(z, 0) : z;
}

static double slope(Activation a, double h) {
  return a == ACT_TANH ? 1 - h * h : a == ACT_RELU ? h > 0 : 1;
}

/* Outputs and tangent of row i by plain loops: out, out_dot [outputs]. */
static void plain_row(const Block *b, int i, double *out, double *out_dot) {
  const Mlp *net = &b->net;
  static double h[2][512], h_dot[2][512];
  for (int k = 0; k < net->width[0]; k++) {
    h[0][k] = real(net, b->tape, (long)i * net->width[0] + k);
    h_dot[0][k] = 0;
  }
  for (int l = 0; l < net->layers; l++) {
    const int in = net->width[l], m = net->width[l + 1], last = l + 1 == net->layers;
    const double *w = b->theta + net->weight[l], *v = b->v + net->weight[l];
    const double *x = h[l & 1], *x_dot = h_dot[l & 1];
    for (int j = 0; j < m; j++) {
      double z = b->theta[net->bias[l] + j], z_dot = b->v[net->bias[l] + j];
      for (int k = 0; k < in; k++) {
        z += x[k] * w[(long)k * m + j];
        z_dot += x[k] * v[(long)k * m + j] + x_dot[k] * w[(long)k * m + j];
      }
      double y = last ? z : act(net->activation, z);
      h[~l & 1][j] = y;
      h_dot[~l & 1][j] = last ? z_dot : z_dot * slope(net->activation, y);
    }
  }
  memcpy(out, h[net->layers & 1], (size_t)net->width[net->layers] * sizeof *out);
  memcpy(out_dot, h_dot[net->layers & 1], (size_t)net->width[net->layers] * sizeof *out_dot);
}

/* largest differences of outputs and tangents from the plain ones */
static void compare_rows(const Block *b, double *worst_out, double *worst_dot) {
  const Mlp *net = &b->net;
  const int m = net->width[net->layers];
  double out[512], out_dot[512];
  *worst_out = *worst_dot = 0;
  for (int i = 0; i < b->n; i++) {
    plain_row(b, i, out, out_dot);
    for (int j = 0; j < m; j++) {
      const long k = (long)i * m + j;
      double scale = 1 + fabs(out[j]), scale_dot = 1 + fabs(out_dot[j]);
      *worst_out = fmax(*worst_out,
                        fabs(real(net, mlp_layer(net, b->tape, net->layers), k) - out[j]) / scale);
      *worst_dot = fmax(*worst_dot, fabs(real(net, b->out_dot, k) - out_dot[j]) / scale_dot);
    }
  }
}

/* u'(J v) against (J'u)'v for a random u, relative; gradients are added to what is there, and two of them are summed */
static double adjoint_gap(Block *b, Rng *rng) {
  const Mlp *net = &b->net;
  const long m = (long)b->n * net->width[net->layers];
  const size_t bytes = mlp_gradient_bytes(net);
  char *u = guarded((size_t)m * mlp_real(net)), *two = guarded(2 * bytes);
  double forward = 0, reverse = 0, size = 0, *sum = malloc((size_t)net->P * sizeof *sum);
  for (long k = 0; k < m; k++) set_real(net, u, k, rng_normal(rng));
  memset(b->gradient, 0, bytes);
  mlp_vjp(net, b->gradient, b->weights, b->n, b->tape, u, b->work);
  memcpy(two, b->gradient, bytes);
  mlp_vjp(net, b->gradient, b->weights, b->n, b->tape, u, b->work);
  memcpy(two + bytes, b->gradient, bytes);
  mlp_collect(net, sum, two, 2, bytes, 1.0 / 3);
  for (long k = 0; k < m; k++) forward += real(net, u, k) * real(net, b->out_dot, k);
  for (long k = 0; k < net->P; k++) {
    reverse += sum[k] * b->v[k];
    size += fabs(sum[k] * b->v[k]);
  }
  free(u), free(two), free(sum);
  return fabs(forward - reverse) / size;
}

static void check_network(Precision precision, Activation activation, int layers, const int *width,
                          int n) {
  Rng rng = rng_at(rng_key(5, 0), RNG_USER, (uint32_t)layers, (uint64_t)n);
  Block b = block_make(precision, activation, layers, width, n, &rng);
  const double tolerance = precision == SINGLE ? 4e-5 : 1e-13;
  char *before = malloc(mlp_weights_bytes(&b.net));
  double out, dot;
  memcpy(before, b.weights, mlp_weights_bytes(&b.net));
  mlp_forward(&b.net, b.weights, n, b.tape);
  mlp_jvp(&b.net, b.out_dot, b.weights, b.direction, n, b.tape, b.work);
  compare_rows(&b, &out, &dot);
  double gap = adjoint_gap(&b, &rng);
  const size_t r = mlp_real(&b.net);
  int good = intact(b.weights, mlp_weights_bytes(&b.net)) && intact(b.tape, mlp_tape_bytes(&b.net))
             && intact(b.work, mlp_work_bytes(&b.net))
             && intact(b.gradient, mlp_gradient_bytes(&b.net))
             && intact(b.out_dot, (size_t)n * width[layers] * r)
             && memcmp(before, b.weights, mlp_weights_bytes(&b.net)) == 0;
  CHECK(out < tolerance && dot < tolerance && gap < tolerance && good,
        "%d layers, %d rows, %s: out %.1e, tangent %.1e, adjoint %.1e", layers, n,
        precision == SINGLE ? "single" : "double", out, dot, gap);
  free(before);
  block_free(&b);
}

static void check_shapes(void) {
  static const int widths[][6] = {{3, 2},          {1, 1, 1},        {11, 64, 3},
                                  {17, 130, 5, 7}, {4, 9, 1, 16, 2}, {130, 130, 130}};
  static const int layers[] = {1, 2, 2, 3, 4, 2};
  for (int k = 0; k < 6; k++)
    for (int p = SINGLE; p <= DOUBLE; p++)
      for (int a = ACT_IDENTITY; a <= ACT_RELU; a++) {
        Mlp net;
        mlp_init(&net, (Precision)p, (Activation)a, layers[k], widths[k]);
        check_network((Precision)p, (Activation)a, layers[k], widths[k], 1);
        check_network((Precision)p, (Activation)a, layers[k], widths[k], net.rows - 1);
        check_network((Precision)p, (Activation)a, layers[k], widths[k], net.rows);
      }
}

static void check_layout(void) {
  Mlp net;
  mlp_init(&net, DOUBLE, ACT_TANH, 3, (int[]){5, 4, 3, 2});
  CHECK(net.P == 5 * 4 + 4 + 4 * 3 + 3 + 3 * 2 + 2, "parameters: %ld", net.P);
  CHECK(net.weight[1] == 24 && net.bias[1] == 36 && net.weight[2] == 39,
        "W and b follow each other, layer by layer");
  CHECK(net.widest == 16 && net.stride[1] == 16 && net.rows % 16 == 0 && net.rows == 192,
        "rows of a block: %d", net.rows);
  mlp_init(&net, DOUBLE, ACT_TANH, 1, (int[]){60000, 60000});
  CHECK(net.P == 60000L * 60000 + 60000 && net.rows == 48, "a huge layer does not overflow: %ld",
        net.P);
}

static void check_orthogonal(void) {
  Mlp net;
  Rng rng = rng_at(rng_key(6, 0), RNG_USER, 0, 0);
  mlp_init(&net, DOUBLE, ACT_TANH, 2, (int[]){7, 30, 4});
  double *theta = malloc((size_t)net.P * sizeof *theta), worst = 0;
  CHECK(mlp_orthogonal(&net, theta, &rng, sqrt(2), 0.01) == OK, "orthogonal initialisation");
  for (int i = 0; i < 7; i++) /* rows of W_1 [7][30] */
    for (int j = 0; j < 7; j++) {
      double sum = 0;
      for (int k = 0; k < 30; k++) sum += theta[i * 30 + k] * theta[j * 30 + k];
      worst = fmax(worst, fabs(sum - (i == j ? 2 : 0)));
    }
  for (int i = 0; i < 4; i++) /* columns of W_2 [30][4] */
    for (int j = 0; j < 4; j++) {
      double sum = 0;
      for (int k = 0; k < 30; k++)
        sum += theta[net.weight[1] + k * 4 + i] * theta[net.weight[1] + k * 4 + j];
      worst = fmax(worst, fabs(sum - (i == j ? 1e-4 : 0)));
    }
  CHECK(worst < 1e-14, "gains sqrt 2 and 0.01: %.1e", worst);
  free(theta);
}

static void check_nan(void) {
  for (int a = ACT_IDENTITY; a <= ACT_RELU; a++) {
    Rng rng = rng_at(rng_key(7, 0), RNG_USER, 0, 0);
    Block b = block_make(DOUBLE, (Activation)a, 2, (int[]){2, 3, 2}, 2, &rng);
    set_real(&b.net, b.tape, 1, NAN);
    mlp_forward(&b.net, b.weights, 2, b.tape);
    const double *out = mlp_layer(&b.net, b.tape, 2);
    CHECK(isnan(out[0]) && isnan(out[1]) && isfinite(out[2]),
          "activation %d keeps a NaN, in its row", a);
    block_free(&b);
  }
}

int main(void) {
  check_layout();
  check_shapes();
  check_orthogonal();
  check_nan();
  return check_failures();
}
