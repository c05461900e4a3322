#include "policy/value_last_layer.h"

#include <math.h>
#include <string.h>

#include "base/blas.h"
#include "base/pool.h"
#include "base/sum.h"
#include "nn/dist.h"

enum { TRIES = 11 };

long value_last_layer_doubles(const Network *net) {
  const Mlp *mlp = &net->mlp;
  return (long)mlp->rows * (mlp->width[mlp->layers - 1] + 2);
}

Status value_last_layer_init(ValueLastLayer *layer, ValueLoss *loss, Arena *arena) {
  const Mlp *mlp = &loss->net->mlp;
  const int F = mlp->width[mlp->layers - 1] + 1;
  const long square = (long)(F + 1) * (F + 1);
  *layer = (ValueLastLayer){.loss = loss, .F = F};
  layer->partial = ARENA_PUSH(arena, double, loss->tape.chunks *square);
  layer->gram = ARENA_PUSH(arena, double, square);
  layer->factor = ARENA_PUSH(arena, double, (long)F *F);
  layer->step = ARENA_PUSH(arena, double, F);
  layer->old = ARENA_PUSH(arena, double, F);
  return layer->partial && layer->gram && layer->factor && layer->step && layer->old ? OK : E_NOMEM;
}

/* rows (phi, e) of a block, in double */
static void fill_rows(const ValueLastLayer *layer, const TapeBlock *block) {
  const ValueLoss *loss = layer->loss;
  const Mlp *mlp = &loss->net->mlp;
  const int H = layer->F - 1, C = layer->F + 1;
  const size_t row_bytes = (size_t)mlp->stride[mlp->layers - 1] * mlp_real(mlp);
  const char *h = mlp_layer(mlp, block->tape, mlp->layers - 1);
  for (int i = 0; i < block->n; i++, h += row_bytes) {
    double *row = block->row + (long)i * C;
    dist_widen(mlp->precision, row, h, H);
    row[H] = 1;
    row[H + 1] = loss->error[block->first + i];
  }
}

/* adds the block's (phi, e)(phi, e)' to its chunk's sums */
static void gram_block(void *context, const TapeBlock *block) {
  const ValueLastLayer *layer = context;
  const int C = layer->F + 1;
  fill_rows(layer, block);
  cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, C, block->n, 1, block->row, C, 1,
              layer->partial + (long)block->chunk * C * C, C);
}

static void normal_equations(ValueLastLayer *layer) {
  const Tape *tape = &layer->loss->tape;
  const size_t square = (size_t)(layer->F + 1) * (size_t)(layer->F + 1);
  memset(layer->partial, 0, (size_t)tape->chunks * square * sizeof(double));
  tape_run(tape, gram_block, layer);
  sum_rows(layer->gram, layer->partial, tape->chunks, square, square, 1 / (double)tape->N);
}

/* step = -(gram + damping I)^-1 b;  gram's last row is b' */
static Status solve(ValueLastLayer *layer, double damping) {
  const int F = layer->F, C = F + 1;
  for (int k = 0; k < TRIES; k++, damping *= 10) {
    for (int j = 0; j < F; j++) {
      memcpy(layer->factor + (long)j * F + j, layer->gram + (long)j * C + j,
             (size_t)(F - j) * sizeof(double));
      layer->factor[(long)j * F + j] += damping;
      layer->step[j] = -layer->gram[(long)j * C + F];
    }
    const int failed = LAPACKE_dposv_work(LAPACK_COL_MAJOR, 'L', F, 1, layer->factor, F,
                                          layer->step, F);
    if (!failed) return isfinite(sum_pairwise(layer->step, (size_t)F)) ? OK : E_NOT_FINITE;
  }
  return E_NOT_POSITIVE;
}

/* theta's last layer: weights, and the bias follows them */
static double *last_layer(const ValueLastLayer *layer) {
  const Network *net = layer->loss->net;
  return net->theta + net->mlp.weight[net->mlp.layers - 1];
}

/* theta's last layer += step; returns the loss there */
static double move(const ValueLastLayer *layer) {
  Network *net = layer->loss->net;
  double *w = last_layer(layer);
  memcpy(layer->old, w, (size_t)layer->F * sizeof *w);
  for (int j = 0; j < layer->F; j++) w[j] += layer->step[j];
  network_set(net, net->theta);
  return value_loss(layer->loss);
}

/* undoes move, in the loss's errors, too */
static void move_back(const ValueLastLayer *layer) {
  Network *net = layer->loss->net;
  memcpy(last_layer(layer), layer->old, (size_t)layer->F * sizeof(double));
  network_set(net, net->theta);
  value_loss(layer->loss);
}

Status value_last_layer_solve(ValueLastLayer *layer, double *L, double damping) {
  normal_equations(layer);
  const Status status = solve(layer, damping);
  if (status != OK) return status;
  const double after = move(layer);
  if (after <= *L)
    *L = after;
  else
    move_back(layer);
  return OK;
}

Status value_last_layer(Value *value, ValueFit *info, const double *obs, const double *target,
                        long N, Arena *arena) {
  const double unit = 2 * value->scale * value->scale;
  ValueLoss loss;
  ValueLastLayer layer;
  Status status = value_loss_init(&loss, value, obs, target, N,
                                  value_last_layer_doubles(&value->net), arena);
  if (status == OK) status = value_last_layer_init(&layer, &loss, arena);
  if (status != OK) return status;
  double L = value_loss(&loss);
  if (!isfinite(L)) return E_NOT_FINITE;
  info->loss_before = unit * L;
  status = value_last_layer_solve(&layer, &L, value->options.lm_damping);
  info->loss = unit * L;
  info->steps = 1;
  return status;
}
