#include "mdp/natural.h"

#include <math.h>
#include <string.h>

#include "base/sum.h"
#include "mdp/tilt.h"
#include "solve/cg.h"
#include "solve/root.h"
#include "tensor/linalg.h"

/* --- steps -------------------------------------------------------------------------------------------------------- */

typedef struct Tilting {
  NaturalDirection direction;
  double unit; /* directions are divided by it when they are squared */
  double step;
  double *q, *log_q_; /* NULL: not in this pass */
} Tilting;

/* the direction of a state in gap->r, and what a step must be multiplied with; 0 where there is none */
static double direction_of(const Tilting *tilting, const StepProblem *problem, ptrdiff_t s,
                           Gap *gap) {
  const double rho = problem->rho[s];
  gap_set(gap, problem->pi + s * problem->A, problem->adv + s * problem->A);
  if (tilting->direction == NATURAL_DIRECTION_GRADIENT) {
    tilt_gradient(gap, rho, gap->r);
    return rho > 0.0 ? 1.0 : 0.0;
  }
  tilt_natural(gap, gap->r);
  return rho > 0.0 || !problem->keep ? gap->unit : 0.0;
}

/* sum rho Var(x/unit) */
static void variance_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                           StepSums *sums) {
  const Tilting *tilting = context;
  const double factor = direction_of(tilting, problem, s, gap) / tilting->unit;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    const double x = factor * gap->r[i];
    sums->bound += problem->rho[s] * gap->p[i] * x * x;
  }
}

static void tilt_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                       StepSums *sums) {
  const Tilting *tilting = context;
  const double rho = problem->rho[s];
  Tilt tilt;
  if (rho == 0.0 && tilting->q == NULL) {
    return; /* without weight */
  }
  const double b = tilting->step * direction_of(tilting, problem, s, gap);
  tilt_evaluate(gap, gap->r, b, &tilt);
  sums->kl_max = fmax(sums->kl_max, tilt.kl);
  sums->tv_max = fmax(sums->tv_max, tilt.tv);
  sums->kl += rho * tilt.kl;
  sums->slope += rho * b * tilt.slope; /* d KL/d log step */
  sums->gain += rho * tilt.gain * gap->unit;
  if (tilting->q == NULL) {
    return;
  }
  double *q = tilting->q + s * problem->A;
  double *log_q_ = tilting->log_q_ ? tilting->log_q_ + s * problem->A : NULL;
  if (b != 0.0) {
    tilt_write(gap, gap->r, b, &tilt, q, log_q_);
    step_check(problem, s, tilting->q, sums);
    return;
  }
  memcpy(q, problem->pi + s * problem->A, (size_t)problem->A * sizeof *q);
  for (ptrdiff_t a = 0; log_q_ && a < problem->A; a++) {
    log_q_[a] = log(q[a]);
  }
}

/* mean KL = delta, against x = -log step such that it falls */
static Status line_search(const StepProblem *problem, const NaturalOptions *options,
                          Tilting *tilting, double rho, StepInfo *info, Arena *ws) {
  Root root;
  StepSums sums;
  root_init(&root, -log(tilting->step), 2e-15);
  while (!root.done) {
    tilting->step = exp(-root.x);
    const Status status = step_pass(problem, tilt_state, tilting, &sums, ws);
    if (status != OK) {
      return status;
    }
    info->passes++;
    const double mean = sums.kl / rho, slope = sums.slope / rho;
    const double delta = options->delta;
    const double error = delta < 1.0 ? log(mean / delta) : mean / delta - 1.0;
    root_next(&root, error, -slope / (delta < 1.0 ? mean : delta));
  }
  tilting->step = exp(-root.x);
  return OK;
}

/* the step of the quadratic model, then perhaps the exact one; 0 when the direction is 0 */
static Status find_step(const StepProblem *problem, const NaturalOptions *options,
                        const StepSums *survey, Tilting *tilting, StepInfo *info, Arena *ws) {
  StepSums sums;
  tilting->unit = survey->adv_max > 0.0 ? survey->adv_max : 1.0;
  if (tilting->direction == NATURAL_DIRECTION_GRADIENT) {
    tilting->unit *= survey->rho;
  }
  const Status status = step_pass(problem, variance_state, tilting, &sums, ws);
  if (status != OK) {
    return status;
  }
  info->passes++;
  if (sums.bound == 0.0) {
    tilting->step = 0.0;
    return OK;
  }
  if (!isnan(options->step)) {
    tilting->step = options->step;
    return OK;
  }
  tilting->step = sqrt(2.0 * options->delta * survey->rho / sums.bound) / tilting->unit;
  info->lambda = sqrt(sums.bound / survey->rho / (2.0 * options->delta)) * tilting->unit;
  return options->exact ? line_search(problem, options, tilting, survey->rho, info, ws) : OK;
}

Status natural_step(const StepProblem *problem, const NaturalOptions *options, double *q,
                    double *log_q_, StepInfo *info, Arena *ws) {
  StepSums survey, sums;
  Tilting tilting = {.direction = options->direction, .step = 1.0};
  *info = (StepInfo){.passes = 1, .radius = isnan(options->step) ? options->delta : 0.0};
  Status status = step_survey(problem, &survey, ws);
  if (status == OK) {
    status = find_step(problem, options, &survey, &tilting, info, ws);
  }
  if (status != OK) {
    return status;
  }
  if (!isfinite(tilting.step)) {
    return E_NOT_FINITE;
  }
  if (tilting.step == 0.0) {
    step_stay(problem, q, log_q_);
    info->status = step_verdict(problem, &survey);
    return OK;
  }
  tilting.q = q;
  tilting.log_q_ = log_q_;
  status = step_pass(problem, tilt_state, &tilting, &sums, ws);
  if (status != OK) {
    return status;
  }
  info->passes++;
  info->step = tilting.step;
  return step_report(info, &sums, &survey);
}

/* --- the Fisher matrix -------------------------------------------------------------------------------------------- */

void natural_fisher_apply(double *out, const double *pi, const double *w, const double *v,
                          ptrdiff_t S, ptrdiff_t A) {
  for (ptrdiff_t s = 0; s < S; s++) {
    const double *p = pi + s * A, *x = v + s * A;
    double mean = 0.0;
    for (ptrdiff_t a = 0; a < A; a++) mean += p[a] * x[a];
    for (ptrdiff_t a = 0; a < A; a++) {
      out[s * A + a] = w[s] * p[a] * (x[a] - mean); /* F v = w (diag p - p p') v */
    }
  }
}

void natural_fisher(double *out, const double *pi, const double *w, ptrdiff_t S, ptrdiff_t A) {
  const ptrdiff_t n = S * A;
  memset(out, 0, (size_t)n * (size_t)n * sizeof *out);
  for (ptrdiff_t s = 0; s < S; s++) {
    const double *p = pi + s * A;
    for (ptrdiff_t a = 0; a < A; a++) {
      double *row = out + (s * A + a) * n + s * A;
      for (ptrdiff_t b = 0; b < A; b++) {
        row[b] = w[s] * (a == b ? p[a] * (1.0 - p[a]) : -(p[a] * p[b]));
      }
    }
  }
}

/* --- its inverse applied to the gradient ---------------------------------------------------------------------------- */

static void gradient_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                           StepSums *sums) {
  double *g = (double *)context + s * problem->A;
  (void)sums;
  gap_set(gap, problem->pi + s * problem->A, problem->adv + s * problem->A);
  memset(g, 0, (size_t)problem->A * sizeof *g);
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    g[gap->at[i]] = problem->rho[s] * (gap->p[i] * (gap->dev[i] * gap->unit));
  }
}

Status natural_gradient(const StepProblem *problem, double *g, Arena *ws) {
  StepSums sums;
  return step_pass(problem, gradient_state, g, &sums, ws);
}

typedef struct Closed {
  double *x;
  double rho; /* its sum */
} Closed;

/* A less its plain mean over the support, by gaps; times sum rho */
static void closed_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                         StepSums *sums) {
  const Closed *closed = context;
  double *x = closed->x + s * problem->A, mean = 0.0;
  (void)sums;
  gap_set(gap, problem->pi + s * problem->A, problem->adv + s * problem->A);
  memset(x, 0, (size_t)problem->A * sizeof *x);
  if (problem->rho[s] == 0.0) {
    return;
  }
  for (ptrdiff_t i = 0; i < gap->n; i++) mean += gap->D[i] / (double)gap->n;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    x[gap->at[i]] = (mean - gap->D[i]) * gap->unit * closed->rho;
  }
}

typedef struct Product {
  const StepProblem *problem;
  const double *d;
} Product;

static Status apply(void *context, double *out, const double *v) {
  const Product *product = context;
  const StepProblem *problem = product->problem;
  natural_fisher_apply(out, problem->pi, product->d, v, problem->S, problem->A);
  return OK;
}

static Status solve_cg(const StepProblem *problem, const double *d, const double *g, int iterations,
                       double tolerance, double *x, NaturalSolution *out, Arena *ws) {
  const long n = (long)(problem->S * problem->A);
  const CgOptions options = {.iterations = iterations, .tolerance = tolerance};
  Product product = {problem, d};
  CgInfo info;
  double *work = ARENA_PUSH(ws, double, cg_work(n));
  if (work == NULL) {
    return E_NOMEM;
  }
  const Status status = cg_solve(&options, x, &info, apply, &product, g, n, work);
  out->iterations = info.iterations;
  return status == ZERO_GRADIENT ? OK : status;
}

static Status solve_pseudo_inverse(const StepProblem *problem, const double *d, const double *g,
                                   double *x, Arena *ws) {
  const ptrdiff_t n = problem->S * problem->A, size[] = {n, n};
  if (n > LINALG_LIMIT || n > PTRDIFF_MAX / 16 / n) {
    return E_NOMEM;
  }
  double *f = ARENA_PUSH(ws, double, n *n), *inverse = ARENA_PUSH(ws, double, n *n);
  if (f == NULL || inverse == NULL) {
    return E_NOMEM;
  }
  Tensor matrix, pinv, vector, result;
  tensor_wrap(&matrix, NULL, f, 2, size, NULL);
  tensor_wrap(&pinv, NULL, inverse, 2, size, NULL);
  tensor_wrap(&vector, NULL, (double *)g, 1, size, NULL); /* only read */
  tensor_wrap(&result, NULL, x, 1, size, NULL);
  natural_fisher(f, problem->pi, d, problem->S, problem->A);
  Status status = linalg_svd_pinv(&pinv, &matrix, 1e-14 * (double)n, ws);
  return status == OK ? linalg_mv(&result, &pinv, &vector, ws) : status;
}

/* ||F x - g||/||g|| and g'x */
static void verify(const StepProblem *problem, const double *d, const double *g, const double *x,
                   double *fx, NaturalSolution *out) {
  const size_t n = (size_t)problem->S * (size_t)problem->A;
  natural_fisher_apply(fx, problem->pi, d, x, problem->S, problem->A);
  for (size_t i = 0; i < n; i++) fx[i] -= g[i];
  const double norm = sqrt(sum_dot(g, g, n));
  out->residual = norm > 0.0 ? sqrt(sum_dot(fx, fx, n)) / norm : 0.0;
  out->gx = sum_dot(g, x, n);
}

static Status solve_route(const StepProblem *problem, NaturalRoute route, const double *d,
                          const double *g, double rho, int iterations, double tolerance, double *x,
                          NaturalSolution *out, Arena *ws) {
  StepSums sums;
  switch (route) {
  case NATURAL_ROUTE_CG: return solve_cg(problem, d, g, iterations, tolerance, x, out, ws);
  case NATURAL_ROUTE_PSEUDO_INVERSE: return solve_pseudo_inverse(problem, d, g, x, ws);
  default: return step_pass(problem, closed_state, &(Closed){x, rho}, &sums, ws);
  }
}

Status natural_solve(const StepProblem *problem, NaturalRoute route, int iterations,
                     double tolerance, double *x, NaturalSolution *out, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const ptrdiff_t n = problem->S * problem->A;
  double *g = ARENA_PUSH(ws, double, n), *fx = ARENA_PUSH(ws, double, n);
  double *d = ARENA_PUSH(ws, double, problem->S);
  *out = (NaturalSolution){.gx = 0.0};
  Status status = g && fx && d ? natural_gradient(problem, g, ws) : E_NOMEM;
  if (status == OK) {
    const double rho = sum_pairwise(problem->rho, (size_t)problem->S);
    for (ptrdiff_t s = 0; s < problem->S; s++) d[s] = problem->rho[s] / rho;
    status = solve_route(problem, route, d, g, rho, iterations, tolerance, x, out, ws);
    if (status >= 0) verify(problem, d, g, x, fx, out);
  }
  arena_release(ws, mark);
  return status;
}
