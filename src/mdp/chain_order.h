#ifndef TRPO_CHAIN_ORDER_H
#define TRPO_CHAIN_ORDER_H

#include "mdp/chain.h"

/**
 * An order of the states in which the likeliest transitions lead backwards: from each state along likeliest successors to one
 * that has its place already, the states of the path then get theirs from its end on. All but one of each cycle of
 * likeliest transitions lead to an earlier state.
 *
 * order [out] order[i] is the i-th state                    [S]
 */
Status chain_order_find(int32_t *order, const Chain *chain, Arena *ws);

/** 1 when most states have one successor that is far likelier than the others: there the order matters to solvers. */
int chain_order_matters(const Chain *chain);

/** The chain with state order[i] as its i-th, in the arena; its rewards are not set. */
Status chain_order_permute(Chain *out, const Chain *chain, const int32_t *order, Arena *ws);

#endif
