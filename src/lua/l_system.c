/* threads, clock, and what this build runs on */
#include "lua/l_system.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/blas.h"
#include "base/buffer.h"
#include "base/isa.h"
#include "base/pool.h"
#include "lua/l_check.h"

/***
Threads, clock and system.
@submodule trpo
*/

#ifndef TRPO_VERSION
#define TRPO_VERSION "scm"
#endif

/***
Gets or sets the number of threads. At first it is `TRPO_THREADS`, or the number of usable cores. Results do not depend on it.
@function trpo.threads
@tparam[opt] integer n in [1, 64]
@treturn integer the number now in force
@raise on other numbers
*/
static int l_system_threads(lua_State *L) {
  if (!lua_isnoneornil(L, 1)) {
    pool_set_threads((int)l_integer_in(L, 1, "trpo.threads", "n", 1, POOL_LIMIT));
  }
  lua_pushinteger(L, pool_threads());
  return 1;
}

/***
Seconds on a clock that only runs forward, for measuring durations.
@function trpo.now
@treturn number
*/
static int l_system_now(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
  return 1;
}

static void set_string(lua_State *L, const char *key, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, key);
}

static void set_number(lua_State *L, const char *key, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, key);
}

/* jit.version of the running interpreter */
static void set_luajit(lua_State *L) {
  lua_getglobal(L, "jit");
  lua_getfield(L, -1, "version");
  lua_setfield(L, -3, "luajit");
  lua_pop(L, 1);
}

static void set_lapack(lua_State *L) {
  lapack_int major = 0, minor = 0, patch = 0;
  LAPACKE_ilaver(&major, &minor, &patch);
  lua_pushfstring(L, "%d.%d.%d", (int)major, (int)minor, (int)patch);
  lua_setfield(L, -2, "lapack");
}

/***
What the module runs on.
@function trpo.info
@treturn table `version`, `luajit`, `blas` (description of the loaded library), `blas_fast` (false for the slow reference
 library), `lapack` (version), `isa` (instruction set of the vector math), `isa_ignored` (a TRPO_ISA that is unknown here,
 or nil), `threads`, `live_bytes` (in tensors and workspaces), `allocations` (buffers made so far)
*/
static int l_system_info(lua_State *L) {
  const char *wish = getenv("TRPO_ISA");
  lua_newtable(L);
  set_string(L, "version", TRPO_VERSION);
  set_luajit(L);
  set_string(L, "blas", blas_description());
  lua_pushboolean(L, blas_is_fast());
  lua_setfield(L, -2, "blas_fast");
  set_lapack(L);
  set_string(L, "isa", isa_name());
  if (wish != NULL && wish[0] != '\0' && strcmp(wish, isa_name()) != 0) {
    set_string(L, "isa_ignored", wish);
  }
  set_number(L, "threads", pool_threads());
  set_number(L, "live_bytes", (double)buffer_live_bytes());
  set_number(L, "allocations", (double)buffer_allocations());
  return 1;
}

static const luaL_Reg functions[] = {
    {"threads", l_system_threads},
    {"now", l_system_now},
    {"info", l_system_info},
    {NULL, NULL},
};

void l_system_open(lua_State *L) {
  luaL_register(L, NULL, functions);
  set_string(L, "VERSION", TRPO_VERSION);
  /* threads are ours: BLAS works on blocks, each on the thread that calls it */
  blas_single_thread();
}
