/*
 * The kernels of kernel.h for one precision; included after simd_f32.h and simd_f64.h by kernel_<isa>.c, which defines
 *
 *   KERNEL_VMATH   the VmathTable of the instruction set
 *   PANEL          most vectors of a panel: 4 with 32 registers, 2 with 16
 *
 * A tile is ROWS rows of one panel: its ROWS x PANEL accumulators stay in registers while the loop runs over the inputs,
 * or over the rows of a block for a gradient. Sizes of tiles are constants wherever they are inlined.
 */

#ifndef TRPO_KERNEL_ROWS
#define TRPO_KERNEL_ROWS
enum {
  ROWS = 6,
  DEPTH =
      128 /* rows of a panel that stay in the first-level cache: 32 KB with AVX-512, 8 with AVX2, 4 else */
};

#define UNROLL16 _Pragma("GCC unroll 16")

/* the functions of a precision */
#define KERNEL_ENTRIES(precision)                                                                  \
  {                                                                                                \
    .affine = affine_##precision, .dots = dots_##precision, .gradient = gradient_##precision,      \
    .sum_rows = sum_rows_##precision, .pack = pack_##precision,                                    \
    .pack_transposed = pack_transposed_##precision, .collect = collect_##precision,                \
    .narrow = narrow_##precision, .normalize = normalize_##precision                               \
  }

/* the next lines of what will be read soon */
SIMD_INLINE void fetch(KernelAhead *ahead) {
  if (ahead->at >= ahead->end) return;
  __builtin_prefetch(ahead->at, 0, 2);
  if (ahead->pace > 1) __builtin_prefetch(ahead->at + 64, 0, 2);
  ahead->at += 64 * ahead->pace;
}

/* panels of so many vectors, and the vector with which panel p begins */
SIMD_INLINE int panel_count(int vectors) {
  return (vectors + PANEL - 1) / PANEL;
}
SIMD_INLINE int panel_begin(int vectors, int p) {
  return p * vectors / panel_count(vectors);
}
#endif

/* --- affine maps ------------------------------------------------------------------------------------------- */

typedef Vec R(Tile)[ROWS][PANEL];

/* a += x w.  x: rows dx apart;  w [depth][vectors] */
SIMD_INLINE void R(tile_product)(R(Tile) a, int rows, int vectors, const REAL *x, long dx,
                                 const REAL *w, int depth, KernelAhead *ahead) {
  for (int k = 0; k < depth; k++, w += vectors * LANES) {
    Vec b[PANEL];
    fetch(ahead);
    UNROLL for (int c = 0; c < vectors; c++) b[c] = vload(w + c * LANES);
    UNROLL for (int r = 0; r < rows; r++) {
      const Vec s = vset1(x[r * dx + k]);
      UNROLL for (int c = 0; c < vectors; c++) a[r][c] = vfma(s, b[c], a[r][c]);
    }
  }
}

/* What one pass over a panel does: its part of the inputs, from row to row. */
typedef struct R(Pass) {
  REAL *y;
  long dy;
  const REAL *x[2], *w[2];
  long dx[2];
  int depth[2];
  const REAL *b; /* NULL: go on from y */
  const REAL *h; /* NULL: no slope */
  int columns;   /* that may be read and written in y */
  Activation activation;
  KernelAhead *ahead_;
} R(Pass);

SIMD_INLINE Vec R(y_load)(const REAL *y, int columns) {
  return columns >= LANES ? vload(y) : columns > 0 ? vload_part(y, columns) : vzero();
}

SIMD_INLINE void R(y_store)(REAL *y, Vec v, int columns) {
  if (columns >= LANES)
    vstore(y, v);
  else if (columns > 0)
    vstore_part(y, v, columns);
}

/* one tile of a pass, from row i on */
SIMD_INLINE void R(tile)(const R(Pass) * pass, int rows, int vectors, int i, KernelAhead *ahead) {
  R(Tile) a;
  REAL *y = pass->y + i * pass->dy;
  /* begin with the bias, or with what earlier passes left */
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int c = 0; c < vectors; c++)
        a[r][c] = pass->b ? vload(pass->b + c * LANES)
                          : R(y_load)(y + r * pass->dy + c * LANES, pass->columns - c * LANES);
  }
  UNROLL for (int p = 0; p < 2; p++)
      R(tile_product)(a, rows, vectors, pass->x[p] + i * pass->dx[p], pass->dx[p], pass->w[p],
                      pass->depth[p], ahead);
  if (pass->h) {
    const REAL *h = pass->h + i * pass->dy;
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int c = 0; c < vectors; c++)
        a[r][c] = vslope(pass->activation, a[r][c], vload(h + r * pass->dy + c * LANES));
  } else if (pass->activation == ACT_RELU) {
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int c = 0; c < vectors; c++)
        a[r][c] = vrelu(a[r][c]);
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int c = 0; c < vectors; c++)
      R(y_store)(y + r * pass->dy + c * LANES, a[r][c], pass->columns - c * LANES);
  /* tanh while the tile is hot */
  if (!pass->h && pass->activation == ACT_TANH) {
    const int width = vectors * LANES;
    if (pass->dy == width)
      KERNEL_VMATH.R(tanh)(y, y, (size_t)(rows * width));
    else
      for (int r = 0; r < rows; r++)
        KERNEL_VMATH.R(tanh)(y + r * pass->dy, y + r * pass->dy, (size_t)width);
  }
}

/* a pass over n rows */
SIMD_INLINE void R(pass_rows)(const R(Pass) * pass, int vectors, int n) {
  int i = 0;
  KernelAhead ahead = {0}; /* a copy that may live in registers */
  if (pass->ahead_) ahead = *pass->ahead_;
  for (; i + ROWS <= n; i += ROWS) R(tile)(pass, ROWS, vectors, i, &ahead);
  switch (n - i) {
  case 5: R(tile)(pass, 5, vectors, i, &ahead); break;
  case 4: R(tile)(pass, 4, vectors, i, &ahead); break;
  case 3: R(tile)(pass, 3, vectors, i, &ahead); break;
  case 2: R(tile)(pass, 2, vectors, i, &ahead); break;
  case 1: R(tile)(pass, 1, vectors, i, &ahead); break;
  }
  if (pass->ahead_) *pass->ahead_ = ahead;
}

static __attribute__((noinline)) void R(pass)(const R(Pass) * pass, int vectors, int n) {
#if PANEL == 4
  switch (vectors) {
  case 4: R(pass_rows)(pass, 4, n); break;
  case 3: R(pass_rows)(pass, 3, n); break;
  case 2: R(pass_rows)(pass, 2, n); break;
  case 1: R(pass_rows)(pass, 1, n); break;
  }
#else
  (void)vectors; /* every padded width is a multiple of two vectors */
  R(pass_rows)(pass, PANEL, n);
#endif
}

/* All inputs of a panel in one pass if they are few, otherwise DEPTH after DEPTH, with the sums kept in y. */
static void R(panel)(R(Pass) pass, const KernelAffine *map, int vectors) {
  const REAL *h = pass.h;
  const Activation activation = pass.activation;
  const int width = vectors * LANES, total = pass.depth[0] + pass.depth[1];
  if (total <= DEPTH) {
    R(pass)(&pass, vectors, map->n);
    return;
  }
  R(Pass) part = pass;
  int done = 0;
  for (int p = 0; p < 2; p++) {
    /* parts of about equal size */
    const int depth = pass.depth[p], parts = (depth + DEPTH - 1) / DEPTH;
    for (int q = 0; q < parts; q++) {
      const int begin = q * depth / parts, end = (q + 1) * depth / parts;
      part.x[0] = pass.x[p] + begin;
      part.dx[0] = pass.dx[p];
      part.w[0] = pass.w[p] + (long)begin * width;
      part.depth[0] = end - begin;
      part.depth[1] = 0;
      done += end - begin;
      part.h = done == total ? h : NULL;
      part.activation = done == total ? activation : ACT_IDENTITY;
      R(pass)(&part, vectors, map->n);
      part.b = NULL;
    }
  }
}

static void R(affine)(const KernelAffine *map) {
  static const REAL zeros[PANEL * 16];
  const int padded = KERNEL_PADDED(map->columns), vectors = padded / LANES;
  const int writable = map->dy < padded ? map->columns : padded;
  for (int p = 0, panels = panel_count(vectors); p < panels; p++) {
    const int begin = panel_begin(vectors, p), size = panel_begin(vectors, p + 1) - begin;
    const int column = begin * LANES;
    R(Pass)
    pass = {.y = (REAL *)map->y + column,
            .dy = map->dy,
            .b = map->b_ ? (const REAL *)map->b_ + column : zeros,
            .columns = writable - column,
            .ahead_ = map->ahead_,
            .activation = map->end == KERNEL_PLAIN ? ACT_IDENTITY : map->activation};
    if (map->end == KERNEL_SLOPE && map->activation != ACT_IDENTITY)
      pass.h = (const REAL *)map->h_ + column;
    for (int q = 0; q < 2; q++) {
      const KernelOperand *o = map->operand + q;
      pass.x[q] = o->x;
      pass.dx[q] = o->dx;
      pass.depth[q] = o->depth;
      pass.w[q] = (const REAL *)o->w + (long)column * o->depth;
    }
    R(panel)(pass, map, size);
  }
}

/* --- few outputs -------------------------------------------------------------------------------------------- */

/* s[r A + a] += x_r . w_a over all panels, for a few rows */
SIMD_INLINE void R(row_dots)(Vec *s, int rows, int A, const REAL *x, long dx, const REAL *w,
                             int columns) {
  const int vectors = KERNEL_PADDED(columns) / LANES;
  for (int p = 0, panels = panel_count(vectors); p < panels; p++) {
    const int begin = panel_begin(vectors, p), size = panel_begin(vectors, p + 1) - begin;
    const REAL *panel = w + (long)begin * LANES * A;
    for (int c = 0; c < size; c++) UNROLL for (int r = 0; r < rows; r++) {
        const Vec h = vload(x + r * dx + (begin + c) * LANES);
        UNROLL for (int a = 0; a < A; a++)
            s[r * A + a] = vfma(h, vload(panel + (a * size + c) * LANES), s[r * A + a]);
      }
  }
}

/* rows i .. i + rows - 1 of y */
SIMD_INLINE void R(dots_rows)(const KernelAffine *map, int rows, int A, long i) {
  const REAL *b = map->b_;
  Vec s[4 * KERNEL_THIN];
  UNROLL16 for (int a = 0; a < rows * A; a++) s[a] = vzero();
  for (int q = 0; q < 2; q++) {
    const KernelOperand *o = map->operand + q;
    if (o->depth) R(row_dots)(s, rows, A, (const REAL *)o->x + i * o->dx, o->dx, o->w, o->depth);
  }
  REAL *y = (REAL *)map->y + i * map->dy;
  UNROLL16 for (int r = 0; r < rows; r++) UNROLL for (int a = 0; a < A; a++)
      y[r * map->dy + a] = vsum(s[r * A + a]) + (b ? b[a] : 0);
}

/* as many rows share a load of w as registers allow */
SIMD_INLINE void R(dots_of)(const KernelAffine *map, int A) {
  const int rows = A <= 4 && PANEL == 4 ? 4 : A <= 4 || PANEL == 4 ? 2 : 1;
  long i = 0;
  for (; i + rows <= map->n; i += rows) R(dots_rows)(map, rows, A, i);
  for (; i < map->n; i++) R(dots_rows)(map, 1, A, i);
}

static void R(dots)(const KernelAffine *map) {
  switch (map->columns) {
  case 1: R(dots_of)(map, 1); break;
  case 2: R(dots_of)(map, 2); break;
  case 3: R(dots_of)(map, 3); break;
  case 4: R(dots_of)(map, 4); break;
  case 5: R(dots_of)(map, 5); break;
  case 6: R(dots_of)(map, 6); break;
  case 7: R(dots_of)(map, 7); break;
  case 8: R(dots_of)(map, 8); break;
  }
}

/* --- gradients ---------------------------------------------------------------------------------------------- */

/* g [rows][vectors], rows dg apart, += x' d over n rows; with ones, the last row of g += the sum of d's rows */
SIMD_INLINE void R(gradient_tile)(REAL *g, long dg, int rows, int ones, int vectors, const REAL *x,
                                  long dx, const REAL *d, long dd, int n, KernelAhead *ahead) {
  R(Tile) a;
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int c = 0; c < vectors; c++)
      a[r][c] = vload(g + r * dg + c * LANES);
  for (int m = 0; m < n; m++, x += dx, d += dd) {
    Vec b[PANEL];
    fetch(ahead);
    UNROLL for (int c = 0; c < vectors; c++) b[c] = vload(d + c * LANES);
    UNROLL for (int r = 0; r < rows - ones; r++) {
      const Vec s = vset1(x[r]);
      UNROLL for (int c = 0; c < vectors; c++) a[r][c] = vfma(s, b[c], a[r][c]);
    }
    if (ones) {
      UNROLL for (int c = 0; c < vectors; c++) a[rows - 1][c] = vadd(a[rows - 1][c], b[c]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int c = 0; c < vectors; c++)
      vstore(g + r * dg + c * LANES, a[r][c]);
}

typedef struct R(Outer) {
  REAL *g;
  const REAL *x, *d;
  long dg, dx, dd;
  int in, n;
  KernelAhead *ahead_;
} R(Outer);

/* the last rows of g, fewer than a tile or a tile that ends with the row of ones */
#define GRADIENT_TAIL(rows, ones)                                                                  \
  case rows:                                                                                       \
    R(gradient_tile)                                                                               \
    (o->g + i * o->dg, o->dg, rows, ones, vectors, o->x + i, o->dx, o->d, o->dd, o->n, &ahead);    \
    break;

SIMD_INLINE void R(outer_rows)(const R(Outer) * o, int ones, int vectors) {
  long i = 0;
  const int rows = o->in + ones;
  KernelAhead ahead = {0};
  if (o->ahead_) ahead = *o->ahead_;
  for (; i + ROWS <= o->in; i += ROWS) R(gradient_tile)
  (o->g + i * o->dg, o->dg, ROWS, 0, vectors, o->x + i, o->dx, o->d, o->dd, o->n, &ahead);
  if (ones) {
    switch (rows - i) {
      GRADIENT_TAIL(6, 1)
      GRADIENT_TAIL(5, 1)
      GRADIENT_TAIL(4, 1)
      GRADIENT_TAIL(3, 1)
      GRADIENT_TAIL(2, 1)
      GRADIENT_TAIL(1, 1)
    }
  } else {
    switch (rows - i) {
      GRADIENT_TAIL(5, 0)
      GRADIENT_TAIL(4, 0)
      GRADIENT_TAIL(3, 0)
      GRADIENT_TAIL(2, 0)
      GRADIENT_TAIL(1, 0)
    }
  }
  if (o->ahead_) *o->ahead_ = ahead;
}
#undef GRADIENT_TAIL

static __attribute__((noinline)) void R(outer)(const R(Outer) * o, int ones, int vectors) {
#if PANEL == 4
  switch (vectors * 2 + (ones != 0)) {
  case 9: R(outer_rows)(o, 1, 4); break;
  case 8: R(outer_rows)(o, 0, 4); break;
  case 7: R(outer_rows)(o, 1, 3); break;
  case 6: R(outer_rows)(o, 0, 3); break;
  case 5: R(outer_rows)(o, 1, 2); break;
  case 4: R(outer_rows)(o, 0, 2); break;
  case 3: R(outer_rows)(o, 1, 1); break;
  case 2: R(outer_rows)(o, 0, 1); break;
  }
#else
  (void)vectors;
  if (ones)
    R(outer_rows)(o, 1, PANEL);
  else
    R(outer_rows)(o, 0, PANEL);
#endif
}

static void R(gradient)(void *G, int columns, const void *x, int dx, int in, int with_ones,
                        const void *d, int dd, int n, KernelAhead *ahead_) {
  const int vectors = columns / LANES;
  for (int p = 0, panels = panel_count(vectors); p < panels; p++) {
    const int begin = panel_begin(vectors, p), size = panel_begin(vectors, p + 1) - begin;
    R(outer)
    (&(R(Outer)){.g = (REAL *)G + begin * LANES,
                 .x = x,
                 .d = (const REAL *)d + begin * LANES,
                 .dg = columns,
                 .dx = dx,
                 .dd = dd,
                 .in = in,
                 .n = n,
                 .ahead_ = ahead_},
     with_ones, size);
  }
}

static void R(sum_rows)(void *s, const void *d, int n, int columns) {
  for (int c = 0; c < columns; c += LANES) {
    const int k = columns - c;
    REAL *to = (REAL *)s + c;
    Vec sum = R(y_load)(to, k);
    for (int i = 0; i < n; i++)
      sum = vadd(sum, R(y_load)((const REAL *)d + (long)i * columns + c, k));
    R(y_store)(to, sum, k);
  }
}
