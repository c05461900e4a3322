/***
Random numbers: a cursor on the Philox4x32-10 numbers of a seed and a stream.
@classmod trpo.Rng
*/
#include "lua/l_rng.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

#include "lua/l_check.h"

static const char *const TYPE = "trpo.Rng";

/* what the userdata holds */
typedef struct Object {
  Rng rng;
  const void *tag; /* TAG, always: there is nothing to finalize */
} Object;

static const char TAG = 0;

Rng *l_rng_test(lua_State *L, int arg) {
  return l_tagged(L, arg, sizeof(Object), &TAG);
}

Rng *l_rng_check(lua_State *L, int arg, const char *what, const char *name) {
  Rng *rng = l_rng_test(L, arg);
  if (rng == NULL) {
    l_fail(L, what, "%s must be a random generator, got %s", name, l_describe(L, arg));
  }
  return rng;
}

Rng *l_rng_push(lua_State *L) {
  Object *object = lua_newuserdata(L, sizeof *object);
  *object = (Object){.rng = rng_at(rng_key(0, 0), RNG_USER, 0, 0), .tag = &TAG};
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2);
  return &object->rng;
}

/***
A generator at the beginning of the numbers of (seed, stream). Equal arguments give equal numbers.
@function trpo.rng
@tparam integer seed in [0, 2^53)
@tparam[opt=0] integer stream in [0, 2048): independent sequences of one seed
@treturn Rng
@raise on other seeds or streams
*/
static int l_rng_new(lua_State *L) {
  long seed = l_integer_in(L, 1, "trpo.rng", "seed", 0, (long)RNG_SEED_LIMIT - 1);
  long stream = 0;
  if (!lua_isnoneornil(L, 2)) {
    stream = l_integer_in(L, 2, "trpo.rng", "stream", 0, RNG_STREAM_LIMIT - 1);
  }
  *l_rng_push(L) = rng_at(rng_key((uint64_t)seed, (unsigned)stream), RNG_USER, 0, 0);
  return 1;
}

/***
Uniform number in [lo, hi).
@function Rng:uniform
@tparam[opt=0] number lo
@tparam[opt=1] number hi
@treturn number
@raise unless lo and hi are finite and lo <= hi
*/
static int l_rng_uniform(lua_State *L) {
  const char *what = "rng:uniform";
  Rng *rng = l_rng_check(L, 1, what, "self");
  if (lua_isnoneornil(L, 2)) {
    lua_pushnumber(L, rng_uniform(rng));
    return 1;
  }
  double lo = l_number_in(L, 2, what, "lo", -1e300, 1e300);
  double hi = l_number_in(L, 3, what, "hi", lo, 1e300);
  double x = lo + (hi - lo) * rng_uniform(rng);
  /* rounding may reach the upper end */
  lua_pushnumber(L, x < hi || lo == hi ? x : nextafter(hi, lo));
  return 1;
}

/***
Normal number.
@function Rng:normal
@tparam[opt=0] number mean
@tparam[opt=1] number std standard deviation, >= 0
@treturn number
@raise when std is negative or an argument is not finite
*/
static int l_rng_normal(lua_State *L) {
  const char *what = "rng:normal";
  Rng *rng = l_rng_check(L, 1, what, "self");
  double mean = lua_isnoneornil(L, 2) ? 0.0 : l_number_in(L, 2, what, "mean", -1e300, 1e300);
  double std = lua_isnoneornil(L, 3) ? 1.0 : l_number_in(L, 3, what, "std", 0.0, 1e300);
  lua_pushnumber(L, mean + std * rng_normal(rng));
  return 1;
}

/***
Integer in [lo, hi], each equally likely.
@function Rng:integer
@tparam integer lo
@tparam integer hi at most lo + 2^32 - 2
@treturn integer
@raise when the range is empty or too long
*/
static int l_rng_integer(lua_State *L) {
  const char *what = "rng:integer";
  const long most = 1L << 53;
  Rng *rng = l_rng_check(L, 1, what, "self");
  long lo = l_integer_in(L, 2, what, "lo", -most, most);
  long end = lo + 0xFFFFFFFEL;
  long hi = l_integer_in(L, 3, what, "hi", lo, end < most ? end : most);
  lua_pushnumber(L, (double)(lo + (long)rng_below(rng, (uint32_t)(hi - lo + 1))));
  return 1;
}

/***
A second cursor at the same place.
@function Rng:clone
@treturn Rng
*/
static int l_rng_clone(lua_State *L) {
  const Rng *rng = l_rng_check(L, 1, "rng:clone", "self");
  *l_rng_push(L) = *rng;
  return 1;
}

static int l_rng_tostring(lua_State *L) {
  const Rng *rng = l_rng_check(L, 1, "tostring", "rng");
  char text[64];
  double seed = rng->key.k[0] + 4294967296.0 * (rng->key.k[1] & 0x1FFFFFu);
  snprintf(text, sizeof text, "rng (seed %.0f, stream %u)", seed, (unsigned)(rng->key.k[1] >> 21));
  lua_pushstring(L, text);
  return 1;
}

static const luaL_Reg methods[] = {
    {"uniform", l_rng_uniform},
    {"normal", l_rng_normal},
    {"integer", l_rng_integer},
    {"clone", l_rng_clone},
    {NULL, NULL},
};

void l_rng_open(lua_State *L) {
  luaL_newmetatable(L, TYPE);
  lua_pushcfunction(L, l_rng_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_newtable(L);
  luaL_register(L, NULL, methods);
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, TYPE);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
  lua_pushcfunction(L, l_rng_new);
  lua_setfield(L, -2, "rng");
}
