#include "stats/order.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a_, const void *b_) {
  const OrderEntry *a = a_, *b = b_;
  if (a->x != b->x) return a->x < b->x ? -1 : 1;
  return a->at < b->at ? -1 : 1;
}

long order_rank(double *value, int32_t *rank, const double *x, long n, OrderEntry *work) {
  long levels = 0;
  for (long i = 0; i < n; i++) work[i] = (OrderEntry){x[i], i};
  qsort(work, (size_t)n, sizeof *work, compare);
  for (long i = 0; i < n; i++) {
    if (i == 0 || work[i].x != work[i - 1].x) value[levels++] = work[i].x;
    rank[work[i].at] = (int32_t)(levels - 1);
  }
  return levels;
}

static void swap(double *a, double *b) {
  const double x = *a;
  *a = *b;
  *b = x;
}

/* The middle one of the first, the middle and the last of x [n]. */
static double pivot_of(const double *x, long n) {
  const double a = x[0], b = x[n / 2], c = x[n - 1];
  return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* Reorders x [n] so that x[k] is the k-th smallest, from 0, and nothing after it is smaller. Source: Hoare 1961, FIND. */
static double select_kth(double *x, long n, long k) {
  for (long first = 0, last = n - 1; first < last;) {
    const double pivot = pivot_of(x + first, last - first + 1);
    long i = first, j = last;
    while (i <= j) {
      while (x[i] < pivot) i++;
      while (x[j] > pivot) j--;
      if (i <= j) swap(&x[i++], &x[j--]);
    }
    /* x[first..j] <= pivot <= x[i..last], and what lies between is the pivot */
    if (k <= j)
      last = j;
    else if (k >= i)
      first = i;
    else
      break;
  }
  return x[k];
}

double order_quantile(double *x, long n, double p) {
  const double place = p * (double)(n - 1);
  const long k = (long)fmin(floor(place), (double)(n - 1));
  const double below = select_kth(x, n, k), share = place - (double)k;
  if (!(share > 0)) return below;
  double above = x[k + 1];
  for (long i = k + 2; i < n; i++) above = fmin(above, x[i]);
  /* equal ones, infinite ones too, need no interpolation */
  return below == above ? below : below + share * (above - below);
}
