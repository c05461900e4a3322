#include "policy/value_gauss_newton.h"

#include <math.h>
#include <string.h>

#include "base/sum.h"
#include "policy/gauss_newton.h"
#include "policy/value_last_layer.h"
#include "policy/value_loss.h"
#include "solve/cg.h"

enum { HALVINGS = 10 };

static const double PROGRESS = 0.1;      /* of the loss: what makes another step worth while */
static const double CG_TOLERANCE = 1e-6; /* relative residual */
static const double FACTOR = 4;          /* of the damping's changes */
static const double MOST_DAMPING = 1e9;

typedef struct Newton {
  Value *value;
  ValueLoss loss;
  ValueLastLayer layer;
  const double *obs; /* [N][O] */
  long stride;       /* every so many rows take part in J'J */
  Tape rows;         /* their activations; unused when all rows do */
  GaussNewton matrix;
  double L;     /* the loss at the parameters */
  double *b;    /* [P] minus the gradient */
  double *step; /* [P] */
  double *old;  /* [P] parameters before the step */
  double *work; /* cg_work */
} Newton;

static Status init(Newton *newton, Value *value, const double *obs, const double *target, long N,
                   Arena *arena) {
  const long P = value->net.P;
  *newton = (Newton){.value = value, .obs = obs};
  newton->stride = N / value->options.curvature_rows > 1 ? N / value->options.curvature_rows : 1;
  newton->b = ARENA_PUSH(arena, double, P);
  newton->step = ARENA_PUSH(arena, double, P);
  newton->old = ARENA_PUSH(arena, double, P);
  newton->work = ARENA_PUSH(arena, double, cg_work(P));
  if (!newton->b || !newton->step || !newton->old || !newton->work) return E_NOMEM;
  const long doubles = value->options.solve_last_layer ? value_last_layer_doubles(&value->net) : 0;
  Status status = value_loss_init(&newton->loss, value, obs, target, N, doubles, arena);
  if (status == OK && value->options.solve_last_layer)
    status = value_last_layer_init(&newton->layer, &newton->loss, arena);
  if (status == OK && newton->stride > 1)
    status = tape_init(&newton->rows, arena, &value->net, (N + newton->stride - 1) / newton->stride,
                       1, 1, 0);
  return status;
}

/* the tape that J'J is made of, at the present parameters */
static const Tape *curvature_tape(Newton *newton) {
  if (newton->stride == 1) return &newton->loss.tape;
  tape_record(&newton->rows, newton->obs, newton->stride * newton->value->O);
  return &newton->rows;
}

static Status apply(void *context, double *out, const double *v) {
  Newton *newton = context;
  gauss_newton_apply(&newton->matrix, out, v, 1 / (double)newton->matrix.tape->N);
  return OK;
}

/* step, and what conjugate gradients say of it; OK, ZERO_GRADIENT or a failure. Curvature that rounding made negative only
 * ends the iterations. */
static Status find_step(Newton *newton, CgInfo *info, Arena *arena) {
  const Value *value = newton->value;
  const CgOptions options = {.iterations = value->options.cg_products,
                             .tolerance = CG_TOLERANCE,
                             .damping = value->damping};
  const long P = value->net.P;
  value_loss_gradient(&newton->loss, newton->b);
  for (long i = 0; i < P; i++) newton->b[i] = -newton->b[i];
  const ArenaMark mark = arena_mark(arena);
  Status status = gauss_newton_init(&newton->matrix, &value->net, curvature_tape(newton),
                                    options.iterations, NULL, NULL, arena);
  if (status == OK)
    status = cg_solve(&options, newton->step, info, apply, newton, newton->b, P, newton->work);
  arena_release(arena, mark);
  return status == CG_LIMIT || status == E_CURVATURE ? OK : status;
}

/* the loss at old + fraction step, where the network is then */
static double try_step(Newton *newton, double fraction) {
  Network *net = &newton->value->net;
  for (long i = 0; i < net->P; i++) net->theta[i] = newton->old[i] + fraction * newton->step[i];
  network_set(net, net->theta);
  return value_loss(&newton->loss);
}

/* The damping of the next step, by the ratio of what the loss fell and what the quadratic model said. */
static void adapt(Value *value, double ratio) {
  if (!(ratio >= 0.25))
    value->damping = fmin(FACTOR * value->damping, MOST_DAMPING);
  else if (ratio > 0.75)
    value->damping = fmax(value->damping / FACTOR, value->options.lm_damping);
}

/* the parameters before the step, bit for bit, and the loss's errors there */
static void move_back(Newton *newton) {
  network_set(&newton->value->net, newton->old);
  value_loss(&newton->loss);
}

/* Halves the step until the loss falls; the parameters stay when it does not. */
static void search(Newton *newton, const CgInfo *info) {
  Network *net = &newton->value->net;
  const double slope = sum_dot(newton->b, newton->step, (size_t)net->P);
  double fraction = 1;
  memcpy(newton->old, net->theta, (size_t)net->P * sizeof *newton->old);
  for (int k = 0; k < HALVINGS; k++, fraction /= 2) {
    const double L = try_step(newton, fraction);
    /* promised: -g'd - d'(J'J/N)d / 2, without the damping's part */
    if (k == 0) adapt(newton->value, (newton->L - L) / (slope - 0.5 * info->xbx));
    if (L < newton->L) {
      newton->L = L;
      return;
    }
  }
  move_back(newton);
}

static Status iterate(Newton *newton, Arena *arena) {
  CgInfo info;
  Status status = find_step(newton, &info, arena);
  if (status != OK) return status;
  search(newton, &info);
  return newton->value->options.solve_last_layer
             ? value_last_layer_solve(&newton->layer, &newton->L, newton->value->options.lm_damping)
             : OK;
}

Status value_gauss_newton(Value *value, ValueFit *info, const double *obs, const double *target,
                          long N, Arena *arena) {
  const double unit = 2 * value->scale * value->scale;
  Newton newton;
  Status status = init(&newton, value, obs, target, N, arena);
  if (status != OK) return status;
  newton.L = value_loss(&newton.loss);
  if (!isfinite(newton.L)) return E_NOT_FINITE;
  info->loss_before = unit * newton.L;
  if (value->options.solve_last_layer)
    status = value_last_layer_solve(&newton.layer, &newton.L, value->options.lm_damping);
  for (int k = 0; k < value->options.iterations && status == OK; k++) {
    const double before = newton.L;
    status = iterate(&newton, arena);
    info->steps++;
    if (!(before - newton.L > PROGRESS * before)) break;
  }
  info->loss = unit * newton.L;
  return status == ZERO_GRADIENT ? OK : status;
}
