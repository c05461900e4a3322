#ifndef TRPO_CHAIN_H
#define TRPO_CHAIN_H

#include "base/arena.h"
#include "mdp/mdp.h"

/**
 * The Markov chain of a process under one policy: P_pi by rows and r_pi.
 *
 *   P_pi(s, s') = sum_a pi(a | s) P(s' | s, a),   r_pi(s) = sum_a pi(a | s) R(s, a)
 *
 * All products are parallel over the grid of mdp.h; their bits do not depend on the number of threads.
 */
typedef struct Chain {
  Buffer *storage;
  ptrdiff_t S;
  double gamma;
  double row_sum;   /* largest sum of a row of P_pi */
  int64_t *start;   /* [S + 1] */
  int32_t *next;    /* [start[S]] ascending and distinct within a row */
  double *prob;     /* [start[S]] > 0 */
  double *reward;   /* [S] */
  int64_t capacity; /* entries that the storage has room for */
  double *part;     /* [mdp_chunks(S)] sums of chunks */
} Chain;

/** The chain of a stochastic policy pi [S, A]. A zeroed Chain or one of the same process, whose storage is then used again. */
Status chain_init(Chain *chain, const Mdp *mdp, const double *pi, Arena *ws);

/** The chain of the deterministic policy that takes row choice[s] (a row of mdp, not an action) in state s; choice [S]. */
Status chain_select(Chain *chain, const Mdp *mdp, const int64_t *choice);

void chain_free(Chain *chain);

/**
 * Empties the rows of the states with drop[s] != 0 and makes their rewards 0: the value of these states is 0, and
 * visits that come there end there. drop [S]
 */
void chain_drop(Chain *chain, const unsigned char *drop);

/** The chain with P_pi' in the place of P_pi, rows ascending, in the arena; reward and row_sum are those of source. */
Status chain_transpose(Chain *chain, const Chain *source, Arena *ws);

/** out = v - gamma P_pi v, the operator of the linear systems. out [S] must not alias v [S]. */
void chain_apply(const Chain *chain, double *out, const double *v);

/** Ways to solve. */
typedef enum ChainMethod {
  CHAIN_AUTO,     /* LU for small S, else the others one after another until one arrives */
  CHAIN_LU,       /* dense or banded, with iterative refinement */
  CHAIN_BICGSTAB, /* both Krylov methods are preconditioned by Gauss-Seidel where that pays */
  CHAIN_GMRES,
  CHAIN_ITERATION /* Gauss-Seidel sweeps over blocks of states; converges for every gamma < 1 */
} ChainMethod;

/** Most states for which CHAIN_AUTO begins with LU. */
enum { CHAIN_DENSE = 200 };

typedef struct ChainInfo {
  const char *method; /* "lu", "bicgstab", "gmres", "iteration" */
  int iterations;     /* products with P_pi */
  double residual;    /* sup norm of b - (I - gamma P_pi) x; the 1-norm for the transposed system */
} ChainInfo;

/**
 * Solves (I - gamma P_pi) x = b to a sup norm of the residual <= tolerance, or as far as double precision goes.
 *
 * x    [in,out] first guess, solution                                                [S]
 * b    [in]                                                                          [S]
 * info [out]
 *
 * LU with refinement for small S, otherwise BiCGStab with residual replacement, then GMRES, then plain iteration.
 * OK; LIMIT when the residual stayed above tolerance (x is the best found); E_NOMEM, E_NOT_FINITE.
 */
Status chain_solve(const Chain *chain, double *x, const double *b, double tolerance,
                   ChainInfo *info, Arena *ws);

/** The same for (I - gamma P_pi)' x = b, residual in the 1-norm. */
Status chain_solve_transposed(const Chain *chain, double *x, const double *b, double tolerance,
                              ChainInfo *info, Arena *ws);

/** Both by a given method; LIMIT also when that method did not arrive, E_SINGULAR from LU when it met a zero pivot. */
Status chain_solve_by(ChainMethod method, const Chain *chain, double *x, const double *b,
                      double tolerance, ChainInfo *info, Arena *ws);
Status chain_solve_transposed_by(ChainMethod method, const Chain *chain, double *x, const double *b,
                                 double tolerance, ChainInfo *info, Arena *ws);

#endif
