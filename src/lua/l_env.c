#include "lua/l_env.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "env/mdp_env.h"
#include "lua/l_check.h"
#include "lua/l_env_lanes.h"
#include "lua/l_luaenv.h"
#include "lua/l_mdp.h"
#include "lua/l_space.h"
#include "lua/l_tensor.h"

/***
An environment: lanes that step together. `trpo.make` opens one.
Fields: `id`; `observation`, `action` (spaces); `time_limit` (steps, 0 for none); `saves` (whether `save` works);
`definition` (the table of an environment written in Lua).
@classmod trpo.Env
*/

static const char *const TYPE = "trpo.Env";

/* ---- finding --------------------------------------------------------------------------------- */

Env *l_env_test(lua_State *L, int arg) {
  return l_object(L, arg, TYPE);
}

Env *l_env_check(lua_State *L, int arg, const char *what) {
  Env *env = l_env_test(L, arg);
  if (!env)
    l_fail(L, what, "environment must be an Env (see trpo.make), got %s", l_describe(L, arg));
  return env;
}

/* the 0-based lane at arg, which may be left out when there is only one */
static int check_lane(lua_State *L, int arg, const char *what, const Env *env) {
  if (env->lanes == 1 && lua_isnoneornil(L, arg)) return 0;
  return (int)l_integer_in(L, arg, what, "lane", 1, env->lanes) - 1;
}

/* raises what a call of the core reports */
static int fail_call(lua_State *L, const char *what, const EnvCall *call) {
  return l_fail(L, what, "%s", call->message);
}

/* ---- making ---------------------------------------------------------------------------------- */

static const EnvEntry *find_entry(const char *id) {
  const EnvEntry *entry = env_registry();
  while (entry->id && strcmp(entry->id, id)) entry++;
  return entry->id ? entry : NULL;
}

/* a seed is exact in a Lua number */
static uint64_t check_seed(lua_State *L, int arg, const char *what) {
  double seed = lua_type(L, arg) == LUA_TNUMBER ? lua_tonumber(L, arg) : -1;
  if (!(seed >= 0 && seed < RNG_SEED_LIMIT && seed == floor(seed)))
    l_fail(L, what, "seed must be an integer in [0, 2^53), got %s", l_describe(L, arg));
  return (uint64_t)seed;
}

/* what a lane begins with, read from arguments 2 to 7 of env_open */
typedef struct Opening {
  int lanes, limit; /* limit < 0: the environment's own */
  uint64_t seed;
  unsigned stream;
  MdpEnvObservation observation;
  const char *id;
} Opening;

static Opening read_opening(lua_State *L, const char *what) {
  Opening o = {.lanes = (int)l_integer_in(L, 2, what, "lanes", 1, 1L << 20),
               .seed = check_seed(L, 3, what),
               .limit = -1,
               .id = "Mdp"};
  o.stream = (unsigned)l_integer_in(L, 4, what, "stream", 0, RNG_STREAM_LIMIT - 1);
  if (!lua_isnoneornil(L, 5)) o.limit = (int)l_integer_in(L, 5, what, "time_limit", 0, 2147483647L);
  if (!lua_isnoneornil(L, 6)) {
    const char *word = lua_type(L, 6) == LUA_TSTRING ? lua_tostring(L, 6) : "";
    if (strcmp(word, "integer") && strcmp(word, "one_hot"))
      l_fail(L, what, "observation must be 'integer' or 'one_hot', got %s", l_describe(L, 6));
    o.observation = !strcmp(word, "one_hot") ? MDP_ENV_ONE_HOT : MDP_ENV_INTEGER;
  }
  if (lua_type(L, 7) == LUA_TSTRING) o.id = lua_tostring(L, 7);
  return o;
}

/*
 * env_open(what, lanes, seed, stream, time_limit, observation, id): the part of trpo.make that is done in C. what is an
 * id, a process or a checked definition; time_limit is nil for the environment's own, 0 for none; observation and id are
 * for processes. Returns nothing for an unknown id.
 */
static int l_env_new(lua_State *L) {
  const char *what = "trpo.make";
  lua_settop(L, 7);
  const Opening o = read_opening(L, what);
  const EnvEntry *entry = lua_type(L, 1) == LUA_TSTRING ? find_entry(lua_tostring(L, 1)) : NULL;
  const Mdp *mdp = l_mdp_test(L, 1);
  if (!entry && !mdp && lua_type(L, 1) != LUA_TTABLE) return 0;

  /* the collector may meet the handle before it is filled: it is zeroed first */
  Env *env = lua_newuserdata(L, sizeof(Env));
  memset(env, 0, sizeof(Env));
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2);
  Status status = OK;
  if (entry)
    status = entry->make(env, o.lanes, o.limit < 0 ? entry->time_limit : o.limit, o.seed, o.stream);
  else if (mdp)
    status = mdp_env_init(env, &(MdpEnvSpec){.mdp = mdp,
                                             .id = o.id,
                                             .observation = o.observation,
                                             .lanes = o.lanes,
                                             .time_limit = o.limit < 0 ? 0 : o.limit,
                                             .seed = o.seed,
                                             .stream = o.stream});
  else
    l_luaenv_make(L, env, lua_gettop(L), 1, o.lanes, o.limit, o.seed, o.stream);
  if (status < 0) return l_fail(L, what, "%s", status_text(status));
  l_nudge(L);
  return 1;
}

/***
The environments that are built in.
@function trpo.environments
@treturn {table,...} list of `{ id, summary, time_limit }`
*/
static int l_env_list(lua_State *L) {
  lua_newtable(L);
  int i = 0;
  for (const EnvEntry *entry = env_registry(); entry->id; entry++) {
    lua_createtable(L, 0, 3);
    lua_pushstring(L, entry->id);
    lua_setfield(L, -2, "id");
    lua_pushstring(L, entry->summary);
    lua_setfield(L, -2, "summary");
    lua_pushinteger(L, entry->time_limit);
    lua_setfield(L, -2, "time_limit");
    lua_rawseti(L, -2, ++i);
  }
  return 1;
}

static int l_env_gc(lua_State *L) {
  env_free(lua_touserdata(L, 1));
  return 0;
}

/* ---- results --------------------------------------------------------------------------------- */

/* observations of lanes [a, b) as a tensor; discrete ones count from 1 */
static void push_observations(lua_State *L, const Env *env, int a, int b, int ndim) {
  ptrdiff_t size[2] = {b - a, env->O};
  Tensor *t = l_tensor_push(L, ndim, ndim == 2 ? size : size + 1);
  int shift = env->observation.kind == SPACE_DISCRETE;
  const double *obs = env->obs + (size_t)a * env->O;
  for (ptrdiff_t i = 0; i < size[0] * size[1]; i++) t->data[i] = obs[i] + shift;
}

/* marks of all lanes as zeros and ones */
static void push_marks(lua_State *L, const EnvMark *marks, int lanes) {
  Tensor *t = l_tensor_push(L, 1, (ptrdiff_t[]){lanes});
  for (int i = 0; i < lanes; i++) t->data[i] = (double)marks[i];
}

/* ---- actions --------------------------------------------------------------------------------- */

/* refuses a NaN, and clips into the box */
static void accept_action(lua_State *L, Env *env, int lane) {
  double *action = env->action_in + (size_t)lane * env->A;
  if (env->action.kind == SPACE_DISCRETE) return;
  for (int i = 0; i < env->A; i++)
    if (!isfinite(action[i]))
      l_fail(L, "env:step", "action of lane %d must be finite, got a NaN or an infinity", lane + 1);
  space_clip(&env->action, action, action);
}

/* the action of one lane, which stands at arg */
static void read_action(lua_State *L, Env *env, int lane, int arg) {
  char why[128];
  if (!l_space_read(L, arg, &env->action, env->action_in + (size_t)lane * env->A, why, sizeof why))
    l_fail(L, "env:step", "action of lane %d %s", lane + 1, why);
  accept_action(L, env, lane);
}

/* the table of all lanes' actions at arg */
static void read_action_table(lua_State *L, Env *env, int arg) {
  int count = (int)lua_objlen(L, arg);
  if (count != env->lanes)
    l_fail(L, "env:step", "actions must hold one action for each of %d lanes, got %d", env->lanes,
           count);
  for (int lane = 0; lane < env->lanes; lane++) {
    lua_rawgeti(L, arg, lane + 1);
    read_action(L, env, lane, lua_gettop(L));
    lua_pop(L, 1);
  }
}

/* the tensor of all lanes' actions at arg: [lanes, A], or [lanes] when an action is one number */
static void read_action_tensor(lua_State *L, Env *env, int arg) {
  const char *what = "env:step";
  int ndim = env->A == 1 && l_tensor_test(L, arg)->ndim == 1 ? 1 : 2;
  Tensor *t = l_tensor_sized(L, arg, what, "actions", ndim, (ptrdiff_t[]){env->lanes, env->A});
  const double *data = l_tensor_data(L, t);
  char why[128];
  for (int lane = 0; lane < env->lanes; lane++, data += env->A) {
    double *action = env->action_in + (size_t)lane * env->A;
    if (env->action.kind == SPACE_BOX)
      memcpy(action, data, (size_t)env->A * sizeof(double));
    else if (!l_space_index(&env->action, *data, action, why, sizeof why))
      l_fail(L, what, "action of lane %d %s", lane + 1, why);
    accept_action(L, env, lane);
  }
}

static void read_actions(lua_State *L, Env *env, int arg) {
  if (env->lanes == 1)
    read_action(L, env, 0, arg);
  else if (lua_istable(L, arg))
    read_action_table(L, env, arg);
  else if (l_tensor_test(L, arg))
    read_action_tensor(L, env, arg);
  else
    l_fail(L, "env:step", "actions must be a table or tensor of %d actions, got %s", env->lanes,
           l_describe(L, arg));
}

/* ---- methods --------------------------------------------------------------------------------- */

/***
Starts new episodes: in all lanes, or in one.
@function Env:reset
@tparam[opt] integer lane 1..lanes; left out for all
@treturn tensor the first observations: [O] of one lane, [lanes, O] of several; discrete ones are integers from 1
@raise when the environment fails, with lane and cause
*/
static int l_env_reset(lua_State *L) {
  const char *what = "env:reset";
  Env *env = l_env_check(L, 1, what);
  int all = lua_isnoneornil(L, 2);
  int a = all ? 0 : check_lane(L, 2, what, env), b = all ? env->lanes : a + 1;
  EnvCall call = {.host = L};
  for (int lane = a; lane < b; lane++)
    if (env_reset(env, &call, lane) < 0) return fail_call(L, what, &call);
  push_observations(L, env, a, b, b - a == 1 ? 1 : 2);
  l_nudge(L);
  return 1;
}

/***
Takes one step in every lane. Never resets: the observation after the end of an episode is its true last one.
@function Env:step
@tparam number|table|tensor action one action per lane: an integer 1..n, or A numbers. Numbers outside of a box are
  clipped into it
@treturn tensor observations, [O] or [lanes, O]
@treturn number|tensor rewards, a number or [lanes]
@treturn boolean|tensor terminated: the episode reached an end of its own; a boolean, or [lanes] of 0 and 1
@treturn boolean|tensor truncated: it was cut off by a time limit; never set together with terminated
@raise on a wrong action, on stepping a lane that has ended, and when the environment fails
*/
static int l_env_step(lua_State *L) {
  const char *what = "env:step";
  Env *env = l_env_check(L, 1, what);
  lua_settop(L, 2);
  read_actions(L, env, 2);
  EnvCall call = {.host = L};
  if (env_step(env, &call, 0, env->lanes) < 0) return fail_call(L, what, &call);

  push_observations(L, env, 0, env->lanes, env->lanes == 1 ? 1 : 2);
  if (env->lanes == 1) {
    lua_pushnumber(L, env->reward[0]);
    lua_pushboolean(L, env->terminated[0] != 0);
    lua_pushboolean(L, env->truncated[0] != 0);
  } else {
    Tensor *reward = l_tensor_push(L, 1, (ptrdiff_t[]){env->lanes});
    memcpy(reward->data, env->reward, (size_t)env->lanes * sizeof(double));
    push_marks(L, env->terminated, env->lanes);
    push_marks(L, env->truncated, env->lanes);
  }
  l_nudge(L);
  return 4;
}

/***
Number of lanes that step together.
@function Env:lanes
@treturn integer
*/
static int l_env_lanes(lua_State *L) {
  lua_pushinteger(L, l_env_check(L, 1, "env:lanes")->lanes);
  return 1;
}

/***
State of a lane of an environment written in C: for CartPole-v1 x, x', theta, theta'; for Pendulum-v1 theta, theta'; for
a tabular process the number of the state, from 1.
@function Env:state
@tparam[opt] integer lane 1..lanes; may be left out when there is one
@treturn tensor a copy
@raise when the environment has no such state
*/
static int l_env_state(lua_State *L) {
  const char *what = "env:state";
  Env *env = l_env_check(L, 1, what);
  int lane = check_lane(L, 2, what, env), size = env_state_size(env);
  if (!size) return l_fail(L, what, "%s keeps its own state; use save", env->id);
  Tensor *t = l_tensor_push(L, 1, (ptrdiff_t[]){size});
  memcpy(t->data, env->state + lane * env->state_bytes, env->state_bytes);
  if (env->kind->states) t->data[0] += 1;
  return 1;
}

/***
Begins an episode of a lane at a given state.
@function Env:set_state
@tparam integer lane 1..lanes
@tparam tensor state as `state` gives it
@treturn Env self
@raise when the environment has no such state, on a wrong size, on a NaN or an infinity, and on a number that is no state
*/
static int l_env_set_state(lua_State *L) {
  const char *what = "env:set_state";
  Env *env = l_env_check(L, 1, what);
  int lane = (int)l_integer_in(L, 2, what, "lane", 1, env->lanes) - 1, size = env_state_size(env);
  if (!size) return l_fail(L, what, "%s keeps its own state; use restore", env->id);
  Tensor *t = l_tensor_sized(L, 3, what, "state", 1, (ptrdiff_t[]){size});
  const double *state = l_tensor_data(L, t);
  for (int i = 0; i < size; i++)
    if (!isfinite(state[i]))
      return l_fail(L, what, "state must be finite, got a NaN or an infinity");
  if (env->kind->states) {
    lua_pushnumber(L, state[0]);
    long s = l_integer_in(L, lua_gettop(L), what, "state", 1, (long)env->kind->states(env));
    env_set_state(env, lane, (double[]){(double)s - 1});
  } else
    env_set_state(env, lane, state);
  lua_settop(L, 1);
  return 1;
}

/***
Everything of a lane: state, observation, counters, marks. Restoring it continues as if nothing had been in between.
@function Env:save
@tparam[opt] integer lane 1..lanes; may be left out when there is one
@treturn table `{ id, lane, state }`: the environment's, its bytes, a copy of what the definition's save returned
@raise when the environment is written in Lua and has no save and restore, or saves what cannot be copied
*/
static int l_env_save(lua_State *L) {
  const char *what = "env:save";
  Env *env = l_env_check(L, 1, what);
  int lane = check_lane(L, 2, what, env), lua = l_luaenv_is(env);
  if (lua && !l_luaenv_saves(L, env)) return l_fail(L, what, "%s has no save and restore", env->id);
  lua_createtable(L, 0, 3);
  int out = lua_gettop(L);
  lua_pushstring(L, env->id);
  lua_setfield(L, out, "id");
  size_t bytes = env_lane_bytes(env);
  void *memory = lua_newuserdata(L, bytes);
  env_save(env, lane, memory);
  lua_pushlstring(L, memory, bytes);
  lua_setfield(L, out, "lane");
  if (lua) {
    l_luaenv_push_state(L, env, lane);
    lua_setfield(L, out, "state");
  }
  lua_settop(L, out);
  return 1;
}

/***
Brings back a lane that was saved, into any lane of an environment of the same kind.
@function Env:restore
@tparam integer lane 1..lanes
@tparam table saved what `save` returned
@treturn Env self
@raise when it was not saved by such an environment
*/
static int l_env_restore(lua_State *L) {
  const char *what = "env:restore";
  Env *env = l_env_check(L, 1, what);
  int lane = (int)l_integer_in(L, 2, what, "lane", 1, env->lanes) - 1, lua = l_luaenv_is(env);
  if (!lua_istable(L, 3))
    return l_fail(L, what, "saved must be a table that save returned, got %s", l_describe(L, 3));
  if (lua && !l_luaenv_saves(L, env)) return l_fail(L, what, "%s has no save and restore", env->id);
  lua_settop(L, 3);
  lua_getfield(L, 3, "lane");
  size_t bytes = 0;
  const char *memory = lua_type(L, 4) == LUA_TSTRING ? lua_tolstring(L, 4, &bytes) : NULL;
  lua_getfield(L, 3, "id");
  lua_pushstring(L, env->id);
  if (!lua_rawequal(L, -1, -2) || !memory || bytes != env_lane_bytes(env)
      || !env_restorable(env, memory))
    return l_fail(L, what, "saved must come from a lane of %s, got something else", env->id);
  lua_getfield(L, 3, "state");
  env_restore(env, lane, memory);
  if (lua) l_luaenv_restore(L, env, lane, lua_gettop(L));
  lua_settop(L, 1);
  return 1;
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* fields id, observation, action, time_limit, saves, definition; everything else is a method (upvalue 1) */
static int l_env_index(lua_State *L) {
  const Env *env = l_env_check(L, 1, "env");
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_isnil(L, -1)) return 1;
  if (!strcmp(key, "id")) return lua_pushstring(L, env->id), 1;
  if (!strcmp(key, "observation")) return l_space_push(L, &env->observation), 1;
  if (!strcmp(key, "action")) return l_space_push(L, &env->action), 1;
  if (!strcmp(key, "time_limit")) return lua_pushinteger(L, env->time_limit), 1;
  if (!strcmp(key, "saves"))
    return lua_pushboolean(L, !l_luaenv_is(env) || l_luaenv_saves(L, env)), 1;
  if (!strcmp(key, "definition") && l_luaenv_is(env)) return l_luaenv_push_definition(L, env), 1;
  return 1; /* the nil */
}

/* "CartPole-v1: 8 lanes, observation box [4], action discrete 1..2, time limit 500" */
static int l_env_tostring(lua_State *L) {
  const Env *env = l_env_check(L, 1, "env");
  l_space_push(L, &env->observation);
  luaL_callmeta(L, -1, "__tostring");
  l_space_push(L, &env->action);
  luaL_callmeta(L, -1, "__tostring");
  lua_pushfstring(L, "%s: %d lane%s, observation %s, action %s", env->id, env->lanes,
                  env->lanes == 1 ? "" : "s", lua_tostring(L, -3), lua_tostring(L, -1));
  if (env->time_limit) {
    lua_pushfstring(L, ", time limit %d", env->time_limit);
    lua_concat(L, 2);
  }
  return 1;
}

void l_env_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"reset", l_env_reset},         {"step", l_env_step},
                                     {"lanes", l_env_lanes},         {"state", l_env_state},
                                     {"set_state", l_env_set_state}, {"save", l_env_save},
                                     {"restore", l_env_restore},     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", l_env_gc}, {"__tostring", l_env_tostring}, {NULL, NULL}};
  luaL_newmetatable(L, TYPE);
  luaL_register(L, NULL, meta);
  lua_pushstring(L, TYPE);
  lua_setfield(L, -2, "__metatable");
  lua_newtable(L);
  luaL_register(L, NULL, methods);
  luaL_register(L, NULL, l_env_lanes_methods);
  lua_pushcclosure(L, l_env_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);

  static const luaL_Reg functions[] = {
      {"env_open", l_env_new}, {"environments", l_env_list}, {NULL, NULL}};
  luaL_register(L, NULL, functions);
}
