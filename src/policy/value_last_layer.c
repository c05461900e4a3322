#include "policy/value_last_layer.h"

#include <math.h>
#include <string.h>

#include "base/blas.h"
#include "base/pool.h"
#include "base/sum.h"

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
  return layer->partial && layer->gram && layer->factor && layer->step ? OK : E_NOMEM;
}

/* rows (phi, e) of a block, in double */
static void fill_rows(const ValueLastLayer *layer, const TapeBlock *block) {
  const ValueLoss *loss = layer->loss;
  const Mlp *mlp = &loss->net->mlp;
  const int H = layer->F - 1, C = layer->F + 1;
  const int stride = mlp->stride[mlp->layers - 1];
  const void *h = mlp_layer(mlp, block->tape, mlp->layers - 1);
  for (int i = 0; i < block->n; i++) {
    double *row = block->row + (long)i * C;
    if (mlp->precision == SINGLE)
      for (int j = 0; j < H; j++) row[j] = (double)((const float *)h)[(long)i * stride + j];
    else
      memcpy(row, (const double *)h + (long)i * stride, (size_t)H * sizeof *row);
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

/* theta's last layer += sign step */
static void move(const ValueLastLayer *layer, double sign) {
  Network *net = layer->loss->net;
  double *w = net->theta + net->mlp.weight[net->mlp.layers - 1]; /* the bias follows the weights */
  for (int j = 0; j < layer->F; j++) w[j] += sign * layer->step[j];
  network_set(net, net->theta);
}

Status value_last_layer_solve(ValueLastLayer *layer, double *L, double damping) {
  normal_equations(layer);
  const Status status = solve(layer, damping);
  if (status != OK) return status;
  move(layer, 1);
  const double after = value_loss(layer->loss);
  if (after <= *L) {
    *L = after;
    return OK;
  }
  move(layer, -1);
  value_loss(layer->loss);
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
