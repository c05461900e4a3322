#ifndef TRPO_ELIMINATION_H
#define TRPO_ELIMINATION_H

#include "base/arena.h"
#include "mdp/mdp.h"

/**
 * Action elimination: rows that cannot be optimal, because even the upper bound of their value is below the lower bound of
 * their state's, need not be looked at again. Source: MacQueen 1967; Puterman 1994, proposition 6.7.3.
 *
 * Makes the process without the rows whose value reward + gamma sum prob v is more than margin below their state's best.
 *
 * reduced [in,out] a zeroed Mdp; stays so when more than 70 percent of the outcomes would remain
 * kept    [out]    original number of each of its rows                     [mdp->rows]
 * choice  [in,out] rows of mdp that survive, afterwards rows of *reduced   [S]
 *
 * Returns OK or E_NOMEM.
 */
Status elimination_reduce(Mdp *reduced, int64_t *kept, int64_t *choice, const Mdp *mdp,
                          const double *v, double margin, Arena *ws);

#endif
