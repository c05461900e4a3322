#include "mdp/chain_order.h"

#include <string.h>

/* rows with more entries are followed as they are stored */
enum { MOST_RANKED = 32 };

/* a depth-first search on its way */
typedef struct Search {
  const Chain *chain;
  int32_t *order;
  ptrdiff_t placed;
  int32_t *stack;      /* [S] path from the root */
  int64_t *at;         /* [S] next entry of a state with a long row */
  unsigned char *seen; /* [S] */
} Search;

/* the likeliest successor of s that has not been seen, or -1 */
static ptrdiff_t next_unseen(Search *search, ptrdiff_t s) {
  const Chain *c = search->chain;
  const int64_t begin = c->start[s], end = c->start[s + 1];
  if (end - begin > MOST_RANKED) {
    for (int64_t *j = &search->at[s]; *j < end; (*j)++) {
      if (!search->seen[c->next[*j]]) {
        return c->next[*j];
      }
    }
    return -1;
  }
  ptrdiff_t best = -1;
  double most = 0.0;
  for (int64_t j = begin; j < end; j++) {
    if (c->prob[j] > most && !search->seen[c->next[j]]) {
      most = c->prob[j];
      best = c->next[j];
    }
  }
  return best;
}

static void search_from(Search *search, ptrdiff_t root) {
  ptrdiff_t depth = 0;
  search->seen[root] = 1;
  search->stack[depth++] = (int32_t)root;
  while (depth > 0) {
    const ptrdiff_t s = search->stack[depth - 1], t = next_unseen(search, s);
    if (t >= 0) {
      search->seen[t] = 1;
      search->stack[depth++] = (int32_t)t;
    } else {
      search->order[search->placed++] = (int32_t)s;
      depth--;
    }
  }
}

Status chain_order_find(int32_t *order, const Chain *chain, Arena *ws) {
  const ptrdiff_t S = chain->S;
  const ArenaMark mark = arena_mark(ws);
  Search search = {.chain = chain, .order = order};
  search.stack = ARENA_PUSH(ws, int32_t, S);
  search.at = ARENA_PUSH(ws, int64_t, S);
  search.seen = ARENA_PUSH(ws, unsigned char, S);
  if (search.stack == NULL || search.at == NULL || search.seen == NULL) {
    arena_release(ws, mark);
    return E_NOMEM;
  }
  memset(search.seen, 0, (size_t)S);
  memcpy(search.at, chain->start, (size_t)S * sizeof *search.at);
  for (ptrdiff_t s = 0; s < S; s++) {
    if (!search.seen[s]) {
      search_from(&search, s);
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
  if (n > MOST_RANKED) {
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
