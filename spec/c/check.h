/* The few lines that the C tests share: CHECK prints one line per check, main returns check_failures(), and of random
 * cases the share TRPO_CASES_SHARE is run, where every case takes long. */
#ifndef TRPO_SPEC_CHECK_H
#define TRPO_SPEC_CHECK_H

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

static inline int check_cases(int all) {
  const char *share = getenv("TRPO_CASES_SHARE");
  const int some = share != NULL ? (int)(all * atof(share)) : all;
  return some < 1 ? 1 : some;
}

#endif
