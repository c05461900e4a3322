#include "policy/value_lbfgs.h"

#include "nn/lbfgs.h"
#include "policy/value_loss.h"

enum { HISTORY = 10 };

static double loss_at(void *context, double *g, const double *theta) {
  ValueLoss *loss = context;
  network_set(loss->net, theta);
  return value_loss_both(loss, g);
}

Status value_lbfgs(Value *value, ValueFit *info, const double *obs, const double *target, long N,
                   Arena *arena) {
  const LbfgsOptions options = {.iterations = value->options.iterations,
                                .history = HISTORY,
                                .tolerance = 1e-8,
                                .difference = 1e-7};
  const long P = value->net.P;
  const double unit = 2 * value->scale * value->scale;
  ValueLoss loss;
  LbfgsInfo done;
  double *theta = ARENA_PUSH(arena, double, P);
  double *work = ARENA_PUSH(arena, double, lbfgs_work(&options, P));
  if (!theta || !work || value_loss_init(&loss, value, obs, target, N, 0, arena) != OK)
    return E_NOMEM;
  for (long i = 0; i < P; i++) theta[i] = value->net.theta[i];
  const Status status = lbfgs_minimize(&options, theta, &done, loss_at, &loss, P, work);
  network_set(&value->net, theta);
  info->steps = done.iterations;
  info->loss_before = unit * done.before;
  info->loss = unit * done.after;
  return status;
}
