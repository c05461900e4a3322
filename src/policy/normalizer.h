#ifndef TRPO_NORMALIZER_H
#define TRPO_NORMALIZER_H

#include "base/buffer.h"
#include "base/status.h"

/**
 * Running mean and variance of observations, and the affine map they define.
 * The map in force (shift, scale) changes only in normalizer_update, never while a batch is sampled or used.
 * Source of the merging formula: Chan, Golub, LeVeque 1979, "Updating formulae and a pairwise algorithm
 * for computing sample variances", equation 2.1.
 */
typedef struct Normalizer {
  int O;
  double count;   /* observations seen */
  double *mean;   /* [O] */
  double *square; /* [O] sum of squared deviations from the mean */
  double *shift;  /* [O] mean in force */
  double *scale;  /* [O] 1 / standard deviation in force; 1 for a feature that has not varied */
  Buffer *storage;
} Normalizer;

/** A feature becomes clip((x - shift) scale): normalised features are clipped to this many standard deviations. */
#define NORMALIZER_CLIP 10.0

/** The identity for O features. E_NOMEM. */
Status normalizer_init(Normalizer *normalizer, int O);

/** Frees the storage. A zeroed Normalizer is allowed. */
void normalizer_free(Normalizer *normalizer);

/**
 * Takes in obs [N][O] and puts the new map in force. E_NOT_FINITE (a number, or the sum of squares, is not): nothing has
 * changed. Allocates nothing.
 */
Status normalizer_update(Normalizer *normalizer, const double *obs, long N);

#endif
