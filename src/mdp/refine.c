#include "mdp/refine.h"

#include <float.h>
#include <math.h>

#include "base/pool.h"

/* an unevaluated sum */
typedef struct Wide {
  double hi, lo;
} Wide;

/* a + b without error */
static inline Wide two_sum(double a, double b) {
  const double sum = a + b, part = sum - a;
  return (Wide){sum, (a - (sum - part)) + (b - part)};
}

/* a + b, b a number whose own error is lo */
static inline Wide add(Wide a, double b, double lo) {
  Wide sum = two_sum(a.hi, b);
  sum.lo += a.lo + lo;
  return sum;
}

/* a + x y, where y comes with an error of its own */
static inline Wide add_product(Wide a, double x, double y, double y_lo) {
  const double p = x * y;
  return add(a, p, fma(x, y, -p) + x * y_lo);
}

static inline double low_part(const double *lo, ptrdiff_t s) {
  return lo != NULL ? lo[s] : 0.0;
}

/* R + gamma sum P (v + lo) of a row */
static Wide row_value(const Mdp *m, const RefinePass *pass, int64_t k) {
  Wide sum = {0.0, 0.0};
  if (pass->lo != NULL) {
    for (int64_t j = m->start[k]; j < m->start[k + 1]; j++) {
      sum = add_product(sum, m->prob[j], pass->v[m->next[j]], pass->lo[m->next[j]]);
    }
  } else {
    for (int64_t j = m->start[k]; j < m->start[k + 1]; j++) {
      sum = add_product(sum, m->prob[j], pass->v[m->next[j]], 0.0);
    }
  }
  return add_product((Wide){m->reward[k], 0.0}, m->gamma, sum.hi, sum.lo);
}

/* the same with infinite values, by plain arithmetic */
static double plain_value(const Mdp *m, const RefinePass *pass, int64_t k) {
  return m->reward[k] + (m->gamma > 0.0 ? m->gamma * mdp_row_dot(m, k, pass->v) : 0.0);
}

/* --- one state ------------------------------------------------------------------------------------------------------ */

/* what a chunk finds */
typedef struct Found {
  double residual, value, reward; /* largest sizes */
  int64_t entries;                /* most terms of a state's sum */
} Found;

typedef struct Task {
  const Mdp *mdp;
  const RefinePass *pass;
  Found *found; /* [chunks] */
} Task;

/* q and adv of row k; returns z */
static Wide write_pair(const Task *task, ptrdiff_t s, int64_t k) {
  const Mdp *m = task->mdp;
  const RefinePass *pass = task->pass;
  const ptrdiff_t pair = s * m->A + m->action[k];
  Wide q = row_value(m, pass, k);
  if (!isfinite(q.hi + q.lo)) {
    q = (Wide){plain_value(m, pass, k), 0.0};
  }
  Wide z = add(q, -pass->v[s], -low_part(pass->lo, s));
  if (!isfinite(z.hi + z.lo)) {
    z = (Wide){q.hi - pass->v[s], 0.0};
  }
  if (pass->q != NULL) {
    pass->q[pair] = q.hi + q.lo;
  }
  if (pass->adv != NULL) {
    pass->adv[pair] = z.hi + z.lo;
  }
  return z;
}

static void clear_pairs(const Task *task, ptrdiff_t s) {
  const ptrdiff_t A = task->mdp->A;
  for (ptrdiff_t a = s * A; a < (s + 1) * A; a++) {
    if (task->pass->q != NULL) {
      task->pass->q[a] = -INFINITY;
    }
    if (task->pass->adv != NULL) {
      task->pass->adv[a] = -INFINITY;
    }
  }
}

/* weight of a row in the residual; 1 when rows are compared instead */
static double weight(const Task *task, ptrdiff_t s, int64_t k) {
  const RefinePass *pass = task->pass;
  if (pass->choice != NULL) {
    return pass->choice[s] == k;
  }
  return pass->pi != NULL ? pass->pi[s * task->mdp->A + task->mdp->action[k]] : 1.0;
}

static double state_residual(const Task *task, ptrdiff_t s, Found *found) {
  const Mdp *m = task->mdp;
  const RefinePass *pass = task->pass;
  const int all = pass->q != NULL || pass->adv != NULL || pass->best != NULL;
  Wide sum = {0.0, 0.0}, total = {-1.0, 0.0}, most = {-INFINITY, 0.0};
  int64_t best = m->first[s], entries = 16 + m->first[s + 1] - m->first[s];
  for (int64_t k = m->first[s]; k < m->first[s + 1]; k++) {
    const double w = weight(task, s, k);
    if (w == 0.0 && !all) {
      continue;
    }
    const Wide z = write_pair(task, s, k);
    if (z.hi + z.lo > most.hi + most.lo) {
      most = z;
      best = k;
    }
    if (w > 0.0) {
      sum = add_product(sum, w, z.hi, z.lo);
      total = add(total, w, 0.0);
      entries += m->start[k + 1] - m->start[k];
      found->reward = fmax(found->reward, fabs(m->reward[k]));
    }
  }
  if (pass->best != NULL) {
    pass->best[s] = best;
  }
  found->entries = entries > found->entries ? entries : found->entries;
  if (pass->pi == NULL && pass->choice == NULL) {
    return most.hi + most.lo;
  }
  sum = add_product(sum, total.hi + total.lo, pass->v[s], low_part(pass->lo, s));
  return sum.hi + sum.lo;
}

static void pass_chunk(void *context, int chunk, int worker) {
  const Task *task = context;
  const RefinePass *pass = task->pass;
  const ptrdiff_t S = task->mdp->S;
  Found found = {0};
  (void)worker;
  for (ptrdiff_t s = mdp_chunk_begin(S, chunk); s < mdp_chunk_begin(S, chunk + 1); s++) {
    if (pass->q != NULL || pass->adv != NULL) {
      clear_pairs(task, s);
    }
    double r = state_residual(task, s, &found);
    if (pass->skip != NULL && pass->skip[s]) {
      r = 0.0;
    } else {
      found.value = fmax(found.value, fabs(pass->v[s]));
    }
    found.residual = fabs(r) <= found.residual ? found.residual : fabs(r); /* keeps a NaN */
    if (pass->residual != NULL) {
      pass->residual[s] = r;
    }
  }
  task->found[chunk] = found;
}

/* --- the pass ------------------------------------------------------------------------------------------------------- */

/*
 * Dot2 of n terms of total size M errs by at most u |result| + (n u)^2 M (Ogita, Rump and Oishi 2005); the sums over
 * successors and over actions follow each other, for which the factor 4 has room. M <= max |R| + 3 max |v|.
 */
static double rounding_of(const Found *f) {
  const double u = 0.5 * DBL_EPSILON, n = (double)f->entries;
  return u * f->residual + 4.0 * (n * u) * (n * u) * (f->reward + 3.0 * f->value) + DBL_MIN;
}

Status refine_pass(const Mdp *mdp, const RefinePass *pass, RefineBound *bound, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const int chunks = mdp_chunks(mdp->S);
  Task task = {mdp, pass, ARENA_PUSH(ws, Found, chunks)};
  if (task.found == NULL) {
    return E_NOMEM;
  }
  pool_run(pass_chunk, &task, chunks);
  Found all = {0};
  for (int i = 0; i < chunks; i++) {
    const Found *f = &task.found[i];
    all.residual = f->residual <= all.residual ? all.residual : f->residual;
    all.value = fmax(all.value, f->value);
    all.reward = fmax(all.reward, f->reward);
    all.entries = f->entries > all.entries ? f->entries : all.entries;
  }
  arena_release(ws, mark);
  *bound = (RefineBound){all.residual, rounding_of(&all)};
  return OK;
}

/* --- pairs ---------------------------------------------------------------------------------------------------------- */

void refine_add(double *v, double *lo, const double *d, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const Wide sum = two_sum(v[i], d[i]);
    const Wide pair = two_sum(sum.hi, lo[i] + sum.lo);
    v[i] = pair.hi;
    lo[i] = pair.lo;
  }
}

double refine_dot(const double *x, const double *v, const double *lo, ptrdiff_t n) {
  Wide sum = {0.0, 0.0};
  double plain = 0.0;
  for (ptrdiff_t i = 0; i < n; i++) {
    if (x[i] != 0.0) {
      sum = add_product(sum, x[i], v[i], low_part(lo, i));
      plain += x[i] * v[i];
    }
  }
  return isfinite(sum.hi + sum.lo) ? sum.hi + sum.lo : plain;
}
