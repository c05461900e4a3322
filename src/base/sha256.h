#ifndef TRPO_SHA256_H
#define TRPO_SHA256_H

#include <stddef.h>

enum { SHA256_HEX = 64 };

/**
 * The SHA-256 of n bytes as lower-case hexadecimal digits and a final zero.
 * Source: FIPS 180-4 (NIST, August 2015), sections 4.1.2, 4.2.2, 5.1.1, 5.3.3 and 6.2.
 *
 * hex  [out]  [SHA256_HEX + 1]
 */
void sha256_hex(char *hex, const void *data, size_t n);

#endif
