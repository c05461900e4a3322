#include "mdp/elimination.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"

/* the share of outcomes that must remain at most for a copy to pay */
static const double WORTH = 0.7;

typedef struct Marking {
  const Mdp *mdp;
  const double *v;
  const int64_t *choice;
  double margin;
  unsigned char *lives; /* [rows] */
} Marking;

static void mark_chunk(void *context, int chunk, int worker) {
  const Marking *job = context;
  const Mdp *mdp = job->mdp;
  const ptrdiff_t begin = mdp_chunk_begin(mdp->S, chunk), end = mdp_chunk_begin(mdp->S, chunk + 1);
  (void)worker;
  for (ptrdiff_t s = begin; s < end; s++) {
    double best = -INFINITY;
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      best = fmax(best, mdp->reward[k] + mdp->gamma * mdp_row_dot(mdp, k, job->v));
    }
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      const double q = mdp->reward[k] + mdp->gamma * mdp_row_dot(mdp, k, job->v);
      job->lives[k] = q >= best - job->margin || k == job->choice[s];
    }
  }
}

static void append_row(Mdp *to, ptrdiff_t at, const Mdp *from, ptrdiff_t k) {
  const int64_t count = from->start[k + 1] - from->start[k];
  to->action[at] = from->action[k];
  to->reward[at] = from->reward[k];
  to->start[at + 1] = to->start[at] + count;
  memcpy(to->next + to->start[at], from->next + from->start[k], (size_t)count * sizeof *to->next);
  memcpy(to->prob + to->start[at], from->prob + from->start[k], (size_t)count * sizeof *to->prob);
}

/* the rows that live, into storage of the right size */
static void copy_living(Mdp *to, int64_t *kept, int64_t *choice, const Mdp *from,
                        const unsigned char *lives) {
  ptrdiff_t at = 0;
  to->gamma = from->gamma;
  to->row_sum = from->row_sum;
  memcpy(to->rho0, from->rho0, (size_t)from->S * sizeof *to->rho0);
  to->start[0] = 0;
  for (ptrdiff_t s = 0; s < from->S; s++) {
    int64_t chosen = -1;
    to->first[s] = at;
    for (int64_t k = from->first[s]; k < from->first[s + 1]; k++) {
      if (lives[k]) {
        append_row(to, at, from, k);
        chosen = k == choice[s] ? at : chosen;
        kept[at++] = k;
      }
    }
    choice[s] = chosen;
  }
  to->first[from->S] = at;
}

Status elimination_reduce(Mdp *reduced, int64_t *kept, int64_t *choice, const Mdp *mdp,
                          const double *v, double margin, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  Marking job = {mdp, v, choice, margin, ARENA_PUSH(ws, unsigned char, mdp->rows)};
  Status status = job.lives != NULL ? OK : E_NOMEM;
  if (status == OK) {
    ptrdiff_t rows = 0, count = 0;
    pool_run(mark_chunk, &job, mdp_chunks(mdp->S));
    for (ptrdiff_t k = 0; k < mdp->rows; k++) {
      rows += job.lives[k];
      count += job.lives[k] ? (ptrdiff_t)(mdp->start[k + 1] - mdp->start[k]) : 0;
    }
    if ((double)(rows + count) <= WORTH * (double)(mdp->rows + mdp->start[mdp->rows])) {
      status = mdp_init(reduced, mdp->S, mdp->A, rows, count, 0);
      if (status == OK) {
        copy_living(reduced, kept, choice, mdp, job.lives);
      }
    }
  }
  arena_release(ws, mark);
  return status;
}
