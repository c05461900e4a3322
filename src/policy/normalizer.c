#include "policy/normalizer.h"

#include <math.h>

Status normalizer_init(Normalizer *z, int O) {
  Buffer *storage = buffer_new(4 * (size_t)O * sizeof(double));
  if (!storage) return E_NOMEM;
  double *data = storage->data;
  *z = (Normalizer){O, 0, data, data + O, data + 2 * O, data + 3 * O, storage};
  for (int o = 0; o < O; o++) z->scale[o] = 1;
  return OK;
}

void normalizer_free(Normalizer *z) {
  buffer_release(z->storage);
  *z = (Normalizer){0};
}

/* Mean and sum of squared deviations of one column of obs [N][O], in two passes. */
static void column_moments(const double *obs, long N, int O, double *mean, double *square) {
  double sum = 0, deviation = 0;
  for (long i = 0; i < N; i++) sum += obs[i * O];
  *mean = sum / (double)N;
  for (long i = 0; i < N; i++) deviation += (obs[i * O] - *mean) * (obs[i * O] - *mean);
  *square = deviation;
}

typedef struct Moments {
  double mean, square;
} Moments;

/* The moments of feature o with N more rows of obs. */
static Moments merged(const Normalizer *z, const double *obs, long N, int o) {
  const double total = z->count + (double)N;
  double mean, square;
  column_moments(obs + o, N, z->O, &mean, &square);
  const double gap = mean - z->mean[o];
  return (Moments){z->mean[o] + gap * (double)N / total,
                   z->square[o] + square + gap * gap * z->count * (double)N / total};
}

Status normalizer_update(Normalizer *z, const double *obs, long N) {
  if (N == 0) return OK;
  for (long i = 0; i < N * z->O; i++)
    if (!isfinite(obs[i])) return E_NOT_FINITE;
  const double total = z->count + (double)N;
  /* nothing is changed unless the squares of all features are in range */
  for (int o = 0; o < z->O; o++) {
    const Moments m = merged(z, obs, N, o);
    if (!isfinite(m.mean) || !isfinite(m.square)) return E_NOT_FINITE;
  }
  for (int o = 0; o < z->O; o++) {
    const Moments m = merged(z, obs, N, o);
    z->mean[o] = m.mean;
    z->square[o] = m.square;
    /* a feature whose spread is rounding noise of its mean counts as constant */
    const double deviation = sqrt(m.square / total);
    z->shift[o] = m.mean;
    z->scale[o] = deviation > 1e-9 * fabs(m.mean) ? 1 / deviation : 1;
  }
  z->count = total;
  return OK;
}
