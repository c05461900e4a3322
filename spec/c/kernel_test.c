/* Kernels of every instruction set this processor has, in both precisions, against plain loops in double, over random
 * shapes. Every array ends where its memory ends, so that the address sanitizer sees a read or write behind it. */
#include "nn/kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check.h"

enum { CASES = 300 };

static Rng rng;
static const KernelTable *table;
static Precision precision;
static double worst; /* largest error so far, in units of rounding of the sums */
static int alike;    /* whether all that should be equal was */

/* --- arrays of Reals --------------------------------------------------------------------------------------- */

static size_t real(void) {
  return precision == SINGLE ? sizeof(float) : sizeof(double);
}

static double get(const void *array, long i) {
  return precision == SINGLE ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static void set(void *array, long i, double x) {
  if (precision == SINGLE)
    ((float *)array)[i] = (float)x;
  else
    ((double *)array)[i] = x;
}

static void *reals(long n) {
  return calloc((size_t)(n > 0 ? n : 1), real());
}

static void *random_reals(long n) {
  void *array = reals(n);
  for (long i = 0; i < n; i++) set(array, i, rng_normal(&rng));
  return array;
}

/* [rows][columns] whose columns from `held` on are 0 */
static void *random_rows(int rows, int columns, int held) {
  void *array = reals((long)rows * columns);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < held; j++) set(array, (long)i * columns + j, rng_normal(&rng));
  return array;
}

static double *random_doubles(long n) {
  double *array = malloc((size_t)(n > 0 ? n : 1) * sizeof *array);
  rng_fill_normal(&rng, array, (size_t)n);
  for (long i = 0; i < n; i++) array[i] = (double)(float)array[i]; /* the same in both precisions */
  return array;
}

/* an integer from 1 to most, small ones more often */
static int some(int most) {
  const double x = rng_uniform(&rng);
  return 1 + (int)(x * x * most);
}

static void compare(double got, double expected, double size) {
  const double eps = precision == SINGLE ? 0x1p-24 : 0x1p-53;
  const double error = fabs(got - expected) / (eps * (1 + size));
  if (!(error <= worst)) worst = error; /* a NaN counts */
}

/* --- affine maps ------------------------------------------------------------------------------------------- */

/* an affine map with all that its naive copy needs */
typedef struct Case {
  KernelAffine map;
  double *w[2]; /* [depth][columns] */
  int thin;
} Case;

static Case make_case(void) {
  Case c = {.thin = some(3) == 1};
  const int columns = c.thin ? some(KERNEL_THIN) : some(200);
  const int open = c.thin || some(4) == 2; /* rows of y without padding */
  KernelAffine *map = &c.map;
  *map = (KernelAffine){
      .n = some(20), .columns = columns, .dy = open ? columns : KERNEL_PADDED(columns)};
  map->end = open ? KERNEL_PLAIN : (KernelEnd)(some(3) - 1);
  map->activation = (Activation)(some(3) - 1);
  map->y = reals((long)map->n * map->dy);
  map->b_ = some(4) > 1 ? random_rows(1, KERNEL_PADDED(columns), columns) : NULL;
  map->h_ = map->end == KERNEL_SLOPE ? random_rows(map->n, map->dy, columns) : NULL;
  for (int q = 0, operands = some(3) == 1 ? 2 : 1; q < operands; q++) {
    const int depth = some(some(3) == 1 ? 400 : 70);
    const int dx = c.thin ? KERNEL_PADDED(depth) : depth + some(3) - 1;
    void *packed = reals((long)(c.thin ? columns : depth)
                         * KERNEL_PADDED(c.thin ? depth : columns));
    c.w[q] = random_doubles((long)depth * columns);
    if (c.thin)
      table->pack_transposed(packed, c.w[q], columns, depth);
    else
      table->pack(packed, c.w[q], depth, columns);
    map->operand[q] = (KernelOperand){random_rows(map->n, dx, depth), dx, depth, packed};
  }
  return c;
}

static void free_case(Case *c) {
  free(c->map.y), free((void *)c->map.b_), free((void *)c->map.h_);
  for (int q = 0; q < 2; q++)
    free((void *)c->map.operand[q].x), free((void *)c->map.operand[q].w), free(c->w[q]);
}

/* entry j of row i by a plain loop; *size is the sum of its terms' magnitudes */
static double plain_affine(const Case *c, int i, int j, double *size) {
  const KernelAffine *map = &c->map;
  double z = map->b_ ? get(map->b_, j) : 0;
  *size = fabs(z);
  for (int q = 0; q < 2; q++) {
    const KernelOperand *o = map->operand + q;
    for (int k = 0; k < o->depth; k++) {
      const double term = get(o->x, (long)i * o->dx + k) * c->w[q][(long)k * map->columns + j];
      z += term;
      *size += fabs(term);
    }
  }
  if (map->end == KERNEL_PLAIN || map->activation == ACT_IDENTITY) return z;
  if (map->end == KERNEL_ACTIVATION) return map->activation == ACT_TANH ? tanh(z) : fmax(z, 0);
  const double h = get(map->h_, (long)i * map->dy + j);
  const double slope = map->activation == ACT_TANH ? 1 - h * h : h > 0;
  *size *= 1 + fabs(slope) + h * h;
  return z * slope;
}

static void run(const KernelAffine *map, int thin) {
  if (thin)
    table->dots(map);
  else
    table->affine(map);
}

/* row i of a map alone gives the same bits */
static int alone(const Case *c, int i) {
  KernelAffine map = c->map;
  const size_t row = (size_t)map.dy * real();
  const char *among = (const char *)c->map.y + (size_t)i * row;
  map.n = 1;
  map.y = malloc(row);
  if (map.h_) map.h_ = (const char *)map.h_ + (size_t)i * row;
  for (int q = 0; q < 2; q++) {
    KernelOperand *o = map.operand + q;
    o->x = (const char *)o->x + (o->x ? (size_t)i * (size_t)o->dx * real() : 0);
  }
  run(&map, c->thin);
  const int same = memcmp(map.y, among, row) == 0;
  free(map.y);
  return same;
}

static void check_affine(void) {
  Case c = make_case();
  run(&c.map, c.thin);
  for (int i = 0; i < c.map.n; i++) {
    for (int j = 0; j < c.map.columns; j++) {
      double size, expected = plain_affine(&c, i, j, &size);
      compare(get(c.map.y, (long)i * c.map.dy + j), expected, size);
    }
    for (int j = c.map.columns; j < c.map.dy; j++)
      alike &= get(c.map.y, (long)i * c.map.dy + j) == 0;
    alike &= alone(&c, i);
  }
  free_case(&c);
}

/* --- gradients --------------------------------------------------------------------------------------------- */

static void check_gradient(void) {
  const int n = some(60), in = some(100), columns = KERNEL_PADDED(some(150)), ones = some(2) - 1;
  const int dx = in + some(3) - 1, dd = columns;
  void *x = random_reals((long)n * dx), *d = random_reals((long)n * dd);
  void *G = random_reals((long)(in + ones) * columns), *before = reals((long)(in + ones) * columns);
  memcpy(before, G, (size_t)(in + ones) * (size_t)columns * real());
  table->gradient(G, columns, x, dx, in, ones, d, dd, n, NULL);
  for (int i = 0; i < in + ones; i++)
    for (int j = 0; j < columns; j++) {
      double sum = get(before, (long)i * columns + j), size = fabs(sum);
      for (int m = 0; m < n; m++) {
        const double term = (i < in ? get(x, (long)m * dx + i) : 1) * get(d, (long)m * dd + j);
        sum += term;
        size += fabs(term);
      }
      compare(get(G, (long)i * columns + j), sum, size);
    }
  free(x), free(d), free(G), free(before);
}

static void check_sum_rows(void) {
  const int n = some(30), columns = some(40);
  void *d = random_reals((long)n * columns), *s = reals(columns);
  table->sum_rows(s, d, n, columns);
  for (int j = 0; j < columns; j++) {
    double sum = 0, size = 0;
    for (int i = 0; i < n; i++) {
      sum += get(d, (long)i * columns + j);
      size += fabs(get(d, (long)i * columns + j));
    }
    compare(get(s, j), sum, size);
  }
  free(d), free(s);
}

/* --- layouts and sums of chunks ---------------------------------------------------------------------------- */

/* packing a transposed matrix is transposing, then packing */
static void check_transposed(void) {
  const int depth = some(100), columns = some(200);
  const long all = (long)depth * KERNEL_PADDED(columns);
  double *w = random_doubles((long)depth * columns),
         *t = malloc((size_t)depth * (size_t)columns * sizeof *t);
  void *packed = random_reals(all), *transposed = random_reals(all);
  for (int k = 0; k < depth; k++)
    for (int c = 0; c < columns; c++) t[(long)c * depth + k] = w[(long)k * columns + c];
  table->pack(packed, w, depth, columns);
  table->pack_transposed(transposed, t, depth, columns);
  alike &= memcmp(packed, transposed, (size_t)all * real()) == 0;
  free(w), free(t), free(packed), free(transposed);
}

static void check_collect(void) {
  const int count = some(80) - 1, n = KERNEL_PADDED(some(70)),
            stride = n + KERNEL_PAD * (some(3) - 1);
  void *rows = random_reals((long)count * stride);
  double *out = malloc((size_t)n * sizeof *out);
  table->collect(out, rows, count, stride, n);
  for (int j = 0; j < n; j++) {
    double sum = 0, size = 0;
    for (int i = 0; i < count; i++) {
      sum += get(rows, (long)i * stride + j);
      size += fabs(get(rows, (long)i * stride + j));
    }
    alike &= fabs(out[j] - sum) <= 1e-14 * size;
  }
  free(rows), free(out);
}

static void check_encoding(void) {
  const int n = some(100);
  double *x = random_doubles(n), *shift = random_doubles(n), *scale = random_doubles(n);
  void *y = reals(n), *expected = reals(n);
  x[rng_below(&rng, (uint32_t)n)] = NAN;
  table->narrow(y, x, n);
  for (int i = 0; i < n; i++) set(expected, i, x[i]);
  alike &= memcmp(y, expected, (size_t)n * real()) == 0;
  table->normalize(y, x, shift, scale, 1.5, n);
  for (int i = 0; i < n; i++) {
    const double z = (x[i] - shift[i]) * scale[i];
    set(expected, i, z > 1.5 ? 1.5 : z < -1.5 ? -1.5 : z);
  }
  alike &= memcmp(y, expected, (size_t)n * real()) == 0;
  free(x), free(shift), free(scale), free(y), free(expected);
}

/* --- special numbers --------------------------------------------------------------------------------------- */

/* one row through one weight of 1: what act, or its slope, makes of x */
static double through(KernelEnd end, Activation activation, double x, double h) {
  void *in = reals(1), *w = reals(KERNEL_PAD), *y = reals(KERNEL_PAD), *slope = reals(KERNEL_PAD);
  set(in, 0, x);
  set(slope, 0, h);
  table->pack(w, &(double){1}, 1, 1);
  table->affine(&(KernelAffine){.n = 1,
                                .columns = 1,
                                .y = y,
                                .dy = KERNEL_PAD,
                                .operand = {{in, 1, 1, w}},
                                .end = end,
                                .activation = activation,
                                .h_ = slope});
  const double result = get(y, 0);
  free(in), free(w), free(y), free(slope);
  return result;
}

static void check_special(const char *name) {
  const KernelEnd act = KERNEL_ACTIVATION, slope = KERNEL_SLOPE;
  CHECK(isnan(through(act, ACT_RELU, NAN, 0)) && isnan(through(act, ACT_TANH, NAN, 0)),
        "%s: activations keep a NaN", name);
  CHECK(through(act, ACT_RELU, -2, 0) == 0 && through(act, ACT_RELU, INFINITY, 0) == INFINITY
            && through(act, ACT_TANH, -INFINITY, 0) == -1,
        "%s: activations at the ends", name);
  CHECK(through(slope, ACT_RELU, 3, 0) == 0 && through(slope, ACT_RELU, 3, 2) == 3
            && through(slope, ACT_TANH, 3, 1) == 0 && through(slope, ACT_IDENTITY, 3, 9) == 3,
        "%s: slopes", name);
}

static void check_table(const char *isa, const KernelTable *pair) {
  static void (*const checks[])(void) = {check_affine,     check_gradient, check_sum_rows,
                                         check_transposed, check_collect,  check_encoding};
  for (precision = SINGLE; precision <= DOUBLE; precision++) {
    char name[32];
    snprintf(name, sizeof name, "%s, %s", isa, precision == SINGLE ? "single" : "double");
    table = pair + precision;
    rng = rng_at(rng_key(38, 0), RNG_USER, 0, 0);
    worst = 0;
    alike = 1;
    for (size_t k = 0; k < sizeof checks / sizeof *checks; k++)
      for (int i = 0; i < check_cases(CASES); i++) checks[k]();
    CHECK(worst < 12, "%s: sums as plain loops have them, within %.1f roundings", name, worst);
    CHECK(alike, "%s: rows alone, padding, layouts and encodings are exact", name);
    check_special(name);
  }
}

/* kernel_enter flushes denormals, kernel_leave goes back */
static void check_state(void) {
  volatile double small = 0x1p-1030, half = 0.5;
  const unsigned state = kernel_enter();
  const volatile double inside = small * half; /* here, between the two */
  kernel_leave(state);
  CHECK(inside == 0 || !check_flushes(), "denormals are flushed inside");
  CHECK(small * half == 0x1p-1031, "and kept outside");
}

int main(void) {
  check_table("generic", kernel_generic);
#ifdef __x86_64__
  if (isa_supported(ISA_AVX2)) check_table("avx2", kernel_avx2);
  if (isa_supported(ISA_AVX512)) check_table("avx512", kernel_avx512);
#endif
  CHECK(kernel(DOUBLE) == kernel(SINGLE) + 1, "the tables in force belong together");
  check_state();
  return check_failures();
}
