/*
 * The loop of adam_step, compiled once per instruction set. Included by adam_<isa>.c, which defines
 *
 *   ADAM_TABLE   name of the AdamTable to make
 *
 * The compiler makes vector code of it. Every operation is rounded by itself, so all sets give the same bits.
 */
#include <math.h>

#include "nn/adam.h"

static void update(const AdamUpdate *u, double *restrict theta, double *restrict m,
                   double *restrict v, const double *restrict g, long P) {
  const double b1 = u->beta1, b2 = u->beta2, rate = u->rate, epsilon = u->epsilon;
  for (long i = 0; i < P; i++) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
    theta[i] -= rate * m[i] / (sqrt(v[i]) + epsilon);
  }
}

const AdamTable ADAM_TABLE = {update};
