#include "mdp/evaluate.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "base/sum.h"
#include "mdp/classes.h"
#include "mdp/quotient.h"
#include "mdp/refine.h"
#include "mdp/variance.h"

/* rounds of refinement, each of which gains about six digits */
enum { MOST_ROUNDS = 12 };
static const double INNER = 1e-6;

typedef struct Work {
  const Mdp *mdp;
  const double *pi;
  const EvaluateOptions *options;
  Evaluation *e;
  Chain chain;
  unsigned char *kind; /* [S] ClassesKind of the states, with gamma = 1; else NULL */
  double *residual;    /* [S] */
  double inverse;      /* at least ||(I - gamma P_pi)^-1|| */
  double slip;         /* relative error of the entries of the chain, by rounding: at most this */
  Arena *ws;
} Work;

/* --- preparations ---------------------------------------------------------------------------------------------------- */

/* most terms of a row of the chain, and of a probability in it */
static double rounding_of_rows(const Work *w) {
  int64_t longest = 0;
  for (ptrdiff_t s = 0; s < w->mdp->S; s++) {
    const int64_t n = w->chain.start[s + 1] - w->chain.start[s];
    longest = n > longest ? n : longest;
  }
  return ((double)longest + (double)w->mdp->A + 8.0) * 0.5 * DBL_EPSILON;
}

/* the states in which the policy can end the episode */
static void find_ends(unsigned char *ends, const Work *w) {
  const Mdp *m = w->mdp;
  for (ptrdiff_t s = 0; s < m->S; s++) {
    ends[s] = 0;
    for (int64_t k = m->first[s]; k < m->first[s + 1]; k++) {
      if (w->pi[s * m->A + m->action[k]] > 0.0 && quotient_row_ends(m, (ptrdiff_t)k)) {
        ends[s] = 1;
      }
    }
  }
}

/* with gamma = 1: states that count as ended, or have no finite value, leave the system */
static Status drop_classes(Work *w) {
  unsigned char *kind = ARENA_PUSH(w->ws, unsigned char, w->mdp->S);
  unsigned char *ends = ARENA_PUSH(w->ws, unsigned char, w->mdp->S);
  if (kind == NULL || ends == NULL) {
    return E_NOMEM;
  }
  find_ends(ends, w);
  const Status status = classes_find(kind, &w->e->state, &w->chain, ends, w->mdp->rho0, w->ws);
  if (status != OK) {
    return status;
  }
  chain_drop(&w->chain, kind);
  for (ptrdiff_t s = 0; s < w->mdp->S; s++) {
    w->e->v[s] = kind[s] != CLASSES_TRANSIENT ? 0.0 : w->e->v[s];
  }
  w->kind = kind;
  return OK;
}

/* max w / c with (I - gamma P) w >= c; infinite when c > 0 cannot be shown */
static Status time_to_end(Work *w) {
  const ptrdiff_t S = w->mdp->S;
  const ArenaMark mark = arena_mark(w->ws);
  double *one = ARENA_PUSH(w->ws, double, S), *time = ARENA_PUSH(w->ws, double, S);
  double *image = ARENA_PUSH(w->ws, double, S);
  ChainInfo info;
  Status status = one != NULL && time != NULL && image != NULL ? OK : E_NOMEM;
  if (status == OK) {
    for (ptrdiff_t s = 0; s < S; s++) {
      one[s] = time[s] = 1.0;
    }
    status = chain_solve(&w->chain, time, one, 1e-3, &info, w->ws);
  }
  if (status >= 0) {
    double least = INFINITY, longest = 0.0;
    chain_apply(&w->chain, image, time);
    for (ptrdiff_t s = 0; s < S; s++) {
      least = fmin(least, image[s]);
      longest = fmax(longest, fabs(time[s]));
    }
    least -= 4.0 * w->slip * longest;
    w->inverse = least > 0.0 ? longest / least * (1.0 + 1e-12) : INFINITY;
  }
  arena_release(w->ws, mark);
  return status == E_NOMEM ? status : OK;
}

static Status find_inverse(Work *w) {
  w->slip = rounding_of_rows(w);
  const double left = 1.0 - w->chain.gamma * w->chain.row_sum * (1.0 + w->slip);
  if (w->kind != NULL || !(left > 4.0 * w->slip)) {
    return time_to_end(w);
  }
  w->inverse = 1.0 / (left - 4.0 * w->slip);
  return OK;
}

/* --- values ---------------------------------------------------------------------------------------------------------- */

static double largest(const double *x, ptrdiff_t n) {
  double most = 0.0;
  for (ptrdiff_t i = 0; i < n; i++) {
    most = fmax(most, fabs(x[i]));
  }
  return most;
}

/* the residual of the pair, and what it bounds */
static Status bound_pair(Work *w, const double *lo, double *bound) {
  RefineBound found;
  const RefinePass pass = {
      .v = w->e->v, .lo = lo, .pi = w->pi, .skip = w->kind, .residual = w->residual};
  const Status status = refine_pass(w->mdp, &pass, &found, w->ws);
  if (status == OK) {
    const double residual = found.residual + found.rounding;
    *bound = residual == 0.0 ? 0.0 : residual * w->inverse * (1.0 + 1e-12);
    return isnan(residual) ? E_NOT_FINITE : OK;
  }
  return status;
}

static Status solve_values(Work *w) {
  const double tolerance = w->options->tolerance > 0.0 && isfinite(w->inverse)
                               ? 0.25 * w->options->tolerance / w->inverse
                               : 0.0;
  ChainInfo info;
  const Status status = chain_solve_by(w->options->method, &w->chain, w->e->v, w->chain.reward,
                                       tolerance, &info, w->ws);
  w->e->method = info.method;
  w->e->iterations = info.iterations;
  return status;
}

/* corrects the pair until its bound is small enough, or grows no smaller */
static Status refine(Work *w, double wanted) {
  const ptrdiff_t S = w->mdp->S;
  Evaluation *e = w->e;
  double *d = ARENA_PUSH(w->ws, double, S), *old = ARENA_PUSH(w->ws, double, 2 * S);
  if (d == NULL || old == NULL) {
    return E_NOMEM;
  }
  while (e->bound > wanted && e->rounds < MOST_ROUNDS) {
    const double before = e->bound;
    ChainInfo info;
    memcpy(old, e->v, (size_t)S * sizeof *old);
    memcpy(old + S, e->lo, (size_t)S * sizeof *old);
    memset(d, 0, (size_t)S * sizeof *d);
    Status status = chain_solve(&w->chain, d, w->residual, INNER * largest(w->residual, S), &info,
                                w->ws);
    if (status < 0) {
      return status;
    }
    refine_add(e->v, e->lo, d, S);
    status = bound_pair(w, e->lo, &e->bound);
    if (status < 0) {
      return status;
    }
    e->rounds++;
    if (!(e->bound < 0.5 * before)) {
      /* no headway: the pair before is as good, and its residual need not be kept */
      memcpy(e->v, old, (size_t)S * sizeof *old);
      memcpy(e->lo, old + S, (size_t)S * sizeof *old);
      e->bound = before;
      break;
    }
  }
  return OK;
}

/* what certify or tolerance ask for, and whether it was reached */
static Status certify(Work *w) {
  const EvaluateOptions *o = w->options;
  Evaluation *e = w->e;
  double wanted = o->tolerance > 0.0 ? o->tolerance : INFINITY;
  Status status = OK;
  if (o->certify > 0.0) {
    wanted = o->relative ? o->certify * largest(e->v, w->mdp->S) : o->certify;
    const ArenaMark mark = arena_mark(w->ws);
    status = isfinite(e->bound) ? refine(w, wanted) : OK;
    arena_release(w->ws, mark);
  }
  e->bound_rounded = (e->bound + largest(e->lo, w->mdp->S)) * (1.0 + DBL_EPSILON);
  if (status == OK && e->bound > wanted) {
    e->attainable = e->bound;
    return E_TOLERANCE;
  }
  return status;
}

/* --- the rest ---------------------------------------------------------------------------------------------------------- */

static void write_infinite(Work *w) {
  for (ptrdiff_t s = 0; w->kind != NULL && s < w->mdp->S; s++) {
    if (w->kind[s] == CLASSES_PLUS || w->kind[s] == CLASSES_MINUS) {
      w->e->v[s] = w->kind[s] == CLASSES_PLUS ? INFINITY : -INFINITY;
    }
  }
}

static Status write_pairs(Work *w) {
  RefineBound found;
  const RefinePass pass = {
      .v = w->e->v, .lo = w->e->lo, .pi = w->pi, .q = w->e->q, .adv = w->e->adv};
  return w->e->q != NULL || w->e->adv != NULL ? refine_pass(w->mdp, &pass, &found, w->ws) : OK;
}

/* rho, with the 1-norm of its residual over 1 - gamma max row sum */
static Status visit(Work *w) {
  Evaluation *e = w->e;
  const ptrdiff_t S = w->mdp->S;
  ChainInfo info;
  if (e->rho == NULL) {
    return OK;
  }
  memcpy(e->rho, w->mdp->rho0, (size_t)S * sizeof *e->rho);
  const Status status = chain_solve_transposed_by(w->options->method, &w->chain, e->rho,
                                                  w->mdp->rho0, 0.0, &info, w->ws);
  if (status < 0) {
    return status;
  }
  double total = 0.0, clipped = 0.0;
  for (ptrdiff_t s = 0; s < S; s++) {
    clipped += e->rho[s] < 0.0 ? -e->rho[s] : 0.0;
    e->rho[s] = e->rho[s] > 0.0 ? e->rho[s] : 0.0;
    total += e->rho[s];
  }
  const double rounding = (2.0 * w->slip + (double)S * DBL_EPSILON * DBL_EPSILON)
                          * (2.0 * total + 1.0);
  /* the transposed inverse has in the 1-norm what the inverse has in the sup norm */
  e->rho_bound = (info.residual + rounding) * w->inverse * (1.0 + 1e-12) + clipped;
  e->eta_rho = sum_dot(e->rho, w->chain.reward, (size_t)S);
  return status;
}

static Status finish(Work *w) {
  Evaluation *e = w->e;
  write_infinite(w);
  e->eta = refine_dot(w->mdp->rho0, e->v, e->lo, w->mdp->S);
  Status status = write_pairs(w);
  if (status >= 0) {
    status = visit(w);
  }
  if (status >= 0 && e->variance != NULL) {
    status = variance_solve(w->mdp, w->pi, &w->chain, w->kind, e->v, e->variance, &e->state, w->ws);
  }
  return status;
}

static Status evaluate(Work *w) {
  const ptrdiff_t S = w->mdp->S;
  Evaluation *e = w->e;
  w->residual = ARENA_PUSH(w->ws, double, S);
  Status status = w->residual != NULL ? chain_init(&w->chain, w->mdp, w->pi, w->ws) : E_NOMEM;
  memset(e->lo, 0, (size_t)S * sizeof *e->lo);
  if (status == OK && w->mdp->gamma == 1.0) {
    status = drop_classes(w);
  }
  if (status == OK) {
    status = find_inverse(w);
  }
  if (status != OK) {
    return status;
  }
  const Status solved = solve_values(w);
  if (solved < 0) {
    return solved;
  }
  status = bound_pair(w, NULL, &e->bound);
  if (status == OK) {
    status = certify(w);
  }
  if (status == OK) {
    status = finish(w);
  }
  return status < 0 ? status : !isfinite(e->bound) ? UNCERTIFIED : OK;
}

Status evaluate_policy(const Mdp *mdp, const double *pi, const EvaluateOptions *options,
                       Evaluation *e, Arena *ws) {
  Work w = {.mdp = mdp, .pi = pi, .options = options, .e = e, .ws = ws};
  const ArenaMark mark = arena_mark(ws);
  e->eta = e->eta_rho = e->bound = e->bound_rounded = e->rho_bound = e->attainable = 0.0;
  e->method = "none";
  e->iterations = e->rounds = 0;
  e->state = -1;
  const Status status = evaluate(&w);
  chain_free(&w.chain);
  arena_release(ws, mark);
  return status;
}
