#include "mdp/classes.h"

#include <string.h>

enum { UNSEEN = -1 };

/* Tarjan's algorithm with a stack of its own */
typedef struct Search {
  const Chain *chain;
  const unsigned char *ends;
  unsigned char *kind;
  unsigned char *closed; /* [S] 1: in a class that is never left */
  int32_t *index, *low;  /* [S] order of discovery, lowest index in reach */
  int32_t *component;    /* [S] states found but in no component yet */
  int32_t *path;         /* [S] */
  int64_t *at;           /* [S] next entry to follow */
  unsigned char *open;   /* [S] on the component stack */
  ptrdiff_t components, depth;
  int32_t count;
} Search;

/* a kind for what leads to both */
static unsigned char join(unsigned char a, unsigned char b) {
  if (a < CLASSES_PLUS || b < CLASSES_PLUS) {
    return a < CLASSES_PLUS ? b : a;
  }
  return a == b ? a : CLASSES_NONE;
}

/* the kind of the component whose states are member[0..n-1]; components it leads to have theirs */
static void judge(Search *search, const int32_t *member, ptrdiff_t n) {
  const Chain *c = search->chain;
  unsigned char reached = CLASSES_TRANSIENT;
  int closed = 1, plus = 0, minus = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    const ptrdiff_t s = member[i];
    closed = closed && !search->ends[s];
    plus |= c->reward[s] > 0.0;
    minus |= c->reward[s] < 0.0;
    for (int64_t j = c->start[s]; j < c->start[s + 1]; j++) {
      const ptrdiff_t t = c->next[j];
      if (!search->open[t]) { /* members are still open */
        closed = 0;
        reached = join(reached, search->kind[t]);
      }
    }
  }
  const unsigned char own = plus && minus ? CLASSES_NONE
                            : plus        ? CLASSES_PLUS
                            : minus       ? CLASSES_MINUS
                                          : CLASSES_ENDED;
  const unsigned char kind = closed ? own : reached >= CLASSES_PLUS ? reached : CLASSES_TRANSIENT;
  for (ptrdiff_t i = 0; i < n; i++) {
    search->kind[member[i]] = kind;
    search->closed[member[i]] = (unsigned char)closed;
  }
}

static void discover(Search *search, ptrdiff_t s) {
  search->index[s] = search->low[s] = search->count++;
  search->at[s] = search->chain->start[s];
  search->open[s] = 1;
  search->component[search->components++] = (int32_t)s;
  search->path[search->depth++] = (int32_t)s;
}

/* all of s has been followed: a component ends here, or the state before learns how far back s reaches */
static void finish(Search *search, ptrdiff_t s) {
  if (search->low[s] == search->index[s]) {
    ptrdiff_t first = search->components;
    while (search->component[--first] != s) {
    }
    judge(search, search->component + first, search->components - first);
    while (search->components > first) {
      search->open[search->component[--search->components]] = 0;
    }
  }
  if (--search->depth > 0) {
    const ptrdiff_t before = search->path[search->depth - 1];
    search->low[before] = search->low[s] < search->low[before] ? search->low[s]
                                                               : search->low[before];
  }
}

static void search_from(Search *search, ptrdiff_t root) {
  discover(search, root);
  while (search->depth > 0) {
    const ptrdiff_t s = search->path[search->depth - 1];
    if (search->at[s] == search->chain->start[s + 1]) {
      finish(search, s);
      continue;
    }
    const ptrdiff_t t = search->chain->next[search->at[s]++];
    if (search->index[t] == UNSEEN) {
      discover(search, t);
    } else if (search->open[t] && search->index[t] < search->low[s]) {
      search->low[s] = search->index[t];
    }
  }
}

/* marks in open what can be reached from where rho0 > 0; path is the queue */
static void reach(Search *search, const double *rho0) {
  const Chain *c = search->chain;
  ptrdiff_t first = 0, end = 0;
  for (ptrdiff_t s = 0; s < c->S; s++) {
    search->open[s] = rho0[s] > 0.0;
    if (rho0[s] > 0.0) {
      search->path[end++] = (int32_t)s;
    }
  }
  while (first < end) {
    const ptrdiff_t s = search->path[first++];
    for (int64_t j = c->start[s]; j < c->start[s + 1]; j++) {
      if (!search->open[c->next[j]]) {
        search->open[c->next[j]] = 1;
        search->path[end++] = c->next[j];
      }
    }
  }
}

static Status find(Search *search, ptrdiff_t *state, const double *rho0, Arena *ws) {
  const ptrdiff_t S = search->chain->S;
  search->closed = ARENA_PUSH(ws, unsigned char, S);
  search->index = ARENA_PUSH(ws, int32_t, S);
  search->low = ARENA_PUSH(ws, int32_t, S);
  search->component = ARENA_PUSH(ws, int32_t, S);
  search->path = ARENA_PUSH(ws, int32_t, S);
  search->at = ARENA_PUSH(ws, int64_t, S);
  search->open = ARENA_PUSH(ws, unsigned char, S);
  if (search->closed == NULL || search->index == NULL || search->low == NULL
      || search->component == NULL || search->path == NULL || search->at == NULL
      || search->open == NULL) {
    return E_NOMEM;
  }
  memset(search->index, 0xff, (size_t)S * sizeof *search->index);
  memset(search->open, 0, (size_t)S);
  for (ptrdiff_t s = 0; s < S; s++) {
    if (search->index[s] == UNSEEN) {
      search_from(search, s);
    }
  }
  reach(search, rho0);
  for (ptrdiff_t s = 0; s < S; s++) {
    const int bad = search->kind[s] == CLASSES_NONE
                    || (search->kind[s] >= CLASSES_PLUS && search->open[s]);
    if (bad && search->closed[s]) {
      *state = s;
      return E_IMPROPER;
    }
  }
  /* a state without value leads to closed classes of both signs, none of which need be bad by itself */
  for (ptrdiff_t s = 0; s < S; s++) {
    if (search->kind[s] == CLASSES_NONE) {
      *state = s;
      return E_IMPROPER;
    }
  }
  return OK;
}

Status classes_find(unsigned char *kind, ptrdiff_t *state, const Chain *chain,
                    const unsigned char *ends, const double *rho0, Arena *ws) {
  Search search = {.chain = chain, .ends = ends, .kind = kind};
  const ArenaMark mark = arena_mark(ws);
  const Status status = find(&search, state, rho0, ws);
  arena_release(ws, mark);
  return status;
}
