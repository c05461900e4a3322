/**
 * Seconds of one call of a 64-64 tanh policy from C: what acting costs without Lua.
 *
 * Each line of the input is `mode` or `sample`, rows and calls; the answer is the seconds of one call.
 *
 *   build/bench/inference OBSERVATIONS ACTIONS discrete|box single|double
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "subject.h"

/* Seconds of one call over N rows; negative when it fails. */
static double measure(const Policy *policy, int sample, long N, int calls, Arena *arena) {
  const ArenaMark mark = arena_mark(arena);
  Rng rng = rng_at(rng_key(2, 0), RNG_USER, 0, 0);
  const size_t inputs = (size_t)(N * policy->net.observation.size);
  double *obs = ARENA_PUSH(arena, double, inputs);
  double *action = ARENA_PUSH(arena, double, N * policy->A);
  double *log_prob = ARENA_PUSH(arena, double, N);
  Status status = obs && action && log_prob ? OK : E_NOMEM;
  if (status == OK) rng_fill_normal(&rng, obs, inputs);
  const double start = clock_seconds();
  for (int i = 0; i < calls && status == OK; i++)
    status = sample ? policy_sample(policy, action, log_prob, obs, N, &rng, arena)
                    : policy_mode(policy, action, obs, N, arena);
  const double seconds = (clock_seconds() - start) / calls;
  arena_release(arena, mark);
  return status == OK ? seconds : -1;
}

int main(int argc, char **argv) {
  static Policy policy;
  static Arena arena;
  char what[16];
  long N;
  int calls;
  if (argc != 5)
    return fputs("usage: inference OBSERVATIONS ACTIONS discrete|box single|double\n", stderr), 1;
  if (subject_policy(&policy, atoi(argv[1]), atoi(argv[2]), strcmp(argv[3], "discrete") == 0,
                     strcmp(argv[4], "double") == 0 ? DOUBLE : SINGLE)
      != OK)
    return fputs("inference: no memory\n", stderr), 1;
  while (scanf("%15s %ld %d", what, &N, &calls) == 3 && N >= 1 && calls >= 1) {
    printf("%.6g\n", measure(&policy, strcmp(what, "sample") == 0, N, calls, &arena));
    fflush(stdout);
  }
  return 0;
}
