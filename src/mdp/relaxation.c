#include "mdp/relaxation.h"

#include <float.h>
#include <math.h>

#include "mdp/topology.h"

/* the value of row k of s with its loop solved */
static inline double row_value(const Mdp *mdp, ptrdiff_t s, int64_t k, const double *v) {
  double sum = 0.0, loop = 0.0;
  for (int64_t j = mdp->start[k]; j < mdp->start[k + 1]; j++) {
    sum += mdp->prob[j] * v[mdp->next[j]];
    loop = mdp->next[j] == s ? mdp->prob[j] : loop;
  }
  const double q = mdp->reward[k] + mdp->gamma * sum, left = 1.0 - mdp->gamma * loop;
  /* q - gamma loop v(s) over 1 - gamma loop, as a step from v(s): what does not change loses no digits */
  return loop == 0.0 || left <= DBL_EPSILON ? q : v[s] + (q - v[s]) / left;
}

static double relax(const Mdp *mdp, ptrdiff_t s, const double *v, int64_t *choice,
                    ptrdiff_t *changed) {
  const int64_t old = choice != NULL ? *choice : -1;
  double best = -INFINITY, kept = -INFINITY;
  int64_t winner = mdp->first[s];
  for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
    const double q = row_value(mdp, s, k, v);
    winner = q > best ? k : winner;
    best = q > best ? q : best;
    kept = k == old ? q : kept;
  }
  if (choice != NULL && !(kept >= best - BELLMAN_TIE * fabs(best))) {
    *changed += winner != old;
    *choice = winner;
  }
  return best;
}

void relaxation_sweep(const Mdp *mdp, double *v, int64_t *choice, const int32_t *order,
                      int backward, RelaxationInfo *info) {
  *info = (RelaxationInfo){0};
  for (ptrdiff_t i = 0; i < mdp->S; i++) {
    const ptrdiff_t place = backward ? mdp->S - 1 - i : i;
    const ptrdiff_t s = order != NULL ? order[place] : place;
    const double value = relax(mdp, s, v, choice != NULL ? &choice[s] : NULL, &info->changed);
    const double d = fabs(value - v[s]);
    info->change = d > info->change || isnan(d) ? d : info->change;
    v[s] = value;
  }
}

/* whether an episode can end in s: some row ends it, or all rows stay */
static int is_exit(const Mdp *mdp, ptrdiff_t s) {
  int stays = 1;
  for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
    double mass = 0.0;
    for (int64_t j = mdp->start[k]; j < mdp->start[k + 1]; j++) {
      mass += mdp->prob[j];
      stays = stays && mdp->next[j] == s;
    }
    if (mass < 1.0 - MDP_SUM_TOLERANCE) {
      return 1;
    }
  }
  return stays;
}

Status relaxation_order(const Mdp *mdp, int32_t *order, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const TopologyGraph graph = topology_of_mdp(mdp);
  unsigned char *exits = ARENA_PUSH(ws, unsigned char, mdp->S);
  Status status = E_NOMEM;
  if (exits != NULL) {
    for (ptrdiff_t s = 0; s < mdp->S; s++) {
      exits[s] = (unsigned char)is_exit(mdp, s);
    }
    status = topology_from_exits(&graph, order, exits, NULL, ws);
  }
  arena_release(ws, mark);
  return status;
}

void relaxation_shift(Control *control) {
  if (control_uniform(control)) {
    const double d = control->below > 0.0 ? control->below : fmin(control->above, 0.0);
    if (fabs(d) > control->floor) {
      control_shift(control, d);
    }
  } else if (control->below < -control->floor && control->width <= 0.5 * control->shifted) {
    control->shifted = control->width;
    control_shift(control, control->below);
  }
}

/* sweeps between two looks at the bounds */
enum { BETWEEN = 8 };

static Status iterate(Control *control, const int32_t *order) {
  for (;;) {
    const Status status = control_step(control);
    if (status != OK || control_done(control)) {
      return status;
    }
    relaxation_shift(control);
    for (int k = 0; k < BETWEEN; k++) {
      if (control_spent(control)) {
        return OK;
      }
      RelaxationInfo info;
      relaxation_sweep(control->mdp, control->v, control->choice, order, k % 2, &info);
      control->below = control->above = 0.0; /* those of other values */
      control->iterations++;
      control->sweeps += 1.0;
      if (info.change == 0.0) {
        break;
      }
    }
  }
}

Status relaxation_run(Control *control, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  int32_t *order = ARENA_PUSH(ws, int32_t, control->mdp->S);
  Status status = order != NULL ? relaxation_order(control->mdp, order, ws) : E_NOMEM;
  if (status == OK) {
    status = iterate(control, order);
  }
  arena_release(ws, mark);
  return status;
}
