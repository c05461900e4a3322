/**
 * Seconds of one optimality backup of all states, by itself.
 *
 * Each line of the input is a number of threads; the answer is the seconds of a sweep and the bytes that it must at
 * least move: probabilities, successors and rewards once, values in, values out.
 *
 *   build/bench/sweep garnet STATES        4 actions, 5 random successors
 *   build/bench/sweep torus SIDE           4 actions, neighbours
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/pool.h"
#include "mdp/bellman.h"
#include "mdp/garnet.h"
#include "mdp/torus.h"

enum { SWEEPS = 8 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static Status make(Mdp *mdp, const char *name, ptrdiff_t size) {
  const Garnet garnet = {.states = size, .actions = 4, .branching = 5, .seed = 1, .gamma = 0.99};
  const Torus torus = {.side = size, .noise = 0.2, .seed = 1, .gamma = 0.99};
  return strcmp(name, "garnet") == 0 ? garnet_make(mdp, &garnet) : torus_make(mdp, &torus);
}

int main(int argc, char **argv) {
  Mdp mdp = {0};
  if (argc != 3 || make(&mdp, argv[1], atol(argv[2])) != OK) {
    fputs("usage: sweep garnet|torus SIZE\n", stderr);
    return 1;
  }
  Buffer *a = buffer_new((size_t)mdp.S * sizeof(double)),
         *b = buffer_new((size_t)mdp.S * sizeof(double));
  if (a == NULL || b == NULL) {
    fputs("sweep: not enough memory\n", stderr);
    return 1;
  }
  const double bytes = 12.0 * (double)mdp.start[mdp.rows] + 8.0 * (double)mdp.rows
                       + 16.0 * (double)mdp.S;
  double *v = a->data, *next = b->data;
  for (int threads; scanf("%d", &threads) == 1 && threads >= 1 && threads <= POOL_LIMIT;) {
    double best = 1e300;
    pool_set_threads(threads);
    for (int i = 0; i < SWEEPS; i++) {
      BellmanInfo info;
      const double start = now();
      bellman_backup(&mdp, next, NULL, v, &info);
      const double seconds = now() - start;
      double *swap = v;
      v = next;
      next = swap;
      best = seconds < best ? seconds : best;
    }
    printf("%.6g %.6g\n", best, bytes);
    fflush(stdout);
  }
  buffer_release(a);
  buffer_release(b);
  mdp_free(&mdp);
  return 0;
}
