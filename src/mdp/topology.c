#include "mdp/topology.h"

#include <string.h>

TopologyGraph topology_of_mdp(const Mdp *mdp) {
  return (TopologyGraph){mdp->S, mdp->first, mdp->start, mdp->next};
}

TopologyGraph topology_of_chain(const Chain *chain) {
  return (TopologyGraph){chain->S, NULL, chain->start, chain->next};
}

/* --- components ---------------------------------------------------------------------------------------------------- */

/* Tarjan's search. index: 0 not seen, else the time of discovery; DONE: the component is known */
enum { DONE = 0x7fffffff };

typedef struct Search {
  const TopologyGraph *g;
  int32_t *index; /* [S] */
  int32_t *low;   /* [S] earliest time reachable through the tree and one more edge */
  int64_t *at;    /* [S] the next edge to look at */
  int32_t *path;  /* [S] states being searched, from the root */
  int32_t *open;  /* [S] states whose component is not known, in the order of discovery */
  int32_t *order; /* results */
  int32_t *begin;
  ptrdiff_t path_size, open_size, components, time;
  ptrdiff_t placed; /* states in order so far */
} Search;

static void discover(Search *z, int32_t s) {
  z->index[s] = z->low[s] = (int32_t)++z->time;
  z->at[s] = topology_begin(z->g, s);
  z->path[z->path_size++] = s;
  z->open[z->open_size++] = s;
}

/* s is the first discovered of its component: the component is what has been opened since */
static void close_component(Search *z, int32_t s) {
  int32_t t;
  z->begin[z->components++] = (int32_t)z->placed;
  do {
    t = z->open[--z->open_size];
    z->index[t] = DONE;
    z->order[z->placed++] = t;
  } while (t != s);
}

/* follows edges of the last state of the path until one leads to a new state; 0 when none is left */
static int descend(Search *z, int32_t s) {
  const int64_t end = topology_begin(z->g, s + 1);
  while (z->at[s] < end) {
    const int32_t t = z->g->next[z->at[s]++];
    if (z->index[t] == 0) {
      discover(z, t);
      return 1;
    }
    if (z->index[t] < z->low[s]) {
      z->low[s] = z->index[t]; /* DONE is larger than any time */
    }
  }
  return 0;
}

static void search_from(Search *z, int32_t root) {
  discover(z, root);
  while (z->path_size > 0) {
    const int32_t s = z->path[z->path_size - 1];
    if (descend(z, s)) {
      continue;
    }
    z->path_size--;
    if (z->low[s] == z->index[s]) {
      close_component(z, s);
    } else if (z->low[s] < z->low[z->path[z->path_size - 1]]) {
      z->low[z->path[z->path_size - 1]] = z->low[s];
    }
  }
}

Status topology_components(const TopologyGraph *g, int32_t *order, int32_t *begin, ptrdiff_t *count,
                           Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  Search z = {.g = g,
              .index = ARENA_PUSH(ws, int32_t, g->S),
              .low = ARENA_PUSH(ws, int32_t, g->S),
              .at = ARENA_PUSH(ws, int64_t, g->S),
              .path = ARENA_PUSH(ws, int32_t, g->S),
              .open = ARENA_PUSH(ws, int32_t, g->S),
              .order = order,
              .begin = begin};
  Status status = E_NOMEM;
  if (z.index != NULL && z.low != NULL && z.at != NULL && z.path != NULL && z.open != NULL) {
    memset(z.index, 0, (size_t)g->S * sizeof *z.index);
    for (ptrdiff_t s = 0; s < g->S; s++) {
      if (z.index[s] == 0) {
        search_from(&z, (int32_t)s);
      }
    }
    begin[z.components] = (int32_t)g->S;
    *count = z.components;
    status = OK;
  }
  arena_release(ws, mark);
  return status;
}

/* --- distance ------------------------------------------------------------------------------------------------------ */

/* predecessors: from[at[t]] .. from[at[t + 1] - 1] are those of t */
static void reverse(const TopologyGraph *g, int64_t *at, int32_t *from) {
  const int64_t begin = topology_begin(g, 0), end = topology_begin(g, g->S);
  memset(at, 0, (size_t)(g->S + 2) * sizeof *at);
  for (int64_t j = begin; j < end; j++) {
    at[g->next[j] + 2]++;
  }
  for (ptrdiff_t s = 0; s < g->S; s++) {
    at[s + 2] += at[s + 1];
  }
  for (ptrdiff_t s = 0; s < g->S; s++) {
    for (int64_t j = topology_begin(g, s); j < topology_begin(g, s + 1); j++) {
      from[at[g->next[j] + 1]++] = (int32_t)s;
    }
  }
}

/* returns the number of states with a way to an exit */
static ptrdiff_t spread(ptrdiff_t S, int32_t *order, unsigned char *seen, const int64_t *at,
                        const int32_t *from) {
  ptrdiff_t known = 0;
  for (ptrdiff_t s = 0; s < S; s++) {
    if (seen[s]) {
      order[known++] = (int32_t)s;
    }
  }
  for (ptrdiff_t i = 0; i < known; i++) {
    for (int64_t j = at[order[i]]; j < at[order[i] + 1]; j++) {
      if (!seen[from[j]]) {
        seen[from[j]] = 1;
        order[known++] = from[j];
      }
    }
  }
  return known;
}

Status topology_from_exits(const TopologyGraph *g, int32_t *order, const unsigned char *exits,
                           ptrdiff_t *reached, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const int64_t edges = topology_begin(g, g->S) - topology_begin(g, 0);
  int64_t *at = ARENA_PUSH(ws, int64_t, g->S + 2);
  int32_t *from = ARENA_PUSH(ws, int32_t, edges + 1);
  unsigned char *seen = ARENA_PUSH(ws, unsigned char, g->S);
  Status status = E_NOMEM;
  if (at != NULL && from != NULL && seen != NULL) {
    memcpy(seen, exits, (size_t)g->S);
    reverse(g, at, from);
    ptrdiff_t known = spread(g->S, order, seen, at, from);
    if (reached != NULL) {
      *reached = known;
    }
    for (ptrdiff_t s = 0; s < g->S; s++) {
      if (!seen[s]) {
        order[known++] = (int32_t)s;
      }
    }
    status = OK;
  }
  arena_release(ws, mark);
  return status;
}
