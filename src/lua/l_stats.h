#ifndef TRPO_L_STATS_H
#define TRPO_L_STATS_H

#include <lua.h>

#include "stats/bootstrap.h"

/** The largest score, and number of a curve: sums of as many as fit into memory stay finite. Lua's trpo.stats.LARGEST. */
#define STATS_LARGEST 1e300

/** Options of a bootstrap in the table at t: reps, confidence and rng, whose next two words are taken. t = 0: defaults. */
Bootstrap l_stats_bootstrap(lua_State *L, int t, const char *what);

/** Adds the table stats to the module at the stack top. */
void l_stats_open(lua_State *L);

/** The part of l_stats_curve.c: adds its functions to the table stats at the stack top. */
void l_stats_curve_open(lua_State *L);

#endif
