/**
 * What this machine can do at most, for benchmarks that are bound by it: peaks of fused multiply-adds and the read
 * bandwidth.
 *
 * Each line of the input is `single`, `double` or `read` and a number of threads; the answer is the floating-point
 * operations (a multiply-add is two) or bytes per second of that many threads together, the fastest of a few passes.
 * The peaks are those of the instruction set in force (see base/isa.h). The array that is read is many times the
 * caches, in huge pages where there are any; it is made when it is first asked for.
 *
 *   build/bench/calibrate [megabytes]
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { LIMIT = 64, PASSES = 8, LANES = 16, ROUNDS = 1 << 18 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- fused multiply-adds ---------------------------------------------------------------------- */

/* Chains x = x/2 + 1/2, which begin apart and soon are 1, as many as hide the latency of two pipes and fit the registers; the
 * constants come from outside, so that nothing is computed beforehand. The sum of all lanes is returned, and tells
 * how many operations a round was. */
#define CHAINS(name, isa, Real, Vector, set1, fma, count)                                          \
  isa static double name(double one, double half_) {                                               \
    const Vector half = set1((Real)half_);                                                         \
    Vector x[count];                                                                               \
    _Pragma("GCC unroll 32") for (int k = 0; k < (count); k++) x[k] = set1((Real)(one * k));       \
    for (long round = 0; round < ROUNDS; round++) {                                                \
      _Pragma("GCC unroll 32") for (int k = 0; k < (count); k++) x[k] = fma(x[k], half, half);     \
    }                                                                                              \
    double sum = 0;                                                                                \
    Real lane[(count) * (sizeof(Vector) / sizeof(Real))];                                          \
    memcpy(lane, x, sizeof lane);                                                                  \
    for (size_t i = 0; i < sizeof lane / sizeof *lane; i++) sum += (double)lane[i];                \
    return sum;                                                                                    \
  }

/* portable: vectors of 16 bytes, without a fused operation */
typedef float Float4 __attribute__((vector_size(16)));
typedef double Double2 __attribute__((vector_size(16)));
#define SPREAD4(x) ((Float4){x, x, x, x})
#define SPREAD2(x) ((Double2){x, x})
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
CHAINS(single_generic, , float, Float4, SPREAD4, MULTIPLY_ADD, 14)
CHAINS(double_generic, , double, Double2, SPREAD2, MULTIPLY_ADD, 14)

#if defined(__x86_64__)
#define FOR(isa) __attribute__((target(isa)))
CHAINS(single_avx2, FOR("avx2,fma"), float, __m256, _mm256_set1_ps, _mm256_fmadd_ps, 14)
CHAINS(double_avx2, FOR("avx2,fma"), double, __m256d, _mm256_set1_pd, _mm256_fmadd_pd, 14)
CHAINS(single_avx512, FOR("avx512f"), float, __m512, _mm512_set1_ps, _mm512_fmadd_ps, 24)
CHAINS(double_avx512, FOR("avx512f"), double, __m512d, _mm512_set1_pd, _mm512_fmadd_pd, 24)
#endif

typedef double Chains(double one, double half);

static Chains *chains(int in_double) {
#if defined(__x86_64__)
  if (isa() == ISA_AVX512) return in_double ? double_avx512 : single_avx512;
  if (isa() == ISA_AVX2) return in_double ? double_avx2 : single_avx2;
#endif
  return in_double ? double_generic : single_generic;
}

/* ---- reads ------------------------------------------------------------------------------------ */

/* independent sums, so that the compiler may use vectors and additions need not wait for each other */
#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
static double
sum_of(const double *x, size_t count) {
  double lane[LANES] = {0.0};
  for (size_t i = 0; i < count; i += LANES) {
    for (int k = 0; k < LANES; k++) lane[k] += x[i + (size_t)k];
  }
  double sum = 0.0;
  for (int k = 0; k < LANES; k++) sum += lane[k];
  return sum;
}

/* an array of ones of so many bytes; ends the program when there is no memory */
static double *ones(size_t bytes) {
  double *data = bytes > 0 ? aligned_alloc((size_t)2 << 20, (bytes + (2 << 20) - 1) >> 21 << 21)
                           : NULL;
  if (data == NULL) {
    fputs("calibrate: not enough memory\n", stderr);
    exit(1);
  }
  madvise(data, bytes, MADV_HUGEPAGE);
  for (size_t i = 0; i < bytes / sizeof *data; i++) data[i] = 1.0;
  return data;
}

/* ---- threads ---------------------------------------------------------------------------------- */

typedef struct Part {
  pthread_t thread;
  pthread_barrier_t *barrier;
  Chains *chains; /* or NULL, and */
  const double *data;
  size_t count; /* a multiple of LANES */
  double sum;   /* of one pass */
  double seconds[PASSES];
} Part;

static void *run(void *argument) {
  Part *p = argument;
  volatile double one = 1, half = 0.5;
  for (int pass = 0; pass < PASSES; pass++) {
    pthread_barrier_wait(p->barrier);
    const double start = now();
    p->sum = p->chains ? p->chains(one, half) : sum_of(p->data, p->count);
    pthread_barrier_wait(p->barrier);
    p->seconds[pass] = now() - start;
  }
  return NULL;
}

/* Runs equal parts at once: the sum of all of them, which of ones is their number, per second of the fastest pass. */
static double measure(Part *part, int threads) {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, (unsigned)threads);
  for (int i = 0; i < threads; i++) {
    part[i].barrier = &barrier;
    if (i > 0 && pthread_create(&part[i].thread, NULL, run, &part[i]) != 0) {
      fputs("calibrate: cannot make a thread\n", stderr);
      exit(1);
    }
  }
  run(&part[0]);
  double sum = part[0].sum, best = part[0].seconds[0];
  for (int i = 1; i < threads; i++) {
    pthread_join(part[i].thread, NULL);
    sum += part[i].sum;
  }
  pthread_barrier_destroy(&barrier);
  for (int pass = 1; pass < PASSES; pass++) {
    best = part[0].seconds[pass] < best ? part[0].seconds[pass] : best;
  }
  return sum / best;
}

int main(int argc, char **argv) {
  static Part part[LIMIT];
  const size_t bytes = (size_t)(argc > 1 ? atoi(argv[1]) : 512) << 20;
  double *data = NULL;
  char what[8];
  for (int threads; scanf("%7s %d", what, &threads) == 2 && threads >= 1 && threads <= LIMIT;) {
    const int reads = strcmp(what, "read") == 0;
    const size_t share = bytes / sizeof *data / (size_t)threads / LANES * LANES;
    if (reads && data == NULL) data = ones(bytes);
    for (int i = 0; i < threads; i++) {
      part[i] = reads ? (Part){.data = data + (size_t)i * share, .count = share}
                      : (Part){.chains = chains(strcmp(what, "double") == 0)};
    }
    printf("%.6g\n", measure(part, threads) * (reads ? sizeof *data : 2.0 * ROUNDS));
    fflush(stdout);
  }
  free(data);
  return 0;
}
