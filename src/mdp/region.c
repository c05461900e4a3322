#include "mdp/region.h"

#include <float.h>
#include <math.h>

#include "mdp/ball.h"
#include "mdp/penalty.h"
#include "solve/root.h"

/* Steps of log lambda below this are followed by the pass that writes; its error is the square of that. */
static const double NEAR = 1e-4;

/* A mean KL above delta by more than this, which happens where no double log lambda meets it, is brought below. */
static const double OVER = 1e-12;
enum { RAISES = 40 };

static double relative(double residual, const StepSums *survey) {
  const double scale = survey->adv_max * survey->rho;
  return scale > 0.0 ? residual / scale : residual;
}

/* nothing to gain in any state that counts */
static Status stay(const StepProblem *problem, double *q, double *log_q_, StepInfo *info,
                   const StepSums *survey) {
  step_stay(problem, q, log_q_);
  info->status = step_verdict(problem, survey);
  return OK;
}

/* --- mean divergence ---------------------------------------------------------------------------------------------- */

typedef struct Price {
  double lambda, log_lambda;
  double *warm;       /* [S] e of the pass before */
  double *q, *log_q_; /* NULL: not in this pass */
} Price;

static void price_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                        StepSums *sums) {
  const Price *price = context;
  const double rho = problem->rho[s];
  GapSolution solution;
  if (rho == 0.0 && price->q == NULL) {
    return; /* without weight */
  }
  gap_set(gap, problem->pi + s * problem->A, problem->adv + s * problem->A);
  if (rho == 0.0 && problem->keep) {
    gap_finish_same(&solution, 0.0);
  } else {
    penalty_solve(gap, price->lambda, price->log_lambda, price->warm[s], &solution);
    price->warm[s] = solution.kind == GAP_INTERIOR ? solution.at.e : NAN;
  }
  if (price->q != NULL) {
    step_write(problem, s, gap, &solution, price->q, price->log_q_, sums);
    sums->bound += rho > 0.0 ? rho * penalty_bound(&solution) * gap->unit : 0.0;
  } else {
    sums->kl += rho * solution.kl;
  }
  sums->slope += rho * solution.slope;
}

/* log lambda where the search begins: for small steps the mean KL is m2 x^2/2 + 2 m3 x^3/3 + m4 x^4, x = 1/lambda */
static double first_log(const StepSums *survey, double delta) {
  const double m2 = survey->m2 / survey->rho, m3 = survey->m3 / survey->rho;
  const double m4 = survey->m4 / survey->rho, first = sqrt(2.0 * delta / m2);
  double x = first;
  if (!(m2 > 1e-280 && m2 < INFINITY && first > 0.0)) {
    const double spread = survey->sigma > 0.0 ? survey->sigma : survey->edge;
    return log(spread / survey->rho) - 0.5 * log(2.0 * delta);
  }
  for (int k = 0; k < 4; k++) {
    const double value = x * x * (0.5 * m2 + x * (2.0 / 3.0 * m3 + x * m4)) - delta;
    x -= value / (x * (m2 + x * (2.0 * m3 + x * 4.0 * m4)));
  }
  return -log(x > 0.5 * first && x < 2.0 * first ? x : first);
}

static Status search(const StepProblem *problem, double delta, Price *price, double *q,
                     double *log_q_, const StepSums *survey, StepSums *sums, StepInfo *info,
                     Arena *ws) {
  Root root;
  double before = INFINITY; /* log lambda of the pass before */
  double raise = DBL_EPSILON;
  root_init(&root, first_log(survey, delta), 2e-15);
  for (;;) {
    const int last = root.done || fabs(root.x - before) <= NEAR;
    price->log_lambda = root.x;
    price->lambda = exp(root.x);
    price->q = last ? q : NULL;
    price->log_q_ = last ? log_q_ : NULL;
    const Status status = step_pass(problem, price_state, price, sums, ws);
    if (status != OK) {
      return status;
    }
    info->passes++;
    const double mean = sums->kl / survey->rho, slope = sums->slope / survey->rho;
    /* log KL is nearly linear in log lambda where KL is small, KL itself where it is large */
    const double error = delta < 1.0 ? log(mean / delta) : mean / delta - 1.0;
    if (root.done && error > OVER && raise < ldexp(DBL_EPSILON, RAISES)) {
      root.x += raise * fmax(1.0, fabs(root.x));
      raise *= 2.0;
      continue;
    }
    if (root.done || (last && fabs(error) <= 1e-13)) {
      return OK;
    }
    before = root.x;
    root_next(&root, error, slope / (delta < 1.0 ? mean : delta));
  }
}

Status region_mean(const StepProblem *problem, double delta, double *q, double *log_q_,
                   StepInfo *info, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  StepSums survey, sums;
  Price price = {.lambda = 0.0};
  *info = (StepInfo){.passes = 1, .radius = delta};
  Status status = step_survey(problem, &survey, ws);
  if (status != OK) {
    return status;
  }
  if (!(survey.greedy > 0.0)) {
    return stay(problem, q, log_q_, info, &survey);
  }
  price.warm = ARENA_PUSH(ws, double, problem->S);
  if (price.warm == NULL) {
    return E_NOMEM;
  }
  for (ptrdiff_t s = 0; s < problem->S; s++) price.warm[s] = NAN;
  status = search(problem, delta, &price, q, log_q_, &survey, &sums, info, ws);
  arena_release(ws, mark);
  if (status != OK) {
    return status;
  }
  status = step_report(info, &sums, &survey);
  info->lambda = price.lambda;
  info->gap = info->lambda * delta * survey.rho + sums.bound - sums.gain;
  info->kkt = relative(fmax(sums.residual, survey.rho * info->lambda * fabs(info->kl_mean - delta)),
                       &survey);
  return status;
}

/* --- largest divergence ------------------------------------------------------------------------------------------- */

typedef struct Balls {
  double radius;
  double *q, *log_q_;
} Balls;

static void ball_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                       StepSums *sums) {
  const Balls *balls = context;
  const double rho = problem->rho[s];
  GapSolution solution;
  gap_set(gap, problem->pi + s * problem->A, problem->adv + s * problem->A);
  if (rho == 0.0 && problem->keep) {
    gap_finish_same(&solution, 0.0);
  } else {
    ball_solve(gap, balls->radius, NAN, &solution);
  }
  step_write(problem, s, gap, &solution, balls->q, balls->log_q_, sums);
  if (rho > 0.0 && solution.kind != GAP_SAME) {
    /* weak duality in each state: gain <= lambda radius + max (q.A - p.A - lambda KL) */
    const double lambda = rho * solution.lambda * gap->unit;
    const double bound = rho * penalty_bound(&solution) * gap->unit;
    const double error = lambda > 0.0 ? lambda * fabs(solution.kl - balls->radius) : 0.0;
    sums->lambda += lambda;
    sums->bound += bound + (lambda > 0.0 ? lambda * balls->radius : 0.0);
    sums->residual = fmax(sums->residual, error);
  }
}

Status region_max(const StepProblem *problem, double delta, double *q, double *log_q_,
                  StepInfo *info, Arena *ws) {
  StepSums survey, sums;
  Balls balls = {delta, q, log_q_};
  *info = (StepInfo){.passes = 2, .radius = delta};
  Status status = step_survey(problem, &survey, ws);
  if (status == OK) status = step_pass(problem, ball_state, &balls, &sums, ws);
  if (status != OK) {
    return status;
  }
  status = step_report(info, &sums, &survey);
  info->lambda = sums.lambda;
  info->gap = sums.bound - sums.gain;
  info->kkt = relative(sums.residual, &survey);
  info->status = info->tv_max > 0.0 ? OK : step_verdict(problem, &survey);
  return status;
}
