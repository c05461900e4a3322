#include "nn/lbfgs.h"

#include <math.h>
#include <string.h>

#include "base/sum.h"

enum { EVALUATIONS = 20 }; /* most of one line search */

static const double C1 = 1e-4, C2 = 0.9; /* of the Wolfe conditions */
static const double EXPANSION = 4;       /* of a step that is too short */
static const double MARGIN =
    0.1; /* part of a bracket that interpolation stays away from its ends */
static const double CURVATURE = 1e-10; /* least s'y / y'y */

/* Everything of one minimisation. */
typedef struct State {
  LbfgsFunction f;
  void *context;
  LbfgsInfo *info;
  long n;
  double *x, *g;         /* where it stands, and the gradient there */
  double *x_try, *g_try; /* a trial of the line search */
  double *direction;
  int history, pairs, newest; /* ring of pairs */
  double *s, *y;              /* [history][n] */
  double *rho, *alpha;        /* [history]: 1 / s'y; of the recursion */
} State;

/* f along the direction: step length, value, slope */
typedef struct Point {
  double a, f, slope;
} Point;

long lbfgs_work(const LbfgsOptions *options, long n) {
  return (4 + 2 * (long)options->history) * n + 2 * (long)options->history;
}

static double dot(const State *state, const double *a, const double *b) {
  return sum_dot(a, b, (size_t)state->n);
}

static void add_scaled(double *y, double a, const double *x, long n) {
  for (long i = 0; i < n; i++) y[i] += a * x[i];
}

/* direction = -H g by the two-loop recursion */
static void find_direction(State *state) {
  const long n = state->n;
  double *q = state->direction;
  for (long i = 0; i < n; i++) q[i] = -state->g[i];
  for (int k = 0; k < state->pairs; k++) { /* from the newest pair to the oldest */
    const int j = (state->newest - k + state->history) % state->history;
    state->alpha[j] = state->rho[j] * dot(state, state->s + j * n, q);
    add_scaled(q, -state->alpha[j], state->y + j * n, n);
  }
  if (state->pairs) {
    const double *y = state->y + state->newest * n;
    const double scale = 1 / (state->rho[state->newest] * dot(state, y, y)); /* s'y / y'y */
    for (long i = 0; i < n; i++) q[i] *= scale;
  }
  for (int k = state->pairs - 1; k >= 0; k--) {
    const int j = (state->newest - k + state->history) % state->history;
    const double beta = state->rho[j] * dot(state, state->y + j * n, q);
    add_scaled(q, state->alpha[j] - beta, state->s + j * n, n);
  }
}

/* x_try = x + a direction, with value and gradient there */
static Point evaluate(State *state, double a) {
  memcpy(state->x_try, state->x, (size_t)state->n * sizeof *state->x);
  add_scaled(state->x_try, a, state->direction, state->n);
  Point p = {.a = a};
  p.f = state->f(state->context, state->g_try, state->x_try);
  p.slope = dot(state, state->g_try, state->direction);
  if (!isfinite(p.f) || !isfinite(p.slope)) p.f = INFINITY;
  state->info->evaluations++;
  return p;
}

/* The minimiser of the cubic through two points, kept away from both; the middle where there is none. */
static double interpolate(const Point *lo, const Point *hi) {
  const double width = hi->a - lo->a, middle = lo->a + 0.5 * width;
  if (!isfinite(hi->f)) return middle;
  const double d1 = lo->slope + hi->slope - 3 * (hi->f - lo->f) / width;
  const double radicand = d1 * d1 - lo->slope * hi->slope;
  if (!(radicand >= 0)) return middle;
  const double d2 = copysign(sqrt(radicand), width);
  const double t = 1 - (hi->slope + d2 - d1) / (hi->slope - lo->slope + 2 * d2); /* part of width */
  return t >= MARGIN && t <= 1 - MARGIN ? lo->a + t * width : middle;
}

/* A step length under the strong Wolfe conditions; x_try and g_try are there. a = 0 when none was found that lowers f. */
static Point search(State *state, double f, double slope, double a) {
  const Point start = {0, f, slope};
  Point lo = start, hi = start; /* lo: the best so far; [lo, hi] brackets once hi differs from it */
  int bracketed = 0;
  for (int k = 0; k < EVALUATIONS; k++) {
    const Point p = evaluate(state, a);
    if (p.f > f + C1 * a * slope || (lo.a > 0 && p.f >= lo.f)) {
      hi = p; /* too far */
      bracketed = 1;
    } else if (fabs(p.slope) <= -C2 * slope) {
      return p;
    } else {
      if (p.slope * (bracketed ? hi.a - lo.a : 1) >= 0) {
        hi = lo;
        bracketed = 1;
      }
      lo = p;
    }
    a = bracketed ? interpolate(&lo, &hi) : EXPANSION * a;
    if (bracketed && fabs(hi.a - lo.a) <= 1e-14 * fabs(hi.a)) break;
  }
  return lo.a > 0 ? evaluate(state, lo.a) : start;
}

/* x = x_try, and what that tells of the curvature */
static void accept(State *state) {
  const int j = (state->newest + 1) % state->history;
  const size_t n = (size_t)state->n, bytes = n * sizeof(double);
  double *s = state->x, *y = state->g;
  for (size_t i = 0; i < n; i++) {
    s[i] = state->x_try[i] - s[i];
    y[i] = state->g_try[i] - y[i];
  }
  const double sy = dot(state, s, y);
  const int keep = sy > CURVATURE * dot(state, y, y);
  /* a pair that is left out must not take the place of the oldest */
  if (keep) memcpy(state->s + j * state->n, s, bytes);
  if (keep) memcpy(state->y + j * state->n, y, bytes);
  memcpy(state->x, state->x_try, bytes);
  memcpy(state->g, state->g_try, bytes);
  if (!keep) return;
  state->rho[j] = 1 / sy;
  state->newest = j;
  if (state->pairs < state->history) state->pairs++;
}

static State state_of(const LbfgsOptions *options, double *x, long n, double *work) {
  const int history = options->history;
  State state = {.x = x, .n = n, .history = history, .newest = history - 1};
  double **const vectors[] = {&state.g, &state.x_try, &state.g_try, &state.direction};
  for (int i = 0; i < 4; i++) *vectors[i] = work + i * n;
  state.s = work + 4 * n;
  state.y = state.s + history * n;
  state.rho = state.y + history * n;
  state.alpha = state.rho + history;
  return state;
}

Status lbfgs_minimize(const LbfgsOptions *options, double *x, LbfgsInfo *info, LbfgsFunction f,
                      void *context, long n, double *work) {
  State state = state_of(options, x, n, work);
  state.f = f, state.context = context, state.info = info;
  *info = (LbfgsInfo){.evaluations = 1};
  info->before = info->after = f(context, state.g, x);
  info->gradient = sqrt(dot(&state, state.g, state.g));
  if (!isfinite(info->before) || !isfinite(info->gradient)) return E_NOT_FINITE;
  while (info->iterations < options->iterations
         && info->gradient > options->tolerance * fmax(1, sqrt(dot(&state, x, x)))) {
    find_direction(&state);
    double slope = dot(&state, state.g, state.direction);
    if (!(slope < 0)) break;
    /* without knowledge of the curvature the first step has length 1 at most */
    const Point p = search(&state, info->after, slope,
                           state.pairs ? 1 : fmin(1, 1 / info->gradient));
    if (p.a == 0 || !(p.f < info->after)) break;
    accept(&state);
    const double gain = info->after - p.f;
    info->iterations++;
    info->after = p.f;
    info->gradient = sqrt(dot(&state, state.g, state.g));
    if (gain <= options->difference * fmax(fabs(p.f), 1e-300)) break;
  }
  return OK;
}
