#include "nn/jacobian_cost.h"

#include "base/isa.h"

/* Rates of one core. */
typedef struct Rates {
  double matrix[2]; /* operations per second of products with matrices, single and double */
  double cache[2];  /* of products with the cache, which loads limit */
  double bytes;     /* read from memory per second */
} Rates;

/* Fitted to bench/fisher.c on a Zen 5 with a peak of 265 GFLOP/s in single precision (avx512): 11-64-64-3, 17-64-64-6 and
 * 376-64-64-17 at 1,000 rows, all within 7 %. It reads 40 GB/s; half of that is in proportion to its arithmetic what
 * other processors read. */
static const Rates rates[] = {
    [ISA_GENERIC] = {{41e9, 20e9}, {36e9, 18e9}, 10e9},
    [ISA_AVX2] = {{112e9, 56e9}, {65e9, 32e9}, 20e9},
    [ISA_AVX512] = {{222e9, 112e9}, {85e9, 42e9}, 20e9},
};

static double seconds(const Mlp *net, double matrix, double cache, double reals) {
  const Rates *rate = &rates[isa()];
  const double compute = matrix / rate->matrix[net->precision]
                         + cache / rate->cache[net->precision];
  const double memory = reals * (double)mlp_real(net) / rate->bytes;
  return compute > memory ? compute : memory;
}

static double activations(const Mlp *net) {
  double reals = 0;
  for (int l = 0; l < net->layers; l++) reals += net->stride[l];
  return reals;
}

double jacobian_cost_classical(const Mlp *net) {
  double weights = 0;
  for (int l = 0; l < net->layers; l++) weights += (double)net->width[l] * net->width[l + 1];
  const double first = (double)net->width[0] * net->width[1]; /* the input has no tangent */
  return seconds(net, 8 * weights - 4 * first, 0, activations(net));
}

double jacobian_cost_cached(const Jacobian *jacobian, int products) {
  const Mlp *net = jacobian->net;
  const double A = jacobian->outputs;
  const int last = net->layers - 1;
  double weights = 0, build = 0;
  for (int l = 0; l < last; l++) weights += (double)net->width[l] * net->stride[l + 1];
  for (int l = 1; l < last; l++) build += 2 * A * net->width[l + 1] * net->stride[l];
  return seconds(net, 4 * weights + build / products,
                 4 * (double)jacobian->extra + 8 * A * net->stride[last],
                 activations(net) + (double)jacobian->extra * (1 + 1.0 / products));
}

int jacobian_cost_worthwhile(const Jacobian *jacobian, int products, long blocks) {
  return (double)jacobian->cache_bytes * (double)blocks <= (double)JACOBIAN_CACHE_MOST
         && jacobian_cost_cached(jacobian, products) < jacobian_cost_classical(jacobian->net);
}
