#include "mdp/blocks.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* --- one state ------------------------------------------------------------------------------------------------------ */

/* the best value of a state that has only itself to come back to: every row's loop is a geometric series */
static void solve_state(Control *control, ptrdiff_t s) {
  const Mdp *mdp = control->mdp;
  double best = -INFINITY;
  for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
    double sum = 0.0, loop = 0.0;
    for (int64_t j = mdp->start[k]; j < mdp->start[k + 1]; j++) {
      if (mdp->next[j] == s) {
        loop = mdp->prob[j];
      } else {
        sum += mdp->prob[j] * control->v[mdp->next[j]];
      }
    }
    const double q = (mdp->reward[k] + mdp->gamma * sum) / (1.0 - mdp->gamma * loop);
    if (q > best) {
      best = q;
      control->choice[s] = k;
    }
  }
  control->v[s] = best;
}

/* --- a component ------------------------------------------------------------------------------------------------------ */

typedef struct Block {
  const Mdp *mdp;
  const int32_t *state; /* [S] its states */
  ptrdiff_t S;
  int32_t *place; /* [mdp->S] place of a state within its component, -1 outside the one at hand */
} Block;

static void measure(const Block *block, ptrdiff_t *rows, ptrdiff_t *count) {
  *rows = *count = 0;
  for (ptrdiff_t i = 0; i < block->S; i++) {
    const int64_t k = block->mdp->first[block->state[i]];
    const int64_t end = block->mdp->first[block->state[i] + 1];
    *rows += (ptrdiff_t)(end - k);
    for (int64_t j = block->mdp->start[k]; j < block->mdp->start[end]; j++) {
      *count += block->place[block->mdp->next[j]] >= 0;
    }
  }
}

/* row k of the whole process as row at of the component's: what leaves becomes reward */
static void copy_row(Mdp *to, ptrdiff_t at, const Block *block, int64_t k, const double *v) {
  const Mdp *mdp = block->mdp;
  int64_t next = to->start[at];
  double outside = 0.0;
  for (int64_t j = mdp->start[k]; j < mdp->start[k + 1]; j++) {
    const int32_t place = block->place[mdp->next[j]];
    if (place < 0) {
      outside += mdp->prob[j] * v[mdp->next[j]];
    } else {
      to->next[next] = place; /* ascending, as places are in the order of the states */
      to->prob[next++] = mdp->prob[j];
    }
  }
  to->action[at] = mdp->action[k];
  to->reward[at] = mdp->reward[k] + mdp->gamma * outside;
  to->start[at + 1] = next;
}

static Status cut_out(Mdp *part, const Block *block, const double *v) {
  ptrdiff_t rows, count, at = 0;
  measure(block, &rows, &count);
  const Status status = mdp_init(part, block->S, block->mdp->A, rows, count, 0);
  if (status != OK) {
    return status;
  }
  part->gamma = block->mdp->gamma;
  part->start[0] = 0;
  for (ptrdiff_t i = 0; i < block->S; i++) {
    const ptrdiff_t s = block->state[i];
    part->first[i] = at;
    for (int64_t k = block->mdp->first[s]; k < block->mdp->first[s + 1]; k++) {
      copy_row(part, at++, block, k, v);
    }
  }
  part->first[block->S] = at;
  mdp_settle(part);
  return OK;
}

/* solves the component and brings values and rows back */
static Status solve_part(Control *control, const Mdp *part, const Block *block, BlocksSolve solve,
                         Arena *ws) {
  double *v0 = ARENA_PUSH(ws, double, block->S);
  int64_t *choice = ARENA_PUSH(ws, int64_t, block->S);
  Control inner;
  if (v0 == NULL || choice == NULL) {
    return E_NOMEM;
  }
  for (ptrdiff_t i = 0; i < block->S; i++) {
    v0[i] = control->v[block->state[i]];
    choice[i] = -1;
  }
  Status status = control_init(&inner, part, v0, choice, control->target, 0, ws);
  if (status != OK) {
    return status;
  }
  /* the residual counts for the whole process, where it may be discounted less */
  const double lost = 1.0 - part->gamma * inner.shape.mass_high;
  const double all = 1.0 - part->gamma * control->shape.mass_high;
  inner.target *= fmin(1.0, all / lost);
  status = solve(&inner, ws);
  if (status != OK) {
    return status;
  }
  control_centre(&inner);
  for (ptrdiff_t i = 0; i < block->S; i++) {
    const ptrdiff_t s = block->state[i];
    control->v[s] = inner.v[i];
    control->choice[s] = control->mdp->first[s] + (choice[i] - part->first[i]);
  }
  control->sweeps += inner.sweeps * (double)part->rows / (double)control->mdp->rows;
  return OK;
}

static Status solve_block(Control *control, const Block *block, BlocksSolve solve, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  Mdp part = {0};
  for (ptrdiff_t i = 0; i < block->S; i++) {
    block->place[block->state[i]] = (int32_t)i;
  }
  Status status = cut_out(&part, block, control->v);
  for (ptrdiff_t i = 0; i < block->S; i++) {
    block->place[block->state[i]] = -1;
  }
  if (status == OK) {
    status = solve_part(control, &part, block, solve, ws);
  }
  mdp_free(&part);
  arena_release(ws, mark);
  return status;
}

static void sort(int32_t *x, ptrdiff_t n) {
  /* heap sort: in place and never slow */
  for (ptrdiff_t end = n, root = n / 2; end > 1;) {
    if (root > 0) {
      root--;
    } else {
      const int32_t top = x[0];
      x[0] = x[--end];
      x[end] = top;
    }
    for (ptrdiff_t i = root, child; (child = 2 * i + 1) < end; i = child) {
      child += child + 1 < end && x[child + 1] > x[child];
      if (x[i] >= x[child]) {
        break;
      }
      const int32_t moved = x[i];
      x[i] = x[child];
      x[child] = moved;
    }
  }
}

Status blocks_run(Control *control, const int32_t *order, const int32_t *begin, ptrdiff_t count,
                  BlocksSolve solve, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  Block block = {.mdp = control->mdp, .place = ARENA_PUSH(ws, int32_t, control->mdp->S)};
  int32_t *state = ARENA_PUSH(ws, int32_t, control->mdp->S);
  Status status = block.place != NULL && state != NULL ? OK : E_NOMEM;
  for (ptrdiff_t s = 0; status == OK && s < control->mdp->S; s++) {
    block.place[s] = -1;
  }
  for (ptrdiff_t i = 0; status == OK && i < count; i++) {
    block.S = begin[i + 1] - begin[i];
    if (block.S == 1) {
      solve_state(control, order[begin[i]]);
    } else {
      memcpy(state, order + begin[i], (size_t)block.S * sizeof *state);
      sort(state, block.S);
      block.state = state;
      status = solve_block(control, &block, solve, ws);
    }
  }
  control->iterations++;
  control->sweeps += 1.0;
  arena_release(ws, mark);
  return status;
}
