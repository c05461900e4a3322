/**
 * The read bandwidth of this machine, for benchmarks that are bound by it.
 *
 * Each line of the input is a number of threads; the answer is the bytes per second at which that many threads together
 * sum a large array of doubles, the fastest of a few passes. The array is many times the caches, in huge pages where
 * there are any.
 *
 *   build/bench/calibrate [megabytes]
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { LIMIT = 64, PASSES = 4, LANES = 16 };

typedef struct Part {
  pthread_t thread;
  pthread_barrier_t *barrier;
  const double *data;
  size_t count; /* a multiple of LANES */
  double sum;
  double seconds[PASSES];
} Part;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* independent sums, so that the compiler may use vectors and additions need not wait for each other */
#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
static double
sum_of(const double *x, size_t count) {
  double lane[LANES] = {0.0};
  for (size_t i = 0; i < count; i += LANES) {
    for (int k = 0; k < LANES; k++) {
      lane[k] += x[i + (size_t)k];
    }
  }
  double sum = 0.0;
  for (int k = 0; k < LANES; k++) {
    sum += lane[k];
  }
  return sum;
}

static void *run(void *argument) {
  Part *p = argument;
  for (int pass = 0; pass < PASSES; pass++) {
    pthread_barrier_wait(p->barrier);
    const double start = now();
    p->sum += sum_of(p->data, p->count);
    pthread_barrier_wait(p->barrier);
    p->seconds[pass] = now() - start;
  }
  return NULL;
}

/* bytes per second of the fastest pass */
static double measure(const double *data, size_t count, int threads) {
  static Part parts[LIMIT];
  pthread_barrier_t barrier;
  const size_t share = count / (size_t)threads / LANES * LANES;
  pthread_barrier_init(&barrier, NULL, (unsigned)threads);
  for (int i = 0; i < threads; i++) {
    parts[i] = (Part){.barrier = &barrier, .data = data + (size_t)i * share, .count = share};
    if (i > 0 && pthread_create(&parts[i].thread, NULL, run, &parts[i]) != 0) {
      fputs("calibrate: cannot make a thread\n", stderr);
      exit(1);
    }
  }
  run(&parts[0]);
  double sum = parts[0].sum, best = parts[0].seconds[0];
  for (int i = 1; i < threads; i++) {
    pthread_join(parts[i].thread, NULL);
    sum += parts[i].sum;
  }
  pthread_barrier_destroy(&barrier);
  for (int pass = 1; pass < PASSES; pass++) {
    best = parts[0].seconds[pass] < best ? parts[0].seconds[pass] : best;
  }
  /* the sum is used, so that it is computed: of ones, it is known */
  if (sum != (double)share * threads * PASSES) {
    fputs("calibrate: wrong sum\n", stderr);
    exit(1);
  }
  return (double)share * threads * sizeof *data / best;
}

int main(int argc, char **argv) {
  const size_t bytes = (size_t)(argc > 1 ? atoi(argv[1]) : 512) << 20;
  const size_t count = bytes / sizeof(double);
  double *data = bytes > 0 ? aligned_alloc((size_t)2 << 20, (bytes + (2 << 20) - 1) >> 21 << 21)
                           : NULL;
  if (data == NULL) {
    fputs("calibrate: not enough memory\n", stderr);
    return 1;
  }
  madvise(data, bytes, MADV_HUGEPAGE);
  for (size_t i = 0; i < count; i++) {
    data[i] = 1.0;
  }
  for (int threads; scanf("%d", &threads) == 1 && threads >= 1 && threads <= LIMIT;) {
    printf("%.6g\n", measure(data, count, threads));
    fflush(stdout);
  }
  free(data);
  return 0;
}
