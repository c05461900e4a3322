#ifndef TRPO_L_ARENA_H
#define TRPO_L_ARENA_H

#include <lua.h>

#include "base/arena.h"

/** The workspace of this Lua state. Core functions release what they push before they return. */
Arena *l_arena(lua_State *L);

/** Another one, for what runs beside a function that has the first. */
Arena *l_arena_second(lua_State *L);

#endif
