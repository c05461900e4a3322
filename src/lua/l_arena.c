#include "lua/l_arena.h"

#include <lauxlib.h>

static const char keys[2] = "ab"; /* their addresses are registry keys */

static int l_arena_gc(lua_State *L) {
  arena_free(lua_touserdata(L, 1));
  return 0;
}

/* Makes a workspace and anchors it in the registry. */
static Arena *create(lua_State *L, const char *key) {
  lua_pushlightuserdata(L, (void *)key);
  Arena *arena = lua_newuserdata(L, sizeof *arena);
  arena_init(arena);
  lua_newtable(L);
  lua_pushcfunction(L, l_arena_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
  return arena;
}

static Arena *get(lua_State *L, const char *key) {
  lua_pushlightuserdata(L, (void *)key);
  lua_rawget(L, LUA_REGISTRYINDEX);
  Arena *arena = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return arena ? arena : create(L, key);
}

Arena *l_arena(lua_State *L) {
  return get(L, keys);
}

Arena *l_arena_second(lua_State *L) {
  return get(L, keys + 1);
}
