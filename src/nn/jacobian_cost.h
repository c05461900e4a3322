#ifndef TRPO_JACOBIAN_COST_H
#define TRPO_JACOBIAN_COST_H

#include "nn/jacobian.h"

/**
 * Which of the two exact forms of a Gauss-Newton product is cheaper, by a fixed model: nothing is timed when the program
 * runs, so the choice, and with it the bits of the result, depends on shapes, precision, number of rows and instruction set only.
 *
 *   seconds per row and product = max(matrix operations / matrix rate + cache operations / cache rate, bytes / bandwidth)
 *
 * Classical, with P_W weights: matrix operations 8 P_W - 4 width_0 width_1; bytes: the activations.
 * Cached: 4 per hidden weight, with building the cache, 2 A sum_l width_l width_{l+1}, spread over the products; cache
 * operations: 4 A for every kept hidden unit and 8 A for the last layer's; bytes: activations and cache.
 */
double jacobian_cost_classical(const Mlp *net);
double jacobian_cost_cached(const Jacobian *jacobian, int products);

/** The most bytes of a cache that is chosen for being cheaper. */
#define JACOBIAN_CACHE_MOST ((size_t)1 << 30)

/** Whether the cached form is the cheaper one, and its cache for so many blocks not larger than JACOBIAN_CACHE_MOST. */
int jacobian_cost_worthwhile(const Jacobian *jacobian, int products, long blocks);

#endif
