/**
 * What the thread pool costs: jobs of some microseconds of work in equal chunks, with pauses of serial work between
 * them. Each row has the median time of a job on one thread and on all, the ratio of both, and what a job takes beyond
 * its share (its work divided by the threads) in microseconds; work 0 is an empty job.
 *
 *   build/bench/pool [threads]
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/pool.h"

enum { CHUNKS = 16, JOBS = 200 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* a chain of additions; its steps per microsecond */
static double chain(long steps) {
  volatile double out;
  double x = 0;
  for (long i = 0; i < steps; i++) {
    x += 1;
    __asm__ volatile("" : "+x"(x));
  }
  out = x;
  return out;
}

static double steps_per_microsecond(void) {
  double best = 1e9;
  for (int i = 0; i < 20; i++) {
    double begin = now();
    chain(100000);
    double took = now() - begin;
    best = took < best ? took : best;
  }
  return 100000 / best;
}

static void chunk_of_work(void *context, int chunk, int worker) {
  (void)chunk;
  (void)worker;
  chain(*(long *)context);
}

/* median time of jobs of so many steps in a chunk, each after a pause of so many steps */
static double job_time(long steps, long pause) {
  static double took[JOBS];
  for (int i = 0; i < JOBS; i++) {
    chain(pause);
    double begin = now();
    pool_run(chunk_of_work, &steps, CHUNKS);
    took[i] = now() - begin;
  }
  qsort(took, JOBS, sizeof *took, by_size);
  return took[JOBS / 2];
}

/* microseconds of processor time in a second of rest */
static double rest(void) {
  struct timespec second = {1, 0};
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  nanosleep(&second, NULL);
  getrusage(RUSAGE_SELF, &after);
  return 1e6 * (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec)
         + (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec)
         + 1e6 * (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec)
         + (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec);
}

int main(int argc, char **argv) {
  static const int works[] = {0, 20, 100, 400, 1000};
  static const int pauses[] = {0, 5, 20, 50, 100, 1000};
  setvbuf(stdout, NULL, _IOLBF, 0);
  int threads = argc > 1 ? atoi(argv[1]) : pool_threads();
  double rate = steps_per_microsecond();
  printf("%6s %6s %10s %10s %6s %8s\n", "work", "pause", "1 thread", "all", "ratio", "beyond");
  for (size_t w = 0; w < sizeof works / sizeof *works; w++) {
    for (size_t p = 0; p < sizeof pauses / sizeof *pauses; p++) {
      long steps = (long)(rate * works[w] / CHUNKS), pause = (long)(rate * pauses[p]);
      pool_set_threads(1);
      double alone = job_time(steps, pause);
      pool_set_threads(threads);
      double all = job_time(steps, pause);
      printf("%6d %6d %10.2f %10.2f %6.2f %8.2f\n", works[w], pauses[p], alone, all, alone / all,
             all - alone / threads);
    }
  }
  printf("at rest: %.0f us of processor time in a second\n", rest());
  return 0;
}
