#include "mdp/monotone.h"

#include <math.h>

#include "mdp/ball.h"
#include "mdp/knapsack.h"
#include "mdp/penalty.h"
#include "solve/root.h"

/* Steps of log t below this are followed by the pass that writes; its error is the square of that. */
static const double NEAR = 1e-4;

/* C of the theory for the maximum of KL, or of TV squared */
static double coefficient(const StepProblem *problem, const MonotoneOptions *options,
                          const StepSums *survey) {
  const double c = 1.0 - problem->gamma;
  if (!isnan(options->C)) {
    return options->C;
  }
  return options->constant * survey->adv_max * problem->gamma / c / c;
}

/* relative to what eps and rho make possible */
static double relative(double residual, const StepSums *survey) {
  const double scale = survey->adv_max * survey->rho;
  return scale > 0.0 ? residual / scale : residual;
}

/* --- algorithm 1 -------------------------------------------------------------------------------------------------- */

typedef struct Balls {
  double radius;
  double *warm;       /* [S] log e of the pass before */
  double *q, *log_q_; /* NULL: not in this pass */
} Balls;

static void ball_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                       StepSums *sums) {
  const Balls *balls = context;
  const double rho = problem->rho[s];
  const int write = balls->q != NULL;
  GapSolution solution;
  if (rho == 0.0 && !write) {
    return; /* without influence on the radius */
  }
  gap_set(gap, problem->pi + s * problem->A, problem->adv + s * problem->A);
  if (rho == 0.0 && problem->keep) {
    gap_finish_same(&solution, 0.0);
  } else {
    ball_solve(gap, balls->radius, balls->warm[s], &solution);
  }
  balls->warm[s] = solution.log_e;
  if (rho > 0.0) {
    sums->lambda += rho * solution.lambda * gap->unit;
    sums->slope += rho * solution.slope * gap->unit;
  }
  if (write) {
    step_write(problem, s, gap, &solution, balls->q, balls->log_q_, sums);
    if (rho > 0.0 && solution.lambda > 0.0 && solution.kl > 0.0) {
      const double error = rho * solution.lambda * gap->unit * fabs(solution.kl - balls->radius);
      sums->residual = error > sums->residual ? error : sums->residual;
    }
  }
}

/* log t where the search begins */
static double first_log(const StepSums *survey, double C) {
  const double small = 0.5 * (survey->sigma / C) * (survey->sigma / C);
  const double edge = survey->edge > C ? log(survey->edge / C) : 0.0;
  const double t = fmin(fmax(small, edge), 5.0);
  return t > 0.0 ? log(t) : 2.0 * log(survey->sigma / C) - 0.7;
}

/* sum rho lambda(t) = C; the last pass, at the t that is kept, writes */
static Status search(const StepProblem *problem, double C, Balls *balls, double *q, double *log_q_,
                     const StepSums *survey, StepSums *sums, StepInfo *info, Arena *ws) {
  Root root;
  double before = INFINITY; /* log t of the pass before */
  root_init(&root, first_log(survey, C), 2e-15);
  for (;;) {
    const int last = root.done || fabs(root.x - before) <= NEAR;
    balls->radius = exp(root.x);
    balls->q = last ? q : NULL;
    balls->log_q_ = last ? log_q_ : NULL;
    const Status status = step_pass(problem, ball_state, balls, sums, ws);
    if (status != OK) {
      return status;
    }
    info->passes++;
    const double error = log(sums->lambda / C);
    if (root.done || (last && fabs(error) <= 1e-14)) {
      return OK;
    }
    before = root.x;
    root_next(&root, error, sums->slope * balls->radius / sums->lambda);
  }
}

/* C = 0: nothing holds the greedy policy back */
static Status unpenalised(const StepProblem *problem, double *q, double *log_q_, StepInfo *info,
                          StepState f, void *context, const StepSums *survey, Arena *ws) {
  StepSums sums;
  (void)q, (void)log_q_;
  Status status = step_pass(problem, f, context, &sums, ws);
  if (status != OK) {
    return status;
  }
  info->passes++;
  status = step_report(info, &sums, survey);
  info->kl_max = INFINITY;
  info->radius = INFINITY;
  info->status = survey->greedy_max <= problem->tolerance ? OPTIMAL : OK;
  return status;
}

/* nothing raises the bound: keep the policy */
static Status stay(const StepProblem *problem, double *q, double *log_q_, StepInfo *info,
                   const StepSums *survey) {
  step_stay(problem, q, log_q_);
  info->status = step_verdict(problem, survey);
  info->lambda = survey->edge;
  return OK;
}

Status monotone_kl(const StepProblem *problem, const MonotoneOptions *options, double *q,
                   double *log_q_, StepInfo *info, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  StepSums survey, sums;
  *info = (StepInfo){.passes = 1};
  Status status = step_survey(problem, &survey, ws);
  if (status != OK) {
    return status;
  }
  const double C = info->C = coefficient(problem, options, &survey);
  if (!isfinite(C)) {
    return E_NOT_FINITE;
  }
  if (survey.sigma == 0.0 && survey.edge <= C) {
    return stay(problem, q, log_q_, info, &survey);
  }
  Balls balls = {.radius = INFINITY, .q = q, .log_q_ = log_q_};
  balls.warm = ARENA_PUSH(ws, double, problem->S);
  if (balls.warm == NULL) {
    return E_NOMEM;
  }
  for (ptrdiff_t s = 0; s < problem->S; s++) balls.warm[s] = NAN;
  if (C == 0.0) {
    status = unpenalised(problem, q, log_q_, info, ball_state, &balls, &survey, ws);
    arena_release(ws, mark);
    return status;
  }
  status = search(problem, C, &balls, q, log_q_, &survey, &sums, info, ws);
  arena_release(ws, mark);
  if (status != OK) {
    return status;
  }
  status = step_report(info, &sums, &survey);
  info->radius = balls.radius;
  info->lambda = sums.lambda;
  info->penalty = C * info->kl_max;
  /* rounding of t makes that of lambda, which is C however small the advantages are */
  const double slack = fabs(sums.lambda - C) / fmax(1.0, C / (survey.adv_max * survey.rho));
  info->kkt = relative(fmax(sums.residual, slack), &survey);
  return status;
}

/* --- total variation ---------------------------------------------------------------------------------------------- */

typedef struct Distances {
  double alpha;
  int32_t *order; /* [S, A] of knapsack_order */
  int32_t *count; /* [S] */
  int32_t *best;  /* [S] */
  double *q, *log_q_;
} Distances;

static void order_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                        StepSums *sums) {
  const Distances *d = context;
  const ptrdiff_t A = problem->A;
  (void)gap, (void)sums;
  d->count[s] = (int32_t)knapsack_order(problem->pi + s * A, problem->adv + s * A, A,
                                        d->order + s * A, &d->best[s]);
}

static void distance_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                           StepSums *sums) {
  const Distances *d = context;
  const ptrdiff_t A = problem->A;
  const double rho = problem->rho[s];
  const double alpha = rho == 0.0 && problem->keep ? 0.0 : d->alpha;
  Knapsack out;
  (void)gap;
  if (rho == 0.0 && d->q == NULL) {
    return;
  }
  knapsack_solve(problem->pi + s * A, problem->adv + s * A, A, d->order + s * A, d->count[s],
                 d->best[s], alpha, d->q ? d->q + s * A : NULL, &out);
  if (rho > 0.0) {
    sums->gain += rho * out.gain;
    sums->kl += rho * out.kl;
    sums->lambda += rho * out.right;
    sums->slope += rho * out.left;
    sums->before = fmax(sums->before, out.before);
    sums->next = fmin(sums->next, out.next);
  }
  if (d->q != NULL) step_check(problem, s, d->q, sums);
  sums->kl_max = fmax(sums->kl_max, out.kl);
  sums->tv_max = fmax(sums->tv_max, out.moved);
  for (ptrdiff_t a = 0; d->log_q_ && a < A; a++) {
    d->log_q_[s * A + a] = log(d->q[s * A + a]);
  }
}

/* The alpha where the slope, which falls by steps, meets 2 C alpha; between breakpoints it is constant. */
static Status search_distance(const StepProblem *problem, double C, Distances *d, StepInfo *info,
                              Arena *ws) {
  StepSums sums;
  double lo = 0.0, hi = 1.0, alpha = 0.0;
  for (;;) {
    d->alpha = alpha;
    const Status status = step_pass(problem, distance_state, d, &sums, ws);
    if (status != OK) {
      return status;
    }
    info->passes++;
    const double meets = 0.5 * sums.lambda / C; /* with the slope right of alpha */
    if (meets >= sums.before && meets <= sums.next) {
      d->alpha = fmin(meets, 1.0);
      return OK;
    }
    if (meets > sums.next) {
      lo = sums.next;
    } else {
      hi = sums.before;
    }
    if (lo >= hi) {
      d->alpha = hi;
      return OK;
    }
    /* in turn the proposal of this slope and the middle of the bracket */
    const double middle = lo + 0.5 * (hi - lo);
    const int proposed = info->passes % 2 == 0 && meets > lo && meets < hi;
    alpha = proposed ? meets : middle < hi ? middle : lo;
  }
}

static Status push_distances(const StepProblem *problem, Distances *d, Arena *ws) {
  d->order = ARENA_PUSH(ws, int32_t, problem->S * problem->A);
  d->count = ARENA_PUSH(ws, int32_t, problem->S);
  d->best = ARENA_PUSH(ws, int32_t, problem->S);
  return d->order && d->count && d->best ? OK : E_NOMEM;
}

static Status solve_distance(const StepProblem *problem, Distances *d, double *q, double *log_q_,
                             const StepSums *survey, StepInfo *info, Arena *ws) {
  StepSums sums;
  const double C = info->C;
  Status status = step_pass(problem, order_state, d, &sums, ws);
  d->alpha = 1.0;
  if (status == OK && C > 0.0) status = search_distance(problem, C, d, info, ws);
  if (status != OK) {
    return status;
  }
  if (d->alpha == 0.0) {
    return stay(problem, q, log_q_, info, survey);
  }
  d->q = q;
  d->log_q_ = log_q_;
  status = step_pass(problem, distance_state, d, &sums, ws);
  if (status != OK) {
    return status;
  }
  info->passes += 2;
  status = step_report(info, &sums, survey);
  info->radius = d->alpha;
  info->lambda = 2.0 * C * d->alpha;
  info->penalty = C * info->tv_max * info->tv_max;
  /* the price between the slopes; nothing moves beyond a distance of 1 */
  const double right = d->alpha < 1.0 ? sums.lambda - info->lambda : 0.0;
  info->kkt = relative(fmax(fmax(right, info->lambda - sums.slope), 0.0), survey);
  return status;
}

Status monotone_tv(const StepProblem *problem, const MonotoneOptions *options, double *q,
                   double *log_q_, StepInfo *info, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  StepSums survey;
  Distances d = {.alpha = 0.0};
  *info = (StepInfo){.passes = 1};
  Status status = step_survey(problem, &survey, ws);
  if (status != OK) {
    return status;
  }
  info->C = coefficient(problem, options, &survey);
  status = isfinite(info->C) ? push_distances(problem, &d, ws) : E_NOT_FINITE;
  if (status == OK) {
    status = solve_distance(problem, &d, q, log_q_, &survey, info, ws);
  }
  arena_release(ws, mark);
  return status;
}

/* --- average divergence ------------------------------------------------------------------------------------------- */

typedef struct Price {
  double lambda, log_lambda;
  double *q, *log_q_;
} Price;

static void price_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                        StepSums *sums) {
  const Price *price = context;
  GapSolution solution;
  gap_set(gap, problem->pi + s * problem->A, problem->adv + s * problem->A);
  if (problem->rho[s] == 0.0 && problem->keep) {
    gap_finish_same(&solution, 0.0);
  } else {
    penalty_solve(gap, price->lambda, price->log_lambda, NAN, &solution);
  }
  step_write(problem, s, gap, &solution, price->q, price->log_q_, sums);
}

/* lambda of theorem A, or its refinement */
static double price_of(const StepProblem *problem, const MonotoneOptions *options,
                       const StepSums *survey) {
  const double h = problem->gamma / (1.0 - problem->gamma);
  if (!isnan(options->C)) {
    return options->C * (1.0 - problem->gamma);
  }
  if (options->refined) {
    return sqrt(2.0 * h) * survey->span_max + h * survey->greedy_max;
  }
  return survey->adv_max * (h + 2.0 * sqrt(2.0 * h));
}

Status monotone_mean(const StepProblem *problem, const MonotoneOptions *options, double *q,
                     double *log_q_, StepInfo *info, Arena *ws) {
  StepSums survey, sums;
  *info = (StepInfo){.passes = 2};
  Status status = step_survey(problem, &survey, ws);
  if (status != OK) {
    return status;
  }
  const double lambda = price_of(problem, options, &survey), c = 1.0 - problem->gamma;
  if (!isfinite(lambda / c)) {
    return E_NOT_FINITE;
  }
  info->C = lambda / c;
  info->lambda = lambda;
  Price price = {lambda, log(lambda), q, log_q_};
  status = step_pass(problem, price_state, &price, &sums, ws);
  if (status != OK) {
    return status;
  }
  status = step_report(info, &sums, &survey);
  info->penalty = lambda > 0.0 ? lambda * sums.kl : 0.0; /* C sum d KL, d = (1 - gamma) rho */
  info->kkt = relative(sums.residual, &survey);
  const int moved = info->tv_max > 0.0;
  info->status = moved ? OK : step_verdict(problem, &survey);
  return status;
}
