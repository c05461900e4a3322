#include "rl/kfac.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "base/sum.h"
#include "nn/kernel.h"

/* rows that are gathered at once; fewest groups in a chunk, most chunks */
enum { GROUP = 64, GROUPS = 2, CHUNKS = 8 };

/* a column of the root of M is dropped where what is left of its diagonal is rounding */
static const double ROUNDING = 1e-12;

static long least(long a, long b) {
  return a < b ? a : b;
}

/* ---- layout ------------------------------------------------------------------------------------------------- */

/* One of so many rows, so that about `wanted` remain; all when there are fewer. */
static long stride_for(long N, double wanted) {
  const double stride = (double)N / wanted;
  return stride < 2 ? 1 : (long)stride;
}

static void choose_rows(Kfac *kfac) {
  const Mlp *mlp = &kfac->policy->net.mlp;
  const long N = kfac->tape->N;
  const double wanted = (double)KFAC_SAMPLES * (mlp->widest + 1);
  kfac->stride_A = stride_for(N, wanted);
  kfac->stride_S = stride_for(N, fmax(wanted / kfac->policy->A, GROUP));
  if (kfac->stride_S < kfac->stride_A) kfac->stride_S = kfac->stride_A;
  kfac->rows_A = (N + kfac->stride_A - 1) / kfac->stride_A;
  kfac->rows_S = (N + kfac->stride_S - 1) / kfac->stride_S;
  const long chunks = kfac->rows_A / (GROUP * GROUPS);
  kfac->chunks = chunks < 1 ? 1 : (int)least(CHUNKS, chunks);
}

/* Doubles of a sum of squares of rows of n, as the kernels add it up: rows padded. */
static size_t padded_square(int n) {
  return (size_t)n * KERNEL_PADDED(n);
}

/* Doubles of all A_l; of all S_l. */
static size_t doubles_A(const Mlp *mlp) {
  size_t sum = 0;
  for (int l = 0; l < mlp->layers; l++) sum += padded_square(mlp->width[l] + 1);
  return sum;
}

static size_t doubles_S(const Mlp *mlp) {
  size_t sum = 0;
  for (int l = 0; l < mlp->layers; l++) sum += padded_square(mlp->width[l + 1]);
  return sum;
}

/* Doubles of W_l' as the kernels want it. */
static size_t packed_doubles(const Mlp *mlp, int l) {
  return (size_t)mlp->width[l + 1] * KERNEL_PADDED(mlp->width[l]);
}

/* Doubles of GROUP padded rows of any layer. */
static long group_doubles(const Mlp *mlp) {
  return GROUP * (long)KERNEL_PADDED(mlp->widest + 1);
}

/* A worker's scratch: activations, columns twice, work of the distribution; or the work of a reduction; or of a solution. */
static long scratch_doubles(const Kfac *kfac) {
  const Policy *policy = kfac->policy;
  long most = group_doubles(&policy->net.mlp) * (1 + 2 * policy->A) + dist_work(GROUP, policy->A);
  for (int l = 0; l < policy->net.mlp.layers; l++) {
    const long reduce = kronecker_reduce_work(&kfac->layer[l]);
    const long solve = kronecker_solve_work(&kfac->layer[l]);
    if (reduce == 0) return 0;
    if (reduce > most) most = reduce;
    if (solve > most) most = solve;
  }
  return most;
}

Status kfac_init(Kfac *kfac, const Policy *policy, const Tape *tape, Arena *arena) {
  const Mlp *mlp = &policy->net.mlp;
  *kfac = (Kfac){.policy = policy, .tape = tape};
  choose_rows(kfac);
  for (int l = 0; l < mlp->layers; l++)
    if (kronecker_init(&kfac->layer[l], mlp->width[l] + 1, mlp->width[l + 1], arena) != OK)
      return E_NOMEM;
  for (int l = 1; l < mlp->layers; l++)
    if (!(kfac->turned[l] = ARENA_PUSH(arena, double, packed_doubles(mlp, l)))) return E_NOMEM;
  if ((kfac->scratch_doubles = scratch_doubles(kfac)) == 0) return E_NOMEM;
  kfac->scratch = ARENA_PUSH(arena, double, pool_threads() * kfac->scratch_doubles);
  kfac->partial = ARENA_PUSH(arena, double,
                             (size_t)kfac->chunks *(doubles_A(mlp) + doubles_S(mlp)));
  return kfac->scratch && kfac->partial ? OK : E_NOMEM;
}

/* ---- factors ------------------------------------------------------------------------------------------------ */

/* to [n][padded] = h_l of n rows of the tape, every stride-th from the first-th on, then `last` (1 or 0), then zeros */
static void gather(const Tape *tape, int l, long first, long stride, int n, double *to, int padded,
                   double last) {
  const Mlp *mlp = &tape->net->mlp;
  const int width = mlp->width[l];
  const size_t row_bytes = (size_t)mlp->stride[l] * mlp_real(mlp);
  for (int i = 0; i < n; i++, to += padded) {
    const long row = (first + i) * stride;
    const char *h = mlp_layer(mlp, tape_block(tape, row / tape->rows), l);
    h += (size_t)(row % tape->rows) * row_bytes;
    dist_widen(mlp->precision, to, h, width);
    for (int j = width; j < padded; j++) to[j] = j == width ? last : 0;
  }
}

/* C [n][padded] += X'X.  X [rows][padded] */
static void add_square(double *c, const double *x, int rows, int n) {
  const int padded = KERNEL_PADDED(n);
  kernel(DOUBLE)->gradient(c, padded, x, padded, n, 0, x, padded, rows, NULL);
}

/* A_l += sum of h h' over n rows, for every layer */
static void add_inputs(const Kfac *kfac, double *sums, long first, int n, double *h) {
  const Mlp *mlp = &kfac->policy->net.mlp;
  for (int l = 0; l < mlp->layers; l++) {
    const int width = mlp->width[l] + 1;
    gather(kfac->tape, l, first, kfac->stride_A, n, h, KERNEL_PADDED(width), 1);
    add_square(sums, h, n, width);
    sums += padded_square(width);
  }
}

/* The columns e_k become those of the lower Cholesky factor of M, for one row; columns lie `apart` doubles apart. Where M is
 * singular, so is the factor: its column is zero. */
static void cholesky(double *m, int A, long apart) {
  for (int k = 0; k < A; k++) {
    double *column = m + k * apart, full = column[k], left = full;
    for (int j = 0; j < k; j++) left -= m[j * apart + k] * m[j * apart + k];
    const double scale = left > ROUNDING * full ? 1 / sqrt(left) : 0;
    for (int a = 0; a < A; a++) {
      double x = a < k ? 0 : column[a];
      for (int j = 0; j < k && a >= k; j++) x -= m[j * apart + a] * m[j * apart + k];
      column[a] = x * scale;
    }
  }
}

/* d [columns][n][A] with sum over columns of d d' = M for each of n rows; returns the number of columns, those that are zero
 * in all rows left out */
static int roots(const Policy *policy, double *d, const double *out, int n, double *work) {
  const int A = policy->A;
  const long column = (long)n * A;
  int kept = 0;
  memset(d, 0, (size_t)A * column * sizeof *d);
  policy->dist->information(DOUBLE, work, out, policy_extra(policy), n, A);
  for (int k = 0; k < A; k++) {
    for (int i = 0; i < n; i++) d[k * column + (long)i * A + k] = 1;
    policy->dist->metric(DOUBLE, d + k * column, work, n, A, A); /* M e_k */
  }
  for (int i = 0; i < n; i++) cholesky(d + (long)i * A, A, column);
  for (int k = 0; k < A; k++) {
    double any = 0;
    for (long i = 0; i < column; i++) any += d[k * column + i] * d[k * column + i];
    if (any == 0) continue;
    if (kept != k) memcpy(d + kept * column, d + k * column, (size_t)column * sizeof *d);
    kept++;
  }
  return kept;
}

/* to [rows][padded] = from [rows][width], then zeros */
static void pad(double *to, const double *from, long rows, int width) {
  const int padded = KERNEL_PADDED(width);
  for (long i = 0; i < rows; i++, to += padded, from += width) {
    memcpy(to, from, (size_t)width * sizeof *to);
    for (int j = width; j < padded; j++) to[j] = 0;
  }
}

/* to [columns][n] = d W_l' * act'(z_{l-1}), one layer back; h [n] = the activations there. Rows are padded. */
static void backpropagate(const Kfac *kfac, int l, int columns, int n, double *to, const double *d,
                          const double *h) {
  const Mlp *mlp = &kfac->policy->net.mlp;
  const int in = KERNEL_PADDED(mlp->width[l]), out = KERNEL_PADDED(mlp->width[l + 1]);
  for (long k = 0; k < columns; k++)
    kernel(DOUBLE)->affine(
        &(KernelAffine){.n = n,
                        .columns = mlp->width[l],
                        .y = to + k * n * in,
                        .dy = in,
                        .operand = {{d + k * n * out, out, mlp->width[l + 1], kfac->turned[l]}},
                        .end = KERNEL_SLOPE,
                        .activation = mlp->activation,
                        .h_ = h});
}

/* S_l += sum of J_l'M J_l over n rows, for every layer: the columns of M's root, backpropagated. sums ends behind S_L. */
static void add_outputs(const Kfac *kfac, double *sums, long first, int n, double *scratch) {
  const Policy *policy = kfac->policy;
  const Mlp *mlp = &policy->net.mlp;
  const long group = group_doubles(mlp);
  double *h = scratch, *d = h + group, *other = d + group * policy->A;
  gather(kfac->tape, mlp->layers, first, kfac->stride_S, n, h, policy->A, 0);
  const int columns = roots(policy, other, h, n, other + group * policy->A);
  pad(d, other, (long)columns * n, policy->A);
  for (int l = mlp->layers - 1;; l--) {
    sums -= padded_square(mlp->width[l + 1]);
    add_square(sums, d, columns * n, mlp->width[l + 1]);
    if (l == 0) break;
    gather(kfac->tape, l, first, kfac->stride_S, n, h, KERNEL_PADDED(mlp->width[l]), 0);
    backpropagate(kfac, l, columns, n, other, d, h);
    double *swap = d;
    d = other, other = swap;
  }
}

static void factor_chunk(void *context, int chunk, int worker) {
  const Kfac *kfac = context;
  const Mlp *mlp = &kfac->policy->net.mlp;
  const size_t all = doubles_A(mlp) + doubles_S(mlp);
  double *sums = kfac->partial + (size_t)chunk * all;
  double *scratch = kfac->scratch + worker * kfac->scratch_doubles;
  const unsigned state = kernel_enter();
  memset(sums, 0, all * sizeof *sums);
  const long end_A = (chunk + 1) * kfac->rows_A / kfac->chunks;
  for (long i = chunk * kfac->rows_A / kfac->chunks; i < end_A; i += GROUP)
    add_inputs(kfac, sums, i, (int)least(GROUP, end_A - i), scratch);
  const long end_S = (chunk + 1) * kfac->rows_S / kfac->chunks;
  for (long i = chunk * kfac->rows_S / kfac->chunks; i < end_S; i += GROUP)
    add_outputs(kfac, sums + all, i, (int)least(GROUP, end_S - i), scratch);
  kernel_leave(state);
}

/* factor [n][n] = mean over rows of the chunks' sums, which begin at *from; *from moves on */
static void finish(const Kfac *kfac, double *factor, int n, const double **from, long rows) {
  const Mlp *mlp = &kfac->policy->net.mlp;
  const size_t all = doubles_A(mlp) + doubles_S(mlp);
  for (long i = 0; i < n; i++)
    sum_rows(factor + i * n, *from + i * KERNEL_PADDED(n), kfac->chunks, all, (size_t)n,
             1 / (double)rows);
  *from += padded_square(n);
}

void kfac_factors(Kfac *kfac) {
  const Mlp *mlp = &kfac->policy->net.mlp;
  const double *from = kfac->partial;
  for (int l = 1; l < mlp->layers; l++)
    kernel(DOUBLE)->pack_transposed(kfac->turned[l], kfac->policy->net.theta + mlp->weight[l],
                                    mlp->width[l + 1], mlp->width[l]);
  pool_run(factor_chunk, kfac, kfac->chunks);
  for (int l = 0; l < mlp->layers; l++)
    finish(kfac, kfac->layer[l].A, mlp->width[l] + 1, &from, kfac->rows_A);
  for (int l = 0; l < mlp->layers; l++)
    finish(kfac, kfac->layer[l].S, mlp->width[l + 1], &from, kfac->rows_S);
}

/* ---- inverse ------------------------------------------------------------------------------------------------ */

typedef struct Reduction {
  Kfac *kfac;
  Status status[2 * MLP_LAYERS];
} Reduction;

static void reduce_factor(void *context, int chunk, int worker) {
  Reduction *reduction = context;
  Kfac *kfac = reduction->kfac;
  const KroneckerSide side = chunk % 2 ? KRONECKER_LARGER : KRONECKER_SMALLER;
  reduction->status[chunk] = kronecker_reduce(&kfac->layer[chunk / 2], side,
                                              kfac->scratch + worker * kfac->scratch_doubles);
}

Status kfac_invert(Kfac *kfac, double damping) {
  const int layers = kfac->policy->net.mlp.layers;
  Reduction reduction = {.kfac = kfac};
  pool_run(reduce_factor, &reduction, 2 * layers);
  for (int c = 0; c < 2 * layers; c++)
    if (reduction.status[c] != OK) return reduction.status[c];
  for (int l = 0; l < layers; l++) kronecker_damp(&kfac->layer[l], damping);
  kfac->extra = 1 / (kfac->policy->dist->extra_fisher + damping);
  return OK;
}

Status kfac_apply(void *context, double *z, const double *r) {
  const Kfac *kfac = context;
  const Mlp *mlp = &kfac->policy->net.mlp;
  /* a layer's weights and, as the last row, its biases are one matrix in theta */
  for (int l = 0; l < mlp->layers; l++)
    kronecker_solve(&kfac->layer[l], z + mlp->weight[l], r + mlp->weight[l], kfac->scratch);
  for (long i = mlp->P; i < kfac->policy->net.P; i++) z[i] = kfac->extra * r[i];
  return OK;
}
