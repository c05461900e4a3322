#include "mdp/control.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* whether a width near the floor can be taken for the floor: no progress for longer than it takes to make some */
static int is_idle(const Control *control) {
  return control->width <= 30 * control->floor && control->idle > control->patience;
}

void control_slow(Control *control) {
  const double lost = 1.0 - control->mdp->gamma * control->shape.mass_high;
  control->patience = 40 + (int)(0.1 / fmax(lost, 1e-6));
}

Status control_init(Control *control, const Mdp *mdp, const double *v0, int64_t *choice,
                    double target, long limit, Arena *ws) {
  *control = (Control){.mdp = mdp,
                       .v = ARENA_PUSH(ws, double, mdp->S),
                       .spare = ARENA_PUSH(ws, double, mdp->S),
                       .choice = choice,
                       .target = target,
                       .limit = limit,
                       .width = INFINITY,
                       .best = INFINITY,
                       .shifted = INFINITY};
  if (control->v == NULL || control->spare == NULL) {
    return E_NOMEM;
  }
  if (v0 != NULL) {
    memcpy(control->v, v0, (size_t)mdp->S * sizeof *v0);
  } else {
    memset(control->v, 0, (size_t)mdp->S * sizeof *control->v);
  }
  bellman_shape(mdp, &control->shape);
  control_slow(control);
  return OK;
}

int control_uniform(const Control *control) {
  return control->shape.mass_low >= 1.0 - MDP_SUM_TOLERANCE;
}

/* the bounds of v carried over to T v: T (v + d) is at most T v + gamma m d */
static double carried(const Control *control, double d, int upper) {
  const BellmanShape *shape = &control->shape;
  const double mass = (d >= 0.0) == upper ? shape->mass_high : shape->mass_low;
  return d == 0.0 ? 0.0 : control->mdp->gamma * mass * d;
}

Status control_step(Control *control) {
  BellmanInfo info;
  double *out = control->spare, below, above;
  bellman_backup(control->mdp, out, control->choice, control->v, &info);
  if (isnan(info.low)) {
    return E_NOT_FINITE;
  }
  control->spare = control->v;
  control->v = out;
  control->iterations++;
  control->sweeps += 1.0;
  control->changed = info.changed;
  bellman_bounds(control->mdp->gamma, &control->shape, info.low, info.high, &below, &above);
  control->below = carried(control, below, 0);
  control->above = carried(control, above, 1);
  control->width = control_uniform(control) ? 0.5 * (control->above - control->below)
                                            : fmax(-control->below, control->above);
  const double lost = 1.0 - control->mdp->gamma * control->shape.mass_high;
  control->floor = 8 * DBL_EPSILON * control->mdp->gamma * (info.size + control->shape.reward)
                   / fmax(lost, DBL_EPSILON);
  control->idle = control->width < 0.95 * control->best ? 0 : control->idle + 1;
  control->best = fmin(control->best, control->width);
  return OK;
}

int control_done(const Control *control) {
  return control->width <= fmax(control->target, control->floor) || is_idle(control);
}

int control_spent(const Control *control) {
  return control->limit > 0 && control->iterations >= control->limit;
}

void control_shift(Control *control, double d) {
  if (!isfinite(d) || d == 0.0) {
    return;
  }
  for (ptrdiff_t s = 0; s < control->mdp->S; s++) {
    control->v[s] += d;
  }
  control->below -= d;
  control->above -= d;
}

void control_centre(Control *control) {
  if (control_uniform(control)) {
    control_shift(control, 0.5 * (control->below + control->above));
  }
}
