#ifndef TRPO_KERNEL_H
#define TRPO_KERNEL_H

#include "base/isa.h"

#ifdef __SSE__
#include <xmmintrin.h>
#endif

/**
 * The loops of a network on a block of rows: affine maps with what follows them, weight gradients, and the layouts
 * that these want. One table of functions per instruction set and precision, all from kernel_template.h.
 *
 * Arrays are of the table's precision ("Real") unless they are called double. Rows of hidden layers lie a stride apart,
 * a multiple of KERNEL_PAD Reals. A row's result is bit for bit the same whatever rows are beside it: sums run over
 * the inputs in order, in every size of tile.
 *
 * Packed matrices: W [depth][columns], columns padded with zeros to a multiple of KERNEL_PAD, is cut into panels of a few
 * vectors' columns, as even as possible; panels follow each other, each [depth][panel columns].
 */
typedef enum Precision { SINGLE, DOUBLE } Precision;
typedef enum Activation { ACT_IDENTITY, ACT_TANH, ACT_RELU } Activation;

enum {
  KERNEL_PAD = 16,
  KERNEL_THIN = 8 /* most outputs of `dots` */
};

/* how many Reals or columns with their padding */
#define KERNEL_PADDED(n) (((n) + KERNEL_PAD - 1) / KERNEL_PAD * KERNEL_PAD)

/** What becomes of z = sum_i x_i W_i + b. */
typedef enum KernelEnd {
  KERNEL_PLAIN,      /* y = z */
  KERNEL_ACTIVATION, /* y = act(z) */
  KERNEL_SLOPE       /* y = z act'(.), from the stored activation h */
} KernelEnd;

/** One operand of an affine map: x [n][depth], rows dx apart, and W packed. depth 0: none. */
typedef struct KernelOperand {
  const void *x;
  int dx, depth;
  const void *w;
} KernelOperand;

/** Memory that will be read soon: kernels fetch it while they compute, `pace` lines (1 or 2) at every step of a loop. */
typedef struct KernelAhead {
  const char *at, *end;
  int pace;
} KernelAhead;

/** y [n][columns] = end(x_0 W_0 + x_1 W_1 + b). */
typedef struct KernelAffine {
  int n, columns;
  void *y;
  int dy; /* KERNEL_PADDED(columns): the padding is written too; or columns: nothing behind them is, which KERNEL_PLAIN and
             the activations but tanh can do */
  const void *b_; /* [padded columns]; NULL: zeros */
  KernelOperand operand[2];
  KernelEnd end;
  Activation activation;
  const void *h_; /* [n][dy], for KERNEL_SLOPE */
  KernelAhead *ahead_;
} KernelAffine;

typedef struct KernelTable {
  /* any affine map */
  void (*affine)(const KernelAffine *map);

  /* y [n][A], A <= KERNEL_THIN outputs: y = x_0 W_0 + x_1 W_1 + b, W' [A][depth] packed, rows of x padded and the padding
   * finite */
  void (*dots)(const KernelAffine *map);

  /* G [in][columns] += X' D, X [n][in] with rows dx apart, D [n][columns] with rows dd apart, columns a multiple of
   * KERNEL_PAD; with_ones: a further row of G += the sum of D's rows */
  void (*gradient)(void *G, int columns, const void *x, int dx, int in, int with_ones,
                   const void *d, int dd, int n, KernelAhead *ahead_);

  /* s [columns] += sum of the rows of d [n][columns] */
  void (*sum_rows)(void *s, const void *d, int n, int columns);

  /* w [depth][columns] double becomes packed; the same for a vector, and for W' [columns][depth] from packed W */
  void (*pack)(void *packed, const double *w, int depth, int columns);
  void (*pack_transposed)(void *packed, const double *w, int depth, int columns);

  /* out [n] double = sum over i < count of rows [count][n], rows stride apart, each column a pairwise tree in double;
   * n a multiple of KERNEL_PAD */
  void (*collect)(double *out, const void *rows, int count, long stride, int n);

  /* y = (Real) x;  y = clip((x - shift) scale), from -clip to clip */
  void (*narrow)(void *y, const double *x, long n);
  void (*normalize)(void *y, const double *x, const double *shift, const double *scale, double clip,
                    int n);
} KernelTable;

/** The table of a precision for the instruction set in force. */
const KernelTable *kernel(Precision precision);

/* one pair of tables, single and double, per instruction set that is compiled for this processor family */
extern const KernelTable kernel_generic[2], kernel_avx2[2], kernel_avx512[2];

/**
 * Kernels run with denormals flushed to zero, between these two: they would be many times slower otherwise.
 * Returns the state that kernel_leave restores.
 */
static inline unsigned kernel_enter(void) {
#ifdef __SSE__
  const unsigned state = _mm_getcsr();
  _mm_setcsr(state | 0x8040); /* flush to zero, denormals are zero */
  return state;
#else
  return 0;
#endif
}

static inline void kernel_leave(unsigned state) {
#ifdef __SSE__
  _mm_setcsr(state);
#else
  (void)state;
#endif
}

#endif
