#include "mdp/chain.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"

/* --- storage ------------------------------------------------------------------------------------------------------- */

/* the next array of the storage, on a cache line of its own; only counts while base is NULL */
static void *carve(unsigned char *base, size_t *at, ptrdiff_t count, size_t size) {
  void *array = base != NULL ? base + *at : NULL;
  *at = (*at + (size_t)count * size + 63) & ~(size_t)63;
  return array;
}

static size_t lay_out(Chain *c, unsigned char *base) {
  size_t at = 0;
  c->start = carve(base, &at, c->S + 1, sizeof *c->start);
  c->reward = carve(base, &at, c->S, sizeof *c->reward);
  c->part = carve(base, &at, mdp_chunks(c->S), sizeof *c->part);
  c->prob = carve(base, &at, (ptrdiff_t)c->capacity, sizeof *c->prob);
  c->next = carve(base, &at, (ptrdiff_t)c->capacity, sizeof *c->next);
  return at;
}

/* Storage for count entries; what was in it is lost. A chain that grows gets some room to spare. */
static Status reserve(Chain *chain, const Mdp *mdp, int64_t count) {
  if (chain->storage == NULL || chain->S != mdp->S || chain->capacity < count) {
    Chain made = {.S = mdp->S};
    made.capacity = chain->storage != NULL ? count + count / 8 : count;
    if (made.capacity > PTRDIFF_MAX / 64) {
      return E_NOMEM;
    }
    chain_free(chain);
    made.storage = buffer_new_unset(lay_out(&made, NULL));
    if (made.storage == NULL) {
      return E_NOMEM;
    }
    lay_out(&made, made.storage->data);
    *chain = made;
  }
  chain->gamma = mdp->gamma;
  return OK;
}

void chain_free(Chain *chain) {
  buffer_release(chain->storage);
  memset(chain, 0, sizeof *chain);
}

/* the largest of the chunks' largest row sums */
static void settle(Chain *chain) {
  chain->row_sum = 0.0;
  for (int i = 0; i < mdp_chunks(chain->S); i++) {
    chain->row_sum = fmax(chain->row_sum, chain->part[i]);
  }
}

static double row_sum(const Chain *c, ptrdiff_t s) {
  double sum = 0.0;
  for (int64_t j = c->start[s]; j < c->start[s + 1]; j++) {
    sum += c->prob[j];
  }
  return sum;
}

/* --- of a deterministic policy ------------------------------------------------------------------------------------- */

typedef struct Select {
  Chain *chain;
  const Mdp *mdp;
  const int64_t *choice;
} Select;

static void select_chunk(void *context, int chunk, int worker) {
  const Select *select = context;
  Chain *c = select->chain;
  const Mdp *m = select->mdp;
  double largest = 0.0;
  (void)worker;
  for (ptrdiff_t s = mdp_chunk_begin(c->S, chunk); s < mdp_chunk_begin(c->S, chunk + 1); s++) {
    const int64_t row = select->choice[s], from = m->start[row], to = c->start[s];
    const int64_t n = m->start[row + 1] - from;
    double sum = 0.0;
    for (int64_t j = 0; j < n; j++) {
      c->next[to + j] = m->next[from + j];
      c->prob[to + j] = m->prob[from + j];
      sum += m->prob[from + j];
    }
    c->reward[s] = m->reward[row];
    largest = fmax(largest, sum);
  }
  c->part[chunk] = largest;
}

Status chain_select(Chain *chain, const Mdp *mdp, const int64_t *choice) {
  int64_t count = 0;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    count += mdp->start[choice[s] + 1] - mdp->start[choice[s]];
  }
  const Status status = reserve(chain, mdp, count);
  if (status != OK) {
    return status;
  }
  chain->start[0] = 0;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    chain->start[s + 1] = chain->start[s] + mdp->start[choice[s] + 1] - mdp->start[choice[s]];
  }
  Select select = {chain, mdp, choice};
  pool_run(select_chunk, &select, mdp_chunks(mdp->S));
  settle(chain);
  return OK;
}

/* --- of a stochastic policy ---------------------------------------------------------------------------------------- */

typedef struct Entry {
  int32_t next;
  double prob;
} Entry;

typedef struct Mix {
  Chain *chain;
  const Mdp *mdp;
  const double *pi;
  Entry *scratch;  /* [workers, 2 longest] */
  int64_t longest; /* most entries of a state before equal successors are merged */
  int64_t *count;  /* [S] entries of the states */
} Mix;

static double weight(const Mix *mix, ptrdiff_t s, int64_t row) {
  return mix->pi[s * mix->mdp->A + mix->mdp->action[row]];
}

/* Stable: entries of the same state keep the order of actions. Short lists by insertion, runs in order are left alone. */
static void sort_entries(Entry *entry, int64_t n, Entry *work) {
  if (n <= 16) {
    for (int64_t i = 1; i < n; i++) {
      const Entry moved = entry[i];
      int64_t j = i;
      for (; j > 0 && entry[j - 1].next > moved.next; j--) {
        entry[j] = entry[j - 1];
      }
      entry[j] = moved;
    }
    return;
  }
  const int64_t half = n / 2;
  sort_entries(entry, half, work);
  sort_entries(entry + half, n - half, work);
  if (entry[half - 1].next <= entry[half].next) {
    return;
  }
  memcpy(work, entry, (size_t)half * sizeof *work);
  int64_t left = 0, right = half, out = 0;
  while (left < half) {
    const int take_right = right < n && entry[right].next < work[left].next;
    entry[out++] = take_right ? entry[right++] : work[left++];
  }
}

/* the successors of a state with their probabilities, ascending and merged; returns their number */
static int64_t merge_state(const Mix *mix, ptrdiff_t s, Entry *entry) {
  const Mdp *m = mix->mdp;
  int64_t n = 0, kept = 0;
  for (int64_t row = m->first[s]; row < m->first[s + 1]; row++) {
    const double w = weight(mix, s, row);
    for (int64_t j = m->start[row]; w > 0.0 && j < m->start[row + 1]; j++) {
      entry[n++] = (Entry){m->next[j], w * m->prob[j]};
    }
  }
  sort_entries(entry, n, entry + mix->longest);
  for (int64_t i = 0; i < n; i++) {
    if (kept > 0 && entry[kept - 1].next == entry[i].next) {
      entry[kept - 1].prob += entry[i].prob;
    } else if (entry[i].prob > 0.0) { /* a product can vanish */
      entry[kept++] = entry[i];
    }
  }
  return kept;
}

static void write_state(const Mix *mix, ptrdiff_t s, const Entry *entry, int64_t n) {
  Chain *c = mix->chain;
  const Mdp *m = mix->mdp;
  double reward = 0.0;
  for (int64_t i = 0; i < n; i++) {
    c->next[c->start[s] + i] = entry[i].next;
    c->prob[c->start[s] + i] = entry[i].prob;
  }
  for (int64_t row = m->first[s]; row < m->first[s + 1]; row++) {
    const double w = weight(mix, s, row);
    reward += w > 0.0 ? w * m->reward[row] : 0.0;
  }
  c->reward[s] = reward;
  mix->count[s] = n;
}

static void mix_chunk(void *context, int chunk, int worker) {
  const Mix *mix = context;
  Chain *c = mix->chain;
  Entry *entry = mix->scratch + 2 * mix->longest * worker;
  double largest = 0.0;
  for (ptrdiff_t s = mdp_chunk_begin(c->S, chunk); s < mdp_chunk_begin(c->S, chunk + 1); s++) {
    const int64_t n = merge_state(mix, s, entry);
    double sum = 0.0;
    write_state(mix, s, entry, n);
    for (int64_t i = 0; i < n; i++) {
      sum += entry[i].prob;
    }
    largest = fmax(largest, sum);
  }
  c->part[chunk] = largest;
}

/* moves the rows together, each of which has room for its entries before merging */
static void close_gaps(const Mix *mix) {
  Chain *c = mix->chain;
  int64_t kept = 0;
  for (ptrdiff_t s = 0; s < c->S; s++) {
    const int64_t from = c->start[s], n = mix->count[s];
    if (from != kept) {
      memmove(c->next + kept, c->next + from, (size_t)n * sizeof *c->next);
      memmove(c->prob + kept, c->prob + from, (size_t)n * sizeof *c->prob);
    }
    c->start[s] = kept;
    kept += n;
  }
  c->start[c->S] = kept;
}

/* entries of the states before merging; returns the most of any, at least 1 */
static int64_t count_entries(const Mix *mix, int64_t *total) {
  const Mdp *m = mix->mdp;
  int64_t longest = 1;
  *total = 0;
  for (ptrdiff_t s = 0; s < m->S; s++) {
    int64_t n = 0;
    for (int64_t row = m->first[s]; row < m->first[s + 1]; row++) {
      n += weight(mix, s, row) > 0.0 ? m->start[row + 1] - m->start[row] : 0;
    }
    longest = n > longest ? n : longest;
    mix->count[s] = n;
    *total += n;
  }
  return longest;
}

static Status init(Chain *chain, Mix *mix, Arena *ws) {
  const Mdp *mdp = mix->mdp;
  int64_t total;
  mix->count = ARENA_PUSH(ws, int64_t, mdp->S);
  if (mix->count == NULL) {
    return E_NOMEM;
  }
  mix->longest = count_entries(mix, &total);
  mix->scratch = ARENA_PUSH(ws, Entry, 2 * mix->longest * pool_threads());
  const Status status = mix->scratch != NULL ? reserve(chain, mdp, total) : E_NOMEM;
  if (status != OK) {
    return status;
  }
  chain->start[0] = 0;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    chain->start[s + 1] = chain->start[s] + mix->count[s];
  }
  pool_run(mix_chunk, mix, mdp_chunks(mdp->S));
  close_gaps(mix);
  settle(chain);
  return OK;
}

Status chain_init(Chain *chain, const Mdp *mdp, const double *pi, Arena *ws) {
  Mix mix = {.chain = chain, .mdp = mdp, .pi = pi};
  const ArenaMark mark = arena_mark(ws);
  const Status status = init(chain, &mix, ws);
  arena_release(ws, mark);
  return status;
}

/* --- other chains from it ------------------------------------------------------------------------------------------ */

void chain_drop(Chain *chain, const unsigned char *drop) {
  int64_t kept = 0, from = 0;
  chain->row_sum = 0.0;
  for (ptrdiff_t s = 0; s < chain->S; s++) {
    const int64_t end = chain->start[s + 1], n = drop[s] ? 0 : end - from;
    chain->start[s] = kept;
    memmove(chain->next + kept, chain->next + from, (size_t)n * sizeof *chain->next);
    memmove(chain->prob + kept, chain->prob + from, (size_t)n * sizeof *chain->prob);
    kept += n;
    from = end;
    if (drop[s]) {
      chain->reward[s] = 0.0;
    }
  }
  chain->start[chain->S] = kept;
  for (ptrdiff_t s = 0; s < chain->S; s++) {
    chain->row_sum = fmax(chain->row_sum, row_sum(chain, s));
  }
}

Status chain_transpose(Chain *chain, const Chain *source, Arena *ws) {
  const ptrdiff_t S = source->S;
  const int64_t count = source->start[S];
  Chain t = *source;
  t.storage = NULL;
  t.start = ARENA_PUSH(ws, int64_t, S + 2);
  t.next = ARENA_PUSH(ws, int32_t, count);
  t.prob = ARENA_PUSH(ws, double, count);
  if (t.start == NULL || t.next == NULL || t.prob == NULL) {
    return E_NOMEM;
  }
  /* start[s + 1] runs through the places of row s and ends where the next row begins */
  memset(t.start, 0, (size_t)(S + 2) * sizeof *t.start);
  for (int64_t j = 0; j < count; j++) {
    t.start[source->next[j] + 2]++;
  }
  for (ptrdiff_t s = 0; s < S; s++) {
    t.start[s + 2] += t.start[s + 1];
  }
  for (ptrdiff_t s = 0; s < S; s++) {
    for (int64_t j = source->start[s]; j < source->start[s + 1]; j++) {
      const int64_t place = t.start[source->next[j] + 1]++;
      t.next[place] = (int32_t)s;
      t.prob[place] = source->prob[j];
    }
  }
  *chain = t;
  return OK;
}

/* --- the operator -------------------------------------------------------------------------------------------------- */

typedef struct Apply {
  const Chain *chain;
  double *out;
  const double *v;
} Apply;

static void apply_chunk(void *context, int chunk, int worker) {
  const Apply *apply = context;
  const Chain *c = apply->chain;
  const double *v = apply->v;
  (void)worker;
  for (ptrdiff_t s = mdp_chunk_begin(c->S, chunk); s < mdp_chunk_begin(c->S, chunk + 1); s++) {
    double sum = 0.0;
    for (int64_t j = c->start[s]; j < c->start[s + 1]; j++) {
      sum += c->prob[j] * v[c->next[j]];
    }
    apply->out[s] = v[s] - c->gamma * sum;
  }
}

void chain_apply(const Chain *chain, double *out, const double *v) {
  Apply apply = {chain, out, v};
  pool_run(apply_chunk, &apply, mdp_chunks(chain->S));
}
