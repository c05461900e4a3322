#include "stats/sobol.h"

#include <string.h>

/* Of each dimension but the first: a primitive polynomial over GF(2), its bits from the highest power to the constant,
 * and as many odd initial numbers m_1, m_2, ... as its degree. Read from scipy 1.17's copy of new-joe-kuo-6.21201. */
enum { DEGREE = 9 };
static const struct {
  uint16_t polynomial, m[DEGREE];
} table[SOBOL_DIMENSIONS - 1] = {
    {3, {1}},
    {7, {1, 3}},
    {11, {1, 3, 1}},
    {13, {1, 1, 1}},
    {19, {1, 1, 3, 3}},
    {25, {1, 3, 5, 13}},
    {37, {1, 1, 5, 5, 17}},
    {41, {1, 1, 5, 5, 5}},
    {47, {1, 1, 7, 11, 19}},
    {55, {1, 1, 5, 1, 1}},
    {59, {1, 1, 1, 3, 11}},
    {61, {1, 3, 5, 5, 31}},
    {67, {1, 3, 3, 9, 7, 49}},
    {91, {1, 1, 1, 15, 21, 21}},
    {97, {1, 3, 1, 13, 27, 49}},
    {103, {1, 1, 1, 15, 7, 5}},
    {109, {1, 3, 1, 15, 13, 25}},
    {115, {1, 1, 5, 5, 19, 61}},
    {131, {1, 3, 7, 11, 23, 15, 103}},
    {137, {1, 3, 7, 13, 13, 15, 69}},
    {143, {1, 1, 3, 13, 7, 35, 63}},
    {145, {1, 3, 5, 9, 1, 25, 53}},
    {157, {1, 3, 1, 13, 9, 35, 107}},
    {167, {1, 3, 1, 5, 27, 61, 31}},
    {171, {1, 1, 5, 11, 19, 41, 61}},
    {185, {1, 3, 5, 3, 3, 13, 69}},
    {191, {1, 1, 7, 13, 1, 19, 1}},
    {193, {1, 3, 7, 5, 13, 19, 59}},
    {203, {1, 1, 3, 9, 25, 29, 41}},
    {211, {1, 3, 5, 13, 23, 1, 55}},
    {213, {1, 3, 7, 3, 13, 59, 17}},
    {229, {1, 3, 1, 3, 5, 53, 69}},
    {239, {1, 1, 5, 5, 23, 33, 13}},
    {241, {1, 1, 7, 7, 1, 61, 123}},
    {247, {1, 1, 7, 9, 13, 61, 49}},
    {253, {1, 3, 3, 5, 3, 55, 33}},
    {285, {1, 3, 1, 15, 31, 13, 49, 245}},
    {299, {1, 3, 5, 15, 31, 59, 63, 97}},
    {301, {1, 3, 1, 11, 11, 11, 77, 249}},
    {333, {1, 3, 1, 11, 27, 43, 71, 9}},
    {351, {1, 1, 7, 15, 21, 11, 81, 45}},
    {355, {1, 3, 7, 3, 25, 31, 65, 79}},
    {357, {1, 3, 1, 1, 19, 11, 3, 205}},
    {361, {1, 1, 5, 9, 19, 21, 29, 157}},
    {369, {1, 3, 7, 11, 1, 33, 89, 185}},
    {391, {1, 3, 3, 3, 15, 9, 79, 71}},
    {397, {1, 3, 7, 11, 15, 39, 119, 27}},
    {425, {1, 1, 3, 1, 11, 31, 97, 225}},
    {451, {1, 1, 1, 3, 23, 43, 57, 177}},
    {463, {1, 3, 7, 7, 17, 17, 37, 71}},
    {487, {1, 3, 1, 5, 27, 63, 123, 213}},
    {501, {1, 1, 3, 5, 11, 43, 53, 133}},
    {529, {1, 3, 5, 5, 29, 17, 47, 173, 479}},
    {539, {1, 3, 3, 11, 3, 1, 109, 9, 69}},
    {545, {1, 1, 1, 5, 17, 39, 23, 5, 343}},
    {557, {1, 3, 1, 5, 25, 15, 31, 103, 499}},
    {563, {1, 1, 1, 11, 11, 17, 63, 105, 183}},
    {601, {1, 1, 5, 11, 9, 29, 97, 231, 363}},
    {607, {1, 1, 5, 15, 19, 45, 41, 7, 383}},
    {617, {1, 3, 7, 7, 31, 19, 83, 137, 221}},
    {623, {1, 1, 1, 3, 23, 15, 111, 223, 83}},
    {631, {1, 1, 5, 13, 31, 15, 55, 25, 161}},
    {637, {1, 1, 3, 13, 25, 47, 39, 87, 257}},
};

static int degree_of(unsigned polynomial) {
  int degree = -1;
  for (; polynomial > 0; polynomial >>= 1) degree++;
  return degree;
}

/* Direction numbers v_j = m_j 2^(32 - j) of dimension d >= 1, the next ones by the polynomial's recurrence. */
static void find_directions(uint32_t v[SOBOL_BITS], int d) {
  const unsigned polynomial = table[d - 1].polynomial;
  const int s = degree_of(polynomial);
  for (int j = 0; j < s; j++) v[j] = (uint32_t)table[d - 1].m[j] << (SOBOL_BITS - 1 - j);
  for (int j = s; j < SOBOL_BITS; j++) {
    v[j] = v[j - s] ^ v[j - s] >> s;
    for (int k = 1; k < s; k++)
      if (polynomial >> (s - k) & 1) v[j] ^= v[j - k];
  }
}

/* Directions of all dimensions; those of the first are the powers of two (van der Corput). */
static void fill_directions(uint32_t v[][SOBOL_BITS], int d) {
  for (int j = 0; j < SOBOL_BITS; j++) v[0][j] = 1u << (SOBOL_BITS - 1 - j);
  for (int i = 1; i < d; i++) find_directions(v[i], i);
}

/* Multiplies the directions of one dimension by a random lower triangular matrix of bits with ones on the diagonal. */
static void mix_directions(uint32_t v[SOBOL_BITS], Rng *rng) {
  uint32_t mixed[SOBOL_BITS] = {0};
  for (int row = 0; row < SOBOL_BITS; row++) {
    const uint32_t diagonal = 1u << (SOBOL_BITS - 1 - row);
    const uint32_t bits = (rng_bits(rng) & ~(2 * diagonal - 1)) | diagonal;
    for (int j = 0; j < SOBOL_BITS; j++)
      if (__builtin_parity(bits & v[j])) mixed[j] |= diagonal;
  }
  memcpy(v, mixed, sizeof mixed);
}

/* One point after a number of points: the directions of the bits of its Gray code. */
static uint32_t jump(const uint32_t v[SOBOL_BITS], uint64_t index) {
  uint32_t x = 0;
  const uint64_t gray = index ^ index >> 1;
  for (int j = 0; j < SOBOL_BITS; j++)
    if (gray >> j & 1) x ^= v[j];
  return x;
}

void sobol_points(double *out, long n, int d, uint64_t skip, Rng *scramble_) {
  uint32_t v[SOBOL_DIMENSIONS][SOBOL_BITS], x[SOBOL_DIMENSIONS] = {0};
  fill_directions(v, d);
  if (scramble_) {
    for (int i = 0; i < d; i++) {
      mix_directions(v[i], scramble_);
      x[i] = rng_bits(scramble_);
    }
  }
  for (int i = 0; i < d; i++) x[i] ^= jump(v[i], skip);
  for (long k = 0; k < n; k++) {
    for (int i = 0; i < d; i++) out[k * d + i] = x[i] * 0x1p-32;
    /* the next Gray code differs in the lowest zero bit of the index */
    const int bit = __builtin_ctzll(~(skip + (uint64_t)k));
    for (int i = 0; i < d && bit < SOBOL_BITS; i++) x[i] ^= v[i][bit];
  }
}
