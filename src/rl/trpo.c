#include "rl/trpo.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/sum.h"
#include "rl/advantage.h"
#include "rl/fisher.h"
#include "rl/kfac.h"
#include "solve/cg.h"

/* Every field as it stands when nothing has happened yet. */
static void info_reset(TrpoInfo *info) {
  *info = (TrpoInfo){.surrogate_before = NAN,
                     .surrogate_after = NAN,
                     .expected_improvement = NAN,
                     .actual_improvement = NAN,
                     .kl_quadratic = NAN,
                     .entropy = NAN,
                     .cg_residual = NAN,
                     .grad_norm = NAN};
}

/* The advantages the update works with: standardised if asked for. NULL when memory runs out. */
static const double *prepare(const TrpoConfig *config, const double *advantage, long N,
                             Arena *arena) {
  double *copy = ARENA_PUSH(arena, double, N);
  if (!copy) return NULL;
  memcpy(copy, advantage, (size_t)N * sizeof *copy);
  if (config->standardize) advantage_standardize(copy, N);
  return copy;
}

/* F over all states, or over a fixed subset: the same in every product. */
static Status make_fisher(Fisher *fisher, const TrpoConfig *config, const Surrogate *problem,
                          Arena *arena) {
  const double every = round(1 / config->fisher_fraction);
  const long stride = every < (double)problem->N ? (long)every : problem->N;
  if (stride <= 1)
    return fisher_init(fisher, problem->policy, &problem->tape, problem->information,
                       config->cg_iters, config->fisher_form, arena);
  return fisher_subset(fisher, problem->policy, problem->obs, problem->N, stride, config->cg_iters,
                       config->fisher_form, arena);
}

/* K-FAC's inverse over the states of the Fisher matrix, damped like it. */
static Status make_kfac(Kfac *kfac, const TrpoConfig *config, TrpoInfo *info, const Fisher *fisher,
                        Arena *arena) {
  const double start = clock_seconds();
  Status status = kfac_init(kfac, fisher->policy, fisher->product.tape, arena);
  if (status == OK) {
    kfac_factors(kfac);
    status = kfac_invert(kfac, config->damping);
  }
  info->seconds_preconditioner = clock_seconds() - start;
  return status;
}

/* x becomes the step: F x = g by CG, then scaled to the boundary of the trust region.
 * g is in units of problem->unit, which the scaling takes out. */
static Status direction(const TrpoConfig *config, TrpoInfo *info, Surrogate *problem, double *x,
                        const double *g, Arena *arena) {
  const long P = problem->policy->net.P;
  CgOptions options = {.iterations = config->cg_iters,
                       .tolerance = config->cg_tolerance,
                       .damping = config->damping};
  Fisher fisher;
  Kfac kfac;
  CgInfo cg;
  double *work = ARENA_PUSH(arena, double, cg_work(P));
  if (!work || make_fisher(&fisher, config, problem, arena) != OK) return E_NOMEM;
  info->fisher_form = fisher.product.form;
  Status status = config->kfac ? make_kfac(&kfac, config, info, &fisher, arena) : OK;
  if (status != OK) return status;
  if (config->kfac) {
    options.precondition = kfac_apply;
    options.precondition_context = &kfac;
  }
  status = cg_solve(&options, x, &cg, fisher_apply, &fisher, g, P, work);
  info->cg_iters = cg.iterations;
  info->cg_residual = cg.residual;
  if (status < 0) return status;
  /* 1/2 s'Fs = delta for s = sqrt(2 delta / x'Fx) x */
  const double quadratic = cg.xbx + (config->undamped ? 0 : config->damping * cg.xx);
  if (!(quadratic > 0)) return E_CURVATURE;
  const double length = sqrt(2 * config->delta / quadratic);
  for (long i = 0; i < P; i++) x[i] *= length;
  info->expected_improvement = problem->unit * sum_dot(g, x, (size_t)P);
  info->kl_quadratic = 0.5 * length * length * cg.xbx;
  info->step_norm = length * sqrt(cg.xx);
  return isfinite(length) ? OK : E_NOT_FINITE;
}

/* The figures of the full step become those of the step taken. */
static void report(TrpoInfo *info, Status status) {
  const LinesearchTrial *last = &info->search.trial[info->search.count - 1];
  const double fraction = status == OK ? last->fraction : 0;
  info->step_fraction = fraction;
  info->backtracks = status == OK ? info->search.count - 1 : info->search.count;
  info->expected_improvement *= fraction;
  info->kl_quadratic *= fraction * fraction;
  info->step_norm *= fraction;
  info->surrogate_after = status == OK ? last->value.surrogate : info->surrogate_before;
  info->actual_improvement = info->surrogate_after - info->surrogate_before;
  info->kl_mean = status == OK ? last->value.kl_mean : 0;
  info->kl_max = status == OK ? last->value.kl_max : 0;
}

static Status update(Policy *policy, const TrpoConfig *config, TrpoInfo *info, const double *obs,
                     const double *action, const double *advantage, long N, Arena *arena) {
  const long P = policy->net.P;
  const LinesearchOptions options = {config->delta, config->backtrack_ratio, config->backtracks};
  Surrogate problem;
  double *g = ARENA_PUSH(arena, double, P), *step = ARENA_PUSH(arena, double, P);
  double *old = ARENA_PUSH(arena, double, P);
  if (!g || !step || !old || !(advantage = prepare(config, advantage, N, arena))) return E_NOMEM;

  /* gradient of the surrogate */
  const double start = clock_seconds();
  Status status = surrogate_init(&problem, policy, obs, action, advantage, N, arena);
  if (status == OK) status = surrogate_gradient(&problem, g);
  if (status != OK) return status;
  info->surrogate_before = info->surrogate_after = sum_mean(advantage, (size_t)N);
  info->actual_improvement = info->expected_improvement = 0;
  info->entropy = problem.entropy;
  info->grad_norm = problem.unit * sqrt(sum_dot(g, g, (size_t)P));
  info->seconds_gradient = clock_seconds() - start;
  if (info->grad_norm == 0) return ZERO_GRADIENT;

  /* direction by conjugate gradients on the Fisher-vector product, scaled to delta */
  status = direction(config, info, &problem, step, g, arena);
  info->seconds_cg = clock_seconds() - start - info->seconds_gradient;
  if (status < 0) return status;

  /* line search on the true surrogate and the true KL */
  status = linesearch_run(&info->search, &problem, &options, info->surrogate_before, step, old);
  info->seconds_linesearch = clock_seconds() - start - info->seconds_gradient - info->seconds_cg;
  report(info, status);
  return status;
}

Status trpo_update(Policy *policy, const TrpoConfig *config, TrpoInfo *info, const double *obs,
                   const double *action, const double *advantage, long N, Arena *arena) {
  const ArenaMark mark = arena_mark(arena);
  info_reset(info);
  info->status = update(policy, config, info, obs, action, advantage, N, arena);
  arena_release(arena, mark);
  return info->status;
}
