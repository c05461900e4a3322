#include "policy/value.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/sum.h"
#include "nn/dist.h"
#include "policy/value_adam.h"
#include "policy/value_gauss_newton.h"
#include "policy/value_last_layer.h"
#include "policy/value_lbfgs.h"

/* Adam's moments, zero; the others carry no vectors over */
static Status make_moments(Value *value) {
  const long P = value->net.P;
  value->storage = buffer_new(2 * (size_t)P * sizeof(double));
  if (!value->storage) return E_NOMEM;
  double *m = value->storage->data;
  value->adam = (Adam){value->options.learning_rate, 0.9, 0.999, 1e-8, m, m + P, 0};
  return OK;
}

Status value_network(Value *value, const NetworkSpec *spec, const ValueOptions *options, Rng *rng) {
  *value = (Value){.kind = VALUE_NETWORK, .O = spec->observation->size, .scale = 1};
  value->options = *options;
  value->damping = options->lm_damping;
  Status status = network_init(&value->net, spec);
  if (status != OK) return status;
  space_share(&value->observation, spec->observation);
  if (options->optimizer == VALUE_ADAM) status = make_moments(value);
  if (status == OK) status = mlp_orthogonal(&value->net.mlp, value->net.theta, rng, sqrt(2), 1);
  if (status != OK) {
    value_free(value);
    return status;
  }
  network_set(&value->net, value->net.theta);
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

double *value_theta(const Value *value, long *n) {
  *n = value->kind == VALUE_LINEAR ? value->linear.F : value->net.P;
  return value->kind == VALUE_LINEAR ? value->linear.w : value->net.theta;
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
  double *out = p->out + block->first;
  dist_widen(value->net.mlp.precision, out, f, block->n);
  for (int i = 0; i < block->n; i++) out[i] = value->shift + value->scale * out[i];
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

/* The largest of the last layer's parameters, times by, the bias plus more. */
static double largest_last(const Value *value, double by, double more) {
  const Mlp *mlp = &value->net.mlp;
  const int last = mlp->layers - 1;
  const double *w = value->net.theta + mlp->weight[last];
  double largest = fabs(by * value->net.theta[mlp->bias[last]] + more);
  for (int i = 0; i < mlp->width[last]; i++) largest = fmax(largest, fabs(by * w[i]));
  return largest;
}

/* last layer = by * last layer, its bias plus more */
static void rewrite_last(Value *value, double by, double more) {
  const Mlp *mlp = &value->net.mlp;
  const int last = mlp->layers - 1;
  double *w = value->net.theta + mlp->weight[last], *b = value->net.theta + mlp->bias[last];
  for (int i = 0; i < mlp->width[last]; i++) w[i] *= by;
  b[0] = by * b[0] + more;
  network_set(&value->net, value->net.theta);
}

/* New shift and scale. The last layer is rewritten so that shift + scale f(s) stays what it was, if that is worth it. */
static Status retarget(Value *value, const double *target, long N) {
  const double shift = sum_mean(target, (size_t)N);
  const double deviation = sqrt(sum_squares(target, (size_t)N, shift) / (double)N);
  const double scale = deviation > 1e-9 * fabs(shift) ? deviation : 1;
  /* the error is measured in the square of scale */
  if (!isfinite(shift) || !isfinite(2 * scale * scale)) return E_NOT_FINITE;
  const double by = value->scale / scale, more = (value->shift - shift) / scale;
  if (value->fits > 0 && largest_last(value, by, more) <= VALUE_LAST_LIMIT)
    rewrite_last(value, by, more);
  value->shift = shift;
  value->scale = scale;
  return OK;
}

/* doubles of the moments and of the normaliser */
static long moments_size(const Value *value) {
  return value->storage ? 2 * value->net.P : 0;
}

static long normalizer_size(const Value *value) {
  return value->net.normalize ? 4L * value->net.normalizer.O : 0;
}

static void copy(double *to, const double *from, long n) {
  if (n) memcpy(to, from, (size_t)n * sizeof *to);
}

Status value_save(ValueSaved *saved, const Value *value, Arena *arena) {
  long n;
  const double *theta = value_theta(value, &n);
  saved->object = *value;
  saved->theta = ARENA_PUSH(arena, double, n);
  saved->moments = ARENA_PUSH(arena, double, moments_size(value));
  saved->normalizer = ARENA_PUSH(arena, double, normalizer_size(value));
  if (!saved->theta || !saved->moments || !saved->normalizer) return E_NOMEM;
  copy(saved->theta, theta, n);
  copy(saved->moments, value->adam.m, moments_size(value));
  copy(saved->normalizer, value->net.normalizer.mean, normalizer_size(value));
  return OK;
}

void value_restore(Value *value, const ValueSaved *saved) {
  long n;
  *value = saved->object;
  double *theta = value_theta(value, &n);
  copy(theta, saved->theta, n);
  copy(value->adam.m, saved->moments, moments_size(value));
  copy(value->net.normalizer.mean, saved->normalizer, normalizer_size(value));
  if (value->kind == VALUE_NETWORK) network_set(&value->net, value->net.theta);
}

static Status optimize(Value *value, ValueFit *info, const double *obs, const double *target,
                       long N, Arena *arena) {
  switch (value->options.optimizer) {
  case VALUE_LBFGS: return value_lbfgs(value, info, obs, target, N, arena);
  case VALUE_GAUSS_NEWTON: return value_gauss_newton(value, info, obs, target, N, arena);
  case VALUE_LAST_LAYER: return value_last_layer(value, info, obs, target, N, arena);
  default: return value_adam(value, info, obs, target, N, arena);
  }
}

static Status fit_network(Value *value, ValueFit *info, const double *obs, const double *target,
                          long N, Arena *arena) {
  ValueSaved saved;
  if (value_save(&saved, value, arena) != OK) return E_NOMEM;
  Status status = value->net.normalize ? normalizer_update(&value->net.normalizer, obs, N) : OK;
  if (status == OK && value->rescale) status = retarget(value, target, N);
  if (status == OK) status = optimize(value, info, obs, target, N, arena);
  /* commit only what is finite */
  if (status == OK && !isfinite(sum_pairwise(value->net.theta, (size_t)value->net.P)))
    status = E_NOT_FINITE;
  if (status == OK)
    value->fits++;
  else
    value_restore(value, &saved);
  return status;
}

static int all_finite(const double *x, long n) {
  for (long i = 0; i < n; i++)
    if (!isfinite(x[i])) return 0;
  return 1;
}

Status value_fit(Value *value, ValueFit *info, const double *obs, const double *time,
                 const double *target, long N, Arena *arena) {
  const double start = clock_seconds();
  *info = (ValueFit){.loss_before = NAN};
  if (N == 0) return OK;
  if (!isfinite(sum_pairwise(target, (size_t)N)) || !all_finite(obs, N * value->O))
    return E_NOT_FINITE;
  const ArenaMark mark = arena_mark(arena);
  const Status status = value->kind == VALUE_LINEAR
                            ? linear_fit(&value->linear, obs, time, target, N, arena)
                            : fit_network(value, info, obs, target, N, arena);
  arena_release(arena, mark);
  info->seconds = clock_seconds() - start;
  return status;
}
