#ifndef TRPO_DECIMAL_H
#define TRPO_DECIMAL_H

#include <stddef.h>

/** Room for any number: a sign, 17 digits, a dot, four zeros before them or an exponent of three digits. */
enum { DECIMAL_BYTES = 28 };

/**
 * Writes the shortest decimal number that reads back as the same bits; of the shortest ones the nearest to x, and the
 * even one of two that are equally near. Numbers below 1e-4 and from 1e16 on have an exponent ("1e-05", "1e+16"), so
 * what stands there without dot and exponent is exactly that integer. Independent of the locale. What is not finite is
 * "nan", "inf" or "-inf".
 *
 * out  [out]  the text, without a final zero                     [DECIMAL_BYTES]
 *
 * Returns the number of characters.
 *
 * Source: Raffaele Giulietti, "The Schubfach way to render doubles" (2021), with the powers of ten in 128 bits as in
 * Alexander Bolz' Drachennest; the powers are computed exactly when the first number is written.
 */
size_t decimal_write(char *out, double x);

#endif
