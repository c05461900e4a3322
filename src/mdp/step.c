#include "mdp/step.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "base/sum.h"

_Static_assert(sizeof(StepSums) == (STEP_SUMS + STEP_MAXIMA + STEP_MINIMA) * sizeof(double),
               "sums are combined as an array");

/* Rows of probabilities whose sums are further from 1 than rounding makes them. */
static const double DEFECT = 1e-12;

/* --- the loop over states ----------------------------------------------------------------------------------------- */

typedef struct Pass {
  const StepProblem *problem;
  StepState f;
  void *context;
  double *work;   /* of each worker */
  StepSums *part; /* of each chunk */
} Pass;

static void run_chunk(void *context, int chunk, int worker) {
  const Pass *pass = context;
  const StepProblem *problem = pass->problem;
  Gap gap;
  StepSums sums;
  memset(&sums, 0, sizeof sums);
  sums.next = INFINITY;
  gap_init(&gap, problem->A, pass->work + worker * gap_work(problem->A));
  const ptrdiff_t end = mdp_chunk_begin(problem->S, chunk + 1);
  for (ptrdiff_t s = mdp_chunk_begin(problem->S, chunk); s < end; s++) {
    pass->f(pass->context, problem, s, &gap, &sums);
  }
  pass->part[chunk] = sums;
}

/* column by column: pairwise sums, maxima, minima */
static void combine(StepSums *sums, const StepSums *part, int chunks, double *column) {
  double *out = (double *)sums;
  for (int k = 0; k < STEP_SUMS + STEP_MAXIMA + STEP_MINIMA; k++) {
    double largest = 0.0, least = INFINITY;
    for (int i = 0; i < chunks; i++) {
      column[i] = ((const double *)&part[i])[k];
      largest = column[i] > largest ? column[i] : largest;
      least = column[i] < least ? column[i] : least;
    }
    out[k] = k < STEP_SUMS                 ? sum_pairwise(column, (size_t)chunks)
             : k < STEP_SUMS + STEP_MAXIMA ? largest
                                           : least;
  }
}

Status step_pass(const StepProblem *problem, StepState f, void *context, StepSums *sums,
                 Arena *ws) {
  const int chunks = mdp_chunks(problem->S);
  const ArenaMark mark = arena_mark(ws);
  Pass pass = {problem, f, context, NULL, NULL};
  pass.work = ARENA_PUSH(ws, double, gap_work(problem->A) * pool_threads());
  pass.part = ARENA_PUSH(ws, StepSums, chunks);
  double *column = ARENA_PUSH(ws, double, chunks);
  if (pass.work == NULL || pass.part == NULL || column == NULL) {
    arena_release(ws, mark);
    return E_NOMEM;
  }
  pool_run(run_chunk, &pass, chunks);
  combine(sums, pass.part, chunks, column);
  arena_release(ws, mark);
  return OK;
}

/* --- what a step needs to know of the old policy ------------------------------------------------------------------ */

static void raise_to(double *largest, double x) {
  *largest = x > *largest ? x : *largest;
}

static void add_moments(const Gap *gap, double rho, StepSums *sums) {
  const double unit = gap->unit;
  double m3 = 0.0, m4 = 0.0;
  for (ptrdiff_t i = 0; i < gap->n; i++) {
    const double dev = gap->dev[i], square = gap->p[i] * dev * dev;
    m3 += square * dev;
    m4 += square * dev * dev;
  }
  sums->m2 += rho * gap->var * unit * unit;
  sums->m3 += rho * m3 * unit * unit * unit;
  sums->m4 += rho * (0.75 * m4 - 1.5 * gap->var * gap->var) * unit * unit * unit * unit;
}

static void survey_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                         StepSums *sums) {
  (void)context;
  const double *adv = problem->adv + s * problem->A;
  const double rho = problem->rho[s];
  double least = INFINITY, most = -INFINITY;
  gap_set(gap, problem->pi + s * problem->A, adv);
  for (ptrdiff_t a = 0; a < problem->A; a++) {
    if (adv[a] > -INFINITY) {
      least = adv[a] < least ? adv[a] : least;
      most = adv[a] > most ? adv[a] : most;
    }
  }
  const double greedy = gap_greedy(gap);
  raise_to(&sums->adv_max, fmax(fabs(least), fabs(most)));
  raise_to(&sums->span_max, most - least);
  raise_to(&sums->greedy_max, greedy);
  sums->rho += rho;
  sums->sigma += rho * sqrt(gap->var) * gap->unit;
  sums->edge += gap->m1 == 0.0 ? rho * greedy : 0.0;
  sums->greedy += rho * greedy;
  add_moments(gap, rho, sums);
}

Status step_survey(const StepProblem *problem, StepSums *sums, Arena *ws) {
  return step_pass(problem, survey_state, NULL, sums, ws);
}

/* --- results ------------------------------------------------------------------------------------------------------ */

void step_write(const StepProblem *problem, ptrdiff_t s, const Gap *gap,
                const GapSolution *solution, double *q, double *log_q_, StepSums *sums) {
  const double rho = problem->rho[s];
  double *row = q + s * problem->A;
  const double tv = gap_write(gap, solution, row, log_q_ ? log_q_ + s * problem->A : NULL);
  step_check(problem, s, q, sums);
  raise_to(&sums->tv_max, tv);
  raise_to(&sums->kl_max, solution->kl);
  if (rho > 0.0) {
    raise_to(&sums->residual, rho * gap_residual(gap, solution, row));
    sums->gain += rho * solution->gain * gap->unit;
    sums->kl += rho * solution->kl;
  }
}

void step_check(const StepProblem *problem, ptrdiff_t s, const double *q, StepSums *sums) {
  const double *new = q + s * problem->A, *old = problem->pi + s * problem->A;
  double before = 0.0, after = 0.0;
  for (ptrdiff_t a = 0; a < problem->A; a++) {
    before += old[a];
    after += new[a];
  }
  const double defect = fabs(after - 1.0) - fabs(before - 1.0);
  raise_to(&sums->defect, isnan(defect) ? INFINITY : defect);
}

void step_stay(const StepProblem *problem, double *q, double *log_q_) {
  const size_t count = (size_t)problem->S * (size_t)problem->A;
  memcpy(q, problem->pi, count * sizeof *q);
  for (size_t i = 0; log_q_ && i < count; i++) {
    log_q_[i] = log(q[i]);
  }
}

Status step_verdict(const StepProblem *problem, const StepSums *survey) {
  return survey->greedy_max <= problem->tolerance ? OPTIMAL : STALLED;
}

Status step_report(StepInfo *info, const StepSums *sums, const StepSums *survey) {
  info->gain = sums->gain;
  info->kl_max = sums->kl_max;
  info->kl_mean = sums->kl / survey->rho;
  info->tv_max = sums->tv_max;
  return sums->defect <= DEFECT ? OK : E_NOT_FINITE;
}

/* --- policy iteration --------------------------------------------------------------------------------------------- */

typedef struct Greedy {
  double *q, *log_q_;
} Greedy;

/* the action of a deterministic row, or -1 */
static ptrdiff_t only_action(const Gap *gap) {
  return gap->n == 1 ? gap->at[0] : -1;
}

static void greedy_state(void *context, const StepProblem *problem, ptrdiff_t s, Gap *gap,
                         StepSums *sums) {
  const Greedy *out = context;
  const double *p = problem->pi + s * problem->A, *adv = problem->adv + s * problem->A;
  const double rho = problem->rho[s];
  double *q = out->q + s * problem->A;
  gap_set(gap, p, adv);
  ptrdiff_t best = 0;
  for (ptrdiff_t a = 1; a < problem->A; a++) {
    if (adv[a] > adv[best]) best = a;
  }
  const ptrdiff_t old = only_action(gap);
  if (old >= 0 && adv[old] >= adv[best] - problem->tolerance) {
    best = old;
  }
  if (rho == 0.0 && problem->keep) {
    memcpy(q, p, (size_t)problem->A * sizeof *q);
  } else {
    memset(q, 0, (size_t)problem->A * sizeof *q);
    q[best] = 1.0;
    const double kl = gap->n == 1 && old == best ? 0.0 : INFINITY;
    raise_to(&sums->kl_max, kl);
    raise_to(&sums->tv_max, 1.0 - p[best]);
    if (rho > 0.0) {
      /* A(best) less the mean, by gaps */
      double gain = 0.0;
      for (ptrdiff_t i = 0; i < gap->n; i++) gain += gap->p[i] * (adv[best] - adv[gap->at[i]]);
      sums->gain += rho * gain;
      sums->kl += rho * kl;
    }
  }
  for (ptrdiff_t a = 0; out->log_q_ && a < problem->A; a++) {
    out->log_q_[s * problem->A + a] = log(q[a]);
  }
}

Status step_greedy(const StepProblem *problem, double *q, double *log_q_, StepInfo *info,
                   Arena *ws) {
  Greedy out = {q, log_q_};
  StepSums survey, sums;
  *info = (StepInfo){.passes = 2};
  Status status = step_survey(problem, &survey, ws);
  if (status == OK) status = step_pass(problem, greedy_state, &out, &sums, ws);
  if (status != OK) {
    return status;
  }
  info->status = survey.greedy_max <= problem->tolerance ? OPTIMAL : OK;
  return step_report(info, &sums, &survey);
}
