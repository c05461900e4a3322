/*
 * Named processes. Each function takes a table of options, checked here, and returns the process, or nil, message, code;
 * what the functions are for stands in lua/trpo/mdp/gallery.lua, which gives them names and labels.
 */
#include <float.h>
#include <lauxlib.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_builder.h"
#include "lua/l_check.h"
#include "lua/l_mdp.h"
#include "lua/l_tensor.h"
#include "mdp/gallery.h"
#include "mdp/garnet.h"
#include "mdp/gridworld.h"
#include "mdp/taxi.h"
#include "mdp/torus.h"

/* SIDE: most cells of a side, for fewer than 2^31 of them; the others keep what is written down within a few GB */
enum { SIDE_LIMIT = 46340, MAZE_LIMIT = 4000, STATES_LIMIT = 10000000 };

/* --- options ----------------------------------------------------------------------------------------------------- */

/* checks the keys of the options and pushes the process to be made, which then stands at 2 */
static Mdp *begin(lua_State *L, const char *what, const char *const *keys) {
  l_builder_options(L, what, keys);
  return l_mdp_push_empty(L);
}

/* the process at 2 and what follows it, or nil, message, code */
static int finish(lua_State *L, const char *what, Status status) {
  if (status == E_NOMEM) {
    return l_builder_refuse(L, what, status, "not enough memory");
  }
  if (status < 0) {
    return l_builder_refuse(L, what, status, "%s", status_text(status));
  }
  l_nudge(L);
  return lua_gettop(L) - 1;
}

static double gamma_of(lua_State *L, const char *what, double def) {
  return l_field_number(L, 1, what, "gamma", 0.0, 1.0, def);
}

static uint64_t seed_of(lua_State *L, const char *what) {
  return (uint64_t)l_field_integer(L, 1, what, "seed", 0, (1L << 53) - 1, 0);
}

/* which of two words the field holds; the first when it is absent */
static int choice(lua_State *L, const char *what, const char *key, const char *const words[2]) {
  const char *word = l_field_string(L, 1, what, key, words[0]);
  for (int i = 0; i < 2; i++) {
    if (strcmp(word, words[i]) == 0) {
      return i;
    }
  }
  return l_fail(L, what, "%s must be '%s' or '%s', got '%s'", key, words[0], words[1], word);
}

/* two numbers in [0, 500] from a list; x keeps its values when the field is absent */
static void read_pair(lua_State *L, const char *what, const char *key, double x[2]) {
  lua_getfield(L, 1, key);
  const int arg = lua_gettop(L);
  if (lua_isnil(L, arg)) {
    lua_pop(L, 1);
    return;
  }
  if (!lua_istable(L, arg) || lua_objlen(L, arg) != 2) {
    l_fail(L, what, "%s must be a list of two numbers, got %s", key, l_describe(L, arg));
  }
  for (int i = 0; i < 2; i++) {
    lua_rawgeti(L, arg, i + 1);
    const char *name = lua_pushfstring(L, "%s[%d]", key, i + 1);
    x[i] = l_number_in(L, arg + 1, what, name, 0.0, 500.0);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

/* --- maps ---------------------------------------------------------------------------------------------------------- */

/* pushes the cells as a list of strings, one of each row */
static void push_cells(lua_State *L, const GridworldMap *map) {
  lua_createtable(L, (int)map->rows, 0);
  for (ptrdiff_t row = 0; row < map->rows; row++) {
    lua_pushlstring(L, map->cells + row * map->columns, (size_t)map->columns);
    lua_rawseti(L, -2, (int)row + 1);
  }
}

/* row i, from 0, of the map at index list */
static void read_row(lua_State *L, const char *what, int list, GridworldMap *map, ptrdiff_t i,
                     char *cells) {
  size_t length = 0;
  lua_rawgeti(L, list, (int)i + 1);
  const char *row = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
  if (row == NULL) {
    l_fail(L, what, "row %d of map must be a string, got %s", (int)i + 1,
           l_describe(L, lua_gettop(L)));
  }
  if ((ptrdiff_t)length != map->columns) {
    l_fail(L, what, "row %d of map must have %d cells, as row 1, got %d", (int)i + 1,
           (int)map->columns, (int)length);
  }
  for (size_t c = 0; c < length; c++) {
    if (row[c] == '\0' || strchr("SFHG", row[c]) == NULL) {
      const char cell[2] = {row[c], '\0'};
      l_fail(L, what, "row %d of map, cell %d must be S, F, H or G, got '%s'", (int)i + 1,
             (int)c + 1, cell);
    }
  }
  memcpy(cells + (size_t)i * length, row, length);
  lua_pop(L, 1);
}

/* the map at index list; its cells are pushed as userdata */
static GridworldMap read_list(lua_State *L, const char *what, int list) {
  GridworldMap map = {.rows = (ptrdiff_t)lua_objlen(L, list)};
  size_t columns = 0;
  lua_rawgeti(L, list, 1);
  if (lua_type(L, -1) == LUA_TSTRING) {
    lua_tolstring(L, -1, &columns);
    map.columns = (ptrdiff_t)columns;
  }
  if (map.rows < 1 || map.rows > SIDE_LIMIT || map.columns > SIDE_LIMIT
      || (lua_type(L, -1) == LUA_TSTRING && columns == 0)) {
    l_fail(L, what, "map must have 1 to %d rows and as many columns, got %d rows of %d", SIDE_LIMIT,
           (int)map.rows, (int)map.columns);
  }
  lua_pop(L, 1);
  const size_t count = (size_t)(map.rows * map.columns);
  char *cells = lua_newuserdata(L, count + 1);
  for (ptrdiff_t i = 0; i < map.rows; i++) {
    read_row(L, what, list, &map, i, cells);
  }
  if (memchr(cells, 'S', count) == NULL) {
    l_fail(L, what, "map must have a start S, got none");
  }
  if (memchr(cells, 'G', count) == NULL) {
    l_fail(L, what, "map must have a goal G, got none");
  }
  map.cells = cells;
  return map;
}

/* the field map: a name or a list of strings; what it pushes keeps the cells alive */
static GridworldMap read_map(lua_State *L, const char *what) {
  lua_getfield(L, 1, "map");
  const int arg = lua_gettop(L);
  if (lua_istable(L, arg)) {
    return read_list(L, what, arg);
  }
  if (!lua_isnil(L, arg) && lua_type(L, arg) != LUA_TSTRING) {
    l_fail(L, what, "map must be '4x4', '8x8' or a list of strings, got %s", l_describe(L, arg));
  }
  const GridworldMap map = gridworld_map(lua_isnil(L, arg) ? "4x4" : lua_tostring(L, arg));
  if (map.cells == NULL) {
    l_fail(L, what, "map must be '4x4', '8x8' or a list of strings, got %s", l_describe(L, arg));
  }
  return map;
}

/* --- grid worlds --------------------------------------------------------------------------------------------------- */

/* frozen_lake { map, slippery, success, gamma } -> mdp, cells */
static int l_mdp_gallery_frozen_lake(lua_State *L) {
  static const char *const keys[] = {"map", "slippery", "success", "gamma", NULL};
  const char *what = "trpo.mdp.frozen_lake";
  Mdp *mdp = begin(L, what, keys);
  GridworldLake lake = {.slippery = l_field_boolean(L, 1, what, "slippery", 1),
                        .success = l_field_number(L, 1, what, "success", DBL_MIN, 1.0, 1.0 / 3.0),
                        .gamma = gamma_of(L, what, 0.99)};
  lake.map = read_map(L, what);
  const Status status = gridworld_frozen_lake(mdp, &lake, l_arena(L));
  push_cells(L, &lake.map);
  lua_replace(L, 3);
  lua_settop(L, 3);
  return finish(L, what, status);
}

/* cliff_walking { rows, columns, slippery, gamma } -> mdp */
static int l_mdp_gallery_cliff_walking(lua_State *L) {
  static const char *const keys[] = {"rows", "columns", "slippery", "gamma", NULL};
  const char *what = "trpo.mdp.cliff_walking";
  Mdp *mdp = begin(L, what, keys);
  const GridworldCliff cliff = {
      .rows = l_field_integer(L, 1, what, "rows", 2, MAZE_LIMIT, 4),
      .columns = l_field_integer(L, 1, what, "columns", 2, MAZE_LIMIT, 12),
      .slippery = l_field_boolean(L, 1, what, "slippery", 0),
      .gamma = gamma_of(L, what, 0.99)};
  return finish(L, what, gridworld_cliff_walking(mdp, &cliff, l_arena(L)));
}

static const char *const gamma_only[] = {"gamma", NULL};

/* the processes that have no option but gamma */
static int make_plain(lua_State *L, const char *what, double gamma,
                      Status (*make)(Mdp *mdp, double gamma, Arena *ws)) {
  Mdp *mdp = begin(L, what, gamma_only);
  return finish(L, what, make(mdp, gamma_of(L, what, gamma), l_arena(L)));
}

static int l_mdp_gallery_taxi(lua_State *L) {
  return make_plain(L, "trpo.mdp.taxi", 0.99, taxi_make);
}

static int l_mdp_gallery_grid_world(lua_State *L) {
  return make_plain(L, "trpo.mdp.grid_world", 0.9, gridworld_example35);
}

static int l_mdp_gallery_grid4x4(lua_State *L) {
  return make_plain(L, "trpo.mdp.grid4x4", 1.0, gridworld_example41);
}

/* maze { side, walls, slip, seed, gamma } -> mdp, cells */
static int l_mdp_gallery_maze(lua_State *L) {
  static const char *const keys[] = {"side", "walls", "slip", "seed", "gamma", NULL};
  const char *what = "trpo.mdp.maze";
  Mdp *mdp = begin(L, what, keys);
  const GridworldMaze maze = {.side = l_field_integer(L, 1, what, "side", 2, MAZE_LIMIT, 20),
                              .walls = l_field_number(L, 1, what, "walls", 0.0, 0.9, 0.2),
                              .slip = l_field_number(L, 1, what, "slip", 0.0, 0.9, 0.2),
                              .seed = seed_of(L, what),
                              .gamma = gamma_of(L, what, 0.99)};
  const GridworldMap map = {maze.side, maze.side,
                            lua_newuserdata(L, (size_t)(maze.side * maze.side))};
  const Status status = gridworld_maze(mdp, (char *)map.cells, &maze, l_arena(L));
  if (status == E_NOT_CONVERGED) {
    return l_builder_refuse(L, what, status, "no maze with walls = %f has a way to the goal",
                            maze.walls);
  }
  push_cells(L, &map);
  lua_replace(L, 3);
  return finish(L, what, status);
}

/* torus { side, noise, seed, gamma } -> mdp */
static int l_mdp_gallery_torus(lua_State *L) {
  static const char *const keys[] = {"side", "noise", "seed", "gamma", NULL};
  const char *what = "trpo.mdp.torus";
  Mdp *mdp = begin(L, what, keys);
  const Torus torus = {.side = l_field_integer(L, 1, what, "side", 3, SIDE_LIMIT, 20),
                       .noise = l_field_number(L, 1, what, "noise", 0.0, 1.0, 0.2),
                       .seed = seed_of(L, what),
                       .gamma = gamma_of(L, what, 0.99)};
  return finish(L, what, torus_make(mdp, &torus));
}

/* --- random and classical ones ------------------------------------------------------------------------------------- */

/* garnet { states, actions, branching, rewards, seed, gamma } -> mdp */
static int l_mdp_gallery_garnet(lua_State *L) {
  static const char *const keys[] = {"states", "actions", "branching", "rewards",
                                     "seed",   "gamma",   NULL};
  static const char *const words[2] = {"uniform", "normal"};
  const char *what = "trpo.mdp.garnet";
  Mdp *mdp = begin(L, what, keys);
  Garnet garnet = {.states = l_field_integer(L, 1, what, "states", 1, MDP_LIMIT, 100),
                   .actions = l_field_integer(L, 1, what, "actions", 1, 1000000, 4),
                   .rewards = choice(L, what, "rewards", words) ? GARNET_NORMAL : GARNET_UNIFORM,
                   .seed = seed_of(L, what),
                   .gamma = gamma_of(L, what, 0.99)};
  garnet.branching = l_field_integer(L, 1, what, "branching", 1, garnet.states,
                                     garnet.states < 5 ? garnet.states : 5);
  return finish(L, what, garnet_make(mdp, &garnet));
}

/* gambler { goal, p, gamma } -> mdp */
static int l_mdp_gallery_gambler(lua_State *L) {
  static const char *const keys[] = {"goal", "p", "gamma", NULL};
  const char *what = "trpo.mdp.gambler";
  Mdp *mdp = begin(L, what, keys);
  const GalleryGambler gambler = {.goal = l_field_integer(L, 1, what, "goal", 2, 20000, 100),
                                  .p = l_field_number(L, 1, what, "p", 0.0, 1.0, 0.4),
                                  .gamma = gamma_of(L, what, 1.0)};
  return finish(L, what, gallery_gambler(mdp, &gambler, l_arena(L)));
}

/* car_rental { cars, moves, rent, cost, requests, returns, gamma } -> mdp */
static int l_mdp_gallery_car_rental(lua_State *L) {
  static const char *const keys[] = {"cars",     "moves",   "rent",  "cost",
                                     "requests", "returns", "gamma", NULL};
  const char *what = "trpo.mdp.car_rental";
  Mdp *mdp = begin(L, what, keys);
  GalleryRental rental = {.cars = l_field_integer(L, 1, what, "cars", 1, 50, 20),
                          .rent = l_field_number(L, 1, what, "rent", -DBL_MAX, DBL_MAX, 10.0),
                          .cost = l_field_number(L, 1, what, "cost", -DBL_MAX, DBL_MAX, 2.0),
                          .requests = {3.0, 4.0},
                          .returns = {3.0, 2.0},
                          .gamma = gamma_of(L, what, 0.9)};
  rental.moves = l_field_integer(L, 1, what, "moves", 0, rental.cars,
                                 rental.cars < 5 ? rental.cars : 5);
  read_pair(L, what, "requests", rental.requests);
  read_pair(L, what, "returns", rental.returns);
  return finish(L, what, gallery_car_rental(mdp, &rental, l_arena(L)));
}

/* river_swim { states, variant, gamma } -> mdp */
static int l_mdp_gallery_river_swim(lua_State *L) {
  static const char *const keys[] = {"states", "variant", "gamma", NULL};
  static const char *const words[2] = {"strehl", "osband"};
  const char *what = "trpo.mdp.river_swim";
  Mdp *mdp = begin(L, what, keys);
  const GalleryRiverSwim river = {
      .states = l_field_integer(L, 1, what, "states", 3, STATES_LIMIT, 6),
      .variant = choice(L, what, "variant", words) ? GALLERY_OSBAND : GALLERY_STREHL,
      .gamma = gamma_of(L, what, 0.95)};
  return finish(L, what, gallery_river_swim(mdp, &river, l_arena(L)));
}

/* chain { states, slip, small, large, gamma } -> mdp */
static int l_mdp_gallery_chain(lua_State *L) {
  static const char *const keys[] = {"states", "slip", "small", "large", "gamma", NULL};
  const char *what = "trpo.mdp.chain";
  Mdp *mdp = begin(L, what, keys);
  const GalleryChain chain = {.states = l_field_integer(L, 1, what, "states", 2, STATES_LIMIT, 5),
                              .slip = l_field_number(L, 1, what, "slip", 0.0, 1.0, 0.2),
                              .small = l_field_number(L, 1, what, "small", -DBL_MAX, DBL_MAX, 2.0),
                              .large = l_field_number(L, 1, what, "large", -DBL_MAX, DBL_MAX, 10.0),
                              .gamma = gamma_of(L, what, 0.99)};
  return finish(L, what, gallery_chain(mdp, &chain, l_arena(L)));
}

/* random_walk { states, gamma } -> mdp */
static int l_mdp_gallery_random_walk(lua_State *L) {
  static const char *const keys[] = {"states", "gamma", NULL};
  const char *what = "trpo.mdp.random_walk";
  Mdp *mdp = begin(L, what, keys);
  const ptrdiff_t n = l_field_integer(L, 1, what, "states", 1, STATES_LIMIT, 5);
  return finish(L, what, gallery_random_walk(mdp, n, gamma_of(L, what, 1.0), l_arena(L)));
}

/* forest { states, r1, r2, p, gamma } -> mdp */
static int l_mdp_gallery_forest(lua_State *L) {
  static const char *const keys[] = {"states", "r1", "r2", "p", "gamma", NULL};
  const char *what = "trpo.mdp.forest";
  Mdp *mdp = begin(L, what, keys);
  const GalleryForest forest = {.states = l_field_integer(L, 1, what, "states", 2, STATES_LIMIT, 3),
                                .r1 = l_field_number(L, 1, what, "r1", -DBL_MAX, DBL_MAX, 4.0),
                                .r2 = l_field_number(L, 1, what, "r2", -DBL_MAX, DBL_MAX, 2.0),
                                .p = l_field_number(L, 1, what, "p", 0.0, 1.0, 0.1),
                                .gamma = gamma_of(L, what, 0.9)};
  return finish(L, what, gallery_forest(mdp, &forest, l_arena(L)));
}

static int l_mdp_gallery_puterman(lua_State *L) {
  return make_plain(L, "trpo.mdp.puterman", 0.95, gallery_puterman);
}

static int l_mdp_gallery_short_corridor(lua_State *L) {
  return make_plain(L, "trpo.mdp.short_corridor", 1.0, gallery_short_corridor);
}

/* two_policies { gamma } -> mdp, pi, other */
static int l_mdp_gallery_two_policies(lua_State *L) {
  const char *what = "trpo.mdp.two_policies";
  const ptrdiff_t size[2] = {3, 2};
  Mdp *mdp = begin(L, what, gamma_only);
  const double gamma = l_field_number(L, 1, what, "gamma", DBL_MIN, 1.0, 0.9);
  double *pi = l_tensor_push_unset(L, 2, size)->data;
  double *other = l_tensor_push_unset(L, 2, size)->data;
  return finish(L, what, gallery_two_policies(mdp, pi, other, gamma, l_arena(L)));
}

void l_mdp_gallery_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"frozen_lake", l_mdp_gallery_frozen_lake},
                                       {"cliff_walking", l_mdp_gallery_cliff_walking},
                                       {"taxi", l_mdp_gallery_taxi},
                                       {"grid_world", l_mdp_gallery_grid_world},
                                       {"grid4x4", l_mdp_gallery_grid4x4},
                                       {"maze", l_mdp_gallery_maze},
                                       {"torus", l_mdp_gallery_torus},
                                       {"garnet", l_mdp_gallery_garnet},
                                       {"gambler", l_mdp_gallery_gambler},
                                       {"car_rental", l_mdp_gallery_car_rental},
                                       {"river_swim", l_mdp_gallery_river_swim},
                                       {"chain", l_mdp_gallery_chain},
                                       {"random_walk", l_mdp_gallery_random_walk},
                                       {"forest", l_mdp_gallery_forest},
                                       {"puterman", l_mdp_gallery_puterman},
                                       {"short_corridor", l_mdp_gallery_short_corridor},
                                       {"two_policies", l_mdp_gallery_two_policies},
                                       {NULL, NULL}};
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  lua_setfield(L, -2, "named");
}
