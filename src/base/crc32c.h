#ifndef TRPO_CRC32C_H
#define TRPO_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/** The checksum CRC-32C (Castagnoli) of n bytes: RFC 3720, 12.1; polynomial 0x11EDC6F41, bits reflected. */
uint32_t crc32c(const void *data, size_t n);

/** The checksum as TFRecord files store it, so that a checksum of bytes with checksums in them is none: rotated, + constant. */
uint32_t crc32c_masked(const void *data, size_t n);

#endif
