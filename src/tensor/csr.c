#include "tensor/csr.h"

#include <string.h>

#include "base/pool.h"
#include "base/sum.h"

/* --- storage --------------------------------------------------------------------------------------------------- */

Status csr_init(Csr *a, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t count) {
  const size_t entries = (size_t)count, starts = (size_t)rows + 1;
  if (entries > PTRDIFF_MAX / 32) {
    return E_NOMEM;
  }
  Buffer *storage = buffer_new(entries * (sizeof *a->value + sizeof *a->column)
                               + starts * sizeof *a->start);
  if (storage == NULL) {
    return E_NOMEM;
  }
  *a = (Csr){.storage = storage, .rows = rows, .columns = columns};
  a->value = storage->data;
  a->start = (int64_t *)(a->value + entries);
  a->column = (int32_t *)(a->start + starts);
  return OK;
}

void csr_share(Csr *a, const Csr *source) {
  buffer_retain(source->storage);
  *a = *source;
}

void csr_free(Csr *a) {
  buffer_release(a->storage);
  memset(a, 0, sizeof *a);
}

/* --- sorting: rows by counting, columns within a row by merging; both keep the order of equals ------------------ */

typedef struct Entry {
  int32_t column;
  double value;
} Entry;

/* below this many entries insertion is faster */
enum { SHORT_ROW = 24 };

static void insertion_sort(Entry *entry, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    const Entry moved = entry[i];
    int64_t j = i;
    for (; j > 0 && entry[j - 1].column > moved.column; j--) {
      entry[j] = entry[j - 1];
    }
    entry[j] = moved;
  }
}

/* work [n] */
static void merge_sort(Entry *entry, int64_t n, Entry *work) {
  if (n <= SHORT_ROW) {
    insertion_sort(entry, n);
    return;
  }
  const int64_t half = n / 2;
  merge_sort(entry, half, work);
  merge_sort(entry + half, n - half, work);
  memcpy(work, entry, (size_t)half * sizeof *work);
  int64_t left = 0, right = half, out = 0;
  while (left < half) {
    const int take_right = right < n && entry[right].column < work[left].column;
    entry[out++] = take_right ? entry[right++] : work[left++];
  }
}

/* entries of one row, sorted, to a from place k on; equals are summed. Returns the place after the last */
static int64_t append_row(Csr *a, int64_t k, const Entry *entry, int64_t n) {
  const int64_t first = k;
  for (int64_t i = 0; i < n; i++) {
    if (k > first && a->column[k - 1] == entry[i].column) {
      a->value[k - 1] += entry[i].value;
    } else {
      a->column[k] = entry[i].column;
      a->value[k++] = entry[i].value;
    }
  }
  return k;
}

/* start [n + 1] = places where the groups of key [count] begin */
static void count_keys(int64_t *start, ptrdiff_t n, const int32_t *key, ptrdiff_t count) {
  memset(start, 0, (size_t)(n + 1) * sizeof *start);
  for (ptrdiff_t k = 0; k < count; k++) {
    start[key[k] + 1]++;
  }
  for (ptrdiff_t i = 0; i < n; i++) {
    start[i + 1] += start[i];
  }
}

/* triplets grouped by row; next [rows + 1] loses its contents */
static void group(Entry *entry, int64_t *next, ptrdiff_t count, const int32_t *row,
                  const int32_t *column, const double *value) {
  for (ptrdiff_t k = 0; k < count; k++) {
    entry[next[row[k]]++] = (Entry){column[k], value[k]};
  }
}

/* moves what remains after duplicates were summed into storage of the right size */
static Status shrink(Csr *a, ptrdiff_t count) {
  Csr exact;
  const Status status = csr_init(&exact, a->rows, a->columns, count);
  if (status == OK) {
    memcpy(exact.start, a->start, (size_t)(a->rows + 1) * sizeof *a->start);
    memcpy(exact.column, a->column, (size_t)count * sizeof *a->column);
    memcpy(exact.value, a->value, (size_t)count * sizeof *a->value);
    csr_free(a);
    *a = exact;
  }
  return status;
}

/* sorts and sums row by row; start [rows + 1]: where the rows begin in entry */
static void append_rows(Csr *a, Entry *entry, Entry *work, const int64_t *start) {
  int64_t k = 0;
  for (ptrdiff_t i = 0; i < a->rows; i++) {
    const int64_t n = start[i + 1] - start[i];
    merge_sort(entry + start[i], n, work);
    a->start[i] = k;
    k = append_row(a, k, entry + start[i], n);
  }
  a->start[a->rows] = k;
}

static Status sort_triplets(Csr *a, ptrdiff_t count, const int32_t *row, const int32_t *column,
                            const double *value, Arena *ws) {
  const ptrdiff_t rows = a->rows;
  Entry *entry = ARENA_PUSH(ws, Entry, count), *work = ARENA_PUSH(ws, Entry, count);
  int64_t *start = ARENA_PUSH(ws, int64_t, rows + 1), *next = ARENA_PUSH(ws, int64_t, rows + 1);
  if (entry == NULL || work == NULL || start == NULL || next == NULL) {
    return E_NOMEM;
  }
  count_keys(start, rows, row, count);
  memcpy(next, start, (size_t)(rows + 1) * sizeof *next);
  group(entry, next, count, row, column, value);
  append_rows(a, entry, work, start);
  return csr_count(a) < count ? shrink(a, csr_count(a)) : OK;
}

Status csr_from_triplets(Csr *a, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t count,
                         const int32_t *row, const int32_t *column, const double *value,
                         Arena *ws) {
  Csr made;
  Status status = csr_init(&made, rows, columns, count);
  if (status != OK) {
    return status;
  }
  const ArenaMark mark = arena_mark(ws);
  status = sort_triplets(&made, count, row, column, value, ws);
  arena_release(ws, mark);
  if (status == OK) {
    *a = made;
  } else {
    csr_free(&made);
  }
  return status;
}

/* --- dense ------------------------------------------------------------------------------------------------------- */

static double element(const Tensor *t, ptrdiff_t i, ptrdiff_t j) {
  return t->data[i * t->stride[0] + j * t->stride[1]];
}

static ptrdiff_t count_nonzero(const Tensor *t) {
  ptrdiff_t count = 0;
  for (ptrdiff_t i = 0; i < t->size[0]; i++) {
    for (ptrdiff_t j = 0; j < t->size[1]; j++) {
      count += element(t, i, j) != 0.0;
    }
  }
  return count;
}

Status csr_from_dense(Csr *a, const Tensor *t) {
  Csr made;
  const Status status = csr_init(&made, t->size[0], t->size[1], count_nonzero(t));
  if (status != OK) {
    return status;
  }
  int64_t k = 0;
  for (ptrdiff_t i = 0; i < t->size[0]; i++) {
    for (ptrdiff_t j = 0; j < t->size[1]; j++) {
      if (element(t, i, j) != 0.0) {
        made.column[k] = (int32_t)j;
        made.value[k++] = element(t, i, j);
      }
    }
    made.start[i + 1] = k;
  }
  *a = made;
  return OK;
}

void csr_to_dense(Tensor *t, const Csr *a) {
  tensor_fill(t, 0.0);
  for (ptrdiff_t i = 0; i < a->rows; i++) {
    for (int64_t k = a->start[i]; k < a->start[i + 1]; k++) {
      t->data[i * t->stride[0] + a->column[k] * t->stride[1]] = a->value[k];
    }
  }
}

double csr_get(const Csr *a, ptrdiff_t i, ptrdiff_t j) {
  int64_t low = a->start[i], high = a->start[i + 1];
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (a->column[middle] < j) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < a->start[i + 1] && a->column[low] == j ? a->value[low] : 0.0;
}

/* --- matrices from matrices ---------------------------------------------------------------------------------------- */

Status csr_transpose(Csr *out, const Csr *a, Arena *ws) {
  Csr made;
  const ptrdiff_t count = csr_count(a);
  const ArenaMark mark = arena_mark(ws);
  int64_t *next = ARENA_PUSH(ws, int64_t, a->columns + 1);
  Status status = next == NULL ? E_NOMEM : csr_init(&made, a->columns, a->rows, count);
  if (status == OK) {
    count_keys(made.start, a->columns, a->column, count);
    memcpy(next, made.start, (size_t)(a->columns + 1) * sizeof *next);
    /* rows come in order, so they are ascending in each column */
    for (ptrdiff_t i = 0; i < a->rows; i++) {
      for (int64_t k = a->start[i]; k < a->start[i + 1]; k++) {
        const int64_t place = next[a->column[k]]++;
        made.column[place] = (int32_t)i;
        made.value[place] = a->value[k];
      }
    }
    *out = made;
  }
  arena_release(ws, mark);
  return status;
}

/* alpha a(i, :) + beta b(i, :) to out from place k on, or only counted when out is NULL; returns the place after it */
static int64_t add_row(Csr *out_, int64_t k, double alpha, const Csr *a, double beta, const Csr *b,
                       ptrdiff_t i) {
  int64_t p = a->start[i], q = b->start[i];
  const int64_t p_end = a->start[i + 1], q_end = b->start[i + 1];
  for (; p < p_end || q < q_end; k++) {
    const int from_a = p < p_end && (q == q_end || a->column[p] <= b->column[q]);
    const int from_b = q < q_end && (p == p_end || b->column[q] <= a->column[p]);
    if (out_ != NULL) {
      out_->column[k] = from_a ? a->column[p] : b->column[q];
      out_->value[k] = from_a && from_b ? alpha * a->value[p] + beta * b->value[q]
                       : from_a         ? alpha * a->value[p]
                                        : beta * b->value[q];
    }
    p += from_a;
    q += from_b;
  }
  return k;
}

Status csr_add(Csr *out, double alpha, const Csr *a, double beta, const Csr *b) {
  Csr made;
  int64_t count = 0, k = 0;
  for (ptrdiff_t i = 0; i < a->rows; i++) {
    count = add_row(NULL, count, alpha, a, beta, b, i);
  }
  const Status status = csr_init(&made, a->rows, a->columns, (ptrdiff_t)count);
  if (status != OK) {
    return status;
  }
  for (ptrdiff_t i = 0; i < a->rows; i++) {
    k = add_row(&made, k, alpha, a, beta, b, i);
    made.start[i + 1] = k;
  }
  *out = made;
  return OK;
}

Status csr_scale(Csr *out, double alpha, const Csr *a) {
  Csr made;
  const ptrdiff_t count = csr_count(a);
  const Status status = csr_init(&made, a->rows, a->columns, count);
  if (status != OK) {
    return status;
  }
  memcpy(made.start, a->start, (size_t)(a->rows + 1) * sizeof *a->start);
  memcpy(made.column, a->column, (size_t)count * sizeof *a->column);
  for (ptrdiff_t k = 0; k < count; k++) {
    made.value[k] = alpha * a->value[k];
  }
  *out = made;
  return OK;
}

/* --- products -------------------------------------------------------------------------------------------------------- */

/* entries times columns of the dense operand that are worth a chunk, and the most chunks */
enum { CHUNK_WORK = 1 << 14, MOST_CHUNKS = 64, MOST_SUMS = 8 };

/* a product that the pool works on; all arrays contiguous row by row, K = 1 for vectors */
typedef struct Product {
  const Csr *a;
  const double *x;
  double *out;
  ptrdiff_t K;
  int chunks;
} Product;

static int chunks_for(ptrdiff_t work, int most) {
  const ptrdiff_t chunks = 1 + work / CHUNK_WORK;
  return chunks < most ? (int)chunks : most;
}

/* the first row of a chunk: chunks have about equally many rows and entries */
static ptrdiff_t first_row(const Csr *a, int chunk, int chunks) {
  const double target = (double)(csr_count(a) + a->rows) * chunk / chunks;
  ptrdiff_t low = 0, high = a->rows;
  while (low < high) {
    const ptrdiff_t middle = low + (high - low) / 2;
    if ((double)(a->start[middle] + middle) < target) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return chunk == chunks ? a->rows : low;
}

static void multiply_rows(void *context, int chunk, int worker) {
  const Product *p = context;
  const Csr *a = p->a;
  const ptrdiff_t K = p->K, end = first_row(a, chunk + 1, p->chunks);
  (void)worker;
  for (ptrdiff_t i = first_row(a, chunk, p->chunks); i < end; i++) {
    if (K == 1) {
      p->out[i] = csr_row_dot(a, i, p->x);
      continue;
    }
    double *out = p->out + i * K;
    memset(out, 0, (size_t)K * sizeof *out);
    for (int64_t k = a->start[i]; k < a->start[i + 1]; k++) {
      const double value = a->value[k], *x = p->x + a->column[k] * K;
      for (ptrdiff_t j = 0; j < K; j++) {
        out[j] += value * x[j]; /* out(i, :) += a(i, c) x(c, :) */
      }
    }
  }
}

/* each chunk scatters its rows into sums of its own */
static void scatter_rows(void *context, int chunk, int worker) {
  const Product *p = context;
  const Csr *a = p->a;
  const ptrdiff_t K = p->K, end = first_row(a, chunk + 1, p->chunks);
  double *sums = p->out + chunk * a->columns * K;
  (void)worker;
  memset(sums, 0, (size_t)(a->columns * K) * sizeof *sums);
  for (ptrdiff_t i = first_row(a, chunk, p->chunks); i < end; i++) {
    const double *x = p->x + i * K;
    for (int64_t k = a->start[i]; k < a->start[i + 1]; k++) {
      double *out = sums + a->column[k] * K;
      for (ptrdiff_t j = 0; j < K; j++) {
        out[j] += a->value[k] * x[j]; /* out(c, :) += a(i, c) x(i, :) */
      }
    }
  }
}

/* *data = the elements of t row by row: its own, or a copy (only the room for one when it is a result) */
static Status borrow(double **data, const Tensor *t, int result, Arena *ws) {
  if (tensor_is_contiguous(t)) {
    *data = t->data;
    return OK;
  }
  *data = ARENA_PUSH(ws, double, tensor_count(t->ndim, t->size));
  if (*data != NULL && !result) {
    tensor_read(t, *data);
  }
  return *data != NULL ? OK : E_NOMEM;
}

static void settle(Tensor *out, const double *data) {
  if (data != out->data) {
    tensor_write(out, data);
  }
}

static Status multiply(Tensor *out, const Csr *a, const Tensor *x, ptrdiff_t K, Arena *ws) {
  double *from, *to;
  if (a->rows == 0 || K == 0) {
    return OK;
  }
  if (borrow(&from, x, 0, ws) != OK || borrow(&to, out, 1, ws) != OK) {
    return E_NOMEM;
  }
  Product p = {a, from, to, K, chunks_for((csr_count(a) + a->rows) * K, MOST_CHUNKS)};
  pool_run(multiply_rows, &p, p.chunks);
  settle(out, to);
  return OK;
}

static Status multiply_transposed(Tensor *out, const Csr *a, const Tensor *x, ptrdiff_t K,
                                  Arena *ws) {
  double *from;
  const ptrdiff_t width = a->columns * K;
  if (width == 0) {
    return OK;
  }
  /* more sums are worth while only when adding them up is little work; as ever, that depends on the problem only */
  const ptrdiff_t work = csr_count(a) * K - 4 * width;
  Product p = {.a = a, .K = K, .chunks = work > 0 ? chunks_for(work, MOST_SUMS) : 1};
  p.out = ARENA_PUSH(ws, double, p.chunks *width);
  double *total = p.chunks > 1 ? ARENA_PUSH(ws, double, width) : p.out;
  if (p.out == NULL || total == NULL || borrow(&from, x, 0, ws) != OK) {
    return E_NOMEM;
  }
  p.x = from;
  pool_run(scatter_rows, &p, p.chunks);
  if (p.chunks > 1) {
    sum_rows(total, p.out, p.chunks, (size_t)width, (size_t)width, 1.0);
  }
  tensor_write(out, total);
  return OK;
}

Status csr_mv(Tensor *out, const Csr *a, const Tensor *x, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const Status status = multiply(out, a, x, 1, ws);
  arena_release(ws, mark);
  return status;
}

Status csr_mm(Tensor *out, const Csr *a, const Tensor *x, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const Status status = multiply(out, a, x, x->size[1], ws);
  arena_release(ws, mark);
  return status;
}

Status csr_tmv(Tensor *out, const Csr *a, const Tensor *x, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const Status status = multiply_transposed(out, a, x, 1, ws);
  arena_release(ws, mark);
  return status;
}

Status csr_tmm(Tensor *out, const Csr *a, const Tensor *x, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const Status status = multiply_transposed(out, a, x, x->size[1], ws);
  arena_release(ws, mark);
  return status;
}
