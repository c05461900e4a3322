#include "policy/value.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/sum.h"
#include "policy/value_adam.h"
#include "policy/value_gauss_newton.h"
#include "policy/value_lbfgs.h"

Status value_network(Value *value, const NetworkSpec *spec, Rng *rng) {
  *value = (Value){.kind = VALUE_NETWORK, .O = spec->observation->size, .scale = 1};
  Status status = network_init(&value->net, spec);
  if (status != OK) return status;
  space_share(&value->observation, spec->observation);
  value->storage = buffer_new(2 * (size_t)value->net.P * sizeof(double));
  status = value->storage ? mlp_orthogonal(&value->net.mlp, value->net.theta, rng, sqrt(2), 1)
                          : E_NOMEM;
  if (status != OK) {
    value_free(value);
    return status;
  }
  network_set(&value->net, value->net.theta);
  value->adam.m = value->storage->data;
  value->adam.v = value->adam.m + value->net.P;
  return OK;
}

Status value_linear(Value *value, const Space *observation, double ridge) {
  *value = (Value){.kind = VALUE_LINEAR, .O = observation->size, .scale = 1};
  space_share(&value->observation, observation);
  return linear_init(&value->linear, value->O, ridge);
}

const Space *value_space(const Value *value) {
  return &value->observation;
}

void value_free(Value *value) {
  linear_free(&value->linear);
  network_free(&value->net);
  space_free(&value->observation);
  buffer_release(value->storage);
  *value = (Value){0};
}

typedef struct Predict {
  const Value *value;
  const double *obs;
  double *out;
} Predict;

static void predict_block(void *context, const TapeBlock *block) {
  const Predict *p = context;
  const Value *value = p->value;
  const void *f = network_forward(&value->net, block->tape, p->obs + block->first * value->O,
                                  value->O, block->n);
  for (int i = 0; i < block->n; i++) {
    const double y = value->net.mlp.precision == SINGLE ? (double)((const float *)f)[i]
                                                        : ((const double *)f)[i];
    p->out[block->first + i] = value->shift + value->scale * y;
  }
}

Status value_predict(const Value *value, double *out, const double *obs, const double *time, long N,
                     Arena *arena) {
  if (value->kind == VALUE_LINEAR) {
    linear_predict(&value->linear, out, obs, time, N);
    return OK;
  }
  const ArenaMark mark = arena_mark(arena);
  Tape tape;
  Status status = tape_init(&tape, arena, &value->net, N, 0, 0, 0);
  if (status == OK) tape_run(&tape, predict_block, &(Predict){value, obs, out});
  arena_release(arena, mark);
  return status;
}

/* New shift and scale; the last layer is rewritten so that shift + scale f(s) stays what it was. */
static void retarget(Value *value, const double *target, long N) {
  const Mlp *mlp = &value->net.mlp;
  const int last = mlp->layers - 1;
  const double shift = sum_mean(target, (size_t)N);
  const double deviation = sqrt(sum_squares(target, (size_t)N, shift) / (double)N);
  const double scale = deviation > 1e-9 * fabs(shift) ? deviation : 1;
  double *w = value->net.theta + mlp->weight[last], *b = value->net.theta + mlp->bias[last];
  for (int i = 0; i < mlp->width[last]; i++) w[i] *= value->scale / scale;
  b[0] = (value->scale * b[0] + value->shift - shift) / scale;
  value->shift = shift;
  value->scale = scale;
  network_set(&value->net, value->net.theta);
}

/* What a failed fit gives back: the object itself with its scalars, and the arrays it points to. */
typedef struct Saved {
  Value object;
  double *theta, *moments, *normalizer;
} Saved;

static Status save(Saved *saved, const Value *value, Arena *arena) {
  const Network *net = &value->net;
  const long features = net->normalize ? 4L * net->normalizer.O : 0;
  saved->object = *value;
  saved->theta = ARENA_PUSH(arena, double, net->P);
  saved->moments = ARENA_PUSH(arena, double, 2 * net->P);
  saved->normalizer = ARENA_PUSH(arena, double, features);
  if (!saved->theta || !saved->moments || !saved->normalizer) return E_NOMEM;
  memcpy(saved->theta, net->theta, (size_t)net->P * sizeof(double));
  memcpy(saved->moments, value->adam.m, 2 * (size_t)net->P * sizeof(double));
  if (features) memcpy(saved->normalizer, net->normalizer.mean, (size_t)features * sizeof(double));
  return OK;
}

static void restore(Value *value, const Saved *saved) {
  *value = saved->object;
  memcpy(value->adam.m, saved->moments, 2 * (size_t)value->net.P * sizeof(double));
  if (value->net.normalize)
    memcpy(value->net.normalizer.mean, saved->normalizer,
           4 * (size_t)value->net.normalizer.O * sizeof(double));
  network_set(&value->net, saved->theta);
}

static Status optimize(Value *value, ValueFit *info, const double *obs, const double *target,
                       long N, Arena *arena) {
  switch (value->optimizer) {
  case VALUE_LBFGS: return value_lbfgs(value, info, obs, target, N, arena);
  case VALUE_GAUSS_NEWTON:
  case VALUE_LAST_LAYER: return value_gauss_newton(value, info, obs, target, N, arena);
  default: return value_adam(value, info, obs, target, N, arena);
  }
}

static Status fit_network(Value *value, ValueFit *info, const double *obs, const double *target,
                          long N, Arena *arena) {
  Saved saved;
  if (save(&saved, value, arena) != OK) return E_NOMEM;
  if (value->net.normalize && normalizer_update(&value->net.normalizer, obs, N) != OK)
    return E_NOT_FINITE;
  if (value->rescale) retarget(value, target, N);
  Status status = optimize(value, info, obs, target, N, arena);
  value->fits++;
  /* commit only what is finite */
  if (status == OK && !isfinite(sum_pairwise(value->net.theta, (size_t)value->net.P)))
    status = E_NOT_FINITE;
  if (status != OK) restore(value, &saved);
  return status;
}

Status value_fit(Value *value, ValueFit *info, const double *obs, const double *time,
                 const double *target, long N, Arena *arena) {
  const double start = clock_seconds();
  *info = (ValueFit){0};
  if (N == 0) return OK;
  if (!isfinite(sum_pairwise(target, (size_t)N))) return E_NOT_FINITE;
  const ArenaMark mark = arena_mark(arena);
  const Status status = value->kind == VALUE_LINEAR
                            ? linear_fit(&value->linear, obs, time, target, N, arena)
                            : fit_network(value, info, obs, target, N, arena);
  arena_release(arena, mark);
  info->seconds = clock_seconds() - start;
  return status;
}
