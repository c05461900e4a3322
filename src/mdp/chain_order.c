#include "mdp/chain_order.h"

#include <string.h>

/* rows with more entries are sorted by a heap */
enum { MOST_INSERTED = 32 };

/* the likeliest successor of s other than itself, the first among equals; -1 without any */
static int32_t likeliest(const Chain *c, ptrdiff_t s) {
  int32_t best = -1;
  double most = 0.0;
  for (int64_t j = c->start[s]; j < c->start[s + 1]; j++) {
    if (c->prob[j] > most && c->next[j] != s) {
      most = c->prob[j];
      best = c->next[j];
    }
  }
  return best;
}

Status chain_order_find(int32_t *order, const Chain *chain, Arena *ws) {
  const ptrdiff_t S = chain->S;
  const ArenaMark mark = arena_mark(ws);
  int32_t *path = ARENA_PUSH(ws, int32_t, S);
  unsigned char *seen = ARENA_PUSH(ws, unsigned char, S);
  ptrdiff_t placed = 0;
  if (path == NULL || seen == NULL) {
    arena_release(ws, mark);
    return E_NOMEM;
  }
  memset(seen, 0, (size_t)S);
  for (ptrdiff_t root = 0; root < S; root++) {
    ptrdiff_t length = 0;
    for (ptrdiff_t s = root; s >= 0 && !seen[s]; s = likeliest(chain, s)) {
      seen[s] = 1;
      path[length++] = (int32_t)s;
    }
    while (length > 0) {
      order[placed++] = path[--length];
    }
  }
  arena_release(ws, mark);
  return OK;
}

int chain_order_matters(const Chain *chain) {
  ptrdiff_t directed = 0;
  for (ptrdiff_t s = 0; s < chain->S; s++) {
    double most = 0.0, sum = 0.0;
    for (int64_t j = chain->start[s]; j < chain->start[s + 1]; j++) {
      const double p = chain->next[j] != s ? chain->prob[j] : 0.0;
      most = p > most ? p : most;
      sum += p;
    }
    directed += most > 0.6 * sum;
  }
  return directed > chain->S / 2;
}

/* ascending, by insertion where a row is short, else by a heap */
static void sink(int32_t *next, double *prob, int64_t i, int64_t n) {
  const int32_t key = next[i];
  const double value = prob[i];
  for (int64_t child; (child = 2 * i + 1) < n; i = child) {
    child += child + 1 < n && next[child + 1] > next[child];
    if (next[child] <= key) {
      break;
    }
    next[i] = next[child];
    prob[i] = prob[child];
  }
  next[i] = key;
  prob[i] = value;
}

static void sort_row(int32_t *next, double *prob, int64_t n) {
  if (n > MOST_INSERTED) {
    for (int64_t i = n / 2 - 1; i >= 0; i--) {
      sink(next, prob, i, n);
    }
    for (int64_t end = n - 1; end > 0; end--) {
      const int32_t key = next[end];
      const double value = prob[end];
      next[end] = next[0];
      prob[end] = prob[0];
      next[0] = key;
      prob[0] = value;
      sink(next, prob, 0, end);
    }
    return;
  }
  for (int64_t i = 1; i < n; i++) {
    const int32_t key = next[i];
    const double value = prob[i];
    int64_t j = i;
    for (; j > 0 && next[j - 1] > key; j--) {
      next[j] = next[j - 1];
      prob[j] = prob[j - 1];
    }
    next[j] = key;
    prob[j] = value;
  }
}

Status chain_order_permute(Chain *out, const Chain *chain, const int32_t *order, Arena *ws) {
  const ptrdiff_t S = chain->S;
  const int64_t count = chain->start[S];
  Chain made = *chain;
  int32_t *place = ARENA_PUSH(ws, int32_t, S);
  made.storage = NULL;
  made.reward = NULL;
  made.start = ARENA_PUSH(ws, int64_t, S + 1);
  made.next = ARENA_PUSH(ws, int32_t, count);
  made.prob = ARENA_PUSH(ws, double, count);
  if (place == NULL || made.start == NULL || made.next == NULL || made.prob == NULL) {
    return E_NOMEM;
  }
  for (ptrdiff_t i = 0; i < S; i++) {
    place[order[i]] = (int32_t)i;
  }
  int64_t k = 0;
  for (ptrdiff_t i = 0; i < S; i++) {
    made.start[i] = k;
    for (int64_t j = chain->start[order[i]]; j < chain->start[order[i] + 1]; j++, k++) {
      made.next[k] = place[chain->next[j]];
      made.prob[k] = chain->prob[j];
    }
    sort_row(made.next + made.start[i], made.prob + made.start[i], k - made.start[i]);
  }
  made.start[S] = k;
  *out = made;
  return OK;
}
