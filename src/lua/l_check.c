#include "lua/l_check.h"

#include <ctype.h>
#include <float.h>
#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "lua/l_tensor.h"

int l_fail(lua_State *L, const char *what, const char *format, ...) {
  va_list arguments;
  luaL_where(L, 1);
  lua_pushfstring(L, "%s: ", what);
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_concat(L, 3);
  return lua_error(L);
}

/* --- descriptions ---------------------------------------------------------------------------------------- */

/* "a space" from the name under which the userdata's metatable is registered, "trpo.Space" */
static const char *describe_userdata(lua_State *L, int arg) {
  char word[64] = "userdata";
  if (lua_getmetatable(L, arg)) {
    lua_pushnil(L);
    while (lua_next(L, LUA_REGISTRYINDEX)) {
      int found = lua_rawequal(L, -1, -3) && lua_type(L, -2) == LUA_TSTRING;
      if (found) {
        const char *name = lua_tostring(L, -2);
        const char *dot = strrchr(name, '.');
        snprintf(word, sizeof word, "%s", dot != NULL ? dot + 1 : name);
        lua_pop(L, 2);
        break;
      }
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  word[0] = (char)tolower((unsigned char)word[0]);
  return lua_pushfstring(L, "%s %s", strchr("aeio", word[0]) != NULL ? "an" : "a", word);
}

static const char *describe_tensor(lua_State *L, const Tensor *t) {
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  luaL_addstring(&text, "a tensor ");
  l_tensor_add_size(&text, t->ndim, t->size);
  luaL_pushresult(&text);
  return lua_tostring(L, -1);
}

/* integers in full */
static const char *describe_number(lua_State *L, double x) {
  char text[40];
  if (isnan(x)) return lua_pushfstring(L, "nan"); /* printf may add a sign */
  snprintf(text, sizeof text, fabs(x) < 1e18 && x == floor(x) ? "%.0f" : "%.14g", x);
  lua_pushstring(L, text);
  return lua_tostring(L, -1);
}

static const char *describe_string(lua_State *L, const char *s) {
  char head[48];
  snprintf(head, sizeof head, "%.40s", s);
  return lua_pushfstring(L, "the string '%s%s'", head, strlen(s) > 40 ? "..." : "");
}

void *l_object(lua_State *L, int arg, const char *type) {
  void *object = lua_touserdata(L, arg);
  if (!object || !lua_getmetatable(L, arg)) return NULL;
  luaL_getmetatable(L, type);
  const int same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same ? object : NULL;
}

void *l_tagged(lua_State *L, int arg, size_t bytes, const void *tag) {
  const char *object = lua_touserdata(L, arg);
  const void *last;
  /* a light userdata has length 0 */
  if (!object || lua_objlen(L, arg) != bytes) return NULL;
  memcpy(&last, object + bytes - sizeof last, sizeof last);
  return last == tag ? (void *)object : NULL;
}

void l_index(lua_State *L, lua_CFunction other) {
  /* Lua finds a method in half the time it takes to call C */
  static const char chunk[] =
      "local methods, other = ...\n"
      "return function(object, key)\n"
      "  local method = methods[key]\n"
      "  if method then return method end\n"
      "  return other(object, key)\n" /* a tail call: messages name its caller */
      "end\n";
  if (luaL_loadbuffer(L, chunk, sizeof chunk - 1, "=trpo") != 0) lua_error(L);
  lua_insert(L, -2);
  lua_pushcfunction(L, other);
  lua_call(L, 2, 1);
}

const char *l_describe(lua_State *L, int arg) {
  const Tensor *t = l_tensor_test(L, arg);
  if (t != NULL) {
    return describe_tensor(L, t);
  }
  switch (lua_type(L, arg)) {
  case LUA_TNONE:
  case LUA_TNIL: return lua_pushfstring(L, "nil");
  case LUA_TBOOLEAN: return lua_pushfstring(L, lua_toboolean(L, arg) ? "true" : "false");
  case LUA_TNUMBER: return describe_number(L, lua_tonumber(L, arg));
  case LUA_TSTRING: return describe_string(L, lua_tostring(L, arg));
  case LUA_TUSERDATA: return describe_userdata(L, arg);
  default: return lua_pushfstring(L, "a %s", luaL_typename(L, arg));
  }
}

/* --- numbers --------------------------------------------------------------------------------------------- */

enum { TEXT = 80 };

/* "a number > 0", "a number in [0, 1]", ... */
static const char *describe_range(char *text, double lo, double hi) {
  int above_zero = lo > 0.0 && lo <= DBL_MIN;
  int no_lower = lo <= -DBL_MAX, no_upper = hi >= DBL_MAX;
  const char *finite = hi == DBL_MAX || lo == -DBL_MAX ? "finite " : "";
  if (no_lower && no_upper) {
    snprintf(text, TEXT, "a %snumber", finite);
  } else if (no_upper) {
    snprintf(text, TEXT, "a %snumber %s %.14g", finite,
             above_zero ? ">" : ">=", above_zero ? 0.0 : lo);
  } else if (no_lower) {
    snprintf(text, TEXT, "a %snumber <= %.14g", finite, hi);
  } else {
    snprintf(text, TEXT, "a number in %c%.14g, %.14g]", above_zero ? '(' : '[',
             above_zero ? 0.0 : lo, hi);
  }
  return text;
}

static const char *describe_integers(char *text, long lo, long hi) {
  if (hi == INT_MAX || hi == LONG_MAX) {
    snprintf(text, TEXT, "an integer >= %ld", lo);
  } else {
    snprintf(text, TEXT, "an integer in [%ld, %ld]", lo, hi);
  }
  return text;
}

static int fail_expected(lua_State *L, int arg, const char *what, const char *name,
                         const char *expected) {
  return l_fail(L, what, "%s must be %s, got %s", name, expected, l_describe(L, arg));
}

double l_number(lua_State *L, int arg, const char *what, const char *name) {
  if (lua_type(L, arg) != LUA_TNUMBER) {
    fail_expected(L, arg, what, name, "a number");
  }
  return lua_tonumber(L, arg);
}

double l_number_in(lua_State *L, int arg, const char *what, const char *name, double lo,
                   double hi) {
  char text[TEXT];
  double x = lua_tonumber(L, arg);
  if (lua_type(L, arg) != LUA_TNUMBER || !(x >= lo && x <= hi)) {
    fail_expected(L, arg, what, name, describe_range(text, lo, hi));
  }
  return x;
}

long l_integer_in(lua_State *L, int arg, const char *what, const char *name, long lo, long hi) {
  char text[TEXT];
  double x = lua_tonumber(L, arg);
  if (lua_type(L, arg) != LUA_TNUMBER || !(x >= (double)lo && x <= (double)hi) || x != floor(x)
      || x >= 0x1p63) {
    fail_expected(L, arg, what, name, describe_integers(text, lo, hi));
  }
  return (long)x;
}

/* --- options --------------------------------------------------------------------------------------------- */

/* pushes t[key]; 1 when it is there */
static int get_field(lua_State *L, int t, const char *key) {
  lua_getfield(L, t, key);
  return !lua_isnil(L, -1);
}

double l_field_number(lua_State *L, int t, const char *what, const char *key, double lo, double hi,
                      double def) {
  double x = def;
  if (get_field(L, t, key) || isnan(def)) {
    x = l_number_in(L, lua_gettop(L), what, key, lo, hi);
  }
  lua_pop(L, 1);
  return x;
}

long l_field_integer(lua_State *L, int t, const char *what, const char *key, long lo, long hi,
                     long def) {
  long x = def;
  if (get_field(L, t, key) || def < lo) {
    x = l_integer_in(L, lua_gettop(L), what, key, lo, hi);
  }
  lua_pop(L, 1);
  return x;
}

int l_field_boolean(lua_State *L, int t, const char *what, const char *key, int def) {
  int x = def;
  if (get_field(L, t, key)) {
    if (!lua_isboolean(L, -1)) {
      fail_expected(L, lua_gettop(L), what, key, "true or false");
    }
    x = lua_toboolean(L, -1);
  }
  lua_pop(L, 1);
  return x;
}

const char *l_field_string(lua_State *L, int t, const char *what, const char *key,
                           const char *def) {
  const char *s = def;
  if (get_field(L, t, key)) {
    if (lua_type(L, -1) != LUA_TSTRING) {
      fail_expected(L, lua_gettop(L), what, key, "a string");
    }
    s = lua_tostring(L, -1);
  }
  lua_pop(L, 1);
  return s;
}

/* --- suggestions ----------------------------------------------------------------------------------------- */

enum { LONGEST_WORD = 48 };

static int least(int a, int b) {
  return a < b ? a : b;
}

/* edits (insert, delete, replace, swap neighbours; case is ignored) from a to b; LONGEST_WORD for long words */
static int edit_distance(const char *a, const char *b) {
  int row[3][LONGEST_WORD + 1];
  int m = (int)strlen(a), n = (int)strlen(b);
  if (m > LONGEST_WORD || n > LONGEST_WORD) {
    return LONGEST_WORD;
  }
  for (int i = 0; i <= m; i++) {
    int *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= n; j++) {
      if (i == 0) {
        now[j] = j;
        continue;
      }
      int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
      now[j] = least(least(now[j - 1], before[j]) + 1, before[j - 1] + (x != y));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = least(now[j], earlier[j - 2] + 1);
      }
    }
  }
  return row[m % 3][n];
}

/* the edits that are forgiven: one, or a third of the word that was meant */
static int near(const char *word, const char *candidate) {
  int forgiven = (int)strlen(candidate) / 3;
  return edit_distance(word, candidate) <= (forgiven > 1 ? forgiven : 1);
}

/* what other libraries call them, and what is asked for one level too high */
static const char *const aliases[][2] = {
    {"target_kl", "delta"},
    {"max_kl", "delta"},
    {"discount", "gamma"},
    {"gae_lambda", "lambda"},
    {"lam", "lambda"},
    {"cg_damping", "damping"},
    {"damping_coeff", "damping"},
    {"cg_max_steps", "cg_iters"},
    {"line_search_max_iter", "backtracks"},
    {"backtrack_iters", "backtracks"},
    {"backtrack_coeff", "backtrack_ratio"},
    {"line_search_shrinking_factor", "backtrack_ratio"},
    {"normalize_advantage", "standardize_advantages"},
    {"precond", "preconditioner"},
    {"kfac", "preconditioner"},
    {"n_envs", "lanes"},
    {"num_envs", "lanes"},
    {"n_lanes", "lanes"},
    {"n_steps", "horizon"},
    {"num_steps", "horizon"},
    {"total_timesteps", "steps"},
    {"timesteps", "steps"},
    {"total_steps", "steps"},
    {"max_episode_steps", "time_limit"},
    {"num_threads", "threads"},
    {"net_arch", "hidden"},
    {"hidden_sizes", "hidden"},
    {"activation_fn", "activation"},
    {"log_std_init", "log_std"},
    {"lr", "learning_rate"},
    {"batch_size", "minibatch"},
    {"n_epochs", "epochs"},
    {"norm_obs", "normalize_observations"},
    {"n_eval_episodes", "episodes"},
    {"callback", "on_iteration"},
    {"grid", "parameters"},
    {"goal", "metric"},
};

enum { N_ALIASES = sizeof aliases / sizeof *aliases, SHORTEST_BEGINNING = 4 };

/* the word that another one is an alias of; NULL when there is none */
static const char *meant(const char *word, const char *const *words) {
  for (int i = 0; i < N_ALIASES; i++)
    if (strcmp(word, aliases[i][0]) == 0)
      for (; *words != NULL; words++)
        if (strcmp(*words, aliases[i][1]) == 0) return *words;
  return NULL;
}

/* the only word that begins with another one; NULL when there are none or several */
static const char *begun(const char *word, const char *const *words) {
  const size_t n = strlen(word);
  const char *found = NULL;
  for (; n >= SHORTEST_BEGINNING && *words != NULL; words++)
    if (strncmp(*words, word, n) == 0) {
      if (found != NULL) return NULL;
      found = *words;
    }
  return found;
}

const char *l_suggest(const char *word, const char *const *words) {
  const char *const *all = words, *nearest = meant(word, words);
  if (nearest != NULL) return nearest;
  for (; *words != NULL; words++)
    if (near(word, *words)
        && (!nearest || edit_distance(word, *words) < edit_distance(word, nearest)))
      nearest = *words;
  return nearest != NULL ? nearest : begun(word, all);
}

/* suggest(word, words) */
static int l_check_suggest(lua_State *L) {
  const char *word = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  const int n = (int)lua_objlen(L, 2);
  const char **words = lua_newuserdata(L, ((size_t)n + 1) * sizeof *words);
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, 2, i + 1);
    words[i] = luaL_checkstring(L, -1); /* the list keeps it alive */
    lua_pop(L, 1);
  }
  words[n] = NULL;
  lua_pushstring(L, l_suggest(word, words)); /* NULL gives nil */
  return 1;
}

/* aliases(): a table from what other libraries call it to the name here */
static int l_check_aliases(lua_State *L) {
  lua_createtable(L, 0, N_ALIASES);
  for (int i = 0; i < N_ALIASES; i++) {
    lua_pushstring(L, aliases[i][1]);
    lua_setfield(L, -2, aliases[i][0]);
  }
  return 1;
}

void l_check_open(lua_State *L) {
  lua_pushcfunction(L, l_check_aliases);
  lua_setfield(L, -2, "aliases");
  lua_pushcfunction(L, l_check_suggest);
  lua_setfield(L, -2, "suggest");
}

/* raises for an unknown option */
static int fail_unknown(lua_State *L, const char *what, const char *key, const char *const *keys) {
  const char *nearest = l_suggest(key, keys);
  if (nearest != NULL) {
    return l_fail(L, what, "unknown option '%s', did you mean '%s'?", key, nearest);
  }
  if (keys[0] == NULL) return l_fail(L, what, "unknown option '%s', there are none", key);
  luaL_Buffer list;
  luaL_buffinit(L, &list);
  for (int i = 0; keys[i] != NULL; i++) {
    luaL_addstring(&list, i > 0 ? ", " : "");
    luaL_addstring(&list, keys[i]);
  }
  luaL_pushresult(&list);
  return l_fail(L, what, "unknown option '%s', expected one of: %s", key, lua_tostring(L, -1));
}

int l_field_choice(lua_State *L, int t, const char *what, const char *key, const char *const *names,
                   int def) {
  const char *got = l_field_string(L, t, what, key, names[def]);
  for (int i = 0; names[i]; i++)
    if (strcmp(names[i], got) == 0) return i;
  /* 'a', 'b' or 'c' */
  lua_pushliteral(L, "");
  for (int i = 0; names[i]; i++) {
    lua_pushfstring(L, i == 0 ? "'%s'" : names[i + 1] ? ", '%s'" : " or '%s'", names[i]);
    lua_concat(L, 2);
  }
  return l_fail(L, what, "%s must be %s, got '%s'", key, lua_tostring(L, -1), got);
}

void l_known_keys(lua_State *L, int t, const char *what, const char *const *keys) {
  t = t < 0 ? lua_gettop(L) + 1 + t : t;
  lua_pushnil(L);
  while (lua_next(L, t)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
      l_fail(L, what, "options must be named, got the key %s", l_describe(L, lua_gettop(L)));
    }
    const char *key = lua_tostring(L, -1);
    int i = 0;
    while (keys[i] != NULL && strcmp(keys[i], key) != 0) {
      i++;
    }
    if (keys[i] == NULL) {
      fail_unknown(L, what, key, keys);
    }
  }
}

/* --- results --------------------------------------------------------------------------------------------- */

int l_status(lua_State *L, Status status) {
  lua_pushnil(L);
  lua_pushstring(L, status_text(status));
  lua_pushstring(L, status_name(status));
  return 3;
}

/* --- collector ------------------------------------------------------------------------------------------- */

/* how one state paces its collector */
typedef struct Pace {
  size_t seen; /* live bytes at the last look */
  size_t kept; /* live bytes after the last full cycle */
  double owed; /* kilobytes of collection work not yet done */
} Pace;

enum { UNSEEN_ALLOWANCE = 32 << 20, LEAST_STEP = 16 };

static Pace *pace_of(lua_State *L) {
  static const char key = 0;
  lua_pushlightuserdata(L, (void *)&key);
  lua_rawget(L, LUA_REGISTRYINDEX);
  Pace *pace = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (pace == NULL) {
    lua_pushlightuserdata(L, (void *)&key);
    pace = lua_newuserdata(L, sizeof *pace);
    *pace = (Pace){.seen = buffer_live_bytes(), .kept = buffer_live_bytes()};
    lua_rawset(L, LUA_REGISTRYINDEX);
  }
  return pace;
}

void l_nudge(lua_State *L) {
  Pace *pace = pace_of(L);
  size_t live = buffer_live_bytes();
  if (live > pace->seen) {
    /* growth by the allowance costs one cycle, that is work for every kilobyte of the Lua heap */
    double allowance = (double)(pace->kept > UNSEEN_ALLOWANCE ? pace->kept : UNSEEN_ALLOWANCE);
    pace->owed += (double)(live - pace->seen) / allowance * lua_gc(L, LUA_GCCOUNT, 0);
  }
  if (pace->owed >= LEAST_STEP) {
    int finished = lua_gc(L, LUA_GCSTEP, (int)fmin(pace->owed, 1e6));
    pace->owed = 0.0;
    live = buffer_live_bytes();
    if (finished) {
      pace->kept = live;
    }
  }
  pace->seen = live;
}
