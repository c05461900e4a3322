#ifndef TRPO_HOWARD_H
#define TRPO_HOWARD_H

#include "mdp/control.h"

/**
 * The family of policy iteration: an optimality pass that chooses a policy, then values of that policy, exactly, by a few
 * sweeps over its rows, or by a Krylov method to a residual of a hundredth.
 * Sources: Howard 1960; Puterman and Shin 1978 (modified); Dembo, Eisenstat and Steihaug 1982 (forcing terms).
 */
typedef enum HowardInner {
  HOWARD_EXACT,  /* to the precision of the numbers */
  HOWARD_SWEEPS, /* about 20 sweeps, as many as pay */
  HOWARD_KRYLOV  /* residual of a hundredth of the optimality residual; sweeps when that fails */
} HowardInner;

typedef struct HowardInfo {
  int slow;           /* the sweeps contract so slowly that a Krylov method should be faster */
  const char *solver; /* what chain_solve used last, or NULL */
} HowardInfo;

/**
 * Iterates until control_done or control_spent. With watch, HOWARD_SWEEPS also ends, info->slow set, as soon as it
 * expects more than about a hundred further sweeps. order [S], or NULL, is one for Gauss-Seidel sweeps, by which
 * HOWARD_KRYLOV then settles the policy first.
 *
 * OK, E_NOMEM, E_NOT_FINITE.
 */
Status howard_run(Control *control, HowardInner inner, int watch, const int32_t *order,
                  HowardInfo *info, Arena *ws);

#endif
