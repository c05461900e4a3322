/*
 * The functions of kernel.h that prepare weights and sum gradients, for one precision; included after kernel_template.h,
 * whose panels they lay out.
 */

/* --- layouts ------------------------------------------------------------------------------------------------ */

static void R(narrow)(void *y, const double *x, long n) {
  REAL *to = y;
  for (long i = 0; i < n; i++) to[i] = (REAL)x[i];
}

static void R(normalize)(void *y, const double *x, const double *shift, const double *scale,
                         double clip, int n) {
  REAL *to = y;
  for (int i = 0; i < n; i++) {
    const double z = (x[i] - shift[i]) * scale[i], low = z < -clip ? -clip : z;
    to[i] = (REAL)(low > clip ? clip : low); /* a NaN stays */
  }
}

static void R(pack)(void *packed, const double *w, int depth, int columns) {
  REAL *to = packed;
  const int vectors = KERNEL_PADDED(columns) / LANES, panels = panel_count(vectors);
  if (panels == 1 && columns == vectors * LANES) {
    R(narrow)(to, w, (long)depth * columns);
    return;
  }
  for (int p = 0; p < panels; p++) {
    const int begin = panel_begin(vectors, p) * LANES;
    const int width = panel_begin(vectors, p + 1) * LANES - begin;
    const int some = columns - begin < width ? columns - begin : width; /* may be negative */
    const int held = some > 0 ? some : 0;
    for (int k = 0; k < depth; k++, to += width) {
      R(narrow)(to, w + (long)k * columns + begin, held);
      for (int c = held; c < width; c++) to[c] = 0;
    }
  }
}

typedef double R(Four_f64) __attribute__((vector_size(32), aligned(8)));
typedef REAL R(Four) __attribute__((vector_size(4 * sizeof(REAL)), aligned(sizeof(REAL))));
typedef SIMD_NAME(int, SIMD_BITS, _t) R(Order) __attribute__((vector_size(4 * sizeof(REAL))));

/* to [4][4], rows `width` apart, = the transpose of w [4][4], rows `depth` apart */
SIMD_INLINE void R(transpose_four)(REAL *to, long width, const double *w, long depth) {
  const R(Order) low = {0, 4, 1, 5}, high = {2, 6, 3, 7}, first = {0, 1, 4, 5},
                 second = {2, 3, 6, 7};
  R(Four) row[4];
  for (int r = 0; r < 4; r++)
    row[r] = __builtin_convertvector(*(const R(Four_f64) *)(w + r * depth), R(Four));
  const R(Four) a = __builtin_shuffle(row[0], row[1], low),
                b = __builtin_shuffle(row[0], row[1], high);
  const R(Four) c = __builtin_shuffle(row[2], row[3], low),
                d = __builtin_shuffle(row[2], row[3], high);
  *(R(Four) *)to = __builtin_shuffle(a, c, first);
  *(R(Four) *)(to + width) = __builtin_shuffle(a, c, second);
  *(R(Four) *)(to + 2 * width) = __builtin_shuffle(b, d, first);
  *(R(Four) *)(to + 3 * width) = __builtin_shuffle(b, d, second);
}

/* `span` columns of a panel, of which `held` exist.  w [held][depth] */
static void R(transpose_strip)(REAL *to, long width, const double *w, int depth, int span,
                               int held) {
  const int deep = depth / 4 * 4, full = held / 4 * 4;
  for (int k = 0; k < deep; k += 4)
    for (int c = 0; c < full; c += 4)
      R(transpose_four)(to + k * width + c, width, w + (long)c * depth + k, depth);
  /* what is left over below and to the right, and the padding */
  for (int k = 0; k < depth; k++)
    for (int c = k < deep ? full : 0; c < span; c++)
      to[k * width + c] = c < held ? (REAL)w[(long)c * depth + k] : 0;
}

/* w is [columns][depth] */
static void R(pack_transposed)(void *packed, const double *w, int depth, int columns) {
  const int vectors = KERNEL_PADDED(columns) / LANES;
  for (int p = 0, panels = panel_count(vectors); p < panels; p++) {
    const int begin = panel_begin(vectors, p) * LANES, end = panel_begin(vectors, p + 1) * LANES;
    REAL *panel = (REAL *)packed + (long)begin * depth;
    for (int c = begin; c < end; c += KERNEL_PAD) {
      const int span = end - c < KERNEL_PAD ? end - c : KERNEL_PAD, left = columns - c;
      const int held = left > span ? span : left > 0 ? left : 0;
      R(transpose_strip)(panel + c - begin, end - begin, w + (long)c * depth, depth, span, held);
    }
  }
}

/* --- sums of chunks ------------------------------------------------------------------------------------------ */

/* sum [KERNEL_PAD] = columns of up to eight rows, as a tree */
SIMD_INLINE void R(collect_leaf)(double *sum, const REAL *rows, int count, long stride) {
  static const REAL zeros[KERNEL_PAD];
  const REAL *row[8];
  for (int k = 0; k < 8; k++) row[k] = k < count ? rows + k * stride : zeros;
  for (int j = 0; j < KERNEL_PAD; j++) {
    const double a = (double)row[0][j] + (double)row[1][j],
                 b = (double)row[2][j] + (double)row[3][j];
    const double c = (double)row[4][j] + (double)row[5][j],
                 d = (double)row[6][j] + (double)row[7][j];
    sum[j] = (a + b) + (c + d);
  }
}

/* Leaves of eight rows, added like a binary counter: level k holds the sum of 2^k leaves. */
static void R(collect_strip)(double *out, const REAL *rows, int count, long stride) {
  double level[32][KERNEL_PAD];
  int top = 0;
  memset(level[0], 0, sizeof level[0]); /* the sum of no rows */
  for (int i = 0; i < count; i += 8, top++) {
    R(collect_leaf)(level[top], rows + i * stride, count - i, stride);
    /* every trailing one bit of the counter merges two equal subtrees */
    for (int bits = i / 8; bits & 1; bits >>= 1, top--)
      for (int j = 0; j < KERNEL_PAD; j++) level[top - 1][j] += level[top][j];
  }
  for (; top > 1; top--)
    for (int j = 0; j < KERNEL_PAD; j++) level[top - 2][j] += level[top - 1][j];
  memcpy(out, level[0], sizeof level[0]);
}

/* One row or two, as small batches have them: what a leaf makes of them, without its zeros. */
static void R(collect_few)(double *restrict out, const REAL *first, const REAL *second_, int n) {
  for (int j = 0; j < n; j++)
    out[j] = ((double)first[j] + (second_ ? (double)second_[j] : 0.0)) + 0.0; /* -0 becomes 0 */
}

static void R(collect)(double *out, const void *rows, int count, long stride, int n) {
  if (count == 1 || count == 2) {
    R(collect_few)(out, rows, count == 2 ? (const REAL *)rows + stride : NULL, n);
    return;
  }
  for (int j = 0; j < n; j += KERNEL_PAD)
    R(collect_strip)(out + j, (const REAL *)rows + j, count, stride);
}
