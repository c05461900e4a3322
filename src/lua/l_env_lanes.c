#include "lua/l_env_lanes.h"

#include "lua/l_check.h"
#include "lua/l_env.h"
#include "lua/l_luaenv.h"
#include "lua/l_state.h"

/***
Where the lanes stand, to be kept and brought back.
@submodule trpo.Env
*/

/* counters and marks as doubles, which hold them exactly; each array [lanes] */
enum { CLOCK, ELAPSED, TERMINATED, TRUNCATED, ENDED, ARRAYS };

/* pushes memory for the arrays, filled from env */
static double *push_arrays(lua_State *L, const Env *env) {
  const int n = env->lanes;
  double *array = lua_newuserdata(L, (size_t)ARRAYS * (size_t)n * sizeof *array);
  for (int lane = 0; lane < n; lane++) {
    array[CLOCK * n + lane] = (double)env->clock[lane];
    array[ELAPSED * n + lane] = (double)env->elapsed[lane];
    array[TERMINATED * n + lane] = env->terminated[lane];
    array[TRUNCATED * n + lane] = env->truncated[lane];
    array[ENDED * n + lane] = env->ended[lane];
  }
  return array;
}

/* what the arrays hold becomes the environment's */
static void take_arrays(Env *env, const double *array) {
  const int n = env->lanes;
  for (int lane = 0; lane < n; lane++) {
    env->clock[lane] = (uint64_t)array[CLOCK * n + lane];
    env->elapsed[lane] = (uint64_t)array[ELAPSED * n + lane];
    env->terminated[lane] = array[TERMINATED * n + lane] != 0;
    env->truncated[lane] = array[TRUNCATED * n + lane] != 0;
    env->ended[lane] = array[ENDED * n + lane] != 0;
  }
}

static State fields_of(Env *env, double *array) {
  State state = {.count = 0};
  const long n = env->lanes, S = (long)(env->state_bytes / sizeof(double));
  StateField *field;
  l_state_add(&state, "clock", array + CLOCK * n, n, 0, STATE_COUNT);
  l_state_add(&state, "elapsed", array + ELAPSED * n, n, 0, STATE_COUNT);
  l_state_add(&state, "terminated", array + TERMINATED * n, n, 0, STATE_MARK);
  l_state_add(&state, "truncated", array + TRUNCATED * n, n, 0, STATE_MARK);
  l_state_add(&state, "ended", array + ENDED * n, n, 0, STATE_MARK);
  l_state_add(&state, "reward", env->reward, n, 0, STATE_FINITE);
  l_state_add(&state, "return", env->episode_return, n, 0, STATE_ANY);
  /* discrete observations and the states of processes count from 0 here, as in files */
  const int discrete = env->observation.kind == SPACE_DISCRETE;
  field = l_state_add(&state, "observation", env->obs, n, env->O,
                      discrete ? STATE_INDEX : STATE_FINITE);
  field->limit = env->observation.n;
  if (S == 0) return state;
  field = l_state_add(&state, "state", (double *)(void *)env->state, n, S,
                      env->kind->states ? STATE_INDEX : STATE_ANY);
  if (env->kind->states) field->limit = (double)env->kind->states(env);
  return state;
}

/***
Where all lanes stand, as copies: `clock` (resets and steps so far, the place in the random numbers), `elapsed` (steps of
the running episode), the marks `terminated`, `truncated` and `ended`, `reward`, `return` (of the running episode), each
[lanes]; `observation` [lanes, O] and, unless the environment is written in Lua, `state` [lanes, S]. Discrete ones count
from 0.
@function Env:lane_states
@treturn {[string]=Tensor,...}
*/
static int l_env_lanes_states(lua_State *L) {
  Env *env = l_env_check(L, 1, "env:lane_states");
  const State state = fields_of(env, push_arrays(L, env));
  l_state_push(L, &state);
  return 1;
}

/***
Puts all lanes where they stood when `lane_states` was called. What an environment written in Lua keeps in its lanes is
set by `set_own_state`.
@function Env:set_lane_states
@tparam {[string]=Tensor,...} states what `lane_states` returned, of an environment of the same kind with as many lanes
@treturn Env self
@raise what differs; the lanes are then as they were
*/
static int l_env_lanes_set_states(lua_State *L) {
  static const char what[] = "env:set_lane_states";
  Env *env = l_env_check(L, 1, what);
  const double *from[STATE_FIELDS];
  lua_settop(L, 2);
  double *array = push_arrays(L, env);
  const State state = fields_of(env, array);
  l_state_check(L, 2, what, &state, from);
  l_state_commit(&state, from);
  take_arrays(env, array);
  lua_settop(L, 1);
  return 1;
}

/* the environment, which must be written in Lua and save, and its lane at argument 2, from 0 */
static Env *check_own(lua_State *L, const char *what, int *lane) {
  Env *env = l_env_check(L, 1, what);
  *lane = (int)l_integer_in(L, 2, what, "lane", 1, env->lanes) - 1;
  if (!l_luaenv_is(env) || !l_luaenv_saves(L, env))
    l_fail(L, what, "%s has no save and restore", env->id);
  return env;
}

/***
What the `save` of an environment written in Lua returned for a lane, copied.
@function Env:own_state
@tparam integer lane 1..lanes
@return numbers, strings, booleans, tensors and tables of them
@raise when there are no `save` and `restore`, and when something else was returned
*/
static int l_env_lanes_own(lua_State *L) {
  int lane;
  const Env *env = check_own(L, "env:own_state", &lane);
  l_luaenv_push_state(L, env, lane);
  return 1;
}

/***
Hands a copy of a state to the `restore` of an environment written in Lua.
@function Env:set_own_state
@tparam integer lane 1..lanes
@param state what `own_state` returned
@treturn Env self
@raise when there are no `save` and `restore`, and what they raise
*/
static int l_env_lanes_set_own(lua_State *L) {
  int lane;
  lua_settop(L, 3);
  Env *env = check_own(L, "env:set_own_state", &lane);
  l_luaenv_restore(L, env, lane, 3);
  lua_settop(L, 1);
  return 1;
}

const luaL_Reg l_env_lanes_methods[] = {{"lane_states", l_env_lanes_states},
                                        {"set_lane_states", l_env_lanes_set_states},
                                        {"own_state", l_env_lanes_own},
                                        {"set_own_state", l_env_lanes_set_own},
                                        {NULL, NULL}};
