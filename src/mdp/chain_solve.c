#include <float.h>
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "base/sum.h"
#include "mdp/chain.h"
#include "mdp/chain_lu.h"
#include "mdp/chain_order.h"
#include "solve/bicgstab.h"
#include "solve/gmres.h"

/*
 * M = I - gamma (D + L) holds the diagonal and what leads to earlier states: z = M^-1 v is a Gauss-Seidel sweep. Since
 * A = M - gamma U with U the rest, A z = v - gamma U z, so that a sweep and its product together read every entry once
 * (Eisenstat's observation). A sweep is worth much in the order of chain_order.h and little in most others.
 */
typedef struct System {
  const Chain *chain;
  int64_t *
      middle; /* [S] first entry of a row that does not lead to an earlier state; NULL: no sweeps */
  double *z, *az;
  const double *v;
} System;

/* --- sweeps -------------------------------------------------------------------------------------------------------- */

static void sweep(const System *system) {
  const Chain *c = system->chain;
  double *z = system->z;
  for (ptrdiff_t s = 0; s < c->S; s++) {
    const int64_t middle = system->middle[s];
    const double own = middle < c->start[s + 1] && c->next[middle] == s ? c->gamma * c->prob[middle]
                                                                        : 0.0;
    double sum = 0.0;
    for (int64_t j = c->start[s]; j < middle; j++) {
      sum += c->prob[j] * z[c->next[j]];
    }
    z[s] = (system->v[s] + c->gamma * sum) / (1.0 - own);
  }
}

static void rest_chunk(void *context, int chunk, int worker) {
  const System *system = context;
  const Chain *c = system->chain;
  (void)worker;
  for (ptrdiff_t s = mdp_chunk_begin(c->S, chunk); s < mdp_chunk_begin(c->S, chunk + 1); s++) {
    int64_t j = system->middle[s];
    double sum = 0.0;
    j += j < c->start[s + 1] && c->next[j] == s;
    for (; j < c->start[s + 1]; j++) {
      sum += c->prob[j] * system->z[c->next[j]];
    }
    system->az[s] = system->v[s] - c->gamma * sum;
  }
}

static Status precondition(void *context, double *z, double *az, const double *v) {
  System *system = context;
  system->z = z;
  system->az = az;
  system->v = v;
  sweep(system);
  pool_run(rest_chunk, system, mdp_chunks(system->chain->S));
  return OK;
}

static Status apply(void *context, double *out, const double *v) {
  chain_apply(((const System *)context)->chain, out, v);
  return OK;
}

/* prepares sweeps through a chain */
static Status find_middle(System *system, Arena *ws) {
  const Chain *c = system->chain;
  system->middle = ARENA_PUSH(ws, int64_t, c->S);
  if (system->middle == NULL) {
    return E_NOMEM;
  }
  for (ptrdiff_t s = 0; s < c->S; s++) {
    int64_t j = c->start[s];
    while (j < c->start[s + 1] && c->next[j] < s) {
      j++;
    }
    system->middle[s] = j;
  }
  return OK;
}

/* --- LU ------------------------------------------------------------------------------------------------------------ */

/* rounds of refinement in double: more never helped */
enum { MOST_ROUNDS = 6 };

static Status solve_lu(const KrylovSystem *system, const KrylovOptions *options, double *x,
                       KrylovInfo *info, const double *b, Arena *ws) {
  const System *own = system->context;
  const ptrdiff_t S = system->n;
  ChainLu f;
  double *r = ARENA_PUSH(ws, double, S), *sums = ARENA_PUSH(ws, double, krylov_work(S));
  double *best = ARENA_PUSH(ws, double, S);
  KrylovInfo found = {.residual = INFINITY};
  *info = (KrylovInfo){0};
  if (r == NULL || sums == NULL || best == NULL) {
    return E_NOMEM;
  }
  Status status = krylov_residual(system, r, x, b, info, sums);
  if (status == OK) {
    chain_lu_plan(&f, own->chain);
    status = chain_lu_factor(&f, own->chain, ws);
  }
  if (status != OK) {
    return status;
  }
  for (int round = 0; round < MOST_ROUNDS; round++) {
    const int headway = info->residual < 0.5 * found.residual;
    if (info->residual < found.residual) {
      found = *info;
      memcpy(best, x, (size_t)S * sizeof *x);
    }
    if (found.residual <= fmax(options->tolerance, 0.25 * found.floor) || !headway) {
      break;
    }
    chain_lu_solve(&f, r);
    krylov_add(x, 1.0, r, S);
    if (krylov_residual(system, r, x, b, info, sums) != OK) {
      break;
    }
  }
  memcpy(x, best, (size_t)S * sizeof *x);
  found.products = info->products;
  *info = found;
  return info->residual <= options->tolerance ? OK : LIMIT;
}

/* --- iteration ----------------------------------------------------------------------------------------------------- */

/* sweeps between two computations of the true residual; most sweeps that may pass without halving it */
enum { SWEEPS = 20, MOST_IDLE = 200000 };

/*
 * What sweeps are slowest to find, mostly the level of the values, is found at once when it is all that is left: then the
 * last change z goes on as it is, times a number, and x += c z, r -= c A z with the c that minimises |r - c A z| ends it.
 */
typedef struct Jump {
  const KrylovSystem *system;
  double *x, *r, *z, *az;
  double *kept;  /* [n] x before the last jump */
  double before; /* residual then; infinite: there was no jump since the last look */
  double worth;  /* a jump must make the residual smaller by this */
  double c;
} Jump;

static void product_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Jump *jump = context;
  sums->sum[0] = sum_dot(jump->az + begin, jump->r + begin, (size_t)(end - begin));
  sums->sum[1] = sum_dot(jump->az + begin, jump->az + begin, (size_t)(end - begin));
}

/* the norm of the residual after a jump */
static void trial_chunk(void *context, ptrdiff_t begin, ptrdiff_t end, KrylovSums *sums) {
  const Jump *jump = context;
  for (ptrdiff_t i = begin; i < end; i++) {
    const double r = fabs(jump->r[i] - jump->c * jump->az[i]);
    sums->sum[0] += r;
    sums->largest = r > sums->largest ? r : sums->largest;
  }
}

/* Tries a jump after the sweeps that made r. */
static void try_jump(Jump *jump, double residual, double *sums) {
  const ptrdiff_t n = jump->system->n;
  const KrylovSums products = krylov_run(product_chunk, jump, n, sums);
  jump->c = products.sum[0] / products.sum[1];
  if (!isfinite(jump->c)) {
    return;
  }
  const KrylovSums trial = krylov_run(trial_chunk, jump, n, sums);
  if ((jump->system->norm == KRYLOV_ONE ? trial.sum[0] : trial.largest) < jump->worth * residual) {
    jump->before = residual;
    krylov_copy(jump->kept, jump->x, n);
    krylov_add(jump->x, jump->c, jump->z, n);
  }
}

/* After a jump, whether the residual has grown since: it is taken back then, and the next must do better. */
static int take_back(Jump *jump, double residual) {
  const int bad = jump->before < INFINITY && !(residual < jump->before);
  if (bad) {
    krylov_copy(jump->x, jump->kept, jump->system->n);
    jump->worth *= 0.25;
  }
  jump->before = INFINITY;
  return bad;
}

/* sweeps that may pass without halving the residual; few near what rounding leaves */
static double patience(const Chain *c, const KrylovInfo *info) {
  const double rate = c->gamma * c->row_sum;
  const double halving = rate > 0.0 && rate < 1.0 ? log(0.5) / log(rate)
                         : rate > 0.0             ? INFINITY
                                                  : 1.0;
  const double extra = info->residual <= 8.0 * info->floor ? 0.0 : 3.0 * halving;
  return fmin(extra + 5.0 * SWEEPS, MOST_IDLE);
}

/* x += M^-1 r for some sweeps, with r by recurrence; returns its norm */
static double run_sweeps(const Jump *jump, double target, KrylovInfo *info, double *sums) {
  const KrylovSystem *system = jump->system;
  double residual = info->residual;
  for (int i = 0; i < SWEEPS && !(residual <= target); i++) {
    precondition(system->context, jump->z, jump->az, jump->r);
    krylov_add(jump->x, 1.0, jump->z, system->n);
    krylov_add(jump->r, -1.0, jump->az, system->n);
    info->products++;
    residual = krylov_norm(jump->r, system->n, system->norm, sums);
  }
  return residual;
}

/*
 * x += M^-1 r, r = b - A x: the error shrinks at least by gamma row_sum in the sup norm, and the residual in the 1-norm for
 * the transposed system.
 */
static Status solve_iteration(const KrylovSystem *system, const KrylovOptions *options, double *x,
                              KrylovInfo *info, const double *b, Arena *ws) {
  const Chain *c = ((const System *)system->context)->chain;
  const ptrdiff_t S = system->n;
  Jump jump = {.system = system, .x = x, .before = INFINITY, .worth = 0.25};
  double *sums = ARENA_PUSH(ws, double, krylov_work(S));
  double mark = INFINITY, marked = 0.0;
  jump.r = ARENA_PUSH(ws, double, S);
  jump.z = ARENA_PUSH(ws, double, S);
  jump.az = ARENA_PUSH(ws, double, S);
  jump.kept = ARENA_PUSH(ws, double, S);
  *info = (KrylovInfo){0};
  if (sums == NULL || jump.r == NULL || jump.z == NULL || jump.az == NULL || jump.kept == NULL) {
    return E_NOMEM;
  }
  for (;;) {
    const Status status = krylov_residual(system, jump.r, x, b, info, sums);
    if (status < 0) {
      return status;
    }
    const double target = fmax(options->tolerance, info->floor);
    if (info->residual < 0.5 * mark) {
      mark = info->residual;
      marked = (double)info->products;
    }
    if (info->residual <= target || (double)info->products - marked > patience(c, info)) {
      break;
    }
    if (!take_back(&jump, info->residual)) {
      const double residual = run_sweeps(&jump, target, info, sums);
      if (residual > target) {
        try_jump(&jump, residual, sums);
      }
    }
  }
  return info->residual <= options->tolerance ? OK : LIMIT;
}

/* --- choosing ------------------------------------------------------------------------------------------------------ */

/* With most products the Krylov methods give up by their own rules long before. */
static const long MOST_PRODUCTS = 1000000, GMRES_PRODUCTS = 20000;

static const char *const names[] = {"auto", "lu", "bicgstab", "gmres", "iteration"};

/* one method on a system, with memory that is released afterwards; products are added to info's */
static Status run(ChainMethod method, const KrylovSystem *system, double tolerance, double *x,
                  const double *b, ChainInfo *info, double *floor_, Arena *ws) {
  KrylovInfo found = {0};
  KrylovOptions options = {MOST_PRODUCTS, tolerance};
  const ptrdiff_t S = system->n;
  const ArenaMark mark = arena_mark(ws);
  Status status = E_NOMEM;
  if (method == CHAIN_LU) {
    status = solve_lu(system, &options, x, &found, b, ws);
  } else if (method == CHAIN_ITERATION) {
    status = solve_iteration(system, &options, x, &found, b, ws);
  } else if (method == CHAIN_GMRES) {
    double *work = ARENA_PUSH(ws, double, gmres_work(S, 1));
    options.products = GMRES_PRODUCTS;
    status = work != NULL ? gmres_solve(system, &options, x, &found, b, work) : E_NOMEM;
  } else {
    double *work = ARENA_PUSH(ws, double, bicgstab_work(S, 1));
    status = work != NULL ? bicgstab_solve(system, &options, x, &found, b, work) : E_NOMEM;
  }
  arena_release(ws, mark);
  info->method = names[method];
  info->iterations += (int)found.products;
  info->residual = found.residual;
  *floor_ = found.floor;
  return status;
}

/* whether a method got as far as rounding lets any of them */
static int arrived(Status status, const ChainInfo *info, double floor_) {
  return status == OK || (status == LIMIT && info->residual <= 4.0 * floor_);
}

/* A system to solve: the chain by rows or transposed, in the order of the states or in a better one. */
typedef struct Problem {
  const Chain *chain;
  KrylovNorm norm;
  double tolerance;
  double *x;
  const double *b;
} Problem;

/* x and b in another order, and back */
static void gather(double *to, const double *from, const int32_t *order, ptrdiff_t S) {
  for (ptrdiff_t i = 0; i < S; i++) {
    to[i] = from[order[i]];
  }
}

static void scatter(double *to, const double *from, const int32_t *order, ptrdiff_t S) {
  for (ptrdiff_t i = 0; i < S; i++) {
    to[order[i]] = from[i];
  }
}

/* methods, up to CHAIN_AUTO, with sweeps in the order of chain_order.h */
static Status run_ordered(const ChainMethod *methods, const Problem *p, ChainInfo *info,
                          double *floor_, Arena *ws) {
  const ptrdiff_t S = p->chain->S;
  Chain ordered;
  System own = {.chain = &ordered};
  KrylovSystem system = {S, apply, precondition, &own, p->norm};
  int32_t *order = ARENA_PUSH(ws, int32_t, S);
  double *x = ARENA_PUSH(ws, double, S), *b = ARENA_PUSH(ws, double, S);
  Status status = order != NULL && x != NULL && b != NULL ? OK : E_NOMEM;
  if (status == OK) {
    status = chain_order_find(order, p->chain, ws);
  }
  if (status == OK) {
    status = chain_order_permute(&ordered, p->chain, order, ws);
  }
  if (status == OK) {
    status = find_middle(&own, ws);
  }
  if (status != OK) {
    return status;
  }
  gather(x, p->x, order, S);
  gather(b, p->b, order, S);
  do {
    status = run(*methods, &system, p->tolerance, x, b, info, floor_, ws);
  } while (!arrived(status, info, *floor_) && *++methods != CHAIN_AUTO);
  scatter(p->x, x, order, S);
  return status;
}

/* a method on the chain as it is */
static Status run_plain(ChainMethod method, const Problem *p, ChainInfo *info, double *floor_,
                        Arena *ws) {
  System own = {.chain = p->chain};
  KrylovSystem system = {p->chain->S, apply, NULL, &own, p->norm};
  return run(method, &system, p->tolerance, p->x, p->b, info, floor_, ws);
}

/* LU comes first where it costs no more than this many products, and after the Krylov methods up to this much work */
static const double LU_PRODUCTS = 64.0, LU_WORK = 5e10;

/* One method after another, each from where the one before it left x. */
static Status run_all(const Problem *p, ChainInfo *info, double *floor_, Arena *ws) {
  static const ChainMethod krylov[] = {CHAIN_BICGSTAB, CHAIN_AUTO};
  static const ChainMethod sweeps[] = {CHAIN_ITERATION, CHAIN_AUTO};
  const ptrdiff_t S = p->chain->S;
  ChainLu plan;
  chain_lu_plan(&plan, p->chain);
  const double work = chain_lu_work(&plan);
  const int first = S <= CHAIN_DENSE || work <= 2.0 * LU_PRODUCTS * (double)p->chain->start[S];
  Status status;
  if (first) {
    status = run_plain(CHAIN_LU, p, info, floor_, ws);
  } else if (chain_order_matters(p->chain)) {
    status = run_ordered(krylov, p, info, floor_, ws);
  } else {
    status = run_plain(CHAIN_BICGSTAB, p, info, floor_, ws);
    if (!arrived(status, info, *floor_)) {
      status = run_plain(CHAIN_GMRES, p, info, floor_, ws);
    }
  }
  if (!arrived(status, info, *floor_) && !first && work <= LU_WORK) {
    status = run_plain(CHAIN_LU, p, info, floor_, ws);
  }
  return arrived(status, info, *floor_) ? status : run_ordered(sweeps, p, info, floor_, ws);
}

static Status solve(ChainMethod method, const Problem *p, ChainInfo *info, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  double floor_ = 0.0;
  Status status;
  *info = (ChainInfo){.method = names[method], .residual = INFINITY};
  if (method == CHAIN_AUTO) {
    status = run_all(p, info, &floor_, ws);
  } else if (method == CHAIN_LU || (method != CHAIN_ITERATION && !chain_order_matters(p->chain))) {
    status = run_plain(method, p, info, &floor_, ws);
  } else {
    status = run_ordered((const ChainMethod[]){method, CHAIN_AUTO}, p, info, &floor_, ws);
  }
  arena_release(ws, mark);
  return status;
}

Status chain_solve_by(ChainMethod method, const Chain *chain, double *x, const double *b,
                      double tolerance, ChainInfo *info, Arena *ws) {
  const Problem problem = {chain, KRYLOV_SUP, tolerance, x, b};
  return solve(method, &problem, info, ws);
}

Status chain_solve_transposed_by(ChainMethod method, const Chain *chain, double *x, const double *b,
                                 double tolerance, ChainInfo *info, Arena *ws) {
  Chain transposed;
  const Problem problem = {&transposed, KRYLOV_ONE, tolerance, x, b};
  const ArenaMark mark = arena_mark(ws);
  Status status = chain_transpose(&transposed, chain, ws);
  if (status == OK) {
    status = solve(method, &problem, info, ws);
  }
  arena_release(ws, mark);
  return status;
}

Status chain_solve(const Chain *chain, double *x, const double *b, double tolerance,
                   ChainInfo *info, Arena *ws) {
  return chain_solve_by(CHAIN_AUTO, chain, x, b, tolerance, info, ws);
}

Status chain_solve_transposed(const Chain *chain, double *x, const double *b, double tolerance,
                              ChainInfo *info, Arena *ws) {
  return chain_solve_transposed_by(CHAIN_AUTO, chain, x, b, tolerance, info, ws);
}
