/**
 * Steps per second of an environment by itself, on one thread: random actions, lanes begin anew where they end.
 *
 * Each line of the input is a number of lanes and of steps of each; the answer is the seconds of all of them.
 *
 *   build/bench/environment ID
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "env/env.h"

enum { ACTIONS = 64 }; /* sets of actions that are taken in turn */

static Status make(Env *env, const char *id, int lanes) {
  const EnvEntry *entry = env_registry();
  while (entry->id && strcmp(entry->id, id) != 0) entry++;
  return entry->id ? entry->make(env, lanes, entry->time_limit, 1, 0) : E_ENV;
}

/* Seconds of so many steps of each lane; negative when it fails. */
static double measure(const char *id, int lanes, long steps) {
  Env env;
  EnvCall call = {.host = NULL};
  Status status = make(&env, id, lanes);
  if (status != OK) return -1;
  const size_t count = (size_t)lanes * (size_t)env.A;
  Buffer *storage = buffer_new(ACTIONS * count * sizeof(double));
  double *actions = storage ? storage->data : NULL;
  Rng rng = rng_at(rng_key(1, 0), RNG_USER, 0, 0);
  for (size_t i = 0; storage && i < ACTIONS * (size_t)lanes; i++)
    space_sample(&env.action, actions + i * (size_t)env.A, &rng);
  const double start = clock_seconds();
  for (long t = 0; storage && t < steps && status == OK; t++) {
    for (int lane = 0; lane < lanes; lane++)
      if (env.ended[lane]) env_reset(&env, &call, lane);
    memcpy(env.action_in, actions + (size_t)(t % ACTIONS) * count, count * sizeof(double));
    status = env_step(&env, &call, 0, lanes);
  }
  const double seconds = clock_seconds() - start;
  const int good = storage && status == OK;
  buffer_release(storage);
  env_free(&env);
  return good ? seconds : -1;
}

int main(int argc, char **argv) {
  int lanes;
  long steps;
  if (argc != 2) return fputs("usage: environment ID\n", stderr), 1;
  while (scanf("%d %ld", &lanes, &steps) == 2 && lanes >= 1 && steps >= 1) {
    printf("%.6g\n", measure(argv[1], lanes, steps));
    fflush(stdout);
  }
  return 0;
}
