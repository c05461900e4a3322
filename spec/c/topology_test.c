/* Components and breadth-first orders of random graphs, against reachability by repeated relaxation. */
#include "mdp/topology.h"

#include <string.h>

#include "base/rng.h"
#include "check.h"

enum { MOST = 40, EDGES = 400 };

static int64_t start[MOST + 1];
static int32_t next[EDGES];
static unsigned char way[MOST][MOST]; /* from, to; a state reaches itself */

static TopologyGraph random_graph(Rng *rng, int S, double degree) {
  int64_t k = 0;
  for (int s = 0; s < S; s++) {
    start[s] = k;
    for (int t = 0; t < S; t++) {
      if (rng_uniform(rng) < degree / S && k < EDGES) {
        next[k++] = t;
      }
    }
  }
  start[S] = k;
  return (TopologyGraph){S, NULL, start, next};
}

static void find_ways(int S) {
  memset(way, 0, sizeof way);
  for (int s = 0; s < S; s++) way[s][s] = 1;
  for (int again = 1; again;) {
    again = 0;
    for (int u = 0; u < S; u++) {
      for (int s = 0; s < S; s++) {
        for (int64_t j = start[s]; j < start[s + 1]; j++) {
          if (way[u][s] && !way[u][next[j]]) way[u][next[j]] = 1, again = 1;
        }
      }
    }
  }
}

static int components_hold(const TopologyGraph *g, Arena *ws) {
  int32_t order[MOST], begin[MOST + 1], component[MOST];
  ptrdiff_t count;
  int good = topology_components(g, order, begin, &count, ws) == OK;
  for (int i = 0; i < MOST; i++) component[i] = -1;
  good = good && begin[0] == 0 && begin[count] == g->S;
  for (int i = 0; i < count; i++) {
    good = good && begin[i] < begin[i + 1];
    for (int k = begin[i]; k < begin[i + 1]; k++) component[order[k]] = i;
  }
  for (int s = 0; s < g->S; s++) {
    good = good && component[s] >= 0;
    for (int t = 0; t < g->S; t++) {
      good = good && (component[s] == component[t]) == (way[s][t] && way[t][s]);
      good = good && (!way[s][t] || component[t] <= component[s]);
    }
  }
  return good;
}

static int exits_hold(const TopologyGraph *g, Rng *rng, Arena *ws) {
  unsigned char exits[MOST], seen[MOST] = {0};
  int32_t order[MOST];
  ptrdiff_t reached, expected = 0, marked = 0;
  for (int s = 0; s < g->S; s++) marked += exits[s] = rng_uniform(rng) < 0.1;
  int good = topology_from_exits(g, order, exits, &reached, ws) == OK;
  for (int s = 0; s < g->S; s++) {
    int any = 0;
    for (int t = 0; t < g->S; t++) any |= way[s][t] && exits[t];
    expected += any;
  }
  good = good && reached == expected;
  for (int i = 0; i < g->S; i++) {
    /* behind the exits each has a successor before it */
    int after = 0;
    for (int64_t j = start[order[i]]; j < start[order[i] + 1]; j++) after |= seen[next[j]];
    good = good && !seen[order[i]] && (i < marked ? exits[order[i]] : i >= reached || after);
    seen[order[i]] = 1;
  }
  return good;
}

/* a path and a cycle of many states: nothing recurses */
static void check_long(Arena *ws) {
  enum { LONG = 300000 };
  static int64_t at[LONG + 1];
  static int32_t to[LONG], order[LONG], begin[LONG + 1];
  ptrdiff_t count;
  for (int s = 0; s < LONG; s++) at[s] = s, to[s] = s + 1 < LONG ? s + 1 : s;
  at[LONG] = LONG;
  const TopologyGraph g = {LONG, NULL, at, to};
  CHECK(topology_components(&g, order, begin, &count, ws) == OK && count == LONG
            && order[0] == LONG - 1,
        "a long path has as many components as states");
  to[LONG - 1] = 0;
  CHECK(topology_components(&g, order, begin, &count, ws) == OK && count == 1,
        "a long cycle is one component");
}

int main(void) {
  Arena ws;
  arena_init(&ws);
  Rng rng = rng_at(rng_key(72, 0), RNG_USER, 0, 0);
  int components = 0, exits = 0;
  for (int i = 0; i < 300; i++) {
    const int S = 1 + (int)(rng_uniform(&rng) * MOST);
    const TopologyGraph g = random_graph(&rng, S, 0.3 + 2 * rng_uniform(&rng));
    find_ways(S);
    components += components_hold(&g, &ws);
    exits += exits_hold(&g, &rng, &ws);
  }
  CHECK(components == 300, "components of 300 random graphs");
  CHECK(exits == 300, "orders from the exits of 300 random graphs");
  check_long(&ws);
  arena_free(&ws);
  return check_failures();
}
