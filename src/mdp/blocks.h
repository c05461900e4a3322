#ifndef TRPO_BLOCKS_H
#define TRPO_BLOCKS_H

#include "mdp/control.h"

/**
 * Topological control: the strongly connected components of a process are solved one after the other, each when all that
 * it leads to is known; an acyclic process takes one pass. Source: Dai, Mausam, Weld and Goldsmith 2011.
 *
 * order, begin, count: as topology_components makes them. solve brings a component, a process of its own whose
 * rewards hold the values outside, to its target.
 *
 * control->v and choice get values and greedy rows of all states; the caller finds the bounds by control_step.
 * OK, E_NOMEM, E_NOT_FINITE, or what solve returns.
 */
typedef Status (*BlocksSolve)(Control *control, Arena *ws);

Status blocks_run(Control *control, const int32_t *order, const int32_t *begin, ptrdiff_t count,
                  BlocksSolve solve, Arena *ws);

#endif
