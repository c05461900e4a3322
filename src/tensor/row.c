#include "tensor/row.h"

#include <math.h>
#include <string.h>

#include "base/vmath.h"

const RowTable *row(void) {
  return ISA_TABLE(row, isa());
}

/* --- functions of one number ----------------------------------------------------------------------------- */

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) {
  return a < b ? a : b;
}

/* z = f(x) by a function of adjacent elements; others go through a block of copies */
static void map_row(void (*f)(double *, const double *, size_t), double *z, ptrdiff_t dz,
                    const double *x, ptrdiff_t dx, ptrdiff_t n) {
  if (dz == 1 && dx == 1) {
    f(z, x, (size_t)n);
    return;
  }
  double block[ROW_BLOCK];
  for (ptrdiff_t from = 0; from < n; from += ROW_BLOCK) {
    ptrdiff_t m = least(ROW_BLOCK, n - from);
    for (ptrdiff_t i = 0; i < m; i++) block[i] = x[(from + i) * dx];
    f(block, block, (size_t)m);
    for (ptrdiff_t i = 0; i < m; i++) z[(from + i) * dz] = block[i];
  }
}

#define DEFINE_VMATH(NAME, name, function)                                                         \
  static void unary_##name(double *z, ptrdiff_t dz, const double *x, ptrdiff_t dx, ptrdiff_t n) {  \
    map_row(vmath()->function, z, dz, x, dx, n);                                                   \
  }
ROW_VMATH_LIST(DEFINE_VMATH)

/* 1 / (1 + e^-x) of adjacent elements */
static void sigmoid(double *z, const double *x, size_t count) {
  const RowTable *table = row();
  const double one = 1.0;
  double block[ROW_BLOCK];
  for (ptrdiff_t from = 0, n = (ptrdiff_t)count; from < n; from += ROW_BLOCK) {
    ptrdiff_t m = least(ROW_BLOCK, n - from);
    table->unary[ROW_NEG](block, 1, x + from, 1, m);
    vmath()->exp_f64(block, block, (size_t)m);
    table->binary[ROW_ADD](block, 1, block, 1, &one, 0, m);
    table->unary[ROW_INVERSE](z + from, 1, block, 1, m);
  }
}

static void unary_sigmoid(double *z, ptrdiff_t dz, const double *x, ptrdiff_t dx, ptrdiff_t n) {
  map_row(sigmoid, z, dz, x, dx, n);
}

double row_log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

#define DEFINE_LIBM(NAME, name, function)                                                          \
  static void unary_##name(double *z, ptrdiff_t dz, const double *x, ptrdiff_t dx, ptrdiff_t n) {  \
    for (ptrdiff_t i = 0; i < n; i++) z[i * dz] = function(x[i * dx]);                             \
  }
ROW_LIBM_LIST(DEFINE_LIBM)

RowUnary *row_unary(RowUnaryOp op) {
  static RowUnary *const rest[ROW_UNARIES] = {
#define ENTRY(NAME, name, function) [ROW_##NAME] = unary_##name,
      ROW_VMATH_LIST(ENTRY) ROW_LIBM_LIST(ENTRY)
#undef ENTRY
          [ROW_SIGMOID] = unary_sigmoid,
  };
  return op < ROW_SIMPLE ? row()->unary[op] : rest[op];
}

/* --- functions of two numbers ---------------------------------------------------------------------------- */

static void binary_pow(double *z, ptrdiff_t dz, const double *x, ptrdiff_t dx, const double *y,
                       ptrdiff_t dy, ptrdiff_t n) {
  if (dy == 0 && *y == 2.0) {
    row()->unary[ROW_SQUARE](z, dz, x, dx, n);
  } else if (dy == 0 && *y == -1.0) {
    row()->unary[ROW_INVERSE](z, dz, x, dx, n);
  } else {
    for (ptrdiff_t i = 0; i < n; i++) z[i * dz] = pow(x[i * dx], y[i * dy]);
  }
}

static void binary_atan2(double *z, ptrdiff_t dz, const double *x, ptrdiff_t dx, const double *y,
                         ptrdiff_t dy, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) z[i * dz] = atan2(x[i * dx], y[i * dy]);
}

static void binary_remainder(double *z, ptrdiff_t dz, const double *x, ptrdiff_t dx,
                             const double *y, ptrdiff_t dy, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const double b = y[i * dy];
    double rest = fmod(x[i * dx], b);
    /* the sign is the divisor's */
    if (rest != 0.0 && (rest < 0.0) != (b < 0.0)) rest += b;
    z[i * dz] = rest;
  }
}

RowBinary *row_binary(RowBinaryOp op) {
  RowBinary *const *simple = row()->binary;
  switch (op) {
  case ROW_POW: return binary_pow;
  case ROW_ATAN2: return binary_atan2;
  case ROW_REMAINDER: return binary_remainder;
  default: return simple[op];
  }
}
