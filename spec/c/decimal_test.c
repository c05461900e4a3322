/* Shortest decimals: every one reads back by strtod, and none of printf's is shorter. */
#include "base/decimal.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { RANDOM = 40000 };

static const char *text_of(double x) {
  static char text[DECIMAL_BYTES + 1];
  text[decimal_write(text, x)] = '\0';
  return text;
}

/* significant digits of a number as text */
static int digits_of(const char *text) {
  int n = 0, zeros = 0;
  for (; *text != '\0' && *text != 'e'; text++) {
    if (*text < '0' || *text > '9' || (n == 0 && *text == '0')) continue;
    n++;
    zeros = *text == '0' ? zeros + 1 : 0;
  }
  return n - zeros;
}

/* the fewest digits with which printf's correctly rounded numbers read back */
static int fewest(double x, char *out) {
  int n = 1;
  for (; n <= 17; n++) {
    sprintf(out, "%.*g", n, x);
    if (strtod(out, NULL) == x) break;
  }
  return n;
}

static int is_right(double x) {
  char other[40];
  const char *text = text_of(x);
  double y = strtod(text, NULL);
  if (memcmp(&x, &y, sizeof x) != 0) return 0;
  const int n = fewest(x, other), ours = digits_of(text);
  /* next to powers of two there may be one that printf does not round to */
  if (ours > n) return 0;
  /* the nearest one of this length */
  return ours < n || strtold(text, NULL) == strtold(other, NULL);
}

static uint64_t state = 42;

/* SplitMix64 */
static uint64_t next_bits(void) {
  uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

static double of_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static void check_layout(void) {
  static const struct {
    double x;
    const char *text;
  } cases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {1.0 / 3, "0.3333333333333333"},
      {1e-4, "0.0001"},
      {1.25e-5, "1.25e-05"},
      {123456789, "123456789"},
      {1e15, "1000000000000000"},
      {1e16, "1e+16"},
      {48700348593782208, "4.870034859378221e+16"},
      {9007199254740991, "9007199254740991"},
      {9007199254740992, "9007199254740992"},
      {9007199254740994, "9007199254740994"},
      {5e-324, "5e-324"},
      {DBL_MIN, "2.2250738585072014e-308"},
      {DBL_MAX, "1.7976931348623157e+308"},
      {1e23, "1e+23"},
      {9.5367431640625e-07, "9.5367431640625e-07"},
      {-2.2250738585072011e-308, "-2.225073858507201e-308"},
      {INFINITY, "inf"},
      {-INFINITY, "-inf"},
      {NAN, "nan"},
      {-NAN, "nan"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK(strcmp(text_of(cases[i].x), cases[i].text) == 0, "%s is written as %s", cases[i].text,
          text_of(cases[i].x));
  }
}

static void check_random(void) {
  const int cases = check_cases(RANDOM);
  long wrong = 0;
  for (int i = 0; i < cases; i++) {
    const double x = of_bits(next_bits());
    wrong += isfinite(x) && !is_right(x);
  }
  CHECK(wrong == 0, "numbers of random bits are shortest and read back (%ld are not)", wrong);
  wrong = 0;
  for (int i = 0; i < cases; i++) {
    /* as they are logged: few digits, and sums of such */
    const double x = (double)(int64_t)(next_bits() >> 40) / pow(10, (double)(i % 12));
    wrong += !is_right(x) || !is_right(x + 0.1) || !is_right((float)x);
  }
  CHECK(wrong == 0, "so are decimals of few digits, and floats (%ld are not)", wrong);
}

/* powers of two, whose lower neighbour is nearer, powers of ten, and their neighbours; all exponents are met */
static void check_powers(void) {
  long wrong = 0;
  for (int e = -1074; e <= 1023; e++) {
    const double x = ldexp(1, e);
    wrong += !is_right(x) || !is_right(-nextafter(x, INFINITY));
    wrong += x > 5e-324 && !is_right(nextafter(x, 0));
  }
  CHECK(wrong == 0, "powers of two and their neighbours (%ld are not)", wrong);
  wrong = 0;
  for (int k = -323; k <= 308; k++) {
    char text[16];
    sprintf(text, "1e%d", k);
    const double x = strtod(text, NULL);
    wrong += !is_right(x) || !is_right(nextafter(x, INFINITY)) || !is_right(nextafter(x, 0));
  }
  CHECK(wrong == 0, "powers of ten and their neighbours (%ld are not)", wrong);
}

int main(void) {
  check_layout();
  check_random();
  check_powers();
  return check_failures();
}
