#ifndef TRPO_CLASSES_H
#define TRPO_CLASSES_H

#include "mdp/chain.h"

/** What becomes of a chain without discount that starts in a state. */
typedef enum ClassesKind {
  CLASSES_TRANSIENT, /* it ends, surely */
  CLASSES_ENDED,     /* it stays for ever where no reward is: as good as ended, value 0 */
  CLASSES_PLUS,      /* it may stay where rewards are >= 0 and some are not 0: value +inf */
  CLASSES_MINUS,     /* the same with rewards <= 0: -inf */
  CLASSES_NONE       /* it may stay where rewards have both signs: no value */
} ClassesKind;

/**
 * Sorts the states of a chain by its closed classes, those that are never left (strongly connected components without a way
 * out, Tarjan 1972).
 *
 * kind  [out] a ClassesKind of each state                                                     [S]
 * state [out] on E_IMPROPER a state of a class that is never left and spoils the values
 * ends  [in]  1: the episode can end in the state, however small the probability              [S]
 * rho0  [in]  where chains begin                                                              [S]
 *
 * OK; E_IMPROPER when a state that can be reached has no finite value, or any state no value at all; E_NOMEM.
 */
Status classes_find(unsigned char *kind, ptrdiff_t *state, const Chain *chain,
                    const unsigned char *ends, const double *rho0, Arena *ws);

#endif
