#include "mdp/variance.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "mdp/classes.h"

typedef struct Task {
  const Mdp *mdp;
  const double *pi, *v;
  double *u; /* [S] variance of one step */
} Task;

/* sum_o p_o (r_o + gamma (1 - done_o) V(s'_o) - mean)^2 of row k */
static double row_variance(const Task *task, int64_t k, double mean) {
  const Mdp *m = task->mdp;
  const MdpOutcomes *o = &m->outcomes;
  double sum = 0.0;
  if (o->start == NULL) {
    for (int64_t j = m->start[k]; j < m->start[k + 1]; j++) {
      const double d = m->reward[k] + m->gamma * task->v[m->next[j]] - mean;
      sum += m->prob[j] * d * d;
    }
    return sum;
  }
  for (int64_t j = o->start[k]; j < o->start[k + 1]; j++) {
    const double next = o->done[j] ? 0.0 : m->gamma * task->v[o->next[j]];
    const double d = o->reward[j] + next - mean;
    sum += o->prob[j] > 0.0 ? o->prob[j] * d * d : 0.0;
  }
  return sum;
}

static void variance_chunk(void *context, int chunk, int worker) {
  const Task *task = context;
  const Mdp *m = task->mdp;
  (void)worker;
  for (ptrdiff_t s = mdp_chunk_begin(m->S, chunk); s < mdp_chunk_begin(m->S, chunk + 1); s++) {
    double sum = 0.0;
    for (int64_t k = m->first[s]; k < m->first[s + 1]; k++) {
      const double w = task->pi[s * m->A + m->action[k]];
      sum += w > 0.0 ? w * row_variance(task, k, task->v[s]) : 0.0;
    }
    task->u[s] = sum;
  }
}

/* states outside of the system; E_IMPROPER when one of them has a variance of its own */
static Status drop(double *u, const unsigned char *kind, ptrdiff_t S, ptrdiff_t *state) {
  for (ptrdiff_t s = 0; kind != NULL && s < S; s++) {
    if (kind[s] == CLASSES_ENDED && u[s] > 0.0) {
      *state = s;
      return E_IMPROPER;
    }
    u[s] = kind[s] != CLASSES_TRANSIENT ? 0.0 : u[s];
  }
  return OK;
}

Status variance_solve(const Mdp *mdp, const double *pi, const Chain *chain,
                      const unsigned char *kind, const double *v, double *variance,
                      ptrdiff_t *state, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  Task task = {mdp, pi, v, ARENA_PUSH(ws, double, mdp->S)};
  Chain squared = *chain; /* the same arrays with another discount */
  ChainInfo info;
  Status status = task.u != NULL ? OK : E_NOMEM;
  squared.gamma = chain->gamma * chain->gamma;
  if (status == OK) {
    pool_run(variance_chunk, &task, mdp_chunks(mdp->S));
    status = drop(task.u, kind, mdp->S, state);
  }
  if (status == OK) {
    memcpy(variance, task.u, (size_t)mdp->S * sizeof *variance);
    status = chain_solve(&squared, variance, task.u, 0.0, &info, ws);
  }
  for (ptrdiff_t s = 0; status >= 0 && s < mdp->S; s++) {
    variance[s] = variance[s] > 0.0 ? variance[s] : 0.0; /* rounding alone makes it negative */
    if (kind != NULL && kind[s] > CLASSES_ENDED) {
      variance[s] = NAN;
    }
  }
  arena_release(ws, mark);
  return status;
}
