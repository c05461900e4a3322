#include "policy/value_adam.h"

#include <string.h>

#include "base/sum.h"
#include "nn/dist.h"

/* What one fit works on. */
typedef struct Fit {
  Value *value;
  uint32_t *order;      /* [N] shuffled rows */
  char *input;          /* Real [N][inputs]: observations, encoded */
  double *goal;         /* [N] (target - shift) / scale */
  double *error;        /* [minibatch] */
  double *gradient;     /* [P] */
  const uint32_t *rows; /* of the present minibatch */
  Tape tape;            /* over one minibatch */
} Fit;

/* bytes of one encoded observation */
static size_t input_bytes(const Mlp *mlp) {
  return (size_t)mlp->width[0] * mlp_real(mlp);
}

static void fit_block(void *context, const TapeBlock *block) {
  const Fit *fit = context;
  const Network *net = &fit->value->net;
  const Mlp *mlp = &net->mlp;
  const size_t bytes = input_bytes(mlp);
  const uint32_t *row = fit->rows + block->first;
  double *error = fit->error + block->first;
  for (int i = 0; i < block->n; i++)
    memcpy((char *)block->tape + (size_t)i * bytes, fit->input + row[i] * bytes, bytes);
  mlp_forward(mlp, net->weights, block->n, block->tape);
  /* d/df of (f - goal)^2 / 2 */
  dist_widen(mlp->precision, error, tape_outputs(&fit->tape, block), block->n);
  for (int i = 0; i < block->n; i++) error[i] -= fit->goal[row[i]];
  dist_narrow(mlp->precision, block->out, error, block->n);
  mlp_vjp(mlp, tape_partial(&fit->tape, block->chunk), net->weights, block->n, block->tape,
          block->out, block->work);
}

/* One Adam step on rows order[first .. first + n). Returns their summed squared error, in units of scale^2. */
static double fit_minibatch(Fit *fit, long first, long n) {
  Value *value = fit->value;
  fit->rows = fit->order + first;
  tape_resize(&fit->tape, n);
  tape_gradient(&fit->tape, fit_block, fit, fit->gradient, 2 / (double)n);
  adam_step(&value->adam, value->net.theta, fit->gradient, value->net.P);
  network_set(&value->net, value->net.theta);
  return sum_squares(fit->error, (size_t)n, 0);
}

static Status fit_init(Fit *fit, const double *obs, const double *target, long N, Arena *arena) {
  Value *value = fit->value;
  const Network *net = &value->net;
  const long n = value->options.minibatch < N ? value->options.minibatch : N;
  fit->order = ARENA_PUSH(arena, uint32_t, N);
  fit->input = arena_push(arena, (size_t)N * input_bytes(&net->mlp));
  fit->goal = ARENA_PUSH(arena, double, N);
  fit->error = ARENA_PUSH(arena, double, n);
  fit->gradient = ARENA_PUSH(arena, double, net->P);
  if (!fit->order || !fit->input || !fit->goal || !fit->error || !fit->gradient) return E_NOMEM;
  for (long i = 0; i < N; i++) fit->goal[i] = (target[i] - value->shift) / value->scale;
  for (long first = 0; first < N; first += net->mlp.rows) {
    const long left = N - first, rows = left < net->mlp.rows ? left : net->mlp.rows;
    network_encode(net, fit->input + (size_t)first * input_bytes(&net->mlp), obs + first * value->O,
                   value->O, (int)rows);
  }
  return tape_init(&fit->tape, arena, net, n, 0, 1, 0);
}

Status value_adam(Value *value, ValueFit *info, const double *obs, const double *target, long N,
                  Arena *arena) {
  Fit fit = {.value = value};
  const Status status = fit_init(&fit, obs, target, N, arena);
  if (status != OK) return status;
  for (int epoch = 0; epoch < value->options.epochs; epoch++) {
    Rng rng = rng_at(value->key, RNG_SHUFFLE, (uint32_t)epoch, value->fits);
    double loss = 0;
    rng_permutation(&rng, fit.order, (uint32_t)N);
    for (long first = 0; first < N; first += value->options.minibatch, info->steps++) {
      const long left = N - first;
      loss += fit_minibatch(&fit, first,
                            left < value->options.minibatch ? left : value->options.minibatch);
    }
    info->loss = value->scale * value->scale * loss / (double)N;
  }
  return OK;
}
