#include "policy/value_loss.h"

#include "base/sum.h"
#include "nn/dist.h"

typedef struct Encode {
  const Network *net;
  const double *obs;
} Encode;

static void encode_block(void *context, const TapeBlock *block) {
  const Encode *encode = context;
  const long O = encode->net->observation.size;
  network_encode(encode->net, block->tape, encode->obs + block->first * O, O, block->n);
}

Status value_loss_init(ValueLoss *loss, Value *value, const double *obs, const double *target,
                       long N, long row_doubles, Arena *arena) {
  *loss = (ValueLoss){.net = &value->net};
  loss->goal = ARENA_PUSH(arena, double, N);
  loss->error = ARENA_PUSH(arena, double, N);
  if (!loss->goal || !loss->error
      || tape_init(&loss->tape, arena, loss->net, N, 1, 1, row_doubles) != OK)
    return E_NOMEM;
  for (long i = 0; i < N; i++) loss->goal[i] = (target[i] - value->shift) / value->scale;
  tape_run(&loss->tape, encode_block, &(Encode){loss->net, obs});
  return OK;
}

static void forward_block(void *context, const TapeBlock *block) {
  const ValueLoss *loss = context;
  const Mlp *mlp = &loss->net->mlp;
  mlp_forward(mlp, loss->net->weights, block->n, block->tape);
  double *error = loss->error + block->first;
  dist_widen(mlp->precision, error, tape_outputs(&loss->tape, block), block->n);
  for (int i = 0; i < block->n; i++) error[i] -= loss->goal[block->first + i];
}

/* adds sum of e J to the chunk's gradient */
static void reverse_block(void *context, const TapeBlock *block) {
  const ValueLoss *loss = context;
  const Mlp *mlp = &loss->net->mlp;
  dist_narrow(mlp->precision, block->out, loss->error + block->first, block->n);
  mlp_vjp(mlp, tape_partial(&loss->tape, block->chunk), loss->net->weights, block->n, block->tape,
          block->out, block->work);
}

static void both_block(void *context, const TapeBlock *block) {
  forward_block(context, block);
  reverse_block(context, block);
}

/* 1/(2N) sum of e^2 */
static double mean_square(const ValueLoss *loss) {
  const long N = loss->tape.N;
  return sum_squares(loss->error, (size_t)N, 0) / (2 * (double)N);
}

double value_loss(ValueLoss *loss) {
  tape_run(&loss->tape, forward_block, loss);
  return mean_square(loss);
}

double value_loss_both(ValueLoss *loss, double *g) {
  tape_gradient(&loss->tape, both_block, loss, g, 1 / (double)loss->tape.N);
  return mean_square(loss);
}

void value_loss_gradient(ValueLoss *loss, double *g) {
  tape_gradient(&loss->tape, reverse_block, loss, g, 1 / (double)loss->tape.N);
}
