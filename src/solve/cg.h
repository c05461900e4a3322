#ifndef TRPO_CG_H
#define TRPO_CG_H

#include "base/status.h"

/**
 * Conjugate gradients for (B + damping I) x = b, B symmetric positive semidefinite and given as a callback, with or
 * without a preconditioner: a symmetric positive definite M near the inverse of B + damping I. After k products x minimises
 * x'(B + damping I)x / 2 - b'x over span { Mb, (MC) Mb, ..., (MC)^(k-1) Mb }, C = B + damping I.
 * Source: Hestenes and Stiefel 1952; Nocedal and Wright 2006, algorithms 5.2 and 5.3 (M is their inverse of M).
 *
 * Alongside x it accumulates y = B x from the products it makes anyway (y += alpha_k B p_k), so that the
 * quadratic form x'Bx = x'y costs no further product.
 */
typedef Status (*CgApply)(void *context, double *out,
                          const double *v); /* out = B v; out does not alias v */

typedef struct CgOptions {
  int iterations;   /* most products, >= 1 */
  double tolerance; /* stop when ||b - (B + damping I) x|| <= tolerance ||b|| */
  double damping;   /* >= 0 */
  CgApply
      precondition; /* z = M r, linear; r is the residual divided by a power of two. NULL: M = I */
  void *precondition_context;
} CgOptions;

typedef struct CgInfo {
  int iterations;  /* products made */
  double residual; /* ||b - (B + damping I) x|| / ||b||, by recurrence */
  double xbx;      /* x'Bx, undamped */
  double xx;       /* x'x */
} CgInfo;

/** Doubles of workspace cg_solve wants. */
long cg_work(long n);

/**
 * x     [out]  solution, from x = 0                       [n]
 * b     [in]   right-hand side, not changed               [n]
 * work  [work] cg_work(n) doubles
 *
 * x, b and work must not overlap. Returns OK; CG_LIMIT when the iterations ran out first (x is the last iterate);
 * ZERO_GRADIENT when b = 0 (x = 0); E_CURVATURE when p'(B + damping I)p <= 0, E_PRECONDITIONER when r'Mr <= 0 (x is
 * the last good iterate); E_NOT_FINITE; or a negative status of apply or precondition. Allocates nothing.
 */
Status cg_solve(const CgOptions *options, double *x, CgInfo *info, CgApply apply, void *context,
                const double *b, long n, double *work);

#endif
