#include "solve/gmres.h"

#include <math.h>
#include <string.h>

enum { M = GMRES_RESTART, MOST_FAILURES = 10 };

typedef struct Cycle {
  const KrylovSystem *system;
  const KrylovOptions *options;
  KrylovInfo *info;
  double *basis; /* [M + 1, n] */
  double *hat;   /* [n] M^-1 v, with a preconditioner */
  double *sums;
  double r[M]
          [M + 1]; /* column k of the triangle that the rotations make of the Hessenberg matrix */
  double cosine[M], sine[M];
  double rhs[M + 1]; /* |rhs[k]| is the 2-norm of the residual after k steps, divided by scale */
  double scale;
} Cycle;

ptrdiff_t gmres_work(ptrdiff_t n, int preconditioned) {
  return (M + 1 + (preconditioned != 0)) * n + krylov_work(n);
}

static double *vector(const Cycle *c, int k) {
  return c->basis + (ptrdiff_t)k * c->system->n;
}

/* v = v / length */
typedef struct Scaling {
  double *v;
  double factor;
} Scaling;

static void scale_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Scaling *scaling = context;
  (void)sums;
  for (ptrdiff_t i = begin; i < end; i++) {
    scaling->v[i] *= scaling->factor;
  }
}

static void multiply_by(const Cycle *c, double *v, double factor) {
  Scaling scaling = {v, factor};
  krylov_run(scale_chunk, &scaling, c->system->n, c->sums);
}

static double length(const Cycle *c, const double *v) {
  return sqrt(krylov_dot(v, v, c->system->n, c->sums));
}

/* the next basis vector, orthogonal to those before; column k of the Hessenberg matrix in h. OK or a negative status */
static Status extend(Cycle *c, int k, double *h) {
  const KrylovSystem *system = c->system;
  double *w = vector(c, k + 1);
  c->info->products++;
  const Status status = system->precondition != NULL
                            ? system->precondition(system->context, c->hat, w, vector(c, k))
                            : system->apply(system->context, w, vector(c, k));
  if (status < 0) {
    return status;
  }
  for (int j = 0; j <= k; j++) {
    h[j] = krylov_dot(vector(c, j), w, system->n, c->sums);
    krylov_add(w, -h[j], vector(c, j), system->n);
  }
  h[k + 1] = length(c, w);
  if (h[k + 1] > 0.0 && isfinite(1.0 / h[k + 1])) {
    multiply_by(c, w, 1.0 / h[k + 1]);
  }
  return isfinite(h[k + 1]) ? OK : E_NOT_FINITE;
}

/* applies the rotations so far to column k and makes the next one; 0 when the column is zero */
static int rotate(Cycle *c, int k, const double *h) {
  double *column = c->r[k];
  memcpy(column, h, (size_t)(k + 2) * sizeof *column);
  for (int j = 0; j < k; j++) {
    const double upper = column[j], lower = column[j + 1];
    column[j] = c->cosine[j] * upper + c->sine[j] * lower;
    column[j + 1] = c->cosine[j] * lower - c->sine[j] * upper;
  }
  const double d = hypot(column[k], column[k + 1]);
  if (!(d > 0.0)) {
    return 0;
  }
  c->cosine[k] = column[k] / d;
  c->sine[k] = column[k + 1] / d;
  column[k] = d;
  c->rhs[k + 1] = -c->sine[k] * c->rhs[k];
  c->rhs[k] *= c->cosine[k];
  return 1;
}

/* x += M^-1 V y with the triangle's solution y of k entries; hat and one basis vector are used up */
static Status correct(Cycle *c, double *x, int k) {
  const KrylovSystem *system = c->system;
  double y[M] = {0.0};
  for (int j = k - 1; j >= 0; j--) {
    double sum = c->rhs[j];
    for (int l = j + 1; l < k; l++) {
      sum -= c->r[l][j] * y[l];
    }
    y[j] = sum / c->r[j][j];
    if (!isfinite(c->scale * y[j])) {
      return E_NOT_FINITE;
    }
  }
  if (system->precondition == NULL) {
    for (int j = 0; j < k; j++) {
      krylov_add(x, c->scale * y[j], vector(c, j), system->n);
    }
    return OK;
  }
  double *v = vector(c, 0);
  multiply_by(c, v, y[0]);
  for (int j = 1; j < k; j++) {
    krylov_add(v, y[j], vector(c, j), system->n);
  }
  c->info->products++;
  const Status status = system->precondition(system->context, c->hat, vector(c, M), v);
  if (status >= 0) {
    krylov_add(x, c->scale, c->hat, system->n);
  }
  return status;
}

/* Up to M steps from the residual in basis vector 0, divided by scale, of 2-norm first. */
static Status run_cycle(Cycle *c, double *x, double first) {
  double h[M + 2];
  int k = 0;
  /* what to bring the 2-norm down to, should the residual keep its shape */
  const double target = fmax(c->options->tolerance, c->info->floor) / c->info->residual * first;
  multiply_by(c, vector(c, 0), 1.0 / first);
  c->rhs[0] = first;
  while (k < M && c->info->products < c->options->products) {
    const Status status = extend(c, k, h);
    if (status < 0) {
      return status;
    }
    if (!rotate(c, k, h)) {
      break;
    }
    k++;
    if (fabs(c->rhs[k]) <= 0.5 * target || h[k] == 0.0) {
      break;
    }
  }
  return k > 0 ? correct(c, x, k) : OK;
}

Status gmres_solve(const KrylovSystem *system, const KrylovOptions *options, double *x,
                   KrylovInfo *info, const double *b, double *work) {
  const ptrdiff_t n = system->n;
  Cycle c = {.system = system, .options = options, .info = info, .basis = work};
  double last = INFINITY;
  *info = (KrylovInfo){0};
  c.hat = work + (M + 1) * n;
  c.sums = c.hat + (system->precondition != NULL ? n : 0);
  for (int failures = 0;;) {
    Status status = krylov_residual(system, vector(&c, 0), x, b, info, c.sums);
    if (status < 0) {
      return status;
    }
    /* squares must neither overflow nor vanish */
    c.scale = krylov_scale(info->residual);
    multiply_by(&c, vector(&c, 0), 1.0 / c.scale);
    const double size = length(&c, vector(&c, 0));
    failures = size * c.scale < 0.99 * last ? 0 : failures + 1;
    last = fmin(last, size * c.scale);
    if (info->residual <= fmax(options->tolerance, info->floor) || failures >= MOST_FAILURES
        || info->products >= options->products) {
      break;
    }
    status = run_cycle(&c, x, size);
    if (status < 0) {
      return status;
    }
  }
  return info->residual <= options->tolerance ? OK : LIMIT;
}
