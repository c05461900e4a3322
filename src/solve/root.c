#include "solve/root.h"

#include <math.h>

void root_init(Root *root, double first, double tolerance) {
  *root = (Root){.x = first, .lo = -INFINITY, .hi = INFINITY, .tolerance = tolerance};
  root->reach = 1.0;
  root->before = INFINITY;
}

/* where to look when Newton's step is of no use */
static double fall_back(Root *root, double f) {
  if (isfinite(root->lo) && isfinite(root->hi)) {
    return root->lo + 0.5 * (root->hi - root->lo);
  }
  root->reach *= 2.0;
  return f > 0.0 ? root->x + root->reach : root->x - root->reach;
}

/* The inverse function's cubic through both of the last points and their slopes, at f = 0. */
static double hermite(const Root *root, double f, double df) {
  const double y0 = root->f, h = f - y0, t = -y0 / h;
  const double a = h / root->df, b = h / df, step = root->x - root->before;
  /* x(t) on [0, 1] with x(0) = before, x(1) = x, x'(0) = a, x'(1) = b */
  return root->before + t * (a + t * (3.0 * step - 2.0 * a - b + t * (a + b - 2.0 * step)));
}

/* Newton's step, or the cubic's once steps become smaller quickly and it is but a correction */
static double propose(const Root *root, double f, double df) {
  const double newton = df < 0.0 ? root->x - f / df : NAN, step = fabs(newton - root->x);
  if (!(root->df < 0.0) || !(step < 0.2 * fabs(root->x - root->before)) || root->f == f) {
    return newton;
  }
  const double cubic = hermite(root, f, df);
  return fabs(cubic - newton) <= 0.2 * step ? cubic : newton;
}

void root_next(Root *root, double f, double df) {
  df = isfinite(df)
           ? df
           : 0.0; /* a slope that overflowed says nothing, least of all that this is the root */
  const double x = root->x, enough = root->tolerance * fmax(1.0, fabs(x));
  root->rounds++;
  if (f > 0.0) {
    root->lo = x;
  } else {
    root->hi = x;
  }
  /* the step is judged before the bracket: at the end rounding may put it outside */
  double next = propose(root, f, df);
  if (f == 0.0 || fabs(next - x) <= enough || root->hi - root->lo <= 0.0) {
    root->x = isfinite(next) ? next : x;
    root->done = 1;
    return;
  }
  /* steps that do not shrink go nowhere; where they are tiny, f is known no better */
  root->slow = fabs(next - x) > 0.5 * fabs(x - root->before) ? root->slow + 1 : 0;
  if (root->slow > 0 && fabs(next - x) <= 1e-9 * fmax(1.0, fabs(x))) {
    root->done = 1;
    return;
  }
  if (!isfinite(next) || !(next > root->lo && next < root->hi) || root->slow == 3) {
    next = fall_back(root, f);
    root->slow = 0;
  }
  root->done = next == x || root->rounds >= ROOT_LIMIT;
  root->before = x;
  root->f = f;
  root->df = df;
  root->x = next;
}
