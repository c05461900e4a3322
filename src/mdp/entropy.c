#include "mdp/entropy.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "mdp/bellman.h"
#include "mdp/chain.h"

/* --- the soft operator ------------------------------------------------------------------------------------------------ */

typedef struct Extremes {
  double low, high, size;
  int bad;
  char padding[36];
} Extremes;

typedef struct Pass {
  const Mdp *mdp;
  double temperature;
  double *out; /* [S] T v, or NULL */
  double *pi;  /* [S, A] or NULL */
  const double *v;
  Extremes seen[POOL_LIMIT];
} Pass;

static double row_value(const Mdp *mdp, int64_t k, const double *v) {
  return mdp->reward[k] + mdp->gamma * mdp_row_dot(mdp, k, v);
}

/* tau log sum exp(q / tau) over the rows of s, from the largest q so that nothing overflows */
static double soft_value(const Pass *pass, ptrdiff_t s, double *best) {
  const Mdp *mdp = pass->mdp;
  double sum = 1.0;
  *best = row_value(mdp, mdp->first[s], pass->v);
  for (int64_t k = mdp->first[s] + 1; k < mdp->first[s + 1]; k++) {
    const double q = row_value(mdp, k, pass->v);
    if (q > *best) {
      sum = sum * exp((*best - q) / pass->temperature) + 1.0;
      *best = q;
    } else {
      sum += exp((q - *best) / pass->temperature);
    }
  }
  return *best + pass->temperature * log(sum);
}

static void write_policy(const Pass *pass, ptrdiff_t s, double value) {
  const Mdp *mdp = pass->mdp;
  double *pi = pass->pi + s * mdp->A, sum = 0.0;
  memset(pi, 0, (size_t)mdp->A * sizeof *pi);
  for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
    const double p = exp((row_value(mdp, k, pass->v) - value) / pass->temperature);
    pi[mdp->action[k]] = p;
    sum += p;
  }
  for (ptrdiff_t a = 0; a < mdp->A; a++) {
    pi[a] /= sum;
  }
}

static void pass_chunk(void *context, int chunk, int worker) {
  Pass *pass = context;
  Extremes *seen = &pass->seen[worker];
  const ptrdiff_t S = pass->mdp->S;
  for (ptrdiff_t s = mdp_chunk_begin(S, chunk); s < mdp_chunk_begin(S, chunk + 1); s++) {
    double best;
    const double value = soft_value(pass, s, &best), d = value - pass->v[s];
    if (pass->pi != NULL) {
      write_policy(pass, s, best);
    }
    if (pass->out != NULL) {
      pass->out[s] = value;
    }
    seen->bad |= !(fabs(d) <= DBL_MAX);
    seen->low = fmin(seen->low, d);
    seen->high = fmax(seen->high, d);
    seen->size = fmax(seen->size, fabs(value));
  }
}

/* out = T v and the soft policy, each unless NULL; low and high of T v - v, NaN when something was not finite */
static Extremes soft_pass(const Mdp *mdp, double temperature, double *out, double *pi,
                          const double *v) {
  Pass pass = {.mdp = mdp, .temperature = temperature, .out = out, .pi = pi, .v = v};
  Extremes all = {.low = INFINITY, .high = -INFINITY};
  for (int i = 0; i < POOL_LIMIT; i++) {
    pass.seen[i] = all;
  }
  pool_run(pass_chunk, &pass, mdp_chunks(mdp->S));
  for (int i = 0; i < POOL_LIMIT; i++) {
    all.low = fmin(all.low, pass.seen[i].low);
    all.high = fmax(all.high, pass.seen[i].high);
    all.size = fmax(all.size, pass.seen[i].size);
    all.bad |= pass.seen[i].bad;
  }
  if (all.bad) {
    all.low = all.high = NAN;
  }
  return all;
}

void entropy_policy(const Mdp *mdp, double temperature, double *pi, const double *v) {
  soft_pass(mdp, temperature, NULL, pi, v);
}

/* --- solving ----------------------------------------------------------------------------------------------------------- */

typedef struct Soft {
  const Mdp *mdp;
  double temperature;
  BellmanShape shape;
  double *v, *next; /* [S] */
  double *pi;       /* [S, A] */
  double rounding;  /* bound of the error of one pass */
  double below, above;
} Soft;

/* next = T v with the certified bounds of V* - v */
static Status look(Soft *soft, double *pi) {
  const Mdp *mdp = soft->mdp;
  const Extremes seen = soft_pass(mdp, soft->temperature, soft->next, pi, soft->v);
  if (isnan(seen.low)) {
    return E_NOT_FINITE;
  }
  /* of the products; of exp and log (an ulp each), of sums over actions; of the differences */
  const double spread = fmax(fabs(seen.low), fabs(seen.high));
  const double size = soft->shape.reward + 2 * (seen.size + spread)
                      + soft->temperature * (2.0 + log((double)mdp->A));
  soft->rounding = ((double)soft->shape.longest + (double)mdp->A + 16) * DBL_EPSILON * size;
  bellman_bounds(mdp->gamma, &soft->shape, seen.low - soft->rounding, seen.high + soft->rounding,
                 &soft->below, &soft->above);
  return OK;
}

/* v += d, (I - gamma P_pi) d = T v - v */
static Status newton(Soft *soft, IterationInfo *info, Arena *ws) {
  Chain chain = {0};
  ChainInfo solved;
  const ArenaMark mark = arena_mark(ws);
  double *d = ARENA_PUSH(ws, double, soft->mdp->S), largest = 0.0;
  Status status = d != NULL ? chain_init(&chain, soft->mdp, soft->pi, ws) : E_NOMEM;
  if (status == OK) {
    for (ptrdiff_t s = 0; s < soft->mdp->S; s++) {
      soft->next[s] -= soft->v[s];
      largest = fmax(largest, fabs(soft->next[s]));
      d[s] = 0.0;
    }
    status = chain_solve(&chain, d, soft->next, 1e-3 * largest, &solved, ws);
  }
  if (status >= 0) {
    for (ptrdiff_t s = 0; s < soft->mdp->S; s++) {
      soft->v[s] += d[s];
    }
    info->sweeps += solved.iterations;
    status = OK;
  }
  chain_free(&chain);
  arena_release(ws, mark);
  return status;
}

/* sweeps before the first linear system, and between two of them */
enum { SWEEPS = 12 };

static Status iterate(Soft *soft, const IterationOptions *options, IterationInfo *info, Arena *ws) {
  double best = INFINITY;
  int idle = 0;
  for (int k = 1;; k++) {
    const int solve = k % SWEEPS == 0;
    Status status = look(soft, solve ? soft->pi : NULL);
    if (status != OK) {
      return status;
    }
    info->iterations++;
    info->sweeps += 1.0;
    info->bound = fmax(-soft->below, soft->above) * (1.0 + 4 * DBL_EPSILON);
    idle = info->bound < 0.5 * best ? 0 : idle + 1;
    best = fmin(best, info->bound);
    if (info->bound <= options->tolerance) {
      return OK;
    }
    if (options->iterations > 0 && info->iterations >= options->iterations) {
      return LIMIT;
    }
    if (idle > 8 * SWEEPS
        && soft->rounding
               > 0.01 * fabs(info->bound) * (1.0 - soft->mdp->gamma * soft->shape.mass_high)) {
      return E_TOLERANCE;
    }
    if (solve) {
      status = newton(soft, info, ws);
      if (status != OK) {
        return status;
      }
      continue;
    }
    /* T v, and off with an error that all states surely share */
    double *v = soft->next;
    soft->next = soft->v;
    soft->v = v;
    const int uniform = soft->shape.mass_low >= 1.0 - MDP_SUM_TOLERANCE;
    const double shared = soft->mdp->gamma
                          * (soft->below > 0.0   ? soft->below
                             : soft->above < 0.0 ? soft->above
                                                 : 0.0);
    for (ptrdiff_t s = 0; uniform && shared != 0.0 && isfinite(shared) && s < soft->mdp->S; s++) {
      v[s] += shared;
    }
  }
}

Status entropy_solve(const IterationOptions *options, double temperature, const Mdp *mdp, double *v,
                     IterationInfo *info, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const size_t bytes = (size_t)mdp->S * sizeof *v;
  Soft soft = {.mdp = mdp,
               .temperature = temperature,
               .v = ARENA_PUSH(ws, double, mdp->S),
               .next = ARENA_PUSH(ws, double, mdp->S),
               .pi = ARENA_PUSH(ws, double, mdp->S * mdp->A)};
  Status status = soft.v && soft.next && soft.pi ? OK : E_NOMEM;
  *info = (IterationInfo){.method = "entropy", .bound = INFINITY, .state = -1};
  if (status == OK) {
    bellman_shape(mdp, &soft.shape);
    if (options->v0 != NULL) {
      memcpy(soft.v, options->v0, bytes);
    } else {
      memset(soft.v, 0, bytes);
    }
    status = mdp->gamma * soft.shape.mass_high < 1.0 - 64 * DBL_EPSILON
                 ? iterate(&soft, options, info, ws)
                 : E_TOLERANCE;
  }
  if (status == OK || status == LIMIT) {
    memcpy(v, soft.v, bytes);
    info->bound_rounded = info->bound;
  }
  arena_release(ws, mark);
  return status;
}
