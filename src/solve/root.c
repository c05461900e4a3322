#include "solve/root.h"

#include <math.h>

void root_init(Root *root, double first, double tolerance) {
  *root = (Root){.x = first, .lo = -INFINITY, .hi = INFINITY, .tolerance = tolerance};
  root->reach = 1.0;
  root->width = INFINITY;
}

/* where to look when Newton's step is of no use */
static double fall_back(Root *root, double f) {
  if (isfinite(root->lo) && isfinite(root->hi)) {
    return root->lo + 0.5 * (root->hi - root->lo);
  }
  root->reach *= 2.0;
  return f > 0.0 ? root->x + root->reach : root->x - root->reach;
}

void root_next(Root *root, double f, double df) {
  const double x = root->x, enough = root->tolerance * fmax(1.0, fabs(x));
  root->rounds++;
  if (f > 0.0) {
    root->lo = x;
  } else {
    root->hi = x;
  }
  /* the step is judged before the bracket: at the end rounding may put it outside */
  double next = df < 0.0 ? x - f / df : NAN;
  if (f == 0.0 || fabs(next - x) <= enough || root->hi - root->lo <= 0.0) {
    root->x = isfinite(next) ? next : x;
    root->done = 1;
    return;
  }
  const double width = root->hi - root->lo;
  int slow = 0;
  if (root->rounds % 3 == 0) {
    slow = isfinite(width) && width > 0.5 * root->width;
    root->width = width;
  }
  if (!isfinite(next) || !(next > root->lo && next < root->hi) || slow) {
    next = fall_back(root, f);
  }
  root->done = next == x || root->rounds >= ROOT_LIMIT;
  root->x = next;
}
