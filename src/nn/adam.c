#include "nn/adam.h"

#include <math.h>

#include "base/isa.h"

extern const AdamTable adam_generic, adam_avx2, adam_avx512;

void adam_step(Adam *adam, double *theta, const double *g, long P) {
  adam->step++;
  const double c1 = -expm1((double)adam->step
                           * log(adam->beta1)); /* 1 - b1^t, without cancellation */
  const double c2 = sqrt(-expm1((double)adam->step * log(adam->beta2)));
  const AdamUpdate update = {.rate = adam->rate * c2 / c1,
                             .epsilon = adam->epsilon * c2,
                             .beta1 = adam->beta1,
                             .beta2 = adam->beta2};
  ISA_TABLE(adam, isa())->update(&update, theta, adam->m, adam->v, g, P);
}
