#include "mdp/chain_lu.h"

#include <string.h>

#include "base/blas.h"

static ptrdiff_t larger(ptrdiff_t a, ptrdiff_t b) {
  return a > b ? a : b;
}

/* rows of the stored matrix: those of the matrix, or of its band with room for what pivoting fills in */
static ptrdiff_t height(const ChainLu *f) {
  return f->banded ? 2 * f->lower + f->upper + 1 : f->S;
}

void chain_lu_plan(ChainLu *f, const Chain *c) {
  *f = (ChainLu){.S = c->S};
  for (ptrdiff_t s = 0; s < c->S; s++) {
    if (c->start[s] < c->start[s + 1]) {
      f->lower = larger(f->lower, s - c->next[c->start[s]]);
      f->upper = larger(f->upper, c->next[c->start[s + 1] - 1] - s);
    }
  }
  f->banded = 2 * f->lower + f->upper + 1 < c->S / 2;
}

double chain_lu_work(const ChainLu *f) {
  const double S = (double)f->S, lower = (double)f->lower, upper = (double)f->upper;
  return f->banded ? 2.0 * S * (lower + 1.0) * (lower + upper + 1.0) : 2.0 / 3.0 * S * S * S;
}

Status chain_lu_factor(ChainLu *f, const Chain *c, Arena *ws) {
  const ptrdiff_t S = c->S, rows = height(f);
  /* entry (i, j) lies at j rows + i dense, and that much plus lower + upper - j banded */
  const ptrdiff_t diagonal = f->banded ? f->lower + f->upper : 0;
  const ptrdiff_t column = f->banded ? rows - 1 : rows;
  if (S > INT32_MAX / 2 || rows > PTRDIFF_MAX / 8 / S) {
    return E_NOMEM;
  }
  f->lu = ARENA_PUSH(ws, double, rows *S);
  f->swaps = ARENA_PUSH(ws, lapack_int, S);
  if (f->lu == NULL || f->swaps == NULL) {
    return E_NOMEM;
  }
  memset(f->lu, 0, (size_t)(rows * S) * sizeof *f->lu);
  for (ptrdiff_t s = 0; s < S; s++) {
    double *row = f->lu + diagonal + s;
    for (int64_t j = c->start[s]; j < c->start[s + 1]; j++) {
      row[c->next[j] * column] = -c->gamma * c->prob[j];
    }
    row[s * column] += 1.0;
  }
  const lapack_int n = (lapack_int)S, lower = (lapack_int)f->lower, upper = (lapack_int)f->upper;
  const lapack_int info = f->banded
                              ? LAPACKE_dgbtrf_work(LAPACK_COL_MAJOR, n, n, lower, upper, f->lu,
                                                    (lapack_int)rows, f->swaps)
                              : LAPACKE_dgetrf_work(LAPACK_COL_MAJOR, n, n, f->lu, n, f->swaps);
  return info == 0 ? OK : E_SINGULAR;
}

void chain_lu_solve(const ChainLu *f, double *x) {
  const lapack_int n = (lapack_int)f->S;
  if (f->banded) {
    LAPACKE_dgbtrs_work(LAPACK_COL_MAJOR, 'N', n, (lapack_int)f->lower, (lapack_int)f->upper, 1,
                        f->lu, (lapack_int)height(f), f->swaps, x, n);
  } else {
    LAPACKE_dgetrs_work(LAPACK_COL_MAJOR, 'N', n, 1, f->lu, n, f->swaps, x, n);
  }
}
