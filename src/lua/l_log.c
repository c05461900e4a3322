/***
The texts of a run's files, and the files that they are appended to: what `trpo.logger` and `trpo.tensorboard` are made of.
@module trpo.log
*/
#include "lua/l_log.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "base/logfile.h"
#include "base/record.h"
#include "base/tfevents.h"
#include "base/utf8.h"
#include "lua/l_check.h"
#include "lua/l_files.h"
#include "lua/l_tensor.h"

static const char *const FILE_TYPE = "trpo.log.File";
static const char *const RECORD = "trpo.log.Record";

/* the largest number without gaps below it */
static const double WHOLE = 9007199254740992.0;

/* --- texts ----------------------------------------------------------------------------------------------- */

static int l_log_free_record(lua_State *L) {
  record_free(lua_touserdata(L, 1));
  return 0;
}

static Slice check_string(lua_State *L, int arg, const char *what, const char *name) {
  Slice s;
  if (lua_type(L, arg) != LUA_TSTRING) {
    l_fail(L, what, "%s must be a string, got %s", name, l_describe(L, arg));
  }
  s.text = lua_tolstring(L, arg, &s.bytes);
  return s;
}

static void check_table(lua_State *L, int arg, const char *what, const char *name) {
  if (!lua_istable(L, arg)) {
    l_fail(L, what, "%s must be a table, got %s", name, l_describe(L, arg));
  }
}

/* the value of record, at index 3, under the name at the stack top, which is popped; 0 when there is none */
static int get_number(lua_State *L, const char *what, Slice name, double *x) {
  lua_rawget(L, 3);
  int type = lua_type(L, -1);
  if (type != LUA_TNIL && type != LUA_TNUMBER) {
    l_fail(L, what, "record['%s'] must be a number, got %s", name.text,
           l_describe(L, lua_gettop(L)));
  }
  *x = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return type == LUA_TNUMBER;
}

static void fill(lua_State *L, const char *what, Record *record, long columns) {
  const long names = (long)lua_objlen(L, 1);
  for (long i = 1; i <= names; i++) {
    double x;
    lua_rawgeti(L, 1, (int)i);
    Slice name = check_string(L, lua_gettop(L), what, "a name");
    if (get_number(L, what, name, &x)) {
      record_add(record, name, x, i <= columns);
    } else if (i <= columns) {
      record_skip(record);
    }
  }
}

static void push_line(lua_State *L, const char *before, const Bytes *text, const char *after) {
  luaL_Buffer line;
  luaL_buffinit(L, &line);
  luaL_addstring(&line, before);
  luaL_addlstring(&line, bytes_data(text), text->count);
  luaL_addstring(&line, after);
  luaL_pushresult(&line);
}

/* gives up bytes and pushes them as a string */
static void push_bytes(lua_State *L, const char *what, Bytes *bytes) {
  if (bytes->failed) {
    l_fail(L, what, "not enough memory");
  }
  lua_pushlstring(L, bytes_data(bytes), bytes->count);
  bytes_free(bytes);
}

/***
One record for all files of a run.
@function trpo.log.encode
@tparam {string,...} names in order, UTF-8
@tparam integer columns so many of the names have a field in CSV, an empty one where the record has no number
@tparam {[string]=number,...} record
@tparam number wall_time seconds since 1970
@tparam integer step
@treturn string a line of CSV
@treturn string a line of JSON: one object, with NaN, Infinity and -Infinity as Python writes them
@treturn string an event of TensorBoard's
@raise on values that are no numbers, and when memory runs out
*/
static int l_log_encode(lua_State *L) {
  const char *what = "trpo.log.encode";
  check_table(L, 1, what, "names");
  check_table(L, 3, what, "record");
  long columns = l_integer_in(L, 2, what, "columns", 0, (long)lua_objlen(L, 1));
  double wall_time = l_number(L, 4, what, "wall_time");
  double step = l_number_in(L, 5, what, "step", -WHOLE, WHOLE);
  lua_settop(L, 5);
  Record *record = l_files_push_owner(L, RECORD, sizeof *record);
  Bytes *event = l_files_push_owner(L, l_files_bytes, sizeof *event);
  fill(L, what, record, columns);
  tfevents_event(event, wall_time, (int64_t)step, &record->summary);
  if (record_failed(record)) {
    l_fail(L, what, "not enough memory");
  }
  push_line(L, "", &record->csv, "\n");
  push_line(L, "{", &record->json, "}\n");
  push_bytes(L, what, event);
  record_free(record);
  return 3;
}

/***
The bytes that begin an event file.
@function trpo.log.version
@tparam number wall_time seconds since 1970
@treturn string
*/
static int l_log_version(lua_State *L) {
  const char *what = "trpo.log.version";
  double wall_time = l_number(L, 1, what, "wall_time");
  Bytes *bytes = l_files_push_owner(L, l_files_bytes, sizeof *bytes);
  tfevents_version(bytes, wall_time);
  push_bytes(L, what, bytes);
  return 1;
}

/***
Lines of Stable-Baselines3's monitor.csv: return, length and seconds of each episode.
@function trpo.log.episodes
@tparam Tensor returns [N]
@tparam Tensor lengths [N]
@tparam number from seconds; the episodes are spread evenly over the time from there
@tparam number to seconds
@treturn string
*/
static int l_log_episodes(lua_State *L) {
  const char *what = "trpo.log.episodes";
  const Tensor *returns = l_tensor_sized(L, 1, what, "returns", 1, (ptrdiff_t[]){-1});
  const Tensor *lengths = l_tensor_sized(L, 2, what, "lengths", 1, returns->size);
  double from = l_number(L, 3, what, "from"), to = l_number(L, 4, what, "to");
  const double *r = l_tensor_data(L, returns), *l = l_tensor_data(L, lengths);
  Bytes *bytes = l_files_push_owner(L, l_files_bytes, sizeof *bytes);
  record_episodes(bytes, r, l, (size_t)returns->size[0], from, to);
  push_bytes(L, what, bytes);
  return 1;
}

/***
Whether a text can name a number in all files: UTF-8, not empty, without control characters.
@function trpo.log.is_name
@tparam string text
@treturn boolean
*/
static int l_log_is_name(lua_State *L) {
  Slice s = check_string(L, 1, "trpo.log.is_name", "text");
  int good = s.bytes > 0 && utf8_valid(s.text, s.bytes);
  for (size_t i = 0; i < s.bytes; i++) {
    good = good && (unsigned char)s.text[i] >= ' ' && s.text[i] != 127;
  }
  lua_pushboolean(L, good);
  return 1;
}

/* --- files ----------------------------------------------------------------------------------------------- */

/* the file, and its path */
static LogFile *check_file_at(lua_State *L, int arg, const char *what, const char **path) {
  LogFile *file = l_object(L, arg, FILE_TYPE);
  if (file == NULL) {
    l_fail(L, what, "%s must be a log file, got %s", arg == 1 ? "self" : "each argument",
           l_describe(L, arg));
    return NULL;
  }
  if (file->fd < 0) {
    l_fail(L, what, "the file is closed");
  }
  /* the file keeps its path */
  lua_getfenv(L, arg);
  lua_getfield(L, -1, "path");
  *path = lua_tostring(L, -1);
  lua_pop(L, 2);
  return file;
}

static LogFile *check_file(lua_State *L, const char *what, const char **path) {
  return check_file_at(L, 1, what, path);
}

/* true, or nil, message, code */
static int report(lua_State *L, const char *verb, const char *path, Status status,
                  const Fault *fault) {
  if (status != OK) {
    return l_files_report(L, verb, path, status, fault);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/***
Opens a file for appending. Nothing of it is changed yet: `cut` removes what is behind the position.
@function trpo.log.open
@tparam string path
@tparam[opt] integer position go on behind so many bytes of a file that is there already; without it the file is made
 when it is missing, and the position is 0
@treturn[1] LogFile
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code: "no_file", "io", or "format" for a file that is shorter than the position
*/
static int l_log_open_file(lua_State *L) {
  const char *what = "trpo.log.open";
  const char *path = l_files_check_path(L, what);
  int resumes = !lua_isnoneornil(L, 2);
  double position = resumes ? l_number_in(L, 2, what, "position", 0, WHOLE) : 0;
  LogFile *file = lua_newuserdata(L, sizeof *file);
  file->fd = -1;
  luaL_getmetatable(L, FILE_TYPE);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "path");
  lua_setfenv(L, -2);
  Fault fault = {0};
  Status status = resumes ? logfile_resume(file, path, (int64_t)position, &fault)
                          : logfile_create(file, path, &fault);
  return status == OK ? 1 : l_files_report(L, resumes ? "go on in" : "write", path, status, &fault);
}

/***
Removes what is behind the position.
@function logfile:cut
@treturn boolean|nil true, or nil, message, code
*/
static int l_log_cut(lua_State *L) {
  const char *path;
  Fault fault = {0};
  LogFile *file = check_file(L, "logfile:cut", &path);
  return report(L, "cut", path, logfile_cut(file, &fault), &fault);
}

/***
Appends bytes: all of them, or none.
@function logfile:append
@tparam string bytes
@treturn boolean|nil true, or nil, message, code
*/
static int l_log_append(lua_State *L) {
  const char *path;
  Fault fault = {0};
  Slice s = check_string(L, 2, "logfile:append", "bytes");
  LogFile *file = check_file(L, "logfile:append", &path);
  return report(L, "write", path, logfile_append(file, s.text, s.bytes, &fault), &fault);
}

/***
Bytes of complete pieces.
@function logfile:position
@treturn integer
*/
static int l_log_position(lua_State *L) {
  const char *path;
  lua_pushnumber(L, (double)check_file(L, "logfile:position", &path)->position);
  return 1;
}

/***
Brings the file to the disk, and others with it at the same time.
@function logfile:sync
@tparam[opt] logfile,... others up to 15
@treturn boolean|nil true, or nil, message, code
*/
static int l_log_sync(lua_State *L) {
  const int n = lua_gettop(L);
  LogFile *files[LOGFILE_TOGETHER];
  const char *paths[LOGFILE_TOGETHER];
  Fault fault = {0};
  int failed;
  if (n > LOGFILE_TOGETHER) {
    l_fail(L, "logfile:sync", "at most %d files are synced together, got %d", LOGFILE_TOGETHER, n);
  }
  check_file(L, "logfile:sync", &paths[0]);
  for (int i = 0; i < n; i++) files[i] = check_file_at(L, i + 1, "logfile:sync", &paths[i]);
  Status status = logfile_sync(files, n, &failed, &fault);
  return report(L, "sync", paths[status == OK ? 0 : failed], status, &fault);
}

/***
Closes the file.
@function logfile:close
@treturn boolean|nil true, or nil, message, code
*/
static int l_log_close(lua_State *L) {
  const char *path;
  Fault fault = {0};
  LogFile *file = check_file(L, "logfile:close", &path);
  return report(L, "close", path, logfile_close(file, &fault), &fault);
}

static int l_log_collect(lua_State *L) {
  logfile_close(lua_touserdata(L, 1), &(Fault){0});
  return 0;
}

/* --- registration ---------------------------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    {"encode", l_log_encode},   {"version", l_log_version}, {"episodes", l_log_episodes},
    {"is_name", l_log_is_name}, {"open", l_log_open_file},  {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"cut", l_log_cut},   {"append", l_log_append}, {"position", l_log_position},
    {"sync", l_log_sync}, {"close", l_log_close},   {NULL, NULL},
};

void l_log_open(lua_State *L) {
  l_files_register_owner(L, RECORD, l_log_free_record);
  l_files_register_owner(L, FILE_TYPE, l_log_collect);
  luaL_getmetatable(L, FILE_TYPE);
  lua_newtable(L);
  luaL_register(L, NULL, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  l_files_add_module(L, "log", functions);
}
