#ifndef TRPO_TOPOLOGY_H
#define TRPO_TOPOLOGY_H

#include "base/arena.h"
#include "mdp/chain.h"
#include "mdp/mdp.h"

/**
 * The directed graph of who can follow whom, and orders of its states.
 *
 * The successors of s are next[j], row(s) <= j < row(s + 1), with row(s) = start[first ? first[s] : s]; they may repeat.
 */
typedef struct TopologyGraph {
  ptrdiff_t S;
  const int64_t *first; /* NULL, or the first row of each state [S + 1] */
  const int64_t *start;
  const int32_t *next;
} TopologyGraph;

/** All actions of a process. */
TopologyGraph topology_of_mdp(const Mdp *mdp);

/** One policy. */
TopologyGraph topology_of_chain(const Chain *chain);

static inline int64_t topology_begin(const TopologyGraph *g, ptrdiff_t s) {
  return g->start[g->first != NULL ? g->first[s] : s];
}

/**
 * Strongly connected components, each after all components that it leads to: who solves them in this order finds the
 * values of all successors outside a component done. Source: Tarjan 1972, without recursion; O(S + edges).
 *
 * order [out] the states, component by component                       [S]
 * begin [out] component i is order[begin[i]] .. order[begin[i + 1] - 1]  [S + 1]
 * count [out] number of components
 *
 * Returns OK or E_NOMEM.
 */
Status topology_components(const TopologyGraph *g, int32_t *order, int32_t *begin, ptrdiff_t *count,
                           Arena *ws);

/**
 * Breadth-first order against the arrows: first the states marked as exits, then those that have a way to them of one
 * step, of two, and so on; last, in their own order, those that have none. A Gauss-Seidel sweep in this order carries
 * values from the exits through the whole graph.
 *
 * order [out]                       [S]
 * exits [in] 1: an exit, else 0     [S]
 * reached [out] number of states with a way to an exit; may be NULL
 *
 * Returns OK or E_NOMEM.
 */
Status topology_from_exits(const TopologyGraph *g, int32_t *order, const unsigned char *exits,
                           ptrdiff_t *reached, Arena *ws);

#endif
