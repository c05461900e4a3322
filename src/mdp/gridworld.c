#include "mdp/gridworld.h"

#include <string.h>

#include "base/rng.h"
#include "mdp/draft.h"

/* --- moving -------------------------------------------------------------------------------------------------------- */

typedef struct Move {
  int row, column;
} Move;

/* the cell one move away, or s itself at the border */
static ptrdiff_t neighbour(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t s, Move move) {
  const ptrdiff_t row = s / columns + move.row, column = s % columns + move.column;
  return row < 0 || row >= rows || column < 0 || column >= columns ? s : row * columns + column;
}

/* the side of direction d, for directions that go around */
static int turned(int d, int by) {
  return (d + by + 4) % 4;
}

/* --- FrozenLake ---------------------------------------------------------------------------------------------------- */

GridworldMap gridworld_map(const char *name) {
  if (!strcmp(name, "4x4")) {
    return (GridworldMap){4, 4, "SFFFFHFHFFFHHFFG"};
  }
  if (!strcmp(name, "8x8")) {
    return (GridworldMap){8, 8,
                          "SFFFFFFFFFFFFFFFFFFHFFFFFFFFFHFF"
                          "FFFHFFFFFHHFFFHFFHFFHFHFFFFHFFFG"};
  }
  return (GridworldMap){0};
}

/* one direction in which the ice may take the walker */
static void add_slide(Draft *d, const GridworldMap *map, ptrdiff_t s, int action, int direction,
                      double p) {
  static const Move moves[4] = {{0, -1}, {1, 0}, {0, 1}, {-1, 0}}; /* left, down, right, up */
  const ptrdiff_t next = neighbour(map->rows, map->columns, s, moves[direction]);
  const char cell = map->cells[next];
  draft_add(d, s, action, p, next, cell == 'G' ? 1.0 : 0.0, cell == 'G' || cell == 'H');
}

static void add_lake_cell(Draft *d, const GridworldLake *lake, ptrdiff_t s) {
  const double third = 1.0 / 3.0;
  const double side = lake->success == third ? third : (1.0 - lake->success) / 2.0;
  for (int a = 0; a < 4; a++) {
    if (lake->slippery) {
      add_slide(d, &lake->map, s, a, turned(a, -1), side);
      add_slide(d, &lake->map, s, a, a, lake->success);
      add_slide(d, &lake->map, s, a, turned(a, 1), side);
    } else {
      add_slide(d, &lake->map, s, a, a, 1.0);
    }
  }
}

Status gridworld_frozen_lake(Mdp *mdp, const GridworldLake *lake, Arena *ws) {
  const char *cells = lake->map.cells;
  const ptrdiff_t S = lake->map.rows * lake->map.columns;
  ptrdiff_t starts = 0;
  for (ptrdiff_t s = 0; s < S; s++) {
    starts += cells[s] == 'S';
  }
  Draft d;
  draft_init(&d, S, 4);
  for (ptrdiff_t s = 0; s < S; s++) {
    if (cells[s] == 'G' || cells[s] == 'H') {
      draft_end(&d, s);
    } else {
      add_lake_cell(&d, lake, s);
    }
    draft_start(&d, s, cells[s] == 'S' ? 1.0 / (double)starts : 0.0);
  }
  return draft_finish(&d, mdp, lake->gamma, ws);
}

/* --- cliff walking ------------------------------------------------------------------------------------------------- */

/* up, right, down, left */
static const Move clockwise[4] = {{-1, 0}, {0, 1}, {1, 0}, {0, -1}};

static void add_cliff_step(Draft *d, const GridworldCliff *cliff, ptrdiff_t s, int action,
                           int direction, double p) {
  const ptrdiff_t start = (cliff->rows - 1) * cliff->columns, goal = start + cliff->columns - 1;
  const ptrdiff_t next = neighbour(cliff->rows, cliff->columns, s, clockwise[direction]);
  if (next > start && next < goal) {
    draft_add(d, s, action, p, start, -100.0, 0);
  } else {
    draft_add(d, s, action, p, next, -1.0, next == goal);
  }
}

Status gridworld_cliff_walking(Mdp *mdp, const GridworldCliff *cliff, Arena *ws) {
  const ptrdiff_t S = cliff->rows * cliff->columns;
  Draft d;
  draft_init(&d, S, 4);
  draft_start(&d, (cliff->rows - 1) * cliff->columns, 1.0);
  for (ptrdiff_t s = 0; s < S; s++) {
    for (int a = 0; a < 4; a++) {
      for (int side = -1; side <= 1; side++) {
        if (cliff->slippery || side == 0) {
          add_cliff_step(&d, cliff, s, a, turned(a, side), cliff->slippery ? 1.0 / 3.0 : 1.0);
        }
      }
    }
  }
  return draft_finish(&d, mdp, cliff->gamma, ws);
}

/* --- grids of Sutton and Barto ------------------------------------------------------------------------------------- */

Status gridworld_example35(Mdp *mdp, double gamma, Arena *ws) {
  static const Move moves[4] = {{-1, 0}, {1, 0}, {0, 1}, {0, -1}}; /* north, south, east, west */
  enum { SIDE = 5, STATES = SIDE * SIDE, A = 1, A_TO = 21, B = 3, B_TO = 13 };
  Draft d;
  draft_init(&d, STATES, 4);
  for (ptrdiff_t s = 0; s < STATES; s++) {
    draft_start(&d, s, 1.0 / STATES);
    for (int a = 0; a < 4; a++) {
      const ptrdiff_t next = neighbour(SIDE, SIDE, s, moves[a]);
      if (s == A) {
        draft_add(&d, s, a, 1.0, A_TO, 10.0, 0);
      } else if (s == B) {
        draft_add(&d, s, a, 1.0, B_TO, 5.0, 0);
      } else {
        draft_add(&d, s, a, 1.0, next, next == s ? -1.0 : 0.0, 0);
      }
    }
  }
  return draft_finish(&d, mdp, gamma, ws);
}

Status gridworld_example41(Mdp *mdp, double gamma, Arena *ws) {
  static const Move moves[4] = {{-1, 0}, {1, 0}, {0, 1}, {0, -1}}; /* up, down, right, left */
  enum { SIDE = 4, STATES = SIDE * SIDE, LAST = STATES - 1 };
  Draft d;
  draft_init(&d, STATES, 4);
  draft_end(&d, 0);
  draft_end(&d, LAST);
  for (ptrdiff_t s = 1; s < LAST; s++) {
    draft_start(&d, s, 1.0 / (STATES - 2));
    for (int a = 0; a < 4; a++) {
      const ptrdiff_t next = neighbour(SIDE, SIDE, s, moves[a]);
      draft_add(&d, s, a, 1.0, next, -1.0, next == 0 || next == LAST);
    }
  }
  return draft_finish(&d, mdp, gamma, ws);
}

/* --- maze ---------------------------------------------------------------------------------------------------------- */

enum { MAZE_TRIES = 1000, MAZE_STEP = 3 };

/* walls at random, none in the corner of the start */
static void draw_maze(const GridworldMaze *maze, char *cells, uint32_t try) {
  const ptrdiff_t n = maze->side;
  Rng rng = rng_at(rng_key(maze->seed, 0), RNG_INIT, try, MAZE_STEP);
  for (ptrdiff_t s = 0; s < n * n; s++) {
    const int wall = rng_uniform(&rng) < maze->walls;
    cells[s] = wall && (s / n > 2 || s % n > 2) ? '#' : '.';
  }
  cells[n * n - 1] = 'G';
}

/* makes walls of all cells that cannot reach the goal; queue [side^2], seen [side^2] */
static void close_maze(const GridworldMaze *maze, char *cells, int32_t *queue,
                       unsigned char *seen) {
  const ptrdiff_t n = maze->side, S = n * n;
  ptrdiff_t head = 0, tail = 0;
  memset(seen, 0, (size_t)S);
  seen[S - 1] = 1;
  queue[tail++] = (int32_t)(S - 1);
  while (head < tail) {
    const ptrdiff_t s = queue[head++];
    for (int a = 0; a < 4; a++) {
      const ptrdiff_t t = neighbour(n, n, s, clockwise[a]);
      if (!seen[t] && cells[t] != '#') {
        seen[t] = 1;
        queue[tail++] = (int32_t)t;
      }
    }
  }
  for (ptrdiff_t s = 0; s < S; s++) {
    cells[s] = seen[s] ? cells[s] : '#';
  }
}

static Status find_maze(const GridworldMaze *maze, char *cells, Arena *ws) {
  const size_t S = (size_t)maze->side * (size_t)maze->side;
  const ArenaMark mark = arena_mark(ws);
  int32_t *queue = ARENA_PUSH(ws, int32_t, S);
  unsigned char *seen = ARENA_PUSH(ws, unsigned char, S);
  Status status = queue != NULL && seen != NULL ? E_NOT_CONVERGED : E_NOMEM;
  for (uint32_t try = 0; status == E_NOT_CONVERGED && try < MAZE_TRIES; try++) {
    draw_maze(maze, cells, try);
    close_maze(maze, cells, queue, seen);
    status = cells[0] == '.' ? OK : E_NOT_CONVERGED;
  }
  arena_release(ws, mark);
  return status;
}

static void add_maze_cell(Draft *d, const GridworldMaze *maze, const char *cells, ptrdiff_t s) {
  const ptrdiff_t n = maze->side;
  for (int a = 0; a < 4; a++) {
    for (int side = -1; side <= 1; side++) {
      const double p = side == 0 ? 1.0 - maze->slip : maze->slip / 2.0;
      ptrdiff_t next = neighbour(n, n, s, clockwise[turned(a, side)]);
      next = cells[next] == '#' ? s : next;
      draft_add(d, s, a, p, next, -1.0, cells[next] == 'G');
    }
  }
}

Status gridworld_maze(Mdp *mdp, char *cells, const GridworldMaze *maze, Arena *ws) {
  const ptrdiff_t S = maze->side * maze->side;
  Draft d;
  Status status = find_maze(maze, cells, ws);
  if (status != OK) {
    return status;
  }
  draft_init(&d, S, 4);
  if (d.status == OK) {
    d.status = builder_reserve(&d.builder, 12 * S);
  }
  draft_start(&d, 0, 1.0);
  for (ptrdiff_t s = 0; s < S; s++) {
    if (cells[s] == '.') {
      add_maze_cell(&d, maze, cells, s);
    } else {
      draft_end(&d, s);
    }
  }
  cells[0] = 'S';
  return draft_finish(&d, mdp, maze->gamma, ws);
}
