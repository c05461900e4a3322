#ifndef TRPO_ROW_H
#define TRPO_ROW_H

#include <stddef.h>

/**
 * Arithmetic on rows: n elements each, strides in elements, one table of functions per instruction set (the set that
 * base/vmath chose). Everything but the transcendental functions is one rounded operation per element, so results do
 * not depend on alignment, stride, length or instruction set; those are base/vmath's and the C library's.
 * z may be exactly an operand (same address and stride), not overlap one otherwise.
 */

/* X(NAME, name, formula in x) */
#define ROW_UNARY_LIST(X)                                                                          \
  X(NEG, neg, -x)                                                                                  \
  X(ABS, abs, __builtin_fabs(x))                                                                   \
  X(SQRT, sqrt, __builtin_sqrt(x))                                                                 \
  X(RELU, relu, x < 0.0 ? 0.0 : x)                                                                 \
  X(SIGN, sign, x != x ? x : (x > 0.0 ? 1.0 : 0.0) - (x < 0.0 ? 1.0 : 0.0))                        \
  X(FLOOR, floor, __builtin_floor(x))                                                              \
  X(CEIL, ceil, __builtin_ceil(x))                                                                 \
  X(ROUND, round, __builtin_rint(x))                                                               \
  X(ISNAN, isnan, x != x ? 1.0 : 0.0)                                                              \
  X(ISINF, isinf, __builtin_fabs(x) == (double)INFINITY ? 1.0 : 0.0)                               \
  X(ISFINITE, isfinite, __builtin_fabs(x) < (double)INFINITY ? 1.0 : 0.0)                          \
  X(NOT, not, x == 0.0 ? 1.0 : 0.0)                                                                \
  X(TRUTH, truth, x != 0.0 ? 1.0 : 0.0)                                                            \
  X(SQUARE, square, x *x)                                                                          \
  X(INVERSE, inverse, 1.0 / x)

/* the same for all instruction sets, from base/vmath or the C library: X(NAME, name, function) */
#define ROW_VMATH_LIST(X)                                                                          \
  X(EXP, exp, exp_f64)                                                                             \
  X(LOG, log, log_f64)                                                                             \
  X(TANH, tanh, tanh_f64)
#define ROW_LIBM_LIST(X)                                                                           \
  X(LOG2, log2, log2)                                                                              \
  X(LOG10, log10, log10)                                                                           \
  X(LOG1P, log1p, log1p)                                                                           \
  X(EXPM1, expm1, expm1)                                                                           \
  X(SIN, sin, sin)                                                                                 \
  X(COS, cos, cos)                                                                                 \
  X(TAN, tan, tan)                                                                                 \
  X(ASIN, asin, asin)                                                                              \
  X(ACOS, acos, acos)                                                                              \
  X(ATAN, atan, atan)                                                                              \
  X(SINH, sinh, sinh)                                                                              \
  X(COSH, cosh, cosh)                                                                              \
  X(ERF, erf, erf)                                                                                 \
  X(LGAMMA, lgamma, row_log_gamma)

/* X(NAME, name, formula in x and y); a NaN in either operand of maximum and minimum comes through */
#define ROW_BINARY_LIST(X)                                                                         \
  X(ADD, add, x + y)                                                                               \
  X(SUB, sub, x - y)                                                                               \
  X(MUL, mul, x *y)                                                                                \
  X(DIV, div, x / y)                                                                               \
  X(MAXIMUM, maximum, x > y || x != x ? x : y)                                                     \
  X(MINIMUM, minimum, x < y || x != x ? x : y)                                                     \
  X(LT, lt, x < y ? 1.0 : 0.0)                                                                     \
  X(LE, le, x <= y ? 1.0 : 0.0)                                                                    \
  X(GT, gt, x > y ? 1.0 : 0.0)                                                                     \
  X(GE, ge, x >= y ? 1.0 : 0.0)                                                                    \
  X(EQ, eq, x == y ? 1.0 : 0.0)                                                                    \
  X(NE, ne, x != y ? 1.0 : 0.0)

/* X(NAME, name, formula in x, y and w) */
#define ROW_TERNARY_LIST(X)                                                                        \
  X(MULADD, muladd, x *y + w)                                                                      \
  X(WHERE, where, x != 0.0 ? y : w)                                                                \
  X(CLAMP, clamp, x < y ? y : (x > w ? w : x))

/* X(NAME, name, start): what a row is folded into; a NaN comes through min and max */
#define ROW_FOLD_LIST(X)                                                                           \
  X(SUM, sum, 0.0)                                                                                 \
  X(PROD, prod, 1.0)                                                                               \
  X(MIN, min, INFINITY)                                                                            \
  X(MAX, max, -INFINITY)

#define ROW_ENUM(NAME, name, formula) ROW_##NAME,
typedef enum RowUnaryOp {
  ROW_UNARY_LIST(ROW_ENUM) ROW_SIMPLE, /* how many are in the tables */
  ROW_BEFORE_VMATH = ROW_SIMPLE - 1,
  ROW_VMATH_LIST(ROW_ENUM) ROW_SIGMOID,
  ROW_LIBM_LIST(ROW_ENUM) ROW_UNARIES
} RowUnaryOp;

typedef enum RowBinaryOp {
  ROW_BINARY_LIST(ROW_ENUM) ROW_BINARIES,
  ROW_POW = ROW_BINARIES,
  ROW_ATAN2,
  ROW_REMAINDER /* x - floor(x / y) y, as Lua's % */
} RowBinaryOp;

typedef enum RowTernaryOp { ROW_TERNARY_LIST(ROW_ENUM) ROW_TERNARIES } RowTernaryOp;
typedef enum RowFoldOp { ROW_FOLD_LIST(ROW_ENUM) ROW_FOLDS } RowFoldOp;
#undef ROW_ENUM

typedef void RowUnary(double *z, ptrdiff_t dz, const double *x, ptrdiff_t dx, ptrdiff_t n);
typedef void RowBinary(double *z, ptrdiff_t dz, const double *x, ptrdiff_t dx, const double *y,
                       ptrdiff_t dy, ptrdiff_t n);
typedef void RowTernary(double *z, ptrdiff_t dz, const double *x, ptrdiff_t dx, const double *y,
                        ptrdiff_t dy, const double *w, ptrdiff_t dw, ptrdiff_t n);
typedef double RowFold(const double *x, ptrdiff_t n);

typedef struct RowTable {
  RowUnary *unary[ROW_SIMPLE];
  RowBinary *binary[ROW_BINARIES];
  RowTernary *ternary[ROW_TERNARIES];
  RowFold *fold
      [ROW_FOLDS]; /* of adjacent elements, in ROW_STRANDS strands which are then folded pairwise */
} RowTable;

enum {
  ROW_STRANDS = 32,
  ROW_BLOCK = 256 /* elements that are worked on at a time where a copy is needed */
};

/* one table per instruction set that is compiled for this processor family */
extern const RowTable row_generic, row_avx2, row_avx512;

/** The table in force. */
const RowTable *row(void);

/** The function of an operation; POW is the C library's but for the exponents -1, 0, 1 and 2. */
RowUnary *row_unary(RowUnaryOp op);
RowBinary *row_binary(RowBinaryOp op);

/** log |gamma(x)|, without the C library's global sign. */
double row_log_gamma(double x);

#endif
