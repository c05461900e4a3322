#ifndef TRPO_GRIDWORLD_H
#define TRPO_GRIDWORLD_H

#include "base/arena.h"
#include "mdp/mdp.h"

/**
 * Grid worlds. Cells are numbered row by row from the upper left corner; a step over the border leads nowhere.
 * All: E_NOMEM.
 */
typedef struct GridworldMap {
  ptrdiff_t rows, columns;
  const char *cells; /* [rows * columns] */
} GridworldMap;

/** Gymnasium's map of that name, "4x4" or "8x8"; cells NULL when there is none. */
GridworldMap gridworld_map(const char *name);

/**
 * FrozenLake: cells S start, F frozen, H hole, G goal; actions left, down, right, up.
 *
 * On slippery ice the step goes as wanted with probability `success`, and to each side with half of the rest. Entering G
 * gives the reward 1; entering G or H ends the episode. A start among several is uniform. A step from G or H stays there.
 * Source: Gymnasium, toy_text/frozen_lake.py.
 */
typedef struct GridworldLake {
  GridworldMap map; /* with an S */
  int slippery;
  double success; /* in (0, 1]; Gymnasium's is 1/3 */
  double gamma;
} GridworldLake;

Status gridworld_frozen_lake(Mdp *mdp, const GridworldLake *lake, Arena *ws);

/**
 * Cliff walking: from the lower left to the lower right corner along a cliff, which takes the cells between them; actions
 * up, right, down, left. Each step costs 1; falling costs 100 and leads back to the start, without an end.
 * On slippery ground a step goes as wanted or to one of the two sides, each with probability 1/3.
 * Source: Sutton and Barto 2018, example 6.6; Gymnasium, toy_text/cliffwalking.py.
 */
typedef struct GridworldCliff {
  ptrdiff_t rows, columns; /* >= 2; 4 x 12 in the sources */
  int slippery;
  double gamma;
} GridworldCliff;

Status gridworld_cliff_walking(Mdp *mdp, const GridworldCliff *cliff, Arena *ws);

/**
 * The 5 x 5 grid of example 3.5: actions north, south, east, west; a step over the border costs 1. From A (row 1,
 * column 2) every action leads to row 5 with reward 10, from B (row 1, column 4) to row 3 with reward 5. Never ends; the
 * first state is uniform. Source: Sutton and Barto 2018, example 3.5 (gamma 0.9).
 */
Status gridworld_example35(Mdp *mdp, double gamma, Arena *ws);

/**
 * The 4 x 4 grid of example 4.1: actions up, down, right, left; each step costs 1; two opposite corners end the episode.
 * The first state is uniform over the others. Source: Sutton and Barto 2018, example 4.1 (gamma 1).
 */
Status gridworld_example41(Mdp *mdp, double gamma, Arena *ws);

/**
 * A slippery maze of side x side cells: actions up, right, down, left; each step costs 1 until the goal in the lower right
 * corner is reached, from the upper left one. A step goes as wanted with probability 1 - slip, and to each side with
 * slip / 2; steps against walls and borders stay. A cell is a wall with probability `walls`, but for the nine around the
 * start; what cannot reach the goal is made wall too. Maps are drawn from (RNG_INIT, lane try, step 3) of
 * (seed, stream 0) until the start can reach the goal.
 *
 * cells [side * side], out: '.' free, '#' wall, 'S' start, 'G' goal. E_NOT_CONVERGED: no such map in 1000 tries.
 */
typedef struct GridworldMaze {
  ptrdiff_t side; /* 2 .. 46340 */
  double walls;   /* in [0, 1) */
  double slip;    /* in [0, 1) */
  uint64_t seed;
  double gamma;
} GridworldMaze;

Status gridworld_maze(Mdp *mdp, char *cells, const GridworldMaze *maze, Arena *ws);

#endif
