#include "solve/bicgstab.h"

#include <float.h>
#include <math.h>

#include "base/sum.h"

/* failures in a row before giving up; steps of a run without a halved residual, fewer where rounding rules */
enum { MOST_FAILURES = 3, MOST_IDLE = 400, IDLE_AT_FLOOR = 25 };
/* a run that has grown by this diverges; the recurrence is set right each time it has fallen by that */
static const double DIVERGED = 1e6, REPLACE = 1e-4;

typedef struct Run {
  const KrylovSystem *system;
  const KrylovOptions *options;
  KrylovInfo *info;
  double *x;
  const double *b;
  double *r, *shadow, *p, *v, *t, *best; /* r doubles as s */
  double *p_hat, *s_hat;                 /* M^-1 p and M^-1 s; without M the same as p and r */
  double *sums;
  double scale;              /* r, p, v, t are those of the residual divided by this power of two */
  double alpha, omega, beta; /* coefficients of the pass under way */
  int failures;              /* in a row */
} Run;

ptrdiff_t bicgstab_work(ptrdiff_t n, int preconditioned) {
  return (preconditioned ? 8 : 6) * n + krylov_work(n);
}

/* --- passes: all of one step's vector work ------------------------------------------------------------------------- */

/* r, p = r / scale; the shadow is r too, but after a failure, which would repeat itself; r'shadow */
static void start_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Run *run = context;
  const ptrdiff_t n = end - begin;
  double *restrict r = run->r + begin, *restrict shadow = run->shadow + begin,
                   *restrict p = run->p + begin;
  const double factor = 1.0 / run->scale;
  for (ptrdiff_t i = 0; i < n; i++) {
    r[i] *= factor;
    shadow[i] = r[i];
    p[i] = r[i];
  }
  for (ptrdiff_t i = 0; run->failures > 0 && i < n; i++) {
    shadow[i] *= i % (2 + run->failures) == 0 ? 0.25 : 1.0;
  }
  sums->sum[0] = sum_dot(r, shadow, (size_t)n);
}

/* r = r / scale; r'shadow */
static void replace_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Run *run = context;
  const double factor = 1.0 / run->scale;
  for (ptrdiff_t i = begin; i < end; i++) {
    run->r[i] *= factor;
  }
  sums->sum[0] = sum_dot(run->r + begin, run->shadow + begin, (size_t)(end - begin));
}

/* s = r - alpha v */
static void half_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Run *run = context;
  const ptrdiff_t n = end - begin;
  double *restrict r = run->r + begin;
  const double *restrict v = run->v + begin;
  const double alpha = run->alpha;
  (void)sums;
  for (ptrdiff_t i = 0; i < n; i++) {
    r[i] -= alpha * v[i];
  }
}

/* t't and t's */
static void omega_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Run *run = context;
  sums->sum[0] = sum_dot(run->t + begin, run->t + begin, (size_t)(end - begin));
  sums->sum[1] = sum_dot(run->t + begin, run->r + begin, (size_t)(end - begin));
}

/* x += alpha p + omega s;  r = s - omega t;  r'shadow, r'r, ||r|| */
static void step_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Run *run = context;
  const ptrdiff_t n = end - begin;
  double *restrict x = run->x + begin, *restrict r = run->r + begin;
  const double *restrict p = run->p_hat + begin, *restrict t = run->t + begin;
  const double a = run->alpha * run->scale, w = run->omega * run->scale, omega = run->omega;
  if (run->s_hat == run->r) {
    for (ptrdiff_t i = 0; i < n; i++) {
      x[i] += a * p[i] + w * r[i];
      r[i] -= omega * t[i];
    }
  } else {
    const double *restrict s = run->s_hat + begin;
    for (ptrdiff_t i = 0; i < n; i++) {
      x[i] += a * p[i] + w * s[i];
      r[i] -= omega * t[i];
    }
  }
  sums->sum[0] = sum_dot(r, run->shadow + begin, (size_t)n);
  if (run->system->norm == KRYLOV_ONE) {
    sums->sum[1] = krylov_sizes(r, n);
  } else {
    sums->largest = krylov_largest(r, n);
  }
}

/* p = r + beta (p - omega v) */
static void direction_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Run *run = context;
  const ptrdiff_t n = end - begin;
  double *restrict p = run->p + begin;
  const double *restrict r = run->r + begin, *restrict v = run->v + begin;
  const double beta = run->beta, omega = run->omega;
  (void)sums;
  for (ptrdiff_t i = 0; i < n; i++) {
    p[i] = r[i] + beta * (p[i] - omega * v[i]);
  }
}

/* --- a run --------------------------------------------------------------------------------------------------------- */

/* image = A M^-1 v, with M^-1 v in hat */
static Status multiply(const Run *run, double *image, double *hat, const double *v) {
  const KrylovSystem *system = run->system;
  run->info->products++;
  return system->precondition != NULL ? system->precondition(system->context, hat, image, v)
                                      : system->apply(system->context, image, v);
}

static KrylovSums pass(Run *run, KrylovKernel kernel) {
  return krylov_run(kernel, run, run->system->n, run->sums);
}

static double target(const Run *run) {
  return fmax(run->options->tolerance, run->info->floor);
}

/* alpha; 0 after a breakdown */
static Status first_half(Run *run, double rho) {
  const Status status = multiply(run, run->v, run->p_hat, run->p);
  if (status < 0) {
    return status;
  }
  const double rv = krylov_dot(run->shadow, run->v, run->system->n, run->sums);
  const double alpha = rho / rv;
  run->alpha = isfinite(alpha) ? alpha : 0.0;
  return OK;
}

/* omega; 0 when s = 0, NaN after a breakdown */
static Status second_half(Run *run) {
  pass(run, half_chunk);
  const Status status = multiply(run, run->t, run->s_hat, run->r);
  if (status < 0) {
    return status;
  }
  const KrylovSums sums = pass(run, omega_chunk);
  run->omega = sums.sum[0] == 0.0 ? 0.0 : sums.sum[1] / sums.sum[0];
  return OK;
}

/* the true residual into r, scaled as the run is */
static Status replace(Run *run, double *rho) {
  const Status status = krylov_residual(run->system, run->r, run->x, run->b, run->info, run->sums);
  *rho = pass(run, replace_chunk).sum[0];
  return status;
}

/* Steps from the residual in r until it seems small enough, or nothing more is to be had. OK or a negative status. */
static Status run_once(Run *run) {
  const double first = run->info->residual;
  run->scale = krylov_scale(first);
  double rho = pass(run, start_chunk).sum[0], peak = first, mark = first;
  int idle = 0;
  while (run->info->products < run->options->products && rho != 0.0) {
    Status status = first_half(run, rho);
    if (status < 0 || run->alpha == 0.0) {
      return status;
    }
    status = second_half(run);
    if (status < 0 || !isfinite(run->omega)) {
      return status;
    }
    const KrylovSums sums = pass(run, step_chunk);
    const double residual = run->scale
                            * (run->system->norm == KRYLOV_ONE ? sums.sum[1] : sums.largest);
    double next = sums.sum[0];
    if (!(residual <= DIVERGED * first) || !isfinite(next) || residual <= target(run)
        || run->omega == 0.0) {
      return OK;
    }
    /* headway */
    idle = residual < 0.5 * mark ? 0 : idle + 1;
    mark = idle == 0 ? residual : mark;
    if (idle > (residual <= 16.0 * run->info->floor ? IDLE_AT_FLOOR : MOST_IDLE)) {
      return OK;
    }
    /* set the recurrence right */
    peak = fmax(peak, residual);
    if (residual < REPLACE * peak) {
      status = replace(run, &next);
      if (status < 0) {
        return status;
      }
      peak = residual;
    }
    run->beta = next / rho * (run->alpha / run->omega);
    if (!isfinite(run->beta)) {
      return OK;
    }
    pass(run, direction_chunk);
    rho = next;
  }
  return OK;
}

static Run make(const KrylovSystem *system, const KrylovOptions *options, double *x,
                KrylovInfo *info, const double *b, double *work) {
  const ptrdiff_t n = system->n;
  Run run = {.system = system, .options = options, .info = info, .x = x, .b = b};
  double **const vectors[] = {&run.r, &run.shadow, &run.p, &run.v, &run.t, &run.best};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++, work += n) {
    *vectors[i] = work;
  }
  run.p_hat = run.p;
  run.s_hat = run.r;
  if (system->precondition != NULL) {
    run.p_hat = work;
    run.s_hat = work + n;
    work += 2 * n;
  }
  run.sums = work;
  return run;
}

Status bicgstab_solve(const KrylovSystem *system, const KrylovOptions *options, double *x,
                      KrylovInfo *info, const double *b, double *work) {
  Run run = make(system, options, x, info, b, work);
  KrylovInfo best = {.residual = INFINITY};
  *info = (KrylovInfo){0};
  for (;;) {
    Status status = krylov_residual(system, run.r, x, b, info, run.sums);
    if (status < 0 && best.residual == INFINITY) {
      return status;
    }
    const int better = info->residual < best.residual;
    run.failures = info->residual < 0.5 * best.residual ? 0 : run.failures + 1;
    if (better) {
      best = *info;
      krylov_copy(run.best, x, system->n);
    } else {
      krylov_copy(x, run.best, system->n);
    }
    if (best.residual <= fmax(options->tolerance, best.floor) || run.failures >= MOST_FAILURES
        || info->products >= options->products) {
      break;
    }
    /* after a failure from the best solution, which r does not belong to */
    if (!better) {
      krylov_residual(system, run.r, x, b, info, run.sums);
    }
    status = run_once(&run);
    if (status < 0 && status != E_NOT_FINITE) {
      krylov_copy(x, run.best, system->n);
      return status;
    }
  }
  info->residual = best.residual;
  info->floor = best.floor;
  return best.residual <= options->tolerance ? OK : LIMIT;
}
