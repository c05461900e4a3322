#include "base/sum.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"

enum { LEAF = 64, TILE = 256, DEPTH = 32 };

/* A leaf is summed in eight interleaved strands, which the compiler keeps in vector registers. */
#define LEAF_SUM(name, params, term)                                                               \
  static double name##_leaf params {                                                               \
    double s[8] = {0};                                                                             \
    size_t i = 0;                                                                                  \
    for (; i + 8 <= n; i += 8)                                                                     \
      for (size_t k = 0; k < 8; k++) s[k] += term(i + k);                                          \
    for (; i < n; i++) s[i & 7] += term(i);                                                        \
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));                      \
  }

/* Half of n, rounded to whole leaves: the tree depends on n alone. */
static size_t half(size_t n) {
  size_t leaves = (n + LEAF - 1) / LEAF;
  return leaves / 2 * LEAF;
}

#define X(i) x[i]
LEAF_SUM(plain, (const double *x, size_t n), X)
#undef X

double sum_pairwise(const double *x, size_t n) {
  if (n <= LEAF) return plain_leaf(x, n);
  size_t m = half(n);
  return sum_pairwise(x, m) + sum_pairwise(x + m, n - m);
}

double sum_mean(const double *x, size_t n) {
  return n ? sum_pairwise(x, n) / (double)n : NAN;
}

#define X(i) ((x[i] - mean) * (x[i] - mean))
LEAF_SUM(squares, (const double *x, size_t n, double mean), X)
#undef X

double sum_squares(const double *x, size_t n, double mean) {
  if (n <= LEAF) return squares_leaf(x, n, mean);
  size_t m = half(n);
  return sum_squares(x, m, mean) + sum_squares(x + m, n - m, mean);
}

#define X(i) (x[i] * y[i])
LEAF_SUM(dot, (const double *x, const double *y, size_t n), X)
#undef X

double sum_dot(const double *x, const double *y, size_t n) {
  if (n <= LEAF) return dot_leaf(x, y, n);
  size_t m = half(n);
  return sum_dot(x, y, m) + sum_dot(x + m, y + m, n - m);
}

/* Columns of a tile of rows, added like a binary counter: level k holds the sum of 2^k rows. */
typedef struct Rows {
  double *out;
  const double *from;
  int count;
  size_t stride, n;
  double scale;
} Rows;

static void add(double *to, const double *x, size_t width) {
  for (size_t j = 0; j < width; j++) to[j] += x[j];
}

static void rows_tile(void *context, int tile, int worker) {
  const Rows *rows = context;
  double level[DEPTH][TILE];
  size_t from = (size_t)tile * TILE;
  size_t width = rows->n - from < TILE ? rows->n - from : TILE;
  int top = 0; /* levels in use: one for every bit of the number of rows so far */
  (void)worker;
  for (int row = 0; row < rows->count; row++) {
    memcpy(level[top++], rows->from + (size_t)row * rows->stride + from, width * sizeof(double));
    /* every trailing one bit of the counter merges two equal subtrees */
    for (int bits = row; bits & 1; bits >>= 1, top--) add(level[top - 2], level[top - 1], width);
  }
  for (; top > 1; top--) add(level[top - 2], level[top - 1], width);
  for (size_t j = 0; j < width; j++) rows->out[from + j] = rows->scale * (top ? level[0][j] : 0.0);
}

void sum_rows(double *out, const double *rows, int count, size_t stride, size_t n, double scale) {
  Rows all = {out, rows, count, stride, n, scale};
  pool_run(rows_tile, &all, (int)((n + TILE - 1) / TILE));
}
