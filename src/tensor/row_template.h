/*
 * Loops over rows, compiled once per instruction set. Included by row_<isa>.c, which defines
 *
 *   ROW_TABLE   name of the RowTable to make
 *
 * The compiler makes vector code of the loops over adjacent elements. z may be an operand, but no element depends on
 * another one: hence ivdep.
 */
#include <math.h>
#include <string.h>

#include "tensor/row.h"

/* Comparisons may be turned into masks: nobody looks at the floating-point flags. NaN stays NaN. */
#pragma GCC optimize("no-trapping-math", "no-math-errno")

#define LOOP _Pragma("GCC ivdep") _Pragma("GCC unroll 4") for (ptrdiff_t i = 0; i < n; i++)

#define DEFINE_UNARY(NAME, name, formula)                                                          \
  static void unary_##name(double *z, ptrdiff_t dz, const double *a, ptrdiff_t da, ptrdiff_t n) {  \
    if (dz == 1 && da == 1) {                                                                      \
      LOOP {                                                                                       \
        const double x = a[i];                                                                     \
        z[i] = (formula);                                                                          \
      }                                                                                            \
      return;                                                                                      \
    }                                                                                              \
    for (ptrdiff_t i = 0; i < n; i++) {                                                            \
      const double x = a[i * da];                                                                  \
      z[i * dz] = (formula);                                                                       \
    }                                                                                              \
  }

/* two rows, a row and a number, a number and a row, anything */
#define DEFINE_BINARY(NAME, name, formula)                                                         \
  static void binary_##name(double *z, ptrdiff_t dz, const double *a, ptrdiff_t da,                \
                            const double *b, ptrdiff_t db, ptrdiff_t n) {                          \
    if (dz == 1 && da == 1 && db == 1) {                                                           \
      LOOP {                                                                                       \
        const double x = a[i], y = b[i];                                                           \
        z[i] = (formula);                                                                          \
      }                                                                                            \
    } else if (dz == 1 && da == 1 && db == 0) {                                                    \
      const double y = *b;                                                                         \
      LOOP {                                                                                       \
        const double x = a[i];                                                                     \
        z[i] = (formula);                                                                          \
      }                                                                                            \
    } else if (dz == 1 && da == 0 && db == 1) {                                                    \
      const double x = *a;                                                                         \
      LOOP {                                                                                       \
        const double y = b[i];                                                                     \
        z[i] = (formula);                                                                          \
      }                                                                                            \
    } else {                                                                                       \
      for (ptrdiff_t i = 0; i < n; i++) {                                                          \
        const double x = a[i * da], y = b[i * db];                                                 \
        z[i * dz] = (formula);                                                                     \
      }                                                                                            \
    }                                                                                              \
  }

/* three rows, a row between numbers, anything */
#define DEFINE_TERNARY(NAME, name, formula)                                                        \
  static void ternary_##name(double *z, ptrdiff_t dz, const double *a, ptrdiff_t da,               \
                             const double *b, ptrdiff_t db, const double *c, ptrdiff_t dc,         \
                             ptrdiff_t n) {                                                        \
    if (dz == 1 && da == 1 && db == 1 && dc == 1) {                                                \
      LOOP {                                                                                       \
        const double x = a[i], y = b[i], w = c[i];                                                 \
        z[i] = (formula);                                                                          \
      }                                                                                            \
    } else if (dz == 1 && da == 1 && db == 0 && dc == 0) {                                         \
      const double y = *b, w = *c;                                                                 \
      LOOP {                                                                                       \
        const double x = a[i];                                                                     \
        z[i] = (formula);                                                                          \
      }                                                                                            \
    } else {                                                                                       \
      for (ptrdiff_t i = 0; i < n; i++) {                                                          \
        const double x = a[i * da], y = b[i * db], w = c[i * dc];                                  \
        z[i * dz] = (formula);                                                                     \
      }                                                                                            \
    }                                                                                              \
  }

ROW_UNARY_LIST(DEFINE_UNARY)
ROW_BINARY_LIST(DEFINE_BINARY)
ROW_TERNARY_LIST(DEFINE_TERNARY)

/* --- folds ----------------------------------------------------------------------------------------------- */

/* eight numbers, and their masks; the compiler splits them for shorter registers */
typedef double Vector __attribute__((vector_size(64)));
typedef long long Mask __attribute__((vector_size(64)));

typedef union Eight {
  Vector vector;
  double x[8];
} Eight;

/* x where the mask holds, else s */
#define CHOOSE(mask, x, s) ((Vector)(((mask) & (Mask)(x)) | (~(mask) & (Mask)(s))))

#define VECTOR_SUM(s, x) ((s) + (x))
#define VECTOR_PROD(s, x) ((s) * (x))
#define VECTOR_MIN(s, x) CHOOSE(((x) < (s)) | ((x) != (x)), x, s)
#define VECTOR_MAX(s, x) CHOOSE(((x) > (s)) | ((x) != (x)), x, s)
#define NUMBER_SUM(s, x) ((s) + (x))
#define NUMBER_PROD(s, x) ((s) * (x))
#define NUMBER_MIN(s, x) ((x) < (s) || (x) != (x) ? (x) : (s))
#define NUMBER_MAX(s, x) ((x) > (s) || (x) != (x) ? (x) : (s))

/* x[0..n-1] by strands of every 32nd; the last elements come padded with the start */
#define DEFINE_FOLD(NAME, name, start)                                                             \
  static double fold_##name(const double *x, ptrdiff_t n) {                                        \
    if (n < 8) {                                                                                   \
      double s = start;                                                                            \
      for (ptrdiff_t i = 0; i < n; i++) {                                                          \
        s = NUMBER_##NAME(s, x[i]);                                                                \
      }                                                                                            \
      return s;                                                                                    \
    }                                                                                              \
    Vector strand[4], v[4];                                                                        \
    for (int k = 0; k < 4; k++) {                                                                  \
      strand[k] = (Vector){start, start, start, start, start, start, start, start};                \
    }                                                                                              \
    ptrdiff_t i = 0;                                                                               \
    for (; i + ROW_STRANDS <= n; i += ROW_STRANDS) {                                               \
      memcpy(v, x + i, sizeof v);                                                                  \
      for (int k = 0; k < 4; k++) {                                                                \
        strand[k] = VECTOR_##NAME(strand[k], v[k]);                                                \
      }                                                                                            \
    }                                                                                              \
    double lane[8] = {start, start, start, start, start, start, start, start};                     \
    for (; i + 8 <= n; i += 8) {                                                                   \
      memcpy(v, x + i, sizeof *v);                                                                 \
      strand[0] = VECTOR_##NAME(strand[0], v[0]);                                                  \
    }                                                                                              \
    for (int k = 0; i < n; i++, k++) {                                                             \
      lane[k] = x[i];                                                                              \
    }                                                                                              \
    memcpy(v, lane, sizeof *v);                                                                    \
    strand[1] = VECTOR_##NAME(strand[1], v[0]);                                                    \
    strand[0] = VECTOR_##NAME(strand[0], strand[1]);                                               \
    strand[2] = VECTOR_##NAME(strand[2], strand[3]);                                               \
    strand[0] = VECTOR_##NAME(strand[0], strand[2]);                                               \
    Eight all = {.vector = strand[0]};                                                             \
    for (int width = 4; width > 0; width /= 2) {                                                   \
      for (int k = 0; k < width; k++) {                                                            \
        all.x[k] = NUMBER_##NAME(all.x[k], all.x[k + width]);                                      \
      }                                                                                            \
    }                                                                                              \
    return all.x[0];                                                                               \
  }

ROW_FOLD_LIST(DEFINE_FOLD)

#define UNARY_ENTRY(NAME, name, formula) [ROW_##NAME] = unary_##name,
#define BINARY_ENTRY(NAME, name, formula) [ROW_##NAME] = binary_##name,
#define TERNARY_ENTRY(NAME, name, formula) [ROW_##NAME] = ternary_##name,
#define FOLD_ENTRY(NAME, name, start) [ROW_##NAME] = fold_##name,

const RowTable ROW_TABLE = {
    .unary = {ROW_UNARY_LIST(UNARY_ENTRY)},
    .binary = {ROW_BINARY_LIST(BINARY_ENTRY)},
    .ternary = {ROW_TERNARY_LIST(TERNARY_ENTRY)},
    .fold = {ROW_FOLD_LIST(FOLD_ENTRY)},
};
