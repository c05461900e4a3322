#ifndef TRPO_SOBOL_H
#define TRPO_SOBOL_H

#include <stdint.h>

#include "base/rng.h"

/**
 * Sobol' points: the first 2^k of them are spread evenly over every elementary box of the unit cube.
 * Source: Sobol' 1967; points in the order of Antonov and Saleev 1979 (Gray code); direction numbers of Joe and Kuo 2008,
 * "Constructing Sobol sequences with better two-dimensional projections" (their file new-joe-kuo-6.21201).
 */
enum { SOBOL_DIMENSIONS = 64, SOBOL_BITS = 32 };

/**
 * Points skip .. skip + n - 1 of the sequence, which begins at the origin.
 *
 * out        [out]  coordinates in [0, 1), multiples of 2^-32               [n][d]
 * n, d, skip        1 <= d <= SOBOL_DIMENSIONS, skip + n <= 2^32
 * scramble_  [in,out] generator of a random scrambling that keeps the evenness: a linear one and a digital shift
 *                   (Matousek 1998, "On the L2-discrepancy for anchored boxes"); NULL: the sequence itself
 */
void sobol_points(double *out, long n, int d, uint64_t skip, Rng *scramble_);

#endif
