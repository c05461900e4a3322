#ifndef TRPO_CHAIN_LU_H
#define TRPO_CHAIN_LU_H

#include "mdp/chain.h"

/**
 * I - gamma P_pi by LAPACK's LU with partial pivoting: in banded form (dgbtrf) where all transitions lead near by, as in
 * queues, corridors and narrow grids, else dense (dgetrf). The order of the states is the process's own.
 */
typedef struct ChainLu {
  ptrdiff_t S;
  ptrdiff_t lower, upper; /* a transition leads at most that far back, ahead */
  int banded;
  double *lu; /* [S, S], or [S, 2 lower + upper + 1] banded; column by column */
  int *swaps; /* [S] */
} ChainLu;

/** How far transitions lead, and which form is cheaper; lu and swaps are not touched. */
void chain_lu_plan(ChainLu *f, const Chain *chain);

/** Multiplications and additions of factoring, about. */
double chain_lu_work(const ChainLu *f);

/** Factors what was planned, in the arena. E_NOMEM, E_SINGULAR when a pivot is exactly zero. */
Status chain_lu_factor(ChainLu *f, const Chain *chain, Arena *ws);

/** x = (I - gamma P_pi)^-1 x. x [S] */
void chain_lu_solve(const ChainLu *f, double *x);

#endif
