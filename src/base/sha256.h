#ifndef TRPO_SHA256_H
#define TRPO_SHA256_H

#include <stddef.h>
#include <stdint.h>

/** SHA-256. Source: FIPS 180-4 (NIST, August 2015), sections 4.1.2, 4.2.2, 5.1.1, 5.3.3 and 6.2. */

enum { SHA256_BYTES = 32, SHA256_HEX = 64 };

/** A hash that is being computed. Plain bytes: copying it forks the computation. */
typedef struct Sha256 {
  uint32_t state[8];
  uint64_t count;          /* bytes taken in */
  unsigned char block[64]; /* the last count % 64 of them */
} Sha256;

/** The hash of no bytes. */
Sha256 sha256_begin(void);

/** Takes in n more bytes. */
void sha256_add(Sha256 *hash, const void *data, size_t n);

/** digest [SHA256_BYTES] of all bytes; the hash is used up. */
void sha256_end(Sha256 *hash, unsigned char *digest);

/** The digest of n bytes as lower-case hexadecimal digits and a final zero: hex [SHA256_HEX + 1]. */
void sha256_hex(char *hex, const void *data, size_t n);

#endif
