#include "mdp/horizon.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "mdp/bellman.h"

Status horizon_solve(const Mdp *mdp, ptrdiff_t H, double *v, int64_t *choice, const double *last) {
  const ptrdiff_t S = mdp->S;
  if (last != NULL) {
    memcpy(v + H * S, last, (size_t)S * sizeof *v);
  } else {
    memset(v + H * S, 0, (size_t)S * sizeof *v);
  }
  for (ptrdiff_t t = H - 1; t >= 0; t--) {
    BellmanInfo info;
    for (ptrdiff_t s = 0; s < S; s++) {
      choice[t * S + s] = -1;
    }
    bellman_backup(mdp, v + t * S, choice + t * S, v + (t + 1) * S, &info);
    if (isnan(info.low)) {
      return E_NOT_FINITE;
    }
  }
  return OK;
}

double horizon_bound(const Mdp *mdp, ptrdiff_t H, const double *v) {
  BellmanShape shape;
  bellman_shape(mdp, &shape);
  const double unit = ((double)shape.longest + 4) * 0.5 * DBL_EPSILON;
  const double factor = mdp->gamma * shape.mass_high * (1.0 + 2 * unit);
  double bound = 0.0, worst = 0.0;
  for (ptrdiff_t t = H - 1; t >= 0; t--) {
    double size = 0.0;
    for (ptrdiff_t s = 0; s < mdp->S; s++) {
      size = fmax(size, fabs(v[(t + 1) * mdp->S + s]));
    }
    bound = factor * bound + unit * (shape.reward + factor * size);
    worst = fmax(worst, bound);
  }
  return worst * (1.0 + 1e-6);
}
