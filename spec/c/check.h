/* The few lines that the C tests share: CHECK prints one line per check, main returns check_failures(), and of random
 * cases the share TRPO_CASES_SHARE is run, where every case takes long. */
#ifndef TRPO_SPEC_CHECK_H
#define TRPO_SPEC_CHECK_H

#ifdef __SSE__
#include <xmmintrin.h>
#endif
#include <stdio.h>
#include <stdlib.h>

static int check_failed;

#define CHECK(condition, ...)                                                                      \
  do {                                                                                             \
    int good_ = (condition);                                                                       \
    check_failed += !good_;                                                                        \
    printf("%s ", good_ ? "ok  " : "FAIL");                                                        \
    printf(__VA_ARGS__);                                                                           \
    printf(good_ ? "\n" : " (%s, line %d)\n", #condition, __LINE__);                               \
  } while (0)

static inline int check_failures(void) {
  return check_failed != 0;
}

/* whether long double, the oracle of some tests, holds more digits than double: valgrind rounds it */
static inline int check_extended(void) {
  volatile long double one = 1;
  return one + 1e-18L != one;
}

/* whether this processor takes denormals for zero when it is told to: valgrind's does not */
static inline int check_flushes(void) {
#ifdef __SSE__
  const volatile double small = 0x1p-1030, half = 0.5;
  const unsigned state = _mm_getcsr();
  _mm_setcsr(state | 0x8040);
  const volatile double product = small * half;
  _mm_setcsr(state);
  return product == 0;
#else
  return 0;
#endif
}

static inline int check_cases(int all) {
  const char *share = getenv("TRPO_CASES_SHARE");
  const int some = share != NULL ? (int)(all * atof(share)) : all;
  return some < 1 ? 1 : some;
}

#endif
