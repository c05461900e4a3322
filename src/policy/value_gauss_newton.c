#include "policy/value_gauss_newton.h"

#include <math.h>
#include <string.h>

#include "base/sum.h"
#include "policy/gauss_newton.h"
#include "policy/value_last_layer.h"
#include "policy/value_loss.h"
#include "solve/cg.h"

enum { HALVINGS = 8 };

typedef struct Newton {
  Value *value;
  ValueLoss loss;
  ValueLastLayer layer;
  GaussNewton matrix;
  double L; /* the loss at the parameters */
  double *g, *b, *step, *theta, *cg;
} Newton;

static Status allocate(Newton *newton, const double *obs, const double *target, long N, Arena *arena) {
  Value *value = newton->value;
  const long P = value->net.P;
  double **const vectors[] = {&newton->g, &newton->step, &newton->theta};
  for (int i = 0; i < 3; i++)
    if (!(*vectors[i] = ARENA_PUSH(arena, double, P))) return E_NOMEM;
  newton->cg = ARENA_PUSH(arena, double, cg_work(P));
  Status status = newton->cg ? value_loss_init(&newton->loss, value, obs, target, N, value_last_layer_doubles(&value->net), arena) : E_NOMEM;
  if (status == OK && value->last_layer)
    status = value_last_layer_init(&newton->layer, &newton->loss, arena);
  return status;
}

static Status apply(void *context, double *out, const double *v) {
  Newton *newton = context;
  gauss_newton_apply(&newton->matrix, out, v, 1 / (double)newton->loss.tape.N);
  return OK;
}

static double try_step(Newton *newton, double fraction) {
  Network *net = &newton->value->net;
  for (long i = 0; i < net->P; i++) net->theta[i] = newton->theta[i] + fraction * newton->step[i];
  network_set(net, net->theta);
  return value_loss(&newton->loss);
}

/* one step; 0 when it could not be made */
static int step(Newton *newton, Arena *arena, Status *status) {
  Value *value = newton->value;
  const long P = value->net.P;
  if (value->last_layer) value_last_layer_solve(&newton->layer, &newton->L, value->layer_damping);
  const ArenaMark mark = arena_mark(arena);
  value_loss_gradient(&newton->loss, newton->g);
  for (long i = 0; i < P; i++) newton->g[i] = -newton->g[i];
  *status = gauss_newton_init(&newton->matrix, &value->net, &newton->loss.tape, value->cg_iters, NULL, NULL, arena);
  if (*status != OK) return 0;
  CgInfo info;
  CgOptions options = {.iterations = value->cg_iters, .tolerance = 1e-6, .damping = value->damping};
  Status st = cg_solve(&options, newton->step, &info, apply, newton, newton->g, P, newton->cg);
  arena_release(arena, mark);
  if (st < 0 && st != E_CURVATURE) { *status = st; return 0; }
  if (st == ZERO_GRADIENT) return 0;
  const double slope = sum_dot(newton->g, newton->step, (size_t)P); /* -g'd */
  memcpy(newton->theta, value->net.theta, (size_t)P * sizeof(double));
  double fraction = 1;
  for (int k = 0; k < HALVINGS; k++, fraction /= 2) {
    const double L = try_step(newton, fraction);
    const double predicted = fraction * slope - 0.5 * fraction * fraction * info.xbx;
    const double ratio = (newton->L - L) / predicted;
    if (k == 0 && value->adapt) {
      if (!(ratio > 0.25)) value->damping *= 1.5;
      else if (ratio > 0.75) value->damping /= 1.5;
      value->damping = fmin(fmax(value->damping, value->damping_min), 1e6);
    }
    if (L < newton->L) {
      newton->L = L;
      return 1;
    }
  }
  try_step(newton, 0);
  return 0;
}

Status value_gauss_newton(Value *value, ValueFit *info, const double *obs, const double *target,
                          long N, Arena *arena) {
  Newton newton = {.value = value};
  Status status = allocate(&newton, obs, target, N, arena);
  if (status != OK) return status;
  newton.L = value_loss(&newton.loss);
  info->before = 2 * newton.L * value->scale * value->scale;
  for (int k = 0; k < value->iterations; k++, info->steps++)
    if (!step(&newton, arena, &status)) break;
  if (value->last_layer) value_last_layer_solve(&newton.layer, &newton.L, value->layer_damping);
  info->loss = 2 * newton.L * value->scale * value->scale;
  return status;
}
