#include "mdp/torus.h"

#include "base/pool.h"
#include "base/rng.h"

enum { LEFT, DOWN, RIGHT, UP, ACTIONS };

/* one of the generators that share a seed; part of the frozen layout */
enum { STEP = 2 };

typedef struct Making {
  const Torus *torus;
  const Mdp *mdp;
} Making;

/* the cells around s */
static void neighbours(ptrdiff_t side, ptrdiff_t s, int32_t around[ACTIONS]) {
  const ptrdiff_t row = s / side, column = s % side;
  around[LEFT] = (int32_t)(row * side + (column + side - 1) % side);
  around[DOWN] = (int32_t)((row + 1) % side * side + column);
  around[RIGHT] = (int32_t)(row * side + (column + 1) % side);
  around[UP] = (int32_t)((row + side - 1) % side * side + column);
}

/* directions in the order of their cells, as rows want their next states */
static void order(const int32_t around[ACTIONS], int sorted[ACTIONS]) {
  for (int d = 0; d < ACTIONS; d++) {
    int i = d;
    for (; i > 0 && around[sorted[i - 1]] > around[d]; i--) {
      sorted[i] = sorted[i - 1];
    }
    sorted[i] = d;
  }
}

static void make_state(const Torus *t, const Mdp *mdp, ptrdiff_t s) {
  const ptrdiff_t reached = t->noise > 0.0 ? ACTIONS : 1;
  Rng rng = rng_at(rng_key(t->seed, 0), RNG_INIT, (uint32_t)s, STEP);
  int32_t around[ACTIONS];
  int sorted[ACTIONS] = {0};
  neighbours(t->side, s, around);
  order(around, sorted);
  mdp->rho0[s] = 1.0 / (double)mdp->S;
  mdp->first[s + 1] = (s + 1) * ACTIONS;
  for (ptrdiff_t a = 0, k = s * ACTIONS; a < ACTIONS; a++, k++) {
    mdp->action[k] = (int32_t)a;
    mdp->reward[k] = rng_uniform(&rng);
    mdp->start[k + 1] = (k + 1) * reached;
    for (ptrdiff_t i = 0, j = k * reached; i < reached; i++, j++) {
      const ptrdiff_t d = reached == 1 ? a : sorted[i];
      mdp->next[j] = around[d];
      mdp->prob[j] = d == a ? 1.0 - 0.75 * t->noise : 0.25 * t->noise;
    }
  }
}

static void make_chunk(void *context, int chunk, int worker) {
  const Making *m = context;
  const ptrdiff_t end = mdp_chunk_begin(m->mdp->S, chunk + 1);
  (void)worker;
  for (ptrdiff_t s = mdp_chunk_begin(m->mdp->S, chunk); s < end; s++) {
    make_state(m->torus, m->mdp, s);
  }
}

Status torus_make(Mdp *mdp, const Torus *torus) {
  const ptrdiff_t S = torus->side * torus->side, rows = S * ACTIONS;
  const ptrdiff_t reached = torus->noise > 0.0 ? ACTIONS : 1;
  Mdp made;
  const Status status = mdp_init(&made, S, ACTIONS, rows, rows * reached, 0);
  if (status != OK) {
    return status;
  }
  pool_run(make_chunk, &(Making){torus, &made}, mdp_chunks(S));
  made.gamma = torus->gamma;
  mdp_settle(&made);
  *mdp = made;
  return OK;
}
