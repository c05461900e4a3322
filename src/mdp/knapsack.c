#include "mdp/knapsack.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "mdp/gap.h"

/* --- sorting ------------------------------------------------------------------------------------------------------ */

static int precedes(const double *adv, int32_t a, int32_t b) {
  return adv[a] != adv[b] ? adv[a] < adv[b] : a < b;
}

static void swap(int32_t *a, int32_t *b) {
  const int32_t t = *a;
  *a = *b;
  *b = t;
}

/* restores the heap below i */
static void sift(const double *adv, int32_t *order, ptrdiff_t i, ptrdiff_t n) {
  for (;;) {
    ptrdiff_t child = 2 * i + 1;
    if (child >= n) return;
    if (child + 1 < n && precedes(adv, order[child], order[child + 1])) child++;
    if (!precedes(adv, order[i], order[child])) return;
    swap(&order[i], &order[child]);
    i = child;
  }
}

static void sort(const double *adv, int32_t *order, ptrdiff_t n) {
  for (ptrdiff_t i = n / 2 - 1; i >= 0; i--) sift(adv, order, i, n);
  for (ptrdiff_t end = n - 1; end > 0; end--) {
    swap(&order[0], &order[end]);
    sift(adv, order, 0, end);
  }
}

ptrdiff_t knapsack_order(const double *p, const double *adv, ptrdiff_t A, int32_t *order,
                         int32_t *best) {
  ptrdiff_t n = 0;
  *best = 0;
  for (ptrdiff_t a = 1; a < A; a++) {
    if (adv[a] > adv[*best]) *best = (int32_t)a;
  }
  for (ptrdiff_t a = 0; a < A; a++) {
    if (p[a] > 0.0 && adv[a] < adv[*best]) order[n++] = (int32_t)a;
  }
  sort(adv, order, n);
  return n;
}

/* --- moving mass -------------------------------------------------------------------------------------------------- */

/* KL(p || q) when only a part of one action's mass has moved: -sum over S of p (log(1 - v) + v), v = 1 - q/p, and
 * the v cancel when the best action is in S */
static double divergence(double from, double mass, double best) {
  const double gained = best > 0.0 ? -best * gap_log(-mass / best) : mass;
  return mass > 0.0 ? gained - from * gap_log(mass / from) : 0.0;
}

void knapsack_solve(const double *p, const double *adv, ptrdiff_t A, const int32_t *order,
                    ptrdiff_t n, int32_t best, double alpha, double *q_, Knapsack *out) {
  *out = (Knapsack){.next = INFINITY};
  if (q_ != NULL) {
    memcpy(q_, p, (size_t)A * sizeof *p);
  }
  double sum = 0.0; /* mass of the actions that are emptied */
  for (ptrdiff_t i = 0; i < n; i++) {
    const int32_t a = order[i];
    const double slope = adv[best] - adv[a], total = sum + p[a];
    if (total > alpha) {
      const double mass = alpha - sum;
      out->right = slope;
      out->left = mass > 0.0 || i == 0 ? slope : out->left;
      out->next = total;
      out->gain += mass * slope;
      out->moved = alpha;
      out->kl = i > 0 ? INFINITY : divergence(p[a], mass, p[best]);
      if (q_ != NULL) q_[a] = p[a] - mass;
      break;
    }
    if (total > sum || i == 0) out->left = slope; /* else its interval has no length */
    sum = total;
    out->gain += p[a] * slope;
    out->before = out->moved = sum;
    out->kl = INFINITY;
    if (q_ != NULL) q_[a] = 0.0;
  }
  if (alpha - sum > (double)n * DBL_EPSILON && out->next == INFINITY) {
    out->left = 0.0; /* everything had moved before */
  }
  if (q_ != NULL) {
    q_[best] = p[best] + out->moved;
  }
}
