#include "lua/l_luaenv.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "lua/l_check.h"
#include "lua/l_rng.h"
#include "lua/l_space.h"
#include "lua/l_tensor.h"

/* the table of resources: functions first, then three values for each lane */
enum {
  AT_TRACEBACK = 1,
  AT_STEP,
  AT_RESET,
  AT_RNG,
  AT_DEFINITION,
  AT_ID,
  AT_SAVE,
  AT_RESTORE,
  AT_LANES
};
enum { LANE_SELF, LANE_OBS, LANE_ACTION, LANE_VALUES };

/* the implementation's part of the handle; its buffer also holds what the observation views look at */
typedef struct LuaEnv {
  Buffer *storage;
  int tables;   /* reference of the weak table in the registry */
  int slot;     /* of the resources in it */
  Rng *rng;     /* inside the userdata at AT_RNG */
  double *view; /* [lanes][O] the user's observations; discrete ones are 1..n */
} LuaEnv;

static int at_lane(int lane, int value) {
  return AT_LANES + LANE_VALUES * lane + value;
}

/* pushes the table of resources and returns its stack index; allocates nothing */
static int push_resources(lua_State *L, const Env *env) {
  const LuaEnv *le = env->impl;
  lua_rawgeti(L, LUA_REGISTRYINDEX, le->tables);
  lua_rawgeti(L, -1, le->slot);
  lua_remove(L, -2);
  return lua_gettop(L);
}

/* ---- calling the user ------------------------------------------------------------------------ */

/* levels that a traceback shows in full; beyond them it leaves some out */
enum { SHORT = 10 };

/* levels of the stack from the error down to the user's step or reset; 0 when it is not there (a tail call) */
static int count_levels(lua_State *L) {
  lua_Debug frame;
  for (int level = 1; lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "f", &frame);
    lua_rawgeti(L, lua_upvalueindex(1), AT_STEP);
    lua_rawgeti(L, lua_upvalueindex(1), AT_RESET);
    int found = lua_rawequal(L, -3, -2) || lua_rawequal(L, -3, -1);
    lua_pop(L, 3);
    if (found) return level;
  }
  return 0;
}

/* message handler: the error as text, below it the traceback of the user's own functions; upvalue: the resources */
static int traceback(lua_State *L) {
  if (!lua_isstring(L, 1)) {
    if (!luaL_callmeta(L, 1, "__tostring") || !lua_isstring(L, -1))
      lua_pushfstring(L, "(an error object that is a %s)", luaL_typename(L, 1));
    lua_replace(L, 1);
  }
  lua_settop(L, 1);
  lua_pushliteral(L, "\n");
  luaL_traceback(L, L, NULL, 1);

  /* a line for each level below the heading; long tracebacks are shortened and stay whole */
  const char *text = lua_tostring(L, -1), *end = text;
  int levels = count_levels(L);
  for (int i = 0; end && i <= levels; i++) end = strchr(end + (i > 0), '\n');
  if (end && levels > 0 && levels <= SHORT) {
    lua_pushlstring(L, text, (size_t)(end - text));
    lua_replace(L, 3);
  }
  lua_concat(L, 3);
  return 1;
}

/* calls the function below its nargs arguments; values = how many it returned, without nils at the end */
static Status call_user(lua_State *L, const Env *env, EnvCall *call, int lane, const char *name,
                        int nargs, int handler, int *values) {
  int base = lua_gettop(L) - nargs - 1;
  int code = lua_pcall(L, nargs, LUA_MULTRET, handler);
  if (code == LUA_ERRMEM) return env_fail(env, call, E_NOMEM, lane, "%s ran out of memory", name);
  if (code) {
    const char *text = lua_tostring(L, -1);
    return env_fail(env, call, E_ENV, lane, "%s raised an error: %s", name,
                    text ? text : "unknown");
  }
  int top = lua_gettop(L);
  while (top > base && lua_isnil(L, top)) top--;
  *values = top - base;
  return OK;
}

/* ---- observations ---------------------------------------------------------------------------- */

static double *view_of(const Env *env, int lane) {
  return ((LuaEnv *)env->impl)->view + (size_t)lane * env->O;
}

/* takes over what the user wrote into the view */
static Status take_view(const Env *env, EnvCall *call, int lane) {
  double *obs = env->obs + (size_t)lane * env->O;
  const double *view = view_of(env, lane);
  char why[128];
  if (env->observation.kind == SPACE_BOX) {
    memcpy(obs, view, (size_t)env->O * sizeof(double));
  } else if (!l_space_index(&env->observation, *view, obs, why, sizeof why)) {
    return env_fail(env, call, E_ENV, lane, "the observation %s", why);
  }
  return OK;
}

/* shows the observation in the user's view */
static void show(const Env *env, int lane) {
  const double *obs = env->obs + (size_t)lane * env->O;
  int shift = env->observation.kind == SPACE_DISCRETE;
  for (int i = 0; i < env->O; i++) view_of(env, lane)[i] = obs[i] + shift;
}

/* takes over the observation returned at arg: the view itself, a table, a tensor, or a discrete element */
static Status take_returned(lua_State *L, const Env *env, EnvCall *call, int lane, int arg,
                            int resources) {
  lua_rawgeti(L, resources, at_lane(lane, LANE_OBS));
  int same = lua_rawequal(L, arg, -1);
  lua_pop(L, 1);
  if (same) return take_view(env, call, lane);
  char why[128];
  if (!l_space_read(L, arg, &env->observation, env->obs + (size_t)lane * env->O, why, sizeof why))
    return env_fail(env, call, E_ENV, lane, "the observation %s", why);
  show(env, lane);
  return OK;
}

/* ---- reset ----------------------------------------------------------------------------------- */

/* reset(self, rng, obs) of one lane, with the resources at stack index r */
static Status reset_lane(lua_State *L, Env *env, EnvCall *call, int lane, int r) {
  LuaEnv *le = env->impl;
  int base = lua_gettop(L), values;
  *le->rng = env_rng(env, RNG_RESET, lane);
  lua_rawgeti(L, r, AT_RESET);
  lua_rawgeti(L, r, at_lane(lane, LANE_SELF));
  lua_rawgeti(L, r, AT_RNG);
  lua_rawgeti(L, r, at_lane(lane, LANE_OBS));
  Status status = call_user(L, env, call, lane, "reset", 3, r + 1, &values);
  if (status < 0) return status;
  if (values == 0) return take_view(env, call, lane);
  if (values > 1)
    return env_fail(env, call, E_ENV, lane,
                    "reset must return nothing or the observation (got %d values)", values);
  return take_returned(L, env, call, lane, base + 1, r);
}

static Status luaenv_reset(Env *env, EnvCall *call, int lane) {
  lua_State *L = call->host;
  int top = lua_gettop(L);
  if (!lua_checkstack(L, 16)) return env_fail(env, call, E_NOMEM, lane, "the Lua stack is full");
  int r = push_resources(L, env);
  lua_rawgeti(L, r, AT_TRACEBACK);
  Status status = reset_lane(L, env, call, lane, r);
  lua_settop(L, top);
  return status;
}

/* ---- step ------------------------------------------------------------------------------------ */

/* reward, terminated, truncated at arg ... of a total of values that count from first; form is the whole list's text */
static Status take_outcome(lua_State *L, Env *env, EnvCall *call, int lane, int arg,
                           const char *form) {
  if (lua_type(L, arg) != LUA_TNUMBER)
    return env_fail(env, call, E_ENV, lane,
                    "step must return %s; the reward must be a number, got %s", form,
                    luaL_typename(L, arg));
  if (!lua_isboolean(L, arg + 1))
    return env_fail(env, call, E_ENV, lane,
                    "step must return %s; terminated must be a boolean, got %s", form,
                    luaL_typename(L, arg + 1));
  if (!lua_isnoneornil(L, arg + 2) && !lua_isboolean(L, arg + 2))
    return env_fail(env, call, E_ENV, lane,
                    "step must return %s; truncated must be a boolean, got %s", form,
                    luaL_typename(L, arg + 2));
  env->reward[lane] = lua_tonumber(L, arg);
  env->terminated[lane] = (EnvMark)lua_toboolean(L, arg + 1);
  env->truncated[lane] = (EnvMark)lua_toboolean(L, arg + 2);
  return OK;
}

static Status fail_count(const Env *env, EnvCall *call, int lane, const char *form, int values) {
  return env_fail(env, call, E_ENV, lane, "step must return %s (got %d value%s)", form, values,
                  values == 1 ? "" : "s");
}

/* a discrete observation came without its table: it would be taken for the reward */
static Status fail_bare_state(const Env *env, EnvCall *call, int lane) {
  return env_fail(
      env, call, E_ENV, lane,
      "step must return { state }, reward, terminated[, truncated] to return a discrete "
      "observation; a number that comes first is the reward, and the second value is a "
      "number too");
}

/* what step returned, from stack index first on */
static Status take_step(lua_State *L, Env *env, EnvCall *call, int lane, int first, int values,
                        int r) {
  static const char *const short_form = "reward, terminated[, truncated]";
  static const char *const long_form = "obs, reward, terminated[, truncated]";
  static const char *const either =
      "reward, terminated[, truncated] or obs, reward, terminated[, truncated]";
  int type = values ? lua_type(L, first) : LUA_TNIL;
  int numbers = values >= 3 && type == LUA_TNUMBER && lua_type(L, first + 1) == LUA_TNUMBER;
  if (numbers && env->observation.kind == SPACE_DISCRETE) return fail_bare_state(env, call, lane);

  /* a number first: obs was filled in place */
  if (type == LUA_TNUMBER) {
    if (values < 2 || values > 3) return fail_count(env, call, lane, short_form, values);
    Status status = take_outcome(L, env, call, lane, first, short_form);
    return status < 0 ? status : take_view(env, call, lane);
  }

  /* otherwise an observation first: a table, a tensor, or the view that was handed out */
  if (!values) return fail_count(env, call, lane, either, values);
  if (type == LUA_TBOOLEAN || type == LUA_TSTRING || type == LUA_TNIL)
    return env_fail(env, call, E_ENV, lane, "step must return %s; the first value is a %s", either,
                    lua_typename(L, type));
  if (values < 3 || values > 4) return fail_count(env, call, lane, long_form, values);
  Status status = take_outcome(L, env, call, lane, first + 1, long_form);
  return status < 0 ? status : take_returned(L, env, call, lane, first, r);
}

/* step(self, action, obs, rng) of one lane, with the resources at stack index r */
static Status step_lane(lua_State *L, Env *env, EnvCall *call, int lane, int r) {
  LuaEnv *le = env->impl;
  int base = lua_gettop(L), values;
  *le->rng = env_rng(env, RNG_DYNAMICS, lane);
  lua_rawgeti(L, r, AT_STEP);
  lua_rawgeti(L, r, at_lane(lane, LANE_SELF));
  if (env->action.kind == SPACE_DISCRETE)
    lua_pushinteger(L, (lua_Integer)env->action_in[lane] + 1);
  else
    lua_rawgeti(L, r, at_lane(lane, LANE_ACTION));
  lua_rawgeti(L, r, at_lane(lane, LANE_OBS));
  lua_rawgeti(L, r, AT_RNG);
  Status status = call_user(L, env, call, lane, "step", 4, r + 1, &values);
  return status < 0 ? status : take_step(L, env, call, lane, base + 1, values, r);
}

static Status luaenv_step(Env *env, EnvCall *call, int a, int b) {
  lua_State *L = call->host;
  int top = lua_gettop(L);
  if (!lua_checkstack(L, 16)) return env_fail(env, call, E_NOMEM, a, "the Lua stack is full");
  int r = push_resources(L, env);
  lua_rawgeti(L, r, AT_TRACEBACK);
  Status status = OK;
  for (int lane = a; lane < b && status >= 0; lane++) {
    status = step_lane(L, env, call, lane, r);
    lua_settop(L, r + 1);
  }
  lua_settop(L, top);
  return status;
}

/* ---- making and closing ---------------------------------------------------------------------- */

static void luaenv_close(Env *env) {
  LuaEnv *le = env->impl;
  if (le) buffer_release(le->storage);
}

static const EnvKind luaenv_kind = {
    .id = "environment", .reset = luaenv_reset, .step = luaenv_step, .close = luaenv_close};

int l_luaenv_is(const Env *env) {
  return env->kind == &luaenv_kind;
}

/* the weak table that leads from slots to resources; its first two entries are not resources */
enum { SLOT_REFERENCE = 1, SLOT_LAST };

/* pushes the weak table */
static void push_tables(lua_State *L) {
  static const char key;
  lua_pushlightuserdata(L, (void *)&key);
  lua_rawget(L, LUA_REGISTRYINDEX);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);

  /* first use in this state */
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_pushinteger(L, luaL_ref(L, LUA_REGISTRYINDEX));
  lua_rawseti(L, -2, SLOT_REFERENCE);
  lua_pushinteger(L, SLOT_LAST);
  lua_rawseti(L, -2, SLOT_LAST);
  lua_pushlightuserdata(L, (void *)&key);
  lua_pushvalue(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
}

/* allocates the implementation's part */
static LuaEnv *new_impl(Env *env) {
  size_t head = (sizeof(LuaEnv) + 63) & ~(size_t)63;
  Buffer *storage = buffer_new(head + (size_t)env->lanes * env->O * sizeof(double));
  if (!storage) return NULL;
  LuaEnv *le = storage->data;
  *le = (LuaEnv){.storage = storage, .view = (double *)(void *)((char *)storage->data + head)};
  env->impl = le;
  return le;
}

/* field of the definition into the resources at index r */
static void copy_field(lua_State *L, int def, int r, const char *name, int at) {
  lua_getfield(L, def, name);
  lua_rawseti(L, r, at);
}

/* a view of n doubles as view.new (at index make) gives it; it owns the storage, not the handle: no cycle */
static void push_view(lua_State *L, int make, Buffer *storage, double *data, int n, int read_only) {
  lua_pushvalue(L, make);
  lua_pushlightuserdata(L, data);
  lua_pushinteger(L, n);
  l_tensor_push_storage(L, storage);
  lua_pushboolean(L, read_only);
  lua_call(L, 4, 1);
}

/* self, views of one lane into the resources at r */
static void make_lane(lua_State *L, Env *env, int def, int r, int make, int lane) {
  LuaEnv *le = env->impl;
  size_t row = (size_t)lane;
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, def);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_rawseti(L, r, at_lane(lane, LANE_SELF));
  push_view(L, make, le->storage, le->view + row * env->O, env->O, 0);
  lua_rawseti(L, r, at_lane(lane, LANE_OBS));
  push_view(L, make, env->storage, env->action_in + row * env->A, env->A, 1);
  lua_rawseti(L, r, at_lane(lane, LANE_ACTION));
}

/* init(self, lane) of each lane, if the definition has it */
static void call_init(lua_State *L, const Env *env, int def, int r) {
  for (int lane = 0; lane < env->lanes; lane++) {
    lua_getfield(L, def, "init");
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      return;
    }
    lua_rawgeti(L, r, at_lane(lane, LANE_SELF));
    lua_pushinteger(L, lane + 1);
    lua_call(L, 2, 0);
  }
}

/* gives the resources at r a slot of their own, never used again: the collector empties it */
static void link_resources(lua_State *L, LuaEnv *le, int r) {
  push_tables(L);
  lua_rawgeti(L, -1, SLOT_REFERENCE);
  lua_rawgeti(L, -2, SLOT_LAST);
  le->tables = (int)lua_tointeger(L, -2);
  le->slot = (int)lua_tointeger(L, -1) + 1;
  lua_pushinteger(L, le->slot);
  lua_rawseti(L, -4, SLOT_LAST);
  lua_pop(L, 2);
  lua_pushvalue(L, r);
  lua_rawseti(L, -2, le->slot);
  lua_pop(L, 1);
}

/* functions, lanes and views into a new table, which becomes the environment table of the userdata at self */
static void make_resources(lua_State *L, Env *env, int self, int def) {
  LuaEnv *le = env->impl;
  lua_createtable(L, AT_LANES + LANE_VALUES * env->lanes, 0);
  int r = lua_gettop(L);
  lua_pushvalue(L, r);
  lua_setfenv(L, self);
  lua_pushvalue(L, r);
  lua_pushcclosure(L, traceback, 1);
  lua_rawseti(L, r, AT_TRACEBACK);
  lua_pushvalue(L, def);
  lua_rawseti(L, r, AT_DEFINITION);
  copy_field(L, def, r, "step", AT_STEP);
  copy_field(L, def, r, "reset", AT_RESET);
  copy_field(L, def, r, "id", AT_ID);
  copy_field(L, def, r, "save", AT_SAVE);
  copy_field(L, def, r, "restore", AT_RESTORE);
  le->rng = l_rng_push(L);
  lua_rawseti(L, r, AT_RNG);

  link_resources(L, le, r);

  /* lanes */
  lua_getglobal(L, "require");
  lua_pushliteral(L, "trpo.view");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "new");
  for (int lane = 0; lane < env->lanes; lane++) make_lane(L, env, def, r, r + 2, lane);
  call_init(L, env, def, r);
  lua_settop(L, r - 1);
}

/* the definition's id; the resources keep it alive */
static const char *read_id(lua_State *L, int def) {
  lua_getfield(L, def, "id");
  const char *id = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : luaenv_kind.id;
  lua_pop(L, 1);
  return id;
}

void l_luaenv_make(lua_State *L, Env *env, int self, int def, int lanes, int time_limit,
                   uint64_t seed, unsigned stream) {
  const char *what = "trpo.make";
  if (time_limit < 0)
    time_limit = (int)l_field_integer(L, def, what, "time_limit", 0, 2147483647L, 0);
  lua_getfield(L, def, "observation");
  lua_getfield(L, def, "action");
  Space *observation = l_space_check(L, -2, what, "observation");
  Space *action = l_space_check(L, -1, what, "action");
  Status status = env_init(env, &(EnvSpec){.kind = &luaenv_kind,
                                           .observation = observation,
                                           .action = action,
                                           .lanes = lanes,
                                           .time_limit = time_limit,
                                           .truncates = 1,
                                           .seed = seed,
                                           .stream = stream});
  lua_pop(L, 2);
  if (status < 0 || !new_impl(env)) l_fail(L, what, "%s", status_text(E_NOMEM));
  env->id = read_id(L, def);
  make_resources(L, env, self, def);
}

/* ---- saving and restoring -------------------------------------------------------------------- */

void l_luaenv_push_definition(lua_State *L, const Env *env) {
  int r = push_resources(L, env);
  lua_rawgeti(L, r, AT_DEFINITION);
  lua_remove(L, r);
}

int l_luaenv_saves(lua_State *L, const Env *env) {
  int r = push_resources(L, env);
  lua_rawgeti(L, r, AT_SAVE);
  lua_rawgeti(L, r, AT_RESTORE);
  int both = lua_isfunction(L, -1) && lua_isfunction(L, -2);
  lua_settop(L, r - 1);
  return both;
}

static void push_copy(lua_State *L, int arg, const char *path, int depth);

/* pushes a copy of the table at arg; path names it in messages */
static void push_table_copy(lua_State *L, int arg, const char *path, int depth) {
  luaL_checkstack(L, 8, "save");
  if (depth > 64) l_fail(L, "save", "%s is nested more than 64 deep or refers to itself", path);
  lua_newtable(L);
  int copy = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, arg)) {
    int value = lua_gettop(L), key = lua_type(L, value - 1);
    if (key != LUA_TSTRING && key != LUA_TNUMBER)
      l_fail(L, "save", "a key of %s is a %s; keys must be strings or numbers", path,
             lua_typename(L, key));
    lua_pushvalue(L, value - 1); /* the key itself must not be turned into a string */
    const char *name = lua_tostring(L, -1);
    const char *inner = lua_pushfstring(L, "%s.%s", path, name);
    lua_pushvalue(L, value - 1);
    push_copy(L, value, inner, depth + 1);
    lua_rawset(L, copy);
    lua_settop(L, value - 1);
  }
}

/* pushes a copy of the value at arg, an absolute index */
static void push_copy(lua_State *L, int arg, const char *path, int depth) {
  int type = lua_type(L, arg);
  Tensor *tensor = l_tensor_test(L, arg);
  if (type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TBOOLEAN || type == LUA_TNIL) {
    lua_pushvalue(L, arg);
  } else if (tensor) {
    tensor_read(tensor, l_tensor_push(L, tensor->ndim, tensor->size)->data);
  } else if (type == LUA_TTABLE) {
    push_table_copy(L, arg, path, depth);
  } else {
    l_fail(L, "save",
           "%s is a %s; states hold numbers, strings, booleans, tensors and tables of them", path,
           lua_typename(L, type));
  }
}

void l_luaenv_push_state(lua_State *L, const Env *env, int lane) {
  int r = push_resources(L, env);
  lua_rawgeti(L, r, AT_SAVE);
  lua_rawgeti(L, r, at_lane(lane, LANE_SELF));
  lua_call(L, 1, 1);
  push_copy(L, lua_gettop(L), "state", 0);
  lua_replace(L, r);
  lua_settop(L, r);
}

void l_luaenv_restore(lua_State *L, Env *env, int lane, int arg) {
  int r = push_resources(L, env);
  lua_rawgeti(L, r, AT_RESTORE);
  lua_rawgeti(L, r, at_lane(lane, LANE_SELF));
  push_copy(L, arg, "state", 0);
  lua_call(L, 2, 0);
  show(env, lane);
  lua_settop(L, r - 1);
}
