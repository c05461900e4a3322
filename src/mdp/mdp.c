#include "mdp/mdp.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"

/* --- storage ------------------------------------------------------------------------------------------------------- */

/* the next array of the storage, on a cache line of its own; only counts while base is NULL */
static void *carve(unsigned char *base, size_t *at, ptrdiff_t count, size_t size) {
  void *array = base != NULL ? base + *at : NULL;
  *at = (*at + (size_t)count * size + 63) & ~(size_t)63;
  return array;
}

/* places all arrays in base, and returns the bytes they take */
static size_t lay_out(Mdp *m, ptrdiff_t count, ptrdiff_t outcomes, unsigned char *base) {
  size_t at = 0;
  m->first = carve(base, &at, m->S + 1, sizeof *m->first);
  m->action = carve(base, &at, m->rows, sizeof *m->action);
  m->reward = carve(base, &at, m->rows, sizeof *m->reward);
  m->start = carve(base, &at, m->rows + 1, sizeof *m->start);
  m->next = carve(base, &at, count, sizeof *m->next);
  m->prob = carve(base, &at, count, sizeof *m->prob);
  m->rho0 = carve(base, &at, m->S, sizeof *m->rho0);
  if (outcomes > 0) {
    MdpOutcomes *o = &m->outcomes;
    o->start = carve(base, &at, m->rows + 1, sizeof *o->start);
    o->next = carve(base, &at, outcomes, sizeof *o->next);
    o->prob = carve(base, &at, outcomes, sizeof *o->prob);
    o->reward = carve(base, &at, outcomes, sizeof *o->reward);
    o->done = carve(base, &at, outcomes, sizeof *o->done);
  }
  return at;
}

Status mdp_init(Mdp *mdp, ptrdiff_t S, ptrdiff_t A, ptrdiff_t rows, ptrdiff_t count,
                ptrdiff_t outcomes) {
  const ptrdiff_t most = PTRDIFF_MAX / 256;
  if (rows > most || count > most || outcomes > most) {
    return E_NOMEM;
  }
  Mdp made = {.S = S, .A = A, .rows = rows};
  made.storage = buffer_new(lay_out(&made, count, outcomes, NULL));
  if (made.storage == NULL) {
    return E_NOMEM;
  }
  lay_out(&made, count, outcomes, made.storage->data);
  *mdp = made;
  return OK;
}

void mdp_settle(Mdp *mdp) {
  mdp->row_sum = 0.0;
  for (ptrdiff_t k = 0; k < mdp->rows; k++) {
    double sum = 0.0;
    for (int64_t j = mdp->start[k]; j < mdp->start[k + 1]; j++) {
      sum += mdp->prob[j];
    }
    mdp->row_sum = fmax(mdp->row_sum, sum);
  }
}

void mdp_share(Mdp *mdp, const Mdp *source) {
  buffer_retain(source->storage);
  *mdp = *source;
}

void mdp_free(Mdp *mdp) {
  buffer_release(mdp->storage);
  memset(mdp, 0, sizeof *mdp);
}

ptrdiff_t mdp_row(const Mdp *mdp, ptrdiff_t s, ptrdiff_t a) {
  int64_t low = mdp->first[s], high = mdp->first[s + 1];
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (mdp->action[middle] < a) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < mdp->first[s + 1] && mdp->action[low] == a ? (ptrdiff_t)low : -1;
}

/* --- policies ------------------------------------------------------------------------------------------------------ */

/* the first thing that is wrong with pi(. | s) [A], or OK */
static Status check_state(const Mdp *mdp, const double *pi, ptrdiff_t s, MdpFault *fault) {
  double sum = 0.0;
  int64_t k = mdp->first[s];
  for (ptrdiff_t a = 0; a < mdp->A; a++) {
    const int exists = k < mdp->first[s + 1] && mdp->action[k] == a;
    k += exists;
    if (!(pi[a] >= 0.0 && pi[a] <= 1.0 + MDP_SUM_TOLERANCE) || (!exists && pi[a] != 0.0)) {
      *fault = (MdpFault){s, a, pi[a]};
      return E_NOT_STOCHASTIC;
    }
    sum += pi[a];
  }
  if (fabs(sum - 1.0) > MDP_SUM_TOLERANCE) {
    *fault = (MdpFault){s, -1, sum};
    return E_NOT_STOCHASTIC;
  }
  return OK;
}

Status mdp_check_policy(const Mdp *mdp, const double *pi, MdpFault *fault) {
  Status status = OK;
  for (ptrdiff_t s = 0; status == OK && s < mdp->S; s++) {
    status = check_state(mdp, pi + s * mdp->A, s, fault);
  }
  return status;
}

/* one policy is made of another matrix, state by state */
typedef struct Making {
  const Mdp *mdp;
  double *pi;
  const double *from; /* [S, A], or NULL */
  void (*state)(const Mdp *mdp, ptrdiff_t s, double *pi, const double *from);
} Making;

static void make_chunk(void *context, int chunk, int worker) {
  const Making *m = context;
  const ptrdiff_t A = m->mdp->A, end = mdp_chunk_begin(m->mdp->S, chunk + 1);
  (void)worker;
  for (ptrdiff_t s = mdp_chunk_begin(m->mdp->S, chunk); s < end; s++) {
    memset(m->pi + s * A, 0, (size_t)A * sizeof *m->pi);
    m->state(m->mdp, s, m->pi + s * A, m->from != NULL ? m->from + s * A : NULL);
  }
}

static void uniform_state(const Mdp *mdp, ptrdiff_t s, double *pi, const double *from) {
  const int64_t first = mdp->first[s], end = mdp->first[s + 1];
  (void)from;
  for (int64_t k = first; k < end; k++) {
    pi[mdp->action[k]] = 1.0 / (double)(end - first);
  }
}

static void softmax_state(const Mdp *mdp, ptrdiff_t s, double *pi, const double *logits) {
  const int64_t first = mdp->first[s], end = mdp->first[s + 1];
  double most = -INFINITY, sum = 0.0;
  for (int64_t k = first; k < end; k++) {
    most = fmax(most, logits[mdp->action[k]]);
  }
  for (int64_t k = first; k < end; k++) {
    sum += pi[mdp->action[k]] = exp(logits[mdp->action[k]] - most);
  }
  for (int64_t k = first; k < end; k++) {
    pi[mdp->action[k]] /= sum;
  }
}

static void greedy_state(const Mdp *mdp, ptrdiff_t s, double *pi, const double *value) {
  int32_t best = mdp->action[mdp->first[s]];
  for (int64_t k = mdp->first[s] + 1; k < mdp->first[s + 1]; k++) {
    best = value[mdp->action[k]] > value[best] ? mdp->action[k] : best;
  }
  pi[best] = 1.0;
}

void mdp_uniform_policy(const Mdp *mdp, double *pi) {
  pool_run(make_chunk, &(Making){mdp, pi, NULL, uniform_state}, mdp_chunks(mdp->S));
}

void mdp_softmax_policy(const Mdp *mdp, double *pi, const double *logits) {
  pool_run(make_chunk, &(Making){mdp, pi, logits, softmax_state}, mdp_chunks(mdp->S));
}

void mdp_greedy_policy(const Mdp *mdp, double *pi, const double *value) {
  pool_run(make_chunk, &(Making){mdp, pi, value, greedy_state}, mdp_chunks(mdp->S));
}
