#ifndef TRPO_DECIMAL_H
#define TRPO_DECIMAL_H

#include <stddef.h>

/** Room for any number: a sign, 17 digits, a dot, four zeros before them or an exponent of three digits. */
enum { DECIMAL_BYTES = 28 };

/**
 * Writes the shortest decimal number that reads back as the same bits; of the shortest ones the nearest to x, and the
 * even one of two that are equally near. Exponents stand where printf's %.17g has them ("1e-05", "1e+17"), so integers
 * below 1e17 are written as such. Independent of the locale. Not finite: "nan", "inf", "-inf".
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
