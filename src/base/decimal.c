#include "base/decimal.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

typedef unsigned __int128 Wide;

/* --- powers of ten --------------------------------------------------------------------------------------- */

/* an unsigned number, lowest word first: 5^324 has 753 bits, and 2^831 / 5^292 still has 154 */
enum { WORDS = 13, LEAST = -292, MOST = 324 };

/* power[k - LEAST] = ceil(10^k 2^-r), with the r that gives it 128 bits */
static Wide power[MOST - LEAST + 1];
static pthread_once_t power_once = PTHREAD_ONCE_INIT;

/* the 128 leading bits; one more when the number is inexact or there are bits behind them */
static Wide leading(const uint64_t *number, int inexact) {
  int top = WORDS - 1;
  while (number[top] == 0) top--;
  uint64_t word[3] = {0};
  for (int i = 0; i < 3 && i <= top; i++) {
    word[i] = number[top - i];
  }
  for (int i = 3; i <= top; i++) {
    inexact |= number[top - i] != 0;
  }
  int shift = __builtin_clzll(word[0]);
  Wide bits = ((Wide)word[0] << 64 | word[1]) << shift | ((Wide)word[2] << shift) >> 64;
  inexact |= word[2] << shift != 0;
  return bits + (Wide)inexact;
}

static void compute_powers(void) {
  /* 10^k has the leading bits of 5^k */
  uint64_t number[WORDS] = {1};
  for (int k = 0; k <= MOST; k++) {
    power[k - LEAST] = leading(number, 0);
    Wide carry = 0;
    for (int i = 0; i < WORDS; i++) {
      carry += (Wide)number[i] * 5;
      number[i] = (uint64_t)carry;
      carry >>= 64;
    }
  }
  /* floor(floor(x / 5) / 5) = floor(x / 25), so all bits are exact here, too; the division never comes out even */
  memset(number, 0, sizeof number);
  number[WORDS - 1] = (uint64_t)1 << 63;
  for (int k = -1; k >= LEAST; k--) {
    Wide rest = 0;
    for (int i = WORDS - 1; i >= 0; i--) {
      rest = rest << 64 | number[i];
      number[i] = (uint64_t)(rest / 5);
      rest %= 5;
    }
    power[k - LEAST] = leading(number, 1);
  }
}

/* --- the shortest digits --------------------------------------------------------------------------------- */

/* digits 10^exponent */
typedef struct Decimal {
  uint64_t digits;
  int exponent;
} Decimal;

/* the integer part of g cp 2^-128; its last bit is set when something was cut off */
static uint64_t round_to_odd(Wide g, uint64_t cp) {
  Wide low = (Wide)(uint64_t)g * cp;
  Wide high = (Wide)(uint64_t)(g >> 64) * cp + (low >> 64);
  return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* floor(q log10(2)), or floor(log10(3/4 2^q)) where the lower neighbour is nearer */
static int floor_log10(int q, int nearer) {
  return (q * 1262611 - (nearer ? 524031 : 0)) >> 22;
}

/* floor(k log2(10)) */
static int floor_log2_power(int k) {
  return (k * 1741647) >> 19;
}

/* c 2^q is the number; nearer: half as far from its lower neighbour as from the upper one */
static Decimal shortest(uint64_t c, int q, int nearer) {
  const int k = floor_log10(q, nearer);
  const int h = q + floor_log2_power(-k) + 1;
  const Wide g = power[-k - LEAST];
  /* four times the number and the bounds of what rounds to it, in units of 10^k */
  const uint64_t v = round_to_odd(g, (4 * c) << h);
  const uint64_t lower = round_to_odd(g, (4 * c - 2 + (uint64_t)nearer) << h) + (c & 1);
  const uint64_t upper = round_to_odd(g, (4 * c + 2) << h) - (c & 1);
  const uint64_t s = v / 4;
  /* one digit less, if just one such number lies within the bounds */
  if (s >= 10) {
    const uint64_t tens = s / 10;
    const int below = lower <= 40 * tens, above = 40 * tens + 40 <= upper;
    if (below != above) return (Decimal){tens + (uint64_t)above, k + 1};
  }
  const int below = lower <= 4 * s, above = 4 * s + 4 <= upper;
  if (below != above) return (Decimal){s + (uint64_t)above, k};
  /* both do: the nearer one, or the even one */
  const uint64_t middle = 4 * s + 2;
  const int up = v > middle || (v == middle && (s & 1) != 0);
  return (Decimal){s + (uint64_t)up, k};
}

/* x > 0 and finite */
static Decimal to_decimal(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
  const int exponent = (int)(bits >> 52);
  const uint64_t c = exponent > 0 ? fraction | (uint64_t)1 << 52 : fraction;
  const int q = (exponent > 0 ? exponent : 1) - 1075;
  /* integers below 2^53 are their own digits */
  if (q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0) return (Decimal){c >> -q, 0};
  return shortest(c, q, fraction == 0 && exponent > 1);
}

/* --- text ------------------------------------------------------------------------------------------------ */

/* "e-05", "e+123" */
static char *add_exponent(char *out, int exponent) {
  *out++ = 'e';
  *out++ = exponent < 0 ? '-' : '+';
  exponent = exponent < 0 ? -exponent : exponent;
  if (exponent >= 100) *out++ = (char)('0' + exponent / 100);
  *out++ = (char)('0' + exponent / 10 % 10);
  *out++ = (char)('0' + exponent % 10);
  return out;
}

static char *add_zeros(char *out, int n) {
  if (n > 0) memset(out, '0', (size_t)n);
  return out + (n > 0 ? n : 0);
}

static char *add_digits(char *out, const char *digits, int n) {
  memcpy(out, digits, (size_t)n);
  return out + n;
}

/* n digits, with the decimal point behind `point` of them */
static char *lay_out(char *out, const char *digits, int n, int point) {
  if (point < -3 || point > 16) {
    out = add_digits(out, digits, 1);
    if (n > 1) {
      *out++ = '.';
      out = add_digits(out, digits + 1, n - 1);
    }
    return add_exponent(out, point - 1);
  }
  if (point >= n) return add_zeros(add_digits(out, digits, n), point - n);
  if (point > 0) {
    out = add_digits(out, digits, point);
    *out++ = '.';
    return add_digits(out, digits + point, n - point);
  }
  *out++ = '0';
  *out++ = '.';
  return add_digits(add_zeros(out, -point), digits, n);
}

static size_t write_word(char *out, const char *word) {
  size_t n = strlen(word);
  memcpy(out, word, n);
  return n;
}

size_t decimal_write(char *out, double x) {
  if (isnan(x)) return write_word(out, "nan");
  if (isinf(x)) return write_word(out, x > 0 ? "inf" : "-inf");
  if (x == 0) return write_word(out, signbit(x) ? "-0" : "0");
  pthread_once(&power_once, compute_powers);
  Decimal d = to_decimal(fabs(x));
  for (; d.digits % 10 == 0; d.digits /= 10) d.exponent++;
  /* from the last digit to the first */
  char text[20];
  int first = sizeof text;
  for (; d.digits > 0; d.digits /= 10) text[--first] = (char)('0' + d.digits % 10);
  const int n = (int)sizeof text - first;
  char *end = out;
  if (x < 0) *end++ = '-';
  return (size_t)(lay_out(end, text + first, n, n + d.exponent) - out);
}
