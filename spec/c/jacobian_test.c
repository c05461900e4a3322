/* The cached form of Gauss-Newton products in C: it runs with denormals flushed to zero and leaves the processor's state
 * as it was, and it is chosen while its cache is small. What it computes, spec/42_fisher_spec.lua compares. */
#include "nn/jacobian.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check.h"
#include "nn/jacobian_cost.h"

static double *normals(long n, double scale) {
  double *x = malloc((size_t)n * sizeof *x);
  Rng rng = rng_at(rng_key(1, 0), RNG_USER, 0, 0);
  rng_fill_normal(&rng, x, (size_t)n);
  for (long i = 0; i < n; i++) x[i] *= scale;
  return x;
}

static void *aligned(size_t bytes) {
  const size_t whole = (bytes + 63) / 64 * 64;
  return memset(aligned_alloc(64, whole), 0, whole);
}

static void *reals(const Mlp *net, long n) {
  return aligned((size_t)n * mlp_real(net));
}

/* product of two denormals and one that is itself denormal, at run time */
static int flushes(void) {
  volatile double small = 1e-300, tiny = 1e-310;
  return small * 1e-10 == 0 && tiny * 1e10 == 0;
}

/* a metric that notes whether denormals are zero */
static void note(void *context, void *dot, int outputs, long first, int n) {
  (void)dot, (void)outputs, (void)first, (void)n;
  *(int *)context = flushes();
}

/* weights of 1e-20 make a cache of 1e-40, which is denormal in single precision */
static void check_denormals(Precision precision, double scale) {
  Mlp net;
  Jacobian j;
  int inside = 0;
  mlp_init(&net, precision, ACT_RELU, 3, (int[]){5, 20, 17, 3});
  jacobian_init(&j, &net, 0);
  double *theta = normals(net.P, scale);
  void *weights = reals(&net, j.packed), *transposed = reals(&net, j.reversed),
       *work = reals(&net, j.work), *gradient = reals(&net, j.packed),
       *prepared = aligned(mlp_weights_bytes(&net)), *tape = aligned(mlp_tape_bytes(&net)),
       *cache = reals(&net, net.rows * j.extra);
  memset(mlp_layer(&net, tape, 0), 0x3f, (size_t)net.rows * 5 * mlp_real(&net)); /* some inputs */
  mlp_prepare(&net, prepared, theta);
  mlp_forward(&net, prepared, net.rows, tape);
  jacobian_pack(&j, weights, theta);
  jacobian_transpose(&j, transposed, theta);
  const JacobianBlock block = {.n = net.rows, .tape = tape, .cache = cache};
  jacobian_build(&j, &block, weights, transposed, work);
  CHECK(!flushes(), "denormals are numbers after a cache was made");
  int normal = 1;
  for (long i = 0; i < net.rows * j.extra; i++) {
    const double e = precision == SINGLE ? (double)((float *)cache)[i] : ((double *)cache)[i];
    const double least = precision == SINGLE ? 0x1p-126 : 0x1p-1022;
    normal &= e == 0 || e >= least || e <= -least;
  }
  jacobian_product(&j, gradient, weights, weights, &block, note, &inside, work);
  CHECK(normal || !check_flushes(), "a cache holds no denormals");
  CHECK(inside || !check_flushes(), "denormals are zero during a product");
  CHECK(!flushes(), "denormals are numbers after a product");
  free(theta), free(weights), free(transposed), free(work), free(gradient), free(prepared);
  free(tape), free(cache);
}

static void check_choice(void) {
  Mlp net;
  Jacobian j;
  mlp_init(&net, SINGLE, ACT_TANH, 3, (int[]){11, 64, 64, 3});
  jacobian_init(&j, &net, 0);
  const long most = (long)(JACOBIAN_CACHE_MOST / j.cache_bytes);
  CHECK(j.cache_bytes == (size_t)net.rows * 3 * 64 * sizeof(float), "4 (L - 1) H A bytes per row");
  CHECK(jacobian_cost_worthwhile(&j, 10, 1) && jacobian_cost_worthwhile(&j, 10, most),
        "a cache of 1 GiB is taken for few outputs");
  CHECK(!jacobian_cost_worthwhile(&j, 10, most + 1), "a larger one is not");
}

int main(void) {
  check_denormals(SINGLE, 1e-20);
  check_denormals(DOUBLE, 1e-160);
  check_choice();
  return check_failures();
}
